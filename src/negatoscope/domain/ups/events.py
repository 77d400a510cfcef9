"""What subscribers are told, and when (PS3.4 §CC.2.4)."""

from collections.abc import Collection
from typing import Final

from negatoscope.domain.ups import attributes as a
from negatoscope.domain.ups.data_sets import item_of, values_of
from negatoscope.domain.ups.model import DicomJson, EventType

Report = tuple[EventType, DicomJson]

_ASSIGNMENT: Final = frozenset({a.STATION_NAMES, a.HUMAN_PERFORMERS})


def state_report(data_set: DicomJson) -> Report:
    """Event 1: the state as it is; why, where it was canceled."""
    information: DicomJson = {
        tag: data_set[tag] for tag in (a.STATE, a.INPUT_READINESS) if tag in data_set
    }
    progress = item_of(data_set, a.PROGRESS)
    for tag in (a.REASON, a.REASON_CODES):
        if values_of(progress, tag):
            information[tag] = progress[tag]
    return EventType.STATE_REPORT, information


def cancel_requested(requesting_ae: str, request: DicomJson) -> Report:
    """Event 2: who asks, and why."""
    information: DicomJson = {a.REQUESTING_AE: {"vr": "AE", "Value": [requesting_ae]}}
    for tag in (a.REASON, a.REASON_CODES, a.CONTACT_URI, a.CONTACT_NAME):
        if values_of(request, tag):
            information[tag] = request[tag]
    return EventType.CANCEL_REQUESTED, information


def progress_report(data_set: DicomJson) -> Report:
    """Event 3: the progress information as it is."""
    return EventType.PROGRESS_REPORT, {a.PROGRESS: data_set[a.PROGRESS]}


def status_change(status: str) -> Report:
    """Event 4: we start or stop; both lists are kept in the database."""
    information: DicomJson = {a.SCP_STATUS: {"vr": "CS", "Value": [status]}}
    for tag in (a.SUBSCRIPTION_LIST_STATUS, a.UPS_LIST_STATUS):
        information[tag] = {"vr": "CS", "Value": ["WARM START"]}
    return EventType.SCP_STATUS_CHANGE, information


def assigned(data_set: DicomJson) -> Report:
    """Event 5: to which station or person."""
    information: DicomJson = {}
    if values_of(data_set, a.STATION_NAMES):
        information[a.STATION_NAMES] = data_set[a.STATION_NAMES]
    performer = item_of(data_set, a.HUMAN_PERFORMERS)
    for tag in (a.PERFORMER_CODES, a.PERFORMER_ORGANIZATION):
        if values_of(performer, tag):
            information[tag] = performer[tag]
    return EventType.ASSIGNED, information


def on_creation(data_set: DicomJson) -> list[Report]:
    """Events of a new workitem."""
    reports = [state_report(data_set)]
    if any(values_of(data_set, tag) for tag in _ASSIGNMENT):
        reports.append(assigned(data_set))
    return reports


def on_update(before: DicomJson, after: DicomJson, changed: Collection[str]) -> list[Report]:
    """Events of an update."""
    reports: list[Report] = []
    if a.INPUT_READINESS in changed:
        reports.append(state_report(after))
    if not _ASSIGNMENT.isdisjoint(changed):
        reports.append(assigned(after))
    if a.PROGRESS in changed:
        old, new = item_of(before, a.PROGRESS), item_of(after, a.PROGRESS)
        watched = ("00741004", "00741006", a.COMMUNICATIONS)
        if any(old.get(tag) != new.get(tag) for tag in watched):
            reports.append(progress_report(after))
    return reports
