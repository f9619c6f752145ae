"""Everything the sandbox is, apart from the sockets: platforms, clock, ledger, faults, request log.

Not thread-safe. While a server runs, only its event loop may call in here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.sandbox import knobs as knobs_module
from reconciler.sandbox.catalogue import PROVIDERS
from reconciler.sandbox.clock import Clock
from reconciler.sandbox.course import Course
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.provider import Provider
from reconciler.sandbox.request_log import Entry, RequestLog
from reconciler.sandbox.wire import JsonObject, Reply, Request, SandboxError

FORMAT = "reconciler-sandbox/1"


class World:
    """All simulated providers under one clock; ``reset`` returns to the seed, faults and knobs given here."""

    def __init__(
        self, seed: Mapping[str, Any] | None = None, faults: Iterable[Any] = (), knobs: Mapping[str, Any] | None = None
    ) -> None:
        self.clock = Clock()
        self.ledger = Ledger()
        self.faults = Faults()
        self.log = RequestLog()
        self.providers: dict[str, Provider[Any]] = {
            name: kind(self.clock, self.ledger) for name, kind in PROVIDERS.items()
        }
        self._first = (dict(seed or {}), list(faults), dict(knobs or {}))
        self._later: list[tuple[float, Provider[Any], Request, Entry]] = []
        self.reset()

    @property
    def revision(self) -> tuple[object, ...]:
        """Differs after every change that has to be saved: platforms, ledger, clock."""
        changes = tuple(provider.tally.changes for provider in self.providers.values())
        return (*changes, self.ledger.entries, self.clock.setting)

    def reset(self) -> None:
        """As it was when the sandbox started, with empty ledger and request log."""
        seed, faults, knobs = self._first
        self.clock.load({})
        self.log.entries.clear()
        self.faults.set(faults, self.providers)
        for provider in self.providers.values():
            provider.reset_knobs()
        self._renew(seed)
        self.turn(knobs)  # last: what the caller says wins over what the seed says

    def replace(self, document: Any) -> None:
        """A new state from a seed or a dump. The ledger starts empty, or as the dump has it.

        Built aside first: a faulty document leaves everything as it was.
        """
        if not isinstance(document, Mapping):
            raise SandboxError(f"seed: a mapping is needed, not {type(document).__name__}")
        self._rehearse(document)
        self._renew(document)

    def add(self, document: Any) -> None:
        """More of everything from a seed, besides what is there. What comes before an error stays."""
        if not isinstance(document, Mapping) or "format" in document:
            raise SandboxError("seed: only a seed can be added; a dump replaces the state")
        self._fill(document)

    def dump(self) -> JsonObject:
        """The whole state; ``replace`` takes it back."""
        self.tick()
        platforms = {name: provider.dump() for name, provider in self.providers.items()}
        return {"format": FORMAT, "clock": self.clock.dump(), "ledger": self.ledger.dump(), **platforms}

    def turn(self, wishes: Any) -> None:
        """Change knobs: ``{provider: {knob: value}}``."""
        if not isinstance(wishes, Mapping):
            raise SandboxError("knobs: a mapping from provider to knobs is needed")
        for name, section in wishes.items():
            if not isinstance(section, Mapping):
                raise SandboxError(f"knobs.{name}: a mapping is needed")
            self._provider(name).turn(section)

    def knobs(self) -> JsonObject:
        """All knobs with their values."""
        return {name: knobs_module.dump(provider.knobs) for name, provider in self.providers.items()}

    def tamper(self, operation: Any) -> Any:
        """One portal edit: ``{provider, op, …arguments}``."""
        if not isinstance(operation, Mapping) or not isinstance(operation.get("op"), str):
            raise SandboxError("tamper: {provider, op, …} is needed")
        arguments = {key: value for key, value in operation.items() if key not in ("provider", "op")}
        provider = self._provider(operation.get("provider"))
        provider.tally.begin()
        return provider.tamper(operation["op"], arguments)

    def tick(self) -> None:
        """Do what the clock has made due: late landings, dispatches, deletions."""
        now = self.clock.now()
        for provider in self.providers.values():
            provider.tick()
        if self._later:
            due = [landing for landing in self._later if landing[0] <= now]
            self._later = [landing for landing in self._later if landing[0] > now]
            for _, provider, request, entry in due:
                self._serve(provider, request, entry)

    def admit(self, provider: Provider[Any], request: Request, query: str) -> tuple[Entry, Course]:
        """Log a request and decide its course."""
        course, hits = self.faults.course(provider.name, request, query)
        entry = self.log.add(
            time=self.clock.now(),
            provider=provider.name,
            method=request.method,
            path=request.path,
            query=request.query,
            headers=tuple(request.headers),
            body=provider.redacted(request),
            faults=hits,
        )
        return entry, course

    def carry_out(self, provider: Provider[Any], request: Request, course: Course, entry: Entry) -> Reply:
        """The effect of a request, as often and as soon as its course says, and the answer to it."""
        self.tick()
        for operation in course.tampers:
            self.tamper({"provider": provider.name, **operation})
        if course.expires_tokens:
            provider.expire_tokens()
        reply = provider.refusal(500)
        for _ in range(course.effects):
            reply = self._serve(provider, request, entry)
        if course.lands_after_s is not None:
            self._later.append((self.clock.now() + course.lands_after_s, provider, request, entry))
        if course.replacement is not None:
            reply = self._replaced(provider, course)
        return course.shaped(reply)

    def _serve(self, provider: Provider[Any], request: Request, entry: Entry) -> Reply:
        provider.tally.begin()
        before = provider.tally.changes
        reply = provider.answer(request)
        if provider.tally.changes != before:
            entry.mutated = True
            hidden_s = request.twist.hidden_s
            if hidden_s is None:
                hidden_s = provider.knobs.read_lag_ms / 1000
            if hidden_s:
                provider.tally.hide_until(self.clock.now() + hidden_s)
        return reply

    def _replaced(self, provider: Provider[Any], course: Course) -> Reply:
        wanted = course.replacement
        assert wanted is not None
        if wanted.body is not None:
            return Reply(wanted.status, wanted.body, wanted.content_type, wanted.headers)
        usual = provider.refusal(wanted.status)
        return Reply(usual.status, usual.body, usual.content_type, wanted.headers)

    def _renew(self, document: Mapping[str, Any]) -> None:
        self._later.clear()
        self.ledger.clear()
        for provider in self.providers.values():
            provider.clear()
        self._fill(document)

    def _fill(self, document: Mapping[str, Any]) -> None:
        sections = {key: value for key, value in document.items() if key not in ("format", "clock", "ledger", "knobs")}
        for name in sections:
            if name not in self.providers:
                raise SandboxError(f"seed: unknown section {name!r}; known: {', '.join(self.providers)}, clock, knobs")
        if document.get("format") == FORMAT:
            self.clock.load(document.get("clock", {}))
            self.ledger.load(document.get("ledger", {}))
            for name, section in sections.items():
                self.providers[name].load(section)
            return
        self.turn(document.get("knobs") or {})
        self.clock.change(document.get("clock") or {})
        for name, provider in self.providers.items():
            provider.seed(sections.get(name) or {})

    def _rehearse(self, document: Mapping[str, Any]) -> None:
        if "format" in document and document["format"] != FORMAT:
            raise SandboxError(f"seed: unknown format {document['format']!r}; known: {FORMAT}")
        aside = object.__new__(World)
        aside.clock, aside.ledger = Clock(), Ledger()
        aside.providers = {name: kind(aside.clock, aside.ledger) for name, kind in PROVIDERS.items()}
        try:
            aside._fill(document)
        except (KeyError, TypeError, AttributeError) as error:
            raise SandboxError(f"seed: the dump is damaged: {error!r}") from error

    def _provider(self, name: Any) -> Provider[Any]:
        if name not in self.providers:
            raise SandboxError(f"unknown provider {name!r}; known: {', '.join(self.providers)}")
        return self.providers[name]
