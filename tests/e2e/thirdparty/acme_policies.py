"""Policy plug-ins as another package brings them. What they are told is left in ``SEEN`` for the tests."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.plan.policy_plugins import View

CODES: Mapping[str, tuple[str, str]] = {
    "acme-consent-missing": ("People are declared without saying how they agreed.", "Add the label consent."),
    "acme-consent-old": ("An agreement of long ago.", "Ask them again."),
}
SEEN: list[View] = []


class Consent:
    """Every membership says by a label how its people agreed."""

    name = "acme-consent"
    codes = CODES

    def evaluate(self, view: View) -> Iterator[Diagnostic]:
        SEEN.append(view)
        accepted = view.options.get("accepted", ["form"])
        for resource in view.resources:
            if resource["kind"] != "Membership":
                continue
            consent = resource["labels"].get("consent", "")
            if not consent:
                yield error("acme-consent-missing", "nobody says how they agreed", address=resource["address"])
            elif consent not in accepted:
                yield warning("acme-consent-old", f"the consent is {consent}", address=resource["address"])


CONSENT = Consent()


class Misbehaves:
    """Does what its options say."""

    name = "acme-misbehaves"
    codes = CODES

    def evaluate(self, view: View) -> Iterable[Any]:
        code = "acme-consent-missing"
        match view.options["how"]:
            case "raises":
                raise RuntimeError("+16155550123 is why")
            case "exits":
                sys.exit(0)
            case "text":
                return ["fine"]
            case "nothing":
                return None  # type: ignore[return-value]
            case "unknown-code":
                return [error("acme-other", "x")]
            case "unknown-address":
                return [error(code, "x", address="main/List/nowhere")]
            case "no-message":
                return [error(code, "")]
            case "odd-address":
                return [error(code, "x", address=7)]  # type: ignore[arg-type]
            case "odd-severity":
                return [Diagnostic(code=code, severity="error", message="x")]  # type: ignore[arg-type]
            case "late":
                return (error(code, str(1 // (2 - n))) for n in range(3))
            case "endless":
                return (error(code, str(n)) for n in count())
            case "changes-the-plan":
                view.plan["changes"].clear()  # type: ignore[attr-defined]
                view.plan["summary"]["create"] = 0
                return []
        return []


MISBEHAVES = Misbehaves()
Raises = object()
