"""What the Image Pixel module says of the frames (PS3.3 §C.7.6.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from negatoscope.protocols.dicom.pixel.errors import InvalidDescription

#: Photometric Interpretations of PS3.3 §C.7.6.3.1.2 and their Samples per Pixel.
PHOTOMETRIC_INTERPRETATIONS: Final[Mapping[str, int]] = {
    "MONOCHROME1": 1,
    "MONOCHROME2": 1,
    "PALETTE COLOR": 1,
    "RGB": 3,
    "YBR_FULL": 3,
    "YBR_FULL_422": 3,
    "YBR_PARTIAL_420": 3,
    "YBR_PARTIAL_422": 3,
    "YBR_ICT": 3,
    "YBR_RCT": 3,
    "XYB": 3,
    "HSV": 3,
    "ARGB": 4,
    "CMYK": 4,
}
#: Two chrominance samples for each two pixels of a native frame: 16 bits per pixel.
SUBSAMPLED: Final = frozenset({"YBR_FULL_422", "YBR_PARTIAL_422"})
_MAX_FRAMES: Final = (1 << 31) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelDescription:
    """One image's shape and coding.

    Attributes:
        rows: (0028,0010), 1 … 65535.
        columns: (0028,0011), likewise.
        samples_per_pixel: (0028,0002): 1, 3 or 4.
        bits_allocated: (0028,0100): 1, 8, 12 (retired), 16, 24, 32 or 64.
        bits_stored: (0028,0101), at most `bits_allocated`.
        high_bit: (0028,0102), `bits_stored - 1` unless something else lies in the low bits.
        pixel_representation: (0028,0103): 0 unsigned, 1 two's complement.
        photometric_interpretation: (0028,0004), upper case.
        planar_configuration: (0028,0006): 0 by pixel, 1 by plane; 0 of one sample.
        number_of_frames: (0028,0008), 1 when absent.
        kind: `integer` (7FE0,0010), `float` (7FE0,0008) or `double` (7FE0,0009).
        pixel_vr: Of the pixel data as sent; empty when not known. Bytes in words of OW are swapped
            in big endian, those of OB are not.
    """

    rows: int
    columns: int
    samples_per_pixel: int = 1
    bits_allocated: int = 16
    bits_stored: int = 16
    high_bit: int = 15
    pixel_representation: int = 0
    photometric_interpretation: str = "MONOCHROME2"
    planar_configuration: int = 0
    number_of_frames: int = 1
    kind: str = "integer"
    pixel_vr: str = ""

    @classmethod
    def of(cls, data_set: Mapping[str, Any]) -> Self:
        """The description in a data set.

        Args:
            data_set: DICOM JSON model.

        Raises:
            InvalidDescription: an attribute is missing or contradicts another.
        """
        kind = "float" if "7FE00008" in data_set else "double" if "7FE00009" in data_set else ""
        if "7FE00010" in data_set or not kind:
            kind = "integer"
        samples = _number(data_set, "00280002", "SamplesPerPixel", default=1)
        allocated = {"float": 32, "double": 64}.get(kind)
        if allocated is None:
            allocated = _number(data_set, "00280100", "BitsAllocated")
        stored = _number(data_set, "00280101", "BitsStored", default=allocated)
        photometric = _text(data_set, "00280004")
        if photometric is None:
            photometric = {3: "RGB", 4: "ARGB"}.get(samples, "MONOCHROME2")
        described = cls(
            rows=_number(data_set, "00280010", "Rows"),
            columns=_number(data_set, "00280011", "Columns"),
            samples_per_pixel=samples,
            bits_allocated=allocated,
            bits_stored=stored if kind == "integer" else allocated,
            high_bit=(
                _number(data_set, "00280102", "HighBit", default=stored - 1)
                if kind == "integer"
                else allocated - 1
            ),
            pixel_representation=(
                _number(data_set, "00280103", "PixelRepresentation", default=0)
                if kind == "integer"
                else 0
            ),
            photometric_interpretation=photometric,
            planar_configuration=(
                _number(data_set, "00280006", "PlanarConfiguration", default=0)
                if samples > 1
                else 0
            ),
            number_of_frames=_number(data_set, "00280008", "NumberOfFrames", default=1) or 1,
            kind=kind,
            pixel_vr=str((data_set.get("7FE00010") or {}).get("vr") or ""),
        )
        described.check()
        return described

    def check(self) -> None:
        """Compare the attributes with each other.

        Raises:
            InvalidDescription: they describe no image.
        """
        _between("Rows", self.rows, 1, 65_535)
        _between("Columns", self.columns, 1, 65_535)
        _between("NumberOfFrames", self.number_of_frames, 1, _MAX_FRAMES)
        _among("SamplesPerPixel", self.samples_per_pixel, (1, 3, 4))
        _among("PixelRepresentation", self.pixel_representation, (0, 1))
        _among("PlanarConfiguration", self.planar_configuration, (0, 1))
        if self.kind == "integer":
            _among("BitsAllocated", self.bits_allocated, (1, 8, 12, 16, 24, 32))
        elif self.samples_per_pixel != 1:
            raise InvalidDescription("floating point pixels have one sample (PS3.3 §C.7.6.24)")
        _between("BitsStored", self.bits_stored, 1, self.bits_allocated)
        _between("HighBit", self.high_bit, self.bits_stored - 1, self.bits_allocated - 1)
        expected = PHOTOMETRIC_INTERPRETATIONS.get(self.photometric_interpretation)
        if expected is None:
            raise InvalidDescription(
                f"PhotometricInterpretation {self.photometric_interpretation[:16]!r} is not of the standard"
            )
        if expected != self.samples_per_pixel:
            raise InvalidDescription(
                f"PhotometricInterpretation {self.photometric_interpretation} has {expected} samples, "
                f"SamplesPerPixel says {self.samples_per_pixel}"
            )
        if self.bits_allocated in {1, 12} and self.samples_per_pixel != 1:
            raise InvalidDescription(f"{self.bits_allocated} bits allocated and several samples")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a decoded frame: (rows, columns) or (rows, columns, samples)."""
        if self.samples_per_pixel == 1:
            return self.rows, self.columns
        return self.rows, self.columns, self.samples_per_pixel

    @property
    def is_signed(self) -> bool:
        """Samples are two's complement."""
        return self.pixel_representation == 1

    @property
    def frame_bits(self) -> int:
        """Bits of a native frame: those of one bit per pixel need not end with a byte (PS3.5 §8.1.1)."""
        if self.photometric_interpretation in SUBSAMPLED:
            return self.rows * ((self.columns + 1) // 2) * 4 * self.bits_allocated
        return self.rows * self.columns * self.samples_per_pixel * self.bits_allocated

    @property
    def frame_length(self) -> int:
        """Bytes of a native frame, padded to a whole byte."""
        return (self.frame_bits + 7) // 8

    @property
    def sample_bytes(self) -> int:
        """Bytes of one decoded sample: 1, 2, 4 or 8."""
        for size in (1, 2, 4):
            if self.bits_allocated <= 8 * size:
                return size
        return 8

    @property
    def decoded_bytes(self) -> int:
        """Bytes of one decoded frame."""
        return self.rows * self.columns * self.samples_per_pixel * self.sample_bytes


def _number(data_set: Mapping[str, Any], key: str, name: str, *, default: int | None = None) -> int:
    attribute = data_set.get(key)
    values = attribute.get("Value") if isinstance(attribute, Mapping) else None
    if not values or values[0] is None or values[0] == "":
        if default is None:
            raise InvalidDescription(f"{name} is missing")
        return default
    value = values[0]
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise InvalidDescription(f"{name} is not a whole number")
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidDescription(f"{name} is not a whole number") from error


def _text(data_set: Mapping[str, Any], key: str) -> str | None:
    attribute = data_set.get(key)
    values = attribute.get("Value") if isinstance(attribute, Mapping) else None
    if not values or not isinstance(values[0], str):
        return None
    return values[0].strip(" \x00").upper() or None


def _between(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InvalidDescription(f"{name} {value} is not between {low} and {high}")


def _among(name: str, value: int, allowed: tuple[int, ...]) -> None:
    if value not in allowed:
        raise InvalidDescription(f"{name} {value} is none of {', '.join(map(str, allowed))}")
