"""A server that hangs is not waited for for ever; one that is slow is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def answers_again(database: Database) -> None:
    """Within a few looks of the watchdog."""
    deadline = time.monotonic() + 5
    while True:
        try:
            with database.connection() as connection:
                assert connection.execute("SELECT 2").fetchone() == (2,)
            return
        except DatabaseUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.05)


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
        answers_again(database)


def test_a_query_that_takes_long(database_url: str) -> None:
    """Is left alone: the server greets others meanwhile."""
    with Database(database_url, patience_s=0.2) as database, database.connection() as connection:
        assert connection.execute("SELECT 3 FROM pg_sleep(1.5)").fetchone() == (3,)


def test_nobody_waits_for_it_again(database_url: str, postgres: EmbeddedPostgres) -> None:
    """Once it is known to hang, who comes hears so at once; when it answers, all goes on by itself."""
    with Database(database_url, patience_s=0.5) as database:
        with database.connection() as connection:
            connection.execute("SELECT 1")
        with frozen(postgres):
            assert database.hangs()
            for ask in (database.connection, database.connect):
                started = time.monotonic()
                with pytest.raises(DatabaseUnavailable, match="hangs"), ask() as connection:
                    connection.execute("SELECT 1")
                assert time.monotonic() - started < 0.1
        answers_again(database)
        assert not database.hangs()


def test_a_server_that_refuses_us_does_not_hang(postgres: EmbeddedPostgres) -> None:
    """It answers: with no such database."""
    with Database(postgres.url.replace("@/negatoscope?", "@/nowhere?")) as database:
        assert not database.hangs()


def test_a_server_that_is_gone_does_not_hang(tmp_path: Path) -> None:
    """Who needs it hears at once, and it may come back at any moment."""
    with Database(f"postgresql://nobody@/nowhere?host={tmp_path}") as database:
        assert not database.hangs()
