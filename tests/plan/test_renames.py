"""Renames that nobody declared: suggested where something says so, and silent on ordinary days."""

from __future__ import annotations

import pytest

from reconciler.model.addresses import Kind
from reconciler.model.inventory import Owned
from reconciler.model.live import Observed
from reconciler.model.resources import Lifecycle, OnRemove, Resource
from reconciler.plan.changes import Plan

from worlds import MadeUp, a_list, live, live_list, owned, planned

TEXT = "Everybody who joined at the shop"


def ours(name: str = "join", remote_id: str = "1", on_remove: OnRemove = OnRemove.DELETE) -> Owned:
    return owned(Kind.LIST, name, remote_id, on_remove=on_remove)


def wanted(name: str, title: str, about: str = TEXT, **more: object) -> Resource:
    return a_list(name, fields={"name": title, "description": about}, **more)


def made_from(*resources: Resource, now: tuple[Observed, ...], known: tuple[Owned, ...] = (ours(),)) -> Plan:
    return planned(*resources, now=live(*now), ours=known)


def suggested(plan: Plan) -> list[tuple[str, str]]:
    """(address, hint) of every suggestion."""
    assert not plan.blocking
    return [(d.address, d.hint) for d in plan.diagnostics if d.code == "perhaps-renamed"]


def test_the_line_and_its_place_are_spelled_out() -> None:
    plan = made_from(wanted("gold", "Gold"), now=(live_list("1", "Join", description=TEXT),))
    (note,) = [d for d in plan.diagnostics if d.code == "perhaps-renamed"]
    assert note.severity == "note"
    assert note.address == "main/List/gold"
    assert "main/List/join" in note.message
    assert "deletes" in note.message
    assert "lifecycle: {renamedFrom: join} to the document at m.yaml:1" in note.hint
    kept = made_from(
        wanted("gold", "Gold"),
        now=(live_list("1", "Join", description=TEXT),),
        known=(ours(on_remove=OnRemove.KEEP),),
    )
    assert ["lets go of" in d.message for d in kept.diagnostics] == [True]


@pytest.mark.parametrize(
    ("name", "title", "about"),
    [("join-vip", "Customers", ""), ("x", "Join VIP", ""), ("joins", "Customers", ""), ("x", "join!", "VIPs")],
)
def test_names_that_say_the_same_are_enough_where_the_rest_is_the_same(name: str, title: str, about: str) -> None:
    plan = made_from(wanted(name, title, about), now=(live_list("1", "Join", description=about),))
    assert [address for address, _ in suggested(plan)] == [f"main/List/{name}"]


def test_doing_as_suggested_is_a_rename() -> None:
    renamed = wanted("gold", "Gold", lifecycle=Lifecycle(renamed_from="join"))
    plan = made_from(renamed, now=(live_list("1", "Join", description=TEXT),))
    assert suggested(plan) == []
    assert [(type(c).__name__, c.address.name, c.remote_id) for c in plan.changes] == [("Adopt", "gold", "1")]


@pytest.mark.parametrize(
    ("old", "new", "title", "about"),
    [
        ("march-leads", "april-leads", "April leads", TEXT),
        ("leads-2026-04", "leads-2026-05", "Leads 2026-05", TEXT),
        ("segment-a", "segment-b", "Segment B", TEXT),
        ("join", "gold", "Gold", "Everybody who joined on line"),
        ("join", "gold", "Gold", ""),
        ("vip-east", "vip-west", "VIP west", ""),
        ("join", "gold", "Gold", "https://example.com/flows/5bef29e1c5480c40e2ab4ef0"),
    ],
)
def test_one_comes_and_another_one_goes_on_ordinary_days(old: str, new: str, title: str, about: str) -> None:
    live_about = TEXT if about.startswith("Everybody") else about
    gone = live_list("1", old.replace("-", " ").capitalize(), description=live_about)
    assert suggested(made_from(wanted(new, title, about), now=(gone,), known=(ours(old),))) == []


def test_what_others_are_like_as_well_tells_nothing() -> None:
    both = (live_list("1", "Join", description=TEXT), live_list("2", "Others", description=TEXT))
    assert suggested(made_from(wanted("gold", "Gold"), now=both)) == []
    two = (wanted("gold", "Gold"), wanted("silver", "Silver"))
    assert suggested(made_from(*two, now=both[:1])) == []


def test_nothing_is_suggested_for_what_left_long_ago_or_stays() -> None:
    assert suggested(made_from(wanted("gold", "Gold"), now=())) == []
    stays = made_from(wanted("join", "Join"), wanted("gold", "Gold"), now=(live_list("1", "Join", description=TEXT),))
    assert suggested(stays) == []


def test_what_cannot_change_its_name_cannot_be_renamed() -> None:
    now = live(live_list("1", "Join", description=TEXT))
    plan = planned(wanted("gold", "Gold"), now=now, ours=(ours(),), rules=MadeUp(frozen_lists=True))
    assert suggested(plan) == []
    told = wanted("gold", "Gold", lifecycle=Lifecycle(renamed_from="join"))
    refused = planned(told, now=now, ours=(ours(),), rules=MadeUp(frozen_lists=True))
    assert [(d.code, d.address) for d in refused.diagnostics] == [("made-up-immutable", "main/List/gold")]
