"""Associations over real sockets, both ends ours; and what a bad peer gets."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from negatoscope.protocols.dicom.dimse import command as c
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.acceptor import Limits
from negatoscope.protocols.dicom.dimse.association import Association, Timeouts
from negatoscope.protocols.dicom.dimse.errors import (
    AssociationAborted,
    AssociationRejected,
    AssociationTimeout,
    ConnectionLost,
    DataSetTooLarge,
)
from negatoscope.protocols.dicom.dimse.requestor import ProposedContext, connect
from negatoscope.protocols.dicom.ul.items import (
    AnsweredPresentationContext,
    AsynchronousOperationsWindow,
    ProposedPresentationContext,
    UserIdentity,
    UserInformation,
)
from negatoscope.protocols.dicom.ul.pdu import AssociateAccept, AssociateRequest

VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_GET = "1.2.840.10008.5.1.4.1.2.2.3"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
FAST = Timeouts(connect_s=2, artim_s=2, dimse_s=1, message_s=10, idle_s=5, send_s=1, linger_s=1)


def proposed(*abstract_syntaxes: str, scp: bool = False) -> list[ProposedContext]:
    return [
        ProposedContext(abstract_syntax=uid, transfer_syntaxes=(EXPLICIT, IMPLICIT), scp_role=scp)
        for uid in abstract_syntaxes
    ]


def call(port: int, *abstract_syntaxes: str, **options: object) -> Association:
    contexts = options.pop("contexts", None) or proposed(*(abstract_syntaxes or (VERIFICATION,)))
    options.setdefault("timeouts", FAST)
    options.setdefault("calling_ae_title", "CALLING")
    return connect(
        "127.0.0.1", port, called_ae_title="CALLED", contexts=contexts, **options  # type: ignore[arg-type]
    )  # fmt: skip


@contextmanager
def raw_peer(*replies: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A listener that answers each piece it reads with the next of ``replies``, then waits."""
    listener = socket.create_server(("127.0.0.1", 0))
    received: list[bytes] = []

    def play() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.settimeout(10)
            try:
                for reply in replies:
                    received.append(sock.recv(65536))
                    sock.sendall(reply)
                while data := sock.recv(65536):
                    received.append(data)
            except OSError:
                pass

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], received
    finally:
        listener.close()
        thread.join(10)


ACCEPT = AssociateAccept(
    called_ae_title="CALLED",
    calling_ae_title="CALLING",
    presentation_contexts=(
        AnsweredPresentationContext(context_id=1, result=0, transfer_syntax=EXPLICIT),
    ),
    user_information=UserInformation(max_pdu_bytes=16384, implementation_class_uid="1.2"),
).encode()


def test_echo_and_release(serve) -> None:  # type: ignore[no-untyped-def]
    """C-ECHO, then an orderly release, several times on one server."""
    running = serve()
    for _ in range(3):
        with call(running.port) as association:
            assert scu.echo(association) == 0
            assert scu.echo(association) == 0
        assert not association.is_open


def test_negotiation_reaches_both_sides(serve) -> None:  # type: ignore[no-untyped-def]
    """Roles, extended negotiation, user identity, window, implementation: all arrive."""
    seen: list[Association] = []

    def handler(association: Association) -> None:
        seen.append(association)
        while association.next_message() is not None:
            pass

    running = serve(handler)
    running.policy.window = AsynchronousOperationsWindow(invoked=8, performed=1)
    contexts = [*proposed(VERIFICATION), *proposed(CT, scp=True)]
    with call(
        running.port,
        contexts=contexts,
        extended_negotiation={STUDY_FIND: b"\x01\x01"},
        async_window=(16, 1),
        user_identity=UserIdentity(identity_type=1, primary=b"ana"),
    ) as association:
        assert association.async_window.invoked == 8
        assert association.extended_negotiation == {STUDY_FIND: b"\x01"}
        (context,) = association.find_context(CT, role="scp")
        assert (context.as_scu, context.as_scp, context.transfer_syntax) == (True, True, EXPLICIT)
        assert association.find_context(VERIFICATION, role="scp") == []
        assert association.peer_implementation_version_name == "NEGATOSCOPE_01"
    running.server.stop(2)
    (theirs,) = seen
    assert theirs.calling_ae_title == "CALLING"
    assert theirs.user_identity is not None
    assert theirs.user_identity.primary == b"ana"
    (context,) = theirs.find_context(CT, role="scu")
    assert context.as_scp
    assert not theirs.is_requestor


def test_rejection(serve) -> None:  # type: ignore[no-untyped-def]
    """A-ASSOCIATE-RJ comes out as its three numbers."""
    running = serve()
    with pytest.raises(AssociationRejected) as caught:
        call(running.port, calling_ae_title="REFUSED")
    assert (caught.value.result, caught.value.source, caught.value.reason) == (1, 1, 1)
    assert not caught.value.is_transient


