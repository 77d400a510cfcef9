"""From a decoded frame to a picture (PS3.4 §N.2: the softcopy rendering pipelines)."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Final

import numpy as np

from negatoscope.protocols.dicom.pixel.display import geometry
from negatoscope.protocols.dicom.pixel.display.attributes import (
    Array,
    DataSet,
    FrameAttributes,
    binary,
    integer,
    number,
    text,
)
from negatoscope.protocols.dicom.pixel.display.blending import (
    Blending,
    Plane,
    Registration,
    blend,
    resampled,
)
from negatoscope.protocols.dicom.pixel.display.color import to_rgb
from negatoscope.protocols.dicom.pixel.display.errors import InvalidLut, NotDisplayable
from negatoscope.protocols.dicom.pixel.display.geometry import Viewport
from negatoscope.protocols.dicom.pixel.display.icc import IccChoice, convert
from negatoscope.protocols.dicom.pixel.display.modality import Modality, read_modality
from negatoscope.protocols.dicom.pixel.display.overlays import outline, read_overlays
from negatoscope.protocols.dicom.pixel.display.palette import Palette, has_palette, read_palette
from negatoscope.protocols.dicom.pixel.display.presentation import Presentation, read_presentation
from negatoscope.protocols.dicom.pixel.display.segments import segment_color
from negatoscope.protocols.dicom.pixel.display.shutters import read_shutter, shutter_color
from negatoscope.protocols.dicom.pixel.display.state import PresentationState
from negatoscope.protocols.dicom.pixel.display.voi import (
    Voi,
    Window,
    automatic_window,
    read_voi,
    whole_range,
)
from negatoscope.standard import tags

_TABLE_ABOVE: Final = 1 << 15
"""Pixels beyond which a table of all possible values is cheaper than computing each."""
_KEPT_TABLES: Final = 16
_COLOR_MODELS: Final = frozenset(
    {
        *("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420"),
        *("YBR_RCT", "YBR_ICT", "CMYK", "ARGB", "HSV", "XYB"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayOptions:
    """What the client asks for.

    Attributes:
        window: Instead of what the object says.
        viewport: Size and region; ``None``: the image at its own size.
        icc: Colour space.
        overlays: Whether overlay planes are drawn.
        shutters: Whether shutters hide.
        state: A presentation state to apply.
        voi_index: Which of the object's windows and tables, from 0.
    """

    window: Window | None = None
    viewport: Viewport | None = None
    icc: IccChoice = IccChoice.NO
    overlays: bool = True
    shutters: bool = True
    state: PresentationState | None = None
    voi_index: int = 0


@dataclass(slots=True, kw_only=True)
class Picture:
    """What is to be seen.

    Attributes:
        pixels: ``uint8``, shape (rows, columns) or (rows, columns, 3).
        profile: ICC profile to embed.
        notes: What was odd and tolerated, for people.
    """

    pixels: Array
    profile: bytes | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlendingInput:
    """One of the two images of a Blending Softcopy Presentation State.

    Attributes:
        samples: Decoded, of two dimensions.
        photometric: Of them.
        data_set: The object's attributes in the DICOM JSON model.
        frame: Number, from 1.
        sop_instance_uid: Of the object.
    """

    samples: Array
    photometric: str
    data_set: Mapping[str, Any]
    frame: int
    sop_instance_uid: str


_tables: "OrderedDict[tuple[object, ...], Array]" = OrderedDict()
_tables_lock = Lock()


def display_frame(
    samples: Array,
    photometric: str,
    data_set: Mapping[str, Any],
    *,
    frame: int = 1,
    options: DisplayOptions | None = None,
    raw: Array | None = None,
) -> Picture:
    """The picture of a frame.

    Args:
        samples: Decoded: shape (rows, columns) or (rows, columns, samples).
        photometric: Of ``samples``.
        data_set: The object's attributes in the DICOM JSON model, binary values inline.
        frame: Number of the frame, from 1.
        options: What is asked for.
        raw: Pixel cells with all bits allocated, when overlays are embedded in them.
    Raises:
        NotDisplayable: samples and attributes make no picture.
        InvalidViewport: the region asked for lies outside.
    """
    options = options or DisplayOptions()
    attributes = FrameAttributes(data_set, frame)
    notes: list[str] = []
    if photometric == "PALETTE COLOR":
        picture = _palette_picture(samples, attributes, options, notes)
    elif photometric in _COLOR_MODELS or samples.ndim == 3:
        bits = integer(data_set, tags.BITS_STORED) or 8 * samples.dtype.itemsize
        bits = min(max(bits, 1), 8 * samples.dtype.itemsize)
        picture = to_rgb(samples, photometric, bits=bits)
    else:
        picture = _monochrome_picture(samples, photometric, attributes, options, notes)
    return _finish(picture, attributes, options, notes, raw)


def _finish(
    picture: Array,
    attributes: FrameAttributes,
    options: DisplayOptions,
    notes: list[str],
    raw: Array | None,
) -> Picture:
    state = options.state
    if options.overlays and (state is None or not state.has_layers):
        picture = _with_overlays(picture, attributes, raw)
    if options.shutters:
        picture = _with_shutters(picture, attributes, state)
    aspect = geometry.pixel_aspect(attributes)
    if state is not None:
        picture, aspect = state.place(
            picture, attributes, aspect, viewport=options.viewport, raw=raw, notes=notes
        )
    viewport = options.viewport
    if viewport is not None:
        picture = geometry.crop(picture, viewport)
    rows, columns = picture.shape[:2]
    if state is None or not state.is_placed:
        size = (None, None) if viewport is None else (viewport.width, viewport.height)
        rows, columns = geometry.fitted(rows, columns, aspect, *size)
        picture = geometry.resize(picture, rows, columns)
    profile = None
    if picture.ndim == 3:
        source = b"" if state is None else binary(state.data_set, tags.ICC_PROFILE)
        source = source or binary(attributes.data_set, tags.ICC_PROFILE)
        source = source or _path_profile(attributes)
        picture, profile = convert(picture, source, options.icc, notes=notes)
    return Picture(pixels=np.ascontiguousarray(picture), profile=profile, notes=notes)


def _path_profile(attributes: FrameAttributes) -> bytes:
    """ICC profile of the first optical path of a slide (PS3.3 §C.8.12.5)."""
    element = attributes.data_set.get(f"{tags.OPTICAL_PATH_SEQUENCE:08X}")
    paths = element.get("Value") if isinstance(element, Mapping) else None
    if isinstance(paths, list) and paths and isinstance(paths[0], Mapping):
        return binary(paths[0], tags.ICC_PROFILE)
    return b""


def _palette_picture(
    samples: Array, attributes: FrameAttributes, options: DisplayOptions, notes: list[str]
) -> Array:
    signed = integer(attributes.data_set, tags.PIXEL_REPRESENTATION) == 1
    try:
        return read_palette(attributes.data_set, signed=signed).apply(samples)
    except InvalidLut as error:
        notes.append(f"palette ignored: {error}")
        return _monochrome_picture(samples, "MONOCHROME2", attributes, options, notes)


def _monochrome_picture(
    samples: Array,
    photometric: str,
    attributes: FrameAttributes,
    options: DisplayOptions,
    notes: list[str],
) -> Array:
    if samples.ndim != 2:
        raise NotDisplayable("a monochrome image has one sample for each pixel")
    color = segment_color(attributes, samples)
    if color is not None:
        return color
    shown, padding = _monochrome_levels(samples, photometric, attributes, options, notes)
    pseudo = None if options.state is None else options.state.palette
    if pseudo is not None:
        return _pseudo_colors(shown, pseudo)
    if padding is not None:
        shown[padding] = 0
    if has_palette(attributes.data_set) and _is_partly_colored(attributes):
        return _supplemental(samples, shown, attributes, notes)
    return shown


def _monochrome_levels(
    samples: Array,
    photometric: str,
    attributes: FrameAttributes,
    options: DisplayOptions,
    notes: list[str],
) -> tuple[Array, Array | None]:
    """P-Values as levels 0 … 255, and where pixels are padding."""
    state = options.state
    modality = read_modality(attributes, notes=notes)
    presentation = read_presentation(attributes.data_set, photometric, notes=notes)
    choices = read_voi(attributes, signed=modality.table is None, notes=notes)
    if state is not None:
        modality = state.modality or modality
        choices = state.voi_for(attributes) or ([] if state.replaces_voi else choices)
        presentation = state.presentation or presentation
    voi: Voi | None = options.window
    if voi is None and choices:
        voi = choices[min(max(options.voi_index, 0), len(choices) - 1)]
    padding = _padding(samples, attributes)
    if voi is None:
        voi = _automatic(samples, attributes, modality, padding)
    return _shown(samples, modality, voi, presentation), padding


def display_blended(
    underlying: BlendingInput,
    superimposed: BlendingInput,
    data_set: Mapping[str, Any],
    *,
    options: DisplayOptions,
    registrations: Sequence[Mapping[str, Any]] = (),
    raw: Array | None = None,
) -> Picture:
    """The picture of a Blending Softcopy Presentation State (PS3.4 §N.2.4).

    Args:
        underlying: One image; the picture has its size.
        superimposed: The other, in a plane that passes through the same slice.
        data_set: The state.
        options: What is asked for; its window is the underlying image's.
        registrations: Spatial Registrations that the state names.
        raw: As for ``display_frame``, of the underlying image.
    Raises:
        NotDisplayable: the two make no picture.
        InvalidViewport: the region asked for lies outside.
    """
    blending = Blending.read(data_set)
    notes: list[str] = []
    attributes = FrameAttributes(underlying.data_set, underlying.frame)
    grey = _input_levels(underlying, blending.underlying, options, notes)
    over = _input_levels(superimposed, blending.superimposed, DisplayOptions(), notes)
    places = []
    for one in (underlying, superimposed):
        plane = Plane.read(FrameAttributes(one.data_set, one.frame))
        for registration in registrations:
            plane = plane and plane.moved(Registration.read(registration))
        places.append(plane)
    if places[0] is None or places[1] is None or not places[0].reaches(places[1]):
        raise NotDisplayable("the two images do not lie in one plane")
    colored = blend(grey, resampled(over, places[1], places[0], grey.shape), blending)
    state = PresentationState.read(data_set, underlying.sop_instance_uid)
    return _finish(colored, attributes, replace(options, state=state), notes, raw)


def _input_levels(
    given: BlendingInput, item: DataSet, options: DisplayOptions, notes: list[str]
) -> Array:
    """Levels of an input as its item says, NaN where padded."""
    if given.samples.ndim != 2:
        raise NotDisplayable("only monochrome images are blended")
    state = PresentationState.read(item, given.sop_instance_uid)
    attributes = FrameAttributes(given.data_set, given.frame)
    shown, padding = _monochrome_levels(
        given.samples, given.photometric, attributes, replace(options, state=state), notes
    )
    levels = shown.astype(np.float64)
    if padding is not None:
        levels[padding] = np.nan
    return levels


def _pseudo_colors(shown: Array, palette: Palette) -> Array:
    """Palette colours over the whole range of P-Values (PS3.3 §A.33.4: pseudo-color)."""
    index = shown.astype(np.int64) * (len(palette.colors) - 1) // 255
    found: Array = palette.colors[index]
    return found


def _is_partly_colored(attributes: FrameAttributes) -> bool:
    """Pixel Presentation (0008,9205) of the frame, or of the object (PS3.3 §C.8.16.2.1.1.1)."""
    for macro in (tags.MR_IMAGE_FRAME_TYPE_SEQUENCE, tags.CT_IMAGE_FRAME_TYPE_SEQUENCE):
        group = attributes.macro(macro)
        if group is not None and (found := text(group, tags.PIXEL_PRESENTATION)) is not None:
            return found in ("COLOR", "MIXED")
    return text(attributes.data_set, tags.PIXEL_PRESENTATION) in ("COLOR", "MIXED")


def _supplemental(
    samples: Array, shown: Array, attributes: FrameAttributes, notes: list[str]
) -> Array:
    """Supplemental palette: values from the first mapped one on are coloured (PS3.3 §C.8.16.2.1.1.1)."""
    signed = integer(attributes.data_set, tags.PIXEL_REPRESENTATION) == 1
    try:
        palette = read_palette(attributes.data_set, signed=signed)
    except InvalidLut as error:
        notes.append(f"supplemental palette ignored: {error}")
        return shown
    colored = (samples >= palette.first) & (samples < palette.first + len(palette.colors))
    picture = np.repeat(shown[..., None], 3, axis=-1)
    picture[colored] = palette.apply(samples[colored])
    return picture


def _automatic(
    samples: Array, attributes: FrameAttributes, modality: Modality, padding: Array | None
) -> Window:
    """The window for an image that brings none: all of 8 bits, else nearly all values."""
    bits = integer(attributes.data_set, tags.BITS_STORED) or 16
    if samples.dtype.kind == "u" and bits <= 8 and modality.table is None:
        ends = modality.apply(np.array([0, (1 << bits) - 1]))
        return whole_range(float(ends.min()), float(ends.max()))
    chosen = samples if padding is None else samples[~padding]
    if not chosen.size:
        chosen = samples
    step = max(1, chosen.size >> 18)
    return automatic_window(modality.apply(chosen.ravel()[::step]))


def _padding(samples: Array, attributes: FrameAttributes) -> Array | None:
    """Where pixels are padding (PS3.3 §C.7.5.1.1.2); ``None`` when nowhere."""
    value = _stored_number(attributes, tags.PIXEL_PADDING_VALUE, samples)
    if value is None or samples.dtype.kind == "f":
        return None
    limit = _stored_number(attributes, tags.PIXEL_PADDING_RANGE_LIMIT, samples)
    if limit is None:
        mask: Array = samples == value
    else:
        low, high = min(value, limit), max(value, limit)
        mask = (samples >= low) & (samples <= high)
    return mask if mask.any() else None


def _stored_number(attributes: FrameAttributes, tag: int, samples: Array) -> int | None:
    """A padding value, whose VR may have been guessed with the wrong sign."""
    value = number(attributes.data_set, tag)
    if value is None:
        return None
    found = int(value)
    if samples.dtype.kind == "i" and found > 0x7FFF and samples.dtype.itemsize == 2:
        return found - 0x10000
    if samples.dtype.kind == "u" and found < 0:
        return found & 0xFFFF
    return found


def _shown(samples: Array, modality: Modality, voi: Voi, presentation: Presentation) -> Array:
    """Modality, VOI and presentation in one: ``uint8``, writable."""
    small = samples.dtype.kind in "ui" and samples.dtype.itemsize <= 2
    if not small or samples.size <= _TABLE_ABOVE:
        values = np.nan_to_num(modality.apply(samples))
        return _levels(presentation.apply(voi.apply(values)))
    key = (samples.dtype.str, modality.key, voi.key, presentation.key)
    with _tables_lock:
        table = _tables.get(key)
    if table is None:
        info = np.iinfo(samples.dtype)
        inputs = np.arange(info.min, info.max + 1, dtype=np.int64)
        table = _levels(presentation.apply(voi.apply(modality.apply(inputs))))
        if info.min < 0:  # indexed by the unsigned bits
            table = np.roll(table, info.min)
        with _tables_lock:
            _tables[key] = table
            while len(_tables) > _KEPT_TABLES:
                _tables.popitem(last=False)
    unsigned = samples.view(f"u{samples.dtype.itemsize}")
    out: Array = table[unsigned]
    return out


def _levels(shown: Array) -> Array:
    """0 … 1 → 0 … 255."""
    return np.rint(np.clip(shown, 0.0, 1.0) * 255.0).astype(np.uint8)


def _with_overlays(picture: Array, attributes: FrameAttributes, raw: Array | None) -> Array:
    rows, columns = picture.shape[:2]
    for overlay in read_overlays(
        attributes.data_set, frame=attributes.frame, rows=rows, columns=columns, raw=raw
    ):
        mask = overlay.mask if overlay.is_graphics else outline(overlay.mask)
        picture = picture.copy() if not picture.flags.writeable else picture
        picture[mask] = 255
    return picture


def _with_shutters(
    picture: Array, attributes: FrameAttributes, state: PresentationState | None
) -> Array:
    rows, columns = picture.shape[:2]
    sources = [attributes.data_set]
    group = attributes.macro(tags.FRAME_DISPLAY_SHUTTER_SEQUENCE)
    if group is not None:
        sources = [group]
    if state is not None:  # a state's shutter, or its absence, replaces the image's
        sources = [state.data_set]
    for source in sources:
        hidden = read_shutter(source, frame=attributes.frame, rows=rows, columns=columns)
        if hidden is None or not hidden.any():
            continue
        red, green, blue = shutter_color(source)
        if picture.ndim == 2 and red == green == blue:
            picture = picture if picture.flags.writeable else picture.copy()
            picture[hidden] = red
        else:
            picture = as_rgb(picture).copy()
            picture[hidden] = (red, green, blue)
    return picture


def as_rgb(picture: Array) -> Array:
    """Three channels, whatever was there."""
    return np.repeat(picture[..., None], 3, axis=-1) if picture.ndim == 2 else picture
