"""Loading manifests, checking them against their schemas, and comparing objects field by field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.case import Budget, Cap, Case, Ratio, Size, Task, Variant
from benchmarks.child import Stopwatch

Facts = dict[str, float]

_PER_FILE = 100
_ACCOUNT = """\
apiVersion: slicktext/v1
kind: Account
metadata: {name: main}
spec: {brandId: "26136", auth: {apiKey: {env: SLICKTEXT_API_KEY}}}
"""


_KINDS = (
    """\
# People who asked for offer {i}; see the calendar of the growth team.
apiVersion: slicktext/v1
kind: List
metadata:
  name: list-{i}
  labels:
    team: growth
    region: {region}
lifecycle:
  protect: true
  onRemove: keep
spec:
  name: List number {i}
  description: People who asked for offer {i}
""",
    """\
apiVersion: slicktext/v1
kind: Campaign
metadata: {{name: campaign-{i}, labels: {{team: growth, region: {region}}}}}
lifecycle:
  ignore: [media_url]       # the designers change it in the portal
spec:
  name: Campaign number {i}
  body: >-
    Offer {i} is here until Sunday.
    Reply STOP to opt out
  status: draft
""",
    """\
apiVersion: slicktext/v1
kind: Association
metadata:
  name: link-{i}
  labels:
    team: growth
    region: {region}
lifecycle:
  onRemove: keep
spec:
  campaign: campaign-{i}
  list: list-{i}
""",
    """\
apiVersion: slicktext/v1
kind: Membership
metadata:
  name: members-{i}
  labels: {{team: growth, region: {region}}}
spec:
  list: list-{i}
  mode: exact
  contacts:
    - {{number: "{one}", first_name: {name}}}
    - number: "{other}"
      first_name: '{name}'
""",
)


def document(index: int) -> str:
    """One of four kinds, a dozen lines, some 250 bytes: block and flow style, quotes and comments, as people write."""
    from benchmarks.data import NAMES, number

    group, kind = divmod(index, len(_KINDS))
    return _KINDS[kind].format(
        i=group,
        region=("east", "west", "north", "south")[group % 4],
        one=number(2 * group),
        other=number(2 * group + 1),
        name=NAMES[group % len(NAMES)],
    )


def prepare(folder: Path, watch: Stopwatch, size: int) -> None:
    """A repository of ``size`` documents, and one of a single list."""
    manifests, small = folder / "manifests", folder / "small"
    for each in (manifests, small):
        each.mkdir()
        (each / "account.yaml").write_text(_ACCOUNT, encoding="utf-8")
    (small / "list.yaml").write_text("---\n".join(map(document, range(4))), encoding="utf-8")
    for start in range(0, size, _PER_FILE):
        documents = map(document, range(start, min(start + _PER_FILE, size)))
        (manifests / f"{start // _PER_FILE:04d}.yaml").write_text("---\n".join(documents), encoding="utf-8")


def ours(folder: Path, watch: Stopwatch) -> Facts:
    """What a plan does: every document read, checked, resolved, with a position for whatever is wrong."""
    from reconciler.manifest.load import load

    load([folder / "small"])  # imports what is imported when it is needed
    with watch:
        loaded = load([folder / "manifests"])
    assert loaded.desired is not None, loaded.diagnostics[:3]
    return {"documents": len(loaded.desired.resources)}


def yaml_load(folder: Path, watch: Stopwatch) -> Facts:
    """The same files with PyYAML's C loader, and nothing else done."""
    import yaml

    yaml.load("warm: up", yaml.CSafeLoader)
    with watch:
        documents = _parsed(folder)
    return {"documents": len(documents) - 1}


def _parsed(folder: Path) -> list[Any]:
    import yaml

    return [
        document
        for path in sorted((folder / "manifests").iterdir())
        for document in yaml.load_all(path.read_bytes(), yaml.CSafeLoader)
    ]


def schema_ours(folder: Path, watch: Stopwatch) -> Facts:
    """The loader's way: the kind's compiled schema looked up for each document, and asked."""
    from reconciler.manifest.schemas import kind_schema

    documents = _parsed(folder)
    for version, kind in {(data["apiVersion"], data["kind"]) for data in documents}:
        kind_schema(version, kind)
    with watch:
        valid = 0
        for data in documents:
            schema = kind_schema(data["apiVersion"], data["kind"])
            valid += schema is not None and schema.is_valid(data)
    return {"valid": valid, "us_each": watch.seconds / len(documents) * 1e6}


def schema_jsonschema(folder: Path, watch: Stopwatch) -> Facts:
    """A jsonschema validator for each kind, made once and used again."""
    from jsonschema import Draft202012Validator

    from reconciler.manifest.schemas import standalone

    documents = _parsed(folder)
    kinds = {(data["apiVersion"], data["kind"]) for data in documents}
    validators = {kind: Draft202012Validator(standalone(*kind)) for kind in kinds}
    with watch:
        valid = sum(validators[data["apiVersion"], data["kind"]].is_valid(data) for data in documents)
    return {"valid": valid, "us_each": watch.seconds / len(documents) * 1e6}


def nothing(folder: Path, watch: Stopwatch, size: int) -> None:
    """The pairs are made where they are compared."""
    (folder / "size").write_text(str(size), encoding="ascii")


