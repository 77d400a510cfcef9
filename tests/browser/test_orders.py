"""Orders in a real browser: asked for, a safety question that holds up, a radiologist's morning by keyboard."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from negatoscope.demo.catalogue import load_catalogue
from negatoscope.domain.identity import users
from negatoscope.domain.orders import NewOrder, NewProcedure, OrderDetails, Orders, Priority
from negatoscope.domain.scheduling.appointments import Appointments
from negatoscope.domain.scheduling.catalogue import Catalogue
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.domain.scheduling.model import Place
from negatoscope.domain.scheduling.resources import ResourceKind, Resources
from negatoscope.domain.scheduling.worklist import ModalityWorklist
from negatoscope.entrypoints.web.site.build import DIST
from negatoscope.infra.db import Database
from ordering import register

pytestmark = [pytest.mark.slow, pytest.mark.stranger]
PASSWORD = "quatre mots sans espace"
PARIS = ZoneInfo("Europe/Paris")
START = datetime(2027, 3, 2, 9, 0, tzinfo=PARIS)
"""A Tuesday."""
TO_VET = (("ACQJ002", Priority.STAT), ("LHQN001", Priority.HIGH), ("ZCQH001", Priority.ROUTINE))


@pytest.fixture
def department(
    database: Database, database_url: str, free_port: int, tmp_path: Path
) -> Iterator[SimpleNamespace]:
    """The demonstration's catalogue, a patient, three orders that wait for a radiologist; over HTTP."""
    if not (DIST / "index.html").exists():
        pytest.skip("NO WEB APPLICATION: it is not built here; `make web` does it")
    load_catalogue(database)
    for name in ("ana", "eve"):
        users.create(database, name=name, roles=["secretary", "radiologist"], password=PASSWORD)
    with database.connection() as connection:
        patient = register(connection, "IPP1")
        made = []
        for code, priority in TO_VET:
            procedure = Catalogue(connection).find(code)
            assert procedure is not None
            new = NewOrder(
                patient=patient,
                procedures=[NewProcedure(catalogue=procedure.id)],
                details=OrderDetails(priority=priority, clinical_question="Bilan."),
            )
            made.append(Orders(connection).create(new, source="test").order.id)
        for code in ("ZCQK002", "NAQK015"):
            procedure = Catalogue(connection).find(code)
            assert procedure is not None
            new = NewOrder(patient=patient, procedures=[NewProcedure(catalogue=procedure.id)])
            made.append(Orders(connection).create(new, source="test").order.id)
    environment = os.environ | {
        "NEGATOSCOPE_DATA_DIR": str(tmp_path / "data"),
        "NEGATOSCOPE_DATABASE_URL": database_url,
        "NEGATOSCOPE_HTTP": f"127.0.0.1:{free_port}",
    }
    command = (sys.executable, "-m", "granian", "--interface", "asgi", "--factory")
    with (tmp_path / "http.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *command,
                *("--host", "127.0.0.1", "--port", str(free_port), "--loop", "uvloop"),
                *("--no-access-log", "negatoscope.app.asgi:create_app"),
            ],
            env=environment,
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{free_port}"
    try:
        until = time.monotonic() + 30
        while True:
            assert process.poll() is None, (tmp_path / "http.log").read_text()
            assert time.monotonic() < until, (tmp_path / "http.log").read_text()
            try:
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield SimpleNamespace(
            url=url, patient=patient, orders=made[:3], together=made[3:], database=database
        )
    finally:
        process.terminate()
        process.wait(30)


def test_an_order_is_asked_for_and_a_radiologist_decides(
    drive: Callable[..., Any], department: SimpleNamespace, tmp_path: Path
) -> None:
    """What the pages say is what orders and the modality worklist have afterwards."""
    with department.database.connection() as connection:
        examination = Orders(connection).get(department.orders[0]).procedures[0].id
    report = drive(
        "orders.mjs",
        timeout_s=120,
        url=department.url,
        patient=department.patient,
        examination=examination,
        together=department.together,
        password=PASSWORD,
        screenshots=os.environ.get("NEGATOSCOPE_SCREENSHOTS") or str(tmp_path),
    )
    assert report["problem"] is None, report
    assert report["console"] == report["violations"] == report["serious"] == []
    seen = report["seen"]
    assert seen["blocked"] == ["Grossesse", "Oui"]
    assert seen["cleared"].startswith("Oui")
    assert seen["keys"] == ["ACCEPTED", "REFUSED", "REPLACED"]
    with department.database.connection() as connection:
        accepted, refused, replaced = (
            Orders(connection).get(number).procedures for number in department.orders
        )
        both = [Orders(connection).get(number).procedures[0] for number in department.together]
        assert both[0].study_instance_uid == both[1].study_instance_uid
        assert {one.steps[0].acquired_with for one in both} == {both[0].steps[0].id}
        (procedure,) = accepted
        assert procedure.vetted_by == "ana"
        assert procedure.protocol == "Séquence FLAIR d'abord"
        live = [one for one in procedure.steps if one.state == "WAITING"]
        assert [one.description for one in live] == [
            "IRM cérébrale injectée",
            "IRM du rachis lombaire",
            "Coupes fines",
        ]
        assert live[2].protocol_codes[0]["code_value"] == "COUPESFINES"
        assert procedure.wished_room_name == "IRM 2 (3 T)"
        assert refused[0].vetting_reason == "Pas d'indication"
        assert [one.vetting for one in replaced] == ["REPLACED", "ACCEPTED"]
        assert replaced[1].steps[0].description == "Échographie rénale"
        room = Resources(connection).find(ResourceKind.ROOM, "IRM 2 (3 T)")
        assert room is not None
        Appointments(connection, Rules(zone=PARIS), source="user:test").book(
            [
                Place(
                    step=live[2].id,
                    start_at=START,
                    end_at=START + timedelta(minutes=20),
                    room=room.id,
                )
            ]
        )
    item = ModalityWorklist(database=department.database, zone=PARIS).item(live[2].id)
    assert item is not None
    step = item["00400100"]["Value"][0]
    assert step["00400007"]["Value"] == ["Coupes fines"]
    assert step["00400008"]["Value"][0]["00080104"]["Value"] == ["Coupes fines"]
    assert item["00401400"]["Value"] == ["Séquence FLAIR d'abord"]
