"""A real archive on a temporary volume, and data sets to put into it."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from negatoscope.domain.archive import Archive, ArchiveSettings, Outcome, Source, SourceKind, Volume
from negatoscope.infra.db import Database
from negatoscope.kit.uid import new_uid

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


def encode(dataset: Dataset) -> bytes:
    """The bytes of a data set, explicit VR little endian."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, dataset)
    return bytes(buffer.getvalue())


def ct(**changes: Any) -> Dataset:
    """A small CT image; keywords replace attributes, ``None`` leaves one out."""
    dataset = Dataset()
    values: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 100",
        "SOPClassUID": CT,
        "SOPInstanceUID": new_uid(),
        "StudyDate": "20240105",
        "StudyTime": "101500",
        "AccessionNumber": "A1",
        "Modality": "CT",
        "StudyDescription": "Scanner thoracique",
        "PatientName": "Lefèvre^Zoé",
        "PatientID": "P1",
        "PatientBirthDate": "19700203",
        "PatientSex": "F",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.1",
        "StudyID": "S1",
        "SeriesNumber": 1,
        "InstanceNumber": 1,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": 8,
        "Columns": 8,
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        **changes,
    }
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.add_new(0x7FE00010, "OW", bytes(range(128)))
    return dataset


class Node:
    """An archive and short ways to use it."""

    def __init__(self, database: Database, path: Path, **settings: Any) -> None:
        self.database = database
        self.volume = Volume(name="main", path=path, low_watermark_bytes=0)
        self.settings = ArchiveSettings(**settings)
        self.archive = self.open()

    def open(self, *, recover: bool = True) -> Archive:
        """One more archive on the same volume, as another process would have it."""
        return Archive(
            database=self.database, volumes=[self.volume], settings=self.settings, recover=recover
        )

    def store(
        self, dataset: Dataset | bytes, *, archive: Archive | None = None, **announced: str
    ) -> Outcome:
        """Through the C-STORE door, in pieces."""
        data = dataset if isinstance(dataset, bytes) else encode(dataset)
        names = {"sop_class_uid": CT, "transfer_syntax_uid": EXPLICIT, **announced}
        if isinstance(dataset, Dataset):
            names.setdefault("sop_instance_uid", str(dataset.SOPInstanceUID))
        source = Source(kind=SourceKind.DIMSE, calling_ae_title="CT1", peer="127.0.0.1")
        with (archive or self.archive).open_session(source) as session:
            ingest = session.begin(**names)
            stream = io.BytesIO(data)
            while piece := stream.read(97):
                ingest.write(piece)
            return ingest.commit()

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Straight from the index."""
        with self.database.connection() as connection:
            return connection.execute(sql, values).fetchall()

    def read(self, sop_instance_uid: str) -> bytes:
        """The data set as it lies in its segment."""
        ((name, offset, size, dso),) = self.rows(
            "SELECT g.name, segment_offset, size, data_set_offset FROM instance i "
            "JOIN segment g ON g.id = i.segment_fk WHERE sop_instance_uid = %s",
            sop_instance_uid,
        )
        with self.volume.segment_path(name).open("rb") as segment:
            segment.seek(offset + dso)
            return segment.read(size - dso)


@pytest.fixture
def node(database: Database, tmp_path: Path) -> Iterator[Node]:
    """An archive on an empty volume."""
    made = Node(database, tmp_path / "main")
    yield made
    made.archive.close()


@pytest.fixture
def prepared_node(database: Database, tmp_path: Path) -> Node:
    """One whose segments are prepared; to be closed, or to crash."""
    made = Node(
        database, tmp_path / "main", prepared_segments=2, prepared_bytes=2 << 20, prepare_after_s=0
    )
    made.archive.pool.prepare()
    return made


@pytest.fixture
def make_ct() -> Callable[..., Dataset]:
    """Data sets of small CT images."""
    return ct


@pytest.fixture
def as_bytes() -> Callable[[Dataset], bytes]:
    """Their bytes."""
    return encode
