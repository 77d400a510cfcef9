"""Encoding: bytes as PS3.5 wants them, and back again under anything hypothesis thinks of."""

from io import BytesIO
from typing import Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hostile
from negatoscope.protocols.dicom.dataset import (
    DataSetError,
    DataSetScanner,
    NestingTooDeep,
    NotEncodable,
    decode,
    encode,
)
from negatoscope.standard import tags

LE = hostile.EXPLICIT_LE
SYNTAXES = [LE, hostile.IMPLICIT_LE, hostile.EXPLICIT_BE, hostile.DEFLATED_LE]

_names = st.text(st.characters(categories=["L"]), min_size=1, max_size=12)
_codes = st.text("ABCDEFGHIJ_0123456789", min_size=1, max_size=16)
_decimals = st.decimals(-10_000, 10_000, allow_nan=False, places=3).map(float)


def _attribute(vr: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(values, max_size=4).map(
        lambda found: {"vr": vr, "Value": found} if found else {"vr": vr}
    )


def _single(vr: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(values, max_size=1).map(
        lambda found: {"vr": vr, "Value": found} if found else {"vr": vr}
    )


_person_names = st.fixed_dictionaries(
    {"Alphabetic": st.tuples(_names, _names).map("^".join)},
    optional={"Ideographic": _names, "Phonetic": _names},
)
_components = {
    "0008103E": _attribute("LO", _names),
    "00080008": _attribute("CS", _codes),
    "00080020": _single("DA", st.dates().map(lambda day: day.strftime("%Y%m%d"))),
    "00100010": _single("PN", _person_names),
    "00104000": _single("LT", _names),
    "00185100": _single("CS", _codes),
    "00186024": _single("US", st.integers(0, 65535)),
    "00186020": _single("SL", st.integers(-(1 << 31), (1 << 31) - 1)),
    "00187050": _attribute("CS", _codes),
    "00189073": _single("FD", st.floats(allow_nan=False, allow_infinity=False)),
    "00200013": _single("IS", st.integers(-(1 << 31), (1 << 31) - 1)),
    "00200032": _attribute("DS", _decimals),
    "00280009": _attribute("AT", st.integers(0, 0xFFFFFFFF).map("{:08X}".format)),
    "00081190": _single("UR", st.just("http://x.org/a?b=c")),
    "0040A160": _single("UT", _names),
    "00420011": st.binary(min_size=1).map(
        lambda raw: {"vr": "OB", "InlineBinary": _base64(raw + b"\x00" * (len(raw) % 2))}
    ),
    "00660016": st.lists(st.integers(0, 255), min_size=4, max_size=4).map(
        lambda raw: {"vr": "OF", "InlineBinary": _base64(bytes(raw))}
    ),
}


def _base64(raw: bytes) -> str:
    import base64

    return base64.b64encode(raw).decode()


def _nested(pair: tuple[dict[str, Any], list[dict[str, Any]]]) -> dict[str, Any]:
    attributes, items = pair
    sequence = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
    return {**attributes, "0040A730": sequence}


_flat = st.fixed_dictionaries({}, optional=_components)
_data_sets = st.recursive(
    _flat, lambda inner: st.tuples(_flat, st.lists(inner, max_size=3)).map(_nested), max_leaves=6
)


@settings(max_examples=150, deadline=None)
@given(_data_sets, st.sampled_from(SYNTAXES))
def test_what_is_encoded_decodes_to_the_same(data_set, syntax):
    """Every syntax; text beyond ASCII brings its character set with it."""
    raw = encode(data_set, syntax)
    found = decode(raw, syntax, stop_before_pixels=False)
    declared = found.pop("00080005", None)
    assert declared in (None, {"vr": "CS", "Value": ["ISO_IR 192"]})
    assert found == data_set
    assert len(raw) % 2 == 0
    scanner = DataSetScanner(syntax)
    scanner.feed(raw)
    assert scanner.finish().warnings == []


@settings(max_examples=60, deadline=None)
@given(_data_sets)
def test_another_toolkit_reads_the_same(data_set):
    """pydicom's reading of our bytes, as DICOM JSON."""
    theirs = pydicom.dcmread(BytesIO(encode(data_set, hostile.IMPLICIT_LE)), force=True)
    assert {f"{element.tag:08X}" for element in theirs} - {"00080005"} == set(data_set)
    if name := data_set.get("00100010", {}).get("Value"):
        assert theirs.PatientName.components[0] == name[0]["Alphabetic"]
    if "0040A730" in data_set:
        assert len(theirs.ContentSequence) == len(data_set["0040A730"].get("Value", []))


def test_every_object_comes_back(corpus):
    """Decoded and encoded in each syntax, decoded again: the same attributes.

    Decimals of more than sixteen characters, which PS3.5 forbids, are written shorter.
    """
    for name, syntax, data in corpus:
        if name == "dicomdir/DICOMDIR-nooffset" or len(data) > 600_000 or "siemens-t1" in name:
            continue
        data_set = decode(data, syntax)
        for other in SYNTAXES if len(data) < 50_000 else [LE]:
            again = decode(encode(data_set, other), other, stop_before_pixels=False)
            if other == hostile.IMPLICIT_LE:
                assert again.keys() == data_set.keys(), name
            else:
                assert again == data_set, name


def test_bytes_are_as_the_standard_wants_them():
    """Ascending tags, even lengths, the right padding, no group length (PS3.5 §7.1, §6.2)."""
    raw = encode(
        {
            "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B", "Phonetic": "C"}]},
            "00080000": {"vr": "UL", "Value": [4]},
            "00420011": {"vr": "OB", "InlineBinary": "AQID"},
            "00400275": {"vr": "SQ", "Value": [{"00400007": {"vr": "LO", "Value": ["X"]}}, {}]},
        },
        LE,
    )
    inner = hostile.element(0x00400007, "LO", b"X ")
    assert raw == (
        hostile.element(0x00100010, "PN", b"A^B==C")
        + hostile.element(0x0020000D, "UI", b"1.2.3\x00")
        + hostile.element(0x00400275, "SQ", hostile.item(inner) + hostile.item(b""))
        + hostile.element(0x00420011, "OB", b"\x01\x02\x03\x00")
    )


