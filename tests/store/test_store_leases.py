"""One applier per account, and a dead one does not block the next."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from reconciler.errors import Exit, LeaseHeld, StoreError
from reconciler.store import Store, open_store
from reconciler.store.process import Process, _started, certainly_gone, this_process

Opener = Callable[..., Store]

MAIN, ENGAGE = "slicktext:api.example.com:123", "intelepeer:api.example.com:1028811"


def test_a_second_apply_is_told_who_holds_the_lease(open_: Opener, clock: Any) -> None:
    first, second = open_(), open_(namespace="other/prod")
    lease = first.acquire([MAIN])
    with pytest.raises(LeaseHeld, match=f"process {os.getpid()}") as raised:
        second.acquire([ENGAGE, MAIN])
    assert raised.value.exit_code is Exit.LEASED
    holder = second.holder(MAIN)
    assert holder is not None
    assert (holder.pid, holder.expires, holder.epoch) == (os.getpid(), clock.now + timedelta(seconds=60), 1)
    first.release(lease)
    assert second.holder(MAIN) is None
    assert second.acquire([MAIN]).taken_over == ()


def test_of_several_accounts_all_or_none_are_leased(open_: Opener) -> None:
    first, second = open_(), open_()
    first.acquire([MAIN])
    with pytest.raises(LeaseHeld):
        second.acquire([MAIN, ENGAGE])
    with pytest.raises(LeaseHeld):
        second.acquire(["a", MAIN])
    assert second.holder(ENGAGE) is None
    assert open_().acquire([ENGAGE, "a", ENGAGE]).identities == ("a", ENGAGE)


def test_a_renewed_lease_lasts(open_: Opener, clock: Any) -> None:
    store = open_()
    lease = store.acquire([MAIN, ENGAGE])
    for _ in range(5):
        clock.move(20)
        lease = store.renew(lease)
    assert lease.expires == clock.now + timedelta(seconds=60)
    with pytest.raises(LeaseHeld):
        open_().acquire([MAIN])


def test_of_many_at_once_one_gets_the_lease(open_: Opener) -> None:
    stores = [open_() for _ in range(4)]
    start = threading.Barrier(len(stores))
    won: list[int] = []

    def take(number: int) -> None:
        start.wait()
        try:
            stores[number].acquire([MAIN, ENGAGE])
        except LeaseHeld:
            return
        won.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_lease_that_ran_out_is_taken_over_and_the_late_holder_told(open_: Opener, clock: Any) -> None:
    late, next_ = open_(), open_()
    lease = late.acquire([MAIN])
    clock.move(59.9)
    with pytest.raises(LeaseHeld):
        next_.acquire([MAIN])
    clock.move(0.1)
    assert next_.holder(MAIN) is None
    taken = next_.acquire([MAIN])
    assert taken.taken_over == (MAIN,)
    with pytest.raises(LeaseHeld, match="taken over"):
        late.renew(lease)
    late.release(lease)
    holder = next_.holder(MAIN)
    assert holder is not None
    assert holder.epoch == 2


HOLD = """
import sys, time
from reconciler.store import open_store
store = open_store(sys.argv[1], namespace="acme/prod", create=True)
store.acquire([sys.argv[2]])
print("held", flush=True)
time.sleep(600)
"""


def test_the_lease_of_a_killed_process_is_free_at_once(open_: Opener, url: str) -> None:
    store = open_()
    with subprocess.Popen([sys.executable, "-c", HOLD, url, MAIN], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(LeaseHeld, match=f"process {process.pid}"):
            store.acquire([MAIN])
        process.kill()
        process.wait()
        # A server notices a connection that broke off a moment later.
        taken = _eventually(lambda: store.acquire([MAIN]))
    assert taken.taken_over == (MAIN,)


def _eventually(attempt: Callable[[], Any]) -> Any:
    for _ in range(2000):
        try:
            return attempt()
        except LeaseHeld:
            continue
    return attempt()


def test_who_holds_what_is_told_with_what_they_do(open_: Opener, clock: Any) -> None:
    first, second = open_(), open_(namespace="other/prod")
    assert second.holders() == ()
    lease = first.acquire([MAIN, ENGAGE], command="dial")
    told = second.holders()
    assert [h.identity for h in told] == [ENGAGE, MAIN]
    assert {(h.pid, h.command, h.since, h.dead) for h in told} == {(os.getpid(), "dial", clock.now, False)}
    assert told == open_(create=False).holders()
    first.release(lease)
    assert second.holders() == ()


def test_a_dead_holder_is_told_as_dead(url: str) -> None:
    store = open_store(url, namespace="acme/prod", create=True)
    with store, subprocess.Popen([sys.executable, "-c", HOLD, url, MAIN], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert [h.dead for h in store.holders()] == [False]
        process.kill()
        process.wait()
        for _ in range(2000):
            if store.holders()[0].dead:
                break
        (holder,) = store.holders()
    assert (holder.dead, holder.pid) == (True, process.pid)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_broken_lease_is_free_and_its_holder_told(open_: Opener) -> None:
    first, second = open_(), open_()
    lease = first.acquire([MAIN, ENGAGE])
    assert [h.identity for h in second.break_leases([MAIN])] == [MAIN]
    with pytest.raises(LeaseHeld, match="broke"):
        first.renew(lease)
    with pytest.raises(LeaseHeld):
        second.acquire([ENGAGE])
    taken = second.acquire([MAIN])
    with pytest.raises(LeaseHeld, match="taken over"):
        first.renew(lease)
    first.release(lease)
    assert second.holder(MAIN) is not None
    second.renew(taken)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_on_a_server_a_broken_lease_is_free_when_its_holder_noticed(open_: Opener) -> None:
    first, second = open_(), open_()
    lease = first.acquire([MAIN])
    second.break_leases([MAIN])
    with pytest.raises(LeaseHeld):
        second.acquire([MAIN])
    with pytest.raises(LeaseHeld, match="broke"):
        first.renew(lease)
    first.release(lease)
    second.acquire([MAIN])


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_on_a_server_a_holder_that_is_stuck_loses_its_connection(open_: Opener, clock: Any) -> None:
    stuck, second = open_(), open_()
    lease = stuck.acquire([MAIN])
    clock.move(61)
    second.break_leases([MAIN])
    _eventually(lambda: second.acquire([MAIN]))
    with pytest.raises(StoreError):
        stuck.renew(lease)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_on_a_server_the_lease_ends_with_the_connection(open_: Opener) -> None:
    first, second = open_(), open_()
    first.acquire([MAIN])
    first.close()
    assert _eventually(lambda: second.acquire([MAIN])).taken_over == (MAIN,)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_server_holder_that_is_only_late_keeps_its_lease(open_: Opener, clock: Any) -> None:
    first = open_()
    lease = first.acquire([MAIN])
    clock.move(3600)
    with pytest.raises(LeaseHeld):
        open_().acquire([MAIN])
    first.renew(lease)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_who_is_refused_one_lease_keeps_no_lock_of_another(open_: Opener) -> None:
    first, second, third = open_(), open_(), open_()
    first.acquire([MAIN])
    with pytest.raises(LeaseHeld):
        second.acquire([ENGAGE, MAIN])
    third.acquire([ENGAGE])


def test_a_store_that_is_only_read_gives_no_lease(open_: Opener) -> None:
    with pytest.raises(StoreError):
        open_(create=False).acquire([MAIN])
    open_()
    with pytest.raises(StoreError):
        open_(create=False).acquire([MAIN])


def test_this_process_is_not_gone() -> None:
    assert not certainly_gone(this_process())


def test_a_process_is_told_apart_from_a_later_one_with_its_number() -> None:
    me = this_process()
    earlier = Process(host=me.host, scope=me.scope, pid=me.pid, started="1")
    assert certainly_gone(earlier)


def test_what_cannot_be_known_is_not_gone() -> None:
    me = this_process()
    elsewhere = Process(host=me.host, scope="another machine", pid=me.pid, started="1")
    unknown = Process(host=me.host, scope=me.scope, pid=me.pid, started="")
    assert not certainly_gone(elsewhere)
    assert not certainly_gone(unknown)


def test_a_dead_process_that_nobody_buried_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    me = this_process()
    started = _started(child.pid)
    assert started
    process = Process(host=me.host, scope=me.scope, pid=child.pid, started=started)
    assert not certainly_gone(process)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert certainly_gone(process)
    assert child.stdin is not None
    child.stdin.close()
    child.wait()
