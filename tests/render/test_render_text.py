"""The plan at a terminal: what the goldens do not pin down."""

from __future__ import annotations

import pytest
from plan_documents import change, members, plan, problem, summary

from reconciler.render import Format, render_plan
from reconciler.render.text import plan_text
from reconciler.render.words import NOTHING_TO_DO


def text(doc: dict[str, object], width: int = 100) -> str:
    return plan_text(doc, width=width, color=False)


def line_with(part: str, shown: str) -> str:
    return next(x for x in shown.splitlines() if part in x)


@pytest.mark.parametrize(
    ("address", "action", "symbol"),
    [
        ("main/List/x", "create", "  + "),
        ("main/List/x", "update", "  ~ "),
        ("main/List/x", "replace", "-/+ "),
        ("main/List/x", "delete", "  - "),
        ("main/List/x", "adopt", "  = "),
        ("main/List/x", "forget", "  . "),
        ("main/Association/x", "create", "  > "),
        ("main/Association/x", "delete", "  - "),
    ],
)
def test_symbols_carry_the_meaning(address: str, action: str, symbol: str) -> None:
    assert line_with("/x", text(plan(change(address, action)))).startswith(symbol)


def test_an_error_against_a_change_replaces_its_symbol() -> None:
    doc = plan(change(), diagnostics=[problem(address="main/List/join", code="cannot")])

    assert line_with("List/join", text(doc)).startswith("  ! List/join   blocked: cannot   create")


def test_a_warning_does_not() -> None:
    doc = plan(change(), diagnostics=[problem(address="main/List/join", severity="warning")])

    assert line_with("List/join", text(doc)).startswith("  + ")


def test_an_error_without_a_change_still_has_its_line_in_the_account() -> None:
    doc = plan(diagnostics=[problem(address="main/List/legacy", code="cannot")])

    shown = text(doc)
    assert "main\n  ! List/legacy   blocked: cannot\n" in shown
    assert "1 problem: this plan cannot be applied as it stands." in shown
    assert NOTHING_TO_DO not in shown


def test_nothing_to_do_is_said_only_when_everything_was_read() -> None:
    unread = {"name": "main", "provider": "slicktext", "identity": "", "counts": {}}
    account = {**unread, "problem": problem(address="main", code="provider-unreachable")}

    assert text(plan()) == f"{NOTHING_TO_DO}\n"
    assert NOTHING_TO_DO not in text(plan(accounts=[account]))


def test_a_problem_that_is_told_twice_is_printed_once() -> None:
    found = problem(address="main", code="provider-unreachable")
    account = {"name": "main", "provider": "slicktext", "identity": "", "counts": {}}
    doc = plan(accounts=[{**account, "problem": found}], diagnostics=[found])

    assert text(doc).count("error[provider-unreachable]") == 1


def test_danger_is_the_first_line() -> None:
    doc = plan(change(action="delete"), summary=summary(delete=1, startsContacting=7, reach=7))

    assert text(doc).splitlines()[0] == "! 7 people start being contacted, 1 delete"


def test_a_harmless_plan_raises_no_alarm() -> None:
    assert not text(plan(change())).startswith("!")


def test_an_unknown_number_of_people_is_never_told_as_nobody() -> None:
    shown = text(plan(change(action="update", contactClass="starts-contacting")))

    assert "An unknown number of people start being contacted" in shown
    assert "nobody starts" not in shown


def test_one_person_is_told_as_one() -> None:
    doc = plan(
        change(contactClass="starts-contacting", reach=1), summary=summary(create=1, startsContacting=1, reach=1)
    )

    assert "starts contacting 1 person" in text(doc)
    assert "1 person starts being contacted" in text(doc)


def test_reach_that_no_class_explains_is_told() -> None:
    assert "5 people newly within reach" in text(plan(change(), summary=summary(create=1, reach=5)), width=120)


def test_associations_are_counted_apart_from_creations() -> None:
    doc = plan(change("a/Association/x"), change("a/List/y"), summary=summary(create=2, associate=1, calls=2))

    assert "1 to create, 1 to associate; nothing deleted" in text(doc)


def test_nothing_deleted_is_said_only_when_it_is_true() -> None:
    assert "nothing deleted" not in text(plan(change(action="replace")))
    assert "nothing deleted" not in text(plan(change(action="delete")))


def test_no_calls_are_told_as_such() -> None:
    doc = plan(change(action="forget", calls=0), summary=summary(forget=1))

    assert "No calls: only our own records change. Nobody is notified or contacted." in text(doc)


