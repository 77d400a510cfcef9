"""What a person keeps of their own: columns, saved filters, language."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Path, Response

from negatoscope.domain.identity import Action, preferences
from negatoscope.domain.identity.errors import IdentityError
from negatoscope.entrypoints.api.common import Ask
from negatoscope.entrypoints.web.access import Forbidden
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

router = APIRouter(prefix="/me/preferences", tags=["preferences"])
Key = Annotated[str, Path(pattern=r"^[a-z][a-z0-9.-]{0,63}$")]


@router.get("")
async def get_preferences(ask: Ask) -> dict[str, Any]:
    """Everything kept, by key."""
    return await run_blocking(preferences.get_all, ask.services.database, _owner(ask))


@router.get("/{key}", responses={204: {"description": "Nothing is kept under it"}})
async def get_preference(ask: Ask, key: Key) -> Any:
    """The value of one key; 204 when nothing is kept under it."""
    found = await run_blocking(preferences.get, ask.services.database, _owner(ask), key)
    return Response(status_code=204) if found is None else found


@router.put("/{key}", status_code=204)
async def put_preference(
    ask: Ask,
    key: Key,
    value: Annotated[dict[str, Any] | list[Any] | str | bool | int | float, Body()],
) -> None:
    """Keep a value: any JSON of at most 64 kB."""
    owner = _owner(ask)
    try:  # what the database and every other reader of JSON take: no NaN, no lone surrogate
        text = orjson.dumps(value)
    except (TypeError, ValueError) as error:
        raise Problem("invalid-input", detail="That is not JSON which everybody reads.") from error
    if len(text) > preferences.MAX_BYTES or b"\\u0000" in text:
        raise Problem("body-too-large", detail="At most 64 kB of JSON are kept under a key.")
    try:
        await run_blocking(preferences.put, ask.services.database, owner, key, orjson.loads(text))
    except IdentityError as error:
        raise Problem(
            "conflict", detail=f"{error.message[:1].upper()}{error.message[1:]}."
        ) from error


@router.delete("/{key}", status_code=204)
async def delete_preference(ask: Ask, key: Key) -> None:
    """Forget a value."""
    if not await run_blocking(preferences.delete, ask.services.database, _owner(ask), key):
        raise Problem("not-found")


def _owner(ask: Ask) -> int:
    if ask.actor.user_id is None:
        raise Forbidden(Action.QUERY, None)
    return ask.actor.user_id
