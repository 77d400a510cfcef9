"""From the scan of a data set to what the index keeps of it (the record that ``archive_ingest`` takes).

A value the columns cannot hold (a date that is none, a text of 64 KB) leaves the column empty and is noted as a warning; the
object's own bytes are never touched.
"""

import datetime
import hashlib
import re
import sys
import uuid
import zlib
from array import array
from dataclasses import dataclass, field
from typing import Any

from negatoscope.domain.archive.errors import (
    CannotUnderstand,
    CannotUnderstandCode,
    DataSetMismatch,
    InvalidInstance,
)
from negatoscope.kit.text import fold
from negatoscope.protocols.dicom.dataset.layout import FrameIndex
from negatoscope.protocols.dicom.dataset.result import ScanResult
from negatoscope.standard import tags

_UID = re.compile(r"^[0-9]+(?:\.[0-9]+)+$")
_TIME = re.compile(r"^[0-9]{2}(?:[0-9]{2}(?:[0-9]{2}(?:\.[0-9]{1,6})?)?)?$")
_MAX_TEXT = 256
_INT4_MAX = 0x7FFFFFFF
#: In the length of a frame index: the range holds item headers between the fragments (PS3.5 §A.4).
FRAGMENTED = 1 << 63
# Non-Patient Object Storage (PS3.4 Annex GG): hanging protocols, palettes, implant templates, protocols, inventories.
_NON_PATIENT = re.compile(
    r"^1\.2\.840\.10008\.5\.1\.4\.(?:38\.1|39\.1|43\.1|44\.1|45\.1|1\.1\.200\.[13]|1\.1\.201\.1)$"
)
_NON_PATIENT_NAMESPACE = uuid.UUID("6e6b3d0e-6a39-5d5a-8a53-0c4a6e676174")

#: Values that tell one patient, study and series from another; compared as sent, their character set included.
_FAMILY_TAGS = (
    tags.SPECIFIC_CHARACTER_SET, tags.PATIENT_ID, tags.ISSUER_OF_PATIENT_ID, tags.PATIENT_NAME, tags.PATIENT_BIRTH_DATE,
    tags.PATIENT_SEX, tags.MODALITY, tags.ACCESSION_NUMBER, tags.STUDY_DATE, tags.STUDY_DESCRIPTION,
)  # fmt: skip

