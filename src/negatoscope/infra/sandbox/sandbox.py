"""The parent's side: a few workers, each with one piece of work at a time."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import structlog

from negatoscope.infra.sandbox import wire
from negatoscope.infra.sandbox.errors import SandboxBusy, WorkFailed, WorkKilled, WorkRefused

_log = structlog.get_logger(__name__)
_START_TIMEOUT_S: Final = 60.0
_QUEUE_FACTOR: Final = 64
_BUFFER_BYTES: Final = 1 << 20
_PACKAGE_ROOT: Final = Path(__file__).resolve().parents[3]
#: Libraries that would otherwise start a thread per core in each worker.
_ONE_THREAD: Final = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
_KEPT_ENVIRONMENT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "TMPDIR")


class Sandbox:
    """Workers for the functions of one module. One per process; safe for many threads.

    Workers are started when needed, used again, and replaced when they die.

    Args:
        entry: Dotted module whose FUNCTIONS maps names to callables: they get the arguments and
            the payload (memoryviews), and return a JSON-able value and bytes. An exception with a
            `code` is a refusal that the caller gets as `WorkRefused`. When it has a `prepare`, that
            loads all they load later, and workers are confined (`confinement`) after it.
        processes: Workers at most.
        memory_bytes: Address space for one piece of work, beyond what the imports take.
        cpu_s: Processor seconds for one piece of work.
        wall_s: Seconds for one piece of work.
        output_bytes: Longest result.
        queue_s: Longest wait for a free worker.
    """

    def __init__(
        self,
        *,
        entry: str,
        processes: int,
        memory_bytes: int,
        cpu_s: float,
        wall_s: float,
        output_bytes: int,
        queue_s: float = 30.0,
    ) -> None:
        self._entry = entry
        self._processes = processes
        self._memory_bytes = memory_bytes
        self._cpu_s = cpu_s
        self._wall_s = wall_s
        self._output_bytes = output_bytes
        self._queue_s = queue_s
        self._condition = threading.Condition()
        self._idle: list[_Worker] = []
        self._count = 0
        self._waiting = 0
        self._closed = False

    def run(
        self,
        function: str,
        arguments: Mapping[str, Any],
        payload: Sequence[wire.Part] = (),
        *,
        wall_s: float | None = None,
    ) -> tuple[Any, memoryview]:
        """Call a function in a worker.

        Args:
            function: Its name in FUNCTIONS.
            arguments: Plain JSON-able values.
            payload: Bytes that travel raw.
            wall_s: Another time limit than the sandbox's.

        Returns: The function's value and its bytes.

        Raises:
            WorkKilled: crash, memory, processor, wall clock or output; this work only.
            WorkRefused: an error that the function declares.
            WorkFailed: any other error of the function.
            SandboxBusy: no worker became free.
        """
        worker = self._take()
        usable = False
        try:
            value, result, usable = worker.call(
                {"function": function, "arguments": dict(arguments)},
                payload,
                wall_s=wall_s if wall_s is not None else self._wall_s,
                output_bytes=self._output_bytes,
            )
            return value, result
        except (WorkRefused, WorkFailed):
            usable = True
            raise
        finally:
            self._give_back(worker if usable else None)
            if not usable:
                worker.kill()

    def close(self) -> None:
        """End the workers; those at work when they have answered."""
        with self._condition:
            self._closed = True
            idle, self._idle = self._idle, []
            self._condition.notify_all()
        for worker in idle:
            worker.kill()

    def __enter__(self) -> Self:
        """The sandbox itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _take(self) -> "_Worker":
        deadline = time.monotonic() + self._queue_s
        with self._condition:
            while True:
                if self._closed:
                    raise SandboxBusy("the sandbox is closed")
                while self._idle:
                    worker = self._idle.pop()
                    if worker.is_alive():
                        return worker
                    self._count -= 1
                    worker.kill()
                if self._count < self._processes:
                    self._count += 1
                    break
                if self._waiting >= _QUEUE_FACTOR * self._processes:
                    raise SandboxBusy(f"{self._waiting} calls wait already")
                self._waiting += 1
                try:
                    if not self._condition.wait(deadline - time.monotonic()):
                        raise SandboxBusy(f"no worker became free in {self._queue_s:g} s")
                finally:
                    self._waiting -= 1
        try:
            return _Worker(
                self._entry,
                memory_bytes=self._memory_bytes,
                cpu_s=self._cpu_s,
                output_bytes=self._output_bytes,
            )
        except BaseException:
            self._give_back(None)
            raise

    def _give_back(self, worker: "_Worker | None") -> None:
        with self._condition:
            if worker is not None and not self._closed:
                self._idle.append(worker)
            else:
                self._count -= 1
            self._condition.notify()
        if worker is not None and self._closed:
            worker.kill()


