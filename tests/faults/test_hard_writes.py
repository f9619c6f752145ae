"""Writes that go wrong in their own ways: F082 to F104."""

from __future__ import annotations

import pytest
from contracts import Contract
from participants.exotel import exotel
from participants.intelepeer import intelepeer
from participants.manifests import ADA, BEN, CLEO
from participants.slicktext import slicktext
from suffering import Start, World, fault, rule, writes

BULK = {"slicktext": "re:lists/contacts$", "exotel": "re:/contacts"}
MANY = tuple(f"+12025550{n}" for n in range(120, 150))


@fault("F082")
@pytest.mark.parametrize("item", [1, 2, 3])
def test_a_bulk_request_that_fails_for_one(contract: Contract, start: Start, item: int) -> None:
    world = start(contract, fail_bulk_item=item)
    world.suffer(codes=(0, 7, 9))
    world.sandbox.turn(exotel={"fail_bulk_item": None})
    world.recovers()


@fault("F083")
@pytest.mark.parametrize("knobs", [{"bulk_count": "submitted"}, {"bulk_unknown": "skip"}], ids=["count", "skips"])
def test_a_count_is_not_taken_for_people(contract: Contract, start: Start, knobs: dict[str, str]) -> None:
    world = start(contract, **knobs)
    world.suffer(rule("partial_bulk", method="POST", path=BULK["slicktext"], apply=1, status=200), codes=(0, 7))
    world.recovers()


@fault("F084")
def test_more_than_a_bulk_request_may_hold(contract: Contract, start: Start) -> None:
    world = start(contract, files=exotel(members=MANY), max_bulk=30, max_page=100, max_contact_page=50)
    world.suffer()
    world.repository.settled()


@fault("F085")
@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
@pytest.mark.parametrize("nth", [2, 3, 4])
def test_the_answer_of_one_of_many_is_lost(contract: Contract, start: Start, nth: int, kind: str) -> None:
    files = (exotel if contract.name == "exotel" else slicktext)(members=MANY)
    pages = {"max_page": 100} | ({"max_contact_page": 50} if contract.name == "exotel" else {})
    world = start(contract, files=files, **pages)
    last = world.suffer(writes(kind, nth=nth), codes=(0, 7, 9))
    for _ in range(3):
        last = world.apply_again(last)
    assert last.code == 0
    world.repository.settled()
    world.nobody_was_harmed()


