"""What a look before a request says: whether it may still be sent."""

from __future__ import annotations

import pytest

from reconciler.apply.judging import Result, already_so
from reconciler.model.addresses import Kind, RemoteId
from reconciler.plan.calls import Changed, Created, Evidence

State = Evidence.State
CHANGE = Changed(kind=Kind.LIST, target=RemoteId("7"), base={"name": "Old"}, expected={"name": "New"})
CREATE = Created(kind=Kind.LIST, name="New", fields={})


@pytest.mark.parametrize("state", [State.DIFFERS, State.AMBIGUOUS])
def test_what_somebody_changed_since_the_plan_is_not_overwritten(state: State) -> None:
    ended = already_so(CHANGE, Evidence(state=state))
    assert ended is not None
    assert ended.result is Result.FAILED


def test_what_appeared_under_the_name_since_the_plan_is_not_made_again() -> None:
    ended = already_so(CREATE, Evidence(state=State.HOLDS, remote_id=RemoteId("8")))
    assert ended is not None
    assert ended.result is Result.FAILED
    assert "8" in ended.detail


def test_what_is_so_already_needs_no_request() -> None:
    ended = already_so(CHANGE, Evidence(state=State.HOLDS))
    assert ended is not None
    assert ended.result is Result.DONE


@pytest.mark.parametrize("effect", [CHANGE, CREATE])
def test_what_is_still_as_planned_is_sent(effect: Changed | Created) -> None:
    assert already_so(effect, Evidence(state=State.ABSENT)) is None
