"""What can be wrong with a DICOM file before its data set.

    Part10Error
    ├── NotPart10              no preamble and DICM prefix
    ├── BadFileMeta            an element of group 0002 that cannot be
    │   ├── BadGroupLength
    │   ├── BadUid
    │   └── MissingTransferSyntax
    ├── FileMetaTooLong
    ├── TruncatedFileMeta
    └── DicomdirError          a directory that leads out of its medium, or nowhere

All are the file's fault; messages carry no value of it.
"""


class Part10Error(Exception):
    """Base of everything that reading a file's head raises.

    Attributes:
        reason: What is wrong, for a log and for an answer.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class NotPart10(Part10Error):
    """The file does not begin with 128 bytes and `DICM` (PS3.10 §7.1)."""


class BadFileMeta(Part10Error):
    """File Meta Information that is not explicit VR little endian elements (PS3.10 §7.1)."""


class BadGroupLength(BadFileMeta):
    """(0002,0000) does not say where group 0002 ends."""


class BadUid(BadFileMeta):
    """A UID of the File Meta Information is not one (PS3.5 §9.1)."""


class MissingTransferSyntax(BadFileMeta):
    """(0002,0010) is absent or empty, so the data set cannot be read."""


class FileMetaTooLong(Part10Error):
    """File Meta Information beyond what any file needs."""


class TruncatedFileMeta(Part10Error):
    """The file ends inside its File Meta Information."""


class DicomdirError(Part10Error):
    """A DICOMDIR that cannot be followed."""
