"""A workitem, who is told of it, and what is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final

from negatoscope.domain.ups.states import ProcedureStepState
from negatoscope.standard.uids import (
    UPS_FILTERED_GLOBAL_SUBSCRIPTION_INSTANCE,
    UPS_GLOBAL_SUBSCRIPTION_INSTANCE,
)

DicomJson = dict[str, dict[str, Any]]

GLOBAL: Final = UPS_GLOBAL_SUBSCRIPTION_INSTANCE
FILTERED: Final = UPS_FILTERED_GLOBAL_SUBSCRIPTION_INSTANCE


class EventType(IntEnum):
    """Event Type ID (PS3.4 Table CC.2.4-1)."""

    STATE_REPORT = 1
    CANCEL_REQUESTED = 2
    PROGRESS_REPORT = 3
    SCP_STATUS_CHANGE = 4
    ASSIGNED = 5


class Transport(StrEnum):
    """How a subscriber is told: by N-EVENT-REPORT, or on a channel it opened."""

    DIMSE = "DIMSE"
    HTTP = "HTTP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workitem:
    """A unified procedure step.

    Attributes:
        attributes: Its data set, without the Transaction UID.
        transaction_uid: The lock of whoever performs it.
    """

    id: int
    sop_instance_uid: str
    state: ProcedureStepState
    transaction_uid: str | None
    attributes: DicomJson


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsEvent:
    """Something a subscriber is told.

    Attributes:
        information: Event information, DICOM JSON.
    """

    id: int
    sop_instance_uid: str
    event_type_id: int
    information: Mapping[str, Any]
