"""What draws in worker processes: frames, documents and films to files that a browser shows."""

import io
from collections.abc import Mapping, Sequence
from fractions import Fraction
from importlib import import_module
from typing import Any, Final, TypeAlias

import numpy as np
from PIL import Image

from negatoscope.protocols.dicom.pixel.codecs import (
    Frame,
    decode_cells,
    decode_frame,
    decode_picture,
    decode_pictures,
)
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.display import (
    BlendingInput,
    DisplayOptions,
    IccChoice,
    NotDisplayable,
    Picture,
    PresentationState,
    Viewport,
    VoiFunction,
    Window,
    display_blended,
    display_frame,
)
from negatoscope.protocols.dicom.pixel.display.attributes import Array
from negatoscope.protocols.dicom.pixel.display.drawing import annotate
from negatoscope.protocols.dicom.pixel.display.geometry import fitted, resize
from negatoscope.protocols.dicom.pixel.display.icc import profile_bytes
from negatoscope.protocols.dicom.pixel.display.overlays import embedded_overlays
from negatoscope.protocols.dicom.pixel.display.waveforms import draw_waveform
from negatoscope.protocols.dicom.pixel.errors import EndOfVideo
from negatoscope.protocols.dicom.pixel.limits import DEFAULT_LIMITS
from negatoscope.standard.transfer_syntaxes import transfer_syntax

Payload: TypeAlias = Sequence[memoryview]
Result: TypeAlias = tuple[Any, bytes | memoryview]
DEFAULT_QUALITY: Final = 90
#: By functions of numpy, FFmpeg's binding and ours when they are first called.
_LOADED_LATE: Final = ("numpy.ma", "av.codec", "av.container", "av.error")
_PDF_MAX_SIDE: Final = 4096


def draw(arguments: Mapping[str, Any], payload: Payload) -> Result:
    """One frame as JPEG, PNG, GIF or JPEG 2000.

    Args:
        arguments: ``description``, ``transfer_syntax_uid``, ``number``, ``data_set``, ``wish``,
            ``state``, ``corners``, ``media_type``, ``quality``; ``may_be_last``: of a video that
            ends before the picture, its last one.
        payload: The frame's bytes, or the whole video.
    """
    picture = _picture(arguments, payload[0], arguments["number"])
    body = encode(picture, arguments["media_type"], arguments["quality"])
    return {"notes": picture.notes}, body


def blended(arguments: Mapping[str, Any], payload: Payload) -> Result:
    """Two frames as a Blending Softcopy Presentation State says.

    Args:
        arguments: ``inputs``: of each ``description``, ``transfer_syntax_uid``, ``number``,
            ``data_set``, ``sop_instance_uid``; ``state``, ``registrations``, ``wish``, ``corners``,
            ``media_type``, ``quality``.
        payload: The bytes of the underlying frame and of the superimposed one.
    """
    inputs = []
    for one, data in zip(arguments["inputs"], payload, strict=True):
        description = PixelDescription(**one["description"])
        frame = decode_frame(data, description, one["transfer_syntax_uid"])
        inputs.append(
            BlendingInput(
                samples=frame.samples,
                photometric=frame.photometric_interpretation,
                data_set=one["data_set"],
                frame=one["number"],
                sop_instance_uid=one["sop_instance_uid"],
            )
        )
    first = arguments["inputs"][0]
    picture = display_blended(
        inputs[0],
        inputs[1],
        arguments["state"],
        options=options_of(arguments["wish"], None),
        registrations=arguments["registrations"],
        raw=_raw(
            payload[0],
            PixelDescription(**first["description"]),
            first["transfer_syntax_uid"],
            first["data_set"],
        ),
    )
    if arguments.get("corners"):
        picture.pixels = annotate(picture.pixels, arguments["corners"])
    body = encode(picture, arguments["media_type"], arguments["quality"])
    return {"notes": picture.notes}, body


