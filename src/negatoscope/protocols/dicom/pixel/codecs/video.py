"""Pictures of MPEG-2, MPEG-4 AVC/H.264 and HEVC/H.265 video (PS3.5 §8.2.5–8.2.8), by FFmpeg.

DICOM holds the whole video as one bit stream, without a table of pictures. A first pass reads the
packets and decodes none: where they carry distinct times, the picture asked for is decoded from
the last key picture before it on; else all pictures before it are decoded.
"""

import io
from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
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
from negatoscope.protocols.dicom.pixel.errors import (
    CorruptFrame,
    EndOfVideo,
    PixelLimitExceeded,
)
from negatoscope.protocols.dicom.pixel.limits import PixelLimits
from negatoscope.standard.transfer_syntaxes import TRANSFER_SYNTAXES as _ALL

if TYPE_CHECKING:
    import av
    import av.container

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
        EndOfVideo: it has fewer pictures.
        CorruptFrame: damaged, or of another size than described.
        PixelLimitExceeded: too many pictures must be decoded to reach it.
    """
    return next(decode_pictures(data, description, (number,), limits=limits))


def decode_pictures(
    data: Bytes, description: PixelDescription, numbers: Sequence[int], *, limits: PixelLimits
) -> Iterator[Frame]:
    """Several pictures in one pass.

    Args:
        data: The whole stream.
        description: Of the images.
        numbers: From 1, each higher than the one before.
        limits: What it may cost.

    Raises: As `decode_picture`.
    """
    description.check()
    check_cost(description, len(data), limits)
    with _errors():
        timeline = _Timeline.of(data, limits)
        if timeline.is_seekable and numbers[-1] > timeline.count:
            raise _end(numbers[-1], timeline.count)
        try:
            pictures = timeline.pictures(data, numbers, limits)
            found = _matching(pictures, description)
            if timeline.key_packet(numbers[0]) == 0:
                yield from found
                return
            first = next(found)
        except (CorruptFrame, StopIteration):
            # What the packets say of keys and times is wrong: decode from the start.
            if timeline.key_packet(numbers[0]) == 0:
                raise
            yield from _matching(_counted(data, numbers, limits), description)
            return
        yield first
        yield from found


def count_pictures(data: Bytes, *, limits: PixelLimits) -> int:
    """How many pictures a stream has; they are decoded only when its packets do not tell.

    Raises: As `decode_picture`.
    """
    with _errors():
        timeline = _Timeline.of(data, limits)
        if timeline.is_seekable:
            return timeline.count
        count = 0
        with closing(_decoded(data, 0, limits)) as pictures:
            for _ in pictures:
                count += 1
        return count


@dataclass(frozen=True, slots=True)
class _Timeline:
    """The packets of a stream.

    Attributes:
        times: Of the pictures in display order; empty when the packets do not tell.
        keys: Time and packet number of each key picture, in display order.
    """

    times: tuple[int, ...]
    keys: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, data: Bytes, limits: PixelLimits) -> "_Timeline":
        times: list[int] = []
        keys: list[tuple[int, int]] = []
        with _opened(data) as container:
            for at, packet in enumerate(container.demux(container.streams.video[0])):
                if not packet.size:
                    continue
                if at > limits.video_packets:
                    raise PixelLimitExceeded(f"more than {limits.video_packets} packets of video")
                if packet.pts is None or packet.is_discard:
                    return cls((), ())
                if packet.is_keyframe:
                    keys.append((packet.pts, at))
                times.append(packet.pts)
        # Pictures before the first key picture may not be decodable: then they are counted.
        is_plain = (
            bool(times)
            and bool(keys)
            and keys[0] == (min(times), 0)
            and len(set(times)) == len(times)
        )
        return cls(tuple(sorted(times)), tuple(sorted(keys))) if is_plain else cls((), ())

    @property
    def is_seekable(self) -> bool:
        return bool(self.times)

    @property
    def count(self) -> int:
        return len(self.times)

    def key_packet(self, number: int) -> int:
        """The packet from which on a picture is decoded."""
        if not self.times or number > len(self.times):
            return 0
        at = bisect_right(self.keys, (self.times[number - 1], 1 << 62)) - 1
        return self.keys[at][1]

    def pictures(
        self, data: Bytes, numbers: Sequence[int], limits: PixelLimits
    ) -> Iterator["av.VideoFrame"]:
        if not self.times:
            yield from _counted(data, numbers, limits)
            return
        wanted = iter(numbers)
        number = next(wanted)
        with closing(_decoded(data, self.key_packet(number), limits)) as pictures:
            for picture in pictures:
                if picture.pts is None or picture.pts < self.times[number - 1]:
                    continue
                if picture.pts > self.times[number - 1] or picture.is_corrupt:
                    raise CorruptFrame(f"picture {number} of the video cannot be decoded")
                yield picture
                following = next(wanted, None)
                if following is None:
                    return
                number = following
        raise _end(number, len(self.times))


def _counted(data: Bytes, numbers: Sequence[int], limits: PixelLimits) -> Iterator["av.VideoFrame"]:
    """Pictures by their place among those decoded."""
    wanted = iter(numbers)
    number = next(wanted)
    position = 0
    with closing(_decoded(data, 0, limits)) as pictures:
        for position, picture in enumerate(pictures, 1):
            if position == number:
                yield picture
                following = next(wanted, None)
                if following is None:
                    return
                number = following
    raise _end(number, position)


def _decoded(
    data: Bytes, first_packet: int, limits: PixelLimits
) -> Generator["av.VideoFrame", None, None]:
    """Pictures in display order, decoded from a packet on."""
    count = 0
    with _opened(data) as container:
        for at, packet in enumerate(container.demux(container.streams.video[0])):
            if at < first_packet:
                continue
            for picture in packet.decode():
                count += 1
                if count > limits.video_frames:
                    raise PixelLimitExceeded(
                        f"more than {limits.video_frames} pictures lie before the one asked for"
                    )
                yield picture


def _matching(
    pictures: Iterator["av.VideoFrame"], description: PixelDescription
) -> Iterator[Frame]:
    for picture in pictures:
        check_size(
            description, rows=picture.height, columns=picture.width, samples=3, what="the video"
        )
        array: Samples = picture.to_ndarray(format="rgb24")
        yield Frame(samples=np.ascontiguousarray(array), photometric_interpretation="RGB")


def _end(number: int, count: int) -> EndOfVideo:
    return EndOfVideo(f"the video ends before picture {number}: it has {count} pictures", count)


@contextmanager
def _errors() -> Iterator[None]:
    import av.error  # late: FFmpeg is large and few objects are video

    try:
        yield
    except av.error.FFmpegError as error:
        raise CorruptFrame(
            f"the video is damaged: {error.strerror or type(error).__name__}"
        ) from error
    except (LookupError, ValueError) as error:  # from the binding, of streams that come and go
        raise CorruptFrame("the video is damaged") from error


@contextmanager
def _opened(data: Bytes) -> Iterator["av.container.InputContainer"]:
    import av

    with av.open(
        io.BytesIO(data), mode="r", metadata_errors="ignore", options=_OPTIONS
    ) as container:
        if not set(container.format.name.split(",")) & set(_FORMATS):
            raise CorruptFrame(f"{container.format.name} is no container of DICOM video")
        if not container.streams.video:
            raise CorruptFrame("no video in the stream")
        stream = container.streams.video[0]
        codec = stream.codec_context  # None when no decoder knows it
        name = codec.name[:20] if codec is not None else "unknown"
        if name not in _CODECS:
            raise CorruptFrame(f"{name} is no codec of DICOM video")
        stream.thread_type = "NONE"
        yield container
