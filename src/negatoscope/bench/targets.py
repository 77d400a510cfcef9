"""The server under test: where it listens and how it is addressed."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomTarget:
    """A DIMSE peer."""

    host: str
    port: int
    called_ae_title: str
    calling_ae_title: str = "BENCH"

    def __str__(self) -> str:
        return f"{self.called_ae_title}@{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebTarget:
    """A DICOMweb origin server.

    Attributes:
        base: path of the service, without a slash at its end: ``/dicom-web``.
        token: bearer token, or None.
    """

    host: str
    port: int
    base: str
    token: str | None = None

    @classmethod
    def parse(cls, url: str, token: str | None = None) -> WebTarget:
        """From ``http://host:port/dicom-web``.

        Raises: ValueError: another scheme, or no host.
        """
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{url!r} is no http:// address")
        return cls(
            host=parts.hostname, port=parts.port or 80, base=parts.path.rstrip("/"), token=token
        )

    def __str__(self) -> str:
        return f"http://{self.host}:{self.port}{self.base}"
