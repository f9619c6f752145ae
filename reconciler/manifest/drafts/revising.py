"""Manifests that are there already, brought in line with what is live: which values change, and who joins or leaves.

Only what a manifest manages is changed, and nothing is taken out because it is gone: that is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from reconciler.diagnostics import Diagnostic, warning
from reconciler.manifest.documents import Document
from reconciler.manifest.drafts.edits import Edit, Editor
from reconciler.manifest.drafts.fields import fits, plain
from reconciler.manifest.drafts.people import people_of
from reconciler.manifest.drafts.rows import Layout, Moves
from reconciler.manifest.drafts.scene import Scene, key_of
from reconciler.model.contacts import ContactSet
from reconciler.model.live import OPTED_OUT, LiveMembers
from reconciler.model.resources import Fields, Mode, Resource
from reconciler.plan.changes import Delta
from reconciler.plan.fields import diff


class ContactEdit(Struct, frozen=True, kw_only=True):
    """How the one contact file of a Membership changes. ``file`` is as the manifest names it."""

    file: str
    layout: Layout
    moves: Moves


class Revision(Struct, kw_only=True):
    """How one document changes, and what has to be told beside."""

    edits: list[Edit] = field(default_factory=list)
    contacts: ContactEdit | None = None
    told: list[Diagnostic] = field(default_factory=list)


def revise(scene: Scene, resource: Resource, document: Document) -> Revision:
    """What has to change for ``resource``, whose document is ``document``, to say what is live."""
    return _Revising(scene, resource, document).run()


class _Revising(Struct):
    scene: Scene
    resource: Resource
    document: Document
    out: Revision = field(default_factory=Revision)

    def run(self) -> Revision:
        resource, scene = self.resource, self.scene
        key = key_of(resource, scene.bindings)
        if resource.lifecycle.observe:
            return self.out
        if resource.address in scene.bindings.ambiguous:
            self._tell("has a name that several live objects have", "say with spec.id which one is meant")
            return self.out
        if resource.link is not None:
            link = scene.live.links.get(key[1]) if key is not None else None
            self._compare(None if link is None else link.fields, {})
        elif resource.members is None:
            live = scene.bindings.bound.get(resource.address)
            if live is not None and (over := scene.over(live)):
                self._tell(f"is {over}, which no manifest can mean", "remove the manifest when it is history")
            else:
                self._compare(None if live is None else live.fields, {} if live is None else scene.fields(live))
        elif (members := scene.live.members.get(key[1]) if key is not None else None) is None:
            self._gone()
        elif members.readable:
            self._people(members)
        return self.out

    def _tell(self, message: str, hint: str = "") -> None:
        address, source = str(self.resource.address), self.resource.source
        self.out.told.append(warning("import-kept", f"{address} {message}", hint=hint, address=address, source=source))

    def _gone(self) -> None:
        self._tell("is not live any more; the manifest stays as it is", "remove the manifest if that is meant")

    # --- fields

    def _compare(self, live: Fields | None, spelling: Fields) -> None:
        resource = self.resource
        if live is None:
            self._gone()
            return
        rules = self.scene.provider.rules.kinds[resource.address.kind].fields
        editor = Editor(self.document)
        for delta in diff(live, resource.fields, rules, resource.lifecycle.ignore):
            edit = self._edit(editor, delta, {**live, **spelling})
            if edit is None:
                hint = "write it there yourself"
                self._tell(f"has another {delta.path} live, which cannot be written here", hint)
            else:
                self.out.edits.append(edit)

    def _edit(self, editor: Editor, delta: Delta, live: Fields) -> Edit | None:
        names = delta.path.split(".")
        value: Any = live
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        value, path = plain(value), ("spec", *names)
        kind, provider = self.resource.address.kind, self.resource.provider
        if value is None:
            value = ""
        if len(names) > 1:
            return editor.change(path, value) if value != "" else editor.drop(path)
        if fits(provider, kind, names[0], value):
            return editor.change(path, value)
        return editor.drop(path) if value == "" else None

    # --- people

    def _people(self, live: LiveMembers) -> None:
        members = self.resource.members
        if members is None:
            return
        scene, rules = self.scene, self.scene.provider.rules.membership
        there = people_of(live, rules, scene.reachable, scene.desired.suppressed(scene.account.name))
        wanted = there.contacts if there is not None else ContactSet.empty()
        declared = members.contacts
        attributes = [n for n in declared.columns if n != "number" and n in live.contacts.columns]
        synced = members.contact_attributes == "sync" and rules.leads is None
        changed = declared.changed(live.contacts, attributes).joined(live.contacts, attributes) if synced else None
        moves = Moves(
            gone=declared.without(live.contacts),
            come=wanted.without(declared),
            changed=_writable(changed, live) if changed is not None else ContactSet.empty(),
        )
        if moves.empty:
            return
        given = self._file()
        if given is None:
            text = f"has gained {len(moves.come)} and lost {len(moves.gone)} people, and is not in one CSV file"
            self._tell(text, "put its contacts into one .csv file, or change them yourself")
            return
        self.out.contacts = ContactEdit(file=given["file"], layout=self._layout(given), moves=moves)
        left = len(declared) - len(moves.gone) + len(moves.come)
        if not left and members.mode is Mode.EXACT and not members.allow_empty:
            self.out.edits += self._allowing_nobody()

    def _file(self) -> Mapping[str, Any] | None:
        """The entry of the one plain CSV file that all contacts are in."""
        spec = self.document.data["spec"]
        files = spec.get("contactsFrom", ())
        if spec.get("contacts") or len(files) != 1:
            return None
        given: Mapping[str, Any] = files[0]
        return given if given["file"].endswith(".csv") and given.get("format", "csv") == "csv" else None

    def _layout(self, given: Mapping[str, Any]) -> Layout:
        region = given.get("defaultRegion", self.document.data["spec"].get("defaultRegion", ""))
        return Layout(columns=given.get("columns", {}), delimiter=given.get("delimiter", ","), region=region)

    def _allowing_nobody(self) -> Iterator[Edit]:
        """An exact membership of nobody has to say that it is meant."""
        editor = Editor(self.document)
        edit = editor.change(("spec", "allowEmpty"), True) or editor.add_after(("spec", "mode"), "allowEmpty", True)
        if edit is not None:
            yield edit


def _writable(changed: ContactSet, live: LiveMembers) -> ContactSet:
    """Whose attributes are compared by a plan: everybody's but those of people who opted out."""
    return changed.without(live.contacts.where("status", {OPTED_OUT}))
