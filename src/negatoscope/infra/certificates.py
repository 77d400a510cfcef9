"""A small certificate authority for a start: one root, our server certificate, devices' certificates.

A hospital has its own authority; this one serves until its certificates are there, and for
departments without any. EC keys on P-256, SHA-256, names in the alternative names, usages limited,
so that OpenSSL, browsers and modalities take them.
"""

import datetime
import os
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from negatoscope.infra.clock import utc_now
from negatoscope.infra.errors import ConfigurationError

AUTHORITY_DAYS: Final = 3650
CERTIFICATE_DAYS: Final = 397
"""Browsers refuse server certificates that last longer than 398 days."""
_BACKDATED: Final = datetime.timedelta(hours=1)
"""Clocks of devices are slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate and its key as files."""

    certificate: Path
    key: Path
    not_after: datetime.datetime
    sha256: str


class Authority:
    """A root certificate and its key in a directory.

    Args:
        directory: Made when it is not there; only its account may read it.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.certificate_path = directory / "ca.pem"
        self.key_path = directory / "ca.key"

    @property
    def exists(self) -> bool:
        """Whether it was made already."""
        return self.certificate_path.exists()

    def make(self, name: str = "Negatoscope certificate authority") -> None:
        """Make root and key.

        Raises:
            ConfigurationError: there is one already: its certificates would be worth nothing.
        """
        if self.exists or self.key_path.exists():
            raise ConfigurationError(
                f"there is an authority in {self.directory} already",
                hint="`negatoscope tls issue` makes certificates with it.",
            )
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name)
        certificate = (
            _builder(subject, subject, key.public_key(), AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        _write(self.key_path, _private(key))
        _write(self.certificate_path, _pem(certificate), mode=0o644)

    def issue(
        self,
        file_name: str,
        *,
        common_name: str,
        names: Sequence[str] = (),
        is_server: bool = True,
        days: int = CERTIFICATE_DAYS,
        replace: bool = False,
    ) -> Issued:
        """Sign a certificate; key and certificate are written beside the root.

        Args:
            file_name: Of both, without suffix.
            common_name: Of the subject: a host, or an AE title.
            names: Host names and addresses it is good for.
            is_server: Good for listening too; all are good for calling.
            days: How long it lasts.
            replace: Overwrite files of that name (a renewal).
        Raises:
            ConfigurationError: no authority, or the files are there.
        """
        try:
            root = x509.load_pem_x509_certificate(self.certificate_path.read_bytes())
            root_key = serialization.load_pem_private_key(self.key_path.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise ConfigurationError(
                f"the authority in {self.directory} cannot be used: {error}",
                hint="`negatoscope tls init` makes one.",
            ) from error
        assert isinstance(root_key, ec.EllipticCurvePrivateKey)  # noqa: S101 - `make` wrote it
        certificate_path = self.directory / f"{file_name}.pem"
        key_path = self.directory / f"{file_name}.key"
        if not replace and (certificate_path.exists() or key_path.exists()):
            raise ConfigurationError(
                f"{certificate_path} is there already", hint="--replace makes it anew."
            )
        key = ec.generate_private_key(ec.SECP256R1())
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
        if is_server:
            purposes.insert(0, ExtendedKeyUsageOID.SERVER_AUTH)
        builder = (
            _builder(_subject(common_name), root.subject, key.public_key(), days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
                critical=False,
            )
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_name(one) for one in names]), critical=False
            )
        certificate = builder.sign(root_key, hashes.SHA256())
        # The key first: a listener that reads between the two keeps what it has.
        _write(key_path, _private(key))
        _write(certificate_path, _pem(certificate) + _pem(root), mode=0o644)
        return Issued(
            certificate=certificate_path,
            key=key_path,
            not_after=certificate.not_valid_after_utc,
            sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = utc_now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _usage(*, sign_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Whole or not at all, and never readable by others for a moment."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
