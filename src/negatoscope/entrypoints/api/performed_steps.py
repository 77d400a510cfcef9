"""What modalities said that they did (MPPS): lists, details, what waits for a person."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar

import psycopg
from fastapi import APIRouter, Path, Query
from pydantic import Field

from negatoscope.domain.identity import Action
from negatoscope.domain.performed import mpps_desk
from negatoscope.domain.performed.errors import (
    BindingError,
    EndReasonNeeded,
    OtherPatient,
    PerformedStepChanged,
    PerformedStepOver,
    UnknownPerformedStep,
    UnknownStep,
)
from negatoscope.domain.performed.mpps import MppsState
from negatoscope.entrypoints.api.common import Asking, Schema, to
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

T = TypeVar("T")
router = APIRouter(tags=["performed steps"])
Reader = Annotated[Asking, to(Action.READ_WORK)]
Performer = Annotated[Asking, to(Action.PERFORM)]
Number = Annotated[int, Path(ge=1, lt=1 << 62)]
_Row = Annotated[int, Field(ge=1, lt=1 << 62)]
MAX_PAGE: Final = 200
PerformedState = Literal["IN PROGRESS", "COMPLETED", "DISCONTINUED"]
PerformedFlag = Literal[
    "UNSCHEDULED", "STEP UNKNOWN", "STEP DIFFERS", "PATIENT DIFFERS", "PATIENT UNKNOWN",
    "STEP CANCELED", "NOT ENDED", "WRONG ENTRY",
]  # fmt: skip


class PerformedFor(Schema):
    """A scheduled step that a performed one is for."""

    step: int
    scheduled_procedure_step_id: str
    state: str
    procedure: int
    request: int
    study_instance_uid: str
    accession_number: str


class PerformedStep(Schema):
    """One performed step."""

    id: int
    sop_instance_uid: str
    performed_procedure_step_id: str
    state: PerformedState
    performed_station_ae_title: str
    calling_ae_title: str
    modality: str
    started_at: datetime | None
    ended_at: datetime | None
    discontinuation_reason: str
    patient: int | None
    """Our number; none while nobody knows whose it is."""
    flags: list[PerformedFlag]
    """What a person should look at, until ``seen_at``."""
    series_count: int
    instance_count: int
    created_at: datetime
    updated_at: datetime
    seen_at: datetime | None
    seen_by: str
    ended_by: str
    """Who ended it in the modality's place; empty: it did so itself, or it goes on."""
    version: int
    patient_family_name: str
    patient_given_name: str
    scheduled: list[PerformedFor]


class PerformedStepPage(Schema):
    """Newest first."""

    items: list[PerformedStep]
    next_before: int | None
    """``before`` of the next page; none when there is none."""


class PerformedStepDetail(Schema):
    """With everything the modality said."""

    performed_step: PerformedStep
    data_set: dict[str, Any]
    """DICOM JSON Model (PS3.18 Annex F): doses, series, consumables."""


class PerformedStepSeen(Schema):
    """Nothing is left to do about it."""

    version: Annotated[int, Field(ge=1)]


class PerformedStepLink(Schema):
    """Which scheduled step it was for."""

    step: _Row
    version: Annotated[int, Field(ge=1)]
    is_patient_confirmed: bool = False
    """It is that patient, though it does not say so clearly."""


class PerformedStepEnd(Schema):
    """It ended, though the modality does not say so."""

    version: Annotated[int, Field(ge=1)]
    state: Literal["COMPLETED", "DISCONTINUED"]
    reason: Annotated[str, Field(max_length=500)] = ""
    """Of DISCONTINUED."""


@router.get("/performed-steps")
async def list_performed_steps(
    ask: Reader,
    *,
    state: PerformedState | None = None,
    station: Annotated[str | None, Query(max_length=16)] = None,
    step: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
    flagged: bool = False,
    before: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> PerformedStepPage:
    """Performed steps, newest first; ``flagged``: those that wait for a person."""
    title = None if station is None else station.replace("\0", "")

    def work(connection: psycopg.Connection[Any]) -> PerformedStepPage:
        found = mpps_desk.find(
            connection,
            state=state,
            station=title,
            step=step,
            is_flagged=flagged,
            before=before,
            limit=limit + 1,
        )
        return PerformedStepPage(
            items=[PerformedStep.model_validate(one) for one in found[:limit]],
            next_before=found[limit - 1].id if len(found) > limit else None,
        )

    found = await _done(ask, work)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return found


@router.get("/performed-steps/{number}")
async def get_performed_step(ask: Reader, number: Number) -> PerformedStepDetail:
    """One, with its data set."""

    def work(connection: psycopg.Connection[Any]) -> PerformedStepDetail:
        found, data_set = mpps_desk.get(connection, number)
        return PerformedStepDetail(
            performed_step=PerformedStep.model_validate(found), data_set=data_set
        )

    found = await _done(ask, work)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return found


@router.post("/performed-steps/{number}/seen")
async def mark_performed_step_seen(
    ask: Performer, number: Number, said: PerformedStepSeen
) -> PerformedStep:
    """Say that nothing is left to do about it."""
    source = f"user:{ask.actor.name}"
    found = await _done(
        ask, lambda c: mpps_desk.mark_seen(c, number, source=source, version=said.version)
    )
    await ask.note("performed step seen", performed_step=number)
    return PerformedStep.model_validate(found)


@router.post("/performed-steps/{number}/end")
async def end_performed_step(
    ask: Performer, number: Number, said: PerformedStepEnd
) -> PerformedStep:
    """End it in the modality's place; the steps it is for follow. What the modality says later still counts."""
    source = f"user:{ask.actor.name}"
    found = await _done(
        ask,
        lambda c: mpps_desk.end(
            c,
            number,
            MppsState(said.state),
            source=source,
            version=said.version,
            reason=said.reason,
        ),
    )
    await ask.note("end performed step", performed_step=number, state=said.state)
    return PerformedStep.model_validate(found)


@router.post("/performed-steps/{number}/links")
async def link_performed_step(
    ask: Performer, number: Number, said: PerformedStepLink
) -> PerformedStep:
    """Say which scheduled step it was for; that one goes where the performed one is."""
    source = f"user:{ask.actor.name}"
    found = await _done(
        ask,
        lambda c: mpps_desk.link(
            c,
            number,
            said.step,
            source=source,
            version=said.version,
            is_patient_confirmed=said.is_patient_confirmed,
        ),
    )
    await ask.note("link performed step", performed_step=number, step=said.step)
    return PerformedStep.model_validate(found)


async def _done(ask: Asking, work: Callable[[psycopg.Connection[Any]], T]) -> T:
    def run() -> T:
        with ask.services.database.connection() as connection:
            return work(connection)

    try:
        return await run_blocking(run)
    except BindingError as error:
        raise _refusal(error) from error


def _refusal(error: BindingError) -> Problem:
    detail = error.message[:1].upper() + error.message[1:]
    detail = f"{detail}; {error.hint}" if error.hint else f"{detail}."
    match error:
        case UnknownPerformedStep() | UnknownStep():
            return Problem("not-found", detail=detail)
        case PerformedStepChanged():
            return Problem("stale-version", detail=detail)
        case EndReasonNeeded():
            return Problem("invalid-input", detail=detail)
        case OtherPatient() | PerformedStepOver():
            return Problem("conflict", detail=detail)
    return Problem("conflict", detail=detail)
