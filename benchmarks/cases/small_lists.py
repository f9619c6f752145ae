"""Membership diffs of many small lists: two files of people for each."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.case import Budget, Case, Ratio, Size, Task, Variant
from benchmarks.child import Stopwatch

if TYPE_CHECKING:
    from reconciler.model.contacts import ContactSet

Facts = dict[str, float]

_DRIFT = 0.01
_CITIES = ("Reno", "Provo", "Ogden", "Boise")

_SUPPRESSED = 90_000


def prepare_thousands(folder: Path, watch: Stopwatch, size: int) -> None:
    """Lists of 1,000 people."""
    _write(folder, size, 1_000)


def prepare_fifties(folder: Path, watch: Stopwatch, size: int) -> None:
    """Lists of 50 people."""
    _write(folder, size, 50)


def _write(folder: Path, lists: int, people: int) -> None:
    """A pair of files for each list, in another order each; a third of the drift each are missing, too many, and
    changed, and at least one person. Lists overlap, as lists do."""
    from random import Random

    from benchmarks.data import NAMES, number

    apart, random = max(1, round(people * _DRIFT / 3)), Random(1)

    def write(file: Path, indexes: list[int], changed_below: int) -> None:
        random.shuffle(indexes)
        rows = (
            f"{number(i)},{NAMES[i % len(NAMES)]},{_CITIES[(i + (i < changed_below)) % len(_CITIES)]}\n"
            for i in indexes
        )
        file.write_text("number,first_name,city\n" + "".join(rows), encoding="ascii")

    for side in ("desired", "live"):
        (folder / side).mkdir()
    for at in range(lists):
        start = at * people // 2
        write(folder / "desired" / f"{at:05d}.csv", [*range(start, start + people)], 0)
        write(
            folder / "live" / f"{at:05d}.csv",
            [*range(start + apart, start + people + apart)],
            start + 2 * apart,
        )
    (folder / "members.yaml").write_text("---\n".join(map(_document, range(lists))), encoding="ascii")
    (folder / "account.yaml").write_text(_ACCOUNT, encoding="ascii")


_ACCOUNT = """\
apiVersion: slicktext/v1
kind: Account
metadata: {name: main}
spec: {brandId: "26136", auth: {apiKey: {env: SLICKTEXT_API_KEY}}}
"""


def _document(at: int) -> str:
    return f"""\
apiVersion: slicktext/v1
kind: Membership
metadata: {{name: members-{at:05d}}}
spec:
  list: {{id: "{at}"}}
  mode: exact
  contactAttributes: sync
  contactsFrom:
    - file: desired/{at:05d}.csv
