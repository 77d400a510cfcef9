"""Blending Softcopy Presentation State over HTTP: a PET in colours over a CT (PS3.3 §A.33.4)."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset

STUDY = "1.2.826.0.1.3680043.10.1.1"
FRAME, OTHER_FRAME = "1.2.3.77", "1.2.3.78"
STATE, REGISTRATION = "1.2.840.10008.5.1.4.1.1.11.4", "1.2.840.10008.5.1.4.1.1.66.1"
AXIAL = [1, 0, 0, 0, 1, 0]


def slice_of(
    helpers: SimpleNamespace,
    number: int,
    *,
    series: int,
    pixels: np.ndarray,
    spacing: float,
    origin: tuple[float, float, float],
    **more: object,
) -> Dataset:
    """An image that says where it lies."""
    one = helpers.make_ct(number, series=series, size=len(pixels), **more)
    one.FrameOfReferenceUID = more.get("frame", FRAME)
    one.ImagePositionPatient, one.ImageOrientationPatient = list(origin), AXIAL
    one.PixelSpacing, one.SliceThickness = [spacing, spacing], 4
    one.RescaleSlope, one.RescaleIntercept = 1, 0
    one.PixelData = pixels.astype("<u2").tobytes()
    return one


def window(center: float, width: float) -> Dataset:
    """A Softcopy VOI LUT item for all images of its input."""
    item = Dataset()
    item.WindowCenter, item.WindowWidth, item.VOILUTFunction = center, width, "LINEAR_EXACT"
    return item


def state_of(helpers: SimpleNamespace, *, opacity: float = 0.25, number: int = 1) -> Dataset:
    """A state with series 1 below and series 2 above, which is shown from black to red."""
    state = helpers.make_ct(number, series=3)
    for keyword in ("PixelData", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation"):
        del state[keyword]
    state.SOPClassUID = state.file_meta.MediaStorageSOPClassUID = STATE
    state.Modality = "PR"
    inputs = []
    for position, series in (("UNDERLYING", 1), ("SUPERIMPOSED", 2)):
        item, listed = Dataset(), Dataset()
        item.BlendingPosition, item.StudyInstanceUID = position, STUDY
        listed.SeriesInstanceUID = f"{STUDY}.{series}"
        item.ReferencedSeriesSequence = [listed]
        item.RescaleSlope, item.RescaleIntercept, item.RescaleType = 1, 0, "US"
        item.SoftcopyVOILUTSequence = [window(2048, 4096) if series == 1 else window(50, 100)]
        inputs.append(item)
    state.BlendingSequence = inputs
    state.RelativeOpacity = opacity
    for name, top in (("Red", 255), ("Green", 0), ("Blue", 0)):
        entries = np.linspace(0, top * 257, 256).astype("<u2").tobytes()
        setattr(state, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(state, f"{name}PaletteColorLookupTableData", entries)
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [1, 1], [64, 64]
    area.PresentationSizeMode, area.PresentationPixelAspectRatio = "SCALE TO FIT", [1, 1]
    state.DisplayedAreaSelectionSequence = [area]
    return state


UNDER = np.linspace(0, 4095, 64 * 64).reshape(64, 64)
OVER = np.tile(np.arange(32) * 3, (32, 1))
"""Counts that rise by three from column to column of 2 mm."""


def studied(helpers: SimpleNamespace, **more: object) -> list[Dataset]:
    """Three CT slices of 1 mm pixels, and two PET slices of 2 mm pixels, one in the middle's plane."""
    made = [
        slice_of(
            helpers,
            number,
            series=1,
            pixels=UNDER if number == 2 else UNDER[::-1],
            spacing=1,
            origin=(0, 0, 10.0 * number),
        )
        for number in (1, 2, 3)
    ]
    made += [
        slice_of(
            helpers,
            number,
            series=2,
            pixels=OVER if number == 2 else OVER[:, ::-1],
            spacing=2,
            origin=(8, 0, z),
            **more,
        )
        for number, z in ((1, 50.0), (2, 21.5))
    ]
    return made


def asked(served, state: Dataset, query: str = ""):
    """The answer for the state's picture."""
    return served.client().get(
        f"/dicom-web/studies/{STUDY}/series/{STUDY}.3/instances/{state.SOPInstanceUID}"
        f"/rendered?accept=image/png{query}"
    )


def shown(answer) -> np.ndarray:
    """Its pixels."""
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")).astype(float)


def expected(opacity: float) -> np.ndarray:
    """PS3.4 §N.2.4: the middle slice in grey, the counts at the place of each pixel in red."""
    grey = np.rint(np.clip(UNDER.astype(int) / 4096, 0, 1) * 255)
    x_mm = np.arange(64.0)
    counts = np.clip((x_mm - 8) / 2, 0, 31) * 3
    red = np.clip(counts / 100, 0, 1) * 255
    is_over = (x_mm > 7) & (x_mm < 8 + 31 * 2 + 1)
    picture = np.repeat(grey[..., None], 3, axis=-1)
    picture[:63, is_over] *= 1 - opacity  # the last row lies outside the PET, which ends at 63 mm
    picture[:63, is_over, 0] += opacity * red[is_over]
    return picture


