"""Admission messages of the demonstration: the hospital's units, and where its patients are today.

Real HL7 messages, kept and carried out like those of any sender. Chosen by the date: the same day is
the same again.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from negatoscope.demo.messages import message
from negatoscope.demo.people import ISSUER_OF_PATIENT_ID
from negatoscope.domain.messages import Messages
from negatoscope.domain.patients import Patient, Registry
from negatoscope.entrypoints.hl7v2.acceptance import examine
from negatoscope.protocols.hl7v2 import Segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from negatoscope.domain.scheduling.hours import Rules
    from negatoscope.infra.db import Database
    from negatoscope.protocols.hl7v2 import FieldValue

UNITS: Final = {
    "2031": ("Pneumologie", "HOSPITALISATION"),
    "2045": ("Cardiologie", "HOSPITALISATION"),
    "3110": ("Chirurgie digestive", "HOSPITALISATION"),
    "3322": ("Orthopédie et traumatologie", "HOSPITALISATION"),
    "4010": ("Pédiatrie", "HOSPITALISATION"),
    "5207": ("Neurologie", "HOSPITALISATION"),
    "6150": ("Oncologie", "HOSPITALISATION"),
    "4410": ("Réanimation", "HOSPITALISATION"),
    "7001": ("Consultations externes", "CONSULTATION"),
    "URG1": ("Urgences", "URGENCES"),
}
_WARDS: Final = ("2031", "2045", "3110", "3322", "5207", "6150")
_MOST_PATIENTS: Final = 500


def load_stays(database: Database, rules: Rules, *, now: datetime | None = None) -> int:
    """Send the hospital's units and today's stays of its patients.

    Returns: How many messages were kept; the HL7 process carries them out.
    """
    office = _Office(rules, now or datetime.now(UTC))
    with database.connection() as connection:
        patients = [
            one
            for one in Registry(connection).search(limit=_MOST_PATIENTS)
            if any(i.authority.namespace == ISSUER_OF_PATIENT_ID for i in one.identifiers)
            and not one.traits.identity_attributes
        ]
    contents = [office.units(), *(m for one in reversed(patients) for m in office.stay(one))]
    arrivals = [examine(one, peer="127.0.0.1")[0] for one in contents]
    Messages(database).store(arrivals)
    return len(arrivals)


class _Office:
    """The admission office of a hospital that does not exist."""

    def __init__(self, rules: Rules, now: datetime) -> None:
        self._zone = rules.zone
        self._now = now
        self._today = rules.day_of(now)
        self._number = 0

    def units(self) -> bytes:
        """MFN^M05 with every unit."""
        segments = [Segment.build("MFI", {1: "LOC", 3: "UPD", 6: "AL"})]
        for code, (label, kind) in UNITS.items():
            place = ("", "", "", "", "", "UF", "", "", code)
            segments += [
                Segment.build("MFE", {1: "MAD", 4: place, 5: "PL"}),
                Segment.build("LOC", {1: place, 3: kind}),
                Segment.build("LCH", {1: place, 4: ("CD", "Code", "L"), 5: ("", code)}),
                Segment.build("LCH", {1: place, 4: ("LBL", "Libellé", "L"), 5: ("", label)}),
            ]
        return self._message(("MFN", "M05", "MFN_M05"), self._now, segments)

    def stay(self, patient: Patient) -> Iterator[bytes]:
        """What is said of a patient today: most are outpatients, a third stay in a ward."""
        chance = random.Random(f"{self._today} {patient.id}")
        kind = chance.random()
        if kind < 0.1:
            return
        visit = f"V{self._today:%y%m%d}{patient.id:04d}"
        morning = datetime.combine(self._today, time(7, chance.randrange(60)), self._zone)
        if kind < 0.6:
            place: FieldValue = ("7001",)
            yield self._adt(
                "A04", morning, patient, visit=visit, patient_class="O", place=place, unit="7001"
            )
        elif kind < 0.68:
            place = ("URG1", f"B{chance.randrange(1, 12)}")
            yield self._adt(
                "A04", morning, patient, visit=visit, patient_class="E", place=place, unit="URG1"
            )
        else:
            unit = chance.choice(_WARDS)
            begun = morning - timedelta(days=chance.randrange(1, 7), hours=-chance.randrange(6))
            place = (unit, str(chance.randrange(101, 130)), chance.choice("PF"))
            yield self._adt(
                "A01", begun, patient, visit=visit, patient_class="I", place=place, unit=unit
            )
            if chance.random() < 0.4:
                moved = begun + timedelta(hours=chance.randrange(5, 17))
                other = chance.choice([one for one in (*_WARDS, "4410") if one != unit])
                place = (other, str(chance.randrange(201, 230)), chance.choice("PF"))
                yield self._adt(
                    "A02", moved, patient, visit=visit, patient_class="I", place=place, unit=other
                )

    def _adt(
        self,
        event: str,
        at: datetime,
        patient: Patient,
        *,
        visit: str,
        patient_class: str,
        place: FieldValue,
        unit: str,
    ) -> bytes:
        traits = patient.traits
        held = next(
            one for one in patient.identifiers if one.authority.namespace == ISSUER_OF_PATIENT_ID
        )
        birth = traits.birth_name
        status = "PROV" if patient.id % 5 == 0 else "VALI"
        label = UNITS[unit][0]
        when = f"{at:%Y%m%d%H%M}00"
        own = ("", "", ISSUER_OF_PATIENT_ID)
        xon: FieldValue = (label, "", "", "", "", ISSUER_OF_PATIENT_ID, "UF", "", "", unit)
        return self._message(
            ("ADT", event),
            at,
            [
                Segment.build("EVN", {2: when, 6: when}),
                Segment.build(
                    "PID",
                    {
                        3: (held.value, *own, "PI"),
                        5: (birth.family, birth.given, birth.further, "", "", "", "L"),
                        7: traits.birth_date,
                        8: traits.sex,
                        18: (f"D{visit[1:]}", *own, "AN"),
                        32: status,
                    },
                ),
                Segment.build("PV1", {2: patient_class, 3: place, 19: (visit, *own, "VN")}),
                Segment.build(
                    "ZBE",
                    {
                        1: (f"{visit}{event}", ISSUER_OF_PATIENT_ID),
                        2: when,
                        4: "INSERT",
                        5: "N",
                        7: xon,
                        8: xon,
                        9: "HMS",
                    },
                ),
            ],
        )

    def _message(self, kind: FieldValue, at: datetime, segments: Sequence[Segment]) -> bytes:
        self._number += 1
        control_id = f"DEMO{self._today:%Y%m%d}{self._number:05d}"
        return message(kind, at.astimezone(self._zone), control_id, segments)
