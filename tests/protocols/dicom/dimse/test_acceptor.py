"""The front gate and the limits: what a crowd of bad peers can and cannot do."""

import contextlib
import resource
import socket
import threading
import time
from pathlib import Path

import pytest

from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.acceptor import Accept, Limits, Peer, Reject
from negatoscope.protocols.dicom.dimse.association import Association, Timeouts
from negatoscope.protocols.dicom.dimse.command import response_to
from negatoscope.protocols.dicom.dimse.errors import (
    AssociationAborted,
    AssociationError,
    AssociationRejected,
)
from negatoscope.protocols.dicom.dimse.requestor import ProposedContext, connect
from negatoscope.protocols.dicom.ul.items import ProposedPresentationContext, UserInformation
from negatoscope.protocols.dicom.ul.pdu import AssociateRequest

VERIFICATION = "1.2.840.10008.1.1"
FAST = Timeouts(connect_s=2, artim_s=1.0, dimse_s=2, idle_s=10, linger_s=0.5)


def call(port: int, *, calling_ae_title: str = "CALLING") -> Association:
    return connect(
        "127.0.0.1",
        port,
        calling_ae_title=calling_ae_title,
        called_ae_title="CALLED",
        contexts=[
            ProposedContext(abstract_syntax=VERIFICATION, transfer_syntaxes=("1.2.840.10008.1.2",))
        ],
        timeouts=Timeouts(connect_s=2, artim_s=5, dimse_s=5, linger_s=0.5),
    )


def echo(port: int) -> float:
    """Seconds an echo took, from connect to release."""
    started = time.monotonic()
    with call(port) as association:
        assert scu.echo(association) == 0
    return time.monotonic() - started


def read_all(sock: socket.socket) -> bytes:
    sock.settimeout(5)
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(1000):
            data += piece
    return data


def test_500_stalled_sockets_do_not_delay_a_good_peer(serve) -> None:  # type: ignore[no-untyped-def]
    """Three bytes each, then silence: echoes stay fast, and after ARTIM nothing is held."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    running = serve(limits=Limits(max_half_open=512, max_half_open_per_host=512), timeouts=FAST)
    alone = min(echo(running.port) for _ in range(5))
    stalled = []
    for _ in range(500):
        sock = socket.create_connection(("127.0.0.1", running.port))
        sock.sendall(b"\x01\x00\x00")
        stalled.append(sock)
    assert max(echo(running.port) for _ in range(10)) < max(0.5, 5 * alone)
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("dicom-")]
    assert len(threads) < 10
    deadline = time.monotonic() + 5
    while running.server.stats().half_open and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running.server.stats().half_open == 0
    assert running.server.stats().timed_out == 500
    echo(running.port)
    for sock in stalled:
        sock.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_full_gate_drops_the_oldest_not_the_newcomer(serve) -> None:  # type: ignore[no-untyped-def]
    """With the host's quota taken by stalled sockets a good peer gets in at once."""
    running = serve(limits=Limits(max_half_open=8, max_half_open_per_host=4), timeouts=FAST)
    stalled = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(10)]
    for sock in stalled:
        with contextlib.suppress(OSError):
            sock.sendall(b"\x01\x00")
    assert echo(running.port) < 0.5
    stats = running.server.stats()
    assert stats.evicted >= 6
    assert stats.half_open <= 4
    assert read_all(stalled[0]) == b""
    for sock in stalled:
        sock.close()


