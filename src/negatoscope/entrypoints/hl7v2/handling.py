"""From a kept message to what it does: one module per family of messages."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from negatoscope.domain.identity import Actor
from negatoscope.domain.messages import CannotApply, Outcome
from negatoscope.domain.orders import Numbering
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.entrypoints.hl7v2 import adt, appointments, master_files, orders
from negatoscope.infra.settings import Settings
from negatoscope.protocols.hl7v2 import MalformedMessage, Message, parse
from negatoscope.subscribers import audit

Family = Callable[[psycopg.Connection[Any], int, Message, Settings | None], Outcome]


def _zone(settings: Settings | None) -> ZoneInfo:
    return adt.PARIS if settings is None else settings.zone


def _adt(
    connection: psycopg.Connection[Any], number: int, message: Message, settings: Settings | None
) -> Outcome:
    return adt.apply(connection, number, message, zone=_zone(settings))


def _master_file(
    connection: psycopg.Connection[Any], number: int, message: Message, settings: Settings | None
) -> Outcome:
    return master_files.apply(connection, number, message, zone=_zone(settings))


def _numbering(settings: Settings | None) -> Numbering:
    if settings is None:
        return Numbering()
    given = settings.orders
    return Numbering(
        pattern=given.accession_number_pattern, issuer=given.issuer_of_accession_number
    )


def _order(
    connection: psycopg.Connection[Any], number: int, message: Message, settings: Settings | None
) -> Outcome:
    zone = _zone(settings)
    return orders.apply(connection, number, message, numbering=_numbering(settings), zone=zone)


def _appointment(
    connection: psycopg.Connection[Any], number: int, message: Message, settings: Settings | None
) -> Outcome:
    rules = Rules(zone=_zone(settings)) if settings is None else Rules.of(settings)
    return appointments.apply(
        connection, number, message, numbering=_numbering(settings), rules=rules
    )


FAMILIES: Final[Mapping[str, Family]] = {
    "ADT": _adt,
    "MFN": _master_file,
    "ORM": _order,
    "OMG": _order,
    "OMI": _order,
    "SIU": _appointment,
}


def handle(
    connection: psycopg.Connection[Any],
    number: int,
    content: bytes,
    *,
    settings: Settings | None = None,
) -> Outcome:
    """Do what a message says, in the caller's transaction.

    Args:
        connection: In a transaction.
        number: The message's.
        content: Its bytes.
        settings: Of the department; defaults without them.

    Raises:
        Ignored: nothing here depends on it.
        CannotApply: a person must look at it.
    """
    try:
        message = parse(content)
    except MalformedMessage as error:
        raise CannotApply(error.message, segment=error.segment, field=error.field) from error
    family = FAMILIES.get(message.message_code)
    if family is None:
        raise CannotApply(f"messages of type {message.message_code[:10]} are not taken here")
    if settings is not None:
        authority = settings.patients.authority_of(message.sender[1])
        message = adt.with_authority(message, authority)
    outcome = family(connection, number, message, settings)
    _record(connection, number, message, outcome)
    return outcome


def _record(
    connection: psycopg.Connection[Any], number: int, message: Message, outcome: Outcome
) -> None:
    """Write into the audit trail what a message changed: the sender, the first patient named, its number."""
    pid = message.first("PID")
    patient = None if pid is None else next(iter(adt.patient_identifiers(pid, 3)), None)
    audit.record_in(
        connection,
        actor=Actor.system(" ".join(part for part in message.sender if part) or "HL7"),
        action="apply HL7 message",
        door="hl7",
        patient_id=None if patient is None else patient.value,
        issuer_of_patient_id=None if patient is None else patient.authority.namespace or None,
        detail={"message": number, "event": message.trigger_event, "effect": dict(outcome.effect)},
    )
