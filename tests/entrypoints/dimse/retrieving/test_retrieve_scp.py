"""C-MOVE and C-GET: counts, statuses, cancel, destinations that are down, hang or refuse."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import AE, AllStoragePresentationContexts, build_role, evt
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelGet,
    PatientRootQueryRetrieveInformationModelMove,
    PatientStudyOnlyQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from negatoscope.domain.identity.grants import Grant, GrantKind, Holder, replace_all
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.protocols.dicom.dimse.acceptor import Accept, AssociationServer, Peer, listen
from negatoscope.protocols.dicom.dimse.association import Association, Message
from negatoscope.protocols.dicom.dimse.command import c_store_rsp
from negatoscope.protocols.dicom.dimse.gate import Listener
from negatoscope.protocols.dicom.ul.items import AsynchronousOperationsWindow
from negatoscope.protocols.dicom.ul.negotiation import ContextOffer, answer
from negatoscope.protocols.dicom.ul.pdu import AssociateRequest

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
ENCODING: dict[str, dict[str, bool]] = {
    EXPLICIT: {"implicit_vr": False, "little_endian": True},
    IMPLICIT: {"implicit_vr": True, "little_endian": True},
}
STUDY_ROOT_MOVE = StudyRootQueryRetrieveInformationModelMove


def identifier(level: str, **keys: Any) -> Dataset:
    ds = Dataset()
    ds.QueryRetrieveLevel = level
    for name, value in keys.items():
        setattr(ds, name, value)
    return ds


def move(
    node: Any,
    query: Dataset,
    destination: str = "DEST",
    model: str = STUDY_ROOT_MOVE,
    each: Callable[[Any, Dataset], None] = lambda assoc, status: None,
) -> list[tuple[Dataset, Dataset | None]]:
    """C-MOVE by pynetdicom as WORKSTATION; every response."""
    entity = AE("WORKSTATION")
    entity.add_requested_context(model)
    assoc = entity.associate("127.0.0.1", node.port, ae_title=node.ae_title)
    assert assoc.is_established
    responses = []
    for status, found in assoc.send_c_move(query, destination, model, msg_id=77):
        responses.append((status, found))
        each(assoc, status)
    if assoc.is_established:
        assoc.release()
    return responses


def counts(status: Dataset) -> tuple[Any, ...]:
    return (
        status.Status,
        status.get("NumberOfRemainingSuboperations"),
        status.get("NumberOfCompletedSuboperations"),
        status.get("NumberOfFailedSuboperations"),
        status.get("NumberOfWarningSuboperations"),
    )


@pytest.fixture(autouse=True)
def workstation(node: Any) -> None:
    node.register("WORKSTATION", 104)


@pytest.fixture
def dest(node: Any, receiver: Any) -> Any:
    server = receiver()
    node.register("DEST", server.port)
    return server


def test_a_peer_limited_to_studies_gets_those_and_no_others(node: Any, dest: Any) -> None:
    """By study, by patient, by instance UID; of the others it is not even counted that they are there."""
    node.study("1.1", 2)
    node.study("1.2", 3)
    grant = Grant(kind=GrantKind.STUDY, value="1.1")
    replace_all(node.database, Holder(ae_title="WORKSTATION"), [grant], granted_by="test")
    assert counts(move(node, identifier("STUDY", StudyInstanceUID="1.2"))[-1][0])[2] in (0, None)
    both = identifier("STUDY", StudyInstanceUID=["1.1", "1.2"])
    assert counts(move(node, both)[-1][0]) == (0x0000, None, 2, 0, 0)
    image = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.1", "SOPInstanceUID": "1.2.1.1"}
    assert counts(move(node, identifier("IMAGE", **image))[-1][0])[2] in (0, None)
    root = PatientRootQueryRetrieveInformationModelMove
    of_patient = identifier("PATIENT", PatientID="P1.2")
    assert counts(move(node, of_patient, model=root)[-1][0])[2] in (0, None)
    assert {received[0] for received in dest.received} == {"1.1.1.1", "1.1.1.2"}


def test_move_sends_the_stored_bytes_in_order_and_names_its_originator(
    node: Any, dest: Any
) -> None:
    node.store(*(node.ct("1.1", "1.1.1", f"1.1.1.{n}", number=n) for n in (3, 1, 2)))
    responses = move(node, identifier("STUDY", StudyInstanceUID="1.1"))
    assert counts(responses[-1][0]) == (0x0000, None, 3, 0, 0)
    assert [received[0] for received in dest.received] == ["1.1.1.1", "1.1.1.2", "1.1.1.3"]
    for uid, data_set, originator, message_id in dest.received:
        assert data_set == node.data_set_bytes(node.sent[uid])
        assert (originator, message_id) == ("WORKSTATION", 77)


@pytest.mark.parametrize(
    ("model", "query", "expected"),
    [
        (
            PatientRootQueryRetrieveInformationModelMove,
            identifier("PATIENT", PatientID="P1.1"),
            {"1.1.1.1", "1.1.1.2", "1.1.2.1"},
        ),
        (
            PatientStudyOnlyQueryRetrieveInformationModelMove,
            identifier("STUDY", PatientID="P1.2", StudyInstanceUID=["1.1", "1.2"]),
            {"1.2.1.1"},
        ),
        (
            STUDY_ROOT_MOVE,
            identifier("STUDY", StudyInstanceUID=["1.1", "1.2"]),
            {"1.1.1.1", "1.1.1.2", "1.1.2.1", "1.2.1.1"},
        ),
        (
            STUDY_ROOT_MOVE,
            identifier("SERIES", StudyInstanceUID="1.1", SeriesInstanceUID=["1.1.2", "1.2.1"]),
            {"1.1.2.1"},
        ),
        (
            STUDY_ROOT_MOVE,
            identifier(
                "IMAGE",
                StudyInstanceUID="1.1",
                SeriesInstanceUID="1.1.1",
                SOPInstanceUID=["1.1.1.1", "1.1.1.2", "1.1.2.1"],
            ),
            {"1.1.1.1", "1.1.1.2"},
        ),
        (STUDY_ROOT_MOVE, identifier("IMAGE", SOPInstanceUID="1.1.2.1"), {"1.1.2.1"}),
        (STUDY_ROOT_MOVE, identifier("STUDY", StudyInstanceUID="9.9"), set()),
    ],
)
def test_every_model_level_and_list(
    node: Any, dest: Any, model: str, query: Dataset, expected: set[str]
) -> None:
    node.store(
        node.ct("1.1", "1.1.1", "1.1.1.1"),
        node.ct("1.1", "1.1.1", "1.1.1.2"),
        node.ct("1.1", "1.1.2", "1.1.2.1"),
        node.ct("1.2", "1.2.1", "1.2.1.1"),
    )
    final = move(node, query, model=model)[-1][0]
    assert {received[0] for received in dest.received} == expected
    assert counts(final) == (0x0000, None, len(expected), 0, 0)


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (STUDY_ROOT_MOVE, identifier("PATIENT", PatientID="P1.1")),
        (STUDY_ROOT_MOVE, identifier("STUDY", PatientID="P1.1")),
        (STUDY_ROOT_MOVE, identifier("SERIES", StudyInstanceUID="1.1", SeriesInstanceUID="")),
        (STUDY_ROOT_MOVE, identifier("WARD", StudyInstanceUID="1.1")),
        (STUDY_ROOT_MOVE, pydicom.Dataset()),
        (
            PatientStudyOnlyQueryRetrieveInformationModelMove,
            identifier("SERIES", PatientID="P1.1", SeriesInstanceUID="1.1.1"),
        ),
    ],
)
def test_an_identifier_that_does_not_fit_is_refused(
    node: Any, dest: Any, model: str, query: Dataset
) -> None:
    query.PatientName = ""
    status = move(node, query, model=model)[-1][0]
    assert status.Status == 0xA900
    assert "OffendingElement" in status


def test_a_destination_nobody_registered_is_unknown(node: Any) -> None:
    node.study("1.1", 1)
    status = move(node, identifier("STUDY", StudyInstanceUID="1.1"), "NOBODY")[-1][0]
    assert status.Status == 0xA801
    sql = "SELECT count(*) FROM audit_event WHERE outcome = 'REFUSED'"
    assert node.count(sql) == 1


def test_a_destination_that_is_down_fails_every_suboperation(node: Any, free_port: int) -> None:
    node.study("1.1", 3)
    node.register("DEST", 1)
    status, failed = move(node, identifier("STUDY", StudyInstanceUID="1.1"))[-1]
    assert counts(status) == (0xA702, None, 0, 3, 0)
    assert status.ErrorComment.startswith("DEST: ")
    assert failed is not None
    assert list(failed.FailedSOPInstanceUIDList) == ["1.1.1.1", "1.1.1.2", "1.1.1.3"]


def test_a_destination_that_hangs_costs_one_timeout(node: Any) -> None:
    """It accepts the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        node.register("DEST", silent.getsockname()[1])
        node.study("1.1", 4)
        started = time.monotonic()
        status, failed = move(node, identifier("STUDY", StudyInstanceUID="1.1"))[-1]
    assert counts(status) == (0xA702, None, 0, 4, 0)
    assert time.monotonic() - started < 10
    assert failed is not None
    assert len(failed.FailedSOPInstanceUIDList) == 4


