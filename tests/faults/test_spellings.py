"""The same thing, spelt otherwise: F067 to F081. What does not differ in meaning is no drift; what does, is told."""

from __future__ import annotations

from typing import Any

import pytest
from contracts import Contract
from participants import SLICKTEXT
from participants.manifests import ADA
from suffering import Start, World, fault, reads, rule

RENAMES: dict[str, dict[str, Any]] = {
    "slicktext": {"op": "edit_list", "list": "Join"},
    "exotel": {"op": "edit_list", "list": "Renewals"},
    "intelepeer": {"op": "edit_list", "list": "Engage List"},
}
NAMES = {"slicktext": "Join", "exotel": "Renewals", "intelepeer": "Engage List", "contactcenter": "Spring"}


def respelt(world: World, pattern: str, replacement: str, *, codes: tuple[int, ...] = (0,)) -> None:
    """With every answer spelt like this: the first run ends, the second has nothing to do, nothing is made twice."""
    spelling = rule("rewrite", method=["GET", "POST", "PUT"], pattern=pattern, replacement=replacement)
    result = world.suffer(spelling, codes=codes, struck=False)
    before = world.writes()
    again = world.suffer(spelling, codes=codes, struck=False)
    if result.code == 0:
        assert again.code == 0
        assert world.writes() == before, "an eternal difference"
    world.recovers()


@fault("F067")
def test_another_case(world: World) -> None:
    """Names are compared exactly: a name in another case is another name, and is told as such, not made again."""
    name = NAMES[world.name]
    respelt(world, f'"{name}"', f'"{name.upper()}"', codes=(0, 3, 7))


@fault("F068")
@pytest.mark.parametrize("spelling", ["  {}  ", "\u00a0{}", "{}\u200b"], ids=["spaces", "nbsp", "zero-width"])
def test_other_white_space(world: World, spelling: str) -> None:
    name = NAMES[world.name]
    respelt(world, f'"{name}"', f'"{spelling.format(name)}"', codes=(0, 3, 7))


@fault("F069")
def test_another_unicode_form(contract: Contract, start: Start) -> None:
    """Composed in the manifest, taken apart in every answer."""
    name = NAMES[contract.name]
    files = {n: t.replace(f"name: {name}", f"name: {name} caf\u00e9") for n, t in contract.walk[0].items()}
    world = start(contract, files=files)
    if world.name == "contactcenter":
        world.tamper({"op": "create_campaign", "name": f"{name} caf\u00e9"})
    decomposed = rule("rewrite", method=["GET", "POST", "PUT"], pattern="\u00e9", replacement="e\u0301")
    world.suffer(decomposed)
    before = world.writes()
    world.suffer(decomposed)
    assert world.writes() == before
    world.repository.settled()
    world.nobody_was_harmed()


@fault("F070")
@pytest.mark.parametrize(
    "spelling",
    [r"\1", r"1\1", r"+1 (\2) \3-\4", r"001\1", r" +1\1 "],
    ids=["national", "bare", "spaced", "00", "space"],
)
def test_numbers_in_other_spellings(world: World, spelling: str) -> None:
    """Whoever can be told is compared; who cannot is left alone. Nobody is removed and added again."""
    world.at(0)
    world.declare(world.contract.walk[0])
    world.state = 0
    before, wrote = world.picture, world.writes()
    pattern = r"(?<=\")\+?1?((202)(555)(\d{4}))(?=\")"
    world.suffer(reads("rewrite", pattern=pattern, replacement=spelling), codes=(0, 3, 7, 10), struck=False)
    removed = [m for m, _ in world.repository.writes()[wrote:] if m == "DELETE"]
    assert removed == []
    assert str(world.picture).count(ADA[2:]) == str(before).count(ADA[2:])
    world.recovers()


@fault("F071")
@pytest.mark.parametrize("empty", ["null", '""'])
def test_null_empty_or_absent(contract: Contract, start: Start, empty: str) -> None:
    """Of what no manifest declares, and of what one declares as empty."""
    world = start(contract)
    respelt(world, r'"(media_url|first_name|last_name|email|description2|tag2)": ?"[^"]*"', rf'"\1":{empty}')


@fault("F072")
def test_numbers_and_booleans_as_text(world: World) -> None:
    respelt(world, r": ?(true|false|\d+)(?=[,}])", r':"\1"')


@fault("F073")
def test_a_name_that_is_cut(world: World) -> None:
    name = NAMES[world.name]
    respelt(world, f'"{name}"', f'"{name[:-1]}"', codes=(0, 3, 7))