@pytest.mark.parametrize("max_pdu_bytes", [4096, 16384, 262_144])
@pytest.mark.parametrize("size", [0, 1, 4090, 8180, 700_001])
def test_data_sets_arrive_whole(serve, max_pdu_bytes: int, size: int) -> None:  # type: ignore[no-untyped-def]
    """Any size, any PDU length, whole or in pieces: the same bytes arrive."""
    stored: list[bytes] = []

    def handler(association: Association) -> None:
        while (message := association.next_message()) is not None:
            stored.append(b"".join(bytes(chunk) for chunk in association.data_set_chunks()))
            association.send_message(message.context.id, c.c_store_rsp(message.command))

    running = serve(handler, limits=Limits(max_pdu_bytes=max_pdu_bytes))
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    pieces = [data[start : start + 1000] for start in range(0, size, 1000)]
    with call(running.port, CT) as association:
        assert association.max_pdu_out == max_pdu_bytes
        context = scu.scu_context(association, CT)
        for data_set in (data, memoryview(data), pieces, iter(pieces)):
            answer = scu.store(
                association, context, sop_class_uid=CT, sop_instance_uid="1.2", data_set=data_set
            )
            assert answer.status == 0
    assert stored == [data] * 4


def test_pipelined_store(serve) -> None:  # type: ignore[no-untyped-def]
    """With a window of 4 every object gets its own answer."""
    running = serve()
    running.policy.window = AsynchronousOperationsWindow(invoked=4, performed=1)
    with call(running.port, CT, async_window=(4, 1)) as association:
        context = scu.scu_context(association, CT)
        objects = [
            scu.Outgoing(
                context=context,
                sop_class_uid=CT,
                sop_instance_uid=f"1.2.{number}",
                data_set=bytes(number * 100),
            )
            for number in range(1, 20)
        ]
        answers = list(scu.store_pipelined(association, objects))
    assert [outgoing.sop_instance_uid for outgoing, _ in answers] == [
        f"1.2.{number}" for number in range(1, 20)
    ]
    assert all(answer.status == 0 for _, answer in answers)


def find_handler(association: Association) -> None:
    """Pending for ever, until cancelled."""
    while (message := association.next_message()) is not None:
        association.read_data_set(1000)
        request = message.command
        while not association.cancelled(request.message_id):
            response = c.c_find_rsp(request, 0xFF00)
            association.send_message(message.context.id, response, b"match")
            time.sleep(0.01)
        association.send_message(message.context.id, c.c_find_rsp(request, 0xFE00))


def test_cancel_is_seen_without_waiting(serve) -> None:  # type: ignore[no-untyped-def]
    """Leaving a C-FIND early cancels it; the association goes on."""
    running = serve(find_handler)
    with call(running.port, STUDY_FIND) as association:
        context = scu.scu_context(association, STUDY_FIND)
        for _ in range(2):
            answers = scu.find(association, context, b"query")
            assert next(answers).data_set == b"match"
            assert next(answers).is_pending
            answers.close()  # type: ignore[attr-defined]


def get_handler(association: Association) -> None:
    """Three C-STORE sub-operations, then the final response."""
    while (message := association.next_message()) is not None:
        association.read_data_set(1000)
        (context,) = association.find_context(CT, role="scu")
        done = 0
        for number in range(3):
            answer = scu.store(
                association,
                context,
                sop_class_uid=CT,
                sop_instance_uid=f"1.2.{number}",
                data_set=b"object",
            )
            done += answer.status == 0
        response = c.retrieve_rsp(message.command, 0, completed=done, failed=3 - done)
        association.send_message(message.context.id, response)


def test_get(serve) -> None:  # type: ignore[no-untyped-def]
    """C-GET gives objects to a callback on the same association, roles reversed."""
    running = serve(get_handler)
    stored: list[tuple[str, bytes]] = []

    def on_store(association: Association, message: object) -> int:
        data = association.read_data_set(1000)
        stored.append((message.command.affected_sop_instance_uid, data))  # type: ignore[attr-defined]
        return 0 if len(stored) != 2 else 0xA700

    contexts = [*proposed(STUDY_GET), *proposed(CT, scp=True)]
    with call(running.port, contexts=contexts) as association:
        context = scu.scu_context(association, STUDY_GET)
        (final,) = scu.get(association, context, b"query", on_store)
    assert stored == [(f"1.2.{number}", b"object") for number in range(3)]
    assert final.command.completed_suboperations == 2
    assert final.command.failed_suboperations == 1


