"""Whole objects in another transfer syntax: for WADO-RS, C-MOVE, C-GET and files.

Every element but the pixel data and what describes it stays as it was. Frames go through worker
processes one after the other, so memory does not depend on how many there are.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.reading import Member
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.viewing.pixels import (
    PixelService,
    picture_batches,
)
from negatoscope.domain.viewing.stored_source import (
    CoercedSource,
    StoredSource,
    TranscodingFailed,
    element_syntax,
)
from negatoscope.protocols.dicom.dataset import DataSetError, decode
from negatoscope.protocols.dicom.pixel.codecs import can_decode, can_encode, is_lossy
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.display.overlays import embedded_overlays
from negatoscope.protocols.dicom.pixel.encapsulation import (
    SEQUENCE_END,
    encapsulated_head,
    item,
    native_head,
    native_value,
)
from negatoscope.protocols.dicom.pixel.errors import (
    CorruptFrame,
    NotEncodable,
    PixelError,
    UnsupportedTransferSyntax,
)
from negatoscope.protocols.dicom.pixel.rewrite import Changes, rewrite
from negatoscope.protocols.dicom.pixel.transcode import (
    changed_attributes,
    described_as,
    separate_overlays,
)
from negatoscope.standard import tags
from negatoscope.standard import transfer_syntaxes as ts
from negatoscope.standard.transfer_syntaxes import transfer_syntax

TABLE_BYTES: Final = 128 << 20
"""Encoded frames up to this size are kept until the offset table is known; beyond it stays empty."""
VIDEO_DECODED_BYTES: Final = 2 << 30
"""A video is given as frames up to this size of them all; a second of HD has some 150 MB."""
OVERLAY_BYTES: Final = 64 << 20
"""Overlays are taken out of pixel cells up to this size of them all."""
_LISTS_OF_FRAMES: Final = frozenset({f"{tags.FRAME_TIME_VECTOR:08X}", "52009230"})
"""Attributes with a value for each frame: Frame Time Vector, per-frame functional groups."""
_FALLBACKS: Final = (
    ts.EXPLICIT_VR_LITTLE_ENDIAN,
    ts.IMPLICIT_VR_LITTLE_ENDIAN,
    ts.JPEG_LS_LOSSLESS,
    ts.JPEG_LOSSLESS_SV1,
    ts.JPEG_2000_LOSSLESS,
    ts.HTJ2K_LOSSLESS_RPCL,
    ts.HTJ2K_LOSSLESS,
    ts.RLE_LOSSLESS,
    ts.JPEG_LOSSLESS,
    ts.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    ts.EXPLICIT_VR_BIG_ENDIAN,
)


class Source(Protocol):
    """An object to be transcoded: the whole data set by ranges, and its frames."""

    transfer_syntax_uid: str
    data_set_length: int

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the data set."""

    def frame(self, number: int) -> bytes:
        """A frame's bytes, from 1; of video the whole stream."""

    def head_length(self) -> int:
        """Bytes up to and with the header of the pixel data, or all."""

    def tail(self) -> bytes:
        """Elements after the pixel data."""


def can_transcode(from_uid: str, to_uid: str) -> bool:
    """Whether objects can be given in another syntax; whether one of them can, its pixels tell."""
    if from_uid == to_uid:
        return True
    return can_decode(from_uid) and can_encode(to_uid)


