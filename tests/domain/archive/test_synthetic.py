"""The index of studies that do not exist is consistent in itself and with what ingest writes."""

import re

import pytest

from negatoscope.domain.archive.record import person_name_folded
from negatoscope.domain.archive.synthetic import fill_index
from negatoscope.infra.db import Database
from negatoscope.kit.text import fold
from negatoscope.kit.uid import is_valid_uid


@pytest.fixture
def filled(database: Database) -> Database:
    """400 studies."""
    counts = fill_index(database, 400)
    assert counts.studies == 400
    assert 200 < counts.patients < 400
    return database


def test_counts_are_true(filled: Database) -> None:
    """Study, series and instance counts and bytes are those of the rows below."""
    with filled.connection() as connection:
        wrong = connection.execute(
            "SELECT count(*) FROM study s WHERE series_count <>"
            " (SELECT count(*) FROM series e WHERE e.study_fk = s.id)"
            " OR (instance_count, byte_count) <> (SELECT sum(instance_count),"
            " sum(byte_count) FROM series e WHERE e.study_fk = s.id)"
            " UNION ALL SELECT count(*) FROM series e WHERE instance_count <>"
            " (SELECT count(*) FROM instance i WHERE i.series_fk = e.id)"
            " UNION ALL SELECT count(*) FROM patient p WHERE study_count <>"
            " (SELECT count(*) FROM study s WHERE s.patient_fk = p.id)"
        ).fetchall()
    assert wrong == [(0,), (0,), (0,)]


def test_values_are_what_ingest_would_write(filled: Database) -> None:
    """Folded texts, valid UIDs, working hours, French names with their accents."""
    with filled.connection() as connection:
        names = connection.execute(
            "SELECT patient_name, patient_name_folded FROM patient"
        ).fetchall()
        studies = connection.execute(
            "SELECT study_instance_uid, study_time, study_description, study_description_folded,"
            " modalities_in_study FROM study"
        ).fetchall()
    assert all(folded == person_name_folded(name) for name, folded in names)
    assert any(not name.isascii() for name, _ in names)
    for uid, time, description, folded, modalities in studies:
        assert is_valid_uid(uid)
        assert re.fullmatch(r"([01]\d|2[0-3])[0-5]\d[0-5]\d", time)
        assert folded == fold(description)
        assert len(modalities) == 1


def test_new_rows_get_new_keys(filled: Database) -> None:
    """Identity columns go on after the copied keys."""
    with filled.connection() as connection:
        row = connection.execute(
            "INSERT INTO patient (patient_id) VALUES ('x') RETURNING id,"
            " (SELECT max(id) FROM patient)"
        ).fetchone()
    assert row is not None
    assert row[0] == row[1] + 1
