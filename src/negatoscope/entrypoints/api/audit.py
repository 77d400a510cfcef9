"""The audit trail: search, figures, export, who saw a patient, the state of the chain.

Whoever reads the trail is written into it.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from negatoscope.domain.identity import Action
from negatoscope.entrypoints.api.common import Asking, Schema
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers.audit import EventClass, Outcome, patients, searching, verification
from negatoscope.subscribers.audit import state as trail_state
from negatoscope.subscribers.audit.errors import BadCursor, SearchTooBroad
from negatoscope.subscribers.audit.exports import (
    Language,
    csv_lines,
    json_lines,
    patient_csv,
    patient_html,
)

router = APIRouter(prefix="/audit", tags=["audit"])

ActorKind = Literal["user", "ae", "link", "system", "anonymous"]
Word = Annotated[str | None, Field(max_length=256)]


async def _reading(request: Request) -> Asking:
    asking = Asking(request)
    asking.require(Action.READ_AUDIT)
    return asking


ReadAudit = Annotated[Asking, Depends(_reading)]
"""Whoever may read the trail; everybody else is refused before the question is looked at."""


class AuditEvent(Schema):
    """An event, or ``event_count`` like ones."""

    id: int
    occurred_at: datetime
    last_at: datetime
    event_count: int
    event_class: str
    actor_kind: str
    actor_name: str
    actor_roles: tuple[str, ...]
    credential: str | None
    peer: str | None
    door: str | None
    action: str
    outcome: str
    reason: str | None
    study_instance_uid: str | None
    patient_id: str | None
    issuer_of_patient_id: str | None
    accession_number: str | None
    destination: str | None
    detail: dict[str, Any]
    chain: str | None
    seq: int | None


class AuditPage(Schema):
    """Events, newest first; ``next_cursor`` leads to older ones."""

    events: list[AuditEvent]
    next_cursor: str | None


class AuditDay(Schema):
    """Events of a day (UTC), class and outcome."""

    day: date
    event_class: str
    outcome: str
    event_count: int


class AuditDays(Schema):
    """Figures by day."""

    days: list[AuditDay]


class PatientAccess(Schema):
    """One actor's accesses of a kind to a study on a day."""

    day: date
    actor_kind: str
    actor_name: str
    display_name: str | None
    roles: tuple[str, ...]
    event_class: str
    outcome: str
    study_instance_uid: str | None
    accession_number: str | None
    first_at: datetime
    last_at: datetime
    event_count: int
    reasons: tuple[str, ...]
    destinations: tuple[str, ...]
    study_description: str | None
    study_date: date | None


class PatientReport(Schema):
    """Who had a patient's data, newest first."""

    patient_id: str
    issuer_of_patient_id: str | None
    patient_name: str | None
    patient_birth_date: date | None
    accesses: list[PatientAccess]
    is_complete: bool


class AuditChain(Schema):
    """A chain: its last number and hash, and up to where it was purged."""

    chain: str
    seq: int
    hash: str
    purged_seq: int


class AuditSink(Schema):
    """A repository: what it was told, what waits, what went wrong."""

    name: str
    sent_count: int
    last_sent_at: datetime | None
    waiting_count: int
    oldest_waiting_at: datetime | None
    attempt_count: int
    failed_since: datetime | None
    next_attempt_at: datetime
    last_error: str | None


class AuditVerification(Schema):
    """A verification: ``findings`` empty is sound, null is not done yet."""

    id: int
    requested_at: datetime
    requested_by: str
    started_at: datetime | None
    ended_at: datetime | None
    record_count: int | None
    findings: list[dict[str, Any]] | None


class AuditState(Schema):
    """How the trail is."""

    chains: list[AuditChain]
    waiting_count: int
    oldest_waiting_at: datetime | None
    anchor_number: int | None
    anchored_at: datetime | None
    sinks: list[AuditSink]
    verifications: list[AuditVerification]


