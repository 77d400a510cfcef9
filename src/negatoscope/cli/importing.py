"""``negatoscope import``: files, folders, zip archives and DICOMDIR media into the archive."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import click

from negatoscope.cli.common import CommandContext, pass_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from negatoscope.domain.archive.importing import Extent, FileReport, ImportSummary

COLUMNS = (
    "path",
    "result",
    "byte_count",
    "sop_class_uid",
    "sop_instance_uid",
    "study_instance_uid",
    "series_instance_uid",
    "reason",
)
PLAIN_LINE_EVERY_S = 5.0
EXIT_TROUBLED = 1
EXIT_INTERRUPTED = 130


class _Sink(Protocol):
    def __call__(self, report: FileReport) -> None: ...


@click.command()
@click.option(
    "--report",
    "report_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Per-file report: TSV, or JSON when the name ends so (default: in the data directory).",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 16),
    default=3,
    show_default=True,
    help="Files stored at the same time.",
)
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, readable=True, path_type=Path)
)
@pass_context
def import_command(
    context: CommandContext,
    *,
    report_path: Path | None,
    jobs: int,
    paths: tuple[Path, ...],
) -> None:
    """Take in files, folders, zip archives and DICOMDIR media.

    Folders are read with everything below them; symbolic links are not followed. A DICOMDIR given
    itself stands for the files it names. What is no DICOM file is skipped. An interrupted import
    continues when the same command is given again.

    Exit codes: 0, everything DICOM is in the archive; 1, something was refused or kept aside, the
    report says what and why, or the archive took nothing more; 2, the command line is wrong; 3,
    the database does not answer; 130, interrupted.
    """
    from negatoscope.app.services import opened_archive
    from negatoscope.domain.archive import Source, SourceKind
    from negatoscope.domain.archive.importing import Importer, ImportJournal, measure

    roots = [path.resolve() for path in paths]
    extent = measure(roots)
    settings = context.settings
    with context.database() as database:
        folder = settings.data_dir / "imports"
        report_path = report_path or folder / f"import-{time.strftime('%Y%m%d-%H%M%S')}.tsv"
        with (
            opened_archive(settings, database) as archive,
            ImportJournal(folder, roots) as journal,
            _report_file(report_path) as write,
            _progress(extent) as show,
        ):
            if journal.resumes:
                click.echo("continuing an interrupted import", err=True)

            def report(file_report: FileReport) -> None:
                write(file_report)
                show(file_report)

            importer = Importer(
                archive,
                source=Source(kind=SourceKind.IMPORT, actor_name="command line"),
                journal=journal,
                report=report,
                workers=jobs,
            )
            try:
                summary = importer.run(roots)
            except KeyboardInterrupt:
                click.echo("interrupted; give the same command again to continue", err=True)
                sys.exit(EXIT_INTERRUPTED)
    click.echo(_describe(summary))
    click.echo(f"report: {report_path}")
    if summary.troubled:
        sys.exit(EXIT_TROUBLED)


def _describe(summary: ImportSummary) -> str:
    counts = ", ".join(
        f"{count} {result.lower()}" for result, count in summary.results.items() if count
    )
    seconds = max(summary.duration_s, 1e-6)
    rate = f"{summary.byte_count / 1e6:.1f} MB in {seconds:.1f} s"
    return f"{counts or 'nothing found'}; {rate} ({summary.byte_count / 1e6 / seconds:.0f} MB/s)"


@contextmanager
def _report_file(path: Path) -> Iterator[_Sink]:
    """A writer of one line or object per file; what is written is readable at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".json":
            yield from _json_writer(file)
        else:
            yield from _tsv_writer(file)


def _tsv_writer(file: TextIO) -> Iterator[_Sink]:
    file.write("\t".join(COLUMNS) + "\n")

    def write(report: FileReport) -> None:
        values = (str(value) for value in asdict(report).values())
        cells = (value.replace("\t", " ").replace("\n", " ") for value in values)
        file.write("\t".join(cells) + "\n")

    yield write


def _json_writer(file: TextIO) -> Iterator[_Sink]:
    separator = "[\n"

    def write(report: FileReport) -> None:
        nonlocal separator
        file.write(separator + json.dumps(asdict(report), ensure_ascii=False))
        separator = ",\n"

    yield write
    file.write("[]\n" if separator == "[\n" else "\n]\n")


@contextmanager
def _progress(extent: Extent) -> Iterator[Callable[[FileReport], None]]:
    """A bar on a terminal, a line now and then elsewhere; both on standard error."""
    if sys.stderr.isatty():
        with _bar() as bar:
            task: Any = bar.add_task("import", total=extent.byte_count, files=0, of=extent.files)
            files = 0

            def advance(report: FileReport) -> None:
                nonlocal files
                files += 1
                bar.update(task, advance=report.byte_count, files=files)

            yield advance
        return
    yield _PlainProgress(extent)


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    return Progress(
        TextColumn("{task.fields[files]}/{task.fields[of]} files"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


class _PlainProgress:
    """Lines for logs: at most one every few seconds."""

    def __init__(self, extent: Extent) -> None:
        self._extent = extent
        self._files = 0
        self._bytes = 0
        self._started = self._told = time.monotonic()

    def __call__(self, report: FileReport) -> None:
        self._files += 1
        self._bytes += report.byte_count
        now = time.monotonic()
        if now - self._told < PLAIN_LINE_EVERY_S:
            return
        self._told = now
        rate = self._bytes / (now - self._started)
        left_s = (self._extent.byte_count - self._bytes) / rate if rate else 0
        click.echo(
            f"{self._files}/{self._extent.files} files, {self._bytes / 1e6:.0f} of "
            f"{self._extent.byte_count / 1e6:.0f} MB, {rate / 1e6:.0f} MB/s, {left_s:.0f} s left",
            err=True,
        )
