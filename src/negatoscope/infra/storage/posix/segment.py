"""One segment file on a local or mounted file system: append, flush, abandon, seal, scan.

State that matters lives in the file: what was flushed and has its headers is there, the rest is cut off when the segment is
opened again. See ``negatoscope.infra.storage.tar`` for the layout.
"""

import ctypes
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from negatoscope.infra.storage import tar
from negatoscope.infra.storage.errors import SegmentMissing, VolumeFull, WriteFailed

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
MANIFEST_NAME = "MANIFEST.tsv"
README_NAME = "README.txt"
_HOLE = bytes(tar.HEADER_BYTES)
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ZEROS = bytes(1 << 20)
#: With less left a segment counts as not prepared.
_PREPARED_MIN_BYTES = 1 << 20
#: Shorter pieces are left to the flush: starting early costs a system call.
_WRITE_BACK_BYTES = 64 << 10
_SYNC_FILE_RANGE_WRITE = 2

README = b"""This TAR file is a segment of a Negatoscope archive.

Members named <ULID>.dcm are DICOM Part 10 files (PS3.10), complete and untouched since they were received.
Members named <ULID>.json.gz are DICOM JSON metadata of a series (PS3.18 Annex F), derived from those files.
Members named <ULID>.void are nothing: objects that were not taken, with others behind them.
Members named <ULID>.journal.json are decisions of the archive (a version accepted, an object deleted), in order of time.
MANIFEST.tsv, when the segment was sealed, lists: sha256, offset, size, data set offset, name.

The sha256 covers the data set: the bytes of the file from the data set offset to its end. The same digest and the time,
the sender and the offset of the data set are in the "comment" record of each member's extended header.
To check one:  tar -xOf SEGMENT.tar NAME.dcm | tail -c +$((DATA_SET_OFFSET + 1)) | sha256sum
Nothing else is needed to rebuild the archive's index.
"""


_sync_file_range = ctypes.CDLL(None, use_errno=True).sync_file_range
_sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


