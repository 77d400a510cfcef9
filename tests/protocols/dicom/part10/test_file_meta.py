"""File heads: written as PS3.10 wants them, read with tolerance and without trust."""

import struct
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negatoscope.protocols.dicom.part10 import (
    BadFileMeta,
    BadGroupLength,
    BadUid,
    FileMetaTooLong,
    MissingTransferSyntax,
    NotPart10,
    Part10Error,
    Part10Reader,
    TruncatedFileMeta,
    encode_file_meta,
    read_file_meta,
)

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
HEAD = encode_file_meta(
    sop_class_uid=CT, sop_instance_uid="1.2.3", transfer_syntax_uid=EXPLICIT, source_ae_title="CT1"
)


def meta_element(number: int, vr: bytes, value: bytes) -> bytes:
    """An element of group 0002 with a short length."""
    return struct.pack("<HH2sH", 2, number, vr, len(value)) + value


def head(*elements: bytes, group_length: int | None = None) -> bytes:
    """Preamble, prefix, and elements behind a group length when one is given."""
    length = (
        b"" if group_length is None else meta_element(0, b"UL", struct.pack("<I", group_length))
    )
    return bytes(128) + b"DICM" + length + b"".join(elements)


def read_bytewise(raw: bytes) -> None:
    """Feed one byte at a time."""
    reader = Part10Reader()
    for byte in raw:
        reader.feed(bytes([byte]))
    reader.finish()


TRANSFER_SYNTAX = meta_element(0x10, b"UI", EXPLICIT.encode() + b"\x00")


def test_another_toolkit_reads_what_we_write():
    """Group length, version, UIDs, implementation and AE title (PS3.10 Table 7.1-1)."""
    theirs = pydicom.dcmread(BytesIO(HEAD + b"\x08\x00\x60\x00CS\x02\x00CT")).file_meta
    assert theirs.MediaStorageSOPClassUID == CT
    assert theirs.MediaStorageSOPInstanceUID == "1.2.3"
    assert theirs.TransferSyntaxUID == EXPLICIT
    assert theirs.ImplementationClassUID.startswith("2.25.")
    assert theirs.ImplementationVersionName.startswith("NEGATOSCOPE_")
    assert theirs.SourceApplicationEntityTitle == "CT1"
    assert theirs.FileMetaInformationVersion == b"\x00\x01"
    assert len(HEAD) == 144 + theirs.FileMetaInformationGroupLength


def test_we_read_what_we_write():
    """And say where the data set begins."""
    meta = read_file_meta(HEAD + b"data set")
    assert (meta.sop_class_uid, meta.sop_instance_uid) == (CT, "1.2.3")
    assert meta.transfer_syntax_uid == EXPLICIT
    assert meta.source_ae_title == "CT1"
    assert meta.data_set_offset == len(HEAD)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40), st.booleans())
def test_a_file_in_pieces_reads_the_same(sizes, with_group_length):
    """The bytes after the head are handed back, whatever the pieces."""
    start = HEAD if with_group_length else head(TRANSFER_SYNTAX)
    whole = start + b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100"
    reader = Part10Reader()
    rest = None
    fed = 0
    turn = 0
    while rest is None:
        size = sizes[turn % len(sizes)]
        rest = reader.feed(whole[fed : fed + size])
        fed += size
        turn += 1
    assert bytes(reader.header) == start
    assert bytes(rest) == whole[len(start) : fed]
    assert reader.meta is not None
    assert reader.meta.data_set_offset == len(start)
    assert reader.finish() is reader.meta


def test_a_file_that_is_only_a_head():
    """Without a group length nothing but the end of the file tells."""
    assert read_file_meta(head(TRANSFER_SYNTAX)).transfer_syntax_uid == EXPLICIT


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", NotPart10),
        (bytes(131), NotPart10),
        (bytes(128) + b"DICX" + bytes(100), NotPart10),
        (bytes(4096), NotPart10),
        (head(), TruncatedFileMeta),
        (head(TRANSFER_SYNTAX[:-4]), TruncatedFileMeta),
        (head(meta_element(0x02, b"UI", b"1.2\x00"), b"\x08\x00"), MissingTransferSyntax),
        (head(meta_element(0x10, b"UI", b""), b"\x08\x00"), MissingTransferSyntax),
        (head(meta_element(0x10, b"UI", b"../../x\x00"), b"\x08\x00"), BadUid),
        (head(TRANSFER_SYNTAX, meta_element(3, b"UI", b"1.2\x003."), b"\x08\x00"), BadUid),
        (head(TRANSFER_SYNTAX, meta_element(3, b"UI", b"1." + b"9" * 64), b"\x08\x00"), BadUid),
        (head(TRANSFER_SYNTAX, meta_element(2, b"UI", b"/etc/p"), b"\x08\x00"), BadUid),
        (head(TRANSFER_SYNTAX, b"\x08\x00\x05\x00", group_length=999), BadGroupLength),
        (head(TRANSFER_SYNTAX, group_length=10), BadGroupLength),
        (head(TRANSFER_SYNTAX, group_length=0xFFFFFFFF), FileMetaTooLong),
        (head(b"\x02\x00\x10\x00\x14\x00\x00\x00" + EXPLICIT.encode()), BadFileMeta),
        (head(b"\x02\x00\x01\x01OB\x00\x00\xff\xff\xff\xff" + bytes(64)), FileMetaTooLong),
        (head(*[meta_element(0x102, b"OB", b"")] * 40_000), Part10Error),
    ],
)  # fmt: skip
def test_broken_heads_give_typed_errors(raw, error):
    """Whole or byte by byte, the same class."""
    with pytest.raises(error):
        read_file_meta(raw)
    with pytest.raises(error):
        read_bytewise(raw[:70_000])


def test_memory_is_bounded_before_the_head_is_complete():
    """A gigabyte of preamble-shaped noise is refused at the first look."""
    reader = Part10Reader()
    with pytest.raises(FileMetaTooLong):
        reader.feed(
            memoryview(head(b"\x02\x00\x01\x01UT\x00\x00\xff\xff\x00\x00") + bytes(1 << 20))
        )
    assert len(reader.header) <= (64 << 10) + 2


def test_real_heads_equal_pydicoms(shared_data: Path):
    """Every object of the corpus that has a head."""
    compared = 0
    for path in sorted(shared_data.rglob("*.dcm")):
        raw = path.read_bytes()
        try:
            meta = read_file_meta(raw)
        except Part10Error:
            continue
        theirs = pydicom.filereader.read_partial(BytesIO(raw), stop_when=lambda *_: True).file_meta
        assert meta.transfer_syntax_uid == str(theirs.TransferSyntaxUID)
        assert meta.sop_instance_uid == (theirs.get("MediaStorageSOPInstanceUID") or None)
        compared += 1
    assert compared > 300


def test_writing_refuses_what_is_no_uid():
    """No path, no control character, no 65th character ever gets into a file."""
    for uid in ("../../x", "", "1.2\x00", "1." + "1" * 63):
        with pytest.raises(BadUid):
            encode_file_meta(sop_class_uid=CT, sop_instance_uid=uid, transfer_syntax_uid=EXPLICIT)
