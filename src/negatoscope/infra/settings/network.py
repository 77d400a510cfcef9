"""Addresses to listen on, and what peers may take."""

from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class HostPort(NamedTuple):
    """Where to listen: ``127.0.0.1:8080``, ``[::1]:8080``, ``:8080`` (every interface)."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``HOST:PORT``.

        Raises:
            ValueError: no port, or one outside 0–65535.
        """
        host, colon, port = text.strip().rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError(f"{text!r} is not HOST:PORT")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise ValueError(f"{text!r}: write an IPv6 address as [ADDRESS]:PORT")
        return cls(host or "0.0.0.0", int(port))  # noqa: S104 - ":8080" asks for every interface

    def __str__(self) -> str:
        """The text ``parse`` reads."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic take the text, the pair or the value itself."""

        def validate(value: object) -> HostPort:
            if isinstance(value, HostPort):
                return value
            if isinstance(value, str):
                return HostPort.parse(value)
            raise ValueError("expected HOST:PORT")

        return core_schema.no_info_plain_validator_function(
            validate, serialization=core_schema.to_string_ser_schema()
        )


class LimitsSettings(BaseModel):
    """What one peer, and all peers together, may take."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    max_associations: int = Field(default=200, ge=1)
    max_associations_per_peer: int = Field(default=50, ge=1)
    max_half_open: int = Field(default=512, ge=1)
    """Sockets that have not finished their A-ASSOCIATE-RQ, all peers together."""
    max_half_open_per_peer: int = Field(default=64, ge=1)
    artim_timeout_s: float = Field(default=30.0, gt=0)
    """PS3.8 §9.1.5: from the connection to the A-ASSOCIATE-RQ, from the release to the close."""
    dimse_timeout_s: float = Field(default=60.0, gt=0)
    """Between two fragments of one message, and for a peer's answer."""
    idle_timeout_s: float = Field(default=600.0, gt=0)
    """Between two messages on an association."""
    max_query_results: int = Field(default=100_000, ge=1)
    """Matches of one C-FIND before it is refused."""
