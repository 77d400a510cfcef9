"""Modality worklist as SCP: C-FIND of PS3.4 Annex K. IHE: Query Modality Worklist [RAD-5].

Answers come in the character sets of the request where these hold every value. A value that they do
not hold is written with letters they have (``Łucja`` as ``Lucja``) where each letter has such a one,
and that is said in the log; anything else comes in ISO_IR 192, declared. Nothing becomes a
question mark.
"""

import threading
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import structlog

from negatoscope.domain.archive.query import DicomJson, QueryError, UnusableKey, unusable_keys
from negatoscope.domain.identity.policies import Action, may
from negatoscope.domain.scheduling.worklist import ModalityWorklist, returned, unsupported
from negatoscope.entrypoints.dimse.query_scp import IDENTIFIER_LIMIT_BYTES, TRANSFER_SYNTAXES
from negatoscope.entrypoints.dimse.query_scp import encoded as in_sets
from negatoscope.entrypoints.dimse.service import Service, caller_of
from negatoscope.infra import metrics
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.protocols.dicom.dataset import DataSetError, decode
from negatoscope.protocols.dicom.dataset.charset import TextEncoder, codec_for
from negatoscope.protocols.dicom.dimse.association import Association, Message
from negatoscope.protocols.dicom.dimse.command import CommandField, response_to
from negatoscope.protocols.dicom.dimse.errors import DataSetTooLarge
from negatoscope.standard import tags
from negatoscope.standard.dimse_status import Status
from negatoscope.standard.sop_classes import MODALITY_WORKLIST_FIND
from negatoscope.subscribers.audit import Outcome, ReadRecorder, record

UNICODE: Final = ("ISO_IR 192",)
STATUSES: Final[Mapping[int, str]] = MappingProxyType(
    {
        Status.SUCCESS: "Matching is complete",
        Status.PENDING: "A match follows; every key was supported",
        Status.PENDING_WARNING: "A match follows; at least one optional key is not supported",
        Status.CANCEL: "Matching was ended by C-CANCEL",
        Status.NOT_AUTHORIZED: "The calling AE title may not ask for worklists",
        Status.OUT_OF_RESOURCES: "More matches than are answered, a query that takes too long, an"
        " identifier beyond 1 MiB, more queries than are answered in a second, or no database",
        Status.UNABLE_TO_PROCESS: "The identifier cannot be read, or the database cannot answer",
        UnusableKey.dimse_status: "A key is no date, time, range or number where its value"
        " representation asks for one",
    }
)
"""Every status this service answers, for the conformance statement."""

MAX_AT_ONCE: Final = 4
"""Worklists looked up at the same time in one process; further ones wait."""
QUERIES_PER_S: Final = 20.0
"""Of one calling AE title, in one process; bursts of twice as many are answered at once."""
PATIENCE_S: Final = 3.0
"""How long a query waits for its turn before it is refused."""
_AGREED: Final = (False, False, True, False, False, False, False)
"""Service class application information: fuzzy matching of names, nothing else (PS3.4 §K.5.1.1)."""
_CHARACTER_SET: Final = f"{tags.SPECIFIC_CHARACTER_SET:08X}"
_SECONDS: Final = metrics.C_FIND_SECONDS.labels("WORKLIST")
_CONVERTED: Final = frozenset({"SQ", "PN", "LO", "LT", "SH", "ST", "UC", "UT"})
_log = structlog.get_logger(__name__)

_LETTERS: Final = str.maketrans(
    {
        "Ł": "L",
        "ł": "l",
        "Œ": "OE",
        "œ": "oe",
        "Đ": "D",
        "đ": "d",
        "ı": "i",
        "Ÿ": "Y",
        "’": "'",
        "‘": "'",
        "ʼ": "'",
        "–": "-",
        "—": "-",
        "…": "...",
        "«": '"',
        "»": '"',
        "\u00a0": " ",
        "\u202f": " ",
        "Æ": "AE",
        "æ": "ae",
        "Ø": "O",
        "ø": "o",
        "ß": "ss",
        "Ð": "D",
        "ð": "d",
        "Þ": "TH",
        "þ": "th",
    }
)
"""Letters and signs with an accepted spelling in fewer letters."""


class _Refused(Exception):
    """The request ends with a failure."""

    def __init__(self, status: int, comment: str, *offending_elements: int) -> None:
        super().__init__(comment)
        self.status = status
        self.comment = comment
        self.offending_elements = offending_elements


