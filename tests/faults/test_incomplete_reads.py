"""Reads that are not whole, or not true: F044 to F066. A part is never a plan."""

from __future__ import annotations

import json
from typing import Any

import pytest
from contracts import Contract
from participants.contactcenter import contactcenter
from participants.exotel import exotel
from participants.intelepeer import intelepeer
from participants.slicktext import slicktext
from suffering import Start, World, fault, reads, rule, spoken, writes

PAGED = ("exotel", "slicktext", "contactcenter")
LISTING = {
    "slicktext": "re:/v1/brands/[^/]+/lists$",
    "exotel": "re:/lists$",
    "intelepeer": "re:v2/lists$",
    "contactcenter": "re:leads",
}


def never_a_part(world: World, *rules: dict[str, Any], struck: bool = True) -> None:
    """With these faults in every read, nothing is planned that would not be planned without them."""
    world.at(0)
    whole = world.repository.plan()
    before = world.writes()
    world.sandbox.set_faults([{"provider": world.name, **r} for r in rules])
    plan = world.repository.plan()
    fired = [r["fired"] for r in world.sandbox.call(world.sandbox.world.faults.dump)]
    world.sandbox.set_faults([])
    if struck:
        assert all(fired), fired
    if plan.code == 0:
        assert asked_for(plan) <= asked_for(whole)
    else:
        assert plan.code in (3, 4, 10), plan.out
        assert plan.code == 3 or plan.json["changes"] == []
    assert world.writes() == before
    world.recovers()


def asked_for(plan: Any) -> set[str]:
    """Each change, with whom it adds and removes."""
    return {
        json.dumps([c["action"], c["address"], c["deltas"], c["members"] and {**c["members"], "create": 0}])
        for c in plan.json["changes"]
    }


@fault("F044")
@pytest.mark.parametrize("nth", [2, 3, 4])
def test_a_row_on_two_pages(world: World, nth: int) -> None:
    never_a_part(world, reads("duplicated_row", nth=nth))


@fault("F045")
@pytest.mark.parametrize("nth", [2, 3, 4, 5])
def test_a_row_on_no_page(world: World, nth: int) -> None:
    never_a_part(world, reads("skipped_row", nth=nth), struck=False)


@fault("F046")
@pytest.mark.parametrize("size", [1, 2, 20])
def test_pages_smaller_than_asked_for(contract: Contract, start: Start, size: int) -> None:
    knobs = {"exotel": {"max_contact_page": size, "max_page": size}}.get(contract.name, {"max_page": size})
    world = start(contract, **knobs)
    if world.name == "contactcenter":
        text = world.contract.account.replace("pageSize: 1", "pageSize: 50")
        world.repository.write("account.yaml", text)
    world.suffer()
    world.recovers()


@fault("F047")
@pytest.mark.parametrize("knob", ["hasmore_always_true", "hasmore_lies_false", "hasmore_missing"])
def test_a_next_page_that_is_told_wrongly(contract: Contract, start: Start, knob: str) -> None:
    world = start(contract, **{knob: True})
    world.suffer()
    world.recovers()


@fault("F047")
def test_an_offset_that_is_ignored(contract: Contract, start: Start) -> None:
    world = start(contract)
    world.at(0)
    world.sandbox.turn(slicktext={"offset_ignored": True})
    assert world.repository.plan().code in (0, 10)
    world.sandbox.turn(slicktext={"offset_ignored": False})
    world.recovers()


@fault("F048")
def test_a_cursor_that_repeats(world: World) -> None:
    world.at(0)
    world.sandbox.turn(contactcenter={"cursor_repeats": True})
    assert world.repository.plan().code == 10
    assert world.apply().code == 10
    world.sandbox.turn(contactcenter={"cursor_repeats": False})
    world.recovers()


@fault("F049")
@pytest.mark.parametrize("times", [1, 50])
def test_a_cursor_that_expires(world: World, times: int) -> None:
    world.at(0)
    expired = reads("error_before", status=400, body="cursor expired", path="re:leads", contains="page", times=times)
    world.suffer(expired, codes=(0, 10), struck=False)
    world.recovers()


@fault("F050")
@pytest.mark.parametrize("status", [500, 403, 400])
@pytest.mark.parametrize("nth", [2, 3, 4])
def test_an_error_on_one_of_the_pages(world: World, nth: int, status: int) -> None:
    never_a_part(world, reads("error_before", nth=[nth, *range(nth + 1, nth + 9)], status=status))


