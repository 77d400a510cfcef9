"""A server of ours on a free port, with a policy and a handler the test chooses."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from negatoscope.protocols.dicom.dimse.acceptor import (
    Accept,
    AssociationServer,
    Limits,
    Peer,
    Reject,
    listen,
)
from negatoscope.protocols.dicom.dimse.association import Association, Timeouts
from negatoscope.protocols.dicom.dimse.command import CommandField, response_to
from negatoscope.protocols.dicom.dimse.gate import Listener
from negatoscope.protocols.dicom.ul.items import (
    AsynchronousOperationsWindow,
    ExtendedNegotiation,
)
from negatoscope.protocols.dicom.ul.negotiation import ContextOffer, answer
from negatoscope.protocols.dicom.ul.pdu import AssociateRequest

FAST = Timeouts(artim_s=2.0, dimse_s=2.0, idle_s=5.0, send_s=2.0, linger_s=1.0)


@dataclass
class TakeAll:
    """Accepts everything, both roles, any transfer syntax."""

    requests: list[AssociateRequest] = field(default_factory=list)
    window: AsynchronousOperationsWindow | None = None

    def judge(self, request: AssociateRequest, peer: Peer) -> Accept | Reject:
        self.requests.append(request)
        if request.calling_ae_title == "REFUSED":
            return Reject()
        contexts, roles = answer(request, lambda _: ContextOffer(requestor_may_be_scp=True))
        return Accept(
            contexts=contexts,
            roles=roles,
            async_window=self.window,
            extended_negotiation=tuple(
                ExtendedNegotiation(
                    sop_class_uid=item.sop_class_uid, information=item.information[:1]
                )
                for item in request.user_information.extended_negotiation
            ),
        )


def answer_everything(association: Association) -> None:
    """Success to every request; data sets are thrown away."""
    while (message := association.next_message()) is not None:
        association.discard_data_set()
        if not message.command.is_response:
            association.send_message(message.context.id, response_to(message.command, 0))


@dataclass
class Running:
    server: AssociationServer
    host: str
    port: int
    policy: TakeAll


Serve = Callable[..., Running]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers on free ports of 127.0.0.1; stops them after the test."""
    running: list[AssociationServer] = []

    def start(
        handler: Callable[[Association], None] = answer_everything,
        *,
        limits: Limits | None = None,
        timeouts: Timeouts = FAST,
        tls: object = None,
        policy: TakeAll | None = None,
        on_tls_refused: Callable[[Peer, str], None] | None = None,
    ) -> Running:
        policy = policy or TakeAll()
        sock = listen("127.0.0.1", 0)
        server = AssociationServer(
            [Listener(socket=sock, tls=tls)],
            policy,
            handler,
            limits=limits,
            timeouts=timeouts,
            on_tls_refused=on_tls_refused,
        )
        port = sock.getsockname()[1]
        server.start()
        running.append(server)
        return Running(server=server, host="127.0.0.1", port=port, policy=policy)

    yield start
    for server in running:
        server.stop(grace_s=0.5)


@pytest.fixture
def dcmtk() -> Callable[[str], str]:
    """Path of a DCMTK program; skips where it is not installed. The venv's namesakes are others."""

    def find(program: str) -> str:
        path = shutil.which(program, path="/usr/local/bin:/usr/bin:/opt/homebrew/bin")
        if path is None:
            pytest.skip(f"STRANGER ABSENT: DCMTK's {program} is not installed")
        return path

    return find


__all__ = ["FAST", "CommandField", "Running", "Serve", "TakeAll"]
