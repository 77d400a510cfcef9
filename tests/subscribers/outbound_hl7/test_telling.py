"""What other systems are told of orders, appointments and patients, and when."""

import dataclasses
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import hl7
import psycopg
import pytest

from negatoscope.domain.messages import (
    Arrival,
    Destination,
    Destinations,
    Kind,
    Messages,
    Outbound,
    OutboundMessage,
    OutboundState,
    Processor,
)
from negatoscope.domain.orders import (
    Code,
    NewOrder,
    NewProcedure,
    NewStep,
    OrderDetails,
    Orders,
    Priority,
    StepState,
    WorkflowKind,
    record,
    step_changed,
)
from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry
from negatoscope.entrypoints.hl7v2.acceptance import examine
from negatoscope.entrypoints.hl7v2.handling import handle
from negatoscope.entrypoints.worker.outbox import OutboxConsumer
from negatoscope.infra.db import Database
from negatoscope.infra.db.embedded import EmbeddedPostgres
from negatoscope.infra.events import publish
from negatoscope.protocols.hl7v2 import Message, parse
from negatoscope.subscribers.outbound_hl7 import OutboundHl7, queue_test

PARIS = ZoneInfo("Europe/Paris")
AT = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
SOURCE = "user:test"
CHU = Authority(namespace="CHU-X", universal_id="540000001", universal_id_type="M")


_NUMBERS = itertools.count(1)


