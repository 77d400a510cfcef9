"""What can be asked of the index."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from negatoscope.domain.identity import EVERYTHING, DataScope

#: A data set or an identifier in the DICOM JSON model (PS3.18 Annex F), keyed by `GGGGEEEE`.
DicomJson = dict[str, dict[str, Any]]


class QueryLevel(StrEnum):
    """Query/Retrieve Level (0008,0052), PS3.4 §C.6."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"

    @property
    def depth(self) -> int:
        """0 for PATIENT to 3 for IMAGE."""
        return _DEPTHS[self]


_DEPTHS: Final = {level: depth for depth, level in enumerate(QueryLevel)}


class InformationModel(StrEnum):
    """Query/Retrieve Information Models of PS3.4 §C.6."""

    PATIENT_ROOT = "PATIENT ROOT"
    STUDY_ROOT = "STUDY ROOT"
    PATIENT_STUDY_ONLY = "PATIENT/STUDY ONLY"

    @property
    def levels(self) -> tuple[QueryLevel, ...]:
        """Levels that may be queried."""
        match self:
            case InformationModel.PATIENT_ROOT:
                return tuple(QueryLevel)
            case InformationModel.STUDY_ROOT:
                return (QueryLevel.STUDY, QueryLevel.SERIES, QueryLevel.IMAGE)
            case InformationModel.PATIENT_STUDY_ONLY:
                return (QueryLevel.PATIENT, QueryLevel.STUDY)


class Include(StrEnum):
    """Which attributes come back beyond the keys."""

    KEYS = "KEYS"
    ALL = "ALL"  # every supported attribute of the level, QIDO-RS `includefield=all`


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchOptions:
    """Extended matching behaviour, as negotiated (PS3.4 Table C.5-1) or asked.

    Attributes:
        fuzzy: Each word of a name key is the beginning of any word of the name; descriptions are
            compared without case and accents.
        combined_datetime: A date and its time are one range (PS3.4 §C.2.2.2.5.1).
        every_value: Each value of a multi-valued key must match (PS3.4 §C.2.2.2.8); otherwise one
            is enough.
    """

    fuzzy: bool = False
    combined_datetime: bool = False
    every_value: bool = False


NO_OPTIONS: Final = MatchOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceReference:
    """An instance whose header is to be read."""

    instance_id: int
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str


#: Headers of instances, same order and length; a header that cannot be read is an empty dict.
HeaderReader = Callable[[Sequence[InstanceReference]], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLimits:
    """Bounds on one query.

    Attributes:
        max_results: Matches answered at most; further ones set `Matches.truncated`.
        max_candidates: Rows looked at in Python at most, for keys SQL cannot decide alone.
        max_headers: Objects opened at most, for attributes the index has no column for.
        batch_rows: Rows held in memory at a time.
        statement_timeout_ms: Of each SQL statement.
    """

    max_results: int = 100_000
    max_candidates: int = 200_000
    max_headers: int = 10_000
    batch_rows: int = 500
    statement_timeout_ms: int = 20_000


DEFAULT_LIMITS: Final = QueryLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question.

    Attributes:
        keys: Matching and return keys; a key without value asks for the attribute.
        relational: Keys of any upper level may be given, unique keys may be absent
            (PS3.4 §C.4.1.2.2.2, §C.4.1.3.2.2).
        limit: Matches wanted at most; None: as many as `QueryLimits.max_results`.
        offset: Matches skipped.
        scope: What the asker may see.
        retrieve_ae_title: Answered as Retrieve AE Title (0008,0054).
    """

    level: QueryLevel
    keys: DicomJson
    model: InformationModel = InformationModel.STUDY_ROOT
    relational: bool = False
    options: MatchOptions = NO_OPTIONS
    include: Include = Include.KEYS
    limit: int | None = None
    offset: int = 0
    scope: DataScope = EVERYTHING
    retrieve_ae_title: str = ""
