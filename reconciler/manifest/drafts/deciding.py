"""From a live account to drafts that a load takes and a plan finds as declared.

A first draft says all that is live. It is judged by the same checks and the same planner as every manifest; whatever is
complained about leaves something out, and is judged again. So what is written is valid and changes nothing, whichever
rules a provider has, and what is not written is told in the words of these rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic
from reconciler.manifest.drafts.choosing import choose, name_all
from reconciler.manifest.drafts.draft import Draft, Drafts, Key
from reconciler.manifest.drafts.drafting import Drafting
from reconciler.manifest.drafts.people import People
from reconciler.manifest.drafts.scene import Scene
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.kinds import KINDS_IN_ORDER
from reconciler.model.live import Live
from reconciler.plan.changes import Adopt, Change, action
from reconciler.plan.planner import PlanOptions, plan


def decide(scene: Scene) -> Drafts:
    """Everything of the account that nobody declares yet."""
    choice = choose(scene)
    names = name_all(scene, choice.objects)
    complaints: dict[Key, list[str]] = {}
    people: dict[RemoteId, People | None] = {}
    while True:
        drafting = Drafting(scene, choice, names, complaints, people)
        drafting.run()
        found = _judged(scene, drafting.drafts)
        if not found:
            break
        for key, message in found.items():
            complaints.setdefault(key, []).append(message)
    drafts = sorted(drafting.drafts.values(), key=lambda d: (KINDS_IN_ORDER.index(d.address.kind), d.address))
    return Drafts(drafts=tuple(drafts), left=(*choice.left, *drafting.left))


def _judged(scene: Scene, drafts: Mapping[Key, Draft]) -> dict[Key, str]:
    """The first complaint about each draft: of the provider's checks, and when these have none, of a plan."""
    keys = {d.address: key for key, d in drafts.items()}
    resources = {d.address: d.resource for d in drafts.values()}
    desired = replace(scene.desired, resources={**scene.desired.resources, **resources})
    rules = scene.provider.rules
    checked = (d for r in resources.values() for d in rules.check(r, scene.account, desired))
    found = _first(keys, checked)
    if found or not drafts:
        return found
    name = scene.account.name
    live = Live(accounts={name: scene.live})
    made = plan(desired, live, scene.inventory, {scene.account.provider: rules}, PlanOptions())
    found = _first(keys, made.diagnostics)
    for change in made.changes:
        if change.address in keys and not only_adopts(change):
            found.setdefault(keys[change.address], f"the next plan would {action(change)} it")
    return found


def _first(keys: Mapping[Address, Key], diagnostics: Iterable[Diagnostic]) -> dict[Key, str]:
    found: dict[Key, str] = {}
    for key, diagnostic in _placed(keys, diagnostics):
        found.setdefault(key, diagnostic.message)
    return found


def _placed(keys: Mapping[Address, Key], diagnostics: Iterable[Diagnostic]) -> Iterator[tuple[Key, Diagnostic]]:
    by_text = {str(address): key for address, key in keys.items()}
    return ((by_text[d.address], d) for d in diagnostics if d.blocking and d.address in by_text)


def only_adopts(change: Change) -> bool:
    """Whether nothing is sent for a change: it takes ownership of what is as it is declared."""
    unchanged = change.members is None or change.members.empty
    return isinstance(change, Adopt) and not change.deltas and not change.steps and unchanged
