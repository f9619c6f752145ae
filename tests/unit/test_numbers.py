"""Numbers in any spelling to E.164, and the reasons why not."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifest.numbers import (
    REASONS,
    Reason,
    Unusable,
    e164_code,
    known_region,
    normalise,
    normalise_all,
    normalise_series,
)
from reconciler.model.e164 import E164

SPELLINGS = [
    ("+16155550123", ""),
    (" +16155550123\t", ""),
    ("\u202a+16155550123\u202c", ""),
    ("+1 (615) 555-0123", ""),
    ("tel:+1-615-555-0123", ""),
    ("(615) 555-0123", "US"),
    ("615.555.0123", "CA"),
    ("1 615 555 0123", "US"),
    ("6155550123", "US"),
    ("011 1 615 555 0123", "US"),
    ("00 1 615 555 0123", "DE"),
    ("\uff0b1 615 555 0123", ""),
    ("６１５５５５０１２３", "US"),
]

REFUSALS = [
    (None, "", Reason.EMPTY),
    ("", "", Reason.EMPTY),
    (" \u00a0\u200b", "", Reason.EMPTY),
    ("Marty", "US", Reason.NOT_A_NUMBER),
    ("1-800-FLOWERS", "US", Reason.NOT_A_NUMBER),
    ("++16155550123", "US", Reason.NOT_A_NUMBER),
    ("+", "US", Reason.NOT_A_NUMBER),
    ("6155550123, 6155550124", "US", Reason.NOT_A_NUMBER),
    ("615\n5550123", "US", Reason.NOT_A_NUMBER),
    ("9.19877E+11", "US", Reason.SPREADSHEET_DAMAGE),
    ("1,61556E+10", "US", Reason.SPREADSHEET_DAMAGE),
    ("16155550123.0", "US", Reason.SPREADSHEET_DAMAGE),
    ("'+16155550123", "US", Reason.SPREADSHEET_DAMAGE),
    ('="+16155550123"', "US", Reason.SPREADSHEET_DAMAGE),
    ("#N/A", "US", Reason.SPREADSHEET_DAMAGE),
    ("##########", "US", Reason.SPREADSHEET_DAMAGE),
    ("(615) 555-0123 ext. 5", "US", Reason.HAS_EXTENSION),
    ("615-555-0123x5", "US", Reason.HAS_EXTENSION),
    ("615-555-0123 #5", "US", Reason.HAS_EXTENSION),
    ("6155550123", "", Reason.NO_COUNTRY),
    ("0016155550123", "", Reason.NO_COUNTRY),
    ("+999 123 4567", "", Reason.UNKNOWN_COUNTRY),
    ("911", "US", Reason.SHORT_CODE),
    ("+112", "", Reason.SHORT_CODE),
    ("12345", "", Reason.SHORT_CODE),
    ("12", "US", Reason.TOO_SHORT),
    ("+1 615 555", "", Reason.TOO_SHORT),
    ("555-0123", "US", Reason.NO_AREA_CODE),
    ("+1 (615) 555-01234", "", Reason.TOO_LONG),
    ("6155550123 / 6155550124", "US", Reason.TOO_LONG),
    ("0155550123", "US", Reason.NOT_IN_PLAN),
]


@pytest.mark.parametrize(("text", "region"), SPELLINGS)
def test_every_spelling_of_a_number_is_the_same_number(text: str, region: str) -> None:
    assert normalise(text, region=region) == "+16155550123"


@pytest.mark.parametrize(("text", "region", "reason"), REFUSALS)
def test_what_is_no_number_has_a_reason(text: str | None, region: str, reason: Reason) -> None:
    assert normalise(text, region=region) == Unusable(reason)


def test_a_trunk_zero_after_the_country_code_is_dropped() -> None:
    assert normalise("+44 (0)20 7946 0018") == "+442079460018"
    assert normalise("020 7946 0018", region="GB") == "+442079460018"


def test_every_reason_is_explained() -> None:
    assert set(REASONS) == set(Reason)


def test_an_unusable_number_does_not_show_itself() -> None:
    assert "615" not in repr(normalise("615555012", region="US"))


def test_regions_are_iso_countries() -> None:
    assert known_region("US")
    assert not known_region("us")
    assert not known_region("XX")


@pytest.mark.parametrize("region", ["", "US", "GB"])
def test_a_column_is_read_like_its_texts(region: str) -> None:
    texts = [text for text, *_ in (*SPELLINGS, *REFUSALS)]
    one_by_one = [normalise(text, region=region) for text in texts]
    numbers, refused = normalise_all(texts, region=region)
    assert numbers == [n if isinstance(n, str) else None for n in one_by_one]
    assert refused == [(i, n.reason) for i, n in enumerate(one_by_one) if isinstance(n, Unusable)]
    column = pl.Series(texts, dtype=pl.String)
    series, refused_in_series = normalise_series(column, region=region)
    assert series.to_list() == numbers
    assert refused_in_series == refused
    assert column.to_list() == texts


def test_a_clean_column_is_handed_back_as_it_is() -> None:
    texts = pl.Series(["+16155550123"] * 3)
    assert normalise_series(texts) == (texts, [])
    assert normalise_series(texts)[0] is texts


AMERICAN = st.from_regex(r"(\+?1[ .-]?)?\(?[0-9]{3}\)?[ .-]?[0-9]{3}[ .-]?[0-9]{4}", fullmatch=True)


@settings(deadline=None)
@given(
    texts=st.lists(st.none() | AMERICAN | st.text("+0123456789 ()-.x", max_size=18), max_size=8),
    region=st.sampled_from(["", "US", "CA", "DE"]),
)
def test_vectorised_and_single_readings_agree(texts: list[str | None], region: str) -> None:
    numbers, refused = normalise_all(texts, region=region)
    series, refused_in_series = normalise_series(pl.Series(texts, dtype=pl.String), region=region)
    assert (series.to_list(), refused_in_series) == (numbers, refused)
    assert all(re.fullmatch(E164, number) for number in numbers if number is not None)
    assert normalise_all(numbers) == (numbers, [(i, Reason.EMPTY) for i, _ in refused])


def test_two_numbers_in_one_text_are_no_number() -> None:
    both = "+12025550100\n+12025550101"
    for texts in ([both], [both, ""], ["+12025550102", both]):
        numbers, refused = normalise_all(texts)
        assert both not in numbers
        assert texts.index(both) in [i for i, _ in refused]


@given(
    st.lists(
        st.from_regex(rf"\A(?:{E164})\Z")
        | st.from_regex(r"\A\+?[+0-9]{0,18}[ .\n_e-]?[0-9\u0660-\u0669]{0,6}\Z")
        | st.none(),
        max_size=3,
    )
)
def test_a_text_has_a_code_exactly_when_the_pattern_fits(texts: list[str | None]) -> None:
    fitting = [int(text) if text is not None and re.fullmatch(E164, text) else None for text in texts]
    assert coded(texts) == fitting


@pytest.mark.parametrize("digits", range(1, 19))
def test_length_of_a_column_of_e164(digits: int) -> None:
    assert (coded(["+" + "1" * digits]) != [None]) is (7 <= digits <= 15)
    assert coded(["+0" + "1" * digits]) == [None]


def coded(texts: Sequence[str | None]) -> list[int | None]:
    column = pl.Series("number", texts, dtype=pl.String)
    return column.to_frame().select(e164_code(pl.col("number"))).to_series().to_list()