def test_a_destination_that_dies_in_the_middle_gets_the_rest_on_a_new_association(
    node: Any, receiver: Any
) -> None:
    """The object under way when it went is the only one that fails."""

    def on_store(event: evt.Event) -> int:
        if event.request.AffectedSOPInstanceUID == "1.1.1.3":
            event.assoc.abort()
        return 0

    server = receiver(on_store=on_store)
    node.register("DEST", server.port)
    node.study("1.1", 6)
    status, failed = move(node, identifier("STUDY", StudyInstanceUID="1.1"))[-1]
    assert counts(status) == (0xB000, None, 5, 1, 0)
    assert failed is not None
    assert failed.FailedSOPInstanceUIDList == "1.1.1.3"


def test_failures_and_warnings_of_the_destination_are_counted(node: Any, receiver: Any) -> None:
    answers = {"1.1.1.1": 0x0000, "1.1.1.2": 0xB000, "1.1.1.3": 0xA700, "1.1.1.4": 0xC123}
    server = receiver(on_store=lambda event: answers[event.request.AffectedSOPInstanceUID])
    node.register("DEST", server.port)
    node.study("1.1", 4)
    status, failed = move(node, identifier("STUDY", StudyInstanceUID="1.1"))[-1]
    assert counts(status) == (0xB000, None, 1, 2, 1)
    assert status.ErrorComment == "the destination answered A700"
    assert failed is not None
    assert list(failed.FailedSOPInstanceUIDList) == ["1.1.1.3", "1.1.1.4"]


