"""Appointments follow their orders: what was called off takes up no room any more."""

from typing import Any, Final

import psycopg

from negatoscope.domain.orders import WorkflowKind
from negatoscope.domain.scheduling.appointments import Appointments
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.infra.events import Event

SOURCE: Final = "system:appointments"
_KINDS: Final = frozenset(
    {WorkflowKind.ORDER_CANCELED, WorkflowKind.REPLACED, WorkflowKind.REFUSED}
)


class Following:
    """Frees what orders that were called off had booked.

    Args:
        rules: Of the department.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def on_workflow_changed(self, connection: psycopg.Connection[Any], event: Event) -> None:
        """Look at the appointments of an order that ended."""
        payload = event.payload
        if payload.get("kind") in _KINDS and payload.get("request") is not None:
            book = Appointments(connection, self._rules, source=SOURCE)
            book.follow_order(int(payload["request"]))
