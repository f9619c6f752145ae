"""Decisions as calls: one situation a test, all of it data. The whole planner runs, so that it fits together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from intelepeer_world import (
    ANNA,
    BORIS,
    CALLER,
    CLARA,
    a_campaign,
    a_list,
    a_membership,
    an_association,
    campaign_at,
    change_of,
    codes,
    desired,
    inventory,
    list_at,
    live,
    live_campaign,
    live_list,
    owned,
    planned,
)

from reconciler.diagnostics import Severity
from reconciler.model.addresses import Kind, RemoteId, link_id
from reconciler.model.inventory import Owned
from reconciler.model.kinds import ContactClass
from reconciler.model.resources import Lifecycle, OnRemove
from reconciler.plan.calls import Changed, Column, Created, Deleted, Each, Linked, MembersAdded, Method, Phase, Ref
from reconciler.plan.changes import Adopt, Approval, Create, Delete, Plan, Replace, Update
from reconciler.providers.intelepeer.codes import CODES

DELETE = Lifecycle(on_remove=OnRemove.DELETE)
REPLACE = Lifecycle(replace=True)
SILENT, NOTIFY, STARTS = ContactClass.SILENT, ContactClass.MAY_NOTIFY, ContactClass.STARTS_CONTACTING


def blocking(plan: Plan) -> list[str]:
    return codes(plan.blocking)


def without_steps(plan: Plan) -> bool:
    return not any(c.steps for c in plan.changes)


def bodies(plan: Plan) -> Iterable[object]:
    return (step.call.body for change in plan.changes for step in change.steps)


# Lists


def test_create_list():
    vips = a_list("vips", description="People ", headers=("firstname", "phone"))
    plan = planned(desired(vips), live())
    (step,) = change_of(plan, vips).steps
    assert (step.call.method, step.call.path) == (Method.POST, ("_rest", "v2", "lists"))
    assert step.call.body == {
        "listName": "vips list",
        "listDescription": "People",
        "headers": ("firstname", "phone"),
    }
    assert (step.phase, step.contact_class) == (Phase.LIST, SILENT)
    assert isinstance(step.effect, Created)
    assert (step.effect.kind, step.effect.name, step.effect.known_ids) == (Kind.LIST, "vips list", frozenset())


def test_create_list_says_only_what_is_declared():
    vips = a_list("vips")
    assert change_of(planned(desired(vips), live()), vips).steps[0].call.body == {"listName": "vips list"}


def test_a_list_cannot_be_updated():
    vips = a_list("vips", description="new")
    plan = planned(desired(vips), live(live_list("1", "vips list", description="old")), inventory(owned(vips, "1")))
    assert blocking(plan) == ["intelepeer-list-immutable"]
    assert plan.changes == ()


def test_spaces_at_the_end_of_a_description_are_no_difference():
    vips = a_list("vips", description="People")
    plan = planned(desired(vips), live(live_list("1", "vips list", description="People ")), inventory(owned(vips, "1")))
    assert plan.changes == ()


def test_replace_list_with_everything_that_hangs_on_it():
    vips = a_list("vips", lifecycle=REPLACE, headers=("firstname", "phone"))
    spring, link = a_campaign("spring"), an_association("spring", "vips", moc="phone")
    members = a_membership("vips", ANNA, BORIS)
    seen = live(
        live_list("1", "vips list", headers=("phone",)),
        live_campaign("c1", "spring calls"),
        links=[("c1", "1")],
        contacts={"1": ["x1", "x2"]},
    )
    known = inventory(
        owned(vips, "1"),
        owned(spring, "c1"),
        owned(link, link_id(RemoteId("c1"), RemoteId("1"))),
    )
    plan = planned(desired(vips, spring, link, members, membershipMode="append"), seen, known)
    assert blocking(plan) == []
    change = change_of(plan, vips)
    assert isinstance(change, Replace)
    create, delete = change.steps
    assert (create.phase, delete.phase) == (Phase.LIST, Phase.LIST_DELETE)
    assert isinstance(create.effect, Created)
    assert create.effect.known_ids == {"1"}
    assert delete.effect == Deleted(kind=Kind.LIST, target=RemoteId("1"))
    assert delete.call.path == ("_rest", "v2", "lists", "1")
    (upload,) = change_of(plan, members).steps
    assert upload.call.path == ("_rest", "v2", "lists", Ref(list_at("vips")), "uploadcontacts")
    assert upload.rows is not None
    assert list(upload.rows.numbers()) == [ANNA, BORIS]
    linking = change_of(plan, link)
    (associate,) = linking.steps
    assert associate.call.body == {
        "action": "associate",
        "selectedLists": (Ref(list_at("vips")),),
        "moc": "phone",
    }
    # Whether the link to the old list survives is not known, and does not matter.
    assert isinstance(associate.effect, Linked)
    assert associate.effect.base == frozenset()
    assert {vips.address, members.address} <= set(linking.requires)
    assert "intelepeer-deletion-loses" in codes(plan.diagnostics)


def test_a_list_of_an_active_campaign_is_neither_replaced_nor_deleted():
    spring = a_campaign("spring")
    seen = live(
        live_list("1", "vips list", headers=("phone",)),
        live_campaign("c1", "spring calls", active=True, state="published"),
        links=[("c1", "1")],
    )
    vips = a_list("vips", lifecycle=REPLACE, headers=("firstname",))
    replaced = planned(desired(vips, spring), seen, inventory(owned(vips, "1"), owned(spring, "c1")))
    assert blocking(replaced) == ["intelepeer-list-in-use"]
    assert without_steps(replaced)
    vips = a_list("vips", lifecycle=DELETE)
    deleted = planned(desired(spring), seen, inventory(owned(vips, "1"), owned(spring, "c1")))
    assert blocking(deleted) == ["intelepeer-list-in-use"]
    assert without_steps(deleted)


def test_delete_list_and_what_is_lost_with_it():
    vips = a_list("vips", lifecycle=DELETE)
    seen = live(live_list("1", "vips list"), live_list("2", "other list"), contacts={"1": ["x1", "x2"]})
    plan = planned(desired(), seen, inventory(owned(vips, "1")))
    (change,) = plan.changes
    assert isinstance(change, Delete)
    assert change.steps[0].call.path == ("_rest", "v2", "lists", "1")
    assert change.steps[0].call.method is Method.DELETE
    assert [(d.code, d.severity) for d in plan.diagnostics] == [("intelepeer-deletion-loses", Severity.WARNING)]
    assert "2 contacts" in plan.diagnostics[0].message


def test_a_campaign_that_is_deleted_too_is_not_in_the_way_of_its_list():
    vips, spring = a_list("vips", lifecycle=DELETE), a_campaign("spring", lifecycle=DELETE)
    seen = live(
        live_list("1", "vips list"),
        live_campaign("c1", "spring calls", active=True, state="published"),
        links=[("c1", "1")],
    )
    known = inventory(owned(vips, "1"), owned(spring, "c1"))
    plan = planned(desired(), seen, known, allow=["delete-active=engage/Campaign/spring"])
    assert blocking(plan) == []
    assert [c.steps[0].phase for c in plan.changes] == [Phase.CAMPAIGN_DELETE, Phase.LIST_DELETE]


def test_the_system_list_is_never_deleted():
    trans = a_list("trans", lifecycle=DELETE, name="default_trans_list")
    plan = planned(desired(), live(live_list("1", "default_trans_list")), inventory(owned(trans, "1")))
    assert blocking(plan) == ["intelepeer-system-list"]
    assert without_steps(plan)


# Campaigns


def test_create_campaign_as_a_draft():
    spring = a_campaign("spring", description="Calls")
    plan = planned(desired(spring), live(live_campaign("9", "another one")))
    (step,) = change_of(plan, spring).steps
    assert (step.call.method, step.call.path) == (Method.POST, ("_rest", "v2", "campaigns"))
    assert step.call.body == {
        "campaignName": "spring calls",
        "campaignDescription": "Calls",
        "callerIdentification": CALLER,
        "flowId": "flow-1",
    }
    assert (step.phase, step.contact_class) == (Phase.CAMPAIGN, SILENT)


def test_create_and_publish_last():
    vips, spring = a_list("vips"), a_campaign("spring", state="published")
    link, members = an_association("spring", "vips"), a_membership("vips", ANNA, BORIS)
    plan = planned(desired(vips, spring, link, members, membershipMode="append"), live())
    change = change_of(plan, spring)
    create, publish = change.steps
    assert (create.phase, publish.phase) == (Phase.CAMPAIGN, Phase.ARM)
    assert publish.call.path == ("_rest", "v2", "campaigns", Ref(campaign_at("spring")), "action")
    assert publish.call.body == {"action": "publish"}
    assert publish.contact_class is NOTIFY
    assert publish.effect == Changed(
        kind=Kind.CAMPAIGN,
        target=Ref(campaign_at("spring")),
        base={"state": "draft"},
        expected={"state": "published"},
    )
    assert {vips.address, link.address, members.address} <= set(change.arm_after)
    assert change.reach.count == 2
    assert plan.reach == 2
    assert change_of(plan, members).contact_class is SILENT
    assert change_of(plan, link).contact_class is SILENT
    # Uploading and linking are independent as long as nothing is active: one may fail without the other.
    assert members.address not in change_of(plan, link).requires
    assert "state" not in create.effect.fields


def test_publish_a_live_draft_reaches_everybody_on_its_lists():
    vips, spring = a_list("vips"), a_campaign("spring", state="published")
    link = an_association("spring", "vips")
    seen = live(
        live_list("1", "vips list"),
        live_list("2", "other list"),
        live_campaign("c1", "spring calls"),
        links=[("c1", "1"), ("c1", "2")],
        contacts={"1": ["x1", "x2"], "2": ["x3"]},
    )
    known = inventory(owned(vips, "1"), owned(spring, "c1", state="draft"), owned(link, "c1+1"))
    plan = planned(desired(vips, spring, link), seen, known)
    (change,) = plan.changes
    (step,) = change.steps
    assert isinstance(change, Update)
    assert (step.phase, step.call.body) == (Phase.ARM, {"action": "publish"})
    assert (change.contact_class, change.reach.count) == (NOTIFY, 3)
    assert change.approvals == {Approval.UPDATE}


def test_what_was_published_once_is_not_published_again_because_it_cannot_be_read():
    vips, spring = a_list("vips"), a_campaign("spring", state="published", description="new")
    link = an_association("spring", "vips")
    seen = live(
        live_list("1", "vips list"), live_campaign("c1", "spring calls", description="new"), links=[("c1", "1")]
    )
    known = inventory(owned(vips, "1"), owned(spring, "c1"), owned(link, "c1+1"))
    plan = planned(desired(vips, spring, link), seen, known)
    assert plan.changes == ()
    assert [(d.code, d.severity) for d in plan.diagnostics] == [("intelepeer-publish-unreadable", Severity.NOTE)]
    # Other differences are still corrected.
    seen = live(
        live_list("1", "vips list"), live_campaign("c1", "spring calls", description="old"), links=[("c1", "1")]
    )
    plan = planned(desired(vips, spring, link), seen, known)
    (change,) = plan.changes
    assert [d.path for d in change.deltas] == ["description"]
    assert [s.title for s in change.steps] == ["update campaign"]


def test_a_publication_of_another_campaign_is_none_of_this_one():
    spring, vips = a_campaign("spring", state="published"), a_list("vips")
    link = an_association("spring", "vips")
    seen = live(live_list("1", "vips list"), live_campaign("c2", "spring calls"), links=[("c2", "1")])
    plan = planned(desired(spring, vips, link), seen, inventory(owned(spring, "c1"), owned(vips, "1")))
    assert isinstance(change_of(plan, spring), Adopt)
    assert [s.title for s in change_of(plan, spring).steps] == ["publish"]


def test_a_campaign_without_a_list_is_not_published():
    spring = a_campaign("spring", state="published")
    plan = planned(desired(spring), live(live_campaign("c1", "spring calls")), inventory(owned(spring, "c1", state="")))
    assert blocking(plan) == ["intelepeer-publish-without-list"]
    assert without_steps(plan)


def test_nothing_is_published_while_a_list_of_it_goes():
    spring, link = a_campaign("spring", state="published"), an_association("spring", "vips")
    vips = a_list("vips", lifecycle=REPLACE, headers=("phone",))
    seen = live(live_list("1", "vips list"), live_campaign("c1", "spring calls"), links=[("c1", "1")])
    known = inventory(owned(vips, "1"), owned(spring, "c1", state="draft"), owned(link, "c1+1"))
    plan = planned(desired(vips, spring, link), seen, known)
    assert blocking(plan) == ["intelepeer-publish-after-replace"]
    assert change_of(plan, spring).steps == ()
    # Also when its deletion was started by an earlier apply and is not over.
    vips = a_list("vips")
    seen = live(live_list("2", "vips list"), live_campaign("c1", "spring calls", leaving=["1"]), links=[("c1", "2")])
    known = inventory(owned(vips, "2"), owned(spring, "c1", state="draft"), owned(link, "c1+2"))
    assert blocking(planned(desired(vips, spring, link), seen, known)) == ["intelepeer-publish-after-replace"]


def test_published_campaigns_do_not_become_drafts():
    spring = a_campaign("spring", state="draft", description="new")
    seen = live(live_campaign("c1", "spring calls", state="published", active=True))
    plan = planned(desired(spring), seen, inventory(owned(spring, "c1")))
    assert blocking(plan) == ["intelepeer-cannot-unpublish"]
    assert without_steps(plan)


def test_an_update_sends_all_four_fields():
    spring = a_campaign("spring", description="new")
    seen = live(live_campaign("c1", "spring calls", description="old", flow="flow-9"))
    wanted = a_campaign("spring", lifecycle=Lifecycle(ignore=frozenset({"flowId"})), description="new")
    plan = planned(desired(wanted), seen, inventory(owned(spring, "c1")))
    (step,) = change_of(plan, wanted).steps
    assert (step.call.method, step.call.path) == (Method.PUT, ("_rest", "v2", "campaigns", "c1"))
    assert step.call.body == {
        "campaignName": "spring calls",
        "campaignDescription": "new",
        "callerIdentification": CALLER,
        "flowId": "flow-9",
    }
    assert step.effect == Changed(
        kind=Kind.CAMPAIGN,
        target=RemoteId("c1"),
        base={"description": "old"},
        expected={"description": "new"},
    )
    assert step.contact_class is SILENT


def test_an_update_of_an_active_campaign_may_notify_and_warns():
    spring = a_campaign("spring", description="new")
    seen = live(live_campaign("c1", "spring calls", active=True, state="published"))
    known = inventory(owned(spring, "c1"))
    plan = planned(desired(spring), seen, known)
    assert blocking(plan) == []
    assert codes(plan.diagnostics) == ["intelepeer-update-active"]
    assert change_of(plan, spring).contact_class is NOTIFY
    quiet = planned(desired(spring), seen, known, allow=["update-active=engage/Campaign/spring"])
    assert quiet.diagnostics == ()


def test_a_campaign_without_a_flow_cannot_be_updated():
    spring = a_campaign("spring", description="new")
    plan = planned(desired(spring), live(live_campaign("c1", "spring calls", flow="")), inventory(owned(spring, "c1")))
    assert blocking(plan) == ["intelepeer-campaign-without-flow"]
    assert without_steps(plan)


def test_adopting_updates_what_differs():
    spring = a_campaign("spring", description="new")
    plan = planned(desired(spring), live(live_campaign("c1", "spring calls")))
    change = change_of(plan, spring)
    assert isinstance(change, Adopt)
    assert [s.title for s in change.steps] == ["update campaign"]


def test_delete_campaign_and_an_active_one_only_when_armed():
    spring = a_campaign("spring", lifecycle=DELETE)
    known = inventory(owned(spring, "c1"))
    plan = planned(desired(), live(live_campaign("c1", "spring calls")), known)
    (step,) = plan.changes[0].steps
    assert (step.call.method, step.call.path) == (Method.DELETE, ("_rest", "v2", "campaigns", "c1"))
    assert step.phase is Phase.CAMPAIGN_DELETE
    active = live(live_campaign("c1", "spring calls", active=True, state="published"))
    refused = planned(desired(), active, known)
    assert blocking(refused) == ["intelepeer-delete-active"]
    assert without_steps(refused)
    assert "--allow delete-active=engage/Campaign/spring" in refused.blocking[0].hint
    armed = planned(desired(), active, known, allow=["delete-active=engage/Campaign/spring"])
    assert armed.changes[0].steps


# Associations


def linked_world(*lists: str, links: Iterable[str] = (), active: bool = False, **more: object):
    return live(
        *(live_list(str(i + 1), f"{name} list") for i, name in enumerate(lists)),
        live_campaign("c1", "spring calls", active=active, state="published" if active else "draft"),
        links=[("c1", i) for i in links],
        **more,
    )


def test_one_call_names_all_lists():
    spring, a, b, c = a_campaign("spring"), a_list("a"), a_list("b"), a_list("c")
    links = [an_association("spring", name, moc="phone", autoDetectTZ=True) for name in "abc"]
    seen = linked_world("a list", links=["1"])
    seen = live(
        live_list("1", "a list"),
        live_list("2", "b list"),
        live_campaign("c1", "spring calls"),
        links=[("c1", "1")],
    )
    known = inventory(owned(a, "1"), owned(b, "2"), owned(spring, "c1"), owned(links[0], "c1+1"))
    plan = planned(desired(spring, a, b, c, *links), seen, known)
    first, second = change_of(plan, links[1]), change_of(plan, links[2])
    (step,) = first.steps
    assert step.call.method is Method.POST
    assert step.call.path == ("_rest", "v2", "campaigns", "c1", "action")
    assert step.call.body == {
        "action": "associate",
        "selectedLists": ("1", "2", Ref(list_at("c"))),
        "moc": "phone",
        "autoDetectTZ": "true",
    }
    assert step.effect == Linked(
        campaign=RemoteId("c1"),
        lists=(RemoteId("1"), RemoteId("2"), Ref(list_at("c"))),
        base=frozenset({RemoteId("1")}),
    )
    assert (step.phase, step.contact_class) == (Phase.ASSOCIATION, SILENT)
    assert (second.steps, second.carried_by) == ((), first.address)
    assert list_at("c") in first.requires
    assert first.approvals == {Approval.ASSOCIATE}


def test_attributes_that_are_not_declared_are_left_out():
    spring, a = a_campaign("spring"), a_list("a")
    link = an_association("spring", "a")
    plan = planned(desired(spring, a, link), live())
    assert change_of(plan, link).steps[0].call.body == {
        "action": "associate",
        "selectedLists": (Ref(list_at("a")),),
    }


def test_naming_a_live_link_again_keeps_what_it_tells():
    spring, a, b = a_campaign("spring"), a_list("a"), a_list("b")
    old, new = an_association("spring", "a"), an_association("spring", "b", moc="phone")
    seen = live(
        live_list("1", "a list"),
        live_list("2", "b list"),
        live_campaign("c1", "spring calls"),
        links=[("c1", "1", {"moc": "phone"})],
    )
    known = inventory(owned(a, "1"), owned(b, "2"), owned(spring, "c1"), owned(old, "c1+1"))
    plan = planned(desired(spring, a, b, old, new), seen, known)
    assert change_of(plan, new).steps[0].call.body["moc"] == "phone"


def several(**settings: str) -> tuple[Plan, list[object]]:
    """A new list on a campaign that has another one which nobody declares."""
    spring, b = a_campaign("spring"), a_list("b")
    link = an_association("spring", "b", moc="phone")
    seen = live(
        live_list("1", "a list"),
        live_list("2", "b list"),
        live_campaign("c1", "spring calls"),
        links=[("c1", "1")],
    )
    plan = planned(desired(spring, b, link, **settings), seen, inventory(owned(b, "2"), owned(spring, "c1")))
    return plan, [s.call.body for s in change_of(plan, link).steps]


def test_an_undeclared_link_makes_a_difference():
    plan, sent = several()
    assert blocking(plan) == ["intelepeer-associate-semantics-unknown"]
    assert sent == []
    plan, sent = several(associateSemantics="add")
    assert blocking(plan) == []
    assert sent == [{"action": "associate", "selectedLists": ("2",), "moc": "phone"}]
    # How the undeclared link is set cannot be read, so naming it again would be a guess.
    plan, sent = several(associateSemantics="replace")
    assert blocking(plan) == ["intelepeer-associate-attributes"]
    assert sent == []


def test_where_associating_replaces_an_undeclared_link_that_is_alike_is_named_again():
    spring, b = a_campaign("spring"), a_list("b")
    link = an_association("spring", "b", moc="phone")
    seen = live(
        live_list("1", "a list"),
        live_list("2", "b list"),
        live_campaign("c1", "spring calls"),
        links=[("c1", "1", {"moc": "phone"})],
    )
    known = inventory(owned(b, "2"), owned(spring, "c1"))
    plan = planned(desired(spring, b, link, associateSemantics="replace"), seen, known)
    (step,) = change_of(plan, link).steps
    assert step.call.body == {"action": "associate", "selectedLists": ("2", "1"), "moc": "phone"}


def different(**settings: str) -> Plan:
    """Two new lists whose attributes differ."""
    resources = [
        a_campaign("spring"),
        a_list("a"),
        a_list("b"),
        an_association("spring", "a", moc="phone"),
        an_association("spring", "b", moc="mobile"),
    ]
    return planned(desired(*resources, **settings), live())


def test_attributes_that_differ_make_a_difference():
    unknown = different()
    assert blocking(unknown) == ["intelepeer-associate-semantics-unknown"] * 2
    added = different(associateSemantics="add")
    assert blocking(added) == []
    links = [c for c in added.changes if c.address.kind is Kind.ASSOCIATION]
    assert [c.steps[0].call.body["moc"] for c in links] == ["phone", "mobile"]
    assert [c.carried_by for c in links] == [None, None]
    assert blocking(different(associateSemantics="replace")) == ["intelepeer-associate-attributes"] * 2


def test_associating_with_an_active_campaign_starts_contacting():
    spring, a = a_campaign("spring"), a_list("a")
    link, members = an_association("spring", "a"), a_membership("a", ANNA, BORIS)
    seen = live(
        live_list("1", "a list"),
        live_campaign("c1", "spring calls", active=True, state="published"),
        contacts={"1": ["x1", "x2", "x3"]},
    )
    known = inventory(
        owned(a, "1"),
        owned(spring, "c1"),
        Owned(address=members.address, provider="intelepeer", remote_id=RemoteId("1"), parent=RemoteId("1")),
    )
    plan = planned(desired(spring, a, link, members, membershipMode="append"), seen, known)
    change = change_of(plan, link)
    assert change.contact_class is STARTS
    assert change.reach.count == 5
    assert change.approvals == {Approval.ASSOCIATE, Approval.CONTACT}
    # The upload comes first, while the list feeds nothing that is active.
    upload = change_of(plan, members)
    assert (upload.contact_class, upload.reach.count) == (SILENT, 0)
    assert members.address in change.requires
    assert plan.reach == 5


def test_carried_associations_with_an_active_campaign_need_the_approval_too():
    spring, a, b = a_campaign("spring"), a_list("a"), a_list("b")
    links = [an_association("spring", name) for name in "ab"]
    seen = live(
        live_list("1", "a list"),
        live_list("2", "b list"),
        live_campaign("c1", "spring calls", active=True, state="published"),
        contacts={"1": ["x1"], "2": ["x2", "x3"]},
    )
    known = inventory(owned(a, "1"), owned(b, "2"), owned(spring, "c1"))
    plan = planned(desired(spring, a, b, *links), seen, known)
    assert [change_of(plan, link).contact_class for link in links] == [STARTS, STARTS]
    assert [change_of(plan, link).reach.count for link in links] == [1, 2]


def test_changed_attributes_are_sent_again_with_a_warning():
    spring, a = a_campaign("spring"), a_list("a")
    link = an_association("spring", "a", moc="phone", autoDetectTZ=True)
    seen = live(
        live_list("1", "a list"),
        live_campaign("c1", "spring calls"),
        links=[("c1", "1", {"moc": "mobile", "autoDetectTZ": True})],
    )
    known = inventory(owned(a, "1"), owned(spring, "c1"), owned(link, "c1+1"))
    plan = planned(desired(spring, a, link), seen, known)
    change = change_of(plan, link)
    assert isinstance(change, Update)
    assert codes(plan.diagnostics) == ["intelepeer-association-rewrite"]
    (step,) = change.steps
    assert step.call.body["moc"] == "phone"
    assert isinstance(step.effect, Linked)
    assert step.effect.attributes == {"moc": "phone"}


def test_attributes_that_are_not_told_are_no_difference():
    spring, a = a_campaign("spring"), a_list("a")
    link = an_association("spring", "a", moc="phone", autoDetectTZ=True)
    seen = live(live_list("1", "a list"), live_campaign("c1", "spring calls"), links=[("c1", "1")])
    known = inventory(owned(a, "1"), owned(spring, "c1"), owned(link, "c1+1"))
    assert planned(desired(spring, a, link), seen, known).changes == ()


def test_a_link_is_not_taken_away_alone():
    spring, a = a_campaign("spring"), a_list("a")
    link = an_association("spring", "a", lifecycle=DELETE)
    seen = live(live_list("1", "a list"), live_campaign("c1", "spring calls"), links=[("c1", "1")])
    known = inventory(owned(a, "1"), owned(spring, "c1"), owned(link, "c1+1"))
    plan = planned(desired(spring, a), seen, known)
    assert blocking(plan) == ["intelepeer-no-dissociate"]
    assert without_steps(plan)


@pytest.mark.parametrize("kind", [Kind.CAMPAIGN, Kind.LIST])
def test_a_link_goes_with_either_end(kind):
    spring, a = a_campaign("spring", lifecycle=DELETE), a_list("a", lifecycle=DELETE)
    link = an_association("spring", "a", lifecycle=DELETE)
    seen = live(live_list("1", "a list"), live_campaign("c1", "spring calls"), links=[("c1", "1")])
    known = inventory(owned(a, "1"), owned(spring, "c1"), owned(link, "c1+1"))
    kept = a if kind is Kind.CAMPAIGN else spring
    plan = planned(desired(kept), seen, known)
    assert blocking(plan) == []
    change = change_of(plan, link)
    assert change.carried_by == (spring.address if kind is Kind.CAMPAIGN else a.address)
    assert (change.steps, change.deletes) == ((), 0)


def test_a_list_that_is_deleted_makes_no_difference_to_associating():
    spring, a, b = a_campaign("spring"), a_list("a", lifecycle=DELETE), a_list("b")
    link = an_association("spring", "b")
    seen = live(
        live_list("1", "a list"),
        live_list("2", "b list"),
        live_campaign("c1", "spring calls"),
        links=[("c1", "1")],
    )
    known = inventory(owned(a, "1"), owned(b, "2"), owned(spring, "c1"))
    plan = planned(desired(spring, b, link), seen, known)
    assert blocking(plan) == []
    assert change_of(plan, link).steps[0].call.body["selectedLists"] == ("2",)


# Memberships


def test_upload_in_batches():
    a = a_list("a", headers=("firstname", "tier", "phone"))
    members = a_membership("a", ANNA, BORIS, CLARA, firstname=["Anna", None, "Clara"], tier=["1", "2", None])
    seen = live(live_list("1", "a list", headers=("firstname", "tier", "phone")))
    plan = planned(desired(a, members, membershipMode="append"), seen, inventory(owned(a, "1")))
    change = change_of(plan, members)
    (step,) = change.steps
    assert (step.call.method, step.call.path) == (Method.PUT, ("_rest", "v2", "lists", "1", "uploadcontacts"))
    assert step.call.body == {
        "contactInfo": Each(
            {
                "phone": Column("number"),
                "metadata": {"firstname": Column("firstname"), "tier": Column("tier")},
            }
        )
    }
    assert step.chunk == 100
    assert step.effect == MembersAdded(of=RemoteId("1"), known_ids=frozenset(), counted=True)
    assert (change.contact_class, change.reach.count) == (SILENT, 0)
    assert step.request({}).body == {
        "contactInfo": (
            {"phone": ANNA, "metadata": {"firstname": "Anna", "tier": "1"}},
            {"phone": BORIS, "metadata": {"tier": "2"}},
            {"phone": CLARA, "metadata": {"firstname": "Clara"}},
        )
    }


def test_an_upload_remembers_who_was_there_and_starts_contacting_on_an_active_campaign():
    a, members = a_list("a"), a_membership("a", ANNA)
    seen = live(
        live_list("1", "a list"),
        live_campaign("c1", "spring calls", active=True, state="published"),
        links=[("c1", "1")],
        contacts={"1": ["x1", "x2"]},
    )
    ledger = Owned(address=members.address, provider="intelepeer", remote_id=RemoteId("1"), parent=RemoteId("1"))
    plan = planned(desired(a, members, membershipMode="append"), seen, inventory(owned(a, "1"), ledger))
    change = change_of(plan, members)
    (step,) = change.steps
    assert isinstance(step.effect, MembersAdded)
    assert step.effect.known_ids == {"x1", "x2"}
    assert step.call.body == {"contactInfo": Each({"phone": Column("number")})}
    assert (change.contact_class, change.reach.count) == (STARTS, 1)
    assert Approval.CONTACT in change.approvals


def test_uploads_to_one_list_never_run_side_by_side():
    a = a_list("a")
    first, second = a_membership("a", ANNA, name="one"), a_membership("a", BORIS, name="two")
    plan = planned(desired(a, first, second, membershipMode="append"), live())
    assert first.address in change_of(plan, second).requires
    assert second.address not in change_of(plan, first).requires


def test_nobody_is_uploaded_unless_the_account_asks_for_it():
    a, members = a_list("a"), a_membership("a", ANNA)
    plan = planned(desired(a, members), live(live_list("1", "a list")), inventory(owned(a, "1")))
    assert blocking(plan) == ["intelepeer-membership-off"]
    assert change_of(plan, members).steps == ()


def test_unknown_members_are_not_added_to():
    a, members = a_list("a"), a_membership("a", ANNA)
    seen = live(live_list("1", "a list"), contacts={"1": ["x1"]})
    plan = planned(desired(a, members, membershipMode="append"), seen, inventory(owned(a, "1")))
    assert blocking(plan) == ["unknown-members"]


# Whatever the situation


def test_no_plan_ever_runs_a_campaign():
    spring = a_campaign("spring", state="published", description="new")
    lists = [a_list(name, lifecycle=REPLACE, headers=("phone",)) for name in "abc"]
    links = [an_association("spring", name, moc="phone") for name in "abc"]
    members = [a_membership(name, ANNA, BORIS) for name in "abc"]
    everything = [spring, *lists, *links, *members]
    worlds = [
        live(),
        linked_world("a", "b", "c"),
        linked_world("a", "b", "c", links=["1", "2"]),
        linked_world("a", "b", "c", links=["1", "2", "3"], active=True),
    ]
    inventories = [
        inventory(),
        inventory(owned(spring, "c1", state="draft"), *(owned(x, str(i + 1)) for i, x in enumerate(lists))),
        inventory(owned(spring, "c1")),
    ]
    seen = []
    for world in worlds:
        for known in inventories:
            for semantics in ("unknown", "add", "replace"):
                settings = {"membershipMode": "append", "associateSemantics": semantics}
                for wanted in (desired(*everything, **settings), desired(spring, *lists, *links, **settings)):
                    for body in bodies(planned(wanted, world, known)):
                        seen.append(body.get("action") if isinstance(body, Mapping) else None)
    assert {*seen} == {None, "associate", "publish"}
    assert len(seen) > 50


def test_the_same_inputs_give_the_same_calls():
    def once() -> list[tuple[str, object]]:
        plan = different(associateSemantics="add")
        return [(str(c.address), s.call) for c in plan.changes for s in c.steps]

    assert once() == once()


def test_every_diagnostic_of_this_provider_is_in_the_table():
    plans = [several()[0], different(), different(associateSemantics="replace")]
    found = {d.code for plan in plans for d in plan.diagnostics if d.code.startswith("intelepeer-")}
    assert found <= CODES.keys()


def test_creates_are_the_only_changes_of_an_empty_account():
    plan = planned(desired(a_list("a"), a_campaign("b")), live())
    assert all(isinstance(c, Create) for c in plan.changes)
