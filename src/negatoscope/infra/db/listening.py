"""What other processes announce with NOTIFY, on an event loop."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import psycopg
import structlog
from psycopg import sql

from negatoscope.infra.db.database import connection_parameters

RECONNECT_S: Final = 1.0
_log = structlog.get_logger(__name__)


async def notifications(url: str, channel: str) -> AsyncIterator[str | None]:
    """Payloads of a channel as they come, over a connection of its own.

    Yields: The payload; None each time the connection is new, since what was announced before is
        not known then.
    """
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(
                url, autocommit=True, **connection_parameters(url)
            )
        except psycopg.OperationalError as error:
            _log.warning("database.listen_failed", reason=str(error).split("\n")[0])
            await asyncio.sleep(RECONNECT_S)
            continue
        try:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield None
            async for notification in connection.notifies():
                yield notification.payload
        except psycopg.OperationalError as error:
            _log.warning("database.listen_lost", reason=str(error).split("\n")[0])
        finally:
            await connection.close()
        await asyncio.sleep(RECONNECT_S)
