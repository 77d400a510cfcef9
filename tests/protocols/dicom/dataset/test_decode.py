"""Decoding: DICOM JSON as PS3.18 Annex F has it, on every real object as another reader has it."""

import json
import struct
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

import orjson
import pydicom
import pytest

import hostile
from negatoscope.protocols.dicom.dataset import (
    BadElement,
    DataSetError,
    ValueNotFound,
    decode,
    inflate,
    read_value,
)
from negatoscope.standard import tags

E = hostile.element
LE = hostile.EXPLICIT_LE


def one(tag: int, vr: str, value: bytes, syntax: str = LE) -> Any:
    """The only attribute of a data set."""
    (attribute,) = decode(E(tag, vr, value), syntax).values()
    return attribute


def bulk_paths(data: bytes, syntax: str) -> list[str]:
    """Paths of what goes by URI."""
    paths: list[str] = []

    def uri(path: str) -> str:
        paths.append(path)
        return path

    decode(data, syntax, bulk_threshold=64, bulk_uri=uri)
    return paths


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("AE", b" CT1  ", ["CT1"]),
        ("AS", b"042Y", ["042Y"]),
        ("AT", b"\x10\x00\x20\x00\x28\x00\x10\x00", ["00100020", "00280010"]),
        ("CS", b"ORIGINAL\\PRIMARY\\\\AXIAL ", ["ORIGINAL", "PRIMARY", None, "AXIAL"]),
        ("CS", b"\\\\", None),
        ("DA", b"20240229", ["20240229"]),
        ("DS", b"1.50\\-2e3\\12\\ .5 ", [1.5, -2000.0, 12, 0.5]),
        ("DS", b"0.12345678901234567890", ["0.12345678901234567890"]),
        ("DS", b"nan\\1_0\\1e999\\12,5 ", ["nan", "1_0", "1e999", "12,5"]),
        ("FD", struct.pack("<2d", 0.1, -1e300), [0.1, -1e300]),
        ("FD", struct.pack("<3d", float("nan"), float("inf"), float("-inf")), ["NaN", "inf", "-inf"]),
        ("FL", struct.pack("<2f", 0.1, 2.5), [0.1, 2.5]),
        ("IS", b"+12\\-3 \\x1", [12, -3, "x1"]),
        ("IS", b"99999999999999999999", ["99999999999999999999"]),
        ("LO", b" one \\two ", ["one", "two"]),
        ("LT", b" a\\b ", [" a\\b"]),
        ("PN", b"A^B=C=D\\\\E ", [
            {"Alphabetic": "A^B", "Ideographic": "C", "Phonetic": "D"}, None, {"Alphabetic": "E"},
        ]),
        ("PN", b"==X ", [{"Phonetic": "X"}]),
        ("SH", b"", None),
        ("SL", struct.pack("<i", -5), [-5]),
        ("SS", struct.pack("<h", -5), [-5]),
        ("ST", b"text  ", ["text"]),
        ("SV", struct.pack("<2q", -5, 1 << 60), [-5, str(1 << 60)]),
        ("TM", b"101010.5", ["101010.5"]),
        ("UC", b" a \\b ", [" a", "b"]),
        ("UI", b"1.2.3\x00", ["1.2.3"]),
        ("UL", struct.pack("<I", 1 << 31), [1 << 31]),
        ("UR", b"http://x/a\\b ", ["http://x/a\\b"]),
        ("US", b"\x01\x00\x02\x00", [1, 2]),
        ("UT", b"a\\b ", ["a\\b"]),
        ("UV", struct.pack("<Q", 7), [7]),
    ],
)  # fmt: skip
def test_each_value_representation(vr, value, expected):
    """PS3.18 Table F.2.3-1; empty values have no Value, missing ones among several are null."""
    attribute = one(0x00211001, vr, value)
    assert attribute == ({"vr": vr} if expected is None else {"vr": vr, "Value": expected})
    orjson.dumps(attribute)


@pytest.mark.parametrize("vr", ["OB", "OD", "OF", "OL", "OV", "OW", "UN"])
def test_binary_values_are_base64_of_little_endian(vr):
    """InlineBinary without a URI maker; big endian words are turned (PS3.18 §F.2.7)."""
    value = bytes(range(16))
    assert b64decode(one(0x00211001, vr, value)["InlineBinary"]) == value
    raw = struct.pack(">HH2sxxI", 0x0021, 0x1001, vr.encode(), 4) + b"\x00\x01\x00\x02"
    big = decode(raw, hostile.EXPLICIT_BE)["00211001"]["InlineBinary"]
    expected = {"OB": b"\x00\x01\x00\x02", "UN": b"\x00\x01\x00\x02", "OW": b"\x01\x00\x02\x00"}
    if vr in expected:
        assert b64decode(big) == expected[vr]


