"""Workers that decode and encode pixels."""

import os

from pydantic import BaseModel, ConfigDict, Field


def cores() -> int:
    """Processors this process may use."""
    return max(1, len(os.sched_getaffinity(0)))


class CodecSettings(BaseModel):
    """Workers that decode and encode pixels, of each process that needs some."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    processes: int = Field(default_factory=lambda: max(2, min(8, cores() // 2)), ge=1, le=64)
    """Workers of one process; one per two cores, at least two, unless set."""
    memory_bytes: int = Field(default=2 << 30, ge=128 << 20)
    """What one frame may take beyond the libraries themselves."""
    cpu_s: float = Field(default=20.0, gt=0)
    wall_s: float = Field(default=30.0, gt=0)
    output_bytes: int = Field(default=1 << 30, ge=1 << 20)
    """Longest result of one frame."""
