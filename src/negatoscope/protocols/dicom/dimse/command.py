"""DIMSE messages: how each request and each response is made (PS3.7 §9.3, §10.3).

What a command set is and how it is encoded is in `command_set`, whose names are given out here too.
A ``message_id`` is unique among the operations under way on its association.
"""

from collections.abc import Sequence
from typing import Final

from negatoscope.protocols.dicom.dimse.command_set import (
    ACTION_TYPE_ID,
    AFFECTED_SOP_CLASS_UID,
    AFFECTED_SOP_INSTANCE_UID,
    ATTRIBUTE_IDENTIFIER_LIST,
    COMMAND_DATA_SET_TYPE,
    COMMAND_FIELD,
    COMMAND_GROUP_LENGTH,
    ERROR_COMMENT,
    ERROR_ID,
    EVENT_TYPE_ID,
    MANDATORY,
    MAX_COMMAND_SET_BYTES,
    MESSAGE_ID,
    MESSAGE_ID_BEING_RESPONDED_TO,
    MOVE_DESTINATION,
    MOVE_ORIGINATOR_APPLICATION_ENTITY_TITLE,
    MOVE_ORIGINATOR_MESSAGE_ID,
    NEEDS_DATA_SET,
    NO_DATA_SET,
    NUMBER_OF_COMPLETED_SUBOPERATIONS,
    NUMBER_OF_FAILED_SUBOPERATIONS,
    NUMBER_OF_REMAINING_SUBOPERATIONS,
    NUMBER_OF_WARNING_SUBOPERATIONS,
    OFFENDING_ELEMENT,
    PRIORITY,
    REQUESTED_SOP_CLASS_UID,
    REQUESTED_SOP_INSTANCE_UID,
    STATUS,
    CommandField,
    CommandSet,
    CommandValue,
    Priority,
)

__all__ = [
    "ACTION_TYPE_ID",
    "AFFECTED_SOP_CLASS_UID",
    "AFFECTED_SOP_INSTANCE_UID",
    "ATTRIBUTE_IDENTIFIER_LIST",
    "COMMAND_DATA_SET_TYPE",
    "COMMAND_FIELD",
    "COMMAND_GROUP_LENGTH",
    "ERROR_COMMENT",
    "ERROR_ID",
    "EVENT_TYPE_ID",
    "MANDATORY",
    "MAX_COMMAND_SET_BYTES",
    "MESSAGE_ID",
    "MESSAGE_ID_BEING_RESPONDED_TO",
    "MOVE_DESTINATION",
    "MOVE_ORIGINATOR_APPLICATION_ENTITY_TITLE",
    "MOVE_ORIGINATOR_MESSAGE_ID",
    "NEEDS_DATA_SET",
    "NO_DATA_SET",
    "NUMBER_OF_COMPLETED_SUBOPERATIONS",
    "NUMBER_OF_FAILED_SUBOPERATIONS",
    "NUMBER_OF_REMAINING_SUBOPERATIONS",
    "NUMBER_OF_WARNING_SUBOPERATIONS",
    "OFFENDING_ELEMENT",
    "PRIORITY",
    "REQUESTED_SOP_CLASS_UID",
    "REQUESTED_SOP_INSTANCE_UID",
    "STATUS",
    "CommandField",
    "CommandSet",
    "CommandValue",
    "Priority",
    "c_cancel_rq",
    "c_echo_rq",
    "c_echo_rsp",
    "c_find_rq",
    "c_find_rsp",
    "c_get_rq",
    "c_move_rq",
    "c_store_rq",
    "c_store_rsp",
    "n_action_rq",
    "n_create_rq",
    "n_delete_rq",
    "n_event_report_rq",
    "n_get_rq",
    "n_set_rq",
    "response_to",
    "retrieve_rsp",
]


def c_echo_rq(message_id: int, sop_class_uid: str) -> CommandSet:
    """C-ECHO-RQ (PS3.7 §9.3.5.1)."""
    return CommandSet(
        {
            AFFECTED_SOP_CLASS_UID: sop_class_uid,
            COMMAND_FIELD: CommandField.C_ECHO_RQ,
            MESSAGE_ID: message_id,
        }
    )


def c_store_rq(
    message_id: int,
    *,
    sop_class_uid: str,
    sop_instance_uid: str,
    priority: int = Priority.MEDIUM,
    move_originator_ae_title: str | None = None,
    move_originator_message_id: int | None = None,
) -> CommandSet:
    """C-STORE-RQ (PS3.7 §9.3.1.1)."""
    command = CommandSet(
        {
            AFFECTED_SOP_CLASS_UID: sop_class_uid,
            COMMAND_FIELD: CommandField.C_STORE_RQ,
            MESSAGE_ID: message_id,
            PRIORITY: priority,
            AFFECTED_SOP_INSTANCE_UID: sop_instance_uid,
        }
    )
    if move_originator_ae_title is not None:
        command[MOVE_ORIGINATOR_APPLICATION_ENTITY_TITLE] = move_originator_ae_title
    if move_originator_message_id is not None:
        command[MOVE_ORIGINATOR_MESSAGE_ID] = move_originator_message_id
    return command


