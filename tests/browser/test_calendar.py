"""The calendar in a real browser: an order is booked, dragged, put where another one is, taken back."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from negatoscope.demo.catalogue import load_catalogue
from negatoscope.domain.identity import users
from negatoscope.domain.orders.model import NewOrder, NewProcedure
from negatoscope.domain.orders.service import Orders
from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry
from negatoscope.domain.scheduling.appointments import Appointments
from negatoscope.domain.scheduling.catalogue import Catalogue
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.domain.scheduling.model import Place
from negatoscope.domain.scheduling.resources import ResourceKind, Resources
from negatoscope.entrypoints.web.site.build import DIST
from negatoscope.infra.db import Database

pytestmark = [pytest.mark.slow, pytest.mark.stranger]
PASSWORD = "quatre mots sans espace"
PARIS = ZoneInfo("Europe/Paris")
START = datetime(2027, 3, 2, 8, 0, tzinfo=PARIS)
"""A Tuesday."""


def order(connection: Any, family: str, given: str) -> tuple[int, int]:
    """A head CT of a new patient: the order and its step."""
    patient = (
        Registry(connection)
        .register(
            updates={
                "birth_name": PersonName(family=family, given=given),
                "birth_date": "19800102",
            },
            identifiers=[
                Identifier(
                    value=f"IPP-{family}", authority=Authority(namespace="CHU"), type_code="PI"
                )
            ],
            source="test",
        )
        .patient
    )
    procedure = Catalogue(connection).find("ACQK001")
    assert procedure is not None
    made = Orders(connection).create(
        NewOrder(patient=patient, procedures=[NewProcedure(catalogue=procedure.id)]), source="test"
    )
    return made.order.id, made.order.procedures[0].steps[0].id


@pytest.fixture
def department(database: Database, serving: Callable[[], Any]) -> Iterator[SimpleNamespace]:
    """The demonstration's rooms, an appointment at 8:00 in two of them, an order that waits; over HTTP, with a worker."""
    if not (DIST / "index.html").exists():
        pytest.skip("NO WEB APPLICATION: it is not built here; `make web` does it")
    load_catalogue(database)
    users.create(database, name="clara", roles=["secretary"], password=PASSWORD)
    rules = Rules(zone=PARIS)
    with database.connection() as connection:
        rooms = Resources(connection)
        found = [
            rooms.find(ResourceKind.ROOM, name)
            for name in ("Scanner 2", "Scanner 3 (interventionnel)")
        ]
        for name, room in zip(("ABADIE", "BERNARD"), found, strict=True):
            assert room is not None
            _, step = order(connection, name, "Paul")
            Appointments(connection, rules, source="user:test").book(
                [
                    Place(
                        step=step,
                        start_at=START,
                        end_at=START + timedelta(minutes=20),
                        room=room.id,
                    )
                ]
            )
        wanted, _ = order(connection, "MARTIN", "Zoé")
    numbers = [room.id for room in found if room is not None]
    with serving() as url:
        yield SimpleNamespace(url=url, order=wanted, rooms=numbers, database=database)


def test_an_order_is_booked_dragged_and_told_what_is_in_the_way(
    drive: Callable[..., Any], department: SimpleNamespace, tmp_path: Path
) -> None:
    """What the page says is what the database has afterwards."""
    report = drive(
        "calendar.mjs",
        timeout_s=200,
        url=department.url,
        order=department.order,
        rooms=department.rooms,
        taken="ABADIE",
        password=PASSWORD,
        day=START.date().isoformat(),
        screenshots=os.environ.get("NEGATOSCOPE_SCREENSHOTS") or str(tmp_path),
    )
    assert report["problem"] is None, report
    refusals = [line for line in report["console"] if "status of 409" in line]
    assert len(refusals) == 1, report["console"]
    assert len(report["console"]) == 1
    assert report["violations"] == report["serious"] == []
    seen = report["seen"]
    assert "08:20" in seen["proposal"]
    assert seen["booked"].startswith("Rendez-vous pris à 08:20, Scanner")
    assert seen["dragged"] == "Déplacé à 10:15, Scanner 3 (interventionnel)."
    assert "ABADIE" in seen["inTheWay"]
    assert "Scanner 2" in seen["inTheWay"]
    assert seen["keyed"] == "Déplacé à 10:25, Scanner 2."
    assert seen["colleagueMs"] < 5000, (
        "the calendar of a colleague is told, and not read every 10 s"
    )
    with department.database.connection() as connection:
        kept = connection.execute(
            "SELECT lower(a.during), r.name, a.overbooking_reason FROM appointment a"
            " JOIN booking b ON b.appointment_fk = a.id JOIN resource r ON r.id = b.resource_fk"
            " JOIN appointment_step s ON s.appointment_fk = a.id"
            " JOIN scheduled_procedure_step p ON p.id = s.step_fk"
            " JOIN requested_procedure q ON q.id = p.procedure_fk"
            " WHERE q.request_fk = %s AND r.kind = 'ROOM'",
            (department.order,),
        ).fetchall()
    assert kept == [(START.replace(hour=10, minute=25), "Scanner 2", "")]
