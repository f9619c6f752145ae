"""Every command that README and the user guide show is run here, page by page, and does what the page says."""

from __future__ import annotations

import re
import shlex
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.cli import run

from shells import Shell
from shown import Block, Command, blocks, mentioned, mismatch
from situations import NAMED_ONLY, SITUATIONS, STAND_INS

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
SHOWN = {page: [b for b in blocks(page) if b.commands or b.file] for page in PAGES}


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _bare(command: str) -> str:
    """A command without the comment behind it."""
    return re.sub(r"\s+# .*", "", command)


@pytest.mark.timeout(300)  # a page is many commands, and a machine may be busy
@pytest.mark.parametrize("page", [page for page, found in SHOWN.items() if found], ids=_name)
def test_what_a_page_shows_works(page: Path, tmp_path: Path) -> None:
    with ExitStack() as places:
        shell: Shell | None = None
        for number, block in enumerate(SHOWN[page]):
            if block.place:
                places.close()
                shell = Shell(home=tmp_path / str(number), closing=places)
                SITUATIONS[block.place](shell)
            assert shell is not None, f"{_name(page)}:{block.line}: <!-- run: in=… --> has to say where this is run"
            if block.file:
                _write(shell, block)
            for command in block.commands:
                _check(f"{_name(page)}:{command.line}", shell, command)


def _write(shell: Shell, block: Block) -> None:
    path = Path((shell.home / "place").read_text().strip(), block.file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.content)


def _check(where: str, shell: Shell, command: Command) -> None:
    text = _bare(command.text)
    if stand_in := STAND_INS.get(text):
        text = stand_in.instead
    if not text:
        return
    assert "…" not in text, f"{where}: {text}: a command is shown whole"
    code, printed = shell.run(text, command.answer)
    assert code == command.exit, f"{where}: {text}: exit {code}\n{printed}"
    if command.shown is not None:
        wrong = mismatch(command.shown, printed)
        assert not wrong, f"{where}: {text}: {wrong}\n{printed}"


def test_what_pages_name_in_their_prose_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process, since none of it depends on the one before."""
    by_hand = [page for page in PAGES if page.parent.name != "reference"]  # there every ADDRESS and KIND is one of many
    named = {command for page in by_hand for command in mentioned(page)}
    assert NAMED_ONLY.keys() <= named
    with ExitStack() as closing:
        shell = Shell(home=tmp_path / "home", closing=closing)
        SITUATIONS["removed"](shell)
        monkeypatch.chdir(shell.folder)
        for name, value in shell.environment.items():
            monkeypatch.setenv(name, value)
        for command in sorted(named - NAMED_ONLY.keys()):
            words = [shell.words.get(word, word) for word in shlex.split(command)[1:]]
            assert run(words) == 0, f"{command}\n{capsys.readouterr()}"


def test_pages_show_commands() -> None:
    """Without this a mistake in finding them would make the tests above pass for nothing."""
    texts = [command.text for found in SHOWN.values() for block in found for command in block.commands]
    words = [shlex.split(text, comments=True) for text in texts]
    used = {w[1] for w in words if w[0] == "reconciler"}
    assert {"init", "plan", "apply", "drift", "import", "dial", "call", "status", "lock", "restore", "sandbox"} <= used
    assert len(texts) > 50


def test_what_is_not_run_is_shown_and_has_a_reason() -> None:
    texts = {_bare(command.text) for found in SHOWN.values() for block in found for command in block.commands}
    assert STAND_INS.keys() - texts == set()
    assert all(stand_in.because for stand_in in STAND_INS.values())


def test_every_situation_is_used() -> None:
    used = {block.place for found in SHOWN.values() for block in found if block.place}
    assert used <= SITUATIONS.keys()
    assert {name for name in SITUATIONS if not name.startswith("example-")} <= used


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ("```\nreconciler plan\n```\n", "says its language"),
        ("```text\n$ reconciler plan\n```\n", "indented block"),
        ("```powershell\nreconciler plan\n```\n", "indented block"),
        ("<!-- run: exit=1 -->\n\nSo:\n\n    reconciler plan\n", "not right before"),
        ("<!-- run: out=x -->\n\n    reconciler plan\n", "unknown"),
        ("<!-- run:in=x -->\n\n    reconciler plan\n", "cannot be read"),
        ("<!-- run: exit=1,2 -->\n\n    reconciler plan\n", "for them 1,2"),
        ("<!-- run: exit=1 -->\n```json\n{}\n```\n", "nothing is run"),
    ],
)
def test_a_block_that_would_go_unnoticed_is_a_mistake(page: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(page)
    with pytest.raises(ValueError, match=problem):
        blocks(path)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("done 3  failed 0", "done 3   failed 0\n", True),
        ("done 3  failed 0", "done 4   failed 0\n", False),
        ("done 3", "done 3\nfailed 1\n", False),
        ("done 3\n…", "done 3\nfailed 1\n", True),
        ("…\nfailed 1", "done 3\nfailed 1\n", True),
        ("done 3\nfailed 1", "done 3\nblocked 0\nfailed 1\n", False),
        ("took 0.1 s", "took 12.4 s\n", True),
        ("run 2026-11-22T04.25.04-0004", "run 2027-01-01T00.00.00-abcd\n", True),
        ("add … 14 more", "add +1, +2, 14 more\n", True),
        ("add … 14 more", "add +1, +2, 15 more\n", False),
    ],
)
def test_what_is_printed_is_compared_with_what_is_shown(shown: str, printed: str, same: bool) -> None:
    assert (mismatch(tuple(shown.splitlines()), printed) == "") is same


def test_exports_and_folders_last_until_the_next_command(tmp_path: Path) -> None:
    with ExitStack() as closing:
        shell = Shell(home=tmp_path / "home", closing=closing)
        assert shell.run("mkdir inside && cd inside && export COLOUR='deep blue'") == (0, "")
        assert shell.run('pwd; echo "$COLOUR"; false') == (1, f"{shell.folder}/inside\ndeep blue\n")
