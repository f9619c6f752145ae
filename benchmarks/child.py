"""The measured process: imports one function, runs it, and prints what it found as one line of JSON.

Nothing is imported here that the function does not need: this process is what is timed and weighed.
"""

import json
import sys
import time
from importlib import import_module
from pathlib import Path


class Stopwatch:
    """Adds up the time and CPU of the sections that it is put around."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self._started = (0.0, 0.0)

    def __enter__(self) -> "Stopwatch":
        self._started = (time.perf_counter(), time.process_time())
        return self

    def __exit__(self, *_: object) -> None:
        wall, cpu = self._started
        self.seconds += time.perf_counter() - wall
        self.cpu_seconds += time.process_time() - cpu


def main() -> None:
    """``python -m benchmarks.child module:function '{"argument": 1}'`` in the folder of the inputs."""
    target, arguments = sys.argv[1], json.loads(sys.argv[2])
    module, _, function = target.partition(":")
    watch = Stopwatch()
    facts = getattr(import_module(module), function)(Path.cwd(), watch, **arguments) or {}
    if watch.seconds:
        facts = {"inner_s": watch.seconds, "inner_cpu_s": watch.cpu_seconds, **facts}
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
