"""Bulk writes: one answer that judges every item (HTTP 207), and the residue that is sent again.

Items that were turned away for now (429, 5xx) are the residue: they, and nobody else, are sent once more. That is safe
for all of these calls: creating a contact or a list again finds it, joining a list or changing something again changes
nothing. What is refused for good is told by position, so that the others count as done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from reconciler.errors import NoAnswer, NotSent, RateLimited, Rejected
from reconciler.masking import mask_text, visible
from reconciler.plan.calls import Call, ContactsChanged, ContactsCreated, Effect, Json, MembersAdded
from reconciler.providers.base import Answer, Start, at_once
from reconciler.providers.exotel import answers, convert
from reconciler.providers.exotel.answers import CONFLICT, Item, Row
from reconciler.providers.exotel.looking import Seen
from reconciler.providers.http import Reply

ROUNDS = 3
"""How often the residue is sent, the first time included."""

_WRAPPERS = ("contacts", "contact_references", "lists")


class Bulk(Struct, frozen=True):
    """One bulk call at work. ``send`` is the wire, ``pause`` waits before round 2, 3, …"""

    send: Callable[[Call, Start], Awaitable[Reply]]
    pause: Callable[[int], Awaitable[None]]
    seen: Seen

    async def run(self, call: Call, effect: Effect, start: Start = at_once) -> Answer:
        """A call over people. Raises as ``judged``, and NoAnswer when everybody was turned away for now."""
        _, entries = _entries(call)
        items = await self.judged(call, start)
        refused = [at for at, item in enumerate(items) if not self._took(effect, entries[at], item)]
        return _answer([items[at] for at in refused], tuple(refused), len(entries))

    async def judged(self, call: Call, start: Start = at_once) -> list[Item]:
        """What the answers say about each entry in the end. Raises what ``send`` raises for a request that failed
        whole, NoAnswer when an answer cannot be understood."""
        wrapper, entries = _entries(call)
        results: dict[int, Item] = {}
        left = list(range(len(entries)))
        for round_ in range(1, ROUNDS + 1):
            part = replace(call, body={wrapper: tuple(entries[at] for at in left)})
            try:
                reply = await self.send(part, start)
            except (NotSent, RateLimited, Rejected):
                if not results:
                    raise
                break  # the residue stays as it was judged
            found = answers.matched(answers.items(reply.body), [_key(entries[at]) for at in left], _keys_of)
            if found is None:
                raise NoAnswer("Exotel's answer to a bulk call does not say which entry is about whom.")
            results.update(zip(left, found, strict=True))
            left = [at for at in left if results[at].transient]
            if not left or round_ == ROUNDS:
                break
            await self.pause(round_)
        return [results[at] for at in range(len(entries))]

    def _took(self, effect: Effect, entry: Mapping[str, Json], item: Item) -> bool:
        """Whether an item is as it should be now; what it tells is remembered."""
        data = item.data or {}
        match effect:
            case ContactsCreated():
                # Somebody who exists already is named in the conflict.
                found = convert.id_of(data, ("sid", "contact_sid", "id"))
                if found is None or not (item.ok or item.code == CONFLICT):
                    return False
                self.seen.ids[str(entry.get("number"))] = found
                return True
            case ContactsChanged():
                if item.ok and item.data is not None:
                    known = convert.contact_of(item.data)
                    if known["number"] and known["contact_id"]:
                        self.seen.contacts[known["contact_id"]] = known
                return item.ok
            case MembersAdded():
                # Being on the list already is what was wanted.
                return item.ok or item.code == CONFLICT
            case _:
                return item.ok


def _entries(call: Call) -> tuple[str, list[Mapping[str, Json]]]:
    body = call.body if isinstance(call.body, Mapping) else {}
    for wrapper in _WRAPPERS:
        rows = body.get(wrapper)
        if isinstance(rows, tuple):
            return wrapper, [row for row in rows if isinstance(row, Mapping)]
    raise ValueError(f"no bulk call: {call.method} {call.path}")


def _key(entry: Mapping[str, Json]) -> str:
    return str(entry.get("number") or entry.get("contact_sid") or entry.get("sid") or entry.get("name") or "")


def _keys_of(data: Row) -> frozenset[str]:
    known = convert.contact_of(data)
    # ``sid`` in what joining a list answers is the contact's; a new list is known by its name.
    return frozenset(str(x) for x in (known["number"], known["contact_id"], data.get("sid"), data.get("name")) if x)


def _answer(refused: list[Item], at: tuple[int, ...], size: int) -> Answer:
    if not refused:
        return Answer(status=207)
    reasons = list(dict.fromkeys(f"{item.code}" + (f" ({item.text})" if item.text else "") for item in refused))
    said = mask_text(visible("; ".join(reasons[:3])))[:300]
    detail = f"Exotel refused {len(refused)} of {size} with {said}"
    if len(refused) == size and all(item.transient for item in refused):
        raise NoAnswer(detail, status=refused[0].code)
    return Answer(status=207, refused=at, detail=detail)
