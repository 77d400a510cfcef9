"""The archive: objects in, found, kept, given back. This is its public face."""

from negatoscope.domain.archive.archive import Archive
from negatoscope.domain.archive.errors import (
    ArchiveError,
    CannotUnderstand,
    DataSetMismatch,
    IngestError,
    InvalidInstance,
    OutOfResources,
)
from negatoscope.domain.archive.ingest import Ingest, IngestSession
from negatoscope.domain.archive.model import (
    ArchiveSettings,
    Outcome,
    OutcomeKind,
    Source,
    SourceKind,
)
from negatoscope.infra.storage.contract import Volume

__all__ = [
    "Archive",
    "ArchiveError",
    "ArchiveSettings",
    "CannotUnderstand",
    "DataSetMismatch",
    "Ingest",
    "IngestError",
    "IngestSession",
    "InvalidInstance",
    "OutOfResources",
    "Outcome",
    "OutcomeKind",
    "Source",
    "SourceKind",
    "Volume",
]
