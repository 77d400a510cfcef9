"""What happened to an order: kept in its history and told to whoever waits, in one transaction."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.infra.events import publish

KIND: Final = "workflow-changed"
"""Of the event in the outbox; its payload has ``kind``, ``request``, ``procedure``, ``step``, ``appointment``."""

_INSERT: Final = """
INSERT INTO workflow_event (request_fk, procedure_fk, step_fk, appointment_fk, kind, detail, source)
VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id
"""


class WorkflowKind(StrEnum):
    """What happened."""

    ORDERED = "ORDERED"
    ORDER_CHANGED = "ORDER CHANGED"
    ORDER_CANCELED = "ORDER CANCELED"
    ORDER_HELD = "ORDER HELD"
    ORDER_RELEASED = "ORDER RELEASED"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    REPLACED = "REPLACED"
    SAFETY_ANSWERED = "SAFETY ANSWERED"
    SAFETY_CLEARED = "SAFETY CLEARED"
    BOOKED = "BOOKED"
    MOVED = "MOVED"
    APPOINTMENT_CHANGED = "APPOINTMENT CHANGED"
    APPOINTMENT_CANCELLED = "APPOINTMENT CANCELLED"
    NO_SHOW = "NO SHOW"
    ARRIVED = "ARRIVED"
    IDENTITY_CHECKED = "IDENTITY CHECKED"
    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"
    UNDONE = "UNDONE"
    """A step went back; ``detail.from`` and ``detail.to`` say how far."""
    IMAGES_ARRIVED = "IMAGES ARRIVED"
    STUDY_BOUND = "STUDY BOUND"
    STUDY_UNBOUND = "STUDY UNBOUND"
    PATIENT_CHANGED = "PATIENT CHANGED"
    NOT_ENDED = "NOT ENDED"
    """A modality began it and did not say for long that it ended."""
    NOTED = "NOTED"
    """A note for the others on the board; ``detail.note`` is its number."""


def record(
    connection: psycopg.Connection[Any],
    kind: WorkflowKind,
    *,
    source: str,
    request: int | None = None,
    procedure: int | None = None,
    step: int | None = None,
    appointment: int | None = None,
    detail: Mapping[str, object] | None = None,
) -> int:
    """Write into the history and the outbox, in the caller's transaction.

    Args:
        kind: What happened.
        source: ``hl7:<message>``, ``user:<name>``, ``dicom:<AE title>``, ``fhir:<name>``.
        request: Row of imaging_service_request.
        procedure: Row of requested_procedure.
        step: Row of scheduled_procedure_step.
        appointment: Row of appointment.
        detail: JSON, no names of patients.

    Returns: The event's number.
    """
    row = connection.execute(
        _INSERT, (request, procedure, step, appointment, kind, Jsonb(dict(detail or {})), source)
    ).fetchone()
    assert row is not None  # noqa: S101 - an INSERT returns its row
    number = int(row[0])
    publish(
        connection,
        KIND,
        {
            "event": number,
            "kind": kind,
            "request": request,
            "procedure": procedure,
            "step": step,
            "appointment": appointment,
        },
        wake=True,
    )
    return number
