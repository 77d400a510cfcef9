"""The board tells of a day's steps where they are, who they are for, how far, and what is wrong with them."""

from datetime import UTC, datetime, timedelta

import pytest

from department import Department
from negatoscope.domain.performed import Board, BoardFilter, Changed, Flag

DAY = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
NINE = DAY + timedelta(hours=9)
NOW = DAY + timedelta(hours=9, minutes=40)


def wanted(**more):
    return BoardFilter(begins=DAY, ends=DAY + timedelta(days=1), **more)


@pytest.fixture
def made(database):
    """Two rooms; a CT at nine in the scanner's room, an urgent MR at ten, a chest tomorrow."""
    with database.connection() as connection:
        department = Department(connection)
        found = {}
        scanner = found["scanner"] = department.room("Scanner 1", location="Niveau 0")
        magnet = found["magnet"] = department.room("IRM 1")
        ct = found["ct"] = department.device("CT-A", scanner, "CT", "CT_A")
        found["mr"] = department.device("MR-A", magnet, "MR", "MR_A")
        thorax = department.procedure("ZBQH001", "Scanner du thorax", "CT")
        brain = department.procedure(
            "ACQN001", "IRM de l'encéphale", "MR", safety_questions=["MR_IMPLANTS", "PREGNANCY"]
        )
        zoe = department.patient("LEFÈVRE", "Zoé", ipp="8001", used="DUBOIS")
        request = found["request"] = department.order(
            zoe, accession="A100", requesting_service="2031"
        )
        procedure = found["procedure"] = department.requested(request, catalogue=thorax)
        step = found["step"] = department.step(procedure, NINE, device_fk=ct)
        found["appointment"] = department.appointment(zoe, NINE, [step], scanner)
        urgent = found["urgent request"] = department.order(
            department.patient("O'NEIL", "Sean", sex="M", identity_attributes=["DOUT"]),
            accession="A200",
            priority="STAT",
        )
        found["brain"] = department.requested(
            urgent, catalogue=brain, vetting="WAITING", study_instance_uid="1.2.3.4"
        )
        found["urgent"] = department.step(
            found["brain"], NINE + timedelta(hours=1), modality="MR", device_fk=found["mr"]
        )
        tomorrow = department.requested(department.order(zoe), catalogue=thorax)
        department.step(tomorrow, NINE + timedelta(days=1))
    return found


def steps(database, **more):
    return [one.step for one in Board(database).day(wanted(**more), now=NOW).rows]


def test_a_row_says_everything(database, made):
    (row, urgent) = Board(database).day(wanted(), now=NOW).rows
    assert (row.step, row.procedure, row.request) == (
        made["step"], made["procedure"], made["request"]
    )  # fmt: skip
    assert (row.birth_name.family, row.birth_name.given) == ("LEFÈVRE", "Zoé")
    assert row.used_name.family == "DUBOIS"
    assert (row.patient_id, row.patient_id_authority) == ("8001", "CHU")
    assert (row.birth_date, row.sex, row.accession_number) == ("19610503", "F", "A100")
    assert (row.room_name, row.room_location, row.device_name) == ("Scanner 1", "Niveau 0", "CT-A")
    assert (row.appointment, row.appointment_state) == (made["appointment"], "BOOKED")
    assert (row.procedure_name, row.start_at) == ("Scanner du thorax", NINE)
    assert (row.delay_min, row.flags) == (40, (Flag.LATE,))
    assert (urgent.appointment, urgent.room_name) == (None, "IRM 1")  # where its device stands
    assert urgent.safety_waiting == ("MR_IMPLANTS",)  # pregnancy is not asked of a man
    assert urgent.flags == (Flag.URGENT, Flag.SAFETY, Flag.UNVETTED, Flag.IDENTITY)


def test_filters_are_one_and_all(database, made):
    both = [made["step"], made["urgent"]]
    assert steps(database) == both
    assert steps(database, modality=["MR"]) == [made["urgent"]]
    assert steps(database, modality=["MR", "CT"]) == both
    assert steps(database, room=[made["scanner"]]) == [made["step"]]
    assert steps(database, device=[made["mr"]]) == [made["urgent"]]
    assert steps(database, priority=["STAT"]) == [made["urgent"]]
    assert steps(database, unit="2031") == [made["step"]]
    assert steps(database, state=["ARRIVED"]) == []
    assert steps(database, modality=["CT"], priority=["STAT"]) == []
    for text in ("lefevre", "Zoe dub", "A100", "8001", "thorax", "zbq zoé"):
        assert steps(database, text=text) == [made["step"]], text
    for text in ("100", "zoé encéphale", "%", "_", "\\", "<b>"):
        assert steps(database, text=text) == [], text
    assert steps(database, text="o'neil") == [made["urgent"]]


