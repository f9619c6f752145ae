"""A company that calls and texts: four accounts, lists of 20 to 5,000 people, and words for what happens to them.

It is built and applied once; ``Base.unpack`` gives every test its own copy of the repository, of its store and of the
state of the providers.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.cli import run
from reconciler.sandbox import Sandbox

Edit = Callable[["Outreach"], object]

TEXT_LISTS = {
    "staff": 20,
    "board": 25,
    "beta": 30,
    "trial": 40,
    "press": 60,
    "partners": 80,
    "east": 120,
    "west": 250,
    "vip": 400,
    "gold": 800,
    "shop": 1500,
    "newsletter": 5000,
}
CALL_LISTS = {"reminders": 60, "surveys": 40, "outages": 25}
VOICE_LISTS = {"renewals": 1000, "callbacks": 40, "welcome": 25}
LEAD_CAMPAIGNS = {"winback": 40, "upsell": 60}
SIZES = {**TEXT_LISTS, **CALL_LISTS, **VOICE_LISTS, **LEAD_CAMPAIGNS}
POOL = 9000
"""So many people are contacts at SlickText; those behind them nobody knows."""

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: outreach}
spec: {manifests: [manifests], variables: {season: Spring}}
"""
ACCOUNTS = """\
apiVersion: slicktext/v1
kind: Account
metadata: {name: texts}
spec:
  brandId: "123456789"
  baseUrl: URL
  memberPageSize: 1000
  guards: {removals: {count: 300}}      # five of a hundred of the newsletter, every week
  auth: {apiKey: {env: SLICKTEXT_API_KEY}}
---
apiVersion: intelepeer/v1
kind: Account
metadata: {name: calls}
spec:
  baseUrl: URL
  membershipMode: append
  associateSemantics: add
  auth: {username: {env: INTELEPEER_USERNAME}, password: {env: INTELEPEER_PASSWORD}}
---
apiVersion: exotel/v1
kind: Account
metadata: {name: voice}
spec:
  accountSid: sandbox1
  region: singapore
  baseUrl: URL
  auth: {apiKey: {env: EXOTEL_API_KEY}, apiToken: {env: EXOTEL_API_TOKEN}}
---
apiVersion: contactcenter/v1
kind: Account
metadata: {name: center}
spec:
  baseUrl: URL
  accountId: 0123456789abcdef0123456789abcdef
  domain: sandbox
  auth: {username: {env: CONTACTCENTER_USERNAME}, password: {env: CONTACTCENTER_PASSWORD}}
---
apiVersion: reconciler/v1
kind: Suppression
metadata: {name: never}
spec: {numbers: ["+16155550199"]}
"""
SEED = {
    "slicktext": {
        "brands": [
            {"brand_id": 123456789, "api_key": "sandbox-slicktext-key", "name": "Acme"},
            {"brand_id": 987654321, "api_key": "sandbox-other-key", "name": "Acme Canada"},
        ],
        "contacts": [{"brand": 123456789, "generate": {"count": POOL, "first": "+12025550000"}}],
    },
    "contactcenter": {
        "accounts": [
            {
                "account_id": "0123456789abcdef0123456789abcdef",
                "domain": "sandbox",
                "users": [{"username": "sandbox", "password": "sandbox-contactcenter-password"}],
            }
        ],
        "campaigns": [{"name": n.title(), "status": "stopped"} for n in (*LEAD_CAMPAIGNS, "onboarding")],
    },
}
LATER = "2099-02-02T09:00:00+05:30", "2099-02-02T18:00:00+05:30"


def number(index: int) -> str:
    return f"+1202555{index:04d}"


def doc(provider: str, kind: str, name: str, spec: str, life: str = "onRemove: delete") -> str:
    """One document; ``spec`` and ``life`` are the insides of flow mappings."""
    head = f"---\napiVersion: {provider}/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n"
    return f"{head}lifecycle: {{{life}}}\nspec: {{{spec}}}\n"


def text_list(name: str, mode: str = "exact", more: str = "") -> str:
    source = f"contactsFrom: [{{file: ../../contacts/{name}.csv}}]"
    return doc("slicktext", "List", name, f"name: {name.title()}, description: The {name} list") + doc(
        "slicktext", "Membership", f"{name}-people", f"list: {name}, mode: {mode}, {more}{source}"
    )


