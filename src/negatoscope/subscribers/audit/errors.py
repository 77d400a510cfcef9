"""What goes wrong with the trail."""

from pathlib import Path


class AuditError(Exception):
    """Base of all.

    Args:
        message: What happened.
        hint: What to try.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class AnchorsUnreadable(AuditError):
    """A file of anchors has a line that is none."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__(
            f"{path.name} line {line} is not an anchor",
            hint="was the file cut or edited? compare it with what the audit repository has.",
        )


class SinkUnavailable(AuditError):
    """An audit repository does not take messages."""