def test_event_report_and_action(serve) -> None:  # type: ignore[no-untyped-def]
    """N-services, with and without data sets."""
    running = serve()
    with call(running.port, "1.2.840.10008.1.20.1") as association:
        context = scu.scu_context(association, "1.2.840.10008.1.20.1")
        uids = {"sop_class_uid": "1.2.840.10008.1.20.1", "sop_instance_uid": "1.3"}
        answer = scu.n_action(
            association, context, **uids, action_type_id=1, data_set=b"references"
        )
        assert answer.status == 0
        assert answer.command.action_type_id == 1
        answer = scu.n_event_report(association, context, **uids, event_type_id=2)
        assert answer.command.event_type_id == 2


def test_too_large_identifier_does_not_end_the_association(serve) -> None:  # type: ignore[no-untyped-def]
    """The rest is thrown away, the answer is a status."""

    def handler(association: Association) -> None:
        while (message := association.next_message()) is not None:
            try:
                association.read_data_set(1000)
                status = 0
            except DataSetTooLarge:
                status = 0xA700
            association.send_message(message.context.id, c.response_to(message.command, status))

    running = serve(handler)
    with call(running.port, STUDY_FIND) as association:
        context = scu.scu_context(association, STUDY_FIND)
        assert [a.status for a in scu.find(association, context, bytes(1_000_000))] == [0xA700]
        assert [a.status for a in scu.find(association, context, bytes(1000))] == [0]


def test_unread_data_sets_are_thrown_away(serve) -> None:  # type: ignore[no-untyped-def]
    """A service that answers without reading does not derail what follows."""

    def handler(association: Association) -> None:
        while (message := association.next_message()) is not None:
            association.send_message(message.context.id, c.response_to(message.command, 0x0122))

    running = serve(handler)
    with call(running.port, CT) as association:
        context = scu.scu_context(association, CT)
        for _ in range(3):
            answer = scu.store(
                association,
                context,
                sop_class_uid=CT,
                sop_instance_uid="1.2",
                data_set=bytes(300_000),
            )
            assert answer.status == 0x0122


def test_a_peer_that_does_not_read_times_out() -> None:
    """A send blocks no longer than ``send_s``."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        finished = threading.Event()

        def deaf() -> None:
            peer, _ = sock.accept()
            peer.recv(65536)
            peer.sendall(ACCEPT)
            finished.wait(10)
            peer.close()

        thread = threading.Thread(target=deaf, daemon=True)
        thread.start()
        association = call(sock.getsockname()[1], CT)
        started = time.monotonic()
        with pytest.raises(AssociationTimeout, match="send"):
            association.send_message(
                1, c.c_store_rq(1, sop_class_uid=CT, sop_instance_uid="1"), bytes(64 << 20)
            )
        assert time.monotonic() - started < 3
        assert not association.is_open
        finished.set()
        thread.join()


def test_a_silent_peer_times_out() -> None:
    """No response: A-ABORT after ``dimse_s``."""
    with raw_peer(ACCEPT) as (port, received):
        association = call(port)
        with pytest.raises(AssociationTimeout, match="dimse"):
            scu.echo(association)
    assert received[-1].endswith(bytes.fromhex("07000000000400000000"))


def test_silence_instead_of_an_answer() -> None:
    """No A-ASSOCIATE-AC: ARTIM."""
    with raw_peer() as (port, received), pytest.raises(AssociationTimeout, match="artim"):
        call(port)
    assert received[-1][0] == 7


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"", AssociationTimeout),
        (bytes.fromhex("0700 00000004 0000 0202"), AssociationAborted),
        (bytes.fromhex("0400 00000010") + bytes(16), AssociationAborted),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", AssociationAborted),
    ],
)
def test_bad_answers_to_a_request(reply: bytes, error: type[Exception]) -> None:
    """Each ends in its typed error, never in a hang."""
    with raw_peer(reply) as (port, _), pytest.raises(error):
        call(port)


def test_nobody_listens() -> None:
    """A refused connection is a lost one."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    with pytest.raises(ConnectionLost):
        call(port)


def raw_association(port: int, **overrides: int) -> socket.socket:
    """A raw socket with an association accepted (context 1, CT)."""
    request = AssociateRequest(
        called_ae_title="CALLED",
        calling_ae_title="RAW",
        presentation_contexts=(
            ProposedPresentationContext(
                context_id=1, abstract_syntax=CT, transfer_syntaxes=(EXPLICIT,)
            ),
        ),
        user_information=UserInformation(max_pdu_bytes=16384, implementation_class_uid="1.2"),
    )
    sock = socket.create_connection(("127.0.0.1", port), timeout=5)
    sock.sendall(request.encode())
    head = sock.recv(6)
    assert head[0] == 2
    left = int.from_bytes(head[2:], "big")
    while left:
        left -= len(sock.recv(left))
    return sock


