"""What was done: durable, in order, once, and without anybody's number."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.errors import Exit, Refused, StalePlan, StoreError
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.hashes import NO_MEMBERS, MemberHashes
from reconciler.model.inventory import Owned
from reconciler.model.keys import member_hash
from reconciler.model.kinds import ContactClass
from reconciler.plan.calls import Call, Column, Created, Each, MembersAdded, Method, Phase, Ref, Step
from reconciler.store import Intent, OperationState, OpId, Outcome, Run, Store, intent_of, open_store, path_template

Opener = Callable[..., Store]

LIST = Address("main", Kind.LIST, "join")
NUMBER = "+16155553338"


@pytest.fixture
def intent(clock: Any) -> Intent:
    return Intent(
        address=LIST,
        title="create list",
        phase=Phase.LIST,
        method=Method.POST,
        path="/brands/1/lists",
        not_after=clock.now + timedelta(seconds=2, microseconds=1),
        contact_class=ContactClass.MAY_NOTIFY,
        rows=3,
        effect={"effect": "created", "kind": "List", "name": "Join"},
        known_ids=frozenset({"1111", "1112"}),
        members=MemberHashes({member_hash(NUMBER, b"key")}),
    )


def begin(store: Store, **options: Any) -> Run:
    return store.begin_run("apply", tool_version="1.0", **options)


def test_an_intent_is_there_for_others_before_intend_returns(open_: Opener, intent: Intent, clock: Any) -> None:
    run = begin(open_())
    op = run.intend(intent)
    (found,) = open_(create=False).open_intents()
    assert (found.run, found.op, found.intent) == (run.id, op, intent)
    assert found.state is OperationState.INTENT
    assert found.intended_at == clock.now
    assert found.recorded_at is None


def test_an_outcome_is_recorded_once(open_: Opener, intent: Intent, clock: Any) -> None:
    store = open_()
    run = begin(store)
    op = run.intend(intent)
    clock.move(1)
    run.record(op, OperationState.UNKNOWN, note="no answer")
    run.record(op, OperationState.DONE, remote_id=RemoteId("2222"), note="found it")
    (found,) = store.operations(run.id)
    assert (found.state, found.remote_id, found.note) == (OperationState.DONE, "2222", "found it")
    assert (found.recorded_at, found.recorded_by) == (clock.now, run.id)
    with pytest.raises(StoreError, match="not open"):
        run.record(op, OperationState.REJECTED)
    with pytest.raises(StoreError, match="not open"):
        run.record(OpId(77), OperationState.DONE)
    assert store.operations(run.id) == (found,)


@pytest.mark.parametrize("state", list(OperationState))
def test_what_is_open_is_found(open_: Opener, intent: Intent, state: OperationState) -> None:
    store = open_()
    run = begin(store)
    op = run.intend(intent)
    if state is not OperationState.INTENT:
        run.record(op, state)
    assert bool(store.open_intents()) == (state in {OperationState.INTENT, OperationState.UNKNOWN})
    assert bool(store.unresolved()) == (state is OperationState.UNRESOLVED)
    assert state.open == bool(store.open_intents() or store.unresolved())


def test_a_later_run_settles_what_an_earlier_one_left(open_: Opener, intent: Intent) -> None:
    store = open_()
    died = begin(store)
    died.intend(intent)
    later = begin(store)
    (left,) = store.open_intents()
    later.settle(left, OperationState.DONE, remote_id=RemoteId("2222"), note="adopted")
    store.end_run(died.id, exit_code=1)
    (found,) = store.operations(died.id)
    assert (found.state, found.recorded_by) == (OperationState.DONE, later.id)
    assert [run.id for run in store.unfinished_runs()] == [later.id]
    assert store.open_intents() == ()


def test_many_at_once_keep_their_order(open_: Opener, intent: Intent) -> None:
    store = open_()
    run = begin(store)
    assert run.intend_many([]) == ()
    ops = run.intend_many([intent] * 5)
    assert ops == (1, 2, 3, 4, 5)
    assert run.intend(intent) == 6
    run.record_many([Outcome(op=op, state=OperationState.DONE, remote_id=RemoteId(str(op))) for op in ops])
    run.record_many([])
    found = store.operations(run.id)
    assert [o.op for o in found] == [1, 2, 3, 4, 5, 6]
    assert [o.remote_id for o in found] == ["1", "2", "3", "4", "5", None]


def test_one_bad_outcome_of_many_records_none(open_: Opener, intent: Intent) -> None:
    store = open_()
    run = begin(store)
    op = run.intend(intent)
    with pytest.raises(StoreError):
        run.record_many([Outcome(op=op, state=OperationState.DONE), Outcome(op=OpId(9), state=OperationState.DONE)])
    assert store.operations(run.id)[0].state is OperationState.INTENT


def test_a_batch_is_all_or_nothing(open_: Opener, intent: Intent) -> None:
    store = open_()
    run = begin(store)
    mine = Owned(address=LIST, provider="slicktext", remote_id=RemoteId("2222"))
    op = run.intend(intent)
    with run.batch():
        run.record(op, OperationState.DONE, remote_id=mine.remote_id)
        run.own(mine)
    assert store.inventory().owned == {LIST: mine}

    op = run.intend(intent)

    def interrupted() -> None:
        with run.batch():
            run.record(op, OperationState.DONE)
            run.disown(LIST)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert store.inventory().owned == {LIST: mine}
    assert store.operations(run.id)[-1].state is OperationState.INTENT


def test_a_batch_with_a_failed_part_never_passes_for_recorded(open_: Opener, intent: Intent) -> None:
    store = open_()
    run = begin(store)

    def swallows() -> None:
        with run.batch():
            run.intend(intent)
            with contextlib.suppress(StoreError):
                run.members(LIST, applied=NO_MEMBERS)

    with pytest.raises(StoreError, match="none of it"):
        swallows()
    assert store.operations(run.id) == ()
    run.intend(intent)
    assert len(store.operations(run.id)) == 1


def test_a_read_that_fails_spoils_its_batch_too(open_: Opener, intent: Intent) -> None:
    store = open_()
    run = begin(store)

    def swallows() -> None:
        with run.batch():
            run.intend(intent)
            with contextlib.suppress(StoreError):
                store._existing().read(lambda c: c.exec_driver_sql("SELECT nothing FROM nowhere"))

    with pytest.raises(StoreError, match="none of it"):
        swallows()
    assert store.operations(run.id) == ()


def test_runs_are_listed_newest_first(open_: Opener, clock: Any) -> None:
    store = open_()
    first = begin(store, plan_digest="scrypt$1", request_id="ticket-7")
    first.close(exit_code=Exit.PARTIAL, counts={"done": 3, "failed": 1})
    ended = clock.now
    clock.move(60)
    second = begin(store)
    newer, older = store.runs()
    assert first.id.startswith("2026-11-21T20.14.05-")
    assert (newer.id, newer.ended, newer.exit_code, newer.counts) == (second.id, None, None, {})
    assert (older.id, older.ended, older.exit_code) == (first.id, ended, 7)
    assert older.counts == {"done": 3, "failed": 1}
    assert (older.plan_digest, older.request_id, older.tool_version) == ("scrypt$1", "ticket-7", "1.0")
    assert store.run_of_request("ticket-7") == older


def test_runs_of_one_second_have_different_ids(open_: Opener) -> None:
    store = open_()
    assert len({begin(store).id for _ in range(40)}) == 40


def test_a_request_is_run_once(open_: Opener) -> None:
    first = begin(open_(), request_id="ticket-7")
    with pytest.raises(Refused, match=first.id):
        begin(open_(), request_id="ticket-7")
    begin(open_())
    begin(open_())


def test_nothing_is_recorded_in_a_run_that_has_ended(open_: Opener, intent: Intent) -> None:
    store = open_()
    run = begin(store)
    run.close(exit_code=0)
    with pytest.raises(StoreError, match="ended"):
        run.intend(intent)
    with pytest.raises(StoreError, match="not open"):
        store.end_run(run.id, exit_code=0)


def test_a_plan_is_used_once(open_: Opener) -> None:
    store = open_()
    assert not store.plan_used("d")
    begin(store).use_plan("d")
    assert store.plan_used("d")
    with pytest.raises(StalePlan):
        begin(open_()).use_plan("d")


def test_of_many_that_use_a_plan_at_once_one_may(open_: Opener) -> None:
    runs = [begin(open_()) for _ in range(4)]
    start = threading.Barrier(len(runs))
    won: list[str] = []

    def use(run: Run) -> None:
        start.wait()
        try:
            run.use_plan("d")
        except StalePlan:
            return
        won.append(run.id)

    threads = [threading.Thread(target=use, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_threads_may_share_a_run(open_: Opener, intent: Intent) -> None:
    store = open_()
    run = begin(store)
    ops: list[OpId] = []

    def work() -> None:
        for _ in range(20):
            op = run.intend(intent)
            run.record(op, OperationState.DONE)
            ops.append(op)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ops) == list(range(1, 81))
    assert all(o.state is OperationState.DONE for o in store.operations(run.id))


def test_numbers_in_notes_and_titles_are_masked(open_: Opener, intent: Intent) -> None:
    store = open_()
    run = begin(store)
    op = run.intend(replace(intent, title=f"add {NUMBER}"))
    run.record(op, OperationState.REJECTED, note=f"bad number {NUMBER} " + "x" * 5000)
    (found,) = store.operations(run.id)
    assert found.intent.title == "add +1 615 ••• ••38"
    assert found.note.startswith("bad number +1 615 ••• ••38")
    assert len(found.note) == 1000


def test_the_file_holds_no_number(tmp_path: Path, clock: Any) -> None:
    with open_store(f"sqlite:///{tmp_path}/store.db", namespace="acme", create=True, clock=clock) as store:
        run = begin(store)
        key = store.inventory().key
        people = MemberHashes({member_hash(NUMBER, key)})
        contact = Column("number")
        call = Call(method=Method.POST, path=("contacts", contact), body={"contacts": Each({"n": contact})})
        step = Step(phase=Phase.CONTACT, title=f"add {NUMBER}", call=call, effect=MembersAdded(of=RemoteId("2222")))
        op = run.intend(intent_of(LIST, step, not_after=clock.now, members=people))
        run.record(op, OperationState.REJECTED, note=f"{NUMBER} is no mobile")
        run.own(Owned(address=LIST, provider="slicktext", remote_id=RemoteId("2222"), applied=people))
        run.close(exit_code=0)
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert member_hash(NUMBER, key) in content
    for spelling in (NUMBER, NUMBER[1:], NUMBER[2:]):
        assert spelling.encode() not in content


def test_equal_sets_of_known_ids_are_stored_once(tmp_path: Path, intent: Intent, clock: Any) -> None:
    path = tmp_path / "store.db"
    many = frozenset(f"65f1c0ffee{number:014x}" for number in range(20_000))
    call = Call(method=Method.POST, path=("x",))
    step = Step(phase=Phase.LIST, title="t", call=call, effect=MembersAdded(of=RemoteId("1"), known_ids=many))
    with open_store(f"sqlite:///{path}", namespace="acme", create=True, clock=clock) as store:
        run = begin(store)
        for _ in range(20):
            run.intend(intent_of(LIST, step, not_after=clock.now))
        found = store.operations(run.id)
        assert all(operation.intent.known_ids == many for operation in found)
    assert path.stat().st_size < 1_000_000


def test_a_step_becomes_an_intent_without_people(clock: Any) -> None:
    vips = Address("main", Kind.LIST, "vips")
    call = Call(method=Method.PUT, path=("lists", Ref(vips), "contacts", Column("contact_id"), "7"))
    assert path_template(call) == "/lists/{main/List/vips}/contacts/{contact_id}/7"
    step = Step(
        phase=Phase.MEMBERSHIP,
        title="add members",
        call=call,
        effect=MembersAdded(of=Ref(vips), known_ids=frozenset({"7"})),
        contact_class=ContactClass.STARTS_CONTACTING,
    )
    intent = intent_of(LIST, step, not_after=clock.now)
    assert intent.effect == {"effect": "members-added", "of": "{main/List/vips}"}
    assert intent.known_ids == {"7"}
    assert intent.contact_class is ContactClass.STARTS_CONTACTING


def test_a_created_object_is_described_without_its_fields(clock: Any) -> None:
    effect = Created(
        kind=Kind.CAMPAIGN, name="Spring", fields={"caller_id": NUMBER}, known_ids=frozenset({RemoteId("9")})
    )
    step = Step(phase=Phase.CAMPAIGN, title="create", call=Call(method=Method.POST, path=("c",)), effect=effect)
    intent = intent_of(LIST, step, not_after=clock.now)
    assert intent.effect == {"effect": "created", "kind": "Campaign", "name": "Spring"}
    assert intent.known_ids == {"9"}


@pytest.mark.parametrize("no_hash", [NUMBER.encode(), b"short"], ids=["number", "short"])
def test_what_is_no_hash_is_never_written(open_: Opener, intent: Intent, no_hash: bytes) -> None:
    store = open_()
    run = begin(store)
    with pytest.raises(ValueError, match="hash"):
        run.intend(replace(intent, members=MemberHashes({no_hash})))
    with pytest.raises(ValueError, match="hash"):
        run.own(Owned(address=LIST, provider="p", remote_id=RemoteId("1"), applied=MemberHashes({no_hash})))
    assert store.operations(run.id) == ()
    assert store.inventory().owned == {}


def test_an_instant_needs_a_time_zone(intent: Intent, clock: Any) -> None:
    with pytest.raises(ValueError, match="time zone"):
        replace(intent, not_after=clock.now.replace(tzinfo=None))
