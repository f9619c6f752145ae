"""A repository of manifests in a temporary folder, a sandbox beside it, and the command line as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.cli import run
from reconciler.sandbox import Sandbox

EXAMPLES = Path(__file__).parents[2] / "examples"
SECRETS = {
    "SLICKTEXT_API_KEY": "sandbox-slicktext-key",
    "INTELEPEER_USERNAME": "sandbox",
    "INTELEPEER_PASSWORD": "sandbox-intelepeer-password",
    "EXOTEL_API_KEY": "sandbox-exotel-key",
    "EXOTEL_API_TOKEN": "sandbox-exotel-token",
    "CONTACTCENTER_USERNAME": "sandbox",
    "CONTACTCENTER_PASSWORD": "sandbox-contactcenter-password",
}
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: test}
spec: {manifests: [manifests]}
"""
TEXTS = """\
apiVersion: slicktext/v1
kind: Account
metadata: {name: main}
spec:
  brandId: "123456789"
  baseUrl: URL
  auth: {apiKey: {env: SLICKTEXT_API_KEY}}
"""
CALLS = """\
apiVersion: intelepeer/v1
kind: Account
metadata: {name: engage}
spec:
  baseUrl: URL
  membershipMode: append
  associateSemantics: add
  auth: {username: {env: INTELEPEER_USERNAME}, password: {env: INTELEPEER_PASSWORD}}
"""
VOICE = """\
apiVersion: exotel/v1
kind: Account
metadata: {name: voice}
spec:
  accountSid: sandbox1
  baseUrl: URL
  auth: {apiKey: {env: EXOTEL_API_KEY}, apiToken: {env: EXOTEL_API_TOKEN}}
"""


@dataclass
class Result:
    """What one command said. ``json`` is its stdout, parsed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def changes(self) -> list[tuple[str, str]]:
        """(action, Kind/name) of a plan in JSON."""
        return [(c["action"], f"{c['kind']}/{c['name']}") for c in self.json["changes"]]


@dataclass
class Repository:
    """Manifests and the commands that run on them."""

    root: Path
    sandbox: Sandbox
    capture: Callable[[], Any]
    said: list[str] = field(default_factory=list)

    def write(self, name: str, text: str) -> None:
        """A manifest, with ``URL`` standing for the sandbox's."""
        path = self.root / "manifests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("URL", self.sandbox.url), encoding="utf-8")

    def remove(self, name: str) -> None:
        (self.root / "manifests" / name).unlink()

    def __call__(self, *words: str) -> Result:
        self.capture()
        code = run(list(words))
        captured = self.capture()
        self.said += [captured.out, captured.err]
        return Result(code, captured.out, captured.err)

    def plan(self, *words: str) -> Result:
        """The plan as JSON."""
        return self("plan", "--format", "json", *words)

    def apply(self, *words: str) -> Result:
        """An apply with everything approved, which must go through."""
        result = self("apply", "--yes", "--approve", "delete,contact", *words)
        assert result.code == 0, result.out + result.err
        return result

    def writes(self) -> list[tuple[str, str]]:
        """(method, path) of every request that was not a read, logins left out."""
        return [
            (r["method"], r["path"])
            for r in self.sandbox.requests()
            if r["method"] != "GET" and not r["path"].endswith(("/authenticate", "/login"))
        ]

    def settled(self) -> None:
        """The law that ends every test: a second plan is empty and a second apply writes nothing."""
        plan = self.plan("--detailed-exitcode")
        assert plan.code == 0, plan.out
        before = len(self.writes())
        self.apply()
        assert len(self.writes()) == before
