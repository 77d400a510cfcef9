"""An archive to import into, and small DICOM files."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite

from negatoscope.domain.archive import Archive, ArchiveSettings, Volume
from negatoscope.infra.db import Database
from negatoscope.kit.uid import new_uid


@pytest.fixture
def archive(database: Database, tmp_path: Path) -> Iterator[Archive]:
    """An empty archive."""
    opened = Archive(
        database=database,
        volumes=[Volume(name="main", path=tmp_path / "volume", low_watermark_bytes=0)],
        settings=ArchiveSettings(),
    )
    yield opened
    opened.close()


@pytest.fixture
def dicom_file() -> Callable[..., bytes]:
    """Makes a DICOM file of a small image; keywords set its attributes."""

    def make(**values: Any) -> bytes:
        data_set = Dataset()
        attributes = {
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7",
            "SOPInstanceUID": new_uid(),
            "StudyInstanceUID": "1.2.3.4",
            "SeriesInstanceUID": "1.2.3.4.5",
            "PatientID": "P1",
            "PatientName": "ESSAI^Import",
            "Modality": "OT",
            "Rows": 4,
            "Columns": 4,
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": 8,
            "BitsStored": 8,
            "HighBit": 7,
            "PixelRepresentation": 0,
            "PixelData": bytes(16),
            **values,
        }
        for keyword, value in attributes.items():
            setattr(data_set, keyword, value)
        data_set["PixelData"].VR = "OB"
        data_set.file_meta = FileMetaDataset()
        data_set.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        buffer = BytesIO()
        dcmwrite(buffer, data_set, enforce_file_format=True)
        return buffer.getvalue()

    return make
