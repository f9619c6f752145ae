"""A new repository: its files put together from the templates beside this module, then written all or not at all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from msgspec import Struct, field

from reconciler.app.import_files import written
from reconciler.errors import InvalidInput, UsageError
from reconciler.manifest.files import shown_name
from reconciler.manifest.load import LoadOptions, load
from reconciler.providers.exotel.settings import HOSTS as EXOTEL_HOSTS

_ACCOUNT = "account.yaml"
SANDBOX_URL = "http://127.0.0.1:8765"
"""Where `reconciler sandbox` is."""


class Ci(StrEnum):
    """Whose pipeline the repository gets."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


PIPELINES: Mapping[Ci, str] = {Ci.GITHUB: ".github/workflows/reconciler.yaml", Ci.GITLAB: ".gitlab-ci.yml"}


class Start(Struct, frozen=True, kw_only=True):
    """What a repository for one provider is made of.

    ``ids`` are fields of the Account that the user knows: the variable of the project that holds each, and what stands
    there until then, which the sandbox answers to. ``manifests`` are templates of the provider's folder.
    """

    title: str
    secrets: tuple[str, ...]
    ids: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    manifests: tuple[str, ...] = ("account.yaml", "lists.yaml", "members.yaml")
    contacts: str = "newsletter.csv"
    seed: bool = False


STARTS: Mapping[str, Start] = {
    "slicktext": Start(
        title="SlickText",
        secrets=("SLICKTEXT_API_KEY",),
        ids={
            "brandId": ("slicktext_brand", "123456789"),
            "baseUrl": ("slicktext_url", "https://dev.slicktext.com/v1"),
        },
    ),
    "intelepeer": Start(
        title="IntelePeer Engage",
        secrets=("INTELEPEER_USERNAME", "INTELEPEER_PASSWORD"),
        ids={"baseUrl": ("intelepeer_url", "https://engage.intelepeer.com")},
    ),
    "exotel": Start(
        title="Exotel",
        secrets=("EXOTEL_API_KEY", "EXOTEL_API_TOKEN"),
        ids={
            "accountSid": ("exotel_sid", "sandbox1"),
            "region": ("exotel_region", "singapore"),
            "baseUrl": ("exotel_url", EXOTEL_HOSTS["singapore"]),
        },
    ),
    "contactcenter": Start(
        title="contact centre",
        secrets=("CONTACTCENTER_USERNAME", "CONTACTCENTER_PASSWORD"),
        ids={
            "accountId": ("contactcenter_account", "0123456789abcdef0123456789abcdef"),
            "domain": ("contactcenter_domain", "sandbox"),
            # Every tenant has a host of its own, and one that is not a provider's own has to be allowed first.
            "baseUrl": ("contactcenter_url", SANDBOX_URL),
        },
        manifests=("account.yaml", "campaigns.yaml", "members.yaml"),
        contacts="welcome.csv",
        seed=True,
    ),
}


class StartOptions(Struct, frozen=True, kw_only=True):
    """What the command line says. ``ids`` are fields of the Account by their names; ``project`` empty: the folder's."""

    folder: Path
    provider: str
    project: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)
    ci: Ci = Ci.GITHUB
    samples: bool = True
    """A list or campaign, its people and their file, to begin with; without them there is the account alone."""

    @property
    def seeded(self) -> bool:
        """Whether the sandbox has to be told of the samples before they can be rehearsed."""
        return self.samples and STARTS[self.provider].seed


class Started(Struct, frozen=True, kw_only=True):
    """What was written, relative to ``folder``; ``steps`` are what to do next, each a command or a sentence."""

    folder: Path
    written: tuple[str, ...]
    steps: tuple[str, ...]


class InTheWay(InvalidInput):
    """There are files where the new repository's would be."""

    code = "init-exists"

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(
            f"in the way: {', '.join(names)}; nothing was written",
            hint="init never overwrites: move these away, or choose another folder",
        )


def start(options: StartOptions) -> Started:
    """Write a repository that `validate` accepts.

    Raises UsageError for an id that cannot be, and InTheWay; nothing is written then.
    """
    cwd = Path.cwd()
    folder = Path(os.path.realpath(cwd / options.folder))
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{options.folder}: this is not a folder")
    contents = repository(options, folder.name)
    if blocked := sorted({name for path in contents if (name := _blocked(folder, path))}):
        raise InTheWay(shown_name(folder / name, cwd) for name in blocked)
    _check(contents, options)
    with written({folder / path: text.encode() for path, text in contents.items()}, folder):
        return Started(folder=folder, written=tuple(contents), steps=_steps(options, folder, cwd))


def _blocked(folder: Path, path: str) -> str:
    """What is where a file, or a folder for it, is to be; empty when nothing is."""
    *parents, _ = (*reversed(Path(path).parents), Path(path))
    for parent in parents:
        if os.path.lexists(folder / parent) and not (folder / parent).is_dir():
            return parent.as_posix()
    return path if os.path.lexists(folder / path) else ""


def repository(options: StartOptions, folder_name: str) -> Mapping[str, str]:
    """Every file of the new repository: its path in there, and its text. Raises UsageError."""
    chosen = STARTS[options.provider]
    values = _values(options, chosen, folder_name)
    made = {name: _filled(name, values) for name in ("reconciler.yaml", "README.md")}
    manifests = chosen.manifests if options.samples else (_ACCOUNT,)
    made |= {f"manifests/{name}": _template(f"{options.provider}/{name}") for name in manifests}
    if options.samples:
        made[f"contacts/{chosen.contacts}"] = _template("contacts.csv")
    made[".gitignore"] = _template("gitignore")
    if options.seeded:
        made["sandbox.yaml"] = _template(f"{options.provider}/sandbox.yaml")
    if options.ci in PIPELINES:
        needed = (*chosen.secrets, "RECONCILER_STORE_URL")
        secrets = "\n".join(f"{name}: ${{{{ secrets.{name} }}}}" for name in needed)
        made[PIPELINES[options.ci]] = _filled(f"{options.ci}.yaml", values | {"secrets": secrets})
    return made


