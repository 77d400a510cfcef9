"""A day of the demonstration department: appointments in all states around now, some with images.

What is past was done, what goes on now is going on, what comes is expected; a few are late, were
stopped, wait for a radiologist or for an answer. Chosen by the date, so that the same day is the
same again; nothing here is anybody's.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from negatoscope.demo import people, phantoms, projections
from negatoscope.demo.examinations import (
    RADIOGRAPHY,
    brain_magnet,
    echography,
    head_scan,
    knee_magnet,
    study,
)
from negatoscope.demo.objects import SeriesPlan
from negatoscope.demo.people import ISSUER_OF_PATIENT_ID, Person
from negatoscope.domain.archive import Source, SourceKind
from negatoscope.domain.orders import (
    Answer,
    NewOrder,
    NewProcedure,
    OrderDetails,
    Orders,
    Priority,
    Question,
    StepState,
    safety,
    step_changed,
)
from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry
from negatoscope.domain.scheduling.appointments import Appointments
from negatoscope.domain.scheduling.catalogue import Catalogue
from negatoscope.domain.scheduling.errors import Obstructed
from negatoscope.domain.scheduling.model import Place
from negatoscope.domain.scheduling.resources import ResourceKind, Resources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg

    from negatoscope.demo.objects import StudyPlan
    from negatoscope.domain.archive import Archive
    from negatoscope.domain.scheduling.catalogue import Procedure
    from negatoscope.domain.scheduling.hours import Rules
    from negatoscope.domain.scheduling.resources import Resource
    from negatoscope.infra.db import Database

_FAMILY: Final = (
    "AUBERT", "BARBIER", "BENOÎT", "BERNARD", "BLANC", "BOUCHER", "BRUN", "CARON", "CHEVALIER", "CLÉMENT",
    "COLIN", "DA SILVA", "DENIS", "DIALLO", "DUFOUR", "DUMONT", "FAURE", "FERNANDEZ", "FONTAINE", "GAUTHIER",
    "GIRARD", "GUÉRIN", "HAMEL", "HUBERT", "JOLY", "KACI", "LACROIX", "LAMBERT", "LE ROUX", "LEMOINE",
    "MARCHAND", "MASSON", "MERCIER", "MEYER", "MOREL", "NOËL", "OLIVIER", "PERRIN", "PICARD", "RENARD",
    "RIVIÈRE", "ROUSSEL", "ROY", "SCHNEIDER", "TRAN", "VIDAL", "WAGNER", "YILMAZ",
)  # fmt: skip
_WOMEN: Final = (
    "Adèle", "Béatrice", "Camille", "Chloé", "Denise", "Émilie", "Fatou", "Françoise", "Hélène", "Inès",
    "Josiane", "Léa", "Lucie", "Maëlle", "Nadia", "Odette", "Sarah", "Yvette",
)  # fmt: skip
_MEN: Final = (
    "Adrien", "André", "Bilal", "Cédric", "Didier", "Élie", "Gérard", "Hugo", "Jérôme", "Karim", "Léon", "Loïc",
    "Marcel", "Noé", "Paul", "Rémi", "Samir", "Théo",
)  # fmt: skip
_UNITS: Final = ("2031", "2045", "3110", "3322", "4010", "5207", "6150", "URG1")
_PHYSICIANS: Final = (
    people.DR_ABADIE,
    people.DR_CARRERE,
    people.DR_KOWALCZYK,
    people.DR_LE_GOFF,
    people.DR_TRAORE,
)
_QUESTIONS: Final = (
    "Douleur depuis trois semaines, lésion ?",
    "Bilan avant intervention.",
    "Surveillance.",
    "Chute de sa hauteur, fracture ?",
    "Fièvre et toux, foyer ?",
    "Altération de l'état général.",
    "Contrôle à six mois.",
)
_WEEKDAY_ROOMS: Final = (
    "Scanner 1",
    "Scanner 2",
    "IRM 1 (1,5 T)",
    "IRM 2 (3 T)",
    "Échographie 1",
    "Échographie 2",
    "Échographie 6 (Doppler)",
    "Radiographie 1",
    "Radiographie 2",
    "Mammographie 1",
    "TEP-scanner",
)
_ALWAYS_ROOMS: Final = ("Scanner urgences", "Radiographie urgences", "Échographie urgences")
_DRAWN: Final = ("ACQK001", "ACQN001", "NZQN001")
"""Codes of CT and MR of which pictures can be drawn."""
_MOST: Final = {"CT": 2, "MR": 4}
"""Of the day, with images: each is dozens of objects."""
_WHY: Final = "jour de démonstration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One examination of the day that has images."""

    plan: StudyPlan
    procedure: Procedure
    is_done: bool
    seed: int


