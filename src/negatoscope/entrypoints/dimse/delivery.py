"""Sending stored objects to another application entity: for C-MOVE, and for a person who asks.

Objects go as they are stored when the destination takes that: one presentation context per SOP class and stored transfer
syntax, and one per SOP class for what it does not take, over as many associations as that takes.
"""

import contextlib
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

import structlog

from negatoscope.domain.archive.retrieve import Retrieval, Selection
from negatoscope.domain.archive.stored import Kind, StoredInstance
from negatoscope.domain.devices.ae import ApplicationEntity
from negatoscope.domain.viewing.transcoding import fallbacks
from negatoscope.entrypoints.dimse.loading import Loaded, load_each
from negatoscope.entrypoints.dimse.suboperations import (
    WINDOW_LIMIT,
    RequestorGoneError,
    StoreChannel,
    Tally,
)
from negatoscope.protocols.dicom.dimse.association import Association, Timeouts
from negatoscope.protocols.dicom.dimse.errors import AssociationTimeout, DimseError
from negatoscope.protocols.dicom.dimse.requestor import connect
from negatoscope.protocols.dicom.ul.negotiation import ProposedContext
from negatoscope.standard.transfer_syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)

KINDS_PER_ASSOCIATION: Final = 64
"""Each takes a context, and each SOP class one more; an association has 128 (PS3.8 §9.3.2.2)."""

Through = Callable[[Iterator[StoredInstance]], Iterator[StoredInstance]]
_log = structlog.get_logger(__name__)


def open_association(
    destination: ApplicationEntity,
    kinds: Sequence[Kind],
    *,
    calling_ae_title: str,
    tls: ssl.SSLContext | None,
    timeouts: Timeouts,
) -> Association:
    """An association with one context per SOP class and stored syntax.

    Args:
        destination: A registered entity.
        kinds: At most ``KINDS_PER_ASSOCIATION``.
        calling_ae_title: Ours.
        tls: Used when the destination is registered with TLS.
        timeouts: Of the association.
    Raises:
        DimseError: it cannot be had.
    """
    return connect(
        destination.host,
        destination.port,
        calling_ae_title=calling_ae_title,
        called_ae_title=destination.ae_title,
        contexts=[
            *(
                ProposedContext(
                    abstract_syntax=kind.sop_class_uid,
                    transfer_syntaxes=(kind.transfer_syntax_uid,),
                )
                for kind in kinds
            ),
            *_for_transcoded(kinds),
        ],
        tls=tls if destination.tls else None,
        timeouts=timeouts,
        async_window=(WINDOW_LIMIT, 1),
    )


def _for_transcoded(kinds: Sequence[Kind]) -> Iterator[ProposedContext]:
    """A context per SOP class of which something could be sent in another syntax.

    The uncompressed syntaxes are proposed together: every acceptor has the default one (PS3.5 §10.1).
    """
    stored: dict[str, set[str]] = {}
    for kind in kinds:
        stored.setdefault(kind.sop_class_uid, set()).add(kind.transfer_syntax_uid)
    for sop_class_uid, uids in stored.items():
        wanted = [
            uid
            for uid in (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
            if uid not in uids and any(uid in fallbacks(one) for one in uids)
        ]
        if wanted:
            yield ProposedContext(abstract_syntax=sop_class_uid, transfer_syntaxes=tuple(wanted))


def deliver(
    retrieval: Retrieval,
    selection: Selection,
    kinds: Sequence[Kind],
    *,
    destination: str,
    open_channel: Callable[[Sequence[Kind]], StoreChannel],
    progress: Tally,
    through: Through = lambda instances: instances,
) -> bool:
    """Send what is selected.

    Args:
        retrieval: Where objects are read.
        selection: Which.
        kinds: Of the selection.
        destination: AE title, for messages.
        open_channel: Opens an association for some of the kinds.
        progress: Counts; says whether to stop.
        through: Sees every instance before it is sent.
    Returns: Whether it was cancelled.
    Raises:
        DatabaseUnavailable: the index does not answer.
        RequestorGoneError: who asked is gone.
    """
    for batch in _batches(kinds, KINDS_PER_ASSOCIATION):
        instances = retrieval.select(selection)
        if len(batch) < len(kinds):
            instances = _only(instances, batch)
        delivery = _Delivery(
            retrieval=retrieval,
            destination=destination,
            open_channel=partial(open_channel, batch),
            progress=progress,
        )
        if delivery.run(through(instances)):
            return True
    return False


@dataclass(slots=True, kw_only=True)
class _Delivery:
    """Objects on their way to one destination, over as many associations as it takes.

    After a loss a new association is tried, unless the lost one carried nothing or hung: then the
    destination is taken for down and the rest is counted as failed.
    """

    retrieval: Retrieval
    destination: str
    open_channel: Callable[[], StoreChannel]
    progress: Tally
    channel: StoreChannel | None = None
    trouble: str | None = None

    def run(self, instances: Iterator[StoredInstance]) -> bool:
        """Send them. Returns: whether the requestor cancelled."""
        try:
            for loaded in load_each(self.retrieval, instances, wanted=self._wants):
                if self.progress.cancelled():
                    return True
                self._offer(loaded)
                self.progress.report_if_due()
            return False
        except RequestorGoneError:
            if self.channel is not None:
                self.channel.association.abort()
                self.channel = None
            raise
        finally:
            self._close()

    def _wants(self, stored: StoredInstance) -> bool:
        channel = self.channel
        return self.trouble is None and (channel is None or channel.accepts(stored))

    def _offer(self, loaded: Loaded) -> None:
        while self.trouble is None:
            try:
                if self.channel is None:
                    self.channel = self.open_channel()
                self.channel.offer(loaded)
                return
            except DimseError as error:
                if self._lose(loaded.stored, error):
                    return
        self.progress.note_failed(loaded.stored, self.trouble)

    def _lose(self, stored: StoredInstance, error: DimseError) -> bool:
        """The association is over. Returns: whether the object was being sent, and is counted."""
        _log.warning("retrieve.association_lost", destination=self.destination, error=str(error))
        channel, self.channel = self.channel, None
        if channel is None or not channel.answered or isinstance(error, AssociationTimeout):
            self.trouble = f"{self.destination}: {error}"
        if channel is None:
            return False
        was_under_way = channel.is_under_way(stored)
        channel.fail_under_way(f"{self.destination}: {error}")
        channel.association.close()
        return was_under_way

    def _close(self) -> None:
        channel = self.channel
        if channel is None:
            return
        try:
            channel.drain()
        except DimseError as error:
            channel.fail_under_way(f"{self.destination}: {error}")
        with contextlib.suppress(DimseError):
            channel.association.release()
        channel.association.close()


def _batches(kinds: Sequence[Kind], size: int) -> Iterator[list[Kind]]:
    iterator = iter(kinds)
    while batch := list(islice(iterator, size)):
        yield batch


def _only(instances: Iterator[StoredInstance], kinds: Sequence[Kind]) -> Iterator[StoredInstance]:
    wanted = {(kind.sop_class_uid, kind.transfer_syntax_uid) for kind in kinds}
    return (
        stored
        for stored in instances
        if (stored.sop_class_uid, stored.transfer_syntax_uid) in wanted
    )
