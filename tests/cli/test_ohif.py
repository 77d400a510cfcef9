"""``negatoscope ohif``: exit codes and what is said."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from negatoscope.cli.ohif import ohif
from negatoscope.entrypoints.web.ohif.installer import OhifError


def run(*arguments: str | Path):
    """The command's result."""
    return CliRunner().invoke(ohif, [str(argument) for argument in arguments])


def test_nothing_is_installed(tmp_path):
    """Said, with an exit code for scripts; removing nothing is no failure."""
    done = CliRunner().invoke(ohif, ["status", "--data-dir", str(tmp_path)], standalone_mode=False)
    assert (done.return_value, done.output) == (1, "OHIF is not installed\n")
    assert run("remove", "--data-dir", tmp_path).exit_code == 0


def test_another_package_is_refused(tmp_path):
    """By its digest; nothing is left."""
    (tmp_path / "a.tgz").write_bytes(b"not it")
    done = run("install", "--from", tmp_path / "a.tgz", "--data-dir", tmp_path / "data")
    assert isinstance(done.exception, OhifError)
    assert "its digest is" in done.exception.message
    assert not list((tmp_path / "data" / "ohif").iterdir())


def test_optional_says_why_and_goes_on(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """As `make run` wants it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("install", "--optional", "--data-dir", tmp_path / "data")
    assert done.exit_code == 0
    assert "ATTENTION: without OHIF: npm is not on this machine" in done.output
    assert "--from" in done.output
