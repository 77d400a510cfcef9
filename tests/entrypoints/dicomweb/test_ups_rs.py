"""UPS-RS (PS3.18 §11): the workitem's life over HTTP, its refusals, its events over WebSocket."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
import websockets

from negatoscope.subscribers import audit

JSON = {"Content-Type": "application/dicom+json"}
ALL, FILTERED = "1.2.840.10008.5.1.4.34.5", "1.2.840.10008.5.1.4.34.5.1"
KEY = "1.2.3.4"


def code(value: str) -> dict[str, Any]:
    return {
        "00080100": {"vr": "SH", "Value": [value]},
        "00080102": {"vr": "SH", "Value": ["99TEST"]},
        "00080104": {"vr": "LO", "Value": [value]},
    }


STEP = {
    "00741000": {"vr": "CS", "Value": ["SCHEDULED"]},
    "00741200": {"vr": "CS", "Value": ["MEDIUM"]},
    "00741204": {"vr": "LO", "Value": ["Read the chest"]},
    "00741202": {"vr": "LO", "Value": ["Reading"]},
    "00404005": {"vr": "DT", "Value": ["20261124080000"]},
    "00404041": {"vr": "CS", "Value": ["READY"]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "DUPONT^Éloïse"}]},
    "00100020": {"vr": "LO", "Value": ["P1"]},
}
PERFORMED = {
    "00741216": {
        "vr": "SQ",
        "Value": [
            {
                "00404028": {"vr": "SQ", "Value": [code("ROOM1")]},
                "00404050": {"vr": "DT", "Value": ["20261124081000"]},
                "00404051": {"vr": "DT", "Value": ["20261124082000"]},
                "00404019": {"vr": "SQ", "Value": [code("READ")]},
            }
        ],
    }
}
DISCONTINUED = {
    "00741002": {
        "vr": "SQ",
        "Value": [
            {
                "00404052": {"vr": "DT", "Value": ["20261124081500"]},
                "0074100E": {"vr": "SQ", "Value": [code("STOP")]},
            }
        ],
    }
}


class Wire:
    """Short words for the transactions."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        content = {} if body is None else {"content": json.dumps(body), "headers": JSON}
        return self.client.request(method, f"/dicom-web/workitems{path}", **content, **more)

    def create(self, body: Any = STEP, uid: str = "") -> Any:
        return self.call("POST", f"?{uid}" if uid else "", [body])

    def state(self, uid: str, state: str, lock: str = KEY) -> Any:
        body = {"00741000": {"vr": "CS", "Value": [state]}}
        if lock:
            body["00081195"] = {"vr": "UI", "Value": [lock]}
        return self.call("PUT", f"/{uid}/state", [body])


@pytest.fixture
def wire(served: Any) -> Wire:
    return Wire(served.client())


def test_life_of_a_workitem(wire: Wire, served: Any) -> None:
    """Created, found, claimed, updated, completed, retrieved; audited."""
    created = wire.create(uid="1.2.3")
    assert created.status_code == 201
    assert created.headers["location"] == "http://archive.test/dicom-web/workitems/1.2.3"
    assert "modifications" in created.headers["warning"]  # type 2 attributes were missing
    assert wire.create(uid="1.2.3").status_code == 409
    found = wire.call("GET", "?PatientID=P1&ProcedureStepState=SCHEDULED")
    assert [one["00080018"]["Value"] for one in found.json()] == [["1.2.3"]]
    assert found.json()[0]["00100010"]["Value"][0]["Alphabetic"] == "DUPONT^Éloïse"
    assert wire.state("1.2.3", "IN PROGRESS").status_code == 200
    assert wire.call("POST", "/1.2.3?transaction=1.2.9", [PERFORMED]).status_code == 409
    assert wire.call("POST", f"/1.2.3?transaction={KEY}", [PERFORMED]).status_code == 200
    assert wire.state("1.2.3", "COMPLETED").status_code == 200
    again = wire.state("1.2.3", "COMPLETED")
    assert (again.status_code, "already" in again.headers["warning"]) == (200, True)
    item = wire.call("GET", "/1.2.3").json()[0]
    assert item["00741000"]["Value"] == ["COMPLETED"]
    assert "00081195" not in item
    noted = [event.detail.get("transaction") for event in audit.search(served.services.database)]
    assert {"create", "search", "change state", "update", "retrieve"} <= set(noted)


