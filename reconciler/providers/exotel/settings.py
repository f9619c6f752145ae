"""What an Exotel account may set in its manifest, besides what every account has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from reconciler.diagnostics import Diagnostic, error
from reconciler.model.resources import Account
from reconciler.providers.exotel.codes import CODES

HOSTS: Mapping[str, str] = {"singapore": "https://api.exotel.com", "mumbai": "https://api.in.exotel.com"}
"""A region's host (API notes, 1.1). A key is known in one region only."""
HOME_ZONES: Mapping[str, tuple[str, ...]] = {
    "singapore": ("Asia/Singapore", "Asia/Kolkata"),
    "mumbai": ("Asia/Kolkata",),
}
"""Where people are whose number does not tell; Indian accounts are in either region."""
ROOT = "/v2/accounts"

MAX_BULK = 5_000
"""Items in one bulk call (API notes, section 2)."""
UNDOCUMENTED = 500
"""Lists in one bulk create, for which no limit is documented (Q7)."""

_SID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", re.ASCII)
_COUNTS: tuple[tuple[str, str, int, int], ...] = (
    ("bulkSize", "bulk_size", 1, MAX_BULK),
    ("listBulkSize", "list_bulk_size", 1, MAX_BULK),
    ("csvUploadFrom", "csv_from", 0, 100_000_000),
    ("addressBookPages", "book_pages", 0, 1_000_000),
)


class Settings(Struct, frozen=True, kw_only=True):
    """``sid`` is the account in paths. ``csv_from``: first loads of so many people go as one file, 0 for never.
    ``book_pages``: how many pages of the address book may be read to find contacts. ``bulk_size`` is of people."""

    sid: str
    region: str = "singapore"
    bulk_size: int = 1_000
    list_bulk_size: int | None = None
    csv_from: int = 20_000
    book_pages: int = 100

    @classmethod
    def of(cls, account: Account) -> Settings:
        """The account's settings; ValueError when ``problems`` has something to say about them."""
        for found in problems(account):
            raise ValueError(found.message)
        given = account.settings
        own: dict[str, Any] = {"sid": str(given["accountSid"]), "region": str(given.get("region", "singapore"))}
        own |= {name: int(given[key]) for key, name, _, _ in _COUNTS if key in given}
        return cls(**own)

    @property
    def lists_created(self) -> int:
        """Lists in one bulk create."""
        return self.list_bulk_size or UNDOCUMENTED

    @property
    def lists_updated(self) -> int:
        """Lists in one bulk change."""
        return self.list_bulk_size or MAX_BULK

    @property
    def base_url(self) -> str:
        return HOSTS[self.region] + ROOT


def problems(account: Account) -> Iterator[Diagnostic]:
    """What is wrong with the account's own settings."""
    given = account.settings
    if _SID.fullmatch(str(given.get("accountSid", ""))) is None:
        yield _problem(account, "accountSid is the account's name in the dashboard, for example exotel8u3")
    if given.get("region", "singapore") not in HOSTS:
        yield _problem(account, f"region is one of {', '.join(HOSTS)}")
    for key, _, least, most in _COUNTS:
        value = given.get(key, least)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            yield _problem(account, f"{key} is a whole number from {least} to {most:,}")


def _problem(account: Account, message: str) -> Diagnostic:
    return error(
        "exotel-setting", message, hint=CODES["exotel-setting"][1], address=account.name, source=account.source
    )
