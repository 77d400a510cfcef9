"""One patient's morning over real protocols, with strangers at every end.

The admission office and the ward speak HL7 v2 by the package `hl7`, the scanner is DCMTK (``findscu -W``,
``storescu``) and pynetdicom (MPPS), a clerk books over HTTP, another system hears of it all over MLLP, and a board
left open in Chromium moves by itself.
"""

import json
import queue
import shutil
import socketserver
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hl7
import httpx
import pydicom
import pytest
from hl7.client import MLLPClient
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, sop_class

pytestmark = [pytest.mark.slow, pytest.mark.stranger]
PROGRAMS = "/usr/local/bin:/usr/bin:/bin"  # pynetdicom installs namesakes
FINDSCU, STORESCU = (shutil.which(name, path=PROGRAMS) for name in ("findscu", "storescu"))
if FINDSCU is None or STORESCU is None:
    pytest.skip("NO STRANGER: DCMTK is not here", allow_module_level=True)

MPPS = sop_class.ModalityPerformedProcedureStep
CT = "1.2.840.10008.5.1.4.1.1.2"
DEVICE = "MORNING"
PASSWORD = "un long mot de passe"
BROWSER = Path(__file__).parents[1] / "browser"
SHOWN = ["SCHEDULED", "ARRIVED", "READY", "STARTED", "COMPLETED"]


class Neighbour:
    """Another system that is told over MLLP: takes every message and says AA."""

    def __init__(self) -> None:
        self.taken: list[hl7.Message] = []
        neighbour = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                data = b""
                while chunk := self.request.recv(65536):
                    data += chunk
                    while b"\x1c\r" in data:
                        raw, _, data = data.partition(b"\x1c\r")
                        message = hl7.parse(raw.lstrip(b"\x0b").decode())
                        neighbour.taken.append(message)
                        answer = str(message.create_ack("AA")).encode()
                        self.request.sendall(b"\x0b" + answer + b"\x1c\r")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = int(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self) -> list[str]:
        """Types of what came, with the control code of orders."""
        found = []
        for message in self.taken:
            kind = "^".join(str(message.segment("MSH")[9]).split("^")[:2])
            orders = [str(one[1]) for one in message if str(one[0]) == "ORC"]
            found.append(" ".join([kind, *orders[:1]]))
        return found


@dataclass
class Department:
    """The running server as each of the strangers meets it."""

    archive: Any
    neighbour: Neighbour
    chief: httpx.Client
    clerk: httpx.Client
    modality_port: int
    device: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1000)))

    def tell(self, kind: str, *segments: str, version: str = "2.5") -> str:
        """Send a message; gives MSA-1."""
        control = f"M{next(self.numbers)}"
        now = f"{datetime.now(UTC):%Y%m%d%H%M%S}"
        head = f"MSH|^~\\&|GAM|CHU|RIS|CHU|{now}||{kind}|{control}|P|{version}||||||UNICODE UTF-8"
        with MLLPClient("127.0.0.1", self.archive.hl7_port) as client:
            answer = client.send_message("\r".join([head, *segments, ""]))
        text = answer.decode() if isinstance(answer, bytes) else str(answer)
        msa = hl7.parse(text.strip("\x0b\x1c\r") + "\r").segment("MSA")
        assert str(msa[2]) == control
        return str(msa[1])

    def row(self, accession_number: str) -> dict[str, Any]:
        """The board's row of an order."""
        answer = self.clerk.get("/board", params={"text": accession_number})
        assert answer.status_code == 200, answer.text
        return next(
            one for one in answer.json()["rows"] if one["accession_number"] == accession_number
        )


