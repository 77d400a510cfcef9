"""Orthanc as a stranger: it sends to us, receives from us, asks us."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from pynetdicom import AE
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelMove

pytestmark = [pytest.mark.stranger, pytest.mark.timeout(180)]


@dataclass(kw_only=True)
class Orthanc:
    """A running Orthanc."""

    client: httpx.Client
    dicom_port: int

    def __getattr__(self, name: str) -> Any:
        """The client's own methods."""
        return getattr(self.client, name)

    def instances(self) -> dict[str, str]:
        """SOP Instance UID → Orthanc's identifier."""
        expanded = self.client.get("/instances", params={"expand": ""}).json()
        return {item["MainDicomTags"]["SOPInstanceUID"]: item["ID"] for item in expanded}


@pytest.fixture(scope="module")
def orthanc(
    archive: Any,
    program: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
    ports: Callable[[], int],
) -> Iterator[Orthanc]:
    """Debian's Orthanc, which knows the archive as modality ``archive``."""
    executable = program("Orthanc")
    folder = tmp_path_factory.mktemp("orthanc")
    http_port, dicom_port = ports(), ports()
    configuration = {
        "Name": "stranger",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "HttpPort": http_port,
        "DicomPort": dicom_port,
        "DicomAet": "ORTHANC",
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowStore": True,
        "DicomModalities": {
            "archive": {"AET": archive.ae_title, "Host": archive.host, "Port": archive.dicom_port}
        },
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen(
            [executable, str(folder / "orthanc.json")],
            stdout=log,
            stderr=log,
            env={"TCP_NODELAY": "1", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        )
    client = httpx.Client(base_url=f"http://127.0.0.1:{http_port}", timeout=60)
    deadline = time.monotonic() + 30
    while True:
        try:
            client.get("/system").raise_for_status()
            break
        except httpx.HTTPError:
            assert process.poll() is None, (folder / "orthanc.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
    archive.add_ae("ORTHANC", dicom_port)
    yield Orthanc(client=client, dicom_port=dicom_port)
    client.close()
    process.send_signal(signal.SIGTERM)
    process.wait(20)


@pytest.fixture(scope="module")
def study(shared_data: Path) -> list[Path]:
    """An MR series."""
    return sorted(
        path
        for path in (shared_data / "mr" / "siemens-t1-studyforrest").rglob("*")
        if path.is_file()
    )[:12]


def uid_of(files: list[Path], keyword: str) -> str:
    """A UID that the files share."""
    return str(pydicom.dcmread(files[0], stop_before_pixels=True)[keyword].value)


def test_orthanc_stores_to_us(archive: Any, orthanc: Orthanc, study: list[Path]) -> None:
    """What Orthanc's modality store sends is found in full."""
    for path in study:
        orthanc.post("/instances", content=path.read_bytes()).raise_for_status()
    identifiers = list(orthanc.instances().values())
    answer = orthanc.post(
        "/modalities/archive/store", json={"Resources": identifiers, "Synchronous": True}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["FailedInstancesCount"] == 0
    found = archive.client().get(f"studies/{uid_of(study, 'StudyInstanceUID')}/instances").json()
    assert len(found) == len(study)


def test_orthanc_finds_in_us(archive: Any, orthanc: Orthanc, study: list[Path]) -> None:
    """Its C-FIND of our studies answers the one it sent."""
    test_orthanc_stores_to_us(archive, orthanc, study)
    query = {"Level": "Study", "Query": {"StudyInstanceUID": uid_of(study, "StudyInstanceUID")}}
    asked = orthanc.post("/modalities/archive/query", json=query).json()
    answers = orthanc.get(f"/queries/{asked['ID']}/answers", params={"expand": ""}).json()
    assert [answer["0020,000d"]["Value"] for answer in answers] == [
        query["Query"]["StudyInstanceUID"]
    ]


def test_orthanc_retrieves_from_us(archive: Any, orthanc: Orthanc, study: list[Path]) -> None:
    """Its C-MOVE brings back what it deleted, with the same pixels."""
    test_orthanc_stores_to_us(archive, orthanc, study)
    for identifier in orthanc.get("/studies").json():
        orthanc.delete(f"/studies/{identifier}").raise_for_status()
    assert orthanc.instances() == {}
    query = {"Level": "Study", "Query": {"StudyInstanceUID": uid_of(study, "StudyInstanceUID")}}
    asked = orthanc.post("/modalities/archive/query", json=query).json()
    orthanc.post(f"/queries/{asked['ID']}/retrieve", content=b"ORTHANC").raise_for_status()
    back = orthanc.instances()
    for path in study:
        original = pydicom.dcmread(path)
        file = orthanc.get(f"/instances/{back[str(original.SOPInstanceUID)]}/file").content
        assert pydicom.dcmread(pydicom.filebase.DicomBytesIO(file)).PixelData == original.PixelData


def test_we_send_to_orthanc_when_a_workstation_asks(
    archive: Any, orthanc: Orthanc, corpus: list[Any], stranger: Any
) -> None:
    """C-MOVE asked by a third party: Orthanc receives every object in its own transfer syntax."""
    some = [
        thing
        for thing in corpus
        if thing.name.startswith(
            ("transfer-syntaxes/mr4/MR4_J2KR", "pdf/", "sr/basic", "us/color-pl")
        )
    ]
    stranger.store(archive, some)
    entity = AE(ae_title="STRANGER")
    entity.add_requested_context(StudyRootQueryRetrieveInformationModelMove)
    association = entity.associate(archive.host, archive.dicom_port, ae_title=archive.ae_title)
    assert association.is_established
    for thing in some:
        request = pydicom.Dataset()
        request.QueryRetrieveLevel = "STUDY"
        request.StudyInstanceUID = thing.study_instance_uid
        *_, (status, _) = association.send_c_move(
            request, "ORTHANC", StudyRootQueryRetrieveInformationModelMove
        )
        assert status.Status == 0x0000, thing.name
        assert status.NumberOfCompletedSuboperations >= 1
    association.release()
    there = orthanc.instances()
    for thing in some:
        assert thing.sop_instance_uid in there
        syntax = orthanc.get(f"/instances/{there[thing.sop_instance_uid]}/metadata/TransferSyntax")
        assert syntax.text == thing.transfer_syntax_uid
