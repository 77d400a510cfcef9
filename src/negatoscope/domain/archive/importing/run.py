"""Running an import: files found by one thread, stored by a few, each with its own session.

Files of one folder stay with one worker in batches, so that a series lies together in a segment.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from negatoscope.domain.archive.errors import IngestError, OutOfResources
from negatoscope.domain.archive.importing.errors import ImportHalted
from negatoscope.domain.archive.importing.model import (
    Candidate,
    FileReport,
    ImportResult,
    ImportSummary,
)
from negatoscope.domain.archive.importing.sources import candidates
from negatoscope.domain.archive.importing.zips import (
    ZipLimits,
    ZipRefused,
    is_zip,
    member_chunks,
)
from negatoscope.protocols.dicom.part10 import Part10Error
from negatoscope.standard.sop_classes import MEDIA_STORAGE_DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from negatoscope.domain.archive.archive import Archive
    from negatoscope.domain.archive.importing.journal import ImportJournal
    from negatoscope.domain.archive.ingest import IngestSession
    from negatoscope.domain.archive.model import Outcome, Source

CHUNK_BYTES = 1 << 20
BATCH_FILES = 64
PREAMBLE_AND_PREFIX_BYTES = 132
RETRY_DELAYS_S = (1.0, 2.0, 4.0, 8.0)

ASIDE_REASONS = {
    ImportResult.CONFLICT: "another content under the same UID: kept aside, see `negatoscope task`",
    ImportResult.QUARANTINED: "the UID of another patient's object: kept aside, see `negatoscope task`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much there is to do, before anything is read."""

    files: int
    byte_count: int


def measure(roots: Sequence[Path], limits: ZipLimits | None = None) -> Extent:
    """Count files and bytes for a progress bar.

    Raises: SourceMissing.
    """
    files = byte_count = 0
    for candidate in candidates(roots, limits or ZipLimits()):
        files += 1
        byte_count += candidate.byte_count
    return Extent(files=files, byte_count=byte_count)


