"""What stands on paper, read from orders, appointments and the catalogue."""

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from negatoscope.domain.orders import Question, safety
from negatoscope.domain.performed.documents.model import (
    Label,
    Language,
    Letter,
    LetterProcedure,
)
from negatoscope.infra.db import load_queries

_SQL: Final = load_queries("negatoscope.domain.performed.sql", "documents.sql")
_SEX: Final = {"M": "M", "F": "F", "O": "I", "A": "I", "N": "I", "U": "I"}
"""HL7 table 0001 as labels show it: RNIV knows M, F and I (not determined)."""


class UnknownDocument(Exception):
    """There is no such procedure, or no such appointment with a time."""


def label_of_procedure(connection: psycopg.Connection[Any], procedure: int) -> Label:
    """The label of a requested procedure.

    Raises:
        UnknownDocument: there is none.
    """
    row = connection.execute(_SQL["label"], {"procedure": procedure}).fetchone()
    if row is None:
        raise UnknownDocument(f"there is no procedure {procedure}")
    birth, given, further, used, used_given = row[:5]
    return Label(
        birth_name=birth,
        first_birth_name=_first(given, further),
        used_name=_used((birth, given), (used, used_given)),
        birth_date=row[5],
        sex=_SEX.get(row[6], ""),
        patient_id=row[7],
        authority=row[8],
        accession_number=row[9],
        procedure=row[10],
        modality=row[11],
        start_at=row[12],
        requesting_service=row[13],
    )


def letter_of_appointment(
    connection: psycopg.Connection[Any], appointment: int, language: Language, *, today: Any
) -> Letter:
    """The letter of an appointment.

    Args:
        language: Of the letter.
        today: Date; for the questions that depend on the patient's age.

    Raises:
        UnknownDocument: there is none, it has no time, or it was cancelled.
    """
    rows = connection.execute(
        _SQL["letter"], {"appointment": appointment, "is_french": language == "fr"}
    ).fetchall()
    if not rows:
        raise UnknownDocument(f"there is no appointment {appointment} with a time")
    birth, given, used, used_given, birth_date, sex, address, patient_id, note = rows[0][:9]
    name = f"{used or birth} {used_given or given}".strip()
    hides_pregnancy = not safety.may_be_pregnant(sex, birth_date, today)
    return Letter(
        language=language,
        addressee=[name, *(part.strip() for part in address.replace("^", "\n").splitlines())],
        name=name,
        birth_date=birth_date,
        patient_id=patient_id,
        note=note,
        procedures=[
            LetterProcedure(
                name=row[9],
                start_at=row[10],
                room=row[11],
                location=row[12],
                preparation=row[13],
                accession_number=row[14],
                is_injected=row[15],
                safety_questions=[
                    one for one in row[16] if not (hides_pregnancy and one == Question.PREGNANCY)
                ],
            )
            for row in rows
        ],
    )


def _first(given: str, further: str) -> str:
    """The first given name: as given, else the first of the birth certificate's list."""
    return given or further.split(" ", maxsplit=1)[0]


def _used(birth: Sequence[str], used: Sequence[str]) -> str:
    if tuple(used) in {("", ""), tuple(birth)}:
        return ""
    return " ".join(part for part in used if part)
