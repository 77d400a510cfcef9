"""Modality Performed Procedure Step: what a modality says that it does (PS3.4 Annex F).

It is kept as it was said, linked to the scheduled steps it names, and moves these. A link needs the
Scheduled Procedure Step ID, and nothing that speaks against it: another Study Instance UID, another
accession number, another patient leave it unlinked and flagged, for a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
import psycopg
import structlog
from psycopg.types.json import Jsonb

from negatoscope.domain.archive.query.temporal import parse_date, parse_time
from negatoscope.domain.orders import (
    OrderError,
    StepState,
    WorkflowKind,
    record,
    step_changed,
)
from negatoscope.domain.performed import mpps_attributes as a
from negatoscope.domain.performed import whose
from negatoscope.domain.performed.mpps_errors import NO_LONGER_UPDATED, MppsError
from negatoscope.domain.performed.whose import SaidPatient, Sameness
from negatoscope.infra.db import Database, load_queries
from negatoscope.kit.text import fold
from negatoscope.kit.uid import is_valid_uid
from negatoscope.standard.dimse_status import Status

SQL: Final = load_queries("negatoscope.domain.performed.sql", "mpps.sql")
Connection = psycopg.Connection[Any]
DicomJson = dict[str, Any]
WRONG_ENTRY: Final = ("110514", "DCM")
"""CID 9300: Incorrect worklist entry selected."""
_CLOCK_TOLERANCE: Final = timedelta(hours=12)
"""A modality whose clock is further off is not believed about when."""
_log = structlog.get_logger(__name__)


class MppsState(StrEnum):
    """Performed Procedure Step Status (0040,0252)."""

    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"


TRANSITIONS: Final[Mapping[MppsState, frozenset[MppsState]]] = {
    MppsState.IN_PROGRESS: frozenset(MppsState),
    MppsState.COMPLETED: frozenset(),
    MppsState.DISCONTINUED: frozenset(),
}
"""PS3.4 §F.7.2.2: an N-SET leads from a status to these; the final ones lead nowhere."""


class Flag(StrEnum):
    """Why a person should look at it."""

    UNSCHEDULED = "UNSCHEDULED"
    """It names no scheduled step."""
    STEP_UNKNOWN = "STEP UNKNOWN"
    """It names one that we do not have, or does not say which."""
    STEP_DIFFERS = "STEP DIFFERS"
    """The Study Instance UID or the accession number is not that of the step it names."""
    PATIENT_DIFFERS = "PATIENT DIFFERS"
    """The step it names is another patient's."""
    PATIENT_UNKNOWN = "PATIENT UNKNOWN"
    """Nobody can tell whose it is."""
    STEP_CANCELED = "STEP CANCELED"
    """The step it names was canceled, and is done all the same."""
    NOT_ENDED = "NOT ENDED"
    """The modality did not say for long that it ended (``mpps_overdue_h``)."""
    WRONG_ENTRY = "WRONG ENTRY"
    """Ended because the wrong entry of the worklist was chosen: the step waits again."""


