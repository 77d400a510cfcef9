"""The registry of application entities as the DICOM listener asks it."""

import queue
import threading
from collections.abc import Callable
from typing import Final

from negatoscope.domain.devices import ApplicationEntity
from negatoscope.infra.errors import DatabaseUnavailable

PATIENCE_S: Final = 5.0

_Answer = ApplicationEntity | Exception | None


class PatientRegistry:
    """Looks callers up, and does not wait for ever for a database that hangs.

    A query that gets no answer cannot be taken back: it goes on in a thread of its own while the caller is refused. As long
    as it does, nobody else is made to wait.

    Args:
        find: Asks the database.
        patience_s: How long an answer is waited for.
    """

    def __init__(
        self,
        find: Callable[[str], ApplicationEntity | None],
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._find = find
        self._patience_s = patience_s
        self._stuck: threading.Thread | None = None

    def find(self, ae_title: str) -> ApplicationEntity | None:
        """An entity by its title.

        Raises:
            DatabaseUnavailable: no answer, or none in time.
        """
        if self._stuck is not None and self._stuck.is_alive():
            raise _hangs()
        answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._find(ae_title))
            except Exception as error:  # noqa: BLE001 - raised again by who waits
                answers.put(error)

        thread = threading.Thread(target=ask, name="registry", daemon=True)
        thread.start()
        try:
            answer = answers.get(timeout=self._patience_s)
        except queue.Empty:
            self._stuck = thread
            raise _hangs() from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _hangs() -> DatabaseUnavailable:
    return DatabaseUnavailable(
        "the database does not answer", hint="it accepts connections and hangs: look at its log."
    )
