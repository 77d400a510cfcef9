"""Messages cut into P-DATA-TF PDUs, as buffers for a gathering write (PS3.8 §9.3.5, Annex E).

Nothing is copied: what comes out are 12-byte headers and views of what came in.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from negatoscope.protocols.dicom.dimse.transport import Buffer

_BATCH_BYTES: Final = 1 << 20
_BATCH_PARTS: Final = 256


class DataHeader(Protocol):
    """`Connection.data_header`."""

    def __call__(
        self, context_id: int, fragment_bytes: int, *, is_command: bool, is_last: bool
    ) -> bytes:
        """The 12 bytes before a fragment."""


def message_batches(
    header: DataHeader,
    context_id: int,
    command: bytes,
    data_set: Iterable[Buffer] | None,
    max_pdu_bytes: int,
) -> Iterator[list[Buffer]]:
    """A message as lists of buffers of about 1 MiB, to be written one after the other.

    Args:
        header: Makes the headers.
        context_id: Presentation context.
        command: Encoded command set.
        data_set: Pieces of any size, taken as the batches are; None when there is no data set.
        max_pdu_bytes: Longest PDU the peer takes (its length field).
    """
    limit = max_pdu_bytes - 6
    batch: list[Buffer] = []
    while len(command) > limit:
        batch += (header(context_id, limit, is_command=True, is_last=False), command[:limit])
        command = command[limit:]
    batch += (header(context_id, len(command), is_command=True, is_last=True), command)
    if data_set is None:
        yield batch
        return
    batch_bytes = 0
    fragment: list[Buffer] = []
    fragment_bytes = 0
    for piece in data_set:
        view = memoryview(piece)
        if view.itemsize != 1:
            view = view.cast("B")
        while view:
            if fragment_bytes == limit:  # and more follows: it is not the last
                batch.append(header(context_id, limit, is_command=False, is_last=False))
                batch += fragment
                batch_bytes += limit
                fragment, fragment_bytes = [], 0
                if batch_bytes >= _BATCH_BYTES or len(batch) >= _BATCH_PARTS:
                    yield batch
                    batch, batch_bytes = [], 0
            taken = view[: limit - fragment_bytes]
            fragment.append(taken)
            fragment_bytes += len(taken)
            view = view[len(taken) :]
    batch.append(header(context_id, fragment_bytes, is_command=False, is_last=True))
    batch += fragment
    yield batch
