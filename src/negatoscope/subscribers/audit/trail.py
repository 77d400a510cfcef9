"""Write to the audit trail.

Rows carry UIDs, identifiers and our own names; never a patient's name. Control characters of
peers are replaced, so that no row can be mistaken for several wherever it is shown.

Writing is one INSERT into a small table. What is in it is chained a moment later by the worker
(``chain``), so that nobody who reads or stores images waits for anybody else's row.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.domain.identity import Actor
from negatoscope.infra.db import Database
from negatoscope.subscribers.audit.model import COLUMNS, AuditEvent, Outcome, class_of, from_row

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MAX_TEXT = 256

_INSERT = """
INSERT INTO audit_pending (occurred_at, last_at, actor_kind, actor_name, actor_roles, credential, peer, door,
                           action, event_class, outcome, reason, study_instance_uid, patient_id,
                           issuer_of_patient_id, accession_number, destination, detail, event_count, coalesce_key)
SELECT coalesce(%(at)s, now()), coalesce(%(at)s, now()), %(actor_kind)s, %(actor_name)s, %(roles)s, %(credential)s,
       %(peer)s, %(door)s, %(action)s, %(class)s, %(outcome)s, %(reason)s, %(study)s, {patient}, %(destination)s,
       %(detail)s, %(count)s, %(key)s
{source}
ON CONFLICT (coalesce_key) DO UPDATE
    SET event_count = audit_pending.event_count + excluded.event_count,
        last_at = greatest(audit_pending.last_at, excluded.last_at)
"""

_INSERT_PLAIN = _INSERT.format(
    patient="%(patient)s, %(issuer)s, %(accession)s",
    source="",
)
_INSERT_OF_STUDY = _INSERT.format(
    patient="coalesce(%(patient)s, p.patient_id), coalesce(%(issuer)s, nullif(p.issuer_of_patient_id, '')), "
    "coalesce(%(accession)s, s.accession_number)",
    source="FROM (VALUES (1)) AS one (n) LEFT JOIN study s ON s.study_instance_uid = %(study)s "
    "LEFT JOIN patient p ON p.id = s.patient_fk",
)
"""The patient of a study is written down with the event: it can be found when the study is gone."""

_SEARCH = f"""
SELECT {COLUMNS}, chain, seq
FROM audit_event
WHERE (%(study)s::text IS NULL OR study_instance_uid = %(study)s)
  AND (%(actor)s::text IS NULL OR actor_name = %(actor)s)
  AND (%(after)s::timestamptz IS NULL OR occurred_at >= %(after)s)
  AND (%(before)s::timestamptz IS NULL OR occurred_at < %(before)s)
ORDER BY id DESC LIMIT %(limit)s
"""


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
    **more: Any,
) -> None:
    """Write an event; it is durable when this returns.

    Args:
        database: Where.
        actor: Who.
        action: What; an ``Action`` or a word of the same kind.
        outcome: How it ended.
        study_instance_uid: To which study.
        patient_id: Of which patient; the study's unless given.
        peer: From where: an address.
        detail: More, as JSON; no names.
        more: As ``record_in`` takes it.
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
            **more,
        )


def record_in(
    connection: psycopg.Connection[Any],
    *,
    actor: Actor,
    action: str,
    outcome: str = Outcome.SUCCESS,
    study_instance_uid: str | None = None,
    patient_id: str | None = None,
    issuer_of_patient_id: str | None = None,
    accession_number: str | None = None,
    peer: str | None = None,
    door: str | None = None,
    credential: str | None = None,
    event_class: str | None = None,
    reason: str | None = None,
    destination: str | None = None,
    detail: Mapping[str, object] | None = None,
    count: int = 1,
    coalesce_key: str | None = None,
    occurred_at: datetime | None = None,
) -> None:
    """The same inside a transaction of the caller's.

    Args:
        connection: In that transaction.
        actor: Who.
        action: What.
        outcome: How it ended.
        study_instance_uid: To which study.
        patient_id: Of which patient; the study's unless given.
        issuer_of_patient_id: Whose identifier that is.
        accession_number: Of which request.
        peer: From where.
        door: By which wire: ``web``, ``api``, ``dicomweb``, ``dimse``, ``fhir``, ``command line``.
        credential: What the actor presented: ``session``, ``token``, ``link 5``.
        event_class: An ``EventClass``; made of the action unless given.
        reason: Why: of a refusal, of an emergency access.
        destination: To whom objects went.
        detail: More, as JSON.
        count: How many like events this row stands for.
        coalesce_key: Events with the same key share a row, whose count and last time grow until
            it is sealed.
        occurred_at: When, if not now.
    """
    detail = detail or {}
    if reason is None and isinstance(detail.get("reason"), str):
        reason = str(detail["reason"])
    if destination is None and isinstance(detail.get("destination"), str):
        destination = str(detail["destination"])
    connection.execute(
        _INSERT_PLAIN if study_instance_uid is None else _INSERT_OF_STUDY,
        {
            "at": occurred_at,
            "actor_kind": actor.kind,
            "actor_name": _plain(actor.name),
            "roles": sorted(str(_plain(role)) for role in actor.roles),
            "credential": _plain(credential),
            "peer": _plain(peer),
            "door": _plain(door or _door_of(actor)),
            "action": _plain(str(action)),
            "class": event_class or class_of(str(action)),
            "outcome": str(outcome),
            "reason": _plain(reason),
            "study": _plain(study_instance_uid),
            "patient": _plain(patient_id),
            "issuer": _plain(issuer_of_patient_id),
            "accession": _plain(accession_number),
            "destination": _plain(destination),
            "detail": Jsonb(_plain_json(detail)),
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
    return [from_row(row) for row in rows]


def _door_of(actor: Actor) -> str:
    """The door of those who name none."""
    if actor.kind == "system":
        return actor.name if actor.name == "command line" else "worker"
    return "dimse" if actor.kind == "ae" else "web"


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
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _plain(str(value))
