"""Patient: the admission office's file, with FR Core's names, national identifier and status."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from negatoscope.domain.identity import Action
from negatoscope.domain.patients import Patient, Registry, searching
from negatoscope.domain.patients.searching import Comparison
from negatoscope.entrypoints.fhir.elements import human_name, identifier, instant, pruned
from negatoscope.entrypoints.fhir.search_parameters import (
    by_code,
    by_name,
    by_number,
    date_span,
    identified_patient,
    named,
)
from negatoscope.entrypoints.fhir.searching import Context, Kind, Parameter
from negatoscope.infra.db.conditions import NEVER, Condition, negated

GENDERS: Final = {"M": "male", "F": "female", "U": "unknown", "": "unknown"}
"""HL7 table 0001; all others are ``other``."""
_RELIABILITY: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability"
_RELIABILITY_CODES: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445"
_BIRTH_PLACE: Final = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
_INSEE: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code"
_INSEE_CODES: Final = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"
_DAY: Final = re.compile(r"(eq|ne|ge|gt|le|lt|sa|eb)?([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)")


def patient(one: Patient) -> dict[str, Any]:
    """The resource of a file."""
    traits = one.traits
    names = [
        human_name(traits.birth_name, use="official"),
        human_name(traits.used_name, use="usual"),
    ]
    extensions: list[dict[str, Any]] = []
    if traits.identity_status:
        coding = {"system": _RELIABILITY_CODES, "code": traits.identity_status}
        status = {"url": "identityStatus", "valueCoding": coding}
        extensions.append({"url": _RELIABILITY, "extension": [status]})
    if traits.birth_place_code:
        coding = {"system": _INSEE_CODES, "code": traits.birth_place_code}
        code = {"url": _INSEE, "valueCoding": coding}
        extensions.append({"url": _BIRTH_PLACE, "valueAddress": {"extension": [code]}})
    died = birth_date(traits.died_at[:8])
    is_dead = traits.is_deceased or bool(died)
    return pruned(
        {
            "resourceType": "Patient",
            "id": str(one.id),
            "meta": {"lastUpdated": instant(one.updated_at)},
            "extension": extensions,
            "identifier": [identifier(found) for found in one.identifiers],
            "active": one.merged_into is None,
            "name": [name for name in names if name is not None],
            "gender": GENDERS.get(traits.sex, "other"),
            "birthDate": birth_date(traits.birth_date),
            "deceasedDateTime": died,
            "deceasedBoolean": True if is_dead and not died else None,
            "link": []
            if one.merged_into is None
            else [
                {
                    "other": {"reference": f"Patient/{one.merged_into}"},
                    "type": "replaced-by",
                }
            ],
        }
    )


def birth_date(text: str) -> str | None:
    """``YYYY[MM[DD]]`` as a FHIR date; parts that are unknown or lunar are left out."""
    parts = [text[:4]] if len(text) >= 4 and text[:4] != "0000" else []
    if parts and "01" <= text[4:6] <= "12":
        parts.append(text[4:6])
        if "01" <= text[6:8] <= "31" and _is_day(parts[0], parts[1], text[6:8]):
            parts.append(text[6:8])
    return "-".join(parts) or None


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _born(context: Context, value: str, _modifier: str) -> Condition:
    match = _DAY.fullmatch(value)
    if match is None:
        date_span(value, context.zone)  # raises unless it is a time, which no birth date has
        return NEVER
    return searching.born(_COMPARISONS[match[1] or "eq"], match[2].replace("-", ""))


def _shown(context: Context, numbers: Sequence[int]) -> list[dict[str, Any]]:
    return [patient(one) for one in Registry(context.connection).get_all(numbers)]


_COMPARISONS: Final = {
    "eq": Comparison.EQUAL,
    "ne": Comparison.DIFFERENT,
    "ge": Comparison.FROM,
    "sa": Comparison.AFTER,
    "gt": Comparison.AFTER,
    "le": Comparison.UNTIL,
    "lt": Comparison.BEFORE,
    "eb": Comparison.BEFORE,
}
_OF_GENDER: Final = {
    gender: searching.SEX.is_one_of([sex for sex, one in GENDERS.items() if one == gender])
    for gender in GENDERS.values()
} | {"other": negated(searching.SEX.is_one_of(GENDERS))}
_CURRENT: Final = searching.IS_CURRENT.equals(True)

KIND: Final = Kind(
    name="Patient",
    action=Action.READ_WORK,
    rows=searching.PATIENTS,
    parameters=named(
        by_number(searching.PATIENTS.number),
        Parameter(
            name="identifier",
            type="token",
            condition=lambda _context, value, _modifier: identified_patient(
                value, searching.PATIENTS.number
            ),
            documentation="system|value, or a value of any system",
        ),
        by_name("family", searching.FAMILY),
        by_name("given", searching.GIVEN),
        by_name("name", (*searching.FAMILY, *searching.GIVEN)),
        Parameter(name="birthdate", type="date", condition=_born),
        by_code("gender", _OF_GENDER),
        by_code("active", {"true": _CURRENT, "false": negated(_CURRENT)}),
    ),
    sorts={"_id": searching.PATIENTS.number, "_lastUpdated": searching.UPDATED},
    sort="-_id",
    shown=_shown,
    hidden=_CURRENT,
)