class Department:
    """Does things and looks at what is queued."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.destinations = Destinations(database)
        told = OutboundHl7(PARIS)
        self.outbox = OutboxConsumer(
            database,
            {
                "workflow-changed": [told.on_workflow_changed],
                "patient-changed": [told.on_patient_changed],
                "hl7-processed": [told.on_message_processed],
            },
        )

    def destination(self, *kinds: str, **more: object) -> Destination:
        made = Destination(name=f"D{next(_NUMBERS)}", host="127.0.0.1", port=1, kinds=kinds)
        return self.destinations.add(dataclasses.replace(made, **more))

    def patient(self, value: str = "P1") -> int:
        with self.database.connection() as connection:
            return (
                Registry(connection)
                .register(
                    updates={
                        "birth_name": PersonName(
                            family="LEFÈVRE|", given="Zoé", further="Zoé Anne"
                        ),
                        "used_name": PersonName(family="MARTIN", given="Zoé"),
                        "birth_date": "19800101",
                        "sex": "F",
                        "identity_status": "VALI",
                    },
                    identifiers=[Identifier(value=value, authority=CHU, type_code="PI")],
                    source=SOURCE,
                )
                .patient
            )

    def order(self, patient: int, *, start_at: datetime | None = AT, **details: object) -> int:
        step = NewStep(
            modality="CT",
            scheduled_station_ae_title="CT1",
            scheduled_station_name="CT1",
            location="Salle 1",
            start_at=start_at,
            protocol_codes=[Code(code_value="TAP", code_meaning="Thorax, abdomen")],
        )
        procedure = NewProcedure(
            code=Code(
                code_value="ZBQK002",
                coding_scheme_designator="CCAM",
                code_meaning="Radiographie du thorax",
            ),
            modality="CT",
            steps=[step, dataclasses.replace(step, scheduled_station_ae_title="CT2")],
        )
        new = NewOrder(
            patient=patient,
            procedures=[procedure],
            placer_order_number="PL1",
            placer_issuer="DPI",
            is_accepted=True,
            details=OrderDetails(
                requesting_service="URG",
                requesting_physician="DURAND^Paul",
                requesting_physician_id="10001234567",
                priority=Priority.STAT,
                clinical_question="Fièvre & toux ?",
                admission_id="V1",
                issuer_of_admission_id="CHU-X",
                patient_weight_kg=Decimal("61.500"),
                patient_size_m=Decimal("1.680"),
                **details,
            ),
        )
        with self.database.connection() as connection:
            return Orders(connection).create(new, source=SOURCE).order.id

    def step(self, order: int, to: StepState) -> None:
        with self.database.connection() as connection:
            for one in Orders(connection).get(order).steps:
                step_changed(connection, one.id, to, source="dicom:CT1")
        self.told()

    def told(self) -> list[OutboundMessage]:
        while self.outbox.deliver_batch():
            pass
        with self.database.connection() as connection:
            rows = connection.execute("SELECT id FROM outbound_message ORDER BY id").fetchall()
            parked = connection.execute("SELECT last_error FROM outbox").fetchall()
        assert parked == []
        return [Outbound(self.database).get(row[0])[0] for row in rows]

    def actions(self) -> list[str]:
        return [one.action for one in self.told()]

    def message(self, position: int = -1) -> Message:
        found = self.told()[position]
        assert found.state == OutboundState.WAITING, found.reason
        return parse(Outbound(self.database).get(found.id)[1])


@pytest.fixture(scope="module")
def shared_database(postgres: EmbeddedPostgres, _template: str) -> Iterator[Database]:
    """One for all tests here: each begins with an empty one."""
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE telling TEMPLATE {_template} OWNER negatoscope STRATEGY FILE_COPY"
        )
    with Database(postgres.url.replace("@/negatoscope?", "@/telling?")) as opened:
        yield opened
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE telling WITH (FORCE)")


@pytest.fixture
def department(shared_database: Database) -> Department:
    with shared_database.connection() as connection:
        connection.execute(
            "TRUNCATE registered_patient, assigning_authority, hl7_destination, hl7_message, outbox,"
            " resource RESTART IDENTITY CASCADE"
        )
    return Department(shared_database)


def test_a_scheduled_procedure_goes_as_omi(department: Department) -> None:
    department.destination(Kind.ORDERS, receiving_application="PACS")
    department.order(department.patient())
    assert department.actions() == ["NW_SC"]
    message = department.message()
    assert message.header.tree(9) == [[["OMI"], ["O23"], ["OMI_O23"]]]
    assert (message.version_id, message.header.get(5)) == ("2.5.1", "PACS")
    assert message.get("TQ1", 7) == "20261125093000+0100"
    assert message.get("TQ1", 9) == "S"
    pid = message.first("PID")
    assert pid is not None
    assert pid.tree(3)[0][3] == ["CHU-X", "540000001", "M"]
    assert pid.tree(5)[0][0] == ["LEFÈVRE|"]
    ipc = message.all("IPC")
    assert [one.get(9) for one in ipc] == ["CT1", "CT2"]
    assert len({one.get(3) for one in ipc}) == 1
    assert len({one.get(4) for one in ipc}) == 2
    assert [one.get(5) for one in message.all("OBX")] == ["61.5", "168"]
    assert message.get("OBR", 31, 2) == "Fièvre & toux ?"
    assert message.get("PV1", 19) == "V1"
    # another reader sees the same
    stranger = hl7.parse(message.written())
    assert str(stranger["ORC"][0][1]) == "NW"
    assert str(stranger["IPC"][1][9]) == "CT2"
    assert stranger.unescape(str(stranger["PID"][0][5][0][0])) == "LEFÈVRE|"


def test_the_same_as_orm_with_zds(department: Department) -> None:
    department.destination(Kind.ORDERS)
    department.destination(Kind.ORDERS, order_profile="ORM^O01", character_set="8859/1")
    department.order(department.patient())
    omi, orm = (parse(Outbound(department.database).get(one.id)[1]) for one in department.told())
    assert orm.version_id == "2.3.1"
    assert "LEFÈVRE".encode("latin-1") in orm.to_bytes()
    requests = orm.all("OBR")
    ipc = omi.all("IPC")
    assert orm.get("ZDS", 1) == ipc[0].get(3)
    assert [one.get(18) for one in requests] == [one.get(1) for one in ipc]
    assert [one.get(19) for one in requests] == [one.get(2) for one in ipc]
    assert [one.get(20) for one in requests] == [one.get(4) for one in ipc]
    assert [one.get(24) for one in requests] == [one.get(5) for one in ipc]
    assert [one.get(4, 4) for one in requests] == [one.get(6) for one in ipc]
    assert orm.get("ORC", 7, 4) == omi.get("TQ1", 7)
    assert orm.get("ORC", 7, 6) == omi.get("TQ1", 9)


def test_one_procedure_from_order_to_end(department: Department) -> None:
    """Each state is told once, as the pair of ORC-1 and ORC-5; then undone, then ended."""
    department.destination(Kind.ORDERS)
    department.destination(Kind.ORDER_STATUS)
    order = department.order(department.patient(), start_at=None)
    assert department.actions() == []  # it has no time: nothing of it is on a worklist
    with department.database.connection() as connection:
        connection.execute("UPDATE scheduled_procedure_step SET start_at = %s", (AT,))
    department.step(order, StepState.SCHEDULED)
    department.step(order, StepState.STARTED)
    department.step(order, StepState.COMPLETED)
    found = department.told()
    status = [one.action for one in found if one.kind == Kind.ORDER_STATUS]
    assert status == ["SC_SC", "SC_IP", "SC_CM"]
    orders = [one.action for one in found if one.kind == Kind.ORDERS]
    assert list(dict.fromkeys(orders)) == ["NW_SC", "XO_SC", "XO_IP", "XO_CM"]
    message = department.message()
    assert (message.get("ORC", 1), message.get("ORC", 5)) in {("SC", "CM"), ("XO", "CM")}
    assert (message.get("ORC", 2), message.get("ORC", 2, 2)) == ("PL1", "DPI")


def test_a_cancelled_order_is_taken_back_once(department: Department) -> None:
    department.destination(Kind.ORDERS)
    order = department.order(department.patient())
    department.told()
    with department.database.connection() as connection:
        Orders(connection).cancel(order, reason="plus indiqué", source=SOURCE)
    assert department.actions() == ["NW_SC", "CA_CA"]
    assert department.message().get("ORC", 16, 2) == "plus indiqué"


def test_a_held_order(department: Department) -> None:
    department.destination(Kind.ORDERS)
    order = department.order(department.patient())
    department.actions()
    with department.database.connection() as connection:
        Orders(connection).hold(order, reason="attendre", source=SOURCE)
    assert department.actions() == ["NW_SC", "XO_HD"]


def test_filters(department: Department) -> None:
    department.destination(Kind.ORDERS, modalities=("MR",))
    department.destination(Kind.ORDERS, requesting_services=("CARDIO",))
    department.destination(Kind.ORDERS, authorities=("OTHER",))
    department.destination(Kind.ORDERS, actions=("XO",))
    department.destination(Kind.ORDERS, is_active=False)
    fits = department.destination(
        Kind.ORDERS,
        modalities=("CT",),
        requesting_services=("URG",),
        authorities=("540000001",),
        actions=("NW",),
    )
    department.destination(Kind.ORDERS, patient_classes=("I",))
    department.order(department.patient())
    assert [one.destination for one in department.told()] == [fits.id]


def test_the_class_of_the_visit(department: Department) -> None:
    """PV1-2 is that of the encounter which the order names."""
    patient = department.patient()
    with department.database.connection() as connection:
        connection.execute(
            """INSERT INTO encounter (patient_fk, visit_number, authority_fk, patient_class, state)
            SELECT %s, 'V1', min(id), 'I', 'ADMITTED' FROM assigning_authority""",
            (patient,),
        )
    department.destination(Kind.ORDERS, patient_classes=("O",))
    fits = department.destination(Kind.ORDERS, patient_classes=("I",))
    department.order(patient)
    assert [one.destination for one in department.told()] == [fits.id]
    assert department.message().get("PV1", 2) == "I"


def test_what_a_character_set_has_not_is_for_a_person(department: Department) -> None:
    department.destination(Kind.ORDERS, character_set="8859/1")
    patient = department.patient()
    department.order(patient, comments="Œdème")  # Œ is in 8859/15, not in 8859/1
    (found,) = department.told()
    assert found.state == OutboundState.REFUSED
    assert "U+0152" in found.reason
    content = Outbound(department.database).get(found.id)[1]
    assert parse(content).header.get(18) == "UNICODE UTF-8"
    assert "Œdème".encode() in content


@pytest.mark.parametrize(("profile", "kind"), [("OMI^O23", "OMG"), ("ORM^O01", "ORM")])
def test_a_number_is_asked_for_once(department: Department, profile: str, kind: str) -> None:
    """SN with our number, for what was ordered here; what has a number, or came by HL7, is left alone."""
    department.destination(Kind.ORDER_NUMBERS, order_profile=profile)
    patient = department.patient()
    department.order(patient)  # it has a placer number
    new = NewOrder(
        patient=patient,
        procedures=[NewProcedure(description="Thorax", modality="CR")] * 2,
    )
    with department.database.connection() as connection:
        orders = Orders(connection)
        orders.create(new, source="hl7:7")
        made = orders.create(new, source=SOURCE).order
        orders.change(made.id, {"comments": "x"}, source=SOURCE)
    (told,) = department.told()
    assert (told.action, told.message_code, told.request) == ("SN", kind, made.id)
    message = department.message()
    pairs = [(run[0].get(1), run[0].get(2), run[0].get(3)) for run in message.groups("ORC")]
    assert pairs == [("SN", "", made.filler_order_number)] * 2
    assert [one.get(19) for one in message.all("OBR")] == [
        one.requested_procedure_id for one in made.procedures
    ]


def test_the_same_event_again_makes_nothing_twice(department: Department) -> None:
    department.destination(Kind.ORDERS)
    department.order(department.patient())
    assert len(department.told()) == 1
    with department.database.connection() as connection:
        row = connection.execute("SELECT id, request_fk FROM workflow_event").fetchone()
        payload = {"event": row[0], "kind": "ORDERED", "request": row[1], "appointment": None}
        publish(connection, "workflow-changed", payload)
    # it says how things are now: NW was told, so the same origin is the same message
    assert len(department.told()) == 1


@pytest.fixture
def visit(department: Department) -> tuple[int, int]:
    """An appointment in a room with a device and somebody; its number, the order's."""
    order = department.order(department.patient())
    with department.database.connection() as connection:
        return order, _book(connection, order)


