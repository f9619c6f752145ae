"""Whatever the manifests, the inventory and the live state are: a plan that nothing blocks can be run to its end.

Random accounts go through the real planner and the real rules of a provider, and what comes out through the real
executor, with requests that always succeed. A circle in the requirements would wait for ever, holding the lease.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.apply.executor import Executor
from reconciler.apply.judging import Result, StepResult
from reconciler.model.addresses import Address, Kind, RemoteId, link_id
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired, Project
from reconciler.model.inventory import Inventory, Owned
from reconciler.model.live import AccountLive, Live, LiveLink, LiveMembers, Observed, Standing
from reconciler.model.resources import (
    Account,
    ById,
    Declared,
    Lifecycle,
    Link,
    Members,
    Mode,
    OnRemove,
    Reference,
    Resource,
)
from reconciler.plan.binding import bind
from reconciler.plan.calls import Created, Phase, Step
from reconciler.plan.changes import Plan
from reconciler.plan.order import needed_ids
from reconciler.plan.planner import PlanOptions, plan
from reconciler.plan.rules import Rules
from reconciler.providers.contactcenter.rules import ContactCenterRules
from reconciler.providers.exotel.rules import ExotelRules
from reconciler.providers.intelepeer.rules import IntelePeerRules
from reconciler.providers.slicktext.rules import SlickTextRules
from reconciler.report import OperationEvent, Outcome

from worlds import KEY, SPAN, address, hashes, number

LATER = "2099-01-01 00:00:00"
CALLER = "+12025550100"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """How a provider's objects look in a random world. Every field of a list or campaign may come out differently."""

    rules: Callable[[], Rules]
    settings: Callable[[Random], dict[str, Any]]
    list_fields: Callable[[Random], dict[str, Any]]
    campaign_fields: Callable[[Random], dict[str, Any]]
    campaign_facts: Callable[[Random, dict[str, Any], frozenset[str]], dict[str, Any]]
    link_fields: dict[str, Any] = field(default_factory=dict)
    readable: bool = True
    """Whether the members of a list can be read."""
    lists: bool = True
    """Whether there are lists; else people are on campaigns."""
    standings: tuple[Standing, ...] = ()
    """How far the provider can be with somebody, where it works through people by itself."""


def slicktext_campaign(random: Random) -> dict[str, Any]:
    status = random.choice(["draft", "scheduled", "scheduled"])
    timed = {"scheduled": LATER} if status == "scheduled" else {}
    return {"body": random.choice(["one", "two"]), "status": status, **timed}


def intelepeer_campaign(random: Random) -> dict[str, Any]:
    state = random.choice(["draft", "published", "published"])
    about = random.choice(["one", "two"])
    return {"description": about, "callerIdentification": CALLER, "flowId": "flow", "state": state}


def exotel_campaign(random: Random) -> dict[str, Any]:
    times = {"schedule": {"send_at": random.choice(["2099-01-01T09:00:00Z", "2099-02-02T09:00:00Z"])}}
    state = random.choice([{}, {"state": "active"}, {"state": "active"}, {"state": "paused"}])
    about = random.choice(["one", "two"])
    return {"caller_id": CALLER, "url": "http://x/a/exoml/start_voice/1", "custom_field": about, **times, **state}


def exotel_campaign_facts(random: Random, fields: dict[str, Any], lists: frozenset[str]) -> dict[str, Any]:
    status = random.choice(["created", "created", "inprogress", "completed"])
    status = "paused" if fields.get("state") == "paused" else status
    started = status in ("inprogress", "completed")
    return {"status": status, "lists": lists, "complete": random.random() < 0.9, "started": started}


