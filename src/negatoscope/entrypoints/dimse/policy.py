"""Who may open an association with us, and with which presentation contexts.

Called with our AE title; calling from a registered AE title (and, where asked for, from its
registered host). Anybody may verify, that is propose Verification and nothing else. Every refusal
is the same A-ASSOCIATE-RJ: which part failed is written to the log and to `on_refused`, never to
the peer. A context is accepted when the caller may do what its service does.
"""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from negatoscope.domain.devices.ae import ApplicationEntity
from negatoscope.domain.identity.model import Actor
from negatoscope.domain.identity.policies import Action, Decision, may
from negatoscope.entrypoints.dimse.service import Caller, Service
from negatoscope.protocols.dicom.dimse.acceptor import Accept, Peer, Reject
from negatoscope.protocols.dicom.dimse.command import CommandField
from negatoscope.protocols.dicom.dimse.transport import PeerCertificate
from negatoscope.protocols.dicom.ul.items import (
    AsynchronousOperationsWindow,
    ContextResult,
    ExtendedNegotiation,
    ProposedPresentationContext,
)
from negatoscope.protocols.dicom.ul.negotiation import ContextOffer, answer
from negatoscope.protocols.dicom.ul.pdu import AssociateRequest
from negatoscope.standard.sop_classes import SOP_CLASSES, VERIFICATION

_log = structlog.get_logger(__name__)

MAX_PIPELINED_OPERATIONS: Final = 16
"""Operations a storing peer may have under way: its requests are answered in order."""

_PIPELINED: Final = frozenset({CommandField.C_STORE_RQ, CommandField.C_ECHO_RQ})

FindAE = Callable[[str], ApplicationEntity | None]
OnRefused = Callable[[AssociateRequest, Peer, str], None]
OnAccepted = Callable[[AssociateRequest, Peer], None]


