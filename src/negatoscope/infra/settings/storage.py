"""Volumes."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class VolumeSettings(BaseModel):
    """A place where segments are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")
    path: Path
    low_watermark_bytes: int = Field(default=1 << 30, ge=0)
    """Free space below which the volume refuses new objects (A700); nothing is ever deleted."""
    low_watermark_percent: float = Field(default=0.0, ge=0, lt=100)
    """The same as a share of the file system; the larger of both holds."""

    def watermark_bytes(self, total_bytes: int) -> int:
        """Free bytes that must remain on a file system of ``total_bytes``."""
        return max(self.low_watermark_bytes, int(total_bytes * self.low_watermark_percent / 100))
