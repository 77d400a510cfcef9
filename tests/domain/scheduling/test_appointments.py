"""Appointments on a real PostgreSQL: one winner for a slot, moves, cancellations, undo."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest

from negatoscope.domain.orders import Orders
from negatoscope.domain.scheduling.errors import (
    BadPlan,
    NotBookable,
    NothingToUndo,
    OutsideHours,
    SlotTaken,
    StaleVersion,
    UnknownAppointment,
)
from negatoscope.domain.scheduling.model import AppointmentState, ObstacleKind
from negatoscope.infra.db import Database
from negatoscope.infra.events import Event
from negatoscope.subscribers.appointments import Following

NINE = "2027-03-02 09:00"
HALF = "2027-03-02 09:30"
TEN = "2027-03-02 10:00"


def paris(text):
    """An instant by the clocks of Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Paris"))


def step_row(connection, step):
    return connection.execute(
        "SELECT state, start_at, end_at, device_fk, scheduled_station_ae_title, location"
        " FROM scheduled_procedure_step WHERE id = %s",
        (step,),
    ).fetchone()


def events(connection, appointment):
    rows = connection.execute(
        "SELECT kind, source FROM workflow_event WHERE appointment_fk = %s ORDER BY id",
        (appointment,),
    )
    return [tuple(row) for row in rows]


def test_booking_puts_the_steps_on_the_worklist(department, ct):
    with department.database.connection() as connection:
        book = department.appointments(connection)
        number = book.book([department.place(ct.steps[0], ct.room, NINE, HALF)], note="à jeun")
        made = book.get(number)
        state, start, end, device, ae_title, location = step_row(connection, ct.steps[0])
        assert (state, start, end) == ("SCHEDULED", paris(NINE), paris(HALF))
        assert (device, ae_title, location) == (ct.device, "CT_1", "CT 1")
        assert (made.state, made.start_at, made.end_at) == ("BOOKED", paris(NINE), paris(HALF))
        assert made.resources == tuple(sorted((ct.room, ct.device)))
        assert (made.note, made.steps[0].device) == ("à jeun", ct.device)
        assert events(connection, number) == [("BOOKED", "user:zoe")]
        assert book.in_range(paris(HALF), paris(TEN)) == []
        assert [a.id for a in book.in_range(paris(NINE), paris(TEN), resources=[ct.room])] == [
            number
        ]
        assert book.in_range(paris(NINE), paris(TEN), resources=[0]) == []


def test_fifty_clerks_one_slot_one_winner(module_database_url, department, ct):
    """Forty-nine are told what is in the way; nobody is thrown out by a deadlock."""
    with department.database.connection() as connection:
        steps = [department.step(connection) for _ in range(50)]
    start = threading.Barrier(50)
    with Database(module_database_url, max_size=50) as database:

        def clerk(step):
            start.wait(30)
            try:
                with database.connection() as connection:
                    place = department.place(step, ct.room, NINE, HALF)
                    return department.appointments(connection).book([place])
            except SlotTaken as error:
                return error

        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(clerk, steps))
    (winner,) = [one for one in answers if isinstance(one, int)]
    losers = [one for one in answers if isinstance(one, SlotTaken)]
    assert len(losers) == 49
    for one in losers:
        assert {(o.name, o.appointment) for o in one.obstacles} == {
            ("CT 1", winner),
            ("CT of CT 1", winner),
        }
        assert {(o.start_at, o.end_at) for o in one.obstacles} == {(paris(NINE), paris(HALF))}
    with department.database.connection() as connection:
        assert connection.execute("SELECT count(*) FROM booking").fetchone()[0] == 2
        assert connection.execute("SELECT count(*) FROM appointment").fetchone()[0] == 1


def test_the_database_refuses_by_itself(department, ct):
    with department.database.connection() as connection:
        number = department.appointments(connection).book(
            [department.place(ct.steps[0], ct.room, NINE, HALF)]
        )
        with pytest.raises(psycopg.errors.ExclusionViolation), connection.transaction():
            connection.execute(
                "INSERT INTO booking (appointment_fk, resource_fk, during)"
                " VALUES (%s, %s, tstzrange(%s, %s))",
                (number, ct.room, paris("2027-03-02 09:29"), paris(TEN)),
            )


def test_an_overbooking_becomes_ordinary_when_the_other_goes(department, ct):
    with department.database.connection() as connection:
        book = department.appointments(connection)
        first = book.book([department.place(ct.steps[0], ct.room, NINE, HALF)])
        place = department.place(ct.steps[1], ct.room, NINE, HALF)
        with pytest.raises(SlotTaken), connection.transaction():
            book.book([place])
        second = book.book([place], reason="urgence")
        assert set(book.get(second).overbooked) == {ct.room, ct.device}
        book.cancel(first, version=book.get(first).version)
        assert book.get(second).overbooked == ()
        with pytest.raises(SlotTaken), connection.transaction():
            book.book([department.place(ct.steps[2], ct.room, NINE, HALF)])


