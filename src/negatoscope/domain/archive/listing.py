"""The list of studies: found as one types, in the order asked for, page by page.

Two ways lead to a page. *Walking* reads rows in the order asked for and keeps those that match:
quick where many do. *Finding* goes through the indexes of what is asked: quick where few do. Which
of both is quick cannot be told from the words, so a short walk is tried first; when it does not
fill the page, matches are rare enough to be found.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

from negatoscope.domain.archive.errors import InvalidCursor
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.db.conditions import literal_like
from negatoscope.kit.text import fold

MAX_LIMIT: Final = 500
MAX_TEXT_CHARACTERS: Final = 200
MAX_WORDS: Final = 12
WALK_ROWS: Final = 2_000
"""Rows of the first try."""
LONG_WALK_ROWS: Final = 20_000
"""Of the second, where the first promises to fill the page."""
LONG_WALK_MATCHES: Final = 8
MOST_FOUND: Final = 8_000
"""More matches than these are not ordered but walked through."""
EXACT_COUNT: Final = 10_000
"""Up to so many studies in all, they are counted."""
_TIMEOUT: Final = "SET LOCAL statement_timeout = '10s'"
_QUICK: Final = "SET LOCAL enable_seqscan = off; SET LOCAL jit = off"
_IN_ORDER: Final = "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
_SQL: Final = load_queries("negatoscope.domain.archive.sql", "listing.sql")
_TRIGRAM: Final = 3
_UID: Final = re.compile(r"[0-2](\.[0-9]+){2,}")
COLUMNS: Final = """s.study_instance_uid, s.study_date, s.study_time, s.study_description, s.accession_number,
       s.modalities_in_study, s.series_count, s.instance_count, s.byte_count, s.referring_physician_name,
       s.created_at, p.id, p.patient_name, p.patient_id, p.issuer_of_patient_id, p.patient_birth_date, p.patient_sex"""
_JOINS: Final = "JOIN study s ON s.id = x.study_fk JOIN patient p ON p.id = s.patient_fk"


class Order(StrEnum):
    """In which order studies are listed; the second key is always our own, so that pages meet."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"
    NAME_DESCENDING = "-name"
    RECEIVED = "received"
    """First arrived last."""


_KEYS: Final[Mapping[Order, tuple[str, str, bool]]] = {
    Order.NEWEST: ("x.studied_at", "timestamp", True),
    Order.OLDEST: ("x.studied_at", "timestamp", False),
    Order.NAME: ("x.patient_name_key", "text", False),
    Order.NAME_DESCENDING: ("x.patient_name_key", "text", True),
    Order.RECEIVED: ("x.study_fk", "bigint", True),
}


class TotalIs(StrEnum):
    """What the total is."""

    EXACT = "exact"
    ABOUT = "about"
    """From a sample."""
    AT_LEAST = "at least"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """Which studies the one who asks may know of: a condition over ``s`` (study), ``p`` (patient).

    Attributes:
        sql: Ours, never a person's.
        parameters: Of its placeholders.
    """

    sql: str = "TRUE"
    parameters: Mapping[str, Any] | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is hidden."""
        return self.sql == "TRUE"


EVERYTHING: Final = Visible()


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCriteria:
    """What is looked for; everything given must hold. Case and accents do not count.

    Attributes:
        text: Words; each must occur in the patient's name, an identifier, the accession number, the
            study's ID, description or modalities, or be the Study Instance UID.
        patient_name: Words of Patient's Name.
        patient_id: Beginning of Patient ID or of another identifier of the patient.
        issuer_of_patient_id: Exactly; only with patients that have one.
        accession_number: Its beginning.
        study_description: Words of it.
        referring_physician_name: Words of it.
        institution_name: Words of the Institution Name of a series.
        station_name: Beginning of the Station Name of a series.
        first, last: Study Date, both included.
        modalities: At least one of them in the study.
    """

    text: str = ""
    patient_name: str = ""
    patient_id: str = ""
    issuer_of_patient_id: str = ""
    accession_number: str = ""
    study_description: str = ""
    referring_physician_name: str = ""
    institution_name: str = ""
    station_name: str = ""
    first: date | None = None
    last: date | None = None
    modalities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedStudy:
    """A study as a row of the list.

    Attributes:
        patient_key: Our own key of the patient: an identifier alone names nobody.
        received_at: When its first object arrived.
    """

    study_instance_uid: str
    study_date: date | None
    study_time: str | None
    study_description: str | None
    accession_number: str | None
    modalities_in_study: tuple[str, ...]
    series_count: int
    instance_count: int
    byte_count: int
    referring_physician_name: str | None
    received_at: datetime
    patient_key: int
    patient_name: str | None
    patient_id: str | None
    issuer_of_patient_id: str
    patient_birth_date: date | None
    patient_sex: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPage:
    """Some rows of the list.

    Attributes:
        next_cursor: Where the next page begins; None at the end.
        total: How many match in all; None on later pages, where it is not counted again.
        total_is: How much that number is worth.
    """

    studies: tuple[ListedStudy, ...]
    next_cursor: str | None
    total: int | None
    total_is: TotalIs | None


class StudyList:
    """Reads pages of the list. One per process; safe for many threads.

    Args:
        database: The index.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        criteria: StudyCriteria,
        *,
        order: Order = Order.NEWEST,
        limit: int = 50,
        cursor: str | None = None,
        visible: Visible = EVERYTHING,
    ) -> StudyPage:
        """One page.

        Raises:
            InvalidCursor: it is not of this list and order.
        """
        limit = max(1, min(limit, MAX_LIMIT))
        query = _Query(criteria, order, limit, cursor, visible)
        with self._database.connection() as connection:
            connection.execute(_TIMEOUT)
            connection.execute(_QUICK)
            got = _rows(connection, query)
            total, total_is = _total(connection, query, got) if cursor is None else (None, None)
        return StudyPage(
            studies=tuple(_listed(row) for row in got.rows[:limit]),
            next_cursor=query.cursor_after(got.rows[limit - 1]) if len(got.rows) > limit else None,
            total=total,
            total_is=total_is,
        )


