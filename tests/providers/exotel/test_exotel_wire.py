"""The documented samples, read and written; pages that lie; forms."""

from __future__ import annotations

import asyncio
import csv
import email
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from exotel_world import SID

from reconciler.errors import CredentialsRefused, NoAnswer, NotFound, RateLimited, ReadIncomplete, Rejected
from reconciler.providers.exotel import answers, calls, convert, forms
from reconciler.providers.exotel.client import Page
from reconciler.providers.exotel.paging import Reading, all_rows
from reconciler.providers.exotel.reading import people_of

BULK = """
{"request_id":"0b0f6f0c3b6c4c0f9a1d2e3f4a5b6c7d","method":"POST","http_code":207,
 "metadata":{"failed":1,"total":2,"success":1},
 "response":[
  {"code":200,"error_data":null,"status":"success","data":{"sid":"d49b7a4781ea45dcb702825ce30494ba","name":"list123"}},
  {"code":409,"error_data":{"code":1008,"message":"Duplicate resource",
   "description":"list with name list345 already exists"},
   "status":"failure","data":null}]}
"""
CAMPAIGN = """
{"id":"491dd6c97d64475ba0ce346a18530ce5","account_sid":"exotel8u3","name":"diwali-2026","type":"trans",
 "campaign_type":"static","caller_id":"03349360005","url":"http://my.exotel.com/exotel8u3/exoml/start_voice/926",
 "lists":["e46c2fe202904d579ae592d108cf87a0"],
 "retries":{"number_of_retries":2,"interval_mins":10,"mechanism":"Linear","on_status":["busy","no-answer"]},
 "schedule":{"send_at":"2026-12-01T09:00:00+05:30","end_at":"2026-12-01T18:00:00+05:30"},"call_duplicate_numbers":false,
 "mode":"auto","throttle":null,"status":"Created","date_created":"x","date_updated":"x","date_started":null,
 "stats":{"created":3,"in-progress":0}}
"""
REFUSED = """
{"request_id":"c6084ac2e9a44812824b42577f01937b","method":"POST","http_code":401,
 "response":{"code":401,"error_data":{"code":1010,"message":"Authorization failed",
 "description":"Authorization failed"},"status":"failure","data":null}}
"""


def test_a_bulk_answer_judges_each_item() -> None:
    first, second = answers.items(json.loads(BULK))
    assert (first.ok, convert.id_of(first.data, convert.LIST_IDS)) == (True, "d49b7a4781ea45dcb702825ce30494ba")
    assert (second.ok, second.code, second.transient) == (False, 409, False)
    assert second.text == "list with name list345 already exists"


@pytest.mark.parametrize(
    ("item", "ok"),
    [
        ({"code": 200, "status": "success", "data": {}}, True),
        ({"code": 409, "status": "failure", "data": {"sid": "x"}}, False),
        ({"code": 200, "status": "failure", "data": None}, False),
        ({"code": 204, "data": None}, True),
        ({"sid": "x", "name": "flat"}, True),
        ({"id": "C1", "status": "InProgress"}, True),
    ],
)
def test_the_item_s_own_word_counts(item: Any, ok: bool) -> None:
    for response in (item, [item]):
        (found,) = answers.items({"http_code": 200, "response": response})
        assert found.ok is ok


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, Rejected),
        (402, Rejected),
        (403, CredentialsRefused),
        (404, NotFound),
        (409, Rejected),
        (429, RateLimited),
        (500, NoAnswer),
    ],
)
def test_an_item_s_code_means_what_a_status_would(code: int, kind: type) -> None:
    body = {"http_code": 200, "response": {"code": code, "status": "failure", "error_data": None, "data": None}}
    with pytest.raises(kind):
        answers.single(body)


@pytest.mark.parametrize("body", [None, [], 7, {}, {"response": "x"}, {"response": [None]}])
def test_an_unknown_shape_is_said(body: Any) -> None:
    with pytest.raises(ReadIncomplete):
        answers.items(body)


