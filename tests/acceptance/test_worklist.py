"""One worklist on two wires: pynetdicom, httpx and websockets against a running server."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import websockets
from pydicom.dataset import Dataset
from pynetdicom import AE, evt, sop_class

PUSH, PULL, WATCH, EVENT = (
    getattr(sop_class, f"UnifiedProcedureStep{name}") for name in ("Push", "Pull", "Watch", "Event")
)
ALL = "1.2.840.10008.5.1.4.34.5"
JSON = {"Content-Type": "application/dicom+json"}


def step() -> Dataset:
    """What a workitem is created from."""
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 192"
    one.ProcedureStepState, one.ScheduledProcedureStepPriority = "SCHEDULED", "HIGH"
    one.ProcedureStepLabel, one.WorklistLabel = "Détecter les nodules", "IA"
    one.ScheduledProcedureStepStartDateTime, one.InputReadinessState = "20261124080000", "READY"
    one.PatientName, one.PatientID = "DUPONT^Éloïse", "P1"
    return one


def associate(archive: Any, title: str, *contexts: str) -> Any:
    """An association of pynetdicom's."""
    entity = AE(title)
    for context in contexts:
        entity.add_requested_context(context)
    association = entity.associate(archive.host, archive.dicom_port, ae_title=archive.ae_title)
    assert association.is_established
    return association


def claim_by_dimse(association: Any, uid: str, lock: str) -> bool:
    """Whether a claim over DIMSE won."""
    info = Dataset()
    info.ProcedureStepState, info.TransactionUID = "IN PROGRESS", lock
    status, _ = association.send_n_action(info, 1, PUSH, uid, meta_uid=PULL)
    return int(status.Status) == 0


def claim_by_http(client: Any, uid: str, lock: str) -> bool:
    """Whether a claim over HTTP won."""
    body = [
        {
            "00741000": {"vr": "CS", "Value": ["IN PROGRESS"]},
            "00081195": {"vr": "UI", "Value": [lock]},
        }
    ]
    answer = client.put(f"workitems/{uid}/state", content=json.dumps(body), headers=JSON)
    return bool(answer.status_code == 200)


class Watcher:
    """A pynetdicom application that takes event reports."""

    def __init__(self, port: int) -> None:
        self.taken: list[tuple[str, int, str]] = []
        entity = AE("WATCHER")
        entity.add_supported_context(EVENT, scu_role=False, scp_role=True)
        self.server = entity.start_server(
            ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, self._take)]
        )

    def _take(self, event: Any) -> tuple[int, None]:
        information = event.event_information
        state = information.get("ProcedureStepState") or information.get("SCPStatus") or ""
        self.taken.append((str(event.request.AffectedSOPInstanceUID), event.event_type, state))
        return 0, None

    def wait_for(self, expected: tuple[str, int, str], timeout_s: float = 40.0) -> None:
        """Until an event came."""
        deadline = time.monotonic() + timeout_s
        while expected not in self.taken:
            assert time.monotonic() < deadline, self.taken
            time.sleep(0.05)


def test_one_worklist(
    start_archive: Callable[..., Any], ports: Callable[[], int], tmp_path: Path
) -> None:
    """Created on one wire, claimed on the other, told on both, kept across a restart."""
    archive = start_archive(tmp_path)
    watcher_port = ports()
    archive.add_ae("PERFORMER", ports(), "ups")
    archive.add_ae("WATCHER", watcher_port, "ups")
    client = archive.client()
    association = associate(archive, "PERFORMER", PUSH, PULL, WATCH)
    subscription = Dataset()
    subscription.ReceivingAE, subscription.DeletionLock = "WATCHER", "TRUE"
    status, _ = association.send_n_action(subscription, 3, PUSH, ALL, meta_uid=WATCH)
    assert status.Status == 0
    answer = client.post(f"workitems/{ALL}/subscribers/VIEWER")
    channel_url = answer.headers["content-location"]

    async def listen() -> list[tuple[str, str]]:
        found = []
        headers = {"Authorization": f"Bearer {archive.token}"}
        async with websockets.connect(channel_url, additional_headers=headers) as channel:
            created = await asyncio.to_thread(association.send_n_create, step(), PUSH, "1.2.3")
            assert created[0].Status in (0, 0xB300)
            assert await asyncio.to_thread(claim_by_http, client, "1.2.3", "1.2.3.4")
            while len(found) < 2:
                event = json.loads(await asyncio.wait_for(channel.recv(), 15))
                found.append((event["00001000"]["Value"][0], event["00741000"]["Value"][0]))
        return found

    assert asyncio.run(listen()) == [("1.2.3", "SCHEDULED"), ("1.2.3", "IN PROGRESS")]
    found = client.get("workitems", params={"PatientName": "dupont*"}).json()
    assert found[0]["00741204"]["Value"] == ["Détecter les nodules"]
    assert not claim_by_dimse(association, "1.2.3", "1.2.3.5")

    client.post("workitems?1.2.4", content=json.dumps([step().to_json_dict()]), headers=JSON)
    barrier = threading.Barrier(2)
    won: list[bool] = []

    def claim(how: Callable[..., bool], who: Any, lock: str) -> None:
        barrier.wait()
        won.append(how(who, "1.2.4", lock))

    threads = [
        threading.Thread(target=claim, args=(claim_by_http, client, "1.2.3.6")),
        threading.Thread(target=claim, args=(claim_by_dimse, association, "1.2.3.7")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, True]
    association.release()
    archive.stop()

    watcher = Watcher(watcher_port)  # it was not there before: nothing is lost
    try:
        again = start_archive(tmp_path, configured=False)
        watcher.wait_for((ALL, 4, "RESTARTED"))
        assert [event for event in watcher.taken if event[0] != ALL] == [
            ("1.2.3", 1, "SCHEDULED"),
            ("1.2.3", 1, "IN PROGRESS"),
            ("1.2.4", 1, "SCHEDULED"),
            ("1.2.4", 1, "IN PROGRESS"),
        ]
        request = Dataset()
        request.ReasonForCancellation = "patient left"
        other = associate(again, "PERFORMER", WATCH)
        status, _ = other.send_n_action(request, 2, PUSH, "1.2.3", meta_uid=WATCH)
        assert status.Status == 0
        watcher.wait_for(("1.2.3", 2, ""))
        other.release()
        again.stop()
    finally:
        watcher.server.shutdown()


@pytest.mark.parametrize("title", ["NOBODY", "STRANGER"])
def test_who_has_no_right(archive: Any, title: str) -> None:
    """No context for an AE without the role, no association for an unknown one."""
    entity = AE(title)
    for context in (PUSH, PULL, WATCH):
        entity.add_requested_context(context)
    association = entity.associate(archive.host, archive.dicom_port, ae_title=archive.ae_title)
    assert not association.is_established or not association.accepted_contexts
    if association.is_established:
        association.abort()
