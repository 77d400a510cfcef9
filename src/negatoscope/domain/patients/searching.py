"""Patients and encounters by what is known of them: what can be asked, over which rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import psycopg

from negatoscope.domain.patients.stays import EncounterState
from negatoscope.infra.db.conditions import (
    NEVER,
    Column,
    Condition,
    Selection,
    Span,
    all_of,
    any_of,
    literal_like,
)
from negatoscope.kit.text import fold

_MAX_NAME: Final = 100
_ACCENTED: Final = "ÀÂÄÁÃÅÇÉÈÊËÍÌÎÏÑÓÒÔÖÕÚÙÛÜÝŸàâäáãåçéèêëíìîïñóòôöõúùûüýÿ"
_PLAIN: Final = "aaaaaaceeeeiiiinooooouuuuyy" * 2
_FOLDED: Final = (
    f"lower(replace(replace(replace(replace(translate({{}}, '{_ACCENTED}', '{_PLAIN}'),"
    " 'œ', 'oe'), 'Œ', 'oe'), 'æ', 'ae'), 'Æ', 'ae'))"
)
"""Near enough to `kit.text.fold`, which the index beside it holds; the database's lower() may know ASCII alone."""


# -- patients -------------------------------------------------------------------------------------

PATIENTS: Final = Selection(source="registered_patient p", number=Column("p.id", "bigint"))
UPDATED: Final = Column("p.updated_at", "timestamptz")
SEX: Final = Column("p.sex")
"""HL7 table 0001; empty: unknown."""
IS_CURRENT: Final = Column("(p.merged_into IS NULL)", "boolean")
"""Whether the file has not ended in another one."""
FAMILY: Final = ("p.birth_family_name", "p.used_family_name")
GIVEN: Final = ("p.birth_given_name", "p.used_given_name", "p.birth_further")


class Match(StrEnum):
    """How a name is compared."""

    BEGINS = "BEGINS"
    CONTAINS = "CONTAINS"
    EXACT = "EXACT"
    """Accents and case too."""


class Comparison(StrEnum):
    """How a date of birth lies to one that is given, both cut to what that one says."""

    EQUAL = "="
    DIFFERENT = "<>"
    FROM = ">="
    AFTER = ">"
    UNTIL = "<="
    BEFORE = "<"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedIdentifier:
    """An identifier as somebody asks for it; what is empty does not limit.

    Attributes:
        universal_id: Of the authority: an OID.
        authority: Its universal identifier of another kind, or its name where it has none.
    """

    value: str = ""
    universal_id: str = ""
    authority: str = ""


def named(text: str, columns: Sequence[str], match: Match = Match.BEGINS) -> Condition:
    """One of a patient's names is like this.

    Args:
        text: As typed.
        columns: `FAMILY`, `GIVEN` or both.
        match: How it is compared; accents and case do not count unless it is EXACT.
    """
    if match is Match.EXACT:
        return any_of(*(Column(column).equals(text) for column in columns))
    folded = fold(text)[:_MAX_NAME]
    if not folded:
        return NEVER
    pattern = literal_like(folded)
    begins = "%" if match is Match.CONTAINS else ""
    likely = Condition("p.name_folded LIKE %s", (f"%{pattern}%",))
    return all_of(
        likely,
        any_of(
            *(
                Condition(f"{_FOLDED.format(column)} LIKE %s", (f"{begins}{pattern}%",))
                for column in columns
            )
        ),
    )


def born(comparison: Comparison, text: str) -> Condition:
    """A date of birth that is known lies so.

    Args:
        comparison: To the date that is given.
        text: ``YYYY[MM[DD]]``.
    """
    cut = f"left(p.birth_date, {len(text)}) {comparison} %s"
    return Condition(f"(p.birth_date <> '' AND {cut})", (text,))


def identified(asked: AskedIdentifier) -> Condition:
    """A patient has an identifier, now."""
    return of_identified(PATIENTS.number, asked)


def of_patient(column: Column, number: int) -> Condition:
    """Something is of a patient, or of one whose file ended in theirs."""
    sql = f"{column.sql} = ANY(ARRAY(SELECT registered_family(%s)))"
    return Condition(sql, (*column.parameters, number))


def of_identified(column: Column, asked: AskedIdentifier) -> Condition:
    """Something is of a patient who has an identifier, now."""
    authority = _authority(asked)
    value = Column("i.value").equals(asked.value) if asked.value else None
    held = [Condition("i.until IS NULL"), *(one for one in (value, authority) if one)]
    inner = all_of(*held)
    return Condition(
        f"{column.sql} IN (SELECT registered_family(i.patient_fk) FROM registered_identifier i"
        f" JOIN assigning_authority a ON a.id = i.authority_fk WHERE {inner.sql})",
        (*column.parameters, *inner.parameters),
    )


def numbers_of_identified(
    connection: psycopg.Connection[Any], asked: AskedIdentifier, *, limit: int
) -> list[int]:
    """Files whose patient has an identifier, now."""
    condition = identified(asked)
    sql = f"SELECT p.id FROM {PATIENTS.source} WHERE {condition.sql} LIMIT %s"
    return [row[0] for row in connection.execute(sql, [*condition.parameters, limit])]


def _authority(asked: AskedIdentifier) -> Condition | None:
    """Over ``a``; None: any."""
    if asked.universal_id:
        return Column("a.universal_id").equals(asked.universal_id)
    if asked.authority:
        sql = "(a.universal_id = %s OR (a.universal_id = '' AND a.namespace = %s))"
        return Condition(sql, (asked.authority, asked.authority))
    return None


# -- encounters -----------------------------------------------------------------------------------

ENCOUNTERS: Final = Selection(source="encounter e", number=Column("e.id", "bigint"))
ENCOUNTER_PATIENT: Final = Column("e.patient_fk", "bigint")
PATIENT_CLASS: Final = Column("e.patient_class")
"""PV1-2, HL7 table 0004."""
_BEGAN: Final = "coalesce(e.admitted_at, e.expected_at, e.updated_at)"
BEGAN: Final = Column(_BEGAN, "timestamptz")
"""When it began, is expected to, or was last heard of."""
STAY: Final = Span.of(_BEGAN, "coalesce(e.discharged_at, 'infinity')")


def encounter_in(*states: EncounterState) -> Condition:
    """An encounter is in one of these states."""
    return Column("e.state").is_one_of(states)


def encounter_numbered(asked: AskedIdentifier) -> Condition:
    """An encounter, or its account, has a number."""
    authority = _authority(asked)
    number = Condition(
        "((e.visit_number = %s AND a.id = e.authority_fk)"
        " OR (e.account_number = %s AND a.id = e.account_authority_fk))",
        (asked.value, asked.value),
    )
    inner = number if authority is None else all_of(number, authority)
    return Condition(
        f"EXISTS (SELECT FROM assigning_authority a WHERE {inner.sql})", inner.parameters
    )
