"""Softcopy presentation states: how somebody wanted an image to be seen (PS3.3 §A.33, PS3.4 Annex N)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from negatoscope.protocols.dicom.pixel.display import geometry
from negatoscope.protocols.dicom.pixel.display.attributes import (
    Array,
    DataSet,
    FrameAttributes,
    first_item,
    integer,
    integers,
    items,
    number,
    numbers,
    text,
)
from negatoscope.protocols.dicom.pixel.display.errors import InvalidLut
from negatoscope.protocols.dicom.pixel.display.geometry import Viewport
from negatoscope.protocols.dicom.pixel.display.graphics import draw_graphics
from negatoscope.protocols.dicom.pixel.display.modality import Modality, read_modality
from negatoscope.protocols.dicom.pixel.display.overlays import Overlay, read_overlays
from negatoscope.protocols.dicom.pixel.display.palette import Palette, has_palette, read_palette
from negatoscope.protocols.dicom.pixel.display.presentation import Presentation, read_presentation
from negatoscope.protocols.dicom.pixel.display.voi import Voi, read_tables, read_windows
from negatoscope.standard import tags


@dataclass(slots=True, kw_only=True)
class PresentationState:
    """What a presentation state says of one image.

    Attributes:
        data_set: All of it.
        sop_instance_uid: The image it is applied to.
        modality: Replaces the image's Modality LUT when the state has one.
        presentation: Presentation LUT.
        palette: Of a pseudo-color state.
        has_layers: Overlays of the image are drawn only when the state activates them.
        replaces_voi: Without Softcopy VOI LUT for the image, none applies (PS3.4 §N.2.1.2).
        is_placed: Its displayed area has given the picture its size already.
        notes: What could not be used.
    """

    data_set: DataSet
    sop_instance_uid: str
    modality: Modality | None = None
    presentation: Presentation | None = None
    palette: Palette | None = None
    has_layers: bool = True
    replaces_voi: bool = True
    is_placed: bool = False
    notes: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, data_set: Mapping[str, Any], sop_instance_uid: str) -> "PresentationState":
        """A state for an image that it refers to.

        Args:
            data_set: The presentation state in the DICOM JSON model, binary values inline.
            sop_instance_uid: Of the image.
        """
        notes: list[str] = []
        state = cls(data_set=data_set, sop_instance_uid=sop_instance_uid, notes=notes)
        own = FrameAttributes(data_set)
        if (
            first_item(data_set, tags.MODALITY_LUT_SEQUENCE) is not None
            or number(data_set, tags.RESCALE_SLOPE) is not None
        ):
            state.modality = read_modality(own, notes=notes)
        if (
            first_item(data_set, tags.PRESENTATION_LUT_SEQUENCE) is not None
            or text(data_set, tags.PRESENTATION_LUT_SHAPE) is not None
        ):
            state.presentation = read_presentation(data_set, "", notes=notes)
        if has_palette(data_set):
            try:
                state.palette = read_palette(data_set, signed=False)
            except InvalidLut as error:
                notes.append(f"palette of the presentation state ignored: {error}")
        return state

    def voi_for(self, attributes: FrameAttributes) -> list[Voi]:
        """The Softcopy VOI LUT of the image's frame (PS3.3 §C.11.8)."""
        for item in items(self.data_set, tags.SOFTCOPY_VOILUT_SEQUENCE):
            if self._applies(item, attributes.frame):
                found: list[Voi] = [
                    *read_tables(item, signed=True, notes=self.notes),
                    *read_windows(item, notes=self.notes),
                ]
                if found:
                    return found
        return []

    def _applies(self, item: DataSet, frame: int) -> bool:
        """Whether an item is for the image: without a list, for all (PS3.3 §C.11.8)."""
        references = items(item, tags.REFERENCED_IMAGE_SEQUENCE)
        if not references:
            return True
        for reference in references:
            if text(reference, tags.REFERENCED_SOP_INSTANCE_UID) == self.sop_instance_uid:
                listed = integers(reference, tags.REFERENCED_FRAME_NUMBER)
                if not listed or frame in listed:
                    return True
        return False

    def place(
        self,
        picture: Array,
        attributes: FrameAttributes,
        aspect: float,
        *,
        viewport: Viewport | None,
        raw: Array | None,
        notes: list[str],
    ) -> tuple[Array, float]:
        """Displayed area, size, turning, drawings (PS3.4 §N.2.4: in this order).

        Returns: The picture at its final size, and the aspect of its pixels.
        """
        notes.extend(self.notes)
        area = self._area(attributes.frame)
        rows, columns = picture.shape[:2]
        left, top, right, bottom = 1, 1, columns, rows
        if area is not None:
            corner = integers(area, tags.DISPLAYED_AREA_TOP_LEFT_HAND_CORNER)
            opposite = integers(area, tags.DISPLAYED_AREA_BOTTOM_RIGHT_HAND_CORNER)
            if len(corner) >= 2 and len(opposite) >= 2:
                left, right = sorted((corner[0], opposite[0]))
                top, bottom = sorted((corner[1], opposite[1]))
            ratio = numbers(area, tags.PRESENTATION_PIXEL_ASPECT_RATIO) or numbers(
                area, tags.PRESENTATION_PIXEL_SPACING
            )
            if len(ratio) >= 2:
                aspect = geometry.sane_aspect(ratio[0], ratio[1])
        masks = [
            geometry.window_of(overlay.mask, left - 1, top - 1, right, bottom)
            for overlay in self._overlays(attributes, raw, picture.shape)
        ]
        picture = geometry.window_of(picture, left - 1, top - 1, right, bottom)
        rotation = integer(self.data_set, tags.IMAGE_ROTATION) or 0
        width = None if viewport is None else viewport.width
        height = None if viewport is None else viewport.height
        if rotation % 180:
            width, height = height, width
        rows, columns = geometry.fitted(picture.shape[0], picture.shape[1], aspect, width, height)
        scale = (columns / picture.shape[1], rows / picture.shape[0])
        picture = geometry.resize(picture, rows, columns)
        for mask in masks:
            resized = geometry.resize(mask.astype("u1") * 255, rows, columns) > 127
            picture = picture.copy()
            picture[resized] = 255
        annotations = [
            item
            for item in items(self.data_set, tags.GRAPHIC_ANNOTATION_SEQUENCE)
            if self._applies(item, attributes.frame)
        ]
        flip = text(self.data_set, tags.IMAGE_HORIZONTAL_FLIP) == "Y"
        picture = draw_graphics(
            picture,
            annotations,
            layers=items(self.data_set, tags.GRAPHIC_LAYER_SEQUENCE),
            origin=(left, top),
            scale=scale,
            turn=lambda shown: geometry.turn(shown, rotation, flip=flip),
        )
        self.is_placed = True
        return picture, 1.0

    def _area(self, frame: int) -> DataSet | None:
        for item in items(self.data_set, tags.DISPLAYED_AREA_SELECTION_SEQUENCE):
            if self._applies(item, frame):
                return item
        return None

    def _overlays(
        self, attributes: FrameAttributes, raw: Array | None, shape: tuple[int, ...]
    ) -> list[Overlay]:
        """Its own overlays, and those of the image, that it puts on a layer (60xx,1001)."""
        wanted = {
            group
            for group in range(0x6000, 0x6020, 2)
            if text(self.data_set, group << 16 | 0x1001) is not None
        }
        return [
            overlay
            for source, cells in ((self.data_set, None), (attributes.data_set, raw))
            for overlay in read_overlays(
                source, frame=attributes.frame, rows=shape[0], columns=shape[1], raw=cells
            )
            if overlay.group in wanted
        ]


def references(data_set: DataSet) -> list[tuple[str, str, int]]:
    """Series, instance and first frame of the images that a presentation state is for (PS3.3 §C.11.11)."""
    found = []
    for series in items(data_set, tags.REFERENCED_SERIES_SEQUENCE):
        series_uid = text(series, tags.SERIES_INSTANCE_UID) or ""
        for image in items(series, tags.REFERENCED_IMAGE_SEQUENCE):
            uid = text(image, tags.REFERENCED_SOP_INSTANCE_UID)
            if uid:
                frames = integers(image, tags.REFERENCED_FRAME_NUMBER)
                found.append((series_uid, uid, frames[0] if frames else 1))
    return found
