"""Radiographs and mammograms of the demonstration department."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
)

from negatoscope.demo import phantoms
from negatoscope.demo.objects import (
    SeriesPlan,
    add_acquisition,
    add_pixels,
    code,
    header,
    part10,
    sequence,
)

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from negatoscope.demo.phantoms import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How one radiograph was taken.

    Attributes:
        position: View Position (0018,5101).
        view_code: View Code Sequence item: SNOMED CT code and meaning.
        region_code: Anatomic Region Sequence item: SNOMED CT code and meaning.
        laterality: Image Laterality (0020,0062): R, L, B or U.
        patient_orientation: Patient Orientation (0020,0020), rows then columns.
    """

    position: str
    view_code: tuple[str, str]
    region_code: tuple[str, str]
    laterality: str
    patient_orientation: tuple[str, str]


CHEST = ("51185008", "Chest")
CHEST_PA = View(
    position="PA",
    view_code=("399348003", "postero-anterior"),
    region_code=CHEST,
    laterality="U",
    patient_orientation=("L", "F"),
)
CHEST_LATERAL = View(
    position="LL",
    view_code=("399173006", "left lateral"),
    region_code=CHEST,
    laterality="U",
    patient_orientation=("A", "F"),
)
KNEE_AP = View(
    position="AP",
    view_code=("399348003", "antero-posterior"),
    region_code=("72696002", "Knee"),
    laterality="R",
    patient_orientation=("L", "F"),
)
PELVIS_AP = View(
    position="AP",
    view_code=("399348003", "antero-posterior"),
    region_code=("12921003", "Pelvis"),
    laterality="U",
    patient_orientation=("L", "F"),
)


def digital_radiograph(
    series: SeriesPlan, view: View, pixels: Words, *, instance_number: int = 1
) -> bytes:
    """A Digital X-Ray Image for presentation (PS3.3 §A.26)."""
    data_set = header(series, DigitalXRayImageStorageForPresentation, instance_number)
    _add_digital_x_ray(data_set, series, view, pixels, width_mm=350)
    data_set.PositionerType = "NONE"
    data_set.DistanceSourceToDetector = 1800
    data_set.KVP = 120
    data_set.ExposureTime = 8
    data_set.XRayTubeCurrent = 320
    data_set.Exposure = 3
    data_set.Grid = ["FOCUSED", "PARALLEL"]
    return part10(data_set)


def computed_radiograph(
    series: SeriesPlan, view: View, pixels: Words, *, instance_number: int = 1
) -> bytes:
    """A Computed Radiography Image (PS3.3 §A.2)."""
    rows, columns = pixels.shape
    data_set = header(series, ComputedRadiographyImageStorage, instance_number)
    data_set.ImageType = ["ORIGINAL", "PRIMARY"]
    add_acquisition(data_set, series, number=1, after_s=0)
    data_set.ViewPosition = view.position
    data_set.PatientOrientation = list(view.patient_orientation)
    data_set.KVP = 110
    data_set.DistanceSourceToDetector = 1500
    data_set.Exposure = 4
    data_set.PlateType = "HR-V"
    data_set.CassetteSize = "35CMX43CM"
    data_set.ImagerPixelSpacing = [round(350 / columns, 4)] * 2
    data_set.WindowCenter, data_set.WindowWidth = 1750, 3000
    data_set.RescaleIntercept = 0
    data_set.RescaleSlope = 1
    data_set.RescaleType = "US"
    add_pixels(
        data_set, rows, columns, bits_allocated=16, bits_stored=12, pixel_data=pixels.tobytes()
    )
    return part10(data_set)


