"""The seven PDUs of the DICOM upper layer (PS3.8 §9.3).

Every PDU starts alike::

    offset  length  field
    0       1       PDU type
    1       1       reserved, 00H, not tested
    2       4       length of what follows, unsigned, big endian
    6       n       body

``encode`` gives the whole PDU, ``decode`` takes the body. P-DATA-TF is never decoded as a whole on
the receiving path: `Connection` streams it. `DataTransfer` describes it for tests and small uses.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from negatoscope.protocols.dicom.ul.errors import (
    AbortReason,
    InvalidPdu,
    ProtocolError,
    UnrecognizedPdu,
)
from negatoscope.protocols.dicom.ul.items import (
    AnsweredPresentationContext,
    ItemType,
    ProposedPresentationContext,
    UserInformation,
    decode_uid,
    encode_item,
    iterate_items,
)

APPLICATION_CONTEXT_NAME: Final = "1.2.840.10008.3.1.1.1"
"""DICOM Application Context Name (PS3.7 §A.2.1)."""

PDU_HEADER_BYTES: Final = 6
PDV_HEADER_BYTES: Final = 6
MAX_PRESENTATION_CONTEXTS: Final = 128

_PDU_HEADER = struct.Struct(">BxI")
_DATA_HEADER = struct.Struct(">BxIIBB")
_PDV_HEADER = struct.Struct(">IBB")
_ASSOCIATE_HEAD = struct.Struct(">H2x16s16s32x")


class PduType(IntEnum):
    """First byte of a PDU."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    DATA_TF = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


def _frame(pdu_type: PduType, body: bytes) -> bytes:
    return _PDU_HEADER.pack(pdu_type, len(body)) + body


def encode_ae_title(ae_title: str) -> bytes:
    """16 bytes, trailing spaces added (PS3.5 §6.2, VR AE).

    Raises:
        ValueError: Longer than 16 characters, or not of the default repertoire.
    """
    encoded = ae_title.encode("ascii")
    if len(encoded) > 16:
        raise ValueError(f"AE title {ae_title!r} is longer than 16 characters")
    return encoded.ljust(16)


def _decode_ae_title(value: bytes) -> str:
    """Leading and trailing spaces are not significant; some peers pad with NUL."""
    return value.decode("latin-1").strip("\0 ")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Associate:
    """What A-ASSOCIATE-RQ and -AC have in common.

    ::

        6   2   protocol version, bit 0 set: version 1
        8   2   reserved
        10  16  called AE title
        26  16  calling AE title
        42  32  reserved
        74  n   application context item, presentation context items, user information item
    """

    called_ae_title: str
    calling_ae_title: str
    user_information: UserInformation
    application_context_name: str = APPLICATION_CONTEXT_NAME
    protocol_version: int = 1

    def _encode(self, pdu_type: PduType, contexts: Iterable[bytes]) -> bytes:
        head = _ASSOCIATE_HEAD.pack(
            self.protocol_version,
            self.called_ae_title.encode("latin-1").ljust(16)[:16],
            self.calling_ae_title.encode("latin-1").ljust(16)[:16],
        )
        name = self.application_context_name.encode("latin-1")
        application = encode_item(ItemType.APPLICATION_CONTEXT, name)
        user = self.user_information.encode()
        return _frame(pdu_type, b"".join((head, application, *contexts, user)))


