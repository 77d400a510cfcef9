"""Scheduled steps as workitems, from booking to the end."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from negatoscope.domain.orders import StepState, step_changed
from negatoscope.domain.scheduling.worklist import ModalityWorklist
from negatoscope.domain.ups import Worklist
from negatoscope.domain.ups.scheduled import ScheduledWorkitems, workitem_uid
from negatoscope.infra.db import Database
from negatoscope.infra.events import Event
from negatoscope.subscribers.workitems import StepWorkitems
from rows import Rows


@pytest.fixture
def step(database: Database) -> int:
    with database.connection() as connection:
        rows = Rows(connection)
        patient = rows.patient("DUPONT", "ZOÉ")
        rows.identifier(patient, rows.authority("CHU"), "8001")
        request = rows.order(patient, accession="A1", priority="STAT")
        procedure = rows.procedure(
            request,
            study_instance_uid="1.2.3",
            code_value="ZBQK001",
            coding_scheme_designator="CCAM",
        )
        start = datetime.now(UTC) + timedelta(hours=1)
        return rows.step(procedure, description="Thorax", start_at=start)


@pytest.fixture
def following(database: Database) -> ScheduledWorkitems:
    worklist = ModalityWorklist(database=database, zone=ZoneInfo("Europe/Paris"))
    return ScheduledWorkitems(worklist, Worklist(database))


def go(database: Database, step: int, *states: StepState) -> None:
    with database.connection() as connection:
        for state in states:
            step_changed(connection, step, state, source="dicom:CT1")


def state_of(database: Database, step: int, number: int = 0) -> str:
    return str(Worklist(database).retrieve(workitem_uid(step, number)).state)


def test_a_booked_step_is_a_workitem(database: Database, step: int, following: Any) -> None:
    following.bring_up_to_date(step)
    following.bring_up_to_date(step)
    keys = {"00100020": {"vr": "LO", "Value": ["8001"]}}
    (item,) = Worklist(database).search(keys)
    found = item.attributes
    assert found["00741200"]["Value"] == ["HIGH"]
    assert found["00741204"]["Value"] == ["Thorax"]
    assert found["00404025"]["Value"][0]["00080100"]["Value"] == ["CT1"]
    assert found["0040A370"]["Value"][0]["00080050"]["Value"] == ["A1"]
    assert found["00404018"]["Value"][0]["00080100"]["Value"] == ["ZBQK001"]


def test_it_begins_and_ends_with_the_step(database: Database, step: int, following: Any) -> None:
    following.bring_up_to_date(step)
    go(database, step, StepState.STARTED)
    following.bring_up_to_date(step)
    following.bring_up_to_date(step)
    assert state_of(database, step) == "IN PROGRESS"
    go(database, step, StepState.COMPLETED)
    following.bring_up_to_date(step)
    assert state_of(database, step) == "COMPLETED"


def test_discontinued_is_canceled(database: Database, step: int, following: Any) -> None:
    following.bring_up_to_date(step)
    go(database, step, StepState.STARTED, StepState.DISCONTINUED)
    following.bring_up_to_date(step)
    assert state_of(database, step) == "CANCELED"


def test_moved_is_changed_and_booked_again_is_another(
    database: Database, step: int, following: Any
) -> None:
    following.bring_up_to_date(step)
    with database.connection() as connection:
        connection.execute("UPDATE scheduled_procedure_step SET location = 'SALLE 2'")
    following.bring_up_to_date(step)
    item = Worklist(database).retrieve(workitem_uid(step, 0))
    assert item.attributes["00404027"]["Value"][0]["00080100"]["Value"] == ["SALLE 2"]
    go(database, step, StepState.WAITING)
    following.bring_up_to_date(step)
    assert state_of(database, step) == "CANCELED"
    with database.connection() as connection:
        connection.execute(
            "UPDATE scheduled_procedure_step SET state = 'SCHEDULED', start_at = now()"
        )
    following.bring_up_to_date(step)
    assert state_of(database, step, 1) == "SCHEDULED"


def test_what_somebody_else_claimed_is_theirs(
    database: Database, step: int, following: Any
) -> None:
    following.bring_up_to_date(step)
    Worklist(database).change_state(workitem_uid(step, 0), "IN PROGRESS", "1.2.99")
    go(database, step, StepState.STARTED, StepState.COMPLETED)
    following.bring_up_to_date(step)
    assert state_of(database, step) == "IN PROGRESS"


@pytest.mark.parametrize("is_on", [True, False])
def test_events_are_followed_where_settings_say_so(
    database: Database, step: int, *, is_on: bool
) -> None:
    worklist = ModalityWorklist(database=database, zone=ZoneInfo("Europe/Paris"))
    subscriber = StepWorkitems(lambda: worklist if is_on else None)
    with database.connection() as connection:
        request = connection.execute("SELECT id FROM imaging_service_request").fetchone()
        assert request is not None
        event = Event(
            id=1,
            kind="workflow-changed",
            payload={"kind": "BOOKED", "request": request[0]},
            created_at=datetime.now(UTC),
            attempts=0,
        )
        subscriber.on_workflow_changed(connection, event)
    assert len(list(Worklist(database).search({}))) == int(is_on)
