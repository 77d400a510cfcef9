"""Cropping, turning and scaling (PS3.18 §8.3.5.1.3, PS3.3 §C.10.4, §C.10.6, §C.7.6.3.1.7)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from negatoscope.protocols.dicom.pixel.display.attributes import Array, FrameAttributes, numbers
from negatoscope.protocols.dicom.pixel.display.errors import InvalidViewport
from negatoscope.standard import tags

MAX_SIDE: Final = 8192
"""Longest side of a picture that is made, pixels."""
MAX_ASPECT: Final = 64.0
"""A pixel longer than this many times its width is taken for a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewport:
    """How large the picture is and which part of the image it shows.

    Attributes:
        width: Of the viewport, pixels.
        height: Likewise.
        x: Left edge of the source region, image pixels from 0.
        y: Upper edge.
        source_width: Of the region; negative: flipped left to right; ``None``: to the right edge.
        source_height: Of the region; negative: flipped top to bottom; ``None``: to the lower edge.
    """

    width: int
    height: int
    x: float = 0.0
    y: float = 0.0
    source_width: float | None = None
    source_height: float | None = None

    def __post_init__(self) -> None:
        """Refuse what names no pixel.

        Raises:
            InvalidViewport: a size that is none, or too large.
        """
        if not (1 <= self.width <= MAX_SIDE and 1 <= self.height <= MAX_SIDE):
            raise InvalidViewport(f"a viewport has sides of 1 to {MAX_SIDE} pixels")
        if self.x < 0 or self.y < 0:
            raise InvalidViewport("the source region begins outside the image")
        if self.source_width == 0 or self.source_height == 0:
            raise InvalidViewport("the source region is empty")

    @property
    def has_region(self) -> bool:
        """Whether a part of the image is named."""
        return bool(
            self.x or self.y or self.source_width is not None or self.source_height is not None
        )


def crop(picture: Array, viewport: Viewport) -> Array:
    """The source region, flipped as asked.

    Raises:
        InvalidViewport: the region begins outside the image.
    """
    if not viewport.has_region:
        return picture
    rows, columns = picture.shape[:2]
    width = columns - viewport.x if viewport.source_width is None else viewport.source_width
    height = rows - viewport.y if viewport.source_height is None else viewport.source_height
    left, top = round(viewport.x), round(viewport.y)
    right = min(columns, round(viewport.x + abs(width)))
    bottom = min(rows, round(viewport.y + abs(height)))
    if left >= right or top >= bottom:
        raise InvalidViewport("the source region lies outside the image")
    picture = picture[top:bottom, left:right]
    if width < 0:
        picture = picture[:, ::-1]
    if height < 0:
        picture = picture[::-1]
    return picture


def pixel_aspect(frame: FrameAttributes) -> float:
    """Height of a pixel divided by its width, as shown (PS3.3 §C.7.6.3.1.7).

    Pixel Aspect Ratio, else Pixel Spacing, else Imager Pixel Spacing or Nominal Scanned Pixel
    Spacing; 1 without any, and for values that cannot be meant.
    """
    ratio = numbers(frame.data_set, tags.PIXEL_ASPECT_RATIO)
    if len(ratio) >= 2:
        return sane_aspect(ratio[0], ratio[1])
    measures = frame.macro(tags.PIXEL_MEASURES_SEQUENCE)
    for data_set, tag in (
        (measures, tags.PIXEL_SPACING),
        (frame.data_set, tags.PIXEL_SPACING),
        (frame.data_set, tags.IMAGER_PIXEL_SPACING),
        (frame.data_set, tags.NOMINAL_SCANNED_PIXEL_SPACING),
    ):
        if data_set is not None and len(spacing := numbers(data_set, tag)) >= 2:
            return sane_aspect(spacing[0], spacing[1])
    return 1.0


def sane_aspect(vertical: float, horizontal: float) -> float:
    """Height of a pixel divided by its width; 1 for what cannot be meant."""
    if vertical <= 0 or horizontal <= 0:
        return 1.0
    ratio = vertical / horizontal
    if not 1 / MAX_ASPECT <= ratio <= MAX_ASPECT or abs(ratio - 1.0) < 0.005:
        return 1.0
    return ratio


def fitted(
    rows: int, columns: int, aspect: float, width: int | None, height: int | None
) -> tuple[int, int]:
    """Rows and columns of the picture: pixels square, as large as the viewport allows.

    Args:
        rows: Of the region shown.
        columns: Likewise.
        aspect: Of a pixel.
        width: Of the viewport; ``None``: the image at its own size.
        height: Likewise.
    """
    tall, wide = (rows * aspect, float(columns)) if aspect >= 1 else (rows, columns / aspect)
    scale = min((width or wide) / wide, (height or tall) / tall, MAX_SIDE / max(tall, wide))
    return max(1, round(tall * scale)), max(1, round(wide * scale))


def resize(picture: Array, rows: int, columns: int) -> Array:
    """The picture at another size: averaged when smaller, interpolated when larger.

    Args:
        picture: ``uint8``, shape (rows, columns) or (rows, columns, 3).
        rows: Wanted.
        columns: Wanted.
    """
    if picture.shape[:2] == (rows, columns):
        return picture
    smaller = rows * columns < picture.shape[0] * picture.shape[1]
    image = Image.fromarray(np.ascontiguousarray(picture))
    method = Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC
    reducing = 2.0 if smaller else None
    resized: Array = np.asarray(
        image.resize((columns, rows), method, reducing_gap=reducing), dtype=np.uint8
    )
    return resized


def turn(picture: Array, rotation: int, *, flip: bool) -> Array:
    """Spatial Transformation (PS3.3 §C.10.6): rotated clockwise, then flipped left to right.

    Args:
        picture: Any shape of two dimensions or more.
        rotation: Degrees, a multiple of 90.
        flip: Image Horizontal Flip (0070,0041).
    """
    turns = rotation // 90 % 4
    if turns:
        picture = np.rot90(picture, -turns)
    if flip:
        picture = picture[:, ::-1]
    return picture


def window_of(picture: Array, left: int, top: int, right: int, bottom: int) -> Array:
    """A displayed area, which may pass the image: black outside (PS3.3 §C.10.4).

    Args:
        picture: Any shape of two dimensions or more.
        left: Column, from 0, of the first pixel shown.
        top: Row.
        right: After the last.
        bottom: Likewise.
    Returns: The whole picture when the area shows nothing of it, or is larger than allowed.
    """
    rows, columns = picture.shape[:2]
    inside = (max(left, 0), max(top, 0), min(right, columns), min(bottom, rows))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        return picture
    if right - left > MAX_SIDE or bottom - top > MAX_SIDE:
        left, top, right, bottom = inside
    out = np.zeros((bottom - top, right - left, *picture.shape[2:]), dtype=picture.dtype)
    out[inside[1] - top : inside[3] - top, inside[0] - left : inside[2] - left] = picture[
        inside[1] : inside[3], inside[0] : inside[2]
    ]
    return out
