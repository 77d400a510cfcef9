"""Retrieve Study, Series, Instance (PS3.18 §10.4): as stored, or in a transfer syntax asked for.

As stored, the bytes of a data set are those that were received; the preamble and the file meta
information are ours. What ``transfer-syntax`` means is in ``transcoded``.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.reading import WHOLE_BYTES, Member
from negatoscope.domain.archive.retrieve import Retrieval, Selection
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.identity import Action
from negatoscope.domain.viewing.pixels import PixelsBusy, PixelService
from negatoscope.domain.viewing.transcoding import (
    Transcoder,
    TranscodingFailed,
    transcode_stored,
)
from negatoscope.entrypoints.dicomweb.media_types import DICOM, MediaRange
from negatoscope.entrypoints.dicomweb.multipart import closing, new_boundary, part_head
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
from negatoscope.entrypoints.dicomweb.transcoded import object_syntax, problem_of_pixels
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import Header, Request, Send, send_answer
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.ranges import BytesSource, JoinedSource, send_source
from negatoscope.entrypoints.web.streaming import send_stream
from negatoscope.infra import metrics
from negatoscope.kit.aio import run_blocking
from negatoscope.protocols.dicom.part10.file_meta import encode_file_meta

LISTED_COUNT = 10_000
"""Up to so many instances are listed before the first byte, to announce Content-Length."""
_SENT = metrics.BYTES.labels("out")


class Target(NamedTuple):
    """A study, a series of it or an instance of that."""

    study: str
    series: str | None = None
    sop: str | None = None

    @property
    def url(self) -> str:
        """The path of the resource."""
        path = f"{ROOT}/studies/{self.study}"
        if self.series is not None:
            path += f"/series/{self.series}"
        if self.sop is not None:
            path += f"/instances/{self.sop}"
        return path

    @property
    def selection(self) -> Selection:
        """The same for the archive."""
        return Selection(
            study=(self.study,),
            series=() if self.series is None else (self.series,),
            sop=() if self.sop is None else (self.sop,),
        )

    def check(self) -> None:
        """Refuse what cannot be UIDs.

        Raises:
            Problem: a segment is none.
        """
        check_uids(*(uid for uid in self if uid is not None))

    def missing(self) -> Problem:
        """404 of the right level."""
        if self.sop is not None:
            return Problem("instance-not-found")
        return Problem("study-not-found" if self.series is None else "series-not-found")


class WadoRs:
    """Whole objects.

    Args:
        retrieval: The archive's reading side.
        access: Who may, and the audit trail.
        pixels: Decodes and encodes what is not taken as stored.
    """

    def __init__(self, retrieval: Retrieval, access: Access, pixels: PixelService) -> None:
        self._retrieval = retrieval
        self._access = access
        self._transcoder = Transcoder(pixels=pixels)

    async def retrieve(self, request: Request, send: Send, target: Target) -> None:
        """``GET /studies/{study}[/series/{series}[/instances/{instance}]]``.

        Raises:
            Problem: refused.
        """
        target.check()
        self._access.require(request.actor, Action.RETRIEVE, study_instance_uid=target.study)
        ranges = accepted(request)
        try:
            if target.sop is not None:
                await self._instance(request, send, target, ranges)
            else:
                await self._many(request, send, target, ranges)
        except RetrieveError as error:
            raise problem_of(error) from error
        except (TranscodingFailed, PixelsBusy) as error:
            raise problem_of_pixels(error) from error

    async def _instance(
        self, request: Request, send: Send, target: Target, ranges: Sequence[MediaRange]
    ) -> None:
        stored = await run_blocking(
            self._retrieval.find,
            target.sop or "",
            study=target.study,
            series=target.series,
            is_fresh=True,
        )
        if stored is None:
            raise target.missing()
        chosen, syntaxes = _choose(ranges, {stored.transfer_syntax_uid}, single=True)
        await self._access.note_read(request, Action.RETRIEVE, target.study)
        uid = syntaxes[stored.transfer_syntax_uid]
        try:
            await self._send_instance(request, send, target, stored, (chosen.is_multipart, uid))
        except TranscodingFailed:
            if any(one.transfer_syntax == uid for one in ranges):
                raise
            # Nothing was asked for by name: what cannot be decoded is given as it is stored.
            shape = (chosen.is_multipart, stored.transfer_syntax_uid)
            await self._send_instance(request, send, target, stored, shape)

    async def _send_instance(
        self,
        request: Request,
        send: Send,
        target: Target,
        stored: StoredInstance,
        shape: tuple[bool, str],
    ) -> None:
        is_multipart, uid = shape
        is_transcoded = uid != stored.transfer_syntax_uid
        coded = f"-{uid}" if is_transcoded else ""
        if stored.identity is not None:  # given out as made, not as kept
            coded += f"-{stored.identity.fingerprint}"
            is_transcoded = True
        etag = f'"{stored.sha256.hex()}{coded}{"" if is_multipart else "-1"}"'
        headers = [*validators(etag), (b"content-location", target.url.encode("ascii"))]
        if is_unchanged(request, etag):
            await send_answer(send, 304, headers, head_only=True)
            return
        if is_multipart:
            boundary = stored.sha256[:20].hex().encode("ascii")
            headers.append(_multipart_type(boundary))
            head, tail = _part_head(boundary, stored, uid), closing(boundary)
        else:
            head = tail = b""
            headers.append((b"content-type", _dicom_type(uid)))
        if not is_transcoded:
            headers.append((b"accept-ranges", b"bytes"))
            if request.method == "GET" and request.header(b"range") is not None:
                await self._send_ranges(request, send, stored, headers, (etag, head, tail))
                return
        length = None if is_transcoded else len(head) + stored.size + len(tail)
        if request.method == "HEAD":
            await _send_head(send, headers, length)
            return
        chunks = self._file(stored, head, tail, uid)
        sent = await send_stream(send, request.receive, 200, headers, chunks, length=length)
        _SENT.inc(sent)

    async def _send_ranges(
        self,
        request: Request,
        send: Send,
        stored: StoredInstance,
        headers: list[Header],
        body: tuple[str, bytes, bytes],
    ) -> None:
        """Ranges of an object as stored: what resumes a download."""
        etag, head, tail = body
        member = await run_blocking(self._retrieval.open, stored)
        try:
            if stored.size <= WHOLE_BYTES:
                await run_blocking(member.look)
            source = JoinedSource((BytesSource(head), _FileSource(member), BytesSource(tail)))
            _SENT.inc(await send_source(request, send, headers, source, etag=etag))
        finally:
            member.close()

    async def _many(
        self, request: Request, send: Send, target: Target, ranges: Sequence[MediaRange]
    ) -> None:
        keys = await run_blocking(self._retrieval.series, target.selection)
        if not keys:
            raise target.missing()
        kinds = await run_blocking(self._retrieval.kinds, target.selection)
        if not kinds:
            raise target.missing()
        _chosen, syntaxes = _choose(
            ranges, {kind.transfer_syntax_uid for kind in kinds}, single=False
        )
        is_transcoded = any(stored != given for stored, given in syntaxes.items()) or any(
            key.identity is not None for key in keys
        )
        await self._access.note_read(request, Action.RETRIEVE, target.study)
        boundary = new_boundary().encode("ascii")
        headers: list[Header] = [
            _multipart_type(boundary),
            (b"cache-control", b"private, no-cache"),
            (b"content-location", target.url.encode("ascii")),
        ]
        instances: Iterable[StoredInstance] = self._retrieval.of_series(keys)
        length = None
        if not is_transcoded and sum(kind.instance_count for kind in kinds) <= LISTED_COUNT:
            listed: list[StoredInstance] = await run_blocking(list, instances)
            length = len(closing(boundary)) + sum(
                len(_part_head(boundary, stored, stored.transfer_syntax_uid)) + stored.size
                for stored in listed
            )
            instances = listed
        if request.method == "HEAD":
            await _send_head(send, headers, length)
            return
        named = {one.transfer_syntax for one in ranges}
        chunks = self._files(instances, boundary, syntaxes, named)
        sent = await send_stream(send, request.receive, 200, headers, chunks, length=length)
        _SENT.inc(sent)

    def _file(
        self, stored: StoredInstance, head: bytes, tail: bytes, transfer_syntax_uid: str
    ) -> Iterator[bytes]:
        with self._retrieval.open(stored) as member:
            pieces = self._part10(member, transfer_syntax_uid)
            yield head + next(pieces, b"")
            yield from pieces
            if tail:
                yield tail

    def _files(
        self,
        instances: Iterable[StoredInstance],
        boundary: bytes,
        syntaxes: Mapping[str, str],
        named: Collection[str | None],
    ) -> Iterator[bytes]:
        for stored in instances:
            uid = syntaxes.get(stored.transfer_syntax_uid, stored.transfer_syntax_uid)
            with self._retrieval.open(stored) as member:
                pieces = self._part10(member, uid)
                try:
                    first = next(pieces, b"")
                except TranscodingFailed:
                    if uid in named:
                        raise
                    uid = stored.transfer_syntax_uid
                    first, pieces = b"", self._part10(member, uid)
                yield _part_head(boundary, stored, uid) + first
                yield from pieces
        yield closing(boundary)

    def _part10(self, member: Member, transfer_syntax_uid: str) -> Iterator[bytes]:
        return part10(self._transcoder, self._retrieval, member, transfer_syntax_uid)


def part10(
    transcoder: Transcoder, retrieval: Retrieval, member: Member, transfer_syntax_uid: str
) -> Iterator[bytes]:
    """The Part 10 file of an object, as stored or in another transfer syntax.

    Raises:
        TranscodingFailed: it cannot be given so; before the first piece.
        RetrieveError, PixelsBusy: it cannot be read, or not now.
    """
    stored = member.stored
    if transfer_syntax_uid == stored.transfer_syntax_uid:
        yield from member.file()
        return
    meta = encode_file_meta(
        sop_class_uid=stored.sop_class_uid,
        sop_instance_uid=stored.sop_instance_uid,
        transfer_syntax_uid=transfer_syntax_uid,
    )
    pieces = transcode_stored(transcoder, retrieval, member, transfer_syntax_uid)
    yield meta + next(pieces, b"")
    yield from pieces


class _FileSource:
    """A Part 10 file as it lies in its segment."""

    def __init__(self, member: Member) -> None:
        self._member = member

    @property
    def length(self) -> int:
        return self._member.stored.size

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        return self._member.chunks(start, stop)


def root_url(request: Request) -> str:
    """The absolute address of the DICOMweb service as this client reaches it."""
    return f"{request.scope.get('negatoscope.origin', '')}{ROOT}"


def _choose(
    ranges: Sequence[MediaRange], stored_syntaxes: set[str], *, single: bool
) -> tuple[MediaRange, Mapping[str, str]]:
    """The range that says the shape, and the syntax given for each stored one.

    Raises:
        Problem: none of the accepted ranges can be given.
    """
    as_dicom = [one for one in ranges if one.covers(DICOM) and (single or _may_be_multipart(one))]
    if not as_dicom:
        raise not_acceptable(
            (f'multipart/related; type="{DICOM}"', DICOM)
            if single
            else (f'multipart/related; type="{DICOM}"',)
        )
    given: dict[str, str] = {}
    for uid in stored_syntaxes:
        found = object_syntax(as_dicom, uid)
        if found is None:
            raise wrong_transfer_syntax(stored_syntaxes)
        given[uid] = found
    for one in as_dicom:
        if one.transfer_syntax in (None, "*", *given.values()):
            if one.type == "*/*":
                return MediaRange(type="multipart/related", parameters={}), given
            return one, given
    return as_dicom[0], given


def _may_be_multipart(media_range: MediaRange) -> bool:
    return media_range.is_multipart or media_range.type in ("*/*", "multipart/*")


def _multipart_type(boundary: bytes) -> Header:
    return (
        b"content-type",
        b'multipart/related; type="application/dicom"; boundary=' + boundary,
    )


def _dicom_type(transfer_syntax_uid: str) -> bytes:
    return f"application/dicom; transfer-syntax={transfer_syntax_uid}".encode("ascii")


def _part_head(boundary: bytes, stored: StoredInstance, transfer_syntax_uid: str) -> bytes:
    target = Target(stored.study_instance_uid, stored.series_instance_uid, stored.sop_instance_uid)
    return part_head(
        boundary,
        _dicom_type(transfer_syntax_uid),
        (b"Content-Location", target.url.encode("ascii")),
    )


async def _send_head(send: Send, headers: list[Header], length: int | None) -> None:
    if length is not None:
        headers.append((b"content-length", str(length).encode("ascii")))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
