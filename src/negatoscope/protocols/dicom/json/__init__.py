"""DICOM JSON as bytes (PS3.18 Annex F): one data set, an array of them, an array as it grows."""

from negatoscope.protocols.dicom.json.errors import BadDicomJson, DicomJsonError
from negatoscope.protocols.dicom.json.text import (
    MEDIA_TYPE,
    ArrayWriter,
    dump_array,
    dump_data_set,
    in_unicode,
    parse_data_sets,
)

__all__ = [
    "MEDIA_TYPE",
    "ArrayWriter",
    "BadDicomJson",
    "DicomJsonError",
    "dump_array",
    "dump_data_set",
    "in_unicode",
    "parse_data_sets",
]
