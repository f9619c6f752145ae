"""Statements whose text is made once and handed to the driver as it is.

Compiling, caching and converting cost SQLAlchemy as much processor time as a small transaction has otherwise, and an
apply runs these few for every request. What a text is made from stays SQLAlchemy's, one for both databases, and so do
transactions and failures; values come here as the database keeps them (see ``schema.microseconds``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql.expression import ClauseElement


class Prepared:
    """One statement, made by ``make`` for a dialect."""

    def __init__(self, make: Callable[[Dialect], ClauseElement]) -> None:
        self._make = make
        self._texts: dict[str, tuple[str, tuple[str, ...]]] = {}

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Runs it for every row, in their order; how many rows of the table that touched. ``rows`` are not empty."""
        text, names = self._text(connection.dialect)
        values = [tuple(row[name] for name in names) for row in rows] if names else [dict(row) for row in rows]
        options = {"preserve_rowcount": True}
        return connection.exec_driver_sql(text, values, execution_options=options).rowcount

    def _text(self, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
        """The text, and the order of its parameters where they have no names in it."""
        if (found := self._texts.get(dialect.name)) is None:
            compiled: Any = self._make(dialect).compile(dialect=dialect)
            found = self._texts[dialect.name] = str(compiled), tuple(compiled.positiontup or ())
        return found
