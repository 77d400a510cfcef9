"""Storage Commitment Push Model, both roles (PS3.4 Annex J).

As SCP, an N-ACTION is answered when the request is persisted. The objects are then read again; a
peer that stays on its association in silence gets the N-EVENT-REPORT there, any other one on an
association that we open, as often as it takes. As SCU, the request is persisted before it is sent
and the peer's N-EVENT-REPORT is taken on whichever association it comes.
"""

import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from negatoscope.domain.archive.commitment import Answer, Commitment, Reference, Role
from negatoscope.domain.devices import ae
from negatoscope.domain.identity.model import Actor
from negatoscope.domain.identity.policies import Action, may
from negatoscope.entrypoints.dimse.commitment_data_set import (
    LIMIT_BYTES,
    InformationError,
    action_information,
    event_information,
    read_information,
)
from negatoscope.entrypoints.dimse.service import Service, caller_of
from negatoscope.infra.db import Database
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.association import (
    AcceptedContext,
    Association,
    Message,
    Timeouts,
)
from negatoscope.protocols.dicom.dimse.command import CommandField, response_to
from negatoscope.protocols.dicom.dimse.errors import (
    AssociationError,
    DataSetTooLarge,
    DimseError,
    NoPresentationContext,
)
from negatoscope.protocols.dicom.dimse.requestor import connect
from negatoscope.protocols.dicom.ul.negotiation import ProposedContext
from negatoscope.standard.dimse_status import Status, StatusCategory, category
from negatoscope.standard.sop_classes import STORAGE_COMMITMENT_PUSH_MODEL
from negatoscope.standard.uids import STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE
from negatoscope.subscribers.audit import Outcome, record

TRANSFER_SYNTAXES: Final = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
REQUEST_STORAGE_COMMITMENT: Final = 1
"""Action Type ID."""

SILENCE_S: Final = 0.5
"""A peer that says nothing for so long after our N-ACTION-RSP waits for the report."""

ANSWER_S: Final = 3 * SILENCE_S
"""How long we wait in silence, as SCU, for a peer that does as we do."""

