"""Segments that several messages have: header, patient, visit; people, identifiers, times.

HL7 v2.5.1 chapters 2 (MSH), 3 (PID, PV1); IHE PAM France for what ADT carries besides.
"""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Final

from negatoscope.domain.messages import Destination
from negatoscope.domain.orders import OrderDetails
from negatoscope.domain.patients import Authority, Identifier, Patient, PersonName
from negatoscope.protocols.hl7v2 import NULL, FieldValue, Segment
from negatoscope.protocols.hl7v2.encoding import Component, Repetition

RPPS: Final = ("ASIP-SANTE-PS", "1.2.250.1.71.4.2.1", "ISO")
"""Authority of the numbers of French professionals."""
_AMBULATORY: Final = {"0003": "B6"}
"""HL7 table 0009 by Pregnancy Status (0010,21C0)."""


def timestamp(at: datetime, zone: tzinfo) -> str:
    """A point in time to the second, in the department's zone with its offset (TS)."""
    return at.astimezone(zone).strftime("%Y%m%d%H%M%S%z")


def header(
    destination: Destination,
    *,
    message_type: tuple[str, ...],
    version: FieldValue,
    control_id: str,
    at: datetime,
    zone: tzinfo,
    is_french: bool = False,
) -> Segment:
    """MSH, for a destination."""
    is_enhanced = destination.acknowledgment_mode == "ENHANCED"
    return Segment.build(
        "MSH",
        {
            3: destination.sending_application,
            4: destination.sending_facility,
            5: destination.receiving_application,
            6: destination.receiving_facility,
            7: timestamp(at, zone),
            9: message_type,
            10: control_id,
            11: "P",
            12: version,
            15: "AL" if is_enhanced else None,
            16: "NE" if is_enhanced else None,
            17: "FRA" if is_french else None,
            18: destination.character_set,
            19: "FR" if is_french else None,
            21: ("2.11", "IHE_FRANCE-2.11-PAM") if is_french else None,
        },
    )


def patient_identification(
    patient: Patient,
    *,
    account: tuple[str, str] = ("", ""),
    identifiers: Iterable[Identifier] | None = None,
) -> Segment:
    """PID: every identifier in force with its authority, names at birth (L) and in use (D).

    Args:
        patient: Who.
        account: PID-18: number and who gave it.
        identifiers: Those of PID-3; None: all in force.
    """
    traits = patient.traits
    given = patient.identifiers if identifiers is None else identifiers
    names = [
        _person_name(name, kind)
        for name, kind in ((traits.birth_name, "L"), (traits.used_name, "D"))
        if not name.is_empty
    ]
    addresses: list[Repetition] = []
    if traits.address:
        addresses.append((traits.address, None, None, None, None, None, "H"))
    if traits.birth_place_code or traits.birth_place_name:
        place: list[Component] = [None] * 9
        place[2], place[6], place[8] = traits.birth_place_name, "BDL", traits.birth_place_code
        addresses.append(tuple(place))
    number, issuer = account
    return Segment.build(
        "PID",
        {
            3: [extended_id(one) for one in given],
            5: names or None,
            7: traits.birth_date,
            8: traits.sex,
            11: addresses or None,
            13: traits.telephone,
            18: (number, None, None, (issuer,), "AN") if number else None,
            29: traits.died_at,
            30: "Y" if traits.is_deceased else None,
            32: [one for one in (traits.identity_status, *traits.identity_attributes) if one]
            or None,
        },
    )


def extended_id(one: Identifier) -> Repetition:
    """CX."""
    return (one.value, None, None, authority(one.authority), one.type_code)


def null_id(one: Identifier) -> Repetition:
    """CX that takes an identifier away."""
    return (NULL, None, None, authority(one.authority), one.type_code)


def authority(one: Authority) -> tuple[str, str, str]:
    """HD."""
    return (one.namespace, one.universal_id, one.universal_id_type)


def _person_name(name: PersonName, kind: str) -> Repetition:
    return (name.family, name.given, name.further, None, None, None, kind)


def visit(details: OrderDetails, patient_class: str) -> Segment:
    """PV1: class (U: unknown), where the patient is, who referred, whether pregnant."""
    number = details.admission_id
    return Segment.build(
        "PV1",
        {
            2: patient_class or "U",
            3: details.current_patient_location,
            8: person(details.referring_physician_name),
            15: _AMBULATORY.get(details.pregnancy_status),
            19: (number, None, None, (details.issuer_of_admission_id,), "VN") if number else None,
        },
    )


def person(name: str, rpps: str = "") -> Repetition:
    """XCN of a DICOM name (PN): family, given, middle, prefix, suffix."""
    if not name and not rpps:
        return None
    family, given, middle, prefix, suffix, *_ = [*name.split("^"), "", "", "", "", ""]
    made: list[Component] = [rpps or None, family, given, middle, suffix, prefix]
    if rpps:
        made += [None, None, RPPS, "D", None, None, "RPPS"]
    return tuple(made)


def coded(value: str, meaning: str, scheme: str) -> Repetition:
    """CE."""
    return (value, meaning, scheme) if value else ((None, meaning) if meaning else None)


def entity(value: str, issuer: str = "") -> Repetition:
    """EI."""
    return (value, issuer) if value else None


def searched_by(patient: Patient) -> tuple[str, ...]:
    """As messages are searched by: values, and values with their authority."""
    found: list[str] = []
    for one in patient.identifiers:
        found += [one.value, f"{one.value}^{one.authority.text}"]
    return tuple(dict.fromkeys(found))


def order_keys(patient: Patient, *others: int) -> tuple[str, ...]:
    """Messages about one patient keep their order."""
    return tuple(f"patient:{number}" for number in (patient.id, *others))
