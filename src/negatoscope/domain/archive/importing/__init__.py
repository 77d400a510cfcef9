"""Importing folders, zip archives and DICOMDIR media into the archive, resumably."""

from negatoscope.domain.archive.importing.errors import (
    ImportHalted,
    ImportRunError,
    ImportRunning,
    SourceMissing,
)
from negatoscope.domain.archive.importing.journal import ImportJournal
from negatoscope.domain.archive.importing.model import (
    Candidate,
    FileReport,
    ImportResult,
    ImportSummary,
)
from negatoscope.domain.archive.importing.run import Extent, Importer, measure
from negatoscope.domain.archive.importing.zips import ZipLimits

__all__ = [
    "Candidate",
    "Extent",
    "FileReport",
    "ImportHalted",
    "ImportJournal",
    "ImportResult",
    "ImportRunError",
    "ImportRunning",
    "ImportSummary",
    "Importer",
    "SourceMissing",
    "ZipLimits",
    "measure",
]
