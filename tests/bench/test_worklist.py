"""The worklist's load: steps of nobody, asked for as devices do."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from negatoscope.bench.targets import DicomTarget
from negatoscope.bench.worklist import worklist
from negatoscope.domain.devices import ae
from negatoscope.domain.scheduling.synthetic import fill_worklist
from negatoscope.domain.scheduling.worklist import ModalityWorklist
from negatoscope.entrypoints.dimse.server import build_server
from negatoscope.entrypoints.dimse.worklist_scp import WorklistScp
from negatoscope.infra.db import Database
from negatoscope.infra.settings import HostPort, Settings
from negatoscope.subscribers import audit


@pytest.fixture
def target(database: Database, free_port: int) -> Iterator[DicomTarget]:
    ae.add(database, ae_title="BENCH", host="127.0.0.1", port=104, roles=["worklist"])
    with database.connection() as connection:
        fill_worklist(connection, steps=1200, days=4)
    scp = WorklistScp(
        worklist=ModalityWorklist(database=database, zone=ZoneInfo("UTC")),
        reads=audit.ReadRecorder(database),
    )
    server = build_server(
        Settings(dicom=HostPort("127.0.0.1", free_port)),
        [scp.service()],
        find_ae=lambda title: ae.find(database, title),
    )
    server.start()
    yield DicomTarget(host="127.0.0.1", port=free_port, called_ae_title="NEGATOSCOPE")
    server.stop(2)


def test_every_question_is_answered(target: DicomTarget) -> None:
    measured = worklist(target, clients=2, operations=20, per_s=200)
    assert (measured.operations, measured.failures) == (20, 0)
    assert measured.detail["today"] == 300
    kinds = measured.detail["by_kind"]
    assert set(kinds) == {"device", "modality", "patient", "accession", "name"}
    assert kinds["accession"]["matches"] == 1.0
    assert kinds["patient"]["matches"] == 2.0
