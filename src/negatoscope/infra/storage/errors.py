"""What can go wrong with a volume; every lower-level OSError is mapped to one of these.

StorageError
├── VolumeFull        no volume may take another byte (watermark, ENOSPC, EDQUOT, EROFS, inodes)
├── WriteFailed       the device refused a write or a flush: the segment is abandoned
├── SegmentDamaged    bytes read back are not the bytes written
└── SegmentMissing    the segment's file is not where its row says
"""


class StorageError(Exception):
    """Base of all errors of this package."""


class VolumeFull(StorageError):
    """No volume has room above its watermark; nothing is deleted to make room."""


class WriteFailed(StorageError):
    """A write or flush failed; what it covered must not be acknowledged."""


class SegmentDamaged(StorageError):
    """A member's bytes or headers do not agree with its digest."""


class SegmentMissing(StorageError):
    """The file of a segment cannot be opened."""
