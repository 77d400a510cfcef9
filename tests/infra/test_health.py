"""What ``doctor`` and readiness look at."""

import datetime
import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from negatoscope.infra import health
from negatoscope.infra.db import Database
from negatoscope.infra.health import Check, clear_of_secrets, thorough
from negatoscope.infra.settings import Settings, VolumeSettings


def of(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def settings_for(tmp_path: Path, **values: object) -> Settings:
    return Settings(data_dir=tmp_path, **values)  # type: ignore[arg-type]


def test_a_good_node(database: Database, tmp_path: Path) -> None:
    """Through the pool of a running process: database, schema, volumes."""
    (tmp_path / "volumes" / "main").mkdir(parents=True)
    settings = settings_for(tmp_path, database_url=database.url)
    checks = health.health(settings, database=database)
    assert [check.name for check in checks] == [
        "database",
        "schema",
        "data directory",
        "volume main",
    ]
    assert all(check.ok and not check.hint for check in checks)


def test_each_failure_has_a_hint(tmp_path: Path) -> None:
    """No server, no folder, no room, no listener."""
    settings = settings_for(
        tmp_path,
        database_url="postgresql://u@127.0.0.1:1/x",
        http="127.0.0.1:1",
        dicom="127.0.0.1:1",
        volumes=[
            VolumeSettings(name="absent", path=tmp_path / "absent"),
            VolumeSettings(name="full", path=tmp_path, low_watermark_bytes=1 << 60),
        ],
    )
    checks = of(thorough(settings))
    for name in ("database", "volume absent", "volume full", "http", "dicom", "clock"):
        assert not checks[name].ok, name
        assert checks[name].hint, name


def test_an_old_schema_is_told(new_database_url, tmp_path: Path) -> None:
    """Before anything fails for it."""
    with Database(new_database_url(empty=True)) as database:
        settings = settings_for(tmp_path, database_url=database.url)
        check = of(health.health(settings, database=database))["schema"]
    assert not check.ok
    assert "migrate" in check.hint


def certificate(path: Path, days: int) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "archive")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=400))
        .not_valid_after(now + datetime.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(pem)
    return path


@pytest.mark.parametrize(("days", "ok"), [(200, True), (3, False), (-3, False)])
def test_a_certificate_that_ends_is_told(tmp_path: Path, days: int, ok: bool) -> None:
    """Two weeks before."""
    path = certificate(tmp_path / "c.pem", days)
    settings = settings_for(tmp_path, tls_certificate=path, tls_key=path)
    assert of(thorough(settings))["certificate"].ok is ok


def test_a_certificate_without_its_key(tmp_path: Path) -> None:
    """Or no certificate at all."""
    path = tmp_path / "c.pem"
    path.write_text("nothing")
    settings = settings_for(tmp_path, tls_certificate=path, tls_key=path)
    assert not of(thorough(settings))["certificate"].ok


def test_libraries_with_known_flaws_are_named(tmp_path: Path, monkeypatch) -> None:
    """The list is part of the program: advisories cannot be asked for here."""
    monkeypatch.setattr(health.metadata, "version", lambda _: "0.0.1rc1")
    checks = of(thorough(settings_for(tmp_path)))
    assert not checks["library pydicom"].ok
    assert "CVE" in checks["library pydicom"].detail


def test_installed_libraries_are_above_the_floor(tmp_path: Path) -> None:
    """Ours are."""
    checks = thorough(settings_for(tmp_path))
    assert [c for c in checks if c.name.startswith("library") and not c.ok] == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("postgresql://u:s3cret@h/d", "postgresql://u:…@h/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("host=h password=s3cret user=u", "host=h password=… user=u"),
        ("host=h password='s3 cret' user=u", "host=h password=… user=u"),
    ],
)
def test_secrets_are_not_shown(value: str, shown: str) -> None:
    """In whichever form a connection string has."""
    assert clear_of_secrets("database_url", value) == shown


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_volume_that_cannot_be_written(tmp_path: Path) -> None:
    """Is not ready."""
    tmp_path.chmod(0o500)
    volume = VolumeSettings(name="main", path=tmp_path, low_watermark_bytes=0)
    (check,) = health.volume_checks(settings_for(tmp_path, volumes=[volume]))
    assert not check.ok
