"""What a process under the supervisor does to live and die with it."""

import ctypes
import os
import signal
import sys
from contextlib import suppress

SUPERVISOR_PID = "NEGATOSCOPE_SUPERVISOR_PID"
READY_FD = "NEGATOSCOPE_READY_FD"
_PR_SET_PDEATHSIG = 1


def supervised() -> bool:
    """Whether the supervisor started this process (or one above it)."""
    return SUPERVISOR_PID in os.environ


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies, however that happens.

    What the archive acknowledged is on disk; a new supervisor starts everything again.
    """
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent or parent == 1 != int(os.environ.get(SUPERVISOR_PID, "1")):
        sys.exit(1)  # it died before we asked


def tell_ready() -> None:
    """Tell the supervisor that this process answers."""
    text = os.environ.pop(READY_FD, "")
    if text.isdigit():
        with suppress(OSError):
            os.write(int(text), b"R")
        with suppress(OSError):
            os.close(int(text))