def until(look: Callable[[], Any], within_s: float = 20.0) -> Any:
    """What ``look`` finds, once it finds something."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            found = look()
        except (StopIteration, AssertionError, KeyError, IndexError):
            found = None
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def client_of(archive: Any, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"{archive.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )


def made(answer: httpx.Response) -> Any:
    """The body of an answer that went well."""
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


@pytest.fixture(scope="module")
def department(start_archive: Callable[..., Any], ports: Callable[[], int]) -> Iterator[Department]:
    """In the demonstration: one more scanner, open day and night; a procedure; a neighbour that wants to know."""
    archive = start_archive(options=("--demo",))
    until(lambda: " is ready" in archive.log, within_s=120)
    chief = client_of(archive, archive.create_token("chief", "administrator"))
    clerk = client_of(archive, archive.create_token("clerk", "secretary"))
    neighbour = Neighbour()
    port = ports()
    archive.run("ae", "add", DEVICE, f"127.0.0.1:{port}", "--roles", "store,worklist,mpps")
    room = made(chief.post("/resources", json={"kind": "ROOM", "name": "Scanner du matin"}))
    device = made(
        chief.post(
            "/resources",
            json={"kind": "DEVICE", "name": "CT du matin", "room": room["id"], "modality": "CT",
                  "ae_title": DEVICE, "station_name": DEVICE},
        )
    )  # fmt: skip
    always = [{"weekday": day, "opens": "00:00", "closes": "23:59"} for day in range(1, 8)]
    for one in (room, device):
        answer = chief.put(
            f"/resources/{one['id']}/opening-hours",
            json={"version": one["version"], "hours": always},
        )
        made(answer)
    made(
        chief.post(
            "/catalogue",
            json={"code_value": "SCANTHO", "coding_scheme_designator": "CCAM", "modality": "CT",
                  "label_fr": "Scanner du thorax, matin", "label_en": "Chest CT", "duration_min": 15,
                  "rooms": [room["id"]]},
        )
    )  # fmt: skip
    made(
        chief.post(
            "/hl7/destinations",
            json={"name": "Dossier patient", "host": "127.0.0.1", "port": neighbour.port,
                  "kinds": ["ORDERS", "ORDER STATUS", "APPOINTMENTS", "PATIENTS"]},
        )
    )  # fmt: skip
    yield Department(archive, neighbour, chief, clerk, port, device["id"])
    for one in (chief, clerk):
        one.close()
    neighbour.server.shutdown()
    archive.stop()


class Board:
    """The board in Chromium, in a process of its own."""

    def __init__(self, scripts: Path, archive: Any, chromium: str, **told: object) -> None:
        said = {"url": archive.url, "chromium": chromium, **told}
        self.process = subprocess.Popen(
            ["node", str(scripts / "morning.mjs"), json.dumps(said)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.put(line.strip())

    def shows(self, expected: str, within_s: float = 60.0) -> None:
        """Wait until the page shows a state."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                line = self.lines.get(timeout=max(0.1, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"the board did not show {expected}") from None
            if line == expected:
                return

    def report(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.read())


