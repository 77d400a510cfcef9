"""The queryable attributes: which level each belongs to and where the index keeps it.

PS3.4 Tables C.6-1 to C.6-5. An attribute that is not here is an optional key that is not
supported, except at the IMAGE level, where the object's own header answers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final

from negatoscope.domain.archive.query.model import QueryLevel
from negatoscope.standard import tags


class Storage(StrEnum):
    """How the index keeps an attribute."""

    TEXT = "TEXT"  # text column, '' or NULL when absent
    NAME = "NAME"  # text column of a PN, `folded` beside it
    DATE = "DATE"  # date column; the original of an unusable one lies in `attributes`
    TIME = "TIME"  # text column, HHMMSS[.FFFFFF]
    INTEGER = "INTEGER"
    UID = "UID"
    UID_CODE = "UID CODE"  # smallint into uid_code
    TEXTS = "TEXTS"  # text[] column
    IDENTIFIERS = "IDENTIFIERS"  # rows of patient_identifier
    JSON = "JSON"  # member of the level's `attributes`
    CONSTANT = "CONSTANT"  # the same for every entity


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One queryable attribute.

    Attributes:
        tag: `GGGGEEEE`.
        expression: SQL giving its value; empty for JSON and CONSTANT.
        folded: SQL giving its folded text, for NAME and descriptions.
        is_unique_key: The level's unique key.
    """

    tag: str
    vr: str
    level: QueryLevel
    storage: Storage
    expression: str = ""
    folded: str = ""
    is_unique_key: bool = False

    @property
    def keyword(self) -> str:
        """PS3.6 keyword."""
        return tags.keyword_for(int(self.tag, 16)) or self.tag


TABLES: Final = MappingProxyType(
    {
        QueryLevel.PATIENT: "patient",
        QueryLevel.STUDY: "study",
        QueryLevel.SERIES: "series",
        QueryLevel.IMAGE: "instance",
    }
)

UNIQUE_KEYS: Final = MappingProxyType(
    {
        QueryLevel.PATIENT: "00100020",
        QueryLevel.STUDY: "0020000D",
        QueryLevel.SERIES: "0020000E",
        QueryLevel.IMAGE: "00080018",
    }
)

INSTANCE_AVAILABILITY: Final = "00080056"
RETRIEVE_AE_TITLE: Final = "00080054"
PATIENT_NAME: Final = "00100010"
OTHER_PATIENT_IDS: Final = "00101000"
OTHER_PATIENT_IDS_SEQUENCE: Final = "00101002"

_P, _S, _E, _I = QueryLevel
_OF_PATIENT: Final = "(SELECT coalesce(sum(s.{}), 0) FROM study s WHERE s.patient_fk = patient.id)"

#: keyword, level, storage, column or expression, folded column
_COLUMNS: Final[tuple[tuple[str, QueryLevel, Storage, str, str], ...]] = (
    ("PatientName", _P, Storage.NAME, "patient_name", "patient_name_folded"),
    ("PatientID", _P, Storage.TEXT, "patient_id", ""),
    ("IssuerOfPatientID", _P, Storage.TEXT, "issuer_of_patient_id", ""),
    ("PatientBirthDate", _P, Storage.DATE, "patient_birth_date", ""),
    ("PatientBirthTime", _P, Storage.TIME, "patient_birth_time", ""),
    ("PatientSex", _P, Storage.TEXT, "patient_sex", ""),
    ("OtherPatientIDs", _P, Storage.IDENTIFIERS, "", ""),
    ("OtherPatientIDsSequence", _P, Storage.IDENTIFIERS, "", ""),
    ("NumberOfPatientRelatedStudies", _P, Storage.INTEGER, "study_count", ""),
    ("NumberOfPatientRelatedSeries", _P, Storage.INTEGER, _OF_PATIENT.format("series_count"), ""),
    ("NumberOfPatientRelatedInstances", _P, Storage.INTEGER,
     _OF_PATIENT.format("instance_count"), ""),
    ("StudyInstanceUID", _S, Storage.UID, "study_instance_uid", ""),
    ("StudyDate", _S, Storage.DATE, "study_date", ""),
    ("StudyTime", _S, Storage.TIME, "study_time", ""),
    ("AccessionNumber", _S, Storage.TEXT, "accession_number", ""),
    ("StudyID", _S, Storage.TEXT, "study_id", ""),
    ("StudyDescription", _S, Storage.TEXT, "study_description", "study_description_folded"),
    ("ReferringPhysicianName", _S, Storage.NAME, "referring_physician_name",
     "referring_physician_name_folded"),
    ("ModalitiesInStudy", _S, Storage.TEXTS, "modalities_in_study", ""),
    ("SOPClassesInStudy", _S, Storage.TEXTS, "sop_classes_in_study", ""),
    ("NumberOfStudyRelatedSeries", _S, Storage.INTEGER, "series_count", ""),
    ("NumberOfStudyRelatedInstances", _S, Storage.INTEGER, "instance_count", ""),
    ("SeriesInstanceUID", _E, Storage.UID, "series_instance_uid", ""),
    ("Modality", _E, Storage.TEXT, "modality", ""),
    ("SeriesNumber", _E, Storage.INTEGER, "series_number", ""),
    ("SeriesDate", _E, Storage.DATE, "series_date", ""),
    ("SeriesTime", _E, Storage.TIME, "series_time", ""),
    ("SeriesDescription", _E, Storage.TEXT, "series_description", ""),
    ("BodyPartExamined", _E, Storage.TEXT, "body_part_examined", ""),
    ("ProtocolName", _E, Storage.TEXT, "protocol_name", ""),
    ("StationName", _E, Storage.TEXT, "station_name", ""),
    ("InstitutionName", _E, Storage.TEXT, "institution_name", ""),
    ("PerformingPhysicianName", _E, Storage.NAME, "performing_physician_name", ""),
    ("PerformedProcedureStepStartDate", _E, Storage.DATE,
     "performed_procedure_step_start_date", ""),
    ("PerformedProcedureStepStartTime", _E, Storage.TIME,
     "performed_procedure_step_start_time", ""),
    ("NumberOfSeriesRelatedInstances", _E, Storage.INTEGER, "instance_count", ""),
    ("SOPInstanceUID", _I, Storage.UID, "sop_instance_uid", ""),
    ("SOPClassUID", _I, Storage.UID_CODE, "sop_class", ""),
    ("AvailableTransferSyntaxUID", _I, Storage.UID_CODE, "transfer_syntax", ""),
    ("InstanceNumber", _I, Storage.INTEGER, "instance_number", ""),
    ("NumberOfFrames", _I, Storage.INTEGER, "number_of_frames", ""),
    ("Rows", _I, Storage.INTEGER, '"rows"', ""),
    ("Columns", _I, Storage.INTEGER, '"columns"', ""),
    ("BitsAllocated", _I, Storage.INTEGER, "bits_allocated", ""),
)  # fmt: skip


