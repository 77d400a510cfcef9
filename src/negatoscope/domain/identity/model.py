"""Who acts."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from negatoscope.domain.identity.scope import EVERYTHING, NOTHING, DataScope

ActorKind = Literal["user", "ae", "link", "system", "anonymous"]


class Role(StrEnum):
    """What a user is; one account may have several."""

    ADMINISTRATOR = "administrator"
    RADIOLOGIST = "radiologist"
    TECHNOLOGIST = "technologist"
    SECRETARY = "secretary"
    IDENTITY_MANAGER = "identity-manager"
    CLINICIAN = "clinician"
    PHYSICIST = "physicist"
    PARTNER = "partner"
    PATIENT = "patient"


class AERole(StrEnum):
    """What a registered application entity may ask of us."""

    STORE = "store"
    QUERY = "query"
    RETRIEVE = "retrieve"
    WORKLIST = "worklist"
    MPPS = "mpps"
    COMMITMENT = "commitment"
    PRINT = "print"
    UPS = "ups"


GRANTED_ONLY: Final = frozenset({Role.PARTNER, Role.PATIENT})
"""Roles that see what was granted to the account and nothing else, whatever the settings say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever asks for something, by whatever door.

    Attributes:
        kind: A user, an application entity, the holder of a one-study link, the program itself, or
            nobody we know.
        name: The account's name, the calling AE title, the link's number, or the name of a part of
            the program.
        roles: ``Role`` values of a user, ``AERole`` values of an application entity.
        user_id: The account's key; ``None`` for all others.
        scope: Which studies, when it was looked up; else what the roles see.
        actions: What a token is limited to; None: all that the roles may.
    """

    kind: ActorKind
    name: str
    roles: frozenset[str] = frozenset()
    user_id: int | None = None
    scope: DataScope | None = field(default=None, compare=False)
    actions: frozenset[str] | None = field(default=None, compare=False)

    @property
    def data_scope(self) -> DataScope:
        """Which studies it may see."""
        if self.scope is not None:
            return self.scope
        if self.kind in ("system", "ae"):
            return EVERYTHING
        if self.kind == "user" and self.roles - GRANTED_ONLY:
            return EVERYTHING
        return NOTHING

    @classmethod
    def application_entity(cls, ae_title: str, roles: frozenset[str]) -> "Actor":
        """A registered AE."""
        return cls(kind="ae", name=ae_title, roles=roles)

    @classmethod
    def anonymous(cls, name: str = "") -> "Actor":
        """Nobody we know; ``name`` is what it calls itself."""
        return cls(kind="anonymous", name=name)

    @classmethod
    def system(cls, part: str) -> "Actor":
        """A part of the program acting by itself."""
        return cls(kind="system", name=part)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account."""

    id: int
    name: str
    display_name: str
    roles: frozenset[str]
    is_active: bool
    has_password: bool
    created_at: datetime
    last_sign_in_at: datetime | None
    must_change_password: bool = False
    is_emergency: bool = False
    has_totp: bool = False

    @property
    def actor(self) -> Actor:
        """The user as one who acts."""
        return Actor(kind="user", name=self.name, roles=self.roles, user_id=self.id)
