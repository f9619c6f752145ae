"""Requests as bytes, and answers from bytes: what h11 makes of an answer we make of it, in whatever pieces it comes."""

from __future__ import annotations

from itertools import pairwise

import h11
import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.providers import _wire
from reconciler.providers._http1 import Answer, AnswerReader, Garbled, Request, TooLong, Unspeakable

MOST = 10_000
OK = b"HTTP/1.1 200 OK\r\n"


def heard(pieces: list[bytes], method: str = "GET", *, over: bool = True) -> Answer | None:
    reader = AnswerReader(method, MOST)
    for piece in pieces:
        if piece and (answer := reader.feed(piece)) is not None:
            return answer
    return reader.ended() if over else None


def by_h11(whole: bytes, method: str) -> tuple[int, bytes] | None:
    """Status and body as h11 alone reads them, None for what it takes for no answer."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=100 * 1024)
    http.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
    http.send(h11.EndOfMessage())
    status, body = 0, b""
    try:
        http.receive_data(whole)
        while True:
            event = http.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return status, body
            elif event is h11.NEED_DATA:
                http.receive_data(b"")
            elif not isinstance(event, h11.InformationalResponse):
                return None
    except h11.RemoteProtocolError:
        return None


lines = st.sampled_from(
    [
        b"Content-Length: 5\r\n",
        b"content-length:  3 \r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: \r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"transfer-encoding: Chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Connection: close\r\n",
        b"Connection: keep-alive\r\n",
        b"X: a\r\n",
        b"X: a\r\n folded\r\n",
        b"X: \x00\r\n",
        b"X: \xe9\t\r\n",
        b" X: a\r\n",
        b"X\r\n",
        b": a\r\n",
        b"X_y: a\n",
        b"Set-Cookie: a=1\r\n",
    ]
)
starts = st.sampled_from(
    [
        *[OK] * 6,
        b"HTTP/1.1 200\r\n",
        b"HTTP/1.1 200 \xe9\r\n",
        b"HTTP/1.1 204 None\r\n",
        b"HTTP/1.1 304 Not Modified\r\n",
        b"HTTP/1.1 404 Not Found\r\n",
        b"HTTP/1.0 200 OK\r\n",
        b"HTTP/2.0 200 OK\r\n",
        b"HTTP/1.1 099 X\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n",
        b"HTTP/1.1  200 OK\r\n",
        b"http/1.1 200 OK\r\n",
        b"\r\nHTTP/1.1 200 OK\r\n",
    ]
)
bodies = st.one_of(
    st.binary(max_size=8),
    st.lists(
        st.sampled_from(
            [
                b"0\r\n\r\n",
                b"5\r\nhello\r\n",
                b"A\r\n0123456789\r\n",
                b"00005\r\nhello\r\n",
                b"5;a=b\r\nhello\r\n",
                b"5 \r\nhello\r\n",
                b"5\r\nhelloX\r\n",
                b"5\nhello\r\n",
                b"-5\r\nhello\r\n",
                b"0x5\r\nhello\r\n",
                b"\r\n",
                b"0\r\nTrailer: x\r\n\r\n",
                b"fffffffffffffffffffffff\r\n",
                b"hello",
                b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            ]
        ),
        max_size=5,
    ).map(b"".join),
)


@given(
    start=starts,
    fields=st.lists(lines, max_size=4),
    blank=st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b""]),
    body=bodies,
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD"]),
    cuts=st.lists(st.integers(0, 120), max_size=4),
)
@example(
    start=OK,
    fields=[b"Transfer-Encoding: chunked\r\n"],
    blank=b"\r\n",
    body=b"5\r\nhello\r\n0\r\n\r\n",
    method="GET",
    cuts=[],
)
def test_what_h11_reads_is_read_and_nothing_else(
    start: bytes, fields: list[bytes], blank: bytes, body: bytes, method: str, cuts: list[int]
) -> None:
    whole = start + b"".join(fields) + blank + body
    edges = [0, *sorted(cuts), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(edges)]
    expected = by_h11(whole, method)
    try:
        answer = heard(pieces, method)
    except Garbled:
        assert expected is None
    except TooLong:
        assert b"99999999999999999999999" not in whole
        assert b"fffff" in whole
    else:
        assert answer is not None
        assert (answer.status, answer.raw) == expected


@given(size=st.integers(0, 300), cut=st.integers(0, 400), each=st.integers(1, 50))
def test_a_body_is_whole_however_it_comes(size: int, cut: int, each: int) -> None:
    body = bytes(i % 256 for i in range(size))
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(body[i : i + each]), body[i : i + each]) for i in range(0, size, each))
    for whole in (
        OK + b"Content-Length: %d\r\n\r\n" % size + body,
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nA: b\r\n\r\n",
    ):
        for pieces in ([whole], [whole[:cut], whole[cut:]], [whole[i : i + 7] for i in range(0, len(whole), 7)]):
            answer = heard(pieces, over=False)
            assert answer is not None
            assert answer.raw == body
            assert not answer.last


@pytest.mark.parametrize(
    "whole",
    [
        OK + b"Content-Length: 1\r\n\r\n12",
        OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n2",
        OK + b"Content-Length: 1\r\nConnection: Close\r\n\r\n1",
        OK + b"Content-Length: 1\r\nConnection: keep-alive, close\r\n\r\n1",
        OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1",
        OK + b"\r\n1",
    ],
)
def test_the_connection_is_over_where_anything_could_be_taken_for_the_next_answer(whole: bytes) -> None:
    answer = heard([whole])
    assert answer is not None
    assert (answer.raw, answer.last) == (b"1", True)


@pytest.mark.parametrize(
    "whole",
    [
        OK + b"Content-Length: %d\r\n\r\n" % (MOST + 1),
        OK + b"\r\n" + b"x" * (MOST + 1),
        OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (MOST + 1),
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * (MOST + 1),
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1;a\r\nx\r\n" * (MOST + 1),
    ],
)
def test_no_more_than_it_may_be_is_read(whole: bytes) -> None:
    with pytest.raises(TooLong):
        heard([whole])


def test_headers_without_end_are_given_up() -> None:
    endless = OK + b"X: a\r\n" * 40_000
    with pytest.raises(Garbled):
        heard([endless[i : i + 60_000] for i in range(0, len(endless), 60_000)])


def asked(target: str = "/v1/x?a=b", headers: dict[str, str] | None = None, method: str = "POST") -> Request:
    return Request(method, "http://h", "h", target, headers or {}, b"{}")


def test_a_request_is_one_head_and_its_body() -> None:
    assert asked(headers={"a": "b c"}).written() == (
        b"POST /v1/x?a=b HTTP/1.1\r\nhost: h\r\na: b c\r\ncontent-length: 2\r\n\r\n{}"
    )
    nothing = Request("DELETE", "http://h", "h", "/", {}, None)
    assert nothing.written() == b"DELETE / HTTP/1.1\r\nhost: h\r\n\r\n"
    assert b"content-length: 0" in Request("POST", "http://h", "h", "/", {}, None).written()


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\n", "a\x00", "a\t", " a", "a ", "é", "a\x7f"])
def test_what_would_be_another_request_is_not_written(value: str) -> None:
    with pytest.raises(Unspeakable):
        asked(headers={"a": value}).written()
    with pytest.raises(Unspeakable):
        asked(headers={f"a{value}": "b"}).written()
    with pytest.raises(Unspeakable):
        asked(target=f"/x{value}y").written()
    with pytest.raises(Unspeakable):
        asked(method=f"GET{value}").written()


PLACES = [
    "http://h",
    "https://API.example.com:443",
    "http://[::1]:80",
    "http://127.0.0.1:8765",
    "https://bücher.example",
]
PARTS = st.sampled_from(
    ["/", "a", ".", "..", "%", "%2F", "%zz", " ", "é", "?", "=", "&", "#", "'", '"', "[", "+", "~", "\\"]
)


@given(place=st.sampled_from(PLACES), rest=st.lists(PARTS, max_size=8).map("".join))
@example(place="http://h", rest="/v1/lists/22/contacts?limit=100&offset=0&name=A%20b")
def test_a_url_asks_for_what_httpx_makes_of_it(place: str, rest: str) -> None:
    url = f"{place}/{rest}"
    parsed = httpx.URL(url)
    start, target = _wire._split(url)
    assert target == parsed.raw_path.decode()
    assert httpx.URL(start).copy_with(path="/") == parsed.copy_with(raw_path=b"/", fragment=None)
