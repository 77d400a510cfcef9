"""The modality worklist on the wire, asked by pynetdicom and DCMTK (PS3.4 Annex K)."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from psycopg.types.json import Jsonb
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pynetdicom import AE, sop_class
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation

from negatoscope.domain.devices import ae
from negatoscope.domain.devices.errors import InvalidApplicationEntity
from negatoscope.domain.scheduling.worklist import (
    REQUIRED_MATCHING_KEYS,
    SUPPORTED,
    ModalityWorklist,
)
from negatoscope.entrypoints.dimse.server import build_server
from negatoscope.entrypoints.dimse.worklist_scp import STATUSES, Turnstile, WorklistScp, encoded
from negatoscope.infra.db import Database
from negatoscope.infra.settings import HostPort, Settings
from negatoscope.protocols.dicom.dataset import decode
from negatoscope.subscribers import audit
from rows import Rows

WORKLIST = sop_class.ModalityWorklistInformationFind
PARIS = ZoneInfo("Europe/Paris")
DAY = (datetime.now(PARIS) + timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)


def at(hour: int, minute: int = 0, *, days: int = 0) -> datetime:
    return (DAY + timedelta(days=days)).replace(hour=hour, minute=minute).astimezone(UTC)


def da(days: int = 0) -> str:
    return f"{DAY + timedelta(days=days):%Y%m%d}"


def question(step: dict[str, Any] | None = None, **keys: Any) -> Dataset:
    """What a modality asks: its usual return keys, and those given."""
    item = Dataset()
    for keyword in (
        *("Modality", "ScheduledStationAETitle", "ScheduledProcedureStepStartDate"),
        *("ScheduledProcedureStepStartTime", "ScheduledPerformingPhysicianName"),
        *("ScheduledProcedureStepDescription", "ScheduledProcedureStepID"),
        *("ScheduledProcedureStepStatus", "ScheduledProcedureStepLocation"),
    ):
        setattr(item, keyword, "")
    item.ScheduledProtocolCodeSequence = []
    for keyword, value in (step or {}).items():
        setattr(item, keyword, value)
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 192"
    for keyword in ("PatientName", "PatientID", "AccessionNumber", "StudyInstanceUID"):
        setattr(one, keyword, "")
    one.ScheduledProcedureStepSequence = [item]
    for keyword, value in keys.items():
        setattr(one, keyword, value)
    return one


@dataclass
class Node:
    """Our side, with a small department."""

    database: Database
    port: int
    scp: WorklistScp
    clients: list[Any] = field(default_factory=list)

    def associate(self, title: str = "BROKER", *, is_fuzzy: bool = False) -> Any:
        entity = AE(title)
        entity.add_requested_context(WORKLIST)
        more = []
        if is_fuzzy:
            item = SOPClassExtendedNegotiation()
            item.sop_class_uid, item.service_class_application_information = WORKLIST, b"\0\0\1"
            more.append(item)
        found = entity.associate("127.0.0.1", self.port, ae_title="NEGATOSCOPE", ext_neg=more)
        self.clients.append(found)
        return found

    def ask(self, keys: Dataset, **how: Any) -> tuple[list[Dataset], list[int]]:
        """Items and statuses."""
        association = self.associate(**how)
        assert association.is_established
        answers = list(association.send_c_find(keys, WORKLIST))
        association.release()
        return [one for _, one in answers if one is not None], [s.Status for s, _ in answers]

    def steps(self, keys: Dataset, **how: Any) -> list[str]:
        items, statuses = self.ask(keys, **how)
        assert statuses[-1] == 0, statuses
        return [one.ScheduledProcedureStepSequence[0].ScheduledProcedureStepID for one in items]


def fill(rows: Rows) -> None:
    """Four rooms' worth of steps."""
    chu = rows.authority("CHU", "1.2.250.1.71.9")
    zoe = rows.patient("DUPONT", "ZOÉ", sex="F")
    rows.identifier(zoe, chu, "8001")
    rows.identifier(zoe, rows.authority("CLINIQUE"), "C-77")
    lucja = rows.patient("ŁAPIŃSKA", "ŁUCJA", used_family_name="MARTIN")
    rows.identifier(lucja, chu, "8002")
    room1, room2 = (rows.add("resource", kind="ROOM", name=name) for name in ("S1", "S2"))
    ct1, ct2, mr1 = (
        rows.add(
            "resource", kind="DEVICE", name=name, room_fk=room, modality=modality, ae_title=name
        )
        for name, room, modality in (
            ("CT1", room1, "CT"),
            ("CT2", room2, "CT"),
            ("MR1", room2, "MR"),
        )
    )
    first = rows.order(
        zoe,
        accession="26A1",
        issuer_of_accession_number="RIS",
        admission_id="V55",
        issuer_of_admission_id="1.2.3.4.5",
        placer_order_number="P1",
        placer_issuer="HIS",
        requesting_physician="HOUSE^GREGORY",
        referring_physician_name="WATSON^JOHN",
        requesting_service="URGENCES",
        clinical_question="Douleur thoracique: embolie?",
        pregnancy_status="0001",
        medical_alerts="Allergie à l'iode",
        allergies="IODE",
        patient_weight_kg=62.5,
        patient_size_m=1.7,
        patient_transport="CHAIR",
    )
    procedure = rows.procedure(
        first,
        requested_procedure_id="RP1",
        study_instance_uid="1.2.826.1",
        code_value="ZBQH001",
        coding_scheme_designator="CCAM",
        code_meaning="Scanner du thorax",
        description="Angioscanner thoracique",
    )
    code = {
        "code_value": "TX-ANGIO",
        "coding_scheme_designator": "99LOCAL",
        "code_meaning": "Thorax angio",
    }
    common = {"scheduled_station_ae_title": "CT1", "device_fk": ct1}
    rows.step(
        procedure,
        scheduled_procedure_step_id="S1",
        start_at=at(9),
        end_at=at(9, 30),
        description="Thorax angio",
        protocol_codes=Jsonb([code]),
        performing_physician_name="WILSON^JAMES",
        requested_contrast_agent="Iode 350",
        location="S1",
        **common,
    )
    second = rows.order(lucja, accession="26A2")
    rows.step(
        rows.procedure(second, requested_procedure_id="RP2"),
        scheduled_procedure_step_id="S2",
        start_at=at(11),
        end_at=at(11, 30),
        state="ARRIVED",
        **common,
    )
    urgent = rows.procedure(rows.order(lucja, accession="26A3", priority="STAT"))
    rows.step(urgent, scheduled_procedure_step_id="STAT", start_at=at(15), end_at=at(16), **common)
    other = rows.procedure(rows.order(zoe))
    given = {"end_at": None}
    rows.step(
        other,
        scheduled_procedure_step_id="S3",
        start_at=at(18, days=1),
        scheduled_station_ae_title="CT2",
        device_fk=ct2,
        **given,
    )
    rows.step(
        other,
        scheduled_procedure_step_id="S4",
        start_at=at(10),
        modality="MR",
        scheduled_station_ae_title="MR1",
        device_fk=mr1,
        **given,
    )
    rows.step(
        other,
        scheduled_procedure_step_id="ANY",
        start_at=at(12),
        scheduled_station_ae_title="",
        **given,
    )
    for number, state in enumerate(("WAITING", "COMPLETED", "DISCONTINUED", "CANCELED")):
        start = None if state == "WAITING" else at(8, number)
        rows.step(other, scheduled_procedure_step_id=state, state=state, start_at=start, **given)
    held = rows.procedure(rows.order(zoe, state="ON HOLD"))
    rows.step(held, scheduled_procedure_step_id="HELD", start_at=at(13), **given)
    refused = rows.procedure(rows.order(zoe), vetting="REFUSED")
    rows.step(refused, scheduled_procedure_step_id="REFUSED", start_at=at(13), **given)


