"""The administration's pages in a real browser, on a really running archive with real devices around."""

import json
import os
import subprocess
import sys
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
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage, Verification

from negatoscope.entrypoints.web.site.build import DIST

pytestmark = [pytest.mark.slow, pytest.mark.stranger]
PASSWORD = "quatre mots sans espace"


@pytest.fixture(scope="module")
def department(
    scripts: Path, tmp_path_factory: pytest.TempPathFactory, free_ports: Callable[[], int]
) -> Iterator[SimpleNamespace]:
    """`serve` with an administrator."""
    if not (DIST / "index.html").exists():
        pytest.skip("NO WEB APPLICATION: it is not built here; `make web` does it")
    data_dir = tmp_path_factory.mktemp("administration")
    http, dicom = free_ports(), free_ports()
    environment = os.environ | {
        "NEGATOSCOPE_DATA_DIR": str(data_dir),
        "NEGATOSCOPE_HTTP": f"127.0.0.1:{http}",
        "NEGATOSCOPE_DICOM": f"127.0.0.1:{dicom}",
        "NEGATOSCOPE_HL7": f"127.0.0.1:{free_ports()}",
        "NEGATOSCOPE_DIMSE_PROCESSES": "1",
        "NEGATOSCOPE_ALLOW_UNSAFE_DATABASE": "1",
    }
    with (data_dir / "out").open("wb") as out, (data_dir / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "negatoscope", "serve"], env=environment, stdout=out, stderr=log
        )

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "negatoscope", *arguments],
            env=environment,
            input=PASSWORD,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    try:
        for _ in range(1200):
            if "is ready" in (data_dir / "out").read_text():
                break
            assert process.poll() is None, (data_dir / "log").read_text()
            time.sleep(0.1)
        run("user", "add", "ada", "--role", "administrator", "--password-stdin")
        token = run("token", "create", "--user", "ada").split()[-1]
        yield SimpleNamespace(
            url=f"http://127.0.0.1:{http}",
            dicom=dicom,
            headers={"Authorization": f"Bearer {token}"},
        )
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def modality(free_port: int) -> Iterator[int]:
    """A device that answers C-ECHO when it is called by its name."""
    entity = AE(ae_title="MODALITY")
    entity.require_called_aet = True
    entity.add_supported_context(Verification)
    server = entity.start_server(("127.0.0.1", free_port), block=False)
    yield free_port
    server.shutdown()


def part10(**more: object) -> bytes:
    """A small CT image."""
    one = Dataset()
    one.SOPClassUID = CTImageStorage
    one.SOPInstanceUID = "1.2.826.0.1.3680043.10.7.1.1.1"
    one.StudyInstanceUID, one.SeriesInstanceUID = (
        "1.2.826.0.1.3680043.10.7.1",
        "1.2.826.0.1.3680043.10.7.1.1",
    )
    one.PatientName, one.PatientID, one.Modality = "DOE^JANE", "P7", "CT"
    one.Rows = one.Columns = 4
    one.BitsAllocated = one.BitsStored = 8
    one.HighBit, one.PixelRepresentation, one.SamplesPerPixel = 7, 0, 1
    one.PhotometricInterpretation, one.PixelData = "MONOCHROME2", bytes(16)
    for keyword, value in more.items():
        setattr(one, keyword, value)
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    file = BytesIO()
    pydicom.dcmwrite(file, one, enforce_file_format=True)
    return file.getvalue()


def test_an_administrators_evening(
    department: SimpleNamespace,
    modality: int,
    free_ports: Callable[[], int],
    drive: Callable[..., Any],
) -> None:
    """Add a device and test it, register who was refused, decide a conflict, change a setting.

    No page breaks the content security policy, is wider than a tablet, or has a serious finding of
    axe; the setting is in force in the DICOM process seconds later.
    """
    for comments in ({}, {"ImageComments": "changed"}):
        body = (
            b"--b\r\nContent-Type: application/dicom\r\n\r\n"
            + part10(**comments)
            + b"\r\n--b--\r\n"
        )
        header = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
        httpx.post(
            f"{department.url}/dicom-web/studies", content=body, headers=department.headers | header
        )
    stranger = AE(ae_title="UNKNOWN7")
    stranger.add_requested_context(CTImageStorage)
    assert stranger.associate("127.0.0.1", department.dicom, ae_title="NEGATOSCOPE").is_rejected

    report = drive(
        "admin.mjs",
        url=department.url,
        user="ada",
        password=PASSWORD,
        echoPort=modality,
        deadPort=free_ports(),
        screenshots=os.environ.get("NEGATOSCOPE_SCREENSHOTS", ""),
    )
    assert report["problem"] is None, report
    assert report["console"] == []
    assert report["violations"] == []
    assert report["serious"] == [], json.dumps(report["serious"], indent=1)
    assert report["seen"]["registered"] == "UNKNOWN7"
    assert "changed" in report["seen"]["comparison"]

    caller = AE(ae_title="ANYBODY")
    caller.add_requested_context(Verification)
    first = caller.associate("127.0.0.1", department.dicom, ae_title="NEGATOSCOPE")
    assert first.is_established
    second = caller.associate("127.0.0.1", department.dicom, ae_title="NEGATOSCOPE")
    assert second.is_rejected  # one association of a peer, since the page said so
    first.release()
