"""What we ask of other application entities, on behalf of a person: find, send, fetch (PS3.4 Annexes B and C, as SCU).

A person may change their mind: every wait looks at ``stop`` and then cancels in order (C-CANCEL), so that the peer stops too.
"""

import ssl
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from negatoscope.domain.archive import Archive, IngestError, IngestSession, Source, SourceKind
from negatoscope.domain.archive.retrieve import Retrieval, Selection
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.devices.ae import ApplicationEntity
from negatoscope.domain.viewing.transcoding import Transcoder
from negatoscope.entrypoints.dimse.delivery import deliver, open_association
from negatoscope.entrypoints.dimse.storage_scp import COERCION_OF_DATA_ELEMENTS, SET_ASIDE_COMMENTS
from negatoscope.entrypoints.dimse.suboperations import StoreChannel, Tally
from negatoscope.protocols.dicom.dataset import decode, encode
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.association import Association, Message, Timeouts
from negatoscope.protocols.dicom.dimse.errors import AssociationError, NoPresentationContext
from negatoscope.protocols.dicom.dimse.requestor import connect
from negatoscope.protocols.dicom.ul.negotiation import ProposedContext
from negatoscope.standard import sop_classes, tags
from negatoscope.standard.dimse_status import Status, StatusCategory, category
from negatoscope.standard.transfer_syntaxes import TRANSFER_SYNTAXES

DicomJson = dict[str, Any]
Stop = Callable[[], bool]

EXPLICIT: Final = "1.2.840.10008.1.2.1"
IMPLICIT: Final = "1.2.840.10008.1.2"
IDENTIFIER_SYNTAXES: Final = (EXPLICIT, IMPLICIT)
MAX_CONTEXTS: Final = 128

USUAL_SYNTAXES: Final = (
    *(EXPLICIT, IMPLICIT),
    *("1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90"),
    *("1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.5"),
    *("1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.81"),
    *("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202"),
    *("1.2.840.10008.1.2.4.203", "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.103"),
    *("1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.107", "1.2.840.10008.1.2.4.108"),
    "1.2.840.10008.1.2.2",
)
"""Transfer syntaxes in the order in which they are asked for when not all fit into one association."""

USUAL_CLASSES: Final = (
    *("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.1"),
    *("1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.6.1"),
    *("1.2.840.10008.5.1.4.1.1.3.1", "1.2.840.10008.5.1.4.1.1.1.2", "1.2.840.10008.5.1.4.1.1.128"),
    *("1.2.840.10008.5.1.4.1.1.20", "1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.2.1"),
    *("1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.88.11", "1.2.840.10008.5.1.4.1.1.88.22"),
    *("1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.88.59"),
    *("1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.13.1.3"),
)  # fmt: skip
"""What is asked for from a peer that does not tell the SOP classes of a study."""

_POLL_S: Final = 0.02


