"""Files that are broken, on purpose or in the wild: what each one is answered, and why.

Some are only odd, and are kept as they are; the others are refused with the code of the conformance
statement that says what is wrong, by STOW-RS and by ``negatoscope import`` alike.
"""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(180)

KEPT = None
"""The object says who it is and can be read to its end."""
UNREADABLE, TRUNCATED, NOT_PART10, UNIDENTIFIED = 0xC000, 0xC001, 0xC004, 0xC005
NO_INSTANCE_UID = 0x0117

EXPECTED: dict[str, int | None] = {
    "CTImageStorage_bad_meta.dcm": KEPT,  # meta information without SOP Class UID
    "ExplVR_BigEndNoMeta.dcm": NOT_PART10,
    "ExplVR_LitEndNoMeta.dcm": NOT_PART10,
    "GH177_D_CLUNIE_CT1_IVRLE_BigEndian_undefined_length.dcm": UNREADABLE,  # big endian under a little endian syntax
    "GH223.dcm": UNIDENTIFIED,
    "GH487.dcm": UNIDENTIFIED,
    "J2K_pixelrep_mismatch.dcm": KEPT,  # the code stream disagrees with Pixel Representation: a matter of display
    "JPEG2000-embedded-sequence-delimiter.dcm": KEPT,  # a delimiter's bytes inside a fragment are pixels
    "MR_truncated.dcm": TRUNCATED,
    "UN_sequence.dcm": NO_INSTANCE_UID,
    "badVR.dcm": KEPT,  # a value that its VR does not allow is kept as it is
    "bad_sequence.dcm": NO_INSTANCE_UID,  # UIDs that are hexadecimal digests
    "empty_charset_LEI.dcm": NO_INSTANCE_UID,
    "emri_small_jpeg_2k_lossless_too_short.dcm": TRUNCATED,
    "explicit_VR-UN.dcm": KEPT,
    "invalid-vr-length-test.dcm": KEPT,
    "meta_missing_tsyntax.dcm": NOT_PART10,
    "nested_priv_SQ.dcm": UNREADABLE,  # group 0001
    "no-meta-length-test.dcm": UNIDENTIFIED,
    "no_meta.dcm": NOT_PART10,
    "no_meta_group_length.dcm": NO_INSTANCE_UID,
    "priv_SQ.dcm": NO_INSTANCE_UID,
    "rtplan_truncated.dcm": TRUNCATED,
}


@pytest.fixture(scope="module")
def malformed(shared_data: Path) -> list[Path]:
    """The files."""
    return sorted((shared_data / "malformed").iterdir())


def stow(archive: Any, path: Path) -> tuple[int, Any]:
    """Status and answer of STOW-RS for one file."""
    answer = archive.client().post(
        "studies",
        content=b"--b\r\nContent-Type: application/dicom\r\n\r\n"
        + path.read_bytes()
        + b"\r\n--b--\r\n",
        headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'},
    )
    return answer.status_code, answer.json()


def test_every_file_is_in_the_table(malformed: list[Path]) -> None:
    """A new file needs a decision."""
    assert {path.name for path in malformed} == set(EXPECTED)


def test_each_is_kept_or_refused_with_its_reason(archive: Any, malformed: list[Path]) -> None:
    """STOW-RS: 200 and the object is given back unaltered, or 409 with the Failure Reason of the table."""
    got: dict[str, int | None] = {}
    for path in malformed:
        status, answer = stow(archive, path)
        if status == 200:
            got[path.name] = KEPT
            (item,) = answer["00081199"]["Value"]
            url = item["00081190"]["Value"][0]
            back = archive.client().get(
                url, headers={"Accept": "application/dicom; transfer-syntax=*"}
            )
            assert back.status_code == 200, path.name
            length = 144 + int.from_bytes(back.content[140:144], "little")
            assert path.read_bytes().endswith(back.content[length:]), path.name
        else:
            assert status == 409, f"{path.name}: {status}"
            (item,) = (answer.get("00081198") or answer["0008119A"])["Value"]
            got[path.name] = item["00081197"]["Value"][0]
    assert got == EXPECTED


def test_import_says_the_same_per_file(archive: Any, malformed: list[Path], tmp_path: Path) -> None:
    """Exit code 1 and a line per file; what is no DICOM file at all is skipped."""
    report = tmp_path / "report.tsv"
    done = archive.run("import", str(malformed[0].parent), "--report", str(report), check=False)
    assert done.returncode == 1
    lines = [line.split("\t") for line in report.read_text().splitlines()[1:]]
    results = {Path(line[0]).name: line[1] for line in lines}
    assert set(results) == set(EXPECTED)
    for name, expected in EXPECTED.items():
        if expected is KEPT:
            assert results[name] in ("STORED", "DUPLICATE"), name
        elif results[name] != "FAILED":
            assert results[name] == "SKIPPED"
            assert expected == NOT_PART10, name
    assert all(line[-1] for line in lines if line[1] == "FAILED")