def test_a_class_or_syntax_the_destination_does_not_take_fails_alone(
    node: Any, receiver: Any, shared_data: Path
) -> None:
    server = receiver(contexts=[(CT, [EXPLICIT])])
    node.register("DEST", server.port)
    ct = node.ct("1.1", "1.1.1", "1.1.1.1")
    compressed = (shared_data / "cr-dx" / "RG3_JLSL.dcm").read_bytes()
    _, other = node.store(ct, compressed)
    study = next(node.retrieval.instances(sop=other)).study_instance_uid
    status, failed = move(node, identifier("STUDY", StudyInstanceUID=["1.1", study]))[-1]
    assert counts(status) == (0xB000, None, 1, 1, 0)
    assert status.ErrorComment == "stored transfer syntax not accepted"
    assert failed is not None
    assert failed.FailedSOPInstanceUIDList == other


def test_a_corrupt_object_is_not_sent_and_the_others_are(node: Any, dest: Any) -> None:
    node.study("1.1", 3)
    node.damage("1.1.1.2")
    status, failed = move(node, identifier("STUDY", StudyInstanceUID="1.1"))[-1]
    assert counts(status) == (0xB000, None, 2, 1, 0)
    assert failed is not None
    assert failed.FailedSOPInstanceUIDList == "1.1.1.2"
    assert [received[0] for received in dest.received] == ["1.1.1.1", "1.1.1.3"]


def test_a_large_corrupt_object_is_broken_off_and_the_others_are_sent(node: Any, dest: Any) -> None:
    """Its digest is known only at its end: the association is aborted before its last bytes."""
    node.study("1.1", 1)
    node.store(node.ct("1.1", "1.1.1", "1.1.1.2", number=2, size=2200))
    node.store(node.ct("1.1", "1.1.1", "1.1.1.3", number=3))
    node.damage("1.1.1.2")
    status, failed = move(node, identifier("STUDY", StudyInstanceUID="1.1"))[-1]
    assert counts(status) == (0xB000, None, 2, 1, 0)
    assert failed is not None
    assert failed.FailedSOPInstanceUIDList == "1.1.1.2"
    assert [received[0] for received in dest.received] == ["1.1.1.1", "1.1.1.3"]


def test_pending_responses_count_and_come_twice_a_second(node: Any, receiver: Any) -> None:
    server = receiver(on_store=lambda event: time.sleep(0.1) or 0)
    node.register("DEST", server.port)
    node.study("1.1", 12)
    responses = [status for status, _ in move(node, identifier("STUDY", StudyInstanceUID="1.1"))]
    pending, final = responses[:-1], responses[-1]
    assert counts(final) == (0x0000, None, 12, 0, 0)
    assert 2 <= len(pending) <= 6
    for status in pending:
        assert status.Status == 0xFF00
        assert sum(counts(status)[1:]) == 12


