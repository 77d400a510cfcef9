"""The crossing from coroutines to blocking code."""

import asyncio
import contextvars
import threading
import time

import pytest

from negatoscope.kit.aio import MAX_THREADS, iterate_blocking, run_blocking


def test_the_loop_goes_on_while_a_function_blocks() -> None:
    """The function runs elsewhere; its value, exception and context come across."""
    word = contextvars.ContextVar("word", default="none")

    def slow(value: int, *, add: int) -> tuple[int, str, bool]:
        time.sleep(0.1)
        return value + add, word.get(), threading.current_thread() is threading.main_thread()

    async def run() -> None:
        word.set("here")
        ticks = 0
        task = asyncio.create_task(run_blocking(slow, 1, add=2))
        while not task.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert await task == (3, "here", False)
        assert ticks > 2
        with pytest.raises(ZeroDivisionError):
            await run_blocking(lambda: 1 / 0)

    asyncio.run(run())


def test_calls_are_bounded() -> None:
    """Further ones wait their turn."""
    running, most, lock = 0, 0, threading.Lock()

    def count() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    async def run() -> None:
        await asyncio.gather(*(run_blocking(count) for _ in range(MAX_THREADS * 3)))

    asyncio.run(run())
    assert 1 < most <= MAX_THREADS


def test_a_blocking_iterator_is_walked_and_closed() -> None:
    """Also when the walk ends early."""
    closed: list[bool] = []

    def numbers():
        try:
            yield from range(5)
        finally:
            closed.append(True)

    async def run() -> None:
        assert [number async for number in iterate_blocking(numbers())] == [0, 1, 2, 3, 4]
        walk = iterate_blocking(numbers())
        assert await anext(walk) == 0
        await walk.aclose()

    asyncio.run(run())
    assert closed == [True, True]
