"""What is wrong with a message.

::

    Hl7Error
    ├── MalformedMessage       no message that can be read (HL7 table 0357: 100, 101, 102)
    ├── UnknownCharacterSet    MSH-18 names none that can be written
    ├── UnencodableText        a character that the character set has not
    └── FrameTooLong           more bytes than a message may have

Messages name segments and fields, never their values.
"""


class Hl7Error(Exception):
    """Base of this package's errors.

    Args:
        message: Lower case, no full stop.
        segment: Identifier of the segment, if one is to blame.
        field: Its field, from 1.
        code: HL7 table 0357, for ERR-3.
    """

    code = "207"

    def __init__(self, message: str, *, segment: str = "", field: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.segment = segment
        self.field = field
        self.code = code or self.code


class MalformedMessage(Hl7Error):
    """Not a message, or one whose header cannot be used."""

    code = "100"


class UnknownCharacterSet(Hl7Error):
    """Not a value of HL7 table 0211 that can be written."""

    code = "103"


class UnencodableText(Hl7Error):
    """A character that the destination's character set has not."""

    code = "102"


class FrameTooLong(Hl7Error):
    """More bytes than a message may have."""

    code = "207"