class _Got(NamedTuple):
    """What was read: how many rows were seen and matched, and whether no others match."""

    rows: list[Any]
    seen: int
    matched: int
    is_all: bool


def _rows(connection: Any, query: "_Query") -> _Got:
    """The rows of a page and one more, if there is one."""
    seen = matched = 0
    for walk_rows in (query.walk_rows, LONG_WALK_ROWS):
        if seen and (matched < LONG_WALK_MATCHES or seen >= walk_rows):
            break
        parameters = query.parameters | {"walk": walk_rows}
        rows = connection.execute(query.sql("walk"), parameters).fetchall()
        if not rows and query.matches_all:
            return _Got([], 0, 0, is_all=True)
        seen, matched = (rows[0][-2], rows[0][-1]) if rows else (walk_rows, 0)
        if len(rows) == query.wanted or seen < walk_rows:
            return _Got(rows, seen, matched, is_all=seen < walk_rows)
    rows = connection.execute(query.sql("found"), query.parameters).fetchall()
    found = rows[0][-1] if rows else 0
    if found <= MOST_FOUND:
        return _Got(rows, 0, found, is_all=True)
    connection.execute(_IN_ORDER)
    rows = connection.execute(query.sql("all_the_way"), query.parameters).fetchall()
    return _Got(rows, 0, found, is_all=False)


def _total(connection: Any, query: "_Query", got: _Got) -> tuple[int, TotalIs]:
    if got.is_all:
        return got.matched, TotalIs.EXACT
    if got.matched > MOST_FOUND:
        return MOST_FOUND, TotalIs.AT_LEAST
    (studies,) = connection.execute(_SQL["counted"]).fetchone()
    if query.matches_all and not query.is_dated and studies <= EXACT_COUNT:
        return studies, TotalIs.EXACT
    if studies > EXACT_COUNT:
        (studies,) = connection.execute(_SQL["estimated"]).fetchone()
    if query.is_dated:
        (plan,) = connection.execute(query.sql("within"), query.parameters).fetchone()
        studies = int(plan[0]["Plan"]["Plan Rows"])
        if query.matches_all and studies <= MOST_FOUND:
            (found,) = connection.execute(query.sql("counted_within"), query.parameters).fetchone()
            return found, TotalIs.EXACT if found <= MOST_FOUND else TotalIs.AT_LEAST
    share = got.matched / got.seen if got.seen and not query.matches_all else 1.0
    return max(_rounded(studies * share), len(got.rows)), TotalIs.ABOUT