PATIENT_ATTRIBUTES = (
    tags.OTHER_PATIENT_NAMES, tags.OTHER_PATIENT_IDS_SEQUENCE, tags.ETHNIC_GROUP, tags.PATIENT_COMMENTS,
    tags.ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE, tags.QUALITY_CONTROL_SUBJECT,
)  # fmt: skip
STUDY_ATTRIBUTES = (
    tags.TIMEZONE_OFFSET_FROM_UTC, tags.PHYSICIANS_OF_RECORD, tags.NAME_OF_PHYSICIANS_READING_STUDY,
    tags.ADMITTING_DIAGNOSES_DESCRIPTION, tags.PROCEDURE_CODE_SEQUENCE, tags.PATIENT_AGE, tags.PATIENT_SIZE,
    tags.PATIENT_WEIGHT, tags.ADMISSION_ID, tags.ISSUER_OF_ACCESSION_NUMBER_SEQUENCE, tags.REFERENCED_STUDY_SEQUENCE,
    tags.OCCUPATION, tags.ADDITIONAL_PATIENT_HISTORY,
)  # fmt: skip
SERIES_ATTRIBUTES = (
    tags.REQUEST_ATTRIBUTES_SEQUENCE, tags.REFERENCED_REQUEST_SEQUENCE, tags.OPERATORS_NAME, tags.MANUFACTURER,
    tags.MANUFACTURER_MODEL_NAME, tags.INSTITUTIONAL_DEPARTMENT_NAME, tags.ANATOMIC_REGION_SEQUENCE, tags.LATERALITY,
    tags.CONVERSION_TYPE, tags.PERFORMED_PROCEDURE_STEP_ID, tags.PERFORMED_PROCEDURE_STEP_DESCRIPTION,
    tags.PATIENT_POSITION, tags.SOFTWARE_VERSIONS, tags.SERIES_DESCRIPTION_CODE_SEQUENCE,
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Record:
    """What the index is told of one object.

    Attributes:
        sop_instance_uid, study_instance_uid, series_instance_uid: As found, trailing padding removed.
        instance: Columns of the instance, keys as ``archive_ingest`` names them.
        family: Identity of patient, study, series and class: equal families share their rows.
        attributes: Patient, study and series for a family that has no rows yet.
        warnings: What was odd and tolerated.
    """

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    instance: dict[str, Any]
    family: tuple[object, ...]
    scan: ScanResult
    warnings: list[str] = field(default_factory=list)

    def attributes(self) -> dict[str, Any]:
        """Patient, study and series columns, only needed when the family is new to this process."""
        return {
            "patient": _patient(self.scan, self.warnings),
            "study": _study(self.scan, self.warnings),
            "series": _series(self.scan, self.warnings),
        }


def usable_uid(text: str | None) -> bool:
    """Digits and dots, at most 64: what may go into an index (PS3.5 §9.1; leading zeros are tolerated)."""
    return text is not None and len(text) <= 64 and _UID.match(text) is not None


def build_record(
    scan: ScanResult, *, sop_class_uid: str | None, sop_instance_uid: str | None
) -> Record:
    """Read what the index needs and check it against what the sender announced.

    Args:
        scan: The finished scan of the data set.
        sop_class_uid: Affected SOP Class UID of the command, or of the file meta group.
        sop_instance_uid: Likewise.
    Raises:
        InvalidInstance: SOP Instance UID missing or malformed.
        DataSetMismatch: announced UIDs are not the data set's (PS3.4 §B.2.3).
        CannotUnderstand: no usable Study or Series Instance UID.
    """
    found_instance = _uid(scan, tags.SOP_INSTANCE_UID)
    found_class = _uid(scan, tags.SOP_CLASS_UID)
    if not usable_uid(found_instance):
        raise InvalidInstance("SOP Instance UID is missing or malformed")
    if not usable_uid(found_class):
        raise DataSetMismatch("SOP Class UID is missing or malformed")
    if sop_instance_uid is not None and sop_instance_uid != found_instance:
        raise DataSetMismatch("SOP Instance UID differs from the one announced")
    if sop_class_uid is not None and sop_class_uid != found_class:
        raise DataSetMismatch("SOP Class UID differs from the one announced")
    assert found_class is not None and found_instance is not None  # noqa: S101, PT018 - usable_uid
    study = _uid(scan, tags.STUDY_INSTANCE_UID)
    series = _uid(scan, tags.SERIES_INSTANCE_UID)
    if study is None and series is None and _NON_PATIENT.match(found_class):
        study = series = f"2.25.{uuid.uuid5(_NON_PATIENT_NAMESPACE, found_class).int}"
    if not usable_uid(study) or not usable_uid(series):
        raise CannotUnderstand(
            CannotUnderstandCode.UNIDENTIFIED,
            "Study or Series Instance UID is missing or malformed",
        )
    assert study is not None and series is not None  # noqa: S101, PT018 - usable_uid
    raw = scan.raw.get
    family = (study, series, found_class, *(raw(tag) for tag in _FAMILY_TAGS))
    return Record(
        sop_class_uid=found_class,
        sop_instance_uid=found_instance,
        study_instance_uid=study,
        series_instance_uid=series,
        instance=_instance(scan),
        family=family,
        scan=scan,
        warnings=list(scan.warnings),
    )


def _uid(scan: ScanResult, tag: int) -> str | None:
    """A UID without its padding; None when absent or empty (what it is made of, ``usable_uid`` judges)."""
    found = scan.raw.get(tag)
    return found[1].strip(b"\0 ").decode("latin-1") or None if found is not None else None


def _instance(scan: ScanResult) -> dict[str, Any]:
    columns: dict[str, Any] = {"num": _integer(scan, tags.INSTANCE_NUMBER)}
    pixels = scan.pixel_data
    if pixels is None:
        return columns
    frames = max(_integer(scan, tags.NUMBER_OF_FRAMES) or 1, 1)
    columns.update(
        nrows=_dimension(scan, tags.ROWS),
        ncols=_dimension(scan, tags.COLUMNS),
        bits=_dimension(scan, tags.BITS_ALLOCATED),
        frames=frames,
    )
    if scan.transfer_syntax.is_deflated:
        return columns  # frames do not lie in the stored bytes
    columns["po"] = pixels.value_offset
    if pixels.is_encapsulated:
        columns["fi"] = scan.frame_locations(frames)
    elif frames * 2 <= (pixels.value_length or 0):
        first = scan.frame_locations(1)
        if first is not None and first.frame_bits is None:
            length = first.ranges[1]
            if length * frames <= (pixels.value_length or 0) and length <= _INT4_MAX:
                columns["fl"] = length
    return columns


def pack_frame_index(index: FrameIndex, *, data_set_offset: int) -> bytes:
    """How ``instance.frame_index`` is kept: zlib of little-endian u64 pairs, one per frame.

    A pair is the offset of the frame's first byte from the start of the Part 10 file, and the length. A frame of several
    fragments is the range from its first fragment's value to its last one's end, item headers in between included, and its
    length carries ``FRAGMENTED``.
    """
    pairs = array("Q")
    for ranges in index:
        offset, length = ranges[0]
        if len(ranges) > 1:
            length = (ranges[-1][0] + ranges[-1][1] - offset) | FRAGMENTED
        pairs.append(offset + data_set_offset)
        pairs.append(length)
    if sys.byteorder == "big":
        pairs.byteswap()
    return zlib.compress(pairs.tobytes(), 6)


def _integer(scan: ScanResult, tag: int) -> int | None:
    value = scan.int(tag)
    return value if value is not None and -_INT4_MAX <= value <= _INT4_MAX else None


def _dimension(scan: ScanResult, tag: int) -> int | None:
    value = scan.int(tag)
    return value if value is not None and 0 <= value <= 0xFFFF else None


def _text(scan: ScanResult, tag: int, warnings: list[str]) -> str | None:
    value = scan.text(tag)
    if value is None:
        return None
    value = value.replace("\0", "")
    if len(value) > _MAX_TEXT:
        warnings.append(f"({tag >> 16:04X},{tag & 0xFFFF:04X}) is too long to be indexed")
        return None
    return value or None


def _identifier(scan: ScanResult, tag: int) -> str | None:
    """An identifier is never dropped nor cut: two long ones must stay two."""
    value = (scan.text(tag) or "").replace("\0", "")
    if len(value) > _MAX_TEXT:
        value = f"{value[:128]}…{hashlib.sha256(value.encode()).hexdigest()}"
    return value or None


def person_name_folded(name: str | None) -> str:
    """A Person Name for comparison: folded, without trailing empty components and groups (PS3.5 §6.2.1)."""
    if not name:
        return ""
    groups = [
        "^".join(part.strip() for part in group.split("^")).rstrip("^") for group in name.split("=")
    ]
    return fold("=".join(groups).rstrip("="))


def _date(
    scan: ScanResult, tag: int, attributes: dict[str, Any], warnings: list[str]
) -> str | None:
    value = scan.text(tag)
    if value is None:
        return None
    digits = value.replace(".", "") if len(value) == 10 else value
    if len(digits) == 8 and digits.isascii() and digits.isdigit():
        try:
            return datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
        except ValueError:
            pass
    warnings.append(f"({tag >> 16:04X},{tag & 0xFFFF:04X}) is not a date")
    if len(value) <= _MAX_TEXT:
        attributes[f"{tag:08X}"] = {"vr": "DA", "Value": [value.replace("\0", "")]}
    return None


def _time(scan: ScanResult, tag: int) -> str | None:
    value = (scan.text(tag) or "").replace(":", "")
    return value if _TIME.match(value) else None


def _clean(value: Any) -> Any:
    """DICOM JSON without NUL characters, which a database text cannot hold."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return value


def _others(scan: ScanResult, wanted: tuple[int, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag in wanted:
        element = scan.json(tag)
        if element is not None and element.get("Value"):
            found[f"{tag:08X}"] = _clean(element)
    return found


def _patient(scan: ScanResult, warnings: list[str]) -> dict[str, Any]:
    attributes = _others(scan, PATIENT_ATTRIBUTES)
    name = _text(scan, tags.PATIENT_NAME, warnings)
    others = [
        {
            "identifier": _first(item, tags.PATIENT_ID),
            "issuer": _first(item, tags.ISSUER_OF_PATIENT_ID) or "",
        }
        for item in attributes.get(f"{tags.OTHER_PATIENT_IDS_SEQUENCE:08X}", {}).get("Value", [])[
            :50
        ]
        if _first(item, tags.PATIENT_ID)
    ]
    return {
        "patient_id": _identifier(scan, tags.PATIENT_ID),
        "issuer_of_patient_id": _identifier(scan, tags.ISSUER_OF_PATIENT_ID) or "",
        "patient_name": name,
        "patient_name_folded": person_name_folded(name),
        "patient_birth_date": _date(scan, tags.PATIENT_BIRTH_DATE, attributes, warnings),
        "patient_birth_time": _time(scan, tags.PATIENT_BIRTH_TIME),
        "patient_sex": _text(scan, tags.PATIENT_SEX, warnings),
        "other_identifiers": others,
        "attributes": attributes,
    }


def _first(item: dict[str, Any], tag: int) -> str | None:
    values = item.get(f"{tag:08X}", {}).get("Value") or [None]
    return str(values[0])[:_MAX_TEXT] if values[0] is not None else None


def _study(scan: ScanResult, warnings: list[str]) -> dict[str, Any]:
    attributes = _others(scan, STUDY_ATTRIBUTES)
    description = _text(scan, tags.STUDY_DESCRIPTION, warnings)
    referring = _text(scan, tags.REFERRING_PHYSICIAN_NAME, warnings)
    return {
        "study_date": _date(scan, tags.STUDY_DATE, attributes, warnings),
        "study_time": _time(scan, tags.STUDY_TIME),
        "accession_number": _identifier(scan, tags.ACCESSION_NUMBER),
        "study_id": _text(scan, tags.STUDY_ID, warnings),
        "study_description": description,
        "study_description_folded": fold(description or ""),
        "referring_physician_name": referring,
        "referring_physician_name_folded": person_name_folded(referring),
        "attributes": attributes,
    }


def _series(scan: ScanResult, warnings: list[str]) -> dict[str, Any]:
    attributes = _others(scan, SERIES_ATTRIBUTES)
    return {
        "modality": _text(scan, tags.MODALITY, warnings),
        "series_number": _integer(scan, tags.SERIES_NUMBER),
        "series_date": _date(scan, tags.SERIES_DATE, attributes, warnings),
        "series_time": _time(scan, tags.SERIES_TIME),
        "series_description": _text(scan, tags.SERIES_DESCRIPTION, warnings),
        "body_part_examined": _text(scan, tags.BODY_PART_EXAMINED, warnings),
        "protocol_name": _text(scan, tags.PROTOCOL_NAME, warnings),
        "station_name": _text(scan, tags.STATION_NAME, warnings),
        "institution_name": _text(scan, tags.INSTITUTION_NAME, warnings),
        "performing_physician_name": _text(scan, tags.PERFORMING_PHYSICIAN_NAME, warnings),
        "performed_procedure_step_start_date": _date(
            scan, tags.PERFORMED_PROCEDURE_STEP_START_DATE, attributes, warnings
        ),
        "performed_procedure_step_start_time": _time(
            scan, tags.PERFORMED_PROCEDURE_STEP_START_TIME
        ),
        "attributes": attributes,
    }
