"""Rules of the house, from the manifest to the exit code: validate, plan, apply, a saved plan, dial, call."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.render import Format, render_plan
from reconciler.sandbox import Sandbox

from repository import TEXTS, Repository

THIRD_PARTY = Path(__file__).parent / "thirdparty"
NUMBERS = [f"+1202555{n:04d}" for n in range(1000, 1004)]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    seed = {"slicktext": {"contacts": [{"generate": {"count": 4, "first": NUMBERS[0]}}]}}
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The folder is as good as installed: its dist-info names the entry points."""
    monkeypatch.syspath_prepend(THIRD_PARTY)
    monkeypatch.delitem(sys.modules, "acme_policies", raising=False)
    yield
    sys.modules.pop("acme_policies", None)


def policy(*rules: str, plugins: str = "", name: str = "house") -> str:
    """A Policy document; each rule in flow style."""
    listed = "".join(f"    - {{{rule}}}\n" for rule in rules)
    spec = f"  rules:\n{listed}" if rules else ""
    spec += f"  plugins:\n    - {plugins}\n" if plugins else ""
    return f"apiVersion: reconciler/v1\nkind: Policy\nmetadata: {{name: {name}}}\nspec:\n{spec}"


def a_list(name: str, labels: str = "{}", lifecycle: str = "{}") -> str:
    return (
        f"apiVersion: slicktext/v1\nkind: List\nmetadata: {{name: {name}, labels: {labels}}}\n"
        f"lifecycle: {lifecycle}\nspec: {{name: L {name}}}\n---\n"
    )


def members(labels: str = "{}", count: int = 2) -> str:
    rows = "".join(f'    - {{number: "{n}", first_name: Marty}}\n' for n in NUMBERS[:count])
    return (
        f"apiVersion: slicktext/v1\nkind: Membership\nmetadata: {{name: m, labels: {labels}}}\n"
        f"spec:\n  list: a\n  mode: additive\n  contacts:\n{rows}"
    )


def codes(document: Any) -> list[str]:
    return [d["code"] for d in document["diagnostics"]]


NAMES = 'code: acme-names, naming: {pattern: "growth-[a-z]+"}, select: ["kind:List"]'
NO_DELETES = "code: acme-no-deletes, message: ask the owner, forbid: {actions: [delete]}"
EVERYTHING = ("--yes", "--approve", "delete,contact")


