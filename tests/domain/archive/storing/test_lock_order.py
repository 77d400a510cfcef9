"""Images that arrive and patients that change wait for each other in one order: no transaction is undone for another."""

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from negatoscope.domain.patients import (
    Authority,
    Identifier,
    MergeRefused,
    PersonName,
    Registry,
    UnknownPatient,
)
from negatoscope.domain.patients.errors import FileEnded

Make = Callable[..., Any]
HOSPITAL = Authority(namespace="HOSP", universal_id="1.2.250.9.1", universal_id_type="ISO")
CLINIC = Authority(namespace="CLINIC")
PATIENTS = 4
SENDERS = 4
MERGERS = 3
STUDIES = 12
ROUNDS = 12


def identifier(value: str, authority: Authority = HOSPITAL) -> Identifier:
    return Identifier(value=value, authority=authority, type_code="PI")


def register(database: Any, identifiers: list[Identifier], **updates: Any) -> int:
    traits = {
        "birth_name": PersonName(family="LEFEVRE", given="ZOE"),
        "birth_date": "19700203",
        "sex": "F",
    }
    with database.connection() as connection:
        return (
            Registry(connection)
            .register(updates=traits | updates, identifiers=identifiers, source="user:test")
            .patient
        )


def deadlocks(node: Any) -> int:
    ((number,),) = node.rows(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    return int(number)


@pytest.mark.parametrize("seed", [1, 2])
def test_merges_across_patients_while_many_send(node: Any, make_ct: Make, seed: int) -> None:
    """Chains of merges, files parted, renamed, several in one transaction; numbers that two authorities gave."""
    database = node.database
    numbers = [
        register(database, [identifier(f"P{n}"), identifier(f"P{(n + 1) % PATIENTS}", CLINIC)])
        for n in range(PATIENTS)
    ]
    archives = [node.open(recover=False) for _ in range(SENDERS)]
    errors: list[BaseException] = []

    def guarded(work: Callable[[random.Random], None], number: int) -> threading.Thread:
        def run() -> None:
            try:
                work(random.Random(seed * 100 + number))
            except BaseException as error:  # noqa: BLE001 - shown by the test
                errors.append(error)

        return threading.Thread(target=run)

    def send(archive: Any, sender: int) -> Callable[[random.Random], None]:
        def work(chance: random.Random) -> None:
            for one in range(STUDIES):
                # Half of the studies come from two senders, each with a series of its own.
                study = f"1.{sender // 2 if one % 2 else sender + 10}.{one}"
                patient = f"P{one % PATIENTS}"
                issuer = "CLINIC" if one % 3 == 0 else "HOSP"
                for part in range(2):
                    series = f"{study}.{sender}.{part}"
                    made = make_ct(
                        StudyInstanceUID=study,
                        SeriesInstanceUID=series,
                        PatientID=patient,
                        IssuerOfPatientID=issuer,
                        StationName=f"ROOM{chance.randrange(9)}",
                    )
                    node.store(made, archive=archive)

        return work

    def change(chance: random.Random) -> None:
        for one in range(ROUNDS):
            survivor, subsumed, renamed = chance.sample(numbers, 3)
            try:
                with database.connection() as connection:
                    registry = Registry(connection)
                    if one % 3 == 0:
                        registry.split(subsumed=subsumed, source="user:test")
                    else:
                        registry.merge(survivor=survivor, subsumed=subsumed, source="user:test")
            except (MergeRefused, UnknownPatient, FileEnded):
                pass
            name = PersonName(family="LEFEVRE", given=f"ZOE{chance.randrange(99)}")
            which = numbers.index(renamed)
            register(database, [identifier(f"P{which}")], used_name=name)

    threads = [guarded(send(archive, n), n) for n, archive in enumerate(archives)]
    threads += [guarded(change, SENDERS + n) for n in range(MERGERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not [thread for thread in threads if thread.is_alive()]
    for archive in archives:
        archive.close()
    assert errors == []
    assert deadlocks(node) == 0
    # What is shown is what a new look at everybody would show, and the counts are right.
    ((studies,),) = node.rows("SELECT count(*) FROM study")
    assert studies == len(
        {
            f"1.{sender // 2 if one % 2 else sender + 10}.{one}"
            for sender in range(SENDERS)
            for one in range(STUDIES)
        }
    )
    with database.connection() as connection:
        row = connection.execute("SELECT archive_follow(%s::bigint[])", (numbers,)).fetchone()
    assert row == (0,)
    assert (
        node.rows(
            "SELECT p.id FROM patient p WHERE p.study_count <> (SELECT count(*) FROM study s WHERE s.patient_fk = p.id)"
        )
        == []
    )
    assert (
        node.rows(
            "SELECT s.id FROM study s WHERE s.series_count <> (SELECT count(*) FROM series e WHERE e.study_fk = s.id)"
        )
        == []
    )


def test_two_batches_name_the_same_studies_in_another_order(node: Any, make_ct: Make) -> None:
    """A merge goes on in one transaction with several others of other patients, while their images come."""
    database = node.database
    numbers = [register(database, [identifier(f"P{n}")]) for n in range(6)]
    archives = [node.open(recover=False) for _ in range(2)]
    errors: list[BaseException] = []

    def send(archive: Any, sender: int) -> None:
        try:
            for one in range(12):
                at = one if sender else 11 - one
                made = make_ct(
                    StudyInstanceUID=f"1.7.{at}",
                    SeriesInstanceUID=f"1.7.{at}.{sender}",
                    PatientID=f"P{at % 6}",
                    IssuerOfPatientID="HOSP",
                )
                node.store(made, archive=archive)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    threads = [threading.Thread(target=send, args=(a, n)) for n, a in enumerate(archives)]
    for thread in threads:
        thread.start()
    for pairs in ([(0, 5), (1, 4), (2, 3)], [(3, 2), (4, 1), (5, 0)]) * 4:
        with database.connection() as connection:
            registry = Registry(connection)
            for survivor, subsumed in pairs:
                registry.merge(
                    survivor=numbers[survivor], subsumed=numbers[subsumed], source="user:test"
                )
        with database.connection() as connection:
            registry = Registry(connection)
            for _, subsumed in reversed(pairs):
                registry.split(subsumed=numbers[subsumed], source="user:test")
    for thread in threads:
        thread.join(60)
    for archive in archives:
        archive.close()
    assert errors == []
    assert deadlocks(node) == 0
    rows = node.rows(
        "SELECT DISTINCT p.patient_id FROM study s JOIN patient p ON p.id = s.patient_fk"
    )
    assert sorted(row[0] for row in rows) == [f"P{n}" for n in range(6)]
