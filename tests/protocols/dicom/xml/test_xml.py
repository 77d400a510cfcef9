"""The Native DICOM Model, both ways."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from negatoscope.protocols.dicom.dataset import decode, encode
from negatoscope.protocols.dicom.part10 import encode_file_meta
from negatoscope.protocols.dicom.xml import BadNativeModel, dump_native_model, parse_native_model

NAMESPACE = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"
EXPLICIT = "1.2.840.10008.1.2.1"
RICH = {
    "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
    "00080008": {"vr": "CS", "Value": ["ORIGINAL", None, "AXIAL"]},
    "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.7"]},
    "00080018": {"vr": "UI", "Value": ["1.2.3"]},
    "00091010": {"vr": "UN", "InlineBinary": "AAEC"},
    "00090010": {"vr": "LO", "Value": ["ACME & CO"]},
    "00100010": {
        "vr": "PN",
        "Value": [{"Alphabetic": "DUPONT^Éloïse^^Dr", "Ideographic": "山田^太郎"}, None,
                  {"Alphabetic": "A"}],
    },
    "00181310": {"vr": "US", "Value": [0, 1, 2, 3]},
    "00200032": {"vr": "DS", "Value": ["1.50", "-2"]},
    "00204000": {"vr": "LT", "Value": ["two\r\nlines <&> \"'"]},
    "00400275": {"vr": "SQ", "Value": [{"00400009": {"vr": "SH", "Value": ["S1"]}}, {}]},
    "00400555": {"vr": "SQ"},
    "7FE00010": {"vr": "OW", "BulkDataURI": "http://h/x?a=1&b=2"},
}  # fmt: skip


def test_everything_comes_back():
    """Values, gaps between values, names, items, bulk data, binaries, private creators."""
    raw = dump_native_model(RICH)
    assert parse_native_model(raw) == RICH
    root = etree.fromstring(raw)
    private = root.find(f"{NAMESPACE}DicomAttribute[@tag='00091010']")
    assert private.get("privateCreator") == "ACME & CO"
    name = root.find(f"{NAMESPACE}DicomAttribute[@keyword='PatientName']")
    assert name[0][0][1].text == "Éloïse"
    assert [one.get("number") for one in name] == ["1", "3"]


def test_private_attributes_are_given_a_block():
    """``privateCreator`` with no block in the tag takes the first that is free."""
    raw = (
        b'<NativeDicomModel><DicomAttribute tag="00090010" vr="LO"><Value number="1">A</Value>'
        b'</DicomAttribute><DicomAttribute tag="00090002" vr="SH" privateCreator="B">'
        b'<Value number="1">x</Value></DicomAttribute></NativeDicomModel>'
    )
    assert parse_native_model(raw) == {
        "00090010": {"vr": "LO", "Value": ["A"]},
        "00090011": {"vr": "LO", "Value": ["B"]},
        "00091102": {"vr": "SH", "Value": ["x"]},
    }


def test_dcmtk_writes_what_we_read(tmp_path, shared_data):
    """The attributes of DCMTK's own Native DICOM Model encode to the same data set."""
    path = shared_data / "ct" / "philips-ingenuity-phantom" / "I10"
    text = subprocess.run(
        ["dcm2xml", "-nat", "+U8", str(path)], capture_output=True, check=True, timeout=30
    ).stdout
    theirs = parse_native_model(text)
    start = 144 + int.from_bytes(path.read_bytes()[140:144], "little")
    ours = decode(path.read_bytes()[start:], EXPLICIT)
    for key in ("00080060", "00100010", "00200032", "00280030", "00081140"):
        left, right = ({key: one.get(key, {"vr": "UN"})} for one in (theirs, ours))
        assert encode(left, EXPLICIT) == encode(right, EXPLICIT), key


def test_dcmtk_reads_the_same_names(tmp_path):
    """A file made of what came back from XML says to DCMTK what it said before."""
    small = {
        key: RICH[key] for key in RICH if key[:4] not in ("0009", "7FE0")
    }  # DCMTK escapes no "&"
    meta = encode_file_meta(
        sop_class_uid="1.2.840.10008.5.1.4.1.1.7", sop_instance_uid="1.2.3",
        transfer_syntax_uid=EXPLICIT,
    )  # fmt: skip
    file = tmp_path / "a.dcm"
    file.write_bytes(meta + encode(parse_native_model(dump_native_model(small)), EXPLICIT))
    text = subprocess.run(
        ["dcm2xml", "-nat", "+U8", str(file)], capture_output=True, check=True, timeout=30
    ).stdout
    assert parse_native_model(text)["00100010"]["Value"][0] == RICH["00100010"]["Value"][0]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<a",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><NativeDicomModel/>',
        b'<!DOCTYPE NativeDicomModel SYSTEM "file:///etc/passwd"><NativeDicomModel/>',
        b"<NativeDicomModel><x/></NativeDicomModel>",
        b'<NativeDicomModel><DicomAttribute tag="1" vr="CS"/></NativeDicomModel>',
        b'<NativeDicomModel><DicomAttribute tag="00100010" vr="XX"/></NativeDicomModel>',
        (
            b'<NativeDicomModel><DicomAttribute tag="00100010" vr="PN"><Value number="1">a</Value>'
            b"</DicomAttribute></NativeDicomModel>"
        ),
        (
            b'<NativeDicomModel><DicomAttribute tag="00080060" vr="CS"><Value number="999999">a'
            b"</Value></DicomAttribute></NativeDicomModel>"
        ),
        b"<NativeDicomModel>"
        + b'<DicomAttribute tag="00400555" vr="SQ"><Item number="1">' * 60
        + b"</Item></DicomAttribute>" * 60
        + b"</NativeDicomModel>",
        b'<NativeDicomModel xmlns:x="u">' + b"<x:a>" * 100_000,
    ],
)
def test_what_is_no_model_is_refused(raw):
    """A typed error: no document type, no entity, no other shape, no depth without end."""
    with pytest.raises(BadNativeModel):
        parse_native_model(raw)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1).filter(
    lambda text: text.isprintable() and text.strip() == text
)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(TEXT, min_size=1, max_size=4), creator=TEXT)
def test_any_text_survives(values, creator):
    """What is printable comes back as it went in."""
    one = {"00090010": {"vr": "LO", "Value": [creator]}, "00091001": {"vr": "UC", "Value": values}}
    assert parse_native_model(dump_native_model(one)) == one


@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=300))
def test_any_bytes_end_in_a_typed_error(raw):
    """Nothing else than ``BadNativeModel``."""
    with pytest.raises(BadNativeModel):
        parse_native_model(b"<NativeDicomModel>" + raw)
