"""Who acts and what they may do: accounts, tokens, the policy."""

from negatoscope.domain.identity.model import Actor, AERole, Role, User
from negatoscope.domain.identity.policies import Action, Decision, may

__all__ = ["AERole", "Action", "Actor", "Decision", "Role", "User", "may"]
