"""The core without I/O: both roles, streaming, and what a hostile peer gets."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negatoscope.protocols.dicom.ul.connection import (
    NEED_DATA,
    AbortReceived,
    AssociationAccepted,
    AssociationRejected,
    AssociationRequested,
    Connection,
    ConnectionEvent,
    DataFragment,
    ProviderAborted,
    ReleaseConfirmed,
    ReleaseRequested,
    TransportClosed,
)
from negatoscope.protocols.dicom.ul.errors import AbortReason, LocalProtocolError
from negatoscope.protocols.dicom.ul.items import (
    AnsweredPresentationContext,
    ProposedPresentationContext,
    UserInformation,
)
from negatoscope.protocols.dicom.ul.pdu import (
    Abort,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    DataTransfer,
    PresentationDataValue,
    ReleaseReply,
    ReleaseRequest,
    decode_control_pdu,
)
from negatoscope.protocols.dicom.ul.state_machine import State

data_transfers = st.builds(
    DataTransfer,
    values=st.lists(
        st.builds(
            PresentationDataValue,
            context_id=st.integers(0, 127).map(lambda number: 2 * number + 1),
            is_command=st.booleans(),
            is_last=st.booleans(),
            fragment=st.binary(max_size=300),
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
)

REQUEST = AssociateRequest(
    called_ae_title="CALLED",
    calling_ae_title="CALLING",
    presentation_contexts=tuple(
        ProposedPresentationContext(
            context_id=number, abstract_syntax="1.2", transfer_syntaxes=("1.3",)
        )
        for number in range(1, 256, 2)
    ),
    user_information=UserInformation(max_pdu_bytes=16384),
)
ACCEPT = AssociateAccept(
    called_ae_title="CALLED",
    calling_ae_title="CALLING",
    presentation_contexts=tuple(
        AnsweredPresentationContext(
            context_id=number, result=0 if number != 5 else 3, transfer_syntax="1.3"
        )
        for number in range(1, 256, 2)
    ),
    user_information=UserInformation(max_pdu_bytes=16384),
)
REJECT = AssociateReject(result=1, source=1, reason=1)


def events_of(connection: Connection, data: bytes) -> list[ConnectionEvent]:
    connection.receive(data)
    found: list[ConnectionEvent] = []
    while (event := connection.next_event()) is not NEED_DATA:
        assert not isinstance(event, type(NEED_DATA))
        found.append(event)
    return found


def acceptor(**options: int) -> Connection:
    """An acceptor's connection in Sta6."""
    connection = Connection(is_requestor=False, **options)  # type: ignore[arg-type]
    connection.transport_opened()
    assert events_of(connection, REQUEST.encode()) == [AssociationRequested(REQUEST)]
    assert connection.state is State.STA3
    connection.accept(ACCEPT)
    assert connection.take_output() == ACCEPT.encode()
    assert connection.state is State.STA6
    return connection


def requestor() -> Connection:
    """A requestor's connection in Sta6."""
    connection = Connection(is_requestor=True)
    connection.request_association(REQUEST)
    assert connection.take_output() == b""
    connection.transport_opened()
    assert connection.take_output() == REQUEST.encode()
    assert events_of(connection, ACCEPT.encode()) == [AssociationAccepted(ACCEPT)]
    assert connection.state is State.STA6
    return connection


def sent_abort(connection: Connection) -> Abort:
    pdu = connection.take_output()
    abort = decode_control_pdu(pdu[0], memoryview(pdu)[6:])
    assert isinstance(abort, Abort)
    return abort


def test_artim_runs_until_the_request_came() -> None:
    """AE-5 starts the timer, AE-6 stops it; expiry closes."""
    connection = Connection(is_requestor=False)
    connection.transport_opened()
    assert connection.artim_running
    connection.artim_expired()
    assert connection.must_close
    assert connection.state is State.STA1
    assert not acceptor().artim_running


