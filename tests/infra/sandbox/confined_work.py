"""What a codec that was taken over might try; each answers the number of the error, or 0."""

import ctypes
import mmap
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable


def prepare() -> None:
    """So that workers are confined."""


def _tried(act: Callable[[], object]) -> tuple[int, bytes]:
    try:
        act()
    except OSError as error:
        return error.errno or -1, b""
    return 0, b""


def read_a_file(_arguments: object, _parts: object) -> tuple[int, bytes]:
    """With what is in it."""
    return _tried(lambda: os.open("/etc/hostname", os.O_RDONLY))


def list_a_folder(_arguments: object, _parts: object) -> tuple[int, bytes]:
    """Names."""
    return _tried(lambda: os.listdir("/"))


def connect(_arguments: object, _parts: object) -> tuple[int, bytes]:
    """To the network."""
    return _tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))


def unix_socket(_arguments: object, _parts: object) -> tuple[int, bytes]:
    """To the database beside."""
    return _tried(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))


def start_a_program(_arguments: object, _parts: object) -> tuple[int, bytes]:
    """A shell."""
    return _tried(lambda: subprocess.run(["/bin/sh", "-c", "true"], check=False))


def fork(_arguments: object, _parts: object) -> tuple[int, bytes]:
    """A copy of itself."""

    def act() -> None:
        if os.fork() == 0:
            os._exit(0)

    return _tried(act)


def kill_the_parent(_arguments: object, _parts: object) -> tuple[int, bytes]:
    """The server."""
    return _tried(lambda: os.kill(os.getppid(), signal.SIGUSR1))


def signal_another_thread_group(_arguments: object, _parts: object) -> tuple[int, bytes]:
    """By the call that ends a process that aborts."""
    libc = ctypes.CDLL(None, use_errno=True)

    def act() -> None:
        parent = os.getppid()
        if libc.syscall({"x86_64": 234}.get(os.uname().machine, 131), parent, parent, 0):
            raise OSError(ctypes.get_errno(), "")

    return _tried(act)


def executable_memory(_arguments: object, _parts: object) -> tuple[int, bytes]:
    """For code of its own."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    protection = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    return _tried(lambda: mmap.mmap(-1, 4096, flags=flags, prot=protection))


def limits_of_the_parent(_arguments: object, _parts: object) -> tuple[int, bytes]:
    """Of another process."""
    import resource

    return _tried(lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE))


def change_the_rights_of_a_file(_arguments: object, _parts: object) -> tuple[int, bytes]:
    """And the like."""
    return _tried(lambda: os.chmod("/nowhere", 0o700))


def a_thread(_arguments: object, _parts: object) -> tuple[int, bytes]:
    """Allowed: codecs start some."""
    thread = threading.Thread(target=bytes)
    thread.start()
    thread.join()
    return 0, b""


FUNCTIONS = {
    one.__name__: one
    for one in (
        read_a_file, list_a_folder, connect, unix_socket, start_a_program, fork, kill_the_parent,
        signal_another_thread_group, executable_memory, limits_of_the_parent,
        change_the_rights_of_a_file, a_thread,
    )
}  # fmt: skip
