"""A process that is killed in the middle of writing leaves a store that can be read, with all it had been promised."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.model.addresses import Address, Kind
from reconciler.store import OperationState, open_store

WRITER = """
import sys
from datetime import UTC, datetime
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.hashes import MemberHashes
from reconciler.model.inventory import Owned
from reconciler.plan.calls import Method, Phase
from reconciler.store import Intent, OperationState, open_store

with open_store(sys.argv[1], namespace="acme/prod", create=True) as store:
    run = store.begin_run("apply", tool_version="1.0")
    while True:
        address = Address("main", Kind.MEMBERSHIP, "a")
        op = run.intend(
            Intent(
                address=address, title="t", phase=Phase.LIST, method=Method.POST, path="/x", not_after=datetime.now(UTC)
            )
        )
        print("intent", op, flush=True)
        with run.batch():
            run.record(op, OperationState.DONE, remote_id=RemoteId(str(op)))
            hashes = MemberHashes(n.to_bytes(12, "big") for n in range(op))
            run.own(Owned(address=address, provider="p", remote_id=RemoteId(str(op)), applied=hashes, added=hashes))
        print("done", op, flush=True)
"""


def kill_after(url: str, lines: int) -> tuple[int, int]:
    """Runs the writer and kills it after ``lines`` lines; the last intent and the last outcome it was promised."""
    with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        # What it had said before it died was promised, too; a line that was cut off was not.
        said += [line for line in process.stdout if line.endswith("\n")]
    numbers = [(word, int(number)) for word, number in (line.split() for line in said)]
    return (
        max((number for word, number in numbers if word == "intent"), default=0),
        max((number for word, number in numbers if word == "done"), default=0),
    )


def check(url: str, promised_intent: int, promised_done: int) -> None:
    with open_store(url, namespace="acme/prod", create=False) as store:
        (run,) = store.runs()
        assert run.ended is None
        operations = store.operations(run.id)
        assert [o.op for o in operations] == list(range(1, len(operations) + 1))
        assert len(operations) >= promised_intent
        done = [o for o in operations if o.state is OperationState.DONE]
        assert promised_done <= len(done)
        assert len(operations) - len(done) <= 1
        owned = store.inventory().owned
        if done:
            mine = owned[Address("main", Kind.MEMBERSHIP, "a")]
            assert mine.remote_id == str(len(done)), "outcome and inventory were one transaction"
            assert len(mine.applied) == len(mine.added) == len(done)
        else:
            assert owned == {}


@pytest.mark.parametrize("lines", [1, 2, 7, 40])
def test_a_killed_writer_keeps_its_promises(url: str, lines: int) -> None:
    check(url, *kill_after(url, lines))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(700, 730))
def test_a_killed_writer_keeps_its_promises_at_any_moment(tmp_path: Path, seed: int) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    check(url, *kill_after(url, random.Random(seed).randrange(1, 400)))
