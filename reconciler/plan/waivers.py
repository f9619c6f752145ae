"""Waivers: drift that somebody accepted in writing, with a reason and an end."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, warning
from reconciler.model.desired import Waiver
from reconciler.plan.drift import Accepted, DriftItem, together
from reconciler.plan.selection import Selection


def waived(
    items: list[DriftItem], waivers: tuple[Waiver, ...], selection: Selection, today: date
) -> tuple[list[DriftItem], list[Diagnostic]]:
    """The items with what somebody accepted in writing, and what there is to say about the waivers themselves."""
    told: list[Diagnostic] = []
    by_address = {item.address: item for item in items}
    for waiver in sorted(waivers, key=lambda w: w.name):
        item = by_address.get(str(waiver.address))
        covers = item is not None and (item.counts or any(not f.accepted for f in item.fields))
        if item is None or not covers:
            if selection.everything:
                told.append(_unused(waiver))
            continue
        if today > waiver.expires:
            told.append(_expired(waiver))
            continue
        by_address[item.address] = _with_waiver(item, waiver)
    return list(by_address.values()), told


def _with_waiver(item: DriftItem, waiver: Waiver) -> DriftItem:
    why = f"{waiver.reason} (until {waiver.expires.isoformat()})"
    if not waiver.fields:
        return replace(item, accepted=item.accepted or Accepted.WAIVED, waiver=why)
    fields = tuple(
        replace(f, accepted=Accepted.WAIVED) if not f.accepted and f.path.split(".")[0] in waiver.fields else f
        for f in item.fields
    )
    if not item.fields or fields == item.fields:
        return item
    whole = all(f.accepted for f in fields)
    return replace(
        item,
        fields=fields,
        state=together(fields),
        waiver=why,
        accepted=item.accepted or (Accepted.WAIVED if whole else Accepted.NO),
    )


def _expired(waiver: Waiver) -> Diagnostic:
    return warning(
        "waiver-expired",
        f"waiver {waiver.name!r} ended on {waiver.expires.isoformat()}: its drift counts again",
        hint="put the drift right, or extend the waiver",
        address=str(waiver.address),
        source=waiver.source,
    )


def _unused(waiver: Waiver) -> Diagnostic:
    return warning(
        "waiver-unused",
        f"waiver {waiver.name!r} accepts drift that is not there",
        hint="remove it",
        address=str(waiver.address),
        source=waiver.source,
    )
