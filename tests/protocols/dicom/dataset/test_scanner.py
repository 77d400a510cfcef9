"""The scanner reads every real object, at any fragmentation, and refuses what is broken."""

import random
import struct
import time
import tracemalloc
from pathlib import Path

import pydicom
import pytest

import hostile
from negatoscope.protocols.dicom.dataset.errors import (
    BadElement,
    DataSetError,
    InflateBomb,
    NestingTooDeep,
    TooManyElements,
    TooManyItems,
    TruncatedDataSet,
)
from negatoscope.protocols.dicom.dataset.limits import DEFAULT_LIMITS, ScanLimits
from negatoscope.protocols.dicom.dataset.result import ScanResult
from negatoscope.protocols.dicom.dataset.scanner import DataSetScanner
from negatoscope.protocols.dicom.part10 import read_file_meta
from negatoscope.standard import tags


def scan(
    transfer_syntax_uid: str, data: bytes, *sizes: int, limits: ScanLimits = DEFAULT_LIMITS
) -> ScanResult:
    """Feed whole, or in pieces of the given sizes in turn."""
    scanner = DataSetScanner(transfer_syntax_uid, limits=limits)
    if not sizes:
        scanner.feed(data)
        return scanner.finish()
    view = memoryview(data)
    turn = 0
    while view:
        size = sizes[turn % len(sizes)]
        scanner.feed(view[:size])
        view = view[size:]
        turn += 1
    return scanner.finish()


def facts(result: ScanResult) -> tuple[object, ...]:
    """Everything that must not depend on fragmentation."""
    pixels = result.pixel_data
    return (
        dict(result.raw),
        result.length,
        result.inflated_length,
        result.element_count,
        result.item_count,
        result.header_length,
        sorted(result.warnings),
        None
        if pixels is None
        else (
            pixels.tag,
            pixels.vr,
            pixels.value_offset,
            pixels.value_length,
            pixels.fragments.tobytes(),
            pixels.fragment_starts.tobytes(),
            pixels.basic_offset_table,
            pixels.extended_offset_table,
        ),
    )


def test_every_object_gives_the_same_result_at_any_fragmentation(corpus):
    """Whole, by random sizes and, where short, byte by byte: the same values and offsets."""
    assert len(corpus) > 350
    chance = random.Random(7)
    for name, syntax, data in corpus:
        if name == "dicomdir/DICOMDIR-nooffset":
            continue
        whole = facts(scan(syntax, data))
        sizes = [chance.choice((1, 2, 7, 100, 4096, 16_000)) for _ in range(50)]
        assert facts(scan(syntax, data[:200_000], *sizes) if len(data) <= 200_000 else
                     scan(syntax, data, 8191, 13, 16_384)) == whole, name  # fmt: skip
        if len(data) < 8000:
            assert facts(scan(syntax, data, 1)) == whole, name


def test_index_values_equal_pydicom(corpus, shared_data: Path):
    """Top-level text and integers read the same as by an independent reader."""
    compared = 0
    for name, syntax, data in corpus:
        if name == "dicomdir/DICOMDIR-nooffset":
            continue
        result = scan(syntax, data)
        theirs = pydicom.dcmread(shared_data / name, force=True, stop_before_pixels=True)
        for tag in (tags.SOP_INSTANCE_UID, tags.STUDY_INSTANCE_UID, tags.MODALITY):
            expected = str(theirs[tag].value) if tag in theirs and theirs[tag].value else None
            assert result.text(tag) == expected, (name, hex(tag))
        for tag in (tags.ROWS, tags.COLUMNS, tags.BITS_ALLOCATED, tags.INSTANCE_NUMBER):
            expected_number = theirs[tag].value if tag in theirs else None
            assert result.int(tag) == (int(expected_number) if expected_number else None), name
        compared += 1
    assert compared > 350


