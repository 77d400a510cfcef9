"""Whether the system is well."""

from typing import Any

from fastapi import APIRouter

from negatoscope.entrypoints.api.common import Administer, Ask, Schema
from negatoscope.entrypoints.web.health import system
from negatoscope.entrypoints.web.version import VERSION
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["system"])


class Me(Schema):
    """Who is asking."""

    kind: str
    name: str
    roles: list[str]


class Volume(Schema):
    """A place where segments are kept."""

    name: str
    free_bytes: int | None
    low_watermark_bytes: int
    takes_objects: bool


class Health(Schema):
    """The state of this node."""

    version: str
    ae_title: str
    ready: bool
    causes: list[str]
    volumes: list[Volume]


@router.get("/me")
async def get_me(ask: Ask) -> Me:
    """The account behind the token or the session."""
    return Me(kind=ask.actor.kind, name=ask.actor.name, roles=sorted(ask.actor.roles))


@router.get("/system/health")
async def get_health(ask: Administer) -> Health:
    """Database and volumes, with their figures."""
    found: dict[str, Any] = await run_blocking(system, ask.services)
    return Health(version=VERSION, ae_title=ask.services.settings.ae_title, **found)
