"""May this actor do that? One function, called by every door.

The tables are the policy; ``may`` reads them, and asks the actor's data scope about the study.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from negatoscope.domain.identity.model import Actor, AERole, Role
from negatoscope.domain.identity.scope import StudyFacts


class Action(StrEnum):
    """What can be asked for."""

    VERIFY = "verify"
    """C-ECHO: is anybody there?"""
    STORE = "store"
    QUERY = "query"
    """C-FIND, QIDO-RS: what is there, patients' identities included."""
    RETRIEVE = "retrieve"
    """C-GET, C-MOVE, WADO-RS: objects, metadata, frames."""
    COMMIT = "commit"
    """Storage Commitment."""
    WORKLIST = "worklist"
    MPPS = "mpps"
    PRINT = "print"
    UPS = "ups"
    ADMINISTER = "administer"
    """Accounts, devices, settings, tasks."""
    READ_AUDIT = "read audit"
    METRICS = "metrics"
    """Figures of operation: counts and times, no patient."""
    BREAK_GLASS = "break glass"
    """Open a patient's file outside one's data scope, with a reason that is reviewed."""
    SHARE = "share"
    """Make a link by which somebody without an account sees one study."""
    READ_WORK = "read the department's work"
    """Patients' files of the admission office, orders, appointments, the board."""
    ORDER = "order"
    """Make, change, cancel an order; answer its safety questions."""
    VET = "vet"
    """Accept, refuse or replace what is asked for; let it go on in spite of an answer."""
    SCHEDULE = "schedule"
    """Book, move, cancel appointments; close rooms for a while."""
    PERFORM = "perform"
    """Receive a patient, check who it is, start and end an examination."""
    CATALOGUE = "catalogue"
    """Change procedures, rooms, devices, people, opening hours."""
    RECONCILE = "reconcile"
    """Join and part patients' files, move studies between them, bind studies to orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer of ``may``.

    Attributes:
        allowed: Whether it may be done.
        reason: Why, or why not; for the audit trail and for logs.
    """

    allowed: bool
    reason: str

    def __bool__(self) -> bool:
        """Whether it is allowed."""
        return self.allowed


OUTSIDE_SCOPE: Final = "outside its data scope"
FOR_EVERYBODY: Final = frozenset({Action.VERIFY})

USER_ACTIONS: Final[Mapping[str, frozenset[Action]]] = {
    Role.ADMINISTRATOR: frozenset(Action),
    Role.RADIOLOGIST: frozenset(
        {Action.STORE, Action.QUERY, Action.RETRIEVE, Action.COMMIT, Action.WORKLIST}
        | {Action.PRINT, Action.UPS, Action.BREAK_GLASS, Action.SHARE}
        | {Action.READ_WORK, Action.ORDER, Action.VET, Action.SCHEDULE, Action.PERFORM}
    ),
    Role.TECHNOLOGIST: frozenset(
        {Action.STORE, Action.QUERY, Action.RETRIEVE, Action.COMMIT, Action.WORKLIST}
        | {Action.MPPS, Action.PRINT, Action.UPS, Action.BREAK_GLASS}
        | {Action.READ_WORK, Action.ORDER, Action.SCHEDULE, Action.PERFORM}
    ),
    Role.SECRETARY: frozenset(
        {Action.QUERY, Action.WORKLIST, Action.UPS, Action.SHARE}
        | {Action.READ_WORK, Action.ORDER, Action.SCHEDULE, Action.PERFORM, Action.RECONCILE}
    ),
    Role.IDENTITY_MANAGER: frozenset({Action.QUERY, Action.READ_WORK, Action.RECONCILE}),
    Role.CLINICIAN: frozenset({Action.QUERY, Action.RETRIEVE, Action.BREAK_GLASS, Action.SHARE}),
    Role.PHYSICIST: frozenset({Action.QUERY, Action.RETRIEVE, Action.METRICS}),
    Role.PARTNER: frozenset({Action.STORE, Action.QUERY, Action.RETRIEVE}),
    Role.PATIENT: frozenset({Action.QUERY, Action.RETRIEVE}),
}

UNLIMITED_ONLY: Final = frozenset(
    {Action.WORKLIST, Action.UPS, Action.MPPS, Action.READ_WORK, Action.ORDER, Action.VET}
    | {Action.SCHEDULE, Action.PERFORM, Action.RECONCILE}
)
"""Workitems, worklists and the department's work name patients of every study: nothing for a limited data scope."""
LINK_ACTIONS: Final = frozenset({Action.QUERY, Action.RETRIEVE})
"""Of whoever holds a link to one study."""

AE_ACTIONS: Final[Mapping[str, frozenset[Action]]] = {
    AERole.STORE: frozenset({Action.STORE}),
    AERole.QUERY: frozenset({Action.QUERY}),
    AERole.RETRIEVE: frozenset({Action.RETRIEVE}),
    AERole.WORKLIST: frozenset({Action.WORKLIST}),
    AERole.MPPS: frozenset({Action.MPPS}),
    AERole.COMMITMENT: frozenset({Action.COMMIT}),
    AERole.PRINT: frozenset({Action.PRINT}),
    AERole.UPS: frozenset({Action.UPS}),
}


def may(actor: Actor, action: Action, *, resource: StudyFacts | None = None) -> Decision:
    """Whether an actor may do something.

    Args:
        actor: Who asks.
        action: What is asked.
        resource: To which study; None: to none in particular, that is whether at all.
    """
    decision = _function(actor, action)
    if decision and resource is not None and not actor.data_scope.covers(resource):
        return Decision(allowed=False, reason=OUTSIDE_SCOPE)
    return decision


def _function(actor: Actor, action: Action) -> Decision:
    if action in FOR_EVERYBODY:
        return Decision(allowed=True, reason="open to everybody")
    if actor.kind == "system":
        return Decision(allowed=True, reason="the program itself")
    if actor.kind == "anonymous":
        return Decision(allowed=False, reason="not known here")
    if actor.actions is not None and action not in actor.actions:
        return Decision(allowed=False, reason="not among the actions of its token")
    if action in UNLIMITED_ONLY and not actor.data_scope.is_everything:
        return Decision(allowed=False, reason="its data scope is limited")
    if actor.kind == "link":
        return Decision(allowed=action in LINK_ACTIONS, reason="a link to one study")
    table: Mapping[str, frozenset[Action]] = USER_ACTIONS if actor.kind == "user" else AE_ACTIONS
    for role in sorted(actor.roles):
        if action in table.get(role, frozenset()):
            return Decision(allowed=True, reason=f"role {role}")
    roles = ", ".join(sorted(actor.roles)) or "none"
    return Decision(allowed=False, reason=f"not among the rights of its roles ({roles})")


def functions(actor: Actor) -> frozenset[Action]:
    """Everything it may do, to some study at least."""
    return frozenset(action for action in Action if may(actor, action))
