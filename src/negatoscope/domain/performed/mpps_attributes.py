"""What N-CREATE and N-SET of a performed procedure step have to bring (PS3.4 Table F.7.2-1).

One row for each attribute the table asks something of; attributes it lists as type 3, dose and
consumables among them, are kept as they come. A missing attribute of type 2 is taken for an empty
one: modalities leave them out, and an examination that is not heard of helps nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from negatoscope.domain.archive.query.temporal import parse_date, parse_time
from negatoscope.domain.performed.mpps_errors import MppsError
from negatoscope.standard import tags
from negatoscope.standard.dimse_status import Status


class Creation(StrEnum):
    """N-CREATE, what the SCU owes."""

    REQUIRED = "1"
    MAY_BE_EMPTY = "2"


class Setting(StrEnum):
    """N-SET."""

    NOT_EMPTY = "3/1"
    ALLOWED = "3/2"
    FORBIDDEN = "not allowed"


class FinalState(StrEnum):
    """What it has to be when the step ends."""

    ANY = ""
    REQUIRED = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One row.

    Attributes:
        path: Keywords from the data set to the attribute, those of sequences before it.
    """

    path: tuple[str, ...]
    creation: Creation
    setting: Setting
    final: FinalState = FinalState.ANY

    @property
    def tags(self) -> tuple[str, ...]:
        """The path as ``GGGGEEEE``."""
        return tuple(f"{tags.tag_for_keyword(keyword):08X}" for keyword in self.path)


