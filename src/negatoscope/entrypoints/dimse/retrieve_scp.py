"""C-MOVE and C-GET SCP: patient root, study root and the retired patient/study only (PS3.4 §C.4).

Objects are sent as they are stored; to who does not accept the stored transfer syntax, in one that
was accepted and loses nothing. Where there is none, the sub-operation fails.
"""

import contextlib
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import Kind, StoredInstance
from negatoscope.domain.devices import ae
from negatoscope.domain.devices.ae import ApplicationEntity
from negatoscope.domain.identity.policies import Action, may
from negatoscope.domain.viewing.transcoding import Transcoder
from negatoscope.entrypoints.dimse.delivery import deliver, open_association
from negatoscope.entrypoints.dimse.loading import load_each
from negatoscope.entrypoints.dimse.retrieve_identifier import (
    IDENTIFIER_LIMIT_BYTES,
    IdentifierError,
    RetrieveRequest,
    read_identifier,
)
from negatoscope.entrypoints.dimse.service import Service, caller_of
from negatoscope.entrypoints.dimse.suboperations import (
    Progress,
    RequestorGoneError,
    StoreChannel,
)
from negatoscope.infra import metrics
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.protocols.dicom.dimse.association import Association, Message, Timeouts
from negatoscope.protocols.dicom.dimse.command import CommandField, retrieve_rsp
from negatoscope.protocols.dicom.dimse.errors import (
    ConnectionLost,
    DataSetTooLarge,
)
from negatoscope.standard import sop_classes
from negatoscope.standard.dimse_status import Status
from negatoscope.subscribers.audit import EventClass, Outcome, ReadRecorder, record

MOVE_CLASSES: Final = frozenset(
    {
        sop_classes.PATIENT_ROOT_MOVE,
        sop_classes.STUDY_ROOT_MOVE,
        sop_classes.PATIENT_STUDY_ONLY_MOVE,
    }
)
GET_CLASSES: Final = frozenset(
    {
        sop_classes.PATIENT_ROOT_GET,
        sop_classes.STUDY_ROOT_GET,
        sop_classes.PATIENT_STUDY_ONLY_GET,
    }
)
TRANSFER_SYNTAXES: Final = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"})
"""Of identifiers."""

