"""Every documented endpoint, for ``reconciler call``. Names of parameters are the wire's.

``brand_id`` in a path is not asked for: it is the account's own (see ``SlickTextProvider.path_parameters``).
"""

from __future__ import annotations

from typing import Literal

from reconciler.model.kinds import ContactClass
from reconciler.plan.calls import Method
from reconciler.providers.base import Operation, Param
from reconciler.providers.slicktext.calls import REMOVE_MEMBERS
from reconciler.providers.slicktext.contacts import ATTRIBUTES

_BRAND = "/brands/{brand_id}"


def _params(place: Literal["path", "query", "body"], **about: str) -> tuple[Param, ...]:
    """A description that starts with ``!`` marks a required parameter."""
    return tuple(
        Param(name=name, place=place, required=text.startswith("!"), description=text.lstrip("!"))
        for name, text in about.items()
    )


_PAGING = _params(
    "query",
    limit="rows to return, 50 when left out",
    offset="rows to skip",
    page="page from 0, together with pageSize",
    pageSize="rows a page, together with page",
)
_LIST_ID = _params("path", list_id="!the list's id")
_CONTACT_ID = _params("path", contact_id="!the contact's id")
_CAMPAIGN_ID = _params("path", campaign_id="!the campaign's id")
_LIST_FIELDS = _params("body", description="up to 500 characters, empty to clear it")
_CONTACT_FILTERS = _params(
    "query", mobile_number="E.164", email="exact", opt_in_status="subscribed, not subscribed, unsubscribed or blocked"
)
_CONTACT_FIELDS = (
    *_params("body", **dict.fromkeys(ATTRIBUTES, "attribute of the contact")),
    *_params(
        "body", opt_in_status="claims or withdraws the person's consent", custom_fields="object, by internal name"
    ),
)
_CAMPAIGN_FIELDS = _params(
    "body",
    media_url="picture, makes it an MMS",
    scheduled="UTC, 2026-10-17 14:00:00; with status scheduled",
    audience='object {"contact_lists": [ids], "segments": [ids]}, replaces the whole audience',
)
_PAIRS = _params("body", body='!array of {"contact_id": id, "lists": [ids]}')


def _operation(
    name: str,
    method: Method,
    path: str,
    summary: str,
    *params: Param,
    contact_class: ContactClass = ContactClass.SILENT,
    array_body: bool = False,
    used_by: tuple[str, ...] = (),
) -> Operation:
    return Operation(
        name=name,
        method=method,
        path=path,
        summary=summary,
        params=params,
        contact_class=contact_class,
        array_body=array_body,
        used_by=used_by,
    )


_READ = ("plan", "apply")
_SEEN = (*_READ, "status")
_WRITTEN = ("apply",)


_LISTS = (
    _operation(
        "lists.list",
        Method.GET,
        f"{_BRAND}/lists",
        "Lists of the brand",
        *_PAGING,
        *_params("query", name="exact"),
        used_by=_SEEN,
    ),
    _operation(
        "lists.get",
        Method.GET,
        f"{_BRAND}/lists/{{list_id}}",
        "One list",
        *_LIST_ID,
        used_by=_READ,
    ),
    _operation(
        "lists.create",
        Method.POST,
        f"{_BRAND}/lists",
        "A new list",
        *_params("body", name="!up to 100 characters"),
        *_LIST_FIELDS,
        used_by=_WRITTEN,
    ),
    _operation(
        "lists.update",
        Method.PUT,
        f"{_BRAND}/lists/{{list_id}}",
        "Change a list; at least one field",
        *_LIST_ID,
        *_params("body", name="up to 100 characters"),
        *_LIST_FIELDS,
        used_by=_WRITTEN,
    ),
    _operation(
        "lists.delete",
        Method.DELETE,
        f"{_BRAND}/lists/{{list_id}}",
        "Delete a list; contacts stay",
        *_LIST_ID,
        used_by=_WRITTEN,
    ),
    _operation(
        "lists.count-contacts",
        Method.GET,
        f"{_BRAND}/lists/{{list_id}}/contacts/count",
        "How many contacts are on a list, whatever their status",
        *_LIST_ID,
        used_by=(*_SEEN, "dial"),
    ),
    _operation(
        "lists.contacts",
        Method.GET,
        f"{_BRAND}/lists/{{list_id}}/contacts",
        "Contacts on a list",
        *_LIST_ID,
        *_PAGING,
        *_CONTACT_FILTERS,
        used_by=(*_READ, "dial"),
    ),
    _operation(
        "lists.add-contacts",
        Method.POST,
        f"{_BRAND}/lists/contacts",
        "Put contacts on lists; may start workflows that text them",
        *_PAIRS,
        contact_class=ContactClass.MAY_NOTIFY,
        array_body=True,
        used_by=_WRITTEN,
    ),
    _operation(
        "lists.remove-contacts",
        REMOVE_MEMBERS[0],
        "/".join((_BRAND, *REMOVE_MEMBERS[1])),
        "Take contacts off lists",
        *_PAIRS,
        array_body=True,
        used_by=_WRITTEN,
    ),
)

