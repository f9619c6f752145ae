"""Decisions turned into calls: situations as data, through the real planner."""

from __future__ import annotations

from typing import Any

import pytest
from exotel_world import (
    BIFF,
    DELETE,
    DOC,
    FLOW,
    JENNY,
    MARTY,
    SOON,
    a_campaign,
    a_link,
    a_list,
    a_membership,
    account,
    by_name,
    codes,
    crowd,
    desired,
    inventory,
    live,
    live_campaign,
    live_list,
    owns,
    path,
    people,
    planned,
    steps,
)
from exotel_world import body as body_of

from reconciler.diagnostics import Severity
from reconciler.model.addresses import Kind, RemoteId, link_id
from reconciler.model.kinds import ContactClass
from reconciler.model.resources import Lifecycle
from reconciler.plan.calls import Phase, Ref
from reconciler.plan.changes import Adopt, Approval, Create, Delete, Forget, Update
from reconciler.providers.exotel import PROVIDER

LIST, CAMPAIGN, LINK, MEMBERS = Kind.LIST, Kind.CAMPAIGN, Kind.ASSOCIATION, Kind.MEMBERSHIP
SILENT, NOTIFIES, DIALS = ContactClass.SILENT, ContactClass.MAY_NOTIFY, ContactClass.STARTS_CONTACTING
ROUND = (a_list("vip"), a_campaign("round"), a_link("round", "vip"))
OWNED = inventory(
    owns(LIST, "vip", "L1"),
    owns(CAMPAIGN, "round", "C1"),
    owns(LINK, "round--vip", link_id(RemoteId("C1"), RemoteId("L1"))),
)


def the_round(**more: Any) -> Any:
    return live(live_list("L1", "Vip"), live_campaign("C1", "Round", lists=["L1"], **more))


# --- lists


def test_lists_are_created_changed_with_all_they_declare_and_deleted() -> None:
    made = planned(desired(a_list("vip", tag="spring")), live())
    ((_, step),) = steps(made)
    assert (path(step), step.phase) == ("POST lists", Phase.LIST)
    assert body_of(step) == {"lists": ({"name": "Vip", "tag": "spring"},)}

    changed = planned(
        desired(a_list("vip", tag="spring")), live(live_list("L1", "Vip")), inventory(owns(LIST, "vip", "L1"))
    )
    ((_, step),) = steps(changed)
    assert path(step) == "PUT lists/L1"
    assert body_of(step) == {"name": "Vip", "tag": "spring"}

    owned = inventory(owns(LIST, "vip", "L1", on_remove="delete"))
    ((_, step),) = steps(planned(desired(), live(live_list("L1", "Vip")), owned))
    assert (path(step), step.phase) == ("DELETE lists/L1", Phase.LIST_DELETE)


def test_lists_share_one_call_to_create_and_one_to_change_them() -> None:
    wanted = desired(*(a_list(n, tag="new") for n in ("a", "b", "c", "d", "e")), a_membership("b", people(MARTY)))
    now = live(live_list("L3", "C"), live_list("L4", "D", "old"))
    owned = inventory(owns(LIST, "c", "L3"), owns(LIST, "d", "L4"))
    plan = planned(wanted, now, owned)
    (_, create), (_, update) = [(name, step) for name, step in steps(plan) if step.phase is Phase.LIST]
    assert (path(create), path(update)) == ("POST lists", "PUT lists")
    assert body_of(create) == {"lists": tuple({"name": n, "tag": "new"} for n in ("A", "B", "E"))}
    assert body_of(update) == {
        "lists": ({"sid": "L3", "name": "C", "tag": "new"}, {"sid": "L4", "name": "D", "tag": "new"})
    }
    changes = by_name(plan)
    assert [p.address.name for p in changes["List/a"].parts] == ["a", "b", "e"]
    assert [changes[f"List/{n}"].carried_by for n in "abcde"] == [
        None,
        changes["List/a"].address,
        None,
        changes["List/c"].address,
        changes["List/a"].address,
    ]
    # What needs a list waits for that list, whoever carries it.
    assert changes["List/b"].address in changes["Membership/b-members"].requires
    assert changes["List/a"].address not in changes["Membership/b-members"].requires
    assert plan.call_count == 2 + len([s for _, s in steps(plan) if s.rows is not None])


