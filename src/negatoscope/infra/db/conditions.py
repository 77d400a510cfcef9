"""Conditions of a search, put together from columns: whoever asks names columns and values, and writes no SQL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg


@dataclass(frozen=True, slots=True)
class Condition:
    """A piece of a WHERE clause.

    Attributes:
        sql: Ours, with ``%s`` for each parameter.
        parameters: In their order.
    """

    sql: str
    parameters: tuple[Any, ...] = ()

    def named(self, prefix: str) -> tuple[str, dict[str, Any]]:
        """The same with named parameters, for a query that has such."""
        pieces = self.sql.split("%s")
        names = [f"{prefix}{number}" for number in range(len(self.parameters))]
        sql = pieces[0] + "".join(
            f"%({name})s{piece}" for name, piece in zip(names, pieces[1:], strict=True)
        )
        return sql, dict(zip(names, self.parameters, strict=True))


_WILDCARDS: Final = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def literal_like(text: str) -> str:
    """A pattern of LIKE that means these characters and no other."""
    return text.translate(_WILDCARDS)


ALWAYS: Final = Condition("TRUE")
NEVER: Final = Condition("FALSE")


def all_of(*conditions: Condition) -> Condition:
    """Each of them holds."""
    return _joined(" AND ", conditions, ALWAYS)


def any_of(*conditions: Condition) -> Condition:
    """One of them holds."""
    return _joined(" OR ", conditions, NEVER)


def negated(condition: Condition) -> Condition:
    """It does not hold; where a value is unknown, neither does this."""
    return Condition(f"NOT ({condition.sql})", condition.parameters)


def _joined(word: str, conditions: Sequence[Condition], none: Condition) -> Condition:
    if len(conditions) < 2:
        return conditions[0] if conditions else none
    return Condition(
        "(" + word.join(f"({one.sql})" for one in conditions) + ")",
        tuple(value for one in conditions for value in one.parameters),
    )


@dataclass(frozen=True, slots=True)
class Column:
    """A value that each row of a search has.

    Attributes:
        sql: An expression over the tables of its `Selection`.
        type: In PostgreSQL.
        parameters: Of the expression.
    """

    sql: str
    type: str = "text"
    parameters: tuple[Any, ...] = ()

    def equals(self, value: object) -> Condition:
        """It is this."""
        return Condition(f"{self.sql} = %s", (*self.parameters, value))

    def is_one_of(self, values: Iterable[Any]) -> Condition:
        """It is one of these."""
        return Condition(f"{self.sql} = ANY(%s::{self.type}[])", (*self.parameters, sorted(values)))

    def has(self, value: object) -> Condition:
        """This is among its members: of an array, whose type is that of its members."""
        return Condition(f"{self.sql} @> ARRAY[%s]::{self.type}[]", (*self.parameters, value))


@dataclass(frozen=True, slots=True)
class Span:
    """A time from one value to another, which may be the same.

    Attributes:
        start: When it begins.
        end: When it ends.
    """

    start: Column
    end: Column

    @classmethod
    def at(cls, sql: str, *parameters: object) -> "Span":
        """A point in time."""
        return cls.of(sql, sql, *parameters)

    @classmethod
    def of(cls, start: str, end: str, *parameters: object) -> "Span":
        """From one to the other, each with the same parameters."""
        return cls(
            Column(start, "timestamptz", tuple(parameters)),
            Column(end, "timestamptz", tuple(parameters)),
        )

    def starts_from(self, at: object) -> Condition:
        """Not before."""
        return _compared(self.start, ">=", at)

    def starts_before(self, at: object) -> Condition:
        """Before."""
        return _compared(self.start, "<", at)

    def ends_from(self, at: object) -> Condition:
        """Not before."""
        return _compared(self.end, ">=", at)

    def ends_before(self, at: object) -> Condition:
        """Before."""
        return _compared(self.end, "<", at)

    def lies_within(self, first: object, last: object) -> Condition:
        """All of it, ``last`` not included."""
        return all_of(self.starts_from(first), self.ends_before(last))


def _compared(column: Column, sign: str, value: object) -> Condition:
    return Condition(f"{column.sql} {sign} %s", (*column.parameters, value))


class SearchTooBroad(Exception):
    """A search did not end in its time."""


class UnusableValue(Exception):
    """The database cannot take a value that is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Rows that can be searched.

    Attributes:
        source: What follows FROM.
        number: What tells rows apart.
    """

    source: str
    number: Column

    def page(
        self,
        connection: psycopg.Connection[Any],
        conditions: Iterable[Condition],
        *,
        order: Column,
        is_descending: bool,
        after: tuple[str, int] | None,
        limit: int,
        patience_ms: int,
    ) -> list[tuple[int, str]]:
        """Numbers of rows with their key, in order; pages follow the last key of the page before.

        Args:
            connection: In a transaction; what follows in it has the same patience.
            conditions: All hold.
            order: By what, never NULL; the number decides between equal ones.
            is_descending: The last first.
            after: Key and number of the last row of the page before.
            limit: Rows at most.
            patience_ms: How long it may take.

        Raises:
            SearchTooBroad: it takes longer.
            UnusableValue: of a condition.
        """
        sign, direction = ("<", "DESC") if is_descending else (">", "ASC")
        number = self.number.sql
        held = list(conditions)
        if after is not None:
            sql = f"({order.sql}, {number}) {sign} (%s::{order.type}, %s)"
            held.append(Condition(sql, after))
        where = all_of(*held)
        query = (
            f"SELECT {number}, ({order.sql})::text FROM {self.source} WHERE {where.sql}"
            f" ORDER BY {order.sql} {direction}, {number} {direction} LIMIT %s"
        )
        connection.execute(f"SET LOCAL statement_timeout = {int(patience_ms)}")
        try:
            return connection.execute(query, [*where.parameters, limit]).fetchall()
        except psycopg.errors.QueryCanceled as error:
            raise SearchTooBroad from error
        except psycopg.DataError as error:
            raise UnusableValue from error
