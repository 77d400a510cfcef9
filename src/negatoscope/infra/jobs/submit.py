"""Ask for a job inside a transaction of one's own."""

from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

_SUBMIT = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
VALUES (%(queue)s, %(task)s, %(priority)s, %(lock)s, %(queueing_lock)s, %(args)s, %(scheduled_at)s)
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
RETURNING id
"""


def submit(
    connection: psycopg.Connection[Any],
    task: str,
    *,
    queue: str = "default",
    priority: int = 0,
    lock: str | None = None,
    queueing_lock: str | None = None,
    scheduled_at: datetime | None = None,
    **arguments: object,
) -> int | None:
    """Queue a job; it exists when, and only when, the caller's transaction commits.

    Args:
        connection: In a transaction of the caller's.
        task: ``collection:name``, as the worker knows it.
        queue: Its queue.
        priority: Higher ones first.
        lock: Jobs of one lock run one after the other, in their order.
        queueing_lock: At most one waiting job has it; a second one is not queued.
        scheduled_at: Not before.
        arguments: Of the task; JSON values.
    Returns: The job's id; None when one with the same ``queueing_lock`` waits already.
    """
    row = connection.execute(
        _SUBMIT,
        {
            "queue": queue,
            "task": task,
            "priority": priority,
            "lock": lock,
            "queueing_lock": queueing_lock,
            "args": Jsonb(arguments),
            "scheduled_at": scheduled_at,
        },
    ).fetchone()
    return None if row is None else int(row[0])
