"""What is done again and again: each chore on a thread of its own, so that none waits for another."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from negatoscope.infra.logging import describe

_LOG = structlog.get_logger(__name__)

FIRST_DELAY_S: Final = 1.0
LONGEST_DELAY_S: Final = 300.0
PATIENT_NICENESS: Final = 19
"""Of a thread whose work nobody waits for; Linux keeps one value for each thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something to do at intervals.

    Attributes:
        name: For the log.
        every_s: Pause between two runs.
        run: Does what is due. It looks at the event it gets between steps, and returns when that
            is set. What it raises is logged, and it runs again after ``FIRST_DELAY_S``, then twice
            that, up to ``LONGEST_DELAY_S``.
        is_patient: Whether it takes only what others leave of the processors.
    """

    name: str
    every_s: float
    run: Callable[[threading.Event], None]
    is_patient: bool = False


@dataclass(slots=True)
class ChoreState:
    """How a chore is doing.

    Attributes:
        runs: Since the start of the process.
        started_s: When it began last, seconds since the epoch.
        seconds: How long it took last.
        is_running: Whether it is at it now.
        error: Why it failed last; empty after a good run.
    """

    runs: int = 0
    started_s: float = 0.0
    seconds: float = 0.0
    is_running: bool = False
    error: str = ""


class Chores:
    """Runs chores until stopped."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self._stop = threading.Event()
        self.states = {chore.name: ChoreState() for chore in chores}
        self._threads = [
            threading.Thread(target=self._repeat, args=(chore,), name=f"chore-{chore.name}")
            for chore in chores
        ]

    def start(self) -> None:
        """Start every chore."""
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    def stop(self, grace_s: float) -> None:
        """Ask them to end and wait for it; those that do not are left to the process's end."""
        self._stop.set()
        deadline_s = time.monotonic() + grace_s
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
            if thread.is_alive():
                _LOG.warning("a chore did not end in time", chore=thread.name)

    def _repeat(self, chore: Chore) -> None:
        if chore.is_patient:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), PATIENT_NICENESS)
        delay_s = FIRST_DELAY_S
        state = self.states[chore.name]
        while not self._stop.is_set():
            state.runs, state.started_s, state.is_running = state.runs + 1, time.time(), True
            try:
                chore.run(self._stop)
                pause_s, delay_s, state.error = chore.every_s, FIRST_DELAY_S, ""
            except Exception as error:  # noqa: BLE001 - a chore that fails once must run again
                pause_s, delay_s = delay_s, min(delay_s * 2, LONGEST_DELAY_S)
                state.error = describe(error)[:500]
                _LOG.error(
                    "a chore failed", chore=chore.name, reason=describe(error), again_in_s=pause_s
                )
            state.seconds, state.is_running = time.time() - state.started_s, False
            self._stop.wait(pause_s)
