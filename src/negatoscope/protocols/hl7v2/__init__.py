"""HL7 v2 messages in their vertical-bar encoding (ER7) and their transport (MLLP).

Tolerant of what arrives, strict in what is written: line feeds are taken for segment ends, unknown
segments and fields are kept, a character set that lies is found out; what is written ends its
segments with CR, escapes its delimiters and is in the character set that MSH-18 says. The pieces
do no input or output: bytes in, values out. Chapters are those of HL7 v2.5.1, chapter 2.
"""

from negatoscope.protocols.hl7v2.acknowledgement import (
    Acknowledgement,
    AcknowledgmentCode,
    ErrorCode,
    acknowledge,
    read_acknowledgement,
    wants_accept,
    wants_application,
)
from negatoscope.protocols.hl7v2.charsets import Decoded, decode, encode
from negatoscope.protocols.hl7v2.encoding import DEFAULT_DELIMITERS, NULL, Delimiters, FieldValue
from negatoscope.protocols.hl7v2.errors import (
    FrameTooLong,
    Hl7Error,
    MalformedMessage,
    UnencodableText,
    UnknownCharacterSet,
)
from negatoscope.protocols.hl7v2.message import Message, Segment, parse
from negatoscope.protocols.hl7v2.mllp import FrameReader, framed

__all__ = [
    "DEFAULT_DELIMITERS",
    "NULL",
    "Acknowledgement",
    "AcknowledgmentCode",
    "Decoded",
    "Delimiters",
    "ErrorCode",
    "FieldValue",
    "FrameReader",
    "FrameTooLong",
    "Hl7Error",
    "MalformedMessage",
    "Message",
    "Segment",
    "UnencodableText",
    "UnknownCharacterSet",
    "acknowledge",
    "decode",
    "encode",
    "framed",
    "parse",
    "read_acknowledgement",
    "wants_accept",
    "wants_application",
]
