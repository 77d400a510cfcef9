"""UPS over DIMSE, asked by pynetdicom; events are reported to a pynetdicom SCU (PS3.4 Annex CC)."""

import functools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt, sop_class

from negatoscope.domain.devices import ae
from negatoscope.domain.ups import Worklist
from negatoscope.entrypoints.dimse.server import build_server
from negatoscope.entrypoints.dimse.ups_event_scp import UpsEventScp
from negatoscope.entrypoints.dimse.ups_scp import UpsScp
from negatoscope.infra.db import Database
from negatoscope.infra.settings import HostPort, Settings
from negatoscope.protocols.dicom.dataset import decode, encode
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.association import Timeouts
from negatoscope.protocols.dicom.dimse.requestor import connect
from negatoscope.protocols.dicom.ul.negotiation import ProposedContext
from negatoscope.subscribers import audit

EVENT, PULL, PUSH, QUERY, WATCH = (
    getattr(sop_class, f"UnifiedProcedureStep{name}")
    for name in ("Event", "Pull", "Push", "Query", "Watch")
)
ALL, FILTERED = "1.2.840.10008.5.1.4.34.5", "1.2.840.10008.5.1.4.34.5.1"
KEY = "1.2.3.4"


def code(value: str) -> Dataset:
    one = Dataset()
    one.CodeValue, one.CodingSchemeDesignator, one.CodeMeaning = value, "99TEST", value
    return one


def step(**more: Any) -> Dataset:
    """A whole data set for N-CREATE: type 2 attributes are there."""
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 100"
    one.TransactionUID = ""
    one.ProcedureStepState, one.ScheduledProcedureStepPriority = "SCHEDULED", "MEDIUM"
    one.ProcedureStepLabel, one.WorklistLabel = "Lire", "Lecture"
    one.ScheduledProcedureStepStartDateTime = "20261124080000"
    one.InputReadinessState = "READY"
    one.ScheduledWorkitemCodeSequence = [code("READ")]
    one.ScheduledStationNameCodeSequence = [code("ROOM1")]
    for keyword in (
        *("ScheduledProcessingParametersSequence", "ScheduledStationClassCodeSequence"),
        *("ScheduledStationGeographicLocationCodeSequence", "InputInformationSequence"),
        *("IssuerOfAdmissionIDSequence", "AdmittingDiagnosesCodeSequence"),
        *("ReferencedRequestSequence", "ProcedureStepProgressInformationSequence"),
        *("UnifiedProcedureStepPerformedProcedureSequence", "OtherPatientIDsSequence"),
    ):
        setattr(one, keyword, [])
    one.CommentsOnTheScheduledProcedureStep = one.AdmissionID = ""
    one.AdmittingDiagnosesDescription = one.PatientBirthDate = one.PatientSex = ""
    one.PatientName, one.PatientID = "DUPONT^Éloïse", "P1"
    for keyword, value in more.items():
        setattr(one, keyword, value)
    return one


def performed() -> Dataset:
    item = Dataset()
    item.PerformedStationNameCodeSequence = [code("ROOM1")]
    item.PerformedProcedureStepStartDateTime = "20261124081000"
    item.PerformedProcedureStepEndDateTime = "20261124082000"
    item.PerformedWorkitemCodeSequence = [code("READ")]
    item.OutputInformationSequence = []
    one = Dataset()
    one.TransactionUID = KEY
    one.UnifiedProcedureStepPerformedProcedureSequence = [item]
    return one


@dataclass
class Node:
    """Our side."""

    database: Database
    port: int
    clients: list[Any] = field(default_factory=list)

    def associate(self, *contexts: Any, title: str = "PERFORMER") -> Any:
        entity = AE(title)
        for context in contexts:
            entity.add_requested_context(context)
        association = entity.associate("127.0.0.1", self.port, ae_title="NEGATOSCOPE")
        self.clients.append(association)
        return association

    def events(self) -> None:
        """What the worker's chore does."""
        UpsEventScp(
            database=self.database,
            ae_title="NEGATOSCOPE",
            timeouts=Timeouts(dimse_s=2, connect_s=2, artim_s=2, send_s=2),
        ).run_due(threading.Event())


