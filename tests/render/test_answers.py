"""Answers of providers as they are shown: nobody in them can be recognised, and ids still work."""

from __future__ import annotations

import json

import pytest

from reconciler.render.answers import answer_json, masked


def test_people_are_hidden_by_the_names_of_their_attributes() -> None:
    person = {
        "contact_id": 7778,
        "firstName": "Marty",
        "last_name": "McFly",
        "mobile_number": "+16155550123",
        "number": 6155550123,
        "email": "marty@example.com",
        "zip": 95420,
        "custom_fields": {"member": 1, "notes": ["a", None]},
        "metadata": {"Firstname": "Abby"},
        "opt_in_status": "subscribed",
        "birthdate": None,
    }
    shown = masked([person])[0]
    assert shown["contact_id"] == 7778
    assert shown["opt_in_status"] == "subscribed"
    assert shown["birthdate"] is None
    assert shown["custom_fields"] == {"member": "•••", "notes": ["•••", None]}
    text = json.dumps(shown)
    for secret in ("Marty", "McFly", "555012", "5550123", "example.com", "95420", "Abby"):
        assert secret not in text
    assert json.loads(answer_json([person], show_pii=True)) == [person]


def test_numbers_are_masked_wherever_they_stand() -> None:
    body = {"name": "Ask +1 615 555 0123", "+16155550123": 1, "+16155559923": 2, "said": ["call 615-555-0123"]}
    shown = masked(body)
    assert "0123" not in json.dumps(shown)
    assert sorted(v for v in shown.values() if isinstance(v, int)) == [1, 2]


@pytest.mark.parametrize("key", ["id", "_id", "runId", "contact_list_id", "upload_id", "sid", "listRel", "lists_ids"])
def test_ids_stay_readable(key: str) -> None:
    assert masked({key: "166871156336"}) == {key: "166871156336"}
    assert masked({key: ["5cf02630e313d620ca9743e4"]}) == {key: ["5cf02630e313d620ca9743e4"]}
    assert masked({key: "+16155550123"}) == {key: "+1 615 ••• ••23"}


@pytest.mark.parametrize("body", [1200, True, None, [], {}, "Lead added."])
def test_what_is_no_object_is_shown_as_it_is(body: object) -> None:
    assert json.loads(answer_json(body, show_pii=False)) == body
