"""Waveforms on paper: twelve leads, or one row for each channel (PS3.3 §C.10.9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

from negatoscope.protocols.dicom.pixel.display.attributes import (
    Array,
    DataSet,
    binary,
    code_meaning,
    first_item,
    integer,
    items,
    number,
    text,
)
from negatoscope.protocols.dicom.pixel.display.drawing import font, readable
from negatoscope.protocols.dicom.pixel.display.errors import NotDisplayable
from negatoscope.standard import tags

PIXELS_PER_MM: Final = 5
MM_PER_S: Final = 25.0
MM_PER_MV: Final = 10.0
_ROW_MM: Final = 25
_SECONDS: Final = 10.0
_MAX_CHANNELS: Final = 32
_MAX_SAMPLES: Final = 10_000_000
_TYPES: Final = {"SB": "i1", "UB": "u1", "SS": "<i2", "US": "<u2", "SL": "<i4", "UL": "<u4"}
_PAPER, _FINE, _BOLD, _INK = (255, 250, 248), (250, 218, 214), (238, 170, 165), (20, 20, 60)
_UNITS_MV: Final = {"uV": 0.001, "mV": 1.0, "V": 1000.0}
_LEADS: Final = 12
_COLUMNS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One trace.

    Attributes:
        label: For people.
        values: Millivolt, or shares of its largest deviation when its unit is none of electricity.
    """

    label: str
    values: Array


def read_channels(data_set: DataSet) -> tuple[list[Channel], float]:
    """The channels of the first multiplex group, and samples per second.

    Raises:
        NotDisplayable: there is no waveform, or its attributes contradict each other.
    """
    group = first_item(data_set, tags.WAVEFORM_SEQUENCE)
    if group is None:
        raise NotDisplayable("there is no waveform")
    count = integer(group, tags.NUMBER_OF_WAVEFORM_CHANNELS) or 0
    length = integer(group, tags.NUMBER_OF_WAVEFORM_SAMPLES) or 0
    rate = number(group, tags.SAMPLING_FREQUENCY) or 0.0
    kind = _TYPES.get(text(group, tags.WAVEFORM_SAMPLE_INTERPRETATION) or "")
    if kind is None or not 0 < count <= 512 or not 0 < length <= _MAX_SAMPLES or rate <= 0:
        raise NotDisplayable("the waveform is not described so that it can be drawn")
    data = binary(group, tags.WAVEFORM_DATA)
    step = np.dtype(kind).itemsize
    length = min(length, len(data) // (step * count))
    if not length:
        raise NotDisplayable("the waveform has no samples")
    samples = np.frombuffer(data[: length * count * step], dtype=kind).reshape(length, count)
    definitions = items(group, tags.CHANNEL_DEFINITION_SEQUENCE)
    kept = int(min(length, _SECONDS * rate + 1))
    channels = []
    for at in range(min(count, _MAX_CHANNELS)):
        definition: Mapping[str, Any] = definitions[at] if at < len(definitions) else {}
        channels.append(_channel(definition, samples[:kept, at].astype(np.float64), at))
    return channels, rate


def _channel(definition: Mapping[str, Any], values: Array, at: int) -> Channel:
    sensitivity = number(definition, tags.CHANNEL_SENSITIVITY)
    factor = number(definition, tags.CHANNEL_SENSITIVITY_CORRECTION_FACTOR) or 1.0
    baseline = number(definition, tags.CHANNEL_BASELINE) or 0.0
    unit = first_item(definition, tags.CHANNEL_SENSITIVITY_UNITS_SEQUENCE)
    to_mv = _UNITS_MV.get((text(unit, tags.CODE_VALUE) or "") if unit is not None else "")
    if sensitivity and to_mv:
        values = (values * sensitivity * factor + baseline) * to_mv
    else:
        values = values - np.median(values)
        values = values / (np.abs(values).max() or 1.0)
    source = code_meaning(first_item(definition, tags.CHANNEL_SOURCE_SEQUENCE))
    label = text(definition, tags.CHANNEL_LABEL) or source or f"channel {at + 1}"
    for word in ("Lead ", "lead "):
        label = label.removeprefix(word)
    return Channel(label=readable(label.split("(")[0]), values=values)


def draw_waveform(data_set: DataSet) -> Array:
    """A picture at 25 mm/s and 10 mm/mV, five pixels for a millimetre.

    Returns: ``uint8``, RGB.
    Raises:
        NotDisplayable: there is nothing to draw.
    """
    channels, rate = read_channels(data_set)
    is_grid = len(channels) >= _LEADS and len(channels[0].values) >= _SECONDS * rate
    rows = _LEADS // _COLUMNS + 1 if is_grid else len(channels)
    width = round(_SECONDS * MM_PER_S * PIXELS_PER_MM)
    height = rows * _ROW_MM * PIXELS_PER_MM
    image = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(image)
    for mm in range(max(width, height) // PIXELS_PER_MM + 1):
        at, color = mm * PIXELS_PER_MM, _BOLD if mm % 5 == 0 else _FINE
        draw.line([(at, 0), (at, height)], fill=color)
        draw.line([(0, at), (width, at)], fill=color)
    if not is_grid:
        for row, channel in enumerate(channels):
            _trace(draw, channel, rate, row=row, begin_s=0.0, seconds=_SECONDS)
        return np.asarray(image, dtype=np.uint8)
    seconds = _SECONDS / _COLUMNS
    for at, channel in enumerate(channels[:_LEADS]):
        column, row = divmod(at, _LEADS // _COLUMNS)
        _trace(draw, channel, rate, row=row, begin_s=column * seconds, seconds=seconds)
    _trace(draw, _rhythm(channels), rate, row=rows - 1, begin_s=0.0, seconds=_SECONDS)
    return np.asarray(image, dtype=np.uint8)


def _rhythm(channels: Sequence[Channel]) -> Channel:
    """Lead II, else the second channel."""
    return next((one for one in channels if one.label.strip() == "II"), channels[1])


def _trace(
    draw: Any, channel: Channel, rate: float, *, row: int, begin_s: float, seconds: float
) -> None:
    first, last = int(begin_s * rate), int((begin_s + seconds) * rate)
    values = channel.values[first:last]
    if len(values) < 2:
        return
    x = (np.arange(len(values)) / rate + begin_s) * MM_PER_S * PIXELS_PER_MM
    middle = (row + 0.5) * _ROW_MM * PIXELS_PER_MM
    y = np.clip(middle - values * MM_PER_MV * PIXELS_PER_MM, -10_000, 100_000)
    draw.line(np.stack([x, y], axis=-1).ravel().tolist(), fill=_INK, width=2)
    place = (begin_s * MM_PER_S * PIXELS_PER_MM + 4, row * _ROW_MM * PIXELS_PER_MM + 2)
    draw.text(place, channel.label, fill=_INK, font=font(16))
