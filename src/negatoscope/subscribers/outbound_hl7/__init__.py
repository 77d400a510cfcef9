"""What other systems are told, by HL7 messages: queued in the transaction that takes note of a change."""

from negatoscope.subscribers.outbound_hl7.admission import PATIENT_ACTIONS
from negatoscope.subscribers.outbound_hl7.appointments import APPOINTMENT_ACTIONS
from negatoscope.subscribers.outbound_hl7.orders import ORDER_ACTIONS, STATUS_ACTIONS
from negatoscope.subscribers.outbound_hl7.telling import OutboundHl7, queue_test

__all__ = [
    "APPOINTMENT_ACTIONS",
    "ORDER_ACTIONS",
    "PATIENT_ACTIONS",
    "STATUS_ACTIONS",
    "OutboundHl7",
    "queue_test",
]
