"""What a contact centre account may set in its manifest, besides what every account has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from reconciler.diagnostics import Diagnostic, error
from reconciler.model.resources import Account
from reconciler.plan.calls import Method
from reconciler.providers.contactcenter.codes import CODES
from reconciler.providers.pace import is_loopback

API = ("api", "v2")
"""Below this lies everything but the queues."""

DEFAULT_PORT = 9443

ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
"""An id that may stand in a path; an empty one would make another path of it (API notes, section 2)."""

ALWAYS_FINISHED = frozenset({"success", "failed"})
_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class Settings(Struct, frozen=True, kw_only=True):
    """``account_id`` goes with every request, ``domain`` is the tenant to log in to.

    ``lookback_s``: how far back the activity report is asked who was worked already, 0 for not at all. ``suspect_s``:
    from this age on a 400 may mean that the token died. ``finished``: the statuses in which a lead is history.
    """

    account_id: str
    domain: str
    page_size: int = 100
    lookback_s: float = 30 * 86_400.0
    suspect_s: float = 300.0
    add_method: Method = Method.PUT
    finished: frozenset[str] = ALWAYS_FINISHED

    @classmethod
    def of(cls, account: Account) -> Settings:
        """The account's settings; ValueError when ``problems`` has something to say about them."""
        for found in problems(account):
            raise ValueError(found.message)
        given = account.settings
        own: dict[str, Any] = {"account_id": str(given["accountId"]), "domain": str(given["domain"])}
        for key, name in (("pageSize", "page_size"), ("readdLookback", "lookback_s"), ("tokenSuspectAge", "suspect_s")):
            if key in given:
                own[name] = given[key]
        if is_loopback(account.base_url):
            own.setdefault("suspect_s", 0.0)
        if "addLeadMethod" in given:
            own["add_method"] = Method(given["addLeadMethod"])
        own["finished"] = ALWAYS_FINISHED | frozenset(given.get("terminalStatuses", ()))
        return cls(**own)


def portal_url(account: Account) -> str:
    """Where the portal is, without a path of the API; the port is 9443 where none is given."""
    given = account.base_url.rstrip("/").removesuffix("/" + "/".join(API))
    parts = urlsplit(given)
    if parts.port is None and parts.scheme == "https" and not is_loopback(given):
        return parts._replace(netloc=f"{parts.netloc}:{DEFAULT_PORT}").geturl()
    return given


def problems(account: Account) -> Iterator[Diagnostic]:
    """What is wrong with the account's own settings."""
    given = account.settings
    if not account.base_url:
        yield _problem(account, "baseUrl is the address of the tenant's portal, and there is no usual one")
    if ID.fullmatch(str(given.get("accountId", ""))) is None:
        yield _problem(account, "accountId is the id of the account: letters, digits, hyphens and underscores")
    if not str(given.get("domain", "")).strip():
        yield _problem(account, "domain is the name of the tenant to log in to")
    size = given.get("pageSize", 1)
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 10_000:
        yield _problem(account, "pageSize is a whole number from 1 to 10,000")
    for key in ("readdLookback", "tokenSuspectAge"):
        value = given.get(key, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            yield _problem(account, f"{key} is a duration")
    if given.get("addLeadMethod", "PUT") not in ("PUT", "POST"):
        yield _problem(account, "addLeadMethod is PUT or POST")
    words = given.get("terminalStatuses", ())
    if isinstance(words, str) or any(_WORD.fullmatch(str(w)) is None or w == "new" for w in words):
        yield _problem(account, "terminalStatuses are words for leads that are finished; new is none")


def _problem(account: Account, message: str) -> Diagnostic:
    code = "contactcenter-setting"
    return error(code, message, hint=CODES[code][1], address=account.name, source=account.source)
