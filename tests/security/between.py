"""Somebody between the tool and the simulated providers: sees every header, and changes answers."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]


@dataclass(slots=True)
class Answered:
    """An answer on its way back; ``body`` is decoded JSON, or bytes when it is none."""

    status: int
    headers: dict[str, str]
    body: Any


Change = Callable[[Asked, Answered], Answered]


@dataclass(slots=True)
class Between:
    """A proxy at ``url``. ``change`` gets every answer; ``asked`` is what was asked."""

    url: str
    change: Change = lambda asked, answered: answered
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def between(target: str) -> Iterator[Between]:
    """Forwards to ``target`` until the end of the block."""
    host = urlsplit(target).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

        def _forward(self) -> None:
            asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
            proxy.asked.append(asked)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answered = proxy.change(asked, _sent_on(host, asked, body))
            content = answered.body if isinstance(answered.body, bytes) else json.dumps(answered.body).encode()
            self.send_response(answered.status)
            for name, value in (answered.headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _forward

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = Between(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _sent_on(host: str, asked: Asked, body: bytes) -> Answered:
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        headers = {k: v for k, v in asked.headers.items() if k not in ("host", "accept-encoding", "connection")}
        connection.request(asked.method, asked.target, body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        kept = {"Content-Type": answer.headers.get("content-type", "application/json")}
        try:
            return Answered(answer.status, kept, json.loads(content))
        except ValueError:
            return Answered(answer.status, kept, content)
    finally:
        connection.close()


def everywhere(value: Any, replace: Callable[[str, Any], Any], key: str = "") -> Any:
    """``value`` with every scalar replaced by what ``replace`` makes of its name and itself."""
    match value:
        case dict():
            return {k: everywhere(v, replace, k) for k, v in value.items()}
        case list():
            return [everywhere(v, replace, key) for v in value]
        case _:
            return replace(key, value)
