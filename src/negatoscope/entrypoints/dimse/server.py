"""The DICOM listener: sockets, negotiation policy, and the dispatch of messages to services."""

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from negatoscope.entrypoints.dimse.policy import (
    FindAE,
    OnAccepted,
    OnRefused,
    RegisteredCallers,
    ServiceTable,
)
from negatoscope.entrypoints.dimse.service import Service
from negatoscope.infra import metrics
from negatoscope.infra.settings import Settings
from negatoscope.protocols.dicom.dimse.acceptor import AssociationServer, Limits, Peer, listen
from negatoscope.protocols.dicom.dimse.association import Association, Message, Timeouts
from negatoscope.protocols.dicom.dimse.command import (
    AFFECTED_SOP_CLASS_UID,
    AFFECTED_SOP_INSTANCE_UID,
    NEEDS_DATA_SET,
    REQUESTED_SOP_CLASS_UID,
    REQUESTED_SOP_INSTANCE_UID,
    CommandField,
    response_to,
)
from negatoscope.protocols.dicom.dimse.errors import AssociationError, DataSetTooLarge
from negatoscope.protocols.dicom.dimse.gate import Listener
from negatoscope.protocols.dicom.dimse.tls import TlsProfile, server_context
from negatoscope.standard.dimse_status import Status

_log = structlog.get_logger(__name__)

_CLASS_ELEMENTS: Final = frozenset({AFFECTED_SOP_CLASS_UID, REQUESTED_SOP_CLASS_UID})
_INSTANCE_ELEMENTS: Final = frozenset({AFFECTED_SOP_INSTANCE_UID, REQUESTED_SOP_INSTANCE_UID})
_REQUESTS: Final = frozenset(int(field) for field in CommandField if not field.is_response)


@dataclass(slots=True)
class Activity:
    """What an association did so far.

    Attributes:
        since_s: When it began, seconds since the epoch.
        requests: How many came.
        last: The Command Field of the latest.
    """

    since_s: float = field(default_factory=time.time)
    requests: int = 0
    last: int = 0

    @property
    def last_name(self) -> str:
        """The latest request as the standard writes it: ``C-STORE``; empty before any."""
        try:
            return CommandField(self.last).name.removesuffix("_RQ").replace("_", "-")
        except ValueError:
            return ""


class Dispatcher:
    """Runs an association to its end, handing every request to its service.

    A service that raises costs its own request: the peer gets 0x0110 where an answer is still due
    and can be sent, else A-ABORT. Other associations notice nothing.
    """

    def __init__(self, table: ServiceTable) -> None:
        self._table = table
        self._activities: dict[Association, Activity] = {}

    def activities(self) -> list[tuple[Association, "Activity"]]:
        """Associations under way and what each is doing."""
        return list(self._activities.items())

    def run(self, association: Association) -> None:
        """The handler of `AssociationServer`."""
        metrics.ASSOCIATIONS.inc()
        self._activities[association] = Activity()
        try:
            while (message := association.next_message()) is not None:
                self._dispatch(association, message)
        finally:
            metrics.ASSOCIATIONS.dec()
            self._activities.pop(association, None)
            for service in self._table.services:
                if service.on_association_end is not None:
                    self._end(service, association)

    def _end(self, service: Service, association: Association) -> None:
        try:
            if service.on_association_end is not None:
                service.on_association_end(association)
        except Exception:  # noqa: BLE001 - the other services' ends must run too
            _log.exception("service end failed", service=service.name)

    def _dispatch(self, association: Association, message: Message) -> None:
        command = message.command
        if command.is_response:
            _log.warning("response without a request", command=repr(command))
            association.abort()
            return
        service = self._table.service_for(message.context.abstract_syntax)
        activity = self._activities.get(association)
        if activity is not None:
            activity.requests += 1
            activity.last = command.command_field
        refusal = self._refusal(message, service)
        if refusal is not None or service is None:
            self._refuse(association, message, refusal or Status.SOP_CLASS_NOT_SUPPORTED)
            return
        try:
            service.handle(association, message)
        except AssociationError:
            raise
        except DataSetTooLarge as error:
            _log.warning("data set too large", service=service.name, error=str(error))
            self._answer(association, message, Status.OUT_OF_RESOURCES, "data set too large")
        except Exception:  # noqa: BLE001 - a bug in a service is not the other requests' fault
            _log.exception("service failed", service=service.name, command=repr(command))
            self._answer(association, message, Status.PROCESSING_FAILURE, "internal error")

    def _refusal(self, message: Message, service: Service | None) -> int | None:
        """The status that ends a request no service should see; None for a good one."""
        command = message.command
        field = command.command_field
        if field not in _REQUESTS:
            return Status.UNRECOGNIZED_OPERATION
        if service is None:
            return Status.SOP_CLASS_NOT_SUPPORTED
        if field not in service.command_fields:
            return Status.UNRECOGNIZED_OPERATION
        if not message.context.as_scp and field != CommandField.N_EVENT_REPORT_RQ:
            return Status.NOT_AUTHORIZED  # events come from the SCP, to us as SCU
        missing = set(command.missing_elements())
        if missing & _CLASS_ELEMENTS:
            return Status.NO_SUCH_SOP_CLASS
        if missing & _INSTANCE_ELEMENTS:
            return Status.INVALID_OBJECT_INSTANCE
        if missing:
            return Status.MISTYPED_ARGUMENT
        if not message.has_data_set and field in NEEDS_DATA_SET:
            return Status.CANNOT_UNDERSTAND
        if command.affected_sop_class_uid not in ("", message.context.abstract_syntax):
            if field == CommandField.C_ECHO_RQ:
                return Status.NO_SUCH_SOP_CLASS
            if field < 0x0100:
                return Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS
        return None

    def _refuse(self, association: Association, message: Message, status: int) -> None:
        _log.warning(
            "request.refused",
            command=repr(message.command),
            status=f"{status:04X}",
            calling_ae_title=association.calling_ae_title,
        )
        metrics.REFUSALS.labels("DIMSE", f"{status:04X}").inc()
        self._answer(association, message, status, None)

    def _answer(
        self, association: Association, message: Message, status: int, comment: str | None
    ) -> None:
        if not association.is_open:
            return
        if association.answered_message_id == message.command.message_id:
            return
        association.discard_data_set()
        response = response_to(
            message.command,
            status,
            error_comment=comment,
            offending_elements=message.command.missing_elements(),
        )
        association.send_message(message.context.id, response)


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """The context of the TLS listener; None when the settings ask for none.

    Raises:
        OSError: A certificate, a key or a list cannot be read.
    """
    if settings.dicom_tls is None or not (settings.tls_certificate and settings.tls_key):
        return None
    return server_context(
        certificate=settings.tls_certificate,
        key=settings.tls_key,
        client_ca=settings.tls_ca,
        crl=settings.tls_crl,
        profile=TlsProfile(settings.tls_profile),
    )