def film(arguments: Mapping[str, Any], payload: Payload) -> Result:
    """Several frames as an animated GIF or an MP4.

    Args:
        arguments: As for ``draw``; ``numbers`` and ``rate`` (frames per second) beside.
        payload: The bytes of each frame; of a video the whole stream, once.
    """
    numbers: list[int] = arguments["numbers"]
    if transfer_syntax(arguments["transfer_syntax_uid"]).is_video:
        pictures = _pictures_of_video(arguments, payload[0], numbers)
    else:
        pictures = [
            _picture(arguments, data, number) for data, number in zip(payload, numbers, strict=True)
        ]
    notes = pictures[0].notes
    shapes = {one.pixels.shape[:2] for one in pictures}
    if len(shapes) != 1:
        raise NotDisplayable("the frames have several sizes")
    pixels = [one.pixels for one in pictures]
    if arguments["media_type"] == "image/gif":
        return {"notes": notes}, _gif(pixels, arguments["rate"])
    return {"notes": notes}, _mp4(pixels, arguments["rate"])


def page(arguments: Mapping[str, Any], payload: Payload) -> Result:
    """The first page of a PDF as a picture.

    Args:
        arguments: ``width`` and ``height`` of the box it must fit in, ``media_type``, ``quality``.
        payload: The PDF.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(bytes(payload[0]))
        first = document[0]
        wide, tall = first.get_size()
        side = min(_PDF_MAX_SIDE, max(arguments["width"], arguments["height"]))
        scale = min(arguments["width"] / wide, arguments["height"] / tall, side / max(wide, tall))
        image = first.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB")
    except (pypdfium2.PdfiumError, ValueError, ZeroDivisionError, IndexError) as error:
        raise NotDisplayable("the document is not a PDF that can be drawn") from error
    picture = Picture(pixels=np.asarray(image, dtype=np.uint8))
    return {"notes": []}, encode(picture, arguments["media_type"], arguments["quality"])


def waveform(arguments: Mapping[str, Any], _payload: Payload) -> Result:
    """A waveform on paper.

    Args:
        arguments: ``data_set``, ``width`` and ``height`` of the box, ``media_type``, ``quality``.
    """
    drawn = draw_waveform(arguments["data_set"])
    rows, columns = drawn.shape[:2]
    box = (min(columns, arguments["width"]), min(rows, arguments["height"]))
    drawn = resize(drawn, *fitted(rows, columns, 1.0, *box))
    picture = Picture(pixels=drawn)
    return {"notes": []}, encode(picture, arguments["media_type"], arguments["quality"])


def _picture(arguments: Mapping[str, Any], data: memoryview, number: int) -> Picture:
    description = PixelDescription(**arguments["description"])
    uid: str = arguments["transfer_syntax_uid"]
    if not transfer_syntax(uid).is_video:
        return _shown(arguments, decode_frame(data, description, uid), data, number)
    try:
        frame = decode_picture(data, description, number, limits=DEFAULT_LIMITS)
    except EndOfVideo as end:
        if not arguments.get("may_be_last") or not end.count:
            raise
        frame = decode_picture(data, description, end.count, limits=DEFAULT_LIMITS)
        picture = _shown(arguments, frame, data, end.count)
        picture.notes.append(f"{end.reason}; the last one is shown")
        return picture
    return _shown(arguments, frame, data, number)


def _pictures_of_video(
    arguments: Mapping[str, Any], data: memoryview, numbers: Sequence[int]
) -> list[Picture]:
    """As many of the pictures as the video has."""
    description = PixelDescription(**arguments["description"])
    shown: list[Picture] = []
    try:
        for frame in decode_pictures(data, description, numbers, limits=DEFAULT_LIMITS):
            shown.append(_shown(arguments, frame, data, numbers[len(shown)]))
    except EndOfVideo as end:
        if shown:
            shown[0].notes.append(end.reason)
        elif end.count and not shown:
            kept = [number for number in numbers if number <= end.count]
            shown = _pictures_of_video(arguments, data, kept)
            shown[0].notes.append(end.reason)
        else:
            raise
    return shown


def _shown(arguments: Mapping[str, Any], frame: Frame, data: memoryview, number: int) -> Picture:
    description = PixelDescription(**arguments["description"])
    uid: str = arguments["transfer_syntax_uid"]
    data_set: Mapping[str, Any] = arguments["data_set"]
    if "frames" in arguments:  # of several frames, each with functional groups of its own
        data_set = {**data_set, **arguments["frames"].get(str(number), {})}
    state = None
    if arguments.get("state") is not None:
        state = PresentationState.read(arguments["state"], arguments["sop_instance_uid"])
    picture = display_frame(
        frame.samples,
        frame.photometric_interpretation,
        data_set,
        frame=number,
        options=options_of(arguments["wish"], state),
        raw=_raw(data, description, uid, data_set),
    )
    corners = arguments.get("corners")
    if corners:
        picture.pixels = annotate(picture.pixels, corners)
    return picture


def options_of(wish: Mapping[str, Any], state: PresentationState | None) -> DisplayOptions:
    """The options that a request's JSON form stands for.

    Raises:
        InvalidWindow, InvalidViewport: they cannot be used.
    """
    window = wish.get("window")
    viewport = wish.get("viewport")
    return DisplayOptions(
        window=None
        if window is None
        else Window(center=window[0], width=window[1], function=VoiFunction(window[2])),
        viewport=None if viewport is None else Viewport(**viewport),
        icc=IccChoice(wish.get("icc", IccChoice.NO)),
        state=state,
    )


def _raw(
    data: memoryview, description: PixelDescription, uid: str, data_set: Mapping[str, Any]
) -> Array | None:
    """Pixel cells with all their bits, of a frame in which overlays lie."""
    if (
        transfer_syntax(uid).is_video
        or description.kind != "integer"
        or description.samples_per_pixel != 1
        or not embedded_overlays(data_set)
    ):
        return None
    return decode_cells(data, description, uid)


def encode(picture: Picture, media_type: str, quality: int | None) -> bytes:
    """A picture as a file.

    Args:
        picture: What to show.
        media_type: ``image/jpeg``, ``image/png``, ``image/gif`` or ``image/jp2``.
        quality: 1 … 100, of JPEG.
    """
    image = Image.fromarray(picture.pixels)
    out = io.BytesIO()
    match media_type:
        case "image/png":
            image.save(out, "PNG", compress_level=4, icc_profile=picture.profile)
        case "image/gif":
            image.save(out, "GIF")
        case "image/jp2":
            image.save(out, "JPEG2000")
        case _:
            chosen = quality or DEFAULT_QUALITY
            image.save(
                out,
                "JPEG",
                quality=chosen,
                subsampling=0 if chosen >= DEFAULT_QUALITY else 2,
                icc_profile=picture.profile,
            )
    return out.getvalue()


def warm_up() -> None:
    """Load every library and every part of them that is loaded with its first use."""
    import pypdfium2

    for name in _LOADED_LATE:
        import_module(name)
    Image.init()
    black = np.zeros((16, 16, 3), dtype=np.uint8)
    profile = profile_bytes(IccChoice.SRGB)
    for media_type in ("image/jpeg", "image/png", "image/gif", "image/jp2"):
        encode(Picture(pixels=black, profile=profile), media_type, None)
    annotate(black, [["0"], ["0"]])
    document = pypdfium2.PdfDocument.new()
    document.new_page(10, 10).render(scale=1).to_pil()
    document.close()
    _gif([black, black], 10)
    description = PixelDescription(
        rows=16,
        columns=16,
        samples_per_pixel=3,
        bits_allocated=8,
        bits_stored=8,
        high_bit=7,
        photometric_interpretation="YBR_PARTIAL_420",
    )
    decode_picture(_mp4([black], 10), description, 1, limits=DEFAULT_LIMITS)


def _gif(pictures: Sequence[Array], rate: float) -> bytes:
    images = [Image.fromarray(one) for one in pictures]
    out = io.BytesIO()
    duration = max(20, round(1000 / rate))
    images[0].save(out, "GIF", save_all=True, append_images=images[1:], duration=duration, loop=0)
    return out.getvalue()


def _mp4(pictures: Sequence[Array], rate: float) -> bytes:
    """H.264, or MPEG-4 part 2 where the library has no such encoder."""
    import av
    from av.codec import codecs_available

    out = io.BytesIO()
    rows, columns = (side + side % 2 for side in pictures[0].shape[:2])
    name = "libx264" if "libx264" in codecs_available else "mpeg4"
    options = {"movflags": "frag_keyframe+empty_moov"}
    with av.open(out, "w", format="mp4", options=options) as container:
        stream: Any = container.add_stream(name, rate=Fraction(rate).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = columns, rows, "yuv420p"
        if name == "libx264":
            stream.options = {"preset": "veryfast", "crf": "18", "threads": "1"}
        else:
            stream.bit_rate = 8_000_000
        for pixels in pictures:
            rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=-1)
            padded = np.zeros((rows, columns, 3), dtype=np.uint8)
            padded[: rgb.shape[0], : rgb.shape[1]] = rgb
            for packet in stream.encode(av.VideoFrame.from_ndarray(padded, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return out.getvalue()
