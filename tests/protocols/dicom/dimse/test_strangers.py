"""Other toolkits at the other end: DCMTK's programs and pynetdicom, both roles."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_role, evt
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation

from negatoscope.protocols.dicom.dimse import command as c
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.association import Association, Timeouts
from negatoscope.protocols.dicom.dimse.errors import AssociationAborted, AssociationRejected
from negatoscope.protocols.dicom.dimse.requestor import ProposedContext, connect

pytestmark = pytest.mark.stranger

SHARED_DATA = Path(__file__).resolve().parents[5] / "shared" / "data"
VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
STUDY_FIND, STUDY_MOVE, STUDY_GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
FAST = Timeouts(connect_s=3, artim_s=5, dimse_s=5, idle_s=20, linger_s=1)


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """A few real objects, uncompressed, of several SOP classes."""
    found = []
    for path in sorted(SHARED_DATA.rglob("*.dcm")):
        try:
            meta = pydicom.filereader.read_file_meta_info(path)
        except Exception:  # noqa: BLE001, S112 - some are malformed on purpose
            continue
        if meta.get("TransferSyntaxUID") in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
            found.append(path)
    if not found:
        pytest.skip("SHARED DATA ABSENT: no objects to send")
    return found[:: max(1, len(found) // 6)][:6]


def data_set_of(path: Path) -> bytes:
    """What follows the file meta information."""
    with path.open("rb") as file:
        file.seek(132)
        pydicom.filereader._read_file_meta_info(file)
        return file.read()


class Keeper:
    """An SCP handler that keeps data sets by SOP Instance UID and answers success."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.syntaxes: dict[str, str] = {}
        self.ended: list[str] = []

    def __call__(self, association: Association) -> None:
        try:
            while (message := association.next_message()) is not None:
                command = message.command
                if message.has_data_set:
                    data = b"".join(bytes(chunk) for chunk in association.data_set_chunks())
                    self.kept[command.affected_sop_instance_uid] = data
                    syntax = message.context.transfer_syntax
                    self.syntaxes[command.affected_sop_instance_uid] = syntax
                association.send_message(message.context.id, c.response_to(command, 0))
            self.ended.append("released")
        except AssociationAborted:
            self.ended.append("aborted")
            raise


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(argument) for argument in arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def wait_for(condition: Callable[[], object], timeout_s: float = 5) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.mark.parametrize("max_pdu", ["4096", "131072"])
def test_echoscu(serve, dcmtk: Callable[[str], str], max_pdu: str) -> None:  # type: ignore[no-untyped-def]
    """Several echoes on one association, then its release."""
    keeper = Keeper()
    running = serve(keeper)
    done = run(dcmtk("echoscu"), "-pdu", max_pdu, "--repeat", "3", "127.0.0.1", str(running.port))
    assert done.returncode == 0, done.stderr
    wait_for(lambda: keeper.ended)
    assert keeper.ended == ["released"]


def test_echoscu_abort(serve, dcmtk: Callable[[str], str]) -> None:  # type: ignore[no-untyped-def]
    """Its A-ABORT instead of a release."""
    keeper = Keeper()
    running = serve(keeper)
    run(dcmtk("echoscu"), "--abort", "127.0.0.1", str(running.port))
    wait_for(lambda: keeper.ended)
    assert keeper.ended == ["aborted"]


def test_echoscu_128_contexts_and_refusal(serve, dcmtk: Callable[[str], str]) -> None:  # type: ignore[no-untyped-def]
    """The most contexts there can be; and a refused calling AE."""
    running = serve(Keeper())
    echoscu = dcmtk("echoscu")
    done = run(echoscu, "-ppc", "128", "127.0.0.1", str(running.port))
    assert done.returncode == 0, done.stderr
    done = run(echoscu, "-aet", "REFUSED", "127.0.0.1", str(running.port))
    assert done.returncode != 0
    assert "Rejected Permanent" in done.stderr


