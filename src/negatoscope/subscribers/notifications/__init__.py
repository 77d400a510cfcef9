"""What arrived and what became of orders, told to the pages that are open: UIDs, numbers and counts, no names."""

from typing import Any, Final

import orjson
import psycopg

from negatoscope.infra.events import Event

CHANNEL: Final = "negatoscope_arrivals"
WORKFLOW_CHANNEL: Final = "negatoscope_workflow"

__all__ = ["CHANNEL", "WORKFLOW_CHANNEL", "on_instances_stored", "on_workflow_changed"]


def on_instances_stored(connection: psycopg.Connection[Any], event: Event) -> None:
    """Announce that objects of a study arrived; told when the caller's transaction commits."""
    study = str(event.payload.get("study_instance_uid") or "")
    if not study or len(study) > 64:
        return
    told = orjson.dumps([event.id, study, int(event.payload.get("count") or 1)]).decode()
    connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, told))


def on_workflow_changed(connection: psycopg.Connection[Any], event: Event) -> None:
    """Announce that an order, a step or an appointment changed: its numbers and what happened."""
    told = {
        name: event.payload.get(name) for name in ("request", "procedure", "step", "appointment")
    }
    payload = orjson.dumps([event.id, {**told, "kind": str(event.payload.get("kind") or "")[:40]}])
    connection.execute("SELECT pg_notify(%s, %s)", (WORKFLOW_CHANNEL, payload.decode()))
