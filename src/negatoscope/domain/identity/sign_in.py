"""Signing in with a name and a password, and a code where one is asked for."""

from dataclasses import dataclass

from negatoscope.domain.identity import attempts, sessions, totp, users
from negatoscope.domain.identity.errors import (
    InvalidCredentials,
    LocalSignInClosed,
    TooManyAttempts,
    TotpRequired,
)
from negatoscope.domain.identity.model import User
from negatoscope.infra.db import Database

_MAX_NAME = 100
_MAX_PASSWORD = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """From where somebody signs in.

    Attributes:
        peer: Address.
        agent: Browser.
        cookie: Of the session they have; it ends.
    """

    peer: str = ""
    agent: str = ""
    cookie: str | None = None


def local(
    database: Database,
    limits: sessions.Limits,
    key: bytes,
    *,
    name: str,
    password: str,
    code: str | None,
    client: Client,
    emergency_only: bool = False,
) -> tuple[User, str]:
    """Start a session for who knows the password, and the code.

    Args:
        database: Accounts.
        limits: How long sessions last.
        key: That seals second factors.
        name, password, code: As given.
        client: From where.
        emergency_only: Whether accounts that are not marked for emergencies sign in at the provider.
    Returns: The account and the new cookie.
    Raises:
        TooManyAttempts: nothing was looked at.
        InvalidCredentials: one of the three is wrong; which is not told.
        TotpRequired: the password is right and a code is asked for.
        LocalSignInClosed: the account must sign in at the provider.
    """
    name, password = name.strip()[:_MAX_NAME], password[:_MAX_PASSWORD]
    wait_s = attempts.wait_s(database, name, client.peer) if "\0" not in name else 0.0
    if wait_s > 0:
        raise TooManyAttempts(wait_s)
    user = None
    if name and password and "\0" not in name:
        user = users.verify_password(database, name=name, password=password)
    if user is None:
        if "\0" not in name:
            attempts.failed(database, name, client.peer)
        raise InvalidCredentials("the name and the password do not belong together")
    method = "password"
    if totp.is_confirmed(database, user.id):
        if not code:
            raise TotpRequired("a code of the authenticator is needed")
        if not totp.verify(database, key, user_id=user.id, given=code[:40]):
            attempts.failed(database, name, client.peer)
            raise InvalidCredentials("the code is wrong, or was used")
        method = "password and code"
    if emergency_only and not user.is_emergency:
        raise LocalSignInClosed(
            "this account signs in at the provider", hint="an emergency account may sign in here."
        )
    attempts.succeeded(database, name, client.peer)
    users.note_sign_in(database, user.id)
    cookie = sessions.create(
        database,
        limits,
        user_id=user.id,
        method=method,
        peer=client.peer,
        agent=client.agent,
        replaces=client.cookie,
    )
    return user, cookie
