"""The listing of calls."""

from __future__ import annotations

from typing import Any

from plan_documents import plan

from reconciler.render.calls import calls_text


def call(**more: Any) -> dict[str, Any]:
    plain = {"address": "main/List/join", "title": "create list", "method": "POST", "path": "/lists", "body": None}
    return {**plain, "count": 1, "contactClass": "silent", **more}


def shown(*calls: dict[str, Any], width: int = 80) -> str:
    return calls_text(plan(calls=list(calls)), width=width, color=False)


def test_calls_are_numbered_in_order() -> None:
    text = shown(*(call(path=f"/lists/{n}") for n in range(1, 12)))

    assert "   1  POST   /lists/1\n" in text
    assert "  11  POST   /lists/11\n" in text
    assert text.index("/lists/9\n") < text.index("/lists/10\n")


def test_a_path_is_never_shortened() -> None:
    path = "/" + "/".join(f"part{n}" for n in range(30))

    assert path in shown(call(path=path), width=60).replace("\n            ", "")


def test_how_often_and_what_it_means_come_before_what_may_be_cut() -> None:
    text = shown(call(count=60, contactClass="starts-contacting", title="add " * 40), width=60)

    assert "× 60   starts contacting   main/List/join: add" in text


def test_a_long_array_is_cut_and_counted() -> None:
    text = shown(call(body=[{"contact_id": n} for n in range(80)]), width=90)

    assert '{"contact_id": 2}, … 77 more]' in text
    assert '{"contact_id": 3}' not in text


def test_what_the_document_left_out_is_added_to_what_we_leave_out() -> None:
    text = shown(call(body=[1, 2, 3, 4, 5, "… 75 more"]))

    assert "[1, 2, 3, … 77 more]" in text


def test_a_document_without_calls_has_no_listing() -> None:
    assert calls_text(plan(), width=80, color=False) == ""
    assert shown() == "No calls.\n"
