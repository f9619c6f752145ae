"""What a provider can do with a kind, as data: one table that the planner, the checks, the tests and the docs read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from msgspec import Struct, field

from reconciler.model.addresses import Kind
from reconciler.model.resources import FieldValue


class ContactClass(StrEnum):
    """What a call can mean for people, least to most."""

    SILENT = "silent"
    MAY_NOTIFY = "may-notify"
    STARTS_CONTACTING = "starts-contacting"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {contact_class: rank for rank, contact_class in enumerate(ContactClass)}


def gravest(classes: list[ContactClass]) -> ContactClass:
    return max(classes, key=_RANKS.__getitem__, default=ContactClass.SILENT)


def as_is(value: FieldValue) -> FieldValue:
    return value


def text(value: FieldValue) -> FieldValue:
    """Null, absent and empty are the same; surrounding white space does not count."""
    return "" if value is None else str(value).strip()


class FieldRule(Struct, frozen=True, kw_only=True):
    """One field of a kind. ``normalise`` maps every spelling of a value to one; it is applied to both sides.

    ``updatable``: can change in place. ``readable``: the provider tells it; what it does not tell is never compared.
    ``absent`` is what a live object without the field is taken to have.
    """

    normalise: Callable[[FieldValue], FieldValue] = as_is
    updatable: bool = True
    readable: bool = True
    absent: FieldValue = None


class Refusal(Struct, frozen=True, kw_only=True):
    """Why something cannot be done at this provider: a stable code, the reason, and what to do instead."""

    code: str
    reason: str
    remedy: str


_NOT_UPDATABLE = Refusal(
    code="field-not-updatable", reason="The provider cannot change it in place.", remedy="Put the value back"
)


class KindRules(Struct, frozen=True, kw_only=True):
    """What a provider can do with one kind. A ``Refusal`` in place of an ability says why not."""

    fields: Mapping[str, FieldRule] = field(default_factory=dict)
    create: Refusal | None = None
    update: Refusal | None = None
    delete: Refusal | None = None
    replace: Refusal | None = None
    """Set when delete-and-create may not stand in for a missing update, even with ``lifecycle.replace``."""
    unique_names: bool = False
    read_only: bool = False
    """Made and changed elsewhere: it must exist, and finding it is no change. ``create`` and ``update`` say why."""

    def fixed(self, paths: Iterable[str]) -> Refusal | None:
        """Why these fields cannot change in place; None when all of them can. Inner paths go by their field."""
        if self.update is not None or self.read_only:
            return self.update or _NOT_UPDATABLE
        rules = (self.fields.get(path.partition(".")[0]) for path in paths)
        return None if all(rule is None or rule.updatable for rule in rules) else _NOT_UPDATABLE


class LeadRules(Struct, frozen=True, kw_only=True):
    """Members whom the provider works through by itself, so that each has a standing (see ``model.live.Standing``).

    Live ones have the columns ``contact_id``, ``standing`` and the attributes that can be read; None in one of these is
    unknown and never compared. ``settable`` attributes can be written, and only to somebody who is there; what else
    differs is told with ``fixed``. ``write_only`` ones are written when somebody is added and never seen again.
    """

    fixed: Refusal
    settable: frozenset[str] = frozenset()
    write_only: frozenset[str] = frozenset()


class MembershipRules(Struct, frozen=True, kw_only=True):
    """What a provider can do with members. ``attributes`` lists the columns it can write, None for any."""

    exact: Refusal | None = None
    add: Refusal | None = None
    remove: Refusal | None = None
    change: Refusal | None = None
    readable: bool = True
    """Who is on a list can be read. Otherwise the inventory is the only record of whom we added."""
    contacts_apart: bool = False
    """A contact exists apart from its lists and must be found (or created) before it can be added."""
    attributes: frozenset[str] | None = None
    parent: Kind = Kind.LIST
    """What members are of: a list, or a campaign where the provider calls them leads."""
    leads: LeadRules | None = None


KINDS_IN_ORDER: tuple[Kind, ...] = (Kind.LIST, Kind.MEMBERSHIP, Kind.CAMPAIGN, Kind.ASSOCIATION)
"""The order of application; deletes walk it backwards."""