@dataclass(frozen=True, slots=True)
class NamedStep:
    """A scheduled step that a performed one may be for."""

    id: int
    scheduled_procedure_step_id: str
    state: str
    procedure: int
    study_instance_uid: str
    request: int
    accession_number: str
    patient: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """What a request did.

    Attributes:
        id: Row of performed_procedure_step.
        steps: Rows of the scheduled steps it is for.
        flags: What a person should look at.
    """

    id: int
    sop_instance_uid: str
    state: MppsState
    steps: tuple[int, ...]
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformedSteps:
    """Takes performed steps. One per process; safe for many threads.

    Attributes:
        database: Where they are kept.
        zone: The department's: dates and times of modalities are in it unless they say otherwise.
        destinations: AE titles they are forwarded to.
    """

    database: Database
    zone: ZoneInfo
    destinations: Sequence[str] = field(default=())

    def create(self, uid: str, data_set: Mapping[str, Any], *, calling_ae_title: str) -> Performed:
        """N-CREATE; durable when this returns.

        Raises:
            MppsError: 0106, 0111, 0117, 0120, 0121.
            DatabaseUnavailable: nothing was kept.
        """
        if not is_valid_uid(uid):
            raise MppsError(Status.INVALID_OBJECT_INSTANCE, "the SOP Instance UID is none")
        given = _kept(data_set)
        a.check_creation(given)
        if a.text(given, a.STATUS) != MppsState.IN_PROGRESS:
            raise MppsError(
                Status.INVALID_ATTRIBUTE_VALUE, "created IN PROGRESS", offending=[0x00400252]
            )
        started_at = _instant(given, a.START_DATE, a.START_TIME, self.zone)
        series, instances = a.counts(given)
        source = f"dicom:{calling_ae_title}"
        with self.database.connection() as connection:
            patient, steps, flags = _meaning(connection, given, calling_ae_title)
            row = connection.execute(
                SQL["insert"],
                {
                    "uid": uid,
                    "step_id": a.text(given, "00400253"),
                    "station": a.text(given, "00400241"),
                    "calling": calling_ae_title,
                    "modality": a.text(given, "00080060"),
                    "started_at": started_at,
                    "ended_at": _instant(given, a.END_DATE, a.END_TIME, self.zone),
                    "patient": patient,
                    "data_set": Jsonb(given),
                    "series": series,
                    "instances": instances,
                    "flags": sorted(flags),
                },
            ).fetchone()
            if row is None:
                raise MppsError(Status.DUPLICATE_SOP_INSTANCE, "this step was created already")
            number = int(row[0])
            for step in steps:
                connection.execute(SQL["link"], {"performed": number, "step": step.id})
                follow(connection, step, number, source=source, at=_believed(started_at))
            if not steps:
                detail = {"performed": number, "flags": sorted(flags)}
                record(connection, WorkflowKind.STARTED, source=source, detail=detail)
            self._forward(connection, uid, "N-CREATE", given)
        return Performed(
            id=number,
            sop_instance_uid=uid,
            state=MppsState.IN_PROGRESS,
            steps=tuple(step.id for step in steps),
            flags=tuple(sorted(flags)),
        )

    def update(self, uid: str, data_set: Mapping[str, Any], *, calling_ae_title: str) -> Performed:
        """N-SET; durable when this returns.

        What a person ended in the modality's place is not ended for the modality: what it says counts.

        Raises:
            MppsError: 0106, 0110 with Error ID A710, 0112, 0120, 0121.
            DatabaseUnavailable: nothing was kept.
        """
        given = _kept(data_set)
        with self.database.connection() as connection:
            row = connection.execute(SQL["lock"], {"uid": uid}).fetchone()
            if row is None:
                raise MppsError(Status.NO_SUCH_OBJECT_INSTANCE, "no such performed procedure step")
            number, before, kept, flags = row[0], MppsState(row[1]), row[2], set(row[3])
            if not TRANSITIONS[_state(kept)]:
                raise MppsError(
                    Status.PROCESSING_FAILURE,
                    "performed procedure step object may no longer be updated",
                    error_id=NO_LONGER_UPDATED,
                )
            a.check_setting(given)
            ignored = sorted(t for t in a.NOT_SETTABLE & set(given) if given[t] != kept.get(t))
            if ignored:
                _log.info("mpps.attributes_left", sop_instance_uid=uid, tags=ignored)
            changed = {tag: element for tag, element in given.items() if tag not in a.NOT_SETTABLE}
            whole = {**kept, **changed}
            state = _state(whole)
            if state is not MppsState.IN_PROGRESS:
                a.check_final(whole, has_series=state is MppsState.COMPLETED)
            if state is MppsState.DISCONTINUED and _is_wrong_entry(whole):
                flags.add(Flag.WRONG_ENTRY)
            if state is not MppsState.IN_PROGRESS:
                flags.discard(Flag.NOT_ENDED)
            ended_at = _instant(whole, a.END_DATE, a.END_TIME, self.zone)
            series, instances = a.counts(whole)
            connection.execute(
                SQL["update"],
                {
                    "id": number,
                    "state": state,
                    "ended_at": ended_at,
                    "data_set": Jsonb(whole),
                    "series": series,
                    "instances": instances,
                    "reason": _reason(whole) if state is MppsState.DISCONTINUED else "",
                    "flags": sorted(flags),
                },
            )
            source = f"dicom:{calling_ae_title}"
            linked = connection.execute(SQL["linked"], {"performed": number}).fetchall()
            steps = [NamedStep(*one) for one in linked]
            if state is not before:
                self._reach(connection, number, state, steps, whole, source=source, at=ended_at)
            self._forward(connection, uid, "N-SET", given)
        return Performed(
            id=number,
            sop_instance_uid=uid,
            state=state,
            steps=tuple(step.id for step in steps),
            flags=tuple(Flag(one) for one in sorted(flags)),
        )

    def retrieve(self, uid: str) -> DicomJson:
        """N-GET: the whole data set.

        Raises:
            MppsError: 0112.
        """
        with self.database.connection() as connection:
            row = connection.execute(SQL["data_set"], {"uid": uid}).fetchone()
        if row is None:
            raise MppsError(Status.NO_SUCH_OBJECT_INSTANCE, "no such performed procedure step")
        return dict(row[0])

    def _reach(
        self,
        connection: Connection,
        number: int,
        state: MppsState,
        steps: Sequence[NamedStep],
        whole: DicomJson,
        *,
        source: str,
        at: datetime | None,
    ) -> None:
        reason = _reason(whole) if state is MppsState.DISCONTINUED else ""
        for step in steps:
            follow(connection, step, number, source=source, at=_believed(at), reason=reason)
        if not steps:
            kind = {MppsState.IN_PROGRESS: WorkflowKind.STARTED}.get(state) or WorkflowKind(state)
            record(connection, kind, source=source, detail={"performed": number})

    def _forward(
        self, connection: Connection, uid: str, command: str, data_set: Mapping[str, Any]
    ) -> None:
        for title in self.destinations:
            connection.execute(
                SQL["forward"],
                {"ae_title": title, "uid": uid, "command": command, "data_set": Jsonb(data_set)},
            )


