"""What is queued goes out: to receivers that answer, refuse, hang up, lie and say nothing."""

import asyncio
import contextlib
import dataclasses
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import hl7
import hl7.mllp
import psycopg
import pytest

from negatoscope.domain.messages import (
    Destination,
    Destinations,
    Draft,
    Kind,
    MessageNotReplayable,
    Outbound,
    OutboundMessage,
    OutboundState,
)
from negatoscope.domain.messages import outbound as queue
from negatoscope.domain.orders import NewOrder, NewProcedure, Orders
from negatoscope.entrypoints.hl7v2.sender import Sender
from negatoscope.entrypoints.worker.outbox import OutboxConsumer
from negatoscope.infra.certificates import Authority
from negatoscope.infra.db import Database
from negatoscope.infra.db.embedded import EmbeddedPostgres
from negatoscope.protocols.dicom.dimse.tls import client_context, server_context
from negatoscope.protocols.hl7v2 import (
    AcknowledgmentCode,
    FrameReader,
    acknowledge,
    framed,
    parse,
)
from negatoscope.subscribers.outbound_hl7 import OutboundHl7, queue_test
from ordering import register

AA = AcknowledgmentCode.APPLICATION_ACCEPT
Behaviour = Callable[[bytes, int], bytes | None]
"""What is answered to a message that comes for the n-th time; None: hang up; empty: nothing."""


def answer(content: bytes, code: AcknowledgmentCode = AA, **more: str) -> bytes:
    made = acknowledge(
        parse(content), code, control_id="R1", at=datetime(2026, 1, 2, tzinfo=UTC), **more
    )
    return framed(made.to_bytes())


