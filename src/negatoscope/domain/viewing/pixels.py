"""Frames decoded and transcoded in worker processes: what every wire asks for pixels."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import accumulate
from threading import Lock
from typing import Any, Self

import numpy as np

from negatoscope.domain.archive.frames import FrameRange, read_frame, video_stream
from negatoscope.domain.archive.metadata import read_metadata
from negatoscope.domain.archive.reading import Member
from negatoscope.infra.sandbox import (
    Sandbox,
    SandboxBusy,
    SandboxError,
    WorkFailed,
    WorkKilled,
    WorkRefused,
)
from negatoscope.infra.settings import CodecSettings
from negatoscope.protocols.dicom.pixel.codecs import Frame, can_decode, can_encode
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import (
    PIXEL_ERRORS,
    CorruptFrame,
    PixelError,
    PixelLimitExceeded,
    UnsupportedTransferSyntax,
)
from negatoscope.protocols.dicom.pixel.limits import DEFAULT_LIMITS
from negatoscope.standard.transfer_syntaxes import EXPLICIT_VR_BIG_ENDIAN, transfer_syntax

ENTRY = "negatoscope.domain.viewing.work"
MAX_VIDEO_BYTES = 512 << 20
"""Of a video that is decoded: a worker gets it whole."""
_BATCH_BYTES = 64 << 20
"""Decoded pictures of a video that one piece of work makes."""
_DESCRIBED_COUNT = 1024


class PixelsBusy(Exception):
    """Every worker is at work and many wait; try again."""


class PixelService:
    """Decoding and transcoding. One per process; safe for many threads.

    Args:
        sandbox: Of `work.FUNCTIONS`.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._lock = Lock()
        self._described: OrderedDict[bytes, PixelDescription] = OrderedDict()

    @classmethod
    def open(cls, settings: CodecSettings) -> Self:
        """With the limits of the settings; workers start with the first piece of work."""
        return cls(
            Sandbox(
                entry=ENTRY,
                processes=settings.processes,
                memory_bytes=settings.memory_bytes,
                cpu_s=settings.cpu_s,
                wall_s=settings.wall_s,
                output_bytes=settings.output_bytes,
            )
        )

    def close(self) -> None:
        """End the workers."""
        self.sandbox.close()

    def describe(self, member: Member) -> PixelDescription:
        """The Image Pixel module of an object.

        Raises:
            PixelError: it describes no image.
            RetrieveError: it cannot be read.
        """
        key = member.stored.sha256
        with self._lock:
            found = self._described.get(key)
        if found is None:
            found = PixelDescription.of(read_metadata(member, base=""))
            with self._lock:
                self._described[key] = found
                while len(self._described) > _DESCRIBED_COUNT:
                    self._described.popitem(last=False)
        return found

    def decode(
        self,
        data: bytes | memoryview,
        description: PixelDescription,
        transfer_syntax_uid: str,
        *,
        number: int = 1,
    ) -> Frame:
        """One frame.

        Args:
            data: Its bytes; of video the whole stream.
            description: Of the image.
            transfer_syntax_uid: Of the bytes.
            number: Which picture of a video, from 1.

        Raises:
            PixelError: the bytes cannot be decoded; a crash or bomb is `CorruptFrame`.
            PixelsBusy: no worker became free.
        """
        if not can_decode(transfer_syntax_uid):
            raise UnsupportedTransferSyntax(
                f"no codec reads {transfer_syntax(transfer_syntax_uid).name}"
            )
        value, raw = self.work(
            "decode",
            {
                "description": asdict(description),
                "transfer_syntax_uid": transfer_syntax_uid,
                "number": number,
            },
            (data,),
        )
        return Frame(
            samples=np.frombuffer(raw, value["type"]).reshape(value["shape"]),
            photometric_interpretation=value["photometric_interpretation"],
        )

    def transcode(
        self,
        data: bytes | memoryview,
        description: PixelDescription,
        transfer_syntax_uid: str,
        to: str,
        *,
        number: int = 1,
        quality: int | None = None,
    ) -> tuple[memoryview, str]:
        """One frame in another transfer syntax.

        Returns: its bytes, and the Photometric Interpretation it was decoded as.

        Raises:
            PixelError: it cannot be decoded, or not encoded so.
            PixelsBusy: no worker became free.
        """
        if not can_decode(transfer_syntax_uid):
            name = transfer_syntax(transfer_syntax_uid).name
            raise UnsupportedTransferSyntax(f"no codec reads {name}")
        if not can_encode(to):
            raise UnsupportedTransferSyntax(f"no codec writes {transfer_syntax(to).name}")
        value, raw = self.work(
            "transcode",
            {
                "description": asdict(description),
                "transfer_syntax_uid": transfer_syntax_uid,
                "number": number,
                "to": to,
                "quality": quality,
            },
            (data,),
        )
        return raw, value["decoded_as"]

    def overlays(
        self,
        data: bytes | memoryview,
        description: PixelDescription,
        transfer_syntax_uid: str,
        bits: Sequence[int],
    ) -> list[bytes]:
        """Overlays that lie in bits of the pixel cells of one frame, packed.

        Raises: As ``decode``.
        """
        _, raw = self.work(
            "overlays",
            {
                "description": asdict(description),
                "transfer_syntax_uid": transfer_syntax_uid,
                "bits": list(bits),
            },
            (data,),
        )
        length = len(raw) // len(bits)
        return [bytes(raw[at : at + length]) for at in range(0, len(raw), length)]

    def pictures(
        self,
        data: bytes | memoryview,
        description: PixelDescription,
        numbers: Sequence[int],
        to: str,
        *,
        quality: int | None = None,
    ) -> list[memoryview]:
        """Several pictures of a video in another transfer syntax, decoded in one pass.

        Args:
            data: The whole stream.
            description: Of the images.
            numbers: From 1, ascending: a batch of `picture_batches`.
            to: The transfer syntax.
            quality: Of lossy ones.

        Raises: As ``transcode``.
        """
        if not can_encode(to):
            raise UnsupportedTransferSyntax(f"no codec writes {transfer_syntax(to).name}")
        lengths, raw = self.work(
            "pictures",
            {
                "description": asdict(description),
                "numbers": list(numbers),
                "to": to,
                "quality": quality,
            },
            (data,),
        )
        ends = list(accumulate(lengths))
        return [raw[end - length : end] for end, length in zip(ends, lengths, strict=True)]

    def picture_count(self, data: bytes | memoryview) -> int:
        """How many pictures a video has.

        Raises: As ``transcode``.
        """
        return int(self.work("count", {}, (data,))[0])

    def work(
        self, function: str, arguments: dict[str, Any], payload: Sequence[bytes | memoryview]
    ) -> tuple[Any, memoryview]:
        """Call a function of `work` in a worker.

        Raises:
            PixelError: refused, or it cost the worker its life.
            PixelsBusy: no worker became free.
        """
        try:
            return self.sandbox.run(function, arguments, payload)
        except WorkRefused as error:
            raise PIXEL_ERRORS.get(error.code, PixelError)(error.reason) from error
        except WorkKilled as error:
            raise CorruptFrame(f"decoding was stopped ({error.reason})") from error
        except SandboxBusy as error:
            raise PixelsBusy(error.reason) from error
        except WorkFailed as error:
            raise PixelError(f"the codec failed: {error.reason}") from error
        except SandboxError as error:
            raise PixelError(error.reason) from error


