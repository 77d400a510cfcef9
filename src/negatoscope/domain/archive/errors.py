"""What the archive refuses or cannot do, and what each wire answers.

ArchiveError
├── IngestError            an object was not taken; nothing of it is kept
│   ├── CannotUnderstand       C0xx: the data set cannot be read, one code per cause
│   ├── DataSetMismatch        A900: data set and command (or class) disagree
│   ├── InvalidInstance        0117: a UID is missing or is none
│   └── OutOfResources         A700: no space, no database, a failing disk; the same object may be sent again
├── InvalidCursor          of a page of the list of studies: not one of ours
├── IndexUnavailable       the index could not be asked; ``outcome_unknown`` when a commit may have happened
└── RetrieveError          a stored object or a frame of it cannot be given back
    ├── ObjectMissing          the index knows it, no segment holds it
    ├── ObjectCorrupt          its bytes are not those that were received
    ├── ObjectUnreadable       the disk fails
    ├── FramesUnavailable      it has no frames, or none that can be cut out
    └── FrameNotFound          fewer frames than the number asked for

The C0xx codes are ours (PS3.4 Table B.2-1 leaves Cxxx to the implementation) and published in the conformance statement.
"""

from enum import IntEnum


class ArchiveError(Exception):
    """Base of all errors of the archive."""


class CannotUnderstandCode(IntEnum):
    """Why a data set could not be understood."""

    UNREADABLE = 0xC000
    TRUNCATED = 0xC001
    LIMIT_EXCEEDED = 0xC002
    INFLATE_LIMIT = 0xC003
    NOT_PART10 = 0xC004
    UNIDENTIFIED = 0xC005


CANNOT_UNDERSTAND_MEANING = {
    CannotUnderstandCode.UNREADABLE: "The data set cannot be parsed in its transfer syntax",
    CannotUnderstandCode.TRUNCATED: "An element is longer than what was received",
    CannotUnderstandCode.LIMIT_EXCEEDED: "Too many elements or items, or sequences nested too deep",
    CannotUnderstandCode.INFLATE_LIMIT: "A deflated data set expands beyond size or ratio limits",
    CannotUnderstandCode.NOT_PART10: "Not a Part 10 file: no preamble or no usable meta information",
    CannotUnderstandCode.UNIDENTIFIED: "Study or Series Instance UID is missing or malformed",
}


class IngestError(ArchiveError):
    """An object was not taken.

    Attributes:
        dimse_status: For C-STORE-RSP (0000,0900).
        http_status: For the STOW-RS item.
        error_comment: For (0000,0902), at most 64 characters, no patient data.
    """

    http_status = 409

    def __init__(self, dimse_status: int, comment: str) -> None:
        super().__init__(comment)
        self.dimse_status = dimse_status
        self.error_comment = comment[:64]


class CannotUnderstand(IngestError):
    """The data set cannot be read."""

    def __init__(self, code: CannotUnderstandCode, comment: str) -> None:
        super().__init__(int(code), comment)


class DataSetMismatch(IngestError):
    """Data set and command disagree (PS3.4 §B.2.3, A900)."""

    def __init__(self, comment: str) -> None:
        super().__init__(0xA900, comment)


class InvalidInstance(IngestError):
    """A UID is missing or malformed (PS3.7 §C.5.6, 0117H)."""

    def __init__(self, comment: str) -> None:
        super().__init__(0x0117, comment)


class OutOfResources(IngestError):
    """No space, no database or a failing device (PS3.4 §B.2.3, A700)."""

    http_status = 503

    def __init__(self, comment: str) -> None:
        super().__init__(0xA700, comment)


class InvalidCursor(ArchiveError):
    """A cursor that the list did not give, or that belongs to another order."""


class IndexUnavailable(ArchiveError):
    """The index could not be asked.

    Attributes:
        outcome_unknown: True when the transaction may have committed.
    """

    def __init__(self, message: str, *, outcome_unknown: bool) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown


class RetrieveError(ArchiveError):
    """A stored object cannot be given back.

    Attributes:
        sop_instance_uid: Which.
        http_status: For WADO-RS.
    """

    http_status = 500

    def __init__(self, sop_instance_uid: str, reason: str) -> None:
        super().__init__(f"{sop_instance_uid}: {reason}")
        self.sop_instance_uid = sop_instance_uid


class ObjectMissing(RetrieveError):
    """The index knows the object, no segment holds it."""


class ObjectCorrupt(RetrieveError):
    """The stored bytes are not those that were received."""


class ObjectUnreadable(RetrieveError):
    """The disk fails."""

    http_status = 503


class FramesUnavailable(RetrieveError):
    """The object has no frames, or none that can be cut out of its pixel data."""

    http_status = 404


class FrameNotFound(RetrieveError):
    """The object has fewer frames.

    Attributes:
        number: The frame asked for, from 1.
    """

    http_status = 404

    def __init__(self, sop_instance_uid: str, number: int, number_of_frames: int) -> None:
        super().__init__(sop_instance_uid, f"no frame {number}, there are {number_of_frames}")
        self.number = number
