"""The one crossing from coroutines to blocking code."""

import asyncio
import contextvars
import functools
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MAX_THREADS: Final = 32
"""Blocking calls under way at once in a process; further ones wait their turn."""

_END: Final = object()


@functools.cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=MAX_THREADS, thread_name_prefix="blocking")


async def run_blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that may block, on a thread; the event loop goes on meanwhile.

    Cancelling the coroutine does not stop the thread: the function ends in its own time.

    Returns: What the function returns.
    """
    call = functools.partial(contextvars.copy_context().run, function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_executor(), call)


async def iterate_blocking(items: Iterable[T]) -> AsyncIterator[T]:
    """The items of an iterable that blocks between them, one thread hop each.

    Its steps never overlap, so a generator is safe; it is closed (on a thread) when the loop
    over this iterator ends early.
    """
    iterator = iter(items)
    try:
        while (item := await run_blocking(next, iterator, _END)) is not _END:
            yield item  # type: ignore[misc]
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            await run_blocking(close)
