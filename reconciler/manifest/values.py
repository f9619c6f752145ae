"""Small values as manifests write them: durations, paths, addresses of hosts, credentials, guards."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import SplitResult, urlsplit

from reconciler.model.resources import Credential, FieldValue, FromEnv, FromFile, GuardLimits, Literally

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: str) -> float:
    """``5m`` in seconds. The schema has checked how it is written."""
    return float(duration[:-1]) * _UNITS_S[duration[-1]]


def frozen(value: Any) -> FieldValue:
    """A value of a manifest as a field: lists become tuples."""
    if isinstance(value, list):
        return tuple(frozen(v) for v in value)
    if isinstance(value, dict):
        return {k: frozen(v) for k, v in value.items()}
    found: FieldValue = value
    return found


def path_problem(text: str, folder: Path, root: Path) -> str:
    """Why a path must not be used, empty when it may. ``folder`` is where it starts from, ``root`` the project's."""
    if "\\" in text or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text):
        return "this is not a relative path with slashes"
    if PurePosixPath(text).is_absolute() or text.startswith("~"):
        return "this path is not relative to the manifest"
    try:
        inside = Path(os.path.realpath(folder / text)).is_relative_to(root)
    except (OSError, RuntimeError, ValueError):
        return "this path cannot be followed"
    return "" if inside else "this path leads out of the project"


def credential(value: Any, folder: Path) -> Credential:
    """A reference to a secret, or a literal where the schema allows one."""
    if isinstance(value, str):
        return Literally(value)
    return FromEnv(value["env"]) if "env" in value else FromFile(str(folder / value["file"]))


def guard_limits(*layers: Mapping[str, Any]) -> GuardLimits:
    """The guards of several ``guards`` blocks; what a later one says wins, field by field."""
    given: dict[str, Any] = {}
    for layer in layers:
        for name in ("deletes", "removals"):
            given.update({f"{name}_{key}": value for key, value in layer.get(name, {}).items()})
        if "maxReach" in layer:
            given["max_reach"] = int(layer["maxReach"])
    for name in ("deletes_count", "removals_count"):
        if name in given:
            given[name] = int(given[name])
    return GuardLimits(**given)


def split_url(text: str) -> SplitResult | None:
    """A complete http or https address taken apart, None when it is none that can be trusted to mean one host."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return None
    host = url.hostname or ""
    plain = re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+", host)
    if url.scheme not in {"http", "https"} or not plain or port == 0 or not text.isascii():
        return None
    # A bare "?" or "#" would swallow every path that is put after it, and a dot segment would be resolved by somebody.
    if any(mark in text for mark in "?#%\\") or {".", ".."}.intersection(url.path.split("/")):
        return None
    return None if ".." in host or _is_nobodys(host) else url


_METADATA = ip_address("fd00:ec2::254")


def _is_nobodys(host: str) -> bool:
    """Whether a host is an address where no provider can be, whoever allows it: a cloud's metadata, or no one host."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return False
    return address.is_link_local or address.is_multicast or address.is_unspecified or address == _METADATA


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name alone: no name is looked up."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url: SplitResult) -> tuple[str, int]:
    """(host, port) that a request to ``url`` goes to."""
    return (url.hostname or "", url.port or (443 if url.scheme == "https" else 80))


def host_allowed(url: SplitResult, allowed: frozenset[str]) -> bool:
    """Whether ``--allow-host`` names this host, with its port or without one."""
    host, port = origin(url)
    return host in allowed or f"{host}:{port}" in allowed