def test_moving_resizing_and_another_room(department, ct):
    with department.database.connection() as connection:
        room, device = department.room(connection, "CT 2", "CT")
        book = department.appointments(connection)
        number = book.book([department.place(ct.steps[0], ct.room, NINE, HALF)])
        moved = book.move(number, version=book.get(number).version, start_at=paris(TEN))
        assert (moved.start_at, moved.end_at) == (paris(TEN), paris("2027-03-02 10:30"))
        longer = book.move(number, version=moved.version, end_at=paris("2027-03-02 11:00"))
        assert (longer.start_at, longer.end_at) == (paris(TEN), paris("2027-03-02 11:00"))
        there = book.move(number, version=longer.version, put=(ct.room, room))
        assert there.resources == tuple(sorted((room, device)))
        assert step_row(connection, ct.steps[0])[3:] == (device, "CT_2", "CT 2")
        with pytest.raises(StaleVersion):
            book.move(number, version=longer.version, start_at=paris(NINE))
        with pytest.raises(BadPlan):
            book.move(number, version=there.version, put=(ct.room, room))
        assert [kind for kind, _ in events(connection, number)] == [
            "BOOKED",
            "MOVED",
            "MOVED",
            "APPOINTMENT CHANGED",
        ]


def test_cancelled_and_missed_appointments_free_everything(department, ct):
    with department.database.connection() as connection:
        book = department.appointments(connection)
        number = book.book([department.place(ct.steps[0], ct.room, NINE, HALF)])
        version = book.get(number).version
        cancelled = book.cancel(number, version=version, reason="grève")
        assert (cancelled.state, cancelled.state_reason) == ("CANCELLED", "grève")
        assert step_row(connection, ct.steps[0]) == ("WAITING", None, None, None, "", "")
        again = book.book([department.place(ct.steps[0], ct.room, NINE, HALF)])
        gone = book.no_show(again, version=book.get(again).version)
        assert gone.state is AppointmentState.NOSHOW
        assert step_row(connection, ct.steps[0])[0] == "WAITING"
        assert [a.id for a in book.in_range(paris(NINE), paris(TEN))] == [again]
        book.book([department.place(ct.steps[1], ct.room, NINE, HALF)])
        with pytest.raises(NotBookable):
            book.cancel(again, version=book.get(again).version)
        kinds = [kind for n in (number, again) for kind, _ in events(connection, n)]
        assert kinds == ["BOOKED", "APPOINTMENT CANCELLED", "BOOKED", "NO SHOW"]


def test_undo_goes_back_change_by_change(department, ct):
    with department.database.connection() as connection:
        book = department.appointments(connection)
        number = book.book([department.place(ct.steps[0], ct.room, NINE, HALF)])
        book.move(number, version=book.get(number).version, start_at=paris(TEN))
        book.cancel(number, version=book.get(number).version)
        back = book.undo(number, version=book.get(number).version)
        assert (back.state, back.start_at) == ("BOOKED", paris(TEN))
        assert step_row(connection, ct.steps[0])[:2] == ("SCHEDULED", paris(TEN))
        back = book.undo(number, version=back.version)
        assert back.start_at == paris(NINE)
        back = book.undo(number, version=back.version)
        assert back.state == "CANCELLED"
        with pytest.raises(NothingToUndo):
            book.undo(number, version=back.version)


def test_undo_of_a_cancellation_whose_place_was_taken_is_refused(department, ct):
    with department.database.connection() as connection:
        book = department.appointments(connection)
        number = book.book([department.place(ct.steps[0], ct.room, NINE, HALF)])
        book.cancel(number, version=book.get(number).version)
        book.book([department.place(ct.steps[1], ct.room, NINE, HALF)])
        with pytest.raises(SlotTaken):
            book.undo(number, version=book.get(number).version)


