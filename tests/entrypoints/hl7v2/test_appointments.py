"""What SIU messages do to the department's appointments."""

import itertools
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from negatoscope.domain.messages import Messages, Processor, State
from negatoscope.domain.orders import NewOrder, NewProcedure, Orders
from negatoscope.domain.scheduling.appointments import Appointments
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.entrypoints.hl7v2.acceptance import examine
from negatoscope.entrypoints.hl7v2.handling import handle
from ordering import catalogue_entry, register

PARIS = ZoneInfo("Europe/Paris")
_NUMBERS = itertools.count(1)
SCH = "SCH|{placer}^AGENDA|||||{reason}|||20|min|||||||||||||||{status}|{order}"
RESOURCES = ("AIG|1|A|CT1^Scanner|CT^^DCM", "AIL|1|A|^{room}^^^^^^^Site A")


class Desk:
    """Sends messages and lets them have their effect."""

    def __init__(self, database):
        self.database = database
        self.messages = Messages(database)

    def receive(self, content):
        arrival, _ = examine(content, peer="127.0.0.1")
        (receipt,) = self.messages.store([arrival])
        Processor(self.database, handle).process_waiting()
        return self.messages.get(receipt.id)[0]

    def tell(self, event, **more):
        given = {
            "placer": "RDV1",
            "reason": "",
            "status": "Booked",
            "order": "P1^DPI",
            "patient": "1",
        }
        given |= {"room": "CT 1", "start": "20270302090000", "duration": "20|min", **more}
        segments = (
            f"MSH|^~\\&|AGENDA|CHU|RIS|CHU|20260102||SIU^{event}^SIU_S12|{next(_NUMBERS)}|P|2.5.1|||||FRA|UNICODE UTF-8",
            SCH,
            "PID|||{patient}^^^CHU-X&750&N^PI||DURAND^Zoé^^^^^L||19800101|F",
            "RGS|1|A",
            "AIS|1|A|{code}^Scanner^CCAM|{start}|||{duration}",
            *more.get("resources", RESOURCES),
            "",
        )
        given.setdefault("code", "ACQH003")
        return self.receive("\r".join(segments).format(**given).encode())

    def appointment(self, number):
        with self.database.connection() as connection:
            return Appointments(connection, Rules(zone=PARIS)).get(number)


@pytest.fixture
def desk(module_database):
    """A CT room, a patient whose order P1 waits, a catalogue of two procedures."""
    database = module_database
    found = Desk(database)
    with database.connection() as connection:
        connection.execute(
            "TRUNCATE resource, catalogue_procedure, registered_patient, imaging_service_request,"
            " appointment, workflow_event, hl7_message RESTART IDENTITY CASCADE"
        )
        catalogue = catalogue_entry(connection, "ACQH003")
        catalogue_entry(connection, "ACQH001")
        for name in ("CT 1", "CT 2"):
            (room,) = connection.execute(
                "INSERT INTO resource (kind, name) VALUES ('ROOM', %s) RETURNING id", (name,)
            ).fetchone()
            connection.execute(
                "INSERT INTO resource (kind, name, room_fk, modality, ae_title)"
                " VALUES ('DEVICE', %s, %s, 'CT', %s)",
                (f"Scanner {name}", room, name.replace(" ", "")),
            )
            connection.execute(
                "INSERT INTO opening_hours (resource_fk, weekday, opens, closes)"
                " SELECT %s, day, '08:00', '18:00' FROM generate_series(1, 5) day",
                (room,),
            )
        connection.execute("INSERT INTO resource (kind, name) VALUES ('STAFF', 'Léa Anès')")
    found.receive(
        b"MSH|^~\\&|GAM|CHU|RIS|CHU|20260102||ADT^A28|0|P|2.5\rPID|||1^^^CHU-X&750&N^PI||DURAND^Zo||19800101|F\r"
    )
    with database.connection() as connection:
        (patient,) = connection.execute("SELECT id FROM registered_patient").fetchone()
        new = NewOrder(
            patient=patient,
            procedures=[NewProcedure(catalogue=catalogue)],
            placer_order_number="P1",
            placer_issuer="DPI",
        )
        Orders(connection).create(new, source="user:test")
    return found


def paris(text):
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def test_new_moved_changed_cancelled(desk):
    done = desk.tell("S12")
    assert (done.state, done.effect["done"]) == (State.PROCESSED, "booked"), done.state_reason
    number = done.effect["appointment"]
    made = desk.appointment(number)
    assert (made.start_at, made.end_at) == (paris("2027-03-02 09:00"), paris("2027-03-02 09:20"))
    assert (made.placer_appointment_id, made.source) == ("RDV1", f"hl7:{done.id}")
    assert made.steps[0].state == "SCHEDULED"

    again = desk.tell("S12")
    assert again.effect["appointment"] == number  # said twice, booked once
    moved = desk.tell("S13", start="202703031000+0100", duration="1800|s")
    assert moved.effect == {"appointment": number, "done": "changed"}
    made = desk.appointment(number)
    assert (made.start_at, made.end_at) == (paris("2027-03-03 10:00"), paris("2027-03-03 10:30"))
    there = desk.tell("S14", start="202703031000", resources=["AIG|1|U|CT2"])
    assert there.state is State.PROCESSED, there.state_reason
    assert desk.appointment(number).resources != made.resources
    gone = desk.tell("S15", reason="^patient malade")
    assert gone.effect == {"appointment": number, "done": "cancelled"}
    assert desk.appointment(number).state_reason == "patient malade"
    assert desk.tell("S15").effect["done"] == "nothing"
    assert desk.tell("S13").state is State.FAILED