class PeerRefused(Exception):
    """The peer answered a failure.

    Attributes:
        message: What it said.
        hint: What to try.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(slots=True, kw_only=True)
class Counts:
    """Sub-operations of a retrieve, as the peer counts them."""

    completed: int = 0
    failed: int = 0
    warning: int = 0
    remaining: int | None = None
    failed_uids: list[str] = field(default_factory=list)
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Us, calling one entity.

    Attributes:
        entity: Whom.
        ae_title: Ours.
        timeouts: Of the associations.
        tls: Used when the entity is registered with TLS.
        stop: Whether the person wants no more.
    """

    entity: ApplicationEntity
    ae_title: str
    timeouts: Timeouts
    tls: ssl.SSLContext | None = None
    stop: Stop = lambda: False

    # -- find -----------------------------------------------------------------------------------------------------

    def find(
        self, identifier: DicomJson, *, model: str = sop_classes.STUDY_ROOT_FIND, limit: int = 0
    ) -> Iterator[DicomJson]:
        """C-FIND: what the peer has, as it comes.

        Args:
            identifier: With Query/Retrieve Level and keys.
            model: SOP class of the information model.
            limit: Cancel after so many; 0 for no limit.
        Raises:
            PeerRefused: a failure was answered.
            DimseError: the peer does not answer as it should.
        """
        with self._association([_context(model)]) as association:
            context = scu.scu_context(association, model)
            encoded = encode(identifier, context.transfer_syntax)
            count = 0
            with closing(
                scu.find(association, context, encoded, timeout_s=self.timeouts.dimse_s)
            ) as answers:
                while _await(association, self.stop):
                    answer = next(answers)
                    if not answer.is_pending:
                        _check(answer, "C-FIND")
                        return
                    yield decode(answer.data_set or b"", context.transfer_syntax)
                    count += 1
                    if count == limit:
                        return

    # -- send -----------------------------------------------------------------------------------------------------

    def send(
        self,
        retrieval: Retrieval,
        selection: Selection,
        *,
        through: Callable[[Iterator[StoredInstance]], Iterator[StoredInstance]],
        progress: Callable[[Tally], None] = lambda _tally: None,
        transcoder: Transcoder | None = None,
    ) -> Tally:
        """C-STORE: our objects to the peer, as they are stored when it takes that.

        Args:
            retrieval: Where they are read.
            selection: Which.
            through: Sees every instance before it is sent.
            progress: Told of the counts now and then.
            transcoder: For what it does not take as it is stored.
        Returns: The counts; ``remaining`` is not 0 when it was stopped.
        Raises:
            DatabaseUnavailable: the index does not answer.
        """
        kinds = retrieval.kinds(selection)
        tally = _Watched(
            requestor=self.ae_title,
            total=sum(kind.instance_count for kind in kinds),
            stop=self.stop,
            progress=progress,
        )

        def open_channel(some: Sequence[Any]) -> StoreChannel:
            association = open_association(
                self.entity,
                some,
                calling_ae_title=self.ae_title,
                tls=self.tls,
                timeouts=self.timeouts,
            )
            return StoreChannel(
                association,
                retrieval=retrieval,
                progress=tally,
                window=association.async_window.invoked,
                tick=tally.report_if_due,
                transcoder=transcoder,
            )

        deliver(
            retrieval,
            selection,
            kinds,
            destination=self.entity.ae_title,
            open_channel=open_channel,
            progress=tally,
            through=through,
        )
        return tally

    # -- fetch ----------------------------------------------------------------------------------------------------

    def get(
        self,
        archive: Archive,
        identifier: DicomJson,
        *,
        kinds: Sequence[ProposedContext],
        progress: Callable[[Counts], None] = lambda _counts: None,
    ) -> Counts:
        """C-GET: the peer's objects into our archive, on the association that asks for them.

        Args:
            archive: Where they go.
            identifier: Query/Retrieve Level and unique keys.
            kinds: Contexts of storage classes, at most ``MAX_CONTEXTS - 1``.
            progress: Told of the counts.
        Raises:
            PeerRefused, DimseError: as for ``find``.
        """
        model = sop_classes.STUDY_ROOT_GET
        source = Source(
            kind=SourceKind.DIMSE,
            calling_ae_title=self.entity.ae_title,
            peer=self.entity.host,
            actor_name=self.entity.ae_title,
        )
        with (
            self._association([_context(model), *kinds]) as association,
            archive.open_session(source) as session,
        ):
            context = scu.scu_context(association, model)
            answers = scu.get(
                association,
                context,
                encode(identifier, context.transfer_syntax),
                lambda there, message: _take(there, message, session),
                timeout_s=self.timeouts.dimse_s,
            )
            return self._counted(association, answers, "C-GET", progress)

    def move(
        self,
        identifier: DicomJson,
        *,
        destination: str,
        progress: Callable[[Counts], None] = lambda _counts: None,
    ) -> Counts:
        """C-MOVE: the peer's objects to somebody it knows, us for example.

        Raises:
            PeerRefused, DimseError: as for ``find``.
        """
        model = sop_classes.STUDY_ROOT_MOVE
        with self._association([_context(model)]) as association:
            context = scu.scu_context(association, model)
            answers = scu.move(
                association,
                context,
                encode(identifier, context.transfer_syntax),
                destination=destination,
                timeout_s=self.timeouts.dimse_s,
            )
            return self._counted(association, answers, "C-MOVE", progress)

    def storage_contexts(self, study_instance_uid: str) -> list[ProposedContext]:
        """Contexts for the SOP classes that the peer says a study has; for the usual ones when it does not say.

        Raises:
            DimseError: it does not answer.
        """
        found: dict[str, None] = {}
        keys: DicomJson = {
            "00080052": {"vr": "CS", "Value": ["SERIES"]},
            "0020000D": {"vr": "UI", "Value": [study_instance_uid]},
            "0020000E": {"vr": "UI"},
        }
        try:
            series = [uid for one in self.find(keys) for uid in _values(one, "0020000E")]
            for uid in series:
                image = keys | {
                    "00080052": {"vr": "CS", "Value": ["IMAGE"]},
                    "0020000E": {"vr": "UI", "Value": [uid]},
                    "00080016": {"vr": "UI"},
                    "00080018": {"vr": "UI"},
                }
                found |= dict.fromkeys(
                    sop_class for one in self.find(image) for sop_class in _values(one, "00080016")
                )
        except (PeerRefused, NoPresentationContext):
            found = {}
        return get_contexts(tuple(found) or USUAL_CLASSES)

    # -- the wire ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _association(self, contexts: Sequence[ProposedContext]) -> Iterator[Association]:
        association = connect(
            self.entity.host,
            self.entity.port,
            calling_ae_title=self.ae_title,
            called_ae_title=self.entity.ae_title,
            contexts=contexts,
            tls=self.tls if self.entity.tls else None,
            timeouts=self.timeouts,
        )
        with association:
            yield association

    def _counted(
        self,
        association: Association,
        answers: Generator[scu.Answer, None, None],
        what: str,
        progress: Callable[[Counts], None],
    ) -> Counts:
        """Follow a C-MOVE or C-GET to its end."""
        counts = Counts()
        while True:
            if not _await(association, self.stop):
                counts.cancelled = True
                answers.close()  # sends C-CANCEL-RQ and waits for the end
                return counts
            answer = next(answers)
            command = answer.command
            counts.completed = command.completed_suboperations or counts.completed
            counts.failed = command.failed_suboperations or counts.failed
            counts.warning = command.warning_suboperations or counts.warning
            counts.remaining = command.remaining_suboperations
            progress(counts)
            if not answer.is_pending:
                if answer.data_set:
                    identifier = decode(answer.data_set, EXPLICIT)
                    counts.failed_uids = _values(identifier, "00080058")
                _check(answer, what)
                return counts


