"""A server that hangs is not waited for for ever; one that is slow is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from negatoscope.infra.db import Database
from negatoscope.infra.db.embedded import EmbeddedPostgres
from negatoscope.infra.errors import DatabaseUnavailable


@contextmanager
def frozen(postgres: EmbeddedPostgres) -> Iterator[None]:
    """The server and all its processes stopped."""
    assert postgres.pid is not None
    postmaster = psutil.Process(postgres.pid)
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def test_a_server_that_hangs(database_url: str, postgres: EmbeddedPostgres) -> None:
    """Who waits in a transaction hears that there is no database; afterwards all is as before."""
    with Database(database_url, patience_s=0.5) as database:
        with database.connection() as connection:
            connection.execute("SELECT 1")
        started = time.monotonic()
        with (
            frozen(postgres),
            pytest.raises(DatabaseUnavailable),
            database.connection() as connection,
        ):
            connection.execute("SELECT 1")
        assert 0.5 < time.monotonic() - started < 10
        with database.connection() as connection:
            assert connection.execute("SELECT 2").fetchone() == (2,)


def test_a_query_that_takes_long(database_url: str) -> None:
    """Is left alone: the server greets others meanwhile."""
    with Database(database_url, patience_s=0.2) as database, database.connection() as connection:
        assert connection.execute("SELECT 3 FROM pg_sleep(1.5)").fetchone() == (3,)
