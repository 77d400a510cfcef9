"""The MLLP listener: kept first, acknowledged then.

Connections share their commits: what arrived while one was under way goes into the next, so that
many senders cost few flushes. When the database does not answer, nobody is told anything; the
connection is closed and the sender comes back.
"""

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg
import structlog

from negatoscope.domain.messages import Arrival, Messages, Receipt, Verdict
from negatoscope.entrypoints.hl7v2.acceptance import examine
from negatoscope.entrypoints.hl7v2.order_answers import OrderAnswers
from negatoscope.infra import metrics
from negatoscope.infra.clock import utc_now
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.infra.settings import PatientSettings
from negatoscope.kit.aio import run_blocking
from negatoscope.kit.ulid import new_ulid
from negatoscope.protocols.hl7v2 import (
    AcknowledgmentCode,
    FieldValue,
    FrameReader,
    FrameTooLong,
    Message,
    Segment,
    UnencodableText,
    UnknownCharacterSet,
    acknowledge,
    framed,
    wants_accept,
    wants_application,
)

READ_BYTES: Final = 1 << 16
MAX_BATCH: Final = 200
FRAME_S: Final = 60.0
"""How long the rest of a message may take once it has begun."""
_COMMIT: Final = {
    "AA": AcknowledgmentCode.COMMIT_ACCEPT,
    "AE": AcknowledgmentCode.COMMIT_ERROR,
    "AR": AcknowledgmentCode.COMMIT_REJECT,
}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one listener.

    Attributes:
        max_connections: At once.
        max_message_bytes: Of one message.
        idle_s: A connection without a message for so long is closed.
        senders: Networks that may connect.
    """

    max_connections: int
    max_message_bytes: int
    idle_s: float
    senders: Sequence[str]


class Listener:
    """Takes messages from any number of connections.

    Args:
        messages: Where they are kept.
        limits: Before anything is read.
        on_stored: Called after each commit.
        patients: What is taken of patients.
        order_answers: Answers that say what came of an order; without it none is given.
    """

    def __init__(
        self,
        messages: Messages,
        limits: Limits,
        *,
        on_stored: Callable[[], None],
        patients: PatientSettings | None = None,
        order_answers: OrderAnswers | None = None,
    ) -> None:
        self._patients = patients
        self._order_answers = order_answers
        self._messages = messages
        self._limits = limits
        self._on_stored = on_stored
        self._networks = [ipaddress.ip_network(one, strict=False) for one in limits.senders]
        self._waiting: list[tuple[Arrival, asyncio.Future[Receipt]]] = []
        self._arrived = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._writer: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> int:
        """Listen; returns the port."""
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        server = await asyncio.start_server(
            self._connected, host, port, limit=READ_BYTES, ssl=tls, reuse_port=True, backlog=128
        )
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no more, answer what is under way, close."""
        for server in self._servers:
            server.close()
        for task in list(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=5)
        if self._writer is not None:
            self._writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writer

    # -- one connection -----------------------------------------------------------------------

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str((writer.get_extra_info("peername") or ("unknown",))[0])
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - we run in one
        refusal = self._refusal(peer)
        if refusal:
            metrics.REFUSALS.labels("hl7", refusal).inc()
            _log.warning("hl7.connection_refused", peer=peer, reason=refusal)
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._serve(reader, writer, peer)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        except FrameTooLong as error:
            metrics.REFUSALS.labels("hl7", "message-too-long").inc()
            _log.warning("hl7.message_too_long", peer=peer, reason=error.message)
        except (DatabaseUnavailable, psycopg.OperationalError):
            _log.warning("hl7.not_kept", peer=peer)
        except asyncio.CancelledError:
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    def _refusal(self, peer: str) -> str:
        if len(self._connections) >= self._limits.max_connections:
            return "too-many-connections"
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return "unknown-sender"
        mapped = getattr(address, "ipv4_mapped", None)
        if not any((mapped or address) in network for network in self._networks):
            return "unknown-sender"
        return ""

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str
    ) -> None:
        frames = FrameReader(self._limits.max_message_bytes)
        deadline_s: float | None = None
        loop = asyncio.get_running_loop()
        while True:
            patience_s = self._limits.idle_s
            if frames.is_inside:
                deadline_s = deadline_s or loop.time() + FRAME_S
                patience_s = max(0.0, deadline_s - loop.time())
            else:
                deadline_s = None
            async with asyncio.timeout(patience_s):
                data = await reader.read(READ_BYTES)
            if not data:
                return
            for content in frames.feed(data):
                async for answer in self._take(content, peer):
                    writer.write(framed(answer))
                    async with asyncio.timeout(FRAME_S):
                        await writer.drain()

    async def _take(self, content: bytes, peer: str) -> AsyncIterator[bytes]:
        """Keep a message; the answers to it, each as soon as it can be given."""
        arrival, message = examine(content, peer=peer, patients=self._patients)
        receipt = await self._keep(arrival)
        metrics.HL7_MESSAGES.labels(
            arrival.message_code or "unreadable", receipt.verdict.code
        ).inc()
        if message is None:
            yield _answer_to_the_unreadable(receipt.verdict)
            return
        verdict = receipt.verdict
        if wants_accept(message, successful=verdict.is_positive):
            yield _answer(message, _COMMIT[verdict.code], verdict)
        if self._order_answers is not None and self._order_answers.is_for(message):
            answer = await self._order_answers.answer(message, receipt)
            if answer is not None:
                yield _bytes_of(answer)
        elif wants_application(message, successful=verdict.is_positive):
            yield _answer(message, AcknowledgmentCode(verdict.code), verdict)

    async def _keep(self, arrival: Arrival) -> Receipt:
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, future))
        self._arrived.set()
        return await future

    async def _write(self) -> None:
        """Commit what waits, again and again."""
        while True:
            await self._arrived.wait()
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            if not self._waiting:
                self._arrived.clear()
            try:
                receipts = await run_blocking(self._messages.store, [one for one, _ in batch])
            except Exception as error:  # noqa: BLE001 - whatever it is, nothing is kept and nobody told so
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), receipt in zip(batch, receipts, strict=True):
                if not future.done():
                    future.set_result(receipt)
            self._on_stored()


def _answer(message: Message, code: AcknowledgmentCode, verdict: Verdict) -> bytes:
    made = acknowledge(
        message,
        code,
        control_id=str(new_ulid()),
        at=utc_now(),
        error=verdict.error_code or None,
        where=(verdict.segment, verdict.field),
        reason=verdict.reason,
    )
    return _bytes_of(made)


def _bytes_of(answer: Message) -> bytes:
    try:
        return answer.to_bytes()
    except (UnencodableText, UnknownCharacterSet):
        return answer.written().encode(answer.header.codec, "replace")


def _answer_to_the_unreadable(verdict: Verdict) -> bytes:
    """An answer to bytes without a usable header."""
    now = utc_now().strftime("%Y%m%d%H%M%S")
    header: dict[int, FieldValue] = {7: now, 9: ("ACK",), 10: str(new_ulid()), 11: "P", 12: "2.5"}
    segments = [
        Segment.build("MSH", header),
        Segment.build("MSA", {1: verdict.code}),
        Segment.build("ERR", {3: verdict.error_code, 4: "E", 8: verdict.reason}),
    ]
    return Message.build(segments).to_bytes()