def mammogram(
    series: SeriesPlan, pixels: Words, *, left: bool, oblique: bool, instance_number: int
) -> bytes:
    """A Digital Mammography X-Ray Image for presentation (PS3.3 §A.27)."""
    view = View(
        position="MLO" if oblique else "CC",
        view_code=(
            ("399368009", "medio-lateral oblique") if oblique else ("399162004", "cranio-caudal")
        ),
        region_code=("76752008", "Breast"),
        laterality="L" if left else "R",
        patient_orientation=(
            ("A" if left else "P", "FR" if left else "FL")
            if oblique
            else ("A" if left else "P", "R" if left else "L")
        ),
    )
    data_set = header(series, DigitalMammographyXRayImageStorageForPresentation, instance_number)
    _add_digital_x_ray(data_set, series, view, pixels, width_mm=200)
    data_set.ViewCodeSequence[0].ViewModifierCodeSequence = sequence()
    data_set.PositionerType = "MAMMOGRAPHIC"
    data_set.PositionerPrimaryAngle = (45 if left else -45) if oblique else 0
    data_set.OrganExposed = "BREAST"
    data_set.BreastImplantPresent = "NO"
    data_set.CompressionForce = 110
    data_set.BodyPartThickness = 52
    data_set.KVP = 29
    data_set.ExposureTime = 900
    data_set.XRayTubeCurrent = 70
    data_set.Exposure = 63
    data_set.AnodeTargetMaterial = "RHODIUM"
    data_set.FilterMaterial = "RHODIUM"
    data_set.DistanceSourceToDetector = 660
    data_set.DistanceSourceToPatient = 620
    data_set.EstimatedRadiographicMagnificationFactor = 1.06
    data_set.OrganDose = 0.012
    return part10(data_set)


def _add_digital_x_ray(
    data_set: Dataset, series: SeriesPlan, view: View, pixels: Words, *, width_mm: int
) -> None:
    """DX Series, Anatomy Imaged, Image, Detector and Acquisition Context (PS3.3 §C.8.11)."""
    rows, columns = pixels.shape
    data_set.PresentationIntentType = "FOR PRESENTATION"
    data_set.ImageType = ["DERIVED", "PRIMARY", ""]
    add_acquisition(data_set, series, number=1, after_s=data_set.InstanceNumber * 20)
    data_set.ViewPosition = view.position
    data_set.ViewCodeSequence = sequence(code(view.view_code[0], "SCT", view.view_code[1]))
    data_set.ImageLaterality = view.laterality
    data_set.AnatomicRegionSequence = sequence(
        code(view.region_code[0], "SCT", view.region_code[1])
    )
    data_set.PatientOrientation = list(view.patient_orientation)
    data_set.AcquisitionContextSequence = sequence()
    data_set.DetectorType = "DIRECT"
    data_set.DetectorActiveTime = 500
    data_set.ImagerPixelSpacing = [round(width_mm / columns, 4)] * 2
    data_set.PixelSpacing = data_set.ImagerPixelSpacing
    data_set.PixelSpacingCalibrationType = "GEOMETRY"
    data_set.PixelSpacingCalibrationDescription = "Plan du détecteur"
    data_set.PixelIntensityRelationship = "LOG"
    data_set.PixelIntensityRelationshipSign = -1
    data_set.RescaleIntercept = 0
    data_set.RescaleSlope = 1
    data_set.RescaleType = "US"
    data_set.PresentationLUTShape = "IDENTITY"
    data_set.LossyImageCompression = "00"
    data_set.BurnedInAnnotation = "NO"
    data_set.WindowCenter, data_set.WindowWidth = 1750, 3000
    data_set.WindowCenterWidthExplanation = "NORMAL"
    add_pixels(
        data_set, rows, columns, bits_allocated=16, bits_stored=12, pixel_data=pixels.tobytes()
    )


def chest_pair(series: SeriesPlan, seed: int) -> tuple[bytes, bytes]:
    """Postero-anterior and lateral digital radiographs of a chest."""
    frontal = phantoms.chest_radiograph(2022, 2022, seed)
    lateral = phantoms.chest_radiograph(2022, 1720, seed + 1, lateral=True)
    return (
        digital_radiograph(series, CHEST_PA, frontal),
        digital_radiograph(series, CHEST_LATERAL, lateral, instance_number=2),
    )
