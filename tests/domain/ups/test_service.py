"""The worklist's rules, whatever the wire (PS3.4 Annex CC)."""

import threading
from typing import Any

import pytest

from negatoscope.domain.ups import Delivery, Subscriptions, Transport, UpsError, Worklist
from negatoscope.domain.ups.model import FILTERED, GLOBAL
from negatoscope.kit.uid import new_uid

KEY, OTHER = "1.2.3.4", "1.2.3.5"


def in_state(worklist: Worklist, step: dict[str, Any], more: dict[str, Any], state: str) -> str:
    """A workitem brought to a state, locked with KEY."""
    uid = worklist.create(step).sop_instance_uid
    if state != "SCHEDULED":
        worklist.change_state(uid, "IN PROGRESS", KEY)
    if state in ("COMPLETED", "CANCELED"):
        worklist.update(uid, more, transaction_uid=KEY)
        worklist.change_state(uid, state, KEY)
    assert worklist.retrieve(uid).state == state
    return uid


def status_of(action: Any, *args: Any, **more: Any) -> int:
    """The status an action ends with."""
    try:
        return int(action(*args, **more).status)
    except UpsError as error:
        return error.status


EXPECTED = {  # PS3.4 Table CC.1.1-2: SCHEDULED, IN PROGRESS, COMPLETED, CANCELED
    ("IN PROGRESS", KEY): (0, 0xC302, 0xC300, 0xC300),
    ("IN PROGRESS", OTHER): (0, 0xC301, 0xC301, 0xC301),  # any UID locks a SCHEDULED one
    ("IN PROGRESS", ""): (0xC301, 0xC301, 0xC301, 0xC301),
    ("SCHEDULED", KEY): (0xC303, 0xC303, 0xC303, 0xC303),
    ("COMPLETED", KEY): (0xC310, 0, 0xB306, 0xC300),
    ("COMPLETED", OTHER): (0xC310, 0xC301, 0xC301, 0xC301),
    ("COMPLETED", ""): (0xC301, 0xC301, 0xC301, 0xC301),
    ("CANCELED", KEY): (0xC310, 0, 0xC300, 0xB304),
    ("CANCELED", OTHER): (0xC310, 0xC301, 0xC301, 0xC301),
}


@pytest.mark.parametrize("asked", EXPECTED, ids=str)
def test_every_change_in_every_state(
    worklist: Worklist, step: Any, performed: Any, discontinued: Any, asked: tuple[str, str]
) -> None:
    """Each row of the state table, in each state."""
    more = performed | discontinued
    found = []
    for state in ("SCHEDULED", "IN PROGRESS", "COMPLETED", "CANCELED"):
        uid = in_state(worklist, step, more, state)
        if state == "IN PROGRESS":
            worklist.update(uid, more, transaction_uid=KEY)
        found.append(status_of(worklist.change_state, uid, *asked))
    assert found == list(EXPECTED[asked])
    assert status_of(worklist.change_state, new_uid(), *asked) == 0xC307


def test_update_in_every_state(
    worklist: Worklist, step: Any, performed: Any, discontinued: Any
) -> None:
    """The lock is asked for while the step is in progress, and nothing changes at the end."""
    label = {"00741204": {"vr": "LO", "Value": ["Other"]}}
    found = []
    for state in ("SCHEDULED", "IN PROGRESS", "COMPLETED", "CANCELED"):
        uid = in_state(worklist, step, performed | discontinued, state)
        found.append(
            [
                status_of(worklist.update, uid, label, transaction_uid=given)
                for given in (None, KEY, OTHER)
            ]
        )
    assert found == [[0, 0xC310, 0xC310], [0xC301, 0, 0xC301], [0xC300] * 3, [0xC300] * 3]


def test_final_state_requirements(
    worklist: Worklist, step: Any, performed: Any, discontinued: Any
) -> None:
    """Neither end is reached before what it requires has a value."""
    uid = in_state(worklist, step, {}, "IN PROGRESS")
    for state, more in (("COMPLETED", performed), ("CANCELED", discontinued)):
        assert status_of(worklist.change_state, uid, state, KEY) == 0xC304
        worklist.update(uid, {next(iter(more)): {"vr": "SQ", "Value": [{}]}}, transaction_uid=KEY)
        assert status_of(worklist.change_state, uid, state, KEY) == 0xC304
    worklist.update(uid, performed, transaction_uid=KEY)
    assert worklist.change_state(uid, "COMPLETED", KEY).status == 0


