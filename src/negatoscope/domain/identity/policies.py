"""May this actor do that? One function, called by every door.

The tables are the policy; ``may`` reads them. A profile whose access must be limited to some
studies (a partner's, a patient's own) gets no reading right before such limits exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from negatoscope.domain.identity.model import Actor, AERole, Role


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


FOR_EVERYBODY: Final = frozenset({Action.VERIFY})

USER_ACTIONS: Final[Mapping[str, frozenset[Action]]] = {
    Role.ADMINISTRATOR: frozenset(Action),
    Role.RADIOLOGIST: frozenset(
        {Action.STORE, Action.QUERY, Action.RETRIEVE, Action.COMMIT, Action.WORKLIST}
        | {Action.PRINT, Action.UPS}
    ),
    Role.TECHNOLOGIST: frozenset(
        {Action.STORE, Action.QUERY, Action.RETRIEVE, Action.COMMIT, Action.WORKLIST}
        | {Action.MPPS, Action.PRINT, Action.UPS}
    ),
    Role.SECRETARY: frozenset({Action.QUERY, Action.WORKLIST, Action.UPS}),
    Role.CLINICIAN: frozenset({Action.QUERY, Action.RETRIEVE}),
    Role.PHYSICIST: frozenset({Action.QUERY, Action.RETRIEVE, Action.METRICS}),
    Role.PARTNER: frozenset({Action.STORE}),
    Role.PATIENT: frozenset(),
}

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


def may(actor: Actor, action: Action, *, resource: object | None = None) -> Decision:  # noqa: ARG001
    """Whether an actor may do something.

    Args:
        actor: Who asks.
        action: What is asked.
        resource: To what; no rule of this version looks at it.
    """
    if action in FOR_EVERYBODY:
        return Decision(allowed=True, reason="open to everybody")
    if actor.kind == "system":
        return Decision(allowed=True, reason="the program itself")
    if actor.kind == "anonymous":
        return Decision(allowed=False, reason="not known here")
    table: Mapping[str, frozenset[Action]] = USER_ACTIONS if actor.kind == "user" else AE_ACTIONS
    for role in sorted(actor.roles):
        if action in table.get(role, frozenset()):
            return Decision(allowed=True, reason=f"role {role}")
    roles = ", ".join(sorted(actor.roles)) or "none"
    return Decision(allowed=False, reason=f"not among the rights of its roles ({roles})")
