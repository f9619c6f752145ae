"""What a provider is: rules for the planner, and a session that reads, sends and looks.

A provider fetches, converts, and turns a change into calls. It never diffs, plans or prints.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from msgspec import Struct, field

from reconciler.diagnostics import Diagnostic
from reconciler.errors import ProviderError
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired
from reconciler.model.inventory import Inventory
from reconciler.model.kinds import ContactClass
from reconciler.model.live import AccountLive, LiveMembers, Observed
from reconciler.model.resources import Account, Fields
from reconciler.plan.calls import Call, Effect, Evidence, Json
from reconciler.plan.rules import Rules


class Secret(str):
    """A credential in the clear. Its ``repr`` and any formatting of it are masked; only ``reveal`` gives it away."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def reveal(self) -> str:
        return str.__str__(self)


class Progress(Protocol):
    """Told about long reads: what is being read, how far, out of how many (None: unknown)."""

    def __call__(self, what: str, done: int, total: int | None) -> None: ...


def silent(what: str, done: int, total: int | None) -> None:
    """The progress nobody watches."""


class Connection(Struct, frozen=True, kw_only=True):
    """Everything a session needs besides the account. ``read_only`` makes the transport refuse every write."""

    secrets: Mapping[str, Secret]
    read_only: bool
    concurrency: int | None = None
    """A cap from the command line, below the account's own."""
    progress: Progress = silent


class Scope(Struct, frozen=True, kw_only=True):
    """What a fetch is for: the members of every list that a Membership (or an owned one) names, all lists, all
    campaigns, all links. ``everything`` asks for the members of every list, as an import does."""

    desired: Desired
    inventory: Inventory
    everything: bool = False
    taken: Mapping[str, Mapping[RemoteId, LiveMembers]] = field(default_factory=dict)
    """By account and list, the members that a fetch takes as they are here instead of reading them."""


class Answer(Struct, frozen=True, kw_only=True):
    """A 2xx to a call, or a refusal that turned out to mean that all of it is so already. ``remote_id`` is set when the
    call created one object (or found it there) and the answer names it.

    ``refused`` are the positions of the rows that a bulk call's answer refused for good, where it judges each row, and
    ``detail`` says why. The other rows were taken.
    """

    status: int
    body: Any = None
    remote_id: RemoteId | None = None
    refused: tuple[int, ...] = ()
    detail: str = ""


class Start(Protocol):
    """The last word before a write leaves, asked when all waiting (for a turn, a pause, a login) is over.

    ``again``: it was asked before for this same request, and what left then was certainly not processed. Raises
    Withheld when nothing may leave any more; a session lets that through.
    """

    async def __call__(self, *, again: bool) -> None: ...


async def at_once(*, again: bool) -> None:
    """The word of those who have nothing to add."""


