"""Which files are read, and which never are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.diagnostics import Severity
from reconciler.errors import InvalidInput, UsageError
from reconciler.manifest.load import Loaded, LoadOptions, contact_files, load

ACCOUNT = (
    "apiVersion: slicktext/v1\nkind: Account\nmetadata: {name: main}\nspec: {brandId: 1, auth: {apiKey: {env: KEY}}}\n"
)


def a_list(name: str) -> str:
    return f"apiVersion: slicktext/v1\nkind: List\nmetadata: {{name: {name}}}\nspec: {{name: {name}}}\n"


def members(of: str) -> str:
    head = f"apiVersion: slicktext/v1\nkind: Membership\nmetadata: {{name: {of}}}\n"
    return head + f"spec: {{list: {of}, mode: additive}}\n"


def an_association(campaign: str, list_: str) -> str:
    head = "apiVersion: slicktext/v1\nkind: Association\nmetadata: {name: a}\n"
    return head + f"spec: {{campaign: {campaign}, list: {list_}}}\n"


def project(manifests: str = "") -> str:
    spec = f"\nspec: {{manifests: {manifests}}}" if manifests else ""
    return f"apiVersion: reconciler/v1\nkind: Project\nmetadata: {{name: acme}}{spec}\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def loaded(*paths: Path, **options: Any) -> Loaded:
    return load(paths, LoadOptions(providers={}, **options))


def names(found: Loaded) -> set[str]:
    assert found.desired is not None, [f"{d.source} {d.code} {d.message}" for d in found.diagnostics]
    return {a.name for a in found.desired.resources}


def told(found: Loaded) -> list[tuple[str, str]]:
    return [(d.code, d.source.file if d.source else "") for d in found.diagnostics]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folders_are_searched_but_for_hidden_ones(here: Path) -> None:
    write(
        here,
        {
            "a.yaml": ACCOUNT,
            "b/c/d.yml": a_list("deep"),
            "b/e.YAML.txt": "not: [yaml",
            ".git/x.yaml": "not: [yaml",
            ".github/workflows/ci.yaml": "not: [yaml",
            ".reconciler/x.yaml": "not: [yaml",
            "node_modules/x.yaml": "not: [yaml",
            "b/.hidden.yaml": "not: [yaml",
        },
    )
    assert names(loaded()) == {"deep"}
    assert names(loaded(here)) == {"deep"}
    assert names(loaded(Path("a.yaml"), Path("b"))) == {"deep"}
    assert names(loaded(Path("a.yaml"), Path("b/c/d.yml"), Path("b"))) == {"deep"}


def test_the_project_file_says_where_manifests_are(here: Path) -> None:
    write(
        here,
        {
            "reconciler.yaml": project("[manifests, extra/one.yaml]"),
            "manifests/a.yaml": ACCOUNT,
            "manifests/b.yaml": a_list("b"),
            "extra/one.yaml": a_list("one"),
            "extra/two.yaml": a_list("two"),
            "values/prod.yaml": "region: eu\n",
        },
    )
    for paths in ([], [here], [here / "reconciler.yaml"]):
        found = loaded(*paths)
        assert names(found) == {"b", "one"}
        assert found.desired is not None
        assert found.desired.project.root == str(here.resolve())


def test_a_project_file_without_manifests_is_the_folder(here: Path) -> None:
    write(here, {"reconciler.yaml": project() + "---\n" + ACCOUNT, "sub/b.yaml": a_list("b")})
    assert names(loaded()) == {"b"}
    assert names(loaded(here / "reconciler.yaml")) == set()


def test_the_project_here_holds_for_what_is_below(here: Path) -> None:
    write(
        here,
        {
            "reconciler.yaml": project("[manifests]").replace("{manifests", "{guards: {maxReach: 7}, manifests"),
            "manifests/a.yaml": ACCOUNT,
            "other/b.yaml": ACCOUNT + "---\n" + a_list("b"),
        },
    )
    found = loaded(Path("other"))
    assert names(found) == {"b"}
    assert found.desired is not None
    assert found.desired.project.name == "acme"
    assert found.desired.accounts["main"].guards.max_reach == 7


def test_a_project_elsewhere_does_not_hold(here: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write(here, {"reconciler.yaml": project("[manifests]")})
    write(elsewhere, {"a.yaml": ACCOUNT})
    found = loaded(elsewhere)
    assert found.desired is not None
    assert (found.desired.project.name, found.desired.project.root) == ("", str(elsewhere.resolve()))
    assert found.desired.accounts["main"].source.file == (elsewhere / "a.yaml").as_posix()


def test_a_path_that_is_not_there_is_a_usage_error(here: Path) -> None:
    with pytest.raises(UsageError):
        loaded(here / "nowhere")


@pytest.mark.parametrize("files", [{}, {"readme.md": "x"}, {"a.yaml": "# nothing\n"}, {"a.yaml": project()}])
def test_no_manifests_is_an_error(here: Path, files: dict[str, str]) -> None:
    write(here, files)
    found = loaded()
    assert found.desired is None
    assert [d.code for d in found.diagnostics] == ["no-manifests"]


@pytest.mark.parametrize(
    ("content", "inside"),
    [
        (project("[manifests]"), "manifests"),
        (project("[manifests]"), "manifests/lists"),
        (project("[other, manifests/lists]"), "manifests"),
        (project("[manifests/lists/a.yaml]"), "manifests/lists"),
        (project(), "manifests/lists"),
        (project().replace("acme}", "acme"), "manifests"),
    ],
    ids=["named", "below", "above what is named", "a named file", "names nothing", "cannot be read"],
)
def test_a_part_of_a_project_is_not_taken_for_all(
    here: Path, monkeypatch: pytest.MonkeyPatch, content: str, inside: str
) -> None:
    write(here, {"reconciler.yaml": content, "manifests/lists/a.yaml": a_list("a")})
    monkeypatch.chdir(here / inside)
    with pytest.raises(InvalidInput, match="run it there") as refused:
        loaded()
    assert (refused.value.code, str(here.resolve()) in refused.value.message) == ("project-above", True)
    up = "/".join([".."] * (inside.count("/") + 1))
    command = f"cd {up} && reconciler plan --select 'path:{inside}/*'"
    assert refused.value.hint.endswith(command)
    # Whoever names the part gets that part, and is told what does not hold for it.
    (warned,) = (d for d in loaded(Path()).diagnostics if d.code == "project-above")
    assert (warned.severity, warned.hint.endswith(command)) == (Severity.WARNING, True)
    with pytest.raises(InvalidInput):
        contact_files()


@pytest.mark.parametrize(
    ("files", "inside"),
    [
        ({"reconciler.yaml": project("[other]")}, "sub"),
        ({"reconciler.yaml": project()}, ".hidden/sub"),
        ({"reconciler.yaml": "a: [of something else\n"}, "sub"),
        ({"reconciler.yaml": project(), "sub/reconciler.yml": project().replace("acme", "own")}, "sub"),
        ({"reconciler.yaml": project(), "sub/any.yaml": project().replace("acme", "own")}, "sub"),
    ],
    ids=["elsewhere", "hidden", "no project", "own project", "own project in another file"],
)
def test_a_project_above_that_has_nothing_here_is_none_of_ours(
    here: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], inside: str
) -> None:
    write(here, {**files, f"{inside}/a.yaml": f"{ACCOUNT}---\n{a_list('a')}"})
    monkeypatch.chdir(here / inside)
    assert names(loaded()) == {"a"}
    assert told(loaded(Path())) == []


def test_files_are_named_relative_to_here(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here, {"sub/a.yaml": "a: [\n"})
    assert told(loaded(here / "sub")) == [("yaml-syntax", "sub/a.yaml")]
    assert told(loaded(Path("sub") / ".." / "sub")) == [("yaml-syntax", "sub/a.yaml")]
    monkeypatch.chdir(here / "sub")
    assert told(loaded(Path())) == [("yaml-syntax", "a.yaml")]


def test_links_out_of_the_project_are_refused(here: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    write(outside, {"secret.yaml": "password: canary\n", "folder/x.yaml": a_list("x")})
    write(here, {"a.yaml": ACCOUNT, "sub/real.yaml": a_list("real")})
    (here / "link.yaml").symlink_to(outside / "secret.yaml")
    (here / "folder").symlink_to(outside / "folder")
    (here / "loop").symlink_to(here)
    (here / "inside.yaml").symlink_to(here / "sub" / "real.yaml")
    (here / "dangling.yaml").symlink_to(here / "nowhere.yaml")
    found = loaded()
    assert told(found) == [("path-outside-project", "folder"), ("path-outside-project", "link.yaml")]
    assert "canary" not in str(found.diagnostics)
    (here / "link.yaml").unlink()
    (here / "folder").unlink()
    assert names(loaded()) == {"real"}


def test_a_manifest_path_that_is_a_link_out_is_refused(here: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    write(here, {"reconciler.yaml": project("[manifests]")})
    (here / "manifests").symlink_to(outside)
    assert told(loaded()) == [("path-outside-project", "reconciler.yaml")]


def test_pipes_and_folders_are_not_read_and_not_waited_for(here: Path) -> None:
    write(here, {"a.yaml": ACCOUNT, "folder.yaml/b.yaml": a_list("b")})
    os.mkfifo(here / "pipe.yaml")
    assert told(loaded()) == [("file-unreadable", "pipe.yaml")]
    (here / "pipe.yaml").unlink()
    assert names(loaded()) == {"b"}


def test_a_huge_file_is_refused_before_it_is_read(here: Path) -> None:
    with (here / "huge.yaml").open("wb") as file:
        file.truncate(2 << 30)
    assert told(loaded()) == [("file-too-large", "huge.yaml")]


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (ACCOUNT.encode("utf-16"), "yaml-not-utf8", 1),
        (ACCOUNT.encode() + b"# \xff\n", "yaml-not-utf8", 5),
        (ACCOUNT.encode() + b"# \x00\n", "yaml-control-character", 5),
        (ACCOUNT.encode() + b"# \x1b[2J\n", "yaml-control-character", 5),
        (ACCOUNT.encode() + "# \u202e\n".encode(), "yaml-control-character", 5),
        (ACCOUNT.encode() + b"# \xef\xbb\xbf\n", "yaml-control-character", 5),
    ],
)
def test_only_plain_utf8_is_read(here: Path, content: bytes, code: str, line: int) -> None:
    (here / "a.yaml").write_bytes(content)
    found = loaded()
    assert found.desired is None
    assert [(d.code, d.source.line) for d in found.diagnostics if d.source] == [(code, line)]
    assert all(c.isprintable() for d in found.diagnostics for c in d.excerpt + d.message)


def test_a_byte_order_mark_at_the_start_is_fine(here: Path) -> None:
    (here / "a.yaml").write_bytes(b"\xef\xbb\xbf" + (ACCOUNT + "---\n" + a_list("b")).encode())
    assert names(loaded()) == {"b"}


def test_windows_line_ends_are_fine(here: Path) -> None:
    (here / "a.yaml").write_bytes((ACCOUNT + "---\n" + a_list("b")).replace("\n", "\r\n").encode())
    assert names(loaded()) == {"b"}


def test_all_problems_come_in_one_run(here: Path) -> None:
    write(
        here,
        {
            "a.yaml": ACCOUNT,
            "b.yaml": "x: [\n---\n" + a_list("b").replace("name: b}\n", "nmae: b}\n", 1),
            "c/d.yaml": a_list("d").replace("List", "Lists"),
            "e.yaml": an_association("spring", "vip"),
            "f.yaml": b"\xff".decode("latin-1"),
        },
    )
    assert told(loaded()) == [
        ("yaml-syntax", "b.yaml"),
        ("unknown-field", "b.yaml"),
        ("unknown-kind", "c/d.yaml"),
        ("unknown-reference", "e.yaml"),
        ("unknown-reference", "e.yaml"),
        ("not-a-mapping", "f.yaml"),
    ]


def test_a_name_in_a_broken_document_is_not_called_undeclared(here: Path) -> None:
    write(
        here,
        {
            "a.yaml": ACCOUNT,
            "b.yaml": "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: vip\nspec: {name: VIP}\n",
            "c.yaml": a_list("other").replace("spec", "sepc"),
            "d.yaml": members("vip"),
            "e.yaml": members("other"),
        },
    )
    assert told(loaded()) == [("yaml-syntax", "b.yaml"), ("unknown-field", "c.yaml")]