def test_the_waiting_list(department, ct):
    with department.database.connection() as connection:
        book = department.appointments(connection)
        number = book.wait(
            [ct.steps[0]], wished_from=date(2027, 3, 1), wished_until=date(2027, 3, 5), note="tôt"
        )
        assert [one.id for one in book.waiting()] == [number]
        assert [one.id for one in book.waiting(day=date(2027, 3, 5), modality="CT")] == [number]
        assert book.waiting(day=date(2027, 3, 6)) == book.waiting(modality="MR") == []
        with pytest.raises(NotBookable):
            book.book([department.place(ct.steps[0], ct.room, NINE, HALF)])
        waiting = book.get(number)
        booked = book.change(
            number,
            version=waiting.version,
            plan=[department.place(ct.steps[0], ct.room, NINE, HALF)],
        )
        assert (booked.state, book.waiting()) == ("BOOKED", [])
        back = book.undo(number, version=booked.version)
        assert (back.state, back.start_at) == ("WAITING", None)
        assert step_row(connection, ct.steps[0])[:2] == ("WAITING", None)
        assert book.cancel(number, version=back.version).state == "CANCELLED"
        with pytest.raises(BadPlan):
            book.wait([ct.steps[0]], wished_from=date(2027, 3, 2), wished_until=date(2027, 3, 1))


@pytest.mark.parametrize(("vetting", "word"), [("WAITING", "waits"), ("REFUSED", "refused")])
def test_nothing_is_booked_that_no_radiologist_accepted(department, ct, vetting, word):
    with department.database.connection() as connection:
        step = department.step(connection, vetting=vetting)
        with pytest.raises(NotBookable, match=word):
            department.appointments(connection).book([department.place(step, ct.room, NINE, HALF)])


def test_what_began_is_not_moved(department, ct):
    with department.database.connection() as connection:
        book = department.appointments(connection)
        number = book.book([department.place(ct.steps[0], ct.room, NINE, HALF)])
        connection.execute("UPDATE scheduled_procedure_step SET state = 'ARRIVED'")
        assert book.get(number).state == "ARRIVED"
        moved = book.move(number, version=book.get(number).version, start_at=paris(TEN))
        assert step_row(connection, ct.steps[0])[0] == "ARRIVED"
        connection.execute("UPDATE scheduled_procedure_step SET state = 'STARTED'")
        for change in (book.cancel, book.no_show, book.undo):
            with pytest.raises(NotBookable):
                change(number, version=moved.version)
        connection.execute("UPDATE scheduled_procedure_step SET state = 'COMPLETED'")
        assert book.get(number).state == "FULFILLED"


def test_hours_holidays_and_downtime_need_a_reason(department, ct):
    with department.database.connection() as connection:
        book = department.appointments(connection)
        connection.execute(
            "INSERT INTO downtime (resource_fk, during, kind, reason) VALUES"
            " (%s, tstzrange(%s, %s), 'MAINTENANCE', 'tube')",
            (ct.device, paris("2027-03-03 12:00"), paris("2027-03-03 14:00")),
        )
        cases = {
            ("2027-03-02 07:30", "2027-03-02 08:30"): (ObstacleKind.CLOSED, ct.room),
            ("2027-03-06 09:00", "2027-03-06 09:30"): (ObstacleKind.CLOSED, ct.room),
            ("2027-03-26 09:00", "2027-03-26 09:30"): (ObstacleKind.HOLIDAY, ct.room),
            ("2027-03-03 11:30", "2027-03-03 12:10"): (ObstacleKind.MAINTENANCE, ct.device),
        }
        for (start, end), expected in cases.items():
            with pytest.raises(OutsideHours) as refused, connection.transaction():
                book.book([department.place(ct.steps[0], ct.room, start, end)])
            assert expected in {(o.kind, o.resource) for o in refused.value.obstacles}
        number = book.book(
            [department.place(ct.steps[0], ct.room, "2027-03-06 09:00", "2027-03-06 09:30")],
            reason="week-end de garde",
        )
        assert (book.get(number).overbooked, book.get(number).overbooking_reason) == (
            (),
            "week-end de garde",
        )


def test_a_patient_is_not_in_two_places(department, ct):
    with department.database.connection() as connection:
        room, _ = department.room(connection, "CT 2", "CT")
        patient = department.patient(connection)
        steps = [department.step(connection, patient=patient) for _ in range(2)]
        book = department.appointments(connection)
        book.book([department.place(steps[0], ct.room, NINE, HALF)])
        with pytest.raises(SlotTaken) as refused:
            book.book([department.place(steps[1], room, "2027-03-02 09:15", TEN)])
        assert [o.kind for o in refused.value.obstacles] == [ObstacleKind.PATIENT]


