"""Command sets: group 0000 of every DIMSE message (PS3.7 §6.3.1, §9.3, §10.3, Annex E).

Encoded Implicit VR Little Endian, elements ascending, each::

    offset  length  field
    0       2       group, 0000H
    2       2       element
    4       4       value length, little endian
    8       n       value

(0000,0000) Command Group Length comes first and counts the bytes behind it.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from negatoscope.protocols.dicom.dimse.errors import InvalidCommandSet

MAX_COMMAND_SET_BYTES: Final = 65_536
NO_DATA_SET: Final = 0x0101
"""Command Data Set Type when no data set follows; any other value says one does."""

CommandValue = int | str | bytes | tuple[int, ...]

COMMAND_GROUP_LENGTH: Final = 0x0000
AFFECTED_SOP_CLASS_UID: Final = 0x0002
REQUESTED_SOP_CLASS_UID: Final = 0x0003
COMMAND_FIELD: Final = 0x0100
MESSAGE_ID: Final = 0x0110
MESSAGE_ID_BEING_RESPONDED_TO: Final = 0x0120
MOVE_DESTINATION: Final = 0x0600
PRIORITY: Final = 0x0700
COMMAND_DATA_SET_TYPE: Final = 0x0800
STATUS: Final = 0x0900
OFFENDING_ELEMENT: Final = 0x0901
ERROR_COMMENT: Final = 0x0902
ERROR_ID: Final = 0x0903
AFFECTED_SOP_INSTANCE_UID: Final = 0x1000
REQUESTED_SOP_INSTANCE_UID: Final = 0x1001
EVENT_TYPE_ID: Final = 0x1002
ATTRIBUTE_IDENTIFIER_LIST: Final = 0x1005
ACTION_TYPE_ID: Final = 0x1008
NUMBER_OF_REMAINING_SUBOPERATIONS: Final = 0x1020
NUMBER_OF_COMPLETED_SUBOPERATIONS: Final = 0x1021
NUMBER_OF_FAILED_SUBOPERATIONS: Final = 0x1022
NUMBER_OF_WARNING_SUBOPERATIONS: Final = 0x1023
MOVE_ORIGINATOR_APPLICATION_ENTITY_TITLE: Final = 0x1030
MOVE_ORIGINATOR_MESSAGE_ID: Final = 0x1031

_TEXT: Final = frozenset({"UI", "AE", "LO", "SH", "LT", "CS", "IS"})

# PS3.7 Table E.1-1 (current) and E.2-1 (retired, read but never sent).
_VR: Final[Mapping[int, str]] = {
    COMMAND_GROUP_LENGTH: "UL",
    AFFECTED_SOP_CLASS_UID: "UI",
    REQUESTED_SOP_CLASS_UID: "UI",
    COMMAND_FIELD: "US",
    MESSAGE_ID: "US",
    MESSAGE_ID_BEING_RESPONDED_TO: "US",
    MOVE_DESTINATION: "AE",
    PRIORITY: "US",
    COMMAND_DATA_SET_TYPE: "US",
    STATUS: "US",
    OFFENDING_ELEMENT: "AT",
    ERROR_COMMENT: "LO",
    ERROR_ID: "US",
    AFFECTED_SOP_INSTANCE_UID: "UI",
    REQUESTED_SOP_INSTANCE_UID: "UI",
    EVENT_TYPE_ID: "US",
    ATTRIBUTE_IDENTIFIER_LIST: "AT",
    ACTION_TYPE_ID: "US",
    NUMBER_OF_REMAINING_SUBOPERATIONS: "US",
    NUMBER_OF_COMPLETED_SUBOPERATIONS: "US",
    NUMBER_OF_FAILED_SUBOPERATIONS: "US",
    NUMBER_OF_WARNING_SUBOPERATIONS: "US",
    MOVE_ORIGINATOR_APPLICATION_ENTITY_TITLE: "AE",
    MOVE_ORIGINATOR_MESSAGE_ID: "US",
    0x0001: "UL",
    0x0010: "SH",
    0x0200: "AE",
    0x0300: "AE",
    0x0400: "AE",
    0x0850: "US",
    0x0860: "US",
    0x4000: "LT",
    0x4010: "LT",
    0x5010: "SH",
    0x5020: "SH",
    0x5110: "LT",
    0x5120: "LT",
    0x5130: "CS",
    0x5140: "CS",
    0x5150: "CS",
    0x5160: "CS",
    0x5170: "IS",
    0x5180: "CS",
    0x5190: "CS",
    0x51A0: "CS",
    0x51B0: "US",
}

_ELEMENT = struct.Struct("<HHI")
_US_ELEMENT = struct.Struct("<HHIH")
_GROUP_LENGTH = struct.Struct("<HHII")
_U32 = struct.Struct("<I")


class CommandField(IntEnum):
    """Command Field (0000,0100); a response is its request with bit 15 set (PS3.7 §E.1)."""

    C_STORE_RQ = 0x0001
    C_STORE_RSP = 0x8001
    C_GET_RQ = 0x0010
    C_GET_RSP = 0x8010
    C_FIND_RQ = 0x0020
    C_FIND_RSP = 0x8020
    C_MOVE_RQ = 0x0021
    C_MOVE_RSP = 0x8021
    C_ECHO_RQ = 0x0030
    C_ECHO_RSP = 0x8030
    N_EVENT_REPORT_RQ = 0x0100
    N_EVENT_REPORT_RSP = 0x8100
    N_GET_RQ = 0x0110
    N_GET_RSP = 0x8110
    N_SET_RQ = 0x0120
    N_SET_RSP = 0x8120
    N_ACTION_RQ = 0x0130
    N_ACTION_RSP = 0x8130
    N_CREATE_RQ = 0x0140
    N_CREATE_RSP = 0x8140
    N_DELETE_RQ = 0x0150
    N_DELETE_RSP = 0x8150
    C_CANCEL_RQ = 0x0FFF

    @property
    def is_response(self) -> bool:
        """Whether bit 15 is set."""
        return self >= 0x8000


class Priority(IntEnum):
    """Priority (0000,0700) of a C-STORE, C-FIND, C-GET or C-MOVE request."""

    MEDIUM = 0
    HIGH = 1
    LOW = 2


MANDATORY: Final[Mapping[CommandField, tuple[int, ...]]] = {
    CommandField.C_STORE_RQ: (MESSAGE_ID, AFFECTED_SOP_CLASS_UID, AFFECTED_SOP_INSTANCE_UID),
    CommandField.C_FIND_RQ: (MESSAGE_ID, AFFECTED_SOP_CLASS_UID),
    CommandField.C_GET_RQ: (MESSAGE_ID, AFFECTED_SOP_CLASS_UID),
    CommandField.C_MOVE_RQ: (MESSAGE_ID, AFFECTED_SOP_CLASS_UID, MOVE_DESTINATION),
    CommandField.C_ECHO_RQ: (MESSAGE_ID, AFFECTED_SOP_CLASS_UID),
    CommandField.C_CANCEL_RQ: (MESSAGE_ID_BEING_RESPONDED_TO,),
    CommandField.N_EVENT_REPORT_RQ: (
        MESSAGE_ID,
        AFFECTED_SOP_CLASS_UID,
        AFFECTED_SOP_INSTANCE_UID,
        EVENT_TYPE_ID,
    ),
    CommandField.N_GET_RQ: (MESSAGE_ID, REQUESTED_SOP_CLASS_UID, REQUESTED_SOP_INSTANCE_UID),
    CommandField.N_SET_RQ: (MESSAGE_ID, REQUESTED_SOP_CLASS_UID, REQUESTED_SOP_INSTANCE_UID),
    CommandField.N_ACTION_RQ: (
        MESSAGE_ID,
        REQUESTED_SOP_CLASS_UID,
        REQUESTED_SOP_INSTANCE_UID,
        ACTION_TYPE_ID,
    ),
    CommandField.N_CREATE_RQ: (MESSAGE_ID, AFFECTED_SOP_CLASS_UID),
    CommandField.N_DELETE_RQ: (MESSAGE_ID, REQUESTED_SOP_CLASS_UID, REQUESTED_SOP_INSTANCE_UID),
}
"""Elements of type M in each request (PS3.7 §9.3, §10.3). Priority is left out: it is mandatory
there, absent from some peers, and decides nothing."""

NEEDS_DATA_SET: Final = frozenset(
    {
        CommandField.C_STORE_RQ,
        CommandField.C_FIND_RQ,
        CommandField.C_GET_RQ,
        CommandField.C_MOVE_RQ,
        CommandField.N_SET_RQ,
    }
)
"""Requests that are nothing without a data set."""


class CommandSet(dict[int, CommandValue]):
    """Elements of a command by element number (group 0000 is understood).

    Values: int for US and UL, str without padding for UI, AE, LO…, tuple of tags for AT, bytes for
    elements of no known VR. The properties read the usual ones; absent gives 0, "" or ().
    """

    __slots__ = ()

    def _int(self, element: int) -> int:
        value = self.get(element, 0)
        return value if isinstance(value, int) else 0

    def _text(self, element: int) -> str:
        value = self.get(element, "")
        return value if isinstance(value, str) else ""

    def _tags(self, element: int) -> tuple[int, ...]:
        value = self.get(element, ())
        return value if isinstance(value, tuple) else ()

    @property
    def command_field(self) -> int:
        """(0000,0100); compare with `CommandField`."""
        return self._int(COMMAND_FIELD)

    @property
    def is_response(self) -> bool:
        """Whether this answers a request."""
        return self._int(COMMAND_FIELD) >= 0x8000

    @property
    def message_id(self) -> int:
        """(0000,0110)."""
        return self._int(MESSAGE_ID)

    @property
    def message_id_being_responded_to(self) -> int:
        """(0000,0120)."""
        return self._int(MESSAGE_ID_BEING_RESPONDED_TO)

    @property
    def has_data_set(self) -> bool:
        """From Command Data Set Type (0000,0800)."""
        return self.get(COMMAND_DATA_SET_TYPE, NO_DATA_SET) != NO_DATA_SET

    @property
    def affected_sop_class_uid(self) -> str:
        """(0000,0002), as received: possibly no UID at all."""
        return self._text(AFFECTED_SOP_CLASS_UID)

    @property
    def affected_sop_instance_uid(self) -> str:
        """(0000,1000), as received: possibly no UID at all."""
        return self._text(AFFECTED_SOP_INSTANCE_UID)

    @property
    def requested_sop_class_uid(self) -> str:
        """(0000,0003)."""
        return self._text(REQUESTED_SOP_CLASS_UID)

    @property
    def requested_sop_instance_uid(self) -> str:
        """(0000,1001)."""
        return self._text(REQUESTED_SOP_INSTANCE_UID)

    @property
    def sop_class_uid(self) -> str:
        """Affected or Requested SOP Class UID, whichever the message has."""
        return self._text(AFFECTED_SOP_CLASS_UID) or self._text(REQUESTED_SOP_CLASS_UID)

    @property
    def sop_instance_uid(self) -> str:
        """Affected or Requested SOP Instance UID, whichever the message has."""
        return self._text(AFFECTED_SOP_INSTANCE_UID) or self._text(REQUESTED_SOP_INSTANCE_UID)

    @property
    def priority(self) -> int:
        """(0000,0700)."""
        return self._int(PRIORITY)

    @property
    def status(self) -> int:
        """(0000,0900)."""
        return self._int(STATUS)

    @property
    def error_comment(self) -> str:
        """(0000,0902)."""
        return self._text(ERROR_COMMENT)

    @property
    def error_id(self) -> int:
        """(0000,0903)."""
        return self._int(ERROR_ID)

    @property
    def offending_elements(self) -> tuple[int, ...]:
        """(0000,0901), tags as ints."""
        return self._tags(OFFENDING_ELEMENT)

    @property
    def attribute_identifier_list(self) -> tuple[int, ...]:
        """(0000,1005), tags as ints."""
        return self._tags(ATTRIBUTE_IDENTIFIER_LIST)

    @property
    def move_destination(self) -> str:
        """(0000,0600)."""
        return self._text(MOVE_DESTINATION)

    @property
    def move_originator_ae_title(self) -> str:
        """(0000,1030)."""
        return self._text(MOVE_ORIGINATOR_APPLICATION_ENTITY_TITLE)

    @property
    def move_originator_message_id(self) -> int:
        """(0000,1031)."""
        return self._int(MOVE_ORIGINATOR_MESSAGE_ID)

    @property
    def event_type_id(self) -> int:
        """(0000,1002)."""
        return self._int(EVENT_TYPE_ID)

    @property
    def action_type_id(self) -> int:
        """(0000,1008)."""
        return self._int(ACTION_TYPE_ID)

    @property
    def remaining_suboperations(self) -> int:
        """(0000,1020)."""
        return self._int(NUMBER_OF_REMAINING_SUBOPERATIONS)

    @property
    def completed_suboperations(self) -> int:
        """(0000,1021)."""
        return self._int(NUMBER_OF_COMPLETED_SUBOPERATIONS)

    @property
    def failed_suboperations(self) -> int:
        """(0000,1022)."""
        return self._int(NUMBER_OF_FAILED_SUBOPERATIONS)

    @property
    def warning_suboperations(self) -> int:
        """(0000,1023)."""
        return self._int(NUMBER_OF_WARNING_SUBOPERATIONS)

    def missing_elements(self) -> tuple[int, ...]:
        """Mandatory elements (`MANDATORY`) this request lacks; empty values count as lacking."""
        try:
            mandatory = MANDATORY[CommandField(self.command_field)]
        except (ValueError, KeyError):
            return ()
        return tuple(element for element in mandatory if self.get(element, "") == "")

    def with_data_set(self, *, present: bool) -> "CommandSet":
        """A copy whose Command Data Set Type says so."""
        copy = CommandSet(self)
        copy[COMMAND_DATA_SET_TYPE] = 0x0001 if present else NO_DATA_SET
        return copy

    def encode(self) -> bytes:
        """The command set, group length included.

        Raises:
            ValueError: A value does not fit its VR.
        """
        parts: list[bytes] = []
        for element in sorted(self):
            if element == COMMAND_GROUP_LENGTH:
                continue
            value = self[element]
            vr = _VR.get(element)
            try:
                if vr == "US":
                    parts.append(_US_ELEMENT.pack(0, element, 2, value))
                    continue
                encoded = _encode_value(vr, value)
            except struct.error as error:
                raise ValueError(f"(0000,{element:04x}): {error}") from error
            parts.append(_ELEMENT.pack(0, element, len(encoded)) + encoded)
        body = b"".join(parts)
        return _GROUP_LENGTH.pack(0, 0, 4, len(body)) + body

    @classmethod
    def decode(cls, data: bytes | bytearray | memoryview) -> "CommandSet":
        """From the joined command fragments.

        Elements may come in any order and the group length may lie: peers exist that do so and no
        reading depends on either.

        Raises:
            InvalidCommandSet: Beyond 64 KiB, another group, a length past the end, a US of
                another length than 2, no Command Field.
        """
        end = len(data)
        if end > MAX_COMMAND_SET_BYTES:
            raise InvalidCommandSet(f"command set of {end} bytes")
        command = cls()
        position = 0
        while position < end:
            if end - position < 8:
                raise InvalidCommandSet(f"{end - position} bytes left over in a command set")
            group, element, length = _ELEMENT.unpack_from(data, position)
            position += 8
            if group != 0:
                raise InvalidCommandSet(f"group {group:04x} in a command set")
            if length > end - position:
                raise InvalidCommandSet(
                    f"(0000,{element:04x}) says {length} bytes, {end - position} left"
                )
            value = bytes(data[position : position + length])
            position += length
            command[element] = _decode_value(element, value)
        command.pop(COMMAND_GROUP_LENGTH, None)
        if COMMAND_FIELD not in command:
            raise InvalidCommandSet("no Command Field (0000,0100)")
        return command

    def __repr__(self) -> str:
        """Name and elements, for logs; command sets carry no patient data."""
        try:
            name = CommandField(self.command_field).name
        except ValueError:
            name = f"{self.command_field:#06x}"
        inside = ", ".join(f"{element:04x}={self[element]!r}" for element in sorted(self))
        return f"CommandSet({name}: {inside})"


def _encode_value(vr: str | None, value: CommandValue) -> bytes:
    if isinstance(value, str):
        encoded = value.encode("latin-1", "replace")
        if len(encoded) % 2:
            encoded += b"\0" if vr == "UI" else b" "
        return encoded
    if isinstance(value, tuple):
        return b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in value)
    if isinstance(value, int):
        return _U32.pack(value)
    return value


def _decode_value(element: int, value: bytes) -> CommandValue:
    vr = _VR.get(element)
    if vr == "US":
        if len(value) != 2:
            if not value:
                return 0
            raise InvalidCommandSet(f"(0000,{element:04x}) US of {len(value)} bytes")
        return int.from_bytes(value, "little")
    if vr == "UI":
        return value.decode("latin-1").rstrip("\0 ")
    if vr == "AT":
        if len(value) % 4:
            raise InvalidCommandSet(f"(0000,{element:04x}) AT of {len(value)} bytes")
        numbers = struct.unpack(f"<{len(value) // 2}H", value)
        return tuple(
            high << 16 | low for high, low in zip(numbers[::2], numbers[1::2], strict=True)
        )
    if vr == "UL":
        if len(value) != 4:
            raise InvalidCommandSet(f"(0000,{element:04x}) UL of {len(value)} bytes")
        return int.from_bytes(value, "little")
    if vr in _TEXT:
        return value.decode("latin-1").strip("\0 ")
    return value