def _book(connection: psycopg.Connection, order: int) -> int:
    found = Orders(connection).get(order)
    appointment = connection.execute(
        """INSERT INTO appointment (patient_fk, during, state, source)
        VALUES (%s, tstzrange(%s, %s::timestamptz + interval '30 min'), 'BOOKED', %s) RETURNING id""",
        (found.patient, AT, AT, SOURCE),
    ).fetchone()[0]
    connection.execute(
        "INSERT INTO appointment_step (appointment_fk, step_fk) VALUES (%s, %s)",
        (appointment, found.steps[0].id),
    )
    for kind, name, more in (
        ("ROOM", "Salle 1", {"location": "Nord"}),
        ("DEVICE", "CT Un", {"ae_title": "CT1", "modality": "CT"}),
        ("STAFF", "MARTIN Léa", {"rpps": "10007654321", "profession": "RADIOLOGIST"}),
    ):
        columns = ", ".join(["kind", "name", *more])
        resource = connection.execute(
            f"INSERT INTO resource ({columns}) VALUES ({', '.join(['%s'] * (2 + len(more)))}) RETURNING id",
            (kind, name, *more.values()),
        ).fetchone()[0]
        connection.execute(
            "INSERT INTO booking (appointment_fk, resource_fk, during) "
            "SELECT id, %s, during FROM appointment WHERE id = %s",
            (resource, appointment),
        )
    return int(appointment)


