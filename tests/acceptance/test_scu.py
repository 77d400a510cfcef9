"""``negatoscope ae find, send, fetch, commit`` against strangers: DCMTK's archive and receiver, Orthanc, pynetdicom."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    StudyRootQueryRetrieveInformationModelFind,
)

pytestmark = [pytest.mark.stranger, pytest.mark.slow, pytest.mark.timeout(180)]

Program = Callable[[str], str]
ENVIRONMENT = os.environ | {"TCP_NODELAY": "1"}
NEGATOSCOPE = Path(sys.executable).with_name("negatoscope")


def wait_for(port: int) -> None:
    """Until somebody listens."""
    import socket

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"nobody listens on {port}")


@pytest.fixture(scope="module")
def ct(shared_data: Path) -> list[Path]:
    """A CT study of some slices."""
    return sorted((shared_data / "ct" / "nist-multi-ct" / "images").glob("*.dcm"))[:6]


@pytest.fixture(scope="module")
def study(ct: list[Path]) -> str:
    """Its Study Instance UID."""
    return str(pydicom.dcmread(ct[0], stop_before_pixels=True).StudyInstanceUID)


def pixels(files: list[Path]) -> dict[str, bytes]:
    """Pixel data by SOP Instance UID."""
    found = {}
    for path in files:
        data_set = pydicom.dcmread(path)
        found[str(data_set.SOPInstanceUID)] = data_set.PixelData
    return found


@pytest.fixture(scope="module")
def dcmqrscp(
    archive: Any,
    program: Program,
    ports: Callable[[], int],
    ct: list[Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """DCMTK's archive, with the CT study, registered as QRSCP; it knows us."""
    folder = tmp_path_factory.mktemp("dcmqrscp")
    (folder / "store").mkdir()
    port = ports()
    configuration = folder / "dcmqrscp.cfg"
    configuration.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\nus = ({archive.ae_title}, 127.0.0.1, {archive.dicom_port})\nHostTable END\n"
        "VendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nQRSCP {folder}/store RW (100, 1024mb) ANY\nAETable END\n"
    )
    process = subprocess.Popen(
        [program("dcmqrscp"), "-c", str(configuration)],
        stdout=(folder / "log").open("wb"),
        stderr=subprocess.STDOUT,
        env=ENVIRONMENT,
    )
    wait_for(port)
    subprocess.run(
        [program("storescu"), "-aec", "QRSCP", "127.0.0.1", str(port), *map(str, ct)],
        check=True,
        env=ENVIRONMENT,
        capture_output=True,
    )
    archive.add_ae("QRSCP", port, roles="store")
    yield "QRSCP"
    process.send_signal(signal.SIGTERM)
    process.wait(10)


def stored(archive: Any, study: str) -> set[str]:
    """SOP Instance UIDs that our archive has of a study."""
    answer = archive.client().get(f"studies/{study}/instances")
    return {item["00080018"]["Value"][0] for item in answer.json()} if answer.content else set()


def test_find(archive: Any, dcmqrscp: str, ct: list[Path], study: str) -> None:
    """A table for people, JSON for programs, at each level; what cannot be asked is said."""
    one = pydicom.dcmread(ct[0], stop_before_pixels=True)
    name = str(one.PatientName)
    done = archive.run("ae", "find", dcmqrscp, "-k", f"PatientName={name[:3]}*")
    head, row = done.stdout.splitlines()
    assert head.split()[:2] == ["PATIENT", "ID"]
    assert study in row
    assert name in row
    assert "1 found" in done.stderr
    series = archive.run(
        "ae", "find", dcmqrscp, "--level", "series", "-k", f"StudyInstanceUID={study}", "--json"
    )
    (found,) = [json.loads(line) for line in series.stdout.splitlines()]
    assert found["0020000E"]["Value"] == [str(one.SeriesInstanceUID)]
    images = archive.run(
        *("ae", "find", dcmqrscp, "--level", "image", "-k", f"StudyInstanceUID={study}"),
        *("-k", f"SeriesInstanceUID={one.SeriesInstanceUID}"),
    )
    assert len(images.stdout.splitlines()) == 1 + len(ct)
    assert "0 found" in archive.run("ae", "find", dcmqrscp, "-k", "PatientID=NOBODY").stderr
    assert archive.run("ae", "find", dcmqrscp, "-k", "Nonsense=1", check=False).returncode == 2
    assert archive.run("ae", "find", "UNKNOWN", check=False).returncode == 1


