"""Noise through the wire: mutated conversations against a live server, which must not notice."""

import contextlib
import random
import socket
import threading

import pytest

from negatoscope.protocols.dicom.dimse import command as c
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.association import Timeouts
from negatoscope.protocols.dicom.dimse.requestor import ProposedContext, connect
from negatoscope.protocols.dicom.ul.items import (
    ExtendedNegotiation,
    ProposedPresentationContext,
    RoleSelection,
    UserIdentity,
    UserInformation,
)
from negatoscope.protocols.dicom.ul.pdu import (
    AssociateRequest,
    DataTransfer,
    PresentationDataValue,
    ReleaseRequest,
)

CT = "1.2.840.10008.5.1.4.1.1.2"
VERIFICATION = "1.2.840.10008.1.1"
FAST = Timeouts(artim_s=0.5, dimse_s=0.3, message_s=2, idle_s=0.5, linger_s=0.2)

REQUEST = AssociateRequest(
    called_ae_title="CALLED",
    calling_ae_title="FUZZ",
    presentation_contexts=tuple(
        ProposedPresentationContext(
            context_id=number, abstract_syntax=uid, transfer_syntaxes=("1.2.840.10008.1.2",)
        )
        for number, uid in ((1, CT), (3, VERIFICATION))
    ),
    user_information=UserInformation(
        max_pdu_bytes=16384,
        implementation_class_uid="1.2",
        roles=(RoleSelection(sop_class_uid=CT, scu=True, scp=True),),
        extended_negotiation=(ExtendedNegotiation(sop_class_uid=CT, information=b"\x01\x02"),),
        user_identity=UserIdentity(identity_type=2, primary=b"a", secondary=b"b"),
    ),
).encode()
STORE = c.c_store_rq(1, sop_class_uid=CT, sop_instance_uid="1.2").with_data_set(present=True)


def _data(*values: tuple[int, bool, bytes]) -> bytes:
    return DataTransfer(
        values=tuple(
            PresentationDataValue(
                context_id=context_id, is_command=is_command, is_last=True, fragment=fragment
            )
            for context_id, is_command, fragment in values
        )
    ).encode()


CONVERSATION = (
    _data((1, True, STORE.encode()), (1, False, bytes(range(256))))
    + _data((3, True, c.c_echo_rq(2, VERIFICATION).with_data_set(present=False).encode()))
    + _data((3, True, c.c_cancel_rq(2).with_data_set(present=False).encode()))
    + ReleaseRequest().encode()
)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, cut, doubled or inserted."""
    mutated = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(mutated) + 1)
        match chance.randrange(4):
            case 0 if place < len(mutated):
                mutated[place] = chance.choice((0, 1, 2, 4, 5, 6, 7, 255, chance.randrange(256)))
            case 1:
                del mutated[place : place + chance.randint(1, 8)]
            case 2:
                mutated[place:place] = mutated[place : place + chance.randint(1, 40)]
            case _:
                mutated[place:place] = chance.randbytes(chance.randint(1, 8))
    return bytes(mutated)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_conversations(serve, seed: int) -> None:  # type: ignore[no-untyped-def]
    """100 of them a seed; afterwards a good peer is served and nothing is held."""
    running = serve(timeouts=FAST)
    chance = random.Random(seed)

    def talk(request: bytes, conversation: bytes) -> None:
        with contextlib.suppress(OSError), socket.socket() as sock:
            sock.settimeout(3)
            sock.connect(("127.0.0.1", running.port))
            sock.sendall(request)
            if sock.recv(4096)[:1] == b"\x02":
                sock.sendall(conversation)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass

    threads = []
    for number in range(100):
        request = mutate(REQUEST, chance) if number % 2 else REQUEST
        conversation = CONVERSATION if number % 2 else mutate(CONVERSATION, chance)
        threads.append(threading.Thread(target=talk, args=(request, conversation)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    with connect(
        "127.0.0.1",
        running.port,
        calling_ae_title="GOOD",
        called_ae_title="CALLED",
        contexts=[
            ProposedContext(abstract_syntax=VERIFICATION, transfer_syntaxes=("1.2.840.10008.1.2",))
        ],
    ) as association:
        assert scu.echo(association) == 0
    running.server.stop(3)
    stats = running.server.stats()
    assert (stats.associations, stats.half_open) == (0, 0)
