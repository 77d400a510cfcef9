"""Every lossless pair of the transcoding table, proven by decoders that are not ours.

An object is given in a first syntax, transcoded to a second, and read by DCMTK, OpenJPEG, pydicom or
FFmpeg: the digest of its samples is that of the samples it was made of.
"""

import hashlib
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset

from negatoscope.domain.viewing.file_source import FileSource
from negatoscope.domain.viewing.pixels import PixelService
from negatoscope.domain.viewing.transcoding import Transcoder
from negatoscope.infra.settings import CodecSettings
from negatoscope.protocols.dicom.pixel.codecs import CODECS, is_lossy
from negatoscope.standard import transfer_syntaxes as ts

LOSSLESS = sorted(uid for uid, codec in CODECS.items() if codec.encode and not is_lossy(uid))
PROGRAMS = {
    **dict.fromkeys(
        (
            ts.IMPLICIT_VR_LITTLE_ENDIAN,
            ts.EXPLICIT_VR_LITTLE_ENDIAN,
            ts.EXPLICIT_VR_BIG_ENDIAN,
            ts.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
        ),
        "dcmconv",
    ),
    ts.RLE_LOSSLESS: "dcmdrle",
    ts.JPEG_LOSSLESS: "dcmdjpeg",
    ts.JPEG_LOSSLESS_SV1: "dcmdjpeg",
    ts.JPEG_LS_LOSSLESS: "dcmdjpls",
}
OPENJPEG = {ts.JPEG_2000_LOSSLESS, ts.HTJ2K_LOSSLESS, ts.HTJ2K_LOSSLESS_RPCL}
ROWS, COLUMNS, FRAMES = 37, 70, 2
IMAGES = ("12 bits signed", "16 bits", "8 bits RGB")

pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(
        not all(shutil.which(one) for one in {*PROGRAMS.values(), "opj_decompress", "ffmpeg"}),
        reason="DCMTK, OpenJPEG or FFmpeg is not installed",
    ),
]


def samples_of(kind: str) -> np.ndarray:
    """Two frames that use the whole range."""
    random = np.random.default_rng(len(kind))
    if kind == "8 bits RGB":
        return random.integers(0, 255, (FRAMES, ROWS, COLUMNS, 3), endpoint=True).astype("u1")
    low, high = (-2048, 2047) if kind == "12 bits signed" else (0, 65535)
    values = random.integers(low, high, (FRAMES, ROWS, COLUMNS), endpoint=True)
    values[:, 5:20, 10:40] = np.linspace(low, high, 30)
    return values.astype("i2" if low else "u2")


def native(kind: str, path: Path) -> Path:
    """The image, uncompressed."""
    samples = samples_of(kind)
    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ts.EXPLICIT_VR_LITTLE_ENDIAN
    one.SOPClassUID = (
        "1.2.840.10008.5.1.4.1.1.7.4" if "RGB" in kind else "1.2.840.10008.5.1.4.1.1.7.3"
    )
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID = "1.2.3.4"
    one.StudyInstanceUID, one.SeriesInstanceUID = "1.2.3.5", "1.2.3.6"
    one.PatientName, one.PatientID, one.Modality = "A", "1", "OT"
    one.Rows, one.Columns, one.NumberOfFrames = ROWS, COLUMNS, FRAMES
    if "RGB" in kind:
        one.SamplesPerPixel, one.PlanarConfiguration = 3, 0
        one.PhotometricInterpretation = "RGB"
    else:
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    bits = int(kind.split(maxsplit=1)[0])
    one.BitsAllocated = 8 * samples.dtype.itemsize
    one.BitsStored, one.HighBit = bits, bits - 1
    one.PixelRepresentation = int("signed" in kind)
    one.PixelData = samples.tobytes()
    pydicom.dcmwrite(path, one, enforce_file_format=True)
    return path


def transcoded(transcoder: Transcoder, path: Path, uid: str, out: Path) -> Path:
    """A file in another syntax."""
    source = FileSource(path)
    with out.open("wb") as file:
        file.write(source.file_meta(uid, None))
        file.writelines(transcoder.data_set(source, uid))
    return out