@pytest.fixture(scope="module")
def node(postgres: Any, _template: str, free_ports: Any) -> Iterator[Node]:
    import psycopg

    with psycopg.connect(postgres.administrator_url, autocommit=True) as administrator:
        administrator.execute(
            f"CREATE DATABASE test_mwl TEMPLATE {_template} OWNER negatoscope STRATEGY FILE_COPY"
        )
    port = free_ports()
    with Database(postgres.url.replace("@/negatoscope?", "@/test_mwl?")) as database:
        for title in ("BROKER", "CT1", "CT2", "MR1"):
            ae.add(database, ae_title=title, host="127.0.0.1", port=104, roles=["worklist"])
        ae.add(database, ae_title="STORER", host="127.0.0.1", port=104, roles=["store"])
        with database.connection() as connection:
            fill(Rows(connection))
        scp = WorklistScp(
            worklist=ModalityWorklist(database=database, zone=PARIS),
            reads=audit.ReadRecorder(database),
        )
        server = build_server(
            Settings(dicom=HostPort("127.0.0.1", port)),
            [scp.service()],
            find_ae=lambda title: ae.find(database, title),
        )
        server.start()
        found = Node(database, port, scp)
        try:
            yield found
        finally:
            for client in found.clients:
                if client.is_established:
                    client.abort()
            server.stop(2)


