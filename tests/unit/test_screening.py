"""A suppressed number is found in every spelling, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from reconciler.app.screening import occurring

NUMBERS = ("+16155550142", "+442079460958", "+918047112233", "+4670174060", "+29051234")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+16155550142", "+16155550142"),
        ("16155550142", "+16155550142"),
        ("1 (615) 555-0142", "+16155550142"),
        ("615.555.0142", "+16155550142"),
        ("6 1 5 5 5 5 0 1 4 2", "+16155550142"),
        ("6155550142x12", "+16155550142"),
        ("sip:+16155550142@example.com", "+16155550142"),
        ("call 615\u2011555\u20110142 now", "+16155550142"),
        ("\u0666\u0661\u0665\u0665\u0665\u0665\u0660\u0661\u0664\u0662", "+16155550142"),
        ("615\u200b5550142", "+16155550142"),
        ("020 7946 0958", "+442079460958"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("00442079460958", "+442079460958"),
        ("08047112233", "+918047112233"),
        ("070-174 060", "+4670174060"),
        ("+290 51234", "+29051234"),
    ],
)
def test_a_number_is_found(text: str, number: str) -> None:
    assert occurring({"x": text}, NUMBERS) == {"x": [number]}


@pytest.mark.parametrize(
    "text",
    [
        "6155550143",
        "2222",
        "51234",
        "2026-10-17 14:00:00",
        "5cf02630e313d620ca9743e4",
        "636d528fdda97296908aa762:166871156336",
        "Join the VIP list, reply STOP to opt out",
        "",
    ],
)
def test_nothing_else_is_one(text: str) -> None:
    assert occurring({"x": text}, NUMBERS) == {}


def test_every_corner_of_an_argument_is_looked_at() -> None:
    given = {
        "integer": 6155550142,
        "float": 6155550142.0,
        "nested": ({"a": ({"b": "615 555 0142"},)},),
        "key": {"+16155550142": None},
        "fine": (True, None, 1.5, 12, {"a": "b"}),
    }
    assert occurring(given, NUMBERS).keys() == {"integer", "float", "nested", "key"}
    assert occurring(given, ()) == {}


def test_rows_of_a_file_are_not_glued_together() -> None:
    """Digits of two neighbours make no third number, and each row is still looked at."""
    rows = [f"+1202555{n:04}" for n in range(100)]
    assert occurring({"file": "\n".join(rows)}, ["+10012025550"]) == {}
    assert occurring({"file": "\n".join(rows)}, [rows[57]]) == {"file": [rows[57]]}
