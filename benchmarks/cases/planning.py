"""A plan of many small resources, all told, beside octoDNS with as many records."""

from __future__ import annotations

from pathlib import Path

from benchmarks.case import Budget, Case, Command, Ratio, Size, Task, Variant
from benchmarks.child import Stopwatch

Facts = dict[str, float]

_PER_FILE = 100
_EVERY = "every"
"""A file that says that one list in so many differs from what is live; 0 when nothing is live yet."""
_PROJECT = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: bench}\nspec: {manifests: [manifests]}\n"
_WORDS = ("plan", "--store", "sqlite:///store.db", "--detailed-exitcode")
_CHANGES = 2
"""How such a plan ends when there is something to do."""
_OCTODNS = """\
providers:
  desired: {class: octodns.provider.yaml.YamlProvider, directory: ./desired}
  live: {class: octodns.provider.yaml.YamlProvider, directory: ./live}
zones:
  example.com.: {sources: [desired], targets: [live]}
"""


def _description(index: int) -> str:
    return f"People who asked for offer {index}"


def prepare(folder: Path, watch: Stopwatch, size: int) -> None:
    """A repository of ``size`` lists that are owned already, 1 % of them different, and a zone of as many records, on
    both sides."""
    _prepare(folder, size, every=100)


def prepare_moved(folder: Path, watch: Stopwatch, size: int) -> None:
    """The same with 5 % of them different."""
    _prepare(folder, size, every=20)


def prepare_new(folder: Path, watch: Stopwatch, size: int) -> None:
    """The same before the first apply: nothing is live, and there is no store."""
    _prepare(folder, size, every=0)


def _prepare(folder: Path, size: int, *, every: int) -> None:
    (folder / _EVERY).write_text(str(every), encoding="ascii")
    (folder / "manifests").mkdir()
    (folder / "reconciler.yaml").write_text(_PROJECT, encoding="utf-8")
    for start in range(0, size, _PER_FILE):
        documents = (
            f"apiVersion: slicktext/v1\nkind: List\nmetadata:\n  name: list-{i}\n"
            f"spec:\n  name: List number {i}\n  description: {_description(i)}\n"
            for i in range(start, min(start + _PER_FILE, size))
        )
        text = "---\n".join(documents)
        (folder / "manifests" / f"{start // _PER_FILE:04d}.yaml").write_text(text, encoding="utf-8")
    if every:
        _own(folder, size)
    (folder / "octodns.yaml").write_text(_OCTODNS, encoding="utf-8")
    for side in ("desired", "live"):
        (folder / side).mkdir()
        count = size if side == "desired" or every else 0
        moved = [side == "live" and i % every == 0 for i in range(count)] if every else [False] * count
        records = (f"host-{i:06d}:\n  ttl: 300\n  type: A\n  value: {_record(i, moved[i])}\n" for i in range(count))
        (folder / side / "example.com.yaml").write_text("---\n" + "".join(records), encoding="utf-8")


def _record(index: int, moved: bool) -> str:
    """An address of the blocks for documentation."""
    block = "198.51.100" if moved else "192.0.2"
    return f"{block}.{index % 250 + 1}"


def _own(folder: Path, size: int) -> None:
    """A store in which every list is ours, as after an apply."""
    from reconciler.model.addresses import Address, Kind, RemoteId
    from reconciler.model.inventory import Owned
    from reconciler.store import open_store

    with open_store("sqlite:///store.db", namespace="bench/", create=True, root=folder) as store:
        run = store.begin_run("apply", tool_version="bench")
        with run.batch():
            run.identity("main", "slicktext:127.0.0.1:brand=26136")
            for i in range(size):
                fields = {"name": f"List number {i}", "description": _description(i)}
                address = Address("main", Kind.LIST, f"list-{i}")
                run.own(Owned(address=address, provider="slicktext", remote_id=RemoteId(str(i + 1)), fields=fields))
        run.close(exit_code=0)


def _live(folder: Path) -> list[tuple[str, str]]:
    """(name, description) of every live list."""
    if not (every := int((folder / _EVERY).read_text(encoding="ascii"))):
        return []
    size = sum(path.read_text(encoding="utf-8").count("kind: List") for path in (folder / "manifests").glob("0*.yaml"))
    return [(f"List number {i}", _description(i) + (" before" if i % every == 0 else "")) for i in range(size)]


