"""What a portal sends, in every spelling that is documented or was seen."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest
from contactcenter_portal import ANNA, BORIS, SPRING, Script, account

from reconciler.errors import ReadIncomplete
from reconciler.model.live import Standing
from reconciler.providers.base import silent
from reconciler.providers.contactcenter import leads
from reconciler.providers.contactcenter.activity import records
from reconciler.providers.contactcenter.convert import (
    campaigns_of,
    decode_report,
    error_text,
    number_of,
    respelt,
    whole,
)
from reconciler.providers.contactcenter.leads import LeadPage, Row, columns_of
from reconciler.providers.contactcenter.reading import Reader
from reconciler.providers.contactcenter.settings import Settings

SAMPLE = b"""{
  "campaing_id_1": {"name": "campaign_1", "status": "stopped", "total_leads": 44,
    "leads_by_status": {"new": 4, "success": 10, "failed": 5, "success": 25}},
  "campaing_id_n": {"name": "campaign_n", "status": "stopped", "total_leads": 53,
    "leads_by_status": {"new": 8, "success": 15, "failed": 5, "success": 25}}
}"""
FINISHED = frozenset({"success", "failed"})


# --- the campaign report


def test_the_documented_sample_adds_up_although_a_key_is_printed_twice() -> None:
    found = campaigns_of(decode_report(SAMPLE))
    assert list(found) == ["campaing_id_1", "campaing_id_n"]
    for campaign in found.values():
        assert campaign.stopped
        assert sum(campaign.leads.values()) == campaign.total
        assert campaign.repeated == ("success",)


@pytest.mark.parametrize("raw", [b"{}", b"[]", b"null"])
def test_an_account_without_campaigns(raw: bytes) -> None:
    assert campaigns_of(decode_report(raw)) == {}


@pytest.mark.parametrize("raw", [b"", b"<html>", b'{"a"', b"\xff"])
def test_what_is_no_json_is_no_empty_report(raw: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_report(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"[1]",
        b'"text"',
        b'{"a": 1}',
        b'{"": {"name": "x"}}',
        b'{"../x": {"name": "x"}}',
        b'{"a": {"status": "stopped", "status": "running"}}',
        b'{"a": {"name": "x"}, "a": {"name": "x"}}',
    ],
)
def test_a_report_that_is_odd_is_refused_and_not_guessed_at(raw: bytes) -> None:
    with pytest.raises(ReadIncomplete):
        campaigns_of(decode_report(raw))


def test_only_the_exact_word_means_stopped() -> None:
    for status in ("running", "Stopped", "", "paused", None):
        body = json.dumps({"a": {"name": "x", "status": status}}).encode()
        assert not campaigns_of(decode_report(body))["a"].stopped  # type: ignore[index]


@pytest.mark.parametrize(
    ("value", "meant"),
    [(4, "4"), (4.0, "4"), ("4", "4"), ("04", "4"), (4.5, None), ("x", None), (True, None), (None, None), ([], None)],
)
def test_whole_numbers(value: Any, meant: str | None) -> None:
    assert whole(value) == meant


# --- leads


def page(*rows: Any, **more: Any) -> LeadPage:
    return leads.decode(json.dumps({"data": list(rows), **more}).encode())


def test_the_documented_sample_of_leads() -> None:
    lead = {
        "created": 1665762498,
        "campaign_id": "210ea5d942f41744f1ef37e84a4965e0",
        "number": "+12131204",
        "status": "new",
        "retries": 11,
        "first_name": "Piper",
        "last_name": "Huffman",
        "priority": 4,
        "id": "210ea5d942f41744f1ef37e84a59878d",
    }
    found = page(lead, next_start_key="9f6b620d4d5e82e16a822fdff7210a8f")
    assert found.cursor == "9f6b620d4d5e82e16a822fdff7210a8f"
    columns = columns_of(found.rows, lead["campaign_id"], FINISHED)  # type: ignore[arg-type]
    assert {name: values[0] for name, values in columns.items()} == {
        "number": "+12131204",
        "contact_id": lead["id"],
        "standing": "waiting",
        "status": "new",
        "first_name": "Piper",
        "last_name": "Huffman",
        "priority": "4",
        "retries": "11",
    }


@pytest.mark.parametrize(
    ("body", "count", "cursor"),
    [
        ({"data": [], "next_start_key": None}, 0, ""),
        ({"data": None}, 0, ""),
        ({"rows": [{"id": "a"}], "next_start_key": "b"}, 1, "b"),
        ([{"id": "a"}, {"id": "b", "number": 12025550110, "retries": "3"}], 2, ""),
        ({"data": [{"id": 7, "first_name": {"x": 1}}]}, 1, ""),
        (None, 0, ""),
    ],
)
def test_every_envelope(body: Any, count: int, cursor: str) -> None:
    found = leads.decode(json.dumps(body).encode())
    assert (len(found.rows), found.cursor) == (count, cursor)


@pytest.mark.parametrize("body", [{}, {"error": "x"}, "text", 7, {"data": {}}, {"data": ["malformed"]}])
def test_what_is_no_page_is_refused(body: Any) -> None:
    with pytest.raises(ReadIncomplete):
        leads.decode(json.dumps(body).encode())


def test_a_lead_without_an_id_or_of_another_campaign_makes_the_read_incomplete() -> None:
    for row in (Row(id=""), Row(id="a/b"), Row(id="a", campaign_id="other")):
        with pytest.raises(ReadIncomplete):
            columns_of([row], SPRING, FINISHED)


def test_retries_count_down_once_a_lead_is_worked() -> None:
    rows = [
        Row(id="a", number=ANNA, status="new", retries=3),
        Row(id="b", number=BORIS, status="calling", retries=3),
        Row(id="c", number="anonymous"),
    ]
    found = columns_of(rows, SPRING, FINISHED)
    assert found["retries"] == ["3", None, None]
    assert found["standing"] == [Standing.WAITING, Standing.BUSY, Standing.BUSY]
    assert found["first_name"] == ["", "", ""]
    assert found["priority"] == [None, None, None]
    assert found["number"] == [ANNA, BORIS, None]


@pytest.mark.parametrize("number", [None, "", "  "])
def test_a_lead_without_a_number_could_be_anybody(number: str | None) -> None:
    with pytest.raises(ReadIncomplete, match="without a number"):
        columns_of([Row(id="a", number=ANNA), Row(id="b", number=number)], SPRING, FINISHED)


def test_only_the_exact_word_is_a_status() -> None:
    found = columns_of([Row(id=s, number=ANNA, status=f"{s} ") for s in ("new", "success")], SPRING, FINISHED)
    assert found["standing"] == [Standing.BUSY, Standing.BUSY]
    rows = {w: {"name": "Spring", "status": s} for w, s in (("a", "stopped"), ("b", "stopped "), ("c", "Stopped"))}
    assert [c.stopped for c in campaigns_of({**rows, "d": {"name": "Spring"}}).values()] == [True, False, False, False]


@pytest.mark.parametrize("spelling", [ANNA, ANNA[1:], "+1 (202) 555-0110", "1.202.555.0110"])
def test_a_number_is_its_digits(spelling: str) -> None:
    assert number_of(spelling) == ANNA


@pytest.mark.parametrize("text", ["", "anonymous", "+", "12", "5550110x7", None])
def test_what_is_no_number(text: str | None) -> None:
    assert number_of(text) is None


def test_numbers_that_differ_by_digits_before_them() -> None:
    assert respelt(ANNA, ["+2025550110", "+5550110", "+550110", "+12025550111", ANNA]) == ["+2025550110", "+5550110"]
    assert respelt("+2025550110", [ANNA]) == [ANNA]


def test_error_texts_are_never_a_page() -> None:
    assert error_text(None, b"The information sent is invalid.\n") == "The information sent is invalid."
    assert error_text({"error": "no"}, b"") == "no"
    assert error_text(None, b"<html>") == ""


# --- paging


def settings(**more: Any) -> Settings:
    return Settings.of(account(**more))


def rows(*ids: str) -> list[Row]:
    return [Row(id=i, number=f"+1202555{2000 + ord(i[0])}", status="new") for i in ids]


def read(*pages: LeadPage) -> Any:
    reader = Reader(Script(pages).client, settings(), silent)
    return asyncio.run(reader.leads(SPRING))


def test_only_the_cursor_ends_a_read_and_either_reading_of_it_is_the_same() -> None:
    exclusive = read(LeadPage(rows("a", "b"), "b"), LeadPage(rows("c"), "c"), LeadPage(rows("d"), ""))
    inclusive = read(LeadPage(rows("a", "b"), "b"), LeadPage(rows("b", "c"), "c"), LeadPage(rows("c", "d"), ""))
    assert exclusive.ids == inclusive.ids == {"a", "b", "c", "d"}
    assert exclusive.contacts == inclusive.contacts
    assert inclusive.surplus == ()


@pytest.mark.parametrize(
    "pages",
    [
        (LeadPage(rows("a"), "x"), LeadPage(rows("b"), "x")),
        (LeadPage(rows("a"), "x"), LeadPage([], "y")),
        (LeadPage(rows("a"), "x"), LeadPage(rows("a"), "y")),
    ],
    ids=["repeated cursor", "empty page with a cursor", "nothing new"],
)
def test_a_cursor_that_leads_nowhere_is_incomplete(pages: tuple[LeadPage, ...]) -> None:
    with pytest.raises(ReadIncomplete):
        read(*pages)


def test_the_lead_that_could_be_dialled_stands_for_its_number() -> None:
    several = [Row(id=i, number=ANNA, status=s) for i, s in (("a", "failed"), ("b", "new"), ("c", "new"), ("d", "odd"))]
    found = read(LeadPage([*several, Row(id="e", number="?")], ""))
    (row,) = found.contacts.rows()
    assert (row["contact_id"], row["standing"], row["status"], row["first_name"]) == ("b", "waiting", None, None)
    assert [(s.lead, s.standing) for s in found.surplus] == [("c", "waiting"), ("d", "busy"), ("a", "finished")]
    assert (len(found.ids), found.unusable) == (5, 1)


# --- the activity report


def call(at: Any, number: str = ANNA, uuid: str = "") -> dict[str, Any]:
    return {"timestamp": at, "campaign_name": "Spring", "lead_number": number, "lead_history": [{"uuid": uuid}]}


def seen(*answers: Any, size: int = 2, start: int = 0, end: int = 100) -> tuple[list[int], list[tuple[Any, ...]]]:
    script = Script(answers)
    found = asyncio.run(records(script.client, start, end, size))
    return sorted(r.at for r in found), script.asked


def test_a_short_array_is_all_there_is() -> None:
    assert seen([call(5)]) == ([5], [(0, 100, 2, "")])
    assert seen(None) == ([], [(0, 100, 2, "")])
    assert seen([call(1666222318000), call(7.5)], size=9)[0] == [7, 1666222318]


def test_full_arrays_are_followed_by_the_rest_of_the_window_either_way_round() -> None:
    times, asked = seen([call(1), call(5)], [call(5), call(8)], [call(8)])
    assert (times, [a[:2] for a in asked]) == ([1, 5, 8], [(0, 100), (5, 100), (8, 100)])
    times, asked = seen([call(8), call(5)], [call(5), call(1)], [call(1)])
    assert (times, [a[:2] for a in asked]) == ([1, 5, 8], [(0, 100), (0, 5), (0, 1)])


def test_a_page_of_one_moment_is_asked_for_twice_as_long_once() -> None:
    times, asked = seen([call(5, uuid="a"), call(5, uuid="b")], [call(5, uuid=x) for x in "abc"])
    assert (len(times), asked[1]) == (3, (0, 100, 4, ""))
    with pytest.raises(ReadIncomplete):
        seen([call(5, uuid="a"), call(5, uuid="b")], [call(5, uuid=x) for x in "abcd"])


def test_an_envelope_is_followed_by_its_cursor() -> None:
    times, asked = seen({"data": [call(1)], "next_start_key": "x"}, {"rows": [call(2)]})
    assert (times, asked[1]) == ([1, 2], (0, 100, 2, "x"))


@pytest.mark.parametrize(
    "answers",
    [
        ({"error": "x"},),
        ("text",),
        ([1],),
        ([call(5), call(1), call(3)],),
        ({"data": [call(1)], "next_start_key": "x"}, {"data": [], "next_start_key": "y"}),
        ({"data": [call(1)], "next_start_key": "x"}, {"data": [call(2)], "next_start_key": "x"}),
    ],
)
def test_a_report_that_cannot_be_proven_whole_is_refused(answers: tuple[Any, ...]) -> None:
    with pytest.raises(ReadIncomplete):
        seen(*answers, size=3)
