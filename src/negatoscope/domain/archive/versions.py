"""Objects kept aside: what they are, and the administrator's decision about each.

A decision is written to a segment as a journal member before the index changes, so that an index rebuilt from the segments alone
knows it too. Nothing is deleted: the version that loses stays aside.
"""

import datetime
from dataclasses import dataclass
from typing import Any

import orjson

from negatoscope.domain.archive.archive import Archive
from negatoscope.domain.archive.decisions import NoSuchDecision, accept_version
from negatoscope.infra.db import load_queries
from negatoscope.kit.ulid import new_ulid

__all__ = ["NoSuchDecision", "SetAside", "Task", "Versions"]

_SQL = load_queries("negatoscope.domain.archive.sql", "lifecycle.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """An object kept aside and waiting for a person."""

    id: int
    reason: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    calling_ae_title: str | None
    received_at: datetime.datetime
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something an administrator must look at."""

    id: int
    kind: str
    subject: str
    detail: dict[str, Any]
    created_at: datetime.datetime


class Versions:
    """Lists and resolves what was kept aside."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._database = archive.database

    def pending(self, *, limit: int = 500) -> list[SetAside]:
        """What waits, oldest first."""
        with self._database.connection() as connection:
            rows = connection.execute(_SQL["pending_set_aside"], {"limit": limit}).fetchall()
        return [
            SetAside(
                id=r[0], reason=r[1], sop_instance_uid=r[2], study_instance_uid=r[3], series_instance_uid=r[4],
                calling_ae_title=r[5], received_at=r[6], sha256=r[7], size=r[8],
            )
            for r in rows
        ]  # fmt: skip

    def tasks(self, *, limit: int = 500) -> list[Task]:
        """Open tasks, oldest first."""
        with self._database.connection() as connection:
            rows = connection.execute(_SQL["open_tasks"], {"limit": limit}).fetchall()
        return [Task(id=r[0], kind=r[1], subject=r[2], detail=r[3], created_at=r[4]) for r in rows]

    def close_task(self, task_id: int, *, by: str) -> bool:
        """Mark a task done. Returns: False when it was not open."""
        with self._database.connection() as connection:
            return bool(connection.execute(_SQL["close_task"], {"id": task_id, "by": by}).rowcount)

    def dismiss(self, set_aside_id: int, *, by: str) -> None:
        """Keep the first version; the one aside stays aside and is not asked about again.

        Raises: NoSuchDecision.
        """
        self._decide(set_aside_id, by=by, accept=False)

    def accept(self, set_aside_id: int, *, by: str) -> None:
        """Make the version that is aside the current one; the current one goes aside.

        Raises: NoSuchDecision: only other content of the same study can take the place of the first version.
        """
        self._decide(set_aside_id, by=by, accept=True)

    def _decide(self, set_aside_id: int, *, by: str, accept: bool) -> None:
        with self._database.connection() as connection:
            row = connection.execute(_SQL["lock_set_aside"], {"id": set_aside_id}).fetchone()
            if row is None or row[1] != "PENDING":
                raise NoSuchDecision("nothing with this number is pending")
            reason, _state, uid, sha256, segment, offset, size, record = row
            if accept and reason != "CONTENT DIFFERS":
                raise NoSuchDecision(
                    "an object of another patient or study cannot replace this one"
                )
            decision = {
                "decision": "accept" if accept else "dismiss", "sop_instance_uid": uid,
                "sha256": bytes(sha256).hex(), "by": by,
                "at": datetime.datetime.now(datetime.UTC).isoformat(),
            }  # fmt: skip
            self._archive.append_member(
                f"{new_ulid()}.journal.json",
                orjson.dumps(decision),
                {"kind": "journal", "at": decision["at"]},
            )
            if accept:
                accept_version(
                    connection,
                    uid=uid,
                    segment=segment,
                    offset=offset,
                    size=size,
                    sha256=sha256,
                    record=record,
                    by=by,
                )
                connection.execute(_SQL["remove_set_aside"], {"id": set_aside_id})
            else:
                connection.execute(
                    _SQL["resolve_set_aside"], {"id": set_aside_id, "state": "DISMISSED", "by": by}
                )
            connection.execute(
                _SQL["close_tasks"], {"kind": "object-set-aside", "subject": uid, "by": by}
            )
