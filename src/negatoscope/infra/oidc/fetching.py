"""Requests to a provider: bounded, over TLS, never where a redirect or a document leads by chance.

A provider's document names further addresses of it. They must be https; http is taken on the loopback
interface only, and only when the issuer itself is there. Link-local addresses (169.254.169.254) are
never asked.
"""

import socket
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson

from negatoscope.infra.oidc.errors import ProviderUnavailable

TIMEOUT_S: Final = 5.0
MAX_BYTES: Final = 1 << 20
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own."""
    return urlsplit(url).hostname in _LOOPBACK


def check_address(url: object, issuer: str) -> str:
    """An address that may be asked.

    Raises:
        ProviderUnavailable: it may not.
    """
    if not isinstance(url, str) or len(url) > 2000:
        raise ProviderUnavailable("the provider's document names no usable address")
    parts = urlsplit(url)
    both_here = parts.scheme == "http" and is_loopback(url) and is_loopback(issuer)
    if (parts.scheme != "https" and not both_here) or not parts.hostname or parts.username:
        raise ProviderUnavailable("an address of the provider is not https")
    return url


class Fetcher:
    """Asks one provider.

    Args:
        issuer: Whose addresses are asked.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self.client = httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)

    def json(self, method: str, url: str, **options: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of an answer.

        Raises:
            ProviderUnavailable: none, a redirect, not JSON, too long.
        """
        check_address(url, self._issuer)
        self._check_host(url)
        try:
            with self.client.stream(method, url, **options) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise ProviderUnavailable("the provider's answer is too long")
        except httpx.HTTPError as error:
            raise ProviderUnavailable(
                f"the provider does not answer: {type(error).__name__}"
            ) from error
        if response.is_redirect:
            raise ProviderUnavailable("the provider redirects")
        try:
            document = orjson.loads(bytes(body))
        except orjson.JSONDecodeError as error:
            raise ProviderUnavailable("the provider's answer is not JSON") from error
        if not isinstance(document, dict):
            raise ProviderUnavailable("the provider's answer is not a JSON object")
        return response.status_code, document

    def _check_host(self, url: str) -> None:
        parts = urlsplit(url)
        try:
            found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
        except OSError as error:
            raise ProviderUnavailable("the provider's name is not known") from error
        here = is_loopback(self._issuer)
        for entry in found:
            address = ip_address(str(entry[4][0]).partition("%")[0])
            if address.is_link_local or address.is_multicast or address.is_unspecified:
                raise ProviderUnavailable("an address of the provider is not to be asked")
            if address.is_loopback and not here:
                raise ProviderUnavailable("an address of the provider is this machine's own")

    def close(self) -> None:
        """Close connections."""
        self.client.close()
