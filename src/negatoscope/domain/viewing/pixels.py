"""Frames decoded and transcoded in worker processes: what every wire asks for pixels."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict
from threading import Lock
from typing import Any, Self

import numpy as np

from negatoscope.domain.archive.frames import FrameRange, read_frame
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
    UnsupportedTransferSyntax,
)
from negatoscope.protocols.dicom.pixel.limits import DEFAULT_LIMITS
from negatoscope.standard.transfer_syntaxes import EXPLICIT_VR_BIG_ENDIAN, transfer_syntax

ENTRY = "negatoscope.domain.viewing.work"
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
