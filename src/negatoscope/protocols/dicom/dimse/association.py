"""An established association, either role: messages in, messages out (PS3.7 §8, Annex D).

One thread owns an association and blocks in it. Data sets are never collected here: they pass as
views of one receive buffer, 1 MiB per association whatever the size of the object.
"""

import contextlib
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Final, Literal, NoReturn, Self

from negatoscope.protocols.dicom.dimse.command import (
    COMMAND_DATA_SET_TYPE,
    COMMAND_FIELD,
    MAX_COMMAND_SET_BYTES,
    NO_DATA_SET,
    CommandField,
    CommandSet,
)
from negatoscope.protocols.dicom.dimse.errors import (
    AssociationAborted,
    AssociationError,
    AssociationTimeout,
    ConnectionLost,
    DataSetTooLarge,
    InvalidCommandSet,
)
from negatoscope.protocols.dicom.dimse.framing import message_batches
from negatoscope.protocols.dicom.dimse.transport import (
    Buffer,
    PeerCertificate,
    Timeouts,
    Transport,
)
from negatoscope.protocols.dicom.ul.connection import (
    NEED_DATA,
    AbortReceived,
    Connection,
    ConnectionEvent,
    DataFragment,
    Need,
    ProviderAborted,
    ReleaseConfirmed,
    ReleaseRequested,
    TransportClosed,
)
from negatoscope.protocols.dicom.ul.errors import AbortReason, AbortSource, LocalProtocolError
from negatoscope.protocols.dicom.ul.items import (
    AsynchronousOperationsWindow,
    CommonExtendedNegotiation,
    UserIdentity,
)
from negatoscope.protocols.dicom.ul.negotiation import AcceptedContext, accepted_contexts
from negatoscope.protocols.dicom.ul.pdu import Abort, AssociateAccept, AssociateRequest
from negatoscope.protocols.dicom.ul.state_machine import State

__all__ = ["AcceptedContext", "Association", "Message", "PeerCertificate", "Timeouts"]

RECEIVE_BUFFER_BYTES: Final = 1 << 20
_FILL_BYTES: Final = 65_536
MAX_SENT_PDU_BYTES: Final = 262_144
"""Peers that set no limit, or a larger one, get PDUs of this size."""