def test_of_performers_that_claim_at_once_one_wins(worklist: Worklist, step: Any) -> None:
    """Eight threads, one success, seven that are told so."""
    uid = worklist.create(step).sop_instance_uid
    barrier, found = threading.Barrier(8), []

    def claim(number: int) -> None:
        barrier.wait()
        found.append(status_of(worklist.change_state, uid, "IN PROGRESS", f"1.2.{number}"))

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0] + [0xC301] * 7


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"00741000": {"vr": "CS", "Value": ["IN PROGRESS"]}}, 0xC309),
        ({"00741000": {"vr": "CS", "Value": ["CANCELLED"]}}, 0xC309),
        ({"00741000": None}, 0x0120),
        ({"00741204": None}, 0x0120),
        ({"00741204": {"vr": "LO"}}, 0x0121),
        ({"00741200": {"vr": "CS", "Value": ["URGENT"]}}, 0x0106),
        ({"00404005": {"vr": "DT", "Value": ["soon"]}}, 0x0106),
        ({"00081195": {"vr": "UI", "Value": ["1.2.3"]}}, 0x0106),
        ({"00741002": {"vr": "SQ", "Value": [{"00741004": {"vr": "DS", "Value": ["5"]}}]}}, 0x0106),
        ({"00741216": {"vr": "SQ", "Value": [{"00404050": {"vr": "DT", "Value": ["2026"]}}]}}, 0x0106),
        ({"00100020": {"vr": "UI", "Value": ["1.2"]}}, 0x0106),
        ({"00100020": {"vr": "LO", "Value": ["a\0b"]}}, 0x0106),
        ({"00100020": {"vr": "LO", "Value": ["\ud800"]}}, 0x0106),
        ({"00081150": {"vr": "UI", "Value": ["no uid"]}}, 0x0106),
        ({"00404021": {"vr": "SQ", "BulkDataURI": "http://elsewhere/"}}, 0x0106),
        ({"00404021": {"vr": "SQ", "Value": ["text"]}}, 0x0110),
        ({"00404021": {"vr": "SQ", "Value": 7}}, 0x0110),
        ({"0040402": {"vr": "SQ"}}, 0x0110),
        ({"00041200": {"vr": "UL", "Value": [1]}, "00020010": {"vr": "UI"}}, 0x0106),
    ],
)  # fmt: skip
def test_what_no_workitem_is_created_from(
    worklist: Worklist, step: Any, change: dict[str, Any], status: int
) -> None:
    """Each with the standard's status; nothing is kept."""
    given = {tag: value for tag, value in (step | change).items() if value is not None}
    assert status_of(worklist.create, given) == status
    assert list(worklist.search({})) == []


def test_hostile_sequences_and_sizes(worklist: Worklist, step: Any) -> None:
    """Deep, wide and long data sets are refused and cost little."""
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"00404021": {"vr": "SQ", "Value": [deep]}}
    assert status_of(worklist.create, step | deep) == 0x0110
    long = {"00400400": {"vr": "LT", "Value": ["x" * (2 << 20)]}}
    assert status_of(worklist.create, step | long) == 0x0213


def test_uids(worklist: Worklist, step: Any) -> None:
    """Made here when absent, refused when taken, malformed or well known."""
    assert worklist.create(step, uid="1.2.3").sop_instance_uid == "1.2.3"
    assert status_of(worklist.create, step, uid="1.2.3") == 0x0111
    assert status_of(worklist.create, step, uid="1.02") == 0x0117
    assert status_of(worklist.create, step, uid=GLOBAL) == 0x0117
    assert worklist.retrieve(worklist.create(step).sop_instance_uid).state == "SCHEDULED"


def test_protected_attributes_are_not_set(worklist: Worklist, step: Any) -> None:
    """The same value again is no change; another patient, state or identity is refused."""
    uid = worklist.create(step).sop_instance_uid
    assert worklist.update(uid, step).status == 0
    other = {"00100020": {"vr": "LO", "Value": ["P2"]}}
    assert status_of(worklist.update, uid, other) == 0x0105
    forged = {"00741000": {"vr": "CS", "Value": ["COMPLETED"]}}
    assert status_of(worklist.update, uid, forged) == 0xC303
    assert status_of(worklist.update, uid, {"00741204": {"vr": "LO"}}) == 0x0121


