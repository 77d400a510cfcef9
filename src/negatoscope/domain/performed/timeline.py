"""What was asked for and done for a patient across time: procedures with their studies, studies without an order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import psycopg

from negatoscope.infra.db import load_queries

SQL: Final = load_queries("negatoscope.domain.performed.sql", "timeline.sql")
MAX_ENTRIES: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineStudy:
    """A study of the archive.

    Attributes:
        patient_key: Of the archive's patient it is shown under.
    """

    study_instance_uid: str
    study_date: date | None
    study_time: str | None
    study_description: str
    modalities_in_study: tuple[str, ...]
    accession_number: str
    series_count: int
    instance_count: int
    patient_key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """A requested procedure with its studies, or studies that no order asked for.

    Attributes:
        at: When it was or will be done; of a procedure without appointment None.
        asked_at: When it was asked for.
        procedure, request: Our numbers; None of a study without order.
        step_state: How far the examination is.
    """

    at: datetime | None
    day: date | None
    asked_at: datetime | None = None
    procedure: int | None = None
    request: int | None = None
    accession_number: str = ""
    priority: str = ""
    request_state: str = ""
    procedure_state: str = ""
    step_state: str = ""
    label: str
    label_fr: str = ""
    label_en: str = ""
    modality: str = ""
    requesting_service: str = ""
    ended_at: datetime | None = None
    studies: tuple[TimelineStudy, ...] = ()


def of_patients(
    connection: psycopg.Connection[Any], numbers: Sequence[int], *, limit: int = MAX_ENTRIES
) -> list[TimelineEntry]:
    """The timeline of one patient, whose files are these; procedures first, then studies without one.

    Args:
        connection: Reading.
        numbers: The patient's file and those that ended in it.
        limit: Of procedures, and of studies; the latest.
    """
    values = {"patients": list(numbers), "limit": limit}
    studies = [(_study(row), row[9]) for row in connection.execute(SQL["studies"], values)]
    entries: list[TimelineEntry] = []
    taken: set[str] = set()
    for row in connection.execute(SQL["procedures"], values):
        own = tuple(
            one
            for one, procedure in studies
            if procedure == row[0] or (procedure is None and one.study_instance_uid == row[10])
        )
        taken |= {one.study_instance_uid for one in own}
        entries.append(_entry(row, own))
    entries += [
        TimelineEntry(
            at=None,
            day=one.study_date,
            accession_number=one.accession_number,
            label=one.study_description,
            modality=one.modalities_in_study[0] if one.modalities_in_study else "",
            studies=(one,),
        )
        for one, _ in studies
        if one.study_instance_uid not in taken
    ]
    return entries


def _study(row: Sequence[Any]) -> TimelineStudy:
    return TimelineStudy(
        study_instance_uid=row[0],
        study_date=row[1],
        study_time=row[2],
        study_description=row[3],
        modalities_in_study=tuple(row[4]),
        accession_number=row[5],
        series_count=row[6],
        instance_count=row[7],
        patient_key=row[8],
    )


def _entry(row: Sequence[Any], studies: tuple[TimelineStudy, ...]) -> TimelineEntry:
    at = row[15] or row[14]
    day = at.date() if at is not None else (studies[0].study_date if studies else None)
    return TimelineEntry(
        at=at,
        day=day,
        asked_at=row[12],
        procedure=row[0],
        request=row[1],
        accession_number=row[2],
        priority=row[3],
        request_state=row[4],
        procedure_state=row[5],
        step_state=row[13] or "",
        label=row[6],
        label_fr=row[7],
        label_en=row[8],
        modality=row[9],
        requesting_service=row[11],
        ended_at=row[16],
        studies=studies,
    )
