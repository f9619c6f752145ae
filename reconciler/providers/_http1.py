"""HTTP/1.1 as bytes: a request written, an answer read. No socket and no clock.

Nearly every answer is plain: its head comes in one piece, and its body has a length or comes in simple chunks. That is
read here, in a tenth of the time that h11 takes. Whatever is not certainly plain goes to h11, from the first byte or
from the chunk that is not: so h11 alone tells what is an answer and what is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    import h11

_MOST_HEADERS = 100 * 1024

_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
"""Methods whose requests say nothing about a length when they have no body."""
_PLAIN_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
"""Methods whose answers have a body wherever a length or chunks say so."""
_EMPTY = frozenset({204, 304})

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(r"/[!-~]*")
_HEAD = re.compile(rb"HTTP/1\.1 [2-5][0-9]{2} [ -~]*\r\n(?:[0-9A-Za-z_-]+:[ -~]*\r\n)+\r\n")
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})\r\n")
_LONGEST_CHUNK_HEAD = 14


class Unspeakable(ValueError):
    """The request cannot be written as HTTP. Without its text, which may be the credential."""


class Garbled(ValueError):
    """What came is no HTTP, or was cut."""


class TooLong(ValueError):
    """The body is longer than it may be."""


class Request(Struct, frozen=True):
    """One request. ``origin`` is the start of the URL, up to its path, and ``host`` how the request names it."""

    method: str
    origin: str
    host: str
    target: str
    headers: Mapping[str, str]
    content: bytes | None

    def all_headers(self) -> dict[str, str]:
        """What is sent, with the length of the content."""
        headers = {"host": self.host, **self.headers}
        if self.content is not None or self.method not in _BODILESS:
            headers["content-length"] = str(len(self.content or b""))
        return headers

    def written(self) -> bytes:
        """Head and body in one: two would be two packets. Raises Unspeakable."""
        if not _TOKEN.fullmatch(self.method) or not _TARGET.fullmatch(self.target):
            raise Unspeakable
        start = f"{self.method} {self.target} HTTP/1.1\r\n".encode("ascii")
        return start + _lines(tuple(self.all_headers().items())) + (self.content or b"")


@lru_cache(maxsize=64)
def _lines(headers: tuple[tuple[str, str], ...]) -> bytes:
    """The end of a head: most requests of an account say the same. Raises Unspeakable."""
    for name, value in headers:
        if not (_TOKEN.fullmatch(name) and value.isascii() and value.isprintable()) or value != value.strip():
            raise Unspeakable
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("ascii") + b"\r\n"


class Answer(Struct, frozen=True):
    """A whole answer; header names in lower case, ``raw`` as it came. After the ``last`` one the connection is over."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    last: bool = False


