"""Finding stored objects, opening them, their frames; segments and rows written by the test."""

import os
import struct
import zlib
from array import array
from typing import Any

import pytest

from negatoscope.domain.archive.errors import (
    FrameNotFound,
    FramesUnavailable,
    ObjectCorrupt,
    ObjectMissing,
)
from negatoscope.domain.archive.frames import (
    FRAGMENTED,
    find_fragments,
    read_frame,
)
from negatoscope.domain.archive.retrieve import Retrieval, Selection
from negatoscope.infra.db import load_queries


def uids(retrieval: Retrieval, **keys: str | list[str]) -> list[str]:
    return [stored.sop_instance_uid for stored in retrieval.instances(**keys)]  # type: ignore[arg-type]


@pytest.fixture
def two_studies(small_archive: Any) -> Any:
    """Study 1.1: series 1.1.2 (number 1, seven images) and 1.1.1 (number 2); study 1.2."""
    first = small_archive.study("1.1")
    second = small_archive.study("1.2", "P2")
    late = small_archive.series(first, "1.1.1", 2)
    long = small_archive.series(first, "1.1.2", 1)
    other = small_archive.series(second, "1.2.1", 1)
    small_archive.instance(late, "1.1.1.1", number=1, sop_class="1.2.840.10008.5.1.4.1.1.4")
    for number in (5, 3, None, 4, 1, 2, None):
        small_archive.instance(long, f"1.1.2.{number or 'x' + os.urandom(2).hex()}", number=number)
    small_archive.instance(other, "1.2.1.1", number=1)
    return small_archive


def test_a_study_comes_by_series_number_then_instance_number_across_pages(
    two_studies: Any, retrieval: Retrieval
) -> None:
    """Also when a series is longer than a page; images without a number come last."""
    found = uids(retrieval, study="1.1")
    assert found[:5] == [f"1.1.2.{n}" for n in (1, 2, 3, 4, 5)]
    assert all(uid.startswith("1.1.2.x") for uid in found[5:7])
    assert found[7:] == ["1.1.1.1"]


def test_every_key_must_match_and_a_list_matches_any_of_its_values(
    two_studies: Any, retrieval: Retrieval
) -> None:
    assert uids(retrieval, patient="P2") == ["1.2.1.1"]
    assert uids(retrieval, patient=["P1", "P2"], series=["1.2.1", "1.1.1"]) == [
        "1.1.1.1",
        "1.2.1.1",
    ]
    assert uids(retrieval, study="1.2", series="1.1.1") == []
    assert uids(retrieval, sop=["1.1.2.2", "1.1.2.1", "9.9"]) == ["1.1.2.1", "1.1.2.2"]
    assert uids(retrieval, study="1.2", sop="1.1.2.2") == []
    assert uids(retrieval) == []


def test_kinds_count_what_will_be_sent(two_studies: Any, retrieval: Retrieval) -> None:
    kinds = retrieval.kinds(Selection(study=("1.1",)))
    assert [(kind.sop_class_uid, kind.instance_count) for kind in kinds] == [
        ("1.2.840.10008.5.1.4.1.1.2", 7),
        ("1.2.840.10008.5.1.4.1.1.4", 1),
    ]
    by_uid = retrieval.kinds(Selection(sop=("1.1.1.1", "9.9")))
    assert [(kind.instance_count, kind.byte_count) for kind in by_uid] == [
        (1, len(two_studies.META) + 4)
    ]


