"""Loading the demonstration department into a real archive."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from negatoscope.demo import loading
from negatoscope.demo.department import wards
from negatoscope.domain.archive import Archive, ArchiveSettings, Volume
from negatoscope.infra.db import Database


@pytest.fixture
def archive(database: Database, tmp_path: Path) -> Iterator[Archive]:
    """An empty archive."""
    opened = Archive(
        database=database,
        volumes=[Volume(name="main", path=tmp_path / "volume", low_watermark_bytes=0)],
        settings=ArchiveSettings(),
    )
    yield opened
    opened.close()


def test_the_whole_department_goes_in(archive: Archive) -> None:
    """Every object is taken as new, and the patients are kept apart: two share a name."""
    summary = loading.load_demo(archive)
    assert summary.stored == summary.instances > 700
    with archive.database.connection() as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM patient), (SELECT count(*) FROM study),"
            " (SELECT count(*) FROM series), (SELECT count(*) FROM instance),"
            " (SELECT count(*) FROM set_aside),"
            " (SELECT count(*) FROM patient WHERE patient_name = 'MARTIN^Jeanne')"
        ).fetchone()
    assert counts == (13, 26, summary.series, summary.instances, 0, 2)
    assert (summary.patients, summary.studies) == (13, 26)


def test_loading_twice_changes_nothing(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time every object is a duplicate."""
    monkeypatch.setattr(loading, "demo_objects", wards)
    first = loading.load_demo(archive)
    second = loading.load_demo(archive)
    assert first.stored == first.instances == second.instances
    assert second.stored == 0


def test_loading_can_be_stopped(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stops does not wait for the rest."""
    monkeypatch.setattr(loading, "demo_objects", wards)
    stop = threading.Event()
    stop.set()
    assert loading.load_demo(archive, stop=stop).instances == 0
