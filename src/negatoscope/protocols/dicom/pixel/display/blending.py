"""Blending Softcopy Presentation State: a coloured image over another (PS3.3 §C.11.14, PS3.4 §N.2.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from negatoscope.protocols.dicom.pixel.display.attributes import (
    Array,
    DataSet,
    FrameAttributes,
    integer,
    items,
    number,
    numbers,
    text,
)
from negatoscope.protocols.dicom.pixel.display.errors import InvalidLut, NotDisplayable
from negatoscope.protocols.dicom.pixel.display.palette import Palette, read_palette
from negatoscope.standard import tags

_PARALLEL: Final = 1e-3
"""Largest deviation of two directions that count as one, as the length of their difference."""
_SAME_PLACE_MM: Final = 0.01
_UNKNOWN_THICKNESS_MM: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Blending:
    """What a state says of its two inputs.

    Attributes:
        underlying: Item of the Blending Sequence (0070,0402), shown in grey.
        superimposed: Item of it, shown in the colours of the palette.
        opacity: Relative Opacity (0070,0403) of the superimposed, 0 to 1.
        palette: Of the state.
        registrations: SOP Instance UIDs of Spatial Registrations.
    """

    underlying: DataSet
    superimposed: DataSet
    opacity: float
    palette: Palette
    registrations: tuple[str, ...]

    @classmethod
    def read(cls, data_set: DataSet) -> Self:
        """Of a presentation state.

        Raises:
            NotDisplayable: it lacks an input, the opacity or the palette.
        """
        by_position = {
            text(item, tags.BLENDING_POSITION): item
            for item in items(data_set, tags.BLENDING_SEQUENCE)
        }
        opacity = number(data_set, tags.RELATIVE_OPACITY)
        if not {"UNDERLYING", "SUPERIMPOSED"} <= by_position.keys():
            raise NotDisplayable("the state does not name one underlying and one superimposed set")
        if opacity is None or not 0.0 <= opacity <= 1.0:
            raise NotDisplayable("the Relative Opacity of the state is not between 0 and 1")
        try:
            palette = read_palette(data_set, signed=False)
        except InvalidLut as error:
            raise NotDisplayable(f"the palette of the state cannot be used: {error}") from error
        return cls(
            underlying=by_position["UNDERLYING"],
            superimposed=by_position["SUPERIMPOSED"],
            opacity=opacity,
            palette=palette,
            registrations=tuple(
                uid
                for item in items(data_set, tags.REFERENCED_SPATIAL_REGISTRATION_SEQUENCE)
                if (uid := text(item, tags.REFERENCED_SOP_INSTANCE_UID))
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """Where the pixels of a frame lie in the patient (PS3.3 §C.7.6.2.1.1).

    Attributes:
        frame_of_reference_uid: (0020,0052).
        origin: Centre of the first pixel, mm.
        per_column: From one column to the next, mm.
        per_row: From one row to the next, mm.
        thickness_mm: Of the slice.
    """

    frame_of_reference_uid: str
    origin: Array
    per_column: Array
    per_row: Array
    thickness_mm: float

    @classmethod
    def read(cls, attributes: FrameAttributes) -> Self | None:
        """Of a frame; ``None`` when it does not say where it lies."""
        data_set = attributes.data_set
        measures = attributes.macro(tags.PIXEL_MEASURES_SEQUENCE) or data_set
        place = attributes.macro(tags.PLANE_POSITION_SEQUENCE) or data_set
        direction = attributes.macro(tags.PLANE_ORIENTATION_SEQUENCE) or data_set
        uid = text(data_set, tags.FRAME_OF_REFERENCE_UID)
        position = numbers(place, tags.IMAGE_POSITION_PATIENT)
        cosines = numbers(direction, tags.IMAGE_ORIENTATION_PATIENT)
        spacing = numbers(measures, tags.PIXEL_SPACING)
        if uid is None or (len(position), len(cosines), len(spacing)) != (3, 6, 2):
            return None
        right, down = np.array(cosines[:3]), np.array(cosines[3:])
        lengths = np.linalg.norm(right), np.linalg.norm(down)
        if min(spacing) <= 0 or not np.allclose((*lengths, right @ down), (1, 1, 0), atol=1e-2):
            return None
        return cls(
            frame_of_reference_uid=uid,
            origin=np.array(position),
            per_column=right * spacing[1],
            per_row=down * spacing[0],
            thickness_mm=abs(number(measures, tags.SLICE_THICKNESS) or _UNKNOWN_THICKNESS_MM),
        )

    @property
    def normal(self) -> Array:
        """Of length 1."""
        across = np.cross(self.per_column, self.per_row)
        found: Array = across / np.linalg.norm(across)
        return found

    def moved(self, registration: "Registration") -> "Plane":
        """In the coordinates of a registration, where that has a matrix for its own."""
        matrix = registration.matrices.get(self.frame_of_reference_uid)
        if matrix is None:
            return self
        turn = matrix[:3, :3]
        return Plane(
            frame_of_reference_uid=registration.frame_of_reference_uid,
            origin=turn @ self.origin + matrix[:3, 3],
            per_column=turn @ self.per_column,
            per_row=turn @ self.per_row,
            thickness_mm=self.thickness_mm,
        )

    def distance_mm(self, other: "Plane") -> float | None:
        """Between two parallel planes of one frame of reference; ``None`` of others."""
        if self.frame_of_reference_uid != other.frame_of_reference_uid:
            return None
        normal = self.normal
        if np.linalg.norm(np.cross(normal, other.normal)) > _PARALLEL:
            return None
        return float(abs(normal @ (other.origin - self.origin)))

    def reaches(self, other: "Plane") -> bool:
        """Whether another plane lies inside the slice of the thicker of both."""
        distance = self.distance_mm(other)
        half = max(self.thickness_mm, other.thickness_mm) / 2
        return distance is not None and distance <= half + _SAME_PLACE_MM


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Registration:
    """A Spatial Registration (PS3.3 §C.20.2).

    Attributes:
        frame_of_reference_uid: Of the registered coordinates.
        matrices: To them, 4 × 4, by the Frame of Reference UID they start from.
    """

    frame_of_reference_uid: str
    matrices: dict[str, Array]

    @classmethod
    def read(cls, data_set: DataSet) -> Self:
        """Of an object.

        Raises:
            NotDisplayable: a matrix is none that keeps planes parallel and finite.
        """
        matrices: dict[str, Array] = {}
        for item in items(data_set, tags.REGISTRATION_SEQUENCE):
            uid = text(item, tags.FRAME_OF_REFERENCE_UID)
            if uid is None:
                continue
            whole = np.eye(4)
            for step in items(item, tags.MATRIX_REGISTRATION_SEQUENCE):
                for one in items(step, tags.MATRIX_SEQUENCE):
                    given = numbers(one, tags.FRAME_OF_REFERENCE_TRANSFORMATION_MATRIX)
                    if len(given) != 16:
                        raise NotDisplayable("a matrix of the registration has not 16 numbers")
                    whole = np.array(given).reshape(4, 4) @ whole
            if not np.allclose(whole[3], (0, 0, 0, 1)) or abs(np.linalg.det(whole[:3, :3])) < 1e-6:
                raise NotDisplayable("a matrix of the registration is no affine transformation")
            matrices[uid] = whole
        return cls(
            frame_of_reference_uid=text(data_set, tags.FRAME_OF_REFERENCE_UID) or "",
            matrices=matrices,
        )


def resampled(levels: Array, source: Plane, target: Plane, shape: Sequence[int]) -> Array:
    """Values at the places of another frame's pixels, interpolated between the four around them.

    Args:
        levels: Of two dimensions; NaN where nothing is to be seen.
        source: Where they lie.
        target: A parallel plane of the same frame of reference.
        shape: Rows and columns wanted.
    Returns: ``float64``; NaN outside, and where the nearest value is NaN.
    """
    rows, columns = shape
    steps = np.stack([source.per_column, source.per_row], axis=1)

    def coordinates(vector: Array) -> Array:
        """Columns and rows of the source that a vector in its plane spans."""
        found: Array = np.linalg.lstsq(steps, vector, rcond=None)[0]
        return found

    first = coordinates(target.origin - source.origin)
    right, down = coordinates(target.per_column), coordinates(target.per_row)
    i, j = np.arange(rows)[:, None], np.arange(columns)[None, :]
    x = first[0] + right[0] * j + down[0] * i
    y = first[1] + right[1] * j + down[1] * i
    height, width = levels.shape
    inside = (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    nearest = levels[np.rint(y).astype(int), np.rint(x).astype(int)]
    filled = np.nan_to_num(levels)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    beside, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    dx, dy = x - left, y - top
    upper = filled[top, left] * (1 - dx) + filled[top, beside] * dx
    lower = filled[below, left] * (1 - dx) + filled[below, beside] * dx
    mixed: Array = upper * (1 - dy) + lower * dy
    placed: Array = np.where(inside & ~np.isnan(nearest), mixed, np.nan)
    return placed


def blend(underlying: Array, superimposed: Array, blending: Blending) -> Array:
    """Grey and colours mixed (PS3.4 §N.2.4.3); where one shows nothing, the other is seen whole.

    Args:
        underlying: Levels 0 … 255, NaN where padded.
        superimposed: Likewise, of the same shape.
        blending: Opacity and palette.
    Returns: ``uint8``, three channels.
    """
    colors = blending.palette.colors
    index = np.rint(np.nan_to_num(superimposed) / 255 * (len(colors) - 1)).astype(int)
    over = colors[index].astype(np.float64)
    under = np.repeat(np.nan_to_num(underlying)[..., None], 3, axis=-1)
    opacity = np.full(underlying.shape, blending.opacity)
    opacity[np.isnan(superimposed)] = 0.0
    opacity[np.isnan(underlying) & ~np.isnan(superimposed)] = 1.0
    mixed = over * opacity[..., None] + under * (1 - opacity[..., None])
    picture: Array = np.rint(mixed).astype(np.uint8)
    return picture


def frames_of(item: DataSet) -> dict[str, dict[str, list[int]]]:
    """Series, instances and frames that an input names; no instances: all of the series."""
    found: dict[str, dict[str, list[int]]] = {}
    for series in items(item, tags.REFERENCED_SERIES_SEQUENCE):
        uid = text(series, tags.SERIES_INSTANCE_UID)
        if uid is None:
            continue
        images = found.setdefault(uid, {})
        for image in items(series, tags.REFERENCED_IMAGE_SEQUENCE):
            sop = text(image, tags.REFERENCED_SOP_INSTANCE_UID)
            if sop is not None:
                listed = numbers(image, tags.REFERENCED_FRAME_NUMBER)
                images.setdefault(sop, []).extend(int(one) for one in listed)
    return found


def is_monochrome(data_set: DataSet) -> bool:
    """Whether an image can be an input: the others have colours of their own."""
    return (
        integer(data_set, tags.SAMPLES_PER_PIXEL) in (None, 1)
        and text(data_set, tags.PHOTOMETRIC_INTERPRETATION) != "PALETTE COLOR"
    )
