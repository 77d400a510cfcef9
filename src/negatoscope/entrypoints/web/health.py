"""Whether this process can do its work."""

from typing import Any

import psycopg

from negatoscope.entrypoints.web.services import Services
from negatoscope.infra import data_dir
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.kit.aio import run_blocking


async def readiness(services: Services | None) -> tuple[bool, dict[str, Any]]:
    """Ready: the database answers and has room, and a volume takes objects.

    Returns: Whether, and a document that names the cause; no names of volumes or hosts.
    """
    if services is None:
        return False, {"status": "not ready", "causes": ["the database does not answer"]}
    causes = await run_blocking(_causes, services)
    if causes:
        return False, {"status": "not ready", "causes": causes}
    return True, {"status": "ready"}


def _causes(services: Services) -> list[str]:
    causes: list[str] = []
    try:
        with services.database.connection() as connection:
            connection.execute("SELECT 1")
    except (DatabaseUnavailable, psycopg.Error):
        causes.append("the database does not answer")
    if not data_dir.has_room(services.settings.data_dir):
        causes.append("the disk of the data directory, where the database is, is full")
    if not any(volume.has_room() for volume in services.archive.volumes.values()):
        causes.append("no volume takes new objects")
    return causes


def system(services: Services) -> dict[str, Any]:
    """The same with figures, for administrators."""
    causes = _causes(services)
    volumes = []
    for volume in services.archive.volumes.values():
        try:
            free_bytes: int | None = volume.free_bytes()
        except OSError:
            free_bytes = None
        volumes.append(
            {
                "name": volume.name,
                "free_bytes": free_bytes,
                "low_watermark_bytes": volume.low_watermark_bytes,
                "takes_objects": volume.has_room(),
            }
        )
    return {"ready": not causes, "causes": causes, "volumes": volumes}