"""


# --- ours


def ours(folder: Path, watch: Stopwatch) -> Facts:
    """Both sides from checked files."""
    with watch:
        return _compared(folder, _checked(folder / "desired"), _checked(folder / "live"))


def paged(folder: Path, watch: Stopwatch) -> Facts:
    """Declared people from checked files, live ones by `csv` and then as pages of columns, as a client has them."""
    with watch:
        return _compared(folder, _checked(folder / "desired"), lambda name: _paged(folder / "live" / name))


def suppressing(folder: Path, watch: Stopwatch) -> Facts:
    """The same beside a large list of people who must not be contacted, none of whom is declared or live."""
    from reconciler.model.contacts import ContactSet

    with watch:
        numbers = [f"+1999{i:07}" for i in range(_SUPPRESSED)]
        return _compared(
            folder,
            _checked(folder / "desired"),
            _checked(folder / "live"),
            ContactSet.from_columns({"number": numbers}),
        )


def declared(folder: Path, watch: Stopwatch) -> Facts:
    """Declared people from the contact files of manifests, these loaded as well."""
    from reconciler.manifest.load import load

    with watch:
        loaded = load([folder])
        assert loaded.desired is not None, loaded.diagnostics[:3]
        people = {
            f"{address.name.removeprefix('members-')}.csv": resource.members.contacts
            for address, resource in loaded.desired.resources.items()
            if resource.members is not None
        }
        return _compared(folder, people.__getitem__, _checked(folder / "live"))


def _compared(
    folder: Path,
    desired: Callable[[str], ContactSet],
    live: Callable[[str], ContactSet],
    suppressed: ContactSet | None = None,
) -> Facts:
    """Each pair of files of one name as the planner compares a Membership with a live list."""
    from reconciler.diagnostics import Span
    from reconciler.model.addresses import Address, Kind, RemoteId
    from reconciler.model.contacts import ContactSet
    from reconciler.model.kinds import MembershipRules
    from reconciler.model.live import LiveMembers
    from reconciler.model.resources import ById, Members, Mode, Resource
    from reconciler.plan.members import Population, diff_members

    nobody, rules, source = ContactSet.empty(), MembershipRules(), Span(file="members.yaml", line=1)
    adds = removes = changes = 0
    for name in _names(folder):
        now = live(name)
        resource = Resource(
            address=Address("main", Kind.MEMBERSHIP, name),
            provider="slicktext",
            fields={},
            source=source,
            members=Members(
                of=ById(RemoteId(name)), mode=Mode.EXACT, contacts=desired(name), contact_attributes="sync"
            ),
        )
        population = Population(
            live=LiveMembers(contacts=now, count=len(now)),
            book=nobody,
            suppressed=suppressed or nobody,
            ledger=None,
            key=b"",
        )
        delta, problems = diff_members(resource, rules, population)
        assert not problems, problems
        adds, removes, changes = adds + len(delta.add), removes + len(delta.remove), changes + len(delta.change)
    return {"adds": adds, "removes": removes, "changes": changes}


def _names(folder: Path) -> list[str]:
    return sorted(file.name for file in (folder / "live").iterdir())


def _checked(folder: Path) -> Callable[[str], ContactSet]:
    from reconciler.manifest.contacts import ContactFile, read_contacts

    root = folder.parent

    def people(name: str) -> ContactSet:
        read = read_contacts([ContactFile(file=name, base=folder)], root)
        assert not read.diagnostics, read.diagnostics[:3]
        return read.contacts

    return people


def _paged(file: Path) -> ContactSet:
    from reconciler.model.gathering import ContactSetBuilder

    with file.open(encoding="utf-8", newline="") as lines:
        columns = {name: values for name, *values in zip(*csv.reader(lines), strict=True)}
    builder = ContactSetBuilder(tuple(columns))
    builder.append(columns)
    return builder.build()


# --- peers


def csv_dict(folder: Path, watch: Stopwatch) -> Facts:
    """A dict for each file, by number; nothing checked."""
    with watch:
        adds = removes = changes = 0
        for name in _names(folder):
            desired, live = _by_number(folder / "desired" / name), _by_number(folder / "live" / name)
            adds += len([number for number in desired if number not in live])
            removes += len([number for number in live if number not in desired])
            changes += len([number for number, row in desired.items() if live.get(number, row) != row])
    return {"adds": adds, "removes": removes, "changes": changes}


def _by_number(file: Path) -> dict[str, list[str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        return {row[0]: row[1:] for row in rows}


def line_sets(folder: Path, watch: Stopwatch) -> Facts:
    """A set of whole lines for each file; only lines that are not on both sides are split."""
    with watch:
        adds = removes = changes = 0
        for name in _names(folder):
            desired, live = (
                set((folder / side / name).read_text(encoding="utf-8").split("\n")) for side in ("desired", "live")
            )
            ours, theirs = ({line.partition(",")[0] for line in lines} for lines in (desired - live, live - desired))
            both = len(ours & theirs)
            adds, removes, changes = adds + len(ours) - both, removes + len(theirs) - both, changes + both
    return {"adds": adds, "removes": removes, "changes": changes}


_PEER = "`csv` and a dict for each list, unchecked"
_VARIANTS = {
    "ours": ours,
    "live as columns": paged,
    "suppressing": suppressing,
    "manifests": declared,
    "csv and dict": csv_dict,
    "line sets": line_sets,
}


def _case(lists: int, people: int, prepare: str, at_most: float) -> Case:
    about = f"{lists:,} membership diffs of {people:,} people each, from CSV"

    def ratio(of: str, what: str, at_most: float | None = None) -> Budget:
        return Budget(what=what, peer=_PEER, measure=Ratio(of=of, to="csv and dict", at_most=at_most))

    return Case(
        name=f"small-lists-{people}",
        what=about,
        prepare=f"{__name__}:{prepare}",
        sizes={Size.TINY: 3, Size.NORMAL: lists},
        variants=tuple(
            Variant(name=name, run=Task(target=f"{__name__}:{function.__name__}"))
            for name, function in _VARIANTS.items()
        ),
        budgets=(
            ratio("ours", about, at_most),
            ratio("live as columns", "the same, live people by `csv` and then as columns"),
            Budget(
                what=f"the same beside {_SUPPRESSED:,} suppressed people",
                peer="the same without them",
                measure=Ratio(of="suppressing", to="ours", at_most=1.5),
            ),
            ratio("manifests", "the same, the manifests loaded as well"),
            ratio("line sets", "a set of lines for each list, unchecked"),
        ),
        agree=("adds", "removes", "changes"),
    )


CASES = (_case(1_000, 1_000, "prepare_thousands", 1.0), _case(5_000, 50, "prepare_fifties", 1.2))
