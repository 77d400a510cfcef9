"""Accounts, what they may see, everybody's sessions."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field, SecretStr

from negatoscope.domain.devices import ae
from negatoscope.domain.identity import Action, AERole, Role, grants, sessions, totp, users
from negatoscope.domain.identity.errors import (
    IdentityError,
    InvalidGrant,
    LastAdministrator,
    UnknownUser,
    UserExists,
    WeakPassword,
)
from negatoscope.domain.identity.grants import GrantKind, Holder
from negatoscope.domain.identity.model import GRANTED_ONLY
from negatoscope.domain.identity.model import User as Account
from negatoscope.domain.identity.policies import AE_ACTIONS, FOR_EVERYBODY, USER_ACTIONS
from negatoscope.entrypoints.api.common import Administer, Asking, Schema
from negatoscope.entrypoints.api.me import Number, SessionEntry, entry
from negatoscope.entrypoints.api.session import HASHING, weak_password
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["identity"])
Name = Annotated[str, Path(min_length=1, max_length=100)]
AETitle = Annotated[str, Path(min_length=1, max_length=16)]


class User(Schema):
    """An account."""

    name: str
    display_name: str
    roles: frozenset[str]
    is_active: bool
    has_password: bool
    must_change_password: bool
    is_emergency: bool
    has_totp: bool
    created_at: datetime
    last_sign_in_at: datetime | None


class NewUser(Schema):
    """An account to be made; without a password it signs in with tokens only."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\w.\-]+$")]
    roles: Annotated[frozenset[Role], Field(min_length=1)]
    display_name: Annotated[str, Field(max_length=200)] = ""
    password: Annotated[SecretStr, Field(max_length=1000)] | None = None
    must_change_password: bool = True


class UserChange(Schema):
    """What is given changes."""

    display_name: Annotated[str, Field(max_length=200)] | None = None
    roles: Annotated[frozenset[Role], Field(min_length=1)] | None = None
    is_active: bool | None = None
    is_emergency: bool | None = None


class GivenPassword(Schema):
    """A password somebody else chose: it must be changed at the next sign-in."""

    password: Annotated[SecretStr, Field(max_length=1000)]


class Grant(Schema):
    """Studies that may be seen."""

    kind: GrantKind
    value: Annotated[str, Field(max_length=200)] = ""
    issuer: Annotated[str, Field(max_length=200)] = ""
    expires_at: datetime | None = None


class Grants(Schema):
    """The union of what is listed; without any, what the roles see."""

    grants: Annotated[list[Grant], Field(max_length=500)]


class RoleRights(Schema):
    """What a role may do."""

    role: str
    actions: list[str]
    sees_granted_only: bool


class Rights(Schema):
    """The policy's tables."""

    actions: list[str]
    users: list[RoleRights]
    application_entities: list[RoleRights]


def granted(given: Grants) -> list[grants.Grant]:
    """What came over the wire, for the domain."""
    return [
        grants.Grant(kind=one.kind, value=one.value, issuer=one.issuer, expires_at=one.expires_at)
        for one in given.grants
    ]


def shown(held: list[grants.Grant]) -> Grants:
    """The other way."""
    return Grants(grants=[Grant.model_validate(one) for one in held])


def _user(made: Account) -> User:
    return User.model_validate({name: getattr(made, name) for name in User.model_fields})


@router.get("/users")
async def list_users(ask: Administer) -> list[User]:
    """Every account, by name."""
    known = await run_blocking(users.list_users, ask.services.database)
    return [_user(one) for one in known]


@router.post("/users", status_code=201)
async def add_user(ask: Administer, user: NewUser) -> User:
    """Make an account."""
    password = None if user.password is None else user.password.get_secret_value()
    try:
        if password is not None:
            users.check_password(user.name, password)
        async with HASHING:
            made = await run_blocking(
                users.create,
                ask.services.database,
                name=user.name,
                roles=sorted(user.roles),
                password=password,
                display_name=user.display_name,
                must_change_password=user.must_change_password,
            )
    except UserExists as error:
        raise Problem("conflict", detail="That name is taken.") from error
    except WeakPassword as error:
        raise weak_password(error) from error
    except IdentityError as error:
        raise Problem("invalid-input") from error
    await ask.note("add user", user=made.name, roles=sorted(made.roles))
    return _user(made)


@router.get("/users/{name}")
async def get_user(ask: Administer, name: Name) -> User:
    """One account."""
    return _user(await _find(ask, name))


@router.patch("/users/{name}")
async def change_user(ask: Administer, name: Name, change: UserChange) -> User:
    """Change an account; deactivating it ends its sessions and tokens."""
    given = change.model_dump(exclude_none=True)
    try:
        changed = await run_blocking(users.change, ask.services.database, name=name, **given)
    except UnknownUser as error:
        raise Problem("not-found") from error
    except LastAdministrator as error:
        raise Problem("last-administrator") from error
    ask.services.access.changed()
    told = {
        key: sorted(value) if isinstance(value, frozenset) else value
        for key, value in given.items()
    }
    await ask.note("change user", user=changed.name, **told)
    return _user(changed)