def text_campaign(name: str, *lists: str, status: str = "draft") -> str:
    when = ', scheduled: "2099-05-01 14:00:00"' if status == "scheduled" else ""
    body = f"body: The {name} sale. Reply STOP to opt out"
    links = "".join(doc("slicktext", "Association", f"{name}--{x}", f"campaign: {name}, list: {x}") for x in lists)
    return doc("slicktext", "Campaign", name, f"name: {name.title()}, {body}, status: {status}{when}") + links


def call_list(name: str) -> str:
    fields = f"name: {name.title()}, description: The {name} list, headers: [phone, firstname]"
    source = f"contactsFrom: [{{file: ../../contacts/{name}.csv, columns: {{number: number, firstname: first_name}}}}]"
    members = doc(
        "intelepeer", "Membership", f"{name}-people", f"list: {name}, mode: additive, {source}", "protect: false"
    )
    return doc("intelepeer", "List", name, fields) + members


def call_campaign(name: str, *lists: str, state: str = "draft") -> str:
    fields = f'name: {name.title()}, description: "Calls", callerIdentification: "+13125550100", state: {state}, '
    flow = "flowId: 61a9a3ecf6b8387f078d52a1"
    links = "".join(
        doc("intelepeer", "Association", f"{name}--{x}", f"campaign: {name}, list: {x}, moc: phone") for x in lists
    )
    return doc("intelepeer", "Campaign", name, fields + flow) + links


def voice_list(name: str, more: str = "") -> str:
    source = f"contactsFrom: [{{file: ../../contacts/{name}.csv}}]"
    members = f"list: {name}, mode: exact, missingContacts: create, {more}{source}"
    return doc("exotel", "List", name, f"name: {name.title()}, tag: {name}") + doc(
        "exotel", "Membership", f"{name}-people", members
    )


def voice_campaign(name: str, *lists: str, send_at: str = LATER[0], end_at: str = LATER[1]) -> str:
    fields = f'name: {name.title()}, caller_id: "+12025550100", url: http://my.exotel.com/x/exoml/start_voice/9, '
    times = f'schedule: {{send_at: "{send_at}", end_at: "{end_at}"}}'
    links = "".join(doc("exotel", "Association", f"{name}--{x}", f"campaign: {name}, list: {x}") for x in lists)
    return doc("exotel", "Campaign", name, fields + times) + links


def leads(name: str, mode: str = "exact", file: str = "") -> str:
    source = f"contactsFrom: [{{file: ../../contacts/{file or name}.csv}}]"
    return doc("contactcenter", "Campaign", name, f"name: {name.title()}", "protect: false") + doc(
        "contactcenter", "Membership", f"{name}-leads", f"campaign: {name}, mode: {mode}, {source}"
    )


def manifests() -> Mapping[str, str]:
    """File below ``manifests`` -> text: one file for each list and campaign."""
    return {
        "accounts.yaml": ACCOUNTS,
        **{f"texts/{n}.yaml": text_list(n) for n in TEXT_LISTS},
        "texts/spring.yaml": text_campaign("spring", "vip"),
        "texts/autumn.yaml": text_campaign("autumn", "gold", status="scheduled"),
        **{f"calls/{n}.yaml": call_list(n) for n in CALL_LISTS},
        "calls/appointments.yaml": call_campaign("appointments", "reminders", state="published"),
        "calls/opinions.yaml": call_campaign("opinions", "surveys"),
        **{f"voice/{n}.yaml": voice_list(n) for n in VOICE_LISTS},
        "voice/round.yaml": voice_campaign("round", "renewals"),
        **{f"center/{n}.yaml": leads(n) for n in LEAD_CAMPAIGNS},
    }