class Day:
    """Makes one day.

    Args:
        database: With the catalogue loaded.
        rules: Zone and holidays of the department.
        now: Around which.
    """

    def __init__(self, database: Database, rules: Rules, *, now: datetime) -> None:
        self._database = database
        self._rules = rules
        self._now = now
        self._today = rules.day_of(now)
        self._random = random.Random(self._today.toordinal())
        self._number = 0

    def make(self) -> list[Examination]:
        """Orders, appointments and how far they are; one transaction.

        Returns: The examinations of which images should be made.
        """
        with self._database.connection() as connection:
            persons = [(one, self._register(connection, one)) for one in self._people()]
            self._random.shuffle(persons)
            catalogue = [one for one in Catalogue(connection).every() if one.is_active]
            rooms = {
                one.name: one
                for one in Resources(connection).every()
                if one.kind is ResourceKind.ROOM
            }
            devices = {
                one.room: one
                for one in Resources(connection).every()
                if one.kind is ResourceKind.DEVICE
            }
            made: list[Examination] = []
            for name, start_at, is_urgent in self._slots():
                if name not in rooms or rooms[name].id not in devices:
                    continue
                room, device = rooms[name], devices[rooms[name].id]
                procedure = self._choose(catalogue, room, device, start_at)
                if procedure is None:
                    continue
                person, patient = persons[self._number % len(persons)]
                found = self._examination(
                    connection,
                    (person, patient),
                    procedure,
                    (room, device),
                    start_at,
                    is_urgent=is_urgent,
                )
                if found is not None:
                    made.append(found)
        return self._limited(made)

    # -- who and when -------------------------------------------------------------------------

    def _people(self) -> Iterator[Person]:
        yield from people.PATIENTS
        for number, family in enumerate(_FAMILY):
            is_woman = number % 2 == 0
            given = (_WOMEN if is_woman else _MEN)[number * 5 % 18]
            year, day = 1932 + number * 37 % 88, number * 53 % 28 + 1
            yield Person(
                patient_id=f"80040{number:05}",
                patient_name=f"{family}^{given}",
                birth_date=f"{year}{number * 7 % 12 + 1:02}{day:02}",
                sex="F" if is_woman else "M",
                size_m=1.65,
                weight_kg=70,
            )

    def _register(self, connection: psycopg.Connection[Any], one: Person) -> int:
        family, given = (*one.patient_name.split("^"), "")[:2]
        identifier = Identifier(
            value=one.patient_id,
            authority=Authority(namespace=ISSUER_OF_PATIENT_ID),
            type_code="PI",
        )
        registry = Registry(connection)
        known = registry.holder(identifier)
        if known is not None:
            return known
        traits = {
            "birth_name": PersonName(family=family, given=given),
            "birth_date": one.birth_date,
            "sex": one.sex,
            "identity_status": "VALI" if int(one.patient_id[-1]) % 4 else "PROV",
        }
        made = registry.register(
            updates=traits, identifiers=[identifier], source="user:demonstration"
        )
        return made.patient

    def _slots(self) -> Iterator[tuple[str, datetime, bool]]:
        """Room and time: the regular programme of working days, emergencies around now."""
        for ahead in range(5):
            day = self._today + timedelta(days=ahead)
            if day.isoweekday() > 5:
                continue
            for name in _WEEKDAY_ROOMS:
                at = datetime.combine(day, time(8), self._rules.zone)
                end = at + timedelta(hours=9 if ahead == 0 else 4)
                while at < end:
                    if self._random.random() < (0.75 if ahead == 0 else 0.4):
                        yield name, at.astimezone(UTC), False
                    is_slow = name.startswith(("IRM", "TEP"))
                    at += timedelta(minutes=60 if is_slow else 45)
        begin = self._now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
        for name in _ALWAYS_ROOMS:
            for number in range(8):
                if self._random.random() < 0.7:
                    minutes = 45 * number + self._random.randrange(0, 15, 5)
                    yield name, begin + timedelta(minutes=minutes), True

    def _choose(
        self, catalogue: Sequence[Procedure], room: Resource, device: Resource, start_at: datetime
    ) -> Procedure | None:
        is_past = start_at < self._now
        fitting = [
            one
            for one in catalogue
            if one.modality == device.modality
            and (not one.rooms or room.id in one.rooms)
            and one.duration_min <= 60
            and not (is_past and one.modality in {"CT", "MR"} and one.code_value not in _DRAWN)
        ]
        return self._random.choice(fitting) if fitting else None

    # -- what happened ------------------------------------------------------------------------

    def _examination(
        self,
        connection: psycopg.Connection[Any],
        who: tuple[Person, int],
        procedure: Procedure,
        where: tuple[Resource, Resource],
        start_at: datetime,
        *,
        is_urgent: bool,
    ) -> Examination | None:
        person, patient = who
        room, device = where
        self._number += 1
        local = start_at.astimezone(self._rules.zone)
        accession = f"{self._today:%y%m%d}D{self._number:05}"
        plan = study(
            person,
            f"{local:%Y%m%d}",
            f"{local:%H%M%S}",
            accession,
            procedure.label_fr,
            self._random.choice(_PHYSICIANS),
        )
        priority = Priority.ROUTINE
        if is_urgent:
            priority = self._random.choice((Priority.STAT, Priority.HIGH, Priority.HIGH))
        unit = "URG1" if is_urgent else self._random.choice(_UNITS)
        orders = Orders(connection)
        made = orders.create(
            NewOrder(
                patient=patient,
                accession_number=accession,
                procedures=(
                    NewProcedure(
                        catalogue=procedure.id, study_instance_uid=plan.study_instance_uid
                    ),
                ),
                details=OrderDetails(
                    priority=priority,
                    requesting_service=unit,
                    current_patient_location=unit,
                    referring_physician_name=plan.referring_physician_name,
                    requesting_physician=plan.referring_physician_name,
                    clinical_question=self._random.choice(_QUESTIONS),
                    patient_transport=self._random.choice(("WALK", "WALK", "CHAIR", "BED")),
                ),
                is_accepted=True,
            ),
            source="user:demonstration",
        ).order
        places = [
            Place(
                step=one.id,
                start_at=start_at,
                end_at=start_at + timedelta(minutes=procedure.duration_min),
                room=room.id,
                device=device.id,
            )
            for one in made.steps
        ]
        if not self._book(connection, places):
            return None
        if start_at - self._now < timedelta(minutes=40) or self._random.random() < 0.6:
            self._answer(connection, made.id)
        state = StepState.SCHEDULED
        for one in made.steps:
            state = self._happen(connection, one.id, start_at, procedure, device.ae_title)
        if state not in {StepState.STARTED, StepState.COMPLETED}:
            return None
        return Examination(
            plan=plan,
            procedure=procedure,
            is_done=state is StepState.COMPLETED,
            seed=self._number,
        )

    def _book(self, connection: psycopg.Connection[Any], places: Sequence[Place]) -> bool:
        appointments = Appointments(connection, self._rules, source="user:demonstration")
        for reason in ("", _WHY):
            try:
                with connection.transaction():
                    appointments.book(places, reason=reason)
            except Obstructed:
                continue
            return True
        return False

    def _answer(self, connection: psycopg.Connection[Any], order: int) -> None:
        for question in safety.asked(connection, order):
            is_value = question is Question.RENAL_FUNCTION
            safety.answer(
                connection,
                order,
                question,
                source="user:accueil",
                answer=None if is_value else Answer.NO,
                value=None if not is_value else _egfr(self._random),
            )

    def _happen(
        self,
        connection: psycopg.Connection[Any],
        step: int,
        start_at: datetime,
        procedure: Procedure,
        ae_title: str,
    ) -> StepState:
        """Let a step come as far as it is by now."""
        late = timedelta(minutes=self._random.choice((-4, 0, 0, 3, 5, 8, 12, 25)))
        arrived = start_at - timedelta(minutes=self._random.choice((5, 10, 15, 25)))
        begun = start_at + late
        ended = begun + timedelta(minutes=procedure.duration_min)
        is_missing = self._random.random() < 0.04
        is_stopped = self._random.random() < 0.03
        if is_missing or arrived > self._now:
            return StepState.SCHEDULED
        checked = arrived + timedelta(minutes=3)
        station = f"dicom:{ae_title}"
        step_changed(connection, step, StepState.ARRIVED, at=arrived, source="user:accueil")
        if checked > self._now or (begun > self._now and self._random.random() < 0.4):
            return StepState.ARRIVED
        step_changed(
            connection,
            step,
            StepState.READY,
            at=checked,
            source="user:accueil",
            detail={"document": "IDENTITY_CARD"},
        )
        if begun > self._now:
            return StepState.READY
        step_changed(connection, step, StepState.STARTED, at=begun, source=station)
        if ended > self._now:
            return StepState.STARTED
        end = StepState.DISCONTINUED if is_stopped else StepState.COMPLETED
        reason = "Claustrophobie" if is_stopped else ""
        step_changed(connection, step, end, at=ended, source=station, reason=reason)
        return end

    def _limited(self, made: Sequence[Examination]) -> list[Examination]:
        left = dict(_MOST)
        kept: list[Examination] = []
        for one in reversed(made):
            modality = one.procedure.modality
            if modality in left:
                left[modality] -= 1
                if left[modality] < 0:
                    continue
            kept.append(one)
        return kept