def test_fetch_by_get(archive: Any, dcmqrscp: str, ct: list[Path], study: str) -> None:
    """C-GET into our archive: all of it is there, with the same pixels; what is not there is said."""
    assert stored(archive, study) == set()
    done = archive.run("ae", "fetch", dcmqrscp, "--study", study)
    assert f"{len(ct)} fetched" in done.stdout
    assert stored(archive, study) == set(pixels(ct))
    nothing = archive.run("ae", "fetch", dcmqrscp, "--study", "1.2.3.4", check=False)
    assert nothing.returncode == 1
    assert "no such study" in nothing.stderr


def test_fetch_by_move(archive: Any, dcmqrscp: str, ct: list[Path], study: str) -> None:
    """C-MOVE to our own server: the same objects again are no second copies."""
    done = archive.run("ae", "fetch", dcmqrscp, "--study", study, "--move")
    assert f"{len(ct)} fetched" in done.stdout
    assert stored(archive, study) == set(pixels(ct))


def test_send_to_storescp(
    archive: Any, dcmqrscp: str, ct: list[Path], study: str, program: Program, tmp_path: Path
) -> None:
    """C-STORE of what we hold: identical pixels; refused syntaxes and a dead peer are failures that are told."""
    archive.run("ae", "fetch", dcmqrscp, "--study", study)
    receiver = subprocess.Popen(
        [
            program("storescp"),
            "-aet",
            "STRANGER",
            "-od",
            tmp_path,
            "+xa",
            str(archive.stranger_port),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    try:
        wait_for(archive.stranger_port)
        done = archive.run("ae", "send", "STRANGER", "--study", study)
        assert f"{len(ct)} of {len(ct)} sent to STRANGER, 0 failed" in done.stdout
        assert pixels(list(tmp_path.iterdir())) == pixels(ct)
        absent = archive.run("ae", "send", "STRANGER", "--study", "1.2.3.4", check=False)
        assert absent.returncode == 1
    finally:
        receiver.terminate()
        receiver.wait(10)
    failed = archive.run("ae", "send", "STRANGER", "--study", study, check=False)
    assert failed.returncode == 1
    assert f"{len(ct)} failed" in failed.stdout
    assert "error:" in failed.stderr


class Endless:
    """A peer that finds studies for ever, until it is cancelled."""

    def __init__(self, port: int) -> None:
        self.cancelled = threading.Event()
        entity: Any = AE(ae_title="ENDLESS")
        entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        self.server = entity.start_server(
            ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_FIND, self.find)]
        )

    def find(self, event: Any) -> Iterator[tuple[int, Any]]:
        """One more."""
        number = 0
        while not event.is_cancelled:
            number += 1
            found: Any = Dataset()
            found.QueryRetrieveLevel = "STUDY"
            found.StudyInstanceUID = f"1.2.3.{number}"
            yield 0xFF00, found
            time.sleep(0.01)
        self.cancelled.set()
        yield 0xFE00, None


