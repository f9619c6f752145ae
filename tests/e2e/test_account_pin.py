"""Right credentials of the wrong account: whose account it is was written down, and another one is left alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.sandbox import Sandbox

from repository import CALLS, TEXTS, VOICE, Repository

CENTER_ID, OTHER_CENTER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
CENTER = f"""\
apiVersion: contactcenter/v1
kind: Account
metadata: {{name: center}}
spec:
  baseUrl: URL
  accountId: {CENTER_ID}
  domain: sandbox
  auth: {{username: sandbox, password: {{env: CONTACTCENTER_PASSWORD}}}}
"""


def center(account_id: str, domain: str) -> dict[str, object]:
    user = {"username": "sandbox", "password": "sandbox-contactcenter-password"}
    return {"account_id": account_id, "domain": domain, "users": [user]}


SEED = {
    "slicktext": {
        "brands": [
            {"brand_id": 123456789, "api_key": "sandbox-slicktext-key", "name": "Ours"},
            {"brand_id": 987654321, "api_key": "other-key", "name": "Theirs"},
        ]
    },
    "intelepeer": {
        "accounts": [
            {"customerId": "1", "users": [{"username": "sandbox", "password": "sandbox-intelepeer-password"}]},
            {"customerId": "2", "users": [{"username": "other", "password": "other-password"}]},
        ],
        "lists": [{"account": "2", "name": "Theirs", "headers": ["phone"]}],
    },
    "exotel": {
        "accounts": [
            {"sid": "sandbox1", "api_key": "sandbox-exotel-key", "api_token": "sandbox-exotel-token"},
            {"sid": "other1", "api_key": "other-key", "api_token": "other-token"},
        ]
    },
    "contactcenter": {
        "accounts": [center(CENTER_ID, "sandbox"), center(OTHER_CENTER, "other")],
        "campaigns": [{"name": "Spring"}],
    },
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=SEED, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


def a_list(provider: str, more: str = "") -> str:
    return (
        f"apiVersion: {provider}/v1\nkind: List\nmetadata: {{name: vip}}\n"
        f"spec: {{name: VIP people{more}}}\nlifecycle: {{onRemove: delete}}\n"
    )


def refused(repository: Repository, before: int) -> None:
    """Plan and apply say that it is another account, and nothing is written."""
    plan = repository("plan", "--format", "json")
    assert plan.code == 6, plan.out + plan.err
    assert "account-changed" in plan.out
    assert plan.json["changes"] == []
    applied = repository("apply", "--yes", "--approve", "delete,contact")
    assert applied.code == 6
    assert "account-changed" in applied.out + applied.err
    assert len(repository.writes()) == before


def test_another_brand_of_slicktext(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.write("account.yaml", TEXTS)
    repository.write("list.yaml", a_list("slicktext"))
    repository.apply()
    before = len(repository.writes())
    monkeypatch.setenv("SLICKTEXT_API_KEY", "other-key")
    wrong_key = repository("apply", "--yes")
    assert wrong_key.code == 4
    assert "account-mismatch" in wrong_key.out + wrong_key.err
    repository.write("account.yaml", TEXTS.replace("123456789", "987654321"))
    refused(repository, before)


def test_another_account_of_exotel(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.write("account.yaml", VOICE)
    repository.write("list.yaml", a_list("exotel"))
    repository.apply()
    before = len(repository.writes())
    monkeypatch.setenv("EXOTEL_API_KEY", "other-key")
    monkeypatch.setenv("EXOTEL_API_TOKEN", "other-token")
    repository.write("account.yaml", VOICE.replace("sandbox1", "other1"))
    refused(repository, before)
    # One that leads nowhere: 404 for everything is no empty account.
    repository.write("account.yaml", VOICE.replace("sandbox1", "nobody1"))
    assert repository("apply", "--yes").code in (4, 10)
    assert len(repository.writes()) == before


def test_another_customer_of_intelepeer(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.write("account.yaml", CALLS)
    repository.write("list.yaml", a_list("intelepeer", ", headers: [phone]"))
    repository.apply()
    before = len(repository.writes())
    monkeypatch.setenv("INTELEPEER_USERNAME", "other")
    monkeypatch.setenv("INTELEPEER_PASSWORD", "other-password")
    refused(repository, before)


def test_another_account_of_the_contact_centre(repository: Repository) -> None:
    repository.write("account.yaml", CENTER)
    spring = "apiVersion: contactcenter/v1\nkind: Campaign\nmetadata: {name: spring}\nspec: {name: Spring}\n"
    people = "spec: {campaign: spring, mode: additive, contacts: [{number: '+12025550110'}]}\n"
    members = f"---\napiVersion: contactcenter/v1\nkind: Membership\nmetadata: {{name: people}}\n{people}"
    repository.write("campaign.yaml", spring + members)
    repository.apply()
    before = len(repository.writes())
    other = CENTER.replace(CENTER_ID, OTHER_CENTER).replace("domain: sandbox", "domain: other")
    repository.write("account.yaml", other)
    refused(repository, before)
