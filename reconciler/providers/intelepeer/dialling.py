"""Running a published campaign: what it would do, doing it, and looking for its traces (``reconciler dial``).

Source: IntelePeer API notes, sections 2 (E2, E6, E9) and 4.3. A run cannot be stopped or taken back, and a 500 also
means that the campaign is not published, so nothing but ``true`` counts as a yes.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import NoAnswer, NotFound, ReadIncomplete
from reconciler.model.addresses import RemoteId
from reconciler.providers.base import Dial, Sent
from reconciler.providers.http import Http
from reconciler.providers.intelepeer import endpoints
from reconciler.providers.intelepeer.client import campaign_by_id, campaigns_in_error, list_by_id
from reconciler.providers.intelepeer.convert import PUBLISHED, Campaign
from reconciler.providers.intelepeer.reading import together
from reconciler.providers.intelepeer.wire import accepted

_RUN_MARKS = ("lastExecuted", "runId")
"""What changes with a run, in whatever form it is told."""


async def prepare(http: Http, campaign: RemoteId) -> Dial:
    """The campaign, how many contacts its lists hold, and how it ran last. Who the contacts are cannot be read."""
    found = await campaign_by_id(http, campaign)
    sizes = dict(zip(found.links, await together(_size(http, x) for x in found.links), strict=True))
    lists = {list_id: size for list_id, size in sizes.items() if size is not None}
    recipients = sum(lists.values())
    return Dial(
        name=found.name,
        call=endpoints.run(campaign),
        recipients=recipients,
        lists=lists,
        unread=("IntelePeer does not tell who is on a list",) if recipients else (),
        problems=_problems(found, sizes),
        shown={"flowId": found.flow, "callerIdentification": found.caller},
        before=await _marks(http, found),
    )


async def dial(http: Http, call: Dial) -> None:
    """E6, once. Raises NoAnswer for a good status with anything but ``true``: it may have run all the same."""
    reply = await http.send(call.call, unrepeated=True)
    if accepted(reply.body) is not True:
        raise NoAnswer("IntelePeer answered the run with something else than true.", status=reply.status)


async def evidence(http: Http, campaign: RemoteId, before: Mapping[str, str]) -> Sent:
    """Another last execution is proof; so is a run that is newly listed among the failed ones."""
    try:
        found = await campaign_by_id(http, campaign)
    except NotFound:
        return Sent.UNTOLD
    now = await _marks(http, found)
    if now["error"] and now["error"] != before.get("error", ""):
        return Sent.FAILED
    ran = any(now[name] and name in before and now[name] != before[name] for name in _RUN_MARKS)
    return Sent.YES if ran else Sent.UNTOLD


async def _size(http: Http, list_id: RemoteId) -> int | None:
    """How many contacts are on a list; None for one that is gone. Raises ReadIncomplete when it is not told."""
    try:
        detail = await list_by_id(http, list_id)
    except NotFound:
        return None
    if detail.deleted:
        return None
    if detail.contact_ids is None:
        raise ReadIncomplete(f"IntelePeer does not tell the contacts of the list {list_id}.")
    return len(detail.contact_ids)


async def _marks(http: Http, found: Campaign) -> Mapping[str, str]:
    failed = next((c for c in await campaigns_in_error(http) if c.remote_id == found.remote_id), None)
    marks = {name: str(found.told.get(name) or "") for name in _RUN_MARKS}
    error = ""
    if failed is not None:
        error = "/".join(str(failed.told.get(name) or "") for name in _RUN_MARKS)
    return {**marks, "error": error}


def _problems(found: Campaign, sizes: Mapping[RemoteId, int | None]) -> tuple[str, ...]:
    problems = []
    if found.deleted:
        problems.append("it is being deleted")
    elif found.state != PUBLISHED:
        problems.append("it is a draft: declare state: published and apply")
    elif found.active is False:
        problems.append("it is not active: look into its last run and publish it again")
    if gone := sorted(list_id for list_id, size in sizes.items() if size is None):
        # An old list that still goes away is still linked: people on it and on its successor would be called twice.
        problems.append(f"it is linked to lists that are gone or being deleted: {', '.join(gone)}")
    if not sizes:
        problems.append("no list is associated with it")
    elif not any(sizes.values()):
        problems.append("nobody is on its lists")
    return tuple(problems)
