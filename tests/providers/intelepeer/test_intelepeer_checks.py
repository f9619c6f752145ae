"""What a manifest may say, without asking anybody."""

from __future__ import annotations

import pytest
from intelepeer_world import (
    ANNA,
    a_campaign,
    a_list,
    a_membership,
    account,
    an_association,
    checked,
    codes,
    desired,
)

from reconciler.diagnostics import Severity
from reconciler.model.resources import Lifecycle, Mode
from reconciler.providers.intelepeer import CODES, PROVIDER

APPEND = {"membershipMode": "append"}


def found(resource, *others, **settings):
    return codes(checked(resource, desired(resource, *others, **settings)))


def test_a_sound_repository_has_no_problems():
    resources = [
        a_list("vips", headers=("firstname", "phone"), description="People"),
        a_campaign("spring", state="published"),
        an_association("spring", "vips", moc="phone", autoDetectTZ=True),
        a_membership("vips", ANNA, firstname=["Anna"]),
    ]
    wanted = desired(*resources, **APPEND)
    assert [d for r in resources for d in checked(r, wanted)] == []
    assert PROVIDER.check_account(wanted.accounts["engage"]) == ()


@pytest.mark.parametrize("name", ["", "abc", "  abc  ", None])
def test_short_names(name):
    assert found(a_list("x", name=name)) == ["intelepeer-name-too-short"]
    assert "intelepeer-name-too-short" in found(a_campaign("x", name=name))


def test_four_characters_are_enough_and_spaces_within_count():
    assert found(a_list("x", name="JC C")) == []


def test_names_are_unique_per_account_and_kind():
    first, second = a_list("a", name="Same name"), a_list("b", name="Same name")
    wanted = desired(first, second, a_campaign("c", name="Same name"))
    assert checked(first, wanted) == []
    assert codes(checked(second, wanted)) == ["intelepeer-duplicate-name"]
    by_id = desired(a_list("a", name="Same name", pinned="1"), a_list("b", name="Same name", pinned="2"))
    assert [d for r in by_id.resources.values() for d in checked(r, by_id)] == []


@pytest.mark.parametrize(
    "headers", [("first name", "phone"), ("phone", "phone"), ("Phone", "phone"), ("", "phone"), ("a\tb",)]
)
def test_headers(headers):
    assert found(a_list("x", headers=headers)) == ["intelepeer-header-invalid"]


@pytest.mark.parametrize("missing", ["flowId", "callerIdentification"])
def test_incomplete_campaigns(missing):
    campaign = a_campaign("x", **{missing: ""})
    problems = checked(campaign, desired(campaign))
    assert codes(problems) == ["intelepeer-campaign-incomplete"]
    assert missing in problems[0].message
    observed = a_campaign("x", lifecycle=Lifecycle(observe=True), **{missing: ""})
    assert found(observed) == []


@pytest.mark.parametrize("caller", ["2025550135", "+1202555013x", "+1202", "+1 202 555 0135", "+1202555013512345"])
def test_caller_ids(caller):
    campaign = a_campaign("x", callerIdentification=caller)
    problems = checked(campaign, desired(campaign))
    assert codes(problems) == ["intelepeer-caller-id"]
    assert caller not in problems[0].message


def test_caller_id_of_the_documents_own_sample():
    assert found(a_campaign("x", callerIdentification="0000000000")) == []


def test_publishing_needs_a_list():
    assert found(a_campaign("x", state="published")) == ["intelepeer-publish-without-list"]
    assert found(a_campaign("x", state="draft")) == []


def test_moc_is_a_header_of_its_list():
    vips = a_list("vips", headers=("firstname", "phone"))
    assert found(an_association("spring", "vips", moc="mobile"), vips) == ["intelepeer-moc-not-a-header"]
    assert found(an_association("spring", "vips", moc="phone"), vips) == []
    assert found(an_association("spring", "vips", moc="mobile"), a_list("vips")) == []


def test_one_list_has_one_moc():
    vips = a_list("vips", headers=("mobile", "phone"))
    first, second = an_association("a", "vips", moc="phone"), an_association("b", "vips", moc="mobile")
    wanted = desired(vips, first, second)
    assert checked(first, wanted) == []
    assert codes(checked(second, wanted)) == ["intelepeer-moc-conflict"]


def test_moc_of_a_list_that_is_named_by_its_pinned_id():
    vips = a_list("vips", headers=("phone",), pinned="77")
    assert found(an_association("spring", "#77", moc="mobile"), vips) == ["intelepeer-moc-not-a-header"]


def test_time_zones_cannot_be_switched_off():
    assert found(an_association("a", "b", autoDetectTZ=False)) == ["intelepeer-timezone-off"]
    assert found(an_association("a", "b", autoDetectTZ=True)) == []


def test_memberships():
    assert found(a_membership("vips", ANNA)) == ["intelepeer-membership-off"]
    assert found(a_membership("vips", ANNA), membershipMode="none") == ["intelepeer-membership-off"]
    assert found(a_membership("vips", ANNA, mode=Mode.EXACT), **APPEND) == ["intelepeer-exact-membership"]


def test_attributes_are_headers_spelled_exactly():
    vips = a_list("vips", headers=("firstname", "phone"))
    stray = a_membership("vips", ANNA, Firstname=["Anna"], tier=["gold"])
    problems = checked(stray, desired(stray, vips, **APPEND))
    assert codes(problems) == ["intelepeer-attribute-not-a-header"]
    assert "Firstname, tier" in problems[0].message
    assert found(stray, a_list("vips"), **APPEND) == []


def test_the_number_is_the_phone():
    vips = a_list("vips", headers=("firstname", "phone"))
    assert found(a_membership("vips", ANNA, phone=[ANNA]), vips, **APPEND) == ["intelepeer-phone-attribute"]


def test_a_column_that_a_campaign_contacts_by_should_be_filled():
    vips = a_list("vips", headers=("mobile", "phone"))
    link = an_association("spring", "vips", moc="mobile")
    problems = checked(a_membership("vips", ANNA), desired(vips, link, a_membership("vips", ANNA), **APPEND))
    assert [(d.code, d.severity) for d in problems] == [("intelepeer-moc-unfilled", Severity.WARNING)]
    assert found(a_membership("vips", ANNA, mobile=["x"]), vips, link, **APPEND) == []


def test_settings_are_words_that_are_known():
    odd = account(authScheme="basic", associateSemantics="perhaps", membershipMode="exact", authUrl="customer/login")
    problems = PROVIDER.check_account(odd)
    assert codes(problems) == ["intelepeer-settings"] * 4
    assert all(d.source == odd.source for d in problems)


def test_every_problem_has_a_remedy_from_the_table():
    campaign = a_campaign("x", state="published")
    problem = checked(campaign, desired(campaign))[0]
    assert problem.hint == CODES[problem.code][1]
    assert problem.address == "engage/Campaign/x"
    assert problem.source == campaign.source
    assert all(code.startswith("intelepeer-") and meaning and remedy for code, (meaning, remedy) in CODES.items())
