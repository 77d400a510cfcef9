"""Scheduled steps are workitems, too, where the settings say so."""

from collections.abc import Callable
from typing import Any

import psycopg
import structlog

from negatoscope.domain.scheduling.worklist import ModalityWorklist
from negatoscope.domain.ups import Worklist
from negatoscope.domain.ups.errors import UpsError
from negatoscope.domain.ups.scheduled import ScheduledWorkitems
from negatoscope.infra.events import Event

__all__ = ["StepWorkitems"]
_log = structlog.get_logger(__name__)


class StepWorkitems:
    """Follows orders, and lets workitems follow them.

    Args:
        worklist: The worklist as the settings in force say; None when steps are no workitems.
    """

    def __init__(self, worklist: Callable[[], ModalityWorklist | None]) -> None:
        self._worklist = worklist

    def on_workflow_changed(self, _connection: psycopg.Connection[Any], event: Event) -> None:
        """Bring the workitems of the steps concerned up to date.

        In transactions of its own: what it does it can do again.
        """
        worklist = self._worklist()
        if worklist is None:
            return
        following = ScheduledWorkitems(worklist, Worklist(worklist.database))
        for step in worklist.steps_concerned(event.payload):
            try:
                following.bring_up_to_date(step)
            except UpsError as error:  # for the others this event has to be told all the same
                _log.warning("workitem.stays", step=step, reason=error.comment)
