"""Conditions put together from columns; pages that follow a key."""

from datetime import UTC, datetime, timedelta

import pytest

from negatoscope.infra.db import Database
from negatoscope.infra.db.conditions import (
    ALWAYS,
    NEVER,
    Column,
    Condition,
    SearchTooBroad,
    Selection,
    Span,
    UnusableValue,
    all_of,
    any_of,
    negated,
)

NUMBER = Column("t.n", "bigint")
TENS = Column("t.n / 10", "bigint")
ROWS = Selection(source="generate_series(1, 95) AS t(n)", number=NUMBER)


def page(
    database: Database,
    *conditions: Condition,
    order: Column = NUMBER,
    is_descending: bool = False,
    after: tuple[str, int] | None = None,
    limit: int = 100,
    rows: Selection = ROWS,
    patience_ms: int = 5000,
) -> list[tuple[int, str]]:
    with database.connection() as connection:
        return rows.page(
            connection, conditions, order=order, is_descending=is_descending, after=after,
            limit=limit, patience_ms=patience_ms,
        )  # fmt: skip


def numbers(database: Database, *conditions: Condition) -> list[int]:
    return [number for number, _ in page(database, *conditions)]


def test_conditions_are_put_together(database: Database) -> None:
    """Whatever lies in whatever."""
    small = NUMBER.is_one_of([3, 1, 2])
    assert numbers(database, small) == [1, 2, 3]
    assert numbers(database, small, negated(NUMBER.equals(2))) == [1, 3]
    either = any_of(NUMBER.equals(7), all_of(small, negated(NUMBER.equals(2))))
    assert numbers(database, either) == [1, 3, 7]
    assert numbers(database, either, any_of()) == []
    assert len(numbers(database, all_of())) == 95
    assert numbers(database, ALWAYS, NEVER) == []
    assert numbers(database, Column("ARRAY[t.n, 50]", "integer").has(9)) == [9]
    shifted = Column("t.n + %s", "bigint", (10,))
    assert numbers(database, shifted.equals(12)) == [2]


def test_an_unknown_value_is_neither_so_nor_not_so(database: Database) -> None:
    """As SQL has it: who asks for what is unknown does not find it."""
    unknown = Column("nullif(t.n, 4)", "bigint").equals(5)
    assert numbers(database, NUMBER.is_one_of([4, 5]), unknown) == [5]
    assert numbers(database, NUMBER.is_one_of([4, 6]), negated(unknown)) == [6]


def test_spans(database: Database) -> None:
    """Each day from its noon to the next one's."""
    first = datetime(2027, 3, 1, tzinfo=UTC)
    noon = "timestamptz '2027-02-28 12:00Z' + make_interval(days => t.n)"
    span = Span.of(f"({noon})", f"({noon} + %s)", timedelta(days=1))
    span = Span(Column(f"({noon})"), span.end)
    week = first + timedelta(days=7)
    assert numbers(database, span.lies_within(first, week)) == [1, 2, 3, 4, 5, 6]
    assert numbers(database, span.starts_before(week), span.ends_from(week)) == [7]
    assert numbers(database, span.ends_before(week), span.starts_from(first))[-1] == 6


@pytest.mark.parametrize("is_descending", [False, True])
def test_pages_meet(database: Database, *, is_descending: bool) -> None:
    """By a key that many rows share: nothing twice, nothing lost."""
    seen: list[int] = []
    after = None
    while True:
        found = page(database, order=TENS, is_descending=is_descending, after=after, limit=7)
        if not found:
            break
        seen += [number for number, _ in found]
        after = (found[-1][1], found[-1][0])
    wanted = list(range(1, 96))
    assert seen == (wanted[::-1] if is_descending else wanted)


def test_patience_and_values(database: Database) -> None:
    """Both have an answer of their own."""
    slow = Selection(source="generate_series(1, 3) AS t(n), pg_sleep(5)", number=NUMBER)
    with pytest.raises(SearchTooBroad):
        page(database, rows=slow, patience_ms=50)
    with pytest.raises(UnusableValue):
        page(database, Condition("t.n = %s::text::bigint", ("no number",)))
