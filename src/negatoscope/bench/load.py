"""The objects that benchmarks send: one encoded data set, its UIDs patched in place.

Nothing is encoded while the clock runs. A UID of the load has a fixed width, so a new one is
written over the old one at every place where it occurs.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO

import numpy as np
from pydicom.dataset import Dataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import write_dataset

CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"

UID_DIGITS = 39
UID_BYTES = len("2.25.") + UID_DIGITS
"""44 characters: an even length, so no padding byte depends on the value."""

SOP_PLACE = "2.25." + "1" * UID_DIGITS
STUDY_PLACE = "2.25." + "2" * UID_DIGITS
SERIES_PLACE = "2.25." + "3" * UID_DIGITS
PATIENT_PLACE = "BENCH-PATIENT-00"
ACCESSION_PLACE = "BENCHACCESSION00"
NAME_PLACE = "XXXXXXXX^YYYYYYYY"
DATE_PLACE = "20261124"

PLACES = (
    SOP_PLACE,
    STUDY_PLACE,
    SERIES_PLACE,
    PATIENT_PLACE,
    ACCESSION_PLACE,
    NAME_PLACE,
    DATE_PLACE,
)

_THORAX = (
    (0.0, 0.05, 0.88, 0.62, 30),
    (-0.42, 0.0, 0.32, 0.45, -850),
    (0.42, 0.0, 0.32, 0.45, -850),
    (0.08, -0.08, 0.26, 0.26, 45),
    (0.0, 0.42, 0.11, 0.12, 350),
)
"""Ellipses of a chest: middle and half axes in parts of half the picture, Hounsfield units."""
_NOISE_HU = 20

_SYLLABLES = ("BA", "CHE", "DU", "FO", "GRI", "LE", "MAR", "NI", "PO", "RI", "SA", "TOU", "VA")
_FIRST_DAY = date(2019, 1, 1)
_DAYS = 2880

_FIRST = 10 ** (UID_DIGITS - 1)


class UidCounter:
    """Distinct UIDs of the fixed width, from a random start."""

    def __init__(self) -> None:
        self._next = _FIRST + uuid.uuid4().int % (_FIRST // 10)

    def take(self) -> bytes:
        """The next one."""
        self._next += 1
        return b"2.25.%d" % self._next


class StudyIdentity:
    """Patients, dates and numbers of generated studies: random, spread over eight years."""

    def __init__(self, uids: UidCounter) -> None:
        self._uids = uids
        self._chance = random.Random(uids.take())

    def next(self) -> dict[str, bytes]:
        """A new study: value by place, each as long as its place."""
        study_uid = self._uids.take()
        day = _FIRST_DAY + timedelta(days=self._chance.randrange(_DAYS))
        return {
            STUDY_PLACE: study_uid,
            SERIES_PLACE: self._uids.take(),
            PATIENT_PLACE: b"B" + study_uid[-15:],
            ACCESSION_PLACE: b"A" + study_uid[-15:],
            NAME_PLACE: f"{self._word()}^{self._word()}".encode(),
            DATE_PLACE: f"{day:%Y%m%d}".encode(),
        }

    def _word(self) -> str:
        return "".join(self._chance.choices(_SYLLABLES, k=4))[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadShape:
    """Kind of object to send.

    Attributes:
        rows, columns: of one frame, 16 bits.
        frames: 1 for a classic image.
    """

    rows: int
    columns: int
    frames: int = 1

    @property
    def pixel_bytes(self) -> int:
        """Length of the pixel data."""
        return self.rows * self.columns * 2 * self.frames


SHAPES = {
    "512k": LoadShape(rows=512, columns=512),
    "10k": LoadShape(rows=64, columns=72),
    "1k": LoadShape(rows=8, columns=8),
}


def ct_data_set(shape: LoadShape) -> bytes:
    """A CT image as a scanner encodes it (Explicit VR Little Endian), with places for UIDs."""
    data_set = Dataset()
    data_set.SpecificCharacterSet = "ISO_IR 100"
    data_set.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"]
    data_set.InstanceCreationDate = data_set.StudyDate = data_set.SeriesDate = DATE_PLACE
    data_set.AcquisitionDate = data_set.ContentDate = DATE_PLACE
    data_set.InstanceCreationTime = data_set.StudyTime = data_set.SeriesTime = "101112.123000"
    data_set.AcquisitionTime = data_set.ContentTime = "101115.500000"
    data_set.SOPClassUID = CT_IMAGE_STORAGE
    data_set.SOPInstanceUID = SOP_PLACE
    data_set.AccessionNumber = ACCESSION_PLACE
    data_set.Modality = "CT"
    data_set.Manufacturer = "Negatoscope"
    data_set.InstitutionName = "Banc d'essai"
    data_set.ReferringPhysicianName = "ESSAI^Référent"
    data_set.StationName = "BANC1"
    data_set.StudyDescription = "Thorax"
    data_set.SeriesDescription = "Thorax 1.0 B30f"
    data_set.ManufacturerModelName = "Générateur"
    data_set.PatientName = NAME_PLACE
    data_set.PatientID = PATIENT_PLACE
    data_set.PatientBirthDate = "19500101"
    data_set.PatientSex = "O"
    data_set.PatientAge = "076Y"
    data_set.BodyPartExamined = "CHEST"
    data_set.ScanOptions = "HELICAL MODE"
    data_set.SliceThickness = 1
    data_set.KVP = 120
    data_set.DataCollectionDiameter = 500
    data_set.DeviceSerialNumber = "0001"
    data_set.SoftwareVersions = "1"
    data_set.ProtocolName = "Thorax"
    data_set.ReconstructionDiameter = 380
    data_set.GantryDetectorTilt = 0
    data_set.TableHeight = 150
    data_set.RotationDirection = "CW"
    data_set.ExposureTime = 500
    data_set.XRayTubeCurrent = 220
    data_set.Exposure = 110
    data_set.FilterType = "0"
    data_set.GeneratorPower = 26
    data_set.FocalSpots = 1.2
    data_set.ConvolutionKernel = "B30f"
    data_set.PatientPosition = "HFS"
    data_set.StudyInstanceUID = STUDY_PLACE
    data_set.SeriesInstanceUID = SERIES_PLACE
    data_set.StudyID = "1"
    data_set.SeriesNumber = 2
    data_set.AcquisitionNumber = 1
    data_set.InstanceNumber = 1
    data_set.ImagePositionPatient = [-190, -190, -150]
    data_set.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data_set.FrameOfReferenceUID = "2.25.4"
    data_set.PositionReferenceIndicator = ""
    data_set.SliceLocation = -150
    data_set.SamplesPerPixel = 1
    data_set.PhotometricInterpretation = "MONOCHROME2"
    if shape.frames > 1:
        data_set.NumberOfFrames = shape.frames
    data_set.Rows = shape.rows
    data_set.Columns = shape.columns
    data_set.PixelSpacing = [0.7421875, 0.7421875]
    data_set.BitsAllocated = 16
    data_set.BitsStored = 12
    data_set.HighBit = 11
    data_set.PixelRepresentation = 0
    data_set.WindowCenter = 40
    data_set.WindowWidth = 400
    data_set.RescaleIntercept = -1024
    data_set.RescaleSlope = 1
    data_set.RescaleType = "HU"
    buffer = BytesIO()
    stream = DicomIO(buffer)
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_dataset(stream, data_set)
    return buffer.getvalue() + pixel_element_header(shape.pixel_bytes)


def pixel_element_header(length: int) -> bytes:
    """(7FE0,0010) OW with an explicit length (PS3.5 §7.1.2)."""
    return b"\xe0\x7f\x10\x00OW\x00\x00" + length.to_bytes(4, "little")


def object_bytes(shape: LoadShape) -> bytes:
    """A whole data set: header and pixels."""
    pixels = b"".join(thorax_pixels(shape, frame) for frame in range(shape.frames))
    return ct_data_set(shape) + pixels


def thorax_pixels(shape: LoadShape, frame: int = 0) -> bytes:
    """A slice through a chest, with the noise of a thin slice: coding it costs what coding a CT image costs.

    Returns: rows × columns × 2 octets, little endian; 12 bits are used, Hounsfield units above -1024.
    """
    y, x = np.mgrid[-1 : 1 : shape.rows * 1j, -1 : 1 : shape.columns * 1j]
    values = np.full((shape.rows, shape.columns), -1000.0)
    for middle_x, middle_y, half_x, half_y, hounsfield in _THORAX:
        inside = ((x - middle_x) / half_x) ** 2 + ((y - middle_y) / half_y) ** 2 < 1
        values[inside] = hounsfield
    values += np.random.default_rng(frame).normal(0, _NOISE_HU, values.shape)
    values[x**2 + y**2 > 1] = -1024  # outside of what was reconstructed
    return (values.clip(-1024, 3071) + 1024).astype("<u2").tobytes()


class Patcher:
    """Writes new identifiers over the places of a buffer."""

    def __init__(self, buffer: bytearray) -> None:
        self.buffer = buffer
        header = bytes(buffer[: min(len(buffer), 1 << 16)])
        self._places = {place: _positions(header, place.encode()) for place in PLACES}

    def write(self, place: str, value: bytes) -> None:
        """Put ``value`` at every occurrence of ``place``, which has the same length.

        Raises: ValueError: it has another.
        """
        if len(value) != len(place):
            raise ValueError(f"{value!r} does not fit in place of {place!r}")
        width = len(place)
        for position in self._places[place]:
            self.buffer[position : position + width] = value


def _positions(data: bytes, needle: bytes) -> list[int]:
    found, at = [], data.find(needle)
    while at >= 0:
        found.append(at)
        at = data.find(needle, at + len(needle))
    return found
