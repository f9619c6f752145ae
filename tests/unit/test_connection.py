"""One connection a place: when it is used again, and that no answer is ever taken for another request's."""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from raw_server import Behaviour, RawServer, answer, reset

from reconciler.errors import NoAnswer, NotSent, Rejected
from reconciler.plan.calls import Call, Method
from reconciler.providers import _wire
from reconciler.providers._connection import NoConnection, _Open, buffer
from reconciler.providers._http1 import AnswerReader
from reconciler.providers.http import Http, Pace, StaticAuth

POST = Call(method=Method.POST, path=("things",), body={"a": 1})


class Lines:
    """Which connection each request came on, as they were told by a server."""

    def __init__(self) -> None:
        self.ports: list[int] = []

    def told(self, behave: Behaviour) -> Behaviour:
        async def noted(writer: asyncio.StreamWriter) -> None:
            self.ports.append(writer.get_extra_info("peername")[1])
            await behave(writer)

        return noted


def core(url: str, concurrency: int = 1) -> Http:
    return Http(
        account="main",
        base_url=url,
        auth=StaticAuth({"authorization": "Bearer a-key-of-some-length"}),
        pace=Pace(concurrency=concurrency, timeout_s=5.0),
        read_only=False,
        error_text=lambda body, raw: "",
    )


def run(script: list[Behaviour], use: Callable[[Http], Awaitable[Any]], concurrency: int = 1) -> Any:
    async def main() -> Any:
        async with RawServer(script) as server:
            http = core(server.url, concurrency)
            try:
                return await use(http)
            finally:
                await http.aclose()

    return asyncio.run(main())


def raw(content: bytes, *, close: bool = False) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        if close:
            writer.close()

    return behave


async def three(http: Http) -> list[Any]:
    return [(await http.get("things")).body for _ in range(3)]


def test_a_connection_is_kept_until_it_was_idle_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Lines()
    run([lines.told(answer())], three)
    assert len(set(lines.ports)) == 1
    monkeypatch.setattr(_wire, "KEEP_ALIVE_S", 0.0)
    lines = Lines()
    run([lines.told(answer())], three)
    assert len(set(lines.ports)) == 3


def test_no_more_connections_than_places() -> None:
    lines = Lines()

    async def many(http: Http) -> None:
        await asyncio.gather(*(http.get("things") for _ in range(20)))

    run([lines.told(answer())], many, concurrency=3)
    assert len(lines.ports) == 20
    assert len(set(lines.ports)) <= 3


def test_what_follows_an_answer_is_not_the_next_one() -> None:
    second = b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"wrong"'
    twice = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n111" + second)
    assert run([twice, answer(body=b"222"), answer(body=b"333")], three) == [111, 222, 333]


def test_a_connection_that_the_server_closed_is_not_written_to() -> None:
    lines = Lines()
    closing = lines.told(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", close=True))

    async def writes(http: Http) -> int:
        for _ in range(5):
            await http.send(POST)
        return http.requests

    assert run([closing], writes) == 5
    assert len(set(lines.ports)) == 5


def test_an_answer_that_asks_for_the_end_of_the_connection_gets_it() -> None:
    lines = Lines()
    run([lines.told(answer(headers={"Connection": "close"}))], three)
    assert len(set(lines.ports)) == 3


@pytest.mark.parametrize("size", [0, 1, 300_000, 3_000_000])
def test_a_body_of_any_size_in_any_form(size: int) -> None:
    body = b'"' + b"x" * size + b'"'
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (body[:1], body[1:])) + b"0\r\n\r\n"
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces
    to_the_end = b"HTTP/1.1 200 OK\r\n\r\n" + body

    async def lengths(http: Http) -> list[int]:
        return [len((await http.get("things")).body) for _ in range(3)]

    assert run([answer(body=body), raw(chunked), raw(to_the_end, close=True)], lengths) == [size] * 3


def test_a_large_request_arrives_whole() -> None:
    large = Call(method=Method.POST, path=("things",), body={"a": "x" * 5_000_000})

    async def main() -> int:
        async with RawServer([answer()]) as server:
            http = core(server.url)
            await http.send(large)
            await http.aclose()
            return len(server.seen[0].body)

    assert asyncio.run(main()) > 5_000_000


def test_an_announcement_before_the_answer_is_skipped() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7"
    assert run([raw(early)], three) == [7, 7, 7]


def test_a_broken_connection_is_given_up_and_the_write_is_unknown() -> None:
    async def use(http: Http) -> Any:
        with pytest.raises(NoAnswer):
            await http.send(POST)
        return (await http.send(POST)).body

    assert run([reset, answer(body=b"5")], use) == 5


def test_a_name_that_cannot_be_one_is_no_connection() -> None:
    async def main() -> None:
        http = core(f"http://{'a' * 70}.invalid")
        try:
            with pytest.raises(NotSent):
                await http.send(POST)
        finally:
            await http.aclose()

    asyncio.run(main())


PLAIN = b'"' + b"x" * 5000 + b'"'
BARE = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(PLAIN, mtime=0)),
        ("deflate", zlib.compress(PLAIN)),
        ("DEFLATE", BARE.compress(PLAIN) + BARE.flush()),
        ("identity", PLAIN),
    ],
)
def test_what_was_compressed_is_opened_and_what_of_it_was_cut_is_no_answer(coding: str, packed: bytes) -> None:
    async def length(http: Http) -> int:
        return len((await http.get("things")).body)

    async def write(http: Http) -> None:
        with pytest.raises(NoAnswer):
            await http.send(POST)

    assert run([answer(body=packed, headers={"Content-Encoding": coding})], length) == 5000
    run([answer(body=packed[:-1], headers={"Content-Encoding": coding})], write)


def test_an_answer_that_comes_before_its_request_was_read_counts_and_ends_the_connection() -> None:
    large = Call(method=Method.POST, path=("things",), body={"a": "x" * 20_000_000})
    served: list[asyncio.Task[Any] | None] = []

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}")
        try:
            await reader.read(-1)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def main() -> None:
        async with await asyncio.start_server(early, "127.0.0.1", 0) as server:
            http = core(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            for _ in range(2):
                with pytest.raises(Rejected):
                    await http.send(large)
            await http.aclose()
            await asyncio.gather(*(task for task in served if task is not None))

    asyncio.run(main())
    assert len(served) == 2


@pytest.mark.parametrize("lost", [None, ConnectionResetError()], ids=["ended", "reset"])
def test_nothing_is_written_to_a_connection_that_is_over_before_it_was_used(lost: Exception | None) -> None:
    async def main() -> None:
        near, far = socket.socketpair()
        with near, far:
            loop = asyncio.get_running_loop()
            transport, opened = await loop.create_connection(lambda: _Open("http://h", loop, buffer()), sock=near)
            opened.eof_received()
            opened.connection_lost(lost)
            with pytest.raises(NoConnection):
                await opened.exchange(b"GET / HTTP/1.1\r\n\r\n", AnswerReader("GET", 100), loop.time() + 5)
            assert transport.is_closing()
            await asyncio.sleep(0)
            far.setblocking(False)
            assert far.recv(100) == b""

    asyncio.run(main())