@pytest.fixture
def watch(
    department: Department, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> Iterator[Callable[..., Board | None]]:
    """Opens the board, where there is a browser."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    opened: list[Board] = []

    def start(**told: object) -> Board | None:
        page = httpx.get(f"{department.archive.url}/board", headers={"Accept": "text/html"})
        if chromium is None or shutil.which("npm") is None or "module" not in page.text:
            return None
        folder = tmp_path_factory.mktemp("morning")
        for path in (*BROWSER.glob("*.json"), *BROWSER.glob("*.mjs")):
            shutil.copy(path, folder)
        command = ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
        if subprocess.run(command, cwd=folder, check=False, timeout=240).returncode:
            return None
        board = Board(folder, department.archive, chromium, screenshots=str(tmp_path), **told)
        opened.append(board)
        board.shows("open")
        return board

    yield start
    for board in opened:
        board.process.kill()
        board.process.wait()


def worklist(department: Department, folder: Path) -> list[Dataset]:
    """What ``findscu -W`` gets for the scanner's own steps."""
    folder.mkdir()
    keys = (
        "0008,0050", "0008,0005", "0010,0010", "0010,0020", "0010,0021", "0010,0030", "0010,0040",
        "0020,000D", "0032,1060", "0040,1001", "0038,0010",
        f"(0040,0100)[0].ScheduledStationAETitle={DEVICE}", "(0040,0100)[0].Modality=CT",
        "(0040,0100)[0].ScheduledProcedureStepStartDate", "(0040,0100)[0].ScheduledProcedureStepID",
        "(0040,0100)[0].ScheduledProcedureStepStartTime",
    )  # fmt: skip
    done = subprocess.run(
        [FINDSCU or "", "-W", "-aet", DEVICE, "-aec", "NEGATOSCOPE", "-X", "-od", str(folder),
         *(part for key in keys for part in ("-k", key)),
         "127.0.0.1", str(department.archive.dicom_port)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [pydicom.dcmread(path) for path in sorted(folder.glob("*.dcm"))]


def performed(item: Dataset, uid: str, series: str) -> tuple[Dataset, Dataset]:
    """What the scanner says at the start and at the end."""
    now = datetime.now().astimezone()
    step = item.ScheduledProcedureStepSequence[0]
    scheduled = Dataset()
    scheduled.StudyInstanceUID, scheduled.AccessionNumber = (
        item.StudyInstanceUID,
        item.AccessionNumber,
    )
    scheduled.RequestedProcedureID = item.RequestedProcedureID
    scheduled.RequestedProcedureDescription = item.RequestedProcedureDescription
    scheduled.ScheduledProcedureStepID = step.ScheduledProcedureStepID
    scheduled.ScheduledProcedureStepDescription = ""
    scheduled.ReferencedStudySequence = scheduled.ScheduledProtocolCodeSequence = []
    begun = Dataset()
    begun.SpecificCharacterSet = item.SpecificCharacterSet
    begun.ScheduledStepAttributesSequence = [scheduled]
    for keyword in (
        "PatientName",
        "PatientID",
        "IssuerOfPatientID",
        "PatientBirthDate",
        "PatientSex",
    ):
        setattr(begun, keyword, item[keyword].value)
    begun.ReferencedPatientSequence = begun.ProcedureCodeSequence = []
    begun.PerformedProtocolCodeSequence = begun.PerformedSeriesSequence = []
    begun.PerformedProcedureStepID, begun.PerformedStationAETitle = "PPS1", DEVICE
    begun.PerformedStationName = begun.PerformedLocation = begun.StudyID = ""
    begun.PerformedProcedureStepStartDate = f"{now:%Y%m%d}"
    begun.PerformedProcedureStepStartTime = f"{now:%H%M%S}"
    begun.PerformedProcedureStepStatus, begun.Modality = "IN PROGRESS", "CT"
    begun.PerformedProcedureStepDescription = begun.PerformedProcedureTypeDescription = ""
    begun.PerformedProcedureStepEndDate = begun.PerformedProcedureStepEndTime = None
    ended = Dataset()
    ended.PerformedProcedureStepStatus = "COMPLETED"
    ended.PerformedProcedureStepEndDate = f"{now:%Y%m%d}"
    ended.PerformedProcedureStepEndTime = f"{now:%H%M%S}"
    made_series = Dataset()
    made_series.SeriesInstanceUID, made_series.ProtocolName = series, "Thorax"
    made_series.PerformingPhysicianName = made_series.OperatorsName = ""
    made_series.SeriesDescription = made_series.RetrieveAETitle = ""
    made_series.ReferencedNonImageCompositeSOPInstanceSequence = []
    made_series.ReferencedImageSequence = []
    for number in (1, 2, 3):
        image = Dataset()
        image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = CT, f"{uid}.{number}"
        made_series.ReferencedImageSequence.append(image)
    ended.PerformedSeriesSequence = [made_series]
    return begun, ended


def images(item: Dataset, folder: Path, uid: str, series: str) -> list[Path]:
    """Three slices with the worklist's identity, as a scanner writes them."""
    folder.mkdir()
    paths = []
    for number in (1, 2, 3):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CT, f"{uid}.{number}"
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = folder / f"{number}.dcm"
        one = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        one.SpecificCharacterSet = item.SpecificCharacterSet
        one.SOPClassUID, one.SOPInstanceUID = CT, f"{uid}.{number}"
        for keyword in (
            *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex"),
            *("StudyInstanceUID", "AccessionNumber"),
        ):
            setattr(one, keyword, item[keyword].value)
        one.SeriesInstanceUID, one.SeriesNumber, one.InstanceNumber = series, 1, number
        one.StudyDate, one.StudyTime = f"{datetime.now().astimezone():%Y%m%d}", "080000"
        one.Modality, one.StudyID, one.ReferringPhysicianName = "CT", "1", ""
        one.Rows = one.Columns = 16
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated = one.BitsStored = 16
        one.HighBit, one.PixelRepresentation = 15, 0
        one.PixelData = bytes(512)
        one.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def test_the_morning_of_one_patient(
    department: Department, watch: Callable[..., Board | None], tmp_path: Path
) -> None:
    """Admission, order, appointment, worklist, MPPS, images, board; then the two files of one person are joined."""
    archive, clerk = department.archive, department.clerk
    pid = (
        "PID|||800442^^^CHU&540000001&M^PI||LÉVÊQUE^Zoé^Zoé Anne^^^^L||19610503|F"
        + "|" * 24
        + "VALI"
    )
    pv1 = "PV1||O|4201^^^CHU" + "|" * 16 + "SEJ77^^^CHU&540000001&M^VN"
    now = f"{datetime.now().astimezone():%Y%m%d%H%M%S}"
    unit = "^^^^^CHU&1&ISO^UF^^^4201"
    zbe = f"ZBE|MV1^GAM|{now}||INSERT|N||{unit}|{unit}|HMS"
    evn = f"EVN||{now}"
    assert department.tell("ADT^A04^ADT_A01", evn, pid, pv1, zbe, version="2.5^FRA^2.11") == "AA"
    assert (
        department.tell(
            "ORM^O01", pid, pv1, "ORC|NW|PL-77^DPI||||||^^^^^R",
            "OBR|1|PL-77^DPI||SCANTHO^Scanner thoracique^CCAM|||||||||||||||||||CT",
            version="2.3.1",
        )
        == "AA"
    )  # fmt: skip
    order = until(lambda: made(clerk.get("/orders", params={"text": "PL-77"}))["orders"][0])
    accession = order["accession_number"]
    (step,) = until(lambda: made(clerk.get("/waiting-steps", params={"request": order["id"]})))
    board = watch(password=PASSWORD, name="LÉVÊQUE", states=SHOWN, until=240, images="3")

    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    found = made(clerk.get("/slots", params={"step": step["step"], "earliest": soon, "days": 2}))
    place = {
        name: found[0]["steps"][0][name]
        for name in ("step", "start_at", "end_at", "room", "device")
    }
    appointment = made(clerk.post("/appointments", json={"steps": [place]}))
    assert appointment["state"] == "BOOKED"
    item = until(
        lambda: next(
            one
            for one in worklist(department, tmp_path / f"w{time.monotonic_ns()}")
            if one.AccessionNumber == accession
        ),
        within_s=2.0 + 3.0,  # two seconds after booking, and what findscu takes
    )
    assert str(item.PatientName) == "LÉVÊQUE^Zoé"
    assert (item.PatientID, item.IssuerOfPatientID) == ("800442", "CHU")
    assert item.ScheduledProcedureStepSequence[0].ScheduledStationAETitle == DEVICE
    if board is not None:
        board.shows("SCHEDULED")

    for action in ({"action": "arrive"}, {"action": "identity", "document": "IDENTITY_CARD"}):
        url = f"/board/steps/{step['step']}/actions"
        made(clerk.post(url, json=action))
        if board is not None:
            board.shows("ARRIVED" if action["action"] == "arrive" else "READY")

    scanner = AE(DEVICE)
    scanner.add_requested_context(MPPS)
    association = scanner.associate("127.0.0.1", archive.dicom_port, ae_title="NEGATOSCOPE")
    assert association.is_established
    uid, series, performed_uid = (f"2.25.{uuid.uuid4().int}" for _ in range(3))
    begun, ended = performed(item, str(uid), str(series))
    status, _ = association.send_n_create(begun, MPPS, performed_uid)
    assert status.Status == 0x0000
    assert until(lambda: department.row(accession)["state"] == "STARTED")
    if board is not None:
        board.shows("STARTED")
    subprocess.run(
        [STORESCU or "", "-aet", DEVICE, "-aec", "NEGATOSCOPE", "127.0.0.1", str(archive.dicom_port),
         *map(str, images(item, tmp_path / "images", str(uid), str(series)))],
        check=True, timeout=60,
    )  # fmt: skip
    status, _ = association.send_n_set(ended, MPPS, performed_uid)
    assert status.Status == 0x0000
    association.release()
    row = until(
        lambda: (
            (found := department.row(accession))["state"] == "COMPLETED"
            and found["instance_count"] == 3
            and found
        )
    )
    assert row["mpps_state"] == "COMPLETED"
    assert not {"IMAGES WITHOUT ORDER", "ORDER WITHOUT IMAGES"} & set(row["flags"])
    if board is not None:
        board.shows("COMPLETED")
        told = board.report()
        assert told["problem"] is None, told
        assert (told["console"], told["violations"], told["dialogs"]) == ([], [], [])
        assert told["seen"]["states"] == SHOWN

    heard = until(
        lambda: (
            (kinds := department.neighbour.told())
            and {"SIU^S12"} <= set(kinds)
            and any(one.endswith(("SC", "XO", "OC")) for one in kinds)
            and kinds
        )
    )
    assert all(one.split("^")[0] in {"SIU", "ORM", "OMI", "OMG", "ADT"} for one in heard)

    survivor = (
        "PID|||800999^^^CHU&540000001&M^PI||LÉVÊQUE^Zoé^Zoé Anne^^^^L||19610503|F"
        + "|" * 24
        + "VALI"
    )
    mrg = "MRG|800442^^^CHU&540000001&M^PI"
    assert department.tell("ADT^A40^ADT_A39", evn, survivor, mrg, version="2.5^FRA^2.11") == "AA"
    client = archive.client()
    study = until(
        lambda: next(
            one
            for one in client.get(
                "studies", params={"StudyInstanceUID": item.StudyInstanceUID}
            ).json()
            if one["00100020"]["Value"] == ["800999"]
        )
    )
    assert study["00080050"]["Value"] == [accession]
