"""The changes of a plan as blocks of lines, account by account: a headline each, and a row for all it touches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Literal, NamedTuple, TypeAlias

from reconciler.render import words
from reconciler.render.documents import ChangeDocument, DeltaDocument, MembersDocument, PlanDocument, SourceDocument
from reconciler.render.screen import (
    GAP,
    Line,
    Piece,
    Style,
    columns_of,
    cut,
    fit,
    line,
    padded,
    safe,
    spaced,
    width_of,
)
from reconciler.render.values import change_between, shown

BLOCKED = "!"
_INDENT = 6
_ARROW = len(" -> ")
_WIDEST_TITLE = 48

_STYLES = {"create": Style.GOOD, "update": Style.CHANGED, "replace": Style.BAD, "delete": Style.BAD}
CONTACT_STYLES = {"starts-contacting": Style.ALARM, "may-notify": Style.CHANGED}

Row: TypeAlias = tuple[str, Callable[[int], str]]
"""A label, and the text beside it when so many columns are left."""


class Entry(NamedTuple):
    """One change, or one resource that cannot have the change it needs."""

    symbol: str
    style: Style
    title: str
    info: tuple[Piece, ...]
    reason: str
    place: str
    rows: tuple[Row, ...]


def account_groups(plan: PlanDocument, width: int) -> list[Iterator[Line]]:
    """A block of lines for every account in which something changes or cannot change, in the order of the plan. Lines
    are made when they are asked for: all of them at once take more than the plan."""
    codes = words.blocking_codes(plan)
    entries: dict[str, list[Entry]] = {}
    for change in plan["changes"]:
        blocked = codes.pop(change["address"], [])
        entries.setdefault(change["account"], []).append(_entry(change, blocked))
    errors = [problem for problem in words.problems(plan) if problem["severity"] == "error"]
    places = {problem["address"]: problem["source"] for problem in reversed(errors)}
    for address, (account, title) in stray(codes).items():
        entries.setdefault(account, []).append(_blocked(title, codes[address], places[address]))
    order = [a["name"] for a in plan["accounts"]]
    ranked = sorted(entries, key=lambda name: (order.index(name) if name in order else len(order), name))
    return [_group(name, entries[name], width) for name in ranked]


def stray(addresses: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Account and ``Kind/name`` of those that are addresses of resources: these can be drawn beside the changes."""
    parted = {address: address.partition("/") for address in addresses if address.count("/") >= 2}
    return {address: (account, title) for address, (account, _, title) in parted.items()}


def _blocked(title: str, codes: Sequence[str], source: SourceDocument | None) -> Entry:
    info = (Piece(_refusal(codes), Style.ALARM),)
    return Entry(BLOCKED, Style.ALARM, safe(title), info, "", _place(source), ())


def _refusal(codes: Sequence[str]) -> str:
    return f"blocked: {', '.join(map(safe, codes))}"


def _place(source: SourceDocument | None) -> str:
    # Without the column: a headline is read, the diagnostics below are clicked.
    return f"{safe(source['file'])}:{source['line']}" if source else ""


def _entry(change: ChangeDocument, blocked: Sequence[str]) -> Entry:
    association = change["kind"] == "Association" and change["action"] == "create"
    style = Style.ALARM if blocked else Style.GOOD if association else _STYLES.get(change["action"], Style.PLAIN)
    word = words.action_word(change) or (change["action"] if blocked else "")
    info = (
        (_refusal(blocked) if blocked else "", Style.ALARM),
        (words.contact_words(change), CONTACT_STYLES.get(change["contactClass"], Style.PLAIN)),
        (safe(word), style),
        (words.member_counts(change), Style.PLAIN),
    )
    return Entry(
        BLOCKED if blocked else words.symbol(change),
        style,
        safe(f"{change['kind']}/{change['name']}"),
        tuple([Piece(text, style) for text, style in info if text]),
        # What an update is for stands in its rows.
        "" if change["action"] == "update" else safe(change["reason"]),
        _place(change["source"]),
        (*_delta_rows(change["deltas"], change["action"]), *_member_rows(change["members"]), *_relation_rows(change)),
    )


def _delta_rows(deltas: Sequence[DeltaDocument], action: str) -> Iterator[Row]:
    """``path  old -> new``, arrows in one column; of what is created only the new value, of what goes only the old."""
    if action in {"create", "delete"}:
        side: Literal["desired", "live"] = "desired" if action == "create" else "live"
        for delta in deltas:
            yield safe(delta["path"]), partial(fit, shown(delta[side]))
        return
    pairs = [(shown(delta["live"]), shown(delta["desired"])) for delta in deltas]
    olds = max((width_of(old) for old, _ in pairs), default=0)
    news = max((width_of(new) for _, new in pairs), default=0)
    for delta, (old, new) in zip(deltas, pairs, strict=True):
        yield safe(delta["path"]), partial(_between, old, new, olds, news)


