"""Search (QIDO-RS, PS3.18 §10.6): query parameters to keys, matches to DICOM JSON.

Pure mapping around `domain.archive.query.search`; it blocks, and knows nothing of ASGI. No match is
204 (PS3.18 §8.3.4.4.1). When more matched than was answered, and when a match parameter is not
supported, the answer says so in Warning headers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import orjson

from negatoscope.domain.archive.query import (
    DEFAULT_LIMITS,
    DicomJson,
    HeaderReader,
    Include,
    MatchOptions,
    Query,
    QueryError,
    QueryLevel,
    QueryLimits,
    search,
    unusable_keys,
)
from negatoscope.domain.archive.query.rows import name_value
from negatoscope.domain.identity import EVERYTHING, DataScope
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.db import Database
from negatoscope.standard import tags

MAX_RESULTS: Final = 10_000
"""Matches of one answer at most, whatever `limit` says."""
MEDIA_TYPE: Final = "application/dicom+json"

_STUDY, _SERIES, _IMAGE = QueryLevel.STUDY, QueryLevel.SERIES, QueryLevel.IMAGE
_MAX_OFFSET: Final = 1 << 31
_SEQUENCE_DEPTH: Final = 8
_RETRIEVE_URL: Final = f"{tags.RETRIEVE_URL:08X}"
_STUDY_UID: Final = f"{tags.STUDY_INSTANCE_UID:08X}"
_SERIES_UID: Final = f"{tags.SERIES_INSTANCE_UID:08X}"
_SOP_UID: Final = f"{tags.SOP_INSTANCE_UID:08X}"
_MULTI_VALUED: Final = frozenset({"AE", "AS", "AT", "LO", "PN", "SH", "UC"})
_COMMA_LISTS: Final = frozenset({"UI", "CS"})  # a comma cannot be part of a value
_TRUTH: Final = MappingProxyType({"true": True, "false": False, "1": True, "0": False})

DEFAULT_ATTRIBUTES: Final[Mapping[QueryLevel, tuple[str, ...]]] = MappingProxyType(
    {
        _STUDY: (  # PS3.18 Table 10.6.3-3
            "StudyDate", "StudyTime", "AccessionNumber", "InstanceAvailability",
            "ModalitiesInStudy", "ReferringPhysicianName", "TimezoneOffsetFromUTC", "PatientName",
            "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID",
            "StudyDescription", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances",
        ),
        _SERIES: (  # PS3.18 Table 10.6.3-4
            "Modality", "TimezoneOffsetFromUTC", "SeriesDescription", "SeriesInstanceUID",
            "SeriesNumber", "NumberOfSeriesRelatedInstances", "PerformedProcedureStepStartDate",
            "PerformedProcedureStepStartTime", "RequestAttributesSequence", "StudyInstanceUID",
            "InstanceAvailability",
        ),
        _IMAGE: (  # PS3.18 Table 10.6.3-5
            "SOPClassUID", "SOPInstanceUID", "InstanceAvailability", "TimezoneOffsetFromUTC",
            "InstanceNumber", "Rows", "Columns", "BitsAllocated", "NumberOfFrames",
            "StudyInstanceUID", "SeriesInstanceUID",
        ),
    }
)  # fmt: skip
"""Keywords answered without being asked for; Retrieve URL comes in addition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QidoContext:
    """Where and for whom a search is made.

    Attributes:
        database: The index.
        base_url: Of the DICOMweb service, without trailing slash: what Retrieve URLs begin with.
        ae_title: Ours, for Retrieve AE Title.
        headers: Reads object headers for instance attributes the index has no column for.
        scope: What the asker may see.
        limits: Bounds on the query.
        max_results: Matches of one answer at most.
    """

    database: Database
    base_url: str
    ae_title: str = ""
    headers: HeaderReader | None = None
    scope: DataScope = EVERYTHING
    limits: QueryLimits = DEFAULT_LIMITS
    max_results: int = MAX_RESULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class QidoResult:
    """An answer.

    Attributes:
        status: 200 or 204.
        headers: Content-Type and Warning.
        body: The pieces of a JSON array; empty with 204.
        count: Matches in it.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: tuple[bytes, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """Query parameters, understood."""

    keys: DicomJson
    matched: frozenset[str]
    include: Include
    options: MatchOptions
    limit: int | None
    offset: int


Parameters = Sequence[tuple[str, str]]


def search_for_studies(params: Parameters, ctx: QidoContext) -> QidoResult:
    """`GET /studies`.

    Args:
        params: Decoded query parameters, in order.
        ctx: Where and for whom.
    Raises:
        Problem: 400 for what cannot be understood, 503 when the index cannot answer.
    """
    return _search(_STUDY, params, ctx, {}, _fields(_STUDY))


def search_for_series(
    params: Parameters, ctx: QidoContext, study_instance_uid: str | None = None
) -> QidoResult:
    """`GET /series` and `GET /studies/{study}/series`; raises as `search_for_studies`."""
    if study_instance_uid is None:
        return _search(_SERIES, params, ctx, {}, _fields(_SERIES, _STUDY))
    return _search(_SERIES, params, ctx, {_STUDY_UID: study_instance_uid}, _fields(_SERIES))


def search_for_instances(
    params: Parameters,
    ctx: QidoContext,
    study_instance_uid: str | None = None,
    series_instance_uid: str | None = None,
) -> QidoResult:
    """`GET /instances`, below a study or below a series; raises as `search_for_studies`."""
    if study_instance_uid is None:
        return _search(_IMAGE, params, ctx, {}, _fields(_IMAGE, _SERIES, _STUDY))
    path = {_STUDY_UID: study_instance_uid}
    if series_instance_uid is None:
        return _search(_IMAGE, params, ctx, path, _fields(_IMAGE, _SERIES))
    return _search(_IMAGE, params, ctx, path | {_SERIES_UID: series_instance_uid}, _fields(_IMAGE))


def search_resource(path: Sequence[str], params: Parameters, ctx: QidoContext) -> QidoResult:
    """Search by the segments of the resource's path, `["studies", "1.2.3", "series"]`.

    Raises:
        Problem: 404 for a path that is no search resource, otherwise as `search_for_studies`.
    """
    match path:
        case ["studies"]:
            return search_for_studies(params, ctx)
        case ["series"]:
            return search_for_series(params, ctx)
        case ["instances"]:
            return search_for_instances(params, ctx)
        case ["studies", study, "series"]:
            return search_for_series(params, ctx, study)
        case ["studies", study, "instances"]:
            return search_for_instances(params, ctx, study)
        case ["studies", study, "series", series, "instances"]:
            return search_for_instances(params, ctx, study, series)
        case _:
            raise Problem("not-found")


def read_parameters(params: Parameters) -> SearchRequest:
    """Understand the query parameters of PS3.18 §8.3.4.

    Attributes are named by keyword or tag, those inside sequences by a dotted path. Values of
    UIDs and code strings may be lists, by comma, by backslash or by repeating the parameter.

    Raises: Problem: 400.
    """
    keys: DicomJson = {}
    switches: dict[str, bool] = {}
    counts: dict[str, int] = {}
    include = Include.KEYS
    wanted: list[str] = []
    for name, value in params:
        match name:
            case "fuzzymatching" | "emptyvaluematching" | "multiplevaluematching":
                switches[name] = _truth(name, value)
            case "limit" | "offset":
                if name in counts:
                    raise _bad(f"{name} may be given once")
                counts[name] = _count(name, value)
            case "includefield":
                wanted += [field for field in value.split(",") if field]
            case "accept" | "charset" | "annotation":
                pass
            case _:
                _add(keys, name, value)
    matched = frozenset(tag for tag, key in keys.items() if key.get("Value"))
    for field in wanted:
        if field.lower() == "all":
            include = Include.ALL
        else:
            tag, vr = _attribute(field.partition(".")[0])
            keys.setdefault(tag, {"vr": vr})
    if bad := unusable_keys(keys):
        raise _bad(f"the value of {_name(bad[0])} cannot be used")
    return SearchRequest(
        keys=keys,
        matched=matched,
        include=include,
        options=MatchOptions(
            fuzzy=switches.get("fuzzymatching", False),
            every_value=switches.get("multiplevaluematching", False),
        ),
        limit=counts.get("limit"),
        offset=counts.get("offset", 0),
    )


def _search(
    level: QueryLevel,
    params: Parameters,
    ctx: QidoContext,
    path: Mapping[str, str],
    fields: DicomJson,
) -> QidoResult:
    request = read_parameters(params)
    keys = fields | request.keys
    keys.pop(_RETRIEVE_URL, None)
    for tag, uid in path.items():
        listed = request.keys.get(tag, {}).get("Value")
        if listed and uid not in listed:
            return QidoResult(status=204, headers=(), body=(), count=0)
        keys[tag] = {"vr": "UI", "Value": [uid]}
    limit = min(request.limit if request.limit is not None else ctx.max_results, ctx.max_results)
    query = Query(
        level=level,
        keys=keys,
        relational=True,
        options=request.options,
        include=request.include,
        limit=limit,
        offset=request.offset,
        scope=ctx.scope,
        retrieve_ae_title=ctx.ae_title,
    )
    try:
        matches = search(ctx.database, query, headers=ctx.headers, limits=ctx.limits)
        pieces = []
        for match in matches:
            for tag in matches.unsupported:  # not empty but absent (PS3.18 §10.6.3.3)
                del match[tag]
            pieces.append(_piece(match, level, ctx.base_url))
    except QueryError as error:
        raise _problem(error) from error
    warnings = []
    if ignored := sorted(request.matched & set(matches.unsupported)):
        names = ", ".join(_name(tag) for tag in ignored)
        warnings.append(f"These match parameters are not supported and were ignored: {names}")
    if matches.truncated:
        warnings.append("There are additional results that can be requested")
    headers = tuple(("Warning", f'299 {ctx.base_url} "{text}"') for text in warnings)
    if not pieces:
        return QidoResult(status=204, headers=headers, body=(), count=0)
    return QidoResult(
        status=200,
        headers=(("Content-Type", MEDIA_TYPE), *headers),
        body=(b"[", *_joined(pieces), b"]"),
        count=len(pieces),
    )


def _joined(pieces: Sequence[bytes]) -> list[bytes]:
    return [piece if at == 0 else b"," + piece for at, piece in enumerate(pieces)]


def _piece(match: DicomJson, level: QueryLevel, base_url: str) -> bytes:
    url = f"{base_url}/studies/{match[_STUDY_UID]['Value'][0]}"
    if level is not _STUDY:
        url += f"/series/{match[_SERIES_UID]['Value'][0]}"
    if level is _IMAGE:
        url += f"/instances/{match[_SOP_UID]['Value'][0]}"
    match[_RETRIEVE_URL] = {"vr": "UR", "Value": [url]}
    return orjson.dumps(match, option=orjson.OPT_SORT_KEYS)


def _fields(*levels: QueryLevel) -> DicomJson:
    """The default attributes of some levels, as return keys."""
    return {
        tag: {"vr": vr}
        for level in levels
        for tag, vr in map(_attribute, DEFAULT_ATTRIBUTES[level])
    }


def _add(keys: DicomJson, name: str, value: str) -> None:
    """Add one match parameter, `RequestAttributesSequence.RequestedProcedureID` = `RP1`."""
    *sequences, last = name.split(".")
    if len(sequences) > _SEQUENCE_DEPTH:
        raise _bad("too many sequences in one another")
    here = keys
    for part in sequences:
        tag, vr = _attribute(part)
        if vr != "SQ":
            raise _bad(f"{_name(tag)} is no sequence")
        here = here.setdefault(tag, {"vr": "SQ", "Value": [{}]}).setdefault("Value", [{}])[0]
    tag, vr = _attribute(last)
    if vr == "SQ":
        if value:
            raise _bad(f"{_name(tag)} is a sequence: name an attribute of its items")
        here.setdefault(tag, {"vr": "SQ"})
        return
    element = here.setdefault(tag, {"vr": vr})
    if values := _values(vr, value):
        element.setdefault("Value", []).extend(values)


def _values(vr: str, text: str) -> list[Any]:
    if vr in _COMMA_LISTS:
        parts = text.replace(",", "\\").split("\\")
    elif vr in _MULTI_VALUED:
        parts = text.split("\\")
    else:
        parts = [text]
    found = [part.strip() for part in parts if part.strip()]
    return [name_value(part) for part in found] if vr == "PN" else found


def _attribute(name: str) -> tuple[str, str]:
    """Tag and value representation of an attribute's keyword or tag."""
    tag = tags.parse_tag(name)
    if tag is None:
        raise _bad(f"query parameter {name[:64]!a} names no attribute")
    return f"{tag:08X}", tags.vr_for(tag)


def _name(tag: str) -> str:
    return tags.keyword_for(int(tag, 16)) or tag


def _truth(name: str, value: str) -> bool:
    found = _TRUTH.get(value.lower())
    if found is None:
        raise _bad(f"{name} is true or false")
    return found


def _count(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 10):
        raise _bad(f"{name} is a number from 0")
    return min(int(value), _MAX_OFFSET)


def _bad(detail: str) -> Problem:
    return Problem("bad-query", detail=f"{detail[0].upper()}{detail[1:]}.")


def _problem(error: QueryError) -> Problem:
    if error.http_status == 400:
        return _bad(error.error_comment)
    if error.code == "index-unavailable":
        return Problem("database-unavailable", retry_after_s=5)
    if error.code == "query-timeout":
        return Problem("busy", detail="The query takes too long; narrow it.")
    return Problem("internal-error")
