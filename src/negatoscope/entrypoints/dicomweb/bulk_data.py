"""Retrieve Bulk Data and Pixel Data (PS3.18 §10.4.1.1.5, §10.4.1.1.6).

::

    …/instances/{instance}/bulkdata/{path}      what a BulkDataURI of the metadata names
    …/{study, series or instance}/bulkdata      every such value below it
    …/{study, series or instance}/pixeldata     the pixel data below it

A value is ``application/octet-stream``, little endian, alone or as the one part of a multipart,
and takes Range requests. Encapsulated pixel data are given frame by frame, each with the media type
of its transfer syntax, under the same rules as ``frames``. The parts of a multipart name
themselves by Content-Location: the BulkDataURI, or the frame's address.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import structlog

from negatoscope.domain.archive.bulk_data import (
    PIXEL_PATHS,
    BulkData,
    bulk_data_uris,
    find_bulk_data,
)
from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.frames import frame_chunks
from negatoscope.domain.archive.metadata import read_metadata
from negatoscope.domain.archive.reading import Member
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.identity import Action
from negatoscope.entrypoints.dicomweb.frames import FramesRs, choose_shape
from negatoscope.entrypoints.dicomweb.media_types import (
    OCTET_STREAM,
    MediaRange,
    frame_media_type,
)
from negatoscope.entrypoints.dicomweb.multipart import closing, new_boundary, part_head
from negatoscope.entrypoints.dicomweb.objects import ObjectKey, OpenObject, OpenObjects
from negatoscope.entrypoints.dicomweb.retrieve_common import (
    accepted,
    check_uids,
    is_unchanged,
    not_acceptable,
    problem_of,
    validators,
    wrong_transfer_syntax,
)
from negatoscope.entrypoints.dicomweb.wado_rs import Target, root_url
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import Header, Request, Send, send_answer
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.ranges import (
    BytesSource,
    JoinedSource,
    Source,
    send_head,
    send_source,
)
from negatoscope.entrypoints.web.streaming import send_stream
from negatoscope.infra import metrics
from negatoscope.kit.aio import run_blocking
from negatoscope.protocols.dicom.dataset import DataSetError, parse_path
from negatoscope.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, transfer_syntax

_MULTIPART_OCTETS: Final = f'multipart/related; type="{OCTET_STREAM}"'
_OCTETS: Final = OCTET_STREAM.encode("ascii")
_SENT = metrics.BYTES.labels("out")
_log = structlog.get_logger(__name__)


class BulkDataRs:
    """Bulk data and pixel data resources.

    Args:
        retrieval: The archive's reading side.
        objects: What stays open between requests.
        frames: Gives encapsulated pixel data.
        access: Who may, and the audit trail.
    """

    def __init__(
        self, retrieval: Retrieval, objects: OpenObjects, frames: FramesRs, access: Access
    ) -> None:
        self._retrieval = retrieval
        self._objects = objects
        self._frames = frames
        self._access = access

    async def value(self, request: Request, send: Send, key: ObjectKey, path: str) -> None:
        """``GET …/instances/{instance}/bulkdata/{path}``.

        Raises:
            Problem: refused.
        """
        check_uids(*key)
        if parse_path(path) is None:
            raise Problem("bulkdata-not-found")
        study = key.study_instance_uid
        self._access.require(request.actor, Action.RETRIEVE, study_instance_uid=study)
        ranges = accepted(request)
        try:
            entry = await self._objects.acquire(key)
            if entry is None:
                raise Problem("instance-not-found")
            try:
                await self._value(request, send, entry, path.upper(), ranges)
            finally:
                self._objects.release(entry)
        except RetrieveError as error:
            raise problem_of(error) from error

    async def _value(
        self,
        request: Request,
        send: Send,
        entry: OpenObject,
        path: str,
        ranges: Sequence[MediaRange],
    ) -> None:
        stored = entry.stored
        if path in PIXEL_PATHS and _is_encapsulated(stored):
            numbers = range(1, (stored.number_of_frames or 1) + 1)
            await self._frames.send_frames(request, send, entry, numbers)
            return
        is_multipart = _choose_octets(ranges, stored.transfer_syntax_uid)
        value = await run_blocking(find_bulk_data, entry.member, path)
        if value is None:
            raise Problem("bulkdata-not-found")
        await self._access.note_read(request, Action.RETRIEVE, stored.study_instance_uid)
        digest = stored.sha256.hex()
        etag = f'"{digest}-{path.replace("/", "-")}{"m" if is_multipart else ""}"'
        headers = validators(etag)
        if is_unchanged(request, etag):
            await send_answer(send, 304, headers, head_only=True)
            return
        source: Source = ValueSource(entry.member, value)
        if is_multipart:
            boundary = digest[:40].encode("ascii")
            location = f"{Target(*_key(stored)).url}/bulkdata/{path}".encode("ascii")
            head = part_head(boundary, _OCTETS, (b"Content-Location", location))
            source = JoinedSource((BytesSource(head), source, BytesSource(closing(boundary))))
            headers.append(_multipart_type(OCTET_STREAM, boundary))
        else:
            headers += ((b"content-type", _OCTETS), (b"content-disposition", b"attachment"))
        _SENT.inc(await send_source(request, send, headers, source, etag=etag))

    async def below(
        self, request: Request, send: Send, target: Target, *, pixels_only: bool
    ) -> None:
        """``GET …/bulkdata`` and ``GET …/pixeldata`` of a study, a series or an instance.

        Raises:
            Problem: refused.
        """
        target.check()
        self._access.require(request.actor, Action.RETRIEVE, study_instance_uid=target.study)
        ranges = [
            one
            for one in accepted(request)
            if one.is_multipart or one.type in ("*/*", "multipart/*")
        ]
        if not ranges:
            raise not_acceptable((_MULTIPART_OCTETS,))
        kinds = await run_blocking(self._retrieval.kinds, target.selection)
        instances: Iterable[StoredInstance] = ()
        if kinds:
            instances = await run_blocking(self._listed, target)
        if not kinds or not instances:
            raise target.missing()
        content_type = _common_type(ranges, {kind.transfer_syntax_uid for kind in kinds})
        await self._access.note_read(request, Action.RETRIEVE, target.study)
        boundary = new_boundary().encode("ascii")
        headers: list[Header] = [
            _multipart_type(content_type, boundary),
            (b"cache-control", b"private, no-cache"),
            (b"vary", b"accept, authorization"),
        ]
        if request.method == "HEAD":
            await send_head(send, headers, None)
            return
        parts = self._parts(instances, ranges, boundary, root_url(request), pixels_only)
        try:
            _SENT.inc(await send_stream(send, request.receive, 200, headers, parts))
        except RetrieveError as error:
            raise problem_of(error) from error

    def _listed(self, target: Target) -> Iterable[StoredInstance]:
        """The instances; none when a path names a series of another study."""
        if target.sop is not None:
            found = self._retrieval.find(target.sop, study=target.study, series=target.series)
            return () if found is None else (found,)
        keys = self._retrieval.series(target.selection)
        return self._retrieval.of_series(keys, frame_index=True) if keys else ()

    def _parts(
        self,
        instances: Iterable[StoredInstance],
        ranges: Sequence[MediaRange],
        boundary: bytes,
        base: str,
        pixels_only: bool,
    ) -> Iterator[bytes]:
        for stored in instances:
            with self._retrieval.open(stored) as member:
                for path, uri in _values_of(member, base, pixels_only=pixels_only):
                    if path in PIXEL_PATHS and _is_encapsulated(stored):
                        yield from self._frame_parts(member, ranges, boundary)
                        continue
                    value = find_bulk_data(member, path)
                    if value is None:
                        continue
                    location = (b"Content-Location", uri.encode("ascii"))
                    yield part_head(boundary, _OCTETS, location)
                    yield from value.chunks(member)
        yield closing(boundary)

    def _frame_parts(
        self, member: Member, ranges: Sequence[MediaRange], boundary: bytes
    ) -> Iterator[bytes]:
        stored = member.stored
        shape = choose_shape(ranges, stored, 2)
        numbers = range(1, (stored.number_of_frames or 1) + 1)
        url = f"{Target(*_key(stored)).url}/frames/"
        for frame in self._retrieval.frames(stored, numbers):
            location = (b"Content-Location", f"{url}{frame.number}".encode("ascii"))
            yield part_head(boundary, shape.part_type, location)
            yield from frame_chunks(member, frame)


class ValueSource:
    """A bulk data value as a body.

    Args:
        member: The object, kept open by the caller.
        value: What of it.
    """

    def __init__(self, member: Member, value: BulkData) -> None:
        self._member = member
        self._value = value

    @property
    def length(self) -> int:
        """Bytes of the value."""
        return self._value.length

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Bytes of the value."""
        return self._value.chunks(self._member, start, stop)


