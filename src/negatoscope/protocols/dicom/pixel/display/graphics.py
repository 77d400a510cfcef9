"""Graphic annotations of presentation states (PS3.3 §C.10.5)."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

from negatoscope.protocols.dicom.pixel.display.attributes import (
    Array,
    DataSet,
    integer,
    integers,
    items,
    numbers,
    text,
)
from negatoscope.protocols.dicom.pixel.display.color import cielab_to_rgb
from negatoscope.protocols.dicom.pixel.display.drawing import font, readable
from negatoscope.standard import tags

_MAX_POINTS: Final = 100_000
_MAX_OBJECTS: Final = 5_000
_LIMIT: Final = 100_000.0
_STEPS: Final = 16
Point = tuple[float, float]
Color = tuple[int, int, int]
_DEFAULT: Final[Color] = (255, 255, 0)


def draw_graphics(
    picture: Array,
    annotations: Sequence[DataSet],
    *,
    layers: Sequence[DataSet],
    origin: tuple[int, int],
    scale: tuple[float, float],
    turn: Callable[[Array], Array],
) -> Array:
    """The picture turned, with shapes under the turning and text upright over it.

    Args:
        picture: Not yet turned.
        annotations: Items of the Graphic Annotation Sequence that apply.
        layers: Items of the Graphic Layer Sequence; they are drawn in their order.
        origin: Column and row, from 1, of the image pixel at the upper left of the picture.
        scale: Picture pixels for each image pixel, horizontally and vertically.
        turn: Rotates and flips.
    """
    if not annotations:
        return turn(picture)
    colors, order = {}, {}
    for layer in layers:
        name = text(layer, tags.GRAPHIC_LAYER) or ""
        order[name] = integer(layer, tags.GRAPHIC_LAYER_ORDER) or 0
        colors[name] = _layer_color(layer)
    annotations = sorted(
        annotations, key=lambda item: order.get(text(item, tags.GRAPHIC_LAYER) or "", 0)
    )
    base = np.repeat(picture[..., None], 3, axis=-1) if picture.ndim == 2 else picture
    rows, columns = base.shape[:2]

    def in_picture(points: Sequence[float], units: str | None) -> list[Point]:
        pairs = list(zip(points[::2], points[1::2], strict=False))[:_MAX_POINTS]
        if units == "DISPLAY":
            placed = [(x * columns, y * rows) for x, y in pairs]
        else:
            placed = [
                ((x - origin[0] + 0.5) * scale[0], (y - origin[1] + 0.5) * scale[1])
                for x, y in pairs
            ]
        return [(min(max(x, -_LIMIT), _LIMIT), min(max(y, -_LIMIT), _LIMIT)) for x, y in placed]

    image = Image.fromarray(np.ascontiguousarray(base))
    draw = ImageDraw.Draw(image)
    width = max(1, round(min(rows, columns) / 400))
    texts: list[tuple[str, Point, Color, tuple[str, Point] | None]] = []
    count = 0
    for annotation in annotations:
        color = colors.get(text(annotation, tags.GRAPHIC_LAYER) or "", _DEFAULT)
        for shape in items(annotation, tags.GRAPHIC_OBJECT_SEQUENCE):
            count += 1
            if count > _MAX_OBJECTS:
                break
            points = in_picture(
                numbers(shape, tags.GRAPHIC_DATA), text(shape, tags.GRAPHIC_ANNOTATION_UNITS)
            )
            filled = text(shape, tags.GRAPHIC_FILLED) == "Y"
            _draw_shape(
                draw, text(shape, tags.GRAPHIC_TYPE) or "", points, color, width, filled=filled
            )
        for note in items(annotation, tags.TEXT_OBJECT_SEQUENCE):
            count += 1
            if count > _MAX_OBJECTS:
                break
            _draw_anchor(draw, note, in_picture, color, width)
            found = _text_of(note, in_picture)
            if found is not None:
                texts.append((*found, color, None))
    turned = turn(np.asarray(image, dtype=np.uint8))
    if not texts:
        return turned
    return _with_texts(turned, texts, base.shape[:2], turn)


def _with_texts(
    turned: Array,
    texts: Sequence[tuple[str, Point, Color, Any]],
    shape: tuple[int, ...],
    turn: Callable[[Array], Array],
) -> Array:
    """Text stays upright: only the place where it begins is turned."""
    image = Image.fromarray(np.ascontiguousarray(turned))
    draw = ImageDraw.Draw(image)
    rows, columns = shape[:2]
    size = max(9, min(28, min(rows, columns) // 26))
    index = turn(np.arange(4).reshape(2, 2))  # which corner went where
    for words, (x, y), color, _ in texts:
        place = _turned_point(x, y, rows, columns, index)
        draw.multiline_text(
            place, words, fill=color, font=font(size), stroke_width=1, stroke_fill=(0, 0, 0)
        )
    return np.asarray(image, dtype=np.uint8)


def _turned_point(x: float, y: float, rows: int, columns: int, corners: Array) -> Point:
    """Where a point lies after the turning that moved the corners 0 1 / 2 3 as given."""
    u, v = x / columns, y / rows
    places = {int(corners[r, c]): (float(c), float(r)) for r in (0, 1) for c in (0, 1)}
    (ox, oy), (ax, ay), (bx, by) = places[0], places[1], places[2]
    tx, ty = ox + u * (ax - ox) + v * (bx - ox), oy + u * (ay - oy) + v * (by - oy)
    swapped = ax == ox
    wide, tall = (rows, columns) if swapped else (columns, rows)
    return tx * wide, ty * tall


def _layer_color(layer: DataSet) -> Color:
    lab = integers(layer, tags.GRAPHIC_LAYER_RECOMMENDED_DISPLAY_CIE_LAB_VALUE)
    if len(lab) >= 3:
        return cielab_to_rgb((lab[0] & 0xFFFF, lab[1] & 0xFFFF, lab[2] & 0xFFFF))
    rgb = integers(layer, tags.GRAPHIC_LAYER_RECOMMENDED_DISPLAY_RGB_VALUE)
    if len(rgb) >= 3:
        return _byte(rgb[0]), _byte(rgb[1]), _byte(rgb[2])
    gray = integer(layer, tags.GRAPHIC_LAYER_RECOMMENDED_DISPLAY_GRAYSCALE_VALUE)
    if gray is not None:
        return _byte(gray), _byte(gray), _byte(gray)
    return _DEFAULT


def _byte(word: int) -> int:
    return min(255, max(0, word) >> 8)


def _text_of(note: DataSet, in_picture: Callable[..., list[Point]]) -> tuple[str, Point] | None:
    words = text(note, tags.UNFORMATTED_TEXT_VALUE)
    if words is None:
        return None
    lines = words.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:50]
    shown = "\n".join(readable(line) for line in lines)
    corner = numbers(note, tags.BOUNDING_BOX_TOP_LEFT_HAND_CORNER)
    units = text(note, tags.BOUNDING_BOX_ANNOTATION_UNITS)
    if len(corner) < 2:
        corner = numbers(note, tags.ANCHOR_POINT)
        units = text(note, tags.ANCHOR_POINT_ANNOTATION_UNITS)
    if len(corner) < 2 or not shown.strip():
        return None
    return shown, in_picture(corner[:2], units)[0]


def _draw_anchor(
    draw: Any, note: DataSet, in_picture: Callable[..., list[Point]], color: Color, width: int
) -> None:
    """The line from a visible anchor point to its text (PS3.3 §C.10.5.1.1)."""
    anchor = numbers(note, tags.ANCHOR_POINT)
    corner = numbers(note, tags.BOUNDING_BOX_TOP_LEFT_HAND_CORNER)
    if text(note, tags.ANCHOR_POINT_VISIBILITY) != "Y" or len(anchor) < 2 or len(corner) < 2:
        return
    begin = in_picture(anchor[:2], text(note, tags.ANCHOR_POINT_ANNOTATION_UNITS))[0]
    end = in_picture(corner[:2], text(note, tags.BOUNDING_BOX_ANNOTATION_UNITS))[0]
    draw.line([begin, end], fill=color, width=width)


def _draw_shape(
    draw: Any, kind: str, points: list[Point], color: Color, width: int, *, filled: bool
) -> None:
    match kind:
        case "POINT":
            for x, y in points[:1]:
                arm = 3 * width + 2
                draw.line([(x - arm, y), (x + arm, y)], fill=color, width=width)
                draw.line([(x, y - arm), (x, y + arm)], fill=color, width=width)
        case "POLYLINE":
            _draw_line(draw, points, color, width, filled=filled)
        case "INTERPOLATED":
            _draw_line(draw, _spline(points), color, width, filled=filled)
        case "CIRCLE" if len(points) >= 2:
            (x, y), (ex, ey) = points[:2]
            radius = min(math.hypot(ex - x, ey - y), _LIMIT)
            box = [(x - radius, y - radius), (x + radius, y + radius)]
            draw.ellipse(box, outline=color, fill=color if filled else None, width=width)
        case "ELLIPSE" if len(points) >= 4:
            _draw_line(draw, _ellipse(points), color, width, filled=filled)
        case _:
            pass


def _draw_line(draw: Any, points: list[Point], color: Color, width: int, *, filled: bool) -> None:
    if len(points) < 2:
        return
    if filled and len(points) >= 3:
        draw.polygon(points, fill=color, outline=color)
    draw.line(points, fill=color, width=width)


def _ellipse(points: list[Point]) -> list[Point]:
    """A polygon of the ellipse whose axes' end points are given, long axis first."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points[:4]
    mx, my = (ax + bx) / 2, (ay + by) / 2
    ux, uy, vx, vy = (bx - ax) / 2, (by - ay) / 2, (dx - cx) / 2, (dy - cy) / 2
    angles = (2 * math.pi * step / 96 for step in range(97))
    return [
        (mx + ux * math.cos(t) + vx * math.sin(t), my + uy * math.cos(t) + vy * math.sin(t))
        for t in angles
    ]


def _spline(points: list[Point]) -> list[Point]:
    """A curve through all points (Catmull-Rom), closed when the first is the last."""
    if len(points) < 3 or len(points) > 2000:
        return points
    closed = points[0] == points[-1]
    ring = points[-2:-1] + points + points[1:2] if closed else points[:1] + points + points[-1:]
    curve: list[Point] = []
    for p, q, r, s in zip(ring, ring[1:], ring[2:], ring[3:], strict=False):
        for step in range(_STEPS):
            t = step / _STEPS
            curve.append((_blend(p[0], q[0], r[0], s[0], t), _blend(p[1], q[1], r[1], s[1], t)))
    curve.append(points[-1])
    return curve


def _blend(p: float, q: float, r: float, s: float, t: float) -> float:
    return 0.5 * (
        2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t**2 + (3 * q - p - 3 * r + s) * t**3
    )
