"""Emergency access: somebody whose data scope refuses a patient's file opens it, and says why.

It lasts a while, is told to the administrators as a task, and waits in a list until a person has
reviewed it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.domain.identity.errors import (
    AmbiguousPatient,
    ReasonNeeded,
    TooManyBreaks,
    UnknownPatient,
)
from negatoscope.infra.db import Database

MIN_REASON: Final = 10
MAX_REASON: Final = 1000
TASK_KIND: Final = "break-glass"

_COLUMNS: Final = """
b.id, u.name, u.display_name, b.patient_fk, p.patient_id, p.issuer_of_patient_id, b.study_instance_uid, b.reason,
b.peer, b.started_at, b.expires_at, b.ended_at, b.reviewed_at, b.reviewed_by, b.review
"""
_FROM: Final = "FROM break_glass b JOIN user_account u ON u.id = b.user_fk JOIN patient p ON p.id = b.patient_fk"
_SEEN: Final = """
SELECT a.study_instance_uid, a.action, min(a.occurred_at), max(a.last_at), sum(a.event_count)::bigint
FROM audit_event a JOIN study s ON s.study_instance_uid = a.study_instance_uid
WHERE a.actor_kind = 'user' AND lower(a.actor_name) = lower(%(user)s) AND s.patient_fk = %(patient)s
  AND a.occurred_at >= date_trunc('minute', %(start)s::timestamptz) AND a.occurred_at < %(end)s
GROUP BY 1, 2 ORDER BY 3 LIMIT 500
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One emergency access.

    Attributes:
        patient_key: Whose file was opened.
        study_instance_uid: Which study was asked for, if one was.
        ended_at: When its user ended it before its time.
        review: What who reviewed it says.
    """

    id: int
    user_name: str
    user_display_name: str
    patient_key: int
    patient_id: str | None
    issuer_of_patient_id: str
    study_instance_uid: str | None
    reason: str
    peer: str
    started_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    reviewed_at: datetime | None
    reviewed_by: str | None
    review: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was done with a study of that patient while it lasted, from the audit trail."""

    study_instance_uid: str
    action: str
    first_at: datetime
    last_at: datetime
    count: int


def open_file(
    database: Database,
    *,
    user_id: int,
    reason: str,
    lasts_s: float,
    per_hour: int,
    study_instance_uid: str | None = None,
    patient_id: str | None = None,
    issuer_of_patient_id: str | None = None,
    peer: str = "",
) -> Break:
    """Open a patient's file: that of a study, or of an identifier that is one person's only.

    Args:
        database: Where.
        user_id: Who.
        reason: Why; read by who reviews it.
        lasts_s: For how long.
        per_hour: How many one account may open in an hour.
        study_instance_uid, patient_id, issuer_of_patient_id: Whose.
        peer: From which address.
    Raises:
        ReasonNeeded: it is too short to be one.
        UnknownPatient: no such study or identifier.
        AmbiguousPatient: several people have it.
        TooManyBreaks: in the last hour.
    """
    reason = " ".join(reason.split())
    if not MIN_REASON <= len(reason) <= MAX_REASON or len(set(reason.lower())) < 4:
        raise ReasonNeeded(f"a reason of {MIN_REASON} to {MAX_REASON} characters is needed")
    with database.connection() as connection:
        patient = _patient(connection, study_instance_uid, patient_id, issuer_of_patient_id)
        connection.execute("SELECT 1 FROM user_account WHERE id = %s FOR UPDATE", (user_id,))
        row = connection.execute(
            "SELECT count(*) FROM break_glass"
            " WHERE user_fk = %s AND started_at > now() - interval '1 hour'",
            (user_id,),
        ).fetchone()
        if row is not None and row[0] >= per_hour:
            raise TooManyBreaks("too many emergency accesses in an hour")
        made = connection.execute(
            "INSERT INTO break_glass (user_fk, patient_fk, study_instance_uid, reason, peer, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, now() + make_interval(secs => %s)) RETURNING id",
            (user_id, patient, study_instance_uid, reason, peer, lasts_s),
        ).fetchone()
        number = int(made[0]) if made else 0
        found = _one(connection, number)
        connection.execute(
            "INSERT INTO task (kind, subject, detail) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (TASK_KIND, str(number), Jsonb({"break_glass": number, "user": found.user_name})),
        )
    return found


