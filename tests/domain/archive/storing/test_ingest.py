"""Objects come in: durable, indexed, told apart."""

import hashlib
import os
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from negatoscope.domain.archive import (
    CannotUnderstand,
    DataSetMismatch,
    IngestError,
    InvalidInstance,
    OutcomeKind,
    OutOfResources,
    Source,
    SourceKind,
)
from negatoscope.infra.db import load_queries
from negatoscope.infra.storage.errors import WriteFailed
from negatoscope.infra.storage.posix.segment import SegmentFile
from negatoscope.protocols.dicom.part10 import encode_file_meta

Make = Callable[..., Any]


def test_a_stored_object_reads_back_byte_for_byte(node: Any, make_ct: Make, as_bytes: Make) -> None:
    """Bytes in the segment are the bytes sent, the digest is theirs, the rows say what they hold."""
    dataset = make_ct()
    data = as_bytes(dataset)
    outcome = node.store(dataset)

    assert outcome.kind is OutcomeKind.STORED
    assert node.read(outcome.sop_instance_uid) == data
    assert outcome.sha256 == hashlib.sha256(data).digest()
    ((name, folded, birth, sex),) = node.rows(
        "SELECT patient_name, patient_name_folded, patient_birth_date::text, patient_sex FROM patient"
    )
    assert (name, folded, birth, sex) == ("Lefèvre^Zoé", "lefevre^zoe", "1970-02-03", "F")
    assert node.rows("SELECT series_count, instance_count, modalities_in_study FROM study") == [
        (1, 1, ["CT"])
    ]
    assert node.rows(
        'SELECT number_of_frames, frame_length, "rows", "columns", bits_allocated FROM instance'
    ) == [(1, 128, 8, 8, 16)]
    ((name, offset, pixel),) = node.rows(
        "SELECT g.name, segment_offset, pixel_offset FROM instance JOIN segment g ON g.id = segment_fk"
    )
    with node.volume.segment_path(name).open("rb") as segment:
        segment.seek(offset + pixel)
        assert segment.read(128) == bytes(range(128))


def test_a_series_lies_contiguous_and_counts_are_right(
    node: Any, make_ct: Make, as_bytes: Make
) -> None:
    """Fifty images of one visit follow each other in one segment."""
    source = Source(kind=SourceKind.DIMSE, calling_ae_title="CT1")
    with node.archive.open_session(source) as session:
        for number in range(50):
            dataset = make_ct(InstanceNumber=number)
            ingest = session.begin(
                sop_class_uid=dataset.SOPClassUID,
                sop_instance_uid=dataset.SOPInstanceUID,
                transfer_syntax_uid="1.2.840.10008.1.2.1",
            )
            ingest.write(as_bytes(dataset))
            assert ingest.commit().kind is OutcomeKind.STORED

    assert node.rows("SELECT series_count, instance_count FROM study") == [(1, 50)]
    rows = node.rows(
        "SELECT segment_fk, segment_offset, size FROM instance ORDER BY instance_number"
    )
    assert len({row[0] for row in rows}) == 1
    assert sorted(row[1] for row in rows) == [row[1] for row in rows]
    assert node.rows("SELECT calling_ae_title, instance_count FROM arrival") == [("CT1", 50)]
    with node.database.connection() as connection:
        connection.execute(
            load_queries("negatoscope.domain.archive.sql", "index.sql")["announce_arrivals"]
        )
    assert node.rows(
        "SELECT payload->>'study_instance_uid', (payload->>'count')::int FROM outbox"
    ) == [("1.2.3", 50)]
    assert node.rows("SELECT 1 FROM arrival") == []


def test_the_same_object_again_is_a_success_without_a_second_copy(node: Any, make_ct: Make) -> None:
    """A modality that repeats itself is told yes; nothing is kept twice (fault 25)."""
    dataset = make_ct()
    node.store(dataset)
    before = sum(f.stat().st_size for f in node.volume.path.rglob("*.tar"))
    again = node.store(dataset)

    assert again.kind is OutcomeKind.DUPLICATE
    assert node.rows("SELECT count(*) FROM instance") == [(1,)]
    assert node.rows("SELECT series_count, instance_count FROM study") == [(1, 1)]
    after = sum(f.stat().st_size for f in node.volume.path.rglob("*.tar"))
    assert after - before < 512  # the padding of the first


