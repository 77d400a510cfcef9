"""Real objects, taken through the archive's door: bytes, frames and metadata against pydicom."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.encaps import generate_frames

from negatoscope.domain.archive import Archive, IngestError, Source, SourceKind, Volume
from negatoscope.domain.archive.errors import FramesUnavailable
from negatoscope.domain.archive.frames import read_frame
from negatoscope.domain.archive.metadata import SeriesMetadata
from negatoscope.domain.archive.retrieve import Retrieval, Selection
from negatoscope.infra.db import Database
from negatoscope.protocols.dicom.part10.errors import Part10Error

FOLDERS = (
    *("ct-enhanced", "cr-dx", "mg", "mr-enhanced", "nm", "op", "parametric-map", "pt", "seg"),
    *("sm", "us", "video", "xa", "transfer-syntaxes", "sr", "waveform", "pdf", "rt", "charsets"),
)
PIXELS = (0x7FE00010, 0x7FE00008, 0x7FE00009)


def data_set_bytes(file: bytes) -> bytes:
    return file[144 + int.from_bytes(file[140:144], "little") :]


@pytest.fixture
def taken(
    database: Database, tmp_path: Path, shared_data: Path
) -> Iterator[tuple[Retrieval, dict[str, bytes]]]:
    """Everything of the corpus that the archive takes, and the files by SOP Instance UID."""
    volume = Volume(name="main", path=tmp_path, low_watermark_bytes=0)
    archive = Archive(database=database, volumes=[volume])
    files: dict[str, bytes] = {}
    for path in sorted(p for folder in FOLDERS for p in (shared_data / folder).rglob("*")):
        if not path.is_file() or path.stat().st_size > 16 << 20:
            continue
        file = path.read_bytes()
        if file[128:132] != b"DICM":
            continue
        with archive.open_session(Source(kind=SourceKind.IMPORT)) as session:
            ingest = session.begin_part10()
            try:
                ingest.write(file)
                outcome = ingest.commit()
            except (IngestError, Part10Error):
                ingest.abort()
                continue
        files.setdefault(outcome.sop_instance_uid, file)
    archive.close()
    retrieval = Retrieval(database, [volume])
    yield retrieval, files
    retrieval.close()


def expected_frames(ds: Any, stored: Any) -> list[bytes]:
    """As pydicom cuts them; native ones by hand (PS3.5 §8.2)."""
    number = int(ds.get("NumberOfFrames", 1) or 1)
    if stored.frame_index is not None:
        return list(generate_frames(ds.PixelData, number_of_frames=number))
    pixels = next(ds[tag].value for tag in PIXELS if tag in ds)
    length = stored.frame_length
    return [pixels[at : at + length] for at in range(0, number * length, length)]


def test_data_sets_frames_and_metadata(taken: tuple[Retrieval, dict[str, bytes]]) -> None:
    """The data set byte for byte; every frame; metadata of the same attributes."""
    retrieval, files = taken
    frames_seen = several_fragments = 0
    metadata = SeriesMetadata(retrieval)
    for uid, file in files.items():
        stored = retrieval.find(uid)
        assert stored is not None
        with retrieval.open(stored) as member:
            assert b"".join(member.data_set()) == data_set_bytes(file), uid
            ds = pydicom.dcmread(pydicom.filebase.DicomBytesIO(file))
            if stored.number_of_frames and stored.pixel_offset is not None:
                try:
                    ranges = retrieval.frames(stored, range(1, stored.number_of_frames + 1))
                except FramesUnavailable:
                    ranges = []
                if (ranges and ranges[0].bit_length is None) or any(r.fragments for r in ranges):
                    got = [read_frame(member, frame) for frame in ranges]
                    assert got == expected_frames(ds, stored), uid
                    frames_seen += len(got)
                    several_fragments += sum(bool(frame.fragments) for frame in ranges)
        entry = json.loads(metadata.of_instance(stored, base="http://x"))
        tags = {f"{element.tag:08X}" for element in ds if element.tag.element != 0}
        tags = {key for key in tags if key <= "7FE00010"}  # what follows the pixels is left out
        missing = tags - set(entry)
        assert not missing, (uid, sorted(missing)[:5])
    assert len(files) > 100
    assert frames_seen > 200
    assert several_fragments > 0


def test_metadata_settle_to_the_same_array(taken: tuple[Retrieval, dict[str, bytes]]) -> None:
    retrieval, files = taken
    base = "http://127.0.0.1:8080/dicom-web"
    metadata = SeriesMetadata(retrieval, base=base)
    kept: list[bytes] = []

    def append_member(_name: str, content: bytes, _comment: dict[str, Any]) -> tuple[int, int, int]:
        kept.append(content)
        return 1, 0, len(content)

    for uid in list(files)[::7]:
        stored = retrieval.find(uid)
        assert stored is not None
        key = retrieval.series(Selection(series=(stored.series_instance_uid,)))[0]
        built = json.loads(b"".join(metadata.pieces([key], base=base)))
        assert metadata.write(key.id, append_member)
        written = retrieval.series_by_id(key.id)
        assert written is not None
        assert written.metadata is not None
        assert json.loads(gzip.decompress(kept.pop()[: written.metadata[2]])) == built
