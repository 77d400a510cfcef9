"""The pool, the named queries and the start-up check."""

import threading
from collections.abc import Callable

import psycopg
import pytest

from negatoscope.infra.db import Database, check_durability, load_queries
from negatoscope.infra.db.database import connect
from negatoscope.infra.errors import ConfigurationError, DatabaseUnavailable, UnsafeDatabase


def test_a_block_is_one_transaction(database: Database) -> None:
    """What ends well is committed, what raises is not there."""
    with database.connection() as connection:
        connection.execute("INSERT INTO task (kind, subject) VALUES ('kept', '1')")
    with pytest.raises(psycopg.errors.DivisionByZero), database.connection() as connection:
        connection.execute("INSERT INTO task (kind, subject) VALUES ('lost', '1'); SELECT 1 / 0")
    with database.connection() as connection:
        assert connection.execute("SELECT kind FROM task").fetchall() == [("kept",)]


def test_instants_come_back_aware_and_in_utc(database: Database) -> None:
    """Whatever the server's own time zone is."""
    with database.connection() as connection:
        row = connection.execute("SELECT now()").fetchone()
    assert row is not None
    assert str(row[0].utcoffset()) == "0:00:00"


def test_a_connection_the_server_closed_is_replaced(database: Database) -> None:
    """A restarted server does not cost the first borrower of each connection."""
    with database.connection() as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
    with database.connect() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (row[0],))
    with database.connection() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_many_threads_share_a_few_connections(database: Database) -> None:
    """Borrowers beyond the pool's size wait and are served."""

    def add(number: int) -> None:
        with database.connection() as connection:
            connection.execute(
                "INSERT INTO task (kind, subject) VALUES ('thread', %s)", (str(number),)
            )

    threads = [threading.Thread(target=add, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.connection() as connection:
        assert connection.execute("SELECT count(*) FROM task").fetchone() == (40,)


def test_nobody_answers() -> None:
    """The error is ours and has a hint."""
    with (
        Database("postgresql://x@127.0.0.1:1/x", timeout_s=0.3) as nowhere,
        pytest.raises(DatabaseUnavailable) as caught,
        nowhere.connection(),
    ):
        pass
    assert caught.value.hint


def test_what_the_url_says_itself_holds(database_url: str) -> None:
    """Our defaults come below it; options of both are used."""
    url = f"{database_url}&application_name=mine&options=-c%20lock_timeout%3D7s"
    with Database(url) as database, database.connection() as connection:
        found = connection.execute(
            "SELECT current_setting('application_name'), current_setting('lock_timeout'),"
            " current_setting('timezone')"
        ).fetchone()
    assert found == ("mine", "7s", "UTC")


def test_a_url_that_cannot_be_read_is_not_repeated() -> None:
    """It may hold a password."""
    with pytest.raises(ConfigurationError) as caught:
        connect("postgresql//u:s3cret@h/d")
    assert "s3cret" not in str(caught.value) + caught.value.hint


def test_a_server_without_fsync_is_refused(database_url: str) -> None:
    """The tests' own server is one."""
    with pytest.raises(UnsafeDatabase, match="=off"):
        check_durability(database_url)


def test_queries_are_loaded_by_name(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block per name; doubles, empty blocks and stray SQL are errors."""
    package = tmp_path / "some_queries"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "good.sql").write_text(
        "-- Purpose.\n-- name: one\nSELECT 1;\n\n-- name: two\nSELECT 2\n"
    )
    (package / "twice.sql").write_text("-- name: one\nSELECT 1\n-- name: one\nSELECT 2\n")
    (package / "empty.sql").write_text("-- name: one\n\n-- name: two\nSELECT 2\n")
    (package / "stray.sql").write_text("SELECT 1;\n-- name: two\nSELECT 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert dict(load_queries("some_queries", "good.sql")) == {"one": "SELECT 1;", "two": "SELECT 2"}
    for name in ("twice.sql", "empty.sql", "stray.sql"):
        with pytest.raises(ValueError, match=name):
            load_queries("some_queries", name)


def test_databases_of_tests_are_apart(new_database_url: Callable[..., str]) -> None:
    """Two databases of one test do not see each other."""
    first, second = new_database_url(), new_database_url()
    with psycopg.connect(first, autocommit=True) as connection:
        connection.execute("INSERT INTO task (kind, subject) VALUES ('a', 'b')")
    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT count(*) FROM task").fetchone() == (0,)
