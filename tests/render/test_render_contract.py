"""Where rendering meets the rest: the documents that the plan's codec writes, and what importing costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.diagnostics import Span, error
from reconciler.model.addresses import Address, Kind
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass
from reconciler.plan.calls import Call, Column, Created, Each, MembersAdded, Method, Phase, Ref, Step
from reconciler.plan.changes import (
    AccountRead,
    Approval,
    Create,
    Delta,
    Forget,
    GuardFinding,
    MemberDelta,
    Plan,
    Reach,
    Update,
)
from reconciler.plan.codec import encode
from reconciler.render import Format, render_plan

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "plan.json").read_bytes())
LIST = Address("main", Kind.LIST, "join")
MEMBERS = Address("main", Kind.MEMBERSHIP, "join-members")
PEOPLE = ContactSet.from_columns(
    {"number": [f"+1615555{n:04}" for n in range(100, 200)], "first_name": ["Marty"] * 100}
)


@pytest.fixture(scope="module")
def made() -> Plan:
    """A plan with a value in every corner that a document has."""
    create = Create(
        address=LIST,
        provider="slicktext",
        reason="not at the provider yet",
        source=Span(file="manifests/lists.yaml", line=1),
        deltas=(Delta(path="name", live=None, desired="Join"), Delta(path="tags", live=None, desired=frozenset("ab"))),
        approvals=frozenset({Approval.CREATE}),
    ).with_steps(
        Step(
            phase=Phase.LIST,
            title="create list",
            call=Call(method=Method.POST, path=("lists",), body={"name": "Join"}),
            effect=Created(kind=Kind.LIST, name="Join", fields={}),
        )
    )
    update = Update(
        address=MEMBERS,
        provider="slicktext",
        reason="live members differ from the declared ones",
        members=MemberDelta(add=PEOPLE, unchanged=7),
        requires=(LIST,),
        reach=Reach(numbers=PEOPLE.select(("number",))),
        approvals=frozenset({Approval.CREATE}),
    ).with_steps(
        Step(
            phase=Phase.MEMBERSHIP,
            title="add members",
            call=Call(
                method=Method.PUT,
                path=("lists", Ref(LIST), "contacts"),
                body={"contacts": Each({"number": Column("number"), "name": Column("first_name")})},
            ),
            effect=MembersAdded(of=Ref(LIST)),
            contact_class=ContactClass.MAY_NOTIFY,
            rows=PEOPLE,
            chunk=80,
        )
    )
    gone = Forget(address=Address("main", Kind.LIST, "old"), provider="slicktext", reason="no longer declared")
    unread = error("provider-unreachable", "engage could not be read", address="engage")
    return Plan(
        project="acme",
        environment="prod",
        accounts=(
            AccountRead(name="engage", provider="intelepeer", identity="", problem=unread),
            AccountRead(name="main", provider="slicktext", identity="brand 1", counts=(("lists", 3),), elapsed_s=1.2),
        ),
        changes=(create, update, gone),
        diagnostics=(unread, error("contact-missing", "+16155550138 is missing", address=str(MEMBERS))),
        guards=(GuardFinding(guard="reach", account="main", actual=100, limit=10, message="m", lift="reach=100"),),
        reach=100,
        unmanaged=(("main", "List", 2),),
    )


def document(made: Plan, **options: Any) -> dict[str, Any]:
    encoded = encode(made, tool="reconciler 0.1.0", **options)
    # A saved plan comes back from JSON, where tuples are lists.
    loaded: dict[str, Any] = json.loads(json.dumps(encoded))
    return loaded


@pytest.mark.parametrize("options", [{}, {"calls": True}, {"show_pii": True, "calls": True}, {"timings": False}])
def test_what_the_codec_writes_is_what_the_schema_says(made: Plan, options: dict[str, Any]) -> None:
    assert [e.message for e in Draft202012Validator(SCHEMA).iter_errors(document(made, **options))] == []


def test_a_saved_plan_looks_the_same(made: Plan) -> None:
    fresh = encode(made, tool="reconciler 0.1.0", calls=True)

    for format in Format:
        saved = json.loads(render_plan(fresh, Format.JSON, width=80, color=False))
        assert render_plan(saved, format, width=80, color=False) == render_plan(fresh, format, width=80, color=False)


def test_no_number_of_a_person_is_in_any_format(made: Plan) -> None:
    doc = document(made, calls=True)

    for format in Format:
        text = render_plan(doc, format, width=100, color=False)
        assert "5550" not in text
        assert "Marty" not in text


def test_the_calls_of_an_encoded_plan(made: Plan) -> None:
    text = render_plan(document(made, calls=True), Format.TEXT, width=100, color=False)

    assert "PUT    /lists/(known after apply)/contacts" in text
    assert '{"number": "+1 615 ••• ••00", "name": "•••"}' in text
    assert "… 77 more" in text


def test_rendering_needs_no_heavy_import() -> None:
    heavy = "polars deepdiff jsonschema httpx sqlalchemy rich click yaml asyncio"
    code = (
        f"import sys, reconciler.render, reconciler.report; print(*sorted(set('{heavy}'.split()) & set(sys.modules)))"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.split() == []
