"""Storage Service Class as SCP (PS3.4 Annex B): C-STORE into the archive.

Success is answered only when the object is on stable storage and in the index. Statuses: PS3.4 Table B.2-1, with the codes of
``negatoscope.domain.archive.errors`` below Cxxx.
"""

import time

import structlog

from negatoscope.domain.archive import (
    Archive,
    DataSetMismatch,
    IngestError,
    IngestSession,
    Outcome,
    OutcomeKind,
    Source,
    SourceKind,
)
from negatoscope.domain.identity.policies import Action
from negatoscope.entrypoints.dimse.service import Service
from negatoscope.infra import metrics
from negatoscope.protocols.dicom.dimse.association import Association, Message
from negatoscope.protocols.dicom.dimse.command import CommandField, CommandSet, c_store_rsp
from negatoscope.standard.dimse_status import Status
from negatoscope.standard.sop_classes import STORAGE_SOP_CLASSES

COERCION_OF_DATA_ELEMENTS = 0xB000
_log = structlog.get_logger(__name__)

SET_ASIDE_COMMENTS = {
    OutcomeKind.CONFLICT: "kept aside: other content under the same UID",
    OutcomeKind.QUARANTINED: "kept aside: UIDs of another patient",
}
"""Error Comment of the warning 0xB000: the object is kept, durably, but another one stays the current one."""


class StorageScp:
    """C-STORE of all associations of a process."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._sessions: dict[Association, IngestSession] = {}
        self._stored = metrics.OBJECTS.labels("C-STORE", OutcomeKind.STORED)
        self._bytes = metrics.BYTES.labels("in")

    def service(self) -> Service:
        """The listener's row."""
        return Service(
            name="storage",
            abstract_syntaxes=frozenset(STORAGE_SOP_CLASSES),
            command_fields=frozenset({CommandField.C_STORE_RQ}),
            action=Action.STORE,
            handle=self.store,
            takes_unknown_abstract_syntaxes=True,
            requestor_may_be_scp=Action.RETRIEVE,
            on_association_end=self.end,
        )

    def store(self, association: Association, message: Message) -> None:
        """Answer one C-STORE-RQ."""
        started = time.perf_counter()
        command = message.command
        session = self._sessions.get(association)
        if session is None:
            session = self._sessions[association] = self._archive.open_session(
                Source(
                    kind=SourceKind.DIMSE,
                    calling_ae_title=association.calling_ae_title,
                    peer=association.peer_host,
                    actor_name=association.calling_ae_title,
                )
            )
        try:
            if command.affected_sop_class_uid != message.context.abstract_syntax:
                raise DataSetMismatch("SOP Class differs from that of the presentation context")
            ingest = session.begin(
                sop_class_uid=command.affected_sop_class_uid,
                sop_instance_uid=command.affected_sop_instance_uid,
                transfer_syntax_uid=message.context.transfer_syntax,
            )
            size = 0
            try:
                for chunk in association.data_set_chunks():
                    size += len(chunk)
                    ingest.write(chunk)
            except BaseException:
                ingest.abort()
                raise
            outcome = ingest.commit()
        except IngestError as error:
            association.discard_data_set()
            metrics.REFUSALS.labels("C-STORE", f"{error.dimse_status:04X}").inc()
            _log.warning(
                "c_store.refused", calling_ae_title=association.calling_ae_title,
                status=f"{error.dimse_status:04X}", reason=error.error_comment,
            )  # fmt: skip
            association.send_message(
                message.context.id,
                c_store_rsp(command, error.dimse_status, error_comment=error.error_comment),
            )
            return
        association.send_message(message.context.id, self._response(message, outcome))
        self._bytes.inc(size)
        if outcome.kind is OutcomeKind.STORED:
            self._stored.inc()
        else:
            metrics.OBJECTS.labels("C-STORE", outcome.kind).inc()
        metrics.C_STORE_SECONDS.observe(time.perf_counter() - started)

    def _response(self, message: Message, outcome: Outcome) -> CommandSet:
        comment = SET_ASIDE_COMMENTS.get(outcome.kind)
        if comment is None:
            return c_store_rsp(message.command, Status.SUCCESS)
        _log.warning(
            "c_store.set_aside", kind=outcome.kind, sop_instance_uid=outcome.sop_instance_uid,
            study_instance_uid=outcome.study_instance_uid,
        )  # fmt: skip
        return c_store_rsp(message.command, COERCION_OF_DATA_ELEMENTS, error_comment=comment)

    def end(self, association: Association) -> None:
        """The association is over, however it ended: its segment goes back to the pool."""
        session = self._sessions.pop(association, None)
        if session is not None:
            session.close()
