"""Frames as HTJ2K lossless RPCL, for viewers that read an image coarse to fine.

A rendition is made when its frame is asked for, in a worker process, and kept in the derived
cache. Who asks for one frame of a series will ask for the others: they are made ahead on a few
threads, one process at a time for a series, until the series is whole, nobody asks for it any
more, or others are wanted more.

The code stream (PS3.5 §10.18) is reversible, in the order resolution, position, component, layer,
with as many decompositions as bring the smaller side to 64 samples or less, one tile-part per
resolution and their lengths in a TLM marker: what a resolution needs is a prefix.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from struct import unpack_from
from typing import Final

import structlog

from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.frames import FrameRange
from negatoscope.domain.archive.reading import Member
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.viewing.cache import DerivedCache
from negatoscope.domain.viewing.pixels import PixelsBusy, PixelService, frame_bytes
from negatoscope.infra.errors import InfraError
from negatoscope.protocols.dicom.pixel.codecs import can_decode
from negatoscope.protocols.dicom.pixel.errors import PixelError
from negatoscope.standard.transfer_syntaxes import HTJ2K_LOSSLESS_RPCL, transfer_syntax

MAX_SERIES: Final = 4
"""Series made ahead at the same time by one process; a further one ends the oldest."""
MAX_FRAMES: Final = 5000
"""Of a series that are made ahead."""
IDLE_S: Final = 60.0
"""A series that nobody asks for so long is no longer made ahead."""
_LOG = structlog.get_logger(__name__)
_SOT: Final = 0xFF90
_TLM: Final = 0xFF55


def can_make(stored: StoredInstance) -> bool:
    """Whether there may be a rendition of an object's frames; its pixels decide in the end."""
    syntax = transfer_syntax(stored.transfer_syntax_uid)
    return bool(stored.number_of_frames) and not syntax.is_video and can_decode(syntax.uid)


@dataclass(slots=True)
class _Ahead:
    """A series that is made ahead."""

    cancelled: threading.Event = field(default_factory=threading.Event)
    asked_at_s: float = 0.0


