"""Native pixel data (PS3.5 §8.1–8.2): samples as numbers, in either byte order."""

import numpy as np

from negatoscope.protocols.dicom.pixel.codecs.frame import Bytes, Frame, Samples, to_samples
from negatoscope.protocols.dicom.pixel.description import SUBSAMPLED, PixelDescription
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame, NotEncodable
from negatoscope.protocols.dicom.pixel.limits import PixelLimits
from negatoscope.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    GE_PRIVATE_IMPLICIT_VR_BIG_ENDIAN_PIXELS,
)

_BIG_ENDIAN = frozenset({EXPLICIT_VR_BIG_ENDIAN, GE_PRIVATE_IMPLICIT_VR_BIG_ENDIAN_PIXELS})
_FLOATS = {"float": "f4", "double": "f8"}


def decode(data: Bytes, description: PixelDescription, uid: str, _limits: PixelLimits) -> Frame:
    """A native frame.

    A frame declared YBR_FULL_422 that has three bytes per pixel is not subsampled.

    Raises:
        CorruptFrame: fewer bytes than a frame has, or more than its padding.
    """
    photometric = description.photometric_interpretation
    if photometric in SUBSAMPLED:
        whole = description.rows * description.columns * 3 * description.bits_allocated // 8
        if len(data) < whole or whole <= description.frame_length:
            _check_length(data, description.frame_length)
            return _upsampled(_numbers(data, description, uid), description)
        photometric = photometric.removesuffix("_422")
        _check_length(data, whole)
        count = description.rows * description.columns * 3
        return Frame(
            samples=to_samples(
                _numbers(data, description, uid, count=count).reshape(description.shape),
                description,
                precision=description.bits_allocated,
            ),
            photometric_interpretation="YBR_FULL" if photometric == "YBR_FULL" else "RGB",
        )
    _check_length(data, description.frame_length)
    numbers = _numbers(data, description, uid)
    if description.kind != "integer":
        samples: Samples = numbers.reshape(description.shape)
    else:
        if description.samples_per_pixel > 1 and description.planar_configuration:
            planes = numbers.reshape(
                description.samples_per_pixel, description.rows, description.columns
            )
            numbers = np.ascontiguousarray(planes.transpose(1, 2, 0))
        samples = to_samples(
            numbers.reshape(description.shape), description, precision=description.bits_allocated
        )
    return Frame(samples=samples, photometric_interpretation=photometric)


def _check_length(data: Bytes, expected: int) -> None:
    if len(data) < expected:
        raise CorruptFrame(f"the frame has {len(data)} bytes, its attributes ask for {expected}")
    if len(data) > expected + 1:
        raise CorruptFrame(f"the frame has {len(data)} bytes, {expected} are its pixels")


