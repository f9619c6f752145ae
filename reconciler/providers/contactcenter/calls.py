"""Every write that plan and apply know, as data. Paths are below the portal's address.

Codes like E6 are the endpoints' numbers in the contact centre API notes, section 2. What is not here is never written
by an apply: no campaign is touched, and no lead is given the status ``new``, which would have it dialled again.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.addresses import RemoteId
from reconciler.plan.calls import Call, Column, Json, Method
from reconciler.providers.contactcenter.settings import API

CAMPAIGNS: tuple[str, ...] = (*API, "config", "campaigns")
REPORTS: tuple[str, ...] = (*API, "reports", "campaigns", "leads")

TEXTS: tuple[str, ...] = ("first_name", "last_name", "type", "ticket_id", "note")
NUMBERS: tuple[str, ...] = ("priority", "retries", "cool_off")
"""Attributes of a lead that is added (API notes, E6)."""

READABLE = frozenset({"first_name", "last_name", "priority", "retries"})
WRITE_ONLY = frozenset({"type", "ticket_id", "note", "cool_off"})


def add_lead(campaign: RemoteId, attributes: Iterable[str], method: Method) -> Call:
    """E6, one person a call. What a row does not say is left out: neither null nor empty is sent [A-3]."""
    body: dict[str, Json] = {"number": Column("number")}
    body |= {name: Column(name, as_int=name in NUMBERS) for name in attributes}
    return Call(method=method, path=(*CAMPAIGNS, campaign, "lead"), body=body)


def set_status() -> Call:
    """E7, without the campaign: the lead's id says it all."""
    return Call(method=Method.POST, path=(*CAMPAIGNS, "leads", Column("contact_id"), "status", Column("status")))


def delete_lead() -> Call:
    """E8, as E7."""
    return Call(method=Method.DELETE, path=(*CAMPAIGNS, "leads", Column("contact_id")))
