"""Whole studies back out: C-MOVE to a sink of ours, C-GET, WADO-RS."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from negatoscope.bench.crew import Tally, run_crew
from negatoscope.bench.http import HttpConnection
from negatoscope.bench.load import CT_IMAGE_STORAGE, EXPLICIT_VR_LITTLE_ENDIAN
from negatoscope.bench.results import Latencies, Measurement
from negatoscope.bench.sample import SYNTAXES, identifier, query_association
from negatoscope.bench.targets import DicomTarget, WebTarget
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.acceptor import (
    Accept,
    AssociationServer,
    Peer,
    Reject,
    listen,
)
from negatoscope.protocols.dicom.dimse.command import CommandField, c_store_rsp
from negatoscope.protocols.dicom.dimse.gate import Listener
from negatoscope.protocols.dicom.dimse.requestor import connect
from negatoscope.protocols.dicom.ul.negotiation import ContextOffer, ProposedContext, answer
from negatoscope.standard.sop_classes import STUDY_ROOT_GET, STUDY_ROOT_MOVE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from negatoscope.protocols.dicom.dimse.association import Association, Message
    from negatoscope.protocols.dicom.ul.pdu import AssociateRequest

Fetch = Callable[[str], tuple[int, int]]
"""Fetches one study; gives instances and bytes as far as known, or -1 instances for a failure."""


def drain(association: Association, _message: Message) -> int:
    """Read a data set to its end and forget it.

    Returns: its length.
    """
    return sum(len(chunk) for chunk in association.data_set_chunks())


class Sink:
    """A storage SCP that counts what it gets and keeps nothing."""

    def __init__(self, host: str, port: int) -> None:
        self._lock = threading.Lock()
        self.instances = 0
        self.byte_count = 0
        self._server = AssociationServer([Listener(socket=listen(host, port))], self, self._serve)

    def judge(self, request: AssociateRequest, peer: Peer) -> Accept | Reject:  # noqa: ARG002
        """Everything is welcome."""
        contexts, roles = answer(request, lambda _uid: ContextOffer())
        return Accept(contexts=contexts, roles=roles)

    def _serve(self, association: Association) -> None:
        while (message := association.next_message()) is not None:
            if message.command.command_field != CommandField.C_STORE_RQ:
                return
            length = drain(association, message)
            association.send_message(message.context.id, c_store_rsp(message.command))
            with self._lock:
                self.instances += 1
                self.byte_count += length

    def take(self) -> tuple[int, int]:
        """Instances and bytes since the last time."""
        with self._lock:
            counts = self.instances, self.byte_count
            self.instances = self.byte_count = 0
        return counts

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(grace_s=1.0)


def _study(study_instance_uid: str) -> dict[str, dict[str, object]]:
    return {
        "00080052": {"vr": "CS", "Value": ["STUDY"]},
        "0020000D": {"vr": "UI", "Value": [study_instance_uid]},
    }


def retrieve(
    target: DicomTarget | WebTarget,
    *,
    how: str,
    studies: Sequence[str],
    clients: int = 1,
    sink: tuple[str, int] | None = None,
    destination: str = "BENCH",
) -> Measurement:
    """Fetch studies, each by one operation.

    Args:
        how: ``move``, ``get`` or ``wado``.
        sink: where `Sink` listens for ``move``; the server knows it as ``destination``.
    """
    counts = {"instances": 0}
    lock = threading.Lock()
    sink_server = Sink(*(sink or ("127.0.0.1", 0))) if how == "move" else None

    def client(number: int) -> Callable[[Tally], None]:
        opened: AbstractContextManager[object]
        if isinstance(target, WebTarget):
            opened, fetch = _wado(target)
        elif how == "get":
            opened, fetch = _get(target)
        else:
            opened, fetch = _move(target, destination)

        def work(tally: Tally) -> None:
            with opened:
                for study in studies[number::clients]:
                    begun = time.perf_counter()
                    instances, byte_count = fetch(study)
                    if instances < 0:
                        tally.failures += 1
                        continue
                    tally.durations_s.append(time.perf_counter() - begun)
                    tally.byte_count += byte_count
                    with lock:
                        counts["instances"] += instances

        return work

    if sink_server is not None:
        with sink_server:
            result = run_crew(clients, client)
            received = sink_server.take()
    else:
        result = run_crew(clients, client)
        received = (counts["instances"], result.byte_count)
    instances, byte_count = received
    duration_s = result.duration_s
    return Measurement(
        name=f"retrieve-{how}",
        target=str(target),
        parameters={"how": how, "clients": clients, "studies": len(studies)},
        operations=len(result.durations_s),
        failures=result.failures,
        byte_count=byte_count,
        duration_s=duration_s,
        latencies=Latencies.of(result.durations_s),
        client_cpu_s=result.client_cpu_s,
        detail={
            "instances": instances,
            "instances_per_second": round(instances / duration_s, 2) if duration_s else 0.0,
        },
    )


def _move(target: DicomTarget, destination: str) -> tuple[Association, Fetch]:
    association = query_association(target, STUDY_ROOT_MOVE)
    context = scu.scu_context(association, STUDY_ROOT_MOVE)

    def fetch(study: str) -> tuple[int, int]:
        keys = identifier(_study(study), context)
        answers = list(scu.move(association, context, keys, destination=destination))
        return (0, 0) if answers[-1].status == 0 else (-1, 0)

    return association, fetch


def _get(target: DicomTarget) -> tuple[Association, Fetch]:
    association = connect(
        target.host,
        target.port,
        calling_ae_title=target.calling_ae_title,
        called_ae_title=target.called_ae_title,
        contexts=[
            ProposedContext(abstract_syntax=STUDY_ROOT_GET, transfer_syntaxes=SYNTAXES),
            ProposedContext(
                abstract_syntax=CT_IMAGE_STORAGE,
                transfer_syntaxes=(EXPLICIT_VR_LITTLE_ENDIAN,),
                scu_role=False,
                scp_role=True,
            ),
        ],
    )
    context = scu.scu_context(association, STUDY_ROOT_GET)

    def fetch(study: str) -> tuple[int, int]:
        instances = byte_count = 0

        def on_store(from_: Association, message: Message) -> int:
            nonlocal instances, byte_count
            byte_count += drain(from_, message)
            instances += 1
            return 0

        keys = identifier(_study(study), context)
        answers = list(scu.get(association, context, keys, on_store))
        return (instances, byte_count) if answers[-1].status == 0 else (-1, 0)

    return association, fetch


def _wado(target: WebTarget) -> tuple[HttpConnection, Fetch]:
    connection = HttpConnection(target)

    def fetch(study: str) -> tuple[int, int]:
        reply = connection.get(
            f"/studies/{study}",
            accept='multipart/related; type="application/dicom"; transfer-syntax=*',
        )
        return (0, reply.byte_count) if reply.status == 200 else (-1, 0)

    return connection, fetch