def _decode_associate(
    body: memoryview, context_type: ItemType
) -> tuple[int, str, str, str, list[memoryview], UserInformation]:
    if len(body) < _ASSOCIATE_HEAD.size:
        raise InvalidPdu(f"A-ASSOCIATE PDU of {len(body)} bytes")
    version, called, calling = _ASSOCIATE_HEAD.unpack_from(body)
    application = ""
    contexts: list[memoryview] = []
    user: UserInformation | None = None
    for item_type, _, value in iterate_items(body[_ASSOCIATE_HEAD.size :], "A-ASSOCIATE PDU"):
        if item_type == context_type:
            if len(contexts) == MAX_PRESENTATION_CONTEXTS:
                raise InvalidPdu(f"more than {MAX_PRESENTATION_CONTEXTS} presentation contexts")
            contexts.append(value)
        elif item_type == ItemType.APPLICATION_CONTEXT:
            application = decode_uid(value)
        elif item_type == ItemType.USER_INFORMATION:
            if user is not None:
                raise InvalidPdu("two user information items")
            user = UserInformation.decode(value)
    if user is None:
        raise InvalidPdu("no user information item")
    called_ae_title, calling_ae_title = _decode_ae_title(called), _decode_ae_title(calling)
    return version, called_ae_title, calling_ae_title, application, contexts, user


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociateRequest(_Associate):
    """A-ASSOCIATE-RQ, type 01H (PS3.8 §9.3.2); layout in `_Associate`."""

    presentation_contexts: tuple[ProposedPresentationContext, ...]

    def encode(self) -> bytes:
        """The whole PDU."""
        contexts = (context.encode() for context in self.presentation_contexts)
        return self._encode(PduType.ASSOCIATE_RQ, contexts)

    @classmethod
    def decode(cls, body: memoryview) -> Self:
        """From the body.

        Raises:
            InvalidPdu: A length that lies, two contexts with one ID, more than 128 contexts.
        """
        version, called, calling, application, values, user = _decode_associate(
            body, ItemType.PRESENTATION_CONTEXT_RQ
        )
        contexts = tuple(ProposedPresentationContext.decode(value) for value in values)
        if len({context.context_id for context in contexts}) != len(contexts):
            raise InvalidPdu("two presentation contexts share an ID")
        return cls(
            called_ae_title=called,
            calling_ae_title=calling,
            application_context_name=application,
            protocol_version=version,
            presentation_contexts=contexts,
            user_information=user,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociateAccept(_Associate):
    """A-ASSOCIATE-AC, type 02H (PS3.8 §9.3.3). The AE titles echo the request, untested."""

    presentation_contexts: tuple[AnsweredPresentationContext, ...]

    def encode(self) -> bytes:
        """The whole PDU."""
        contexts = (context.encode() for context in self.presentation_contexts)
        return self._encode(PduType.ASSOCIATE_AC, contexts)

    @classmethod
    def decode(cls, body: memoryview) -> Self:
        """From the body.

        Raises:
            InvalidPdu: A length that lies, or two answers to one context.
        """
        version, called, calling, application, values, user = _decode_associate(
            body, ItemType.PRESENTATION_CONTEXT_AC
        )
        contexts = tuple(AnsweredPresentationContext.decode(value) for value in values)
        if len({context.context_id for context in contexts}) != len(contexts):
            raise InvalidPdu("two presentation contexts share an ID")
        return cls(
            called_ae_title=called,
            calling_ae_title=calling,
            application_context_name=application,
            protocol_version=version,
            presentation_contexts=contexts,
            user_information=user,
        )


def _four_bytes(body: memoryview, name: str) -> memoryview:
    if len(body) != 4:
        raise InvalidPdu(f"{name} of {len(body)} bytes instead of 4")
    return body


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociateReject:
    """A-ASSOCIATE-RJ, type 03H (PS3.8 §9.3.4).

    ::

        6  1  reserved
        7  1  result: 1 rejected-permanent, 2 rejected-transient
        8  1  source: 1 service-user, 2 service-provider (ACSE), 3 (presentation)
        9  1  reason, meaning depends on the source (Table 9-21)
    """

    result: int
    source: int
    reason: int

    def encode(self) -> bytes:
        """The whole PDU."""
        return _frame(PduType.ASSOCIATE_RJ, bytes((0, self.result, self.source, self.reason)))

    @classmethod
    def decode(cls, body: memoryview) -> Self:
        """From the body."""
        body = _four_bytes(body, "A-ASSOCIATE-RJ")
        return cls(result=body[1], source=body[2], reason=body[3])


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """A-RELEASE-RQ, type 05H (PS3.8 §9.3.6): four reserved bytes."""

    def encode(self) -> bytes:
        """The whole PDU."""
        return _frame(PduType.RELEASE_RQ, bytes(4))

    @classmethod
    def decode(cls, body: memoryview) -> Self:
        """From the body."""
        _four_bytes(body, "A-RELEASE-RQ")
        return cls()


@dataclass(frozen=True, slots=True)
class ReleaseReply:
    """A-RELEASE-RP, type 06H (PS3.8 §9.3.7): four reserved bytes."""

    def encode(self) -> bytes:
        """The whole PDU."""
        return _frame(PduType.RELEASE_RP, bytes(4))

    @classmethod
    def decode(cls, body: memoryview) -> Self:
        """From the body."""
        _four_bytes(body, "A-RELEASE-RP")
        return cls()


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """A-ABORT, type 07H (PS3.8 §9.3.8).

    ::

        6  2  reserved
        8  1  source: 0 service-user, 2 service-provider
        9  1  reason/diag., significant when the source is the provider (Table 9-26)
    """

    source: int
    reason: int = AbortReason.NOT_SPECIFIED

    def encode(self) -> bytes:
        """The whole PDU."""
        return _frame(PduType.ABORT, bytes((0, 0, self.source, self.reason)))

    @classmethod
    def decode(cls, body: memoryview) -> Self:
        """From the body."""
        body = _four_bytes(body, "A-ABORT")
        return cls(source=body[2], reason=body[3])


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationDataValue:
    """Presentation Data Value item of a P-DATA-TF (PS3.8 §9.3.5.1, Annex E.2).

    ::

        0  4  item length: 2 + length of the fragment
        4  1  presentation context ID
        5  1  message control header: bit 0 command (1) or data set (0), bit 1 last fragment
        6  n  fragment
    """

    context_id: int
    is_command: bool
    is_last: bool
    fragment: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTransfer:
    """P-DATA-TF, type 04H (PS3.8 §9.3.5): one or more presentation data values."""

    values: tuple[PresentationDataValue, ...]

    def encode(self) -> bytes:
        """The whole PDU."""
        parts: list[bytes] = []
        for value in self.values:
            control = value.is_command | value.is_last << 1
            length = len(value.fragment) + 2
            parts += (_PDV_HEADER.pack(length, value.context_id, control), value.fragment)
        return _frame(PduType.DATA_TF, b"".join(parts))

    @classmethod
    def decode(cls, body: memoryview) -> Self:
        """From the body.

        Raises:
            InvalidPdu: A PDV length below 2 or past the end of the PDU.
        """
        values: list[PresentationDataValue] = []
        position = 0
        while position < len(body):
            if len(body) - position < PDV_HEADER_BYTES:
                raise InvalidPdu("presentation data value without its header")
            length, context_id, control = _PDV_HEADER.unpack_from(body, position)
            if length < 2 or length > len(body) - position - 4:
                raise InvalidPdu(f"presentation data value says {length} bytes")
            fragment = body[position + PDV_HEADER_BYTES : position + 4 + length]
            values.append(
                PresentationDataValue(
                    context_id=context_id,
                    is_command=bool(control & 1),
                    is_last=bool(control & 2),
                    fragment=bytes(fragment),
                )
            )
            position += 4 + length
        if not values:
            raise InvalidPdu("P-DATA-TF without a presentation data value")
        return cls(values=tuple(values))


def data_header(context_id: int, fragment_bytes: int, *, is_command: bool, is_last: bool) -> bytes:
    """The 12 bytes before the fragment of a P-DATA-TF with one presentation data value."""
    control = is_command | is_last << 1
    return _DATA_HEADER.pack(
        PduType.DATA_TF, fragment_bytes + 6, fragment_bytes + 2, context_id, control
    )


ControlPdu = (
    AssociateRequest | AssociateAccept | AssociateReject | ReleaseRequest | ReleaseReply | Abort
)

_DECODERS: Final[Mapping[PduType, Callable[[memoryview], ControlPdu]]] = {
    PduType.ASSOCIATE_RQ: AssociateRequest.decode,
    PduType.ASSOCIATE_AC: AssociateAccept.decode,
    PduType.ASSOCIATE_RJ: AssociateReject.decode,
    PduType.RELEASE_RQ: ReleaseRequest.decode,
    PduType.RELEASE_RP: ReleaseReply.decode,
    PduType.ABORT: Abort.decode,
}


def decode_control_pdu(pdu_type: int, body: memoryview) -> ControlPdu:
    """Any PDU but P-DATA-TF, from its type and its body.

    Raises:
        UnrecognizedPdu: The type is not one of these.
        InvalidPdu: The body contradicts PS3.8 §9.3.
    """
    try:
        decode = _DECODERS[PduType(pdu_type)]
    except (ValueError, KeyError):
        raise UnrecognizedPdu(f"PDU type {pdu_type:#04x}") from None
    try:
        return decode(body)
    except ProtocolError:
        raise
    except (struct.error, IndexError) as error:
        raise InvalidPdu(f"PDU type {pdu_type:#04x}: {error}") from error
