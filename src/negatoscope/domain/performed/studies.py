"""Studies of the archive by what is known of them, with whose they are and which order they were made for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from negatoscope.infra.db import load_queries
from negatoscope.infra.db.conditions import Column, Condition, Selection, Span, all_of

MAX_SERIES: Final = 500
"""Of each study that is shown."""
SQL: Final = load_queries("negatoscope.domain.performed.sql", "studies.sql")

STUDIES: Final = Selection(
    source="study s JOIN patient p ON p.id = s.patient_fk LEFT JOIN study_binding b"
    " ON b.study_instance_uid = s.study_instance_uid AND b.state = 'BOUND'",
    number=Column("s.id", "bigint"),
)
STUDY_INSTANCE_UID: Final = Column("s.study_instance_uid")
ACCESSION_NUMBER: Final = Column("s.accession_number")
MODALITIES_IN_STUDY: Final = Column("s.modalities_in_study")
BOUND_PATIENT: Final = Column("b.patient_fk", "bigint")
"""Whose it is, where that is decided."""
BOUND_PROCEDURE: Final = Column("b.procedure_fk", "bigint")
STUDY_DATE: Final = Column("coalesce(s.study_date, '0001-01-01'::date)", "date")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSeries:
    """A series, as it says of itself."""

    series_instance_uid: str
    modality: str | None
    series_number: int | None
    series_date: date | None
    series_time: str | None
    series_description: str | None
    body_part_examined: str | None
    instance_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStudy:
    """A study for somebody who reads it.

    Attributes:
        registered: Whose it is by now, where it is bound.
        procedure: Row of requested_procedure, where it is bound.
        series: By their number, `MAX_SERIES` at most.
    """

    study_instance_uid: str
    study_date: date | None
    study_time: str | None
    accession_number: str | None
    study_description: str | None
    modalities_in_study: Sequence[str]
    series_count: int
    instance_count: int
    patient_id: str | None
    issuer_of_patient_id: str
    patient_name: str | None
    registered: int | None
    procedure: int | None
    referring_physician_name: str | None
    series: Sequence[ShownSeries]


def shown(connection: psycopg.Connection[Any], numbers: Sequence[int]) -> list[ShownStudy]:
    """Studies by our numbers, in the order of these; missing ones are left out."""
    values = {"ids": list(numbers), "limit": MAX_SERIES}
    series: dict[int, list[ShownSeries]] = {}
    for row in connection.execute(SQL["series"], values):
        series.setdefault(row[0], []).append(_series(row))
    found = {
        row[0]: _study(row, series.get(row[0], ()))
        for row in connection.execute(SQL["shown"], values)
    }
    return [found[number] for number in numbers if number in found]


def began_on(zone: ZoneInfo) -> Span:
    """The day of a study, as the clocks of a zone count days."""
    return Span.at("(s.study_date::timestamp AT TIME ZONE %s)", zone.key)


def with_series(series_instance_uid: str) -> Condition:
    """A series of it."""
    return Condition(
        "EXISTS (SELECT FROM series e WHERE e.study_fk = s.id AND e.series_instance_uid = %s)",
        (series_instance_uid,),
    )


def of_patient_id(patient_id: str, issuer_of_patient_id: str | None = None) -> Condition:
    """What its images say, as corrected; None: of any issuer."""
    number = Column("p.patient_id").equals(patient_id)
    if issuer_of_patient_id is None:
        return number
    return all_of(number, Column("p.issuer_of_patient_id").equals(issuer_of_patient_id))


def _series(row: Sequence[Any]) -> ShownSeries:
    return ShownSeries(
        series_instance_uid=row[1],
        modality=row[2],
        series_number=row[3],
        series_date=row[4],
        series_time=row[5],
        series_description=row[6],
        body_part_examined=row[7],
        instance_count=row[8],
    )


def _study(row: Sequence[Any], series: Sequence[ShownSeries]) -> ShownStudy:
    return ShownStudy(
        study_instance_uid=row[1],
        study_date=row[2],
        study_time=row[3],
        accession_number=row[4],
        study_description=row[5],
        modalities_in_study=tuple(row[6]),
        series_count=row[7],
        instance_count=row[8],
        patient_id=row[9],
        issuer_of_patient_id=row[10],
        patient_name=row[11],
        registered=row[12],
        procedure=row[13],
        referring_physician_name=row[14],
        series=tuple(series),
    )
