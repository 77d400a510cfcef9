"""What admission messages do to stays: movements, cancels, late and faulty messages, accounts that move."""

import itertools
import random
from datetime import date
from functools import partial
from typing import Any

import pytest

from negatoscope.domain.messages import Messages, Processor, State, StoredMessage
from negatoscope.domain.patients import Authority, Identifier, Registry
from negatoscope.domain.patients.encounters import Encounter, Encounters
from negatoscope.domain.patients.stays import EncounterState
from negatoscope.domain.patients.units import Units
from negatoscope.entrypoints.hl7v2.acceptance import examine
from negatoscope.entrypoints.hl7v2.handling import handle
from negatoscope.infra.db import Database
from negatoscope.infra.settings import PatientSettings

CHU = Authority(namespace="CHU-X", universal_id="000897406", universal_id_type="N")
_NUMBERS = itertools.count(1)


class Office:
    """An admission office that sends, and the department that receives."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.settings = PatientSettings()

    def receive(self, *contents: str) -> list[StoredMessage]:
        messages = Messages(self.database)
        arrivals = [
            examine(one.encode(), peer="127.0.0.1", patients=self.settings)[0] for one in contents
        ]
        receipts = messages.store(arrivals)
        Processor(self.database, handle).process_waiting()
        return [messages.get(one.id)[0] for one in receipts]

    def stays(self, patient: str = "1") -> list[Encounter]:
        with self.database.connection() as connection:
            number = Registry(connection).holder(Identifier(value=patient, authority=CHU))
            return [] if number is None else Encounters(connection).of_patient(number)

    def stay(self, patient: str = "1") -> Encounter:
        (found,) = self.stays(patient)
        return found


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


def adt(
    event: str,
    at: str,
    *segments: str,
    patient: str = "1",
    visit: str = "V1^^^CHU-X&000897406&M^VN",
    account: str = "D1^^^CHU-X&000897406&M^AN",
    pv1: str = "I|MED^101^2",
    version: str = "2.5^FRA^2.11",
    status: str = "VALI",
) -> str:
    """A message said at ``HHMM`` of a day; PV1 from its second field."""
    said = f"20260301{at}00"
    fields = [*pv1.split("|"), *[""] * 20]
    fields[17] = visit
    return "\r".join(
        (
            f"MSH|^~\\&|GAM|CHU-X|RIS|CHU-X|{said}||ADT^{event}|{next(_NUMBERS)}|P|{version}|||||FRA|UNICODE UTF-8",
            f"EVN||{said}||||{said}",
            f"PID|||{patient}^^^CHU-X&000897406&N^PI||DURAND^Zoé^^^^^L||19800101|F||||||||||{account}"
            + "|" * 14
            + status,
            "PV1||" + "|".join(fields),
            *segments,
            "",
        )
    )


def zbe(
    number: str,
    at: str,
    action: str = "INSERT",
    *,
    of: str = "",
    medical: str = "",
    nature: str = "",
    historic: str = "N",
) -> str:
    unit = f"Chirurgie V^^^^^CHU-X&000897406&N^UF^^^{medical}" if medical else ""
    return f"ZBE|{number}^CHU-X^000897406|20260301{at}00||{action}|{historic}|{of}|{unit}||{nature}"


STAY = [
    adt("A05", "0800", zbe("1", "1000", medical="6268", nature="HMS"), pv1="I|"),
    adt("A01", "0955", zbe("2", "0950", medical="6268", nature="HMS")),
    adt("A02", "1100", zbe("3", "1100", nature="H"), pv1="I|REA^1^1"),
    adt("A02", "1200", zbe("4", "1200", medical="7000", nature="M"), pv1="I|REA^1^1"),
    adt(
        "A12",
        "1210",
        zbe("4", "1200", "CANCEL", of="A02", medical="7000", nature="M"),
        pv1="I|REA^1^1",
    ),
    adt("Z99", "1300", zbe("2", "0945", "UPDATE", of="A01", medical="6269", nature="HMS")),
    adt("A21", "1400", zbe("5", "1400", nature="L"), pv1="I|REA^1^1"),
    adt("A22", "1500", zbe("6", "1500", nature="L"), pv1="I|REA^1^1"),
    adt(
        "A02", "1600", zbe("7", "1030", medical="6500", nature="M", historic="Y"), pv1="I|MED^101^2"
    ),
    adt("A03", "1700", zbe("8", "1700", nature="S"), pv1="I|REA^1^1"),
]


def test_a_stay_from_preadmission_to_discharge(office: Office) -> None:
    done = office.receive(*STAY)
    assert {one.state for one in done} == {State.PROCESSED}
    assert done[0].effect["encounter"]["state"] == "PREADMITTED"
    found = office.stay()
    stay = found.stay
    assert (found.visit.value, found.visit.authority.universal_id) == ("V1", "000897406")
    assert found.account is not None
    assert found.account.value == "D1"
    assert (stay.state, stay.patient_class) == (EncounterState.DISCHARGED, "I")
    assert (stay.lodging_unit, stay.room, stay.medical_unit) == ("REA", "1", "6500")
    assert stay.admitted_at is not None
    assert stay.admitted_at.isoformat() == "2026-03-01T08:45:00+00:00"
    assert [(one.event, one.is_cancelled, one.is_historic) for one in stay.movements] == [
        ("A01", False, False),
        ("A05", False, False),
        ("A02", False, True),
        ("A02", False, False),
        ("A02", True, False),
        ("A21", False, False),
        ("A22", False, False),
        ("A03", False, False),
    ]
    with office.database.connection() as connection:
        labels = Units(connection).labels(["6268", "9999"], day=date(2026, 3, 1))
    assert labels == {"6268": "Chirurgie V"}


@pytest.mark.parametrize("seed", range(3))
def test_messages_out_of_order_end_in_the_same_stay(office: Office, seed: int) -> None:
    office.receive(*STAY)
    expected = office.stay().stay
    with office.database.connection() as connection:
        connection.execute("DELETE FROM encounter")
        connection.execute("DELETE FROM hl7_message")
    shuffled = STAY.copy()
    random.Random(seed).shuffle(shuffled)
    assert {one.state for one in office.receive(*shuffled)} == {State.PROCESSED}
    assert office.stay().stay == expected


def test_plain_international_adt(office: Office) -> None:
    plain = partial(adt, version="2.3", account="", visit="77", status="")
    office.receive(
        plain("A04", "0800", pv1="E|URG"),
        plain("A06", "0900", pv1="I|MED^12^A"),
        plain("A02", "1000", pv1="I|CHIR^1"),
        plain("A12", "1010", pv1="I|MED^12^A"),
        plain("A08", "1100", pv1="I|MED^14^A||||1234^HOUSE^Gregory"),
        plain("A03", "1200", pv1="I|MED^14^A"),
        plain("A13", "1210", pv1="I|MED^14^A"),
    )
    found = office.stay()
    assert (found.visit.value, found.visit.authority.text) == ("77", "CHU-X")
    assert found.account is None
    assert (found.stay.state, found.stay.room) == (EncounterState.ADMITTED, "14")
    assert found.stay.attending_doctor == "HOUSE^Gregory"


def test_a_message_without_a_stay_makes_none(office: Office) -> None:
    for one in (
        adt("A28", "0800", pv1="N", visit="", account=""),
        adt("A31", "0801", pv1="N", visit="", account=""),
        adt("A01", "0802", visit="", account=""),
    ):
        (done,) = office.receive(one)
        assert done.state == State.PROCESSED
        assert "encounter" not in done.effect
    assert office.stays() == []


def test_a_stay_is_never_carried_to_another_patient_by_its_number(office: Office) -> None:
    office.receive(adt("A01", "0800", zbe("1", "0800")))
    (refused,) = office.receive(adt("A02", "0900", zbe("2", "0900"), patient="2"))
    assert refused.state == State.FAILED
    assert "belongs to patient" in refused.state_reason
    assert office.stay().stay.state is EncounterState.ADMITTED
    elsewhere = "V1^^^CHU-Y&111&M^VN"
    office.receive(adt("A01", "0900", zbe("1", "0900"), patient="2", visit=elsewhere, account=""))
    assert len(office.stays("2")) == 1


def test_a_merge_carries_stays_with_it_and_later_messages_name_the_survivor(office: Office) -> None:
    office.receive(adt("A01", "0800", zbe("1", "0800"), patient="2"), adt("A28", "0801", pv1="N"))
    merge = adt("A40", "0900", "MRG|2^^^CHU-X&000897406&N^PI", pv1="N", visit="", account="")
    office.receive(merge)
    assert office.stay("1").stay.state is EncounterState.ADMITTED
    (done,) = office.receive(adt("A03", "1000", zbe("2", "1000"), patient="1"))
    assert done.effect["encounter"]["state"] == "DISCHARGED"
    assert len(office.stay("1").stay.movements) == 2


def move(at: str, to: str, former: str) -> str:
    mrg = f"MRG|{former}^^^CHU-X&000897406&N^PI||D1^^^CHU-X&000897406&M^AN"
    return adt("A44", at, mrg, patient=to, pv1="N", visit="")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_an_account_moves_to_another_patient(office: Office, order: tuple[int, ...]) -> None:
    """Also when what was said before the move comes after it."""
    told = [
        adt("A01", "0800", zbe("1", "0800"), patient="1"),
        move("0900", "2", "1"),
        adt("A03", "1000", zbe("2", "1000"), patient="2"),
    ]
    office.receive(adt("A28", "0700", pv1="N", visit="", account=""))
    done = office.receive(*(told[at] for at in order))
    waiting = [one for one in done if one.state == State.FAILED]
    for (
        one
    ) in waiting:  # said of the new patient before anybody moved the account: a person replays
        assert "belongs to patient" in one.state_reason
        Messages(office.database).replay(one.id)
        Processor(office.database, handle).process_waiting()
    assert office.stays("1") == []
    assert office.stay("2").stay.state is EncounterState.DISCHARGED
    assert len(office.stay("2").stay.movements) == 2


def test_a_third_patients_account_is_not_moved(office: Office) -> None:
    office.receive(adt("A01", "0800", zbe("1", "0800"), patient="3"))
    (refused,) = office.receive(move("0900", "2", "1"))
    assert refused.state == State.FAILED
    assert office.stay("3").stay.state is EncounterState.ADMITTED


def test_a_field_slipped_in_before_the_action_is_forgiven(office: Office) -> None:
    unit = "Urgences^^^^^^UF^^^8782"
    shifted = f"ZBE|9^CHU-X^000897406|20260301080000|20260309102840||INSERT|N||{unit}||HMS"
    (done,) = office.receive(adt("A01", "0800", shifted))
    assert done.state == State.PROCESSED
    (movement,) = office.stay().stay.movements
    assert (movement.nature, movement.facts["medical_unit"]) == ("HMS", "8782")


def test_times_that_are_none_are_for_a_person_or_replaced(office: Office) -> None:
    bad = adt("A01", "0800", zbe("1", "0800")).replace("20260301080000", "yesterday")
    (done,) = office.receive(bad)
    assert done.state == State.FAILED
    assert "EVN-2" in done.state_reason
    odd = adt("A01", "0800", "ZBE|1^CHU-X|20261399||INSERT|N||||HMS")
    (done,) = office.receive(odd)
    assert done.state == State.PROCESSED


def test_an_ins_of_nobody_is_refused_on_a_production_site(office: Office) -> None:
    test = "~279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS"
    message = adt("A01", "0800", zbe("1", "0800"), patient=f"1^^^CHU-X&000897406&N^PI{test}^")
    message = message.replace("^^^CHU-X&000897406&N^PI||DURAND", "||DURAND")
    (refused,) = office.receive(message)
    assert (refused.verdict.code, refused.verdict.segment, refused.verdict.field) == (
        "AE",
        "PID",
        3,
    )
    assert "production site" in refused.verdict.reason
    office.settings = PatientSettings(accept_test_ins=True)
    (taken,) = office.receive(
        message.replace("20260301080000||ADT^A01|", "20260301080000||ADT^A01|9")
    )
    assert (taken.verdict.code, taken.state) == ("AA", State.PROCESSED)


def test_a_wrong_key_warns_and_a08_is_a_matter_of_the_setting(office: Office) -> None:
    ins = "~260058815400244^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
    message = adt("A01", "0800", patient=f"1^^^CHU-X&000897406&N^PI{ins}^")
    (taken,) = office.receive(message.replace("^^^CHU-X&000897406&N^PI||DURAND", "||DURAND"))
    assert taken.effect["warnings"] == ["INS: its key does not fit"]
    assert office.receive(adt("A08", "0900"))[0].state == State.PROCESSED
    office.settings = PatientSettings(accept_a08=False)
    (refused,) = office.receive(adt("A08", "1000"))
    assert (refused.verdict.code, refused.verdict.error_code) == ("AR", "201")


def test_a_message_replayed_says_nothing_new(office: Office, database: Database) -> None:
    (first,) = office.receive(adt("A01", "0800", zbe("1", "0800")))
    with database.connection() as connection:
        connection.execute(
            "UPDATE hl7_message SET state = 'PENDING', processed_at = NULL WHERE id = %s",
            (first.id,),
        )
    Processor(database, handle).process_waiting()
    again: Any = Messages(database).get(first.id)[0]
    assert again.effect["encounter"]["done"] == "nothing"
    assert len(office.stay().stay.movements) == 1


def test_the_hospitals_structure_by_message(office: Office) -> None:
    def mfn(*places: str, at: str = "20260101") -> str:
        head = f"MSH|^~\\&|GAM|CHU|RIS|CHU|{at}||MFN^M05^MFN_M05|{next(_NUMBERS)}|P|2.5|||||FRA|UNICODE UTF-8"
        return "\r".join((head, "MFI|LOC||UPD|||AL", *places, ""))

    def place(action: str, code: str, label: str, kind: str = "UF", day: str = "20260101") -> str:
        return "\r".join(
            (
                f"MFE|{action}||{day}|^^^^^{kind}^^^{code}|PL",
                f"LOC|^^^^^{kind}^^^{code}||{kind}",
                f"LCH|^^^^^{kind}^^^{code}|||CD^Code^L|^{code}",
                f"LCH|^^^^^{kind}^^^{code}|||LBL^Libellé^L|^{label}",
            )
        )

    (done,) = office.receive(
        mfn(place("MAD", "6268", "Chirurgie V"), place("MAD", "9", "Chambre 9", "CH"))
    )
    assert done.effect["units"] == {"kept": 1, "ended": 0, "passed over": 1}
    office.receive(mfn(place("MUP", "6268", "Chirurgie vasculaire", day="20260301")))
    office.receive(mfn(place("MDC", "6268", "", day="20260601")))
    with office.database.connection() as connection:
        kept = [
            (one.label, str(one.valid_from), str(one.valid_until))
            for one in Units(connection).list()
        ]
    assert kept == [
        ("Chirurgie V", "None", "2026-02-28"),
        ("Chirurgie vasculaire", "2026-03-01", "2026-06-01"),
    ]
    (nothing,) = office.receive(mfn(place("MAD", "9", "Chambre 9", "CH")))
    assert nothing.state == State.IGNORED
    (empty,) = office.receive(mfn())
    assert (empty.verdict.code, empty.verdict.segment) == ("AE", "MFE")