@router.post("/users/{name}/password", status_code=204)
async def give_password(ask: Administer, name: Name, given: GivenPassword) -> None:
    """Give an account a password that must be changed at the next sign-in; its sessions end."""
    user = await _find(ask, name)
    password = given.password.get_secret_value()
    try:
        users.check_password(user.name, password)
    except WeakPassword as error:
        raise weak_password(error) from error
    async with HASHING:
        await run_blocking(
            users.set_password,
            ask.services.database,
            name=user.name,
            password=password,
            must_change=True,
        )
    ask.services.access.changed()
    await ask.note("give password", user=user.name)


@router.delete("/users/{name}/totp", status_code=204)
async def remove_second_factor(ask: Administer, name: Name) -> None:
    """Take away the second factor of somebody who lost it."""
    user = await _find(ask, name)
    if not await run_blocking(totp.remove, ask.services.database, user.id):
        raise Problem("not-found")
    ask.services.access.changed()
    await ask.note("remove second factor", user=user.name)


@router.get("/users/{name}/grants")
async def get_grants(ask: Administer, name: Name) -> Grants:
    """What an account was granted to see."""
    user = await _find(ask, name)
    return shown(await run_blocking(grants.of, ask.services.database, Holder(user_id=user.id)))


@router.put("/users/{name}/grants")
async def set_grants(ask: Administer, name: Name, given: Grants) -> Grants:
    """Say what an account may see; nothing given: what its roles see."""
    user = await _find(ask, name)
    return await _set_grants(ask, Holder(user_id=user.id), given, user=user.name)


@router.get("/application-entities/{ae_title}/grants")
async def get_grants_of_entity(ask: Administer, ae_title: AETitle) -> Grants:
    """What an application entity was granted to see."""
    holder = await _entity(ask, ae_title)
    return shown(await run_blocking(grants.of, ask.services.database, holder))


@router.put("/application-entities/{ae_title}/grants")
async def set_grants_of_entity(ask: Administer, ae_title: AETitle, given: Grants) -> Grants:
    """Say what an application entity may see from its next association on; nothing: everything."""
    holder = await _entity(ask, ae_title)
    return await _set_grants(ask, holder, given, ae_title=ae_title)


@router.get("/roles")
async def get_rights(ask: Administer) -> Rights:
    """What each role may do: the tables the policy reads."""
    limited = GRANTED_ONLY | ask.services.access.limits.limited_roles
    return Rights(
        actions=[str(action) for action in Action],
        users=[
            RoleRights(
                role=role,
                actions=sorted(USER_ACTIONS[role] | FOR_EVERYBODY),
                sees_granted_only=role in limited,
            )
            for role in Role
        ],
        application_entities=[
            RoleRights(
                role=role,
                actions=sorted(AE_ACTIONS[role] | FOR_EVERYBODY),
                sees_granted_only=False,
            )
            for role in AERole
        ],
    )


@router.get("/sessions")
async def list_sessions(ask: Administer) -> list[SessionEntry]:
    """Everybody's sessions, the latest seen first."""
    rows = await run_blocking(
        sessions.list_sessions, ask.services.database, ask.services.access.limits
    )
    session = None if ask.caller is None else ask.caller.session
    return [entry(row, None if session is None else session.id) for row in rows]


@router.delete("/sessions/{number}", status_code=204)
async def end_session_of(ask: Administer, number: Number) -> None:
    """End somebody's session."""
    if not await run_blocking(
        sessions.end_by_id,
        ask.services.database,
        number,
        because=f"ended by {ask.actor.name}",
    ):
        raise Problem("not-found")
    await ask.note("end session", session=number)


async def _find(ask: Asking, name: str) -> Account:
    if "\0" in name:
        raise Problem("not-found")
    try:
        return await run_blocking(users.get, ask.services.database, name)
    except UnknownUser as error:
        raise Problem("not-found") from error


async def _entity(ask: Asking, ae_title: str) -> Holder:
    found = await run_blocking(ae.find, ask.services.database, ae_title)
    if found is None:
        raise Problem("not-found")
    return Holder(ae_title=found.ae_title)


async def _set_grants(ask: Asking, holder: Holder, given: Grants, **whose: str) -> Grants:
    wanted = granted(given)
    try:
        await run_blocking(
            grants.replace_all,
            ask.services.database,
            holder,
            wanted,
            granted_by=ask.actor.name,
        )
    except InvalidGrant as error:
        detail = f"{error.message[:1].upper()}{error.message[1:]}."
        raise Problem("invalid-input", detail=detail) from error
    ask.services.access.changed()
    rows = [one.model_dump(mode="json", exclude_defaults=True) for one in given.grants]
    await ask.note("set data scope", **whose, grants=rows[:50], count=len(rows))
    return shown(await run_blocking(grants.of, ask.services.database, holder))
