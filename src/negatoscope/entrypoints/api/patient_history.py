"""A registered patient across time: stays with their movements, requests and examinations."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import psycopg
from fastapi import APIRouter, Path

from negatoscope.domain.identity import Action
from negatoscope.domain.patients import Registry, UnknownPatient
from negatoscope.domain.patients.encounters import Encounter, Encounters
from negatoscope.domain.patients.stays import EncounterState, Movement
from negatoscope.domain.patients.units import Units
from negatoscope.domain.performed import timeline
from negatoscope.entrypoints.api.common import Asking, Schema, to
from negatoscope.entrypoints.api.registered_patients import with_connection
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

T = TypeVar("T")
router = APIRouter(tags=["registered patients"])
Reader = Annotated[Asking, to(Action.READ_WORK)]
Number = Annotated[int, Path(ge=1, lt=1 << 62)]


class PatientUnit(Schema):
    """A unit of the hospital as it was called then."""

    code: str
    label: str
    """Empty when no list names it."""


class PatientMovement(Schema):
    """A movement of a stay."""

    number: str
    """ZBE-1 with who numbered it; empty of senders without ZBE."""
    event: str
    """``A01`` admission, ``A02`` transfer, …"""
    nature: str
    """ZBE-9: S, H, M, L, D, SM, SH, MH, LD, HMS, C."""
    happened_at: datetime
    lodging_unit: PatientUnit
    medical_unit: PatientUnit
    care_unit: PatientUnit
    room: str
    bed: str
    is_historic: bool
    is_cancelled: bool


class PatientEncounter(Schema):
    """A stay or a visit."""

    id: int
    visit_number: str
    visit_authority: str
    account_number: str
    account_authority: str
    patient_class: str
    """PV1-2: ``I`` inpatient, ``O`` outpatient, ``E`` emergency, ``R`` recurring, …"""
    state: EncounterState
    admitted_at: datetime | None
    discharged_at: datetime | None
    expected_at: datetime | None
    lodging_unit: PatientUnit
    medical_unit: PatientUnit
    care_unit: PatientUnit
    room: str
    bed: str
    attending_doctor: str
    """PN."""
    movements: list[PatientMovement]
    """In the order in which they happened, cancelled ones included."""


class TimelineStudy(Schema):
    """A study of the archive."""

    study_instance_uid: str
    study_date: date | None
    study_time: str | None
    study_description: str
    modalities_in_study: tuple[str, ...]
    accession_number: str
    series_count: int
    instance_count: int
    patient_key: int


class TimelineEntry(Schema):
    """A requested procedure with its studies, or a study that no order asked for."""

    at: datetime | None
    day: date | None
    asked_at: datetime | None
    procedure: int | None
    request: int | None
    accession_number: str
    priority: str
    request_state: str
    procedure_state: str
    step_state: str
    label: str
    label_fr: str
    label_en: str
    modality: str
    requesting_service: str
    ended_at: datetime | None
    studies: list[TimelineStudy]


@router.get("/registered-patients/{number}/encounters")
async def list_patient_encounters(ask: Reader, number: Number) -> list[PatientEncounter]:
    """Stays of a patient and of the files that ended in theirs, the latest first."""
    zone = ask.services.settings.zone

    def read(connection: psycopg.Connection[Any]) -> list[PatientEncounter]:
        Registry(connection).get(number)
        units = _Labels(Units(connection))
        found = Encounters(connection).of_patient(number)
        return [_encounter(one, units, zone) for one in found]

    answer = await _read(ask, read)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return answer


@router.get("/registered-patients/{number}/timeline")
async def get_patient_timeline(ask: Reader, number: Number) -> list[TimelineEntry]:
    """What was asked for and done, with the studies: procedures, then studies without one, each the latest first."""

    def read(connection: psycopg.Connection[Any]) -> list[TimelineEntry]:
        registry = Registry(connection)
        registry.get(number)
        files = [number, *registry.absorbed(number)]
        found = timeline.of_patients(connection, files)
        return [TimelineEntry.model_validate(one) for one in found]

    answer = await _read(ask, read)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return answer


async def _read(ask: Asking, read: Callable[[psycopg.Connection[Any]], T]) -> T:
    try:
        return await run_blocking(with_connection, ask, read)
    except UnknownPatient as error:
        raise Problem("patient-not-found") from error


class _Labels:
    """What units were called, asked once for each day."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._known: dict[tuple[str, date], str] = {}

    def unit(self, code: str, day: date) -> PatientUnit:
        if code and (code, day) not in self._known:
            self._known[code, day] = self._units.labels([code], day=day).get(code, "")
        return PatientUnit(code=code, label=self._known.get((code, day), ""))


def _encounter(one: Encounter, units: _Labels, zone: ZoneInfo) -> PatientEncounter:
    stay = one.stay
    at = stay.discharged_at or one.updated_at
    day = at.astimezone(zone).date()
    return PatientEncounter(
        id=one.id,
        visit_number=one.visit.value,
        visit_authority=one.visit.authority.text,
        account_number="" if one.account is None else one.account.value,
        account_authority="" if one.account is None else one.account.authority.text,
        patient_class=stay.patient_class,
        state=stay.state,
        admitted_at=stay.admitted_at,
        discharged_at=stay.discharged_at,
        expected_at=stay.expected_at,
        lodging_unit=units.unit(stay.lodging_unit, day),
        medical_unit=units.unit(stay.medical_unit, day),
        care_unit=units.unit(stay.care_unit, day),
        room=stay.room,
        bed=stay.bed,
        attending_doctor=stay.attending_doctor,
        movements=[_movement(each, units, zone) for each in stay.movements],
    )


def _movement(one: Movement, units: _Labels, zone: ZoneInfo) -> PatientMovement:
    day = one.happened_at.astimezone(zone).date()
    return PatientMovement(
        number=one.movement_id,
        event=one.event,
        nature=one.nature,
        happened_at=one.happened_at,
        lodging_unit=units.unit(one.facts.get("lodging_unit", ""), day),
        medical_unit=units.unit(one.facts.get("medical_unit", ""), day),
        care_unit=units.unit(one.facts.get("care_unit", ""), day),
        room=one.facts.get("room", ""),
        bed=one.facts.get("bed", ""),
        is_historic=one.is_historic,
        is_cancelled=one.is_cancelled,
    )