class Importer:
    """One run over some paths.

    Args:
        report: called once per file, by one thread at a time.
        workers: files stored at the same time.
    """

    def __init__(
        self,
        archive: Archive,
        *,
        source: Source,
        journal: ImportJournal,
        report: Callable[[FileReport], None],
        workers: int = 3,
        limits: ZipLimits | None = None,
        retry_delays_s: Sequence[float] = RETRY_DELAYS_S,
    ) -> None:
        self._archive = archive
        self._source = source
        self._journal = journal
        self._report = report
        self._workers = workers
        self._limits = limits or ZipLimits()
        self._retry_delays_s = retry_delays_s
        self._batches: queue.Queue[list[Candidate] | None] = queue.Queue(maxsize=workers * 2)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._halted: BaseException | None = None
        self._summary = ImportSummary()

    def stop(self) -> None:
        """End after the files in hand; the next run continues."""
        self._stop.set()

    def run(self, roots: Sequence[Path]) -> ImportSummary:
        """Import everything under the paths.

        Returns: The counts; ``finished`` is False after `stop`.
        Raises:
            SourceMissing: a path does not exist.
            ImportHalted: the archive takes nothing more.
        """
        started = time.monotonic()
        workers = [
            threading.Thread(target=self._work, name=f"import-{number}")
            for number in range(self._workers)
        ]
        for worker in workers:
            worker.start()
        try:
            for batch in self._batch(roots):
                if not self._hand_out(batch):
                    break
        except BaseException:
            self._stop.set()
            raise
        finally:
            for _ in workers:
                self._batches.put(None)
            for worker in workers:
                worker.join()
        self._summary.duration_s = time.monotonic() - started
        if self._halted is not None:
            raise self._halted
        self._summary.finished = not self._stop.is_set()
        if self._summary.finished:
            self._journal.remove()
        return self._summary

    def _batch(self, roots: Sequence[Path]) -> Iterator[list[Candidate]]:
        """Consecutive files of one folder or zip, a bounded number at a time."""
        batch: list[Candidate] = []
        for candidate in candidates(roots, self._limits):
            if batch and (len(batch) >= BATCH_FILES or _home(candidate) != _home(batch[0])):
                yield batch
                batch = []
            batch.append(candidate)
        if batch:
            yield batch

    def _hand_out(self, batch: list[Candidate]) -> bool:
        while not self._stop.is_set():
            try:
                self._batches.put(batch, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def _work(self) -> None:
        try:
            with self._archive.open_session(self._source) as session:
                while (batch := self._batches.get()) is not None:
                    for candidate in batch:
                        if self._stop.is_set():
                            break
                        self._tell(candidate, self._import(session, candidate))
        except BaseException as error:  # noqa: BLE001 - raised again by run()
            with self._lock:
                self._halted = self._halted or error
            self._stop.set()
            while self._batches.get() is not None:
                pass

    def _tell(self, candidate: Candidate, file_report: FileReport) -> None:
        with self._lock:
            result = file_report.result
            if result not in {ImportResult.RESUMED, ImportResult.FAILED, ImportResult.SKIPPED}:
                self._journal.finish(candidate.label, candidate.stamp)
            self._summary.results[result] += 1
            self._summary.byte_count += file_report.byte_count
            self._report(file_report)

    def _import(self, session: IngestSession, candidate: Candidate) -> FileReport:
        """Store one candidate; waits and tries again while the archive is out of resources."""
        if candidate.refusal is not None:
            return _report(candidate, candidate.refused_as, candidate.refusal)
        if self._journal.is_finished(candidate.label, candidate.stamp):
            return _report(candidate, ImportResult.RESUMED)
        for delay_s in (*self._retry_delays_s, None):
            try:
                return self._store(session, candidate)
            except OutOfResources as error:
                if delay_s is None or self._stop.wait(delay_s):
                    raise ImportHalted(
                        f"the archive takes no more objects: {error.error_comment}",
                        hint="make room or bring the database back, then run the same command: "
                        "it continues where it stopped.",
                    ) from error
            except (IngestError, Part10Error, ZipRefused) as error:
                return _report(candidate, ImportResult.FAILED, str(error))
            except OSError as error:
                return _report(
                    candidate, ImportResult.FAILED, f"cannot be read: {error.strerror or error}"
                )
        raise AssertionError  # the last delay is None: the loop returns or raises

    def _store(self, session: IngestSession, candidate: Candidate) -> FileReport:
        chunks = self._chunks(candidate)
        head = next(chunks, b"")
        if head[128:PREAMBLE_AND_PREFIX_BYTES] != b"DICM":
            nested = candidate.member is not None and is_zip(head)
            reason = "a zip inside a zip is not opened" if nested else "not a DICOM file"
            return _report(candidate, ImportResult.SKIPPED, reason)
        if MEDIA_STORAGE_DIRECTORY.encode() in head[PREAMBLE_AND_PREFIX_BYTES:512]:
            return _report(candidate, ImportResult.SKIPPED, "the directory of a medium")
        ingest = session.begin_part10()
        try:
            ingest.write(head)
            for chunk in chunks:
                ingest.write(chunk)
        except (OSError, ZipRefused):
            ingest.abort()
            raise
        return _taken(candidate, ingest.commit())

    def _chunks(self, candidate: Candidate) -> Iterator[bytes]:
        if candidate.archive is not None and candidate.member is not None:
            yield from member_chunks(candidate.archive, candidate.member, CHUNK_BYTES)
            return
        with candidate.path.open("rb", buffering=0) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


def _home(candidate: Candidate) -> Path:
    return candidate.path if candidate.member is not None else candidate.path.parent


def _report(candidate: Candidate, result: ImportResult, reason: str = "") -> FileReport:
    return FileReport(
        path=candidate.label, result=result, byte_count=candidate.byte_count, reason=reason
    )


def _taken(candidate: Candidate, outcome: Outcome) -> FileReport:
    result = ImportResult(outcome.kind.value)
    aside = ASIDE_REASONS.get(result)
    return FileReport(
        path=candidate.label,
        result=result,
        byte_count=candidate.byte_count,
        sop_class_uid=outcome.sop_class_uid,
        sop_instance_uid=outcome.sop_instance_uid,
        study_instance_uid=outcome.study_instance_uid,
        series_instance_uid=outcome.series_instance_uid,
        reason="; ".join([aside, *outcome.warnings] if aside else outcome.warnings),
    )
