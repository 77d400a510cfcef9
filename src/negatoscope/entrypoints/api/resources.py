"""Rooms, devices and people, and the hours in which they can be booked."""

from dataclasses import fields
from datetime import date, time
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, Field

from negatoscope.domain.scheduling.resources import (
    MAX_DAYS,
    MAX_HOURS,
    Hours,
    Resource,
    ResourceKind,
    Resources,
    Shows,
    WorklistFilter,
)
from negatoscope.entrypoints.api.catalogue import (
    Keeper,
    Number,
    Reader,
    Row,
    Version,
    in_transaction,
)
from negatoscope.entrypoints.api.common import Schema

router = APIRouter(tags=["resources"])


def _wall_clock(at: time) -> time:
    if at.tzinfo is not None:
        raise ValueError("opening hours are times of the wall clock, without a zone")
    return at.replace(second=0, microsecond=0)


WallClock = Annotated[time, AfterValidator(_wall_clock)]


class WorklistFilterSchema(Schema):
    """What the worklist of a device shows, whatever it asks for."""

    shows: Shows = Shows.STATION
    modalities: Annotated[
        tuple[Annotated[str, Field(max_length=16)], ...], Field(max_length=30)
    ] = ()
    days_before: Annotated[int, Field(ge=0, le=MAX_DAYS)] = 1
    days_after: Annotated[int | None, Field(ge=0, le=MAX_DAYS)] = None


class OpeningHours(Schema):
    """Hours of a weekday, in the department's zone; 23:59 stands for midnight."""

    weekday: Annotated[int, Field(ge=1, le=7)]
    """1 is Monday."""
    opens: WallClock
    closes: WallClock
    valid_from: date | None = None
    valid_until: date | None = None


class OpeningHoursChange(Schema):
    """All hours of a resource, and the version of it that was read."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    hours: Annotated[tuple[OpeningHours, ...], Field(max_length=MAX_HOURS)]


class ResourceValues(Schema):
    """What is known of a resource."""

    kind: ResourceKind
    name: Annotated[str, Field(min_length=1, max_length=64)]
    location: Annotated[str, Field(max_length=100)] = ""
    room: Row | None = None
    modality: Annotated[str, Field(max_length=16)] = ""
    ae_title: Annotated[str, Field(max_length=16)] = ""
    station_name: Annotated[str, Field(max_length=16)] = ""
    profession: Annotated[str, Field(max_length=40)] = ""
    rpps: Annotated[str, Field(max_length=11)] = ""
    worklist_filter: WorklistFilterSchema = WorklistFilterSchema()
    is_active: bool = True


class ResourceChange(ResourceValues):
    """The same, and the version that was read."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class DepartmentResource(ResourceChange):
    """A room, a device or a person."""

    id: int
    hours: tuple[OpeningHours, ...]


@router.get("/resources")
async def list_resources(
    ask: Reader, kind: ResourceKind | None = None, is_active: bool | None = None
) -> list[DepartmentResource]:
    """Rooms, then devices, then people, by name."""
    found = await in_transaction(
        ask, lambda connection: Resources(connection).every(kind=kind, is_active=is_active)
    )
    return [_shown(one) for one in found]


@router.post("/resources", status_code=201)
async def add_resource(ask: Keeper, values: ResourceValues) -> DepartmentResource:
    """Keep a new room, device or person."""
    wanted = _resource(values)
    added = await in_transaction(ask, lambda connection: Resources(connection).add(wanted))
    await ask.note("add resource", resource=added.id, kind=str(added.kind))
    return _shown(added)


@router.get("/resources/{number}")
async def get_resource(ask: Reader, number: Number) -> DepartmentResource:
    """A resource with its hours."""
    return _shown(await in_transaction(ask, lambda connection: Resources(connection).get(number)))


@router.put("/resources/{number}")
async def put_resource(ask: Keeper, number: Number, values: ResourceChange) -> DepartmentResource:
    """Replace what is known of a resource; 409 when somebody changed it since."""
    wanted = _resource(values, id=number, version=values.version)
    changed = await in_transaction(ask, lambda connection: Resources(connection).change(wanted))
    await ask.note("change resource", resource=number, kind=str(changed.kind))
    return _shown(changed)


@router.put("/resources/{number}/opening-hours")
async def put_opening_hours(
    ask: Keeper, number: Number, values: OpeningHoursChange
) -> DepartmentResource:
    """Replace the hours in which a resource can be booked; what is booked already stays."""
    hours = [Hours(**one.model_dump()) for one in values.hours]
    changed = await in_transaction(
        ask,
        lambda connection: Resources(connection).set_hours(number, hours, version=values.version),
    )
    await ask.note("change opening hours", resource=number)
    return _shown(changed)


@router.delete("/resources/{number}", status_code=204)
async def remove_resource(ask: Keeper, number: Number, version: Version) -> None:
    """Forget a resource that nothing names."""
    await in_transaction(
        ask, lambda connection: Resources(connection).remove(number, version=version)
    )
    await ask.note("remove resource", resource=number)


def _resource(values: ResourceValues, **more: Any) -> Resource:
    given = {name: getattr(values, name) for name in ResourceValues.model_fields}
    shown = WorklistFilter(**values.worklist_filter.model_dump())
    return Resource(**given | {"worklist_filter": shown} | more)


def _shown(one: Resource) -> DepartmentResource:
    given = {field.name: getattr(one, field.name) for field in fields(one)}
    return DepartmentResource(
        **given
        | {
            "worklist_filter": WorklistFilterSchema.model_validate(one.worklist_filter),
            "hours": tuple(OpeningHours.model_validate(hours) for hours in one.hours),
        }
    )
