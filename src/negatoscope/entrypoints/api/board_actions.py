"""What people say on the board: arrived, checked, ready, begun, ended; safety questions; walk-ins."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import psycopg
from fastapi import APIRouter, Path
from pydantic import Field

from negatoscope.domain.identity import Action
from negatoscope.domain.orders import (
    Answer,
    InvalidOrder,
    Numbering,
    NumberTaken,
    OrderDetails,
    OrderError,
    OrderOnHold,
    Priority,
    Question,
    SafetyBlocked,
    StaleOrder,
    TransitionRefused,
    UnknownCatalogueEntry,
    UnknownOrder,
    VettingNeeded,
    safety,
)
from negatoscope.domain.performed import (
    ActionError,
    IdentityDocument,
    IdentityUnchecked,
    NoteRefused,
    ReasonNeeded,
    actions,
)
from negatoscope.entrypoints.api.common import Asking, Schema, to
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

T = TypeVar("T")
router = APIRouter(tags=["department board"])
Performer = Annotated[Asking, to(Action.PERFORM)]
Vetter = Annotated[Asking, to(Action.VET)]
Number = Annotated[int, Path(ge=1, lt=1 << 62)]
_Reason = Annotated[str, Field(max_length=1000)]
StepActionName = Literal["arrive", "identity", "ready", "start", "end", "discontinue", "undo"]


class StepAction(Schema):
    """What is said of a step."""

    action: StepActionName
    version: Annotated[int, Field(ge=1)] | None = None
    """Of the step, as it was shown; an older one is refused."""
    document: IdentityDocument | None = None
    """Of ``identity``: what the patient was compared with."""
    reason: _Reason = ""
    """Of ``discontinue``; of ``start`` when nobody checked the identity."""


class StepDone(Schema):
    """What came of it."""

    is_changed: bool
    safety_blocking: list[Question]
    """Questions that keep the examination from going on."""


class NewNote(Schema):
    """What the others should know about a step."""

    text: Annotated[str, Field(min_length=1, max_length=actions.MAX_NOTE)]


class NoteMade(Schema):
    """The note."""

    id: int


class DeviceChoice(Schema):
    """Another device for a step."""

    device: Annotated[int, Field(ge=1, lt=1 << 62)]
    version: Annotated[int, Field(ge=1)] | None = None


class SafetyReply(Schema):
    """The answer to a safety question."""

    question: Question
    answer: Answer | None = None
    value: Annotated[Decimal, Field(gt=0, le=200)] | None = None
    """Of RENAL_FUNCTION: eGFR, mL/min/1.73 m²."""
    detail: _Reason = ""


class SafetyReplies(Schema):
    """Several at once."""

    replies: Annotated[list[SafetyReply], Field(min_length=1, max_length=10)]


class SafetyClearance(Schema):
    """A radiologist lets it go on in spite of an answer; without a reason that is taken back."""

    question: Question
    reason: _Reason = ""


class SafetyState(Schema):
    """One question as it stands."""

    question: Question
    answer: Answer | None
    value: Decimal | None
    detail: str
    answered_by: str
    answered_at: datetime | None
    cleared_by: str
    cleared_reason: str
    is_blocking: bool


class UrgentExamination(Schema):
    """Somebody who comes without appointment."""

    patient: Annotated[int, Field(ge=1, lt=1 << 62)]
    procedure: Annotated[int, Field(ge=1, lt=1 << 62)]
    """Of the catalogue."""
    device: Annotated[int, Field(ge=1, lt=1 << 62)] | None = None
    priority: Priority = Priority.STAT
    clinical_question: Annotated[str, Field(max_length=2000)] = ""
    requesting_service: Annotated[str, Field(max_length=64)] = ""
    current_patient_location: Annotated[str, Field(max_length=64)] = ""
    patient_transport: Literal["", "WALK", "CHAIR", "BED", "PORTABLE"] = ""


class UrgentMade(Schema):
    """The order and its steps."""

    request: int
    steps: list[int]


@router.post("/board/steps/{step}/actions")
async def act_on_step(ask: Performer, step: Number, said: StepAction) -> StepDone:
    """Say that a patient arrived, was checked, that an examination began or ended; or take the last back."""
    source = f"user:{ask.actor.name}"
    document = said.document
    if said.action == "identity" and document is None:
        raise Problem("invalid-input", detail="An identity check says what was compared.")

    def work(connection: psycopg.Connection[Any]) -> StepDone:
        version = said.version
        match said.action:
            case "arrive":
                done = actions.arrive(connection, step, source=source, version=version)
            case "identity":
                assert document is not None  # noqa: S101 - looked at above
                done = actions.check_identity(
                    connection, step, document, source=source, version=version
                )
            case "ready":
                done = actions.ready(connection, step, source=source, version=version)
            case "start":
                done = actions.start(
                    connection,
                    step,
                    source=source,
                    version=version,
                    unchecked_reason=said.reason,
                )
            case "end":
                done = actions.end(connection, step, source=source, version=version)
            case "discontinue":
                done = actions.discontinue(
                    connection, step, reason=said.reason, source=source, version=version
                )
            case "undo":
                done = actions.undo(connection, step, source=source, version=version)
        return StepDone(
            is_changed=done,
            safety_blocking=list(actions.blocking(connection, step)),
        )

    found = await _done(ask, work)
    await ask.note("step " + said.action, step=step)
    return found


@router.post("/board/steps/{step}/notes", status_code=201)
async def add_step_note(ask: Performer, step: Number, wanted: NewNote) -> NoteMade:
    """Tell the others something about a step."""
    source = f"user:{ask.actor.name}"
    note = await _done(
        ask, lambda connection: actions.add_note(connection, step, wanted.text, source=source)
    )
    await ask.note("note on step", step=step, note=note)
    return NoteMade(id=note)


@router.delete("/board/steps/{step}/notes/{note}", status_code=204)
async def remove_step_note(ask: Performer, step: Number, note: Number) -> None:
    """Take a note away."""
    source = f"user:{ask.actor.name}"
    await _done(ask, lambda connection: actions.remove_note(connection, step, note, source=source))
    await ask.note("remove note of step", step=step, note=note)


@router.put("/board/steps/{step}/device", status_code=204)
async def assign_device(ask: Performer, step: Number, choice: DeviceChoice) -> None:
    """Have a step done on another device."""
    source = f"user:{ask.actor.name}"
    await _done(
        ask,
        lambda connection: actions.assign_device(
            connection, step, choice.device, source=source, version=choice.version
        ),
    )
    await ask.note("assign device", step=step, device=choice.device)


@router.get("/board/requests/{request}/safety")
async def get_safety(
    ask: Annotated[Asking, to(Action.READ_WORK)], request: Number
) -> list[SafetyState]:
    """The safety questions of an order, with what was answered."""
    found = await _done(ask, lambda connection: _safety(connection, request))
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return found


@router.put("/board/requests/{request}/safety")
async def answer_safety(ask: Performer, request: Number, given: SafetyReplies) -> list[SafetyState]:
    """Answer safety questions; an earlier answer and its clearance go."""

    def work(connection: psycopg.Connection[Any]) -> list[SafetyState]:
        for one in given.replies:
            safety.answer(
                connection,
                request,
                one.question,
                source=f"user:{ask.actor.name}",
                answer=one.answer,
                value=one.value,
                detail=one.detail.replace("\0", ""),
            )
        return _safety(connection, request)

    found = await _done(ask, work)
    await ask.note("answer safety questions", request=request)
    return found


@router.post("/board/requests/{request}/safety/clearances")
async def clear_safety(ask: Vetter, request: Number, given: SafetyClearance) -> list[SafetyState]:
    """Let an order go on in spite of an answer."""

    def work(connection: psycopg.Connection[Any]) -> list[SafetyState]:
        safety.clear(
            connection,
            request,
            given.question,
            reason=given.reason.replace("\0", "").strip(),
            source=f"user:{ask.actor.name}",
        )
        return _safety(connection, request)

    found = await _done(ask, work)
    await ask.note("clear safety question", request=request, question=given.question)
    return found


@router.post("/board/urgent", status_code=201)
async def add_urgent_examination(ask: Performer, wanted: UrgentExamination) -> UrgentMade:
    """Make an order for somebody who comes without appointment; its steps are for now."""
    ask.require(Action.ORDER)
    details = OrderDetails(
        priority=wanted.priority,
        clinical_question=wanted.clinical_question.replace("\0", ""),
        requesting_service=wanted.requesting_service.replace("\0", ""),
        current_patient_location=wanted.current_patient_location.replace("\0", ""),
        patient_transport=wanted.patient_transport,
    )
    given = ask.services.settings.orders
    numbering = Numbering(
        pattern=given.accession_number_pattern, issuer=given.issuer_of_accession_number
    )
    request, steps = await _done(
        ask,
        lambda connection: actions.add_urgent(
            connection,
            patient=wanted.patient,
            catalogue=wanted.procedure,
            device=wanted.device,
            details=details,
            numbering=numbering,
            source=f"user:{ask.actor.name}",
            now=datetime.now(UTC),
        ),
    )
    await ask.note("add urgent examination", request=request, patient=wanted.patient)
    return UrgentMade(request=request, steps=steps)


def _safety(connection: psycopg.Connection[Any], request: int) -> list[SafetyState]:
    given = safety.answers(connection, request)
    blocking = safety.blocking(connection, request)
    found: list[SafetyState] = []
    for question in safety.asked(connection, request):
        one = given.get(question)
        found.append(
            SafetyState(
                question=question,
                answer=one.answer if one else None,
                value=one.value if one else None,
                detail=one.detail if one else "",
                answered_by=one.answered_by if one else "",
                answered_at=one.answered_at if one else None,
                cleared_by=one.cleared_by if one else "",
                cleared_reason=one.cleared_reason if one else "",
                is_blocking=question in blocking,
            )
        )
    return found


async def _done(ask: Asking, work: Callable[[psycopg.Connection[Any]], T]) -> T:
    def run() -> T:
        with ask.services.database.connection() as connection:
            return work(connection)

    try:
        return await run_blocking(run)
    except (ActionError, OrderError) as error:
        raise _refusal(error) from error
    except psycopg.errors.ForeignKeyViolation as error:
        raise Problem("patient-not-found") from error


def _refusal(error: ActionError | OrderError) -> Problem:
    detail = error.message[:1].upper() + error.message[1:]
    detail = f"{detail}; {error.hint}" if error.hint else f"{detail}."
    match error:
        case SafetyBlocked():
            return Problem(
                "safety-questions", detail=detail, extra={"questions": list(error.questions)}
            )
        case IdentityUnchecked():
            return Problem("identity-unchecked", detail=detail)
        case VettingNeeded():
            return Problem("vetting-needed", detail=detail)
        case StaleOrder():
            return Problem("stale-version", detail=detail)
        case UnknownOrder() | UnknownCatalogueEntry():
            return Problem("not-found", detail=detail)
        case InvalidOrder() | ReasonNeeded() | NoteRefused():
            return Problem("invalid-input", detail=detail)
        case TransitionRefused() | OrderOnHold() | NumberTaken():
            return Problem("conflict", detail=detail)
    return Problem("conflict", detail=detail)
