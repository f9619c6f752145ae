"""The stable codes of this provider's problems, for ``reconciler explain CODE``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model.addresses import Address
from reconciler.model.resources import Resource

CODES: Mapping[str, tuple[str, str]] = {
    "exotel-setting": (
        "A setting of the account cannot be used as it stands.",
        "accountSid is the account's name in the dashboard; region is singapore or mumbai; bulkSize is 1 to 5,000.",
    ),
    "exotel-account-unknown": (
        "The API does not know the account behind accountSid, or showed an object of another one.",
        "Correct spec.accountSid, or use a key of that account and region.",
    ),
    "exotel-name": (
        "A name is empty, too short or long, has surrounding white space or control characters, or differs from "
        "another one by case only.",
        "List names take 1 to 60 characters and campaign names at least 4, on one line; Exotel may ignore case.",
    ),
    "exotel-campaign-field": (
        "The fields of the campaign do not fit together.",
        "Set url, or flow_type greeting with read_via_text; throttle goes with mode custom.",
    ),
    "exotel-schedule": (
        "A campaign without a usable time would start at once, and that is never desired state.",
        'Set spec.schedule.send_at, and end_at after it, as "2027-01-31T09:00:00+05:30".',
    ),
    "exotel-schedule-too-near": (
        "A campaign is only created or changed at least 10 minutes before its send_at, and never after it.",
        "Move spec.schedule.send_at to a later time and plan again.",
    ),
    "exotel-campaign-without-list": (
        "Exotel creates a campaign together with its lists, and this one would have none.",
        "Declare an Association, or remove the campaign's manifest.",
    ),
    "exotel-too-many-lists": (
        "A static campaign takes up to 5 lists and a dynamic one exactly 1.",
        "Take lists off the campaign, or split it.",
    ),
    "exotel-attribute": (
        "A contact column is no attribute that can be written.",
        "Use first_name, last_name, company_name, email and tag.",
    ),
    "exotel-campaign-started": (
        "Once a campaign has started only its callbacks change; replacing it would call people again.",
        "Put the values back, or declare a campaign with a new name.",
    ),
    "exotel-campaign-started-since": (
        "A campaign of the list started while people were being added, so adding means more than was approved.",
        "Plan again: the plan says what adding means now, and what has to be approved for it.",
    ),
    "exotel-campaign-finished": (
        "The campaign is over. It cannot change any more, so its manifest is no longer compared.",
        "For another round of calls declare a campaign with a new name.",
    ),
    "exotel-completes-campaign": (
        "Completing a campaign gives up everybody who was not called yet, and cannot be undone.",
        "Use state: paused if it should go on later.",
    ),
    "exotel-campaign-running": (
        "A campaign that has started does not read its lists again.",
        "For the new people declare a campaign with a new name.",
    ),
    "exotel-lists-unknown": (
        "Exotel did not say which lists feed the campaign, so they are not compared.",
        "Look at the campaign in the dashboard. A later plan compares them when they are told.",
    ),
    "exotel-list-in-use": (
        "A campaign that is not finished has the list; Exotel refuses to delete it.",
        "Delete or complete the campaign first, or delete it in the same plan, or keep the list and let go of it with "
        "`reconciler inventory forget ADDRESS`.",
    ),
    "exotel-list-full": (
        "A list holds up to 100,000 people.",
        "Split the people over several lists; a campaign takes up to five.",
    ),
    "exotel-slow-removal": (
        "Exotel takes people off a list one request at a time.",
        "Let it run, or declare a new list with the right people and associate that one.",
    ),
    "exotel-several-contacts": (
        "Several contacts have the same number; the oldest one counts.",
        "Delete the surplus contacts in the dashboard.",
    ),
    "exotel-address-book-too-large": (
        "Whether contacts exist is only told by the whole address book, read 20 at a time, and this one is large.",
        "Set missingContacts: create: contacts that exist are found and left as they are. Or raise addressBookPages.",
    ),
    "exotel-campaign-astray": (
        "Exotel stored a campaign otherwise than it was asked for. It may be calling people.",
        "Look at the campaign in the dashboard at once; pause it there if it should not run.",
    ),
}
"""code -> (what it means, what to do)."""


def problem(
    severity: Severity, code: str, message: str, about: Resource | Address | None = None, *, hint: str = ""
) -> Diagnostic:
    """A diagnostic with this provider's usual remedy, placed at a declared resource where there is one."""
    place: dict[str, Any] = {}
    match about:
        case Resource(address=address, source=source):
            place = {"address": str(address), "source": source}
        case Address():
            place = {"address": str(about)}
    return Diagnostic(code=code, severity=severity, message=message, hint=hint or CODES[code][1], **place)
