"""Query as SCP: C-FIND of the patient root, study root and patient/study only models (PS3.4 §C.4.1).

Answers come in the request's Specific Character Set where it can hold them, else in ISO_IR 192.
Relational queries, combined date-time matching, fuzzy names, empty value and multiple value
matching are agreed to when proposed (PS3.4 §C.5.1.1); timezone adjustment is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import structlog

from negatoscope.domain.archive.query import (
    DEFAULT_LIMITS,
    DicomJson,
    HeaderReader,
    InformationModel,
    MatchOptions,
    Query,
    QueryError,
    QueryLevel,
    QueryLimits,
    UnusableKey,
    search,
    unusable_keys,
)
from negatoscope.domain.identity.policies import Action, may
from negatoscope.entrypoints.dimse.service import Service, caller_of
from negatoscope.infra import metrics
from negatoscope.infra.db import Database
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.protocols.dicom.dataset import DataSetError, NotEncodable, decode, encode
from negatoscope.protocols.dicom.dataset.charset import codec_for
from negatoscope.protocols.dicom.dimse.association import Association, Message
from negatoscope.protocols.dicom.dimse.command import CommandField, c_find_rsp
from negatoscope.protocols.dicom.dimse.errors import DataSetTooLarge
from negatoscope.standard import sop_classes, tags
from negatoscope.standard.dimse_status import Status
from negatoscope.subscribers.audit import Outcome, record

IDENTIFIER_LIMIT_BYTES: Final = 1 << 20
TRANSFER_SYNTAXES: Final = frozenset(
    {
        "1.2.840.10008.1.2",
        "1.2.840.10008.1.2.1",
        "1.2.840.10008.1.2.1.99",
        "1.2.840.10008.1.2.2",
    }
)
"""Of identifiers."""

MODELS: Final[Mapping[str, InformationModel]] = MappingProxyType(
    {
        sop_classes.PATIENT_ROOT_FIND: InformationModel.PATIENT_ROOT,
        sop_classes.STUDY_ROOT_FIND: InformationModel.STUDY_ROOT,
        sop_classes.PATIENT_STUDY_ONLY_FIND: InformationModel.PATIENT_STUDY_ONLY,
    }
)

STATUSES: Final[Mapping[int, str]] = MappingProxyType(
    {
        Status.SUCCESS: "Matching is complete",
        Status.PENDING: "A match follows; every key was supported",
        Status.PENDING_WARNING: "A match follows; at least one optional key is not supported",
        Status.CANCEL: "Matching was ended by C-CANCEL",
        Status.NOT_AUTHORIZED: "The calling AE title may not query",
        Status.OUT_OF_RESOURCES: "More matches than are answered, a query that takes too long, an"
        " identifier beyond 1 MiB, or no index to ask",
        Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS: "Query/Retrieve Level missing or not of the"
        " model, or a unique key of an upper level missing, a list or a wild card",
        Status.UNABLE_TO_PROCESS: "The identifier cannot be read, or the index cannot answer",
        UnusableKey.dimse_status: "A key is no date, time, range or number where its value"
        " representation asks for one",
    }
)
"""Every status this service answers, for the conformance statement."""

#: Service class application information (PS3.4 Table C.5-1), byte by byte: may it be agreed to?
_AGREED: Final = (True, True, True, False, False, True, True)
_LEVEL: Final = f"{tags.QUERY_RETRIEVE_LEVEL:08X}"
_CHARACTER_SET: Final = f"{tags.SPECIFIC_CHARACTER_SET:08X}"
_RETRIEVE_AE_TITLE: Final = f"{tags.RETRIEVE_AE_TITLE:08X}"
_IN_EVERY_ANSWER: Final = frozenset({_CHARACTER_SET, _LEVEL})

_SECONDS: Final = {level: metrics.C_FIND_SECONDS.labels(level) for level in QueryLevel}
_log = structlog.get_logger(__name__)


class _Refused(Exception):
    """The request ends with a failure."""

    def __init__(self, status: int, comment: str, *offending_elements: int) -> None:
        super().__init__(comment)
        self.status = status
        self.comment = comment
        self.offending_elements = offending_elements


@dataclass(slots=True, kw_only=True)
class QueryScp:
    """The query service.

    Attributes:
        database: The index and the audit trail.
        ae_title: Ours, answered as Retrieve AE Title.
        headers: Reads object headers for IMAGE level keys the index has no column for.
        limits: Bounds on each query; others may be put here while it runs.
    """

    database: Database
    ae_title: str
    headers: HeaderReader | None = None
    limits: QueryLimits = DEFAULT_LIMITS

    def service(self) -> Service:
        """The row of the listener's table."""
        return Service(
            name="query",
            abstract_syntaxes=frozenset(MODELS),
            command_fields=frozenset({CommandField.C_FIND_RQ}),
            action=Action.QUERY,
            handle=self.find,
            transfer_syntaxes=TRANSFER_SYNTAXES,
            answer_extended_negotiation=answer_extended_negotiation,
        )

    def find(self, association: Association, message: Message) -> None:
        """Answer one C-FIND-RQ: a pending response for each match, then the final one."""
        try:
            query, terms = self._read(association, message)
            with metrics.timed(_SECONDS[query.level]):
                status, comment = self._answer(association, message, query, terms)
        except _Refused as refused:
            response = c_find_rsp(
                message.command,
                refused.status,
                error_comment=refused.comment,
                offending_elements=refused.offending_elements,
            )
        else:
            response = c_find_rsp(message.command, status, error_comment=comment)
        association.send_message(message.context.id, response)

    def _read(self, association: Association, message: Message) -> tuple[Query, tuple[str, ...]]:
        """The question and the character sets its answers should have."""
        try:
            data_set = association.read_data_set(IDENTIFIER_LIMIT_BYTES)
        except DataSetTooLarge as error:
            raise _Refused(Status.OUT_OF_RESOURCES, str(error)) from error
        decision = may(caller_of(association).actor, Action.QUERY)
        if not decision:
            self._note(association, Outcome.REFUSED, reason=decision.reason)
            raise _Refused(Status.NOT_AUTHORIZED, decision.reason)
        try:
            keys = decode(data_set, message.context.transfer_syntax)
        except DataSetError as error:
            raise _Refused(Status.UNABLE_TO_PROCESS, error.reason) from error
        query = self._query(association, message.context.abstract_syntax, keys)
        if bad := unusable_keys(keys):
            offending = [int(tag, 16) for tag in bad]
            comment = f"unusable value of {tags.keyword_for(offending[0]) or bad[0]}"
            raise _Refused(UnusableKey.dimse_status, comment, *offending)
        declared = keys.get(_CHARACTER_SET, {}).get("Value", ())
        return query, tuple(term or "" for term in declared)

    def _query(self, association: Association, sop_class_uid: str, keys: DicomJson) -> Query:
        levels = keys.get(_LEVEL, {}).get("Value") or [""]
        model = MODELS[sop_class_uid]
        if levels[0] not in {str(level) for level in model.levels}:
            raise _Refused(
                Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
                "Query/Retrieve Level is missing or not of this model",
                tags.QUERY_RETRIEVE_LEVEL,
            )
        agreed = association.extended_negotiation.get(sop_class_uid, b"").ljust(len(_AGREED), b"\0")
        keys = {tag: key for tag, key in keys.items() if tag not in _IN_EVERY_ANSWER}
        keys.setdefault(_RETRIEVE_AE_TITLE, {"vr": "AE"})
        return Query(
            level=QueryLevel(levels[0]),
            keys=keys,
            model=model,
            relational=bool(agreed[0]),
            options=MatchOptions(
                combined_datetime=bool(agreed[1]),
                fuzzy=bool(agreed[2]),
                every_value=bool(agreed[6]),
            ),
            scope=caller_of(association).actor.data_scope,
            retrieve_ae_title=self.ae_title,
        )

    def _answer(
        self, association: Association, message: Message, query: Query, terms: Sequence[str]
    ) -> tuple[int, str | None]:
        """Send the matches. Returns: the final status and its comment."""
        try:
            matches = search(self.database, query, headers=self.headers, limits=self.limits)
            self._note_query(association, query)
            pending = Status.PENDING_WARNING if matches.unsupported else Status.PENDING
            response = c_find_rsp(message.command, pending)
            common = {_LEVEL: {"vr": "CS", "Value": [str(query.level)]}}
            for match in matches:
                if association.cancelled(message.command.message_id):
                    matches.close()
                    return Status.CANCEL, None
                identifier = encoded(match | common, message.context.transfer_syntax, terms)
                association.send_message(message.context.id, response, identifier)
        except QueryError as error:
            _log.warning("query.refused", code=error.code, level=query.level)
            raise _Refused(error.dimse_status, error.error_comment) from error
        if matches.truncated:
            return Status.OUT_OF_RESOURCES, f"more than {matches.count} matches, narrow the query"
        return Status.SUCCESS, None

    def _note_query(self, association: Association, query: Query) -> None:
        """Which keys were asked; of the values only identifiers that are no names."""
        study = _single(query.keys, tags.STUDY_INSTANCE_UID)
        patient = _single(query.keys, tags.PATIENT_ID)
        self._note(
            association,
            Outcome.SUCCESS,
            study_instance_uid=study,
            patient_id=patient,
            level=str(query.level),
            keys=sorted(tag for tag, key in query.keys.items() if key.get("Value")),
        )

    def _note(
        self,
        association: Association,
        outcome: Outcome,
        *,
        study_instance_uid: str | None = None,
        patient_id: str | None = None,
        **detail: object,
    ) -> None:
        try:
            record(
                self.database,
                actor=caller_of(association).actor,
                action=Action.QUERY,
                outcome=outcome,
                study_instance_uid=study_instance_uid,
                patient_id=patient_id,
                peer=association.peer_host,
                door="dimse",
                detail=detail,
            )
        except DatabaseUnavailable as error:
            raise _Refused(Status.OUT_OF_RESOURCES, "the index does not answer") from error