EVERY = ["STAT", "S1", "S4", "S2", "ANY", "S3"]
"""Urgent first, then by time; none that waits, ended, is held or refused."""


@pytest.mark.parametrize(
    ("step", "keys", "expected"),
    [
        ({}, {}, EVERY),
        # Scheduled Procedure Step, type R
        ({"ScheduledStationAETitle": "CT1"}, {}, ["STAT", "S1", "S2"]),
        ({"ScheduledStationAETitle": ["CT2", "MR1"]}, {}, ["S4", "S3"]),
        ({"ScheduledStationAETitle": "CT?"}, {}, ["STAT", "S1", "S2", "S3"]),
        ({"Modality": "MR"}, {}, ["S4"]),
        ({"Modality": "XA"}, {}, []),
        ({"Modality": "*"}, {}, EVERY),
        ({"ScheduledProcedureStepStartDate": da()}, {}, ["STAT", "S1", "S4", "S2", "ANY"]),
        ({"ScheduledProcedureStepStartDate": f"{da(1)}-"}, {}, ["S3"]),
        ({"ScheduledProcedureStepStartDate": f"-{da()}"}, {}, ["STAT", "S1", "S4", "S2", "ANY"]),
        ({"ScheduledProcedureStepStartTime": "0900-1100"}, {}, ["S1", "S4", "S2"]),
        ({"ScheduledProcedureStepStartTime": "1500"}, {}, ["STAT"]),
        # both ranges are one period (PS3.4 Table K.6-1, remark)
        (
            {
                "ScheduledProcedureStepStartDate": f"{da()}-{da(1)}",
                "ScheduledProcedureStepStartTime": "1400-1900",
            },
            {},
            ["STAT", "S3"],
        ),
        (
            {
                "ScheduledProcedureStepStartDate": f"{da()}-{da(1)}",
                "ScheduledProcedureStepStartTime": "1100-1000",
            },
            {},
            ["STAT", "S2", "ANY"],
        ),
        ({"ScheduledPerformingPhysicianName": "wilson*"}, {}, ["S1"]),
        # and the optional ones
        ({"ScheduledProcedureStepStatus": "ARRIVED"}, {}, ["S2"]),
        ({"ScheduledProcedureStepID": "S1"}, {}, ["S1"]),
        ({"ScheduledProcedureStepDescription": "Thorax*"}, {}, ["S1"]),
        ({"ScheduledProcedureStepLocation": "S1"}, {}, ["S1"]),
        # Requested Procedure, Imaging Service Request, Visit
        ({}, {"RequestedProcedureID": "RP2"}, ["S2"]),
        ({}, {"StudyInstanceUID": "1.2.826.1"}, ["S1"]),
        ({}, {"StudyInstanceUID": ["1.2.826.1", "1.2.3"]}, ["S1"]),
        ({}, {"AccessionNumber": "26A3"}, ["STAT"]),
        ({}, {"AccessionNumber": "26A*"}, ["STAT", "S1", "S2"]),
        ({}, {"RequestedProcedurePriority": "STAT"}, ["STAT"]),
        ({}, {"RequestedProcedureDescription": "Angio*"}, ["S1"]),
        ({}, {"RequestingPhysician": "house^g*"}, ["S1"]),
        ({}, {"ReferringPhysicianName": "WATSON^JOHN"}, ["S1"]),
        ({}, {"RequestingService": "URGENCES"}, ["S1"]),
        ({}, {"AdmissionID": "V55"}, ["S1"]),
        ({}, {"PlacerOrderNumberImagingServiceRequest": "P1"}, ["S1"]),
        # Patient
        ({}, {"PatientID": "8001"}, ["S1", "S4", "ANY", "S3"]),
        ({}, {"PatientID": "800?"}, EVERY),
        ({}, {"PatientID": "nobody"}, []),
        ({}, {"PatientName": "DUPONT^ZOE"}, ["S1", "S4", "ANY", "S3"]),
        ({}, {"PatientName": "dup*"}, ["S1", "S4", "ANY", "S3"]),
        ({}, {"PatientName": "martin^*"}, ["STAT", "S2"]),
        ({}, {"PatientName": "DUPONT^Z?É"}, ["S1", "S4", "ANY", "S3"]),
        ({}, {"PatientBirthDate": "1961-"}, None),
        ({}, {"PatientBirthDate": "19610101-19611231"}, EVERY),
        ({}, {"PatientSex": "M"}, []),
        ({}, {"PregnancyStatus": 1}, ["S1"]),
    ],
)
def test_keys_match(
    node: Node, step: dict[str, Any], keys: dict[str, Any], expected: list[str] | None
) -> None:
    """PS3.4 Table K.6-1: every row that is more than a return key."""
    if expected is None:
        _, statuses = node.ask(question(step, **keys))
        assert statuses == [0xC010]
    else:
        assert node.steps(question(step, **keys)) == expected


