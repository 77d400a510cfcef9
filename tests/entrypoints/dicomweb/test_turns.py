"""Users take turns, and who goes away gives up the place."""

import asyncio

import pytest

from negatoscope.entrypoints.dicomweb.turns import TooManyWait, Turns


def test_one_request_of_each_user_in_rotation() -> None:
    """A hundred requests of one do not hold up the first of another."""

    async def go() -> list[str]:
        turns, order, gate = Turns(1), [], asyncio.Event()

        async def ask(user: str) -> None:
            await turns.take(user)
            await gate.wait()
            order.append(user)
            turns.give()

        work = [asyncio.ensure_future(ask("a")) for _ in range(4)]
        await asyncio.sleep(0)
        work.append(asyncio.ensure_future(ask("b")))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*work)
        return order

    assert asyncio.run(go()) == ["a", "a", "b", "a", "a"]


def test_a_cancelled_wait_passes_the_turn_on() -> None:
    """Whether it is cancelled while waiting or in the moment it is given."""

    async def go() -> None:
        turns = Turns(1)
        await turns.take("a")
        first = asyncio.ensure_future(turns.take("b"))
        second = asyncio.ensure_future(turns.take("c"))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        turns.give()
        await asyncio.wait_for(second, 1)
        third = asyncio.ensure_future(turns.take("d"))
        await asyncio.sleep(0)
        turns.give()
        third.cancel()
        await asyncio.sleep(0)
        await asyncio.wait_for(turns.take("e"), 1)

    asyncio.run(go())


def test_the_queue_has_an_end() -> None:
    """Beyond it a request is told to come again."""

    async def go() -> None:
        turns = Turns(0, waiting=1)
        waiting = asyncio.ensure_future(turns.take("a"))
        await asyncio.sleep(0)
        with pytest.raises(TooManyWait):
            await turns.take("b")
        waiting.cancel()

    asyncio.run(go())
