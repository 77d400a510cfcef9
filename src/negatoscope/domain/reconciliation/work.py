"""The four work lists of the desk, and what stands on either side of a decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import psycopg

from negatoscope.domain.patients import Patient, Registry, UnknownPatient
from negatoscope.domain.reconciliation import duplicates
from negatoscope.domain.reconciliation.duplicates import Pair
from negatoscope.domain.reconciliation.scoring import score
from negatoscope.infra.db import Database, load_queries

SQL: Final = load_queries("negatoscope.domain.reconciliation.sql", "work.sql")
MOST_COUNTED: Final = 501
"""Beyond it a count says that there are more."""
_COLUMNS: Final = """
s.id, s.study_instance_uid, s.study_date, s.study_time, s.study_description, coalesce(s.accession_number, ''),
s.modalities_in_study, s.instance_count, s.created_at, p.id, coalesce(p.patient_id, ''), p.issuer_of_patient_id,
coalesce(p.patient_name, ''), p.patient_birth_date, coalesce(p.patient_sex, ''), b.state, b.reason, b.procedure_fk,
archive_registered_of(s.id), EXISTS (SELECT FROM study_move m WHERE m.study_instance_uid = s.study_instance_uid),
coalesce((SELECT w.calling_ae_title FROM study_without_patient w WHERE w.study_fk = s.id), '')
"""
_UNIDENTIFIED: Final = r"""
(r.identity_attributes && ARRAY['FICT', 'DOUT'] OR r.birth_date = '' OR r.name_folded = ''
 OR r.name_folded ~ '(^| )(inconnue?|unknown|anonyme|x{1,3}|nn|sos|urgence|non identifiee?)( |$)')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much waits in each list; ``MOST_COUNTED`` means at least so many."""

    duplicates: int
    without_patient: int
    without_order: int
    unidentified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingStudy:
    """A study of the archive with what is known of whose and what for it is.

    Attributes:
        key: Ours, for pages.
        binding_state: None when nothing was decided.
        registered: Row of registered_patient; None: nobody's, as far as is known for certain.
        is_moved: Whether a person gave it to that patient.
        calling_ae_title: Of the device it came from, of a study that is or was nobody's; empty when not known.
    """

    key: int
    study_instance_uid: str
    study_date: date | None
    study_time: str | None
    study_description: str | None
    accession_number: str
    modalities_in_study: tuple[str, ...]
    instance_count: int
    received_at: datetime
    patient_key: int
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    patient_birth_date: date | None
    patient_sex: str
    binding_state: str | None
    binding_reason: str | None
    procedure: int | None
    registered: int | None
    is_moved: bool
    calling_ae_title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedOrder:
    """An order that a study may have been made for.

    Attributes:
        signs: Why it is proposed: ``accession``, ``patient``, ``modality``, ``date``; or not:
            ``other-patient``, ``has-images``.
    """

    procedure: int
    request: int
    accession_number: str
    code_meaning: str
    description: str
    modality: str
    state: str
    ordered_at: datetime
    start_at: datetime | None
    bound_study_instance_uid: str | None
    patient: int
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A patient with what belongs to them."""

    patient: Patient
    studies: tuple[WaitingStudy, ...]
    orders: tuple[ProposedOrder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two patients side by side."""

    score: int
    reasons: list[dict[str, Any]]
    state: str | None
    sides: tuple[Side, Side]


class WorkLists:
    """Reads what waits. One per process; safe for many threads.

    Args:
        database: Where everything is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self) -> Counts:
        """How much waits."""
        sql = SQL["counts"].format(unidentified=_UNIDENTIFIED)
        with self._database.connection() as connection:
            row = connection.execute(sql, {"most": MOST_COUNTED}).fetchone()
        assert row is not None  # noqa: S101 - one row always
        return Counts(
            duplicates=row[0], without_patient=row[1], without_order=row[2], unidentified=row[3]
        )

    def duplicates(
        self, *, limit: int, after: tuple[int, int, int] | None = None, is_dismissed: bool = False
    ) -> list[tuple[Pair, Patient, Patient]]:
        """Pairs with their patients, the likeliest first."""
        with self._database.connection() as connection:
            pairs = duplicates.open_pairs(
                connection, limit=limit, after=after, is_dismissed=is_dismissed
            )
            numbers = sorted({one for pair in pairs for one in (pair.first, pair.second)})
            known = {one.id: one for one in Registry(connection).get_all(numbers)}
        return [(pair, known[pair.first], known[pair.second]) for pair in pairs]

    def without_patient(self, *, limit: int, after: int | None = None) -> list[WaitingStudy]:
        """Studies that nobody's identifier and issuer name and nobody put aside, newest first."""
        return self._studies("without_patient", limit=limit, after=after)

    def without_order(self, *, limit: int, after: int | None = None) -> list[WaitingStudy]:
        """Studies bound to no order and not put aside, newest first."""
        return self._studies("without_order", limit=limit, after=after)

    def unidentified(self, *, limit: int, after: int | None = None) -> list[Patient]:
        """Files of the unknown: fictitious, doubtful, without birth date, named as such."""
        sql = SQL["unidentified"].format(unidentified=_UNIDENTIFIED)
        with self._database.connection() as connection:
            rows = connection.execute(sql, {"limit": limit, "after": after}).fetchall()
            return Registry(connection).get_all([row[0] for row in rows])

    def compared(self, a: int, b: int) -> Compared:
        """Two patients side by side.

        Raises:
            UnknownPatient: one of them is not there.
        """
        with self._database.connection() as connection:
            one, other = self._side(connection, a), self._side(connection, b)
            row = connection.execute(duplicates.SQL["pair"], {"a": a, "b": b}).fetchone()
        scored = score(one.patient, other.patient)
        reasons = [{"code": str(sign), "points": points} for sign, points in scored.signs]
        state = None if row is None else row[2]
        return Compared(score=scored.points, reasons=reasons, state=state, sides=(one, other))

    def study(
        self, study_instance_uid: str
    ) -> tuple[WaitingStudy, list[ProposedOrder], list[Patient]] | None:
        """A study with the orders and patients that may be its own; None when it is not here."""
        sql = SQL["study"].format(columns=_COLUMNS)
        with self._database.connection() as connection:
            row = connection.execute(sql, {"study": study_instance_uid}).fetchone()
            if row is None:
                return None
            one = _study(row)
            rows = connection.execute(
                SQL["orders_near"],
                {
                    "patient": one.registered,
                    "accession": one.accession_number,
                    "modalities": list(one.modalities_in_study),
                    "at": _at(one),
                    "limit": 20,
                },
            ).fetchall()
            orders = [_signed(_order(found), one) for found in rows]
            born = one.patient_birth_date
            people = connection.execute(
                SQL["patients_near"],
                {
                    "patient_id": one.patient_id or None,
                    "birth_date": "" if born is None else born.strftime("%Y%m%d"),
                    "names": _names(connection, one.patient_key),
                    "limit": 20,
                },
            ).fetchall()
            patients = Registry(connection).get_all([found[0] for found in people])
        return one, orders, patients

    def side(self, number: int) -> Side:
        """One patient with what belongs to them.

        Raises:
            UnknownPatient: there is none.
        """
        with self._database.connection() as connection:
            return self._side(connection, number)

    def _side(self, connection: psycopg.Connection[Any], number: int) -> Side:
        found = Registry(connection).get_all([number])
        if not found:
            raise UnknownPatient(f"there is no patient {number}")
        parameters = {"patient": number, "limit": 100}
        studies = connection.execute(SQL["studies_of"].format(columns=_COLUMNS), parameters)
        orders = connection.execute(SQL["orders_of"], parameters)
        return Side(
            patient=found[0],
            studies=tuple(_study(row) for row in studies.fetchall()),
            orders=tuple(_order(row) for row in orders.fetchall()),
        )

    def _studies(self, name: str, **parameters: Any) -> list[WaitingStudy]:
        sql = SQL[name].format(columns=_COLUMNS)
        with self._database.connection() as connection:
            return [_study(row) for row in connection.execute(sql, parameters).fetchall()]


