"""Sending a draft now: whom it would reach, sending it, and looking what became of it (``reconciler dial``).

Source: SlickText API notes, sections 2.4 and 3.3, hazards H1, H16, H17 and H21. This is the only place that writes the
status ``send``. What left cannot be called back.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import NoAnswer, NotFound
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import OPTED_OUT, Observed
from reconciler.plan.calls import Call, Method
from reconciler.providers.base import Dial, Sent
from reconciler.providers.http import Http
from reconciler.providers.parallel import together
from reconciler.providers.slicktext import convert
from reconciler.providers.slicktext.calls import audience
from reconciler.providers.slicktext.convert import ids_fact, status_of
from reconciler.providers.slicktext.reading import Members, Reader

_UNDER_WAY = frozenset({"queued", "sending", "sent"})


async def prepare(reader: Reader, brand: str, campaign: RemoteId) -> Dial:
    """The draft and everybody on its lists. Raises NotFound."""
    live = await reader.one_campaign(campaign)
    ids = sorted(ids_fact(live, "lists"))
    read = dict(zip(ids, await together(_members(reader, x) for x in ids), strict=True))
    found = {RemoteId(list_id): members for list_id, members in read.items() if members is not None}
    everybody = ContactSet.union_of(m.contacts for m in found.values())
    # Those without a usable number are counted, too: better one too many than somebody nobody was asked about.
    others = sum(m.unusable for m in found.values()) + _segment_people(live)
    return Dial(
        name=live.name,
        call=_send(brand, live),
        recipients=len(everybody.where("status", {OPTED_OUT}, keep=False)) + others,
        lists={list_id: members.count for list_id, members in found.items()},
        contacts=everybody,
        unread=("who is in a segment cannot be read",) if ids_fact(live, "segments") else (),
        problems=_problems(live, read),
        shown={name: str(live.fields.get(name) or "") for name in ("body", "media_url")},
        before={"status": status_of(live)},
    )


async def dial(http: Http, call: Dial) -> None:
    """M4 with the status ``send``, once. Raises NoAnswer when the answer still calls it editable."""
    reply = await http.send(call.call, unrepeated=True)
    body = reply.body["data"] if isinstance(reply.body, Mapping) and "data" in reply.body else reply.body
    status = str(body.get("status") or "").strip().lower() if isinstance(body, Mapping) else ""
    if status not in _UNDER_WAY:
        raise NoAnswer(f"SlickText answered the sending with a campaign that is {status or 'in no status'}.")


async def evidence(reader: Reader, campaign: RemoteId, before: Mapping[str, str]) -> Sent:
    """Only a status that a draft cannot have without being sent is proof; a draft may still be about to change."""
    try:
        status = status_of(await reader.one_campaign(campaign))
    except NotFound:
        return Sent.UNTOLD
    if status in _UNDER_WAY:
        return Sent.YES
    return Sent.FAILED if status == "failed" else Sent.UNTOLD


async def _members(reader: Reader, list_id: str) -> Members | None:
    """None for a list that is gone."""
    try:
        return await reader.members(list_id)
    except NotFound:
        return None


def _send(brand: str, live: Observed) -> Call:
    """With the whole audience: what leaving it out means is not documented (H16)."""
    whole = audience([RemoteId(x) for x in sorted(ids_fact(live, "lists"))], ids_fact(live, "segments"))
    body = {"status": "send", "audience": whole}
    return Call(method=Method.PUT, path=("brands", brand, "campaigns", live.remote_id), body=body)


def _segment_people(live: Observed) -> int:
    return int(convert.digits(live.facts.get("segment_people")) or 0)


def _problems(live: Observed, lists: Mapping[str, Members | None]) -> tuple[str, ...]:
    problems = []
    status = status_of(live)
    if status != "draft":
        problems.append(f"it is {status or 'in no status'}, and only a draft can be sent")
    if not live.fields.get("body"):
        problems.append("it has no text")
    if live.facts.get("all_contacts"):
        problems.append("it goes to all contacts of the brand: associate lists instead")
    if not live.facts.get("complete"):
        problems.append("SlickText does not tell its audience")
    elif not lists:
        problems.append("no list is associated with it")
    elif gone := sorted(list_id for list_id, members in lists.items() if members is None):
        problems.append(f"its audience names lists that do not exist: {', '.join(gone)}")
    elif not any(m.count for m in lists.values() if m is not None):
        problems.append("nobody is on its lists")
    return tuple(problems)
