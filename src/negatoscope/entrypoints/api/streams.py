"""Who is told of what happens: one listener for a process, a bounded queue for each open page.

A page that was away asks with the identifier of the last event it had (Last-Event-ID). What this
process heard since is told again; when it cannot know what was missed it says ``resync``, and the
page reads its list again. The same is said to a page that takes its events too slowly.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import structlog

from negatoscope.domain.archive import visibility
from negatoscope.domain.identity import Action, Actor, may
from negatoscope.entrypoints.web.asgi import Request
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.services import Services
from negatoscope.infra.db.listening import announcements
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.kit.aio import run_blocking
from negatoscope.subscribers.notifications import CHANNEL as ARRIVALS_CHANNEL
from negatoscope.subscribers.notifications import WORKFLOW_CHANNEL

MAX_STREAMS: Final = 1_000
MAX_STREAMS_PER_ACTOR: Final = 20
WAITING: Final = 500
"""Studies, or changes, that a page may be behind."""
REMEMBERED: Final = 1_000
HEARTBEAT_S: Final = 15.0
LISTENING_S: Final = 3.0
"""How long a page waits for the database before it is welcomed all the same."""
LONGEST_S: Final = 900.0
"""The page comes back by itself."""
RETRY_AFTER_S: Final = 30
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened.

    Attributes:
        number: Of the outbox; rises with time.
        channel: By which it was announced.
        key: What it is about; later tidings about the same are joined with it.
        value: What is told: a count is added up, of anything else the latest stays.
    """

    number: int
    channel: str
    key: str
    value: Any


Waiting = Mapping[tuple[str, str], Any]
"""By channel and key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What a page can listen to.

    Attributes:
        name: Of its events.
        action: Who may do this may listen.
        channels: Whose tidings it gets.
        compose: The data of one event, for one actor; None when there is nothing for them.
    """

    name: str
    action: Action
    channels: frozenset[str]
    compose: Callable[[Services, Actor, Waiting], Awaitable[Mapping[str, Any] | None]]


async def _studies(services: Services, actor: Actor, waiting: Waiting) -> list[dict[str, Any]]:
    counts = {
        key: count for (channel, key), count in waiting.items() if channel == ARRIVALS_CHANNEL
    }
    seen = frozenset(counts)
    if counts and not actor.data_scope.is_everything:
        seen = await run_blocking(
            visibility.visible_among, services.database, actor.data_scope, seen
        )
    return [
        {"study_instance_uid": study, "count": count}
        for study, count in counts.items()
        if study in seen
    ]


async def _arrivals(services: Services, actor: Actor, waiting: Waiting) -> Mapping[str, Any] | None:
    studies = await _studies(services, actor, waiting)
    return {"studies": studies} if studies else None


async def _board(services: Services, actor: Actor, waiting: Waiting) -> Mapping[str, Any] | None:
    changes = [value for (channel, _), value in waiting.items() if channel == WORKFLOW_CHANNEL]
    studies = await _studies(services, actor, waiting)
    return {"changes": changes, "studies": studies} if changes or studies else None


ARRIVALS: Final = Topic(
    name="arrivals",
    action=Action.QUERY,
    channels=frozenset({ARRIVALS_CHANNEL}),
    compose=_arrivals,
)
BOARD: Final = Topic(
    name="board",
    action=Action.READ_WORK,
    channels=frozenset({ARRIVALS_CHANNEL, WORKFLOW_CHANNEL}),
    compose=_board,
)
_CHANNELS: Final = (ARRIVALS_CHANNEL, WORKFLOW_CHANNEL)


def read(channel: str, payload: str) -> Told:
    """What was announced.

    Raises:
        ValueError, TypeError, KeyError: it cannot be read.
    """
    number, *rest = orjson.loads(payload)
    if channel == ARRIVALS_CHANNEL:
        study, count = rest
        return Told(int(number), channel, str(study), int(count))
    (change,) = rest
    numbers = [change[name] for name in ("request", "procedure", "step", "appointment")]
    return Told(int(number), channel, orjson.dumps(numbers).decode(), change)


