"""What stands on a label and in a letter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Language = Literal["fr", "en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A patient's examination on a label: the traits of RNIV, EXI PP 22, and the codes.

    Attributes:
        birth_name: Family name at birth.
        first_birth_name: First given name at birth.
        used_name: Name and given name in use, as far as they differ.
        birth_date: ``YYYY[MM[DD]]``.
        sex: ``M``, ``F`` or ``I``; empty when nobody said it.
        patient_id: The hospital's number, given by ``authority``.
        accession_number: In Code 128.
    """

    birth_name: str
    first_birth_name: str
    used_name: str
    birth_date: str
    sex: str
    patient_id: str
    authority: str
    accession_number: str
    procedure: str
    modality: str
    start_at: datetime | None
    requesting_service: str

    @property
    def matrix_text(self) -> str:
        """What the DataMatrix says: ``<IPP>^^^<authority>^PI|<accession number>``, ASCII; no name."""
        authority = self.authority.encode("ascii", "ignore").decode()
        text = f"{self.patient_id}^^^{authority}^PI|{self.accession_number}"
        return text.encode("ascii", "ignore").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSize:
    """Paper of labels, in millimetres; a sheet has columns and rows of them on A4."""

    width_mm: float
    height_mm: float
    columns: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Whose letter it is."""

    hospital: str
    department: str
    address: str
    telephone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterProcedure:
    """One examination of a visit."""

    name: str
    start_at: datetime
    room: str
    location: str
    preparation: str
    accession_number: str
    is_injected: bool
    safety_questions: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An appointment told to the patient.

    Attributes:
        addressee: Lines: name, address.
        birth_date: ``YYYY[MM[DD]]``.
    """

    language: Language
    addressee: Sequence[str]
    name: str
    birth_date: str
    patient_id: str
    procedures: Sequence[LetterProcedure]
    note: str
