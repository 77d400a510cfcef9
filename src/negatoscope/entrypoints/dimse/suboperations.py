"""C-STORE sub-operations of C-MOVE and C-GET: their counts, and the channel they go through."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

import structlog

from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.viewing.pixels import PixelsBusy
from negatoscope.domain.viewing.transcoding import (
    Transcoder,
    TranscodingFailed,
    fallbacks,
    transcode_stored,
)
from negatoscope.entrypoints.dimse.loading import Loaded
from negatoscope.protocols.dicom.dataset import encode
from negatoscope.protocols.dicom.dimse.association import AcceptedContext, Association, Message
from negatoscope.protocols.dicom.dimse.command import CommandField, c_store_rq, retrieve_rsp
from negatoscope.protocols.dicom.dimse.errors import AssociationError, DimseError, UnexpectedMessage
from negatoscope.standard import tags
from negatoscope.standard.dimse_status import Status, StatusCategory, category

PENDING_INTERVAL_S: Final = 0.5
"""Between pending responses; counts are exact in each."""

WINDOW_LIMIT: Final = 16
"""C-STORE requests under way at most, when the peer sets no limit."""

_LIST_LIMIT_BYTES: Final = 65_534  # of a UI in explicit VR (PS3.5 §7.1.2)
_log = structlog.get_logger(__name__)


class RequestorGoneError(Exception):
    """The association on which the retrieve was asked for is over."""


class BrokenOffError(DimseError):
    """An object turned out to be corrupt after its first bytes were sent; the association is aborted."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """The counts of objects being sent.

    Attributes:
        requestor: Who wants them, for the log.
        total: Sub-operations foreseen.
        failed_uids: SOP Instance UIDs of those that failed.
        comment: The first reason.
    """

    requestor: str
    total: int
    completed: int = 0
    failed: int = 0
    warning: int = 0
    failed_uids: list[str] = field(default_factory=list)
    comment: str | None = None
    _last_reason: str = ""

    @property
    def remaining(self) -> int:
        """Sub-operations neither done nor failed."""
        return max(0, self.total - self.completed - self.failed - self.warning)

    def note_status(self, stored: StoredInstance, status: int) -> None:
        """Count a C-STORE response."""
        kind = category(status)
        if kind is StatusCategory.SUCCESS:
            self.completed += 1
        elif kind is StatusCategory.WARNING:
            self.warning += 1
        else:
            self.note_failed(stored, f"the destination answered {status:04X}")

    def note_failed(self, stored: StoredInstance, reason: str) -> None:
        """Count a sub-operation that failed; the first reason goes into the final response."""
        self.failed += 1
        self.failed_uids.append(stored.sop_instance_uid)
        self.comment = self.comment or reason
        if reason != self._last_reason:  # thousands may fail for one reason
            self._last_reason = reason
            _log.warning(
                "retrieve.suboperation_failed",
                sop_instance_uid=stored.sop_instance_uid,
                reason=reason,
                requestor=self.requestor,
            )

    def cancelled(self) -> bool:
        """Whether no more is wanted."""
        return False

    def report_if_due(self) -> None:
        """Tell who waits how far it is, now and then."""


@dataclass(slots=True, kw_only=True)
class Progress(Tally):
    """The counts of one C-MOVE or C-GET, and its responses.

    Attributes:
        association: Where it was asked for.
        request: The C-MOVE-RQ or C-GET-RQ.
    """

    association: Association
    request: Message
    _next_report_at: float = 0.0

    def cancelled(self) -> bool:
        """Whether a C-CANCEL-RQ came.

        Raises:
            RequestorGoneError: the association is over.
        """
        try:
            return self.association.cancelled(self.request.command.message_id)
        except AssociationError as error:
            raise RequestorGoneError(str(error)) from error

    def report_if_due(self) -> None:
        """Send a pending response, half a second after the last one.

        Raises:
            RequestorGoneError: the association is over.
        """
        now = time.monotonic()
        if now < self._next_report_at or not self.remaining:
            return
        self._next_report_at = now + PENDING_INTERVAL_S
        self._respond(Status.PENDING, remaining=self.remaining)

    def finish(self, *, cancelled: bool) -> Status:
        """Send the final response. Returns: its status."""
        if cancelled:
            status = Status.CANCEL
        elif not self.failed and not self.warning:
            status = Status.SUCCESS
        elif not self.completed and not self.warning:
            status = Status.OUT_OF_RESOURCES_SUB_OPERATIONS
        else:
            status = Status.SUB_OPERATIONS_WITH_FAILURES
        self._respond(status, remaining=self.remaining if cancelled else None)
        return status

    def _respond(self, status: Status, *, remaining: int | None) -> None:
        is_final = status is not Status.PENDING
        identifier = self._failed_list() if is_final and self.failed_uids else None
        response = retrieve_rsp(
            self.request.command,
            status,
            remaining=remaining,
            completed=self.completed,
            failed=self.failed,
            warning=self.warning,
            error_comment=self.comment if is_final else None,
        )
        try:
            self.association.send_message(self.request.context.id, response, identifier)
        except AssociationError as error:
            raise RequestorGoneError(str(error)) from error

    def _failed_list(self) -> bytes:
        """Failed SOP Instance UID List (0008,0058), as many as the element holds."""
        uids: list[str] = []
        length = 0
        for uid in self.failed_uids:
            length += len(uid) + 1
            if length > _LIST_LIMIT_BYTES:
                break
            uids.append(uid)
        identifier = {f"{tags.FAILED_SOP_INSTANCE_UID_LIST:08X}": {"vr": "UI", "Value": uids}}
        return encode(identifier, self.request.context.transfer_syntax)


class StoreChannel:
    """Sends stored objects on one association, as many under way as it allows.

    The answer to an object is awaited only when the next one is to be sent.

    Args:
        association: On which we are SCU of the storage classes.
        retrieval: Where objects are read.
        progress: Counts.
        window: C-STORE requests under way at once.
        priority: Of the C-STORE requests.
        originator: AE title and Message ID of the C-MOVE, for its C-STOREs (PS3.7 §9.3.1.1).
        tick: Called while a long object is being sent.
        transcoder: Makes objects that the peer does not take as they are stored; None sends none.
    """

    def __init__(
        self,
        association: Association,
        *,
        retrieval: Retrieval,
        progress: Tally,
        window: int,
        priority: int = 0,
        originator: tuple[str, int] | None = None,
        tick: Callable[[], None] = lambda: None,
        transcoder: Transcoder | None = None,
    ) -> None:
        self.association = association
        self.answered = 0
        self._retrieval = retrieval
        self._progress = progress
        self._priority = priority
        self._window = min(window or WINDOW_LIMIT, WINDOW_LIMIT)
        self._originator = originator
        self._tick = tick
        self._transcoder = transcoder
        self._under_way: dict[int, StoredInstance] = {}
        self._contexts: dict[tuple[str, str], AcceptedContext] = {}
        for context in association.presentation_contexts.values():
            if context.as_scu:
                key = (context.abstract_syntax, context.transfer_syntax)
                self._contexts.setdefault(key, context)

    def accepts(self, stored: StoredInstance) -> bool:
        """Whether an object can go through as it is stored."""
        return (stored.sop_class_uid, stored.transfer_syntax_uid) in self._contexts

    def offer(self, loaded: Loaded) -> None:
        """Send one object, or count why not.

        Raises:
            DimseError: the association is over; ``is_under_way`` tells whether the object was
                being sent.
        """
        stored = loaded.stored
        context = self._contexts.get((stored.sop_class_uid, stored.transfer_syntax_uid))
        if context is None:
            self._offer_transcoded(stored)
        elif loaded.error is not None:
            self._progress.note_failed(stored, _reason(loaded.error))
        elif loaded.data_set is not None:
            self._send(stored, context, loaded.data_set)
        else:
            self._offer_long(stored, context)

    def _offer_long(self, stored: StoredInstance, context: AcceptedContext) -> None:
        """Read an object while it is sent."""
        try:
            with self._retrieval.open(stored) as member:
                pieces = member.data_set()
                first = next(pieces, b"")
                self._send(stored, context, self._ticking(chain((first,), pieces)))
        except RetrieveError as error:
            if not self.is_under_way(stored):
                self._progress.note_failed(stored, _reason(error))
                return
            self.association.abort()
            raise BrokenOffError(_reason(error)) from error

    def _offer_transcoded(self, stored: StoredInstance) -> None:
        """Send an object in the best syntax without loss that was accepted for its SOP class."""
        class_uid, stored_uid = stored.sop_class_uid, stored.transfer_syntax_uid
        accepted = (self._contexts.get((class_uid, uid)) for uid in fallbacks(stored_uid))
        context = next((one for one in accepted if one is not None), None)
        if self._transcoder is None or context is None:
            self._progress.note_failed(stored, "stored transfer syntax not accepted")
            return
        try:
            with self._retrieval.open(stored) as member:
                pieces = transcode_stored(
                    self._transcoder, self._retrieval, member, context.transfer_syntax
                )
                first = next(pieces, b"")
                self._send(stored, context, self._ticking(chain((first,), pieces)))
        except (RetrieveError, TranscodingFailed, PixelsBusy) as error:
            reason = _reason(error) if isinstance(error, RetrieveError) else str(error)
            if not self.is_under_way(stored):
                self._progress.note_failed(stored, f"not transcoded: {reason}")
                return
            self.association.abort()
            raise BrokenOffError(reason) from error

    def is_under_way(self, stored: StoredInstance) -> bool:
        """Whether an object was begun to be sent and not answered."""
        return any(other.id == stored.id for other in self._under_way.values())

    def drain(self) -> None:
        """Wait for the answers still to come.

        Raises:
            DimseError: the association is over.
        """
        while self._under_way:
            self._take_answer()

    def fail_under_way(self, reason: str) -> None:
        """Count what was not answered as failed."""
        for stored in self._under_way.values():
            self._progress.note_failed(stored, reason)
        self._under_way.clear()

    def _send(
        self,
        stored: StoredInstance,
        context: AcceptedContext,
        data_set: Iterable[bytes] | memoryview,
    ) -> None:
        while len(self._under_way) >= self._window:
            self._take_answer()
        message_id = self.association.next_message_id()
        originator, originator_message_id = self._originator or (None, None)
        command = c_store_rq(
            message_id,
            sop_class_uid=stored.sop_class_uid,
            sop_instance_uid=stored.sop_instance_uid,
            priority=self._priority,
            move_originator_ae_title=originator,
            move_originator_message_id=originator_message_id,
        )
        self._under_way[message_id] = stored
        self.association.send_message(context.id, command, data_set)

    def _ticking(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield piece
            self._tick()

    def _take_answer(self) -> None:
        message = self.association.next_message(timeout_s=self.association.timeouts.dimse_s)
        if message is None:
            raise UnexpectedMessage("the peer released the association instead of answering")
        command = message.command
        stored = self._under_way.pop(command.message_id_being_responded_to, None)
        if command.command_field != CommandField.C_STORE_RSP or stored is None:
            self.association.abort()
            raise UnexpectedMessage(f"{command!r} answers no C-STORE under way")
        self.answered += 1
        self._progress.note_status(stored, command.status)


def _reason(error: RetrieveError) -> str:
    """For an Error Comment: what is wrong, without the UID that the failed list has."""
    return str(error).removeprefix(f"{error.sop_instance_uid}: ")