STATES = ("SCHEDULED", "IN PROGRESS", "COMPLETED", "CANCELED")
TABLE = {  # PS3.4 Table CC.1.1-2 as PS3.18 §11.7 says it; "" where the change is made
    ("IN PROGRESS", KEY): ("", "C302", "C300", "C300"),
    ("IN PROGRESS", "1.2.9"): ("", "C301", "C301", "C301"),
    ("IN PROGRESS", ""): ("C301", "C301", "C301", "C301"),
    ("SCHEDULED", KEY): ("C303", "C303", "C303", "C303"),
    ("COMPLETED", KEY): ("C310", "", "B306", "C300"),
    ("COMPLETED", "1.2.9"): ("C310", "C301", "C301", "C301"),
    ("CANCELED", KEY): ("C310", "", "C300", "B304"),
    ("CANCELED", ""): ("C301", "C301", "C301", "C301"),
    ("DONE", KEY): ("0106", "0106", "0106", "0106"),
}


def brought_to(wire: Wire, state: str, uid: str) -> None:
    """A workitem in a state, ready for either end."""
    assert wire.create(uid=uid).status_code == 201
    if state != "SCHEDULED":
        assert wire.state(uid, "IN PROGRESS").status_code == 200
        ready = PERFORMED | DISCONTINUED
        assert wire.call("POST", f"/{uid}?transaction={KEY}", [ready]).status_code == 200
    if state in ("COMPLETED", "CANCELED"):
        assert wire.state(uid, state).status_code == 200


def test_every_change_in_every_state(wire: Wire) -> None:
    """The whole state table over HTTP: status, DIMSE twin, Warning."""
    for number, (asked, lock) in enumerate(TABLE):
        for place, state in enumerate(STATES):
            uid = f"1.2.3.{number}.{place}"
            brought_to(wire, state, uid)
            answer = wire.state(uid, asked, lock)
            expected = TABLE[asked, lock][place]
            case = (state, asked, lock, answer.text)
            if expected in ("", "B304", "B306"):
                assert answer.status_code == 200, case
                assert ("already" in answer.headers.get("warning", "")) == bool(expected), case
                continue
            assert answer.json()["dicom_status"] == expected, case
            assert answer.status_code == (400 if expected == "0106" else 409), case
            if expected == "C301":
                assert ("incorrect" if lock else "missing") in answer.headers["warning"], case


def test_an_end_has_its_requirements(wire: Wire) -> None:
    """409 before what the final state requires has a value; what lacks it is named."""
    wire.create(uid="1.2.3")
    wire.state("1.2.3", "IN PROGRESS")
    for state in ("COMPLETED", "CANCELED"):
        answer = wire.state("1.2.3", state)
        assert (answer.status_code, answer.json()["dicom_status"]) == (409, "C304")
        assert answer.json()["attributes"]


