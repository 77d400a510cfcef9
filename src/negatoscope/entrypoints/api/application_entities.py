"""The registry of application entities."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from negatoscope.domain.devices import ae
from negatoscope.domain.devices.errors import (
    ApplicationEntityExists,
    InvalidApplicationEntity,
    UnknownApplicationEntity,
)
from negatoscope.domain.identity import AERole
from negatoscope.entrypoints.api.common import Administer, Schema
from negatoscope.entrypoints.web.echo import echo
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["application entities"])
Title = Annotated[str, Path(min_length=1, max_length=16)]


class Address(Schema):
    """Where a peer is called, and what it may ask of us."""

    host: Annotated[str, Field(min_length=1, max_length=255)]
    port: Annotated[int, Field(ge=1, le=65535)]
    roles: frozenset[AERole] = frozenset({AERole.STORE, AERole.QUERY, AERole.RETRIEVE})
    tls: bool = False
    description: Annotated[str, Field(max_length=200)] = ""


class ApplicationEntity(Address):
    """A peer we know."""

    ae_title: Annotated[str, Field(min_length=1, max_length=16)]


class Echo(Schema):
    """What a peer answered to C-ECHO."""

    answers: bool
    milliseconds: int
    reason: str


@router.get("/application-entities")
async def list_application_entities(ask: Administer) -> list[ApplicationEntity]:
    """Every entry, by title."""
    known = await run_blocking(ae.list_entities, ask.services.database)
    return [ApplicationEntity.model_validate(one) for one in known]


@router.post("/application-entities", status_code=201)
async def add_application_entity(ask: Administer, entity: ApplicationEntity) -> ApplicationEntity:
    """Register a peer."""
    return await _write(ask, entity, replace=False)


@router.get("/application-entities/{ae_title}")
async def get_application_entity(ask: Administer, ae_title: Title) -> ApplicationEntity:
    """One entry."""
    return ApplicationEntity.model_validate(await _find(ask, ae_title))


@router.put("/application-entities/{ae_title}")
async def put_application_entity(
    ask: Administer, ae_title: Title, address: Address
) -> ApplicationEntity:
    """Register a peer or change its entry."""
    entity = ApplicationEntity(ae_title=ae_title, **address.model_dump())
    return await _write(ask, entity, replace=True)


@router.delete("/application-entities/{ae_title}", status_code=204)
async def remove_application_entity(ask: Administer, ae_title: Title) -> None:
    """Take a peer out of the registry."""
    try:
        await run_blocking(ae.remove, ask.services.database, ae_title)
    except UnknownApplicationEntity as error:
        raise Problem("not-found") from error
    await ask.note("remove application entity", ae_title=ae_title)


@router.post("/application-entities/{ae_title}/echo")
async def echo_application_entity(ask: Administer, ae_title: Title) -> Echo:
    """Verify a peer: C-ECHO, ten seconds at most. That it does not answer is an answer too."""
    entity = await _find(ask, ae_title)
    return Echo.model_validate(await run_blocking(echo, ask.services.settings, entity))


async def _find(ask: Administer, ae_title: str) -> ae.ApplicationEntity:
    entity = await run_blocking(ae.find, ask.services.database, ae_title)
    if entity is None:
        raise Problem("not-found")
    return entity


async def _write(ask: Administer, entity: ApplicationEntity, *, replace: bool) -> ApplicationEntity:
    try:
        written = await run_blocking(
            ae.add, ask.services.database, **entity.model_dump(), replace=replace
        )
    except InvalidApplicationEntity as error:
        raise Problem("invalid-input", detail=f"{error}. {error.hint}") from error
    except ApplicationEntityExists as error:
        raise Problem("conflict", detail="That AE title is registered already.") from error
    await ask.note("write application entity", ae_title=written.ae_title)
    return ApplicationEntity.model_validate(written)
