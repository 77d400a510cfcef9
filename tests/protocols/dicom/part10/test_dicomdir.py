"""DICOMDIR: files found whatever the encoding, none outside the medium."""

import shutil
from pathlib import Path

import pytest

import hostile
from negatoscope.protocols.dicom.dataset import encode
from negatoscope.protocols.dicom.part10 import encode_file_meta
from negatoscope.protocols.dicom.part10.dicomdir import DicomdirError, read_dicomdir

DIRECTORY = "1.2.840.10008.1.3.10"


def write(folder: Path, *names: list[str], raw: bytes | None = None) -> Path:
    """A DICOMDIR of image records."""
    records = [
        {
            "00041410": {"vr": "US", "Value": [0xFFFF]},
            "00041430": {"vr": "CS", "Value": ["IMAGE"]},
            "00041500": {"vr": "CS", "Value": name},
            "00041511": {"vr": "UI", "Value": [f"1.2.{number}"]},
        }
        for number, name in enumerate(names)
    ]
    body = raw if raw is not None else encode(
        {"00041220": {"vr": "SQ", "Value": records}}, hostile.EXPLICIT_LE
    )  # fmt: skip
    path = folder / "DICOMDIR"
    head = encode_file_meta(
        sop_class_uid=DIRECTORY, sop_instance_uid="1.2.3", transfer_syntax_uid=hostile.EXPLICIT_LE
    )
    path.write_bytes(head + body)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "DICOMDIR",
        "DICOMDIR-bigEnd",
        "DICOMDIR-implicit",
        "DICOMDIR-nopatient",
        "DICOMDIR-reordered",
    ],
)
def test_real_directories_name_their_files(shared_data: Path, name: str):
    """Every syntax, and chains that are broken: the 31 images are found."""
    directory = read_dicomdir(shared_data / "dicomdir" / name)
    entries = list(directory.entries())
    assert len(entries) == 31
    assert all(entry.path is not None and entry.path.is_file() for entry in entries)
    assert {entry.record_type for entry in entries} == {"IMAGE"}
    assert all(entry.sop_instance_uid for entry in entries)
    assert len(list(directory.files())) == 31


def test_a_directory_whose_lengths_lie_is_refused(shared_data: Path):
    """Its items run beyond their sequence."""
    with pytest.raises(DicomdirError):
        list(read_dicomdir(shared_data / "dicomdir" / "DICOMDIR-nooffset").files())


@pytest.mark.parametrize(
    "components",
    [
        ["..", "outside"],
        ["A", "..", "..", "outside"],
        ["/etc/passwd"],
        ["", "etc", "passwd"],
        ["A/../../outside"],
        ["C:", "WINDOWS"],
        ["."],
        ["A\nB"],
        ["X" * 300],
        ["A"] * 40,
        ["LINK", "secret"],
        ["LINKFILE"],
        ["LOOP", "x"],
    ],
)
def test_names_that_lead_out_are_refused_and_the_others_still_come(tmp_path: Path, components):
    """Parents, absolute names, drives, links: row 42 of the faults."""
    medium = tmp_path / "medium"
    medium.mkdir()
    (tmp_path / "outside").write_bytes(b"secret")
    (tmp_path / "secret").write_bytes(b"secret")
    (medium / "LINK").symlink_to(tmp_path)
    (medium / "LINKFILE").symlink_to(tmp_path / "secret")
    (medium / "LOOP").symlink_to(medium / "LOOP")
    (medium / "IMG1").write_bytes(b"")
    directory = read_dicomdir(write(medium, components, ["IMG1"]))
    first, second = directory.entries()
    assert first.path is None or not first.path.exists()
    assert second.path == medium / "IMG1"
    found = []
    try:
        for path in directory.files():
            found.append(path)
    except DicomdirError:
        assert first.refusal
    assert medium / "IMG1" in found
    assert all(path.is_relative_to(medium) for path in found)


def test_case_and_version_suffixes_of_iso_9660_are_forgiven(tmp_path: Path):
    """A medium copied to disk often has other letters than its directory."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "ct0001.;1").write_bytes(b"")
    (entry,) = read_dicomdir(write(tmp_path, ["IMAGES", "CT0001"])).entries()
    assert entry.path == tmp_path / "images" / "ct0001.;1"


def test_what_is_no_directory_is_refused(tmp_path: Path, shared_data: Path):
    """Noise, an image, a truncated directory, bombs."""
    path = tmp_path / "DICOMDIR"
    path.write_bytes(b"not DICOM")
    with pytest.raises(DicomdirError):
        read_dicomdir(path)
    shutil.copy(shared_data / "ct" / "single" / "CT_small.dcm", path)
    with pytest.raises(DicomdirError):
        read_dicomdir(path)
    for raw in (
        hostile.nested(10_000),
        hostile.element(0x00041220, "SQ", b"", length=hostile.UNDEFINED),
        hostile.element(0x00041220, "SQ", hostile.item(b"", length=5000)),
    ):
        with pytest.raises(DicomdirError):
            list(read_dicomdir(write(tmp_path, raw=raw)).files())


def test_a_directory_of_many_records_costs_no_memory(tmp_path: Path):
    """Twenty thousand records are read one after the other."""
    record = hostile.item(
        hostile.element(0x00041430, "CS", b"IMAGE ") + hostile.element(0x00041500, "CS", b"IMG1")
    )
    raw = hostile.element(0x00041220, "SQ", record * 20_000)
    assert len(list(read_dicomdir(write(tmp_path, raw=raw)).files())) == 1