class Turnstile:
    """Lets queries through: few at once, and no more from one caller than a database bears.

    Args:
        at_once: Inside at the same time.
        per_s: Of one caller, on average.
        patience_s: How long one waits.
    """

    def __init__(
        self,
        *,
        at_once: int = MAX_AT_ONCE,
        per_s: float = QUERIES_PER_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._slots = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._per_s = per_s
        self._burst = 2 * per_s
        self._patience_s = patience_s
        self._debts: dict[str, tuple[float, float]] = {}

    @contextmanager
    def turn(self, caller: str) -> Iterator[None]:
        """Wait for one's turn.

        Raises:
            _Refused: it takes too long.
        """
        wait_s = self._wait_s(caller, time.monotonic())
        if wait_s > self._patience_s:
            raise _Refused(Status.OUT_OF_RESOURCES, "too many queries, ask less often")
        if wait_s > 0:
            time.sleep(wait_s)
        if not self._slots.acquire(timeout=self._patience_s):
            raise _Refused(Status.OUT_OF_RESOURCES, "too many queries at once")
        try:
            yield
        finally:
            self._slots.release()

    def _wait_s(self, caller: str, now_s: float) -> float:
        """Tokens come back with time; who has used them all waits for the next."""
        with self._lock:
            tokens, at_s = self._debts.get(caller, (self._burst, now_s))
            tokens = min(self._burst, tokens + (now_s - at_s) * self._per_s)
            wait_s = max(0.0, (1.0 - tokens) / self._per_s)
            if wait_s <= self._patience_s:
                tokens -= 1.0
            self._debts[caller] = (tokens, now_s)
            if len(self._debts) > 1000:
                idle = [one for one, (_, seen_s) in self._debts.items() if now_s - seen_s > 60]
                for one in idle:
                    del self._debts[one]
        return wait_s


@dataclass(slots=True, kw_only=True)
class WorklistScp:
    """The worklist service.

    Attributes:
        worklist: What is scheduled.
        reads: Writes who looked, once a minute for each caller.
        max_results: Items of one answer; others may be put here while it runs.
        turnstile: Bounds what callers can ask.
    """

    worklist: ModalityWorklist
    reads: ReadRecorder
    max_results: int = 10_000
    turnstile: Turnstile = field(default_factory=Turnstile)

    def service(self) -> Service:
        """The row of the listener's table."""
        return Service(
            name="worklist",
            abstract_syntaxes=frozenset({MODALITY_WORKLIST_FIND}),
            command_fields=frozenset({CommandField.C_FIND_RQ}),
            action=Action.WORKLIST,
            handle=self.find,
            transfer_syntaxes=TRANSFER_SYNTAXES,
            answer_extended_negotiation=answer_extended_negotiation,
        )

    def find(self, association: Association, message: Message) -> None:
        """Answer one C-FIND-RQ: a pending response for each match, then the final one."""
        offending: tuple[int, ...] = ()
        comment: str | None
        try:
            keys = self._read(association, message)
            with metrics.timed(_SECONDS), self.turnstile.turn(association.calling_ae_title):
                status, comment = self._answer(association, message, keys)
        except _Refused as refused:
            status, comment = refused.status, refused.comment
            offending = refused.offending_elements
        except QueryError as error:
            status, comment = error.dimse_status, error.error_comment
        except DatabaseUnavailable:
            status, comment = Status.OUT_OF_RESOURCES, "the database does not answer"
        if comment:
            _log.warning(
                "worklist.refused",
                ae_title=association.calling_ae_title,
                status=f"{status:04X}",
                reason=comment,
            )
        response = response_to(
            message.command, status, error_comment=comment, offending_elements=offending
        )
        association.send_message(message.context.id, response)

    def _read(self, association: Association, message: Message) -> DicomJson:
        """The keys of a request whose sender may ask."""
        try:
            data_set = association.read_data_set(IDENTIFIER_LIMIT_BYTES)
        except DataSetTooLarge as error:
            raise _Refused(Status.OUT_OF_RESOURCES, str(error)) from error
        actor = caller_of(association).actor
        decision = may(actor, Action.WORKLIST)
        if not decision:
            record(
                self.worklist.database,
                actor=actor,
                action=Action.WORKLIST,
                outcome=Outcome.REFUSED,
                reason=decision.reason,
                peer=association.peer_host,
                door="dimse",
            )
            raise _Refused(Status.NOT_AUTHORIZED, decision.reason)
        try:
            keys = decode(data_set, message.context.transfer_syntax)
        except DataSetError as error:
            raise _Refused(Status.UNABLE_TO_PROCESS, error.reason) from error
        keys = _in_own_vr(keys)
        if bad := unusable_keys(keys):
            offending = [int(tag, 16) for tag in bad]
            name = tags.keyword_for(offending[0]) or bad[0]
            raise _Refused(UnusableKey.dimse_status, f"unusable value of {name}", *offending)
        return keys

    def _answer(
        self, association: Association, message: Message, keys: DicomJson
    ) -> tuple[int, str | None]:
        """Send the matches. Returns: the final status and its comment."""
        declared = keys.pop(_CHARACTER_SET, {}).get("Value") or ()
        terms = [term or "" for term in declared]
        entity = caller_of(association).entity
        if not terms and entity is not None and entity.character_set:
            terms = [entity.character_set]
        title = association.calling_ae_title
        self.reads.seen(
            actor=caller_of(association).actor,
            action=Action.WORKLIST,
            study_instance_uid=None,
            peer=association.peer_host,
            door="dimse",
        )
        is_complete = not unsupported(keys)
        response = response_to(
            message.command, Status.PENDING if is_complete else Status.PENDING_WARNING
        )
        agreed = association.extended_negotiation.get(MODALITY_WORKLIST_FIND, b"").ljust(7, b"\0")
        found = self.worklist.search(keys, self.worklist.viewer(title), is_fuzzy=agreed[2] == 1)
        for number, item in enumerate(found):
            if association.cancelled(message.command.message_id):
                return Status.CANCEL, None
            if number >= self.max_results:
                return Status.OUT_OF_RESOURCES, f"more than {number} matches, narrow the query"
            identifier, is_respelt = encoded(
                returned(item, keys), message.context.transfer_syntax, terms
            )
            if is_respelt:
                step = item["00400100"]["Value"][0]["00400009"].get("Value", [""])[0]
                _log.info("worklist.respelt", ae_title=title, step=step, character_sets=terms)
            association.send_message(message.context.id, response, identifier)
        return Status.SUCCESS, None


def answer_extended_negotiation(_sop_class_uid: str, information: bytes) -> bytes | None:
    """What is agreed to of what was asked for, as many bytes as were asked."""
    if not information:
        return None
    asked = information[: len(_AGREED)]
    return bytes(int(byte == 1 and agreed) for byte, agreed in zip(asked, _AGREED, strict=False))


def encoded(item: DicomJson, transfer_syntax_uid: str, terms: Sequence[str]) -> tuple[bytes, bool]:
    """An answer's identifier, and whether letters of it were written with others.

    Args:
        item: The answer.
        transfer_syntax_uid: Of its presentation context.
        terms: Specific Character Set of the request; unknown ones count as ISO_IR 192.
    """
    is_known = all(codec_for(term) is not None for term in terms)
    asked = tuple(terms) if terms and is_known else UNICODE
    if asked == UNICODE:
        return in_sets(item, transfer_syntax_uid, UNICODE), False
    writer = TextEncoder(asked)
    respelt = _respelt(item, writer)
    if respelt is None:  # some letter has no other spelling: the sets asked for do not do
        return in_sets(item, transfer_syntax_uid, UNICODE), False
    return in_sets(respelt, transfer_syntax_uid, asked), respelt is not item


def _respelt(item: DicomJson, writer: TextEncoder) -> DicomJson | None:
    """An item whose texts the sets hold: itself when they hold it all; None when they cannot."""
    changed: DicomJson = {}
    for tag, element in item.items():
        vr = element.get("vr")
        if vr not in _CONVERTED:
            continue
        values = element.get("Value") or ()
        fitting = [_fitting(value, str(vr), writer) for value in values]
        if None in fitting:
            return None
        if any(new is not old for new, old in zip(fitting, values, strict=True)):
            changed[tag] = {**element, "Value": fitting}
    return {**item, **changed} if changed else item


def _fitting(value: Any, vr: str, writer: TextEncoder) -> Any:
    if vr == "SQ":
        return _respelt(value, writer)
    if vr == "PN":
        groups = {group: _fitting(text, "LO", writer) for group, text in value.items()}
        if None in groups.values():
            return None
        return value if all(groups[g] is value[g] for g in groups) else groups
    if writer.encode(value, is_person_name=True) is not None:
        return value
    letters = [_letter(character, writer) for character in unicodedata.normalize("NFC", value)]
    return None if None in letters else "".join(filter(None, letters))


def _letter(character: str, writer: TextEncoder) -> str | None:
    """A character as the sets have it; None when no spelling of it is at hand."""
    if writer.encode(character) is not None:
        return character
    bare = unicodedata.normalize("NFD", character.translate(_LETTERS))
    plain = "".join(one for one in bare if unicodedata.category(one) != "Mn")
    return plain if plain and writer.encode(plain) is not None else None


def _in_own_vr(keys: DicomJson) -> DicomJson:
    """Keys in the representations of the dictionary, whatever their sender wrote."""
    found: DicomJson = {}
    for tag, key in keys.items():
        vr = tags.vr_for(int(tag, 16))
        if vr == "UN" or vr == key.get("vr"):
            found[tag] = key
        elif "SQ" in (vr, key.get("vr")):
            found[tag] = {"vr": vr}
        else:
            found[tag] = {**key, "vr": vr}
        if vr == "SQ" and found[tag].get("Value"):
            items = [_in_own_vr(item) if item else item for item in found[tag]["Value"]]
            found[tag] = {**found[tag], "Value": items}
    return found
