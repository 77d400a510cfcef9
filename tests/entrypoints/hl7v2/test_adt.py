"""What admission messages do to the registry of patients."""

import itertools
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from negatoscope.domain.messages import Arrival, Messages, Processor, State, StoredMessage
from negatoscope.domain.patients import (
    Authority,
    ChangeKind,
    Identifier,
    IdentityStatus,
    Patient,
    Registry,
    UnclearAuthority,
    status_of,
)
from negatoscope.domain.patients.encounters import Encounters
from negatoscope.domain.patients.stays import EncounterState
from negatoscope.entrypoints.hl7v2.acceptance import examine
from negatoscope.entrypoints.hl7v2.handling import handle
from negatoscope.infra.db import Database
from negatoscope.infra.settings import PatientSettings, Settings

CHU = Authority(namespace="CHU-X", universal_id="750", universal_id_type="N")
_NUMBERS = itertools.count(1)


class Department:
    """Sends messages and lets them have their effect."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.messages = Messages(database)

    def receive(self, content: bytes, settings: PatientSettings | None = None) -> StoredMessage:
        arrival, _ = examine(content, peer="127.0.0.1", patients=settings)
        (receipt,) = self.messages.store([arrival])
        Processor(self.database, handle).process_waiting()
        return self.messages.get(receipt.id)[0]

    def tell(self, event: str, *segments: str) -> StoredMessage:
        header = (
            f"MSH|^~\\&|GAM|CHU|RIS|CHU|20260102||ADT^{event}^ADT_A05|{next(_NUMBERS)}|P|2.5"
            "|||||FRA|UNICODE UTF-8"
        )
        return self.receive("\r".join((header, *segments, "")).encode())

    def patient(self, value: str, authority: Authority = CHU) -> Patient | None:
        with self.database.connection() as connection:
            registry = Registry(connection)
            number = registry.holder(Identifier(value=value, authority=authority))
            return None if number is None else registry.get(number)

    def history(self, number: int) -> list[Any]:
        with self.database.connection() as connection:
            return [(one.kind, one.source) for one in Registry(connection).history(number)]


@pytest.fixture
def department(database: Database) -> Department:
    return Department(database)


def pid(
    *identifiers: str,
    name: str = "DURAND^Zoé^Zoé Anne^^^^L",
    birth: str = "19800101",
    sex: str = "F",
    more: str = "",
) -> str:
    values = "~".join(one if "^" in one else f"{one}^^^CHU-X&750&N^PI" for one in identifiers)
    return f"PID|||{values}||{name}||{birth}|{sex}{more}"


def status(*values: str) -> str:
    return "|" * 24 + "~".join(values)


def test_a_patient_is_made_then_kept_up(department: Department) -> None:
    made = department.tell("A28", pid("1"))
    assert made.state == State.PROCESSED
    patient = department.patient("1")
    assert patient is not None
    assert (patient.traits.birth_name.family, patient.traits.birth_name.further) == (
        "DURAND",
        "Zoé Anne",
    )
    department.tell("A31", pid("1", name="DURAND^Zoé^Zoé Anne^^^^L~MARTIN^Zoé^^^^^D"))
    changed = department.patient("1")
    assert changed is not None
    assert changed.id == patient.id
    assert changed.traits.name_to_show.family == "MARTIN"
    assert [kind for kind, _ in department.history(patient.id)] == [
        ChangeKind.CREATED,
        ChangeKind.UPDATED,
    ]


def test_what_a_message_does_not_speak_of_stays_and_null_takes_away(department: Department) -> None:
    department.tell("A28", pid("1"))
    department.tell("A31", "PID|||1^^^CHU-X&750&N^PI||||||")
    patient = department.patient("1")
    assert patient is not None
    assert patient.traits.birth_date == "19800101"
    department.tell("A31", 'PID|||1^^^CHU-X&750&N^PI||||""|')
    patient = department.patient("1")
    assert patient is not None
    assert (patient.traits.birth_date, patient.traits.sex) == ("", "F")


def test_further_traits_of_the_french_extension(department: Department) -> None:
    """Lunar birth date (ZFD-1), birth place (XAD type BDL), address, telephone."""
    place = "|||12 RUE X^^NANCY^^54000^FRA^H~^^PARIS^^^^BDL^^75056||^PRN^PH^^^^^^^^^0383000000"
    department.tell("A28", pid("1", birth="19500101", more=place), "ZFD|30^02^1950||Y")
    patient = department.patient("1")
    assert patient is not None
    traits = patient.traits
    assert (traits.lunar_birth_date, traits.birth_place_code) == ("30/02/1950", "75056")
    assert (traits.birth_place_name, traits.address) == ("PARIS", "12 RUE X 54000 NANCY")
    assert traits.telephone == "0383000000"
    department.tell("A31", pid("1"), 'ZFD|""')
    patient = department.patient("1")
    assert patient is not None
    assert (patient.traits.lunar_birth_date, patient.traits.telephone) == ("", "0383000000")


def test_two_hospitals_with_one_number_are_two_patients(department: Department) -> None:
    department.tell("A28", pid("1"))
    department.tell("A28", pid("1^^^CHU-Y&751&N^PI", name="PETIT^Jean"))
    other = department.patient("1", Authority(universal_id="751"))
    mine = department.patient("1")
    assert other is not None
    assert mine is not None
    assert other.id != mine.id


def test_a_local_name_that_two_authorities_have_joins_nothing(department: Department) -> None:
    department.tell("A28", pid("1^^^CHU&750&N^PI"))
    department.tell("A28", pid("1^^^CHU&751&N^PI"))
    unclear = department.tell("A31", pid("1^^^CHU^PI"))
    assert unclear.state == State.FAILED
    with pytest.raises(UnclearAuthority):
        department.patient("1", Authority(namespace="CHU"))


def test_an_authority_known_by_its_local_name_gets_its_universal_one(
    department: Department,
) -> None:
    department.tell("A28", pid("1^^^CHU-X^PI"))
    department.tell("A31", pid("1"))
    local = department.patient("1", Authority(namespace="CHU-X"))
    assert local is not None
    assert local == department.patient("1")


def test_identifiers_of_two_patients_are_for_a_person(department: Department) -> None:
    department.tell("A28", pid("1"))
    department.tell("A28", pid("2", name="PETIT^Jean"))
    both = department.tell("A31", pid("1", "2"))
    assert both.state == State.FAILED
    assert "belong to the patients" in both.state_reason
    assert department.tell("A31", pid("2", sex="M")).state == State.PROCESSED


def test_a_merge_is_followed_said_again_and_taken_back(department: Department) -> None:
    department.tell("A28", pid("1"))
    department.tell("A28", pid("2"))
    first, second = department.patient("1"), department.patient("2")
    assert first is not None
    assert second is not None
    merge = ("A40", pid("1"), "MRG|2^^^CHU-X&750&N^PI")
    assert department.tell(*merge).effect["patients"][0]["from"] == [second.id]
    merged = department.patient("2")
    assert merged is not None
    assert merged.id == first.id
    assert department.tell(*merge).effect["patients"][0]["done"] == "nothing"
    with department.database.connection() as connection:
        registry = Registry(connection)
        assert registry.get(second.id).merged_into == first.id
        assert registry.split(subsumed=second.id, source="user:nobody") == first.id
    back = department.patient("2")
    assert back is not None
    assert back.id == second.id


def test_a_merge_in_a_circle_is_for_a_person(department: Department) -> None:
    for value in ("1", "2"):
        department.tell("A28", pid(value))
    department.tell("A40", pid("1"), "MRG|2^^^CHU-X&750&N^PI")
    # The other way round: both numbers are one patient's by now, and nothing happens.
    circle = department.tell("A40", pid("2"), "MRG|1^^^CHU-X&750&N^PI")
    assert circle.effect["patients"][0]["done"] == "nothing"


def test_an_identifier_changes(department: Department) -> None:
    department.tell("A28", pid("1"))
    department.tell("A47", pid("9"), "MRG|1^^^CHU-X&750&N^PI")
    assert department.patient("1") is None
    changed = department.patient("9")
    assert changed is not None
    assert [kind for kind, _ in department.history(changed.id)] == [
        ChangeKind.CREATED,
        ChangeKind.IDENTIFIERS_CHANGED,
    ]
    taken = department.tell("A28", pid("5"))
    assert taken.state == State.PROCESSED
    assert department.tell("A47", pid("5"), "MRG|9^^^CHU-X&750&N^PI").state == State.FAILED


INS = "279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
INS_AUTHORITY = Authority(universal_id="1.2.250.1.213.1.4.8")


def test_a_national_identifier_counts_when_it_is_qualified(department: Department) -> None:
    department.tell("A28", pid("1", INS, more=status("PROV")))
    assert department.patient(INS.split("^", maxsplit=1)[0], INS_AUTHORITY) is None
    department.tell("A31", pid("1", INS, more=status("VALI")))
    qualified = department.patient(INS.split("^", maxsplit=1)[0], INS_AUTHORITY)
    assert qualified is not None
    assert qualified.traits.identity_status == "VALI"
    gone = INS.replace("279035121518989", '""')
    department.tell("A47", pid("1", gone, more=status("PROV", "DOUT")), f"MRG|{INS}")
    patient = department.patient("1")
    assert patient is not None
    assert [one.type_code for one in patient.identifiers] == ["PI"]
    assert (patient.traits.identity_status, patient.traits.identity_attributes) == (
        "PROV",
        ("DOUT",),
    )


@pytest.mark.parametrize(
    ("event", "state"),
    [
        ("A01", State.PROCESSED),
        ("A08", State.PROCESSED),
        ("Z99", State.PROCESSED),
        ("A49", State.IGNORED),
        ("A44", State.FAILED),
        ("Z42", State.IGNORED),
        ("A29", State.FAILED),
    ],
)
def test_events(department: Department, event: str, state: State) -> None:
    """Those that tell who a patient is are followed, unknown ones passed over."""
    done = department.tell(event, pid("1"))
    assert done.state == state
    assert (department.patient("1") is not None) == (state == State.PROCESSED)
    assert done.state == State.PROCESSED or done.state_reason


def test_a_replayed_message_has_its_effect(department: Department) -> None:
    """A message that failed is replayed as it is, once its cause is mended."""
    department.tell("A28", pid("1"))
    department.tell("A28", pid("2"))
    failed = department.tell("A31", pid("1", "2", sex="O"))
    department.tell("A40", pid("1"), "MRG|2^^^CHU-X&750&N^PI")
    department.messages.replay(failed.id)
    Processor(department.database, handle).process_waiting()
    done, _ = department.messages.get(failed.id)
    assert (done.state, done.attempt_count) == (State.PROCESSED, 2)


PUBLISHED = {
    "pamfr_a01_ConsentementConsultation_NonOppositionAlimentation.er7": State.PROCESSED,
    "sgl_adt_a03_sortie.er7": State.PROCESSED,
    "ADT_A31-UpdatePersonInfo.hl7": State.PROCESSED,
    "ADT_A40-PatientMerge.hl7": State.PROCESSED,
    "ADT_A47-ChangePatientID.hl7": State.PROCESSED,
    "mdm_t02_cr_radio_init.er7": State.FAILED,
    "zam_z01_mss_reception.hl7": State.IGNORED,
    "ack_1.hl7": State.IGNORED,
}


def test_published_messages(department: Department, shared_data) -> None:
    """Official examples on a test site: taken, or refused with a reason; none breaks the line."""
    for path in sorted((shared_data / "hl7").glob("*.*")):
        if path.suffix not in {".hl7", ".er7"}:
            continue
        kept = department.receive(path.read_bytes(), PatientSettings(accept_test_ins=True))
        assert kept.state in {State.PROCESSED, State.FAILED, State.IGNORED}
        assert kept.state == PUBLISHED.get(path.name, kept.state), (path.name, kept)
        assert "internal error" not in kept.state_reason, path.name
        assert kept.state == State.PROCESSED or kept.state_reason or kept.verdict.reason, path.name
    with department.database.connection() as connection:
        found = Registry(connection).search(text="pat-trois")
        stays = Encounters(connection).of_patient(found[0].id)
    assert {one.value for one in found[0].identifiers} >= {"000003", "279035121518989"}
    assert status_of(found[0].traits, found[0].identifiers) is IdentityStatus.QUALIFIED
    assert [(one.event, one.facts["medical_unit"]) for one in stays[0].stay.movements] == [
        ("A01", "6268"),
        ("A03", "8782"),
    ]
    assert stays[0].stay.state is EncounterState.DISCHARGED


def test_published_identities_of_nobody_are_refused_on_a_production_site(
    department: Department, shared_data
) -> None:
    for path in sorted((shared_data / "hl7").glob("*adt_a0*.er7")) + sorted(
        (shared_data / "hl7").glob("pamfr*.er7")
    ):
        kept = department.receive(path.read_bytes())
        assert (kept.verdict.code, kept.verdict.segment, kept.verdict.field) == ("AE", "PID", 3)
        assert "test" in kept.verdict.reason


def test_an_error_inside_keeps_nothing_of_the_message_and_goes_on(
    department: Department, database: Database
) -> None:
    def broken(connection: Any, number: int, content: bytes) -> Any:
        handle(connection, number, content)
        raise RuntimeError("a bug")

    messages = department.messages
    arrival, _ = examine(
        b"MSH|^~\\&|A|B|C|D|2026||ADT^A28|1|P|2.5\rPID|||7^^^CHU-X&750&N\r", peer=""
    )
    (receipt,) = messages.store([arrival])
    Processor(database, broken).process_waiting()
    stored, _ = messages.get(receipt.id)
    assert (stored.state, stored.state_reason) == (State.FAILED, "internal error (RuntimeError)")
    assert department.patient("7") is None


def test_arrivals_without_a_control_identifier_are_all_kept(department: Department) -> None:
    receipts = department.messages.store([Arrival(content=b"a"), Arrival(content=b"b")])
    assert len({one.id for one in receipts}) == 2
    assert [department.messages.get(one.id)[1] for one in receipts] == [b"a", b"b"]


def test_bare_numbers_mean_those_of_their_facility(database: Database, tmp_path: Path) -> None:
    """Where a setting says so: they are that authority's, in PID-3 and MRG-1; of other senders they are refused."""
    site = PatientSettings(facility_authorities=("CLINIQUE = CHU-X", "OTHER=A&B"))
    settings = Settings(data_dir=tmp_path, patients=site)
    messages = Messages(database)

    def receive(facility: str, event: str, *segments: str) -> Arrival:
        head = f"MSH|^~\\&|DPI|{facility}|RIS|CHU|20260102||ADT^{event}|{next(_NUMBERS)}|P|2.5"
        content = "\r".join([head, "EVN||20260102", *segments, ""]).encode()
        arrival, _ = examine(content, peer="127.0.0.1", patients=site)
        messages.store([arrival])
        Processor(database, partial(handle, settings=settings)).process_waiting()
        return arrival

    person = "PID|||{number}||DURAND^Zoé^^^^^L||19800101|F"
    assert receive("ELSEWHERE", "A28", person.format(number="7")).verdict.code == "AE"
    assert receive("CLINIQUE", "A28", person.format(number="7~8^^^LABO")).verdict.code == "AA"
    receive("CLINIQUE", "A28", person.format(number="9"))
    receive("CLINIQUE", "A40", person.format(number="7"), "MRG|9")
    with database.connection() as connection:
        (patient,) = [one for one in Registry(connection).search(limit=9) if not one.merged_into]
    held = {(one.value, one.authority.namespace) for one in patient.identifiers}
    assert held == {("7", "CHU-X"), ("8", "LABO"), ("9", "CHU-X")}
    receive("OTHER", "A28", person.format(number="1"))
    with database.connection() as connection:
        names = connection.execute("SELECT namespace FROM assigning_authority").fetchall()
    assert ("A&B",) in names


