"""HL7 messages as they came, what their senders were told, what came of them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from negatoscope.domain.identity import Action
from negatoscope.domain.messages import (
    Filter,
    MessageNotReplayable,
    Messages,
    State,
    StoredMessage,
    UnknownMessage,
)
from negatoscope.entrypoints.api.common import Administer, Schema
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking
from negatoscope.protocols.hl7v2 import MalformedMessage, parse
from negatoscope.standard.hl7_fields import FIELD_NAMES, SEGMENT_NAMES

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


class HL7Field(Schema):
    """A field that has a value, as written."""

    number: int
    name: str
    value: str
    is_cut: bool


class HL7Segment(Schema):
    """A segment, explained."""

    id: str
    name: str
    fields: list[HL7Field]


class HL7Explained(Schema):
    """A message with its segments; of an unreadable one the text alone."""

    message: HL7Message
    segments: list[HL7Segment]
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
    patient_identifier: _Text = "",
    message_type: _Text = "",
    state: State | None = None,
    sending_application: _Text = "",
    control_id: _Text = "",
    stored_from: datetime | None = None,
    stored_until: datetime | None = None,
    before_id: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[HL7Message]:
    """The newest that match; older ones by ``before_id``."""
    wanted = Filter(
        patient_identifier=patient_identifier.replace("\0", ""),
        message_type=message_type.replace("\0", ""),
        state=state,
        sending_application=sending_application.replace("\0", ""),
        control_id=control_id.replace("\0", ""),
        stored_from=stored_from,
        stored_until=stored_until,
        before_id=before_id,
    )
    messages = Messages(ask.services.database)
    found = await run_blocking(messages.search, wanted, limit=limit)
    await ask.services.access.note_read(ask.request, Action.ADMINISTER)
    return [_message(one) for one in found]


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


def _message(one: StoredMessage) -> HL7Message:
    return HL7Message.model_validate(one)


def _explained(stored: StoredMessage, content: bytes) -> HL7Explained:
    try:
        message = parse(content)
    except MalformedMessage:
        text = content[:_MAX_SHOWN_CHARACTERS].decode("utf-8", "replace")
        return HL7Explained(message=_message(stored), segments=[], text=text)
    segments: list[HL7Segment] = []
    for segment in message:
        names = FIELD_NAMES.get(segment.id, ())
        fields = [
            HL7Field(
                number=number,
                name=names[number - 1] if number <= len(names) else "",
                value=raw[:_MAX_SHOWN_CHARACTERS],
                is_cut=len(raw) > _MAX_SHOWN_CHARACTERS,
            )
            for number, raw in enumerate(segment.fields[1:], start=1)
            if raw
        ]
        segments.append(
            HL7Segment(id=segment.id, name=SEGMENT_NAMES.get(segment.id, ""), fields=fields)
        )
    return HL7Explained(message=_message(stored), segments=segments, text="")
