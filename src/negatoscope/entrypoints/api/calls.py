"""Calls to other applications: what buttons there are, where they lead, who may say so."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse
from pydantic import Field

from negatoscope.domain.archive import context as archive_context
from negatoscope.domain.devices.calls import (
    CallContext,
    CallTemplate,
    CallTemplates,
    fill,
)
from negatoscope.domain.devices.errors import (
    CallTemplateChanged,
    CallTemplateExists,
    InvalidCallTemplate,
    UnknownCallTemplate,
)
from negatoscope.domain.identity import Action
from negatoscope.domain.patients import Registry, UnknownPatient
from negatoscope.domain.patients.dicom import dicom_patient
from negatoscope.entrypoints.api.common import Administer, Ask, Asking, Schema
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.db import Database
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["calls"])
Number = Annotated[int, Field(ge=1, lt=1 << 63)]
StudyUid = Annotated[str | None, Query(pattern=r"^[0-9.]{1,64}$")]
RowNumber = Annotated[int | None, Query(ge=1, lt=1 << 62)]


class CallSettings(Schema):
    """An address with places in braces."""

    label: Annotated[str, Field(min_length=1, max_length=64)]
    place: Literal["PATIENT", "STUDY"]
    template: Annotated[str, Field(min_length=1, max_length=2000)]
    is_active: bool = True


class CallChange(CallSettings):
    """The same with the version that was read."""

    version: Annotated[int, Field(ge=1)]


class ConfiguredCall(CallChange):
    """As it is kept."""

    id: int


class OfferedCall(Schema):
    """A button; it leads to ``/api/v1/calls/{id}/open`` with the same parameters."""

    id: int
    label: str


# -- configured by an administrator ---------------------------------------------------------------


@router.get("/call-templates")
async def list_call_templates(ask: Administer) -> list[ConfiguredCall]:
    """Every address, by label."""
    found = await run_blocking(CallTemplates(ask.services.database).all)
    return [ConfiguredCall.model_validate(one) for one in found]


@router.post("/call-templates", status_code=201)
async def add_call_template(ask: Administer, wished: CallSettings) -> ConfiguredCall:
    """Register one."""
    try:
        made = await run_blocking(
            CallTemplates(ask.services.database).add, CallTemplate(**wished.model_dump())
        )
    except (InvalidCallTemplate, CallTemplateExists) as error:
        raise _problem(error) from error
    await ask.note("add call template", after=wished.model_dump())
    return ConfiguredCall.model_validate(made)


@router.put("/call-templates/{number}")
async def put_call_template(ask: Administer, number: Number, wished: CallChange) -> ConfiguredCall:
    """Change one; a version that is not the last is a conflict."""
    try:
        made = await run_blocking(
            CallTemplates(ask.services.database).change,
            CallTemplate(id=number, **wished.model_dump()),
        )
    except UnknownCallTemplate as error:
        raise Problem("not-found") from error
    except (InvalidCallTemplate, CallTemplateExists, CallTemplateChanged) as error:
        raise _problem(error) from error
    await ask.note("change call template", call=number, after=wished.model_dump())
    return ConfiguredCall.model_validate(made)


@router.delete("/call-templates/{number}", status_code=204)
async def remove_call_template(ask: Administer, number: Number) -> None:
    """Take one away."""
    try:
        before = await run_blocking(CallTemplates(ask.services.database).remove, number)
    except UnknownCallTemplate as error:
        raise Problem("not-found") from error
    await ask.note("remove call template", call=number, label=before.label)


def _problem(
    error: InvalidCallTemplate | CallTemplateExists | CallTemplateChanged,
) -> Problem:
    detail = f"{error.message}; {error.hint}".strip("; ")
    return Problem(
        "invalid-input" if isinstance(error, InvalidCallTemplate) else "conflict", detail=detail
    )


# -- offered to whoever has something open --------------------------------------------------------


@router.get("/calls")
async def list_calls(
    ask: Ask,
    *,
    study_instance_uid: StudyUid = None,
    patient_key: RowNumber = None,
    registered_patient: RowNumber = None,
) -> list[OfferedCall]:
    """The buttons for what is open: a study, a patient of the archive, a registered patient.

    An address that needs what is not known (a number of an authority, an accession number) is
    left out.
    """
    place, context = await _open(ask, study_instance_uid, patient_key, registered_patient)
    found = await run_blocking(CallTemplates(ask.services.database).all, place=place)
    return [
        OfferedCall(id=one.id, label=one.label)
        for one in found
        if fill(one.template, context) is not None
    ]


@router.get("/calls/{number}/open", status_code=303, response_class=RedirectResponse)
async def open_call(
    ask: Ask,
    number: Number,
    *,
    study_instance_uid: StudyUid = None,
    patient_key: RowNumber = None,
    registered_patient: RowNumber = None,
) -> RedirectResponse:
    """Lead to the other application; who was opened with it is noted."""
    place, context = await _open(ask, study_instance_uid, patient_key, registered_patient)
    try:
        one = await run_blocking(CallTemplates(ask.services.database).get, number)
    except UnknownCallTemplate as error:
        raise Problem("not-found") from error
    target = fill(one.template, context)
    if one.place != place or not one.is_active or target is None:
        raise Problem("not-found")
    await ask.note(
        "open in another application",
        call=one.label,
        study_instance_uid=study_instance_uid,
        patient_key=patient_key,
        registered_patient=registered_patient,
    )
    return RedirectResponse(
        target,
        status_code=303,
        headers={"referrer-policy": "no-referrer", "cache-control": "no-store"},
    )


async def _open(
    ask: Asking, study: str | None, patient_key: int | None, registered: int | None
) -> tuple[Literal["PATIENT", "STUDY"], CallContext]:
    """What is open, as far as whoever asks may see it."""
    if sum(one is not None for one in (study, patient_key, registered)) != 1:
        raise Problem(
            "bad-query", detail="One of a study, a patient, a registered patient is named."
        )
    user = ask.actor.name
    if study is not None:
        ask.require(Action.QUERY)
        found = await run_blocking(
            archive_context.studies_named,
            ask.services.database,
            ask.actor.data_scope,
            study_instance_uids=[study],
        )
        if not found.studies:
            raise Problem("not-found")
        one = found.studies[0]
        return "STUDY", CallContext(
            identifiers=_archive_identifiers(one.patient_id, one.issuer_of_patient_id),
            issuer_of_patient_id=one.issuer_of_patient_id,
            accession_number=one.accession_number or "",
            study_instance_uid=one.study_instance_uid,
            user=user,
        )
    if patient_key is not None:
        ask.require(Action.QUERY)
        known = await run_blocking(ask.patients.patient, patient_key, visible=ask.visible)
        if known is None:
            raise Problem("not-found")
        patient, _ = known
        return "PATIENT", CallContext(
            identifiers=[
                *_archive_identifiers(patient.patient_id, patient.issuer_of_patient_id),
                *((value, frozenset({issuer})) for value, issuer in patient.other_identifiers),
            ],
            issuer_of_patient_id=patient.issuer_of_patient_id,
            user=user,
        )
    assert registered is not None  # noqa: S101 - counted above
    ask.require(Action.READ_WORK)
    return "PATIENT", await run_blocking(
        _registered,
        ask.services.database,
        registered,
        ask.services.settings.patients.preferred_authority,
        user,
    )


def _archive_identifiers(value: str | None, issuer: str) -> list[tuple[str, frozenset[str]]]:
    return [(value, frozenset({issuer}))] if value else []


def _registered(database: Database, number: int, preferred: str, user: str) -> CallContext:
    with database.connection() as connection:
        try:
            registry = Registry(connection)
            patient = registry.get(registry.goes_on_as(number))
        except UnknownPatient as error:
            raise Problem("not-found") from error
    shown = dicom_patient(patient, preferred_authority=preferred)
    by_value = {one.value: one for one in patient.identifiers}
    known = [one for one in (shown.identifier, *shown.other_identifiers) if one is not None]
    return CallContext(
        identifiers=[
            (
                one.patient_id,
                frozenset(
                    {
                        one.issuer_of_patient_id,
                        by_value[one.patient_id].authority.namespace,
                        by_value[one.patient_id].authority.universal_id,
                    }
                )
                - {""}
                if one.patient_id in by_value
                else frozenset({one.issuer_of_patient_id}),
            )
            for one in known
        ],
        issuer_of_patient_id=shown.issuer_of_patient_id,
        user=user,
    )
