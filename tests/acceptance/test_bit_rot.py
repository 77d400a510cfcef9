"""Bytes of a stored object change on the disk: no door gives them out as good, and somebody is told (faults 7, 8).

One study of three images, of which the second is damaged, and one study untouched.
"""

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (
    CTImageStorage,
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

EXPLICIT = "1.2.840.10008.1.2.1"
STUDY, SERIES = "2.25.7700", "2.25.7701"
UIDS = ("2.25.7710", "2.25.7711", "2.25.7712")
DAMAGED = UIDS[1]
ANY_DICOM = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
PIXEL_BYTES = 1 << 15


@dataclass(frozen=True)
class Thing:
    """What ``stranger.store`` needs of an object."""

    data_set: bytes
    sop_instance_uid: str
    name: str
    sop_class_uid: str = CTImageStorage
    transfer_syntax_uid: str = EXPLICIT


def image(hostile: Any, uid: str, *, study: str = STUDY, series: str = SERIES) -> Thing:
    """A CT image of 128 × 128 whose pixels are its own."""
    rows = hostile.identity(
        sop_class=CTImageStorage, sop_instance=uid, study=study, series=series, patient_id="ROT"
    )
    for tag, number in (
        *((0x00280002, 1), (0x00280010, 128), (0x00280011, 128), (0x00280100, 16)),
        *((0x00280101, 16), (0x00280102, 15), (0x00280103, 0)),
    ):
        rows.append((tag, hostile.element(tag, "US", number.to_bytes(2, "little"))))
    rows.append((0x00280004, hostile.element(0x00280004, "CS", b"MONOCHROME2 ")))
    pixels = hashlib.sha256(uid.encode()).digest() * (PIXEL_BYTES // 32)
    rows.append((0x7FE00010, hostile.element(0x7FE00010, "OW", pixels)))
    return Thing(b"".join(part for _, part in sorted(rows)), uid, uid)


def damage(data_dir: Path, thing: Thing) -> None:
    """Change four pixel bytes of an object wherever it lies."""
    places = 0
    for path in data_dir.rglob("segments/*/*.tar"):
        content = path.read_bytes()
        at = content.find(thing.data_set)
        if at >= 0:
            path.chmod(0o640)
            with path.open("r+b") as segment:
                segment.seek(at + len(thing.data_set) - 1000)
                segment.write(b"ROT!")
            places += 1
    assert places == 1


@pytest.fixture(scope="module")
def rotten(
    start_archive: Callable[..., Any],
    stranger: Any,
    hostile: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Any]:
    """A server of which one object is damaged, and that has not read it since."""
    folder = tmp_path_factory.mktemp("rotten")
    (folder / "data").mkdir()
    (folder / "data" / "negatoscope.toml").write_text("settle_idle_s = 3600\n")
    archive = start_archive(folder)
    things = [image(hostile, uid) for uid in UIDS]
    things.append(image(hostile, "2.25.7790", study="2.25.7780", series="2.25.7781"))
    assert set(stranger.store(archive, things).values()) == {0x0000}
    archive.admin = archive.create_token("root", "administrator")
    damage(archive.data_dir, things[1])
    yield archive
    assert archive.stop() == 0


def tasks(archive: Any) -> list[dict[str, Any]]:
    """What waits for an administrator."""
    answer = httpx.get(
        f"{archive.url}/api/v1/tasks", headers={"Authorization": f"Bearer {archive.admin}"}
    )
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def expected(hostile: Any, uid: str) -> bytes:
    """The data set as it was sent."""
    return image(hostile, uid).data_set


def test_an_instance_by_wado_rs(rotten: Any, hostile: Any) -> None:
    """5xx for the damaged one; its neighbour as before."""
    path = f"studies/{STUDY}/series/{SERIES}/instances"
    answer = rotten.client().get(f"{path}/{DAMAGED}", headers=ANY_DICOM)
    assert answer.status_code >= 500
    assert b"ROT!" not in answer.content
    good = rotten.client().get(f"{path}/{UIDS[0]}", headers=ANY_DICOM)
    assert good.status_code == 200
    assert expected(hostile, UIDS[0]) in good.content
    waiting = [task for task in tasks(rotten) if task["kind"] == "digest-mismatch"]
    assert [task["subject"] for task in waiting] == [DAMAGED]
    assert waiting[0]["detail"]["study_instance_uid"] == STUDY


def test_a_frame_by_wado_rs(rotten: Any) -> None:
    """No wrong pixels."""
    answer = rotten.client().get(
        f"studies/{STUDY}/series/{SERIES}/instances/{DAMAGED}/frames/1",
        headers={"Accept": 'multipart/related; type="application/octet-stream"'},
    )
    assert b"ROT!" not in answer.content
    assert answer.status_code >= 500


def test_a_study_by_wado_rs(rotten: Any, hostile: Any) -> None:
    """The answer breaks off, or says that it is not whole; the altered bytes are not in it."""
    received = b""
    status = 0
    with (
        contextlib.suppress(httpx.RemoteProtocolError),
        rotten.client().stream("GET", f"studies/{STUDY}", headers=ANY_DICOM) as answer,
    ):
        status = answer.status_code
        for piece in answer.iter_bytes():
            received += piece
        assert status >= 206
    assert b"ROT!" not in received


def test_c_get(rotten: Any, hostile: Any) -> None:
    """B000 with the damaged one in the failed list; the others arrive as they were sent."""
    received: dict[str, bytes] = {}

    def keep(event: Any) -> int:
        received[event.request.AffectedSOPInstanceUID] = event.request.DataSet.getvalue()
        return 0x0000

    entity: Any = AE(ae_title="STRANGER")
    entity.add_requested_context(StudyRootQueryRetrieveInformationModelGet)
    entity.add_requested_context(CTImageStorage, EXPLICIT)
    association = entity.associate(
        rotten.host,
        rotten.dicom_port,
        ae_title=rotten.ae_title,
        ext_neg=[build_role(CTImageStorage, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, keep)],
    )
    assert association.is_established
    answers = list(association.send_c_get(asked(), StudyRootQueryRetrieveInformationModelGet))
    association.release()
    check_warning(answers)
    check_received(received, hostile)


def test_c_move(rotten: Any, hostile: Any) -> None:
    """Likewise."""
    received: dict[str, bytes] = {}

    def keep(event: Any) -> int:
        received[event.request.AffectedSOPInstanceUID] = event.request.DataSet.getvalue()
        return 0x0000

    receiver: Any = AE(ae_title="STRANGER")
    receiver.add_supported_context(CTImageStorage, EXPLICIT)
    listening: Any = receiver.start_server(
        ("127.0.0.1", rotten.stranger_port), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)]
    )
    try:
        entity: Any = AE(ae_title="STRANGER")
        entity.add_requested_context(StudyRootQueryRetrieveInformationModelMove)
        association = entity.associate(rotten.host, rotten.dicom_port, ae_title=rotten.ae_title)
        assert association.is_established
        model = StudyRootQueryRetrieveInformationModelMove
        answers = list(association.send_c_move(asked(), "STRANGER", model))
        association.release()
    finally:
        listening.shutdown()
    check_warning(answers)
    check_received(received, hostile)


