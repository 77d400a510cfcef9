"""TLS as PS3.15 wants it: the BCP 195 profiles of §B.12 and §B.13.

Both start at TLS 1.2 and prefer 1.3; neither speaks 1.0 or 1.1, RC4, 3DES, CBC, static RSA key
exchange or compression, and neither takes certificates signed with SHA-1 or RSA keys under 2048
bits (OpenSSL security level 2). There is no upgrade from plain to TLS on one port (BCP 195 §3.2).
"""

import ssl
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final


class TlsProfile(StrEnum):
    """Secure Transport Connection Profiles of PS3.15 Annex B."""

    BCP195 = "bcp195"
    """§B.12, BCP 195 (RFC 8996, RFC 9325)."""
    BCP195_NON_DOWNGRADING = "bcp195-non-downgrading"
    """§B.13, the same with restricted suites: forward secrecy by ECDHE of 256 bits or more only."""


_ECDHE: Final = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-CCM",
    "ECDHE-ECDSA-AES128-CCM",
)
_DHE: Final = (
    "DHE-RSA-AES256-GCM-SHA384",
    "DHE-RSA-CHACHA20-POLY1305",
    "DHE-RSA-AES128-GCM-SHA256",
)

TLS12_SUITES: Final[Mapping[TlsProfile, tuple[str, ...]]] = MappingProxyType(
    {TlsProfile.BCP195: _ECDHE + _DHE, TlsProfile.BCP195_NON_DOWNGRADING: _ECDHE}
)
"""TLS 1.2 cipher suites by OpenSSL's names, preferred first. Those of TLS 1.3 are all permitted.

§B.13 also lists Camellia, which OpenSSL does not offer in GCM mode, and CCM_8, whose 64-bit tag its
security level 2 refuses.
"""


def _harden(context: ssl.SSLContext, profile: TlsProfile) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(TLS12_SUITES[profile]) + ":@SECLEVEL=2")
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION


def server_context(
    *,
    certificate: Path,
    key: Path | None = None,
    client_ca: Path | None = None,
    crl: Path | None = None,
    profile: TlsProfile = TlsProfile.BCP195,
) -> ssl.SSLContext:
    """For a listening socket.

    Args:
        certificate: PEM, our certificate and the chain up to its root.
        key: PEM, its private key; absent: in the same file.
        client_ca: PEM, authorities of the peers' certificates. Given, peers must show one
            (mutual authentication, IHE ATNA); absent, none is asked for.
        crl: PEM, certificates that those authorities took back; one list of each is needed then.
        profile: Which profile of PS3.15.

    Raises:
        OSError: A file cannot be read, or does not hold what it should (ssl.SSLError).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context, profile)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.load_cert_chain(certificate, key)
    if client_ca is not None:
        context.load_verify_locations(cafile=client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
        if crl is not None:
            context.load_verify_locations(cafile=crl)
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def client_context(
    *,
    ca: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    check_hostname: bool = True,
    profile: TlsProfile = TlsProfile.BCP195,
) -> ssl.SSLContext:
    """For `connect`. The peer's certificate is always verified.

    Args:
        ca: PEM, authorities of the peers' certificates; absent: the system's.
        certificate: PEM, ours, for peers that ask for one.
        key: PEM, its private key; absent: in the same file.
        check_hostname: The certificate must name the host called. Departments whose devices share
            an own authority and have addresses only may leave this out.
        profile: Which profile of PS3.15.

    Raises:
        OSError: A file cannot be read, or does not hold what it should (ssl.SSLError).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _harden(context, profile)
    context.check_hostname = check_hostname
    if ca is not None:
        context.load_verify_locations(cafile=ca)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context
