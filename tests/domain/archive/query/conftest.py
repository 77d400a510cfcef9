"""A small index with known contents."""

import json
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import psycopg
import pytest

from negatoscope.domain.archive.query import DicomJson, QueryLevel
from negatoscope.domain.archive.query.attributes import ATTRIBUTES, Storage
from negatoscope.domain.archive.query.rows import name_value
from negatoscope.infra.db import Database
from negatoscope.infra.db.embedded import EmbeddedPostgres
from negatoscope.kit.text import fold
from negatoscope.standard import tags

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


def person_name_folded(name: str | None) -> str:
    """As ingest folds names."""
    groups = [
        "^".join(part.strip() for part in group.split("^")).rstrip("^")
        for group in (name or "").split("=")
    ]
    return fold("=".join(groups).rstrip("="))


def element(keyword: str, *values: Any) -> tuple[str, dict[str, Any]]:
    """One attribute of DICOM JSON; names as `a=i=p` text."""
    tag = tags.tag_for_keyword(keyword)
    assert tag is not None, keyword
    vr = tags.vr_for(tag)
    if vr == "PN":
        values = tuple(name_value(v) if isinstance(v, str) else v for v in values)
    return f"{tag:08X}", {"vr": vr, **({"Value": list(values)} if values else {})}


def data(**attributes: Any) -> DicomJson:
    """DICOM JSON of keyword arguments; None is an empty attribute, a list several values."""
    return dict(
        element(keyword, *(value if isinstance(value, list) else [] if value is None else [value]))
        for keyword, value in attributes.items()
    )


@dataclass(kw_only=True)
class Node:
    """A patient, study, series or instance: index columns and what lies below."""

    columns: dict[str, Any] = field(default_factory=dict)
    attributes: DicomJson = field(default_factory=dict)
    children: list["Node"] = field(default_factory=list)
    id: int = 0


LEVELS = tuple(QueryLevel)
TABLES = ("patient", "study", "series", "instance")
PARENTS = ("", "patient_fk", "study_fk", "series_fk")


def count_below(node: Node, depth: int) -> int:
    """Descendants at a depth below."""
    if depth == 1:
        return len(node.children)
    return sum(count_below(child, depth - 1) for child in node.children)


def store(database: Database, patients: list[Node]) -> None:
    """Replace the index by these patients, as ingest would have written them."""
    with database.connection() as connection:
        execute = connection.execute
        execute("DELETE FROM instance")
        execute("DELETE FROM series")
        execute("DELETE FROM study")
        execute("DELETE FROM patient")
        execute("INSERT INTO segment (name, volume, state) SELECT 'S', 'main', 'OPEN'"
                " WHERE NOT EXISTS (SELECT FROM segment)")  # fmt: skip
        for uid in (CT, EXPLICIT):
            execute("INSERT INTO uid_code (uid) VALUES (%s) ON CONFLICT DO NOTHING", (uid,))
        for patient in patients:
            _store(execute, patient, 0, 0)


def _code(uid: str) -> str:
    return f"(SELECT id FROM uid_code WHERE uid = '{uid}')"


def _store(execute: Callable[..., Any], node: Node, depth: int, parent: int) -> None:
    row = dict(node.columns)
    if depth < 3:
        row["attributes"] = json.dumps(node.attributes)
    if depth:
        row[PARENTS[depth]] = parent
    if depth == 0:
        row["patient_name_folded"] = person_name_folded(row.get("patient_name"))
        row["study_count"] = len(node.children)
    elif depth == 1:
        row["study_description_folded"] = fold(row.get("study_description") or "")
        row["referring_physician_name_folded"] = person_name_folded(
            row.get("referring_physician_name")
        )
        row["series_count"] = len(node.children)
        row["instance_count"] = count_below(node, 2)
        found = {s.columns.get("modality") for s in node.children} - {None}
        row["modalities_in_study"] = sorted(found)
        row["sop_classes_in_study"] = [CT] if count_below(node, 2) else []
    elif depth == 2:
        row["instance_count"] = len(node.children)
    else:
        row |= {"segment_offset": 0, "size": 1, "data_set_offset": 1, "sha256": b"0"}
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join(["%s"] * len(row))
    extra = ("", "")
    if depth == 3:
        extra = (
            ", segment_fk, sop_class, transfer_syntax",
            f", (SELECT min(id) FROM segment), {_code(CT)}, {_code(EXPLICIT)}",
        )
    sql = f"INSERT INTO {TABLES[depth]} ({names}{extra[0]}) VALUES ({marks}{extra[1]}) RETURNING id"
    node.id = execute(sql, tuple(row.values())).fetchone()[0]
    if depth == 0 and "00101002" in node.attributes:
        for item in node.attributes["00101002"]["Value"]:
            execute(
                "INSERT INTO patient_identifier VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (node.id, item["00100020"]["Value"][0],
                 item.get("00100021", {}).get("Value", [""])[0]),
            )  # fmt: skip
    for child in node.children:
        _store(execute, child, depth + 1, node.id)


def describe(patients: list[Node], level: QueryLevel) -> list[DicomJson]:
    """Every entity of a level as DICOM JSON with all upper attributes, in the answer's order."""
    found: list[tuple[Any, DicomJson]] = []

    def walk(node: Node, depth: int, upper: DicomJson, order: tuple[Any, ...]) -> None:
        merged = {**upper, **_own(node, depth)}
        here = (*order, *_order(node, depth))
        if depth == level.depth:
            found.append(((-node.id,) if depth == 0 else here, merged))
            return
        for child in node.children:
            walk(child, depth + 1, merged, here)

    for patient in patients:
        walk(patient, 0, {}, ())
    return [merged for _, merged in sorted(found, key=lambda pair: pair[0])]