def test_who_did_not_come_and_is_booked_again(desk):
    number = desk.tell("S12").effect["appointment"]
    assert desk.tell("S26").effect == {"appointment": number, "done": "no show"}
    assert desk.appointment(number).steps[0].state == "WAITING"
    assert desk.tell("S12", placer="RDV2").effect["done"] == "booked"


def test_without_an_order_one_is_made_from_the_catalogue(desk):
    done = desk.tell(
        "S12",
        order="",
        code="ACQH001",
        resources=[*RESOURCES, "AIP|1|A|^Anès^Léa", "AIP|2|A|^Inconnu"],
    )
    assert done.state is State.PROCESSED, done.state_reason
    assert len(done.effect["notes"]) == 2
    made = desk.appointment(done.effect["appointment"])
    assert (made.steps[0].accession_number != "", len(made.resources)) == (True, 3)
    refused = desk.tell("S12", placer="RDV9", order="", code="XXXX000")
    assert (refused.state, refused.state_reason) == (
        State.FAILED,
        "AIS-3: this procedure is not in the catalogue",
    )


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"resources": ["AIL|1|A|^Salle X"]}, "AIL-3: this room is not known here"),
        ({"resources": ["AIG|1|A|MR9"]}, "AIG-3: this device is not known here"),
        ({"order": "P9^DPI"}, "SCH-26: no order has this number"),
        ({"patient": "2"}, "PID-3: order 1 is another patient's"),
        ({"start": ""}, "AIS-4: no time is given"),
        ({"start": "20270307090000"}, "CT 1, Scanner CT 1 cannot be booked then: CT 1 closed"),
        ({"start": "tomorrow"}, "AIS-4: no time is given"),
    ],
)
def test_what_a_person_must_look_at(desk, more, reason):
    done = desk.tell("S12", **more)
    assert done.state is State.FAILED
    assert done.state_reason.startswith(reason)
    with desk.database.connection() as connection:
        assert connection.execute("SELECT count(*) FROM appointment").fetchone()[0] == 0


def test_a_taken_room_is_named_with_its_time(desk):
    desk.tell("S12")
    with desk.database.connection() as connection:
        register(connection, "other")
    done = desk.tell("S12", placer="RDV2", order="", patient="3")
    assert done.state is State.FAILED
    assert "CT 1 appointment 2027-03-02 09:00 to 2027-03-02 09:20" in done.state_reason
    assert "DURAND" not in done.state_reason


@pytest.mark.parametrize(
    ("content", "code", "segment"),
    [
        ("SIU^S17|1|P|2.5.1\rSCH|1\r", "AR", "MSH"),
        ("SIU^S12|1|P|2.5.1\rPID|||1^^^CHU^PI\rAIL|1|A|^CT 1\r", "AE", "SCH"),
        ("SIU^S12|1|P|2.5.1\rSCH||\rPID|||1^^^CHU^PI\r", "AE", "SCH"),
        ("SIU^S12|1|P|2.5.1\rSCH|1\rPID|||1^^^CHU^PI\rAIS|1|A|X\r", "AE", "AIL"),
        ("SIU^S12|1|P|2.5.1\rSCH|1\rAIL|1|A|^CT 1\r", "AE", "PID"),
        (
            "SIU^S12|1|P|2.5.1\rSCH|" + "9" * 101 + "\rPID|||1^^^CHU^PI\rAIL|1|A|^CT 1\r",
            "AE",
            "SCH",
        ),
    ],
)
def test_what_is_refused_at_once(content, code, segment):
    arrival, _ = examine(f"MSH|^~\\&|AGENDA|CHU|RIS|CHU|20260102||{content}".encode(), peer="")
    assert (arrival.verdict.code, arrival.verdict.segment) == (code, segment)
    assert arrival.verdict.reason


def test_the_official_example_without_an_appointment_is_refused(shared_data: Path):
    content = (shared_data / "hl7" / "SIU_S12-NewAppointmentBooking.hl7").read_bytes()
    arrival, _ = examine(content, peer="")
    assert (arrival.verdict.code, arrival.verdict.reason) == (
        "AE",
        "the message has no appointment",
    )


def test_our_own_number_is_understood(desk):
    done = desk.tell("S12")
    ours = done.effect["appointment"]
    content = (
        "MSH|^~\\&|AGENDA|CHU|RIS|CHU|20260102||SIU^S15^SIU_S12|77|P|2.5.1\r"
        f"SCH||{ours}^NEGATOSCOPE\r"
    )
    assert desk.receive(content.encode()).effect == {"appointment": ours, "done": "cancelled"}
    assert desk.appointment(ours).state == "CANCELLED"