@pytest.mark.parametrize(("settings", "calls"), [({}, 2), ({"listBulkSize": 200}, 3), ({"listBulkSize": 5000}, 1)])
def test_bulk_calls_of_lists_are_filled(settings: Any, calls: int) -> None:
    wanted = desired(*(a_list(f"l{n}") for n in range(501)), **settings)
    assert planned(wanted, live()).call_count == calls
    now = live(*(live_list(f"L{n}", f"L{n}", "x") for n in range(501)))
    wanted = desired(*(a_list(f"l{n}", tag="") for n in range(501)), **settings)
    assert planned(wanted, now).call_count == (3 if settings.get("listBulkSize") == 200 else 1)


def test_a_list_that_an_open_campaign_has_stays() -> None:
    owned = inventory(owns(LIST, "vip", "L1", on_remove="delete"))
    plan = planned(desired(), the_round(), owned)
    assert codes(plan) == ["exotel-list-in-use"]
    assert steps(plan) == []
    assert codes(planned(desired(), the_round(status="completed"), owned)) == []


def test_a_list_goes_after_its_campaign() -> None:
    owned = inventory(owns(LIST, "vip", "L1", on_remove="delete"), owns(CAMPAIGN, "round", "C1", on_remove="delete"))
    plan = planned(desired(), the_round(), owned)
    assert [path(s) for _, s in steps(plan)] == ["DELETE campaigns/C1", "DELETE lists/L1"]
    assert by_name(plan)["List/vip"].requires == (by_name(plan)["Campaign/round"].address,)


# --- members


def test_unknown_people_are_found_or_created_and_then_added() -> None:
    plan = planned(desired(a_list("vip"), a_membership("vip", people(MARTY, DOC, first_name=["Marty", None]))), live())
    assert [path(s) for _, s in steps(plan)] == ["POST lists", "POST contacts", "POST lists/?/contacts"]
    _, create, add = (s for _, s in steps(plan))
    assert body_of(create) == {"contacts": ({"number": MARTY, "first_name": "Marty"}, {"number": DOC})}
    assert (create.phase, create.chunk, add.chunk) == (Phase.CONTACT, 1000, 1000)
    assert "contact_id" in (add.rows.columns if add.rows is not None else ())
    assert {s.contact_class for _, s in steps(plan)} == {SILENT}
    assert plan.reach == 0


@pytest.mark.parametrize(("people_", "size", "calls"), [(5000, 1000, 5 + 5), (5001, 5000, 2 + 2), (999, 1000, 2)])
def test_bulk_calls_are_filled_to_the_account_s_size(people_: int, size: int, calls: int) -> None:
    plan = planned(desired(a_list("vip"), a_membership("vip", crowd(people_)), bulkSize=size), live())
    assert sum(s.count for _, s in steps(plan)) == 1 + calls


def test_known_people_are_added_without_being_created_and_removed_one_by_one() -> None:
    on_list = people(DOC, BIFF, contact_id=["c2", "c3"])
    elsewhere = people(MARTY, contact_id=["c1"])
    wanted = desired(
        a_list("vip"), a_list("old"), a_membership("vip", people(MARTY, DOC)), a_membership("old", elsewhere)
    )
    now = live(live_list("L1", "Vip"), live_list("L2", "Old"), members={"L1": on_list, "L2": elsewhere})
    from msgspec.structs import replace

    plan = planned(
        wanted, replace(now, contacts=elsewhere), inventory(owns(LIST, "vip", "L1"), owns(LIST, "old", "L2"))
    )
    found = [s for name, s in steps(plan) if name == "Membership/vip-members"]
    assert [path(s) for s in found] == ["DELETE lists/L1/contacts/?", "POST lists/L1/contacts"]
    assert next(iter(found[0].batches())).request({}).path[-1] == "c3"
    assert body_of(found[1]) == {"contact_references": ({"contact_sid": "c1"},)}


