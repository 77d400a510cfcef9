"""Frames as HTJ2K lossless RPCL, whole or in byte ranges: streaming for viewers.

A request that names transfer syntax 1.2.840.10008.1.2.4.202, or the media type ``image/jphc``,
before anything that the stored form satisfies gets a rendition. The answer has a length, a strong
ETag, and takes Range requests over all of its body; a multipart answer begins with the header of
its one part, whose boundary is derived from the object's digest and is the same in every answer.
"""

from collections.abc import Sequence
from typing import Final

from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.identity import Action
from negatoscope.domain.viewing.htj2k import Htj2kRenditions, can_make
from negatoscope.domain.viewing.pixels import PixelsBusy
from negatoscope.entrypoints.dicomweb.media_types import OCTET_STREAM, MediaRange, frame_media_type
from negatoscope.entrypoints.dicomweb.multipart import closing, part_head
from negatoscope.entrypoints.dicomweb.objects import OpenObject
from negatoscope.entrypoints.dicomweb.retrieve_common import (
    ROOT,
    is_unchanged,
    validators,
)
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import Request, Send, send_answer
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.ranges import BytesSource, send_source
from negatoscope.infra import metrics
from negatoscope.kit.aio import run_blocking
from negatoscope.protocols.dicom.pixel.errors import PixelError
from negatoscope.standard.transfer_syntaxes import HTJ2K_LOSSLESS_RPCL

JPHC: Final = frame_media_type(HTJ2K_LOSSLESS_RPCL)
MAX_FRAMES: Final = 64
"""Of one request; viewers ask frame by frame."""
_SENT = metrics.BYTES.labels("out")


def wants_htj2k(ranges: Sequence[MediaRange], stored: StoredInstance) -> MediaRange | None:
    """The media range for which a rendition is the answer; None when the stored form is.

    Args:
        ranges: Accepted, best first.
        stored: The object.
    """
    stored_type = frame_media_type(stored.transfer_syntax_uid)
    if stored_type == JPHC or not can_make(stored):
        return None  # HTJ2K already: as it is, or not at all
    for one in ranges:
        syntax = one.transfer_syntax
        if one.content_type == JPHC:
            if syntax in (None, "*", HTJ2K_LOSSLESS_RPCL):
                return one
        elif syntax == HTJ2K_LOSSLESS_RPCL and one.covers(OCTET_STREAM):
            return one
        elif one.covers(stored_type) and syntax in (None, "*", stored.transfer_syntax_uid):
            return None
    return None


class Htj2kFrames:
    """Answers with renditions.

    Args:
        retrieval: The archive's reading side.
        renditions: Made and kept.
        access: The audit trail.
    """

    def __init__(self, retrieval: Retrieval, renditions: Htj2kRenditions, access: Access) -> None:
        self._retrieval = retrieval
        self._renditions = renditions
        self._access = access

    async def send(
        self,
        request: Request,
        send: Send,
        entry: OpenObject,
        numbers: Sequence[int],
        wanted: MediaRange,
    ) -> None:
        """Answer with frames of an object that is open.

        Raises:
            Problem, RetrieveError: refused.
        """
        stored = entry.stored
        is_multipart = wanted.is_multipart or wanted.type in ("*/*", "multipart/*")
        if len(numbers) > (MAX_FRAMES if is_multipart else 1):
            raise Problem(
                "not-acceptable",
                detail=f"One frame, or up to {MAX_FRAMES} in a multipart answer, as HTJ2K.",
            )
        frames = self._retrieval.frames(stored, numbers)
        await self._access.note_read(request, Action.RETRIEVE, stored.study_instance_uid)
        digest = stored.sha256.hex()
        media_type = wanted.content_type if wanted.content_type == OCTET_STREAM else JPHC
        part_type = f"{media_type}; transfer-syntax={HTJ2K_LOSSLESS_RPCL}".encode("ascii")
        etag = f'"{digest[:40]}-{"-".join(map(str, numbers))}-rpcl{"m" if is_multipart else ""}"'
        headers = validators(etag)
        if is_unchanged(request, etag):
            await send_answer(send, 304, headers, head_only=True)
            return
        boundary = digest[:40].encode("ascii")

        def body() -> bytes:
            parts = [self._renditions.frame(entry.member, frame) for frame in frames]
            if not is_multipart:
                return parts[0]
            pieces = []
            for frame, data in zip(frames, parts, strict=True):
                location = (
                    f"{ROOT}/studies/{stored.study_instance_uid}"
                    f"/series/{stored.series_instance_uid}"
                    f"/instances/{stored.sop_instance_uid}/frames/{frame.number}"
                ).encode("ascii")
                head = part_head(boundary, part_type, (b"Content-Location", location))
                pieces += [head, data]
            return b"".join([*pieces, closing(boundary)])

        try:
            whole = await run_blocking(body)
        except PixelsBusy as error:
            raise Problem("busy", retry_after_s=1) from error
        except PixelError as error:
            raise Problem(
                "not-acceptable",
                detail=f"No HTJ2K rendition: {error}.",
                extra={"available": [stored.transfer_syntax_uid]},
            ) from error
        self._renditions.prepare(stored)
        headers.append(
            (
                b"content-type",
                b'multipart/related; type="%b"; transfer-syntax=%b; boundary=%b'
                % (media_type.encode("ascii"), HTJ2K_LOSSLESS_RPCL.encode("ascii"), boundary)
                if is_multipart
                else part_type,
            )
        )
        _SENT.inc(await send_source(request, send, headers, BytesSource(whole), etag=etag))
