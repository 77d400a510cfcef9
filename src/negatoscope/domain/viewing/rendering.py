"""Renditions: pictures, films, documents of stored objects (PS3.18 §10.4.1.1.3).

What a rendition shows depends on the object, the frame and the wish alone, so it is kept in the
derived cache under them; identical requests that come together are drawn once. All decoding and
drawing is done by worker processes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson

from negatoscope.domain.archive.errors import FramesUnavailable
from negatoscope.domain.archive.reading import Member
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.viewing.annotations import corners_of
from negatoscope.domain.viewing.attributes import Header, Headers
from negatoscope.domain.viewing.blending import BLENDING_STATE, Pairs
from negatoscope.domain.viewing.cache import DerivedCache
from negatoscope.domain.viewing.documents import DocumentKind, Documents, kind_of
from negatoscope.domain.viewing.pixels import (
    PixelsBusy,
    PixelService,
    frame_bytes,
    video_bytes,
)
from negatoscope.infra.sandbox import SandboxBusy, SandboxError, WorkKilled, WorkRefused
from negatoscope.protocols.dicom.dataset import DataSetError, inflate, read_value
from negatoscope.protocols.dicom.pixel.codecs import can_decode
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.display import IccChoice, NotDisplayable, Viewport, Window
from negatoscope.protocols.dicom.pixel.display.attributes import number
from negatoscope.protocols.dicom.pixel.display.state import references
from negatoscope.protocols.dicom.pixel.errors import InvalidDescription, PixelLimitExceeded
from negatoscope.protocols.dicom.pixel.limits import DEFAULT_LIMITS
from negatoscope.standard import tags
from negatoscope.standard.transfer_syntaxes import transfer_syntax

VERSION: Final = "2"
"""Part of every key: a change in how things are drawn makes what is kept obsolete."""
MAX_FILM_FRAMES: Final = 2000
MAX_FILM_BYTES: Final = 256 << 20
THUMBNAIL: Final = Viewport(width=128, height=128)
IMAGE_TYPES: Final = ("image/jpeg", "image/png", "image/gif", "image/jp2")
FILM_TYPES: Final = ("image/gif", "video/mp4")
_MPEG2: Final = ("1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.101")
_DEFAULT_RATE: Final = 15.0
_MAX_RATE: Final = 120.0


class NoRendition(Exception):
    """The object cannot be shown as asked.

    Attributes:
        code: Stable.
        reason: One sentence, without anything of a patient.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How somebody wants to see something.

    Attributes:
        media_type: Wanted.
        window: Instead of the object's.
        viewport: Size and region.
        quality: 1 … 100, of lossy media types.
        annotations: ``patient``, ``technique``.
        icc: Colour space.
    """

    media_type: str = "image/jpeg"
    window: Window | None = None
    viewport: Viewport | None = None
    quality: int | None = None
    annotations: tuple[str, ...] = ()
    icc: IccChoice = IccChoice.NO

    def plain(self) -> dict[str, Any]:
        """The part that worker processes need, JSON-able."""
        window = self.window
        return {
            "window": None
            if window is None
            else (window.center, window.width, str(window.function)),
            "viewport": None if self.viewport is None else asdict(self.viewport),
            "icc": str(self.icc),
        }

    def key(self) -> str:
        """The same for the same wish."""
        whole = {**self.plain(), "annotations": self.annotations, "quality": self.quality}
        digest = hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()
        return f"{self.media_type}-{digest[:32]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """What is given to the client.

    Attributes:
        notes: What was odd and tolerated; for a Warning header.
    """

    media_type: str
    body: bytes
    notes: tuple[str, ...] = ()


class Renderer:
    """Draws. One per process; safe for many threads.

    Args:
        retrieval: The archive's reading side.
        pixels: Decodes, in worker processes.
        cache: Where renditions are kept.
    """

    def __init__(self, retrieval: Retrieval, pixels: PixelService, cache: DerivedCache) -> None:
        self._retrieval = retrieval
        self._pixels = pixels
        self._cache = cache
        self._headers = Headers()
        self._documents = Documents(pixels)
        self._pairs = Pairs(retrieval, self._header)

    def media_types(self, stored: StoredInstance) -> tuple[str, ...]:
        """What an object can be given as, the default first; empty: it cannot be shown.

        Standard: PS3.18 §8.7.4, Table 8.7.4-1.
        """
        kind = kind_of(stored.sop_class_uid)
        if kind is not DocumentKind.NONE:
            return kind.media_types
        if not self._has_pixels(stored):
            return ()
        if transfer_syntax(stored.transfer_syntax_uid).is_video:
            is_mpeg2 = stored.transfer_syntax_uid.startswith(_MPEG2)
            return ("video/mpeg" if is_mpeg2 else "video/mp4", *IMAGE_TYPES)
        if (stored.number_of_frames or 1) > 1:
            return (*IMAGE_TYPES, "video/mp4")
        return IMAGE_TYPES

    def has_picture(self, stored: StoredInstance) -> bool:
        """Whether an object is an image, rather than a document or something that is not shown."""
        return kind_of(stored.sop_class_uid) is DocumentKind.NONE and self._has_pixels(stored)

    def etag(self, stored: StoredInstance, frame: int | None, wish: Wish) -> str:
        """Of a rendition, without making it."""
        number = "a" if frame is None else str(frame)
        return f'"{stored.sha256.hex()}-{VERSION}-{number}-{wish.key()}"'

    def picture(self, stored: StoredInstance, frame: int | None, wish: Wish) -> Rendition:
        """One frame, the middle one unless named; of a document its first page.

        Raises:
            NoRendition: it cannot be shown so.
            PixelsBusy: no worker became free.
            RetrieveError: the object cannot be read.
        """
        return self._kept(stored, frame, wish, self._draw)

    def film(self, stored: StoredInstance, wish: Wish) -> Rendition:
        """All frames as an animation, or the stored video stream itself.

        Raises: As for ``picture``.
        """
        return self._kept(stored, None, wish, self._film)

    def document(self, stored: StoredInstance, wish: Wish) -> Rendition:
        """A document in a form to be read.

        Raises: As for ``picture``.
        """
        with self._retrieval.open(stored) as member:
            header = self._read(member)
            found = self._documents.give(stored, header.data_set or {}, wish.media_type)
            if found is None:
                raise NoRendition("not-displayable", "The document holds nothing to show.")
            return Rendition(media_type=wish.media_type, body=found)

    def _kept(self, stored: StoredInstance, frame: int | None, wish: Wish, maker: Any) -> Rendition:
        key = self.etag(stored, frame, wish) + ("f" if maker == self._film else "")

        def make() -> bytes:
            notes, body = maker(stored, frame, wish)
            head = orjson.dumps(list(notes))
            return len(head).to_bytes(4, "big") + head + bytes(body)

        whole = self._cache.make(key, make)
        length = int.from_bytes(whole[:4], "big")
        return Rendition(
            media_type=wish.media_type,
            body=whole[4 + length :],
            notes=tuple(orjson.loads(whole[4 : 4 + length])),
        )

    def _draw(
        self, stored: StoredInstance, frame: int | None, wish: Wish
    ) -> tuple[Sequence[str], bytes | memoryview]:
        kind = kind_of(stored.sop_class_uid)
        with self._retrieval.open(stored) as member:
            header = self._read(member)
            if stored.sop_class_uid == BLENDING_STATE:
                return self._draw_blended(stored, header, wish)
            if kind is DocumentKind.PRESENTATION_STATE:
                return self._draw_state(member, header, wish)
            if kind is not DocumentKind.NONE:
                box = wish.viewport or Viewport(width=1754, height=1754)
                arguments = {
                    "width": box.width,
                    "height": box.height,
                    "media_type": wish.media_type,
                    "quality": wish.quality,
                }
                function, payload = self._documents.drawing(stored, header.data_set or {})
                if function is None:
                    raise NoRendition("not-displayable", "The object has no picture.")
                return self._work(function, {**arguments, **payload[0]}, payload[1])
            number = frame or ((stored.number_of_frames or 1) + 1) // 2
            arguments = self._arguments(member, header, wish)
            arguments["number"] = number
            arguments["may_be_last"] = frame is None
            arguments["data_set"] = header.of_frame(number)
            return self._work("draw", arguments, (self._frame(member, number),))

    def _draw_state(
        self, member: Member, header: Header, wish: Wish
    ) -> tuple[Sequence[str], bytes | memoryview]:
        """A presentation state, on the first image that it refers to (PS3.18 §10.4.1.1.3)."""
        data_set = header.data_set or {}
        for series, uid, shown_frame in references(data_set):
            image = self._retrieval.find(
                uid, study=member.stored.study_instance_uid, series=series or None
            )
            if image is None or not self._has_pixels(image):
                continue
            with self._retrieval.open(image) as other:
                shown = self._read(other)
                arguments = self._arguments(other, shown, wish)
                arguments.update(
                    number=shown_frame,
                    data_set=shown.of_frame(shown_frame),
                    state=dict(data_set),
                    sop_instance_uid=uid,
                )
                return self._work("draw", arguments, (self._frame(other, shown_frame),))
        raise NoRendition(
            "not-displayable", "None of the images of the presentation state is in its study."
        )

    def _draw_blended(
        self, stored: StoredInstance, header: Header, wish: Wish
    ) -> tuple[Sequence[str], bytes | memoryview]:
        """A blending state, on the middle two frames that lie in one plane."""
        data_set = header.data_set or {}
        try:
            pair = self._pairs.find(stored.study_instance_uid, data_set)
        except NotDisplayable as error:
            raise NoRendition("not-displayable", f"Nothing can be blended: {error}.") from error
        inputs: list[dict[str, Any]] = []
        payload: list[bytes | memoryview] = []
        for image, frame in (pair.underlying, pair.superimposed):
            with self._retrieval.open(image) as member:
                shown = self._read(member)
                inputs.append(
                    {
                        **self._arguments(member, shown, wish),
                        "number": frame,
                        "data_set": shown.of_frame(frame),
                        "sop_instance_uid": image.sop_instance_uid,
                    }
                )
                payload.append(self._frame(member, frame))
        arguments = {
            **{key: inputs[0][key] for key in ("wish", "media_type", "quality", "corners")},
            "inputs": inputs,
            "state": dict(data_set),
            "registrations": [dict(one) for one in pair.registrations],
        }
        return self._work("blended", arguments, payload)

    def _film(
        self, stored: StoredInstance, _frame: int | None, wish: Wish
    ) -> tuple[Sequence[str], bytes | memoryview]:
        with self._retrieval.open(stored) as member:
            header = self._read(member)
            count = stored.number_of_frames or 1
            if transfer_syntax(stored.transfer_syntax_uid).is_video:
                if wish.media_type.startswith("video/"):
                    return (), self._stream(member)
                payload = [self._stream(member)]
            else:
                if count > MAX_FILM_FRAMES:
                    raise NoRendition("too-large-to-render", f"More than {MAX_FILM_FRAMES} frames.")
                ranges = self._retrieval.frames(stored, range(1, count + 1))
                if sum(one.length for one in ranges) > MAX_FILM_BYTES:
                    raise NoRendition("too-large-to-render", "Its frames are too many bytes.")
                payload = [frame_bytes(member, one) for one in ranges]
            arguments = self._arguments(member, header, wish)
            arguments["numbers"] = list(range(1, min(count, MAX_FILM_FRAMES) + 1))
            arguments["data_set"] = dict(header.shown)
            arguments["frames"] = {
                str(number): header.groups_of(number) for number in arguments["numbers"]
            }
            arguments["rate"] = _rate(header.shown)
            return self._work("film", arguments, payload)

    def _arguments(self, member: Member, header: Header, wish: Wish) -> dict[str, Any]:
        uid = member.stored.transfer_syntax_uid
        if not can_decode(uid):
            name = transfer_syntax(uid).name
            raise NoRendition("not-displayable", f"No codec reads {name}.")
        try:
            description = PixelDescription.of(header.shown)
        except InvalidDescription as error:
            raise NoRendition("not-displayable", f"{error.reason}.") from error
        if description.decoded_bytes > DEFAULT_LIMITS.frame_bytes:
            raise NoRendition("too-large-to-render", "A frame has too many pixels.")
        return {
            "description": asdict(description),
            "transfer_syntax_uid": uid,
            "wish": wish.plain(),
            "media_type": wish.media_type,
            "quality": wish.quality,
            "corners": corners_of(header.shown, wish.annotations),
        }

    def _work(
        self, function: str, arguments: Mapping[str, Any], payload: Sequence[bytes | memoryview]
    ) -> tuple[Sequence[str], bytes | memoryview]:
        try:
            value, body = self._pixels.sandbox.run(function, arguments, payload)
        except WorkRefused as error:
            code = "bad-query" if error.code == "invalid-viewport" else "not-displayable"
            raise NoRendition(code, f"{error.reason}.") from error
        except WorkKilled as error:
            raise NoRendition(
                "too-large-to-render", f"Drawing was stopped: {error.reason}."
            ) from error
        except SandboxBusy as error:
            raise PixelsBusy(error.reason) from error
        except SandboxError as error:
            raise NoRendition("not-displayable", f"Drawing failed: {error.reason}.") from error
        return value["notes"], body

    def _header(self, stored: StoredInstance) -> Header:
        with self._retrieval.open(stored) as member:
            return self._read(member)

    def _read(self, member: Member) -> Header:
        try:
            return self._headers.read(member)
        except DataSetError as error:
            raise NoRendition("not-displayable", "Its attributes cannot be read.") from error

    def _has_pixels(self, stored: StoredInstance) -> bool:
        if stored.pixel_offset is not None:
            return True
        return bool(stored.rows and stored.columns)

    def _frame(self, member: Member, number: int) -> bytes | memoryview:
        """The bytes of one frame; of a video the whole stream."""
        stored = member.stored
        syntax = transfer_syntax(stored.transfer_syntax_uid)
        if syntax.is_video:
            return self._stream(member)
        if stored.pixel_offset is None and syntax.is_deflated:
            return self._inflated(member, number)
        return frame_bytes(member, self._retrieval.frames(stored, (number,))[0])

    def _inflated(self, member: Member, number: int) -> memoryview:
        """A frame of a data set that is deflated whole (PS3.5 §A.5)."""
        stored = member.stored
        try:
            data = inflate(b"".join(member.data_set()))
            at, length = read_value(data, stored.transfer_syntax_uid, f"{tags.PIXEL_DATA:08X}")
            description = PixelDescription.of(self._read(member).shown)
        except (DataSetError, InvalidDescription) as error:
            raise NoRendition("not-displayable", "Its pixels cannot be read.") from error
        step = description.frame_length
        if number > description.number_of_frames or number * step > length:
            raise FramesUnavailable(stored.sop_instance_uid, "fewer pixels than its frames need")
        return memoryview(data)[at + (number - 1) * step : at + number * step]

    def _stream(self, member: Member) -> bytes:
        """The code stream of a video, its fragments joined (PS3.5 §8.2.5)."""
        try:
            return video_bytes(member)
        except PixelLimitExceeded as error:
            raise NoRendition("too-large-to-render", f"{error.reason}.") from error


def _rate(data_set: Mapping[str, Any]) -> float:
    """Frames per second (PS3.3 §C.7.6.5)."""
    rate = number(data_set, tags.RECOMMENDED_DISPLAY_FRAME_RATE) or number(data_set, tags.CINE_RATE)
    if not rate:
        frame_time_ms = number(data_set, tags.FRAME_TIME)
        rate = 1000.0 / frame_time_ms if frame_time_ms and frame_time_ms > 0 else _DEFAULT_RATE
    return min(max(rate, 0.5), _MAX_RATE)