def fallbacks(from_uid: str) -> tuple[str, ...]:
    """Syntaxes to propose beside the stored one, none of which loses anything, best first."""
    return tuple(uid for uid in _FALLBACKS if uid != from_uid and can_transcode(from_uid, uid))


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcoder:
    """Objects transcoded.

    Attributes:
        pixels: Where frames are decoded and encoded.
    """

    pixels: PixelService

    def data_set(
        self,
        source: Source,
        to_uid: str,
        *,
        quality: int | None = None,
        extra: Changes | None = None,
    ) -> Iterator[bytes]:
        """The data set in pieces; the first is made before anything is given.

        Args:
            source: The object.
            to_uid: Wanted.
            quality: Of lossy syntaxes.
            extra: Further attributes to write, or None to leave out.

        Raises:
            TranscodingFailed: it cannot be read, decoded or encoded so.
            RetrieveError: its bytes cannot be had.
            PixelsBusy: no worker became free.
        """
        try:
            pieces = self._pieces(source, to_uid, quality, extra or {})
            if transfer_syntax(to_uid).is_deflated:
                pieces = _deflated(pieces)
            yield from pieces
        except (PixelError, DataSetError) as error:
            raise TranscodingFailed(error.reason) from error

    def _pieces(
        self, source: Source, to_uid: str, quality: int | None, extra: Changes
    ) -> Iterator[bytes]:
        from_uid = source.transfer_syntax_uid
        target = transfer_syntax(to_uid)
        head = source.read(0, source.head_length())
        parts = rewrite(head, from_uid, to_uid, changes=extra)
        if parts.pixel_tag is None:
            yield parts.data
            return
        if not can_transcode(from_uid, to_uid):
            name = transfer_syntax(from_uid).name
            raise UnsupportedTransferSyntax(f"no codec from {name} to {target.name}")
        attributes = decode(
            head[: parts.value_offset],
            element_syntax(from_uid),
            bulk_uri=str,
            bulk_threshold=1 << 16,
        )
        before = PixelDescription.of(attributes)
        frames: Iterator[memoryview]
        if transfer_syntax(from_uid).is_video:
            stream = source.frame(1)
            before, counted = self._counted(stream, attributes, before)
            extra = {**counted, **extra}
            decoded_as = "RGB"
            frames = self._pictures(stream, before, to_uid, quality)
        else:
            if parts.value_length != 0xFFFFFFFF and parts.value_length * 8 < before.frame_bits:
                raise CorruptFrame("fewer pixel bytes than the attributes ask for")
            extra = {**self._separated(source, attributes, before), **extra}
            work = _Frames(self.pixels, source, before, to_uid, quality)
            first, decoded_as = work.encoded(1)
            frames = work.all(first)
        after = described_as(before, decoded_as, to_uid)
        if target.is_encapsulated:
            kept, frames = _kept(frames)
            lengths = None if kept is None else [len(frame) for frame in kept]
            native = before.frame_length * before.number_of_frames
            changes = changed_attributes(
                attributes,
                before,
                after,
                from_uid=from_uid,
                to_uid=to_uid,
                native_bytes=native if lengths else 0,
                coded_bytes=sum(lengths or (0,)),
            )
            rewritten = rewrite(head, from_uid, to_uid, changes={**changes, **extra})
            yield rewritten.data + encapsulated_head(lengths)
            for frame in frames:
                yield item(frame)
            yield SEQUENCE_END
        else:
            changes = changed_attributes(
                attributes, before, after, from_uid=from_uid, to_uid=to_uid
            )
            rewritten = rewrite(head, from_uid, to_uid, changes={**changes, **extra})
            element, length = native_head(after, target)
            yield rewritten.data + element
            yield from native_value(frames, after.frame_bits, length)
        tail = source.tail()
        if tail:
            yield rewrite(tail, from_uid, to_uid, changes={}).data

    def _separated(
        self, source: Source, attributes: Mapping[str, Any], before: PixelDescription
    ) -> Changes:
        """Overlays that lie in pixel cells get data of their own: codecs keep the pixels' bits.

        Raises:
            NotEncodable: they are too many bytes.
        """
        found = embedded_overlays(attributes)
        if not found or before.samples_per_pixel != 1 or before.kind != "integer":
            return {}
        count = before.number_of_frames
        if count * before.rows * before.columns * len(found) > 8 * OVERLAY_BYTES:
            raise NotEncodable(
                f"overlays in the pixel cells of {count} frames: more than {OVERLAY_BYTES} bytes"
            )
        planes: dict[int, list[bytes]] = {group: [] for group in found}
        for number in range(1, count + 1):
            taken = self.pixels.overlays(
                source.frame(number), before, source.transfer_syntax_uid, list(found.values())
            )
            for group, plane in zip(found, taken, strict=True):
                planes[group].append(plane)
        return separate_overlays(planes, before)

    def _counted(
        self, stream: bytes, attributes: Mapping[str, Any], before: PixelDescription
    ) -> tuple[PixelDescription, Changes]:
        """The description of a video with as many frames as it has pictures.

        Raises:
            NotEncodable: too many, or attributes list others one by one.
        """
        count = self.pixels.picture_count(stream)
        if count * before.decoded_bytes > VIDEO_DECODED_BYTES:
            raise NotEncodable(
                f"{count} pictures of {before.decoded_bytes} bytes: a video is decoded "
                f"up to {VIDEO_DECODED_BYTES} bytes"
            )
        if count == before.number_of_frames:
            return before, {}
        if not count or _LISTS_OF_FRAMES & attributes.keys():
            raise NotEncodable(
                f"the video has {count} pictures, its attributes describe {before.number_of_frames}"
            )
        return replace(before, number_of_frames=count), {
            f"{tags.NUMBER_OF_FRAMES:08X}": {"vr": "IS", "Value": [count]}
        }

    def _pictures(
        self, stream: bytes, before: PixelDescription, to_uid: str, quality: int | None
    ) -> Iterator[memoryview]:
        numbers = range(1, before.number_of_frames + 1)
        for batch in picture_batches(numbers, before.decoded_bytes):
            yield from self.pixels.pictures(stream, before, batch, to_uid, quality=quality)