class Search(BaseModel):
    """What is looked for; everything given must hold."""

    model_config = Schema.model_config

    patient_id: Word = None
    issuer_of_patient_id: Word = None
    actor: Word = None
    after: datetime | None = None
    before: datetime | None = None
    event_class: Annotated[list[EventClass], Field(max_length=20)] = []
    outcome: Annotated[list[Outcome], Field(max_length=3)] = []
    actor_kind: Annotated[list[ActorKind], Field(max_length=4)] = []
    study_instance_uid: Annotated[str | None, Field(pattern=r"^[0-9.]{1,64}$")] = None
    accession_number: Word = None
    door: Word = None
    action: Word = None
    peer: Word = None
    text: Annotated[str, Field(max_length=200)] = ""

    def filter(self) -> searching.Filter:
        """As the trail is asked."""
        return searching.Filter(
            patient_id=_plain(self.patient_id),
            issuer_of_patient_id=_plain(self.issuer_of_patient_id),
            actor=_plain(self.actor),
            after=_aware(self.after),
            before=_aware(self.before),
            event_classes=[str(one) for one in self.event_class],
            outcomes=[str(one) for one in self.outcome],
            actor_kinds=list(self.actor_kind),
            study_instance_uid=self.study_instance_uid,
            accession_number=_plain(self.accession_number),
            door=_plain(self.door),
            action=_plain(self.action),
            peer=_plain(self.peer),
            text=_plain(self.text) or "",
        )

    def told(self) -> dict[str, Any]:
        """What was asked, for the record of it."""
        return self.model_dump(mode="json", exclude_defaults=True)


class PageSearch(Search):
    """The same, a page at a time."""

    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class ExportSearch(Search):
    """The same, as a file."""

    format: Literal["csv", "json"] = "csv"


class DaySearch(Search):
    """The same; the figures of a time span."""


class PatientSearch(BaseModel):
    """Whose accesses, and of when."""

    model_config = Schema.model_config

    patient_id: Annotated[str, Field(min_length=1, max_length=256)]
    issuer_of_patient_id: Word = None
    after: datetime | None = None
    before: datetime | None = None
    every_class: bool = False
    """Storage and queries too, not only those who had the data."""


class PatientExport(PatientSearch):
    """The same, as a page to print or a table."""

    format: Literal["html", "csv"] = "html"
    language: Language = "fr"
    names: bool = False
    """With the names of staff; without, their functions."""


@router.get("/events")
async def search_audit(ask: ReadAudit, search: Annotated[PageSearch, Query()]) -> AuditPage:
    """Events by patient, user, time, class, outcome, study and words; newest first."""
    try:
        cursor = None if search.cursor is None else searching.Cursor.parse(search.cursor)
    except BadCursor as error:
        raise Problem("bad-query", detail=f"cursor: {error}.") from error
    await ask.services.access.note_read(ask.request, Action.READ_AUDIT)
    page = await _asked(
        searching.search_page,
        ask.services.database,
        search.filter(),
        cursor=cursor,
        limit=search.limit,
    )
    return AuditPage(
        events=[AuditEvent.model_validate(event) for event in page.events],
        next_cursor=None if page.next is None else str(page.next),
    )


@router.get("/export", response_class=StreamingResponse)
async def export_audit(ask: ReadAudit, search: Annotated[ExportSearch, Query()]) -> Response:
    """Everything that matches, as CSV (RFC 4180) or JSON lines; the export is recorded."""
    await ask.services.access.note(
        ask.request, "audit export", patient_id=_plain(search.patient_id), detail=search.told()
    )
    pages = searching.pages(ask.services.database, search.filter())
    first = await _asked(next, pages, ())
    lines, media_type = (
        (csv_lines, "text/csv; charset=utf-8; header=present")
        if search.format == "csv"
        else (json_lines, "application/x-ndjson")
    )
    return StreamingResponse(
        lines(first, pages),
        media_type=media_type,
        headers=_attachment(f"audit.{_EXTENSION[search.format]}"),
    )


