"""What people do about their own account: password, second factor, sessions."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field, SecretStr

from negatoscope.domain.identity import attempts, sessions, totp, users
from negatoscope.domain.identity.errors import WeakPassword
from negatoscope.entrypoints.api.common import Asking, Own, Schema
from negatoscope.entrypoints.api.session import HASHING, Session, describe, keep, weak_password
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers.audit import Outcome

router = APIRouter(prefix="/me", tags=["account"])
Number = Annotated[int, Path(ge=1, le=(1 << 63) - 1)]


class NewPassword(Schema):
    """The password known now, and the new one."""

    current: Annotated[SecretStr, Field(max_length=1000)]
    new: Annotated[SecretStr, Field(max_length=1000)]


class TotpState(Schema):
    """Whether codes are asked for."""

    enabled: bool
    required: bool
    recovery_codes_left: int


class TotpEnrolment(Schema):
    """Told once, to an authenticator application."""

    secret: str
    otpauth_uri: str


class Code(Schema):
    """A code of the authenticator."""

    code: Annotated[str, Field(min_length=1, max_length=40)]


class Proof(Schema):
    """The password, before something that weakens the account."""

    password: Annotated[SecretStr, Field(max_length=1000)]


class RecoveryCodes(Schema):
    """Shown once; each signs in once without the authenticator."""

    recovery_codes: tuple[str, ...]


class SessionEntry(Schema):
    """A session as a row of a list."""

    id: int
    user_name: str
    method: str
    peer: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    is_this_one: bool


def own(ask: Asking) -> sessions.Session:
    """The session of a person with an account.

    Raises:
        Problem: a token asks, or the holder of a link.
    """
    session = None if ask.caller is None else ask.caller.session
    if session is None or session.actor.user_id is None:
        raise Problem("forbidden", detail="A session of an account is needed.")
    return session


def entry(row: sessions.SessionRow, this: int | None) -> SessionEntry:
    """A row for the wire."""
    values = {
        name: getattr(row, name) for name in SessionEntry.model_fields if name != "is_this_one"
    }
    return SessionEntry(**values, is_this_one=row.id == this)


async def _prove(ask: Asking, session: sessions.Session, password: SecretStr) -> None:
    """Check the password again, as slowly as at the door.

    Raises:
        Problem: it is wrong.
    """
    database, name, peer = ask.services.database, session.actor.name, ask.request.peer
    wait_s = await run_blocking(attempts.wait_s, database, name, peer)
    if wait_s > 0:
        raise Problem("too-many-attempts", retry_after_s=int(wait_s) + 1)
    async with HASHING:
        user = await run_blocking(
            users.verify_password, database, name=name, password=password.get_secret_value()
        )
    if user is None:
        await run_blocking(attempts.failed, database, name, peer)
        await ask.services.access.note(ask.request, "prove password", outcome=Outcome.REFUSED)
        raise Problem("invalid-credentials")


@router.post("/password")
async def change_password(ask: Own, given: NewPassword, response: Response) -> Session:
    """Change the password; every session of the account ends and a new one begins here."""
    session = own(ask)
    await _prove(ask, session, given.current)
    password = given.new.get_secret_value()
    services = ask.services
    if password == given.current.get_secret_value():
        raise Problem(
            "weak-password", detail="It is the password known now.", extra={"reason": "same"}
        )
    try:
        users.check_password(session.actor.name, password)
    except WeakPassword as error:
        raise weak_password(error) from error
    async with HASHING:
        await run_blocking(
            users.set_password, services.database, name=session.actor.name, password=password
        )
    services.access.changed()
    await ask.note("change own password")
    cookie = await run_blocking(
        sessions.create,
        services.database,
        services.access.limits,
        user_id=session.actor.user_id,
        method=session.method,
        peer=ask.request.peer,
        agent=ask.request.header(b"user-agent") or "",
    )
    keep(ask, response, cookie)
    return await describe(ask, cookie)


@router.get("/totp")
async def get_totp(ask: Own) -> TotpState:
    """Whether codes are asked of this account."""
    session = own(ask)
    database, user_id = ask.services.database, session.actor.user_id or 0
    return TotpState(
        enabled=await run_blocking(totp.is_confirmed, database, user_id),
        required=bool(session.roles & ask.services.access.limits.totp_roles),
        recovery_codes_left=await run_blocking(totp.recovery_codes_left, database, user_id),
    )


@router.post("/totp")
async def begin_totp(ask: Own) -> TotpEnrolment:
    """Begin to use an authenticator; nothing changes until a code of it is confirmed."""
    session = own(ask)
    database, user_id = ask.services.database, session.actor.user_id or 0
    if await run_blocking(totp.is_confirmed, database, user_id):
        raise Problem("conflict", detail="An authenticator is in use; remove it first.")
    made = await run_blocking(
        totp.begin,
        database,
        ask.services.access.key,
        user_id=user_id,
        user_name=session.actor.name,
        issuer=f"Negatoscope {ask.services.settings.ae_title}",
    )
    return TotpEnrolment(secret=made.secret, otpauth_uri=made.uri)


@router.post("/totp/confirm")
async def confirm_totp(ask: Own, given: Code) -> RecoveryCodes:
    """Ask for codes from now on; the other sessions of the account end."""
    session = own(ask)
    user_id = session.actor.user_id or 0
    codes = await run_blocking(
        totp.confirm,
        ask.services.database,
        ask.services.access.key,
        user_id=user_id,
        given=given.code,
    )
    if codes is None:
        raise Problem("invalid-credentials", detail="The code is wrong, or was used.")
    await run_blocking(_end_others, ask, user_id, session.id, "second factor added")
    ask.services.access.changed()
    await ask.note("add second factor")
    return RecoveryCodes(recovery_codes=codes)


@router.post("/totp/remove", status_code=204)
async def remove_totp(ask: Own, given: Proof) -> None:
    """Ask for codes no more; the password is needed."""
    session = own(ask)
    await _prove(ask, session, given.password)
    if not await run_blocking(totp.remove, ask.services.database, session.actor.user_id or 0):
        raise Problem("not-found")
    ask.services.access.changed()
    await ask.note("remove second factor")


@router.get("/sessions")
async def list_own_sessions(ask: Own) -> list[SessionEntry]:
    """Where this account is signed in."""
    session = own(ask)
    rows = await run_blocking(
        sessions.list_sessions,
        ask.services.database,
        ask.services.access.limits,
        user_id=session.actor.user_id,
    )
    return [entry(row, session.id) for row in rows]


@router.delete("/sessions/{number}", status_code=204)
async def end_own_session(ask: Own, number: Number) -> None:
    """End one of one's own sessions."""
    session = own(ask)
    ended = await run_blocking(
        sessions.end_by_id,
        ask.services.database,
        number,
        because="ended by its owner",
        user_id=session.actor.user_id,
    )
    if not ended:
        raise Problem("not-found")
    await ask.note("end own session", session=number)


@router.delete("/sessions", status_code=204)
async def end_other_sessions(ask: Own) -> None:
    """End all of one's own sessions but this one."""
    session = own(ask)
    await run_blocking(
        _end_others, ask, session.actor.user_id or 0, session.id, "ended by its owner"
    )
    ask.services.access.changed()
    await ask.note("end own other sessions")


def _end_others(ask: Asking, user_id: int, but: int, because: str) -> None:
    with ask.services.database.connection() as connection:
        users.end_sessions_in(connection, user_id, because=because, but=but)
