"""Writes docs/displayable-objects.md: every displayable object of a folder, drawn and compared.

Usage: python tools/compare_renditions.py FOLDER [--pictures FOLDER]

Each frame is drawn as the server draws it, and compared with pydicom: its decoders, Modality and VOI
LUT, palettes and colour conversion, with 8 bits of output; else with DCMTK; else with the pixels that
GDCM, OpenJPEG or FFmpeg decode. A difference is in levels of 0 … 255. No name, UID or path of an object
is written: rows are kinds of objects.
"""

import argparse
import subprocess
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut

from negatoscope.domain.viewing.attributes import make_header
from negatoscope.domain.viewing.file_source import FileSource
from negatoscope.protocols.dicom.dataset import DataSetError
from negatoscope.protocols.dicom.part10 import Part10Error
from negatoscope.protocols.dicom.pixel.codecs import decode_frame, decode_picture
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.display import (
    DisplayError,
    DisplayOptions,
    VoiFunction,
    Window,
    display_frame,
)
from negatoscope.protocols.dicom.pixel.display.attributes import FrameAttributes
from negatoscope.protocols.dicom.pixel.display.modality import read_modality
from negatoscope.protocols.dicom.pixel.errors import PixelError
from negatoscope.protocols.dicom.pixel.limits import DEFAULT_LIMITS
from negatoscope.standard.sop_classes import sop_class_name
from negatoscope.standard.transfer_syntaxes import transfer_syntax

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "displayable-objects.md"
ASPECT: Final = frozenset({"00280034", "00280030", "00181164", "00182010"})
PADDING: Final = "00280120"
TABLE: Final = "| SOP class | Transfer syntax | Photometric interpretation | Bits | Objects |"
SECONDS: Final = 60
"""Of one reference."""
HIGH_THROUGHPUT: Final = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (201, 202, 203))
PALETTES: Final = frozenset({"00281101", "00281102", "00281103", "00089205"})


class Drawn(NamedTuple):
    """A frame and what it was drawn from."""

    opened: FileSource
    description: PixelDescription
    number: int
    picture: Any
    window: Window | None


class Kind(NamedTuple):
    """Of an object: what a row of the page is for."""

    sop_class: str
    transfer_syntax: str
    photometric_interpretation: str
    bits: str


class NoReference(Exception):
    """Nothing independent draws this kind of object."""


def drawn(path: Path, *, own_window: bool = True) -> Drawn:
    """A file's middle frame as the server draws it, in its own size, without overlays.

    Args:
        path: Of the file.
        own_window: Otherwise one of ours: what the object says plays no part then.
    """
    opened = FileSource(path, bulk_threshold=64 << 20)
    header = make_header(opened.attributes)
    description = PixelDescription.of(header.shown)
    number = (description.number_of_frames + 1) // 2
    data, uid = opened.frame(number), opened.transfer_syntax_uid
    if transfer_syntax(uid).is_video:
        frame = decode_picture(memoryview(data), description, number, limits=DEFAULT_LIMITS)
    else:
        frame = decode_frame(data, description, uid)
    left_out = {*ASPECT, PADDING} | (set() if own_window else PALETTES)
    attributes = {
        key: value for key, value in header.of_frame(number).items() if key not in left_out
    }
    window = None
    if not own_window:
        values = read_modality(FrameAttributes(attributes, number), notes=[]).apply(frame.samples)
        low, high = float(np.min(values)), float(np.max(values))
        named = (opened.attributes.get("00281056") or {}).get("Value", ["LINEAR"])[0]
        window = Window(
            center=round((low + high) / 2),
            width=max(round((high - low) * 0.8), 2),
            function=VoiFunction(named),
        )
    picture = display_frame(
        frame.samples,
        frame.photometric_interpretation,
        attributes,
        frame=number,
        options=DisplayOptions(overlays=False, shutters=False, window=window),
    )
    return Drawn(opened, description, number, picture, window)


