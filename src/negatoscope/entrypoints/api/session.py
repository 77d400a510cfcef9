"""Signing in and out: the only routes of ``/api/v1`` open to somebody who has not signed in."""

import asyncio
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response
from pydantic import Field, SecretStr

from negatoscope.domain.identity import (
    Action,
    Actor,
    break_glass,
    functions,
    sessions,
    setup,
    sign_in,
    users,
)
from negatoscope.domain.identity.errors import (
    InvalidCredentials,
    LocalSignInClosed,
    SetupLinkRefused,
    TooManyAttempts,
    TotpRequired,
    UnknownUser,
    UserExists,
    WeakPassword,
)
from negatoscope.entrypoints.api.common import Anyone, Ask, Asking, Schema
from negatoscope.entrypoints.api.providers import PATH, end_url, provider_of
from negatoscope.entrypoints.web.access import same_origin, unauthenticated
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers.audit import Outcome

router = APIRouter(tags=["session"])
HASHING: Final = asyncio.Semaphore(2)
"""A password costs a core for a tenth of a second."""


class SessionUser(Schema):
    """Who is signed in."""

    kind: str
    name: str
    display_name: str
    roles: list[str]


class OpenGlass(Schema):
    """An emergency access that lasts."""

    id: int
    study_instance_uid: str | None
    patient_id: str | None
    reason: str
    expires_at: datetime


class Session(Schema):
    """A session; what it may do is decided again at each door."""

    user: SessionUser
    functions: list[Action]
    required: list[str]
    """What must be done before anything else: ``change-password``, ``enrol-totp``."""
    study_instance_uid: str | None
    """The one study of a link."""
    break_glass: list[OpenGlass]
    csrf: str | None
    method: str | None
    expires_at: datetime | None
    idle_s: float
    sees_everything: bool
    """Whether no study is outside its data scope."""


class Credentials(Schema):
    """A name, a password, and a code where one is asked for."""

    name: Annotated[str, Field(max_length=100)]
    password: Annotated[SecretStr, Field(max_length=1000)]
    totp: Annotated[str, Field(max_length=40)] | None = None


class Provider(Schema):
    """Somewhere else to sign in."""

    name: str
    display_name: str
    start: str
    """Go there with ``?next=<path>``."""
    available: bool


class Providers(Schema):
    """The ways to sign in."""

    local: bool
    local_is_for_emergencies: bool
    oidc: list[Provider]
    needs_setup: bool
    """No account exists: the set-up link of the server's log makes the first."""
    min_password_length: int


class SetUp(Schema):
    """The first account."""

    secret: Annotated[str, Field(max_length=200)]
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.\-]+$")]
    password: Annotated[SecretStr, Field(max_length=1000)]


class SetupState(Schema):
    """Whether a set-up link would be taken."""

    valid: bool


class SignedOut(Schema):
    """The session has ended."""

    provider_url: str | None
    """Where to go to sign out at the provider too."""


def same_site(ask: Asking) -> None:
    """Refuse a request that another site made a browser send.

    Raises:
        Problem: it did.
    """
    if not same_origin(ask.request.scope):
        raise Problem("cross-site")


def keep(ask: Asking, response: Response, cookie: str) -> None:
    """Let the browser keep a session's cookie."""
    access = ask.services.access
    kept = access.cookie.keep(cookie, access.limits.absolute_s)
    response.headers.append("set-cookie", kept.decode("ascii"))


def client(ask: Asking) -> sign_in.Client:
    """From where somebody signs in."""
    return sign_in.Client(
        peer=ask.request.peer,
        agent=ask.request.header(b"user-agent") or "",
        cookie=None if ask.caller is None else ask.caller.cookie,
    )


async def describe(ask: Asking, cookie: str) -> Session:
    """The session of a cookie that was just made."""
    services = ask.services
    found = await run_blocking(sessions.resolve, services.database, services.access.limits, cookie)
    if found is None:
        raise unauthenticated()
    return await _session(ask, found.actor, found)


async def _session(ask: Asking, actor: Actor, found: sessions.Session | None) -> Session:
    broken = []
    if actor.user_id is not None and found is not None:
        broken = await run_blocking(break_glass.active_of, ask.services.database, actor.user_id)
    scope = actor.data_scope
    studies = sorted(scope.studies)
    return Session(
        user=SessionUser(
            kind=actor.kind,
            name=actor.name,
            display_name=(found.display_name if found else "") or actor.name,
            roles=sorted(found.roles if found else actor.roles),
        ),
        functions=sorted(functions(actor)),
        required=list(found.required) if found else [],
        study_instance_uid=studies[0] if actor.kind == "link" and studies else None,
        break_glass=[
            OpenGlass(
                id=one.id,
                study_instance_uid=one.study_instance_uid,
                patient_id=one.patient_id,
                reason=one.reason,
                expires_at=one.expires_at,
            )
            for one in broken
        ],
        csrf=found.csrf if found else None,
        method=found.method if found else None,
        expires_at=found.expires_at if found else None,
        idle_s=ask.services.access.limits.idle_s,
        sees_everything=scope.is_everything,
    )