def test_appointments_go_as_siu(department: Department, visit: tuple[int, int]) -> None:
    order, appointment = visit
    department.destination(Kind.APPOINTMENTS)

    def happens(kind: WorkflowKind, state: str = "", **detail: object) -> None:
        with department.database.connection() as connection:
            if state:
                connection.execute(
                    """UPDATE appointment SET state = %s,
                    during = CASE WHEN %s IN ('CANCELLED', 'WAITING') THEN NULL ELSE during END""",
                    (state, state),
                )
            record(
                connection, kind, source=SOURCE, request=order, appointment=appointment,
                detail=detail,
            )  # fmt: skip
        department.told()

    department.actions()
    happens(WorkflowKind.BOOKED)
    assert department.actions() == ["S12"]
    message = department.message()
    assert message.header.tree(9) == [[["SIU"], ["S12"], ["SIU_S12"]]]
    ids = [one.id for one in message]
    assert ids == ["MSH", "SCH", "TQ1", "PID", "PV1", "RGS", "AIS", "AIG", "AIL", "AIP"]
    assert message.get("SCH", 25) == "Booked"
    assert (message.get("SCH", 9), message.get("TQ1", 7)) == ("30", "20261125093000+0100")
    assert message.get("AIL", 3, 2) == "Salle 1"
    assert message.get("AIG", 3) == "CT1"
    assert (message.get("AIP", 3), message.get("AIP", 3, 2)) == ("10007654321", "MARTIN")
    happens(WorkflowKind.MOVED)
    happens(WorkflowKind.APPOINTMENT_CHANGED)
    happens(WorkflowKind.NO_SHOW, "NOSHOW")
    happens(WorkflowKind.BOOKED, "BOOKED")
    place = {"start_at": AT.isoformat(), "end_at": AT.isoformat()}
    happens(WorkflowKind.APPOINTMENT_CANCELLED, "CANCELLED", before={"places": [place]})
    happens(WorkflowKind.APPOINTMENT_CHANGED)
    assert department.actions() == ["S12", "S13", "S14", "S26", "S12", "S15"]
    assert department.message().get("TQ1", 7) == "20261125093000+0100"
    assert str(hl7.parse(department.message().written())["SCH"][0][25]) == "Cancelled"


