"""Accounts, emergency access and links in a real browser."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from negatoscope.entrypoints.web.site.build import DIST

pytestmark = [pytest.mark.slow, pytest.mark.stranger]
PASSWORD = "quatre mots sans espace"
TURNS = [("fr", "light"), ("en", "dark")][
    : None if os.environ.get("NEGATOSCOPE_SCREENSHOTS") else 1
]
"""Both languages when pictures are wanted; one is enough to know that it works."""


@pytest.fixture(scope="module")
def department(
    tmp_path_factory: pytest.TempPathFactory, free_ports: Callable[[], int]
) -> Iterator[SimpleNamespace]:
    """`serve --demo` with an administrator, and two studies of two patients."""
    if not (DIST / "index.html").exists():
        pytest.skip("NO WEB APPLICATION: it is not built here; `make web` does it")
    data_dir = tmp_path_factory.mktemp("department")
    url = f"http://127.0.0.1:{free_ports()}"
    environment = os.environ | {
        "NEGATOSCOPE_DATA_DIR": str(data_dir),
        "NEGATOSCOPE_HTTP": url.removeprefix("http://"),
        "NEGATOSCOPE_DICOM": f"127.0.0.1:{free_ports()}",
        "NEGATOSCOPE_HL7": f"127.0.0.1:{free_ports()}",
    }
    command = [sys.executable, "-m", "negatoscope"]
    with (data_dir / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "serve", "--demo"], env=environment, stdout=log, stderr=log
        )
    try:
        deadline_s = time.monotonic() + 90
        while time.monotonic() < deadline_s:
            assert process.poll() is None, (data_dir / "log").read_text()
            try:
                if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        subprocess.run(
            [*command, "user", "add", "chief", "--role", "administrator", "--password-stdin"],
            input=f"{PASSWORD}\n", text=True, env=environment, check=True, capture_output=True,
        )  # fmt: skip
        made = subprocess.run(
            [*command, "token", "create", "--user", "chief"],
            text=True, env=environment, check=True, capture_output=True,
        )  # fmt: skip
        headers = {"Authorization": f"Bearer {made.stdout.strip().splitlines()[-1]}"}
        studies: dict[int, str] = {}
        while len(studies) < 2 and time.monotonic() < deadline_s + 60:
            page = httpx.get(f"{url}/api/v1/studies", headers=headers).json()["studies"]
            studies = {one["patient_key"]: one["study_instance_uid"] for one in page}
            time.sleep(0.5)
        study, hidden = list(studies.values())[:2]
        yield SimpleNamespace(url=url, study=study, hidden=hidden)
    finally:
        process.terminate()
        process.wait(60)


def test_accounts_emergency_access_and_links(
    department: SimpleNamespace, drive: Callable[..., Any], tmp_path: Path
) -> None:
    """An account is made and limited, opens a file in an emergency, is reviewed; a guest sees one study."""
    told = drive(
        "identity.mjs",
        timeout_s=290,
        url=department.url,
        study=department.study,
        hidden=department.hidden,
        turns=TURNS,
        password=PASSWORD,
        screenshots=str(os.environ.get("NEGATOSCOPE_SCREENSHOTS", tmp_path)),
    )
    assert told["problem"] is None, (told["problem"], told["seen"])
    assert (told["console"], told["violations"], told["dialogs"]) == ([], [], [])
    assert told["serious"] == []
    for language, _theme in TURNS:
        seen = told["seen"][language]
        assert (seen["given"], seen["required"]) == (204, True)
        assert seen["guest"] == [200, 404]
        assert seen["secret_in_referer"] is False