def test_cancel_stops_and_tells_what_remains(node: Any, receiver: Any) -> None:
    server = receiver(on_store=lambda event: time.sleep(0.05) or 0)
    node.register("DEST", server.port)
    node.study("1.1", 60)

    def cancel(assoc: Any, status: Dataset) -> None:
        if status.Status == 0xFF00:
            assoc.send_c_cancel(77, query_model=STUDY_ROOT_MOVE)

    final = move(node, identifier("STUDY", StudyInstanceUID="1.1"), each=cancel)[-1][0]
    status, remaining, completed, failed, _ = counts(final)
    assert status == 0xFE00
    assert remaining + completed == 60
    assert remaining > 0
    assert failed == 0
    assert len(server.received) == completed


def test_a_requestor_that_goes_away_stops_the_move(node: Any, receiver: Any) -> None:
    server = receiver(on_store=lambda event: time.sleep(0.05) or 0)
    node.register("DEST", server.port)
    node.study("1.1", 100)

    def leave(assoc: Any, status: Dataset) -> None:
        assoc.abort()

    move(node, identifier("STUDY", StudyInstanceUID="1.1"), each=leave)
    time.sleep(0.5)
    arrived = len(server.received)
    time.sleep(0.5)
    assert len(server.received) == arrived < 100


def test_more_than_128_kinds_take_several_associations(node: Any, receiver: Any) -> None:
    """A presentation context per SOP class and transfer syntax; an association has 128."""
    classes = [context.abstract_syntax for context in AllStoragePresentationContexts[:70]]
    server = receiver(contexts=[(uid, [EXPLICIT, IMPLICIT]) for uid in classes])
    node.register("DEST", server.port)
    image = pydicom.dcmread(BytesIO(node.ct("1.1", "1.1.1", "1.1.1.1", size=2)))
    files = []
    for n, (sop_class, syntax) in enumerate(product(classes, (EXPLICIT, IMPLICIT))):
        image.SOPClassUID, image.SOPInstanceUID = sop_class, f"1.1.1.{n}"
        image.file_meta.TransferSyntaxUID = UID(syntax)
        out = BytesIO()
        pydicom.dcmwrite(out, image, enforce_file_format=True, **ENCODING[syntax])
        files.append(out.getvalue())
    node.store(*files)
    status = move(node, identifier("STUDY", StudyInstanceUID="1.1"))[-1][0]
    assert counts(status) == (0x0000, None, 140, 0, 0)
    assert len({received[0] for received in server.received}) == 140


def test_an_ae_without_the_right_gets_no_context(node: Any) -> None:
    node.register("WORKSTATION", 104, "store")
    entity = AE("WORKSTATION")
    entity.add_requested_context(STUDY_ROOT_MOVE)
    entity.add_requested_context(CT)
    assoc = entity.associate("127.0.0.1", node.port, ae_title=node.ae_title)
    assert {context.abstract_syntax for context in assoc.accepted_contexts} == {CT}
    assoc.release()


def get(
    node: Any,
    query: Dataset,
    *,
    model: str = StudyRootQueryRetrieveInformationModelGet,
    syntaxes: list[str] | None = None,
    on_store: Callable[[evt.Event], int] = lambda event: 0,
    each: Callable[[Any, Dataset], None] = lambda assoc, status: None,
) -> tuple[list[tuple[Dataset, Dataset | None]], dict[str, bytes]]:
    """C-GET by pynetdicom: responses and data sets."""
    received: dict[str, bytes] = {}

    def handle(event: evt.Event) -> int:
        received[event.request.AffectedSOPInstanceUID] = event.request.DataSet.getvalue()
        return on_store(event)

    entity = AE("WORKSTATION")
    entity.add_requested_context(model)
    entity.add_requested_context(CT, syntaxes or [EXPLICIT])
    assoc = entity.associate(
        "127.0.0.1",
        node.port,
        ae_title=node.ae_title,
        ext_neg=[build_role(CT, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, handle)],
    )
    assert assoc.is_established
    responses = []
    for status, found in assoc.send_c_get(query, model, msg_id=77):
        responses.append((status, found))
        each(assoc, status)
    if assoc.is_established:
        assoc.release()
    return responses, received


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (
            StudyRootQueryRetrieveInformationModelGet,
            identifier("STUDY", StudyInstanceUID="1.1"),
        ),
        (PatientRootQueryRetrieveInformationModelGet, identifier("PATIENT", PatientID="P1.1")),
    ],
)
def test_get_sends_the_stored_bytes_on_the_same_association(
    node: Any, model: str, query: Dataset
) -> None:
    node.study("1.1", 5)
    responses, received = get(node, query, model=model)
    assert counts(responses[-1][0]) == (0x0000, None, 5, 0, 0)
    assert received == {uid: node.data_set_bytes(file) for uid, file in node.sent.items()}