def by_dcmtk(path: Path, number: int, window: Window | None) -> Any:
    """The frame by dcmj2pnm with a window of ours.

    Raises:
        NoReference: it does not take the object.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.png"
        command = ["dcmj2pnm", "--write-png", "--no-overlays", "--frame", str(number)]
        if window is not None:
            command += ["--set-window", f"{window.center:g}", f"{window.width:g}"]
        done = subprocess.run(
            [*command, str(path), str(out)], capture_output=True, check=False, timeout=SECONDS
        )
        if done.returncode or not out.is_file():
            raise NoReference("no reference draws it")
        return np.asarray(Image.open(out))


def decoded_elsewhere(path: Path, one: Drawn) -> tuple[str, Any]:
    """The frame's pixels by pydicom, or by a program, and its name.

    Raises:
        NoReference: nothing decodes it.
    """
    frame = f"{one.number - 1}"
    description = one.description
    with tempfile.TemporaryDirectory() as folder:
        uid = one.opened.transfer_syntax_uid
        if transfer_syntax(uid).is_video:
            return "FFmpeg", by_ffmpeg(bytes(one.opened.frame(1)), one, Path(folder))
        if uid in HIGH_THROUGHPUT:
            return "OpenJPEG", by_openjpeg(bytes(one.opened.frame(one.number)), Path(folder))
        try:
            pixels = pydicom.pixels.pixel_array(path, index=int(frame), raw=True)
            name = "pydicom"
        except Exception:  # noqa: BLE001 - it lacks the decoder
            native = Path(folder) / "native.dcm"
            command = ["gdcmconv", "--raw", str(path), str(native)]
            done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)
            if done.returncode or not native.is_file():
                raise NoReference("no reference draws it") from None
            pixels = pydicom.pixels.pixel_array(native, index=int(frame), raw=True)
            name = "GDCM"
    return name, pixels[0] if pixels.ndim > len(description.shape) else pixels


def by_openjpeg(code_stream: bytes, folder: Path) -> Any:
    """Components of a JPEG 2000 code stream, high-throughput too, as opj_decompress decodes them."""
    given, out = folder / "one.j2k", folder / "one.png"
    given.write_bytes(code_stream)
    command = ["opj_decompress", "-i", str(given), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)
    if done.returncode or not out.is_file():
        raise NoReference("no reference draws it")
    return np.asarray(Image.open(out))


def by_ffmpeg(stream: bytes, one: Drawn, folder: Path) -> Any:
    """One picture of a video as the program ffmpeg converts it to RGB."""
    given, out = folder / "one.video", folder / "one.png"
    given.write_bytes(stream)
    command = ["ffmpeg", "-i", str(given), "-vf", f"select=eq(n\\,{one.number - 1})"]
    command += ["-frames:v", "1", str(out)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)
    if done.returncode or not out.is_file():
        raise NoReference("no reference draws it")
    return np.asarray(Image.open(out).convert("RGB"))


def windowed(path: Path) -> tuple[str, float]:
    """Pixels decoded elsewhere, with one window set on both sides (PS3.3 §C.11.2.1.2, §C.11.2.1.3).

    Raises:
        NoReference: nothing decodes it.
    """
    one = drawn(path, own_window=False)
    name, pixels = decoded_elsewhere(path, one)
    if one.picture.pixels.ndim == 3:
        return name, largest(pixels, one.picture)
    data_set = pydicom.dcmread(path, force=True, stop_before_pixels=True)
    values = np.asarray(apply_modality_lut(pixels, flattened(data_set, one.number)), np.float64)
    window = one.window
    if window is None:
        raise NoReference("no reference draws it")
    match window.function:
        case VoiFunction.LINEAR:
            shown = (values - (window.center - 0.5)) / (window.width - 1) + 0.5
        case VoiFunction.LINEAR_EXACT:
            shown = (values - window.center) / window.width + 0.5
        case _:
            shown = 1 / (1 + np.exp(-4 * (values - window.center) / window.width))
    levels = np.clip(shown, 0, 1) * 255
    inverse = data_set.get("PresentationLUTShape", "") == "INVERSE" or (
        data_set.get("PhotometricInterpretation") == "MONOCHROME1"
        and data_set.get("PresentationLUTShape", "") != "IDENTITY"
    )
    return name, largest(255 - levels if inverse else levels, one.picture)


def flattened(one: pydicom.Dataset, number: int) -> pydicom.Dataset:
    """With the values of a frame's functional groups at the top, where pydicom looks."""
    groups = [*one.get("SharedFunctionalGroupsSequence", [])]
    if len(per_frame := one.get("PerFrameFunctionalGroupsSequence", [])) >= number:
        groups.append(per_frame[number - 1])
    for group in groups:
        for macro in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            for item in group.get(macro, [])[:1]:
                for element in item:
                    one[element.tag] = element
    return one


