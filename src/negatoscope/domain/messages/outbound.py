"""Messages on their way out: one queue for each destination.

A message is made in the transaction of the event that it tells of, and keeps its bytes and its
MSH-10 until it was taken: sent again after a lost answer, the receiver knows it by that. Messages
that have an order key in common (a patient) keep their order; one that gets no answer holds its
patient back and nobody else. What was refused is for a person: sent again as it is, or given up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from negatoscope.domain.messages.destinations import SQL, Connection, tell_senders
from negatoscope.domain.messages.errors import MessageNotReplayable, UnknownMessage
from negatoscope.infra.db import Database
from negatoscope.kit.ulid import new_ulid

_MAX_REASON: Final = 1000
_LOCK: Final = 0x4E454741
"""First half of the advisory locks: one sender for each destination."""


class OutboundState(StrEnum):
    """What came of a message to another system."""

    WAITING = "WAITING"
    """In the queue; perhaps sent already, without an answer."""
    ACKNOWLEDGED = "ACKNOWLEDGED"
    """AA or CA."""
    REFUSED = "REFUSED"
    """AE, AR, CE, CR, or it cannot be written in the destination's character set."""
    GIVEN_UP = "GIVEN UP"
    """By a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message to be queued.

    Attributes:
        destination: Row of hl7_destination.
        origin: What it is made of; the same is queued once for a destination.
        kind: `Kind`.
        action: ORC-1 and ORC-5 (``NW_SC``), or the trigger event.
        subject: What it is about: ``procedure:7``, ``appointment:3``, ``patient:5``.
        order_keys: Messages with one in common keep their order.
        patient: Row of registered_patient, for links.
        request: Row of imaging_service_request, for links.
        appointment: Row of appointment, for links.
        refusal: Why it cannot be sent; then it is not tried.
    """

    destination: int
    origin: str
    kind: str
    action: str = ""
    subject: str = ""
    order_keys: tuple[str, ...] = ()
    patient: int | None = None
    request: int | None = None
    appointment: int | None = None
    message_code: str
    trigger_event: str = ""
    control_id: str
    version_id: str = ""
    patient_identifiers: tuple[str, ...] = ()
    content: bytes
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundMessage:
    """A message to another system, and what came of it."""

    id: int
    created_at: datetime
    destination: int
    destination_name: str
    origin: str
    kind: str
    action: str
    subject: str
    patient: int | None
    request: int | None
    appointment: int | None
    message_code: str
    trigger_event: str
    control_id: str
    version_id: str
    patient_identifiers: tuple[str, ...]
    state: OutboundState
    attempt_count: int
    last_sent_at: datetime | None
    last_error: str
    acknowledgment_code: str
    error_code: str
    reason: str
    finished_at: datetime | None
    byte_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The next message of a queue."""

    id: int
    control_id: str
    content: bytes
    attempt_count: int
    kind: str
    request: int | None


def new_control_id() -> str:
    """MSH-10: 20 characters, the most that v2.3.1 and v2.5.1 allow; differs whatever was restored."""
    made = new_ulid()
    return made[:10] + made[-10:]


def enqueue(connection: Connection, draft: Draft) -> int | None:
    """Queue a message in the caller's transaction.

    Returns: Its number; None when one of the same origin was queued for that destination before.
    """
    # Numbers of one patient are given in the order in which they become visible.
    for key in sorted(set(draft.order_keys)):
        connection.execute(SQL["lock_order_key"], {"key": f"{draft.destination}:{key}"})
    row = connection.execute(
        SQL["enqueue"],
        {
            "destination": draft.destination,
            "origin": draft.origin,
            "kind": draft.kind,
            "action": draft.action,
            "subject": draft.subject,
            "order_keys": list(draft.order_keys),
            "patient": draft.patient,
            "request": draft.request,
            "appointment": draft.appointment,
            "message_code": draft.message_code,
            "trigger_event": draft.trigger_event,
            "control_id": draft.control_id,
            "version_id": draft.version_id,
            "patient_identifiers": list(draft.patient_identifiers),
            "content": draft.content,
            "reason": draft.refusal,
        },
    ).fetchone()
    if row is None:
        return None
    tell_senders(connection)
    return int(row[0])


def last_action(connection: Connection, *, destination: int, kind: str, subject: str) -> str:
    """What a destination was told last about something; empty when nothing it did not refuse."""
    row = connection.execute(
        SQL["last_action"], {"destination": destination, "kind": kind, "subject": subject}
    ).fetchone()
    return "" if row is None else str(row[0])


# -- for the sender -------------------------------------------------------------------------------


def claim(connection: Connection, destination: int) -> bool:
    """Become the only sender of a destination for as long as this connection lives."""
    row = connection.execute(
        "SELECT pg_try_advisory_lock(%s, %s::bigint::int)", (_LOCK, destination & 0x7FFF_FFFF)
    ).fetchone()
    return row is not None and bool(row[0])


def next_due(connection: Connection, destination: int, *, holds: bool) -> Due | None:
    """The oldest message that nothing holds back."""
    row = connection.execute(
        SQL["next_due"], {"destination": destination, "holds": holds}
    ).fetchone()
    if row is None:
        return None
    return Due(
        id=row[0],
        control_id=row[1],
        content=bytes(row[2]),
        attempt_count=row[3],
        kind=row[4],
        request=row[5],
    )


def note_attempt(connection: Connection, number: int) -> None:
    """It is being sent."""
    connection.execute(SQL["note_attempt"], {"id": number})


def postpone(connection: Connection, number: int, *, delay_s: float, reason: str) -> None:
    """No answer: it is sent again, not before `delay_s` seconds."""
    connection.execute(SQL["postpone"], {"id": number, "delay_s": delay_s, "reason": reason})


def finish_sent(
    connection: Connection,
    number: int,
    *,
    state: OutboundState,
    code: str,
    error_code: str = "",
    reason: str = "",
    answer: bytes = b"",
) -> None:
    """What the receiver said."""
    connection.execute(
        SQL["finish_sent"],
        {
            "id": number,
            "state": state,
            "code": code[:20],
            "error_code": error_code[:40],
            "reason": reason.replace("\0", "")[:_MAX_REASON],
            "answer": answer,
        },
    )


def note_connection(
    connection: Connection,
    destination: int,
    *,
    is_connected: bool,
    error: str = "",
    next_attempt_s: float | None = None,
) -> None:
    """How the connection stands, for the page."""
    connection.execute(
        SQL["note_connection"],
        {
            "id": destination,
            "is_connected": is_connected,
            "error": error.replace("\0", "")[:_MAX_REASON],
            "next_attempt_s": next_attempt_s,
        },
    )


def note_alive(connection: Connection, destination: int) -> None:
    """The sender runs."""
    connection.execute(SQL["note_alive"], {"id": destination})


def figures(connection: Connection, destination: int) -> tuple[int, float, int]:
    """How many wait, for how many seconds the first of them, how many were refused."""
    row = connection.execute(SQL["figures"], {"destination": destination}).fetchone()
    return (0, 0.0, 0) if row is None else (int(row[0]), float(row[1]), int(row[2]))


# -- for the list ---------------------------------------------------------------------------------


class Outbound:
    """The messages to other systems.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, number: int) -> tuple[OutboundMessage, bytes, bytes]:
        """A message, its bytes, the answer's bytes.

        Raises:
            UnknownMessage: there is none.
        """
        with self._database.connection() as connection:
            row = connection.execute(SQL["outbound"], {"id": number}).fetchone()
        if row is None:
            raise UnknownMessage(f"there is no outbound message {number}")
        return stored(row), bytes(row[-2]), bytes(row[-1] or b"")

    def waiting_of(self, destination: int) -> list[int]:
        """Numbers of the messages in a queue, the first ones."""
        with self._database.connection() as connection:
            rows = connection.execute(SQL["waiting_of"], {"destination": destination}).fetchall()
        return [int(row[0]) for row in rows]

    def replay(self, number: int) -> None:
        """Send again as it is what was refused or given up.

        Raises:
            UnknownMessage: there is none.
            MessageNotReplayable: it was taken, waits, or something newer about the same was taken.
        """
        with self._database.connection() as connection:
            row = connection.execute(SQL["newer_taken"], {"id": number}).fetchone()
            if row is not None:
                raise MessageNotReplayable(
                    f"message {row[0]}, which is newer, tells of the same and was taken",
                    hint="sent again, this one would put old over new.",
                )
            if connection.execute(SQL["replay_outbound"], {"id": number}).rowcount == 1:
                tell_senders(connection)
                return
        found, _, _ = self.get(number)
        raise MessageNotReplayable(
            f"message {number} is {found.state}",
            hint="only refused and given up ones are replayed.",
        )

    def give_up(self, number: int) -> None:
        """Do not send it, nor wait for somebody to look at it.

        Raises:
            UnknownMessage: there is none.
            MessageNotReplayable: it was taken, or given up before.
        """
        with self._database.connection() as connection:
            if connection.execute(SQL["give_up"], {"id": number}).rowcount == 1:
                tell_senders(connection)
                return
        found, _, _ = self.get(number)
        raise MessageNotReplayable(
            f"message {number} is {found.state}", hint="only what waits or was refused is given up."
        )


def stored(row: Sequence[Any]) -> OutboundMessage:
    """From a row of query ``outbound``."""
    names: Mapping[str, Any] = dict(
        zip(
            (
                *(
                    "id",
                    "created_at",
                    "destination",
                    "destination_name",
                    "origin",
                    "kind",
                    "action",
                ),
                *("subject", "patient", "request", "appointment", "message_code", "trigger_event"),
                *("control_id", "version_id", "patient_identifiers", "state", "attempt_count"),
                *("last_sent_at", "last_error", "acknowledgment_code", "error_code", "reason"),
                *("finished_at", "byte_count"),
            ),
            row,
            strict=False,
        )
    )
    return OutboundMessage(
        **{
            **names,
            "patient_identifiers": tuple(names["patient_identifiers"]),
            "state": OutboundState(names["state"]),
        }
    )