def _numbers(
    data: Bytes, description: PixelDescription, uid: str, *, count: int | None = None
) -> Samples:
    """The samples' containers in the order of the bytes, in this machine's byte order."""
    order = ">" if uid in _BIG_ENDIAN else "<"
    if count is None:
        count = description.frame_bits // description.bits_allocated
    if description.kind != "integer":
        array = np.frombuffer(data, order + _FLOATS[description.kind], count)
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    allocated = description.bits_allocated
    if allocated in {1, 8} and order == ">" and description.pixel_vr == "OW":
        data = _swapped_words(data)
    if allocated == 1:
        packed = np.frombuffer(data, "u1", (count + 7) // 8)
        return np.unpackbits(packed, count=count, bitorder="little")
    if allocated == 12:
        return _unpacked_12(data, count)
    if allocated == 24:
        octets = np.frombuffer(data, "u1", 3 * count).reshape(count, 3)
        wide = np.zeros((count, 4), "u1")
        wide[:, :3] = octets if order == "<" else octets[:, ::-1]
        return wide.view("<u4").reshape(count).astype("u4", copy=False)
    array = np.frombuffer(data, f"{order}u{allocated // 8}", count)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _swapped_words(data: Bytes) -> bytes:
    raw = bytes(data)
    if len(raw) % 2:
        raise CorruptFrame("swapped words of which the last is not whole")
    return np.frombuffer(raw, "u2").byteswap().tobytes()


def _unpacked_12(data: Bytes, count: int) -> Samples:
    """Two samples in three bytes, the first in the lowest bits (PS3.5-2004 §8.1.1)."""
    triples = (count + 1) // 2
    flat = np.zeros(3 * triples, "u2")
    octets = np.frombuffer(data, "u1", (count * 12 + 7) // 8)
    flat[: len(octets)] = octets
    raw = flat.reshape(triples, 3)
    out = np.empty((triples, 2), "u2")
    out[:, 0] = raw[:, 0] | (raw[:, 1] & 0x0F) << 8
    out[:, 1] = raw[:, 1] >> 4 | raw[:, 2] << 4
    return out.reshape(-1)[:count]


def _upsampled(numbers: Samples, description: PixelDescription) -> Frame:
    """Y Y Cb Cr by turns (PS3.3 §C.7.6.3.1.2): each chrominance pair is of two pixels.

    Chrominance of the partial range (Y 16–235, Cb Cr 16–240 in eight bits) has no name without
    subsampling and comes out as RGB, ITU-R BT.601.
    """
    pairs = (description.columns + 1) // 2
    quads = numbers.reshape(description.rows, pairs, 4)
    out = np.empty((description.rows, 2 * pairs, 3), numbers.dtype)
    out[:, 0::2, 0] = quads[:, :, 0]
    out[:, 1::2, 0] = quads[:, :, 1]
    out[:, 0::2, 1:] = quads[:, :, 2:]
    out[:, 1::2, 1:] = quads[:, :, 2:]
    samples = np.ascontiguousarray(out[:, : description.columns])
    if description.photometric_interpretation == "YBR_FULL_422":
        return Frame(samples=samples, photometric_interpretation="YBR_FULL")
    return Frame(
        samples=_rgb_of_partial(samples, description.bits_stored), photometric_interpretation="RGB"
    )


def _rgb_of_partial(samples: Samples, bits: int) -> Samples:
    unit = float(1 << (bits - 8)) if bits > 8 else 1.0
    top = float((1 << bits) - 1)
    y = (samples[..., 0].astype("f4") - 16 * unit) * (top / (219 * unit))
    cb = (samples[..., 1].astype("f4") - 128 * unit) * (top / (224 * unit))
    cr = (samples[..., 2].astype("f4") - 128 * unit) * (top / (224 * unit))
    rgb = np.stack((y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb), axis=-1)
    return np.clip(np.rint(rgb), 0, top).astype(samples.dtype)


def encode(
    samples: Samples, description: PixelDescription, uid: str, _quality: int | None
) -> bytes:
    """A native frame, not padded: bits above Bits Stored are the sign's, those below are zero.

    Raises:
        NotEncodable: subsampled colour, or packed samples of 12 bits.
    """
    order = ">" if uid in _BIG_ENDIAN else "<"
    if description.photometric_interpretation in SUBSAMPLED or description.bits_allocated == 12:
        raise NotEncodable("native frames are written with a number for each sample")
    if description.kind != "integer":
        return np.ascontiguousarray(samples, order + _FLOATS[description.kind]).tobytes()
    if description.samples_per_pixel > 1 and description.planar_configuration:
        samples = np.ascontiguousarray(samples.transpose(2, 0, 1))
    allocated = description.bits_allocated
    if allocated == 1:
        raw = np.packbits(samples.reshape(-1) & 1, bitorder="little").tobytes()
    elif allocated == 24:
        wide = np.ascontiguousarray(samples.astype("<u4")).view("u1").reshape(-1, 4)[:, :3]
        raw = (wide if order == "<" else wide[:, ::-1]).tobytes()
    else:
        letter = "i" if description.is_signed else "u"
        shift = description.high_bit + 1 - description.bits_stored
        if shift:
            samples = samples << shift
        raw = np.ascontiguousarray(samples, f"{order}{letter}{allocated // 8}").tobytes()
    if allocated in {1, 8} and order == ">" and description.pixel_vr == "OW":
        raw = _swapped_words(raw)
    return raw
