"""The demonstration's desks: orders in every state, for patients who are registered."""

from zoneinfo import ZoneInfo

from negatoscope.demo import people
from negatoscope.demo.catalogue import load_catalogue
from negatoscope.demo.examinations import study
from negatoscope.demo.ordered_examinations import DONE
from negatoscope.demo.orders import AUTHORITY, load_orders
from negatoscope.domain.orders import Orders, RequestState, StepState, listing, safety
from negatoscope.domain.patients import Identifier, Registry
from negatoscope.infra.db import Database


def test_orders_of_every_kind_are_there(database: Database) -> None:
    """Once, whatever is called again."""
    load_catalogue(database)
    made = load_orders(database, zone=ZoneInfo("Europe/Paris"))
    assert made > 100
    assert load_orders(database, zone=ZoneInfo("Europe/Paris")) == 0
    with database.connection() as connection:
        counts = listing.count(connection, listing.OrderFilter())
        assert sum(counts.values()) == made
        assert set(counts) == set(RequestState) - {RequestState.SCHEDULED, RequestState.IN_PROGRESS}
        assert counts[RequestState.COMPLETED] == len(DONE)
        assert sum(listing.count_waiting(connection).values()) >= 9
        in_words = listing.search(connection, listing.OrderFilter(is_not_in_catalogue=True))
        assert [one.procedures[0].description for one in in_words] == [
            "Radio du coude gauche, face et profil"
        ]
        ready = [
            one
            for one in listing.search(
                connection, listing.OrderFilter(states=[RequestState.REQUESTED]), limit=200
            )
            if not safety.blocking(connection, one.id)
        ]
        assert len(ready) >= 40


def test_examinations_of_the_archive_have_their_order(database: Database) -> None:
    """By Study Instance UID and accession number, done when they were done."""
    load_catalogue(database)
    load_orders(database, zone=ZoneInfo("Europe/Paris"))
    with database.connection() as connection:
        orders = Orders(connection)
        for one in DONE:
            number = orders.find_by_accession(one.accession_number)
            assert number is not None
            order = orders.get(number)
            plan = study(
                one.person, one.date, one.time, one.accession_number, one.description, one.physician
            )
            assert [p.study_instance_uid for p in order.procedures] == [plan.study_instance_uid]
            assert {step.state for step in order.steps} == {StepState.COMPLETED}
            assert order.procedures[0].catalogue is not None, one.code
        holder = Registry(connection).holder(
            Identifier(value=people.NGUYEN.patient_id, authority=AUTHORITY)
        )
        assert holder is not None
