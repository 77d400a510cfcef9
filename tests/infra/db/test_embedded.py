"""The embedded server: shared, crashed, orphaned, and in places that are hard to reach."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from negatoscope.infra.db import check_durability
from negatoscope.infra.db.embedded import EmbeddedPostgres
from negatoscope.infra.errors import EmbeddedPostgresError

HOLD = """
import sys, time
from pathlib import Path
from negatoscope.infra.db.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
print(server.start(), flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A private directory, as mkdtemp makes it: no other account can enter it."""
    with tempfile.TemporaryDirectory(prefix="nsc-pg-", dir="/tmp") as directory:
        yield Path(directory)
        end(Path(directory))


def end(data_dir: Path) -> None:
    """Whatever a failed test left running."""
    pid = EmbeddedPostgres(data_dir).pid
    if pid is not None:
        os.kill(pid, signal.SIGQUIT)
        wait_until_gone(pid)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def add_row(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (x integer)")
        connection.execute("INSERT INTO kept VALUES (1)")


def rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
        assert row is not None
        return int(row[0])


def holder(data_dir: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def test_it_is_durable_and_listens_on_a_private_socket_only(data_dir: Path) -> None:
    """fsync and checksums on; no TCP; nobody but its account and root reaches the socket."""
    with EmbeddedPostgres(data_dir) as server:
        found = check_durability(server.url)
        assert (found["fsync"], found["data_checksums"]) == ("on", "on")
        assert server.pid is not None
        assert psutil.Process(server.pid).net_connections("tcp") == []
        with psycopg.connect(server.administrator_url) as connection:
            row = connection.execute("SHOW unix_socket_directories").fetchone()
        assert row is not None
        assert Path(row[0]).stat().st_mode & 0o077 == 0
        with psycopg.connect(server.url) as connection:
            row = connection.execute(
                "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
        assert row == (False,)
    assert server.pid is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as somebody else")
def test_root_runs_it_as_somebody_else(data_dir: Path) -> None:
    """PostgreSQL refuses user id 0; in a place the account can reach it has no capability."""
    data_dir.chmod(0o711)
    place = data_dir / "made"
    old = os.umask(0o027)
    try:
        with EmbeddedPostgres(place, durable=False) as server:
            assert server.pid is not None
            assert psutil.Process(server.pid).uids().real != 0
            status = Path(f"/proc/{server.pid}/status").read_text()
            assert "CapEff:\t0000000000000000" in status
    finally:
        os.umask(old)
    assert place.stat().st_mode & 0o777 == 0o711


@pytest.mark.skipif(not os.access("/root", os.W_OK), reason="/root is not ours")
def test_it_lives_below_a_home_nobody_else_can_enter() -> None:
    """The account is given the right to pass, and no other file access than that."""
    with tempfile.TemporaryDirectory(prefix="nsc-pg-", dir="/root") as directory:
        with EmbeddedPostgres(Path(directory), durable=False) as server:
            add_row(server.url)
            assert rows(server.url) == 1
        assert server.pid is None


def test_a_long_path_has_its_socket_elsewhere(data_dir: Path) -> None:
    """Socket paths end at 107 bytes; the second start finds the same place."""
    deep = data_dir / ("d" * 100) / ("e" * 60)
    for _ in range(2):
        with EmbeddedPostgres(deep, durable=False) as server:
            add_row(server.url)
    with EmbeddedPostgres(deep, durable=False) as server:
        assert rows(server.url) == 2


def test_the_last_one_to_leave_stops_it(data_dir: Path) -> None:
    """A command beside a running program joins its server and leaves it running."""
    first, second = (EmbeddedPostgres(data_dir, durable=False) for _ in range(2))
    assert first.start() == second.start()
    assert first.stop() is False
    assert second.pid is not None
    assert second.stop() is True
    assert second.pid is None


def test_three_that_start_at_once_share_one(data_dir: Path) -> None:
    """One makes the cluster, the others wait and join."""
    holders = [
        subprocess.Popen(
            [sys.executable, "-c", HOLD, str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    urls = {process.stdout.readline() for process in holders if process.stdout}
    assert len(urls) == 1
    for process in holders:
        process.communicate()
    assert [process.returncode for process in holders] == [0, 0, 0]
    assert EmbeddedPostgres(data_dir).pid is None


def test_a_killed_server_recovers(data_dir: Path) -> None:
    """What was committed is there after kill -9 of the postmaster and a new start."""
    server = EmbeddedPostgres(data_dir)
    url = server.start()
    add_row(url)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_until_gone(server.pid or 0)
    assert server.pid is None
    assert server.start() == url
    assert rows(url) == 1
    assert server.stop()


def test_the_orphan_of_a_killed_program_is_taken_over(data_dir: Path) -> None:
    """Its lock went with it: the next one joins the server and stops it at its end."""
    process = holder(data_dir)
    server = EmbeddedPostgres(data_dir, durable=False)
    orphan = server.pid
    process.kill()
    process.wait()
    assert orphan is not None
    server.start()
    assert server.pid == orphan
    assert server.stop()
    assert server.pid is None


def test_a_stale_pid_file_is_not_believed(data_dir: Path) -> None:
    """Not even when its number belongs to a living process of another kind."""
    server = EmbeddedPostgres(data_dir, durable=False)
    server.start()
    add_row(server.url)
    pid_file = data_dir / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    lines[0] = str(os.getpid())
    pid_file.write_text("\n".join(lines) + "\n")
    assert server.pid is None
    with server:
        assert rows(server.url) == 1


def test_an_interrupted_creation_starts_over(data_dir: Path) -> None:
    """A half-made cluster was never in its final place."""
    half = data_dir / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(data_dir, durable=False) as server:
        add_row(server.url)
    assert not half.exists()


def test_a_server_that_cannot_start_says_why(data_dir: Path) -> None:
    """With the last words of its log."""
    with EmbeddedPostgres(data_dir, durable=False):
        pass
    (data_dir / "postgres" / "postgresql.auto.conf").write_text("shared_buffers = 'a lot'\n")
    server = EmbeddedPostgres(data_dir, durable=False)
    with pytest.raises(EmbeddedPostgresError, match="shared_buffers"):
        server.start()
    assert server.stop() is False