def test_bulk_data_goes_by_the_uri_of_its_path():
    """Pixel data always, binary and numeric values beyond the threshold, at any depth."""
    icon = E(0x00281101, "US", b"\x01\x00") + E(0x00281201, "OW", bytes(2000))
    data = hostile.with_element(
        0x00880200, E(0x00880200, "SQ", hostile.item(b"") + hostile.item(icon))
    )
    data += E(0x00282110, "CS", b"00") + E(tags.PIXEL_DATA, "OW", bytes(10))
    found = decode(data, LE, bulk_uri=lambda path: "http://x/" + path)
    assert found["7FE00010"] == {"vr": "OW", "BulkDataURI": "http://x/7FE00010"}
    second = found["00880200"]["Value"][1]
    assert second["00281201"] == {"vr": "OW", "BulkDataURI": "http://x/00880200/2/00281201"}
    assert second["00281101"] == {"vr": "US", "Value": [1]}
    offset, length = read_value(data, LE, "00880200/2/00281201")
    assert data[offset : offset + length] == bytes(2000)
    assert data[offset - 12 : offset - 8] == b"\x28\x00\x01\x12"
    assert "7FE00010" not in decode(data, LE)
    inline = decode(data, LE, stop_before_pixels=False)
    assert b64decode(inline["7FE00010"]["InlineBinary"]) == bytes(10)


def test_a_head_that_ends_in_a_bulk_value_is_enough():
    """Metadata is read without the bulk behind it."""
    data = hostile.with_element(0x00420011, E(0x00420011, "OB", bytes(5000)))
    found = decode(data[:-3000], LE, bulk_uri=lambda path: path)
    assert found["00420011"] == {"vr": "OB", "BulkDataURI": "00420011"}
    with pytest.raises(DataSetError):
        decode(data[:-3000], LE)


@pytest.mark.parametrize("path", ["", "7FE0001", "00100010/0/00100020", "../..", "00100010/1"])
def test_what_is_no_path_names_no_value(path):
    """Paths come from URLs."""
    with pytest.raises(ValueNotFound):
        read_value(b"", LE, path)


def test_every_binary_value_of_the_corpus_is_found_by_its_path(corpus):
    """What decode names, read_value finds: the same bytes that decode writes inline."""
    found = 0
    for name, syntax, data in corpus:
        if name == "dicomdir/DICOMDIR-nooffset" or len(data) > 3_000_000:
            continue
        whole = inflate(data) if syntax == hostile.DEFLATED_LE else data
        for path in bulk_paths(data, syntax)[:20]:
            offset, length = read_value(whole, syntax, path)
            assert 0 < offset <= offset + length <= len(whole), name
            assert length > 64 or path.endswith("7FE00010"), name
            found += 1
    assert found > 500


def test_group_lengths_and_padding_are_left_out():
    """They say nothing about the object (PS3.18 §F.2.1.1)."""
    data = E(0x00080000, "UL", bytes(4)) + E(0x00080060, "CS", b"CT")
    data += E(0xFFFCFFFC, "OB", bytes(20))
    assert decode(data, LE) == {"00080060": {"vr": "CS", "Value": ["CT"]}}


def test_pixel_representation_chooses_signed_or_unsigned():
    """Under implicit VR the dictionary leaves the choice (PS3.5 §A.1)."""
    make = hostile.implicit
    for representation, vr, value in ((b"\x00\x00", "US", 65535), (b"\x01\x00", "SS", -1)):
        data = make(0x00280103, representation) + make(0x00280106, b"\xff\xff")
        assert decode(data, hostile.IMPLICIT_LE)["00280106"] == {"vr": vr, "Value": [value]}


def test_unknown_attributes_of_the_dictionary_get_their_representation_back():
    """UN of a known tag, sequences of implicit encoding inside included (PS3.5 §6.2.2)."""
    inner = hostile.implicit(0x00080100, b"T-D1100 ")
    data = E(0x00100010, "UN", b"A^B ")
    data += E(0x00400260, "UN", hostile.item(inner))
    data += E(
        0x00404021, "UN", hostile.item(inner) + hostile.SEQUENCE_END, length=hostile.UNDEFINED
    )
    code = {"00080100": {"vr": "SH", "Value": ["T-D1100"]}}
    assert decode(data, LE) == {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B"}]},
        "00400260": {"vr": "SQ", "Value": [code]},
        "00404021": {"vr": "SQ", "Value": [code]},
    }
    # What the dictionary calls a sequence but holds none stays as it came.
    assert decode(E(0x00400260, "UN", b"junk"), LE)["00400260"]["vr"] == "UN"


@pytest.mark.parametrize("case", hostile.HOSTILE, ids=lambda case: case.name)
def test_hostile_data_sets_give_typed_errors_in_bounded_time(case):
    """The same that the scan refuses; nothing else is ever raised."""
    data = case.make()
    started = time.process_time()
    with pytest.raises(DataSetError):
        decode(data, case.transfer_syntax_uid, stop_before_pixels=False)
    assert time.process_time() - started < 2.0


def test_lying_text_decodes_to_something_that_json_can_hold():
    """Row 38: replaced characters, never an exception."""
    for data in hostile.lying_text():
        orjson.dumps(decode(data, LE))


