"""The audit pages in a real browser, on a trail of some thousand events."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psycopg
import pytest

from negatoscope.app.database import database_url
from negatoscope.entrypoints.web.site.build import DIST
from negatoscope.infra.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.stranger]
PASSWORD = "quatre mots sans espace"
PATIENT = "007001"  # leading zeros stay
COUNT = 2500
_EVENTS = """
INSERT INTO audit_pending (occurred_at, last_at, actor_kind, actor_name, actor_roles, credential, peer, door, action,
                           event_class, outcome, study_instance_uid, patient_id, detail)
SELECT now() - make_interval(mins => n), now() - make_interval(mins => n), 'user', 'reader' || n %% 5, '{radiologist}',
       'session', '10.0.0.' || n %% 250, 'dicomweb', 'retrieve', (ARRAY['view', 'query', 'export'])[1 + n %% 3],
       CASE WHEN n %% 50 = 0 THEN 'REFUSED' ELSE 'SUCCESS' END, '1.2.3.' || n %% 40, %s,
       '{"text": "<img src=x onerror=alert(1)>"}'
FROM generate_series(1, %s) AS n
"""


@pytest.fixture(scope="module")
def department(
    tmp_path_factory: pytest.TempPathFactory, free_ports: Callable[[], int]
) -> Iterator[SimpleNamespace]:
    """`serve` with a security officer and a trail."""
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
        process = subprocess.Popen([*command, "serve"], env=environment, stdout=log, stderr=log)
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
            [*command, "user", "add", "officer", "--role", "administrator", "--password-stdin"],
            input=f"{PASSWORD}\n", text=True, env=environment, check=True, capture_output=True,
        )  # fmt: skip
        with (
            database_url(Settings(data_dir=data_dir)) as address,
            psycopg.connect(address) as connection,
        ):
            connection.execute(_EVENTS, (PATIENT, COUNT))
        yield SimpleNamespace(url=url)
    finally:
        process.terminate()
        process.wait(60)


def test_the_audit_pages(
    department: SimpleNamespace, drive: Callable[..., Any], tmp_path: Path
) -> None:
    """Search, event, patient, state: with the keyboard, in both languages, without a serious finding of axe."""
    folder = Path(os.environ.get("NEGATOSCOPE_SCREENSHOTS", tmp_path))
    told = drive(
        "audit.mjs",
        timeout_s=290,
        url=department.url,
        password=PASSWORD,
        patient=PATIENT,
        screenshots=str(folder),
    )
    assert told["problem"] is None, (told["problem"], told["seen"])
    assert (told["console"], told["violations"], told["dialogs"], told["serious"]) == (
        [],
        [],
        [],
        [],
    )
    for language in ("fr", "en"):
        seen = told["seen"][language]
        assert (seen["filtered"], seen["others"]) == (True, 0)
        assert "reader1" in seen["address"]
        assert seen["rows_in_page_after"] < 120, "rows out of sight are not in the page"
        assert seen["deepest"] > 500
        assert PATIENT in seen["patient_by_event"]
        assert seen["download"] == "audit.csv"
        assert seen["accesses"] > 10
