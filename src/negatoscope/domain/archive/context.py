"""What another system's call means: studies and patients by the identifiers it gives (IHE RAD IID)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from negatoscope.domain.archive import visibility
from negatoscope.domain.identity.scope import DataScope
from negatoscope.infra.db import Database

MAX_FOUND: Final = 100
_COLUMNS: Final = """
s.study_instance_uid, s.study_date, s.study_description, s.accession_number, s.modalities_in_study,
p.id, p.patient_id, p.issuer_of_patient_id, p.patient_name, p.patient_birth_date
"""
_STUDIES: Final = f"""
SELECT {_COLUMNS}, {{seen}} FROM study s JOIN patient p ON p.id = s.patient_fk
WHERE (s.study_instance_uid = ANY (%(studies)s::text[]) OR s.accession_number = ANY (%(accessions)s::text[]))
ORDER BY s.study_date DESC NULLS LAST, s.id DESC LIMIT {MAX_FOUND}
"""
_OF_PATIENTS: Final = f"""
SELECT {_COLUMNS}, {{seen}} FROM patient p JOIN study s ON s.patient_fk = p.id
WHERE p.id IN (
    SELECT id FROM patient WHERE patient_id = %(patient)s
       AND (%(issuer)s::text IS NULL OR issuer_of_patient_id = %(issuer)s)
    UNION SELECT patient_fk FROM patient_identifier WHERE identifier = %(patient)s
       AND (%(issuer)s::text IS NULL OR issuer = %(issuer)s))
ORDER BY s.study_date DESC NULLS LAST, s.id DESC LIMIT {MAX_FOUND}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A study of the call."""

    study_instance_uid: str
    study_date: date | None
    study_description: str | None
    accession_number: str | None
    modalities_in_study: tuple[str, ...]
    patient_key: int
    patient_id: str | None
    issuer_of_patient_id: str
    patient_name: str | None
    patient_birth_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What was found.

    Attributes:
        studies: Those that whoever asks may see, newest first.
        hidden: UIDs of those outside their data scope.
    """

    studies: tuple[Found, ...]
    hidden: tuple[str, ...]


def studies_named(
    database: Database,
    scope: DataScope,
    *,
    study_instance_uids: Sequence[str] = (),
    accession_numbers: Sequence[str] = (),
) -> Context:
    """Studies by UID or accession number."""
    parameters = {"studies": list(study_instance_uids), "accessions": list(accession_numbers)}
    return _find(database, scope, _STUDIES, parameters)


def studies_of_patient(
    database: Database, scope: DataScope, *, patient_id: str, issuer: str | None
) -> Context:
    """Studies of whoever has an identifier, of that issuer if one is given."""
    return _find(database, scope, _OF_PATIENTS, {"patient": patient_id, "issuer": issuer})


def _find(database: Database, scope: DataScope, sql: str, parameters: dict[str, Any]) -> Context:
    seen, of_scope = visibility.condition(scope, study="s", patient="p").named("seen")
    with database.connection() as connection:
        rows = connection.execute(sql.format(seen=seen), parameters | of_scope).fetchall()
    return Context(
        studies=tuple(
            Found(
                study_instance_uid=row[0],
                study_date=row[1],
                study_description=row[2],
                accession_number=row[3],
                modalities_in_study=tuple(row[4]),
                patient_key=row[5],
                patient_id=row[6],
                issuer_of_patient_id=row[7],
                patient_name=row[8],
                patient_birth_date=row[9],
            )
            for row in rows
            if row[10]
        ),
        hidden=tuple(row[0] for row in rows if not row[10]),
    )
