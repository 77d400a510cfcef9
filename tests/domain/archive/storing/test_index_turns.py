"""Whose record goes to the index when: one batch under way gathers the next, and does not hold it up for ever."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from negatoscope.domain.archive import OutcomeKind, Source, SourceKind
from negatoscope.infra.storage.posix.segment import SegmentFile

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
Make = Callable[..., Any]


@pytest.fixture
def store(node: Any, as_bytes: Make) -> Callable[[Any], Any]:
    """One object in a session of its own. Returns: what became of it."""

    def store(data_set: Any) -> Any:
        with node.archive.open_session(Source(kind=SourceKind.STOW, peer="127.0.0.1")) as session:
            ingest = session.begin(
                sop_class_uid=CT,
                sop_instance_uid=str(data_set.SOPInstanceUID),
                transfer_syntax_uid=EXPLICIT,
            )
            ingest.write(as_bytes(data_set))
            return ingest.commit().kind

    return store


@pytest.fixture
def slow_flush(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """The flush of the thread ``slow`` waits. Returns: set when it has begun; what it waits for."""
    begun, released = threading.Event(), threading.Event()
    sync = SegmentFile.sync

    def wait_and_sync(file: SegmentFile) -> None:
        if threading.current_thread().name == "slow":
            begun.set()
            assert released.wait(30)
        sync(file)

    monkeypatch.setattr(SegmentFile, "sync", wait_and_sync)
    return begun, released


def test_a_sender_with_a_slow_disk_holds_nobody_up(
    make_ct: Make, store: Any, slow_flush: tuple[threading.Event, threading.Event]
) -> None:
    """Its batch is under way and nobody reads the answer: others are indexed over another connection meanwhile."""
    first = make_ct()
    assert store(first) is OutcomeKind.STORED  # patient, study and series have rows
    family = {
        name: getattr(first, name)
        for name in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID")
    }
    begun, released = slow_flush
    outcomes: list[Any] = []
    slow = threading.Thread(
        target=lambda: outcomes.append(store(make_ct(**family))), name="slow", daemon=True
    )
    slow.start()
    assert begun.wait(10)
    try:
        meanwhile = [store(make_ct(**family, InstanceNumber=number)) for number in range(2, 7)]
    finally:
        released.set()
        slow.join(10)
    assert meanwhile == [OutcomeKind.STORED] * 5
    assert outcomes == [OutcomeKind.STORED]


def test_who_could_not_overtake_at_first_looks_again(
    node: Any, make_ct: Make, store: Any, slow_flush: tuple[threading.Event, threading.Event]
) -> None:
    """Another batch left a moment before each look, for a while: the record waits for that, not for the slow disk."""
    first = make_ct()
    assert store(first) is OutcomeKind.STORED
    family = {
        name: getattr(first, name)
        for name in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID")
    }
    begun, released = slow_flush
    outcomes: list[Any] = []

    def send() -> None:
        outcomes.append(store(make_ct(**family)))

    slow = threading.Thread(target=send, name="slow", daemon=True)
    slow.start()
    assert begun.wait(10)
    late = threading.Thread(target=send, daemon=True)
    late.start()
    try:
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            node.archive.writer._sent_at_s = time.monotonic()
            time.sleep(0.002)
        late.join(10)
        assert outcomes == [OutcomeKind.STORED]
    finally:
        released.set()
        slow.join(10)


def test_what_gathers_goes_as_one(
    node: Any, make_ct: Make, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen senders: fewer transactions than objects, each object counted once."""
    first = make_ct()
    store(first)
    family = {
        name: getattr(first, name)
        for name in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID")
    }
    sizes: list[int] = []
    writer = node.archive.writer
    chosen = writer._next_batch

    def note() -> Any:
        batch = chosen()
        if batch is not None:
            sizes.append(len(batch._tickets))
        return batch

    monkeypatch.setattr(writer, "_next_batch", note)
    barrier = threading.Barrier(16)
    images = [[make_ct(**family) for _ in range(10)] for _ in range(16)]
    outcomes: list[Any] = []

    def send(mine: list[Any]) -> None:
        barrier.wait(30)
        outcomes.extend([store(image) for image in mine])

    threads = [threading.Thread(target=send, args=(mine,)) for mine in images]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outcomes == [OutcomeKind.STORED] * 160
    assert sum(sizes) == 160
    assert len(sizes) < 120
    assert node.rows("SELECT instance_count FROM study") == [(161,)]
