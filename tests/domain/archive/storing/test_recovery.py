"""After a crash, index and segments agree again and nothing acknowledged is missing."""

import hashlib
import os
from collections.abc import Callable
from typing import Any

import pytest

from negatoscope.domain.archive import OutcomeKind, Source, SourceKind
from negatoscope.infra.errors import DatabaseUnavailable

Make = Callable[..., Any]


def _crash(node: Any) -> None:
    """Let go of every file and thread as a killed process would: nothing sealed, nothing told."""
    for segment in node.archive.pool.held():
        segment.file.close()
    node.archive.pool._idle.clear()


def test_rows_lost_by_the_database_are_found_in_the_segments(node: Any, make_ct: Make) -> None:
    """An asynchronous commit that a database crash undid (fault 14)."""
    outcomes = [node.store(make_ct(InstanceNumber=n)) for n in range(5)]
    lost = outcomes[-1].sop_instance_uid
    before = node.rows(
        "SELECT sop_instance_uid, segment_offset, size, pixel_offset FROM instance ORDER BY 1"
    )
    with node.database.connection() as connection:
        connection.execute("DELETE FROM instance WHERE sop_instance_uid = %s", (lost,))
        connection.execute("UPDATE study SET instance_count = 4")
        connection.execute("UPDATE series SET instance_count = 4")
    _crash(node)
    recovered = node.open()

    assert recovered.recovered.indexed == 1
    assert before == node.rows(
        "SELECT sop_instance_uid, segment_offset, size, pixel_offset FROM instance ORDER BY 1"
    )
    assert node.rows("SELECT instance_count FROM study") == [(5,)]
    assert node.rows("SELECT DISTINCT state FROM segment") == [("SEALED",)]
    for outcome in outcomes:
        assert hashlib.sha256(node.read(outcome.sop_instance_uid)).digest() == outcome.sha256
    recovered.close()


def test_everything_lost_by_the_database_comes_back(node: Any, make_ct: Make) -> None:
    """The whole study was in the lost tail of the log."""
    outcome = node.store(make_ct())
    with node.database.connection() as connection:
        connection.execute("TRUNCATE patient, study, series, instance RESTART IDENTITY CASCADE")
    _crash(node)
    recovered = node.open()

    assert [(outcome.sop_instance_uid,)] == node.rows("SELECT sop_instance_uid FROM instance")
    assert node.rows("SELECT patient_id FROM patient") == [("P1",)]
    recovered.close()


@pytest.mark.parametrize("damage", ["cut", "zeros", "flipped"])
def test_a_row_whose_object_did_not_reach_the_disk_goes(
    node: Any, make_ct: Make, damage: str
) -> None:
    """The row was committed, the power went before the flush: nobody was told, the row goes (faults 1, 3)."""
    outcomes = [node.store(make_ct(InstanceNumber=n)) for n in range(3)]
    ((name, offset, size),) = node.rows(
        "SELECT g.name, segment_offset, size FROM instance JOIN segment g ON g.id = segment_fk WHERE instance_number = 2"
    )
    _crash(node)
    with node.volume.segment_path(name).open("r+b") as segment:
        if damage == "cut":
            segment.truncate(offset + 100)
        else:
            segment.seek(offset + size - 64)
            segment.write(bytes(64) if damage == "zeros" else b"x")
    recovered = node.open()

    assert {o.sop_instance_uid for o in outcomes[:2]} == {
        uid for (uid,) in node.rows("SELECT sop_instance_uid FROM instance")
    }
    assert node.rows("SELECT instance_count FROM study") == [(2,)]
    again = make_ct(InstanceNumber=2)
    assert node.store(again, archive=recovered).kind is OutcomeKind.STORED
    recovered.close()


def test_a_member_half_written_is_cut_off(node: Any, make_ct: Make, as_bytes: Make) -> None:
    """Killed in the middle of an object: the rest of the segment is whole and sealed."""
    node.store(make_ct())
    source = Source(kind=SourceKind.DIMSE)
    session = node.archive.open_session(source)
    ingest = session.begin(
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        sop_instance_uid="1.2.3.4",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
    )
    ingest.write(as_bytes(make_ct())[:300])
    _crash(node)
    recovered = node.open()

    assert node.rows("SELECT member_count, state FROM segment") == [(1, "SEALED")]
    assert recovered.recovered.forgotten == 0
    recovered.close()


def test_a_living_writer_is_left_alone(node: Any, make_ct: Make) -> None:
    """A second process that starts does not touch the segments of the first."""
    node.store(make_ct())
    other = node.open()

    assert other.recovered.segments == 0
    assert node.store(make_ct(InstanceNumber=2)).kind is OutcomeKind.STORED
    assert node.rows("SELECT state FROM segment") == [("OPEN",)]
    other.close()


