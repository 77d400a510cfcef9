"""Every load against another server, so that it measures servers and not our own habits."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.servers import MemoryWatch, Orthanc, Server, free_port

from negatoscope.bench.ingest import ingest
from negatoscope.bench.query import query
from negatoscope.bench.retrieve import retrieve
from negatoscope.bench.sample import sample_studies, series_instances
from negatoscope.bench.web import frame_paths, frames, frames_with_wrk, metadata

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")

pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(
        Orthanc.program() is None or not PLUGIN.exists(), reason="Orthanc is not installed"
    ),
]


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Debian's Orthanc with two studies of five images."""
    with Orthanc(tmp_path_factory.mktemp("orthanc"), free_port()) as server:
        ingest(server.dicom, shape="10k", objects=10, clients=2, instances_per_study=5)
        yield server


def test_what_was_sent_is_there(orthanc: Server) -> None:
    """By both ways of asking."""
    by_web = sample_studies(orthanc.web, 100)
    by_dimse = sample_studies(orthanc.dicom, 100)
    assert {study.study_instance_uid for study in by_web} == {
        study.study_instance_uid for study in by_dimse
    }
    assert [study.instances for study in by_web] == [5, 5]
    assert all(study.patient_name and study.study_date for study in by_dimse)


@pytest.mark.parametrize("side", ["dicom", "web"])
def test_queries_find_what_they_ask_for(orthanc: Server, side: str) -> None:
    """Each question is about a known study, so each finds one at least."""
    measured = query(getattr(orthanc, side), clients=2, operations=20)
    assert (measured.operations, measured.failures) == (20, 0)
    assert all(kind["matches"] >= 1 for kind in measured.detail["by_kind"].values())


@pytest.mark.parametrize("how", ["move", "get", "wado"])
def test_studies_come_back(orthanc: Server, how: str) -> None:
    """All ten images, by each service."""
    studies = [study.study_instance_uid for study in sample_studies(orthanc.web, 100)]
    target = orthanc.web if how == "wado" else orthanc.dicom
    measured = retrieve(target, how=how, studies=studies, sink=("127.0.0.1", orthanc.sink_port))
    assert (measured.operations, measured.failures) == (2, 0)
    assert measured.byte_count > 10 * 9216
    if how != "wado":
        assert measured.detail["instances"] == 10


def test_metadata_and_frames(orthanc: Server) -> None:
    """Of one series."""
    study = sample_studies(orthanc.web, 1)[0].study_instance_uid
    instances = series_instances(orthanc.web, study)
    assert len(instances) == 5
    measured = metadata(orthanc.web, study=study, series=instances[0][0], repeats=3)
    assert (measured.operations, measured.failures) == (3, 0)
    paths = frame_paths(study, instances)
    with MemoryWatch(orthanc) as watch:
        measured = frames(orthanc.web, paths=paths, clients=2, seconds=0.3)
    assert measured.failures == 0
    assert measured.byte_count >= measured.operations * 9216
    assert max(watch.largest_bytes.values()) > 10 << 20
    with_wrk = frames_with_wrk(orthanc.web, paths=paths, clients=2, seconds=1)
    if with_wrk is not None:
        assert with_wrk.operations > 0
        assert with_wrk.failures == 0