def c_find_rq(
    message_id: int, sop_class_uid: str, *, priority: int = Priority.MEDIUM
) -> CommandSet:
    """C-FIND-RQ (PS3.7 §9.3.2.1)."""
    return _c_query(CommandField.C_FIND_RQ, message_id, sop_class_uid, priority)


def c_get_rq(message_id: int, sop_class_uid: str, *, priority: int = Priority.MEDIUM) -> CommandSet:
    """C-GET-RQ (PS3.7 §9.3.3.1)."""
    return _c_query(CommandField.C_GET_RQ, message_id, sop_class_uid, priority)


def c_move_rq(
    message_id: int, sop_class_uid: str, *, destination: str, priority: int = Priority.MEDIUM
) -> CommandSet:
    """C-MOVE-RQ (PS3.7 §9.3.4.1)."""
    command = _c_query(CommandField.C_MOVE_RQ, message_id, sop_class_uid, priority)
    command[MOVE_DESTINATION] = destination
    return command


def _c_query(field: CommandField, message_id: int, sop_class_uid: str, priority: int) -> CommandSet:
    return CommandSet(
        {
            AFFECTED_SOP_CLASS_UID: sop_class_uid,
            COMMAND_FIELD: field,
            MESSAGE_ID: message_id,
            PRIORITY: priority,
        }
    )


def c_cancel_rq(message_id_being_responded_to: int) -> CommandSet:
    """C-CANCEL-FIND, -GET or -MOVE-RQ (PS3.7 §9.3.2.3); it has no response."""
    return CommandSet(
        {
            COMMAND_FIELD: CommandField.C_CANCEL_RQ,
            MESSAGE_ID_BEING_RESPONDED_TO: message_id_being_responded_to,
        }
    )


def n_event_report_rq(
    message_id: int, *, sop_class_uid: str, sop_instance_uid: str, event_type_id: int
) -> CommandSet:
    """N-EVENT-REPORT-RQ (PS3.7 §10.3.1.1)."""
    return CommandSet(
        {
            AFFECTED_SOP_CLASS_UID: sop_class_uid,
            COMMAND_FIELD: CommandField.N_EVENT_REPORT_RQ,
            MESSAGE_ID: message_id,
            AFFECTED_SOP_INSTANCE_UID: sop_instance_uid,
            EVENT_TYPE_ID: event_type_id,
        }
    )


def n_get_rq(
    message_id: int, *, sop_class_uid: str, sop_instance_uid: str, attributes: Sequence[int] = ()
) -> CommandSet:
    """N-GET-RQ (PS3.7 §10.3.2.1); no attributes asks for all."""
    command = _n_requested(CommandField.N_GET_RQ, message_id, sop_class_uid, sop_instance_uid)
    if attributes:
        command[ATTRIBUTE_IDENTIFIER_LIST] = tuple(attributes)
    return command


def n_set_rq(message_id: int, *, sop_class_uid: str, sop_instance_uid: str) -> CommandSet:
    """N-SET-RQ (PS3.7 §10.3.3.1)."""
    return _n_requested(CommandField.N_SET_RQ, message_id, sop_class_uid, sop_instance_uid)


def n_action_rq(
    message_id: int, *, sop_class_uid: str, sop_instance_uid: str, action_type_id: int
) -> CommandSet:
    """N-ACTION-RQ (PS3.7 §10.3.4.1)."""
    command = _n_requested(CommandField.N_ACTION_RQ, message_id, sop_class_uid, sop_instance_uid)
    command[ACTION_TYPE_ID] = action_type_id
    return command


def n_create_rq(
    message_id: int, *, sop_class_uid: str, sop_instance_uid: str | None = None
) -> CommandSet:
    """N-CREATE-RQ (PS3.7 §10.3.5.1); without an instance UID the SCP makes one."""
    command = CommandSet(
        {
            AFFECTED_SOP_CLASS_UID: sop_class_uid,
            COMMAND_FIELD: CommandField.N_CREATE_RQ,
            MESSAGE_ID: message_id,
        }
    )
    if sop_instance_uid is not None:
        command[AFFECTED_SOP_INSTANCE_UID] = sop_instance_uid
    return command


def n_delete_rq(message_id: int, *, sop_class_uid: str, sop_instance_uid: str) -> CommandSet:
    """N-DELETE-RQ (PS3.7 §10.3.6.1)."""
    return _n_requested(CommandField.N_DELETE_RQ, message_id, sop_class_uid, sop_instance_uid)