@pytest.mark.parametrize("wrong", ["CLINIQUE", "=CHU", "CLINIQUE="])
def test_a_facility_without_an_authority_is_no_setting(wrong: str) -> None:
    with pytest.raises(ValueError, match="FACILITY=AUTHORITY"):
        PatientSettings(facility_authorities=(wrong,))


def merge(survivor: str, subsumed: str) -> tuple[str, str, str]:
    return "A40", pid(survivor), f"MRG|{subsumed}^^^CHU-X&750&N^PI"


def test_a_chain_of_merges_ends_at_the_last_survivor(department: Department) -> None:
    """A into B, B into C, and then C into A: all three numbers stay one patient's."""
    for value in ("1", "2", "3"):
        department.tell("A28", pid(value))
    last = department.patient("3")
    assert last is not None
    assert department.tell(*merge("2", "1")).state == State.PROCESSED
    assert department.tell(*merge("3", "2")).state == State.PROCESSED
    assert department.tell(*merge("1", "3")).effect["patients"][0]["done"] == "nothing"
    assert [one and one.id for one in map(department.patient, "123")] == [last.id] * 3


def test_a_patient_merged_into_itself_stays(department: Department) -> None:
    department.tell("A28", pid("1"))
    before = department.patient("1")
    done = department.tell(*merge("1", "1"))
    assert before is not None
    assert department.patient("1") == before
    assert done.state == State.PROCESSED
    assert done.effect["patients"][0]["done"] == "nothing"


def test_a_merge_of_a_number_nobody_has_loses_nobody(department: Department) -> None:
    """The survivor stays itself, and nothing is said to have been merged."""
    department.tell("A28", pid("1"))
    before = department.patient("1")
    done = department.tell(*merge("1", "404"))
    assert done.state == State.PROCESSED
    assert done.effect["patients"][0]["done"] == "nothing"
    assert before is not None
    assert department.patient("1") == before
    assert department.patient("404") is None
