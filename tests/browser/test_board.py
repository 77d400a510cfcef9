"""The board in a real browser: a morning's actions by keyboard, notes, an emergency, a step that never ends."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from department import Department
from negatoscope.domain.identity import users
from negatoscope.domain.performed import mpps_desk
from negatoscope.domain.performed.mpps import PerformedSteps
from negatoscope.entrypoints.web.site.build import DIST
from negatoscope.infra.db import Database

pytestmark = [pytest.mark.slow, pytest.mark.stranger]
PASSWORD = "quatre mots sans espace"


def data_set(step_id: str, study: str) -> dict[str, Any]:
    """An N-CREATE for a step, with something about dose."""
    item = {
        "0020000D": {"vr": "UI", "Value": [study]},
        "00400009": {"vr": "SH", "Value": [step_id]},
    }
    return {
        "00400270": {"vr": "SQ", "Value": [item]},
        "00400253": {"vr": "SH", "Value": ["PPS1"]},
        "00400241": {"vr": "AE", "Value": ["CT_A"]},
        "00400244": {"vr": "DA", "Value": [f"{datetime.now(UTC):%Y%m%d}"]},
        "00400245": {"vr": "TM", "Value": ["0900"]},
        "00400252": {"vr": "CS", "Value": ["IN PROGRESS"]},
        "00080060": {"vr": "CS", "Value": ["CT"]},
        "00400310": {"vr": "ST", "Value": ["DLP 412"]},
        "00100020": {"vr": "LO", "Value": ["8002"]},
        "00100021": {"vr": "LO", "Value": ["CHU"]},
    }


@pytest.fixture
def morning(database: Database, serving: Callable[[], Any]) -> Iterator[SimpleNamespace]:
    """Two scans of today, a device that began the second and never ended it; somebody else without order."""
    if not (DIST / "index.html").exists():
        pytest.skip("NO WEB APPLICATION: it is not built here; `make web` does it")
    users.create(database, name="clara", roles=["technologist", "secretary"], password=PASSWORD)
    with database.connection() as connection:
        department = Department(connection)
        device = department.device("CT-A", department.room("Scanner 1"), "CT", "CT_A")
        thorax = department.procedure("ZBQH001", "Scanner du thorax", "CT")
        steps = []
        for name, ipp in (("ABADIE", "8001"), ("BERNARD", "8002")):
            patient = department.patient(name, "Paul", ipp=ipp)
            procedure = department.requested(department.order(patient), catalogue=thorax)
            steps.append(department.step(procedure, datetime.now(UTC), device_fk=device))
        department.patient("MARTIN", "Zoé", ipp="8003")
        study, step_id = connection.execute(
            "SELECT p.study_instance_uid, s.scheduled_procedure_step_id FROM requested_procedure p"
            " JOIN scheduled_procedure_step s ON s.procedure_fk = p.id WHERE s.id = %s",
            (steps[1],),
        ).fetchone()
    performed = PerformedSteps(database=database, zone=ZoneInfo("Europe/Paris"))
    made = performed.create("1.2.1", data_set(step_id, study), calling_ae_title="CT_A")
    with database.connection() as connection:
        later = datetime.now(UTC) + timedelta(hours=9)
        assert mpps_desk.flag_overdue(connection, age=timedelta(hours=8), now=later) == [made.id]
    with serving() as url:
        yield SimpleNamespace(url=url, number=made.id, steps=steps, database=database)


def test_a_morning_by_keyboard(
    drive: Callable[..., Any], morning: SimpleNamespace, tmp_path: Path
) -> None:
    """What the page says is what the database has afterwards."""
    report = drive(
        "board.mjs",
        timeout_s=200,
        url=morning.url,
        number=morning.number,
        password=PASSWORD,
        screenshots=os.environ.get("NEGATOSCOPE_SCREENSHOTS") or str(tmp_path),
    )
    assert report["problem"] is None, report
    assert report["violations"] == []
    assert report["serious"] == []
    assert report["console"] == []
    seen = report["seen"]
    expected = ["ARRIVED", "READY", "STARTED", "COMPLETED", "STARTED", "ARRIVED"]
    assert seen["states"] == expected
    assert seen["noteMs"] < 5000
    assert seen["kept"]
    assert seen["why"]
    with morning.database.connection() as connection:
        states = connection.execute(
            "SELECT state FROM scheduled_procedure_step ORDER BY id"
        ).fetchall()
        note = connection.execute("SELECT text, noted_by FROM step_note").fetchone()
    assert [state for (state,) in states] == ["STARTED", "DISCONTINUED", "ARRIVED"]
    assert note == ("Daughter is on the phone", "clara")