#: Optional keys kept in a level's `attributes`: what `domain.archive.record` writes there.
JSON_ATTRIBUTES: Final = MappingProxyType(
    {
        _P: (
            tags.OTHER_PATIENT_NAMES,
            tags.OTHER_PATIENT_IDS_SEQUENCE,
            tags.ETHNIC_GROUP,
            tags.PATIENT_COMMENTS,
            tags.ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE,
            tags.QUALITY_CONTROL_SUBJECT,
        ),
        _S: (
            tags.TIMEZONE_OFFSET_FROM_UTC,
            tags.PHYSICIANS_OF_RECORD,
            tags.NAME_OF_PHYSICIANS_READING_STUDY,
            tags.ADMITTING_DIAGNOSES_DESCRIPTION,
            tags.PROCEDURE_CODE_SEQUENCE,
            tags.PATIENT_AGE,
            tags.PATIENT_SIZE,
            tags.PATIENT_WEIGHT,
            tags.ADMISSION_ID,
            tags.ISSUER_OF_ACCESSION_NUMBER_SEQUENCE,
            tags.REFERENCED_STUDY_SEQUENCE,
            tags.OCCUPATION,
            tags.ADDITIONAL_PATIENT_HISTORY,
        ),
        _E: (
            tags.REQUEST_ATTRIBUTES_SEQUENCE,
            tags.REFERENCED_REQUEST_SEQUENCE,
            tags.OPERATORS_NAME,
            tags.MANUFACTURER,
            tags.MANUFACTURER_MODEL_NAME,
            tags.INSTITUTIONAL_DEPARTMENT_NAME,
            tags.ANATOMIC_REGION_SEQUENCE,
            tags.LATERALITY,
            tags.CONVERSION_TYPE,
            tags.PERFORMED_PROCEDURE_STEP_ID,
            tags.PERFORMED_PROCEDURE_STEP_DESCRIPTION,
            tags.PATIENT_POSITION,
            tags.SOFTWARE_VERSIONS,
            tags.SERIES_DESCRIPTION_CODE_SEQUENCE,
        ),
    }
)


def attribute(tag: str) -> Attribute | None:
    """The queryable attribute of a tag."""
    return ATTRIBUTES.get(tag)


@cache
def attributes_of(level: QueryLevel) -> tuple[Attribute, ...]:
    """Attributes of exactly one level."""
    return tuple(a for a in ATTRIBUTES.values() if a.level is level)


def _build() -> Iterable[Attribute]:
    for keyword, level, storage, column, folded in _COLUMNS:
        tag = tags.tag_for_keyword(keyword)
        if tag is None:
            raise LookupError(keyword)
        table = TABLES[level]
        qualified = column if not column or column.startswith("(") else f"{table}.{column}"
        yield Attribute(
            tag=f"{tag:08X}",
            vr=tags.vr_for(tag),
            level=level,
            storage=storage,
            expression=qualified,
            folded=folded and f"{table}.{folded}",
            is_unique_key=f"{tag:08X}" == UNIQUE_KEYS[level],
        )
    for level, kept in JSON_ATTRIBUTES.items():
        for tag in kept:
            if f"{tag:08X}" != OTHER_PATIENT_IDS_SEQUENCE:
                yield Attribute(
                    tag=f"{tag:08X}", vr=tags.vr_for(tag), level=level, storage=Storage.JSON
                )
    for text in (INSTANCE_AVAILABILITY, RETRIEVE_AE_TITLE):
        yield Attribute(tag=text, vr=tags.vr_for(int(text, 16)), level=_P, storage=Storage.CONSTANT)


ATTRIBUTES: Final = MappingProxyType({a.tag: a for a in _build()})