def test_other_content_under_the_same_uid_is_kept_aside(
    node: Any, make_ct: Make, as_bytes: Make
) -> None:
    """The first stays, the second is kept, an administrator has a task (fault 27)."""
    first = make_ct()
    node.store(first)
    second = make_ct(SOPInstanceUID=first.SOPInstanceUID, WindowWidth="400")
    outcome = node.store(second)
    again = node.store(second)

    assert outcome.kind is again.kind is OutcomeKind.CONFLICT
    assert node.read(first.SOPInstanceUID) == as_bytes(first)
    assert [("CONTENT DIFFERS", outcome.sha256)] == node.rows(
        "SELECT reason, sha256 FROM set_aside"
    )
    assert node.rows("SELECT kind FROM task") == [("object-set-aside",)]
    ((name, offset, size),) = node.rows(
        "SELECT g.name, segment_offset, size FROM set_aside JOIN segment g ON g.id = segment_fk"
    )
    with node.volume.segment_path(name).open("rb") as segment:
        segment.seek(offset)
        assert segment.read(size).endswith(as_bytes(second))


@pytest.mark.parametrize(
    "other",
    [
        {"PatientID": "P2"},
        {"PatientBirthDate": "19800101"},
        {"PatientID": None},
        {"PatientName": "Autre^Personne", "PatientBirthDate": None},
    ],
)
def test_a_study_uid_of_another_patient_is_quarantined(
    node: Any, make_ct: Make, other: dict[str, Any]
) -> None:
    """Never merged, whichever trait tells them apart (fault 28)."""
    node.store(make_ct())
    outcome = node.store(make_ct(**other))

    assert outcome.kind is OutcomeKind.QUARANTINED
    assert node.rows("SELECT count(*) FROM instance") == [(1,)]
    assert node.rows("SELECT reason FROM set_aside") == [("OTHER PATIENT",)]


def test_one_identifier_and_two_people_are_two_patients(node: Any, make_ct: Make) -> None:
    """Two studies under one number with traits that cannot be one person: two rows and a task."""
    node.store(make_ct())
    other = {"StudyInstanceUID": "1.9", "SeriesInstanceUID": "1.9.1"}
    node.store(make_ct(PatientName="Martin^Luc", PatientBirthDate="19550505", **other))

    assert node.rows("SELECT discriminator, study_count FROM patient ORDER BY 1") == [
        (0, 1),
        (1, 1),
    ]
    assert node.rows("SELECT kind FROM task") == [("patient-traits-differ",)]


def test_patients_without_identifier_are_never_one(node: Any, make_ct: Make) -> None:
    """Two studies without Patient ID belong to two rows."""
    node.store(make_ct(PatientID=None))
    node.store(make_ct(PatientID="", StudyInstanceUID="1.9", SeriesInstanceUID="1.9.1"))

    assert node.rows("SELECT patient_id FROM patient") == [(None,), (None,)]


@pytest.mark.parametrize(
    ("changes", "announced", "error"),
    [
        ({}, {"sop_instance_uid": "1.2.9"}, DataSetMismatch),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, {}, DataSetMismatch),
        ({"StudyInstanceUID": None}, {}, CannotUnderstand),
        ({"SeriesInstanceUID": ""}, {}, CannotUnderstand),
        ({}, {"sop_instance_uid": "../../x"}, InvalidInstance),
        ({}, {"sop_instance_uid": ""}, InvalidInstance),
        ({}, {"sop_instance_uid": "1." + "2" * 64}, InvalidInstance),
    ],
)
def test_refusals_leave_nothing(
    node: Any,
    make_ct: Make,
    changes: dict[str, Any],
    announced: dict[str, str],
    error: type[IngestError],
) -> None:
    """A refused object has neither bytes nor row, and the next one goes in (faults 24, 32)."""
    with pytest.raises(error):
        node.store(make_ct(**changes), **announced)

    assert node.rows("SELECT 1 FROM instance") == []
    for path in node.volume.path.rglob("*.tar"):
        assert path.stat().st_size < 4096
    assert node.store(make_ct()).kind is OutcomeKind.STORED


def test_truncated_pixel_data_is_refused(node: Any, make_ct: Make, as_bytes: Make) -> None:
    """A data set that ends inside its pixel data (fault 34)."""
    dataset = make_ct()
    with pytest.raises(CannotUnderstand) as refused:
        node.store(as_bytes(dataset)[:-20], sop_instance_uid=dataset.SOPInstanceUID)
    assert refused.value.dimse_status == 0xC001