def test_a_trickling_request_ends_at_artim(serve) -> None:  # type: ignore[no-untyped-def]
    """A byte now and then does not stretch the deadline."""
    running = serve(timeouts=FAST)
    sock = socket.create_connection(("127.0.0.1", running.port))
    started = time.monotonic()

    def trickle() -> None:
        for byte in b"\x01\x00\x00\x00\x00\xcd" + bytes(200):
            sock.sendall(bytes((byte,)))
            time.sleep(0.05)

    with pytest.raises(OSError):
        trickle()
    assert 0.8 < time.monotonic() - started < 3


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x01\x00\xff\xff\xff\xff" + bytes(100_000),
        b"\x01\x00\x00\x01\x00\x01",
        b"\x04\x00\xff\xff\xff\xff",
        b"\x01\x00\x00\x00\x00\x50" + bytes(80),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32),
    ],
    ids=["http", "4 GiB request", "65 KiB request", "data", "garbage request", "TLS hello"],
)
def test_what_is_no_request_is_aborted(serve, data: bytes) -> None:  # type: ignore[no-untyped-def]
    """A-ABORT at the header, without a thread, and the gate goes on."""
    running = serve(timeouts=FAST)
    with socket.create_connection(("127.0.0.1", running.port)) as sock:
        with contextlib.suppress(OSError):
            sock.sendall(data)
        answer = read_all(sock)
    assert answer in (b"", bytes.fromhex("07000000000400000000"))
    if len(data) < 1000:
        assert answer
    assert echo(running.port) < 1


def test_global_limit(serve) -> None:  # type: ignore[no-untyped-def]
    """Beyond it: rejected-transient, local-limit-exceeded; a freed slot is usable at once."""
    running = serve(limits=Limits(max_associations=3), timeouts=FAST)
    held = [call(running.port, calling_ae_title=f"AE{number}") for number in range(3)]
    with pytest.raises(AssociationRejected) as caught:
        call(running.port)
    assert (caught.value.result, caught.value.source, caught.value.reason) == (2, 3, 2)
    assert caught.value.is_transient
    held.pop().release()
    deadline = time.monotonic() + 2
    while running.server.stats().associations > 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    echo(running.port)
    for association in held:
        association.release()
    assert running.server.stats().limit_rejected == 1


def test_limit_per_ae_title_leaves_others_alone(serve) -> None:  # type: ignore[no-untyped-def]
    """A greedy AE is told so; its neighbour gets in."""
    running = serve(limits=Limits(max_associations_per_ae_title=2), timeouts=FAST)
    held = [call(running.port, calling_ae_title="GREEDY") for _ in range(2)]
    with pytest.raises(AssociationRejected):
        call(running.port, calling_ae_title="GREEDY")
    echo(running.port)
    for association in held:
        association.abort()


def test_limit_per_host(serve) -> None:  # type: ignore[no-untyped-def]
    """One address cannot take everything under many titles."""
    running = serve(limits=Limits(max_associations_per_host=2), timeouts=FAST)
    held = [call(running.port, calling_ae_title=f"AE{number}") for number in range(2)]
    with pytest.raises(AssociationRejected) as caught:
        call(running.port, calling_ae_title="AE9")
    assert caught.value.is_transient
    for association in held:
        association.release()


def test_flood_of_associations(serve) -> None:  # type: ignore[no-untyped-def]
    """100 clients on 10 slots: everyone is served or told to come later; nobody waits long."""
    running = serve(limits=Limits(max_associations=10), timeouts=FAST)
    outcomes: list[str] = []

    def client() -> None:
        try:
            echo(running.port)
            outcomes.append("served")
        except AssociationRejected as error:
            outcomes.append("later" if error.is_transient else "no")
        except AssociationError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=client) for _ in range(100)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert time.monotonic() - started < 8
    assert len(outcomes) == 100
    assert set(outcomes) <= {"served", "later"}
    assert "served" in outcomes
    deadline = time.monotonic() + 3
    while running.server.stats().associations and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running.server.stats().associations == 0


def test_a_handler_that_raises_ends_its_association_alone(serve) -> None:  # type: ignore[no-untyped-def]
    """The peer gets A-ABORT, the neighbour in the middle of its own notices nothing."""

    def handler(association: Association) -> None:
        if association.calling_ae_title == "UNLUCKY":
            association.next_message()
            raise LookupError("a bug")
        while (message := association.next_message()) is not None:
            association.send_message(message.context.id, response_to(message.command, 0))

    running = serve(handler, timeouts=FAST)
    neighbour = call(running.port)
    unlucky = call(running.port, calling_ae_title="UNLUCKY")
    with pytest.raises(AssociationAborted) as caught:
        scu.echo(unlucky)
    assert caught.value.by_peer
    assert scu.echo(neighbour) == 0
    neighbour.release()


