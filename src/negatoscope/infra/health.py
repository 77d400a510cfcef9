"""Whether everything is as it must be: for ``/readyz`` and for ``negatoscope doctor``."""

import ctypes
import os
import re
import resource
import shutil
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from typing import Final

from cryptography import x509

from negatoscope.infra import data_dir
from negatoscope.infra.checks import Check
from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import Database, check_durability, migrate
from negatoscope.infra.db.database import connect
from negatoscope.infra.errors import InfraError
from negatoscope.infra.settings import HostPort, Settings
from negatoscope.infra.tls_grade import authority_checks, certificate_grade, listener_grade

ADVISORY_FLOORS: Final = {
    # Package: (first release without a known flaw, what the flaw is).
    "cryptography": ("46.0.0", "bundled OpenSSL"),
    "h11": ("0.16.0", "CVE-2025-43859: request smuggling by chunked bodies"),
    "pydicom": ("3.0.2", "CVE-2026-32711: paths of DICOMDIR files leave the folder"),
    "starlette": ("0.49.1", "CVE-2025-62727: quadratic Range header"),
    "urllib3": ("2.6.0", "CVE-2025-66471: unbounded decompression"),
}
CERTIFICATE_MARGIN: Final = timedelta(days=14)
_CLOCK_TOLERANCE_S: Final = 1.0
_ESTIMATED_ERROR_AT: Final = 4 * struct.calcsize("@l")
_STATUS_AT: Final = 5 * struct.calcsize("@l")
_UNSYNCHRONISED: Final = 0x40
"""``struct timex`` of adjtimex(2), STA_UNSYNC."""


def health(settings: Settings, *, database: Database | None = None) -> list[Check]:
    """What a running node needs to answer: database, schema, volumes.

    Args:
        settings: With ``database_url`` filled in.
        database: A pool to ask through; without it a connection is made.
    """
    return [
        *_database_checks(settings, database),
        _data_dir_check(settings.data_dir),
        *volume_checks(settings),
    ]


def thorough(settings: Settings, *, database: Database | None = None) -> list[Check]:
    """The same and what only an administrator asks: ports, clock, libraries, the machine."""
    checks = health(settings, database=database)
    checks += [
        _port_check("http", settings.http, "HTTP"),
        _port_check("dicom", settings.dicom, "DICOM"),
    ]
    if settings.dicom_tls is not None:
        checks.append(_port_check("dicom_tls", settings.dicom_tls, "DICOM over TLS"))
    if settings.https is not None:
        checks.append(_port_check("https", settings.https, "HTTPS"))
    checks += [*certificate_checks(settings), *tls_checks(settings)]
    return [*checks, *machine_checks(settings)]


def machine_checks(settings: Settings) -> list[Check]:
    """Clocks, libraries, limits of the machine."""
    return [_clock_check(settings), _synchronised_check(), *_library_checks(), _files_check()]


def certificate_checks(settings: Settings) -> Iterator[Check]:
    """Each certificate in use: readable, its key beside it, for how long, how strong."""
    pairs = {
        "certificate": (settings.tls_certificate, settings.tls_key),
        "certificate https": settings.https_files if settings.https is not None else (None, None),
    }
    seen: set[Path] = set()
    for name, (certificate, key) in pairs.items():
        if certificate is None or certificate in seen:
            continue
        seen.add(certificate)
        yield _certificate_check(certificate, key, name)
        yield from certificate_grade(certificate, key, name)
    if settings.tls_ca is not None:
        yield from authority_checks(settings.tls_ca)


def tls_checks(settings: Settings) -> Iterator[Check]:
    """What our listeners speak, found by speaking with them."""
    for name, address in (("https", settings.https), ("dicom_tls", settings.dicom_tls)):
        if address is not None:
            yield from listener_grade(name, address)


def _database_checks(settings: Settings, database: Database | None) -> Iterator[Check]:
    url = settings.database_url
    if url is None:
        yield Check(
            name="database",
            ok=False,
            detail="no server",
            hint="start `negatoscope serve`, or give --database-url.",
        )
        return
    try:
        if database is not None:
            with database.connection() as connection:
                connection.execute("SELECT 1")
            yield Check(name="database", ok=True, detail="answers")
        else:
            found = check_durability(url)
            yield Check(
                name="database",
                ok=True,
                detail=f"PostgreSQL {found.get('server_version', '?')}, fsync on, checksums"
                f" {found.get('data_checksums', '?')}",
            )
        state = migrate.state(url)
    except InfraError as error:
        yield Check(name="database", ok=False, detail=error.message, hint=error.hint)
        return
    yield Check(
        name="schema",
        ok=state.is_at_head,
        detail=f"revision {state.current or 'none'}, this version needs {state.head}",
        hint="" if state.is_at_head else "run `negatoscope migrate`.",
    )


def _data_dir_check(path: Path) -> Check:
    ok = data_dir.has_room(path)
    try:
        detail = f"{data_dir.free_bytes(path) / 1e9:.1f} GB free in {path}"
    except OSError as error:
        detail = f"{path}: {error.strerror}"
    return Check(
        name="data directory",
        ok=ok,
        detail=detail,
        hint="" if ok else "make room: an embedded PostgreSQL keeps its files there.",
    )


