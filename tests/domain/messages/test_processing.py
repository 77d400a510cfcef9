"""Messages are carried out in the order of each patient, once, by any number of processors."""

import random
import threading
import time
from collections.abc import Callable

import psycopg
import pytest

from negatoscope.domain.messages import (
    MAX_IDENTIFIERS,
    Arrival,
    Ignored,
    Messages,
    Outcome,
    Processor,
    State,
)
from negatoscope.infra.db import Database
from negatoscope.infra.errors import DatabaseUnavailable


def keep(database: Database, *identifiers: tuple[str, ...]) -> list[int]:
    arrivals = [
        Arrival(
            content=str(position).encode(),
            control_id=f"{time.time_ns()}-{position}",
            message_code="ADT",
            patient_identifiers=of,
        )
        for position, of in enumerate(identifiers)
    ]
    return [one.id for one in Messages(database).store(arrivals)]


def work(processors: list[Processor], until: Callable[[], bool], patience_s: float = 20.0) -> None:
    for one in processors:
        one.start()
    deadline = time.monotonic() + patience_s
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for one in processors:
        one.stop()


def pending(database: Database) -> int:
    return Messages(database).depth()[0]


def test_each_patient_in_order_once_side_by_side(database: Database) -> None:
    chance = random.Random(7)
    people = [f"P{number}" for number in range(6)]
    names = [
        tuple(sorted({chance.choice(people), chance.choice(people)}))
        if chance.random() < 0.2
        else (chance.choice(people),)
        for _ in range(150)
    ]
    numbers = keep(database, *names)
    of = dict(zip(numbers, names, strict=True))
    done: list[int] = []
    under_way: set[int] = set()
    most = [0]
    lock = threading.Lock()

    def handler(connection: psycopg.Connection, number: int, _content: bytes) -> Outcome:
        with lock:
            for other in under_way:
                assert not set(of[other]) & set(of[number]), "two messages of one patient at once"
            under_way.add(number)
            most[0] = max(most[0], len(under_way))
        time.sleep(chance.random() * 0.004)
        connection.execute("SELECT 1")
        with lock:
            under_way.discard(number)
            done.append(number)
        return Outcome()

    processors = [Processor(database, handler, threads=2) for _ in range(2)]
    work(processors, lambda: pending(database) == 0)
    assert sorted(done) == numbers  # each once
    for person in people:
        mine = [number for number in done if person in of[number]]
        assert mine == sorted(mine)
    assert most[0] > 1
    assert all(Messages(database).get(one)[0].state == State.PROCESSED for one in numbers)


def test_one_that_takes_long_holds_its_patient_alone(database: Database) -> None:
    first, second, other = keep(database, ("A",), ("A",), ("B",))
    may_end = threading.Event()
    done: list[int] = []

    def handler(_connection: psycopg.Connection, number: int, _content: bytes) -> Outcome:
        if number == first:
            may_end.wait(10)
        done.append(number)
        return Outcome()

    processors = [Processor(database, handler, threads=3)]

    def until() -> bool:
        if done == [other] and not may_end.is_set():
            time.sleep(0.1)
            assert done == [other]
            may_end.set()
        return pending(database) == 0

    work(processors, until)
    assert done == [other, first, second]


def test_a_message_of_very_many_patients_is_alone(database: Database) -> None:
    many = tuple(f"M{number}" for number in range(MAX_IDENTIFIERS))
    before, broad, after = keep(database, ("A",), many, ("B",))
    done: list[int] = []

    def handler(_connection: psycopg.Connection, number: int, _content: bytes) -> Outcome:
        if number == before:
            time.sleep(0.1)
        done.append(number)
        return Outcome()

    work([Processor(database, handler, threads=3)], lambda: pending(database) == 0)
    assert done == [before, broad, after]


def test_what_fails_holds_up_nobody_and_leaves_nothing(database: Database) -> None:
    numbers = keep(database, ("A",), ("A",), ())

    def handler(connection: psycopg.Connection, number: int, _content: bytes) -> Outcome:
        if number == numbers[0]:
            connection.execute("INSERT INTO outbox (kind, payload) VALUES ('x', '{}')")
            raise RuntimeError("a fault")
        raise Ignored("nothing here depends on it")

    assert Processor(database, handler).process_waiting() == 3
    states = [Messages(database).get(one)[0].state for one in numbers]
    assert states == [State.FAILED, State.IGNORED, State.IGNORED]
    with database.connection() as connection:
        assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (0,)


def test_killed_in_the_middle_it_has_its_effect_once(database: Database) -> None:
    """The transaction of the effect is the one of the word that it was processed."""
    (number,) = keep(database, ("A",))

    def dies(connection: psycopg.Connection, _number: int, _content: bytes) -> Outcome:
        connection.execute("INSERT INTO outbox (kind, payload) VALUES ('x', '{}')")
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return Outcome()

    def lives(connection: psycopg.Connection, _number: int, _content: bytes) -> Outcome:
        connection.execute("INSERT INTO outbox (kind, payload) VALUES ('x', '{}')")
        return Outcome()

    with pytest.raises((psycopg.Error, DatabaseUnavailable)):
        Processor(database, dies).process_waiting()
    assert Messages(database).get(number)[0].state == State.PENDING
    assert Processor(database, lives).process_waiting() == 1
    with database.connection() as connection:
        assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (1,)