def test_sync_writes_what_creating_a_contact_that_exists_would_not() -> None:
    rows = people(MARTY, first_name=["Marty"])
    plan = planned(desired(a_list("vip"), a_membership("vip", rows, contact_attributes="sync")), live())
    assert [path(s) for _, s in steps(plan)][1:] == ["POST contacts", "PUT contacts", "POST lists/?/contacts"]


def test_a_large_first_load_goes_as_one_file() -> None:
    wanted = desired(a_list("vip"), a_membership("vip", crowd(300)), csvUploadFrom=300)
    plan = planned(wanted, live())
    assert [path(s) for _, s in steps(plan)] == ["POST lists", "POST contacts/csv-upload"]
    upload = steps(plan)[1][1]
    parts = body_of(upload)
    assert (parts["list_name"], parts["type"], len(parts["file_name"])) == ("Vip", "static", 300)
    assert upload.count == 1


@pytest.mark.parametrize(
    ("contacts", "on_list", "settings", "more"),
    [
        (crowd(299), None, {"csvUploadFrom": 300}, {}),
        (crowd(300), None, {"csvUploadFrom": 0}, {}),
        (crowd(300), people(MARTY, contact_id=["c1"]), {"csvUploadFrom": 300}, {}),
        (crowd(300).with_column("tag", "x"), None, {"csvUploadFrom": 300}, {"contact_attributes": "sync"}),
    ],
)
def test_otherwise_it_goes_in_bulk_calls(contacts: Any, on_list: Any, settings: Any, more: Any) -> None:
    now = live(*([live_list("L1", "Vip")] if on_list else []), members={"L1": on_list} if on_list else {})
    plan = planned(desired(a_list("vip"), a_membership("vip", contacts, exact=False, **more), **settings), now)
    assert "POST contacts/csv-upload" not in [path(s) for _, s in steps(plan)]


def test_a_file_is_not_sent_under_a_name_that_the_list_does_not_have_yet() -> None:
    wanted = desired(a_list("vip", "New name"), a_membership("vip", crowd(300)), csvUploadFrom=300)
    now = live(live_list("L1", "Old name"), members={"L1": people()})
    plan = planned(wanted, now, inventory(owns(LIST, "vip", "L1")))
    assert "POST contacts/csv-upload" not in [path(s) for _, s in steps(plan)]


def test_a_list_holds_a_hundred_thousand() -> None:
    plan = planned(desired(a_list("vip"), a_membership("vip", people(MARTY), exact=False)), live())
    assert codes(plan) == []
    full = people(*(f"+1212{n:07d}" for n in range(100_000)))
    now = live(live_list("L1", "Vip"), members={"L1": full})
    plan = planned(desired(a_list("vip"), a_membership("vip", people(MARTY), exact=False)), now)
    assert codes(plan) == ["exotel-list-full"]
    assert plan.blocking


def test_many_removals_say_how_long_they_take() -> None:
    on_list = crowd(90).with_column("contact_id", "c")
    plan = planned(
        desired(a_list("vip"), a_membership("vip", people(), allow_empty=True)),
        live(live_list("L1", "Vip"), members={"L1": on_list}),
        inventory(owns(LIST, "vip", "L1")),
    )
    (note,) = [d for d in plan.diagnostics if d.code == "exotel-slow-removal"]
    assert (note.severity, "about 3 min at 30 a minute" in note.message) == (Severity.NOTE, True)


CLASSES = [
    ("created", "static", SILENT),
    ("paused", "static", SILENT),
    ("completed", "static", SILENT),
    ("inprogress", "static", NOTIFIES),
    ("inprogress", "dynamic", DIALS),
]


