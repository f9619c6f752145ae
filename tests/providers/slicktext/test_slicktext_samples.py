"""Every documented sample is read, and every documented request is produced.

The samples are those of the SlickText API notes, re-typed as valid JSON; what was personal in them is made up.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reconciler.errors import ReadIncomplete
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.plan.calls import Call, MembersAdded, Phase, Ref, Step, unresolved
from reconciler.providers.slicktext import calls, contacts, convert
from reconciler.providers.slicktext.convert import AccountMismatch

BRAND = "123456789"

LIST = """{"contact_list_id":2222,"_brand_id":123456789,"name":"Join","description":"Join the VIP list",
 "created":"2024-01-01 15:36:40"}"""

LISTS = f"""{{"data":[{LIST}],
 "pagingData":{{"prevPage":null,"currentPage":null,"nextPage":null,"currentPageString":null,"hasMore":true}}}}"""

MEMBERS = """{"data":[{"contact_id":7778,"_brand_id":123456789,"first_name":"Ada","last_name":"Example",
  "mobile_number":"+16155550138","mobile_number_carrier":null,"email":"ada@example.com","birthdate":"1968-06-12",
  "address":"1 Example Drive","city":"Exampleville","state":"CA","zip":95420,"country":"US",
  "source":"keyword","_source_id":"1111","sub_source":null,"_sub_source_id":null,
  "custom_fields":{"member":1,"member_number":12345,"membership_date":"1985-10-26"},
  "timezone":"America/Los_Angeles","language":"en","opt_in_status":"subscribed",
  "last_opt_in_status_change":"1955-11-12 06:38:00","created":"1955-11-12 06:38:00",
  "last_updated":"2015-10-15 07:28:00"}],
 "pagingData":{"prevPage":null,"currentPage":null,"nextPage":null,"currentPageString":null,"hasMore":true}}"""

CONTACT = """{"contact_id":5320593,"_brand_id":123456789,"first_name":"Ada","last_name":"Example",
 "mobile_number":"+16155550138","mobile_number_carrier":null,"email":"ada@example.com","birthdate":"1968-06-12",
 "address":"1 Example Drive","city":"Exampleville","state":"CA","zip":"95420","country":"US","source":"api",
 "_source_id":null,"sub_source":null,"_sub_source_id":null,"custom_fields":null,"timezone":"America/Los_Angeles",
 "language":"en","opt_in_status":"subscribed","last_opt_in_status_change":"2025-02-12 18:56:12",
 "created":"2025-02-12 18:56:12","last_updated":null}"""

CAMPAIGN = """{"campaign_id":3333,"_brand_id":123456789,"_created_by_user_id":null,"name":"Send From API",
 "body":"Welcome to ACME","media_url":null,"audience_size":107,"status":"sent","status_detail":null,
 "status_date":"2024-12-05 20:27:22","completion_percentage":32,"created":"2024-12-05 20:27:20",
 "scheduled":"2024-12-31 10:00:00","started":"2024-12-05 20:27:20","finished":"2024-12-05 20:27:22",
 "last_Editd":"2024-12-05 20:27:22",
 "audience":[{"campaign_audience_id":112,"_campaign_id":3333,"all_contacts":0,"_contact_list_id":21,"_segment_id":null,
  "size":2000,"created":"2024-01-01 10:43:53"}]}"""

BRAND_SAMPLE = """{"brand_id":1234567890,"_account_id":987654321,"name":"SlickText","force_double_opt_in":0,
 "age_requirement":0}"""


def read(text: str) -> Any:
    return msgspec.json.decode(text)


def first(page: contacts.ContactPage) -> dict[str, str | None]:
    return {name: values[0] for name, values in page.columns.items()}


def test_list() -> None:
    found = convert.list_of(read(LIST), BRAND)
    assert (found.remote_id, found.name) == ("2222", "Join")
    assert found.fields == {"name": "Join", "description": "Join the VIP list"}


@pytest.mark.parametrize("description", ['"description":null,', '"description":"",', ""])
def test_no_description_in_any_spelling(description: str) -> None:
    row = read(f'{{"contact_list_id":"2222",{description}"name":"Join"}}')
    assert convert.list_of(row, BRAND).fields["description"] == ""


@pytest.mark.parametrize(
    "row", ['{"contact_list_id":22}', '{"list_id":"22"}', '{"id":22}', '{"data":{"contact_list_id":"022"}}']
)
def test_the_id_of_a_list_under_all_its_names(row: str) -> None:
    assert convert.list_of(read(row), BRAND).remote_id == "22"


@pytest.mark.parametrize("row", ["{}", '{"contact_list_id":null}', '{"contact_list_id":"x1"}', '{"id":true}'])
def test_a_list_without_an_id_is_no_list(row: str) -> None:
    with pytest.raises(ReadIncomplete):
        convert.list_of(read(row), BRAND)


def test_a_row_of_another_brand_is_an_error_with_the_exit_code_of_credentials() -> None:
    with pytest.raises(AccountMismatch) as caught:
        convert.list_of(read(LIST), "1")
    assert (caught.value.code, caught.value.exit_code) == ("account-mismatch", 4)
    with pytest.raises(AccountMismatch):
        contacts.page_of(contacts.decode(MEMBERS.encode()), "1")


def test_members() -> None:
    page = contacts.page_of(contacts.decode(MEMBERS.encode()), BRAND)
    assert page.ids == [7778]
    assert page.more
    assert first(page) == {
        "number": "+16155550138",
        "contact_id": "7778",
        "status": "subscribed",
        "first_name": "Ada",
        "last_name": "Example",
        "email": "ada@example.com",
        "address": "1 Example Drive",
        "city": "Exampleville",
        "state": "CA",
        "zip": "95420",
        "country": "US",
        "birthdate": "1968-06-12",
        "timezone": "America/Los_Angeles",
        "language": "en",
    }


def test_contact() -> None:
    columns = contacts.contact_of(read(CONTACT), BRAND)
    assert columns["contact_id"] == ["5320593"]
    assert columns["zip"] == ["95420"]
    assert ContactSet.from_columns(columns).get("+16155550138") is not None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"contact_id":7778', '"contact_id":"7778"'),
        ('"_brand_id":123456789', '"_brand_id":"123456789"'),
        ('"zip":95420', '"zip":"95420"'),
        ('"custom_fields":{"member":1,"member_number":12345,"membership_date":"1985-10-26"}', '"custom_fields":[]'),
        ('"custom_fields":{"member":1,"member_number":12345,"membership_date":"1985-10-26"}', '"custom_fields":null'),
        ('"_source_id":"1111"', '"_source_id":1'),
        ('"_source_id":"1111"', '"_source_id":"null"'),
        ('"sub_source":null', '"sub_source":"null"'),
        ('"opt_in_status":"subscribed"', '"opt_in_status":" Subscribed "'),
        ('"mobile_number":"+16155550138"', '"mobile_number":"6155550138"'),
        ('"mobile_number":"+16155550138"', '"mobile_number":"(615) 555-0138"'),
        ('"mobile_number":"+16155550138"', '"mobile_number":16155550138'),
        ('"hasMore":true', '"hasMore":"true"'),
    ],
)
def test_every_spelling_of_a_member_reads_the_same(old: str, new: str) -> None:
    assert old in MEMBERS
    plain = contacts.page_of(contacts.decode(MEMBERS.encode()), BRAND)
    odd = contacts.page_of(contacts.decode(MEMBERS.replace(old, new).encode()), BRAND)
    assert (odd.ids, odd.columns, odd.more) == (plain.ids, plain.columns, plain.more)
    lean = contacts.page_of(contacts.decode_lean(MEMBERS.replace(old, new).encode()), BRAND)
    assert all(lean.columns[name] == plain.columns[name] for name in contacts.WHO)


def test_null_as_text_is_null_in_a_birthdate() -> None:
    page = contacts.page_of(contacts.decode(MEMBERS.replace('"1968-06-12"', '"null"').encode()), BRAND)
    assert first(page)["birthdate"] is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("subscribed", "subscribed"),
        ("not subscribed", "not-subscribed"),
        ("not_subscribed", "not-subscribed"),
        ("unsubscribed", "opted-out"),
        ("Blocked", "opted-out"),
        ("pending subscription", "pending subscription"),
        (None, None),
    ],
)
def test_what_a_status_means(status: str | None, expected: str | None) -> None:
    assert convert.opt_in(status) == expected


def test_masked_numbers_cannot_be_compared() -> None:
    for number in ("+1415***0100", "+1 415 ••• 0100", "xxx-xxx-0100"):
        with pytest.raises(ReadIncomplete, match="masked"):
            convert.number_of(number)


@pytest.mark.parametrize("number", [None, "", "12345", "nobody", "+0123456789", "+1"])
def test_what_is_no_number_is_none(number: str | None) -> None:
    assert convert.number_of(number) is None


def test_campaign() -> None:
    found = convert.campaign_of(read(CAMPAIGN), BRAND)
    assert found.remote_id == "3333"
    assert found.fields == {
        "name": "Send From API",
        "body": "Welcome to ACME",
        "media_url": "",
        "scheduled": "2024-12-31 10:00:00",
        "status": "sent",
    }
    assert found.facts == {
        "status": "sent",
        "all_contacts": False,
        "lists": frozenset({"21"}),
        "segments": frozenset(),
        "segment_people": 0,
        "complete": True,
    }


def test_audience_rows_in_every_spelling() -> None:
    rows: list[dict[str, Any]] = [
        {"all_contacts": "0", "_contact_list_id": "21", "_segment_id": None, "size": "2000"},
        {"all_contacts": 0, "_contact_list_id": 22},
        {"all_contacts": False, "_segment_id": 5, "size": 40},
    ]
    facts = convert.campaign_of({"id": 1, "audience": rows}, BRAND).facts
    assert facts["lists"] == frozenset({"21", "22"})
    assert (facts["segments"], facts["segment_people"]) == (frozenset({"5"}), 40)
    for everybody in (1, True, "1"):
        row = {"id": 1, "audience": [{"all_contacts": everybody}]}
        assert convert.campaign_of(row, BRAND).facts["all_contacts"] is True
    for absent in ({"id": 1}, {"id": 1, "audience": None}):
        assert convert.campaign_of(absent, BRAND).facts["complete"] is False


@pytest.mark.parametrize("text", [BRAND_SAMPLE, f'{{"data":[{BRAND_SAMPLE}]}}'])
def test_brand(text: str) -> None:
    assert convert.brand_of(read(text)) == "1234567890"


@pytest.mark.parametrize("text", ["1200", '"1200"', '{"count":1200}', '{"total":"1200"}'])
def test_count(text: str) -> None:
    assert convert.count(read(text)) == 1200


@pytest.mark.parametrize("text", ["null", "false", "[]", "{}", '"many"', "-1", "1.5"])
def test_anything_else_is_no_count(text: str) -> None:
    with pytest.raises(ReadIncomplete):
        convert.count(read(text))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            '{"error":"Please contact your account owner and have them upgrade to start sending messages."}',
            "Please contact your account owner and have them upgrade to start sending messages.",
        ),
        ('{"error":["The mobile number already exists."]}', "The mobile number already exists."),
        ('{"message":"Unauthorized"}', "Unauthorized"),
        ('{"errors":{"name":["required"],"body":["too long","empty"]}}', "name: required; body: too long; body: empty"),
        ('"Bad thing"', "Bad thing"),
        ("plain words", "plain words"),
        ("<html>502</html>", ""),
        ("", ""),
        ("[]", ""),
        ("{}", ""),
    ],
)
def test_what_an_error_says(raw: str, expected: str) -> None:
    try:
        body = read(raw)
    except msgspec.DecodeError:
        body = None
    assert convert.error_text(body, raw.encode()) == expected


# --- what is written


def sent(call: Call) -> tuple[str, str, Any]:
    assert not unresolved(call)
    return call.method, "/".join(str(p) for p in call.path), msgspec.json.decode(msgspec.json.encode(call.body))


def test_list_requests() -> None:
    fields = {"name": "Join", "description": "Join the VIP list"}
    assert sent(calls.create_list(BRAND, fields)) == ("POST", f"brands/{BRAND}/lists", fields)
    assert sent(calls.update_list(BRAND, RemoteId("2222"), fields)) == ("PUT", f"brands/{BRAND}/lists/2222", fields)
    assert sent(calls.delete_list(BRAND, RemoteId("2222"))) == ("DELETE", f"brands/{BRAND}/lists/2222", None)


def test_membership_requests() -> None:
    rows = ContactSet.from_columns({"number": ["+16155550101", "+16155550102"], "contact_id": ["1111", "2222"]})
    for call, method in (
        (calls.add_members(BRAND, RemoteId("1000")), "POST"),
        (calls.remove_members(BRAND, RemoteId("1000")), "DELETE"),
    ):
        step = Step(
            phase=Phase.MEMBERSHIP, title="", call=call, effect=MembersAdded(of=RemoteId("1000")), rows=rows, chunk=80
        )
        assert sent(step.request({})) == (
            method,
            f"brands/{BRAND}/lists/contacts",
            [{"contact_id": 1111, "lists": [1000]}, {"contact_id": 2222, "lists": [1000]}],
        )


def test_a_membership_of_a_new_list_waits_for_its_id() -> None:
    address = Address("main", Kind.LIST, "join")
    rows = ContactSet.from_columns({"number": ["+16155550101"], "contact_id": ["1111"]})
    call = calls.add_members(BRAND, Ref(address))
    step = Step(phase=Phase.MEMBERSHIP, title="", call=call, effect=MembersAdded(of=Ref(address)), rows=rows)
    assert unresolved(step.request({}))
    assert sent(step.request({address: RemoteId("7")}))[2] == [{"contact_id": 1111, "lists": [7]}]


def test_campaign_requests() -> None:
    audience = calls.audience([RemoteId("183781")], [])
    fields = {"name": "Oct 17 - day of", "body": "See you there"}
    assert sent(calls.create_campaign(BRAND, fields, audience)) == (
        "POST",
        f"brands/{BRAND}/campaigns",
        {**fields, "status": "draft", "audience": {"contact_lists": [183781]}},
    )
    when = {"scheduled": "2026-10-17 14:00:00"}
    both = calls.audience([RemoteId("21"), RemoteId("22")], ["5"])
    assert sent(calls.update_campaign(BRAND, RemoteId("3333"), when, "scheduled", both)) == (
        "PUT",
        f"brands/{BRAND}/campaigns/3333",
        {**when, "status": "scheduled", "audience": {"contact_lists": [21, 22], "segments": [5]}},
    )
    assert sent(calls.delete_campaign(BRAND, RemoteId("3333"))) == ("DELETE", f"brands/{BRAND}/campaigns/3333", None)


@pytest.mark.parametrize("status", ["send", "sent", "queued", ""])
def test_no_campaign_is_given_any_other_status(status: str) -> None:
    with pytest.raises(ValueError, match="no plan"):
        calls.update_campaign(BRAND, RemoteId("1"), {}, status, None)
