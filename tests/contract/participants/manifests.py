"""Writing the manifests of a walk, and the people in them."""

from __future__ import annotations

from typing import Any

ADA, BEN, CLEO, DORA = (f"+120255501{n}" for n in range(10, 14))


def manifest(provider: str, kind: str, name: str, spec: str, lifecycle: str = "") -> str:
    """One document; ``spec`` and ``lifecycle`` are the insides of flow mappings."""
    head = f"apiVersion: {provider}/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n"
    return head + (f"lifecycle: {{{lifecycle}}}\n" if lifecycle else "") + f"spec: {{{spec}}}\n"


def with_lifecycle(text: str, lifecycle: str = "onRemove: delete") -> str:
    return text.replace("spec:", f"lifecycle: {{{lifecycle}}}\nspec:")


def people(*numbers: str, **columns: str) -> str:
    more = "".join(f", {name}: {value}" for name, value in columns.items())
    return "contacts: [" + ", ".join(f'{{number: "{n}"{more}}}' for n in numbers) + "]"


def ours(rows: Any, *names: str) -> list[Any]:
    """Some fields of some rows, in an order that ids do not change."""
    return sorted((tuple(row[name] for name in names) for row in rows), key=repr)


GONE = "onRemove: delete"
UPDATABLE = "every field of the kind can be updated"
