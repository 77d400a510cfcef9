"""Carrying messages out, one after the other.

One processor works at a time, whatever number of processes run one: it holds an advisory lock of
the database. Messages have their effect in the order in which they were kept, each in one
transaction with the word that it was processed: killed at any moment, it has its effect once.
A message that cannot be carried out is put aside with its reason and the next one has its turn; a
database that does not answer is waited for.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
import structlog

from negatoscope.domain.messages import repository
from negatoscope.domain.messages.model import State
from negatoscope.infra.db import Database
from negatoscope.infra.errors import DatabaseUnavailable

_LOCK: Final = 0x4E45_4741_544F_0017
_BATCH: Final = 100
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


class Processor:
    """Takes waiting messages and hands them on.

    Args:
        database: Where they wait.
        handler: Does what they say.
    """

    def __init__(self, database: Database, handler: Handler) -> None:
        self._database = database
        self._handler = handler
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Work on a thread of its own until `stop`."""
        self._thread = threading.Thread(target=self._run, name="hl7-processor", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something was kept: look now."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the message under way and end."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                count = self.process_waiting()
            except (DatabaseUnavailable, psycopg.OperationalError) as error:
                _log.warning("hl7.database_unavailable", reason=str(error).split("\n")[0])
                self._stop.wait(_RETRY_S)
                continue
            if not count:
                self._wake.wait(_IDLE_S)
                self._wake.clear()

    def process_waiting(self) -> int:
        """Carry out what waits, at most `_BATCH`.

        Returns: How many were taken; none when another processor is at work.

        Raises:
            DatabaseUnavailable: it does not answer.
        """
        count = 0
        while count < _BATCH and not self._stop.is_set() and self._process_next():
            count += 1
        return count

    def _process_next(self) -> bool:
        with self._database.connection() as connection:
            row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,)).fetchone()
            if row is None or not row[0]:
                return False
            waiting = connection.execute(repository.SQL["next_pending"]).fetchone()
            if waiting is None:
                return False
            number, content = waiting
            state, reason, effect = self._outcome(connection, number, bytes(content))
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