@pytest.fixture
def node(database: Database, free_port: int) -> Iterator[Node]:
    server = build_server(
        Settings(dicom=HostPort("127.0.0.1", free_port)),
        UpsScp(database=database, max_results=50).services(),
        find_ae=functools.partial(ae.find, database),
    )
    for title, roles in (("PERFORMER", ["ups"]), ("WATCHER", ["ups"]), ("STORER", ["store"])):
        ae.add(database, ae_title=title, host="127.0.0.1", port=1, roles=roles)
    server.start()
    node = Node(database, free_port)
    yield node
    for association in node.clients:
        if association.is_established:
            association.abort()
    server.stop(grace_s=1.0)


@pytest.fixture
def pushed(node: Node) -> tuple[Any, str]:
    """An association for everything and a workitem."""
    association = node.associate(PUSH, PULL, WATCH, QUERY)
    status, _ = association.send_n_create(step(), PUSH, "1.2.3")
    assert status.Status == 0
    return association, "1.2.3"


def change(association: Any, uid: str, state: str, lock: str = KEY) -> int:
    info = Dataset()
    info.ProcedureStepState, info.TransactionUID = state, lock
    status, _ = association.send_n_action(info, 1, PUSH, uid, meta_uid=PULL)
    return int(status.Status)


def subscribe(
    association: Any, uid: str, *, action: int = 3, title: str = "WATCHER", lock: str = "FALSE",
    **keys: Any,
) -> int:  # fmt: skip
    info = Dataset()
    info.ReceivingAE = title
    if action == 3:
        info.DeletionLock = lock
    for keyword, value in keys.items():
        setattr(info, keyword, value)
    status, _ = association.send_n_action(info, action, PUSH, uid, meta_uid=WATCH)
    return int(status.Status)


def test_life_of_a_workitem(node: Node, pushed: tuple[Any, str]) -> None:
    """Pushed, found, claimed, set, completed, got; audited."""
    association, uid = pushed
    keys = Dataset()
    keys.SpecificCharacterSet = "ISO_IR 100"
    keys.PatientName, keys.SOPInstanceUID, keys.ProcedureStepState = "dupont*", "", "SCHEDULED"
    for context in (PULL, WATCH, QUERY):
        matches = [
            match for status, match in association.send_c_find(keys, context)
            if status.Status == 0xFF00
        ]  # fmt: skip
        assert [(m.SOPInstanceUID, str(m.PatientName)) for m in matches] == [(uid, "DUPONT^Éloïse")]
    assert change(association, uid, "IN PROGRESS") == 0
    status, _ = association.send_n_set(performed(), PUSH, uid, meta_uid=PULL)
    assert status.Status == 0
    assert change(association, uid, "COMPLETED") == 0
    assert change(association, uid, "COMPLETED") == 0xB306
    for context in (PUSH, PULL, WATCH):
        status, got = association.send_n_get([], PUSH, uid, meta_uid=context)
        assert (status.Status, got.ProcedureStepState) == (0, "COMPLETED")
        assert "TransactionUID" not in got
    status, got = association.send_n_get([0x00741000, 0x00081195], PUSH, uid, meta_uid=PULL)
    assert (status.Status, got.ProcedureStepState, len(got)) == (1, "COMPLETED", 2)
    noted = {event.detail.get("transaction") for event in audit.search(node.database)}
    assert noted == {"create", "search", "change state", "update", "retrieve"}


STATES = ("SCHEDULED", "IN PROGRESS", "COMPLETED", "CANCELED")
TABLE = {  # PS3.4 Table CC.1.1-2
    ("IN PROGRESS", KEY): (0, 0xC302, 0xC300, 0xC300),
    ("IN PROGRESS", "1.2.9"): (0, 0xC301, 0xC301, 0xC301),
    ("IN PROGRESS", ""): (0xC301, 0xC301, 0xC301, 0xC301),
    ("SCHEDULED", KEY): (0xC303, 0xC303, 0xC303, 0xC303),
    ("COMPLETED", KEY): (0xC310, 0, 0xB306, 0xC300),
    ("COMPLETED", "1.2.9"): (0xC310, 0xC301, 0xC301, 0xC301),
    ("CANCELED", KEY): (0xC310, 0, 0xC300, 0xB304),
    ("CANCELED", ""): (0xC301, 0xC301, 0xC301, 0xC301),
    ("FINISHED", KEY): (0x0106, 0x0106, 0x0106, 0x0106),
}