def test_sequences_match_by_their_item(node: Node) -> None:
    code = Dataset()
    code.CodeValue = "ZBQH001"
    assert node.steps(question(RequestedProcedureCodeSequence=[code])) == ["S1"]
    other = Dataset()
    other.PatientID, other.IssuerOfPatientID = "C-77", "CLINIQUE"
    assert node.steps(question(OtherPatientIDsSequence=[other])) == ["S1", "S4", "ANY", "S3"]
    issuer = Dataset()
    issuer.LocalNamespaceEntityID = "RIS"
    assert node.steps(question(IssuerOfAccessionNumberSequence=[issuer])) == ["S1"]


def test_an_item_says_everything_that_is_known(node: Node) -> None:
    keys = question({"ScheduledProcedureStepID": "S1", "RequestedContrastAgent": ""})
    for tag in SUPPORTED:
        number = int(tag, 16)
        if number not in keys:
            keys.add_new(number, SUPPORTED_VR(number), [] if SUPPORTED_VR(number) == "SQ" else None)
    (item,), statuses = node.ask(keys)
    assert statuses == [0xFF00, 0]
    step = item.ScheduledProcedureStepSequence[0]
    assert (step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime) == (
        da(),
        "090000",
    )
    assert step.ScheduledProtocolCodeSequence[0].CodeValue == "TX-ANGIO"
    assert step.RequestedContrastAgent == "Iode 350"
    assert (item.PatientName, item.PatientID, item.IssuerOfPatientID) == (
        "DUPONT^ZOÉ",
        "8001",
        "CHU",
    )
    assert item.IssuerOfPatientIDQualifiersSequence[0].UniversalEntityID == "1.2.250.1.71.9"
    assert item.OtherPatientIDsSequence[0].PatientID == "C-77"
    assert item.IssuerOfAccessionNumberSequence[0].LocalNamespaceEntityID == "RIS"
    assert item.IssuerOfAdmissionIDSequence[0].UniversalEntityIDType == "ISO"
    assert item.RequestedProcedureCodeSequence[0].CodingSchemeDesignator == "CCAM"
    assert item.OrderPlacerIdentifierSequence[0].LocalNamespaceEntityID == "HIS"
    assert (item.PatientWeight, item.PatientSize, item.PregnancyStatus) == (62.5, 1.7, 1)
    assert (item.MedicalAlerts, item.Allergies) == ("Allergie à l'iode", "IODE")
    assert item.ReasonForTheRequestedProcedure == "Douleur thoracique: embolie?"
    assert (item.PatientTransportArrangements, item.RequestedProcedurePriority) == (
        "CHAIR",
        "ROUTINE",
    )


def SUPPORTED_VR(number: int) -> str:  # noqa: N802
    from negatoscope.standard.tags import vr_for

    return vr_for(number)


