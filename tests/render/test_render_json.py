"""JSON that is safe to print."""

from __future__ import annotations

import pytest

from reconciler.render.json import document_json


def test_keys_keep_their_order_and_people_can_read_it() -> None:
    assert document_json({"b": 1, "a": "営業 •••"}) == '{\n  "b": 1,\n  "a": "営業 •••"\n}\n'


def test_what_a_terminal_obeys_is_escaped() -> None:
    text = document_json({"a": "\x1b[31m\x7f\x9b\u202e\u2028\u200b\ud800"})

    assert text == '{\n  "a": "\\u001b[31m\\u007f\\u009b\\u202e\\u2028\\u200b\\ud800"\n}\n'


def test_what_ci_obeys_is_escaped() -> None:
    assert "##[" not in document_json({"a": "##[command]", "b": "##vso[x]"})


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        document_json({"a": float("nan")})