def load_day(
    database: Database, archive: Archive, rules: Rules, *, now: datetime | None = None
) -> int:
    """Make the day, and the images of what was done.

    Returns: How many images were stored.

    Raises: IngestError: an object was refused (the volume is full, the database is gone).
    """
    examinations = Day(database, rules, now=now or datetime.now(UTC)).make()
    count = 0
    with archive.open_session(Source(kind=SourceKind.INTERNAL, actor_name="demo")) as session:
        for one in examinations:
            images = list(_images(one))
            for content in images if one.is_done else images[: max(1, len(images) // 2)]:
                ingest = session.begin_part10()
                ingest.write(content)
                ingest.commit()
                count += 1
    return count


def _images(one: Examination) -> Iterator[bytes]:
    part = one.procedure.body_part_examined
    match one.procedure.modality:
        case "DX":
            yield projections.digital_radiograph(
                SeriesPlan(
                    study=one.plan,
                    number=1,
                    modality="DX",
                    description=one.procedure.label_fr,
                    equipment=RADIOGRAPHY,
                    body_part_examined=part,
                ),
                projections.CHEST_PA if part == "CHEST" else projections.KNEE_AP,
                phantoms.chest_radiograph(1000, 1000, one.seed)
                if part == "CHEST"
                else phantoms.limb_radiograph(900, 1000, one.seed),
            )
        case "US":
            yield from echography(
                one.plan,
                one.procedure.label_fr,
                body_part=part,
                stills=2,
                loop_frames=0,
                seed=one.seed,
            )
        case "MR" if part == "KNEE":
            yield from knee_magnet(one.plan, "R")
        case "MR":
            yield from brain_magnet(one.plan, "T2")
        case "CT" if part == "HEAD":
            yield from head_scan(one.plan, haematoma=False)
        case _:
            return


def _egfr(source: random.Random) -> Decimal:
    return Decimal(source.randrange(55, 110))
