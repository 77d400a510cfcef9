"""Text and shapes burned into a picture: annotations asked for, and those of presentation states."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from negatoscope.protocols.dicom.pixel.display.attributes import Array

MAX_CHARACTERS: Final = 200
_MARGIN: Final = 4


@lru_cache(maxsize=16)
def font(size: int) -> Any:
    """The font that comes with Pillow (Aileron, CC0), which has the accents of Latin languages."""
    return ImageFont.load_default(size)


def readable(text: str) -> str:
    """Text without control characters, cut to what fits a line."""
    shown = "".join(one if one.isprintable() else " " for one in text)
    return shown[:MAX_CHARACTERS].strip()


def annotate(picture: Array, corners: Sequence[Sequence[str]]) -> Array:
    """Lines of text in the upper left and upper right corners, white with a dark rim.

    Args:
        picture: ``uint8``, shape (rows, columns) or (rows, columns, 3).
        corners: Lines of the left corner, then of the right.
    """
    image = Image.fromarray(np.ascontiguousarray(picture))
    rows, columns = picture.shape[:2]
    size = max(8, min(24, min(rows, columns) // 28))
    draw = ImageDraw.Draw(image)
    white: Any = 255 if picture.ndim == 2 else (255, 255, 255)
    black: Any = 0 if picture.ndim == 2 else (0, 0, 0)
    for at, lines in enumerate(corners):
        y = _MARGIN
        for line in lines:
            text = readable(line)
            if not text:
                continue
            x = _MARGIN if at == 0 else columns - _MARGIN
            draw.text(
                (x, y),
                text,
                fill=white,
                font=font(size),
                anchor="la" if at == 0 else "ra",
                stroke_width=1,
                stroke_fill=black,
            )
            y += round(size * 1.25)
    return np.asarray(image, dtype=np.uint8)
