"""Modality LUT transformation: stored values → units of the modality (PS3.3 §C.11.1)."""

from dataclasses import dataclass

import numpy as np

from negatoscope.protocols.dicom.pixel.display.attributes import (
    Array,
    FrameAttributes,
    first_item,
    number,
)
from negatoscope.protocols.dicom.pixel.display.errors import InvalidLut
from negatoscope.protocols.dicom.pixel.display.lookup import LookupTable, read_table
from negatoscope.standard import tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Modality:
    """The transformation: a table, or a line.

    Attributes:
        slope: Rescale Slope (0028,1053).
        intercept: Rescale Intercept (0028,1052), in output units.
        table: Modality LUT Sequence (0028,3000); it is then instead of the line.
    """

    slope: float = 1.0
    intercept: float = 0.0
    table: LookupTable | None = None

    @property
    def is_identity(self) -> bool:
        """Whether the outputs are the inputs."""
        return self.table is None and self.slope == 1.0 and self.intercept == 0.0

    @property
    def key(self) -> tuple[object, ...]:
        """The same for the same transformation."""
        if self.table is None:
            return (self.slope, self.intercept)
        return (self.table.first, self.table.entries.tobytes())

    def apply(self, stored: Array) -> Array:
        """Outputs, ``float64``, same shape."""
        if self.table is not None:
            return self.table.apply(stored).astype(np.float64)
        out: Array = stored.astype(np.float64)
        if not self.is_identity:
            out *= self.slope
            out += self.intercept
        return out


def read_modality(frame: FrameAttributes, *, notes: list[str]) -> Modality:
    """The transformation of a frame.

    Args:
        frame: Its attributes; Pixel Value Transformation (PS3.3 §C.7.6.16.2.9) goes before the top.
        notes: Gets a sentence about what could not be used.
    """
    group = frame.macro(tags.PIXEL_VALUE_TRANSFORMATION_SEQUENCE)
    for data_set in (frame.data_set,) if group is None else (group, frame.data_set):
        item = first_item(data_set, tags.MODALITY_LUT_SEQUENCE)
        if item is not None:
            signed = number(frame.data_set, tags.PIXEL_REPRESENTATION) == 1
            try:
                table = read_table(
                    item, descriptor=tags.LUT_DESCRIPTOR, data=tags.LUT_DATA, signed=signed
                )
            except InvalidLut as error:
                notes.append(f"Modality LUT ignored: {error}")
            else:
                return Modality(table=table)
        slope = number(data_set, tags.RESCALE_SLOPE)
        if slope is not None:
            intercept = number(data_set, tags.RESCALE_INTERCEPT) or 0.0
            if slope == 0.0:
                notes.append("Rescale Slope of zero ignored")
                slope = 1.0
            return Modality(slope=slope, intercept=intercept)
    return Modality()
