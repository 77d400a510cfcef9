"""Elements in another transfer syntax: every value as it was."""

from pathlib import Path

import pytest

from negatoscope.protocols.dicom.dataset import DataSetError, decode
from negatoscope.protocols.dicom.part10 import Part10Error, read_file_meta
from negatoscope.protocols.dicom.pixel.rewrite import rewrite
from negatoscope.standard import transfer_syntaxes as ts

#: Some say here another representation than the dictionary, which implicit VR cannot: LUT Data as
#: OW or US, and a retired attribute.
OTHERWISE = {"00283006", "00189445"}
TARGETS = (ts.IMPLICIT_VR_LITTLE_ENDIAN, ts.EXPLICIT_VR_LITTLE_ENDIAN, ts.EXPLICIT_VR_BIG_ENDIAN)


def _heads(folder: Path):
    for path in sorted(folder.rglob("*.dcm")):
        raw = path.read_bytes()
        if raw[128:132] != b"DICM" or "malformed" in path.parts:
            continue
        try:
            meta = read_file_meta(raw)
        except Part10Error:
            continue
        if not ts.transfer_syntax(meta.transfer_syntax_uid).is_deflated:
            yield path.name, meta.transfer_syntax_uid, raw[meta.data_set_offset :]


def _values(data: bytes, uid: str):
    """DICOM JSON without what a syntax cannot say of private attributes."""

    def plain(attributes):
        out = {}
        for key, attribute in attributes.items():
            if int(key[:4], 16) % 2 or attribute["vr"] == "UN" or key in OTHERWISE:
                continue
            if attribute["vr"] == "SQ":
                out[key] = [plain(item) for item in attribute.get("Value", [])]
            else:
                out[key] = attribute.get("Value", attribute.get("InlineBinary"))
        return out

    return plain(decode(data, uid))


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_reads_the_same(shared_data: Path, target: str) -> None:
    """Values of all standard attributes, sequences included."""
    count = 0
    for name, uid, data in _heads(shared_data):
        try:
            before = _values(data, uid)
        except DataSetError:
            continue
        after = rewrite(data, uid, target, changes={})
        got = _values(after.data, target)
        if "00880200" not in got:
            before.pop("00880200", None)  # a compressed icon
        assert got == before, name
        count += 1
    assert count > 250


def test_the_same_kind_of_syntax_is_a_copy(shared_data: Path) -> None:
    """Byte by byte, private elements and undefined lengths included."""
    count = 0
    for name, uid, data in _heads(shared_data):
        if ts.transfer_syntax(uid).is_implicit_vr or uid == ts.EXPLICIT_VR_BIG_ENDIAN:
            continue
        try:
            decode(data, uid)
        except DataSetError:
            continue
        after = rewrite(data, uid, ts.JPEG_LS_LOSSLESS, changes={})
        assert data.startswith(after.data), name
        count += 1
    assert count > 180


def test_changes_are_put_in_order() -> None:
    """Written, replaced, left out."""
    data = (
        b"\x28\x00\x02\x00US\x02\x00\x01\x00"
        b"\x28\x00\x04\x00CS\x04\x00RGB "
        b"\x28\x00\x10\x00US\x02\x00\x08\x00"
    )
    uid = ts.EXPLICIT_VR_LITTLE_ENDIAN
    changes = {
        "00280004": {"vr": "CS", "Value": ["YBR_RCT"]},
        "00280006": {"vr": "US", "Value": [0]},
        "00280010": None,
    }
    out = decode(rewrite(data, uid, uid, changes=changes).data, uid)
    assert list(out) == ["00280002", "00280004", "00280006"]
    assert out["00280004"]["Value"] == ["YBR_RCT"]