#: What each broken object of the corpus gets, and why.
MALFORMED = {
    # Group 0002 of the file is odd, its data set is sound.
    "CTImageStorage_bad_meta.dcm": None,
    # Big endian in the name of little: items are no items.
    "GH177_D_CLUNIE_CT1_IVRLE_BigEndian_undefined_length.dcm": BadElement,
    "GH223.dcm": None,
    "GH487.dcm": None,
    # What is wrong is the code stream; the archive keeps it, only rendering may fail.
    "J2K_pixelrep_mismatch.dcm": None,
    # A delimiter's bytes inside a fragment: lengths, not a search, find the end.
    "JPEG2000-embedded-sequence-delimiter.dcm": None,
    # 62 bytes of the last row never came.
    "MR_truncated.dcm": TruncatedDataSet,
    # UN of undefined length holds an implicit sequence (PS3.5 §6.2.2).
    "UN_sequence.dcm": None,
    # Values that do not fit their VR; lengths are true.
    "badVR.dcm": None,
    "bad_sequence.dcm": None,
    "empty_charset_LEI.dcm": None,
    # The last fragment is not all there.
    "emri_small_jpeg_2k_lossless_too_short.dcm": TruncatedDataSet,
    "explicit_VR-UN.dcm": None,
    # IS values that are no integers; lengths are true.
    "invalid-vr-length-test.dcm": None,
    # Group 0001 may not be used (PS3.5 §7.8.1).
    "nested_priv_SQ.dcm": BadElement,
    "no-meta-length-test.dcm": None,
    "no_meta_group_length.dcm": None,
    "priv_SQ.dcm": None,
    # Ends inside a beam.
    "rtplan_truncated.dcm": TruncatedDataSet,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_objects_are_refused_or_kept_for_a_reason(shared_data: Path, name: str):
    """Lies about lengths are refused; odd values are kept as they came."""
    raw = (shared_data / "malformed" / name).read_bytes()
    meta = read_file_meta(raw)
    data = raw[meta.data_set_offset :]
    expected = MALFORMED[name]
    for sizes in ((), (11, 3000)):
        if expected is None:
            assert scan(meta.transfer_syntax_uid, data, *sizes).length == len(data)
        else:
            with pytest.raises(expected):
                scan(meta.transfer_syntax_uid, data, *sizes)


@pytest.mark.parametrize("case", hostile.HOSTILE, ids=lambda case: case.name)
def test_hostile_data_sets_are_refused_within_bounds(case):
    """Row 33 to 36 of the faults: a typed error with a reason, under 2 s and 256 MiB."""
    data = case.make()
    for sizes in ((), (16_384,)):
        started = time.process_time()
        with pytest.raises(DataSetError) as caught:
            scan(case.transfer_syntax_uid, data, *sizes)
        assert caught.value.reason
        assert time.process_time() - started < 2.0


def test_memory_of_a_scan_does_not_follow_the_object():
    """A wanted sequence that never ends, and a bomb, stay within a few megabytes."""
    open_sequence = (
        hostile.element(tags.REQUEST_ATTRIBUTES_SEQUENCE, "SQ", b"", length=hostile.UNDEFINED)
        + hostile.item(hostile.element(0x00400007, "LO", b"x" * 2000)) * 6_000
    )
    tracemalloc.start()
    with pytest.raises(TruncatedDataSet):
        scan(hostile.EXPLICIT_LE, open_sequence, 16_384)
    _current, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


@pytest.mark.parametrize(
    ("data", "syntax", "error"),
    [
        (hostile.nested(33), hostile.EXPLICIT_LE, NestingTooDeep),
        (hostile.nested(33, undefined=False), hostile.EXPLICIT_LE, NestingTooDeep),
        (hostile.many_elements(1001), hostile.EXPLICIT_LE, TooManyElements),
        (hostile.many_items(101), hostile.EXPLICIT_LE, TooManyItems),
        (hostile.deflate_bomb(32 << 20), hostile.DEFLATED_LE, InflateBomb),
        (hostile.huge_length(), hostile.EXPLICIT_LE, TruncatedDataSet),
    ],
)
def test_limits_name_what_was_exceeded(data, syntax, error):
    """The class of the error says which bound it was."""
    limits = ScanLimits(elements=1000, items=100, inflate_free_bytes=1 << 20)
    with pytest.raises(error):
        scan(syntax, data, limits=limits)


@pytest.mark.parametrize("depth", [1, 32])
@pytest.mark.parametrize("undefined", [True, False])
def test_allowed_depths_pass(depth, undefined):
    """Thirty-two levels are more than any IOD has."""
    result = scan(hostile.EXPLICIT_LE, hostile.nested(depth, undefined=undefined), 5)
    assert result.item_count == depth


def test_hostile_uids_are_seen_as_sent():
    """The scan gives UIDs for the archive to judge; none is cleaned on the way."""
    for name, value, data in hostile.hostile_uids():
        tag = {
            "sop_class": tags.SOP_CLASS_UID,
            "sop_instance": tags.SOP_INSTANCE_UID,
            "study": tags.STUDY_INSTANCE_UID,
            "series": tags.SERIES_INSTANCE_UID,
        }[name]
        result = scan(hostile.EXPLICIT_LE, data)
        assert result.raw[tag][1].rstrip(b"\x00") == value.rstrip(b"\x00")


def test_lying_text_never_raises_and_is_flagged():
    """Row 38: stored, shown with replacement, and a warning says so."""
    for data in hostile.lying_text():
        result = scan(hostile.EXPLICIT_LE, data, 7)
        text = result.text(tags.PATIENT_NAME)
        assert text is None or text.isprintable()
        raw = result.raw[tags.PATIENT_NAME][1]
        if b"M\xc3\xbcller" not in raw:
            assert result.warnings, raw


@pytest.mark.parametrize("syntax", [hostile.EXPLICIT_LE, hostile.IMPLICIT_LE])
def test_wanted_sequences_are_kept_whatever_their_length_form(syntax):
    """Items of defined and undefined length, in sequences of either, fragment by fragment."""
    make = (
        hostile.element
        if syntax == hostile.EXPLICIT_LE
        else (lambda tag, vr, value, length=None: hostile.implicit(tag, value, length=length))
    )
    inner = make(0x00400007, "LO", b"CHEST ")
    for item_length in (None, hostile.UNDEFINED):
        items = hostile.item(inner, length=item_length)
        if item_length is not None:
            items = hostile.item(inner, length=hostile.UNDEFINED)
        for undefined in (False, True):
            raw = make(
                tags.REQUEST_ATTRIBUTES_SEQUENCE,
                "SQ",
                items + (hostile.SEQUENCE_END if undefined else b""),
                length=hostile.UNDEFINED if undefined else None,
            )
            for sizes in ((), (1,), (9, 2)):
                result = scan(syntax, raw, *sizes)
                assert result.raw[tags.REQUEST_ATTRIBUTES_SEQUENCE][1] == items


def test_an_oversized_wanted_value_is_left_out_with_a_warning():
    """An index column never needs more than 64 KiB."""
    data = hostile.element(tags.PATIENT_COMMENTS, "UT", b"x" * 70_000) + hostile.element(
        tags.STUDY_ID, "SH", b"42"
    )
    for sizes in ((), (1000,)):
        result = scan(hostile.EXPLICIT_LE, data, *sizes)
        assert tags.PATIENT_COMMENTS not in result
        assert result.text(tags.STUDY_ID) == "42"
        assert any("longer" in warning for warning in result.warnings)


def test_what_is_let_pass_is_told():
    """Odd lengths, order, padding, unknown representations: warnings, not refusals."""
    odd = hostile.with_element(0x00081030, hostile.element(0x00081030, "LO", b"odd"))
    assert "a value has an odd length" in scan(hostile.EXPLICIT_LE, odd).warnings
    order = hostile.element(0x00100020, "LO", b"ID") + hostile.element(0x00080060, "CS", b"CT")
    assert "tags are not in ascending order" in scan(hostile.EXPLICIT_LE, order).warnings
    unknown = hostile.element(0x00081030, "ZZ", b"even") + hostile.element(0x00100020, "LO", b"ID")
    result = scan(hostile.EXPLICIT_LE, unknown, 3)
    assert result.text(tags.PATIENT_ID) == "ID"
    assert any("unknown value representation" in warning for warning in result.warnings)
    padding = hostile.with_element(0xFFFCFFFC, hostile.element(0xFFFCFFFC, "OB", bytes(100)))
    assert scan(hostile.EXPLICIT_LE, padding).warnings == []


def test_private_syntaxes_read_as_explicit_little_endian():
    """An unknown transfer syntax is indexed all the same."""
    data = b"".join(part for _tag, part in hostile.identity())
    assert scan("1.2.3.4.5", data).text(tags.PATIENT_NAME) == "HOSTILE^OBJECT"


def test_feeding_the_rest_of_an_image_costs_nothing():
    """Past the header a fragment is one subtraction: a gigabyte of them takes no time."""
    head = hostile.with_element(
        tags.PIXEL_DATA, hostile.element(tags.PIXEL_DATA, "OW", b"", length=1 << 30)
    )
    fragment = memoryview(bytes(1 << 18))
    scanner = DataSetScanner(hostile.EXPLICIT_LE)
    scanner.feed(head)
    started = time.process_time()
    for _ in range(1 << 12):
        scanner.feed(fragment)
    result = scanner.finish()
    assert time.process_time() - started < 0.5
    assert result.pixel_data is not None
    assert result.pixel_data.value_length == 1 << 30


def test_numbers_of_either_byte_order():
    """US under explicit big endian, and IS everywhere."""
    raw = struct.pack(">HH2sHH", 0x0028, 0x0010, b"US", 2, 512)
    assert scan(hostile.EXPLICIT_BE, raw).int(tags.ROWS) == 512
    assert (
        scan(hostile.EXPLICIT_LE, hostile.element(tags.INSTANCE_NUMBER, "IS", b" 12 ")).int(
            tags.INSTANCE_NUMBER
        )
        == 12
    )
    assert (
        scan(hostile.EXPLICIT_LE, hostile.element(tags.INSTANCE_NUMBER, "IS", b"1.5x")).int(
            tags.INSTANCE_NUMBER
        )
        is None
    )
