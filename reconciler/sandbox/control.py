"""The control endpoints below ``/__sandbox__/``: for tests, demos and the curious; no provider has them.

=================  ==================================================================================================
GET    state       the whole state as JSON
PUT    state       replace it by a seed or by such a JSON; the ledger starts anew
POST   state       add a seed to it
POST   reset       everything as it was at the start
GET    requests    the request log; ``?provider=``, ``?method=``, ``?mutated=true`` filter it; DELETE empties it
GET    ledger      who would have been contacted, consent claimed, duplicates created, people newly exposed
GET    faults      the rules with what they counted; PUT replaces them, POST adds some, DELETE removes them all
GET    clock       POST ``{"now"?, "advance_s"?, "freeze"?}``
GET    knobs       PUT ``{provider: {knob: value}}`` changes the named ones
POST   tamper      ``{provider, op, …}`` or a list of them: what a person in the portal does
=================  ==================================================================================================

Errors are 400 with ``{"error": text}``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reconciler.sandbox.wire import JSON_TYPE, JsonObject, SandboxError
from reconciler.sandbox.world import World

PREFIX = "/__sandbox__"
Endpoint = Callable[[Request], Awaitable[Response]]
Act = Callable[[World, Any, Request], Any]  # world, decoded body or None, request -> what to answer


def routes(world: World) -> list[Route]:
    """The control routes for that world."""
    return [Route(f"{PREFIX}/{path}", _endpoint(world, acts), methods=list(acts)) for path, acts in ACTS.items()]


def _endpoint(world: World, acts: dict[str, Act]) -> Endpoint:
    async def serve(request: Request) -> Response:
        content = await request.body()
        try:
            body = msgspec.json.decode(content) if content else None
            world.tick()
            answer = acts["GET" if request.method == "HEAD" else request.method](world, body, request)
        except (SandboxError, msgspec.DecodeError) as error:
            return _json({"error": str(error)}, 400)
        return _json(answer)

    return serve


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type=JSON_TYPE)


def _state(world: World, body: Any, request: Request) -> JsonObject:
    return world.dump()


def _replace_state(world: World, body: Any, request: Request) -> JsonObject:
    world.replace(body)
    return {"ok": True}


def _add_state(world: World, body: Any, request: Request) -> JsonObject:
    world.add(body)
    return {"ok": True}


def _reset(world: World, body: Any, request: Request) -> JsonObject:
    world.reset()
    return {"ok": True}


def _requests(world: World, body: Any, request: Request) -> JsonObject:
    entries = world.log.dump()
    for key in ("provider", "method"):
        if key in request.query_params:
            entries = [entry for entry in entries if entry[key] == request.query_params[key]]
    if "mutated" in request.query_params:
        entries = [entry for entry in entries if entry["mutated"] == (request.query_params["mutated"] == "true")]
    return {"requests": entries}


def _forget_requests(world: World, body: Any, request: Request) -> JsonObject:
    world.log.entries.clear()
    return {"ok": True}


def _ledger(world: World, body: Any, request: Request) -> JsonObject:
    return world.ledger.dump()


def _faults(world: World, body: Any, request: Request) -> JsonObject:
    return {"faults": world.faults.dump()}


def _set_faults(world: World, body: Any, request: Request) -> JsonObject:
    world.faults.set(_rules(body), world.providers)
    return _faults(world, body, request)


def _add_faults(world: World, body: Any, request: Request) -> JsonObject:
    world.faults.add(_rules(body), world.providers)
    return _faults(world, body, request)


def _forget_faults(world: World, body: Any, request: Request) -> JsonObject:
    world.faults.set([], world.providers)
    return _faults(world, body, request)


def _rules(body: Any) -> list[Any]:
    """A list of rules, one rule, or what GET answers."""
    if isinstance(body, dict):
        body = body.get("faults", [body])
    if not isinstance(body, list):
        raise SandboxError("faults: a list of rules is needed")
    return body


def _clock(world: World, body: Any, request: Request) -> JsonObject:
    return world.clock.dump()


def _change_clock(world: World, body: Any, request: Request) -> JsonObject:
    world.clock.change(body)
    world.tick()
    return world.clock.dump()


def _knobs(world: World, body: Any, request: Request) -> JsonObject:
    return world.knobs()


def _turn_knobs(world: World, body: Any, request: Request) -> JsonObject:
    world.turn(body)
    return world.knobs()


def _tamper(world: World, body: Any, request: Request) -> JsonObject:
    operations = body if isinstance(body, list) else [body]
    return {"results": [world.tamper(operation) for operation in operations]}


ACTS: dict[str, dict[str, Act]] = {
    "state": {"GET": _state, "PUT": _replace_state, "POST": _add_state},
    "reset": {"POST": _reset},
    "requests": {"GET": _requests, "DELETE": _forget_requests},
    "ledger": {"GET": _ledger},
    "faults": {"GET": _faults, "PUT": _set_faults, "POST": _add_faults, "DELETE": _forget_faults},
    "clock": {"GET": _clock, "POST": _change_clock},
    "knobs": {"GET": _knobs, "PUT": _turn_knobs},
    "tamper": {"POST": _tamper},
}
