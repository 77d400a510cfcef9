"""The listener over real sockets: kept first, acknowledged then, once each."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from negatoscope.domain.messages import Filter, Messages, Processor, State
from negatoscope.entrypoints.hl7v2.handling import handle
from negatoscope.entrypoints.hl7v2.listener import Limits, Listener
from negatoscope.infra.db import Database
from negatoscope.protocols.hl7v2 import FrameReader, Message, framed, parse

LIMITS = Limits(max_connections=20, max_message_bytes=1 << 20, idle_s=5, senders=("127.0.0.0/8",))


def adt(control_id: str, *, event: str = "A28", header: str = "", pid: str = "") -> bytes:
    first = header or (
        f"MSH|^~\\&|GAM|CHU-X|RIS|CHU-X|20260102||ADT^{event}^ADT_A05|{control_id}|P|2.5|||||FRA|UNICODE UTF-8"
    )
    return f"{first}\r{pid or 'PID|||1^^^CHU-X&750&N^PI||Été^Zoé^^^^^L||19800101|F'}\r".encode()


@contextlib.asynccontextmanager
async def listening(database: Database, limits: Limits = LIMITS) -> AsyncIterator[int]:
    listener = Listener(Messages(database), limits, on_stored=lambda: None)
    port = await listener.start("127.0.0.1", 0)
    try:
        yield port
    finally:
        await listener.stop()


class Sender:
    """A system that sends, one message in flight."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer, self._frames = reader, writer, FrameReader()

    @classmethod
    async def to(cls, port: int) -> "Sender":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def answers(self, count: int = 1) -> list[Message]:
        found: list[bytes] = []
        while len(found) < count:
            data = await asyncio.wait_for(self._reader.read(65536), 10)
            if not data:
                raise ConnectionError("closed")
            found += self._frames.feed(data)
        return [parse(one) for one in found]

    async def send(self, content: bytes, count: int = 1) -> list[Message]:
        self.writer.write(framed(content))
        return await self.answers(count)


def told(answer: Message) -> tuple[str, str]:
    return answer.get("MSA", 1), answer.get("MSA", 2)


def test_kept_then_acknowledged(database: Database) -> None:
    async def talk() -> None:
        async with listening(database) as port:
            sender = await Sender.to(port)
            (answer,) = await sender.send(adt("M1"))
            assert told(answer) == ("AA", "M1")
            assert answer.sender == ("RIS", "CHU-X")
            (kept,) = Messages(database).search(Filter())
            assert (kept.control_id, kept.state) == ("M1", State.PENDING)
            assert Messages(database).get(kept.id)[1] == adt("M1")

    asyncio.run(talk())


def test_the_same_message_again_has_the_same_answer_and_no_second_effect(
    database: Database,
) -> None:
    async def talk() -> None:
        async with listening(database) as port:
            one, other = await Sender.to(port), await Sender.to(port)
            first = await one.send(adt("M1"))
            again = await other.send(adt("M1"))
            assert [told(answer) for answer in (*first, *again)] == [("AA", "M1")] * 2
            (changed,) = await one.send(adt("M1", pid="PID|||2^^^CHU-X&750&N^PI"))
            assert told(changed) == ("AE", "M1")
            assert changed.get("ERR", 3) == "205"
        states = [kept.state for kept in Messages(database).search(Filter())]
        assert states == [State.FAILED, State.PENDING]

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("content", "code", "error", "where"),
    [
        (b"no message", "AR", "100", ""),
        (b"MSH|^~\\&|A|B|C|D|2026||ADT^A28||P|2.5\rPID|||1^^^X", "AR", "101", ""),
        (adt("1", header="MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5"), "AR", "200", "MSH"),
        (adt("1", header="MSH|^~\\&|A|B|C|D|2026||ADT^A28|1|P|9.9"), "AR", "203", "MSH"),
        (adt("1", header="MSH|^~\\&|A|B|C|D|2026||ADT|1|P|2.5"), "AE", "101", "MSH"),
        (adt("1", pid="PV1||N"), "AE", "100", "PID"),
        (adt("1", pid="PID|||||Nom"), "AE", "101", "PID"),
        (adt("1", pid="PID|||42||Nom"), "AE", "101", "PID"),
        (adt("1", event="A40"), "AE", "100", "MRG"),
    ],
)
def test_what_the_sender_can_mend_is_refused_and_kept(
    database: Database, content: bytes, code: str, error: str, where: str
) -> None:
    async def talk() -> None:
        async with listening(database) as port:
            sender = await Sender.to(port)
            (answer,) = await sender.send(content)
            assert (answer.get("MSA", 1), answer.get("ERR", 3)) == (code, error)
            assert answer.get("ERR", 2) == where
            assert answer.get("ERR", 8)
            (kept,) = Messages(database).search(Filter(state=State.FAILED))
            assert Messages(database).get(kept.id)[1] == content
            (fine,) = await sender.send(adt("next"))
            assert told(fine) == ("AA", "next")

    asyncio.run(talk())


