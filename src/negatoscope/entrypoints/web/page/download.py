"""A study or a series as a ZIP of Part 10 files, written while it is sent.

The files are stored, not deflated: pixels do not get smaller, and bytes stay those received.
Names are ours: series number and position, nothing a peer chose.
"""

import zipfile
from collections.abc import Iterator

from negatoscope.domain.archive.retrieve import Retrieval, Selection


class _Sink:
    """A file that is only written to and forgets what was taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def zip_of(retrieval: Retrieval, selection: Selection) -> Iterator[bytes]:
    """The archive, piece by piece.

    Raises:
        RetrieveError: an object cannot be read; the archive then has no directory and no reader
            takes it for whole.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for number, key in enumerate(retrieval.series(selection), 1):
            for position, stored in enumerate(retrieval.of_series([key]), 1):
                info = zipfile.ZipInfo(f"{number:04}/{position:06}.dcm")
                info.file_size = stored.size
                with retrieval.open(stored) as member, archive.open(info, "w") as file:
                    for chunk in member.file():
                        file.write(chunk)
                        yield sink.take()
    yield sink.take()
