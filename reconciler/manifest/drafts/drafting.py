"""Drafts of everything that was chosen. What was complained about leaves out one thing after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, warning
from reconciler.manifest.drafts.choosing import Choice
from reconciler.manifest.drafts.draft import Draft, Key, left_out, shown
from reconciler.manifest.drafts.fields import declarable
from reconciler.manifest.drafts.people import People, people_of
from reconciler.manifest.drafts.scene import Scene
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import LiveLink, LiveMembers, Observed
from reconciler.model.resources import ById, Declared, Link, Members, Reference

Complaints = Mapping[Key, Sequence[str]]
"""What was said about a draft, one after the other: as many as times it had to leave something out."""


class Drafting(Struct):
    """One round over an account. ``names`` has a name for everything; ``people`` is filled once for all rounds."""

    scene: Scene
    choice: Choice
    names: Mapping[Key, str]
    complaints: Complaints
    people: dict[RemoteId, People | None]
    drafts: dict[Key, Draft] = field(default_factory=dict)
    left: list[tuple[Kind, Diagnostic]] = field(default_factory=list)
    suppressed: ContactSet = field(default_factory=ContactSet.empty)

    def run(self) -> None:
        """Objects first: what refers to one of them goes by its name, or by its id where it is not declared."""
        self.suppressed = self.scene.desired.suppressed(self.scene.account.name)
        for live in self.choice.objects:
            self._object(live)
        if Kind.ASSOCIATION in self.scene.provider.kinds:
            for _, link in sorted(self.scene.live.links.items()):
                self._link(link)
        if Kind.MEMBERSHIP in self.scene.provider.kinds:
            for remote_id, members in sorted(self.scene.live.members.items()):
                self._members(remote_id, members)

    # --- lists and campaigns

    def _object(self, live: Observed) -> None:
        scene, key = self.scene, (live.kind, live.remote_id)
        rules = scene.provider.rules.kinds[live.kind]
        given = {"id": str(live.remote_id)} if self._needs_id(live) else {}
        found = declarable(scene.provider.name, live.kind, scene.fields(live), rules.fields, given)
        if "name" not in found.fields and not given and "name" not in found.lacking:
            given = {"id": str(live.remote_id)}
        if found.lacking:
            what = ", ".join(found.lacking)
            why = f"its {what} cannot be declared" if set(found.lacking) & set(found.refused) else f"it has no {what}"
            self.left.append(left_out(scene.account.name, live, why))
            return
        draft = Draft(
            key=key,
            address=self._address(key),
            provider=scene.provider.name,
            fields=found.fields,
            pinned=live.remote_id if given else None,
            notes=(*(f"its {name} cannot be declared as it is" for name in found.refused), *self._about(live)),
            optional=tuple(n for n in found.fields if n not in found.required),
        )
        if (kept := self._yielding(draft)) is None:
            self.left.append(left_out(scene.account.name, live, self.complaints[key][0]))
        else:
            self.drafts[key] = kept

    def _needs_id(self, live: Observed) -> bool:
        """Whether its name alone does not tell which one it is."""
        return len(self.scene.live.named(live.kind, live.name)) > 1 or live.name != live.fields.get("name", live.name)

    def _about(self, live: Observed) -> tuple[str, ...]:
        """What there is to say of its people where no Membership can."""
        if live.kind is not self.scene.parent or (Kind.MEMBERSHIP, live.remote_id) in self.scene.declared:
            return ()
        members = self.scene.live.members.get(live.remote_id)
        if members is None or not members.readable:
            count = f" ({members.count})" if members is not None else ""
            return (f"who its members are{count} cannot be read, so there is no Membership",)
        if not members.count:
            return ("nobody is there, so there is no Membership",)
        if self._people(live.remote_id, members) is None:
            return ("nobody there can be declared, so there is no Membership",)
        return ()

    # --- links

    def _link(self, live: LiveLink) -> None:
        key = (Kind.ASSOCIATION, live.remote_id)
        campaign = self._reference(Kind.CAMPAIGN, live.campaign)
        contested = (Kind.LIST, live.list) in self.choice.contested
        if key in self.scene.declared or contested or not isinstance(campaign, Declared):
            return  # a campaign that nobody declares is told already, and its links go with it
        fields, rules = live.fields, self.scene.provider.rules.kinds[Kind.ASSOCIATION]
        given = {"campaign": "x", "list": "x"}
        found = declarable(self.scene.provider.name, Kind.ASSOCIATION, fields, rules.fields, given)
        untold = sorted(n for n, r in rules.fields.items() if not r.readable and n not in fields)
        draft = Draft(
            key=key,
            address=self._address(key),
            provider=self.scene.provider.name,
            fields=found.fields,
            link=Link(campaign=campaign, list=self._reference(Kind.LIST, live.list)),
            notes=(f"its {' and '.join(untold)} cannot be read",) if untold else (),
            optional=tuple(found.fields),
        )
        self._keep(draft, "the link")

    # --- people

    def _members(self, remote_id: RemoteId, live: LiveMembers) -> None:
        key, parent = (Kind.MEMBERSHIP, remote_id), (self.scene.parent, remote_id)
        known = self.scene.live.objects.get(parent)
        if key in self.scene.declared or known is None or not live.readable or self.scene.over(known):
            return
        if parent in self.choice.contested:
            return
        people = self._people(remote_id, live)
        if people is None:
            return
        draft = Draft(
            key=key,
            address=self._address(key),
            provider=self.scene.provider.name,
            members=Members(
                of=self._reference(self.scene.parent, remote_id), mode=people.mode, contacts=people.contacts
            ),
            parent=self.scene.parent,
            why_mode=people.why,
            notes=people.notes,
            optional=people.contacts.columns[1:],
        )
        self._keep(draft, f"who is on {shown(known.name)}")

    def _people(self, remote_id: RemoteId, live: LiveMembers) -> People | None:
        if remote_id not in self.people:
            rules, suppressed = self.scene.provider.rules.membership, self.suppressed
            self.people[remote_id] = people_of(live, rules, self.scene.reachable, suppressed)
        return self.people[remote_id]

    # --- all of them

    def _reference(self, kind: Kind, remote_id: RemoteId) -> Reference:
        if (address := self.scene.declared.get((kind, remote_id))) is not None:
            return Declared(address)
        draft = self.drafts.get((kind, remote_id))
        return ById(remote_id) if draft is None else Declared(draft.address)

    def _address(self, key: Key) -> Address:
        return Address(self.scene.account.name, key[0], self.names[key])

    def _keep(self, draft: Draft, what: str) -> None:
        if (kept := self._yielding(draft)) is not None:
            self.drafts[draft.key] = kept
            return
        message = f"{what} ({draft.address.name}) is left out: {self.complaints[draft.key][0]}"
        self.left.append((draft.address.kind, warning("import-left-out", message, address=self.scene.account.name)))

    def _yielding(self, draft: Draft) -> Draft | None:
        """``draft`` without what has been complained about: each thing it can do without on its own, from the last on,
        then all of them, and then there is no draft."""
        said = self.complaints.get(draft.key, ())
        if not said:
            return draft
        steps = [*((name,) for name in reversed(draft.optional)), draft.optional] if draft.optional else []
        if len(said) > len(steps):
            return None
        gone = steps[len(said) - 1]
        note = f"without {', '.join(gone)}: {said[0]}"
        fields = {n: v for n, v in draft.fields.items() if n not in gone}
        members = draft.members
        if members is not None:
            kept = [n for n in members.contacts.columns if n not in gone]
            members = replace(members, contacts=members.contacts.select(kept))
        return replace(draft, fields=fields, members=members, notes=(*draft.notes, note))
