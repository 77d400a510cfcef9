"""The acceptor: from a listening socket to a handler called with an `Association`.

The front gate (`gate`) collects A-ASSOCIATE-RQ without spending a thread. A few judging threads ask
the policy, which may have to look into a database. Only what it accepts, within the limits, gets a
thread of its own.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from negatoscope.kit.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from negatoscope.protocols.dicom.dimse.association import Association
from negatoscope.protocols.dicom.dimse.errors import AssociationError, ConnectionLost
from negatoscope.protocols.dicom.dimse.gate import FrontGate, GateLimits, HalfOpen, Listener
from negatoscope.protocols.dicom.dimse.transport import (
    PeerCertificate,
    Timeouts,
    Transport,
    peer_certificate,
)
from negatoscope.protocols.dicom.ul.errors import RejectResult, RejectSource
from negatoscope.protocols.dicom.ul.items import (
    AnsweredPresentationContext,
    AsynchronousOperationsWindow,
    ExtendedNegotiation,
    RoleSelection,
    UserInformation,
)
from negatoscope.protocols.dicom.ul.pdu import (
    APPLICATION_CONTEXT_NAME,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
)

_log = structlog.get_logger(__name__)

_JUDGING_THREADS: Final = 4
_IDLE_WHEN_STOPPING_S: Final = 2.0
_MAX_PENDING_NOTES: Final = 64
_SMALLEST_PDU_BYTES: Final = 128  # a peer that takes less would cost a PDU per few bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who is at the other end of a connection, before any association.

    Attributes:
        host: Address.
        port: Likewise.
        tls: Its verified certificate, when it showed one.
        is_encrypted: Whether it came over TLS, with a certificate of its own or without.
    """

    host: str
    port: int
    tls: PeerCertificate | None = None
    is_encrypted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """The policy's yes.

    Attributes:
        contexts: An answer to every proposed context (`ul.negotiation.answer`).
        roles: Answers to role selections.
        extended_negotiation: Answers to SOP class extended negotiation.
        async_window: Answer to an asynchronous operations window, None to give none.
        user_identity_response: Answer to a user identity that asked for one.
        principal: Kept as `Association.principal`.
        max_associations: How many its AE title may have at once, where less than the limit for all.
    """

    contexts: tuple[AnsweredPresentationContext, ...]
    roles: tuple[RoleSelection, ...] = ()
    extended_negotiation: tuple[ExtendedNegotiation, ...] = ()
    async_window: AsynchronousOperationsWindow | None = None
    user_identity_response: bytes | None = None
    principal: object | None = None
    max_associations: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """The policy's no (PS3.8 Table 9-21). The default gives no hint of the reason."""

    result: int = RejectResult.PERMANENT
    source: int = RejectSource.SERVICE_USER
    reason: int = 1


LOCAL_LIMIT_EXCEEDED: Final = Reject(
    result=RejectResult.TRANSIENT, source=RejectSource.SERVICE_PROVIDER_PRESENTATION, reason=2
)
_VERSION_NOT_SUPPORTED: Final = Reject(source=RejectSource.SERVICE_PROVIDER_ACSE, reason=2)
_APPLICATION_CONTEXT_NOT_SUPPORTED: Final = Reject(reason=2)


class AcceptorPolicy(Protocol):
    """Decides on association requests."""

    def judge(self, request: AssociateRequest, peer: Peer) -> Accept | Reject:
        """Called on a judging thread; may block for a moment. An exception rejects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on associations and on what comes before them (`GateLimits`)."""

    max_associations: int = 200
    max_associations_per_host: int = 100
    max_associations_per_ae_title: int = 100
    max_half_open: int = 512
    max_half_open_per_host: int = 64
    max_associate_pdu_bytes: int = 65_536
    max_pdu_bytes: int = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStats:
    """Counts since the start, but ``half_open`` and ``associations`` which are now."""

    half_open: int
    associations: int
    accepted: int
    rejected: int
    limit_rejected: int
    evicted: int
    timed_out: int
    refused_handshakes: int


