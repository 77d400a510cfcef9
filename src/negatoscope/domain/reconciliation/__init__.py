"""Reconciliation: files of one person found and joined, studies put under the right patient and order."""

from negatoscope.domain.reconciliation.desk import Desk
from negatoscope.domain.reconciliation.duplicates import on_patient_changed
from negatoscope.domain.reconciliation.errors import (
    ActionRefused,
    CannotUndo,
    ChangedSince,
    ReconciliationError,
    UnknownAction,
)
from negatoscope.domain.reconciliation.issuers import look_again
from negatoscope.domain.reconciliation.model import Action, ActionKind, Done, Preview
from negatoscope.domain.reconciliation.work import WorkLists

__all__ = [
    "Action",
    "ActionKind",
    "ActionRefused",
    "CannotUndo",
    "ChangedSince",
    "Desk",
    "Done",
    "Preview",
    "ReconciliationError",
    "UnknownAction",
    "WorkLists",
    "look_again",
    "on_patient_changed",
]
