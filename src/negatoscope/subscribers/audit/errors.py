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


class SearchTooBroad(AuditError):
    """A search takes too long."""

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"the search took longer than {seconds} s",
            hint="narrow it by a time span, a patient, a user or a study.",
        )


class BadCursor(AuditError):
    """A page was asked for by something that no page ended with."""

    def __init__(self) -> None:
        super().__init__("this is not the end of a page", hint="begin again with the first page.")
