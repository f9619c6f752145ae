"""What happens to requests and answers between here and there: F001 to F018."""

from __future__ import annotations

import pytest
from suffering import World, fault, reads, spoken, writes

from reconciler.sandbox import Sandbox


@fault("F005")
@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_connection_lost_before_the_effect(world: World, how: str) -> None:
    world.survives(writes("drop_before", nth=1, how=how), reads("drop_before", nth=[1, 3], how=how), codes=(0, 7))


@fault("F006")
def test_an_answer_lost_after_the_effect(world: World) -> None:
    """Every write of the way, at first all of them and then one by one: see the contract suite."""
    world.survives(writes("drop_after", nth=[1, 3]), codes=(0, 7, 9))


@fault("F007")
@pytest.mark.parametrize("effect", [False, True])
def test_no_answer_ever(world: World, effect: bool) -> None:
    world.account("limits: {timeout: 1s}")
    world.survives(writes("hang", nth=1, effect=effect), reads("hang", nth=2), codes=(0, 7))


@fault("F008")
def test_one_byte_at_a_time(world: World) -> None:
    """The pause is shorter than any time-out between two bytes: only a deadline for all of it ends this."""
    world.account("limits: {timeout: 1s}")
    world.survives(writes("drip", nth=1, ms=300), reads("drip", nth=2, ms=300), codes=(0, 7))


@fault("F009")
def test_an_answer_shorter_than_promised(world: World) -> None:
    world.survives(writes("truncate", nth=1, short=True), reads("truncate", nth=2, short=True), codes=(0, 7))


@fault("F010")
@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.9])
def test_cut_json(world: World, fraction: float) -> None:
    world.survives(writes("truncate", nth=1, fraction=fraction), codes=(0, 7, 9))


@fault("F010")
def test_cut_json_of_a_read_is_read_once_more(world: World) -> None:
    world.unreadable(reads("truncate", fraction=0.5))


@fault("F013")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(world: World, status: int) -> None:
    with Sandbox() as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        moved = {"status": status, "headers": {"Location": f"{elsewhere}/login?token=planted"}}
        result = world.suffer(reads("error_before", **moved), codes=(10,))
        assert "redirected to localhost, which is not followed" in spoken(result)
        assert "planted" not in result.out + result.err
        world.suffer(writes("error_before", nth=1, **moved), codes=(0, 7, 9))
        assert other.requests() == []
    world.recovers()


@fault("F014")
@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateways_page(world: World, status: int) -> None:
    world.survives(writes("non_json", nth=1, status=status), reads("non_json", nth=[1, 4], status=status), codes=(0, 7))


@fault("F015")
def test_a_request_delivered_twice(world: World) -> None:
    """It cannot be prevented. What counts is that it is told, and that nothing is deleted to tidy up."""
    world.suffer(writes("double_effect", nth=1), codes=(0, 3, 7, 9))
    told = {d["code"] for d in world.repository.plan().json["diagnostics"]}
    if world.name == "exotel":  # names are unique there: the double was refused, and so is nothing to tell
        world.recovers()
    else:
        assert told & {"namesake", "contactcenter-duplicate-lead"}
    assert not [m for m, _ in world.repository.writes() if m == "DELETE"]
    world.nothing_leaked()


@fault("F016")
@pytest.mark.parametrize("status", [None, 504])
def test_a_late_landing_is_waited_for(world: World, status: int | None) -> None:
    account = world.contract.account.replace("landing: 0s", "landing: 2s")
    world.repository.write("account.yaml", account)
    world.survives(writes("late_landing", nth=1, ms=500, status=status), codes=(0, 7))


@fault("F019")
def test_500_before_the_effect(world: World) -> None:
    world.survives(writes("error_before", nth=1, status=500), reads("error_before", nth=2, status=500), codes=(0, 7))


@fault("F020")
@pytest.mark.parametrize("nth", [1, 2])
def test_500_after_the_effect(world: World, nth: int) -> None:
    world.survives(writes("error_after", nth=nth, status=500), codes=(0, 7, 9))
