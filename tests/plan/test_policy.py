"""What each rule of a policy says, and what no policy can do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.diagnostics import Severity, Span
from reconciler.model.addresses import Kind
from reconciler.model.desired import Desired, Project
from reconciler.model.resources import Account, OnRemove, Resource
from reconciler.plan.changes import Approval, Plan
from reconciler.plan.policy import (
    ACCOUNTS,
    Check,
    ForbiddenActions,
    ForbiddenHosts,
    ForbiddenKinds,
    ForbiddenProviders,
    MaxReach,
    Naming,
    Policies,
    RequiredLabels,
    Rule,
    breaches,
    matcher,
    refusals_of_call,
    refusals_of_changes,
    refusals_of_dial,
)
from reconciler.plan.selection import Selection, Selector

from worlds import SPAN, a_campaign, a_list, a_membership, live, live_list, owned, people, planned

HERE = Span(file="policy.yaml", line=7, column=13)
HOSTS = {"main": {"baseUrl": "api.example.com"}, "other": {"baseUrl": "127.0.0.1", "authUrl": "login.example.com"}}


def a_rule(check: Check, *select: str, exclude: tuple[str, ...] = (), **more: object) -> Rule:
    def parsed(texts: tuple[str, ...]) -> tuple[Selector, ...]:
        return tuple(ACCOUNTS if t == str(ACCOUNTS) else Selector.parse(t) for t in texts)

    scope = Selection(select=parsed(select), exclude=parsed(exclude))
    base = Rule(policy="house", code="acme-rule", check=check, severity=Severity.ERROR, source=HERE, scope=scope)
    return replace(base, **more)  # type: ignore[arg-type]


def world(*resources: Resource) -> Desired:
    accounts = {
        "main": Account(name="main", provider="madeup", auth={}, source=SPAN, labels={"team": "growth"}),
        "other": Account(name="other", provider="made-down", auth={}, source=Span(file="o.yaml", line=1)),
    }
    return Desired(project=Project(root="/"), accounts=accounts, resources={r.address: r for r in resources})


GROWTH, CARE = a_list("growth-vip", labels={"team": "growth"}), a_list("vip", labels={"team": "care", "tier": "gold"})
SPRING = a_campaign("spring")
GROWTHS, VIP, SPRINGS = "main/List/growth-vip", "main/List/vip", "main/Campaign/spring"
TIER = "metadata.labels.tier"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (a_rule(Naming(pattern="(growth|care)-[a-z]+"), "kind:List"), [(VIP, "metadata.name")]),
        (a_rule(Naming(pattern="vip"), "kind:List"), [(GROWTHS, "metadata.name")]),
        (a_rule(Naming(pattern="v"), VIP), [(VIP, "metadata.name")]),
        (a_rule(Naming(pattern="Vip", field="spec.name"), "kind:List"), [(GROWTHS, "spec.name")]),
        (a_rule(Naming(pattern="x"), "kind:List", exclude=("label:tier=gold", "main/List/g*")), []),
        (a_rule(Naming(pattern="x"), "kind:Account"), [("main", "metadata.name"), ("other", "metadata.name")]),
        (a_rule(Naming(pattern="x"), "kind:Account", exclude=("account:o*",)), [("main", "metadata.name")]),
        (a_rule(RequiredLabels(labels={"tier": frozenset()}), "label:team=growth"), [(GROWTHS, TIER)]),
        (a_rule(RequiredLabels(labels={"tier": frozenset({"silver"})}), "label:team=care"), [(VIP, TIER)]),
        (a_rule(RequiredLabels(labels={"tier": frozenset({"gold", "silver"})}), "label:team=care"), []),
        (a_rule(RequiredLabels(labels={"team": frozenset()}), "kind:Account"), [("other", "metadata.labels.team")]),
        (a_rule(RequiredLabels(labels={"team": frozenset()})), [(SPRINGS, "metadata.labels.team")]),
        (a_rule(ForbiddenKinds(kinds=frozenset({Kind.CAMPAIGN}))), [(SPRINGS, "kind")]),
        (a_rule(ForbiddenKinds(kinds=frozenset({Kind.CAMPAIGN})), "account:other"), []),
        (a_rule(ForbiddenProviders(providers=frozenset({"made-down"}))), [("other", "apiVersion")]),
        (a_rule(ForbiddenProviders(providers=frozenset({"made-down"})), "account:main"), []),
        (a_rule(ForbiddenProviders(providers=frozenset({"madeup"})), "label:team=growth"), [("main", "apiVersion")]),
        (a_rule(ForbiddenProviders(providers=frozenset({"made-down"})), "path:o.*"), [("other", "apiVersion")]),
        (
            a_rule(ForbiddenHosts(hosts=frozenset({"*.example.com"}))),
            [("main", "spec.baseUrl"), ("other", "spec.authUrl")],
        ),
        (a_rule(ForbiddenHosts(hosts=frozenset({"example.com"}))), []),
        (a_rule(ForbiddenActions(actions=frozenset(Approval))), []),
        (a_rule(MaxReach(people=0)), []),
        (a_rule(Naming(pattern="x"), environments=frozenset({"prod"})), []),
    ],
)  # fmt: skip
def test_what_is_declared_is_judged(rule: Rule, expected: list[tuple[str, str]]) -> None:
    active = Policies(rules=(rule,)).within("")
    found = breaches(active, world(GROWTH, CARE, SPRING), HOSTS)
    assert [(str(b.about), ".".join(b.path)) for b in found] == expected


def test_a_finding_says_what_why_and_where_the_rule_is() -> None:
    rule = a_rule(Naming(pattern="x"), "kind:List", message="because", hint="rename it", severity=Severity.WARNING)
    (breach,) = breaches(Policies(rules=(rule,)), world(CARE), HOSTS)
    found = breach.found
    assert (found.code, found.severity, found.policy, found.address) == ("acme-rule", "warning", "house", VIP)
    assert found.message == 'the name "vip" is not of the form x: because'
    assert found.hint == "rename it (policy house, policy.yaml:7:13)"


def test_a_pattern_is_matched_whole_and_in_one_pass() -> None:
    slow = matcher("(a*)*b")
    assert not slow("a" * 100_000)
    assert slow("aab")
    assert not matcher("[a-z]+")("abc\n")
    assert not matcher("b")("abc")


@pytest.mark.parametrize("pattern", ["(", "(?=a)a", r"(a)\1", "a)|(b", "((a{99}){99}){99}", "(?x)a #"])
def test_what_is_no_pattern_is_said_to_be_none(pattern: str) -> None:
    with pytest.raises(ValueError, match="regex"):
        matcher(pattern)


# --- changes


def making() -> tuple[Plan, Desired]:
    """Two people on a new list, and one list less."""
    resources = (a_list("new", labels={"tier": "gold"}), a_membership("m", "new", people(1, 2)))
    gone = owned(Kind.LIST, "old", "9", on_remove=OnRemove.DELETE)
    return planned(*resources, now=live(live_list("9", "Old")), ours=(gone,)), world(*resources)


DELETE, CREATE = frozenset({Approval.DELETE}), frozenset({Approval.CREATE})
NEW, OLD, M = "main/List/new", "main/List/old", "main/Membership/m"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (a_rule(ForbiddenActions(actions=DELETE)), [OLD]),
        (a_rule(ForbiddenActions(actions=CREATE)), [NEW, M]),
        (a_rule(ForbiddenActions(actions=CREATE), "kind:List"), [NEW]),
        (a_rule(ForbiddenActions(actions=CREATE), exclude=("kind:List",)), [M]),
        (a_rule(ForbiddenActions(actions=frozenset({Approval.CONTACT}))), []),
        (a_rule(ForbiddenActions(actions=DELETE), "account:other"), []),
        # Whose manifest is gone may have had any label: a label that protects must not be lost with it.
        (a_rule(ForbiddenActions(actions=DELETE), "label:tier=gold"), [OLD]),
        (a_rule(ForbiddenActions(actions=DELETE), "path:m.yaml"), [OLD]),
        (a_rule(ForbiddenActions(actions=DELETE), "kind:Campaign"), []),
        (a_rule(ForbiddenActions(actions=DELETE), exclude=("label:tier=gold",)), [OLD]),
        (a_rule(ForbiddenActions(actions=DELETE), exclude=(OLD,)), []),
        (a_rule(ForbiddenActions(actions=CREATE), "label:tier=gold"), [NEW]),
        (a_rule(MaxReach(people=1)), [""]),
        (a_rule(MaxReach(people=2)), []),
        (a_rule(MaxReach(people=0), "kind:List"), []),
        (a_rule(Naming(pattern="x")), []),
    ],
)
def test_what_would_be_done_is_judged(rule: Rule, expected: list[str]) -> None:
    made, desired = making()
    found = refusals_of_changes(Policies(rules=(rule,)), made.changes, desired)
    assert [d.address for d in found] == expected
    assert all(d.policy == "house" and d.source in (SPAN, HERE) for d in found)


def test_taking_off_whom_a_suppression_protects_is_never_forbidden() -> None:
    resources = (a_list("vip"), a_membership("m", "vip", people(1)))
    now = live(live_list("1", "Vip"), members={"1": people(1, 2)})
    made = planned(*resources, now=now, ours=(owned(Kind.LIST, "vip", "1"),), suppressed=people(2))
    assert made.changes[0].members is not None
    assert len(made.changes[0].members.remove) == 1
    rule = a_rule(ForbiddenActions(actions=DELETE))
    assert refusals_of_changes(Policies(rules=(rule,)), made.changes, world(*resources)) == ()


@pytest.mark.parametrize(
    ("rule", "people", "refused"),
    [
        (a_rule(ForbiddenActions(actions=frozenset({Approval.CONTACT}))), 1, True),
        (a_rule(ForbiddenActions(actions=DELETE)), 1, False),
        (a_rule(ForbiddenActions(actions=frozenset({Approval.CONTACT})), "kind:List"), 1, False),
        (a_rule(MaxReach(people=5), SPRINGS), 5, False),
        (a_rule(MaxReach(people=5), SPRINGS), 6, True),
    ],
)
def test_a_dial_is_judged(rule: Rule, people: int, refused: bool) -> None:
    assert bool(refusals_of_dial(Policies(rules=(rule,)), SPRING, people)) is refused


@pytest.mark.parametrize(
    ("select", "refused"),
    [
        ((), True),
        (("account:main",), True),
        (("account:other",), False),
        (("main/List/*",), True),
        (("other/*",), False),
        (("*/List/vip",), True),
        (("kind:Campaign",), True),
        (("label:tier=gold",), True),
    ],
)
def test_a_call_is_judged_by_every_rule_that_may_be_about_it(select: tuple[str, ...], refused: bool) -> None:
    policies = Policies(rules=(a_rule(ForbiddenActions(actions=DELETE), *select),))
    account = world().accounts["main"]
    assert bool(refusals_of_call(policies, account, DELETE)) is refused
    assert refusals_of_call(policies, account, frozenset({Approval.CONTACT})) == ()


# --- laws

checks: st.SearchStrategy[Check] = st.one_of(
    st.builds(ForbiddenActions, actions=st.frozensets(st.sampled_from(list(Approval)), min_size=1)),
    st.builds(MaxReach, people=st.integers(0, 5)),
    st.builds(Naming, pattern=st.sampled_from(["new", "m", "[a-z]+"])),
)
selectors = st.lists(st.sampled_from(["kind:List", "label:tier=gold", "main/*", "account:other", M]), max_size=2)
rules = st.lists(
    st.builds(lambda check, select: a_rule(check, *select), checks, selectors), max_size=4
).map(tuple)  # fmt: skip


@given(some=rules, more=rules)
def test_a_policy_only_ever_adds_to_what_is_refused(some: tuple[Rule, ...], more: tuple[Rule, ...]) -> None:
    made, desired = making()
    before = made.changes
    few = refusals_of_changes(Policies(rules=some), made.changes, desired)
    many = refusals_of_changes(Policies(rules=(*some, *more)), made.changes, desired)
    assert set(few) <= set(many)
    assert made.changes == before
    judged = replace(made, diagnostics=(*made.diagnostics, *many))
    assert (judged.changes, judged.guards, judged.blocking) == (made.changes, made.guards, made.blocking)
    assert len(judged.refusals) == len(many)
