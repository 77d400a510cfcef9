"""A patient with all studies."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path

from negatoscope.domain.identity import Action
from negatoscope.entrypoints.api.common import Ask, Schema
from negatoscope.entrypoints.api.studies import ListedStudy
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["patients"])


class Identifier(Schema):
    """Another identifier of the same person."""

    identifier: str
    issuer: str


class Patient(Schema):
    """A patient as the archive knows them."""

    patient_key: int
    patient_id: str | None
    issuer_of_patient_id: str
    patient_name: str | None
    patient_birth_date: date | None
    patient_sex: str | None
    other_identifiers: list[Identifier]
    same_identifier_count: int
    """Other patients who have the same Patient ID, of another issuer or with other traits."""
    studies: list[ListedStudy]
    """Newest first."""


@router.get("/patients/{patient_key}")
async def get_patient(ask: Ask, patient_key: Annotated[int, Path(ge=1, lt=1 << 62)]) -> Patient:
    """One patient, with the studies that whoever asks may know of."""
    ask.require(Action.QUERY)
    found = await run_blocking(ask.patients.patient, patient_key, visible=ask.visible)
    if found is None:
        raise Problem("patient-not-found")
    patient, studies = found
    await ask.services.access.note_read(ask.request, Action.QUERY, studies[0].study_instance_uid)
    return Patient(
        patient_key=patient.patient_key,
        patient_id=patient.patient_id,
        issuer_of_patient_id=patient.issuer_of_patient_id,
        patient_name=patient.patient_name,
        patient_birth_date=patient.patient_birth_date,
        patient_sex=patient.patient_sex,
        same_identifier_count=patient.same_identifier_count,
        other_identifiers=[
            Identifier(identifier=identifier, issuer=issuer)
            for identifier, issuer in patient.other_identifiers
        ],
        studies=[ListedStudy.model_validate(one) for one in studies],
    )
