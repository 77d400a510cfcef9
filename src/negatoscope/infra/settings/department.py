"""The department: patients' files, orders, labels and letters."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from negatoscope.kit.numbering import check_pattern


class PatientSettings(BaseModel):
    """Patients' files: whose numbers count, what is taken from admission messages."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    own_authority: str = Field(default="NEGATOSCOPE", min_length=1, max_length=64)
    """Local name of the authority of the numbers that we give to patients typed in here."""
    own_universal_id: str = Field(default="", max_length=64)
    """Its universal identifier: an OID, a FINESS number."""
    own_universal_id_type: Literal["", "ISO", "L", "M", "N", "UUID", "DNS"] = ""
    own_prefix: str = Field(default="", max_length=8, pattern=r"^[A-Za-z0-9-]*$")
    """Before the eight digits of these numbers."""
    preferred_authority: str = Field(default="", max_length=64)
    """Local name or universal identifier of the authority whose number is Patient ID in DICOM (the IPP);
    absent: the first of type PI."""
    dicom_name: Literal["used", "birth"] = "used"
    """Which is Patient's Name in DICOM: the name in use (missing parts from the birth name), or the birth name."""
    accept_test_ins: bool = False
    """Take identities of the test and demonstration domains of the INS: on a test site only."""
    accept_a08: bool = True
    """Take ADT^A08, which international senders use and IHE PAM France excludes."""
    facility_authorities: tuple[str, ...] = ()
    """``FACILITY=AUTHORITY``: whose numbers a sending facility (MSH-4) means that does not say who assigned them."""

    @field_validator("facility_authorities")
    @classmethod
    def _pairs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        facilities = [one.partition("=")[0].strip() for one in value]
        if any(not one.partition("=")[2].strip() for one in value) or not all(facilities):
            raise ValueError("each is FACILITY=AUTHORITY")
        if len(set(facilities)) != len(facilities):
            raise ValueError("a facility is named twice")
        return value

    def authority_of(self, facility: str) -> str:
        """Whose numbers a sending facility means that names none; empty: nobody's."""
        pairs = (one.partition("=") for one in self.facility_authorities)
        return next((given.strip() for name, _, given in pairs if name.strip() == facility), "")

    @model_validator(mode="after")
    def _typed(self) -> Self:
        if bool(self.own_universal_id) != bool(self.own_universal_id_type):
            raise ValueError("own_universal_id and own_universal_id_type go together")
        return self


class OrderSettings(BaseModel):
    """Orders: the numbers that we give."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    accession_number_pattern: str = Field(default="{yy}{n:08}", min_length=1, max_length=32)
    """Of our accession and filler order numbers, at most 16 characters: ``{n}`` or ``{n:08}`` is a running number, ``{yy}`` and
    ``{yyyy}`` the year."""
    issuer_of_accession_number: str = Field(default="", max_length=64)
    """Who gives them: local name of the issuer, for orders and the worklist."""

    @field_validator("accession_number_pattern")
    @classmethod
    def _usable(cls, value: str) -> str:
        return check_pattern(value)


class PrinterSettings(BaseModel):
    """A label printer that takes ZPL over TCP."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,31}$")
    host: str = Field(min_length=1, max_length=255)
    port: int = Field(default=9100, ge=1, le=65535)
    dots_per_mm: Literal[6, 8, 12, 24] = 8
    """8 is 203 dpi, 12 is 300 dpi."""


class DocumentSettings(BaseModel):
    """Labels and letters: whose they are, and the paper they are printed on."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    hospital: str = Field(default="", max_length=200)
    """First line of letters."""
    department: str = Field(default="", max_length=200)
    address: str = Field(default="", max_length=500)
    """Lines parted by line feeds."""
    telephone: str = Field(default="", max_length=50)
    language: Literal["fr", "en"] = "fr"
    """Of letters, unless another is asked for."""
    label_width_mm: float = Field(default=70.0, ge=40, le=210)
    label_height_mm: float = Field(default=37.0, ge=25, le=297)
    sheet_columns: int = Field(default=3, ge=1, le=5)
    """Labels side by side on a sheet of A4."""
    sheet_rows: int = Field(default=8, ge=1, le=11)
    printers: tuple[PrinterSettings, ...] = ()
    """Printers that labels can be sent to; no other address is ever opened."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.label_width_mm * self.sheet_columns > 210.0:
            raise ValueError("the labels of a row are wider than A4")
        if self.label_height_mm * self.sheet_rows > 297.0:
            raise ValueError("the labels of a column are taller than A4")
        if len({one.name for one in self.printers}) != len(self.printers):
            raise ValueError("two printers have the same name")
        return self
