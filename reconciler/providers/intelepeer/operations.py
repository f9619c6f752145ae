"""Every documented endpoint as an operation for ``call``, under the wire's parameter names (E1 to E14).

Contact classes are the gravest an operation can have: nobody looks here whether a campaign is active.
"""

from __future__ import annotations

from typing import Literal

from reconciler.model.kinds import ContactClass
from reconciler.providers.base import Operation, Param
from reconciler.providers.intelepeer.endpoints import BASE, Action

_ROOT = "/" + "/".join(BASE)
_CAMPAIGN = f"{_ROOT}/campaigns/{{id}}"
_LIST = f"{_ROOT}/lists/{{id}}"


def _param(name: str, place: Literal["path", "query", "body"], description: str, *, required: bool = False) -> Param:
    return Param(name=name, place=place, required=required, description=description)


_ID = _param("id", "path", "the remote id", required=True)
_LOOKUP = (
    _param("id", "query", "the remote id"),
    _param("name", "query", "at least four characters; the search is partial"),
)
_READ = ("plan", "apply")
_SEEN = (*_READ, "status")
_WRITTEN = ("apply",)
_CALLER = "+ and 8 to 15 digits, or ten zeros"


def _campaign_fields(*, required: bool) -> tuple[Param, ...]:
    return (
        _param("campaignName", "body", "at least four characters", required=required),
        _param("flowId", "body", "the id of a SmartFlows flow", required=required),
        _param("callerIdentification", "body", _CALLER, required=required),
        _param("campaignDescription", "body", "free text"),
    )


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="campaigns.list",
        method="GET",
        path=f"{_ROOT}/campaigns",
        summary="List all campaigns",
        used_by=_SEEN,
    ),
    Operation(
        name="campaigns.get",
        method="GET",
        path=f"{_ROOT}/campaigns",
        summary="Show one campaign, by id or by name",
        params=_LOOKUP,
        used_by=(*_READ, "dial"),
    ),
    Operation(
        name="campaigns.create",
        method="POST",
        path=f"{_ROOT}/campaigns",
        summary="Create a campaign as a draft",
        params=_campaign_fields(required=False),
        used_by=_WRITTEN,
    ),
    Operation(
        name="campaigns.update",
        method="PUT",
        path=_CAMPAIGN,
        summary="Change name, description, flow and caller id of a campaign that has a flow",
        params=(_ID, *_campaign_fields(required=True)),
        contact_class=ContactClass.MAY_NOTIFY,
        used_by=_WRITTEN,
    ),
    Operation(
        name="campaigns.publish",
        method="POST",
        path=f"{_CAMPAIGN}/action",
        summary="Make a campaign active, ready to be run or scheduled",
        params=(_ID,),
        contact_class=ContactClass.MAY_NOTIFY,
        fixed=(("action", Action.PUBLISH.value),),
        used_by=_WRITTEN,
    ),
    Operation(
        name="campaigns.run",
        method="POST",
        path=f"{_CAMPAIGN}/action",
        summary="Contact everybody on the lists of a published campaign, now",
        params=(_ID,),
        contact_class=ContactClass.STARTS_CONTACTING,
        fixed=(("action", Action.RUN.value),),
        used_by=("dial",),
    ),
    Operation(
        name="campaigns.associate",
        method="POST",
        path=f"{_CAMPAIGN}/action",
        summary="Put lists on a campaign; whether they replace those that are on it is not documented",
        params=(
            _ID,
            _param("selectedLists", "body", "an array of list ids", required=True),
            _param("moc", "body", "the header with the method of contact, e.g. phone"),
            _param("autoDetectTZ", "body", 'the text "true", or leave it out'),
        ),
        contact_class=ContactClass.STARTS_CONTACTING,
        fixed=(("action", Action.ASSOCIATE.value),),
        used_by=_WRITTEN,
    ),
    Operation(
        name="campaigns.delete",
        method="DELETE",
        path=_CAMPAIGN,
        summary="Delete a campaign, soon",
        params=(_ID,),
        used_by=_WRITTEN,
    ),
    Operation(
        name="campaigns.errors",
        method="GET",
        path=f"{_ROOT}/campaigns/errors",
        summary="List the campaigns whose run failed",
        used_by=("status", "dial"),
    ),
    Operation(
        name="lists.list",
        method="GET",
        path=f"{_ROOT}/lists",
        summary="List all lists",
        used_by=_SEEN,
    ),
    Operation(
        name="lists.get",
        method="GET",
        path=f"{_ROOT}/lists",
        summary="Show one list by id, or the lists found by name; only by id with contact and campaign ids",
        params=_LOOKUP,
        used_by=(*_SEEN, "dial"),
    ),
    Operation(
        name="lists.create",
        method="POST",
        path=f"{_ROOT}/lists",
        summary="Create a list; nothing about it can be changed later",
        params=(
            _param("listName", "body", "at least four characters", required=True),
            _param("listDescription", "body", "free text"),
            _param("headers", "body", "an array of column names without spaces"),
        ),
        used_by=_WRITTEN,
    ),
    Operation(
        name="lists.delete",
        method="DELETE",
        path=_LIST,
        summary="Delete a list with its contacts, soon, unless an active campaign uses it",
        params=(_ID,),
        used_by=_WRITTEN,
    ),
    Operation(
        name="lists.add-contacts",
        method="PUT",
        path=f"{_LIST}/uploadcontacts",
        summary="Append contacts to a list (older endpoint); sent twice, they are on it twice",
        params=(
            _ID,
            _param("contactInfo", "body", 'an array of {"phone": …, "metadata": {…}}, at most 100', required=True),
        ),
        contact_class=ContactClass.STARTS_CONTACTING,
        used_by=_WRITTEN,
    ),
)
