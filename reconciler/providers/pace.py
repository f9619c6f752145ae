"""How hard one account may be used, and where its API is: its own settings over the provider's defaults."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct

from reconciler.model.resources import Account
from reconciler.providers.base import Defaults


class Pace(Struct, frozen=True, kw_only=True):
    """The limits that hold for one account. None: unlimited."""

    requests_per_second: float | None = None
    reads_per_minute: float | None = None
    writes_per_minute: float | None = None
    concurrency: int = 4
    timeout_s: float = 30.0


def is_loopback(url: str) -> bool:
    """Whether ``url`` stays on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def base_url(account: Account, defaults: Defaults) -> str:
    """Where the account's API is, without a trailing slash. A ``baseUrl`` without a path gets the provider's own."""
    if not account.base_url:
        return defaults.base_url.rstrip("/")
    given = account.base_url.rstrip("/")
    return given if urlsplit(given).path else given + urlsplit(defaults.base_url).path.rstrip("/")


def pace(account: Account, defaults: Defaults, cap: int | None = None) -> Pace:
    """The account's own limits over the provider's defaults; ``cap`` is the command line's ``--parallelism``."""
    limits = account.limits
    lifted = is_loopback(base_url(account, defaults))

    def rate(own: float | None, default: float | None) -> float | None:
        return own if own is not None else (None if lifted else default)

    concurrency = limits.concurrency or defaults.concurrency
    return Pace(
        requests_per_second=rate(limits.requests_per_second, defaults.requests_per_second),
        reads_per_minute=rate(limits.reads_per_minute, defaults.reads_per_minute),
        writes_per_minute=rate(limits.writes_per_minute, defaults.writes_per_minute),
        concurrency=max(1, min(concurrency, cap) if cap else concurrency),
        timeout_s=limits.timeout_s or defaults.timeout_s,
    )


def settle(account: Account, defaults: Defaults) -> tuple[float, float]:
    """How long an effect may take to land and to show, in seconds."""
    lifted = is_loopback(base_url(account, defaults))
    own = account.settle
    landing = own.landing_s if own.landing_s is not None else (0.0 if lifted else defaults.landing_s)
    visibility = own.visibility_s if own.visibility_s is not None else (0.0 if lifted else defaults.visibility_s)
    return landing, visibility