_MOVE_SECONDS = metrics.RETRIEVE_SECONDS.labels("C-MOVE")
_GET_SECONDS = metrics.RETRIEVE_SECONDS.labels("C-GET")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieveSCP:
    """The two services.

    Attributes:
        retrieval: The archive's reading side.
        reads: The trail of reads.
        ae_title: Ours, as calling AE title towards move destinations.
        timeouts: Of those associations.
        tls: For destinations registered with TLS.
        transcoder: For peers that do not take the stored transfer syntax.
    """

    retrieval: Retrieval
    reads: ReadRecorder
    ae_title: str
    timeouts: Timeouts = field(default_factory=Timeouts)
    tls: ssl.SSLContext | None = None
    transcoder: Transcoder | None = None

    def services(self) -> tuple[Service, Service]:
        """C-MOVE and C-GET for the listener's table."""
        return (
            Service(
                name="move",
                abstract_syntaxes=MOVE_CLASSES,
                command_fields=frozenset({CommandField.C_MOVE_RQ}),
                action=Action.RETRIEVE,
                handle=self.move,
                transfer_syntaxes=TRANSFER_SYNTAXES,
                answer_extended_negotiation=_answer_extended_negotiation,
            ),
            Service(
                name="get",
                abstract_syntaxes=GET_CLASSES,
                command_fields=frozenset({CommandField.C_GET_RQ}),
                action=Action.RETRIEVE,
                handle=self.get,
                transfer_syntaxes=TRANSFER_SYNTAXES,
                answer_extended_negotiation=_answer_extended_negotiation,
            ),
        )

    def get(self, association: Association, message: Message) -> None:
        """C-GET (PS3.7 §9.1.3): the objects come on the same association."""
        request = self._begin(association, message)
        if request is None:
            return
        with metrics.timed(_GET_SECONDS), _requestor_lost():
            kinds = self._kinds(association, message, request)
            if kinds is None:
                return
            progress = _progress(association, message, kinds)
            channel = StoreChannel(
                association,
                retrieval=self.retrieval,
                progress=progress,
                window=association.async_window.performed,
                priority=message.command.priority,
                transcoder=self.transcoder,
            )
            cancelled = False
            with _index_lost(progress):
                instances = self._audited(association, self.retrieval.select(request.selection))
                for loaded in load_each(self.retrieval, instances, wanted=channel.accepts):
                    cancelled = progress.cancelled()
                    if cancelled:
                        break
                    channel.offer(loaded)
                    progress.report_if_due()
            channel.drain()
            self._end(progress, request, association.calling_ae_title, cancelled=cancelled)

    def move(self, association: Association, message: Message) -> None:
        """C-MOVE (PS3.7 §9.1.4): the objects go to a registered AE."""
        request = self._begin(association, message)
        if request is None:
            return
        try:
            destination = ae.find(self.retrieval.database, message.command.move_destination)
        except DatabaseUnavailable as error:
            _refuse(association, message, Status.OUT_OF_RESOURCES_MATCHES, error.message)
            return
        if destination is None:
            self._note_refused(association, "unknown move destination")
            _refuse(
                association, message, Status.MOVE_DESTINATION_UNKNOWN, "unknown move destination"
            )
            return
        with metrics.timed(_MOVE_SECONDS), _requestor_lost():
            kinds = self._kinds(association, message, request)
            if kinds is None:
                return
            progress = _progress(association, message, kinds)
            cancelled = False
            with _index_lost(progress):
                cancelled = deliver(
                    self.retrieval,
                    request.selection,
                    kinds,
                    destination=destination.ae_title,
                    open_channel=lambda some: self.open_channel(destination, some, progress),
                    progress=progress,
                    through=lambda instances: self._audited(
                        association, instances, destination=destination.ae_title
                    ),
                )
            self._end(progress, request, destination.ae_title, cancelled=cancelled)

    def open_channel(
        self, destination: ApplicationEntity, kinds: Sequence[Kind], progress: Progress
    ) -> StoreChannel:
        """An association with a move destination, one context per SOP class and stored syntax.

        Raises:
            DimseError: it cannot be had.
        """
        requestor = progress.association.calling_ae_title
        association = open_association(
            destination,
            kinds,
            calling_ae_title=self.ae_title,
            tls=self.tls,
            timeouts=self.timeouts,
        )
        return StoreChannel(
            association,
            retrieval=self.retrieval,
            progress=progress,
            window=association.async_window.invoked,
            priority=progress.request.command.priority,
            originator=(requestor, progress.request.command.message_id),
            tick=progress.report_if_due,
            transcoder=self.transcoder,
        )

    def _begin(self, association: Association, message: Message) -> RetrieveRequest | None:
        """The request, when it may be carried out; refused when not."""
        try:
            identifier = association.read_data_set(IDENTIFIER_LIMIT_BYTES)
        except DataSetTooLarge as error:
            _refuse(association, message, Status.OUT_OF_RESOURCES, str(error))
            return None
        actor = caller_of(association).actor
        decision = may(actor, Action.RETRIEVE)
        if not decision:
            self._note_refused(association, decision.reason)
            _refuse(association, message, Status.NOT_AUTHORIZED, decision.reason)
            return None
        try:
            request = read_identifier(
                identifier, message.context.transfer_syntax, message.context.abstract_syntax
            )
            return replace(request, selection=replace(request.selection, scope=actor.data_scope))
        except IdentifierError as error:
            _refuse(association, message, error.status, error.comment, error.offending_elements)
            return None

    def _kinds(
        self, association: Association, message: Message, request: RetrieveRequest
    ) -> list[Kind] | None:
        """What will be sent; ``None`` when the index does not tell, which has been answered."""
        try:
            return self.retrieval.kinds(request.selection)
        except DatabaseUnavailable as error:
            _refuse(association, message, Status.OUT_OF_RESOURCES_MATCHES, error.message)
            return None

    def _audited(
        self,
        association: Association,
        instances: Iterator[StoredInstance],
        destination: str | None = None,
    ) -> Iterator[StoredInstance]:
        """The instances, each noted in the trail before it is given out.

        What goes to another than who asks leaves for a place of somebody's choice: an export.
        """
        elsewhere = destination is not None and destination != association.calling_ae_title
        actor = caller_of(association).actor
        for stored in instances:
            self.reads.seen(
                actor=actor,
                action=Action.RETRIEVE,
                study_instance_uid=stored.study_instance_uid,
                peer=association.peer_host,
                door="dimse",
                destination=destination,
                event_class=EventClass.EXPORT if elsewhere else None,
            )
            yield stored

    def _note_refused(self, association: Association, reason: str) -> None:
        record(
            self.retrieval.database,
            actor=caller_of(association).actor,
            action=Action.RETRIEVE,
            outcome=Outcome.REFUSED,
            peer=association.peer_host,
            door="dimse",
            detail={"reason": reason},
        )

    def _end(
        self, progress: Progress, request: RetrieveRequest, destination: str, *, cancelled: bool
    ) -> None:
        association = progress.association
        studies, patients = request.selection.study, request.selection.patient
        counts = {
            "completed": progress.completed,
            "failed": progress.failed,
            "warning": progress.warning,
            "remaining": progress.remaining,
        }
        with contextlib.suppress(DatabaseUnavailable):  # the reads themselves are in the trail
            record(
                self.retrieval.database,
                actor=caller_of(association).actor,
                action=Action.RETRIEVE,
                outcome=Outcome.FAILED if progress.failed else Outcome.SUCCESS,
                peer=association.peer_host,
                door="dimse",
                study_instance_uid=studies[0] if len(studies) == 1 else None,
                patient_id=patients[0] if len(patients) == 1 else None,
                detail={"destination": destination, "level": request.level, **counts},
            )
        status = progress.finish(cancelled=cancelled)
        _log.info(
            "retrieve.done",
            requestor=association.calling_ae_title,
            destination=destination,
            level=request.level,
            status=f"{status:04X}",
            **counts,
        )


