"""dicomweb-client and dcmjs, the clients of browsers, in Chromium: nothing here is adapted to us."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from negatoscope.protocols.dicom.pixel.codecs import decode_frame
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.standard import transfer_syntaxes as ts

BROWSER = Path(__file__).parents[2] / "browser"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
STUDY = "1.2.826.0.1.3680043.10.1.1"
pytestmark = [pytest.mark.slow, pytest.mark.stranger]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script with its packages beside it."""
    if CHROMIUM is None or shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NO BROWSER TEST: chromium, node or npm is not on this machine")
    folder = tmp_path_factory.mktemp("dcmjs")
    for name in ("package.json", "package-lock.json", "dcmjs.mjs"):
        shutil.copy(BROWSER / name, folder)
    done = subprocess.run(
        ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    if done.returncode:
        pytest.skip(f"NO BROWSER TEST: npm cannot fetch the clients: {done.stderr[-300:]}")
    return folder / "dcmjs.mjs"


def test_search_retrieve_frames_and_store(script, served, running, helpers) -> None:
    """What a viewer asks, and an object written by dcmjs that comes back as it was sent."""
    objects = [
        helpers.make_ct(1, frames=3),
        helpers.make_ct(2),
        helpers.make_ct(1, series=2),
    ]
    assert served.store(*objects).status_code == 200
    done = subprocess.run(
        ["node", str(script), running.url, running.token, STUDY, str(CHROMIUM)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[:2000]
    found = json.loads(done.stdout)
    assert found["errors"] == []
    (study,) = found["studies"]
    assert study["StudyInstanceUID"] == STUDY
    assert study["PatientName"][0]["Alphabetic"] == "DUPONT^Éloïse"
    assert found["nobody"] in ([], None, "")
    assert sorted(one["SeriesNumber"] for one in found["series"]) == [1, 2]
    assert (found["studyMetadata"], found["seriesMetadata"]) == (3, 2)
    assert found["metadata"]["NumberOfFrames"] == 3
    assert len(found["instances"]) == 2
    frame = 16 * 16 * 2
    pixels = objects[0].PixelData
    assert [base64.b64decode(one) for one in found["frames"]] == [
        pixels[:frame],
        pixels[frame : 2 * frame],
    ]
    description = PixelDescription(rows=16, columns=16, bits_stored=12, high_bit=11)
    (coded,) = found["jls"]
    decoded = decode_frame(base64.b64decode(coded), description, ts.JPEG_LS_LOSSLESS).samples
    assert np.array_equal(decoded.reshape(-1), np.frombuffer(pixels[:frame], "<u2"))
    assert base64.b64decode(found["either"][0]) == pixels[frame : 2 * frame]
    assert base64.b64decode(found["bulk"][0]) == pixels
    assert found["rendered"] == [0x89, 0x50, 0x4E, 0x47]
    for name in ("frameRendered", "thumbnail", "frameThumbnail"):
        assert found[name][:2] == [0xFF, 0xD8], name
    assert (found["whole"], found["wholeSeries"]) == (3, 2)
    assert found["again"]["description"] == "écrit par dcmjs"
    assert found["again"]["pixels"] == found["pixels"]
    assert found["refused"] == [404, 404, 401]
