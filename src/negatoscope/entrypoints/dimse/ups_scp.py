"""Unified Procedure Step as SCP: Push, Pull, Watch and Query (PS3.4 Annex CC).

All instances are of the UPS Push SOP Class; the presentation context says which operations may be
asked for (§CC.3.1). Event reports are sent by ``ups_event_scp``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import structlog

from negatoscope.domain.archive.query import QueryError, UnusableKey, unusable_keys
from negatoscope.domain.identity.policies import Action, may
from negatoscope.domain.ups import FILTERED, Done, Subscriptions, Transport, UpsError, Worklist
from negatoscope.domain.ups import attributes as a
from negatoscope.domain.ups.data_sets import MAX_BYTES, text_of
from negatoscope.domain.ups.errors import ANSWERS
from negatoscope.domain.ups.searching import returned
from negatoscope.entrypoints.dimse.query_scp import encoded
from negatoscope.entrypoints.dimse.service import Service, caller_of
from negatoscope.infra.db import Database
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.protocols.dicom.dataset import DataSetError, DicomJson, decode, encode
from negatoscope.protocols.dicom.dimse.association import Association, Message
from negatoscope.protocols.dicom.dimse.command import CommandField, CommandSet, response_to
from negatoscope.protocols.dicom.dimse.errors import DataSetTooLarge
from negatoscope.standard import tags
from negatoscope.standard.dimse_status import Status
from negatoscope.standard.sop_classes import UPS_PULL, UPS_PUSH, UPS_QUERY, UPS_WATCH
from negatoscope.subscribers.audit import Outcome, record

LIMIT_BYTES: Final = MAX_BYTES
TRANSFER_SYNTAXES: Final = frozenset(
    {"1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"}
)
CHANGE_STATE, REQUEST_CANCEL, SUBSCRIBE, UNSUBSCRIBE, SUSPEND = range(1, 6)
"""Action Type IDs (Tables CC.2.1-1, CC.2.2-1, CC.2.3-1)."""

OPERATIONS: Final[Mapping[str, frozenset[CommandField]]] = MappingProxyType(
    {
        UPS_PUSH: frozenset(
            {CommandField.N_CREATE_RQ, CommandField.N_ACTION_RQ, CommandField.N_GET_RQ}
        ),
        UPS_PULL: frozenset(
            {CommandField.C_FIND_RQ, CommandField.N_GET_RQ}
            | {CommandField.N_SET_RQ, CommandField.N_ACTION_RQ}
        ),
        UPS_WATCH: frozenset(
            {CommandField.N_ACTION_RQ, CommandField.N_GET_RQ, CommandField.C_FIND_RQ}
        ),
        UPS_QUERY: frozenset({CommandField.C_FIND_RQ}),
    }
)
"""Tables CC.2-1 to CC.2-5."""

ACTIONS: Final[Mapping[str, frozenset[int]]] = MappingProxyType(
    {
        UPS_PUSH: frozenset({REQUEST_CANCEL}),
        UPS_PULL: frozenset({CHANGE_STATE}),
        UPS_WATCH: frozenset({REQUEST_CANCEL, SUBSCRIBE, UNSUBSCRIBE, SUSPEND}),
    }
)
_NAMES: Final = {UPS_PUSH: "push", UPS_PULL: "pull", UPS_WATCH: "watch", UPS_QUERY: "query"}
_TRANSACTIONS: Final = {
    CHANGE_STATE: "change state",
    REQUEST_CANCEL: "request cancel",
    SUBSCRIBE: "subscribe",
    UNSUBSCRIBE: "unsubscribe",
    SUSPEND: "suspend",
}
STATUSES: Final = tuple(
    sorted(
        {int(code) for code in ANSWERS}
        | {Status.SUCCESS, Status.PENDING, Status.CANCEL, Status.OUT_OF_RESOURCES, 0xB300}
        | {
            Status.REQUESTED_OPTIONAL_ATTRIBUTES_NOT_SUPPORTED,
            Status.NO_SUCH_ACTION,
            Status.NO_SUCH_SOP_CLASS,
        }
        | {UnusableKey.dimse_status, Status.UNRECOGNIZED_OPERATION}
    )
)
"""Every status these services answer, for the conformance statement."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsScp:
    """The worklist on the wire.

    Attributes:
        database: The worklist, the registry and the audit trail.
        max_results: Matches of one C-FIND before it is refused.
    """

    database: Database
    max_results: int = 100_000

    def services(self) -> list[Service]:
        """The rows of the listener's table, one for each SOP class."""
        return [
            Service(
                name=f"UPS {_NAMES[uid]}",
                abstract_syntaxes=frozenset({uid}),
                command_fields=fields,
                action=Action.UPS,
                handle=self.handle,
                transfer_syntaxes=TRANSFER_SYNTAXES,
            )
            for uid, fields in OPERATIONS.items()
        ]

    def handle(self, association: Association, message: Message) -> None:
        """Answer one request."""
        command = message.command
        answer: bytes | None = None
        status, comment = int(Status.SUCCESS), ""
        offending: tuple[int, ...] = ()
        made_uid: str | None = None
        try:
            data_set = self._read(association, message)
            match command.command_field:
                case CommandField.C_FIND_RQ:
                    status, comment = self._find(association, message, data_set)
                case CommandField.N_CREATE_RQ:
                    done = self._create(association, command, data_set)
                    status, made_uid = done.status, done.sop_instance_uid
                case CommandField.N_GET_RQ:
                    status, answer = self._get(association, message)
                case CommandField.N_SET_RQ:
                    done = Worklist(self.database).update(command.sop_instance_uid, data_set)
                    status = done.status
                    self._note(association, "update", command.sop_instance_uid)
                case _:
                    status = self._act(association, message, data_set)
        except UpsError as error:
            status, comment, offending = error.status, error.comment, error.offending
        except QueryError as error:
            status, comment = error.dimse_status, error.error_comment
        except DatabaseUnavailable as error:
            is_find = command.command_field == CommandField.C_FIND_RQ
            status = Status.OUT_OF_RESOURCES if is_find else Status.RESOURCE_LIMITATION
            comment = error.message
        if comment:
            _log.warning(
                "ups.refused",
                ae_title=association.calling_ae_title,
                command=repr(command),
                status=f"{status:04X}",
                reason=comment,
            )
        response = response_to(
            command,
            status,
            error_comment=comment or None,
            offending_elements=offending,
            sop_instance_uid=made_uid,
        )
        association.send_message(message.context.id, response, answer)

    def _read(self, association: Association, message: Message) -> DicomJson:
        """The data set of a request whose sender may ask and that names the right class."""
        try:
            raw = association.read_data_set(LIMIT_BYTES) if message.has_data_set else b""
        except DataSetTooLarge as error:
            is_find = message.command.command_field == CommandField.C_FIND_RQ
            status = Status.OUT_OF_RESOURCES if is_find else Status.RESOURCE_LIMITATION
            raise UpsError(status, str(error)) from error
        decision = may(caller_of(association).actor, Action.UPS)
        if not decision:
            self._note(association, "request", None, outcome=Outcome.REFUSED)
            raise UpsError(Status.NOT_AUTHORIZED, decision.reason)
        is_normalized = message.command.command_field >= 0x0100
        if is_normalized and message.command.sop_class_uid != UPS_PUSH:
            raise UpsError(Status.NO_SUCH_SOP_CLASS, "instances are of the UPS Push SOP Class")
        try:
            return decode(raw, message.context.transfer_syntax) if raw else {}
        except DataSetError as error:
            is_find = message.command.command_field == CommandField.C_FIND_RQ
            status = Status.UNABLE_TO_PROCESS if is_find else Status.PROCESSING_FAILURE
            raise UpsError(status, error.reason) from error

    def _create(self, association: Association, command: CommandSet, data_set: DicomJson) -> Done:
        uid = command.affected_sop_instance_uid or None
        done = Worklist(self.database).create(data_set, uid=uid)
        self._note(association, "create", done.sop_instance_uid)
        return done

    def _get(self, association: Association, message: Message) -> tuple[int, bytes]:
        """The attributes asked for, or all; never the Transaction UID (§CC.2.7)."""
        uid = message.command.sop_instance_uid
        asked = message.command.attribute_identifier_list
        item = Worklist(self.database).retrieve(uid)
        self._note(association, "retrieve", uid)
        found = returned(item, {}, everything=True)
        if asked:
            found = {tag: found[tag] for tag in map("{:08X}".format, asked) if tag in found}
        status = (
            Status.SUCCESS
            if len(found) >= len(set(asked))
            else Status.REQUESTED_OPTIONAL_ATTRIBUTES_NOT_SUPPORTED
        )
        return status, encode(found, message.context.transfer_syntax, charset="ISO_IR 192")

    def _act(self, association: Association, message: Message, data_set: DicomJson) -> int:
        """N-ACTION."""
        command = message.command
        uid, action = command.sop_instance_uid, command.action_type_id
        if action not in ACTIONS.get(message.context.abstract_syntax, ()):
            raise UpsError(Status.NO_SUCH_ACTION, "this SOP class has no such action")
        status = int(Status.SUCCESS)
        if action == CHANGE_STATE:
            lock = text_of(data_set, a.TRANSACTION_UID)
            status = (
                Worklist(self.database).change_state(uid, text_of(data_set, a.STATE), lock).status
            )
        elif action == REQUEST_CANCEL:
            asked_by = association.calling_ae_title
            status = (
                Worklist(self.database).request_cancel(uid, data_set, requesting_ae=asked_by).status
            )
        else:
            self._subscription(uid, action, data_set)
        self._note(association, _TRANSACTIONS[action], uid)
        return status

    def _subscription(self, uid: str, action: int, data_set: DicomJson) -> None:
        subscriptions = Subscriptions(self.database)
        ae_title = text_of(data_set, a.RECEIVING_AE)
        if not ae_title:
            raise UpsError(Status.MISSING_ATTRIBUTE, "no Receiving AE", offending=[0x00741234])
        if action == UNSUBSCRIBE:
            subscriptions.unsubscribe(uid, ae_title)
            return
        if action == SUSPEND:
            subscriptions.suspend(uid, ae_title)
            return
        lock = text_of(data_set, a.DELETION_LOCK)
        if lock not in ("TRUE", "FALSE"):
            status = Status.INVALID_ATTRIBUTE_VALUE if lock else Status.MISSING_ATTRIBUTE
            raise UpsError(status, "Deletion Lock is TRUE or FALSE", offending=[0x00741230])
        not_keys = {a.RECEIVING_AE, a.DELETION_LOCK, a.CHARACTER_SET}
        subscriptions.subscribe(
            uid,
            ae_title,
            deletion_lock=lock == "TRUE",
            transport=Transport.DIMSE,
            keys={t: key for t, key in data_set.items() if t not in not_keys}
            if uid == FILTERED
            else None,
        )

    def _find(self, association: Association, message: Message, keys: DicomJson) -> tuple[int, str]:
        """A pending response for each match. Returns: the final status and its comment."""
        if bad := unusable_keys(keys):
            name = tags.keyword_for(int(bad[0], 16)) or bad[0]
            offending = [int(tag, 16) for tag in bad]
            raise UpsError(
                UnusableKey.dimse_status, f"unusable value of {name}", offending=offending
            )
        terms = [term or "" for term in keys.get(a.CHARACTER_SET, {}).get("Value", ())]
        matched = sorted(tag for tag, key in keys.items() if key.get("Value"))
        self._note(association, "search", None, keys=matched)
        response = response_to(message.command, Status.PENDING)
        wanted: dict[str, Any] = {t: key for t, key in keys.items() if t != a.CHARACTER_SET}
        for number, item in enumerate(Worklist(self.database).search(wanted)):
            if association.cancelled(message.command.message_id):
                return Status.CANCEL, ""
            if number >= self.max_results:
                return Status.OUT_OF_RESOURCES, f"more than {number} matches, narrow the query"
            identifier = encoded(returned(item, wanted), message.context.transfer_syntax, terms)
            association.send_message(message.context.id, response, identifier)
        return Status.SUCCESS, ""

    def _note(
        self,
        association: Association,
        transaction: str,
        uid: str | None,
        *,
        outcome: Outcome = Outcome.SUCCESS,
        **detail: object,
    ) -> None:
        more = {"transaction": transaction, **detail}
        if uid is not None:
            more["sop_instance_uid"] = uid
        record(
            self.database,
            actor=caller_of(association).actor,
            action=Action.UPS,
            outcome=outcome,
            peer=association.peer_host,
            detail=more,
        )
