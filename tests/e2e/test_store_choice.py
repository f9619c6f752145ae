"""Which store a command uses."""

from __future__ import annotations

import pytest

from repository import PROJECT, Repository

LIST = "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: a}\nspec: {name: Listing}\n"


def test_plan_makes_no_store_and_apply_makes_a_private_one(texts: Repository) -> None:
    texts.write("list.yaml", LIST)
    texts.plan()
    assert not (texts.root / ".reconciler").exists()
    texts.apply()
    assert (texts.root / ".reconciler").stat().st_mode & 0o777 == 0o700
    assert (texts.root / ".reconciler" / "store.db").stat().st_mode & 0o777 == 0o600


def test_the_project_may_say_where_the_url_is(texts: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PROJECT.replace("{manifests: [manifests]}", "{manifests: [manifests], store: {env: STORE_URL}}")
    (texts.root / "reconciler.yaml").write_text(text)
    texts.write("list.yaml", LIST)
    missing = texts("plan")
    assert missing.code == 1
    assert "STORE_URL" in missing.err
    assert texts("validate").code == 0
    monkeypatch.setenv("STORE_URL", "sqlite:///elsewhere.db")
    texts.apply()
    assert (texts.root / "elsewhere.db").exists()
    assert not (texts.root / ".reconciler").exists()
    texts.settled()


def test_the_command_line_wins(texts: Repository) -> None:
    texts.write("list.yaml", LIST)
    texts.apply("--store", "sqlite:///other.db")
    assert texts("inventory", "list", "--store", "sqlite:///other.db").out.startswith("main/List/a")
    assert texts("inventory", "list").out.startswith("Nothing")


def test_a_damaged_store_is_never_read_as_empty(texts: Repository) -> None:
    texts.write("list.yaml", LIST)
    texts.apply()
    (texts.root / ".reconciler" / "store.db").write_bytes(b"not a database at all" * 100)
    for words in (("plan",), ("apply", "--yes"), ("history",)):
        result = texts(*words)
        assert result.code == 1
        assert "store" in result.err
    assert len(texts.writes()) == 1


def test_without_its_store_what_is_live_is_adopted(texts: Repository) -> None:
    texts.write("list.yaml", LIST)
    texts.apply()
    for file in (texts.root / ".reconciler").iterdir():
        file.unlink()
    assert texts.plan().changes() == [("adopt", "List/a")]
    texts.apply()
    assert len(texts.writes()) == 1
    texts.settled()


def test_ownership_is_taken_by_id_and_let_go(texts: Repository) -> None:
    for name in ("Listing", "Listing"):
        texts.sandbox.tamper("slicktext", "create_list", name=name)
    first, second = (x["contact_list_id"] for x in texts.sandbox.state()["slicktext"]["lists"])
    texts.write("list.yaml", LIST)
    assert texts("plan").code == 3
    assert texts("inventory", "adopt", "main/List/a", str(second)).code == 5
    assert texts("inventory", "adopt", "main/List/a", "99999", "--yes").code == 64
    assert texts("inventory", "adopt", "main/List/zzz", str(second), "--yes").code == 64
    assert texts("inventory", "adopt", "main/List/a", str(second), "--yes").code == 0
    assert texts("inventory", "list").out.split() == ["main/List/a", str(second)]
    texts.settled()
    assert texts("inventory", "forget", "main/List/a", "--yes").code == 0
    assert texts("inventory", "forget", "main/List/a", "--yes").code == 64
    assert texts("plan").code == 3
    assert texts.writes() == []
    assert {first, second} == {x["contact_list_id"] for x in texts.sandbox.state()["slicktext"]["lists"]}
