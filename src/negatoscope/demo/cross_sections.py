"""CT and MR series of the demonstration department, classic and enhanced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, EnhancedMRImageStorage, MRImageStorage

from negatoscope.demo import phantoms
from negatoscope.demo.objects import (
    SeriesPlan,
    add_acquisition,
    add_pixels,
    add_plane,
    code,
    demo_uid,
    header,
    part10,
    sequence,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from negatoscope.demo.phantoms import Plane, Words

AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]

WEIGHTINGS = {
    "T1": {"sequence": "SE", "variant": "SK", "tr_ms": 480, "te_ms": 12, "ti_ms": None},
    "T2": {"sequence": "SE", "variant": ["SK", "SP"], "tr_ms": 4200, "te_ms": 96, "ti_ms": None},
    "FLAIR": {
        "sequence": ["SE", "IR"],
        "variant": "SK",
        "tr_ms": 9000,
        "te_ms": 112,
        "ti_ms": 2500,
    },
}


def ct_volume(
    series: SeriesPlan,
    *,
    slices: int,
    spacing_mm: float,
    first_mm: float,
    plane: Plane,
    draw: Callable[[float, Plane, int], Words],
    window: tuple[int, int],
    kernel: str,
    contrast_agent: str | None = None,
) -> Iterator[bytes]:
    """An axial CT volume, from feet to head; ``draw(z_mm, plane, index)`` makes each slice."""
    template = header(series, CTImageStorage, 1)
    template.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    template.KVP = 120
    template.SliceThickness = spacing_mm
    template.SpacingBetweenSlices = spacing_mm
    template.DataCollectionDiameter = 500
    template.ReconstructionDiameter = round(plane.size * plane.pixel_spacing_mm, 1)
    template.GantryDetectorTilt = 0
    template.TableHeight = 152
    template.RotationDirection = "CW"
    template.ExposureTime = 500
    template.FilterType = "BODY"
    template.ConvolutionKernel = kernel
    template.PatientPosition = "HFS"
    if contrast_agent is not None:
        template.ContrastBolusAgent = contrast_agent
    template.RescaleIntercept = -1024
    template.RescaleSlope = 1
    template.RescaleType = "HU"
    template.WindowCenter, template.WindowWidth = window
    template.BurnedInAnnotation = "NO"
    for index in range(slices):
        z = first_mm + index * spacing_mm
        data_set = template
        data_set.InstanceNumber = index + 1
        data_set.SOPInstanceUID = series.sop_instance_uid(index + 1)
        data_set.XRayTubeCurrent = 180 + round(60 * abs(index / slices - 0.5))
        data_set.Exposure = data_set.XRayTubeCurrent // 2
        add_acquisition(data_set, series, number=1, after_s=2 + index * 0.02)
        add_plane(
            data_set,
            pixel_spacing_mm=plane.pixel_spacing_mm,
            orientation=AXIAL,
            position_mm=[plane.first_mm, plane.first_mm, z],
            frame_of_reference_uid=series.frame_of_reference_uid,
        )
        data_set.SliceLocation = round(z, 3)
        add_pixels(
            data_set,
            plane.size,
            plane.size,
            bits_allocated=16,
            bits_stored=12,
            pixel_data=draw(z, plane, index).tobytes(),
        )
        yield part10(data_set)


def mr_stack(
    series: SeriesPlan,
    *,
    weighting: str,
    slices: int,
    spacing_mm: float,
    plane: Plane,
    draw: Callable[[float, Plane, str, int], Words],
    sagittal: bool = False,
) -> Iterator[bytes]:
    """A stack of MR slices, axial from feet to head or sagittal from right to left."""
    timing = WEIGHTINGS[weighting]
    first = -(slices - 1) / 2 * spacing_mm
    template = header(series, MRImageStorage, 1)
    template.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
    template.ScanningSequence = timing["sequence"]
    template.SequenceVariant = timing["variant"]
    template.ScanOptions = "FS" if weighting == "T2" and sagittal else ""
    template.MRAcquisitionType = "2D"
    template.SequenceName = f"tse2d_{weighting.lower()}"
    template.SliceThickness = spacing_mm - 0.5
    template.SpacingBetweenSlices = spacing_mm
    template.RepetitionTime = timing["tr_ms"]
    template.EchoTime = timing["te_ms"]
    if timing["ti_ms"] is not None:
        template.InversionTime = timing["ti_ms"]
    template.NumberOfAverages = 1
    template.ImagingFrequency = 63.68
    template.ImagedNucleus = "1H"
    template.EchoNumbers = 1
    template.MagneticFieldStrength = 1.5
    template.EchoTrainLength = 1 if weighting == "T1" else 15
    template.PercentSampling = 90
    template.PixelBandwidth = 180
    template.FlipAngle = 90
    template.SAR = 0.9
    template.PatientPosition = "FFS" if sagittal else "HFS"
    template.WindowCenter, template.WindowWidth = 450, 900
    for index in range(slices):
        position = first + index * spacing_mm
        data_set = template
        data_set.InstanceNumber = index + 1
        data_set.SOPInstanceUID = series.sop_instance_uid(index + 1)
        add_acquisition(data_set, series, number=1, after_s=index * 0.4)
        edge = plane.first_mm
        add_plane(
            data_set,
            pixel_spacing_mm=plane.pixel_spacing_mm,
            orientation=SAGITTAL if sagittal else AXIAL,
            position_mm=[position, edge, -edge] if sagittal else [edge, edge, position],
            frame_of_reference_uid=series.frame_of_reference_uid,
        )
        data_set.SliceLocation = round(position, 3)
        add_pixels(
            data_set,
            plane.size,
            plane.size,
            bits_allocated=16,
            bits_stored=12,
            pixel_data=draw(position, plane, weighting, index).tobytes(),
        )
        yield part10(data_set)


def enhanced_mr_cine(series: SeriesPlan, *, phases: int, plane: Plane) -> bytes:
    """One short-axis cardiac cine as an Enhanced MR Image (PS3.3 §A.36.2), a frame per phase."""
    study = series.study
    data_set = header(series, EnhancedMRImageStorage, 1)
    data_set.ImageType = ["ORIGINAL", "PRIMARY", "CARDIAC_CINE", "NONE"]
    data_set.PixelPresentation = "MONOCHROME"
    data_set.VolumetricProperties = "VOLUME"
    data_set.VolumeBasedCalculationTechnique = "NONE"
    data_set.ComplexImageComponent = "MAGNITUDE"
    data_set.AcquisitionContrast = "UNKNOWN"
    data_set.AcquisitionNumber = 1
    data_set.AcquisitionDateTime = study.study_date + study.time_after(series.starts_after_s)
    data_set.AcquisitionDuration = 9500
    data_set.ContentDate = study.study_date
    data_set.ContentTime = study.time_after(series.starts_after_s + 12)
    data_set.ContentQualification = "PRODUCT"
    data_set.ResonantNucleus = "1H"
    data_set.KSpaceFiltering = "NONE"
    data_set.MagneticFieldStrength = 1.5
    data_set.ApplicableSafetyStandardAgency = "IEC"
    data_set.ApplicableSafetyStandardDescription = "IEC 60601-2-33"
    data_set.ImageComments = ""
    data_set.BurnedInAnnotation = "NO"
    data_set.LossyImageCompression = "00"
    data_set.PresentationLUTShape = "IDENTITY"
    data_set.PatientPosition = "HFS"
    data_set.FrameOfReferenceUID = series.frame_of_reference_uid
    data_set.PositionReferenceIndicator = ""
    data_set.PulseSequenceName = "trufi_cine"
    data_set.MRAcquisitionType = "2D"
    data_set.EchoPulseSequence = "GRADIENT"
    data_set.MultiPlanarExcitation = "NO"
    data_set.PhaseContrast = "NO"
    data_set.TimeOfFlightContrast = "NO"
    data_set.SteadyStatePulseSequence = "FREE_PRECESSION"
    data_set.EchoPlanarPulseSequence = "NO"
    data_set.SaturationRecovery = "NO"
    data_set.SpectrallySelectedSuppression = "NONE"
    data_set.OversamplingPhase = "NONE"
    data_set.GeometryOfKSpaceTraversal = "RECTILINEAR"
    data_set.RectilinearPhaseEncodeReordering = "LINEAR"
    data_set.SegmentedKSpaceTraversal = "PARTIAL"
    data_set.NumberOfKSpaceTrajectories = 1
    data_set.CardiacSynchronizationTechnique = "RETROSPECTIVE"
    data_set.CardiacSignalSource = "ECG"
    data_set.CardiacRRIntervalSpecified = 860
    data_set.CardiacBeatRejectionTechnique = "NONE"
    data_set.LowRRValue = 800
    data_set.HighRRValue = 920
    data_set.IntervalsAcquired = 11
    data_set.IntervalsRejected = 0
    data_set.RespiratoryMotionCompensationTechnique = "BREATH_HOLD"
    data_set.RespiratorySignalSource = "NONE"
    data_set.AcquisitionContextSequence = sequence()

    organization_uid = demo_uid("dimension organization", study.key, series.number)
    organization = Dataset()
    organization.DimensionOrganizationUID = organization_uid
    data_set.DimensionOrganizationSequence = sequence(organization)
    index = Dataset()
    index.DimensionOrganizationUID = organization_uid
    index.DimensionIndexPointer = 0x00209241  # Nominal Percentage of Cardiac Phase
    index.FunctionalGroupPointer = 0x00189118  # Cardiac Synchronization Sequence
    index.DimensionDescriptionLabel = "Phase cardiaque"
    data_set.DimensionIndexSequence = sequence(index)

    data_set.NumberOfFrames = phases
    data_set.SharedFunctionalGroupsSequence = sequence(_shared_groups(series, plane))
    data_set.PerFrameFunctionalGroupsSequence = sequence(
        *(_frame_groups(series, phase, phases) for phase in range(phases))
    )
    frames = [phantoms.heart_frame(phase / phases, plane, phase) for phase in range(phases)]
    add_pixels(
        data_set,
        plane.size,
        plane.size,
        bits_allocated=16,
        bits_stored=12,
        pixel_data=b"".join(frame.tobytes() for frame in frames),
    )
    return part10(data_set)


def _shared_groups(series: SeriesPlan, plane: Plane) -> Dataset:
    """Functional groups that all the frames share (PS3.3 §C.7.6.16, §C.8.13.5)."""
    shared = Dataset()

    measures = Dataset()
    measures.PixelSpacing = [plane.pixel_spacing_mm, plane.pixel_spacing_mm]
    measures.SliceThickness = 8
    shared.PixelMeasuresSequence = sequence(measures)

    orientation = Dataset()
    orientation.ImageOrientationPatient = AXIAL
    shared.PlaneOrientationSequence = sequence(orientation)

    position = Dataset()
    position.ImagePositionPatient = [round(plane.first_mm, 4), round(plane.first_mm, 4), 0]
    shared.PlanePositionSequence = sequence(position)

    anatomy = Dataset()
    anatomy.FrameLaterality = "U"
    anatomy.AnatomicRegionSequence = sequence(code("80891009", "SCT", "Heart"))
    shared.FrameAnatomySequence = sequence(anatomy)

    transformation = Dataset()
    transformation.RescaleIntercept = 0
    transformation.RescaleSlope = 1
    transformation.RescaleType = "US"
    shared.PixelValueTransformationSequence = sequence(transformation)

    voi = Dataset()
    voi.WindowCenter, voi.WindowWidth = 500, 1000
    shared.FrameVOILUTSequence = sequence(voi)

    frame_type = Dataset()
    frame_type.FrameType = ["ORIGINAL", "PRIMARY", "CARDIAC_CINE", "NONE"]
    frame_type.PixelPresentation = "MONOCHROME"
    frame_type.VolumetricProperties = "VOLUME"
    frame_type.VolumeBasedCalculationTechnique = "NONE"
    frame_type.ComplexImageComponent = "MAGNITUDE"
    frame_type.AcquisitionContrast = "UNKNOWN"
    shared.MRImageFrameTypeSequence = sequence(frame_type)

    timing = Dataset()
    timing.RepetitionTime = 42
    timing.FlipAngle = 60
    timing.EchoTrainLength = 1
    timing.RFEchoTrainLength = 0
    timing.GradientEchoTrainLength = 1
    timing.SpecificAbsorptionRateSequence = sequence(_rate())
    timing.GradientOutputType = "DB_DT"
    timing.GradientOutput = 40.0
    timing.OperatingModeSequence = sequence(_mode("STATIC FIELD"), _mode("RF"), _mode("GRADIENT"))
    shared.MRTimingAndRelatedParametersSequence = sequence(timing)

    geometry = Dataset()
    geometry.InPlanePhaseEncodingDirection = "COLUMN"
    geometry.MRAcquisitionFrequencyEncodingSteps = plane.size
    geometry.MRAcquisitionPhaseEncodingStepsInPlane = plane.size * 3 // 4
    geometry.PercentSampling = 100
    geometry.PercentPhaseFieldOfView = 75
    shared.MRFOVGeometrySequence = sequence(geometry)

    echo = Dataset()
    echo.EffectiveEchoTime = 1.4
    shared.MREchoSequence = sequence(echo)

    modifier = Dataset()
    modifier.InversionRecovery = "NO"
    modifier.FlowCompensation = "NONE"
    modifier.Spoiling = "NONE"
    modifier.T2Preparation = "NO"
    modifier.SpectrallySelectedExcitation = "NONE"
    modifier.SpatialPresaturation = "NONE"
    modifier.PartialFourier = "NO"
    modifier.ParallelAcquisition = "NO"
    shared.MRModifierSequence = sequence(modifier)

    imaging = Dataset()
    imaging.MagnetizationTransfer = "NONE"
    imaging.BloodSignalNulling = "NO"
    imaging.Tagging = "NONE"
    imaging.TransmitterFrequency = 63.68
    imaging.PixelBandwidth = 930
    shared.MRImagingModifierSequence = sequence(imaging)

    receive = Dataset()
    receive.ReceiveCoilName = "BODY_18"
    receive.ReceiveCoilManufacturerName = series.equipment.manufacturer
    receive.ReceiveCoilType = "MULTICOIL"
    receive.QuadratureReceiveCoil = "YES"
    element = Dataset()
    element.MultiCoilElementName = "BO1"
    element.MultiCoilElementUsed = "YES"
    receive.MultiCoilDefinitionSequence = sequence(element)
    shared.MRReceiveCoilSequence = sequence(receive)

    transmit = Dataset()
    transmit.TransmitCoilName = "BODY"
    transmit.TransmitCoilManufacturerName = series.equipment.manufacturer
    transmit.TransmitCoilType = "BODY"
    shared.MRTransmitCoilSequence = sequence(transmit)

    averages = Dataset()
    averages.NumberOfAverages = 1
    shared.MRAveragesSequence = sequence(averages)
    return shared


def _rate() -> Dataset:
    item = Dataset()
    item.SpecificAbsorptionRateDefinition = "IEC_WHOLE_BODY"
    item.SpecificAbsorptionRateValue = 1.2
    return item


def _mode(kind: str) -> Dataset:
    item = Dataset()
    item.OperatingModeType = kind
    item.OperatingMode = "IEC_NORMAL"
    return item


def _frame_groups(series: SeriesPlan, phase: int, phases: int) -> Dataset:
    """Functional groups of one frame: its content and its place in the cardiac cycle."""
    study = series.study
    groups = Dataset()
    content = Dataset()
    moment = study.study_date + study.time_after(series.starts_after_s)
    content.FrameReferenceDateTime = moment
    content.FrameAcquisitionDateTime = moment
    content.FrameAcquisitionDuration = 9500
    content.FrameAcquisitionNumber = 1
    content.CardiacCyclePosition = "UNDETERMINED"
    content.DimensionIndexValues = [phase + 1]
    groups.FrameContentSequence = sequence(content)
    cardiac = Dataset()
    cardiac.NominalPercentageOfCardiacPhase = 100 * phase / phases
    cardiac.NominalCardiacTriggerDelayTime = 860 * phase / phases
    cardiac.ActualCardiacTriggerDelayTime = 860 * phase / phases
    cardiac.RRIntervalTimeNominal = 860
    groups.CardiacSynchronizationSequence = sequence(cardiac)
    return groups
