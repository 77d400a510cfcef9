"""``negatoscope serve``: really started, killed in parts, stopped."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from negatoscope.infra.db.embedded import EmbeddedPostgres

START_TIMEOUT_S = 120.0

pytestmark = pytest.mark.slow


@dataclass
class Server:
    """One started program."""

    data_dir: Path
    http_port: int
    dicom_port: int
    process: subprocess.Popen[str]

    @property
    def out(self) -> str:
        return (self.data_dir / "out").read_text()

    @property
    def log(self) -> str:
        return (self.data_dir / "err").read_text()

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = START_TIMEOUT_S) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, self.log[-3000:]
            time.sleep(0.1)

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log[-3000:]
        return "is ready" in self.out

    def answers(self) -> bool:
        with contextlib.suppress(OSError, urllib.error.URLError):
            url = f"http://127.0.0.1:{self.http_port}/readyz"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bool(answer.status == 200)
        return False

    def child(self, role: str) -> psutil.Process | None:
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.status() != psutil.STATUS_ZOMBIE and child.cmdline()[-1:] == [role]:
                    return child
        return None

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(45)


def start(data_dir: Path, http_port: int, dicom_port: int, *more: str) -> Server:
    environment = dict(
        os.environ, NEGATOSCOPE_ALLOW_UNSAFE_DATABASE="1", NEGATOSCOPE_HTTP_WORKERS="1"
    )
    data_dir.mkdir(exist_ok=True)
    with (data_dir / "out").open("w") as out, (data_dir / "err").open("w") as err:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "negatoscope", "serve", "--data-dir", str(data_dir)),
                *("--http", f"127.0.0.1:{http_port}", "--dicom", f"127.0.0.1:{dicom_port}"),
                *("--hl7", "127.0.0.1:0"),
                *more,
            ],
            stdout=out,
            stderr=err,
            text=True,
            env=environment,
        )
    return Server(data_dir, http_port, dicom_port, process)


@contextlib.contextmanager
def new_data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nsc-serve-", dir="/tmp") as directory:
        path = Path(directory)
        yield path
        pid = EmbeddedPostgres(path).pid
        if pid is not None:
            os.kill(pid, signal.SIGQUIT)


@contextlib.contextmanager
def running(data_dir: Path, free_ports: Callable[[], int]) -> Iterator[Server]:
    started = start(data_dir, free_ports(), free_ports())
    try:
        started.wait_until(started.is_ready)
        yield started
    finally:
        if started.process.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                started.stop()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with new_data_dir() as path:
        yield path


@pytest.fixture
def server(data_dir: Path, free_ports: Callable[[], int]) -> Iterator[Server]:
    """A server that the test may stop or kill."""
    with running(data_dir, free_ports) as started:
        yield started


@pytest.fixture(scope="module")
def lasting(free_ports: Callable[[], int]) -> Iterator[Server]:
    """A server that several tests share: each leaves it answering."""
    with new_data_dir() as path, running(path, free_ports) as started:
        yield started


def test_it_says_how_to_come_in_and_stops_in_order(server: Server) -> None:
    """URL, AE title, the first link; then nothing of it is left but the data."""
    assert f"http://127.0.0.1:{server.http_port}/" in server.out
    assert f"127.0.0.1:{server.dicom_port} AE title NEGATOSCOPE" in server.out
    assert "/setup/" in server.out
    assert "hl7.listening" in server.log
    assert server.answers()
    socket.create_connection(("127.0.0.1", server.dicom_port), timeout=5).close()
    children = psutil.Process(server.process.pid).children(recursive=True)
    assert len(children) >= 4
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 15
    assert psutil.wait_procs(children, timeout=1)[1] == []
    assert EmbeddedPostgres(server.data_dir).pid is None


@pytest.mark.parametrize("role", ["http", "dicom", "worker"])
def test_a_killed_process_is_started_again(lasting: Server, role: str) -> None:
    """Whichever it is."""
    first = lasting.child(role)
    assert first is not None
    first.kill()
    lasting.wait_until(
        lambda: (found := lasting.child(role)) is not None and found.pid != first.pid
    )
    lasting.wait_until(lasting.answers)
    assert f'"process":"{role}","code":-9' in lasting.log


def test_a_killed_postgresql_is_started_again(lasting: Server) -> None:
    """And everybody finds it."""
    embedded = EmbeddedPostgres(lasting.data_dir)
    first = embedded.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    lasting.wait_until(lambda: embedded.pid not in {None, first})
    lasting.wait_until(lasting.answers)
    pids = {role: lasting.child(role) for role in ("http", "dicom", "worker")}
    assert all(pids.values())


def test_a_killed_supervisor_takes_its_processes_with_it(server: Server) -> None:
    """The next one takes the orphaned database over."""
    children = psutil.Process(server.process.pid).children(recursive=True)
    embedded = EmbeddedPostgres(server.data_dir)
    orphan = embedded.pid
    children = [child for child in children if child.pid != orphan]
    postgres = {c.pid for c in children if c.name().startswith("postgres")}
    server.process.kill()
    server.process.wait()
    gone, alive = psutil.wait_procs([c for c in children if c.pid not in postgres], timeout=5)
    assert alive == []
    assert gone
    assert embedded.pid == orphan
    second = start(server.data_dir, server.http_port, server.dicom_port)
    second.wait_until(second.is_ready)
    assert embedded.pid == orphan
    assert second.stop() == 0
    assert embedded.pid is None


def test_a_second_one_on_the_same_data_is_refused(
    lasting: Server, free_ports: Callable[[], int]
) -> None:
    """With a sentence, not a stack."""
    result = subprocess.run(
        [
            *(sys.executable, "-m", "negatoscope", "serve", "--data-dir", str(lasting.data_dir)),
            *("--http", f"127.0.0.1:{free_ports()}", "--dicom", f"127.0.0.1:{free_ports()}"),
            *("--hl7", "127.0.0.1:0"),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.splitlines()[0].startswith("error: another negatoscope serve runs on")
    assert result.stderr.splitlines()[1].startswith("HINT: ")


def test_a_port_that_is_taken_is_named(data_dir: Path, free_ports: Callable[[], int]) -> None:
    """Before anything is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        refused = start(data_dir, taken.getsockname()[1], free_ports())
        assert refused.process.wait(30) == 2
    assert "cannot listen on 127.0.0.1" in refused.log
    assert "HINT: " in refused.log


def test_a_role_runs_alone(data_dir: Path, free_ports: Callable[[], int]) -> None:
    """With a database of its own if there is none."""
    alone = start(data_dir, free_ports(), free_ports(), "--role", "http")
    try:
        alone.wait_until(alone.answers)
    finally:
        assert alone.stop() == 0
    assert EmbeddedPostgres(data_dir).pid is None


def test_the_demonstration_has_accounts(data_dir: Path, free_ports: Callable[[], int]) -> None:
    """Generated once, printed at every start; no set-up link is needed."""
    passwords: list[str] = []
    for _ in range(2):
        demo = start(data_dir, free_ports(), free_ports(), "--demo")
        try:
            demo.wait_until(demo.is_ready)
            line = next(line for line in demo.out.splitlines() if " admin " in line)
            passwords.append(line.split()[-1])
            assert "/setup/" not in demo.out
            demo.wait_until((data_dir / "demo-loaded").exists)
        finally:
            assert demo.stop() == 0
    assert passwords[0] == passwords[1]
    assert (data_dir / "demo-accounts.json").stat().st_mode & 0o077 == 0
