"""Importing folders, zips and media: every file told of, nothing twice, interruptions survived."""

import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from negatoscope.domain.archive import Archive, OutOfResources, Source, SourceKind
from negatoscope.domain.archive.importing import (
    FileReport,
    Importer,
    ImportHalted,
    ImportJournal,
    ImportResult,
    ImportRunning,
    ImportSummary,
    SourceMissing,
    ZipLimits,
    measure,
)

R = ImportResult


class Run:
    """Imports paths and keeps the reports."""

    def __init__(self, archive: Archive, folder: Path) -> None:
        self.archive = archive
        self.journals = folder / "journals"
        self.reports: list[FileReport] = []

    def __call__(
        self,
        *roots: Path,
        stop_after: int | None = None,
        limits: ZipLimits | None = None,
        workers: int = 2,
    ) -> ImportSummary:
        self.reports = []
        resolved = [root.resolve() for root in roots]

        def report(file_report: FileReport) -> None:
            self.reports.append(file_report)
            if len(self.reports) == stop_after:
                importer.stop()

        with ImportJournal(self.journals, resolved) as journal:
            importer = Importer(
                self.archive,
                source=Source(kind=SourceKind.IMPORT),
                journal=journal,
                report=report,
                workers=workers,
                limits=limits,
                retry_delays_s=(0.01,),
            )
            return importer.run(resolved)

    @property
    def counts(self) -> Counter[ImportResult]:
        return Counter(report.result for report in self.reports)

    def reason(self, name: str) -> str:
        (report,) = [report for report in self.reports if report.path.endswith(name)]
        return report.reason


@pytest.fixture
def run(archive: Archive, tmp_path: Path) -> Run:
    """An import into the archive."""
    return Run(archive, tmp_path)


@pytest.fixture
def folder(tmp_path: Path, dicom_file: Callable[..., bytes]) -> Iterator[Path]:
    """Two folders with ten objects, and what else lies about on a medium."""
    root = tmp_path / "medium"
    for number in range(10):
        path = root / f"series{number % 2}" / f"{number}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dicom_file(InstanceNumber=number))
    (root / "LISEZMOI.TXT").write_text("Lisez-moi")
    (root / "empty").touch()
    os.mkfifo(root / "pipe")
    (root / "link").symlink_to("/etc/passwd")
    (root / "loop").symlink_to(root)
    return root


def test_a_folder_goes_in_and_everything_is_told(run: Run, folder: Path) -> None:
    """Objects stored, other files skipped, links and pipes not opened."""
    summary = run(folder)
    assert run.counts == {R.STORED: 10, R.SKIPPED: 5}
    assert summary.finished
    assert summary.taken == 10
    assert summary.troubled == 0
    assert run.reason("LISEZMOI.TXT") == "not a DICOM file"
    assert run.reason("link") == "a symbolic link is not followed"
    assert run.reason("pipe") == "neither file nor folder"
    stored = [report for report in run.reports if report.result is R.STORED]
    assert {report.study_instance_uid for report in stored} == {"1.2.3.4"}
    assert len({report.sop_instance_uid for report in stored}) == 10


def test_measuring_counts_what_the_run_will_tell(run: Run, folder: Path) -> None:
    """The total of the progress bar is the number of reports and their bytes."""
    extent = measure([folder])
    run(folder)
    assert extent.files == len(run.reports)
    assert extent.byte_count == sum(report.byte_count for report in run.reports)


def test_again_is_all_duplicates(run: Run, folder: Path) -> None:
    """A finished import leaves no journal: the archive itself knows the objects."""
    run(folder)
    run(folder)
    assert run.counts[R.DUPLICATE] == 10


def test_an_interrupted_import_continues(run: Run, folder: Path) -> None:
    """What was taken is not read again; the rest is."""
    assert not run(folder, stop_after=8, workers=1).finished
    before = run.counts[R.STORED]
    assert 0 < before < 10
    summary = run(folder)
    assert summary.finished
    assert run.counts[R.RESUMED] == before
    assert run.counts[R.STORED] == 10 - before


def test_a_file_that_changed_since_is_read_again(
    run: Run, folder: Path, dicom_file: Callable[..., bytes]
) -> None:
    """The journal trusts size and modification time, not the name."""
    run(folder, stop_after=8, workers=1)
    taken = next(report.path for report in run.reports if report.result is R.STORED)
    Path(taken).write_bytes(dicom_file(PatientComments="autre"))
    run(folder)
    (again,) = [report for report in run.reports if report.path == taken]
    assert again.result is R.STORED


def test_a_journal_cut_by_a_crash_is_read_up_to_the_cut(run: Run, folder: Path) -> None:
    """The last line of a killed run may be half."""
    run(folder, stop_after=9, workers=1)
    before = run.counts[R.STORED]
    (journal,) = run.journals.iterdir()
    journal.write_text(journal.read_text()[:-5])
    run(folder)
    assert run.counts[R.RESUMED] == before - 1
    assert run.counts[R.DUPLICATE] == 1


