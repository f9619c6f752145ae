"""The situations that pages begin in (``in=…``), and what stands in for commands that cannot be run by a test."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.store import open_store

from repository import EXAMPLES, SECRETS
from shells import USUAL_URL, Shell

URLS = ("https://dev.slicktext.com/v1", "https://engage.intelepeer.com", "https://api.exotel.com")


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """Why a command is not run as it is shown, and what is run in its place (empty: nothing)."""

    because: str
    instead: str = ""


_NETWORK = "installs from the network; CI installs the built package and runs it"
_SYSTEM = "needs a machine that runs systemd, and its root; tests/docs/test_recipes.py has the units verified"
_DOCKER = "needs the server of docker, and images from the network"
STAND_INS: Mapping[str, StandIn] = {
    "make demo": StandIn(because="make sets up its environment first", instead="reconciler demo"),
    "make test": StandIn(because="would run itself"),
    "python3 -m venv .venv": StandIn(because="the environment is there already, and has to stay as it is"),
    ". .venv/bin/activate": StandIn(because="goes with the one before"),
    "pip install .": StandIn(because=_NETWORK),
    "pip install '.[sandbox]'": StandIn(because=_NETWORK, instead="reconciler version"),
    "pip install '.[postgresql]'": StandIn(because=_NETWORK),
    "conftest test plan.json": StandIn(because="a program of its own, which no package registry for Python has"),
    "docker build -t reconciler .": StandIn(because=_DOCKER),
    'docker run --rm -v "$PWD:/repository" -e SLICKTEXT_API_KEY reconciler plan': StandIn(because=_DOCKER),
    "sudo systemctl enable --now reconciler-drift.timer": StandIn(because=_SYSTEM),
    "journalctl -u reconciler-drift.service": StandIn(because=_SYSTEM),
    "kubectl create secret generic reconciler --from-env-file=/etc/reconciler/outreach.env": StandIn(
        because="needs a cluster; tests/docs/test_recipes.py checks what is given to it"
    ),
    "reconciler apply --store postgresql+psycopg://user@db.example.com/reconciler": StandIn(
        because="there is no such server; tests/store has one of its own",
        instead="reconciler apply --yes --store sqlite:///elsewhere.db",
    ),
}
"""By the command, exactly as a page shows it, without its comment."""

NAMED_ONLY: Mapping[str, str] = {
    "reconciler call": "the command as such, which needs an account and an operation",
    "reconciler init": "wants a folder that has no project yet; blocks run it there",
    "reconciler sandbox": "goes on until it is ended; blocks run it",
}
"""Commands in prose that are not run as they stand, and why."""


def _nothing(shell: Shell) -> None:
    """An empty folder, no sandbox, no credentials: a reader who has just installed the tool."""


OUTREACH = {
    "reconciler.yaml": """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: outreach}
spec:
  manifests: [manifests]
  environments:
    prod: {store: {env: RECONCILER_STORE_URL}}
    sandbox: {}
""",
    "manifests/accounts.yaml": f"""\
apiVersion: slicktext/v1
kind: Account
metadata: {{name: main}}
spec:
  brandId: "123456789"
  baseUrl: {USUAL_URL}
  auth: {{apiKey: {{env: SLICKTEXT_API_KEY}}}}
---
apiVersion: intelepeer/v1
kind: Account
metadata: {{name: engage}}
spec:
  baseUrl: {USUAL_URL}
  membershipMode: append
  associateSemantics: add
  auth: {{username: {{env: INTELEPEER_USERNAME}}, password: {{env: INTELEPEER_PASSWORD}}}}
---
apiVersion: contactcenter/v1
kind: Account
metadata: {{name: center}}
spec:
  baseUrl: {USUAL_URL}
  accountId: 0123456789abcdef0123456789abcdef
  domain: sandbox
  auth: {{username: {{env: CONTACTCENTER_USERNAME}}, password: {{env: CONTACTCENTER_PASSWORD}}}}
""",
    "manifests/main.yaml": """\
apiVersion: slicktext/v1
kind: List
metadata: {name: vip}
spec: {name: VIP, description: Customers with more than ten orders}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: vip-members}
spec:
  list: vip
  mode: exact
  contacts: [{number: "+12025550001"}, {number: "+12025550002"}]
""",
    "manifests/engage.yaml": """\
apiVersion: intelepeer/v1
kind: List
metadata: {name: vip-calls}
spec: {name: VIP calls, headers: [phone, firstname]}
---
apiVersion: intelepeer/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring, callerIdentification: "+13125550100", flowId: 61a9a3ecf6b8387f078d52a1, state: published}
---
apiVersion: intelepeer/v1
kind: Association
metadata: {name: spring--vip-calls}
spec: {campaign: spring, list: vip-calls, moc: phone}
---
apiVersion: intelepeer/v1
kind: Membership
metadata: {name: vip-callers}
spec:
  list: vip-calls
  mode: additive
  contacts: [{number: "+12025550001", firstname: Ada}, {number: "+12025550002", firstname: Ben}]
""",
    "manifests/center.yaml": """\
apiVersion: contactcenter/v1
kind: Campaign
metadata: {name: welcome}
spec: {name: Welcome calls}
---
apiVersion: contactcenter/v1
kind: Membership
metadata: {name: people}
spec:
  campaign: welcome
  mode: additive
  contacts: [{number: "+12025550171", first_name: Emil}]