@fault("F051")
def test_a_count_that_differs_from_the_rows(world: World) -> None:
    """Nobody is removed on the word of such a read."""
    pattern = {"slicktext": r'"(total|count|contact_count|contacts_count)": ?\d+', "contactcenter": r'"total": ?\d+'}
    world.at(0)
    rules = reads("rewrite", pattern=pattern[world.name], replacement='"total": 9')
    world.suffer(rules, codes=(0, 3, 5, 10))
    world.recovers()


@fault("F052")
def test_nothing_where_something_was(world: World) -> None:
    """Everything we own is missing from every listing: neither deleted elsewhere, nor made again."""
    world.at(0)
    before = world.picture
    empty = reads("empty_collection", path=None)
    result = world.suffer(empty, codes=(3, 5, 10))
    assert world.picture == before
    assert spoken(result)
    world.recovers()


@fault("F053")
@pytest.mark.parametrize("shown", [0, 1, 5])
def test_a_part_of_the_people_is_not_all_of_them(contract: Contract, start: Start, shown: int) -> None:
    """A shard is lost: of thirty people so many are left in every answer. Nobody is added again for it."""
    factory = {"slicktext": slicktext, "exotel": exotel, "intelepeer": intelepeer, "contactcenter": contactcenter}
    files = factory[contract.name](members=tuple(f"+12025550{n}" for n in range(120, 150)))
    pages = {"max_page": 100} if contract.name in ("slicktext", "exotel") else {}
    world = start(contract, files=files, **pages, **({"max_contact_page": 50} if contract.name == "exotel" else {}))
    world.repository.write("account.yaml", contract.account.replace("pageSize: 1", "pageSize: 50"))
    world.suffer()
    people, before = world.sandbox.state(), world.writes()
    world.sandbox.call(lambda: lost(world, shown))
    for command in (world.repository.plan, world.apply):
        told = command()
        assert told.code in (0, 3, 5, 9, 10), told.out
    if told.code == 0:  # members cannot be seen here, and none was thought gone
        assert world.name == "intelepeer"
    assert world.writes() == before
    world.sandbox.call(lambda: world.sandbox.world.replace(people))
    world.repository.settled()


def lost(world: World, shown: int) -> None:
    """The account with all but so many of its people gone, as a person with too few rights would see it."""
    dump = json.loads(json.dumps(world.sandbox.world.dump()))
    section = dump[world.name]
    if world.name == "contactcenter":
        for account in section["accounts"]:
            for campaign in account["campaigns"]:
                campaign["leads"] = campaign["leads"][:shown]
    for each in section.get("lists", ()):
        for name in ("numbers", "contacts", "members"):
            if isinstance(each.get(name), list):
                each[name] = each[name][:shown]
    world.sandbox.world.replace(dump)


@fault("F054")
def test_a_key_twice(contract: Contract, start: Start) -> None:
    world = start(contract, dup_status_key=True)
    told = {d["code"] for d in world.repository.plan().json["diagnostics"]}
    assert "contactcenter-counts" in told
    world.suffer()
    world.recovers()


ID_KEYS = r'"(contact_list_id|list_sid|sid|id|campaign_id|contact_id|lead_id|listId|_id)":'


@fault("F055")
@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (ID_KEYS, '"renamed":'),
        (r'"name":', '"title":'),
        (r"\[", '{"0":['),
        (r'"data":\[', '"rows_of_it":['),
        (ID_KEYS + r' ?("[^"]*"|\d+)', r'"\1":{"deep":1}'),
    ],
    ids=["id-renamed", "name-renamed", "broken", "rows-renamed", "id-object"],
)
def test_another_shape(world: World, pattern: str, replacement: str) -> None:
    never_a_part(world, reads("rewrite", pattern=pattern, replacement=replacement))


@fault("F056")
def test_fields_that_nobody_knows(world: World) -> None:
    unknown = r'{"new_in_v9":{"a":[1,null,{"b":"c"}]},'
    world.survives(rule("rewrite", method=["GET", "POST", "PUT"], pattern=r"\{(?=\")", replacement=unknown))


