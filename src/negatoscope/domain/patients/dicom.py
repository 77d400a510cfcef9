"""A patient as DICOM carries it: identifiers with their issuer, name, birth date, sex.

PS3.3 §C.2.2 (Patient Identification) and §10.14 (Issuer of Patient ID): what the worklist, our corrections
and labels say of a patient comes from here alone, so that they cannot differ.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from negatoscope.domain.patients.ins import is_ins, status_of
from negatoscope.domain.patients.model import (
    Authority,
    Identifier,
    IdentityStatus,
    Patient,
    PersonName,
)

UNIVERSAL_ENTITY_ID_TYPES: Final = frozenset({"DNS", "EUI64", "ISO", "URI", "UUID", "X400", "X500"})
"""Of (0040,0033); other HL7 types (L, M, N: FINESS) are local names of facilities to DICOM."""
_LO: Final = 64
_PN_PART: Final = 64
_UNUSABLE: Final = re.compile(r"[\x00-\x1f\x7f\\^=]")
_SEXES: Final = {"M": "M", "F": "F", "O": "O", "A": "O", "I": "O", "N": "O"}
_STAY_TYPES: Final = frozenset({"AN", "VN", "NH", "SS"})
NameToShow = Literal["used", "birth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomIdentifier:
    """Patient ID with who gave it.

    Attributes:
        patient_id: (0010,0020).
        issuer_of_patient_id: (0010,0021): the local name, else the universal one.
        type_code: Identifier Type Code (0040,0035): HL7 table 0203.
        universal_entity_id: (0040,0032), with its type; empty when it has none that DICOM knows.
        universal_entity_id_type: (0040,0033).
        assigning_facility: Local Namespace Entity ID of (0040,0036): a FINESS number.
    """

    patient_id: str
    issuer_of_patient_id: str
    type_code: str = ""
    universal_entity_id: str = ""
    universal_entity_id_type: str = ""
    assigning_facility: str = ""

    @property
    def qualifiers(self) -> dict[str, Any]:
        """Item of Issuer of Patient ID Qualifiers Sequence (0010,0024), DICOM JSON; may be empty."""
        item: dict[str, Any] = {}
        if self.universal_entity_id:
            item["00400032"] = {"vr": "UT", "Value": [self.universal_entity_id]}
            item["00400033"] = {"vr": "CS", "Value": [self.universal_entity_id_type]}
        if self.type_code:
            item["00400035"] = {"vr": "CS", "Value": [self.type_code]}
        if self.assigning_facility:
            facility = {"00400031": {"vr": "UT", "Value": [self.assigning_facility]}}
            item["00400036"] = {"vr": "SQ", "Value": [facility]}
        return item

    def json(self) -> dict[str, Any]:
        """DICOM JSON: Patient ID, its issuer and qualifiers."""
        found: dict[str, Any] = {"00100020": {"vr": "LO", "Value": [self.patient_id]}}
        if self.issuer_of_patient_id:
            found["00100021"] = {"vr": "LO", "Value": [self.issuer_of_patient_id]}
        if item := self.qualifiers:
            found["00100024"] = {"vr": "SQ", "Value": [item]}
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomPatient:
    """A patient's identification.

    Attributes:
        identifier: The one that is Patient ID.
        other_identifiers: The others in force, for Other Patient IDs Sequence (0010,1002).
        patient_name: (0010,0010), PN, by the rule that was asked for.
        other_patient_names: (0010,1001): the other name, where it differs.
        patient_birth_name: (0010,1005), PN.
        patient_birth_date: (0010,0030), ``YYYYMMDD``; empty unless the whole date is known.
        patient_sex: (0010,0040): M, F, O or empty.
    """

    identifier: DicomIdentifier | None
    other_identifiers: tuple[DicomIdentifier, ...]
    patient_name: str
    other_patient_names: tuple[str, ...]
    patient_birth_name: str
    patient_birth_date: str
    patient_sex: str

    @property
    def patient_id(self) -> str:
        """(0010,0020); empty when the patient has no identifier."""
        return "" if self.identifier is None else self.identifier.patient_id

    @property
    def issuer_of_patient_id(self) -> str:
        """(0010,0021)."""
        return "" if self.identifier is None else self.identifier.issuer_of_patient_id

    def json(self) -> dict[str, Any]:
        """All of it as DICOM JSON (PS3.18 Annex F), tags ascending; empty ones without value."""
        found: dict[str, Any] = {
            "00100010": _name(self.patient_name),
            "00100020": {"vr": "LO"},
            "00100030": _text("DA", self.patient_birth_date),
            "00100040": _text("CS", self.patient_sex),
        }
        if self.identifier is not None:
            found |= self.identifier.json()
        if self.other_identifiers:
            items = [one.json() for one in self.other_identifiers]
            found["00101002"] = {"vr": "SQ", "Value": items}
        if self.other_patient_names:
            names = [{"Alphabetic": one} for one in self.other_patient_names]
            found["00101001"] = {"vr": "PN", "Value": names}
        if self.patient_birth_name:
            found["00101005"] = _name(self.patient_birth_name)
        return dict(sorted(found.items()))


def dicom_patient(
    patient: Patient,
    *,
    preferred_authority: str = "",
    name: NameToShow = "used",
    identifiers: Sequence[Identifier] | None = None,
) -> DicomPatient:
    """What DICOM says of a patient; an INS only of a qualified identity (RNIV).

    Args:
        patient: With identifiers in force.
        preferred_authority: Local name or universal identifier of the authority whose number is Patient ID (setting
            ``patients.preferred_authority``). Of a patient without one, and when empty: the first of type PI, then any
            that is neither an INS nor a number of a stay.
        name: Which is Patient's Name: the name in use, each missing part from the birth name; or the birth name.
        identifiers: Others than the patient's.
    """
    held = patient.identifiers if identifiers is None else tuple(identifiers)
    is_qualified = status_of(patient.traits, held) is IdentityStatus.QUALIFIED
    usable = [one for one in held if _is_usable(one) and (is_qualified or not is_ins(one))]
    first = _preferred(usable, preferred_authority)
    traits = patient.traits
    used, birth = person_name(traits.name_to_show), person_name(traits.birth_name)
    shown = (birth or used) if name == "birth" else used
    return DicomPatient(
        identifier=None if first is None else dicom_identifier(first),
        other_identifiers=tuple(dicom_identifier(one) for one in usable if one is not first),
        patient_name=shown,
        other_patient_names=tuple(one for one in (used,) if one and one != shown),
        patient_birth_name=birth,
        patient_birth_date=traits.birth_date if _is_whole(traits.birth_date) else "",
        patient_sex=_SEXES.get(traits.sex, ""),
    )


def dicom_identifier(one: Identifier) -> DicomIdentifier:
    """An identifier with its issuer and qualifiers (PS3.3 Table 10-18, HL7 v2.5.1 §2.A.14)."""
    authority = one.authority
    is_universal = authority.universal_id_type in UNIVERSAL_ENTITY_ID_TYPES
    return DicomIdentifier(
        patient_id=one.value,
        issuer_of_patient_id=_clean(authority.text)[:_LO],
        type_code=_clean(one.type_code)[:16].upper(),
        universal_entity_id=_clean(authority.universal_id) if is_universal else "",
        universal_entity_id_type=authority.universal_id_type if is_universal else "",
        assigning_facility="" if is_universal else _clean(authority.universal_id),
    )


def person_name(name: PersonName) -> str:
    """PN (PS3.5 §6.2.1): family name, first given name; empty when neither is known."""
    family, given = _clean(name.family)[:_PN_PART], _clean(name.given)[:_PN_PART]
    if not given:
        given = _clean(name.further).split(" ")[0][:_PN_PART]
    return f"{family}^{given}" if given else family


def matches(authority: Authority, wanted: str) -> bool:
    """Whether an authority is meant by a local name or a universal identifier."""
    return bool(wanted) and wanted in {authority.namespace, authority.universal_id}


def _preferred(identifiers: Sequence[Identifier], authority: str) -> Identifier | None:
    own = [one for one in identifiers if not is_ins(one)]
    for one in own:
        if matches(one.authority, authority) and one.type_code in {"", "PI"}:
            return one
    for one in own:
        if one.type_code == "PI":
            return one
    return next(iter(own), None)


def _is_usable(one: Identifier) -> bool:
    """Whether it can stand in an LO, and is a patient's own."""
    value = one.value
    return (
        0 < len(value) <= _LO
        and _UNUSABLE.search(value) is None
        and one.type_code not in _STAY_TYPES
    )


def _is_whole(date: str) -> bool:
    return len(date) == 8 and date[4:6] != "00" and date[6:] != "00"


def _clean(text: str) -> str:
    return " ".join(_UNUSABLE.sub(" ", text).split())


def _text(vr: str, value: str) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]} if value else {"vr": vr}


def _name(value: str) -> dict[str, Any]:
    return {"vr": "PN", "Value": [{"Alphabetic": value}]} if value else {"vr": "PN"}
