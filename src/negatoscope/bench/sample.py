"""Knowing what a server holds: studies to ask for, series to read."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from negatoscope.bench.http import HttpConnection, HttpError
from negatoscope.protocols.dicom import dataset
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.requestor import connect
from negatoscope.protocols.dicom.ul.negotiation import ProposedContext
from negatoscope.standard.sop_classes import STUDY_ROOT_FIND

if TYPE_CHECKING:
    from negatoscope.bench.targets import DicomTarget, WebTarget
    from negatoscope.protocols.dicom.dimse.association import AcceptedContext, Association

EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
SYNTAXES = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)

DicomJson = dict[str, dict[str, Any]]

STUDY_KEYS = {
    "00080020": "DA",
    "00080030": "TM",
    "00080050": "SH",
    "00080061": "CS",
    "00080090": "PN",
    "00081030": "LO",
    "00100010": "PN",
    "00100020": "LO",
    "00100030": "DA",
    "0020000D": "UI",
    "00200010": "SH",
    "00201206": "IS",
    "00201208": "IS",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStudy:
    """Values by which a study can be asked for."""

    study_instance_uid: str
    patient_id: str
    patient_name: str
    study_date: str
    accession_number: str
    modality: str
    instances: int


def query_association(target: DicomTarget, abstract_syntax: str) -> Association:
    """An association for one query or retrieve SOP class."""
    return connect(
        target.host,
        target.port,
        calling_ae_title=target.calling_ae_title,
        called_ae_title=target.called_ae_title,
        contexts=[ProposedContext(abstract_syntax=abstract_syntax, transfer_syntaxes=SYNTAXES)],
    )


def identifier(keys: DicomJson, context: AcceptedContext) -> bytes:
    """The identifier of a request in its context's transfer syntax."""
    return dataset.encode(keys, context.transfer_syntax, charset="ISO_IR 192")


def study_keys(**matching: str) -> DicomJson:
    """Study level keys: everything a worklist shows, with these values to match.

    Args:
        matching: by tag, e.g. ``_00100020="42"``.
    """
    keys: DicomJson = {"00080005": {"vr": "CS", "Value": ["ISO_IR 192"]}}
    keys["00080052"] = {"vr": "CS", "Value": ["STUDY"]}
    keys.update({tag: {"vr": vr} for tag, vr in STUDY_KEYS.items()})
    for name, value in matching.items():
        tag = name.lstrip("_")
        vr = STUDY_KEYS[tag]
        keys[tag] = {"vr": vr, "Value": [{"Alphabetic": value}] if vr == "PN" else [value]}
    return keys


def sample_studies(
    target: DicomTarget | WebTarget, count: int, *, spread_over: int = 0
) -> list[KnownStudy]:
    """Some studies of the server, shuffled; the same each time for the same answers.

    Args:
        spread_over: studies the server has; by QIDO-RS the sample is then taken from ten places
            among them instead of from the first answers.
    Raises: DimseError, HttpError: the server does not answer, or has no study.
    """
    from negatoscope.bench.targets import WebTarget

    if isinstance(target, WebTarget):
        pages = 10 if spread_over else 1
        answers = [
            answer
            for page in range(pages)
            for answer in _qido_studies(target, count // pages, page * spread_over // pages)
        ]
    else:
        answers = _find_studies(target, count)
    studies = [_known(answer) for answer in answers]
    random.Random(2).shuffle(studies)
    return studies


def _find_studies(target: DicomTarget, count: int) -> list[DicomJson]:
    with query_association(target, STUDY_ROOT_FIND) as association:
        context = scu.scu_context(association, STUDY_ROOT_FIND)
        found = scu.find(association, context, identifier(study_keys(), context))
        pending = [answer.data_set for answer in islice(found, count) if answer.data_set]
        del found  # cancels what is left
        return [dataset.decode(data_set, context.transfer_syntax) for data_set in pending]


def _qido_studies(target: WebTarget, count: int, offset: int) -> list[DicomJson]:
    with HttpConnection(target) as connection:
        answer = connection.get(
            f"/studies?limit={count}&offset={offset}&includefield=00201208",
            accept="application/dicom+json",
            keep=True,
        )
    if answer.status == 204:
        return []
    if answer.status != 200:
        raise HttpError(f"the server answered {answer.status} to QIDO-RS")
    studies: list[DicomJson] = orjson.loads(answer.body)
    return studies


def _known(answer: DicomJson) -> KnownStudy:
    def text(tag: str) -> str:
        values = answer.get(tag, {}).get("Value") or [""]
        first = values[0]
        if isinstance(first, dict):
            return str(first.get("Alphabetic", ""))
        return str(first if first is not None else "")

    return KnownStudy(
        study_instance_uid=text("0020000D"),
        patient_id=text("00100020"),
        patient_name=text("00100010"),
        study_date=text("00080020"),
        accession_number=text("00080050"),
        modality=text("00080061"),
        instances=int(text("00201208") or 0),
    )


def series_instances(
    target: WebTarget, study_instance_uid: str, series_instance_uid: str | None = None
) -> list[tuple[str, str]]:
    """(series, SOP instance) UIDs of a study or series, by its metadata.

    Raises: HttpError: the server does not answer, or does not have it.
    """
    path = f"/studies/{study_instance_uid}"
    if series_instance_uid is not None:
        path += f"/series/{series_instance_uid}"
    with HttpConnection(target) as connection:
        answer = connection.get(f"{path}/metadata", accept="application/dicom+json", keep=True)
    if answer.status != 200:
        raise HttpError(f"metadata: the server answered {answer.status}")
    return [
        (item["0020000E"]["Value"][0], item["00080018"]["Value"][0])
        for item in orjson.loads(answer.body)
    ]