def asked() -> Any:
    """Identifier of the damaged study."""
    identifier: Any = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = STUDY
    return identifier


def check_warning(answers: list[tuple[Any, Any]]) -> None:
    """PS3.4 Table C.4-2: sub-operations complete, one failed."""
    status, identifier = answers[-1]
    assert status.Status == 0xB000
    assert status.NumberOfCompletedSuboperations == 2
    assert status.NumberOfFailedSuboperations == 1
    assert identifier.FailedSOPInstanceUIDList == DAMAGED


def check_received(received: dict[str, bytes], hostile: Any) -> None:
    """The two others, byte for byte."""
    assert received == {uid: expected(hostile, uid) for uid in UIDS if uid != DAMAGED}


def test_commitment(rotten: Any) -> None:
    """Event type 2: the damaged one is not committed (0110), the others are."""
    reports: list[tuple[int, Any]] = []

    def take(event: Any) -> tuple[int, None]:
        reports.append((event.request.EventTypeID, event.event_information))
        return 0x0000, None

    receiver: Any = AE(ae_title="STRANGER")
    receiver.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
    listening: Any = receiver.start_server(
        ("127.0.0.1", rotten.stranger_port),
        block=False,
        evt_handlers=[(evt.EVT_N_EVENT_REPORT, take)],
    )
    try:
        entity: Any = AE(ae_title="STRANGER")
        entity.add_requested_context(StorageCommitmentPushModel)
        association = entity.associate(
            rotten.host, rotten.dicom_port, ae_title=rotten.ae_title,
            evt_handlers=[(evt.EVT_N_EVENT_REPORT, take)],
        )  # fmt: skip
        assert association.is_established
        request: Any = Dataset()
        request.TransactionUID = "2.25.7799"
        request.ReferencedSOPSequence = []
        for uid in UIDS:
            item: Any = Dataset()
            item.ReferencedSOPClassUID = CTImageStorage
            item.ReferencedSOPInstanceUID = uid
            request.ReferencedSOPSequence.append(item)
        status, _ = association.send_n_action(
            request, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )
        assert status.Status == 0x0000
        association.release()
        deadline = time.monotonic() + 30
        while not reports and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        listening.shutdown()
    ((event_type, report),) = reports
    assert event_type == 2
    assert [item.ReferencedSOPInstanceUID for item in report.FailedSOPSequence] == [DAMAGED]
    assert report.FailedSOPSequence[0].FailureReason == 0x0110
    assert {item.ReferencedSOPInstanceUID for item in report.ReferencedSOPSequence} == {
        UIDS[0],
        UIDS[2],
    }


def test_verify_names_it(rotten: Any) -> None:
    """The command fails, says which; the task is there."""
    done = rotten.run("verify", check=False)
    assert done.returncode != 0
    assert DAMAGED in done.stdout + done.stderr
    assert UIDS[0] not in done.stdout + done.stderr
    assert any(DAMAGED in str(task) for task in tasks(rotten))


def test_zz_sent_again_it_is_healed(rotten: Any, stranger: Any, hostile: Any) -> None:
    """The modality repeats itself: success, because what is kept now is what it sent."""
    thing = image(hostile, DAMAGED)
    assert stranger.store(rotten, [thing]) == {DAMAGED: 0x0000}
    answer = rotten.client().get(
        f"studies/{STUDY}/series/{SERIES}/instances/{DAMAGED}", headers=ANY_DICOM
    )
    assert answer.status_code == 200
    assert thing.data_set in answer.content
