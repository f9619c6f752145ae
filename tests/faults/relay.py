"""A server between the tool and the sandbox that spoils connections byte by byte, as no well-behaved server would.

``spoil`` is asked at each request, with its method and how many there were before, and names what happens to it:

- ``pass``: it is served by the sandbox;
- ``reset``: the connection is reset before the request reaches anybody;
- ``stale``: it is served, and the connection is reset as soon as somebody uses it again;
- ``early``: refused with 400 after the head was read, and the connection closed on whatever follows;
- ``endless`` and ``bomb``: a body without end, and a small one that inflates.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Spoil = Callable[[str, int], str]

RESET_NOW = struct.pack("ii", 1, 0)
EARLY = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(b" " * (64 << 20), 1)


class Relay:
    """Listens on a port of its own. ``up`` and ``down`` open and close it; the port stays the same."""

    def __init__(
        self, url: str, spoil: Spoil = lambda method, before: "pass", tls: ssl.SSLContext | None = None
    ) -> None:
        host, _, port = url.rpartition("/")[2].rpartition(":")
        self._target = (host, int(port))
        self.spoil = spoil
        self._tls = tls
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.requests = 0
        self.connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def up(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def down(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in accept
            listener.close()
        for connection in list(self._open):
            _reset(connection)

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is listener:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        connection = plain
        self._open.add(plain)
        with contextlib.suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(plain, server_side=True)
            connection.settimeout(30)
            while self._one(connection):
                pass
        self._open.discard(plain)
        connection.close()

    def _one(self, connection: socket.socket) -> bool:
        """Serves one request; whether the connection may be used again."""
        head = _until_blank_line(connection)
        if not head:
            return False
        with self._lock:
            how = self.spoil(head.split(b" ", 1)[0].decode(), self.requests)
            self.requests += 1
        match how:
            case "reset":
                _reset(connection)
                return False
            case "early":
                connection.sendall(EARLY)
                return False
            case "endless":
                connection.sendall(ENDLESS)
                while True:
                    connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            case "bomb":
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(BOMB) + BOMB
                )
                return False
        body = _exactly(connection, _length(head))
        connection.sendall(self._forwarded(head, body))
        if how == "stale":
            if connection.recv(1):
                _reset(connection)
            return False
        return True

    def _forwarded(self, head: bytes, body: bytes) -> bytes:
        with socket.create_connection(self._target) as upstream:
            upstream.sendall(head + body)
            answer = _until_blank_line(upstream)
            return answer + _exactly(upstream, _length(answer))


def _until_blank_line(connection: socket.socket) -> bytes:
    found = b""
    while not found.endswith(b"\r\n\r\n"):
        if not (byte := connection.recv(1)):
            return b""
        found += byte
    return found


def _exactly(connection: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length and (more := connection.recv(length - len(found))):
        found += more
    return found


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_NOW)
        connection.close()
