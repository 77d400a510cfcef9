"""What every test may ask for: a real PostgreSQL, real objects, a free port."""

import itertools
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from negatoscope.infra.db import Database, migrate
from negatoscope.infra.db.embedded import EmbeddedPostgres

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

settings.register_profile("same", derandomize=True)
settings.register_profile("search", derandomize=False)  # pytest --hypothesis-profile search
"""The same examples on each run unless asked, so that a run says something about the change."""

os.environ.setdefault("NEGATOSCOPE_PREPARED_BYTES", str(4 << 20))
"""Servers that tests start prepare their segments too, but not half a gigabyte each."""
os.environ.setdefault("NEGATOSCOPE_DIMSE_PROCESSES", "1")
"""Each costs a second to start; ``tests/acceptance/test_two_dimse_processes.py`` has two."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts the tests in the background has Ctrl-C ignored for all below it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

_DATABASE_NUMBERS = itertools.count(1)
_ROOM_FOR_DATABASES = 4 << 30


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real objects beside the checkout; tests that need it skip without it."""
    if not (SHARED_DATA / "MANIFEST.tsv").is_file():
        pytest.skip(f"NO REAL OBJECTS: {SHARED_DATA} is absent")
    return SHARED_DATA


def _scratch() -> str:
    """Where a database that need not last is quickest: copying one takes a tenth of the time in memory."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK):
        room = os.statvfs(memory)
        if room.f_bavail * room.f_frsize >= _ROOM_FOR_DATABASES:
            return str(memory)
    return "/tmp"


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One server per test process, fsync off, thrown away at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="nsc-pg-", dir=_scratch()) as directory,
        EmbeddedPostgres(Path(directory), durable=False) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: EmbeddedPostgres) -> str:
    """The server's administrator URL (user and database ``postgres``)."""
    return postgres.administrator_url


@pytest.fixture(scope="session")
def _template(postgres: EmbeddedPostgres) -> str:
    """The embedded server's own database, migrated to head: what test databases are copied from."""
    migrate.upgrade(postgres.url)
    return "negatoscope"


@pytest.fixture
def new_database_url(postgres: EmbeddedPostgres, _template: str) -> Iterator[Callable[..., str]]:
    """Makes databases: ``new_database_url()`` migrated, ``new_database_url(empty=True)`` bare."""
    names: list[str] = []
    url = postgres.administrator_url

    def make(*, empty: bool = False) -> str:
        name = f"test_{next(_DATABASE_NUMBERS)}"
        template = "template0" if empty else _template
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                f"CREATE DATABASE {name} TEMPLATE {template} OWNER negatoscope STRATEGY FILE_COPY"
            )
        names.append(name)
        return postgres.url.replace("@/negatoscope?", f"@/{name}?")

    yield make
    with psycopg.connect(url, autocommit=True) as connection:
        for name in names:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def database_url(new_database_url: Callable[..., str]) -> str:
    """A fresh, migrated database."""
    return new_database_url()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Connections to a fresh, migrated database."""
    with Database(database_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def module_database_url(postgres: EmbeddedPostgres, _template: str) -> Iterator[str]:
    """A migrated database that the tests of a module share and empty for themselves."""
    name = f"module_{next(_DATABASE_NUMBERS)}"
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {_template} OWNER negatoscope STRATEGY FILE_COPY"
        )
    yield postgres.url.replace("@/negatoscope?", f"@/{name}?")
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def module_database(module_database_url: str) -> Iterator[Database]:
    """Connections to it."""
    with Database(module_database_url) as opened:
        yield opened


@pytest.fixture
def free_port() -> int:
    """A TCP port of 127.0.0.1 nobody listens on."""
    return next_free_port()


@pytest.fixture(scope="session")
def free_ports() -> Callable[[], int]:
    """The same, as often as it is called."""
    return next_free_port


def next_free_port() -> int:
    """Ask the kernel for a free TCP port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
