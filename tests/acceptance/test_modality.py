"""One examination seen from its device: worklist (DCMTK), MPPS (pynetdicom), images (DCMTK), bound by themselves."""

import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, sop_class

MPPS = sop_class.ModalityPerformedProcedureStep
SC = "1.2.840.10008.5.1.4.1.1.7"
QUESTION = """
(0008,0005) CS [ISO_IR 100]
(0008,0050) SH []
(0010,0010) PN []
(0010,0020) LO []
(0010,0021) LO []
(0010,0030) DA []
(0010,0040) CS []
(0020,000d) UI []
(0040,1001) SH []
(0040,0100) SQ
(fffe,e000) na
(0008,0060) CS [CT]
(0040,0001) AE [CT1]
(0040,0002) DA [{today}]
(0040,0003) TM []
(0040,0009) SH []
(fffe,e00d) na
(fffe,e0dd) na
"""


def within(seconds: float, look: Callable[[], Any]) -> Any:
    """What is looked for, as soon as it is there."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.1)
    return found


def worklist(archive: Any, program: Callable[[str], str], folder: Path) -> list[Dataset]:
    """What DCMTK's findscu is answered."""
    folder.mkdir()
    today = f"{datetime.now(ZoneInfo('Europe/Paris')):%Y%m%d}"
    (folder / "q.dump").write_text(QUESTION.format(today=today))
    asked = folder / "q.wl"
    subprocess.run([program("dump2dcm"), folder / "q.dump", asked], check=True, capture_output=True)
    subprocess.run(
        [program("findscu"), "-W", "-X", "-od", folder, "-aet", "CT1", "-aec", archive.ae_title,
         archive.host, str(archive.dicom_port), asked],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return [pydicom.dcmread(one, force=True) for one in sorted(folder.glob("rsp*.dcm"))]


def mpps(entry: Dataset, **more: Any) -> Dataset:
    """N-CREATE for a worklist entry."""
    now = datetime.now(ZoneInfo("Europe/Paris"))
    item = Dataset()
    item.StudyInstanceUID, item.AccessionNumber = entry.StudyInstanceUID, entry.AccessionNumber
    item.RequestedProcedureID = entry.RequestedProcedureID
    step = entry.ScheduledProcedureStepSequence[0]
    item.ScheduledProcedureStepID = step.ScheduledProcedureStepID
    item.RequestedProcedureDescription = item.ScheduledProcedureStepDescription = ""
    item.ReferencedStudySequence = item.ScheduledProtocolCodeSequence = []
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 100"
    one.ScheduledStepAttributesSequence = [item]
    for keyword in (
        "PatientName",
        "PatientID",
        "IssuerOfPatientID",
        "PatientBirthDate",
        "PatientSex",
    ):
        setattr(one, keyword, entry.get(keyword, ""))
    one.ReferencedPatientSequence = []
    one.PerformedProcedureStepID, one.PerformedStationAETitle = "P1", "CT1"
    one.PerformedStationName = one.PerformedLocation = one.StudyID = ""
    one.PerformedProcedureStepStartDate = f"{now:%Y%m%d}"
    one.PerformedProcedureStepStartTime = f"{now:%H%M%S}"
    one.PerformedProcedureStepStatus, one.Modality = "IN PROGRESS", "CT"
    one.PerformedProcedureStepDescription = one.PerformedProcedureTypeDescription = ""
    one.PerformedProcedureStepEndDate = one.PerformedProcedureStepEndTime = ""
    one.ProcedureCodeSequence = one.PerformedProtocolCodeSequence = []
    one.PerformedSeriesSequence = []
    return one


def images(entry: Dataset, folder: Path, count: int) -> list[Path]:
    """Objects as the device makes them from the entry."""
    folder.mkdir()
    series, found = generate_uid(), []
    for number in range(count):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = SC, generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        one = FileDataset(str(folder / f"{number}.dcm"), {}, file_meta=meta, preamble=b"\0" * 128)
        one.SOPClassUID, one.SOPInstanceUID = SC, meta.MediaStorageSOPInstanceUID
        one.SpecificCharacterSet = "ISO_IR 100"
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID"):
            setattr(one, keyword, entry.get(keyword, ""))
        one.PatientSex, one.AccessionNumber = entry.get("PatientSex", ""), entry.AccessionNumber
        one.SeriesInstanceUID, one.Modality, one.ConversionType = series, "CT", "WSD"
        one.StudyDate = one.StudyTime = one.StudyID = one.ReferringPhysicianName = ""
        one.SeriesNumber, one.InstanceNumber = 1, number + 1
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.Rows = one.Columns = 8
        one.BitsAllocated = one.BitsStored = 8
        one.HighBit, one.PixelRepresentation, one.PixelData = 7, 0, bytes(64)
        one.save_as(folder / f"{number}.dcm", enforce_file_format=True)
        found.append(folder / f"{number}.dcm")
    return found


@pytest.mark.stranger
def test_one_examination(
    start_archive: Callable[..., Any],
    ports: Callable[[], int],
    program: Callable[[str], str],
    tmp_path: Path,
) -> None:
    archive = start_archive(tmp_path / "data")
    archive.add_ae("CT1", ports(), "worklist,mpps,store")
    token = archive.create_token("anne", "administrator")
    api = httpx.Client(
        base_url=f"{archive.url}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )

    def post(path: str, **body: Any) -> Any:
        answer = api.post(path, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    room = post("resources", kind="ROOM", name="Scanner")["id"]
    device = post(
        "resources", kind="DEVICE", name="CT 1", room=room, modality="CT", ae_title="CT1"
    )["id"]
    procedure = post("catalogue", code_value="ZBQK001", label_fr="Scanner", modality="CT")["id"]
    names = {"family": "DUPONT", "given": "ZOÉ"}
    patient = post("registered-patients", birth_name=names, birth_date="19610503", sex="F")["id"]

    made = post("board/urgent", patient=patient, procedure=procedure, device=device)
    (entry,) = worklist(archive, program, tmp_path / "first")  # the first question finds it
    assert entry.PatientName == "DUPONT^ZOÉ"
    assert entry.IssuerOfPatientID

    def state() -> str:
        rows = api.get("board").json()["rows"]
        return str(next(one["state"] for one in rows if one["step"] == made["steps"][0]))

    entity = AE("CT1")
    entity.add_requested_context(MPPS)
    association = entity.associate(archive.host, archive.dicom_port, ae_title=archive.ae_title)
    uid = generate_uid()
    assert association.send_n_create(mpps(entry), MPPS, uid)[0].Status == 0
    assert state() == "STARTED"

    files = images(entry, tmp_path / "images", 3)
    subprocess.run(
        [program("storescu"), "-aet", "CT1", "-aec", archive.ae_title, archive.host,
         str(archive.dicom_port), *files],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip

    last = Dataset()
    now = datetime.now(ZoneInfo("Europe/Paris"))
    last.PerformedProcedureStepStatus = "COMPLETED"
    last.PerformedProcedureStepEndDate, last.PerformedProcedureStepEndTime = (
        f"{now:%Y%m%d}",
        f"{now:%H%M%S}",
    )
    series = Dataset()
    series.SeriesInstanceUID = pydicom.dcmread(files[0]).SeriesInstanceUID
    series.ProtocolName = "Thorax"
    last.PerformedSeriesSequence = [series]
    assert association.send_n_set(last, MPPS, uid)[0].Status == 0
    association.release()
    assert state() == "COMPLETED"
    assert worklist(archive, program, tmp_path / "after") == []

    def bound() -> list[dict[str, Any]]:
        history = api.get(f"orders/{made['request']}").json()["events"]
        return [one for one in history if one["kind"] in ("STUDY BOUND", "IMAGES ARRIVED")]

    lines = within(10, lambda: len(bound()) >= 2 and bound())
    kinds = {one["kind"]: one["detail"] for one in lines}
    assert kinds["STUDY BOUND"]["reason"] == "study-instance-uid"
    within(
        10,
        lambda: (
            {one["kind"]: one["detail"] for one in bound()}["IMAGES ARRIVED"]["instance_count"] == 3
        ),
    )
    api.close()
