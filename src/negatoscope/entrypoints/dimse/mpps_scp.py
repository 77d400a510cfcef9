"""Modality Performed Procedure Step as SCP (PS3.4 Annex F). IHE: [RAD-6], [RAD-7].

N-CREATE and N-SET are durable before they are answered. N-GET is that of the Retrieve SOP Class.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from negatoscope.domain.identity.policies import Action, may
from negatoscope.domain.performed import mpps_attributes as a
from negatoscope.domain.performed.mpps import DicomJson, Performed, PerformedSteps
from negatoscope.domain.performed.mpps_errors import MppsError
from negatoscope.entrypoints.dimse.service import Service, caller_of
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.kit.uid import new_uid
from negatoscope.protocols.dicom.dataset import DataSetError, decode, encode
from negatoscope.protocols.dicom.dimse.association import Association, Message
from negatoscope.protocols.dicom.dimse.command import CommandField, response_to
from negatoscope.protocols.dicom.dimse.errors import DataSetTooLarge
from negatoscope.protocols.dicom.json import in_unicode
from negatoscope.standard.dimse_status import Status
from negatoscope.standard.sop_classes import (
    MODALITY_PERFORMED_PROCEDURE_STEP as MPPS,
)
from negatoscope.standard.sop_classes import (
    MODALITY_PERFORMED_PROCEDURE_STEP_RETRIEVE as RETRIEVE,
)
from negatoscope.subscribers.audit import Outcome, record

LIMIT_BYTES: Final = 16 << 20
"""Of a data set: some hundred bytes for each object made."""
TRANSFER_SYNTAXES: Final = frozenset(
    {"1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"}
)
OPERATIONS: Final[Mapping[str, frozenset[CommandField]]] = {
    MPPS: frozenset({CommandField.N_CREATE_RQ, CommandField.N_SET_RQ}),
    RETRIEVE: frozenset({CommandField.N_GET_RQ}),
}
_NAMES: Final = {MPPS: "mpps", RETRIEVE: "mpps retrieve"}
_TRANSACTIONS: Final = {
    CommandField.N_CREATE_RQ: "create",
    CommandField.N_SET_RQ: "set",
    CommandField.N_GET_RQ: "get",
}
_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class MppsScp:
    """Performed procedure steps on the wire.

    Attributes:
        steps: Keeps them.
    """

    steps: PerformedSteps

    def services(self) -> list[Service]:
        """The rows of the listener's table."""
        return [
            Service(
                name=_NAMES[uid],
                abstract_syntaxes=frozenset({uid}),
                command_fields=fields,
                action=Action.MPPS,
                handle=self.handle,
                transfer_syntaxes=TRANSFER_SYNTAXES,
            )
            for uid, fields in OPERATIONS.items()
        ]

    def handle(self, association: Association, message: Message) -> None:
        """Answer one request."""
        command = message.command
        answer: bytes | None = None
        made_uid: str | None = None
        status, comment = int(Status.SUCCESS), ""
        offending: tuple[int, ...] = ()
        error_id: int | None = None
        try:
            data_set = self._read(association, message)
            match command.command_field:
                case CommandField.N_CREATE_RQ:
                    uid = command.affected_sop_instance_uid or new_uid()
                    done = self.steps.create(
                        uid, data_set, calling_ae_title=association.calling_ae_title
                    )
                    made_uid = uid
                    self._note(association, message, uid, data_set, done)
                case CommandField.N_SET_RQ:
                    uid = command.sop_instance_uid
                    done = self.steps.update(
                        uid, data_set, calling_ae_title=association.calling_ae_title
                    )
                    self._note(association, message, uid, data_set, done)
                case _:
                    status, answer = self._get(association, message)
        except MppsError as error:
            status, comment = error.status, error.comment
            offending, error_id = error.offending, error.error_id
        except DatabaseUnavailable as error:
            status, comment = Status.RESOURCE_LIMITATION, error.message
        if comment:
            _log.warning(
                "mpps.refused",
                ae_title=association.calling_ae_title,
                command=repr(command),
                status=f"{status:04X}",
                reason=comment,
            )
        response = response_to(
            command,
            status,
            error_comment=comment or None,
            offending_elements=offending,
            error_id=error_id,
            sop_instance_uid=made_uid,
        )
        association.send_message(message.context.id, response, answer)

    def _read(self, association: Association, message: Message) -> DicomJson:
        """The data set of a request whose sender may ask and that names the right class."""
        try:
            raw = association.read_data_set(LIMIT_BYTES) if message.has_data_set else b""
        except DataSetTooLarge as error:
            raise MppsError(Status.RESOURCE_LIMITATION, str(error)) from error
        actor = caller_of(association).actor
        decision = may(actor, Action.MPPS)
        if not decision:
            record(
                self.steps.database,
                actor=actor,
                action=Action.MPPS,
                outcome=Outcome.REFUSED,
                reason=decision.reason,
                peer=association.peer_host,
                door="dimse",
            )
            raise MppsError(Status.NOT_AUTHORIZED, decision.reason)
        if message.command.sop_class_uid not in OPERATIONS:
            raise MppsError(Status.NO_SUCH_SOP_CLASS, "not a performed procedure step")
        try:
            return dict(in_unicode(decode(raw, message.context.transfer_syntax))) if raw else {}
        except DataSetError as error:
            raise MppsError(Status.PROCESSING_FAILURE, error.reason) from error

    def _get(self, association: Association, message: Message) -> tuple[int, bytes]:
        """The attributes asked for, or all."""
        uid = message.command.sop_instance_uid
        asked = message.command.attribute_identifier_list
        found = self.steps.retrieve(uid)
        self._note(association, message, uid, found, None)
        if asked:
            found = {tag: found[tag] for tag in map("{:08X}".format, asked) if tag in found}
        is_all = len(found) >= len(set(asked))
        status = Status.SUCCESS if is_all else Status.REQUESTED_OPTIONAL_ATTRIBUTES_NOT_SUPPORTED
        return status, encode(found, message.context.transfer_syntax, charset="ISO_IR 192")

    def _note(
        self,
        association: Association,
        message: Message,
        uid: str,
        data_set: DicomJson,
        done: Performed | None,
    ) -> None:
        """Write it into the audit trail; a trail that cannot be written undoes nothing."""
        item = next(iter(a.items(data_set, a.STEPS)), {})
        detail: dict[str, object] = {
            "transaction": _TRANSACTIONS[CommandField(message.command.command_field)],
            "sop_instance_uid": uid,
        }
        if done is not None:
            detail |= {"state": str(done.state), "flags": [str(one) for one in done.flags]}
        try:
            record(
                self.steps.database,
                actor=caller_of(association).actor,
                action=Action.MPPS,
                study_instance_uid=a.text(item, "0020000D") or None,
                patient_id=a.text(data_set, "00100020") or None,
                peer=association.peer_host,
                door="dimse",
                detail=detail,
            )
        except DatabaseUnavailable as error:
            _log.warning("mpps.not_in_the_audit_trail", reason=error.message)