@cache
def _tell_unconfined(reason: str) -> None:
    """Once for each process."""
    _log.warning("workers may make any system call", reason=reason)


class _Worker:
    """One child process in its own process group."""

    def __init__(self, entry: str, *, memory_bytes: int, cpu_s: float, output_bytes: int) -> None:
        ours, theirs = socket.socketpair()
        reader, self._life = os.pipe2(os.O_CLOEXEC)
        try:
            for sock in (ours, theirs):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
            environment = {
                name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ
            }
            paths = [str(_PACKAGE_ROOT), *(path for path in sys.path if path)]
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-B",
                    "-m",
                    "negatoscope.infra.sandbox.worker",
                    str(theirs.fileno()),
                    str(reader),
                    entry,
                    str(memory_bytes),
                    str(cpu_s),
                    str(output_bytes),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                close_fds=True,
                pass_fds=(theirs.fileno(), reader),
                process_group=0,
                cwd="/",
                env={**environment, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(paths)},
            )
        except BaseException:
            ours.close()
            os.close(self._life)
            raise
        finally:
            theirs.close()
            os.close(reader)
        self._socket = ours
        try:
            ours.settimeout(_START_TIMEOUT_S)
            ready, _ = wire.receive(ours, most=0)
        except (wire.Closed, wire.TooLong, OSError) as error:
            self.kill()
            raise WorkFailed(f"a worker of {entry} does not start") from error
        if ready.get("unconfined"):
            _tell_unconfined(str(ready["unconfined"]))

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def call(
        self,
        message: dict[str, Any],
        payload: Sequence[wire.Part],
        *,
        wall_s: float,
        output_bytes: int,
    ) -> tuple[Any, memoryview, bool]:
        """One piece of work. Returns: value, bytes, whether the worker can go on."""
        try:
            self._socket.settimeout(wall_s)
            wire.send(self._socket, message, payload)
            answer, parts = wire.receive(self._socket, most=output_bytes)
        except TimeoutError as error:
            self.kill()
            raise WorkKilled(f"wall clock: more than {wall_s:g} s") from error
        except wire.TooLong as error:
            self.kill()
            raise WorkKilled(f"output: more than {output_bytes} bytes") from error
        except (wire.Closed, OSError, ValueError) as error:
            self.kill()
            raise WorkKilled(self._cause_of_death()) from error
        if "killed" in answer:
            raise WorkKilled(f"{answer['killed']}: more than the limit")
        if "refused" in answer:
            raise WorkRefused(str(answer["refused"]), str(answer.get("reason")))
        if "failed" in answer:
            raise WorkFailed(str(answer["failed"]))
        return answer["value"], parts[0], not answer.get("last")

    def kill(self) -> None:
        """End the process group and reap the process."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._socket.close()
        if self._life >= 0:
            os.close(self._life)
            self._life = -1

    def _cause_of_death(self) -> str:
        code = self._process.returncode
        if code is None or code >= 0:
            return f"crash: the worker ended with {code}"
        if code == -signal.SIGXCPU:
            return "processor: more seconds than the limit"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = str(-code)
        return f"crash: {name}"
