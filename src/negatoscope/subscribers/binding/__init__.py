"""Studies that arrive are bound to the procedure they were made for, and their images counted."""

import threading
from typing import Any, Final

import psycopg

from negatoscope.domain.orders import WorkflowKind
from negatoscope.domain.performed import arrivals, binding
from negatoscope.domain.performed.errors import UnknownStudy
from negatoscope.infra.db import Database
from negatoscope.infra.events import Event

__all__ = ["BindingChores", "on_instances_stored", "on_workflow_changed"]

_MAY_FIT: Final = frozenset(
    {WorkflowKind.ORDERED, WorkflowKind.ORDER_CHANGED, WorkflowKind.ACCEPTED, WorkflowKind.REPLACED}
)
"""After these an order may be for a study that nobody could bind."""
_FROM_BEFORE: Final = frozenset({"command line", "demo"})
"""Who takes in what was made elsewhere, long ago: it waits for nobody unless an order fits it."""


def on_instances_stored(connection: psycopg.Connection[Any], event: Event) -> None:
    """Decide about a study when objects of it come, and tell how many there are."""
    study = str(event.payload.get("study_instance_uid") or "")
    sender = str(event.payload.get("calling_ae_title") or "")
    if not study:
        return
    is_from_before = not sender and event.payload.get("actor_name") in _FROM_BEFORE
    try:
        if is_from_before:
            binding.decide_if_fitting(connection, study)
        else:
            binding.decide(connection, study)
    except UnknownStudy:  # taken back or deleted meanwhile
        return
    source = f"dicom:{sender}" if sender else binding.RULE
    arrivals.note(connection, study, source=source)


def on_workflow_changed(connection: psycopg.Connection[Any], event: Event) -> None:
    """Look again at unbound studies when an order comes or changes."""
    request = event.payload.get("request")
    if event.payload.get("kind") in _MAY_FIT and isinstance(request, int):
        binding.decide_for_request(connection, request)


class BindingChores:
    """What the worker does now and then.

    Args:
        database: Where studies, orders and patients are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last_change: int | None = None

    def tell_arrivals(self, _stop: threading.Event) -> None:
        """Tell of images that came while the last event was fresh."""
        with self._database.connection() as connection:
            arrivals.tell_due(connection, source=binding.RULE)

    def follow_patients(self, stop: threading.Event) -> None:
        """Look again at studies left unbound because of whose they are, when files changed."""
        while not stop.is_set():
            with self._database.connection() as connection:
                done = binding.follow_patients(connection, self._last_change)
            if done == self._last_change:
                return
            self._last_change = done
