"""Where HL7 messages go, and what waits: for administrators only."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from negatoscope.domain.messages import (
    Destination,
    DestinationChanged,
    DestinationExists,
    Destinations,
    DestinationWithState,
    InvalidDestination,
    UnknownDestination,
)
from negatoscope.entrypoints.api.common import Administer, Schema
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.db import Database
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers.outbound_hl7 import queue_test

router = APIRouter(tags=["HL7 destinations"])
Number = Annotated[int, Field(ge=1, lt=1 << 63)]
Text = Annotated[str, Field(max_length=180)]
Words = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(max_length=100)
]


class HL7DestinationSettings(Schema):
    """A system that messages go to."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    host: Annotated[str, Field(min_length=1, max_length=255)]
    port: Annotated[int, Field(ge=1, le=65535)]
    tls: bool = False
    check_host: bool = True
    sending_application: Text = "NEGATOSCOPE"
    sending_facility: Text = ""
    receiving_application: Text = ""
    receiving_facility: Text = ""
    character_set: Literal["UNICODE UTF-8", "8859/15", "8859/1", "ASCII"] = "UNICODE UTF-8"
    order_profile: Literal["OMI^O23", "ORM^O01"] = "OMI^O23"
    adt_profile: Literal["PAM-FR", "INTERNATIONAL"] = "PAM-FR"
    kinds: Annotated[
        tuple[
            Literal[
                "ORDERS",
                "ORDER STATUS",
                "ORDER NUMBERS",
                "APPOINTMENTS",
                "PATIENTS",
                "ADT FORWARD",
            ],
            ...,
        ],
        Field(min_length=1, max_length=6),
    ]
    modalities: Words = ()
    requesting_services: Words = ()
    authorities: Words = ()
    patient_classes: Words = ()
    """PV1-2: ``E``, ``I``, ``O`` …"""
    actions: Words = ()
    """``NW``, ``XO_CM``, ``S12``, ``A40`` …; empty: all."""
    acknowledgment_mode: Literal["ORIGINAL", "ENHANCED"] = "ORIGINAL"
    connect_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    answer_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    holds_after_refusal: bool = False
    is_active: bool = True


class HL7DestinationChange(HL7DestinationSettings):
    """The same with the version that was read."""

    version: Annotated[int, Field(ge=1)]


class HL7DestinationState(Schema):
    """How a connection is doing."""

    is_served: bool
    connected_at: datetime | None
    waiting_count: int
    oldest_waiting_at: datetime | None
    held_count: int
    refused_count: int
    acknowledged_count: int
    last_acknowledged_at: datetime | None
    last_error: str
    last_error_at: datetime | None
    next_attempt_at: datetime | None


class HL7Destination(HL7DestinationChange):
    """A destination and how it is doing."""

    id: int
    is_paused: bool
    state: HL7DestinationState


class HL7TestQueued(Schema):
    """The number of the test message among the outbound ones."""

    message: int


@router.get("/hl7/destinations")
async def list_hl7_destinations(ask: Administer) -> list[HL7Destination]:
    """Every one, by name."""
    found = await run_blocking(Destinations(ask.services.database).all)
    return [_shown(one) for one in found]


@router.post("/hl7/destinations", status_code=201)
async def add_hl7_destination(ask: Administer, wished: HL7DestinationSettings) -> HL7Destination:
    """Register one: from now on messages are made for it."""
    destinations = Destinations(ask.services.database)
    made = await _changed(destinations.add, Destination(**wished.model_dump()))
    await ask.note("add HL7 destination", destination=made.id, after=wished.model_dump())
    return await _one(ask, made.id)


@router.put("/hl7/destinations/{number}")
async def put_hl7_destination(
    ask: Administer, number: Number, wished: HL7DestinationChange
) -> HL7Destination:
    """Change one; a version that is not the last is a conflict."""
    destinations = Destinations(ask.services.database)
    before = await _known(destinations.get, number)
    values = wished.model_dump() | {"id": number, "is_paused": before.is_paused}
    await _changed(destinations.change, Destination(**values))
    await ask.note(
        "change HL7 destination",
        destination=number,
        before={name: getattr(before, name) for name in HL7DestinationSettings.model_fields},
        after=wished.model_dump(),
    )
    return await _one(ask, number)


@router.delete("/hl7/destinations/{number}", status_code=204)
async def remove_hl7_destination(ask: Administer, number: Number) -> None:
    """Take one away with what was made for it; refused while messages wait."""
    before = await _changed(Destinations(ask.services.database).remove, number)
    await ask.note("remove HL7 destination", destination=number, name=before.name)


@router.post("/hl7/destinations/{number}/pause")
async def pause_hl7_destination(ask: Administer, number: Number) -> HL7Destination:
    """Queue, but do not send."""
    return await _pause(ask, number, is_paused=True)


@router.post("/hl7/destinations/{number}/resume")
async def resume_hl7_destination(ask: Administer, number: Number) -> HL7Destination:
    """Send what waits."""
    return await _pause(ask, number, is_paused=False)


@router.post("/hl7/destinations/{number}/test", status_code=202)
async def test_hl7_destination(ask: Administer, number: Number) -> HL7TestQueued:
    """Queue a message that names no patient (NMD^N02); look at it for what was answered."""
    destination = await _known(Destinations(ask.services.database).get, number)
    zone = ask.services.settings.zone

    def queue(database: Database) -> int:
        with database.connection() as connection:
            return queue_test(connection, destination, zone=zone)

    message = await run_blocking(queue, ask.services.database)
    await ask.note("test HL7 destination", destination=number, message_id=message)
    return HL7TestQueued(message=message)


async def _pause(ask: Administer, number: int, *, is_paused: bool) -> HL7Destination:
    destinations = Destinations(ask.services.database)
    await _known(lambda one: destinations.pause(one, is_paused=is_paused), number)
    await ask.note("pause HL7 destination", destination=number, is_paused=is_paused)
    return await _one(ask, number)


async def _one(ask: Administer, number: int) -> HL7Destination:
    for one in await run_blocking(Destinations(ask.services.database).all):
        if one.destination.id == number:
            return _shown(one)
    raise Problem("not-found")


async def _known(get: Any, number: int) -> Destination:
    try:
        found: Destination = await run_blocking(get, number)
    except UnknownDestination as error:
        raise Problem("not-found") from error
    return found


async def _changed(change: Any, value: Any) -> Destination:
    try:
        made: Destination = await run_blocking(change, value)
    except UnknownDestination as error:
        raise Problem("not-found") from error
    except (DestinationExists, DestinationChanged) as error:
        raise Problem("conflict", detail=f"{error.message}; {error.hint}".strip("; ")) from error
    except InvalidDestination as error:
        raise Problem(
            "invalid-input", detail=f"{error.message}; {error.hint}".strip("; ")
        ) from error
    return made


def _shown(one: DestinationWithState) -> HL7Destination:
    destination = one.destination
    names = set(HL7Destination.model_fields) - {"state"}
    values = {name: getattr(destination, name) for name in names}
    return HL7Destination(**values, state=HL7DestinationState.model_validate(one.state))
