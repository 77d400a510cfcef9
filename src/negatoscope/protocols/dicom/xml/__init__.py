"""The Native DICOM Model (PS3.19 §A.1): XML to and from the DICOM JSON model."""

from negatoscope.protocols.dicom.xml.errors import BadNativeModel, DicomXmlError
from negatoscope.protocols.dicom.xml.reading import parse_native_model
from negatoscope.protocols.dicom.xml.writing import MEDIA_TYPE, dump_native_model

__all__ = [
    "MEDIA_TYPE",
    "BadNativeModel",
    "DicomXmlError",
    "dump_native_model",
    "parse_native_model",
]
