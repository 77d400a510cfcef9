"""A list of the system calls that a worker may make (seccomp(2)): the rest are refused by the kernel.

What a peer's bytes make of a codec can then compute, and answer on the socket it has; it cannot
open a file or a connection, start a program, map memory that can be executed, or signal another
process. The list was measured on the workers of every codec (`tests/domain/viewing/test_confined.py`
runs them all) and holds what the C library needs for memory, time, threads and ending.
"""

import ctypes
import os
import platform
from collections.abc import Sequence
from struct import Struct
from typing import Final

_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_KILL_PROCESS: Final = 0x80000000
_EPERM: Final = 0x00050000 | 1
_ENOSYS: Final = 0x00050000 | 38
_CLONE_THREAD: Final = 0x00010000
_PROT_EXEC: Final = 4
_X32_BIT: Final = 0x40000000
#: Offsets in `struct seccomp_data` (seccomp(2)): number, architecture, low half of each argument.
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_ARGUMENT: Final = (16, 24, 32, 40, 48, 56)
#: BPF: load a word, compare, test bits, return.
_LOAD: Final = 0x20
_IF_EQUAL: Final = 0x15
_IF_AT_LEAST: Final = 0x35
_IF_BITS: Final = 0x45
_RETURN: Final = 0x06
_INSTRUCTION: Final = Struct("HBBI")

#: Numbers on x86-64 and AArch64; None where the architecture has none.
_CALLS: Final[dict[str, tuple[int | None, int | None]]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "poll": (7, None),
    "lseek": (8, 62),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "readv": (19, 65),
    "writev": (20, 66),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "sendto": (44, 206),
    "recvfrom": (45, 207),
    "sendmsg": (46, 211),
    "recvmsg": (47, 212),
    "exit": (60, 93),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "set_robust_list": (273, 99),
    "ppoll": (271, 73),
    "getcpu": (309, 168),
    "getrandom": (318, 278),
    "rseq": (334, 293),
}
#: Allowed when an argument is right: number, argument, how.
_MMAP: Final = (9, 222)
_MPROTECT: Final = (10, 226)
_CLONE: Final = (56, 220)
_TGKILL: Final = (234, 131)
_PRLIMIT: Final = (302, 261)
_CLONE3: Final = (435, 435)
_ARCHITECTURES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


def confine() -> str | None:
    """Refuse every other system call from now on, in this thread and those it starts.

    Needs `PR_SET_NO_NEW_PRIVS` before. There is no way back.

    Returns: Why it could not be done; None when it was.
    """
    found = _ARCHITECTURES.get(platform.machine())
    if found is None or os.name != "posix":
        return f"no list of system calls for {platform.machine()}"
    code = program(*found, process_id=os.getpid())
    raw = ctypes.create_string_buffer(code, len(code))

    class _Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    given = _Program(len(code) // _INSTRUCTION.size, ctypes.addressof(raw))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(given), 0, 0):
        return f"the kernel refuses: {os.strerror(ctypes.get_errno())}"
    return None


def program(column: int, architecture: int, *, process_id: int) -> bytes:
    """The filter in classic BPF.

    Args:
        column: Of the table of calls.
        architecture: AUDIT_ARCH_… of the calls it judges; another kills the process.
        process_id: That may be signalled: one's own.
    """
    code = [
        _code(_LOAD, _ARCHITECTURE),
        _code(_IF_EQUAL, architecture, if_true=1),
        _code(_RETURN, _KILL_PROCESS),
        _code(_LOAD, _NUMBER),
    ]
    if column == 0:
        code += [_code(_IF_AT_LEAST, _X32_BIT, if_false=1), _code(_RETURN, _KILL_PROCESS)]
    code += _when(_MMAP[column], 2, _code(_IF_BITS, _PROT_EXEC, if_true=1))
    code += _when(_MPROTECT[column], 2, _code(_IF_BITS, _PROT_EXEC, if_true=1))
    code += _when(_CLONE[column], 0, _code(_IF_BITS, _CLONE_THREAD, if_false=1))
    code += _when(_TGKILL[column], 0, _code(_IF_EQUAL, process_id, if_false=1))
    code += _when(_PRLIMIT[column], 0, _code(_IF_EQUAL, 0, if_false=1))
    code += [_code(_IF_EQUAL, _CLONE3[column], if_false=1), _code(_RETURN, _ENOSYS)]
    for numbers in _CALLS.values():
        number = numbers[column]
        if number is not None:
            code += [_code(_IF_EQUAL, number, if_false=1), _code(_RETURN, _ALLOW)]
    code.append(_code(_RETURN, _EPERM))
    return b"".join(code)


def _when(number: int, argument: int, test: bytes) -> Sequence[bytes]:
    """Allow one call when a test of one argument falls through, else refuse it."""
    return (
        _code(_IF_EQUAL, number, if_false=4),
        _code(_LOAD, _ARGUMENT[argument]),
        test,
        _code(_RETURN, _ALLOW),
        _code(_RETURN, _EPERM),
    )


def _code(operation: int, value: int, *, if_true: int = 0, if_false: int = 0) -> bytes:
    return _INSTRUCTION.pack(operation, if_true, if_false, value)
