"""The desk of the demonstration in a real browser, as an identity manager works at it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from negatoscope.app.services import opened_archive
from negatoscope.demo.catalogue import load_catalogue
from negatoscope.demo.identities import load_identities
from negatoscope.demo.orders import load_orders
from negatoscope.domain.identity import users
from negatoscope.domain.messages import Processor
from negatoscope.domain.performed import binding
from negatoscope.domain.reconciliation.duplicates import compare
from negatoscope.entrypoints.hl7v2.handling import handle
from negatoscope.entrypoints.web.site.build import DIST
from negatoscope.infra.db import Database
from negatoscope.infra.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.stranger]
PASSWORD = "quatre mots sans espace"
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def department(
    database: Database, database_url: str, tmp_path: Path, free_ports: Callable[[], int]
) -> Iterator[SimpleNamespace]:
    """The demonstration's patients and the desk's work, over HTTP."""
    if not (DIST / "index.html").exists():
        pytest.skip("NO WEB APPLICATION: it is not built here; `make web` does it")
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    url = f"http://127.0.0.1:{free_ports()}"
    environment = os.environ | {
        "NEGATOSCOPE_DATA_DIR": str(data_dir),
        "NEGATOSCOPE_DATABASE_URL": database_url,
        "NEGATOSCOPE_HTTP": url.removeprefix("http://"),
    }
    users.create(database, name="identite", roles=["identity-manager"], password=PASSWORD)
    users.create(database, name="chef", roles=["administrator"], password=PASSWORD)
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory"]
    command += ["--host", "127.0.0.1", "--port", url.rpartition(":")[2], "--loop", "uvloop"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--no-access-log", "negatoscope.app.asgi:create_app"],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        settings = Settings.load(data_dir=data_dir, database_url=database_url)
        if "NEGATOSCOPE_SCREENSHOTS" in os.environ:
            load_catalogue(database)  # procedures have titles in pictures; it takes its time
        load_orders(database, zone=PARIS)
        with opened_archive(settings, database) as archive:
            load_identities(database, archive, zone=PARIS)
        while Processor(database, handle).process_waiting():
            pass
        with database.connection() as connection:  # what a worker does with the events
            for (number,) in connection.execute("SELECT id FROM registered_patient").fetchall():
                compare(connection, number)
            for (study,) in connection.execute("SELECT study_instance_uid FROM study").fetchall():
                binding.decide(connection, study)
        deadline_s = time.monotonic() + 60
        while not _answers(url):
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline_s, (tmp_path / "log").read_text()
            time.sleep(0.1)
        yield SimpleNamespace(url=url)
    finally:
        process.terminate()
        process.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_the_desk(department: SimpleNamespace, drive: Callable[..., Any], tmp_path: Path) -> None:
    """Pairs, merge, journal, undo; the unknown patient; studies without patient and without order."""
    told = drive(
        "reconciliation.mjs",
        timeout_s=120,
        url=department.url,
        user="identite",
        administrator="chef",
        password=PASSWORD,
        screenshots=os.environ.get("NEGATOSCOPE_SCREENSHOTS", str(tmp_path)),
    )
    assert told["problem"] is None, (told["problem"], told["seen"])
    assert (told["console"], told["violations"], told["dialogs"]) == ([], [], [])
    assert told["serious"] == []
    assert len(told["seen"]["pairs"]) == 3
