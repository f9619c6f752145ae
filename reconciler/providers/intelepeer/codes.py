"""Every stable code of this provider, with its meaning and the remedy: one table for checks, plans and ``explain``."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.model.addresses import Address
from reconciler.model.kinds import Refusal
from reconciler.model.resources import Resource
from reconciler.plan.changes import Change

CODES: Mapping[str, tuple[str, str]] = {
    # Manifests, before any network use.
    "intelepeer-settings": (
        "a setting of the account is none of the words that IntelePeer accounts know",
        "Use one of the words that the message names.",
    ),
    "intelepeer-name-too-short": (
        "IntelePeer cannot look up names of fewer than four characters",
        "Choose a name of at least four characters.",
    ),
    "intelepeer-duplicate-name": (
        "two manifests of one kind give their objects the same name, and IntelePeer does not keep names unique",
        "Give each list and each campaign of an account its own name.",
    ),
    "intelepeer-campaign-incomplete": (
        "IntelePeer creates a campaign without a name, flow or caller id, but can never update such a campaign",
        "Declare name, flowId and callerIdentification.",
    ),
    "intelepeer-caller-id": (
        "the caller id is neither + with 8 to 15 digits nor ten zeros, which stand for none",
        "Write callerIdentification in international form and in quotes.",
    ),
    "intelepeer-header-invalid": (
        "list headers are distinct names without spaces",
        "Correct the headers; they cannot be changed after the list was created.",
    ),
    "intelepeer-moc-not-a-header": (
        "the method of contact of an association names a column of its list",
        "Use one of the list's headers as moc, or declare the header on the list.",
    ),
    "intelepeer-moc-conflict": (
        "IntelePeer keeps the method of contact at the list as well, so two different ones would collide",
        "Use the same moc for every association of the list, or use two lists.",
    ),
    "intelepeer-timezone-off": (
        "autoDetectTZ can be switched on and never off again: the word false may be read as true",
        "Leave autoDetectTZ out.",
    ),
    "intelepeer-publish-without-list": (
        "a campaign without a list has nobody to reach when it is published",
        "Declare an Association for the campaign, or state: draft.",
    ),
    "intelepeer-exact-membership": (
        "IntelePeer neither shows nor removes the contacts of a list, so a membership cannot be exact",
        "Use mode: additive; to start over, replace the list.",
    ),
    "intelepeer-membership-off": (
        "uploading contacts uses an older IntelePeer endpoint and is off unless the account asks for it",
        "Set membershipMode: append on the account, or upload in the portal.",
    ),
    "intelepeer-attribute-not-a-header": (
        "the list has no column for an attribute of the contacts, spelled exactly like that",
        "Declare the header on the list, or rename or drop the attribute.",
    ),
    "intelepeer-phone-attribute": (
        "the contact's number is uploaded as phone, so a second column of that name would be ambiguous",
        "Remove the attribute phone; number is enough.",
    ),
    "intelepeer-moc-unfilled": (
        "a campaign contacts people by a column that these contacts do not fill",
        "Add the attribute to the contacts, or use moc: phone, which the number fills.",
    ),
    "intelepeer-membership-option": (
        "a Membership has an option that means nothing where contacts cannot be looked up or changed",
        "Leave it out.",
    ),
    # What the API cannot do.
    "intelepeer-list-immutable": (
        "IntelePeer has no list update",
        "Put the live value back, or let it be made anew with lifecycle.replace: true, which costs its contacts and "
        "its links to campaigns.",
    ),
    "intelepeer-list-in-use": (
        "IntelePeer refuses to delete a list of an active campaign, and replacing one could reach people twice",
        "Pause its campaigns or unlink it in the portal, then plan again.",
    ),
    "intelepeer-system-list": (
        "default_trans_list belongs to IntelePeer's own flows",
        "Let go of it with inventory forget; it is never deleted.",
    ),
    "intelepeer-deletion-loses": (
        "deleting cannot be undone: contacts go with their list, the schedule and history with their campaign",
        "Set lifecycle.onRemove: keep and apply before removing the manifest, if the object should stay.",
    ),
    "intelepeer-campaign-replace": (
        "a new campaign would lose the schedule, the published state, the history and the id of the old one",
        "Put the live value back, or make a second campaign.",
    ),
    "intelepeer-no-dissociate": (
        "no call takes a list off a campaign",
        "Unlink it in the portal, or set onRemove: keep to let go of the link.",
    ),
    "intelepeer-members-append-only": (
        "contacts can be added to a list and never changed or removed by API",
        "Replace the list, or remove them in the portal.",
    ),
    "intelepeer-cannot-unpublish": (
        "IntelePeer has no way back from published to draft",
        "Deactivate the campaign in the portal, or declare state: published.",
    ),
    "intelepeer-campaign-without-flow": (
        "IntelePeer updates only campaigns that are linked to a SmartFlows flow",
        "Give the campaign a flow in the portal.",
    ),
    "intelepeer-update-active": (
        "the campaign is active, and what an update does to its schedule and state is not documented",
        "Look at the campaign in the portal afterwards; --allow update-active=ADDRESS silences this.",
    ),
    "intelepeer-delete-active": (
        "the campaign is active: outreach that is under way may go on after it is deleted",
        "Deactivate it in the portal first, or lift this with --allow delete-active=ADDRESS.",
    ),
    "intelepeer-publish-unreadable": (
        "it was published by us and does not read as published; IntelePeer does not always tell",
        "Look in the portal. To publish again: inventory forget ADDRESS, then apply.",
    ),
    "intelepeer-publish-after-replace": (
        "until a list that goes is gone, it still feeds the campaign: publishing now could reach people twice",
        "Apply the rest with state: draft first, then publish.",
    ),
    "intelepeer-associate-semantics-unknown": (
        "nobody documents whether associating adds lists or replaces them, and here it makes a difference",
        "Find out in the portal, then set associateSemantics: add or replace on the account; or declare every link of "
        "the campaign, all with the same moc and autoDetectTZ.",
    ),
    "intelepeer-associate-attributes": (
        "where associating replaces the lists of a campaign, one call must name them all, and has room for one moc and "
        "one autoDetectTZ",
        "Declare every link of the campaign, all with the same moc and autoDetectTZ.",
    ),
    "intelepeer-association-rewrite": (
        "whether associating again changes the attributes of a link that exists is not documented",
        "If the next plan shows the same difference, change it in the portal.",
    ),
    # What the provider answered or showed.
    "intelepeer-headers-ignored": (
        "IntelePeer created the list without the headers it was asked for",
        "Delete the new list in the portal and create it there with its headers, or declare no headers.",
    ),
    "intelepeer-upload-unavailable": (
        "this IntelePeer account does not offer the older upload endpoint",
        "Set membershipMode: none on the account and upload in the portal.",
    ),
    "intelepeer-dangling-link": (
        "a campaign names a list that no longer exists",
        "Nothing needs to be done; the portal can tidy it up.",
    ),
    "intelepeer-bare-object": (
        "a listing was answered with one object instead of a collection; it was read as a listing of one",
        "Compare with the portal if more objects than this one should be there.",
    ),
}


def diagnose(
    code: str,
    message: str,
    *,
    about: Change | Resource | Address | None = None,
    severity: Severity = Severity.ERROR,
    source: Span | None = None,
) -> Diagnostic:
    """A diagnostic with the remedy of its code; ``about`` gives the address and, unless told, the place."""
    match about:
        case None:
            address = ""
        case Address():
            address = str(about)
        case _:
            address, source = str(about.address), source or about.source
    hint = CODES[code][1].replace("ADDRESS", address or "ADDRESS")
    return Diagnostic(code=code, severity=severity, message=message, hint=hint, address=address, source=source)


def refusal(code: str) -> Refusal:
    """The table's entry as the reason why an ability is missing."""
    meaning, remedy = CODES[code]
    return Refusal(code=code, reason=meaning, remedy=remedy)
