"""One documented operation, sent as it is: approved by name, screened for suppressed people, written into the journal.

This is for what is not desired state. It shares account, limits and masking with everything else, and none of the
planner's knowledge: nothing is compared, looked up afterwards or repeated.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct, field

from reconciler import __version__
from reconciler.app import arguments, clock
from reconciler.app.dial_history import CALLED
from reconciler.app.leasing import Held, leased
from reconciler.app.loading import Request
from reconciler.app.planning import TOOL, Workspace, store_for
from reconciler.app.screening import occurring
from reconciler.apply.control import FREEZE_VARIABLE, GRACE_S, Control
from reconciler.errors import (
    CredentialsRefused,
    Exit,
    InvalidInput,
    NoAnswer,
    NotFound,
    NotSent,
    ProviderError,
    RateLimited,
    Refused,
    Rejected,
    UsageError,
)
from reconciler.masking import mask_number
from reconciler.model.addresses import Address, Kind
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired
from reconciler.model.e164 import E164
from reconciler.model.kinds import ContactClass
from reconciler.model.live import OPTED_OUT
from reconciler.model.quiet import QuietHours
from reconciler.model.resources import Account
from reconciler.model.zones import crowd
from reconciler.plan.approvals import YES
from reconciler.plan.calls import Call, Json, Method, Phase
from reconciler.plan.changes import Approval
from reconciler.plan.quiet import held_back, hours_of
from reconciler.plan.reached import remembered
from reconciler.providers.base import Caller, FillsPaths, Operation, Provider, Response
from reconciler.report import Outcome
from reconciler.store import Intent, Store
from reconciler.store.records import OperationState

_BEGINS_WITHIN = timedelta(minutes=10)
"""Waits that the provider asks for included."""

_E164 = re.compile(E164)
_KINDS = {"lists": Kind.LIST, "campaigns": Kind.CAMPAIGN}
_PHASES = {Kind.LIST: Phase.LIST, Kind.CAMPAIGN: Phase.CAMPAIGN, Kind.MEMBERSHIP: Phase.MEMBERSHIP}


class Wanted(Struct, frozen=True, kw_only=True):
    """What somebody asked for: an account, one of its operations, ``name=value`` words, and what they approved.

    ``signals`` is told what to tell when somebody wants a write to end.
    """

    account: str
    operation: str
    words: tuple[str, ...] = ()
    approved: frozenset[Approval] = frozenset()
    signals: Callable[[Control], None] = lambda control: None


class Called(Struct, frozen=True, kw_only=True):
    """What came back. ``run`` is the journal's id of a write, empty for a read. ``interrupted`` by which signal.

    ``people`` are the members of the answer that tell of a person, as ``Operation.people``.
    """

    response: Response
    run: str = ""
    interrupted: Exit | None = None
    people: tuple[str, ...] = ()

    @property
    def exit_code(self) -> Exit:
        if self.interrupted is not None:
            return self.interrupted
        if self.response.status in (401, 403):
            return Exit.CREDENTIALS
        return Exit.OK if self.response.failure is None else Exit.ERROR


class _Prepared(Struct, frozen=True, kw_only=True):
    """One request, typed, and everything that it is judged by."""

    desired: Desired
    account: Account
    provider: Provider
    operation: Operation
    given: Mapping[str, Json]
    known: Mapping[str, str]
    call: Call

    @property
    def writes(self) -> bool:
        return self.call.method is not Method.GET


async def call(request: Request, wanted: Wanted) -> Called:
    """Send one operation. Raises UsageError, InvalidManifests, LeaseHeld, Refused and Interruption, when nothing was
    sent; and ProviderError when nothing was answered."""
    workspace = Workspace.of(request)
    prepared = _prepared(workspace, wanted)
    if not prepared.writes:
        async with _session(workspace, prepared) as session:
            return Called(response=await _asked(session, prepared), people=prepared.operation.people)
    control = Control(root=Path(workspace.desired.project.root), variable=os.environ.get(FREEZE_VARIABLE))
    _check_approved(prepared, wanted.approved)
    await workspace.judging.check_call(
        prepared.account, prepared.desired, prepared.operation.name, _classes(prepared), tool=TOOL
    )
    _check_free(prepared, control)
    _check_arguments(prepared)
    wanted.signals(control)
    accounts = {prepared.account.name: prepared.account}
    with store_for(workspace.desired, request, create=True) as store:
        async with (
            leased(store, accounts, workspace.providers, control, command="call") as lease,
            _session(workspace, prepared) as session,
        ):
            await control.unless_interrupted(_check_people(session, prepared, store))
            _check_free(prepared, control)
            sending = _Sending(store=store, session=session, prepared=prepared, control=control, lease=lease)
            return await sending.send()


def operations_of(request: Request, account: str) -> tuple[Provider, tuple[Operation, ...]]:
    """The provider of a declared account and its operations. Raises UsageError for an account nobody declares."""
    workspace = Workspace.of(request)
    provider = workspace.providers[_account(workspace.desired, account).provider]
    return provider, provider.operations


def _prepared(workspace: Workspace, wanted: Wanted) -> _Prepared:
    account = _account(workspace.desired, wanted.account)
    provider = workspace.providers[account.provider]
    operation = arguments.find(provider.operations, wanted.operation, provider.name)
    given = arguments.parsed(operation, wanted.words)
    known = provider.path_parameters(account) if isinstance(provider, FillsPaths) else {}
    return _Prepared(
        desired=workspace.desired,
        account=account,
        provider=provider,
        operation=operation,
        given=given,
        known=known,
        call=arguments.request(operation, given, known),
    )


def _account(desired: Desired, name: str) -> Account:
    if name not in desired.accounts:
        alike = arguments.alike(name, desired.accounts)
        declared = ", ".join(sorted(desired.accounts)) or "none"
        raise UsageError(f"no manifest declares an account {name!r}", hint=alike or f"declared: {declared}")
    return desired.accounts[name]


# --- before anything is sent


def _check_approved(prepared: _Prepared, approved: frozenset[Approval]) -> None:
    operation = prepared.operation
    if operation.contact_class is ContactClass.STARTS_CONTACTING:
        if Approval.CONTACT not in approved:
            raise Refused(
                f"{operation.name} can start contacting people: {operation.summary}",
                hint="if this is meant, add: --approve contact",
            )
    elif not approved >= YES:
        raise Refused(f"{operation.name} writes and was not approved", hint="if this is meant, add: --yes")


def _classes(prepared: _Prepared) -> frozenset[Approval]:
    """What a policy may forbid of this operation: what it certainly is."""
    contacts = prepared.operation.contact_class is ContactClass.STARTS_CONTACTING
    deletes = prepared.call.method is Method.DELETE
    return frozenset({*((Approval.CONTACT,) if contacts else ()), *((Approval.DELETE,) if deletes else ())})


def _check_free(prepared: _Prepared, control: Control) -> None:
    """Raises Refused when nothing may be written now."""
    if reason := control.refusal(prepared.account.name):
        raise Refused(f"nothing is sent: {reason}", hint="lift that, then call again")


def _check_arguments(prepared: _Prepared) -> None:
    """Raises Refused when a suppressed number occurs in the arguments, however it is spelled."""
    suppressed = prepared.desired.suppressed(prepared.account.name)
    for name, numbers in occurring(prepared.given, suppressed.numbers()).items():
        raise _suppressed(f"{name} holds", numbers[0], len(numbers))


async def _check_people(session: Caller, prepared: _Prepared, store: Store) -> None:
    """The same for people who are named by id, or reached through a list, as far as the API tells who they are; and
    that nobody is contacted in quiet hours."""
    suppressed = prepared.desired.suppressed(prepared.account.name)
    people = await session.concerned(prepared.operation, prepared.call)
    if people.unchecked:
        raise Refused(f"{prepared.operation.name} cannot be checked: {people.unchecked}")
    if people.lists and (known := remembered(store.inventory(), prepared.account.name, people.lists, suppressed)):
        who = "somebody" if len(known) == 1 else f"{len(known)} people"
        raise Refused(
            f"{prepared.operation.name} would contact {who} whom a Suppression keeps from being contacted",
            hint="take the list out; there is no flag for this",
        )
    hours = _hours(prepared)
    reached = await people.reached() if people.reached and (suppressed or hours) else ContactSet.empty()
    if reached is None:
        raise Refused(
            f"{prepared.operation.name} cannot be checked: nobody with that id is found",
            hint="write the id as the provider lists it",
        )
    for contacts in (people.given, people.touched, reached):
        if hit := contacts.within(suppressed):
            raise _suppressed(f"{prepared.operation.name} is about", next(hit.numbers()), len(hit))
    if gone := people.given.where("status", {OPTED_OUT}):
        raise Refused(
            f"{prepared.operation.name} is about {_people(gone)} who opted out", hint="take them out of the arguments"
        )
    named = ContactSet.from_columns({"number": _E164.findall(repr(prepared.given))})
    everybody = ContactSet.union_of((people.given, people.touched, reached, named))
    # Whom an operation reaches that names nobody cannot be told: at least one person of whom nothing is known.
    if reason := held_back(hours, crowd(everybody, 0 if everybody else 1), clock.now()):
        raise Refused(f"{prepared.operation.name}: {reason}", hint="call again then")


def _hours(prepared: _Prepared) -> QuietHours | None:
    """The quiet hours that hold for this operation."""
    if prepared.operation.contact_class is not ContactClass.STARTS_CONTACTING:
        return None
    return hours_of(prepared.desired, prepared.account.name, prepared.provider.rules)


def _suppressed(what: str, number: str, count: int) -> Refused:
    more = f" and {count - 1} more" if count > 1 else ""
    return Refused(
        f"{what} {mask_number(number)}{more}, which a Suppression keeps from being contacted",
        hint="take it out of the arguments; there is no flag for this",
    )


def _people(contacts: ContactSet) -> str:
    first = mask_number(next(contacts.numbers()))
    return first if len(contacts) == 1 else f"{len(contacts)} people ({first}, …)"


# --- sending


@asynccontextmanager
async def _session(workspace: Workspace, prepared: _Prepared) -> AsyncIterator[Caller]:
    """The account's session, which can write only if the operation does. Raises CredentialsRefused, and InvalidInput
    when its provider has no door for this."""
    name = prepared.account.name
    async with workspace.connected({name: prepared.account}, read_only=not prepared.writes) as sessions:
        if (refused := sessions.refused.get(name)) is not None:
            raise refused
        session = sessions.by_account[name]
        if not isinstance(session, Caller):
            raise InvalidInput(f"the provider {prepared.provider.name} has no operations that can be called")
        yield session


async def _asked(session: Caller, prepared: _Prepared) -> Response:
    """One answer. Raises ProviderError, with the exit code of this command, when there is none."""
    try:
        return await session.call(prepared.operation, prepared.call)
    except CredentialsRefused:
        raise
    except ProviderError as failure:
        raise _no_answer(failure) from None


def _no_answer(failure: ProviderError) -> ProviderError:
    """``failure`` with what this command ends with then."""
    failure.exit_code = Exit.ERROR
    return failure


class _Sending(Struct, kw_only=True):
    """One write, and what is known of it; until there is more, that it may have been done."""

    store: Store
    session: Caller
    prepared: _Prepared
    control: Control
    lease: Held
    response: Response | None = None
    failure: ProviderError = field(default_factory=lambda: _no_answer(NoAnswer("ended before there was an answer")))

    async def send(self) -> Called:
        """``_asked``, with the intent on disk before the request leaves, and what came of it afterwards."""
        self.lease.renew()
        run = self.store.begin_run("call", tool_version=__version__)
        op = run.intend(_intent(self.prepared))
        called: Called | None = None
        try:
            await self.control.graceful(self._ask(), GRACE_S)
            if self.response is not None:
                called = Called(
                    response=self.response,
                    run=run.id,
                    interrupted=self._interrupted,
                    people=self.prepared.operation.people,
                )
        finally:
            failure = self.failure if self.response is None else self.response.failure
            if self._interrupted is not None:
                self.failure.exit_code = self._interrupted
            code = self.failure.exit_code if called is None else called.exit_code
            state = _state(failure)
            run.record(op, state, note=failure.message if failure else _answered(self.response))
            run.close(exit_code=code, counts={str(_COUNTED.get(state, Outcome.FAILED)): 1})
        if called is None:
            raise self.failure
        return called

    @property
    def _interrupted(self) -> Exit | None:
        return self.control.exit_code if self.control.interrupted.is_set() else None

    async def _ask(self) -> None:
        try:
            self.response = await _asked(self.session, self.prepared)
        except ProviderError as failure:
            self.failure = failure


def _answered(response: Response | None) -> str:
    return "" if response is None else f"HTTP {response.status}"


_COUNTED = {OperationState.DONE: Outcome.DONE, OperationState.UNRESOLVED: Outcome.UNRESOLVED}


def _state(failure: ProviderError | None) -> OperationState:
    """What is known after an answer, or instead of one. Nobody can look up what an arbitrary operation has done, so a
    lost answer waits for a person from the start."""
    match failure:
        case None:
            return OperationState.DONE
        case NotSent() | RateLimited():
            return OperationState.NOT_PROCESSED
        case Rejected() | NotFound() | CredentialsRefused():
            return OperationState.REJECTED
        case _:
            return OperationState.UNRESOLVED


def _intent(prepared: _Prepared) -> Intent:
    """The journal's entry. Its address is the operation's name, which has a dot and so is no resource's."""
    operation = prepared.operation
    kind = _KINDS.get(operation.name.partition(".")[0], Kind.MEMBERSHIP)
    return Intent(
        address=Address(prepared.account.name, kind, operation.name),
        title=f"call {operation.name}",
        phase=_PHASES[kind],
        method=prepared.call.method,
        path=arguments.path_template(operation, prepared.given, prepared.known),
        not_after=datetime.now(UTC) + _BEGINS_WITHIN,
        contact_class=operation.contact_class,
        effect={"effect": CALLED, "operation": operation.name},
    )