def _progress(association: Association, message: Message, kinds: Sequence[Kind]) -> Progress:
    total = sum(kind.instance_count for kind in kinds)
    return Progress(
        association=association,
        request=message,
        requestor=association.calling_ae_title,
        total=total,
    )


@contextlib.contextmanager
def _requestor_lost() -> Iterator[None]:
    """Tell the listener that the association is over."""
    try:
        yield
    except RequestorGoneError as error:
        raise ConnectionLost(str(error)) from error


@contextlib.contextmanager
def _index_lost(progress: Progress) -> Iterator[None]:
    """When the index stops answering, what remains has failed."""
    try:
        yield
    except DatabaseUnavailable as error:
        progress.comment = progress.comment or error.message
        progress.failed += progress.remaining


def _refuse(
    association: Association,
    message: Message,
    status: Status,
    comment: str,
    offending_elements: Sequence[int] = (),
) -> None:
    _log.info(
        "retrieve.refused",
        requestor=association.calling_ae_title,
        status=f"{status:04X}",
        comment=comment,
    )
    response = retrieve_rsp(
        message.command, status, error_comment=comment, offending_elements=offending_elements
    )
    association.send_message(message.context.id, response)


def _answer_extended_negotiation(_sop_class_uid: str, information: bytes) -> bytes | None:
    """Byte 1: relational retrieval, agreed to (PS3.4 §C.5.2.1.2); later ones are not supported."""
    if not information:
        return None
    return bytes([int(information[0] == 1)]) + bytes(len(information) - 1)