@pytest.mark.parametrize(("status", "kind", "weight"), CLASSES)
def test_members_weigh_what_the_campaigns_of_their_list_do(status: str, kind: str, weight: ContactClass) -> None:
    now = live(
        live_list("L1", "Vip"),
        live_campaign("C1", "Round", status=status, lists=["L1"], campaign_type=kind),
        members={"L1": people(DOC, contact_id=["c2"])},
    )
    wanted = desired(a_list("vip"), a_membership("vip", people(MARTY)))
    plan = planned(wanted, now, inventory(owns(LIST, "vip", "L1")))
    change = by_name(plan)["Membership/vip-members"]
    assert change.contact_class is weight
    assert (Approval.CONTACT in change.approvals) is (weight is DIALS)
    removal = next(s for _, s in steps(plan) if s.title == "remove members")
    assert removal.contact_class is SILENT
    assert plan.reach == (0 if status == "completed" else 1)
    assert ("exotel-campaign-running" in codes(plan)) is (status == "inprogress" and kind == "static")


# --- campaigns


def test_a_campaign_is_one_call_with_its_lists_and_comes_last() -> None:
    plan = planned(desired(*ROUND, a_membership("vip", people(MARTY, DOC))), live())
    name, step = steps(plan)[-1]
    assert (name, path(step), step.phase) == ("Campaign/round", "POST campaigns", Phase.ARM)
    assert body_of(step) == {
        "campaigns": (
            {
                "name": "Round",
                "caller_id": "03349360005",
                "url": FLOW,
                "schedule": {"send_at": SOON},
                "lists": (Ref(ROUND[0].address),),
            },
        )
    }
    changes = by_name(plan)
    campaign, link = changes["Campaign/round"], changes["Association/round--vip"]
    assert (campaign.contact_class, campaign.call_count) == (DIALS, 1)
    assert (link.carried_by, link.call_count, link.contact_class) == (campaign.address, 0, SILENT)
    assert campaign.approvals >= {Approval.CREATE, Approval.CONTACT}
    assert plan.reach == 2
    assert set(campaign.requires) | set(campaign.arm_after) >= {
        changes["List/vip"].address,
        changes["Membership/vip-members"].address,
    }


@pytest.mark.parametrize(
    ("resources", "code"),
    [
        ((a_list("vip"), a_campaign("round")), "exotel-campaign-without-list"),
        ((*ROUND[:1], a_campaign("round", schedule=...), ROUND[2]), "exotel-schedule"),
        ((*ROUND[:1], a_campaign("round", state="completed"), ROUND[2]), "exotel-campaign-finished"),
        (
            (a_campaign("round"), *(x for n in "abcdef" for x in (a_list(n), a_link("round", n)))),
            "exotel-too-many-lists",
        ),
        (
            (a_campaign("round", campaign_type="dynamic"), *(x for n in "ab" for x in (a_list(n), a_link("round", n)))),
            "exotel-too-many-lists",
        ),
    ],
)
def test_a_campaign_that_cannot_be_is_refused(resources: Any, code: str) -> None:
    plan = planned(desired(*resources), live())
    assert code in codes(plan)
    assert plan.blocking
    assert not any(path(s).endswith("campaigns") for _, s in steps(plan))


def test_a_new_campaign_may_wait() -> None:
    resources = (ROUND[0], a_campaign("round", state="paused"), ROUND[2])
    found = [(path(s), s.contact_class) for _, s in steps(planned(desired(*resources), live()))]
    assert found[1:] == [("POST campaigns", DIALS), ("PUT campaigns/?", SILENT)]


def test_a_campaign_that_is_over_does_not_stand_for_a_new_one_of_its_name() -> None:
    plan = planned(desired(*ROUND), the_round(status="completed"), inventory(owns(LIST, "vip", "L1")))
    assert isinstance(by_name(plan)["Campaign/round"], Create)
    again = planned(desired(*ROUND), the_round(status="completed"), OWNED)
    assert again.changes == ()


