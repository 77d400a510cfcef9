"""The registry of application entities."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from negatoscope.domain.devices import ae, callers
from negatoscope.domain.devices.errors import (
    ApplicationEntityExists,
    InvalidApplicationEntity,
    UnknownApplicationEntity,
)
from negatoscope.domain.identity import AERole
from negatoscope.entrypoints.api.common import Administer, Schema
from negatoscope.entrypoints.web.echo import Diagnosis, echo
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["application entities"])
Title = Annotated[str, Path(min_length=1, max_length=16)]


class Address(Schema):
    """Where a peer is called, what it may ask of us, and how it must prove who it is."""

    host: Annotated[str, Field(min_length=1, max_length=255)]
    port: Annotated[int, Field(ge=1, le=65535)]
    roles: frozenset[AERole] = frozenset({AERole.STORE, AERole.QUERY, AERole.RETRIEVE})
    tls: bool = False
    description: Annotated[str, Field(max_length=200)] = ""
    is_enabled: bool = True
    tls_required: bool = False
    certificates: Annotated[
        tuple[Annotated[str, Field(max_length=500)], ...], Field(max_length=8)
    ] = ()
    check_host: bool = False
    max_associations: Annotated[int, Field(ge=1, le=10_000)] | None = None


class ApplicationEntity(Address):
    """A peer we know."""

    ae_title: Annotated[str, Field(min_length=1, max_length=16)]


class RegisteredEntity(ApplicationEntity):
    """The same and when it called."""

    last_seen_at: datetime | None = None
    accepted_count: int = 0
    refused_count: int = 0


class Caller(Schema):
    """A calling AE title at a host, as counted by the DICOM listener."""

    ae_title: str
    peer_host: str
    accepted_count: int
    refused_count: int
    first_at: datetime
    last_accepted_at: datetime | None
    last_refused_at: datetime | None
    last_refusal: str | None
    implementation_class_uid: str | None
    implementation_version_name: str | None
    is_registered: bool


class Echo(Schema):
    """What a peer answered to C-ECHO; ``code`` says what was found."""

    answers: bool
    milliseconds: int
    code: Diagnosis
    reason: str
    hint: str
    address: str
    tls: str
    implementation: str
    our_ae_title: str


@router.get("/application-entities")
async def list_application_entities(ask: Administer) -> list[RegisteredEntity]:
    """Every entry, by title."""
    known = await run_blocking(ae.list_entities, ask.services.database)
    seen = callers.activity(
        await run_blocking(callers.list_callers, ask.services.database, limit=5000)
    )
    return [_registered(one, seen) for one in known]


@router.post("/application-entities", status_code=201)
async def add_application_entity(ask: Administer, entity: ApplicationEntity) -> RegisteredEntity:
    """Register a peer."""
    return await _write(ask, entity, replace=False)


@router.get("/application-entities/{ae_title}")
async def get_application_entity(ask: Administer, ae_title: Title) -> RegisteredEntity:
    """One entry."""
    found = await _find(ask, ae_title)
    seen = callers.activity(
        await run_blocking(callers.list_callers, ask.services.database, ae_title=found.ae_title)
    )
    return _registered(found, seen)


@router.put("/application-entities/{ae_title}")
async def put_application_entity(
    ask: Administer, ae_title: Title, address: Address
) -> RegisteredEntity:
    """Register a peer or change its entry."""
    entity = ApplicationEntity(ae_title=ae_title, **address.model_dump())
    return await _write(ask, entity, replace=True)


@router.delete("/application-entities/{ae_title}", status_code=204)
async def remove_application_entity(ask: Administer, ae_title: Title) -> None:
    """Take a peer out of the registry."""
    before = await run_blocking(ae.find, ask.services.database, ae_title)
    try:
        await run_blocking(ae.remove, ask.services.database, ae_title)
    except UnknownApplicationEntity as error:
        raise Problem("not-found") from error
    await ask.note("remove application entity", ae_title=ae_title, before=_told(before))


@router.post("/application-entities/{ae_title}/echo")
async def echo_application_entity(ask: Administer, ae_title: Title) -> Echo:
    """Verify a peer: C-ECHO, seconds at most. That it does not answer is an answer too."""
    entity = await _find(ask, ae_title)
    result = await run_blocking(echo, ask.services.settings, entity)
    await ask.note("verify application entity", ae_title=entity.ae_title, found=str(result.code))
    return Echo(**asdict(result), our_ae_title=ask.services.settings.ae_title)


@router.get("/callers")
async def list_callers(
    ask: Administer, ae_title: str | None = None, is_registered: bool | None = None
) -> list[Caller]:
    """Who called, the latest first: of one title, registered or not, or all."""
    found = await run_blocking(callers.list_callers, ask.services.database, ae_title=ae_title)
    return [
        Caller.model_validate(one)
        for one in found
        if is_registered is None or one.is_registered == is_registered
    ]


@router.delete("/callers/{ae_title}/{peer_host}", status_code=204)
async def dismiss_caller(
    ask: Administer, ae_title: Title, peer_host: Annotated[str, Path(max_length=64)]
) -> None:
    """Take a caller off the list until it calls again."""
    found = await run_blocking(
        callers.dismiss, ask.services.database, ae_title=ae_title, peer_host=peer_host
    )
    if not found:
        raise Problem("not-found")
    await ask.note("dismiss caller", ae_title=ae_title, peer_host=peer_host)


def _registered(
    entity: ae.ApplicationEntity, seen: Mapping[str, tuple[datetime | None, int, int]]
) -> RegisteredEntity:
    last_seen_at, accepted, refused = seen.get(entity.ae_title, (None, 0, 0))
    return RegisteredEntity(
        **_fields(entity),
        last_seen_at=last_seen_at,
        accepted_count=accepted,
        refused_count=refused,
    )


def _fields(entity: ae.ApplicationEntity) -> dict[str, Any]:
    return {name: getattr(entity, name) for name in ApplicationEntity.model_fields}


def _told(entity: ae.ApplicationEntity | None) -> dict[str, object] | None:
    """An entry for the audit trail."""
    return None if entity is None else _fields(entity) | {"roles": sorted(entity.roles)}


async def _find(ask: Administer, ae_title: str) -> ae.ApplicationEntity:
    entity = await run_blocking(ae.find, ask.services.database, ae_title)
    if entity is None:
        raise Problem("not-found")
    return entity


async def _write(ask: Administer, entity: ApplicationEntity, *, replace: bool) -> RegisteredEntity:
    if entity.ae_title.strip(" ") == ask.services.settings.ae_title:
        raise Problem(
            "invalid-input",
            detail="That is our own AE title: what we send would come back to us.",
        )
    before = await run_blocking(ae.find, ask.services.database, entity.ae_title)
    try:
        written = await run_blocking(
            ae.add,
            ask.services.database,
            **entity.model_dump(),
            replace=replace,
            by=ask.actor.name,
        )
    except InvalidApplicationEntity as error:
        raise Problem("invalid-input", detail=f"{error}. {error.hint}") from error
    except ApplicationEntityExists as error:
        raise Problem("conflict", detail="That AE title is registered already.") from error
    await ask.note(
        "write application entity",
        ae_title=written.ae_title,
        before=_told(before),
        after=_told(written),
    )
    return _registered(written, {})
