"""What a data set of a workitem must be before it is taken (PS3.4 §CC.2.5, §CC.2.6).

Whatever wire it came by, a data set is written and read again by the codec of the archive: after
that its representations are those of the dictionary, its depth, items and size are bounded, and
what one peer sent another can be given.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from negatoscope.domain.archive.query.temporal import parse_date_time
from negatoscope.domain.ups import attributes as a
from negatoscope.domain.ups.attributes import REQUIREMENTS, Creation, FinalState, Requirement
from negatoscope.domain.ups.errors import (
    CANNOT_READ,
    FINAL_STATE_NOT_MET,
    INVALID_INSTANCE,
    INVALID_VALUE,
    MISSING_ATTRIBUTE,
    MISSING_VALUE,
    NO_SUCH_ATTRIBUTE,
    NOT_SCHEDULED,
    RESOURCE_LIMITATION,
    UpsError,
    refused,
)
from negatoscope.domain.ups.model import DicomJson
from negatoscope.domain.ups.states import Outcome, ProcedureStepState
from negatoscope.kit.uid import is_valid_uid
from negatoscope.protocols.dicom.dataset import DataSetError, decode, encode
from negatoscope.protocols.dicom.json import in_unicode
from negatoscope.standard import tags
from negatoscope.standard.sop_classes import UPS_PUSH

MAX_BYTES: Final = 1 << 20
"""Of a workitem's data set, encoded."""
MAX_DEPTH: Final = 16
_EXPLICIT: Final = "1.2.840.10008.1.2.1"
_IGNORED: Final = frozenset({a.CHARACTER_SET, a.SOP_CLASS_UID, a.SOP_INSTANCE_UID})
_UNSPECIFIED_REASON: Final = {
    "00080100": {"vr": "SH", "Value": ["110513"]},
    "00080102": {"vr": "SH", "Value": ["DCM"]},
    "00080104": {"vr": "LO", "Value": ["Discontinued for unspecified reason"]},
}
"""CID 9300."""


def canonical(attributes: Mapping[str, Any]) -> DicomJson:
    """A data set as the archive's codec reads it back.

    Raises:
        UpsError: it cannot be written, or it is too large or too deep.
    """
    _check_shape(attributes, 0)
    try:
        raw = encode(
            {tag: value for tag, value in attributes.items() if tag != a.CHARACTER_SET},
            _EXPLICIT,
            charset="ISO_IR 192",
        )
        if len(raw) > MAX_BYTES:
            raise UpsError(RESOURCE_LIMITATION, f"the data set is longer than {MAX_BYTES} bytes")
        read = in_unicode(decode(raw, _EXPLICIT))
    except DataSetError as error:
        raise UpsError(INVALID_VALUE, error.reason) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise UpsError(CANNOT_READ, "the data set cannot be read") from error
    read.pop(a.CHARACTER_SET, None)
    if b"\\u0000" in orjson.dumps(read):
        raise UpsError(INVALID_VALUE, "a value holds a control character")
    return dict(read)