class AnswerReader:
    """One answer, as its bytes arrive. ``feed`` and ``ended`` raise Garbled and TooLong."""

    __slots__ = ("_chunks", "_head", "_headers", "_http", "_left", "_method", "_most", "_pieces", "_size", "_status")

    def __init__(self, method: str, most: int) -> None:
        """``most``: how many bytes a body may have."""
        self._method = method
        self._most = most
        self._head = b""
        self._status = 0
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._size = 0
        self._left = 0
        self._chunks: bytearray | None = None
        self._http: h11.Connection | None = None

    def feed(self, data: bytes | memoryview) -> Answer | None:
        """The answer, when ``data`` (never empty) completes it. Nothing of ``data`` is kept but copies."""
        if self._http is not None:
            return self._by_h11(data)
        if self._chunks is not None:
            return self._chunked(data)
        if self._head:
            return self._counted(data)
        found = _HEAD.match(data)
        if found is None or not self._plain(found[0]):
            return self._by_h11(data)
        self._head = found[0]
        body = data[found.end() :]
        return self._counted(body) if self._chunks is None else self._chunked(body)

    def ended(self) -> Answer:
        """The answer, when the end of the connection completes it."""
        if self._http is None or (answer := self._by_h11(b"")) is None:
            raise Garbled
        return replace(answer, last=True)

    def _plain(self, head: bytes) -> bool:
        """Whether it is certain where the body ends."""
        first, *lines = head[:-4].decode("ascii").split("\r\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            name, value = name.lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self._status, self._headers = int(first[9:12]), headers
        length, coding = headers.get("content-length"), headers.get("transfer-encoding")
        if self._method not in _PLAIN_METHODS or (length is not None and not _LENGTH.fullmatch(length)):
            return False
        if coding is not None:
            self._chunks = bytearray()
            return coding.lower() == "chunked" and length is None and self._status not in _EMPTY
        self._left = 0 if length is None or self._status in _EMPTY else int(length)
        self._fits(self._left)
        return length is not None or self._status in _EMPTY

    def _fits(self, more: int) -> None:
        if self._size + more > self._most:
            raise TooLong

    def _counted(self, data: bytes | memoryview) -> Answer | None:
        """The body goes on with ``data``, and has a length."""
        left = self._left
        self._left -= len(data)
        self._pieces.append(bytes(data[:left]))
        return self._whole(excess=self._left < 0) if self._left <= 0 else None

    def _chunked(self, data: bytes | memoryview) -> Answer | None:
        """The body goes on with ``data``, in chunks."""
        arrived, at = self._chunks, 0
        assert arrived is not None
        arrived += data
        while len(arrived) - at >= self._left:
            found = _CHUNK.match(arrived, at)
            if found is None:
                if len(arrived) - at < _LONGEST_CHUNK_HEAD and b"\n" not in arrived[at:]:
                    break
                return self._by_h11(self._head + arrived[at:])
            start, size = found.end(), int(found[1], 16)
            self._fits(size)
            end = start + size
            self._left = end + 2 - at
            if len(arrived) < end + 2:
                break
            if arrived[end : end + 2] != b"\r\n":  # broken, or what may follow the last chunk
                return self._by_h11(self._head + arrived[at:])
            at, self._left = end + 2, 0
            if size == 0:
                return self._whole(excess=len(arrived) > at)
            self._size += size
            self._pieces.append(bytes(arrived[start:end]))
        del arrived[:at]
        return None

    def _whole(self, *, excess: bool) -> Answer:
        """Whatever is in ``excess`` would be read as the answer to the next request."""
        closing = "connection" in self._headers and "close" in self._headers["connection"].lower()
        raw = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        return Answer(self._status, self._headers, raw, excess or closing)

    def _by_h11(self, data: bytes | bytearray | memoryview) -> Answer | None:
        """``data`` is all from the first byte, or goes on where it ended; empty at the end of the connection."""
        import h11  # few answers need it, and it takes longer to import than many take to read

        if self._http is None:
            self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEADERS)
            self._http.send(h11.Request(method=self._method, target="/", headers=[("host", "x")]))
            self._http.send(h11.EndOfMessage())
        http = self._http
        try:
            http.receive_data(bytes(data))
            while True:
                match http.next_event():
                    case h11.Response() as head:
                        self._status, self._headers = head.status_code, _joined(head)
                    case h11.Data() as piece:
                        self._fits(len(piece.data))
                        self._size += len(piece.data)
                        self._pieces.append(bytes(piece.data))
                    case h11.EndOfMessage():
                        # Who says twice how long a body is may mean another one than we do.
                        last = {"content-length", "transfer-encoding"} <= self._headers.keys()
                        last = last or http.their_state is not h11.DONE or bool(http.trailing_data[0])
                        return Answer(self._status, self._headers, b"".join(self._pieces), last)
                    case h11.NEED_DATA:
                        return None
                    case h11.InformationalResponse():
                        continue
                    case _:
                        raise Garbled
        except h11.ProtocolError:
            raise Garbled from None


def _joined(head: h11.Response) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in head.headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
