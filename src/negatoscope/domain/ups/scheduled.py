"""Scheduled procedure steps as unified procedure steps: the modality worklist for clients of UPS-RS.

A step that worklists show is a workitem, SCHEDULED. When the step begins it is claimed by us, when it
ends it is completed or canceled; when it is taken off the worklist it is canceled, and a step that is
booked again is another workitem. A workitem that somebody else claimed is theirs: it is left alone,
and what they do with it does not move the step (that is what MPPS is for).

Standard: PS3.4 Table CC.2.5-3; the correspondence of attributes is that of IHE RAD (Table below).
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from negatoscope.domain.orders import StepState
from negatoscope.domain.scheduling.worklist import ModalityWorklist, Standing
from negatoscope.domain.ups import attributes as a
from negatoscope.domain.ups.data_sets import item_of, text_of
from negatoscope.domain.ups.errors import UpsError
from negatoscope.domain.ups.model import DicomJson, Workitem
from negatoscope.domain.ups.service import Worklist
from negatoscope.domain.ups.states import Outcome, ProcedureStepState
from negatoscope.kit.uid import new_uid

_NAMESPACE: Final = uuid.UUID("5b7a3c8e-3f0e-4a57-9b5e-0d5f3b0c7f11")
_MAX_TIMES: Final = 50
"""How often one step can be booked again as a new workitem."""
_PRIORITIES: Final = {"STAT": "HIGH", "HIGH": "HIGH", "LOW": "LOW"}
_STEP: Final = "00400100"
#: Attributes that are the same in both.
_PATIENT: Final = (
    *("00100010", "00100020", "00100021", "00100024", "00100030", "00100040", "00101002"),
    *("00101005", "00101030", "00101020", "00102000", "00102110", "001021C0", "00380010"),
    *("00380014", "00380300", "00380500"),
)
#: Worklist attribute to attribute of Referenced Request Sequence (0040,A370).
_REQUEST: Final = {
    "0020000D": "0020000D",
    "00080050": "00080050",
    "00080051": "00080051",
    "00321060": "00321060",
    "00321064": "00321064",
    "00321032": "00321032",
    "00321033": "00321033",
    "00401001": "00401001",
    "00401002": "00401002",
    "00402016": "00402016",
    "00402017": "00402017",
    "00400026": "00400026",
    "00400027": "00400027",
}
_NOT_SET: Final = frozenset({*_PATIENT, "0040A370", "0020000D", a.STATE, a.TRANSACTION_UID})
"""What an N-SET may not change, or does not have to."""


class ScheduledWorkitems:
    """Keeps workitems in step with scheduled procedure steps.

    Args:
        worklist: What is scheduled.
        workitems: Where workitems are.
    """

    def __init__(self, worklist: ModalityWorklist, workitems: Worklist) -> None:
        self._worklist = worklist
        self._workitems = workitems

    def bring_up_to_date(self, step: int) -> None:
        """Let the workitem of a step say what the step says. Saying it again changes nothing."""
        standing = self._worklist.standing(step)
        if standing is None:
            return
        uid, item = self._latest(step)
        if standing.state == StepState.STARTED or not standing.is_listed:
            if item is not None:
                self._follow(step, standing, item)
            return
        whole = self._worklist.item(step)
        if whole is None:
            return
        wanted = workitem_of(whole)
        if item is None or item.state.is_final:
            self._workitems.create(wanted, uid=uid if item is None else self._next(step))
        elif item.state is ProcedureStepState.SCHEDULED:
            changed = {
                tag: element
                for tag, element in wanted.items()
                if tag not in _NOT_SET
                and element != item.attributes.get(tag, {"vr": element["vr"]})
            }
            if changed:
                self._workitems.update(item.sop_instance_uid, changed)

    def _follow(self, step: int, standing: Standing, item: Workitem) -> None:
        """A step that began, ended or left the worklist."""
        uid, state = item.sop_instance_uid, item.state
        if state.is_final:
            return
        if standing.state not in _BEGUN:
            if state is ProcedureStepState.SCHEDULED:
                self._workitems.request_cancel(uid, {}, requesting_ae="")
            return
        lock = item.transaction_uid
        if state is ProcedureStepState.SCHEDULED:
            lock = new_uid()
            self._workitems.change_state(uid, ProcedureStepState.IN_PROGRESS, lock)
            self._workitems.update(uid, _claimed(lock), transaction_uid=lock)
        elif not _is_ours(item):
            return
        if standing.state == StepState.STARTED or lock is None:
            return
        whole = self._worklist.item(step) or {}
        if standing.state == StepState.COMPLETED:
            self._workitems.update(uid, _performed(whole, standing), transaction_uid=lock)
            self._workitems.change_state(uid, ProcedureStepState.COMPLETED, lock)
        else:
            self._workitems.update(uid, _discontinued(standing), transaction_uid=lock)
            self._workitems.change_state(uid, ProcedureStepState.CANCELED, lock)

    def _latest(self, step: int) -> tuple[str, Workitem | None]:
        """The newest workitem of a step; the UID of the first when there is none."""
        found: Workitem | None = None
        for number in range(_MAX_TIMES):
            try:
                found = self._workitems.retrieve(workitem_uid(step, number))
            except UpsError as error:
                if error.status != Outcome.UNKNOWN:
                    raise
                break
        return workitem_uid(step, 0), found

    def _next(self, step: int) -> str:
        for number in range(_MAX_TIMES):
            uid = workitem_uid(step, number)
            try:
                self._workitems.retrieve(uid)
            except UpsError as error:
                if error.status != Outcome.UNKNOWN:
                    raise
                return uid
        return new_uid()


_BEGUN: Final = frozenset({StepState.STARTED, StepState.COMPLETED, StepState.DISCONTINUED})
_OURS: Final = "NEGATOSCOPE"


def workitem_uid(step: int, number: int) -> str:
    """SOP Instance UID of a step's workitem: the same whoever asks (PS3.5 §B.2)."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, f'{step}/{number}').int}"