def patient_changed(department: Department, patient: int) -> None:
    with department.database.connection() as connection:
        row = connection.execute(
            "SELECT max(id) FROM patient_change WHERE patient_fk = %s", (patient,)
        ).fetchone()
        connection.execute("DELETE FROM outbox WHERE kind = 'patient-changed'")
        publish(connection, "patient-changed", {"patient": patient, "change": row[0]})
    department.told()


def test_patients_go_as_adt_of_the_french_extension(department: Department) -> None:
    department.destination(Kind.PATIENTS)
    department.destination(Kind.PATIENTS, adt_profile="INTERNATIONAL")
    patient = department.patient()
    patient_changed(department, patient)
    french, international = (
        parse(Outbound(department.database).get(one.id)[1]) for one in department.told()
    )
    assert french.header.tree(12) == [[["2.5"], ["FRA"], ["2.11"]]]
    assert french.header.get(21, 2) == "IHE_FRANCE-2.11-PAM"
    assert (french.header.get(17), french.header.get(19)) == ("FRA", "FR")
    assert [one.id for one in french] == ["MSH", "EVN", "PID", "PV1"]
    assert (french.get("PV1", 2), french.get("PID", 32)) == ("N", "VALI")
    assert international.header.tree(12) == [[["2.5"]]]
    assert french.header.tree(9) == [[["ADT"], ["A28"], ["ADT_A05"]]]


