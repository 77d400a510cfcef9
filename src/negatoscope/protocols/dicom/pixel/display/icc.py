"""ICC profiles: the object's own, and those PS3.18 §8.3.5.1.5 names."""

import io
import struct
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageCms

from negatoscope.protocols.dicom.pixel.display.attributes import Array

MAX_PROFILE_BYTES: Final = 8 << 20


class IccChoice(StrEnum):
    """Values of the ``iccprofile`` parameter."""

    NO = "no"
    YES = "yes"
    SRGB = "srgb"
    ADOBE_RGB = "adobergb"
    ROMM_RGB = "rommrgb"
    DISPLAY_P3 = "displayp3"


#: Colorants (X, Y, Z of red, green, blue, relative to D50) and the exponent of the tone curve.
_SPACES: Final = {
    IccChoice.ADOBE_RGB: (
        "Compatible with Adobe RGB (1998)",
        ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
        2.19921875,
    ),
    IccChoice.ROMM_RGB: (
        "ROMM RGB",
        ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491)),
        1.8,
    ),
    IccChoice.DISPLAY_P3: (
        "Display P3",
        ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
        None,
    ),
}


@lru_cache(maxsize=8)
def profile_bytes(choice: IccChoice) -> bytes:
    """The profile of a named colour space; sRGB for ``yes``."""
    if choice in _SPACES:
        name, colorants, gamma = _SPACES[choice]
        return _matrix_profile(name, colorants, gamma)
    made: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _matrix_profile(
    name: str, colorants: tuple[tuple[float, float, float], ...], gamma: float | None
) -> bytes:
    """A three-component matrix profile (ICC.1:2001-04 §6.3.1.2)."""
    if gamma is None:  # the tone curve of sRGB, sampled
        level = np.linspace(0.0, 1.0, 1024)
        linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
        samples = np.rint(linear * 65535).astype(">u2").tobytes()
        curve = b"curv" + struct.pack(">II", 0, 1024) + samples
    else:
        curve = b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256)) + b"\0\0"
    title = name.encode("ascii") + b"\0"
    described = b"desc" + struct.pack(">II", 0, len(title)) + title + bytes(8 + 3 + 67)
    text = b"text" + bytes(4) + b"No copyright, use freely\0"
    white = b"XYZ " + bytes(4) + _fixed(0.9642) + _fixed(1.0) + _fixed(0.8249)
    blocks: list[tuple[bytes, bytes]] = [(b"desc", described), (b"cprt", text), (b"wtpt", white)]
    for letter, xyz in zip(b"rgb", colorants, strict=True):
        block = b"XYZ " + bytes(4) + b"".join(_fixed(one) for one in xyz)
        blocks.append((bytes([letter]) + b"XYZ", block))
    blocks += [(bytes([letter]) + b"TRC", curve) for letter in b"rgb"]
    table, body = b"", b""
    at = 128 + 4 + 12 * len(blocks)
    for signature, block in blocks:
        table += signature + struct.pack(">II", at + len(body), len(block))
        body += block + bytes(-len(block) % 4)
    head = struct.pack(
        ">I4sI4s4s4s", at + len(body), b"\0" * 4, 0x02100000, b"mntr", b"RGB ", b"XYZ "
    )
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += _fixed(0.9642) + _fixed(1.0) + _fixed(0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(blocks)) + table + body


def convert(
    rgb: Array, source: bytes, choice: IccChoice, *, notes: list[str]
) -> tuple[Array, bytes | None]:
    """The picture in the colour space asked for, and the profile to go with it.

    Args:
        rgb: ``uint8``, shape (rows, columns, 3).
        source: ICC Profile (0028,2000) of the object; empty: sRGB is assumed.
        choice: What was asked.
        notes: Gets a sentence when the object's profile cannot be used.
    """
    own = _usable(source, notes)
    if choice is IccChoice.NO:
        return rgb, None
    if choice is IccChoice.YES:
        return rgb, own or profile_bytes(IccChoice.SRGB)
    wanted = profile_bytes(choice)
    given = own or profile_bytes(IccChoice.SRGB)
    if given == wanted:
        return rgb, wanted
    try:
        image = ImageCms.profileToProfile(
            Image.fromarray(np.ascontiguousarray(rgb)),
            ImageCms.ImageCmsProfile(io.BytesIO(given)),
            ImageCms.ImageCmsProfile(io.BytesIO(wanted)),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        notes.append("ICC profile of the object ignored: it cannot be applied")
        return rgb, profile_bytes(IccChoice.SRGB)
    return np.asarray(image, dtype=np.uint8), wanted


def _usable(source: bytes, notes: list[str]) -> bytes | None:
    """The object's profile when it is one for RGB."""
    if not source:
        return None
    size = int.from_bytes(source[:4], "big")
    reason = ""
    if len(source) > MAX_PROFILE_BYTES or not 128 <= size <= len(source):
        reason = "its length is not what it says"
    elif source[36:40] != b"acsp" or source[16:20] != b"RGB ":
        reason = "it is none for RGB"
    else:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(source[:size]))
            ImageCms.getProfileName(profile)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            reason = "it cannot be read"
    if reason:
        notes.append(f"ICC profile of the object ignored: {reason}")
        return None
    return source[:size]