def _values(options: StartOptions, chosen: Start, folder_name: str) -> dict[str, str]:
    """What stands for each ``<<name>>`` of the templates."""
    if strange := sorted(options.ids.keys() - chosen.ids.keys()):
        known = ", ".join(chosen.ids)
        raise UsageError(f"an account of {options.provider} has no {strange[0]}", hint=f"it has {known}")
    hosted, project = _own_host(options), options.project or _name_of(folder_name)
    values = {
        "project": project,
        "quoted": json.dumps(project),  # a folder may be called 2027, or no
        "provider": chosen.title,
        "secrets": ", ".join(f"`{name}`" for name in chosen.secrets),
        "settings": "`RECONCILER_PACKAGE`, what pip is to install: `reconciler[postgresql] @ URL-OF-THE-PACKAGE`"
        + (", and `RECONCILER_ALLOWED_HOSTS`, the host of your portal" if hosted else ""),
        "rehearsal": "reconciler sandbox --seed sandbox.yaml" if options.seeded else "reconciler sandbox",
        "hosts": "RECONCILER_ALLOWED_HOSTS: ${{ vars.RECONCILER_ALLOWED_HOSTS }}" if hosted else "",
        "variables": _pairs(_variables(options, chosen)),
        "sandbox": _pairs(
            {v: SANDBOX_URL if name == "baseUrl" else placeholder for name, (v, placeholder) in chosen.ids.items()}
        ),
    }
    ci = _filled(f"README-{options.ci}.md", values) if options.ci in PIPELINES else ""
    return values | {"ci": ci.rstrip("\n")}


def _own_host(options: StartOptions) -> bool:
    """Whether the account is at a host that has to be allowed."""
    return options.provider == "contactcenter" or "baseUrl" in options.ids


def _variables(options: StartOptions, chosen: Start) -> Mapping[str, str]:
    values = {variable: options.ids.get(name, placeholder) for name, (variable, placeholder) in chosen.ids.items()}
    if "baseUrl" not in options.ids and (url := EXOTEL_HOSTS.get(options.ids.get("region", ""))):
        values["exotel_url"] = url
    return values


def _pairs(values: Mapping[str, str]) -> str:
    """A YAML mapping, a line each. Quoted as JSON is, which YAML reads as well, so that an id stays text."""
    return "\n".join(f"{name}: {json.dumps(value)}" for name, value in values.items())


def _name_of(folder: str) -> str:
    """A project's name from that of its folder."""
    return re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:63].strip("-") or "outreach"


def _template(name: str) -> str:
    return files("reconciler.app").joinpath("scaffold", *name.split("/")).read_text(encoding="utf-8")


_BLOCK = re.compile(r"^(?P<indent> *)<<(?P<name>[a-z]+)>>\n", re.MULTILINE)


def _filled(name: str, values: Mapping[str, str]) -> str:
    """A template with ``<<name>>`` replaced; one with a line for itself keeps its indent, and goes when empty.

    Its own syntax, because pipelines have braces and dollars that are not ours.
    """

    def block(found: re.Match[str]) -> str:
        lines = values[found["name"]].splitlines()
        return "".join(f"{found['indent'] if line else ''}{line}\n" for line in lines)

    text = _BLOCK.sub(block, _template(name))
    return re.sub(r"<<([a-z]+)>>", lambda found: values[found[1]], text)


def _check(contents: Mapping[str, str], options: StartOptions) -> None:
    """Raises UsageError for an id, or a name, that makes manifests that `validate` would refuse."""
    host = urlsplit(options.ids.get("baseUrl", "")).hostname or ""
    with TemporaryDirectory(prefix="reconciler-init-") as folder:
        for path, text in contents.items():
            place = Path(folder, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        found = load([Path(folder)], LoadOptions(allowed_hosts=(host,)))
    if found.desired is None:
        problem = next(d for d in found.diagnostics if d.blocking)
        raise UsageError(problem.message, hint=problem.hint)


def _steps(options: StartOptions, folder: Path, cwd: Path) -> tuple[str, ...]:
    chosen = STARTS[options.provider]
    steps = [f"cd {shown_name(folder, cwd)}"] if folder != cwd else []
    left = [variable for name, (variable, _) in chosen.ids.items() if name not in options.ids and name != "region"]
    if options.provider != "contactcenter":
        left = [variable for variable in left if not variable.endswith("_url")]
    if left:
        steps.append(f"Put yours in place of the placeholders in reconciler.yaml: {', '.join(left)}.")
    if _own_host(options):
        steps.append("Allow the account's host: export RECONCILER_ALLOWED_HOSTS=…")
    steps += [
        "reconciler validate",
        f"Rehearse with nobody in reach: {'reconciler sandbox' + ' --seed sandbox.yaml' * options.seeded}, "
        "and with the credentials that it prints: reconciler plan -e sandbox",
        *([f"Put your people in contacts/{chosen.contacts}; the number in there is fictional."] * options.samples),
        f"Set {' and '.join(chosen.secrets)} in the environment, then: reconciler plan",
    ]
    if options.ci in PIPELINES:
        steps.append("README.md says what the pipeline needs: secrets, a store, and who approves an apply.")
    return tuple(steps)
