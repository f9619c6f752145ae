"""What of the environment counts on the way to a provider: proxies and certificates, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from raw_server import RawServer, answer

from reconciler.errors import NotSent
from reconciler.providers import _wire
from reconciler.providers._wire import Wire, proxy_for

SECRET = "proxy-s3cret"


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    _wire._tls.cache_clear()
    yield
    monkeypatch.undo()
    _wire._tls.cache_clear()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example.com/v1", "http://proxy.example:3128"),
        ("https://api.example.com:8443", "http://proxy.example:3128"),
        ("https://inside.example.org", ""),
        ("https://deep.inside.example.org:444", ""),
        ("https://notinside.example.org", "http://proxy.example:3128"),
        ("https://ported.example:444", ""),
        ("https://ported.example", "http://proxy.example:3128"),
        ("http://127.0.0.1:8765", ""),
        ("http://localhost:8765", ""),
        ("https://[::1]:8765", ""),
    ],
)
def test_the_proxy_of_the_environment_is_taken_but_for_this_machine(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://other.example:1")
    monkeypatch.setenv("NO_PROXY", "inside.example.org, ported.example:444")
    assert proxy_for(url) == expected


def test_all_proxy_is_the_last_choice_and_a_star_bypasses_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "https://all.example")
    assert proxy_for("https://api.example.com") == "https://all.example"
    monkeypatch.setenv("NO_PROXY", "*")
    assert proxy_for("https://api.example.com") == ""


def asked_through(proxy_answer: Any) -> tuple[str, str, list[Any]]:
    """What becomes of one request to a host that only the proxy can reach: its failure, and what the proxy saw."""

    async def main() -> tuple[str, str, list[Any]]:
        async with RawServer([proxy_answer]) as proxy:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("HTTPS_PROXY", proxy.url.replace("//", f"//user:{SECRET}@"))
                wire = Wire(account="main", concurrency=1, timeout_s=5.0)
                async with wire.slot() as slot:
                    with pytest.raises(NotSent) as failed:
                        await wire.exchange(slot, "GET", "https://api.example.com/v1", {"authorization": "t0ken"}, None)
                await wire.aclose()
            return str(failed.value), failed.value.hint, proxy.seen

    return asyncio.run(main())


def test_a_proxy_that_opens_no_way_means_that_nothing_was_sent() -> None:
    message, hint, seen = asked_through(answer(407, b"who are you"))
    assert "opens no way to api.example.com" in message
    assert SECRET not in message + hint
    (connect,) = seen
    assert (connect.method, connect.target) == ("CONNECT", "api.example.com:443")
    assert connect.headers["proxy-authorization"].startswith("Basic ")
    assert "authorization" not in connect.headers


@pytest.mark.parametrize(
    "proxy", [f"socks5://u:{SECRET}@127.0.0.1:1", f"ftp://{SECRET}", f"http://u:{SECRET}@127.0.0.1:1"]
)
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    async def main() -> None:
        wire = Wire(account="main", concurrency=1, timeout_s=5.0)
        async with wire.slot() as slot:
            with pytest.raises(NotSent) as failed:
                await wire.exchange(slot, "GET", "https://api.example.com/v1", {}, None)
        assert "proxy" in str(failed.value)
        assert SECRET not in str(failed.value) + failed.value.hint
        await wire.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_loaded_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    async def main() -> None:
        wire = Wire(account="main", concurrency=1, timeout_s=5.0)
        async with wire.slot() as slot:
            with pytest.raises(_wire.Hopeless, match="cannot be loaded"):
                await wire.exchange(slot, "GET", "https://api.example.com/v1", {}, None)

    asyncio.run(main())


def test_netrc_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login planted password planted\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))

    async def main() -> None:
        async with RawServer([answer()]) as server:
            wire = Wire(account="main", concurrency=1, timeout_s=5.0)
            async with wire.slot() as slot:
                await wire.exchange(slot, "GET", server.url, {}, None)
            await wire.aclose()
            assert "authorization" not in server.seen[0].headers

    asyncio.run(main())