def test_items_are_matched_by_what_they_name_else_in_order() -> None:
    def item(sid: str | None) -> answers.Item:
        return answers.Item(200, True, {"sid": sid} if sid else None)

    def keys(row: Any) -> frozenset[str]:
        return frozenset({row["sid"]}) if row else frozenset()

    swapped = answers.matched([item("b"), item("a")], ["a", "b"], keys)
    assert swapped is not None
    assert [i.data for i in swapped] == [{"sid": "a"}, {"sid": "b"}]
    assert answers.matched([item("a"), item(None)], ["a", "b"], keys) is not None
    assert answers.matched([item("b"), item(None)], ["a", "b"], keys) is None
    assert answers.matched([item(None)], ["a", "b"], keys) is None
    assert answers.matched([item("a")], ["a", "b"], keys) is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (json.loads(REFUSED), "Authorization failed"),
        ({"response": [{"error_data": {"description": "Name is mandatory"}}]}, "Name is mandatory"),
        ({"response": {"error": {"code": 1, "message": "slow down"}}}, "slow down"),
        ({"RestException": {"Status": 429, "Message": "Rate limit exceeded.", "Code": "X"}}, "Rate limit exceeded."),
        ({}, ""),
    ],
)
def test_what_an_error_says(body: Any, text: str) -> None:
    assert answers.error_text(body, json.dumps(body).encode()) == text
    assert answers.error_text(None, b"<html>Bad gateway</html>") == ""


def test_a_campaign_as_documented() -> None:
    found = convert.campaign_of(json.loads(CAMPAIGN), "exotel8u3")
    assert (found.remote_id, found.name) == ("491dd6c97d64475ba0ce346a18530ce5", "diwali-2026")
    assert found.facts == {
        "status": "created",
        "lists": frozenset({"e46c2fe202904d579ae592d108cf87a0"}),
        "complete": True,
        "started": False,
        "spelled": {name: json.loads(CAMPAIGN)[name] for name in ("caller_id", "url")},
    }
    assert found.fields["schedule"] == {"send_at": "2026-12-01T03:30:00Z", "end_at": "2026-12-01T12:30:00Z"}
    assert found.fields["retries"] == {
        "number_of_retries": 2,
        "interval_mins": 10,
        "mechanism": "Linear",
        "on_status": ("busy", "no-answer"),
    }
    assert (found.fields["url"], found.fields["state"]) == ("exotel8u3/926", "active")
    with pytest.raises(CredentialsRefused):
        convert.campaign_of(json.loads(CAMPAIGN), "somebody-else")


@pytest.mark.parametrize(
    ("came", "written"),
    [
        ("http://my.exotel.com/one/exoml/start_voice/7", "http://my.exotel.com/one/exoml/start_voice/7"),
        ("//my.exotel.com/one/exoml/start_voice/7", "http://my.exotel.com/one/exoml/start_voice/7"),
        ("https://key:token@my.exotel.com/one/exoml/start_voice/7", "http://my.exotel.com/one/exoml/start_voice/7"),
        ("somewhere else", None),
    ],
)
def test_a_manifest_has_a_flow_address_whole_and_without_a_login(came: str, written: str | None) -> None:
    found = convert.campaign_of({"id": "C1", "name": "Round", "url": came, "caller_id": "08047112233"}, SID)
    assert convert.spelling_of(found).get("url") == written
    assert convert.spelling_of(found)["caller_id"] == "08047112233"


@pytest.mark.parametrize("word", ["InProgress", "in-progress", "in_progress", "IN PROGRESS"])
def test_statuses_have_many_spellings(word: str) -> None:
    row = {"id": "C1", "name": "Round", "status": word, "lists": [{"sid": "L1"}, "L2"]}
    found = convert.campaign_of(row, SID)
    assert (convert.status_of(found), found.facts["started"]) == (convert.RUNNING, True)
    assert convert.lists_of(found) == {"L1", "L2"}
    assert convert.campaign_of({"id": "C1", "status": word}, SID).facts["complete"] is False


def test_lists_and_contacts_under_all_their_names() -> None:
    for key in convert.LIST_IDS:
        found = convert.list_of({key: "L1", "name": "x", "tag": None, "contacts_count": "7"})
        assert (found.remote_id, found.fields["tag"], found.facts["count"]) == ("L1", "", 7)
    assert "count" not in convert.list_of({"sid": "L1", "name": "x"}).facts
    for row in (
        {"sid": "c1", "number": "+1 (202) 555-0123"},
        {"contact_sid": "c1", "sid": "m1", "number": "12025550123"},
        {"contact": {"sid": "c1", "number": "+12025550123"}},
    ):
        found_ = convert.contact_of(row)
        assert (found_["contact_id"], found_["number"]) == ("c1", "+12025550123")
    with pytest.raises(ReadIncomplete):
        convert.list_of({"name": "x"})


