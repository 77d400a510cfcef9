"""Chores, and the worker process as a whole."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psycopg

from negatoscope.entrypoints.worker.chores import Chore, Chores
from negatoscope.infra.db import Database
from negatoscope.infra.jobs import submit

WORK = """
import sys
from negatoscope.entrypoints.worker.chores import Chore
from negatoscope.entrypoints.worker.worker import Worker
from negatoscope.infra.db import Database
from negatoscope.infra.jobs import Tasks, service

tasks = Tasks()

def note(database, kind, subject):
    with database.connection() as connection:
        connection.execute("INSERT INTO task (kind, subject) VALUES (%s, %s)", (kind, subject))

@tasks.task(name="note", pass_context=True)
def note_job(context, *, subject):
    note(service(context, "database", Database), "job", subject)

with Database(sys.argv[1]) as database:
    Worker(
        database=database,
        subscribers={"k": [lambda connection, event: connection.execute(
            "INSERT INTO task (kind, subject) VALUES ('event', %s)", (str(event.payload["n"]),))]},
        chores=[Chore(name="once", every_s=600.0, run=lambda stop: note(database, "chore", "1"))],
        tasks={"test": tasks},
        services={"database": database},
        grace_s=10.0,
    ).run(lambda: print("ready", flush=True))
print("ended", flush=True)
"""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def tasks_of(database: Database) -> set[tuple[str, str]]:
    with database.connection() as connection:
        return set(connection.execute("SELECT kind, subject FROM task").fetchall())


def put(database: Database, number: int) -> None:
    with database.connection() as connection:
        submit(connection, "test:note", subject=str(number))
        connection.execute(
            "INSERT INTO outbox (kind, payload) VALUES ('k', jsonb_build_object('n', %s::int))",
            (number,),
        )


def test_a_worker_does_jobs_events_and_chores_and_ends_in_order(database: Database) -> None:
    """Also after all its connections were cut."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, database.url], stdout=subprocess.PIPE, text=True
    )
    try:
        work_and_end(process, database)
    finally:
        process.kill()
        process.wait()


def work_and_end(process: subprocess.Popen[str], database: Database) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    put(database, 1)
    expected = {("job", "1"), ("event", "1"), ("chore", "1")}
    wait_until(lambda: tasks_of(database) == expected)
    with database.connect() as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    put(database, 2)
    wait_until(lambda: tasks_of(database) == expected | {("job", "2"), ("event", "2")})
    process.terminate()
    assert process.stdout.read().splitlines()[-1] == "ended"
    assert process.wait(20) == 0


def test_a_failing_chore_runs_again_and_holds_nobody_up() -> None:
    """Each has its own thread."""
    runs: list[float] = []
    neighbour: list[float] = []

    def fail(_stop: threading.Event) -> None:
        runs.append(time.monotonic())
        raise psycopg.OperationalError("no")

    chores = Chores(
        [
            Chore(name="fails", every_s=0.01, run=fail),
            Chore(name="works", every_s=0.01, run=lambda _: neighbour.append(time.monotonic())),
        ]
    )
    chores.start()
    wait_until(lambda: len(runs) == 3 and len(neighbour) > 20)
    chores.stop(5.0)
    assert runs[1] - runs[0] >= 0.9
    assert runs[2] - runs[1] >= 1.9  # the pause doubles


def test_a_chore_is_told_to_stop() -> None:
    """And waited for."""
    ended: list[bool] = []
    begun = threading.Event()

    def long(stop: threading.Event) -> None:
        begun.set()
        stop.wait(30)
        ended.append(True)

    chores = Chores([Chore(name="long", every_s=600.0, run=long)])
    chores.start()
    begun.wait(10)
    chores.stop(10.0)
    assert ended == [True]


def test_the_queries_are_where_they_are_looked_for() -> None:
    """The package data is part of the program."""
    from negatoscope.infra.db import load_queries

    queries = load_queries("negatoscope.entrypoints.worker.sql", "outbox.sql")
    assert {"due", "delete", "postpone", "park", "task", "waiting"} == set(queries)


def test_a_patient_chore_takes_what_others_leave():
    """Settling and scrubbing run at the lowest priority, on their thread alone."""
    seen: list[int] = []
    ran = threading.Event()

    def look(_stop: threading.Event) -> None:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        ran.set()

    before = os.getpriority(os.PRIO_PROCESS, 0)
    chores = Chores([Chore(name="patient", every_s=60.0, run=look, is_patient=True)])
    chores.start()
    assert ran.wait(10)
    chores.stop(5)
    assert seen == [19]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