def open_listeners(settings: Settings) -> list[Listener]:
    """The listening sockets the settings ask for; their ports may be shared by processes.

    Raises:
        OSError: An address cannot be bound, or a certificate cannot be read.
    """
    context = tls_context(settings)
    listeners = [Listener(socket=listen(settings.dicom.host, settings.dicom.port))]
    if settings.dicom_tls is not None and context is not None:
        listeners.append(
            Listener(socket=listen(settings.dicom_tls.host, settings.dicom_tls.port), tls=context)
        )
    return listeners


def limits_of(settings: Settings) -> Limits:
    """Bounds on associations, from the settings."""
    limits = settings.limits
    return Limits(
        max_associations=limits.max_associations,
        max_associations_per_host=limits.max_associations_per_peer,
        max_associations_per_ae_title=limits.max_associations_per_peer,
        max_half_open=limits.max_half_open,
        max_half_open_per_host=limits.max_half_open_per_peer,
        max_pdu_bytes=settings.max_pdu_bytes,
    )


def timeouts_of(settings: Settings) -> Timeouts:
    """Deadlines of associations, from the settings."""
    limits = settings.limits
    return Timeouts(
        artim_s=limits.artim_timeout_s,
        dimse_s=limits.dimse_timeout_s,
        idle_s=limits.idle_timeout_s,
        send_s=limits.dimse_timeout_s,
    )


def build_server(
    settings: Settings,
    services: Sequence[Service],
    *,
    find_ae: FindAE,
    listeners: Sequence[Listener] | None = None,
    check_peer_host: bool = False,
    on_refused: OnRefused | None = None,
    on_accepted: OnAccepted | None = None,
    dispatcher: Dispatcher | None = None,
    on_tls_refused: Callable[[Peer, str], None] | None = None,
) -> AssociationServer:
    """The archive's association server, not yet started.

    Args:
        settings: AE title, addresses, TLS, limits, deadlines.
        services: The dispatch table.
        find_ae: The registry of application entities.
        listeners: Sockets that are open already; absent: those the settings ask for.
        check_peer_host: A registered AE must call from its registered host.
        on_refused: Told of every refused association and its true reason.
        on_accepted: Told of every other one.
        dispatcher: Of the same services; absent: made here.
        on_tls_refused: Told of failed TLS handshakes and why (certificate, version).

    Raises:
        ValueError: Two services claim one abstract syntax.
        OSError: An address cannot be bound.
    """
    table = ServiceTable(services)
    policy = RegisteredCallers(
        ae_title=settings.ae_title,
        services=table,
        find_ae=find_ae,
        check_peer_host=check_peer_host,
        on_refused=on_refused,
        on_accepted=on_accepted,
    )
    return AssociationServer(
        open_listeners(settings) if listeners is None else listeners,
        policy,
        (dispatcher or Dispatcher(table)).run,
        limits=limits_of(settings),
        timeouts=timeouts_of(settings),
        on_tls_refused=on_tls_refused,
    )
