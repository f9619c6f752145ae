"""Good manifests become exactly the values that they say."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from reconciler.diagnostics import Severity
from reconciler.manifest.load import LoadOptions, load
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.desired import Desired, QuietHours
from reconciler.model.resources import (
    ById,
    Declared,
    FromEnv,
    FromFile,
    GuardLimits,
    Lifecycle,
    Limits,
    Literally,
    Mode,
    OnRemove,
    Settle,
)

GOOD = Path(__file__).parent / "good"
OPTIONS = LoadOptions(providers={})


def desired(*paths: Path, options: LoadOptions = OPTIONS) -> Desired:
    found = load(paths, options)
    assert found.desired is not None, [f"{d.source} {d.code} {d.message}" for d in found.diagnostics]
    return found.desired


@pytest.fixture
def everything() -> Desired:
    return desired(GOOD / "ours.yaml")


def test_an_account_has_what_its_document_says(everything: Desired) -> None:
    account = everything.accounts["texts"]
    assert (account.provider, account.base_url) == ("slicktext", "http://127.0.0.1:8080/v1")
    assert account.auth == {"apiKey": FromFile(str(GOOD / "slicktext.key"))}
    assert account.settings == {
        "brandId": "26136",
        "bulkSize": 40,
        "memberPageSize": 250,
        "maxRows": 5000,
        "freezeWindow": 5400.0,
    }
    assert account.limits == Limits(
        requests_per_second=2.5, reads_per_minute=100, writes_per_minute=50, concurrency=2, timeout_s=20.0
    )
    assert account.settle == Settle(landing_s=120.0, visibility_s=0.0)
    assert account.labels == {"team": "growth"}
    assert account.source.line == 1


def test_guards_of_the_account_win_over_those_of_the_project(everything: Desired) -> None:
    expected = GuardLimits(
        deletes_count=3, deletes_percent=40.0, removals_count=100, removals_percent=12.5, max_reach=700
    )
    assert everything.accounts["texts"].guards == expected
    assert everything.accounts["calls"].guards.max_reach == 1000


def test_guards_of_the_environment_win_over_those_of_the_project() -> None:
    found = desired(GOOD / "ours.yaml", options=LoadOptions(providers={}, environment="prod"))
    assert found.accounts["calls"].guards == GuardLimits(deletes_count=5, deletes_percent=40.0, max_reach=5000)
    assert found.accounts["texts"].guards.deletes_count == 3
    assert (found.project.environment, found.project.store, found.project.store_from) == (
        "prod",
        "sqlite:///prod.db",
        None,
    )


def test_the_other_provider_keeps_its_own_settings(everything: Desired) -> None:
    account = everything.accounts["calls"]
    assert account.auth == {"token": FromEnv("ENGAGE_TOKEN")}
    assert account.settings["authScheme"] == "bearer"
    assert account.settings["authUrl"].startswith("https://customer.intelepeer.com/")
    with_name = desired(GOOD / "base.yaml").accounts["engage"]
    assert with_name.auth == {"username": Literally("acme-api"), "password": FromEnv("ENGAGE_PASSWORD")}


def test_a_list_with_everything(everything: Desired) -> None:
    vip = everything.resources[Address("texts", Kind.LIST, "vip")]
    assert vip.fields == {"name": "VIP", "description": ""}
    assert vip.pinned == "77"
    assert vip.labels == {"team": "growth", "example.com/tier": "gold"}
    assert vip.lifecycle == Lifecycle(
        protect=True,
        ignore=frozenset({"description"}),
        on_remove=OnRemove.DELETE,
        renamed_from="very-important",
    )
    assert (Path(vip.source.file).name, vip.source.line) == ("slicktext.yaml", 16)
    assert vip.link is None
    assert vip.members is None


def test_fields_keep_the_wires_spelling(everything: Desired) -> None:
    texts = everything.resources[Address("texts", Kind.CAMPAIGN, "spring")]
    assert texts.fields == {
        "name": "Spring",
        "body": "Hello\nthere",
        "media_url": "https://example.com/a.png",
        "scheduled": "2027-01-31 17:00:00",
        "status": "scheduled",
    }
    calls = everything.resources[Address("calls", Kind.CAMPAIGN, "spring")]
    assert calls.fields["flowId"] == "4711"
    assert everything.resources[Address("calls", Kind.LIST, "vip-calls")].fields["headers"] == ("phone", "firstname")


def test_associations_refer_to_what_is_declared_or_live(everything: Desired) -> None:
    texts = everything.resources[Address("texts", Kind.ASSOCIATION, "spring--vip")]
    assert texts.link is not None
    assert texts.link.campaign == Declared(Address("texts", Kind.CAMPAIGN, "spring"))
    assert texts.link.list == ById(RemoteId("2222"))
    assert texts.fields == {}
    assert texts.lifecycle.observe
    calls = everything.resources[Address("calls", Kind.ASSOCIATION, "spring--vip")]
    assert calls.fields == {"moc": "phone", "autoDetectTZ": True}


def test_an_id_that_a_manifest_pins_is_that_resource(tmp_path: Path) -> None:
    text = (GOOD / "slicktext.yaml").read_text().replace("list: {id: 2222}", 'list: {id: "77"}')
    (tmp_path / "a.yaml").write_text(text)
    (tmp_path / "people.csv").write_bytes((GOOD / "people.csv").read_bytes())
    link = desired(tmp_path).resources[Address("texts", Kind.ASSOCIATION, "spring--vip")].link
    assert link is not None
    assert link.list == Declared(Address("texts", Kind.LIST, "vip"))


def test_a_membership_has_its_rows_and_its_files(everything: Desired) -> None:
    members = everything.resources[Address("texts", Kind.MEMBERSHIP, "vip-members")].members
    assert members is not None
    assert members.of == Declared(Address("texts", Kind.LIST, "vip"))
    assert (members.mode, members.missing_contacts, members.contact_attributes) == (Mode.EXACT, "create", "sync")
    assert members.allow_empty
    assert members.options == {}
    assert list(members.contacts.rows()) == [
        {"number": "+16155550123", "first_name": "Marty", "zip": "09540"},
        {"number": "+16155550124", "first_name": None, "zip": None},
        {"number": "+16155550125", "first_name": "Ann", "zip": None},
        {"number": "+16155550126", "first_name": "Bo", "zip": None},
    ]


def test_a_row_that_is_skipped_is_a_warning() -> None:
    found = load([GOOD / "ours.yaml"], OPTIONS).diagnostics
    assert [(d.severity, d.code, Path(d.source.file).name, d.source.line) for d in found if d.source] == [
        (Severity.WARNING, "contact-invalid-number", "people.csv", 4)
    ]


def test_the_project_is_whole(everything: Desired) -> None:
    project = everything.project
    assert (project.name, project.root, project.environment) == ("acme-outreach", str(GOOD.resolve()), "")
    assert (project.store, project.store_from) == ("", FromEnv("RECONCILER_STORE_URL"))
    assert project.quiet_hours == QuietHours(start="20:00", end="09:00", days=frozenset({"sat", "sun"}))


def test_suppressions_hold_for_all_accounts_or_some(everything: Desired) -> None:
    assert [(s.name, len(s.contacts), s.accounts) for s in everything.suppressions] == [
        ("also-never", 1, frozenset()),
        ("never", 2, frozenset({"texts"})),
    ]
    assert list(everything.suppressed("texts").numbers()) == ["+16155550190", "+16155550191", "+16155550192"]
    assert len(everything.suppressed("calls")) == 1


def test_waivers_are_read(everything: Desired) -> None:
    (waiver,) = everything.waivers
    assert (str(waiver.address), set(waiver.fields), waiver.expires) == (
        "texts/List/vip",
        {"description"},
        date(2027, 1, 31),
    )


def test_the_account_may_be_left_out_when_there_is_one(tmp_path: Path) -> None:
    text = (GOOD / "base.yaml").read_text().replace(", account: main}", "}").replace(", account: engage}", "}")
    (tmp_path / "a.yaml").write_text(text)
    assert {str(a) for a in desired(tmp_path).resources} == {
        "main/List/join",
        "main/Campaign/spring",
        "main/Association/spring--join",
        "engage/List/vip-calls",
    }


def test_a_repository_with_only_an_account_is_valid(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text((GOOD / "base.yaml").read_text().partition("---")[0])
    found = desired(tmp_path)
    assert list(found.accounts) == ["main"]
    assert found.project.root == str(tmp_path.resolve())


def test_two_additive_memberships_may_share_a_list(tmp_path: Path) -> None:
    one = (
        "apiVersion: slicktext/v1\nkind: Membership\nmetadata: {name: NAME, account: main}\n"
        'spec: {list: join, mode: additive, contacts: [{number: "+16155550123"}]}\n---\n'
    )
    (tmp_path / "a.yaml").write_text((GOOD / "base.yaml").read_text())
    (tmp_path / "b.yaml").write_text(one.replace("NAME", "a") + one.replace("NAME", "b"))
    assert len(desired(tmp_path).of("main", Kind.MEMBERSHIP)) == 2


def test_the_same_number_twice_is_a_warning_with_both_places(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text((GOOD / "base.yaml").read_text())
    (tmp_path / "b.yaml").write_text(
        "apiVersion: slicktext/v1\nkind: Membership\nmetadata: {name: a, account: main}\nspec:\n"
        '  list: join\n  mode: exact\n  contacts:\n  - {number: "+16155550123"}\n  - {number: "+16155550123"}\n'
    )
    found = load([tmp_path], OPTIONS)
    assert found.desired is not None
    (warning,) = found.diagnostics
    assert (warning.code, warning.severity) == ("contact-duplicate", Severity.WARNING)
    assert "0123" not in f"{warning.message}{warning.hint}{warning.excerpt}"


def test_the_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    for folder in (first, second):
        folder.mkdir()
        for name in ("ours.yaml", "slicktext.yaml", "intelepeer.yaml", "people.csv", "never.ndjson"):
            (folder / name).write_bytes((GOOD / name).read_bytes())
    before = desired(first / "ours.yaml").inputs_digest
    assert desired(second / "ours.yaml").inputs_digest == before
    with (second / "people.csv").open("a") as file:
        file.write("+16155550127;Di\n")
    assert desired(second / "ours.yaml").inputs_digest != before
    (first / "intelepeer.yaml").rename(first / "calls.yaml")
    (first / "ours.yaml").write_text((first / "ours.yaml").read_text().replace("intelepeer.yaml", "calls.yaml"))
    assert desired(first / "ours.yaml").inputs_digest != before


def test_nothing_heavy_is_imported_for_small_manifests() -> None:
    script = (
        "import sys; from pathlib import Path; from reconciler.manifest.load import LoadOptions, load\n"
        f"assert load([Path({str(GOOD / 'base.yaml')!r})], LoadOptions(providers={{}})).desired\n"
        "print(*{'polars', 'deepdiff', 'jsonschema', 'httpx', 'phonenumbers', 'sqlalchemy', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