class Receiver:
    """A system of another maker, as far as the wire tells."""

    def __init__(
        self, behave: Behaviour, *, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.behave = behave
        self.received: list[bytes] = []
        self.connections = 0
        self._tls = tls
        self._server = socket.create_server(("127.0.0.1", port), reuse_port=True)
        self.port = self._server.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        frames = FrameReader()
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                for content in frames.feed(data):
                    self.received.append(content)
                    told = self.behave(content, self.received.count(content))
                    if told is None:
                        return
                    connection.sendall(told)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class Ours:
    """Our side: a queue and its sender."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.destinations = Destinations(database)
        self.outbound = Outbound(database)
        self.sender: Sender | None = None
        self._number = 0

    def destination(self, port: int, **more: object) -> Destination:
        wished = {"kinds": (Kind.ORDERS,), "answer_timeout_s": 0.4, "connect_timeout_s": 1.0} | more
        return self.destinations.add(
            Destination(name=f"D{port}", host="127.0.0.1", port=port, **wished)
        )

    def queue(self, destination: Destination, *patients: str, subject: str = "") -> list[int]:
        numbers = []
        with self.database.connection() as connection:
            for patient in patients:
                self._number += 1
                control_id = queue.new_control_id()
                content = (
                    f"MSH|^~\\&|N||R||20260102||OMI^O23^OMI_O23|{control_id}|P|2.5.1"
                    f"||||||UNICODE UTF-8\rPID|||{patient}^^^CHU||Été^{self._number}\r"
                )
                number = queue.enqueue(
                    connection,
                    Draft(
                        destination=destination.id,
                        origin=f"test:{self._number}",
                        kind=Kind.ORDERS,
                        subject=subject,
                        order_keys=(f"patient:{patient}",),
                        message_code="OMI",
                        trigger_event="O23",
                        control_id=control_id,
                        content=content.encode(),
                    ),
                )
                assert number is not None
                numbers.append(number)
        return numbers

    def start(self) -> None:
        def tls(check_host: bool) -> ssl.SSLContext:
            return client_context(ca=self.ca, certificate=self.certificate, key=self.key)

        self.sender = Sender(self.database, tls, first_back_off_s=0.05)
        self.sender.start()

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def stop(self) -> None:
        if self.sender is not None:
            self.sender.stop()
            self.sender = None

    def message(self, number: int) -> OutboundMessage:
        return self.outbound.get(number)[0]

    def until(self, what: Callable[[], bool], patience_s: float = 8.0) -> None:
        deadline = time.monotonic() + patience_s
        while not what():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.02)

    def done(self, *numbers: int) -> None:
        self.until(lambda: all(self.message(one).state != OutboundState.WAITING for one in numbers))


@pytest.fixture(scope="module")
def shared_database(postgres: EmbeddedPostgres, _template: str) -> Iterator[Database]:
    """One for all tests here: each begins with empty queues."""
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE sender TEMPLATE {_template} OWNER negatoscope STRATEGY FILE_COPY"
        )
    with Database(postgres.url.replace("@/negatoscope?", "@/sender?")) as opened:
        yield opened
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE sender WITH (FORCE)")


@pytest.fixture
def ours(shared_database: Database) -> Iterator[Ours]:
    with shared_database.connection() as connection:
        connection.execute("DELETE FROM hl7_destination")
    made = Ours(shared_database)
    yield made
    made.stop()


@contextlib.contextmanager
def receiver(behave: Behaviour, **more: object) -> Iterator[Receiver]:
    made = Receiver(behave, **more)
    try:
        yield made
    finally:
        made.close()


def test_in_order_over_one_connection(ours: Ours) -> None:
    with receiver(lambda content, _: answer(content)) as other:
        numbers = ours.queue(ours.destination(other.port), "1", "2", "1")
        ours.start()
        ours.done(*numbers)
        assert other.received == [ours.outbound.get(one)[1] for one in numbers]
        assert other.connections == 1
        (state,) = [one.state for one in ours.destinations.all()]
        assert (state.is_served, state.waiting_count, state.acknowledged_count) == (True, 0, 3)
        assert state.connected_at is not None
        assert ours.message(numbers[0]).acknowledgment_code == "AA"
    ours.until(lambda: ours.destinations.all()[0].state.connected_at is None)


def test_another_toolkit_takes_it(ours: Ours) -> None:
    """`hl7.mllp`, a receiver of another maker."""
    received: list[str] = []

    async def talk() -> None:
        async def take(reader: hl7.mllp.HL7StreamReader, writer: hl7.mllp.HL7StreamWriter) -> None:
            with contextlib.suppress(asyncio.IncompleteReadError):
                while True:
                    message = await reader.readmessage()
                    received.append(str(message))
                    writer.writemessage(message.create_ack())
                    await writer.drain()

        server = await hl7.mllp.start_hl7_server(take, "127.0.0.1", 0, encoding="utf-8")
        async with server:
            numbers = ours.queue(ours.destination(server.sockets[0].getsockname()[1]), "1", "2")
            ours.start()
            await asyncio.to_thread(ours.done, *numbers)
            await asyncio.to_thread(ours.stop)

    asyncio.run(talk())
    assert [hl7.parse(one).segment("PID")[5][0][0][0] for one in received] == ["Été", "Été"]


@pytest.mark.parametrize(
    ("orc", "state", "reason"),
    [
        ("ORC|NA|PL77^DPI|{filler}", OutboundState.ACKNOWLEDGED, ""),
        ("ORC|UA||{filler}", OutboundState.REFUSED, "not accepted"),
        ("ORC|NA||{filler}", OutboundState.REFUSED, "no placer number"),
        ("ORC|NA|PL1^DPI|{filler}", OutboundState.REFUSED, "the placer order number is order"),
        ("", OutboundState.ACKNOWLEDGED, ""),
    ],
)
def test_a_placer_number_in_the_answer_is_kept(
    ours: Ours, orc: str, state: OutboundState, reason: str
) -> None:
    """ORG^O20 of `hl7.mllp`, a receiver of another maker; what is wrong with it is for a person."""
    with ours.database.connection() as connection:
        orders = Orders(connection)
        patient = register(connection, "P1")
        chest = NewProcedure(description="Thorax", modality="CR")
        if orders.find_by_placer("PL1", "DPI") is None:
            orders.create(
                NewOrder(
                    patient=patient,
                    procedures=[chest],
                    placer_order_number="PL1",
                    placer_issuer="DPI",
                ),
                source="hl7:1",
            )
        order = orders.create(NewOrder(patient=patient, procedures=[chest]), source="user:a").order

    async def talk() -> None:
        async def take(reader: hl7.mllp.HL7StreamReader, writer: hl7.mllp.HL7StreamWriter) -> None:
            with contextlib.suppress(asyncio.IncompleteReadError):
                while True:
                    asked = await reader.readmessage()
                    told = (
                        "MSH|^~\\&|DPI||N||20260102||ORG^O20^ORG_O20|R1|P|2.5.1",
                        f"MSA|AA|{asked['MSH'][0][10]}",
                        *([orc.format(filler=asked["ORC"][0][3])] if orc else []),
                    )
                    writer.writemessage(hl7.parse("\r".join(told)))
                    await writer.drain()

        server = await hl7.mllp.start_hl7_server(take, "127.0.0.1", 0, encoding="utf-8")
        async with server:
            port = server.sockets[0].getsockname()[1]
            destination = ours.destination(port, kinds=(Kind.ORDER_NUMBERS,))
            told = OutboundHl7(ZoneInfo("Europe/Paris"))
            outbox = OutboxConsumer(ours.database, {"workflow-changed": [told.on_workflow_changed]})
            while outbox.deliver_batch():
                pass
            with ours.database.connection() as connection:
                (number,) = connection.execute(
                    "SELECT id FROM outbound_message WHERE destination_fk = %s AND request_fk = %s",
                    (destination.id, order.id),
                ).fetchone()
            ours.start()
            await asyncio.to_thread(ours.done, number)
            found = ours.message(number)
            assert (found.state, found.acknowledgment_code) == (state, "AA")
            assert reason in found.reason

    asyncio.run(talk())
    with ours.database.connection() as connection:
        after = Orders(connection).get(order.id)
        kept = ("PL77", "DPI") if "PL77" in orc else ("", "")
        assert (after.placer_order_number, after.placer_issuer) == kept
        if kept[0]:
            assert Orders(connection).history(order.id)[0].source.startswith("system:D")
        connection.execute("TRUNCATE registered_patient RESTART IDENTITY CASCADE")


def test_nobody_listens_then_somebody_does(ours: Ours, free_port: int) -> None:
    destination = ours.destination(free_port)
    (number,) = ours.queue(destination, "1")
    ours.start()
    ours.until(lambda: "nobody listens" in ours.destinations.all()[0].state.last_error)
    assert ours.message(number).state == OutboundState.WAITING
    ours.stop()  # a restart in between
    ours.start()
    with receiver(lambda content, _: answer(content), port=free_port):
        ours.done(number)
        assert ours.message(number).state == OutboundState.ACKNOWLEDGED


def test_a_lost_answer_is_asked_for_with_the_same_message(ours: Ours) -> None:
    with receiver(lambda content, time: answer(content) if time > 2 else None) as other:
        (number,) = ours.queue(ours.destination(other.port), "1")
        ours.start()
        ours.done(number)
        assert len(other.received) == 3
        assert len(set(other.received)) == 1
        assert ours.message(number).attempt_count == 3


def test_silence_holds_one_patient_and_nobody_else(ours: Ours) -> None:
    stuck: list[bytes] = []

    def behave(content: bytes, _: int) -> bytes:
        is_stuck = b"|||1^^^" in content and not stuck
        return b"" if is_stuck else answer(content)

    with receiver(behave) as other:
        first, second, third = ours.queue(ours.destination(other.port), "1", "1", "2")
        ours.start()
        ours.done(third)
        assert ours.message(first).state == ours.message(second).state == OutboundState.WAITING
        assert "no answer" in ours.message(first).last_error
        stuck.append(b"no longer")
        ours.done(first, second)
        contents = [ours.outbound.get(one)[1] for one in (first, second)]
        assert other.received.index(contents[1]) > other.received.index(contents[0])


@pytest.mark.parametrize("code", ["AE", "AR", "CE", "CR"])
def test_a_refusal_is_for_a_person(ours: Ours, code: str) -> None:
    def behave(content: bytes, _: int) -> bytes:
        if b"|||1^^^" in content:
            where = {"error": "204", "where": ("PID", 3), "reason": "inconnu"}
            return answer(content, AcknowledgmentCode(code), **where)
        return answer(content)

    with receiver(behave) as other:
        refused, fine = ours.queue(ours.destination(other.port), "1", "2")
        ours.start()
        ours.done(refused, fine)
        found = ours.message(refused)
        assert (found.state, found.acknowledgment_code) == (OutboundState.REFUSED, code)
        assert (found.error_code, found.reason) == ("204", "PID-3: inconnu")
        assert ours.message(fine).state == OutboundState.ACKNOWLEDGED
        other.behave = lambda content, _: answer(content)
        ours.outbound.replay(refused)
        ours.done(refused)
        assert ours.message(refused).state == OutboundState.ACKNOWLEDGED
        with pytest.raises(MessageNotReplayable):
            ours.outbound.replay(refused)


def test_a_refusal_may_hold_its_patient(ours: Ours) -> None:
    def behave(content: bytes, _: int) -> bytes:
        return answer(content, AcknowledgmentCode.APPLICATION_ERROR if b"^1\r" in content else AA)

    with receiver(behave) as other:
        destination = ours.destination(other.port, holds_after_refusal=True)
        refused, held, free = ours.queue(destination, "1", "1", "2")
        ours.start()
        ours.done(refused, free)
        time.sleep(0.1)
        assert ours.message(held).state == OutboundState.WAITING
        ours.outbound.give_up(refused)
        ours.done(held)


def test_of_a_test_the_answer_counts(ours: Ours) -> None:
    with receiver(
        lambda content, _: answer(content, AcknowledgmentCode.APPLICATION_REJECT)
    ) as other:
        destination = ours.destination(other.port)
        with ours.database.connection() as connection:
            number = queue_test(connection, destination, zone=UTC)
        ours.start()
        ours.done(number)
        found = ours.message(number)
        assert (found.state, found.acknowledgment_code) == (OutboundState.ACKNOWLEDGED, "AR")


def test_old_is_not_put_over_new(ours: Ours) -> None:
    def behave(content: bytes, _: int) -> bytes:
        return answer(content, AcknowledgmentCode.APPLICATION_ERROR if b"^1\r" in content else AA)

    with receiver(behave) as other:
        destination = ours.destination(other.port)
        refused, newer = ours.queue(destination, "1", "1", subject="procedure:7")
        ours.start()
        ours.done(refused, newer)
        with pytest.raises(MessageNotReplayable, match="newer"):
            ours.outbound.replay(refused)


def test_an_answer_to_something_else_counts_for_nothing(ours: Ours) -> None:
    def behave(content: bytes, time: int) -> bytes:
        lie = answer(content).replace(parse(content).control_id.encode(), b"OTHER")
        return lie + framed(b"noise") + (answer(content) if time > 1 else b"")

    with receiver(behave) as other:
        (number,) = ours.queue(ours.destination(other.port), "1")
        ours.start()
        ours.done(number)
        assert ours.message(number).attempt_count == 2
        assert len(other.received) == 2  # and nothing of what came was acknowledged


def test_a_pause_and_a_new_address(ours: Ours) -> None:
    with receiver(lambda content, _: answer(content)) as old:
        destination = ours.destination(old.port)
        ours.destinations.pause(destination.id, is_paused=True)
        (number,) = ours.queue(destination, "1")
        ours.start()
        time.sleep(0.2)
        assert not old.received
        with receiver(lambda content, _: answer(content)) as new:
            paused = ours.destinations.get(destination.id)
            moved = dataclasses.replace(paused, port=new.port, is_paused=False)
            ours.destinations.change(moved)
            ours.done(number)
            assert (len(old.received), len(new.received)) == (0, 1)


def test_a_receiver_that_hangs_up_after_each_message(ours: Ours) -> None:
    def behave(content: bytes, _: int) -> bytes:
        return answer(content)

    class Brief(Receiver):
        def _serve(self, connection: socket.socket) -> None:
            frames = FrameReader()
            with connection:
                while not (found := frames.feed(connection.recv(65536))):
                    pass
                self.received += found
                connection.sendall(answer(found[0]))

    other = Brief(behave)
    try:
        numbers = ours.queue(ours.destination(other.port), *"12345")
        ours.start()
        ours.done(*numbers)
        assert len(other.received) == 5
    finally:
        other.close()


def test_one_sender_for_a_destination(ours: Ours) -> None:
    """Two processes: one sends, the other takes over when the first has gone."""
    with receiver(lambda content, _: answer(content)) as other:
        destination = ours.destination(other.port)
        ours.start()
        ours.until(lambda: other.connections == 1)
        second = Ours(ours.database)
        second.start()
        numbers = ours.queue(destination, *"123")
        ours.done(*numbers)
        assert (len(other.received), other.connections) == (3, 1)
        ours.stop()
        more = ours.queue(destination, "4")
        ours.done(*more)
        assert len(other.received) == 4
        second.stop()


def test_over_tls_with_certificates_of_both(ours: Ours, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    authority.make()
    server = authority.issue("receiver", common_name="receiver", names=["127.0.0.1"])
    client = authority.issue("us", common_name="us", is_server=False)
    context = server_context(
        certificate=server.certificate, key=server.key, client_ca=authority.certificate_path
    )
    with receiver(lambda content, _: answer(content), tls=context) as other:
        destination = ours.destination(other.port, tls=True)
        (number,) = ours.queue(destination, "1")
        ours.start()  # the system's authorities do not know this one
        ours.until(lambda: "not accepted" in ours.destinations.all()[0].state.last_error)
        ours.stop()
        ours.ca, ours.certificate, ours.key = (
            authority.certificate_path,
            client.certificate,
            client.key,
        )
        ours.start()
        ours.done(number)
        assert ours.message(number).state == OutboundState.ACKNOWLEDGED
