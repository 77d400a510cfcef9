"""PDUs and items: bytes of real peers, round trips, noise."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negatoscope.protocols.dicom.ul.errors import (
    AbortReason,
    InvalidPdu,
    ProtocolError,
    UnrecognizedPdu,
)
from negatoscope.protocols.dicom.ul.items import (
    AnsweredPresentationContext,
    AsynchronousOperationsWindow,
    CommonExtendedNegotiation,
    ExtendedNegotiation,
    ProposedPresentationContext,
    RoleSelection,
    UserIdentity,
    UserInformation,
    encode_item,
)
from negatoscope.protocols.dicom.ul.pdu import (
    Abort,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    ControlPdu,
    DataTransfer,
    PresentationDataValue,
    ReleaseReply,
    ReleaseRequest,
    data_header,
    decode_control_pdu,
    encode_ae_title,
)

uids = st.lists(st.integers(0, 999_999), min_size=1, max_size=6).map(
    lambda parts: ".".join(["1", *map(str, parts)])
)
ae_titles = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=16)
bytes_ = st.binary(max_size=64)
u16 = st.integers(0, 0xFFFF)
context_ids = st.integers(0, 127).map(lambda number: 2 * number + 1)

user_information = st.builds(
    UserInformation,
    max_pdu_bytes=st.integers(0, 0xFFFFFFFF),
    implementation_class_uid=uids,
    implementation_version_name=st.none() | ae_titles,
    async_window=st.none() | st.builds(AsynchronousOperationsWindow, invoked=u16, performed=u16),
    roles=st.lists(
        st.builds(RoleSelection, sop_class_uid=uids, scu=st.booleans(), scp=st.booleans()),
        max_size=3,
    ).map(tuple),
    extended_negotiation=st.lists(
        st.builds(ExtendedNegotiation, sop_class_uid=uids, information=bytes_), max_size=3
    ).map(tuple),
    common_extended_negotiation=st.lists(
        st.builds(
            CommonExtendedNegotiation,
            sop_class_uid=uids,
            service_class_uid=uids,
            related_general_sop_class_uids=st.lists(uids, max_size=3).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
    user_identity=st.none()
    | st.builds(
        UserIdentity,
        identity_type=st.integers(1, 5),
        primary=bytes_,
        secondary=bytes_,
        response_requested=st.booleans(),
    ),
    user_identity_response=st.none() | bytes_,
)

requests = st.builds(
    AssociateRequest,
    called_ae_title=ae_titles,
    calling_ae_title=ae_titles,
    user_information=user_information,
    presentation_contexts=st.lists(
        st.builds(
            ProposedPresentationContext,
            context_id=context_ids,
            abstract_syntax=uids,
            transfer_syntaxes=st.lists(uids, max_size=4).map(tuple),
        ),
        max_size=5,
        unique_by=lambda context: context.context_id,
    ).map(tuple),
)
accepts = st.builds(
    AssociateAccept,
    called_ae_title=ae_titles,
    calling_ae_title=ae_titles,
    user_information=user_information,
    presentation_contexts=st.lists(
        st.builds(
            AnsweredPresentationContext,
            context_id=context_ids,
            result=st.integers(0, 4),
            transfer_syntax=uids,
        ),
        max_size=5,
        unique_by=lambda context: context.context_id,
    ).map(tuple),
)
u8 = st.integers(0, 255)
control_pdus = st.one_of(
    requests,
    accepts,
    st.builds(AssociateReject, result=u8, source=u8, reason=u8),
    st.builds(ReleaseRequest),
    st.builds(ReleaseReply),
    st.builds(Abort, source=u8, reason=u8),
)
data_transfers = st.builds(
    DataTransfer,
    values=st.lists(
        st.builds(
            PresentationDataValue,
            context_id=context_ids,
            is_command=st.booleans(),
            is_last=st.booleans(),
            fragment=st.binary(max_size=300),
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
)

# What DCMTK 3.6.7 `echoscu -aet ECHOSCU -aec ANY-SCP` sends: implementation class
# 1.2.276.0.7230010.3.0.3.6.7, version OFFIS_DCMTK_367, maximum length 16384.
ECHOSCU_RQ = bytes.fromhex(
    "0100000000cd00010000414e592d534350202020202020202020"
    "4543484f5343552020202020202020200000000000000000000000000000000000000000000000000000000000"
    "00000010000015312e322e3834302e31303030382e332e312e312e31"
    "2000002e0100ff0030000011312e322e3834302e31303030382e312e31"
    "40000011312e322e3834302e31303030382e312e32"
    "5000003a5100000400004000"
    "5200001b312e322e3237362e302e373233303031302e332e302e332e362e37"
    "5500000f4f464649535f44434d544b5f333637"
)
# The same peer's C-ECHO-RQ: P-DATA-TF of one presentation data value, context 1, last command.
ECHO_DATA = bytes.fromhex(
    "04000000004a000000460103"
    "00000000040000003800000000000200120000"
    "00312e322e3834302e31303030382e312e3100"
    "000000010200000030000000100102000000010000000008020000000101"
)


def decode(pdu: bytes) -> ControlPdu:
    assert int.from_bytes(pdu[2:6], "big") == len(pdu) - 6
    return decode_control_pdu(pdu[0], memoryview(pdu)[6:])


def test_association_request_of_dcmtk() -> None:
    """Bytes of echoscu give its request, and the request gives the bytes."""
    request = decode(ECHOSCU_RQ)
    assert request == AssociateRequest(
        called_ae_title="ANY-SCP",
        calling_ae_title="ECHOSCU",
        presentation_contexts=(
            ProposedPresentationContext(
                context_id=1,
                abstract_syntax="1.2.840.10008.1.1",
                transfer_syntaxes=("1.2.840.10008.1.2",),
            ),
        ),
        user_information=UserInformation(
            max_pdu_bytes=16384,
            implementation_class_uid="1.2.276.0.7230010.3.0.3.6.7",
            implementation_version_name="OFFIS_DCMTK_367",
        ),
    )
    ours = bytearray(request.encode())
    assert ours[ours.index(b"\x20\x00\x00\x2e") + 6] == 0
    ours[ours.index(b"\x20\x00\x00\x2e") + 6] = 0xFF  # reserved; DCMTK sets it
    assert bytes(ours) == ECHOSCU_RQ


def test_data_transfer_of_dcmtk() -> None:
    """A C-ECHO-RQ of echoscu is one last command fragment."""
    transfer = DataTransfer.decode(memoryview(ECHO_DATA)[6:])
    (value,) = transfer.values
    assert (value.context_id, value.is_command, value.is_last) == (1, True, True)
    assert len(value.fragment) == 68
    assert transfer.encode() == ECHO_DATA
    assert data_header(1, 68, is_command=True, is_last=True) == ECHO_DATA[:12]


@pytest.mark.parametrize(
    ("pdu", "encoded"),
    [
        (AssociateReject(result=1, source=1, reason=1), "03000000000400010101"),
        (ReleaseRequest(), "05000000000400000000"),
        (ReleaseReply(), "06000000000400000000"),
        (Abort(source=2, reason=AbortReason.UNEXPECTED_PDU), "07000000000400000202"),
    ],
)
def test_short_pdus(pdu: ControlPdu, encoded: str) -> None:
    """The four ten-byte PDUs."""
    assert pdu.encode().hex() == encoded
    assert decode(bytes.fromhex(encoded)) == pdu


@pytest.mark.parametrize(
    ("item", "encoded"),
    [
        (AsynchronousOperationsWindow(invoked=5, performed=1), "53000004 0005 0001"),
        (
            RoleSelection(sop_class_uid="1.2.3", scu=False, scp=True),
            "54000009 0005 312e322e33 00 01",
        ),
        (
            ExtendedNegotiation(sop_class_uid="1.2.3", information=b"\x01\x00\x01"),
            "5600000a 0005 312e322e33 010001",
        ),
        (
            CommonExtendedNegotiation(
                sop_class_uid="1.2.3",
                service_class_uid="1.2",
                related_general_sop_class_uids=("1.9",),
            ),
            "57000013 0005 312e322e33 0003 312e32 0005 0003 312e39",
        ),
        (
            UserIdentity(identity_type=2, response_requested=True, primary=b"ana", secondary=b"pw"),
            "5800000b 02 01 0003 616e61 0002 7077",
        ),
    ],
)
def test_user_information_items(item: object, encoded: str) -> None:
    """Layouts of PS3.7 §D.3.3, byte by byte."""
    expected = bytes.fromhex(encoded.replace(" ", ""))
    assert item.encode() == expected  # type: ignore[attr-defined]
    assert type(item).decode(memoryview(expected)[4:]) == item  # type: ignore[attr-defined]


def test_secrets_stay_out_of_representations() -> None:
    """A user identity does not show its passcode in logs."""
    identity = UserIdentity(identity_type=2, primary=b"ana", secondary=b"secret")
    assert "secret" not in repr(identity)
    assert "ana" not in repr(identity)


def reason_of(decoder: Callable[[], object]) -> AbortReason | None:
    """The reason a decoder gives for refusing; anything but a protocol error goes through."""
    try:
        decoder()
    except ProtocolError as error:
        return error.abort_reason
    return None


@settings(max_examples=150, deadline=None)
@given(control_pdus)
def test_control_pdu_round_trip(pdu: ControlPdu) -> None:
    """What is encoded is decoded the same."""
    assert decode(pdu.encode()) == pdu


@settings(max_examples=100, deadline=None)
@given(data_transfers)
def test_data_transfer_round_trip(transfer: DataTransfer) -> None:
    """As above, for P-DATA-TF."""
    assert DataTransfer.decode(memoryview(transfer.encode())[6:]) == transfer


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 255), st.binary(max_size=400))
def test_noise_never_crashes(pdu_type: int, body: bytes) -> None:
    """Random bodies decode or raise a protocol error with a reason to send; nothing else."""
    for decoder in (
        lambda: decode_control_pdu(pdu_type, memoryview(body)),
        lambda: DataTransfer.decode(memoryview(body)),
        lambda: UserInformation.decode(memoryview(body)),
    ):
        assert reason_of(decoder) in {None, *AbortReason}


@settings(max_examples=300, deadline=None)
@given(control_pdus, st.data())
def test_mutations_never_crash(pdu: ControlPdu, data: st.DataObject) -> None:
    """One changed, lost or added byte anywhere in a good PDU."""
    body = bytearray(pdu.encode()[6:])
    place = data.draw(st.integers(0, max(0, len(body) - 1)))
    match data.draw(st.sampled_from(["change", "cut", "insert"])):
        case "change" if body:
            body[place] = data.draw(st.integers(0, 255))
        case "cut":
            del body[place:]
        case _:
            body[place:place] = data.draw(st.binary(min_size=1, max_size=8))
    mutated = memoryview(bytes(body))
    assert reason_of(lambda: decode_control_pdu(pdu.encode()[0], mutated)) in {None, *AbortReason}


def request_with(*items: bytes, user: bool = True) -> memoryview:
    head = b"\0\1\0\0" + b"A".ljust(16) + b"B".ljust(16) + bytes(32)
    tail = UserInformation(max_pdu_bytes=0).encode() if user else b""
    return memoryview(head + b"".join(items) + tail)


CONTEXT_1 = ProposedPresentationContext(
    context_id=1, abstract_syntax="1.2", transfer_syntaxes=("1.2.840.10008.1.2",)
).encode()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (memoryview(bytes(67)), "67 bytes"),
        (request_with(user=False), "no user information"),
        (request_with(CONTEXT_1, CONTEXT_1), "share an ID"),
        (request_with(CONTEXT_1.replace(b"\x01\0\0\0", b"\x02\0\0\0", 1)), "is even"),
        (request_with(encode_item(0x20, b"\x01\0\0\0")), "0 abstract syntaxes"),
        (request_with(b"\x10\0\xff\xff"), "says 65535"),
        (request_with(b"\x10\0\0"), "left|says"),
        (request_with(UserInformation(max_pdu_bytes=0).encode()), "two user information"),
    ],
)
def test_bad_requests(body: memoryview, message: str) -> None:
    """Each is refused as an invalid PDU parameter value."""
    with pytest.raises(InvalidPdu, match=message) as caught:
        AssociateRequest.decode(body)
    assert caught.value.abort_reason is AbortReason.INVALID_PDU_PARAMETER_VALUE


def test_128_presentation_contexts() -> None:
    """128 contexts are the most there are IDs for; a 129th item is refused."""
    contexts = [
        ProposedPresentationContext(
            context_id=2 * index + 1, abstract_syntax="1.2", transfer_syntaxes=("1.3",)
        ).encode()
        for index in range(128)
    ]
    assert len(AssociateRequest.decode(request_with(*contexts)).presentation_contexts) == 128
    with pytest.raises(InvalidPdu, match="more than 128"):
        AssociateRequest.decode(request_with(*contexts, CONTEXT_1))


def test_unknown_items_are_ignored() -> None:
    """PS3.8 §9.3.1: items of unknown type are skipped."""
    request = AssociateRequest.decode(request_with(encode_item(0x77, b"new"), CONTEXT_1))
    assert len(request.presentation_contexts) == 1


def test_padded_texts_are_read() -> None:
    """Trailing NUL and spaces of peers that pad UIDs and titles mean nothing."""
    context = encode_item(0x30, b"1.2\0") + encode_item(0x40, b"1.3 ")
    request = AssociateRequest.decode(request_with(encode_item(0x20, b"\x01\0\0\0" + context)))
    assert request.presentation_contexts[0].abstract_syntax == "1.2"
    assert request.presentation_contexts[0].transfer_syntaxes == ("1.3",)


def test_unknown_pdu_type() -> None:
    """Reason 1, unrecognized PDU."""
    with pytest.raises(UnrecognizedPdu) as caught:
        decode_control_pdu(0x4E, memoryview(b""))
    assert caught.value.abort_reason is AbortReason.UNRECOGNIZED_PDU


def test_accepted_context_needs_one_transfer_syntax() -> None:
    """An acceptance without its transfer syntax is no acceptance."""
    with pytest.raises(InvalidPdu):
        AnsweredPresentationContext.decode(memoryview(b"\x01\0\0\0"))
    refused = AnsweredPresentationContext.decode(memoryview(b"\x01\0\x03\0"))
    assert refused.transfer_syntax == ""


@pytest.mark.parametrize("title", ["", "A" * 17, "É"])
def test_ae_title_encoding(title: str) -> None:
    """16 ASCII characters at most."""
    if not title:
        assert encode_ae_title(title) == b" " * 16
        return
    with pytest.raises(ValueError):
        encode_ae_title(title)


def test_accept_round_trip_keeps_the_echoed_titles() -> None:
    """A-ASSOCIATE-AC echoes the request's reserved fields."""
    accept = AssociateAccept(
        called_ae_title="CALLED",
        calling_ae_title="CALLING",
        presentation_contexts=(
            AnsweredPresentationContext(context_id=1, result=0, transfer_syntax="1.3"),
        ),
        user_information=UserInformation(max_pdu_bytes=16384, user_identity_response=b"ok"),
    )
    assert decode(accept.encode()) == accept


def test_empty_presentation_data_value() -> None:
    """A fragment of no bytes is legal, a PDU of no values is not."""
    value = PresentationDataValue(context_id=1, is_command=False, is_last=True, fragment=b"")
    transfer = DataTransfer(values=(value,))
    assert DataTransfer.decode(memoryview(transfer.encode())[6:]) == transfer
    with pytest.raises(InvalidPdu):
        DataTransfer.decode(memoryview(b""))
