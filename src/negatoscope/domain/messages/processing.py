"""Carrying messages out: in order for each patient, of different patients side by side.

Any number of processors in any number of processes share the work: each locks the row of a
message. A message waits while an earlier one that names one of its patients waits or is under
way, so that what happened to a patient has its effect in the order in which it was kept. Two
identifiers that one patient has are the same patient; identifiers are compared without their
authority, which at worst makes one wait for nothing. Messages that name nobody keep their order
among themselves. Each has its effect in one transaction with the word that it was processed:
killed at any moment, it has it once. A message that cannot be carried out is put aside with its
reason and the next one has its turn; a database that does not answer is waited for.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
import structlog

from negatoscope.domain.messages import repository
from negatoscope.domain.messages.model import MAX_IDENTIFIERS, State
from negatoscope.infra.db import Database
from negatoscope.infra.errors import DatabaseUnavailable

_BATCH: Final = 100
_WINDOW: Final = 64
"""Messages that are looked at for one whose patients are free."""
_IDLE_S: Final = 0.5
_RETRY_S: Final = 2.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a message did.

    Attributes:
        effect: For the list: JSON, our own numbers and words, no traits.
    """

    effect: Mapping[str, Any] = field(default_factory=dict)


class CannotApply(Exception):
    """The message needs a person.

    Args:
        reason: Lower case, no full stop, no traits.
        segment: What is to blame.
        field: Its field.
    """

    def __init__(self, reason: str, *, segment: str = "", field: int = 0) -> None:
        super().__init__(reason)
        self.reason = f"{segment}-{field}: {reason}" if segment and field else reason


class Ignored(Exception):
    """Nothing here depends on the message.

    Args:
        reason: Lower case, no full stop.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


Handler = Callable[[psycopg.Connection[Any], int, bytes], Outcome]
"""Carries a message out inside a transaction: connection, the message's number, its bytes."""

Holders = Callable[[psycopg.Connection[Any], Sequence[str]], Mapping[str, frozenset[int]]]
"""Which patients have identifiers of these values."""


class Processor:
    """Takes waiting messages and hands them on.

    Args:
        database: Where they wait.
        handler: Does what they say.
        holders: Says whose identifiers are one patient's; without it each is for itself.
        threads: How many are carried out side by side in this process.
    """

    def __init__(
        self,
        database: Database,
        handler: Handler,
        *,
        holders: Holders | None = None,
        threads: int = 1,
    ) -> None:
        self._database = database
        self._handler = handler
        self._holders = holders
        self._stop = threading.Event()
        self._wakes = [threading.Event() for _ in range(threads)]
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Work on threads of its own until `stop`."""
        self._threads = [
            threading.Thread(target=self._run, args=(wake,), name="hl7-processor", daemon=True)
            for wake in self._wakes
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Something was kept: look now."""
        for wake in self._wakes:
            wake.set()

    def stop(self) -> None:
        """Finish the messages under way and end."""
        self._stop.set()
        self.wake()
        for thread in self._threads:
            thread.join()

    def _run(self, wake: threading.Event) -> None:
        while not self._stop.is_set():
            try:
                count = self.process_waiting()
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                continue  # two messages crossed; this one had no effect yet
            except (DatabaseUnavailable, psycopg.OperationalError) as error:
                _log.warning("hl7.database_unavailable", reason=str(error).split("\n")[0])
                self._stop.wait(_RETRY_S)
                continue
            if not count:
                wake.wait(_IDLE_S)
                wake.clear()

    def process_waiting(self) -> int:
        """Carry out what waits, at most `_BATCH`.

        Returns: How many were taken; none when nothing waits whose patients are free.

        Raises:
            DatabaseUnavailable: it does not answer.
        """
        count = 0
        while count < _BATCH and not self._stop.is_set() and self._process_next():
            count += 1
        return count

    def _process_next(self) -> bool:
        with self._database.connection() as connection:
            taken: set[str | int] = set()
            window = connection.execute(repository.SQL["window"], {"limit": _WINDOW}).fetchall()
            # Read after the window: what a message that is done has joined is seen joined.
            values = {one for _, identifiers in window for one in identifiers if "^" not in one}
            same: Mapping[str, frozenset[int]] = {}
            if self._holders is not None and len(window) > 1:
                same = self._holders(connection, sorted(values))
            for number, identifiers in window:
                if len(identifiers) >= MAX_IDENTIFIERS:  # it may name more than are kept: alone
                    return not taken and self._take(connection, number)
                keys: set[str | int] = {one for one in identifiers if "^" not in one}
                keys |= {patient for one in identifiers for patient in same.get(one, ())}
                keys = keys or {""}
                if not keys & taken and self._take(connection, number):
                    return True
                taken |= keys
        return False

    def _take(self, connection: psycopg.Connection[Any], number: int) -> bool:
        """Carry a message out unless another processor has it."""
        claimed = connection.execute(repository.SQL["claim"], {"id": number}).fetchone()
        if claimed is None:
            return False
        state, reason, effect = self._outcome(connection, number, bytes(claimed[0]))
        repository.finish(connection, number, state=state, reason=reason, effect=effect)
        return True

    def _outcome(
        self, connection: psycopg.Connection[Any], number: int, content: bytes
    ) -> tuple[State, str, Mapping[str, Any]]:
        """Have a message its effect; of what fails nothing stays."""
        try:
            with connection.transaction():
                outcome = self._handler(connection, number, content)
        except Ignored as error:
            return State.IGNORED, error.reason, {}
        except CannotApply as error:
            return State.FAILED, error.reason, {}
        except psycopg.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - logged; the next message has its turn
            _log.exception("hl7.message_failed", message_id=number)
            return State.FAILED, f"internal error ({type(error).__name__})", {}
        return State.PROCESSED, "", outcome.effect