def test_a_merge_and_a_changed_identifier(department: Department) -> None:
    survivor, subsumed = department.patient("P1"), department.patient("P2")
    department.destination(Kind.PATIENTS)
    with department.database.connection() as connection:
        Registry(connection).merge(survivor=survivor, subsumed=subsumed, source=SOURCE)
    patient_changed(department, survivor)
    merge = department.message()
    assert merge.header.tree(9) == [[["ADT"], ["A40"], ["ADT_A39"]]]
    assert (merge.get("MRG", 1), merge.get("MRG", 1, 4, 2)) == ("P2", "540000001")
    assert merge.first("PID").repetitions(3) == ("P1^^^CHU-X&540000001&M^PI",)
    keys = {"patient:1", "patient:2"}
    with department.database.connection() as connection:
        row = connection.execute("SELECT order_keys FROM outbound_message").fetchone()
        assert {f"patient:{one}" for one in (survivor, subsumed)} == set(row[0]) == keys
        old = Identifier(value="P1", authority=CHU, type_code="PI")
        Registry(connection).change_identifier(
            old=old, new=dataclasses.replace(old, value="P9"), source=SOURCE
        )
    patient_changed(department, survivor)
    changed = department.message()
    assert changed.trigger_event == "A47"
    assert changed.get("MRG", 1) == "P1"
    assert "P9" in changed.first("PID").raw(3)
    with department.database.connection() as connection:
        gone = Identifier(value="P9", authority=CHU, type_code="PI")
        Registry(connection).change_identifier(old=gone, new=None, source=SOURCE)
    patient_changed(department, survivor)
    taken = department.message()
    assert '""^^^CHU-X&540000001&M^PI' in taken.first("PID").raw(3)


def test_what_we_say_of_patients_is_understood_by_us(
    department: Department, new_database_url
) -> None:
    """A second department takes our ADT and knows the same patients."""
    department.destination(Kind.PATIENTS)
    one, two = department.patient("P1"), department.patient("P2")
    patient_changed(department, one)
    patient_changed(department, two)
    department.told()
    with department.database.connection() as connection:
        Registry(connection).merge(survivor=one, subsumed=two, source=SOURCE)
    patient_changed(department, one)
    contents = [Outbound(department.database).get(m.id)[1] for m in department.told()]
    with Database(new_database_url()) as other:
        for content in contents:
            Messages(other).store([examine(content, peer="")[0]])
        assert Processor(other, handle).process_waiting() == 3
        with other.connection() as theirs, department.database.connection() as ours:
            a = Registry(theirs).get_all([1, 2])
            b = Registry(ours).get_all([one, two])
            assert [(p.traits, p.identifiers, p.merged_into) for p in a] == [
                (p.traits, p.identifiers, p.merged_into) for p in b
            ]


def test_admission_messages_are_forwarded_as_they_came(department: Department) -> None:
    department.destination(Kind.ADT_FORWARD, receiving_application="PACS", receiving_facility="X&Y")
    department.destination(Kind.ADT_FORWARD, receiving_application="GAM", receiving_facility="CHU")
    lies = (
        "MSH|^~\\&|GAM|CHU|RIS|CHU|20260102||ADT^A28^ADT_A05|77|P|2.5|||AL|AL|FRA|8859/1\r"
        "PID|||P1^^^CHU-X&540000001&M^PI||Été|ZZZ\rZZZ|what nobody knows\r"
    ).encode()
    refused = lies.replace(b"|77|", b"|78|").replace(b"A28^ADT_A05", b"A29^ADT_A21")
    for content in (lies, refused):
        Messages(department.database).store([examine(content, peer="")[0]])
    Processor(department.database, handle).process_waiting()
    (found,) = department.told()  # not the one that failed, not back to its sender
    assert (found.kind, found.control_id, found.action) == (Kind.ADT_FORWARD, "77", "A28")
    content = Outbound(department.database).get(found.id)[1]
    assert content == lies.replace(b"|RIS|CHU|", rb"|PACS|X\T\Y|").replace(b"|AL|AL|", b"|||")


def test_a_message_to_try_a_connection_with(department: Department) -> None:
    destination = department.destination(Kind.ORDERS, acknowledgment_mode="ENHANCED")
    with department.database.connection() as connection:
        queue_test(connection, destination, zone=PARIS)
    message = department.message()
    assert message.type == "NMD^N02"
    assert (message.header.get(15), message.header.get(16)) == ("AL", "NE")
    assert message.get("NCK", 1).endswith("+0100")
    assert message.first("PID") is None


def test_nothing_is_made_where_nobody_wants_it(department: Department) -> None:
    department.order(department.patient())
    arrival = Arrival(content=b"x", message_code="ADT")
    Messages(department.database).store([arrival])
    assert department.told() == []
