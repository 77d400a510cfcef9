"""Encounter: a stay or a visit of the hospital, kept from its messages."""

from collections.abc import Sequence
from typing import Any, Final

from negatoscope.domain.identity import Action
from negatoscope.domain.patients import searching
from negatoscope.domain.patients.encounters import Encounters, ShownEncounter
from negatoscope.domain.patients.stays import EncounterState
from negatoscope.entrypoints.fhir.elements import (
    identifier,
    instant,
    period,
    person_name,
    pruned,
    reference,
)
from negatoscope.entrypoints.fhir.search_parameters import (
    asked_identifier,
    by_code,
    by_date,
    by_number,
    by_patient,
    chained_identifier,
    named,
)
from negatoscope.entrypoints.fhir.searching import Context, Kind, Parameter
from negatoscope.infra.db.conditions import NEVER, Condition

_ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_CLASSES: Final = {"I": "IMP", "B": "IMP", "O": "AMB", "R": "AMB", "E": "EMER", "P": "PRENC"}
"""PV1-2 (HL7 table 0004) to v3-ActCode."""
_STATUSES: Final = {
    EncounterState.PREADMITTED: "planned",
    EncounterState.ADMITTED: "in-progress",
    EncounterState.ON_LEAVE: "onleave",
    EncounterState.DISCHARGED: "finished",
    EncounterState.CANCELLED: "cancelled",
    EncounterState.UNKNOWN: "unknown",
}


def _shown(context: Context, numbers: Sequence[int]) -> list[dict[str, Any]]:
    return [_encounter(one) for one in Encounters(context.connection).shown(numbers)]


def _encounter(shown: ShownEncounter) -> dict[str, Any]:
    one, stay = shown.encounter, shown.encounter.stay
    code = _CLASSES.get(stay.patient_class)
    place = " ".join(part for part in (stay.lodging_unit, stay.room, stay.bed) if part)
    doctor = person_name(stay.attending_doctor)
    return pruned(
        {
            "resourceType": "Encounter",
            "id": str(one.id),
            "meta": {"lastUpdated": instant(one.updated_at)},
            "identifier": [identifier(n) for n in (one.visit, one.account) if n is not None],
            "status": _STATUSES[stay.state],
            "class": {"system": _ACT_CODE, "code": code}
            if code
            else {"extension": [{"url": _ABSENT, "valueCode": "unknown"}]},
            "subject": reference("Patient", shown.patient),
            "participant": [{"individual": {"display": doctor}}] if doctor else [],
            "period": period(stay.admitted_at or stay.expected_at, stay.discharged_at),
            "location": [{"location": {"display": place}}] if place else [],
            "serviceProvider": pruned({"display": shown.medical_unit}),
        }
    )


def _numbered(_context: Context, value: str, _modifier: str) -> Condition:
    asked = asked_identifier(value)
    if asked is None or not asked.value:
        return NEVER
    return searching.encounter_numbered(asked)


KIND: Final = Kind(
    name="Encounter",
    action=Action.READ_WORK,
    rows=searching.ENCOUNTERS,
    parameters=named(
        by_number(searching.ENCOUNTERS.number),
        Parameter(
            name="identifier",
            type="token",
            condition=_numbered,
            documentation="of the visit (VN) or the account (AN)",
        ),
        by_patient("patient", searching.ENCOUNTER_PATIENT),
        by_patient("subject", searching.ENCOUNTER_PATIENT),
        chained_identifier("patient.identifier", searching.ENCOUNTER_PATIENT),
        chained_identifier("subject.identifier", searching.ENCOUNTER_PATIENT),
        by_code(
            "status", {name: searching.encounter_in(state) for state, name in _STATUSES.items()}
        ),
        by_code(
            "class",
            {
                code: searching.PATIENT_CLASS.is_one_of(
                    [ours for ours, one in _CLASSES.items() if one == code]
                )
                for code in _CLASSES.values()
            },
            system=_ACT_CODE,
        ),
        by_date("date", searching.STAY),
    ),
    sorts={"date": searching.BEGAN, "_id": searching.ENCOUNTERS.number},
    sort="-date",
    shown=_shown,
)