_CONTACTS = (
    _operation(
        "contacts.list",
        Method.GET,
        f"{_BRAND}/contacts",
        "Contacts of the brand",
        *_PAGING,
        *_CONTACT_FILTERS,
        used_by=_READ,
    ),
    _operation(
        "contacts.get",
        Method.GET,
        f"{_BRAND}/contacts/{{contact_id}}",
        "One contact",
        *_CONTACT_ID,
        used_by=_WRITTEN,
    ),
    _operation(
        "contacts.create",
        Method.POST,
        f"{_BRAND}/contacts",
        "A new contact; may start workflows, and force_double_opt_in texts the person",
        *_params("body", mobile_number="!E.164, US or Canada"),
        *_CONTACT_FIELDS,
        *_params("body", force_double_opt_in="true asks the person by text to confirm"),
        contact_class=ContactClass.STARTS_CONTACTING,
        used_by=_WRITTEN,
    ),
    _operation(
        "contacts.update",
        Method.PUT,
        f"{_BRAND}/contacts/{{contact_id}}",
        "Change a contact; may start workflows",
        *_CONTACT_ID,
        *_params("body", mobile_number="E.164, US or Canada"),
        *_CONTACT_FIELDS,
        contact_class=ContactClass.MAY_NOTIFY,
        used_by=_WRITTEN,
    ),
    _operation(
        "contacts.delete",
        Method.DELETE,
        f"{_BRAND}/contacts/{{contact_id}}",
        "Delete a contact with its opt-out record; no apply ever does",
        *_CONTACT_ID,
    ),
)

_CAMPAIGNS = (
    _operation(
        "campaigns.list",
        Method.GET,
        f"{_BRAND}/campaigns",
        "Campaigns of the brand",
        *_PAGING,
        *_params("query", name="exact", status="draft, scheduled, queued, sent"),
        used_by=_SEEN,
    ),
    _operation(
        "campaigns.get",
        Method.GET,
        f"{_BRAND}/campaigns/{{campaign_id}}",
        "One campaign",
        *_CAMPAIGN_ID,
        used_by=(*_SEEN, "dial"),
    ),
    _operation(
        "campaigns.create",
        Method.POST,
        f"{_BRAND}/campaigns",
        "A new campaign; status send texts people at once",
        *_params("body", name="!internal label", body="!the text", status="!draft, scheduled or send"),
        *_CAMPAIGN_FIELDS,
        contact_class=ContactClass.STARTS_CONTACTING,
        used_by=_WRITTEN,
    ),
    _operation(
        "campaigns.update",
        Method.PUT,
        f"{_BRAND}/campaigns/{{campaign_id}}",
        "Change a draft or scheduled campaign; status send texts people at once",
        *_CAMPAIGN_ID,
        *_params("body", name="internal label", body="the text", status="!draft, scheduled or send"),
        *_CAMPAIGN_FIELDS,
        contact_class=ContactClass.STARTS_CONTACTING,
        used_by=(*_WRITTEN, "dial"),
    ),
    _operation(
        "campaigns.delete",
        Method.DELETE,
        f"{_BRAND}/campaigns/{{campaign_id}}",
        "Delete a draft, or cancel and delete a scheduled campaign",
        *_CAMPAIGN_ID,
        used_by=_WRITTEN,
    ),
)

OPERATIONS: tuple[Operation, ...] = (
    _operation(
        "brands.get",
        Method.GET,
        "/brands",
        "The brand that the API key belongs to",
        used_by=_READ,
    ),
    *_LISTS,
    *_CONTACTS,
    *_CAMPAIGNS,
    _operation(
        "segments.list", Method.GET, f"{_BRAND}/segments", "Segments", *_PAGING, *_params("query", name="exact")
    ),
    _operation(
        "segments.get",
        Method.GET,
        f"{_BRAND}/segments/{{segment_id}}",
        "One segment",
        *_params("path", segment_id="!the segment's id"),
    ),
    _operation(
        "custom-fields.list",
        Method.GET,
        f"{_BRAND}/custom-fields",
        "Custom fields of contacts",
        *_PAGING,
        *_params("query", data_type="exact"),
    ),
)
"""In the order of the API notes."""
