"""Which studies somebody may see, where the studies are: one study's facts, and the SQL condition.

The condition is true of exactly the studies that ``DataScope.covers``. It enters the SQL of a search
in one place each: ``query.planning``, ``listing``, ``overview``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from negatoscope.domain.identity.scope import DataScope, StudyFacts
from negatoscope.infra.db import Database
from negatoscope.infra.db.conditions import Condition

_DEPARTMENT: Final = "e.attributes->'00081040'->'Value'->>0"
_FACTS: Final = f"""
SELECT s.study_instance_uid, s.patient_fk, p.issuer_of_patient_id, s.referring_physician_name_folded,
       ARRAY(SELECT DISTINCT e.institution_name FROM series e
             WHERE e.study_fk = s.id AND e.institution_name IS NOT NULL),
       ARRAY(SELECT DISTINCT {_DEPARTMENT} FROM series e WHERE e.study_fk = s.id AND {_DEPARTMENT} IS NOT NULL)
FROM study s JOIN patient p ON p.id = s.patient_fk
WHERE s.study_instance_uid = ANY (%s)
"""


@dataclass(frozen=True, slots=True)
class Seen(Condition):
    """A condition over a study and its patient.

    Attributes:
        needs_patient: Whether it names the patient's table.
    """

    needs_patient: bool = False


def condition(scope: DataScope, *, study: str = "study", patient: str = "patient") -> Seen:
    """The condition under which a study is seen.

    Args:
        scope: What is seen.
        study: Alias of the study's table.
        patient: Alias of its patient's.
    """
    parts: list[str] = []
    parameters: list[Any] = []
    needs_patient = False
    if not scope.everything:
        for column, values, kind in (
            (f"{study}.study_instance_uid", scope.studies, "text"),
            (f"{study}.patient_fk", scope.patient_keys, "bigint"),
            (f"{study}.referring_physician_name_folded", scope.physicians - {""}, "text"),
            (f"{patient}.issuer_of_patient_id", scope.issuers - {""}, "text"),
        ):
            if values:
                parts.append(f"{column} = ANY (%s::{kind}[])")
                parameters.append(sorted(values))
                needs_patient = needs_patient or column.startswith(f"{patient}.")
        for column, values, kind in (
            ("e.institution_name", scope.institutions, "text"),
            (_DEPARTMENT, scope.departments, "text"),
        ):
            if values:
                parts.append(
                    f"EXISTS (SELECT FROM series e WHERE e.study_fk = {study}.id"
                    f" AND {column} = ANY (%s::{kind}[]))"
                )
                parameters.append(sorted(values))
        sql = "(" + (" OR ".join(parts) or "FALSE") + ")"
    else:
        sql = "TRUE"
    if scope.within is not None and not scope.within.is_everything:
        outer = condition(scope.within, study=study, patient=patient)
        sql = f"({sql} AND {outer.sql})"
        parameters += outer.parameters
        needs_patient = needs_patient or outer.needs_patient
    return Seen(sql, tuple(parameters), needs_patient)


def facts(database: Database, study_instance_uid: str) -> StudyFacts | None:
    """What a decision about a study looks at; None when it is not here."""
    with database.connection() as connection:
        found = _facts(connection, [study_instance_uid])
    return found[0] if found else None


def visible_among(
    database: Database, scope: DataScope, study_instance_uids: Iterable[str]
) -> frozenset[str]:
    """Those of some studies that are seen."""
    wanted = frozenset(study_instance_uids)
    if scope.is_everything or not wanted:
        return wanted
    with database.connection() as connection:
        known = _facts(connection, sorted(wanted))
    return frozenset(one.study_instance_uid for one in known if scope.covers(one))


def _facts(connection: psycopg.Connection[Any], uids: Sequence[str]) -> list[StudyFacts]:
    return [
        StudyFacts(
            study_instance_uid=row[0],
            patient_key=row[1],
            issuer_of_patient_id=row[2],
            physician=row[3],
            institutions=frozenset(row[4]),
            departments=frozenset(row[5]),
        )
        for row in connection.execute(_FACTS, (list(uids),)).fetchall()
    ]