def test_what_is_declared_is_refused_everywhere_and_lifted_by_nothing(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a") + a_list("growth-b"))
    texts.write("policy.yaml", policy(NAMES))
    valid = texts("validate")
    assert valid.code == 5
    assert "manifests/lists.yaml:3:18: error[acme-names]: " in valid.err
    assert "Valid" not in valid.out
    plan = texts.plan()
    assert (plan.code, codes(plan.json)) == (0, ["acme-names"])
    (found,) = plan.json["diagnostics"]
    assert (found["policy"], found["severity"], found["address"]) == ("house", "error", "main/List/a")
    assert texts("plan", "--detailed-exitcode").code == 2
    refused = texts("apply", *EVERYTHING)
    assert refused.code == 5
    assert refused.out.count("error[acme-names]") == 1
    assert refused.err.splitlines() == [
        "error[refused]: refused by policy, which no flag lifts; nothing was sent",
        "  hint: the plan says why: acme-names",
    ]
    # Where the plan is short, the finding is told beside it.
    assert texts("apply", *EVERYTHING, "--format", "json").err.count("error[acme-names]") == 1
    assert "--allow" not in refused.err
    for lift in ("acme-names=1", "policy=house"):
        assert texts("apply", *EVERYTHING, "--allow", lift).code != 0
    assert texts.writes() == []
    texts.apply("--exclude", "main/List/a")
    assert len(texts.writes()) == 1
    # The rule goes, or what it is about.
    texts.write("policy.yaml", policy(NAMES.replace("growth-", "(growth-)?")))
    texts.apply()
    texts.settled()


def test_a_saved_plan_that_is_refused_says_so(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.write("policy.yaml", policy(NAMES))
    saved = texts("plan", "--out", "plan.json").err
    assert "Saved to plan.json; an apply of it would be refused: policies are against it, see above." in saved
    assert "apply it with" not in saved
    assert texts("apply", "plan.json").code == 5
    texts.write("policy.yaml", policy(NAMES + ", severity: warning"))
    assert "apply it with: reconciler apply plan.json" in texts("plan", "--out", "plan.json").err
    texts.apply("plan.json")


def test_of_very_many_that_are_wrong_each_is_refused(texts: Repository) -> None:
    """Leaving those out that are listed must not let the others pass."""
    texts.write("lists.yaml", "".join(a_list(f"l{i:04d}") for i in range(1_003)))
    texts.write("policy.yaml", policy(NAMES))
    found = texts("validate", "--format", "json").json["diagnostics"]
    assert {d["address"] for d in found} == {f"main/List/l{i:04d}" for i in range(1_003)}
    assert {d["source"]["file"] for d in found} == {"manifests/lists.yaml"}
    assert texts("apply", *EVERYTHING, "--exclude", "main/List/l0*", "--exclude", "main/List/l1000").code == 5
    assert texts.writes() == []


def test_what_is_not_to_be_done_is_refused_by_its_class(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a", lifecycle="{onRemove: delete}") + a_list("b"))
    texts.write("policy.yaml", policy(NO_DELETES))
    assert texts("validate").code == 0
    texts.apply()
    texts.write("lists.yaml", a_list("b") + a_list("c"))
    assert texts("validate").code == 0
    plan = texts.plan()
    assert (plan.code, plan.changes()) == (0, [("create", "List/c"), ("delete", "List/a")])
    (found,) = plan.json["diagnostics"]
    assert found["message"] == "delete is forbidden: ask the owner"
    assert (found["source"]["file"], found["source"]["line"]) == ("manifests/policy.yaml", 6)
    before = len(texts.writes())
    assert texts("apply", *EVERYTHING).code == 5
    assert len(texts.writes()) == before
    assert texts("apply", *EVERYTHING, "--exclude", "main/List/a").code == 0


def test_a_warning_is_shown_and_refuses_nothing(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.write("policy.yaml", policy(NAMES + ", severity: warning"))
    valid = texts("validate")
    assert (valid.code, "warning[acme-names]" in valid.err) == (0, True)
    assert codes(texts.plan().json) == ["acme-names"]
    texts.apply()
    texts.settled()


def test_reach_is_limited_over_all_that_a_rule_is_about(texts: Repository) -> None:
    texts.write("members.yaml", a_list("a") + members(count=3))
    texts.write(
        "policy.yaml", policy("code: acme-reach, maxReach: 2", "code: acme-b, maxReach: 0, select: [main/List/b]")
    )
    assert codes(texts.plan().json) == ["acme-reach", "policy-selects-nothing"]
    assert texts("apply", *EVERYTHING, "--allow", "reach=3").code == 5
    assert texts.writes() == []
    texts.write("members.yaml", a_list("a") + members(count=2))
    texts.apply()


def test_a_saved_plan_skips_no_policy(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a"))
    assert texts("plan", "--out", "plan.json").code == 0
    texts.write("policy.yaml", policy(NAMES))
    assert texts("apply", "plan.json").code == 6  # another plan: a policy came
    assert texts("plan", "--out", "refused.json").code == 0
    refused = texts("apply", "refused.json", "--approve", "contact")
    assert (refused.code, "error[acme-names]" in refused.out) == (5, True)
    digest = texts.plan().json["digest"]
    assert texts("apply", "--expect", digest).code == 5
    texts.write("policy.yaml", policy(NAMES.replace("growth-", "")))
    assert texts("apply", "refused.json").code == 6
    assert texts.writes() == []


@pytest.mark.parametrize("part", ["manifests/lists", "manifests/lists/a.yaml"])
def test_naming_a_part_of_the_project_skips_no_policy(texts: Repository, part: str) -> None:
    texts.write("lists/a.yaml", TEXTS + "---\n" + a_list("a"))
    texts.remove("account.yaml")
    texts.write("rules/policy.yaml", policy(NAMES))
    texts.write("rules/other.yaml", "kind: [")  # not of interest, and not looked at
    assert texts("validate", part).code == 5
    assert texts("apply", *EVERYTHING, part).code == 5
    assert texts("plan", "--out", "part.json", part).code == 0
    assert texts("apply", "part.json").code == 5
    texts.write("rules/policy.yaml", policy(NAMES) + "  broken: [")
    assert texts("apply", *EVERYTHING, part).code == 3
    texts.write("rules/policy.yaml", policy(NAMES.replace("growth-", "")))
    assert texts("apply", "part.json").code == 6
    assert texts.writes() == []
    texts.apply(part)


def test_a_rule_can_hold_in_one_environment(texts: Repository) -> None:
    project = texts.root / "reconciler.yaml"
    project.write_text(project.read_text().replace("]}", "], environments: {prod: {}, test: {}}}"))
    texts.write("lists.yaml", a_list("a"))
    texts.write("policy.yaml", policy(NAMES + ", environments: [prod]"))
    assert texts("validate").code == 0
    assert texts("validate", "-e", "prod").code == 5
    assert texts("apply", *EVERYTHING, "-e", "prod").code == 5
    assert texts("apply", *EVERYTHING, "-e", "test").code == 0


def test_invalid_manifests_come_first_and_everything_is_told(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a") + a_list("b").replace("spec: {name:", "spec: {nam:"))
    texts.write("policy.yaml", policy(NAMES))
    valid = texts("validate", "--format", "json")
    assert valid.code == 3
    assert set(codes(valid.json)) >= {"acme-names", "unknown-field"}


def test_looking_is_never_refused(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.apply()
    texts.write("policy.yaml", policy(NAMES))
    for words in (("drift",), ("status",), ("graph",), ("history",), ("inventory", "list")):
        assert texts(*words).code == 0, words
    assert texts("import", "main", "--out", "imported").code == 0


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ("code: acme-no, forbid: {providers: [slicktext]}", "manifests/account.yaml:1:13"),
        ("code: acme-no, forbid: {hosts: ['127.*']}", "manifests/account.yaml:6:12"),
        ("code: acme-no, forbid: {kinds: [List]}", "manifests/lists.yaml:2:7"),
        ("code: acme-no, requiredLabels: {team: []}", "manifests/lists.yaml:3:21"),
    ],
)
def test_what_is_forbidden_is_told_where_it_stands(texts: Repository, rule: str, place: str) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.write("policy.yaml", policy(rule))
    valid = texts("validate")
    assert (valid.code, f"{place}: error[acme-no]" in valid.err) == (5, True), valid.err
    assert texts("apply", *EVERYTHING).code == 5
    assert texts.writes() == []


@pytest.mark.parametrize("forbid", ["{providers: [slicktext]}", "{hosts: ['127.*']}"])
def test_where_nothing_may_be_sent_no_login_is(texts: Repository, forbid: str) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.write("policy.yaml", policy(f"code: acme-no, forbid: {forbid}"))
    for words in (
        ("plan",),
        ("apply", *EVERYTHING),
        ("drift",),
        ("status",),
        ("import", "main", "--out", "imported"),
        ("inventory", "adopt", "main/List/a", "1", "--yes"),
        ("call", "main", "lists.list"),
    ):
        refused = texts(*words)
        assert (refused.code, "error[acme-no]" in refused.err) == (5, True), (words, refused.err)
    assert texts.sandbox.requests() == []
    assert texts("graph").code == 0
    texts.write("policy.yaml", policy(f"code: acme-no, severity: warning, forbid: {forbid}"))
    assert texts("plan").code == 0


def test_a_selector_that_fits_nothing_is_told(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a", "{team: growth}"))
    rule = "code: acme-names, naming: {pattern: '.*'}, "
    for selector, idle in (
        ("main/Lsit/*", True),
        ("label:team=grwoth", True),
        ("account:mian", True),
        ("path:manifests/vip/*", True),
        ("kind:Campaign", False),
        ("label:team=growth", False),
        ("account:main", False),
        ("path:manifests/*", False),
        ("main/List/*", False),
    ):
        for key in ("select", "exclude"):
            texts.write("policy.yaml", policy(f"{rule}{key}: ['{selector}']"))
            valid = texts("validate")
            assert valid.code == 0
            assert (f"warning[policy-selects-nothing]: the rule acme-names selects {selector}," in valid.err) is idle
    texts.write("policy.yaml", policy(f"{rule}select: [main/Lsit/*]"))
    assert "policy-selects-nothing" in codes(texts.plan().json)
    assert "policy-selects-nothing" not in codes(texts.plan("manifests/lists.yaml", "manifests/account.yaml").json)


@pytest.mark.parametrize("where", ["beside", "far away", "through a link"])
def test_the_paths_of_a_rule_are_the_projects(
    texts: Repository, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that holds in the project's folder holds wherever the command is run."""
    texts.write("vip/lists.yaml", a_list("a"))
    texts.write("other/lists.yaml", a_list("b"))
    rule = "code: acme-names, naming: {pattern: 'no-name-fits'}, "
    texts.write("policy.yaml", policy(rule + "select: ['path:manifests/vip/*']"))
    monkeypatch.chdir(tmp_path)
    named = {"beside": texts.root.name, "far away": str(texts.root), "through a link": "li[n]k/it"}[where]
    if where == "far away":
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
    if where == "through a link":
        (tmp_path / "li[n]k").mkdir()
        (tmp_path / "li[n]k" / "it").symlink_to(texts.root, target_is_directory=True)
    valid = texts("validate", named)
    assert valid.code == 5
    assert valid.err.count("error[acme-names]") == 1
    assert "vip/lists.yaml" in valid.err
    texts.write("policy.yaml", policy(rule + "exclude: ['path:manifests/*']"))
    assert texts("validate", named).code == 0


EXOTEL = """\
apiVersion: exotel/v1
kind: Account
metadata: {name: voice}
spec: {accountSid: acme1, region: REGION, auth: {apiKey: {env: K}, apiToken: {env: T}}}
"""
INTELEPEER = """\
apiVersion: intelepeer/v1
kind: Account
metadata: {name: calls}
spec: {authUrl: "http://localhost:9/login", auth: {token: {env: T}}, membershipMode: none, associateSemantics: add}
"""


@pytest.mark.parametrize(
    ("account", "host", "code", "place"),
    [
        (EXOTEL.replace("REGION", "mumbai"), "api.in.exotel.com", 5, "4:1"),
        (EXOTEL.replace("REGION", "singapore"), "api.in.exotel.com", 0, ""),
        (EXOTEL.replace("REGION", "singapore"), "API.exotel.com", 5, "4:1"),
        (INTELEPEER, "localhost", 5, "4:17"),
        (INTELEPEER, "engage.*", 5, "4:1"),
        (INTELEPEER, "example.com", 0, ""),
    ],
)
def test_a_host_is_told_where_it_is_named_or_not(
    repository: Repository, account: str, host: str, code: int, place: str
) -> None:
    repository.write("account.yaml", account)
    repository.write("policy.yaml", policy(f"code: acme-no, forbid: {{hosts: ['{host}']}}"))
    valid = repository("validate")
    assert valid.code == code, valid.err
    assert bool(place) == (f"manifests/account.yaml:{place}: error[acme-no]: the host" in valid.err), valid.err


def test_what_comes_back_is_judged_as_well(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a", lifecycle="{onRemove: delete}") + a_list("b"))
    texts.apply()
    texts.write("lists.yaml", a_list("b"))
    texts.apply()
    run = texts("history", "--format", "json").json["runs"][0]["id"]
    texts.write("policy.yaml", policy("code: acme-no, forbid: {actions: [create]}"))
    before = len(texts.writes())
    assert texts("restore", run).code == 0
    refused = texts("restore", run, "--apply", *EVERYTHING)
    assert (refused.code, "error[acme-no]" in refused.out) == (5, True), refused.err
    assert len(texts.writes()) == before


def test_an_operation_by_hand_is_no_way_around(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.apply()
    (listed,) = texts("inventory", "list", "--format", "json").json["objects"]
    texts.write("policy.yaml", policy(NO_DELETES))
    before = len(texts.writes())
    refused = texts("call", "main", "lists.delete", f"list_id={listed['remoteId']}", "--yes")
    assert (refused.code, "error[acme-no-deletes]" in refused.err) == (5, True), refused.err
    assert len(texts.writes()) == before
    texts.write("policy.yaml", policy(NO_DELETES + ", select: [other/*]"))
    assert texts("call", "main", "lists.delete", f"list_id={listed['remoteId']}", "--yes").code == 0


CAMPAIGN = """\
apiVersion: slicktext/v1
kind: Campaign
metadata: {name: sale}
spec: {name: Sale, body: Hello, status: draft}
---
apiVersion: slicktext/v1
kind: Association
metadata: {name: sale--a}
spec: {campaign: sale, list: a}
---
"""


def test_a_dial_is_refused_as_contacting_is(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("a.yaml", CAMPAIGN + a_list("a") + members())
    texts.apply()
    words = ("dial", "main/Campaign/sale", "--approve", "contact", "--confirm", "sale")
    for rule in (
        "code: acme-no, forbid: {actions: [contact]}",
        "code: acme-no, maxReach: 1",
        "code: acme-no, forbid: {providers: [slicktext]}",
    ):
        texts.write("policy.yaml", policy(rule))
        refused = texts(*words)
        assert (refused.code, "error[acme-no]" in refused.err) == (5, True), refused.err
    assert sandbox.ledger()["messages"] == []
    texts.write("policy.yaml", policy("code: acme-no, maxReach: 2"))
    assert texts(*words).code == 0
    assert {m["number"] for m in sandbox.ledger()["messages"]} == set(NUMBERS[:2])


def test_a_code_of_the_house_is_explained_in_the_project(texts: Repository, acme: None) -> None:
    rule = "code: acme-names, message: names begin with the team, hint: rename it, maxReach: 1"
    texts.write("policy.yaml", policy(rule, plugins="use: acme-consent"))
    texts.write("broken.yaml", "kind: [")
    explained = texts("explain", "acme-names")
    assert explained.code == 0
    assert "names begin with the team" in explained.out
    assert "rename it (manifests/policy.yaml:6:14)" in explained.out
    assert "Add the label consent." in texts("explain", "acme-consent-missing").out
    assert "acme-names" in texts("explain").out
    texts.remove("policy.yaml")
    assert texts("explain", "acme-names").code == 64


@pytest.mark.parametrize("format", [f for f in Format if f not in (Format.GITLAB,)])
def test_every_format_tells_it(texts: Repository, format: Format) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.write("policy.yaml", policy(NAMES + ", message: ask growth"))
    told = render_plan(texts.plan().json, format, width=100, color=False)
    assert "acme-names" in told
    if format is Format.MARKDOWN:
        assert told.index("**Refused by policy**") < told.index("Look at these first")
    if format is Format.SARIF:
        (result,) = [r for r in json.loads(told)["runs"][0]["results"] if r["ruleId"] == "acme-names"]
        region = result["locations"][0]["physicalLocation"]
        assert (result["level"], region["artifactLocation"]["uri"]) == ("error", "manifests/lists.yaml")
        assert region["region"]["startLine"] == 3
    if format is Format.JUNIT:
        assert '<failure message="the name' in told


# --- plug-ins


def test_a_plug_in_judges_what_is_declared(texts: Repository, acme: None) -> None:
    texts.write("members.yaml", a_list("a") + members())
    texts.write("policy.yaml", policy(plugins="{use: acme-consent, options: {accepted: [form, paper]}}"))
    assert texts("validate").code == 0  # it judges plans
    plan = texts.plan()
    (found,) = plan.json["diagnostics"]
    assert (plan.code, found["code"], found["policy"]) == (0, "acme-consent-missing", "house")
    assert found["source"]["file"] == "manifests/members.yaml"
    assert found["hint"].startswith("Add the label consent. (policy house, manifests/policy.yaml:6:13)")
    assert texts("apply", *EVERYTHING).code == 5
    texts.write("members.yaml", a_list("a") + members("{consent: letter}"))
    assert codes(texts.plan().json) == ["acme-consent-old"]
    texts.apply()
    texts.settled()


def test_a_plug_in_sees_no_number(texts: Repository, acme: None) -> None:
    labels = f'{{consent: form, ask: "{NUMBERS[3]}"}}'
    texts.write("members.yaml", a_list("a", f'{{desk: "call {NUMBERS[2]}"}}') + members(labels))
    texts.write("policy.yaml", policy(plugins="use: acme-consent"))
    assert texts("plan", "--show-pii").code == 0
    from acme_policies import SEEN

    seen = json.dumps([SEEN[-1].plan, SEEN[-1].resources, dict(SEEN[-1].options)], ensure_ascii=False)
    assert "main/Membership/m" in seen
    assert '"count": 2' in seen
    assert not [n for n in NUMBERS if n in seen or n[2:] in seen]
    assert "Marty" not in seen


def test_a_plug_in_is_asked_about_what_is_sent_by_hand(texts: Repository, sandbox: Sandbox, acme: None) -> None:
    texts.write("a.yaml", CAMPAIGN + a_list("a") + members() + "---\n" + a_list("aside"))
    texts.apply()
    before = len(texts.writes())
    texts.write("policy.yaml", policy(plugins="use: acme-consent"))
    dial = ("dial", "main/Campaign/sale", "--approve", "contact", "--confirm", "sale")
    refused = texts(*dial)
    assert (refused.code, "error[acme-consent-missing]" in refused.err) == (5, True), refused.err
    from acme_policies import SEEN

    assert SEEN[-1].request == {
        "command": "dial",
        "account": "main",
        "address": "main/Campaign/sale",
        "operation": "",
        "approvals": ["contact"],
        "reach": 2,
    }
    kinds = [(r["kind"], r["name"]) for r in SEEN[-1].resources]
    assert kinds == [("Association", "sale--a"), ("Campaign", "sale"), ("List", "a"), ("Membership", "m")]
    delete = ("call", "main", "lists.delete", "list_id=2001", "--yes")
    texts.write("policy.yaml", policy(plugins="use: acme-unheard-of"))
    refused = texts(*delete)
    assert (refused.code, "error[policy-plugin-missing]" in refused.err) == (5, True), refused.err
    assert len(texts.writes()) == before
    texts.write("policy.yaml", policy(plugins="use: acme-consent"))
    texts(*delete)
    assert (SEEN[-1].request["operation"], SEEN[-1].request["approvals"]) == ("lists.delete", ["delete"])
    assert SEEN[-1].resources == ()


def test_only_what_a_policy_names_is_imported(texts: Repository, acme: None) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.apply()
    assert "acme_policies" not in sys.modules


@pytest.mark.parametrize("name", ["acme-unheard-of", "acme-raises", "acme-broken", "acme-no-plugin"])
def test_a_plug_in_that_cannot_be_asked_refuses(texts: Repository, acme: None, name: str) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.write("policy.yaml", policy(plugins=f"use: {name}"))
    code = "policy-plugin-missing" if name == "acme-unheard-of" else "policy-plugin-failed"
    valid = texts("validate")
    assert (valid.code, f"manifests/policy.yaml:6:12: error[{code}]" in valid.err) == (5, True), valid.err
    assert (texts.plan().code, codes(texts.plan().json)) == (0, [code])
    assert texts("apply", *EVERYTHING).code == 5
    assert texts.writes() == []
    assert texts("explain", code).code == 0


@pytest.mark.parametrize(
    "how",
    [
        *("raises", "exits", "text", "nothing", "unknown-code", "unknown-address", "no-message", "odd-address"),
        *("odd-severity", "late", "endless"),
    ],
)
def test_a_plug_in_that_misbehaves_refuses(texts: Repository, acme: None, how: str) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.write("policy.yaml", policy(plugins=f"{{use: acme-misbehaves, options: {{how: {how}}}}}"))
    assert codes(texts.plan().json) == ["policy-plugin-failed"]
    refused = texts("apply", *EVERYTHING)
    assert refused.code == 5
    assert "6155550123" not in refused.err + refused.out
    assert texts.writes() == []


def test_a_plug_in_cannot_change_the_plan(texts: Repository, acme: None) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.write("policy.yaml", policy(plugins="{use: acme-misbehaves, options: {how: changes-the-plan}}"))
    assert texts.plan().changes() == [("create", "List/a")]
    texts.apply()
    texts.settled()


def test_another_version_of_a_plug_in_makes_another_plan(
    texts: Repository, acme: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.write("policy.yaml", policy(plugins="use: acme-consent"))
    assert texts("plan", "--out", "plan.json").code == 0
    from reconciler.app import policies

    monkeypatch.setattr(policies, "_version", lambda use: "policy acme-consent: acme-policies 2.2")
    assert texts("apply", "plan.json").code == 6
    monkeypatch.undo()