def _values_of(member: Member, base: str, *, pixels_only: bool) -> Iterator[tuple[str, str]]:
    """Path and URI of every bulk data value of an object."""
    try:
        attributes = read_metadata(member, base=base)
    except DataSetError as error:
        _log.warning(
            "bulk_data.unreadable",
            sop_instance_uid=member.stored.sop_instance_uid,
            error=str(error),
        )
        return
    for uri in bulk_data_uris(attributes):
        path = uri.rpartition("/bulkdata/")[2]
        if not pixels_only or path in PIXEL_PATHS:
            yield path, uri


def _key(stored: StoredInstance) -> tuple[str, str, str]:
    return stored.study_instance_uid, stored.series_instance_uid, stored.sop_instance_uid


def _is_encapsulated(stored: StoredInstance) -> bool:
    syntax = transfer_syntax(stored.transfer_syntax_uid)
    return syntax.is_encapsulated and stored.pixel_offset is not None


def _choose_octets(ranges: Sequence[MediaRange], transfer_syntax_uid: str) -> bool:
    """Whether octets go as a multipart.

    Raises:
        Problem: they are not accepted.
    """
    wrong_syntax = False
    for one in ranges:
        if one.covers(OCTET_STREAM):
            if _takes_octets(one, transfer_syntax_uid):
                return one.is_multipart or one.type == "multipart/*"
            wrong_syntax = True
    if wrong_syntax:
        raise wrong_transfer_syntax({EXPLICIT_VR_LITTLE_ENDIAN})
    raise not_acceptable((OCTET_STREAM, _MULTIPART_OCTETS))


