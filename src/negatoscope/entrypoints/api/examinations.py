"""The examination page: a requested procedure with what was planned, done and sent for it."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path

from negatoscope.domain.identity import Action
from negatoscope.domain.orders import ProcedureState, RequestState, StepState
from negatoscope.domain.performed import Examinations
from negatoscope.entrypoints.api.common import Asking, Schema, to
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["examinations"])
Number = Annotated[int, Path(ge=1, lt=1 << 62)]


class ExaminationHead(Schema):
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


class ExaminationStep(Schema):
    """A scheduled procedure step, with its appointment."""

    step: int
    version: int
    scheduled_procedure_step_id: str
    state: StepState
    modality: str
    description: str
    protocol_codes: list[dict[str, str]]
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


class PerformedStep(Schema):
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


class ExaminationSeries(Schema):
    """A series that belongs to it, as a tile."""

    study_instance_uid: str
    series_instance_uid: str
    modality: str | None
    series_number: int | None
    series_description: str | None
    instance_count: int
    middle_sop_instance_uid: str | None


class OtherExamination(Schema):
    """Another procedure of the same patient."""

    procedure: int
    procedure_name: str
    label_fr: str
    label_en: str
    modality: str
    state: ProcedureState
    accession_number: str
    at: datetime
    instance_count: int
    study_instance_uids: list[str]


class OtherStudy(Schema):
    """A study of the same patient that belongs to no procedure."""

    study_instance_uid: str
    study_description: str
    modalities_in_study: list[str]
    accession_number: str | None
    study_date: date | None
    instance_count: int


class ExaminationFile(Schema):
    """Everything of one examination; the order's words, safety answers and history are at its order."""

    time_zone: str
    head: ExaminationHead
    steps: list[ExaminationStep]
    performed: list[PerformedStep]
    study_instance_uids: list[str]
    series: list[ExaminationSeries]
    others: list[OtherExamination]
    """Newest first."""
    unordered: list[OtherStudy]
    """Studies of the patient that belong to no procedure, newest first."""


@router.get("/examinations/{procedure}")
async def get_examination(
    ask: Annotated[Asking, to(Action.READ_WORK)], procedure: Number
) -> ExaminationFile:
    """One examination."""
    found = await run_blocking(Examinations(ask.services.database).get, procedure)
    if found is None:
        raise Problem("not-found")
    uids = found.study_instance_uids
    series = await run_blocking(ask.patients.series, uids) if uids else []
    await ask.note("read examination", procedure=procedure)
    return ExaminationFile(
        time_zone=ask.services.settings.zone.key,
        head=ExaminationHead.model_validate(found.head),
        steps=[ExaminationStep.model_validate(one) for one in found.steps],
        performed=[PerformedStep.model_validate(one) for one in found.performed],
        study_instance_uids=list(uids),
        series=[
            ExaminationSeries(
                study_instance_uid=one.study_instance_uid,
                series_instance_uid=one.series_instance_uid,
                modality=one.modality,
                series_number=one.series_number,
                series_description=one.series_description,
                instance_count=one.instance_count,
                middle_sop_instance_uid=one.middle_sop_instance_uid,
            )
            for one in series
        ],
        others=[OtherExamination.model_validate(one) for one in found.others],
        unordered=[OtherStudy.model_validate(one) for one in found.unordered],
    )
