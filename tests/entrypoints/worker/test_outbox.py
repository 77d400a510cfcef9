"""The outbox: at least once, in order, never lost."""

import threading
import time

import psycopg
import pytest

from negatoscope.entrypoints.worker import outbox
from negatoscope.entrypoints.worker.outbox import EVERY_KIND, OutboxConsumer
from negatoscope.infra.db import Database
from negatoscope.infra.events import Event, publish
from negatoscope.infra.events.monitor import deliver_again


def put(database: Database, *numbers: int, kind: str = "k", wake: bool = False) -> None:
    with database.connection() as connection:
        for number in numbers:
            publish(connection, kind, {"n": number}, wake=wake)


def count(database: Database, table: str = "outbox") -> int:
    with database.connection() as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert row is not None
        return int(row[0])


def write_task(connection: psycopg.Connection, event: Event) -> None:
    connection.execute(
        "INSERT INTO task (kind, subject) VALUES ('seen', %s)", (str(event.payload["n"]),)
    )


def test_events_come_in_order_and_go(database: Database) -> None:
    """Each to its kind's subscribers and to those of every kind."""
    seen: list[tuple[str, object]] = []
    consumer = OutboxConsumer(
        database,
        {
            "k": [lambda _, event: seen.append(("k", event.payload["n"]))],
            EVERY_KIND: [lambda _, event: seen.append(("*", event.payload["n"]))],
        },
    )
    put(database, 1, 2)
    put(database, 3, kind="other")
    assert consumer.deliver_batch() == 3
    assert seen == [("k", 1), ("*", 1), ("k", 2), ("*", 2), ("*", 3)]
    assert count(database) == 0


def subjects(database: Database) -> list[str]:
    with database.connection() as connection:
        rows = connection.execute("SELECT subject FROM task ORDER BY 1").fetchall()
    return [row[0] for row in rows]


def test_a_subscribers_writes_commit_with_the_event(database: Database) -> None:
    """One that fails takes back what it wrote itself, for that event."""

    def write_then_fail_on_2(connection: psycopg.Connection, event: Event) -> None:
        write_task(connection, event)
        if event.payload["n"] == 2:
            raise ValueError("no")

    consumer = OutboxConsumer(database, {"k": [write_then_fail_on_2]})
    put(database, 1, 2, 3)
    consumer.deliver_batch()
    assert subjects(database) == ["1", "3"]
    with database.connection() as connection:
        row = connection.execute("SELECT attempts, last_error FROM outbox").fetchone()
    assert row is not None
    assert row[0] == 1
    assert "ValueError: no" in row[1]


def test_a_failing_subscriber_leaves_its_neighbours_alone(database: Database) -> None:
    """Those before and behind keep their work and do not get the event again."""
    broken = [True]
    seen: list[str] = []

    def before(connection: psycopg.Connection, event: Event) -> None:
        seen.append("before")
        write_task(connection, event)

    def failing(connection: psycopg.Connection, _: Event) -> None:
        seen.append("failing")
        if broken[0]:
            connection.execute("SELECT 1 / 0")

    def behind(connection: psycopg.Connection, _: Event) -> None:
        seen.append("behind")
        connection.execute("INSERT INTO task (kind, subject) VALUES ('behind', 'x')")

    consumer = OutboxConsumer(
        database, {"k": [before, failing], EVERY_KIND: [behind]}, first_delay_s=0.0
    )
    put(database, 1)
    consumer.deliver_batch()
    assert seen == ["before", "failing", "behind"]
    assert subjects(database) == ["1", "x"]
    consumer.deliver_batch()
    assert seen[3:] == ["failing"]
    broken[0] = False
    consumer.deliver_batch()
    assert seen[4:] == ["failing"]
    assert (count(database), count(database, "task")) == (0, 2)


def test_a_statement_that_takes_too_long_is_its_subscribers_failure(database: Database) -> None:
    """The database is well: the others go on."""

    def slow(connection: psycopg.Connection, _: Event) -> None:
        connection.execute("SET LOCAL statement_timeout = '20ms'")
        connection.execute("SELECT pg_sleep(5)")

    consumer = OutboxConsumer(database, {"k": [slow, write_task]}, first_delay_s=60.0)
    put(database, 1, 2)
    assert consumer.deliver_batch() == 2
    assert subjects(database) == ["1", "2"]
    assert count(database) == 2


def test_a_poison_event_is_parked_with_a_task(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never lost, and comes back when asked for."""
    monkeypatch.setattr(outbox, "MAX_ATTEMPTS", 3)
    broken = [True]

    def fail(_: psycopg.Connection, event: Event) -> None:
        if broken[0]:
            raise ValueError("poison")

    consumer = OutboxConsumer(database, {"k": [fail]}, first_delay_s=0.0)
    put(database, 1)
    for _ in range(5):
        consumer.deliver_batch()
    with database.connection() as connection:
        row = connection.execute(
            "SELECT id, attempts, parked_at IS NOT NULL FROM outbox"
        ).fetchone()
        task = connection.execute("SELECT kind, subject FROM task").fetchone()
    assert row is not None
    assert row[1:] == (3, True)
    assert task == ("event-parked", str(row[0]))
    broken[0] = False
    assert deliver_again(database, row[0])
    assert not deliver_again(database, row[0])
    consumer.deliver_batch()
    assert count(database) == 0


def test_a_failed_event_waits_longer_each_time(database: Database) -> None:
    """And lets later ones pass."""
    consumer = OutboxConsumer(
        database, {"bad": [lambda *_: 1 / 0], "k": [write_task]}, first_delay_s=60.0
    )
    put(database, 1, kind="bad")
    put(database, 2)
    assert consumer.deliver_batch() == 2
    assert consumer.deliver_batch() == 0
    assert count(database, "task") == 1


def test_two_workers_share_the_events(database: Database) -> None:
    """No event is handed to both."""
    seen: list[int] = []
    lock = threading.Lock()

    def see(_: psycopg.Connection, event: Event) -> None:
        with lock:
            seen.append(event.payload["n"])

    put(database, *range(500))

    def work() -> None:
        consumer = OutboxConsumer(database, {"k": [see]})
        while count(database):
            consumer.deliver_batch()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(500))


def test_it_goes_on_after_the_database_was_away(database: Database) -> None:
    """Its connections are killed; what was published meanwhile is delivered."""
    consumer = OutboxConsumer(database, {"k": [write_task]})
    stop = threading.Event()
    thread = threading.Thread(target=consumer.run, args=(stop,))
    thread.start()
    try:
        put(database, 1, wake=True)
        wait_for_tasks(database, 1)
        with database.connect() as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        put(database, 2)
        wait_for_tasks(database, 2)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def test_a_notified_event_is_handed_on_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without waiting for the next look."""
    monkeypatch.setattr(outbox, "POLL_INTERVAL_S", 30.0)
    consumer = OutboxConsumer(database, {"k": [write_task]})
    stop = threading.Event()
    thread = threading.Thread(target=consumer.run, args=(stop,), daemon=True)
    thread.start()
    time.sleep(0.5)
    put(database, 1, wake=True)
    wait_for_tasks(database, 1)
    stop.set()
    put(database, 2, wake=True)
    thread.join(10)
    assert not thread.is_alive()


def wait_for_tasks(database: Database, number: int) -> None:
    deadline = time.monotonic() + 15
    while count(database, "task") < number:
        assert time.monotonic() < deadline
        time.sleep(0.05)