def told(delivery: Delivery, ae_title: str = "WATCHER") -> list[tuple[int, str]]:
    """Event types and states waiting for a subscriber."""
    return [
        (
            event.event_type_id,
            (event.information.get("00741000") or {"Value": [""]})["Value"][0],
        )
        for event in delivery.next_events(ae_title)
    ]


def test_events_of_a_life(
    worklist: Worklist,
    subscriptions: Subscriptions,
    delivery: Delivery,
    step: Any,
    performed: Any,
) -> None:
    """State, assignment, progress, cancel request: each once, in order."""
    subscriptions.subscribe(GLOBAL, "WATCHER", deletion_lock=True, transport=Transport.DIMSE)
    uid = worklist.create(step).sop_instance_uid
    worklist.change_state(uid, "IN PROGRESS", KEY)
    progress = {"00741002": {"vr": "SQ", "Value": [{"00741004": {"vr": "DS", "Value": ["50"]}}]}}
    worklist.update(uid, progress | performed, transaction_uid=KEY)
    worklist.update(uid, progress, transaction_uid=KEY)
    worklist.request_cancel(uid, {}, requesting_ae="BOSS")
    worklist.change_state(uid, "COMPLETED", KEY)
    assert told(delivery) == [
        (1, "SCHEDULED"), (5, ""), (1, "IN PROGRESS"), (3, ""), (2, ""), (1, "COMPLETED"),
    ]  # fmt: skip
    assert delivery.next_events("WATCHER")[4].information["00741236"]["Value"] == ["BOSS"]


def test_cancelling(
    worklist: Worklist, subscriptions: Subscriptions, delivery: Delivery, step: Any
) -> None:
    """SCHEDULED is canceled by us; of one in progress somebody must be there to be told."""
    uid = worklist.create(step).sop_instance_uid
    subscriptions.subscribe(uid, "WATCHER", deletion_lock=False, transport=Transport.DIMSE)
    reason = {"00741238": {"vr": "LT", "Value": ["patient left"]}}
    assert worklist.request_cancel(uid, reason, requesting_ae="BOSS").status == 0
    assert told(delivery) == [(1, "SCHEDULED"), (2, ""), (1, "IN PROGRESS"), (1, "CANCELED")]
    item = worklist.retrieve(uid).attributes["00741002"]["Value"][0]
    assert item["00741238"]["Value"] == ["patient left"]
    assert item["00404052"]["Value"]
    assert worklist.request_cancel(uid, {}, requesting_ae="BOSS").status == 0xB304
    lonely = in_state(worklist, step, {}, "IN PROGRESS")
    assert status_of(worklist.request_cancel, lonely, {}, requesting_ae="B") == 0xC312


def test_subscriptions(
    worklist: Worklist, subscriptions: Subscriptions, delivery: Delivery, step: Any
) -> None:
    """Table CC.2.3-2: filtered, suspended, unsubscribed."""

    def subscribe(uid: str, **more: Any) -> None:
        keys = {"deletion_lock": False, "transport": Transport.DIMSE} | more
        subscriptions.subscribe(uid, "WATCHER", **keys)

    high = {"00741200": {"vr": "CS", "Value": ["HIGH"]}}
    subscribe(FILTERED, keys=high, deletion_lock=True)
    quiet = worklist.create(step).sop_instance_uid
    loud = worklist.create(step | high).sop_instance_uid
    assert {event.sop_instance_uid for event in delivery.next_events("WATCHER")} == {loud}
    assert subscriptions.has_lock(loud, "WATCHER") is True
    assert subscriptions.has_lock(quiet, "WATCHER") is None
    subscribe(GLOBAL)
    assert subscriptions.has_lock(quiet, "WATCHER") is False
    assert subscriptions.has_lock(loud, "WATCHER") is True  # a specific subscription goes before
    subscriptions.suspend(GLOBAL, "WATCHER")
    assert subscriptions.has_lock(worklist.create(step).sop_instance_uid, "WATCHER") is None
    subscriptions.unsubscribe(GLOBAL, "WATCHER")
    assert subscriptions.has_lock(loud, "WATCHER") is None
    for wrong, status in (
        (lambda: subscribe("1.2.9"), 0xC307),
        (lambda: subscriptions.suspend(loud, "WATCHER"), 0xC314),
        (lambda: subscribe(GLOBAL, keys=high), 0xC314),
        (lambda: subscribe(FILTERED, keys={"00404005": {"vr": "DT", "Value": ["x"]}}), 0x0106),
        (
            lambda: subscriptions.subscribe(
                GLOBAL, "NOBODY", deletion_lock=False, transport=Transport.DIMSE
            ),
            0xC308,
        ),
        (
            lambda: subscriptions.subscribe(
                GLOBAL, "A\\B", deletion_lock=False, transport=Transport.HTTP
            ),
            0x0106,
        ),
    ):
        with pytest.raises(UpsError) as caught:
            wrong()
        assert caught.value.status == status


