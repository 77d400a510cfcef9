"""Worker processes that may be killed: for code that a peer's bytes could crash, fill or hold up."""

from negatoscope.infra.sandbox.errors import (
    SandboxBusy,
    SandboxError,
    WorkFailed,
    WorkKilled,
    WorkRefused,
)
from negatoscope.infra.sandbox.sandbox import Sandbox

__all__ = [
    "Sandbox",
    "SandboxBusy",
    "SandboxError",
    "WorkFailed",
    "WorkKilled",
    "WorkRefused",
]