def test_storescu(serve, dcmtk: Callable[[str], str], files: list[Path]) -> None:  # type: ignore[no-untyped-def]
    """Real objects arrive and are what they were (DCMTK re-encodes what it sends)."""
    keeper = Keeper()
    running = serve(keeper)
    for path in files:
        done = run(dcmtk("storescu"), "-R", "127.0.0.1", str(running.port), path)
        assert done.returncode == 0, done.stderr
    assert len(keeper.kept) == len(files)
    for path in files:
        meta = pydicom.filereader.read_file_meta_info(path)
        patient = pydicom.dcmread(path, specific_tags=["PatientID", "Rows"])
        received = pydicom.filereader.read_dataset(
            BytesIO(keeper.kept[meta.MediaStorageSOPInstanceUID]),
            is_implicit_VR=keeper.syntaxes[meta.MediaStorageSOPInstanceUID]
            == ImplicitVRLittleEndian,
            is_little_endian=True,
        )
        assert received.get("PatientID") == patient.get("PatientID")
        assert received.get("Rows") == patient.get("Rows")


@pytest.fixture
def storescp(dcmtk: Callable[[str], str], tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """DCMTK's storescp on a free port, writing what it gets as it gets it."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    folder = tmp_path / "received"
    folder.mkdir()
    process = subprocess.Popen(
        [dcmtk("storescp"), "+xa", "+B", "-od", str(folder), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port, folder
    finally:
        process.terminate()
        process.wait(10)


def test_storescp_keeps_what_we_send(storescp: tuple[int, Path], files: list[Path]) -> None:
    """Our C-STORE to DCMTK: echo, objects bit for bit, release."""
    port, folder = storescp
    metas = {path: pydicom.filereader.read_file_meta_info(path) for path in files}
    contexts = [ProposedContext(abstract_syntax=VERIFICATION, transfer_syntaxes=(
        ImplicitVRLittleEndian,))]  # fmt: skip
    contexts += [
        ProposedContext(abstract_syntax=sop_class, transfer_syntaxes=(syntax,))
        for sop_class, syntax in sorted(
            {(meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID) for meta in metas.values()}
        )
    ]
    with connect(
        "127.0.0.1",
        port,
        calling_ae_title="NEGATOSCOPE",
        called_ae_title="STORESCP",
        contexts=contexts,
        timeouts=FAST,
    ) as association:
        assert scu.echo(association) == 0
        for path, meta in metas.items():
            (context,) = [
                context
                for context in association.find_context(meta.MediaStorageSOPClassUID)
                if context.transfer_syntax == meta.TransferSyntaxUID
            ]
            answer = scu.store(
                association,
                context,
                sop_class_uid=meta.MediaStorageSOPClassUID,
                sop_instance_uid=meta.MediaStorageSOPInstanceUID,
                data_set=data_set_of(path),
            )
            assert answer.status == 0
    received = sorted(data_set_of(path) for path in folder.iterdir())
    assert received == sorted(data_set_of(path) for path in files)


def test_pynetdicom_as_requestor(serve, files: list[Path]) -> None:  # type: ignore[no-untyped-def]
    """Echo, store, roles, extended negotiation, release, abort."""
    keeper = Keeper()
    running = serve(keeper)
    datasets = [pydicom.dcmread(path) for path in files]
    ae = AE("PYNETDICOM")
    ae.add_requested_context(VERIFICATION)
    for sop_class in {dataset.SOPClassUID for dataset in datasets}:
        ae.add_requested_context(sop_class, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
    extended = SOPClassExtendedNegotiation()
    extended.sop_class_uid = CT
    extended.service_class_application_information = b"\x02\x00"
    association = ae.associate(
        "127.0.0.1",
        running.port,
        ext_neg=[build_role(CT, scu_role=True, scp_role=True), extended],
    )
    assert association.is_established
    answers = [item for item in association.acceptor.user_information
               if isinstance(item, SOPClassExtendedNegotiation)]  # fmt: skip
    assert [item.service_class_application_information for item in answers] == [b"\x02"]
    assert association.send_c_echo().Status == 0
    for dataset in datasets:
        syntax = dataset.file_meta.TransferSyntaxUID
        expected = BytesIO()
        fp = pydicom.filebase.DicomFileLike(expected)
        fp.is_little_endian, fp.is_implicit_VR = True, syntax == ImplicitVRLittleEndian
        status = association.send_c_store(dataset)
        if status and status.Status == 0 and syntax == ExplicitVRLittleEndian:
            write_dataset(fp, dataset)
            assert keeper.kept[dataset.SOPInstanceUID] == expected.getvalue()
    association.release()
    wait_for(lambda: keeper.ended)
    association = ae.associate("127.0.0.1", running.port)
    association.abort()
    wait_for(lambda: len(keeper.ended) == 2)
    assert keeper.ended == ["released", "aborted"]


def test_pynetdicom_cancels_a_find(serve) -> None:  # type: ignore[no-untyped-def]
    """Its C-CANCEL-RQ is seen between two answers."""
    counts: list[int] = []

    def handler(association: Association) -> None:
        while (message := association.next_message()) is not None:
            association.read_data_set(10_000)
            request = message.command
            count = 0
            while not association.cancelled(request.message_id) and count < 500:
                identifier = b"\x10\x00\x20\x00\x02\x00\x00\x00A "
                response = c.c_find_rsp(request, 0xFF00)
                association.send_message(message.context.id, response, identifier)
                count += 1
                time.sleep(0.005)
            counts.append(count)
            association.send_message(message.context.id, c.c_find_rsp(request, 0xFE00))

    running = serve(handler)
    ae = AE()
    ae.add_requested_context(STUDY_FIND, ImplicitVRLittleEndian)
    association = ae.associate("127.0.0.1", running.port)
    query = pydicom.Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.PatientID = ""
    statuses = []
    for status, _ in association.send_c_find(query, STUDY_FIND, msg_id=7):
        statuses.append(status.Status)
        if len(statuses) == 3:
            association.send_c_cancel(7, query_model=STUDY_FIND)
    assert statuses[-1] == 0xFE00
    assert counts[0] < 500
    association.release()


@pytest.fixture
def pynetdicom_scp() -> Iterator[tuple[int, dict[str, bytes]]]:
    """pynetdicom as acceptor: echo, store, find, move, get, N-ACTION, N-EVENT-REPORT."""
    kept: dict[str, bytes] = {}
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, "1.2.3.4"
    dataset.PatientID = "P1"
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian

    def on_store(event: evt.Event) -> int:
        kept[event.request.AffectedSOPInstanceUID] = event.request.DataSet.getvalue()
        return 0

    def on_find(event: evt.Event) -> Iterator[tuple[int, pydicom.Dataset | None]]:
        for number in range(3):
            if event.is_cancelled:
                yield 0xFE00, None
                return
            answer = pydicom.Dataset()
            answer.PatientID = f"P{number}"
            yield 0xFF00, answer

    def on_get(event: evt.Event) -> Iterator[object]:
        yield 1
        yield 0xFF00, dataset

    ae = AE("PYNETDICOM")
    for uid in (VERIFICATION, CT, STUDY_FIND, STUDY_GET):
        ae.add_supported_context(uid, ImplicitVRLittleEndian, scu_role=True, scp_role=True)
    ae.add_supported_context("1.2.840.10008.1.20.1")
    server = ae.start_server(
        ("127.0.0.1", 0),
        block=False,
        evt_handlers=[
            (evt.EVT_C_STORE, on_store),
            (evt.EVT_C_FIND, on_find),
            (evt.EVT_C_GET, on_get),
            (evt.EVT_N_ACTION, lambda event: (0, None)),
        ],
    )
    try:
        yield server.socket.getsockname()[1], kept
    finally:
        server.shutdown()


def test_pynetdicom_as_acceptor(pynetdicom_scp: tuple[int, dict[str, bytes]]) -> None:
    """Every requestor's function of ours against it."""
    port, kept = pynetdicom_scp
    contexts = [
        ProposedContext(abstract_syntax=uid, transfer_syntaxes=(ImplicitVRLittleEndian,))
        for uid in (VERIFICATION, STUDY_FIND, STUDY_GET, "1.2.840.10008.1.20.1")
    ]
    contexts.append(
        ProposedContext(
            abstract_syntax=CT, transfer_syntaxes=(ImplicitVRLittleEndian,), scp_role=True
        )
    )
    with connect(
        "127.0.0.1",
        port,
        calling_ae_title="NEGATOSCOPE",
        called_ae_title="PYNETDICOM",
        contexts=contexts,
        timeouts=FAST,
    ) as association:
        assert scu.echo(association) == 0
        data = b"\x10\x00\x20\x00\x04\x00\x00\x00ABCD" + b"\xe0\x7f\x10\x00" + (
            300_000
        ).to_bytes(4, "little") + bytes(300_000)  # fmt: skip
        answer = scu.store(
            association,
            scu.scu_context(association, CT),
            sop_class_uid=CT,
            sop_instance_uid="1.2.3",
            data_set=[data[:7], data[7:]],
        )
        assert answer.status == 0
        assert kept["1.2.3"] == data

        query = b"\x08\x00\x52\x00\x06\x00\x00\x00STUDY " + b"\x10\x00\x20\x00\x00\x00\x00\x00"
        find = scu.scu_context(association, STUDY_FIND)
        answers = list(scu.find(association, find, query))
        assert [answer.status for answer in answers] == [0xFF00] * 3 + [0]
        assert b"P2" in (answers[2].data_set or b"")

        got: list[bytes] = []

        def on_store(association: Association, message: object) -> int:
            got.append(association.read_data_set(10_000))
            return 0

        get = scu.scu_context(association, STUDY_GET)
        final = list(scu.get(association, get, query, on_store))[-1]
        assert final.status == 0
        assert final.command.completed_suboperations == 1
        assert b"1.2.3.4" in got[0]

        commitment = scu.scu_context(association, "1.2.840.10008.1.20.1")
        answer = scu.n_action(
            association,
            commitment,
            sop_class_uid="1.2.840.10008.1.20.1",
            sop_instance_uid="1.2.840.10008.1.20.1.1",
            action_type_id=1,
            data_set=b"\x08\x00\x95\x11\x04\x00\x00\x001.2\0",
        )
        assert answer.status == 0


def test_pynetdicom_rejects_us() -> None:
    """Its refusal of a called AE title is understood."""
    ae = AE("PYNETDICOM")
    ae.require_called_aet = True
    ae.add_supported_context(VERIFICATION)
    server = ae.start_server(("127.0.0.1", 0), block=False)
    try:
        with pytest.raises(AssociationRejected) as caught:
            connect(
                "127.0.0.1",
                server.socket.getsockname()[1],
                calling_ae_title="NEGATOSCOPE",
                called_ae_title="WRONG",
                contexts=[
                    ProposedContext(
                        abstract_syntax=VERIFICATION, transfer_syntaxes=(ImplicitVRLittleEndian,)
                    )
                ],
                timeouts=FAST,
            )
        assert (caught.value.result, caught.value.source, caught.value.reason) == (1, 1, 7)
    finally:
        server.shutdown()


def test_ten_pynetdicom_requestors_at_once(serve) -> None:  # type: ignore[no-untyped-def]
    """Each has its own association."""
    keeper = Keeper()
    running = serve(keeper)
    statuses: list[int] = []

    def client(number: int) -> None:
        ae = AE(f"CLIENT{number}")
        ae.add_requested_context(VERIFICATION)
        association = ae.associate("127.0.0.1", running.port)
        statuses.append(association.send_c_echo().Status)
        association.release()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert statuses == [0] * 10