_MAX_REMEMBERED_CANCELS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A DIMSE message whose command is here and whose data set, if any, is still to be read."""

    context: AcceptedContext
    command: CommandSet
    has_data_set: bool


class Association:
    """An established association. Made by `connect` or by an `AssociationServer`.

    Attributes:
        calling_ae_title: The requestor's.
        called_ae_title: The acceptor's.
        is_requestor: Our role.
        peer_host: Address of the other side.
        peer_port: Its port.
        tls: Its verified certificate.
        tls_session: TLS version and cipher suite; empty in clear.
        presentation_contexts: Accepted contexts by ID.
        max_pdu_out: Longest P-DATA-TF we send (its length field).
        extended_negotiation: Service class application information answered by the acceptor, by
            SOP class (PS3.7 §D.3.3.5).
        common_extended_negotiation: As the requestor sent it, by SOP class.
        user_identity: As the requestor sent it.
        async_window: As agreed; invoked and performed are the requestor's.
        principal: Whatever the acceptor policy attached to this association.
        answered_message_id: Message ID of the last request to which a final response was sent; 0
            from the next message on.
        busy_since: Monotonic time at which the last message came, None while waiting for one.
        last_active_at: Monotonic time of the last byte in or out.
    """

    def __init__(
        self,
        transport: Transport,
        connection: Connection,
        *,
        request: AssociateRequest,
        accept: AssociateAccept,
        timeouts: Timeouts,
        peer_host: str,
        peer_port: int,
        tls: PeerCertificate | None = None,
        principal: object | None = None,
        buffer: bytearray | None = None,
    ) -> None:
        self._transport = transport
        self._connection = connection
        self.timeouts = timeouts
        self.request = request
        self.accept = accept
        self.is_requestor = connection.is_requestor
        self.calling_ae_title = request.calling_ae_title
        self.called_ae_title = request.called_ae_title
        self.peer_host = peer_host
        self.peer_port = peer_port
        self.tls = tls
        self.tls_session = transport.tls_session
        self.principal = principal
        self.presentation_contexts: Mapping[int, AcceptedContext] = MappingProxyType(
            accepted_contexts(request, accept, is_requestor=connection.is_requestor)
        )
        peer = accept if self.is_requestor else request
        self.peer_implementation_class_uid = peer.user_information.implementation_class_uid
        self.peer_implementation_version_name = peer.user_information.implementation_version_name
        self.max_pdu_out = min(
            peer.user_information.max_pdu_bytes or MAX_SENT_PDU_BYTES, MAX_SENT_PDU_BYTES
        )
        self.extended_negotiation: Mapping[str, bytes] = MappingProxyType(
            {
                item.sop_class_uid: item.information
                for item in accept.user_information.extended_negotiation
            }
        )
        self.common_extended_negotiation: Mapping[str, CommonExtendedNegotiation] = (
            MappingProxyType(
                {
                    item.sop_class_uid: item
                    for item in request.user_information.common_extended_negotiation
                }
            )
        )
        self.user_identity: UserIdentity | None = request.user_information.user_identity
        self.user_identity_response = accept.user_information.user_identity_response
        self.async_window = accept.user_information.async_window or AsynchronousOperationsWindow()

        self._buffer = memoryview(bytearray(RECEIVE_BUFFER_BYTES) if buffer is None else buffer)
        self._command_parts = bytearray()
        self._command_context_id = 0
        self._data_set_open = False
        self._data_set_context_id = 0
        self._message_deadline = 0.0
        self._ahead: deque[Message | None] = deque()  # read by `cancelled`, not yet given out
        self._cancels: deque[int] = deque(maxlen=_MAX_REMEMBERED_CANCELS)
        self._last_message_id = 0
        self._closed = False
        self.answered_message_id = 0
        self.busy_since: float | None = None
        self.last_active_at = time.monotonic()

    # ---- receiving

    def next_message(self, *, timeout_s: float | None = None) -> Message | None:
        """Waits for a message; what is left of the previous data set is thrown away.

        C-CANCEL-RQ is not given out: ask `cancelled`.

        Args:
            timeout_s: Default: ``idle_s`` for an acceptor, ``dimse_s`` for a requestor.

        Returns:
            None after an orderly release, which has been answered.

        Raises:
            AssociationAborted, AssociationTimeout, ConnectionLost: The association is over.
        """
        self.answered_message_id = 0  # peers use a Message ID again for the next request
        if self._ahead:
            self.busy_since = time.monotonic()
            return self._ahead.popleft()
        self._require_open()
        self.discard_data_set()
        what = "dimse" if self.is_requestor else "idle"
        if timeout_s is None:
            timeout_s = self.timeouts.dimse_s if self.is_requestor else self.timeouts.idle_s
        self.busy_since = None
        self._message_deadline = 0.0
        next_event = self._connection.next_event
        while True:
            event = next_event()
            if event is NEED_DATA:
                if self._command_parts:
                    self._read("dimse", self.timeouts.dimse_s)
                else:
                    self._read(what, timeout_s)
                continue
            message = self._message_from(event)
            if message is not None:
                self.busy_since = time.monotonic()
                return message
            if type(event) is ReleaseRequested:
                self._answer_release()
                return None

    def data_set_chunks(self) -> Iterator[memoryview]:
        """The pieces of the current message's data set, as they come.

        A piece is a view of the receive buffer: use it or copy it before asking for the next one.

        Raises:
            AssociationAborted, AssociationTimeout, ConnectionLost: The association is over; what
                was given out so far is not a whole data set.
        """
        next_event = self._connection.next_event
        dimse_s = self.timeouts.dimse_s
        while self._data_set_open:
            event = next_event()
            if type(event) is DataFragment:
                context_id, is_command, is_last, data = event
                if is_command or context_id != self._data_set_context_id:
                    self._break("a command or another context inside a data set")
                if is_last:
                    self._data_set_open = False
                if data:
                    yield data
            elif event is NEED_DATA:
                self._read("dimse", dimse_s)
            else:
                self._unexpected(event)

    def read_data_set(self, limit: int) -> bytes:
        """The current message's data set as bytes.

        Raises:
            DataSetTooLarge: It is longer than ``limit`` bytes; the rest of it was thrown away.
        """
        collected = bytearray()
        for chunk in self.data_set_chunks():
            if len(collected) + len(chunk) > limit:
                self.discard_data_set()
                raise DataSetTooLarge(f"data set of more than {limit} bytes")
            collected += chunk
        return bytes(collected)

    def discard_data_set(self) -> None:
        """Throws away what is left of the current message's data set."""
        if self._data_set_open:
            for _ in self.data_set_chunks():
                pass

    def cancelled(self, message_id: int) -> bool:
        """Whether a C-CANCEL-RQ came for this operation. Looks at the socket without waiting.

        Raises:
            AssociationAborted, ConnectionLost: The association is over.
        """
        next_event = self._connection.next_event
        while message_id not in self._cancels and not self._data_set_open and not self._ahead:
            event = next_event()
            if event is NEED_DATA:
                count = self._transport.receive_now(self._buffer)
                if count is None:
                    return False
                self._take(count)
                continue
            message = self._message_from(event)
            if message is not None:
                self._ahead.append(message)
            elif type(event) is ReleaseRequested:
                self._answer_release()
                self._ahead.append(None)
        return message_id in self._cancels

    @property
    def has_message_waiting(self) -> bool:
        """Whether `cancelled` met a message, or a release, that `next_message` will give out."""
        return bool(self._ahead)

    def _message_from(self, event: ConnectionEvent | Need) -> Message | None:
        """The message a fragment completes, if it does and it is not a C-CANCEL-RQ."""
        if type(event) is not DataFragment:
            if type(event) is not ReleaseRequested or self._command_parts:
                self._unexpected(event)
            return None
        context_id, is_command, is_last, data = event
        if not is_command:
            self._break("a data set fragment without a command that announces it")
        parts = self._command_parts
        if parts and context_id != self._command_context_id:
            self._break("a command spread over two presentation contexts")
        if not is_last or parts:
            if len(parts) + len(data) > MAX_COMMAND_SET_BYTES:
                self._break(f"a command set of more than {MAX_COMMAND_SET_BYTES} bytes")
            if not self._message_deadline:
                self._message_deadline = time.monotonic() + self.timeouts.message_s
            parts += data
            self._command_context_id = context_id
            if not is_last:
                return None
        try:
            command = CommandSet.decode(parts or data)
        except InvalidCommandSet as error:
            self._break(str(error))
        parts.clear()
        if command[COMMAND_FIELD] == CommandField.C_CANCEL_RQ:
            self._cancels.append(command.message_id_being_responded_to)
            self._message_deadline = 0.0
            return None
        context = self.presentation_contexts.get(context_id)
        if context is None:
            self._break(f"presentation context {context_id} was not agreed")
        has_data_set = command.has_data_set
        self._data_set_open = has_data_set
        self._data_set_context_id = context_id
        self._message_deadline = time.monotonic() + self.timeouts.message_s
        return Message(context=context, command=command, has_data_set=has_data_set)

    def _read(self, what: str, timeout_s: float) -> None:
        """One piece from the socket into the core, or the end of the association."""
        count = self._receive()
        if count is None:
            started = time.monotonic() - self.timeouts.tick_s
            while count is None:
                now = time.monotonic()
                if now - started >= timeout_s:
                    self._time_out(what, timeout_s)
                if self._message_deadline and now > self._message_deadline:
                    self._time_out("message", self.timeouts.message_s)
                count = self._receive()
        self._take(count)

    def _receive(self) -> int | None:
        expected = self._connection.data_expected
        try:
            if expected >= _FILL_BYTES:  # one large piece costs less than several small ones
                return self._transport.receive(self._buffer[:expected], fill=True)
            return self._transport.receive(self._buffer)
        except ConnectionLost:
            self._connection.receive_eof()
            self._over()
            raise

    def _take(self, count: int) -> None:
        if not count:
            self._connection.receive_eof()
            return
        now = self.last_active_at = time.monotonic()
        if self._message_deadline and now > self._message_deadline:
            self._time_out("message", self.timeouts.message_s)
        self._connection.receive(self._buffer[:count])

    # ---- sending

    def send_message(
        self,
        context_id: int,
        command: CommandSet,
        data_set: Iterable[Buffer] | Buffer | None = None,
    ) -> None:
        """Sends a command and its data set, as P-DATA-TF PDUs as long as the peer allows.

        Args:
            context_id: An accepted presentation context.
            command: Its Command Data Set Type is set here.
            data_set: Whole, or in pieces of any size. Pieces are sent where they lie: they must not
                change until this returns.

        Raises:
            AssociationTimeout: The peer does not read; the association is aborted.
            AssociationAborted, ConnectionLost: The association is over.
        """
        self._require_open()
        command[COMMAND_DATA_SET_TYPE] = NO_DATA_SET if data_set is None else 0x0001
        if isinstance(data_set, bytes | bytearray | memoryview):
            data_set = (data_set,)
        has_begun = False
        try:
            for batch in message_batches(
                self._connection.data_header,
                context_id,
                command.encode(),
                data_set,
                self.max_pdu_out,
            ):
                has_begun = True
                self._send(batch)
        except AssociationError:
            raise
        except BaseException:
            if has_begun:  # half a message went out: nothing else can follow it
                self.abort()
            raise
        if command.is_response and command.status & 0xFF00 != 0xFF00:
            self.answered_message_id = command.message_id_being_responded_to

    def next_message_id(self) -> int:
        """A Message ID of our own, 1 to 65535, then again."""
        self._last_message_id = self._last_message_id % 0xFFFF + 1
        return self._last_message_id

    def _send(self, parts: list[Buffer]) -> None:
        try:
            self._transport.send(parts, self.timeouts.send_s)
        except AssociationTimeout:
            self._abort_quietly(AbortSource.SERVICE_USER, AbortReason.NOT_SPECIFIED, linger_s=0.0)
            raise
        except ConnectionLost:
            self._explain_loss()
            raise
        self.last_active_at = time.monotonic()

    def _explain_loss(self) -> None:
        """A write failed: the peer's A-ABORT may lie unread behind it, and says more."""
        with contextlib.suppress(ConnectionLost):
            for _ in range(8):
                event = self._connection.next_event()
                if event is NEED_DATA:
                    count = self._transport.receive_now(self._buffer)
                    if not count:
                        break
                    self._connection.receive(self._buffer[:count])
                elif type(event) is AbortReceived:
                    self._unexpected(event)
        self._over()

    # ---- the end

    def find_context(
        self, abstract_syntax: str, *, role: Literal["scu", "scp"] = "scu"
    ) -> list[AcceptedContext]:
        """Accepted contexts of a SOP class in which we have the role."""
        return [
            context
            for context in self.presentation_contexts.values()
            if context.abstract_syntax == abstract_syntax
            and (context.as_scu if role == "scu" else context.as_scp)
        ]

    @property
    def is_open(self) -> bool:
        """Whether messages can still be exchanged."""
        return not self._closed

    def release(self) -> None:
        """Asks for an orderly release, waits for the answer, closes (PS3.8 §7.2).

        Raises:
            AssociationAborted, AssociationTimeout, ConnectionLost: It ended otherwise.
        """
        if self._closed:
            return
        self._message_deadline = time.monotonic() + self.timeouts.artim_s
        self._connection.request_release()
        self._flush()
        while True:
            event = self._connection.next_event()
            if event is NEED_DATA:
                self._read("artim", self.timeouts.artim_s)
            elif type(event) is ReleaseRequested:  # collision: PS3.8 §7.2.2
                if self._connection.state is State.STA9:
                    self._connection.reply_release()
                    self._flush()
            elif type(event) is ReleaseConfirmed:
                if self._connection.state is State.STA12:
                    self._connection.reply_release()
                    self._flush()
                    self._closed = True
                    self._transport.finish(self._buffer, self.timeouts.linger_s)
                self._over()
                return
            elif type(event) is not DataFragment:
                self._unexpected(event)

    def abort(
        self,
        source: int = AbortSource.SERVICE_USER,
        reason: int = AbortReason.NOT_SPECIFIED,
    ) -> None:
        """Sends A-ABORT and closes. Never raises."""
        if not self._closed:
            self._abort_quietly(source, reason, linger_s=self.timeouts.linger_s)

    def interrupt(self) -> None:
        """From another thread: sends A-ABORT; the owner's next step on this association raises."""
        abort = Abort(source=AbortSource.SERVICE_USER)
        self._transport.interrupt(abort.encode())

    def close(self) -> None:
        """Closes the transport, whatever the state."""
        self._over()

    def __enter__(self) -> Self:
        """The association itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Releases a requestor's association after success, aborts it after an error."""
        if error is not None:
            self.abort()
        elif self.is_requestor:
            self.release()
        self.close()

    def _answer_release(self) -> None:
        self._connection.reply_release()
        self._flush()
        self._closed = True
        self._transport.finish(self._buffer, self.timeouts.linger_s)

    def _flush(self) -> None:
        output = self._connection.take_output()
        if output:
            self._send([output])

    def _require_open(self) -> None:
        if self._closed:
            raise ConnectionLost("the association is over")

    def _over(self) -> None:
        self._closed = True
        self._data_set_open = False
        self._transport.close()

    def _abort_quietly(self, source: int, reason: int, *, linger_s: float) -> None:
        with contextlib.suppress(LocalProtocolError):
            self._connection.abort(source, reason)
        self._last_words(linger_s)

    def _last_words(self, linger_s: float) -> None:
        self._closed = True
        self._data_set_open = False
        output = self._connection.take_output()
        if output:
            self._transport.send_if_possible(output)
        self._transport.finish(self._buffer, linger_s)

    def _time_out(self, what: str, timeout_s: float) -> NoReturn:
        self._abort_quietly(AbortSource.SERVICE_USER, AbortReason.NOT_SPECIFIED, linger_s=0.0)
        raise AssociationTimeout(what, timeout_s)

    def _break(self, message: str) -> NoReturn:
        """The peer broke PS3.7: A-ABORT."""
        source, reason = AbortSource.SERVICE_PROVIDER, AbortReason.INVALID_PDU_PARAMETER_VALUE
        self._abort_quietly(source, reason, linger_s=self.timeouts.linger_s)
        raise AssociationAborted(f"aborted: {message}", source=source, reason=reason, by_peer=False)

    def _unexpected(self, event: ConnectionEvent | Need) -> NoReturn:
        """Ends the association for an event that is no part of a message."""
        match event:
            case AbortReceived(source, reason):
                self._over()
                raise AssociationAborted(
                    f"aborted by the peer: source {source}, reason {reason}",
                    source=source,
                    reason=reason,
                    by_peer=True,
                )
            case ProviderAborted(error):
                self._last_words(self.timeouts.linger_s)
                raise AssociationAborted(
                    f"aborted: {error}",
                    source=AbortSource.SERVICE_PROVIDER,
                    reason=error.abort_reason,
                    by_peer=False,
                ) from error
            case TransportClosed():
                self._over()
                raise ConnectionLost("the peer closed the connection")
            case ReleaseRequested():
                self._break("release requested inside a message")
            case _:
                self._over()
                raise AssociationError(f"unexpected {event}")
