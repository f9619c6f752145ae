"""``--select``, ``--exclude`` and ``--refresh``: what of the world a plan is about, and how much of it is read."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from fnmatch import fnmatchcase

from msgspec import Struct

from reconciler.model.addresses import Address, Kind
from reconciler.model.resources import Resource

PREFIXES = ("kind", "label", "account", "path")


class Refresh(StrEnum):
    """What is read of lists: all of each, or first only how many are on those that nothing is to be done about."""

    FULL = "full"
    COUNTS = "counts"


class Selector(Struct, frozen=True):
    """``kind:List``, ``label:team=growth``, ``account:main``, ``path:manifests/vip/*``, or a glob on addresses."""

    prefix: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Selector:
        """Raises ValueError, with what would be right, for a selector that can never match."""
        prefix, colon, value = text.partition(":")
        if not colon:
            return cls("address", text)
        if prefix not in PREFIXES:
            raise ValueError(f"{text!r}: a selector is one of {', '.join(p + ':…' for p in PREFIXES)} or a glob")
        if prefix == "kind" and value not in {str(k) for k in Kind}:
            raise ValueError(f"{text!r}: a kind is one of {', '.join(Kind)}")
        if prefix == "label" and "=" not in value:
            raise ValueError(f"{text!r}: write label:NAME=VALUE")
        return cls(prefix, value)

    def __str__(self) -> str:
        return self.value if self.prefix == "address" else f"{self.prefix}:{self.value}"

    def matches_account(self, accounts: Iterable[str]) -> bool:
        return any(fnmatchcase(a, self.value) for a in accounts)

    def matches(self, address: Address, resource: Resource | None) -> bool:
        """Whether it means this address. What is owned but no longer declared has neither labels nor a path."""
        match self.prefix:
            case "kind":
                return address.kind == self.value
            case "account":
                return fnmatchcase(address.account, self.value)
            case "label":
                name, _, value = self.value.partition("=")
                return resource is not None and resource.labels.get(name) == value
            case "path":
                return resource is not None and fnmatchcase(resource.source.file, self.value)
            case _:
                return fnmatchcase(str(address), self.value)


class Selection(Struct, frozen=True, kw_only=True):
    """Everything, narrowed by ``select`` (any of them), less ``exclude`` (none of them)."""

    select: tuple[Selector, ...] = ()
    exclude: tuple[Selector, ...] = ()

    @property
    def everything(self) -> bool:
        return not (self.select or self.exclude)

    def covers(self, address: Address, resource: Resource | None) -> bool:
        wanted = not self.select or any(s.matches(address, resource) for s in self.select)
        return wanted and not self.excludes(address, resource)

    def excludes(self, address: Address, resource: Resource | None) -> bool:
        """Whether somebody said that it is to be left out, instead of only not asking for it."""
        return bool(self.exclude) and any(s.matches(address, resource) for s in self.exclude)

    def covers_account(self, account: str) -> bool:
        """False only when an ``account:`` selector rules the whole account out."""
        if any(s.prefix == "account" and fnmatchcase(account, s.value) for s in self.exclude):
            return False
        named = [s for s in self.select if s.prefix == "account"]
        only_accounts = bool(named) and len(named) == len(self.select)
        return not only_accounts or any(fnmatchcase(account, s.value) for s in named)

    def whole_account(self, account: str) -> bool:
        """Whether nothing narrows this account itself: then what nobody declares in it belongs to the picture."""
        others = [s for s in (*self.select, *self.exclude) if s.prefix != "account"]
        return not others and self.covers_account(account)