class _Query:
    """The texts and parameters of one question."""

    def __init__(
        self,
        criteria: StudyCriteria,
        order: Order,
        limit: int,
        cursor: str | None,
        visible: Visible,
    ) -> None:
        self.order = order
        self.wanted = limit + 1
        self.parameters: dict[str, Any] = {"limit": self.wanted, "most": MOST_FOUND + 1}
        self._names = 0
        self._words: list[str] = []
        self._rows: list[str] = []
        self._read(criteria)
        if not visible.is_everything:
            self._rows.append(f"({visible.sql})")
            self.parameters.update(visible.parameters or {})
        dated = _dated(criteria, self.parameters)
        self.is_dated = bool(dated)
        by_date = order in {Order.NEWEST, Order.OLDEST}
        self._dated = dated
        self._walk_dated = by_date
        self.matches_all = not self._words and not self._rows and (not dated or by_date)
        key, kind, descending = _KEYS[order]
        direction = "DESC" if descending else "ASC"
        self._order = f"{key} {direction}, x.study_fk {direction}"
        self._after = "TRUE"
        if cursor is not None:
            value, row = _read_cursor(cursor, order)
            self.parameters |= {"after_value": value, "after_row": row}
            comparison = "<" if descending else ">"
            self._after = (
                f"({key}, x.study_fk) {comparison} (%(after_value)s::{kind}, %(after_row)s::bigint)"
            )
        self.walk_rows = limit + 1 if self.matches_all else max(WALK_ROWS, 10 * limit)
        self.parameters["walk"] = self.walk_rows

    def sql(self, name: str) -> str:
        """One of the queries with its conditions."""
        dated = " AND ".join(self._dated) or "TRUE"
        matching = [*self._words, *self._rows]
        within = dated
        if name != "found" and not self._walk_dated:
            matching, within = [*matching, dated], "TRUE"
        return _SQL[name].format(
            columns=f"{COLUMNS}, x.studied_at::text, x.patient_name_key, x.study_fk",
            within=within,
            after=self._after,
            order=self._order,
            joins=_JOINS if self._rows else "",
            matching=" AND ".join(matching) or "TRUE",
        )

    def cursor_after(self, row: Sequence[Any]) -> str:
        """Where the page after this row begins."""
        studied_at, name, key = row[-5], row[-4], row[-3]
        match self.order:
            case Order.NEWEST | Order.OLDEST:
                value: Any = studied_at
            case Order.NAME | Order.NAME_DESCENDING:
                value = name
            case Order.RECEIVED:
                value = key
        text = orjson.dumps([self.order, value, key])
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode("ascii")

    def _read(self, asked: StudyCriteria) -> None:
        for word in _words(asked.text):
            if _UID.fullmatch(word):
                self._rows.append(f"s.study_instance_uid = {self._bind(word)}")
            else:
                self._words.append(f"x.words LIKE {self._bind(_pattern(word, ' '))}")
        for word in _words(asked.patient_name):
            self._words.append(f"x.words LIKE {self._bind(_pattern(word, ' '))}")
            name = "' ' || translate(p.patient_name_folded, '^=', '  ')"
            self._rows.append(f"{name} LIKE {self._bind(_pattern(word, ' '))}")
        if identifier := " ".join(_words(asked.patient_id)):
            self._words.append(f"x.words LIKE {self._bind(_begin(identifier, ' '))}")
            prefix = self._bind(_begin(identifier, ""))
            self._rows.append(
                f"(text_folded(p.patient_id) LIKE {prefix} OR EXISTS (SELECT FROM patient_identifier o"
                f" WHERE o.patient_fk = p.id AND text_folded(o.identifier) LIKE {prefix}))"
            )
        if issuer := asked.issuer_of_patient_id.replace("\0", "").strip():
            self._rows.append(f"p.issuer_of_patient_id = {self._bind(issuer)}")
        if accession := " ".join(_words(asked.accession_number)):
            self._words.append(f"x.words LIKE {self._bind(_begin(accession, ' '))}")
            self._rows.append(
                f"text_folded(s.accession_number) LIKE {self._bind(_begin(accession, ''))}"
            )
        for word in _words(asked.study_description):
            self._words.append(f"x.words LIKE {self._bind(_pattern(word, ' '))}")
            self._rows.append(
                f"' ' || s.study_description_folded LIKE {self._bind(_pattern(word, ' '))}"
            )
        for word in _words(asked.referring_physician_name):
            self._words.append(f"x.places LIKE {self._bind(_pattern(word, '|'))}")
            name = "'|' || translate(s.referring_physician_name_folded, '^=', '||')"
            self._rows.append(f"{name} LIKE {self._bind(_pattern(word, '|'))}")
        if station := " ".join(_words(asked.station_name)):
            self._words.append(f"x.places LIKE {self._bind(_begin(station, '|'))}")
            self._series(f"text_folded(e.station_name) LIKE {self._bind(_begin(station, ''))}")
        if words := _words(asked.institution_name):
            patterns = [self._bind(f"%{literal_like(word)}%") for word in words]
            self._words += [f"x.places LIKE {one}" for one in patterns]
            self._series(
                " AND ".join(f"text_folded(e.institution_name) LIKE {one}" for one in patterns)
            )
        if asked.modalities:
            given = [one.replace("\0", "") for one in asked.modalities]
            wanted = [fold(one) for one in given]
            among = [f"x.words LIKE {self._bind(f'% {literal_like(one)} %')}" for one in wanted]
            self._words.append(f"({' OR '.join(among)})")
            upper = self._bind([one.strip().upper() for one in given])
            self._rows.append(f"s.modalities_in_study && {upper}::text[]")

    def _series(self, condition: str) -> None:
        self._rows.append(f"EXISTS (SELECT FROM series e WHERE e.study_fk = s.id AND {condition})")

    def _bind(self, value: Any) -> str:
        self._names += 1
        name = f"w{self._names}"
        self.parameters[name] = value
        return f"%({name})s"