def _takes_octets(one: MediaRange, transfer_syntax_uid: str) -> bool:
    return one.transfer_syntax in (None, "*", EXPLICIT_VR_LITTLE_ENDIAN, transfer_syntax_uid)


def _common_type(ranges: Sequence[MediaRange], syntaxes: set[str]) -> str:
    """The media type of the parts' majority: what the ``type`` of the multipart names.

    Raises:
        Problem: an object's pixel data could not be given.
    """
    types = set()
    for uid in syntaxes:
        media_type = OCTET_STREAM
        takes = any(one.covers(OCTET_STREAM) and _takes_octets(one, uid) for one in ranges)
        if transfer_syntax(uid).is_encapsulated:
            media_type = frame_media_type(uid)
            takes = any(
                (one.covers(media_type) and one.transfer_syntax in (None, "*", uid))
                or (one.covers(OCTET_STREAM) and one.transfer_syntax in ("*", uid))
                for one in ranges
            )
        if not takes:
            raise wrong_transfer_syntax(syntaxes)
        types.add(media_type)
    return types.pop() if len(types) == 1 else OCTET_STREAM


def _multipart_type(media_type: str, boundary: bytes) -> Header:
    text = f'multipart/related; type="{media_type}"; boundary='.encode("ascii")
    return (b"content-type", text + boundary)
