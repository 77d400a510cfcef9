"""HL7 messages as they came and went, what was answered, what came of them."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from negatoscope.domain.identity import Action
from negatoscope.domain.messages import (
    MessageNotReplayable,
    Messages,
    Outbound,
    OutboundMessage,
    OutboundState,
    Place,
    State,
    StoredMessage,
    UnknownMessage,
    Wanted,
    journal,
)
from negatoscope.entrypoints.api.common import Administer, Schema
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking
from negatoscope.protocols.hl7v2 import MalformedMessage, parse
from negatoscope.standard.hl7_fields import SEGMENTS, field_name

router = APIRouter(tags=["HL7 messages"])
_Text = Annotated[str, Query(max_length=200)]
_MAX_SHOWN_CHARACTERS = 4000
"""Of one field; documents in OBX-5 are megabytes long."""


class HL7Verdict(Schema):
    """What the sender was told."""

    code: Literal["AA", "AE", "AR"]
    error_code: str
    segment: str
    field: int
    reason: str


class HL7Message(Schema):
    """A kept message."""

    id: int
    stored_at: datetime
    peer: str
    sending_application: str
    sending_facility: str
    message_code: str
    trigger_event: str
    control_id: str
    version_id: str
    patient_identifiers: list[str]
    notes: list[str]
    verdict: HL7Verdict
    state: State
    state_reason: str
    effect: dict[str, Any]
    attempt_count: int
    processed_at: datetime | None
    byte_count: int


class HL7Line(Schema):
    """A message of either direction.

    ``id`` counts each direction apart; ``state`` is PENDING, PROCESSED, IGNORED, FAILED of one that
    came, WAITING, ACKNOWLEDGED, GIVEN UP, REFUSED of one that went.
    """

    place: str
    direction: Literal["in", "out"]
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
    patient_identifiers: list[str]
    acknowledgment_code: str
    error_code: str
    state: State | OutboundState
    reason: str
    effect: dict[str, Any]
    attempt_count: int
    finished_at: datetime | None
    byte_count: int
    patient: int | None
    request: int | None
    appointment: int | None


class HL7OutboundMessage(Schema):
    """A message that went or is to go."""

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
    patient_identifiers: list[str]
    state: OutboundState
    attempt_count: int
    last_sent_at: datetime | None
    last_error: str
    acknowledgment_code: str
    error_code: str
    reason: str
    finished_at: datetime | None
    byte_count: int


class HL7Field(Schema):
    """A field that has a value, as written."""

    number: int
    name: str
    name_fr: str
    value: str
    is_cut: bool


class HL7Segment(Schema):
    """A segment, explained."""

    id: str
    name: str
    name_fr: str
    fields: list[HL7Field]


class HL7Explained(Schema):
    """A message with its segments; of an unreadable one the text alone."""

    message: HL7Message
    segments: list[HL7Segment]
    text: str


class HL7OutboundExplained(Schema):
    """The same with its segments, and those of the answer."""

    message: HL7OutboundMessage
    segments: list[HL7Segment]
    answer: list[HL7Segment]
    text: str


class HL7Sender(Schema):
    """Who sent messages in the last 30 days."""

    sending_application: str
    sending_facility: str
    message_count: int
    pending_count: int
    failed_count: int
    last_at: datetime
    last_peer: str


class HL7Overview(Schema):
    """Who sends, and what waits."""

    senders: list[HL7Sender]
    pending_count: int
    oldest_pending_at: datetime | None


@router.get("/hl7/messages")
async def list_hl7_messages(
    ask: Administer,
    *,
    direction: Literal["in", "out"] | None = None,
    patient_identifier: _Text = "",
    message_type: _Text = "",
    state: State | None = None,
    partner: _Text = "",
    destination: Annotated[int | None, Query(ge=1)] = None,
    control_id: _Text = "",
    request: Annotated[int | None, Query(ge=1)] = None,
    stored_from: datetime | None = None,
    stored_until: datetime | None = None,
    before: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[HL7Line]:
    """What came and what went, the newest first; older ones by ``before``, the last line's ``place``."""
    wanted = Wanted(
        direction=direction,
        patient_identifier=patient_identifier.replace("\0", ""),
        message_type=message_type.replace("\0", ""),
        state=state,
        partner=partner.replace("\0", ""),
        destination=destination,
        control_id=control_id.replace("\0", ""),
        request=request,
        stored_from=stored_from,
        stored_until=stored_until,
        before=_place(before),
    )
    found = await run_blocking(journal, ask.services.database, wanted, limit=limit)
    await ask.services.access.note_read(ask.request, Action.ADMINISTER)
    return [
        HL7Line(
            **{name: getattr(one, name) for name in HL7Line.model_fields if name != "place"},
            place=f"{one.at.isoformat()}|{one.direction}|{one.id}",
        )
        for one in found
    ]


def _place(text: str) -> Place | None:
    if not text:
        return None
    at, direction, number = (*text.split("|"), "", "")[:3]
    try:
        instant = datetime.fromisoformat(at)
        found = Place(instant, "in" if direction == "in" else "out", int(number))
    except ValueError as error:
        raise Problem("bad-query", detail="before is the place of a line.") from error
    if direction not in {"in", "out"} or instant.tzinfo is None or not 0 < found.id < 1 << 63:
        raise Problem("bad-query", detail="before is the place of a line.")
    return found


