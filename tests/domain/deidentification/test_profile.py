"""The Basic Profile: every row of Table E.1-1, references, pixels, every object of the corpus."""

import pydicom
import pytest
from pydicom.dataset import Dataset

from negatoscope.domain.deidentification import BurnedIn, Deidentifier
from negatoscope.kit.uid import is_valid_uid
from negatoscope.protocols.dicom.dataset import decode, encode
from negatoscope.protocols.dicom.json import in_unicode
from negatoscope.protocols.dicom.part10 import read_file_meta
from negatoscope.protocols.dicom.part10.errors import BadUid
from negatoscope.standard import tags
from negatoscope.standard._generated.confidentiality_profile import ACTIONS
from negatoscope.standard.confidentiality import ProfileAction, basic_profile_action

KEY = Deidentifier(key=b"k" * 32)
EXPLICIT = "1.2.840.10008.1.2.1"
#: Some of each VR that must not come out anywhere.
SECRETS = {
    "AE": "SECRETAE", "AS": "077Y", "CS": "SECRETCS", "DA": "19610503", "DS": "77.125",
    "DT": "19610503101500", "IS": "7712", "LO": "Secret LO", "LT": "Secret LT",
    "PN": {"Alphabetic": "SECRET^Éloïse"}, "SH": "Secret SH", "ST": "Secret ST", "TM": "101577",
    "UC": "Secret UC", "UI": "1.2.3.77", "UR": "http://secret", "UT": "Secret UT", "AT": "00100010",
    "FD": 77.25, "FL": 77.25, "SL": 7712, "SS": 7712, "SV": 7712, "UL": 7712, "US": 7712, "UV": 7712,
}  # fmt: skip
BYTES = {"vr": "OB", "InlineBinary": "c2VjcmV0IGJ5dGVz"}


def element_of(tag: int) -> dict[str, object]:
    """An attribute with something secret in it."""
    vr = tags.vr_for(tag)
    if vr == "SQ":
        return {"vr": vr, "Value": [{"00100010": {"vr": "PN", "Value": [SECRETS["PN"]]},
                                      "0040A160": {"vr": "UT", "Value": ["Secret"]}}]}  # fmt: skip
    if vr in SECRETS:
        return {"vr": vr, "Value": [SECRETS[vr]]}
    return BYTES | {"vr": vr}


@pytest.mark.parametrize("action", [one.choice for one in ProfileAction if one.choice is one])
def test_each_row_of_the_table(action: ProfileAction) -> None:
    """No value of it is what it was; what may be of Type 1 has a value, what goes is gone."""
    for tag in ACTIONS:
        if basic_profile_action(tag).choice is not action or tags.dictionary_vr(tag) is None:
            continue
        given = element_of(tag)
        key = f"{tag:08X}"
        nested = {"0040A043": {"vr": "SQ", "Value": [{key: given}]}}
        found = KEY.attributes({key: given}).get(key)
        inside = KEY.attributes(nested)["0040A043"]["Value"][0].get(key)
        assert found == inside, key
        if action is ProfileAction.REMOVE:
            assert inside is None, key
        elif action is ProfileAction.ZERO:
            assert inside == {"vr": given["vr"]}, key
        else:
            assert action in {ProfileAction.DUMMY, ProfileAction.UID}
            secret = "SECRET" if action is ProfileAction.DUMMY else "SECRET^"
            assert secret not in str(inside).upper(), key
            if given["vr"] != "SQ":
                assert inside is not None
                assert inside != given, key
                assert inside.get("Value") or inside.get("InlineBinary"), key


def test_the_table_is_whole() -> None:
    """As many rows as are published, of each action; some that everybody knows."""
    assert len(ACTIONS) == 652
    for keyword, action in (
        ("PatientName", "Z"), ("PatientID", "Z/D"), ("PatientBirthDate", "Z"), ("StudyDate", "Z"),
        ("StudyInstanceUID", "U"), ("AccessionNumber", "Z"), ("InstitutionName", "X/Z/D"),
        ("ReferringPhysicianName", "Z"), ("OtherPatientIDs", "X"), ("PatientAge", "X"),
        ("StudyDescription", "X"), ("Rows", "K"), ("PixelData", "K"),
        ("ReferencedImageSequence", "X/Z/U*"), ("ContentSequence", "D"),
    ):  # fmt: skip
        tag = tags.tag_for_keyword(keyword)
        assert tag is not None
        assert basic_profile_action(tag) == action, keyword