def test_nothing_but_what_was_asked_for_comes_back(node: Node) -> None:
    (item,), _ = node.ask(question({"ScheduledProcedureStepID": "S1"}))
    asked = question()
    assert {e.tag for e in item} == {e.tag for e in asked}
    assert {e.tag for e in item.ScheduledProcedureStepSequence[0]} == {
        e.tag for e in asked.ScheduledProcedureStepSequence[0]
    }


def test_a_key_nobody_knows_is_said_to_be_unsupported(node: Node) -> None:
    (item,), statuses = node.ask(question({"ScheduledProcedureStepID": "S1"}, EthnicGroup=""))
    assert statuses == [0xFF01, 0]
    assert item.EthnicGroup == ""


@pytest.mark.parametrize(
    ("title", "shown", "expected"),
    [
        ("CT1", {}, ["STAT", "S1", "S2", "ANY"]),
        ("CT2", {}, ["ANY", "S3"]),
        ("MR1", {}, ["S4"]),
        ("CT2", {"shows": "ROOM"}, ["S4", "S3"]),
        ("CT2", {"shows": "MODALITY"}, ["STAT", "S1", "S2", "ANY", "S3"]),
        ("MR1", {"shows": "EVERYTHING"}, EVERY),
        ("MR1", {"shows": "EVERYTHING", "modalities": ["MR"]}, ["S4"]),
        ("CT2", {"shows": "MODALITY", "days_after": 3}, ["STAT", "S1", "S2", "ANY"]),
        ("BROKER", {}, EVERY),
    ],
)
def test_a_device_is_shown_what_is_its_own(
    node: Node, title: str, shown: dict[str, Any], expected: list[str]
) -> None:
    with node.database.connection() as connection:
        connection.execute(
            "UPDATE resource SET worklist_filter = %s WHERE ae_title = %s", (Jsonb(shown), title)
        )
    assert node.steps(question(), title=title) == expected


def test_a_step_of_no_device_is_whoever_asks(node: Node) -> None:
    """Scheduled Station AE Title is of type 1: an answer without is refused by modalities."""
    keys = question({"ScheduledStationAETitle": "CT1", "ScheduledProcedureStepID": "ANY"})
    (item,), _ = node.ask(keys, title="CT1")
    assert item.ScheduledProcedureStepSequence[0].ScheduledStationAETitle == "CT1"


@pytest.mark.parametrize(
    ("asked", "declared", "name"),
    [
        ("ISO_IR 192", "ISO_IR 192", "MARTIN^ŁUCJA"),
        (None, "ISO_IR 192", "MARTIN^ŁUCJA"),
        ("ISO_IR 101", "ISO_IR 101", "MARTIN^ŁUCJA"),
        ("ISO_IR 100", "ISO_IR 100", "MARTIN^LUCJA"),
        ("ISO_IR 999", "ISO_IR 192", "MARTIN^ŁUCJA"),
    ],
)
def test_names_come_in_the_set_that_was_asked_for(
    node: Node, asked: str | None, declared: str, name: str
) -> None:
    keys = question({"ScheduledProcedureStepID": "S2"})
    if asked is None:
        del keys.SpecificCharacterSet
    else:
        keys.SpecificCharacterSet = asked
    (item,), _ = node.ask(keys)
    assert (item.SpecificCharacterSet, str(item.PatientName)) == (declared, name)


def test_a_device_that_names_no_set_may_have_one(node: Node) -> None:
    given = {"host": "127.0.0.1", "port": 104, "roles": ["worklist"], "replace": True}
    ae.add(node.database, ae_title="BROKER", character_set="ISO_IR 100", **given)
    ae.add(node.database, ae_title="BROKER", **given)  # as the page of devices does: it stays
    keys = question({"ScheduledProcedureStepID": "S1"})
    del keys.SpecificCharacterSet
    (item,), _ = node.ask(keys)
    assert (item.SpecificCharacterSet, str(item.PatientName)) == ("ISO_IR 100", "DUPONT^ZOÉ")
    keys.SpecificCharacterSet = "ISO_IR 192"
    (item,), _ = node.ask(keys)
    assert item.SpecificCharacterSet == "ISO_IR 192"
    ae.add(node.database, ae_title="BROKER", character_set="", **given)
    with pytest.raises(InvalidApplicationEntity):
        ae.add(node.database, ae_title="BROKER", character_set="LATIN", **given)


