"""Several clients that start together."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Tally:
    """What one client did."""

    durations_s: list[float] = field(default_factory=list)
    failures: int = 0
    byte_count: int = 0
    started_at: float = 0.0
    ended_at: float = 0.0
    error: BaseException | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewResult:
    """What all of them did, and what it cost this process."""

    tallies: tuple[Tally, ...]
    duration_s: float
    client_cpu_s: float

    @property
    def durations_s(self) -> list[float]:
        """Of every operation."""
        return [duration for tally in self.tallies for duration in tally.durations_s]

    @property
    def failures(self) -> int:
        """Operations that did not succeed."""
        return sum(tally.failures for tally in self.tallies)

    @property
    def byte_count(self) -> int:
        """Payload of all."""
        return sum(tally.byte_count for tally in self.tallies)


def run_crew(
    size: int, prepare: Callable[[int], Callable[[Tally], None]], *, timeout_s: float = 3600.0
) -> CrewResult:
    """Run ``size`` clients, a thread each; all are prepared before the first works.

    Args:
        prepare: called with the client's number in its thread: connects, builds buffers, and gives
            back the function to be measured.
    Raises: what a client raised, when none of them got anything done.
    """
    barrier = threading.Barrier(size + 1)
    tallies = tuple(Tally() for _ in range(size))

    def client(number: int) -> None:
        tally = tallies[number]
        try:
            work = prepare(number)
        except BaseException as error:  # noqa: BLE001 - raised again below
            tally.error = error
            barrier.abort()
            return
        try:
            barrier.wait(timeout_s)
        except threading.BrokenBarrierError:
            return
        tally.started_at = time.perf_counter()
        try:
            work(tally)
        except Exception as error:  # noqa: BLE001 - one failed client is part of the result
            tally.error = error
            tally.failures += 1
        tally.ended_at = time.perf_counter()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(size)]
    for thread in threads:
        thread.start()
    with contextlib.suppress(threading.BrokenBarrierError):
        barrier.wait(timeout_s)
    cpu_before_s = time.process_time()
    for thread in threads:
        thread.join()
    cpu_s = time.process_time() - cpu_before_s
    worked = [tally for tally in tallies if tally.started_at]
    errors = [tally.error for tally in tallies if tally.error is not None]
    if errors and not any(tally.durations_s for tally in tallies):
        raise errors[0]
    return CrewResult(
        tallies=tallies,
        duration_s=max(tally.ended_at for tally in worked)
        - min(tally.started_at for tally in worked),
        client_cpu_s=cpu_s,
    )