def test_get_rewrites_for_a_peer_that_takes_another_syntax(node: Any) -> None:
    node.study("1.1", 2)
    responses, received = get(
        node, identifier("STUDY", StudyInstanceUID="1.1"), syntaxes=["1.2.840.10008.1.2"]
    )
    assert counts(responses[-1][0]) == (0x0000, None, 2, 0, 0)
    assert set(received) == set(node.sent)
    assert all(received[uid] != node.data_set_bytes(file) for uid, file in node.sent.items())


def test_get_counts_what_the_peer_does_not_take(node: Any) -> None:
    node.study("1.1", 2)
    mpeg2 = "1.2.840.10008.1.2.4.100"  # nothing here can be made into that
    responses, received = get(node, identifier("STUDY", StudyInstanceUID="1.1"), syntaxes=[mpeg2])
    assert counts(responses[-1][0]) == (0xA702, None, 0, 2, 0)
    assert responses[-1][1] is not None
    assert list(responses[-1][1].FailedSOPInstanceUIDList) == ["1.1.1.1", "1.1.1.2"]
    assert not received


def test_get_can_be_cancelled(node: Any) -> None:
    node.study("1.1", 60)

    def cancel(assoc: Any, status: Dataset) -> None:
        if status.Status == 0xFF00:
            assoc.send_c_cancel(77, query_model=StudyRootQueryRetrieveInformationModelGet)

    responses, received = get(
        node,
        identifier("STUDY", StudyInstanceUID="1.1"),
        on_store=lambda event: time.sleep(0.05) or 0,
        each=cancel,
    )
    status, remaining, completed, _, _ = counts(responses[-1][0])
    assert status == 0xFE00
    assert remaining + completed == 60
    assert len(received) == completed < 60


def test_every_study_read_is_in_the_trail_before_it_leaves(node: Any, dest: Any) -> None:
    node.study("1.1", 3)
    node.study("1.2", 1)
    move(node, identifier("STUDY", StudyInstanceUID=["1.1", "1.2"]))
    with node.database.connection() as connection:
        rows = connection.execute(
            "SELECT actor_name, study_instance_uid, outcome, detail FROM audit_event "
            "WHERE action = 'retrieve' ORDER BY study_instance_uid NULLS LAST"
        ).fetchall()
    assert [row[:3] for row in rows] == [
        ("WORKSTATION", "1.1", "SUCCESS"),
        ("WORKSTATION", "1.2", "SUCCESS"),
        ("WORKSTATION", None, "SUCCESS"),
    ]
    assert rows[-1][3]["destination"] == "DEST"
    assert rows[-1][3]["completed"] == 4