def _check_shape(attributes: Mapping[str, Any], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise UpsError(CANNOT_READ, "sequences lie too deep in one another")
    for key, element in attributes.items():
        if not isinstance(element, Mapping):
            raise UpsError(CANNOT_READ, "the data set holds something that is no attribute")
        tag = tags.parse_tag(key)
        if tag is None or f"{tag:08X}" != key.upper():
            raise UpsError(CANNOT_READ, "the data set holds something that is no attribute")
        if "BulkDataURI" in element:
            raise UpsError(INVALID_VALUE, "bulk data is not taken", offending=[tag])
        known, given = tags.vr_for(tag), element.get("vr", "UN")
        if known != "UN" and given not in {known, "UN"} and tag >> 16 & 1 == 0:
            raise UpsError(INVALID_VALUE, f"({key}) is {known}", offending=[tag])
        values = element.get("Value", ())
        if not isinstance(values, list | tuple):
            raise UpsError(CANNOT_READ, "values are not in an array", offending=[tag])
        if given == "SQ":
            for item in values:
                if item is not None and not isinstance(item, Mapping):
                    raise UpsError(CANNOT_READ, "an item is no data set", offending=[tag])
                _check_shape(item or {}, depth + 1)


def values_of(attributes: Mapping[str, Any], tag: str) -> list[Any]:
    """Values of an attribute that are not empty."""
    found = attributes.get(tag, {}).get("Value", ())
    return [value for value in found if value not in (None, "", {})]


def text_of(attributes: Mapping[str, Any], tag: str) -> str:
    """The first value as stripped text."""
    return next((str(value).strip() for value in values_of(attributes, tag)), "")


def item_of(attributes: Mapping[str, Any], tag: str) -> DicomJson:
    """The first item of a sequence."""
    return next((item for item in values_of(attributes, tag) if isinstance(item, dict)), {})


def to_create(attributes: Mapping[str, Any], uid: str, now: datetime) -> tuple[DicomJson, bool]:
    """The data set of a new workitem.

    Returns: It, and whether something was added to what the creator sent.
    Raises:
        UpsError: 0120, 0121, 0106, 0105, 0117, C309.
    """
    if not is_valid_uid(uid):
        raise UpsError(INVALID_INSTANCE, "the SOP Instance UID is none")
    given = canonical(attributes)
    _check_identity(given, uid)
    state = text_of(given, a.STATE)
    if a.STATE in given and state != ProcedureStepState.SCHEDULED:
        raise UpsError(NOT_SCHEDULED, "a UPS is created SCHEDULED", offending=[0x00741000])
    is_changed = False
    for requirement in REQUIREMENTS:
        if len(requirement.path) > 1 or requirement.tags[0] in _IGNORED:
            continue
        is_changed |= _check_creation(given, requirement)
    _check_values(given)
    if not text_of(given, a.WORKLIST_LABEL):
        given[a.WORKLIST_LABEL] = {"vr": "LO", "Value": ["UNASSIGNED"]}
        is_changed = True
    given.pop(a.TRANSACTION_UID, None)
    return _completed(given, uid, now), is_changed


def _check_identity(given: DicomJson, uid: str) -> None:
    """Identity in a data set is superfluous; contradicting the request it is refused."""
    if text_of(given, a.SOP_CLASS_UID) not in ("", UPS_PUSH):
        raise UpsError(INVALID_VALUE, "not the UPS Push SOP Class", offending=[0x00080016])
    if text_of(given, a.SOP_INSTANCE_UID) not in ("", uid):
        raise UpsError(INVALID_VALUE, "another SOP Instance UID", offending=[0x00080018])


def _check_creation(given: DicomJson, requirement: Requirement) -> bool:
    tag = requirement.tags[0]
    keyword = requirement.path[0]
    match requirement.creation:
        case Creation.REQUIRED if tag not in given:
            raise UpsError(MISSING_ATTRIBUTE, f"{keyword} is missing", offending=[int(tag, 16)])
        case Creation.REQUIRED if not values_of(given, tag):
            raise UpsError(MISSING_VALUE, f"{keyword} is empty", offending=[int(tag, 16)])
        case Creation.EMPTY if values_of(given, tag):
            raise UpsError(INVALID_VALUE, f"{keyword} must be empty", offending=[int(tag, 16)])
        case Creation.MAY_BE_EMPTY | Creation.EMPTY if tag not in given:
            given[tag] = {"vr": tags.vr_for(int(tag, 16))}
            return tag not in {a.TRANSACTION_UID, a.PROGRESS, a.PERFORMED}
    return False


def _check_values(given: Mapping[str, Any]) -> None:
    for tag, allowed in a.ENUMERATED.items():
        for value in values_of(given, tag):
            if value not in allowed:
                keyword = tags.keyword_for(int(tag, 16))
                raise UpsError(INVALID_VALUE, f"{keyword}: no such value", offending=[int(tag, 16)])
    for tag, value in _elements(given):
        vr = value.get("vr")
        for one in values_of({tag: value}, tag):
            if vr == "DT" and parse_date_time(str(one)) is None:
                raise UpsError(INVALID_VALUE, "a date-time is none", offending=[int(tag, 16)])
            if vr == "UI" and not is_valid_uid(str(one)):
                raise UpsError(INVALID_VALUE, "a UID is none", offending=[int(tag, 16)])


def _elements(data_set: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for tag, element in data_set.items():
        yield tag, element
        if element.get("vr") == "SQ":
            for item in element.get("Value", ()):
                yield from _elements(item or {})


def _completed(given: DicomJson, uid: str, now: datetime) -> DicomJson:
    given[a.SOP_CLASS_UID] = {"vr": "UI", "Value": [UPS_PUSH]}
    given[a.SOP_INSTANCE_UID] = {"vr": "UI", "Value": [uid]}
    given[a.MODIFIED] = {"vr": "DT", "Value": [date_time(now)]}
    return given


def date_time(now: datetime) -> str:
    """An instant as DT with its offset (PS3.5 §6.2)."""
    return now.strftime("%Y%m%d%H%M%S.%f%z")


def to_update(
    current: DicomJson, change: Mapping[str, Any], uid: str, now: datetime
) -> tuple[DicomJson, frozenset[str]]:
    """A workitem's data set after an update; sequences are replaced whole.

    Returns: It, and the tags whose values are not what they were.
    Raises:
        UpsError: 0105 for what may not be set, 0106, 0121.
    """
    given = canonical(change)
    _check_identity(given, uid)
    given.pop(a.TRANSACTION_UID, None)
    for requirement in REQUIREMENTS:
        tag = requirement.tags[0]
        if len(requirement.path) > 1 or tag not in given or tag == a.TRANSACTION_UID:
            continue
        if requirement.setting is a.Setting.FORBIDDEN:
            if tag not in _IGNORED and values_of(given, tag) != values_of(current, tag):
                if tag == a.STATE:
                    raise refused(Outcome.SCHEDULED_BY_CREATION_ONLY)
                raise UpsError(
                    NO_SUCH_ATTRIBUTE,
                    f"{requirement.path[0]} may not be set",
                    offending=[int(tag, 16)],
                )
            del given[tag]
        elif requirement.creation is Creation.REQUIRED and not values_of(given, tag):
            raise UpsError(
                MISSING_VALUE, f"{requirement.path[0]} is empty", offending=[int(tag, 16)]
            )
    _check_values(given)
    given.pop(a.MODIFIED, None)
    changed = frozenset(tag for tag, element in given.items() if current.get(tag) != element)
    return _completed(current | given, uid, now), changed


def check_final(data_set: DicomJson, state: ProcedureStepState) -> None:
    """Final state requirements (§CC.2.5.1.1).

    Raises:
        UpsError: C304, naming what has no value.
    """
    codes = {
        FinalState.REQUIRED,
        FinalState.COMPLETED if state is ProcedureStepState.COMPLETED else FinalState.CANCELED,
    }
    missing = [
        requirement
        for requirement in REQUIREMENTS
        if requirement.final in codes and not _has_value(data_set, requirement.tags)
    ]
    if missing:
        raise UpsError(
            FINAL_STATE_NOT_MET,
            f"{missing[-1].path[-1]} has no value",
            offending=[int(requirement.tags[-1], 16) for requirement in missing],
        )


def _has_value(data_set: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    head, *rest = path
    values = values_of(data_set, head)
    if not rest:
        return bool(values)
    return bool(values) and all(_has_value(item, tuple(rest)) for item in values)


def canceled_by_us(current: DicomJson, request: DicomJson, now: datetime) -> DicomJson:
    """The data set of a SCHEDULED step that is canceled on request: final state requirements met."""
    progress = dict(item_of(current, a.PROGRESS))
    progress[a.CANCELED_AT] = {"vr": "DT", "Value": [date_time(now)]}
    for tag in (a.REASON, a.REASON_CODES):
        if values_of(request, tag):
            progress[tag] = request[tag]
    if not values_of(progress, a.REASON_CODES):
        progress[a.REASON_CODES] = {"vr": "SQ", "Value": [_UNSPECIFIED_REASON]}
    return current | {a.PROGRESS: {"vr": "SQ", "Value": [progress]}}
