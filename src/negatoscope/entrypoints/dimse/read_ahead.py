"""Objects read and verified by a second thread while the one before is sent and answered."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.reading import WHOLE_BYTES
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance

AHEAD_BYTES: Final = 4 << 20
"""Read ahead at most, but for one object of up to ``WHOLE_BYTES``."""

AHEAD_COUNT: Final = 64

SMALL_BYTES: Final = 64 << 10
"""Reading an object of this size costs no more than handing it to another thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An object, and its data set when it was read ahead.

    Attributes:
        data_set: Whole and verified, until the next object is asked for; ``None`` when it was
            too long, not wanted, or unreadable.
        error: Why it is unreadable.
    """

    stored: StoredInstance
    data_set: memoryview | None = None
    error: RetrieveError | None = None


def read_ahead(
    retrieval: Retrieval,
    instances: Iterator[StoredInstance],
    *,
    wanted: Callable[[StoredInstance], bool],
) -> Iterator[Loaded]:
    """The instances in order, read ahead.

    Args:
        retrieval: Where objects are read.
        instances: Which.
        wanted: Whether an object is worth reading.
    """

    free: list[bytearray] = []

    def load(stored: StoredInstance) -> Loaded:
        length = stored.data_set_length
        if length > WHOLE_BYTES or not wanted(stored):
            return Loaded(stored=stored)
        buffer = free.pop() if free else bytearray()
        if len(buffer) < length:
            buffer = bytearray(length)
        try:
            with retrieval.open(stored) as member:
                return Loaded(stored=stored, data_set=member.data_set_into(buffer))
        except RetrieveError as error:
            return Loaded(stored=stored, error=error)

    waiting: deque[tuple[int, Future[Loaded] | Loaded]] = deque()
    ahead = 0
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as reader:

        def first() -> Iterator[Loaded]:
            nonlocal ahead
            size, entry = waiting.popleft()
            ahead -= size
            loaded = entry if isinstance(entry, Loaded) else entry.result()
            yield loaded
            if loaded.data_set is not None and isinstance(loaded.data_set.obj, bytearray):
                free.append(loaded.data_set.obj)

        try:
            for stored in instances:
                size = min(stored.size, WHOLE_BYTES)
                small = size <= SMALL_BYTES
                waiting.append((size, load(stored) if small else reader.submit(load, stored)))
                ahead += size
                while (ahead > AHEAD_BYTES and len(waiting) > 1) or len(waiting) > AHEAD_COUNT:
                    yield from first()
            while waiting:
                yield from first()
        finally:
            for _, entry in waiting:
                if not isinstance(entry, Loaded):
                    entry.cancel()
