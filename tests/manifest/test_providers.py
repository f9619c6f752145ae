"""What providers say about accounts and resources, and what the loader adds to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.diagnostics import Diagnostic, Span, error, warning
from reconciler.manifest.load import LoadOptions, load
from reconciler.model.addresses import Kind
from reconciler.model.desired import Desired
from reconciler.model.resources import Account, Resource
from reconciler.providers.base import Defaults, Provider

BASE = (Path(__file__).parent / "good" / "base.yaml").read_text()


class FakeRules:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def check(self, resource: Resource, account: Account, desired: Desired) -> Iterable[Diagnostic]:
        assert desired.accounts[account.name] is account
        self.asked.append(str(resource.address))
        if resource.address.kind is Kind.LIST:
            yield warning("fake-list", "no good name")
        if resource.link is not None:
            yield error("fake-link", "about its list", address="main/List/join")


class FakeProvider:
    defaults = Defaults(base_url="https://texts.example.com/v1", other_urls=("https://eu.example.com/v1",))

    def __init__(self) -> None:
        self.rules = FakeRules()

    def check_account(self, account: Account) -> tuple[Diagnostic, ...]:
        return (warning("fake-account", "old"), warning("fake-placed", "here", source=Span(file="x", line=7)))


@pytest.fixture
def fake() -> FakeProvider:
    return FakeProvider()


def loaded(folder: Path, text: str, fake: Any) -> tuple[Desired | None, list[tuple[str, str, int]]]:
    (folder / "a.yaml").write_text(text)
    providers = cast(Mapping[str, Provider], {"slicktext": fake})
    found = load([folder], LoadOptions(providers=providers))
    return found.desired, [(d.code, d.address, d.source.line if d.source else 0) for d in found.diagnostics]


def test_places_and_addresses_are_filled_in(tmp_path: Path, fake: FakeProvider) -> None:
    desired, told = loaded(tmp_path, BASE, fake)
    assert desired is None
    assert sorted(told) == [
        ("fake-account", "main", 1),
        ("fake-link", "main/List/join", 11),
        ("fake-list", "main/List/join", 11),
        ("fake-placed", "main", 7),
    ]
    assert fake.rules.asked == ["main/List/join", "main/Campaign/spring", "main/Association/spring--join"]


def test_warnings_do_not_stand_in_the_way(tmp_path: Path, fake: FakeProvider) -> None:
    desired, told = loaded(tmp_path, "---\n".join(BASE.split("---\n")[:3]), fake)
    assert desired is not None
    assert [code for code, _, _ in told] == ["fake-account", "fake-list", "fake-placed"]


def test_a_campaign_is_not_judged_while_an_association_is_unknown(tmp_path: Path, fake: FakeProvider) -> None:
    loaded(tmp_path, BASE.replace("list: join}", "list: join, lists: x}"), fake)
    assert fake.rules.asked == ["main/List/join"]
    fake.rules.asked.clear()
    loaded(tmp_path, BASE + "---\nx: [\n", fake)
    assert "main/Campaign/spring" not in fake.rules.asked


@pytest.mark.parametrize("host", ["texts.example.com", "eu.example.com"])
def test_the_providers_own_hosts_are_allowed(host: str, tmp_path: Path, fake: FakeProvider) -> None:
    text = BASE.replace("{brandId", f"{{baseUrl: 'https://{host}/other', brandId")
    assert "host-not-allowed" not in [code for code, _, _ in loaded(tmp_path, text, fake)[1]]


def test_the_registrys_providers_accept_the_examples(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BASE)
    found = load([tmp_path])
    assert found.desired is not None, found.diagnostics