TRAITS = {
    "contactcenter": Trait(
        rules=ContactCenterRules,
        settings=lambda random: {"accountId": "1", "domain": "one"},
        list_fields=lambda random: {},
        campaign_fields=lambda random: {},
        campaign_facts=lambda random, fields, lists: {"status": random.choice(["Stopped", "Running"])},
        lists=False,
        standings=(Standing.WAITING, Standing.WAITING, Standing.BUSY, Standing.FINISHED),
    ),
    "exotel": Trait(
        rules=ExotelRules,
        settings=lambda random: {"accountSid": "one", "listBulkSize": random.choice([2, 500])},
        list_fields=lambda random: {"tag": random.choice(["one", "two"])},
        campaign_fields=exotel_campaign,
        campaign_facts=exotel_campaign_facts,
    ),
    "slicktext": Trait(
        rules=SlickTextRules,
        settings=lambda random: {"brandId": "1"},
        list_fields=lambda random: {"description": random.choice(["one", "two"])},
        campaign_fields=slicktext_campaign,
        campaign_facts=lambda random, fields, lists: {
            "lists": lists,
            "segments": frozenset(),
            "complete": True,
            "status": fields["status"],
        },
    ),
    "intelepeer": Trait(
        rules=IntelePeerRules,
        settings=lambda random: {
            "membershipMode": "append",
            "associateSemantics": random.choice(["add", "replace"]),
        },
        list_fields=lambda random: {"description": random.choice(["one", "two"]), "headers": ("phone",)},
        campaign_fields=intelepeer_campaign,
        campaign_facts=lambda random, fields, lists: {"active": random.random() < 0.3},
        link_fields={"moc": "phone"},
        readable=False,
    ),
}


