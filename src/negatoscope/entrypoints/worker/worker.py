"""The worker process: jobs, the outbox, chores."""

import asyncio
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from negatoscope.entrypoints.worker.chores import Chore, Chores
from negatoscope.entrypoints.worker.outbox import OutboxConsumer, Subscriber
from negatoscope.infra.db import Database
from negatoscope.infra.jobs import Tasks, new_app
from negatoscope.infra.jobs.monitor import remember_failures
from negatoscope.infra.logging import describe

_LOG = structlog.get_logger(__name__)

_RECONNECT_DELAY_S = 2.0


class Worker:
    """Runs until SIGTERM or SIGINT.

    Args:
        database: The database, for the outbox.
        subscribers: Of outbox events, by kind.
        chores: What is done at intervals.
        tasks: Collections of job tasks by name.
        services: What tasks find in their context.
        concurrency: Jobs at a time.
        grace_s: How long running work may go on after the signal.
    """

    def __init__(
        self,
        *,
        database: Database,
        subscribers: Mapping[str, Sequence[Subscriber]],
        chores: Sequence[Chore],
        tasks: Mapping[str, Tasks],
        services: Mapping[str, Any],
        concurrency: int = 2,
        grace_s: float = 30.0,
    ) -> None:
        self._database = database
        self._outbox = OutboxConsumer(database, subscribers)
        self._chores = Chores(chores)
        self._tasks = tasks
        self._services = dict(services)
        self._concurrency = concurrency
        self._grace_s = grace_s

    def report(self) -> dict[str, Any]:
        """How the chores are doing."""
        return {
            "chores": [
                {
                    "name": name,
                    "runs": state.runs,
                    "started_s": state.started_s,
                    "seconds": round(state.seconds, 3),
                    "is_running": state.is_running,
                    "error": state.error,
                }
                for name, state in self._chores.states.items()
            ]
        }

    def run(self, on_ready: Callable[[], None]) -> None:
        """Work until told to stop, then end what is under way.

        Args:
            on_ready: Called when everything has started.
        """
        stop = threading.Event()
        outbox = threading.Thread(target=self._outbox.run, args=(stop,), name="outbox")
        outbox.start()
        self._chores.start()
        try:
            asyncio.run(self._run_jobs(on_ready))
        finally:
            stop.set()
            self._chores.stop(self._grace_s)
            outbox.join(self._grace_s)

    async def _run_jobs(self, on_ready: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        on_ready()
        while not stopping.is_set():
            jobs = asyncio.create_task(self._work())
            told = asyncio.create_task(stopping.wait())
            await asyncio.wait({jobs, told}, return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            if stopping.is_set():
                jobs.cancel()  # procrastinate ends its running jobs within the grace, then returns
            try:
                await jobs
            except asyncio.CancelledError:
                pass
            except Exception as error:  # noqa: BLE001 - a broken connection has many faces; jobs wait
                _LOG.warning("jobs wait for the database", reason=describe(error))
                await self._pause(stopping)

    async def _work(self) -> None:
        app = new_app(self._database.url, self._tasks)
        remember_failures(self._database)
        async with app.open_async():
            await app.run_worker_async(
                concurrency=self._concurrency,
                install_signal_handlers=False,
                shutdown_graceful_timeout=self._grace_s,
                delete_jobs="successful",
                additional_context=self._services,
            )

    @staticmethod
    async def _pause(stopping: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(_RECONNECT_DELAY_S):
                await stopping.wait()
        except TimeoutError:
            return
