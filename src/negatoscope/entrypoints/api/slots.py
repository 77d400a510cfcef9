"""The next free slots for a visit."""

from datetime import UTC, datetime
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Query

from negatoscope.domain.scheduling.slots import (
    MAX_WANTED,
    HalfDay,
    Question,
    search,
    wanted_procedures,
    wanted_steps,
)
from negatoscope.entrypoints.api.common import Schema
from negatoscope.entrypoints.api.scheduling_common import (
    Instant,
    Reader,
    Row,
    carry_out,
    rules,
)
from negatoscope.entrypoints.web.problems import Problem

router = APIRouter(tags=["appointments"])


class SlotStep(Schema):
    """Where and when one step could be done."""

    step: int | None
    procedure: int | None
    """Of the catalogue."""
    start_at: datetime
    end_at: datetime
    room: int
    device: int | None


class Slot(Schema):
    """A visit that could be booked; its steps follow one another."""

    start_at: datetime
    end_at: datetime
    is_preferred: bool
    """On one of the weekdays, in the half of the day that were asked for."""
    steps: list[SlotStep]


@router.get("/slots")
async def search_slots(
    ask: Reader,
    *,
    step: Annotated[list[Row] | None, Query(max_length=MAX_WANTED)] = None,
    procedure: Annotated[list[Row] | None, Query(max_length=MAX_WANTED)] = None,
    earliest: Annotated[Instant | None, Query()] = None,
    days: Annotated[int, Query(ge=1, le=366)] = 60,
    weekday: Annotated[list[Annotated[int, Query(ge=1, le=7)]] | None, Query(max_length=7)] = None,
    half_day: HalfDay | None = None,
    room: Annotated[list[Row] | None, Query(max_length=100)] = None,
    max_wait_min: Annotated[int, Query(ge=0, le=480)] = 30,
    ignore_appointment: Annotated[Row | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> list[Slot]:
    """The earliest slots for steps of orders or procedures of the catalogue, in one visit.

    ``weekday`` (1 is Monday) and ``half_day`` are preferences: slots that fit come first.
    """
    if not step and not procedure:
        raise Problem("bad-query", detail="Say for which steps or procedures.")

    def work(connection: psycopg.Connection[Any]) -> list[Slot]:
        wanted = wanted_steps(connection, step or [])
        wanted += wanted_procedures(connection, procedure or [])
        question = Question(
            wanted=wanted,
            earliest=earliest or datetime.now(UTC),
            days=days,
            weekdays=weekday or (),
            half_day=half_day,
            rooms=room or (),
            max_wait_min=max_wait_min,
            ignore=ignore_appointment,
            limit=limit,
        )
        return [
            Slot(
                start_at=one.start_at,
                end_at=one.end_at,
                is_preferred=one.is_preferred,
                steps=[SlotStep.model_validate(place) for place in one.places],
            )
            for one in search(connection, rules(ask), question)
        ]

    return await carry_out(ask, work)
