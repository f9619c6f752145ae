"""A repository with one contact centre account and its campaign, and what its portal holds."""

from __future__ import annotations

from typing import Any

from reconciler.sandbox import Sandbox

from repository import Repository

ACCOUNT = """\
apiVersion: contactcenter/v1
kind: Account
metadata: {name: center}
spec:
  baseUrl: URL
  accountId: 0123456789abcdef0123456789abcdef
  domain: sandbox
  auth: {username: sandbox, password: {env: CONTACTCENTER_PASSWORD}}
"""
CAMPAIGN = """\
apiVersion: contactcenter/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring}
"""
ANNA, BORIS, CLARA, DORA = (f"+120255501{n}" for n in range(10, 14))
REPORT, HISTORY = "/api/v2/reports/campaigns/leads/status", "/api/v2/reports/campaigns/leads/history"
SEED = {
    "contactcenter": {
        "accounts": [
            {
                "account_id": "0123456789abcdef0123456789abcdef",
                "domain": "sandbox",
                "users": [{"username": "sandbox", "password": "sandbox-contactcenter-password"}],
            }
        ],
        "campaigns": [
            {"name": "Spring", "leads": [{"number": ANNA, "first_name": "Anna"}, {"number": DORA, "status": "success"}]}
        ],
    }
}


def members(*numbers: str, mode: str = "exact", more: str = "", **columns: str) -> str:
    extra = "".join(f", {name}: {value!r}" for name, value in columns.items())
    rows = "".join(f"    - {{number: {number!r}{extra}}}\n" for number in numbers)
    head = "apiVersion: contactcenter/v1\nkind: Membership\nmetadata: {name: people}\n"
    return f"{head}spec:\n  campaign: spring\n  mode: {mode}\n{more}  contacts:\n{rows}"


def leads(sandbox: Sandbox) -> list[dict[str, Any]]:
    (account,) = sandbox.state()["contactcenter"]["accounts"]
    found: list[dict[str, Any]] = account["campaigns"][0]["leads"]
    return found


def statuses(sandbox: Sandbox) -> dict[str, str]:
    return {lead["number"]: lead["status"] for lead in leads(sandbox)}


def called(sandbox: Sandbox) -> list[Any]:
    found: list[Any] = sandbox.ledger()["contacted"].get("contactcenter", [])
    return found


def adds(center: Repository) -> int:
    return sum(method == "PUT" for method, _ in center.writes())
