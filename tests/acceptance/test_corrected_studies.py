"""A patient's file changes after the images came: every way out gives the new identity, no stored byte changes.

The admission office speaks HL7 v2 by the package `hl7`, the workstation is pynetdicom and DCMTK (``getscu``).
"""

import hashlib
import io
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hl7
import httpx
import pydicom
import pytest
from hl7.client import MLLPClient
from pydicom.dataset import Dataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import write_dataset
from pynetdicom import AE, evt, sop_class

pytestmark = [pytest.mark.slow, pytest.mark.stranger]
CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
STUDY, SERIES = "2.25.880", "2.25.8801"
FOLLOWS_WITHIN_S = 10.0
IDENTITY = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex")
ASKED = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": STUDY}


class Thing:
    """An image as ``stranger.send`` wants it."""

    sop_class_uid, transfer_syntax_uid = CT, EXPLICIT

    def __init__(self, number: int) -> None:
        self.name = self.sop_instance_uid = f"{SERIES}.{number}"
        one = Dataset()
        one.SOPClassUID, one.SOPInstanceUID = CT, self.sop_instance_uid
        one.StudyDate, one.StudyTime, one.AccessionNumber = "20260102", "080000", ""
        one.Modality, one.ReferringPhysicianName = "CT", ""
        one.PatientName, one.PatientID, one.IssuerOfPatientID = "DURAND^PAUL", "9001", "CHU"
        one.PatientBirthDate, one.PatientSex = "19700203", "M"
        one.StudyInstanceUID, one.SeriesInstanceUID, one.StudyID = STUDY, SERIES, "1"
        one.SeriesNumber, one.InstanceNumber = 1, number
        one.Rows = one.Columns = 32
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated = one.BitsStored = 16
        one.HighBit, one.PixelRepresentation = 15, 0
        one.PixelData = hashlib.sha512(self.name.encode()).digest() * 32
        buffer = io.BytesIO()
        encoder = DicomIO(buffer)
        encoder.is_little_endian, encoder.is_implicit_VR = True, False
        write_dataset(encoder, one)
        self.data_set, self.pixels = buffer.getvalue(), one.PixelData


def tell(archive: Any, kind: str, *segments: str) -> None:
    """An ADT message that is accepted."""
    now = f"{datetime.now(UTC):%Y%m%d%H%M%S}"
    head = f"MSH|^~\\&|GAM|CHU|RIS|CHU|{now}||{kind}|{time.monotonic_ns()}|P|2.5||||||UNICODE UTF-8"
    with MLLPClient("127.0.0.1", archive.hl7_port) as client:
        answer = client.send_message("\r".join([head, f"EVN||{now}", *segments, ""]))
    text = answer.decode() if isinstance(answer, bytes) else str(answer)
    assert str(hl7.parse(text.strip("\x0b\x1c\r") + "\r").segment("MSA")[1]) == "AA", text


def said(one: Dataset) -> tuple[str, ...]:
    """Whose it says it is."""
    return tuple(str(one.get(keyword, "")) for keyword in IDENTITY)


def found(archive: Any, model: Any, **keys_too: str) -> tuple[str, ...]:
    """C-FIND of the study."""
    entity = AE(ae_title="STRANGER")
    entity.add_requested_context(model)
    association = entity.associate(archive.host, archive.dicom_port, ae_title=archive.ae_title)
    keys = Dataset()
    for keyword, value in {**dict.fromkeys(IDENTITY, ""), **ASKED, **keys_too}.items():
        setattr(keys, keyword, value)
    answers = [answer for status, answer in association.send_c_find(keys, model) if answer]
    association.release()
    (one,) = answers
    return said(one)


def moved(archive: Any) -> list[Dataset]:
    """C-MOVE to a receiver of pynetdicom."""
    got: list[Dataset] = []

    def keep(event: Any) -> int:
        got.append(event.dataset)
        return 0

    receiver = AE(ae_title="STRANGER")
    receiver.add_supported_context(CT, EXPLICIT)
    server: Any = receiver.start_server(
        ("127.0.0.1", archive.stranger_port), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)]
    )
    model = sop_class.StudyRootQueryRetrieveInformationModelMove
    entity = AE(ae_title="STRANGER")
    entity.add_requested_context(model)
    association = entity.associate(archive.host, archive.dicom_port, ae_title=archive.ae_title)
    keys = Dataset()
    for keyword, value in ASKED.items():
        setattr(keys, keyword, value)
    statuses = [status.Status for status, _ in association.send_c_move(keys, "STRANGER", model)]
    association.release()
    server.shutdown()
    assert statuses[-1] == 0x0000
    return got


