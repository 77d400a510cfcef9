"""One study with its series, and what there is in all; lists are in `listing`."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from negatoscope.infra.db import Database, load_queries

_SQL = load_queries("negatoscope.domain.archive.sql", "overview.sql")
_KEPT_TIMES = 30
"""Totals are kept for so many times as long as counting took."""
_KEPT_MIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySummary:
    """A study with its counts."""

    study_instance_uid: str
    study_date: date | None
    study_time: str | None
    study_description: str | None
    accession_number: str | None
    modalities_in_study: tuple[str, ...]
    series_count: int
    instance_count: int
    byte_count: int
    patient_name: str | None
    patient_id: str | None
    patient_birth_date: date | None
    patient_sex: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSummary:
    """A series with its counts."""

    series_instance_uid: str
    modality: str | None
    series_number: int | None
    series_description: str | None
    body_part_examined: str | None
    station_name: str | None
    instance_count: int
    byte_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDetail:
    """A study with its series, in the order of their numbers; when its last object arrived."""

    summary: StudySummary
    referring_physician_name: str | None
    received_at: datetime | None
    series: tuple[SeriesSummary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the archive holds."""

    study_count: int
    series_count: int
    instance_count: int
    byte_count: int
    modalities: tuple[str, ...]


class Overview:
    """Reads the overview. One per process; safe for many threads.

    Args:
        database: The index.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._totals: Totals | None = None
        self._totals_until_s = 0.0

    def study(self, study_instance_uid: str) -> StudyDetail | None:
        """One study."""
        with self._database.connection() as connection:
            row = connection.execute(_SQL["study"], {"study": study_instance_uid}).fetchone()
            if row is None:
                return None
            series = connection.execute(_SQL["series_of_study"], {"study": row[15]}).fetchall()
        return StudyDetail(
            summary=_summary(row),
            referring_physician_name=row[13],
            received_at=row[14],
            series=tuple(
                SeriesSummary(
                    series_instance_uid=one[0],
                    modality=one[1],
                    series_number=one[2],
                    series_description=one[3],
                    body_part_examined=one[4],
                    station_name=one[5],
                    instance_count=one[6],
                    byte_count=one[7],
                )
                for one in series
            ),
        )

    def totals(self) -> Totals:
        """Counts over everything; the longer counting takes, the older they may be."""
        with self._lock:
            if self._totals is not None and time.monotonic() < self._totals_until_s:
                return self._totals
        started_s = time.monotonic()
        with self._database.connection() as connection:
            row = connection.execute(_SQL["totals"]).fetchone() or (0, 0, 0, 0)
            modalities = connection.execute(_SQL["modalities"]).fetchall()
        totals = Totals(
            study_count=row[0],
            series_count=row[1],
            instance_count=row[2],
            byte_count=row[3],
            modalities=tuple(one[0] for one in modalities if one[0]),
        )
        now_s = time.monotonic()
        with self._lock:
            self._totals = totals
            self._totals_until_s = now_s + max((now_s - started_s) * _KEPT_TIMES, _KEPT_MIN_S)
        return totals


def _summary(row: Sequence[Any]) -> StudySummary:
    return StudySummary(
        study_instance_uid=row[0],
        study_date=row[1],
        study_time=row[2],
        study_description=row[3],
        accession_number=row[4],
        modalities_in_study=tuple(row[5]),
        series_count=row[6],
        instance_count=row[7],
        byte_count=row[8],
        patient_name=row[9],
        patient_id=row[10],
        patient_birth_date=row[11],
        patient_sex=row[12],
    )
