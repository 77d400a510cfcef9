"""The identifier of a C-MOVE or C-GET request as a selection of the archive (PS3.4 §C.4.2.1, §C.4.3.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from negatoscope.domain.archive.retrieve import Selection
from negatoscope.protocols.dicom.dataset import DataSetError, decode
from negatoscope.standard import sop_classes, tags
from negatoscope.standard.dimse_status import Status

IDENTIFIER_LIMIT_BYTES: Final = 8 << 20
"""Some hundred thousand UIDs."""


class QueryRetrieveLevel(StrEnum):
    """(0008,0052)."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"


_P, _S, _E, _I = QueryRetrieveLevel
LEVELS: Final[Mapping[str, tuple[QueryRetrieveLevel, ...]]] = {
    sop_classes.PATIENT_ROOT_MOVE: (_P, _S, _E, _I),
    sop_classes.PATIENT_ROOT_GET: (_P, _S, _E, _I),
    sop_classes.STUDY_ROOT_MOVE: (_S, _E, _I),
    sop_classes.STUDY_ROOT_GET: (_S, _E, _I),
    sop_classes.PATIENT_STUDY_ONLY_MOVE: (_P, _S),
    sop_classes.PATIENT_STUDY_ONLY_GET: (_P, _S),
}
"""Levels of each information model (PS3.4 §C.6)."""

UNIQUE_KEYS: Final[Mapping[QueryRetrieveLevel, int]] = {
    _P: tags.PATIENT_ID,
    _S: tags.STUDY_INSTANCE_UID,
    _E: tags.SERIES_INSTANCE_UID,
    _I: tags.SOP_INSTANCE_UID,
}


class IdentifierError(Exception):
    """The identifier cannot be used.

    Attributes:
        status: To answer.
        comment: Error Comment (0000,0902).
        offending_elements: Offending Element (0000,0901).
    """

    def __init__(self, status: Status, comment: str, *offending_elements: int) -> None:
        super().__init__(comment)
        self.status = status
        self.comment = comment
        self.offending_elements = offending_elements


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieveRequest:
    """What is to be retrieved."""

    level: QueryRetrieveLevel
    selection: Selection


def read_identifier(
    data_set: bytes, transfer_syntax_uid: str, sop_class_uid: str
) -> RetrieveRequest:
    """Read an identifier.

    The unique key of the level must be there; those above it narrow the choice when they are, and
    may be absent (the relational retrieve of §C.5.2.1.2, offered to everybody). Keys below the
    level, and any other attribute, say nothing.

    Raises:
        IdentifierError: A900 when it does not fit the SOP class, C000 when it cannot be read.
    """
    try:
        identifier: dict[str, Any] = decode(data_set, transfer_syntax_uid)
    except DataSetError as error:
        raise IdentifierError(Status.UNABLE_TO_PROCESS, error.reason) from error
    values = _values(identifier, tags.QUERY_RETRIEVE_LEVEL)
    levels = LEVELS[sop_class_uid]
    if len(values) != 1 or values[0] not in levels:
        raise IdentifierError(
            Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
            f"Query/Retrieve Level must be one of {', '.join(levels)}",
            tags.QUERY_RETRIEVE_LEVEL,
        )
    level = QueryRetrieveLevel(values[0])
    used = list(UNIQUE_KEYS)[: list(UNIQUE_KEYS).index(level) + 1]
    keys = {key: _values(identifier, UNIQUE_KEYS[key]) for key in used}
    if not keys[level]:
        raise IdentifierError(
            Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
            f"no unique key of the {level} level",
            UNIQUE_KEYS[level],
        )
    for key, found in keys.items():
        if any("\0" in value for value in found):
            raise IdentifierError(
                Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS, "NUL in a key", UNIQUE_KEYS[key]
            )
    issuer = _values(identifier, tags.ISSUER_OF_PATIENT_ID) if keys.get(_P) else ()
    selection = Selection(
        patient=keys.get(_P, ()),
        issuer=issuer[0] if issuer else None,
        study=keys.get(_S, ()),
        series=keys.get(_E, ()),
        sop=keys.get(_I, ()),
    )
    return RetrieveRequest(level=level, selection=selection)


def _values(identifier: Mapping[str, Any], tag: int) -> tuple[str, ...]:
    found = identifier.get(f"{tag:08X}", {}).get("Value", ())
    return tuple(text for value in found if value is not None and (text := str(value).strip()))