class Htj2kRenditions:
    """Makes and keeps them. One per process; safe for many threads.

    Args:
        pixels: Encodes, in worker processes.
        retrieval: The archive's reading side.
        cache: Where they are kept.
        threads: That make ahead; 0 makes nothing ahead.
    """

    def __init__(
        self, pixels: PixelService, retrieval: Retrieval, cache: DerivedCache, *, threads: int = 2
    ) -> None:
        self._pixels = pixels
        self._retrieval = retrieval
        self._cache = cache
        self._threads = threads
        self._executor: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._ahead: OrderedDict[str, _Ahead] = OrderedDict()
        self._done: OrderedDict[str, None] = OrderedDict()
        self._closed = False

    def frame(self, member: Member, frame: FrameRange) -> bytes:
        """The rendition of one frame.

        Args:
            member: The object.
            frame: Where it lies.

        Raises:
            PixelError: there is none: floating point or more than 16 bits, or a damaged frame.
            PixelsBusy: no worker became free.
            RetrieveError: the object cannot be read.
        """
        stored = member.stored
        if stored.transfer_syntax_uid == HTJ2K_LOSSLESS_RPCL:
            return frame_bytes(member, frame)
        return self._cache.make(_key(stored, frame.number), lambda: self._make(member, frame))

    def _make(self, member: Member, frame: FrameRange) -> bytes:
        data, _ = self._pixels.transcode(
            frame_bytes(member, frame),
            self._pixels.describe(member),
            member.stored.transfer_syntax_uid,
            HTJ2K_LOSSLESS_RPCL,
        )
        return bytes(data)

    # -- ahead --------------------------------------------------------------------------------

    def prepare(self, stored: StoredInstance) -> None:
        """Somebody reads this series: make the rest of it ahead. Returns at once."""
        uid = stored.series_instance_uid
        with self._lock:
            known = self._ahead.get(uid)
            if known is not None:
                known.asked_at_s = time.monotonic()
                return
            if self._closed or not self._threads or uid in self._done:
                return
            if stored.transfer_syntax_uid == HTJ2K_LOSSLESS_RPCL or not can_make(stored):
                return
            self._executor = self._executor or ThreadPoolExecutor(
                self._threads * MAX_SERIES, thread_name_prefix="htj2k-ahead"
            )
            while len(self._ahead) >= MAX_SERIES:
                self._ahead.popitem(last=False)[1].cancelled.set()
            ahead = self._ahead[uid] = _Ahead(asked_at_s=time.monotonic())
            work = _Shared(self._frames_of(uid, stored.id))
            for _ in range(self._threads):
                self._executor.submit(self._run, uid, ahead, work)

    def cancel(self, series_instance_uid: str) -> None:
        """Make no more of a series ahead."""
        with self._lock:
            ahead = self._ahead.pop(series_instance_uid, None)
        if ahead is not None:
            ahead.cancelled.set()

    def close(self) -> None:
        """Stop making ahead; what is under way is finished."""
        with self._lock:
            self._closed = True
            for ahead in self._ahead.values():
                ahead.cancelled.set()
            self._ahead.clear()
            executor = self._executor
        if executor is not None:
            executor.shutdown(cancel_futures=True)

    def is_preparing(self, series_instance_uid: str) -> bool:
        """Whether a series is being made ahead by this process."""
        with self._lock:
            return series_instance_uid in self._ahead

    def _run(self, uid: str, ahead: _Ahead, work: "_Shared") -> None:
        try:
            with self._cache.claim(f"htj2k {uid} {work.turn()}") as is_ours:
                while is_ours and not ahead.cancelled.is_set():
                    if time.monotonic() - ahead.asked_at_s > IDLE_S:
                        return
                    following = work.next()
                    if following is None:
                        with self._lock:
                            self._done[uid] = None
                            while len(self._done) > 64:
                                self._done.popitem(last=False)
                        return
                    self._make_ahead(*following, ahead)
        except (RetrieveError, InfraError) as error:
            _LOG.warning("htj2k.not_made_ahead", series=uid, reason=str(error))
        finally:
            with self._lock:
                if self._ahead.get(uid) is ahead:
                    del self._ahead[uid]

    def _make_ahead(self, stored: StoredInstance, numbers: Sequence[int], ahead: _Ahead) -> None:
        try:
            with self._retrieval.open(stored) as member:
                for frame in self._retrieval.frames(stored, numbers):
                    if ahead.cancelled.is_set():
                        return
                    if not self._cache.has(_key(stored, frame.number)):
                        self.frame(member, frame)
        except (PixelError, PixelsBusy, RetrieveError):
            return  # whoever asks for that frame is told

    def _frames_of(self, uid: str, first_id: int) -> Iterator[tuple[StoredInstance, list[int]]]:
        """Objects and frame numbers, from the object first asked for to the end, then the rest."""
        count = 0
        before: list[StoredInstance] = []
        is_after = False
        for stored in self._retrieval.instances(series=uid, frame_index=True):
            is_after = is_after or stored.id == first_id
            if not is_after:
                before.append(stored)
                continue
            for piece in _pieces(stored):
                yield stored, piece
                count += len(piece)
                if count >= MAX_FRAMES:
                    return
        for stored in before:
            for piece in _pieces(stored):
                yield stored, piece
                count += len(piece)
                if count >= MAX_FRAMES:
                    return


class _Shared:
    """An iterator that several threads share."""

    def __init__(self, work: Iterator[tuple[StoredInstance, list[int]]]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._turn = 0

    def next(self) -> tuple[StoredInstance, list[int]] | None:
        """The following piece; None at the end."""
        with self._lock:
            return next(self._work, None)

    def turn(self) -> int:
        """A number for each thread."""
        with self._lock:
            self._turn += 1
            return self._turn


def _pieces(stored: StoredInstance) -> Iterator[list[int]]:
    numbers = range(1, (stored.number_of_frames or 0) + 1)
    for start in range(0, len(numbers), 16):
        yield list(numbers[start : start + 16])


def _key(stored: StoredInstance, number: int) -> str:
    return f"{stored.sha256.hex()}/{number}/htj2k-rpcl"


def resolution_ends(code_stream: bytes) -> list[int]:
    """Where the prefixes end that hold one resolution more each, the smallest first.

    Read from the TLM marker segments (ITU-T T.800 §A.7.1) of a code stream with one tile-part per
    resolution. A decoder given such a prefix finds that resolution exact.

    Returns: Offsets; the last is that of the EOC marker. Empty without TLM.
    """
    lengths: list[int] = []
    at = 2
    while at + 4 <= len(code_stream):
        marker, size = unpack_from(">HH", code_stream, at)
        if marker == _SOT:
            break
        if marker == _TLM:
            form = code_stream[at + 5]
            index_bytes = form >> 4 & 3
            length_bytes = 4 if form & 0x40 else 2
            step = index_bytes + length_bytes
            places = range(at + 6 + index_bytes, at + 2 + size, step)
            lengths += [int.from_bytes(code_stream[p : p + length_bytes], "big") for p in places]
        at += 2 + size
    ends = []
    for length in lengths:
        at += length
        ends.append(at)
    return ends
