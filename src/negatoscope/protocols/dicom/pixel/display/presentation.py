"""Presentation LUT transformation: VOI outputs → P-Values (PS3.3 §C.11.4, §C.11.6)."""

from dataclasses import dataclass

import numpy as np

from negatoscope.protocols.dicom.pixel.display.attributes import (
    Array,
    DataSet,
    first_item,
    text,
)
from negatoscope.protocols.dicom.pixel.display.errors import InvalidLut
from negatoscope.protocols.dicom.pixel.display.lookup import LookupTable, read_table
from negatoscope.standard import tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """Shape or table.

    Attributes:
        inverse: Presentation LUT Shape (2050,0020) INVERSE: bright becomes dark.
        table: Presentation LUT Sequence (2050,0010), instead of a shape.
    """

    inverse: bool = False
    table: LookupTable | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """The same for the same transformation."""
        if self.table is None:
            return (self.inverse,)
        return (self.inverse, self.table.bits, self.table.entries.tobytes())

    def apply(self, shown: Array) -> Array:
        """Values from 0 to 1, changed in place where possible."""
        if self.table is not None:
            # The table's input range is mapped to the whole VOI output (PS3.3 §C.11.6.1.1).
            last = len(self.table.entries) - 1
            index = np.rint(shown * last).astype(np.int64)
            shown = self.table.entries[index] / float(self.table.top)
        if self.inverse:
            np.subtract(1.0, shown, out=shown)
        return shown


def read_presentation(data_set: DataSet, photometric: str, *, notes: list[str]) -> Presentation:
    """What an image, or a presentation state, asks for.

    MONOCHROME1 without a shape means that the lowest value is white: INVERSE (PS3.3
    §C.7.6.3.1.2). With a shape, the shape holds (PS3.3 §C.8.11.3.1.2 wants both to agree).

    Args:
        data_set: Where it stands.
        photometric: Photometric Interpretation of the image; empty for a presentation state.
        notes: Gets a sentence about what could not be used.
    """
    item = first_item(data_set, tags.PRESENTATION_LUT_SEQUENCE)
    if item is not None:
        try:
            table = read_table(
                item, descriptor=tags.LUT_DESCRIPTOR, data=tags.LUT_DATA, signed=False
            )
        except InvalidLut as error:
            notes.append(f"Presentation LUT ignored: {error}")
        else:
            return Presentation(table=table)
    shape = text(data_set, tags.PRESENTATION_LUT_SHAPE)
    if shape == "INVERSE":
        return Presentation(inverse=True)
    return Presentation(inverse=photometric == "MONOCHROME1" and shape != "IDENTITY")
