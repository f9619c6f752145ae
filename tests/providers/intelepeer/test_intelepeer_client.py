"""Every documented endpoint through its typed function, and the table of operations that names them all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from intelepeer_engage import using
from intelepeer_world import ANNA, BORIS, CALLER

from reconciler.errors import NoAnswer, NotFound
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass
from reconciler.providers.http import Http
from reconciler.providers.intelepeer import PROVIDER, client
from reconciler.providers.registry import get
from reconciler.sandbox import Sandbox


def on_the_wire(sandbox: Sandbox, do: Callable[[Http], Awaitable[Any]]) -> Any:
    async def work(session: Any) -> Any:
        return await do(session._http)

    return using(sandbox, work)


def test_every_endpoint(sandbox):
    async def work(http: Http) -> None:
        made = await client.create_list(http, name="vips list", description="People", headers=["firstname", "phone"])
        assert made.headers == ("firstname", "phone")
        contacts = ContactSet.from_columns({"number": [ANNA, BORIS], "firstname": ["Anna", None]})
        uploaded = await client.upload_contacts(http, made.remote_id, contacts)
        assert len(uploaded.contact_ids or ()) == 2
        listed = await client.enumerate_lists(http)
        assert listed.items[made.remote_id].name == "vips list"
        assert (await client.list_by_id(http, made.remote_id)).contact_ids == uploaded.contact_ids
        assert [x.remote_id for x in await client.lists_by_name(http, "vips list")] == [made.remote_id]
        # The search is partial, and what is found is not always what was asked for.
        assert await client.lists_by_name(http, "vips") == ()
        assert await client.lists_by_name(http, "no such list") == ()

        campaign = await client.create_campaign(http, name="spring calls", description="", caller=CALLER, flow="flow-1")
        await client.update_campaign(
            http, campaign.remote_id, name="summer calls", description="x", caller=CALLER, flow="flow-2"
        )
        await client.associate_lists(http, campaign.remote_id, [made.remote_id], ("phone", True))
        with pytest.raises(NoAnswer):
            await client.run_campaign(http, campaign.remote_id)
        await client.publish_campaign(http, campaign.remote_id)
        found = await client.campaign_by_id(http, campaign.remote_id)
        assert (found.name, found.flow, found.state) == ("summer calls", "flow-2", "published")
        assert found.links.keys() == {made.remote_id}
        assert [c.remote_id for c in await client.campaigns_by_name(http, "summer calls")] == [campaign.remote_id]
        assert await client.campaigns_by_name(http, "summer") == ()
        assert (await client.enumerate_campaigns(http)).items.keys() == {campaign.remote_id}
        await client.run_campaign(http, campaign.remote_id)
        assert await client.campaigns_in_error(http) == ()

        await client.delete_campaign(http, campaign.remote_id)
        await client.delete_list(http, made.remote_id)
        assert (await client.list_by_id(http, made.remote_id)).deleted
        assert made.remote_id not in (await client.enumerate_lists(http)).alive
        with pytest.raises(NotFound):
            await client.campaign_by_id(http, RemoteId("nothing"))

    on_the_wire(sandbox, work)
    assert sandbox.ledger()["contacted"] == {"intelepeer": [ANNA, BORIS]}


def test_a_run_that_failed_is_among_the_errors(start):
    sandbox = start(
        lists=[{"id": "one", "name": "vips list", "members": [ANNA]}],
        campaigns=[
            {"id": "spring", "name": "spring calls", "state": "published", "lists": ["vips list"], "moc": "phone"}
        ],
    )
    sandbox.turn(intelepeer={"run_fails": True})

    async def work(http: Http) -> None:
        await client.run_campaign(http, RemoteId("spring"))
        (failed,) = await client.campaigns_in_error(http)
        assert (failed.status, failed.active, failed.remote_id) == ("Error", False, "spring")
        assert failed.links == {"one": {"moc": "phone", "autoDetectTZ": False}}
        assert failed.told["runId"]

    on_the_wire(sandbox, work)


@pytest.mark.parametrize("shape", ["object", "array"])
def test_a_campaign_by_name_in_both_shapes(start, shape):
    sandbox = start(campaigns=[{"id": "a", "name": "testing ethel"}, {"id": "b", "name": "testing"}])
    sandbox.turn(intelepeer={"e2_name_shape": shape})

    async def work(http: Http) -> list[str]:
        return [c.remote_id for c in await client.campaigns_by_name(http, "testing")]

    # Where one object comes back, it may be a namesake that hides ours: nothing relies on this search.
    assert on_the_wire(sandbox, work) == ([] if shape == "object" else ["b"])


def test_names_that_the_api_would_refuse_are_not_sent(sandbox):
    async def work(http: Http) -> None:
        with pytest.raises(ValueError, match="too short"):
            await client.lists_by_name(http, "abc")
        with pytest.raises(ValueError, match="too short"):
            await client.campaigns_by_name(http, "abc")

    on_the_wire(sandbox, work)
    assert sandbox.requests() == []


def test_every_endpoint_is_an_operation():
    table = {o.name: (o.method, o.path) for o in PROVIDER.operations}
    assert table == {
        "campaigns.list": ("GET", "/_rest/v2/campaigns"),
        "campaigns.get": ("GET", "/_rest/v2/campaigns"),
        "campaigns.create": ("POST", "/_rest/v2/campaigns"),
        "campaigns.update": ("PUT", "/_rest/v2/campaigns/{id}"),
        "campaigns.publish": ("POST", "/_rest/v2/campaigns/{id}/action"),
        "campaigns.run": ("POST", "/_rest/v2/campaigns/{id}/action"),
        "campaigns.associate": ("POST", "/_rest/v2/campaigns/{id}/action"),
        "campaigns.delete": ("DELETE", "/_rest/v2/campaigns/{id}"),
        "campaigns.errors": ("GET", "/_rest/v2/campaigns/errors"),
        "lists.list": ("GET", "/_rest/v2/lists"),
        "lists.get": ("GET", "/_rest/v2/lists"),
        "lists.create": ("POST", "/_rest/v2/lists"),
        "lists.delete": ("DELETE", "/_rest/v2/lists/{id}"),
        "lists.add-contacts": ("PUT", "/_rest/v2/lists/{id}/uploadcontacts"),
    }
    for operation in PROVIDER.operations:
        placeholders = {p.name for p in operation.params if p.place == "path"}
        assert placeholders == ({"id"} if "{id}" in operation.path else set())
        assert len({p.name for p in operation.params}) == len(operation.params)
        assert operation.summary


def test_an_action_cannot_be_passed_off_as_another():
    actions = {o.name: (dict(o.fixed), o.contact_class) for o in PROVIDER.operations if o.path.endswith("/action")}
    assert actions == {
        "campaigns.publish": ({"action": "publish"}, ContactClass.MAY_NOTIFY),
        "campaigns.run": ({"action": "run"}, ContactClass.STARTS_CONTACTING),
        "campaigns.associate": ({"action": "associate"}, ContactClass.STARTS_CONTACTING),
    }
    assert not any(p.name == "action" for o in PROVIDER.operations for p in o.params)


def test_the_registry_knows_the_provider():
    assert get("intelepeer") is PROVIDER
    assert PROVIDER.name == PROVIDER.rules.provider == "intelepeer"
