"""What an identity manager of the demonstration finds on the desk.

Files typed in twice, twins who are not, somebody whom nobody could name, studies that came without
a patient or an order. Admissions and orders are HL7 messages, kept and carried out like those of
any sender; images take the door of every object, under the title of the device they come from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from negatoscope.demo import phantoms, projections
from negatoscope.demo.examinations import RADIOGRAPHY, chest, echography, head_scan, study
from negatoscope.demo.messages import message
from negatoscope.demo.objects import SeriesPlan
from negatoscope.demo.people import (
    DR_LE_GOFF,
    DR_TRAORE,
    ISSUER_OF_PATIENT_ID,
    LHERITIER,
    OEUVRARD,
    OZDEMIR,
    SEGUIN,
    Person,
)
from negatoscope.domain.archive import Source, SourceKind
from negatoscope.domain.messages import Messages
from negatoscope.entrypoints.hl7v2.acceptance import examine
from negatoscope.protocols.hl7v2 import Segment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from negatoscope.demo.objects import StudyPlan
    from negatoscope.domain.archive import Archive
    from negatoscope.infra.db import Database
    from negatoscope.protocols.hl7v2 import FieldValue


def _person(patient_id: str, patient_name: str, birth_date: str, sex: str) -> Person:
    return Person(
        patient_id=patient_id, patient_name=patient_name, birth_date=birth_date, sex=sex,
        size_m=0.64 if birth_date > "2026" else 1.7, weight_kg=6.9 if birth_date > "2026" else 68,
    )  # fmt: skip


HEARD_OTHERWISE: Final = _person(
    "8003100011", "LÉRITIER^Clémence", LHERITIER.birth_date, LHERITIER.sex
)
"""L'HÉRITIER, as the emergency desk heard it."""
MISTYPED: Final = _person("8003100029", "OEUVRARD^Coelio", "19940731", OEUVRARD.sex)
"""ŒUVRARD, with one digit of the birth date."""
SWAPPED: Final = _person("8003100037", "ZOÉ^Özdemir", OZDEMIR.birth_date, OZDEMIR.sex)
"""Family and given name in each other's field."""
TWINS: Final = (
    _person("8003100045", "CHEVALLIER^Capucine", "20190508", "F"),
    _person("8003100052", "CHEVALLIER^Camille", "20190508", "F"),
)
"""Two persons, whatever they share."""
UNKNOWN: Final = _person("8003100060", "INCONNU^Homme trois", "", "M")
"""Brought in without papers. He is van den Bossche, who is known."""
DOUBTFUL: Final = _person("8003100078", "KACI^Karim", "1988", "M")
WITHOUT_ORDER: Final = _person("8003100086", "FAURE^Odette", "19410715", "F")
"""Her bedside radiograph came without the accession number of its order."""
FROM_A_PRACTICE: Final = Person(
    patient_id="44021", patient_name="SEGUIN^GAETAN", birth_date=SEGUIN.birth_date, sex=SEGUIN.sex,
    size_m=SEGUIN.size_m, weight_kg=SEGUIN.weight_kg, issuer_of_patient_id="",
)  # fmt: skip
"""Séguin, under the number of a practice that does not say whose number it is."""
FROM_ELSEWHERE: Final = Person(
    patient_id="00291847", patient_name="BOURGEOIS^Marcelle", birth_date="19370302", sex="F",
    size_m=1.58, weight_kg=55, issuer_of_patient_id="CH-AUBEVILLE",
)  # fmt: skip
"""Nobody here has this number, this birth date or this name."""
_BORN_IN: Final = {one.patient_id: "38185" for one in TWINS}
_STATUS: Final = {
    UNKNOWN.patient_id: ("PROV", "FICT"),
    DOUBTFUL.patient_id: ("PROV", "DOUT"),
    WITHOUT_ORDER.patient_id: ("VALI",),
}
_TWIN_VISIT: Final = ("4010", "12", "P")
_PLACES: Final = {
    HEARD_OTHERWISE.patient_id: ("E", ("URG1", "B4")),
    MISTYPED.patient_id: ("O", ("7001",)),
    SWAPPED.patient_id: ("O", ("7001",)),
    TWINS[0].patient_id: ("I", _TWIN_VISIT),
    TWINS[1].patient_id: ("I", _TWIN_VISIT),
    UNKNOWN.patient_id: ("E", ("URG1", "DECH1")),
    DOUBTFUL.patient_id: ("E", ("URG1", "B9")),
    WITHOUT_ORDER.patient_id: ("I", ("2031", "118", "F")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """An order as the ward's program sends it; its number is its accession number too."""

    person: Person
    number: str
    code: str
    label: str
    modality: str
    question: str
    since_min: int
    is_running: bool = False
    priority: str = "R"


_ORDERS: Final = (
    _Order(
        person=HEARD_OTHERWISE, number="26119900011", code="ZBQK002", modality="DX",
        label="Radiographie du thorax", question="Toux et fièvre du nourrisson.", since_min=75,
        is_running=True, priority="A",
    ),
    _Order(
        person=UNKNOWN, number="26119900029", code="ACQK001", modality="CT",
        label="Scanner cérébral", question="Trouvé inconscient : hématome ?", since_min=20,
        is_running=True, priority="S",
    ),
    _Order(
        person=WITHOUT_ORDER, number="26119900037", code="ZBQK002", modality="DX",
        label="Radiographie du thorax", question="Contrôle au lit, décompensation ?",
        since_min=50,
    ),
)  # fmt: skip


def load_identities(
    database: Database, archive: Archive, *, zone: ZoneInfo, now: datetime | None = None
) -> tuple[int, int]:
    """Send the admissions and orders, and the images.

    Returns: How many messages were kept, and how many images were stored.
    Raises: IngestError: an object was refused (the volume is full, the database is gone).
    """
    at = (now or datetime.now(UTC)).astimezone(zone)
    arrivals = [examine(one, peer="127.0.0.1")[0] for one in _messages(at)]
    Messages(database).store(arrivals)
    count = 0
    for sender, contents in _images(at):
        source = Source(
            kind=SourceKind.DIMSE, calling_ae_title=sender, peer="127.0.0.1", actor_name=sender
        )
        with archive.open_session(source) as session:
            for content in contents:
                ingest = session.begin_part10()
                ingest.write(content)
                ingest.commit()
                count += 1
    return len(arrivals), count


def _messages(at: datetime) -> Iterator[bytes]:
    admitted_people = (
        *TWINS, HEARD_OTHERWISE, MISTYPED, SWAPPED, UNKNOWN, DOUBTFUL, WITHOUT_ORDER,
    )  # fmt: skip
    people = {one.patient_id: one for one in admitted_people}
    for number, (patient_id, (patient_class, place)) in enumerate(_PLACES.items()):
        admitted = at - timedelta(minutes=95 - 5 * number)
        event = "A01" if patient_class == "I" else "A04"
        when = f"{admitted:%Y%m%d%H%M%S}"
        own = ("", "", ISSUER_OF_PATIENT_ID)
        movement: dict[int, FieldValue] = {
            1: (f"D{patient_id}{event}", ISSUER_OF_PATIENT_ID),
            2: when,
            4: "INSERT",
            5: "N",
            7: ("", "", "", "", "", ISSUER_OF_PATIENT_ID, "UF", "", "", place[0]),
            8: ("", "", "", "", "", ISSUER_OF_PATIENT_ID, "UF", "", "", place[0]),
            9: "HMS",
        }
        yield message(
            ("ADT", event),
            admitted,
            f"DESK{at:%Y%m%d}{number:03d}",
            [
                Segment.build("EVN", {2: when, 6: when}),
                _pid(people[patient_id]),
                Segment.build(
                    "PV1", {2: patient_class, 3: place, 19: (f"V{patient_id}", *own, "VN")}
                ),
                Segment.build("ZBE", movement),
            ],
        )
    for number, one in enumerate(_ORDERS):
        asked = at - timedelta(minutes=one.since_min)
        placer = (one.number, ISSUER_OF_PATIENT_ID)
        patient_class, place = _PLACES[one.person.patient_id]
        yield message(
            ("ORM", "O01"),
            asked,
            f"DESKO{at:%Y%m%d}{number:03d}",
            [
                _pid(one.person),
                Segment.build("PV1", {2: patient_class, 3: place}),
                Segment.build(
                    "ORC",
                    {
                        1: "NW",
                        2: placer,
                        5: "IP" if one.is_running else "SC",
                        7: ("", "", "", f"{asked:%Y%m%d%H%M%S}", "", one.priority),
                    },
                ),
                Segment.build(
                    "OBR",
                    {
                        1: "1",
                        2: placer,
                        4: (one.code, one.label, "CCAM"),
                        18: one.number,
                        24: one.modality,
                        31: ("", one.question),
                    },
                ),
            ],
            application="DPI",
        )


def _pid(person: Person) -> Segment:
    family, given = person.patient_name.split("^")
    own = ("", "", ISSUER_OF_PATIENT_ID)
    fields: dict[int, FieldValue] = {
        3: (person.patient_id, *own, "PI"),
        5: (family, given, given, "", "", "", "L"),
        7: person.birth_date,
        8: person.sex,
        18: (f"D{person.patient_id}", *own, "AN"),
    }
    born_in = _BORN_IN.get(person.patient_id)
    if born_in is not None:
        fields[11] = ("", "", "", "", "", "", "BDL", "", born_in)
    fields[32] = [(one,) for one in _STATUS.get(person.patient_id, ("PROV",))]
    return Segment.build("PID", fields)


def _images(at: datetime) -> Iterator[tuple[str, Iterator[bytes]]]:
    def plan(person: Person, minutes: int, number: str, title: str, physician: str) -> StudyPlan:
        begun = at - timedelta(minutes=minutes)
        return study(person, f"{begun:%Y%m%d}", f"{begun:%H%M%S}", number, title, physician)

    heard = plan(HEARD_OTHERWISE, 60, "26119900011", "Thorax face", DR_TRAORE)
    yield "DXURG", _radiograph(heard, 911)
    running = plan(UNKNOWN, 8, "26119900029", "Scanner cérébral", DR_LE_GOFF)
    yield "CTURG", islice(head_scan(running, haematoma=True), 6)
    bedside = plan(WITHOUT_ORDER, 35, "bedside", "Thorax au lit", DR_LE_GOFF)
    bedside = replace(bedside, accession_number="")
    yield "MOBILE2", _radiograph(bedside, 912)
    practice = plan(FROM_A_PRACTICE, 60 * 26, "C-5512", "Échographie abdominale", "")
    yield (
        "CABINET",
        echography(practice, "Abdomen", body_part="ABDOMEN", stills=2, loop_frames=0, seed=913),
    )
    elsewhere = study(FROM_ELSEWHERE, "20190611", "101500", "AUB190611", "Thorax", "")
    yield "IMPORTCD", chest(elsewhere, 914)


def _radiograph(plan: StudyPlan, seed: int) -> Iterator[bytes]:
    series = SeriesPlan(
        study=plan,
        number=1,
        modality="DX",
        description="Thorax face",
        equipment=RADIOGRAPHY,
        body_part_examined="CHEST",
    )
    draw = phantoms.chest_radiograph(1000, 1000, seed)
    yield projections.digital_radiograph(series, projections.CHEST_PA, draw)
