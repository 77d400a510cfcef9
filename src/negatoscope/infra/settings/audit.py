"""The audit trail and the repositories that are told of it."""

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

MIN_AUDIT_DAYS: Final = 185
"""Six rolling months."""


class AuditSinkSettings(BaseModel):
    """An audit repository (IHE ATNA) that is told of every event."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")
    host: str = Field(min_length=1, max_length=255)
    port: int = Field(default=6514, ge=1, le=65535)
    transport: Literal["tls", "tcp", "udp"] = "tls"
    """RFC 5425, RFC 6587 with octet counting, RFC 5426."""
    ca: Path | None = None
    """Whom the repository's certificate must be signed by; absent: the system's authorities."""
    certificate: Path | None = None
    """Ours, when the repository asks for one (ITI-19); with ``key``."""
    key: Path | None = None
    server_name: str | None = None
    """The name in its certificate, if not ``host``."""


class AuditSettings(BaseModel):
    """The audit trail."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    source_id: str = Field(default="negatoscope", min_length=1, max_length=64)
    """AuditSourceID: by which name repositories know this system."""
    enterprise_site_id: str = Field(default="", max_length=64)
    """AuditEnterpriseSiteID, for instance a FINESS number."""
    sinks: tuple[AuditSinkSettings, ...] = ()
    access_retention_days: int = Field(default=7305, ge=0)
    """How long accesses to patients' data are kept: twenty years, as the record; 0 is for ever."""
    security_retention_days: int = Field(default=3653, ge=0)
    """Sign-ins, refusals, accounts, rights, settings, use of the trail: ten years; 0 is for ever."""
    operation_retention_days: int = Field(default=1096, ge=0)
    """Starts, stops, operators' commands: three years; 0 is for ever."""
    anchor_every_s: float = Field(default=600.0, ge=1)
    anchor_files: tuple[Path, ...] = ()
    """Further files that anchors are added to, on another machine or a medium written once."""
    verify_every_s: float = Field(default=86400.0, ge=60)
    """How often the whole chain is followed by itself."""

    @field_validator("access_retention_days", "security_retention_days", "operation_retention_days")
    @classmethod
    def _long_enough(cls, value: int) -> int:
        if 0 < value < MIN_AUDIT_DAYS:
            raise ValueError(f"traces are kept for {MIN_AUDIT_DAYS} days at least (CSP R.6113-9-2)")
        return value

    @field_validator("sinks")
    @classmethod
    def _distinct(cls, value: tuple[AuditSinkSettings, ...]) -> tuple[AuditSinkSettings, ...]:
        if len({sink.name for sink in value}) != len(value):
            raise ValueError("two audit repositories have the same name")
        for sink in value:
            if (sink.certificate is None) != (sink.key is None):
                raise ValueError(f"repository {sink.name}: certificate and key go together")
        return value

    @property
    def retention_days(self) -> dict[str, int]:
        """Days by chain."""
        return {
            "access": self.access_retention_days,
            "security": self.security_retention_days,
            "operation": self.operation_retention_days,
        }
