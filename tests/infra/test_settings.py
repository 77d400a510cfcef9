"""Where values come from and what cannot be used."""

from pathlib import Path

import pytest

from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.settings import HostPort, Settings


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"NEGATOSCOPE_{name.upper()}", raising=False)


def test_defaults_are_the_contract(tmp_path: Path) -> None:
    """Addresses, AE title, data directory, one volume."""
    settings = Settings.load()
    assert (str(settings.http), str(settings.dicom)) == ("127.0.0.1:8080", "127.0.0.1:11112")
    assert str(settings.hl7) == "127.0.0.1:2575"
    assert settings.ae_title == "NEGATOSCOPE"
    assert settings.data_dir == tmp_path / "negatoscope-data"
    assert [volume.path for volume in settings.volumes] == [settings.data_dir / "volumes" / "main"]
    assert settings.source("http") == "default"


def test_later_sources_win_and_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Default, file, environment, command line."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / "negatoscope.toml").write_text(
        'ae_title = "FILE"\nhttp = "127.0.0.1:1"\ndicom = "127.0.0.1:2"\n'
        "[limits]\nmax_associations = 7\n"
        '[[volumes]]\nname = "a"\npath = "/srv/a"\nlow_watermark_percent = 5\n'
    )
    monkeypatch.setenv("NEGATOSCOPE_HTTP", "127.0.0.1:3")
    monkeypatch.setenv("NEGATOSCOPE_DICOM", "127.0.0.1:4")
    settings = Settings.load(data_dir=str(data_dir), dicom="127.0.0.1:5", hl7=None)
    assert settings.ae_title == "FILE"
    assert (settings.http.port, settings.dicom.port) == (3, 5)
    assert settings.limits.max_associations == 7
    assert settings.volumes[0].watermark_bytes(100 << 30) == 5 << 30
    assert settings.source("ae_title") == f"file {data_dir / 'negatoscope.toml'}"
    assert settings.source("http") == "environment: NEGATOSCOPE_HTTP"
    assert settings.source("dicom") == "command line"
    assert settings.source("hl7") == "default"


def test_the_working_directory_has_a_file_too(tmp_path: Path) -> None:
    """It may name the data directory."""
    (tmp_path / "negatoscope.toml").write_text('data_dir = "elsewhere"\nae_title = "HERE"\n')
    settings = Settings.load()
    assert settings.data_dir == tmp_path / "elsewhere"
    assert settings.ae_title == "HERE"


def test_nested_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two underscores go one level down."""
    monkeypatch.setenv("NEGATOSCOPE_LIMITS__ARTIM_TIMEOUT_S", "2.5")
    settings = Settings.load()
    assert settings.limits.artim_timeout_s == 2.5
    assert settings.limits.max_associations == 200


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:80", "127.0.0.1", 80), ("[::1]:80", "::1", 80), (":80", "0.0.0.0", 80)],  # noqa: S104
)
def test_addresses(text: str, host: str, port: int) -> None:
    """IPv4, IPv6, every interface."""
    assert HostPort.parse(text) == (host, port)
    assert HostPort.parse(str(HostPort(host, port))) == (host, port)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"http": "8080"}, "http"),
        ({"http": "h:99999"}, "http"),
        ({"http": "::1:80"}, "http"),
        ({"ae_title": "SEVENTEEN LETTERS"}, "ae_title"),
        ({"ae_title": "A\\B"}, "ae_title"),
        ({"ae_title": " "}, "ae_title"),
        ({"http_workers": 0}, "http_workers"),
        ({"dicom_tls": "127.0.0.1:2762"}, "settings"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_used_is_named(values: dict[str, object], name: str) -> None:
    """With its source and a hint."""
    with pytest.raises(ConfigurationError, match=f"setting {name} ") as e:
        Settings.load(**values)
    assert e.value.hint


def test_a_broken_file_and_a_broken_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Are configuration errors, not tracebacks."""
    (tmp_path / "negatoscope.toml").write_text("http = ")
    with pytest.raises(ConfigurationError, match=r"negatoscope\.toml"):
        Settings.load()
    (tmp_path / "negatoscope.toml").unlink()
    monkeypatch.setenv("NEGATOSCOPE_VOLUMES", "not json")
    with pytest.raises(ConfigurationError, match="volumes"):
        Settings.load()