def _order(node: Node, depth: int) -> tuple[Any, ...]:
    """Newest study first, undated ones last; then by number, those without one last."""
    if depth == 0:
        return ()
    if depth == 1:
        day = node.columns.get("study_date")
        return (day is None, -int((day or "0").replace("-", "")), -node.id)
    number = node.columns.get("series_number" if depth == 2 else "instance_number")
    return (number is None, number or 0, node.id)


def _own(node: Node, depth: int) -> DicomJson:
    own: DicomJson = {}
    for attribute in ATTRIBUTES.values():
        if attribute.level.depth != depth or attribute.storage is Storage.CONSTANT:
            continue
        own[attribute.tag] = {"vr": attribute.vr}
        name = attribute.expression.partition(".")[2].strip('"')
        value = node.columns.get(name)
        if attribute.storage is Storage.DATE and value:
            value = value.replace("-", "")
        if attribute.vr == "PN" and value:
            value = name_value(value)
        if value not in (None, ""):
            own[attribute.tag] = {"vr": attribute.vr, "Value": [value]}
    own |= node.attributes
    if depth == 0:
        others = node.attributes.get("00101002", {}).get("Value", [])
        identifiers = {
            (i["00100020"]["Value"][0], i.get("00100021", {}).get("Value", [""])[0]) for i in others
        }
        own |= data(
            NumberOfPatientRelatedStudies=len(node.children),
            NumberOfPatientRelatedSeries=count_below(node, 2),
            NumberOfPatientRelatedInstances=count_below(node, 3),
            OtherPatientIDs=[identifier for identifier, _ in sorted(identifiers)],
            InstanceAvailability="ONLINE",
            RetrieveAETitle="ARCHIVE",
        )
    elif depth == 1:
        modalities = sorted({s.columns.get("modality") for s in node.children} - {None})
        own |= data(
            NumberOfStudyRelatedSeries=len(node.children),
            NumberOfStudyRelatedInstances=count_below(node, 2),
            ModalitiesInStudy=modalities,
            SOPClassesInStudy=[CT] if count_below(node, 2) else [],
        )
    elif depth == 2:
        own |= data(NumberOfSeriesRelatedInstances=len(node.children))
    else:
        own |= data(SOPClassUID=CT, AvailableTransferSyntaxUID=EXPLICIT)
    return own


@pytest.fixture(scope="session")
def index_kit() -> ModuleType:
    """The functions of this file."""
    return sys.modules[__name__]


@pytest.fixture(scope="module")
def index(postgres: EmbeddedPostgres, _template: str) -> Iterator[Database]:
    """One database for the tests of a module, which only read it or replace its contents."""
    name = f"query_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {_template} OWNER negatoscope STRATEGY FILE_COPY"
        )
    with Database(postgres.url.replace("@/negatoscope?", f"@/{name}?")) as database:
        yield database
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def department(index: Database) -> list[Node]:
    """Three patients: two of one name family, one without identifier and dates."""
    serial = iter(range(1, 1000))

    def series(modality: str | None, count: int, **columns: Any) -> Node:
        number = next(serial)
        return Node(
            columns={"series_instance_uid": f"1.9.{number}", "modality": modality} | columns,
            children=[
                Node(columns={"sop_instance_uid": f"1.9.{number}.{i}", "instance_number": i})
                for i in range(1, count + 1)
            ],
        )

    patients = [
        Node(
            columns={"patient_id": "P1", "issuer_of_patient_id": "HOP", "patient_sex": "M",
                     "patient_name": "Dupont^Jean^^^", "patient_birth_date": "1951-02-03"},
            attributes=data(OtherPatientIDsSequence=[data(PatientID="OLD1",
                                                          IssuerOfPatientID="CLINIQUE")]),
            children=[
                Node(
                    columns={"study_instance_uid": "1.2.1", "study_date": "2024-03-01",
                             "study_time": "093000", "accession_number": "A1",
                             "study_description": "Scanner thorax é",
                             "referring_physician_name": "Lefèvre^Zoé"},
                    attributes=data(ProcedureCodeSequence=[data(CodeValue="ZBQK002",
                                                                CodingSchemeDesignator="CCAM")]),
                    children=[
                        series("CT", 3, series_number=2,
                               performing_physician_name="Müller^Anne"),
                        series("SR", 1, series_number=1),
                    ],
                ),
                Node(
                    columns={"study_instance_uid": "1.2.2", "study_date": "2024-02-29",
                             "study_time": "2359", "accession_number": "A2",
                             "study_description": "IRM 100%_\\"},
                    children=[
                        Node(
                            columns={"series_instance_uid": "1.9.900", "modality": "MR"},
                            attributes=data(RequestAttributesSequence=[
                                data(RequestedProcedureID="RP7", ScheduledProcedureStepID="S1")]),
                        )
                    ],
                ),
            ],
        ),
        Node(
            columns={"patient_id": "P2", "patient_name": "DUPOND^Zoé=山田^太郎",
                     "patient_birth_date": "1980-12-31", "patient_sex": "F"},
            children=[
                Node(
                    columns={"study_instance_uid": "1.2.3", "study_date": "2024-03-01",
                             "study_time": "100000.5"},
                    children=[series("CT", 1), series("PT", 1)],
                )
            ],
        ),
        Node(
            columns={"patient_id": None, "patient_name": None},
            attributes=data(PatientBirthDate="0000"),
            children=[
                Node(
                    columns={"study_instance_uid": "1.2.4"},
                    attributes=data(StudyDate="9999"),
                    children=[series("US", 2)],
                )
            ],
        ),
    ]  # fmt: skip
    store(index, patients)
    return patients