def test_bad_input(wire: Wire, served: Any) -> None:
    """Each refusal has its status; nothing is kept."""
    client = served.client()
    url = "/dicom-web/workitems"
    assert client.post(url, content="{}", headers={"Content-Type": "text/plain"}).status_code == 415
    for body, status in (("no", 400), ("[]", 400), ("[{},{}]", 400), ("[{}]", 400), ("[7]", 400)):
        assert client.post(url, content=body, headers=JSON).status_code == status, body
    assert client.post(url, content="x" * (5 << 20), headers=JSON).status_code == 413
    assert wire.create(STEP | {"00741000": {"vr": "CS", "Value": ["COMPLETED"]}}).status_code == 400
    for path in ("/1.2.9", "/1.2.9/", "/abc"):
        assert wire.call("GET", path).status_code in (400, 404)
    assert wire.state("1.2.9", "IN PROGRESS").json()["dicom_status"] == "C307"
    assert wire.call("POST", "/1.2.9/cancelrequest").status_code == 404
    assert wire.call("POST", "/1.2.9/subscribers/VIEWER").status_code == 404
    assert wire.call("POST", f"/{ALL}/subscribers/VIEWER?deletionlock=maybe").status_code == 400
    assert wire.call("POST", f"/{ALL}/subscribers/{'X' * 17}").status_code == 400
    assert wire.call("DELETE", "/1.2.9").status_code == 405
    assert wire.call("GET", "").status_code == 204
    for role, status in ((None, 401), ("clinician", 403), ("patient", 403)):
        assert served.client(role).get(url).status_code == status


def test_cancelling(wire: Wire) -> None:
    """202 when it is taken, 409 when it is over or nobody could be told."""
    wire.create(uid="1.2.3")
    assert wire.call("POST", "/1.2.3/cancelrequest", [{}]).status_code == 202
    over = wire.call("POST", "/1.2.3/cancelrequest")
    assert (over.status_code, "CANCELED" in over.headers["warning"]) == (409, True)
    wire.create(uid="1.2.4")
    wire.state("1.2.4", "IN PROGRESS")
    assert wire.call("POST", "/1.2.4/cancelrequest").json()["dicom_status"] == "C312"


def test_paging_and_fields(wire: Wire) -> None:
    """limit, offset, includefield, and a word about what is left."""
    for number in range(3):
        wire.create(uid=f"1.2.{number}")
    first = wire.call("GET", "?limit=2&ProcedureStepLabel=Read*")
    assert (len(first.json()), "additional" in first.headers["warning"]) == (2, True)
    rest = wire.call("GET", "?limit=2&offset=2&includefield=all")
    assert [one["00080018"]["Value"] for one in rest.json()] == [["1.2.2"]]
    assert "00741216" in rest.json()[0]
    assert wire.call("GET", "?ProcedureStepLabel=Other").status_code == 204
    assert wire.call("GET", "?ScheduledProcedureStepStartDateTime=soon").status_code == 400
    assert wire.call("GET", "?Nonsense=1").status_code == 400


def test_xml_both_ways(wire: Wire, served: Any) -> None:
    """The Native DICOM Model is taken and given."""
    wire.create(uid="1.2.3")
    client = served.client()
    url = "/dicom-web/workitems"
    one = client.get(f"{url}/1.2.3", headers={"Accept": "application/dicom+xml"})
    assert b'keyword="ProcedureStepLabel"' in one.content
    many = client.get(url, headers={"Accept": 'multipart/related; type="application/dicom+xml"'})
    assert many.headers["content-type"].startswith("multipart/related")
    again = one.content.replace(b"1.2.3<", b"1.2.4<")
    xml = {"Content-Type": "application/dicom+xml"}
    assert client.post(f"{url}?1.2.4", content=again, headers=xml).status_code == 201
    assert client.post(url, content=b"<no/>", headers=xml).status_code == 400


def test_subscriptions(wire: Wire) -> None:
    """201 with the address of the channel; suspended and deleted."""
    answer = wire.call("POST", f"/{ALL}/subscribers/VIEWER?deletionlock=true")
    assert answer.status_code == 201
    assert answer.headers["content-location"] == "ws://archive.test/dicom-web/subscribers/VIEWER"
    query = "ScheduledProcedureStepPriority=HIGH&deletionlock=false"
    assert wire.call("POST", f"/{FILTERED}/subscribers/OTHER?{query}").status_code == 201
    assert wire.call("POST", f"/{ALL}/subscribers/VIEWER/suspend").status_code == 200
    assert wire.call("POST", "/1.2.3/subscribers/VIEWER/suspend").status_code == 400
    assert wire.call("DELETE", f"/{ALL}/subscribers/VIEWER").status_code == 200