@router.get("/session")
async def get_session(ask: Ask) -> Session:
    """Who is signed in and what they may do; of a token's owner too."""
    return await _session(ask, ask.actor, ask.caller.session if ask.caller else None)


@router.post("/session")
async def start_session(ask: Anyone, given: Credentials, response: Response) -> Session:
    """Sign in with a name and a password; the session before it ends."""
    same_site(ask)
    services = ask.services
    stranger = Actor.anonymous(given.name)
    try:
        async with HASHING:
            user, cookie = await run_blocking(
                sign_in.local,
                services.database,
                services.access.limits,
                services.access.key,
                name=given.name,
                password=given.password.get_secret_value(),
                code=given.totp,
                client=client(ask),
                emergency_only=services.settings.identity.local_sign_in == "emergency",
            )
    except TooManyAttempts as refusal:
        raise Problem("too-many-attempts", retry_after_s=int(refusal.wait_s) + 1) from refusal
    except InvalidCredentials as refusal:
        await services.access.note(ask.request, "sign in", outcome=Outcome.REFUSED, actor=stranger)
        raise Problem("invalid-credentials") from refusal
    except TotpRequired as refusal:
        raise Problem("totp-required") from refusal
    except LocalSignInClosed as refusal:
        await services.access.note(ask.request, "sign in", outcome=Outcome.REFUSED, actor=stranger)
        raise Problem("local-sign-in-closed") from refusal
    detail = {"method": "password"} | ({"emergency": True} if user.is_emergency else {})
    await services.access.note(ask.request, "sign in", actor=user.actor, detail=detail)
    keep(ask, response, cookie)
    return await describe(ask, cookie)


@router.delete("/session")
async def end_session(ask: Anyone, response: Response) -> SignedOut:
    """Sign out."""
    same_site(ask)
    access = ask.services.access
    provider_url = None
    if ask.caller is not None and ask.caller.session is not None and ask.caller.cookie is not None:
        id_token = await run_blocking(sessions.end, ask.services.database, ask.caller.cookie)
        await access.note(ask.request, "sign out")
        provider_url = await end_url(ask, ask.caller.session.method, id_token)
    response.headers.append("set-cookie", access.cookie.drop().decode("ascii"))
    response.headers["clear-site-data"] = '"cache"'
    return SignedOut(provider_url=provider_url)


@router.get("/session/providers")
async def get_providers(ask: Anyone) -> Providers:
    """The ways to sign in."""
    identity = ask.services.settings.identity
    count = await run_blocking(users.count, ask.services.database)
    return Providers(
        local=True,
        local_is_for_emergencies=identity.local_sign_in == "emergency",
        oidc=[
            Provider(
                name=one.name,
                display_name=one.display_name or one.name,
                start=f"{PATH}/{one.name}",
                available=await run_blocking(
                    provider_of(ask.services.settings, one.name).is_available
                ),
            )
            for one in identity.providers
        ],
        needs_setup=count == 0,
        min_password_length=users.MIN_PASSWORD_LENGTH,
    )


@router.get("/session/setup/{secret}")
async def get_setup(ask: Anyone, secret: Annotated[str, Path(max_length=200)]) -> SetupState:
    """Whether a set-up link would be taken."""
    return SetupState(valid=await run_blocking(setup.is_valid, ask.services.database, secret))


@router.post("/session/setup")
async def set_up(ask: Anyone, given: SetUp, response: Response) -> Session:
    """Make the first administrator by the set-up link, and sign in."""
    same_site(ask)
    services = ask.services
    try:
        async with HASHING:
            user = await run_blocking(
                setup.redeem,
                services.database,
                secret=given.secret,
                name=given.name,
                password=given.password.get_secret_value(),
            )
    except WeakPassword as error:
        raise weak_password(error) from error
    except SetupLinkRefused as error:
        raise Problem("link-refused") from error
    except (UserExists, UnknownUser) as error:
        raise Problem("invalid-input") from error
    await services.access.note(ask.request, "set up", actor=user.actor)
    cookie = await run_blocking(
        sessions.create,
        services.database,
        services.access.limits,
        user_id=user.id,
        method="set-up link",
        peer=ask.request.peer,
        agent=ask.request.header(b"user-agent") or "",
        replaces=None if ask.caller is None else ask.caller.cookie,
    )
    keep(ask, response, cookie)
    return await describe(ask, cookie)


def weak_password(error: WeakPassword) -> Problem:
    """The refusal of a password, with the reason as a code."""
    detail = f"{error.message[:1].upper()}{error.message[1:]}."
    return Problem("weak-password", detail=detail, extra={"reason": error.code})
