"""Ultrasound images and loops of the demonstration department."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import UltrasoundImageStorage, UltrasoundMultiFrameImageStorage

from negatoscope.demo import phantoms
from negatoscope.demo.objects import (
    SeriesPlan,
    add_acquisition,
    add_pixels,
    header,
    part10,
    sequence,
)

FRAME_TIME_MS = 40


def ultrasound_image(
    series: SeriesPlan, *, instance_number: int, seed: int, rows: int = 600, columns: int = 800
) -> bytes:
    """One still colour image (PS3.3 §A.6)."""
    data_set = header(series, UltrasoundImageStorage, instance_number)
    frame = phantoms.ultrasound_frame(0.35, rows, columns, seed, doppler=instance_number % 2 == 0)
    _add_image(data_set, series, rows, columns, frame.tobytes())
    return part10(data_set)


def ultrasound_loop(
    series: SeriesPlan,
    *,
    instance_number: int,
    frames: int,
    seed: int,
    doppler: bool = True,
    rows: int = 480,
    columns: int = 640,
) -> bytes:
    """One beat of a heart as a colour loop (PS3.3 §A.7), RGB, 25 frames per second."""
    data_set = header(series, UltrasoundMultiFrameImageStorage, instance_number)
    data_set.NumberOfFrames = frames
    data_set.FrameTime = FRAME_TIME_MS
    data_set.FrameIncrementPointer = 0x00181063
    data_set.RecommendedDisplayFrameRate = 1000 // FRAME_TIME_MS
    data_set.CineRate = 1000 // FRAME_TIME_MS
    data_set.HeartRate = 72
    pixels = b"".join(
        phantoms.ultrasound_frame(index / frames, rows, columns, seed, doppler=doppler).tobytes()
        for index in range(frames)
    )
    _add_image(data_set, series, rows, columns, pixels)
    return part10(data_set)


def _add_image(
    data_set: Dataset, series: SeriesPlan, rows: int, columns: int, pixels: bytes
) -> None:
    """US Image, US Region Calibration and pixel modules (PS3.3 §C.8.5.5, §C.8.5.6)."""
    data_set.ImageType = ["ORIGINAL", "PRIMARY", "", "0001"]
    add_acquisition(data_set, series, number=1, after_s=int(data_set.InstanceNumber) * 30)
    data_set.PatientOrientation = ""
    data_set.UltrasoundColorDataPresent = 1
    data_set.LossyImageCompression = "00"
    region = Dataset()
    region.RegionSpatialFormat = 1
    region.RegionDataType = 1
    region.RegionFlags = 2
    region.RegionLocationMinX0 = 0
    region.RegionLocationMinY0 = 0
    region.RegionLocationMaxX1 = columns - 1
    region.RegionLocationMaxY1 = rows - 1
    region.PhysicalUnitsXDirection = 3
    region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = 16 / rows
    region.PhysicalDeltaY = 16 / rows
    data_set.SequenceOfUltrasoundRegions = sequence(region)
    add_pixels(
        data_set,
        rows,
        columns,
        bits_allocated=8,
        bits_stored=8,
        photometric_interpretation="RGB",
        samples_per_pixel=3,
        pixel_data=pixels,
    )