def test_a_segment_sealed_without_its_row_being_told_is_left_as_it_is(
    node: Any, make_ct: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database went away between manifest and row: the row is told later, the file is not touched."""
    node.store(make_ct())
    monkeypatch.setattr(type(node.archive.pool), "_mark_sealed", _unreachable)
    node.archive.pool.seal_idle(older_than_s=0)
    monkeypatch.undo()
    (path,) = node.volume.path.rglob("*.tar")
    before = path.read_bytes()
    recovered = node.open()

    assert before == path.read_bytes()
    assert node.rows("SELECT state, length FROM segment") == [("SEALED", len(before))]
    recovered.close()


def _unreachable(*_arguments: object) -> None:
    raise DatabaseUnavailable("the database does not answer")


def test_segments_unknown_to_the_database_are_adopted(node: Any, make_ct: Make) -> None:
    """The database was restored from before (fault 11)."""
    outcome = node.store(make_ct())
    with node.database.connection() as connection:
        connection.execute(
            "TRUNCATE patient, study, series, segment, instance RESTART IDENTITY CASCADE"
        )
    _crash(node)
    recovered = node.open()
    assert recovered.recovered.segments == 0
    assert recovered.recovery.adopt_orphans().segments == 0  # it may be somebody's newborn segment
    for path in node.volume.path.rglob("*.tar"):
        os.utime(path, (1, 1))
    found = recovered.recovery.adopt_orphans()

    assert found.indexed == 1
    assert hashlib.sha256(node.read(outcome.sop_instance_uid)).digest() == outcome.sha256
    recovered.close()


def test_a_volume_that_is_not_mounted_is_not_emptied_of_rows(node: Any, make_ct: Make) -> None:
    """The mount point is bare: rows stay, objects come back with the volume."""
    outcome = node.store(make_ct())
    _crash(node)
    away = node.volume.path.with_name("away")
    os.rename(node.volume.path, away)
    node.volume.path.mkdir()
    recovered = node.open()

    assert node.rows("SELECT count(*) FROM instance") == [(1,)]
    recovered.close()
    import shutil

    shutil.rmtree(node.volume.path)
    os.rename(away, node.volume.path)
    recovered = node.open()
    assert hashlib.sha256(node.read(outcome.sop_instance_uid)).digest() == outcome.sha256
    recovered.close()


def test_prepared_segments_of_a_killed_process(prepared_node: Any, make_ct: Make) -> None:
    """What was stored into one is there and the zeros are gone; one that held nothing is removed."""
    node = prepared_node
    spare = {segment.segment_id for segment in node.archive.pool._spare}
    outcomes = [node.store(make_ct(InstanceNumber=n)) for n in range(3)]
    assert {s for (s,) in node.rows("SELECT segment_fk FROM instance")} <= spare
    assert all(p.stat().st_size > 2 << 20 for p in node.volume.path.rglob("*.tar"))
    node.archive._stopping.set()
    node.archive._housekeeper.join()
    for segment in node.archive.pool._spare:
        segment.file.close()
    node.archive.pool._spare.clear()
    _crash(node)

    recovered = node.open()
    recovered.close()
    (row,) = node.rows("SELECT name, length FROM segment WHERE state = 'SEALED'")
    (path,) = node.volume.path.rglob("*.tar")
    assert row == (path.stem, path.stat().st_size)
    assert path.stat().st_size < 1 << 20
    for outcome in outcomes:
        assert hashlib.sha256(node.read(outcome.sop_instance_uid)).digest() == outcome.sha256


def test_an_orderly_stop_removes_prepared_segments(prepared_node: Any, make_ct: Make) -> None:
    """All but the one that holds something, which is sealed."""
    node = prepared_node
    node.store(make_ct())
    node.archive.close()
    assert node.rows("SELECT DISTINCT state FROM segment ORDER BY 1") == [("DELETED",), ("SEALED",)]
    (path,) = node.volume.path.rglob("*.tar")
    assert node.rows("SELECT length FROM segment WHERE state = 'SEALED'") == [
        (path.stat().st_size,)
    ]


def test_a_process_that_ends_prepares_nothing_more(prepared_node: Any, make_ct: Make) -> None:
    """The stop does not wait for space that nobody will use."""
    node = prepared_node
    node.store(make_ct())
    node.archive.pool.stop_preparing()
    before = len(list(node.volume.path.rglob("*.tar")))
    node.archive.pool.prepare()
    assert len(list(node.volume.path.rglob("*.tar"))) == before
    node.archive.close()