def _dated(asked: StudyCriteria, parameters: dict[str, Any]) -> list[str]:
    conditions = []
    if asked.first is not None:
        conditions.append("x.studied_at >= %(first)s::timestamp")
        parameters["first"] = asked.first
    if asked.last is not None:
        lowest = "" if asked.first else " AND x.studied_at > '-infinity'"
        conditions.append(f"x.studied_at < %(before)s::timestamp{lowest}")
        parameters["before"] = min(asked.last, date.max - timedelta(1)) + timedelta(1)
    return conditions


def _words(text: str) -> list[str]:
    """Folded words, the components of names apart; no more than ``MAX_WORDS``."""
    cut = text.replace("\0", " ")[:MAX_TEXT_CHARACTERS]
    folded = fold(cut.replace("^", " ").replace("=", " ").replace("*", " "))
    return list(dict.fromkeys(folded.split()))[:MAX_WORDS]


def _pattern(word: str, border: str) -> str:
    """Anywhere; of one or two characters, which no index holds, at the beginning of a word."""
    escaped = literal_like(word)
    return f"%{escaped}%" if len(word) >= _TRIGRAM else f"%{border}{escaped}%"


def _begin(text: str, border: str) -> str:
    escaped = literal_like(text)
    return f"%{border}{escaped}%" if border else f"{escaped}%"


def _read_cursor(cursor: str, order: Order) -> tuple[Any, int]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        of, value, row = orjson.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, TypeError, binascii.Error) as error:
        raise InvalidCursor("the cursor cannot be read") from error
    if of != order or not isinstance(row, int) or not 0 < row < 1 << 62:
        raise InvalidCursor("the cursor is of another list")
    match order:
        case Order.NEWEST | Order.OLDEST:
            if not isinstance(value, str):
                raise InvalidCursor("the cursor cannot be read")
            if value != "-infinity":
                try:
                    datetime.fromisoformat(value)
                except ValueError as error:
                    raise InvalidCursor("the cursor cannot be read") from error
        case Order.NAME | Order.NAME_DESCENDING:
            if not isinstance(value, str) or "\0" in value or len(value) > MAX_TEXT_CHARACTERS:
                raise InvalidCursor("the cursor cannot be read")
        case Order.RECEIVED:
            if value != row:
                raise InvalidCursor("the cursor cannot be read")
    return value, row


def _rounded(number: float) -> int:
    """Two significant digits: it is an estimate, and must look like one."""
    whole = int(number)
    digits = max(len(str(whole)) - 2, 0)
    return round(whole, -digits)


def _listed(row: Sequence[Any]) -> ListedStudy:
    return ListedStudy(
        study_instance_uid=row[0],
        study_date=row[1],
        study_time=row[2],
        study_description=row[3],
        accession_number=row[4],
        modalities_in_study=tuple(row[5]),
        series_count=row[6],
        instance_count=row[7],
        byte_count=row[8],
        referring_physician_name=row[9],
        received_at=row[10],
        patient_key=row[11],
        patient_name=row[12],
        patient_id=row[13],
        issuer_of_patient_id=row[14],
        patient_birth_date=row[15],
        patient_sex=row[16],
    )


def listed(rows: Iterable[Sequence[Any]]) -> list[ListedStudy]:
    """Rows whose first columns are ``COLUMNS``."""
    return [_listed(row) for row in rows]
