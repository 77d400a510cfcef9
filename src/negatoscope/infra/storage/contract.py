"""What a volume promises, in words, and the values that cross its border.

A *volume* is a place that holds *segments*. A segment is a POSIX TAR file (pax interchange format) whose members are DICOM
Part 10 files. One writer holds a segment at a time (``flock`` on its file); a sealed segment is immutable.

A driver must:

- append a member so that a crash at any instant leaves either a whole member or none that a reader would take for one;
- make everything appended so far survive a power cut when ``sync`` returns, and never report success after a failed flush;
- read any range of a member while others are appended;
- refuse to write below the volume's watermark (``VolumeFull``), and never delete to make room.

It need not rename, overwrite or list quickly.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from negatoscope.infra.storage.errors import VolumeFull


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A directory that holds segments.

    Attributes:
        name: Stable name, written in the index beside each segment.
        path: The directory; segments lie in ``segments/`` below it.
        low_watermark_bytes: Free bytes below which nothing more is written.
    """

    name: str
    path: Path
    low_watermark_bytes: int = 1 << 30

    def segment_path(self, segment_name: str) -> Path:
        """Where the file of a segment lies; a folder per twelve days keeps directories small."""
        return self.path / "segments" / segment_name[:4] / f"{segment_name}.tar"

    def free_bytes(self) -> int:
        """Bytes an unprivileged writer may still take; -1 when no file can be made (no inode left).

        Raises: OSError: the volume is not there.
        """
        status = os.statvfs(self.path)
        if status.f_files and not status.f_favail:
            return -1
        return status.f_bavail * status.f_frsize

    def has_room(self) -> bool:
        """True when the volume is there, writable and above its watermark."""
        try:
            return self.free_bytes() >= self.low_watermark_bytes and os.access(self.path, os.W_OK)
        except OSError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMember:
    """Where a member was written.

    Attributes:
        segment_id: Row of the segment.
        offset: Of the member's content inside the segment, bytes.
        size: Of the content, bytes.
    """

    segment_id: int
    offset: int
    size: int


def choose_volume(volumes: tuple[Volume, ...]) -> Volume:
    """The first volume, in the administrator's order, that has room.

    Raises: VolumeFull: none has.
    """
    for volume in volumes:
        if volume.has_room():
            return volume
    raise VolumeFull("no volume has free space above its watermark")
