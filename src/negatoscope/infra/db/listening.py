"""What other processes announce with NOTIFY, on an event loop."""

import asyncio
from collections.abc import AsyncIterator, Sequence
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
    async for announced in announcements(url, (channel,)):
        yield None if announced is None else announced[1]


async def announcements(url: str, channels: Sequence[str]) -> AsyncIterator[tuple[str, str] | None]:
    """The same of several channels, over one connection.

    Yields: Channel and payload; None each time the connection is new.
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
            for channel in channels:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield None
            async for notification in connection.notifies():
                yield notification.channel, notification.payload
        except psycopg.OperationalError as error:
            _log.warning("database.listen_lost", reason=str(error).split("\n")[0])
        finally:
            await connection.close()
        await asyncio.sleep(RECONNECT_S)
