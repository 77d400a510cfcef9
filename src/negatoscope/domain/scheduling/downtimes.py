"""Maintenance, breakdown, absence: when a resource, or the whole department, cannot be booked."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg.types.range import TimestamptzRange

from negatoscope.domain.scheduling._steps import SQL as APPOINTMENTS
from negatoscope.domain.scheduling.errors import BadPlan, UnknownAppointment
from negatoscope.domain.scheduling.hours import SQL, get_resources
from negatoscope.domain.scheduling.model import Downtime

MAX_LENGTH: Final = timedelta(days=3 * 366)


class Downtimes:
    """When resources are down.

    Args:
        connection: In a transaction of the caller's.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def get(self, number: int) -> Downtime:
        """One of them.

        Raises:
            UnknownAppointment: there is none.
        """
        row = self._connection.execute(SQL["get_downtime"], {"id": number}).fetchone()
        if row is None:
            raise UnknownAppointment(f"there is no downtime {number}")
        return _downtime(row)

    def in_range(
        self,
        start_at: datetime,
        end_at: datetime,
        *,
        resources: Sequence[int] | None = None,
        limit: int = 1000,
    ) -> list[Downtime]:
        """Those that touch a range of time; those of the whole department always."""
        rows = self._connection.execute(
            SQL["downtimes"],
            {
                "start_at": start_at,
                "end_at": end_at,
                "resources": None if resources is None else list(resources),
                "limit": limit,
            },
        )
        return [_downtime(row) for row in rows]

    def add(
        self,
        *,
        resource: int | None,
        start_at: datetime,
        end_at: datetime,
        kind: str,
        reason: str,
        by: str,
    ) -> Downtime:
        """Close a resource, or with None the whole department, for a while.

        Raises:
            UnknownAppointment: there is no such resource.
            BadPlan: it ends before it begins, or lasts for years.
        """
        values = self._values(resource, start_at, end_at, kind, reason)
        row = self._connection.execute(SQL["add_downtime"], values | {"by": by}).fetchone()
        assert row is not None  # noqa: S101 - an INSERT returns its row
        return self.get(row[0])

    def change(
        self,
        number: int,
        *,
        resource: int | None,
        start_at: datetime,
        end_at: datetime,
        kind: str,
        reason: str,
    ) -> Downtime:
        """Change everything of one.

        Raises:
            UnknownAppointment: there is none, or no such resource.
            BadPlan: it ends before it begins, or lasts for years.
        """
        values = self._values(resource, start_at, end_at, kind, reason)
        self._connection.execute(SQL["change_downtime"], values | {"id": number})
        return self.get(number)

    def remove(self, number: int) -> Downtime:
        """Open again.

        Raises:
            UnknownAppointment: there is none.
        """
        removed = self.get(number)
        self._connection.execute(SQL["remove_downtime"], {"id": number})
        return removed

    def affected(self, downtime: Downtime, *, limit: int = 500) -> list[int]:
        """Appointments that are booked while it lasts, by time: they have to be moved."""
        rows = self._connection.execute(
            APPOINTMENTS["affected"],
            {
                "resource": downtime.resource,
                "start_at": downtime.start_at,
                "end_at": downtime.end_at,
                "limit": limit,
            },
        )
        return [row[0] for row in rows]

    def _values(
        self, resource: int | None, start_at: datetime, end_at: datetime, kind: str, reason: str
    ) -> dict[str, Any]:
        if end_at <= start_at:
            raise BadPlan("a downtime ends before it begins")
        if end_at - start_at > MAX_LENGTH:
            raise BadPlan(
                "a downtime lasts three years at most", hint="take it out of use instead."
            )
        if resource is not None and resource not in get_resources(self._connection, [resource]):
            raise UnknownAppointment(f"there is no resource {resource}")
        return {
            "resource": resource,
            "during": TimestamptzRange(start_at, end_at),
            "kind": kind,
            "reason": reason,
        }


def _downtime(row: tuple[Any, ...]) -> Downtime:
    return Downtime(
        id=row[0],
        resource=row[1],
        start_at=row[2],
        end_at=row[3],
        kind=row[4],
        reason=row[5],
        created_at=row[6],
        created_by=row[7],
    )
