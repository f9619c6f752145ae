"""Campaigns and their audiences as calls.

The audience is a field of the campaign here: there is no call for one association. So all that a plan does to one
campaign, its own fields and its associations, becomes one call (M3 as a draft, or M4), and a second one (M4) only where
a new campaign is to be scheduled: that call starts contacting people and comes last.

The call sits at the campaign's own change if that has anything to write, else at the first of its associations; the
other changes are ``carried_by`` that one. Every M4 has the status and the complete audience (H16). A campaign that is
on its way or was sent is frozen (H23), one that goes to all contacts is not managed [A-18], and a scheduled one never
gets an empty audience (H17).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from reconciler.diagnostics import Severity
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.kinds import ContactClass
from reconciler.model.live import Observed
from reconciler.model.resources import ById, FieldValue, Resource
from reconciler.plan.calls import Call, Changed, Created, Deleted, Effect, Json, Linked, Phase, Ref, Step, Target
from reconciler.plan.changes import Adopt, Change, Create, Delete
from reconciler.plan.rules import World
from reconciler.providers.audiences import Case, People, Result, carried, cases, lists_after
from reconciler.providers.slicktext import calls
from reconciler.providers.slicktext.codes import problem
from reconciler.providers.slicktext.convert import EDITABLE, ids_fact, status_of, tidy

WRITTEN: tuple[str, ...] = ("name", "body", "media_url", "scheduled")
"""The fields of a campaign that are written as they are; ``status`` and the audience have rules of their own."""

_error = partial(problem, Severity.ERROR)
_note = partial(problem, Severity.NOTE)


def compile_campaigns(changes: tuple[Change, ...], world: World, brand: str) -> Result:
    """Every campaign and association change of the account."""
    out = Result()
    people = People(changes, world)
    for case in cases(changes, world).values():
        Compiler(case, world, brand, people, out).run()
    return out


class Compiler(Struct):
    """One case at work."""

    case: Case
    world: World
    brand: str
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
        elif status_of(case.live) not in EDITABLE:
            self._frozen(case.live)
        elif case.deltas or case.links:
            self._edit(case.live)
        elif case.change is not None:
            self.out.keep(case.change)

    def _refuse(self, code: str, message: str) -> None:
        self.out.refuse(self.case, _error(code, message, self.case.about))

    # --- a new campaign

    def _create(self, change: Create) -> None:
        desired = _resource(change)
        fields = {name: tidy(value) for name, value in desired.fields.items()}
        name = str(fields.get("name", ""))
        namesakes = self.world.live.named(Kind.CAMPAIGN, name)
        if any(status_of(o) not in EDITABLE for o in namesakes):
            self._refuse("slicktext-name-dispatched", f"a campaign named {name!r} is on its way or was sent already")
            return
        if not fields.get("body"):
            self._refuse("slicktext-campaign-body", "a new campaign needs a body")
            return
        lists = lists_after(self.case, (), self.world, key=int)
        armed = fields.get("status") == "scheduled"
        if armed and not lists:
            self._refuse("slicktext-empty-audience", "it is to be scheduled, and no list is associated with it")
            return
        audience = calls.audience(lists, ()) if lists else None
        # The time goes in when the campaign is armed, not before.
        written = {k: v for k, v in fields.items() if k in WRITTEN and not (armed and k == "scheduled")}
        effect = Created(
            kind=Kind.CAMPAIGN,
            name=name,
            fields={**written, "status": "draft"},
            known_ids=frozenset(o.remote_id for o in namesakes),
        )
        call = calls.create_campaign(self.brand, _body(written), audience)
        made: Change = change.with_steps(Step(phase=Phase.CAMPAIGN, title="create as draft", call=call, effect=effect))
        if armed:
            made = self._armed(made, fields, lists, audience)
        self.out.keep(made, *carried(self.case, made, self.people))

    def _armed(self, made: Change, fields: Mapping[str, FieldValue], lists: list[Target], audience: Json) -> Change:
        when = str(fields.get("scheduled", ""))
        target = Ref(made.address)
        effect = Changed(
            kind=Kind.CAMPAIGN,
            target=target,
            base={"status": "draft"},
            expected={"status": "scheduled", "scheduled": when},
        )
        call = calls.update_campaign(self.brand, target, {"scheduled": when}, "scheduled", audience)
        step = Step(
            phase=Phase.ARM,
            title="schedule",
            call=call,
            effect=effect,
            contact_class=ContactClass.STARTS_CONTACTING,
        )
        return replace(made.with_steps(step), reach=self.people.on_all(lists))

    # --- a live campaign that can still change

    def _edit(self, live: Observed) -> None:
        if live.facts.get("all_contacts"):
            self._refuse("slicktext-all-contacts", f"campaign {live.name!r} goes to all contacts of the brand")
            return
        wanted: dict[str, FieldValue] = {**live.fields, **{d.path: d.desired for d in self.case.deltas}}
        status = str(wanted.get("status", ""))
        before = ids_fact(live, "lists")
        lists, segments = lists_after(self.case, before, self.world, key=int), ids_fact(live, "segments")
        if status == "scheduled" and not lists and not segments:
            self._refuse("slicktext-empty-audience", "it is scheduled, and no list would be left in its audience")
            return
        if status == "scheduled" and not wanted.get("body"):
            self._refuse("slicktext-campaign-body", "it is to be scheduled, and has no body")
            return
        named = {d.path: d.desired for d in self.case.deltas if d.path in WRITTEN}
        if status == "scheduled":
            named["scheduled"] = wanted.get("scheduled")
        audience = calls.audience(lists, segments) if lists or segments or before else None
        call = calls.update_campaign(self.brand, live.remote_id, _body(named), status, audience)
        self._place(live, call, status, lists)

    def _place(self, live: Observed, call: Call, status: str, lists: list[Target]) -> None:
        """Put the call at the change that carries it, and tell the others."""
        case, armed = self.case, status == "scheduled"
        if self.case.deltas and case.change is not None:
            carrier: Change = case.change
            phase = self._phase(armed)
            title = "schedule" if armed and status_of(live) != "scheduled" else "update"
            effect = self._changed(live, lists)
        else:
            carrier = case.links[0]
            phase = Phase.ASSOCIATION if case.adds else Phase.DISSOCIATE
            title = "set audience"
            effect = self._linked(live, lists)
        weight = ContactClass.STARTS_CONTACTING if armed else ContactClass.SILENT
        carrier = carrier.with_steps(Step(phase=phase, title=title, call=call, effect=effect, contact_class=weight))
        was_armed = status_of(live) == "scheduled"
        if armed and (case.deltas or not was_armed):
            # Also of one that was armed: what everybody on its lists gets, and when, is decided anew.
            reach = self.people.on_all(lists)
            segment_people = live.facts.get("segment_people")
            extra = segment_people if isinstance(segment_people, int) else 0
            carrier = replace(carrier, reach=replace(reach, uncounted=reach.uncounted + extra))
        before = ids_fact(live, "lists")
        others = carried(case, carrier, self.people, before if armed and was_armed else None)
        if armed and carrier.address.kind is Kind.ASSOCIATION:
            carrier = self.people.settled_first(self.people.newly_reached(carrier, before), lists)
        own = [case.change] if case.change is not None and case.change.address != carrier.address else []
        self.out.keep(*own, case.awaiting(carrier), *others)

    def _phase(self, armed: bool) -> Phase:
        """Arming comes last, unless the same call lets lists go: those may be deleted next, and nothing can be waited
        for that waits for this call. Everybody who is added is on the lists by then."""
        if not armed:
            return Phase.CAMPAIGN
        return Phase.DISSOCIATE if self.case.removes else Phase.ARM

    def _changed(self, live: Observed, lists: list[Target]) -> Effect:
        base = {d.path: d.live for d in self.case.deltas}
        expected = {d.path: d.desired for d in self.case.deltas}
        if self.case.links and (known := _known(lists)) is not None:
            base["lists"], expected["lists"] = ids_fact(live, "lists"), known
        return Changed(kind=Kind.CAMPAIGN, target=live.remote_id, base=base, expected=expected)

    def _linked(self, live: Observed, lists: list[Target]) -> Effect:
        base = frozenset(RemoteId(x) for x in ids_fact(live, "lists"))
        return Linked(campaign=live.remote_id, lists=tuple(lists), base=base, exact=True)

    # --- a campaign that cannot change any more

    def _frozen(self, live: Observed) -> None:
        case, change = self.case, self.case.change
        ours = any(
            o.remote_id == live.remote_id and o.address.kind is Kind.CAMPAIGN
            for o in self.world.inventory.of(self.world.account.name)
        )
        pinned = change is not None and change.desired is not None and change.desired.pinned is not None
        if isinstance(change, Adopt) and not ours and not pinned:
            text = f"a campaign named {live.name!r} that is not ours has the status {status_of(live)}"
            self._refuse("slicktext-name-dispatched", text)
            return
        if not ours and not pinned and any(_by_id(c) for c in case.adds):
            self._refuse(
                "slicktext-campaign-dispatched", f"campaign {live.name!r} is {status_of(live)}: no list can join"
            )
            return
        self._note_frozen(live)
        self.out.leave(case, "its campaign was dispatched", self.world)

    def _note_frozen(self, live: Observed) -> None:
        if what := self.case.undone:
            text = f"the campaign is {status_of(live)} and frozen; not compared any more: {', '.join(what)}"
            self.out.say(_note("slicktext-campaign-dispatched", text, self.case.about))

    def _delete(self, change: Delete, live: Observed) -> None:
        self.out.keep(*carried(self.case, change, self.people))
        status = status_of(live)
        if status not in EDITABLE:
            self.out.say(
                _error("slicktext-campaign-not-deletable", f"campaign {live.name!r} is {status}", change.address)
            )
            self.out.keep(change)
            return
        if status == "scheduled":
            text = f"deleting it cancels the text scheduled for {live.fields.get('scheduled')} UTC"
            self.out.say(_note("slicktext-cancels-campaign", text, change.address))
        step = Step(
            phase=Phase.CAMPAIGN_DELETE,
            title="delete",
            call=calls.delete_campaign(self.brand, live.remote_id),
            effect=Deleted(kind=Kind.CAMPAIGN, target=live.remote_id),
        )
        self.out.keep(change.with_steps(step))


def _known(lists: list[Target]) -> frozenset[str] | None:
    return None if any(isinstance(x, Ref) for x in lists) else frozenset(str(x) for x in lists)


def _by_id(change: Change) -> bool:
    link = change.desired.link if change.desired is not None else None
    return link is not None and isinstance(link.campaign, ById)


def _resource(change: Change) -> Resource:
    if change.desired is None:
        raise ValueError(f"{change.address} is to be created and not declared")
    return change.desired


def _body(fields: Mapping[str, FieldValue]) -> dict[str, Json]:
    """Fields as they are written: an empty ``media_url`` or time is null, which is how they are read."""
    return {k: (None if k in ("media_url", "scheduled") and not v else str(v or "")) for k, v in fields.items()}
