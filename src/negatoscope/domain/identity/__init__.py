"""Who acts and what they may do: accounts, sessions, tokens, data scopes, the policy."""

from negatoscope.domain.identity.model import Actor, AERole, Role, User
from negatoscope.domain.identity.policies import Action, Decision, functions, may
from negatoscope.domain.identity.scope import EVERYTHING, NOTHING, DataScope, StudyFacts

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "AERole",
    "Action",
    "Actor",
    "DataScope",
    "Decision",
    "Role",
    "StudyFacts",
    "User",
    "functions",
    "may",
]