def brought_to(association: Any, state: str, uid: str) -> None:
    """A workitem in a state, ready for either end."""
    assert association.send_n_create(step(), PUSH, uid)[0].Status == 0
    if state != "SCHEDULED":
        assert change(association, uid, "IN PROGRESS") == 0
        ready, item = performed(), Dataset()
        item.ProcedureStepCancellationDateTime = "20261124081500"
        item.ProcedureStepDiscontinuationReasonCodeSequence = [code("STOP")]
        ready.ProcedureStepProgressInformationSequence = [item]
        assert association.send_n_set(ready, PUSH, uid, meta_uid=PULL)[0].Status == 0
    if state in ("COMPLETED", "CANCELED"):
        assert change(association, uid, state) == 0


def test_every_change_in_every_state(node: Node) -> None:
    """The whole state table as a peer sees it."""
    association = node.associate(PUSH, PULL)
    found = {}
    for number, asked in enumerate(TABLE):
        statuses = []
        for place, state in enumerate(STATES):
            uid = f"1.2.3.{number}.{place}"
            brought_to(association, state, uid)
            statuses.append(change(association, uid, *asked))
        found[asked] = tuple(statuses)
    assert found == TABLE
    for place, state in ((2, "COMPLETED"), (3, "CANCELED")):
        status, _ = association.send_n_set(performed(), PUSH, f"1.2.3.3.{place}", meta_uid=PULL)
        assert status.Status == 0xC300, state
    assert change(association, "1.2.99", "IN PROGRESS") == 0xC307
    association.send_n_create(step(), PUSH, "1.2.4")
    assert change(association, "1.2.4", "IN PROGRESS") == 0
    assert [change(association, "1.2.4", end) for end in STATES[2:]] == [0xC304, 0xC304]


def test_bad_requests(node: Node, pushed: tuple[Any, str]) -> None:
    """Each with its status; the association goes on."""
    association, uid = pushed

    def create(data_set: Dataset, new: str = "1.2.4") -> int:
        return int(association.send_n_create(data_set, PUSH, new)[0].Status)

    assert create(step(), uid) == 0x0111
    assert create(step(ProcedureStepState="IN PROGRESS")) == 0xC309
    assert create(step(ScheduledProcedureStepPriority="")) == 0x0121
    assert create(step(InputReadinessState="MAYBE")) == 0x0106
    assert create(step(TransactionUID="1.2.9")) == 0x0106
    assert create(step(CommentsOnTheScheduledProcedureStep="x" * (2 << 20))) == 0x0213
    missing = step()
    del missing.ProcedureStepLabel
    assert create(missing) == 0x0120
    del missing.AdmissionID
    missing.ProcedureStepLabel = "Lire"
    status, _ = association.send_n_create(missing, PUSH, "")
    assert status.Status == 0xB300
    assert subscribe(association, "1.2.99") == 0xC307
    assert subscribe(association, uid, title="NOBODY") == 0xC308
    assert subscribe(association, uid, title="STORER") == 0x0124
    assert subscribe(association, uid, action=5) == 0xC314
    assert subscribe(association, uid, lock="YES") == 0x0106
    info = Dataset()
    info.ReceivingAE, info.DeletionLock = "WATCHER", "TRUE"
    for action, context in ((3, PULL), (9, WATCH), (1, PUSH)):
        status, _ = association.send_n_action(info, action, PUSH, uid, meta_uid=context)
        assert status.Status == 0x0123
    status, _ = association.send_n_set(performed(), PUSH, uid, meta_uid=PUSH)
    assert status.Status == 0x0211
    status, _ = association.send_n_get([], PULL, uid, meta_uid=PULL)
    assert status.Status == 0x0118
    keys = Dataset()
    keys.ScheduledProcedureStepStartDateTime = "soon"
    assert [s.Status for s, _ in association.send_c_find(keys, PULL)] == [0xC010]
    assert association.is_established


