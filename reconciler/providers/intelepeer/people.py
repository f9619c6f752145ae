"""Whom an operation is about: only lists can be told, since IntelePeer does not tell who is on them.

Source: IntelePeer API notes, section 2 (E6, E8).
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import NotFound
from reconciler.model.addresses import RemoteId
from reconciler.plan.calls import Call
from reconciler.providers.base import Concerned, Operation
from reconciler.providers.http import Http
from reconciler.providers.intelepeer.client import campaign_by_id

_NO_LISTS = 'selectedLists is not written as ["id", …], so nobody can tell whom the campaign would contact'


async def concerned(http: Http, operation: Operation, call: Call) -> Concerned:
    """The lists of one write: those that a campaign has when it is run, those that it is given with an association."""
    match operation.name:
        case "campaigns.run":
            try:
                found = await campaign_by_id(http, RemoteId(str(call.path[-2])))
            except NotFound:
                return Concerned()
            return Concerned(lists=frozenset(found.links))
        case "campaigns.associate":
            given = call.body.get("selectedLists") if isinstance(call.body, Mapping) else None
            lists = [RemoteId(x) for x in given if isinstance(x, str)] if isinstance(given, tuple) else []
            if not isinstance(given, tuple) or len(lists) != len(given):
                return Concerned(unchecked=_NO_LISTS)
            return Concerned(lists=frozenset(lists))
        case _:
            return Concerned()
