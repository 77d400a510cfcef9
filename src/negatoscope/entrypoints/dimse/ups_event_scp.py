"""Unified Procedure Step Event as SCP: we open the association and report (PS3.4 §CC.2.4).

Role selection makes us the SCP although we request (§CC.3.2, PS3.7 §D.3.3.4). What is to be told is
in the database: a subscriber that cannot be reached is tried again later and later, across
restarts, and told everything in its order.
"""

import ssl
import threading
from dataclasses import dataclass, field
from typing import Final

import structlog

from negatoscope.domain.devices import ae
from negatoscope.domain.identity.policies import Action, may
from negatoscope.domain.ups import Delivery, UpsEvent
from negatoscope.infra.db import Database
from negatoscope.protocols.dicom.dataset import NotEncodable, encode
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.association import (
    AcceptedContext,
    Association,
    Timeouts,
)
from negatoscope.protocols.dicom.dimse.errors import DimseError, NoPresentationContext
from negatoscope.protocols.dicom.dimse.requestor import connect
from negatoscope.protocols.dicom.ul.negotiation import ProposedContext
from negatoscope.standard.dimse_status import Status, StatusCategory, category
from negatoscope.standard.sop_classes import UPS_EVENT, UPS_PUSH

TRANSFER_SYNTAXES: Final = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
_log = structlog.get_logger(__name__)


class _Refused(Exception):
    """The subscriber answered a failure, or may not be told any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsEventScp:
    """Reports events to subscribers.

    Attributes:
        database: The queue and the registry of application entities.
        ae_title: Ours.
        timeouts: Of associations we open.
        tls: For peers registered with TLS.
    """

    database: Database
    ae_title: str
    timeouts: Timeouts = field(default_factory=Timeouts)
    tls: ssl.SSLContext | None = None

    def run_due(self, stop: threading.Event) -> None:
        """Tell every subscriber who can be tried now. For the worker, every second."""
        delivery = Delivery(self.database)
        while not stop.is_set():
            title = delivery.claim()
            if title is None:
                return
            try:
                self._tell(delivery, title, stop)
            except (DimseError, _Refused) as error:
                _log.warning("ups.event_undelivered", ae_title=title, reason=str(error))
                delivery.put_off(title, str(error))
            else:
                delivery.let_go(title)

    def _tell(self, delivery: Delivery, title: str, stop: threading.Event) -> None:
        entity = ae.find(self.database, title)
        if entity is None:
            raise _Refused(f"{title} is not registered any more")
        if not may(entity.actor, Action.UPS):
            raise _Refused(f"{title} may not be told of worklists any more")
        events = delivery.next_events(title)
        if not events:
            return
        association = connect(
            entity.host,
            entity.port,
            calling_ae_title=self.ae_title,
            called_ae_title=title,
            contexts=[
                ProposedContext(
                    abstract_syntax=UPS_EVENT,
                    transfer_syntaxes=TRANSFER_SYNTAXES,
                    scu_role=False,
                    scp_role=True,
                )
            ],
            tls=self.tls if entity.tls else None,
            timeouts=self.timeouts,
        )
        with association:
            context = _any_context(association)
            while events and not stop.is_set():
                for event in events:
                    self._report(delivery, association, context, title, event)
                events = delivery.next_events(title)

    def _report(
        self,
        delivery: Delivery,
        association: Association,
        context: AcceptedContext,
        title: str,
        event: UpsEvent,
    ) -> None:
        try:
            information = encode(event.information, context.transfer_syntax, charset="ISO_IR 192")
        except NotEncodable as error:
            _log.error("ups.event_unencodable", event=event.id, reason=error.reason)
            delivery.told(event)
            return
        answer = scu.n_event_report(
            association,
            context,
            sop_class_uid=UPS_PUSH,
            sop_instance_uid=event.sop_instance_uid,
            event_type_id=event.event_type_id,
            data_set=information,
            timeout_s=association.timeouts.dimse_s,
        )
        if category(answer.status) is not StatusCategory.FAILURE:
            delivery.told(event)
        elif answer.status == Status.SOP_CLASS_NOT_SUPPORTED or not delivery.refused(
            title, event, answer.status
        ):
            raise _Refused(f"the peer answered {answer.status:04X}")


def _any_context(association: Association) -> AcceptedContext:
    """The context, whatever roles the peer answered: some accept it and forget the role item.

    Raises:
        NoPresentationContext: it was not accepted.
    """
    for context in association.presentation_contexts.values():
        return context
    raise NoPresentationContext("the peer does not accept UPS Event")
