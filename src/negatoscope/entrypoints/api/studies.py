"""Studies as rows of a list. DICOM's own search is QIDO-RS at ``/dicom-web``."""

from datetime import date, datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Response
from psycopg.errors import QueryCanceled
from pydantic import Field

from negatoscope.domain.archive.errors import InvalidCursor
from negatoscope.domain.archive.listing import (
    MAX_LIMIT,
    MAX_TEXT_CHARACTERS,
    Order,
    StudyCriteria,
    TotalIs,
)
from negatoscope.domain.identity import Action
from negatoscope.entrypoints.api.common import Ask, Schema
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["studies"])


class Study(Schema):
    """A study with its counts."""

    study_instance_uid: str
    study_date: date | None
    study_time: str | None
    study_description: str | None
    accession_number: str | None
    modalities_in_study: tuple[str, ...]
    series_count: int
    instance_count: int
    byte_count: int
    patient_name: str | None
    patient_id: str | None
    patient_birth_date: date | None
    patient_sex: str | None


class ListedStudy(Study):
    """A study as a row of the list."""

    referring_physician_name: str | None
    received_at: datetime
    patient_key: int
    """Of ``/patients/{patient_key}``: an identifier alone names nobody."""
    issuer_of_patient_id: str


class Studies(Schema):
    """A page of studies."""

    studies: list[ListedStudy]
    next_cursor: str | None
    """Of the next page, with everything else as it was."""
    total: int | None
    """Counted with the first page only."""
    total_is: TotalIs | None


class Series(Schema):
    """A series with its counts."""

    series_instance_uid: str
    modality: str | None
    series_number: int | None
    series_description: str | None
    body_part_examined: str | None
    station_name: str | None
    instance_count: int
    byte_count: int


class StudyDetail(Schema):
    """A study with its series."""

    summary: Study
    referring_physician_name: str | None
    received_at: datetime | None
    series: tuple[Series, ...]


class Totals(Schema):
    """What the archive holds in all; counted some moments ago."""

    study_count: int
    series_count: int
    instance_count: int
    byte_count: int
    modalities: tuple[str, ...]


_Words = Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS)]


class Search(Schema):
    """What is looked for; everything given must hold, case and accents do not count."""

    text: _Words = ""
    """Words of name, identifiers, accession number, description, modality; each must occur."""
    patient_name: _Words = ""
    patient_id: _Words = ""
    issuer_of_patient_id: _Words = ""
    accession_number: _Words = ""
    study_description: _Words = ""
    referring_physician_name: _Words = ""
    institution_name: _Words = ""
    station_name: _Words = ""
    first: date | None = None
    last: date | None = None
    modality: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=16)], ...], Field(max_length=20)
    ] = ()
    order: Order = Order.NEWEST
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 50
    cursor: Annotated[str | None, Field(max_length=600)] = None


@router.get("/studies", response_model=Studies)
async def list_studies(ask: Ask, search: Annotated[Search, Query()]) -> Response:
    """Studies by whatever is known of them, as one types."""
    ask.require(Action.QUERY)
    criteria = StudyCriteria(
        **search.model_dump(exclude={"modality", "order", "limit", "cursor"}),
        modalities=search.modality,
    )
    try:
        page = await run_blocking(
            ask.study_list.page,
            criteria,
            order=search.order,
            limit=search.limit,
            cursor=search.cursor,
            visible=ask.visible,
        )
    except InvalidCursor as error:
        raise Problem("bad-query", detail=f"cursor: {error}.") from error
    except QueryCanceled as error:
        raise Problem("query-too-wide") from error
    await ask.services.access.note_read(ask.request, Action.QUERY)
    # The rows are ours and of the type said above: checking each again costs more than finding them.
    return Response(orjson.dumps(page), media_type="application/json")


@router.get("/studies/{study_instance_uid}")
async def get_study(
    ask: Ask, study_instance_uid: Annotated[str, Path(pattern=r"^[0-9.]{1,64}$")]
) -> StudyDetail:
    """One study with its series."""
    ask.require(Action.QUERY, study_instance_uid)
    found = await run_blocking(ask.overview.study, study_instance_uid)
    if found is None:
        raise Problem("study-not-found")
    await ask.services.access.note_read(ask.request, Action.QUERY, study_instance_uid)
    return StudyDetail.model_validate(found)


@router.get("/totals")
async def get_totals(ask: Ask) -> Totals:
    """Counts over everything."""
    ask.require(Action.QUERY)
    return Totals.model_validate(await run_blocking(ask.overview.totals))
