"""Images that arrive, counted for whoever watches their order: at most once in a few seconds."""

from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.domain.orders import KIND, WorkflowKind, record
from negatoscope.infra.db import load_queries
from negatoscope.infra.events import publish

SQL: Final = load_queries("negatoscope.domain.performed.sql", "arrivals.sql")
PAUSE_S: Final = 3.0
"""Between two events of one study."""
Connection = psycopg.Connection[Any]


def note(connection: Connection, study_instance_uid: str, *, source: str) -> bool:
    """Images of a study came. Told at once unless something was told a moment ago.

    Returns: Whether it was told now; if not, `tell_due` does it.
    """
    given = {"study": study_instance_uid, "pause_s": PAUSE_S}
    row = connection.execute(SQL["note"], given).fetchone()
    if row is None or not row[0]:
        return False
    tell(connection, study_instance_uid, source=source)
    return True


def tell_due(connection: Connection, *, source: str) -> int:
    """Tell what waited for its pause to end. Returns: How many studies."""
    rows = connection.execute(SQL["due"], {"pause_s": PAUSE_S}).fetchall()
    for (study_instance_uid,) in rows:
        tell(connection, study_instance_uid, source=source)
    return len(rows)


def tell(connection: Connection, study_instance_uid: str, *, source: str) -> None:
    """Publish how many images a study has now.

    The history gets one line for an arrival; while it goes on, the line is brought up to date.
    """
    row = connection.execute(SQL["counts"], {"study": study_instance_uid}).fetchone()
    if row is None:
        return
    procedure, request, series, instances, event = row
    detail = {
        "study_instance_uid": study_instance_uid,
        "series_count": series,
        "instance_count": instances,
    }
    grown = None
    if event is not None:
        given = {"event": event, "detail": Jsonb(detail)}
        grown = connection.execute(SQL["grown"], given).fetchone()
    if grown is None:
        event = record(
            connection,
            WorkflowKind.IMAGES_ARRIVED,
            source=source,
            request=request,
            procedure=procedure,
            detail=detail,
        )
    else:
        payload = {
            "event": event,
            "kind": WorkflowKind.IMAGES_ARRIVED,
            "request": request,
            "procedure": procedure,
            "step": None,
            "appointment": None,
        }
        publish(connection, KIND, payload, wake=True)
    connection.execute(SQL["told"], {"study": study_instance_uid, "event": event})