def picture_batches(numbers: Sequence[int], decoded_bytes: int) -> Iterator[Sequence[int]]:
    """Numbers of pictures cut where they do not ascend, and where a batch becomes large."""
    most = max(1, _BATCH_BYTES // max(decoded_bytes, 1))
    batch: list[int] = []
    for number in numbers:
        if batch and (number <= batch[-1] or len(batch) >= most):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def video_bytes(member: Member, stream: FrameRange | None = None) -> bytes:
    """The code stream of a video, its fragments joined (PS3.5 §8.2.5).

    Raises:
        RetrieveError: it cannot be read.
        PixelLimitExceeded: too long to be decoded.
    """
    stream = stream or video_stream(member)
    if stream.size > MAX_VIDEO_BYTES:
        raise PixelLimitExceeded(
            f"the video has {stream.size} bytes, at most {MAX_VIDEO_BYTES} are decoded"
        )
    return read_frame(member, stream)


def frame_bytes(member: Member, frame: FrameRange) -> bytes:
    """What `PixelService.decode` wants of one frame of a stored object.

    Raises:
        RetrieveError: it cannot be read.
        CorruptFrame: longer than any frame may be.
    """
    if frame.length > DEFAULT_LIMITS.frame_bytes:
        raise CorruptFrame(f"the frame has {frame.length} bytes")
    stored = member.stored
    if stored.transfer_syntax_uid == EXPLICIT_VR_BIG_ENDIAN and frame.length % 2:
        # Bytes swapped in words of OW: the last one lies where the padding is.
        at = frame.offset - (stored.pixel_offset or 0)
        if not at % 2 and frame.offset + frame.length < stored.size:
            return member.read(frame.offset, frame.length + 1)
    return read_frame(member, frame)
