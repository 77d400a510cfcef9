"""Event reports over WebSocket (PS3.18 §11.13 Open Event Channel, §11.14 Send Event Report).

A channel is opened for an AE title at ``/dicom-web/subscribers/{aetitle}``. The queue of a
subscriber is in the database, bounded there; a channel keeps one batch in memory. What happened
while no channel was open is told to the next one. A consumer that takes nothing for ``SEND_S`` is
closed, and goes on from where it was when it comes again.
"""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog

from negatoscope.domain.devices.ae import normal_title
from negatoscope.domain.devices.errors import InvalidApplicationEntity
from negatoscope.domain.identity import Action, may
from negatoscope.domain.ups import Delivery, UpsEvent
from negatoscope.domain.ups.delivery import CHANNEL
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import Receive, Scope, Send
from negatoscope.infra.db import Database
from negatoscope.infra.db.listening import notifications
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.kit.aio import run_blocking
from negatoscope.standard.sop_classes import UPS_PUSH
from negatoscope.subscribers import audit

MAX_CHANNELS: Final = 256
"""Of one process."""
MAX_CHANNELS_PER_TITLE: Final = 8
SEND_S: Final = 30.0
LOOK_S: Final = 5.0
"""A channel looks by itself so often, whatever is announced."""
CHECK_S: Final = 60.0
"""Whether its user may still listen is asked so often."""
_POLICY, _TRY_LATER = 1008, 1013
_log = structlog.get_logger(__name__)


class EventChannels:
    """The open channels of one process.

    Args:
        database: Where the queues are.
        access: Who may, and the audit trail.
    """

    def __init__(self, database: Database, access: Access) -> None:
        self._database = database
        self._delivery = Delivery(database)
        self._access = access
        self._open: Counter[str] = Counter()
        self._wake: dict[str, set[asyncio.Event]] = {}
        self._listener: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Stop listening; the server closes the channels themselves."""
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one WebSocket connection to its end."""
        await receive()  # websocket.connect
        title = await self._admitted(scope)
        if title is None:
            await send({"type": "websocket.close", "code": _POLICY})
            return
        if self._open.total() >= MAX_CHANNELS or self._open[title] >= MAX_CHANNELS_PER_TITLE:
            await send({"type": "websocket.close", "code": _TRY_LATER})
            return
        if self._listener is None or self._listener.done():
            self._listener = asyncio.get_running_loop().create_task(self._listen())
        wake = asyncio.Event()
        self._open[title] += 1
        self._wake.setdefault(title, set()).add(wake)
        try:
            cursor: int | None = await run_blocking(self._delivery.cursor, title)
            await send({"type": "websocket.accept"})
            place = _Place(cursor or 0, cursor or 0)
            await self._run(scope, receive, send, title=title, wake=wake, place=place)
        except DatabaseUnavailable:
            await send({"type": "websocket.close", "code": _TRY_LATER})
        finally:
            self._open[title] -= 1
            self._wake[title].discard(wake)
            if not self._open[title]:
                del self._open[title], self._wake[title]

    async def _admitted(self, scope: Scope) -> str | None:
        """The AE title of the path, when whoever asks may listen for it."""
        title = str(scope["path"]).rpartition("/")[2]
        try:
            title = normal_title(title)
            caller = await self._access.caller(scope)
            if caller is None:
                return None
            decision = may(caller.actor, Action.UPS)
            client = scope.get("client")
            await run_blocking(
                audit.record,
                self._database,
                actor=caller.actor,
                action=Action.UPS,
                outcome=audit.Outcome.SUCCESS if decision else audit.Outcome.REFUSED,
                peer=str(client[0]) if client else "",
                detail={"transaction": "open event channel", "ae_title": title},
            )
        except (InvalidApplicationEntity, DatabaseUnavailable):
            return None
        return title if decision else None

    async def _run(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        title: str,
        wake: asyncio.Event,
        place: "_Place",
    ) -> None:
        gone = asyncio.create_task(_until_gone(receive))
        tell = asyncio.create_task(self._tell(scope, send, title, wake, place))
        try:
            await asyncio.wait({gone, tell}, return_when=asyncio.FIRST_COMPLETED)
            if tell.done() and not gone.done():
                with contextlib.suppress(Exception):
                    code = tell.result()
                    async with asyncio.timeout(SEND_S):
                        await send({"type": "websocket.close", "code": code})
        finally:
            for task in (gone, tell):
                task.cancel()
            await asyncio.gather(gone, tell, return_exceptions=True)
            if place.sent > place.kept:  # the client went while it was noted
                with contextlib.suppress(DatabaseUnavailable):
                    await run_blocking(self._delivery.move_cursor, title, place.sent)

    async def _tell(
        self, scope: Scope, send: Send, title: str, wake: asyncio.Event, place: "_Place"
    ) -> int:
        """Send events as they come. Returns: why it ends, a WebSocket close code."""
        loop = asyncio.get_running_loop()
        number, check_at = 0, loop.time() + CHECK_S
        while True:
            wake.clear()
            try:
                if loop.time() >= check_at:
                    check_at = loop.time() + CHECK_S
                    caller = await self._access.caller(scope)
                    if caller is None or not may(caller.actor, Action.UPS):
                        return _POLICY
                batch = await run_blocking(self._delivery.next_events, title, after=place.sent)
                for event in batch:
                    number = number % 0xFFFF + 1
                    async with asyncio.timeout(SEND_S):
                        await send({"type": "websocket.send", "text": event_report(event, number)})
                    place.sent = event.id
                if batch:
                    await run_blocking(self._delivery.move_cursor, title, place.sent)
                    place.kept = place.sent
                    continue
            except TimeoutError:
                _log.warning("ups.slow_channel", ae_title=title)
                return _TRY_LATER
            except DatabaseUnavailable:
                _log.warning("ups.channel_without_database", ae_title=title)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await wake.wait()

    async def _listen(self) -> None:
        """Wake the channels of whoever there is something new for."""
        async for title in notifications(self._database.url, CHANNEL):
            if title is None:
                for wakes in self._wake.values():
                    for wake in wakes:
                        wake.set()
            for wake in self._wake.get(title or "", ()):
                wake.set()


@dataclass(slots=True)
class _Place:
    """Where a channel is in its queue: the last event sent, the last one noted as sent."""

    sent: int
    kept: int


def event_report(event: UpsEvent, message_id: int) -> str:
    """An event as a WebSocket message (§11.14): the command elements and the event information."""
    command: dict[str, Any] = {
        "00000002": {"vr": "UI", "Value": [UPS_PUSH]},
        "00000110": {"vr": "US", "Value": [message_id]},
        "00001000": {"vr": "UI", "Value": [event.sop_instance_uid]},
        "00001002": {"vr": "US", "Value": [event.event_type_id]},
    }
    return orjson.dumps(command | dict(event.information), option=orjson.OPT_SORT_KEYS).decode()


async def _until_gone(receive: Receive) -> None:
    """What a client says is not listened to, but that it goes is noticed."""
    while (await receive())["type"] != "websocket.disconnect":
        pass
