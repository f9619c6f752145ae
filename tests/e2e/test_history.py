"""``history show``: which run is meant."""

from __future__ import annotations

from repository import Repository


def a_list(name: str) -> str:
    return f"apiVersion: slicktext/v1\nkind: List\nmetadata: {{name: {name}}}\nspec: {{name: L {name}}}\n"


def shown(repository: Repository, run: str) -> list[str]:
    document = repository("history", "show", run, "--format", "json").json
    return [document["run"], *(o["address"] for o in document["operations"])]


def test_a_run_is_named_by_latest_or_by_the_beginning_of_its_id(texts: Repository) -> None:
    for name in ("a", "b"):
        texts.write(f"{name}.yaml", a_list(name))
        texts.apply()
    newest, oldest = (run["id"] for run in texts("history", "--format", "json").json["runs"])
    assert shown(texts, "latest") == shown(texts, newest) == [newest, "main/List/b"]
    alone = next(oldest[:n] for n in range(1, len(oldest) + 1) if not newest.startswith(oldest[:n]))
    assert shown(texts, alone) == shown(texts, oldest) == [oldest, "main/List/a"]


def test_a_beginning_that_several_runs_have_names_them(texts: Repository) -> None:
    for name in ("a", "b"):
        texts.write(f"{name}.yaml", a_list(name))
        texts.apply()
    runs = [run["id"] for run in texts("history", "--format", "json").json["runs"]]
    refused = texts("history", "show", "20")
    assert refused.code == 64
    assert all(run in refused.err for run in runs)
    for nothing in ("nowhere", ""):
        refused = texts("history", "show", nothing)
        assert refused.code == 64
        assert f"the newest is {runs[0]}" in refused.err


def test_where_nothing_ran_there_is_no_latest_and_a_run_that_sent_nothing_says_so(texts: Repository) -> None:
    texts.write("a.yaml", a_list("a"))
    assert texts("history", "show", "latest").code == 64
    texts.apply()
    texts.apply()
    assert "sent nothing" in texts("history", "show", "latest").out
