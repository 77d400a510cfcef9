"""``negatoscope bench`` as an operator runs it, against a sink and against nothing."""

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from negatoscope.bench.retrieve import Sink
from negatoscope.cli.bench import bench


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_a_load_is_measured_and_written_down(tmp_path: Path) -> None:
    """One line for people, one JSON file for machines."""
    port = free_port()
    with Sink("127.0.0.1", port) as sink:
        result = CliRunner().invoke(
            bench,
            [
                "ingest", "--dicom", f"127.0.0.1:{port}", "--called-ae", "SINK", "--clients", "2",
                "--objects", "10", "--shape", "1k", "--results", str(tmp_path),
            ],
        )  # fmt: skip
        assert result.exit_code == 0, result.output
        assert sink.take()[0] == 10
    assert "10 in " in result.output
    (path,) = tmp_path.glob("ingest-*.json")
    (measured,) = json.loads(path.read_text())["measurements"]
    assert (measured["operations"], measured["failures"]) == (10, 0)
    assert measured["parameters"]["clients"] == 2


def test_a_server_that_does_not_listen_is_one_line(tmp_path: Path) -> None:
    """No traceback, no result."""
    arguments = ["ingest", "--dicom", f"127.0.0.1:{free_port()}", "--results", str(tmp_path)]
    result = CliRunner().invoke(bench, arguments)
    assert result.exit_code == 1
    assert "cannot connect" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["ingest"],
        ["ingest", "--dicom", "localhost", "--objects", "1"],
        ["ingest", "--dicom", "127.0.0.1:1", "--url", "http://127.0.0.1:2/dicom-web"],
        ["query", "--url", "ftp://127.0.0.1/"],
        ["metadata", "--dicom", "127.0.0.1:1", "--study", "1.2", "--series", "1.3"],
        ["retrieve", "--dicom", "127.0.0.1:1", "--how", "wado"],
    ],
)
def test_a_target_that_makes_no_sense_is_a_usage_error(arguments: list[str]) -> None:
    """Said before anything is generated."""
    result = CliRunner().invoke(bench, arguments)
    assert result.exit_code == 2