@pytest.mark.parametrize("opacity", [0.0, 0.25, 1.0])
def test_a_blending_state_is_drawn(served, helpers, opacity: float) -> None:
    """The slice in the plane is found, resampled, coloured and mixed, within two levels."""
    state = state_of(helpers, opacity=opacity)
    assert served.store(*studied(helpers), state).status_code == 200
    found = shown(asked(served, state))
    assert found.shape == (64, 64, 3)
    assert np.abs(found - expected(opacity)).max() <= 2


def test_a_registration_moves_the_superimposed(served, helpers) -> None:
    """PS3.3 §C.20.2: its matrix leads from the PET's frame of reference to the CT's."""
    state = state_of(helpers)
    images = studied(helpers, frame=OTHER_FRAME)
    for one in images[3:]:
        one.ImagePositionPatient = [
            one.ImagePositionPatient[axis] - shift for axis, shift in enumerate((5, -7, 100))
        ]
    assert served.store(*images, state).status_code == 200
    answer = asked(served, state)
    assert (answer.status_code, answer.json()["code"]) == (406, "not-displayable")
    assert "frame of reference" in answer.json()["detail"]
    registration = helpers.make_ct(1, series=4)
    for keyword in ("PixelData", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation"):
        del registration[keyword]
    registration.SOPClassUID = registration.file_meta.MediaStorageSOPClassUID = REGISTRATION
    registration.FrameOfReferenceUID = FRAME
    steps, matrix, moved = Dataset(), Dataset(), Dataset()
    matrix.FrameOfReferenceTransformationMatrix = [
        1,
        0,
        0,
        5,
        0,
        1,
        0,
        -7,
        0,
        0,
        1,
        100,
        0,
        0,
        0,
        1,
    ]
    matrix.FrameOfReferenceTransformationMatrixType = "RIGID"
    steps.MatrixSequence = [matrix]
    moved.FrameOfReferenceUID, moved.MatrixRegistrationSequence = OTHER_FRAME, [steps]
    registration.RegistrationSequence = [moved]
    other = state_of(helpers, number=2)
    reference = Dataset()
    reference.ReferencedSOPClassUID = REGISTRATION
    reference.ReferencedSOPInstanceUID = registration.SOPInstanceUID
    other.ReferencedSpatialRegistrationSequence = [reference]
    assert served.store(registration, other).status_code == 200
    assert np.abs(shown(asked(served, other)) - expected(0.25)).max() <= 2


def test_padding_shows_the_other_image(served, helpers) -> None:
    """A padded pixel of one image is transparent."""
    state = state_of(helpers, opacity=0.5)
    images = studied(helpers)
    images[4].PixelPaddingValue = 0
    assert served.store(*images, state).status_code == 200
    found = shown(asked(served, state))
    grey = np.rint(UNDER.astype(int) / 4096 * 255)
    assert np.abs(found[:, 8] - grey[:, 8, None]).max() <= 1  # the first column of the PET is 0
    assert np.abs(found[:63, 12, 1] - grey[:63, 12] / 2).max() <= 1


def turned(state: Dataset, images: list[Dataset]) -> None:
    """The superimposed images are sagittal."""
    for one in images[3:]:
        one.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]


def elsewhere(state: Dataset, images: list[Dataset]) -> None:
    """The superimposed images are in another study."""
    state.BlendingSequence[1].StudyInstanceUID = f"{STUDY}.99"


def placeless(state: Dataset, images: list[Dataset]) -> None:
    """The superimposed images do not say where they lie."""
    for one in images[3:]:
        del one.ImagePositionPatient


def single(state: Dataset, images: list[Dataset]) -> None:
    """One input only."""
    del state.BlendingSequence[1]


def lacking(state: Dataset, images: list[Dataset]) -> None:
    """No palette."""
    del state.RedPaletteColorLookupTableDescriptor


def unregistered(state: Dataset, images: list[Dataset]) -> None:
    """A registration that is not here."""
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = REGISTRATION, "1.2.3.99"
    state.ReferencedSpatialRegistrationSequence = [reference]


REFUSED = (
    (turned, "another orientation"),
    (elsewhere, "another study"),
    (placeless, "where they lie"),
    (single, "one underlying and one superimposed"),
    (lacking, "palette"),
    (unregistered, "Spatial Registration"),
)


@pytest.mark.parametrize(("change", "reason"), REFUSED, ids=[one.__name__ for one, _ in REFUSED])
def test_what_cannot_be_blended_says_why(served, helpers, change, reason: str) -> None:
    """406 with the reason, never half a picture."""
    state, images = state_of(helpers), studied(helpers)
    change(state, images)
    assert served.store(*images, state).status_code == 200
    answer = asked(served, state)
    assert (answer.status_code, answer.json()["code"]) == (406, "not-displayable")
    assert reason in answer.json()["detail"]


def test_the_displayed_area_and_a_viewport_apply(served, helpers) -> None:
    """The state's area is cut out of the blended picture, at the size asked for."""
    state = state_of(helpers)
    area = state.DisplayedAreaSelectionSequence[0]
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [33, 1], [64, 32]
    assert served.store(*studied(helpers), state).status_code == 200
    found = shown(asked(served, state))
    assert np.abs(found - expected(0.25)[:32, 32:]).max() <= 2
    assert shown(asked(served, state, "&viewport=16,16")).shape == (16, 16, 3)
