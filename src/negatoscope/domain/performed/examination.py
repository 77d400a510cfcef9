"""One examination: a requested procedure, what was planned and done for it, and the patient's others."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final

from negatoscope.domain.orders import ProcedureState, RequestState, StepState
from negatoscope.infra.db import Database, load_queries

_SQL: Final = load_queries("negatoscope.domain.performed.sql", "examination.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationHead:
    """The procedure and its order."""

    procedure: int
    version: int
    requested_procedure_id: str
    study_instance_uid: str
    state: ProcedureState
    vetting: str
    vetting_reason: str
    vetted_by: str
    vetted_at: datetime | None
    protocol: str
    procedure_name: str
    label_fr: str
    label_en: str
    code_value: str
    coding_scheme_designator: str
    modality: str
    duration_min: int
    preparation_fr: str
    preparation_en: str
    request: int
    accession_number: str
    request_state: RequestState
    priority: str
    patient: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationStep:
    """A scheduled procedure step, with its appointment."""

    step: int
    version: int
    scheduled_procedure_step_id: str
    state: StepState
    modality: str
    description: str
    protocol_codes: Sequence[dict[str, str]]
    start_at: datetime | None
    end_at: datetime | None
    arrived_at: datetime | None
    identity_checked_at: datetime | None
    identity_checked_by: str
    started_at: datetime | None
    ended_at: datetime | None
    scheduled_station_ae_title: str
    device_name: str
    room_name: str
    room_location: str
    requested_contrast_agent: str
    acquired_with: int | None
    appointment: int | None
    appointment_state: str | None
    appointment_note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformedStep:
    """What a modality said that it did (MPPS)."""

    id: int
    sop_instance_uid: str
    performed_procedure_step_id: str
    state: str
    performed_station_ae_title: str
    modality: str
    started_at: datetime | None
    ended_at: datetime | None
    discontinuation_reason: str
    series_count: int
    instance_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherExamination:
    """Another procedure of the same patient.

    Attributes:
        at: When it began, else was planned, wished or ordered.
    """

    procedure: int
    procedure_name: str
    label_fr: str
    label_en: str
    modality: str
    state: ProcedureState
    accession_number: str
    at: datetime
    instance_count: int
    study_instance_uids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherStudy:
    """A study of the same patient that belongs to no procedure."""

    study_instance_uid: str
    study_description: str
    modalities_in_study: Sequence[str]
    accession_number: str | None
    study_date: date | None
    instance_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """Everything of one examination but the order's own words and history."""

    head: ExaminationHead
    steps: tuple[ExaminationStep, ...]
    performed: tuple[PerformedStep, ...]
    study_instance_uids: tuple[str, ...]
    others: tuple[OtherExamination, ...]
    unordered: tuple[OtherStudy, ...]


class Examinations:
    """Reads examinations. One per process; safe for many threads.

    Args:
        database: Where orders, appointments and the index are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, procedure: int) -> Examination | None:
        """The examination of a requested procedure; None when there is none."""
        with self._database.connection() as connection:

            def rows(name: str, **more: object) -> list[tuple[Any, ...]]:
                values = {"procedure": procedure, **more}
                return connection.execute(_SQL[name], values).fetchall()

            found = rows("head")
            if not found:
                return None
            head = _made(ExaminationHead, found[0])
            uid, patient = head.study_instance_uid, head.patient
            return Examination(
                head=head,
                steps=tuple(_made(ExaminationStep, one) for one in rows("steps")),
                performed=tuple(_made(PerformedStep, one) for one in rows("performed")),
                study_instance_uids=tuple(
                    sorted(one[0] for one in rows("studies", study_instance_uid=uid))
                ),
                others=tuple(
                    _made(OtherExamination, one) for one in rows("others", patient=patient)
                ),
                unordered=tuple(
                    _made(OtherStudy, one) for one in rows("unordered", patient=patient)
                ),
            )


def _made(kind: Any, row: Sequence[Any]) -> Any:
    names = [one.name for one in fields(kind)]
    return kind(**dict(zip(names, row, strict=True)))