def workitem_of(item: Mapping[str, Any]) -> DicomJson:
    """The data set of N-CREATE for a worklist item, DICOM JSON."""
    step = item_of(item, _STEP)
    start = text_of(step, "00400002") + text_of(step, "00400003")
    end = text_of(step, "00400004") + text_of(step, "00400005")
    modality, station = text_of(step, "00080060"), text_of(step, "00400001")
    request = {new: item[old] for old, new in _REQUEST.items() if old in item}
    request["00081110"] = {"vr": "SQ"}
    codes = step.get("00400008", {}).get("Value") or item.get("00321064", {}).get("Value") or []
    label = text_of(step, "00400007") or text_of(item, "00321060") or "Examination"
    priority = _PRIORITIES.get(text_of(item, "00401003"), "MEDIUM")
    found: DicomJson = {tag: item[tag] for tag in _PATIENT if tag in item}
    found |= {
        "0020000D": item["0020000D"],
        "0040A370": {"vr": "SQ", "Value": [request]},
        "00741200": {"vr": "CS", "Value": [priority]},
        "00741204": {"vr": "LO", "Value": [label]},
        "00741202": {"vr": "LO", "Value": [modality or "UNASSIGNED"]},
        "00741210": {"vr": "SQ"},
        "00741000": {"vr": "CS", "Value": ["SCHEDULED"]},
        "00741002": {"vr": "SQ"},
        "00741216": {"vr": "SQ"},
        "00081195": {"vr": "UI"},
        "00404005": {"vr": "DT", "Value": [start]},
        "00404041": {"vr": "CS", "Value": ["READY"]},
        "00404021": {"vr": "SQ"},
        "00404018": _codes(codes[:1]),
        "00404025": _code(station, "99AETITLE", text_of(step, "00400010") or station),
        "00404026": _code(modality, "DCM", modality),
        "00404027": _code(text_of(step, "00400011"), "99ROOM", text_of(step, "00400011")),
        "00400400": step.get("00400400", {"vr": "LT"}),
        "00081080": {"vr": "LO"},
        "00081084": {"vr": "SQ"},
    }
    if end:
        found["00404011"] = {"vr": "DT", "Value": [end]}
    return dict(sorted(found.items()))


def _code(value: str, scheme: str, meaning: str) -> dict[str, Any]:
    if not value:
        return {"vr": "SQ"}
    item = {
        "00080100": {"vr": "SH", "Value": [value]},
        "00080102": {"vr": "SH", "Value": [scheme]},
        "00080104": {"vr": "LO", "Value": [meaning]},
    }
    return {"vr": "SQ", "Value": [item]}


def _codes(items: list[Any]) -> dict[str, Any]:
    return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}


def _claimed(lock: str) -> DicomJson:
    """Who performs it: the device, of which this system heard."""
    progress = {"00741006": {"vr": "ST", "Value": [_OURS]}}
    return {
        a.TRANSACTION_UID: {"vr": "UI", "Value": [lock]},
        a.PROGRESS: {"vr": "SQ", "Value": [progress]},
    }


def _is_ours(item: Workitem) -> bool:
    return text_of(item_of(item.attributes, a.PROGRESS), "00741006") == _OURS


def _performed(item: Mapping[str, Any], standing: Standing) -> DicomJson:
    """What completion requires (final state P of Table CC.2.5-3)."""
    step = item_of(item, _STEP)
    station = text_of(step, "00400001") or "UNKNOWN"
    codes = step.get("00400008", {}).get("Value") or item.get("00321064", {}).get("Value") or []
    unknown = _code("UNKNOWN", "99LOCAL", "Unknown")
    performed: DicomJson = {
        "00404028": _code(station, "99AETITLE", text_of(step, "00400010") or station),
        "00404050": {"vr": "DT", "Value": [_moment(standing.started_at)]},
        "00404051": {"vr": "DT", "Value": [_moment(standing.ended_at)]},
        "00404019": _codes(codes[:1]) if codes else unknown,
        "00404033": {"vr": "SQ"},
    }
    return {a.PERFORMED: {"vr": "SQ", "Value": [performed]}}


def _discontinued(standing: Standing) -> DicomJson:
    reason = _code("110513", "DCM", "Discontinued for unspecified reason")
    progress = {
        "00741006": {"vr": "ST", "Value": [_OURS]},
        a.CANCELED_AT: {"vr": "DT", "Value": [_moment(standing.ended_at)]},
        a.REASON_CODES: reason,
    }
    return {a.PROGRESS: {"vr": "SQ", "Value": [progress]}}


def _moment(at: datetime | None) -> str:
    return f"{(at or datetime.now(UTC)).astimezone(UTC):%Y%m%d%H%M%S}+0000"
