"""Overlays in unused bits of pixel cells (PS3.3-2003 §C.9.2), compared with DCMTK."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import pixel_array

from negatoscope.domain.viewing.attributes import make_header
from negatoscope.domain.viewing.drawing import draw
from negatoscope.domain.viewing.file_source import FileSource
from negatoscope.domain.viewing.pixels import PixelService
from negatoscope.domain.viewing.transcoding import Transcoder
from negatoscope.infra.settings import CodecSettings
from negatoscope.protocols.dicom.pixel.codecs import encode_frame
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.display.overlays import read_overlays
from negatoscope.standard import transfer_syntaxes as ts

ROWS, COLUMNS = 36, 50
PIXELS = np.linspace(0, 4095, ROWS * COLUMNS).astype("<u2").reshape(ROWS, COLUMNS)


def plane(seed: int) -> np.ndarray:
    """A drawing: a frame and a few points."""
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[4 + seed : 9 + seed, 5:15] = True
    mask[5 + seed : 8 + seed, 6:14] = False
    mask[20, 3 * seed :: 7] = True
    return mask


def image(*, frames: int = 1, signed: bool = False) -> Dataset:
    """Twelve bits stored, an overlay in bit 12 and another in bit 15."""
    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ts.EXPLICIT_VR_LITTLE_ENDIAN
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7.3"
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID = "1.2.3.4"
    one.StudyInstanceUID, one.SeriesInstanceUID = "1.2.3.5", "1.2.3.6"
    one.Rows, one.Columns, one.NumberOfFrames = ROWS, COLUMNS, frames
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit = 16, 12, 11
    one.PixelRepresentation = int(signed)
    one.WindowCenter, one.WindowWidth = (0 if signed else 2048), 4096
    one.RescaleIntercept, one.RescaleSlope = 0, 1
    cells = []
    for number in range(frames):
        values = (PIXELS.astype("i4") - (2048 if signed else 0)) & 0xFFF
        values |= plane(number).astype("i4") << 12 | plane(number + 3).astype("i4") << 15
        cells.append(values.astype("<u2").tobytes())
    one.PixelData = b"".join(cells)
    for group, bit in ((0x6000, 12), (0x6002, 15)):
        one.add_new(group << 16 | 0x0010, "US", ROWS)
        one.add_new(group << 16 | 0x0011, "US", COLUMNS)
        if frames > 1:
            one.add_new(group << 16 | 0x0015, "IS", frames)
            one.add_new(group << 16 | 0x0051, "US", 1)
        one.add_new(group << 16 | 0x0040, "CS", "G")
        one.add_new(group << 16 | 0x0050, "SS", [1, 1])
        one.add_new(group << 16 | 0x0100, "US", 16)
        one.add_new(group << 16 | 0x0102, "US", bit)
    return one


def written(one: Dataset, path: Path) -> Path:
    """As a file."""
    pydicom.dcmwrite(path, one, enforce_file_format=True)
    return path


def by_us(path: Path, number: int) -> np.ndarray:
    """The picture of a frame of a file, as the server draws it."""
    opened = FileSource(path, bulk_threshold=64 << 20)
    header = make_header(opened.attributes)
    arguments = {
        "description": {
            slot: getattr(PixelDescription.of(header.shown), slot)
            for slot in PixelDescription.__slots__
        },
        "transfer_syntax_uid": opened.transfer_syntax_uid,
        "wish": {},
        "media_type": "image/png",
        "quality": None,
        "number": number,
        "data_set": header.of_frame(number),
    }
    _, body = draw(arguments, (memoryview(opened.frame(number)),))
    out = path.with_suffix(".ours.png")
    out.write_bytes(body)
    return np.asarray(Image.open(out))


def by_dcmtk(path: Path, number: int) -> np.ndarray:
    """The same by dcmj2pnm, which replaces pixels under a graphic overlay."""
    out = path.with_suffix(f".{number}.png")
    command = ["dcmj2pnm", "--write-png", "--use-window", "1", "--frame", str(number)]
    subprocess.run([*command, str(path), str(out)], check=True, capture_output=True)
    return np.asarray(Image.open(out))


@pytest.mark.skipif(shutil.which("dcmj2pnm") is None, reason="DCMTK is not installed")
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("frames", [1, 3])
def test_as_dcmtk_draws_them(tmp_path: Path, frames: int, signed: bool) -> None:
    """Native cells of one and of several frames, each with its own drawing."""
    path = written(image(frames=frames, signed=signed), tmp_path / "one.dcm")
    for number in range(1, frames + 1):
        ours, theirs = by_us(path, number), by_dcmtk(path, number)
        drawn = plane(number - 1) | plane(number + 2)
        assert (ours[drawn] == 255).all()
        assert np.abs(ours.astype(int) - theirs).max() <= 1, number
        assert not (ours[~drawn] == 255).all()


CODED = (
    ts.RLE_LOSSLESS,
    ts.JPEG_LOSSLESS_SV1,
    ts.JPEG_LS_LOSSLESS,
    ts.JPEG_2000_LOSSLESS,
    ts.HTJ2K_LOSSLESS,
)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("uid", CODED)
def test_in_compressed_cells_of_all_bits(tmp_path: Path, uid: str, signed: bool) -> None:
    """Encoders that kept the whole cell: the picture is that of the native object."""
    one = image(signed=signed)
    native = by_us(written(one, tmp_path / "native.dcm"), 1)
    cells = np.frombuffer(one.PixelData, "<u2").reshape(ROWS, COLUMNS)
    whole = PixelDescription(rows=ROWS, columns=COLUMNS)
    coded = encode_frame(cells, whole, uid)
    one.file_meta.TransferSyntaxUID = uid
    one.PixelData = pydicom.encaps.encapsulate([coded])
    one["PixelData"].VR = "OB"
    one["PixelData"].is_undefined_length = True
    assert (by_us(written(one, tmp_path / "coded.dcm"), 1) == native).all()


def test_bits_of_the_pixels_are_no_overlay() -> None:
    """An Overlay Bit Position inside Bits Stored names no overlay; one below the low bit does."""
    data_set = {
        "60000010": {"vr": "US", "Value": [2]},
        "60000011": {"vr": "US", "Value": [2]},
        "60000102": {"vr": "US", "Value": [0]},
        "00280100": {"vr": "US", "Value": [16]},
        "00280101": {"vr": "US", "Value": [12]},
        "00280102": {"vr": "US", "Value": [15]},
    }
    raw = np.array([[1, 0], [16, 17]], "u2")

    def masks(high: int) -> list[list[list[bool]]]:
        data_set["00280102"]["Value"] = [high]
        found = read_overlays(data_set, frame=1, rows=2, columns=2, raw=raw)
        return [overlay.mask.tolist() for overlay in found]

    assert masks(11) == []
    assert masks(15) == [[[True, False], [False, True]]]


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("uid", [ts.IMPLICIT_VR_LITTLE_ENDIAN, ts.JPEG_2000_LOSSLESS])
def test_transcoding_keeps_them(tmp_path: Path, uid: str, frames: int) -> None:
    """They move to Overlay Data; pixels and pictures stay, for pydicom and for us."""
    one = image(frames=frames)
    path = written(one, tmp_path / "one.dcm")
    service = PixelService.open(CodecSettings(processes=1))
    try:
        data = b"".join(Transcoder(pixels=service).data_set(FileSource(path), uid))
    finally:
        service.close()
    other = pydicom.dcmread(pydicom.filebase.DicomBytesIO(header_of(uid) + data), force=True)
    stored = np.frombuffer(one.PixelData, "<u2").reshape(frames, ROWS, COLUMNS) & 0xFFF
    assert (pixel_array(other).reshape(stored.shape) == stored).all()
    for group, seed in ((0x6000, 0), (0x6002, 3)):
        assert other[group << 16 | 0x0100].value == 1
        assert other[group << 16 | 0x0102].value == 0
        found = other.overlay_array(group).reshape(frames, ROWS, COLUMNS).astype(bool)
        assert (found == np.stack([plane(seed + number) for number in range(frames)])).all()
    again = written(other, tmp_path / "other.dcm")
    for number in range(1, frames + 1):
        assert (by_us(path, number) == by_us(again, number)).all()


def header_of(uid: str) -> bytes:
    """Preamble and file meta information before a data set."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = uid
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        "1.2.840.10008.5.1.4.1.1.7.3",
        "1.2.3.4",
    )
    out = pydicom.filebase.DicomBytesIO()
    out.write(bytes(128) + b"DICM")
    pydicom.filewriter.write_file_meta_info(out, meta, enforce_standard=True)
    return out.getvalue()
