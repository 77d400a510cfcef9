"""Who is told of arrivals: one listener for a process, a bounded queue for each open page.

A page that was away asks with the identifier of the last event it had (Last-Event-ID). What this
process heard since is told again; when it cannot know what was missed it says ``resync``, and the
page reads its list again. The same is said to a page that takes its events too slowly.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import orjson
import structlog

from negatoscope.domain.archive import visibility
from negatoscope.domain.identity import Action, Actor, may
from negatoscope.entrypoints.web.asgi import Request
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.services import Services
from negatoscope.infra.db.listening import notifications
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers.notifications import CHANNEL

MAX_STREAMS: Final = 1_000
MAX_STREAMS_PER_ACTOR: Final = 20
WAITING: Final = 500
"""Studies a page may be behind."""
REMEMBERED: Final = 1_000
HEARTBEAT_S: Final = 15.0
LISTENING_S: Final = 3.0
"""How long a page waits for the database before it is welcomed all the same."""
LONGEST_S: Final = 900.0
"""The page comes back by itself."""
RETRY_AFTER_S: Final = 30
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Objects of one study; ``number`` rises with time."""

    number: int
    study_instance_uid: str
    count: int


@dataclass(slots=True, eq=False)
class _Stream:
    """A page: studies and how many objects of them it was not told of yet."""

    wake: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[str, int] = field(default_factory=dict)
    last: int = 0
    resync: bool = False
    is_open: bool = False

    def put(self, arrival: Arrival) -> None:
        self.last = max(self.last, arrival.number)
        study = arrival.study_instance_uid
        if study not in self.waiting and len(self.waiting) >= WAITING:
            self.resync = True
        else:
            self.waiting[study] = self.waiting.get(study, 0) + arrival.count
        self.wake.set()


class Arrivals:
    """The open pages of one process.

    Args:
        services: The database, and who may.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._streams: set[_Stream] = set()
        self._by_actor: Counter[str] = Counter()
        self._recent: deque[Arrival] = deque(maxlen=REMEMBERED)
        self._listening = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def close(self) -> None:
        """End every stream and stop listening."""
        self._closing.set()
        for stream in self._streams:
            stream.wake.set()
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener

    def open(self, request: Request, last_event_id: str | None) -> AsyncIterator[bytes]:
        """A stream of server-sent events for one page.

        Raises:
            Problem: too many are open.
        """
        name = f"{request.actor.kind} {request.actor.name}"
        if len(self._streams) >= MAX_STREAMS or self._by_actor[name] >= MAX_STREAMS_PER_ACTOR:
            raise Problem("busy", retry_after_s=RETRY_AFTER_S)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.get_running_loop().create_task(self._listen())
        return self._run(request, name, self._stream(last_event_id))

    def _stream(self, last_event_id: str | None) -> _Stream:
        stream = _Stream()
        if last_event_id:
            since = int(last_event_id) if last_event_id.isdecimal() else -1
            known = (
                self._listening.is_set() and self._recent and self._recent[0].number <= since + 1
            )
            if known and len(last_event_id) < 20:
                for arrival in self._recent:
                    if arrival.number > since:
                        stream.put(arrival)
            else:
                stream.resync = True
                stream.wake.set()
        return stream

    async def _run(self, request: Request, name: str, stream: _Stream) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        end_at = loop.time() + LONGEST_S
        self._streams.add(stream)
        self._by_actor[name] += 1
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LISTENING_S):
                    await self._listening.wait()
            stream.is_open = True
            yield b"retry: 3000\n: welcome\n\n"
            while loop.time() < end_at and not self._closing.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(HEARTBEAT_S):
                        await stream.wake.wait()
                stream.wake.clear()
                actor = await self._still(request)
                if actor is None:
                    yield b"event: end\ndata: {}\n\n"
                    return
                yield await self._message(actor, stream)
        finally:
            self._streams.discard(stream)
            self._by_actor[name] -= 1
            if not self._by_actor[name]:
                del self._by_actor[name]

    async def _still(self, request: Request) -> Actor | None:
        """Who listens, while the session or token is good: a page must not outlive its sign-in."""
        try:
            caller = await self._services.access.caller(request.scope, touch=False)
        except DatabaseUnavailable:
            return request.actor  # nothing is told while the database is away
        if caller is None or not may(caller.actor, Action.QUERY):
            return None
        return caller.actor

    async def _message(self, actor: Actor, stream: _Stream) -> bytes:
        waiting, stream.waiting = stream.waiting, {}
        if stream.resync:
            stream.resync = False
            return b"id: %d\nevent: resync\ndata: {}\n\n" % stream.last
        seen = frozenset(waiting)
        if waiting and not actor.data_scope.is_everything:
            try:
                seen = await run_blocking(
                    visibility.visible_among, self._services.database, actor.data_scope, seen
                )
            except DatabaseUnavailable:
                return b"event: resync\ndata: {}\n\n"
        studies = [
            {"study_instance_uid": study, "count": count}
            for study, count in waiting.items()
            if study in seen
        ]
        if not studies:
            return b": still here\n\n"
        data = orjson.dumps({"studies": studies})
        return b"id: %d\nevent: arrivals\ndata: %b\n\n" % (stream.last, data)

    async def _listen(self) -> None:
        async for payload in notifications(self._services.settings.database_url or "", CHANNEL):
            if payload is None:  # a new connection: what was announced before is not known
                self._recent.clear()
                for stream in self._streams:
                    if stream.is_open:
                        stream.resync = True
                        stream.wake.set()
                self._listening.set()
                continue
            try:
                arrival = Arrival(*orjson.loads(payload))
            except (ValueError, TypeError):
                _log.warning("arrivals.unreadable")
                continue
            self._recent.append(arrival)
            for stream in self._streams:
                stream.put(arrival)
