"""Series metadata: built from headers, kept as one gzip stream, read back in one read."""

import gzip
import json
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from negatoscope.domain.archive.bulk_data import find_bulk_data
from negatoscope.domain.archive.metadata import SeriesMetadata
from negatoscope.domain.archive.retrieve import Retrieval, Selection
from negatoscope.infra.storage import tar

BASE = "http://127.0.0.1:8080/dicom-web"
CT = "1.2.840.10008.5.1.4.1.1.2"


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    """Explicit VR little endian (PS3.5 §7.1.2)."""
    value += (b"\0" if vr in (b"UI", b"OB", b"OW") else b" ") * (len(value) % 2)
    group, number = tag >> 16, tag & 0xFFFF
    if vr in (b"OB", b"OW", b"SQ", b"UN"):
        return struct.pack("<HH2sHI", group, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def header(uid: str, *, overlay: bytes = b"") -> bytes:
    data_set = (
        element(0x00080016, b"UI", CT.encode())
        + element(0x00080018, b"UI", uid.encode())
        + element(0x0020000D, b"UI", b"1.1")
        + element(0x0020000E, b"UI", b"1.1.1")
    )
    return data_set + (element(0x60003000, b"OW", overlay) if overlay else b"")


def image(small_archive: Any, series: int, number: int, *, overlay: bytes = b"") -> None:
    head = header(f"1.1.1.{number}", overlay=overlay)
    pixels = element(0x7FE00010, b"OW", bytes(8))
    small_archive.instance(
        series,
        f"1.1.1.{number}",
        data_set=head + pixels,
        number=number,
        pixel_offset=len(small_archive.META) + len(head) + 12,
        frame_length=4,
        number_of_frames=2,
    )


@pytest.fixture
def series(small_archive: Any) -> int:
    """Three images of two frames."""
    made = small_archive.series(small_archive.study("1.1"), "1.1.1")
    for number in (2, 3, 1):
        image(small_archive, made, number)
    return int(made)


@pytest.fixture
def append_member(small_archive: Any) -> Callable[[str, bytes, dict[str, Any]], Any]:
    def append(name: str, content: bytes, comment: dict[str, Any]) -> tuple[int, int, int]:
        assert name.endswith(".json.gz")
        assert comment["kind"] == "metadata"
        return small_archive.segment, small_archive.append(content), len(content)

    return append


def key(retrieval: Retrieval) -> Any:
    return retrieval.series(Selection(study=("1.1",)))[0]


def read(metadata: SeriesMetadata, retrieval: Retrieval, base: str = BASE) -> Any:
    keys = retrieval.series(Selection(study=("1.1",)))
    return json.loads(b"".join(metadata.pieces(keys, base=base)))


def uids(entries: Any) -> list[str]:
    return [entry["00080018"]["Value"][0] for entry in entries]


def test_before_settling_they_come_from_the_headers(series: int, retrieval: Retrieval) -> None:
    metadata = SeriesMetadata(retrieval, base=BASE)
    entries = read(metadata, retrieval)
    assert uids(entries) == ["1.1.1.1", "1.1.1.2", "1.1.1.3"]
    assert entries[0]["7FE00010"] == {
        "vr": "OW",
        "BulkDataURI": f"{BASE}/studies/1.1/series/1.1.1/instances/1.1.1.1/bulkdata/7FE00010",
    }
    assert metadata.gzipped(key(retrieval), base=BASE) is None


def test_settled_they_are_one_gzip_stream(
    series: int, retrieval: Retrieval, append_member: Any
) -> None:
    metadata = SeriesMetadata(retrieval, base=BASE)
    before = read(metadata, retrieval)
    assert metadata.write(series, append_member)
    stream = metadata.gzipped(key(retrieval), base=BASE)
    assert stream is not None
    assert json.loads(gzip.decompress(stream)) == before
    inflate = zlib.decompressobj(wbits=31)
    inflate.decompress(stream)
    assert inflate.eof
    assert not inflate.unused_data
    assert read(metadata, retrieval) == before


def test_another_address_is_put_in(series: int, retrieval: Retrieval, append_member: Any) -> None:
    metadata = SeriesMetadata(retrieval)
    metadata.write(series, append_member)
    assert metadata.gzipped(key(retrieval), base=BASE) is None
    for base in (BASE, "https://pacs.example/dicom-web"):
        uri = read(metadata, retrieval, base)[1]["7FE00010"]["BulkDataURI"]
        assert uri == f"{base}/studies/1.1/series/1.1.1/instances/1.1.1.2/bulkdata/7FE00010"


def test_frame_locations_lie_beside(
    small_archive: Any, series: int, retrieval: Retrieval, append_member: Any
) -> None:
    metadata = SeriesMetadata(retrieval)
    assert metadata.frame_locations(key(retrieval)) is None
    metadata.write(series, append_member)
    locations = metadata.frame_locations(key(retrieval))
    stored = retrieval.find("1.1.1.1")
    assert stored is not None
    assert locations is not None
    assert locations["1.1.1.1"] == [stored.pixel_offset, 4, 2]
    assert sorted(locations) == ["1.1.1.1", "1.1.1.2", "1.1.1.3"]


def test_a_series_that_changes_meanwhile_keeps_none(
    small_archive: Any, series: int, retrieval: Retrieval, append_member: Any
) -> None:
    """What was written counts as dead; the headers answer."""

    def append_late(name: str, content: bytes, comment: dict[str, Any]) -> tuple[int, int, int]:
        image(small_archive, series, 4)
        return append_member(name, content, comment)

    metadata = SeriesMetadata(retrieval, base=BASE)
    assert not metadata.write(series, append_late)
    assert uids(read(metadata, retrieval))[-1] == "1.1.1.4"
    assert small_archive.one("SELECT dead_bytes FROM segment") > tar.HEADER_BYTES
    assert metadata.write(series, append_member)
    assert metadata.gzipped(key(retrieval), base=BASE) is not None
    assert not metadata.write(10**6, append_member)


def test_several_series_are_one_array(
    small_archive: Any, series: int, retrieval: Retrieval, append_member: Any
) -> None:
    """One settled, one not, one whose metadata are gone from the disk, one empty."""
    study = small_archive.one("SELECT study_fk FROM series")
    second = small_archive.series(study, "1.1.2", 5)
    image(small_archive, second, 8)
    lost = small_archive.series(study, "1.1.3", 6)
    image(small_archive, lost, 9)
    small_archive.series(study, "1.1.4", 7)
    metadata = SeriesMetadata(retrieval)
    metadata.write(series, append_member)
    metadata.write(lost, append_member)
    small_archive.execute("UPDATE series SET metadata_offset = 0 WHERE id = %s", lost)
    assert uids(read(metadata, retrieval)) == [
        *("1.1.1.8", "1.1.1.9"),
        *("1.1.1.1", "1.1.1.2", "1.1.1.3"),
    ]


def test_an_unreadable_instance_is_told_by_its_uids(
    small_archive: Any, series: int, retrieval: Retrieval
) -> None:
    small_archive.execute(
        "UPDATE instance SET segment_offset = 7 WHERE sop_instance_uid = '1.1.1.2'"
    )
    entries = read(SeriesMetadata(retrieval), retrieval)
    assert uids(entries) == ["1.1.1.1", "1.1.1.2", "1.1.1.3"]
    assert entries[1]["00080016"]["Value"] == [CT]
    assert "7FE00010" not in entries[1]


def test_bulk_data_are_found_by_the_path_of_their_uri(
    small_archive: Any, retrieval: Retrieval
) -> None:
    made = small_archive.series(small_archive.study("1.1"), "1.1.1")
    overlay = bytes(range(256)) * 8
    image(small_archive, made, 1, overlay=overlay)
    entry = read(SeriesMetadata(retrieval, base=BASE), retrieval)[0]
    assert entry["60003000"]["BulkDataURI"].endswith("/instances/1.1.1.1/bulkdata/60003000")
    stored = retrieval.find("1.1.1.1")
    assert stored is not None
    with retrieval.open(stored) as member:
        for path, value in (("60003000", overlay), ("7FE00010", bytes(8))):
            found = find_bulk_data(member, path)
            assert found is not None
            assert b"".join(found.chunks(member)) == value
            assert b"".join(found.chunks(member, 3, 5)) == value[3:5]
        assert find_bulk_data(member, "60023000") is None
        assert find_bulk_data(member, "../../etc") is None


def test_an_empty_series_is_an_empty_array(
    small_archive: Any, retrieval: Retrieval, append_member: Any
) -> None:
    made = small_archive.series(small_archive.study("1.1"), "1.1.1")
    metadata = SeriesMetadata(retrieval, base=BASE)
    assert read(metadata, retrieval) == []
    metadata.write(made, append_member)
    stream = metadata.gzipped(key(retrieval), base=BASE)
    assert stream is not None
    assert json.loads(gzip.decompress(stream)) == []
    assert read(metadata, retrieval) == []


def test_two_thousand_images_of_a_real_scanner_come_in_pieces(
    small_archive: Any, append_member: Any, shared_data: Path
) -> None:
    """One read when settled; the budget is 100 ms, the test allows a busy machine ten times that."""
    path = shared_data / "ct" / "philips-ingenuity-phantom" / "I10"
    file = path.read_bytes()
    start = 144 + int.from_bytes(file[140:144], "little")
    head = file[start : file.index(b"\xe0\x7f\x10\x00OW", start) + 12]
    retrieval = Retrieval(small_archive.database, [small_archive.volume])
    made = small_archive.series(small_archive.study("1.1"), "1.1.1")
    small_archive.instance(
        made, "0", data_set=head, pixel_offset=len(small_archive.META) + len(head)
    )
    small_archive.execute(
        "INSERT INTO instance (series_fk, segment_fk, segment_offset, size, pixel_offset, "
        "data_set_offset, sop_class, transfer_syntax, instance_number, sop_instance_uid, sha256) "
        "SELECT series_fk, segment_fk, segment_offset, size, pixel_offset, data_set_offset, "
        "sop_class, transfer_syntax, n, n::text, sha256 FROM instance, generate_series(1, 1999) n"
    )
    metadata = SeriesMetadata(retrieval, base=BASE)
    metadata.write(made, append_member)
    started = time.perf_counter()
    stream = metadata.gzipped(key(retrieval), base=BASE)
    took_s = time.perf_counter() - started
    assert stream is not None
    assert took_s < 1
    pieces = list(metadata.pieces([key(retrieval)], base="https://pacs.example/dicom-web"))
    assert len(json.loads(b"".join(pieces))) == 2000
    assert len(pieces) > 2
