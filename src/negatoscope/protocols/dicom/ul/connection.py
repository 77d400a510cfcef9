"""One association as a core without I/O: bytes in, events out, bytes to send out.

The driver owns the socket and the clock. It gives what it read to `Connection.receive`, then calls
`Connection.next_event` until it says `NEED_DATA`; it sends what `take_output` returns after every
call; it runs the ARTIM timer while ``artim_running`` and closes the transport when
``must_close``. What may happen when is the table of `state_machine` alone.

P-DATA-TF is streamed. Its header is judged as soon as its six bytes are there (a length above the
maximum we advertised aborts before a byte of it is kept) and its fragments come out as views of the
driver's own buffer, cut where that buffer ends: nothing is copied, nothing is buffered, the memory
used does not depend on the PDU. Other PDUs are collected up to ``max_associate_pdu_bytes``.
"""

import struct
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from negatoscope.protocols.dicom.ul.errors import (
    AbortReason,
    AbortSource,
    InvalidPdu,
    LocalProtocolError,
    ProtocolError,
    UnexpectedPdu,
    UnrecognizedPdu,
)
from negatoscope.protocols.dicom.ul.items import ContextResult
from negatoscope.protocols.dicom.ul.pdu import (
    PDU_HEADER_BYTES,
    PDV_HEADER_BYTES,
    Abort,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    PduType,
    ReleaseReply,
    ReleaseRequest,
    data_header,
    decode_control_pdu,
)
from negatoscope.protocols.dicom.ul.state_machine import (
    TRANSITIONS,
    Action,
    Event,
    State,
    action_for,
    next_state,
)

DEFAULT_MAX_PDU_BYTES: Final = 262_144
DEFAULT_MAX_ASSOCIATE_PDU_BYTES: Final = 65_536


class DataFragment(NamedTuple):
    """P-DATA indication: a piece of a presentation data value.

    A tuple, not a dataclass: it is made for every piece received. ``data`` is a view of the buffer
    given to `Connection.receive`; ``is_last`` is true for the piece that ends the command or the
    data set.
    """

    context_id: int
    is_command: bool
    is_last: bool
    data: memoryview


@dataclass(frozen=True, slots=True)
class AssociationRequested:
    """A-ASSOCIATE indication: answer with `Connection.accept` or `Connection.reject`."""

    request: AssociateRequest


@dataclass(frozen=True, slots=True)
class AssociationAccepted:
    """A-ASSOCIATE confirmation, accepted."""

    accept: AssociateAccept


@dataclass(frozen=True, slots=True)
class AssociationRejected:
    """A-ASSOCIATE confirmation, rejected."""

    reject: AssociateReject


@dataclass(frozen=True, slots=True)
class ReleaseRequested:
    """A-RELEASE indication: answer with `Connection.reply_release` (in Sta10: after the peer's)."""


@dataclass(frozen=True, slots=True)
class ReleaseConfirmed:
    """A-RELEASE confirmation. In Sta12 our own reply is still due."""


@dataclass(frozen=True, slots=True)
class AbortReceived:
    """A-ABORT or A-P-ABORT indication from the peer."""

    source: int
    reason: int


@dataclass(frozen=True, slots=True)
class ProviderAborted:
    """We sent A-ABORT because the peer broke the protocol."""

    error: ProtocolError


@dataclass(frozen=True, slots=True)
class TransportClosed:
    """The transport connection is gone; ``was_expected`` after a release or an abort."""

    was_expected: bool


class Need(Enum):
    """The one answer that is not an event."""

    DATA = "data"


NEED_DATA: Final = Need.DATA

ConnectionEvent = (
    DataFragment
    | AssociationRequested
    | AssociationAccepted
    | AssociationRejected
    | ReleaseRequested
    | ReleaseConfirmed
    | AbortReceived
    | ProviderAborted
    | TransportClosed
)

_PDU_EVENTS: Final = {
    PduType.ASSOCIATE_AC: Event.EVT3,
    PduType.ASSOCIATE_RJ: Event.EVT4,
    PduType.ASSOCIATE_RQ: Event.EVT6,
    PduType.DATA_TF: Event.EVT10,
    PduType.RELEASE_RQ: Event.EVT12,
    PduType.RELEASE_RP: Event.EVT13,
    PduType.ABORT: Event.EVT16,
}
_ASSOCIATE_TYPES: Final = frozenset({PduType.ASSOCIATE_RQ, PduType.ASSOCIATE_AC})
_ABORTING: Final = frozenset({Action.AA1, Action.AA7, Action.AA8})
_STARTS_ARTIM: Final = frozenset({Action.AE5, Action.AE8, Action.AR4, Action.AA1, Action.AA8})
_STOPS_ARTIM: Final = frozenset({Action.AE6, Action.AR5, Action.AA2, Action.AA5})
_INDICATES_DATA: Final = frozenset({Action.DT2, Action.AR6})
_CLOSES: Final = frozenset({Action.AE4, Action.AR3, Action.AA2, Action.AA3})

