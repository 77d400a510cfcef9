"""The demonstration's desk has work: what is alike is proposed, twins are not, studies wait."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from negatoscope.demo import identities, people
from negatoscope.demo.orders import AUTHORITY, load_orders
from negatoscope.domain.archive import Archive, ArchiveSettings, Volume
from negatoscope.domain.messages import Filter, Messages, Processor, State
from negatoscope.domain.patients import Identifier, Registry
from negatoscope.domain.performed import binding
from negatoscope.domain.reconciliation import WorkLists
from negatoscope.domain.reconciliation.duplicates import compare
from negatoscope.entrypoints.hl7v2.handling import handle

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
def archive(database, tmp_path: Path) -> Iterator[Archive]:
    opened = Archive(
        database=database,
        volumes=[Volume(name="main", path=tmp_path / "volume", low_watermark_bytes=0)],
        settings=ArchiveSettings(),
    )
    yield opened
    opened.close()


def test_an_identity_manager_finds_work(database, archive):
    load_orders(database, zone=PARIS)
    messages, images = identities.load_identities(database, archive, zone=PARIS, now=NOW)
    while Processor(database, handle).process_waiting():
        pass
    done = Messages(database).search(Filter(), limit=100)
    assert [one.state for one in done] == [State.PROCESSED] * messages
    assert images == 1 + 6 + 1 + 2 + 2
    with database.connection() as connection:
        for (number,) in connection.execute("SELECT id FROM registered_patient").fetchall():
            compare(connection, number)
        for (study,) in connection.execute("SELECT study_instance_uid FROM study").fetchall():
            binding.decide(connection, study)

        def file_of(person: people.Person) -> int:
            held = Identifier(value=person.patient_id, authority=AUTHORITY, type_code="PI")
            found = Registry(connection).holder(held)
            assert found is not None
            return found

        pairs = {
            tuple(sorted((file_of(one), file_of(other))))
            for one, other in (
                (people.LHERITIER, identities.HEARD_OTHERWISE),
                (people.OEUVRARD, identities.MISTYPED),
                (people.OZDEMIR, identities.SWAPPED),
            )
        }
        twins = {file_of(one) for one in identities.TWINS}
        unknown, doubtful = file_of(identities.UNKNOWN), file_of(identities.DOUBTFUL)
        known, bedside = file_of(people.SEGUIN), file_of(identities.WITHOUT_ORDER)
    work = WorkLists(database)
    found = {(pair.first, pair.second) for pair, *_ in work.duplicates(limit=500)}
    assert pairs <= found
    assert not any(twins & set(pair) for pair in found)
    assert {unknown, doubtful} <= {one.id for one in work.unidentified(limit=500)}
    (running,) = work.side(unknown).orders
    assert running.bound_study_instance_uid is not None
    assert running.state == "IN PROGRESS"

    waiting = {one.patient_id: one for one in work.without_patient(limit=500)}
    assert set(waiting) == {
        identities.FROM_A_PRACTICE.patient_id,
        identities.FROM_ELSEWHERE.patient_id,
    }
    proposed = work.study(waiting[identities.FROM_A_PRACTICE.patient_id].study_instance_uid)
    assert proposed is not None
    assert [one.id for one in proposed[2]] == [known]
    alone = work.study(waiting[identities.FROM_ELSEWHERE.patient_id].study_instance_uid)
    assert alone is not None
    assert (alone[1], alone[2]) == ([], [])
    (theirs,) = [one for one in work.without_order(limit=500) if one.registered == bedside]
    shown = work.study(theirs.study_instance_uid)
    assert shown is not None
    assert [one.signs for one in shown[1]] == [("patient", "modality", "date")]
