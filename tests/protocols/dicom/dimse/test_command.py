"""Command sets: bytes of real peers, builders, bounds, noise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negatoscope.protocols.dicom.dimse import command as c
from negatoscope.protocols.dicom.dimse.command import CommandField, CommandSet
from negatoscope.protocols.dicom.dimse.errors import InvalidCommandSet

# The C-ECHO-RQ of DCMTK 3.6.7's echoscu.
ECHO = bytes.fromhex(
    "00000000040000003800000000000200120000"
    "00312e322e3834302e31303030382e312e3100"
    "000000010200000030000000100102000000010000000008020000000101"
)


def test_echo_of_dcmtk() -> None:
    """Its bytes give the command, and the command gives the bytes."""
    command = CommandSet.decode(ECHO)
    assert command.command_field == CommandField.C_ECHO_RQ
    assert command.affected_sop_class_uid == "1.2.840.10008.1.1"
    assert command.message_id == 1
    assert not command.has_data_set
    assert not command.is_response
    assert c.c_echo_rq(1, "1.2.840.10008.1.1").with_data_set(present=False).encode() == ECHO


def test_store_response() -> None:
    """A response echoes UIDs and answers its request's Message ID."""
    request = c.c_store_rq(
        7, sop_class_uid="1.2", sop_instance_uid="1.2.3", move_originator_ae_title="MOVER",
        move_originator_message_id=9,
    )  # fmt: skip
    response = CommandSet.decode(
        c.c_store_rsp(
            request, 0xA900, error_comment="x" * 80, offending_elements=[0x00080016, 0x00080018]
        ).encode()
    )
    assert response == {
        c.AFFECTED_SOP_CLASS_UID: "1.2",
        c.COMMAND_FIELD: CommandField.C_STORE_RSP,
        c.MESSAGE_ID_BEING_RESPONDED_TO: 7,
        c.STATUS: 0xA900,
        c.OFFENDING_ELEMENT: (0x00080016, 0x00080018),
        c.ERROR_COMMENT: "x" * 64,
        c.AFFECTED_SOP_INSTANCE_UID: "1.2.3",
    }
    assert response.offending_elements == (0x00080016, 0x00080018)


@pytest.mark.parametrize(
    ("request_", "response_field"),
    [
        (c.c_echo_rq(1, "1.2"), 0x8030),
        (c.c_store_rq(1, sop_class_uid="1.2", sop_instance_uid="1.3"), 0x8001),
        (c.c_find_rq(1, "1.2"), 0x8020),
        (c.c_get_rq(1, "1.2"), 0x8010),
        (c.c_move_rq(1, "1.2", destination="DEST"), 0x8021),
        (
            c.n_event_report_rq(1, sop_class_uid="1.2", sop_instance_uid="1.3", event_type_id=1),
            0x8100,
        ),
        (c.n_get_rq(1, sop_class_uid="1.2", sop_instance_uid="1.3", attributes=[0x10]), 0x8110),
        (c.n_set_rq(1, sop_class_uid="1.2", sop_instance_uid="1.3"), 0x8120),
        (c.n_action_rq(1, sop_class_uid="1.2", sop_instance_uid="1.3", action_type_id=1), 0x8130),
        (c.n_create_rq(1, sop_class_uid="1.2", sop_instance_uid="1.3"), 0x8140),
        (c.n_delete_rq(1, sop_class_uid="1.2", sop_instance_uid="1.3"), 0x8150),
    ],
)
def test_every_request(request_: CommandSet, response_field: int) -> None:
    """Requests have their mandatory elements, survive the wire, and have a response."""
    assert request_.missing_elements() == ()
    assert CommandSet.decode(request_.encode()) == request_
    response = c.response_to(request_, 0)
    assert response.command_field == response_field
    assert response.is_response
    assert response.affected_sop_class_uid == request_.sop_class_uid
    assert response.affected_sop_instance_uid == request_.sop_instance_uid
    assert response.message_id_being_responded_to == 1
    del request_[c.MESSAGE_ID]
    assert request_.missing_elements() == (c.MESSAGE_ID,)


def test_cancel_answers_nothing() -> None:
    """C-CANCEL-RQ names the operation to cancel and has no Message ID."""
    cancel = c.c_cancel_rq(5)
    assert cancel.message_id_being_responded_to == 5
    assert cancel.missing_elements() == ()
    assert not cancel.is_response


def test_suboperation_counts() -> None:
    """Counts are US: larger ones are sent as 65535; remaining is left out when final."""
    request = c.c_move_rq(1, "1.2", destination="DEST")
    pending = c.retrieve_rsp(request, 0xFF00, remaining=100_000, completed=1, failed=2, warning=3)
    assert pending.remaining_suboperations == 0xFFFF
    assert (pending.completed_suboperations, pending.failed_suboperations) == (1, 2)
    assert pending.warning_suboperations == 3
    final = c.retrieve_rsp(request, 0, completed=1)
    assert c.NUMBER_OF_REMAINING_SUBOPERATIONS not in final
    CommandSet.decode(final.encode())


def element(number: int, value: bytes, group: int = 0) -> bytes:
    return (
        group.to_bytes(2, "little")
        + number.to_bytes(2, "little")
        + len(value).to_bytes(4, "little")
        + value
    )


FIELD = element(c.COMMAND_FIELD, b"\x30\x00")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no Command Field"),
        (FIELD + b"\0\0\0", "left over"),
        (FIELD + element(0x0010, b"", group=8), "group 0008"),
        (element(c.COMMAND_FIELD, b"\x30"), "US of 1 bytes"),
        (FIELD + b"\0\0\x00\x10\xff\xff\xff\xff1.2", "says 4294967295 bytes"),
        (FIELD + element(c.OFFENDING_ELEMENT, b"\0\0\0"), "AT of 3"),
        (FIELD + element(0x4000, bytes(65_536)), "command set of"),
    ],
)
def test_broken_command_sets(data: bytes, message: str) -> None:
    """Each is a typed error."""
    with pytest.raises(InvalidCommandSet, match=message):
        CommandSet.decode(data)


def test_lying_group_length_and_order_are_tolerated() -> None:
    """No reading depends on either."""
    data = element(c.MESSAGE_ID, b"\x05\x00") + element(0, b"\xff\xff\xff\xff") + FIELD
    assert CommandSet.decode(data).message_id == 5


def test_uids_stay_as_received() -> None:
    """Judging a hostile UID is the service's task; only padding is dropped."""
    data = FIELD + element(c.AFFECTED_SOP_INSTANCE_UID, b"../../etc/passwd\0")
    assert CommandSet.decode(data).affected_sop_instance_uid == "../../etc/passwd"


def test_unknown_elements_are_kept_as_bytes() -> None:
    """Private or future elements do no harm."""
    command = CommandSet.decode(FIELD + element(0x9999, b"\x01\x02"))
    assert command[0x9999] == b"\x01\x02"
    assert CommandSet.decode(command.encode()) == command


def test_values_that_do_not_fit() -> None:
    """A Message ID beyond US is our mistake, said at once."""
    with pytest.raises(ValueError, match=r"0000,0110"):
        c.c_echo_rq(70_000, "1.2").encode()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_noise_never_crashes(data: bytes) -> None:
    """Random bytes decode or raise the typed error."""
    try:
        command = CommandSet.decode(FIELD + data)
    except InvalidCommandSet:
        return
    repr(command)
    command.missing_elements()
    c.response_to(command, 0x0110)
