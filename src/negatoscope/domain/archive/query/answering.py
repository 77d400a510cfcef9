"""The matches of a planned query, read from the index a batch at a time."""

from array import array
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Final, Self

import psycopg

from negatoscope.domain.archive.query import matching
from negatoscope.domain.archive.query.attributes import INSTANCE_AVAILABILITY, RETRIEVE_AE_TITLE
from negatoscope.domain.archive.query.conditions import Condition
from negatoscope.domain.archive.query.errors import (
    QueryError,
    QueryTooExpensive,
    QueryUnavailable,
)
from negatoscope.domain.archive.query.model import (
    DicomJson,
    HeaderReader,
    Query,
    QueryLevel,
    QueryLimits,
)
from negatoscope.domain.archive.query.planning import Plan
from negatoscope.domain.archive.query.rows import RowReader
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.standard import tags

_SQL: Final = load_queries("negatoscope.domain.archive.query.sql", "search.sql")
_FIRST_CANDIDATES: Final = 200  # looked at before a whole scan, when SQL cannot decide alone
_SMALL_BATCH: Final = 32
_FEW_PATIENTS: Final = 3000

Rows = list[tuple[Any, ...]]


class Matches(Iterator[DicomJson]):
    """The matches of a query, read as they are asked for.

    Attributes:
        unsupported: Tags of keys that are neither matched nor answered.
        truncated: Whether more matched than was answered; known when the iteration has ended.
        count: Matches answered so far.
    """

    def __init__(
        self,
        database: Database,
        query: Query,
        plan: Plan,
        headers: HeaderReader | None,
        limits: QueryLimits,
    ) -> None:
        self.unsupported = plan.unsupported
        self.truncated = False
        self.count = 0
        self._index = _Index(database, limits.statement_timeout_ms)
        self._query = query
        self._plan = plan
        self._headers = headers
        self._limits = limits
        wanted = query.limit if query.limit is not None else limits.max_results
        self._limit = min(wanted, limits.max_results)
        self._most = limits.max_candidates
        if plan.from_headers:
            self._limit = min(self._limit, limits.max_headers)
            self._most = min(self._most, limits.max_headers)
        constants: DicomJson = {
            INSTANCE_AVAILABILITY: {"vr": "CS", "Value": ["ONLINE"]},
            RETRIEVE_AE_TITLE: {
                "vr": "AE",
                **({"Value": [query.retrieve_ae_title]} if query.retrieve_ae_title else {}),
            },
        }
        self._reader = RowReader(plan.returned, constants, with_reference=bool(plan.from_headers))
        self._conditions: tuple[Condition, ...] | None = None
        self._source = self._run()

    def __iter__(self) -> Self:
        """The iterator itself."""
        return self

    def __next__(self) -> DicomJson:
        """The next match."""
        return next(self._source)

    def close(self) -> None:
        """Stop; nothing more is read."""
        self._source.close()

    def _run(self) -> Generator[DicomJson, None, None]:
        if self._limit <= 0:
            return
        exact = not self._plan.inexact
        skip = 0 if exact else self._query.offset
        for match in self._found(self._every_candidate() if not exact else self._page()):
            if not exact and not matching.matches(match, self._plan.inexact, self._query.options):
                continue
            if skip:
                skip -= 1
                continue
            if self.count == self._limit:
                self.truncated = True
                return
            self.count += 1
            yield match

    def _found(self, ids: Iterable[int]) -> Iterator[DicomJson]:
        """Rows of candidates. Most queries end with the first batch: one transaction for all."""
        batches = self._batches(ids)
        # Object headers are read over another connection: none is held meanwhile.
        with nullcontext() if self._plan.from_headers else self._index.transaction():
            first = next(batches, ())
        yield from first
        for batch in batches:
            yield from batch

    def _page(self) -> Iterator[int]:
        """Candidates that are matches: exactly those wanted."""
        ids = self._candidates(self._limit + 1, self._query.offset)
        self.truncated = len(ids) > self._limit
        yield from ids[: self._limit]

    def _every_candidate(self) -> Iterator[int]:
        """Candidates for keys that SQL narrows only: a few first, then all of them."""
        most = self._most
        few = min(max(_FIRST_CANDIDATES, 2 * (self._query.offset + self._limit)), most)
        first = self._candidates(few, 0)
        yield from first
        if len(first) < few or few == most:
            self.truncated = self.truncated or len(first) == most
            return
        seen = set(first)
        others = self._candidates(most, 0)
        yield from (one for one in others if one not in seen)
        self.truncated = self.truncated or len(others) == most

    def _candidates(self, limit: int, offset: int) -> "array[int]":
        if self._conditions is None:
            self._conditions = self._few_patients()
        sql, parameters = candidate_sql(self._query.level, self._conditions)
        rows = self._index.fetch(sql, (*parameters, limit, offset))
        return array("q", (row[0] for row in rows))

    def _few_patients(self) -> tuple[Condition, ...]:
        """Conditions on patients replaced by the few patients they find, if they are few.

        Left to itself the planner walks the studies from the newest on and looks at each one's
        patient, because it takes matches to be spread evenly and those look-ups to be cheap: right
        for a name half the department has, tens of milliseconds for one in a hundred.
        """
        conditions = self._plan.conditions
        of_patient = [c for c in conditions if c.tables == {QueryLevel.PATIENT}]
        few_already = any(c.few for c in conditions)
        if self._query.level is QueryLevel.PATIENT or not of_patient or few_already:
            return conditions
        sql, parameters = patient_sql(of_patient)
        found = [row[0] for row in self._index.fetch(sql, (*parameters, _FEW_PATIENTS + 1))]
        if len(found) > _FEW_PATIENTS:
            return conditions
        listed = Condition(
            sql="study.patient_fk = ANY(%s::bigint[])",
            parameters=(found,),
            tables=frozenset({QueryLevel.STUDY}),
        )
        return (listed, *(c for c in conditions if c not in of_patient))

    def _batches(self, ids: Iterable[int]) -> Iterator[Sequence[DicomJson]]:
        columns = "".join(f", {column}" for column in self._reader.columns)
        sql = _SQL[f"{self._query.level.lower()}_rows"].format(columns=columns)
        batch: list[int] = []
        size = self._batch_size()
        for one in ids:
            batch.append(one)
            if len(batch) == size:
                yield self._batch(sql, batch)
                batch = []
                size = self._batch_size()
        if batch:
            yield self._batch(sql, batch)

    def _batch_size(self) -> int:
        """About as many rows as are still wanted: SQL's guess at a match is nearly always right."""
        wanted = self._query.offset + self._limit + 1 - self.count
        return min(max(wanted, _SMALL_BATCH), self._limits.batch_rows)

    def _batch(self, sql: str, ids: list[int]) -> list[DicomJson]:
        rows = self._index.fetch(sql, (ids,))
        found = [self._reader.read(row) for row in rows]
        if self._headers is not None and self._plan.from_headers:
            read = self._headers([self._reader.reference(row) for row in rows])
            for match, header in zip(found, read, strict=True):
                for tag in self._plan.from_headers:
                    match[tag] = dict(header.get(tag) or {"vr": tags.vr_for(int(tag, 16))})
        for tag in self.unsupported:
            empty = {"vr": self._query.keys[tag].get("vr", "UN")}
            for match in found:
                match[tag] = empty
        return found


