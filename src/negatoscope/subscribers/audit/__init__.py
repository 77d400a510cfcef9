"""Who did what to which study: the trail."""

from negatoscope.subscribers.audit.deliveries import on_instances_stored
from negatoscope.subscribers.audit.model import AuditEvent, Chain, EventClass, Outcome
from negatoscope.subscribers.audit.reads import ReadRecorder
from negatoscope.subscribers.audit.trail import record, record_in, search

__all__ = [
    "AuditEvent",
    "Chain",
    "EventClass",
    "Outcome",
    "ReadRecorder",
    "on_instances_stored",
    "record",
    "record_in",
    "search",
]
