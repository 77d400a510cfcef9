"""What can go wrong in the DICOM upper layer, and what to tell the peer about it.

UpperLayerError
├── ProtocolError            the peer's fault; carries the A-ABORT to send
│   ├── UnrecognizedPdu
│   ├── UnexpectedPdu
│   └── InvalidPdu
└── LocalProtocolError       our fault: an event the state machine has no cell for
"""

from enum import IntEnum


class AbortSource(IntEnum):
    """Source field of an A-ABORT PDU (PS3.8 Table 9-26)."""

    SERVICE_USER = 0
    SERVICE_PROVIDER = 2


class AbortReason(IntEnum):
    """Reason/Diag. field of an A-ABORT PDU whose source is the provider (PS3.8 Table 9-26)."""

    NOT_SPECIFIED = 0
    UNRECOGNIZED_PDU = 1
    UNEXPECTED_PDU = 2
    UNRECOGNIZED_PDU_PARAMETER = 4
    UNEXPECTED_PDU_PARAMETER = 5
    INVALID_PDU_PARAMETER_VALUE = 6


class RejectResult(IntEnum):
    """Result field of an A-ASSOCIATE-RJ PDU (PS3.8 Table 9-21)."""

    PERMANENT = 1
    TRANSIENT = 2


class RejectSource(IntEnum):
    """Source field of an A-ASSOCIATE-RJ PDU (PS3.8 Table 9-21)."""

    SERVICE_USER = 1
    SERVICE_PROVIDER_ACSE = 2
    SERVICE_PROVIDER_PRESENTATION = 3


class UpperLayerError(Exception):
    """Base of every error of this package."""


class ProtocolError(UpperLayerError):
    """The peer broke PS3.8; ``abort_reason`` is the Reason/Diag. of the A-ABORT to send."""

    default_reason = AbortReason.NOT_SPECIFIED

    def __init__(self, message: str, *, abort_reason: AbortReason | None = None) -> None:
        super().__init__(message)
        self.abort_reason = self.default_reason if abort_reason is None else abort_reason


class UnrecognizedPdu(ProtocolError):
    """The PDU type is none of PS3.8 §9.3."""

    default_reason = AbortReason.UNRECOGNIZED_PDU


class UnexpectedPdu(ProtocolError):
    """A known PDU that the state machine does not allow now."""

    default_reason = AbortReason.UNEXPECTED_PDU


class InvalidPdu(ProtocolError):
    """A PDU or an item whose lengths or values contradict PS3.8 §9.3."""

    default_reason = AbortReason.INVALID_PDU_PARAMETER_VALUE


class LocalProtocolError(UpperLayerError):
    """A request of the local user that the state machine does not allow now."""
