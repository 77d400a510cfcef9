"""Patients' files of the admission office: searched, opened, typed in, corrected."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal, TypeVar

import psycopg
from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, Field

from negatoscope.domain.identity import Action
from negatoscope.domain.patients import (
    Authority,
    Change,
    ChangeKind,
    FileEnded,
    HeldIdentifier,
    Identifier,
    IdentityStatus,
    Patient,
    PersonName,
    Registry,
    SimilarPatients,
    Traits,
    UnknownPatient,
    dicom_patient,
    ins,
    status_of,
)
from negatoscope.entrypoints.api.common import Asking, Schema, to
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

T = TypeVar("T")
router = APIRouter(tags=["registered patients"])
Reader = Annotated[Asking, to(Action.READ_WORK)]
Writer = Annotated[Asking, to(Action.ORDER)]
Corrector = Annotated[Asking, to(Action.RECONCILE)]
Number = Annotated[int, Path(ge=1, lt=1 << 62)]
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
_MAX_CHANGES: Final = 500


def _one_line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


def _known_date(text: str) -> str:
    """``YYYY``, ``YYYYMM`` or ``YYYYMMDD`` of the calendar, not to come."""
    if not text:
        return ""
    if re.fullmatch(r"[0-9]{4}([0-9]{2}([0-9]{2})?)?", text) is None:
        raise ValueError("a date is YYYY, YYYYMM or YYYYMMDD")
    try:
        first = date(int(text[:4]), int(text[4:6] or 1), int(text[6:8] or 1))
    except ValueError as error:
        raise ValueError("there is no such day") from error
    if first > datetime.now(UTC).date():
        raise ValueError("the date is to come")
    return text


Text = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]
LongText = Annotated[str, Field(max_length=500), AfterValidator(_one_line)]
BirthDate = Annotated[str, Field(max_length=8), AfterValidator(_known_date)]
Sex = Literal["", "F", "M", "I", "O", "U", "A", "N"]


class PatientNames(Schema):
    """Names of one kind."""

    family: Text = ""
    given: Text = ""
    """The first given name."""
    further: LongText = ""
    """Of a birth name: all given names of the birth certificate, parted by spaces."""


class PatientIdentifier(Schema):
    """An identifier with who gave it."""

    value: str
    authority: str
    """Its local name, else the universal one."""
    universal_id: str
    universal_id_type: str
    type_code: str
    """HL7 table 0203: ``PI`` (IPP), ``INS``, …"""
    warning: str
    """What is wrong with an INS; empty when nothing is."""


class DatedIdentifier(PatientIdentifier):
    """In force, or until when it was."""

    since: datetime
    until: datetime | None


class RegisteredPatient(Schema):
    """A patient in a list."""

    id: int
    family_name: str
    """To be shown: in use, else at birth."""
    given_name: str
    birth_name: PatientNames
    used_name: PatientNames
    birth_date: str
    """``YYYY``, ``YYYYMM`` or ``YYYYMMDD``, as far as it is known."""
    lunar_birth_date: str
    sex: str
    identity_status: IdentityStatus
    identity_attributes: list[str]
    """``HOMA`` (homonym), ``DOUT`` (doubtful), ``FICT`` (fictitious)."""
    identifiers: list[PatientIdentifier]
    """In force."""
    is_deceased: bool
    merged_into: int | None


class TraitChange(Schema):
    """One line of the history."""

    id: int
    at: datetime
    kind: ChangeKind
    before: dict[str, Any]
    after: dict[str, Any]
    source: str
    """``hl7:<message>``, ``user:<name>``."""
    other_patient: int | None


class PatientFile(RegisteredPatient):
    """A patient's file."""

    identity_code: str
    """PID-32 as it came: ``VALI``, ``PROV`` or nothing."""
    birth_place_code: str
    birth_place_name: str
    address: str
    telephone: str
    died_at: str
    version: int
    created_at: datetime
    updated_at: datetime
    every_identifier: list[DatedIdentifier]
    traits_since: dict[str, datetime]
    """Since when each trait is as it is."""
    changes: list[TraitChange]
    """The newest first, 500 at most."""
    absorbed: list[RegisteredPatient]
    """Files that ended in this one."""
    goes_on_as: int
    """The file at the end of its merges: itself, unless it was merged away."""
    patient_id: str
    """Patient ID that modalities get."""
    issuer_of_patient_id: str