@pytest.mark.stranger
@pytest.mark.skipif(shutil.which("movescu") is None, reason="NO DCMTK: movescu is not installed")
def test_dcmtk_moves_to_dcmtk(node: Any, run_program: Any, tmp_path: Path, free_ports: Any) -> None:
    port = free_ports()
    (tmp_path / "in").mkdir()
    node.register("STORESCP", port)
    node.register("MOVESCU", port)
    run_program("storescp", "-aet", "STORESCP", "+xa", "+B", "-od", tmp_path / "in", port)
    wait_for_port(port)
    node.study("1.1", 4)
    done = subprocess.run(
        [
            *("movescu", "-S", "-v", "-aet", "MOVESCU", "-aec", node.ae_title),
            *("-aem", "STORESCP", "-k", "0008,0052=STUDY", "-k", "0020,000d=1.1"),
            *("127.0.0.1", str(node.port)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    got = {path.name.split(".", 1)[1]: path.read_bytes() for path in (tmp_path / "in").iterdir()}
    assert {uid: node.data_set_bytes(data) for uid, data in got.items()} == {
        uid: node.data_set_bytes(file) for uid, file in node.sent.items()
    }


@pytest.mark.stranger
@pytest.mark.skipif(shutil.which("getscu") is None, reason="NO DCMTK: getscu is not installed")
def test_dcmtk_gets(node: Any, tmp_path: Path) -> None:
    node.register("GETSCU", 104)
    node.study("1.1", 4)
    done = subprocess.run(
        [
            *("getscu", "-S", "-aet", "GETSCU", "-aec", node.ae_title, "-od", tmp_path, "+B"),
            *("-k", "0008,0052=STUDY", "-k", "0020,000d=1.1", "127.0.0.1", str(node.port)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    got = {
        pydicom.dcmread(path, force=True).SOPInstanceUID: node.data_set_bytes(path.read_bytes())
        for path in tmp_path.iterdir()
        if path.is_file()
    }
    assert got == {uid: node.data_set_bytes(file) for uid, file in node.sent.items()}


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.stranger
@pytest.mark.skipif(shutil.which("storescp") is None, reason="NO DCMTK: storescp is not installed")
def test_a_stopped_dcmtk_fails_the_rest_within_the_timeout(
    node: Any, run_program: Any, tmp_path: Path, free_ports: Any
) -> None:
    """The peer's process is stopped (SIGSTOP) in the middle of a move."""
    port = free_ports()
    node.register("STORESCP", port)
    process = run_program("storescp", "-aet", "STORESCP", "--ignore", "--sleep-after", 1, port)
    wait_for_port(port)
    node.study("1.1", 5)
    stopper = threading.Timer(0.7, lambda: os.kill(process.pid, signal.SIGSTOP))
    stopper.start()
    status, failed = move(node, identifier("STUDY", StudyInstanceUID="1.1"), "STORESCP")[-1]
    os.kill(process.pid, signal.SIGCONT)
    assert status.Status in (0xB000, 0xA702)
    _, _, completed, failures, _ = counts(status)
    assert completed + failures == 5
    assert failures >= 4
    assert failed is not None


def test_without_the_database_the_matches_cannot_be_told(
    node: Any, dest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes away between the association and the request."""

    def unavailable() -> None:
        raise DatabaseUnavailable("the database does not answer")

    entity = AE("WORKSTATION")
    entity.add_requested_context(STUDY_ROOT_MOVE)
    entity.add_requested_context(StudyRootQueryRetrieveInformationModelGet)
    assoc = entity.associate("127.0.0.1", node.port, ae_title=node.ae_title)
    monkeypatch.setattr(node.database, "connection", unavailable)
    query = identifier("STUDY", StudyInstanceUID="1.1")
    get_model = StudyRootQueryRetrieveInformationModelGet
    statuses = [
        *(status.Status for status, _ in assoc.send_c_move(query, "DEST", STUDY_ROOT_MOVE)),
        *(status.Status for status, _ in assoc.send_c_get(query, get_model)),
    ]
    assoc.release()
    monkeypatch.undo()
    assert statuses == [0xA701, 0xA701]


class TakesFourAtOnce:
    """A storage SCP that grants a window of four and answers the last of them first."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self.most_under_way = 0

    def judge(self, request: AssociateRequest, peer: Peer) -> Accept:
        contexts, roles = answer(request, lambda proposed: ContextOffer())
        return Accept(
            contexts=contexts, roles=roles, async_window=AsynchronousOperationsWindow(invoked=4)
        )

    def run(self, association: Association) -> None:
        under_way: list[Message] = []
        while (message := association.next_message()) is not None:
            association.discard_data_set()
            under_way.append(message)
            self.most_under_way = max(self.most_under_way, len(under_way))
            if len(under_way) == 4:
                for one in reversed(under_way):
                    self.received.append(one.command.affected_sop_instance_uid)
                    association.send_message(one.context.id, c_store_rsp(one.command))
                under_way.clear()


def test_a_peer_that_grants_a_window_has_several_under_way(
    node: Any, free_ports: Callable[[], int]
) -> None:
    """Its answers are matched by message, in whatever order they come."""
    peer = TakesFourAtOnce()
    port = free_ports()
    server = AssociationServer([Listener(socket=listen("127.0.0.1", port))], peer, peer.run)
    server.start()
    node.register("DEST", port)
    node.study("1.1", 8)
    final = move(node, identifier("STUDY", StudyInstanceUID="1.1"))[-1][0]
    server.stop(0.1)
    assert counts(final) == (0x0000, None, 8, 0, 0)
    assert peer.most_under_way == 4
    assert sorted(peer.received) == [f"1.1.1.{number}" for number in range(1, 9)]
