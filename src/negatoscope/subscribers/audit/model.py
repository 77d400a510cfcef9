"""What a row of the trail says, and in which of its chains it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class Outcome(StrEnum):
    """How it ended."""

    SUCCESS = "SUCCESS"
    REFUSED = "REFUSED"
    """It was not allowed."""
    FAILED = "FAILED"
    """It was allowed and went wrong."""


class EventClass(StrEnum):
    """What kind of thing happened; every action belongs to one."""

    SIGN_IN = "sign in"
    SIGN_OUT = "sign out"
    CONNECTION = "connection"
    """A peer that asked for an association, or for C-ECHO."""
    QUERY = "query"
    VIEW = "view"
    """A person looked, in a browser of ours."""
    RETRIEVE = "retrieve"
    """A program fetched objects, frames or metadata."""
    STORE = "store"
    CHANGE = "change"
    """Of patients, studies, objects or workitems that are here."""
    DELETE = "delete"
    EXPORT = "export"
    """Objects left for a place of somebody's choice: a zip, a move destination, a disc."""
    BREAK_GLASS = "break glass"
    """Emergency access beyond one's rights, with a reason."""
    CONFIGURATION = "configuration"
    """Accounts, rights, tokens, devices, settings."""
    AUDIT = "audit"
    """The trail itself was read, exported, verified or purged."""
    SYSTEM = "system"
    """The program started or stopped, an operator ran a command."""


class Chain(StrEnum):
    """The trail has three chains, so that each class can be kept as long as it must be."""

    ACCESS = "access"
    """To patients' data."""
    SECURITY = "security"
    """Who may do what, and who tried."""
    OPERATION = "operation"


CHAIN_OF: Final[Mapping[EventClass, Chain]] = {
    EventClass.SIGN_IN: Chain.SECURITY,
    EventClass.SIGN_OUT: Chain.SECURITY,
    EventClass.CONNECTION: Chain.SECURITY,
    EventClass.QUERY: Chain.ACCESS,
    EventClass.VIEW: Chain.ACCESS,
    EventClass.RETRIEVE: Chain.ACCESS,
    EventClass.STORE: Chain.ACCESS,
    EventClass.CHANGE: Chain.ACCESS,
    EventClass.DELETE: Chain.ACCESS,
    EventClass.EXPORT: Chain.ACCESS,
    EventClass.BREAK_GLASS: Chain.ACCESS,
    EventClass.CONFIGURATION: Chain.SECURITY,
    EventClass.AUDIT: Chain.SECURITY,
    EventClass.SYSTEM: Chain.OPERATION,
}

_CLASS_OF_ACTION: Final[Mapping[str, EventClass]] = {
    "verify": EventClass.CONNECTION,
    "associate": EventClass.CONNECTION,
    "authenticate": EventClass.SIGN_IN,
    "store": EventClass.STORE,
    "commit": EventClass.STORE,
    "query": EventClass.QUERY,
    "worklist": EventClass.QUERY,
    "view": EventClass.VIEW,
    "retrieve": EventClass.RETRIEVE,
    "mpps": EventClass.CHANGE,
    "ups": EventClass.CHANGE,
    "print": EventClass.EXPORT,
    "share": EventClass.EXPORT,
    "use link": EventClass.SIGN_IN,
    "read HL7 message": EventClass.VIEW,
    "replay HL7 message": EventClass.CHANGE,
    "apply HL7 message": EventClass.CHANGE,
    "order": EventClass.CHANGE,
    "open order": EventClass.VIEW,
    "change order": EventClass.CHANGE,
    "read the department's work": EventClass.VIEW,
    "vet": EventClass.CHANGE,
    "schedule": EventClass.CHANGE,
    "perform": EventClass.CHANGE,
    "reconcile": EventClass.CHANGE,
    "performed step seen": EventClass.CHANGE,
    "assign device": EventClass.CHANGE,
    "note on step": EventClass.CHANGE,
    "bind studies": EventClass.CHANGE,
    "undo reconciliation": EventClass.CHANGE,
    "read examination": EventClass.VIEW,
    "read outbound HL7 message": EventClass.VIEW,
    "download": EventClass.EXPORT,
    "export": EventClass.EXPORT,
    "read audit": EventClass.AUDIT,
    "metrics": EventClass.SYSTEM,
    "start": EventClass.SYSTEM,
    "stop": EventClass.SYSTEM,
    "command": EventClass.SYSTEM,
    "set up": EventClass.CONFIGURATION,
    "administer": EventClass.CONFIGURATION,
}