def elsewhere(path: Path, uid: str, folder: Path) -> np.ndarray:
    """The samples of a file as a stranger decodes them."""
    if (program := PROGRAMS.get(uid)) is not None:
        out = folder / "native.dcm"
        options = ["+te"] if program == "dcmconv" else ["+cn"] if program == "dcmdjpeg" else []
        subprocess.run([program, *options, path, out], check=True, capture_output=True)
        return pydicom.dcmread(out).pixel_array
    one = pydicom.dcmread(path, force=True)
    frames = list(pydicom.encaps.generate_frames(one.PixelData, number_of_frames=FRAMES))
    if uid == ts.DEFLATED_IMAGE_FRAME_COMPRESSION:
        frames = [zlib.decompress(frame, -15) for frame in frames]
    elif uid in OPENJPEG:
        frames = [by_openjpeg(frame, one, folder) for frame in frames]
    elif uid == ts.JPEG_XL_LOSSLESS:
        frames = [by_ffmpeg(frame, one, folder) for frame in frames]
    else:
        assert uid == ts.ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN
    shape = (ROWS, COLUMNS, 3) if one.SamplesPerPixel == 3 else (ROWS, COLUMNS)
    kind = f"<{'i' if one.PixelRepresentation else 'u'}{one.BitsAllocated // 8}"
    count = int(np.prod(shape))
    whole = np.stack([np.frombuffer(frame, kind, count).reshape(shape) for frame in frames])
    spare = one.BitsAllocated - one.BitsStored  # of which programs leave the sign out
    return whole << spare >> spare


def by_openjpeg(frame: bytes, one: Dataset, folder: Path) -> bytes:
    """One code stream; components come plane by plane, least significant byte first."""
    given, out = folder / "one.j2k", folder / "one.rawl"
    given.write_bytes(frame)
    subprocess.run(["opj_decompress", "-i", given, "-o", out], check=True, capture_output=True)
    raw = out.read_bytes()
    if one.SamplesPerPixel == 3:
        return np.frombuffer(raw, "u1").reshape(3, ROWS, COLUMNS).transpose(1, 2, 0).tobytes()
    return raw


def by_ffmpeg(frame: bytes, one: Dataset, folder: Path) -> bytes:
    """One JPEG XL image; FFmpeg stretches samples to all bits of their container."""
    given, out = folder / "one.jxl", folder / "one.png"
    given.write_bytes(frame)
    command = ["ffmpeg", "-y", "-i", given, "-frames:v", "1", out]
    subprocess.run(command, check=True, capture_output=True)
    whole = np.asarray(Image.open(out)).astype("f8")
    top, stored = (1 << one.BitsAllocated) - 1, (1 << one.BitsStored) - 1
    return np.rint(whole * stored / top).astype(f"<u{one.BitsAllocated // 8}").tobytes()


@pytest.fixture(scope="module")
def transcoder() -> Iterator[Transcoder]:
    """With a worker."""
    service = PixelService.open(CodecSettings(processes=1))
    yield Transcoder(pixels=service)
    service.close()


def digest(samples: np.ndarray) -> str:
    """Of the values."""
    return hashlib.sha256(samples.astype("<i4").tobytes()).hexdigest()


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("first", LOSSLESS)
def test_no_pair_loses_anything(transcoder, tmp_path: Path, first: str, kind: str) -> None:
    """From one syntax to every other."""
    expected = digest(samples_of(kind))
    path = transcoded(transcoder, native(kind, tmp_path / "a.dcm"), first, tmp_path / "b.dcm")
    wrong = []
    for second in LOSSLESS:
        if second == first:
            continue
        out = transcoded(transcoder, path, second, tmp_path / "c.dcm")
        if digest(elsewhere(out, second, tmp_path)) != expected:
            wrong.append(ts.transfer_syntax(second).name)
    assert not wrong