def test_only_who_has_the_right(node: Node) -> None:
    """Another AE gets no context, an unknown one no association."""
    refused = node.associate(PUSH, PULL, WATCH, QUERY, title="STORER")
    assert refused.accepted_contexts == []
    assert not node.associate(PULL, title="NOBODY").is_established


def test_performers_that_claim_at_once(node: Node, pushed: tuple[Any, str]) -> None:
    """Four associations, one wins."""
    _, uid = pushed
    found: list[int] = []
    associations = [node.associate(PULL) for _ in range(4)]
    threads = [
        threading.Thread(
            target=lambda one=one, n=n: found.append(change(one, uid, "IN PROGRESS", f"1.2.{n}"))
        )
        for n, one in enumerate(associations)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 0xC301, 0xC301, 0xC301]


def test_c_find_is_bounded_and_can_be_cancelled(node: Node, pushed: tuple[Any, str]) -> None:
    """More than is answered is a failure; C-CANCEL ends it early."""
    association, _ = pushed
    for number in range(60):
        association.send_n_create(step(), PUSH, f"1.2.5.{number}")
    keys = Dataset()
    keys.SOPInstanceUID = ""
    statuses = [int(s.Status) for s, _ in association.send_c_find(keys, PULL)]
    assert (statuses.count(0xFF00), statuses[-1]) == (50, 0xA700)
    explicit = "1.2.840.10008.1.2.1"
    with connect(
        "127.0.0.1", node.port, calling_ae_title="PERFORMER", called_ae_title="NEGATOSCOPE",
        contexts=[ProposedContext(abstract_syntax=QUERY, transfer_syntaxes=(explicit,))],
    ) as own:  # fmt: skip
        (context,) = own.find_context(QUERY)
        answers = scu.find(own, context, encode({"00080018": {"vr": "UI"}}, explicit))
        assert next(answers).is_pending
        answers.close()  # sends C-CANCEL-FIND-RQ and waits for the final answer


@dataclass
class Watcher:
    """A pynetdicom application that takes event reports."""

    port: int
    taken: list[tuple[str, int, Dataset]] = field(default_factory=list)
    status: int = 0
    server: Any = None

    def start(self) -> None:
        entity = AE("WATCHER")
        entity.add_supported_context(EVENT, scu_role=False, scp_role=True)
        self.server = entity.start_server(
            ("127.0.0.1", self.port), block=False,
            evt_handlers=[(evt.EVT_N_EVENT_REPORT, self.take)],
        )  # fmt: skip

    def take(self, event: Any) -> tuple[int, None]:
        request = event.request
        assert request.AffectedSOPClassUID == PUSH
        if self.status == 0:
            self.taken.append(
                (str(request.AffectedSOPInstanceUID), event.event_type, event.event_information)
            )
        return self.status, None


@pytest.fixture
def watcher(node: Node, free_ports: Callable[[], int]) -> Iterator[Watcher]:
    one = Watcher(free_ports())
    ae.add(
        node.database, ae_title="WATCHER", host="127.0.0.1", port=one.port, roles=["ups"],
        replace=True,
    )  # fmt: skip
    yield one
    if one.server is not None:
        one.server.shutdown()


def test_events_reach_a_subscriber(node: Node, pushed: tuple[Any, str], watcher: Watcher) -> None:
    """Initial state, changes, progress, cancel request, our restart: in their order."""
    association, uid = pushed
    watcher.start()
    assert subscribe(association, uid) == 0
    change(association, uid, "IN PROGRESS")
    progress, item = Dataset(), Dataset()
    item.ProcedureStepProgress, item.ProcedureStepProgressDescription = "50", "à moitié"
    progress.TransactionUID, progress.SpecificCharacterSet = KEY, "ISO_IR 192"
    progress.ProcedureStepProgressInformationSequence = [item]
    association.send_n_set(progress, PUSH, uid, meta_uid=PULL)
    request = Dataset()
    request.ReasonForCancellation = "wrong patient"
    status, _ = association.send_n_action(request, 2, PUSH, uid, meta_uid=PUSH)
    assert status.Status == 0
    Worklist(node.database).report_status("RESTARTED")
    node.events()
    assert [(one, kind) for one, kind, _ in watcher.taken] == [
        (uid, 1), (uid, 1), (uid, 3), (uid, 2), (ALL, 4),
    ]  # fmt: skip
    states = [info.get("ProcedureStepState") for _, _, info in watcher.taken[:2]]
    assert states == ["SCHEDULED", "IN PROGRESS"]
    assert (
        watcher.taken[2][2]
        .ProcedureStepProgressInformationSequence[0]
        .ProcedureStepProgressDescription
        == "à moitié"
    )
    assert watcher.taken[3][2].RequestingAE == "PERFORMER"
    assert watcher.taken[4][2].SubscriptionListStatus == "WARM START"


