"""Numbers out of text, and characters that move a cursor written out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.masking import mask_in_place, mask_number, mask_text, visible


@pytest.mark.parametrize(
    "text",
    [
        "+16155550123",
        "call +16155550123 now",
        "6155550123",
        "(615) 555-0123",
        "615-555-0123",
        "615.555.0123",
        "+1 (615) 555-0123",
        "+1 615 555 0123",
        "1-615-555-0123",
        "00442071838750",
        "+44 20 7183 8750",
        "+919876543210",
        "'6155550123'",
        "number=6155550123,",
        '{"phone":"6155550123"}',
        "6155550123.",
        "(615)5550123",
        "+1(615)5550123",
        "+1 615\u00a0555\u20110123",
        "615\u2013555\u20130123",
    ],
)
def test_every_spelling_of_a_number_is_masked(text: str) -> None:
    for masked in (mask_text(text), mask_in_place(text)):
        digits = "".join(c for c in masked if c.isdigit())
        assert "5550123" not in digits
        assert "•" in masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-17 14:00:00",
        "5bef29e1c5480c40e2ab4ef0",
        "brand 123456789",
        "v1.2.3",
        "12 of 4812 people",
        "2026-11-21T20.14.05-7f3a",
        "127.0.0.1:8765",
        "HTTP 422",
    ],
)
def test_what_is_no_number_stays(text: str) -> None:
    assert mask_text(text) == text
    assert mask_in_place(text) == text


@given(st.from_regex(r"\A\+[1-9][0-9]{7,14}\Z"))
def test_a_masked_number_cannot_be_dialled(number: str) -> None:
    masked = mask_number(number)
    assert number not in masked
    assert sum(c == "•" for c in masked) >= 3


@given(st.text())
def test_masking_in_place_keeps_every_column(text: str) -> None:
    assert len(mask_in_place(text)) == len(text)


@given(st.text())
def test_nothing_visible_moves_a_cursor(text: str) -> None:
    shown = visible(text)
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert not any(c in shown for c in "\u202e\u200b\u2028\ufeff")
