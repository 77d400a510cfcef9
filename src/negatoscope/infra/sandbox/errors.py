"""What can happen to work given to a sandbox.

SandboxError
├── WorkKilled    the worker crashed or passed a limit; a new one takes its place
├── WorkRefused   the function raised an error that it declares (an exception with a `code`)
├── WorkFailed    the function raised anything else: a mistake of ours
└── SandboxBusy   no worker became free in time
"""


class SandboxError(Exception):
    """Base of everything that `Sandbox.run` raises."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class WorkKilled(SandboxError):
    """The worker crashed, or was killed for what the work asked for: memory, processor, time, output."""


class WorkRefused(SandboxError):
    """A declared error.

    Attributes:
        code: Of the exception's class.
    """

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        super().__init__(reason)


class WorkFailed(SandboxError):
    """An undeclared error inside the function."""


class SandboxBusy(SandboxError):
    """Too many wait already, or none of the workers became free in time."""
