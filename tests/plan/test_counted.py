"""Of which lists a count is enough, and what makes a counted list one that has to be read."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.desired import Desired, Project, Suppression
from reconciler.model.inventory import Inventory, LastRead, Owned
from reconciler.model.kinds import LeadRules, MembershipRules, Refusal
from reconciler.model.live import AccountLive, Live, LiveMembers
from reconciler.model.resources import Account, ById, Lifecycle, Mode, Resource
from reconciler.plan.changes import Change, Update
from reconciler.plan.counted import CONFIRMED, concerned, countable, disputed, without

from worlds import KEY, SPAN, MadeUp, a_list, a_membership, address, hashes, live, live_list, owned, people

VIP = RemoteId("1")
OURS = owned(Kind.MEMBERSHIP, "people", "1", parent=VIP, applied=hashes(1, 2), fields={CONFIRMED: 2})
PEOPLE = a_membership("people", "vip", people(1, 2))
ACCOUNT = Account(name="main", provider="madeup", auth={}, source=SPAN)


def a_desired(*resources: Resource, suppressions: tuple[Suppression, ...] = ()) -> Desired:
    return Desired(
        project=Project(root="/"),
        accounts={"main": ACCOUNT},
        resources={r.address: r for r in (a_list("vip"), *resources)},
        suppressions=suppressions,
    )


def an_inventory(*ours: Owned, last: int | None = 2) -> Inventory:
    reads = {} if last is None else {"main": LastRead(members={VIP: last})}
    return Inventory(owned={o.address: o for o in ours}, key=KEY, last_reads=reads)


def lists(desired: Desired, inventory: Inventory, rules: MadeUp | None = None) -> dict[RemoteId, LiveMembers]:
    return dict(countable(desired, inventory, {"main": ACCOUNT}, {"madeup": rules or MadeUp()}).get("main", {}))


def test_a_list_that_was_as_declared_when_it_had_so_many() -> None:
    (members,) = lists(a_desired(PEOPLE), an_inventory(OURS)).values()
    assert (members.count, members.counted) == (2, {OURS.address})
    assert sorted(members.contacts.numbers()) == sorted(people(1, 2).numbers())


def with_members(**changes: Any) -> Resource:
    assert PEOPLE.members is not None
    return replace(PEOPLE, members=replace(PEOPLE.members, **changes))


@pytest.mark.parametrize(
    ("resources", "ours", "last"),
    [
        pytest.param((), (OURS,), 2, id="no longer declared"),
        pytest.param((PEOPLE,), (), 2, id="not ours"),
        pytest.param((PEOPLE,), (replace(OURS, fields={}),), 2, id="never found as declared"),
        pytest.param((PEOPLE,), (OURS,), None, id="never read"),
        pytest.param((PEOPLE,), (OURS,), 3, id="read since with another count"),
        pytest.param((PEOPLE,), (replace(OURS, applied=hashes(1)),), 2, id="somebody to add"),
        pytest.param((PEOPLE,), (replace(OURS, applied=hashes(1, 2, 3)),), 2, id="somebody to remove"),
        pytest.param((PEOPLE,), (replace(OURS, applied=hashes(1, 3)),), 2, id="somebody exchanged in Git"),
        pytest.param((with_members(contact_attributes="sync"),), (OURS,), 2, id="attributes kept in step"),
        pytest.param((replace(PEOPLE, lifecycle=Lifecycle(observe=True)),), (OURS,), 2, id="only observed"),
        pytest.param((PEOPLE,), (replace(OURS, fields={CONFIRMED: 3}),), 3, id="exact, with somebody left on it"),
        pytest.param(
            (PEOPLE,),
            (OURS, replace(OURS, address=address(Kind.MEMBERSHIP, "gone"))),
            2,
            id="another membership of ours that is not declared",
        ),
    ],
)
def test_what_has_to_be_read(resources: tuple[Resource, ...], ours: tuple[Owned, ...], last: int | None) -> None:
    assert lists(a_desired(*resources), an_inventory(*ours, last=last)) == {}


def test_strangers_on_an_additive_list_are_nobodys_business() -> None:
    ours = replace(OURS, fields={CONFIRMED: 7})
    assert VIP in lists(a_desired(with_members(mode=Mode.ADDITIVE)), an_inventory(ours, last=7))


def test_where_anybody_is_suppressed_everything_is_read() -> None:
    never = Suppression(name="never", contacts=people(9))
    assert lists(a_desired(PEOPLE, suppressions=(never,)), an_inventory(OURS)) == {}


def test_leads_whose_standing_is_declared_are_read() -> None:
    class Leads(MadeUp):
        def __init__(self) -> None:
            super().__init__()
            fixed = Refusal(code="madeup-fixed", reason="Never changes.", remedy="Nothing.")
            self.membership = MembershipRules(leads=LeadRules(settable=frozenset({"status"}), fixed=fixed))

    declared = with_members(contacts=people(1, 2, status="new"))
    assert lists(a_desired(declared), an_inventory(OURS)).keys() == {VIP}
    assert lists(a_desired(declared), an_inventory(OURS), Leads()) == {}


# --- what turns up when the rest is known


def counted(*addresses: Address) -> AccountLive:
    known = live(live_list("1", "Vip"))
    members = LiveMembers(contacts=people(1, 2), count=2, counted=frozenset(addresses))
    return replace(known, members={VIP: members})


def test_a_membership_that_was_not_thought_of_disputes_the_list() -> None:
    stranger = a_membership("more", "vip", people(2), Mode.ADDITIVE)
    by_id = replace(stranger, members=replace(stranger.members, of=ById(VIP))) if stranger.members else stranger
    state = Live(accounts={"main": counted(OURS.address)})
    assert disputed(a_desired(PEOPLE), an_inventory(OURS), state) == {}
    for resource in (stranger, by_id):
        assert disputed(a_desired(PEOPLE, resource), an_inventory(OURS), state) == {"main": {VIP}}


def changed(kind: Kind, name: str, remote_id: str | None) -> Change:
    found = RemoteId(remote_id) if remote_id is not None else None
    return Update(address=address(kind, name), provider="madeup", reason="", remote_id=found)


@pytest.mark.parametrize(
    ("change", "read"),
    [
        (changed(Kind.CAMPAIGN, "spring", "9"), True),
        (changed(Kind.ASSOCIATION, "spring--other", "9/8"), True),
        (changed(Kind.LIST, "vip", "1"), True),
        (changed(Kind.LIST, "other", "8"), False),
        (changed(Kind.MEMBERSHIP, "more", "1"), True),
        (changed(Kind.MEMBERSHIP, "people", "8"), True),
        (changed(Kind.MEMBERSHIP, "others", "8"), False),
    ],
    ids=lambda x: str(getattr(x, "address", x)),
)
def test_what_a_change_has_to_do_with_is_read(change: Change, read: bool) -> None:
    state = Live(accounts={"main": counted(OURS.address)})
    found = concerned([change], state)
    assert found == ({"main": {VIP}} if read else {})
    taken = without({"main": {VIP: counted(OURS.address).members[VIP]}}, found)
    assert (VIP in taken["main"]) is not read
