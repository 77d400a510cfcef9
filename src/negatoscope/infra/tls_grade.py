"""How good our TLS is: certificates as files, listeners by speaking with them.

What is demanded is BCP 195 (RFC 8996, RFC 9325), as PS3.15 §B.12 does.
"""

import socket
import ssl
import stat
import time
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from negatoscope.infra.checks import Check
from negatoscope.infra.clock import utc_now
from negatoscope.infra.settings import HostPort

_TIMEOUT_S: Final = 3.0
_REMEMBER_S: Final = 600.0
_MIN_RSA_BITS: Final = 2048
_MIN_EC_BITS: Final = 256
_AUTHORITY_MARGIN: Final = timedelta(days=60)
_OLD: Final = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
_WEAK: Final = (
    ("no encryption", "NULL"),
    ("no authentication", "aNULL"),
    ("RC4", "RC4"),
    ("3DES", "3DES"),
    ("static RSA key exchange", "kRSA"),
    ("CBC", "ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA"),
)


def certificate_grade(certificate: Path, key: Path | None, name: str) -> Iterator[Check]:
    """Key length, signature, names, and who may read the key."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):
        return  # told by whoever looks whether it can be used
    strength, strong = _strength(found)
    yield Check(
        name=f"{name} key",
        kind="certificate-key",
        ok=strong,
        detail=strength,
        hint="" if strong else "make a key of 2048 bits RSA or 256 bits EC at least.",
    )
    algorithm = found.signature_hash_algorithm
    weak = algorithm is not None and algorithm.name in {"md5", "sha1"}
    yield Check(
        name=f"{name} signature",
        kind="certificate-signature",
        ok=not weak,
        detail=algorithm.name if algorithm else "as its key",
        hint="have it signed with SHA-256 or better." if weak else "",
    )
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        shown = ", ".join(str(one.value) for one in names)
    except x509.ExtensionNotFound:
        shown = ""
    yield Check(
        name=f"{name} names",
        kind="certificate-names",
        ok=bool(shown),
        detail=shown or "no subject alternative name",
        hint="" if shown else "browsers and peers compare those only: have it made with them.",
    )
    yield _permissions(key or certificate, name)


def authority_checks(path: Path) -> Iterator[Check]:
    """The authorities whose certificates peers may show."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        yield Check(
            name="authorities",
            ok=False,
            detail=f"{path}: {error}",
            hint="tls_ca names a PEM file of one or more certificates.",
        )
        return
    soonest = min(one.not_valid_after_utc for one in found)
    left = soonest - utc_now()
    yield Check(
        name="authorities",
        ok=left > timedelta(0),
        is_warning=left < _AUTHORITY_MARGIN,
        detail=f"{len(found)}, the first ends {soonest:%Y-%m-%d}",
        hint="" if left > _AUTHORITY_MARGIN else "renew it, and the certificates it signed.",
    )


def listener_grade(name: str, address: HostPort) -> list[Check]:
    """Versions and cipher suites that a listener of ours takes; looked at once in some minutes.

    Each look is a dozen handshakes, most of which the listener refuses and logs.
    """
    known = _REMEMBERED.get((name, address))
    if known is not None and known[0] > time.monotonic():
        return known[1]
    found = list(_grade(name, address))
    _REMEMBERED[name, address] = (time.monotonic() + _REMEMBER_S, found)
    return found


_REMEMBERED: dict[tuple[str, HostPort], tuple[float, list[Check]]] = {}


def _grade(name: str, address: HostPort) -> Iterator[Check]:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104
    best = _session(host, address.port, _context())
    if best is None:
        yield Check(
            name=f"tls {name}",
            ok=True,
            is_warning=True,
            detail="not looked at: nobody speaks TLS there now",
            hint="`negatoscope serve` does, when it runs.",
        )
        return
    modern = best.startswith("TLSv1.3")
    old = [
        version.name
        for version in _OLD
        if _session(host, address.port, _context(highest=version)) is not None
    ]
    weak = [
        what
        for what, suites in _WEAK
        if (context := _context(highest=ssl.TLSVersion.TLSv1_2, suites=suites)) is not None
        and _session(host, address.port, context) is not None
    ]
    yield Check(
        name=f"tls {name}",
        ok=not old and not weak,
        is_warning=not modern,
        detail=f"prefers {best}; takes {', '.join(old + weak) or 'nothing weak'}",
        hint="" if not old and not weak else "something else than negatoscope answers there.",
    )


def _context(*, highest: ssl.TLSVersion | None = None, suites: str = "") -> ssl.SSLContext | None:
    """A client that would take anything; None when this OpenSSL cannot even ask for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # our own listener, and only its manners are looked at
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            if highest is not None:
                context.minimum_version = highest if highest in _OLD else ssl.TLSVersion.TLSv1_2
                context.maximum_version = highest
        context.set_ciphers(f"{suites or 'ALL'}:@SECLEVEL=0")
    except (ssl.SSLError, ValueError):
        return None
    return context


def _session(host: str, port: int, context: ssl.SSLContext | None) -> str | None:
    """What was agreed on, or None."""
    if context is None:
        return None
    try:
        with (
            socket.create_connection((host, port), timeout=_TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            cipher = wrapped.cipher()
            return f"{wrapped.version()} {cipher[0] if cipher else ''}".strip()
    except OSError:
        return None


def _strength(certificate: x509.Certificate) -> tuple[str, bool]:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size} bits", key.key_size >= _MIN_RSA_BITS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}", key.key_size >= _MIN_EC_BITS
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return "EdDSA", True
    return type(key).__name__, False


def _permissions(path: Path, name: str) -> Check:
    """A key is its account's, at most its group's to read, and nobody else's."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return Check(
            name=f"{name} file", kind="key-file", ok=False, detail=f"{path}: {error.strerror}",
            hint="it must be readable by the account of `negatoscope serve`.",
        )  # fmt: skip
    open_to = stat.S_IRWXO | stat.S_IWGRP
    ok = not mode & open_to
    return Check(
        name=f"{name} file",
        kind="key-file",
        ok=ok,
        detail=f"{path} has mode {stat.S_IMODE(mode):04o}",
        hint="" if ok else f"chmod 0600 {path}: whoever reads it can pretend to be this server.",
    )
