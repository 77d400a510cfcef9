"""Write to the audit trail and read from it.

Rows carry UIDs, identifiers and our own names; never a patient's name. Control characters of
peers are replaced, so that no row can be mistaken for several wherever it is shown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.domain.identity import Actor
from negatoscope.infra.db import Database

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MAX_TEXT = 256

_INSERT = """
INSERT INTO audit_event (actor_kind, actor_name, peer, action, outcome, study_instance_uid, patient_id,
                         detail, event_count, coalesce_key)
VALUES (%(actor_kind)s, %(actor_name)s, %(peer)s, %(action)s, %(outcome)s, %(study)s, %(patient)s,
        %(detail)s, %(count)s, %(key)s)
ON CONFLICT (coalesce_key) DO UPDATE
    SET event_count = audit_event.event_count + excluded.event_count, last_at = now()
"""

_SEARCH = """
SELECT id, occurred_at, last_at, event_count, actor_kind, actor_name, peer, action, outcome,
       study_instance_uid, patient_id, detail
FROM audit_event
WHERE (%(study)s::text IS NULL OR study_instance_uid = %(study)s)
  AND (%(actor)s::text IS NULL OR actor_name = %(actor)s)
  AND (%(after)s::timestamptz IS NULL OR occurred_at >= %(after)s)
  AND (%(before)s::timestamptz IS NULL OR occurred_at < %(before)s)
ORDER BY id DESC LIMIT %(limit)s
"""


class Outcome(StrEnum):
    """How it ended."""

    SUCCESS = "SUCCESS"
    REFUSED = "REFUSED"
    """It was not allowed."""
    FAILED = "FAILED"
    """It was allowed and went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """A row of the trail; ``event_count`` like events from ``occurred_at`` to ``last_at``."""

    id: int
    occurred_at: datetime
    last_at: datetime
    event_count: int
    actor_kind: str
    actor_name: str
    peer: str | None
    action: str
    outcome: str
    study_instance_uid: str | None
    patient_id: str | None
    detail: Mapping[str, Any]


def record(
    database: Database,
    *,
    actor: Actor,
    action: str,
    outcome: str = Outcome.SUCCESS,
    study_instance_uid: str | None = None,
    patient_id: str | None = None,
    peer: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write an event; it is durable when this returns.

    Args:
        database: Where.
        actor: Who.
        action: What; an ``Action`` or a word of the same kind.
        outcome: How it ended.
        study_instance_uid: To which study.
        patient_id: Of which patient.
        peer: From where: an address.
        detail: More, as JSON; no names.
    """
    with database.connection() as connection:
        record_in(
            connection,
            actor=actor,
            action=action,
            outcome=outcome,
            study_instance_uid=study_instance_uid,
            patient_id=patient_id,
            peer=peer,
            detail=detail,
        )


def record_in(
    connection: psycopg.Connection[Any],
    *,
    actor: Actor,
    action: str,
    outcome: str = Outcome.SUCCESS,
    study_instance_uid: str | None = None,
    patient_id: str | None = None,
    peer: str | None = None,
    detail: Mapping[str, object] | None = None,
    count: int = 1,
    coalesce_key: str | None = None,
) -> None:
    """The same inside a transaction of the caller's.

    Args:
        connection: In that transaction.
        actor: Who.
        action: What.
        outcome: How it ended.
        study_instance_uid: To which study.
        patient_id: Of which patient.
        peer: From where.
        detail: More, as JSON.
        count: How many like events this row stands for.
        coalesce_key: Events with the same key share a row, whose count and last time grow.
    """
    connection.execute(
        _INSERT,
        {
            "actor_kind": actor.kind,
            "actor_name": _plain(actor.name),
            "peer": _plain(peer),
            "action": _plain(str(action)),
            "outcome": str(outcome),
            "study": _plain(study_instance_uid),
            "patient": _plain(patient_id),
            "detail": Jsonb(_plain_json(detail or {})),
            "count": count,
            "key": _plain(coalesce_key),
        },
    )


def search(
    database: Database,
    *,
    study_instance_uid: str | None = None,
    actor_name: str | None = None,
    after: datetime | None = None,
    before: datetime | None = None,
    limit: int = 100,
) -> list[AuditEvent]:
    """The latest rows that match, newest first."""
    with database.connection() as connection:
        rows = connection.execute(
            _SEARCH,
            {
                "study": study_instance_uid,
                "actor": actor_name,
                "after": after,
                "before": before,
                "limit": limit,
            },
        ).fetchall()
    return [
        AuditEvent(
            id=row[0],
            occurred_at=row[1],
            last_at=row[2],
            event_count=row[3],
            actor_kind=row[4],
            actor_name=row[5],
            peer=row[6],
            action=row[7],
            outcome=row[8],
            study_instance_uid=row[9],
            patient_id=row[10],
            detail=row[11],
        )
        for row in rows
    ]


def _plain(text: str | None) -> str | None:
    if text is None:
        return None
    cleaned = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return cleaned.encode("utf-8", "replace").decode("utf-8")[:_MAX_TEXT]


def _plain_json(value: object) -> object:
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, Mapping):
        return {str(_plain(str(key))): _plain_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain_json(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _plain(str(value))