# -- what it is for -------------------------------------------------------------------------------


def said_patient(data_set: Mapping[str, Any]) -> SaidPatient:
    """The patient that a performed step names."""
    qualifiers = next(iter(a.items(data_set, "00100024")), {})
    return SaidPatient(
        patient_id=a.text(data_set, "00100020"),
        issuer_of_patient_id=a.text(data_set, "00100021"),
        universal_entity_id=a.text(qualifiers, "00400032"),
        name_folded=fold(a.text(data_set, "00100010")),
        birth_date=parse_date(a.text(data_set, "00100030")) or "",
    )


def _meaning(
    connection: Connection, data_set: Mapping[str, Any], calling_ae_title: str
) -> tuple[int | None, list[NamedStep], set[Flag]]:
    """Whose it is, the steps it is for, and what is wrong with it."""
    said = whose.with_issuer(connection, said_patient(data_set), calling_ae_title)
    steps: dict[int, NamedStep] = {}
    flags: set[Flag] = set()
    for item in a.items(data_set, a.STEPS):
        step, flag = _named(connection, item)
        if step is None:
            flags |= {flag} if flag is not None else set()
            continue
        same = whose.sameness(connection, said, step.patient)
        if same is Sameness.DIFFERENT:
            flags.add(Flag.PATIENT_DIFFERS)
            continue
        if step.state == StepState.CANCELED:
            flags.add(Flag.STEP_CANCELED)
        steps[step.id] = step
    found = list(steps.values())
    patient = whose.root(connection, found[0].patient) if found else whose.holder(connection, said)
    if patient is None:
        flags.add(Flag.PATIENT_UNKNOWN)
    return patient, found, flags


def _named(connection: Connection, item: Mapping[str, Any]) -> tuple[NamedStep | None, Flag | None]:
    step_id, study = a.text(item, "00400009"), a.text(item, "0020000D")
    accession = a.text(item, "00080050")
    rows = connection.execute(SQL["named_steps"], {"step_id": step_id, "study": study}).fetchall()
    steps = [NamedStep(*row) for row in rows]
    if not steps:
        return None, Flag.STEP_UNKNOWN if step_id else Flag.UNSCHEDULED
    if not step_id:  # our study, and no step: the one that is not over, if there is one
        ended = {StepState.COMPLETED, StepState.DISCONTINUED, StepState.CANCELED}
        steps = [step for step in steps if step.state not in ended] or steps
        if len(steps) > 1:
            return None, Flag.STEP_UNKNOWN
    (step,) = steps
    if study != step.study_instance_uid or (accession and accession != step.accession_number):
        return None, Flag.STEP_DIFFERS
    return step, None


