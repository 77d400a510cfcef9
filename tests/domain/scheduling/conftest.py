"""A small department: three CT rooms, an MR, orders with steps that wait."""

import itertools
from datetime import datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry
from negatoscope.domain.scheduling.appointments import Appointments
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.domain.scheduling.model import Place

PARIS = ZoneInfo("Europe/Paris")
_NUMBERS = itertools.count(1)


def paris(text):
    """An instant by the clocks of Paris: ``2027-03-02 09:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def one(connection, sql, *parameters):
    """The first column of the first row."""
    return connection.execute(sql, parameters).fetchone()[0]


class Department:
    """Rooms, devices, patients and orders, made by rows of the tables."""

    def __init__(self, database):
        self.database = database
        self.rules = Rules(zone=PARIS, holidays="FR-57")

    def room(
        self, connection, name, modality="", *, opens="08:00", closes="18:00", days=range(1, 6)
    ):
        """A room open on weekdays, with a device when a modality is given; their numbers."""
        room = one(
            connection, "INSERT INTO resource (kind, name) VALUES ('ROOM', %s) RETURNING id", name
        )
        for day in days:
            connection.execute(
                "INSERT INTO opening_hours (resource_fk, weekday, opens, closes) VALUES (%s, %s, %s, %s)",
                (room, day, opens, closes),
            )
        device = None
        if modality:
            device = one(
                connection,
                "INSERT INTO resource (kind, name, room_fk, modality, ae_title, station_name)"
                " VALUES ('DEVICE', %s, %s, %s, %s, %s) RETURNING id",
                f"{modality} of {name}",
                room,
                modality,
                name.upper().replace(" ", "_"),
                f"ST{room}",
            )
        return room, device

    def person(self, connection, name):
        sql = "INSERT INTO resource (kind, name, profession) VALUES ('STAFF', %s, 'ANAESTHETIST') RETURNING id"
        return one(connection, sql, name)

    def patient(self, connection):
        number = next(_NUMBERS)
        identifier = Identifier(
            value=f"IPP{number}", authority=Authority(namespace="CHU"), type_code="PI"
        )
        done = Registry(connection).register(
            updates={
                "birth_name": PersonName(family="MARTIN", given="Zoé"),
                "birth_date": "19800102",
            },
            identifiers=[identifier],
            source="test",
        )
        return done.patient

    def step(
        self,
        connection,
        *,
        patient=None,
        request=None,
        modality="CT",
        duration_min=20,
        vetting="NOT NEEDED",
        catalogue=None,
    ):
        """An order with one step that waits; the step's number."""
        number = next(_NUMBERS)
        if request is None:
            request = one(
                connection,
                "INSERT INTO imaging_service_request (patient_fk, accession_number, filler_order_number,"
                " state, source) VALUES (%s, %s, %s, 'REQUESTED', 'test') RETURNING id",
                patient or self.patient(connection),
                f"A{number}",
                f"F{number}",
            )
        procedure = one(
            connection,
            "INSERT INTO requested_procedure (request_fk, requested_procedure_id, study_instance_uid,"
            " procedure_fk, description, modality, duration_min, vetting, state)"
            " VALUES (%s, %s, %s, %s, 'Scanner thoracique', %s, %s, %s, 'REQUESTED') RETURNING id",
            request,
            f"RP{number}",
            f"1.2.3.{number}",
            catalogue,
            modality,
            duration_min,
            vetting,
        )
        sql = (
            "INSERT INTO scheduled_procedure_step (procedure_fk, scheduled_procedure_step_id, modality)"
            " VALUES (%s, %s, %s) RETURNING id"
        )
        return one(connection, sql, procedure, f"SPS{number}", modality)

    def appointments(self, connection, source="user:zoe"):
        return Appointments(connection, self.rules, source=source)

    def place(self, step, room, start, end, **more):
        return Place(step=step, room=room, start_at=paris(start), end_at=paris(end), **more)


@pytest.fixture
def department(module_database):
    """An empty department."""
    with module_database.connection() as connection:
        connection.execute(
            "TRUNCATE resource, catalogue_procedure, registered_patient, imaging_service_request,"
            " appointment, workflow_event CASCADE"
        )
    return Department(module_database)


@pytest.fixture
def ct(department):
    """One CT room with its device, and three steps of three patients."""
    with department.database.connection() as connection:
        room, device = department.room(connection, "CT 1", "CT")
        steps = [department.step(connection) for _ in range(3)]
    return SimpleNamespace(room=room, device=device, steps=steps)