def test_find_is_cancelled(archive: Any, ports: Callable[[], int]) -> None:
    """C-CANCEL at the limit, and at Ctrl-C: what came is shown."""
    port = ports()
    endless = Endless(port)
    try:
        archive.add_ae("ENDLESS", port, roles="none")
        done = archive.run("ae", "find", "ENDLESS", "--limit", "5")
        assert len(done.stdout.splitlines()) == 6
        assert endless.cancelled.wait(10)
        endless.cancelled.clear()
        asking = subprocess.Popen(
            [NEGATOSCOPE, "ae", "find", "ENDLESS", "--json", "--data-dir", archive.data_dir],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert asking.stdout is not None
        assert asking.stdout.readline()
        asking.send_signal(signal.SIGINT)
        _, said = asking.communicate(timeout=30)
        assert asking.returncode == 130
        assert "stopped there" in said
        assert endless.cancelled.wait(10)
    finally:
        endless.server.shutdown()


def test_commit(
    archive: Any, dcmqrscp: str, ct: list[Path], study: str, ports: Callable[[], int]
) -> None:
    """A peer that answers later, on an association of its own, and does not have one of the objects."""
    archive.run("ae", "fetch", dcmqrscp, "--study", study)
    port = ports()
    missing = min(pixels(ct))

    def act(event: Any) -> tuple[int, None]:
        threading.Thread(target=report, args=(event.action_information,), daemon=True).start()
        return 0x0000, None

    def report(asked: Any) -> None:
        time.sleep(3)  # beyond what we wait on the association of the request
        answer: Any = Dataset()
        answer.TransactionUID = asked.TransactionUID
        answer.ReferencedSOPSequence = []
        answer.FailedSOPSequence = []
        for item in asked.ReferencedSOPSequence:
            if item.ReferencedSOPInstanceUID == missing:
                item.FailureReason = 0x0112
                answer.FailedSOPSequence.append(item)
            else:
                answer.ReferencedSOPSequence.append(item)
        entity: Any = AE(ae_title="KEEPER")
        entity.add_requested_context(StorageCommitmentPushModel)
        from pynetdicom import build_role

        association = entity.associate(
            archive.host, archive.dicom_port, ae_title=archive.ae_title,
            ext_neg=[build_role(StorageCommitmentPushModel, scp_role=True)],
        )  # fmt: skip
        association.send_n_event_report(
            answer, 2, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )
        association.release()

    keeper: Any = AE(ae_title="KEEPER")
    keeper.add_supported_context(StorageCommitmentPushModel)
    server = keeper.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_N_ACTION, act)]
    )
    try:
        archive.add_ae("KEEPER", port, roles="commitment")
        done = archive.run("ae", "commit", "KEEPER", "--study", study, check=False)
    finally:
        server.shutdown()
    assert f"{len(ct) - 1} committed by KEEPER, 1 not" in done.stdout
    assert f"{missing} (0112)" in done.stderr
    assert done.returncode == 1
    gone = archive.run("ae", "commit", "KEEPER", "--study", study, check=False)
    assert gone.returncode == 3
    assert "could not be asked" in gone.stderr


def test_orthanc_both_ways(
    archive: Any,
    program: Program,
    ports: Callable[[], int],
    shared_data: Path,
    tmp_path: Path,
) -> None:
    """Sent to Orthanc, found there, fetched again into a second archive's place: by C-GET and by C-MOVE."""
    executable = program("Orthanc")
    http_port, dicom_port = ports(), ports()
    (tmp_path / "orthanc.json").write_text(
        json.dumps(
            {
                "StorageDirectory": str(tmp_path / "storage"), "IndexDirectory": str(tmp_path / "index"),
                "HttpPort": http_port, "DicomPort": dicom_port, "DicomAet": "ORTHANC2",
                "DicomAlwaysAllowStore": True, "AuthenticationEnabled": False, "Plugins": [],
                "DicomModalities": {
                    "us": {"AET": archive.ae_title, "Host": archive.host, "Port": archive.dicom_port, "AllowGet": True,
                           "AllowFind": True, "AllowMove": True, "AllowStore": True, "AllowStorageCommitment": True}
                },
            }
        )
    )  # fmt: skip
    process = subprocess.Popen(
        [executable, str(tmp_path / "orthanc.json")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"TCP_NODELAY": "1", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    try:
        wait_for(dicom_port)
        archive.add_ae("ORTHANC2", dicom_port)
        files = sorted(
            path
            for path in (shared_data / "mr" / "siemens-t1-studyforrest").rglob("*")
            if path.is_file()
        )[:5]
        study = str(pydicom.dcmread(files[0], stop_before_pixels=True).StudyInstanceUID)
        archive.run("import", *map(str, files))
        assert "5 of 5 sent" in archive.run("ae", "send", "ORTHANC2", "--study", study).stdout
        found = archive.run("ae", "find", "ORTHANC2", "-k", f"StudyInstanceUID={study}")
        assert study in found.stdout
        assert "5 fetched" in archive.run("ae", "fetch", "ORTHANC2", "--study", study).stdout
        moved = archive.run("ae", "fetch", "ORTHANC2", "--study", study, "--move")
        assert "fetched" in moved.stdout
        committed = archive.run("ae", "commit", "ORTHANC2", "--study", study)
        assert "5 committed by ORTHANC2, 0 not" in committed.stdout
    finally:
        process.terminate()
        process.wait(20)
