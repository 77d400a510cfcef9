"""The department board over HTTP: the day as pages ask for it, and how they are told of changes."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from department import Department
from negatoscope.domain.orders import KIND, WorkflowKind, record
from negatoscope.entrypoints.api.board import BoardDay
from negatoscope.entrypoints.worker.outbox import OutboxConsumer
from negatoscope.infra.events import publish
from negatoscope.subscribers import notifications

PARIS = ZoneInfo("Europe/Paris")
BOARD = "/api/v1/board"


@pytest.fixture
def made(served):
    """A scanner at noon today, and just before midnight of the department yesterday."""
    with served.services.database.connection() as connection:
        department = Department(connection)
        room = department.room("Scanner 1")
        device = department.device("CT-A", room, "CT", "CT_A")
        request = department.order(department.patient("<b>LEFÈVRE</b>", "Zoé"), accession="A100")
        procedure = department.requested(request, study_instance_uid="1.2.3")
        noon = datetime.now(PARIS).replace(hour=12, minute=0, second=0, microsecond=0)
        step = department.step(procedure, noon, device_fk=device)
        late = noon.replace(hour=0) - timedelta(minutes=10)
        department.step(procedure, late, device_fk=device, state="COMPLETED")
    return {"request": request, "procedure": procedure, "step": step, "appointment": None}


def test_a_day(served, made):
    api = served.client("technologist")
    answer = api.get(BOARD)
    assert answer.status_code == 200, answer.text
    day = BoardDay.model_validate_json(answer.content)
    assert [one.step for one in day.rows] == [made["step"]]
    assert day.rows[0].birth_name.family == "<b>LEFÈVRE</b>"
    assert day.day == datetime.now(PARIS).date()
    yesterday = {"day": (day.day - timedelta(days=1)).isoformat()}
    assert [one["state"] for one in api.get(BOARD, params=yesterday).json()["rows"]] == [
        "COMPLETED"
    ]
    changed = api.get(
        BOARD, params={"changed": True, "changed_request": [made["request"]], "modality": "CT"}
    )
    assert len(changed.json()["rows"]) == 1
    assert api.get(BOARD, params={"changed": True}).json()["rows"] == []
    assert [one["kind"] for one in api.get(f"{BOARD}/places").json()] == ["ROOM", "DEVICE"]


@pytest.mark.parametrize(
    "asked",
    [
        {"day": "tomorrow"},
        {"day": "0001-01-01"},
        {"state": "GONE"},
        {"room": "0"},
        {"changed_step": str(1 << 70)},
        {"text": "x" * 300},
        {"modality": ["CT"] * 60},
    ],
)
def test_what_cannot_be_asked(served, asked):
    assert served.client("technologist").get(BOARD, params=asked).status_code in (400, 422)


def test_it_is_for_the_department(served, made):
    for role in ("clinician", "partner", "patient", "physicist"):
        assert served.client(role).get(BOARD).status_code == 403
        assert served.client(role).get(f"{BOARD}/events").status_code == 403
    assert served.client(None).get(BOARD).status_code == 401


def events_of(lines):
    """Server-sent events as (name, data)."""
    name = "message"
    for line in lines:
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield name, json.loads(line[6:])


def test_changes_are_told(served, running, made):
    """Of orders and of images, on one stream; to a page of arrivals, images only."""
    database = served.services.database
    consumer = OutboxConsumer(
        database,
        {
            KIND: [notifications.on_workflow_changed],
            "instances-stored": [notifications.on_instances_stored],
        },
    )
    headers = running.headers | {"Accept": "text/event-stream"}
    url = f"{running.url}/api/v1/board/events"
    with (
        httpx.stream("GET", url, headers=headers, timeout=20) as board,
        httpx.stream("GET", f"{running.url}/api/v1/events", headers=headers, timeout=20) as other,
    ):
        lines, other_lines = board.iter_lines(), other.iter_lines()
        assert next(lines) == next(other_lines) == "retry: 3000"
        events = events_of(lines)
        with database.connection() as connection:
            record(connection, WorkflowKind.ARRIVED, source="user:test", **made)
        consumer.deliver_batch()
        assert next(events) == ("board", {"changes": [made | {"kind": "ARRIVED"}], "studies": []})
        with database.connection() as connection:
            publish(connection, "instances-stored", {"study_instance_uid": "1.2.3", "count": 2})
        consumer.deliver_batch()
        images = [{"study_instance_uid": "1.2.3", "count": 2}]
        assert next(events) == ("board", {"changes": [], "studies": images})
        assert next(events_of(other_lines)) == ("arrivals", {"studies": images})
    away = headers | {"Last-Event-ID": "0"}
    with httpx.stream("GET", url, headers=away, timeout=20) as answer:
        name, data = next(events_of(answer.iter_lines()))
    assert (name, len(data["changes"]), len(data["studies"])) == ("board", 1, 1)
    assert httpx.get(url, headers=running.headers).status_code == 406
