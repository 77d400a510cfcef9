"""Accounts and tokens."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field, SecretStr

from negatoscope.domain.identity import Role, tokens, users
from negatoscope.domain.identity.errors import (
    IdentityError,
    UnknownUser,
    UserExists,
    WeakPassword,
)
from negatoscope.entrypoints.api.common import Administer, Schema
from negatoscope.entrypoints.api.session import weak_password
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["identity"])
Name = Annotated[str, Path(min_length=1, max_length=100)]


class User(Schema):
    """An account."""

    name: str
    display_name: str
    roles: frozenset[str]
    is_active: bool
    has_password: bool
    created_at: datetime
    last_sign_in_at: datetime | None


class NewUser(Schema):
    """An account to be made; without a password it signs in with tokens only."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\w.\-]+$")]
    roles: Annotated[frozenset[Role], Field(min_length=1)]
    display_name: Annotated[str, Field(max_length=200)] = ""
    password: Annotated[SecretStr, Field(max_length=1000)] | None = None


class NewToken(Schema):
    """A token to be made."""

    expires_in_days: Annotated[int, Field(ge=1, le=3650)] = 30
    description: Annotated[str, Field(max_length=200)] = ""


class Token(Schema):
    """A bearer token; it cannot be had again."""

    token: str
    expires_in_days: int


@router.get("/users")
async def list_users(ask: Administer) -> list[User]:
    """Every account, by name."""
    known = await run_blocking(users.list_users, ask.services.database)
    return [
        User.model_validate({name: getattr(one, name) for name in User.model_fields})
        for one in known
    ]


@router.post("/users", status_code=201)
async def add_user(ask: Administer, user: NewUser) -> User:
    """Make an account."""
    password = None if user.password is None else user.password.get_secret_value()
    try:
        if password is not None:
            users.check_password(user.name, password)
        made = await run_blocking(
            users.create,
            ask.services.database,
            name=user.name,
            roles=sorted(user.roles),
            password=password,
            display_name=user.display_name,
        )
    except UserExists as error:
        raise Problem("conflict", detail="That name is taken.") from error
    except WeakPassword as error:
        raise weak_password(error) from error
    except IdentityError as error:
        raise Problem("invalid-input") from error
    await ask.note("add user", user=made.name, roles=sorted(made.roles))
    return User.model_validate({name: getattr(made, name) for name in User.model_fields})


@router.post("/users/{name}/tokens", status_code=201)
async def add_token(ask: Administer, name: Name, wanted: NewToken) -> Token:
    """Make a bearer token for an account."""
    try:
        token = await run_blocking(
            tokens.create,
            ask.services.database,
            user_name=name,
            expires_in=timedelta(days=wanted.expires_in_days),
            description=wanted.description,
        )
    except UnknownUser as error:
        raise Problem("not-found") from error
    await ask.note("create token", user=name, expires_in_days=wanted.expires_in_days)
    return Token(token=token, expires_in_days=wanted.expires_in_days)
