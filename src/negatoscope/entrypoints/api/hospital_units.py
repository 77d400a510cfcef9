"""The hospital's structure: units (UF), listed and taken from a file."""

from datetime import date, datetime
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Query
from pydantic import Field

from negatoscope.domain.identity import Action
from negatoscope.domain.patients.units import MAX_BYTES, Units, UnitsRefused, read_csv
from negatoscope.entrypoints.api.common import Asking, Schema, to
from negatoscope.entrypoints.api.registered_patients import with_connection
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["hospital units"])
Reader = Annotated[Asking, to(Action.READ_WORK)]
Keeper = Annotated[Asking, to(Action.CATALOGUE)]


class HospitalUnit(Schema):
    """A unit for a time."""

    id: int
    code: str
    label: str
    kind: str
    parent_code: str
    valid_from: date | None
    valid_until: date | None
    """The last day; null: still."""
    source: str
    """``user:<name>``, ``hl7:<message>``, or the movement that named it first."""
    changed_at: datetime


class UnitsFile(Schema):
    """A CSV file: code, label (libellé), kind, parent, valid_from, valid_until."""

    content: Annotated[str, Field(max_length=MAX_BYTES)]


class UnitsTaken(Schema):
    """What a file changed."""

    unit_count: int


@router.get("/hospital-units")
async def list_hospital_units(
    ask: Reader,
    *,
    text: Annotated[str, Query(max_length=100)] = "",
    day: date | None = None,
    after_code: Annotated[str, Query(max_length=200)] = "",
    after_id: Annotated[int, Query(ge=0, lt=1 << 62)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> list[HospitalUnit]:
    """Units by code; of one day, or with their whole past. The next page by the last code and number."""

    def find(connection: psycopg.Connection[Any]) -> list[HospitalUnit]:
        found = Units(connection).list(
            text=text.replace("\0", ""),
            day=day,
            after=(after_code.replace("\0", ""), after_id) if after_code else None,
            limit=limit,
        )
        return [HospitalUnit.model_validate(one) for one in found]

    return await run_blocking(with_connection, ask, find)


@router.post("/hospital-units/import")
async def import_hospital_units(ask: Keeper, file: UnitsFile) -> UnitsTaken:
    """Put a list in the place of what was known of its codes, all or nothing; other codes stay."""

    def take(connection: psycopg.Connection[Any]) -> int:
        units = read_csv(file.content.encode())
        return Units(connection).replace(units, source=f"user:{ask.actor.name}")

    try:
        count = await run_blocking(with_connection, ask, take)
    except UnitsRefused as error:
        raise Problem(
            "invalid-input",
            detail=f"{error.message}; {error.hint}",
            extra={"lines": [{"line": line, "reason": why} for line, why in error.problems]},
        ) from error
    await ask.note("import hospital units", count=count)
    return UnitsTaken(unit_count=count)
