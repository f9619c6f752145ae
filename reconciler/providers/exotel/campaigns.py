"""Campaigns and their lists as calls.

A campaign is created with its lists and starts by itself at its time, so the call that creates it (E18) is the one
that arms it: it comes last and needs approval by name. All that a plan does to a live campaign's fields and lists
becomes one call (E21), with every declared field and the whole array of lists (H22). Pausing is a call of its own.

The call sits at the campaign's own change if that has anything to write, else at the first of its associations; the
other changes are ``carried_by`` that one. Once a campaign has started only callbacks change; what is over is history.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from reconciler.diagnostics import Severity
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.kinds import ContactClass
from reconciler.model.live import Observed
from reconciler.model.resources import Fields, FieldValue
from reconciler.plan.calls import Changed, Created, Deleted, Effect, Json, Linked, Phase, Ref, Step, Target
from reconciler.plan.changes import Change, Create, Delete, Forget
from reconciler.plan.rules import World
from reconciler.providers.audiences import Case, Result, carried, lists_after
from reconciler.providers.exotel import calls
from reconciler.providers.exotel.audience import People, wanted_state
from reconciler.providers.exotel.checks import most_lists
from reconciler.providers.exotel.codes import problem
from reconciler.providers.exotel.convert import OPEN, SCHEDULED, lists_of, status_of

CALLBACKS = frozenset({"call_status_callback", "call_schedule_callback", "status_callback"})
"""What can change once a campaign has started."""

_ACTIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("active", "paused"): ("pause",),
    ("active", "completed"): ("pause", "complete"),
    ("active", "archived"): ("pause", "complete", "archive"),
    ("paused", "active"): ("resume",),
    ("paused", "completed"): ("complete",),
    ("paused", "archived"): ("complete", "archive"),
    ("completed", "archived"): ("archive",),
}
"""How a state is reached from another (E22): completing is possible from paused only."""
_AFTER: Mapping[str, str] = {"pause": "paused", "resume": "active", "complete": "completed", "archive": "archived"}

_error = partial(problem, Severity.ERROR)
_note = partial(problem, Severity.NOTE)


def compile_campaigns(found: Mapping[Target, Case], world: World, sid: str, people: People) -> Result:
    """Every campaign and association change of the account."""
    out = Result()
    for case in found.values():
        Compiler(case, world, sid, people, out).run()
    for address, live in sorted(world.bound.items()):
        if address.kind is Kind.CAMPAIGN and live.remote_id not in found and status_of(live) not in OPEN:
            _note_still_declared(address, live, world, out)
    return out


def _note_still_declared(address: Address, live: Observed, world: World, out: Result) -> None:
    """A campaign that is over and that its manifest still asks for: nothing differs, and nobody will be called."""
    resource = world.desired.resources.get(address)
    if resource is not None and resource.fields.get("state", "active") in ("active", "paused"):
        text = f"the campaign is {status_of(live)}: it calls nobody any more, and is not compared"
        out.say(_note("exotel-campaign-finished", text, resource))


class Compiler(Struct):
    """One case at work."""

    case: Case
    world: World
    sid: str
    people: People
    out: Result

    def run(self) -> None:
        case = self.case
        if isinstance(case.change, Create):
            self._create(case.change)
        elif case.live is None:
            self.out.keep(*case.changes)
        elif isinstance(case.change, Delete):
            self._delete(case.change, case.live)
        elif status_of(case.live) not in OPEN:
            self._over(case.live)
        elif case.deltas or case.links:
            self._edit(case.live)
        elif case.change is not None:
            self.out.keep(case.change)

    def _refuse(self, code: str, message: str) -> None:
        self.out.refuse(self.case, _error(code, message, self.case.about))

    # --- a new campaign

    def _create(self, change: Create) -> None:
        fields = change.desired.fields if change.desired is not None else {}
        lists = lists_after(self.case, (), self.world)
        if not self._right_lists(lists, fields):
            return
        if not isinstance(fields.get("schedule"), Mapping):
            self._refuse("exotel-schedule", "it has no schedule.send_at, and would start at once")
            return
        state = str(fields.get("state", "active"))
        if state in ("completed", "archived"):
            self._refuse("exotel-campaign-finished", f"it is to be {state}, and does not exist")
            return
        name = str(fields.get("name", ""))
        written = {k: v for k, v in fields.items() if k != "state"}
        namesakes = frozenset(o.remote_id for o in self.world.live.named(Kind.CAMPAIGN, name))
        step = Step(
            phase=Phase.ARM,
            title="create",
            call=calls.create_campaign(self.sid, _body(written), lists),
            effect=Created(kind=Kind.CAMPAIGN, name=name, fields=written, known_ids=namesakes),
            contact_class=ContactClass.STARTS_CONTACTING,
        )
        made: Change = replace(change.with_steps(step), reach=self.people.on_all(lists))
        if state == "paused":
            made = made.with_steps(self._action(Ref(made.address), "active", "pause", Phase.ARM))
        self.out.keep(made, *carried(self.case, made, self.people))

    def _right_lists(self, lists: list[Target], fields: Fields) -> bool:
        most = most_lists(fields)
        if not lists:
            self._refuse("exotel-campaign-without-list", "no list would feed it")
        elif len(lists) > most:
            self._refuse("exotel-too-many-lists", f"{len(lists)} lists would feed it; {most} are possible")
        return 0 < len(lists) <= most

    # --- a live campaign that is not over

    def _edit(self, live: Observed) -> None:
        if self.case.links and not live.facts.get("complete"):
            self._without_links(live)
        deltas = [d for d in self.case.deltas if d.path != "state"]
        roots = {d.path.partition(".")[0] for d in deltas}
        started = bool(live.facts.get("started"))
        if started and (self.case.links or roots - CALLBACKS):
            what = ", ".join(sorted(roots - CALLBACKS)) or "its lists"
            self._refuse("exotel-campaign-started", f"cannot change {what}: the campaign has started")
            return
        if live.facts.get("closed") and (self.case.links or roots - CALLBACKS):
            self._refuse("exotel-schedule-too-near", "it is about to start: within a minute of that it is not edited")
            return
        lists = lists_after(self.case, lists_of(live), self.world)
        if self.case.links and not self._right_lists(lists, {**live.fields, **self._declared}):
            return
        before, after = self._state_steps(live)
        if not roots and not self.case.links:
            if self.case.change is not None:
                self.out.keep(self._resumed(self.case.change.with_steps(*before, *after), live, lists))
            return
        written = {k: v for k, v in self._declared.items() if not started or k in CALLBACKS}
        body = _body(written)
        if not started and lists:
            body["lists"] = tuple(lists)
        self._place(live, body, roots, lists, before, after)

    def _without_links(self, live: Observed) -> None:
        """A campaign whose lists are not told: unknown is not empty, so they are not compared (Q15)."""
        text = f"the lists of campaign {live.name!r} are not told; {len(self.case.links)} associations stay as they are"
        about = self.case.links[0]
        self.out.say(problem(Severity.WARNING, "exotel-lists-unknown", text, about.desired or about.address))
        self.out.drop(*self.case.links)
        self.case.adds, self.case.removes = [], []

    @property
    def _declared(self) -> Fields:
        """What the manifest declares of the campaign and wants corrected; nothing for one that nobody declares."""
        resource = self.case.declared
        if resource is None or resource.lifecycle.observe:
            return {}
        left_out = resource.lifecycle.ignore | {"state"}
        return {k: v for k, v in resource.fields.items() if k not in left_out}

    def _place(
        self,
        live: Observed,
        body: Mapping[str, Json],
        roots: set[str],
        lists: list[Target],
        before: list[Step],
        after: list[Step],
    ) -> None:
        """Put the call at the change that carries it, and tell the others."""
        case = self.case
        dials = bool(case.links) or "schedule" in roots
        weight = ContactClass.STARTS_CONTACTING if dials else ContactClass.MAY_NOTIFY
        call = calls.update_campaign(self.sid, live.remote_id, body)
        if roots and case.change is not None:
            carrier: Change = case.change
            phase, title = self._phase(dials), "update"
            effect: Effect = self._changed(live, roots, lists)
        else:
            carrier, title = case.links[0], "set lists"
            phase = Phase.ASSOCIATION if case.adds else Phase.DISSOCIATE
            effect = self._linked(live, lists)
        step = Step(phase=phase, title=title, call=call, effect=effect, contact_class=weight)
        if carrier.address.kind is Kind.ASSOCIATION:
            carrier = self.people.newly_reached(carrier.with_steps(step), lists_of(live))
            carrier = self.people.settled_first(carrier, lists)
            if case.change is not None:
                self.out.keep(self._resumed(case.change.with_steps(*before, *after), live, lists))
        else:
            carrier = self._resumed(carrier.with_steps(*before, step, *after), live, lists)
            if "schedule" in roots:
                carrier = replace(carrier, reach=self.people.on_all(lists))
        self.out.keep(case.awaiting(carrier), *carried(case, carrier, self.people, lists_of(live)))

    def _phase(self, dials: bool) -> Phase:
        """What decides who is called comes last, unless the same call lets lists go: those may be deleted next, and
        nothing can be waited for that waits for this call."""
        if not dials:
            return Phase.CAMPAIGN
        return Phase.DISSOCIATE if self.case.removes else Phase.ARM

    def _changed(self, live: Observed, roots: set[str], lists: list[Target]) -> Effect:
        base: dict[str, FieldValue] = {name: live.fields.get(name) for name in roots}
        expected: dict[str, FieldValue] = {name: self._declared.get(name) for name in roots}
        known = [x for x in lists if not isinstance(x, Ref)]
        if self.case.links and len(known) == len(lists):
            base["lists"], expected["lists"] = lists_of(live), frozenset(str(x) for x in known)
        return Changed(kind=Kind.CAMPAIGN, target=live.remote_id, base=base, expected=expected)

    def _linked(self, live: Observed, lists: list[Target]) -> Effect:
        base = frozenset(RemoteId(x) for x in lists_of(live))
        return Linked(campaign=live.remote_id, lists=tuple(lists), base=base, exact=True)

    # --- state

    def _state_steps(self, live: Observed) -> tuple[list[Step], list[Step]]:
        """What brings the campaign into the state that is asked for: before its other calls, and after them."""
        wanted, state = wanted_state(self.case), str(live.fields.get("state", ""))
        if not wanted:
            return [], []
        if wanted in ("completed", "archived") and self.case.change is not None:
            text = f"campaign {live.name!r} is completed: whoever was not called yet is given up"
            self.out.say(problem(Severity.WARNING, "exotel-completes-campaign", text, self.case.change.desired))
        steps = []
        for action in _ACTIONS.get((state, wanted), ()):
            phase = Phase.ARM if action == "resume" else Phase.CAMPAIGN
            steps.append(self._action(live.remote_id, state, action, phase))
            state = _AFTER[action]
        return ([], steps) if wanted == "active" else (steps, [])

    def _action(self, target: Target, state: str, action: str, phase: Phase) -> Step:
        weight = ContactClass.STARTS_CONTACTING if action == "resume" else ContactClass.SILENT
        effect = Changed(kind=Kind.CAMPAIGN, target=target, base={"state": state}, expected={"state": _AFTER[action]})
        return Step(
            phase=phase,
            title=action,
            call=calls.act(self.sid, target, action),
            effect=effect,
            contact_class=weight,
        )

    def _resumed(self, change: Change, live: Observed, lists: list[Target]) -> Change:
        """With everybody on its lists as the reach, where the campaign goes on calling."""
        if wanted_state(self.case) != "active" or str(live.fields.get("state")) != "paused":
            return change
        return replace(change, reach=self.people.on_all(lists))

    # --- a campaign that is over, and one that is to go

    def _over(self, live: Observed) -> None:
        case, change = self.case, self.case.change
        self.out.leave(case, "its campaign is over", self.world)
        if status_of(live) == "completed" and wanted_state(case) == "archived" and change is not None:
            step = self._action(live.remote_id, "completed", "archive", Phase.CAMPAIGN)
            change = replace(change.with_steps(step), deltas=tuple(d for d in change.deltas if d.path == "state"))
            self.out.keep(change)
        else:
            self._note_over(live)

    def _note_over(self, live: Observed) -> None:
        if what := self.case.undone:
            text = f"the campaign is {status_of(live)}; not compared any more: {', '.join(what)}"
            self.out.say(_note("exotel-campaign-finished", text, self.case.about))

    def _delete(self, change: Delete, live: Observed) -> None:
        self.out.keep(*carried(self.case, change, self.people))
        status, target = status_of(live), live.remote_id
        gone = Deleted(kind=Kind.CAMPAIGN, target=target)
        phase = Phase.CAMPAIGN_DELETE
        if status == SCHEDULED and not live.facts.get("started"):
            call = calls.delete_campaign(self.sid, target)
            self.out.keep(change.with_steps(Step(phase=phase, title="delete", call=call, effect=gone)))
            return
        state = str(live.fields.get("state", ""))
        actions = _ACTIONS.get((state, "archived"), ())
        if not actions:
            reason = f"no longer declared, and {status}: nothing is left to stop"
            self.out.keep(
                Forget(address=change.address, provider=change.provider, reason=reason, remote_id=change.remote_id)
            )
            return
        if status in OPEN:
            text = f"campaign {live.name!r} has started, so it is completed and archived instead of deleted"
            self.out.say(problem(Severity.WARNING, "exotel-completes-campaign", text, change.address))
        made: Change = change
        for action in actions:
            step = self._action(target, state, action, phase)
            made = made.with_steps(replace(step, effect=gone) if action == "archive" else step)
            state = _AFTER[action]
        self.out.keep(made)


def _body(fields: Fields) -> dict[str, Json]:
    """Fields as they are written: what was declared, word for word."""

    def plain(value: FieldValue) -> Json:
        match value:
            case frozenset():
                return tuple(sorted(value))
            case tuple():
                return tuple(plain(v) for v in value)
            case Mapping():
                return {k: plain(v) for k, v in value.items()}
            case _:
                return value

    return {name: plain(value) for name, value in fields.items()}
