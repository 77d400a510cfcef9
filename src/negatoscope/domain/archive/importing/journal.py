"""The journal of one import: what an interrupted run had finished.

One text file per set of paths in the data directory, a JSON array per finished file, appended
without flushing: what a crash takes from it is offered again and found to be a duplicate. A run
that reaches its end removes it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from typing import TYPE_CHECKING, Self

from negatoscope.domain.archive.importing.errors import ImportRunning

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class ImportJournal:
    """Opened by one run at a time.

    Args:
        folder: of the data directory; made when absent.
        roots: the paths of the command, resolved.
    Raises: ImportRunning: another process imports the same paths.
    """

    def __init__(self, folder: Path, roots: Sequence[Path]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        names = "\n".join(sorted(str(root) for root in roots))
        digest = hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()
        self.path = folder / f"{digest[:24]}.journal"
        self._file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise ImportRunning("these paths are being imported by another process") from error
        self._finished = self._read()

    def _read(self) -> dict[str, str]:
        self._file.seek(0)
        finished = {}
        for line in self._file:
            try:
                name, stamp = json.loads(line)
            except (ValueError, TypeError):
                continue  # the last line of a killed run
            finished[str(name)] = str(stamp)
        return finished

    @property
    def resumes(self) -> bool:
        """Whether an earlier run was interrupted."""
        return bool(self._finished)

    def is_finished(self, label: str, stamp: str) -> bool:
        """Whether this very content was taken before."""
        return self._finished.get(label) == stamp

    def finish(self, label: str, stamp: str) -> None:
        """Remember that the archive has this content."""
        self._file.write(json.dumps([label, stamp], ensure_ascii=True) + "\n")
        self._file.flush()

    def remove(self) -> None:
        """The import reached its end."""
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let another run have it."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