class ServiceTable:
    """Which service answers for an abstract syntax."""

    def __init__(self, services: Sequence[Service]) -> None:
        """Later services must not claim what an earlier one has.

        Raises:
            ValueError: Two services claim one abstract syntax.
        """
        self.services = tuple(services)
        self._by_syntax: dict[str, Service] = {}
        self._unknown: Service | None = None
        for service in services:
            for uid in service.abstract_syntaxes:
                if uid in self._by_syntax:
                    other = self._by_syntax[uid].name
                    raise ValueError(f"{service.name} and {other} both claim {uid}")
                self._by_syntax[uid] = service
            if service.takes_unknown_abstract_syntaxes:
                self._unknown = service

    def service_for(self, abstract_syntax: str) -> Service | None:
        """The service of an abstract syntax; private and newer ones have one too."""
        service = self._by_syntax.get(abstract_syntax)
        if service is None and abstract_syntax and abstract_syntax not in SOP_CLASSES:
            return self._unknown
        return service


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredCallers:
    """The acceptor policy of the archive.

    Attributes:
        ae_title: Ours.
        services: What there is to negotiate.
        find_ae: The registry.
        check_peer_host: A registered AE must call from its registered host.
        on_refused: Told of every refusal and its true reason (audit).
        on_accepted: Told of every association that will be accepted.
    """

    ae_title: str
    services: ServiceTable
    find_ae: FindAE
    check_peer_host: bool = False
    on_refused: OnRefused | None = None
    on_accepted: OnAccepted | None = None

    def judge(self, request: AssociateRequest, peer: Peer) -> Accept | Reject:
        """Accepts or refuses an association request."""
        caller, refusal = self._identify(request, peer)
        if caller is None:
            _log.warning(
                "association.refused",
                reason=refusal,
                peer_host=peer.host,
                calling_ae_title=request.calling_ae_title,
                called_ae_title=request.called_ae_title,
            )
            if self.on_refused is not None:
                self.on_refused(request, peer, refusal)
            return Reject()
        if self.on_accepted is not None:
            self.on_accepted(request, peer)
        rights = _Rights(caller.actor)
        roles = {role.sop_class_uid: role.scp for role in request.user_information.roles}
        contexts, granted = answer(request, lambda proposed: self._offer(proposed, rights, roles))
        accepted = {
            proposed.abstract_syntax
            for proposed, answered in zip(request.presentation_contexts, contexts, strict=True)
            if answered.result == ContextResult.ACCEPTANCE
        }
        return Accept(
            contexts=contexts,
            roles=granted,
            extended_negotiation=self._extended_answers(request, accepted),
            async_window=self._window(request, accepted),
            principal=caller,
            max_associations=None if caller.entity is None else caller.entity.max_associations,
        )

    def _identify(self, request: AssociateRequest, peer: Peer) -> tuple[Caller | None, str]:
        if request.called_ae_title != self.ae_title:
            return None, "wrong called AE title"
        entity = self.find_ae(request.calling_ae_title)
        if entity is None:
            if all(
                context.abstract_syntax == VERIFICATION for context in request.presentation_contexts
            ):
                return Caller(actor=Actor.anonymous(request.calling_ae_title), entity=None), ""
            return None, "unknown calling AE title"
        refusal = self._refusal_of(entity, peer)
        if refusal:
            return None, refusal
        return Caller(actor=entity.actor, entity=entity), ""

    def _refusal_of(self, entity: ApplicationEntity, peer: Peer) -> str:
        """Why a registered AE is not let in; empty when it is."""
        if not entity.is_enabled:
            return "disabled AE title"
        if entity.tls_required and not peer.is_encrypted:
            return "calling AE title in clear, TLS required"
        if entity.certificates and not _shows_one_of(entity.certificates, peer.tls):
            return "calling AE title with another certificate than registered"
        checked = self.check_peer_host or entity.check_host
        if checked and not _is_host(peer.host, entity.host):
            return "calling AE title from another host than registered"
        return ""

    def _offer(
        self,
        proposed: ProposedPresentationContext,
        rights: "_Rights",
        scp_proposed: Mapping[str, bool],
    ) -> ContextOffer | ContextResult:
        service = self.services.service_for(proposed.abstract_syntax)
        if service is None:
            return ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED
        as_scu = rights.has(service.action)
        as_scp = (
            service.requestor_may_be_scp is not None
            and scp_proposed.get(proposed.abstract_syntax, False)
            and rights.has(service.requestor_may_be_scp)
        )
        if not (as_scu or as_scp):
            return ContextResult.USER_REJECTION
        return ContextOffer(
            transfer_syntaxes=service.transfer_syntaxes,
            requestor_may_be_scu=as_scu,
            requestor_may_be_scp=as_scp,
        )

    def _extended_answers(
        self, request: AssociateRequest, accepted: set[str]
    ) -> tuple[ExtendedNegotiation, ...]:
        answers: list[ExtendedNegotiation] = []
        for item in request.user_information.extended_negotiation:
            service = self.services.service_for(item.sop_class_uid)
            if (
                item.sop_class_uid not in accepted
                or service is None
                or service.answer_extended_negotiation is None
            ):
                continue
            information = service.answer_extended_negotiation(item.sop_class_uid, item.information)
            if information is not None:
                answers.append(
                    ExtendedNegotiation(sop_class_uid=item.sop_class_uid, information=information)
                )
        return tuple(answers)

    def _window(
        self, request: AssociateRequest, accepted: set[str]
    ) -> AsynchronousOperationsWindow | None:
        """Pipelining for those who only store: a query could not see its C-CANCEL behind it."""
        proposed = request.user_information.async_window
        if proposed is None:
            return None
        fields: set[CommandField] = set()
        for abstract_syntax in accepted:
            service = self.services.service_for(abstract_syntax)
            fields |= service.command_fields if service is not None else frozenset()
        if not fields <= _PIPELINED:
            return AsynchronousOperationsWindow()
        most = proposed.invoked or MAX_PIPELINED_OPERATIONS
        return AsynchronousOperationsWindow(invoked=min(most, MAX_PIPELINED_OPERATIONS))


class _Rights:
    """The policy's answers for one actor, each asked once."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._decisions: dict[Action, Decision] = {}

    def has(self, action: Action) -> bool:
        if action not in self._decisions:
            self._decisions[action] = may(self._actor, action)
        return self._decisions[action].allowed


def _shows_one_of(certificates: Sequence[str], shown: PeerCertificate | None) -> bool:
    """Whether a peer proved one of the identities registered for its AE title."""
    if shown is None:
        return False
    return f"sha256:{shown.sha256}" in certificates or f"subject:{shown.subject}" in certificates


def _is_host(address: str, registered: str) -> bool:
    """Whether a registered name or address means the address somebody calls from."""
    if address == registered:
        return True
    try:
        found = socket.getaddrinfo(registered, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    plain = address.removeprefix("::ffff:")
    return any(str(entry[4][0]).removeprefix("::ffff:") == plain for entry in found)
