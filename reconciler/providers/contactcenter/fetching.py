"""One fetch: the campaigns first, then the leads of whichever a manifest is about, then who was worked already."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Severity, in_order
from reconciler.errors import NotFound, ReadIncomplete, Rejected
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.inventory import Owned
from reconciler.model.live import AccountLive, LiveMembers, Observed
from reconciler.model.resources import ById, Resource
from reconciler.plan.binding import bind
from reconciler.plan.members import examples
from reconciler.providers.base import Scope
from reconciler.providers.contactcenter.activity import SKEW_S, records
from reconciler.providers.contactcenter.client import Client
from reconciler.providers.contactcenter.codes import problem
from reconciler.providers.contactcenter.convert import Campaign, respelt, surplus_fact
from reconciler.providers.contactcenter.reading import Leads, Reader
from reconciler.providers.contactcenter.settings import Settings
from reconciler.providers.fetching import known_id


class Fetched(Struct, frozen=True, kw_only=True):
    """An account with the reading behind it, for the checks that come before a write."""

    live: AccountLive
    leads: Mapping[RemoteId, Leads]
    campaigns: Mapping[RemoteId, Campaign]


class Fetch:
    """One fetch of one account for a scope. ``now`` is Unix time."""

    def __init__(
        self,
        reader: Reader,
        client: Client,
        settings: Settings,
        scope: Scope,
        account: str,
        now: Callable[[], float],
    ) -> None:
        self._reader = reader
        self._client = client
        self._settings = settings
        self._desired = scope.desired
        self._inventory = scope.inventory
        self._everything = scope.everything
        self._taken = scope.taken.get(account, {})
        self._account = account
        self._now = now
        self._notes: list[Diagnostic] = []

    async def run(self, identity: str) -> Fetched:
        """The account, whole."""
        started = time.monotonic()
        campaigns = await self._confirmed()
        observed = [c.observed() for c in campaigns.values()]
        objects = {(o.kind, o.remote_id): o for o in observed}
        bound = bind(self._desired, self._inventory, self._account, objects).bound
        wanted = (self._wanted(bound) if not self._everything else set(campaigns)) & campaigns.keys()
        leads = {c: await self._reader.proven(c) for c in sorted(wanted - self._taken.keys())}
        # What the report says may have changed while the leads were read, and the later word counts.
        campaigns = self._reader.campaigns
        objects |= {(Kind.CAMPAIGN, i): c.observed() for i, c in campaigns.items() if (Kind.CAMPAIGN, i) in objects}
        members = {c: self._members(c, campaigns, found) for c, found in leads.items()}
        members |= {c: self._taken[c] for c in wanted & self._taken.keys()}
        members = await self._with_worked(members, objects, bound)
        live = AccountLive(
            identity=identity,
            objects=objects,
            members=members,
            elapsed_s=time.monotonic() - started,
            notes=in_order(self._notes),
        )
        return Fetched(live=live, leads=leads, campaigns=campaigns)

    # --- campaigns

    async def _confirmed(self) -> Mapping[RemoteId, Campaign]:
        """All campaigns. One that we know of and do not see is asked for its leads before it counts as gone."""
        found = await self._reader.report()
        missing = sorted(self._expected() - found.keys())
        there = [c for c in missing if await self._has_leads(c)]
        if not there:
            return found
        found = await self._reader.report()
        if still := [c for c in there if c not in found]:
            raise ReadIncomplete(
                f"{len(still)} campaigns have leads and are missing from the campaign report, twice.",
                hint="The portal's report is behind or incomplete. Try again later.",
            )
        return found

    def _expected(self) -> set[RemoteId]:
        """The ids that manifests and inventory name."""
        ids = {r.pinned for r in self._desired.of(self._account, Kind.CAMPAIGN) if r.pinned is not None}
        of = {r.members.of for r in self._memberships() if r.members is not None}
        ids |= {reference.remote_id for reference in of if isinstance(reference, ById)}
        return ids | {o.parent for o in self._owned() if o.parent is not None}

    async def _has_leads(self, campaign: RemoteId) -> bool:
        """An empty page proves nothing: what the portal answers for an unknown campaign is not documented.

        One that offers another page does: there is something to page through.
        """
        try:
            page = await self._client.leads(campaign, 1)
            return bool(page.rows or page.cursor)
        except (NotFound, Rejected):
            return False

    def _memberships(self) -> tuple[Resource, ...]:
        return self._desired.of(self._account, Kind.MEMBERSHIP)

    def _owned(self) -> tuple[Owned, ...]:
        return tuple(o for o in self._inventory.of(self._account) if o.address.kind is Kind.MEMBERSHIP)

    def _wanted(self, bound: Mapping[Address, Observed]) -> set[RemoteId]:
        """The campaigns that a declared or owned Membership is about."""
        named = {o.parent for o in self._owned()}
        named |= {known_id(r.members.of, bound) for r in self._memberships() if r.members is not None}
        return {x for x in named if x is not None}

    # --- leads

    def _members(self, remote_id: RemoteId, campaigns: Mapping[RemoteId, Campaign], found: Leads) -> LiveMembers:
        if (campaign := campaigns.get(remote_id)) is not None:
            self._note_counts(campaign)
            self._note_odd_leads(campaign.name, found)
        return LiveMembers(contacts=found.contacts, count=len(found.ids), facts=surplus_fact(found.surplus))

    def _note_counts(self, campaign: Campaign) -> None:
        counted = sum(campaign.leads.values())
        if campaign.repeated:
            words = ", ".join(campaign.repeated)
            text = f"the counts of {campaign.name!r} have {words} twice; both are counted"
        elif campaign.leads and campaign.total is not None and counted != campaign.total:
            text = f"the counts of {campaign.name!r} are {counted} by status and {campaign.total} in all"
        else:
            return
        self._note(Severity.WARNING, "contactcenter-counts", text)

    def _note_odd_leads(self, name: str, found: Leads) -> None:
        if found.unusable:
            text = f"{found.unusable} leads of {name!r} have no usable number; they are left alone"
            self._note(Severity.NOTE, "contactcenter-unusable-number", text)
        if found.surplus:
            numbers = ContactSet.from_columns({"number": [s.number for s in found.surplus]})
            text = f"{len(numbers)} numbers have several leads in {name!r}: {examples(numbers)}"
            self._note(Severity.WARNING, "contactcenter-duplicate-lead", text)

    def _note(self, severity: Severity, code: str, text: str) -> None:
        self._notes.append(problem(severity, code, text, self._account))

    # --- who is not there

    async def _with_worked(
        self,
        members: Mapping[RemoteId, LiveMembers],
        objects: Mapping[tuple[Kind, RemoteId], Observed],
        bound: Mapping[Address, Observed],
    ) -> dict[RemoteId, LiveMembers]:
        """With whoever is about to be added and was worked in that campaign before, as the activity report has it."""
        missing = self._missing(members, bound)
        worked: dict[RemoteId, ContactSet] = {}
        if missing and self._settings.lookback_s:
            now = int(self._now())
            size = self._settings.page_size
            seen = await records(self._client, now - int(self._settings.lookback_s), now + SKEW_S, size)
            by_name: dict[str, list[str | None]] = {}
            for record in seen:
                by_name.setdefault(record.campaign, []).append(record.number)
            for remote_id, people in missing.items():
                numbers = by_name.get(objects[Kind.CAMPAIGN, remote_id].name, [])
                worked[remote_id] = ContactSet.from_columns({"number": numbers}).within(people)
        return {i: replace(m, worked=worked.get(i, ContactSet.empty())) for i, m in members.items()}

    def _missing(
        self, members: Mapping[RemoteId, LiveMembers], bound: Mapping[Address, Observed]
    ) -> dict[RemoteId, ContactSet]:
        """Declared people without a lead, by campaign; whoever has one in another spelling is told."""
        suppressed = self._desired.suppressed(self._account)
        missing: dict[RemoteId, ContactSet] = {}
        for resource in self._memberships():
            remote_id = known_id(resource.members.of, bound) if resource.members is not None else None
            if resource.members is None or remote_id is None or remote_id not in members:
                continue
            live = members[remote_id].contacts
            people = resource.members.contacts.select(()).without(suppressed).without(live)
            if people:
                self._note_respelt(resource, people, live)
                missing[remote_id] = ContactSet.union_of((missing.get(remote_id, ContactSet.empty()), people))
        return missing

    def _note_respelt(self, resource: Resource, people: ContactSet, live: ContactSet) -> None:
        ends: dict[str, list[str]] = {number[-7:]: [] for number in people.numbers()}
        for number in live.numbers():
            if number[-7:] in ends:
                ends[number[-7:]].append(number)
        twice = [n for n in people.numbers() if respelt(n, ends[n[-7:]])]
        if twice:
            shown = examples(ContactSet.from_columns({"number": list(twice)}))
            text = f"{len(twice)} declared numbers are in the campaign with more or fewer digits: {shown}"
            self._notes.append(problem(Severity.ERROR, "contactcenter-number-rewritten", text, resource))