def serve(folder: Path, watch: Stopwatch) -> Facts:
    """The lists that are live, from memory, and the account in which they are."""
    from benchmarks.platform import Brand
    from benchmarks.serving import serve

    brand = Brand()
    for name, description in _live(folder):
        brand.add_list(name, description)
    return serve(brand.answer, ready=lambda url: _account(folder, url))


def _account(folder: Path, url: str) -> None:
    from benchmarks.platform import ACCOUNT

    text = ACCOUNT.format(url=url, concurrency=4)
    (folder / "manifests" / "account.yaml").write_text(text, encoding="utf-8")


def profiled(folder: Path, watch: Stopwatch) -> Facts:
    """``ours`` in this process."""
    from reconciler.cli import run

    code = run(list(_WORDS))
    assert code == _CHANGES, f"a plan with changes ended with {code}"
    return {}


def pure(folder: Path, watch: Stopwatch) -> Facts:
    """The same without HTTP and without a command line: live pages decoded from memory, planned, rendered."""
    from reconciler.manifest.load import load

    _account(folder, "http://127.0.0.1:1")
    from benchmarks.platform import BRAND, list_row

    rows = [list_row(i + 1, name, text) for i, (name, text) in enumerate(_live(folder))]
    every = int((folder / _EVERY).read_text(encoding="ascii"))
    with watch:
        import msgspec

        from reconciler.model.live import AccountLive, Live
        from reconciler.plan.codec import encode
        from reconciler.plan.planner import PlanOptions, plan
        from reconciler.providers.slicktext.convert import list_of
        from reconciler.providers.slicktext.rules import SlickTextRules
        from reconciler.store import open_store

        loaded = load([])
        assert loaded.desired is not None, loaded.diagnostics[:3]
        with open_store("sqlite:///store.db", namespace="bench/", create=False, root=folder) as store:
            inventory = store.inventory()
        found = [list_of(row, str(BRAND)) for row in msgspec.json.decode(b"[" + b",".join(rows) + b"]")]
        state = AccountLive(
            identity="slicktext:127.0.0.1:brand=26136", objects={(o.kind, o.remote_id): o for o in found}
        )
        live = Live(accounts={"main": state})
        made = plan(loaded.desired, live, inventory, {"slicktext": SlickTextRules()}, PlanOptions())
        text = msgspec.json.encode(encode(made, tool="bench"))
    assert len(made.changes) == -(-len(rows) // every), f"{len(made.changes)} changes"
    assert not made.blocking, made.blocking[:3]
    return {"bytes": len(text)}


_PEER = "octoDNS, YAML to YAML, as many records"


def _case(name: str, what: str, function: str, *, form: str, more: tuple[Variant, ...] = ()) -> Case:
    """Budgets are those of the design for "10,000 small resources, all told": however many of them differ."""
    from benchmarks.platform import KEY

    def ratio(of: str, row: str, value: str, at_most: float | None) -> Budget:
        return Budget(what=row, peer=_PEER, measure=Ratio(of=of, to="octodns", value=value, at_most=at_most))

    ours = Variant(
        name="ours",
        run=Command(words=("-m", "reconciler", *_WORDS, "--format", form), exit_code=_CHANGES),
        server=Task(target=f"{__name__}:serve"),
        environment=KEY,
    )
    octodns = Variant(name="octodns", run=Command(words=("-m", "octodns.cmds.sync", "--config-file=octodns.yaml")))
    row = f"`reconciler plan` of 10,000 lists, {what}"
    return Case(
        name=name,
        what=f"a plan of 10,000 lists, {what}, beside octoDNS with 10,000 records",
        prepare=f"{__name__}:{function}",
        sizes={Size.TINY: 200, Size.NORMAL: 10_000},
        variants=(octodns, ours, *more),
        budgets=(
            ratio("ours", row, "wall_s", 0.2),
            ratio("ours", f"{row}: memory", "peak_mib", 1.5),
            ratio("ours", f"{row}: CPU", "cpu_s", None),
            *(ratio(v.name, "the same in one process, without HTTP", "wall_s", None) for v in more),
        ),
    )


CASES = (
    _case(
        "plan",
        "1 % different",
        "prepare",
        form="json",
        more=(Variant(name="pure", run=Task(target=f"{__name__}:pure")),),
    ),
    _case("plan-moved", "5 % different", "prepare_moved", form="json"),
    _case("plan-new", "all to create, as text", "prepare_new", form="text"),
)
