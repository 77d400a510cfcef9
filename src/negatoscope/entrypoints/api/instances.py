"""Series and instances of a study, and the header of an instance."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query

from negatoscope.domain.archive.elements import read_header
from negatoscope.domain.archive.errors import ObjectMissing, RetrieveError
from negatoscope.domain.identity import Action
from negatoscope.entrypoints.api.common import Ask, Schema
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking
from negatoscope.standard.sop_classes import sop_class_name
from negatoscope.standard.transfer_syntaxes import transfer_syntax

router = APIRouter(tags=["instances"])
Uid = Annotated[str, Path(pattern=r"^[0-9.]{1,64}$")]
_LAST = (1 << 31) - 1


class SeriesTile(Schema):
    """A series as a tile."""

    study_instance_uid: str
    series_instance_uid: str
    modality: str | None
    series_number: int | None
    series_description: str | None
    body_part_examined: str | None
    station_name: str | None
    institution_name: str | None
    protocol_name: str | None
    series_date: date | None
    series_time: str | None
    instance_count: int
    byte_count: int
    middle_sop_instance_uid: str | None
    """For a thumbnail: ``/dicom-web/…/instances/{uid}/thumbnail``."""


class Instance(Schema):
    """An instance as a row."""

    sop_instance_uid: str
    sop_class_uid: str
    sop_class_name: str
    transfer_syntax_uid: str
    transfer_syntax_name: str
    instance_number: int | None
    number_of_frames: int | None
    rows: int | None
    columns: int | None
    size: int
    received_at: datetime
    has_pixels: bool


class Instances(Schema):
    """A page of instances, in the order of their numbers."""

    instances: list[Instance]
    next_cursor: str | None


class Element(Schema):
    """One line of a header; ``depth`` says how far it stands in."""

    kind: str
    depth: int
    tag: str
    vr: str
    length: int | None
    keyword: str | None
    name: str | None
    creator: str | None
    number: int
    value: str
    is_cut: bool


class Header(Schema):
    """The header of an instance, its file meta information included."""

    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    sop_class_uid: str
    sop_class_name: str
    transfer_syntax_uid: str
    transfer_syntax_name: str
    size: int
    elements: list[Element]
    is_cut: bool
    problem: str | None


@router.get("/studies/{study_instance_uid}/series")
async def list_series(ask: Ask, study_instance_uid: Uid) -> list[SeriesTile]:
    """The series of a study, in the order of their numbers."""
    ask.require(Action.QUERY, study_instance_uid)
    found = await run_blocking(ask.patients.series, [study_instance_uid])
    if not found:
        raise Problem("study-not-found")
    await ask.services.access.note_read(ask.request, Action.QUERY, study_instance_uid)
    return [SeriesTile.model_validate(one) for one in found]


@router.get("/studies/{study_instance_uid}/series/{series_instance_uid}/instances")
async def list_instances(
    ask: Ask,
    study_instance_uid: Uid,
    series_instance_uid: Uid,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Annotated[str | None, Query(pattern=r"^-?[0-9]{1,10}\.[0-9]{1,18}$")] = None,
) -> Instances:
    """Instances of a series, page by page."""
    ask.require(Action.QUERY, study_instance_uid)
    after = (-(1 << 31), 0)
    if cursor is not None:
        number, _, key = cursor.partition(".")
        after = (max(-(1 << 31), min(int(number), _LAST)), int(key))
    found = await run_blocking(
        ask.patients.instances,
        study_instance_uid,
        series_instance_uid,
        after=after,
        limit=limit,
    )
    if not found and cursor is None:
        raise Problem("series-not-found")
    await ask.services.access.note_read(ask.request, Action.QUERY, study_instance_uid)
    following = None
    if len(found) == limit:
        last = found[-1]
        number_of_last = _LAST if last.instance_number is None else last.instance_number
        following = f"{number_of_last}.{last.key}"
    return Instances(
        next_cursor=following,
        instances=[
            Instance(
                sop_instance_uid=one.sop_instance_uid,
                sop_class_uid=one.sop_class_uid,
                sop_class_name=sop_class_name(one.sop_class_uid),
                transfer_syntax_uid=one.transfer_syntax_uid,
                transfer_syntax_name=transfer_syntax(one.transfer_syntax_uid).name,
                instance_number=one.instance_number,
                number_of_frames=one.number_of_frames,
                rows=one.rows,
                columns=one.columns,
                size=one.size,
                received_at=one.received_at,
                has_pixels=one.has_pixels,
            )
            for one in found
        ],
    )


@router.get("/instances/{sop_instance_uid}/header")
async def get_header(
    ask: Ask,
    sop_instance_uid: Uid,
    study: Annotated[str | None, Query(pattern=r"^[0-9.]{1,64}$")] = None,
) -> Header:
    """Every element of an instance as text, private ones named where their maker published names."""
    ask.require(Action.RETRIEVE)
    stored = await run_blocking(ask.services.retrieval.find, sop_instance_uid, study=study)
    if stored is None:
        raise Problem("instance-not-found")
    await ask.require_study(Action.RETRIEVE, stored.study_instance_uid)
    await ask.services.access.note_read(ask.request, Action.RETRIEVE, stored.study_instance_uid)
    try:
        header = await run_blocking(read_header, ask.services.retrieval, stored)
    except ObjectMissing as error:
        raise Problem("instance-not-found") from error
    except RetrieveError as error:
        raise Problem("object-unreadable") from error
    return Header(
        sop_instance_uid=stored.sop_instance_uid,
        series_instance_uid=stored.series_instance_uid,
        study_instance_uid=stored.study_instance_uid,
        sop_class_uid=stored.sop_class_uid,
        sop_class_name=sop_class_name(stored.sop_class_uid),
        transfer_syntax_uid=stored.transfer_syntax_uid,
        transfer_syntax_name=transfer_syntax(stored.transfer_syntax_uid).name,
        size=stored.size,
        elements=[
            Element.model_construct(**{n: getattr(e, n) for n in _ELEMENT}) for e in header.elements
        ],
        is_cut=header.is_cut,
        problem=header.problem,
    )


_ELEMENT = tuple(Element.model_fields)