def test_open_namesakes_are_ambiguous_and_one_is_adopted() -> None:
    assert isinstance(by_name(planned(desired(*ROUND), the_round()))["Campaign/round"], Adopt)
    two = live(live_list("L1", "Vip"), *(live_campaign(i, "Round", lists=["L1"]) for i in ("C1", "C2")))
    assert "ambiguous-name" in codes(planned(desired(*ROUND), two))


EDITS = [
    ({"retries": {"number_of_retries": 1, "interval_mins": 5}}, NOTIFIES, Phase.CAMPAIGN),
    ({"status_callback": "https://hooks.example.com/c"}, NOTIFIES, Phase.CAMPAIGN),
    ({"schedule": {"send_at": "2099-03-03T09:00:00+05:30"}}, DIALS, Phase.ARM),
]


@pytest.mark.parametrize(("fields", "weight", "phase"), EDITS)
def test_an_edit_sends_every_declared_field_and_all_lists(fields: Any, weight: ContactClass, phase: Phase) -> None:
    campaign = a_campaign("round", **fields)
    plan = planned(desired(ROUND[0], campaign, ROUND[2]), the_round(), OWNED)
    ((_, step),) = steps(plan)
    assert (path(step), step.contact_class, step.phase) == ("PUT campaigns/C1", weight, phase)
    assert body_of(step) == {"campaigns": ({**campaign.fields, "lists": ("L1",)},)}


@pytest.mark.parametrize(
    "fields",
    [
        {"caller_id": "+913349360005"},
        {"url": FLOW.replace("http", "https")},
        {"schedule": {"send_at": "2099-02-02T03:30:00Z"}},
    ],
)
def test_other_spellings_and_what_nobody_declares_are_no_difference(fields: Any) -> None:
    now = the_round(
        schedule={"send_at": SOON, "end_at": "2099-02-02T18:00:00+05:30"},
        retries={"number_of_retries": 0},
        mode="auto",
    )
    plan = planned(desired(ROUND[0], a_campaign("round", **fields), ROUND[2]), now, OWNED)
    assert plan.changes == ()


def test_once_started_only_callbacks_change() -> None:
    callback = a_campaign("round", status_callback="https://hooks.example.com/c")
    plan = planned(desired(ROUND[0], callback, ROUND[2]), the_round(status="inprogress"), OWNED)
    ((_, step),) = steps(plan)
    assert body_of(step) == {"campaigns": ({"status_callback": "https://hooks.example.com/c"},)}
    other = a_campaign("round", custom_field="x", lifecycle=Lifecycle(replace=True))
    plan = planned(desired(ROUND[0], other, ROUND[2]), the_round(status="inprogress"), OWNED)
    assert (codes(plan), steps(plan)) == (["exotel-campaign-started"], [])
    more = planned(desired(*ROUND, a_list("b"), a_link("round", "b")), the_round(status="inprogress"), OWNED)
    assert "exotel-campaign-started" in codes(more)
    assert "PUT campaigns/C1" not in [path(s) for _, s in steps(more)]


