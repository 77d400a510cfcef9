"""``negatoscope dump``: what DCMTK's dcmdump sees, and files that want to do harm."""

import json
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pydicom
import pytest
from click.testing import CliRunner
from pydicom.dataset import Dataset, FileMetaDataset

from negatoscope.cli.dump import dump

LINE = re.compile(r"^\s*\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\) (\S\S)", re.MULTILINE)


def run(*arguments: str | Path):
    """The command's result."""
    return CliRunner().invoke(dump, [str(argument) for argument in arguments])


def tags(text: str) -> list[tuple[str, str]]:
    """Tag of every element of a dump; items and fragments left out."""
    return [found.group(1, 2) for found in LINE.finditer(text.lower()) if found[1] != "fffe"]


def saved(path: Path, one: Dataset, *, syntax: str = "1.2.840.10008.1.2.1") -> Path:
    """A Part 10 file of a data set."""
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = syntax
    one.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    one.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    one.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def example() -> Dataset:
    """Text in a declared character set, sequences, a private block."""
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 100"
    one.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    one.PatientName = "LEFÈVRE^Noël"
    one.PixelRepresentation, one.SmallestImagePixelValue = 1, -7
    inner = Dataset()
    inner.CodeValue = "121320"
    outer = Dataset()
    outer.PurposeOfReferenceCodeSequence = [inner]
    one.SourceImageSequence = [outer, Dataset()]
    block = one.private_block(0x0029, "ACME 1.0", create=True)
    block.add_new(0x10, "LO", "own")
    block.add_new(0x11, "OB", bytes(range(200)))
    return one


def test_what_people_read(example, tmp_path):
    """Keyword, value in its character set, item inside sequence, creator of a private element."""
    text = run(saved(tmp_path / "a.dcm", example)).stdout
    assert "PatientName                     LEFÈVRE^Noël" in text
    assert "1.2.840.10008.5.1.4.1.1.7 = Secondary Capture Image Storage" in text
    assert re.search(r"\n\(0008,2112\) SQ .*SourceImageSequence\n  item 1 ", text)
    assert re.search(r"\n    \(0040,A170\) SQ .*\n      item 1 .*\n {8}\(0008,0100\) SH", text)
    assert re.search(r"\(0029,1010\) LO      4  \[ACME 1\.0\] +own", text)
    assert re.search(r"SmallestImagePixelValue +-7", text)
    assert re.search(r"\(0029,1011\) OB    200 .* 00 01 02 .*…", text)


def test_longest_value_shown(example, tmp_path):
    """Chosen; zero shows all."""
    path = saved(tmp_path / "a.dcm", example)
    assert "LEFÈ…" in run(path, "--max-length", "4").stdout
    assert bytes(range(200)).hex(" ") in run(path, "--max-length", "0").stdout


def test_json_is_the_dicom_json_model(example, tmp_path):
    """As pydicom writes it, long binary values by reference."""
    path = saved(tmp_path / "a.dcm", example)
    said = json.loads(run(path, "--json", "--max-length", "0").stdout)
    assert said == pydicom.dcmread(path).to_json_dict()
    assert "BulkDataURI" in json.loads(run(path, "--json").stdout)["00291011"]


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99"])
def test_other_forms(example, tmp_path, syntax):
    """Implicit VR and deflated say the same; so does a bare data set."""
    explicit = run(saved(tmp_path / "a.dcm", example)).stdout
    other = run(saved(tmp_path / "b.dcm", example, syntax=syntax)).stdout
    assert tags(other)[7:] == tags(explicit)[7:]
    file = saved(tmp_path / "c.dcm", example, syntax="1.2.840.10008.1.2").read_bytes()
    (tmp_path / "bare").write_bytes(file[144 + int.from_bytes(file[140:144], "little") :])
    bare = run(tmp_path / "bare")
    assert "data set without preamble" in bare.stdout
    assert [tag for tag in tags(bare.stdout) if tag[0] != "0002"] == [
        tag for tag in tags(explicit) if tag[0] != "0002"
    ]


@pytest.mark.stranger
@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="NO DCMTK: dcmdump is not here")
def test_same_tags_as_dcmdump(shared_data):
    """Of the real objects that DCMTK reads: the same tags in the same order, at all levels."""
    compared = 0
    for path in sorted(shared_data.rglob("*.dcm"))[::2]:
        if path.stat().st_size > 4_000_000 or "malformed" in path.parts:
            continue
        theirs = subprocess.run(
            ["dcmdump", "-q", "+R", "32", str(path)], capture_output=True, timeout=60, check=False
        )
        ours = run(path)
        if theirs.returncode or b"E:" in theirs.stderr:
            continue
        assert ours.exit_code == 0, f"{path}: {ours.output[-300:]}"
        assert tags(ours.stdout) == tags(theirs.stdout.decode("latin-1")), path
        compared += 1
    assert compared > 100


def element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """Explicit VR little endian."""
    size = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr
    if vr in (b"SQ", b"OB", b"UN", b"UT"):
        return head + struct.pack("<HI", 0, size) + value
    return head + struct.pack("<H", size) + value


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (element(0x00081140, b"SQ", b"\xfe\xff\x00\xe0\xff\xff\xff\xff" * 1) * 100, "sequences"),
        (element(0x00100010, b"PN", b"X", 600), "has 1 of 600 bytes"),
        (element(0x00081140, b"SQ", b"\xfe\xff\x00\xe0\x00\x00\x00\x10", 8), "item is longer"),
        (b"\x10\x00\x10\x00??\x00\x00", "no value representation"),
        (element(0x7FE00010, b"OB", b"\xfe\xff\x00\xe0\x00\x01\x00\x00", 0xFFFFFFFF), "fragment"),
    ],
)  # fmt: skip
def test_hostile_files_end_with_a_reason(tmp_path, rest, reason):
    """What could be read is shown, then one line says what is wrong; never a traceback."""
    if b"SQ" in rest[:6] and len(rest) > 1000:
        item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
        rest = element(0x00081140, b"SQ", item, 0xFFFFFFFF) * 100
    path = tmp_path / "bad.dcm"
    path.write_bytes(element(0x00080005, b"CS", b"ISO_IR 100") + rest)
    done = run(path)
    assert done.exit_code == 1
    assert "SpecificCharacterSet" in done.stdout
    assert reason in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_no_control_character_reaches_the_terminal(tmp_path):
    """Escape sequences in values are shown, not sent."""
    path = tmp_path / "bad.dcm"
    path.write_bytes(
        element(0x00080005, b"CS", b"") + element(0x00080080, b"LO", b"\x1b]0;x\x07\r!")
    )
    text = run(path).stdout
    assert "\x1b" not in text
    assert "]0;x\\x07\\r!" in text


def test_what_is_not_dicom(tmp_path):
    """Said so."""
    (tmp_path / "a.txt").write_text("Guten Tag" * 100)
    (tmp_path / "empty").touch()
    for name, reason in (("a.txt", "neither a preamble"), ("empty", "is empty"), ("no", "No such")):
        done = run(tmp_path / name)
        assert (done.exit_code, reason in done.output) == (1, True)
