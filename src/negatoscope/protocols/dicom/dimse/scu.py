"""Service class users: one function per DIMSE operation, over an open `Association`.

Each sends its request, waits for the answers and gives them back; none raises for a status that is
not success: the caller reads it. `DimseError` is raised where the association is over or the peer
answers something else.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from negatoscope.protocols.dicom.dimse import command as c
from negatoscope.protocols.dicom.dimse.association import AcceptedContext, Association, Message
from negatoscope.protocols.dicom.dimse.command import CommandField, CommandSet
from negatoscope.protocols.dicom.dimse.errors import NoPresentationContext, UnexpectedMessage
from negatoscope.protocols.dicom.dimse.transport import Buffer

VERIFICATION_SOP_CLASS_UID = "1.2.840.10008.1.1"
IDENTIFIER_LIMIT_BYTES = 16 << 20
"""Longest identifier or report accepted in an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response and the data set that came with it, encoded in the context's transfer syntax."""

    command: CommandSet
    data_set: bytes | None = None

    @property
    def status(self) -> int:
        """Status (0000,0900)."""
        return self.command.status

    @property
    def is_pending(self) -> bool:
        """0xFF00 or 0xFF01: more answers follow."""
        return self.command.status & 0xFF00 == 0xFF00


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One object to store."""

    context: AcceptedContext
    sop_class_uid: str
    sop_instance_uid: str
    data_set: Iterable[Buffer] | Buffer


def scu_context(association: Association, abstract_syntax: str) -> AcceptedContext:
    """The first accepted context in which we may be SCU.

    Raises:
        NoPresentationContext: There is none.
    """
    contexts = association.find_context(abstract_syntax)
    if not contexts:
        raise NoPresentationContext(f"no accepted presentation context for {abstract_syntax}")
    return contexts[0]


def _answer(
    association: Association, message_id: int, field: int, *, timeout_s: float | None
) -> Answer:
    """The next message, which must be the response to ours."""
    message = association.next_message(timeout_s=timeout_s)
    return _checked_answer(association, message, message_id, field)


def _checked_answer(
    association: Association, message: Message | None, message_id: int, field: int
) -> Answer:
    if message is None:
        raise UnexpectedMessage("the peer released the association instead of answering")
    command = message.command
    if command.command_field != field | 0x8000:
        association.abort()
        raise UnexpectedMessage(f"{command!r} does not answer {CommandField(field).name}")
    if command.message_id_being_responded_to != message_id:
        association.abort()
        raise UnexpectedMessage(f"{command!r} does not answer message {message_id}")
    data_set = association.read_data_set(IDENTIFIER_LIMIT_BYTES) if message.has_data_set else None
    return Answer(command=command, data_set=data_set)


def echo(association: Association, *, timeout_s: float | None = None) -> int:
    """C-ECHO (PS3.7 §9.1.5). Returns the status."""
    context = scu_context(association, VERIFICATION_SOP_CLASS_UID)
    message_id = association.next_message_id()
    association.send_message(context.id, c.c_echo_rq(message_id, context.abstract_syntax))
    return _answer(association, message_id, CommandField.C_ECHO_RQ, timeout_s=timeout_s).status


def store(
    association: Association,
    context: AcceptedContext,
    *,
    sop_class_uid: str,
    sop_instance_uid: str,
    data_set: Iterable[Buffer] | Buffer,
    move_originator_ae_title: str | None = None,
    move_originator_message_id: int | None = None,
    timeout_s: float | None = None,
) -> Answer:
    """C-STORE (PS3.7 §9.1.1). ``data_set`` is encoded in the context's transfer syntax."""
    message_id = association.next_message_id()
    request = c.c_store_rq(
        message_id,
        sop_class_uid=sop_class_uid,
        sop_instance_uid=sop_instance_uid,
        move_originator_ae_title=move_originator_ae_title,
        move_originator_message_id=move_originator_message_id,
    )
    association.send_message(context.id, request, data_set)
    return _answer(association, message_id, CommandField.C_STORE_RQ, timeout_s=timeout_s)