class Session(Protocol):
    """One account, logged in. Everything raises ``errors.ProviderError`` and nothing else for what goes wrong."""

    @property
    def requests(self) -> int:
        """Every request put on the wire so far, logins and retries included."""
        ...

    async def fetch(self, scope: Scope) -> AccountLive:
        """The whole account, or an exception: never a part."""
        ...

    async def send(self, call: Call, effect: Effect, *, start: Start = at_once) -> Answer:
        """Send one call, once. Retries only what is proven not processed. ``effect`` says what kind of answer to read.

        ``start`` is awaited right before every request that writes. Raises Withheld, NotSent, RateLimited (not
        processed), Rejected, NotFound (refused), NoAnswer (unknown).
        """
        ...

    async def observe(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        """Look, without writing, whether ``effect`` (all Refs resolved) is true now."""
        ...

    async def aclose(self) -> None: ...


@runtime_checkable
class Timed(Protocol):
    """What a session has that tells how quick its provider is; without, no time is estimated. Optional."""

    @property
    def latency_s(self) -> float:
        """How long one answer took on average, so far; 0 before there was one."""
        ...


@runtime_checkable
class ReadsMembers(Protocol):
    """What a session has whose provider tells who is on a list. Optional."""

    async def with_members(self, live: AccountLive, lists: frozenset[RemoteId]) -> AccountLive:
        """``live``, as it was fetched, with the members of ``lists`` as well: a plan would start to contact them.

        Raises what ``fetch`` raises.
        """
        ...


@runtime_checkable
class Counting(Protocol):
    """What a session has whose provider tells how many are on a list for less than who they are. Optional."""

    async def counts(self, lists: frozenset[RemoteId]) -> Mapping[RemoteId, int]:
        """How many entries each of ``lists`` has, as ``LiveMembers.count`` has it; what is not told is left out.

        Raises what ``fetch`` raises.
        """
        ...


@runtime_checkable
class WritesTogether(Protocol):
    """What a session has whose provider writes several objects with one call. Optional, but its rules make no step with
    ``parts`` without it."""

    async def send_together(
        self, call: Call, effects: tuple[Effect, ...], *, start: Start = at_once
    ) -> tuple[Answer | ProviderError, ...]:
        """Send one call for all of ``effects``, once, and judge each in its place: what was not taken is told by the
        error that it would have raised had it been sent alone.

        Raises what ``Session.send`` raises when that is true of the whole request.
        """
        ...

    async def observe_together(self, effects: tuple[Effect, ...]) -> tuple[Evidence, ...]:
        """``Session.observe`` for each of ``effects``, with as few reads as that takes."""
        ...


class Param(Struct, frozen=True, kw_only=True):
    """A parameter of an operation, under its wire name. ``place`` is where it goes in the request.

    ``pattern`` is what a value in the path must be, whole: one that has a slash or dots in it, or is endless, would ask
    for something else than what it names.
    """

    name: str
    place: Literal["path", "query", "body"]
    required: bool = False
    description: str = ""
    pattern: str = r"[A-Za-z0-9_-]{1,128}"


class Operation(Struct, frozen=True, kw_only=True):
    """One documented endpoint. ``name`` is ``resource.verb``; ``path`` has ``{placeholders}``.

    ``array_body``: the body is one JSON array, given as the parameter ``body``. ``fixed`` are members of the body that
    the operation is about: always sent, and not for a caller to give or change.
    """

    name: str
    method: str
    path: str
    summary: str
    params: tuple[Param, ...] = ()
    contact_class: ContactClass = ContactClass.SILENT
    array_body: bool = False
    fixed: tuple[tuple[str, Json], ...] = ()
    used_by: tuple[str, ...] = ()
    """The commands besides ``call`` that use the endpoint (``plan``, ``apply``, ``status``, …); for the documents."""
    people: tuple[str, ...] = ()
    """Members of the answer that tell of a person and are not known for that by their name alone: ``lead_name``, or
    ``agents.name`` for the ``name`` of what stands in ``agents``. All that is in them is hidden."""


class Response(Struct, frozen=True, kw_only=True):
    """Whatever a provider answered to one request, refusals included. ``body`` is as it came, without credentials.

    ``failure`` is set unless the answer says that it was done: what the status means, in words that may be shown.
    """

    status: int
    body: Any = None
    failure: ProviderError | None = None


class Concerned(Struct, frozen=True, kw_only=True):
    """The people whom a write is about and who are not named by number, as far as the API can tell them.

    ``given`` get something out of it: nobody suppressed or opted out (column ``status``) may be among them. ``touched``
    are concerned in another way: nobody suppressed may be. ``reached`` tells more of those where that takes many
    requests, and is asked only when somebody is suppressed; None says that they cannot be found, and nothing is sent.
    ``unchecked`` says why somebody cannot be told although the API could; nothing is sent then. ``lists`` are contacted
    and nobody can read who is on them: of their people only those are known whom an apply has put there, and nobody
    suppressed may be among these.
    """

    given: ContactSet = field(default_factory=ContactSet.empty)
    touched: ContactSet = field(default_factory=ContactSet.empty)
    reached: Callable[[], Awaitable[ContactSet | None]] | None = None
    unchecked: str = ""
    lists: frozenset[RemoteId] = frozenset()


@runtime_checkable
class Caller(Protocol):
    """What a session has whose operations can be called one by one. Optional."""

    async def call(self, operation: Operation, call: Call) -> Response:
        """Send one operation as it is, once. Raises ProviderError only when there was no answer to it."""
        ...

    async def concerned(self, operation: Operation, call: Call) -> Concerned:
        """Look up, without writing, whom a write is about. Raises what reads raise."""
        ...


@runtime_checkable
class FillsPaths(Protocol):
    """What a provider has whose paths hold parts that the account knows. Optional."""

    def path_parameters(self, account: Account) -> Mapping[str, str]:
        """Placeholders of ``Operation.path`` that nobody has to give."""
        ...


@runtime_checkable
class BringsSchemas(Protocol):
    """What a provider of another package has whose kinds are not among the schemas that ship with the tool. Optional.

    A schema refers to the shared parts as ``common.json#/$defs/NAME`` and has no ``$defs`` of its own.
    """

    @property
    def schemas(self) -> Path:
        """The folder that holds ``v1/<Kind>.json`` for each kind and for ``Account``, as ``<provider>/v1``."""
        ...


@runtime_checkable
class BringsCodes(Protocol):
    """What a provider has that reports problems of its own. Optional. Codes start with the provider's name."""

    @property
    def codes(self) -> Mapping[str, tuple[str, str]]:
        """code -> (what it means, what to do), for ``reconciler explain CODE``."""
        ...


class HealthRow(Struct, frozen=True, kw_only=True):
    """One thing observed. ``subject`` is a word of ours: campaign, list, queue, upload, activity.

    ``state`` is the provider's word for how it is. ``problem`` says what is wrong with it, else it is healthy.
    ``figures`` are what there is to tell, in the order to show them: ``people``, ``completion %``, leads by status …
    """

    subject: str
    remote_id: str
    name: str
    state: str = ""
    problem: str = ""
    figures: Mapping[str, int | float | str] = field(default_factory=dict)


@runtime_checkable
class Observer(Protocol):
    """What a session has that can tell how an account is doing. Optional."""

    async def health(self) -> tuple[HealthRow, ...]:
        """Everything worth telling, read only. Raises what reads raise: never a part."""
        ...


class Dial(Struct, frozen=True, kw_only=True):
    """What sending one campaign now would do, read without writing just before it is sent.

    ``recipients`` are at most so many contacts: ``lists`` holds the entries of each list, and an audience may be more
    than its lists. ``contacts`` are those whose numbers can be read, ``unread`` says whose cannot. ``problems`` say why
    it must not or cannot be sent. ``shown`` is what they would get, by the wire's names. ``before`` is what
    ``evidence`` compares with later: ids, states and times, nothing about people.
    """

    name: str
    call: Call
    recipients: int
    lists: Mapping[RemoteId, int] = field(default_factory=dict)
    contacts: ContactSet = field(default_factory=ContactSet.empty)
    unread: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)


