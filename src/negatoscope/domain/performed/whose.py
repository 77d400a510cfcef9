"""Which registered patient a study or a performed step is of, by what it says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import psycopg

from negatoscope.infra.db import load_queries
from negatoscope.kit.text import fold

SQL: Final = load_queries("negatoscope.domain.performed.sql", "whose.sql")
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidPatient:
    """A patient as objects name one.

    Attributes:
        universal_entity_id: Of Issuer of Patient ID Qualifiers Sequence.
        name_folded: Patient's Name, `kit.text.fold`.
        birth_date: ``YYYYMMDD``; empty when unknown.
        known_as: Row of registered_patient, when it is known otherwise: a person moved the study,
            or whoever sent it means the numbers of one authority.
    """

    patient_id: str
    issuer_of_patient_id: str
    universal_entity_id: str
    name_folded: str
    birth_date: str
    known_as: int | None = None

    @property
    def is_issuer_named(self) -> bool:
        """Whether it says who gave the number."""
        return bool(self.issuer_of_patient_id or self.universal_entity_id)


class Sameness(StrEnum):
    """Whether a study's patient is the one of an order."""

    SAME = "SAME"
    """By identifier and issuer."""
    NOT_CONTRADICTED = "NOT CONTRADICTED"
    """The bare number or the traits agree; nobody says who gave the number."""
    UNCLEAR = "UNCLEAR"
    DIFFERENT = "DIFFERENT"


def holder(connection: Connection, said: SaidPatient) -> int | None:
    """Whose it is by identifier and issuer; None when it names none or nobody has it."""
    if said.known_as is not None:
        return root(connection, said.known_as)
    if not said.patient_id or not said.is_issuer_named:
        return None
    rows = connection.execute(
        SQL["holders"],
        {
            "value": said.patient_id,
            "issuer": said.issuer_of_patient_id,
            "universal": said.universal_entity_id,
        },
    ).fetchall()
    roots = {root(connection, row[0]) for row in rows}
    return roots.pop() if len(roots) == 1 else None


def with_issuer(connection: Connection, said: SaidPatient, ae_title: str) -> SaidPatient:
    """With the issuer that a sender means when it names none, where that is known."""
    if said.is_issuer_named or not said.patient_id:
        return said
    row = connection.execute(SQL["default_issuer"], {"ae_title": ae_title}).fetchone()
    return said if row is None else replace(said, issuer_of_patient_id=row[0])


def root(connection: Connection, patient: int) -> int:
    """The file that goes on after merges."""
    row = connection.execute(SQL["root"], {"patient": patient}).fetchone()
    return patient if row is None else int(row[0])


def sameness(connection: Connection, said: SaidPatient, patient: int) -> Sameness:
    """Whether the patient that is named is a registered one."""
    wanted = root(connection, patient)
    found = holder(connection, said)
    if found is not None:
        return Sameness.SAME if found == wanted else Sameness.DIFFERENT
    traits = connection.execute(SQL["traits"], {"patient": wanted}).fetchone()
    assert traits is not None  # noqa: S101 - orders refer to patients
    *names, birth_date = traits
    is_born_then = not said.birth_date or said.birth_date.startswith(
        birth_date.rstrip("0") if len(birth_date) < 8 else birth_date
    )
    if said.patient_id:
        given = {"patient": wanted, "value": said.patient_id}
        if connection.execute(SQL["has_number"], given).fetchone() is None or not is_born_then:
            return Sameness.DIFFERENT
        return Sameness.UNCLEAR if said.is_issuer_named else Sameness.NOT_CONTRADICTED
    if not said.name_folded or not said.birth_date:
        return Sameness.UNCLEAR
    is_theirs = is_born_then and _is_called(said.name_folded, names)
    return Sameness.NOT_CONTRADICTED if is_theirs else Sameness.DIFFERENT


def _is_called(folded: str, names: Sequence[str]) -> bool:
    """Whether a folded PN is one of a patient's names: a family name and a given name of theirs."""
    parts = [part.strip() for part in folded.partition("=")[0].split("^")]
    family, given = parts[0], parts[1] if len(parts) > 1 else ""
    birth_family, birth_given, further, used_family, used_given = (fold(one) for one in names)
    given_names = {birth_given, used_given, *further.split()} - {""}
    return family in {birth_family, used_family} - {""} and given in given_names
