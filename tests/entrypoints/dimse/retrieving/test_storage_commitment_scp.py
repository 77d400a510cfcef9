"""Storage Commitment Push Model: as SCP towards pynetdicom, as SCU towards ourselves and pynetdicom."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

from negatoscope.domain.archive.commitment import Commitment, Reference

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"


def action(transaction: str, *uids: str, sop_class: str = CT) -> Dataset:
    ds = Dataset()
    ds.TransactionUID = transaction
    ds.ReferencedSOPSequence = [Dataset() for _ in uids]
    for item, uid in zip(ds.ReferencedSOPSequence, uids, strict=True):
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
    return ds


class Modality:
    """A pynetdicom SCU of storage commitment that also listens for reports."""

    def __init__(self, node: Any, port: int, title: str = "CT1") -> None:
        self.node, self.port, self.title = node, port, title
        self.reports: list[tuple[int, Dataset, str]] = []
        self.answer = 0x0000
        self.server: Any = None

    def listen(self) -> None:
        entity = AE(self.title)
        entity.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
        self.server = entity.start_server(
            ("127.0.0.1", self.port),
            block=False,
            evt_handlers=[(evt.EVT_N_EVENT_REPORT, lambda event: self.take(event, "new"))],
        )

    def take(self, event: Any, where: str) -> tuple[int, None]:
        self.reports.append((event.event_type, event.event_information, where))
        return self.answer, None

    def ask(
        self, query: Dataset, *, stay_s: float = 0.0, instance: str | None = None, kind: int = 1
    ) -> int:
        """Send an N-ACTION, stay on the association in silence, release. Returns: the status."""
        entity = AE(self.title)
        entity.add_requested_context(StorageCommitmentPushModel)
        assoc = entity.associate(
            "127.0.0.1",
            self.node.port,
            ae_title=self.node.ae_title,
            evt_handlers=[(evt.EVT_N_EVENT_REPORT, lambda event: self.take(event, "same"))],
        )
        assert assoc.is_established
        status, _ = assoc.send_n_action(
            query, kind, StorageCommitmentPushModel, instance or StorageCommitmentPushModelInstance
        )
        until = time.monotonic() + stay_s
        while time.monotonic() < until and not self.reports:
            time.sleep(0.02)
        assoc.release()
        return int(status.Status)

    def close(self) -> None:
        if self.server is not None:
            self.server.shutdown()


@pytest.fixture
def modality(node: Any, free_ports: Callable[[], int]) -> Iterator[Modality]:
    """Registered, not listening yet."""
    made = Modality(node, free_ports())
    node.register("CT1", made.port)
    yield made
    made.close()


def work(node: Any) -> None:
    """What the worker does, without its pauses."""
    node.count(
        "WITH u AS (UPDATE storage_commitment SET next_attempt_at = now() RETURNING 1) "
        "SELECT count(*) FROM u"
    )
    node.commitment.run_due(threading.Event())


def uids(ds: Dataset, sequence: str) -> list[str]:
    return sorted(item.ReferencedSOPInstanceUID for item in ds.get(sequence) or [])


def test_a_peer_that_stays_gets_the_report_on_its_association(
    node: Any, modality: Modality
) -> None:
    stored = node.study("1.1", 3)
    assert modality.ask(action("2.25.1", *stored), stay_s=5) == 0x0000
    [(event_type, information, where)] = modality.reports
    assert (event_type, where) == (1, "same")
    assert information.TransactionUID == "2.25.1"
    assert information.RetrieveAETitle == "NEGATOSCOPE"
    assert uids(information, "ReferencedSOPSequence") == sorted(stored)
    assert "FailedSOPSequence" not in information
    assert node.count("SELECT count(*) FROM instance WHERE verified_at IS NOT NULL") == 3
    modality.listen()
    work(node)
    assert len(modality.reports) == 1


def test_a_peer_that_leaves_gets_it_on_an_association_of_ours_once(
    node: Any, modality: Modality
) -> None:
    stored = node.study("1.1", 2)
    assert modality.ask(action("2.25.1", *stored)) == 0x0000
    modality.listen()
    work(node)
    work(node)
    [(event_type, information, where)] = modality.reports
    assert (event_type, where) == (1, "new")
    assert uids(information, "ReferencedSOPSequence") == sorted(stored)


def test_what_is_not_here_or_altered_is_told_with_its_reason(node: Any, modality: Modality) -> None:
    first, second = node.study("1.1", 2)
    node.damage(second)
    query = action("2.25.1", first, second, "9.9")
    query.ReferencedSOPSequence.append(Dataset())
    other = node.store(node.ct("1.2", "1.2.1", "1.2.1.1"))[0]
    query.ReferencedSOPSequence[-1].ReferencedSOPClassUID = MR
    query.ReferencedSOPSequence[-1].ReferencedSOPInstanceUID = other
    assert modality.ask(query, stay_s=5) == 0x0000
    [(event_type, information, _)] = modality.reports
    assert event_type == 2
    assert uids(information, "ReferencedSOPSequence") == [first]
    reasons = {
        item.ReferencedSOPInstanceUID: item.FailureReason for item in information.FailedSOPSequence
    }
    assert reasons == {second: 0x0110, "9.9": 0x0112, other: 0x0119}


def test_a_peer_that_is_offline_for_days_is_told_after_a_restart(
    node: Any, modality: Modality
) -> None:
    """A report refused or undeliverable is tried again; the answer is not computed again."""
    stored = node.study("1.1", 1)
    modality.ask(action("2.25.1", *stored))
    work(node)
    assert node.count("SELECT attempt_count FROM storage_commitment") == 1
    sql = "SELECT count(*) FROM storage_commitment WHERE last_error LIKE '%connect%'"
    assert node.count(sql) == 1
    modality.answer = 0x0110
    modality.listen()
    work(node)
    assert node.count("SELECT attempt_count FROM storage_commitment") == 2
    modality.answer = 0x0000
    node.commitment = type(node.commitment)(
        commitment=Commitment(node.retrieval),
        database=node.database,
        ae_title="NEGATOSCOPE",
        timeouts=node.commitment.timeouts,
    )
    work(node)
    assert [report[0] for report in modality.reports] == [1, 1]
    sql = "SELECT count(*) FROM storage_commitment WHERE delivered_at IS NOT NULL"
    assert node.count(sql) == 1
    work(node)
    assert len(modality.reports) == 2


def test_one_hanging_peer_costs_one_timeout_however_many_answers_wait(
    node: Any, modality: Modality
) -> None:
    for number in range(4):
        modality.ask(action(f"2.25.{number}", "9.9"))
    with socket.create_server(("127.0.0.1", modality.port)):
        started = time.monotonic()
        work(node)
    assert time.monotonic() - started < 6
    assert node.count("SELECT min(attempt_count) FROM storage_commitment") == 1


def test_a_transaction_uid_used_for_other_objects_fails_as_a_whole(
    node: Any, modality: Modality
) -> None:
    stored = node.study("1.1", 2)
    modality.ask(action("2.25.1", *stored))
    assert modality.ask(action("2.25.1", stored[0]), stay_s=5) == 0x0000
    [(event_type, information, _)] = modality.reports
    assert event_type == 2
    assert [item.FailureReason for item in information.FailedSOPSequence] == [0x0131]


def without(ds: Dataset, name: str) -> Dataset:
    delattr(ds, name)
    return ds


@pytest.mark.parametrize(
    ("query", "keys", "status"),
    [
        (without(action("2.25.1", "1.1"), "TransactionUID"), {}, 0x0120),
        (action("", "1.1"), {}, 0x0121),
        (action("2.25.1"), {}, 0x0120),
        (action("2.25.1", ""), {}, 0x0121),
        (action("2.25.1", "1.1"), {"kind": 2}, 0x0123),
        (action("2.25.1", "1.1"), {"instance": "1.2.3"}, 0x0112),
    ],
)
def test_a_request_that_cannot_be_understood_is_refused_and_not_kept(
    node: Any, modality: Modality, query: Dataset, keys: dict[str, Any], status: int
) -> None:
    assert modality.ask(query, **keys) == status
    assert node.count("SELECT count(*) FROM storage_commitment") == 0


@pytest.mark.parametrize("where", ["same", "new"])
def test_we_ask_a_peer_and_keep_its_answer(
    node: Any, free_ports: Callable[[], int], where: str
) -> None:
    """The peer commits to the first and not to the second."""
    stored = node.study("1.1", 2)
    port = free_ports()
    node.register("VNA", port)
    asked: list[Dataset] = []

    def report(assoc: Any, ds: Dataset) -> int:
        event = Dataset()
        event.TransactionUID = ds.TransactionUID
        event.ReferencedSOPSequence = ds.ReferencedSOPSequence[:1]
        event.FailedSOPSequence = ds.ReferencedSOPSequence[1:]
        event.FailedSOPSequence[0].FailureReason = 0x0213
        status, _ = assoc.send_n_event_report(
            event, 2, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )
        return int(status.Status)

    def handle(event: Any) -> tuple[int, None]:
        asked.append(event.action_information)
        if where == "same":
            threading.Timer(0.1, report, (event.assoc, event.action_information)).start()
        return 0x0000, None

    entity = AE("VNA")
    entity.add_supported_context(StorageCommitmentPushModel)
    server = entity.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_N_ACTION, handle)]
    )
    references = [Reference(sop_class_uid=CT, sop_instance_uid=uid) for uid in stored]
    request = node.commitment.request_commitment("VNA", references)
    assert uids(asked[0], "ReferencedSOPSequence") == sorted(stored)
    if where == "new":
        entity.add_requested_context(StorageCommitmentPushModel)
        assoc = entity.associate(
            "127.0.0.1",
            node.port,
            ae_title=node.ae_title,
            ext_neg=[build_role(StorageCommitmentPushModel, scp_role=True)],
        )
        assert report(assoc, asked[0]) == 0x0000
        asked[0].TransactionUID = "2.25.99"
        assert report(assoc, asked[0]) == 0x0115
        assoc.release()
    server.shutdown()
    answer = node.commitment.commitment.answer(request)
    assert answer is not None
    assert [reference.sop_instance_uid for reference in answer.committed] == stored[:1]
    assert [failure.reason for failure in answer.failed] == [0x0213]


def test_a_request_of_ours_is_repeated_until_the_peer_takes_it(
    node: Any, free_ports: Callable[[], int]
) -> None:
    """The peer is another node of ours: it answers, by an association of its own."""
    stored = node.study("1.1", 2)
    node.register("NEGATOSCOPE", free_ports())
    references = [Reference(sop_class_uid=CT, sop_instance_uid=uid) for uid in stored]
    request = node.commitment.request_commitment("NEGATOSCOPE", references)
    assert node.count("SELECT count(*) FROM storage_commitment WHERE delivered_at IS NULL") == 1
    node.register("NEGATOSCOPE", node.port)
    deadline = time.monotonic() + 20
    sql = (
        "SELECT count(*) FROM storage_commitment "
        "WHERE delivered_at IS NOT NULL AND answered_at IS NOT NULL"
    )
    while node.count(sql) < 2:
        assert time.monotonic() < deadline
        work(node)
    answer = node.commitment.commitment.answer(request)
    assert answer is not None
    assert answer.event_type_id == 1
    assert len(answer.committed) == 2
