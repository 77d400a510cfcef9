"""Finding what to import: folders, zip archives, DICOMDIR media.

Folders are walked without following symbolic links, in the order of names, so that a series is
read as it lies. Nothing but regular files is opened.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from negatoscope.domain.archive.importing.errors import SourceMissing
from negatoscope.domain.archive.importing.model import Candidate, ImportResult
from negatoscope.domain.archive.importing.zips import (
    ZipLimits,
    ZipRefused,
    check_member,
    is_zip,
    open_zip,
)
from negatoscope.protocols.dicom.part10.dicomdir import DicomdirError, read_dicomdir

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DICOMDIR = "DICOMDIR"
MAX_FOLDER_DEPTH = 64


def candidates(roots: Sequence[Path], limits: ZipLimits) -> Iterator[Candidate]:
    """Everything under the paths, each file once.

    Raises: SourceMissing: a path does not exist or cannot be read.
    """
    for root in roots:
        try:
            path = root.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise SourceMissing(f"{root}: {_reason(error)}") from error
        if path.is_dir():
            yield from _walk(path, limits, depth=0)
        elif path.name == DICOMDIR:
            yield from _medium(path)
        else:
            yield from _file(path, limits)


def _walk(folder: Path, limits: ZipLimits, *, depth: int) -> Iterator[Candidate]:
    if depth > MAX_FOLDER_DEPTH:
        yield _refused(folder, f"folders nested deeper than {MAX_FOLDER_DEPTH}", failed=True)
        return
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        yield _refused(folder, f"the folder cannot be read: {_reason(error)}", failed=True)
        return
    for entry in entries:
        path = Path(entry.path)
        try:
            if entry.is_symlink():
                yield _refused(path, "a symbolic link is not followed")
            elif entry.is_dir(follow_symlinks=False):
                yield from _walk(path, limits, depth=depth + 1)
            elif not entry.is_file(follow_symlinks=False):
                yield _refused(path, "neither file nor folder")
            elif entry.name == DICOMDIR:
                yield _refused(path, "the directory of a medium")
                yield from _missing_of_medium(path)
            else:
                yield from _file(path, limits)
        except OSError as error:
            yield _refused(path, _reason(error), failed=True)


def _file(path: Path, limits: ZipLimits) -> Iterator[Candidate]:
    try:
        with path.open("rb") as file:
            head = file.read(4)
            status = os.fstat(file.fileno())
    except OSError as error:
        yield _refused(path, f"the file cannot be read: {_reason(error)}", failed=True)
        return
    stamp = f"{status.st_size}:{status.st_mtime_ns}"
    if is_zip(head):
        yield from _zip(path, stamp, limits)
    else:
        yield Candidate(label=label(path), path=path, byte_count=status.st_size, stamp=stamp)


def _zip(path: Path, stamp: str, limits: ZipLimits) -> Iterator[Candidate]:
    try:
        archive = open_zip(path, limits)
    except (ZipRefused, OSError) as error:
        yield _refused(path, str(error), failed=True)
        return
    for member in archive.infolist():
        if member.is_dir():
            continue
        refusal = None
        try:
            check_member(member, limits)
        except ZipRefused as error:
            refusal = str(error)
        yield Candidate(
            label=f"{label(path)}!{_printable(member.filename)}",
            path=path,
            archive=archive,
            member=member,
            byte_count=member.file_size if refusal is None else 0,
            stamp=f"{stamp}:{member.file_size}:{member.CRC:08x}",
            refusal=refusal,
            refused_as=ImportResult.FAILED,
        )


def _medium(path: Path) -> Iterator[Candidate]:
    """The files that a DICOMDIR names, and only those."""
    for file in _referenced(path):
        if isinstance(file, Candidate):
            yield file
            continue
        try:
            status = file.lstat()
        except OSError as error:
            yield _refused(file, f"named by the DICOMDIR: {_reason(error)}", failed=True)
            continue
        yield Candidate(
            label=label(file),
            path=file,
            byte_count=status.st_size,
            stamp=f"{status.st_size}:{status.st_mtime_ns}",
        )


def _missing_of_medium(path: Path) -> Iterator[Candidate]:
    """Inside a walked folder the files come by themselves; only absent ones are told here."""
    for file in _referenced(path):
        if isinstance(file, Candidate):
            yield file
        elif not file.is_file():
            yield _refused(file, "named by the DICOMDIR, but absent", failed=True)


def _referenced(path: Path) -> Iterator[Path | Candidate]:
    """Files of a medium; a refusal where the directory cannot be read or a name leaves it."""
    try:
        yield from read_dicomdir(path).files()
    except (DicomdirError, OSError) as error:
        yield _refused(path, f"the DICOMDIR cannot be read: {error}", failed=True)


def _refused(path: Path, reason: str, *, failed: bool = False) -> Candidate:
    return Candidate(
        label=label(path),
        path=path,
        refusal=reason,
        refused_as=ImportResult.FAILED if failed else ImportResult.SKIPPED,
    )


def label(path: Path) -> str:
    """The path as reports show it: bytes that are no text and control characters escaped."""
    return _printable(os.fsdecode(path))


def _printable(text: str) -> str:
    """Without control characters or lone surrogates: one file is one line of the report."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