def test_enhanced_mode(database: Database) -> None:
    """An accept acknowledgement when kept, an application acknowledgement when asked for."""
    header = "MSH|^~\\&|A|B|C|D|2026||ADT^A28^ADT_A05|{}|P|2.5|||{}|{}||UNICODE UTF-8"

    async def talk() -> None:
        async with listening(database) as port:
            sender = await Sender.to(port)
            both = await sender.send(adt("1", header=header.format("1", "AL", "AL")), 2)
            assert [told(one) for one in both] == [("CA", "1"), ("AA", "1")]
            (only,) = await sender.send(adt("2", header=header.format("2", "NE", "AL")))
            assert told(only) == ("AA", "2")
            (error,) = await sender.send(
                adt("3", header=header.format("3", "ER", "NE"), pid="PID|||4")
            )
            assert told(error) == ("CE", "3")

    asyncio.run(talk())


def test_an_acknowledgement_is_kept_and_not_answered(database: Database) -> None:
    ack = b"MSH|^~\\&|A|B|C|D|2026||ACK^A28^ACK|7|P|2.5|||AL|AL\rMSA|AA|1\r"

    async def talk() -> None:
        async with listening(database) as port:
            sender = await Sender.to(port)
            sender.writer.write(framed(ack))
            (answer, *_) = await sender.send(adt("1"), 2)
            assert told(answer)[0] in {"CA", "AA"}
        assert [one.state for one in Messages(database).search(Filter())] == [
            State.PENDING,
            State.IGNORED,
        ]

    asyncio.run(talk())


def test_many_senders_share_commits_and_keep_their_order(database: Database) -> None:
    async def one_of_many(port: int, name: int) -> None:
        sender = await Sender.to(port)
        for number in range(30):
            (answer,) = await sender.send(adt(f"{name}-{number}"))
            assert told(answer) == ("AA", f"{name}-{number}")

    async def talk() -> None:
        async with listening(database) as port:
            await asyncio.gather(*(one_of_many(port, name) for name in range(10)))

    asyncio.run(talk())
    kept = Messages(database).search(Filter(), limit=500)
    assert len(kept) == 300
    for name in range(10):
        mine = [one.control_id for one in reversed(kept) if one.control_id.startswith(f"{name}-")]
        assert mine == [f"{name}-{number}" for number in range(30)]


def test_strangers_and_crowds_are_turned_away(database: Database) -> None:
    async def talk() -> None:
        strict = Limits(
            max_connections=20, max_message_bytes=1 << 20, idle_s=5, senders=("10.0.0.0/8",)
        )
        async with listening(database, strict) as port:
            with pytest.raises(ConnectionError):
                await (await Sender.to(port)).send(adt("1"))
        few = Limits(max_connections=1, max_message_bytes=1000, idle_s=5, senders=("127.0.0.1",))
        async with listening(database, few) as port:
            first = await Sender.to(port)
            await first.send(adt("1"))
            with pytest.raises(ConnectionError):
                await (await Sender.to(port)).send(adt("2"))
            with pytest.raises(ConnectionError):  # too long: nothing of it is kept
                await first.send(adt("3") + b"NTE|" + b"x" * 2000)
        assert [one.control_id for one in Messages(database).search(Filter())] == ["1"]

    asyncio.run(talk())


def test_nothing_is_acknowledged_that_cannot_be_kept(database: Database, monkeypatch) -> None:
    async def talk() -> None:
        async with listening(database) as port:
            sender = await Sender.to(port)
            await sender.send(adt("1"))
            with database.connection() as connection:
                connection.execute("ALTER TABLE hl7_message RENAME TO hl7_message_away")
            with pytest.raises(ConnectionError):
                await sender.send(adt("2"))
            with database.connection() as connection:
                connection.execute("ALTER TABLE hl7_message_away RENAME TO hl7_message")
            (answer,) = await (await Sender.to(port)).send(adt("2"))
            assert told(answer) == ("AA", "2")

    asyncio.run(talk())


def test_what_was_kept_has_its_effect_once(database: Database) -> None:
    async def talk() -> None:
        async with listening(database) as port:
            sender = await Sender.to(port)
            for number in range(3):
                await sender.send(adt(f"M{number}"))

    asyncio.run(talk())
    processor = Processor(database, handle)
    assert processor.process_waiting() == 3
    assert processor.process_waiting() == 0
    done = Messages(database).search(Filter(state=State.PROCESSED))
    assert [one.effect["patients"][0]["done"] for one in done] == ["nothing", "nothing", "created"]
