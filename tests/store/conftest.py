"""Stores to test with: SQLite files, and databases of a real PostgreSQL server that the tests start themselves."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from reconciler.model.hashes import MemberHashes
from reconciler.store import Store, open_store

PASSWORD = "correct horse/battery:staple@home"
START_TIMEOUT_S = 60


def _tool(name: str) -> str | None:
    """A PostgreSQL program; Debian keeps them outside the path."""
    apart = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or (str(apart[0]) if apart else None)


def _owner() -> str | None:
    """PostgreSQL refuses to run as root: the system user to run it as then."""
    return "postgres" if os.name == "posix" and os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running server on loopback. ``make`` gives the URL of a new, empty database."""

    port: int
    databases: int = field(default=0)

    def make(self) -> str:
        self.databases += 1
        name = f"store{self.databases}"
        with psycopg.connect(self.plain_url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def url(self, database: str, *, password: str = PASSWORD, port: int | None = None) -> str:
        quoted = password.replace("/", "%2F").replace(":", "%3A").replace("@", "%40").replace(" ", "%20")
        return f"postgresql+psycopg://owner:{quoted}@127.0.0.1:{port or self.port}/{database}"

    def plain_url(self, database: str) -> str:
        return self.url(database).replace("+psycopg", "")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    initdb, postgres = _tool("initdb"), _tool("postgres")
    if initdb is None or postgres is None:
        pytest.skip("PostgreSQL is not installed")
    owner = _owner()
    # Not below pytest's own folder, which another user could not enter.
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if owner:
            shutil.chown(home, owner)
        secret = home / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        data, port = home / "data", _free_port()
        subprocess.run(
            [initdb, "-D", data, "-U", "owner", "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            user=owner,
            cwd=home,
        )
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": home, "fsync": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        server = subprocess.Popen(
            [postgres, "-D", data, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=owner,
            cwd=home,
        )
        try:
            found = Server(port)
            _wait_until_up(found, server)
            yield found
        finally:
            server.send_signal(signal.SIGINT)  # at once, without waiting for clients to leave
            server.wait(START_TIMEOUT_S)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _wait_until_up(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=START_TIMEOUT_S)
    while datetime.now(UTC) < deadline and process.poll() is None:
        try:
            psycopg.connect(server.plain_url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            continue
        return
    pytest.fail("PostgreSQL did not start")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that does not exist yet, in either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/.reconciler/store.db"
    server: Server = request.getfixturevalue("postgresql")
    return server.make()


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = datetime(2026, 11, 21, 20, 14, 5, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


Opener = Callable[..., Store]


@pytest.fixture
def open_(url: str, clock: Clock) -> Iterator[Opener]:
    """Opens ``url`` as often as a test likes; everything is closed at the end."""
    opened: list[Store] = []

    def opener(*, create: bool = True, namespace: str = "acme/prod") -> Store:
        opened.append(open_store(url, namespace=namespace, create=create, clock=clock))
        return opened[-1]

    yield opener
    for store in opened:
        store.close()


@pytest.fixture
def hashes() -> Callable[[int], MemberHashes]:
    return lambda count: MemberHashes(secrets.token_bytes(12) for _ in range(count))
