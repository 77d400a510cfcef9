"""Segmentations: a segment's pixels in its recommended colour (PS3.3 §C.8.20)."""

from typing import Final

import numpy as np

from negatoscope.protocols.dicom.pixel.display.attributes import (
    Array,
    DataSet,
    FrameAttributes,
    integer,
    integers,
    items,
    text,
)
from negatoscope.protocols.dicom.pixel.display.color import cielab_to_rgb
from negatoscope.standard import tags

_WHITE: Final = (255, 255, 255)
_LABELS: Final = 65_536


def segment_color(attributes: FrameAttributes, samples: Array) -> Array | None:
    """The picture of a frame of a segmentation, ``uint8`` RGB; ``None`` for any other object.

    Args:
        attributes: Of the frame.
        samples: 0 or 1 (BINARY), 0 … Maximum Fractional Value (FRACTIONAL), or the number of the
            segment itself (LABELMAP); shape (rows, columns).
    """
    kind = text(attributes.data_set, tags.SEGMENTATION_TYPE)
    segments = items(attributes.data_set, tags.SEGMENT_SEQUENCE)
    if kind is None or not segments or samples.dtype.kind not in "ui":
        return None
    if kind == "LABELMAP":
        return _labels(segments, samples)
    group = attributes.macro(tags.SEGMENT_IDENTIFICATION_SEQUENCE)
    wanted = None if group is None else integer(group, tags.REFERENCED_SEGMENT_NUMBER)
    color = _WHITE
    for segment in segments:
        if wanted is None or integer(segment, tags.SEGMENT_NUMBER) == wanted:
            color = _color(segment)
            break
    top = 1
    if kind == "FRACTIONAL":
        top = max(1, integer(attributes.data_set, tags.MAXIMUM_FRACTIONAL_VALUE) or 255)
    share = np.clip(samples.astype(np.float32) / top, 0.0, 1.0)
    return np.rint(share[..., None] * np.array(color, dtype=np.float32)).astype(np.uint8)


def _labels(segments: list[DataSet], samples: Array) -> Array:
    table = np.zeros((_LABELS, 3), dtype=np.uint8)
    for segment in segments:
        number = integer(segment, tags.SEGMENT_NUMBER)
        if number is not None and 0 < number < _LABELS:
            table[number] = _color(segment)
    found: Array = table[np.clip(samples.astype(np.int64), 0, _LABELS - 1)]
    return found


def _color(segment: DataSet) -> tuple[int, int, int]:
    lab = integers(segment, tags.RECOMMENDED_DISPLAY_CIE_LAB_VALUE)
    if len(lab) >= 3:
        return cielab_to_rgb((lab[0] & 0xFFFF, lab[1] & 0xFFFF, lab[2] & 0xFFFF))
    return _WHITE