def test_rejection() -> None:
    """Both sides of A-ASSOCIATE-RJ."""
    ours = Connection(is_requestor=False)
    ours.transport_opened()
    events_of(ours, REQUEST.encode())
    ours.reject(REJECT)
    assert ours.state is State.STA13
    assert ours.artim_running
    theirs = Connection(is_requestor=True)
    theirs.request_association(REQUEST)
    theirs.transport_opened()
    assert events_of(theirs, ours.take_output()) == [AssociationRejected(REJECT)]
    assert theirs.must_close


def test_orderly_release() -> None:
    """Sta6, Sta7, Sta1 here; Sta6, Sta8, Sta13, Sta1 there; data may still come to Sta7."""
    ours, theirs = requestor(), acceptor()
    ours.request_release()
    assert events_of(theirs, ours.take_output()) == [ReleaseRequested()]
    assert theirs.state is State.STA8
    late = DataTransfer(values=(PresentationDataValue(
        context_id=1, is_command=True, is_last=True, fragment=b"late"),))  # fmt: skip
    (fragment,) = events_of(ours, late.encode())
    assert isinstance(fragment, DataFragment)
    theirs.reply_release()
    assert events_of(ours, theirs.take_output()) == [ReleaseConfirmed()]
    assert ours.must_close
    theirs.receive_eof()
    assert theirs.next_event() == TransportClosed(was_expected=True)
    assert theirs.state is State.STA1


def test_release_collision() -> None:
    """Both ask at once: PS3.8 §7.2.2, the requestor answers first."""
    ours, theirs = requestor(), acceptor()
    ours.request_release()
    theirs.request_release()
    assert events_of(ours, theirs.take_output()) == [ReleaseRequested()]
    assert ours.state is State.STA9
    assert events_of(theirs, ours.take_output()) == [ReleaseRequested()]
    assert theirs.state is State.STA10
    ours.reply_release()
    assert ours.state is State.STA11
    assert events_of(theirs, ours.take_output()) == [ReleaseConfirmed()]
    assert theirs.state is State.STA12
    theirs.reply_release()
    assert events_of(ours, theirs.take_output()) == [ReleaseConfirmed()]
    assert ours.state is State.STA1


def test_abort_from_either_side() -> None:
    """A-ABORT carries source and reason, and ends both machines."""
    ours, theirs = requestor(), acceptor()
    ours.abort(0, 0)
    assert ours.state is State.STA13
    assert events_of(theirs, ours.take_output()) == [AbortReceived(0, 0)]
    assert theirs.must_close
    assert theirs.state is State.STA1


def test_lost_transport() -> None:
    """Without release or abort the closing was not expected."""
    connection = acceptor()
    connection.receive_eof()
    assert connection.next_event() == TransportClosed(was_expected=False)
    assert connection.next_event() is NEED_DATA


def test_fragments_are_views_of_the_buffer() -> None:
    """No byte of a data set is copied, and a cut one comes out in pieces."""
    connection = acceptor()
    transfer = DataTransfer(values=(PresentationDataValue(
        context_id=3, is_command=False, is_last=True, fragment=bytes(range(200))),))  # fmt: skip
    stream = transfer.encode()
    first, second = bytearray(stream[:112]), bytearray(stream[112:])
    connection.receive(memoryview(first))
    event = connection.next_event()
    assert event == DataFragment(3, False, False, memoryview(bytes(range(100))))
    assert isinstance(event, DataFragment)
    assert event.data.obj is first
    assert connection.next_event() is NEED_DATA
    connection.receive(memoryview(second))
    event = connection.next_event()
    assert event == DataFragment(3, False, True, memoryview(bytes(range(100, 200))))
    assert isinstance(event, DataFragment)
    assert event.data.obj is second


