"""The queue as an administrator sees it: what waits, runs, failed, and why."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.rows import class_row

from negatoscope.infra.db import Database
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.infra.logging import describe

_REASON_CHARACTERS: Final = 1000

_COUNTS = """
SELECT queue_name, status::text, count(*) FROM procrastinate_jobs GROUP BY 1, 2 ORDER BY 1, 2
"""
_JOBS = """
SELECT j.id, j.queue_name AS queue, j.task_name AS task, j.status::text AS status, j.priority, j.lock, j.attempts,
       j.scheduled_at, j.abort_requested AS is_cancelling, j.args AS arguments, f.reason, f.failed_at,
       (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id) AS changed_at
FROM procrastinate_jobs j LEFT JOIN job_failure f ON f.job_id = j.id
WHERE %(status)s::text IS NULL OR j.status::text = %(status)s
ORDER BY CASE j.status WHEN 'failed' THEN 0 WHEN 'doing' THEN 1 WHEN 'todo' THEN 2 ELSE 3 END, j.id DESC
LIMIT %(limit)s
"""
_FAILED = """
INSERT INTO job_failure (job_id, reason) SELECT id, %(reason)s FROM procrastinate_jobs WHERE id = %(id)s
ON CONFLICT (job_id) DO UPDATE SET failed_at = now(), reason = excluded.reason
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job; ``status`` is todo, doing, failed, cancelled, aborted."""

    id: int
    queue: str
    task: str
    status: str
    priority: int
    lock: str | None
    attempts: int
    scheduled_at: datetime | None
    is_cancelling: bool
    arguments: dict[str, Any]
    reason: str | None
    failed_at: datetime | None
    changed_at: datetime | None


def counts(database: Database) -> list[tuple[str, str, int]]:
    """Queue, status, how many."""
    with database.connection() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(_COUNTS).fetchall()]


def list_jobs(database: Database, *, status: str | None = None, limit: int = 200) -> list[Job]:
    """Failed ones first, then running, then waiting; of each the latest."""
    with (
        database.connection() as connection,
        connection.cursor(row_factory=class_row(Job)) as cursor,
    ):
        return cursor.execute(_JOBS, {"status": status, "limit": limit}).fetchall()


def retry(database: Database, job_id: int) -> bool:
    """Have a failed job run again. Returns: Whether it had failed."""
    with database.connection() as connection:
        row = connection.execute(
            "SELECT 1 FROM procrastinate_jobs WHERE id = %s AND status = 'failed' FOR UPDATE",
            (job_id,),
        ).fetchone()
        if row is None:
            return False
        connection.execute(
            "SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)", (job_id,)
        )
        connection.execute("DELETE FROM job_failure WHERE job_id = %s", (job_id,))
    return True


def cancel(database: Database, job_id: int) -> bool:
    """Take a waiting job back, or ask a running one to end.

    Returns: Whether there was one to cancel.
    """
    with database.connection() as connection:
        row = connection.execute(
            "SELECT procrastinate_cancel_job_v1(%s, true, false)", (job_id,)
        ).fetchone()
    return row is not None and row[0] is not None


class _Failures(logging.Handler):
    """Hears of failed jobs from the queue's own log, since its tables do not say why."""

    def __init__(self, database: Database) -> None:
        super().__init__(logging.ERROR)
        self._database = database

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "action", "") != "job_error":
            return
        job = getattr(record, "job", None)
        job_id = job.get("id") if isinstance(job, dict) else None
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(job_id, int) or error is None:
            return
        try:
            with self._database.connection() as connection:
                connection.execute(
                    _FAILED, {"id": job_id, "reason": describe(error)[:_REASON_CHARACTERS]}
                )
        except (DatabaseUnavailable, psycopg.Error):
            return  # it stands in the log


def remember_failures(database: Database) -> None:
    """Keep the reason of each job of this process that fails."""
    logging.getLogger("procrastinate.worker").handlers[:] = [_Failures(database)]