_POLL_S: Final = 0.02
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageCommitment:
    """Storage commitment on the wire.

    Attributes:
        commitment: Requests and answers.
        database: The registry of application entities.
        ae_title: Ours.
        timeouts: Of associations we open.
        tls: For peers registered with TLS.
    """

    commitment: Commitment
    database: Database
    ae_title: str
    timeouts: Timeouts = field(default_factory=Timeouts)
    tls: ssl.SSLContext | None = None

    def service(self) -> Service:
        """The listener's row."""
        return Service(
            name="storage commitment",
            abstract_syntaxes=frozenset({STORAGE_COMMITMENT_PUSH_MODEL}),
            command_fields=frozenset({CommandField.N_ACTION_RQ, CommandField.N_EVENT_REPORT_RQ}),
            action=Action.COMMIT,
            handle=self.handle,
            transfer_syntaxes=frozenset(TRANSFER_SYNTAXES),
            requestor_may_be_scp=Action.COMMIT,
        )

    def handle(self, association: Association, message: Message) -> None:
        """Answer an N-ACTION (we are SCP) or an N-EVENT-REPORT (we are SCU)."""
        if message.command.command_field == CommandField.N_EVENT_REPORT_RQ:
            self._take_event(association, message)
            return
        commitment_id = self._take_action(association, message)
        if commitment_id is not None:
            self._report_here(association, message.context, commitment_id)

    def run_due(self, stop: threading.Event) -> None:
        """Work on what is due: read again, deliver, ask again. For the worker, every few seconds."""
        unreachable: dict[str, str] = {}
        for role, act in ((Role.SCP, self._deliver), (Role.SCU, self._ask)):
            while not stop.is_set():
                commitment_id = self.commitment.claim_due(role)
                if commitment_id is None:
                    break
                act(commitment_id, unreachable, stop)

    def request_commitment(self, ae_title: str, references: Sequence[Reference]) -> int:
        """Ask a peer to commit to objects. It is asked until it has answered the N-ACTION.

        Args:
            ae_title: A registered AE.
            references: The objects.
        Returns: Our key of the request; ``Commitment.answer`` tells the outcome.
        """
        commitment_id, _ = self.commitment.request(ae_title=ae_title, references=references)
        self._ask(commitment_id, {}, threading.Event())
        return commitment_id

    def _take_action(self, association: Association, message: Message) -> int | None:
        """Persist a request, answer. Returns: our key of it, ``None`` when refused."""
        command = message.command
        actor = caller_of(association).actor
        status, comment = Status.SUCCESS, ""
        commitment_id = None
        try:
            _check_target(message, action_type_id=REQUEST_STORAGE_COMMITMENT)
            self._authorize(actor, association)
            information = read_information(
                association.read_data_set(LIMIT_BYTES), message.context.transfer_syntax
            )
            commitment_id = self.commitment.receive(
                ae_title=association.calling_ae_title,
                transaction_uid=information.transaction_uid,
                references=information.references,
            )
            record(
                self.database,
                actor=actor,
                action=Action.COMMIT,
                peer=association.peer_host,
                detail={
                    "transaction_uid": information.transaction_uid,
                    "objects": len(information.references),
                },
            )
        except InformationError as error:
            status, comment = error.status, error.comment
        except DataSetTooLarge as error:
            status, comment = Status.RESOURCE_LIMITATION, str(error)
        except DatabaseUnavailable as error:
            status, comment = Status.RESOURCE_LIMITATION, error.message
        if status is not Status.SUCCESS:
            _log.warning(
                "commitment.refused",
                ae_title=association.calling_ae_title,
                status=f"{status:04X}",
                reason=comment,
            )
        try:
            association.send_message(
                message.context.id, response_to(command, status, error_comment=comment or None)
            )
        except AssociationError:
            if commitment_id is not None:
                self.commitment.let_go(commitment_id)
            raise
        return commitment_id

    def _authorize(self, actor: Actor, association: Association) -> None:
        decision = may(actor, Action.COMMIT)
        if not decision:
            record(
                self.database,
                actor=actor,
                action=Action.COMMIT,
                outcome=Outcome.REFUSED,
                peer=association.peer_host,
            )
            raise InformationError(Status.NOT_AUTHORIZED, decision.reason)

    def _report_here(
        self, association: Association, context: AcceptedContext, commitment_id: int
    ) -> None:
        """Deliver the answer on the association of the request if the peer waits for it."""
        quiet_until = time.monotonic() + SILENCE_S
        try:
            answer = self.commitment.answer(commitment_id, stop=lambda: _speaks(association))
            while answer is not None and time.monotonic() < quiet_until:
                if _speaks(association):
                    answer = None
                time.sleep(_POLL_S)
        except DatabaseUnavailable:
            return  # held for a while; then the worker takes it over
        if answer is None or _speaks(association):
            self.commitment.let_go(commitment_id)
            return
        self._report(association, context, answer)

    def _deliver(
        self, commitment_id: int, unreachable: dict[str, str], stop: threading.Event
    ) -> None:
        """Read again what is not known yet, tell the peer on an association of our own."""
        answer = self.commitment.answer(commitment_id, stop=stop.is_set)
        if answer is None:
            self.commitment.let_go(commitment_id)
            return
        self._with_peer(
            commitment_id,
            answer.ae_title,
            unreachable,
            role="scp",
            act=lambda association, context: self._report(association, context, answer),
        )

    def _report(self, association: Association, context: AcceptedContext, answer: Answer) -> None:
        """Send an N-EVENT-REPORT and note how it went."""
        try:
            response = scu.n_event_report(
                association,
                context,
                sop_class_uid=STORAGE_COMMITMENT_PUSH_MODEL,
                sop_instance_uid=STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE,
                event_type_id=answer.event_type_id,
                data_set=event_information(answer, context.transfer_syntax, ae_title=self.ae_title),
                timeout_s=association.timeouts.dimse_s,
            )
        except DimseError as error:
            self.commitment.note_failed(answer.commitment_id, str(error))
            return
        if category(response.status) is StatusCategory.FAILURE:
            self.commitment.note_failed(
                answer.commitment_id, f"the peer answered {response.status:04X}"
            )
            return
        self.commitment.note_delivered(answer.commitment_id)
        _log.info(
            "commitment.delivered",
            ae_title=answer.ae_title,
            transaction_uid=answer.transaction_uid,
            committed=len(answer.committed),
            failed=len(answer.failed),
        )

    def _ask(self, commitment_id: int, unreachable: dict[str, str], stop: threading.Event) -> None:
        """Send the N-ACTION of a request of ours."""
        request = self.commitment.asked(commitment_id)
        if request is None or stop.is_set():
            self.commitment.let_go(commitment_id)
            return
        ae_title, transaction_uid, references = request

        def act(association: Association, context: AcceptedContext) -> None:
            response = scu.n_action(
                association,
                context,
                sop_class_uid=STORAGE_COMMITMENT_PUSH_MODEL,
                sop_instance_uid=STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE,
                action_type_id=REQUEST_STORAGE_COMMITMENT,
                data_set=action_information(transaction_uid, references, context.transfer_syntax),
            )
            if category(response.status) is StatusCategory.FAILURE:
                self.commitment.note_failed(
                    commitment_id, f"the peer answered {response.status:04X}"
                )
                return
            self.commitment.note_delivered(commitment_id)
            self._take_event_here(association)

        self._with_peer(commitment_id, ae_title, unreachable, role="scu", act=act)

    def _with_peer(
        self,
        commitment_id: int,
        ae_title: str,
        unreachable: dict[str, str],
        *,
        role: str,
        act: Callable[[Association, AcceptedContext], None],
    ) -> None:
        """Do something on an association with a registered peer; note it when that fails."""
        entity = ae.find(self.database, ae_title)
        if entity is None:
            self.commitment.note_failed(commitment_id, f"{ae_title} is not registered")
            return
        if ae_title in unreachable:
            self.commitment.note_failed(commitment_id, unreachable[ae_title])
            return
        try:
            association = connect(
                entity.host,
                entity.port,
                calling_ae_title=self.ae_title,
                called_ae_title=ae_title,
                contexts=[
                    ProposedContext(
                        abstract_syntax=STORAGE_COMMITMENT_PUSH_MODEL,
                        transfer_syntaxes=TRANSFER_SYNTAXES,
                        scu_role=role == "scu",
                        scp_role=role == "scp",
                    )
                ],
                tls=self.tls if entity.tls else None,
                timeouts=self.timeouts,
            )
        except DimseError as error:
            unreachable[ae_title] = str(error)
            self.commitment.note_failed(commitment_id, str(error))
            return
        try:
            with association:
                act(association, _any_context(association))
        except DimseError as error:
            self.commitment.note_failed(commitment_id, str(error))

    def _take_event_here(self, association: Association) -> None:
        """Take the answer at once from a peer that gives it on the association of the request."""
        until = time.monotonic() + ANSWER_S
        while time.monotonic() < until and association.is_open:
            if _speaks(association):
                message = association.next_message() if association.is_open else None
                field_ = message.command.command_field if message else None
                if message is not None and field_ == CommandField.N_EVENT_REPORT_RQ:
                    self._take_event(association, message)
                return
            time.sleep(_POLL_S)

    def _take_event(self, association: Association, message: Message) -> None:
        """Keep what a peer answers to a request of ours."""
        peer = (
            association.called_ae_title
            if association.is_requestor
            else association.calling_ae_title
        )
        status, comment = Status.SUCCESS, ""
        try:
            _check_target(message, action_type_id=None)
            information = read_information(
                association.read_data_set(LIMIT_BYTES), message.context.transfer_syntax
            )
            known = self.commitment.take_answer(
                ae_title=peer,
                transaction_uid=information.transaction_uid,
                committed=information.references,
                failed=information.failures,
            )
            if not known:
                status, comment = Status.INVALID_ARGUMENT_VALUE, "unknown Transaction UID"
        except InformationError as error:
            status, comment = error.status, error.comment
        except DataSetTooLarge as error:
            status, comment = Status.RESOURCE_LIMITATION, str(error)
        except DatabaseUnavailable as error:
            status, comment = Status.RESOURCE_LIMITATION, error.message
        association.send_message(
            message.context.id, response_to(message.command, status, error_comment=comment or None)
        )


