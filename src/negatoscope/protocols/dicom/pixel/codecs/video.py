"""Pictures of MPEG-2, MPEG-4 AVC/H.264 and HEVC/H.265 video (PS3.5 §8.2.5–8.2.8), by FFmpeg.

DICOM holds the whole video as one bit stream; a picture is reached by decoding those before it,
from the last key picture on when the container has an index.
"""

import io
from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from negatoscope.protocols.dicom.pixel.codecs.frame import (
    Bytes,
    Frame,
    Samples,
    check_cost,
    check_size,
)
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame, PixelLimitExceeded
from negatoscope.protocols.dicom.pixel.limits import PixelLimits
from negatoscope.standard.transfer_syntaxes import TRANSFER_SYNTAXES as _ALL

if TYPE_CHECKING:
    import av

#: Video that lies in the data set (SMPTE ST 2110 comes by network instead).
TRANSFER_SYNTAXES = frozenset(
    uid
    for uid, syntax in _ALL.items()
    if syntax.is_video and syntax.keyword[:4] in {"MPEG", "HEVC"}
)
_FORMATS = ("mpeg", "mpegts", "mpegvideo", "mov", "h264", "hevc")
#: Nothing but streams of DICOM video is opened: playlists and the like would name other files.
_OPTIONS = {"format_whitelist": ",".join(_FORMATS), "protocol_whitelist": "none"}
_CODECS = frozenset({"mpeg1video", "mpeg2video", "h264", "hevc"})


def decode_first(
    data: Bytes, description: PixelDescription, _uid: str, limits: PixelLimits
) -> Frame:
    """The first picture of a stream."""
    return decode_picture(data, description, 1, limits=limits)


def decode_picture(
    data: Bytes, description: PixelDescription, number: int, *, limits: PixelLimits
) -> Frame:
    """One picture.

    Args:
        data: The whole stream.
        description: Of the images.
        number: From 1.
        limits: What it may cost.

    Returns: RGB, eight bits; of streams with more, their highest eight.

    Raises:
        CorruptFrame: damaged, of another size than described, or it has fewer pictures.
        PixelLimitExceeded: too many pictures lie before it.
    """
    import av.error  # late: FFmpeg is large and few objects are video

    description.check()
    check_cost(description, len(data), limits)
    if number > limits.video_frames:
        raise PixelLimitExceeded(f"picture {number}, the limit is {limits.video_frames}")
    try:
        with closing(_pictures(data)) as pictures:
            for position, picture in enumerate(pictures, 1):
                check_size(
                    description,
                    rows=picture.height,
                    columns=picture.width,
                    samples=3,
                    what="the video",
                )
                if position == number:
                    array: Samples = picture.to_ndarray(format="rgb24")
                    return Frame(
                        samples=np.ascontiguousarray(array), photometric_interpretation="RGB"
                    )
    except av.error.FFmpegError as error:
        raise CorruptFrame(
            f"the video is damaged: {error.strerror or type(error).__name__}"
        ) from error
    raise CorruptFrame(f"the video ends before picture {number}")


def _pictures(data: Bytes) -> Generator["av.VideoFrame", None, None]:
    """All pictures in display order."""
    import av

    with av.open(
        io.BytesIO(data), mode="r", metadata_errors="ignore", options=_OPTIONS
    ) as container:
        if not set(container.format.name.split(",")) & set(_FORMATS):
            raise CorruptFrame(f"{container.format.name} is no container of DICOM video")
        if not container.streams.video:
            raise CorruptFrame("no video in the stream")
        stream = container.streams.video[0]
        if stream.codec_context.name not in _CODECS:
            raise CorruptFrame(f"{stream.codec_context.name[:20]} is no codec of DICOM video")
        stream.thread_type = "NONE"
        yield from container.decode(stream)
