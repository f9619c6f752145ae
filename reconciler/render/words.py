"""What a plan says in plain English; every format uses the same words for the same thing.

The grave part of a sentence comes first: deletions before creations, being contacted before being notified.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from reconciler.render.documents import (
    AccountDocument,
    ChangeDocument,
    DiagnosticDocument,
    GuardDocument,
    PlanDocument,
    SummaryDocument,
)
from reconciler.render.screen import safe

NOTHING_TO_DO = "Nothing to do: live matches the manifests."

_SYMBOLS = {"create": "+", "update": "~", "replace": "-/+", "delete": "-", "adopt": "=", "forget": "."}
_ACTION_WORDS = {
    "replace": "delete and create again",
    "delete": "delete",
    "adopt": "take ownership",
    "forget": "let go of",
}
_APPROVALS = ("delete", "contact", "create", "update", "associate")


def counted(count: int, noun: str) -> str:
    """``counted(4812, "members")`` is ``4,812 members``; the noun is given in the plural."""
    return f"{count:,} {noun.removesuffix('s') if count == 1 else noun}"


def people(count: int) -> str:
    """``1 person``, ``4,812 people``."""
    return f"{count:,} {'person' if count == 1 else 'people'}"


def symbol(change: ChangeDocument) -> str:
    """The sign of a change. ``!`` stands for one that cannot be done, which the change itself does not know."""
    if change["kind"] == "Association" and change["action"] == "create":
        return ">"
    return _SYMBOLS.get(change["action"], "?")


def action_word(change: ChangeDocument) -> str:
    """What the sign alone may not tell a newcomer; empty for creating and updating."""
    if change["kind"] == "Association":
        words = {**_ACTION_WORDS, "create": "associate", "delete": "dissociate"}
        return words.get(change["action"], "")
    if change["kind"] == "Membership" and change["action"] == "delete":
        return "remove the members we added"
    return _ACTION_WORDS.get(change["action"], "")


def contact_words(change: ChangeDocument) -> str:
    """What a change can mean for people: ``starts contacting 120 people``; empty when nothing."""
    match change["contactClass"]:
        case "starts-contacting":
            return f"starts contacting {people(change['reach']) if change['reach'] else 'people'}"
        case "may-notify":
            return f"may notify {people(change['reach'])}" if change["reach"] else "may notify"
        case _:
            return ""


def member_counts(change: ChangeDocument) -> str:
    """``+120  -3  ~2  =4,689``, without what is zero; empty for other kinds."""
    members = change["members"]
    if members is None:
        return ""
    counts = (("+", members["add"]), ("-", members["remove"]), ("~", members["change"]), ("=", members["unchanged"]))
    return "  ".join(f"{sign}{count:,}" for sign, count in counts if count)


def problems(plan: PlanDocument) -> list[DiagnosticDocument]:
    """Every diagnostic, those of unread accounts included, each once."""
    unread = [a["problem"] for a in plan["accounts"] if a["problem"] is not None]
    return [*(p for p in unread if p not in plan["diagnostics"]), *plan["diagnostics"]]


def blocking_codes(plan: PlanDocument) -> dict[str, list[str]]:
    """The codes of the errors that stand against each address, in order."""
    codes: dict[str, list[str]] = {}
    for problem in problems(plan):
        if problem["severity"] == "error" and problem["address"]:
            found = codes.setdefault(problem["address"], [])
            if problem["code"] not in found:
                found.append(problem["code"])
    return codes


def errors(plan: PlanDocument) -> int:
    return sum(p["severity"] == "error" for p in problems(plan))


def refusals(plan: PlanDocument) -> int:
    """How many of the errors are what policies say: it could be done, and is not allowed."""
    return sum(p["severity"] == "error" and "policy" in p for p in problems(plan))


def danger(plan: PlanDocument) -> str:
    """What a reader must not miss, on one line; empty on a harmless day."""
    summary = plan["summary"]
    gone = summary["delete"] + summary["replace"]
    parts = (
        counted(impossible, "problems") if (impossible := errors(plan) - refusals(plan)) else "",
        f"refused by {counted(refusals(plan), 'policy findings')}" if refusals(plan) else "",
        f"{counted(len(plan['guards']), 'guards')} against it" if plan["guards"] else "",
        _starting(plan),
        counted(gone, "deletes") if gone else "",
        counted(summary["membersRemove"], "member removals") if summary["membersRemove"] else "",
    )
    return ", ".join(part for part in parts if part)


def headline(plan: PlanDocument) -> str:
    """``2 to delete, 1 to create; members -3 +120``, or that there is nothing to do; empty if neither is true."""
    left_out = uncompared(plan["accounts"])
    if plan["changes"]:
        told = [_actions(plan["summary"]), _members(plan["summary"]), _deleted(plan)]
    elif errors(plan) > refusals(plan):
        told = []
    else:
        told = ["Nothing to do in what was compared" if left_out else NOTHING_TO_DO]
    return "; ".join(part for part in (*told, left_out) if part)


def counted_only(accounts: Iterable[AccountDocument]) -> list[str]:
    """The memberships of which was only counted how many are on their list."""
    return [address for account in accounts for address in account.get("counted", ())]


def uncompared(accounts: Iterable[AccountDocument]) -> str:
    """``2 memberships counted, not compared``; empty where everything was compared."""
    addresses = counted_only(accounts)
    return f"{counted(len(addresses), 'memberships')} counted, not compared" if addresses else ""


def counted_line(accounts: Iterable[AccountDocument]) -> str:
    """The same by name; empty where everything was compared."""
    addresses = counted_only(accounts)
    return f"Counted, not compared: {safe(', '.join(addresses))}" if addresses else ""


def _actions(summary: SummaryDocument) -> str:
    counts = (
        (summary["delete"], "delete"),
        (summary["replace"], "replace"),
        (summary["create"] - summary["associate"], "create"),
        (summary["update"], "update"),
        (summary["associate"], "associate"),
        (summary["adopt"], "adopt"),
        (summary["forget"], "forget"),
    )
    return ", ".join(f"{count:,} to {verb}" for count, verb in counts if count)


def _members(summary: SummaryDocument) -> str:
    counts = (("-", summary["membersRemove"]), ("+", summary["membersAdd"]), ("~", summary["membersChange"]))
    shown = [f"{sign}{count:,}" for sign, count in counts if count]
    return f"members {' '.join(shown)}" if shown else ""


def _deleted(plan: PlanDocument) -> str:
    if plan["summary"]["delete"] or plan["summary"]["replace"]:
        return ""
    # Next to people who are taken off a list, "nothing" would read as a lie.
    return "no list or campaign deleted" if plan["summary"]["membersRemove"] else "nothing deleted"


def effort(plan: PlanDocument) -> str:
    """``11 calls, about 3 s. 120 people could be notified, nobody starts being contacted.``; empty without changes."""
    calls = plan["summary"]["calls"]
    if not plan["changes"] or (errors(plan) and not calls):
        return ""
    takes = f", {about(plan['estimate']['seconds'])}" if "estimate" in plan else ""
    sent = f"{counted(calls, 'calls')}{takes}." if calls else "No calls: only our own records change."
    told = _told(plan)
    return f"{sent} {told[0].upper()}{told[1:]}."


def about(seconds: float) -> str:
    """``about 3 s``, ``about 12 min``, ``about 2.5 h``."""
    if seconds < 1.5:
        return "about 1 s"
    if seconds < 90:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def _told(plan: PlanDocument) -> str:
    starting, notified = _starting(plan), _notified(plan)
    match starting, notified:
        case "", "":
            told = "nobody is notified or contacted"
        case "", _:
            told = f"{notified}, nobody starts being contacted"
        case _, "":
            told = f"{starting}, nobody else could be notified"
        case _:
            told = f"{starting}, {notified}"
    summary = plan["summary"]
    counts = {summary["mayNotify"], summary["startsContacting"], summary["mayNotify"] + summary["startsContacting"]}
    return told if summary["reach"] in counts else f"{told}; {people(summary['reach'])} newly within reach"


def _starting(plan: PlanDocument) -> str:
    count = plan["summary"]["startsContacting"]
    return _who(plan, count, "starts-contacting", f"{'starts' if count == 1 else 'start'} being contacted")


def _notified(plan: PlanDocument) -> str:
    return _who(plan, plan["summary"]["mayNotify"], "may-notify", "could be notified")


def _who(plan: PlanDocument, count: int, contact_class: str, what: str) -> str:
    if count:
        return f"{people(count)} {what}"
    # A class without a count: some providers do not tell how many people a campaign has. Never read as nobody.
    reached = any(change["contactClass"] == contact_class for change in plan["changes"])
    return f"an unknown number of people {what}" if reached else ""


def allow(guard: GuardDocument) -> str:
    """The option that lifts exactly this guard, as a shell takes it."""
    return f"--allow {shlex.quote(safe(guard['lift']))}"


def approvals(plan: PlanDocument) -> str:
    """What somebody has to agree to, as the option that says so: ``--approve delete,create``; empty if nothing."""
    if errors(plan):
        return ""
    needed = {approval for change in plan["changes"] for approval in change["approvals"]}
    return f"--approve {','.join(a for a in _APPROVALS if a in needed)}" if needed else ""


def verdict(plan: PlanDocument) -> list[str]:
    """Why this plan cannot be applied as it stands, if so."""
    told = []
    if count := errors(plan) - refusals(plan):
        told.append(f"{counted(count, 'problems')}: this plan cannot be applied as it stands.")
    if count := refusals(plan):
        told.append(f"{counted(count, 'policy findings')} against this plan: it is refused, and no flag lifts that.")
    if count := len(plan["guards"]):
        told.append(f"{counted(count, 'guards')} would refuse this plan unless lifted as shown above.")
    waits = plan.get("waits", [])
    return told + [f"{safe(w['address'])}, {safe(w['title'])}: would wait: {safe(w['reason'])}." for w in waits]


def account_counts(account: AccountDocument) -> str:
    """``3 lists, 4,812 members``."""
    return amounts(account["counts"].items())


def amounts(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(counted(count, noun) for noun, count in counts if count)