@dataclass(slots=True)
class World:
    """One account as it is, as it is wanted, and as it is remembered; filled at random."""

    random: Random
    trait: Trait
    provider: str
    ids: dict[Address, RemoteId] = field(default_factory=dict)
    objects: dict[tuple[Kind, RemoteId], Observed] = field(default_factory=dict)
    links: dict[RemoteId, LiveLink] = field(default_factory=dict)
    members: dict[RemoteId, LiveMembers] = field(default_factory=dict)
    resources: dict[Address, Resource] = field(default_factory=dict)
    owned: dict[Address, Owned] = field(default_factory=dict)

    @classmethod
    def drawn(cls, seed: int, provider: str) -> World:
        world = cls(Random(seed), TRAITS[provider], provider)
        lists = [address(Kind.LIST, f"l{i}") for i in range(world.random.randint(1, 4) if world.trait.lists else 0)]
        campaigns = [address(Kind.CAMPAIGN, f"c{i}") for i in range(world.random.randint(1, 3))]
        for start, addresses in ((100, lists), (500, campaigns)):
            for i, one in enumerate(addresses):
                if world.chance(0.7):
                    world.ids[one] = RemoteId(str(start + i))
        for one in lists:
            world.draw_list(one)
        for one in campaigns:
            world.draw_campaign(one, lists)
        for campaign in campaigns:
            for one in lists:
                world.draw_link(campaign, one)
        for one in lists or campaigns:
            for suffix in "ab":
                world.draw_membership(one, suffix)
        return world

    def draw_list(self, one: Address) -> None:
        if one in self.ids:
            self.observe(one, self.trait.list_fields(self.random), {})
            self.draw_people(one)
            self.maybe_own(one, self.ids[one], 0.85)
        if self.chance(0.65):
            self.declare(one, fields={"name": one.name, **self.trait.list_fields(self.random)})

    def draw_people(self, one: Address) -> None:
        on = self.some_people(4)
        standings = [self.random.choice(self.trait.standings) for _ in on if self.trait.standings]
        contacts = people(on, standings) if self.trait.readable else ContactSet.empty()
        facts = {} if self.trait.readable else {"contact_ids": frozenset(map(str, on))}
        self.members[self.ids[one]] = LiveMembers(
            contacts=contacts, count=len(on), readable=self.trait.readable, facts=facts
        )

    def draw_campaign(self, one: Address, lists: list[Address]) -> None:
        if one in self.ids:
            audience = frozenset(self.ids[x] for x in lists if x in self.ids and self.chance(0.6))
            fields = self.trait.campaign_fields(self.random)
            facts = self.trait.campaign_facts(self.random, fields, frozenset(map(str, audience)))
            self.observe(one, fields, facts)
            if not self.trait.lists:
                self.draw_people(one)
            for x in sorted(audience):
                live = LiveLink(campaign=self.ids[one], list=x, fields=self.trait.link_fields)
                self.links[live.remote_id] = live
            self.maybe_own(one, self.ids[one], 0.85)
        if self.chance(0.7):
            self.declare(one, fields={"name": one.name, **self.trait.campaign_fields(self.random)})

    def draw_link(self, campaign: Address, one: Address) -> None:
        link = address(Kind.ASSOCIATION, f"{campaign.name}-{one.name}")
        if campaign in self.ids and one in self.ids:
            remote_id = link_id(self.ids[campaign], self.ids[one])
            if remote_id in self.links:
                self.maybe_own(link, remote_id, 0.8)
        ends = self.reference(campaign), self.reference(one)
        if ends[0] is not None and ends[1] is not None and self.chance(0.5):
            self.declare(link, fields=self.trait.link_fields, link=Link(campaign=ends[0], list=ends[1]))

    def draw_membership(self, one: Address, suffix: str) -> None:
        membership = address(Kind.MEMBERSHIP, f"{one.name}-{suffix}")
        if one in self.ids:
            known = hashes(*self.some_people(6))
            self.maybe_own(membership, self.ids[one], 0.5, parent=self.ids[one], applied=known, added=known)
        of = self.reference(one)
        if of is not None and self.chance(0.4):
            contacts = ContactSet.from_columns({"number": [number(i) for i in self.random.sample(range(9), 3)]})
            # An exact membership must be the only one of its list, as the loader sees to.
            alone = self.trait.readable and address(Kind.MEMBERSHIP, f"{one.name}-a") not in self.resources
            mode = Mode.EXACT if alone and suffix == "b" and self.chance(0.5) else Mode.ADDITIVE
            members = Members(of=of, mode=mode, contacts=contacts, missing_contacts="create")
            self.declare(membership, fields={}, members=members)

    def observe(self, one: Address, fields: dict[str, Any], facts: dict[str, Any]) -> None:
        remote_id = self.ids[one]
        self.objects[one.kind, remote_id] = Observed(
            kind=one.kind, remote_id=remote_id, name=one.name, fields={"name": one.name, **fields}, facts=facts
        )

    def declare(self, one: Address, **more: Any) -> None:
        lifecycle = Lifecycle(on_remove=self.on_remove(), replace=self.chance(0.7))
        self.resources[one] = Resource(address=one, provider=self.provider, source=SPAN, lifecycle=lifecycle, **more)

    def maybe_own(self, one: Address, remote_id: RemoteId, chance: float, **more: Any) -> None:
        if self.chance(chance):
            self.owned[one] = Owned(
                address=one, provider=self.provider, remote_id=remote_id, on_remove=self.on_remove(), **more
            )

    def reference(self, one: Address) -> Reference | None:
        """By name what is declared, by id what is only live."""
        if one in self.resources:
            return Declared(one)
        return ById(self.ids[one]) if one in self.ids else None

    def some_people(self, most: int) -> list[int]:
        return self.random.sample(range(6), self.random.randint(0, most))

    def on_remove(self) -> OnRemove:
        return OnRemove.DELETE if self.chance(0.67) else OnRemove.KEEP

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def planned(self) -> tuple[Plan, Inventory, Mapping[Address, RemoteId]]:
        """The plan, and what its execution starts from."""
        account = Account(
            name="main",
            provider=self.provider,
            auth={},
            source=SPAN,
            settings=self.trait.settings(self.random),
            base_url="https://portal.example.com",
        )
        desired = Desired(project=Project(root="/"), accounts={"main": account}, resources=self.resources)
        inventory = Inventory(owned=self.owned, key=KEY)
        book = people(range(5)) if self.trait.readable else ContactSet.empty()
        live = AccountLive(identity="one", objects=self.objects, links=self.links, members=self.members, contacts=book)
        rules = {self.provider: self.trait.rules()}
        made = plan(desired, Live(accounts={"main": live}), inventory, rules, PlanOptions())
        bound = bind(desired, inventory, "main", self.objects).bound
        return made, inventory, {a: o.remote_id for a, o in bound.items()}


def people(indexes: Any, standings: Sequence[str] = ()) -> ContactSet:
    """Contacts as a provider shows them."""
    every = list(indexes)
    columns: dict[str, list[str | None]] = {
        "number": [number(i) for i in every],
        "contact_id": [str(1000 + i) for i in every],
        "status": ["subscribed" for _ in every],
    }
    if standings:
        columns["standing"] = [*standings]
    return ContactSet.from_columns(columns)