@pytest.mark.parametrize(
    ("charset", "text", "declared"),
    [
        (None, "ASCII", None),
        (None, "Zoé", ["ISO_IR 192"]),
        ("ISO_IR 100", "Zoé", ["ISO_IR 100"]),
        ("ISO_IR 100", "ASCII", ["ISO_IR 100"]),
        ("ISO_IR 100", "小东", ["ISO_IR 192"]),
        ("ISO_IR 999", "Zoé", ["ISO_IR 192"]),
        (["", "ISO 2022 IR 149"], "洪吉洞", [None, "ISO 2022 IR 149"]),
        (["", "ISO 2022 IR 87"], "山田", [None, "ISO 2022 IR 87"]),
        ("GB18030", "小东", ["GB18030"]),
    ],
)
def test_character_sets_are_those_asked_for_until_they_cannot(charset, text, declared):
    """ISO_IR 192 holds everything; it is declared when it is used."""
    data_set = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": text}]}}
    found = decode(encode(data_set, LE, charset=charset), LE)
    assert found["00100010"]["Value"] == [{"Alphabetic": text}]
    assert found.get("00080005", {}).get("Value") == declared


def test_numbers_come_as_numbers_or_strings():
    """JSON writers differ; decimals are cut to sixteen characters."""
    data_set = {
        "00180050": {"vr": "DS", "Value": [0.1 + 0.2, "1.50", 3, -1.0e-200 / 3]},
        "00200013": {"vr": "IS", "Value": ["7"]},
        "00189073": {"vr": "FD", "Value": ["NaN", "-inf", 1, "2.5"]},
        "00720082": {"vr": "SV", "Value": ["9007199254740993"]},
        "00280010": {"Value": [512]},
    }
    raw = encode(data_set, LE)
    theirs = pydicom.dcmread(BytesIO(raw), force=True)
    assert all(len(str(value.original_string)) <= 16 for value in theirs[0x00180050].value)
    found = decode(raw, LE)
    assert found["00189073"]["Value"] == ["NaN", "-inf", 1.0, 2.5]
    assert found["00720082"]["Value"] == ["9007199254740993"]
    assert found["00280010"] == {"vr": "US", "Value": [512]}
    assert float(found["00180050"]["Value"][0]) == pytest.approx(0.3)


def test_a_text_too_long_for_its_length_goes_as_un():
    """PS3.5 §6.2.2: 16 bits cannot say it."""
    data_set = {"0008103E": {"vr": "LO", "Value": ["x" * 70_000]}}
    raw = encode(data_set, LE)
    assert raw[4:6] == b"UN"
    assert decode(raw, LE) == data_set


