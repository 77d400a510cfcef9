"""Opening an association: the requestor's side of PS3.8 §7.1."""

import contextlib
import socket
import ssl
import time
from collections.abc import Mapping, Sequence

from negatoscope.kit.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from negatoscope.protocols.dicom.dimse.association import (
    RECEIVE_BUFFER_BYTES,
    Association,
    Timeouts,
)
from negatoscope.protocols.dicom.dimse.errors import (
    AssociationAborted,
    AssociationError,
    AssociationRejected,
    AssociationTimeout,
    ConnectionLost,
)
from negatoscope.protocols.dicom.dimse.transport import Transport, peer_certificate
from negatoscope.protocols.dicom.ul.connection import (
    DEFAULT_MAX_PDU_BYTES,
    NEED_DATA,
    AbortReceived,
    Connection,
    ProviderAborted,
    TransportClosed,
)
from negatoscope.protocols.dicom.ul.connection import (
    AssociationAccepted as AcceptedEvent,
)
from negatoscope.protocols.dicom.ul.connection import (
    AssociationRejected as RejectedEvent,
)
from negatoscope.protocols.dicom.ul.errors import AbortSource
from negatoscope.protocols.dicom.ul.items import (
    AsynchronousOperationsWindow,
    CommonExtendedNegotiation,
    ExtendedNegotiation,
    UserIdentity,
    UserInformation,
)
from negatoscope.protocols.dicom.ul.negotiation import ProposedContext, propose
from negatoscope.protocols.dicom.ul.pdu import AssociateAccept, AssociateRequest, encode_ae_title

__all__ = ["ProposedContext", "connect"]


def connect(
    host: str,
    port: int,
    *,
    calling_ae_title: str,
    called_ae_title: str,
    contexts: Sequence[ProposedContext],
    tls: ssl.SSLContext | None = None,
    timeouts: Timeouts | None = None,
    max_pdu_bytes: int = DEFAULT_MAX_PDU_BYTES,
    async_window: tuple[int, int] = (1, 1),
    extended_negotiation: Mapping[str, bytes] | None = None,
    common_extended_negotiation: Sequence[CommonExtendedNegotiation] = (),
    user_identity: UserIdentity | None = None,
) -> Association:
    """Connects and negotiates.

    Args:
        host: Name or address.
        port: TCP port.
        calling_ae_title: Ours.
        called_ae_title: The peer's.
        contexts: At most 128.
        tls: A client context of `dimse.tls`; None for a plain connection.
        timeouts: Deadlines of the association.
        max_pdu_bytes: Longest P-DATA-TF we take.
        async_window: Operations we may invoke and perform at once; (1, 1) is not sent.
        extended_negotiation: Service class application information by SOP class.
        common_extended_negotiation: Sub-items sent as they are.
        user_identity: Sent as it is.

    Raises:
        AssociationRejected: A-ASSOCIATE-RJ.
        AssociationAborted, AssociationTimeout, ConnectionLost: No answer, or no sensible one.
        ValueError: An AE title or the contexts do not fit.
    """
    timeouts = timeouts or Timeouts()
    encode_ae_title(calling_ae_title)
    encode_ae_title(called_ae_title)
    proposed, roles = propose(contexts)
    window = AsynchronousOperationsWindow(invoked=async_window[0], performed=async_window[1])
    request = AssociateRequest(
        called_ae_title=called_ae_title,
        calling_ae_title=calling_ae_title,
        presentation_contexts=proposed,
        user_information=UserInformation(
            max_pdu_bytes=max_pdu_bytes,
            implementation_class_uid=IMPLEMENTATION_CLASS_UID,
            implementation_version_name=IMPLEMENTATION_VERSION_NAME,
            async_window=None if async_window == (1, 1) else window,
            roles=roles,
            extended_negotiation=tuple(
                ExtendedNegotiation(sop_class_uid=uid, information=information)
                for uid, information in (extended_negotiation or {}).items()
            ),
            common_extended_negotiation=tuple(common_extended_negotiation),
            user_identity=user_identity,
        ),
    )
    connection = Connection(is_requestor=True, max_pdu_bytes=max_pdu_bytes)
    connection.request_association(request)
    sock = _open(host, port, tls, timeouts.connect_s)
    try:
        peer_host, peer_port = sock.getpeername()[:2]
        transport = Transport(sock, tick_s=timeouts.tick_s)
    except OSError as error:  # the peer closed already, as some do when TLS fails on their side
        sock.close()
        raise ConnectionLost(f"connection to {host}:{port} lost: {error}") from error
    buffer = bytearray(RECEIVE_BUFFER_BYTES)
    connection.transport_opened()
    try:
        transport.send([connection.take_output()], timeouts.artim_s)
        accept = _await_answer(transport, connection, memoryview(buffer), timeouts.artim_s)
    except BaseException:
        transport.close()
        raise
    return Association(
        transport,
        connection,
        request=request,
        accept=accept,
        timeouts=timeouts,
        peer_host=peer_host,
        peer_port=peer_port,
        tls=peer_certificate(sock),
        buffer=buffer,
    )


def _open(host: str, port: int, tls: ssl.SSLContext | None, timeout_s: float) -> socket.socket:
    try:
        sock = socket.create_connection((host, port), timeout=timeout_s)
    except TimeoutError:
        raise AssociationTimeout("connect", timeout_s) from None
    except OSError as error:
        raise ConnectionLost(f"cannot connect to {host}:{port}: {error}") from error
    if tls is None:
        return sock
    try:
        return tls.wrap_socket(sock, server_hostname=host)
    except TimeoutError:
        sock.close()
        raise AssociationTimeout("connect", timeout_s) from None
    except OSError as error:
        sock.close()
        raise ConnectionLost(f"no TLS with {host}:{port}: {error}") from error


def _await_answer(
    transport: Transport, connection: Connection, buffer: memoryview, timeout_s: float
) -> AssociateAccept:
    deadline = time.monotonic() + timeout_s
    while True:
        event = connection.next_event()
        if event is NEED_DATA:
            count = transport.receive(buffer)
            if count:
                connection.receive(buffer[:count])
            elif count == 0:
                connection.receive_eof()
                continue
            if time.monotonic() > deadline:
                connection.abort(AbortSource.SERVICE_USER)
                transport.send_if_possible(connection.take_output())
                raise AssociationTimeout("artim", timeout_s)
            continue
        match event:
            case AcceptedEvent(accept):
                return accept
            case RejectedEvent(reject):
                raise AssociationRejected(reject.result, reject.source, reject.reason)
            case AbortReceived(source, reason):
                raise AssociationAborted(
                    f"aborted by the peer: source {source}, reason {reason}",
                    source=source,
                    reason=reason,
                    by_peer=True,
                )
            case ProviderAborted(error):
                with contextlib.suppress(ConnectionLost):
                    transport.send_if_possible(connection.take_output())
                raise AssociationAborted(
                    f"aborted: {error}",
                    source=AbortSource.SERVICE_PROVIDER,
                    reason=error.abort_reason,
                    by_peer=False,
                ) from error
            case TransportClosed():
                raise ConnectionLost("the peer closed the connection instead of answering")
            case _:
                raise AssociationError(f"unexpected {event}")
