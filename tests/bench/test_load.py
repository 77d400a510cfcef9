"""The generated load: valid objects, no two alike."""

from io import BytesIO

import pydicom
import pytest

from negatoscope.bench.load import (
    DATE_PLACE,
    EXPLICIT_VR_LITTLE_ENDIAN,
    NAME_PLACE,
    SHAPES,
    SOP_PLACE,
    STUDY_PLACE,
    LoadShape,
    Patcher,
    StudyIdentity,
    UidCounter,
    ct_data_set,
    object_bytes,
)
from negatoscope.kit.uid import is_valid_uid


def read(data_set: bytes) -> pydicom.Dataset:
    """The data set as pydicom reads it."""
    file = BytesIO(data_set)
    return pydicom.dcmread(file, force=True)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_objects_are_readable_images(shape: str) -> None:
    """Header and pixels agree."""
    data_set = read(object_bytes(SHAPES[shape]))
    assert data_set.Modality == "CT"
    assert len(data_set.PixelData) == SHAPES[shape].pixel_bytes
    assert data_set.Rows * data_set.Columns * 2 == SHAPES[shape].pixel_bytes


def test_the_header_of_a_large_object_announces_all_its_pixels() -> None:
    """Four gigabytes are announced, not made."""
    header = ct_data_set(LoadShape(rows=512, columns=512, frames=7629))
    assert int.from_bytes(header[-4:], "little") == 7629 * 512 * 512 * 2


def test_patching_replaces_every_place() -> None:
    """The next object has new identifiers and nothing of the old ones."""
    buffer = bytearray(object_bytes(SHAPES["1k"]))
    patcher = Patcher(buffer)
    uids = UidCounter()
    identity = StudyIdentity(uids).next()
    for place, value in identity.items():
        patcher.write(place, value)
    patcher.write(SOP_PLACE, b"2.25." + b"4" * 39)
    data_set = read(bytes(buffer))
    assert data_set.SOPInstanceUID == "2.25." + "4" * 39
    assert identity[STUDY_PLACE].decode() == data_set.StudyInstanceUID
    assert identity[NAME_PLACE].decode() == str(data_set.PatientName)
    assert identity[DATE_PLACE].decode() == data_set.StudyDate == data_set.ContentDate
    for place in identity:
        assert place.encode() not in buffer


def test_a_value_of_another_length_is_refused() -> None:
    """It would shift everything behind it."""
    patcher = Patcher(bytearray(object_bytes(SHAPES["1k"])))
    with pytest.raises(ValueError, match="does not fit"):
        patcher.write(SOP_PLACE, b"2.25.1")


def test_uids_are_valid_and_distinct() -> None:
    """And of one width."""
    uids = UidCounter()
    taken = [uids.take().decode() for _ in range(1000)]
    assert len(set(taken)) == 1000
    assert {len(uid) for uid in taken} == {44}
    assert all(map(is_valid_uid, taken))


def test_the_load_is_explicit_vr_little_endian() -> None:
    """What it is announced as."""
    assert pydicom.uid.ExplicitVRLittleEndian == EXPLICIT_VR_LITTLE_ENDIAN
    assert b"CS" in object_bytes(SHAPES["1k"])[:40]
