"""Objects at rest: settling, compaction, verification, versions, the index rebuilt."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from negatoscope.domain.archive import OutcomeKind
from negatoscope.domain.archive.lifecycle import Lifecycle
from negatoscope.domain.archive.reindex import SegmentInUse, reindex
from negatoscope.domain.archive.verify import verify
from negatoscope.domain.archive.versions import NoSuchDecision, Versions

Make = Callable[..., Any]
_INDEX = (
    "SELECT patient_id, patient_name, study_instance_uid, study_date, modalities_in_study, s.series_count, s.instance_count, "
    "s.byte_count, series_instance_uid, modality, e.instance_count, sop_instance_uid, i.sha256, instance_number, size, "
    'pixel_offset, frame_length, number_of_frames, "rows", t.uid, c.uid '
    "FROM instance i JOIN series e ON e.id = i.series_fk JOIN study s ON s.id = e.study_fk JOIN patient p ON p.id = s.patient_fk "
    "JOIN uid_code t ON t.id = i.transfer_syntax JOIN uid_code c ON c.id = i.sop_class ORDER BY sop_instance_uid"
)


def _scatter(node: Any, make_ct: Make, count: int = 12) -> list[Any]:
    """Two studies whose images came by turns, as two modalities with an association per image would send them."""
    outcomes = []
    for number in range(count):
        for study in ("1.2.3", "1.2.4"):
            dataset = make_ct(
                StudyInstanceUID=study,
                SeriesInstanceUID=f"{study}.1",
                InstanceNumber=number,
                PatientID=study,
            )
            outcomes.append(node.store(dataset))
    node.archive.pool.seal_idle(older_than_s=0)
    return outcomes


def test_a_settled_study_lies_in_reading_order_in_a_segment_of_its_own(
    node: Any, make_ct: Make
) -> None:
    """Scattered members are rewritten; digests, sizes and counts stay; the series' metadata is asked for."""
    outcomes = _scatter(node, make_ct)
    lifecycle = Lifecycle(node.archive)
    asked: list[int] = []
    for study_id, changed_at in node.rows("SELECT study_fk, changed_at FROM unsettled_study"):
        assert lifecycle.settle(study_id, changed_at, write_series_metadata=asked.append)

    assert len(asked) == 2
    assert node.rows("SELECT 1 FROM unsettled_study") == []
    for study in ("1.2.3", "1.2.4"):
        rows = node.rows(
            "SELECT segment_fk, segment_offset, instance_number FROM instance i JOIN series e ON e.id = i.series_fk "
            "JOIN study s ON s.id = e.study_fk WHERE study_instance_uid = %s ORDER BY segment_offset",
            study,
        )
        assert len({row[0] for row in rows}) == 1
        assert [row[2] for row in rows] == list(range(12))
    for outcome in outcomes:
        assert hashlib.sha256(node.read(outcome.sop_instance_uid)).digest() == outcome.sha256


