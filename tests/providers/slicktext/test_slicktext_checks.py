"""What a manifest may say, before any network use."""

from __future__ import annotations

from typing import Any

import pytest
from slicktext_world import DOC, MARTY, a_campaign, a_list, a_membership, account, desired, people

from reconciler.diagnostics import Diagnostic
from reconciler.model.contacts import ContactSet
from reconciler.model.resources import Resource
from reconciler.providers.slicktext import CODES, PROVIDER
from reconciler.providers.slicktext.settings import Settings


def problems(resource: Resource) -> list[Diagnostic]:
    found = list(PROVIDER.rules.check(resource, account(), desired(resource)))
    assert all(d.blocking and d.source is not None and d.address == str(resource.address) for d in found)
    return found


def codes(resource: Resource) -> list[str]:
    return [d.code for d in problems(resource)]


def test_what_is_right_passes() -> None:
    assert codes(a_list("join", "x" * 100, description="d" * 500)) == []
    assert codes(a_campaign("c", status="scheduled", scheduled="2031-10-17 14:00:00")) == []
    assert codes(a_campaign("c", body="Two\nlines", status="draft")) == []
    attributes = {"first_name": ["M", None], "zip": ["02134", "1"], "birthdate": ["1968-06-12", ""]}
    rows = people(MARTY, DOC, **attributes, timezone=["America/Denver", None])
    assert codes(a_membership("join", rows)) == []
    assert codes(a_membership("join", ContactSet.empty())) == []


@pytest.mark.parametrize(
    "resource",
    [
        a_list("join", "x" * 101),
        a_list("join", " Join"),
        a_list("join", "Jo\tin"),
        a_list("join", "  "),
        a_list("join", "Join", description="d" * 501),
        a_campaign("c", "x" * 101),
    ],
)
def test_texts(resource: Resource) -> None:
    assert set(codes(resource)) == {"slicktext-text"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "scheduled"}, ["slicktext-schedule"]),
        ({"status": "scheduled", "scheduled": "2031-10-17 14:00:00", "body": ...}, ["slicktext-campaign-body"]),
        ({"status": "send"}, ["slicktext-status"]),
        ({"status": "sent"}, ["slicktext-status"]),
        ({"scheduled": "2031-10-17T14:00:00Z"}, ["slicktext-schedule"]),
        ({"scheduled": "2031-02-30 14:00:00"}, ["slicktext-schedule"]),
        ({"scheduled": "2031-1-2 4:00:00"}, ["slicktext-schedule"]),
        ({"body": "  "}, ["slicktext-campaign-body"]),
    ],
)
def test_campaigns(fields: dict[str, Any], expected: list[str]) -> None:
    assert codes(a_campaign("c", **fields)) == expected


@pytest.mark.parametrize("number", ["+442071838750", "+11615555010", "+16151550101", "+1615555010", "+161555501010"])
def test_numbers_of_other_countries_are_counted_and_masked(number: str) -> None:
    [found] = problems(a_membership("join", people(MARTY, number)))
    assert found.code == "slicktext-not-us-ca"
    assert number not in found.message
    assert number[1:] not in found.message
    assert "1 of the numbers is" in found.message


def test_consent_can_never_be_declared() -> None:
    for column in ("opt_in_status", "force_double_opt_in"):
        assert codes(a_membership("join", people(MARTY, **{column: ["subscribed"]}))) == ["slicktext-consent"]


@pytest.mark.parametrize(
    "columns",
    [
        {"tier": ["gold"]},
        {"mobile_number": ["x"]},
        {"contact_id": ["1"]},
        {"status": ["subscribed"]},
        {"timezone": ["Europe/Paris"]},
        {"birthdate": ["12.6.1968"]},
        {"birthdate": ["1968-02-31"]},
    ],
)
def test_attributes_that_cannot_be_written(columns: dict[str, list[str]]) -> None:
    [found] = problems(a_membership("join", people(MARTY, **columns)))
    assert found.code == "slicktext-attribute"
    assert next(iter(columns.values()))[0] not in found.message or columns.get("mobile_number")


@pytest.mark.parametrize("brand", ["26136", "b26136", 26136])
def test_the_brand_is_a_number_with_or_without_its_letter(brand: Any) -> None:
    declared = account(brandId=brand)
    assert PROVIDER.check_account(declared) == ()
    assert Settings.of(declared).brand == "26136"
    assert PROVIDER.identity(declared) == "slicktext:127.0.0.1:brand=26136"
    assert PROVIDER.path_parameters(declared) == {"brand_id": "26136"}


@pytest.mark.parametrize(
    "settings",
    [
        {"brandId": "a26136"},
        {"brandId": ""},
        {"brandId": "2613٦"},
        {"bulkSize": 81},
        {"bulkSize": 0},
        {"bulkSize": True},
        {"bulkSize": "10"},
        {"freezeWindow": "soon"},
        {"freezeWindow": -1},
        {"memberPageSize": 0},
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any]) -> None:
    [found] = PROVIDER.check_account(account(**settings))
    assert found.code == "slicktext-setting"
    with pytest.raises(ValueError, match=r"brandId|bulkSize|freezeWindow|memberPageSize"):
        Settings.of(account(**settings))


def test_settings_have_the_values_of_the_api_notes() -> None:
    assert Settings.of(account()) == Settings(
        brand="123456789", bulk_size=80, freeze_s=1800.0, page_size=100, max_rows=100_000
    )
    assert Settings.of(account(freezeWindow="2h")).freeze_s == 7200.0


def test_every_code_is_explained() -> None:
    assert all(meaning and remedy for meaning, remedy in CODES.values())


def test_operations_are_unique_and_their_paths_are_complete() -> None:
    names = [o.name for o in PROVIDER.operations]
    assert len(names) == len(set(names)) == 23
    for operation in PROVIDER.operations:
        placeholders = {p[1:-1] for p in operation.path.split("/") if p.startswith("{")}
        assert placeholders - {"brand_id"} == {p.name for p in operation.params if p.place == "path"}
        assert operation.array_body == any(
            p.name == "body" and p.required and "array" in p.description for p in operation.params
        )
