"""The audit trail: durable, coalesced, plain."""

import threading
from datetime import UTC, datetime

import pytest

from negatoscope.domain.identity import Action, Actor
from negatoscope.infra.db import Database
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.infra.events import Event
from negatoscope.subscribers import audit
from negatoscope.subscribers.audit import Outcome, ReadRecorder

ALICE = Actor(kind="user", name="alice", roles=frozenset({"radiologist"}), user_id=1)


def test_an_event_is_there_when_record_returns(database: Database) -> None:
    """With who, what, how it ended, to which study."""
    audit.record(
        database,
        actor=ALICE,
        action=Action.RETRIEVE,
        outcome=Outcome.REFUSED,
        study_instance_uid="1.2.3",
        peer="10.0.0.1",
        detail={"reason": "not among the rights"},
    )
    (event,) = audit.search(database, study_instance_uid="1.2.3")
    assert (event.actor_kind, event.actor_name, event.action) == ("user", "alice", "retrieve")
    assert (event.outcome, event.peer, event.event_count) == ("REFUSED", "10.0.0.1", 1)
    assert event.detail == {"reason": "not among the rights"}


def test_a_peers_words_cannot_forge_a_row(database: Database) -> None:
    """Control characters, NUL, half surrogates, lengths."""
    audit.record(
        database,
        actor=Actor.anonymous("A\r\nB\x00\x1b" + "x" * 1000),
        action="associate",
        detail={"called\n": "C\u2028\udc80", "n": [1, None, "\x07"]},
    )
    (event,) = audit.search(database)
    assert event.actor_name.startswith("A\ufffd\ufffdB\ufffd\ufffdx")
    assert len(event.actor_name) == 256
    assert event.detail == {"called\ufffd": "C\ufffd?", "n": [1, None, "\ufffd"]}


def test_reads_of_a_minute_share_a_row(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is written at once; the others are added when the minute is over."""
    now = [1_000_000.0 * 60]
    monkeypatch.setattr("negatoscope.subscribers.audit.reads.time.time", lambda: now[0])
    recorder = ReadRecorder(database)

    def read(study: str) -> None:
        recorder.seen(actor=ALICE, action="retrieve", study_instance_uid=study, peer="10.0.0.1")

    read("1.2")
    assert [event.event_count for event in audit.search(database)] == [1]
    for _ in range(99):
        read("1.2")
    read("1.3")
    assert sorted(event.event_count for event in audit.search(database)) == [1, 1]
    now[0] += 60
    read("1.2")
    assert sorted(event.event_count for event in audit.search(database)) == [1, 1, 100]
    read("1.2")
    recorder.flush()
    recorder.flush()
    assert sum(event.event_count for event in audit.search(database)) == 103


def test_no_read_without_its_row(database_url: str) -> None:
    """When the trail cannot be written the reader is told, every time."""
    with Database("postgresql://x@127.0.0.1:1/x", timeout_s=0.2) as nowhere:
        recorder = ReadRecorder(nowhere)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                recorder.seen(actor=ALICE, action="retrieve", study_instance_uid="1.2")


def test_many_threads_lose_no_read(database: Database) -> None:
    """Counts add up."""
    recorder = ReadRecorder(database)

    def read() -> None:
        for _ in range(50):
            recorder.seen(actor=ALICE, action="retrieve", study_instance_uid="1.2")

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.flush()
    assert sum(event.event_count for event in audit.search(database)) == 400


def test_stored_objects_are_recorded_per_sender_and_study(database: Database) -> None:
    """Deliveries of one minute share a row."""
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    with database.connection() as connection:
        for ident, ae_title, count in ((1, "CT1", 3), (2, "CT1", 4), (3, "MR1", 1), (4, "", 1)):
            audit.on_instances_stored(
                connection,
                Event(
                    id=ident,
                    kind="instances-stored",
                    payload={
                        "study_instance_uid": "1.2",
                        "calling_ae_title": ae_title,
                        "count": count,
                    },
                    created_at=at,
                    attempts=0,
                ),
            )
    found = {
        event.actor_name: (event.actor_kind, event.event_count) for event in audit.search(database)
    }
    assert found == {"CT1": ("ae", 7), "MR1": ("ae", 1), "archive": ("system", 1)}
