"""The demonstration's patients have stays, said by messages that any sender could have sent."""

from collections import Counter
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from negatoscope.demo.people import ISSUER_OF_PATIENT_ID
from negatoscope.demo.stays import UNITS, load_stays
from negatoscope.domain.messages import Filter, Messages, Processor, State
from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry
from negatoscope.domain.patients.encounters import Encounters
from negatoscope.domain.patients.units import Units
from negatoscope.domain.scheduling.hours import Rules
from negatoscope.entrypoints.hl7v2.handling import handle

PARIS = ZoneInfo("Europe/Paris")


def test_most_patients_of_the_day_have_a_stay(database):
    with database.connection() as connection:
        numbers = [
            Registry(connection)
            .register(
                updates={"birth_name": PersonName(family="NOËL^", given="Zoé"), "sex": "F"},
                identifiers=[
                    Identifier(
                        value=str(number),
                        authority=Authority(namespace=ISSUER_OF_PATIENT_ID),
                        type_code="PI",
                    )
                ],
                source="user:demo",
            )
            .patient
            for number in range(40)
        ]
    sent = load_stays(database, Rules(zone=PARIS), now=datetime(2026, 11, 24, 9, tzinfo=UTC))
    while Processor(database, handle).process_waiting():
        pass
    done = Messages(database).search(Filter(), limit=500)
    assert Counter(one.state for one in done) == {State.PROCESSED: sent}
    with database.connection() as connection:
        stays = Encounters(connection).of_patients(numbers)
        assert len(Registry(connection).search(limit=100)) == 40
        assert {one.birth_name.family for one in _traits(connection)} == {"NOËL^"}
        assert Units(connection).labels(["URG1"], day=date(2026, 11, 24)) == {"URG1": "Urgences"}
    assert len(stays) >= 30
    assert {"I", "O"} <= {one.stay.patient_class for one in stays}
    assert {one.stay.medical_unit for one in stays} <= set(UNITS)
    assert (
        load_stays(database, Rules(zone=PARIS), now=datetime(2026, 11, 24, 9, tzinfo=UTC)) == sent
    )


def _traits(connection):
    return [one.traits for one in Registry(connection).search(limit=100)]
