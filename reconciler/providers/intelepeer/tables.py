"""What can be done with each kind at IntelePeer, as data (source: IntelePeer API notes, section 4)."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.addresses import Kind
from reconciler.model.kinds import FieldRule, KindRules, MembershipRules
from reconciler.model.resources import FieldValue
from reconciler.providers.intelepeer.codes import refusal
from reconciler.providers.intelepeer.convert import right_trimmed
from reconciler.providers.intelepeer.wire import truth


def _sequence(value: FieldValue) -> FieldValue:
    """Headers, whose order counts; none at all and an empty array are the same."""
    return value if isinstance(value, tuple) else ()


def _flag(value: FieldValue) -> FieldValue:
    return truth(value)


_FIXED = FieldRule(updatable=False)

KINDS: Mapping[Kind, KindRules] = {
    Kind.LIST: KindRules(
        fields={
            "name": _FIXED,
            "description": FieldRule(normalise=right_trimmed, updatable=False, absent=""),
            # Older replies do not tell them.
            "headers": FieldRule(normalise=_sequence, updatable=False, readable=False),
        },
        update=refusal("intelepeer-list-immutable"),
    ),
    Kind.CAMPAIGN: KindRules(
        fields={
            "name": FieldRule(),
            "description": FieldRule(normalise=right_trimmed, absent=""),
            "callerIdentification": FieldRule(),
            "flowId": FieldRule(),
            "state": FieldRule(),
        },
        replace=refusal("intelepeer-campaign-replace"),
    ),
    Kind.ASSOCIATION: KindRules(
        # Write-mostly: what a link's attributes are is rarely told, and then nothing is compared.
        fields={"moc": FieldRule(readable=False), "autoDetectTZ": FieldRule(normalise=_flag, readable=False)},
        delete=refusal("intelepeer-no-dissociate"),
    ),
    Kind.MEMBERSHIP: KindRules(),
}

MEMBERSHIP = MembershipRules(
    exact=refusal("intelepeer-exact-membership"),
    remove=refusal("intelepeer-members-append-only"),
    change=refusal("intelepeer-members-append-only"),
    readable=False,
)