def data_pdu(control: int, data: bytes, context_id: int = 1) -> bytes:
    return (
        b"\x04\x00"
        + (len(data) + 6).to_bytes(4, "big")
        + (len(data) + 2).to_bytes(4, "big")
        + bytes((context_id, control))
        + data
    )


STORE = (
    c.c_store_rq(1, sop_class_uid=CT, sop_instance_uid="1.2").with_data_set(present=True).encode()
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x04\x00\xff\xff\xff\xff", 6),
        (data_pdu(3, STORE, context_id=3), 5),
        (data_pdu(3, STORE, context_id=2), 6),
        (data_pdu(2, b"data set without a command"), 6),
        (data_pdu(3, b"\x08\x00garbage"), 6),
        (data_pdu(3, STORE) + data_pdu(3, STORE), 6),
        (b"".join(data_pdu(1, bytes(16000)) for _ in range(5)), 6),
        (data_pdu(1, STORE[:20]) + bytes.fromhex("05000000000400000000"), 6),
        (data_pdu(3, STORE) + data_pdu(0, b"half") + bytes.fromhex("05000000000400000000"), 6),
        (b"\x09\x00\x00\x00\x00\x04", 1),
        (bytes.fromhex("0600 00000004 00000000"), 2),
    ],
)
def test_a_peer_that_breaks_the_protocol_is_aborted(serve, data: bytes, reason: int) -> None:  # type: ignore[no-untyped-def]
    """A-ABORT, source provider, with the standard's reason; the next peer is served."""
    running = serve()
    sock = raw_association(running.port)
    sock.sendall(data)
    answer = b""
    while piece := sock.recv(100):
        answer += piece
    assert answer == bytes((7, 0, 0, 0, 0, 4, 0, 0, 2, reason))
    sock.close()
    with call(running.port) as association:
        assert scu.echo(association) == 0


@pytest.mark.parametrize("how", ["abort", "reset", "close", "silence"])
def test_a_peer_that_goes_in_mid_data_set(serve, how: str) -> None:  # type: ignore[no-untyped-def]
    """The service sees an exception in the middle of the chunks, and soon."""
    seen: list[object] = []
    done = threading.Event()

    def handler(association: Association) -> None:
        try:
            assert association.next_message() is not None
            for chunk in association.data_set_chunks():
                seen.append(bytes(chunk))
        except Exception as error:
            seen.append(error)
            raise
        finally:
            done.set()

    running = serve(handler, timeouts=FAST)
    sock = raw_association(running.port)
    sock.sendall(data_pdu(3, STORE) + data_pdu(0, b"first half"))
    time.sleep(0.1)
    match how:
        case "abort":
            sock.sendall(bytes.fromhex("07000000000400000000"))
        case "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            sock.close()
        case "close":
            sock.close()
        case _:
            pass
    assert done.wait(5)
    error = {
        "abort": AssociationAborted,
        "reset": ConnectionLost,
        "close": ConnectionLost,
        "silence": AssociationTimeout,
    }[how]
    assert seen[0] == b"first half"
    assert type(seen[-1]) is error
    sock.close()


def test_a_trickling_message_has_an_end(serve) -> None:  # type: ignore[no-untyped-def]
    """A byte now and then does not keep a message alive beyond ``message_s``."""
    ended: list[Exception] = []

    def handler(association: Association) -> None:
        try:
            association.next_message()
            association.discard_data_set()
        except Exception as error:
            ended.append(error)
            raise

    running = serve(handler, timeouts=Timeouts(dimse_s=1, message_s=1, linger_s=0.2))
    sock = raw_association(running.port)
    sock.sendall(data_pdu(3, STORE))
    started = time.monotonic()

    def trickle() -> None:
        while time.monotonic() - started < 5:
            sock.sendall(data_pdu(0, b"x"))
            time.sleep(0.1)

    with pytest.raises(OSError):
        trickle()
    assert time.monotonic() - started < 4
    assert isinstance(ended[0], AssociationTimeout)
    assert ended[0].what == "message"


def test_generator_that_fails_while_sending_aborts(serve) -> None:  # type: ignore[no-untyped-def]
    """Half a message cannot be taken back: the association ends, the error comes through."""
    running = serve()

    def pieces() -> Iterator[bytes]:
        yield bytes(3 << 20)
        raise LookupError("the disk is gone")

    association = call(running.port, CT)
    with pytest.raises(LookupError):
        association.send_message(
            1, c.c_store_rq(1, sop_class_uid=CT, sop_instance_uid="1"), pieces()
        )
    assert not association.is_open
    with pytest.raises(ConnectionLost):
        association.next_message()
