"""Items and sub-items of A-ASSOCIATE-RQ and -AC (PS3.8 §9.3.2, §9.3.3, Annex D; PS3.7 §D.3.3).

Every item starts alike::

    offset  length  field
    0       1       item type
    1       1       reserved, 00H (Common Extended Negotiation: version)
    2       2       length of what follows, big endian
    4       n       value

All integers are unsigned and big endian. Decoders take the value only (offset 4 on); they never
read beyond it and raise `InvalidPdu` where an inner length does.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from negatoscope.protocols.dicom.ul.errors import InvalidPdu

_HEADER = struct.Struct(">BBH")
_U16 = struct.Struct(">H")
_U32 = struct.Struct(">I")


class ItemType(IntEnum):
    """First byte of an item."""

    APPLICATION_CONTEXT = 0x10
    PRESENTATION_CONTEXT_RQ = 0x20
    PRESENTATION_CONTEXT_AC = 0x21
    ABSTRACT_SYNTAX = 0x30
    TRANSFER_SYNTAX = 0x40
    USER_INFORMATION = 0x50
    MAXIMUM_LENGTH = 0x51
    IMPLEMENTATION_CLASS_UID = 0x52
    ASYNCHRONOUS_OPERATIONS_WINDOW = 0x53
    ROLE_SELECTION = 0x54
    IMPLEMENTATION_VERSION_NAME = 0x55
    SOP_CLASS_EXTENDED_NEGOTIATION = 0x56
    SOP_CLASS_COMMON_EXTENDED_NEGOTIATION = 0x57
    USER_IDENTITY_RQ = 0x58
    USER_IDENTITY_AC = 0x59


class ContextResult(IntEnum):
    """Result/Reason of an answered presentation context (PS3.8 Table 9-18)."""

    ACCEPTANCE = 0
    USER_REJECTION = 1
    NO_REASON = 2
    ABSTRACT_SYNTAX_NOT_SUPPORTED = 3
    TRANSFER_SYNTAXES_NOT_SUPPORTED = 4


class UserIdentityType(IntEnum):
    """User-Identity-Type (PS3.7 Table D.3-14)."""

    USERNAME = 1
    USERNAME_AND_PASSCODE = 2
    KERBEROS = 3
    SAML = 4
    JWT = 5


def encode_item(item_type: int, value: bytes, *, second_byte: int = 0) -> bytes:
    """Header and value of one item.

    Raises:
        ValueError: The value is longer than the 16-bit length can say.
    """
    if len(value) > 0xFFFF:
        raise ValueError(f"item {item_type:#04x} of {len(value)} bytes does not fit in 65535")
    return _HEADER.pack(item_type, second_byte, len(value)) + value


def iterate_items(data: memoryview, where: str) -> Iterator[tuple[int, int, memoryview]]:
    """Each ``(item type, second byte, value)`` in ``data``.

    Raises:
        InvalidPdu: An item's length passes the end, or bytes are left over.
    """
    position, end = 0, len(data)
    while position < end:
        if end - position < 4:
            raise InvalidPdu(f"{where}: {end - position} bytes left over")
        item_type, second, length = _HEADER.unpack_from(data, position)
        position += 4
        if length > end - position:
            raise InvalidPdu(f"{where}: item {item_type:#04x} says {length}, {end - position} left")
        yield item_type, second, data[position : position + length]
        position += length


def decode_uid(value: memoryview | bytes) -> str:
    """A UID of an association item; padding some peers add is dropped (PS3.8 Annex F)."""
    return bytes(value).decode("latin-1").rstrip("\0 ")


def _counted(data: memoryview, position: int, where: str) -> tuple[memoryview, int]:
    """A field preceded by its 16-bit length, and the position behind it."""
    if len(data) - position < 2:
        raise InvalidPdu(f"{where}: a length field is missing")
    (length,) = _U16.unpack_from(data, position)
    position += 2
    if length > len(data) - position:
        raise InvalidPdu(f"{where}: a field says {length}, {len(data) - position} left")
    return data[position : position + length], position + length


def _count(value: bytes) -> bytes:
    return _U16.pack(len(value)) + value


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedPresentationContext:
    """Presentation Context Item of an A-ASSOCIATE-RQ, type 20H (PS3.8 §9.3.2.2).

    ::

        0  1  presentation context ID, odd, 1..255
        1  3  reserved
        4  n  one abstract syntax sub-item (30H), then one or more transfer syntax ones (40H)
    """

    context_id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]

    def encode(self) -> bytes:
        """The item, header included."""
        parts = [bytes((self.context_id, 0, 0, 0))]
        parts.append(encode_item(ItemType.ABSTRACT_SYNTAX, self.abstract_syntax.encode("latin-1")))
        parts += (
            encode_item(ItemType.TRANSFER_SYNTAX, uid.encode("latin-1"))
            for uid in self.transfer_syntaxes
        )
        return encode_item(ItemType.PRESENTATION_CONTEXT_RQ, b"".join(parts))

    @classmethod
    def decode(cls, value: memoryview) -> "ProposedPresentationContext":
        """From the item's value.

        Raises:
            InvalidPdu: Even context ID, or not exactly one abstract syntax.
        """
        if len(value) < 4:
            raise InvalidPdu("presentation context item shorter than 4 bytes")
        if value[0] % 2 == 0:
            raise InvalidPdu(f"presentation context ID {value[0]} is even")
        abstract_syntaxes: list[str] = []
        transfer_syntaxes: list[str] = []
        for item_type, _, inner in iterate_items(value[4:], "presentation context item"):
            if item_type == ItemType.ABSTRACT_SYNTAX:
                abstract_syntaxes.append(decode_uid(inner))
            elif item_type == ItemType.TRANSFER_SYNTAX:
                transfer_syntaxes.append(decode_uid(inner))
        if len(abstract_syntaxes) != 1:
            raise InvalidPdu(
                f"presentation context with {len(abstract_syntaxes)} abstract syntaxes"
            )
        return cls(
            context_id=value[0],
            abstract_syntax=abstract_syntaxes[0],
            transfer_syntaxes=tuple(transfer_syntaxes),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredPresentationContext:
    """Presentation Context Item of an A-ASSOCIATE-AC, type 21H (PS3.8 §9.3.3.2).

    ::

        0  1  presentation context ID
        1  1  reserved
        2  1  result/reason
        3  1  reserved
        4  n  one transfer syntax sub-item (40H), not significant unless accepted
    """

    context_id: int
    result: int
    transfer_syntax: str

    def encode(self) -> bytes:
        """The item, header included."""
        head = bytes((self.context_id, 0, self.result, 0))
        syntax = encode_item(ItemType.TRANSFER_SYNTAX, self.transfer_syntax.encode("latin-1"))
        return encode_item(ItemType.PRESENTATION_CONTEXT_AC, head + syntax)

    @classmethod
    def decode(cls, value: memoryview) -> "AnsweredPresentationContext":
        """From the item's value.

        Raises:
            InvalidPdu: Even context ID, or accepted without exactly one transfer syntax.
        """
        if len(value) < 4:
            raise InvalidPdu("presentation context item shorter than 4 bytes")
        if value[0] % 2 == 0:
            raise InvalidPdu(f"presentation context ID {value[0]} is even")
        syntaxes = [
            decode_uid(inner)
            for item_type, _, inner in iterate_items(value[4:], "presentation context item")
            if item_type == ItemType.TRANSFER_SYNTAX
        ]
        if value[2] == ContextResult.ACCEPTANCE and len(syntaxes) != 1:
            raise InvalidPdu(f"context {value[0]} accepted with {len(syntaxes)} transfer syntaxes")
        return cls(
            context_id=value[0], result=value[2], transfer_syntax=syntaxes[0] if syntaxes else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AsynchronousOperationsWindow:
    """Asynchronous Operations Window sub-item, type 53H (PS3.7 §D.3.3.3). 0 means unlimited.

    ::

        0  2  maximum number of operations invoked by the association requestor
        2  2  maximum number of operations performed by the association requestor
    """

    invoked: int = 1
    performed: int = 1

    def encode(self) -> bytes:
        """The sub-item, header included."""
        value = struct.pack(">HH", self.invoked, self.performed)
        return encode_item(ItemType.ASYNCHRONOUS_OPERATIONS_WINDOW, value)

    @classmethod
    def decode(cls, value: memoryview) -> "AsynchronousOperationsWindow":
        """From the sub-item's value."""
        if len(value) != 4:
            raise InvalidPdu(f"asynchronous operations window of {len(value)} bytes")
        invoked, performed = struct.unpack(">HH", value)
        return cls(invoked=invoked, performed=performed)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSelection:
    """SCP/SCU Role Selection sub-item, type 54H (PS3.7 §D.3.3.4). Roles are the requestor's.

    ::

        0    2  UID length, n
        2    n  SOP class UID
        2+n  1  SCU role: 0 or 1
        3+n  1  SCP role: 0 or 1
    """

    sop_class_uid: str
    scu: bool
    scp: bool

    def encode(self) -> bytes:
        """The sub-item, header included."""
        value = _count(self.sop_class_uid.encode("latin-1")) + bytes((self.scu, self.scp))
        return encode_item(ItemType.ROLE_SELECTION, value)

    @classmethod
    def decode(cls, value: memoryview) -> "RoleSelection":
        """From the sub-item's value."""
        uid, position = _counted(value, 0, "role selection")
        if len(value) - position < 2:
            raise InvalidPdu("role selection without its two roles")
        scu, scp = value[position] == 1, value[position + 1] == 1
        return cls(sop_class_uid=decode_uid(uid), scu=scu, scp=scp)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedNegotiation:
    """SOP Class Extended Negotiation sub-item, type 56H (PS3.7 §D.3.3.5).

    ::

        0    2  UID length, n
        2    n  SOP class UID
        2+n  m  service class application information, meaning per service class (PS3.4)
    """

    sop_class_uid: str
    information: bytes

    def encode(self) -> bytes:
        """The sub-item, header included."""
        value = _count(self.sop_class_uid.encode("latin-1")) + self.information
        return encode_item(ItemType.SOP_CLASS_EXTENDED_NEGOTIATION, value)

    @classmethod
    def decode(cls, value: memoryview) -> "ExtendedNegotiation":
        """From the sub-item's value."""
        uid, position = _counted(value, 0, "extended negotiation")
        return cls(sop_class_uid=decode_uid(uid), information=bytes(value[position:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonExtendedNegotiation:
    """SOP Class Common Extended Negotiation sub-item, type 57H (PS3.7 §D.3.3.6). RQ only.

    ::

        0  2  SOP class UID length, then the UID
        .  2  service class UID length, then the UID
        .  2  length of the related general SOP class identification, then
              n times: 2 bytes length, related general SOP class UID
        .  .  reserved for later versions, ignored
    """

    sop_class_uid: str
    service_class_uid: str
    related_general_sop_class_uids: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """The sub-item, header included."""
        related = b"".join(
            _count(uid.encode("latin-1")) for uid in self.related_general_sop_class_uids
        )
        value = (
            _count(self.sop_class_uid.encode("latin-1"))
            + _count(self.service_class_uid.encode("latin-1"))
            + _count(related)
        )
        return encode_item(ItemType.SOP_CLASS_COMMON_EXTENDED_NEGOTIATION, value)

    @classmethod
    def decode(cls, value: memoryview) -> "CommonExtendedNegotiation":
        """From the sub-item's value."""
        where = "common extended negotiation"
        sop_class, position = _counted(value, 0, where)
        service_class, position = _counted(value, position, where)
        related: list[str] = []
        if position < len(value):  # absent in what some peers send when empty
            listing, _ = _counted(value, position, where)
            position = 0
            while position < len(listing):
                uid, position = _counted(listing, position, where)
                related.append(decode_uid(uid))
        return cls(
            sop_class_uid=decode_uid(sop_class),
            service_class_uid=decode_uid(service_class),
            related_general_sop_class_uids=tuple(related),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UserIdentity:
    """User Identity sub-item of an A-ASSOCIATE-RQ, type 58H (PS3.7 §D.3.3.7.1).

    ::

        0    1  user identity type, 1..5
        1    1  positive response requested: 0 or 1
        2    2  primary field length, n
        4    n  primary field: user name (UTF-8), ticket, assertion or token
        4+n  2  secondary field length, m; not zero only for type 2
        6+n  m  secondary field: passcode
    """

    identity_type: int
    primary: bytes
    secondary: bytes = b""
    response_requested: bool = False

    def __repr__(self) -> str:
        """Without the fields, which are secrets."""
        return f"UserIdentity(identity_type={self.identity_type})"

    def encode(self) -> bytes:
        """The sub-item, header included."""
        head = bytes((self.identity_type, self.response_requested))
        value = head + _count(self.primary) + _count(self.secondary)
        return encode_item(ItemType.USER_IDENTITY_RQ, value)

    @classmethod
    def decode(cls, value: memoryview) -> "UserIdentity":
        """From the sub-item's value."""
        if len(value) < 2:
            raise InvalidPdu("user identity shorter than 2 bytes")
        primary, position = _counted(value, 2, "user identity")
        secondary, _ = _counted(value, position, "user identity")
        return cls(
            identity_type=value[0],
            response_requested=value[1] == 1,
            primary=bytes(primary),
            secondary=bytes(secondary),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInformation:
    """User Information item, type 50H, of a request or of its acceptance (PS3.8 Annex D).

    ``max_pdu_bytes`` is the longest P-DATA-TF (its length field) the sender of this item takes,
    0 for no limit. ``user_identity`` occurs in requests, ``user_identity_response`` in answers.
    """

    max_pdu_bytes: int
    implementation_class_uid: str = ""
    implementation_version_name: str | None = None
    async_window: AsynchronousOperationsWindow | None = None
    roles: tuple[RoleSelection, ...] = ()
    extended_negotiation: tuple[ExtendedNegotiation, ...] = ()
    common_extended_negotiation: tuple[CommonExtendedNegotiation, ...] = ()
    user_identity: UserIdentity | None = None
    user_identity_response: bytes | None = None

    def encode(self) -> bytes:
        """The item, header included; sub-items in ascending type, as most peers send them."""
        parts = [encode_item(ItemType.MAXIMUM_LENGTH, _U32.pack(self.max_pdu_bytes))]
        uid = self.implementation_class_uid.encode("latin-1")
        parts.append(encode_item(ItemType.IMPLEMENTATION_CLASS_UID, uid))
        if self.async_window is not None:
            parts.append(self.async_window.encode())
        parts += (role.encode() for role in self.roles)
        if self.implementation_version_name is not None:
            name = self.implementation_version_name.encode("latin-1")
            parts.append(encode_item(ItemType.IMPLEMENTATION_VERSION_NAME, name))
        parts += (item.encode() for item in self.extended_negotiation)
        parts += (item.encode() for item in self.common_extended_negotiation)
        if self.user_identity is not None:
            parts.append(self.user_identity.encode())
        if self.user_identity_response is not None:
            response = _count(self.user_identity_response)
            parts.append(encode_item(ItemType.USER_IDENTITY_AC, response))
        return encode_item(ItemType.USER_INFORMATION, b"".join(parts))

    @classmethod
    def decode(cls, value: memoryview) -> "UserInformation":
        """From the item's value. Sub-items of unknown type are ignored (PS3.8 §9.3.1)."""
        max_pdu_bytes = 0
        class_uid, version = "", None
        window: AsynchronousOperationsWindow | None = None
        roles: list[RoleSelection] = []
        extended: list[ExtendedNegotiation] = []
        common: list[CommonExtendedNegotiation] = []
        identity: UserIdentity | None = None
        response: bytes | None = None
        for item_type, _, inner in iterate_items(value, "user information"):
            match item_type:
                case ItemType.MAXIMUM_LENGTH:
                    if len(inner) != 4:
                        raise InvalidPdu(f"maximum length of {len(inner)} bytes")
                    (max_pdu_bytes,) = _U32.unpack(inner)
                case ItemType.IMPLEMENTATION_CLASS_UID:
                    class_uid = decode_uid(inner)
                case ItemType.ASYNCHRONOUS_OPERATIONS_WINDOW:
                    window = AsynchronousOperationsWindow.decode(inner)
                case ItemType.ROLE_SELECTION:
                    roles.append(RoleSelection.decode(inner))
                case ItemType.IMPLEMENTATION_VERSION_NAME:
                    version = bytes(inner).decode("latin-1").strip("\0 ")
                case ItemType.SOP_CLASS_EXTENDED_NEGOTIATION:
                    extended.append(ExtendedNegotiation.decode(inner))
                case ItemType.SOP_CLASS_COMMON_EXTENDED_NEGOTIATION:
                    common.append(CommonExtendedNegotiation.decode(inner))
                case ItemType.USER_IDENTITY_RQ:
                    identity = UserIdentity.decode(inner)
                case ItemType.USER_IDENTITY_AC:
                    response = bytes(_counted(inner, 0, "user identity response")[0])
                case _:
                    pass
        return cls(
            max_pdu_bytes=max_pdu_bytes,
            implementation_class_uid=class_uid,
            implementation_version_name=version,
            async_window=window,
            roles=tuple(roles),
            extended_negotiation=tuple(extended),
            common_extended_negotiation=tuple(common),
            user_identity=identity,
            user_identity_response=response,
        )
