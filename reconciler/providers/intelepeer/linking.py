"""Associations: lists put on campaigns, by a call of which nobody says whether it adds or replaces.

One call that names every list the campaign is to have is right under both readings, as long as all links share their
attributes and the campaign has no link that nobody declares. Otherwise the account must say which reading holds:

    add      only the missing lists are sent, one call for each set of attributes
    replace  all lists are sent in one call, which has room for one set of attributes only
    unknown  nothing is sent, and the plan asks

(source: IntelePeer API notes, section 4.4)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from reconciler.diagnostics import Severity
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.kinds import ContactClass
from reconciler.model.live import LiveLink
from reconciler.model.resources import Fields, Resource
from reconciler.plan.calls import Linked, Phase, Ref, Step, Target
from reconciler.plan.changes import Adopt, Change, Create, Delete, Forget, Replace, Update
from reconciler.plan.fields import normalised
from reconciler.providers.intelepeer import endpoints
from reconciler.providers.intelepeer.endpoints import Attributes
from reconciler.providers.intelepeer.settings import AssociateSemantics
from reconciler.providers.intelepeer.tables import KINDS
from reconciler.providers.intelepeer.work import Work


class _Wanted(Struct, frozen=True, kw_only=True):
    """One declared link that is to be there after the plan."""

    address: Address
    list: Target
    attributes: Attributes


class _Campaign(Struct, frozen=True, kw_only=True):
    """All that is known about the links of one campaign.

    ``changes`` are those of ``wanted`` that are not live yet, or differ. ``undeclared`` are live and in no manifest.
    ``base`` are all live ones that this plan leaves alone.
    """

    target: Target
    wanted: tuple[_Wanted, ...]
    changes: Mapping[Address, Change]
    undeclared: tuple[LiveLink, ...]
    base: frozenset[RemoteId]

    @property
    def changing(self) -> tuple[_Wanted, ...]:
        return tuple(w for w in self.wanted if w.address in self.changes)

    @property
    def alike(self) -> bool:
        return len({w.attributes for w in self.wanted}) == 1


def compile_associations(work: Work) -> None:
    """New and changed links, campaign by campaign; and those whose manifest is gone."""
    targets: dict[Target, None] = {}
    for change in work.of_kind(Kind.ASSOCIATION):
        match change:
            case Create(desired=Resource() as desired) | Update(desired=Resource() as desired):
                targets.update(dict.fromkeys(_campaign_of(desired, work)))
            case Adopt(desired=Resource() as desired, deltas=deltas) if deltas:
                targets.update(dict.fromkeys(_campaign_of(desired, work)))
            case Delete():
                _leave(change, work)
            case Create() | Update() | Adopt() | Replace() | Forget():
                continue
    for target in targets:
        _link(_situation(target, work), work)


def _campaign_of(resource: Resource, work: Work) -> tuple[Target, ...]:
    return () if resource.link is None else (work.world.target(resource.link.campaign),)


def _leave(change: Delete, work: Work) -> None:
    """A link goes with its campaign or its list, and never alone."""
    live = work.world.live.links.get(change.remote_id) if change.remote_id is not None else None
    carrier = None
    if live is not None:
        going = work.index.going
        carrier = going[Kind.CAMPAIGN].get(live.campaign) or going[Kind.LIST].get(live.list)
    if carrier is not None:
        work.put(replace(change, carried_by=carrier.address, deletes=0))
    else:
        work.say("intelepeer-no-dissociate", "the API cannot take this list off its campaign", change)


def _situation(target: Target, work: Work) -> _Campaign:
    live = work.links_of(target)
    wanted: list[_Wanted] = []
    changes: dict[Address, Change] = {}
    declared: set[Target] = set()
    for resource in work.index.declared.get(target, ()):
        if resource.link is None:
            continue
        list_id = work.world.target(resource.link.list)
        declared.add(list_id)
        linked = live.get(list_id) if not isinstance(list_id, Ref) else None
        change = work.changes.get(resource.address)
        if isinstance(change, Create | Update | Adopt) and (linked is None or change.deltas):
            changes[resource.address] = change
        if linked is not None or resource.address in changes:
            attributes = _attributes(resource, linked.fields if linked is not None else {})
            wanted.append(_Wanted(address=resource.address, list=list_id, attributes=attributes))
    # A list that is about to go may keep or lose its link to the campaign: both are right.
    staying = live.keys() - work.index.going[Kind.LIST].keys()
    return _Campaign(
        target=target,
        wanted=tuple(wanted),
        changes=changes,
        undeclared=tuple(x for i, x in sorted(live.items()) if i not in declared and i in staying),
        base=frozenset(staying),
    )


def _attributes(resource: Resource, live: Fields) -> Attributes:
    """What to send for a link: what is declared, else what the live link tells, so that naming it again keeps it."""
    fields = {**live, **resource.fields}
    fields |= {name: live[name] for name in resource.lifecycle.ignore if name in live}
    fields = normalised(fields, KINDS[Kind.ASSOCIATION].fields)
    return (str(fields["moc"]) if fields.get("moc") else None, fields.get("autoDetectTZ") is True)


def _link(campaign: _Campaign, work: Work) -> None:
    if campaign.alike and not campaign.undeclared:
        _send(campaign, campaign.changing, _lists(campaign.wanted), work)
        return
    match work.settings.associate:
        case AssociateSemantics.ADD:
            for attributes in dict.fromkeys(w.attributes for w in campaign.changing):
                group = [w for w in campaign.changing if w.attributes == attributes]
                _send(campaign, group, _lists(group), work)
        case AssociateSemantics.REPLACE:
            _link_all_again(campaign, work)
        case AssociateSemantics.UNKNOWN:
            message = f"{_why_it_matters(campaign)}, and it is not known whether associating adds or replaces"
            for change in campaign.changes.values():
                work.say("intelepeer-associate-semantics-unknown", message, change)
        case _:
            assert_never(work.settings.associate)


def _why_it_matters(campaign: _Campaign) -> str:
    if campaign.undeclared:
        ids = ", ".join(x.list for x in campaign.undeclared)
        return f"the campaign has lists that no manifest declares ({ids})"
    return "the lists of the campaign differ in moc or autoDetectTZ"


def _link_all_again(campaign: _Campaign, work: Work) -> None:
    """Where associating replaces, what is not named is lost: all lists go in one call, if alike."""
    told = {_told(x) for x in campaign.undeclared} | {w.attributes for w in campaign.wanted}
    if len(told) == 1:
        lists = [*_lists(campaign.wanted), *(x.list for x in campaign.undeclared)]
        _send(campaign, campaign.changing, lists, work)
        return
    message = "one call must name all lists of the campaign, and their moc or autoDetectTZ differ or are not known"
    for change in campaign.changes.values():
        work.say("intelepeer-associate-attributes", message, change)


def _told(link: LiveLink) -> Attributes | None:
    """The attributes of an undeclared link, None when they are not told: what they are set to must not be guessed."""
    if "moc" not in link.fields:
        return None
    return (str(link.fields["moc"]), link.fields.get("autoDetectTZ") is True)


def _lists(wanted: Iterable[_Wanted]) -> list[Target]:
    return list(dict.fromkeys(w.list for w in wanted))


def _send(campaign: _Campaign, group: Sequence[_Wanted], lists: Sequence[Target], work: Work) -> None:
    """One call for a group of links: at the first of them, which carries the others."""
    active = work.active(campaign.target)
    step = Step(
        phase=Phase.ASSOCIATION,
        title="associate",
        call=endpoints.associate(campaign.target, lists, group[0].attributes),
        effect=Linked(
            campaign=campaign.target, lists=tuple(lists), base=campaign.base, attributes=_rewritten(campaign, group)
        ),
        contact_class=ContactClass.STARTS_CONTACTING if active else ContactClass.SILENT,
    )
    requires = _uploads_before(lists, active, work)
    for wanted in group:
        change = campaign.changes[wanted.address]
        if not isinstance(change, Create):
            message = "the link exists, and associating again may not change it"
            work.say("intelepeer-association-rewrite", message, change, Severity.WARNING)
        requires |= {*change.requires}
        reach = work.reach([wanted.list]) if active else change.reach
        work.put(replace(change, contact_class=step.contact_class, reach=reach))
    first = work.changes[group[0].address]
    work.put(replace(first, requires=tuple(sorted(requires))).with_steps(step))
    for wanted in group[1:]:
        work.put(replace(work.changes[wanted.address], carried_by=first.address))


def _rewritten(campaign: _Campaign, group: Sequence[_Wanted]) -> Fields:
    """What links that exist already are changed to: that they exist is no evidence for them."""
    deltas = (campaign.changes[w.address].deltas for w in group if not isinstance(campaign.changes[w.address], Create))
    return {d.path: d.desired for found in deltas for d in found}


def _uploads_before(lists: Iterable[Target], active: bool, work: Work) -> set[Address]:
    """The uploads that come before the link: to lists of an active campaign, since afterwards they would reach people
    at once, and to lists that replace others, since the old list goes as soon as the new one is linked."""
    found: set[Address] = set()
    for target in lists:
        replaced = isinstance(target, Ref) and isinstance(work.changes.get(target.address), Replace)
        if active or replaced:
            found |= work.index.uploads.get(target, {}).keys()
    return found
