"""Rendered resources and thumbnails of studies, series, instances, frames (PS3.18 §10.4.1.1.3, §10.4.1.1.6).

One picture is given single-part: of a study or series its representative image, of a multi-frame
object its middle frame. Who accepts ``multipart/related`` gets every image of a study or series,
every frame of an object.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from negatoscope.domain.archive.errors import FramesUnavailable, RetrieveError
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.identity import Action
from negatoscope.domain.viewing.documents import why_not_shown
from negatoscope.domain.viewing.pixels import PixelsBusy
from negatoscope.domain.viewing.rendering import (
    FILM_TYPES,
    IMAGE_TYPES,
    NoRendition,
    Renderer,
    Rendition,
    Wish,
)
from negatoscope.entrypoints.dicomweb.frames import parse_frame_list
from negatoscope.entrypoints.dicomweb.media_types import MediaRange
from negatoscope.entrypoints.dicomweb.multipart import closing, part_head
from negatoscope.entrypoints.dicomweb.rendered_parameters import read_wish
from negatoscope.entrypoints.dicomweb.retrieve_common import (
    accepted,
    is_unchanged,
    not_acceptable,
    problem_of,
    validators,
)
from negatoscope.entrypoints.dicomweb.turns import TooManyWait, Turns
from negatoscope.entrypoints.dicomweb.wado_rs import Target
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import (
    ClientDisconnected,
    Header,
    Receive,
    Request,
    Send,
    send_answer,
)
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra import metrics
from negatoscope.kit.aio import run_blocking

MAX_PARTS: Final = 200
"""Pictures in one multipart answer."""
_LISTED: Final = 20_000
_SENT = metrics.BYTES.labels("out")
_CHARSETS: Final = {"text/html": "; charset=utf-8", "text/plain": "; charset=utf-8"}


class _Shown(NamedTuple):
    """One part of an answer: a frame of an object, or all of it."""

    stored: StoredInstance
    frame: int | None


class RenderedRs:
    """Pictures and documents.

    Args:
        retrieval: The archive's reading side.
        renderer: Draws.
        access: Who may, and the audit trail.
        at_once: Renditions under way together.
    """

    def __init__(
        self, retrieval: Retrieval, renderer: Renderer, access: Access, *, at_once: int
    ) -> None:
        self._retrieval = retrieval
        self._renderer = renderer
        self._access = access
        self._turns = Turns(at_once)

    async def rendered(
        self, request: Request, send: Send, target: Target, frames: str | None = None
    ) -> None:
        """``GET …/rendered``.

        Raises:
            Problem: refused.
        """
        await self._answer(request, send, target, frames, is_thumbnail=False)

    async def thumbnail(
        self, request: Request, send: Send, target: Target, frames: str | None = None
    ) -> None:
        """``GET …/thumbnail``.

        Raises:
            Problem: refused.
        """
        await self._answer(request, send, target, frames, is_thumbnail=True)

    async def _answer(
        self,
        request: Request,
        send: Send,
        target: Target,
        frames: str | None,
        *,
        is_thumbnail: bool,
    ) -> None:
        target.check()
        numbers = None if frames is None else parse_frame_list(frames)
        wish, warnings = read_wish(request, is_thumbnail=is_thumbnail)
        self._access.require(request.actor, Action.RETRIEVE, study_instance_uid=target.study)
        ranges = accepted(request)
        try:
            listed = await run_blocking(self._list, target)
            if not listed:
                raise target.missing()
            await self._access.note_read(request, Action.RETRIEVE, target.study)
            one = _representative(listed, self._renderer)
            if numbers is not None:
                check_numbers(one, numbers)
            multipart = None
            if not is_thumbnail:
                multipart = self._multipart(ranges, listed, numbers)
            if multipart is not None:
                await self._send_many(
                    request,
                    send,
                    listed,
                    numbers=numbers,
                    wish=wish,
                    media_type=multipart,
                    warnings=warnings,
                )
                return
            if numbers is not None and len(numbers) > 1:
                raise not_acceptable(('multipart/related; type="image/jpeg"',))
            number = None if numbers is None else numbers[0]
            await self._send_one(
                request,
                send,
                _Shown(one, number),
                wish=wish,
                ranges=ranges,
                warnings=warnings,
                is_thumbnail=is_thumbnail,
            )
        except FramesUnavailable as error:
            raise Problem(
                "not-displayable", detail="No frames can be cut out of its pixel data."
            ) from error
        except RetrieveError as error:
            raise problem_of(error) from error
        except NoRendition as error:
            raise Problem(error.code, detail=error.reason) from error
        except (PixelsBusy, TooManyWait) as error:
            raise Problem("busy", retry_after_s=2) from error

    def _list(self, target: Target) -> list[StoredInstance]:
        if target.sop is not None:
            found = self._retrieval.find(target.sop, study=target.study, series=target.series)
            return [] if found is None else [found]
        listed: list[StoredInstance] = []
        for stored in self._retrieval.select(target.selection, frame_index=True):
            listed.append(stored)
            if len(listed) >= _LISTED:
                break
        return listed

    def _multipart(
        self,
        ranges: Sequence[MediaRange],
        listed: Sequence[StoredInstance],
        numbers: Sequence[int] | None,
    ) -> str | None:
        """The media type of the parts when a multipart answer is wanted."""
        several_frames = numbers is not None and len(numbers) > 1
        for one in ranges:
            if one.is_multipart or (several_frames and one.type in ("*/*", "multipart/*")):
                types = {kind for stored in listed for kind in self._renderer.media_types(stored)}
                for media_type in (*IMAGE_TYPES, *sorted(types - set(IMAGE_TYPES))):
                    if media_type in types and one.covers(media_type):
                        return media_type
            elif any(one.covers(kind) for kind in IMAGE_TYPES) and not several_frames:
                return None
        return None

    async def _send_one(
        self,
        request: Request,
        send: Send,
        shown: _Shown,
        *,
        wish: Wish,
        ranges: Sequence[MediaRange],
        warnings: list[str],
        is_thumbnail: bool,
    ) -> None:
        stored, number = shown
        available = self._renderer.media_types(stored)
        if number is not None or is_thumbnail:
            available = tuple(one for one in IMAGE_TYPES if one in available)
        if not available:
            raise Problem("not-displayable", detail=why_not_shown(stored.sop_class_uid))
        wish = replace(wish, media_type=choose(ranges, available))
        etag = self._renderer.etag(stored, number, wish)
        headers = validators(etag)
        if is_unchanged(request, etag):
            await send_answer(send, 304, headers, head_only=True)
            return
        maker: Callable[[], Rendition]
        is_whole = number is None and not is_thumbnail
        if is_whole and _is_film(stored, wish.media_type):
            maker = _call(self._renderer.film, stored, wish)
        elif wish.media_type in IMAGE_TYPES:
            maker = _call(self._renderer.picture, stored, number, wish)
        else:
            maker = _call(self._renderer.document, stored, wish)
        (found,) = await self._in_turn(request, [maker])
        headers.append((b"content-type", _content_type(wish.media_type)))
        headers += _guards(wish.media_type) + _warnings([*warnings, *found.notes])
        await send_answer(send, 200, headers, found.body, head_only=request.method == "HEAD")
        _SENT.inc(len(found.body))

    async def _send_many(
        self,
        request: Request,
        send: Send,
        listed: Sequence[StoredInstance],
        *,
        numbers: Sequence[int] | None,
        wish: Wish,
        media_type: str,
        warnings: list[str],
    ) -> None:
        wanted: list[_Shown] = []
        for stored in listed:
            if media_type not in self._renderer.media_types(stored):
                continue
            count = min(stored.number_of_frames or 1, MAX_PARTS + 1)
            if numbers is not None:
                wanted += [_Shown(stored, number) for number in numbers]
            elif self._renderer.has_picture(stored) and count > 1:
                wanted += [_Shown(stored, number) for number in range(1, count + 1)]
            else:
                wanted.append(_Shown(stored, None))
            if len(wanted) > MAX_PARTS:
                raise Problem(
                    "too-large-to-render", detail=f"More than {MAX_PARTS} pictures in one answer."
                )
        if not wanted:
            raise Problem("not-displayable", detail="Nothing here can be shown.")
        wish = replace(wish, media_type=media_type)
        boundary = wanted[0].stored.sha256[:20].hex().encode("ascii")
        pieces: list[bytes] = []
        notes: list[str] = []
        makers = [
            _call(self._renderer.picture, shown.stored, shown.frame, wish)
            if media_type in IMAGE_TYPES
            else _call(self._renderer.document, shown.stored, wish)
            for shown in wanted
        ]
        for found in await self._in_turn(request, makers):
            notes += [note for note in found.notes if note not in notes]
            pieces += [part_head(boundary, _content_type(media_type)), found.body]
        pieces.append(closing(boundary))
        headers: list[Header] = [
            (
                b"content-type",
                b'multipart/related; type="%b"; boundary=%b' % (media_type.encode(), boundary),
            ),
            (b"cache-control", b"private, no-cache"),
            (b"vary", b"accept, authorization"),
        ]
        headers += _warnings([*warnings, *notes])
        body = b"".join(pieces)
        await send_answer(send, 200, headers, body, head_only=request.method == "HEAD")
        _SENT.inc(len(body))

    async def _in_turn(
        self, request: Request, makers: Sequence[Callable[[], Rendition]]
    ) -> list[Rendition]:
        """Draw, each when it is this user's turn; no more when the client has gone by then.

        The connection is watched once for all of them: a server whose ``receive`` was cancelled may
        call the next one a disconnect.
        """
        gone = asyncio.ensure_future(_disconnected(request.receive))
        found: list[Rendition] = []
        try:
            for maker in makers:
                work = asyncio.ensure_future(self._when_free(request.actor.name, maker))
                try:
                    await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
                    if not work.done():
                        raise ClientDisconnected
                    found.append(work.result())
                finally:
                    if not work.done():
                        work.cancel()
        finally:
            gone.cancel()
        return found

    async def _when_free(self, user: str, maker: Callable[[], Rendition]) -> Rendition:
        await self._turns.take(user)
        job = asyncio.ensure_future(run_blocking(maker))
        job.add_done_callback(self._done)
        # A thread ends in its own time: the turn is given back then, whoever has gone by now.
        return await asyncio.shield(job)

    def _done(self, job: "asyncio.Future[Rendition]") -> None:
        self._turns.give()
        if not job.cancelled():
            job.exception()  # seen, even when nobody waits for it any more


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _call(function: Callable[..., Rendition], *arguments: object) -> Callable[[], Rendition]:
    return lambda: function(*arguments)


def _is_film(stored: StoredInstance, media_type: str) -> bool:
    if media_type.startswith("video/"):
        return True
    return media_type in FILM_TYPES and (stored.number_of_frames or 1) > 1


def check_numbers(stored: StoredInstance, numbers: Sequence[int]) -> None:
    """Refuse frames that the object does not have.

    Raises:
        Problem: 404.
    """
    count = stored.number_of_frames or 1
    if max(numbers) > count:
        raise Problem("frame-not-found", detail=f"The object has {count} frames.")


def choose(ranges: Sequence[MediaRange], available: Sequence[str]) -> str:
    """The media type to give: what the client likes best, of that our default.

    Raises:
        Problem: 406.
    """
    for one in ranges:
        if one.is_multipart:
            continue
        for media_type in available:
            if one.covers(media_type):
                return media_type
    raise not_acceptable(available)


def _representative(listed: Sequence[StoredInstance], renderer: Renderer) -> StoredInstance:
    """The middle image of the first series that has images; else the first that can be shown."""
    images: list[StoredInstance] = []
    for stored in listed:
        if not renderer.has_picture(stored):
            continue
        if images and images[0].series_id != stored.series_id:
            break
        images.append(stored)
    if images:
        return images[len(images) // 2]
    return next((stored for stored in listed if renderer.media_types(stored)), listed[0])


def _content_type(media_type: str) -> bytes:
    return f"{media_type}{_CHARSETS.get(media_type, '')}".encode("ascii")


def _guards(media_type: str) -> list[Header]:
    """What keeps a stranger's document from acting in our name."""
    if media_type.startswith("image/"):
        return []
    headers: list[Header] = [(b"content-security-policy", b"sandbox")]
    if media_type in ("text/xml", "video/mpeg"):
        headers.append((b"content-disposition", b"attachment"))
    else:
        headers.append((b"content-disposition", b"inline"))
    return headers


def _warnings(notes: Sequence[str]) -> list[Header]:
    if not notes:
        return []
    said = "; ".join(notes)[:500].replace('"', "'").encode("ascii", "replace").decode("ascii")
    said = "".join(one if one.isprintable() else " " for one in said)
    return [(b"warning", f'299 negatoscope "{said}"'.encode("ascii"))]