def reference(path: Path, number: int, shape: tuple[int, ...]) -> tuple[str, Any]:
    """The same by pydicom."""
    one = pydicom.dcmread(path, force=True)
    if "SegmentSequence" in one:
        raise NoReference("colours of segments are a choice")
    one = flattened(one, number)
    pixels = pydicom.pixels.pixel_array(path, index=number - 1, raw=True)
    if one.get("NumberOfFrames", 1) == 1 and pixels.ndim > len(shape):
        pixels = pixels[0]
    photometric = one.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        colors = apply_color_lut(pixels, one)
        return "pydicom", colors >> 8 if colors.dtype == np.uint16 else colors
    if pixels.ndim == 3:
        decoded = pydicom.pixels.pixel_array(path, index=number - 1)
        if one.BitsStored > 8:
            decoded = decoded >> (one.BitsStored - 8)
        return "pydicom", decoded[0] if decoded.ndim > 3 else decoded
    values = apply_modality_lut(pixels, one).astype(np.float64)
    has_voi = "VOILUTSequence" in one or one.get("WindowCenter") not in (None, "")
    if not has_voi:
        raise NoReference("an automatic window is a choice")
    out = apply_voi_lut(values.astype(np.int64) if "VOILUTSequence" in one else values, one)
    low, high = voi_range(one)
    levels = (out.astype(np.float64) - low) / (high - low) * 255
    inverse = one.get("PresentationLUTShape", "") == "INVERSE" or (
        photometric == "MONOCHROME1" and one.get("PresentationLUTShape", "") != "IDENTITY"
    )
    return "pydicom", 255 - levels if inverse else levels


def voi_range(one: pydicom.Dataset) -> tuple[float, float]:
    """What pydicom maps a window to: the output range of the Modality LUT."""
    if "VOILUTSequence" in one:
        return 0.0, float((1 << int(one.VOILUTSequence[0].LUTDescriptor[2])) - 1)
    if "ModalityLUTSequence" in one:
        return 0.0, float((1 << int(one.ModalityLUTSequence[0].LUTDescriptor[2])) - 1)
    bits, signed = int(one.BitsStored), int(one.PixelRepresentation)
    low, high = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if signed else (0.0, 2.0**bits - 1)
    if "RescaleSlope" in one and "RescaleIntercept" in one:
        slope, intercept = float(one.RescaleSlope), float(one.RescaleIntercept)
        low, high = low * slope + intercept, high * slope + intercept
    return low, high


