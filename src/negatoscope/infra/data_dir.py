"""The data directory itself."""

import os
from pathlib import Path
from typing import Final

MIN_FREE_BYTES: Final = 64 << 20
"""Four segments of PostgreSQL's log."""


def make(path: Path) -> None:
    """Make the data directory unless it is there.

    Others may pass through it, the database server's account among them, and see nothing of it:
    what lies inside is made for our account and its group.

    Raises:
        OSError: it cannot be made.
    """
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o711)  # whatever the umask


def free_bytes(path: Path) -> int:
    """Bytes that the data directory, and with it an embedded PostgreSQL, may still take.

    Raises: OSError: the directory is not there.
    """
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def has_room(path: Path) -> bool:
    """True while the database can work: below ``MIN_FREE_BYTES`` its next write may fail."""
    try:
        return free_bytes(path) >= MIN_FREE_BYTES
    except OSError:
        return False
