"""Who draws next: one at a time from each user, however many requests each has waiting."""

import asyncio
from collections import OrderedDict, deque


class Turns:
    """A bounded number of pieces of work, given out by user in rotation. On the event loop.

    Args:
        at_once: Pieces of work under way together.
        waiting: Requests that may wait, of all users.
    """

    def __init__(self, at_once: int, *, waiting: int = 2000) -> None:
        self._free = at_once
        self._most_waiting = waiting
        self._waiting = 0
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def take(self, user: str) -> None:
        """Wait for a turn, to be given back with ``give``.

        Raises:
            TooManyWait: the queue is full.
            CancelledError: the waiting was ended; the place in the queue is given up.
        """
        if self._free and not self._queues:
            self._free -= 1
            return
        if self._waiting >= self._most_waiting:
            raise TooManyWait
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(user, deque()).append(place)
        self._waiting += 1
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # given in the same moment
                self.give()
            raise
        finally:
            self._waiting -= 1

    def give(self) -> None:
        """Give a turn back: to the user who waits for longest."""
        while self._queues:
            user, queue = self._queues.popitem(last=False)
            place = queue.popleft()
            if queue:
                self._queues[user] = queue  # behind all others
            if not place.done():
                place.set_result(None)
                return
        self._free += 1


class TooManyWait(Exception):
    """No more requests can wait."""