def store_pipelined(
    association: Association, objects: Iterable[Outgoing]
) -> Iterator[tuple[Outgoing, Answer]]:
    """C-STORE with as many requests under way as the asynchronous operations window allows.

    Answers may come in any order; each is given with its object. With the window (1, 1) this is
    one `store` after another.
    """
    window = association.async_window.invoked or 16
    under_way: dict[int, Outgoing] = {}
    for outgoing in objects:
        if len(under_way) >= window:
            yield _one_stored(association, under_way)
        message_id = association.next_message_id()
        request = c.c_store_rq(
            message_id,
            sop_class_uid=outgoing.sop_class_uid,
            sop_instance_uid=outgoing.sop_instance_uid,
        )
        under_way[message_id] = outgoing
        association.send_message(outgoing.context.id, request, outgoing.data_set)
    while under_way:
        yield _one_stored(association, under_way)


def _one_stored(
    association: Association, under_way: dict[int, Outgoing]
) -> tuple[Outgoing, Answer]:
    message = association.next_message()
    message_id = message.command.message_id_being_responded_to if message else 0
    if message is not None and message_id not in under_way:
        association.abort()
        raise UnexpectedMessage(f"{message.command!r} answers nothing under way")
    answer = _checked_answer(association, message, message_id, CommandField.C_STORE_RQ)
    return under_way.pop(message_id), answer


def _answers(
    association: Association,
    context: AcceptedContext,
    message_id: int,
    field: CommandField,
    timeout_s: float | None,
) -> Generator[Answer, None, None]:
    """Pending answers, then the final one. Leaving early cancels and drains."""
    final = False
    try:
        while not final:
            answer = _answer(association, message_id, field, timeout_s=timeout_s)
            final = not answer.is_pending
            yield answer
    finally:
        if not final and association.is_open:
            association.send_message(context.id, c.c_cancel_rq(message_id))
            while _answer(association, message_id, field, timeout_s=timeout_s).is_pending:
                pass


def find(
    association: Association,
    context: AcceptedContext,
    identifier: bytes,
    *,
    timeout_s: float | None = None,
) -> Generator[Answer, None, None]:
    """C-FIND (PS3.7 §9.1.2): pending answers with their identifiers, then the final answer.

    Closing the generator before its end sends C-CANCEL-FIND-RQ and waits for the final answer.
    """
    message_id = association.next_message_id()
    request = c.c_find_rq(message_id, context.abstract_syntax)
    association.send_message(context.id, request, identifier)
    return _answers(association, context, message_id, CommandField.C_FIND_RQ, timeout_s)


def move(
    association: Association,
    context: AcceptedContext,
    identifier: bytes,
    *,
    destination: str,
    timeout_s: float | None = None,
) -> Generator[Answer, None, None]:
    """C-MOVE (PS3.7 §9.1.4): pending answers with their counts, then the final answer.

    Closing the generator before its end cancels.
    """
    message_id = association.next_message_id()
    request = c.c_move_rq(message_id, context.abstract_syntax, destination=destination)
    association.send_message(context.id, request, identifier)
    return _answers(association, context, message_id, CommandField.C_MOVE_RQ, timeout_s)


StoreCallback = Callable[[Association, Message], int]
"""Reads the data set of a C-STORE request and returns the status to answer."""


def get(
    association: Association,
    context: AcceptedContext,
    identifier: bytes,
    on_store: StoreCallback,
    *,
    timeout_s: float | None = None,
) -> Generator[Answer, None, None]:
    """C-GET (PS3.7 §9.1.3): objects go to ``on_store`` as they come; answers as for `move`.

    Closing the generator before its end sends C-CANCEL-GET-RQ; objects that were on their way
    still go to ``on_store``.
    """
    message_id = association.next_message_id()
    request = c.c_get_rq(message_id, context.abstract_syntax)
    association.send_message(context.id, request, identifier)
    return _get_answers(association, context, message_id, on_store, timeout_s)


def _get_answers(
    association: Association,
    context: AcceptedContext,
    message_id: int,
    on_store: StoreCallback,
    timeout_s: float | None,
) -> Generator[Answer, None, None]:
    final = False

    def step() -> Answer:
        while True:
            message = association.next_message(timeout_s=timeout_s)
            if message is None or message.command.is_response:
                return _checked_answer(association, message, message_id, CommandField.C_GET_RQ)
            if message.command.command_field != CommandField.C_STORE_RQ:
                association.abort()
                raise UnexpectedMessage(f"{message.command!r} during C-GET")
            status = on_store(association, message)
            association.discard_data_set()
            response = c.c_store_rsp(message.command, status)
            association.send_message(message.context.id, response)

    try:
        while not final:
            answer = step()
            final = not answer.is_pending
            yield answer
    finally:
        if not final and association.is_open:
            association.send_message(context.id, c.c_cancel_rq(message_id))
            while step().is_pending:
                pass