class Willing:
    """An operator that nothing stops, and which nothing is asked of but that."""

    def __init__(self) -> None:
        self.under_way: set[Address] = set()

    def stopped(self) -> str:
        return ""


class Forgetful:
    """A journal that keeps nothing."""

    failure = None

    async def own(self, *owned: Owned, gone: Iterable[Address] = ()) -> None: ...


@dataclass(slots=True)
class Executed:
    """What a simulated run sent, in order, and how it ended."""

    made: Plan
    inventory: Inventory
    known: Mapping[Address, RemoteId]
    sent: list[tuple[Address, Step]] = field(default_factory=list)
    told: list[OperationEvent] = field(default_factory=list)

    async def step(self, operator: object, one: Address, step: Step, ids: Mapping[Address, RemoteId]) -> StepResult:
        change = next(c for c in self.made.changes if c.address == one)
        assert needed_ids(change.with_steps(step)) <= ids.keys(), f"{one} is sent before the ids it needs are there"
        self.sent.append((one, step))
        await asyncio.sleep(0)
        parts = {p.address: self.done(step.only(p), str(p.address)) for p in step.parts}
        return replace(self.done(step, str(one)), parts=parts)

    def done(self, step: Step, name: str) -> StepResult:
        remote_id = RemoteId(f"id of {name}") if isinstance(step.effect, Created) else None
        rows = step.rows if step.rows is not None else ContactSet.empty()
        return StepResult(result=Result.DONE, remote_id=remote_id, rows=rows, sent=1, accepted=step.count)

    async def run(self) -> None:
        operators: Any = {"main": Willing()}
        journal: Any = Forgetful()
        executor = Executor(self.made, operators, journal, self.inventory, self.known, self.told.append)
        await asyncio.wait_for(executor.run(), timeout=20)


def assert_every_plan_ends(provider: str, seeds: range, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = 0
    for seed in seeds:
        made, inventory, known = World.drawn(seed, provider).planned()
        if made.blocking or not made.changes:
            continue
        ran += 1
        executed = Executed(made, inventory, known)
        monkeypatch.setattr("reconciler.apply.executor.run_step", executed.step)
        try:
            asyncio.run(executed.run())
        except (RuntimeError, TimeoutError, AssertionError) as problem:
            pytest.fail(f"{provider}, seed {seed}: {problem!r}")
        steps = sum(len(c.steps) for c in made.changes)
        assert len(executed.sent) == steps, f"{provider}, seed {seed}: {len(executed.sent)} of {steps} steps were sent"
        assert {e.outcome for e in executed.told} == {Outcome.DONE}, f"{provider}, seed {seed}"
        arming = [step.phase is Phase.ARM for _, step in executed.sent]
        assert arming == sorted(arming), f"{provider}, seed {seed}: something was sent after a campaign was armed"
    assert ran > len(seeds) // 10, "hardly any of these worlds had a plan that could be run"


@pytest.mark.parametrize("provider", sorted(TRAITS))
def test_a_plan_that_nothing_blocks_runs_to_its_end(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_every_plan_ends(provider, range(200), monkeypatch)


def test_a_step_that_fails_as_none_should_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for it must not wait for ever, holding the lease."""
    made, inventory, known = next(
        planned
        for planned in (World.drawn(seed, "slicktext").planned() for seed in range(200))
        if not planned[0].blocking and any(c.requires and c.steps for c in planned[0].changes)
    )
    executed = Executed(made, inventory, known)

    async def broken(*_: object) -> StepResult:
        raise KeyError("a mistake of ours")

    monkeypatch.setattr("reconciler.apply.executor.run_step", broken)
    with pytest.raises(KeyError, match="a mistake of ours"):
        asyncio.run(executed.run())


@pytest.mark.long
@pytest.mark.parametrize("share", range(10))
@pytest.mark.parametrize("provider", sorted(TRAITS))
def test_many_plans_that_nothing_blocks_run_to_their_ends(
    provider: str, share: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_every_plan_ends(provider, range(1000 * (share + 1), 1000 * (share + 2)), monkeypatch)