@router.get("/hl7/overview")
async def get_hl7_overview(ask: Administer) -> HL7Overview:
    """Who sends, and what waits."""
    messages = Messages(ask.services.database)
    senders = await run_blocking(messages.senders)
    count, oldest = await run_blocking(messages.depth)
    return HL7Overview(
        senders=[HL7Sender.model_validate(one) for one in senders],
        pending_count=count,
        oldest_pending_at=oldest,
    )


@router.get("/hl7/messages/{number}")
async def get_hl7_message(ask: Administer, number: Annotated[int, Field(ge=1)]) -> HL7Explained:
    """One message, segment by segment."""
    try:
        stored, content = await run_blocking(Messages(ask.services.database).get, number)
    except UnknownMessage as error:
        raise Problem("not-found") from error
    await ask.note("read HL7 message", message_id=number)
    return await run_blocking(_explained, stored, content)


@router.post("/hl7/messages/{number}/replay", status_code=202)
async def replay_hl7_message(ask: Administer, number: Annotated[int, Field(ge=1)]) -> HL7Message:
    """Let a message that failed or was ignored have its turn again, as it is."""
    messages = Messages(ask.services.database)
    try:
        await run_blocking(messages.replay, number)
        stored, _ = await run_blocking(messages.get, number)
    except UnknownMessage as error:
        raise Problem("not-found") from error
    except MessageNotReplayable as error:
        raise Problem("conflict", detail=f"{error.message}; {error.hint}") from error
    await ask.note("replay HL7 message", message_id=number)
    return _message(stored)


@router.get("/hl7/outbound/{number}")
async def get_hl7_outbound(
    ask: Administer, number: Annotated[int, Field(ge=1, lt=1 << 63)]
) -> HL7OutboundExplained:
    """One message that went or is to go, segment by segment."""
    try:
        stored, content, answer = await run_blocking(Outbound(ask.services.database).get, number)
    except UnknownMessage as error:
        raise Problem("not-found") from error
    await ask.note("read outbound HL7 message", message_id=number)
    segments, text = await run_blocking(_segments, content)
    answered, _ = await run_blocking(_segments, answer) if answer else ([], "")
    return HL7OutboundExplained(
        message=_sent(stored), segments=segments, answer=answered, text=text
    )


@router.post("/hl7/outbound/{number}/replay", status_code=202)
async def replay_hl7_outbound(
    ask: Administer, number: Annotated[int, Field(ge=1, lt=1 << 63)]
) -> HL7OutboundMessage:
    """Send again, as it is, what was refused or given up."""
    return await _decide(ask, number, "replay outbound HL7 message", Outbound.replay)


@router.post("/hl7/outbound/{number}/give-up", status_code=202)
async def give_up_hl7_outbound(
    ask: Administer, number: Annotated[int, Field(ge=1, lt=1 << 63)]
) -> HL7OutboundMessage:
    """Do not send what waits or was refused."""
    return await _decide(ask, number, "give up outbound HL7 message", Outbound.give_up)


async def _decide(
    ask: Administer, number: int, action: str, decide: Callable[[Outbound, int], None]
) -> HL7OutboundMessage:
    outbound = Outbound(ask.services.database)
    try:
        await run_blocking(decide, outbound, number)
        stored, _, _ = await run_blocking(outbound.get, number)
    except UnknownMessage as error:
        raise Problem("not-found") from error
    except MessageNotReplayable as error:
        raise Problem("conflict", detail=f"{error.message}; {error.hint}") from error
    await ask.note(action, message_id=number)
    return _sent(stored)


def _sent(one: OutboundMessage) -> HL7OutboundMessage:
    return HL7OutboundMessage.model_validate(one)


def _message(one: StoredMessage) -> HL7Message:
    return HL7Message.model_validate(one)


def _explained(stored: StoredMessage, content: bytes) -> HL7Explained:
    segments, text = _segments(content)
    return HL7Explained(message=_message(stored), segments=segments, text=text)


def _segments(content: bytes) -> tuple[list[HL7Segment], str]:
    """A message taken apart; of an unreadable one the text."""
    try:
        message = parse(content)
    except MalformedMessage:
        return [], content[:_MAX_SHOWN_CHARACTERS].decode("utf-8", "replace")
    segments: list[HL7Segment] = []
    for segment in message:
        explained = SEGMENTS.get(segment.id)
        fields: list[HL7Field] = []
        for number, raw in enumerate(segment.fields[1:], start=1):
            if not raw:
                continue
            name = field_name(segment.id, number)
            fields.append(
                HL7Field(
                    number=number,
                    name=name.en,
                    name_fr=name.fr,
                    value=raw[:_MAX_SHOWN_CHARACTERS],
                    is_cut=len(raw) > _MAX_SHOWN_CHARACTERS,
                )
            )
        segments.append(
            HL7Segment(
                id=segment.id,
                name="" if explained is None else explained.name.en,
                name_fr="" if explained is None else explained.name.fr,
                fields=fields,
            )
        )
    return segments, ""
