"""Retrieve Frames (PS3.18 §10.4.1.1.4): as stored, or in a transfer syntax asked for.

A native frame is ``application/octet-stream`` in Explicit VR Little Endian; an encapsulated one
has the media type of its transfer syntax (PS3.18 §8.7.3.3). Who asks for
``application/octet-stream`` without a transfer syntax asks for pixels and gets them decoded;
``transfer-syntax=*`` or the stored one, or ``*/*``, gets the code stream.

A data set that is deflated whole (PS3.5 §A.5) is inflated for its frames.

A video is one code stream, in which frames do not lie apart (PS3.5 §8.2.5): in its own transfer syntax
any list of its frames is answered with the whole stream, once. Its pictures are given decoded.

One frame of an object that is open is one read, on the event loop when its pages are in memory.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from negatoscope.domain.archive.errors import FrameNotFound, RetrieveError
from negatoscope.domain.archive.frames import (
    FrameRange,
    frame_chunks,
    read_frame,
    video_stream,
)
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.identity import Action
from negatoscope.domain.viewing.pixels import (
    PixelsBusy,
    PixelService,
    frame_bytes,
    picture_batches,
    video_bytes,
)
from negatoscope.domain.viewing.stored_source import StoredSource
from negatoscope.entrypoints.dicomweb.htj2k import Htj2kFrames, wants_htj2k
from negatoscope.entrypoints.dicomweb.media_types import (
    OCTET_STREAM,
    MediaRange,
    frame_media_type,
)
from negatoscope.entrypoints.dicomweb.multipart import closing, part_head
from negatoscope.entrypoints.dicomweb.objects import ObjectKey, OpenObject, OpenObjects
from negatoscope.entrypoints.dicomweb.retrieve_common import (
    ROOT,
    accepted,
    check_uids,
    is_unchanged,
    not_acceptable,
    problem_of,
    validators,
    wrong_transfer_syntax,
)
from negatoscope.entrypoints.dicomweb.transcoded import frame_syntax, problem_of_pixels
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import Header, Request, Send, send_answer
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.ranges import BytesSource, JoinedSource, Source, send_source
from negatoscope.entrypoints.web.streaming import send_stream
from negatoscope.infra import metrics
from negatoscope.kit.aio import run_blocking
from negatoscope.protocols.dicom.dataset.errors import DataSetError
from negatoscope.protocols.dicom.pixel.errors import PixelError
from negatoscope.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, transfer_syntax

MAX_FRAMES = 10_000
"""In one request."""
AT_ONCE_BYTES = 8 << 20
"""An answer up to this size is built whole; a longer one is streamed."""
_FRAME_LIST = re.compile(r"[0-9]{1,9}(?:,[0-9]{1,9})*")
_SENT = metrics.BYTES.labels("out")


class Shape(NamedTuple):
    """How frames are given."""

    media_type: str
    transfer_syntax_uid: str
    is_multipart: bool
    is_transcoded: bool = False

    @property
    def part_type(self) -> bytes:
        """The Content-Type of one frame."""
        return f"{self.media_type}; transfer-syntax={self.transfer_syntax_uid}".encode("ascii")


class FramesRs:
    """Frames.

    Args:
        retrieval: The archive's reading side.
        objects: What stays open between requests.
        access: Who may, and the audit trail.
        htj2k: Answers those who want HTJ2K of what is stored otherwise.
        pixels: Decodes and encodes what else is not taken as stored.
    """

    def __init__(
        self,
        retrieval: Retrieval,
        objects: OpenObjects,
        access: Access,
        htj2k: Htj2kFrames,
        pixels: PixelService,
    ) -> None:
        self._retrieval = retrieval
        self._objects = objects
        self._access = access
        self._htj2k = htj2k
        self._pixels = pixels

    async def frames(self, request: Request, send: Send, key: ObjectKey, frame_list: str) -> None:
        """``GET …/instances/{instance}/frames/{list}``.

        Raises:
            Problem: refused.
        """
        check_uids(*key)
        numbers = parse_frame_list(frame_list)
        self._access.require(
            request.actor, Action.RETRIEVE, study_instance_uid=key.study_instance_uid
        )
        try:
            entry = await self._objects.acquire(key)
            if entry is None:
                raise Problem("instance-not-found")
            try:
                await self.send_frames(request, send, entry, numbers)
            finally:
                self._objects.release(entry)
        except RetrieveError as error:
            raise problem_of(error) from error

    async def send_frames(
        self, request: Request, send: Send, entry: OpenObject, numbers: Sequence[int]
    ) -> None:
        """Answer with frames of an object that is open.

        Raises:
            Problem, RetrieveError: refused.
        """
        stored = entry.stored
        wanted = accepted(request)
        if (rendition := wants_htj2k(wanted, stored)) is not None:
            await self._htj2k.send(request, send, entry, numbers, rendition)
            return
        syntax = transfer_syntax(stored.transfer_syntax_uid)
        is_video = syntax.is_video
        shape = _shape_of(wanted, stored, len(numbers))
        ranges: Sequence[FrameRange]
        if syntax.is_deflated:
            _check_pictures(stored, numbers)
            ranges = [FrameRange(number=number, offset=0, length=0) for number in numbers]
        elif not is_video:
            ranges = self._retrieval.frames(stored, numbers)
        else:
            _check_pictures(stored, numbers)
            ranges = [await run_blocking(video_stream, entry.member)]
            if not shape.is_transcoded:
                numbers = (0,)
        await self._access.note_read(request, Action.RETRIEVE, stored.study_instance_uid)
        digest = stored.sha256.hex()
        listed = "-".join(map(str, numbers)) if len(numbers) < 9 else str(hash(tuple(numbers)))
        coded = f"-{shape.transfer_syntax_uid}" if shape.is_transcoded else ""
        etag = f'"{digest}-{listed}{coded}{"m" if shape.is_multipart else ""}"'
        headers = validators(etag)
        if is_unchanged(request, etag):
            await send_answer(send, 304, headers, head_only=True)
            return
        boundary = digest[:40].encode("ascii")
        headers.append(_content_type(shape, boundary))
        if shape.is_transcoded or syntax.is_deflated:
            if syntax.is_deflated:
                made = self._inflated(entry, shape, _layout(stored, shape, boundary, ranges))
            elif is_video:
                made = self._pictures(entry, shape, boundary, ranges[0], numbers)
            else:
                made = self._transcoded(entry, shape, _layout(stored, shape, boundary, ranges))
            once = not shape.is_multipart
            await self._send_transcoded(request, send, headers, made, at_once=once)
            return
        pieces = list(_layout(stored, shape, boundary, ranges))
        headers.append((b"accept-ranges", b"bytes"))
        if request.header(b"range") is not None:
            source = JoinedSource([_source(entry, one) for one in pieces])
            _SENT.inc(await send_source(request, send, headers, source, etag=etag))
            return
        length = sum(len(one) if isinstance(one, bytes) else one.size for one in pieces)
        if request.method == "HEAD":
            headers.append((b"content-length", str(length).encode("ascii")))
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        if length > AT_ONCE_BYTES:
            sent = await send_stream(
                send, request.receive, 200, headers, _stream(entry, pieces), length=length
            )
            _SENT.inc(sent)
            return
        if all(isinstance(one, bytes) or _is_in_memory(entry, one) for one in pieces):
            body = _assemble(entry, pieces)
        else:
            body = await run_blocking(_assemble, entry, pieces)
        await send_answer(send, 200, headers, body)
        _SENT.inc(length)

    async def _send_transcoded(
        self,
        request: Request,
        send: Send,
        headers: list[Header],
        pieces: Iterator[bytes],
        *,
        at_once: bool,
    ) -> None:
        """Frames in another syntax, one after the other; the first before the status."""
        try:
            if request.method == "HEAD":
                await send_answer(send, 200, headers, head_only=True)
            elif at_once:
                body = await run_blocking(b"".join, pieces)
                await send_answer(send, 200, headers, body)
                _SENT.inc(len(body))
            else:
                _SENT.inc(await send_stream(send, request.receive, 200, headers, pieces))
        except DataSetError as error:
            raise Problem("frame-not-found", detail="Its pixels cannot be read.") from error
        except (PixelError, PixelsBusy) as error:
            raise problem_of_pixels(error) from error

    def _inflated(
        self, entry: OpenObject, shape: Shape, layout: Iterator[bytes | FrameRange]
    ) -> Iterator[bytes]:
        source = StoredSource(entry.member, self._retrieval)
        description = self._pixels.describe(entry.member)
        for one in layout:
            if isinstance(one, bytes):
                yield one
                continue
            frame: bytes | memoryview = source.frame(one.number)
            if shape.is_transcoded:
                frame = self._pixels.transcode(
                    frame, description, EXPLICIT_VR_LITTLE_ENDIAN, shape.transfer_syntax_uid
                )[0]
            yield bytes(frame)

    def _transcoded(
        self, entry: OpenObject, shape: Shape, layout: Iterator[bytes | FrameRange]
    ) -> Iterator[bytes]:
        stored = entry.stored
        description = self._pixels.describe(entry.member)
        head = b""
        for one in layout:
            if isinstance(one, bytes):
                head += one
                continue
            data, _photometric = self._pixels.transcode(
                frame_bytes(entry.member, one),
                description,
                stored.transfer_syntax_uid,
                shape.transfer_syntax_uid,
            )
            yield head + bytes(data)
            head = b""
        yield head

    def _pictures(
        self,
        entry: OpenObject,
        shape: Shape,
        boundary: bytes,
        stream: FrameRange,
        numbers: Sequence[int],
    ) -> Iterator[bytes]:
        """Pictures of a video, in the order asked for, those that follow each other in one pass."""
        description = self._pixels.describe(entry.member)
        data = video_bytes(entry.member, stream)
        batches = picture_batches(numbers, description.decoded_bytes)
        made = (
            frame
            for batch in batches
            for frame in self._pixels.pictures(data, description, batch, shape.transfer_syntax_uid)
        )
        named = [FrameRange(number=number, offset=0, length=0) for number in numbers]
        for one in _layout(entry.stored, shape, boundary, named):
            yield one if isinstance(one, bytes) else bytes(next(made))


def _check_pictures(stored: StoredInstance, numbers: Sequence[int]) -> None:
    count = stored.number_of_frames or 1
    for number in numbers:
        if number > count:
            raise FrameNotFound(stored.sop_instance_uid, number, count)


def parse_frame_list(text: str) -> list[int]:
    """``1,2,5``: frame numbers from 1 (PS3.18 §10.4.1.1.4).

    Raises:
        Problem: not a list of numbers, or too long a one.
    """
    if _FRAME_LIST.fullmatch(text) is None:
        raise Problem("bad-frame-list", detail="Frame numbers from 1, separated by commas.")
    numbers = [int(number) for number in text.split(",")]
    if len(numbers) > MAX_FRAMES:
        raise Problem("bad-frame-list", detail=f"At most {MAX_FRAMES} frames in one request.")
    if 0 in numbers:
        raise Problem("bad-frame-list", detail="Frames are numbered from 1.")
    return numbers


def choose_shape(ranges: Sequence[MediaRange], stored: StoredInstance, count: int) -> Shape:
    """How the frames of an object are given to who accepts these media types.

    Raises:
        Problem: in no way.
    """
    uid = stored.transfer_syntax_uid
    syntax = transfer_syntax(uid)
    is_native = not syntax.is_encapsulated
    media_type = frame_media_type(uid)
    swapped = is_native and not syntax.is_little_endian and (stored.bits_allocated or 0) > 8
    given = uid if not is_native or swapped else EXPLICIT_VR_LITTLE_ENDIAN
    names = {given, uid} if not swapped else {uid}
    wrong_syntax = False
    for one in ranges:
        wants_octets = one.content_type == OCTET_STREAM
        if not one.covers(media_type) and not wants_octets:
            continue
        wanted = one.transfer_syntax
        is_multipart = one.is_multipart or one.type in ("*/*", "multipart/*")
        if not is_multipart and count > 1:
            continue
        if wanted in names or wanted == "*":
            pass
        elif wanted is not None or ((not is_native or swapped) and wants_octets):
            wrong_syntax = True
            continue
        return Shape(OCTET_STREAM if wants_octets else media_type, given, is_multipart)
    if wrong_syntax:
        raise wrong_transfer_syntax(names)
    raise not_acceptable((f'multipart/related; type="{media_type}"; transfer-syntax={given}',))


def _shape_of(ranges: Sequence[MediaRange], stored: StoredInstance, count: int) -> Shape:
    """As stored when that is accepted, else transcoded.

    Raises:
        Problem: in no way.
    """
    is_video = transfer_syntax(stored.transfer_syntax_uid).is_video
    try:
        return choose_shape(ranges, stored, 1 if is_video else count)
    except Problem:
        for one in ranges:
            is_multipart = one.is_multipart or one.type in ("*/*", "multipart/*")
            if not is_multipart and count > 1:
                continue
            if (found := frame_syntax(one, stored)) is not None:
                return Shape(*found, is_multipart, is_transcoded=True)
        raise


def _content_type(shape: Shape, boundary: bytes) -> Header:
    if not shape.is_multipart:
        return (b"content-type", shape.part_type)
    return (
        b"content-type",
        b'multipart/related; type="%b"; transfer-syntax=%b; boundary=%b'
        % (shape.media_type.encode(), shape.transfer_syntax_uid.encode(), boundary),
    )


def _layout(
    stored: StoredInstance, shape: Shape, boundary: bytes, ranges: Sequence[FrameRange]
) -> Iterator[bytes | FrameRange]:
    if not shape.is_multipart:
        yield from ranges
        return
    url = (
        f"{ROOT}/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
        f"/instances/{stored.sop_instance_uid}/frames/"
    )
    for frame in ranges:
        location = f"{url}{frame.number}".encode("ascii")
        yield part_head(boundary, shape.part_type, (b"Content-Location", location))
        yield frame
    yield closing(boundary)


class _FrameSource:
    """A frame's bytes, from any offset.

    Args:
        entry: The object, held open by the request.
        frame: Where it lies.
    """

    def __init__(self, entry: OpenObject, frame: FrameRange) -> None:
        self._entry = entry
        self._frame = frame

    @property
    def length(self) -> int:
        """How many."""
        return self._frame.size

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Those from ``start`` to ``stop``."""
        return frame_chunks(self._entry.member, self._frame, start, stop)


def _source(entry: OpenObject, piece: bytes | FrameRange) -> Source:
    return BytesSource(piece) if isinstance(piece, bytes) else _FrameSource(entry, piece)


def _is_in_memory(entry: OpenObject, frame: FrameRange) -> bool:
    return frame.is_contiguous and entry.is_in_memory(frame.offset, frame.length)


def _assemble(entry: OpenObject, pieces: Sequence[bytes | FrameRange]) -> bytes:
    read = [one if isinstance(one, bytes) else read_frame(entry.member, one) for one in pieces]
    return b"".join(read) if len(read) > 1 else read[0]


def _stream(entry: OpenObject, pieces: Sequence[bytes | FrameRange]) -> Iterator[bytes]:
    for one in pieces:
        if isinstance(one, bytes):
            yield one
        else:
            yield from frame_chunks(entry.member, one)
