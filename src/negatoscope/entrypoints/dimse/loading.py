"""Stored objects made ready to be sent: read and compared while the peer still answers for the one before.

A channel awaits an answer only when it has the next object in hand, so reading one here costs the peer no waiting; a second
thread was tried and measured, and cost more than the CRC-32 it took over.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.reading import WHOLE_BYTES
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An object, and its data set when it was read.

    Attributes:
        data_set: Whole and compared, until the next object is asked for; ``None`` when it was too
            long, not wanted, or unreadable.
        error: Why it is unreadable.
    """

    stored: StoredInstance
    data_set: memoryview | None = None
    error: RetrieveError | None = None


def load_each(
    retrieval: Retrieval,
    instances: Iterator[StoredInstance],
    *,
    wanted: Callable[[StoredInstance], bool],
) -> Iterator[Loaded]:
    """The instances in order, each read into the same buffer.

    Args:
        retrieval: Where objects are read.
        instances: Which.
        wanted: Whether an object is worth reading.
    """
    buffer = bytearray()
    for stored in instances:
        length = stored.data_set_length
        if length > WHOLE_BYTES or not wanted(stored):
            yield Loaded(stored=stored)
            continue
        if len(buffer) < length:
            buffer = bytearray(length)
        try:
            with retrieval.open(stored) as member:
                loaded = Loaded(stored=stored, data_set=member.data_set_into(buffer))
        except RetrieveError as error:
            loaded = Loaded(stored=stored, error=error)
        yield loaded
