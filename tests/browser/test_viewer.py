"""Our own viewer in a real browser: what it shows is what the objects hold.

One server with a few objects, one run of ``viewer.mjs`` in the Chromium of this machine, and a test
per thing that a reader relies on. Skips with the reason when there is no browser, no npm or no
build of the web application.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from negatoscope.entrypoints.web.site.build import DIST, INDEX

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CT = "1.2.840.10008.5.1.4.1.1.2"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ROOT = "1.2.826.0.1.3680043.10.77"
CODECS, NEW, OLD, PHOTOGRAPH, DEFLATED = (f"{ROOT}.{n}" for n in (1, 2, 3, 4, 5))
SIZE, SLICES, SPACING_MM, STEP_MM = 128, 24, 0.5, 2.0
#: Column, row, slice of a bead of 1,500 HU, away from the middle in all three directions.
BEAD = (40, 90, 6)
LOSSLESS = {
    "1.2.840.10008.1.2.1.dcm": "Explicit",
    "1.2.840.10008.1.2.2.dcm": "Big endian",
    "1.2.840.10008.1.2.4.57.dcm": "JPEG lossless 14",
    "1.2.840.10008.1.2.4.70.dcm": "JPEG lossless SV1",
    "1.2.840.10008.1.2.4.80.dcm": "JPEG-LS",
    "1.2.840.10008.1.2.4.90.dcm": "JPEG 2000",
    "1.2.840.10008.1.2.5.dcm": "RLE",
}
PASSWORD = "quatre mots sans espace"
pytestmark = [pytest.mark.slow, pytest.mark.stranger]


def sha256(values: np.ndarray) -> str:
    """Of values after the Modality LUT, as the script computes it."""
    return hashlib.sha256(np.ascontiguousarray(values, dtype="<f8").tobytes()).hexdigest()


def volume() -> np.ndarray:
    """Slices of a cylinder of 60 HU with some structure, in HU."""
    z, y, x = np.mgrid[:SLICES, :SIZE, :SIZE]
    inside = (x - 64) ** 2 + (y - 64) ** 2 < 55**2
    values = np.where(inside, 60 + (x + 2 * y + 3 * z) % 17, -1000).astype(np.int16)
    column, row, plane = BEAD
    ball = (x - column) ** 2 + (y - row) ** 2 + ((z - plane) * STEP_MM / SPACING_MM) ** 2
    values[ball <= 5**2] = 1500
    return values


def data_set(study: str, series: int, number: int, sop_class: str, pixels: np.ndarray) -> Dataset:
    """What all images here have in common."""
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 192"
    one.SOPClassUID, one.SOPInstanceUID = sop_class, f"{study}.{series}.{number}"
    one.StudyInstanceUID, one.SeriesInstanceUID = study, f"{study}.{series}"
    one.PatientName, one.PatientID, one.IssuerOfPatientID = "LEFÈVRE^Noé", "V77", "TEST"
    one.StudyDate, one.StudyTime = "20261120" if study != OLD else "20260105", "101500"
    one.AccessionNumber, one.StudyID = "", ""
    one.SeriesNumber, one.InstanceNumber = series, number
    one.Rows, one.Columns = pixels.shape[:2]
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated = one.BitsStored = 16
    one.HighBit, one.PixelRepresentation = 15, 1
    one.PixelData = pixels.astype("<i2").tobytes()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    return one


def ct(study: str, slices: int, step_mm: float, frame_of_reference: str) -> list[Dataset]:
    """An axial CT of ``volume``, every so many millimetres."""
    made = []
    every = round(step_mm / STEP_MM)
    for number, values in enumerate(volume()[::every][:slices], 1):
        one = data_set(study, 1, number, CT, values + 1024)
        one.Modality, one.SeriesDescription, one.StudyDescription = "CT", "Cylinder", "Scanner"
        one.RescaleIntercept, one.RescaleSlope, one.RescaleType = -1024, 1, "HU"
        one.WindowCenter, one.WindowWidth = 60, 400
        one.PixelSpacing, one.SliceThickness = [SPACING_MM, SPACING_MM], step_mm
        one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        one.ImagePositionPatient = [0, 0, (number - 1) * step_mm]
        one.FrameOfReferenceUID = frame_of_reference
        made.append(one)
    return made


def scout() -> Dataset:
    """A sagittal image through the middle of the earlier CT, 1 mm between its rows."""
    one = data_set(OLD, 2, 1, CT, np.full((64, SIZE), 1100, dtype=np.int16))
    one.Modality, one.SeriesDescription, one.StudyDescription = "CT", "Scout", "Scanner"
    one.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    one.RescaleIntercept, one.RescaleSlope = -1024, 1
    one.WindowCenter, one.WindowWidth = 60, 400
    one.PixelSpacing = [1, SPACING_MM]
    one.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    one.ImagePositionPatient = [32, 0, 60]
    one.FrameOfReferenceUID = f"{ROOT}.9"
    return one


def codecs(shared_data: Path) -> tuple[list[Dataset], np.ndarray]:
    """One CT image in every lossless syntax, and its values."""
    folder = shared_data / "transfer-syntaxes" / "ct"
    made = []
    for number, (name, description) in enumerate(LOSSLESS.items(), 1):
        one = pydicom.dcmread(folder / name)
        one.StudyInstanceUID, one.SeriesInstanceUID = CODECS, f"{CODECS}.{number}"
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = f"{CODECS}.{number}.1"
        one.SeriesNumber, one.SeriesDescription = number, description
        one.PatientID = "V78"
        made.append(one)
    plain = pydicom.dcmread(folder / "1.2.840.10008.1.2.1.dcm")
    return made, plain.pixel_array.astype(np.float64) * plain.RescaleSlope + plain.RescaleIntercept


@pytest.fixture(scope="module")
def driver(scripts: Path) -> Path:
    """The script with playwright-core beside it, and the application built."""
    if not (DIST / INDEX).exists():
        pytest.skip("NO BROWSER TEST: the web application is not built (make web)")
    return scripts / "viewer.mjs"


@pytest.fixture(scope="module")
def server(
    driver: Path, tmp_path_factory: pytest.TempPathFactory, free_ports: Callable[[], int]
) -> Iterator[SimpleNamespace]:
    """`serve` with a radiologist who has a password."""
    data_dir = tmp_path_factory.mktemp("archive")
    url = f"http://127.0.0.1:{free_ports()}"
    environment = os.environ | {
        "NEGATOSCOPE_DATA_DIR": str(data_dir),
        "NEGATOSCOPE_HTTP": url.removeprefix("http://"),
        "NEGATOSCOPE_DICOM": f"127.0.0.1:{free_ports()}",
        "NEGATOSCOPE_HL7": f"127.0.0.1:{free_ports()}",
    }
    command = [sys.executable, "-m", "negatoscope"]
    with (data_dir / "out").open("wb") as out, (data_dir / "log").open("wb") as log:
        process = subprocess.Popen([*command, "serve"], env=environment, stdout=out, stderr=log)
    try:
        for _ in range(900):
            if "is ready" in (data_dir / "out").read_text():
                break
            assert process.poll() is None, (data_dir / "log").read_text()
            time.sleep(0.1)
        subprocess.run(
            [
                *command,
                "user",
                "add",
                "reader",
                "--role",
                "radiologist",
                "--role",
                "technologist",
                "--password",
                PASSWORD,
            ],
            env=environment,
            check=True,
            capture_output=True,
        )
        made = subprocess.run(
            [*command, "token", "create", "--user", "reader"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        yield SimpleNamespace(
            url=url, headers={"Authorization": f"Bearer {made.stdout.split()[-1]}"}
        )
    finally:
        process.terminate()
        process.wait(60)


def store(server: SimpleNamespace, objects: list[Dataset]) -> None:
    """STOW-RS of all of them."""
    parts = []
    for one in objects:
        buffer = BytesIO()
        one.save_as(buffer, enforce_file_format=True)
        parts.append(b"--b\r\nContent-Type: application/dicom\r\n\r\n" + buffer.getvalue())
    answer = httpx.post(
        f"{server.url}/dicom-web/studies",
        content=b"\r\n".join(parts) + b"\r\n--b--\r\n",
        headers=server.headers
        | {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def seen(
    driver: Path, server: SimpleNamespace, shared_data: Path, tmp_path_factory: Any
) -> dict[str, Any]:
    """The report of the script."""
    objects, values = codecs(shared_data)
    store(server, objects)
    store(server, ct(NEW, SLICES, STEP_MM, f"{ROOT}.9"))
    store(server, [*ct(OLD, SLICES // 2, STEP_MM * 2, f"{ROOT}.9"), scout()])
    photograph = data_set(PHOTOGRAPH, 1, 1, SECONDARY_CAPTURE, volume()[0, :64, :64])
    photograph.Modality, photograph.PatientID = "OT", "V79"
    store(server, [photograph])
    deflated = pydicom.dcmread(shared_data / "transfer-syntaxes/ct/1.2.840.10008.1.2.1.99.dcm")
    deflated.StudyInstanceUID, deflated.SeriesInstanceUID = DEFLATED, f"{DEFLATED}.1"
    deflated.SOPInstanceUID = deflated.file_meta.MediaStorageSOPInstanceUID = f"{DEFLATED}.1.1"
    store(server, [deflated])
    plan = driver.with_name("viewer-plan.json")
    column, row, plane = BEAD
    plan.write_text(
        json.dumps(
            {
                "url": server.url,
                "user": "reader",
                "password": PASSWORD,
                "codecs": CODECS,
                "codecCount": len(LOSSLESS),
                "ct": NEW,
                "scouted": OLD,
                "photograph": PHOTOGRAPH,
                "deflated": DEFLATED,
                "bead": [column * SPACING_MM, row * SPACING_MM, plane * STEP_MM],
                "screenshots": os.environ.get("NEGATOSCOPE_SCREENSHOTS"),
            }
        )
    )
    done = subprocess.run(
        ["node", str(driver), str(plan), str(CHROMIUM)],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    report["values"] = sha256(values)
    print(json.dumps(report["seconds"]), report["speed"])
    return report


def test_nothing_is_refused_and_the_console_is_clean(seen: dict[str, Any]) -> None:
    """No request fails but those that the script makes fail; no error, of the security policy neither."""
    assert seen["failed"] == []
    assert seen["errors"] == []


@pytest.mark.parametrize("form", ["htj2k", "stored"])
def test_values_are_those_of_numpy(seen: dict[str, Any], form: str) -> None:
    """Each lossless syntax, decoded in the browser, bit for bit; and as the form that was asked."""
    assert {name: one["sha256"] for name, one in seen[form].items()} == dict.fromkeys(
        LOSSLESS.values(), seen["values"]
    )
    syntaxes = {name: one["syntax"] for name, one in seen[form].items()}
    if form == "htj2k":
        assert set(syntaxes.values()) == {"1.2.840.10008.1.2.4.202"}
    else:
        assert syntaxes["JPEG-LS"] == "1.2.840.10008.1.2.4.80"
        assert syntaxes["RLE"] == "1.2.840.10008.1.2.5"


def test_keyboard(seen: dict[str, Any]) -> None:
    """Scrolling, windows, turns and mirrors by keys and wheel; the letters at the edges follow."""
    keys = seen["keys"]
    assert [keys[name]["index"] for name in ("opened", "down", "end", "home", "page")] == [
        12, 13, 23, 0, 10,
    ]  # fmt: skip
    assert keys["wheel"]["index"] > keys["page"]["index"]
    assert keys["opened"]["told"].startswith("C 60 W 400")
    assert keys["bone"]["told"].startswith("C 400 W 1,800")
    assert keys["own"]["told"].startswith("C 60 W 400")
    assert keys["inverted"]["inverted"] is True
    assert [keys[name]["letters"] for name in ("opened", "right", "mirrored", "reset")] == [
        "A L P R", "R A L P", "R P L A", "A L P R",
    ]  # fmt: skip
    assert keys["help"] > 40


def test_two_fingers(seen: dict[str, Any]) -> None:
    """Together they scroll and do not zoom, apart they zoom and do not scroll."""
    touch = seen["touch"]
    (index, zoom), (scrolled, same), (still, larger) = (
        touch[name] for name in ("before", "scrolled", "zoomed")
    )
    assert (scrolled > index, same) == (True, zoom)
    assert still == scrolled
    assert larger > 1.3 * zoom


def test_measures(seen: dict[str, Any]) -> None:
    """80 pixels of 0.5 mm are 40 mm; statistics and a value in HU; undone, done again, kept."""
    measures = seen["measures"]
    text = "\n".join(measures["drawn"])
    length = next(line for line in text.split("\n") if line.endswith("mm"))
    assert float(length.split()[0]) == pytest.approx(40, abs=0.6)
    mean = next(line for line in text.split("\n") if line.startswith("Mean"))
    assert 60 <= float(mean.split()[1]) <= 77
    value = volume()[SLICES // 2, 100, 64]
    assert f"{value} HU" in text.replace("\u00a0", " ")
    assert measures["undone"] < len(measures["drawn"]) == measures["redone"]
    assert (measures["elsewhere"], measures["again"]) == (0, len(measures["drawn"]))


def test_pixels_are_not_called_millimetres(seen: dict[str, Any]) -> None:
    """A picture without spacing is measured in px, and it is said."""
    text = "\n".join(seen["uncalibrated"]).replace("\u00a0", " ")
    assert "40 px" in text
    assert "not calibrated" in text
    assert "mm" not in text


def test_an_earlier_study_follows_by_position(seen: dict[str, Any]) -> None:
    """Half as many images, twice as far apart: the same place of the patient in both panes."""
    compare = seen["compare"]
    assert compare["after"][:2] == [10, 5]
    assert any("05/01/2026" in one for one in compare["titles"])
    assert compare["left"] == 1
    assert compare["freed"] > 0  # its pixels are not kept


def test_reference_lines(seen: dict[str, Any]) -> None:
    """The axial image is a level line on the scout, where it lies; the scout an upright one on it."""
    lines = seen["lines"]
    ((x1, _, x2, _),), ((_, y1, _, y2),) = lines["axial"], lines["scout"]
    assert x1 == pytest.approx(x2, abs=0.5)
    assert y1 == pytest.approx(y2, abs=0.5)
    assert y1 == pytest.approx(lines["wanted"], abs=1)


def test_three_planes_and_projection(seen: dict[str, Any]) -> None:
    """A bead off the middle is not in the thin planes, and is in a projection of 60 mm of each."""
    planes = seen["planes"]
    assert planes["edges"] == ["A L", "H L", "H P", "H L"]
    assert max(planes["thin"][:3]) < 200
    assert min(planes["thick"]) > 250
    assert planes["thin"][3] > 250  # the fourth pane projects from the beginning
    assert planes["left"] is None


def test_one_bad_image_does_not_stop_the_others(seen: dict[str, Any]) -> None:
    """A missing image is said in its pane; one that cannot be read is decoded by the server."""
    trouble = seen["trouble"]
    assert "This image is missing" in trouble["missing"][0]
    assert trouble["decoded"] == sha256(volume()[5].astype(np.float64))
    assert trouble["quiet"] == 0


def test_what_has_no_frames_is_drawn_by_the_server(seen: dict[str, Any]) -> None:
    """Of an object whose frames cannot be asked for, a picture and the remark that it is one."""
    assert seen["drawn"] == ["Drawn by the server: values cannot be measured"]


def test_images_come_back_after_the_graphics_were_lost(seen: dict[str, Any]) -> None:
    """The state is all that is needed to draw again."""
    assert seen["lost"] == {"same": True}


def test_axe_finds_nothing_serious(seen: dict[str, Any]) -> None:
    """On images, with a menu open, in the help, with three planes."""
    assert seen["axe"] == []


def test_an_unknown_study_is_said(seen: dict[str, Any]) -> None:
    """No blank page."""
    assert seen["forgotten"] == ["This study does not exist"]


def test_first_image_is_soon_there(seen: dict[str, Any]) -> None:
    """Warm, loopback, software graphics; a loaded machine may take five times the second we want."""
    assert min(seen["speed"]) < 5000, seen["speed"]
