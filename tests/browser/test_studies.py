"""The list of studies, patients, headers, upload and download in a real browser.

Search, keyboard, columns, arrivals while one reads, files with a bad one among them, a connection
that breaks while they are sent; axe finds nothing serious, no text of an object runs.
"""

import base64
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

from negatoscope.entrypoints.web.site.build import DIST

pytestmark = [pytest.mark.slow, pytest.mark.stranger]
PASSWORD = "quatre mots sans espace"
SCRIPT = "<SCRIPT>ALERT(1)</SCRIPT>"


def image(number: int, study: str, name: str, **more: object) -> str:
    """A small CT image as a Part 10 file, in Base64."""
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 192"
    one.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    one.SOPInstanceUID, one.StudyInstanceUID = f"{study}.1.{number}", study
    one.SeriesInstanceUID = f"{study}.1"
    one.StudyDate, one.StudyTime, one.AccessionNumber = "20261103", "101500", "A1"
    one.Modality, one.SeriesNumber, one.InstanceNumber = "CT", 1, number
    one.StudyDescription, one.SeriesDescription = "Scanner thoracique", "Thorax 1.0"
    one.PatientName, one.PatientID, one.PatientSex = name, "P1", "F"
    one.PatientBirthDate = "19610503"
    one.Rows = one.Columns = 64
    one.SamplesPerPixel, one.BitsAllocated, one.BitsStored, one.HighBit = 1, 16, 12, 11
    one.PixelRepresentation, one.PhotometricInterpretation = 0, "MONOCHROME2"
    one.PixelData = bytes(range(256)) * 32
    for keyword, value in more.items():
        setattr(one, keyword, value)
    one.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0x02, "SL", 912)
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    file = BytesIO()
    pydicom.dcmwrite(file, one, enforce_file_format=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


FIRST = [
    image(1, "1.2.1", "DUPONT^Éloïse"),
    image(1, "1.2.2", "DUPONT^Éloïse", StudyDate="20190607", StudyDescription="Bassin"),
    image(1, "1.2.3", "LE GALL^Zoé", IssuerOfPatientID="OTHER", AccessionNumber="B12",
          StudyDate="20261104", StudyDescription="Genou"),
    image(1, "1.2.4", f"{SCRIPT}^x", PatientID="P4", Modality="MR", StudyDate="20200203",
          StudyDescription="<img src=x onerror=alert(2)>"),
]  # fmt: skip
LATER = {
    "arriving": image(1, "1.2.5", "MARTIN^Anne", PatientID="P5", StudyDate="20261110"),
    "second": image(1, "1.2.6", "ZWEIG^Ada", PatientID="P6", StudyDate="20261111"),
    "more": image(2, "1.2.6", "ZWEIG^Ada", PatientID="P6", StudyDate="20261111"),
    "uploaded": [image(n, "1.2.7", "UPLOAD^Una", PatientID="P7") for n in range(1, 6)],
    "late": image(9, "1.2.7", "UPLOAD^Una", PatientID="P7"),
}


@pytest.fixture(scope="module")
def clinic(
    scripts: Path, tmp_path_factory: pytest.TempPathFactory, free_ports: Callable[[], int]
) -> Iterator[SimpleNamespace]:
    """`serve` with an account and four studies."""
    if not (DIST / "index.html").exists():
        pytest.skip("NO WEB APPLICATION: it is not built here; `make web` does it")
    data_dir = tmp_path_factory.mktemp("clinic")
    url = f"http://127.0.0.1:{free_ports()}"
    environment = os.environ | {
        "NEGATOSCOPE_DATA_DIR": str(data_dir),
        "NEGATOSCOPE_HTTP": url.removeprefix("http://"),
        "NEGATOSCOPE_DICOM": f"127.0.0.1:{free_ports()}",
        "NEGATOSCOPE_HL7": f"127.0.0.1:{free_ports()}",
    }
    command = [sys.executable, "-m", "negatoscope"]
    with (data_dir / "log").open("wb") as log:
        process = subprocess.Popen([*command, "serve"], env=environment, stdout=log, stderr=log)
    try:
        for _ in range(900):
            try:
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            assert process.poll() is None, (data_dir / "log").read_text()
            time.sleep(0.1)
        add = [*command, "user", "add", "reader", "--role", "radiologist", "--password-stdin"]
        subprocess.run(add, env=environment, input=PASSWORD, text=True, check=True, timeout=60)
        made = subprocess.run(
            [*command, "token", "create", "--user", "reader"],
            env=environment, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        headers = {
            "Authorization": f"Bearer {made.stdout.split()[-1]}",
            "Content-Type": "application/dicom",
        }
        for one in FIRST:
            answer = httpx.post(
                f"{url}/dicom-web/studies", content=base64.b64decode(one), headers=headers
            )
            assert answer.status_code == 200, answer.text
        yield SimpleNamespace(url=url)
    finally:
        process.terminate()
        process.wait(60)


def test_finding_reading_storing(
    clinic: SimpleNamespace, drive: Callable[..., Any], tmp_path: Path
) -> None:
    """From the sign-in to the last file."""
    report = drive(
        "studies.mjs",
        url=clinic.url,
        user="reader",
        password=PASSWORD,
        objects=LATER,
        script=SCRIPT,
        screenshots=os.environ.get("NEGATOSCOPE_SCREENSHOTS", str(tmp_path)),
    )
    assert report["problem"] is None, report
    assert report["dialogs"] == [], "a script in somebody's text was run"
    assert report["violations"] == []
    refused = [line for line in report["console"] if "409 (Conflict)" in line]
    assert [line for line in report["console"] if line not in refused] == []
    assert len(refused) == 1, "the bad file, nothing else"
    assert report["serious"] == []