_unpack_pdu_header = struct.Struct(">BxI").unpack_from
_unpack_pdv_header = struct.Struct(">IBB").unpack_from
_unpack_usual_header = struct.Struct(">BxIIBB").unpack_from
_USUAL_HEADER_BYTES: Final = PDU_HEADER_BYTES + PDV_HEADER_BYTES
_DATA_TF: Final = int(PduType.DATA_TF)
_NOTHING: Final = memoryview(b"")


class Connection:
    """The protocol machine of one association, either role.

    Attributes:
        state: PS3.8 state, Sta1 to Sta13.
        artim_running: Whether the driver must call `artim_expired` when its deadline passes.
        must_close: Whether the driver must close the transport now.
        max_pdu_bytes: Longest P-DATA-TF accepted (its length field), as advertised to the peer.
    """

    def __init__(
        self,
        *,
        is_requestor: bool,
        max_pdu_bytes: int = DEFAULT_MAX_PDU_BYTES,
        max_associate_pdu_bytes: int = DEFAULT_MAX_ASSOCIATE_PDU_BYTES,
    ) -> None:
        self.is_requestor = is_requestor
        self.max_pdu_bytes = max_pdu_bytes
        self.max_associate_pdu_bytes = max_associate_pdu_bytes
        self.state = State.STA1
        self.artim_running = False
        self.must_close = False
        self._output = bytearray()
        self._request: AssociateRequest | None = None
        self._context_ids: frozenset[int] = frozenset()
        self._takes_data = False  # whether P-DATA-TF leads to DT-2 or AR-6 in this state

        self._view = _NOTHING
        self._position = 0
        self._end = 0
        self._carry = bytearray()  # a header cut by the end of a buffer, < 6 bytes
        self._pdu_type = 0
        self._body = bytearray()
        self._body_left = 0  # of a control PDU
        self._skip_left = 0  # of a PDU that Sta13 ignores
        self._pdu_left = 0  # of a P-DATA-TF, after the current presentation data value
        self._in_pdv = False
        self._pdv_left = 0
        self._pdv_context_id = 0
        self._pdv_is_command = False
        self._pdv_is_last = False
        self._deaf = False  # framing lost after our abort: the rest is noise
        self._closed_event: TransportClosed | None = None

    # ---- the local user's requests

    def request_association(self, request: AssociateRequest) -> None:
        """A-ASSOCIATE request (Evt1); sent once `transport_opened`."""
        self._fire(Event.EVT1)
        self._request = request

    def transport_opened(self) -> None:
        """The transport is there: Evt2 for the requestor, Evt5 for the acceptor."""
        if not self.is_requestor:
            self._fire(Event.EVT5)
            return
        self._fire(Event.EVT2)
        if self._request is not None:
            self._output += self._request.encode()

    def accept(self, accept: AssociateAccept) -> None:
        """A-ASSOCIATE response, accept (Evt7)."""
        self._fire(Event.EVT7)
        self._learn_contexts(accept)
        self._output += accept.encode()

    def reject(self, reject: AssociateReject) -> None:
        """A-ASSOCIATE response, reject (Evt8)."""
        self._fire(Event.EVT8)
        self._output += reject.encode()

    def data_header(
        self, context_id: int, fragment_bytes: int, *, is_command: bool, is_last: bool
    ) -> bytes:
        """P-DATA request (Evt9): the 12 bytes to send before the fragment.

        Raises:
            LocalProtocolError: No data may be sent in this state.
        """
        if self.state is not State.STA6:
            self._fire(Event.EVT9)
        return data_header(context_id, fragment_bytes, is_command=is_command, is_last=is_last)

    def request_release(self) -> None:
        """A-RELEASE request (Evt11)."""
        self._fire(Event.EVT11)
        self._output += ReleaseRequest().encode()

    def reply_release(self) -> None:
        """A-RELEASE response (Evt14)."""
        self._fire(Event.EVT14)
        self._output += ReleaseReply().encode()

    def abort(
        self,
        source: int = AbortSource.SERVICE_USER,
        reason: int = AbortReason.NOT_SPECIFIED,
    ) -> None:
        """A-ABORT request (Evt15)."""
        action = self._fire(Event.EVT15)
        if action is Action.AA1:
            self._output += Abort(source=source, reason=reason).encode()

    def artim_expired(self) -> None:
        """The ARTIM timer expired (Evt18)."""
        self._fire(Event.EVT18)

    # ---- the driver's side

    def take_output(self) -> bytes:
        """Bytes to send now, each once."""
        output = bytes(self._output)
        self._output.clear()
        return output

    @property
    def bytes_wanted(self) -> int:
        """How many bytes complete the header or the control PDU under way, at least 1."""
        if self._body_left:
            return self._body_left
        return max(1, PDU_HEADER_BYTES - len(self._carry))

    def receive(self, data: memoryview | bytes) -> None:
        """Takes what was read; the buffer must stay as it is until `NEED_DATA`.

        Raises:
            LocalProtocolError: The previous bytes were not all consumed.
        """
        if self._position != self._end:
            raise LocalProtocolError("bytes received before the previous ones were consumed")
        self._view = data if isinstance(data, memoryview) else memoryview(data)
        self._position = 0
        self._end = len(self._view)

    def receive_eof(self) -> None:
        """The transport is closed or broken (Evt17)."""
        was_expected = self.state in (State.STA13, State.STA1)
        if self.state is not State.STA1:
            self._fire(Event.EVT17)
        self._closed_event = TransportClosed(was_expected)

    @property
    def data_expected(self) -> int:
        """Bytes that the P-DATA-TF being received still lacks; 0 between PDUs and in control PDUs."""
        left = (self._pdv_left if self._in_pdv else 0) + self._pdu_left
        return left - len(self._carry) if left else 0

    def next_event(self) -> ConnectionEvent | Need:
        """What the bytes received mean, one event a call."""
        while True:
            if self._in_pdv:
                start = self._position
                available = self._end - start
                left = self._pdv_left
                if left <= available:
                    self._in_pdv = False
                    self._position = stop = start + left
                    return DataFragment(
                        self._pdv_context_id,
                        self._pdv_is_command,
                        self._pdv_is_last,
                        self._view[start:stop],
                    )
                if not available:
                    return self._need_data()
                self._pdv_left = left - available
                self._position = self._end
                return DataFragment(
                    self._pdv_context_id, self._pdv_is_command, False, self._view[start:]
                )
            if self._takes_data and self._begin_usual_pdu():
                continue
            if self._deaf or self.state is State.STA1:
                self._position = self._end
                return self._need_data()
            try:
                if self._pdu_left:
                    if not self._begin_pdv():
                        return self._need_data()
                    continue
                if self._skip_left:
                    take = min(self._skip_left, self._end - self._position)
                    self._skip_left -= take
                    self._position += take
                    if self._skip_left:
                        return self._need_data()
                    continue
                if not self._body_left and not self._begin_pdu():
                    return self._need_data()
                if self._body_left:
                    event = self._collect_body()
                    if event is not None:
                        return event
                    if self._body_left:
                        return self._need_data()
            except ProtocolError as error:
                return self._provider_abort(error)

    # ---- parsing

    def _need_data(self) -> ConnectionEvent | Need:
        if self._closed_event is not None and self._position == self._end:
            event, self._closed_event = self._closed_event, None
            return event
        return NEED_DATA

    def _header(self, length: int) -> tuple[memoryview | bytes, int] | None:
        """A buffer and the position in it of a whole header; None while it is cut."""
        position = self._position
        missing = length - len(self._carry)
        if missing == length and self._end - position >= length:
            self._position = position + length
            return self._view, position
        take = min(missing, self._end - position)
        self._carry += self._view[position : position + take]
        self._position = position + take
        if take < missing:
            return None
        header = bytes(self._carry)
        self._carry.clear()
        return header, 0

    def _begin_usual_pdu(self) -> bool:
        """A short cut for nearly every PDU there is: P-DATA-TF, whole header, one value.

        Anything else, right or wrong, is left to `_begin_pdu` and `_begin_pdv`.
        """
        position = self._position
        if (
            self._end - position < _USUAL_HEADER_BYTES
            or self._pdu_left
            or self._body_left
            or self._skip_left
            or self._carry
        ):
            return False
        pdu_type, pdu_length, length, context_id, control = _unpack_usual_header(
            self._view, position
        )
        if (
            pdu_type != _DATA_TF
            or pdu_length > self.max_pdu_bytes
            or length != pdu_length - 4
            or length < 2
            or context_id not in self._context_ids
        ):
            return False
        self._position = position + _USUAL_HEADER_BYTES
        self._in_pdv = True
        self._pdv_left = length - 2
        self._pdv_context_id = context_id
        self._pdv_is_command = control & 1 == 1
        self._pdv_is_last = control & 2 == 2
        return True

    def _begin_pdu(self) -> bool:
        """Judges a PDU by its header; False while the header is not whole."""
        header = self._header(PDU_HEADER_BYTES)
        if header is None:
            return False
        pdu_type, length = _unpack_pdu_header(*header)
        if pdu_type == _DATA_TF and self._takes_data:
            if length > self.max_pdu_bytes:
                raise InvalidPdu(f"P-DATA-TF of {length} bytes, {self.max_pdu_bytes} were agreed")
            if length < PDV_HEADER_BYTES:
                raise InvalidPdu(f"P-DATA-TF of {length} bytes")
            self._pdu_left = length
            return True
        if pdu_type not in _PDU_EVENTS:
            raise UnrecognizedPdu(f"PDU type {pdu_type:#04x}")
        pdu_type = PduType(pdu_type)
        action = action_for(self.state, _PDU_EVENTS[pdu_type])
        if action in _ABORTING:
            raise UnexpectedPdu(f"{pdu_type.name} in {self.state}")
        if action is Action.AA6:
            self._skip_left = length
            return True
        limit = self.max_associate_pdu_bytes if pdu_type in _ASSOCIATE_TYPES else 4
        if length > limit or length < 4:
            raise InvalidPdu(f"{pdu_type.name} of {length} bytes")
        self._pdu_type = pdu_type
        self._body_left = length
        return True

    def _begin_pdv(self) -> bool:
        header = self._header(PDV_HEADER_BYTES)
        if header is None:
            return False
        length, context_id, control = _unpack_pdv_header(*header)
        left = self._pdu_left - 4 - length
        if length < 2 or left < 0:
            raise InvalidPdu(f"presentation data value of {length} bytes passes the PDU's end")
        if 0 < left < PDV_HEADER_BYTES:
            raise InvalidPdu(f"{left} bytes left over in a P-DATA-TF")
        if context_id not in self._context_ids:
            if context_id % 2 == 0:
                raise InvalidPdu(f"presentation context ID {context_id} is even")
            raise InvalidPdu(
                f"presentation context {context_id} was not accepted",
                abort_reason=AbortReason.UNEXPECTED_PDU_PARAMETER,
            )
        self._pdu_left = left
        self._in_pdv = True
        self._pdv_left = length - 2
        self._pdv_context_id = context_id
        self._pdv_is_command = control & 1 == 1
        self._pdv_is_last = control & 2 == 2
        return True

    def _collect_body(self) -> ConnectionEvent | None:
        take = min(self._body_left, self._end - self._position)
        self._body += self._view[self._position : self._position + take]
        self._position += take
        self._body_left -= take
        if self._body_left:
            return None
        body = bytes(self._body)
        self._body.clear()
        pdu = decode_control_pdu(self._pdu_type, memoryview(body))
        match pdu:
            case AssociateRequest():
                self._fire(Event.EVT6)
                return AssociationRequested(pdu)
            case AssociateAccept():
                self._fire(Event.EVT3)
                self._learn_contexts(pdu)
                return AssociationAccepted(pdu)
            case AssociateReject():
                self._fire(Event.EVT4)
                return AssociationRejected(pdu)
            case ReleaseRequest():
                self._fire(Event.EVT12)
                return ReleaseRequested()
            case ReleaseReply():
                self._fire(Event.EVT13)
                return ReleaseConfirmed()
            case Abort():
                action = self._fire(Event.EVT16)
                return AbortReceived(pdu.source, pdu.reason) if action is Action.AA3 else None

    def _learn_contexts(self, accept: AssociateAccept) -> None:
        self._context_ids = frozenset(
            context.context_id
            for context in accept.presentation_contexts
            if context.result == ContextResult.ACCEPTANCE
        )

    def _provider_abort(self, error: ProtocolError) -> ProviderAborted:
        """Evt19, and the events of PDUs the state does not allow: the same cells of the table."""
        self._deaf = True
        self._position = self._end
        self._carry.clear()
        self._body.clear()
        self._body_left = self._skip_left = self._pdu_left = 0
        self._in_pdv = False
        action = self._fire(Event.EVT19)
        if action is Action.AA1:  # before an association the source is the user's (Table 9-9)
            abort = Abort(source=AbortSource.SERVICE_USER)
        else:
            abort = Abort(source=AbortSource.SERVICE_PROVIDER, reason=error.abort_reason)
        self._output += abort.encode()
        return ProviderAborted(error)

    def _fire(self, event: Event) -> Action:
        action = action_for(self.state, event)
        self.state = next_state(action, is_requestor=self.is_requestor)
        self._takes_data = TRANSITIONS.get((self.state, Event.EVT10)) in _INDICATES_DATA
        if action in _STARTS_ARTIM:
            self.artim_running = True
        elif action in _STOPS_ARTIM:
            self.artim_running = False
        if action in _CLOSES:
            self.must_close = True
        return action