def test_values_no_column_can_hold_do_not_refuse_the_object(
    node: Any, make_ct: Make, as_bytes: Make
) -> None:
    """Impossible dates, 64 KB texts, NUL: stored as sent, the column stays empty (fault 39)."""
    dataset = make_ct(
        StudyDate="99999999", StudyDescription="x" * 60000, PatientBirthDate="00000000"
    )
    outcome = node.store(dataset)

    assert outcome.kind is OutcomeKind.STORED
    assert node.read(outcome.sop_instance_uid) == as_bytes(dataset)
    assert node.rows("SELECT study_date, study_description FROM study") == [(None, None)]


def test_two_writers_of_one_object_both_hear_the_truth(
    node: Any, make_ct: Make, as_bytes: Make
) -> None:
    """Same UID at once from two visitors: one version, no partial member (fault 26)."""
    for _ in range(10):
        dataset = make_ct()
        barrier = threading.Barrier(4)
        kinds: list[OutcomeKind] = []

        def send(
            dataset: Any = dataset, barrier: threading.Barrier = barrier, kinds: list[Any] = kinds
        ) -> None:
            barrier.wait()
            kinds.append(node.store(dataset).kind)

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(kinds) == ["DUPLICATE"] * 3 + ["STORED"]
        assert node.read(dataset.SOPInstanceUID) == as_bytes(dataset)
    assert node.rows("SELECT instance_count FROM study") == [(10,)]


def test_a_failed_flush_is_not_acknowledged(
    node: Any, make_ct: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EIO once: A700, no row, the segment is never trusted again, an alarm (fault 4)."""
    node.store(make_ct())
    flush = SegmentFile.sync
    failures = iter([True])

    def failing(self: SegmentFile) -> None:
        if next(failures, False):
            self.broken = True
            raise WriteFailed("flushing a segment: Input/output error")
        flush(self)

    monkeypatch.setattr(SegmentFile, "sync", failing)
    dataset = make_ct()
    with pytest.raises(OutOfResources) as refused:
        node.store(dataset)

    assert refused.value.dimse_status == 0xA700
    assert node.rows("SELECT count(*) FROM instance") == [(1,)]
    assert node.rows("SELECT kind FROM task") == [("flush-failed",)]
    assert node.store(dataset).kind is OutcomeKind.STORED
    assert node.rows("SELECT count(DISTINCT segment_fk) FROM instance") == [(2,)]


def test_a_damaged_first_copy_is_healed_by_sending_again(
    node: Any, make_ct: Make, as_bytes: Make
) -> None:
    """The sender is told yes only when what is kept is what it sent."""
    dataset = make_ct()
    node.store(dataset)
    ((name, offset, size),) = node.rows(
        "SELECT g.name, segment_offset, size FROM instance JOIN segment g ON g.id = segment_fk"
    )
    with node.volume.segment_path(name).open("r+b") as segment:
        segment.seek(offset + size - 10)
        segment.write(b"rotten")
    assert node.store(dataset).kind is OutcomeKind.DUPLICATE
    assert node.read(dataset.SOPInstanceUID) == as_bytes(dataset)


def test_a_volume_below_its_watermark_refuses(database: Any, tmp_path: Any, make_ct: Make) -> None:
    """Refused before it is full, nothing deleted, and it goes on alone when there is room (fault 5)."""
    from negatoscope.domain.archive import Archive, Volume

    full = Volume(name="main", path=tmp_path / "full", low_watermark_bytes=1 << 60)
    archive = Archive(database=database, volumes=[full])
    with (
        archive.open_session(Source(kind=SourceKind.DIMSE)) as session,
        pytest.raises(OutOfResources) as refused,
    ):
        session.begin(
            sop_class_uid="1.2.3",
            sop_instance_uid="1.2.3.4",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
        )
    assert refused.value.dimse_status == 0xA700
    assert refused.value.http_status == 503
    archive.close()


def test_the_next_volume_takes_over(
    database: Any, tmp_path: Any, make_ct: Make, as_bytes: Make
) -> None:
    """Volumes are filled in the administrator's order."""
    from negatoscope.domain.archive import Archive, Volume

    first = Volume(name="first", path=tmp_path / "first", low_watermark_bytes=1 << 60)
    second = Volume(name="second", path=tmp_path / "second", low_watermark_bytes=0)
    archive = Archive(database=database, volumes=[first, second])
    dataset = make_ct()
    with archive.open_session(Source(kind=SourceKind.DIMSE)) as session:
        ingest = session.begin(
            sop_class_uid=dataset.SOPClassUID,
            sop_instance_uid=dataset.SOPInstanceUID,
            transfer_syntax_uid="1.2.840.10008.1.2.1",
        )
        ingest.write(as_bytes(dataset))
        ingest.commit()
    archive.close()
    with database.connection() as connection:
        assert connection.execute("SELECT DISTINCT volume FROM segment").fetchall() == [("second",)]


def test_the_database_gone_is_out_of_resources_and_leaves_nothing(node: Any, make_ct: Make) -> None:
    """Connections killed again and again: refused or stored, never half; then it goes on alone (faults 13, 14)."""
    stop = threading.Event()

    def killer() -> None:
        with psycopg.connect(node.database.url, autocommit=True) as connection:
            while not stop.wait(0.3):
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.5"
                )

    thread = threading.Thread(target=killer)
    thread.start()
    acknowledged = []
    try:
        for number in range(300):
            dataset = make_ct(InstanceNumber=number)
            try:
                outcome = node.store(dataset)
            except IngestError as error:
                assert error.dimse_status == 0xA700
                continue
            acknowledged.append(outcome)
    finally:
        stop.set()
        thread.join()
    final = node.store(make_ct(InstanceNumber=99))
    for outcome in [*acknowledged, final]:
        assert hashlib.sha256(node.read(outcome.sop_instance_uid)).digest() == outcome.sha256