def test_the_oldest_of_several_with_one_number_counts() -> None:
    rows = [
        {"sid": "new", "number": "+12025550123", "date_created": "2024-01-01T00:00:00+05:30"},
        {"sid": "old", "number": "+12025550123", "date_created": "2021-01-01T00:00:00+05:30"},
        {"sid": "odd", "number": "x"},
    ]
    found = people_of(rows)
    assert (list(found.contacts.column("contact_id")), found.twice, found.unusable) == (["old"], 1, 1)
    assert found.count == 3


# --- paging


class Book:
    """A collection behind pages, which may change or lie between them."""

    def __init__(self, size: int, *, cap: int = 500, total: bool = True, lies: int = 0) -> None:
        self.ids = [str(n) for n in range(size)]
        self.cap, self.total, self.lies = cap, total, lies
        self.asked: list[tuple[int, int]] = []

    async def read(self, offset: int, limit: int) -> Page:
        self.asked.append((offset, limit))
        ids: Sequence[str] = self.ids[offset : offset + min(limit, self.cap)]
        if self.lies and offset:
            self.lies -= 1
            ids = [self.ids[0], *ids[1:]]
        return Page(ids, [{"sid": i} for i in ids], len(self.ids) if self.total else None)


def whole(book: Book, limit: int = 100, **more: Any) -> list[str]:
    return [*asyncio.run(all_rows(book.read, Reading(what="rows", limit=limit, **more)))]


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 350])
@pytest.mark.parametrize("cap", [7, 100, 500])
@pytest.mark.parametrize("total", [True, False])
def test_every_row_once_however_pages_are_cut(size: int, cap: int, total: bool) -> None:
    book = Book(size, cap=cap, total=total)
    assert whole(book) == book.ids
    pages = -(-size // min(cap, 100))
    assert len(book.asked) <= (max(1, pages) if total else pages + 1) + (3 if cap == 7 else 0)


def test_a_scan_that_lost_a_row_is_done_again_and_then_given_up() -> None:
    book = Book(250, lies=1)
    assert whole(book) == book.ids
    with pytest.raises(ReadIncomplete):
        whole(Book(250, lies=1_000))


def test_a_limit_that_is_refused_becomes_the_default() -> None:
    book = Book(50)

    async def strict(offset: int, limit: int) -> Page:
        if limit > 20:
            raise Rejected("limit must not be more than 20", status=400)
        return await book.read(offset, limit)

    assert [*asyncio.run(all_rows(strict, Reading(what="rows", limit=100)))] == book.ids
    assert {limit for _, limit in book.asked} == {20}


def test_enough_is_enough() -> None:
    book = Book(1_000)
    assert len(whole(book, enough=lambda page: "150" in page.ids)) == 200
    assert len(book.asked) == 2


# --- forms


def test_an_upload_is_a_form_with_a_file() -> None:
    rows = ({"number": "+12025550001", "first_name": 'A "B", C'}, {"number": "+12025550002"})
    call = calls.upload_members(SID, "Vip ☎", ("first_name",))
    from msgspec.structs import replace

    sent = forms.written(replace(call, body={"list_name": "Vip ☎", "type": "static", "file_name": rows}))
    assert sent is not None
    content, kind = sent
    message = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + content)
    parts = {p.get_param("name", header="content-disposition"): p for p in message.get_payload()}  # type: ignore[union-attr]
    assert set(parts) == {"list_name", "type", "file_name"}
    file = parts["file_name"]
    assert (file.get_content_type(), file.get_filename()) == ("text/csv", "contacts.csv")
    table = list(csv.DictReader(io.StringIO(file.get_payload(decode=True).decode())))  # type: ignore[union-attr]
    assert table == [
        {"number": "+12025550001", "first_name": 'A "B", C'},
        {"number": "+12025550002", "first_name": ""},
    ]
    assert parts["list_name"].get_payload(decode=True) == "Vip ☎".encode()
    assert forms.written(calls.create_lists(SID, ({"name": "x"},))) is None
    typed = forms.written(replace(call, body={"list_name": "x", "file_name": "number\n+12025550001\n"}))
    assert typed is not None
    assert b"number\n+12025550001\n" in typed[0]


def test_calls_have_the_documented_shape() -> None:
    assert calls.update_list(SID, "L1", {"tag": ""}).body == {"tag": ""}  # type: ignore[arg-type]
    act = calls.act(SID, "C1", "pause")  # type: ignore[arg-type]
    assert (act.method, act.path, act.body) == ("PUT", (SID, "campaigns", "C1"), {"campaigns": ({"action": "pause"},)})
    assert calls.remove_member(SID, "L1").path[:4] == (SID, "lists", "L1", "contacts")  # type: ignore[arg-type]
