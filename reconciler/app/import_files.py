"""The files of an import: put together from drafts and revisions, then written all or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct, field

from reconciler.app.writing import replace_file
from reconciler.errors import InvalidInput, UsageError
from reconciler.manifest.documents import Document
from reconciler.manifest.drafts.draft import Draft, Drafts
from reconciler.manifest.drafts.edits import applied
from reconciler.manifest.drafts.naming import Names
from reconciler.manifest.drafts.revising import ContactEdit, Revision
from reconciler.manifest.drafts.rows import rewritten
from reconciler.manifest.drafts.texts import contacts_text, document_text, file_text
from reconciler.manifest.files import decode, shown_name
from reconciler.manifest.yaml import parse
from reconciler.model.addresses import Kind
from reconciler.model.resources import Resource

FILES: Mapping[Kind, str] = {
    Kind.LIST: "lists.yaml",
    Kind.CAMPAIGN: "campaigns.yaml",
    Kind.ASSOCIATION: "associations.yaml",
    Kind.MEMBERSHIP: "memberships.yaml",
}
"""Where manifests of a kind go."""

BOM = "\ufeff"

CONTACTS = "contacts"
"""The folder of contact files, below that of the manifests."""


class WouldOverwrite(InvalidInput):
    """There are files where an import would write."""

    code = "import-exists"

    def __init__(self, files: Iterable[Path], folder: Path) -> None:
        names = sorted(shown_name(f, folder) for f in files)
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        super().__init__(
            f"{names[0]}{more} would be overwritten; nothing was touched",
            hint="add --update to bring what is there in line, or --out DIR for another folder",
        )


class Folder(Struct, kw_only=True):
    """The folder of an import. ``contents`` are files as they are to be; whatever is not in there stays.

    ``path`` is absolute and within the project's ``root``; ``cwd`` is where names are told from.
    """

    path: Path
    root: Path
    cwd: Path
    contents: dict[Path, bytes] = field(default_factory=dict)
    counts: dict[Path, int] = field(default_factory=dict)
    """How many manifests, or people, a file is about."""

    @classmethod
    def at(cls, path: Path, root: Path, cwd: Path) -> Folder:
        """Raises UsageError for a folder that no load of the project would ever read."""
        real = Path(os.path.realpath(path))
        below = real.parts[len(root.parts) :] if real.is_relative_to(root) else None
        if below is None or any(part.startswith(".") for part in below):
            raise UsageError(f"--out {path}: this is not a folder that the project reads", hint=f"it is in {root}")
        if real.exists() and not real.is_dir():
            raise UsageError(f"--out {path}: this is not a folder")
        return cls(path=real, root=root, cwd=cwd)

    def present(self) -> list[Path]:
        """The files of manifests that are there already."""
        return [p for name in FILES.values() if os.path.lexists(p := self.path / name)]

    def owns(self, resource: Resource) -> bool:
        """Whether a resource is declared in here."""
        return self.source(resource).is_relative_to(self.path)

    def source(self, resource: Resource) -> Path:
        return Path(os.path.realpath(self.cwd / resource.source.file))

    # --- what is new

    def add(self, drafts: Drafts, account: str, provider: str) -> None:
        """Every draft, behind what is in the file of its kind already."""
        taken = Names(p.stem for p in (self.path / CONTACTS).glob("*.csv"))
        for kind, name in FILES.items():
            ours = [d for d in drafts.drafts if d.address.kind is kind]
            left = [told.message for of, told in drafts.left if of is kind]
            if not ours and (not left or (self.path / name).exists()):
                continue
            texts = [document_text(d, self._contacts(d, taken)) for d in ours]
            head = f"Account {account} ({provider}), as reconciler import found it."
            self._append(self.path / name, texts, (head, *left))
            self.counts[self.path / name] = len(ours)

    def _contacts(self, draft: Draft, taken: Names) -> str:
        """Writes the contact file of a Membership; where it is, seen from the manifest."""
        if draft.members is None:
            return ""
        name = f"{taken.take(draft.address.name.removesuffix('-members').removesuffix('-leads'))}.csv"
        path = self.path / CONTACTS / name
        self.contents[path] = contacts_text(draft.members.contacts).encode()
        self.counts[path] = len(draft.members.contacts)
        return f"{CONTACTS}/{name}"

    def _append(self, path: Path, texts: list[str], head: tuple[str, ...]) -> None:
        before = self._text(path)
        if not before:
            self.contents[path] = file_text(texts, head).encode()
            return
        newline = "\r\n" if "\r\n" in before else "\n"
        start = before if before.endswith("\n") else before + newline
        added = "".join(f"---\n{text}" for text in texts).replace("\n", newline)
        self.contents[path] = (start + added).encode()

    # --- what is there

    def document(self, resource: Resource) -> Document | None:
        """The document that declares ``resource``, as it is on disk."""
        path = self.source(resource)
        source, _ = decode(str(path), resource.source.file, path.read_bytes())
        return next((d for d in parse(source).documents if d.line == resource.source.line), None)

    def revise(self, revisions: Sequence[tuple[Resource, Revision]]) -> list[tuple[Resource, str]]:
        """Every revision; those that could not be carried out, and why."""
        by_file: dict[Path, list[Revision]] = {}
        for resource, revision in revisions:
            by_file.setdefault(self.source(resource), []).append(revision)
        for path, found in by_file.items():
            if edits := [edit for revision in found for edit in revision.edits]:
                content = self._text(path)
                mark = BOM if content.startswith(BOM) else ""
                self.contents[path] = (mark + applied(content.removeprefix(BOM), edits)).encode()
                self.counts[path] = sum(1 for revision in found if revision.edits)
        tried = ((r, self._rewrite(r, v.contacts)) for r, v in revisions if v.contacts is not None)
        return [(resource, why) for resource, why in tried if why]

    def _rewrite(self, resource: Resource, edit: ContactEdit) -> str:
        path = Path(os.path.realpath(self.source(resource).parent / edit.file))
        if not path.is_relative_to(self.path) or path in self.contents:
            return "its contact file is not in this folder, or is another membership's as well"
        self.contents[path] = rewritten(self._text(path), edit.layout, edit.moves).encode()
        self.counts[path] = len(edit.moves.come) + len(edit.moves.gone) + len(edit.moves.changed)
        return ""

    def _text(self, path: Path) -> str:
        """A file as it is to be so far; empty when there is none."""
        if path in self.contents:
            return self.contents[path].decode()
        return path.read_bytes().decode() if path.exists() else ""


@contextmanager
def written(contents: Mapping[Path, bytes], root: Path) -> Iterator[None]:
    """Every file written. When what follows fails, everything is as it was before.

    Raises InvalidInput for what cannot be written, or would be written outside of ``root``.
    """
    before: dict[Path, bytes | None] = {}
    made: list[Path] = []
    try:
        for path, content in contents.items():
            if not Path(os.path.realpath(path)).is_relative_to(root):
                raise InvalidInput(f"{path} leads out of the project")
            _make_folders(path.parent, made)
            before[path] = path.read_bytes() if path.exists() else None
            replace_file(path, content)
        yield
    except BaseException as failure:
        for path, old in before.items():
            with suppress(OSError):
                path.unlink(missing_ok=True) if old is None else replace_file(path, old)
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        if isinstance(failure, OSError):
            raise InvalidInput(f"{failure.filename} cannot be written: {failure.strerror}") from None
        raise


def _make_folders(folder: Path, made: list[Path]) -> None:
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    for one in reversed(missing):
        one.mkdir()
        made.append(one)