def test_what_has_no_other_spelling_comes_in_unicode() -> None:
    item = {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "WANG^XIAO", "Ideographic": "王^小东"}]}
    }
    raw, is_respelt = encoded(item, "1.2.840.10008.1.2.1", ["ISO_IR 100"])
    read = decode(raw, "1.2.840.10008.1.2.1")
    assert not is_respelt
    assert read["00080005"]["Value"] == ["ISO_IR 192"]
    assert read["00100010"]["Value"][0]["Ideographic"] == "王^小东"


def test_fuzzy_names_are_agreed_to(node: Node) -> None:
    assert node.steps(question(PatientName="zoe")) == []
    assert node.steps(question(PatientName="zoe"), is_fuzzy=True) == ["S1", "S4", "ANY", "S3"]


def test_a_step_is_there_when_it_is_booked_and_gone_when_it_ended(node: Node) -> None:
    keys = question({"ScheduledProcedureStepID": "NEW"})
    assert node.steps(keys) == []
    with node.database.connection() as connection:
        rows = Rows(connection)
        procedure = rows.procedure(rows.order(rows.patient("NOUVEAU", "NÉ")))
        step = rows.step(procedure, scheduled_procedure_step_id="NEW", start_at=at(16))
    assert node.steps(keys) == ["NEW"]
    with node.database.connection() as connection:
        connection.execute(
            "UPDATE scheduled_procedure_step SET state = 'COMPLETED' WHERE id = %s", (step,)
        )
    assert node.steps(keys) == []


def test_who_may_not_is_not_let_in(node: Node) -> None:
    association = node.associate("STORER")
    assert not association.is_established or not association.accepted_contexts


def test_who_looked_is_in_the_audit_trail(node: Node) -> None:
    node.steps(question(), title="MR1")
    with node.database.connection() as connection:
        row = connection.execute(
            "SELECT count(*) FROM audit_event WHERE action = 'worklist' AND actor_name = 'MR1'"
        ).fetchone()
    assert row == (1,)


def test_more_than_is_answered_is_said(node: Node) -> None:
    node.scp.max_results = 2
    try:
        items, statuses = node.ask(question())
    finally:
        node.scp.max_results = 10_000
    assert (len(items), statuses[-1]) == (2, 0xA700)


def test_cancel_ends_the_answer(node: Node) -> None:
    association = node.associate()
    statuses = []
    for number, (status, _) in enumerate(association.send_c_find(question(), WORKLIST, msg_id=7)):
        statuses.append(status.Status)
        if number == 0:
            association.send_c_cancel(7, query_model=WORKLIST)
    assert statuses[-1] in (0xFE00, 0)
    association.release()


def test_a_storm_is_held_back() -> None:
    """A burst passes, then one waits; who asks on and on is refused, others are not."""
    turnstile = Turnstile(per_s=10, patience_s=0.0)
    for _ in range(20):
        with turnstile.turn("CT1"):
            pass
    with pytest.raises(Exception, match="ask less often"), turnstile.turn("CT1"):
        pass
    with turnstile.turn("MR1"):
        pass
    time.sleep(0.15)
    with turnstile.turn("CT1"):
        pass


def test_few_are_looked_up_at_once() -> None:
    turnstile = Turnstile(at_once=1, patience_s=0.01)
    with turnstile.turn("CT1"), pytest.raises(Exception, match="at once"), turnstile.turn("MR1"):
        pass
    with turnstile.turn("MR1"):
        pass


DUMP = """
(0008,0005) CS [ISO_IR 100]
(0010,0010) PN [DUP*]
(0010,0020) LO []
(0040,0100) SQ
(fffe,e000) na
(0008,0060) CS [CT]
(0040,0001) AE []
(0040,0002) DA [{day}]
(0040,0003) TM []
(0040,0009) SH []
(fffe,e00d) na
(fffe,e0dd) na
"""


