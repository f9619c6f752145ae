"""The stable codes of this provider's problems, for ``reconciler explain CODE``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model.addresses import Address
from reconciler.model.resources import Resource

CODES: Mapping[str, tuple[str, str]] = {
    "account-mismatch": (
        "The API key belongs to another brand than the account's brandId names, or a row of another brand came back.",
        "Use a key of the brand, or correct spec.brandId. Nothing is read or written until both agree.",
    ),
    "slicktext-setting": (
        "A setting of the account cannot be used as it stands.",
        "brandId is the brand's number, with or without a leading b; bulkSize is 1 to 80; freezeWindow is a duration.",
    ),
    "slicktext-text": (
        "A name, description or text is empty, too long, or has surrounding white space or control characters.",
        "Names take up to 100 characters and descriptions up to 500, on one line.",
    ),
    "slicktext-schedule": (
        "A scheduled campaign needs the time in `scheduled`, in UTC and written as 2026-10-17 14:00:00.",
        "Set spec.scheduled, in quotes.",
    ),
    "slicktext-status": (
        "A manifest may say that a campaign is a draft or scheduled. Sending now is never desired state.",
        "Use status: draft or status: scheduled; sending now is never part of an apply.",
    ),
    "slicktext-campaign-body": (
        "The campaign has no text, and SlickText creates or schedules none without.",
        "Set spec.body.",
    ),
    "slicktext-not-us-ca": (
        "SlickText takes numbers of the United States and Canada only.",
        "Move these contacts to a provider that reaches them, or correct the numbers.",
    ),
    "slicktext-attribute": (
        "A contact column is no attribute that can be written, or holds a value that SlickText would refuse.",
        "Use first_name, last_name, email, address, city, state, zip, country, birthdate, timezone and language.",
    ),
    "slicktext-consent": (
        "Consent is between a person and the brand: opt_in_status and force_double_opt_in cannot be declared.",
        "Remove the column. Contacts that are created on the way are always `not subscribed`.",
    ),
    "slicktext-several-contacts": (
        "Several contacts of the brand have the same number, so it is not known which one is meant.",
        "Merge or delete the surplus contacts in SlickText, then plan again.",
    ),
    "slicktext-unusable-number": (
        "Members of a live list have no number, or one that is no telephone number. They are left alone.",
        "Correct them in SlickText if they matter.",
    ),
    "slicktext-campaign-dispatched": (
        "The campaign is on its way or was sent. It cannot change any more, so its manifest is no longer compared.",
        "For another send declare a campaign with a new name.",
    ),
    "slicktext-name-dispatched": (
        "A campaign of this name that is not ours was sent already. Creating or adopting it could text people twice.",
        "Give the campaign a new name, or adopt the old one by its id (spec.id).",
    ),
    "slicktext-campaign-not-deletable": (
        "Only drafts and scheduled campaigns can be deleted.",
        "Let go of it with `reconciler inventory forget ADDRESS`.",
    ),
    "slicktext-cancels-campaign": (
        "Deleting a scheduled campaign cancels it.",
        "Keep its manifest if it should still be sent.",
    ),
    "slicktext-all-contacts": (
        "The campaign goes to all contacts of the brand. Lists have no meaning for it, and it cannot be written back.",
        "Choose lists instead of all contacts in SlickText first.",
    ),
    "slicktext-empty-audience": (
        "A scheduled campaign without a list or segment: SlickText does not say if that is nobody or everybody.",
        "Associate a list, or set status: draft, or delete the campaign.",
    ),
    "slicktext-list-in-use": (
        "A campaign that is not finished has the list in its audience; deleting it would change who is texted.",
        "Take the list out of the campaign first, or delete the campaign in the same plan, or keep the list and let go "
        "of it with `reconciler inventory forget ADDRESS`.",
    ),
    "slicktext-scheduled-audience": (
        "Whoever joins or leaves a list of a scheduled campaign changes who gets its text.",
        "Check the campaign's time. Within the account's freezeWindow before it such changes are refused.",
    ),
    "slicktext-freeze-window": (
        "A campaign goes to this list within the account's freezeWindow, so its members are not changed now.",
        "Apply again after it was sent, or set another freezeWindow.",
    ),
    "slicktext-schedule-too-near": (
        "A campaign may only be scheduled at least 15 minutes ahead of the moment it is written.",
        "Move spec.scheduled to a later time and plan again.",
    ),
    "slicktext-unexpected-status": (
        "SlickText stored a campaign in another status than was asked for. It may be sending.",
        "Look at the campaign in the dashboard at once; delete or pause it there if it should not go out.",
    ),
    "slicktext-field-lost": (
        "SlickText changed a field of the campaign that the call did not touch.",
        "Compare the campaign with its manifest in the dashboard before anything else is applied.",
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