def test_the_same_paths_are_imported_by_one_process(tmp_path: Path) -> None:
    """The journal is locked."""
    with ImportJournal(tmp_path, [tmp_path]), pytest.raises(ImportRunning):
        ImportJournal(tmp_path, [tmp_path])


def test_objects_in_a_zip(run: Run, tmp_path: Path, dicom_file: Callable[..., bytes]) -> None:
    """Members are stored; nested archives, bombs and climbing names are not."""
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x.dcm", dicom_file())
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"images/{number}", dicom_file())
        archive.writestr("inner.zip", inner.read_bytes())
        archive.writestr("bomb.dcm", bytes(8 << 20))
        archive.writestr("../climb.dcm", dicom_file())
    run(path, limits=ZipLimits(max_ratio=100))
    assert run.counts == {R.STORED: 5, R.SKIPPED: 1, R.FAILED: 2}
    assert run.reason("!inner.zip") == "a zip inside a zip is not opened"
    assert "100 times" in run.reason("!bomb.dcm")
    assert "leaves the archive" in run.reason("climb.dcm")


def test_a_damaged_zip_member_leaves_nothing(
    run: Run, tmp_path: Path, dicom_file: Callable[..., bytes], archive: Archive
) -> None:
    """The CRC is wrong at the end: the object that was being written is cut off again."""
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("x", dicom_file())
    content = bytearray(path.read_bytes())
    content[content.index(b"ESSAI")] ^= 1
    path.write_bytes(content)
    run(path)
    assert run.counts == {R.FAILED: 1}
    with archive.database.connection() as connection:
        assert connection.execute("SELECT count(*) FROM instance").fetchone() == (0,)


def test_malformed_objects_fail_and_the_others_go_on(
    run: Run, folder: Path, dicom_file: Callable[..., bytes]
) -> None:
    """One refusal each, with its reason."""
    (folder / "cut.dcm").write_bytes(dicom_file()[:-6])
    (folder / "bare.dcm").write_bytes(bytes(128) + b"DICM")
    (folder / "nouid.dcm").write_bytes(dicom_file(StudyInstanceUID=""))
    run(folder)
    assert run.counts[R.STORED] == 10
    assert run.counts[R.FAILED] == 3
    assert all(report.reason for report in run.reports if report.result is R.FAILED)


def test_hostile_file_names_stay_on_one_line(
    run: Run, tmp_path: Path, dicom_file: Callable[..., bytes]
) -> None:
    """A newline, an escape sequence and bytes that are no UTF-8."""
    folder = tmp_path / "medium"
    folder.mkdir()
    for name in (b"a\nb", b"\x1b[31mred", b"caf\xe9"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(dicom_file())
    run(folder)
    assert run.counts == {R.STORED: 3}
    assert all(report.path.isprintable() for report in run.reports)


def test_a_path_that_does_not_exist_is_said_at_once(run: Run, tmp_path: Path) -> None:
    """Nothing is imported."""
    with pytest.raises(SourceMissing):
        run(tmp_path / "nowhere")


def test_an_archive_without_room_halts_the_import(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the retries; what was taken stays taken and the next run continues."""
    session = type(run.archive.open_session(Source(kind=SourceKind.IMPORT)))
    begin = session.begin_part10
    calls = 0

    def refuse(self: object) -> object:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise OutOfResources("the volume is below its watermark")
        return begin(self)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "begin_part10", refuse)
    with pytest.raises(ImportHalted, match="watermark") as error:
        run(folder, workers=1)
    assert "continues" in error.value.hint
    monkeypatch.undo()
    run(folder)
    assert run.counts[R.RESUMED] == 3
    assert run.counts[R.STORED] == 7


def test_media_by_their_dicomdir(run: Run, shared_data: Path) -> None:
    """A DICOMDIR given itself stands for the files it names."""
    summary = run(shared_data / "dicomdir" / "DICOMDIR")
    assert summary.taken == len(run.reports) > 20
    run(shared_data / "dicomdir" / "DICOMDIR")
    assert run.counts[R.DUPLICATE] == summary.taken


def test_a_dicomdir_in_a_folder_tells_what_is_missing(
    run: Run, shared_data: Path, tmp_path: Path
) -> None:
    """A copied medium that lost a folder."""
    folder = tmp_path / "medium"
    folder.mkdir()
    source = shared_data / "dicomdir"
    (folder / "DICOMDIR").write_bytes((source / "DICOMDIR").read_bytes())
    (folder / "77654033").mkdir()
    run(folder)
    assert set(run.counts) == {R.SKIPPED, R.FAILED}
    assert run.reason("/DICOMDIR") == "the directory of a medium"
    failed = [report for report in run.reports if report.result is R.FAILED]
    assert len(failed) > 20
    assert all("absent" in report.reason for report in failed)
