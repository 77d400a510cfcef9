"""DICOM files (PS3.10): the preamble and File Meta Information before a data set, and DICOMDIR."""

from negatoscope.protocols.dicom.part10.errors import (
    BadFileMeta,
    BadGroupLength,
    BadUid,
    FileMetaTooLong,
    MissingTransferSyntax,
    NotPart10,
    Part10Error,
    TruncatedFileMeta,
)
from negatoscope.protocols.dicom.part10.file_meta import (
    FileMeta,
    Part10Reader,
    encode_file_meta,
    read_file_meta,
)
from negatoscope.protocols.dicom.part10.guess import guess_file_meta

__all__ = [
    "BadFileMeta",
    "BadGroupLength",
    "BadUid",
    "FileMeta",
    "FileMetaTooLong",
    "MissingTransferSyntax",
    "NotPart10",
    "Part10Error",
    "Part10Reader",
    "TruncatedFileMeta",
    "encode_file_meta",
    "guess_file_meta",
    "read_file_meta",
]