def main() -> None:
    """Compare, draw, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rows: dict[Kind, list[tuple[str, float | None]]] = defaultdict(list)
    refused: dict[Kind, list[str]] = defaultdict(list)
    for path, kind in sorted(kinds(given.folder)):
        try:
            _, _, number, picture, _ = drawn(path)
        except (PixelError, DataSetError, DisplayError) as error:
            refused[kind].append(str(getattr(error, "reason", error)))
            continue
        if given.pictures:
            name = f"{len(rows):03}-{path.stem[:40]}.png"
            Image.fromarray(picture.pixels).save(given.pictures / name)
        rows[kind].append(difference(path, number, picture))
    PAGE.write_text(page(rows, refused), encoding="utf-8")


def kinds(folder: Path) -> Iterator[tuple[Path, Kind]]:
    """Every file of a folder that says it is an image, and which kind; nothing is decoded."""
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        try:
            opened = FileSource(path, bulk_threshold=1 << 10)
            if opened.head_length() == opened.data_set_length:
                continue
            description = PixelDescription.of(make_header(opened.attributes).shown)
        except (OSError, ValueError, Part10Error, DataSetError, PixelError):
            continue
        sop_class = (opened.attributes.get("00080016") or {}).get("Value", ["?"])[0]
        bits = f"{description.bits_stored}" + ("s" if description.is_signed else "")
        yield (
            path,
            Kind(
                sop_class_name(sop_class),
                transfer_syntax(opened.transfer_syntax_uid).name,
                description.photometric_interpretation,
                bits,
            ),
        )


def difference(path: Path, number: int, picture: Any) -> tuple[str, float | None]:
    """The reference and the largest difference from it, or why there is none."""
    reason = "no reference draws it"
    try:
        name, expected = reference(path, number, picture.pixels.shape)
        if expected.shape == picture.pixels.shape:
            return name, largest(expected, picture)
    except NoReference as error:
        reason = str(error)
        if "choice" in reason and "segments" in reason:
            return reason, None
    except Exception:  # noqa: BLE001, S110 - the stranger cannot read it
        pass
    try:
        again = drawn(path, own_window=picture.pixels.ndim == 3 and not is_partly_colored(path))
        expected = by_dcmtk(path, number, again.window)
        if expected.shape == again.picture.pixels.shape:
            return "DCMTK", largest(expected, again.picture)
    except (NoReference, subprocess.TimeoutExpired, OSError):
        pass
    try:
        return windowed(path)
    except Exception:  # noqa: BLE001, S110 - the strangers cannot read it
        pass
    return reason if "choice" in reason else "no reference draws it", None


def is_partly_colored(path: Path) -> bool:
    """Whether a supplemental palette colours a monochrome image."""
    return str(pydicom.dcmread(path, force=True).PhotometricInterpretation) == "MONOCHROME2"


def largest(expected: Any, picture: Any) -> float:
    """Levels."""
    return float(np.abs(np.rint(expected) - picture.pixels.astype(np.float64)).max())


def page(rows: dict[Kind, list[tuple[str, float | None]]], refused: dict[Kind, list[str]]) -> str:
    """The whole page."""
    lines = [
        "# Displayable objects",
        "",
        "Generated by `tools/compare_renditions.py` from a corpus of public test objects. The middle frame of each object",
        "is drawn as the server draws it and compared with an independent reference: pydicom with the object's own window,",
        "or DCMTK (`dcmj2pnm`) with one window set on both sides; where neither draws it, or the window is a choice, the pixels",
        "that pydicom, GDCM, OpenJPEG or FFmpeg decode, with the equation of PS3.3 and one window on both sides.",
        "The difference is the largest of any pixel, in levels of 0 to 255: 1 is rounding, more is what two decoders",
        "of a lossy syntax differ by.",
        "",
        "The one interlaced video differs where colours are interpolated between the lines of two fields.",
        "Where 255 stands, the reference swaps the bytes of a big endian object wrongly: ours is pixel by pixel that of the same",
        "object in little endian, on which all agree.",
        "",
        TABLE + " Reference: largest difference |",
        "|---|---|---|---|---|---|",
    ]
    for key, found in sorted(rows.items()):
        by_name: dict[str, list[float]] = defaultdict(list)
        for name, levels in found:
            by_name[name] += [] if levels is None else [levels]
        said = "; ".join(
            f"{name}: {max(levels):g}" if levels else name
            for name, levels in sorted(by_name.items())
        )
        lines.append(f"| {' | '.join(key)} | {len(found)} | {said} |")
    lines += [
        "",
        "## Not drawn",
        "",
        "Objects of the corpus that are damaged, or say of themselves what cannot be.",
        "",
        TABLE + " Reason |",
        "|---|---|---|---|---|---|",
    ]
    for key, reasons in sorted(refused.items()):
        said = "; ".join(sorted(set(reasons)))
        lines.append(f"| {' | '.join(key)} | {len(reasons)} | {said} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
