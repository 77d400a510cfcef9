"""What came and what went, in one list."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from negatoscope.domain.messages.model import State
from negatoscope.domain.messages.outbound import OutboundState
from negatoscope.domain.messages.repository import MAX_PAGE, SQL
from negatoscope.infra.db import Database

Direction = Literal["in", "out"]
OUTBOUND_STATES: Final[Mapping[State, OutboundState]] = {
    State.PENDING: OutboundState.WAITING,
    State.PROCESSED: OutboundState.ACKNOWLEDGED,
    State.IGNORED: OutboundState.GIVEN_UP,
    State.FAILED: OutboundState.REFUSED,
}
"""What corresponds, for a filter over both directions."""


class Place(NamedTuple):
    """In the list: what follows is older."""

    at: datetime
    direction: Direction
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A message of either direction.

    Attributes:
        id: Counted apart for each direction.
        partner: MSH-3 of who sent it; the destination's name.
        peer: Address.
        destination: Of one that went.
        kind: Of one that went: `Kind`.
        acknowledgment_code: What was told, or answered.
        state: `State` or `OutboundState`.
        effect: Of one that came.
    """

    direction: Direction
    id: int
    at: datetime
    message_code: str
    trigger_event: str
    control_id: str
    version_id: str
    partner: str
    partner_facility: str
    peer: str
    destination: int | None
    kind: str
    action: str
    patient_identifiers: tuple[str, ...]
    acknowledgment_code: str
    error_code: str
    state: str
    reason: str
    effect: Mapping[str, Any]
    attempt_count: int
    finished_at: datetime | None
    byte_count: int
    patient: int | None
    request: int | None
    appointment: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines: what is given must all be so.

    Attributes:
        patient_identifier: The value, or ``value^authority``.
        message_type: ``ADT`` or ``ADT^A01``.
        state: And what corresponds to it among those that went.
        partner: MSH-3 of who sent, or the destination's name.
        request: Of one order: those that went.
        before: Only older ones than the one there.
    """

    direction: Direction | None = None
    patient_identifier: str = ""
    message_type: str = ""
    state: State | None = None
    partner: str = ""
    destination: int | None = None
    control_id: str = ""
    request: int | None = None
    stored_from: datetime | None = None
    stored_until: datetime | None = None
    before: Place | None = None


_NAMES: Final = tuple(one.name for one in fields(Line))


def journal(database: Database, wanted: Wanted, *, limit: int = 100) -> list[Line]:
    """The newest that match, newest first; at most `MAX_PAGE`."""
    code, _, trigger = wanted.message_type.partition("^")
    before = wanted.before
    parameters = {
        "direction": wanted.direction or "",
        "destination": wanted.destination,
        "request": wanted.request,
        "before_at": None if before is None else before.at,
        "before_direction": "" if before is None else before.direction,
        "before_id": 0 if before is None else before.id,
        "in_states": None if wanted.state is None else [wanted.state],
        "out_states": None if wanted.state is None else [OUTBOUND_STATES[wanted.state]],
        "message_code": code,
        "trigger_event": trigger,
        "partner": wanted.partner,
        "control_id": wanted.control_id,
        "stored_from": wanted.stored_from,
        "stored_until": wanted.stored_until,
        "patient_identifiers": [wanted.patient_identifier] if wanted.patient_identifier else None,
        "limit": min(limit, MAX_PAGE),
    }
    with database.connection() as connection:
        rows = connection.execute(SQL["journal"], parameters).fetchall()
    lines: list[Line] = []
    for row in rows:
        values: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
        values["patient_identifiers"] = tuple(values["patient_identifiers"])
        lines.append(Line(**values))
    return lines
