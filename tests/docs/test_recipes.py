"""The units, crontabs and Jobs of docs/recipes.md, as far as they can be looked at without the systems they are for."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from command_lines import check_typed

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
TOOL = "/opt/reconciler/bin/reconciler"
SERVICE, TIMER = "reconciler-drift.service", "reconciler-drift.timer"

# As cron(5) has them: minute, hour, day of month, month, day of week.
LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))

# systemd.exec(5) and its neighbours, for machines without systemd: what the units use.
KEYS = {
    "Unit": {"Description", "Wants", "After"},
    "Timer": {"OnCalendar", "RandomizedDelaySec", "Persistent"},
    "Install": {"WantedBy"},
    "Service": {
        *("Type", "User", "WorkingDirectory", "EnvironmentFile", "ExecStartPre", "ExecStart", "TimeoutStartSec"),
        *("StateDirectory", "UMask", "ReadWritePaths", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices"),
        *("ProtectClock", "ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules"),
        *("ProtectKernelTunables", "ProtectProc", "NoNewPrivileges", "CapabilityBoundingSet", "LockPersonality"),
        *("RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID"),
        *("SystemCallArchitectures", "SystemCallFilter"),
    },
}


def fenced(language: str) -> list[str]:
    found = [t.content for t in MarkdownIt("commonmark").parse(TEXT) if t.type == "fence" and t.info == language]
    assert found
    return found


def units() -> dict[str, str]:
    service, timer = fenced("ini")
    return {SERVICE: service, TIMER: timer}


def parsed(unit: str) -> configparser.ConfigParser:
    """Raises for a key that stands twice."""
    read = configparser.ConfigParser(interpolation=None, delimiters="=", comment_prefixes=("#", ";"))
    read.optionxform = str
    read.read_string(units()[unit])
    return read


# --- cron


def check_schedule(text: str) -> None:
    fields = text.split()
    assert len(fields) == 5
    for field, (low, high) in zip(fields, LIMITS, strict=True):
        for part in field.split(","):
            span, _, step = part.partition("/")
            assert step == "" or 1 <= int(step) <= high
            if span != "*":
                first, _, last = span.partition("-")
                assert low <= int(first) <= int(last or first) <= high


def test_the_line_for_cron_is_one() -> None:
    (crontab,) = fenced("crontab")
    *settings, line = crontab.splitlines()
    assert all(re.fullmatch(r"[A-Z]+=\S+", setting) for setting in settings)
    schedule, command = " ".join(line.split()[:5]), line.split(maxsplit=5)[5]
    check_schedule(schedule)
    assert "%" not in command, "cron would take it for the end of the line"
    checked = subprocess.run(["sh", "-n", "-c", command], capture_output=True, text=True, timeout=30)
    assert checked.returncode == 0, checked.stderr
    check_typed(f"reconciler drift --format concise {command.partition('sh bin/drift ')[2]}")


@pytest.mark.parametrize("wrong", ["60 5 * * *", "17 24 * * *", "17 5 0 * *", "17 5 * 13 *", "17 5 * * 8", "17 5 * *"])
def test_a_schedule_that_is_none_is_noticed(wrong: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        check_schedule(wrong)


# --- systemd


@pytest.mark.parametrize("name", [SERVICE, TIMER])
def test_a_unit_has_keys_that_systemd_knows(name: str) -> None:
    unit = parsed(name)
    assert {section: set(unit[section]) - KEYS[section] for section in unit.sections()} == {
        section: set() for section in unit.sections()
    }
    assert f"`/etc/systemd/system/{name}`" in TEXT


def test_the_timer_starts_the_service_which_runs_what_exists() -> None:
    assert SERVICE.removesuffix(".service") == TIMER.removesuffix(".timer")
    program, *words = shlex.split(parsed(SERVICE)["Service"]["ExecStart"])
    assert program == TOOL
    check_typed(shlex.join(["reconciler", *words]))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here; its keys are checked above")
@pytest.mark.parametrize("name", [SERVICE, TIMER])
def test_systemd_takes_the_unit(name: str, tmp_path: Path) -> None:
    assert verified(name, units(), tmp_path) == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here; its keys are checked above")
def test_a_unit_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    wrong = {name: text.replace("ProtectHome=yes", "ProtectHone=yes") for name, text in units().items()}
    assert verified(SERVICE, wrong, tmp_path)


def verified(name: str, texts: dict[str, str], folder: Path) -> list[str]:
    """What systemd says of the unit; programs that are not installed here stand for themselves."""
    true = shutil.which("true") or "/bin/true"
    for unit, text in texts.items():
        (folder / unit).write_text(text.replace(TOOL, true).replace("/usr/bin/git", true))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(folder / name)], capture_output=True, text=True, timeout=60
    )
    return [line for line in (done.stdout + done.stderr).splitlines() if "reconciler-drift" in line]


# --- Kubernetes


def jobs() -> dict[str, Any]:
    return {found["kind"]: found for found in map(yaml.safe_load, fenced("yaml"))}


def pod(name: str) -> Any:
    spec = jobs()[name]["spec"]
    spec = spec["jobTemplate"]["spec"] if name == "CronJob" else spec
    assert spec["backoffLimit"] == 0
    return spec


@pytest.mark.parametrize("kind", ["CronJob", "Job"])
def test_a_job_has_what_kubernetes_asks_for_and_no_rights(kind: str) -> None:
    document = jobs()[kind]
    assert document["apiVersion"] == "batch/v1"
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?", document["metadata"]["name"])
    spec = pod(kind)["template"]["spec"]
    assert spec["restartPolicy"] == "Never"
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert f"--uid {spec['securityContext']['runAsUser']} " in (ROOT / "Dockerfile").read_text()
    (container,) = spec["containers"]
    assert {"name", "image", "args"} <= container.keys()
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {m["name"] for m in container.get("volumeMounts", ())} == {v["name"] for v in spec.get("volumes", ())}
    assert all(isinstance(word, str) for word in container["args"])
    check_typed(shlex.join(["reconciler", *container["args"]]))


def test_the_job_for_drift_runs_on_a_schedule_and_reads_only() -> None:
    spec = jobs()["CronJob"]["spec"]
    check_schedule(spec["schedule"])
    assert spec["concurrencyPolicy"] == "Forbid"
    assert pod("CronJob")["template"]["spec"]["containers"][0]["args"][0] == "drift"


def test_the_job_that_applies_approves_neither_delete_nor_contact() -> None:
    job = jobs()["Job"]
    spec = pod("Job")
    args = spec["template"]["spec"]["containers"][0]["args"]
    assert args[0] == "apply"
    assert "--yes" in args
    assert not {"--approve", "--allow"} & set(args)
    minutes = int(args[args.index("--deadline") + 1].removesuffix("m"))
    assert spec["activeDeadlineSeconds"] > minutes * 60
    notes = job["metadata"]["annotations"]
    assert notes["argocd.argoproj.io/hook"] in {"PreSync", "Sync", "PostSync"}
    assert notes["argocd.argoproj.io/hook-delete-policy"] == "BeforeHookCreation"
    assert notes["kustomize.toolkit.fluxcd.io/force"] == "enabled"


def test_the_image_is_made_of_that_of_the_tool() -> None:
    (text,) = fenced("dockerfile")
    assert re.fullmatch(r"FROM \S+/reconciler:\S+\nCOPY --chown=reconciler \. /repository\n", text)
    assert "WORKDIR /repository\n" in (ROOT / "Dockerfile").read_text()
