"""What accounts, tokens and application entities were granted to see.

An account without a grant sees what its roles see: everything, except for the roles of
``GRANTED_ONLY`` and those the settings limit. One with grants sees their union. A break-glass adds
its patient while it lasts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import psycopg

from negatoscope.domain.identity.errors import InvalidGrant
from negatoscope.domain.identity.model import GRANTED_ONLY
from negatoscope.domain.identity.scope import EVERYTHING, NOTHING, DataScope
from negatoscope.infra.db import Database
from negatoscope.kit.text import fold


class GrantKind(StrEnum):
    """By what studies are granted."""

    EVERYTHING = "everything"
    INSTITUTION = "institution"
    """Institution Name (0008,0080)."""
    ISSUER = "issuer"
    """Issuer of Patient ID (0010,0021)."""
    DEPARTMENT = "department"
    """Institutional Department Name (0008,1040)."""
    PHYSICIAN = "physician"
    """Referring Physician's Name (0008,0090), case and accents aside."""
    PATIENT = "patient"
    """In whose care they are, or whose own file it is: Patient ID and its issuer."""
    UNIT = "unit"
    """Code of a hospital unit: patients it lodges, treats or cares for, and those it did lately."""
    STUDY = "study"
    """Study Instance UID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One row.

    Attributes:
        value: The name, identifier or UID; '' for everything.
        issuer: Issuer of Patient ID, of a patient.
        expires_at: None: until taken back.
        is_over: Whether that has passed.
    """

    kind: GrantKind
    value: str = ""
    issuer: str = ""
    expires_at: datetime | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has grants: exactly one of these is given."""

    user_id: int | None = None
    token_id: int | None = None
    ae_title: str | None = None


_OWN: Final = (
    "(user_fk = %(user)s::bigint OR token_fk = %(token)s::bigint OR ae_title = %(ae)s::text)"
)
_SELECT: Final = f"""
SELECT kind, value, issuer, expires_at, coalesce(expires_at <= now(), false) FROM data_grant
WHERE {_OWN} ORDER BY kind, value, issuer
"""
_PATIENTS: Final = """
SELECT min(p.id) FROM patient p
JOIN unnest(%(ids)s::text[], %(issuers)s::text[]) AS asked(id, issuer)
  ON p.patient_id = asked.id AND p.issuer_of_patient_id = asked.issuer AND p.is_current
GROUP BY p.patient_id, p.issuer_of_patient_id HAVING count(*) = 1
"""
"""Two people under one identifier: which is meant is unknown, so that neither is shown."""
CARE_DAYS: Final = 30
"""The care relation outlasts a stay, or a movement to another unit, by so many days."""
_IN_CARE: Final = "SELECT * FROM patients_in_care(%(units)s::text[], %(days)s)"
"""A function of the patients' domain: from a movement into a unit to the next one, or the end of the stay, and days more."""
_BROKEN: Final = """
WITH opened AS (
    SELECT DISTINCT patient_fk FROM break_glass WHERE user_fk = %s AND ended_at IS NULL AND expires_at > now()
)
SELECT patient_fk FROM opened
UNION SELECT s.patient_fk FROM opened o JOIN study s ON s.received_patient_fk = o.patient_fk
"""


def of(database: Database, holder: Holder) -> list[Grant]:
    """The grants of somebody, those that are over too."""
    with database.connection() as connection:
        return of_in(connection, holder)


def replace_all(
    database: Database, holder: Holder, wanted: Sequence[Grant], *, granted_by: str
) -> None:
    """Give somebody exactly these grants.

    Raises:
        InvalidGrant: one cannot be.
    """
    for grant in wanted:
        _check(grant)
    with database.connection() as connection:
        replace_in(connection, holder, wanted, granted_by=granted_by)


def replace_in(
    connection: psycopg.Connection[Any],
    holder: Holder,
    wanted: Iterable[Grant],
    *,
    granted_by: str,
) -> None:
    """The same inside a transaction of the caller's."""
    connection.execute(f"DELETE FROM data_grant WHERE {_OWN}", _parameters(holder))
    for grant in wanted:
        _check(grant)
        connection.execute(
            "INSERT INTO data_grant (user_fk, token_fk, ae_title, kind, value, issuer, granted_by,"
            " expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (
                *(holder.user_id, holder.token_id, holder.ae_title),
                *(grant.kind, grant.value.strip(), grant.issuer.strip()),
                *(granted_by, grant.expires_at),
            ),
        )


