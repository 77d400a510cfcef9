"""What a reverse proxy says of the client: Forwarded (RFC 7239) and X-Forwarded-*.

Only a proxy that ``trusted_proxies`` names is believed; from anybody else these headers mean nothing, since
whoever writes them could choose the address in the audit trail and the links of an answer.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from negatoscope.entrypoints.web.asgi import Scope

HOST: Final = re.compile(r"[0-9A-Za-z.\-_]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
_NAMES: Final = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto")
_PAIR: Final = re.compile(r'\s*([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]*))\s*')
_HEADER_CHARACTERS: Final = 4096


class Forwarded(NamedTuple):
    """What the nearest trusted proxy received; None where it does not say."""

    client: str | None = None
    host: str | None = None
    scheme: str | None = None


NOTHING: Final = Forwarded()


class TrustedProxies:
    """The proxies that are believed.

    Args:
        networks: Addresses or networks, ``127.0.0.1``, ``10.1.0.0/16``.
    Raises:
        ValueError: one is neither.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(
            ip_network(one, strict=False) for one in networks
        )

    def __bool__(self) -> bool:
        """Whether any is named."""
        return bool(self._networks)

    def trusts(self, address: str) -> bool:
        """Whether an address is that of a proxy."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)

    def read(self, scope: Scope) -> Forwarded:
        """What the proxy says of the client of a request."""
        client = scope.get("client")
        if not client or not self.trusts(str(client[0])):
            return NOTHING
        headers: dict[bytes, str] = {}
        for name, value in scope["headers"]:
            if name in _NAMES:
                text = value.decode("latin-1")[:_HEADER_CHARACTERS]
                headers[name] = f"{headers[name]}, {text}" if name in headers else text
        if b"forwarded" in headers:
            hops = [_pairs(hop) for hop in headers[b"forwarded"].split(",")]
            addresses = [hop.get("for", "") for hop in hops]
            last = hops[-1]
            return Forwarded(
                self._client(addresses), _host(last.get("host")), _scheme(last.get("proto"))
            )
        return Forwarded(
            self._client(headers.get(b"x-forwarded-for", "").split(",")),
            _host(headers.get(b"x-forwarded-host", "").rpartition(",")[2]),
            _scheme(headers.get(b"x-forwarded-proto", "").rpartition(",")[2]),
        )

    def _client(self, addresses: Sequence[str]) -> str | None:
        """The last address that is no proxy of ours: what stands before it anybody may have written."""
        found = None
        for text in reversed(addresses):
            bare = _bare(text.strip().strip('"'))
            try:
                found = str(ip_address(bare))
            except ValueError:
                break
            if not self.trusts(found):
                break
        return found


def _pairs(hop: str) -> dict[str, str]:
    """``for=…;host=…;proto=…``."""
    return {
        match[1].lower(): match[2] if match[2] is not None else match[3]
        for piece in hop.split(";")
        if (match := _PAIR.fullmatch(piece))
    }


def _bare(address: str) -> str:
    """An address without its port (RFC 7239 §6)."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def _host(text: str | None) -> str | None:
    found = (text or "").strip()
    return found if HOST.fullmatch(found) else None


def _scheme(text: str | None) -> str | None:
    found = (text or "").strip().lower()
    return found if found in ("http", "https") else None