def volume_checks(settings: Settings) -> Iterator[Check]:
    """Each volume: there, writable, above its watermark."""
    for volume in settings.volumes:
        name = f"volume {volume.name}"
        try:
            usage = shutil.disk_usage(volume.path)
            status = os.statvfs(volume.path)
        except OSError as error:
            yield Check(
                name=name,
                ok=False,
                detail=f"{volume.path}: {error.strerror}",
                hint="is it mounted? the first `negatoscope serve` makes the folder.",
            )
            continue
        if not os.access(volume.path, os.W_OK):
            yield Check(
                name=name,
                ok=False,
                detail=f"{volume.path} is not writable",
                hint="its owner must be the account of `negatoscope serve`.",
            )
            continue
        watermark = volume.watermark_bytes(usage.total)
        free = status.f_bavail * status.f_frsize
        enough = free >= watermark and not (status.f_files and not status.f_favail)
        yield Check(
            name=name,
            ok=enough,
            detail=f"{free / 1e9:.1f} GB free, refuses below {watermark / 1e9:.1f} GB",
            hint=""
            if enough
            else "make room, or add a volume: nothing is deleted, all is refused.",
        )


def _port_check(name: str, address: HostPort, what: str) -> Check:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104
    try:
        with socket.create_connection((host, address.port), timeout=2):
            return Check(name=name, ok=True, detail=f"{what} listens on {address}")
    except OSError as error:
        return Check(
            name=name,
            ok=False,
            detail=f"nobody listens on {address} ({error.strerror or error})",
            hint="`negatoscope serve` does, when it runs.",
        )


def _certificate_check(certificate: Path, key: Path | None, name: str) -> Check:
    """Whether the certificate can be used, and for how long."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        return Check(
            name=name,
            ok=False,
            detail=f"{certificate}: {error}",
            hint="tls_certificate and tls_key name a PEM certificate and its private key.",
        )
    left = found.not_valid_after_utc - utc_now()
    ok = left > CERTIFICATE_MARGIN
    return Check(
        name=name,
        ok=ok,
        detail=f"valid until {found.not_valid_after_utc:%Y-%m-%d}",
        hint="" if ok else "renew it: peers refuse an expired one.",
    )


def _clock_check(settings: Settings) -> Check:
    """The database's clock and ours; on one machine they cannot differ, across machines they may."""
    if settings.database_url is None:
        return Check(name="clock", ok=True, detail="not compared: no database")
    try:
        with connect(settings.database_url, autocommit=True) as connection:
            before = time.time()
            row = connection.execute(
                "SELECT extract(epoch FROM clock_timestamp())::float8"
            ).fetchone()
            after = time.time()
    except InfraError as error:
        return Check(name="clock", ok=False, detail=error.message, hint=error.hint)
    theirs = float(row[0]) if row else 0.0
    offset = max(before - theirs, theirs - after, 0.0)
    ok = offset <= _CLOCK_TOLERANCE_S
    return Check(
        name="clock",
        ok=ok,
        detail=f"{offset:.3f} s from the database's",
        hint="" if ok else "synchronise both machines by NTP (IHE Consistent Time).",
    )


def _synchronised_check() -> Check:
    """Whether the kernel's clock is kept by NTP (adjtimex(2)); containers see their host's."""
    buffer = (ctypes.c_char * 512)()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    except (OSError, AttributeError):
        state = -1
    if state < 0:
        return Check(name="time", ok=True, detail="the kernel does not say")
    (error_us,) = struct.unpack_from("@l", buffer, _ESTIMATED_ERROR_AT)
    (status,) = struct.unpack_from("@i", buffer, _STATUS_AT)
    ok = not status & _UNSYNCHRONISED
    return Check(
        name="time",
        ok=True,
        is_warning=not ok,
        detail=f"synchronised, estimated error {error_us / 1000:.1f} ms"
        if ok
        else "the kernel's clock is not synchronised",
        hint="" if ok else "run an NTP client (chrony, systemd-timesyncd): IHE Consistent Time.",
    )


def _library_checks() -> Iterator[Check]:
    for package, (floor, flaw) in ADVISORY_FLOORS.items():
        try:
            installed = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
        ok = _numbers(installed) >= _numbers(floor)
        yield Check(
            name=f"library {package}",
            ok=ok,
            detail=installed if ok else f"{installed} is older than {floor} ({flaw})",
            hint="" if ok else f"install {package} {floor} or newer.",
        )


def _files_check() -> Check:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ok = soft >= 1024
    return Check(
        name="open files",
        ok=ok,
        detail=f"limit {soft}",
        hint="" if ok else "raise it: `ulimit -n 65536`, or LimitNOFILE= of the service.",
    )


def _numbers(version: str) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


def clear_of_secrets(name: str, value: object) -> str:
    """A setting's value as it may be shown."""
    text = str(value)
    if name == "database_url":
        text = re.sub(r"//([^:/@]*):[^@]*@", r"//\1:…@", text)
        text = re.sub(r"(password\s*=\s*)('[^']*'|\S+)", r"\1…", text)
    return re.sub(r"(client_secret\W{1,4})('[^']*'|\"[^\"]*\"|(?!None)[^\s,)}]+)", r"\1…", text)
