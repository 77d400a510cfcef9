"""Studies as rows of a list. DICOM's own search is QIDO-RS at ``/dicom-web``."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from negatoscope.domain.archive import overview
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


class Studies(Schema):
    """A page of studies, newest first."""

    studies: list[Study]
    has_more: bool


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


class Search(Schema):
    """What is looked for; everything given must hold."""

    text: Annotated[str, Field(max_length=overview.MAX_TEXT_CHARACTERS)] = ""
    first: date | None = None
    last: date | None = None
    modality: Annotated[str | None, Field(max_length=16)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=10_000)] = 0


@router.get("/studies")
async def list_studies(ask: Ask, search: Annotated[Search, Query()]) -> Studies:
    """Studies by patient's name, identifier, accession number, date and modality."""
    ask.require(Action.QUERY)
    wanted = overview.StudyFilter(
        text=search.text, first=search.first, last=search.last, modality=search.modality
    )
    rows = await run_blocking(
        ask.overview.studies, wanted, limit=search.limit + 1, offset=search.offset
    )
    await ask.services.access.note_read(ask.request, Action.QUERY)
    studies = [Study.model_validate(row) for row in rows[: search.limit]]
    return Studies(studies=studies, has_more=len(rows) > search.limit)


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