@pytest.mark.stranger
def test_dcmtk_finds_the_step(node: Node, tmp_path: Path) -> None:
    programs = "/usr/local/bin:/usr/bin:/bin"  # pynetdicom installs a findscu of its own
    findscu, dump2dcm, dcmdump = (
        shutil.which(name, path=programs) for name in ("findscu", "dump2dcm", "dcmdump")
    )
    if findscu is None or dump2dcm is None or dcmdump is None:
        pytest.skip("DCMTK is missing: install the Debian package dcmtk")
    dump, asked = tmp_path / "ask.dump", tmp_path / "ask.dcm"
    dump.write_text(DUMP.format(day=f"{da()}-{da()}"))
    subprocess.run([dump2dcm, dump, asked], check=True, capture_output=True)
    subprocess.run(
        [findscu, "-W", "-X", "-od", tmp_path, "-aet", "CT1", "-aec", "NEGATOSCOPE", "127.0.0.1",
         str(node.port), asked],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    shown = [
        subprocess.run([dcmdump, one], check=True, capture_output=True).stdout
        for one in sorted(tmp_path.glob("rsp*.dcm"))
    ]
    assert len(shown) == 2
    assert b"ISO_IR 100" in shown[0]
    assert b"DUPONT^ZO\xc9" in shown[0]
    assert b"[S1]" in shown[0]


def test_what_is_claimed_is_what_is_answered() -> None:
    flat = set(SUPPORTED) | set(SUPPORTED["00400100"])
    assert flat >= REQUIRED_MATCHING_KEYS
    assert set(STATUSES) >= {0, 0xFF00, 0xFF01, 0xFE00, 0xA700, 0xC010}


def nested(depth: int) -> Dataset:
    one = question()
    at_depth = one.ScheduledProcedureStepSequence[0]
    for _ in range(depth):
        inner = Dataset()
        at_depth.ScheduledProtocolCodeSequence = [inner]
        at_depth = inner
    return one


def bare(vr: str, value: Any, tag: int = 0x00100020) -> Dataset:
    """A key under a representation and with a value that no dictionary would allow."""
    one = question()
    one[tag] = DataElement(tag, vr, value, validation_mode=0)
    return one


def in_step(keyword: str, value: str) -> Dataset:
    one = question()
    vr = "DA" if keyword.endswith("Date") else "TM"
    element = DataElement(tag_for_keyword(keyword), vr, value, validation_mode=0)
    one.ScheduledProcedureStepSequence[0].add(element)
    return one


HOSTILE = {
    "nested": nested(50),
    "long": bare("LO", "X" * 10_000),
    "long name": bare("PN", "X" * 10_000, 0x00100010),
    "stars": question({"ScheduledStationAETitle": "*?*?*?*?"}, PatientName="*?*" * 20),
    "many stars": bare("LO", "*a" * 5_000),
    "number for text": bare("US", 7),
    "bytes for text": bare("OB", b"\xff\xfe\x00\x01"),
    "sequence for text": bare("SQ", [Dataset()]),
    "text for a sequence": bare("LO", "X", 0x00400100),
    "unknown set": question(SpecificCharacterSet="ISO_IR 999"),
    "bytes of no set": bare("OB", b"\xc3\x28\xff", 0x00100010),
    "backslashes": bare("OB", b"\\\\\\\\", 0x00100020),
    "wrong dates": in_step("ScheduledProcedureStepStartDate", "20261399-00000000"),
    "backward dates": in_step("ScheduledProcedureStepStartDate", "20270101-20260101"),
    "dashes": in_step("ScheduledProcedureStepStartDate", "---"),
    "wrong times": in_step("ScheduledProcedureStepStartTime", "256199-9"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("keys", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_question_has_a_published_answer(
    node: Node, capfd: pytest.CaptureFixture[str], keys: Dataset
) -> None:
    """Within two seconds, without a traceback, and the association answers the next one."""
    association = node.associate()
    begun = time.monotonic()
    statuses = [one.Status for one, _ in association.send_c_find(keys, WORKLIST)]
    assert time.monotonic() - begun < 4  # two seconds, and as much for what runs beside
    assert statuses[-1] in STATUSES
    assert "Traceback" not in "".join(capfd.readouterr())
    plain = question({"ScheduledProcedureStepID": "S1"})
    again = [one.Status for one, _ in association.send_c_find(plain, WORKLIST)]
    assert again == [0xFF00, 0]
    association.release()
