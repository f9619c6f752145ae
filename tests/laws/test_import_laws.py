"""Whatever is live: an import writes manifests that a load takes, and a plan right after it holds only ownership.

Random accounts of every provider, with names and texts that portals let people type, go through the command line.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.sandbox import Sandbox

from repository import CALLS, PROJECT, SECRETS, TEXTS, Repository

LINES = """\
apiVersion: exotel/v1
kind: Account
metadata: {name: india}
spec:
  accountSid: sandbox1
  region: singapore
  baseUrl: URL
  auth: {apiKey: {env: EXOTEL_API_KEY}, apiToken: {env: EXOTEL_API_TOKEN}}
"""
LEADS = """\
apiVersion: contactcenter/v1
kind: Account
metadata: {name: desk}
spec:
  accountId: 0123456789abcdef0123456789abcdef
  domain: sandbox
  baseUrl: URL
  auth: {username: {env: CONTACTCENTER_USERNAME}, password: {env: CONTACTCENTER_PASSWORD}}
"""
ACCOUNTS = {
    "slicktext": ("main", TEXTS),
    "intelepeer": ("engage", CALLS),
    "exotel": ("india", LINES),
    "contactcenter": ("desk", LEADS),
}

# --- worlds ----------------------------------------------------------------------------------------------------------

PIECES = (
    *("VIP", "join", "Join", "no", "null", "true", "12", "0x1f", "1e5", "~", "-", "--", "---", "...", "&a", "*a", "!t"),
    *("|", ">", "#", " # ", ": ", ":", "?", "{", "}", "[", "]", ",", "'", '"', "\\", "\\n", "%", "@", "`", "<<", "="),
    *("${var.x}", "$${var.x}", "é", "ß", "中文", "Список", "🎉", "👨‍👩‍👧", "../x", "+16155550123", "615-555-0123"),
    *("=cmd()", " ", "  ", "\t", "\n", "\r\n", "\x00", "\x1b[31m", "\u202e", "\u2028", "\u00a0", "\x7f", "\ufeff"),
)
TEXT = st.lists(st.sampled_from(PIECES), max_size=5).map("".join) | st.text(max_size=12)
NAMES = st.one_of(
    TEXT, TEXT.map(lambda t: f"List {t}"), st.sampled_from(["Join", "join", "VIP list", "Spring sale"])
).filter(str.strip)
PEOPLE = st.lists(st.integers(0, 40).map(lambda n: f"+120255501{n:02}"), max_size=6, unique=True)
LATER = "2099-01-01"


@st.composite
def slicktext(draw: st.DrawFn) -> dict[str, Any]:
    lists = [
        {"id": 2000 + i, "name": name, "description": draw(TEXT), "members": draw(PEOPLE)}
        for i, name in enumerate(draw(st.lists(NAMES, max_size=5)))
    ]
    people = [
        {
            "number": number,
            "first_name": draw(TEXT),
            "zip": draw(st.sampled_from([None, "02134", "x"])),
            "birthdate": draw(st.sampled_from([None, "1968-06-12", "yesterday"])),
            "opt_in_status": draw(st.sampled_from(["subscribed", "unsubscribed", "blocked", "not subscribed"])),
        }
        for number in draw(PEOPLE)
    ]
    ids = [one["id"] for one in lists]
    statuses = st.sampled_from(["draft", "scheduled", "queued", "sent", "failed", "canceled"])
    campaigns = [
        {
            "name": name,
            "body": draw(TEXT) or "Hello",
            "status": draw(statuses),
            "scheduled": f"{LATER} 10:00:00",
            "lists": draw(st.lists(st.sampled_from(ids), unique=True)) if ids else [],
        }
        for name in draw(st.lists(NAMES, max_size=4))
    ]
    return {"lists": lists, "contacts": people, "campaigns": campaigns}


@st.composite
def intelepeer(draw: st.DrawFn) -> dict[str, Any]:
    headers = st.lists(st.sampled_from(["phone", "firstname", "PHONE", "x y", "city"]), unique=True)
    names = draw(st.lists(NAMES, max_size=5))
    lists = [
        {"id": f"l{i}", "name": name, "description": draw(TEXT), "headers": draw(headers), "members": draw(PEOPLE)}
        for i, name in enumerate(names)
    ]
    ids = [one["id"] for one in lists]
    campaigns = [
        {
            "name": name,
            "description": draw(TEXT),
            "callerIdentification": draw(st.sampled_from(["+13125550100", "0000000000", "13125550100", ""])),
            "flowId": draw(st.sampled_from(["61a9a3ecf6b8387f078d52a1", ""])),
            "state": draw(st.sampled_from(["draft", "published", "error"])),
            "lists": draw(st.lists(st.sampled_from(ids), unique=True)) if ids else [],
            "moc": draw(st.sampled_from([None, "phone", "city"])),
            "autoDetectTZ": draw(st.booleans()),
        }
        for name in draw(st.lists(NAMES, max_size=4))
    ]
    return {"lists": lists, "campaigns": campaigns}


@st.composite
def exotel(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(NAMES, max_size=5, unique=True))
    lists = [{"sid": f"l{i}", "name": name, "tag": draw(TEXT), "members": draw(PEOPLE)} for i, name in enumerate(names)]
    people = [{"number": number, "first_name": draw(TEXT), "email": draw(TEXT)} for number in draw(PEOPLE)]
    sids = [one["sid"] for one in lists]
    statuses = st.sampled_from(["created", "in-progress", "paused", "completed", "failed", "canceled", "archived"])
    campaigns = [
        {
            "name": name,
            "caller_id": "08047112233",
            "url": draw(st.sampled_from([None, "http://my.exotel.com/sandbox1/exoml/start_voice/7", "//x"])),
            "custom_field": draw(TEXT),
            "schedule": {"send_at": f"{LATER}T10:00:00+05:30"} if status == "created" or draw(st.booleans()) else None,
            "retries": draw(st.sampled_from([None, {"number_of_retries": 2, "interval_mins": 5}])),
            "status": status,
            "lists": draw(st.lists(st.sampled_from(sids), unique=True, max_size=5)) if sids else [],
        }
        # One that is created without a time would call people at once, in the sandbox as well.
        for name, status in draw(st.lists(st.tuples(NAMES, statuses), max_size=4))
    ]
    return {"lists": lists, "contacts": people, "campaigns": campaigns}


@st.composite
def contactcenter(draw: st.DrawFn) -> dict[str, Any]:
    statuses = st.sampled_from(["new", "success", "failed", "in progress", "something"])
    names = draw(st.lists(NAMES, max_size=4))
    campaigns = [
        {
            "name": name,
            "status": "stopped",
            "leads": [
                {"number": n, "status": draw(statuses), "first_name": draw(TEXT), "priority": draw(st.integers(0, 9))}
                for n in draw(PEOPLE)
            ],
        }
        for name in names
    ]
    return {"campaigns": campaigns}


WORLDS = {"slicktext": slicktext(), "intelepeer": intelepeer(), "exotel": exotel(), "contactcenter": contactcenter()}


@contextlib.contextmanager
def repository(provider: str, seed: Mapping[str, Any]) -> Iterator[Repository]:
    """A repository that declares one account and nothing else, beside a sandbox that holds ``seed``."""
    account, text = ACCOUNTS[provider]
    before = Path.cwd()
    out, err = io.StringIO(), io.StringIO()

    def captured() -> Any:
        said = type("Said", (), {"out": out.getvalue(), "err": err.getvalue()})
        for stream in (out, err):
            stream.seek(0)
            stream.truncate()
        return said

    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(seed={provider: seed}, knobs={"slicktext": {"rate_limit": None}}) as sandbox,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        found = Repository(Path(folder).resolve(), sandbox, captured)
        (found.root / "reconciler.yaml").write_text(PROJECT)
        found.write(f"{account}.yaml", text)
        os.chdir(found.root)
        try:
            yield found
        finally:
            os.chdir(before)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    # A seal is slow on purpose, and no law here is about it.
    monkeypatch.setattr("reconciler.app.planning.digest_of", lambda *given: "")


def written(repo: Repository, account: str) -> dict[str, bytes]:
    folder = repo.root / "manifests" / account
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# --- laws ------------------------------------------------------------------------------------------------------------


def check_import(provider: str, seed: Mapping[str, Any]) -> None:
    account, _ = ACCOUNTS[provider]
    with repository(provider, seed) as repo:
        imported = repo("import", account)
        assert imported.code == 0, imported.err
        plan = repo.plan()
        assert plan.code == 0, plan.out + plan.err
        assert {action for action, _ in plan.changes()} <= {"adopt"}, plan.out
        assert plan.json["summary"]["calls"] == 0
        first = written(repo, account)

        if first:
            assert repo("import", account).code == 3
            formed = repo("fmt", "--check", "--diff", f"manifests/{account}")
            assert formed.code == 0, formed.out + formed.err
        adopted = repo("import", account, "--update", "--adopt")
        assert adopted.code == 0, adopted.err
        assert written(repo, account) == first, "nothing was different, and something was written"
        plan = repo.plan("--detailed-exitcode")
        assert plan.code == 0, plan.out + plan.err
        assert repo.writes() == []
        assert repo.sandbox.ledger()["contacted"].get(provider, []) == []


def check_reimport(provider: str, seed: Mapping[str, Any], random: Random) -> None:
    account, _ = ACCOUNTS[provider]
    with repository(provider, seed) as repo:
        assert repo("import", account, "--adopt").code == 0
        comments = edited_by_hand(repo.root / "manifests" / account, random)
        plan = repo.plan("--detailed-exitcode")
        assert plan.code == 0, plan.out + plan.err
        tamper(repo.sandbox, provider, random)
        again = repo("import", account, "--update", "--adopt")
        assert again.code == 0, again.err
        texts = b"".join(content for name, content in written(repo, account).items() if name.endswith(".yaml"))
        assert [c for c in comments if c.encode() not in texts] == []
        plan = repo.plan("--detailed-exitcode")
        assert plan.code == 0, plan.out + plan.err + again.err
        assert repo.writes() == []


def edited_by_hand(folder: Path, random: Random) -> list[str]:
    """Comments, another order of documents, rows and columns: all that a person does and no tool may undo."""
    comments: list[str] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".yaml":
            documents = path.read_text().split("\n---\n")
            random.shuffle(documents)
            lines = "\n---\n".join(d.rstrip("\n") for d in documents).split("\n")
            for i, line in enumerate(lines):
                if line.startswith("    - file:"):
                    lines[i] = f"{line}\n      columns: {{number: number}}  # other columns are remarks of ours"
                if line.startswith(("kind:", "  name:", "  mode:", "  description:")) and not line.endswith("|-"):
                    comments.append(f"# by hand {path.stem} {i}")
                    lines[i] = f"{line}  {comments[-1]}"
            path.write_text("\n".join(lines) + random.choice(["", "\n"]))
        elif path.suffix == ".csv":
            header, *rows = path.read_text().splitlines()
            random.shuffle(rows)
            path.write_text("\n".join([f"{header},remark", *(f"{row},mine" for row in rows)]))
    return comments


def tamper(sandbox: Sandbox, provider: str, random: Random) -> None:
    """A few things that somebody does in the portal. Nothing is deleted: that is told, and not the import's to say."""
    state = sandbox.state()[provider]
    lists, campaigns = state.get("lists", []), state.get("campaigns", [])
    number = f"+120255501{random.randrange(41, 99)}"
    key = {"slicktext": "contact_list_id", "exotel": "sid", "intelepeer": "id"}.get(provider, "id")
    about = {"exotel": "tag"}.get(provider, "description")
    if provider == "contactcenter":
        for one in campaigns:
            sandbox.tamper(provider, "add_leads", campaign=one["id"], leads=[{"number": number}])
        sandbox.tamper(provider, "create_campaign", name="New one", leads=[{"number": number}])
        return
    sandbox.tamper(provider, "create_list", name=f"New one {number[-2:]}", members=[number])
    if provider == "intelepeer":
        return  # what it says of a list cannot be corrected, and of its people nothing can be read
    for one in random.sample(lists, k=len(lists) // 2):
        sandbox.tamper(provider, "edit_list", list=one[key], set={about: random.choice(["other", "a: b # c", ""])})
    for one in random.sample(lists, k=len(lists) // 2):
        if one["numbers"] and random.random() < 0.5:
            sandbox.tamper(provider, "remove_members", list=one[key], numbers=random.sample(one["numbers"], k=1))
        sandbox.tamper(provider, "add_members", list=one[key], numbers=[number])
    for one in random.sample(campaigns, k=len(campaigns) // 2):
        if provider == "slicktext" and one["status"] == "draft":
            sandbox.tamper(provider, "edit_campaign", campaign=one["campaign_id"], set={"body": "Other\ntext: #1"})


def settled(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("provider", ACCOUNTS)
def test_a_plan_right_after_an_import_is_empty(provider: str) -> None:
    @settled(10)
    @given(WORLDS[provider])
    def law(seed: Mapping[str, Any]) -> None:
        check_import(provider, seed)

    law()


@pytest.mark.parametrize("provider", ACCOUNTS)
def test_a_second_import_keeps_what_people_wrote(provider: str) -> None:
    @settled(8)
    @given(WORLDS[provider], st.randoms(use_true_random=False))
    def law(seed: Mapping[str, Any], random: Random) -> None:
        check_reimport(provider, seed, random)

    law()


@pytest.mark.long
@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("provider", ACCOUNTS)
def test_many_imports(provider: str) -> None:
    @settled(120)
    @given(WORLDS[provider], st.randoms(use_true_random=False))
    def law(seed: Mapping[str, Any], random: Random) -> None:
        check_import(provider, seed)
        check_reimport(provider, seed, random)

    law()
