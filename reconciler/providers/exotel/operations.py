"""Every documented endpoint, for ``reconciler call``. Names of parameters are the wire's.

``account_sid`` in a path is not asked for: it is the account's own (see ``ExotelProvider.path_parameters``).
"""

from __future__ import annotations

from typing import Literal

from reconciler.model.kinds import ContactClass
from reconciler.plan.calls import Json, Method
from reconciler.providers.base import Operation, Param
from reconciler.providers.exotel.convert import ATTRIBUTES

_P = "/{account_sid}"
_SILENT, _NOTIFIES, _DIALS = ContactClass.SILENT, ContactClass.MAY_NOTIFY, ContactClass.STARTS_CONTACTING
_READ, _SEEN, _WRITTEN = ("plan", "apply"), ("plan", "apply", "status"), ("apply",)


def _params(place: Literal["path", "query", "body"], **about: str) -> tuple[Param, ...]:
    """A description that starts with ``!`` marks a required parameter."""
    return tuple(
        Param(name=name, place=place, required=text.startswith("!"), description=text.lstrip("!"))
        for name, text in about.items()
    )


_PAGING = _params("query", offset="rows to skip", limit="rows to return, 20 when left out")
_SORTED = _params("query", sort_by="date_created:asc or name:asc", name="search, finds parts of names too")
_LIST_SID = _params("path", list_sid="!the list's sid")
_CONTACT_SID = _params("path", contact_sid="!the contact's sid")
_ID = _params("path", id="!the campaign's id")
_LIST_FIELDS = _params("body", name="unique in the account", tag="empty to clear it")
_CONTACT_FIELDS = _params(
    "body",
    number="E.164",
    **dict.fromkeys(ATTRIBUTES, "attribute of the contact"),
    custom="object with custom data",
)


def _operation(
    name: str,
    method: Method,
    path: str,
    summary: str,
    *params: Param,
    contact_class: ContactClass = _SILENT,
    used_by: tuple[str, ...] = (),
    fixed: tuple[tuple[str, Json], ...] = (),
) -> Operation:
    return Operation(
        name=name,
        method=method,
        path=_P + path,
        summary=summary,
        params=params,
        contact_class=contact_class,
        used_by=used_by,
        fixed=fixed,
    )


_LISTS = (
    _operation(
        "lists.create",
        Method.POST,
        "/lists",
        "New lists; each is judged on its own",
        *_params("body", lists='!array of {"name": …, "tag": …}'),
        used_by=_WRITTEN,
    ),
    _operation(
        "lists.list", Method.GET, "/lists", "Lists of the account, up to 100", *_PAGING, *_SORTED, used_by=_SEEN
    ),
    _operation("lists.get", Method.GET, "/lists/{list_sid}", "One list", *_LIST_SID, used_by=_READ),
    _operation(
        "lists.update",
        Method.PUT,
        "/lists/{list_sid}",
        "Change a list",
        *_LIST_SID,
        *_LIST_FIELDS,
        used_by=_WRITTEN,
    ),
    _operation(
        "lists.update-many",
        Method.PUT,
        "/lists",
        "Change up to 5,000 lists; each is judged on its own",
        *_params("body", lists='!array of {"sid": …, "name": …, "tag": …}'),
    ),
    _operation(
        "lists.delete",
        Method.DELETE,
        "/lists/{list_sid}",
        "Delete a list; contacts stay",
        *_LIST_SID,
        used_by=_WRITTEN,
    ),
    _operation(
        "lists.add-contacts",
        Method.POST,
        "/lists/{list_sid}/contacts",
        "Put up to 5,000 contacts on a list; a running dynamic campaign may call them",
        *_LIST_SID,
        *_params("body", contact_references='!array of {"contact_sid": …}'),
        contact_class=_DIALS,
        used_by=_WRITTEN,
    ),
    _operation(
        "lists.contacts",
        Method.GET,
        "/lists/{list_sid}/contacts",
        "Contacts on a list, up to 500",
        *_LIST_SID,
        *_PAGING,
        used_by=_READ,
    ),
    _operation(
        "lists.remove-contact",
        Method.DELETE,
        "/lists/{list_sid}/contacts/{contact_sid}",
        "Take one contact off a list; the contact stays",
        *_LIST_SID,
        *_CONTACT_SID,
        used_by=_WRITTEN,
    ),
)