class _Frames:
    """The frames of one object, encoded one after the other."""

    def __init__(
        self,
        pixels: PixelService,
        source: Source,
        before: PixelDescription,
        to_uid: str,
        quality: int | None,
    ) -> None:
        self._pixels = pixels
        self._source = source
        self._before = before
        self._to_uid = to_uid
        self._quality = quality

    def encoded(self, number: int) -> tuple[memoryview, str]:
        return self._pixels.transcode(
            self._source.frame(number),
            self._before,
            self._source.transfer_syntax_uid,
            self._to_uid,
            quality=self._quality,
        )

    def all(self, first: memoryview) -> Iterator[memoryview]:
        yield first
        for number in range(2, self._before.number_of_frames + 1):
            yield self.encoded(number)[0]


def _kept(frames: Iterator[memoryview]) -> tuple[list[memoryview] | None, Iterator[memoryview]]:
    """All frames when they are small enough together, else None; and all of them in turn."""
    kept: list[memoryview] = []
    size = 0
    for frame in frames:
        kept.append(frame)
        size += len(frame)
        if size > TABLE_BYTES:
            return None, _chained(kept, frames)
    return kept, iter(kept)


def _chained(kept: list[memoryview], rest: Iterator[memoryview]) -> Iterator[memoryview]:
    yield from kept
    yield from rest


def _deflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    length = 0
    for piece in pieces:
        data = deflater.compress(piece)
        length += len(data)
        if data:
            yield data
    data = deflater.flush()
    yield data + b"\x00" * ((length + len(data)) & 1)


def transcode_stored(
    transcoder: Transcoder, retrieval: Retrieval, member: Member, to_uid: str
) -> Iterator[bytes]:
    """The data set of a stored object, its digest compared first, in another syntax.

    Raises:
        TranscodingFailed: it cannot be.
        RetrieveError: its bytes are not those received.
        PixelsBusy: no worker became free.
    """
    member.look()
    stored = StoredSource(member, retrieval)
    is_coerced = member.stored.identity is not None
    source: Source = CoercedSource(stored, member) if is_coerced else stored
    yield from transcoder.data_set(source, to_uid)


__all__ = [
    "RetrieveError",
    "Source",
    "StoredSource",
    "Transcoder",
    "TranscodingFailed",
    "can_transcode",
    "fallbacks",
    "is_lossy",
    "transcode_stored",
]
