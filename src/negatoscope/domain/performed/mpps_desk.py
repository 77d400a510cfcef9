"""Performed steps as people see them: lists, what is flagged, links made by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from negatoscope.domain.orders import WorkflowKind, record
from negatoscope.domain.performed import whose
from negatoscope.domain.performed.errors import (
    EndReasonNeeded,
    OtherPatient,
    PerformedStepChanged,
    PerformedStepOver,
    UnknownPerformedStep,
    UnknownStep,
)
from negatoscope.domain.performed.mpps import (
    SQL,
    Connection,
    Flag,
    MppsState,
    NamedStep,
    follow,
    said_patient,
)
from negatoscope.domain.performed.whose import Sameness

RULE: Final = "rule:mpps"
"""Source of what nobody said."""
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformedStep:
    """One performed step.

    Attributes:
        patient: Row of registered_patient; None while nobody knows.
        flags: What a person should look at, until ``seen_at``.
        ended_by: Who ended it in the modality's place; empty: it did so itself, or it goes on.
        scheduled: The steps it is for: ``step``, ``scheduled_procedure_step_id``, ``state``,
            ``procedure``, ``request``, ``study_instance_uid``, ``accession_number``.
    """

    id: int
    sop_instance_uid: str
    performed_procedure_step_id: str
    state: str
    performed_station_ae_title: str
    calling_ae_title: str
    modality: str
    started_at: datetime | None
    ended_at: datetime | None
    discontinuation_reason: str
    patient: int | None
    flags: tuple[Flag, ...]
    series_count: int
    instance_count: int
    created_at: datetime
    updated_at: datetime
    seen_at: datetime | None
    seen_by: str
    ended_by: str
    version: int
    patient_family_name: str
    patient_given_name: str
    scheduled: Sequence[Mapping[str, Any]]


def find(
    connection: Connection,
    *,
    state: str | None = None,
    station: str | None = None,
    step: int | None = None,
    is_flagged: bool = False,
    before: int | None = None,
    limit: int = 100,
) -> list[PerformedStep]:
    """Performed steps, newest first.

    Args:
        connection: In the caller's transaction.
        state: Only of this status.
        station: Only of this Performed Station AE Title.
        step: Only those for a scheduled step.
        is_flagged: Only those that wait for a person.
        before: Row the page begins after.
        limit: At most so many.
    """
    given = {
        "state": state,
        "station": station,
        "step": step,
        "flagged": is_flagged,
        "before": before,
        "limit": limit,
        "id": None,
    }
    return [_performed(row) for row in connection.execute(SQL["page"], given)]


def get(connection: Connection, number: int) -> tuple[PerformedStep, dict[str, Any]]:
    """One, and its data set as DICOM JSON.

    Raises:
        UnknownPerformedStep: there is none.
    """
    given = {
        **dict.fromkeys(("state", "station", "step", "before")),
        "flagged": False,
        "limit": 1,
        "id": number,
    }
    row = connection.execute(SQL["page"], given).fetchone()
    if row is None:
        raise UnknownPerformedStep(f"there is no performed step {number}")
    found = _performed(row)
    kept = connection.execute(SQL["data_set"], {"uid": found.sop_instance_uid}).fetchone()
    assert kept is not None  # noqa: S101 - the row is there
    return found, kept[0]


def mark_seen(connection: Connection, number: int, *, source: str, version: int) -> PerformedStep:
    """Say that nothing is left to do about it: it leaves the work list.

    Raises:
        UnknownPerformedStep, PerformedStepChanged
    """
    _locked(connection, number, version)
    connection.execute(SQL["seen"], {"id": number, "by": source})
    return get(connection, number)[0]


def link(
    connection: Connection,
    number: int,
    step: int,
    *,
    source: str,
    version: int,
    is_patient_confirmed: bool = False,
) -> PerformedStep:
    """Say which scheduled step it was for; that one goes where the performed one is.

    Args:
        connection: In the caller's transaction.
        number: Row of performed_procedure_step.
        step: Row of scheduled_procedure_step.
        source: ``user:<name>``.
        version: As it was read.
        is_patient_confirmed: The person says that it is that patient, where nobody can tell.

    Raises:
        UnknownPerformedStep, UnknownStep, PerformedStepChanged
        OtherPatient: it is another patient's, or nobody can tell whose.
    """
    row = _locked(connection, number, version)
    found = connection.execute(SQL["step"], {"step": step}).fetchone()
    if found is None:
        raise UnknownStep(f"there is no scheduled step {step}")
    wanted = NamedStep(*found)
    calling = get(connection, number)[0].calling_ae_title
    said = whose.with_issuer(connection, said_patient(row[2]), calling)
    same = whose.sameness(connection, said, wanted.patient)
    if same is Sameness.DIFFERENT:
        raise OtherPatient(
            "the performed step names another patient", hint="correct it at the device."
        )
    if same is Sameness.UNCLEAR and not is_patient_confirmed:
        raise OtherPatient(
            "the performed step does not say clearly whose it is",
            hint="confirm that it is this patient's.",
        )
    connection.execute(SQL["link"], {"performed": number, "step": step})
    connection.execute(
        SQL["linked_by_hand"],
        {
            "id": number,
            "patient": whose.root(connection, wanted.patient),
            "flags": [flag for flag in row[3] if flag == Flag.WRONG_ENTRY],
            "by": source,
        },
    )
    follow(connection, wanted, number, source=source, at=None)
    return get(connection, number)[0]


def flag_overdue(connection: Connection, *, age: timedelta, now: datetime) -> list[int]:
    """Flag what goes on for longer than examinations do: nobody will say that it ended.

    Args:
        connection: In the caller's transaction.
        age: Since it was created.
        now: The present.

    Returns: What was flagged; a few hundred at once.
    """
    given = {"before": now - age, "limit": _AT_ONCE}
    numbers = sorted(row[0] for row in connection.execute(SQL["overdue"], given))
    for number in numbers:
        detail = {"performed": number}
        steps = _for(connection, number)
        for step in steps:
            record(
                connection,
                WorkflowKind.NOT_ENDED,
                source=RULE,
                request=step.request,
                procedure=step.procedure,
                step=step.id,
                detail=detail,
            )
        if not steps:
            record(connection, WorkflowKind.NOT_ENDED, source=RULE, detail=detail)
    return numbers


def end(
    connection: Connection,
    number: int,
    state: MppsState,
    *,
    source: str,
    version: int,
    reason: str = "",
    at: datetime | None = None,
) -> PerformedStep:
    """End it in the modality's place; the steps it is for follow. What the modality says later still counts.

    Args:
        connection: In the caller's transaction.
        number: Row of performed_procedure_step.
        state: COMPLETED or DISCONTINUED.
        source: ``user:<name>``.
        version: As it was read.
        reason: Why it was discontinued.
        at: When it ended, where somebody knows; else now.

    Raises:
        UnknownPerformedStep, PerformedStepChanged
        PerformedStepOver: it is not in progress.
        EndReasonNeeded: it is discontinued, and nobody says why.
    """
    row = _locked(connection, number, version)
    if row[1] != MppsState.IN_PROGRESS or state is MppsState.IN_PROGRESS:
        raise PerformedStepOver(f"performed step {number} is {row[1]}")
    why = reason.replace("\0", "").strip()[:500]
    if state is MppsState.DISCONTINUED and not why:
        raise EndReasonNeeded("an examination is stopped with a reason")
    ended_at = at or datetime.now(UTC)
    given = {"id": number, "state": state, "at": ended_at, "by": source, "reason": why}
    connection.execute(SQL["end_by_hand"], given)
    steps = _for(connection, number)
    for step in steps:
        follow(connection, step, number, source=source, at=ended_at, reason=why)
    if not steps:
        kind, detail = WorkflowKind(state), {"performed": number, "reason": why}
        record(connection, kind, source=source, detail=detail)
    return get(connection, number)[0]


def _for(connection: Connection, number: int) -> list[NamedStep]:
    rows = connection.execute(SQL["linked"], {"performed": number}).fetchall()
    return [NamedStep(*row) for row in rows]


def _locked(connection: Connection, number: int, version: int) -> tuple[Any, ...]:
    row = connection.execute(SQL["lock_by_id"], {"id": number}).fetchone()
    if row is None:
        raise UnknownPerformedStep(f"there is no performed step {number}")
    if row[6] != version:
        raise PerformedStepChanged("the performed step was changed meanwhile", hint="look again.")
    found: tuple[Any, ...] = row
    return found


def _performed(row: Sequence[Any]) -> PerformedStep:
    return PerformedStep(
        id=row[0],
        sop_instance_uid=row[1],
        performed_procedure_step_id=row[2],
        state=row[3],
        performed_station_ae_title=row[4],
        calling_ae_title=row[5],
        modality=row[6],
        started_at=row[7],
        ended_at=row[8],
        discontinuation_reason=row[9],
        patient=row[10],
        flags=tuple(Flag(one) for one in row[11]),
        series_count=row[12],
        instance_count=row[13],
        created_at=row[14],
        updated_at=row[15],
        seen_at=row[16],
        seen_by=row[17],
        ended_by=row[18],
        version=row[19],
        patient_family_name=row[20],
        patient_given_name=row[21],
        scheduled=row[22],
    )
