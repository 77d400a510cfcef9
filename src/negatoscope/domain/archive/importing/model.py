"""What an import reads and what it reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import zipfile
    from pathlib import Path


class ImportResult(StrEnum):
    """What became of one file."""

    STORED = "STORED"
    DUPLICATE = "DUPLICATE"
    CONFLICT = "CONFLICT"
    QUARANTINED = "QUARANTINED"
    RESUMED = "RESUMED"
    """Taken by an earlier, interrupted run of the same import."""
    SKIPPED = "SKIPPED"
    """Not a DICOM object: nothing to import."""
    FAILED = "FAILED"


TAKEN = frozenset({ImportResult.STORED, ImportResult.DUPLICATE, ImportResult.RESUMED})
SET_ASIDE = frozenset({ImportResult.CONFLICT, ImportResult.QUARANTINED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file or zip member that may be a DICOM object.

    Attributes:
        label: how reports and the journal name it: the path, with ``!member`` inside a zip.
        path: the file, or the zip archive.
        archive: the open zip archive, shared by its members and closed with the last of them.
        member: of the zip archive, or None.
        byte_count: of the content, as the directory says.
        stamp: changes when the content does: size, modification time, CRC.
        refusal: why it is not even opened; then it is reported as ``refused_as``.
    """

    label: str
    path: Path
    archive: zipfile.ZipFile | None = None
    member: zipfile.ZipInfo | None = None
    byte_count: int = 0
    stamp: str = ""
    refusal: str | None = None
    refused_as: ImportResult = ImportResult.SKIPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """One line of the per-file report."""

    path: str
    result: ImportResult
    byte_count: int = 0
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class ImportSummary:
    """Counts of a run; ``finished`` is False when it was stopped or halted."""

    results: dict[ImportResult, int] = field(default_factory=lambda: dict.fromkeys(ImportResult, 0))
    byte_count: int = 0
    finished: bool = False
    duration_s: float = 0.0

    @property
    def taken(self) -> int:
        """Objects that are in the archive now."""
        return sum(self.results[result] for result in TAKEN)

    @property
    def troubled(self) -> int:
        """Files that need a person: refused, or kept aside."""
        return self.results[ImportResult.FAILED] + sum(self.results[r] for r in SET_ASIDE)