_C, _S, _F = Creation, Setting, FinalState
_STEP = "ScheduledStepAttributesSequence"
_SERIES = "PerformedSeriesSequence"
_ROWS: Final[tuple[tuple[str, Creation, Setting, FinalState], ...]] = (
    # Performed Procedure Step Relationship
    (_STEP, _C.REQUIRED, _S.FORBIDDEN, _F.ANY),
    (f"{_STEP}/StudyInstanceUID", _C.REQUIRED, _S.FORBIDDEN, _F.ANY),
    (f"{_STEP}/ReferencedStudySequence", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    (f"{_STEP}/AccessionNumber", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    (f"{_STEP}/RequestedProcedureID", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    (f"{_STEP}/RequestedProcedureDescription", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    (f"{_STEP}/ScheduledProcedureStepID", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    (f"{_STEP}/ScheduledProcedureStepDescription", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    (f"{_STEP}/ScheduledProtocolCodeSequence", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    ("PatientName", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    ("PatientID", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    ("PatientBirthDate", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    ("PatientSex", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    ("ReferencedPatientSequence", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    # Performed Procedure Step Information
    ("PerformedProcedureStepID", _C.REQUIRED, _S.FORBIDDEN, _F.ANY),
    ("PerformedStationAETitle", _C.REQUIRED, _S.FORBIDDEN, _F.ANY),
    ("PerformedStationName", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    ("PerformedLocation", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    ("PerformedProcedureStepStartDate", _C.REQUIRED, _S.FORBIDDEN, _F.ANY),
    ("PerformedProcedureStepStartTime", _C.REQUIRED, _S.FORBIDDEN, _F.ANY),
    ("PerformedProcedureStepStatus", _C.REQUIRED, _S.NOT_EMPTY, _F.REQUIRED),
    ("PerformedProcedureStepDescription", _C.MAY_BE_EMPTY, _S.ALLOWED, _F.ANY),
    ("PerformedProcedureTypeDescription", _C.MAY_BE_EMPTY, _S.ALLOWED, _F.ANY),
    ("ProcedureCodeSequence", _C.MAY_BE_EMPTY, _S.ALLOWED, _F.ANY),
    ("PerformedProcedureStepEndDate", _C.MAY_BE_EMPTY, _S.NOT_EMPTY, _F.REQUIRED),
    ("PerformedProcedureStepEndTime", _C.MAY_BE_EMPTY, _S.NOT_EMPTY, _F.REQUIRED),
    # Image Acquisition Results
    ("Modality", _C.REQUIRED, _S.FORBIDDEN, _F.ANY),
    ("StudyID", _C.MAY_BE_EMPTY, _S.FORBIDDEN, _F.ANY),
    ("PerformedProtocolCodeSequence", _C.MAY_BE_EMPTY, _S.ALLOWED, _F.ANY),
    (_SERIES, _C.MAY_BE_EMPTY, _S.ALLOWED, _F.REQUIRED),
    (f"{_SERIES}/SeriesInstanceUID", _C.REQUIRED, _S.NOT_EMPTY, _F.REQUIRED),
    (f"{_SERIES}/ProtocolName", _C.REQUIRED, _S.NOT_EMPTY, _F.ANY),
)
REQUIREMENTS: Final = tuple(
    Requirement(path=tuple(path.split("/")), creation=creation, setting=setting, final=final)
    for path, creation, setting, final in _ROWS
)
NOT_SETTABLE: Final = frozenset(
    one.tags[0] for one in REQUIREMENTS if one.setting is Setting.FORBIDDEN and len(one.path) == 1
)
"""Attributes of the whole data set that N-SET leaves as they are."""
SERIES: Final = "00400340"
STATUS: Final = "00400252"
END_DATE, END_TIME = "00400250", "00400251"
START_DATE, START_TIME = "00400244", "00400245"
REASON_CODES: Final = "00400281"
STEPS: Final = "00400270"
_IMAGES, _OTHERS = "00081140", "00400220"

_FORMS: Final = MappingProxyType(
    {START_DATE: parse_date, END_DATE: parse_date, START_TIME: parse_time, END_TIME: parse_time}
)


def values(data_set: Mapping[str, Any], tag: str) -> list[Any]:
    """Values of an attribute that are not empty."""
    found = data_set.get(tag, {}).get("Value", ())
    return [value for value in found if value not in (None, "", {})]


def text(data_set: Mapping[str, Any], tag: str) -> str:
    """The first value as stripped text; of a name its groups."""
    for value in values(data_set, tag):
        if isinstance(value, Mapping):
            groups = (value.get(g) or "" for g in ("Alphabetic", "Ideographic", "Phonetic"))
            return "=".join(groups).rstrip("=")
        return str(value).strip()
    return ""


def items(data_set: Mapping[str, Any], tag: str) -> list[Mapping[str, Any]]:
    """Items of a sequence."""
    return [value for value in values(data_set, tag) if isinstance(value, Mapping)]


def check_creation(data_set: Mapping[str, Any]) -> None:
    """Whether a step can be created from it.

    Raises:
        MppsError: 0120 an attribute is missing, 0121 its value is, 0106 the value is none.
    """
    for one in REQUIREMENTS:
        if one.creation is Creation.REQUIRED:
            _check_present(data_set, one)
    _check_forms(data_set)


def check_setting(data_set: Mapping[str, Any]) -> None:
    """Whether a step can be changed by it.

    Raises:
        MppsError: 0121, 0106.
    """
    for one in REQUIREMENTS:
        tag = one.tags[0]
        is_empty = tag in data_set and not values(data_set, tag)
        if len(one.path) == 1 and one.setting is Setting.NOT_EMPTY and is_empty:
            raise _empty(one)
        if len(one.path) == 2 and one.setting is Setting.NOT_EMPTY:
            _check_present(data_set, one)
    _check_forms(data_set)


def check_final(data_set: Mapping[str, Any], *, has_series: bool) -> None:
    """Whether a step can end as it is.

    Args:
        data_set: The whole, as it would be.
        has_series: Whether series are owed: a step that ended before any was made has none.

    Raises:
        MppsError: 0120, 0121.
    """
    for one in REQUIREMENTS:
        if one.final is FinalState.REQUIRED and (has_series or one.tags[0] != SERIES):
            _check_present(data_set, one)


def counts(data_set: Mapping[str, Any]) -> tuple[int, int]:
    """Series and objects that a step refers to."""
    series = items(data_set, SERIES)
    return len(series), sum(len(items(one, tag)) for one in series for tag in (_IMAGES, _OTHERS))


def _check_present(data_set: Mapping[str, Any], one: Requirement) -> None:
    parents: Sequence[Mapping[str, Any]] = [data_set]
    for tag in one.tags[:-1]:
        parents = [item for parent in parents for item in items(parent, tag)]
    last = one.tags[-1]
    for parent in parents:
        if last not in parent:
            raise MppsError(
                Status.MISSING_ATTRIBUTE, f"{one.path[-1]} is missing", offending=[int(last, 16)]
            )
        if not values(parent, last):
            raise _empty(one)


def _empty(one: Requirement) -> MppsError:
    tag = int(one.tags[-1], 16)
    return MppsError(Status.MISSING_ATTRIBUTE_VALUE, f"{one.path[-1]} is empty", offending=[tag])


def _check_forms(data_set: Mapping[str, Any]) -> None:
    for tag, parse in _FORMS.items():
        value = text(data_set, tag)
        if value and parse(value) is None:
            name = tags.keyword_for(int(tag, 16)) or tag
            raise MppsError(
                Status.INVALID_ATTRIBUTE_VALUE, f"unusable {name}", offending=[int(tag, 16)]
            )
