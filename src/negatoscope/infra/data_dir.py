"""The data directory itself."""

from pathlib import Path


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
