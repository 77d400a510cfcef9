"""Data sets (PS3.5): scanned as they arrive, decoded to and encoded from DICOM JSON."""

from negatoscope.protocols.dicom.dataset.decode import DicomJson, decode
from negatoscope.protocols.dicom.dataset.encode import encode
from negatoscope.protocols.dicom.dataset.errors import (
    BadElement,
    DataSetError,
    InflateBomb,
    LimitExceeded,
    NestingTooDeep,
    NotEncodable,
    TooManyElements,
    TooManyFragments,
    TooManyItems,
    TruncatedDataSet,
    ValueNotFound,
)
from negatoscope.protocols.dicom.dataset.index_tags import INDEX_TAGS
from negatoscope.protocols.dicom.dataset.inflate import inflate
from negatoscope.protocols.dicom.dataset.layout import FrameIndex, PixelDataLayout
from negatoscope.protocols.dicom.dataset.limits import ScanLimits
from negatoscope.protocols.dicom.dataset.locate import read_value
from negatoscope.protocols.dicom.dataset.result import RawValue, ScanResult
from negatoscope.protocols.dicom.dataset.scanner import DataSetScanner
from negatoscope.protocols.dicom.dataset.sparse import Located, SparseReader, parse_path

__all__ = [
    "INDEX_TAGS",
    "BadElement",
    "DataSetError",
    "DataSetScanner",
    "DicomJson",
    "FrameIndex",
    "InflateBomb",
    "LimitExceeded",
    "Located",
    "NestingTooDeep",
    "NotEncodable",
    "PixelDataLayout",
    "RawValue",
    "ScanLimits",
    "ScanResult",
    "SparseReader",
    "TooManyElements",
    "TooManyFragments",
    "TooManyItems",
    "TruncatedDataSet",
    "ValueNotFound",
    "decode",
    "encode",
    "inflate",
    "parse_path",
    "read_value",
]