@dataclass(slots=True)
class Outreach:
    """The repository on disk, and the sandbox its accounts point at."""

    root: Path
    sandbox: Sandbox

    def manifest(self, name: str) -> Path:
        return self.root / "manifests" / name

    def people(self, name: str) -> Path:
        return self.root / "contacts" / f"{name}.csv"

    def write(self, name: str, text: str) -> None:
        path = self.manifest(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("URL", self.sandbox.url), encoding="utf-8")

    def rows(self, name: str) -> list[str]:
        """The numbers in a contact file."""
        with self.people(name).open(encoding="utf-8", newline="") as file:
            return [row["number"] for row in csv.DictReader(file)]

    def put(self, name: str, numbers: Iterable[str], first_name: Callable[[str], str] = lambda n: f"P{n[-4:]}") -> None:
        lines = ["number,first_name", *(f"{n},{first_name(n)}" for n in numbers)]
        self.people(name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def writes(self) -> int:
        """How many requests so far were no reads; logging in is one."""
        reads = ("/authenticate", "/login")
        return sum(r["method"] != "GET" and not r["path"].endswith(reads) for r in self.sandbox.requests())


@dataclass(frozen=True, slots=True)
class Base:
    """The company as it stands after its first apply."""

    folder: Path
    sandbox: Sandbox
    state: Any

    @classmethod
    def built(cls, folder: Path, sandbox: Sandbox) -> Base:
        """Raises AssertionError when the first apply does not go through. The caller has set the secrets."""
        made = Outreach(folder, sandbox)
        (folder / "contacts").mkdir(parents=True)
        (folder / "reconciler.yaml").write_text(PROJECT, encoding="utf-8")
        for at, (name, size) in enumerate(SIZES.items()):
            made.put(name, (number(i) for i in range(7 * at, 7 * at + size)))
        for name, text in manifests().items():
            made.write(name, text)
        assert run(["apply", str(folder), "--yes", "--approve", "contact"]) == 0
        return cls(folder, sandbox, sandbox.state())

    def unpack(self, root: Path) -> Outreach:
        shutil.copytree(self.folder, root)
        self.sandbox.call(self._rewound)
        return Outreach(root, self.sandbox)

    def _rewound(self) -> None:
        world = self.sandbox.world
        world.reset()
        world.replace(self.state)


# --- what happens on a day


def grow(name: str, count: int) -> Edit:
    """So many people more, of those that the provider knows."""

    def edit(at: Outreach) -> None:
        rows = at.rows(name)
        there = set(rows)
        fresh = [n for n in map(number, range(POOL - 1, 0, -1)) if n not in there]
        at.put(name, rows + fresh[:count])

    return edit


def drop(name: str, count: int) -> Edit:
    """So many people fewer."""
    return lambda at: at.put(name, at.rows(name)[count:])


def join(name: str, *numbers: str) -> Edit:
    return lambda at: at.put(name, [*at.rows(name), *numbers])


def move(old: str, new: str) -> Edit:
    """Somebody leaves one list for another."""

    def edit(at: Outreach) -> None:
        gone, *stay = at.rows(old)
        at.put(old, stay)
        at.put(new, dict.fromkeys([*at.rows(new), gone]))

    return edit


def edit(name: str, old: str, new: str) -> Edit:
    """A piece of a manifest says something else."""

    def change(at: Outreach) -> None:
        text = at.manifest(name).read_text(encoding="utf-8")
        assert old in text, f"{name} does not say {old!r}"
        at.write(name, text.replace(old, new))

    return change


def each(names: Iterable[str], old: str, new: str) -> Edit:
    """The same edit in several manifests; ``NAME`` and ``TITLE`` stand for the list's."""

    def change(at: Outreach) -> None:
        for path in names:
            name = Path(path).stem
            words = [w.replace("NAME", name).replace("TITLE", name.title()) for w in (old, new)]
            edit(path, *words)(at)

    return change


def declare(name: str, text: str) -> Edit:
    return lambda at: at.write(name, text)


def retire(*names: str) -> Edit:
    """Manifests are removed."""

    def remove(at: Outreach) -> None:
        for name in names:
            at.manifest(name).unlink()

    return remove


def people(name: str, change: Callable[[str], str | bytes]) -> Edit:
    """A contact file, rewritten as a whole."""

    def rewrite(at: Outreach) -> None:
        text = change(at.people(name).read_text(encoding="utf-8"))
        at.people(name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return rewrite


def portal(provider: str, op: str, **arguments: Any) -> Edit:
    """Somebody does something in the provider's portal."""
    return lambda at: at.sandbox.tamper(provider, op, **arguments)


def fault(**rule: Any) -> Edit:
    return lambda at: at.sandbox.set_faults([rule])
