"""Who saw this patient: one question, for the security officer and for the patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from negatoscope.infra.db import Database
from negatoscope.subscribers.audit.model import EventClass
from negatoscope.subscribers.audit.searching import Filter, ask, conditions

MAX_LINES: Final = 5000
SEEING: Final = (
    *(EventClass.VIEW, EventClass.RETRIEVE, EventClass.EXPORT, EventClass.BREAK_GLASS),
    *(EventClass.CHANGE, EventClass.DELETE),
)
"""Classes of events in which somebody had the patient's data, or changed them."""

_REPORT: Final = """
SELECT (e.occurred_at AT TIME ZONE 'UTC')::date AS day, e.actor_kind, e.actor_name, max(u.display_name),
       max(array_to_string(e.actor_roles, ',')), e.event_class, e.study_instance_uid, max(e.accession_number),
       min(e.occurred_at), max(e.last_at), sum(e.event_count), array_agg(DISTINCT e.reason) FILTER (WHERE e.reason <> ''),
       array_agg(DISTINCT e.destination) FILTER (WHERE e.destination <> ''),
       max(s.study_description), max(s.study_date), e.outcome
FROM audit_event e
LEFT JOIN study s ON s.study_instance_uid = e.study_instance_uid
LEFT JOIN user_account u ON e.actor_kind = 'user' AND lower(u.name) = lower(e.actor_name)
WHERE {condition}
GROUP BY 1, 2, 3, 6, 7, 16
ORDER BY min(e.occurred_at) DESC
LIMIT %(limit)s
"""
_WHO: Final = """
SELECT patient_name, patient_birth_date FROM patient
WHERE patient_id = %(patient_id)s AND (%(issuer)s::text IS NULL OR issuer_of_patient_id = %(issuer)s)
ORDER BY discriminator LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One actor's accesses of one kind to one study on one day.

    Attributes:
        display_name: The account's, while there is one.
        roles: At that time.
        reasons, destinations: Why, and to whom, where that was recorded.
        study_description, study_date: Of the study, while it is here.
    """

    day: date
    actor_kind: str
    actor_name: str
    display_name: str | None
    roles: tuple[str, ...]
    event_class: str
    outcome: str
    study_instance_uid: str | None
    accession_number: str | None
    first_at: datetime
    last_at: datetime
    event_count: int
    reasons: tuple[str, ...]
    destinations: tuple[str, ...]
    study_description: str | None
    study_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a patient's trail says; newest first.

    Attributes:
        patient_name, patient_birth_date: Of the patient, while one with this identifier is here.
        is_complete: False when there is more than ``MAX_LINES``.
    """

    patient_id: str
    issuer_of_patient_id: str | None
    patient_name: str | None
    patient_birth_date: date | None
    accesses: Sequence[Access]
    is_complete: bool


def who_saw(
    database: Database,
    patient_id: str,
    *,
    issuer_of_patient_id: str | None = None,
    after: datetime | None = None,
    before: datetime | None = None,
    event_classes: Sequence[str] = SEEING,
) -> Report:
    """Accesses to a patient's data, by day, actor, kind and study.

    Args:
        database: Where the trail is.
        patient_id: The patient's identifier.
        issuer_of_patient_id: Whose identifier; None is any.
        after: From this instant.
        before: Up to this one.
        event_classes: Which kinds of events.
    Raises:
        SearchTooBroad: it takes too long.
    """
    condition, values = conditions(
        Filter(
            patient_id=patient_id,
            issuer_of_patient_id=issuer_of_patient_id,
            after=after,
            before=before,
            event_classes=tuple(map(str, event_classes)),
        ),
        prefix="e.",
    )
    rows = ask(database, _REPORT.format(condition=condition), values | {"limit": MAX_LINES + 1})
    who = ask(database, _WHO, {"patient_id": patient_id, "issuer": issuer_of_patient_id})
    name, birth_date = who[0] if who else (None, None)
    return Report(
        patient_id=patient_id,
        issuer_of_patient_id=issuer_of_patient_id,
        patient_name=name,
        patient_birth_date=birth_date,
        is_complete=len(rows) <= MAX_LINES,
        accesses=[
            Access(
                day=row[0], actor_kind=row[1], actor_name=row[2], display_name=row[3] or None,
                roles=tuple(role for role in (row[4] or "").split(",") if role), event_class=row[5],
                study_instance_uid=row[6], accession_number=row[7], first_at=row[8], last_at=row[9],
                event_count=int(row[10]), reasons=tuple(row[11] or ()), destinations=tuple(row[12] or ()),
                study_description=row[13], study_date=row[14], outcome=row[15],
            )
            for row in rows[:MAX_LINES]
        ],
    )  # fmt: skip
