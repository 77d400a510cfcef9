"""Searching the index for patients, studies, series and instances.

C-FIND (PS3.4 Annex C) and QIDO-RS (PS3.18 §10.6) both come here.
"""

from array import array
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import psycopg

from negatoscope.domain.archive.query import matching
from negatoscope.domain.archive.query.attributes import (
    ATTRIBUTES,
    INSTANCE_AVAILABILITY,
    RETRIEVE_AE_TITLE,
    UNIQUE_KEYS,
    Attribute,
    attribute,
    attributes_of,
)
from negatoscope.domain.archive.query.conditions import Condition, combined_condition, condition
from negatoscope.domain.archive.query.errors import (
    IdentifierMismatch,
    QueryError,
    QueryTooExpensive,
    QueryUnavailable,
)
from negatoscope.domain.archive.query.model import (
    DEFAULT_LIMITS,
    DicomJson,
    HeaderReader,
    Include,
    InformationModel,
    Query,
    QueryLevel,
    QueryLimits,
)
from negatoscope.domain.archive.query.rows import RowReader
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.standard import tags

_SQL: Final = load_queries("negatoscope.domain.archive.query.sql", "search.sql")

#: Tags of an identifier that are neither matched nor returned as attributes.
_CONTROL: Final = frozenset({"00080005", "00080052"})
_FIRST_CANDIDATES: Final = 200  # looked at before a whole scan, when SQL cannot decide alone
_SMALL_BATCH: Final = 32
_FEW_PATIENTS: Final = 3000


def search(
    database: Database,
    query: Query,
    *,
    headers: HeaderReader | None = None,
    limits: QueryLimits = DEFAULT_LIMITS,
) -> "Matches":
    """Find what matches a query, newest study first.

    Args:
        database: The index.
        query: The question.
        headers: Reads object headers, for instance attributes the index has no column for; without
            it they are unsupported.
        limits: Bounds on the query.
    Returns: An iterator of DICOM JSON, one dict per match, with every key asked for; a key that is
        unsupported or absent has no `Value`. Rows are fetched a batch at a time, no database
        connection is held between two batches.
    Raises:
        IdentifierMismatch: the keys do not fit level and model (PS3.4 §C.4.1.1.4).
        QueryTooExpensive, QueryUnavailable: also while iterating.
    """
    check(query)
    return Matches(database, query, plan(query, headers is not None), headers, limits)


