"""Where requests go, what is in them, and what an answer can make the tool do."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attacks import Attacked
from between import Answered, Asked, Between, between, everywhere
from rows import survives

from reconciler.sandbox import Sandbox

from repository import CALLS, SECRETS, TEXTS, Repository

LIST = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: join}
spec: {name: Join}
"""
MEMBERS = """\
apiVersion: slicktext/v1
kind: Membership
metadata: {name: people}
spec:
  list: join
  mode: exact
  missingContacts: create
  contacts: [{number: "+16155550123", first_name: Ann}, {number: "+16155550124"}]
"""
EXOTEL = """\
apiVersion: exotel/v1
kind: Account
metadata: {name: voice}
spec:
  accountSid: sandbox1
  baseUrl: URL
  auth: {apiKey: {env: EXOTEL_API_KEY}, apiToken: {env: EXOTEL_API_TOKEN}}
"""


@pytest.fixture
def proxy(texts: Repository) -> Iterator[Between]:
    """A man in the middle of the account ``main``."""
    with between(texts.sandbox.url) as proxy:
        path = texts.root / "manifests" / "account.yaml"
        path.write_text(path.read_text().replace(texts.sandbox.url, proxy.url))
        texts.write("list.yaml", LIST)
        yield proxy


def accounts_at(url: str) -> dict[str, str]:
    return {"slicktext": TEXTS.replace("URL", url), "exotel": EXOTEL.replace("URL", url)}


@survives("S023")
@survives("S024")
@survives("S035")
@pytest.mark.parametrize("platform", ["slicktext", "exotel"])
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "https://evil.example/dev.slicktext.com",
        "https://dev.slicktext.com.evil.example/v1",
        "https://dev.slicktext.com:9443/v1",
        "http://dev.slicktext.com/v1",
        "https://user:pass@dev.slicktext.com/v1",
        "https://dev.slicktext.com@evil.example/v1",
        "https://evil.example#@dev.slicktext.com/v1",
        "https://evil.example?@dev.slicktext.com/v1",
        "https://evil.example\\\\@dev.slicktext.com/v1",
        "https://evil.example;.dev.slicktext.com/v1",
        "https://dev.slicktext.com%2eevil.example/v1",
        "https://dev.slicktext.com%00.evil.example/v1",
        "https://dev\u3002slicktext.com/v1",
        "https://dev.slic\u212atext.com/v1",
        "https://dev.sl\u0456cktext.com/v1",
        "https://xn--slcktext-i2a.com/v1",
        "https://[fe80::1%25eth0]/v1",
        "https://[::1%25lo]/v1",
        "https://169.254.169.254/latest",
        "https://[fd00:ec2::254]/latest",
        "https://[fe80::1]/x",
        "http://0.0.0.0:8000/v1",
        "http://[::]:8000/v1",
        "http://2130706433/v1",
        "http://0x7f.1/v1",
        "http://localhost.evil.example/v1",
        "ftp://dev.slicktext.com/v1",
        "file:///etc/passwd",
        "//dev.slicktext.com/v1",
        "dev.slicktext.com/v1",
        "https://dev.slicktext.com/v1?x=",
        "https://dev.slicktext.com/v1?",
        "https://dev.slicktext.com/v1#",
        "https://dev.slicktext.com/v1#x",
        "https://dev.slicktext.com/../x",
        "https://dev.slicktext.com/%2e%2e/x",
        "https://dev.slicktext.com/a%0d%0ab",
        "https://dev.slicktext.com:0/v1",
        "https://dev.slicktext.com:99999/v1",
    ],
)
def test_s023_s024_s035_credentials_go_nowhere_else(texts: Repository, platform: str, url: str) -> None:
    for path in (texts.root / "manifests").iterdir():
        path.unlink()
    texts.write("account.yaml", accounts_at(url)[platform])
    result = Attacked.run(texts)
    assert result.code == 3, result.said
    assert all(secret not in result.said for secret in (*SECRETS.values(), "user:pass"))


@survives("S024")
@pytest.mark.parametrize("url", ["https://evil.example/login", "https://a@b/login", "http://10.0.0.1/login"])
def test_s024_and_neither_does_a_login(repository: Repository, url: str) -> None:
    repository.write("account.yaml", CALLS.replace("spec:\n", f'spec:\n  authUrl: "{url}"\n'))
    assert Attacked.run(repository).code == 3


