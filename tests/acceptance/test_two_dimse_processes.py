"""Two processes on the DIMSE port and one index: what comes to either is one archive."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

pytestmark = pytest.mark.timeout(180)
SENDERS = 12
IMAGES = 20


@pytest.fixture(scope="module")
def archive(start_archive: Callable[..., Any]) -> Iterator[Any]:
    """A server with two DIMSE processes."""
    before = os.environ.get("NEGATOSCOPE_DIMSE_PROCESSES")
    os.environ["NEGATOSCOPE_DIMSE_PROCESSES"] = "2"
    try:
        running = start_archive()
    finally:
        if before is None:
            del os.environ["NEGATOSCOPE_DIMSE_PROCESSES"]
        else:
            os.environ["NEGATOSCOPE_DIMSE_PROCESSES"] = before
    yield running
    running.stop()


def dimse_processes(archive: Any) -> list[psutil.Process]:
    """Those that serve the DIMSE port."""
    children = psutil.Process(archive.process.pid).children(recursive=True)
    return [child for child in children if child.cmdline()[-2:] == ["--role", "dicom"]]


def write_series(folder: Path, *, study: str, images: int) -> list[str]:
    """Small CT images of one new series. Returns: their SOP Instance UIDs."""
    folder.mkdir()
    series = generate_uid()
    uids = []
    for number in range(images):
        image = Dataset()
        image.SOPClassUID = CTImageStorage
        image.SOPInstanceUID = generate_uid()
        image.PatientID, image.PatientName = "DEUX-1", "DEUX^Processus"
        image.PatientBirthDate = "19700101"
        image.StudyInstanceUID, image.SeriesInstanceUID = study, series
        image.Modality, image.InstanceNumber = "CT", number + 1
        image.Rows = image.Columns = 64
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.BitsAllocated = image.BitsStored = 16
        image.HighBit, image.PixelRepresentation = 15, 0
        image.PixelData = bytes(64 * 64 * 2)
        image.file_meta = pydicom.dataset.FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.save_as(folder / f"{number:03}.dcm", enforce_file_format=True)
        uids.append(str(image.SOPInstanceUID))
    return uids


def send(archive: Any, storescu: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """DCMTK sends a folder."""
    return subprocess.run(
        [storescu, "-aet", "STRANGER", "-aec", archive.ae_title, "+sd", "127.0.0.1",
         str(archive.dicom_port), str(folder)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def counted(archive: Any, study: str) -> tuple[int, set[str]]:
    """What the study says it holds, and what it holds."""
    found = archive.client().get("studies", params={"StudyInstanceUID": study}).json()
    instances = archive.client().get(f"studies/{study}/instances", params={"limit": 5000}).json()
    return (
        found[0]["00201208"]["Value"][0],
        {one["00080018"]["Value"][0] for one in instances},
    )


def test_one_study_over_both_processes(
    archive: Any, program: Callable[[str], str], tmp_path: Path
) -> None:
    """Twelve senders at once, each series sent by two of them: every object is there, and counted, once."""
    assert len(dimse_processes(archive)) == 2
    storescu, study = program("storescu"), generate_uid()
    expected: set[str] = set()
    folders = []
    for number in range(SENDERS // 2):
        folder = tmp_path / f"series-{number}"
        expected.update(write_series(folder, study=study, images=IMAGES))
        folders += [folder, folder]
    results: list[subprocess.CompletedProcess[str]] = []
    threads = [
        threading.Thread(target=lambda f=folder: results.append(send(archive, storescu, f)))
        for folder in folders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.returncode for result in results] == [0] * SENDERS, results
    count, uids = counted(archive, study)
    assert uids == expected
    assert count == len(expected)
    holders = {
        process.pid
        for process in dimse_processes(archive)
        for opened in process.open_files()
        if opened.path.endswith(".tar")
    }
    assert len(holders) == 2, "all associations went to one process"


def test_the_other_goes_on(archive: Any, program: Callable[[str], str], tmp_path: Path) -> None:
    """One is killed: what it had acknowledged is there, the next sender is served, and soon there are two again."""
    storescu, study = program("storescu"), generate_uid()
    expected: set[str] = set()
    for number in range(4):
        folder = tmp_path / f"before-{number}"
        expected.update(write_series(folder, study=study, images=3))
        assert send(archive, storescu, folder).returncode == 0
    victim = dimse_processes(archive)[0]
    victim.send_signal(signal.SIGKILL)
    for number in range(4):
        folder = tmp_path / f"after-{number}"
        uids = write_series(folder, study=study, images=3)
        deadline = time.monotonic() + 20
        # the kernel may have queued this very connection for the process that died
        while send(archive, storescu, folder).returncode and time.monotonic() < deadline:
            time.sleep(0.2)
        expected.update(uids)
    count, found = counted(archive, study)
    assert found == expected
    assert count == len(expected)
    deadline = time.monotonic() + 30
    while len(dimse_processes(archive)) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    now = dimse_processes(archive)
    assert len(now) == 2
    assert victim.pid not in {process.pid for process in now}
