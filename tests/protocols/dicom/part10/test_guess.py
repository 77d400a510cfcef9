"""Files without a preamble are known by their first attribute, or not at all."""

from pathlib import Path

import pytest

from negatoscope.protocols.dicom.dataset import DataSetScanner
from negatoscope.protocols.dicom.part10 import NotPart10, Part10Error, guess_file_meta
from negatoscope.standard import tags

REAL = {
    "sc/OT-PAL-8-face.dcm": "1.2.840.10008.1.2",
    "rt/pymedphys-plan.dcm": "1.2.840.10008.1.2",
    "rt/rtstruct.dcm": "1.2.840.10008.1.2",
    "transfer-syntaxes/jpeg-ls/JLSL_RGB_ILV0.dcm": "1.2.840.10008.1.2.4.80",
    "transfer-syntaxes/jpeg-ls/JLSN_RGB_ILV0.dcm": "1.2.840.10008.1.2.4.81",
    "malformed/ExplVR_BigEndNoMeta.dcm": "1.2.840.10008.1.2.2",
    "malformed/ExplVR_LitEndNoMeta.dcm": "1.2.840.10008.1.2.1",
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_without_preamble_scan_to_the_end(shared_data: Path, name: str):
    """Data sets of each syntax, and group 0002 at the very front."""
    raw = (shared_data / name).read_bytes()
    meta = guess_file_meta(raw)
    assert meta.transfer_syntax_uid == REAL[name]
    scanner = DataSetScanner(meta.transfer_syntax_uid)
    scanner.feed(raw[meta.data_set_offset :])
    assert scanner.finish().text(tags.SOP_CLASS_UID)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x08\x00\x05",
        b"MZ\x90\x00\x03\x00\x00\x00",
        b"%PDF-1.7\n%\xe2\xe3",
        b"<!DOCTYPE html>",
        b"PK\x03\x04" + bytes(100),
        bytes(200),
        b"\x08\x00\x05\x00\xff\xff\xff\xff",
        b"\x08\x00\x99\x00CS\x02\x00AB",
    ],
)
def test_other_files_are_not_dicom(raw):
    """No guess beyond the first attribute."""
    with pytest.raises(NotPart10):
        guess_file_meta(raw)


def test_group_0002_at_the_front_is_judged_as_ever():
    """Without a transfer syntax it is of no use."""
    with pytest.raises(Part10Error):
        guess_file_meta(b"\x02\x00\x02\x00UI\x04\x001.2\x00\x08\x00")
