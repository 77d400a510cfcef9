"""Display shutters: what is masked around the part that matters (PS3.3 §C.7.6.11, §C.7.6.15)."""

import numpy as np
from PIL import Image, ImageDraw

from negatoscope.protocols.dicom.pixel.display.attributes import (
    Array,
    DataSet,
    integer,
    integers,
    number,
    texts,
)
from negatoscope.protocols.dicom.pixel.display.color import cielab_to_rgb
from negatoscope.protocols.dicom.pixel.display.overlays import read_overlays
from negatoscope.standard import tags

_MAX_VERTICES = 100_000


def read_shutter(data_set: DataSet, *, frame: int, rows: int, columns: int) -> Array | None:
    """Where the image is hidden; ``None`` without a shutter.

    Several shapes together leave visible what all of them do. Coordinates are rows and columns
    from 1.

    Args:
        data_set: Image, presentation state, or item of the Frame Display Shutter Sequence.
        frame: Number, from 1.
        rows: Of the image.
        columns: Likewise.
    Returns: ``bool``, shape (rows, columns).
    """
    hidden = np.zeros((rows, columns), dtype=bool)
    any_shape = False
    for shape in texts(data_set, tags.SHUTTER_SHAPE):
        visible: Array | None = None
        match shape:
            case "RECTANGULAR":
                visible = _rectangle(data_set, rows, columns)
            case "CIRCULAR":
                visible = _circle(data_set, rows, columns)
            case "POLYGONAL":
                visible = _polygon(data_set, rows, columns)
            case "BITMAP":
                visible = _bitmap(data_set, frame, rows, columns)
        if visible is not None:
            any_shape = True
            hidden |= ~visible
    return hidden if any_shape else None


def shutter_color(data_set: DataSet) -> tuple[int, int, int]:
    """What is shown in the hidden part: RGB, black when nothing is said."""
    lab = integers(data_set, tags.SHUTTER_PRESENTATION_COLOR_CIE_LAB_VALUE)
    if len(lab) >= 3:
        return cielab_to_rgb((lab[0] & 0xFFFF, lab[1] & 0xFFFF, lab[2] & 0xFFFF))
    level = number(data_set, tags.SHUTTER_PRESENTATION_VALUE)
    gray = 0 if level is None else min(255, max(0, int(level)) >> 8)
    return gray, gray, gray


def _rectangle(data_set: DataSet, rows: int, columns: int) -> Array | None:
    edges = [
        integer(data_set, tag)
        for tag in (
            tags.SHUTTER_LEFT_VERTICAL_EDGE,
            tags.SHUTTER_RIGHT_VERTICAL_EDGE,
            tags.SHUTTER_UPPER_HORIZONTAL_EDGE,
            tags.SHUTTER_LOWER_HORIZONTAL_EDGE,
        )
    ]
    left, right, upper, lower = edges
    if left is None or right is None or upper is None or lower is None:
        return None
    visible = np.zeros((rows, columns), dtype=bool)
    visible[max(upper - 1, 0) : max(lower, 0), max(left - 1, 0) : max(right, 0)] = True
    return visible


def _circle(data_set: DataSet, rows: int, columns: int) -> Array | None:
    center = integers(data_set, tags.CENTER_OF_CIRCULAR_SHUTTER)
    radius = integer(data_set, tags.RADIUS_OF_CIRCULAR_SHUTTER)
    if len(center) < 2 or radius is None:
        return None
    y = np.arange(1, rows + 1, dtype=np.float64)[:, None] - center[0]
    x = np.arange(1, columns + 1, dtype=np.float64)[None, :] - center[1]
    visible: Array = y * y + x * x <= float(radius) ** 2
    return visible


def _polygon(data_set: DataSet, rows: int, columns: int) -> Array | None:
    vertices = integers(data_set, tags.VERTICES_OF_THE_POLYGONAL_SHUTTER)[: 2 * _MAX_VERTICES]
    points = [
        (float(min(max(x, -65_535), 65_535) - 1), float(min(max(y, -65_535), 65_535) - 1))
        for y, x in zip(vertices[::2], vertices[1::2], strict=False)
    ]
    if len(points) < 3:
        return None
    image = Image.new("L", (columns, rows), 0)
    ImageDraw.Draw(image).polygon(points, fill=1, outline=1)
    return np.asarray(image).astype(bool)


def _bitmap(data_set: DataSet, frame: int, rows: int, columns: int) -> Array | None:
    group = integer(data_set, tags.SHUTTER_OVERLAY_GROUP)
    for overlay in read_overlays(data_set, frame=frame, rows=rows, columns=columns, raw=None):
        if overlay.group == group:
            return ~overlay.mask
    return None
