"""WADO-URI (PS3.18 §9): one object by query parameters at ``/wado``.

The parameters are read, checked, and asked of the same resources that WADO-RS serves: the instance
for ``application/dicom``, its ``rendered`` resource (or a frame's, or a presentation state's) for
everything people look at.

``anonymize=yes`` gives an object without identity (`deidentified`).
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.identity import Action
from negatoscope.entrypoints.dicomweb.deidentified import Deidentified
from negatoscope.entrypoints.dicomweb.media_types import (
    DICOM,
    BadMediaType,
    parse_accept,
)
from negatoscope.entrypoints.dicomweb.retrieve_common import ROOT, check_uids
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import Request, Send, send_answer
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

PATH: Final = "/wado"
PARAMETERS: Final[Mapping[str, str]] = {
    # PS3.18 Table 9.1.2-1, 9.4.1-1, 9.5.1-1
    "requestType": "WADO",
    "studyUID": "UID",
    "seriesUID": "UID",
    "objectUID": "UID",
    "contentType": "media types, by comma",
    "charset": "UTF-8",
    "anonymize": "yes, of application/dicom",
    "transferSyntax": "UID, of application/dicom",
    "frameNumber": "from 1",
    "annotation": "patient, technique",
    "rows": "pixels",
    "columns": "pixels",
    "region": "xmin,ymin,xmax,ymax, from 0 to 1",
    "windowCenter": "decimal, with windowWidth",
    "windowWidth": "decimal, with windowCenter",
    "imageQuality": "1 to 100",
    "presentationSeriesUID": "UID, with presentationUID",
    "presentationUID": "UID, with presentationSeriesUID",
}
Serve = Callable[[Request, Send], Awaitable[str]]
_ALLOW: Final = b"GET, HEAD, OPTIONS"
_ONLY_RENDERED: Final = (
    "frameNumber", "annotation", "rows", "columns", "region", "windowCenter", "windowWidth",
    "imageQuality", "presentationSeriesUID", "presentationUID",
)  # fmt: skip
_WITH_PRESENTATION: Final = ("frameNumber", "region", "windowCenter", "windowWidth")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{0,15})?([eE][+-]?[0-9]{1,2})?")
_MAX_SIDE: Final = 65_535


class WadoUri:
    """The service at ``/wado``.

    Args:
        retrieval: The archive's reading side.
        access: Who may.
        dicom_web: Serves the resources of WADO-RS.
        deidentified: Serves objects without identity.
    """

    def __init__(
        self, retrieval: Retrieval, access: Access, dicom_web: Serve, deidentified: Deidentified
    ) -> None:
        self._retrieval = retrieval
        self._access = access
        self._dicom_web = dicom_web
        self._deidentified = deidentified

    async def __call__(self, request: Request, send: Send) -> str:
        """Answer a request.

        Returns: The name of the transaction, for metrics.
        Raises:
            Problem: refused.
        """
        if request.method == "OPTIONS":
            await send_answer(send, 204, [(b"allow", _ALLOW)])
            return "capabilities"
        if request.method not in ("GET", "HEAD"):
            raise Problem("method-not-allowed", allow=_ALLOW.decode("ascii"))
        given = _parameters(request)
        study, series, sop = (given[name] for name in ("studyUID", "seriesUID", "objectUID"))
        await self._access.require_study(request.actor, Action.RETRIEVE, study)
        stored = await run_blocking(self._retrieval.find, sop, study=study, series=series)
        if stored is None:
            raise Problem("instance-not-found")
        wanted = _content_types(request, given)
        if "anonymize" in given:
            if wanted and DICOM not in wanted:
                raise _bad(f"anonymize goes with {DICOM} only")
            _check_object(given)
            await self._deidentified.send(request, send, stored, given.get("transferSyntax"))
            return "wado-uri"
        if wanted == [DICOM]:
            await self._object(request, send, given)
            return "wado-uri"
        rendered = [one for one in wanted if one != DICOM]
        try:
            await self._rendered(request, send, given, stored, rendered)
        except Problem as problem:
            may_be_dicom = DICOM in wanted or not wanted or "contentType" not in given
            is_viewed = any(name in given for name in _ONLY_RENDERED)
            has_no_form = problem.code in ("not-found", "not-acceptable", "not-displayable")
            if is_viewed or not may_be_dicom or not has_no_form:
                raise _not_rendered(problem) from problem
            await self._object(request, send, given)
        return "wado-uri"

    async def _object(self, request: Request, send: Send, given: Mapping[str, str]) -> None:
        _check_object(given)
        accept = DICOM
        if syntax := given.get("transferSyntax"):
            accept += f"; transfer-syntax={syntax}"
        await self._ask(request, send, _path(given), {"accept": accept})

    async def _rendered(
        self,
        request: Request,
        send: Send,
        given: Mapping[str, str],
        stored: StoredInstance,
        wanted: list[str],
    ) -> None:
        if "transferSyntax" in given:
            raise _bad(f"transferSyntax goes with {DICOM} only")
        query: dict[str, str] = {}
        if wanted:
            query["accept"] = ",".join(wanted)
        path = _path(given)
        if "presentationUID" in given:
            for name in _WITH_PRESENTATION:
                if name in given:
                    raise _bad(f"{name} does not go with presentationUID")
            path = (
                f"{ROOT}/studies/{given['studyUID']}/series/{given['presentationSeriesUID']}"
                f"/instances/{given['presentationUID']}"
            )
        elif "frameNumber" in given:
            path += f"/frames/{given['frameNumber']}"
        if viewport := _viewport(given, stored):
            query["viewport"] = viewport
        if "windowCenter" in given:
            query["window"] = f"{given['windowCenter']},{given['windowWidth']},linear"
        for name, other in (
            ("imageQuality", "quality"), ("annotation", "annotation"), ("charset", "charset"),
        ):  # fmt: skip
            if name in given:
                query[other] = given[name]
        await self._ask(request, send, f"{path}/rendered", query)

    async def _ask(self, request: Request, send: Send, path: str, query: Mapping[str, str]) -> None:
        scope = dict(request.scope)
        scope["path"] = path
        scope["query_string"] = urlencode(query).encode("ascii")
        await self._dicom_web(Request(scope, request.receive, request.actor), send)


def _check_object(given: Mapping[str, str]) -> None:
    misplaced = [name for name in _ONLY_RENDERED if name in given]
    if misplaced:
        raise _bad(f"{misplaced[0]} does not go with {DICOM}")


def _parameters(request: Request) -> dict[str, str]:
    """The parameters, each once and of its form.

    Raises:
        Problem: 400.
    """
    given: dict[str, str] = {}
    for name, value in request.query():
        if name not in PARAMETERS:
            continue  # PS3.18 §8.3.1: what is not known is ignored
        if name in given:
            raise _bad(f"{name} may be given once")
        given[name] = value.strip()
    if given.get("requestType") != "WADO":
        raise _bad("requestType is WADO")
    for name in ("studyUID", "seriesUID", "objectUID"):
        if not given.get(name):
            raise _bad(f"{name} is missing")
    given = {name: value for name, value in given.items() if value}
    check_uids(*(value for name, value in given.items() if PARAMETERS[name].startswith("UID")))
    if given.get("anonymize", "yes") != "yes":
        raise _bad("anonymize is yes, or left out")
    for one, other in (
        ("windowCenter", "windowWidth"), ("presentationUID", "presentationSeriesUID"),
    ):  # fmt: skip
        if (one in given) is not (other in given):
            raise _bad(f"{one} and {other} go together")
    for name, low, high in (
        ("frameNumber", 1, 999_999_999), ("rows", 1, _MAX_SIDE), ("columns", 1, _MAX_SIDE),
        ("imageQuality", 1, 100),
    ):  # fmt: skip
        text = given.get(name)
        if text is not None and not (
            text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high
        ):
            raise _bad(f"{name} is a number from {low} to {high}")
    for name in ("windowCenter", "windowWidth"):
        if name in given and _DECIMAL.fullmatch(given[name]) is None:
            raise _bad(f"{name} is a decimal number")
    return given


def _content_types(request: Request, given: Mapping[str, str]) -> list[str]:
    """What is accepted, best first; empty when anything is.

    Raises:
        Problem: unreadable.
    """
    header = given.get("contentType", request.header(b"accept"))
    try:
        found = [one.type for one in parse_accept(header)]
    except BadMediaType as error:
        raise Problem("bad-request", detail=f"contentType: {error}.") from error
    return [] if "*/*" in found and "contentType" not in given else list(dict.fromkeys(found))


def _viewport(given: Mapping[str, str], stored: StoredInstance) -> str | None:
    """``vw,vh,sx,sy,sw,sh`` of PS3.18 §8.3.5.1.3, from rows, columns and region.

    Raises:
        Problem: the region is none.
    """
    rows, columns = stored.rows or 0, stored.columns or 0
    region = (0.0, 0.0, 1.0, 1.0)
    if "region" in given:
        parts = given["region"].split(",")
        if len(parts) != 4 or not all(map(_DECIMAL.fullmatch, parts)):
            raise _bad("region is four decimal numbers")
        left, top, right, bottom = map(float, parts)
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise _bad("region lies between 0 and 1, its smaller numbers first")
        region = (left, top, right, bottom)
    elif "rows" not in given and "columns" not in given:
        return None
    left, top, right, bottom = region
    x, y = int(left * columns), int(top * rows)
    width, height = max(int(right * columns) - x, 1), max(int(bottom * rows) - y, 1)
    shown_columns, shown_rows = (int(given.get(name, 0)) for name in ("columns", "rows"))
    if not shown_columns:  # the other side follows, as the image is
        shown_columns = max(round(width * shown_rows / height), 1) if shown_rows else width
    if not shown_rows:
        shown_rows = max(round(height * shown_columns / width), 1)
    shown = f"{shown_columns},{shown_rows}"
    return f"{shown},{x},{y},{width},{height}" if "region" in given else shown


def _path(given: Mapping[str, str]) -> str:
    return (
        f"{ROOT}/studies/{given['studyUID']}/series/{given['seriesUID']}"
        f"/instances/{given['objectUID']}"
    )


def _not_rendered(problem: Problem) -> Problem:
    """404 of a resource that is not there means here that the object has no such form."""
    if problem.code != "not-found":
        return problem
    return Problem("not-acceptable", detail=f"The object can be had as {DICOM}.",
                   extra={"available": [DICOM]})  # fmt: skip


def _bad(detail: str) -> Problem:
    return Problem("bad-query", detail=f"{detail[0].upper()}{detail[1:]}.")
