"""Colour models → RGB of 8 bits (PS3.3 §C.7.6.3.1.2)."""

from typing import Final

import numpy as np

from negatoscope.protocols.dicom.pixel.display.attributes import Array
from negatoscope.protocols.dicom.pixel.display.errors import NotDisplayable

#: ITU-R BT.601 full range: Y, CB, CR minus (0, 128, 128) → R, G, B.
_FULL: Final = np.array([[1.0, 0.0, 1.402], [1.0, -0.344136, -0.714136], [1.0, 1.772, 0.0]])
#: Studio range: Y 16 … 235, CB and CR 16 … 240.
_PARTIAL: Final = np.array(
    [
        [1.164383, 0.0, 1.596027],
        [1.164383, -0.391762, -0.812968],
        [1.164383, 2.017232, 0.0],
    ]
)
_YBR_FULL: Final = frozenset({"YBR_FULL", "YBR_FULL_422"})
_YBR_PARTIAL: Final = frozenset({"YBR_PARTIAL_422", "YBR_PARTIAL_420"})


def to_rgb(samples: Array, photometric: str, *, bits: int) -> Array:
    """RGB, ``uint8``, shape (rows, columns, 3).

    Args:
        samples: Shape (rows, columns, 3 or more), unsigned.
        photometric: Of ``samples``.
        bits: Bits stored of a sample; deeper ones lose their low bits.
    Raises:
        NotDisplayable: the model is not a colour model, or samples are missing.
    """
    if samples.ndim != 3 or samples.shape[2] < 3:
        raise NotDisplayable(f"{photometric} needs three samples for each pixel")
    eight = eight_bits(samples, bits=bits)
    match photometric:
        case "RGB" | "YBR_RCT" | "YBR_ICT":
            rgb: Array = eight[..., :3]
            return np.ascontiguousarray(rgb)
        case model if model in _YBR_FULL:
            return _matrix(eight, _FULL, 0.0)
        case model if model in _YBR_PARTIAL:
            return _matrix(eight, _PARTIAL, 16.0)
        case "CMYK" if samples.shape[2] >= 4:
            ink = eight[..., :4].astype(np.uint16)
            left = 255 - ink[..., 3:4]
            return ((255 - ink[..., :3]) * left // 255).astype(np.uint8)
        case "ARGB" if samples.shape[2] >= 4:
            return np.ascontiguousarray(eight[..., 1:4])
        case "HSV":
            return _hsv(eight)
        case _:
            raise NotDisplayable(f"photometric interpretation {photometric} is not known")


def eight_bits(samples: Array, *, bits: int) -> Array:
    """Samples as ``uint8``; deeper ones are scaled so that the largest value is 255."""
    if samples.dtype == np.uint8 and bits == 8:
        return samples
    top = (1 << bits) - 1
    if samples.dtype.kind == "f":
        out: Array = np.clip(np.nan_to_num(samples), 0, 255)
    elif bits >= 8:
        out = np.clip(samples.astype(np.int64), 0, top) >> (bits - 8)
    else:
        out = np.clip(samples, 0, top) * (255.0 / top)
    return out.astype(np.uint8)


def _matrix(ybr: Array, matrix: Array, black: float) -> Array:
    values = ybr[..., :3].astype(np.float32)
    values -= np.array([black, 128.0, 128.0], dtype=np.float32)
    rgb = values @ matrix.T.astype(np.float32)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def _hsv(hsv: Array) -> Array:
    hue = hsv[..., 0].astype(np.float64) / 255.0 * 6.0
    saturation = hsv[..., 1] / 255.0
    value = hsv[..., 2] / 255.0
    channels = []
    for shift in (5.0, 3.0, 1.0):
        k = (shift + hue) % 6.0
        level = value - value * saturation * np.clip(np.minimum(k, 4.0 - k), 0.0, 1.0)
        channels.append(np.rint(level * 255.0))
    return np.stack(channels, axis=-1).astype(np.uint8)


def cielab_to_rgb(lab: tuple[int, int, int]) -> tuple[int, int, int]:
    """sRGB of a CIELab value as DICOM writes it (PS3.3 §C.10.7.1.1).

    Args:
        lab: Three unsigned 16-bit numbers: L* 0 … 100, a* and b* −128 … 127 over the whole range.
    """
    lightness = lab[0] / 65535.0 * 100.0
    a = lab[1] / 65535.0 * 255.0 - 128.0
    b = lab[2] / 65535.0 * 255.0 - 128.0
    fy = (lightness + 16.0) / 116.0
    fx, fz = fy + a / 500.0, fy - b / 200.0
    white = (0.9642, 1.0, 0.8249)  # D50
    x, y, z = (
        w * (f**3 if f > 6.0 / 29.0 else (f - 16.0 / 116.0) * 3.0 * (6.0 / 29.0) ** 2)
        for w, f in zip(white, (fx, fy, fz), strict=True)
    )
    linear = (  # XYZ relative to D50 → linear sRGB (Bradford adapted)
        3.1338561 * x - 1.6168667 * y - 0.4906146 * z,
        -0.9787684 * x + 1.9161415 * y + 0.0334540 * z,
        0.0719453 * x - 0.2289914 * y + 1.4052427 * z,
    )
    out = []
    for one in linear:
        level = min(max(one, 0.0), 1.0)
        coded = 12.92 * level if level <= 0.0031308 else 1.055 * level ** (1 / 2.4) - 0.055
        out.append(round(coded * 255.0))
    return out[0], out[1], out[2]