def test_uids_are_the_same_everywhere_and_nobody_finds_the_way_back() -> None:
    """References hold across objects; another key gives others; the standard's own stay."""
    one = KEY.attributes({
        "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
        "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
        "00081115": {"vr": "SQ", "Value": [{"0020000E": {"vr": "UI", "Value": ["1.2.3"]}}]},
    })  # fmt: skip
    new = one["0020000D"]["Value"][0]
    assert new != "1.2.3"
    assert is_valid_uid(new)
    assert one["00081115"]["Value"][0]["0020000E"]["Value"] == [new]
    assert one["00080016"]["Value"] == ["1.2.840.10008.5.1.4.1.1.2"]
    assert Deidentifier(key=b"other").uid("1.2.3") != new
    assert Deidentifier(key=b"k" * 32).uid("1.2.3\0") == new


def test_private_and_unknown_attributes_go() -> None:
    """At every depth: nobody can say what they hold."""
    found = KEY.attributes({
        "00091010": {"vr": "LO", "Value": ["private"]},
        "00092010": {"vr": "UN", "InlineBinary": "AAAA"},
        "00080F0E": {"vr": "LO", "Value": ["unknown"]},
        "0040A170": {"vr": "SQ", "Value": [{"00111010": {"vr": "LO", "Value": ["private"]}}]},
        "60003000": {"vr": "OW", "InlineBinary": "AAAA"},
        "60024000": {"vr": "LT", "Value": ["comment"]},
        "50003000": {"vr": "OW", "InlineBinary": "AAAA"},
    })  # fmt: skip
    assert set(found) == {"00080005", "00120062", "00120063", "00120064", "00280303", "0040A170"}
    assert found["0040A170"]["Value"] == [{}]
    assert found["00120062"]["Value"] == ["YES"]


def test_burned_in_is_refused_unless_allowed() -> None:
    """Burned In Annotation (0028,0301)."""
    given = {"00280301": {"vr": "CS", "Value": ["YES "]}}
    with pytest.raises(BurnedIn):
        KEY.attributes(given)
    allowed = Deidentifier(key=b"k", are_burned_in_taken=True).attributes(given)
    assert allowed["00280301"] == given["00280301"]


def test_pseudonyms_of_a_project() -> None:
    """Instead of what is emptied, also where there was nothing."""
    found = Deidentifier(key=b"k", patient_id="P-007", patient_name="Étude^7").attributes({})
    assert found["00100020"]["Value"] == ["P-007"]
    assert found["00100010"]["Value"] == [{"Alphabetic": "Étude^7"}]


def values_of(data_set: Dataset) -> tuple[set[str], set[str]]:
    """Texts that the table names, and those that it leaves."""
    named: set[str] = set()
    left: set[str] = set()
    for element in data_set.iterall():
        if element.VR in {"SQ", "OB", "OW", "UN", "OF", "OD", "OL"}:
            continue
        values = element.value if isinstance(element.value, list) else [element.value]
        is_kept = basic_profile_action(element.tag) is ProfileAction.KEEP
        (left if is_kept else named).update(str(value).strip() for value in values)
    return named, left


def test_nothing_of_the_corpus_comes_through(shared_data) -> None:
    """Of every object, what the table names is in no byte of the result."""
    tried = 0
    engine = Deidentifier(key=b"k", are_burned_in_taken=True)
    for path in sorted(shared_data.rglob("*.dcm")):
        data = path.read_bytes()
        if "malformed" in path.parts or len(data) > 1 << 20 or data[128:132] != b"DICM":
            continue
        try:
            meta = read_file_meta(data)
        except BadUid:
            continue
        if meta.transfer_syntax_uid not in {EXPLICIT, "1.2.840.10008.1.2"}:
            continue
        body = data[meta.data_set_offset :]
        given = decode(body, meta.transfer_syntax_uid, bulk_uri=str, bulk_threshold=1 << 30)
        for pixels in ("7FE00008", "7FE00009", "7FE00010"):
            given.pop(pixels, None)
        raw = encode(engine.attributes(in_unicode(given)), EXPLICIT, charset="ISO_IR 192")
        named, left = values_of(pydicom.dcmread(path, stop_before_pixels=True))
        for secret in named:
            if len(secret) < 8 or secret.startswith("1.2.840.10008.") or secret in str(left):
                continue
            assert secret.encode("utf-8", "replace") not in raw, f"{path.name}: {secret}"
        tried += 1
    assert tried > 100
