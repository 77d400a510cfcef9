"""Bearer tokens: one's own, and everybody's for administrators."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from negatoscope.domain.identity import Action, tokens
from negatoscope.domain.identity.errors import InvalidGrant, UnknownUser
from negatoscope.entrypoints.api.common import Administer, Asking, Own, Schema
from negatoscope.entrypoints.api.identity import Grant, Grants, Name, granted
from negatoscope.entrypoints.api.me import Number, own
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["tokens"])


class NewToken(Schema):
    """A token to be made; it may do and see no more than its account, whatever is given here."""

    expires_in_days: Annotated[int, Field(ge=1, le=3650)] = 30
    description: Annotated[str, Field(max_length=200)] = ""
    kind: Literal["personal", "service"] = "personal"
    actions: frozenset[Action] | None = None
    grants: Annotated[tuple[Grant, ...], Field(max_length=100)] = ()


class Token(Schema):
    """A bearer token; it cannot be had again."""

    token: str
    expires_in_days: int


class TokenEntry(Schema):
    """A token as a row of a list."""

    id: int
    user_name: str
    description: str
    kind: str
    actions: list[str] | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_at: datetime | None
    grants: list[Grant]


@router.post("/users/{name}/tokens", status_code=201)
async def add_token(ask: Administer, name: Name, wanted: NewToken) -> Token:
    """Make a bearer token for an account."""
    return await _make(ask, name, wanted)


@router.get("/tokens")
async def list_tokens(ask: Administer) -> list[TokenEntry]:
    """Everybody's tokens that are good, the newest first."""
    return _entries(await run_blocking(tokens.list_tokens, ask.services.database))


@router.delete("/tokens/{number}", status_code=204)
async def revoke_token(ask: Administer, number: Number) -> None:
    """End somebody's token."""
    if not await run_blocking(tokens.revoke_by_id, ask.services.database, number):
        raise Problem("not-found")
    await ask.note("revoke token", token=number)


@router.get("/me/tokens")
async def list_own_tokens(ask: Own) -> list[TokenEntry]:
    """One's own tokens."""
    session = own(ask)
    return _entries(
        await run_blocking(tokens.list_tokens, ask.services.database, user_id=session.actor.user_id)
    )


@router.post("/me/tokens", status_code=201)
async def add_own_token(ask: Own, wanted: NewToken) -> Token:
    """Make a token of one's own; a session is needed, a token makes no tokens."""
    session = own(ask)
    if session.required:
        raise Problem("forbidden")
    return await _make(ask, session.actor.name, wanted)


@router.delete("/me/tokens/{number}", status_code=204)
async def revoke_own_token(ask: Own, number: Number) -> None:
    """End one of one's own tokens."""
    session = own(ask)
    if not await run_blocking(
        tokens.revoke_by_id, ask.services.database, number, user_id=session.actor.user_id
    ):
        raise Problem("not-found")
    await ask.note("revoke own token", token=number)


async def _make(ask: Asking, name: str, wanted: NewToken) -> Token:
    longest = ask.services.settings.identity.token_max_days
    if wanted.expires_in_days > longest:
        raise Problem("invalid-input", detail=f"A token lasts {longest} days at most.")
    try:
        token = await run_blocking(
            tokens.create,
            ask.services.database,
            user_name=name,
            expires_in=timedelta(days=wanted.expires_in_days),
            description=wanted.description,
            kind=wanted.kind,
            actions=wanted.actions,
            granted=granted(Grants(grants=list(wanted.grants))),
            created_by=ask.actor.name,
        )
    except UnknownUser as error:
        raise Problem("not-found") from error
    except InvalidGrant as error:
        raise Problem(
            "invalid-input", detail=f"{error.message[:1].upper()}{error.message[1:]}."
        ) from error
    await ask.note(
        "create token",
        user=name,
        expires_in_days=wanted.expires_in_days,
        actions=None if wanted.actions is None else sorted(wanted.actions),
    )
    return Token(token=token, expires_in_days=wanted.expires_in_days)


def _entries(rows: list[tokens.TokenRow]) -> list[TokenEntry]:
    return [
        TokenEntry(
            id=row.id,
            user_name=row.user_name,
            description=row.description,
            kind=row.kind,
            actions=None if row.actions is None else list(row.actions),
            created_at=row.created_at,
            created_by=row.created_by,
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
            grants=[Grant.model_validate(one) for one in row.grants],
        )
        for row in rows
    ]