def test_one_visit_of_several_steps_with_somebody_who_is_needed(department, ct):
    with department.database.connection() as connection:
        who = department.person(connection, "Dr Anès")
        room, device = department.room(connection, "MR 1", "MR")
        patient = department.patient(connection)
        scan = department.step(connection, patient=patient)
        resonance = department.step(connection, patient=patient, modality="MR")
        book = department.appointments(connection)
        number = book.book(
            [
                department.place(scan, ct.room, NINE, HALF, staff=(who,)),
                department.place(resonance, room, HALF, TEN, staff=(who,)),
            ]
        )
        made = book.get(number)
        assert made.resources == tuple(sorted((ct.room, ct.device, room, device, who)))
        spans = connection.execute(
            "SELECT lower(during), upper(during) FROM booking WHERE resource_fk = %s", (who,)
        ).fetchall()
        assert spans == [(paris(NINE), paris(TEN))]
        requests = connection.execute(
            "SELECT count(DISTINCT request_fk), count(appointment_fk) FROM workflow_event"
        ).fetchone()
        assert requests == (2, 1)
        with pytest.raises(SlotTaken) as refused:
            book.book([department.place(ct.steps[0], ct.room, HALF, TEN, staff=(who,))])
        assert [o.name for o in refused.value.obstacles] == ["Dr Anès"]


def test_plans_that_do_not_hold_together(department, ct):
    with department.database.connection() as connection:
        book = department.appointments(connection)
        room, _ = department.room(connection, "MR 1", "MR")
        place, (a, b, _) = department.place, ct.steps
        refusals = [
            ([], BadPlan),
            ([place(a, ct.room, NINE, NINE)], BadPlan),
            ([place(a, ct.room, NINE, HALF), place(a, ct.room, HALF, TEN)], BadPlan),
            ([place(a, ct.room, NINE, HALF), place(b, ct.room, HALF, TEN)], BadPlan),
            ([place(a, ct.room, NINE, "2027-03-04 09:00")], BadPlan),
            ([place(a, room, NINE, HALF)], BadPlan),
            ([place(a, ct.room, NINE, HALF, device=ct.room)], BadPlan),
            ([place(a, ct.room, NINE, HALF, staff=(ct.device,))], BadPlan),
            ([place(a, ct.device, NINE, HALF)], UnknownAppointment),
            ([place(a, 10**9, NINE, HALF)], UnknownAppointment),
            ([place(10**9, ct.room, NINE, HALF)], UnknownAppointment),
        ]
        for plan, error in refusals:
            with pytest.raises(error), connection.transaction():
                book.book(plan)
        assert connection.execute("SELECT count(*) FROM appointment").fetchone()[0] == 0


def test_an_order_that_is_called_off_frees_its_place(department, ct):
    with department.database.connection() as connection:
        patient = department.patient(connection)
        steps = [department.step(connection, patient=patient) for _ in range(2)]
        book = department.appointments(connection)
        number = book.book(
            [
                department.place(steps[0], ct.room, NINE, HALF),
                department.place(steps[1], ct.room, HALF, TEN),
            ]
        )
        orders = [
            connection.execute(
                "SELECT p.request_fk FROM requested_procedure p JOIN scheduled_procedure_step s"
                " ON s.procedure_fk = p.id WHERE s.id = %s",
                (step,),
            ).fetchone()[0]
            for step in steps
        ]
        Orders(connection).cancel(orders[0], reason="erreur", source="user:zoe")
        following = Following(department.rules)
        payload = {"kind": "ORDER CANCELED", "request": orders[0]}
        event = Event(
            id=1, kind="workflow-changed", payload=payload, created_at=paris(NINE), attempts=0
        )
        following.on_workflow_changed(connection, event)
        left = book.get(number)
        assert (left.state, left.start_at, [s.step for s in left.steps]) == (
            "BOOKED",
            paris(HALF),
            [steps[1]],
        )
        book.book([department.place(ct.steps[0], ct.room, NINE, HALF)])
        Orders(connection).cancel(orders[1], reason="erreur", source="user:zoe")
        assert book.follow_order(orders[1]) == [number]
        assert book.get(number).state == "CANCELLED"
        assert book.follow_order(orders[1]) == []
        book.book([department.place(ct.steps[1], ct.room, HALF, TEN)])


def test_what_is_acquired_together_is_booked_together(department, ct):
    with department.database.connection() as connection:
        patient = department.patient(connection)
        steps = [department.step(connection, patient=patient) for _ in range(2)]
        connection.execute(
            "UPDATE scheduled_procedure_step SET acquired_with = %s WHERE id = ANY(%s)",
            (steps[0], steps),
        )
        book = department.appointments(connection)
        first = department.place(steps[0], ct.room, NINE, HALF)
        for plan in (
            [first],
            [first, department.place(steps[1], ct.room, HALF, TEN)],
        ):
            with pytest.raises(BadPlan), connection.transaction():
                book.book(plan)
        number = book.book([first, department.place(steps[1], ct.room, NINE, HALF)])
        assert book.get(number).end_at == paris(HALF)
