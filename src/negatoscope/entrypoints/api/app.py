"""``/api/v1``: our own JSON, described at ``/api/v1/openapi.json``.

Every refusal is a problem document; every route asks the policy before it does anything.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from negatoscope.domain.archive.errors import IndexUnavailable
from negatoscope.domain.archive.listing import StudyList
from negatoscope.domain.archive.overview import Overview
from negatoscope.domain.archive.patients import Patients
from negatoscope.entrypoints.api import (
    addresses,
    application_entities,
    appointments,
    archive,
    audit,
    board,
    board_actions,
    break_glass,
    calls,
    catalogue,
    configuration,
    context,
    destinations,
    documents,
    downtime,
    events,
    examinations,
    hospital_units,
    identity,
    instances,
    links,
    me,
    messages,
    operations,
    orders,
    patient_history,
    patients,
    performed_steps,
    preferences,
    providers,
    reconciliation,
    registered_patients,
    resources,
    session,
    slots,
    studies,
    system,
    tokens,
    vetting,
)
from negatoscope.entrypoints.api.streams import Streams
from negatoscope.entrypoints.web.asgi import SECURITY_HEADERS
from negatoscope.entrypoints.web.failures import problem_for
from negatoscope.entrypoints.web.problems import MEDIA_TYPE, Problem
from negatoscope.entrypoints.web.services import Services
from negatoscope.entrypoints.web.version import VERSION
from negatoscope.infra.errors import DatabaseUnavailable

PREFIX = "/api/v1"
_ROUTES = (
    system,
    session,
    providers,
    me,
    studies,
    patients,
    reconciliation,
    registered_patients,
    patient_history,
    hospital_units,
    vetting,
    orders,
    instances,
    events,
    preferences,
    archive,
    application_entities,
    identity,
    audit,
    messages,
    catalogue,
    resources,
    destinations,
    tokens,
    break_glass,
    links,
    operations,
    configuration,
    context,
    calls,
    addresses,
    board,
    appointments,
    slots,
    downtime,
    board_actions,
    documents,
    performed_steps,
    examinations,
)


def create_api(services: Services) -> FastAPI:
    """The application behind ``/api``; who asks is in ``scope["negatoscope.request"]``.

    ``state.streams`` is closed by the caller.
    """
    api = FastAPI(
        title="Negatoscope",
        version=VERSION,
        description="Administration and lists of the archive node.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses={
            "4XX": {
                "description": "Refused",
                "content": {MEDIA_TYPE: {"schema": _PROBLEM_SCHEMA}},
            }
        },
    )
    api.state.services = services
    api.state.overview = Overview(services.database)
    api.state.study_list = StudyList(services.database)
    api.state.patients = Patients(services.database)
    api.state.streams = Streams(services)
    for module in _ROUTES:
        api.include_router(module.router, prefix=PREFIX)
    for expected in (Problem, DatabaseUnavailable, IndexUnavailable, psycopg.OperationalError):
        api.add_exception_handler(expected, _problem)
    api.add_exception_handler(Exception, _problem)
    api.add_exception_handler(HTTPException, _http_exception)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.middleware("http")(_secure)
    return api


_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}


async def _secure(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    for name, value in SECURITY_HEADERS:
        response.headers[name.decode("ascii")] = value.decode("ascii")
    response.headers.setdefault("cache-control", "no-store")
    return response


def _answer(problem: Problem) -> Response:
    headers = {name.decode("ascii"): value.decode("ascii") for name, value in problem.headers()}
    return Response(problem.body(), problem.status, headers)


async def _problem(request: Request, error: Exception) -> Response:
    services: Services = request.app.state.services
    return _answer(await problem_for(services, request.scope["negatoscope.request"], error))


def _http_exception(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        allow = (getattr(error, "headers", None) or {}).get("Allow")
        return _answer(Problem("method-not-allowed", allow=allow))
    return _answer(Problem("not-found" if status == 404 else "bad-request"))


def _invalid(_request: Request, error: Exception) -> Response:
    """Which values cannot be used; the values themselves are not repeated."""
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    return _answer(
        Problem(
            "invalid-input",
            extra={
                "errors": [
                    {"where": [str(part) for part in one["loc"]], "reason": one["msg"]}
                    for one in errors
                ]
            },
        )
    )