@survives("S037")
@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "0.0.0.0", "[::]", "224.0.0.1", "[::ffff:169.254.169.254]"],
)
def test_s037_link_local_and_metadata_addresses_are_refused_even_when_allowed(texts: Repository, host: str) -> None:
    texts.write("account.yaml", TEXTS.replace("URL", f"https://{host}/v1"))
    bare = host.strip("[]")
    result = texts("validate", "--allow-host", bare, "--allow-host", host)
    assert result.code == 3, result.out
    assert "bad-url" in result.err


@survives("S037")
def test_s037_an_answer_of_the_name_service_gets_no_credential_without_a_certificate(
    texts: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider's own name leads to a listener here: TLS fails before anything of the request is sent."""
    import socket
    import threading

    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    heard: list[bytes] = []

    def listen() -> None:
        try:
            while True:
                taken, _ = listening.accept()
                with taken:
                    taken.settimeout(2)
                    heard.append(taken.recv(65536))
        except OSError:
            return

    thread = threading.Thread(target=listen)
    thread.start()
    real = socket.getaddrinfo

    def answered(host: Any, *more: Any, **named: Any) -> Any:
        return real("127.0.0.1" if host in ("dev.slicktext.com", b"dev.slicktext.com") else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", answered)
    there = f"dev.slicktext.com:{port}"
    texts.write("account.yaml", TEXTS.replace("URL", f"https://{there}/v1"))
    texts.write("list.yaml", LIST)
    try:
        result = texts("plan", "--allow-host", there)
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
    assert result.code == 10
    assert heard, result.out + result.err
    assert all(SECRETS["SLICKTEXT_API_KEY"].encode() not in piece for piece in heard)


@survives("S029")
@survives("S030")
def test_s029_s030_no_url_in_an_answer_is_followed(texts: Repository, proxy: Between) -> None:
    """Whatever looks like a link or a cursor leads to another listener, which hears nothing."""
    with between(texts.sandbox.url) as elsewhere:

        def links(asked: Asked, answered: Answered) -> Answered:
            if isinstance(answered.body, dict):
                more = dict.fromkeys(
                    ("next", "nextPage", "next_page_url", "url", "location", "href"), elsewhere.url + "/x"
                )
                answered.body |= {k: v for k, v in more.items() if k not in answered.body}
            answered.headers["Link"] = f'<{elsewhere.url}/x>; rel="next"'
            answered.headers["Location"] = elsewhere.url
            return answered

        proxy.change = links
        texts("plan")
        texts("apply", "--yes")
        texts("status")
        assert elsewhere.asked == []
        assert proxy.asked


@survives("S031")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_s031_redirects_are_not_followed(texts: Repository, proxy: Between, status: int) -> None:
    with between(texts.sandbox.url) as elsewhere:
        proxy.change = lambda asked, answered: Answered(status, {"Location": elsewhere.url + "/latest"}, {})
        assert texts("plan").code == 10
        assert texts("apply", "--yes").code == 10
        assert elsewhere.asked == []


BAD_IDS = [
    "../admin",
    "a/b",
    "a?x=1",
    "%2e%2e",
    "",
    "..",
    ".",
    "a\r\nX-Evil: 1",
    "a#b",
    "\u202eid",
    "x" * 10_000,
    "\x00",
]


@survives("S032")
@survives("S042")
@pytest.mark.parametrize("bad", BAD_IDS, ids=lambda bad: repr(bad[:12]))
def test_s032_an_id_cannot_lead_out_of_its_place_in_a_path(texts: Repository, proxy: Between, bad: str) -> None:
    texts.write("people.yaml", MEMBERS)
    texts.apply()
    mine = len(proxy.asked)

    def ids(asked: Asked, answered: Answered) -> Answered:
        def put(key: str, value: Any) -> Any:
            return bad if key.endswith("id") and key != "brand_id" and value is not None else value

        answered.body = everywhere(answered.body, put)
        return answered

    proxy.change = ids
    (texts.root / "manifests" / "people.yaml").unlink()
    for words in (("plan",), ("apply", "--yes", "--approve", "delete"), ("status",), ("drift",), ("inventory", "list")):
        result = texts(*words)
        assert "error[unexpected]" not in result.err, result.err
        assert "\u202e" not in result.out + result.err
    for asked in proxy.asked[mine:]:
        assert asked.target.startswith("/v1/brands"), asked
        assert "/../" not in asked.target
        assert "x-evil" not in asked.headers
        assert "admin" not in asked.target.replace("..%2Fadmin", "")


@survives("S032")
@pytest.mark.parametrize("bad", BAD_IDS, ids=lambda bad: repr(bad[:12]))
def test_s032_an_id_in_a_path_stays_one_segment(texts: Repository, proxy: Between, bad: str) -> None:
    result = texts("call", "main", "lists.get", f"list_id={bad}")
    assert result.code != 0
    assert "error[unexpected]" not in result.err
    for asked in proxy.asked:
        path = asked.target.removeprefix("/v1/brands/123456789/lists/")
        assert path, asked
        assert not set(path) & set("/?#\r\n"), asked
        assert path not in {".", ".."}
        assert "x-evil" not in asked.headers


@survives("S033")
@pytest.mark.parametrize(
    "secret", ["good-key\r\nX-Evil: 1", "good-key\x00more", "good\nkey-of-two-lines", "schl\u00fcssel-lang"]
)
@pytest.mark.parametrize("platform", ["slicktext", "exotel"])
def test_s033_a_credential_cannot_become_a_header(
    texts: Repository, monkeypatch: pytest.MonkeyPatch, secret: str, platform: str
) -> None:
    path = texts.root / "key"
    path.write_bytes(secret.encode())
    named = {"slicktext": "{env: SLICKTEXT_API_KEY}", "exotel": "{env: EXOTEL_API_KEY}"}[platform]
    texts.write("account.yaml", accounts_at(texts.sandbox.url)[platform].replace(named, "{file: ../key}"))
    texts.write(
        "list.yaml",
        LIST.replace("slicktext", platform).replace("Join", "Join, tag: x" if platform == "exotel" else "Join"),
    )
    result = texts("plan")
    assert result.code == 4 or platform == "exotel", result.err
    assert result.code == 4 or "schl" in secret
    assert all(part not in result.err for part in ("good-key", "two-lines", "X-Evil"))
    assert all("x-evil" not in str(r).lower() for r in texts.sandbox.requests())


@survives("S036")
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"])
def test_s036_a_loopback_account_is_never_sent_through_a_proxy(
    texts: Repository, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    texts.write("list.yaml", LIST)
    with between(texts.sandbox.url) as elsewhere:
        monkeypatch.setenv(variable, elsewhere.url)
        assert texts("plan").code == 0
        assert elsewhere.asked == []


@survives("S036")
def test_s036_netrc_and_switches_of_other_tools_change_nothing(
    texts: Repository, proxy: Between, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("default login other password canary-netrc\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    assert texts("plan").code == 0
    assert {a.headers["authorization"] for a in proxy.asked} == {f"Bearer {SECRETS['SLICKTEXT_API_KEY']}"}


@survives("S038")
def test_s038_an_answer_that_unpacks_without_end_is_not_unpacked(texts: Repository, proxy: Between) -> None:
    import gzip

    bomb = gzip.compress(b"[" + b" " * (200 << 20), compresslevel=1)

    def inflate(asked: Asked, answered: Answered) -> Answered:
        return Answered(200, {"Content-Encoding": "gzip", "Content-Type": "application/json"}, bomb)

    proxy.change = inflate
    result = texts("plan")
    assert result.code == 10
    assert "larger than" in result.out + result.err


@survives("S038")
def test_s038_paging_without_end_ends(texts: Repository, proxy: Between) -> None:
    """A provider that answers every page with the same full one, and always says that there are more."""
    people = [{"contact_id": i, "mobile_number": f"+1615555{i:04d}", "opt_in_status": "subscribed"} for i in range(100)]

    def endless(asked: Asked, answered: Answered) -> Answered:
        if "/contacts" in asked.target or "/lists" in asked.target:
            rows = (
                people if "/contacts" in asked.target else [{"contact_list_id": i, "name": f"L{i}"} for i in range(100)]
            )
            more = {"current_page_url": asked.target, "next_page_url": asked.target}
            return Answered(200, {}, {"data": rows, "links": more, "total": 10**9})
        return answered

    proxy.change = endless
    texts.write("people.yaml", MEMBERS)
    assert texts("plan").code == 10
    assert len(proxy.asked) < 60


@survives("S039")
def test_s039_cookies_are_not_kept(texts: Repository, proxy: Between) -> None:
    def cookie(asked: Asked, answered: Answered) -> Answered:
        answered.headers["Set-Cookie"] = "session=canary-cookie; Path=/"
        return answered

    proxy.change = cookie
    texts.apply()
    assert len(proxy.asked) > 2
    assert all("cookie" not in a.headers for a in proxy.asked)
    assert b"canary-cookie" not in b"".join(p.read_bytes() for p in (texts.root / ".reconciler").iterdir())


def spelled(secret: str) -> list[str]:
    """The ways in which a secret comes back: as it is, and as encoders write it."""
    raw = secret.encode()
    return [
        secret,
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        base64.b64encode(b"sandbox:" + raw).decode().rstrip("="),
        raw.hex(),
        raw.hex().upper(),
        "".join(f"%{b:02X}" for b in raw),
        "".join(f"\\u{b:04x}" for b in raw),
    ]


@survives("S040")
@survives("S060")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500])
@pytest.mark.parametrize("spelling", range(8))
def test_s040_s060_an_error_that_echoes_the_key_is_told_without_it(
    texts: Repository, proxy: Between, status: int, spelling: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if status in (429, 500):
        from reconciler.providers import http

        monkeypatch.setattr(http, "backoff_s", lambda attempt, *, base_s: 0.0)
    echo = spelled(SECRETS["SLICKTEXT_API_KEY"])[spelling]
    said = f"the key {echo} of +1 (615) 555-0123 is wrong"
    proxy.change = lambda asked, answered: Answered(status, {"Retry-After": "0"}, {"error": said, "message": said})
    for words in (("plan", "--debug"), ("apply", "--yes"), ("call", "main", "lists.list")):
        result = texts(*words)
        assert result.code in (1, 4, 10), result.err
        assert "Traceback" not in result.err
    everything = "".join(texts.said)
    assert echo not in everything
    assert "555-0123" not in everything


@survives("S056")
@survives("S057")
def test_s056_s057_keys_are_in_headers_only_and_in_no_log(
    texts: Repository, proxy: Between, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        texts.write("people.yaml", MEMBERS)
        texts("apply", "--yes", "--debug")
        proxy.change = lambda asked, answered: Answered(500, {}, b"\xff<html>")
        texts("drift", "--debug")
    key = SECRETS["SLICKTEXT_API_KEY"]
    assert all(key not in a.target for a in proxy.asked)
    ours = "".join(r.getMessage() for r in caplog.records if not r.name.startswith("uvicorn"))
    assert key not in ours
    assert "6155550123" not in ours
    assert "authorization" not in ours.lower()


@survives("S043")
@pytest.mark.parametrize(
    "words", [("plan", "--calls"), ("drift",), ("status",), ("validate",), ("history",), ("inventory", "list")]
)
def test_s043_what_only_reads_only_reads(texts: Repository, proxy: Between, words: tuple[str, ...]) -> None:
    texts.write("people.yaml", MEMBERS)
    texts.apply()
    texts.write("list.yaml", LIST.replace("Join", "Renamed"))
    (texts.root / "manifests" / "people.yaml").unlink()
    mine = len(proxy.asked)
    assert texts(*words).code in (0, 2)
    assert {a.method for a in proxy.asked[mine:]} <= {"GET"}


@survives("S041")
def test_s041_an_object_with_our_name_is_not_ours_until_somebody_says_so(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", LIST)
    texts.apply()
    twin = LIST.replace("join", "twin").replace("Join", "Twin")
    sandbox.tamper("slicktext", "create_list", name="Twin")
    texts.write("twin.yaml", twin)
    assert texts.plan().changes() == [("adopt", "List/twin")]
    assert texts("apply").code == 5