@router.get("/days")
async def count_audit_days(ask: ReadAudit, search: Annotated[DaySearch, Query()]) -> AuditDays:
    """Events by day, class and outcome. A time span keeps it fast."""
    await ask.services.access.note_read(ask.request, Action.READ_AUDIT)
    found = await _asked(searching.days, ask.services.database, search.filter())
    return AuditDays(days=[AuditDay.model_validate(one) for one in found])


@router.get("/patient")
async def who_saw_patient(
    ask: ReadAudit, search: Annotated[PatientSearch, Query()]
) -> PatientReport:
    """Who had this patient's data: by day, actor, kind and study."""
    await _note_patient(ask, search, "read audit")
    return PatientReport.model_validate(await _report(ask, search))


@router.get("/patient/export", response_class=Response)
async def export_patient_accesses(
    ask: ReadAudit, search: Annotated[PatientExport, Query()]
) -> Response:
    """The same for the patient: a page to print, or a table; in French or English."""
    await _note_patient(ask, search, "audit export")
    report = await _report(ask, search)
    if search.format == "csv":
        body, media_type = (
            patient_csv(report, language=search.language, names=search.names),
            "text/csv",
        )
    else:
        body, media_type = (
            patient_html(report, language=search.language, names=search.names),
            "text/html",
        )
    return Response(
        body.encode("utf-8"),
        media_type=f"{media_type}; charset=utf-8",
        headers=_attachment(f"audit-patient.{search.format}"),
    )


@router.get("/state")
async def get_audit_state(ask: ReadAudit) -> AuditState:
    """Chains, what waits, anchors, repositories and the last verifications."""
    found = await run_blocking(trail_state.state, ask.services.database)
    done = await run_blocking(verification.last, ask.services.database)
    return AuditState(
        chains=[AuditChain.model_validate(one) for one in found.chains],
        waiting_count=found.waiting_count,
        oldest_waiting_at=found.oldest_waiting_at,
        anchor_number=found.anchor_number,
        anchored_at=found.anchored_at,
        sinks=[AuditSink.model_validate(one) for one in found.sinks],
        verifications=[AuditVerification.model_validate(one) for one in done],
    )


@router.post("/verifications", status_code=202)
async def request_audit_verification(ask: ReadAudit) -> AuditVerification:
    """Have the whole trail verified by the worker, which begins within seconds."""
    number = await run_blocking(verification.request, ask.services.database, by=ask.actor.name)
    await ask.services.access.note(ask.request, "audit verify", detail={"verification": number})
    known = await run_blocking(verification.last, ask.services.database)
    return AuditVerification.model_validate(next(one for one in known if one.id == number))


_EXTENSION = {"csv": "csv", "json": "ndjson"}


async def _asked(function: Any, *arguments: Any, **more: Any) -> Any:
    try:
        return await run_blocking(function, *arguments, **more)
    except SearchTooBroad as error:
        raise Problem("search-too-broad", detail=f"{error.message}; {error.hint}") from error


async def _report(ask: Asking, search: PatientSearch) -> patients.Report:
    classes = tuple(EventClass) if search.every_class else patients.SEEING
    report: patients.Report = await _asked(
        patients.who_saw,
        ask.services.database,
        _plain(search.patient_id),
        issuer_of_patient_id=_plain(search.issuer_of_patient_id),
        after=_aware(search.after),
        before=_aware(search.before),
        event_classes=classes,
    )
    return report


async def _note_patient(ask: Asking, search: PatientSearch, action: str) -> None:
    await ask.services.access.note(
        ask.request,
        action,
        patient_id=_plain(search.patient_id),
        issuer_of_patient_id=_plain(search.issuer_of_patient_id),
        detail=search.model_dump(mode="json", exclude_defaults=True),
    )


def _attachment(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


def _aware(at: datetime | None) -> datetime | None:
    return at if at is None or at.tzinfo is not None else at.replace(tzinfo=UTC)


def _plain(text: str | None) -> str | None:
    """What the database can be asked: it knows no NUL and no half surrogate."""
    if text is None:
        return None
    return (
        text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
    )
