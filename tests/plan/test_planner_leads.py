"""Decisions about leads, whom the provider works through by itself, and about campaigns that are made elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import KindRules, LeadRules, MembershipRules, Refusal
from reconciler.model.live import AccountLive, LiveMembers, Standing
from reconciler.model.resources import ById, Declared, Lifecycle, Mode, OnRemove, Resource
from reconciler.plan.changes import Approval, MemberDelta, Plan

from worlds import (
    MadeUp,
    a_campaign,
    a_membership,
    address,
    codes,
    hashes,
    live,
    live_campaign,
    number,
    owned,
    people,
    planned,
    shape,
)

NOT_HERE = Refusal(code="made-up-missing", reason="campaigns are made elsewhere", remedy="Make it there.")
FIXED = Refusal(code="made-up-fixed", reason="leads never change", remedy="Take the column out.")
WAITING, BUSY, FINISHED = Standing.WAITING, Standing.BUSY, Standing.FINISHED


class Dialler(MadeUp):
    """A provider of leads, whose campaigns are made elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds = {Kind.CAMPAIGN: KindRules(create=NOT_HERE, update=NOT_HERE, read_only=True)}
        leads = LeadRules(fixed=FIXED, settable=frozenset({"status"}), write_only=frozenset({"note"}))
        self.membership = MembershipRules(parent=Kind.CAMPAIGN, leads=leads)


def leads(*rows: tuple[int, Standing], **columns: list[str | None]) -> ContactSet:
    found: dict[str, Any] = {
        "number": [number(i) for i, _ in rows],
        "contact_id": [f"lead-{i}" for i, _ in rows],
        "standing": [s for _, s in rows],
    }
    return ContactSet.from_columns(found | columns)


def declared(contacts: ContactSet, mode: Mode = Mode.EXACT, **more: Any) -> Resource:
    resource = a_membership("m", "spring", contacts, mode, **more)
    assert resource.members is not None
    return replace(resource, members=replace(resource.members, of=Declared(address(Kind.CAMPAIGN, "spring"))))


def now(contacts: ContactSet, worked: ContactSet | None = None) -> AccountLive:
    found = LiveMembers(contacts=contacts, count=len(contacts), worked=worked or ContactSet.empty())
    return replace(live(live_campaign("1", "Spring")), members={RemoteId("1"): found})


def plan_of(resource: Resource, seen: AccountLive, **more: Any) -> Plan:
    return planned(a_campaign("spring"), resource, now=seen, rules=Dialler(), **more)


def delta_of(made: Plan) -> MemberDelta:
    (change,) = made.changes
    assert change.members is not None
    return change.members


def test_only_leads_that_wait_are_taken_away() -> None:
    seen = now(leads((1, WAITING), (2, FINISHED), (3, BUSY), (4, WAITING)))
    made = plan_of(declared(people(1)), seen)
    assert list(delta_of(made).remove.numbers()) == [number(4)]
    assert codes(made) == {"lead-busy"}
    assert made.changes[0].approvals == {Approval.DELETE}


def test_history_goes_only_when_asked_for() -> None:
    seen = now(leads((1, WAITING), (2, FINISHED)))
    made = plan_of(declared(people(1), options={"deleteFinished": True}), seen)
    assert list(delta_of(made).remove.numbers()) == [number(2)]
    assert shape(plan_of(declared(people(1)), seen)) == [("Adopt", "Membership/m")]


def test_nobody_is_taken_away_by_an_additive_membership() -> None:
    made = plan_of(declared(people(1), Mode.ADDITIVE), now(leads((2, WAITING), (3, BUSY))))
    assert len(delta_of(made).remove) == 0
    assert codes(made) == set()


def test_who_was_worked_stays_out_until_that_is_lifted() -> None:
    seen = now(leads((1, WAITING)), worked=people(2))
    made = plan_of(declared(people(1, 2, 3)), seen)
    assert list(delta_of(made).add.numbers()) == [number(3)]
    assert codes(made) == {"already-worked"}
    assert not made.blocking
    other = plan_of(declared(people(1, 2, 3)), seen, allow=("recontact=main/Membership/other",))
    assert len(delta_of(other).add) == 1
    lifted = plan_of(declared(people(1, 2, 3)), seen, allow=("recontact=main/Membership/m",))
    assert list(delta_of(lifted).add.numbers()) == [number(2), number(3)]
    assert codes(lifted) == set()


def test_a_worked_number_that_is_suppressed_stays_out_for_good() -> None:
    made = plan_of(
        declared(people(2)),
        now(leads(), worked=people(2)),
        suppressed=people(2),
        allow=("recontact=main/Membership/m",),
    )
    assert len(delta_of(made).add) == 0
    assert codes(made) == {"suppressed-skipped"}