def test_events_over_websocket(running: Any, wire: Wire) -> None:
    """Told while the channel is open, and what happened while it was not; from any process."""
    url = running.url.replace("http", "ws") + "/dicom-web/subscribers/VIEWER"
    wire.call("POST", f"/{ALL}/subscribers/VIEWER")
    loop = asyncio.new_event_loop()

    async def take(channel: Any) -> tuple[str, int, str]:
        event = json.loads(await asyncio.wait_for(channel.recv(), 10))
        state = event.get("00741000", {"Value": [""]})["Value"][0]
        return event["00001000"]["Value"][0], event["00001002"]["Value"][0], state

    async def go() -> None:
        def create(**more: Any) -> None:
            assert wire.create(**more).status_code == 201

        def change(uid: str, state: str) -> None:
            assert wire.state(uid, state).status_code == 200

        async with websockets.connect(url, additional_headers=running.headers) as channel:
            await asyncio.to_thread(create, uid="1.2.3")
            assert await take(channel) == ("1.2.3", 1, "SCHEDULED")
            await asyncio.to_thread(change, "1.2.3", "IN PROGRESS")
            assert await take(channel) == ("1.2.3", 1, "IN PROGRESS")
            await channel.send("what a client says is not listened to")
        await asyncio.to_thread(create, uid="1.2.4")
        async with (
            websockets.connect(url, additional_headers=running.headers) as one,
            websockets.connect(url, additional_headers=running.headers) as two,
        ):
            assert await take(one) == ("1.2.4", 1, "SCHEDULED")
            await asyncio.to_thread(change, "1.2.4", "IN PROGRESS")
            assert await take(one) == ("1.2.4", 1, "IN PROGRESS")
            assert (await take(two))[0] == "1.2.4"
        for wrong, headers in (
            (url, {}),
            (url, {"Authorization": "Bearer forged"}),
            (url.replace("VIEWER", "A%5CB"), running.headers),
            (url.replace("/subscribers/VIEWER", "/studies"), running.headers),
        ):
            with pytest.raises((websockets.InvalidStatus, websockets.ConnectionClosed)):
                async with websockets.connect(wrong, additional_headers=headers) as channel:
                    await asyncio.wait_for(channel.recv(), 10)

    loop.run_until_complete(go())
    loop.close()


def test_a_consumer_that_takes_nothing_is_closed(
    served: Any, wire: Wire, monkeypatch: pytest.MonkeyPatch, helpers: SimpleNamespace
) -> None:
    """Its place in the queue is kept: the next channel goes on from there."""
    monkeypatch.setattr("negatoscope.entrypoints.dicomweb.ups_channel.SEND_S", 0.1)
    wire.call("POST", f"/{ALL}/subscribers/VIEWER")
    wire.create(uid="1.2.3")
    token = served.token()
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not sent:
            return {"type": "websocket.connect"}
        await asyncio.sleep(60)
        return {"type": "websocket.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if message["type"] == "websocket.send":
            await asyncio.sleep(60)

    scope = {
        "type": "websocket",
        "path": "/dicom-web/subscribers/VIEWER",
        "scheme": "ws",
        "headers": [(b"authorization", b"Bearer " + token.encode())],
        "client": ("127.0.0.1", 1),
    }
    helpers.loop.run_until_complete(served.application(scope, receive, send))
    assert [message["type"] for message in sent] == [
        "websocket.accept", "websocket.send", "websocket.close",
    ]  # fmt: skip
    assert sent[-1]["code"] == 1013
    with served.services.database.connection() as connection:
        row = connection.execute("SELECT told_event_id FROM ups_subscriber").fetchone()
    assert row == (0,)
