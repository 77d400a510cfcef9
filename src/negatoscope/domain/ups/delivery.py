"""Telling subscribers: the queue of those told by DIMSE, the cursor of those that listen.

A wire does the telling; here is whom to tell next, and how it went.
"""

from dataclasses import dataclass
from typing import Final

import structlog

from negatoscope.domain.ups import repository
from negatoscope.domain.ups.model import UpsEvent
from negatoscope.domain.ups.repository import SQL
from negatoscope.infra.db import Database

HOLD_S: Final = 120.0
"""How long a subscriber belongs to who claimed it."""
BACK_OFF_S: Final = (5.0, 15.0, 60.0, 300.0, 900.0)
"""Waits between attempts to reach a subscriber; the last one repeats."""
KEEP_EVENTS_S: Final = 14 * 86400.0
"""An event that could not be told for so long is dropped."""
REFUSALS: Final = 3
"""An event that its subscriber refuses so often is left out."""
BATCH: Final = 100
CHANNEL: Final = "negatoscope_ups"
"""NOTIFY carries the AE title of a subscriber for whom there is something new."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The queues of a database."""

    database: Database

    def claim(self) -> str | None:
        """A DIMSE subscriber with something to be told, held for ``HOLD_S``."""
        with self.database.connection() as connection:
            row = connection.execute(SQL["claim_subscriber"], {"hold_s": HOLD_S}).fetchone()
        return None if row is None else str(row[0])

    def next_events(self, ae_title: str, *, after: int = 0) -> list[UpsEvent]:
        """What to tell, oldest first, at most ``BATCH``."""
        with self.database.connection() as connection:
            return repository.events(connection, ae_title, after=after, count=BATCH)

    def told(self, event: UpsEvent) -> None:
        """The subscriber took an event."""
        with self.database.connection() as connection:
            connection.execute(SQL["event_told"], {"id": event.id})

    def refused(self, ae_title: str, event: UpsEvent, status: int) -> bool:
        """The subscriber answered a failure. Returns: whether the event is left out now."""
        with self.database.connection() as connection:
            row = connection.execute(SQL["event_refused"], {"id": event.id}).fetchone()
            is_over = row is not None and row[0] >= REFUSALS
            if is_over:
                connection.execute(SQL["event_told"], {"id": event.id})
                _log.error(
                    "ups.event_refused",
                    ae_title=ae_title,
                    sop_instance_uid=event.sop_instance_uid,
                    event_type_id=event.event_type_id,
                    status=f"{status:04X}",
                )
        return is_over

    def let_go(self, ae_title: str) -> None:
        """The subscriber was reached."""
        with self.database.connection() as connection:
            connection.execute(SQL["let_go"], {"ae": ae_title})

    def put_off(self, ae_title: str, error: str) -> None:
        """The subscriber could not be reached: later."""
        with self.database.connection() as connection:
            connection.execute(
                SQL["put_off"], {"ae": ae_title, "error": error[:500], "waits": list(BACK_OFF_S)}
            )

    def cursor(self, ae_title: str) -> int | None:
        """The last event an open channel was given; None for who never subscribed over HTTP."""
        with self.database.connection() as connection:
            row = connection.execute(SQL["cursor"], {"ae": ae_title}).fetchone()
        return None if row is None else int(row[0])

    def move_cursor(self, ae_title: str, event_id: int) -> None:
        """A channel was given everything up to an event."""
        with self.database.connection() as connection:
            connection.execute(SQL["move_cursor"], {"ae": ae_title, "id": event_id})