@fault("F088")
def test_a_deletion_that_never_ends(contract: Contract, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.apply import operation

    monkeypatch.setattr(operation, "DELETE_WAIT_S", 0.3)
    world = start(contract, delete_delay_s=None)
    world.suffer()
    world.declare(contract.walk[-1])
    world.suffer(codes=(0, 7, 9))
    assert world.apply().code in (0, 7, 9)
    creates = [m for m, p in world.repository.writes() if m == "POST" and p.endswith("/lists")]
    assert len(creates) == 1
    world.nothing_leaked()


@fault("F089")
def test_a_deletion_that_is_refused_because_it_is_in_use(world: World) -> None:
    last = len(world.contract.walk) - 1
    world.at(last - 1)
    in_use = rule("error_before", method="DELETE", status=409, body={"message": "in use"})
    result = world.suffer(in_use, codes=(7,))
    assert "in use" in result.out
    world.recovers()


@fault("F090", "F091")
@pytest.mark.parametrize("status", [409, 422, 503])
def test_a_link_that_fails_after_its_campaign_was_made(world: World, status: int) -> None:
    """The campaign keeps its id; the next run makes the link and nothing else."""
    path = {"intelepeer": "*/action", "exotel": "re:/campaigns$"}[world.name]
    world.suffer(rule("error_before", method=["POST", "PUT"], path=path, nth=1, status=status), codes=(0, 7))
    world.recovers()


@fault("F091")
@pytest.mark.parametrize("status", [409, 422, 503])
def test_what_was_made_before_a_failure_is_kept(world: World, status: int) -> None:
    world.suffer(writes("error_before", nth=[2, 3], status=status), codes=(0, 7, 9))
    world.recovers()


@fault("F092")
def test_edited_between_plan_and_write(world: World) -> None:
    """Right before our first write somebody else changes something: it is told or corrected, never made twice."""
    world.at(0)
    drift = next((d for d in world.contract.drifts if "edit" in d.title), world.contract.drifts[0])
    operation = dict(drift.operation)
    if world.name == "contactcenter":  # of somebody else: no API can tell two adds of one number apart in time
        operation["leads"] = ["+12025550177"]
    world.suffer(writes("tamper", nth=1, operation=operation), codes=(0, 7))
    world.recovers()


@fault("F093")
def test_an_update_that_resets_what_it_does_not_name(contract: Contract, start: Start) -> None:
    knobs = {"exotel": {"put": "replace"}, "intelepeer": {"put_description": "clear"}}.get(contract.name, {})
    world = start(contract, **knobs)
    world.at(0)
    world.suffer(codes=(0, 7, 9))
    world.recovers()


@fault("F094")
def test_a_field_that_cannot_be_changed(world: World) -> None:
    if world.name == "intelepeer":
        world.suffer()
        changed = world.contract.walk[0]["list.yaml"].replace("Customer", "Other")
        world.repository.write("list.yaml", changed)
        code, told = 3, "intelepeer-list-immutable"
    else:
        world.suffer()
        changed = world.contract.walk[0]["members.yaml"].replace("'4'", "'4', first_name: Ada")
        world.repository.write("members.yaml", changed)
        code, told = 0, "contactcenter-attribute-fixed"
    before = world.writes()
    plan = world.repository.plan()
    assert plan.code == code
    assert told in {d["code"] for d in plan.json["diagnostics"]}
    assert world.apply().code == code
    assert world.writes() == before


@fault("F095")
def test_what_cannot_be_taken_off_is_not_made_anew_around_it(world: World) -> None:
    world.suffer()
    text = world.contract.walk[0]["members.yaml"].replace("additive", "exact")
    world.repository.write("members.yaml", text)
    before = world.writes()
    assert world.apply().code == 3
    assert world.writes() == before


@fault("F096")
def test_what_the_provider_makes_beside_ours_is_left_alone(world: World) -> None:
    extra = {"headers": ["phone"]} if world.name == "intelepeer" else {}
    world.tamper({"op": "create_list", "name": "Default list of the provider", **extra})
    for files in world.contract.walk:
        world.declare(files)
        world.suffer()
    names = str(world.sandbox.state()[world.name]["lists"])
    assert "Default list of the provider" in names


@fault("F097")
@pytest.mark.parametrize("kind", ["drop_after", "error_after", "hang"])
def test_a_run_whose_answer_is_lost_is_not_repeated(contract: Contract, start: Start, kind: str) -> None:
    files = intelepeer()
    files["campaign.yaml"] = files["campaign.yaml"].replace("flowId:", "state: published, flowId:")
    world = start(contract, files=files)
    world.account("limits: {timeout: 1s}")
    world.suffer()
    dial = ("dial", "engage/Campaign/texts", "--approve", "contact", "--confirm", "texts")
    more = {"effect": True} if kind == "hang" else {}
    world.sandbox.set_faults([rule(kind, contains='"run"', **more)])
    first = world.repository(*dial)
    assert first.code in (0, 9), first.out + first.err
    world.sandbox.set_faults([])
    second = world.repository(*dial)
    assert second.code != 0, "a second dial without --again"
    runs = [r for r in world.sandbox.requests() if "run" in str(r["body"])]
    assert len(runs) == 1


@fault("F098")
def test_a_campaign_without_a_time_is_never_created(world: World) -> None:
    text = world.contract.walk[0]["campaign.yaml"]
    head = text[: text.index(", schedule:")]
    world.repository.write("campaign.yaml", head + "}\n")
    assert world.apply().code == 3
    assert world.writes() == 0
    world.declare(world.contract.walk[0])
    refused = world.repository("apply", "--yes")
    assert refused.code == 5
    assert world.writes() == 0
    world.recovers()


@fault("F099")
def test_a_lead_is_never_deleted_to_be_added_again(world: World) -> None:
    """Whatever is declared of the same people, they keep their leads."""
    world.suffer()
    before = world.writes()
    members = world.contract.walk[0]["members.yaml"]
    world.repository.write("members.yaml", members.replace("'4'", "'9'"))
    world.apply()
    world.repository.write("members.yaml", members.replace("'4'", "'4', first_name: Other"))
    world.apply()
    assert [m for m, _ in world.repository.writes()[before:] if m == "DELETE"] == []
    assert world.sandbox.ledger()["duplicates"] == []


STARTS = {
    "slicktext": (
        "edit_campaign",
        {"campaign": "Spring", "set": {"status": "scheduled", "scheduled": "2099-01-01 00:00:00"}},
    ),
    "exotel": ("set_campaign_status", {"campaign": "Spring round", "status": "in-progress"}),
    "intelepeer": ("edit_campaign", {"campaign": "Florida Test", "set": {"active": True}}),
    "contactcenter": ("start_campaign", {"campaign": "Spring"}),
}


@fault("F100")
def test_nobody_is_added_to_what_is_running_unless_that_was_approved(world: World) -> None:
    world.at(0)
    if world.name != "contactcenter":
        world.declare(dict(world.contract.walk[0]))
        text = world.contract.walk[0]["members.yaml"]
        extra = text.replace(f'{{number: "{BEN}"', f'{{number: "{CLEO}"', 1)
        both = text.replace(f'{{number: "{ADA}"', f'{{number: "{CLEO}"}}, {{number: "{ADA}"', 1)
        world.repository.write("members.yaml", both if "firstname" not in text else extra)
    op, arguments = STARTS[world.name]
    world.tamper({"op": op, **arguments})
    before = world.writes()
    refused = world.repository("apply", "--yes", "--approve", "delete")
    assert refused.code in ((5,) if world.name in ("contactcenter", "intelepeer") else (0, 3, 5)), refused.out
    if refused.code != 0:
        assert world.writes() == before


@fault("F101")
def test_writes_to_one_object_never_overlap(world: World) -> None:
    """Every write is slow to land: an object's next one waits for the answer to the one before."""
    world.at(0)
    world.suffer(writes("latency", ms=60), writes("latency", nth=1, ms=120, after=True))
    world.recovers()


@fault("F103")
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_some_of_the_operations_fail(world: World, nth: int) -> None:
    result = world.suffer(writes("error_before", nth=nth, status=422), codes=(0, 7))
    assert result.code == 0 or " failed" in result.out
    world.recovers()


@fault("F104")
def test_a_write_that_reads_back_otherwise_is_no_success(world: World) -> None:
    """What was asked for is accepted, and something else is there afterwards."""
    world.at(0)
    before = world.picture
    accepted = {"intelepeer": "true", "slicktext": "{}", "exotel": "{}", "contactcenter": ""}[world.name]
    result = world.suffer(
        writes("error_before", status=200, body=accepted, content_type="application/json"), codes=(7, 9)
    )
    assert world.picture == before
    assert result.code != 0
    world.recovers()