class _Index:
    """Runs statements, several in one transaction or each in its own."""

    def __init__(self, database: Database, statement_timeout_ms: int) -> None:
        self._database = database
        self._timeout_ms = str(statement_timeout_ms)
        self._shared: psycopg.Connection[tuple[Any, ...]] | None = None
        self._is_prepared = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Statements inside share a connection, and give it back at the end."""
        with self._connection() as connection:
            self._shared, self._is_prepared = connection, False
            try:
                yield
            finally:
                self._shared = None

    def fetch(self, sql: str, parameters: Sequence[Any]) -> Rows:
        """Rows of one statement."""
        if self._shared is not None:
            prepare, self._is_prepared = not self._is_prepared, True
            return self._execute(self._shared, sql, parameters, prepare=prepare)
        with self._connection() as connection:
            return self._execute(connection, sql, parameters, prepare=True)

    def _execute(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        sql: str,
        parameters: Sequence[Any],
        *,
        prepare: bool,
    ) -> Rows:
        if not prepare:
            return connection.execute(sql, parameters, prepare=False).fetchall()
        with connection.pipeline():  # one round trip instead of two
            connection.execute(_SQL["prepare"], (self._timeout_ms,))
            cursor = connection.execute(sql, parameters, prepare=False)
        return cursor.fetchall()

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        try:
            with self._database.connection() as connection:
                yield connection
        except psycopg.errors.QueryCanceled as error:
            raise QueryTooExpensive("the query takes too long, narrow it") from error
        except (psycopg.OperationalError, DatabaseUnavailable) as error:
            raise QueryUnavailable("the index does not answer") from error
        except psycopg.Error as error:
            raise QueryError("the index cannot answer this query") from error


def candidate_sql(
    level: QueryLevel, conditions: Sequence[Condition]
) -> tuple[str, tuple[Any, ...]]:
    """The SQL that finds candidate ids, and its parameters without limit and offset."""
    needed = frozenset[QueryLevel]().union(*(c.tables for c in conditions))
    joins = ""
    if QueryLevel.PATIENT in needed and level is not QueryLevel.PATIENT:
        joins = "JOIN patient ON patient.id = study.patient_fk"
    sql = _SQL[f"{level.lower()}_candidates"].format(joins=joins, conditions=_where(conditions))
    return sql, tuple(p for c in conditions for p in c.parameters)


def patient_sql(conditions: Sequence[Condition]) -> tuple[str, tuple[Any, ...]]:
    """The SQL that finds patients in any order, and its parameters without limit."""
    sql = _SQL["patients"].format(conditions=_where(conditions))
    return sql, tuple(p for c in conditions for p in c.parameters)


def _where(conditions: Sequence[Condition]) -> str:
    return " AND ".join(f"({c.sql})" for c in conditions) or "TRUE"
