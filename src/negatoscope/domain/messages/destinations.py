"""Where messages go: other systems, what they want to hear, how they are reached."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import psycopg

from negatoscope.domain.messages.errors import (
    DestinationChanged,
    DestinationExists,
    InvalidDestination,
    UnknownDestination,
)
from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import Database, load_queries

SQL: Final = load_queries("negatoscope.domain.messages.sql", "outbound.sql")
CHARACTER_SETS: Final = ("UNICODE UTF-8", "8859/15", "8859/1", "ASCII")
"""Of HL7 table 0211: those written."""
ALIVE_S: Final = 30.0
"""A sender that said nothing for so long does not run."""
Connection = psycopg.Connection[Any]


class Kind(StrEnum):
    """What a destination can be told."""

    ORDERS = "ORDERS"
    """Procedures scheduled, changed, cancelled (RAD-4, RAD-13): OMI^O23, or ORM^O01 with ZDS."""
    ORDER_STATUS = "ORDER STATUS"
    """How far an order is, to who placed it (RAD-3): OMG^O19, or ORM^O01."""
    ORDER_NUMBERS = "ORDER NUMBERS"
    """Orders made here, to who gives placer numbers (RAD-3, ORC-1 SN): OMG^O19, or ORM^O01; the answer's is kept."""
    APPOINTMENTS = "APPOINTMENTS"
    """SIU^S12, S13, S14, S15, S26 (RAD-48)."""
    PATIENTS = "PATIENTS"
    """Files made, changed, joined, as we have them: ADT^A28, A31, A40, A47 (RAD-12)."""
    ADT_FORWARD = "ADT FORWARD"
    """Admission messages that were carried out, as they came."""
    TEST = "TEST"
    """NMD^N02: our clock; names no patient. Asked for by an administrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A system that we send messages to.

    Attributes:
        name: For people and figures.
        host: Address.
        port: TCP port.
        tls: Whether the connection is encrypted; our certificate is shown when we have one.
        check_host: Whether its certificate must name `host`.
        sending_application: MSH-3.
        sending_facility: MSH-4.
        receiving_application: MSH-5.
        receiving_facility: MSH-6.
        character_set: MSH-18, one of `CHARACTER_SETS`.
        order_profile: ``OMI^O23`` (2.5.1, IPC) or ``ORM^O01`` (2.3.1, ZDS).
        adt_profile: ``PAM-FR`` (header of the French extension) or ``INTERNATIONAL``.
        kinds: What it is told.
        modalities: Only orders and appointments of these; empty: all.
        requesting_services: Only of these units; empty: all.
        authorities: Only patients with an identifier of one of them; empty: all.
        patient_classes: Only visits of these classes (PV1-2); empty: all.
        actions: Only these: ``NW``, ``XO``, ``S12``, ``A40`` …; empty: all.
        acknowledgment_mode: ``ORIGINAL`` or ``ENHANCED`` (HL7 v2.5.1 §2.9).
        connect_timeout_s: Seconds.
        answer_timeout_s: Seconds; after that it is sent again.
        holds_after_refusal: Whether a refused message holds later ones of its patient back.
        is_active: Whether anything is queued for it.
        is_paused: Whether what is queued waits.
        id: Ours; 0 of a new one.
        version: Counts changes.
    """

    name: str
    host: str
    port: int
    tls: bool = False
    check_host: bool = True
    sending_application: str = "NEGATOSCOPE"
    sending_facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    character_set: str = "UNICODE UTF-8"
    order_profile: str = "OMI^O23"
    adt_profile: str = "PAM-FR"
    kinds: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    requesting_services: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    patient_classes: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    acknowledgment_mode: str = "ORIGINAL"
    connect_timeout_s: float = 10.0
    answer_timeout_s: float = 30.0
    holds_after_refusal: bool = False
    is_active: bool = True
    is_paused: bool = False
    id: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationState:
    """How a connection is doing.

    Attributes:
        is_served: Whether a sender looks after it.
        connected_at: Since when it is connected.
        waiting_count: Messages in the queue.
        oldest_waiting_at: Since when the first of them waits.
        held_count: Of those: sent before without an answer.
        refused_count: Messages that a person must look at.
        acknowledged_count: In the last 24 hours.
        last_acknowledged_at: When something was taken last.
        last_error: What went wrong last.
        last_error_at: When.
        next_attempt_at: When it is called again.
    """

    is_served: bool = False
    connected_at: datetime | None = None
    waiting_count: int = 0
    oldest_waiting_at: datetime | None = None
    held_count: int = 0
    refused_count: int = 0
    acknowledged_count: int = 0
    last_acknowledged_at: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationWithState:
    """Both."""

    destination: Destination
    state: DestinationState = field(default_factory=DestinationState)


_COLUMNS: Final = tuple(one.name for one in fields(Destination))