def test_a_deflated_header_does_not_inflate_the_image(shared_data: Path):
    """Only as much as the header needs; the same answer as of the inflated data set."""
    raw = (shared_data / "transfer-syntaxes" / "ct" / "1.2.840.10008.1.2.1.99.dcm").read_bytes()
    offset = 132 + 12 + struct.unpack_from("<I", raw, 140)[0]
    data = raw[offset:]
    assert decode(data, hostile.DEFLATED_LE) == decode(inflate(data), LE)
    with pytest.raises(BadElement):
        inflate(b"\xff" * 100)


#: Objects that pydicom reads another way, and why we do not follow.
KNOWN_DIFFERENCES = {
    "charsets/chrGB2312.dcm": "pydicom leaves the escape sequences of ISO 2022 IR 58 in the text",
    "us/OBXXXX1A_expb.dcm": "pydicom writes big-endian words into InlineBinary (PS3.18 §F.2.7)",
}


def _same(ours: Any, theirs: Any) -> bool:
    """Equal but for what `test_every_object_equals_pydicom` lists."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = {key for key in ours.keys() | theirs.keys() if not key.endswith("0000")} - {
            "FFFCFFFC"
        }
        return all(_same_attribute(key, ours.get(key), theirs.get(key)) for key in keys)
    return False


def _same_attribute(key: str, ours: Any, theirs: Any) -> bool:
    if theirs is None:
        return True
    if ours is None:
        return key == "7FE00010" and "InlineBinary" in theirs
    if int(key[:4], 16) % 2 and (theirs["vr"] != ours["vr"] or ours["vr"] == "UN"):
        return True
    if ours["vr"] != theirs["vr"]:
        return {ours["vr"], theirs["vr"]} <= {"OW", "OB", "US", "SS"} or (
            "UN" in {ours["vr"], theirs["vr"]}
        )
    if ours["vr"] == "SQ":
        mine, others = ours.get("Value", []), theirs.get("Value", [])
        return len(mine) == len(others) and all(map(_same, mine, others))
    if "InlineBinary" in ours or "InlineBinary" in theirs:
        return ours.get("InlineBinary", "") == theirs.get("InlineBinary", "")
    mine, others = ours.get("Value", []), theirs.get("Value", [])
    if key == "00080005" or ours["vr"] in {"PN", "UI", "AT"}:
        return key == "00080005" or _values(mine) == _values(others)
    if ours["vr"] in {"FL", "FD", "DS", "IS", "SV", "UV"}:
        return len(mine) == len(others) and all(map(_close, mine, others))
    return _values(mine) == _values(others)


def _values(values: list[Any]) -> list[Any]:
    """Without what is empty at the end, spaces, and the case of nothing."""
    stripped = [value.strip("\x00 ") if isinstance(value, str) else value for value in values]
    stripped = [
        {k: v.strip() for k, v in value.items() if v.strip()} if isinstance(value, dict) else value
        for value in stripped
    ]
    while stripped and not stripped[-1]:
        if stripped[-1] == 0 and stripped[-1] is not None and not isinstance(stripped[-1], str):
            break
        stripped.pop()
    return [value or None if not isinstance(value, int) else value for value in stripped]


def _close(ours: Any, theirs: Any) -> bool:
    if ours is None or theirs in {None, ""}:
        return ours in {None, ""} and theirs in {None, ""}
    if isinstance(ours, str) or isinstance(theirs, str):
        return str(ours).strip() == str(theirs).strip() or float(ours) == float(theirs)
    return ours == theirs or abs(ours - theirs) <= 1e-6 * abs(theirs)


def test_every_object_equals_pydicom(corpus, shared_data: Path):
    """A second opinion on the whole corpus. Where we differ, on purpose:

    - group lengths and trailing padding are left out (PS3.18 §F.2.1.1);
    - private attributes under implicit VR are UN: private dictionaries are not read;
    - a choice such as `OB or OW` may fall on the other word size;
    - FL is written with the digits of a single, where pydicom writes those of its double;
    - values that pydicom's validators refuse (DS of 17 characters) it leaves out;
    - an encapsulated icon has no DICOM JSON form: ours leaves out, pydicom writes its items;
    - `KNOWN_DIFFERENCES`, one by one.
    - Specific Character Set stays as written, where pydicom adds what it guesses.
    """
    compared = 0
    different = []
    for name, syntax, data in corpus:
        if name == "dicomdir/DICOMDIR-nooffset" or len(data) > 3_000_000:
            continue
        theirs = pydicom.dcmread(shared_data / name, force=True, stop_before_pixels=True)
        expected = theirs.to_json_dict(suppress_invalid_tags=True)
        ours = json.loads(orjson.dumps(decode(data, syntax)))
        compared += 1
        if not _same(ours, expected) and name not in KNOWN_DIFFERENCES:
            different.append(
                (name, [k for k in ours.keys() | expected.keys()
                        if not _same_attribute(k, ours.get(k), expected.get(k))][:5])
            )  # fmt: skip
    assert different == [], different
    assert compared > 350
