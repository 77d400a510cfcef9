"""Emergency access: opened with a reason, shown while it lasts, reviewed afterwards."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, model_validator

from negatoscope.domain.identity import Action, break_glass, sessions
from negatoscope.domain.identity.errors import (
    AmbiguousPatient,
    ReasonNeeded,
    TooManyBreaks,
    UnknownPatient,
)
from negatoscope.entrypoints.api.common import Asking, Own, Schema, to
from negatoscope.entrypoints.api.me import Number, own
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers.audit import Outcome

router = APIRouter(prefix="/break-glass", tags=["break-glass"])
Breaker = Annotated[Asking, to(Action.BREAK_GLASS)]
Reviewer = Annotated[Asking, to(Action.READ_AUDIT)]
_UID = r"^[0-9.]{1,64}$"


class NewBreak(Schema):
    """Whose file, and why: a study's patient, or an identifier that is one person's only."""

    reason: Annotated[str, Field(max_length=1000)]
    study_instance_uid: Annotated[str, Field(pattern=_UID)] | None = None
    patient_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    issuer_of_patient_id: Annotated[str, Field(max_length=64)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "NewBreak":
        if (self.study_instance_uid is None) == (self.patient_id is None):
            raise ValueError("a study or a patient identifier")
        return self


class Break(Schema):
    """An emergency access."""

    id: int
    user_name: str
    user_display_name: str
    patient_id: str | None
    issuer_of_patient_id: str
    study_instance_uid: str | None
    reason: str
    peer: str
    started_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    reviewed_at: datetime | None
    reviewed_by: str | None
    review: str | None


class Seen(Schema):
    """What was done with a study of that patient."""

    study_instance_uid: str
    action: str
    first_at: datetime
    last_at: datetime
    count: int


class BreakDetail(Schema):
    """An emergency access with what was seen."""

    access: Break
    seen: list[Seen]


class Review(Schema):
    """What the reviewer says."""

    comment: Annotated[str, Field(min_length=1, max_length=1000)]


@router.post("", status_code=201)
async def open_file(ask: Breaker, given: NewBreak) -> Break:
    """Open a patient's file for a while, with a reason; a session is needed."""
    session = own(ask)
    identity = ask.services.settings.identity
    try:
        made = await run_blocking(
            break_glass.open_file,
            ask.services.database,
            user_id=session.actor.user_id or 0,
            reason=given.reason,
            lasts_s=identity.break_glass_s,
            per_hour=identity.break_glass_per_hour,
            study_instance_uid=given.study_instance_uid,
            patient_id=given.patient_id,
            issuer_of_patient_id=given.issuer_of_patient_id,
            peer=ask.request.peer,
        )
    except ReasonNeeded as error:
        raise Problem(
            "reason-needed", detail=f"{error.message[:1].upper()}{error.message[1:]}."
        ) from error
    except UnknownPatient as error:
        raise Problem("not-found") from error
    except AmbiguousPatient as error:
        raise Problem("ambiguous-patient") from error
    except TooManyBreaks as error:
        await ask.services.access.note(ask.request, Action.BREAK_GLASS, outcome=Outcome.REFUSED)
        raise Problem("too-many-breaks", retry_after_s=3600) from error
    sessions.forget_all(ask.services.database)
    await ask.services.access.note(
        ask.request,
        Action.BREAK_GLASS,
        study_instance_uid=made.study_instance_uid,
        patient_id=made.patient_id,
        detail={"break_glass": made.id, "reason": made.reason},
    )
    return _shown(made)


@router.delete("/{number}", status_code=204)
async def end_own(ask: Own, number: Number) -> None:
    """End one's own emergency access before its time."""
    session = own(ask)
    if not await run_blocking(
        break_glass.end, ask.services.database, number, user_id=session.actor.user_id or 0
    ):
        raise Problem("not-found")
    sessions.forget_all(ask.services.database)
    await ask.note("end break glass", break_glass=number)


@router.get("")
async def list_breaks(ask: Reviewer, pending: bool = False) -> list[Break]:
    """What there was, the latest first; with ``pending``, what waits for a review."""
    rows = await run_blocking(break_glass.list_breaks, ask.services.database, pending_only=pending)
    return [_shown(row) for row in rows]


@router.get("/{number}")
async def get_break(ask: Reviewer, number: Number) -> BreakDetail:
    """One, with what was seen while it lasted."""
    found = await run_blocking(break_glass.seen, ask.services.database, number)
    if found is None:
        raise Problem("not-found")
    await ask.note("read break glass", break_glass=number)
    return BreakDetail(access=_shown(found[0]), seen=[Seen.model_validate(one) for one in found[1]])


@router.post("/{number}/review", status_code=204)
async def review(ask: Reviewer, number: Number, given: Review) -> None:
    """Mark one reviewed; nobody reviews their own."""
    try:
        done = await run_blocking(
            break_glass.review,
            ask.services.database,
            number,
            by=ask.actor.name,
            by_id=ask.actor.user_id,
            comment=given.comment,
        )
    except ReasonNeeded as error:
        raise Problem("reason-needed") from error
    if not done:
        raise Problem("conflict", detail="It was reviewed already, or is your own.")
    await ask.note("review break glass", break_glass=number, comment=given.comment)


def _shown(row: break_glass.Break) -> Break:
    return Break.model_validate({name: getattr(row, name) for name in Break.model_fields})
