"""Accounts of people whom a provider knows: linked by issuer and subject, never by a name or an address.

What the provider says of them decides their roles and, where rules say so, their data scope, at each
sign-in anew.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from negatoscope.domain.identity import grants, users
from negatoscope.domain.identity.errors import NoRoleForYou, UserExists
from negatoscope.domain.identity.grants import Grant, GrantKind, Holder
from negatoscope.domain.identity.model import User
from negatoscope.infra.db import Database
from negatoscope.infra.settings import ProviderSettings, RoleRule

FLOW_S: Final = 600
"""A sign-in at a provider takes no longer."""
_MAX_DEPTH: Final = 20
_NOT_IN_NAMES: Final = re.compile(r"[^\w.\-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A sign-in under way."""

    provider: str
    nonce: str
    code_verifier: str
    next_path: str


def begin(database: Database, state: str, flow: Flow) -> None:
    """Keep what is needed when the browser comes back."""
    with database.connection() as connection:
        connection.execute(
            "DELETE FROM oidc_flow WHERE created_at < now() - make_interval(secs => %s)", (FLOW_S,)
        )
        connection.execute(
            "INSERT INTO oidc_flow (state_sha256, provider, nonce, code_verifier, next_path)"
            " VALUES (%s, %s, %s, %s, %s)",
            (_digest(state), flow.provider, flow.nonce, flow.code_verifier, flow.next_path),
        )


def take(database: Database, state: str, *, provider: str) -> Flow | None:
    """What was kept, once; None when there is nothing, or of another provider, or too old."""
    with database.connection() as connection:
        row = connection.execute(
            "DELETE FROM oidc_flow WHERE state_sha256 = %s RETURNING provider, nonce, code_verifier,"
            " next_path, created_at > now() - make_interval(secs => %s)",
            (_digest(state), FLOW_S),
        ).fetchone()
    if row is None or not row[4] or row[0] != provider:
        return None
    return Flow(provider=row[0], nonce=row[1], code_verifier=row[2], next_path=row[3])


def matched(rules: Sequence[RoleRule], claims: Mapping[str, Any]) -> list[RoleRule]:
    """The rules that hold of somebody."""
    return [rule for rule in rules if rule.value in set(values_at(claims, rule.claim))]


def values_at(claims: object, path: str, depth: int = 0) -> Iterator[str]:
    """Texts at a path of claims; lists are looked through, names may hold dots."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(claims, list):
        for one in claims:
            yield from values_at(one, path, depth + 1)
    elif isinstance(claims, Mapping):
        if path in claims:
            yield from _texts(claims[path])
        steps = path.split(".")
        for count in range(1, len(steps)):
            name = ".".join(steps[:count])
            if name in claims:
                yield from values_at(claims[name], ".".join(steps[count:]), depth + 1)


def account_of(
    database: Database,
    provider: ProviderSettings,
    *,
    issuer: str,
    subject: str,
    claims: Mapping[str, Any],
) -> User:
    """The account of a subject, made when there is none, with the roles its claims give.

    Raises:
        NoRoleForYou: no rule has a role for them, their account is not active, or none may be made.
    """
    rules = matched(provider.rules, claims)
    roles = sorted({rule.role for rule in rules})
    if not roles:
        raise NoRoleForYou("no rule has a role for this person")
    with database.connection() as connection:
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{issuer} {subject}",)
        )
        row = connection.execute(
            "UPDATE user_identity i SET last_at = now() FROM user_account u"
            " WHERE i.issuer = %s AND i.subject = %s AND u.id = i.user_fk"
            " RETURNING u.id, u.name, u.is_active",
            (issuer, subject),
        ).fetchone()
        if row is not None and not row[2]:
            raise NoRoleForYou("the account is not active")
        if row is None:
            if not provider.create_accounts:
                raise NoRoleForYou("no account is linked to this person")
            user_id, name = _create(connection, provider, subject, claims, roles)
            connection.execute(
                "INSERT INTO user_identity (issuer, subject, user_fk, last_at) VALUES (%s, %s, %s, now())",
                (issuer, subject, user_id),
            )
        else:
            user_id, name = int(row[0]), str(row[1])
            connection.execute("DELETE FROM user_role WHERE user_fk = %s", (user_id,))
            for role in roles:
                connection.execute(
                    "INSERT INTO user_role (user_fk, role) VALUES (%s, %s)", (user_id, role)
                )
        display = _display_name(claims)
        connection.execute(
            "UPDATE user_account SET last_sign_in_at = now(),"
            " display_name = CASE WHEN %s = '' THEN display_name ELSE %s END WHERE id = %s",
            (display, display, user_id),
        )
        if any(_is_scoped(rule) for rule in provider.rules):
            grants.replace_in(
                connection,
                Holder(user_id=user_id),
                _granted(rules),
                granted_by=f"provider {provider.name}",
            )
    return users.get(database, name)


def link(database: Database, *, name: str, issuer: str, subject: str) -> None:
    """Say by hand whose account a subject's is.

    Raises:
        UnknownUser: no such account.
        UserExists: the subject has one.
    """
    user = users.get(database, name)
    with database.connection() as connection:
        cursor = connection.execute(
            "INSERT INTO user_identity (issuer, subject, user_fk) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            (issuer, subject, user.id),
        )
    if cursor.rowcount != 1:
        raise UserExists("that subject has an account already", hint="`negatoscope user list`.")


def _create(
    connection: psycopg.Connection[Any],
    provider: ProviderSettings,
    subject: str,
    claims: Mapping[str, Any],
    roles: Sequence[str],
) -> tuple[int, str]:
    wanted = next(iter(values_at(claims, provider.name_claim)), "") or f"{provider.name}-{subject}"
    plain = _NOT_IN_NAMES.sub("-", wanted).strip("-.")[:60] or provider.name
    marked = f"{plain}-{hashlib.sha256(subject.encode()).hexdigest()[:8]}"
    for name in (plain, marked):
        try:
            with connection.transaction():
                made = users.create_in(connection, name=name, roles=roles, password_hash=None)
        except UserExists:  # somebody else's, whatever the provider calls this one
            continue
        return made.id, made.name
    raise NoRoleForYou("no name is free for this person")


def _display_name(claims: Mapping[str, Any]) -> str:
    given, family = (next(values_at(claims, name), "") for name in ("given_name", "family_name"))
    found = next(values_at(claims, "name"), "") or f"{given} {family}"
    return "".join(c for c in found if c.isprintable()).strip()[:200]


def _is_scoped(rule: RoleRule) -> bool:
    return bool(rule.institution or rule.department or rule.issuer)


def _granted(rules: Sequence[RoleRule]) -> list[Grant]:
    """Of the rules that hold; one without a limit leaves what its role sees."""
    if any(not _is_scoped(rule) for rule in rules):
        return []
    found = []
    for rule in rules:
        for kind, value in (
            (GrantKind.INSTITUTION, rule.institution),
            (GrantKind.DEPARTMENT, rule.department),
            (GrantKind.ISSUER, rule.issuer),
        ):
            if value:
                found.append(Grant(kind=kind, value=value))
    return found


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for one in value:
            yield from _texts(one, depth + 1)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, bool | int):
        yield str(value).lower()


def _digest(state: str) -> bytes:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).digest()
