"""Links to one study for somebody without an account: made, listed, revoked, exchanged."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, SecretStr

from negatoscope.domain.identity import Action, Actor, attempts, links, may
from negatoscope.domain.identity.errors import InvalidGrant, LinkRefused, PinRequired
from negatoscope.entrypoints.api.common import Anyone, Asking, Schema, to
from negatoscope.entrypoints.api.me import Number
from negatoscope.entrypoints.api.session import HASHING, Session, client, describe, keep, same_site
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers.audit import Outcome

router = APIRouter(tags=["links"])
Sharer = Annotated[Asking, to(Action.SHARE)]
_DOOR = "study link"
"""Instead of an account's name, where failures are counted."""


class NewLink(Schema):
    """A link to be made."""

    study_instance_uid: Annotated[str, Field(pattern=r"^[0-9.]{1,64}$")]
    expires_in_hours: Annotated[int, Field(ge=1, le=24 * 3650)] = 24 * 7
    description: Annotated[str, Field(max_length=200)] = ""
    pin: Annotated[SecretStr, Field(max_length=20)] | None = None
    max_uses: Annotated[int, Field(ge=1, le=10_000)] | None = None


class Link(Schema):
    """A link; its secret is not kept."""

    id: int
    study_instance_uid: str
    description: str
    has_pin: bool
    max_uses: int | None
    use_count: int
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


class MadeLink(Schema):
    """A link, and where it leads; that cannot be had again."""

    url: str
    link: Link


class Exchange(Schema):
    """The secret of a link, and its PIN where it has one."""

    secret: Annotated[SecretStr, Field(max_length=200)]
    pin: Annotated[SecretStr, Field(max_length=20)] | None = None


@router.post("/links", status_code=201)
async def add_link(ask: Sharer, wanted: NewLink) -> MadeLink:
    """Make a link to a study that the maker sees."""
    study = wanted.study_instance_uid
    await ask.require_study(Action.QUERY, study)
    longest = ask.services.settings.identity.link_max_days
    if wanted.expires_in_hours > longest * 24:
        raise Problem("invalid-input", detail=f"A link lasts {longest} days at most.")
    detail = await run_blocking(ask.overview.study, study)
    if detail is None:
        raise Problem("study-not-found")
    try:
        async with HASHING:
            secret, made = await run_blocking(
                links.create,
                ask.services.database,
                study_instance_uid=study,
                created_by=ask.actor.name,
                expires_in=timedelta(hours=wanted.expires_in_hours),
                description=wanted.description,
                pin=None if wanted.pin is None else wanted.pin.get_secret_value(),
                max_uses=wanted.max_uses,
            )
    except InvalidGrant as error:
        raise Problem(
            "invalid-input", detail=f"{error.message[:1].upper()}{error.message[1:]}."
        ) from error
    await ask.services.access.note(
        ask.request,
        Action.SHARE,
        study_instance_uid=study,
        detail={"link": made.id, "expires_at": made.expires_at.isoformat()},
    )
    origin = ask.request.scope["negatoscope.origin"]
    return MadeLink(url=f"{origin}/link/{secret}", link=_shown(made))


@router.get("/links")
async def list_links(ask: Sharer, study_instance_uid: str | None = None) -> list[Link]:
    """Links one made; all of them for administrators."""
    if study_instance_uid is not None and len(study_instance_uid) > 64:
        raise Problem("invalid-input")
    everybodys = bool(may(ask.actor, Action.ADMINISTER))
    rows = await run_blocking(
        links.list_links,
        ask.services.database,
        study_instance_uid=study_instance_uid,
        created_by=None if everybodys else ask.actor.name,
    )
    return [_shown(row) for row in rows]


@router.delete("/links/{number}", status_code=204)
async def revoke_link(ask: Sharer, number: Number) -> None:
    """End a link and the sessions that came of it."""
    everybodys = bool(may(ask.actor, Action.ADMINISTER))
    if not await run_blocking(
        links.revoke,
        ask.services.database,
        number,
        by=ask.actor.name,
        created_by=None if everybodys else ask.actor.name,
    ):
        raise Problem("not-found")
    await ask.note("revoke link", link=number)


@router.post("/session/link")
async def exchange_link(ask: Anyone, given: Exchange, response: Response) -> Session:
    """Begin a session that sees the link's study and nothing else."""
    same_site(ask)
    services, peer = ask.services, ask.request.peer
    wait_s = await run_blocking(attempts.wait_s, services.database, _DOOR, peer)
    if wait_s > 0:
        raise Problem("too-many-attempts", retry_after_s=int(wait_s) + 1)
    who = client(ask)
    try:
        async with HASHING:
            link, cookie = await run_blocking(
                links.exchange,
                services.database,
                services.access.limits,
                given.secret.get_secret_value(),
                pin=None if given.pin is None else given.pin.get_secret_value(),
                peer=who.peer,
                agent=who.agent,
                replaces=who.cookie,
            )
    except PinRequired as error:
        raise Problem("pin-required") from error
    except LinkRefused as error:
        await run_blocking(attempts.failed, services.database, _DOOR, peer)
        await services.access.note(
            ask.request, "use link", outcome=Outcome.REFUSED, actor=Actor.anonymous()
        )
        raise Problem("link-refused") from error
    await services.access.note(
        ask.request,
        "use link",
        actor=Actor(kind="link", name=f"link {link.id}"),
        study_instance_uid=link.study_instance_uid,
        detail={"link": link.id, "made by": link.created_by},
    )
    keep(ask, response, cookie)
    return await describe(ask, cookie)


def _shown(row: links.Link) -> Link:
    return Link.model_validate({name: getattr(row, name) for name in Link.model_fields})
