"""Jobs are asked for inside a transaction and done after it."""

import asyncio
from importlib import resources

import psycopg
import pytest
from procrastinate.schema import SchemaManager

from negatoscope.infra.db import Database
from negatoscope.infra.jobs import JobContext, Tasks, new_app, service, submit


def waiting(database: Database) -> list[tuple[str, dict[str, object]]]:
    with database.connection() as connection:
        return connection.execute(
            "SELECT task_name, args FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id"
        ).fetchall()


def test_a_job_commits_with_its_transaction(database: Database) -> None:
    """Rolled back: never asked for."""
    with pytest.raises(psycopg.errors.DivisionByZero), database.connection() as connection:
        connection.execute("SELECT %s / 0", (submit(connection, "archive:settle", study=1),))
    assert waiting(database) == []
    with database.connection() as connection:
        assert submit(connection, "archive:settle", study=1) is not None
    assert waiting(database) == [("archive:settle", {"study": 1})]


def test_a_queueing_lock_is_waited_for_once(database: Database) -> None:
    """And a second request harms nobody's transaction."""
    with database.connection() as connection:
        assert submit(connection, "a:b", queueing_lock="k") is not None
        assert submit(connection, "a:b", queueing_lock="k") is None
        assert submit(connection, "a:b", queueing_lock="l") is not None
    assert len(waiting(database)) == 2


def test_the_worker_runs_it_with_its_services(database: Database) -> None:
    """Synchronous tasks, services from the context."""
    tasks = Tasks()
    done: list[int] = []

    @tasks.task(name="settle", pass_context=True)
    def settle(context: JobContext, *, study: int) -> None:
        with service(context, "database", Database).connection() as connection:
            row = connection.execute("SELECT %s + 1", (study,)).fetchone()
        assert row is not None
        done.append(row[0])

    with database.connection() as connection:
        submit(connection, "archive:settle", study=41)

    async def run() -> None:
        app = new_app(database.url, {"archive": tasks})
        async with app.open_async():
            await app.run_worker_async(
                wait=False, install_signal_handlers=False, additional_context={"database": database}
            )

    asyncio.run(run())
    assert done == [42]
    assert waiting(database) == []


def test_the_migration_installs_the_librarys_schema() -> None:
    """A newer library needs a newer migration."""
    ours = resources.files("negatoscope.infra.jobs.sql").joinpath("procrastinate_3_10.sql")
    assert ours.read_text().endswith(SchemaManager.get_schema())
