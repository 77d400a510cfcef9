"""VOI LUT transformation: which values are shown dark and bright (PS3.3 §C.11.2)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from negatoscope.protocols.dicom.pixel.display.attributes import (
    Array,
    DataSet,
    FrameAttributes,
    items,
    numbers,
    text,
    texts,
)
from negatoscope.protocols.dicom.pixel.display.errors import InvalidLut, InvalidWindow
from negatoscope.protocols.dicom.pixel.display.lookup import LookupTable, read_table
from negatoscope.standard import tags

_TAIL: Final = 0.001
"""Share of the pixels that an automatic window may leave at each end."""
_SAMPLED_COUNT: Final = 1 << 20


class VoiFunction(StrEnum):
    """VOI LUT Function (0028,1056)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Center and width, in Modality LUT output units.

    Attributes:
        explanation: Window Center & Width Explanation (0028,1055).
    """

    center: float
    width: float
    function: VoiFunction = VoiFunction.LINEAR
    explanation: str | None = None

    def __post_init__(self) -> None:
        """Refuse widths that the function does not know.

        Raises:
            InvalidWindow: below 1 for LINEAR, not above 0 for the others.
        """
        low = 1.0 if self.function is VoiFunction.LINEAR else 0.0
        if self.width < low or (self.width == 0.0):
            raise InvalidWindow(f"a window width of {self.width} is too small")

    @property
    def key(self) -> tuple[object, ...]:
        """The same for the same window."""
        return (self.center, self.width, self.function)

    def apply(self, inputs: Array) -> Array:
        """Display values from 0 (darkest) to 1 (brightest), ``float64``, same shape.

        Standard: PS3.3 §C.11.2.1.2.1 (LINEAR), §C.11.2.1.3.1 (SIGMOID), §C.11.2.1.3.2
        (LINEAR_EXACT).
        """
        values: Array = inputs.astype(np.float64, copy=True)
        if self.function is VoiFunction.SIGMOID:
            exponent = np.clip((values - self.center) * (-4.0 / self.width), -700.0, 700.0)
            out: Array = 1.0 / (1.0 + np.exp(exponent))
            return out
        low, high = voi_bounds(self.center, self.width, self.function)
        if high <= low:
            return (values > low).astype(np.float64)
        values -= low
        values /= high - low
        return np.clip(values, 0.0, 1.0, out=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiTable:
    """A table of the VOI LUT Sequence (0028,3010).

    Attributes:
        explanation: LUT Explanation (0028,3003).
    """

    table: LookupTable
    explanation: str | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """The same for the same table."""
        return (self.table.first, self.table.bits, self.table.entries.tobytes())

    def apply(self, inputs: Array) -> Array:
        """Display values from 0 to 1, ``float64``, same shape."""
        return self.table.apply(inputs) / float(self.table.top)


Voi = Window | VoiTable


def voi_bounds(center: float, width: float, function: VoiFunction) -> tuple[float, float]:
    """Input values shown as the darkest and the brightest display value.

    Args:
        center: Window Center (0028,1050), in Modality LUT output units (HU for CT).
        width: Window Width (0028,1051), same units.
        function: LINEAR or LINEAR_EXACT.
    Returns: ``(low, high)``; ``low < high`` unless LINEAR and the width is 1.
    Standard: PS3.3 §C.11.2.1.2.1, §C.11.2.1.3.2.
    """
    if function is VoiFunction.LINEAR:
        middle, half = center - 0.5, (width - 1.0) / 2.0
    else:
        middle, half = center, width / 2.0
    return middle - half, middle + half


def read_windows(data_set: DataSet, *, notes: list[str]) -> list[Window]:
    """The windows of a data set or of a Frame VOI LUT item, in their order."""
    centers = numbers(data_set, tags.WINDOW_CENTER)
    widths = numbers(data_set, tags.WINDOW_WIDTH)
    explanations = texts(data_set, tags.WINDOW_CENTER_WIDTH_EXPLANATION)
    named = (text(data_set, tags.VOILUT_FUNCTION) or "LINEAR").upper()
    try:
        function = VoiFunction(named)
    except ValueError:
        notes.append("VOI LUT Function unknown; LINEAR is used")
        function = VoiFunction.LINEAR
    found = []
    for at, (center, width) in enumerate(zip(centers, widths, strict=False)):
        explanation = explanations[at] if at < len(explanations) else None
        try:
            found.append(
                Window(center=center, width=width, function=function, explanation=explanation)
            )
        except InvalidWindow as error:
            notes.append(f"Window ignored: {error}")
    return found


def read_tables(data_set: DataSet, *, signed: bool, notes: list[str]) -> list[VoiTable]:
    """The tables of a VOI LUT Sequence, in their order."""
    found = []
    for item in items(data_set, tags.VOILUT_SEQUENCE):
        try:
            table = read_table(
                item, descriptor=tags.LUT_DESCRIPTOR, data=tags.LUT_DATA, signed=signed
            )
        except InvalidLut as error:
            notes.append(f"VOI LUT ignored: {error}")
        else:
            found.append(VoiTable(table=table, explanation=text(item, tags.LUT_EXPLANATION)))
    return found


def read_voi(frame: FrameAttributes, *, signed: bool, notes: list[str]) -> list[Voi]:
    """What may be chosen from for a frame: tables first, then windows (PS3.3 §C.11.2.1).

    Args:
        frame: Its attributes; Frame VOI LUT (PS3.3 §C.7.6.16.2.10) goes before the top.
        signed: Whether Modality LUT outputs are signed.
        notes: Gets a sentence about what could not be used.
    """
    group = frame.macro(tags.FRAME_VOILUT_SEQUENCE)
    for data_set in (frame.data_set,) if group is None else (group, frame.data_set):
        tables = read_tables(data_set, signed=signed, notes=notes)
        found: list[Voi] = [*tables, *read_windows(data_set, notes=notes)]
        if found:
            return found
    return []


def automatic_window(values: Array) -> Window:
    """A window for values that none was given for: nearly all of them.

    Args:
        values: Modality LUT outputs, padding left out, any shape.
    """
    flat = values.ravel()
    if flat.size > _SAMPLED_COUNT:
        flat = flat[:: flat.size // _SAMPLED_COUNT + 1]
    finite: Array = flat[np.isfinite(flat)] if flat.dtype.kind == "f" else flat
    if not len(finite):
        return Window(center=0.0, width=1.0, function=VoiFunction.LINEAR_EXACT)
    low, high = (float(one) for one in np.quantile(finite, (_TAIL, 1.0 - _TAIL)))
    if high <= low:
        low, high = float(np.min(finite)), float(np.max(finite))
    if high <= low:
        high, low = low + 0.5, low - 0.5
    return Window(center=(low + high) / 2.0, width=high - low, function=VoiFunction.LINEAR_EXACT)


def whole_range(low: float, high: float) -> Window:
    """The window in which ``low`` is darkest and ``high`` brightest."""
    span = max(high - low, 1e-9)
    return Window(center=(low + high) / 2.0, width=span, function=VoiFunction.LINEAR_EXACT)
