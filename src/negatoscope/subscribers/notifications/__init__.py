"""What arrived, told to the pages that are open: UIDs and counts, no names."""

from typing import Any, Final

import orjson
import psycopg

from negatoscope.infra.events import Event

CHANNEL: Final = "negatoscope_arrivals"

__all__ = ["CHANNEL", "on_instances_stored"]


def on_instances_stored(connection: psycopg.Connection[Any], event: Event) -> None:
    """Announce that objects of a study arrived; told when the caller's transaction commits."""
    study = str(event.payload.get("study_instance_uid") or "")
    if not study or len(study) > 64:
        return
    told = orjson.dumps([event.id, study, int(event.payload.get("count") or 1)]).decode()
    connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, told))