class PatientTraits(Schema):
    """What somebody types in or corrects; what is left out stays as it is."""

    birth_name: PatientNames | None = None
    used_name: PatientNames | None = None
    birth_date: BirthDate | None = None
    lunar_birth_date: Annotated[str, Field(max_length=40), AfterValidator(_one_line)] | None = None
    sex: Sex | None = None
    birth_place_code: Annotated[str, Field(pattern=r"^([0-9][0-9AB][0-9]{3})?$")] | None = None
    """INSEE code of the commune or country."""
    birth_place_name: Text | None = None
    address: LongText | None = None
    telephone: Annotated[str, Field(max_length=40), AfterValidator(_one_line)] | None = None
    is_deceased: bool | None = None


class NewPatient(PatientTraits):
    """A patient typed in: provisional, with a number of our own."""

    even_if_similar: bool = False
    """Also when patients with the same name and birth date are known."""


class PatientCorrection(PatientTraits):
    """Other traits; and whether the identity was checked."""

    version: Annotated[int, Field(ge=1)]
    """As it was read."""
    identity_code: Literal["PROV", "VALI"] | None = None
    """``VALI``: checked against a document that can be trusted."""
    identity_attributes: frozenset[Literal["HOMA", "DOUT", "FICT"]] | None = None


@router.get("/registered-patients")
async def list_registered_patients(
    ask: Reader,
    *,
    text: Annotated[str, Query(max_length=200)] = "",
    identifier: Annotated[str, Query(max_length=64)] = "",
    birth_date: Annotated[str, Query(max_length=8)] = "",
    before_id: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[RegisteredPatient]:
    """Patients whose files go on, newest first; older ones by ``before_id``.

    ``text`` is what somebody types: words are parts of names, accents and case aside; numbers begin an identifier
    or a birth date (``1961``, ``03/05/1961``, ``1961-05-03``).
    """

    def find(connection: psycopg.Connection[Any]) -> list[Patient]:
        return Registry(connection).search(
            text=text.replace("\0", ""),
            identifier=identifier.replace("\0", "").strip(),
            birth_date=birth_date.replace("\0", "").strip(),
            before=before_id,
            limit=limit,
        )

    found = await run_blocking(with_connection, ask, find)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return [listed(one) for one in found]


@router.get("/registered-patients/{number}")
async def get_registered_patient(ask: Reader, number: Number) -> PatientFile:
    """A patient's file with its history, also of one that was merged away."""
    return await _file(ask, number, "open patient file")


@router.post("/registered-patients", status_code=201)
async def create_registered_patient(ask: Writer, new: NewPatient) -> PatientFile:
    """Make the file of a patient typed in at the desk: a provisional identity, a number of our own."""
    updates = _updates(new)
    traits = Traits(**updates, identity_status="PROV")
    if traits.birth_name.is_empty and traits.used_name.is_empty:
        raise Problem("invalid-input", detail="A name is needed.")
    settings = ask.services.settings.patients
    own = Authority(
        namespace=settings.own_authority,
        universal_id=settings.own_universal_id,
        universal_id_type=settings.own_universal_id_type,
    )

    def make(connection: psycopg.Connection[Any]) -> int:
        return (
            Registry(connection)
            .create(
                traits=traits,
                own_authority=own,
                prefix=settings.own_prefix,
                source=f"user:{ask.actor.name}",
                even_if_similar=new.even_if_similar,
            )
            .patient
        )

    try:
        number = await run_blocking(with_connection, ask, make)
    except SimilarPatients as error:
        raise Problem(
            "similar-patients",
            detail=f"{error.message}; {error.hint}",
            extra={"patients": list(error.numbers[:20])},
        ) from error
    return await _file(ask, number, "register patient")


@router.patch("/registered-patients/{number}")
async def correct_registered_patient(
    ask: Corrector, number: Number, correction: PatientCorrection
) -> PatientFile:
    """Correct traits by hand, or say that the identity was checked."""
    updates = _updates(correction)
    if correction.identity_code is not None:
        updates["identity_status"] = correction.identity_code
    attributes = correction.identity_attributes
    if attributes is not None:
        if {"DOUT", "FICT"} <= attributes:
            raise Problem("invalid-input", detail="DOUT and FICT exclude each other (RNIV).")
        if attributes & {"DOUT", "FICT"} and correction.identity_code == "VALI":
            detail = "A doubtful or fictitious identity is provisional (RNIV)."
            raise Problem("invalid-input", detail=detail)
        updates["identity_attributes"] = tuple(sorted(attributes))

    def change(connection: psycopg.Connection[Any]) -> None:
        Registry(connection).correct(
            number,
            updates=updates,
            version=correction.version,
            source=f"user:{ask.actor.name}",
        )

    try:
        await run_blocking(with_connection, ask, change)
    except UnknownPatient as error:
        raise Problem("patient-not-found") from error
    except FileEnded as error:
        raise Problem("conflict", detail=f"{error.message}; {error.hint}") from error
    return await _file(ask, number, "correct patient file")


def with_connection(ask: Asking, work: Callable[[psycopg.Connection[Any]], T]) -> T:
    """Call something with a connection, in a transaction that commits at its end."""
    with ask.services.database.connection() as connection:
        return work(connection)


async def _file(ask: Asking, number: int, action: str) -> PatientFile:
    """Read a file; it is noted in the audit trail before it is given out."""
    settings = ask.services.settings.patients

    def read(connection: psycopg.Connection[Any]) -> PatientFile:
        registry = Registry(connection)
        patient = registry.get(number)
        changes = registry.history(number)
        dicom = dicom_patient(
            patient, preferred_authority=settings.preferred_authority, name=settings.dicom_name
        )
        shown = listed(patient)
        return PatientFile(
            **{name: getattr(shown, name) for name in RegisteredPatient.model_fields},
            identity_code=patient.traits.identity_status,
            birth_place_code=patient.traits.birth_place_code,
            birth_place_name=patient.traits.birth_place_name,
            address=patient.traits.address,
            telephone=patient.traits.telephone,
            died_at=patient.traits.died_at,
            version=patient.version,
            created_at=patient.created_at,
            updated_at=patient.updated_at,
            every_identifier=[_dated(one) for one in registry.every_identifier(number)],
            traits_since=_since(changes),
            changes=[TraitChange.model_validate(one) for one in changes[::-1][:_MAX_CHANGES]],
            absorbed=[listed(one) for one in registry.get_all(registry.absorbed(number))],
            goes_on_as=registry.goes_on_as(number),
            patient_id=dicom.patient_id,
            issuer_of_patient_id=dicom.issuer_of_patient_id,
        )

    try:
        found = await run_blocking(with_connection, ask, read)
    except UnknownPatient as error:
        raise Problem("patient-not-found") from error
    await ask.services.access.note(
        ask.request,
        action,
        patient_id=found.patient_id or None,
        issuer_of_patient_id=found.issuer_of_patient_id or None,
        detail={"patient": number},
    )
    return found


def _updates(given: PatientTraits) -> dict[str, Any]:
    updates: dict[str, Any] = {}
    for name in PatientTraits.model_fields:
        value = getattr(given, name)
        if value is None:
            continue
        updates[name] = (
            PersonName(family=value.family, given=value.given, further=value.further)
            if isinstance(value, PatientNames)
            else value
        )
    return updates


def listed(patient: Patient) -> RegisteredPatient:
    """A patient as lists show it."""
    traits = patient.traits
    shown = traits.name_to_show
    return RegisteredPatient(
        id=patient.id,
        family_name=shown.family,
        given_name=shown.given,
        birth_name=PatientNames.model_validate(traits.birth_name),
        used_name=PatientNames.model_validate(traits.used_name),
        birth_date=traits.birth_date,
        lunar_birth_date=traits.lunar_birth_date,
        sex=traits.sex,
        identity_status=status_of(traits, patient.identifiers),
        identity_attributes=list(traits.identity_attributes),
        identifiers=[PatientIdentifier(**_identifier(one)) for one in patient.identifiers],
        is_deceased=traits.is_deceased,
        merged_into=patient.merged_into,
    )


def _identifier(one: Identifier) -> dict[str, Any]:
    return {
        "value": one.value,
        "authority": one.authority.text,
        "universal_id": one.authority.universal_id,
        "universal_id_type": one.authority.universal_id_type,
        "type_code": one.type_code,
        "warning": ins.problem_of(one.value) if ins.is_ins(one) else "",
    }


def _dated(one: HeldIdentifier) -> DatedIdentifier:
    return DatedIdentifier(**_identifier(one.identifier), since=one.since, until=one.until)


def _since(changes: list[Change]) -> dict[str, datetime]:
    """When each trait got its value; the history is oldest first."""
    since: dict[str, datetime] = {}
    for change in changes:
        if change.kind in {ChangeKind.CREATED, ChangeKind.UPDATED}:
            since |= {name: change.at for name in change.after if name != "identifiers"}
    return since