def _fields(i: int, *, nested: bool) -> dict[str, Any]:
    """Of one campaign, every value an object of its own, as after reading both sides."""
    fields: dict[str, Any] = {
        "name": f"Campaign number {i}",
        "body": f"Offer {i} is here, reply STOP to opt out",
        "status": "draft",
        "media_url": f"https://example.com/{i}.png",
    }
    if nested:
        fields["schedule"] = {"send_at": f"2027-01-01T10:00:00Z#{i}", "end_at": f"2027-01-01T18:00:00Z#{i}"}
        fields["tags"] = (f"tag-{i % 7}", f"tag-{i % 11}")
    return fields


def _pairs(folder: Path, shape: str, every: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(live, desired) of campaigns; one in ``every`` differs, in its text or, every other time, in a member."""
    nested, pairs = shape == "nested", []
    for i in range(int((folder / "size").read_text(encoding="ascii"))):
        live = {**_fields(i, nested=nested), "id": str(i), "created": "2026-01-01"}
        if every and i % every == 0:
            if nested and i // every % 2:
                live["schedule"]["send_at"] = "2027-01-02T10:00:00Z"
            else:
                live["body"] += "!"
        pairs.append((live, _fields(i, nested=nested)))
    return pairs


def fields_ours(folder: Path, watch: Stopwatch, shape: str, every: int) -> Facts:
    """The planner's way, with the rules of a real kind. Importing deepdiff counts, where it is needed at all."""
    from reconciler.model.addresses import Kind
    from reconciler.plan.fields import diff
    from reconciler.providers.slicktext.rules import KINDS

    pairs, rules = _pairs(folder, shape, every), KINDS[Kind.CAMPAIGN].fields
    with watch:
        differing = sum(bool(diff(live, desired, rules)) for live, desired in pairs)
    return {f"differing {shape} {every}": differing}


def fields_peer(folder: Path, watch: Stopwatch, shape: str, every: int) -> Facts:
    """Equality of the declared fields, and deepdiff, imported before, on what is unequal; nothing normalised."""
    from deepdiff import DeepDiff

    pairs = _pairs(folder, shape, every)
    DeepDiff({"name": "a"}, {"name": "b"}, view="tree")
    with watch:
        differing = 0
        for live, desired in pairs:
            managed = {name: live.get(name) for name in desired}
            if managed != desired:
                differing += bool(DeepDiff(managed, desired, view="tree"))
    return {f"differing {shape} {every}": differing}


_SHARES = {0: "none", 20: "5 %", 1: "all"}
_SHAPES = ("flat", "nested")


def _field_variants() -> Iterator[Variant]:
    for shape in _SHAPES:
        for every in _SHARES:
            for name, function in (("ours", "fields_ours"), ("deepdiff", "fields_peer")):
                task = Task(target=f"{__name__}:{function}", arguments={"shape": shape, "every": every})
                yield Variant(name=f"{name} {shape} {every}", run=task)


def _field_budgets() -> Iterator[Budget]:
    for shape in _SHAPES:
        for every, share in _SHARES.items():
            yield Budget(
                what=f"field diff of 10,000 {shape} objects, {share} unequal",
                peer="equality first, deepdiff on the unequal",
                measure=Ratio(of=f"ours {shape} {every}", to=f"deepdiff {shape} {every}", value="inner_s", at_most=1.2),
                seconds="inner_s",
            )


def _variant(name: str, function: str) -> Variant:
    return Variant(name=name, run=Task(target=f"{__name__}:{function}"))


_SIZES = {Size.TINY: 80, Size.NORMAL: 10_000}
_YAML = "`yaml.load` with the C loader, nothing checked"
_VALIDATORS = "jsonschema validators by kind, reused"

CASES = (
    Case(
        name="load",
        what="10,000 documents in 100 files, loaded with positions, checked and resolved",
        prepare=f"{__name__}:prepare",
        sizes=_SIZES,
        variants=(_variant("ours", "ours"), _variant("yaml", "yaml_load")),
        budgets=(
            Budget(
                what="load 10,000 documents, validated",
                peer=f"{_YAML}; both without imports",
                measure=Ratio(of="ours", to="yaml", value="inner_s", at_most=0.6),
                seconds="inner_s",
            ),
            Budget(
                what="load 10,000 documents, validated: whole process", peer=_YAML, measure=Ratio(of="ours", to="yaml")
            ),
        ),
        agree=("documents",),
    ),
    Case(
        name="schema",
        what="10,000 valid documents against their schemas",
        prepare=f"{__name__}:prepare",
        sizes=_SIZES,
        variants=(_variant("ours", "schema_ours"), _variant("jsonschema", "schema_jsonschema")),
        budgets=(
            Budget(
                what="schema check of 10,000 valid documents",
                peer=_VALIDATORS,
                measure=Ratio(of="ours", to="jsonschema", value="inner_s", at_most=0.06),
                seconds="inner_s",
            ),
            Budget(
                what="schema check, µs a document",
                peer="absolute",
                measure=Cap(of="ours", value="us_each", at_most=5.0),
                seconds="inner_s",
            ),
        ),
        agree=("valid",),
    ),
    Case(
        name="fields",
        what="field diff of 10,000 objects, flat and with mappings in them: none, 5 % and all of them unequal",
        prepare=f"{__name__}:nothing",
        sizes=_SIZES,
        variants=tuple(_field_variants()),
        budgets=tuple(_field_budgets()),
        agree=tuple(f"differing {shape} {every}" for shape in _SHAPES for every in _SHARES),
    ),
)
