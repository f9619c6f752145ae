"""What a policy plug-in of another package is, and all that it gets to see: a plan as its masked document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct
from msgspec.structs import asdict

from reconciler.diagnostics import Diagnostic
from reconciler.masking import mask_text
from reconciler.model.resources import Resource
from reconciler.plan.changes import Plan
from reconciler.plan.codec import encode, field_value, span_document


class ByHand(Struct, frozen=True, kw_only=True):
    """What ``dial`` or ``call`` is about to send. ``operation`` is that of a call (``lists.delete``), ``address`` that
    of the dialled campaign; ``approvals`` are the classes that it takes, and ``reach`` how many people it contacts,
    None where that is not known."""

    command: str
    account: str
    address: str = ""
    operation: str = ""
    approvals: tuple[str, ...] = ()
    reach: int | None = None


class View(Struct, frozen=True, kw_only=True):
    """A plan to be judged, in plain JSON values. No number of a person is in it.

    ``plan`` is the document of ``schemas/plan.json``, without a digest. ``resources`` is what is declared and selected,
    sorted by address: ``address``, ``account``, ``provider``, ``kind``, ``name``, ``labels``, ``fields`` (as the
    manifest has them), ``lifecycle`` (``protect``, ``replace``, ``observe``, ``onRemove``), ``members`` (``mode``,
    ``count``; None for other kinds) and ``source``. ``options`` are those of the Policy document.

    ``request`` is what ``dial`` or ``call`` is about to send, as the members of ``ByHand``; None where a plan is
    judged. With a request the plan is an empty one, and ``resources`` are the dialled campaign and what feeds it, or
    none for a call.
    """

    plan: Mapping[str, Any]
    resources: tuple[Mapping[str, Any], ...]
    options: Mapping[str, Any]
    request: Mapping[str, Any] | None = None


@runtime_checkable
class PolicyPlugin(Protocol):
    """The plug-in: what an entry point of the group ``reconciler.policies`` names. It looks and says, and must not
    write; it need not be quick to import, since that happens only when a Policy names it."""

    name: str
    codes: Mapping[str, tuple[str, str]]
    """Every code that it can say: what it means, and what to do (``reconciler explain CODE``)."""

    def evaluate(self, view: View) -> Iterable[Diagnostic]:
        """What it has to say; an error refuses. ``address`` is that of a resource, of an account, or empty; ``source``
        may be left out. Raising anything refuses as well."""
        ...


def view(
    plan: Plan,
    resources: Iterable[Resource],
    *,
    tool: str,
    options: Mapping[str, Any],
    request: ByHand | None = None,
) -> View:
    """What a plug-in gets to see. Nothing of it is shared with anybody: what a plug-in does to it stays there."""
    return View(
        plan=encode(plan, tool=tool, timings=False),
        resources=tuple(map(_resource, resources)),
        options=field_value(options, show_pii=True),
        request=None if request is None else {**asdict(request), "approvals": [*map(str, request.approvals)]},
    )


def _resource(resource: Resource) -> dict[str, Any]:
    address, lifecycle, members = resource.address, resource.lifecycle, resource.members
    return {
        "address": str(address),
        "account": address.account,
        "provider": resource.provider,
        "kind": str(address.kind),
        "name": address.name,
        "labels": {name: mask_text(value) for name, value in sorted(resource.labels.items())},
        "fields": field_value(resource.fields),
        "lifecycle": {
            "protect": lifecycle.protect,
            "replace": lifecycle.replace,
            "observe": lifecycle.observe,
            "onRemove": str(lifecycle.on_remove),
        },
        "members": None if members is None else {"mode": str(members.mode), "count": len(members.contacts)},
        "source": span_document(resource.source),
    }
