"""Headers of the demonstration objects: the modules that every IOD shares, and their writing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from negatoscope.demo.people import INSTITUTION_ADDRESS, INSTITUTION_NAME, Person
from negatoscope.kit.implementation import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
)

EDITION = "negatoscope demonstration department, first edition"
"""Enters every UID: change it when the content of an object changes."""


def demo_uid(*names: object) -> str:
    """A UID under 2.25 (PS3.5 §B.2) that depends on the edition and the names only."""
    text = "\x1f".join((EDITION, *(str(name) for name in names)))
    value = bytearray(hashlib.sha256(text.encode()).digest()[:16])
    value[6] = value[6] & 0x0F | 0x80  # a version 8 (custom) UUID, RFC 9562 §5.8
    value[8] = value[8] & 0x3F | 0x80
    return f"2.25.{int.from_bytes(value, 'big')}"


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """One item of a code sequence (PS3.3 §8)."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def reference(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    """One item of a sequence that refers to a SOP Instance (PS3.3 Table 10-11)."""
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class_uid
    item.ReferencedSOPInstanceUID = sop_instance_uid
    return item


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """What the objects of one study have in common.

    Attributes:
        key: name of the study inside the demonstration; its UIDs derive from it.
        start_time: TM, hour of the first series.
    """

    key: str
    person: Person
    study_date: str
    start_time: str
    accession_number: str
    study_description: str
    referring_physician_name: str
    reading_physician_name: str

    @property
    def study_instance_uid(self) -> str:
        """Study Instance UID (0020,000D)."""
        return demo_uid("study", self.key)

    def time_after(self, seconds: float) -> str:
        """TM, ``seconds`` after the study began, to the microsecond; the day is not left."""
        hours, minutes, rest = self.start_time[:2], self.start_time[2:4], self.start_time[4:6]
        total_us = round((int(hours) * 3600 + int(minutes) * 60 + int(rest) + seconds) * 1_000_000)
        total_us = min(total_us, 86_399_999_999)
        whole, micro = divmod(total_us, 1_000_000)
        return f"{whole // 3600:02d}{whole // 60 % 60:02d}{whole % 60:02d}.{micro:06d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """General Equipment Module (PS3.3 §C.7.5.1) of one machine of the department."""

    manufacturer: str
    model_name: str
    station_name: str
    device_serial_number: str
    software_versions: str = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPlan:
    """What the objects of one series have in common."""

    study: StudyPlan
    number: int
    modality: str
    description: str
    equipment: Equipment
    body_part_examined: str = ""
    protocol_name: str = ""
    laterality: str | None = None
    starts_after_s: float = 0
    operators_name: str = field(default="VIDAL^Manon")

    @property
    def series_instance_uid(self) -> str:
        """Series Instance UID (0020,000E)."""
        return demo_uid("series", self.study.key, self.number)

    def sop_instance_uid(self, instance_number: int) -> str:
        """SOP Instance UID (0008,0018) of one object of the series."""
        return demo_uid("instance", self.study.key, self.number, instance_number)

    @property
    def frame_of_reference_uid(self) -> str:
        """Frame of Reference UID (0020,0052), one per study."""
        return demo_uid("frame of reference", self.study.key)


def header(series: SeriesPlan, sop_class_uid: str, instance_number: int) -> Dataset:
    """Patient, Study, Series, Equipment and SOP Common modules of one object."""
    study, person = series.study, series.study.person
    data_set = Dataset()
    data_set.SpecificCharacterSet = person.character_set
    data_set.InstanceCreationDate = study.study_date
    data_set.InstanceCreationTime = study.time_after(series.starts_after_s)
    data_set.SOPClassUID = UID(sop_class_uid)
    data_set.SOPInstanceUID = series.sop_instance_uid(instance_number)
    data_set.StudyDate = study.study_date
    data_set.SeriesDate = study.study_date
    data_set.StudyTime = study.time_after(0)
    data_set.SeriesTime = study.time_after(series.starts_after_s)
    data_set.AccessionNumber = study.accession_number
    data_set.Modality = series.modality
    data_set.Manufacturer = series.equipment.manufacturer
    data_set.InstitutionName = INSTITUTION_NAME
    data_set.InstitutionAddress = INSTITUTION_ADDRESS
    data_set.ReferringPhysicianName = study.referring_physician_name
    data_set.StationName = series.equipment.station_name
    data_set.StudyDescription = study.study_description
    data_set.SeriesDescription = series.description
    data_set.InstitutionalDepartmentName = "Imagerie médicale"
    data_set.NameOfPhysiciansReadingStudy = study.reading_physician_name
    data_set.OperatorsName = series.operators_name
    data_set.ManufacturerModelName = series.equipment.model_name
    data_set.PatientName = person.patient_name
    data_set.PatientID = person.patient_id
    if person.issuer_of_patient_id:
        data_set.IssuerOfPatientID = person.issuer_of_patient_id
    data_set.PatientBirthDate = person.birth_date
    data_set.PatientSex = person.sex
    data_set.PatientAge = person.age_on(study.study_date)
    data_set.PatientSize = person.size_m
    data_set.PatientWeight = person.weight_kg
    if series.body_part_examined:
        data_set.BodyPartExamined = series.body_part_examined
    if series.protocol_name:
        data_set.ProtocolName = series.protocol_name
    data_set.DeviceSerialNumber = series.equipment.device_serial_number
    data_set.SoftwareVersions = series.equipment.software_versions
    data_set.StudyInstanceUID = study.study_instance_uid
    data_set.SeriesInstanceUID = series.series_instance_uid
    data_set.StudyID = study.accession_number[-6:]
    data_set.SeriesNumber = series.number
    data_set.InstanceNumber = instance_number
    if series.laterality is not None:
        data_set.Laterality = series.laterality
    return data_set


def add_acquisition(data_set: Dataset, series: SeriesPlan, *, number: int, after_s: float) -> None:
    """Dates and times of the acquisition and of the content (PS3.3 §C.7.6.1)."""
    study = series.study
    data_set.AcquisitionDate = data_set.ContentDate = study.study_date
    data_set.AcquisitionTime = study.time_after(series.starts_after_s + after_s)
    data_set.ContentTime = study.time_after(series.starts_after_s + after_s + 0.5)
    data_set.AcquisitionNumber = number


def add_plane(
    data_set: Dataset,
    *,
    pixel_spacing_mm: float,
    orientation: list[float],
    position_mm: list[float],
    frame_of_reference_uid: str,
) -> None:
    """Frame of Reference and Image Plane modules (PS3.3 §C.7.4.1, §C.7.6.2), square pixels."""
    data_set.FrameOfReferenceUID = frame_of_reference_uid
    data_set.PositionReferenceIndicator = ""
    data_set.PixelSpacing = [pixel_spacing_mm, pixel_spacing_mm]
    data_set.ImageOrientationPatient = orientation
    data_set.ImagePositionPatient = [round(value, 4) for value in position_mm]


def add_pixels(
    data_set: Dataset,
    rows: int,
    columns: int,
    *,
    bits_allocated: int,
    bits_stored: int,
    photometric_interpretation: str = "MONOCHROME2",
    samples_per_pixel: int = 1,
    signed: bool = False,
    pixel_data: bytes,
) -> None:
    """Image Pixel Module (PS3.3 §C.7.6.3)."""
    data_set.SamplesPerPixel = samples_per_pixel
    data_set.PhotometricInterpretation = photometric_interpretation
    data_set.Rows = rows
    data_set.Columns = columns
    if samples_per_pixel > 1:
        data_set.PlanarConfiguration = 0
    data_set.BitsAllocated = bits_allocated
    data_set.BitsStored = bits_stored
    data_set.HighBit = bits_stored - 1
    data_set.PixelRepresentation = int(signed)
    data_set.PixelData = pixel_data + b"\0" * (len(pixel_data) % 2)
    data_set["PixelData"].VR = "OW" if bits_allocated > 8 else "OB"


def sequence(*items: Dataset) -> Sequence:
    """A sequence of these items."""
    return Sequence(list(items))


def part10(data_set: Dataset, transfer_syntax_uid: str = ExplicitVRLittleEndian) -> bytes:
    """The object as a DICOM file (PS3.10 §7.1)."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    data_set.file_meta = meta
    data_set.preamble = b"\0" * 128
    buffer = BytesIO()
    dcmwrite(buffer, data_set, enforce_file_format=True)
    return buffer.getvalue()
