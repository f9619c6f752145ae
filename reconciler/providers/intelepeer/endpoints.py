"""Every write of the API as a call, written strictly: preview, apply and the client all build their requests here.

Numbers E3 to E14 are those of the endpoint table in the IntelePeer API notes, section 2. Paths start at the host.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeAlias

from reconciler.plan.calls import Call, Json, Method, Target

BASE = ("_rest", "v2")
"""What every path but the login's starts with."""

SHORTEST_NAME = 4
"""Characters, spaces included, below which the API refuses to look up a name."""

UPLOAD_LIMIT = 100
"""Contacts in one upload. Nothing is documented; lost answers stay countable at this size."""


class Action(StrEnum):
    """What the one action path of a campaign does. ``RUN`` contacts people and is in no plan."""

    PUBLISH = "publish"
    RUN = "run"
    ASSOCIATE = "associate"


Attributes: TypeAlias = tuple[str | None, bool]
"""``(moc, autoDetectTZ)`` of an association; None and False are left out of the request."""


def create_campaign(*, name: str, description: str, caller: str, flow: str) -> Call:
    """E3. The API requires none of these; a campaign without them could never be updated."""
    return Call(
        method=Method.POST,
        path=(*BASE, "campaigns"),
        body=_campaign_body(name=name, description=description, caller=caller, flow=flow),
    )


def update_campaign(campaign: Target, *, name: str, description: str, caller: str, flow: str) -> Call:
    """E4, always with all four fields: whether one that is left out is kept or cleared is not documented."""
    return Call(
        method=Method.PUT,
        path=(*BASE, "campaigns", campaign),
        body=_campaign_body(name=name, description=description, caller=caller, flow=flow),
    )


def _campaign_body(*, name: str, description: str, caller: str, flow: str) -> Json:
    return {
        "campaignName": name,
        "campaignDescription": description,
        "callerIdentification": caller,
        "flowId": flow,
    }


def publish(campaign: Target) -> Call:
    """E5."""
    return _action(campaign, {"action": Action.PUBLISH.value})


def run(campaign: Target) -> Call:
    """E6: calls or texts everybody on the campaign's lists, now. Nothing that plans may use this."""
    return _action(campaign, {"action": Action.RUN.value})


def associate(campaign: Target, lists: Sequence[Target], attributes: Attributes = (None, False)) -> Call:
    """E7. ``autoDetectTZ`` is the text ``"true"`` or left out: the text ``"false"`` might count as true."""
    moc, auto_detect = attributes
    body: dict[str, Json] = {"action": Action.ASSOCIATE.value, "selectedLists": tuple(lists)}
    if moc:
        body["moc"] = moc
    if auto_detect:
        body["autoDetectTZ"] = "true"
    return _action(campaign, body)


def _action(campaign: Target, body: Json) -> Call:
    return Call(method=Method.POST, path=(*BASE, "campaigns", campaign, "action"), body=body)


def delete_campaign(campaign: Target) -> Call:
    """E8, asynchronous."""
    return Call(method=Method.DELETE, path=(*BASE, "campaigns", campaign))


def create_list(*, name: str, description: str = "", headers: Iterable[str] = ()) -> Call:
    """E12. The description is written as ``listDescription`` and read as ``description``."""
    body: dict[str, Json] = {"listName": name}
    if description:
        body["listDescription"] = description
    if columns := tuple(headers):
        body["headers"] = columns
    return Call(method=Method.POST, path=(*BASE, "lists"), body=body)


def delete_list(list_id: Target) -> Call:
    """E13, asynchronous, and refused while an active campaign uses the list."""
    return Call(method=Method.DELETE, path=(*BASE, "lists", list_id))


def upload_contacts(list_id: Target, contacts: Json) -> Call:
    """E14, from older documents only: appends, so that sending it twice makes every contact twice.

    ``contacts`` is an array of ``{phone, metadata}``, or the template of one.
    """
    return Call(method=Method.PUT, path=(*BASE, "lists", list_id, "uploadcontacts"), body={"contactInfo": contacts})


def action_of(call: Call) -> str:
    """The action in the body of a call to the action path, else ``""``."""
    if call.path[-1] != "action" or not isinstance(call.body, dict):
        return ""
    return str(call.body.get("action", ""))
