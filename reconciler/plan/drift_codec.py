"""A drift comparison as its JSON document (``schemas/drift.json``), numbers masked unless somebody asked for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.masking import mask_number, mask_text
from reconciler.model.contacts import ContactSet
from reconciler.plan.codec import EXAMPLES, FORMAT_VERSION, account_document, diagnostic, field_value, span_document
from reconciler.plan.drift import Drift, DriftItem, DriftState, FieldDrift
from reconciler.plan.drifted_members import MemberDrift

_PEOPLE = (
    ("appeared", "appeared"),
    ("vanished", "vanished"),
    ("changed", "changed"),
    ("pendingAdd", "pending_add"),
    ("pendingRemove", "pending_remove"),
    ("pendingChange", "pending_change"),
)
"""The sets of a membership, by their names in JSON."""


def encode_drift(drift: Drift, *, tool: str, created_at: str = "", show_pii: bool = False) -> dict[str, Any]:
    """The document. ``created_at`` is RFC 3339 in UTC; without it the same inputs give the same bytes."""
    return {
        "formatVersion": FORMAT_VERSION,
        "tool": tool,
        "project": drift.project,
        "environment": drift.environment,
        "createdAt": created_at,
        "accounts": [account_document(a, show_pii) for a in drift.accounts],
        "items": [_item(i, show_pii) for i in drift.items],
        "summary": drift_summary(drift),
        "diagnostics": [diagnostic(d, show_pii) for d in drift.diagnostics],
    }


def drift_summary(drift: Drift) -> dict[str, int]:
    """Items by state, those that somebody accepted counted apart; and how many resources were compared in all."""
    open_items = [i for i in drift.items if not i.accepted]
    states = {str(s): sum(i.state is s for i in open_items) for s in DriftState}
    declared = [i for i in drift.items if i.state is not DriftState.UNMANAGED]
    return states | {
        "accepted": len(drift.items) - len(open_items),
        "compared": drift.compared,
        "inOrder": drift.compared - len(declared) - sum(len(i.dependents) for i in declared),
    }


def _item(item: DriftItem, show_pii: bool) -> dict[str, Any]:
    mask = str if show_pii else mask_text
    return {
        "address": item.address,
        "account": item.account,
        "provider": item.provider,
        "kind": str(item.kind),
        "title": mask(item.title),
        "state": str(item.state),
        "reason": mask(item.reason),
        "accepted": str(item.accepted),
        "waiver": mask(item.waiver),
        "fields": [_field(f, show_pii) for f in item.fields],
        "members": None if item.members is None else _members(item.members, show_pii),
        "dependents": list(item.dependents),
        "source": span_document(item.source),
        "remedy": item.remedy,
    }


def _field(field: FieldDrift, show_pii: bool) -> dict[str, Any]:
    return {
        "path": field.path,
        "lastApplied": field_value(field.last_applied, show_pii),
        "live": field_value(field.live, show_pii),
        "desired": field_value(field.desired, show_pii),
        "state": str(field.state),
        "accepted": str(field.accepted),
    }


def _members(members: MemberDrift, show_pii: bool) -> dict[str, Any]:
    sets: dict[str, ContactSet] = {name: getattr(members, attribute) for name, attribute in _PEOPLE}
    return {
        **{name: len(people) for name, people in sets.items()},
        "unchanged": members.unchanged,
        "unseen": members.unseen,
        "examples": {name: [*_shown(people.head(EXAMPLES).numbers(), show_pii)] for name, people in sets.items()},
    }


def _shown(numbers: Iterable[str], show_pii: bool) -> Iterable[str]:
    return (n if show_pii else mask_number(n) for n in numbers)