def _between(old: str, new: str, olds: int, news: int, room: int) -> str:
    return change_between(old, new, min(olds, max((room - _ARROW) // 2, room - _ARROW - news)), room)


def _member_rows(members: MembersDocument | None) -> Iterator[Row]:
    if members is None:
        return
    for label, count in (("add", members["add"]), ("remove", members["remove"]), ("change", members["change"])):
        if count:
            yield label, partial(_examples, count, members["examples"].get(label, []))
    if created := members["create"]:
        yield "create", partial(fit, f"{created:,} of those to add, as contacts, first")


def _examples(count: int, examples: Sequence[str], room: int) -> str:
    """As many examples as fit, and how many more there are: that figure is never cut off."""
    drawn = [safe(example) for example in examples]
    for kept in range(len(drawn), 0, -1):
        more = f", … {count - kept:,} more" if count > kept else ""
        text = ", ".join(drawn[:kept]) + more
        if width_of(text) <= room:
            return text
    return fit(words.people(count), room)


def _relation_rows(change: ChangeDocument) -> Iterator[Row]:
    if carrier := change["carriedBy"]:
        yield "carried by", partial(fit, f"{safe(carrier)}, no call of its own")
    if change["requires"]:
        yield "after", partial(fit, ", ".join(map(safe, change["requires"])))


def _group(account: str, entries: Sequence[Entry], width: int) -> Iterator[Line]:
    titles = min(max(width_of(e.title) for e in entries), _WIDEST_TITLE, width // 2)
    yield line(Piece(fit(safe(account), width), Style.BOLD))
    for entry in entries:
        head, rows = _headline(entry, titles, width)
        yield from head
        yield from _rows((*rows, *entry.rows), width)


def _headline(entry: Entry, titles: int, width: int) -> tuple[list[Line], list[Row]]:
    """Symbol, title, what about it, why, and the place at the right edge; what does not fit beside goes below."""
    lead = f"{entry.symbol:>3} "
    title = entry.title if width_of(entry.title) > titles else padded(entry.title, titles)
    head = spaced([Piece(lead + title, entry.style), *entry.info])
    below: list[Line] = []
    if (taken := columns_of(head)) > width:
        head = (Piece(fit(lead + entry.title, width), entry.style),)
        taken, below = columns_of(head), list(_below(entry.info, width))
    if not entry.reason:
        return [_with_place(head, taken, entry.place, width), *below], []
    explained = taken + len(GAP) + width_of(entry.reason)
    place = len(GAP) + width_of(entry.place) if entry.place else 0
    if not below and explained + place <= width:
        pieces = (*head, Piece(GAP), Piece(entry.reason, Style.DIM))
        return [_with_place(pieces, explained, entry.place, width)], []
    return [_with_place(head, taken, entry.place, width), *below], [("because", partial(fit, entry.reason))]


def _with_place(pieces: Line, taken: int, place: str, width: int) -> Line:
    """The place where it fits: the diagnostics and the JSON have it in any case. ``pieces`` take ``taken`` columns."""
    free = width - taken - width_of(place)
    if not place or free < len(GAP):
        return pieces
    return (*pieces, Piece(" " * free), Piece(place, Style.DIM))


def _below(info: Sequence[Piece], width: int) -> Iterator[Line]:
    """The parts of the information on as few further lines as they need."""
    lines: list[list[Piece]] = []
    for piece in info:
        if lines and _INDENT + columns_of(spaced([*lines[-1], piece])) <= width:
            lines[-1].append(piece)
        else:
            lines.append([piece])
    for parts in lines:
        yield cut(line(" " * _INDENT, *spaced(parts)), width)


def _rows(rows: Sequence[Row], width: int) -> Iterator[Line]:
    if not rows:
        return
    labels = min(max([width_of(label) for label, _ in rows]), width // 3)
    room = width - _INDENT - labels - len(GAP)
    for label, value in rows:
        yield (*_labelled(label, labels), Piece(value(room)))


@lru_cache(256)
def _labelled(label: str, room: int) -> Line:
    """What a row begins with: the same few labels again and again."""
    return line(" " * _INDENT, Piece(padded(label, room), Style.DIM), GAP)