def test_a_suppressed_lead_that_waits_is_taken_off_without_approval() -> None:
    seen = now(leads((1, WAITING), (2, WAITING), (3, FINISHED)))
    made = plan_of(declared(people(1, 2, 3)), seen, suppressed=people(2, 3))
    delta = delta_of(made)
    assert list(delta.remove.numbers()) == list(delta.protective.numbers()) == [number(2)]
    assert made.changes[0].approvals == frozenset()
    assert made.guards == ()


def test_a_status_is_set_where_it_differs_and_only_there() -> None:
    seen = now(leads((1, WAITING), (2, FINISHED), (3, BUSY), status=["new", "success", None]))
    made = plan_of(declared(people(1, 2, 3, status="success")), seen)
    delta = delta_of(made)
    assert list(delta.change.rows()) == [{"number": number(1), "contact_id": "lead-1", "status": "success"}]
    assert made.changes[0].approvals == {Approval.UPDATE}
    assert (delta.unchanged, len(delta.remove)) == (2, 0)


def test_a_suppressed_lead_gets_no_status() -> None:
    seen = now(leads((1, WAITING), status=["new"]))
    made = plan_of(declared(people(1, status="success"), Mode.ADDITIVE), seen, suppressed=people(1))
    assert len(delta_of(made).change) == 0


def test_nobody_is_added_with_a_status() -> None:
    made = plan_of(declared(people(1, status="success")), now(leads()))
    assert len(delta_of(made).add) == 0
    assert codes(made) == {"lead-not-there"}


def test_other_attributes_are_told_and_never_written() -> None:
    seen = now(leads((1, WAITING), (2, WAITING), name=["Anna", None]))
    made = plan_of(declared(people(1, 2, name="Anne", note="x")), seen)
    assert codes(made) == {"made-up-fixed", "write-only-attribute"}
    assert not made.blocking
    (told,) = (d for d in made.diagnostics if d.code == "made-up-fixed")
    assert told.message.startswith("1 lead is there with another name")
    assert delta_of(made).empty
    assert codes(plan_of(declared(people(1, name="Anna")), seen)) == set()


def test_two_memberships_of_one_campaign_add_nobody_twice() -> None:
    one = declared(people(1, 2), Mode.ADDITIVE)
    other = replace(declared(people(2, 3), Mode.ADDITIVE), address=address(Kind.MEMBERSHIP, "n"))
    made = planned(a_campaign("spring"), one, other, now=now(leads()), rules=Dialler())
    added = [n for c in made.changes if c.members for n in c.members.add.numbers()]
    assert sorted(added) == [number(1), number(2), number(3)]


def test_a_removed_manifest_takes_only_those_who_wait() -> None:
    ours = owned(
        Kind.MEMBERSHIP,
        "m",
        "1",
        parent=RemoteId("1"),
        on_remove=OnRemove.DELETE,
        added=hashes(1, 2, 3),
        applied=hashes(),
    )
    seen = now(leads((1, WAITING), (2, FINISHED), (3, BUSY), (4, WAITING)))
    made = planned(a_campaign("spring"), now=seen, ours=(ours,), rules=Dialler())
    assert list(delta_of(made).remove.numbers()) == [number(1)]


def test_a_campaign_made_elsewhere_is_never_a_change() -> None:
    seen = live(live_campaign("1", "Spring"), live_campaign("2", "Autumn"))
    assert planned(a_campaign("spring"), now=seen, rules=Dialler()).changes == ()
    made = planned(a_campaign("summer"), now=seen, rules=Dialler())
    assert made.changes == ()
    (missing,) = made.blocking
    assert missing.code == "made-up-missing"
    assert "'Autumn', 'Spring'" in missing.message
    renamed = planned(replace(a_campaign("summer"), pinned=RemoteId("1")), now=seen, rules=Dialler())
    assert [d.code for d in renamed.blocking] == ["made-up-missing"]


@pytest.mark.parametrize("on_remove", [OnRemove.DELETE, OnRemove.KEEP])
def test_a_campaign_made_elsewhere_is_let_go_of_and_never_deleted(on_remove: OnRemove) -> None:
    ours = owned(Kind.CAMPAIGN, "spring", "1", on_remove=on_remove)
    made = planned(now=live(live_campaign("1", "Spring")), ours=(ours,), rules=Dialler())
    assert shape(made) == [("Forget", "Campaign/spring")]


def test_an_unknown_id_is_called_by_what_members_are_of() -> None:
    resource = declared(people(1), lifecycle=Lifecycle())
    assert resource.members is not None
    resource = replace(resource, members=replace(resource.members, of=ById(RemoteId("9"))))
    (missing,) = planned(resource, now=live(), rules=Dialler()).blocking
    assert missing.message == "no live campaign has the id '9'"
