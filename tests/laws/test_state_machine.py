"""Whatever happens, in whatever order: the promises of ``docs/applying.md`` hold after every step, and all ends well.

A failure prints the steps that led to it, and a blob: ``@reproduce_failure`` with it, above the test, runs these steps
again.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from reconciler.app.owning import forget
from reconciler.app.planning import Request
from reconciler.errors import Exit
from reconciler.model.addresses import Address, Kind
from reconciler.sandbox.wire import SandboxError

from lives import DOCUMENTED, LANDING_S, VISIBILITY_S, Doom, Life, Run, digits
from platforms import PEOPLE, PLATFORMS, SUPPRESSED, SUPPRESSION, Platform, Wanted

ALLOWED = ("deletes=99", "removals=99", "shrink=main", *(f"empty=main/Membership/{n}" for n in ("alpha", "beta")))
APPLIES_TO_SETTLE = 5
ASKED = re.compile(r"(\S+): an earlier request may have started contacting people")
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("write", {"kind": "drop_before"}),
    ("write", {"kind": "drop_after"}),
    ("write", {"kind": "error_before", "status": 500}),
    ("write", {"kind": "error_after", "status": 502}),
    ("write", {"kind": "truncate"}),
    ("write", {"kind": "late_landing", "ms": (LANDING_S - 0.1) * 1000}),
    ("write", {"kind": "delayed_visibility", "ms": (VISIBILITY_S - 0.1) * 1000}),
    ("any", {"kind": "rate_limited", "retry_after": 1}),
    ("any", {"kind": "expired_token"}),
    ("read", {"kind": "error_before", "status": 503}),
    ("read", {"kind": "truncate"}),
    ("read", {"kind": "skipped_row"}),
    ("read", {"kind": "non_json", "status": 200}),
)
METHODS = {"write": ["POST", "PUT", "DELETE"], "read": ["GET"], "any": ["GET", "POST", "PUT", "DELETE"]}
texts = st.sampled_from(("one", "two", "three"))
names = st.sampled_from(("alpha", "beta"))
dooms = st.builds(
    Doom, at=st.integers(1, 6), how=st.sampled_from(("signal", "signal twice", "dies before", "dies after"))
)


class LongLife(RuleBasedStateMachine):
    """One account, from its first manifest on."""

    def __init__(self, platform: Platform) -> None:
        super().__init__()
        self.platform = platform

    @initialize(lagging=st.booleans())
    def begin(self, lagging: bool) -> None:
        platform, self.wanted = self.platform, Wanted()
        self.folder = Path(tempfile.mkdtemp(prefix="life-"))
        lag_s = VISIBILITY_S - 0.1 if lagging else 0.0
        self.life = Life(self.folder / "repository", platform.seed, platform.account, lag_s)
        self.unmanaged = self._section_of_unmanaged()
        self.forgetful = False
        self.declare()

    def teardown(self) -> None:
        if not hasattr(self, "life"):
            return
        try:
            self.comes_to_rest()
        finally:
            self.life.end()
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def copy(self) -> Path:
        return self.folder / "copy"

    def declare(self) -> None:
        self.life.write({**self.platform.manifests(self.wanted), "never.yaml": SUPPRESSION})

    # --- people edit

    @rule(name=names, text=texts)
    def declare_list(self, name: str, text: str) -> None:
        self.wanted.lists[name] = text
        self.declare()

    @rule(name=names)
    def retire_list(self, name: str) -> None:
        self.wanted.lists.pop(name, None)
        self.wanted.people.pop(name, None)
        self.wanted.links.discard(name)
        self.declare()

    @rule(name=names, text=texts, people=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4, unique=True))
    def declare_people(self, name: str, text: str, people: list[str]) -> None:
        self.wanted.lists.setdefault(name, text)
        self.wanted.people[name] = tuple(people)
        self.declare()

    @rule(text=texts, name=names)
    def declare_campaign(self, text: str, name: str) -> None:
        self.wanted.lists.setdefault(name, text)
        self.wanted.campaign = text
        self.wanted.links.add(name)
        self.declare()

    @rule(whole=st.booleans())
    def retire_campaign(self, whole: bool) -> None:
        self.wanted.links.clear()
        if whole:
            self.wanted.campaign = ""
        self.declare()

    @rule(at=st.integers(0, 6))
    def edit_in_portal(self, at: int) -> None:
        op, arguments = self.platform.portal[at % len(self.platform.portal)]
        if op == "create_list" and self._named(arguments["name"]):
            return  # two lists of one name are for a person to tell apart
        try:
            self.life.edit_in_portal(op, arguments)
        except SandboxError:
            return  # what is not there cannot be edited
        if self.platform.unmanaged in arguments.values():
            self.unmanaged = self._section_of_unmanaged()

    # --- the world is as it is

    @rule(fault=st.sampled_from(FAULTS), nth=st.integers(1, 4), times=st.integers(1, 3))
    def break_something(self, fault: tuple[str, dict[str, Any]], nth: int, times: int) -> None:
        where, kind = fault
        hit = {"nth": nth} if where == "write" else {"times": times}
        rule_ = {"provider": self.platform.name, "method": METHODS[where], "fault": kind, **hit}
        self.life.world.faults.set([rule_], self.life.world.providers)

    @rule()
    def mend_everything(self) -> None:
        self.life.world.faults.set([], self.life.world.providers)

    @rule(seconds=st.sampled_from((1.0, 30.0, 4000.0)))
    def wait(self, seconds: float) -> None:
        self.life.pass_time(seconds)

    # --- commands

    @rule()
    def look(self) -> None:
        """None of the commands that only look sends a write."""
        for run in (self.life.plan()[0], self.life.drift(), self.life.validate()):
            self.judge(run)
            assert run.sent == [], "a command that only looks has written"

    @rule(contact=st.booleans())
    def apply(self, contact: bool) -> None:
        exposed = len(self.exposed())
        run = self.life.apply(*ALLOWED, contact=contact)
        self.judge(run)
        if not contact:
            assert len(self.exposed()) == exposed, "people came within reach, and nobody approved"
            if run.code == Exit.REFUSED:
                assert run.sent == []
        if run.code == Exit.OK and not self.life.world.faults.rules:
            again = self.life.apply(*ALLOWED)
            assert (again.code, again.sent) == (Exit.OK, []), f"a second apply: {again}"

    @rule(doom=dooms)
    def apply_and_be_interrupted(self, doom: Doom) -> None:
        run = self.life.apply(*ALLOWED, doom=Doom(at=doom.at, how=doom.how))
        self.judge(run)
        self.forgetful |= run.code is None
        if doom.how.startswith("signal") and len(run.sent) >= doom.at:
            assert run.code in (Exit.INTERRUPTED, Exit.TERMINATED), f"0 after an interrupt: {run}"

    @rule()
    def two_applies_at_once(self) -> None:
        runs = self.life.applies_at_once(*ALLOWED)
        for run in runs:
            self.judge(run)
        assert Exit.LEASED in {r.code for r in runs}, [r.code for r in runs]

    # --- the store

    @precondition(lambda self: not self.platform.only_the_store_knows)
    @rule()
    def lose_the_store(self) -> None:
        self.life.pass_time(600)  # nothing may be under way then: nobody would know of it
        self.life.lose_the_store()
        self.forgetful = True

    @precondition(lambda self: self.life.store.exists())
    @rule()
    def copy_the_store(self) -> None:
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.life.store, self.copy)

    @precondition(lambda self: self.copy.exists() and not self.platform.only_the_store_knows)
    @rule()
    def restore_the_copy(self) -> None:
        self.lose_the_store()
        shutil.copytree(self.copy, self.life.store)

    # --- what always holds

    def exposed(self) -> list[Any]:
        """Whoever came within reach by what needs to be approved as contacting."""
        before = self.platform.approved_before
        return [e for e in self.life.world.ledger.exposed if e.get("begun") or e["reason"] not in before]

    def judge(self, run: Run) -> None:
        assert run.code is None or run.code in DOCUMENTED, run
        for method, path, body in run.sent:
            if method != "DELETE":
                assert SUPPRESSED[-10:] not in digits(body), f"{method} {path} carries a suppressed number"

    @invariant()
    def nothing_is_made_twice(self) -> None:
        if hasattr(self, "life"):
            assert self.life.world.ledger.duplicates == []

    @invariant()
    def nobody_is_contacted_twice(self) -> None:
        if hasattr(self, "life"):
            told = Counter((m["number"], m.get("campaign"), m["cause"]) for m in self.life.world.ledger.messages)
            assert not {who for who, times in told.items() if times > 1}
            assert SUPPRESSED not in {m["number"] for m in self.life.world.ledger.messages}

    @invariant()
    def what_is_not_ours_stays(self) -> None:
        if hasattr(self, "life"):
            assert self._section_of_unmanaged() == self.unmanaged

    def _section_of_unmanaged(self) -> list[Any]:
        """What nobody declares, as the provider has it; changing facts left out."""
        found = self._named(self.platform.unmanaged)
        assert found, "what nobody declares is gone"
        return found

    def _named(self, name: str) -> list[Any]:
        found: list[Any] = []

        def search(value: Any) -> None:
            if isinstance(value, dict):
                if name in (value.get("name"), value.get("listName")):
                    found.append({k: v for k, v in value.items() if k not in ("last_updated", "modified")})
                parts: Any = value.values()
            else:
                parts = value if isinstance(value, list | tuple) else ()
            for part in parts:
                search(part)

        search(self.life.world.dump()[self.platform.name])
        return found

    def comes_to_rest(self) -> None:
        """Without faults, applying leads to what is declared."""
        self.mend_everything()
        self.life.pass_time(4000)
        runs: list[Run] = []
        allowed = list(ALLOWED)
        for _ in range(APPLIES_TO_SETTLE):
            runs.append(self.life.apply(*allowed))
            self.judge(runs[-1])
            if runs[-1].code == Exit.OK:
                break
            if runs[-1].code == Exit.INVALID:
                self.free_the_lists()
            # Nothing is under way by now, and what the plan wants again is not there: that is what a person would see.
            allowed += [f"repeat={address}" for address in ASKED.findall(runs[-1].said)]
            self.life.pass_time(600)
        told = [(r.code, r.said) for r in runs]
        assert runs[-1].code == Exit.OK, f"never done: {told}"
        planned, plan = self.life.plan()
        assert planned.code == Exit.OK, planned
        assert plan is not None
        assert plan.plan.changes == (), told
        drifted = self.life.drift()
        assert drifted.code == Exit.OK, drifted
        again = self.life.apply(*ALLOWED)
        assert (again.code, again.sent) == (Exit.OK, [])
        self.nothing_is_made_twice()
        self.what_is_not_ours_stays()

    def free_the_lists(self) -> None:
        """Only where a store was lost, or a run died before the books were written, has a campaign a list of ours
        without our knowing that we linked them."""
        assert self.forgetful, "blocked in an ordinary life"
        _, planned = self.life.plan()
        assert planned is not None
        assert {d.code for d in planned.plan.blocking} == {f"{self.platform.name}-list-in-use"}, planned.plan.blocking
        assert self.platform.frees_lists is not None
        self.life.edit_in_portal(*self.platform.frees_lists)


COMMON = settings(
    deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
platforms = pytest.mark.parametrize("platform", PLATFORMS, ids=[p.name for p in PLATFORMS])


@platforms
def test_a_long_life(platform: Platform) -> None:
    """The same steps in every run, so that a change is judged by what it changes."""
    everyday = settings(COMMON, max_examples=12, stateful_step_count=16, derandomize=True, database=None)
    run_state_machine_as_test(lambda: LongLife(platform), settings=everyday)


@pytest.mark.parametrize("how", ["signal", "signal twice"])
@pytest.mark.parametrize("at", [1, 2, 3])
@platforms
def test_what_does_not_show_yet_when_interrupted_is_not_made_again(
    platform: Platform, at: int, how: str, tmp_path: Path
) -> None:
    life = Life(tmp_path / "repository", platform.seed, platform.account, VISIBILITY_S - 0.1)
    try:
        wanted = Wanted(lists={"alpha": "one"}, people={"alpha": PEOPLE[:2]}, campaign="one", links={"alpha"})
        life.write(platform.manifests(wanted))
        interrupted = life.apply(*ALLOWED, doom=Doom(at=at, how=how))
        assert interrupted.code == (Exit.INTERRUPTED if len(interrupted.sent) >= at else Exit.OK)
        runs = [life.apply(*ALLOWED) for _ in range(2)]
        assert runs[-1].code == Exit.OK, runs
        assert life.world.ledger.duplicates == []
        assert life.apply(*ALLOWED).sent == []
    finally:
        life.end()


@pytest.mark.parametrize("how", ["signal", "signal twice"])
@pytest.mark.parametrize("platform", [p for p in PLATFORMS if p.frees_lists], ids=lambda p: p.name)
def test_a_link_that_was_made_with_its_campaign_is_ours_when_interrupted_then(
    platform: Platform, how: str, tmp_path: Path
) -> None:
    life = Life(tmp_path / "repository", platform.seed, platform.account, 0.0)
    try:
        wanted = Wanted(lists={"alpha": "one"}, campaign="one", links={"alpha"})
        life.write(platform.manifests(wanted))
        interrupted = life.apply(*ALLOWED, doom=Doom(at=2, how=how))
        assert (interrupted.code, len(interrupted.sent)) == (Exit.INTERRUPTED, 2)
        life.write(platform.manifests(replace(wanted, lists={}, links=set())))
        done = life.apply(*ALLOWED)
        assert done.code == Exit.OK, done
        assert life.apply(*ALLOWED).sent == []
    finally:
        life.end()


@pytest.mark.parametrize("way", ["by hand", "declared again", "let go of"])
@pytest.mark.parametrize("platform", [p for p in PLATFORMS if p.frees_lists], ids=lambda p: p.name)
def test_a_list_stays_while_a_campaign_has_it_that_was_forgotten_until_a_person_decides(
    platform: Platform, way: str, tmp_path: Path
) -> None:
    life = Life(tmp_path / "repository", platform.seed, platform.account, 0.0)
    try:
        some = Wanted(lists={"alpha": "one"}, people={"alpha": PEOPLE[:2]})
        everything = replace(some, campaign="one", links={"alpha"})
        for wanted in (everything, some):
            life.write(platform.manifests(wanted))
            assert life.apply(*ALLOWED).code == Exit.OK
            life.pass_time(600)
            life.lose_the_store()
        assert life.apply(*ALLOWED).code == Exit.OK

        life.write({})
        blocked = life.apply(*ALLOWED)
        assert (blocked.code, blocked.sent) == (Exit.INVALID, [])
        assert "'Spring'" in blocked.said

        match way:
            case "by hand":
                assert platform.frees_lists is not None
                life.edit_in_portal(*platform.frees_lists)
            case "declared again":
                life.write(platform.manifests(everything))
                assert life.apply(*ALLOWED).code == Exit.OK
                life.write({})
            case _:
                forget(Request(), Address("main", Kind.LIST, "alpha"))
        done = life.apply(*ALLOWED)
        assert done.code == Exit.OK, done
        lists = [path for method, path, _ in done.sent if method == "DELETE" and "/lists/" in path]
        assert len(lists) == (0 if way == "let go of" else 1), done
        assert life.apply(*ALLOWED).sent == []
    finally:
        life.end()


@pytest.mark.long
@pytest.mark.nightly
@pytest.mark.timeout(3600)
@platforms
def test_many_longer_lives(platform: Platform) -> None:
    """Other steps in every run."""
    run_state_machine_as_test(
        lambda: LongLife(platform), settings=settings(COMMON, max_examples=500, stateful_step_count=40)
    )