def test_joining_and_leaving_lists_is_one_call_and_needs_approval_by_name() -> None:
    now = live(
        live_list("L1", "Vip"),
        live_list("L2", "B"),
        live_campaign("C1", "Round", lists=["L1"]),
        members={"L2": people(MARTY, JENNY, contact_id=["c1", "c4"]), "L1": people(MARTY, contact_id=["c1"])},
    )
    plan = planned(desired(*ROUND, a_list("b"), a_link("round", "b")), now, OWNED)
    change = by_name(plan)["Association/round--b"]
    (step,) = change.steps
    assert (path(step), step.phase, change.contact_class) == ("PUT campaigns/C1", Phase.ASSOCIATION, DIALS)
    assert body_of(step)["campaigns"][0]["lists"] == ("L1", "L2")
    assert [*change.reach.numbers.numbers()] == [JENNY]

    owned = inventory(
        *OWNED.owned.values(),
        owns(LIST, "b", "L2"),
        owns(LINK, "round--b", link_id(RemoteId("C1"), RemoteId("L2")), on_remove="delete"),
    )
    both = live(live_list("L1", "Vip"), live_list("L2", "B"), live_campaign("C1", "Round", lists=["L1", "L2"]))
    plan = planned(desired(*ROUND, a_list("b")), both, owned)
    ((name, step),) = steps(plan)
    assert (name, step.phase) == ("Association/round--b", Phase.DISSOCIATE)
    assert body_of(step)["campaigns"][0]["lists"] == ("L1",)


def test_the_last_list_cannot_go() -> None:
    owned = inventory(
        owns(LIST, "vip", "L1"),
        owns(LINK, "round--vip", link_id(RemoteId("C1"), RemoteId("L1")), on_remove="delete"),
    )
    plan = planned(desired(a_list("vip")), the_round(), owned)
    assert (codes(plan), steps(plan)) == (["exotel-campaign-without-list"], [])


def test_lists_that_are_not_told_are_not_compared() -> None:
    now = live(live_list("L1", "Vip"), live_campaign("C1", "Round", complete=False))
    plan = planned(desired(*ROUND), now, OWNED)
    assert (codes(plan), plan.changes, plan.blocking) == (["exotel-lists-unknown"], (), ())


STATES = [
    ("created", "paused", ["pause"], SILENT),
    ("inprogress", "paused", ["pause"], SILENT),
    ("paused", "active", ["resume"], DIALS),
    ("inprogress", "completed", ["pause", "complete"], SILENT),
    ("paused", "archived", ["complete", "archive"], SILENT),
    ("completed", "archived", ["archive"], SILENT),
]


@pytest.mark.parametrize(("status", "wanted", "actions", "weight"), STATES)
def test_states_are_reached_by_actions(status: str, wanted: str, actions: list[str], weight: ContactClass) -> None:
    plan = planned(desired(ROUND[0], a_campaign("round", state=wanted), ROUND[2]), the_round(status=status), OWNED)
    assert [body_of(s)["campaigns"][0] for _, s in steps(plan)] == [{"action": a} for a in actions]
    assert by_name(plan)["Campaign/round"].contact_class is weight
    assert ("exotel-completes-campaign" in codes(plan)) is ("complete" in actions)


def test_what_is_over_is_history() -> None:
    wanted = desired(
        ROUND[0], a_campaign("round", state="active", custom_field="x"), a_list("b"), a_link("round", "b"), ROUND[2]
    )
    owned = inventory(*OWNED.owned.values(), owns(LIST, "b", "L2"))
    now = live(
        live_list("L1", "Vip"), live_list("L2", "B"), live_campaign("C1", "Round", status="failed", lists=["L1"])
    )
    plan = planned(wanted, now, owned)
    assert (codes(plan), plan.changes) == (["exotel-campaign-finished"], ())


DELETES = [
    ("created", ["DELETE campaigns/C1"], Delete),
    ("inprogress", ["PUT campaigns/C1"] * 3, Delete),
    ("paused", ["PUT campaigns/C1"] * 2, Delete),
    ("completed", ["PUT campaigns/C1"], Delete),
    ("canceled", [], Forget),
    ("archived", [], Forget),
]


@pytest.mark.parametrize(("status", "requests", "action"), DELETES)
def test_a_campaign_is_deleted_or_stopped_for_good(status: str, requests: list[str], action: type) -> None:
    owned = inventory(owns(LIST, "vip", "L1"), owns(CAMPAIGN, "round", "C1", on_remove="delete"))
    plan = planned(desired(a_list("vip")), the_round(status=status), owned)
    assert [path(s) for _, s in steps(plan)] == requests
    change = by_name(plan)["Campaign/round"]
    assert isinstance(change, action)
    assert change.contact_class is SILENT
    assert all(s.phase is Phase.CAMPAIGN_DELETE for _, s in steps(plan))


