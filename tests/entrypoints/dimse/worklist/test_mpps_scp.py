"""MPPS on the wire, sent by pynetdicom: the statuses of PS3.4 Annex F and what follows from each."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt, sop_class

from negatoscope.domain.devices import ae
from negatoscope.domain.performed.mpps import TRANSITIONS, MppsState, PerformedSteps
from negatoscope.domain.performed.mpps_errors import STATUSES
from negatoscope.entrypoints.dimse.mpps_scp import MppsScp
from negatoscope.entrypoints.dimse.mpps_scu import MppsForwarding
from negatoscope.entrypoints.dimse.server import build_server
from negatoscope.infra.db import Database
from negatoscope.infra.settings import HostPort, Settings
from negatoscope.protocols.dicom.dimse.association import Timeouts
from rows import Rows

MPPS = sop_class.ModalityPerformedProcedureStep
RETRIEVE = sop_class.ModalityPerformedProcedureStepRetrieve
PARIS = ZoneInfo("Europe/Paris")


def code(value: str, scheme: str = "DCM", meaning: str = "") -> Dataset:
    one = Dataset()
    one.CodeValue, one.CodingSchemeDesignator = value, scheme
    one.CodeMeaning = meaning or value
    return one


def scheduled(**more: str) -> Dataset:
    """An item of Scheduled Step Attributes Sequence."""
    one = Dataset()
    one.StudyInstanceUID = "1.2.3"
    for keyword in (
        *("AccessionNumber", "RequestedProcedureID", "RequestedProcedureDescription"),
        *("ScheduledProcedureStepID", "ScheduledProcedureStepDescription"),
    ):
        setattr(one, keyword, "")
    one.ReferencedStudySequence = one.ScheduledProtocolCodeSequence = []
    for keyword, value in more.items():
        setattr(one, keyword, value)
    return one


def begun(*items: Dataset, **more: Any) -> Dataset:
    """The data set of N-CREATE."""
    now = datetime.now(PARIS)
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 100"
    one.ScheduledStepAttributesSequence = list(items) or [scheduled()]
    one.PatientName, one.PatientID, one.IssuerOfPatientID = "DUPONT^ZOÉ", "8001", "CHU"
    one.PatientBirthDate, one.PatientSex = "19610503", "F"
    one.ReferencedPatientSequence = []
    one.PerformedProcedureStepID, one.PerformedStationAETitle = "PPS1", "CT1"
    one.PerformedStationName = one.PerformedLocation = one.StudyID = ""
    one.PerformedProcedureStepStartDate = f"{now:%Y%m%d}"
    one.PerformedProcedureStepStartTime = f"{now:%H%M%S}"
    one.PerformedProcedureStepStatus, one.Modality = "IN PROGRESS", "CT"
    one.PerformedProcedureStepDescription = one.PerformedProcedureTypeDescription = ""
    one.PerformedProcedureStepEndDate = one.PerformedProcedureStepEndTime = None
    one.ProcedureCodeSequence = one.PerformedProtocolCodeSequence = []
    one.PerformedSeriesSequence = []
    for keyword, value in more.items():
        if value is None:
            delattr(one, keyword)
        else:
            setattr(one, keyword, value)
    return one


def ended(status: str = "COMPLETED", *, images: int = 2, **more: Any) -> Dataset:
    """The data set of the last N-SET."""
    now = datetime.now(PARIS)
    one = Dataset()
    one.PerformedProcedureStepStatus = status
    one.PerformedProcedureStepEndDate = f"{now:%Y%m%d}"
    one.PerformedProcedureStepEndTime = f"{now:%H%M%S}"
    series = Dataset()
    series.SeriesInstanceUID, series.ProtocolName = generate_uid(), "Thorax"
    series.PerformingPhysicianName = series.OperatorsName = series.SeriesDescription = ""
    series.RetrieveAETitle = ""
    series.ReferencedNonImageCompositeSOPInstanceSequence = []
    series.ReferencedImageSequence = []
    for _ in range(images):
        image = Dataset()
        image.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        image.ReferencedSOPInstanceUID = generate_uid()
        series.ReferencedImageSequence.append(image)
    one.PerformedSeriesSequence = [series]
    for keyword, value in more.items():
        setattr(one, keyword, value)
    return one


@dataclass
class Ordered:
    """A step that a modality can begin."""

    patient: int
    request: int
    procedure: int
    step: int
    study: str
    step_id: str
    accession: str

    def item(self, **more: str) -> Dataset:
        given = {
            "StudyInstanceUID": self.study,
            "ScheduledProcedureStepID": self.step_id,
            "AccessionNumber": self.accession,
        }
        return scheduled(**{**given, **more})


@dataclass
class Node:
    database: Database
    port: int
    clients: list[Any] = field(default_factory=list)

    def associate(self, title: str = "CT1") -> Any:
        entity = AE(title)
        entity.add_requested_context(MPPS)
        entity.add_requested_context(RETRIEVE)
        found = entity.associate("127.0.0.1", self.port, ae_title="NEGATOSCOPE")
        self.clients.append(found)
        return found

    def value(self, query: str, *parameters: object) -> Any:
        with self.database.connection() as connection:
            row = connection.execute(query, parameters).fetchone()
        return row if row is None or len(row) > 1 else row[0]

    def order(self, *, patient: int | None = None, state: str = "SCHEDULED") -> Ordered:
        with self.database.connection() as connection:
            rows = Rows(connection)
            who = patient or self.value(
                "SELECT patient_fk FROM registered_identifier WHERE value = '8001'"
            )
            whole = {"state": "IN PROGRESS"} if state == "STARTED" else {}
            request = rows.order(who, **whole)
            procedure = rows.procedure(request, **whole)
            more = {"started_at": datetime.now(PARIS)} if state == "STARTED" else {}
            step = rows.step(procedure, state=state, **more)
        found = self.value(
            "SELECT p.study_instance_uid, s.scheduled_procedure_step_id, r.accession_number"
            " FROM scheduled_procedure_step s JOIN requested_procedure p ON p.id = s.procedure_fk"
            " JOIN imaging_service_request r ON r.id = p.request_fk WHERE s.id = %s",
            step,
        )
        return Ordered(who, request, procedure, step, *found)

    def state_of(self, ordered: Ordered) -> str:
        query = "SELECT state FROM scheduled_procedure_step WHERE id = %s"
        return str(self.value(query, ordered.step))

    def flags_of(self, uid: str) -> list[str]:
        query = "SELECT flags FROM performed_procedure_step WHERE sop_instance_uid = %s"
        return list(self.value(query, uid))


@pytest.fixture(scope="module")
def node(postgres: Any, _template: str, free_ports: Any) -> Iterator[Node]:
    with psycopg.connect(postgres.administrator_url, autocommit=True) as administrator:
        administrator.execute(
            f"CREATE DATABASE test_mpps TEMPLATE {_template} OWNER negatoscope STRATEGY FILE_COPY"
        )
    port = free_ports()
    with Database(postgres.url.replace("@/negatoscope?", "@/test_mpps?")) as database:
        ae.add(database, ae_title="CT1", host="127.0.0.1", port=104, roles=["mpps"])
        ae.add(database, ae_title="STORER", host="127.0.0.1", port=104, roles=["store"])
        with database.connection() as connection:
            rows = Rows(connection)
            chu = rows.authority("CHU")
            rows.identifier(rows.patient("DUPONT", "ZOÉ"), chu, "8001")
            rows.identifier(rows.patient("AUTRE", "ANNE"), chu, "9009")
        steps = PerformedSteps(database=database, zone=PARIS, destinations=("PACS",))
        server = build_server(
            Settings(dicom=HostPort("127.0.0.1", port)),
            MppsScp(steps=steps).services(),
            find_ae=lambda title: ae.find(database, title),
        )
        server.start()
        found = Node(database, port)
        try:
            yield found
        finally:
            for client in found.clients:
                if client.is_established:
                    client.abort()
            server.stop(2)


@pytest.fixture(scope="module")
def modality(node: Node) -> Any:
    """An association that lasts for all of these tests."""
    association = node.associate()
    assert association.is_established
    return association


def create(modality: Any, data_set: Dataset, uid: str | None = None) -> tuple[str, Dataset]:
    uid = generate_uid() if uid is None else uid
    status, _ = modality.send_n_create(data_set, MPPS, uid)
    return uid, status


def change(modality: Any, uid: str, data_set: Dataset) -> Dataset:
    status, _ = modality.send_n_set(data_set, MPPS, uid)
    return status


# -- N-CREATE: statuses ----------------------------------------------------------------------------


def without(keyword: str) -> Dataset:
    return begun(**{keyword: None})


def in_item(keyword: str, value: Any) -> Dataset:
    item = scheduled()
    if value is None:
        delattr(item, keyword)
    else:
        setattr(item, keyword, value)
    return begun(item)


@pytest.mark.parametrize(
    ("data_set", "status"),
    [
        (begun(), 0x0000),
        (begun(PerformedProcedureStepStatus="COMPLETED"), 0x0106),
        (begun(PerformedProcedureStepStatus="DISCONTINUED"), 0x0106),
        (begun(PerformedProcedureStepStatus="WHATEVER"), 0x0106),
        (begun(PerformedProcedureStepStatus=""), 0x0121),
        (without("PerformedProcedureStepStatus"), 0x0120),
        (without("ScheduledStepAttributesSequence"), 0x0120),
        (begun(ScheduledStepAttributesSequence=[]), 0x0121),
        (in_item("StudyInstanceUID", None), 0x0120),
        (in_item("StudyInstanceUID", ""), 0x0121),
        (without("PerformedProcedureStepID"), 0x0120),
        (without("PerformedStationAETitle"), 0x0120),
        (begun(PerformedStationAETitle=""), 0x0121),
        (without("PerformedProcedureStepStartDate"), 0x0120),
        (without("PerformedProcedureStepStartTime"), 0x0120),
        (without("Modality"), 0x0120),
        (begun(Modality=""), 0x0121),
        # of type 2: may be empty, and is taken for empty when it is missing
        (without("PatientName"), 0x0000),
        (without("StudyID"), 0x0000),
        (in_item("AccessionNumber", None), 0x0000),
    ],
)
def test_creation_is_checked(node: Node, modality: Any, data_set: Dataset, status: int) -> None:
    uid, answer = create(modality, data_set)
    assert answer.Status == status
    query = "SELECT count(*) FROM performed_procedure_step WHERE sop_instance_uid = %s"
    assert node.value(query, uid) == (1 if status == 0 else 0)


def test_creation_twice_is_a_duplicate(modality: Any) -> None:
    uid, first = create(modality, begun())
    _, second = create(modality, begun(), uid)
    assert (first.Status, second.Status) == (0, 0x0111)


def test_an_unusable_uid_is_none(modality: Any) -> None:
    assert create(modality, begun(), "1.02.3")[1].Status == 0x0117


def test_who_may_not_is_not_let_in(node: Node) -> None:
    association = node.associate("STORER")
    assert not association.is_established or not association.accepted_contexts


# -- N-SET: statuses -------------------------------------------------------------------------------

_CASES = [(before, after) for before in MppsState for after in MppsState]


@pytest.mark.parametrize(("before", "after"), _CASES)
def test_every_pair_of_the_table(modality: Any, before: MppsState, after: MppsState) -> None:
    """PS3.4 §F.7.2.2: IN PROGRESS leads everywhere, the final ones nowhere."""
    uid, _ = create(modality, begun())
    if before is not MppsState.IN_PROGRESS:
        assert change(modality, uid, ended(before)).Status == 0
    answer = change(modality, uid, ended(after))
    if after in TRANSITIONS[before]:
        assert answer.Status == 0
    else:
        assert (answer.Status, answer.ErrorID) == (0x0110, 0xA710)
        assert "may no longer be updated" in answer.ErrorComment


@pytest.mark.parametrize(
    ("data_set", "status"),
    [
        (ended(PerformedProcedureStepStatus="FINISHED"), 0x0106),
        (ended(PerformedProcedureStepStatus=""), 0x0121),
        (ended(PerformedProcedureStepEndDate=""), 0x0121),
        (ended(PerformedSeriesSequence=[]), 0x0121),
        (ended("DISCONTINUED", PerformedSeriesSequence=[]), 0x0000),
    ],
)
def test_a_change_is_checked(modality: Any, data_set: Dataset, status: int) -> None:
    uid, _ = create(modality, begun())
    assert change(modality, uid, data_set).Status == status


def test_an_unknown_step_is_not_changed(modality: Any) -> None:
    assert change(modality, generate_uid(), ended()).Status == 0x0112


def test_what_may_not_be_changed_stays(node: Node, modality: Any) -> None:
    uid, _ = create(modality, begun())
    assert change(modality, uid, ended(PatientID="OTHER", PatientName="X^Y")).Status == 0
    kept = node.value(
        "SELECT data_set FROM performed_procedure_step WHERE sop_instance_uid = %s", uid
    )
    assert kept["00100020"]["Value"] == ["8001"]
    assert kept["00100010"]["Value"][0]["Alphabetic"] == "DUPONT^ZOÉ"


def test_every_status_is_published() -> None:
    assert {0x0106, 0x0110, 0x0111, 0x0112, 0x0117, 0x0120, 0x0121, 0x0124} <= set(STATUSES)


# -- what follows ----------------------------------------------------------------------------------


def test_a_step_begins_and_ends_by_its_mpps(node: Node, modality: Any) -> None:
    ordered = node.order()
    uid, answer = create(modality, begun(ordered.item()))
    assert (answer.Status, node.state_of(ordered), node.flags_of(uid)) == (0, "STARTED", [])
    assert change(modality, uid, ended(images=5)).Status == 0
    assert node.state_of(ordered) == "COMPLETED"
    row = node.value(
        "SELECT state, series_count, instance_count, patient_fk FROM performed_procedure_step"
        " WHERE sop_instance_uid = %s",
        uid,
    )
    assert row == ("COMPLETED", 1, 5, ordered.patient)
    with node.database.connection() as connection:
        told = connection.execute(
            "SELECT kind, source FROM workflow_event WHERE step_fk = %s ORDER BY id",
            (ordered.step,),
        ).fetchall()
    assert told == [("STARTED", "dicom:CT1"), ("COMPLETED", "dicom:CT1")]


def test_group_case_one_acquisition_for_several_steps(node: Node, modality: Any) -> None:
    first, second = node.order(), node.order()
    uid, _ = create(modality, begun(first.item(), second.item()))
    assert [node.state_of(one) for one in (first, second)] == ["STARTED", "STARTED"]
    change(modality, uid, ended())
    assert [node.state_of(one) for one in (first, second)] == ["COMPLETED", "COMPLETED"]


def test_append_case_several_acquisitions_for_one_step(node: Node, modality: Any) -> None:
    """The step is over when nothing performed for it is in progress any more."""
    ordered = node.order()
    first, _ = create(modality, begun(ordered.item()))
    second, _ = create(modality, begun(ordered.item()))
    change(modality, first, ended())
    assert node.state_of(ordered) == "STARTED"
    change(modality, second, ended("DISCONTINUED"))
    assert node.state_of(ordered) == "COMPLETED"
    third, _ = create(modality, begun(ordered.item()))
    assert (node.state_of(ordered), node.flags_of(third)) == ("STARTED", [])
    change(modality, third, ended())
    assert node.state_of(ordered) == "COMPLETED"


def test_discontinued_says_why(node: Node, modality: Any) -> None:
    ordered = node.order()
    uid, _ = create(modality, begun(ordered.item()))
    reason = [code("110501", meaning="Equipment failure")]
    change(
        modality,
        uid,
        ended("DISCONTINUED", PerformedProcedureStepDiscontinuationReasonCodeSequence=reason),
    )
    assert node.state_of(ordered) == "DISCONTINUED"
    query = (
        "SELECT discontinuation_reason FROM performed_procedure_step WHERE sop_instance_uid = %s"
    )
    assert node.value(query, uid) == "Equipment failure"


def test_the_wrong_entry_gives_the_step_back(node: Node, modality: Any) -> None:
    ordered = node.order()
    uid, _ = create(modality, begun(ordered.item()))
    reason = [code("110514", meaning="Incorrect worklist entry selected")]
    change(
        modality,
        uid,
        ended("DISCONTINUED", PerformedProcedureStepDiscontinuationReasonCodeSequence=reason),
    )
    assert (node.state_of(ordered), node.flags_of(uid)) == ("SCHEDULED", ["WRONG ENTRY"])


@pytest.mark.parametrize(
    ("item", "more", "flags", "is_known"),
    [
        ({}, {}, ["UNSCHEDULED"], True),
        (
            {},
            {"PatientID": "77", "IssuerOfPatientID": "CHU"},
            ["PATIENT UNKNOWN", "UNSCHEDULED"],
            False,
        ),
        ({}, {"IssuerOfPatientID": None}, ["PATIENT UNKNOWN", "UNSCHEDULED"], False),
        ({"ScheduledProcedureStepID": "NOBODY"}, {}, ["STEP UNKNOWN"], True),
    ],
)
def test_unscheduled_is_kept_for_a_person(
    node: Node,
    modality: Any,
    item: dict[str, str],
    more: dict[str, Any],
    flags: list[str],
    is_known: bool,
) -> None:
    """The patient is known by identifier and issuer only, never by a bare number."""
    uid, answer = create(modality, begun(scheduled(**item), **more))
    assert (answer.Status, node.flags_of(uid)) == (0, flags)
    query = "SELECT patient_fk FROM performed_procedure_step WHERE sop_instance_uid = %s"
    assert (node.value(query, uid) is not None) is is_known


@pytest.mark.parametrize(
    ("item", "more", "flags"),
    [
        ({"StudyInstanceUID": "1.2.9"}, {}, ["STEP DIFFERS"]),
        ({"AccessionNumber": "OTHER"}, {}, ["STEP DIFFERS"]),
        ({}, {"PatientID": "9009"}, ["PATIENT DIFFERS"]),
        (
            {},
            {"PatientID": "9009", "IssuerOfPatientID": None},
            ["PATIENT DIFFERS", "PATIENT UNKNOWN"],
        ),
    ],
)
def test_what_speaks_against_a_step_leaves_it(
    node: Node, modality: Any, item: dict[str, str], more: dict[str, Any], flags: list[str]
) -> None:
    ordered = node.order()
    uid, answer = create(modality, begun(ordered.item(**item), **more))
    assert answer.Status == 0
    assert set(flags) <= set(node.flags_of(uid))
    assert node.state_of(ordered) == "SCHEDULED"


def test_a_device_may_mean_the_numbers_of_one_authority(node: Node, modality: Any) -> None:
    with node.database.connection() as connection:
        connection.execute("INSERT INTO default_issuer VALUES ('CT1', 'CHU')")
    uid, _ = create(modality, begun(IssuerOfPatientID=None))
    assert node.flags_of(uid) == ["UNSCHEDULED"]
    with node.database.connection() as connection:
        connection.execute("DELETE FROM default_issuer")


def test_our_study_without_step_is_its_only_open_step(node: Node, modality: Any) -> None:
    ordered = node.order()
    create(modality, begun(ordered.item(ScheduledProcedureStepID="")))
    assert node.state_of(ordered) == "STARTED"


def test_a_canceled_step_that_is_done_all_the_same(node: Node, modality: Any) -> None:
    ordered = node.order(state="CANCELED")
    uid, answer = create(modality, begun(ordered.item()))
    assert (answer.Status, node.flags_of(uid)) == (0, ["STEP CANCELED"])
    assert node.state_of(ordered) == "CANCELED"


def test_a_step_begun_by_hand_goes_on(node: Node, modality: Any) -> None:
    ordered = node.order(state="STARTED")
    uid, _ = create(modality, begun(ordered.item()))
    change(modality, uid, ended())
    assert node.state_of(ordered) == "COMPLETED"


def test_dose_and_everything_else_is_kept(node: Node, modality: Any) -> None:
    uid, _ = create(modality, begun())
    dose = Dataset()
    dose.RadiationMode, dose.KVP, dose.XRayTubeCurrentInuA = "CONTINUOUS", "120", 200000
    last = ended(ExposureDoseSequence=[dose], CommentsOnRadiationDose="DLP 412 mGy.cm")
    assert change(modality, uid, last).Status == 0
    status, found = modality.send_n_get([], RETRIEVE, uid)
    assert status.Status == 0
    assert found.CommentsOnRadiationDose == "DLP 412 mGy.cm"
    assert found.ExposureDoseSequence[0].KVP == 120
    assert found.PatientName == "DUPONT^ZOÉ"
    status, found = modality.send_n_get([0x00400252], RETRIEVE, uid)
    assert [element.keyword for element in found if element.keyword != "SpecificCharacterSet"] == [
        "PerformedProcedureStepStatus"
    ]
    assert modality.send_n_get([], RETRIEVE, generate_uid())[0].Status == 0x0112


def test_a_clock_that_is_wrong_moves_no_times(node: Node, modality: Any) -> None:
    ordered = node.order()
    create(
        modality,
        begun(ordered.item(), PerformedProcedureStepStartDate="19990101"),
    )
    seconds = node.value(
        "SELECT extract(epoch FROM now() - started_at) FROM scheduled_procedure_step WHERE id = %s",
        ordered.step,
    )
    assert abs(float(seconds)) < 60


def waiting(node: Node, uid: str) -> list[tuple[str, str, bool]]:
    with node.database.connection() as connection:
        return connection.execute(
            "SELECT ae_title, command, refused_at IS NOT NULL FROM performed_forwarding"
            " WHERE sop_instance_uid = %s ORDER BY id",
            (uid,),
        ).fetchall()


def test_copies_wait_for_their_receiver_and_go_in_their_order(
    node: Node, modality: Any, free_port: int
) -> None:
    """A receiver that is away is told when it is back; a refusal is kept, and not sent again."""
    with node.database.connection() as connection:
        connection.execute("DELETE FROM performed_forwarding")
    ordered = node.order()
    uid, _ = create(modality, begun(ordered.item()))
    change(modality, uid, ended())
    other, _ = create(modality, begun(PatientID="REFUSE ME"))
    ae.add(node.database, ae_title="PACS", host="127.0.0.1", port=free_port, roles=[])
    timeouts = Timeouts(dimse_s=3, connect_s=3, artim_s=3, send_s=3)
    forwarding = MppsForwarding(database=node.database, ae_title="NEGATOSCOPE", timeouts=timeouts)
    forwarding.run_due(threading.Event())
    assert waiting(node, uid) == [("PACS", "N-CREATE", False), ("PACS", "N-SET", False)]
    taken: list[tuple[str, str]] = []

    def on_create(event: Any) -> tuple[int, Dataset | None]:
        if event.attribute_list.PatientID == "REFUSE ME":
            return 0x0110, None
        taken.append(("N-CREATE", str(event.attribute_list.PatientName)))
        return 0, event.attribute_list

    def on_set(event: Any) -> tuple[int, Dataset]:
        taken.append(("N-SET", event.modification_list.PerformedProcedureStepStatus))
        return 0, event.modification_list

    entity = AE("PACS")
    entity.add_supported_context(MPPS)
    handlers = [(evt.EVT_N_CREATE, on_create), (evt.EVT_N_SET, on_set)]
    server = entity.start_server(("127.0.0.1", free_port), block=False, evt_handlers=handlers)
    try:
        forwarding.run_due(threading.Event())
        assert taken == []  # put off, not asked at once again
        with node.database.connection() as connection:
            connection.execute("UPDATE performed_forwarding SET not_before = now()")
        forwarding.run_due(threading.Event())
    finally:
        server.shutdown()
    assert taken == [("N-CREATE", "DUPONT^ZOÉ"), ("N-SET", "COMPLETED")]
    assert waiting(node, uid) == []
    assert waiting(node, other) == [("PACS", "N-CREATE", True)]


def test_five_thousand_series_are_kept_and_the_association_lives(
    node: Node, modality: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    many = [item for _ in range(5000) for item in ended(images=0).PerformedSeriesSequence]
    start = time.monotonic()
    uid, answer = create(modality, begun(PerformedSeriesSequence=many))
    assert time.monotonic() - start < 4  # two seconds, and as much for what runs beside
    assert answer.Status == 0
    kept = "SELECT data_set FROM performed_procedure_step WHERE sop_instance_uid = %s"
    assert len(node.value(kept, uid)["00400340"]["Value"]) == 5000
    assert "Traceback" not in "".join(capfd.readouterr())
    assert create(modality, begun())[1].Status == 0
