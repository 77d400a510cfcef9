r"""Minimal lower layer protocol: ``VT message FS CR`` (HL7 v2.5.1 appendix C of the guide, MLLP r1).

Bytes in, messages out; sockets belong to the caller.
"""

from typing import Final

from negatoscope.protocols.hl7v2.errors import FrameTooLong
from negatoscope.protocols.hl7v2.message import MAX_BYTES

START: Final = b"\x0b"
END: Final = b"\x1c\r"
_FS: Final = b"\x1c"


def framed(message: bytes) -> bytes:
    """A message as it goes on the wire."""
    return b"".join((START, message, END))


class FrameReader:
    """Takes a stream apart.

    Bytes between frames are dropped (some senders end with CR LF); the end may be FS alone when
    the next frame or nothing follows it, as some senders do.

    Args:
        max_bytes: Of one message.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._is_inside = False
        self._searched = 0
        self.dropped_bytes = 0
        """How much came outside of frames."""

    @property
    def is_inside(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._is_inside

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; give the messages that they complete.

        Raises:
            FrameTooLong: a message exceeds the limit; the connection cannot be used any more.
        """
        self._buffer += data
        messages: list[bytes] = []
        buffer = self._buffer
        while True:
            if not self._is_inside:
                start = buffer.find(START)
                if start < 0:
                    self.dropped_bytes += len(buffer)
                    buffer.clear()
                    return messages
                self.dropped_bytes += start
                del buffer[: start + 1]
                self._is_inside = True
                self._searched = 0
            end = buffer.find(_FS, self._searched)
            if end < 0:
                if len(buffer) > self._max_bytes:
                    raise FrameTooLong(f"a message of more than {self._max_bytes} bytes")
                self._searched = len(buffer)
                return messages
            if end > self._max_bytes:
                raise FrameTooLong(f"a message of more than {self._max_bytes} bytes")
            messages.append(bytes(buffer[:end]))
            del buffer[: end + 1]
            self._is_inside = False