class Sent(StrEnum):
    """What can be seen of a campaign that may have been sent: it was, it was and failed, or nothing tells."""

    YES = "yes"
    FAILED = "failed"
    UNTOLD = "untold"


@runtime_checkable
class Dialler(Protocol):
    """What a session has whose provider can send a campaign now. Optional."""

    @property
    def dial_operation(self) -> str:
        """The operation of ``call`` that does the same as a dial and nothing else, or nothing."""
        ...

    async def prepare(self, campaign: RemoteId) -> Dial:
        """Read everything that a dial is judged by. Raises what reads raise, NotFound for a campaign that is gone."""
        ...

    async def dial(self, dial: Dial) -> None:
        """Send, once; repeat only what was never connected. Raises what ``Session.send`` raises, and NoAnswer for
        every answer that is no clear yes."""
        ...

    async def evidence(self, campaign: RemoteId, before: Mapping[str, str]) -> Sent:
        """Look, without writing, whether the campaign was sent since ``before``. Raises what reads raise."""
        ...


@runtime_checkable
class Undiallable(Protocol):
    """What a provider has that cannot send a campaign now. Optional."""

    undiallable: str
    """Why not, and what to do instead, in a sentence."""


@runtime_checkable
class Importable(Protocol):
    """What a provider has that knows more about its live objects than its schemas say, for ``import``. Optional."""

    def over(self, live: Observed) -> str:
        """What became of a campaign that no manifest can mean any more, to follow "it is"; empty for all others."""
        ...

    def spelled(self, live: Observed) -> Fields:
        """Those of ``live.fields`` that a manifest writes in another spelling than the one they are compared in."""
        ...


class Defaults(Struct, frozen=True, kw_only=True):
    """What the provider's page recommends where an account says nothing. Times in seconds."""

    base_url: str
    requests_per_second: float | None = None
    reads_per_minute: float | None = None
    writes_per_minute: float | None = None
    concurrency: int = 4
    timeout_s: float = 30.0
    landing_s: float = 120.0
    visibility_s: float = 30.0
    page_rows: int = 100
    """People on a page of a list."""
    list_reads: int = 0
    """What reading a list takes besides its pages."""
    other_urls: tuple[str, ...] = ()
    """Where else the provider itself is, such as in other regions: no ``--allow-host`` is needed for these."""


class Provider(Protocol):
    """The plug-in. Registered in ``providers.registry`` or by the entry-point group ``reconciler.providers``."""

    name: str
    rules: Rules
    defaults: Defaults
    kinds: tuple[Kind, ...]
    credentials: tuple[frozenset[str], ...]
    """The sets of names that ``auth`` may have, e.g. ``({username, password}, {token})``."""
    operations: tuple[Operation, ...]

    def identity(self, account: Account) -> str:
        """Whose account this is by declaration: provider, host and brand, sid or account id. ``""`` when only a login
        can tell; ``AccountLive.identity`` is then the only truth."""
        ...

    def check_account(self, account: Account) -> tuple[Diagnostic, ...]:
        """Problems of the account's own settings that need no network."""
        ...

    def connect(self, account: Account, connection: Connection) -> Session:
        """A session; no request is sent yet."""
        ...


@runtime_checkable
class Located(Protocol):
    """What a provider has whose accounts are not all at one address when they name none. Optional."""

    def location(self, account: Account) -> str:
        """The URL of the account's API."""
        ...
