"""Connections that fail as no server would let them on purpose: F001 to F004, F011, F012, F017 and F018."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts import WRITE_METHODS, Contract
from participants import EXOTEL, SLICKTEXT
from relay import Relay, Spoil
from suffering import Start, World, fault, spoken

from reconciler.providers import _wire

Between = Callable[[World, Spoil], Relay]


@pytest.fixture
def between() -> Iterator[Between]:
    """Puts a relay between the account and the sandbox."""
    started: list[Relay] = []

    def put(world: World, spoil: Spoil) -> Relay:
        relay = Relay(world.sandbox.url, spoil)
        relay.up()
        started.append(relay)
        world.repository.write("account.yaml", world.contract.account.replace("URL", relay.url))
        return relay

    yield put
    for relay in started:
        relay.down()


def elsewhere(world: World, url: str, *, timeout: str = "2s") -> None:
    """The account at another address, its login too."""
    text = world.contract.account.replace("URL", url) + f"  limits: {{timeout: {timeout}}}\n"
    if world.name == "intelepeer":
        text += f"  authUrl: {url}/_rest/v4/authenticate\n"
    world.repository.write("account.yaml", text)


@fault("F001")
def test_a_host_without_an_address(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def unknown(host: Any, *more: Any, **most: Any) -> Any:
        if host in ("nowhere.invalid", b"nowhere.invalid"):
            asked.append(str(host))
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *more, **most)

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    elsewhere(world, "https://nowhere.invalid")
    for command in ("plan", "apply"):
        result = world.repository(command, "--allow-host", "nowhere.invalid")
        assert result.code == 10
        assert "nowhere.invalid" in spoken(result)
    assert 2 <= len(asked) <= 32  # at most four times for each read of those that go side by side, in both commands
    assert world.sandbox.requests() == []
    world.declare(world.contract.walk[0])
    world.recovers()


@fault("F002")
def test_nobody_listens(world: World, between: Between) -> None:
    """First nobody ever did; then the server goes away in the middle of the writing."""
    relay = between(world, lambda method, before: "pass")
    relay.down()
    world.suffer(codes=(10,))

    def goes_away(method: str, before: int) -> str:
        if method in WRITE_METHODS and before - start > 1:
            relay.down()
            return "reset"
        return "pass"

    start = relay.requests
    relay.spoil = goes_away
    relay.up()
    world.suffer(codes=(7, 9))
    relay.spoil = lambda method, before: "pass"
    relay.up()
    world.recovers()


@fault("F004")
def test_a_connection_that_is_reset_at_once(world: World, between: Between) -> None:
    between(world, lambda method, before: "reset" if before % 5 == 3 else "pass")
    world.suffer(codes=(0, 7, 9, 10))
    between(world, lambda method, before: "pass")
    world.recovers()


@fault("F011")
def test_a_connection_that_dies_as_it_is_used_again(world: World, between: Between) -> None:
    relay = between(world, lambda method, before: "stale" if before % 4 == 1 else "pass")
    world.suffer(codes=(0, 7, 9, 10))
    assert relay.connections > 1
    between(world, lambda method, before: "pass")
    world.recovers()


@fault("F012")
@pytest.mark.parametrize("how", ["endless", "bomb"])
def test_a_body_without_end(world: World, between: Between, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wire, "MAX_RESPONSE_BYTES", 1 << 20)
    relay = between(world, lambda method, before: how if method == "GET" else "pass")
    result = world.suffer(codes=(10,))
    assert "larger than 1 MiB" in spoken(result)
    assert relay.requests < 10
    between(world, lambda method, before: "pass")
    world.recovers()


@fault("F017")
def test_an_answer_before_the_request_was_read(world: World, between: Between) -> None:
    """The first write that is no login is refused while its body is still on the way."""
    refused: list[int] = []

    def early(method: str, before: int) -> str:
        if method in WRITE_METHODS and before > 1 and not refused:
            refused.append(before)
            return "early"
        return "pass"

    between(world, early)
    world.suffer(codes=(0, 7, 9))
    assert refused
    world.recovers()


# --- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private authority, and certificates of it that are good, for another host, and out of date."""
    if shutil.which("openssl") is None:
        pytest.skip("making certificates needs the openssl command")
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-days", "2", "-subj", "/CN=Test authority", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    for name, host, days in (
        ("good", "IP:127.0.0.1", "2"),
        ("other", "DNS:other.example", "2"),
        ("old", "IP:127.0.0.1", "0"),
    ):
        openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", "/CN=x"
        )
        (folder / "extensions").write_text(f"subjectAltName={host}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.pem", "-days", days, "-extfile", "extensions")  # fmt: skip
    return folder


def tls_server(folder: Path, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path | None], None]]:
    """Makes the tool trust an authority through the environment, as a user would."""

    def trust(authority: Path | None) -> None:
        if authority is None:
            monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        else:
            monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        _wire._tls.cache_clear()

    yield trust
    monkeypatch.undo()
    _wire._tls.cache_clear()


# A handshake that is cancelled because another read failed leaves its socket to the collector: asyncio's own doing.
UNCLOSED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@UNCLOSED
@fault("F003")
@pytest.mark.parametrize(
    ("certificate", "reason"),
    [("old", "expired"), ("other", "mismatch"), ("unknown", "local issuer"), ("version", "version")],
)
def test_tls_that_cannot_be_trusted(
    world: World, certificates: Path, trusting: Any, certificate: str, reason: str
) -> None:
    trusting(None if certificate == "unknown" else certificates / "ca.pem")
    context = tls_server(certificates, certificate if certificate in ("old", "other") else "good")
    if certificate == "version":
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):  # that it is outdated is the point
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    with Relay(world.sandbox.url, tls=context) as relay:
        elsewhere(world, relay.url)
        result = world.suffer(codes=(10,))
        assert "127.0.0.1" in spoken(result)
        assert reason in spoken(result).lower()
        assert relay.connections <= 4  # one for each read of those that go side by side, none of them twice
        assert relay.requests == 0
    world.declare(world.contract.walk[0])
    world.recovers()


@UNCLOSED
@fault("F003")
def test_a_private_authority_is_trusted_when_it_is_named(world: World, certificates: Path, trusting: Any) -> None:
    trusting(certificates / "ca.pem")
    with Relay(world.sandbox.url, tls=tls_server(certificates, "good")) as relay:
        elsewhere(world, relay.url, timeout="10s")
        world.suffer()
        assert relay.requests
        world.recovers()


# --- one of several --------------------------------------------------------------------------------------------------


@fault("F018")
def test_one_provider_is_down_and_another_is_up(contract: Contract, start: Start) -> None:
    """The one that is down stops the apply; taken out of the run, the other gets everything it needs."""
    world = start(contract)
    other = SLICKTEXT if contract is not SLICKTEXT else EXOTEL
    neighbour = start(other)
    for path in (neighbour.repository.root / "manifests").iterdir():
        text = path.read_text(encoding="utf-8")
        (world.repository.root / "manifests" / f"other-{path.name}").write_text(text, encoding="utf-8")
    back = world.repository.root
    start.go(back)
    down = {"provider": contract.name, "fault": {"kind": "error_before", "status": 503}}
    world.sandbox.set_faults([down])
    plan = world.repository.plan()
    assert plan.code == 10
    assert {c["account"] for c in plan.json["changes"]} == {other.account_name}
    assert world.apply().code == 10
    assert neighbour.writes() == 0
    rest = ("--exclude", f"account:{contract.account_name}")
    world.repository.apply(*rest)
    assert neighbour.picture == neighbour.wanted(0)
    world.sandbox.set_faults([])
    start.go(back)
    world.recovers()
