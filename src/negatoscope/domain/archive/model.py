"""Values that the archive takes and gives."""

from dataclasses import dataclass, field
from enum import StrEnum


class SourceKind(StrEnum):
    """The door an object came through."""

    DIMSE = "DIMSE"
    STOW = "STOW"
    IMPORT = "IMPORT"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who sends.

    Attributes:
        kind: The door.
        calling_ae_title: Of the peer, when it has one; at most 16 characters are kept.
        peer: Host address.
        actor_name: User or application entity for the audit trail.
        study_instance_uid: The one study the objects must belong to, when the sender has named it.
    """

    kind: SourceKind
    calling_ae_title: str | None = None
    peer: str | None = None
    actor_name: str | None = None
    study_instance_uid: str | None = None


class OutcomeKind(StrEnum):
    """What became of an object that was taken."""

    STORED = "STORED"
    DUPLICATE = "DUPLICATE"
    CONFLICT = "CONFLICT"
    """Another content under the same UID: kept aside, the first one stays."""
    QUARANTINED = "QUARANTINED"
    """The UIDs belong to another patient: kept aside, never merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An object was taken and is durable.

    Attributes:
        sha256: Of the data set bytes.
        warnings: What was odd and tolerated.
    """

    kind: OutcomeKind
    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    sha256: bytes
    warnings: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSettings:
    """How the archive stores.

    Attributes:
        segment_max_bytes: A segment is sealed when it is longer.
        segment_idle_s: A segment is sealed when nothing was appended for so long.
        settle_idle_s: A study settles when nothing arrived for so long.
        index_timeout_s: How long a store waits for the index before it answers "out of resources".
        prepared_segments: Segments kept ready, with space on the device, while nothing arrives.
        prepared_bytes: Space ahead of each.
        prepare_after_s: Nothing was stored for so long.
    """

    segment_max_bytes: int = 1 << 30
    segment_idle_s: float = 30.0
    settle_idle_s: float = 60.0
    index_timeout_s: float = 20.0
    prepared_segments: int = 0
    prepared_bytes: int = 64 << 20
    prepare_after_s: float = 2.0
