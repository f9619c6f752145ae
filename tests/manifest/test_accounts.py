"""Where an account's requests may go: hosts, schemes, credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.manifest.load import LoadOptions, load


def codes(folder: Path, url: str, *allowed: str, key: str = "baseUrl") -> list[str]:
    (folder / "a.yaml").write_text(
        "apiVersion: intelepeer/v1\nkind: Account\nmetadata: {name: main}\n"
        f"spec: {{auth: {{token: {{env: TOKEN}}}}, {key}: '{url}'}}\n"
    )
    found = load([folder], LoadOptions(providers={}, allowed_hosts=allowed))
    return [d.code for d in found.diagnostics]


@pytest.mark.parametrize(
    "url",
    [
        "https://engage.intelepeer.com",
        "https://ENGAGE.intelepeer.com:443/_rest/v2",
        "http://localhost:8080/v1",
        "http://127.0.0.1:8080",
        "http://127.9.9.9",
        "http://[::1]:8080/x",
        "https://localhost",
    ],
)
def test_the_providers_own_host_and_loopback_need_no_leave(tmp_path: Path, url: str) -> None:
    assert codes(tmp_path, url) == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://api.example.com", "host-not-allowed"),
        ("https://engage.intelepeer.com:8443", "host-not-allowed"),
        ("https://engage.intelepeer.com.example.com", "host-not-allowed"),
        ("https://customer.intelepeer.com", "host-not-allowed"),
        ("https://localhost.example.com", "host-not-allowed"),
        ("https://10.0.0.1", "host-not-allowed"),
        ("https://0.0.0.0", "bad-url"),
        ("https://2130706433", "host-not-allowed"),
        ("http://engage.intelepeer.com", "insecure-url"),
        ("http://api.example.com", "insecure-url"),
        ("https://engage.intelepeer.com@api.example.com/", "url-credentials"),
        ("https://user:secret@engage.intelepeer.com", "url-credentials"),
        ("https://engage.intelepeer.com\\@api.example.com", "url-credentials"),
        ("https://engage.intelepeer.com\\.example.com", "bad-url"),
        ("https://engage.intelepeer.com?x=1", "bad-url"),
        ("https://engage.intelepeer.com/#x", "bad-url"),
        ("https://engage.intelepeer.com:0", "bad-url"),
        ("https://engage.intelepeer.com:99999", "bad-url"),
        ("https://engage..intelepeer.com", "bad-url"),
        ("https://[::1%eth0]/", "bad-url"),
        ("https://", "bad-format"),
        ("https:///path", "bad-url"),
        ("ftp://engage.intelepeer.com", "bad-format"),
        ("https://engäge.intelepeer.com", "bad-format"),
        ("https://engage.intelepeer.com/a b", "bad-format"),
        ("engage.intelepeer.com", "bad-format"),
    ],
)
def test_other_addresses_are_refused(tmp_path: Path, url: str, code: str) -> None:
    assert codes(tmp_path, url) == [code]
    assert codes(tmp_path, url, key="authUrl") == ([] if url == "https://customer.intelepeer.com" else [code])


@pytest.mark.parametrize("allowed", ["api.example.com", "API.example.com ", "api.example.com:443"])
def test_a_host_can_be_allowed_from_outside(tmp_path: Path, allowed: str) -> None:
    assert codes(tmp_path, "https://api.example.com/v1", allowed) == []
    assert codes(tmp_path, "https://api.example.com:8443/v1", allowed) == (
        [] if ":" not in allowed else ["host-not-allowed"]
    )
    assert codes(tmp_path, "https://www.example.com/v1", allowed) == ["host-not-allowed"]
    assert codes(tmp_path, "http://api.example.com/v1", allowed) == ["insecure-url"]


def test_the_hint_names_what_would_allow_it(tmp_path: Path) -> None:
    codes(tmp_path, "https://api.example.com:8443/v1")
    (found,) = load([tmp_path], LoadOptions(providers={})).diagnostics
    assert "--allow-host api.example.com:8443" in found.hint
    assert codes(tmp_path, "https://api.example.com:8443/v1", "api.example.com:8443") == []


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../key", "~/key", "C:/key", "file:///etc/passwd", "a\\b", "sub/../../x"]
)
def test_secret_files_stay_in_the_project(tmp_path: Path, path: str) -> None:
    (tmp_path / "a.yaml").write_text(
        "apiVersion: slicktext/v1\nkind: Account\nmetadata: {name: main}\n"
        f"spec: {{brandId: 1, auth: {{apiKey: {{file: '{path}'}}}}}}\n"
    )
    found = load([tmp_path], LoadOptions(providers={}))
    assert [d.code for d in found.diagnostics] == ["path-outside-project"]


def test_a_secret_file_that_is_a_link_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "apiVersion: slicktext/v1\nkind: Account\nmetadata: {name: main}\n"
        "spec: {brandId: 1, auth: {apiKey: {file: key}}}\n"
    )
    (tmp_path / "key").symlink_to("/etc/hostname")
    assert [d.code for d in load([tmp_path], LoadOptions(providers={})).diagnostics] == ["path-outside-project"]