class Destinations:
    """The registry of destinations.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[DestinationWithState]:
        """Every one with its state, by name."""
        alive_after = utc_now() - timedelta(seconds=ALIVE_S)
        with self._database.connection() as connection:
            rows = connection.execute(SQL["destinations_with_state"]).fetchall()
        found: list[DestinationWithState] = []
        for row in rows:
            destination = _destination(row)
            seen, connected, error, error_at, next_at, *counts = row[len(_COLUMNS) :]
            is_served = seen is not None and seen > alive_after
            state = DestinationState(
                is_served=is_served,
                connected_at=connected if is_served else None,
                last_error=error,
                last_error_at=error_at,
                next_attempt_at=next_at if is_served and connected is None else None,
                waiting_count=counts[0],
                oldest_waiting_at=counts[1],
                held_count=counts[2],
                refused_count=counts[3],
                acknowledged_count=counts[4],
                last_acknowledged_at=counts[5],
            )
            found.append(DestinationWithState(destination=destination, state=state))
        return found

    def get(self, number: int) -> Destination:
        """One.

        Raises:
            UnknownDestination: there is none.
        """
        with self._database.connection() as connection:
            return get(connection, number)

    def add(self, destination: Destination) -> Destination:
        """Register one.

        Raises:
            InvalidDestination: a value cannot be used.
            DestinationExists: the name is taken.
        """
        check(destination)
        with self._database.connection() as connection:
            try:
                row = connection.execute(
                    SQL["add_destination"], _parameters(destination)
                ).fetchone()
            except psycopg.errors.UniqueViolation as error:
                raise DestinationExists("another destination has that name") from error
            assert row is not None  # noqa: S101 - an INSERT returns its row
            tell_senders(connection)
            return get(connection, int(row[0]))

    def change(self, destination: Destination) -> Destination:
        """Change one; `Destination.version` is the one that was read.

        Raises:
            UnknownDestination: there is none.
            DestinationChanged: somebody else was faster.
            InvalidDestination: a value cannot be used.
            DestinationExists: the name is taken.
        """
        check(destination)
        with self._database.connection() as connection:
            before = get(connection, destination.id)
            try:
                count = connection.execute(
                    SQL["change_destination"], _parameters(destination)
                ).rowcount
            except psycopg.errors.UniqueViolation as error:
                raise DestinationExists("another destination has that name") from error
            if count == 0:
                raise DestinationChanged(
                    f"the destination {before.name} was changed meanwhile", hint="read it again."
                )
            tell_senders(connection)
            return get(connection, destination.id)

    def remove(self, number: int) -> Destination:
        """Take one away, with every message that was made for it.

        Raises:
            UnknownDestination: there is none.
            InvalidDestination: messages wait for it.
        """
        with self._database.connection() as connection:
            before = get(connection, number)
            row = connection.execute(SQL["has_waiting"], {"id": number}).fetchone()
            if row is not None:
                raise InvalidDestination(
                    "messages wait for this destination", hint="give them up first, or deactivate."
                )
            connection.execute(SQL["remove_destination"], {"id": number})
            tell_senders(connection)
            return before

    def pause(self, number: int, *, is_paused: bool) -> Destination:
        """Let what is queued wait, or go on.

        Raises:
            UnknownDestination: there is none.
        """
        with self._database.connection() as connection:
            connection.execute(SQL["pause"], {"id": number, "is_paused": is_paused})
            tell_senders(connection)
            return get(connection, number)


CHANNEL: Final = "negatoscope_hl7_out"
"""Notified when something was queued or a destination changed."""


def tell_senders(connection: Connection) -> None:
    """Wake the senders when the caller's transaction commits."""
    connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))


def get(connection: Connection, number: int) -> Destination:
    """A destination.

    Raises:
        UnknownDestination: there is none.
    """
    row = connection.execute(SQL["destination"], {"id": number}).fetchone()
    if row is None:
        raise UnknownDestination(f"there is no destination {number}")
    return _destination(row)


def active(connection: Connection) -> list[Destination]:
    """Those for which messages are made."""
    return [_destination(row) for row in connection.execute(SQL["active_destinations"])]


def check(destination: Destination) -> None:
    """Refuse what cannot be used.

    Raises:
        InvalidDestination: says what.
    """
    for one in fields(Destination):
        value = getattr(destination, one.name)
        texts: Sequence[object] = value if isinstance(value, tuple) else (value,)
        if any(isinstance(text, str) and not text.isprintable() for text in texts):
            raise InvalidDestination(f"{one.name} has characters that cannot be used")
    if not destination.name.strip() or not destination.host.strip():
        raise InvalidDestination("a destination has a name and a host")
    if destination.character_set not in CHARACTER_SETS:
        raise InvalidDestination(f"character_set is one of {', '.join(CHARACTER_SETS)}")
    kinds = set(destination.kinds)
    if not kinds or not kinds <= set(Kind) - {Kind.TEST}:
        raise InvalidDestination("kinds says what the destination is told")
    if {Kind.PATIENTS, Kind.ADT_FORWARD} <= kinds:
        raise InvalidDestination(
            "patients are told as we have them or as they came, not both",
            hint="choose PATIENTS or ADT FORWARD.",
        )


def _parameters(destination: Destination) -> Mapping[str, object]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(destination).items()
    }


def _destination(row: Sequence[Any]) -> Destination:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in zip(_COLUMNS, row, strict=False)
    }
    return Destination(**values)