def fetched(archive: Any, getscu: str, folder: Path) -> list[Dataset]:
    """C-GET by DCMTK."""
    folder.mkdir()
    command = [getscu, "-aet", "STRANGER", "-aec", archive.ae_title, "-S", "+B", "-od", str(folder)]
    command += [part for key, value in ASKED.items() for part in ("-k", f"{key}={value}")]
    done = subprocess.run(
        [*command, "127.0.0.1", str(archive.dicom_port)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [pydicom.dcmread(path) for path in folder.iterdir()]


def over_the_web(archive: Any, things: list[Thing]) -> list[Dataset]:
    """WADO-RS: each instance, and the metadata of the study; QIDO-RS."""
    client: httpx.Client = archive.client()
    found = []
    for thing in things:
        url = f"studies/{STUDY}/series/{SERIES}/instances/{thing.sop_instance_uid}"
        answer = client.get(url, headers={"Accept": "application/dicom; transfer-syntax=*"})
        assert answer.status_code == 200
        found.append(pydicom.dcmread(io.BytesIO(answer.content)))
    metadata = client.get(f"studies/{STUDY}/metadata").json()
    fields = ["00100020", "00100021", "00100010", "00100030", "00100040"]
    (row,) = client.get(
        "studies", params={"StudyInstanceUID": STUDY, "includefield": fields}
    ).json()
    for one in metadata:
        del one["7FE00010"]
    told = {said(Dataset.from_json(one)) for one in [*metadata, row]}
    assert told == {said(found[0])}
    return found


def test_every_way_out_gives_who_the_patient_is_now(
    start_archive: Callable[..., Any], stranger: Any, program: Callable[[str], str], tmp_path: Path
) -> None:
    """A correction, a merge, a move at the desk, its undo, and the index made again."""
    getscu = program("getscu")
    archive = start_archive(tmp_path / "archive")
    desk = httpx.Client(
        base_url=f"{archive.url}/api/v1/reconciliation",
        headers={
            "Authorization": f"Bearer {archive.create_token('idvigilance', 'identity-manager')}"
        },
    )
    registered = httpx.Client(base_url=f"{archive.url}/api/v1", headers=desk.headers)
    things = [Thing(1), Thing(2)]
    pixels = {thing.sop_instance_uid: thing.pixels for thing in things}

    def pid(number: str, name: str, birth: str = "19700203", sex: str = "M") -> str:
        return f"PID|||{number}^^^CHU^PI||{name}^^^^L||{birth}|{sex}"

    def is_given_as(*identity: str) -> None:
        deadline = time.monotonic() + FOLLOWS_WITHIN_S
        study_root = sop_class.StudyRootQueryRetrieveInformationModelFind
        while found(archive, study_root) != identity:
            assert time.monotonic() < deadline, found(archive, study_root)
            time.sleep(0.2)
        patient_root = sop_class.PatientRootQueryRetrieveInformationModelFind
        assert found(archive, patient_root, PatientID=identity[0]) == identity
        ways = {
            "C-MOVE": moved(archive),
            "C-GET": fetched(archive, getscu, tmp_path / f"get{time.monotonic_ns()}"),
            "WADO-RS": over_the_web(archive, things),
        }
        for way, objects in ways.items():
            assert {said(one) for one in objects} == {identity}, way
            assert {str(one.SOPInstanceUID): one.PixelData for one in objects} == pixels, way

    tell(archive, "ADT^A04^ADT_A01", pid("9001", "DURAND^PAUL"), "PV1||O")
    tell(archive, "ADT^A04^ADT_A01", pid("9002", "DURANT^PAULE", "19700204", "F"), "PV1||O")
    assert set(stranger.store(archive, things).values()) == {0x0000}
    is_given_as("9001", "CHU", "DURAND^PAUL", "19700203", "M")

    tell(archive, "ADT^A31^ADT_A05", pid("9001", "DUPONT^PAUL", "19700205"), "PV1||N")
    is_given_as("9001", "CHU", "DUPONT^PAUL", "19700205", "M")

    answer = registered.get("/registered-patients", params={"text": "DURANT"})
    assert answer.status_code == 200, answer.text
    (other,) = [one["id"] for one in answer.json()]
    action = {"kind": "MOVE", "studies": [STUDY], "patient": other, "reason": "mauvais dossier"}
    preview = desk.post("/preview", json=action)
    assert preview.status_code == 200, preview.text
    done = desk.post("/actions", json=action | {"token": preview.json()["token"]})
    assert done.status_code == 201, done.text
    is_given_as("9002", "CHU", "DURANT^PAULE", "19700204", "F")
    undone = desk.post(f"/actions/{done.json()['id']}/undo")
    assert undone.status_code == 200, undone.text
    is_given_as("9001", "CHU", "DUPONT^PAUL", "19700205", "M")

    tell(
        archive,
        "ADT^A40^ADT_A39",
        pid("9002", "DURANT^PAULE", "19700204", "F"),
        "MRG|9001^^^CHU^PI",
    )
    is_given_as("9002", "CHU", "DURANT^PAULE", "19700204", "F")

    segments = b"".join(
        path.read_bytes()
        for path in (archive.data_dir / "volumes" / "main" / "segments").rglob("*.tar")
    )
    assert all(thing.data_set in segments for thing in things)
    assert "2 verified, 0 damaged" in archive.run("verify").stdout
    assert archive.stop() == 0
    archive.run("reindex", "--yes", "--verify")
    again = start_archive(tmp_path / "archive", configured=False)
    again.token = archive.token
    archive, again.stranger_port = again, archive.stranger_port
    is_given_as("9002", "CHU", "DURANT^PAULE", "19700204", "F")
    assert archive.stop() == 0