@dataclass(slots=True, kw_only=True)
class _Watched(Tally):
    """Counts that somebody looks at, and who may have had enough."""

    stop: Stop
    progress: Callable[[Tally], None]

    def cancelled(self) -> bool:
        """Whether the person wants no more."""
        return self.stop()

    def report_if_due(self) -> None:
        """Show the counts."""
        self.progress(self)


def get_contexts(classes: Sequence[str]) -> list[ProposedContext]:
    """Contexts in which a peer may send objects of some SOP classes as it has stored them.

    One per class and transfer syntax, since the peer chooses one syntax of each context; the usual syntaxes only as
    far as one association has room.
    """
    room = MAX_CONTEXTS - 1
    syntaxes = [*USUAL_SYNTAXES, *(uid for uid in TRANSFER_SYNTAXES if uid not in USUAL_SYNTAXES)]
    each = max(1, room // len(classes))
    return [
        ProposedContext(
            abstract_syntax=sop_class, transfer_syntaxes=(syntax,), scu_role=False, scp_role=True
        )
        for sop_class in classes[:room]
        for syntax in syntaxes[:each]
    ]


def _context(model: str) -> ProposedContext:
    return ProposedContext(abstract_syntax=model, transfer_syntaxes=IDENTIFIER_SYNTAXES)


def _await(association: Association, stop: Stop) -> bool:
    """Wait until the peer says something or hangs up. Returns: False when told to stop before."""
    until = time.monotonic() + association.timeouts.dimse_s
    while not stop():
        try:
            association.cancelled(0)  # no operation has Message ID 0: this only looks at the socket
        except AssociationError:
            return True
        if association.has_message_waiting or not association.is_open or time.monotonic() > until:
            return True
        time.sleep(_POLL_S)
    return False


def _take(association: Association, message: Message, session: IngestSession) -> int:
    """Store one object that a C-GET brings. Returns: the status to answer."""
    command = message.command
    try:
        ingest = session.begin(
            sop_class_uid=command.affected_sop_class_uid,
            sop_instance_uid=command.affected_sop_instance_uid,
            transfer_syntax_uid=message.context.transfer_syntax,
        )
        try:
            for chunk in association.data_set_chunks():
                ingest.write(chunk)
        except BaseException:
            ingest.abort()
            raise
        outcome = ingest.commit()
    except IngestError as error:
        return error.dimse_status
    return COERCION_OF_DATA_ELEMENTS if outcome.kind in SET_ASIDE_COMMENTS else Status.SUCCESS


def _check(answer: scu.Answer, what: str) -> None:
    if category(answer.status) is not StatusCategory.FAILURE:
        return
    comment = answer.command.error_comment
    raise PeerRefused(
        f"the peer answered {what} with {answer.status:04X}" + (f": {comment}" if comment else ""),
        hint="its log says more; does it know our AE title, and does it grant us this service?",
    )


def _values(attributes: Mapping[str, Any], key: str) -> list[str]:
    return [str(value) for value in attributes.get(key, {}).get("Value", ()) if value]


def identifier_of(level: str, keys: Mapping[int, str]) -> DicomJson:
    """A C-FIND identifier.

    Args:
        level: PATIENT, STUDY, SERIES or IMAGE.
        keys: Values by tag; empty asks for the attribute. A backslash separates values.
    """
    identifier: DicomJson = {"00080052": {"vr": "CS", "Value": [level]}}
    for tag, text in keys.items():
        vr = tags.vr_for(tag)
        element: DicomJson = {"vr": vr}
        if text:
            values = text.split("\\")
            element["Value"] = [{"Alphabetic": value} for value in values] if vr == "PN" else values
            if vr in {"IS", "US", "UL", "SS", "SL"}:
                element["Value"] = [int(value) for value in values]
        identifier[f"{tag:08X}"] = element
    if any(not text.isascii() for text in keys.values()):
        identifier["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}
    return identifier