def test_aborting_leaves_no_trace(node: Any, make_ct: Make, as_bytes: Make) -> None:
    """An association that dies in the middle of an object (fault 21)."""
    source = Source(kind=SourceKind.DIMSE)
    with node.archive.open_session(source) as session:
        ingest = session.begin(
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            sop_instance_uid="1.2.3.4",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
        )
        ingest.write(as_bytes(make_ct())[:200])
    (path,) = node.volume.path.rglob("*.tar")
    assert os.stat(path).st_size < 4096
    assert node.rows("SELECT 1 FROM instance") == []


def test_a_part_10_stream_comes_through_the_other_door(
    node: Any, make_ct: Make, as_bytes: Make
) -> None:
    """STOW-RS and import send files: the data set bytes are kept, byte by byte reception included."""
    import io

    from pydicom import dcmwrite
    from pydicom.dataset import FileMetaDataset

    dataset = make_ct()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    with node.archive.open_session(Source(kind=SourceKind.STOW)) as session:
        ingest = session.begin_part10()
        for byte in buffer.getvalue():
            ingest.write(bytes([byte]))
        outcome = ingest.commit()
        assert node.read(outcome.sop_instance_uid) == as_bytes(dataset)

        ingest = session.begin_part10()
        with pytest.raises(CannotUnderstand):
            ingest.write(b"%PDF-1.4" + bytes(4096))
            ingest.commit()
        ingest = session.begin_part10()
        ingest.write(b"short")
        with pytest.raises(CannotUnderstand):
            ingest.commit()


def test_a_file_whose_head_names_other_uids_is_known_by_its_data_set(
    node: Any, make_ct: Make, as_bytes: Make
) -> None:
    """Meta information that is wrong or empty is replaced by ours; the data set is untouched."""
    dataset = make_ct()
    data = as_bytes(dataset)
    wrong = encode_file_meta(
        transfer_syntax_uid="1.2.840.10008.1.2.1", sop_class_uid="1.2.3", sop_instance_uid="1.2.3.4"
    )
    missing = bytes(128) + b"DICM\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\x00"
    for head in (wrong, missing):
        for step in (1, 1000, 1 << 20):
            with node.archive.open_session(Source(kind=SourceKind.IMPORT)) as session:
                ingest = session.begin_part10()
                for start in range(0, len(head + data), step):
                    ingest.write((head + data)[start : start + step])
                outcome = ingest.commit()
            assert outcome.sop_instance_uid == dataset.SOPInstanceUID
            assert node.read(dataset.SOPInstanceUID) == data


def test_a_file_without_usable_uids_in_its_data_set_is_refused(
    node: Any, make_ct: Make, as_bytes: Make
) -> None:
    """Whatever its head says."""
    for uid in (None, "../../x", "1." + "9" * 64):
        head = encode_file_meta(
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            sop_instance_uid="1.2.3.4",
        )
        with (
            node.archive.open_session(Source(kind=SourceKind.STOW)) as session,
            pytest.raises(InvalidInstance),
        ):
            ingest = session.begin_part10()
            ingest.write(head + as_bytes(make_ct(SOPInstanceUID=uid)))
            ingest.commit()