@settings(max_examples=100, deadline=None)
@given(
    st.lists(data_transfers, min_size=1, max_size=3),
    st.lists(st.integers(1, 40), min_size=1, max_size=200),
)
def test_any_cutting_gives_the_same_messages(
    transfers: list[DataTransfer], sizes: list[int]
) -> None:
    """However TCP cuts the stream, the joined fragments are those sent."""
    accept_all = AssociateAccept(
        called_ae_title="CALLED",
        calling_ae_title="CALLING",
        presentation_contexts=tuple(
            AnsweredPresentationContext(context_id=number, result=0, transfer_syntax="1.3")
            for number in range(1, 256, 2)
        ),
        user_information=UserInformation(max_pdu_bytes=16384),
    )
    connection = Connection(is_requestor=False)
    connection.transport_opened()
    stream = memoryview(
        REQUEST.encode()
        + b"".join(transfer.encode() for transfer in transfers)
        + ReleaseRequest().encode()
    )
    joined: list[tuple[int, bool, bytearray]] = []
    ends: list[bool] = []
    released = False
    position = turn = 0
    while position < len(stream):
        size = sizes[turn % len(sizes)]
        turn += 1
        connection.receive(stream[position : position + size])
        position += size
        while (event := connection.next_event()) is not NEED_DATA:
            if isinstance(event, AssociationRequested):
                connection.accept(accept_all)
            elif isinstance(event, DataFragment):
                if not joined or ends[-1] or joined[-1][:2] != (event.context_id, event.is_command):
                    joined.append((event.context_id, event.is_command, bytearray()))
                    ends.append(False)
                joined[-1][2].extend(event.data)
                ends[-1] = event.is_last
            else:
                assert isinstance(event, ReleaseRequested)
                released = True
    expected: list[tuple[int, bool, bytearray]] = []
    finished = True
    for value in (value for transfer in transfers for value in transfer.values):
        if finished or expected[-1][:2] != (value.context_id, value.is_command):
            expected.append((value.context_id, value.is_command, bytearray()))
        expected[-1][2].extend(value.fragment)
        finished = value.is_last
    assert released
    assert joined == expected


def pdu(pdu_type: int, length: int, body: bytes = b"") -> bytes:
    return bytes((pdu_type, 0)) + length.to_bytes(4, "big") + body


def pdv(length: int, context_id: int, control: int = 3, data: bytes = b"") -> bytes:
    return length.to_bytes(4, "big") + bytes((context_id, control)) + data


@pytest.mark.parametrize(
    ("data", "reason", "message"),
    [
        (pdu(4, 0xFFFFFFFF), 6, "4294967295 bytes, 16384 were agreed"),
        (pdu(4, 16385), 6, "16385 bytes"),
        (pdu(4, 3), 6, "P-DATA-TF of 3"),
        (pdu(4, 20, pdv(17, 1)), 6, "passes the PDU's end"),
        (pdu(4, 20, pdv(0xFFFFFFFF, 1)), 6, "passes the PDU's end"),
        (pdu(4, 20, pdv(1, 1)), 6, "passes the PDU's end"),
        (pdu(4, 20, pdv(13, 1)), 6, "3 bytes left over"),
        (pdu(4, 20, pdv(16, 2)), 6, "2 is even"),
        (pdu(4, 20, pdv(16, 5)), 5, "5 was not accepted"),
        (pdu(0, 4), 1, "PDU type 0x00"),
        (pdu(8, 4), 1, "PDU type 0x08"),
        (b"GET / HTTP/1.1\r\n\r\n", 1, "PDU type 0x47"),
        (pdu(1, 200), 2, "ASSOCIATE_RQ in Sta6"),
        (pdu(2, 0xFFFFFFFF), 2, "ASSOCIATE_AC in Sta6"),
        (pdu(6, 4), 2, "RELEASE_RP in Sta6"),
        (pdu(5, 5), 6, "RELEASE_RQ of 5 bytes"),
        (pdu(7, 0xFFFFFFFF), 6, "ABORT of 4294967295"),
    ],
)
def test_broken_protocol_in_an_association(data: bytes, reason: int, message: str) -> None:
    """A-ABORT from the provider with the standard's reason, at the header, nothing kept."""
    connection = acceptor(max_pdu_bytes=16384)
    (event,) = events_of(connection, data)
    assert isinstance(event, ProviderAborted)
    assert message in str(event.error)
    assert sent_abort(connection) == Abort(source=2, reason=AbortReason(reason))
    assert connection.state is State.STA13
    assert events_of(connection, bytes(100_000)) == []
    assert connection.take_output() == b""


