"""Traits and identifiers (IHE PAM, HL7 v2.5.1 §3.4.2, RNIV)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Who gives identifiers (HD, HL7 v2.5.1 §2.A.33).

    Attributes:
        namespace: A local name: ``CHU-X``.
        universal_id: FINESS, OID …; what it is compared by when both sides have one.
        universal_id_type: ``N``, ``M``, ``L``, ``ISO``.
    """

    namespace: str = ""
    universal_id: str = ""
    universal_id_type: str = ""

    @property
    def is_named(self) -> bool:
        """Whether it says anything at all."""
        return bool(self.namespace or self.universal_id)

    @property
    def text(self) -> str:
        """For lists: the local name, else the universal one."""
        return self.namespace or self.universal_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """One identifier of a patient (CX, §2.A.14).

    Attributes:
        value: CX-1.
        authority: CX-4.
        type_code: CX-5, HL7 table 0203: PI, AN, VN, INS, NH …
    """

    value: str
    authority: Authority
    type_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    """Family and given names of one kind (XPN).

    Attributes:
        family: XPN-1.
        given: XPN-2: the one in use.
        further: XPN-3: all given names of the birth certificate, separated by spaces.
    """

    family: str = ""
    given: str = ""
    further: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known."""
        return not (self.family or self.given or self.further)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What identifies a person, and where to reach them.

    Attributes:
        birth_name: Legal name, XPN type L (RNIV: name and first name of birth).
        used_name: Name in use, XPN type D.
        birth_date: ``YYYY``, ``YYYYMM`` or ``YYYYMMDD``, as known: parts of it may be unknown or
            lunar, so it is text. Empty when unknown.
        sex: HL7 table 0001: M, F, O, U, A, N; empty when unknown.
        birth_place_code: INSEE code of the commune or country.
        identity_status: PID-32 without attributes: VALI, PROV; empty outside France.
        identity_attributes: PID-32: HOMA, DOUT, FICT.
        died_at: HL7 date and time, as given.
        is_deceased: PID-30.
        lunar_birth_date: A date that no calendar here has, as written on the document (ZFD-1).
        birth_place_name: The commune or country in words.
        address: Where they live, on one line.
        telephone: The first number to call.
    """

    birth_name: PersonName = field(default_factory=PersonName)
    used_name: PersonName = field(default_factory=PersonName)
    birth_date: str = ""
    sex: str = ""
    birth_place_code: str = ""
    identity_status: str = ""
    identity_attributes: tuple[str, ...] = ()
    died_at: str = ""
    is_deceased: bool = False
    lunar_birth_date: str = ""
    birth_place_name: str = ""
    address: str = ""
    telephone: str = ""

    @property
    def name_to_show(self) -> PersonName:
        """The name in use, each missing part from the birth name."""
        return PersonName(
            family=self.used_name.family or self.birth_name.family,
            given=self.used_name.given or self.birth_name.given,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A registered patient.

    Attributes:
        id: Ours.
        traits: As of now.
        identifiers: In force.
        merged_into: The patient whose file goes on, after a merge.
        version: Counts changes of traits.
    """

    id: int
    traits: Traits
    identifiers: tuple[Identifier, ...]
    merged_into: int | None
    created_at: datetime
    updated_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldIdentifier:
    """An identifier with the time for which the patient had it.

    Attributes:
        until: None: in force.
    """

    identifier: Identifier
    since: datetime
    until: datetime | None


class IdentityStatus(StrEnum):
    """Of RNIV: what two facts make, the INS was got (I) and the identity was checked (C)."""

    PROVISIONAL = "PROVISIONAL"
    """*Provisoire*: neither."""
    RETRIEVED = "RETRIEVED"
    """*Récupérée*: the INS alone."""
    VALIDATED = "VALIDATED"
    """*Validée*: checked against a document, without INS."""
    QUALIFIED = "QUALIFIED"
    """*Qualifiée*: both."""


class ChangeKind(StrEnum):
    """What happened to a patient's file."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    IDENTIFIERS_CHANGED = "IDENTIFIERS CHANGED"
    MERGED = "MERGED"
    """Into another: its file ended."""
    ABSORBED = "ABSORBED"
    """Another one's file into this one."""
    SPLIT = "SPLIT"
    """A merge was taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of a patient's history.

    Attributes:
        kind: What happened.
        before: Traits and identifiers before, as far as they changed.
        after: And after.
        source: ``hl7:<message>`` or ``user:<name>``.
    """

    id: int
    patient: int
    at: datetime
    kind: ChangeKind
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    source: str
    other_patient: int | None