def answer_extended_negotiation(_sop_class_uid: str, information: bytes) -> bytes | None:
    """What is agreed to of what was asked for (PS3.4 §C.5.1.1.2), as many bytes as were asked."""
    if not information:
        return None
    asked = information[: len(_AGREED)]
    return bytes(int(byte == 1 and agreed) for byte, agreed in zip(asked, _AGREED, strict=False))


def encoded(match: DicomJson, transfer_syntax_uid: str, terms: Sequence[str]) -> bytes:
    """An answer's identifier, in the request's character sets where they can hold it.

    A value that has no binary form (an overlong text of a stored object) is left out rather than
    failing the query.
    """
    known = tuple(terms) if all(codec_for(term) is not None for term in terms) else None
    charset: Sequence[str] = known if known is not None else ("ISO_IR 192",)
    try:
        return encode(match, transfer_syntax_uid, charset=charset)
    except NotEncodable:
        return encode(_encodable(match, transfer_syntax_uid), transfer_syntax_uid, charset=charset)


def _encodable(match: DicomJson, transfer_syntax_uid: str) -> DicomJson:
    found: DicomJson = {}
    for tag, element in match.items():
        try:
            encode({tag: element}, transfer_syntax_uid)
        except NotEncodable:
            found[tag] = {"vr": element.get("vr", "UN")}
        else:
            found[tag] = element
    return found


def _single(keys: Mapping[str, Mapping[str, Any]], tag: int) -> str | None:
    values = keys.get(f"{tag:08X}", {}).get("Value", ())
    return str(values[0]) if len(values) == 1 and values[0] is not None else None
