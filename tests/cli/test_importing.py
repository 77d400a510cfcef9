"""``negatoscope import`` as an operator runs it: exit codes, report, killed and run again."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from negatoscope.demo.examinations import head_scan, study
from negatoscope.demo.people import GARCIA

PROGRAM = [sys.executable, "-m", "negatoscope", "import"]


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a head CT: 40 objects of half a megabyte."""
    folder = tmp_path_factory.mktemp("scan")
    plan = study(GARCIA, "20260101", "120000", "IMPORT1", "TDM", "ESSAI^Import")
    for number, content in enumerate(head_scan(plan, haematoma=False)):
        (folder / f"IM{number:04d}").write_bytes(content)
    return folder


class Command:
    """Runs the command against one database and data directory."""

    def __init__(self, database_url: str, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.options = ["--data-dir", str(data_dir), "--database-url", database_url, "--jobs", "1"]
        self.environment = {**os.environ, "NEGATOSCOPE_ALLOW_UNSAFE_DATABASE": "true"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it."""
        return subprocess.Popen(
            [*PROGRAM, *self.options, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=120)
        return process.returncode, output, errors

    def results(self, name: str) -> Counter[str]:
        """Results of a JSON report."""
        reports = json.loads((self.data_dir / name).read_text(encoding="utf-8"))
        return Counter(report["result"] for report in reports)


@pytest.fixture
def command(database_url: str, tmp_path: Path) -> Command:
    """The command with a data directory of its own."""
    (tmp_path / "data").mkdir()
    return Command(database_url, tmp_path / "data")


def test_a_folder_is_imported_and_reported(command: Command, scan: Path) -> None:
    """Exit code 0, a line of counts, a table of files."""
    code, output, errors = command(str(scan))
    assert (code, errors) == (0, "")
    assert output.startswith("40 stored; ")
    report = Path(output.splitlines()[-1].removeprefix("report: "))
    lines = report.read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t")[:2] == ["path", "result"]
    assert len(lines) == 41


def test_refused_files_make_exit_code_1(command: Command, scan: Path, tmp_path: Path) -> None:
    """The others are taken."""
    folder = tmp_path / "medium"
    folder.mkdir()
    whole = (scan / "IM0000").read_bytes()
    (folder / "whole").write_bytes(whole)
    (folder / "cut").write_bytes(whole[:-1000])
    report = command.data_dir / "report.json"
    code, output, _ = command(str(folder), "--report", str(report))
    assert code == 1
    assert "1 stored, 1 failed" in output
    assert command.results("report.json") == {"STORED": 1, "FAILED": 1}


def test_a_wrong_path_makes_exit_code_2(command: Command, tmp_path: Path) -> None:
    """One line, and what to try."""
    code, _, errors = command(str(tmp_path / "nowhere"))
    assert code == 2
    assert "nowhere" in errors
    assert "HINT" in errors


def test_no_database_makes_exit_code_3(command: Command, scan: Path) -> None:
    """It does not look like an import that took nothing."""
    command.options[3] = "postgresql://127.0.0.1:9/none"
    code, output, errors = command(str(scan))
    assert code == 3
    assert output == ""
    assert "database" in errors


_GATE = """
CREATE FUNCTION import_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM instance) >= 12 THEN PERFORM pg_advisory_xact_lock_shared(4242); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER import_gate AFTER INSERT ON instance EXECUTE FUNCTION import_gate();
"""


@contextlib.contextmanager
def stopped_half_way(database_url: str) -> Iterator[Callable[[], None]]:
    """After a dozen objects the index waits, until the end; gives a function that waits for that."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(_GATE)
        connection.execute("SELECT pg_advisory_lock(4242)")

        def wait() -> None:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                if connection.execute(waiting).fetchone() is not None:
                    return
                time.sleep(0.01)
            pytest.fail("the import never came to its middle")

        yield wait
        connection.execute("SELECT pg_advisory_unlock(4242)")


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_import_continues(
    command: Command, scan: Path, database_url: str, signal_number: signal.Signals
) -> None:
    """Killed or interrupted in the middle: the same command takes the rest, and nothing twice."""
    journals = command.data_dir / "imports"
    with stopped_half_way(database_url) as wait:
        process = command.start(str(scan))
        wait()
        process.send_signal(signal_number)
        time.sleep(1)  # it hears of it before the index goes on
    process.communicate(timeout=60)
    assert process.returncode in {-signal.SIGKILL, 130}
    code, _output, errors = command(str(scan), "--report", str(command.data_dir / "again.json"))
    assert code == 0, errors
    assert "continuing an interrupted import" in errors
    results = command.results("again.json")
    assert results["RESUMED"] >= 3
    assert results["STORED"] >= 1
    assert results["DUPLICATE"] <= 2
    assert results.total() == 40
    assert not list(journals.glob("*.journal"))
