"""Studies, series and instances as a ZIP archive of Part 10 files (PS3.18 §8.7.3.4 application/zip)."""

from collections.abc import Iterator
from typing import Final

from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.identity import Action
from negatoscope.domain.viewing.pixels import PixelsBusy, PixelService
from negatoscope.domain.viewing.transcoding import Transcoder, TranscodingFailed, can_transcode
from negatoscope.entrypoints.dicomweb.archive_zip import (
    Entry,
    archive,
    archive_length,
    entry_name,
)
from negatoscope.entrypoints.dicomweb.media_types import DICOM, ZIP, Offer, best_offer
from negatoscope.entrypoints.dicomweb.retrieve_common import (
    all_ranges,
    check_uids,
    problem_of,
    wrong_transfer_syntax,
)
from negatoscope.entrypoints.dicomweb.transcoded import problem_of_pixels
from negatoscope.entrypoints.dicomweb.wado_rs import Target, part10
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import Header, Request, Send
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.ranges import send_head
from negatoscope.entrypoints.web.streaming import send_stream
from negatoscope.infra import metrics
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers.audit import EventClass

MAX_STUDIES: Final = 50
"""Of one archive."""
MAX_FILES: Final = 100_000
"""Of one archive; what is more is to be fetched series by series."""
_OFFERS: Final = (Offer(DICOM, is_multipart=True), Offer(DICOM), Offer(ZIP))
_SENT = metrics.BYTES.labels("out")


def wants_zip(request: Request) -> bool:
    """Whether a request for objects likes an archive best.

    Raises:
        Problem: Accept is unreadable.
    """
    found = best_offer(all_ranges(request), _OFFERS)
    return found is not None and found.media_type == ZIP


class Downloads:
    """Archives of objects, as stored or in a transfer syntax that is asked for.

    An object that cannot be given so lies in the archive as it is stored.

    Args:
        retrieval: The archive's reading side.
        access: Who may, and the audit trail.
        pixels: Transcodes.
    """

    def __init__(self, retrieval: Retrieval, access: Access, pixels: PixelService) -> None:
        self._transcoder = Transcoder(pixels=pixels)
        self._retrieval = retrieval
        self._access = access

    async def download(self, request: Request, send: Send, target: Target) -> None:
        """``GET`` of a study, a series or an instance as ``application/zip``.

        Raises:
            Problem: refused.
        """
        target.check()
        self._access.require(request.actor, Action.RETRIEVE, study_instance_uid=target.study)
        listed = await run_blocking(self._listed, target)
        if not listed:
            raise target.missing()
        if len(listed) > MAX_FILES:
            raise Problem("not-acceptable", detail=f"An archive holds at most {MAX_FILES} files.")
        syntaxes = _syntaxes(request, listed)
        await self._note(request, target.study, len(listed))
        name = (target.sop or target.series or target.study).strip(".") or "download"
        await self._send(request, send, listed, name, syntaxes)

    async def several(self, request: Request, send: Send) -> None:
        """``GET /dicom-web/archive?study=…&study=…``: studies chosen in a list, as one archive.

        Not of the standard, which retrieves one study at a time.

        Raises:
            Problem: refused; nothing is sent of the others when one may not be seen.
        """
        studies = list(dict.fromkeys(value for key, value in request.query() if key == "study"))
        if not 0 < len(studies) <= MAX_STUDIES:
            raise Problem("bad-query", detail=f"study: from 1 to {MAX_STUDIES} of them.")
        check_uids(*studies)
        listed: list[StoredInstance] = []
        counts: dict[str, int] = {}
        for study in studies:
            await self._access.require_study(request.actor, Action.RETRIEVE, study)
            found = await run_blocking(self._listed, Target(study))
            if not found:
                raise Problem("study-not-found")
            counts[study] = len(found)
            listed += found
            if len(listed) > MAX_FILES:
                raise Problem(
                    "not-acceptable", detail=f"An archive holds at most {MAX_FILES} files."
                )
        syntaxes = _syntaxes(request, listed)
        for study in studies:
            await self._note(request, study, counts[study])
        await self._send(request, send, listed, f"{len(studies)}-studies", syntaxes)

    async def _note(self, request: Request, study: str, objects: int) -> None:
        if request.method == "HEAD":
            return
        await self._access.note(
            request,
            Action.RETRIEVE,
            study_instance_uid=study,
            event_class=EventClass.EXPORT,
            destination="zip",
            detail={"objects": objects},
        )

    async def _send(
        self,
        request: Request,
        send: Send,
        listed: list[StoredInstance],
        name: str,
        syntaxes: dict[str, str],
    ) -> None:
        entries = [
            Entry(entry_name(stored), stored.size)
            if syntaxes[stored.transfer_syntax_uid] == stored.transfer_syntax_uid
            and stored.identity is None
            else Entry(entry_name(stored), 0, is_made=True)
            for stored in listed
        ]
        headers: list[Header] = [
            (b"content-type", ZIP.encode("ascii")),
            (b"content-disposition", f'attachment; filename="{name}.zip"'.encode("ascii")),
            (b"cache-control", b"private, no-cache"),
            (b"vary", b"accept, authorization"),
        ]
        is_made = any(entry.is_made for entry in entries)
        length = None if is_made else archive_length(entries)
        if request.method == "HEAD":
            await send_head(send, headers, length)
            return

        def content(number: int) -> Iterator[bytes]:
            stored = listed[number]
            uid = syntaxes[stored.transfer_syntax_uid]
            with self._retrieval.open(stored) as member:
                pieces = part10(self._transcoder, self._retrieval, member, uid)
                try:
                    first = next(pieces, b"")
                except TranscodingFailed:
                    first, pieces = b"", member.file()
                yield first
                yield from pieces

        chunks = archive(entries, content)
        try:
            _SENT.inc(await send_stream(send, request.receive, 200, headers, chunks, length=length))
        except RetrieveError as error:
            raise problem_of(error) from error
        except (TranscodingFailed, PixelsBusy) as error:
            raise problem_of_pixels(error) from error

    def _listed(self, target: Target) -> list[StoredInstance]:
        if target.sop is not None:
            found = self._retrieval.find(
                target.sop, study=target.study, series=target.series, is_fresh=True
            )
            return [] if found is None else [found]
        keys = self._retrieval.series(target.selection)
        found_all: list[StoredInstance] = []
        for stored in self._retrieval.of_series(keys):
            found_all.append(stored)
            if len(found_all) > MAX_FILES:
                break
        return found_all


def _syntaxes(request: Request, listed: list[StoredInstance]) -> dict[str, str]:
    """The transfer syntax given for each stored one.

    Raises:
        Problem: a stored one cannot be given in any that is asked for.
    """
    stored = {one.transfer_syntax_uid for one in listed}
    wanted = [one.transfer_syntax for one in all_ranges(request) if one.type == ZIP]
    given: dict[str, str] = {}
    for uid in stored:
        if not wanted or None in wanted or "*" in wanted or uid in wanted:
            given[uid] = uid
            continue
        found = next((one for one in wanted if one and can_transcode(uid, one)), None)
        if found is None:
            raise wrong_transfer_syntax(stored)
        given[uid] = found
    return given
