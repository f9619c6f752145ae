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


@pytest.mark.parametrize("number", [16155550123, 6155550123, 6155550123.0, 442079460958, "rec_16155550123-2.wav"])
def test_a_number_is_masked_whatever_it_is_called(number: object) -> None:
    shown = masked({"dialled": number, "rows": [number], "deep": {"x": number}})
    assert "5550123" not in json.dumps(shown)
    assert "20794609" not in json.dumps(shown)


@pytest.mark.parametrize("value", [0, -1, 1.5, 1761300000, 1761300000123, 1761300000.25, 10**18, 1e300, 4999999])
def test_times_and_counts_stay(value: float) -> None:
    assert masked({"value": value}) == {"value": value}


def test_whose_lead_it_was_is_hidden() -> None:
    row = {"lead_name": "Jane Doe", "lead_number": "12131204", "campaign_name": "Spring", "timestamp": 1666222318}
    shown = masked(row)
    assert (shown["campaign_name"], shown["timestamp"], shown["lead_name"]) == ("Spring", 1666222318, "•••")
    assert "2131204" not in json.dumps(shown)


def test_pages_are_told_and_attributes_are_not() -> None:
    body = {"metadata": {"total": 5, "limit": 20}, "response": [{"data": {"metadata": {"member": 5}}}]}
    shown = json.loads(answer_json(body, show_pii=False))
    assert shown == {"metadata": {"total": 5, "limit": 20}, "response": [{"data": {"metadata": {"member": "•••"}}}]}


@pytest.mark.parametrize("key", ["id", "_id", "runId", "contact_list_id", "upload_id", "sid", "listRel", "lists_ids"])
def test_ids_stay_readable(key: str) -> None:
    assert masked({key: "166871156336"}) == {key: "166871156336"}
    assert masked({key: ["5cf02630e313d620ca9743e4"]}) == {key: ["5cf02630e313d620ca9743e4"]}
    assert masked({key: "+16155550123"}) == {key: "+1 615 ••• ••23"}


@pytest.mark.parametrize("body", [1200, True, None, [], {}, "Lead added."])
def test_what_is_no_object_is_shown_as_it_is(body: object) -> None:
    assert json.loads(answer_json(body, show_pii=False)) == body


def test_an_operation_tells_which_members_are_people() -> None:
    body = [
        {
            "name": "Sales",
            "agents": [{"id": "a1", "name": "Jim Jones", "status": "idle"}],
            "lead_name": "Raven",
            "agent_name": None,
            "calls": {"c1": {"name": "Piper", "waiting": 3}},
        }
    ]
    people = ("agents.name", "lead_name", "agent_name", "calls")
    (shown,) = json.loads(answer_json(body, show_pii=False, people=people))
    assert shown["name"] == "Sales"
    assert shown["agents"] == [{"id": "a1", "name": "•••", "status": "idle"}]
    assert (shown["lead_name"], shown["agent_name"]) == ("•••", None)
    assert shown["calls"] == {"c1": {"name": "•••", "waiting": "•••"}}
    assert json.loads(answer_json(body, show_pii=True, people=people)) == body