def test_a_subscriber_that_is_away(
    node: Node, pushed: tuple[Any, str], watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told everything when it is back; what it refuses again and again is left out."""
    monkeypatch.setattr("negatoscope.domain.ups.delivery.BACK_OFF_S", (0.1,))
    association, uid = pushed
    assert subscribe(association, ALL, lock="TRUE") == 0
    node.events()
    change(association, uid, "IN PROGRESS")
    assert waiting(node.database) == 2
    watcher.status = 0x0110
    watcher.start()
    time.sleep(0.15)
    node.events()
    assert waiting(node.database) == 2
    time.sleep(0.15)
    node.events()
    watcher.status = 0
    time.sleep(0.15)
    node.events()
    assert [info.ProcedureStepState for _, _, info in watcher.taken] == [
        "SCHEDULED", "IN PROGRESS",
    ]  # fmt: skip
    assert waiting(node.database) == 0


def waiting(database: Database) -> int:
    with database.connection() as connection:
        row = connection.execute("SELECT count(*) FROM ups_event").fetchone()
    assert row is not None
    return int(row[0])


def test_filtered_global_subscription(
    node: Node, pushed: tuple[Any, str], watcher: Watcher
) -> None:
    """Only what matches, now and later."""
    association, _ = pushed
    watcher.start()
    assert subscribe(association, FILTERED, ScheduledProcedureStepPriority="HIGH") == 0
    association.send_n_create(step(), PUSH, "1.2.4")
    association.send_n_create(step(ScheduledProcedureStepPriority="HIGH"), PUSH, "1.2.5")
    node.events()
    assert [(uid, kind) for uid, kind, _ in watcher.taken] == [("1.2.5", 1), ("1.2.5", 5)]
    assert subscribe(association, FILTERED, action=4) == 0


def test_our_own_scu(node: Node) -> None:
    """N-CREATE, N-GET, N-SET and N-DELETE by the functions of the project's own toolkit."""
    explicit = "1.2.840.10008.1.2.1"
    with connect(
        "127.0.0.1", node.port, calling_ae_title="PERFORMER", called_ae_title="NEGATOSCOPE",
        contexts=[
            ProposedContext(abstract_syntax=uid, transfer_syntaxes=(explicit,))
            for uid in (PUSH, PULL)
        ],
    ) as association:  # fmt: skip
        push, pull = (association.find_context(uid)[0] for uid in (PUSH, PULL))
        raw = encode(
            {
                "00741000": {"vr": "CS", "Value": ["SCHEDULED"]},
                "00741200": {"vr": "CS", "Value": ["LOW"]},
                "00741204": {"vr": "LO", "Value": ["Lire"]},
                "00404005": {"vr": "DT", "Value": ["2026"]},
                "00404041": {"vr": "CS", "Value": ["READY"]},
            },
            explicit,
        )
        made = scu.n_create(association, push, sop_class_uid=PUSH, data_set=raw)
        uid = made.command.affected_sop_instance_uid
        assert (made.status, uid[:5]) == (0xB300, "2.25.")
        about = {"sop_class_uid": PUSH, "sop_instance_uid": uid}
        label = encode({"00741204": {"vr": "LO", "Value": ["Relire"]}}, explicit)
        assert scu.n_set(association, pull, **about, data_set=label).status == 0
        got = scu.n_get(association, push, **about, attributes=[0x00741204])
        assert got.data_set is not None
        assert decode(got.data_set, explicit)["00741204"]["Value"] == ["Relire"]
        assert scu.n_set(association, push, **about, data_set=label, timeout_s=5).status == 0x0211
        assert scu.n_delete(association, push, **about).status == 0x0211