@pytest.mark.parametrize(
    "data",
    [pdu(1, 65537), pdu(1, 0xFFFFFFFF), pdu(1, 70, bytes(70)), pdu(4, 100), pdu(99, 4), pdu(5, 4)],
)
def test_broken_protocol_before_an_association(data: bytes) -> None:
    """AA-1: A-ABORT from the user, whose reason is not significant."""
    connection = Connection(is_requestor=False)
    connection.transport_opened()
    (event,) = events_of(connection, data)
    assert isinstance(event, ProviderAborted)
    assert sent_abort(connection) == Abort(source=0, reason=0)
    assert connection.artim_running


def test_abort_received_before_an_association_just_closes() -> None:
    """AA-2 in Sta2."""
    connection = Connection(is_requestor=False)
    connection.transport_opened()
    assert events_of(connection, Abort(source=0).encode()) == []
    assert connection.must_close


def test_a_pdu_of_4_gib_costs_no_memory() -> None:
    """100 MiB behind a lying header are thrown away as they come."""
    connection = acceptor()
    noise = bytes(1 << 20)
    tracemalloc.start()
    try:
        connection.receive(pdu(4, 0xFFFFFFFF))
        assert isinstance(connection.next_event(), ProviderAborted)
        for _ in range(100):
            connection.receive(noise)
            assert connection.next_event() is NEED_DATA
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_pdus_ignored_while_closing() -> None:
    """Sta13 skips what comes (AA-6) until the peer closes or aborts."""
    connection = acceptor()
    assert events_of(connection, ReleaseRequest().encode()) == [ReleaseRequested()]
    connection.reply_release()
    late = pdu(4, 20, pdv(16, 1, data=bytes(14)))
    assert events_of(connection, late + ReleaseReply().encode()) == []
    assert connection.state is State.STA13
    events_of(connection, Abort(source=0).encode())
    assert connection.must_close


def test_no_data_may_be_sent_outside_an_association() -> None:
    """A local mistake is a local error."""
    connection = Connection(is_requestor=True)
    with pytest.raises(LocalProtocolError):
        connection.data_header(1, 10, is_command=True, is_last=True)
    with pytest.raises(LocalProtocolError):
        connection.request_release()


def test_unread_bytes_are_not_overwritten() -> None:
    """The driver must consume before it gives more."""
    connection = acceptor()
    connection.receive(ReleaseRequest().encode())
    with pytest.raises(LocalProtocolError):
        connection.receive(b"more")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_noise_never_crashes(noise: bytes, established: bool) -> None:
    """Random bytes end in events; never in another exception, never in a reply but A-ABORT."""
    connection = acceptor() if established else Connection(is_requestor=False)
    if not established:
        connection.transport_opened()
    events_of(connection, noise)
    output = connection.take_output()
    assert not output or output[0] == 7


def test_what_a_data_pdu_still_lacks_is_known_until_its_end() -> None:
    """A driver may wait for that many bytes, and for not one more: the next PDU may never come."""
    connection = acceptor()
    whole = DataTransfer(
        values=(
            PresentationDataValue(
                context_id=1, is_command=False, is_last=False, fragment=bytes(50)
            ),
            PresentationDataValue(context_id=1, is_command=False, is_last=True, fragment=bytes(30)),
        )
    ).encode()
    assert connection.data_expected == 0
    for cut in range(7, len(whole)):
        connection.receive(whole[:cut])
        while connection.next_event() is not NEED_DATA:
            pass
        assert connection.data_expected <= len(whole) - cut
        connection.receive(whole[cut:])
        while connection.next_event() is not NEED_DATA:
            pass
        assert connection.data_expected == 0
