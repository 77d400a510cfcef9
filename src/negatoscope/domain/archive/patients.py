"""One patient with all studies, their series and instances: the patient page.

A patient is known by our own key. An identifier alone names nobody: two hospitals may have given
the same number to two persons.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from negatoscope.domain.archive.listing import COLUMNS, EVERYTHING, ListedStudy, Visible, listed
from negatoscope.infra.db import Database, load_queries

MAX_STUDIES: Final = 1_000
MAX_SERIES: Final = 2_000
"""Of all studies of one answer."""
MAX_INSTANCES: Final = 1_000
_SQL: Final = load_queries("negatoscope.domain.archive.sql", "listing.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A patient as the archive knows them.

    Attributes:
        same_identifier_count: Other patients with the same Patient ID: of another issuer, or whose
            traits cannot be those of one person.
        other_identifiers: Pairs of identifier and issuer.
    """

    patient_key: int
    patient_id: str | None
    issuer_of_patient_id: str
    patient_name: str | None
    patient_birth_date: date | None
    patient_sex: str | None
    same_identifier_count: int
    other_identifiers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSeries:
    """A series as a tile.

    Attributes:
        middle_sop_instance_uid: Of the instance in its middle, for a thumbnail; None when there is none.
    """

    study_instance_uid: str
    series_instance_uid: str
    modality: str | None
    series_number: int | None
    series_description: str | None
    body_part_examined: str | None
    station_name: str | None
    institution_name: str | None
    protocol_name: str | None
    series_date: date | None
    series_time: str | None
    instance_count: int
    byte_count: int
    middle_sop_instance_uid: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedInstance:
    """An instance as a row."""

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    instance_number: int | None
    number_of_frames: int | None
    rows: int | None
    columns: int | None
    size: int
    received_at: datetime
    key: int
    has_pixels: bool


class Patients:
    """Reads patients. One per process; safe for many threads.

    Args:
        database: The index.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def patient(
        self, key: int, *, visible: Visible = EVERYTHING
    ) -> tuple[Patient, list[ListedStudy]] | None:
        """A patient and the studies that may be known, newest first; None when there is none.

        A key from before a merge or a correction gives the patient as known now.
        """
        studies = _SQL["studies_of_patient"].format(columns=COLUMNS, scope=visible.sql)
        with self._database.connection() as connection:
            now = connection.execute(_SQL["patient_now"], {"patient": key}).fetchone()
            parameters: dict[str, Any] = {
                "patient": key if now is None or now[0] is None else now[0],
                "limit": MAX_STUDIES,
            }
            parameters.update(visible.parameters or {})
            row = connection.execute(_SQL["patient"], parameters).fetchone()
            if row is None:
                return None
            found = listed(connection.execute(studies, parameters).fetchall())
        if not found:
            return None
        return _patient(row), found

    def series(self, study_instance_uids: Sequence[str]) -> list[ListedSeries]:
        """The series of some studies, in the order of their numbers."""
        with self._database.connection() as connection:
            rows = connection.execute(
                _SQL["series_of_studies"],
                {"studies": list(study_instance_uids), "limit": MAX_SERIES},
            ).fetchall()
        return [ListedSeries(**dict(zip(_SERIES, row, strict=True))) for row in rows]

    def instances(
        self, study: str, series: str, *, after: tuple[int, int] = (-(1 << 31), 0), limit: int = 200
    ) -> list[ListedInstance]:
        """The next instances of a series, in the order of their numbers.

        Args:
            study: Study Instance UID.
            series: Series Instance UID.
            after: Instance number (2^31 - 1 without) and key of the last one seen.
            limit: At most so many.
        """
        number, key = after
        parameters: Mapping[str, Any] = {
            "study": study, "series": series, "number": number, "id": key,
            "limit": min(limit, MAX_INSTANCES),
        }  # fmt: skip
        with self._database.connection() as connection:
            rows = connection.execute(_SQL["instances_of_series"], parameters).fetchall()
        return [ListedInstance(**dict(zip(_INSTANCE, row, strict=True))) for row in rows]


_SERIES: Final = tuple(ListedSeries.__dataclass_fields__)
_INSTANCE: Final = tuple(ListedInstance.__dataclass_fields__)


def _patient(row: Sequence[Any]) -> Patient:
    return Patient(
        patient_key=row[0],
        patient_id=row[1],
        issuer_of_patient_id=row[2],
        patient_name=row[3],
        patient_birth_date=row[4],
        patient_sex=row[5],
        same_identifier_count=row[6],
        other_identifiers=tuple((one[0], one[1]) for one in row[7]),
    )
