"""What can be wrong with a Native DICOM Model.

DicomXmlError
└── BadNativeModel      not XML, XML with a document type, or XML of another shape
"""


class DicomXmlError(Exception):
    """Base of everything that this package raises."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class BadNativeModel(DicomXmlError):
    """Text that is not the Native DICOM Model."""
