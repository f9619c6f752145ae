"""The made-up API of Acme, simulated the way the sandbox simulates the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from reconciler.sandbox.clock import Clock
from reconciler.sandbox.knobs import Knobs
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.provider import Provider
from reconciler.sandbox.wire import JsonObject, Reply, Request, json_reply

PAGE = 2


class Acme(Provider[Knobs]):
    """Lists by id, each with a note and numbers."""

    name: ClassVar[str] = "acme"
    prefixes: ClassVar[tuple[str, ...]] = ("/acme",)

    def __init__(self, clock: Clock, ledger: Ledger) -> None:
        super().__init__(clock, ledger, Knobs())
        self.clear()

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != "Bearer acme-token":
            return self.refusal(401)
        parts = request.path.split("/")[3:]
        if request.path.split("/")[2:3] != ["lists"] or (parts and parts[0] not in self.lists):
            return self.refusal(404)
        match request.method, parts:
            case "GET", []:
                rows = [{"id": i, "name": x["name"], "note": x["note"]} for i, x in self.lists.items()]
                return self._page(request, rows)
            case "GET", [list_id, "members"]:
                return self._page(request, [{"number": n} for n in self.lists[list_id]["numbers"]])
            case "POST", []:
                return json_reply({"id": self._create(request.json())}, 201)
            case method, [list_id, *rest] if method in ("PUT", "POST", "DELETE"):
                return self._change(method, list_id, rest, request)
            case _:
                return self.refusal(405)

    def refusal(self, status: int, *texts: str) -> Reply:
        return json_reply({"error": "; ".join(texts) or f"status {status}"}, status)

    def tick(self) -> None:
        return

    def clear(self) -> None:
        self.lists: dict[str, JsonObject] = {}
        self.last_id = 0
        self.tally.changes += 1

    def seed(self, section: JsonObject) -> None:
        for row in section.get("lists", []):
            self._create(row)

    def dump(self) -> JsonObject:
        return {"last_id": self.last_id, "lists": {i: dict(x) for i, x in self.lists.items()}}

    def load(self, dump: JsonObject) -> None:
        self.last_id = dump["last_id"]
        self.lists = {i: dict(x) for i, x in dump["lists"].items()}
        self.tally.changes += 1

    def tamper(self, operation: str, arguments: JsonObject) -> Any:
        row = next(x for x in self.lists.values() if x["name"] == arguments["list"])
        if operation == "edit_list":
            row.update(arguments["set"])
        elif operation == "add_members":
            row["numbers"] = sorted({*row["numbers"], *arguments["numbers"]})
        else:
            row["numbers"] = [n for n in row["numbers"] if n not in arguments["numbers"]]
        self.tally.changes += 1

    def _create(self, row: Mapping[str, Any]) -> str:
        namesakes = [i for i, x in self.lists.items() if x["name"] == row["name"]]
        self.last_id += 1
        made = f"L{self.last_id}"
        self.lists[made] = {"name": row["name"], "note": row.get("note", ""), "numbers": list(row.get("numbers", []))}
        if namesakes:
            self.ledger.duplicated(self.name, "list", self.clock.now(), row["name"], [*namesakes, made])
        self.tally.changes += 1
        return made

    def _change(self, method: str, list_id: str, rest: list[str], request: Request) -> Reply:
        row = self.lists[list_id]
        if method == "PUT" and not rest:
            row.update(request.json())
        elif method == "DELETE" and not rest:
            del self.lists[list_id]
        elif method == "POST" and rest == ["members"]:
            row["numbers"] = sorted({*row["numbers"], *request.json()["numbers"]})
        elif method == "DELETE" and rest == ["members"]:
            row["numbers"] = [n for n in row["numbers"] if n not in request.json()["numbers"]]
        else:
            return self.refusal(405)
        self.tally.changes += 1
        return json_reply({})

    def _page(self, request: Request, rows: list[JsonObject]) -> Reply:
        page = int(request.query.get("page", "0"))
        start = max(0, page * PAGE + request.twist.row_shift)
        more = (page + 1) * PAGE < len(rows)
        following = page + 1 if more else None
        shown = [] if request.twist.empty else rows[start : start + PAGE]
        return json_reply({"rows": shown, "next": following, "total": len(rows), "version": self.tally.changes})