def test_five_thousand_images_cost_a_handful_of_queries(
    small_archive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = small_archive.series(small_archive.study("1.1"), "1.1.1")
    small_archive.instance(series, "0")
    small_archive.execute(
        "INSERT INTO instance (series_fk, segment_fk, segment_offset, size, data_set_offset, "
        "sop_class, transfer_syntax, instance_number, sop_instance_uid, sha256) SELECT series_fk, "
        "segment_fk, segment_offset, size, data_set_offset, sop_class, transfer_syntax, n, n::text,"
        " sha256 FROM instance, generate_series(1, 4999) AS n"
    )
    small_archive.execute("UPDATE series SET instance_count = 5000")
    retrieval = Retrieval(small_archive.database, [small_archive.volume])
    borrowed = []
    real = small_archive.database.connection
    monkeypatch.setattr(small_archive.database, "connection", lambda: borrowed.append(1) or real())
    found = uids(retrieval, study="1.1")
    assert found == [str(n) for n in range(1, 5000)] + ["0"]
    assert len(borrowed) <= 8


def test_bytes_come_back_verified(small_archive: Any, retrieval: Retrieval) -> None:
    data_set = os.urandom(100_000)
    small_archive.instance(
        small_archive.series(small_archive.study("1.1"), "1.1.1"), "1.1.1.1", data_set=data_set
    )
    stored = retrieval.find("1.1.1.1", study="1.1", series="1.1.1")
    assert stored is not None
    assert retrieval.find("1.1.1.1", study="1.2") is None
    with retrieval.open(stored) as member:
        assert b"".join(member.data_set()) == data_set
        assert b"".join(member.file()) == small_archive.META + data_set
        assert os.pread(member.fileno(), 4, stored.offset + 128) == b"DICM"
    retrieval.verify(stored)
    assert small_archive.one("SELECT count(*) FROM instance WHERE verified_at IS NOT NULL") == 1


@pytest.mark.parametrize("size", [1000, 9_000_000])
def test_a_flipped_bit_is_never_given_whole(
    small_archive: Any, retrieval: Retrieval, size: int
) -> None:
    """Small objects fail before the first byte, large ones before the last piece."""
    data_set = os.urandom(size)
    small_archive.instance(
        small_archive.series(small_archive.study("1.1"), "1.1.1"), "1.1.1.1", data_set=data_set
    )
    stored = retrieval.find("1.1.1.1")
    assert stored is not None
    with stored.path.open("r+b") as file:
        file.seek(stored.offset + stored.data_set_offset + 500)
        file.write(bytes([data_set[500] ^ 1]))
    given = bytearray()
    with retrieval.open(stored) as member, pytest.raises(ObjectCorrupt, match=r"1\.1\.1\.1"):
        list(map(given.extend, member.file()))
    assert len(given) < stored.size
    assert size > 1000 or not given
    with pytest.raises(ObjectCorrupt):
        retrieval.verify(stored)
    sql = "SELECT count(*) FROM task WHERE kind = 'digest-mismatch' AND subject = '1.1.1.1'"
    assert small_archive.one(sql) == 1


def test_an_object_moved_by_compaction_is_found_again(
    small_archive: Any, retrieval: Retrieval
) -> None:
    small_archive.instance(
        small_archive.series(small_archive.study("1.1"), "1.1.1"), "1.1.1.1", data_set=b"image"
    )
    stored = retrieval.find("1.1.1.1")
    assert stored is not None
    with retrieval.open(stored):
        pass
    segment = small_archive.new_segment("01BX5ZZKBKACTAV9WEVGEMMVRZ")
    offset = small_archive.append(small_archive.META + b"image", segment)
    small_archive.execute(
        "UPDATE instance SET segment_fk = %s, segment_offset = %s", segment, offset
    )
    small_archive.segments[small_archive.segment].unlink()
    with retrieval.open(stored) as member:
        assert b"".join(member.data_set()) == b"image"
        assert member.stored.segment_id == segment


def test_a_lost_segment_and_a_lost_row_are_named(small_archive: Any, retrieval: Retrieval) -> None:
    small_archive.instance(small_archive.series(small_archive.study("1.1"), "1.1.1"), "1.1.1.1")
    stored = retrieval.find("1.1.1.1")
    assert stored is not None
    small_archive.segments[small_archive.segment].unlink()
    with pytest.raises(ObjectMissing, match=rf"1\.1\.1\.1: segment {small_archive.segment} "):
        retrieval.open(stored)
    assert small_archive.one("SELECT count(*) FROM task WHERE done_at IS NULL") == 1
    small_archive.execute("DELETE FROM instance")
    with pytest.raises(ObjectMissing):
        retrieval.open(stored)


def test_zeros_where_the_object_should_lie_are_corruption(
    small_archive: Any, retrieval: Retrieval
) -> None:
    """What a reader sees that comes after a punched hole."""
    small_archive.instance(small_archive.series(small_archive.study("1.1"), "1.1.1"), "1.1.1.1")
    small_archive.execute("UPDATE instance SET segment_offset = 0")
    stored = retrieval.find("1.1.1.1")
    assert stored is not None
    with pytest.raises(ObjectCorrupt, match="no Part 10 file"):
        retrieval.open(stored)


def test_few_files_stay_open(small_archive: Any) -> None:
    """A file somebody reads outlives its place in the cache; the others are closed."""
    series = small_archive.series(small_archive.study("1.1"), "1.1.1")
    for number in range(4):
        small_archive.segment = small_archive.new_segment(f"01ARZ3NDEKTSV4RRFFQ69G5F{number:02d}")
        small_archive.instance(series, f"1.{number}", data_set=b"image %d" % number, number=number)
    retrieval = Retrieval(small_archive.database, [small_archive.volume], open_files=2)
    first, *others = retrieval.instances(series="1.1.1")
    held = retrieval.open(first)
    for stored in others:
        with retrieval.open(stored):
            pass
    assert b"".join(held.data_set()) == b"image 0"
    descriptor = held.fileno()
    held.close()
    with pytest.raises(OSError):
        os.fstat(descriptor)
    retrieval.close()


def test_native_frames(small_archive: Any, retrieval: Retrieval) -> None:
    pixels = bytes(range(24))
    small_archive.instance(
        small_archive.series(small_archive.study("1.1"), "1.1.1"),
        "1.1.1.1",
        data_set=b"header" + pixels,
        pixel_offset=len(small_archive.META) + 6,
        frame_length=8,
        number_of_frames=3,
        bits_allocated=8,
    )
    stored = retrieval.find("1.1.1.1")
    assert stored is not None
    with retrieval.open(stored) as member:
        frames = [read_frame(member, frame) for frame in retrieval.frames(stored, [3, 1])]
    assert frames == [pixels[16:], pixels[:8]]
    with pytest.raises(FrameNotFound, match="no frame 4, there are 3"):
        retrieval.frames(stored, [1, 4])
    with pytest.raises(FrameNotFound):
        retrieval.frames(stored, [0])


def test_frames_of_one_bit_per_pixel_that_start_inside_a_byte(
    small_archive: Any, retrieval: Retrieval
) -> None:
    """PS3.5 §8.1.1: 3 × 3 pixels take nine bits, the next frame starts in the tenth."""
    bits = "101100011011100001111111111"
    value = int(bits[::-1], 2).to_bytes(4, "little")
    small_archive.instance(
        small_archive.series(small_archive.study("1.1"), "1.1.1"),
        "1.1.1.1",
        data_set=value,
        pixel_offset=len(small_archive.META),
        number_of_frames=3,
        bits_allocated=1,
        rows=3,
        columns=3,
    )
    stored = retrieval.find("1.1.1.1")
    assert stored is not None
    ranges = retrieval.frames(stored, [1, 2, 3])
    assert [frame.is_contiguous for frame in ranges] == [False, False, False]
    with retrieval.open(stored) as member:
        for frame, expected in zip(ranges, (bits[:9], bits[9:18], bits[18:]), strict=True):
            got = int.from_bytes(read_frame(member, frame), "little")
            assert got == int(expected[::-1], 2)


def test_encapsulated_frames_come_from_the_index(small_archive: Any, retrieval: Retrieval) -> None:
    fragments = [b"first frame ", b"second"]
    data_set, index = b"", array("Q")
    for fragment in fragments:
        data_set += struct.pack("<HHI", 0xFFFE, 0xE000, len(fragment))
        index.extend((len(small_archive.META) + len(data_set), len(fragment)))
        data_set += fragment
    small_archive.instance(
        small_archive.series(small_archive.study("1.1"), "1.1.1"),
        "1.1.1.1",
        data_set=data_set,
        pixel_offset=len(small_archive.META),
        number_of_frames=2,
        frame_index=zlib.compress(index.tobytes()),
    )
    stored = retrieval.find("1.1.1.1")
    assert stored is not None
    with retrieval.open(stored) as member:
        frames = [read_frame(member, frame) for frame in retrieval.frames(stored, [2, 1])]
    assert frames == fragments[::-1]
    assert next(retrieval.instances(sop="1.1.1.1")).frame_index is None


def test_a_frame_of_several_fragments_is_joined(small_archive: Any, retrieval: Retrieval) -> None:
    """PS3.5 §A.4: item headers between the fragments are no part of the frame."""
    data_set, index = b"", array("Q")
    for frame in ([b"one "], [b"two ", b"three ", b"four"]):
        start = len(small_archive.META) + len(data_set) + 8
        for fragment in frame:
            data_set += struct.pack("<HHI", 0xFFFE, 0xE000, len(fragment)) + fragment
        length = len(small_archive.META) + len(data_set) - start
        index.extend((start, length | (FRAGMENTED if len(frame) > 1 else 0)))
    small_archive.instance(
        small_archive.series(small_archive.study("1.1"), "1.1.1"),
        "1.1.1.1",
        data_set=data_set,
        pixel_offset=len(small_archive.META),
        number_of_frames=2,
        frame_index=zlib.compress(index.tobytes()),
    )
    stored = retrieval.find("1.1.1.1")
    assert stored is not None
    ranges = retrieval.frames(stored, [1, 2])
    assert [frame.is_contiguous for frame in ranges] == [True, False]
    assert ranges[1].bit_length == 8 * 14
    with retrieval.open(stored) as member:
        assert [read_frame(member, frame) for frame in ranges] == [b"one ", b"two three four"]
        with pytest.raises(ObjectCorrupt):
            find_fragments(member, ranges[1].offset + 1, 8)


def test_objects_without_frames_say_so(small_archive: Any, retrieval: Retrieval) -> None:
    small_archive.instance(small_archive.series(small_archive.study("1.1"), "1.1.1"), "1.1.1.1")
    stored = retrieval.find("1.1.1.1")
    assert stored is not None
    with pytest.raises(FramesUnavailable):
        retrieval.frames(stored, [1])


def test_hot_queries_use_their_indexes(small_archive: Any) -> None:
    """An image by its UID, a page of a series, the series of a study; whatever the archive holds."""
    study = small_archive.study("1.1")
    series = small_archive.series(study, "1.1.1")
    small_archive.instance(series, "0")
    for sql in (
        (
            "INSERT INTO study (patient_fk, study_instance_uid) SELECT patient_fk, '9.' || n "
            "FROM study, generate_series(1, 2000) n"
        ),
        (
            "INSERT INTO series (study_fk, series_instance_uid) SELECT id, study_instance_uid || '.1' "
            "FROM study WHERE study_instance_uid LIKE '9.%%'"
        ),
        (
            "INSERT INTO instance (series_fk, segment_fk, segment_offset, size, data_set_offset, "
            "sop_class, transfer_syntax, instance_number, sop_instance_uid, sha256) SELECT e.id, "
            "segment_fk, segment_offset, size, data_set_offset, sop_class, transfer_syntax, n, "
            "e.series_instance_uid || '.' || n, sha256 FROM instance, series e, generate_series(1, 5) n"
        ),
        "ANALYZE",
    ):
        small_archive.execute(sql)
    queries = load_queries("negatoscope.domain.archive.sql", "retrieve.sql")
    keys = {"patient": None, "issuer": None, "study": ["9.7"], "series": None, "sop": ["9.7.1.1"]}
    page = {"series": series, "number": 0, "id": 0, "limit": 1000, "frame_index": False}
    for name, parameters, index in (
        ("series_of", keys, "study_study_instance_uid_key"),
        ("instances_by_uid", keys | {"frame_index": True}, "instance_sop_instance_uid"),
        ("numbered_page", page, "instance_series"),
        ("unnumbered_page", page, "instance_series"),
        ("several_series", page | {"series": [series]}, "instance_series"),
        ("kinds_of_series", {"series": [series]}, "instance_series"),
    ):
        with small_archive.database.connection() as connection:
            rows = connection.execute("EXPLAIN " + queries[name], parameters).fetchall()
        plan = "\n".join(row[0] for row in rows)
        assert index in plan, f"{name}:\n{plan}"
        assert "Seq Scan on instance" not in plan, f"{name}:\n{plan}"
