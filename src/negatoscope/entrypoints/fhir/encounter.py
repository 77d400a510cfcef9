"""Encounter: a stay or a visit of the hospital, kept from its messages."""

from collections.abc import Sequence
from typing import Any, Final

from negatoscope.domain.identity import Action
from negatoscope.domain.patients import Authority, Identifier
from negatoscope.entrypoints.fhir.elements import (
    AUTHORITY,
    identifier,
    instant,
    period,
    person_name,
    pruned,
    reference,
)
from negatoscope.entrypoints.fhir.searching import (
    NOTHING,
    Clause,
    Context,
    Kind,
    Parameter,
    by_code,
    by_date,
    by_number,
    by_reference,
    chained_identifier,
    named,
)

_ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_CLASSES: Final = {"I": "IMP", "B": "IMP", "O": "AMB", "R": "AMB", "E": "EMER", "P": "PRENC"}
"""PV1-2 (HL7 table 0004) to v3-ActCode."""
_ROWS: Final = """
SELECT e.id, registered_root(e.patient_fk), e.visit_number, v.namespace, v.universal_id, v.universal_id_type, e.account_number,
       coalesce(a.namespace, ''), coalesce(a.universal_id, ''), coalesce(a.universal_id_type, ''), e.patient_class,
       e.state, coalesce(e.admitted_at, e.expected_at), e.discharged_at, e.medical_unit, e.lodging_unit, e.room, e.bed,
       e.attending_doctor, e.updated_at,
       (SELECT u.label FROM hospital_unit u WHERE u.code = e.medical_unit
        AND daterange(u.valid_from, u.valid_until, '[]') @> coalesce(e.admitted_at, now())::date)
FROM encounter e JOIN assigning_authority v ON v.id = e.authority_fk
LEFT JOIN assigning_authority a ON a.id = e.account_authority_fk
WHERE e.id = ANY(%s)
"""
STATUS: Final = (
    "CASE e.state WHEN 'PREADMITTED' THEN 'planned' WHEN 'ADMITTED' THEN 'in-progress' WHEN 'ON LEAVE' THEN 'onleave'"
    " WHEN 'DISCHARGED' THEN 'finished' WHEN 'CANCELLED' THEN 'cancelled' ELSE 'unknown' END"
)
_STATUSES: Final = {
    "PREADMITTED": "planned",
    "ADMITTED": "in-progress",
    "ON LEAVE": "onleave",
    "DISCHARGED": "finished",
    "CANCELLED": "cancelled",
}


def _shown(context: Context, numbers: Sequence[int]) -> list[dict[str, Any]]:
    rows = context.connection.execute(_ROWS, (list(numbers),)).fetchall()
    found = {row[0]: _encounter(row) for row in rows}
    return [found[number] for number in numbers if number in found]


def _encounter(row: Sequence[Any]) -> dict[str, Any]:
    code = _CLASSES.get(row[10])
    unit = row[20] or row[14]
    place = " ".join(part for part in (row[15], row[16], row[17]) if part)
    identifiers = [
        Identifier(
            value=row[2],
            type_code="VN",
            authority=Authority(namespace=row[3], universal_id=row[4], universal_id_type=row[5]),
        )
    ]
    if row[6]:
        authority = Authority(namespace=row[7], universal_id=row[8], universal_id_type=row[9])
        identifiers.append(Identifier(value=row[6], type_code="AN", authority=authority))
    return pruned(
        {
            "resourceType": "Encounter",
            "id": str(row[0]),
            "meta": {"lastUpdated": instant(row[19])},
            "identifier": [identifier(one) for one in identifiers],
            "status": _STATUSES.get(row[11], "unknown"),
            "class": {"system": _ACT_CODE, "code": code}
            if code
            else {"extension": [{"url": _ABSENT, "valueCode": "unknown"}]},
            "subject": reference("Patient", row[1]),
            "participant": [{"individual": {"display": person_name(row[18])}}] if row[18] else [],
            "period": period(row[12], row[13]),
            "location": [{"location": {"display": place}}] if place else [],
            "serviceProvider": pruned({"display": unit}),
        }
    )


def _numbered(_context: Context, value: str, _modifier: str) -> Clause:
    system, bar, ident = value.rpartition("|")
    if (bar and not system) or not ident:
        return NOTHING
    named_, values = "TRUE", [ident, ident]
    if system.startswith("urn:oid:"):
        named_ = "a.universal_id = %s"
        values.append(system.removeprefix("urn:oid:"))
    elif system.startswith(AUTHORITY):
        name = system.removeprefix(AUTHORITY)
        named_ = "(a.universal_id = %s OR (a.universal_id = '' AND a.namespace = %s))"
        values += [name, name]
    elif system:
        return NOTHING
    sql = (
        "EXISTS (SELECT FROM assigning_authority a WHERE ((e.visit_number = %s AND a.id = e.authority_fk)"
        f" OR (e.account_number = %s AND a.id = e.account_authority_fk)) AND {named_})"
    )
    return sql, list(values)


_STARTED: Final = "coalesce(e.admitted_at, e.expected_at, e.updated_at)"
_CLASS: Final = (
    "CASE e.patient_class WHEN 'I' THEN 'IMP' WHEN 'B' THEN 'IMP' WHEN 'O' THEN 'AMB' WHEN 'R' THEN 'AMB'"
    " WHEN 'E' THEN 'EMER' WHEN 'P' THEN 'PRENC' ELSE '' END"
)

KIND: Final = Kind(
    name="Encounter",
    action=Action.READ_WORK,
    source="encounter e",
    number="e.id",
    parameters=named(
        by_number("e.id"),
        Parameter(
            name="identifier",
            type="token",
            clause=_numbered,
            documentation="of the visit (VN) or the account (AN)",
        ),
        by_reference("patient", "Patient", "e.patient_fk", identified=True),
        by_reference("subject", "Patient", "e.patient_fk", identified=True),
        chained_identifier("patient.identifier", "e.patient_fk"),
        chained_identifier("subject.identifier", "e.patient_fk"),
        by_code("status", STATUS),
        by_code("class", _CLASS, system=_ACT_CODE),
        by_date("date", _STARTED, end="coalesce(e.discharged_at, 'infinity')"),
    ),
    sorts={"date": (_STARTED, "timestamptz"), "_id": ("e.id", "bigint")},
    sort="-date",
    shown=_shown,
)