def listen(host: str, port: int, *, backlog: int = 1024) -> socket.socket:
    """A listening socket whose port other processes of ours may share (SO_REUSEPORT)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


class AssociationServer:
    """Listens, judges, and runs ``handler`` in a thread per association."""

    def __init__(
        self,
        listeners: Sequence[Listener],
        policy: AcceptorPolicy,
        handler: Callable[[Association], None],
        *,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
        on_tls_refused: Callable[[Peer, str], None] | None = None,
    ) -> None:
        """Nothing happens before `start`.

        Args:
            listeners: Listening sockets, made by `listen`; closed by `stop`.
            policy: Asked about every request.
            handler: Runs the association to its end. What it raises ends that association alone.
            limits: Bounds.
            timeouts: Deadlines.
            on_tls_refused: Told, on a judging thread, of TLS handshakes that failed, and why;
                under a flood not of every one.
        """
        self._policy = policy
        self._handler = handler
        self._limits = limits or Limits()
        self._timeouts = timeouts or Timeouts()
        self._gate = FrontGate(
            listeners,
            _gate_limits(self._limits, self._timeouts),
            self._on_request,
            self._note_tls_refused,
        )
        self._on_tls_refused = on_tls_refused
        self._pending_notes = threading.BoundedSemaphore(_MAX_PENDING_NOTES)
        self._judges = ThreadPoolExecutor(_JUDGING_THREADS, thread_name_prefix="dicom-judge")
        self._gate_thread = threading.Thread(target=self._gate.run, name="dicom-gate", daemon=True)
        self._changed = threading.Condition()
        self._slots = 0
        self._per_host: Counter[str] = Counter()
        self._per_ae_title: Counter[str] = Counter()
        self._associations: set[Association] = set()
        self._stopping = False
        self._accepted = self._rejected = self._limit_rejected = 0

    def start(self) -> None:
        """Begins to accept connections."""
        self._gate_thread.start()

    def stop(self, grace_s: float = 30.0) -> None:
        """Stops accepting and lets running associations finish.

        An association between two messages for two seconds has nothing to finish and is aborted;
        what still runs after ``grace_s`` is aborted too.
        """
        self._stopping = True
        self._gate.stop()
        if self._gate_thread.is_alive():
            self._gate_thread.join()
        self._judges.shutdown(wait=True)
        deadline = time.monotonic() + grace_s
        with self._changed:
            while self._slots and time.monotonic() < deadline:
                idle_since = time.monotonic() - _IDLE_WHEN_STOPPING_S
                for association in self._associations:
                    if association.busy_since is None and association.last_active_at < idle_since:
                        association.interrupt()
                self._changed.wait(min(0.25, max(0.0, deadline - time.monotonic())))
            for association in self._associations:
                association.interrupt()
            self._changed.wait_for(lambda: not self._slots, timeout=5.0)

    def reconfigure(
        self,
        *,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Take other bounds, deadlines or certificates; associations that run keep theirs.

        Args:
            limits: Bounds, from the next connection on.
            timeouts: Deadlines, from the next association on.
            tls: The context of new connections to listeners that have one.
        """
        self._limits = limits or self._limits
        self._timeouts = timeouts or self._timeouts
        self._gate.reconfigure(_gate_limits(self._limits, self._timeouts), tls)

    def associations(self) -> list[Association]:
        """Those that are established now."""
        with self._changed:
            return list(self._associations)

    def stats(self) -> ServerStats:
        """Counts for metrics."""
        return ServerStats(
            half_open=self._gate.half_open,
            associations=self._slots,
            accepted=self._accepted,
            rejected=self._rejected,
            limit_rejected=self._limit_rejected,
            evicted=self._gate.evicted,
            timed_out=self._gate.timed_out,
            refused_handshakes=self._gate.refused_handshakes,
        )

    # ---- on the gate's thread

    def _on_request(self, half_open: HalfOpen, request: AssociateRequest) -> None:
        if self._has_no_room(half_open.host, request.calling_ae_title):
            self._turn_away(half_open, request, LOCAL_LIMIT_EXCEEDED)
            return
        try:
            self._judges.submit(self._judge, half_open, request)
        except RuntimeError:  # stopping
            self._turn_away(half_open, request, LOCAL_LIMIT_EXCEEDED)

    def _note_tls_refused(self, half_open: HalfOpen, reason: str) -> None:
        if self._on_tls_refused is None or not self._pending_notes.acquire(blocking=False):
            return
        peer = Peer(host=half_open.host, port=half_open.port)
        try:
            self._judges.submit(self._tell_tls_refused, self._on_tls_refused, peer, reason)
        except RuntimeError:  # stopping
            self._pending_notes.release()

    # ---- on a judging thread

    def _tell_tls_refused(self, told: Callable[[Peer, str], None], peer: Peer, reason: str) -> None:
        try:
            told(peer, reason)
        except Exception:  # noqa: BLE001 - nobody waits for this task
            _log.exception("a refused handshake could not be noted", peer_host=peer.host)
        finally:
            self._pending_notes.release()

    def _judge(self, half_open: HalfOpen, request: AssociateRequest) -> None:
        try:
            peer = Peer(
                host=half_open.host,
                port=half_open.port,
                tls=peer_certificate(half_open.sock),
                is_encrypted=isinstance(half_open.sock, ssl.SSLSocket),
            )
            verdict = self._verdict(request, peer)
        except Exception:  # noqa: BLE001 - a policy that fails must not let anybody in
            _log.exception("association policy failed", peer_host=half_open.host)
            verdict = LOCAL_LIMIT_EXCEEDED
        if isinstance(verdict, Accept) and not self._reserve(
            half_open.host, request.calling_ae_title, verdict.max_associations
        ):
            verdict = LOCAL_LIMIT_EXCEEDED
        if isinstance(verdict, Reject):
            self._turn_away(half_open, request, verdict)
            return
        thread = threading.Thread(
            target=self._run,
            args=(half_open, request, verdict, peer),
            name=f"dicom-{request.calling_ae_title}",
            daemon=True,
        )
        try:
            thread.start()
        except RuntimeError:
            self._give_back(half_open.host, request.calling_ae_title)
            self._turn_away(half_open, request, LOCAL_LIMIT_EXCEEDED)

    def _verdict(self, request: AssociateRequest, peer: Peer) -> Accept | Reject:
        if not request.protocol_version & 1:
            return _VERSION_NOT_SUPPORTED
        if request.application_context_name != APPLICATION_CONTEXT_NAME:
            return _APPLICATION_CONTEXT_NOT_SUPPORTED
        if 0 < request.user_information.max_pdu_bytes < _SMALLEST_PDU_BYTES:
            return Reject()
        return self._policy.judge(request, peer)

    def _turn_away(self, half_open: HalfOpen, request: AssociateRequest, verdict: Reject) -> None:
        if verdict == LOCAL_LIMIT_EXCEEDED:
            self._limit_rejected += 1
        self._rejected += 1
        _log.info(
            "association rejected",
            peer_host=half_open.host,
            calling_ae_title=request.calling_ae_title,
            called_ae_title=request.called_ae_title,
            result=verdict.result,
            source=verdict.source,
            reason=verdict.reason,
        )
        half_open.connection.reject(
            AssociateReject(result=verdict.result, source=verdict.source, reason=verdict.reason)
        )
        self._gate.turn_away(half_open, half_open.connection.take_output())

    # ---- slots

    def _has_no_room(self, host: str, ae_title: str) -> bool:
        return (
            self._stopping
            or self._slots >= self._limits.max_associations
            or self._per_host[host] >= self._limits.max_associations_per_host
            or self._per_ae_title[ae_title] >= self._limits.max_associations_per_ae_title
        )

    def _reserve(self, host: str, ae_title: str, most: int | None) -> bool:
        with self._changed:
            if self._has_no_room(host, ae_title):
                return False
            if most is not None and self._per_ae_title[ae_title] >= most:
                return False
            self._slots += 1
            self._per_host[host] += 1
            self._per_ae_title[ae_title] += 1
            self._accepted += 1
            return True

    def _give_back(self, host: str, ae_title: str) -> None:
        with self._changed:
            self._slots -= 1
            for counter, key in ((self._per_host, host), (self._per_ae_title, ae_title)):
                counter[key] -= 1
                if not counter[key]:
                    del counter[key]
            self._changed.notify_all()

    # ---- on the association's thread

    def _run(
        self, half_open: HalfOpen, request: AssociateRequest, verdict: Accept, peer: Peer
    ) -> None:
        log = _log.bind(
            peer_host=peer.host,
            calling_ae_title=request.calling_ae_title,
            called_ae_title=request.called_ae_title,
        )
        self._gate.let_in(half_open)
        association: Association | None = None
        try:
            association = self._establish(half_open, request, verdict, peer)
            with self._changed:
                self._associations.add(association)
            log.info("association accepted", contexts=len(association.presentation_contexts))
            self._handler(association)
        except AssociationError as error:
            log.info("association ended", error=str(error))
        except Exception:
            log.exception("association handler failed")
            if association is not None:
                association.abort()
        finally:
            if association is not None:
                association.close()
                with self._changed:
                    self._associations.discard(association)
            with contextlib.suppress(OSError):
                half_open.sock.close()
            self._give_back(half_open.host, request.calling_ae_title)

    def _establish(
        self, half_open: HalfOpen, request: AssociateRequest, verdict: Accept, peer: Peer
    ) -> Association:
        accept = AssociateAccept(
            called_ae_title=request.called_ae_title,
            calling_ae_title=request.calling_ae_title,
            presentation_contexts=verdict.contexts,
            user_information=UserInformation(
                max_pdu_bytes=self._limits.max_pdu_bytes,
                implementation_class_uid=IMPLEMENTATION_CLASS_UID,
                implementation_version_name=IMPLEMENTATION_VERSION_NAME,
                async_window=verdict.async_window,
                roles=verdict.roles,
                extended_negotiation=verdict.extended_negotiation,
                user_identity_response=verdict.user_identity_response,
            ),
        )
        try:
            transport = Transport(half_open.sock, tick_s=self._timeouts.tick_s)
        except OSError as error:
            raise ConnectionLost(f"connection lost: {error}") from error
        half_open.connection.accept(accept)
        transport.send([half_open.connection.take_output()], self._timeouts.artim_s)
        return Association(
            transport,
            half_open.connection,
            request=request,
            accept=accept,
            timeouts=self._timeouts,
            peer_host=peer.host,
            peer_port=peer.port,
            tls=peer.tls,
            principal=verdict.principal,
        )


def _gate_limits(limits: Limits, timeouts: Timeouts) -> GateLimits:
    return GateLimits(
        max_half_open=limits.max_half_open,
        max_half_open_per_host=limits.max_half_open_per_host,
        max_associate_pdu_bytes=limits.max_associate_pdu_bytes,
        max_pdu_bytes=limits.max_pdu_bytes,
        artim_s=timeouts.artim_s,
        linger_s=timeouts.linger_s,
    )