def test_bulk_data_is_fetched_by_who_knows_how():
    """A STOW-RS request brings it beside the JSON."""
    data_set = {"00420011": {"vr": "OB", "BulkDataURI": "x"}}
    raw = encode(data_set, LE, bulk_data=lambda uri: uri.encode() * 4)
    assert raw.endswith(b"xxxx")
    with pytest.raises(NotEncodable):
        encode(data_set, LE)


@pytest.mark.parametrize(
    "data_set",
    [
        {"001000": {"vr": "PN"}},
        {"ZZZZZZZZ": {"vr": "PN"}},
        {"00100010": []},
        {"00100010": {"vr": "XX"}},
        {"00100010": {"vr": "PN", "Value": "A"}},
        {"00100010": {"vr": "PN", "Value": [1]}},
        {"00280010": {"vr": "US", "Value": [70_000]}},
        {"00280010": {"vr": "US", "Value": [1.5]}},
        {"00280010": {"vr": "US", "Value": ["x"]}},
        {"00280010": {"vr": "US", "Value": [True]}},
        {"00280010": {"vr": "US", "Value": [None]}},
        {"00200013": {"vr": "IS", "Value": [{}]}},
        {"00180050": {"vr": "DS", "Value": [float("inf")]}},
        {"00180050": {"vr": "DS", "Value": ["é"]}},
        {"00280009": {"vr": "AT", "Value": ["1"]}},
        {"00420011": {"vr": "OB", "InlineBinary": "*"}},
        {"00420011": {"vr": "OB", "InlineBinary": 7}},
        {"00420011": {"vr": "OB", "Value": [1]}},
        {"00400275": {"vr": "SQ", "Value": [1]}},
        {"00020010": {"vr": "UI", "Value": ["1.2"]}},
        {"00000100": {"vr": "US", "Value": [1]}},
        {"FFFEE000": {"vr": "UI", "Value": ["1.2"]}},
        {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "\ud800"}]}},
        {"00080060": {"vr": "CS", "Value": [{"a": 1}]}},
    ],
)
def test_what_has_no_binary_form_is_refused(data_set):
    """Clients post anything; the error is ours and names the tag, not the value."""
    with pytest.raises(NotEncodable):
        encode(data_set, LE)


def test_nesting_beyond_any_use_is_refused():
    """Before Python's own limit is near."""
    data_set: dict[str, Any] = {}
    for _ in range(200):
        data_set = {"0040A730": {"vr": "SQ", "Value": [data_set]}}
    with pytest.raises(NestingTooDeep):
        encode(data_set, LE)
    with pytest.raises(DataSetError):
        decode(hostile.nested(200), LE)


def test_scan_results_give_attributes_as_json():
    """What the index keeps beside its columns."""
    data_set = {
        "00080005": {"vr": "CS", "Value": ["ISO_IR 100"]},
        "00101002": {"vr": "SQ", "Value": [{"00100020": {"vr": "LO", "Value": ["É1"]}}]},
        "00280010": {"vr": "US", "Value": [512]},
        "00321032": {"vr": "PN"},
    }
    for syntax in SYNTAXES:
        scanner = DataSetScanner(syntax)
        scanner.feed(encode(data_set, syntax))
        result = scanner.finish()
        assert result.json(tags.OTHER_PATIENT_IDS_SEQUENCE) == data_set["00101002"]
        assert result.json(tags.ROWS) == data_set["00280010"]
        assert result.json(tags.PATIENT_NAME) is None
        assert result.value(tags.ROWS) is not None
        assert result.value(tags.ROWS).vr == "US"  # type: ignore[union-attr]


def test_a_sequence_sent_as_un_is_json_of_a_sequence_or_stays_as_it_came():
    """Indexing never fails on an attribute whose representation was lost on the way."""
    good = hostile.item(hostile.implicit(0x00100020, b"ID"))
    for value, expected in ((good, "SQ"), (b"junk", "UN")):
        scanner = DataSetScanner(LE)
        scanner.feed(hostile.element(tags.OTHER_PATIENT_IDS_SEQUENCE, "UN", value))
        attribute = scanner.finish().json(tags.OTHER_PATIENT_IDS_SEQUENCE)
        assert attribute is not None
        assert attribute["vr"] == expected