def translate(error: OSError, doing: str) -> VolumeFull | WriteFailed:
    """The storage error of a failed system call."""
    kind = VolumeFull if error.errno in _FULL else WriteFailed
    return kind(f"{doing}: {error.strerror}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedMember:
    """A member met while reading a segment from its start."""

    header: tar.MemberHeader
    content_offset: int


def scan(descriptor: int, *, length: int, start: int = 0) -> Iterator[ScannedMember]:
    """Members of a segment in order, up to the first that is not whole.

    Args:
        descriptor: Open file.
        length: Of the file, bytes; members that reach beyond it are not whole.
        start: Offset of a member's first header block.
    """
    position = start
    while True:
        try:
            header = tar.decode_header(os.pread(descriptor, tar.HEADER_BYTES, position))
        except tar.BadHeader:
            return
        if header is None:
            return
        content = position + tar.HEADER_BYTES
        position = content + header.size + tar.padding(header.size)
        if content + header.size > length:
            return
        yield ScannedMember(header=header, content_offset=content)


class SegmentFile:
    """A segment opened for appending by this process alone.

    Attributes:
        path: The file.
        end: Where the next member's headers go, bytes from the start.
        entries: Lines of the manifest to come.
        prepared: Offset up to which zeros lie ready on the device; see ``prepare``.
    """

    __slots__ = (
        "_descriptor", "_position", "_written_back", "broken", "end", "entries", "last_used_s", "path",
        "prepared",
    )  # fmt: skip

    def __init__(self, path: Path, descriptor: int, end: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.end = end
        self._position = end
        self._written_back = 0
        self.prepared = 0
        self.entries: list[str] = []
        self.broken = False
        self.last_used_s = time.monotonic()

    @classmethod
    def create(cls, path: Path) -> "SegmentFile":
        """Make the file, hold it, write what it is; durable when it returns.

        Raises: VolumeFull, WriteFailed.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise translate(error, "creating a segment") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            segment = cls(path, descriptor, 0)
            segment.append_whole(README_NAME, README, {"kind": "readme"})
            segment.sync()
            for directory in (path.parent, path.parent.parent, path.parent.parent.parent):
                _sync_directory(directory)
        except OSError as error:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise translate(error, "creating a segment") from error
        except BaseException:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        return segment

    @classmethod
    def adopt(cls, path: Path) -> "SegmentFile | None":
        """Take over a segment whose writer is gone.

        Returns: None while another process holds it.
        Raises: SegmentMissing: there is no such file.
        """
        try:
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except PermissionError:  # sealed, but its row was not told
                path.chmod(0o640)
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise SegmentMissing(f"segment {path.stem}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return cls(path, descriptor, 0)

    @property
    def descriptor(self) -> int:
        """The open file, for reading back."""
        return self._descriptor

    def file_length(self) -> int:
        """Current length of the file, bytes."""
        return os.fstat(self._descriptor).st_size

    # -- space ahead ----------------------------------------------------------------------------------------------

    @property
    def is_prepared(self) -> bool:
        """Whether members can be written where zeros lie already."""
        return self.prepared - self.end >= _PREPARED_MIN_BYTES

    def prepare(self, length: int) -> None:
        """Write so many zeros behind what is there, durably. Not while a member is under way.

        A member written over them changes neither the length nor the blocks of the file, so that its flush is one write to the
        device instead of several. To a reader zeros are the end of the archive; ``rollback`` and ``seal`` cut them off.

        Raises: VolumeFull, WriteFailed: nothing is prepared.
        """
        try:
            position = max(self.end, self.prepared)
            stop = position + length
            while position < stop:
                position += os.pwrite(self._descriptor, _ZEROS[: stop - position], position)
            os.fdatasync(self._descriptor)
        except OSError as error:
            self.unprepare()
            raise translate(error, "preparing a segment") from error
        self.prepared = position

    def unprepare(self) -> None:
        """Give the space ahead back.

        Raises: WriteFailed.
        """
        self.prepared = 0
        try:
            if self.file_length() > self.end:
                os.ftruncate(self._descriptor, self.end)
        except OSError as error:
            self.broken = True
            raise translate(error, "truncating a segment") from error

    # -- one member -----------------------------------------------------------------------------------------------

    def begin(self, *head: bytes | memoryview) -> int:
        """Start a member with its first bytes; its headers stay a hole for now.

        Returns: Offset of the content.
        """
        content = self.end + tar.HEADER_BYTES
        self._position = self._written_back = self.end
        self._write((_HOLE, *head))
        return content

    def write(self, data: bytes | memoryview) -> None:
        """Append content bytes to the member that was begun."""
        self._write((data,))

    def write_back(self) -> None:
        """Have the kernel begin to write the member under way to the device, so that ``sync`` finds less to wait for.

        Promises nothing; what goes wrong is told by ``sync``.
        """
        # from the page after the headers, which are written once more
        start = max(self._written_back, (self.end + tar.HEADER_BYTES & -_PAGE) + _PAGE)
        length = self._position - start
        if length >= _WRITE_BACK_BYTES:
            self._written_back = self._position
            _sync_file_range(self._descriptor, start, length, _SYNC_FILE_RANGE_WRITE)

    def _write(self, parts: tuple[bytes | memoryview, ...]) -> None:
        total = sum(len(part) for part in parts)
        try:
            written = os.pwritev(self._descriptor, parts, self._position)
            self._position += written
            if written != total:
                rest = memoryview(b"".join(parts))[written:]
                while rest:
                    count = os.pwrite(self._descriptor, rest, self._position)
                    self._position += count
                    rest = rest[count:]
        except OSError as error:
            raise translate(error, "writing a segment") from error

    def finish(self, *, name: str, mtime_s: int, comment: dict[str, Any]) -> int:
        """Write the headers: the member exists from now on (and is durable after ``sync``).

        Its padding is a hole before the next member; sealing makes sure that the last one has it too.

        Returns: Size of the content, bytes.
        """
        size = self._position - self.end - tar.HEADER_BYTES
        blocks = tar.encode_header(
            tar.MemberHeader(name=name, size=size, mtime_s=mtime_s, comment=comment)
        )
        self._position += tar.padding(size)
        try:
            os.pwrite(self._descriptor, blocks, self.end)
        except OSError as error:
            raise translate(error, "writing a segment") from error
        return size

    def accept(self) -> None:
        """Keep the finished member: the next one goes after it."""
        self.end = self._position
        self.last_used_s = time.monotonic()

    def rollback(self) -> None:
        """Cut off the member that was begun; headers first, so that no reader can take it for whole."""
        try:
            if self._position > self.end:
                self.unprepare()
        finally:
            self._position = self.end

    def take_back(self, content_offset: int) -> None:
        """Cut off the finished member whose content begins there, and all behind it.

        Raises: WriteFailed.
        """
        self.end = content_offset - tar.HEADER_BYTES
        self.rollback()

    def void(self, content_offset: int, *, name: str, size: int) -> None:
        """Give a finished member that others follow headers that say that it is nothing. Its name changes, its bytes stay.

        Until the next ``sync`` what lies behind it cannot be relied on.

        Raises: VolumeFull, WriteFailed.
        """
        blocks = tar.encode_header(
            tar.MemberHeader(
                name=name, size=size, mtime_s=int(time.time()), comment={"kind": "void"}
            )
        )
        try:
            os.pwrite(self._descriptor, blocks, content_offset - tar.HEADER_BYTES)
        except OSError as error:
            self.broken = True
            raise translate(error, "writing a segment") from error

    def sync(self) -> None:
        """Flush. After a failure the segment is broken: it takes no further member (the kernel may have dropped pages).

        Raises: WriteFailed.
        """
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            self.broken = True
            raise WriteFailed(f"flushing a segment: {error.strerror}") from error

    def append_whole(self, name: str, content: bytes, comment: dict[str, Any]) -> int:
        """Append a small member of ours in one go (not flushed). Returns: offset of its content."""
        offset = self.begin(content)
        self.finish(name=name, mtime_s=int(time.time()), comment=comment)
        self.accept()
        return offset

    # -- whole segment ----------------------------------------------------------------------------------------------

    def scan(self) -> Iterator[ScannedMember]:
        """Whole members from the start."""
        return scan(self._descriptor, length=self.file_length())

    def cut(self, end: int) -> None:
        """Drop everything after ``end`` (what a dead writer left half)."""
        try:
            if self.file_length() > end:
                os.ftruncate(self._descriptor, end)
        except OSError as error:
            self.broken = True
            raise translate(error, "truncating a segment") from error
        self.end = self._position = end

    def close_sealed(self, end: int) -> int:
        """Let go of a segment that has its manifest already; what its writer may have left undone after it is done.

        Args:
            end: Offset after the manifest.
        Returns: Length of the file, bytes.
        Raises: VolumeFull, WriteFailed.
        """
        length = end + len(tar.END_OF_ARCHIVE)
        try:
            if self.file_length() != length:
                os.pwrite(self._descriptor, tar.END_OF_ARCHIVE, end)
                os.ftruncate(self._descriptor, length)
        except OSError as error:
            raise translate(error, "sealing a segment") from error
        self.sync()
        os.fchmod(self._descriptor, 0o440)
        self.close()
        return length

    def seal(self) -> int:
        """Write the manifest and the end of the archive; flush; make the file read-only.

        Returns: Length of the segment, bytes.
        """
        self.unprepare()
        self.append_whole(MANIFEST_NAME, "".join(self.entries).encode(), {"kind": "manifest"})
        try:
            os.pwrite(self._descriptor, tar.END_OF_ARCHIVE, self.end)
        except OSError as error:
            raise translate(error, "sealing a segment") from error
        self.sync()
        os.fchmod(self._descriptor, 0o440)
        return self.end + len(tar.END_OF_ARCHIVE)

    def close(self) -> None:
        """Let go of the file and of its lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