def test_edits_and_links_of_one_campaign_are_one_call() -> None:
    resources = (ROUND[0], a_campaign("round", custom_field="x"), a_list("b"), a_link("round", "b"), ROUND[2])
    plan = planned(desired(*resources), the_round(), OWNED)
    assert [path(s) for _, s in steps(plan)] == ["POST lists", "PUT campaigns/C1"]
    link = by_name(plan)["Association/round--b"]
    assert link.carried_by == by_name(plan)["Campaign/round"].address
    assert link.contact_class is DIALS
    assert isinstance(by_name(plan)["Campaign/round"], Update)


# --- checks


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        (a_list("vip", " Vip"), "exotel-name"),
        (a_list("vip", "x" * 61), "exotel-name"),
        (a_list("vip", "a\tb"), "exotel-name"),
        (a_campaign("round", "abc"), "exotel-name"),
        (a_campaign("round", url=...), "exotel-campaign-field"),
        (a_campaign("round", flow_type="ivr"), "exotel-campaign-field"),
        (a_campaign("round", url=..., flow_type="greeting"), "exotel-campaign-field"),
        (a_campaign("round", mode="custom"), "exotel-campaign-field"),
        (a_campaign("round", throttle=5), "exotel-campaign-field"),
        (a_campaign("round", repeat_menu_attempts=2), "exotel-campaign-field"),
        (a_campaign("round", retries={"number_of_retries": 2}), "exotel-campaign-field"),
        (a_campaign("round", schedule={"send_at": "tomorrow"}), "exotel-schedule"),
        (a_campaign("round", schedule={"send_at": "2099-02-02T09:00:00"}), "exotel-schedule"),
        (a_campaign("round", schedule={"send_at": SOON, "end_at": SOON}), "exotel-schedule"),
        (a_membership("vip", people(MARTY, shoe_size=["9"])), "exotel-attribute"),
    ],
)
def test_what_no_network_is_needed_for(resource: Any, code: str) -> None:
    wanted = desired(a_list("other"), resource, a_link("round", "other"))
    found = {d.code for d in PROVIDER.rules.check(resource, account(), wanted)}
    assert found == {code}
    assert all(MARTY not in d.message for d in PROVIDER.rules.check(resource, account(), wanted))


def test_names_that_differ_by_case_only_and_campaigns_without_lists() -> None:
    one, two = a_list("a", "Renewals"), a_list("b", "RENEWALS")
    lonely = a_campaign("round")
    wanted = desired(one, two, lonely)
    assert [d.code for r in (one, two, lonely) for d in PROVIDER.rules.check(r, account(), wanted)] == [
        "exotel-name",
        "exotel-campaign-without-list",
    ]
    pinned = a_campaign("round", pinned="C1")
    assert [*PROVIDER.rules.check(pinned, account(), desired(one, pinned, a_link("C1", "a")))] == []


@pytest.mark.parametrize(
    "settings",
    [
        {"accountSid": "a/b"},
        {"accountSid": ""},
        {"region": "mars"},
        {"bulkSize": 5001},
        {"bulkSize": True},
        {"csvUploadFrom": -1},
    ],
)
def test_settings_that_cannot_be(settings: Any) -> None:
    assert [d.code for d in PROVIDER.check_account(account(**settings))] == ["exotel-setting"]
    assert PROVIDER.identity(account(**settings)) == ""


def test_a_region_is_a_host_and_part_of_the_identity() -> None:
    assert PROVIDER.identity(account("")) == "exotel:api.exotel.com:account=sandbox1"
    assert PROVIDER.identity(account("", region="mumbai")) == "exotel:api.in.exotel.com:account=sandbox1"
    assert DELETE.on_remove == "delete"