def scope_of_user(
    connection: psycopg.Connection[Any],
    *,
    user_id: int,
    roles: frozenset[str],
    limited_roles: frozenset[str],
) -> DataScope:
    """What an account sees now.

    Args:
        connection: In a transaction.
        user_id: Whose.
        roles: Its roles.
        limited_roles: Roles that see what was granted only, by the settings.
    """
    granted = of_in(connection, Holder(user_id=user_id))
    of_roles = EVERYTHING if roles - GRANTED_ONLY - limited_roles else NOTHING
    scope = _scope(connection, granted) if granted else of_roles
    if scope.everything:
        return scope
    broken = connection.execute(_BROKEN, (user_id,)).fetchall()
    if broken:
        keys = scope.patient_keys | {int(row[0]) for row in broken}
        scope = replace(scope, patient_keys=keys)
    return scope


def scope_within(
    connection: psycopg.Connection[Any], holder: Holder, within: DataScope
) -> DataScope:
    """What a token of an account sees, or an application entity: all of ``within`` without grants."""
    granted = of_in(connection, holder)
    if not granted:
        return within
    scope = _scope(connection, granted)
    return scope if within.is_everything else replace(scope, within=within)


def scope_of_application_entity(database: Database, ae_title: str) -> DataScope:
    """What an application entity sees."""
    with database.connection() as connection:
        return scope_within(connection, Holder(ae_title=ae_title), EVERYTHING)


def _scope(connection: psycopg.Connection[Any], rows: Sequence[Grant]) -> DataScope:
    granted = [one for one in rows if not one.is_over]

    def values(kind: GrantKind) -> frozenset[str]:
        return frozenset(one.value for one in granted if one.kind is kind)

    patients = [one for one in granted if one.kind is GrantKind.PATIENT]
    keys: frozenset[int] = frozenset()
    if patients:
        parameters = {
            "ids": [one.value for one in patients],
            "issuers": [one.issuer for one in patients],
        }
        keys = frozenset(int(row[0]) for row in connection.execute(_PATIENTS, parameters))
    if units := values(GrantKind.UNIT):
        found = connection.execute(_IN_CARE, {"units": sorted(units), "days": CARE_DAYS})
        keys |= {int(row[0]) for row in found}
    return DataScope(
        everything=any(one.kind is GrantKind.EVERYTHING for one in granted),
        institutions=values(GrantKind.INSTITUTION),
        departments=values(GrantKind.DEPARTMENT),
        issuers=values(GrantKind.ISSUER),
        physicians=frozenset(fold(name) for name in values(GrantKind.PHYSICIAN)),
        patient_keys=keys,
        studies=values(GrantKind.STUDY),
    )


def of_in(connection: psycopg.Connection[Any], holder: Holder) -> list[Grant]:
    """The same inside a transaction of the caller's."""
    rows = connection.execute(_SELECT, _parameters(holder)).fetchall()
    return [
        Grant(
            kind=GrantKind(row[0]), value=row[1], issuer=row[2], expires_at=row[3], is_over=row[4]
        )
        for row in rows
    ]


def _parameters(holder: Holder) -> dict[str, Any]:
    return {"user": holder.user_id, "token": holder.token_id, "ae": holder.ae_title}


def _check(grant: Grant) -> None:
    is_everything = grant.kind is GrantKind.EVERYTHING
    if is_everything != (not grant.value.strip()):
        raise InvalidGrant(
            f"a grant of kind {grant.kind} {'has no' if is_everything else 'needs a'} value",
            hint="give the name, the identifier or the UID.",
        )
    if grant.issuer and grant.kind is not GrantKind.PATIENT:
        raise InvalidGrant("only a patient has an issuer", hint="leave it away.")
    if not (grant.value + grant.issuer).isprintable() or len(grant.value + grant.issuer) > 200:
        raise InvalidGrant("the value cannot be used", hint="at most 200 printable characters.")
