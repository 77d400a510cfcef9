"""Accounts, sessions, OpenID Connect providers."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_ROLES = Literal[
    "administrator",
    "radiologist",
    "technologist",
    "secretary",
    "identity-manager",
    "clinician",
    "physicist",
    "partner",
    "patient",
]


class RoleRule(BaseModel):
    """Roles for those about whom a provider says something."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    claim: str = Field(pattern=r"^[^\s]{1,200}$")
    """Path of the claim in the ID token or the userinfo, steps parted by ``.``: ``realm_access.roles``."""
    value: str = Field(max_length=200)
    """What it is, or holds among others."""
    role: _ROLES
    institution: str | None = Field(default=None, max_length=200)
    """Studies of this institution only."""
    department: str | None = Field(default=None, max_length=200)
    issuer: str | None = Field(default=None, max_length=200)
    """Studies of patients with identifiers of this issuer only."""


class ProviderSettings(BaseModel):
    """An OpenID Connect provider."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    """In addresses: the redirect URI is ``<public_url>/api/v1/session/oidc/<name>/callback``."""
    display_name: str = Field(default="", max_length=100)
    issuer: str = Field(max_length=500)
    client_id: str = Field(max_length=300)
    client_secret: str | None = Field(default=None, max_length=1000)
    """Absent: a public client, by PKCE alone."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    acr_values: str | None = Field(default=None, max_length=200)
    """Asked for and demanded of the answer: ``eidas1`` of Pro Santé Connect."""
    name_claim: str = Field(default="preferred_username", pattern=r"^[^\s]{1,200}$")
    """From which the name of a new account is made."""
    userinfo: bool = True
    """Ask the userinfo endpoint too."""
    rules: tuple[RoleRule, ...] = ()
    create_accounts: bool = True
    """Make an account at the first sign-in of somebody a rule has a role for."""
    clock_skew_s: float = Field(default=60.0, ge=0, le=600)

    @field_validator("issuer")
    @classmethod
    def _safe_issuer(cls, value: str) -> str:
        parts = urlsplit(value)
        loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
            raise ValueError("a provider is reached by https (by http on this machine only)")
        if not parts.hostname or parts.query or parts.fragment or parts.username:
            raise ValueError("an issuer is an address without query, fragment or user")
        return value


class IdentitySettings(BaseModel):
    """Accounts, sessions and who sees what."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    session_idle_s: float = Field(default=3600.0, ge=60)
    """A session ends when it was not used for so long."""
    session_absolute_s: float = Field(default=12 * 3600.0, ge=60)
    """And at this age."""
    local_sign_in: Literal["everybody", "emergency"] = "everybody"
    """Who signs in with a password of ours: everybody, or accounts marked for emergencies."""
    totp_roles: tuple[_ROLES, ...] = ()
    """Roles whose local accounts need a second factor."""
    limited_roles: tuple[_ROLES, ...] = ()
    """Roles that see what was granted to the account only; partner and patient always are."""
    break_glass_s: float = Field(default=4 * 3600.0, ge=60, le=7 * 86400)
    """How long an emergency access lasts."""
    break_glass_per_hour: int = Field(default=10, ge=1)
    """Of one account."""
    link_max_days: int = Field(default=90, ge=1, le=3650)
    """A link to one study lasts no longer."""
    token_max_days: int = Field(default=366, ge=1, le=3650)
    """A token lasts no longer, unless the command line makes it."""
    providers: tuple[ProviderSettings, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [one.name for one in self.providers]
        if len(set(names)) != len(names):
            raise ValueError("two providers have the same name")
        return self