def _study(row: Sequence[Any]) -> WaitingStudy:
    names = WaitingStudy.__dataclass_fields__
    values = dict(zip(names, row, strict=True))
    return WaitingStudy(**{**values, "modalities_in_study": tuple(values["modalities_in_study"])})


def _order(row: Sequence[Any]) -> ProposedOrder:
    return ProposedOrder(**dict(zip(ProposedOrder.__dataclass_fields__, row, strict=False)))


def _signed(order: ProposedOrder, study: WaitingStudy) -> ProposedOrder:
    signs: list[str] = []
    if study.accession_number and order.accession_number == study.accession_number:
        signs.append("accession")
    if order.patient == study.registered:
        signs.append("patient")
    elif study.registered is not None:
        signs.append("other-patient")
    if order.modality in study.modalities_in_study:
        signs.append("modality")
    at, planned = _at(study), order.start_at or order.ordered_at
    if at is not None and abs((planned - at).days) <= 1:
        signs.append("date")
    if order.bound_study_instance_uid not in {None, study.study_instance_uid}:
        signs.append("has-images")
    values = {name: getattr(order, name) for name in ProposedOrder.__dataclass_fields__}
    return ProposedOrder(**{**values, "signs": tuple(signs)})


def _at(study: WaitingStudy) -> datetime | None:
    """About when, for nearness alone: a study's date has no zone."""
    if study.study_date is None:
        return None
    return datetime(
        study.study_date.year, study.study_date.month, study.study_date.day, 12, tzinfo=UTC
    )


def _names(connection: psycopg.Connection[Any], patient_key: int) -> list[str]:
    row = connection.execute(
        "SELECT patient_name_folded FROM patient WHERE id = %s", (patient_key,)
    ).fetchone()
    words = "" if row is None else row[0].replace("^", " ").replace("=", " ")
    return [word for word in words.split() if len(word) > 1]
