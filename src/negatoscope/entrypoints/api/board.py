"""The department board: the day's steps with what is known of each, as they change."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from negatoscope.domain.identity import Action
from negatoscope.domain.orders import ProcedureState, RequestState, StepState
from negatoscope.domain.performed import Board, BoardFilter, Changed, Flag
from negatoscope.entrypoints.api.common import Ask, Schema
from negatoscope.entrypoints.api.streams import BOARD
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking
from negatoscope.kit.days import day_bounds

router = APIRouter(tags=["department board"])
Priority = Literal["STAT", "HIGH", "ROUTINE", "MEDIUM", "LOW"]
_Modality = Annotated[str, Query(min_length=1, max_length=16, pattern=r"^[A-Z0-9_ ]*$")]
_Number = Annotated[int, Query(ge=1, lt=1 << 62)]
_FILTERED = Query(max_length=50)
_CHANGED = Query(max_length=500)
_FIRST_DAY = date(1900, 1, 1)
_LAST_DAY = date(9000, 1, 1)


class Name(Schema):
    """Of a person."""

    family: str
    given: str


class StepNote(Schema):
    """What somebody tells the others about a step."""

    id: int
    text: str
    noted_at: datetime
    noted_by: str


class BoardRow(Schema):
    """A scheduled procedure step; numbers named after a thing are ours of it."""

    step: int
    scheduled_procedure_step_id: str
    version: int
    state: StepState
    modality: str
    description: str
    start_at: datetime
    end_at: datetime | None
    arrived_at: datetime | None
    identity_checked_at: datetime | None
    identity_checked_by: str
    started_at: datetime | None
    ended_at: datetime | None
    scheduled_station_ae_title: str
    requested_contrast_agent: str
    procedure: int
    requested_procedure_id: str
    study_instance_uid: str
    procedure_state: ProcedureState
    vetting: str
    has_protocol: bool
    procedure_name: str
    label_fr: str
    label_en: str
    request: int
    accession_number: str
    priority: str
    request_state: RequestState
    requesting_service: str
    current_patient_location: str
    patient_transport: str
    has_clinical_question: bool
    patient: int
    birth_name: Name
    used_name: Name
    birth_date: str
    """``YYYY[MM[DD]]``: parts of it may be unknown."""
    sex: str
    identity_status: str
    identity_attributes: list[str]
    is_deceased: bool
    patient_id: str
    patient_id_authority: str
    appointment: int | None
    appointment_state: str | None
    is_overbooked: bool
    room: int | None
    room_name: str
    room_location: str
    device: int | None
    device_name: str
    series_count: int
    instance_count: int
    """Images that the archive has of the procedure."""
    study_instance_uids: list[str]
    mpps_state: str | None
    mpps_started_at: datetime | None
    mpps_ended_at: datetime | None
    mpps_instance_count: int
    mpps_is_overdue: bool
    notes: list[StepNote]
    """What people tell the others, oldest first."""
    safety_waiting: list[str]
    """Questions without an answer."""
    safety_blocking: list[str]
    """Questions whose answer forbids to go on."""
    delay_min: int | None
    flags: list[Flag]


class UnorderedStudy(Schema):
    """Images that belong to no order."""

    study_instance_uid: str
    reason: str
    first_arrival_at: datetime
    accession_number: str | None
    study_description: str | None
    modalities_in_study: list[str]
    series_count: int
    instance_count: int
    patient_key: int
    patient_name: str | None
    patient_birth_date: date | None
    patient_sex: str | None


class BoardPlace(Schema):
    """A room, or a device in one."""

    id: int
    kind: Literal["ROOM", "DEVICE"]
    name: str
    location: str
    modality: str
    room: int | None
    ae_title: str


class BoardDay(Schema):
    """What a board shows."""

    day: date
    time_zone: str
    now: datetime
    """The server's clock: delays are counted from it."""
    rows: list[BoardRow]
    unordered: list[UnorderedStudy]
    is_cut: bool
    """There are more rows than are given: ask for fewer."""


@router.get("/board")
async def get_board(
    ask: Ask,
    *,
    day: date | None = None,
    modality: Annotated[list[_Modality] | None, _FILTERED] = None,
    state: Annotated[list[StepState] | None, _FILTERED] = None,
    priority: Annotated[list[Priority] | None, _FILTERED] = None,
    room: Annotated[list[_Number] | None, _FILTERED] = None,
    device: Annotated[list[_Number] | None, _FILTERED] = None,
    unit: Annotated[str, Query(max_length=100)] = "",
    text: Annotated[str, Query(max_length=200)] = "",
    canceled: bool = False,
    changed: bool = False,
    changed_step: Annotated[list[_Number] | None, _CHANGED] = None,
    changed_procedure: Annotated[list[_Number] | None, _CHANGED] = None,
    changed_request: Annotated[list[_Number] | None, _CHANGED] = None,
    changed_appointment: Annotated[list[_Number] | None, _CHANGED] = None,
) -> BoardDay:
    """The steps of a day, today without one; with ``changed`` those of them only that belong to one of ``changed_…``."""
    ask.require(Action.READ_WORK)
    zone = ask.services.settings.zone
    now = datetime.now(zone)
    wanted_day = day or now.date()
    if not _FIRST_DAY <= wanted_day <= _LAST_DAY:
        raise Problem("bad-query", detail="The day is too far away.")
    begins, ends = day_bounds(wanted_day, zone)
    wanted = BoardFilter(
        begins=begins,
        ends=ends,
        modality=modality,
        state=state,
        priority=priority,
        room=room,
        device=device,
        unit=unit.replace("\0", ""),
        text=text.replace("\0", ""),
        has_canceled=canceled,
        only=Changed(
            steps=changed_step or (),
            procedures=changed_procedure or (),
            requests=changed_request or (),
            appointments=changed_appointment or (),
        )
        if changed
        else None,
    )
    found = await run_blocking(Board(ask.services.database).day, wanted, now=now)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return BoardDay(
        day=wanted_day,
        time_zone=zone.key,
        now=now,
        rows=[BoardRow.model_validate(one) for one in found.rows],
        unordered=[UnorderedStudy.model_validate(one) for one in found.unordered],
        is_cut=found.is_cut,
    )


@router.get("/board/places")
async def list_board_places(ask: Ask) -> list[BoardPlace]:
    """Rooms and devices by which the board can be filtered."""
    ask.require(Action.READ_WORK)
    places = await run_blocking(Board(ask.services.database).places)
    return [BoardPlace.model_validate(one) for one in places]


@router.get(
    "/board/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`board`: `{changes: [{request, procedure, step, appointment, kind}],"
            " studies: [{study_instance_uid, count}]}`; `resync`: read again what is shown,"
            " something was missed; `end`: sign in again.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def get_board_events(
    ask: Ask, last_event_id: Annotated[str | None, Header(max_length=40)] = None
) -> StreamingResponse:
    """A stream that tells what changed and which images came; for EventSource, which asks for it."""
    ask.require(Action.READ_WORK)
    if "text/event-stream" not in (ask.request.header(b"accept") or ""):
        raise Problem("not-acceptable", detail="Only text/event-stream can be given.")
    stream = ask.streams.open(ask.request, BOARD, last_event_id)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