def check(query: Query) -> None:
    """Check level and unique keys against the information model.

    Hierarchical queries give one single value for the unique key of each upper level
    (PS3.4 §C.4.1.2.1); relational ones need none.

    Raises: IdentifierMismatch
    """
    if query.level not in query.model.levels:
        raise IdentifierMismatch(f"level {query.level} is not part of the {query.model} model")
    if query.relational:
        return
    for level in query.model.levels:
        if level.depth >= query.level.depth:
            break
        tag = UNIQUE_KEYS[level]
        values = matching.texts(query.keys.get(tag))
        wild = level is QueryLevel.PATIENT and values and set(values[0]) & set("*?")
        if len(values) != 1 or wild or values[0] == "*":
            keyword = tags.keyword_for(int(tag, 16))
            raise IdentifierMismatch(f"{query.level} level needs one value of {keyword}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a query is answered.

    Attributes:
        conditions: Of the WHERE clause, all of them.
        inexact: Keys to be looked at again in Python.
        returned: Attributes read from the index for the answer.
        from_headers: Tags read from object headers.
        unsupported: Tags of keys that are neither matched nor answered.
    """

    conditions: tuple[Condition, ...]
    inexact: DicomJson
    returned: tuple[Attribute, ...]
    from_headers: tuple[str, ...]
    unsupported: tuple[str, ...]


def plan(query: Query, has_headers: bool) -> Plan:
    """Decide which keys SQL answers, which Python, and which nobody."""
    conditions: list[Condition] = []
    inexact: DicomJson = {}
    returned: dict[str, Attribute] = {}
    from_headers: list[str] = []
    unsupported: list[str] = []
    if query.include is Include.ALL:
        returned |= {a.tag: a for a in attributes_of(query.level)}
        if query.level is QueryLevel.STUDY and query.model is InformationModel.STUDY_ROOT:
            returned |= {a.tag: a for a in attributes_of(QueryLevel.PATIENT)}
    for tag, key in query.keys.items():
        if tag in _CONTROL or tag.endswith("0000"):
            continue
        kept = attribute(tag)
        if kept is None or kept.level.depth > query.level.depth:
            is_header = query.level is QueryLevel.IMAGE and has_headers
            (from_headers if is_header else unsupported).append(tag)
            if is_header and not _is_idle(tag, key):
                inexact[tag] = key
            continue
        returned[tag] = kept
        if _is_idle(tag, key):
            continue
        found = _condition(tag, kept, key, query)
        if found is None:
            continue
        conditions.append(found)
        if not found.exact:
            inexact[tag] = key
    conditions += _scope(query)
    return Plan(
        conditions=tuple(conditions),
        inexact=inexact,
        returned=tuple(returned.values()),
        from_headers=tuple(from_headers),
        unsupported=tuple(unsupported),
    )


def _is_idle(tag: str, key: Mapping[str, Any]) -> bool:
    return tag in matching.UNMATCHED_TAGS or matching.is_universal(key)


def _condition(tag: str, kept: Attribute, key: dict[str, Any], query: Query) -> Condition | None:
    """The condition of a key; None for a time that its date's condition covers."""
    if query.options.combined_datetime:
        pair = matching.combined_pair(tag, query.keys)
        if pair is not None:
            day, time = (ATTRIBUTES.get(part) for part in pair)
            bounds = matching.combined_bounds(query.keys[pair[0]], query.keys[pair[1]])
            if day is not None and time is not None and bounds is not None:
                return combined_condition(day, time, *bounds) if tag == pair[0] else None
    return condition(kept, key, query.options)


def _scope(query: Query) -> list[Condition]:
    """What the asker may see, the only place where it enters the SQL."""
    scope = query.scope
    if scope.is_everything:
        return []
    studies = list(scope.study_instance_uids or ())
    patients = list(scope.patients or ())
    allowed = (
        "(patient.patient_id, patient.issuer_of_patient_id)"
        " IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
    )
    parameters: list[Any] = [[p[0] for p in patients], [p[1] for p in patients], studies]
    if query.level is QueryLevel.PATIENT:
        sql = (
            f"({allowed} OR patient.id IN"
            " (SELECT patient_fk FROM study WHERE study_instance_uid = ANY(%s::text[])))"
        )
        return [
            Condition(sql=sql, parameters=tuple(parameters), tables=frozenset({QueryLevel.PATIENT}))
        ]
    return [
        Condition(
            sql=f"({allowed} OR study.study_instance_uid = ANY(%s::text[]))",
            parameters=tuple(parameters),
            tables=frozenset({QueryLevel.PATIENT, QueryLevel.STUDY}),
        )
    ]


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
        self._database = database
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
        query = self._query
        if self._limit <= 0:
            return
        if not self._plan.inexact:
            ids = self._candidates(self._limit + 1, query.offset)
            self.truncated = len(ids) > self._limit
            for match in self._rows(ids[: self._limit]):
                self.count += 1
                yield match
            return
        skip = query.offset
        for match in self._rows(self._every_candidate()):
            if not matching.matches(match, self._plan.inexact, query.options):
                continue
            if skip:
                skip -= 1
                continue
            if self.count == self._limit:
                self.truncated = True
                return
            self.count += 1
            yield match

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
        rows = self._fetch(sql, (*parameters, limit, offset))
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
        found = [row[0] for row in self._fetch(sql, (*parameters, _FEW_PATIENTS + 1))]
        if len(found) > _FEW_PATIENTS:
            return conditions
        listed = Condition(
            sql="study.patient_fk = ANY(%s::bigint[])",
            parameters=(found,),
            tables=frozenset({QueryLevel.STUDY}),
        )
        return (listed, *(c for c in conditions if c not in of_patient))

    def _rows(self, ids: "array[int] | Iterator[int]") -> Iterator[DicomJson]:
        columns = "".join(f", {column}" for column in self._reader.columns)
        sql = _SQL[f"{self._query.level.lower()}_rows"].format(columns=columns)
        batch: list[int] = []
        size = self._batch_size()
        for one in ids:
            batch.append(one)
            if len(batch) == size:
                yield from self._batch(sql, batch)
                batch = []
                size = self._batch_size()
        if batch:
            yield from self._batch(sql, batch)

    def _batch_size(self) -> int:
        """About as many rows as are still wanted: SQL's guess at a match is nearly always right."""
        wanted = self._query.offset + self._limit + 1 - self.count
        return min(max(wanted, _SMALL_BATCH), self._limits.batch_rows)

    def _batch(self, sql: str, ids: list[int]) -> Iterator[DicomJson]:
        rows = self._fetch(sql, (ids,))
        if self._headers is None or not self._plan.from_headers:
            found: list[DicomJson] = [self._reader.read(row) for row in rows]
        else:
            read = self._headers([self._reader.reference(row) for row in rows])
            found = []
            for row, header in zip(rows, read, strict=True):
                match = self._reader.read(row)
                for tag in self._plan.from_headers:
                    vr = tags.vr_for(int(tag, 16))
                    match[tag] = dict(header.get(tag) or {"vr": vr})
                found.append(match)
        for match in found:
            for tag in self.unsupported:
                match[tag] = {"vr": self._query.keys[tag].get("vr", "UN")}
            yield match

    def _fetch(self, sql: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            with self._database.connection() as connection:
                timeout_ms = str(self._limits.statement_timeout_ms)
                connection.execute(_SQL["prepare"], (timeout_ms,))
                return connection.execute(sql, parameters, prepare=False).fetchall()
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
