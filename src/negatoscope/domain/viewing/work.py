"""What runs in worker processes: the entry of the sandbox for pixels.

A function takes JSON-able arguments and the payload's parts, and returns a JSON-able value and
bytes. Errors with a `code` (`PixelError`) reach the caller as `WorkRefused`.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np

from negatoscope.domain.viewing.drawing import blended, draw, film, page, warm_up, waveform
from negatoscope.protocols.dicom.pixel.codecs import (
    Frame,
    count_pictures,
    decode_frame,
    decode_picture,
    decode_pictures,
)
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.limits import DEFAULT_LIMITS
from negatoscope.protocols.dicom.pixel.transcode import overlay_planes, transcode_frame
from negatoscope.standard.transfer_syntaxes import transfer_syntax

Payload: TypeAlias = Sequence[memoryview]
Result: TypeAlias = tuple[Any, bytes | memoryview]


def decode(arguments: Mapping[str, Any], payload: Payload) -> Result:
    """One frame; of video the picture that `number` names.

    Args:
        arguments: `description`, `transfer_syntax_uid`, `number`.
        payload: The frame's bytes, or the whole video.
    """
    description = PixelDescription(**arguments["description"])
    uid = arguments["transfer_syntax_uid"]
    frame = _decoded(payload[0], description, uid, arguments["number"])
    samples = np.ascontiguousarray(frame.samples)
    value = {
        "shape": samples.shape,
        "type": samples.dtype.str,
        "photometric_interpretation": frame.photometric_interpretation,
    }
    return value, samples.reshape(-1).view("u1").data


def transcode(arguments: Mapping[str, Any], payload: Payload) -> Result:
    """One frame in another transfer syntax.

    Args:
        arguments: `description`, `transfer_syntax_uid`, `number`, `to`, `quality`.
        payload: As for `decode`.
    """
    description = PixelDescription(**arguments["description"])
    uid = arguments["transfer_syntax_uid"]
    frame = _decoded(payload[0], description, uid, arguments["number"])
    coded = transcode_frame(frame, description, arguments["to"], quality=arguments["quality"])
    return {
        "photometric_interpretation": coded.description.photometric_interpretation,
        "decoded_as": frame.photometric_interpretation,
    }, coded.data


def overlays(arguments: Mapping[str, Any], payload: Payload) -> Result:
    """Overlays in the pixel cells of one frame.

    Args:
        arguments: `description`, `transfer_syntax_uid`, `bits`.
        payload: The frame's bytes.
    """
    description = PixelDescription(**arguments["description"])
    planes = overlay_planes(
        payload[0], description, arguments["transfer_syntax_uid"], arguments["bits"]
    )
    return None, b"".join(planes)


def pictures(arguments: Mapping[str, Any], payload: Payload) -> Result:
    """Several pictures of a video in another transfer syntax, decoded in one pass.

    Args:
        arguments: `description`, `numbers` in ascending order, `to`, `quality`.
        payload: The whole video.
    """
    description = PixelDescription(**arguments["description"])
    found = decode_pictures(payload[0], description, arguments["numbers"], limits=DEFAULT_LIMITS)
    coded = [
        transcode_frame(frame, description, arguments["to"], quality=arguments["quality"]).data
        for frame in found
    ]
    return [len(one) for one in coded], b"".join(coded)


def count(_arguments: Mapping[str, Any], payload: Payload) -> Result:
    """How many pictures a video has.

    Args:
        payload: The whole video.
    """
    return count_pictures(payload[0], limits=DEFAULT_LIMITS), b""


def prepare() -> None:
    """Load what the functions load later: once confined, a worker opens no file."""
    warm_up()


def _decoded(data: memoryview, description: PixelDescription, uid: str, number: int) -> Frame:
    if transfer_syntax(uid).is_video:
        return decode_picture(data, description, number, limits=DEFAULT_LIMITS)
    return decode_frame(data, description, uid)


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "decode": decode,
        "transcode": transcode,
        "overlays": overlays,
        "pictures": pictures,
        "count": count,
        "blended": blended,
        "draw": draw,
        "film": film,
        "page": page,
        "waveform": waveform,
    }
)