def _check_target(message: Message, *, action_type_id: int | None) -> None:
    """Refuse what is not about the one well-known instance (PS3.4 §J.3.5)."""
    command = message.command
    if command.sop_class_uid != STORAGE_COMMITMENT_PUSH_MODEL:
        raise InformationError(Status.NO_SUCH_SOP_CLASS, "not the SOP class of the context")
    if command.sop_instance_uid != STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE:
        raise InformationError(Status.NO_SUCH_OBJECT_INSTANCE, "not the well-known instance")
    if action_type_id is not None and command.action_type_id != action_type_id:
        raise InformationError(Status.NO_SUCH_ACTION, "Action Type ID is not 1")
    if action_type_id is None and command.event_type_id not in (1, 2):
        raise InformationError(Status.NO_SUCH_EVENT_TYPE, "Event Type ID is neither 1 nor 2")
    if not message.has_data_set:
        raise InformationError(Status.MISSING_ATTRIBUTE, "no data set")


def _any_context(association: Association) -> AcceptedContext:
    """The context, whatever roles the peer answered: some accept it and forget the role item.

    Raises:
        NoPresentationContext: it was not accepted.
    """
    for context in association.presentation_contexts.values():
        return context
    raise NoPresentationContext("the peer does not accept storage commitment")


def _speaks(association: Association) -> bool:
    """Whether the peer has sent something, released or gone."""
    try:
        association.cancelled(0)  # no operation has Message ID 0: this only looks at the socket
    except AssociationError:
        return True
    return association.has_message_waiting or not association.is_open
