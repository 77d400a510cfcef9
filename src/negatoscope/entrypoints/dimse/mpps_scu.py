"""Performed procedure steps told on to other systems, as they came (PS3.4 Annex F, as SCU).

What is to be told waits in the database, in its order for each receiver: one that cannot be reached
is tried again later and later, one that says no to a step is not asked again about that step.
"""

import ssl
import threading
from dataclasses import dataclass, field
from typing import Final

import structlog

from negatoscope.domain.devices import ae
from negatoscope.domain.performed.forwarding import Forwarding, Waiting
from negatoscope.infra.db import Database
from negatoscope.protocols.dicom.dataset import NotEncodable, encode
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.association import Association, Timeouts
from negatoscope.protocols.dicom.dimse.errors import DimseError
from negatoscope.protocols.dicom.dimse.requestor import connect
from negatoscope.protocols.dicom.ul.negotiation import ProposedContext
from negatoscope.standard.dimse_status import Status, StatusCategory, category
from negatoscope.standard.sop_classes import MODALITY_PERFORMED_PROCEDURE_STEP as MPPS

TRANSFER_SYNTAXES: Final = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
_TAKEN: Final = frozenset({StatusCategory.SUCCESS, StatusCategory.WARNING})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MppsForwarding:
    """Tells receivers what waits for them.

    Attributes:
        database: What waits, and the registry of application entities.
        ae_title: Ours.
        timeouts: Of associations we open.
        tls: For receivers registered with TLS.
    """

    database: Database
    ae_title: str
    timeouts: Timeouts = field(default_factory=Timeouts)
    tls: ssl.SSLContext | None = None

    def run_due(self, stop: threading.Event) -> None:
        """Tell every receiver who can be tried now. For the worker, every two seconds."""
        forwarding = Forwarding(self.database)
        for title in forwarding.due():
            if stop.is_set():
                return
            with forwarding.alone(title) as is_alone:
                if is_alone:
                    self._tell(forwarding, title, stop)

    def _tell(self, forwarding: Forwarding, title: str, stop: threading.Event) -> None:
        entity = ae.find(self.database, title)
        try:
            if entity is None:
                raise DimseError(f"{title} is not registered")
            with connect(
                entity.host,
                entity.port,
                calling_ae_title=self.ae_title,
                called_ae_title=title,
                contexts=[
                    ProposedContext(abstract_syntax=MPPS, transfer_syntaxes=TRANSFER_SYNTAXES)
                ],
                tls=self.tls if entity.tls else None,
                timeouts=self.timeouts,
            ) as association:
                while not stop.is_set() and (waiting := forwarding.waiting(title)):
                    for one in waiting:
                        self._send(forwarding, association, title, one)
        except DimseError as error:
            _log.warning("mpps.undelivered", ae_title=title, reason=str(error))
            forwarding.put_off(title, str(error))

    def _send(
        self, forwarding: Forwarding, association: Association, title: str, one: Waiting
    ) -> None:
        context = scu.scu_context(association, MPPS)
        try:
            raw = encode(one.data_set, context.transfer_syntax, charset="ISO_IR 192")
        except NotEncodable as error:
            forwarding.refused(one.id, str(error))
            return
        send = scu.n_create if one.command == "N-CREATE" else scu.n_set
        answer = send(
            association,
            context,
            sop_class_uid=MPPS,
            sop_instance_uid=one.sop_instance_uid,
            data_set=raw,
        )
        is_known = one.command == "N-CREATE" and answer.status == Status.DUPLICATE_SOP_INSTANCE
        if is_known or category(answer.status) in _TAKEN:
            forwarding.delivered(one.id)
            return
        reason = f"{answer.status:04X} {answer.command.error_comment}".strip()
        _log.warning(
            "mpps.refused_by_receiver",
            ae_title=title,
            command=one.command,
            sop_instance_uid=one.sop_instance_uid,
            reason=reason,
        )
        forwarding.refused(one.id, reason)
