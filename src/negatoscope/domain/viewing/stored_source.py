"""Stored objects as what is transcoded: their data set by ranges, and their frames."""

from typing import Final

from negatoscope.domain.archive.coercion import coerced_head
from negatoscope.domain.archive.reading import Member
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.viewing.pixels import frame_bytes, video_bytes
from negatoscope.protocols.dicom.dataset import decode
from negatoscope.protocols.dicom.dataset.inflate import inflate
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame, InvalidDescription
from negatoscope.protocols.dicom.pixel.rewrite import Rewritten, rewrite
from negatoscope.standard import transfer_syntaxes as ts
from negatoscope.standard.transfer_syntaxes import TransferSyntax, transfer_syntax

_HEAD_BYTES: Final = 256 << 20
"""Longest part of a data set before its pixel data."""
_TAIL_BYTES: Final = 16 << 20


class TranscodingFailed(Exception):
    """An object cannot be given in the transfer syntax wanted."""


def element_syntax(uid: str) -> str:
    """Of the elements once a deflated data set is inflated."""
    return ts.EXPLICIT_VR_LITTLE_ENDIAN if transfer_syntax(uid).is_deflated else uid


class StoredSource:
    """A stored object.

    Args:
        member: Open, until the last piece is made.
        retrieval: Knows where frames lie.
    """

    def __init__(self, member: Member, retrieval: Retrieval) -> None:
        self._member = member
        self._retrieval = retrieval
        stored = member.stored
        if (
            stored.frame_index is None
            and transfer_syntax(stored.transfer_syntax_uid).is_encapsulated
        ):
            stored = retrieval.find(stored.sop_instance_uid) or stored
        self._stored = stored
        self.transfer_syntax_uid = stored.transfer_syntax_uid
        self._syntax: TransferSyntax = transfer_syntax(stored.transfer_syntax_uid)
        self._start = stored.data_set_offset
        self._inflated: bytes | None = None
        if self._syntax.is_deflated:
            raw = member.read(self._start, stored.data_set_length)
            self._inflated = inflate(raw)
        self.data_set_length = (
            stored.data_set_length if self._inflated is None else len(self._inflated)
        )

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the data set."""
        if self._inflated is not None:
            return self._inflated[offset : offset + length]
        return self._member.read(self._start + offset, length)

    def frame(self, number: int) -> bytes:
        """A frame's bytes."""
        if self._inflated is not None:
            return _inflated_frame(self._inflated, self.transfer_syntax_uid, number)
        if self._syntax.is_video:
            return video_bytes(self._member)
        (found,) = self._retrieval.frames(self._stored, (number,))
        return frame_bytes(self._member, found)

    def head_length(self) -> int:
        """Bytes up to and with the header of the pixel data, or all."""
        pixels = self._member.stored.pixel_offset
        length = self.data_set_length
        if self._inflated is None and pixels is not None:
            length = pixels - self._start
        if length > _HEAD_BYTES:
            raise TranscodingFailed(f"{length} bytes lie before the pixel data")
        return length

    def tail(self) -> bytes:
        """Elements after the pixel data."""
        stored = self._member.stored
        if self._inflated is not None:
            return b""
        if stored.pixel_offset is None:
            return b""
        at = stored.pixel_offset - self._start
        if self._syntax.is_encapsulated:
            at = self._after_items(at)
        else:
            head = rewrite(
                self.read(0, at), self.transfer_syntax_uid, self.transfer_syntax_uid, changes={}
            )
            at += head.value_length
        length = self.data_set_length - at
        if length > _TAIL_BYTES:
            raise TranscodingFailed(f"{length} bytes lie behind the pixel data")
        return self.read(at, max(0, length))

    def _after_items(self, at: int) -> int:
        size = self.data_set_length
        while at + 8 <= size:
            head = self.read(at, 8)
            length = int.from_bytes(head[4:], "little")
            at += 8
            if head[:4] == b"\xfe\xff\xdd\xe0":
                return at
            if head[:4] != b"\xfe\xff\x00\xe0":
                break
            at += length
        return size


class CoercedSource:
    """A stored object whose patient is another by now.

    Args:
        source: As it is kept.
        member: The same object.
    """

    def __init__(self, source: StoredSource, member: Member) -> None:
        self._source = source
        self._head = coerced_head(member, source.read(0, source.head_length()))
        self.transfer_syntax_uid = source.transfer_syntax_uid
        self.data_set_length = source.data_set_length

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of what lies before the pixel data."""
        return self._head[offset : offset + length]

    def frame(self, number: int) -> bytes:
        """A frame's bytes."""
        return self._source.frame(number)

    def head_length(self) -> int:
        """All that is read here."""
        return len(self._head)

    def tail(self) -> bytes:
        """Elements after the pixel data."""
        return self._source.tail()


def _inflated_frame(data: bytes, uid: str, number: int) -> bytes:
    parts: Rewritten = rewrite(data, uid, uid, changes={})
    if parts.pixel_tag is None:
        raise CorruptFrame("no pixel data")
    description = PixelDescription.of(decode(data, element_syntax(uid), bulk_uri=str))
    if description.frame_bits % 8:
        raise InvalidDescription("frames of a deflated object that end inside a byte")
    start = parts.value_offset + (number - 1) * description.frame_length
    return data[start : start + description.frame_length]