""",
}
_CALLED = {"name": "Reminders", "callerIdentification": "+13125550100", "flowId": "61a9a3ecf6b8387f078d52a1"}
SEED: Mapping[str, Any] = {
    "slicktext": {
        "contacts": [{"number": "+12025550003", "id": 7778}, {"generate": {"count": 2, "first": "+12025550001"}}],
        "lists": [
            {"name": "Join", "id": 2222, "members": ["+12025550001"]},
            {"name": "VIP", "members": ["+12025550001"]},
        ],
    },
    "intelepeer": {
        "lists": [{"name": "Reminder calls", "headers": ["phone"], "members": [{"phone": "+12025550004"}]}],
        "campaigns": [{**_CALLED, "id": "62151c1cc6c0c841da2fe8c5", "state": "published", "lists": ["Reminder calls"]}],
    },
    "contactcenter": {"campaigns": [{"name": "Welcome calls", "status": "stopped"}]},
}


def _outreach(shell: Shell) -> None:
    """A repository with accounts at three providers, some of it live already, nothing applied."""
    for name, text in OUTREACH.items():
        path = shell.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shell.environment |= SECRETS
    shell.environment["RECONCILER_STORE_URL"] = f"sqlite:///{shell.home}/shared.db"
    shell.begin_sandbox(SEED)


def _do(shell: Shell, command: str, expected: int = 0) -> str:
    code, printed = shell.run(command)
    assert code == expected, printed
    return printed


def _house(shell: Shell) -> None:
    """The rules of the page on policies, and a list that does not keep to them."""
    page = (EXAMPLES.parent / "docs" / "policies.md").read_text(encoding="utf-8")
    rules = page.split("```yaml\n", 1)[1].split("```", 1)[0]
    account = OUTREACH["manifests/accounts.yaml"].split("---\n")[0]
    labels = "{name: main, labels: {team: growth, owner: ann}}"
    files = {
        "manifests/account.yaml": account.replace("{name: main}", labels),
        "manifests/policies.yaml": rules,
        "manifests/vip.yaml": "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: vip}\nspec: {name: VIP}\n",
        "reconciler.yaml": OUTREACH["reconciler.yaml"],
    }
    for name, text in files.items():
        path = shell.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _applied(shell: Shell) -> None:
    """The same, applied."""
    _outreach(shell)
    _do(shell, "reconciler apply --yes")


def _removed(shell: Shell) -> None:
    """The same, and then somebody was taken off a list. RUN is the run that did it, CODE that of a problem."""
    _applied(shell)
    path = shell.folder / "manifests" / "main.yaml"
    path.write_text(path.read_text().replace(', {number: "+12025550002"}', ""))
    _do(shell, "reconciler apply --approve delete")
    shell.words |= {"CODE": "unknown-field"}
    shell.words["RUN"] = json.loads(_do(shell, "reconciler history --format json"))["runs"][0]["id"]


def _drifted(shell: Shell) -> None:
    """Applied, and then edited in the portal."""
    _applied(shell)
    edit = {"provider": "slicktext", "op": "edit_list", "list": "VIP", "set": {"description": "edited"}}
    _do(shell, f"curl -sf -d '{json.dumps(edit)}' {USUAL_URL}/__sandbox__/tamper")


def _dial_without_answer(shell: Shell) -> None:
    """Applied, and a dial whose answer was lost."""
    _applied(shell)
    lost = {
        "provider": "intelepeer",
        "method": "POST",
        "path": "/_rest/v2/campaigns/*/action",
        "fault": {"kind": "drop_before"},
    }
    _do(shell, f"curl -sf -X PUT -d '{json.dumps([lost])}' {USUAL_URL}/__sandbox__/faults")
    _do(shell, "reconciler dial engage/Campaign/spring --approve contact --confirm spring", 9)


def _leased(shell: Shell) -> None:
    """The same, while somebody who is still there holds two accounts, of this project and of another one."""
    _applied(shell)
    store = shell.closing.enter_context(
        open_store(f"sqlite:///{shell.folder}/.reconciler/store.db", namespace="another", create=True)
    )
    for identity in ("slicktext:api.slicktext.com:brand=26136", "slicktext:127.0.0.1:brand=123456789"):
        store.acquire([identity])


def _example(name: str) -> Callable[[Shell], None]:
    def begin(shell: Shell) -> None:
        shutil.copytree(EXAMPLES / name, shell.folder, dirs_exist_ok=True)
        project = shell.folder / "reconciler.yaml"
        text = project.read_text()
        for url in URLS:
            text = text.replace(url, USUAL_URL)
        project.write_text(text)
        shell.environment |= SECRETS
        shell.begin_sandbox(shell.folder / "sandbox.yaml")

    return begin


SITUATIONS: Mapping[str, Callable[[Shell], None]] = {
    "nothing": _nothing,
    "outreach": _outreach,
    "house": _house,
    "applied": _applied,
    "removed": _removed,
    "drifted": _drifted,
    "leased": _leased,
    "dial-without-answer": _dial_without_answer,
    **{f"example-{path.name}": _example(path.name) for path in sorted(EXAMPLES.iterdir()) if path.is_dir()},
}