def active_of(database: Database, user_id: int) -> list[Break]:
    """Those of an account that last."""
    with database.connection() as connection:
        rows = connection.execute(
            f"SELECT {_COLUMNS} {_FROM} WHERE b.user_fk = %s AND b.ended_at IS NULL"
            " AND b.expires_at > now() ORDER BY b.id",
            (user_id,),
        ).fetchall()
    return [Break(**dict(zip(Break.__slots__, row, strict=True))) for row in rows]


def end(database: Database, number: int, *, user_id: int) -> bool:
    """End one of one's own before its time."""
    with database.connection() as connection:
        cursor = connection.execute(
            "UPDATE break_glass SET ended_at = now() WHERE id = %s AND user_fk = %s"
            " AND ended_at IS NULL AND expires_at > now()",
            (number, user_id),
        )
    return cursor.rowcount == 1


def list_breaks(database: Database, *, pending_only: bool = False, limit: int = 500) -> list[Break]:
    """What there was, the latest first; or what waits for a review."""
    where = "WHERE b.reviewed_at IS NULL" if pending_only else ""
    with database.connection() as connection:
        rows = connection.execute(
            f"SELECT {_COLUMNS} {_FROM} {where} ORDER BY b.id DESC LIMIT %s", (limit,)
        ).fetchall()
    return [Break(**dict(zip(Break.__slots__, row, strict=True))) for row in rows]


def seen(database: Database, number: int) -> tuple[Break, list[Seen]] | None:
    """One, and what was done with that patient's studies while it lasted."""
    with database.connection() as connection:
        if (
            connection.execute("SELECT 1 FROM break_glass WHERE id = %s", (number,)).fetchone()
            is None
        ):
            return None
        found = _one(connection, number)
        rows = connection.execute(
            _SEEN,
            {
                "user": found.user_name,
                "patient": found.patient_key,
                "start": found.started_at,
                "end": found.ended_at or found.expires_at,
            },
        ).fetchall()
    return found, [
        Seen(
            study_instance_uid=row[0], action=row[1], first_at=row[2], last_at=row[3], count=row[4]
        )
        for row in rows
    ]


def review(database: Database, number: int, *, by: str, by_id: int | None, comment: str) -> bool:
    """Mark one reviewed; nobody reviews their own.

    Returns: Whether there was one to review.
    Raises:
        ReasonNeeded: no comment.
    """
    comment = " ".join(comment.split())
    if not comment or len(comment) > MAX_REASON:
        raise ReasonNeeded("a comment is needed")
    with database.connection() as connection:
        cursor = connection.execute(
            "UPDATE break_glass SET reviewed_at = now(), reviewed_by = %s, review = %s"
            " WHERE id = %s AND reviewed_at IS NULL AND user_fk IS DISTINCT FROM %s",
            (by, comment, number, by_id),
        )
        if cursor.rowcount != 1:
            return False
        connection.execute(
            "UPDATE task SET done_at = now(), done_by = %s"
            " WHERE kind = %s AND subject = %s AND done_at IS NULL",
            (by, TASK_KIND, str(number)),
        )
    return True


def _one(connection: psycopg.Connection[Any], number: int) -> Break:
    row = connection.execute(f"SELECT {_COLUMNS} {_FROM} WHERE b.id = %s", (number,)).fetchone()
    assert row is not None  # noqa: S101 - the caller has seen it
    return Break(**dict(zip(Break.__slots__, row, strict=True)))


def _patient(
    connection: psycopg.Connection[Any],
    study_instance_uid: str | None,
    patient_id: str | None,
    issuer: str | None,
) -> int:
    if study_instance_uid is not None:
        rows = connection.execute(
            "SELECT patient_fk FROM study WHERE study_instance_uid = %s", (study_instance_uid,)
        ).fetchall()
    else:
        rows = connection.execute(
            "SELECT id FROM patient WHERE patient_id = %s AND is_current"
            " AND (%s::text IS NULL OR issuer_of_patient_id = %s) LIMIT 2",
            (patient_id, issuer, issuer),
        ).fetchall()
    if not rows:
        raise UnknownPatient("no such study or patient")
    if len(rows) > 1:
        raise AmbiguousPatient("several people have that identifier", hint="name the study.")
    return int(rows[0][0])