@fault("F057")
@pytest.mark.parametrize("nth", [1, 2])
def test_what_was_created_does_not_show_yet(world: World, nth: int) -> None:
    account = world.contract.account.replace("visibility: 0s", "visibility: 3s")
    world.repository.write("account.yaml", account)
    world.survives(writes("delayed_visibility", nth=nth, ms=700), codes=(0, 7, 9))


@fault("F058")
def test_what_was_deleted_still_shows(world: World) -> None:
    last = len(world.contract.walk) - 1
    world.at(last - 1)
    world.suffer(rule("delayed_visibility", method="DELETE", ms=700), codes=(0, 7, 9))
    world.sandbox.advance(1)
    world.recovers()


@fault("F059")
def test_tombstones_and_flags_as_text(contract: Contract, start: Start) -> None:
    world = start(contract, delete_flag_as_string=True)
    for state in range(len(contract.walk)):
        world.declare(contract.walk[state])
        world.suffer()
    world.state = len(contract.walk) - 1
    world.recovers()


@fault("F060")
def test_a_search_that_finds_something_else(world: World) -> None:
    """Objects whose names contain ours, or differ in case, are there first."""
    before = len(world.picture[0])
    for name in ("Engage List two", "engage list") if world.name == "intelepeer" else ("Renewals 2", "renewals"):
        extra = {"headers": ["phone"]} if world.name == "intelepeer" else {}
        world.tamper({"op": "create_list", "name": name, **extra})
    world.suffer()
    world.apply()
    assert len(world.picture[0]) == before + 3
    assert world.apply().code == 0


@fault("F061")
def test_a_name_too_short_to_search_for(world: World) -> None:
    """Refused before anything is sent: after a lost answer such a list could not be looked up."""
    world.repository.write("list.yaml", world.contract.walk[0]["list.yaml"].replace("name: Engage List", "name: VIP"))
    assert world.suffer(codes=(3,)).code == 3
    assert world.sandbox.requests() == []
    world.declare(world.contract.walk[0])
    world.recovers()


@fault("F062", "F066")
def test_a_change_between_two_reads(world: World) -> None:
    """Somebody edits, or deletes, while we read: the plan is that of before or of after, or there is none."""
    world.at(0)
    operation = next(iter(world.contract.drifts), None)
    assert operation is not None
    before = world.sandbox.state()
    for nth in (1, 2, 3):
        world.sandbox.call(lambda: world.sandbox.world.replace(before))
        world.sandbox.set_faults([reads("tamper", nth=nth, operation=dict(operation.operation))])
        assert world.repository.plan().code in (0, 10)
    world.sandbox.set_faults([])
    world.sandbox.call(lambda: world.sandbox.world.replace(before))
    world.recovers()


@fault("F066")
def test_an_object_that_goes_between_two_reads(world: World) -> None:
    gone = {
        "slicktext": {"op": "delete_list", "list": "Join"},
        "exotel": {"op": "delete_list", "list": "Renewals"},
        "intelepeer": {"op": "delete_list", "list": "Engage List"},
        "contactcenter": {"op": "delete_lead", "campaign": "Spring", "lead": "+12025550111"},
    }[world.name]
    world.at(0)
    for nth in (2, 3):
        before = world.sandbox.state()
        world.sandbox.set_faults([reads("tamper", nth=nth, operation=gone)])
        plan = world.repository.plan()
        assert plan.code in (0, 3, 10), plan.out
        world.sandbox.set_faults([])
        world.sandbox.call(lambda before=before: world.sandbox.world.replace(before))
    world.recovers()


@fault("F063")
def test_numbers_that_the_provider_masks(world: World) -> None:
    """Nobody can be compared then: nobody is removed, nobody added."""
    world.at(0)
    before = world.picture
    masked = reads("rewrite", pattern=r'"(\+?1?202555)\d{4}"', replacement=r'"\1****"')
    world.suffer(masked, codes=(10,))
    assert world.picture == before
    world.recovers()


DEEP = "[" * 100_000


@fault("F065")
@pytest.mark.parametrize(
    "body",
    [DEEP, "NaN", '{"id": NaN}', "9" * 5000, '{"name": "\\ud800"}', '{"id": 1e999}', "\x00"],
    ids=["deep", "nan", "nan-inside", "digits", "surrogate", "infinite", "nul"],
)
def test_json_that_is_none(world: World, body: str) -> None:
    world.unreadable(reads("error_before", status=200, body=body, content_type="application/json"), codes=(10,))
