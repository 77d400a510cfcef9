"""What an exception is to the client, and where it is noted."""

import psycopg
import structlog

from negatoscope.domain.archive.errors import IndexUnavailable
from negatoscope.entrypoints.web.access import Forbidden
from negatoscope.entrypoints.web.asgi import Request
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.services import Services
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.subscribers.audit import Outcome

RETRY_AFTER_S = 5
_log = structlog.get_logger(__name__)


async def problem_for(services: Services | None, request: Request, error: Exception) -> Problem:
    """The problem document of an exception.

    A refusal by the policy goes to the audit trail, what we did not foresee to the log. The log
    has the path and never the query string, which may name a patient.
    """
    match error:
        case Forbidden():
            await _note(services, request, error)
            return error
        case Problem():
            return error
        case DatabaseUnavailable() | IndexUnavailable() | psycopg.OperationalError():
            _log.warning("http.database_unavailable", path=request.path)
            return Problem("database-unavailable", retry_after_s=RETRY_AFTER_S)
        case psycopg.DataError() if "NUL (0x00)" in str(error):
            _log.warning("http.nul_in_input", path=request.path)
            return Problem("invalid-input", detail="A text has a NUL character.")
        case _:
            _log.error("http.failed", method=request.method, path=request.path, exc_info=error)
            return Problem("internal-error")


async def _note(services: Services | None, request: Request, refusal: Forbidden) -> None:
    if services is None:
        return
    try:
        await services.access.note(
            request,
            refusal.action,
            outcome=Outcome.REFUSED,
            study_instance_uid=refusal.study_instance_uid,
        )
    except (DatabaseUnavailable, psycopg.Error):
        _log.warning("http.refusal_not_noted", action=refusal.action, actor=request.actor.name)