_UPLOADS = (
    _operation(
        "contacts.csv-upload",
        Method.POST,
        "/contacts/csv-upload",
        "A file of people for a list, made if it is new; worked on later",
        *_params(
            "body",
            list_name="!the list by name",
            file_name="!the content of the file, with a header; file_name=@people.csv",
            type="static or dynamic",
        ),
        contact_class=_DIALS,
        used_by=_WRITTEN,
    ),
    _operation(
        "contacts.csv-status",
        Method.GET,
        "/csv-status/{upload_id}",
        "How far a file was worked on",
        *_params("path", upload_id="!what the upload answered"),
        used_by=_WRITTEN,
    ),
)

_CONTACTS = (
    _operation(
        "contacts.create",
        Method.POST,
        "/contacts",
        "Up to 5,000 new contacts; one that exists is named in the answer and left as it is",
        *_params("body", contacts='!array of {"number": …, "first_name": …}'),
        used_by=_WRITTEN,
    ),
    _operation(
        "contacts.list",
        Method.GET,
        "/contacts",
        "Contacts of the account, up to 20",
        *_PAGING,
        *_SORTED,
        *_params("query", list_sids="only members of these, with commas", filter="show_list adds their lists"),
        used_by=_READ,
    ),
    _operation("contacts.get", Method.GET, "/contacts/{contact_sid}", "One contact", *_CONTACT_SID, used_by=_WRITTEN),
    _operation(
        "contacts.update",
        Method.PUT,
        "/contacts/{contact_sid}",
        "Change a contact",
        *_CONTACT_SID,
        *_CONTACT_FIELDS,
    ),
    _operation(
        "contacts.update-many",
        Method.PUT,
        "/contacts",
        "Change up to 5,000 contacts; each is judged on its own",
        *_params("body", contacts='!array of {"sid": …, "first_name": …}'),
        used_by=_WRITTEN,
    ),
    _operation(
        "contacts.delete",
        Method.DELETE,
        "/contacts/{contact_sid}",
        "Delete a contact for good, off every list; no apply ever does",
        *_CONTACT_SID,
    ),
)


def _action(name: str, summary: str, contact_class: ContactClass = _SILENT) -> Operation:
    return _operation(
        f"campaigns.{name}",
        Method.PUT,
        "/campaigns/{id}",
        summary,
        *_ID,
        contact_class=contact_class,
        used_by=_WRITTEN,
        # Not for a caller to give: another action in it would be approved as something else.
        fixed=(("campaigns", ({"action": name},)),),
    )


_CAMPAIGNS = (
    _operation(
        "campaigns.create",
        Method.POST,
        "/campaigns",
        "A new campaign with its lists; without schedule.send_at it calls people at once",
        *_params("body", campaigns='!array of one {"caller_id": …, "lists": […], "url": …, "schedule": {…}}'),
        contact_class=_DIALS,
        used_by=_WRITTEN,
    ),
    _operation(
        "campaigns.list",
        Method.GET,
        "/campaigns",
        "Campaigns of the account, up to 500, those that are over too",
        *_PAGING,
        *_SORTED,
        *_params("query", status="with commas, for example in-progress,created", type="trans"),
        used_by=_SEEN,
    ),
    _operation("campaigns.get", Method.GET, "/campaigns/{id}", "One campaign", *_ID, used_by=_READ),
    _operation(
        "campaigns.update",
        Method.PUT,
        "/campaigns/{id}",
        "Change a campaign before its send_at; afterwards only its callbacks",
        *_ID,
        *_params("body", campaigns='!array of one {"name": …, "schedule": {…}, "lists": […]}'),
        contact_class=_DIALS,
        used_by=_WRITTEN,
    ),
    _action("pause", "Stop a campaign for now"),
    _action("resume", "Let a paused campaign go on calling people", _DIALS),
    _action("complete", "End a paused campaign: whoever was not called is given up for good"),
    _action("archive", "Put a completed campaign away"),
    _operation(
        "campaigns.delete",
        Method.DELETE,
        "/campaigns/{id}",
        "Delete a campaign that has not started",
        *_ID,
        used_by=_WRITTEN,
    ),
    _operation(
        "campaigns.call-details",
        Method.GET,
        "/campaigns/{id}/call-details",
        "The calls of a campaign, one row each",
        *_ID,
        *_PAGING,
        *_params("query", status="with commas", sort_by="date_created:asc or date_created:desc"),
    ),
)

OPERATIONS: tuple[Operation, ...] = (*_LISTS, *_UPLOADS, *_CONTACTS, *_CAMPAIGNS)
"""In the order of the API notes."""
