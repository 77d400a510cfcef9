"""Every pixel object of the corpus decoded, and compared with decoders that are not ours.

pydicom with OpenJPEG, CharLS and its own RLE; GDCM and DCMTK for JPEG, ffmpeg's pictures by their mean. Lossless samples are
equal; lossy ones within two units of eight bits, JPEG of twelve bits within one, as IDCTs may differ.
"""

import csv
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.pixels import convert_color_space

from negatoscope.domain.viewing.file_source import FileSource
from negatoscope.protocols.dicom.dataset import DataSetError
from negatoscope.protocols.dicom.part10 import Part10Error
from negatoscope.protocols.dicom.pixel.codecs import decode_frame
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import PixelError
from negatoscope.standard import transfer_syntaxes as ts

JPEG = {ts.JPEG_BASELINE_8BIT, ts.JPEG_EXTENDED_12BIT, ts.JPEG_LOSSLESS, ts.JPEG_LOSSLESS_SV1,
        "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55"}  # fmt: skip
LOSSY = {ts.JPEG_BASELINE_8BIT, ts.JPEG_EXTENDED_12BIT, "1.2.840.10008.1.2.4.53",
         "1.2.840.10008.1.2.4.55", ts.JPEG_2000}  # fmt: skip
FRAMES = 2
#: Stored and given as they are; the reason is what decoding says.
UNREADABLE = {
    "malformed/JPEG2000-embedded-sequence-delimiter.dcm": None,
    "malformed/MR_truncated.dcm": None,
    "malformed/badVR.dcm": None,
    "malformed/emri_small_jpeg_2k_lossless_too_short.dcm": None,
}


def _names(folder: Path) -> list[str]:
    with (folder / "MANIFEST.tsv").open() as file:
        return [row["path"] for row in csv.DictReader(file, delimiter="\t")]


def _decoded(path: Path):
    """Description, syntax and the first frames; None of what has no pixels."""
    source = FileSource(path)
    if not source.attributes.get("7FE00010") or "00280010" not in source.attributes:
        return None
    description = PixelDescription.of(source.attributes)
    count = min(FRAMES, description.number_of_frames)
    if ts.transfer_syntax(source.transfer_syntax_uid).is_video:
        count = 1
    frames = [
        decode_frame(source.frame(n), description, source.transfer_syntax_uid)
        for n in range(1, count + 1)
    ]
    return description, source.transfer_syntax_uid, frames


def _reference(path: Path, uid: str, frames: int, scratch: Path):
    """The same by strangers, as RGB where theirs is."""
    if uid in JPEG:
        out = scratch / "native.dcm"
        done = subprocess.run(
            ["dcmdjpeg", "+cn" if uid in {ts.JPEG_LOSSLESS, ts.JPEG_LOSSLESS_SV1} else "+cp", path, out],
            capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode and shutil.which("gdcmconv"):
            done = subprocess.run(
                ["gdcmconv", "--raw", path, out], capture_output=True, check=False
            )
        path = out
        if done.returncode:
            return None
    try:
        array = pydicom.pixels.pixel_array(path)
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
    except (
        AttributeError,
        ValueError,
        RuntimeError,
        NotImplementedError,
        pydicom.errors.InvalidDicomError,
    ):
        return None
    count = int(dataset.get("NumberOfFrames") or 1)
    return [array[n] for n in range(frames)] if count > 1 else [array]


@pytest.mark.stranger
@pytest.mark.skipif(shutil.which("dcmdjpeg") is None, reason="NO DCMTK")
def test_the_corpus_is_decoded_as_others_decode_it(shared_data: Path, tmp_path: Path) -> None:
    """Samples and, for lossy colour, a tolerance."""
    compared: dict[str, int] = {}
    wrong, unread, alone = [], [], []
    for name in _names(shared_data):
        path = shared_data / name
        try:
            found = _decoded(path)
        except PixelError as error:
            unread.append((name, error.reason))
            continue
        except (Part10Error, DataSetError, OSError):
            continue
        if found is None:
            continue
        description, uid, frames = found
        others = _reference(path, uid, len(frames), tmp_path)
        if others is None:
            alone.append(name)
            continue
        for frame, other in zip(frames, others, strict=True):
            ours = frame.samples
            if frame.photometric_interpretation == "YBR_FULL":
                ours = convert_color_space(ours, "YBR_FULL", "RGB")
            if ours.shape != other.shape:
                wrong.append((name, ours.shape, other.shape))
                break
            error = np.abs(ours.astype("f8") - other.astype("f8"))
            limit = (3.0 if description.samples_per_pixel == 3 else 1.0) if uid in LOSSY else 0.0
            if error.mean() > limit / 3 or (limit == 0 and error.max()):
                wrong.append((name, uid, float(error.max()), float(error.mean())))
                break
        compared[uid] = compared.get(uid, 0) + 1
    print(compared, wrong, unread, alone, sep="\n")
    assert not wrong
    assert {name for name, _reason in unread} <= set(UNREADABLE)
    assert sum(compared.values()) > 280
    assert len(compared) >= 14
