"""Every documented endpoint as one function: E1 to E14 of the IntelePeer API notes, section 2, and the login.

Reads return what was read, converted; they raise ReadIncomplete for anything that cannot be proven whole. Writes go
through the same builders as plans do (``endpoints``) and the same judgement (``answers``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct

from reconciler.errors import CredentialsRefused, NotFound, RateLimited, ReadIncomplete, Rejected
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.plan.calls import Call
from reconciler.providers.base import Secret, Start, at_once
from reconciler.providers.http import Http, LoginSender, Reply
from reconciler.providers.intelepeer import answers, endpoints
from reconciler.providers.intelepeer.convert import Campaign, ContactList, campaign, contact_list
from reconciler.providers.intelepeer.endpoints import BASE, SHORTEST_NAME, Attributes
from reconciler.providers.intelepeer.wire import Collection, Row, collection, inner_failure, single

_Item = TypeVar("_Item", Campaign, ContactList)


class Listing(Struct, Generic[_Item], frozen=True, kw_only=True):
    """A whole listing by id, tombstones included. ``bare``: it came as one object instead of a collection."""

    items: Mapping[RemoteId, _Item]
    bare: bool = False

    @property
    def alive(self) -> Mapping[RemoteId, _Item]:
        return {i: x for i, x in self.items.items() if not x.deleted}


async def authenticate(sender: LoginSender, url: str, username: Secret, password: Secret) -> Secret:
    """Log in. Raises CredentialsRefused, RateLimited, Rejected or ReadIncomplete; never with a word of the answer."""
    status, body = await sender("POST", url, {"username": username.reveal(), "password": password.reveal()})
    if status in (401, 403) or inner_failure(body) in (401, 403):
        raise CredentialsRefused(
            "IntelePeer refused the login.",
            hint="Check username and password; the user needs the access type API.",
            status=status,
        )
    if status == 429:
        raise RateLimited("IntelePeer answered the login with HTTP 429.", status=status)
    if not 200 <= status < 300:
        raise Rejected(f"IntelePeer answered the login with HTTP {status}.", hint="Check authUrl.", status=status)
    token = body.get("token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token:
        raise ReadIncomplete("IntelePeer answered the login without a token.", hint="Check authUrl.", status=status)
    return Secret(token)


# --- reads -----------------------------------------------------------------------------------------------------------


async def enumerate_campaigns(http: Http) -> Listing[Campaign]:
    """E1."""
    found = _whole(await http.get(*BASE, "campaigns"), "the campaigns")
    listing = _listing(found, campaign, "campaigns")
    if listing.items and not any(c.named for c in listing.items.values()):
        # One nameless campaign is possible, all of them nameless is a renamed key.
        raise ReadIncomplete("IntelePeer listed campaigns without any names.")
    return listing


async def campaign_by_id(http: Http, remote_id: RemoteId) -> Campaign:
    """E2 by id, tombstones included. Raises NotFound."""
    reply = await http.get(*BASE, "campaigns", query=(("id", remote_id),))
    return _same(campaign(_one(reply, "a campaign")), remote_id)


async def campaigns_by_name(http: Http, name: str) -> tuple[Campaign, ...]:
    """E2 by name, cut down to exact matches: the search is partial. At most one comes back even where there are more.

    Raises ValueError for a name that the API would refuse.
    """
    found = await _by_name(http, "campaigns", name)
    return tuple(c for c in map(campaign, found) if c.name == name and not c.deleted)


async def campaigns_in_error(http: Http) -> tuple[Campaign, ...]:
    """E9."""
    found = _whole(await http.get(*BASE, "campaigns", "errors"), "the campaigns in error")
    return tuple(_listing(found, campaign, "errors").items.values())


async def enumerate_lists(http: Http) -> Listing[ContactList]:
    """E10. Neither contacts nor campaigns of the lists are in it."""
    return _listing(_whole(await http.get(*BASE, "lists"), "the lists"), contact_list, "lists")


async def list_by_id(http: Http, remote_id: RemoteId) -> ContactList:
    """E11 by id, with contact ids and campaign ids, tombstones included. Raises NotFound."""
    reply = await http.get(*BASE, "lists", query=(("id", remote_id),))
    return _same(contact_list(_one(reply, "a list")), remote_id)


async def lists_by_name(http: Http, name: str) -> tuple[ContactList, ...]:
    """E11 by name, cut down to exact matches. Raises ValueError for a name that the API would refuse."""
    found = await _by_name(http, "lists", name)
    return tuple(x for x in map(contact_list, found) if x.name == name and not x.deleted)


async def _by_name(http: Http, what: str, name: str) -> tuple[Row, ...]:
    if len(name) < SHORTEST_NAME:
        raise ValueError(f"{name!r} is too short: at least {SHORTEST_NAME} characters are needed")
    try:
        reply = await http.get(*BASE, what, query=(("name", name),))
    except NotFound:
        return ()
    return _whole(reply, f"the {what} of that name").rows


def _listing(found: Collection, convert: Callable[[Row, str], _Item], what: str) -> Listing[_Item]:
    items: dict[RemoteId, _Item] = {}
    for i, row in enumerate(found.rows):
        item = convert(row, f"{what}[{i}]")
        if items.setdefault(item.remote_id, item) != item:
            raise ReadIncomplete(f"IntelePeer listed one of the {what} twice, and not the same.")
    return Listing(items=items, bare=found.bare)


def _one(reply: Reply, what: str) -> Row:
    _whole(reply, what)
    return single(reply.body, what)


def _whole(reply: Reply, what: str) -> Collection:
    if not reply.raw.strip():
        # An empty body is no empty collection: that would be written [] or null.
        raise ReadIncomplete(f"IntelePeer answered {what} with nothing at all.", status=reply.status)
    if 'rel="next"' in reply.headers.get("link", "") or reply.headers.get("x-next-page"):
        raise ReadIncomplete(f"IntelePeer answered {what} with a next page, and not all may be here.")
    return collection(reply.body, what)


def _same(item: _Item, remote_id: RemoteId) -> _Item:
    """``item``, which was asked for by this id. Raises ReadIncomplete when it is another one."""
    if item.remote_id != remote_id:
        raise ReadIncomplete("IntelePeer answered with another object than the one that was asked for by id.")
    return item


# --- writes ----------------------------------------------------------------------------------------------------------


async def create_campaign(http: Http, *, name: str, description: str, caller: str, flow: str) -> Campaign:
    """E3."""
    call = endpoints.create_campaign(name=name, description=description, caller=caller, flow=flow)
    return answers.created_campaign(await http.send(call))


async def update_campaign(
    http: Http, remote_id: RemoteId, *, name: str, description: str, caller: str, flow: str
) -> None:
    """E4. The answer has another shape than the campaign and is not looked at: read it again by id."""
    call = endpoints.update_campaign(remote_id, name=name, description=description, caller=caller, flow=flow)
    answers.refuse_inner_failure(await http.send(call))


async def publish_campaign(http: Http, remote_id: RemoteId) -> None:
    """E5."""
    await _command(http, endpoints.publish(remote_id), "publish")


async def run_campaign(http: Http, remote_id: RemoteId) -> None:
    """E6: contacts people, now. A 500 also means that the campaign is not published. Never to be repeated unasked."""
    await _command(http, endpoints.run(remote_id), "run")


async def associate_lists(
    http: Http, remote_id: RemoteId, lists: Sequence[RemoteId], attributes: Attributes = (None, False)
) -> None:
    """E7. Whether it adds to the campaign's lists or replaces them is not documented."""
    await _command(http, endpoints.associate(remote_id, lists, attributes), "associate")