_CLASS_OF_FIRST_WORD: Final[Mapping[str, EventClass]] = {
    "task": EventClass.CHANGE,
    "merge": EventClass.CHANGE,
    "correct": EventClass.CHANGE,
    "register": EventClass.CHANGE,
    "hold": EventClass.CHANGE,
    "release": EventClass.CHANGE,
    "cancel": EventClass.CHANGE,
    "discontinue": EventClass.CHANGE,
    "reopen": EventClass.CHANGE,
    "answer": EventClass.CHANGE,
    "clear": EventClass.CHANGE,
    "accept": EventClass.CHANGE,
    "refuse": EventClass.CHANGE,
    "replace": EventClass.CHANGE,
    "reconsider": EventClass.CHANGE,
    "group": EventClass.CHANGE,
    "ungroup": EventClass.CHANGE,
    "upload": EventClass.STORE,
    "import": EventClass.STORE,
    "delete": EventClass.DELETE,
    "export": EventClass.EXPORT,
    "download": EventClass.EXPORT,
    "send": EventClass.EXPORT,
    "fetch": EventClass.STORE,
    "break": EventClass.BREAK_GLASS,
    "audit": EventClass.AUDIT,
    "view": EventClass.VIEW,
    "open": EventClass.VIEW,
    "look": EventClass.VIEW,
    "compare": EventClass.VIEW,
    "print": EventClass.EXPORT,
    "start": EventClass.SYSTEM,
    "stop": EventClass.SYSTEM,
}


def class_of(action: str) -> EventClass:
    """The class of an action for which its writer named none.

    What no table knows is a change of the configuration: that is the class of the words our pages
    and commands make up ("add user", "write application entity"), and the one nobody overlooks.
    """
    if found := _CLASS_OF_ACTION.get(action):
        return found
    for both in (EventClass.SIGN_IN, EventClass.SIGN_OUT):
        if action.startswith(both):
            return both
    if EventClass.BREAK_GLASS in action:
        return EventClass.BREAK_GLASS
    return _CLASS_OF_FIRST_WORD.get(
        action.partition(" ")[0].partition("-")[0], EventClass.CONFIGURATION
    )


def event_class(stored: str, action: str) -> EventClass:
    """The class of a row; rows of older versions name none."""
    try:
        return EventClass(stored)
    except ValueError:
        return class_of(action)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """A row of the trail; ``event_count`` like events from ``occurred_at`` to ``last_at``.

    Attributes:
        credential: What the actor presented.
        door: By which wire it came in.
        reason: Why: of a refusal, of an emergency access.
        destination: To whom it went.
        detail: More, as JSON.
        chain, seq: Its place in a chain; None until it is sealed.
    """

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
    detail: Mapping[str, Any]
    chain: str | None
    seq: int | None


COLUMNS: Final = (
    "id, occurred_at, last_at, event_count, event_class, actor_kind, actor_name, actor_roles, credential, peer, "
    "door, action, outcome, reason, study_instance_uid, patient_id, issuer_of_patient_id, accession_number, "
    "destination, detail"
)
"""Of both tables, in the order of ``from_row``."""


def from_row(row: tuple[Any, ...]) -> AuditEvent:
    """A row of ``COLUMNS, chain, seq``."""
    return AuditEvent(
        id=row[0],
        occurred_at=row[1],
        last_at=row[2],
        event_count=row[3],
        event_class=str(event_class(row[4], row[11])),
        actor_kind=row[5],
        actor_name=row[6],
        actor_roles=tuple(row[7]),
        credential=row[8],
        peer=row[9],
        door=row[10],
        action=row[11],
        outcome=row[12],
        reason=row[13],
        study_instance_uid=row[14],
        patient_id=row[15],
        issuer_of_patient_id=row[16],
        accession_number=row[17],
        destination=row[18],
        detail=row[19],
        chain=row[20],
        seq=row[21],
    )
