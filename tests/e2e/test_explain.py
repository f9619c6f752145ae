"""``explain`` and ``schema`` as they are typed: codes, kinds and fields."""

from __future__ import annotations

from reconciler.errors import Exit
from reconciler.plan.allows import COUNTED, NAMED

from repository import Repository


def test_a_field_is_explained(repository: Repository) -> None:
    result = repository("explain", "slicktext/v1/List.name")
    assert result.code == 0
    assert result.out.splitlines()[:4] == [
        "slicktext/v1/List.spec.name",
        "",
        "  string, required",
        "  The name of the list.",
    ]
    assert "at most 100 characters" in result.out


def test_a_kind_lists_its_fields(repository: Repository) -> None:
    told = repository("explain", "contactcenter/v1/Membership").out
    assert "    spec.mode  (exact | additive, required)\n" in told
    assert "    lifecycle  (object)\n" in told
    every = repository("explain", "List").out
    assert [w for w in every.splitlines() if w and w[0] != " "] == [
        "exotel/v1/List",
        "intelepeer/v1/List",
        "slicktext/v1/List",
    ]


def test_codes_are_explained_as_before(repository: Repository) -> None:
    assert "What to do:" in repository("explain", "unknown-field").out
    assert "unknown-field" in repository("explain").out


def test_guards_and_exit_codes_are_explained(repository: Repository) -> None:
    for guard in (*COUNTED, *NAMED):
        result = repository("explain", guard, "--format", "json")
        (told,) = result.json["guards"]
        assert (result.code, told["guard"], result.json["exits"]) == (0, guard, [])
        assert f"--allow {guard}=" in told["remedy"]
    assert "guard deletes\n" in repository("explain", "deletes").out
    assert "refused by a guard" in repository("explain", "5").out
    assert [e["exit"] for e in repository("explain", "--format", "json").json["exits"]] == [str(int(e)) for e in Exit]
    every = repository("explain").out
    assert "\nshrink  " in every
    assert "\n143  " in every


def test_what_nothing_is_called_is_a_usage_error(repository: Repository) -> None:
    for typed, meant in (
        ("List.nmae", "List.name"),
        ("Campain", "Campaign"),
        ("unknown-feild", "unknown-field"),
        ("shrnk", "shrink"),
    ):
        result = repository("explain", typed)
        assert (result.code, result.out) == (64, "")
        assert meant in result.err
    assert repository("explain", "").code == 64


def test_a_schema_on_stdout_comes_with_the_editor_s_line_on_stderr(repository: Repository) -> None:
    result = repository("schema", "slicktext/v1/List")
    assert result.json["properties"]["kind"]["const"] == "List"
    assert "# yaml-language-server: $schema=" in result.err
    assert repository("schema").err == ""
