"""The call of another system, as a URL: Invoke Image Display (IHE RAD TF-2 §4.106, RAD-106).

``/view?requestType=STUDY&studyUID=…`` is a route of the web application; it asks here what the call means,
after signing in.
"""

import re
from datetime import date
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from negatoscope.domain.archive import context
from negatoscope.domain.identity import Action, may
from negatoscope.domain.orders import Orders
from negatoscope.domain.patients import Registry
from negatoscope.entrypoints.api.common import Asking, Schema, to
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.db import Database
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["context"])
Querier = Annotated[Asking, to(Action.QUERY)]
_UID: Final = re.compile(r"[0-9.]{1,64}")
_MAX_VALUES: Final = 50
_VIEWERS: Final = frozenset({"IHE_BIR", "IHE_PACS", "NEGATOSCOPE", "OHIF"})


class Call(Schema):
    """The parameters of RAD-106; those not known are ignored, as it asks."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    request_type: Annotated[str, Field(alias="requestType", max_length=16)]
    study_uid: Annotated[str, Field(alias="studyUID", max_length=4000)] = ""
    """One or several, parted by commas."""
    accession_number: Annotated[str, Field(alias="accessionNumber", max_length=1000)] = ""
    patient_id: Annotated[str, Field(alias="patientID", max_length=300)] = ""
    """HL7 CX: ``ID^^^NAMESPACE&OID&ISO``, or the identifier alone."""
    viewer_type: Annotated[str, Field(alias="viewerType", max_length=64)] = ""
    most_recent_results: Annotated[int | None, Field(alias="mostRecentResults", ge=1, le=1000)] = (
        None
    )
    modalities_in_study: Annotated[str, Field(alias="modalitiesInStudy", max_length=200)] = ""
    lower_date_time: Annotated[str, Field(alias="lowerDateTime", max_length=40)] = ""
    upper_date_time: Annotated[str, Field(alias="upperDateTime", max_length=40)] = ""


class CalledStudy(Schema):
    """A study of the call."""

    study_instance_uid: str
    study_date: date | None
    study_description: str | None
    accession_number: str | None
    modalities_in_study: tuple[str, ...]
    patient_key: int
    patient_id: str | None
    issuer_of_patient_id: str
    patient_name: str | None
    patient_birth_date: date | None


class Meaning(Schema):
    """What the call means."""

    state: Literal[
        "study",
        "patient",
        "several-patients",
        "several-studies",
        "outside-scope",
        "registered-patient",
        "unknown",
    ]
    """``study``: open it; ``patient``: open the file; ``several-…``: let the person choose."""
    viewer: str
    """``OHIF`` when it was asked for, else ours."""
    studies: list[CalledStudy]
    registered_patient: int | None
    """Without images: the file of the department, for who may read it."""
    outside_scope: str | None
    """A study that was named and is outside what the account sees: the glass may be broken for it."""


@router.get("/context")
async def get_context(ask: Querier, call: Annotated[Call, Query()]) -> Meaning:
    """What the call of another system means for whoever has signed in."""
    kind = call.request_type.upper()
    if kind not in ("STUDY", "PATIENT"):
        raise Problem("bad-query", detail="requestType is STUDY or PATIENT.")
    found = await (_of_patient(ask, call) if kind == "PATIENT" else _of_study(ask, call))
    studies = [one for one in found.studies if _wanted(one, call)]
    if kind == "PATIENT" and call.most_recent_results is not None:
        studies = studies[: call.most_recent_results]
    hidden = found.hidden[0] if found.hidden and may(ask.actor, Action.BREAK_GLASS) else None
    for one in studies[:20]:
        await ask.services.access.note_read(ask.request, Action.QUERY, one.study_instance_uid)
    if not studies:
        await ask.services.access.note_read(ask.request, Action.QUERY)
    registered = None
    if not studies and hidden is None and may(ask.actor, Action.READ_WORK):
        registered = await run_blocking(_registered_patient, ask.services.database, call, kind)
        if registered is not None:
            await ask.services.access.note_read(ask.request, Action.READ_WORK)
    patients = {one.patient_key for one in studies}
    viewer = call.viewer_type.upper()
    return Meaning(
        state="registered-patient"
        if registered is not None
        else _state(kind, len(studies), len(patients), hidden),
        viewer=viewer if viewer in _VIEWERS else "NEGATOSCOPE",
        studies=[CalledStudy.model_validate(one) for one in studies],
        registered_patient=registered,
        outside_scope=hidden,
    )


def _state(
    kind: str, studies: int, patients: int, hidden: str | None
) -> Literal["study", "patient", "several-patients", "several-studies", "outside-scope", "unknown"]:
    if studies == 0:
        return "unknown" if hidden is None else "outside-scope"
    if patients > 1:
        return "several-patients"
    if kind == "PATIENT":
        return "patient"
    return "study" if studies == 1 else "several-studies"


async def _of_study(ask: Asking, call: Call) -> context.Context:
    uids, accessions = _list(call.study_uid), _list(call.accession_number)
    if not uids and not accessions:
        raise Problem("bad-query", detail="A STUDY request names studyUID or accessionNumber.")
    if any(_UID.fullmatch(uid) is None for uid in uids):
        raise Problem("bad-query", detail="studyUID is no UID.")
    return await run_blocking(
        context.studies_named,
        ask.services.database,
        ask.actor.data_scope,
        study_instance_uids=uids,
        accession_numbers=accessions,
    )


async def _of_patient(ask: Asking, call: Call) -> context.Context:
    parts = call.patient_id.split("^")
    identifier = parts[0].strip()
    if not identifier or "\0" in call.patient_id:
        raise Problem("bad-query", detail="A PATIENT request names patientID.")
    namespace, *rest = parts[3].split("&") if len(parts) > 3 else ("",)
    issuer = namespace.strip() or (rest[0].strip() if rest else "")
    return await run_blocking(
        context.studies_of_patient,
        ask.services.database,
        ask.actor.data_scope,
        patient_id=identifier,
        issuer=issuer or None,
    )


def _registered_patient(database: Database, call: Call, kind: str) -> int | None:
    """Whose file a call without images means: by identifier, or by the order's accession number."""
    with database.connection() as connection:
        registry = Registry(connection)
        if kind == "STUDY":
            found = {
                order.patient
                for accession in _list(call.accession_number)
                if (number := Orders(connection).find_by_accession(accession)) is not None
                for order in Orders(connection).get_all([number])
            }
        else:
            identifier, authority = _identifier_of(call)
            found = {
                one.id
                for one in registry.search(identifier=identifier, limit=50)
                if any(
                    given.value == identifier
                    and (
                        not authority
                        or authority & {given.authority.namespace, given.authority.universal_id}
                    )
                    for given in one.identifiers
                )
            }
        goes_on = {registry.goes_on_as(number) for number in found}
    return goes_on.pop() if len(goes_on) == 1 else None


def _identifier_of(call: Call) -> tuple[str, set[str]]:
    """CX: the number, and the names of who gave it."""
    parts = call.patient_id.split("^")
    names = parts[3].split("&")[:2] if len(parts) > 3 else []
    return parts[0].strip(), {one.strip() for one in names if one.strip()}


def _list(text: str) -> list[str]:
    if "\0" in text:
        raise Problem("bad-query", detail="A value cannot be used.")
    values = [one.strip() for one in text.split(",") if one.strip()]
    if len(values) > _MAX_VALUES:
        raise Problem("bad-query", detail=f"At most {_MAX_VALUES} values are looked for.")
    return values


def _wanted(one: context.Found, call: Call) -> bool:
    modalities = set(_list(call.modalities_in_study.replace("\\", ",")))
    if modalities and modalities.isdisjoint(one.modalities_in_study):
        return False
    day = "" if one.study_date is None else f"{one.study_date:%Y%m%d}"
    lower, upper = (
        re.sub(r"\D", "", text)[:8] for text in (call.lower_date_time, call.upper_date_time)
    )
    return not ((lower and day < lower) or (upper and (not day or day > upper)))
