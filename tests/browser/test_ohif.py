"""OHIF, unmodified but for its path, in a real browser on the demonstration department.

The one test of this folder fetches OHIF and playwright-core with npm, drives the Chromium of this
machine, and skips with the reason when one of them cannot be had.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.slow, pytest.mark.stranger]


@pytest.fixture(scope="module")
def driver(scripts: Path) -> Path:
    """The script with playwright-core beside it."""
    return scripts / "ohif.mjs"


@pytest.fixture(scope="module")
def department(
    driver: Path, tmp_path_factory: pytest.TempPathFactory, free_ports: Callable[[], int]
) -> Iterator[SimpleNamespace]:
    """`serve --demo` with OHIF installed: what `make run` gives."""
    data_dir = tmp_path_factory.mktemp("department")
    command = [sys.executable, "-m", "negatoscope"]
    installed = subprocess.run(
        [*command, "ohif", "install", "--data-dir", str(data_dir)],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode and "npm did not bring" in installed.stderr:
        pytest.skip(f"NO BROWSER TEST: {installed.stderr}")
    assert installed.returncode == 0, installed.stderr
    url = f"http://127.0.0.1:{free_ports()}"
    environment = os.environ | {
        "NEGATOSCOPE_DATA_DIR": str(data_dir),
        "NEGATOSCOPE_HTTP": url.removeprefix("http://"),
        "NEGATOSCOPE_DICOM": f"127.0.0.1:{free_ports()}",
        "NEGATOSCOPE_HL7": f"127.0.0.1:{free_ports()}",
    }
    with (data_dir / "out").open("wb") as out, (data_dir / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "serve", "--demo"], env=environment, stdout=out, stderr=log
        )
    try:
        for _ in range(900):
            if "accounts of the demonstration" in (data_dir / "out").read_text():
                break
            assert process.poll() is None, (data_dir / "log").read_text()
            time.sleep(0.1)
        accounts = json.loads((data_dir / "demo-accounts.json").read_text())
        made = subprocess.run(
            [*command, "token", "create", "--user", "radiologist"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        yield SimpleNamespace(
            url=url,
            accounts=accounts,
            headers={"Authorization": f"Bearer {made.stdout.split()[-1]}"},
        )
    finally:
        process.terminate()
        process.wait(60)


def test_list_stack_and_mpr(driver: Path, department: SimpleNamespace, tmp_path: Path) -> None:
    """A radiologist signs in, finds the list, opens a CT, sees it in three planes.

    Its frames as HTJ2K, decoded by OHIF's own codec, give the same picture as those stored. No
    request is refused, the console has no error (of the content security policy neither), and
    all is done within a minute.
    """
    found = httpx.get(
        f"{department.url}/dicom-web/studies",
        params={"ModalitiesInStudy": "CT", "StudyDescription": "TDM*", "includefield": "00201208"},
        headers=department.headers,
    ).json()
    study = min(found, key=lambda one: one["00201208"]["Value"][0])["0020000D"]["Value"][0]
    shots = Path(os.environ.get("NEGATOSCOPE_SCREENSHOTS", tmp_path))
    done = subprocess.run(
        [
            *("node", str(driver), department.url, "radiologist"),
            *(department.accounts["radiologist"], study, str(CHROMIUM), str(shots)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["problem"] is None, report
    # Before the sign-in the application asks who is there: nobody.
    assert [one for one in report["failed"] if not one.endswith("/api/v1/session")] == []
    assert report["errors"] == []
    assert report["language"] == "en"
    frames = [key for key in report["requests"] if "/frames/" in key]
    assert frames
    assert all(key.startswith("200 ") for key in frames)
    assert report["types"]["1.2.840.10008.1.2.4.202"] > 1
    assert report["same"] is True
    assert report["steps"]["all"] < 60, report["steps"]