@fault("F074")
def test_html_escapes(contract: Contract, start: Start) -> None:
    name = NAMES[contract.name]
    files = {n: t.replace(f"name: {name}", f"name: {name} & more") for n, t in contract.walk[0].items()}
    world = start(contract, files=files)
    if world.name == "contactcenter":
        world.tamper({"op": "create_campaign", "name": f"{name} & more"})
    escaped = rule("rewrite", method=["GET", "POST", "PUT"], pattern=" & ", replacement=" &amp; ")
    for _ in range(2):
        world.suffer(escaped, codes=(0, 3, 7))
    for _ in range(2):
        world.apply()
    world.repository.settled()
    world.nobody_was_harmed()


@fault("F075")
def test_rows_in_another_order(contract: Contract, start: Start) -> None:
    """Every page is shuffled among rows of the same second where the sandbox can, and people are declared backwards."""
    world = start(contract, **({"shuffle_ties": True} if contract.name == "slicktext" else {}))
    world.suffer()
    members = contract.walk[0]["members.yaml"]
    head, _, rows = members.partition("contacts: [")
    people = rows.partition("]")[0].split("}, ")
    backwards = [p.strip("{} ") for p in reversed(people)]
    world.repository.write("members.yaml", head + "contacts: [" + ", ".join(f"{{{p}}}" for p in backwards) + "]}\n")
    before = world.writes()
    plan = world.repository.plan()
    assert plan.code in (0, 10)  # pages that repeat rows are no whole read
    assert plan.json["changes"] == [], plan.out
    assert world.writes() == before
    if contract.name == "slicktext":
        world.sandbox.turn(slicktext={"shuffle_ties": False})
    world.declare(contract.walk[0])
    world.recovers()


@fault("F076")
def test_defaults_of_the_provider_are_no_drift(world: World) -> None:
    """Whatever a listing says of fields that no manifest declares."""
    more = '{"auto_added":"x","priority_of_list":7,"settings":{"a":1},'
    respelt(world, r"\{(?=\"(name|id|sid|_id|contact_list_id|listName|number)\")", more)


@fault("F077")
def test_a_field_that_a_write_ignores(contract: Contract, start: Start) -> None:
    world = start(contract, put_description="clear", ignore_headers=True)
    first = world.suffer(codes=(0, 7, 9))
    before = world.writes()
    second = world.apply()
    assert second.code == first.code or second.code in (0, 3)
    assert world.writes() - before <= 1
    world.nothing_leaked()


@fault("F078")
def test_two_live_objects_of_one_name(world: World) -> None:
    """Nobody knows which is meant: nothing is sent until somebody says so."""
    if world.name == "contactcenter":
        world.tamper({"op": "create_campaign", "name": "Spring"})
    else:
        extra = {"headers": ["phone"]} if world.name == "intelepeer" else {}
        for _ in range(2):
            world.tamper({"op": "create_list", "name": NAMES[world.name], **extra})
    plan = world.repository.plan()
    assert plan.code == 3
    assert "ambiguous-name" in {d["code"] for d in plan.json["diagnostics"]}
    world.suffer(codes=(3,))
    assert world.writes() == 0


@pytest.mark.survives("F079")
def test_one_key_twice_in_the_manifests(start: Start) -> None:
    world = start(SLICKTEXT)
    world.repository.write("again.yaml", SLICKTEXT.walk[0]["list.yaml"])
    result = world.apply()
    assert result.code == 3
    assert "list.yaml" in result.err
    assert "again.yaml" in result.err
    assert world.sandbox.requests() == []


@fault("F080")
@pytest.mark.parametrize(
    "spelling", ["2026-01-02 03:04:05", "1767323045", "1767323045000", "\u22121", "nonsense", "2026-01-02T03:04:05"]
)
def test_times_in_another_unit(world: World, spelling: str) -> None:
    """When a thing was made decides nothing."""
    keys = "created|last_updated|date_created|date_updated|createdDate|createDate|created_at|updated_at|modifiedDate"
    respelt(world, rf'"({keys})": ?("[^"]*"|\d+)', rf'"\1":"{spelling}"', codes=(0, 7, 9, 10))


@fault("F081")
def test_a_live_number_that_is_none(world: World) -> None:
    """It is left as it is."""
    additive = world.contract.walk[0]["members.yaml"].replace("exact", "additive")
    world.repository.write("members.yaml", additive)
    world.tamper({"op": "add_leads", "campaign": "Spring", "leads": ["+12131204"]})
    world.suffer()
    assert "12131204" in str(world.sandbox.state()["contactcenter"])
    world.repository.settled()
