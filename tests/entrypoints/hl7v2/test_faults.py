"""Faults on the wire and in the order of messages: the listener lives, the end is always the same."""

import asyncio
import random
from collections.abc import Callable

import pytest

from negatoscope.domain.messages import Filter, Messages, Processor, State
from negatoscope.domain.patients import Registry
from negatoscope.domain.patients.holders import holders_of
from negatoscope.entrypoints.hl7v2 import listener as listening
from negatoscope.entrypoints.hl7v2.acceptance import examine
from negatoscope.entrypoints.hl7v2.handling import handle
from negatoscope.entrypoints.hl7v2.listener import Limits, Listener
from negatoscope.infra.db import Database
from negatoscope.protocols.hl7v2 import FrameReader, framed, parse

LIMITS = Limits(max_connections=20, max_message_bytes=1 << 16, idle_s=5, senders=("127.0.0.0/8",))


def adt(number: object, event: str, *segments: str, charset: str = "UNICODE UTF-8") -> str:
    header = f"MSH|^~\\&|GAM|CHU|RIS|CHU|20260102||ADT^{event}|{number}|P|2.5|||||FRA|{charset}"
    return "\r".join((header, *segments, ""))


def pid(value: str, name: str = "Nom") -> str:
    return f"PID|||{value}^^^CHU-X&750&N^PI||{name}^Zoé^^^^^L||19800101|F"


def test_what_comes_over_the_wire(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them costs its connection at most; the next sender is served and nothing is lost."""
    monkeypatch.setattr(listening, "FRAME_S", 0.3)
    bad_bytes = adt("bad", "A28", pid("9")).encode().replace("é".encode(), b"\xe9\xff")
    lost = framed(adt("lost", "A28", pid("8")).encode())

    async def talk() -> None:
        listener = Listener(Messages(database), LIMITS, on_stored=lambda: None)
        port = await listener.start("127.0.0.1", 0)

        async def send(data: bytes, *, wait_s: float = 3.0) -> list[str]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            frames, found = FrameReader(), []
            try:
                writer.write(data)
                await writer.drain()
                async with asyncio.timeout(wait_s):
                    while not found and (got := await reader.read(65536)):
                        found += frames.feed(got)
            except (ConnectionError, TimeoutError):
                pass
            finally:
                writer.close()
            return [parse(one).get("MSA", 1) for one in found]

        async def is_alive(number: str) -> bool:
            return await send(framed(adt(number, "A28", pid("1")).encode())) == ["AA"]

        assert await send(b"\x0bMSH|^~\\&|no end") == []  # closed after the deadline
        assert await is_alive("1")
        assert await send(b"\x0b" + b"x" * (1 << 20)) == []  # longer than a message may be
        assert await is_alive("2")
        assert await send(b"GET / HTTP/1.1\r\n\r\n", wait_s=0.3) == []
        assert await send(bytes(range(256)) * 20, wait_s=0.6) in ([], ["AR"])
        assert await is_alive("3")
        assert await send(framed(bad_bytes)) == ["AA"]
        # the answer is lost: the sender goes before it reads, and comes again
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(lost)
        await writer.drain()
        writer.close()
        await asyncio.sleep(0.2)
        assert await send(lost) == ["AA"]
        await listener.stop()

    asyncio.run(talk())
    Processor(database, handle).process_waiting()
    kept = Messages(database).search(Filter())
    assert [one.state for one in kept if one.control_id == "lost"] == [State.PROCESSED]
    (damaged,) = (one for one in kept if one.control_id == "bad")
    assert any("MSH-18" in note for note in damaged.notes)
    assert Messages(database).get(damaged.id)[1] == bad_bytes


def story(seed: int) -> list[str]:
    """Files made, changed after they ended, merged in circles, identifiers changed; as it comes."""
    chance = random.Random(seed)
    people = ["A", "B", "C", "D"]
    told: list[str] = []
    for number in range(60):
        one, other = chance.sample(people, 2)
        event = chance.choice(["A28", "A31", "A31", "A40", "A47"])
        if event == "A40":
            mrg = f"MRG|{other}^^^CHU-X&750&N^PI"
            told.append(adt(number, "A40", pid(one, f"N{number}"), mrg))
        elif event == "A47":
            mrg = f"MRG|{one}^^^CHU-X&750&N^PI"
            told.append(adt(number, "A47", pid(f"{one}{number}"), mrg))
        else:
            told.append(adt(number, event, pid(one, f"N{number}")))
    return told


@pytest.mark.parametrize("seed", [1, 2])
def test_the_end_does_not_depend_on_how_many_work(
    new_database_url: Callable[..., str], seed: int
) -> None:
    """A31 after A40, merges in a circle: one processor or six, the files are the same."""

    def end(threads: int) -> object:
        with Database(new_database_url()) as database:
            arrivals = [examine(one.encode(), peer="")[0] for one in story(seed)]
            Messages(database).store(arrivals)
            processor = Processor(database, handle, holders=holders_of, threads=threads)
            processor.start()
            while Messages(database).depth()[0]:
                processor.wake()
            processor.stop()
            states = [(one.control_id, one.state) for one in Messages(database).search(Filter())]
            with database.connection() as connection:
                rows = connection.execute(
                    "SELECT id FROM registered_patient ORDER BY id"
                ).fetchall()
                files = Registry(connection).get_all([row[0] for row in rows])
                names = {one.id: one.traits.birth_name.family for one in files}
                return states, sorted(
                    (
                        one.traits.birth_name.family,
                        sorted(identifier.value for identifier in one.identifiers),
                        names.get(one.merged_into or 0, ""),
                    )
                    for one in files
                )

    assert end(1) == end(6)
