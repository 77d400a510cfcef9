"""The worker's side: `python -m negatoscope.infra.sandbox.worker`.

It gives up what it does not need, loads what its functions load (`prepare` of the entry module, if
there is one), lets the kernel refuse all system calls but a few, then answers one call after the other. It ends when its parent
does: by the end of the socket when idle, by a signal that the kernel sends when the parent's end
of a pipe closes while C code runs.
"""

import ctypes
import fcntl
import importlib
import math
import os
import resource
import signal
import socket
import sys
from typing import Any

from negatoscope.infra.sandbox import wire
from negatoscope.infra.sandbox.confinement import confine

_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_NICE = 5
_OPEN_FILES = 64
_EXTRA_CPU_S = 1.0


def main(arguments: list[str]) -> None:
    """Serve until the parent is gone.

    Args:
        arguments: Descriptors of socket and life pipe, entry module, limits in bytes, seconds, bytes.
    """
    sock = socket.socket(fileno=int(arguments[0]))
    life = int(arguments[1])
    memory_bytes, cpu_s, output_bytes = int(arguments[3]), float(arguments[4]), int(arguments[5])
    _give_up_privileges()
    module = importlib.import_module(arguments[2])
    functions = module.FUNCTIONS
    statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    _die_with(life)
    limit = wire.virtual_bytes() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    unconfined = None
    if hasattr(module, "prepare"):
        module.prepare()
        unconfined = confine()
    wire.send(sock, {"ready": os.getpid(), "unconfined": unconfined})
    while True:
        try:
            call, parts = wire.receive(sock)
        except (wire.Closed, OSError):
            return
        _limit_cpu(cpu_s)
        answer, result = _answer(functions, call, parts, output_bytes)
        if wire.resident_bytes(statm) > memory_bytes:
            answer["last"] = True
        del parts
        try:
            wire.send(sock, answer, (result,))
        except (wire.Closed, OSError):
            return
        if answer.get("last"):
            return


def _answer(
    functions: Any, call: Any, parts: list[memoryview], output_bytes: int
) -> tuple[dict[str, Any], Any]:
    try:
        value, result = functions[call["function"]](call["arguments"], parts)
    except MemoryError:
        return {"killed": "memory", "last": True}, b""
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told
        code = getattr(error, "code", None)
        if isinstance(code, str):
            return {"refused": code, "reason": str(error)}, b""
        return {"failed": f"{type(error).__name__}: {error}"[:1000]}, b""
    if memoryview(result).nbytes > output_bytes:
        return {"killed": "output", "last": True}, b""
    return {"value": value}, result


def _give_up_privileges() -> None:
    """No new privileges, no core dump, no file written, few files, lower priority."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)


def _die_with(life: int) -> None:
    """Have the kernel kill this process when the last writer of a pipe is gone.

    PR_SET_PDEATHSIG would do so when the *thread* that started us ends.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(life, fcntl.F_GETFL)
    fcntl.fcntl(life, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
    try:
        if os.read(life, 1) == b"":
            sys.exit(0)
    except BlockingIOError:
        pass


def _limit_cpu(cpu_s: float) -> None:
    """Processor seconds from now on: SIGXCPU ends the process (getrlimit(2))."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used + cpu_s + _EXTRA_CPU_S), hard))


if __name__ == "__main__":
    main(sys.argv[1:])
