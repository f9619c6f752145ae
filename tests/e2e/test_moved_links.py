"""An association that names another list or campaign than the link it made: unlinked and linked in one apply."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.sandbox import Sandbox

from repository import VOICE, Repository

LISTS = ("join", "vip", "gold")


def slicktext(campaigns: dict[str, str], links: dict[str, tuple[str, str]], lists: tuple[str, ...] = LISTS) -> str:
    """``campaigns`` by status, ``links`` are (campaign, list)."""
    parts = [_doc("slicktext", "List", x, f"name: {x.title()}, description: Them") for x in lists]
    for name, status in campaigns.items():
        when = ', scheduled: "2099-05-01 14:00:00"' if status == "scheduled" else ""
        parts.append(_doc("slicktext", "Campaign", name, f"name: {name.title()}, body: Hello, status: {status}{when}"))
    parts += [_doc("slicktext", "Association", n, f"campaign: {c}, list: {x}") for n, (c, x) in links.items()]
    return "---\n".join(parts)


def exotel(campaigns: tuple[str, ...], links: dict[str, tuple[str, str]], lists: tuple[str, ...] = LISTS) -> str:
    parts = [_doc("exotel", "List", x, f"name: {x.title()}, tag: them") for x in lists]
    for name in campaigns:
        what = (
            f'name: {name.title()}, caller_id: "+12025550100", url: http://my.exotel.com/sandbox1/exoml/start_voice/9'
        )
        parts.append(
            _doc("exotel", "Campaign", name, what + ', schedule: {send_at: "2099-02-02T09:00:00+05:30"}'),
        )
    parts += [_doc("exotel", "Association", n, f"campaign: {c}, list: {x}") for n, (c, x) in links.items()]
    return "---\n".join(parts)


def intelepeer(campaigns: tuple[str, ...], links: dict[str, tuple[str, str]], lists: tuple[str, ...] = LISTS) -> str:
    parts = [_doc("intelepeer", "List", x, f"name: The {x}, description: Them, headers: [phone]") for x in lists]
    for name in campaigns:
        what = f'name: {name.title()}, description: Test, callerIdentification: "+16075550100", flowId: 5bef29e1'
        parts.append(_doc("intelepeer", "Campaign", name, what))
    parts += [
        _doc("intelepeer", "Association", n, f"campaign: {c}, list: {x}, moc: phone") for n, (c, x) in links.items()
    ]
    return "---\n".join(parts)


def _doc(provider: str, kind: str, name: str, spec: str) -> str:
    gone = "lifecycle: {onRemove: delete}\n" if kind != "Association" else ""
    return f"apiVersion: {provider}/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n{gone}spec: {{{spec}}}\n"


def feeds(sandbox: Sandbox) -> dict[str, list[str]]:
    """The names of the lists of each SlickText campaign."""
    state = sandbox.state()["slicktext"]
    names = {x["contact_list_id"]: x["name"] for x in state["lists"]}
    return {c["name"]: sorted(names[x] for x in c["lists"]) for c in state["campaigns"]}


def dials(sandbox: Sandbox) -> dict[str, list[str]]:
    """The names of the lists of each Exotel campaign."""
    state = sandbox.state()["exotel"]
    names = {x["sid"]: x["name"] for x in state["lists"]}
    return {
        c["fields"]["name"]: sorted(names[x] for x in c["fields"]["lists"])
        for c in state["campaigns"]
        if c["status"] != "deleted"
    }


def engages(sandbox: Sandbox) -> dict[str, list[str]]:
    """The names of the lists of each IntelePeer campaign, without those that are being deleted."""
    state = sandbox.state()["intelepeer"]
    names = {x["id"]: x["name"].removeprefix("The ").title() for x in state["lists"] if x["delete_at"] is None}
    return {
        c["name"]: sorted(names[x["list_id"]] for x in c["links"] if x["list_id"] in names)
        for c in state["campaigns"]
        if not c["deleted"] and c["delete_at"] is None
    }


def links(plan: Any) -> list[tuple[str, str]]:
    """(action, reason) of the associations of a plan."""
    return [(c["action"], c["reason"]) for c in plan.json["changes"] if c["kind"] == "Association"]


def test_another_list_for_a_campaign_is_one_call_that_needs_delete(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("all.yaml", slicktext({"spring": "draft"}, {"s": ("spring", "join")}))
    texts.apply()
    texts.write("all.yaml", slicktext({"spring": "draft"}, {"s": ("spring", "vip")}))
    plan = texts.plan()
    assert plan.code == 0
    assert sorted(links(plan)) == [
        ("create", "names another list now"),
        ("delete", "s names another list now"),
    ]
    assert plan.json["summary"]["calls"] == 1
    assert [d for c in plan.json["changes"] for d in c["deltas"]] == [
        {"path": "list", "live": "join", "desired": "vip"}
    ] * 2
    before = len(texts.writes())
    refused = texts("apply", "--yes")
    assert (refused.code, len(texts.writes())) == (5, before)
    assert "--approve delete" in refused.err
    texts.apply()
    assert feeds(sandbox) == {"Spring": ["Vip"]}
    assert len(texts.writes()) == before + 1
    texts.settled()


def test_a_list_leaves_one_scheduled_campaign_before_it_joins_another(texts: Repository, sandbox: Sandbox) -> None:
    both = {"autumn": "scheduled", "spring": "scheduled"}
    stay = {"a": ("autumn", "gold"), "b": ("spring", "join")}
    texts.write("all.yaml", slicktext(both, stay | {"s": ("spring", "vip")}))
    texts.apply()
    ids = {c["name"]: str(c["campaign_id"]) for c in sandbox.state()["slicktext"]["campaigns"]}
    texts.write("all.yaml", slicktext(both, stay | {"s": ("autumn", "vip")}))
    before = len(texts.writes())
    assert texts("apply", "--yes", "--approve", "delete").code == 5
    texts.apply()
    assert feeds(sandbox) == {"Autumn": ["Gold", "Vip"], "Spring": ["Join"]}
    told = [path.rsplit("/", 1)[-1] for _, path in texts.writes()[before:]]
    assert told == [ids["Spring"], ids["Autumn"]]
    texts.settled()


@pytest.mark.parametrize("status", ["draft", "scheduled"])
def test_a_list_moves_from_a_campaign_that_goes(texts: Repository, sandbox: Sandbox, status: str) -> None:
    texts.write("all.yaml", slicktext({"spring": status}, {"s": ("spring", "vip")}))
    texts.apply()
    texts.write("all.yaml", slicktext({"autumn": status}, {"s": ("autumn", "vip")}))
    plan = texts.plan()
    assert plan.json["summary"]["delete"] == 2
    texts.apply()
    assert feeds(sandbox) == {"Autumn": ["Vip"]}
    methods = [m for m, path in texts.writes() if "/campaigns" in path]
    assert methods[-1] == ("PUT" if status == "scheduled" else "DELETE")
    texts.settled()


def test_a_list_moves_into_a_scheduled_campaign_when_its_own_is_gone(texts: Repository, sandbox: Sandbox) -> None:
    keep = {"a": ("autumn", "gold")}
    texts.write("all.yaml", slicktext({"autumn": "scheduled", "spring": "scheduled"}, keep | {"s": ("spring", "vip")}))
    texts.apply()
    texts.write("all.yaml", slicktext({"autumn": "scheduled"}, keep | {"s": ("autumn", "vip")}))
    shown = [(c["method"]) for c in texts.plan("--calls").json["calls"]]
    assert shown == ["DELETE", "PUT"]
    before = len(texts.writes())
    texts.apply()
    assert [m for m, _ in texts.writes()[before:]] == shown
    assert feeds(sandbox) == {"Autumn": ["Gold", "Vip"]}
    texts.settled()


def test_a_list_that_goes_is_let_go_first(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("all.yaml", slicktext({"spring": "draft"}, {"s": ("spring", "join")}))
    texts.apply()
    texts.write("all.yaml", slicktext({"spring": "draft"}, {"s": ("spring", "vip")}, ("vip", "gold")))
    before = len(texts.writes())
    texts.apply()
    assert [m for m, _ in texts.writes()[before:]] == ["PUT", "DELETE"]
    assert feeds(sandbox) == {"Spring": ["Vip"]}
    texts.settled()


def test_campaigns_that_trade_lists_are_told_to_take_two_applies(texts: Repository, sandbox: Sandbox) -> None:
    both = {"autumn": "draft", "spring": "draft"}
    texts.write("all.yaml", slicktext(both, {"a": ("autumn", "vip"), "s": ("spring", "join")}))
    texts.apply()
    texts.write("all.yaml", slicktext(both, {"a": ("spring", "vip"), "s": ("autumn", "join")}))
    plan = texts.plan()
    assert plan.code == 3
    assert [d["code"] for d in plan.json["diagnostics"]] == ["association-moved"] * 2
    texts.write("all.yaml", slicktext(both, {"a": ("spring", "vip"), "s": ("spring", "join")}))
    texts.apply()
    texts.write("all.yaml", slicktext(both, {"a": ("spring", "vip"), "s": ("autumn", "join")}))
    texts.apply()
    assert feeds(sandbox) == {"Autumn": ["Join"], "Spring": ["Vip"]}
    texts.settled()


def test_links_that_trade_names_need_no_call(texts: Repository) -> None:
    texts.write("all.yaml", slicktext({"spring": "draft"}, {"a": ("spring", "vip"), "s": ("spring", "join")}))
    texts.apply()
    texts.write("all.yaml", slicktext({"spring": "draft"}, {"a": ("spring", "join"), "s": ("spring", "vip")}))
    plan = texts.plan()
    assert plan.changes() == [("adopt", "Association/a"), ("adopt", "Association/s")]
    assert plan.json["summary"]["calls"] == 0
    texts.apply()
    texts.settled()


def test_exotel_takes_another_list_in_one_call(repository: Repository, sandbox: Sandbox) -> None:
    repository.write("account.yaml", VOICE)
    repository.write("all.yaml", exotel(("spring",), {"s": ("spring", "join")}))
    repository.apply()
    repository.write("all.yaml", exotel(("spring",), {"s": ("spring", "vip")}))
    assert repository.plan().json["summary"]["calls"] == 1
    assert repository("apply", "--yes", "--approve", "contact").code == 5
    assert repository("apply", "--yes", "--approve", "delete").code == 5
    repository.apply()
    assert dials(sandbox) == {"Spring": ["Vip"]}
    repository.settled()


def test_exotel_takes_a_list_off_one_campaign_before_it_joins_another(repository: Repository, sandbox: Sandbox) -> None:
    repository.write("account.yaml", VOICE)
    stay = {"a": ("autumn", "gold"), "b": ("spring", "join")}
    repository.write("all.yaml", exotel(("autumn", "spring"), stay | {"s": ("spring", "vip")}))
    repository.apply()
    ids = {c["fields"]["name"]: c["id"] for c in sandbox.state()["exotel"]["campaigns"]}
    repository.write("all.yaml", exotel(("autumn", "spring"), stay | {"s": ("autumn", "vip")}))
    before = len(repository.writes())
    repository.apply()
    told = [path.rsplit("/", 1)[-1] for _, path in repository.writes()[before:]]
    assert told == [ids["Spring"], ids["Autumn"]]
    assert dials(sandbox) == {"Autumn": ["Gold", "Vip"], "Spring": ["Join"]}
    repository.settled()


def test_exotel_moves_a_list_into_a_campaign_made_in_its_place(repository: Repository, sandbox: Sandbox) -> None:
    repository.write("account.yaml", VOICE)
    repository.write("all.yaml", exotel(("spring",), {"s": ("spring", "vip")}))
    repository.apply()
    repository.write("all.yaml", exotel(("autumn",), {"s": ("autumn", "vip")}))
    before = len(repository.writes())
    repository.apply()
    assert [m for m, _ in repository.writes()[before:]] == ["DELETE", "POST"]
    assert dials(sandbox) == {"Autumn": ["Vip"]}
    repository.settled()


def test_intelepeer_needs_the_portal_and_then_links(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("all.yaml", intelepeer(("spring",), {"s": ("spring", "join")}))
    calls.apply()
    calls.write("all.yaml", intelepeer(("spring",), {"s": ("spring", "vip")}))
    plan = calls.plan()
    assert plan.code == 3
    (problem,) = [d for d in plan.json["diagnostics"] if d["severity"] == "error"]
    assert problem["code"] == "association-moved"
    assert "portal" in problem["hint"]
    sandbox.tamper("intelepeer", "unlink", campaign="Spring", list="The join")
    calls.apply()
    assert engages(sandbox) == {"Spring": ["Vip"]}
    calls.settled()


def test_intelepeer_links_anew_what_goes_with_its_campaign(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("all.yaml", intelepeer(("spring",), {"s": ("spring", "vip")}))
    calls.apply()
    calls.write("all.yaml", intelepeer(("autumn",), {"s": ("autumn", "vip")}))
    before = len(calls.writes())
    calls.apply()
    told = [(m, path.rsplit("/", 1)[-1]) for m, path in calls.writes()[before:]]
    assert [m for m, _ in told] == ["POST", "DELETE", "POST"]
    assert [last for _, last in told if not last.startswith("6b")] == ["campaigns", "action"]
    assert engages(sandbox) == {"Autumn": ["Vip"]}
    calls.settled()


def test_intelepeer_links_another_list_in_place_of_one_that_goes(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("all.yaml", intelepeer(("spring",), {"s": ("spring", "join")}))
    calls.apply()
    calls.write("all.yaml", intelepeer(("spring",), {"s": ("spring", "vip")}, ("vip", "gold")))
    before = len(calls.writes())
    shown = [c["method"] for c in calls.plan("--calls").json["calls"]]
    calls.apply()
    assert [m for m, _ in calls.writes()[before:]] == shown
    assert engages(sandbox) == {"Spring": ["Vip"]}
    calls.settled()
