"""What can go wrong on an association, as its user sees it.

DimseError
├── AssociationError           the association cannot go on
│   ├── AssociationRejected    the peer (or its provider) refused it
│   ├── AssociationAborted     A-ABORT, ours or the peer's
│   ├── AssociationTimeout     a deadline passed; the association is aborted
│   └── ConnectionLost         the transport broke
├── InvalidCommandSet          group 0000 that cannot be read
├── UnexpectedMessage          a well-formed message nobody waits for
├── NoPresentationContext      nothing accepted fits what is to be sent
└── DataSetTooLarge            more bytes than the reader allowed
"""


class DimseError(Exception):
    """Base of every error of this package."""


class AssociationError(DimseError):
    """The association is over or never was."""


class AssociationRejected(AssociationError):
    """A-ASSOCIATE-RJ (PS3.8 Table 9-21)."""

    def __init__(self, result: int, source: int, reason: int) -> None:
        kind = "transient" if result == 2 else "permanent"
        super().__init__(f"association rejected: {kind}, source {source}, reason {reason}")
        self.result = result
        self.source = source
        self.reason = reason

    @property
    def is_transient(self) -> bool:
        """Whether trying again later makes sense."""
        return self.result == 2


class AssociationAborted(AssociationError):
    """A-ABORT. ``by_peer`` tells whose."""

    def __init__(self, message: str, *, source: int, reason: int, by_peer: bool) -> None:
        super().__init__(message)
        self.source = source
        self.reason = reason
        self.by_peer = by_peer


class AssociationTimeout(AssociationError):
    """A deadline passed: ``what`` names it (connect, artim, dimse, message, idle, send)."""

    def __init__(self, what: str, timeout_s: float) -> None:
        super().__init__(f"{what} timeout of {timeout_s:g} s passed")
        self.what = what
        self.timeout_s = timeout_s


class ConnectionLost(AssociationError):
    """The transport connection closed or broke without release or abort."""


class InvalidCommandSet(DimseError):
    """A command set that contradicts PS3.7 §6.3.1 or Annex E."""


class UnexpectedMessage(DimseError):
    """A message that does not answer ours, or answers it out of order."""


class NoPresentationContext(DimseError):
    """No accepted presentation context fits."""


class DataSetTooLarge(DimseError):
    """A data set exceeds the limit its reader gave."""