def test_only_what_changed_is_read_again(database, made):
    assert steps(database, only=Changed()) == []
    assert steps(database, only=Changed(steps=[made["step"]])) == [made["step"]]
    assert steps(database, only=Changed(procedures=[made["brain"]])) == [made["urgent"]]
    assert steps(database, only=Changed(requests=[made["request"]])) == [made["step"]]
    assert steps(database, only=Changed(appointments=[made["appointment"]])) == [made["step"]]
    assert steps(database, only=Changed(steps=[made["step"]]), modality=["MR"]) == []


def test_images_are_counted_and_missed(database, made):
    with database.connection() as connection:
        department = Department(connection)
        department.study("1.2.3.4", images=120)
        department.study("1.2.3.5", images=3)
        connection.execute(
            "INSERT INTO study_binding (study_instance_uid, procedure_fk, state)"
            " VALUES ('1.2.3.4', %(p)s, 'BOUND'), ('1.2.3.5', %(p)s, 'BOUND')",
            {"p": made["brain"]},
        )
        connection.execute(
            "UPDATE scheduled_procedure_step SET state = 'COMPLETED' WHERE id = %s",
            (made["step"],),
        )
    (without, images) = Board(database).day(wanted(), now=NOW).rows
    assert (images.instance_count, images.series_count) == (123, 2)
    assert images.study_instance_uids == ("1.2.3.4", "1.2.3.5")
    assert Flag.NOT_STARTED in images.flags
    assert (without.flags, without.delay_min) == ((Flag.NO_IMAGES,), None)


def test_images_without_order_are_shown_on_their_day(database, made):
    with database.connection() as connection:
        department = Department(connection)
        for number, day in (("1", NOW), ("2", NOW - timedelta(days=1)), ("3", NOW)):
            department.study(
                f"1.9.{number}", images=5, modalities_in_study=["CT"], accession_number="X1"
            )
            connection.execute(
                "INSERT INTO study_binding (study_instance_uid, state, reason, first_arrival_at)"
                " VALUES (%s, %s, 'no-order', %s)",
                (f"1.9.{number}", "UNBOUND" if number != "3" else "PUT ASIDE", day),
            )
    day = Board(database).day(wanted(), now=NOW)
    assert [one.study_instance_uid for one in day.unordered] == ["1.9.1"]
    assert (day.unordered[0].instance_count, day.unordered[0].patient_name) == (5, "DUPONT^Zoé")
    assert Board(database).day(wanted(modality=["MR"]), now=NOW).unordered == ()


def test_what_a_modality_says_is_shown(database, made):
    with database.connection() as connection:
        connection.execute(
            "WITH f AS (INSERT INTO performed_procedure_step"
            " (sop_instance_uid, state, data_set, started_at, instance_count)"
            " VALUES ('1.7', 'IN PROGRESS', '{}', %s, 12) RETURNING id)"
            " INSERT INTO performed_for SELECT id, %s FROM f",
            (NINE, made["step"]),
        )
        connection.execute(
            "UPDATE scheduled_procedure_step SET state = 'STARTED', started_at = %s WHERE id = %s",
            (NINE - timedelta(minutes=4), made["step"]),
        )
    row = Board(database).day(wanted(), now=NOW).rows[0]
    assert (row.mpps_state, row.mpps_instance_count) == ("IN PROGRESS", 12)
    assert row.delay_min == -4


def test_cancelled_ones_are_shown_when_asked_for(database, made):
    with database.connection() as connection:
        connection.execute("UPDATE scheduled_procedure_step SET state = 'CANCELED'")
    assert steps(database) == []
    assert len(steps(database, has_canceled=True)) == 2
    assert len(steps(database, state=["CANCELED"])) == 2


def test_answers_that_forbid_are_told(database, made):
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO safety_answer (request_fk, question, answer, answered_by)"
            " VALUES (%(r)s, 'MR_IMPLANTS', 'YES', 'user:t'), (%(r)s, 'PREGNANCY', 'NO', 'user:t')",
            {"r": made["urgent request"]},
        )
    row = Board(database).day(wanted(), now=NOW).rows[1]
    assert (row.safety_waiting, row.safety_blocking) == ((), ("MR_IMPLANTS",))
    assert Flag.SAFETY in row.flags


def test_an_overbooked_room_is_told(database, made):
    with database.connection() as connection:
        department = Department(connection)
        patient = department.patient("X")
        step = department.step(department.requested(department.order(patient)), NINE)
        department.appointment(patient, NINE, [step], made["scanner"], is_overbooked=True)
    row = next(r for r in Board(database).day(wanted(), now=NOW).rows if r.step == step)
    assert Flag.OVERBOOKED in row.flags


def test_places(database, made):
    places = Board(database).places()
    assert [(one.kind, one.name) for one in places] == [
        ("ROOM", "IRM 1"),
        ("ROOM", "Scanner 1"),
        ("DEVICE", "CT-A"),
        ("DEVICE", "MR-A"),
    ]
    assert places[2].room == made["scanner"]
