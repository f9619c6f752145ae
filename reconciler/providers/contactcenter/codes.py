"""The stable codes of this provider's problems, for ``reconciler explain CODE``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model.addresses import Address
from reconciler.model.resources import Resource

CODES: Mapping[str, tuple[str, str]] = {
    "contactcenter-setting": (
        "A setting of the account or a Membership cannot be used as it stands.",
        "The message says which one. The provider's page lists all of them.",
    ),
    "contactcenter-campaign-missing": (
        "The campaign is not in the account. Campaigns are made in the portal, never through the API.",
        "Create it in the portal, or correct its name or id.",
    ),
    "contactcenter-campaign-read-only": (
        "Nothing about a campaign can be written: the API neither renames, starts, stops nor deletes one.",
        "Change it in the portal, and let the manifest say what is there.",
    ),
    "contactcenter-attribute": (
        "A contact column is no attribute of a lead, or holds a value that cannot be sent.",
        "Use first_name, last_name, priority, retries, type, ticket_id, note and cool_off; the numbers are whole ones.",
    ),
    "contactcenter-status": (
        "A lead may be declared to be finished, and in no other status. A declared `new` would be dialled for ever.",
        "Use success, failed, or a word from the account's terminalStatuses; leave the others out.",
    ),
    "contactcenter-attribute-fixed": (
        "Leads have other values than declared, and the API cannot change a lead.",
        "Change it in the portal or take the column out. A lead is never deleted and added again for it.",
    ),
    "contactcenter-duplicate-lead": (
        "A number has several leads in one campaign, so it could be called several times.",
        "Delete the surplus leads in the portal. Until then none of them is changed; undeclared ones are all deleted.",
    ),
    "contactcenter-unusable-number": (
        "Leads of a live campaign have something for a number that is no telephone number. They are left alone.",
        "Correct them in the portal if they matter.",
    ),
    "contactcenter-number-rewritten": (
        "A declared number is there in another spelling, or the portal stored another one than was sent. Adding it "
        "again could call somebody twice.",
        "Correct the lead in the portal to the whole international number, or declare the number as it is dialled.",
    ),
    "contactcenter-counts": (
        "The portal's counts of leads by status repeat a word, or do not add up to its total.",
        "Nothing to do: counts are only shown. The number of leads is proven by reading them.",
    ),
    "contactcenter-other-account": (
        "The login belongs to another account than accountId names. That can be right for a sub-account.",
        "Check accountId before anything is applied.",
    ),
    "contactcenter-campaign-started": (
        "A campaign that was stopped when the plan was made is not stopped any more. Adding leads would call people.",
        "Plan again: adding to a campaign that runs needs --approve contact.",
    ),
}
"""code -> (what it means, what to do)."""


def problem(
    severity: Severity, code: str, message: str, about: Resource | Address | str = "", *, hint: str = ""
) -> Diagnostic:
    """A diagnostic with this provider's usual remedy, placed at a declared resource, an address or an account."""
    place: dict[str, Any] = {"address": about}
    match about:
        case Resource(address=address, source=source):
            place = {"address": str(address), "source": source}
        case Address():
            place = {"address": str(about)}
    return Diagnostic(code=code, severity=severity, message=message, hint=hint or CODES[code][1], **place)
