"""What can be wrong with DICOM JSON text.

DicomJsonError
└── BadDicomJson      not JSON, or JSON of another shape
"""


class DicomJsonError(Exception):
    """Base of everything that this package raises."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class BadDicomJson(DicomJsonError):
    """Text that is not the DICOM JSON model."""
