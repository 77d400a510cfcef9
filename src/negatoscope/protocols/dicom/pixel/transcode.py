"""Frames, and the attributes that describe them, in another transfer syntax (PS3.5 §8.2, §10)."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from negatoscope.protocols.dicom.pixel.codecs import (
    CODECS,
    Frame,
    decode_cells,
    encode_frame,
    is_lossy,
)
from negatoscope.protocols.dicom.pixel.codecs.frame import Bytes
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.standard import transfer_syntaxes as ts

_HIGH_THROUGHPUT: Final = frozenset({ts.HTJ2K_LOSSLESS, ts.HTJ2K_LOSSLESS_RPCL})
_JPEG_LOSSY: Final = frozenset({ts.JPEG_BASELINE_8BIT, ts.JPEG_EXTENDED_12BIT})
#: Syntaxes that were encoded with loss, whatever the attributes say.
_LOSSY_SOURCES: Final = frozenset(
    {
        ts.JPEG_BASELINE_8BIT,
        ts.JPEG_EXTENDED_12BIT,
        "1.2.840.10008.1.2.4.53",
        "1.2.840.10008.1.2.4.55",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedFrame:
    """One frame encoded.

    Attributes:
        data: Its bytes, perhaps of odd length.
        description: What the attributes of an object with such frames say.
    """

    data: bytes
    description: PixelDescription


def described_as(
    description: PixelDescription, decoded_as: str, transfer_syntax_uid: str
) -> PixelDescription:
    """The attributes of an object whose frames were decoded and are encoded again.

    Args:
        description: Of the object as it is.
        decoded_as: Photometric Interpretation of its decoded frames.
        transfer_syntax_uid: Wanted. RGB becomes YBR_RCT or YBR_ICT in JPEG 2000 (PS3.5 §8.2.4) and
            YBR_FULL_422 in lossy JPEG (§8.2.1).
    """
    photometric = decoded_as
    if decoded_as == "RGB":
        if transfer_syntax_uid == ts.JPEG_2000_LOSSLESS or transfer_syntax_uid in _HIGH_THROUGHPUT:
            photometric = "YBR_RCT"
        elif transfer_syntax_uid == ts.JPEG_2000:
            photometric = "YBR_ICT"
    if transfer_syntax_uid in _JPEG_LOSSY and description.samples_per_pixel == 3:
        photometric = "YBR_FULL_422"
    allocated = {12: 16, 24: 32}.get(description.bits_allocated, description.bits_allocated)
    return replace(
        description,
        photometric_interpretation=photometric,
        planar_configuration=0,
        bits_allocated=allocated,
        high_bit=description.bits_stored - 1,
        pixel_vr="OB" if allocated <= 8 else "OW",
    )


def transcode_frame(
    frame: Frame,
    description: PixelDescription,
    transfer_syntax_uid: str,
    *,
    quality: int | None = None,
) -> CodedFrame:
    """A decoded frame in a transfer syntax.

    Raises:
        UnsupportedTransferSyntax: it cannot be written.
        NotEncodable: it cannot hold these samples.
    """
    written = described_as(description, frame.photometric_interpretation, transfer_syntax_uid)
    given = replace(written, photometric_interpretation=frame.photometric_interpretation)
    data = encode_frame(frame.samples, given, transfer_syntax_uid, quality=quality)
    return CodedFrame(data=data, description=written)


def overlay_planes(
    data: Bytes, description: PixelDescription, transfer_syntax_uid: str, bits: Sequence[int]
) -> list[bytes]:
    """Overlays that lie in pixel cells, taken out of a frame.

    Args:
        data: The frame's bytes.
        description: Of the image, of one sample per pixel.
        transfer_syntax_uid: Of the bytes.
        bits: Where each overlay lies.

    Returns: Of each overlay one bit per pixel, the first the least significant (PS3.5 §8.1.2).

    Raises: As ``decode_frame``.
    """
    cells = decode_cells(data, description, transfer_syntax_uid).reshape(-1)
    return [np.packbits(cells >> bit & 1, bitorder="little").tobytes() for bit in bits]


def separate_overlays(
    planes: Mapping[int, Sequence[bytes]], description: PixelDescription
) -> dict[str, dict[str, Any] | None]:
    """Attributes of overlays that lay in pixel cells and have data of their own now (PS3.3 §C.9.2).

    Args:
        planes: By group, of each frame what ``overlay_planes`` gives.
        description: Of the image.
    """
    pixels = description.rows * description.columns
    changed: dict[str, dict[str, Any] | None] = {}
    for group, frames in planes.items():
        if not any(any(one) for one in frames):
            continue  # its coding had not kept them
        if pixels % 8:
            apart = [
                np.unpackbits(np.frombuffer(one, "u1"), count=pixels, bitorder="little")
                for one in frames
            ]
            joined = np.packbits(np.concatenate(apart), bitorder="little").tobytes()
        else:
            joined = b"".join(frames)
        joined += b"\0" * (len(joined) & 1)
        changed |= {
            f"{group:04X}0010": {"vr": "US", "Value": [description.rows]},
            f"{group:04X}0011": {"vr": "US", "Value": [description.columns]},
            f"{group:04X}0050": {"vr": "SS", "Value": [1, 1]},
            f"{group:04X}0100": {"vr": "US", "Value": [1]},
            f"{group:04X}0102": {"vr": "US", "Value": [0]},
            f"{group:04X}3000": {"vr": "OW", "InlineBinary": b64encode(joined).decode("ascii")},
        }
        if len(frames) > 1:
            changed[f"{group:04X}0015"] = {"vr": "IS", "Value": [len(frames)]}
            changed[f"{group:04X}0051"] = {"vr": "US", "Value": [1]}
    return changed


def changed_attributes(
    attributes: Mapping[str, Any],
    before: PixelDescription,
    after: PixelDescription,
    *,
    from_uid: str,
    to_uid: str,
    native_bytes: int = 0,
    coded_bytes: int = 0,
) -> dict[str, dict[str, Any] | None]:
    """What an object's attributes become; None removes one.

    The SOP Instance UID is not among them: a peer that retrieves an object in another transfer
    syntax gets that object (PS3.4 §C.4.2, PS3.18 §8.7.3.5.2), also where the syntax it asked for loses
    something; the lossy attributes tell. Who *stores* a lossy result gives it a UID of its own.

    Args:
        attributes: Of the object, DICOM JSON.
        before: Of the object.
        after: Of the result.
        from_uid: Transfer syntax of the object.
        to_uid: Of the result.
        native_bytes: Of all frames, for Lossy Image Compression Ratio.
        coded_bytes: Likewise.
    """
    changed: dict[str, dict[str, Any] | None] = {
        "00280004": {"vr": "CS", "Value": [after.photometric_interpretation]},
        "00280100": {"vr": "US", "Value": [after.bits_allocated]},
        "00280102": {"vr": "US", "Value": [after.high_bit]},
        "00280000": None,
        "7FE00000": None,
        "7FE00001": None,
        "7FE00002": None,
    }
    if before.samples_per_pixel > 1:
        changed["00280006"] = {"vr": "US", "Value": [after.planar_configuration]}
    if is_lossy(to_uid):
        changed["00282110"] = {"vr": "CS", "Value": ["01"]}
        ratio = f"{native_bytes / coded_bytes:.4g}" if coded_bytes else ""
        for key, vr, value in (
            ("00282112", "DS", ratio),
            ("00282114", "CS", CODECS[to_uid].method),
        ):
            earlier = (attributes.get(key) or {}).get("Value") or []
            if value:
                changed[key] = {"vr": vr, "Value": [*earlier, value]}
    elif (from_uid in _LOSSY_SOURCES or ts.transfer_syntax(from_uid).is_video) and not (
        attributes.get("00282110") or {}
    ).get("Value"):
        changed["00282110"] = {"vr": "CS", "Value": ["01"]}
    return changed
