"""No door forgets: each is used on a running server, and its record is found, sealed and verified."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    CTImageStorage,
    PatientRootQueryRetrieveInformationModelFind,
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

STUDY = "1.2.826.0.1.3680043.10.77.1"
PASSWORD = "quatre mots sans espace"
FORM = {"Sec-Fetch-Site": "same-origin"}


def ct(number: int = 1) -> Dataset:
    one = Dataset()
    one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, f"{STUDY}.1.{number}"
    one.StudyInstanceUID, one.SeriesInstanceUID = STUDY, f"{STUDY}.1"
    one.PatientID, one.IssuerOfPatientID, one.PatientName = "DOOR1", "CHU", "ESSAI^Porte"
    one.StudyDate, one.AccessionNumber, one.Modality = "20261101", "ACC7", "CT"
    one.Rows = one.Columns = 8
    one.SamplesPerPixel, one.BitsAllocated, one.BitsStored, one.HighBit = 1, 16, 12, 11
    one.PixelRepresentation, one.PhotometricInterpretation = 0, "MONOCHROME2"
    one.PixelData = bytes(128)
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    return one


@pytest.fixture(scope="module")
def doors(
    start_archive: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimpleNamespace]:
    """A server whose every door was used once."""
    archive = start_archive(tmp_path_factory.mktemp("doors"))
    officer = archive.create_token("officer", "administrator")
    archive.run(
        "user", "add", "bea", "--role", "radiologist", "--password-stdin", text=f"{PASSWORD}\n"
    )
    archive.run(
        "user", "add", "carl", "--role", "secretary", "--password-stdin", text=f"{PASSWORD}\n"
    )
    received: list[str] = []

    def store(event: evt.Event) -> int:
        received.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    peer = AE("OTHER")
    peer.add_supported_context(CTImageStorage)
    other = peer.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)]
    )
    archive.add_ae("OTHER", other.server_address[1])
    _dimse(archive)
    _web(archive)
    _dicomweb(archive)
    _command_line(archive, tmp_path_factory.mktemp("files"))
    _hl7(archive)
    other.shutdown()
    client = httpx.Client(
        base_url=archive.url, headers={"Authorization": f"Bearer {officer}"}, timeout=60
    )
    client.post(
        "/api/v1/application-entities",
        json={"ae_title": "NEW1", "host": "127.0.0.1", "port": 104, "roles": ["store"]},
    )
    client.get("/fhir/AuditEvent?patient=DOOR1")
    client.get("/api/v1/audit/export?patient_id=DOOR1")
    deadline_s = time.monotonic() + 60
    events: list[dict[str, Any]] = []
    while time.monotonic() < deadline_s:
        events = client.get("/api/v1/audit/events?limit=500").json()["events"]
        senders = {e["actor_name"] for e in events if e["action"] == "store"}
        if {"STRANGER", "ana", "command line"} <= senders:
            break
        time.sleep(1)
    yield SimpleNamespace(events=events, archive=archive, client=client, received=received)
    client.close()


def _associate(archive: Any, *classes: str, title: str = "STRANGER") -> Any:
    ae = AE(title)
    for one in classes:
        ae.add_requested_context(one)
    roles = []
    if StudyRootQueryRetrieveInformationModelGet in classes:
        ae.add_requested_context(CTImageStorage)
        roles = [pydicom_role()]
    return ae.associate(
        "127.0.0.1", archive.dicom_port, ae_title="NEGATOSCOPE", ext_neg=roles,
        evt_handlers=[(evt.EVT_C_STORE, lambda _event: 0)],
    )  # fmt: skip


def pydicom_role() -> Any:
    from pynetdicom import build_role

    return build_role(CTImageStorage, scp_role=True)


def _dimse(archive: Any) -> None:
    _associate(archive, CTImageStorage, title="NOBODY").abort()
    association = _associate(archive, CTImageStorage)
    assert association.send_c_store(ct()).Status == 0
    association.release()
    keys = Dataset()
    keys.QueryRetrieveLevel, keys.PatientID, keys.StudyInstanceUID = "STUDY", "DOOR1", ""
    association = _associate(archive, PatientRootQueryRetrieveInformationModelFind)
    assert (
        len(list(association.send_c_find(keys, PatientRootQueryRetrieveInformationModelFind))) == 2
    )
    association.release()
    keys = Dataset()
    keys.QueryRetrieveLevel, keys.StudyInstanceUID = "STUDY", STUDY
    association = _associate(archive, StudyRootQueryRetrieveInformationModelMove)
    assert (
        list(association.send_c_move(keys, "OTHER", StudyRootQueryRetrieveInformationModelMove))[
            -1
        ][0].Status
        == 0
    )
    association.release()
    association = _associate(archive, StudyRootQueryRetrieveInformationModelGet)
    assert (
        list(association.send_c_get(keys, StudyRootQueryRetrieveInformationModelGet))[-1][0].Status
        == 0
    )
    association.release()
    asked = Dataset()
    asked.TransactionUID = f"{STUDY}.99"
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = (
        CTImageStorage,
        f"{STUDY}.1.1",
    )
    asked.ReferencedSOPSequence = [reference]
    association = _associate(archive, StorageCommitmentPushModel, Verification)
    status, _ = association.send_n_action(
        asked, 1, StorageCommitmentPushModel, "1.2.840.10008.1.20.1.1"
    )
    assert status.Status == 0
    association.release()


def _web(archive: Any) -> None:
    with httpx.Client(base_url=archive.url, headers=FORM, timeout=60) as page:
        wrong = page.post("/api/v1/session", json={"name": "bea", "password": "not this one"})
        assert wrong.status_code == 401
        assert (
            page.post("/api/v1/session", json={"name": "bea", "password": PASSWORD}).status_code
            == 200
        )
        assert page.get("/api/v1/studies").status_code == 200
        assert page.get(f"/dicom-web/studies/{STUDY}/metadata").status_code == 200
        assert page.get("/api/v1/users").status_code == 403
        assert page.request("DELETE", "/api/v1/session").status_code == 200
    with httpx.Client(base_url=archive.url, headers=FORM, timeout=60) as page:
        page.post("/api/v1/session", json={"name": "carl", "password": PASSWORD})
        assert page.get(f"/dicom-web/studies/{STUDY}/metadata").status_code in {403, 404}


def _dicomweb(archive: Any) -> None:
    forged = httpx.get(
        f"{archive.dicomweb}/studies", headers={"Authorization": "Bearer nsc_forged"}, timeout=60
    )
    assert forged.status_code == 401
    client = archive.client()
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, ct(2), enforce_file_format=True)
    body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + buffer.getvalue() + b"\r\n--b--\r\n"
    kind = 'multipart/related; type="application/dicom"; boundary=b'
    assert client.post("studies", content=body, headers={"Content-Type": kind}).status_code == 200
    assert client.get("studies?PatientID=DOOR1").status_code == 200
    assert client.get(f"studies/{STUDY}").status_code == 200
    assert client.get(f"studies/{STUDY}", headers={"Accept": "application/zip"}).status_code == 200


def _command_line(archive: Any, folder: Path) -> None:
    pydicom.dcmwrite(folder / "one.dcm", ct(3), enforce_file_format=True)
    archive.run("import", str(folder))
    archive.run("user", "list")
    archive.run("audit", "patient", "DOOR1")


def _hl7(archive: Any) -> None:
    port = _hl7_port(archive)
    if port is None:
        return
    message = (
        "MSH|^~\\&|HIS|CHU|PACS|CHU|20261101120000||ADT^A04^ADT_A01|M1|P|2.5\rEVN|A04|20261101120000\r"
        "PID|||DOOR1^^^CHU^PI||ESSAI^Porte||19700101|F\rPV1||O\r"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"\x0b" + message.encode() + b"\x1c\r")
        assert b"MSA|" in connection.recv(4096)
    time.sleep(2)


def _hl7_port(archive: Any) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{archive.process.pid}/cmdline").read_bytes().split(b"\0"):
            if line.startswith(b"127.0.0.1:"):
                port = int(line.rpartition(b":")[2])
                if port not in {0, archive.http_port, archive.dicom_port}:
                    return port
    return None


DOORS: dict[str, dict[str, Any]] = {
    "an unknown device is refused": {"event_class": "connection", "actor_name": "NOBODY", "outcome": "REFUSED", "door": "dimse"},
    "a device stores": {
        "event_class": "store", "actor_name": "STRANGER", "patient_id": "DOOR1", "issuer_of_patient_id": "CHU",
        "accession_number": "ACC7",
    },
    "a device asks": {"event_class": "query", "actor_name": "STRANGER", "patient_id": "DOOR1", "door": "dimse"},
    "a device has sent elsewhere": {
        "event_class": "export", "actor_name": "STRANGER", "destination": "OTHER", "patient_id": "DOOR1",
    },
    "a device fetches": {"event_class": "retrieve", "actor_name": "STRANGER", "study_instance_uid": STUDY, "patient_id": "DOOR1"},
    "a device asks for commitment": {"action": "commit", "actor_name": "STRANGER"},
    "a wrong password": {"event_class": "sign in", "outcome": "REFUSED", "peer": "127.0.0.1"},
    "a token that is none": {"action": "authenticate", "outcome": "REFUSED", "event_class": "sign in", "peer": "127.0.0.1"},
    "a person signs in": {"event_class": "sign in", "actor_name": "bea", "outcome": "SUCCESS"},
    "a person signs out": {"event_class": "sign out", "actor_name": "bea"},
    "a person lists": {"event_class": "query", "actor_name": "bea", "door": "api", "credential": "session"},
    "a person looks": {"event_class": "view", "actor_name": "bea", "patient_id": "DOOR1", "credential": "session"},
    "a person is refused administration": {"outcome": "REFUSED", "actor_name": "bea", "event_class": "configuration"},
    "a person is refused images": {"outcome": "REFUSED", "actor_name": "carl", "study_instance_uid": STUDY},
    "a program stores": {"event_class": "store", "actor_name": "ana", "study_instance_uid": STUDY},
    "a program searches": {"event_class": "query", "actor_name": "ana", "door": "dicomweb", "credential": "token"},
    "a program fetches": {"event_class": "retrieve", "actor_name": "ana", "patient_id": "DOOR1"},
    "a zip": {"event_class": "export", "actor_name": "ana", "destination": "zip", "patient_id": "DOOR1"},
    "a device is registered": {"action": "write application entity", "actor_name": "officer", "event_class": "configuration"},
    "the trail is read by FHIR": {"action": "read audit", "door": "fhir", "patient_id": "DOOR1"},
    "the trail is exported": {"action": "audit export", "actor_name": "officer", "patient_id": "DOOR1"},
    "an operator's export": {"action": "audit export", "door": "command line", "patient_id": "DOOR1"},
    "an operator's command": {"action": "command", "event_class": "system"},
    "an account is made": {"action": "administer", "door": "command line", "event_class": "configuration"},
    "an import": {"event_class": "store", "actor_kind": "system", "door": "command line"},
    "a message of the hospital": {"action": "apply HL7 message", "door": "hl7", "patient_id": "DOOR1"},
    "the program starts": {"action": "start", "event_class": "system"},
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_a_door_leaves_its_record(doors: SimpleNamespace, door: str) -> None:
    """Who, what, on whom: as the door knows it."""
    wanted = DOORS[door]
    matching = [e for e in doors.events if all(e[name] == value for name, value in wanted.items())]
    near = [
        {name: e[name] for name in ("action", *wanted)}
        for e in doors.events
        if e["event_class"] == wanted.get("event_class", e["event_class"])
    ]
    assert matching, f"not found: {wanted}\namong {near}"


def test_what_was_recorded_is_sealed_and_verifies(doors: SimpleNamespace) -> None:
    """By the command of an operator, beside the running server; the stop is the last record."""
    assert doors.received, "nothing came to the move destination"
    done = doors.archive.run("verify", "audit")
    assert "sound" in done.stdout
    report = doors.client.get(
        "/api/v1/audit/patient?patient_id=DOOR1&issuer_of_patient_id=CHU"
    ).json()
    assert {(one["actor_name"], one["event_class"]) for one in report["accesses"]} >= {
        ("bea", "view"),
        ("ana", "retrieve"),
        ("ana", "export"),
        ("STRANGER", "export"),
    }