def n_action(
    association: Association,
    context: AcceptedContext,
    *,
    sop_class_uid: str,
    sop_instance_uid: str,
    action_type_id: int,
    data_set: bytes | None = None,
    timeout_s: float | None = None,
) -> Answer:
    """N-ACTION (PS3.7 §10.1.4)."""
    message_id = association.next_message_id()
    request = c.n_action_rq(
        message_id,
        sop_class_uid=sop_class_uid,
        sop_instance_uid=sop_instance_uid,
        action_type_id=action_type_id,
    )
    association.send_message(context.id, request, data_set)
    return _answer(association, message_id, CommandField.N_ACTION_RQ, timeout_s=timeout_s)


def n_event_report(
    association: Association,
    context: AcceptedContext,
    *,
    sop_class_uid: str,
    sop_instance_uid: str,
    event_type_id: int,
    data_set: bytes | None = None,
    timeout_s: float | None = None,
) -> Answer:
    """N-EVENT-REPORT (PS3.7 §10.1.1), sent by whoever is SCP of the SOP class."""
    message_id = association.next_message_id()
    request = c.n_event_report_rq(
        message_id,
        sop_class_uid=sop_class_uid,
        sop_instance_uid=sop_instance_uid,
        event_type_id=event_type_id,
    )
    association.send_message(context.id, request, data_set)
    return _answer(association, message_id, CommandField.N_EVENT_REPORT_RQ, timeout_s=timeout_s)


def n_create(
    association: Association,
    context: AcceptedContext,
    *,
    sop_class_uid: str,
    sop_instance_uid: str | None = None,
    data_set: bytes | None = None,
    timeout_s: float | None = None,
) -> Answer:
    """N-CREATE (PS3.7 §10.1.5); without an instance UID the SCP makes one and answers it."""
    message_id = association.next_message_id()
    request = c.n_create_rq(
        message_id, sop_class_uid=sop_class_uid, sop_instance_uid=sop_instance_uid
    )
    association.send_message(context.id, request, data_set)
    return _answer(association, message_id, CommandField.N_CREATE_RQ, timeout_s=timeout_s)


def n_get(
    association: Association,
    context: AcceptedContext,
    *,
    sop_class_uid: str,
    sop_instance_uid: str,
    attributes: Sequence[int] = (),
    timeout_s: float | None = None,
) -> Answer:
    """N-GET (PS3.7 §10.1.2); no attributes asks for all."""
    message_id = association.next_message_id()
    request = c.n_get_rq(
        message_id,
        sop_class_uid=sop_class_uid,
        sop_instance_uid=sop_instance_uid,
        attributes=attributes,
    )
    association.send_message(context.id, request)
    return _answer(association, message_id, CommandField.N_GET_RQ, timeout_s=timeout_s)


def n_set(
    association: Association,
    context: AcceptedContext,
    *,
    sop_class_uid: str,
    sop_instance_uid: str,
    data_set: bytes,
    timeout_s: float | None = None,
) -> Answer:
    """N-SET (PS3.7 §10.1.3)."""
    message_id = association.next_message_id()
    request = c.n_set_rq(message_id, sop_class_uid=sop_class_uid, sop_instance_uid=sop_instance_uid)
    association.send_message(context.id, request, data_set)
    return _answer(association, message_id, CommandField.N_SET_RQ, timeout_s=timeout_s)


def n_delete(
    association: Association,
    context: AcceptedContext,
    *,
    sop_class_uid: str,
    sop_instance_uid: str,
    timeout_s: float | None = None,
) -> Answer:
    """N-DELETE (PS3.7 §10.1.6)."""
    message_id = association.next_message_id()
    request = c.n_delete_rq(
        message_id, sop_class_uid=sop_class_uid, sop_instance_uid=sop_instance_uid
    )
    association.send_message(context.id, request)
    return _answer(association, message_id, CommandField.N_DELETE_RQ, timeout_s=timeout_s)