def test_a_study_that_does_not_settle_goes_behind_the_others(node: Any, make_ct: Make) -> None:
    """Whatever stops it, even the end of the process: who takes the next one does not take it again (fault 17)."""
    _scatter(node, make_ct, 2)
    lifecycle = Lifecycle(node.archive)
    queue = "SELECT study_fk, changed_at FROM unsettled_study ORDER BY changed_at, study_fk"
    (first, changed_at), (second, _) = node.rows(queue)

    def die(_series: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lifecycle.settle(first, changed_at, write_series_metadata=die)
    (next_one, changed), (last, _) = node.rows(queue)
    assert (next_one, last) == (second, first)
    lifecycle.settle(next_one, changed, write_series_metadata=lambda _series: None)
    ((left, changed),) = node.rows(queue)
    assert left == first
    assert not lifecycle.settle(left, changed_at, write_series_metadata=die)  # somebody else has it
    lifecycle.settle(left, changed, write_series_metadata=lambda _series: None)
    assert node.rows(queue) == []


def test_compaction_removes_what_is_dead_and_keeps_what_lives(node: Any, make_ct: Make) -> None:
    """One study left the shared segment, the other stays: it moves, the file goes."""
    outcomes = _scatter(node, make_ct)
    lifecycle = Lifecycle(node.archive)
    (study_id, changed_at), *_ = node.rows("SELECT study_fk, changed_at FROM unsettled_study")
    lifecycle.settle(study_id, changed_at, write_series_metadata=lambda _series: None)
    shared = node.rows("SELECT name FROM segment WHERE dead_bytes > 0")
    with node.database.connection() as connection:
        connection.execute("UPDATE segment SET dead_bytes = length WHERE dead_bytes > 0")
    assert lifecycle.compact() == len(shared) == 1

    assert not node.volume.segment_path(shared[0][0]).exists()
    for outcome in outcomes:
        assert hashlib.sha256(node.read(outcome.sop_instance_uid)).digest() == outcome.sha256


def test_a_damaged_member_is_never_moved_nor_dropped(node: Any, make_ct: Make) -> None:
    """Settling meets bit rot: the object stays where it is, a task says so, its segment is not compacted away."""
    _scatter(node, make_ct)
    ((name, offset, size, uid),) = node.rows(
        "SELECT g.name, segment_offset, size, sop_instance_uid FROM instance JOIN segment g ON g.id = segment_fk "
        "ORDER BY segment_offset LIMIT 1"
    )
    path = node.volume.segment_path(name)
    path.chmod(0o640)
    with path.open("r+b") as segment:
        segment.seek(offset + size - 4)
        segment.write(b"rot!")
    lifecycle = Lifecycle(node.archive)
    for study_id, changed_at in node.rows("SELECT study_fk, changed_at FROM unsettled_study"):
        lifecycle.settle(study_id, changed_at, write_series_metadata=lambda _series: None)
    lifecycle.compact()

    assert path.exists()
    assert ("object-damaged",) in node.rows("SELECT kind FROM task")
    result = verify(node.database, node.archive.volumes)
    assert result.failed == [uid]
    assert result.verified == 23
    assert ("digest-mismatch",) in node.rows("SELECT kind FROM task")


def test_verify_dates_what_it_has_read(node: Any, make_ct: Make) -> None:
    """Every object is read once, in order, and dated; one study can be asked for."""
    _scatter(node, make_ct)
    result = verify(node.database, node.archive.volumes, study_instance_uid="1.2.3")

    assert (result.verified, result.failed) == (12, [])
    assert node.rows("SELECT count(*) FROM instance WHERE verified_at IS NOT NULL") == [(12,)]


def test_the_index_rebuilt_from_segments_is_the_same(node: Any, make_ct: Make) -> None:
    """Current versions, objects aside, decisions: all come back from the segments alone (fault 11)."""
    _scatter(node, make_ct, 5)
    first = make_ct(StudyInstanceUID="1.2.5", SeriesInstanceUID="1.2.5.1", PatientID="Z")
    node.store(first)
    same_uid = {"StudyInstanceUID": "1.2.5", "SeriesInstanceUID": "1.2.5.1", "PatientID": "Z"}
    node.store(make_ct(SOPInstanceUID=first.SOPInstanceUID, WindowWidth="10", **same_uid))
    node.store(make_ct(SOPInstanceUID=first.SOPInstanceUID, WindowWidth="20", **same_uid))
    node.store(make_ct(StudyInstanceUID="1.2.3", PatientID="somebody else"))
    versions = Versions(node.archive)
    pending = {p.reason: p for p in versions.pending()}
    assert set(pending) == {"CONTENT DIFFERS", "OTHER PATIENT"}
    versions.accept(versions.pending()[0].id, by="test")
    lifecycle = Lifecycle(node.archive)
    for study_id, changed_at in node.rows("SELECT study_fk, changed_at FROM unsettled_study"):
        lifecycle.settle(study_id, changed_at, write_series_metadata=lambda _series: None)
    before = node.rows(_INDEX)
    aside = node.rows("SELECT sop_instance_uid, sha256, reason, state FROM set_aside ORDER BY 1, 2")
    with pytest.raises(SegmentInUse):
        node.store(make_ct(**same_uid))
        reindex(node.open(recover=False))
    before = node.rows(_INDEX)
    node.archive.close()
    again = node.open(recover=False)
    result = reindex(again, verify=True)

    assert result.unreadable == 0
    assert before == node.rows(_INDEX)
    assert aside == node.rows(
        "SELECT sop_instance_uid, sha256, reason, state FROM set_aside ORDER BY 1, 2"
    )
    again.close()


def test_an_accepted_version_takes_the_place_of_the_first(
    node: Any, make_ct: Make, as_bytes: Make
) -> None:
    """The administrator's choice swaps them; both are kept; it can be made once."""
    first = make_ct()
    node.store(first)
    second = make_ct(SOPInstanceUID=first.SOPInstanceUID, InstanceNumber=7)
    assert node.store(second).kind is OutcomeKind.CONFLICT
    versions = Versions(node.archive)
    (pending,) = versions.pending()
    versions.accept(pending.id, by="test")

    assert node.read(first.SOPInstanceUID) == as_bytes(second)
    assert node.rows("SELECT instance_number FROM instance") == [(7,)]
    assert [(hashlib.sha256(as_bytes(first)).digest(), "DISMISSED")] == node.rows(
        "SELECT sha256, state FROM set_aside"
    )
    assert node.rows("SELECT 1 FROM task WHERE done_at IS NULL") == []
    with pytest.raises(NoSuchDecision):
        versions.accept(pending.id, by="test")
    assert node.store(second).kind is OutcomeKind.DUPLICATE


def test_an_object_of_another_patient_cannot_be_accepted_here(node: Any, make_ct: Make) -> None:
    """That needs a person who reconciles patients, not a version."""
    node.store(make_ct())
    node.store(make_ct(PatientID="P2"))
    versions = Versions(node.archive)
    (pending,) = versions.pending()
    with pytest.raises(NoSuchDecision):
        versions.accept(pending.id, by="test")
    versions.dismiss(pending.id, by="test")
    assert versions.pending() == []