def test_a_policy_that_raises_lets_nobody_in(serve) -> None:  # type: ignore[no-untyped-def]
    """The database is down: come back later."""

    class Broken:
        requests: list[AssociateRequest]

        def judge(self, request: AssociateRequest, peer: Peer) -> Accept | Reject:
            raise LookupError("no database")

    running = serve(policy=Broken(), timeouts=FAST)
    with pytest.raises(AssociationRejected) as caught:
        call(running.port)
    assert caught.value.is_transient


def test_a_slow_policy_does_not_block_the_gate(serve) -> None:  # type: ignore[no-untyped-def]
    """While the policy thinks about one peer, others are read, judged and refused."""

    class Slow:
        def judge(self, request: AssociateRequest, peer: Peer) -> Accept | Reject:
            if request.calling_ae_title == "SLOW":
                time.sleep(1.0)
            return Reject()

    running = serve(policy=Slow(), timeouts=FAST)

    def slow() -> None:
        with contextlib.suppress(AssociationRejected):
            call(running.port, calling_ae_title="SLOW")

    thread = threading.Thread(target=slow)
    thread.start()
    time.sleep(0.1)
    started = time.monotonic()
    with pytest.raises(AssociationRejected):
        call(running.port)
    assert time.monotonic() - started < 0.5
    thread.join()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"protocol_version": 2}, (1, 2, 2)),
        ({"application_context_name": "1.2.3"}, (1, 1, 2)),
        ({"user_information": UserInformation(max_pdu_bytes=7)}, (1, 1, 1)),
    ],
)
def test_unsupported_requests(serve, change: dict[str, object], expected: tuple[int, ...]) -> None:  # type: ignore[no-untyped-def]
    """Protocol version, application context, a PDU length nobody can work with."""
    running = serve(timeouts=FAST)
    fields: dict[str, object] = {
        "called_ae_title": "CALLED",
        "calling_ae_title": "RAW",
        "presentation_contexts": (
            ProposedPresentationContext(
                context_id=1,
                abstract_syntax=VERIFICATION,
                transfer_syntaxes=("1.2.840.10008.1.2",),
            ),
        ),
        "user_information": UserInformation(max_pdu_bytes=16384),
    }
    request = AssociateRequest(**(fields | change))  # type: ignore[arg-type]
    with socket.create_connection(("127.0.0.1", running.port)) as sock:
        sock.sendall(request.encode())
        assert read_all(sock) == bytes((3, 0, 0, 0, 0, 4, 0, *expected))


def test_orderly_stop(serve) -> None:  # type: ignore[no-untyped-def]
    """A running association finishes; no new one starts; an idle one is let go."""
    running = serve(timeouts=FAST)
    busy, idle = call(running.port), call(running.port)
    stopper = threading.Thread(target=running.server.stop, args=(8.0,))
    started = time.monotonic()
    stopper.start()
    for _ in range(10):
        assert scu.echo(busy) == 0
        time.sleep(0.05)
    with pytest.raises(AssociationError):
        call(running.port)
    busy.release()
    stopper.join(10)
    assert not stopper.is_alive()
    assert time.monotonic() - started < 6
    with pytest.raises(AssociationError):
        scu.echo(idle)


def test_stop_after_the_grace_period(serve) -> None:  # type: ignore[no-untyped-def]
    """What does not end by itself is aborted."""
    running = serve(timeouts=FAST)
    association = call(running.port)
    stopping = threading.Thread(target=running.server.stop, args=(0.5,))
    stopping.start()

    def work() -> None:
        for _ in range(200):
            scu.echo(association)
            time.sleep(0.02)

    with pytest.raises(AssociationError):
        work()
    stopping.join(5)
    assert not stopping.is_alive()
    assert running.server.stats().associations == 0


def test_many_short_associations_leak_nothing(serve) -> None:  # type: ignore[no-untyped-def]
    """Descriptors and threads are those of before."""
    running = serve(timeouts=FAST)
    echo(running.port)

    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = descriptors(), threading.active_count()
    for _ in range(200):
        echo(running.port)
    deadline = time.monotonic() + 3
    while running.server.stats().associations and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.05)
    after = descriptors(), threading.active_count()
    assert after[0] <= before[0] + 2
    assert after[1] <= before[1] + 4  # judging threads start on demand
