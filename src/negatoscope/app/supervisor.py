"""Keeps the processes of ``serve`` running: start, restart with back-off, orderly stop.

The supervisor itself does nothing else, so there is little in it that can fail. Its children die
with it (``process.die_with_parent``); the embedded PostgreSQL goes on and is joined by the next
supervisor.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from negatoscope.app.process import READY_FD, SUPERVISOR_PID
from negatoscope.infra import metrics
from negatoscope.infra.db.embedded import EmbeddedPostgres
from negatoscope.infra.errors import InfraError
from negatoscope.infra.settings import Settings

_LOG = structlog.get_logger(__name__)

FIRST_DELAY_S: Final = 0.5
LONGEST_DELAY_S: Final = 30.0
STEADY_AFTER_S: Final = 60.0
"""A process that lived this long starts again without delay."""
STARTS_BEFORE_READY: Final = 3
ONCE_PATIENCE_S: Final = 90.0
"""How long work that is done once may hold up the word that everything is ready."""
_TICK_S: Final = 0.5
_KILL_MARGIN_S: Final = 3.0


@dataclass(slots=True, kw_only=True)
class Child:
    """One process.

    Attributes:
        name: ``dicom``, ``dicom-2``, ``http``, ``worker`` …
        arguments: After ``negatoscope``.
        once: Does its work and ends; started again only when that failed.
    """

    name: str
    arguments: Sequence[str]
    once: bool = False
    process: subprocess.Popen[bytes] | None = None
    ready: bool = False
    ready_fd: int | None = None
    finished: bool = False
    starts: int = 0
    started_at_s: float = 0.0
    next_start_s: float = 0.0
    delay_s: float = field(default=FIRST_DELAY_S)


class Supervisor:
    """Runs children until it is told to stop.

    Args:
        settings: In force; those of the command line are handed on in the environment.
        url: The database.
        embedded: The embedded server, if it is ours: restarted when it dies.
        children: What to run.
        on_ready: Called once, when every child answers.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        url: str,
        embedded: EmbeddedPostgres | None,
        children: Sequence[Child],
        on_ready: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._embedded = embedded
        self._children = list(children)
        self._on_ready = on_ready
        self._announced = False
        self._stopping = 0
        self._exit_code = 0
        self._database_retry_s = 0.0
        self._database_delay_s = FIRST_DELAY_S
        self._environment = child_environment(settings, url)
        self._metrics_dir = metrics.prepare(settings.data_dir, self._environment)

    def run(self) -> int:
        """Run until SIGTERM or SIGINT.

        Returns: The exit code: 0 after an orderly stop, that of a child that could not start.
        """
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        previous_fd = signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        previous = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
        }
        try:
            while not self._stopping:
                self._tick()
                self._sleep(wake_read)
            self._stop_children(wake_read)
        finally:
            for child in self._children:
                if child.process is not None and child.process.poll() is None:
                    child.process.kill()
                    child.process.wait()
            metrics.discard(self._metrics_dir)
            for number, handler in previous.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(previous_fd)
            os.close(wake_read)
            os.close(wake_write)
        return self._exit_code

    def _on_signal(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self._stopping += 1

    def _sleep(self, wake_read: int) -> None:
        waiting = [child.ready_fd for child in self._children if child.ready_fd is not None]
        select.select([wake_read, *waiting], [], [], _TICK_S)
        try:
            while os.read(wake_read, 256):
                pass
        except BlockingIOError:
            pass

    def _tick(self) -> None:
        self._look_after_database()
        now_s = time.monotonic()
        for child in self._children:
            self._look_for_ready(child)
            if child.process is not None and child.process.poll() is not None:
                self._ended(child, child.process.returncode, now_s)
            wanted = child.process is None and not child.finished
            if wanted and now_s >= child.next_start_s and not self._stopping:
                self._start(child)
        if not self._announced and all(_has_begun(child) for child in self._children):
            self._announced = True
            self._on_ready()

    def _start(self, child: Child) -> None:
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(read_fd, False)
        try:
            child.process = subprocess.Popen(
                [sys.executable, "-m", "negatoscope", *child.arguments],
                env={
                    **self._environment,
                    SUPERVISOR_PID: str(os.getpid()),
                    READY_FD: str(write_fd),
                },
                pass_fds=[write_fd],
                stdin=subprocess.DEVNULL,
            )
        finally:
            os.close(write_fd)
        child.ready_fd = read_fd
        child.ready = False
        child.starts += 1
        child.started_at_s = time.monotonic()
        _LOG.info("process started", process=child.name, pid=child.process.pid)

    def _look_for_ready(self, child: Child) -> None:
        if child.ready_fd is None:
            return
        try:
            said = os.read(child.ready_fd, 1)
        except BlockingIOError:
            return
        child.ready = child.ready or said == b"R"
        os.close(child.ready_fd)
        child.ready_fd = None

    def _ended(self, child: Child, code: int, now_s: float) -> None:
        assert child.process is not None  # noqa: S101 - narrowed for the type checker
        metrics.forget_process(child.process.pid, self._metrics_dir)
        child.process = None
        child.ready = False
        if child.ready_fd is not None:
            os.close(child.ready_fd)
            child.ready_fd = None
        if child.once and code == 0:
            child.finished = True
            return
        if not self._announced and not child.once and child.starts >= STARTS_BEFORE_READY:
            _LOG.error("process cannot start, giving up", process=child.name, code=code)
            self._exit_code = code if code > 0 else 1
            self._stopping += 1
            return
        if now_s - child.started_at_s >= STEADY_AFTER_S:
            child.delay_s = FIRST_DELAY_S
        _LOG.error(
            "process ended and is started again",
            process=child.name,
            code=code,
            delay_s=child.delay_s,
        )
        child.next_start_s = now_s + child.delay_s
        child.delay_s = min(child.delay_s * 2, LONGEST_DELAY_S)

    def _look_after_database(self) -> None:
        now_s = time.monotonic()
        if self._embedded is None or now_s < self._database_retry_s:
            return
        if self._embedded.pid is not None:
            self._database_delay_s = FIRST_DELAY_S
            return
        _LOG.error("the embedded PostgreSQL is gone and is started again")
        try:
            self._embedded.start()
        except InfraError as error:
            _LOG.error(error.message, hint=error.hint, delay_s=self._database_delay_s)
            self._database_retry_s = now_s + self._database_delay_s
            self._database_delay_s = min(self._database_delay_s * 2, LONGEST_DELAY_S)

    def _stop_children(self, wake_read: int) -> None:
        """SIGTERM to all, then patience, then SIGKILL; a second signal ends the patience."""
        grace_s = self._settings.stop_grace_s
        _LOG.info("stopping", grace_s=grace_s)
        running = [child for child in self._children if child.process is not None]
        for child in running:
            assert child.process is not None  # noqa: S101
            child.process.terminate()
        deadline_s = time.monotonic() + grace_s + _KILL_MARGIN_S
        asked = self._stopping
        while time.monotonic() < deadline_s and self._stopping == asked:
            running = [child for child in running if child.process and child.process.poll() is None]
            if not running:
                return
            self._sleep(wake_read)
        for child in running:
            if child.process is not None and child.process.poll() is None:
                _LOG.error("process did not stop and is killed", process=child.name)
                child.process.kill()
                child.process.wait()


def _has_begun(child: Child) -> bool:
    """Whether nobody need wait for it any more: it answers, has done its work, or takes long."""
    if child.ready or not child.once:
        return child.ready
    long_ago_s = time.monotonic() - ONCE_PATIENCE_S
    return child.finished or child.starts > 1 or 0 < child.started_at_s < long_ago_s


def child_environment(settings: Settings, url: str) -> dict[str, str]:
    """The environment that gives a child the same settings.

    The database's address goes this way too: other accounts can read a command line.
    """
    environment: dict[str, str] = dict(os.environ)
    for name in type(settings).model_fields:
        if settings.source(name) == "command line":
            environment[f"NEGATOSCOPE_{name.upper()}"] = str(getattr(settings, name))
    environment["NEGATOSCOPE_DATA_DIR"] = str(settings.data_dir)
    environment["NEGATOSCOPE_DATABASE_URL"] = url
    return environment