# -- what follows for the step ---------------------------------------------------------------------


def follow(
    connection: Connection,
    step: NamedStep,
    performed: int,
    *,
    source: str,
    at: datetime | None,
    reason: str = "",
) -> None:
    """Put a scheduled step where everything performed for it says that it is.

    While something is in progress it is STARTED, also when it was over before: something was
    appended. What was taken up by mistake does not count.
    """
    rows = connection.execute(SQL["performed_of_step"], {"step": step.id}).fetchall()
    states = {MppsState(state) for state, is_wrong in rows if not is_wrong}
    if MppsState.IN_PROGRESS in states:
        wanted = [StepState.STARTED]
    elif MppsState.COMPLETED in states:
        wanted = [StepState.STARTED, StepState.COMPLETED]
    elif states:
        wanted = [StepState.STARTED, StepState.DISCONTINUED]
    else:
        row = connection.execute(SQL["before_start"], {"step": step.id}).fetchone()
        wanted = [StepState(row[0])] if row and row[0] and step.state == "STARTED" else []
    if wanted and step.state == wanted[-1]:
        return
    if step.state == StepState.STARTED and len(wanted) > 1:
        wanted = wanted[1:]
    kinds = {StepState.STARTED: WorkflowKind.STARTED}
    try:
        with connection.transaction():
            for to in wanted:
                step_changed(
                    connection,
                    step.id,
                    to,
                    source=source,
                    at=at,
                    kind=kinds.get(to),
                    reason=reason,
                    detail={"performed": performed},
                )
    except OrderError as error:
        _log.warning("mpps.step_stays", step=step.id, state=step.state, reason=str(error))


# -- values ---------------------------------------------------------------------------------------


def _kept(data_set: Mapping[str, Any]) -> DicomJson:
    """As the database takes it."""
    found = {tag: element for tag, element in data_set.items() if tag != "00080005"}
    if b"\\u0000" in orjson.dumps(found):
        raise MppsError(Status.INVALID_ATTRIBUTE_VALUE, "a value holds a control character")
    return found


def _state(data_set: Mapping[str, Any]) -> MppsState:
    try:
        return MppsState(a.text(data_set, a.STATUS))
    except ValueError as error:
        raise MppsError(
            Status.INVALID_ATTRIBUTE_VALUE, "the status is none", offending=[0x00400252]
        ) from error


def _is_wrong_entry(data_set: Mapping[str, Any]) -> bool:
    return any(
        (a.text(item, "00080100"), a.text(item, "00080102")) == WRONG_ENTRY
        for item in a.items(data_set, a.REASON_CODES)
    )


def _reason(data_set: Mapping[str, Any]) -> str:
    """Performed Procedure Step Discontinuation Reason Code Sequence, for people."""
    found: Iterable[str] = (
        a.text(item, "00080104") or a.text(item, "00080100")
        for item in a.items(data_set, a.REASON_CODES)
    )
    return "; ".join(filter(None, found))[:500]


def _instant(
    data_set: Mapping[str, Any], day_tag: str, time_tag: str, zone: ZoneInfo
) -> datetime | None:
    day = parse_date(a.text(data_set, day_tag))
    if day is None:
        return None
    span = parse_time(a.text(data_set, time_tag))
    clock = span[0] if span is not None else "000000.000000"
    second = min(int(clock[4:6]), 59)
    offset = a.text(data_set, "00080201")
    own: timezone | ZoneInfo = zone
    if len(offset) == 5 and offset[0] in "+-" and offset[1:].isdecimal():
        minutes = int(offset[1:3]) * 60 + int(offset[3:])
        if minutes < 24 * 60:
            own = timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
    try:
        return datetime(
            *(int(day[:4]), int(day[4:6]), int(day[6:])),
            *(int(clock[:2]), int(clock[2:4]), second, int(clock[7:])),
            tzinfo=own,
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _believed(at: datetime | None) -> datetime:
    """When it was, or now when the modality's clock cannot be right."""
    now = datetime.now(UTC)
    return at if at is not None and abs(at - now) <= _CLOCK_TOLERANCE else now