@dataclass(slots=True, eq=False)
class _Stream:
    """A page: what it was not told of yet."""

    topic: Topic
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[tuple[str, str], Any] = field(default_factory=dict)
    last: int = 0
    resync: bool = False
    is_open: bool = False

    def put(self, told: Told) -> None:
        if told.channel not in self.topic.channels:
            return
        self.last = max(self.last, told.number)
        key = (told.channel, told.key)
        if key not in self.waiting and len(self.waiting) >= WAITING:
            self.resync = True
        elif isinstance(told.value, int):
            self.waiting[key] = self.waiting.get(key, 0) + told.value
        else:
            self.waiting[key] = told.value
        self.wake.set()


class Streams:
    """The open pages of one process.

    Args:
        services: The database, and who may.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._streams: set[_Stream] = set()
        self._by_actor: Counter[str] = Counter()
        self._recent: deque[Told] = deque(maxlen=REMEMBERED)
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

    def open(
        self, request: Request, topic: Topic, last_event_id: str | None
    ) -> AsyncIterator[bytes]:
        """A stream of server-sent events for one page.

        Raises:
            Problem: too many are open.
        """
        name = f"{request.actor.kind} {request.actor.name}"
        if len(self._streams) >= MAX_STREAMS or self._by_actor[name] >= MAX_STREAMS_PER_ACTOR:
            raise Problem("busy", retry_after_s=RETRY_AFTER_S)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.get_running_loop().create_task(self._listen())
        return self._run(request, name, self._stream(topic, last_event_id))

    def _stream(self, topic: Topic, last_event_id: str | None) -> _Stream:
        stream = _Stream(topic)
        if last_event_id:
            since = int(last_event_id) if last_event_id.isdecimal() else -1
            known = (
                self._listening.is_set() and self._recent and self._recent[0].number <= since + 1
            )
            if known and len(last_event_id) < 20:
                for told in self._recent:
                    if told.number > since:
                        stream.put(told)
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
                actor = await self._still(request, stream.topic)
                if actor is None:
                    yield b"event: end\ndata: {}\n\n"
                    return
                yield await self._message(actor, stream)
        finally:
            self._streams.discard(stream)
            self._by_actor[name] -= 1
            if not self._by_actor[name]:
                del self._by_actor[name]

    async def _still(self, request: Request, topic: Topic) -> Actor | None:
        """Who listens, while the session or token is good: a page must not outlive its sign-in."""
        try:
            caller = await self._services.access.caller(request.scope, touch=False)
        except DatabaseUnavailable:
            return request.actor  # nothing is told while the database is away
        if caller is None or not may(caller.actor, topic.action):
            return None
        return caller.actor

    async def _message(self, actor: Actor, stream: _Stream) -> bytes:
        waiting, stream.waiting = stream.waiting, {}
        if stream.resync:
            stream.resync = False
            return b"id: %d\nevent: resync\ndata: {}\n\n" % stream.last
        try:
            data = await stream.topic.compose(self._services, actor, waiting) if waiting else None
        except DatabaseUnavailable:
            return b"event: resync\ndata: {}\n\n"
        if data is None:
            return b": still here\n\n"
        name = stream.topic.name.encode("ascii")
        return b"id: %d\nevent: %b\ndata: %b\n\n" % (stream.last, name, orjson.dumps(data))

    async def _listen(self) -> None:
        async for announced in announcements(self._services.settings.database_url or "", _CHANNELS):
            if announced is None:  # a new connection: what was announced before is not known
                self._recent.clear()
                for stream in self._streams:
                    if stream.is_open:
                        stream.resync = True
                        stream.wake.set()
                self._listening.set()
                continue
            try:
                told = read(*announced)
            except (ValueError, TypeError, KeyError):
                _log.warning("streams.unreadable", channel=announced[0])
                continue
            self._recent.append(told)
            for stream in self._streams:
                stream.put(told)
