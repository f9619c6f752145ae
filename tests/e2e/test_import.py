"""``import``: what is live becomes manifests, as a user drives it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.sandbox import Sandbox

from repository import Repository

SEED = {
    "slicktext": {
        "lists": [
            {"name": "Join", "description": "Join: the VIP list", "members": ["+12025550101", "+12025550102"]},
            {"name": "Ünïcode 中文"},
            {"name": "VIP", "members": ["+12025550103"]},
            {"name": "VIP", "members": ["+12025550101"]},
        ],
        "contacts": [
            {"number": "+12025550101", "first_name": "=1+1", "last_name": 'O"Neil, Sr.'},
            {"number": "+12025550102", "first_name": "Ann", "opt_in_status": "unsubscribed"},
        ],
        "campaigns": [
            {"name": "Spring", "body": "Hello ${var.name},\nsecond line", "lists": ["Join"]},
            {"name": "Winter", "status": "sent", "lists": ["Join"]},
        ],
    }
}


@pytest.fixture
def sandbox() -> object:
    with Sandbox(seed=SEED, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def imported(repo: Repository) -> Path:
    return repo.root / "manifests" / "main"


def test_an_adopting_import_leaves_nothing_to_plan(texts: Repository) -> None:
    done = texts("import", "main", "--adopt")
    assert done.code == 0, done.err
    assert "A plan is empty now." in done.out
    assert texts.writes() == []
    texts.settled()
    history = texts("history", "--format", "json").json["runs"]
    assert [r["command"] for r in history if r["command"] == "import"] == ["import"]
    owned = texts("inventory", "list", "--format", "json").json["objects"]
    assert {o["address"] for o in owned} >= {"main/List/join", "main/Association/spring--join"}


def test_what_is_declared_and_drifted_is_not_called_declared_as_it_is(texts: Repository, sandbox: Sandbox) -> None:
    texts("import", "main", "--adopt")
    sandbox.tamper("slicktext", "edit_list", list="Join", set={"description": "by hand"})
    imported(texts).rename(texts.root / "manifests" / "ours")
    texts("import", "main")
    imported(texts).rename(texts.root / "manifests" / "finished")
    again = texts("import", "main", "--out", "manifests/finished", "--update")
    assert again.out == "Nothing to write: everything that is live is declared.\nA plan now holds 1 change.\n"


def test_without_adopt_a_plan_takes_ownership_and_nothing_else(texts: Repository) -> None:
    assert texts("import", "main").code == 0
    assert not (texts.root / ".reconciler").exists()
    plan = texts.plan()
    assert {action for action, _ in plan.changes()} == {"adopt"}
    assert plan.json["summary"]["calls"] == 0


def test_the_manifests_read_as_if_a_person_had_written_them(texts: Repository) -> None:
    texts("import", "main")
    lists = (imported(texts) / "lists.yaml").read_text()
    assert (
        "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: join, account: main}\n"
        'spec:\n  name: Join\n  description: "Join: the VIP list"\n---\n'
    ) in lists
    assert "  name: Ünïcode 中文\n" in lists
    assert "# Nobody is there, so there is no Membership.\n" in lists
    campaigns = (imported(texts) / "campaigns.yaml").read_text()
    assert "  body: |-\n    Hello $${var.name},\n    second line\n" in campaigns
    assert '# Campaign "Winter"' in campaigns
    assert "kind: Association" in (imported(texts) / "associations.yaml").read_text()
    assert "mode: exact  # the file is the whole list\n" in (imported(texts) / "memberships.yaml").read_text()
    assert (imported(texts) / "contacts" / "join.csv").read_text() == (
        'number,first_name,last_name\n+12025550101,=1+1,"O""Neil, Sr."\n+12025550102,Ann,\n'
    )


def test_objects_of_one_name_are_told_apart_by_their_ids(texts: Repository, sandbox: Sandbox) -> None:
    texts("import", "main")
    ids = [x["contact_list_id"] for x in sandbox.state()["slicktext"]["lists"] if x["name"] == "VIP"]
    lists = (imported(texts) / "lists.yaml").read_text()
    for name, remote_id in zip(("vip", "vip-2"), ids, strict=True):
        assert f'metadata: {{name: {name}, account: main}}\nspec:\n  id: "{remote_id}"\n  name: VIP\n' in lists


def test_what_is_there_is_never_overwritten(texts: Repository) -> None:
    texts("import", "main")
    before = contents(texts.root)
    again = texts("import", "main")
    assert again.code == 3
    assert "import-exists" in again.err
    assert "--update" in again.err
    assert contents(texts.root) == before


def test_a_contact_file_in_the_way_counts_too(texts: Repository) -> None:
    texts.write("main/contacts/join.csv", "something else\n")
    assert texts("import", "main").code == 0  # it takes another name
    assert (imported(texts) / "contacts" / "join.csv").read_text() == "something else\n"
    assert (imported(texts) / "contacts" / "join-2.csv").exists()


def test_what_is_declared_elsewhere_is_not_written_again(texts: Repository) -> None:
    texts.write(
        "own.yaml",
        "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: mine}\nspec: {name: Join}\n---\n"
        "apiVersion: slicktext/v1\nkind: Membership\nmetadata: {name: people}\n"
        'spec: {list: mine, mode: additive, contacts: [{number: "+12025550101"}]}\n',
    )
    done = texts("import", "main", "--adopt")
    assert done.code == 0, done.err
    assert "  name: Join\n" not in (imported(texts) / "lists.yaml").read_text()
    assert "list: mine" in (imported(texts) / "associations.yaml").read_text()
    assert not (imported(texts) / "contacts" / "mine.csv").exists()
    texts.settled()


def test_suppressed_people_are_left_out_and_the_membership_takes_nobody_off(texts: Repository) -> None:
    texts.write(
        "stop.yaml",
        'apiVersion: reconciler/v1\nkind: Suppression\nmetadata: {name: stop}\nspec: {numbers: ["+12025550101"]}\n',
    )
    assert texts("import", "main", "--adopt").code == 0
    assert "+12025550101" not in (imported(texts) / "contacts" / "join.csv").read_text()
    assert (
        "mode: additive  # exact would take off whoever is not in the file"
        in (imported(texts) / "memberships.yaml").read_text()
    )
    assert texts.plan("--detailed-exitcode").code == 0


def test_numbers_stay_in_the_contact_files(texts: Repository) -> None:
    done = texts("import", "main", "--adopt")
    assert "+1202555" not in done.out + done.err
    yaml = b"".join(c for name, c in contents(imported(texts)).items() if name.endswith(".yaml"))
    assert b"+1202555" not in yaml


def test_json_says_the_same(texts: Repository) -> None:
    done = texts("import", "main", "--format", "json")
    assert "manifests/main/associations.yaml" in {f["path"] for f in done.json["files"]}
    assert {f["action"] for f in done.json["files"]} == {"create"}
    assert done.json["adopted"] == []
    assert "main/List/join" in done.json["plan"]["adopt"]
    assert {d["code"] for d in done.json["diagnostics"]} >= {"import-left-out", "import-note"}


# --- a second time ---------------------------------------------------------------------------------------------------


def test_a_second_import_changes_only_what_differs(texts: Repository, sandbox: Sandbox) -> None:
    texts("import", "main", "--adopt")
    lists = imported(texts) / "lists.yaml"
    text = lists.read_text().replace('"Join: the VIP list"', "'Join: the VIP list'   # agreed with marketing")
    lists.write_text("# our lists\n\n" + text)
    file = imported(texts) / "contacts" / "join.csv"
    memberships = imported(texts) / "memberships.yaml"
    memberships.write_text(memberships.read_text().replace("join.csv\n", "join.csv\n      columns: {number: number}\n"))
    file.write_text("remark,number\r\nold friend,+1 202 555 0102\r\n,+12025550101\r\n")
    before = contents(imported(texts))
    sandbox.tamper("slicktext", "edit_list", list="Join", set={"description": "It's the list"})
    sandbox.tamper("slicktext", "remove_members", list="Join", numbers=["+12025550101"])
    sandbox.tamper("slicktext", "add_members", list="Join", numbers=["+12025550109"])
    sandbox.tamper("slicktext", "create_list", name="Brand new", members=["+12025550109"])

    done = texts("import", "main", "--update", "--adopt")

    assert done.code == 0, done.err
    after = contents(imported(texts))
    assert after["associations.yaml"] == before["associations.yaml"]
    assert after["campaigns.yaml"] == before["campaigns.yaml"]
    expected = before["lists.yaml"].decode().replace("'Join: the VIP list'", "'It''s the list'")
    assert after["lists.yaml"].decode().startswith(expected)
    assert after["lists.yaml"].decode().removeprefix(expected).startswith("---\napiVersion: slicktext/v1\n")
    assert after["contacts/join.csv"] == b"remark,number\r\nold friend,+1 202 555 0102\r\n,+12025550109\r\n"
    assert after["memberships.yaml"].startswith(before["memberships.yaml"])
    texts.settled()


def test_what_is_gone_live_is_told_and_stays(texts: Repository, sandbox: Sandbox) -> None:
    texts("import", "main", "--adopt")
    before = contents(imported(texts))
    sandbox.tamper("slicktext", "delete_list", list="Ünïcode 中文")
    done = texts("import", "main", "--update", "--adopt")
    assert done.code == 0
    assert "main/List/unicode" in done.err
    assert "import-kept" in done.err
    assert contents(imported(texts)) == before


def test_an_exact_list_that_lost_everybody_says_that_it_is_meant(texts: Repository, sandbox: Sandbox) -> None:
    texts("import", "main", "--adopt")
    sandbox.tamper("slicktext", "remove_members", list="Join", numbers=["+12025550101", "+12025550102"])
    assert texts("import", "main", "--update").code == 0
    text = (imported(texts) / "memberships.yaml").read_text()
    assert "  mode: exact  # the file is the whole list\n  allowEmpty: true\n" in text
    assert (imported(texts) / "contacts" / "join.csv").read_text() == "number,first_name,last_name\n"
    assert texts.plan("--detailed-exitcode").code == 0


def test_a_value_with_a_variable_is_left_to_its_author(texts: Repository, sandbox: Sandbox) -> None:
    texts("import", "main", "--adopt")
    lists = imported(texts) / "lists.yaml"
    lists.write_text(lists.read_text().replace('"Join: the VIP list"', '"${var.what}: the VIP list"'))
    sandbox.tamper("slicktext", "edit_list", list="Join", set={"description": "Other"})
    done = texts("import", "main", "--update", "--var", "what=Join")
    assert done.code == 0
    assert "import-kept" in done.err
    assert "${var.what}" in lists.read_text()


# --- what ends it ----------------------------------------------------------------------------------------------------


def test_an_account_must_be_declared(texts: Repository) -> None:
    done = texts("import", "other")
    assert done.code == 64
    assert "main" in done.err


@pytest.mark.parametrize("out", ["../elsewhere", "/", ".hidden", "manifests/account.yaml"])
def test_a_folder_that_the_project_never_reads_is_a_mistake(texts: Repository, out: str) -> None:
    before = contents(texts.root)
    assert texts("import", "main", "--out", out).code == 64
    assert contents(texts.root) == before


def test_a_folder_outside_of_the_manifests_is_told_and_nothing_is_left(texts: Repository) -> None:
    before = contents(texts.root)
    done = texts("import", "main", "--out", "elsewhere/deep", "--adopt")
    assert done.code == 3
    assert "does not read elsewhere/deep" in done.err
    assert not (texts.root / "elsewhere").exists()
    assert {k: v for k, v in contents(texts.root).items() if not k.startswith(".reconciler")} == before
    assert texts("inventory", "list", "--format", "json").json["objects"] == []


def test_another_folder_below_the_manifests_will_do(texts: Repository) -> None:
    assert texts("import", "main", "--out", "manifests/imported", "--adopt").code == 0
    assert (texts.root / "manifests" / "imported" / "lists.yaml").exists()
    texts.settled()


def later(repo: Repository, *manifests: str) -> None:
    """A project that names manifests which are not there yet, beside the account."""
    (repo.root / "manifests/account.yaml").rename(repo.root / "account.yaml")
    (repo.root / "manifests").rmdir()
    project = repo.root / "reconciler.yaml"
    named = f"manifests: [account.yaml, {', '.join(manifests)}]"
    project.write_text(project.read_text().replace("manifests: [manifests]", named))
    assert named in project.read_text()


@pytest.mark.parametrize("words", [(), ("--adopt",), ("--out", "manifests"), ("--out", "manifests/a/b")])
def test_a_folder_that_the_project_names_already_is_made(texts: Repository, words: tuple[str, ...]) -> None:
    later(texts, "manifests")
    for command in ("validate", "plan"):
        refused = texts(command)
        assert refused.code == 3
        assert "reconciler.yaml:4:34: error[manifests-not-found]" in refused.err
        assert "make the folder" in refused.err
    assert texts("import", "main", *words).code == 0
    assert list((texts.root / "manifests").rglob("lists.yaml"))
    assert texts("validate").code == 0
    assert texts("plan", "--detailed-exitcode").code == (0 if "--adopt" in words else 2)


def test_another_folder_that_is_missing_is_still_refused(texts: Repository) -> None:
    later(texts, "manifests", "other")
    before = contents(texts.root)
    found = texts("import", "main")
    assert found.code == 3
    assert found.err.count("manifests-not-found") == 1
    assert contents(texts.root) == before
    assert not (texts.root / "manifests").exists()


def test_a_failed_import_makes_no_folder(texts: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    later(texts, "manifests")
    monkeypatch.setenv("SLICKTEXT_API_KEY", "wrong")
    assert texts("import", "main").code == 4
    assert not (texts.root / "manifests").exists()


def test_refused_credentials_and_a_broken_read_leave_nothing(
    texts: Repository, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = {"kind": "error_before", "status": 503}
    sandbox.set_faults([{"provider": "slicktext", "path": "re:lists$", "fault": down}])
    done = texts("import", "main", "--adopt")
    assert done.code == 10
    sandbox.set_faults([])
    monkeypatch.setenv("SLICKTEXT_API_KEY", "wrong")
    assert texts("import", "main").code == 4
    assert not imported(texts).exists()


def test_broken_manifests_come_before_the_network(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("broken.yaml", "kind: [")
    assert texts("import", "main").code == 3
    assert sandbox.requests() == []


def test_the_document_is_json_on_stdout_only(texts: Repository) -> None:
    done = texts("import", "main", "--format", "json", "--adopt")
    assert json.loads(done.out)["plan"] == {"adopt": [], "others": []}


def test_a_name_that_several_have_by_now_is_told_and_left(texts: Repository, sandbox: Sandbox) -> None:
    texts("import", "main")
    before = contents(imported(texts))
    sandbox.tamper("slicktext", "create_list", name="Join", members=["+12025550101"])
    done = texts("import", "main", "--update")
    assert done.code == 0
    assert "main/List/join has a name that several live objects have" in done.err
    after = contents(imported(texts))
    assert {name: after[name] for name in before} == before
    assert texts.plan().code == 3


def test_somebody_new_is_added_to_an_imported_list(texts: Repository) -> None:
    folder = imported(texts)
    assert texts("import", "main").code == 0
    assert texts("import", "main", "--update", "--adopt").code == 0
    assert texts.plan().changes() == []
    people = folder / "contacts" / "vip.csv"
    columns = people.read_text(encoding="utf-8").splitlines()[0].count(",")
    with people.open("a", encoding="utf-8") as file:
        file.write("+12025558888" + "," * columns + "\n")
    refused = texts("plan")
    assert (refused.code, "error[missing-contacts]" in refused.out) == (3, True)
    memberships = folder / "memberships.yaml"
    text = memberships.read_text(encoding="utf-8")
    memberships.write_text(text.replace("  mode: ", "  missingContacts: create\n  mode: "), encoding="utf-8")
    assert texts.plan().code == 0
    # What is live wins again, and the option stays.
    assert texts("import", "main", "--update").code == 0
    assert "+12025558888" not in people.read_text(encoding="utf-8")
    assert "missingContacts: create" in memberships.read_text(encoding="utf-8")
    texts.settled()