async def delete_campaign(http: Http, remote_id: RemoteId) -> None:
    """E8. Deleted, or about to be. Raises NotFound."""
    await _command(http, endpoints.delete_campaign(remote_id), "the deletion of a campaign")


async def create_list(http: Http, *, name: str, description: str = "", headers: Iterable[str] = ()) -> ContactList:
    """E12. Raises HeadersIgnored when the list was made without them."""
    columns = tuple(headers)
    reply = await http.send(endpoints.create_list(name=name, description=description, headers=columns))
    return answers.created_list(reply, columns)


async def delete_list(http: Http, remote_id: RemoteId) -> None:
    """E13. Deleted, or about to be, or silently refused because an active campaign uses it. Raises NotFound."""
    await _command(http, endpoints.delete_list(remote_id), "the deletion of a list")


async def upload_contacts(http: Http, remote_id: RemoteId, contacts: ContactSet) -> ContactList:
    """E14: ``number`` goes as ``phone``, other columns as ``metadata``. Returns the list with all its contact ids.

    Raises UploadUnavailable where the account does not have this endpoint.
    """
    rows = tuple(_contact(row) for row in contacts.rows())
    return answers.uploaded_list(await send_upload(http, endpoints.upload_contacts(remote_id, rows)))


async def send_upload(http: Http, call: Call, start: Start = at_once) -> Reply:
    """Send an upload. 404 and 405 mean that the endpoint is not there: an unknown list is answered with 422."""
    try:
        return await http.send(call, start=start)
    except NotFound as error:
        raise answers.UploadUnavailable(error.status) from None
    except Rejected as error:
        if error.status == 405:
            raise answers.UploadUnavailable(error.status) from None
        raise


def _contact(row: Mapping[str, str | None]) -> Mapping[str, Any]:
    metadata = {name: value for name, value in row.items() if name != "number" and value is not None}
    return {"phone": row["number"], **({"metadata": metadata} if metadata else {})}


async def _command(http: Http, call: Call, what: str) -> None:
    answers.require_true(await http.send(call), what)
