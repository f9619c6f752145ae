"""The faults that a provider can show, and which providers can show them.

Rows of other suites (process, security) are not here: their tests bring a title with the marker, see ``survival``.
"""

from __future__ import annotations

from dataclasses import dataclass

IP, EX, ST, CC = "intelepeer", "exotel", "slicktext", "contactcenter"
ALL = (IP, EX, ST, CC)
TOOL = ("tool",)


@dataclass(frozen=True)
class Row:
    """A fault, and the columns of the table that it concerns."""

    title: str
    columns: tuple[str, ...] = ALL


@dataclass(frozen=True)
class Open:
    """Cells without a test, and why."""

    why: str
    columns: tuple[str, ...] = ALL


ROWS: dict[str, Row] = {
    # on the way
    "F001": Row("the host has no address"),
    "F002": Row("nobody listens"),
    "F003": Row("the certificate or the TLS version is not acceptable"),
    "F004": Row("reset before anything was written"),
    "F005": Row("connection lost before the effect"),
    "F006": Row("effect done, answer lost"),
    "F007": Row("no answer, ever"),
    "F008": Row("one byte at a time"),
    "F009": Row("an answer shorter than promised"),
    "F010": Row("a whole answer with cut JSON"),
    "F011": Row("the server closes an idle connection as it is used again"),
    "F012": Row("an endless or inflating body"),
    "F013": Row("redirects"),
    "F014": Row("a gateway's 502, 503 or 504 page"),
    "F015": Row("one request delivered twice"),
    "F016": Row("an effect that lands after we stopped waiting"),
    "F017": Row("an answer before the request was read, then closed"),
    "F018": Row("one provider down, the others up"),
    # what a status means
    "F019": Row("500 before the effect"),
    "F020": Row("500 after the effect"),
    "F021": Row("a permanent condition told as 500", (IP,)),
    "F022": Row("429 with seconds to wait"),
    "F023": Row("429 with a date to wait for"),
    "F024": Row("429 that does not say how long"),
    "F025": Row("429 that asks for nonsense, or for years"),
    "F026": Row("429 for ever"),
    "F027": Row("503 for everything"),
    "F028": Row("401 in mid-run"),
    "F029": Row("401 for ever"),
    "F030": Row("an expired token told as 400 or 500", (CC,)),
    "F031": Row("a login without a token, or that fails", (IP, CC)),
    "F032": Row("403 for one object"),
    "F033": Row("404 for an object that exists"),
    "F034": Row("a deletion of what is gone already"),
    "F035": Row("404 for everything"),
    "F036": Row("the name is taken"),
    "F037": Row("the request is refused as invalid"),
    "F038": Row("out of credit or capacity in mid-run", (EX, ST)),
    "F039": Row("200 with a page instead of data"),
    "F040": Row("200 whose body says 500"),
    "F041": Row("200 with true, [] or nothing"),
    "F042": Row("a success that does not name what it made", (CC,)),
    "F043": Row("statuses that no document knows"),
    # reads
    "F044": Row("a row on two pages", (EX, ST, CC)),
    "F045": Row("a row on no page", (EX, ST)),
    "F046": Row("pages smaller than asked for", (EX, ST, CC)),
    "F047": Row("a next page that is announced and missing", (ST,)),
    "F048": Row("a cursor that repeats", (CC,)),
    "F049": Row("a cursor that expires", (CC,)),
    "F050": Row("an error on one of the pages", (EX, ST, CC)),
    "F051": Row("a count that differs from the rows", (ST, CC)),
    "F052": Row("200 with nothing where something was"),
    "F053": Row("200 with a part"),
    "F054": Row("a key twice in one object", (CC,)),
    "F055": Row("a field missing, renamed or of another type"),
    "F056": Row("fields that nobody knows"),
    "F057": Row("what was created does not show yet"),
    "F058": Row("what was deleted still shows"),
    "F059": Row("tombstones, and flags as text", (IP,)),
    "F060": Row("a search that finds something else", (IP, EX)),
    "F061": Row("a name too short to search for", (IP,)),
    "F062": Row("a change between two reads"),
    "F063": Row("numbers that the provider masks", (EX, ST, CC)),
    "F064": Row("500,000 contacts", (EX, ST, CC)),
    "F065": Row("NaN, endless numbers, bottomless nesting, broken text"),
    "F066": Row("an object that goes between two reads"),
    # spelling
    "F067": Row("another case"),
    "F068": Row("other white space"),
    "F069": Row("another Unicode form"),
    "F070": Row("numbers in other spellings", (EX, ST, CC)),
    "F071": Row("null, empty or absent"),
    "F072": Row("numbers and booleans as text", (IP,)),
    "F073": Row("a name that the provider cuts"),
    "F074": Row("names with HTML escapes"),
    "F075": Row("lists in another order"),
    "F076": Row("defaults that the provider fills in"),
    "F077": Row("a field that a write ignores", (IP,)),
    "F078": Row("two live objects of one name", (IP, ST, CC)),
    "F079": Row("one key twice in the manifests", TOOL),
    "F080": Row("times without a zone, or in another unit"),
    "F081": Row("a live number that is none", (CC,)),
    # writes
    "F082": Row("a bulk request that fails for some", (EX,)),
    "F083": Row("a bulk request that answers a count only", (ST,)),
    "F084": Row("more than a bulk request may hold", (EX,)),
    "F085": Row("the answer of one of many requests is lost", (EX, ST)),
    "F086": Row("an upload that never ends (no plan uploads a file)", ()),
    "F087": Row("an upload that ends with failures (no plan uploads a file)", ()),
    "F088": Row("a deletion that never ends", (IP,)),
    "F089": Row("a deletion refused: it is in use", (IP,)),
    "F090": Row("a link to a list that is not ready", (IP,)),
    "F091": Row("created, and then the link fails", (IP, EX)),
    "F092": Row("edited by a person between plan and write"),
    "F093": Row("an update that resets what it does not name", (IP, EX, ST)),
    "F094": Row("a field that cannot be changed", (IP, CC)),
    "F095": Row("a link or member that cannot be taken off", (IP,)),
    "F096": Row("objects that the provider makes beside ours", (IP, EX)),
    "F097": Row("run accepted, answer lost", (IP,)),
    "F098": Row("a campaign that would dial as it is created", (EX,)),
    "F099": Row("a lead deleted and added again", (CC,)),
    "F100": Row("a contact added to what is running"),
    "F101": Row("two writes that land in reverse order"),
    "F102": Row("all workers reach the limit at once"),
    "F103": Row("some of the operations fail"),
    "F104": Row("a write that reads back otherwise"),
}

OPEN: dict[str, Open] = {
    "F064": Open("time and memory of large reads are a matter of the benchmarks; no test reads so many", (EX, ST, CC)),
}
