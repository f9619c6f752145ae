"""What a SlickText account may set in its manifest, besides what every account has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from msgspec import Struct

from reconciler.diagnostics import Diagnostic, error
from reconciler.model.resources import Account
from reconciler.providers.slicktext.codes import CODES

_BRAND = re.compile(r"b?([0-9]{1,18})", re.ASCII)
_DURATION = re.compile(r"(\d{1,6})(s|m|h)", re.ASCII)
_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3600.0}

MAX_BULK = 80
"""Contacts in one membership call: the size a working integration uses, no limit is documented [A-11]."""


class Settings(Struct, frozen=True, kw_only=True):
    """``brand`` is the number in paths. Times in seconds. ``max_rows`` ends a read that would not end otherwise."""

    brand: str
    bulk_size: int = MAX_BULK
    freeze_s: float = 1800.0
    page_size: int = 100
    max_rows: int = 100_000

    @property
    def freeze(self) -> timedelta:
        """How long before a scheduled campaign is sent nobody is added to its lists."""
        return timedelta(seconds=self.freeze_s)

    @classmethod
    def of(cls, account: Account) -> Settings:
        """The account's settings; ValueError when ``problems`` has something to say about them."""
        for found in problems(account):
            raise ValueError(found.message)
        given = account.settings
        match = _BRAND.fullmatch(str(given["brandId"]))
        own: dict[str, Any] = {"brand": match.group(1) if match else ""}
        for key, name in (("bulkSize", "bulk_size"), ("memberPageSize", "page_size"), ("maxRows", "max_rows")):
            if key in given:
                own[name] = int(given[key])
        if "freezeWindow" in given:
            own["freeze_s"] = _seconds(given["freezeWindow"])
        return cls(**own)


def problems(account: Account) -> Iterator[Diagnostic]:
    """What is wrong with the account's own settings."""
    given = account.settings
    if _BRAND.fullmatch(str(given.get("brandId", ""))) is None:
        yield _problem(account, "brandId is the number of the brand, for example 26136 or b26136")
    for key, most in (("bulkSize", MAX_BULK), ("memberPageSize", 10_000), ("maxRows", 100_000_000)):
        value = given.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            yield _problem(account, f"{key} is a whole number from 1 to {most:,}")
    if "freezeWindow" in given and _seconds(given["freezeWindow"]) is None:
        yield _problem(account, 'freezeWindow is a duration, for example "30m"')


def _seconds(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if value >= 0 else None
    match = _DURATION.fullmatch(str(value))
    return int(match.group(1)) * _UNIT_S[match.group(2)] if match else None


def _problem(account: Account, message: str) -> Diagnostic:
    return error(
        "slicktext-setting", message, hint=CODES["slicktext-setting"][1], address=account.name, source=account.source
    )