def _n_requested(
    field: CommandField, message_id: int, sop_class_uid: str, sop_instance_uid: str
) -> CommandSet:
    return CommandSet(
        {
            REQUESTED_SOP_CLASS_UID: sop_class_uid,
            COMMAND_FIELD: field,
            MESSAGE_ID: message_id,
            REQUESTED_SOP_INSTANCE_UID: sop_instance_uid,
        }
    )


_ECHOED: Final = (
    AFFECTED_SOP_CLASS_UID,
    AFFECTED_SOP_INSTANCE_UID,
    EVENT_TYPE_ID,
    ACTION_TYPE_ID,
)


def response_to(
    request: CommandSet,
    status: int,
    *,
    error_comment: str | None = None,
    offending_elements: Sequence[int] = (),
    error_id: int | None = None,
    sop_instance_uid: str | None = None,
) -> CommandSet:
    """The response to any request but C-CANCEL (PS3.7 §9.3, §10.3).

    UIDs and type IDs are echoed; requested UIDs of N-services become affected ones, as there.

    Args:
        request: The request.
        status: Status (0000,0900).
        error_comment: Cut at 64 characters.
        offending_elements: Tags.
        error_id: Error ID (0000,0903).
        sop_instance_uid: Affected SOP Instance UID, where the SCP made it (N-CREATE).
    """
    response = CommandSet({element: request[element] for element in _ECHOED if element in request})
    if REQUESTED_SOP_CLASS_UID in request:
        response[AFFECTED_SOP_CLASS_UID] = request[REQUESTED_SOP_CLASS_UID]
    if REQUESTED_SOP_INSTANCE_UID in request:
        response[AFFECTED_SOP_INSTANCE_UID] = request[REQUESTED_SOP_INSTANCE_UID]
    if sop_instance_uid is not None:
        response[AFFECTED_SOP_INSTANCE_UID] = sop_instance_uid
    response[COMMAND_FIELD] = request.command_field | 0x8000
    response[MESSAGE_ID_BEING_RESPONDED_TO] = request.message_id
    response[STATUS] = status
    if error_comment is not None:
        response[ERROR_COMMENT] = error_comment[:64]
    if offending_elements:
        response[OFFENDING_ELEMENT] = tuple(offending_elements)
    if error_id is not None:
        response[ERROR_ID] = error_id
    return response


def c_echo_rsp(request: CommandSet, status: int = 0) -> CommandSet:
    """C-ECHO-RSP (PS3.7 §9.3.5.2)."""
    return response_to(request, status)


def c_store_rsp(
    request: CommandSet,
    status: int = 0,
    *,
    error_comment: str | None = None,
    offending_elements: Sequence[int] = (),
) -> CommandSet:
    """C-STORE-RSP (PS3.7 §9.3.1.2)."""
    return response_to(
        request, status, error_comment=error_comment, offending_elements=offending_elements
    )


def c_find_rsp(
    request: CommandSet,
    status: int,
    *,
    error_comment: str | None = None,
    offending_elements: Sequence[int] = (),
) -> CommandSet:
    """C-FIND-RSP (PS3.7 §9.3.2.2); send it with the identifier when pending."""
    return response_to(
        request, status, error_comment=error_comment, offending_elements=offending_elements
    )


def retrieve_rsp(
    request: CommandSet,
    status: int,
    *,
    remaining: int | None = None,
    completed: int = 0,
    failed: int = 0,
    warning: int = 0,
    error_comment: str | None = None,
    offending_elements: Sequence[int] = (),
) -> CommandSet:
    """C-GET-RSP or C-MOVE-RSP with its sub-operation counts (PS3.7 §9.3.3.2, §9.3.4.2).

    Args:
        request: The C-GET-RQ or C-MOVE-RQ.
        status: Status.
        remaining: Not in final responses other than cancel: leave it None.
        completed: Sub-operations done; counts above 65535, all that US holds, are sent as 65535.
        failed: Sub-operations failed.
        warning: Sub-operations done with a warning.
        error_comment: Cut at 64 characters.
        offending_elements: Tags.
    """
    response = response_to(
        request, status, error_comment=error_comment, offending_elements=offending_elements
    )
    if remaining is not None:
        response[NUMBER_OF_REMAINING_SUBOPERATIONS] = min(remaining, 0xFFFF)
    response[NUMBER_OF_COMPLETED_SUBOPERATIONS] = min(completed, 0xFFFF)
    response[NUMBER_OF_FAILED_SUBOPERATIONS] = min(failed, 0xFFFF)
    response[NUMBER_OF_WARNING_SUBOPERATIONS] = min(warning, 0xFFFF)
    return response
