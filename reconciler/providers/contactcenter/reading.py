"""All leads of a campaign, or that they cannot be proven to be all.

Only the cursor is trusted (API notes, 3.5): a short page may be a server's cap. Ids are counted once, so it makes no
difference whether a page repeats the lead that the cursor names. A read with fewer leads than the campaign's own total,
read again after it, is done a second time and then given up: whoever is missing could be somebody about to be added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct, field

from reconciler.errors import ReadIncomplete
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.gathering import ContactSetBuilder
from reconciler.model.live import Standing
from reconciler.providers.base import Progress
from reconciler.providers.contactcenter.client import Client
from reconciler.providers.contactcenter.convert import Campaign, Surplus
from reconciler.providers.contactcenter.leads import COLUMNS, Columns, Malformed, columns_of
from reconciler.providers.contactcenter.settings import Settings

MAX_PAGES = 10_000
TRIES = 2

_MEANING = ("status", "first_name", "last_name", "priority", "retries")
_FIRST = (Standing.WAITING, Standing.BUSY, Standing.FINISHED)


class Leads(Struct, frozen=True, kw_only=True):
    """A campaign's leads, read whole: people by number, the ids of all leads, and what could not be told apart.

    Of a number that several leads have, ``contacts`` has the one that could be dialled first, without attributes: which
    of them a manifest means is not known. The others are ``surplus``.
    """

    contacts: ContactSet
    ids: AbstractSet[str]
    surplus: tuple[Surplus, ...] = ()
    unusable: int = 0


class _Gathered(Struct):
    """Pages so far."""

    builder: ContactSetBuilder = field(default_factory=lambda: ContactSetBuilder(COLUMNS))
    ids: set[str] = field(default_factory=set)
    unusable: int = 0

    def take(self, columns: Columns) -> int:
        """How many leads of the page were new."""
        fresh = [i for i, lead in enumerate(columns["contact_id"]) if self._new(lead)]
        if len(fresh) != len(columns["contact_id"]):
            columns = {name: [values[i] for i in fresh] for name, values in columns.items()}
        self.builder.append(columns)
        self.unusable += columns["number"].count(None)
        return len(fresh)

    def _new(self, lead: str | None) -> bool:
        if lead is None or lead in self.ids:
            return False
        self.ids.add(lead)
        return True

    def build(self) -> Leads:
        contacts = self.builder.build()
        if len(contacts) == len(self.builder) - self.unusable:
            return Leads(contacts=contacts, ids=self.ids, unusable=self.unusable)
        again = self.builder.repeated_rows()
        rows = zip(again["number"], again["contact_id"], again["standing"], strict=True)
        chosen, surplus = _chosen(
            contacts, [Surplus(number=n or "", lead=x or "", standing=Standing(s or "")) for n, x, s in rows]
        )
        contacts = contacts.joined(chosen, COLUMNS)
        return Leads(contacts=contacts, ids=self.ids, surplus=surplus, unusable=self.unusable)


def _chosen(contacts: ContactSet, again: Sequence[Surplus]) -> tuple[ContactSet, tuple[Surplus, ...]]:
    """The lead that stands for each number with several, as a set without attributes, and the others."""
    several: dict[str, list[Surplus]] = {}
    for one in again:
        several.setdefault(one.number, []).append(one)
    for row in contacts.where("number", several.keys()).rows():
        lead, standing = row["contact_id"] or "", Standing(row["standing"] or "")
        several[str(row["number"])].append(Surplus(number=str(row["number"]), lead=lead, standing=standing))
    ordered = {n: sorted(found, key=lambda s: (_FIRST.index(s.standing), s.lead)) for n, found in several.items()}
    firsts = [found[0] for _, found in sorted(ordered.items())]
    columns: dict[str, list[str | None]] = {
        "number": [s.number for s in firsts],
        "contact_id": [s.lead for s in firsts],
        "standing": [s.standing for s in firsts],
        **{name: [None] * len(firsts) for name in _MEANING},
    }
    others = tuple(s for _, found in sorted(ordered.items()) for s in found[1:])
    return ContactSet.from_columns(columns), others


class Reader:
    """Reads that take more than one request. ``campaigns`` is the last campaign report."""

    def __init__(self, client: Client, settings: Settings, progress: Progress) -> None:
        self._client = client
        self._settings = settings
        self._progress = progress
        self.campaigns: Mapping[RemoteId, Campaign] = {}

    async def report(self) -> Mapping[RemoteId, Campaign]:
        """Every campaign, read now."""
        self.campaigns = await self._client.campaigns()
        return self.campaigns

    async def proven(self, campaign: RemoteId) -> Leads:
        """All leads of a campaign, no fewer than its total says. Raises ReadIncomplete."""
        for last in (False, True):
            try:
                found = await self.leads(campaign)
            except Malformed:
                raise
            except ReadIncomplete:
                if last:
                    raise
                continue
            if len(found.ids) >= self._total(campaign):
                return found
            await self.report()
            if len(found.ids) >= self._total(campaign):
                return found
        raise ReadIncomplete(
            f"The leads of {self._name(campaign)} cannot be read whole: the portal says that there are more.",
            hint="Something is changing the campaign, or the portal is answering wrongly. Try again later.",
        )

    async def leads(self, campaign: RemoteId) -> Leads:
        """Every page once. Raises ReadIncomplete when the cursor leads in a circle or nowhere."""
        gathered = _Gathered()
        what, total = f"leads of {self._name(campaign)}", self._total(campaign)
        cursor, cursors = "", set[str]()
        for _ in range(MAX_PAGES):
            page = await self._client.leads(campaign, self._settings.page_size, cursor)
            fresh = gathered.take(columns_of(page.rows, campaign, self._settings.finished))
            self._progress(what, len(gathered.ids), total or None)
            if not page.cursor:
                return gathered.build()
            if page.cursor in cursors or not fresh:
                # An empty page that offers another one counts too: what it left out, nobody can tell.
                raise ReadIncomplete(
                    f"Paging through {what} does not advance: after a page with nothing new there is to be another.",
                    hint="The portal's paging is disturbed. Try again later.",
                )
            cursor = page.cursor
            cursors.add(cursor)
        raise ReadIncomplete(
            f"There are more than {MAX_PAGES:,} pages of {what}.", hint="Raise the account's pageSize."
        )

    def _total(self, campaign: RemoteId) -> int:
        known = self.campaigns.get(campaign)
        return (known.total or 0) if known else 0

    def _name(self, campaign: RemoteId) -> str:
        known = self.campaigns.get(campaign)
        return repr(known.name) if known else "a campaign"
