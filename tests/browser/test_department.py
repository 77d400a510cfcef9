"""The web application in a real browser: who gets in, the keyboard, both languages, both themes.

axe finds nothing serious on any page, no script of a patient's name runs, the content security
policy is never broken; a session that ends and a connection that is lost cost nobody their work.
"""

import base64
import gzip
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset

from negatoscope.entrypoints.web.site.build import DIST

pytestmark = [pytest.mark.slow, pytest.mark.stranger]
PASSWORD = "quatre mots sans espace"
SCRIPT = "<img src=x onerror=alert(1)>"
FIRST_PAGE_BYTES = 300_000


@pytest.fixture(scope="module")
def build() -> Path:
    """The application as it is built."""
    if not (DIST / "index.html").exists():
        pytest.skip("NO WEB APPLICATION: it is not built here; `make web` does it")
    return DIST


@pytest.fixture(scope="module")
def department(
    build: Path,
    scripts: Path,
    tmp_path_factory: pytest.TempPathFactory,
    free_ports: Callable[[], int],
) -> Iterator[SimpleNamespace]:
    """`serve` on an empty data directory, which prints a set-up link."""
    data_dir = tmp_path_factory.mktemp("department")
    url = f"http://127.0.0.1:{free_ports()}"
    environment = os.environ | {
        "NEGATOSCOPE_DATA_DIR": str(data_dir),
        "NEGATOSCOPE_HTTP": url.removeprefix("http://"),
        "NEGATOSCOPE_DICOM": f"127.0.0.1:{free_ports()}",
        "NEGATOSCOPE_HL7": f"127.0.0.1:{free_ports()}",
    }
    with (data_dir / "out").open("wb") as out, (data_dir / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "negatoscope", "serve"],
            env=environment,
            stdout=out,
            stderr=log,
        )
    try:
        link = None
        for _ in range(900):
            link = re.search(r"http\S+/setup/\S+", (data_dir / "out").read_text())
            if link is not None:
                break
            assert process.poll() is None, (data_dir / "log").read_text()
            time.sleep(0.1)
        assert link is not None, (data_dir / "log").read_text()
        yield SimpleNamespace(url=url, setup=link[0], environment=environment)
    finally:
        process.terminate()
        process.wait(60)


def hostile_object() -> bytes:
    """A Part 10 file with markup in every text that pages show."""
    data_set = Dataset()
    data_set.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    data_set.SOPInstanceUID = "1.2.826.0.1.3680043.10.9.1.1.1"
    data_set.StudyInstanceUID = "1.2.826.0.1.3680043.10.9.1"
    data_set.SeriesInstanceUID = "1.2.826.0.1.3680043.10.9.1.1"
    data_set.SpecificCharacterSet = "ISO_IR 192"
    data_set.PatientName = f"{SCRIPT}^<b>Zoé"
    data_set.PatientID = "<svg onload=alert(2)>"
    data_set.StudyDate, data_set.StudyTime, data_set.Modality = "20261103", "101500", "OT"
    data_set.StudyDescription = data_set.SeriesDescription = f"</script>{SCRIPT}"
    data_set.AccessionNumber = "'><i>"
    data_set.Rows = data_set.Columns = 8
    data_set.BitsAllocated = data_set.BitsStored = 8
    data_set.HighBit, data_set.PixelRepresentation, data_set.SamplesPerPixel = 7, 0, 1
    data_set.PhotometricInterpretation = "MONOCHROME2"
    data_set.PixelData = bytes(range(64))
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    file = BytesIO()
    pydicom.dcmwrite(file, data_set, enforce_file_format=True)
    return file.getvalue()


def test_the_first_page_is_small(build: Path) -> None:
    """What a browser fetches before the sign-in page stands: scripts and styles, compressed."""
    manifest: dict[str, dict[str, Any]] = json.loads((build / "manifest.json").read_text())
    needed: set[str] = set()
    todo = ["index.html", "src/features/sign-in/SignInPage.tsx"]
    while todo:
        entry = manifest[todo.pop()]
        if entry["file"] in needed:
            continue
        needed |= {entry["file"], *entry.get("css", ())}
        todo += entry.get("imports", ())
    sizes = {name: len(gzip.compress((build / name).read_bytes())) for name in needed}
    assert sum(sizes.values()) < FIRST_PAGE_BYTES, sizes


def test_every_page_in_a_browser(
    department: SimpleNamespace, drive: Callable[..., Any], tmp_path: Path
) -> None:
    """Set-up, sign-in, keyboard, every route twice, an ended session, a lost connection."""
    report = drive(
        "department.mjs",
        timeout_s=290,
        url=department.url,
        setup=department.setup,
        password=PASSWORD,
        other="bob",
        script=SCRIPT,
        object=base64.b64encode(hostile_object()).decode("ascii"),
        screenshots=os.environ.get("NEGATOSCOPE_SCREENSHOTS", str(tmp_path)),
    )
    if "NEGATOSCOPE_SCREENSHOTS" in os.environ:
        shots = Path(os.environ["NEGATOSCOPE_SCREENSHOTS"])
        (shots / "report.json").write_text(json.dumps(report, indent=1))
    assert report["problem"] is None, report
    assert report["dialogs"] == [], "a script in somebody's text was run"
    assert report["violations"] == []
    assert report["console"] == []
    assert report["serious"] == []