def test_a_guard_names_the_option_that_lifts_it_uncut_and_quoted() -> None:
    address = "main/Membership/" + "very-long-" * 6 + "name"
    lifts = [f"empty={address}", "deletes=12; reboot"]
    guards = [{"guard": "g", "account": "main", "actual": 2, "limit": 1, "message": "m", "lift": x} for x in lifts]

    shown = text(plan(change(), guards=guards), width=60)

    assert f"  to allow exactly this: --allow empty={address}\n" in shown
    assert "--allow 'deletes=12; reboot'\n" in shown


def test_places_stand_at_the_right_edge_where_they_fit() -> None:
    doc = plan(change(source={"file": "manifests/lists.yaml", "line": 12, "column": 3}))

    wide, narrow = line_with("List/join", text(doc, 100)), line_with("List/join", text(doc, 60))
    assert wide.endswith(" manifests/lists.yaml:12")
    assert len(wide) == 100
    assert len(narrow) == 60
    deep = plan(change(source={"file": "manifests/" + "deep/" * 12, "line": 12, "column": 3}))
    assert line_with("List/join", text(deep, 60)) == "  + List/join"


def test_what_a_change_means_for_people_is_never_cut_off() -> None:
    wordy = change(
        "main/Membership/" + "m" * 63,
        "update",
        contactClass="starts-contacting",
        reach=1_200_000,
        members=members(add=1_200_000, remove=31_000, change=12, unchanged=4_689_000),
    )

    shown = text(plan(wordy), width=60)

    assert "      starts contacting 1,200,000 people\n" in shown
    assert "      +1,200,000  -31,000  ~12  =4,689,000\n" in shown


def test_arrows_stand_below_each_other() -> None:
    deltas = [{"path": "a", "live": "x", "desired": "y"}, {"path": "longer", "live": "longer", "desired": None}]

    shown = text(plan(change(action="update", deltas=deltas)))

    assert '      a        "x"      -> "y"\n' in shown
    assert '      longer   "longer" -> not set\n' in shown


def test_the_difference_of_two_long_values_is_seen() -> None:
    same = "all the same for a very long while, " * 4
    deltas = [{"path": "body", "live": f"{same}before", "desired": f"{same}after"}]

    row = line_with("body", text(plan(change(action="update", deltas=deltas))))

    assert "before" in row
    assert "after" in row


def test_a_value_cannot_pretend_to_be_the_arrow() -> None:
    deltas = [{"path": "name", "live": 'a" -> "b', "desired": "c"}]

    assert '"a\\" -> \\"b" -> "c"' in text(plan(change(action="update", deltas=deltas)))


def test_a_value_cannot_forge_a_line() -> None:
    forged = "x\n0 to delete, nothing to see\x1b[1A\x1b[2K"
    doc = plan(change(action="delete", reason=forged, deltas=[{"path": "name", "live": forged, "desired": None}]))

    shown = text(doc)

    assert not [x for x in shown.splitlines() if x.startswith("0 to delete")]
    assert "\\n0 to delete, nothing to see\\x1b[1A\\x1b[2K" in shown


def test_how_many_more_people_is_never_cut_off() -> None:
    examples = {"add": ["+1 615 ••• ••38", "+1 312 ••• ••67", "+1 202 ••• ••41"], "remove": [], "change": []}
    doc = plan(change("main/Membership/m", members=members(add=120, examples=examples)))

    assert "add   +1 615 ••• ••38, +1 312 ••• ••67, +1 202 ••• ••41, … 117 more" in text(doc, 100)
    assert "add   +1 615 ••• ••38, +1 312 ••• ••67, … 118 more" in text(doc, 60)


def test_calls_stand_between_the_changes_and_the_sums() -> None:
    call = {"address": "main/List/join", "title": "create list", "method": "POST", "path": "/lists", "body": None}
    shown = text(plan(change(), calls=[{**call, "count": 1, "contactClass": "silent"}]))

    assert shown.index("List/join") < shown.index("POST   /lists") < shown.index("1 to create")


def test_colour_is_off_unless_asked_for() -> None:
    doc = plan(change(action="delete"), change("main/List/b"), diagnostics=[problem()])

    assert "\x1b" not in plan_text(doc, width=80, color=False)
    assert "\x1b[31m" in plan_text(doc, width=80, color=True)


@pytest.mark.parametrize("format", list(Format))
def test_the_door_knows_every_format(format: Format) -> None:
    assert render_plan(plan(change()), format, width=80, color=False).endswith("\n")