def test_deletion_locks_keep_workitems(
    worklist: Worklist, subscriptions: Subscriptions, step: Any, performed: Any
) -> None:
    """What has ended goes when its time is over, unless somebody holds it."""
    subscriptions.subscribe(GLOBAL, "WATCHER", deletion_lock=True, transport=Transport.DIMSE)
    held = in_state(worklist, step, performed, "COMPLETED")
    subscriptions.unsubscribe(GLOBAL, "WATCHER")
    subscriptions.subscribe(held, "WATCHER", deletion_lock=True, transport=Transport.DIMSE)
    free = in_state(worklist, step, performed, "COMPLETED")
    scheduled = worklist.create(step).sop_instance_uid
    assert worklist.forget(age_s=3600, event_age_s=3600) == []
    assert worklist.forget(age_s=-1, event_age_s=3600) == [free]
    subscriptions.subscribe(held, "WATCHER", deletion_lock=False, transport=Transport.DIMSE)
    assert worklist.forget(age_s=-1, event_age_s=3600) == [held]
    assert worklist.retrieve(scheduled)


def test_a_storm_of_events_is_bounded(
    worklist: Worklist,
    subscriptions: Subscriptions,
    delivery: Delivery,
    step: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The oldest events of a queue give way; too many subscribers are refused."""
    monkeypatch.setattr("negatoscope.domain.ups.repository.MAX_QUEUED_EVENTS", 5)
    monkeypatch.setattr("negatoscope.domain.ups.subscriptions.MAX_SUBSCRIBERS", 1)
    subscriptions.subscribe(GLOBAL, "WATCHER", deletion_lock=False, transport=Transport.DIMSE)
    created = [worklist.create(step).sop_instance_uid for _ in range(6)]
    waiting = delivery.next_events("WATCHER")
    assert len(waiting) == 5
    assert waiting[-1].sop_instance_uid == created[-1]
    with pytest.raises(UpsError) as caught:
        subscriptions.subscribe(GLOBAL, "X", deletion_lock=False, transport=Transport.HTTP)
    assert caught.value.status == 0x0213


@pytest.mark.parametrize(
    ("keys", "count"),
    [
        ({}, 3),
        ({"00741200": {"vr": "CS", "Value": ["HIGH"]}}, 1),
        ({"00100010": {"vr": "PN", "Value": [{"Alphabetic": "dup*"}]}}, 3),
        ({"00741204": {"vr": "LO", "Value": ["Read*"]}}, 3),
        ({"00404005": {"vr": "DT", "Value": ["20261124070000-20261124090000"]}}, 2),
        ({"00404005": {"vr": "DT", "Value": ["20261201-"]}}, 1),
        ({"00741000": {"vr": "CS", "Value": ["IN PROGRESS"]}}, 0),
        ({"00404018": {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["READ"]}}]}}, 3),
        ({"00404018": {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["X"]}}]}}, 0),
    ],
)
def test_search(worklist: Worklist, step: Any, keys: Any, count: int) -> None:
    """Single value, wild card, range, sequence, universal."""
    worklist.create(step)
    worklist.create(step | {"00741200": {"vr": "CS", "Value": ["HIGH"]}})
    worklist.create(step | {"00404005": {"vr": "DT", "Value": ["20261224080000"]}})
    assert len(list(worklist.search(keys))) == count
