"""Pixels of the demonstration objects: anatomy made of ellipsoids, with the noise of its modality.

All functions are pure: the same arguments give the same array. Coordinates are millimetres in the
patient's frame (PS3.3 §C.7.6.2.1.1: x to the patient's left, y to the back, z to the head), the
origin on the axis of the body. Arrays are indexed ``[row, column]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FloatImage = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Words = NDArray[np.uint16]

NOISE_MARGIN = 128


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """A tissue: centre and half axes in mm, the value inside, and the width of its edge.

    ``softness_mm`` is the distance over which the value fades at the surface.
    """

    x: float
    y: float
    z: float
    a: float
    b: float
    c: float
    value: float
    softness_mm: float = 1.0


@dataclass(frozen=True, slots=True)
class Plane:
    """A square slice: where its columns and rows lie, in mm."""

    size: int
    pixel_spacing_mm: float

    @property
    def first_mm(self) -> float:
        """Coordinate of the centre of the first pixel, on both axes."""
        return -(self.size - 1) / 2 * self.pixel_spacing_mm


def paint(image: FloatImage, plane: Plane, shape: Ellipsoid, z: float, opacity: float = 1) -> None:
    """Cover the section of an ellipsoid at height ``z`` with its value, edges blended."""
    height = 1 - ((z - shape.z) / shape.c) ** 2
    if height <= 0:
        return
    scale = height**0.5
    a, b = shape.a * scale, shape.b * scale
    spacing, first = plane.pixel_spacing_mm, plane.first_mm
    margin = shape.softness_mm + spacing
    left = max(0, int((shape.x - a - margin - first) / spacing))
    right = min(plane.size, int((shape.x + a + margin - first) / spacing) + 2)
    top = max(0, int((shape.y - b - margin - first) / spacing))
    bottom = min(plane.size, int((shape.y + b + margin - first) / spacing) + 2)
    if left >= right or top >= bottom:
        return
    x = (first + np.arange(left, right, dtype=np.float32) * spacing - shape.x) / a
    y = (first + np.arange(top, bottom, dtype=np.float32) * spacing - shape.y) / b
    radius = np.sqrt(np.square(y)[:, None] + np.square(x)[None, :])
    cover = np.clip((1 - radius) * (min(a, b) / shape.softness_mm) + 0.5, 0, 1)
    part = image[top:bottom, left:right]
    part += (np.float32(shape.value) - part) * (cover * np.float32(opacity))


def words(image: NDArray[np.floating]) -> Words:
    """The image as stored values of 12 bits."""
    stored: Words = np.clip(image, 0, 4095).astype(np.uint16)
    return stored


@lru_cache(maxsize=8)
def noise_field(size: int, seed: int, grain: int) -> FloatImage:
    """Unit noise with a margin, smoothed over ``grain`` pixels, of which each slice takes a section."""
    side = size + NOISE_MARGIN
    field = np.random.default_rng(seed).standard_normal((side, side)).astype(np.float32)
    for axis in (0, 1):
        rolled = np.stack([np.roll(field, shift, axis) for shift in range(grain)])
        field = rolled.sum(axis=0, dtype=np.float32) / np.float32(grain**0.5)
    field.setflags(write=False)
    return field


def noise(size: int, seed: int, index: int, grain: int = 2) -> FloatImage:
    """Noise of slice ``index``: a section of the field at an offset of its own."""
    field = noise_field(size, seed, grain)
    down, right = index * 37 % NOISE_MARGIN, index * 59 % NOISE_MARGIN
    return field[down : down + size, right : right + size]


def thorax_tissues(nodule_radius_mm: float) -> tuple[Ellipsoid, ...]:
    """A chest in Hounsfield units, with a nodule in the upper lobe of the right lung."""
    tissues = [
        Ellipsoid(0, 0, 0, 168, 118, 900, -95, 1.5),
        Ellipsoid(0, 0, 0, 156, 107, 860, 45, 2),
        Ellipsoid(-72, -4, -10, 62, 84, 190, -860, 2),
        Ellipsoid(72, -4, -10, 58, 82, 185, -855, 2),
        Ellipsoid(22, -34, -70, 56, 48, 62, 42, 2),
        Ellipsoid(30, -38, -72, 30, 28, 36, 165, 2),
        Ellipsoid(-8, -30, -55, 24, 22, 34, 150, 2),
        Ellipsoid(14, 44, 0, 13, 13, 700, 175, 1),
        Ellipsoid(-4, -28, 60, 15, 15, 60, 180, 1.5),
        Ellipsoid(0, 8, 90, 8.5, 9, 95, -990, 1),
        Ellipsoid(-24, 4, -2, 6, 6, 26, -985, 1),
        Ellipsoid(24, 6, -4, 5.5, 6, 26, -985, 1),
        Ellipsoid(-62, 10, -175, 92, 84, 70, 62, 2),
        Ellipsoid(84, 34, -190, 44, 38, 58, 55, 2),
        Ellipsoid(0, 72, 0, 19, 16, 900, 190, 1),
        Ellipsoid(0, 72, 0, 15, 12, 900, 130, 1),
        Ellipsoid(0, 92, 0, 7, 6, 900, 10, 1),
        Ellipsoid(0, -96, 40, 14, 5, 110, 240, 1),
    ]
    for vessel in range(26):
        side = -1 if vessel % 2 else 1
        tissues.append(
            Ellipsoid(
                side * (38 + vessel * 13 % 60),
                -52 + vessel * 29 % 98,
                -120 + vessel * 31 % 240,
                1.4 + vessel % 4,
                1.4 + vessel % 4,
                14 + vessel * 7 % 40,
                20,
                1,
            )
        )
    tissues.append(
        Ellipsoid(
            -88, -22, 62, nodule_radius_mm, nodule_radius_mm * 0.9, nodule_radius_mm * 1.1, 38, 1
        )
    )
    return tuple(tissues)


def ribs(z: float) -> Iterator[Ellipsoid]:
    """Sections of twelve pairs of ribs at height ``z``: each runs down from back to front."""
    for rib in range(12):
        top = 150 - 26 * rib
        for step in range(9):
            angle = 0.35 + step * 0.28
            height = top - step * 9
            if abs(z - height) < 7:
                x = 146 * np.sin(angle)
                y = 98 * np.cos(angle)
                for side in (-1, 1):
                    yield Ellipsoid(float(side * x), float(y), height, 9, 5, 7, 420, 1)


def thorax_slice(z: float, plane: Plane, tissues: Sequence[Ellipsoid], index: int) -> Words:
    """One axial CT slice of the chest; stored values, HU = value - 1024."""
    image = np.full((plane.size, plane.size), -1000, np.float32)
    for tissue in tissues:
        paint(image, plane, tissue, z)
    for rib in ribs(z):
        paint(image, plane, rib, z)
    paint(image, plane, Ellipsoid(0, 150, z, 210, 14, 1, -620, 2), z)
    image += noise(plane.size, 11, index) * np.float32(13)
    return words(image + 1024)


HEAD_TISSUES = (
    Ellipsoid(0, 0, -20, 78, 96, 112, 25, 1.5),
    Ellipsoid(0, 2, -14, 72, 90, 104, 1050, 1),
    Ellipsoid(0, 2, -14, 66, 84, 97, 12, 1),
    Ellipsoid(-32, 2, -10, 31, 79, 92, 34, 2),
    Ellipsoid(32, 2, -10, 31, 79, 92, 34, 2),
    Ellipsoid(-27, 4, -4, 22, 62, 70, 27, 6),
    Ellipsoid(27, 4, -4, 22, 62, 70, 27, 6),
    Ellipsoid(-11, -14, 4, 6, 26, 22, 6, 2),
    Ellipsoid(11, -14, 4, 6, 26, 22, 6, 2),
    Ellipsoid(-17, 30, 0, 5, 20, 18, 6, 2),
    Ellipsoid(17, 30, 0, 5, 20, 18, 6, 2),
    Ellipsoid(0, 4, -8, 2.5, 14, 12, 5, 1),
    Ellipsoid(0, 56, -58, 44, 26, 26, 36, 2),
    Ellipsoid(0, 26, -66, 14, 14, 40, 31, 2),
    Ellipsoid(-32, -72, -52, 16, 17, 17, 8, 1),
    Ellipsoid(32, -72, -52, 16, 17, 17, 8, 1),
    Ellipsoid(0, -74, -66, 13, 20, 26, -900, 1),
)


def head_slice(z: float, plane: Plane, index: int, *, haematoma: bool) -> Words:
    """One axial CT slice of a head; stored values, HU = value - 1024."""
    image = np.full((plane.size, plane.size), -1000, np.float32)
    for tissue in HEAD_TISSUES:
        paint(image, plane, tissue, z)
    if haematoma:
        paint(image, plane, Ellipsoid(-52, 12, 10, 10, 34, 30, 68, 1.5), z)
    image += noise(plane.size, 23, index) * np.float32(3.5)
    return words(image + 1024)


BRAIN_SIGNAL = {
    "T1": (620, 60, 90, 330, 330, 500, 500, 95, 95, 95, 95, 95, 320, 380, 110, 110, 20),
    "T2": (380, 50, 900, 470, 470, 300, 300, 950, 950, 950, 950, 950, 460, 340, 900, 900, 20),
    "FLAIR": (420, 50, 120, 480, 480, 330, 330, 90, 90, 90, 90, 90, 470, 360, 200, 200, 20),
}
"""Signal of each of `HEAD_TISSUES`, by weighting; arbitrary units."""


def brain_slice(z: float, plane: Plane, weighting: str, index: int) -> Words:
    """One axial MR slice of a head, with the bias of the receive coil and Rician noise."""
    image = np.zeros((plane.size, plane.size), np.float32)
    for tissue, signal in zip(HEAD_TISSUES, BRAIN_SIGNAL[weighting], strict=True):
        paint(
            image,
            plane,
            Ellipsoid(
                tissue.x, tissue.y, tissue.z, tissue.a, tissue.b, tissue.c, signal,
                tissue.softness_mm,
            ),
            z,
        )  # fmt: skip
    axis = np.linspace(-1, 1, plane.size, dtype=np.float32)
    image *= 1.1 - 0.25 * (axis[:, None] ** 2 + axis[None, :] ** 2)
    real = image + noise(plane.size, 31, index, 1) * np.float32(14)
    imaginary = noise(plane.size, 32, index, 1) * np.float32(14)
    return words(np.hypot(real, imaginary))


def knee_slice(x_mm: float, plane: Plane, weighting: str, index: int) -> Words:
    """One sagittal MR slice of a knee; ``x_mm`` plays the part of height."""
    fat, muscle, bone, cartilage, fluid = {
        "T1": (780, 260, 700, 330, 140),
        "T2": (220, 190, 160, 420, 980),
    }[weighting]
    image = np.zeros((plane.size, plane.size), np.float32)
    for shape in (
        Ellipsoid(0, 0, 0, 66, 170, 62, fat, 2),
        Ellipsoid(10, 0, 0, 50, 160, 52, muscle, 3),
        Ellipsoid(0, -78, 0, 24, 74, 34, bone, 1),
        Ellipsoid(2, -22, 0, 33, 28, 42, bone, 1),
        Ellipsoid(2, -3, 0, 31, 8, 40, cartilage, 1),
        Ellipsoid(2, 30, 0, 32, 26, 42, bone, 1),
        Ellipsoid(2, 82, 0, 21, 78, 32, bone, 1),
        Ellipsoid(-46, -34, 0, 11, 20, 22, bone, 1),
        Ellipsoid(-36, -52, 0, 5, 16, 22, fluid, 1),
        Ellipsoid(12, 0, 0, 4, 18, 6, cartilage, 1),
    ):
        paint(image, plane, shape, x_mm)
    real = image + noise(plane.size, 41, index, 1) * np.float32(16)
    imaginary = noise(plane.size, 42, index, 1) * np.float32(16)
    return words(np.hypot(real, imaginary))


def heart_frame(phase: float, plane: Plane, index: int) -> Words:
    """One short-axis cine MR frame; ``phase`` 0 to 1 is the position in the cardiac cycle."""
    squeeze = 1 - 0.28 * float(np.sin(np.pi * min(1.0, phase * 1.7)) ** 2)
    image = np.zeros((plane.size, plane.size), np.float32)
    for shape in (
        Ellipsoid(0, 0, 0, 165, 115, 10, 420, 2),
        Ellipsoid(-70, 5, 0, 60, 80, 10, 25, 2),
        Ellipsoid(85, 0, 0, 45, 78, 10, 25, 2),
        Ellipsoid(-6, -28, 0, 40 * squeeze, 30 * squeeze, 10, 900, 2),
        Ellipsoid(30, -10, 0, 38, 38, 10, 210, 1.5),
        Ellipsoid(30, -10, 0, 27 * squeeze, 27 * squeeze, 10, 940, 1.5),
        Ellipsoid(22, -2, 0, 4, 4, 10, 220, 1),
        Ellipsoid(12, 62, 0, 12, 12, 10, 800, 1),
        Ellipsoid(0, 84, 0, 18, 15, 10, 320, 1),
    ):
        paint(image, plane, shape, 0)
    image += np.abs(noise(plane.size, 51, index, 1)) * np.float32(22)
    return words(image)


def chest_radiograph(rows: int, columns: int, seed: int, *, lateral: bool = False) -> Words:
    """A projection of the chest, 12 bits, MONOCHROME2: bones white."""
    size = max(rows, columns)
    plane = Plane(size, 430 / size)
    image = np.full((size, size), 300, np.float32)
    wide, lung, softness = (0.62, 0.5, 14.0) if lateral else (1.0, 1.0, 8.0)
    shapes = [
        Ellipsoid(0, 20, 0, 172 * wide, 230, 1, 2300, 20),
        Ellipsoid(-74 * lung, -12, 0, 60, 122, 1, 900, softness),
        Ellipsoid(74 * lung, -8, 0, 56, 118, 1, 930, softness),
        Ellipsoid(26, 46, 0, 60 * wide, 56, 1, 2250, softness),
        Ellipsoid(-60, 150, 0, 96, 62, 1, 2500, 12),
        Ellipsoid(64, 152, 0, 92, 58, 1, 2350, 12),
        Ellipsoid(60 if lateral else 0, 0, 0, 17, 260, 1, 2750, 6),
        Ellipsoid(0, -96, 0, 9, 66, 1, 1500, 5),
    ]
    for rib in range(10):
        for side in (-1, 1):
            shapes.extend(
                Ellipsoid(
                    side * (22 + 13 * step) * wide,
                    -118 + 23 * rib + step * step * 0.75,
                    0, 9, 4, 1, 1650 + 60 * (step % 3), 3,
                )
                for step in range(9)
            )  # fmt: skip
    for shape in shapes:
        paint(image, plane, shape, 0, opacity=0.62)
    image += noise(size, seed, 3) * np.float32(22)
    top, left = (size - rows) // 2, (size - columns) // 2
    return words(image[top : top + rows, left : left + columns])


def limb_radiograph(rows: int, columns: int, seed: int) -> Words:
    """A projection of a joint between two long bones, 12 bits, MONOCHROME2."""
    size = max(rows, columns)
    plane = Plane(size, 300 / size)
    image = np.full((size, size), 250, np.float32)
    for shape in (
        Ellipsoid(0, 0, 0, 66, 220, 1, 1300, 12),
        Ellipsoid(0, -92, 0, 22, 92, 1, 2600, 4),
        Ellipsoid(0, -92, 0, 11, 86, 1, 2100, 4),
        Ellipsoid(0, -18, 0, 44, 26, 1, 2500, 4),
        Ellipsoid(0, 24, 0, 43, 20, 1, 2450, 4),
        Ellipsoid(-6, 100, 0, 21, 96, 1, 2550, 4),
        Ellipsoid(-6, 100, 0, 10, 88, 1, 2050, 4),
        Ellipsoid(34, 96, 0, 8, 88, 1, 2300, 3),
    ):
        paint(image, plane, shape, 0)
    image += noise(size, seed, 5) * np.float32(20)
    top, left = (size - rows) // 2, (size - columns) // 2
    return words(image[top : top + rows, left : left + columns])


def breast(rows: int, columns: int, seed: int, *, left: bool, oblique: bool) -> Words:
    """A mammogram, 12 bits, MONOCHROME2, the chest wall at the edge of the image."""
    pixel_mm = np.float32(240 / rows)
    y = (np.arange(rows, dtype=np.float32)[:, None] - rows / 2) * pixel_mm
    x = np.arange(columns, dtype=np.float32)[None, :] * pixel_mm
    reach = 92 if oblique else 86
    radius = np.sqrt((x / reach) ** 2 + (y / 96) ** 2)
    inside = np.clip((1 - radius) * 14, 0, 1)
    gland = np.clip((1 - np.sqrt(((x - 34) / 44) ** 2 + (y / 58) ** 2)) * 2.2, 0, 1)
    coarse = noise(-(-max(rows, columns) // 16), seed, 1, 4)
    texture = np.kron(coarse, np.ones((16, 16), np.float32))[:rows, :columns]
    image = 120 + inside * (1150 + gland * (900 + 170 * texture) + 60 * texture)
    if oblique:
        image += inside * np.clip((-y - x * 1.35 - 18) / 20, 0, 1) * 900
    for spot in range(9):
        row = int(rows * (0.44 + 0.011 * (spot * 5 % 7)))
        column = int(columns * (0.24 + 0.009 * (spot * 3 % 8)))
        image[row : row + 3, column : column + 3] += 900
    size = max(rows, columns)
    image += noise(size, seed, 9)[:rows, :columns] * np.float32(18)
    if not left:
        image = image[:, ::-1]
    return words(image)


@lru_cache(maxsize=4)
def _fan(rows: int, columns: int) -> tuple[FloatImage, FloatImage, NDArray[np.bool_]]:
    """Depth (0 to 1), angle (radians) and extent of an ultrasound sector."""
    y = (np.arange(rows, dtype=np.float32)[:, None] + rows * 0.04) / rows
    x = (np.arange(columns, dtype=np.float32)[None, :] - columns / 2) / rows
    depth, angle = np.hypot(x, y), np.arctan2(x, y)
    return depth, angle, (depth > 0.12) & (depth < 0.98) & (np.abs(angle) < 0.66)


def ultrasound_frame(phase: float, rows: int, columns: int, seed: int, *, doppler: bool) -> Bytes:
    """One colour ultrasound frame, RGB ``[row, column, sample]``; ``phase`` 0 to 1 of a beat."""
    depth, angle, extent = _fan(rows, columns)
    beat = 1 - 0.22 * float(np.sin(np.pi * phase) ** 2)
    tissue = 118 - 66 * depth + 16 * np.sin(angle * 9 + depth * 13)
    x, y = np.sin(angle) * depth, np.cos(angle) * depth
    chamber = np.hypot((x + 0.05) / (0.17 * beat), (y - 0.52) / (0.23 * beat))
    tissue += 85 * np.exp(-((chamber - 1.12) ** 2) / 0.02)
    tissue *= np.where(chamber < 1, 0.10, 1)
    size = max(rows, columns)
    index = seed + int(phase * 40)
    speckle = np.hypot(noise(size, 61, index, 3), noise(size, 62, index, 3))[:rows, :columns]
    grey = np.where(extent, np.clip(tissue * speckle * 0.8, 0, 255), 0)
    frame = np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)
    if doppler:
        jet = np.exp(-((x + 0.05) ** 2) / 0.003 - (y - 0.5) ** 2 / 0.02)
        flow = jet * np.cos(2 * np.pi * phase)
        shown = extent & (np.abs(flow) > 0.15)
        frame[..., 0][shown] = np.clip(flow[shown] * 255, 20, 255).astype(np.uint8)
        frame[..., 1][shown] = np.clip(np.abs(flow[shown]) * 90, 0, 255).astype(np.uint8)
        frame[..., 2][shown] = np.clip(-flow[shown] * 255, 20, 255).astype(np.uint8)
    frame[rows - 14 : rows - 10, 20 : 20 + int((columns - 40) * phase) + 1] = (40, 200, 90)
    return frame
