"""What all senders of a process share: open segments, the index writer, and what is known of the rows."""

import base64
import threading
from collections import OrderedDict
from typing import Any

from negatoscope.domain.archive.duplicates import DuplicateKeeper
from negatoscope.domain.archive.index import IndexWriter, UidCodes
from negatoscope.domain.archive.record import Record, pack_frame_index
from negatoscope.domain.archive.segments import SegmentPool

_FAMILIES_KEPT = 4096


class Families:
    """Which patient, study and series already have rows, so that the next image of a series needs none of their columns."""

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[object, ...], tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, family: tuple[object, ...]) -> tuple[int, int] | None:
        """Rows of (study, series), or None."""
        return self._rows.get(family)

    def put(self, family: tuple[object, ...], study_id: int, series_id: int) -> None:
        """Remember; the oldest are forgotten."""
        with self._lock:
            self._rows[family] = (study_id, series_id)
            while len(self._rows) > _FAMILIES_KEPT:
                self._rows.popitem(last=False)

    def clear(self) -> None:
        """Remember nothing: the index may have been rebuilt meanwhile."""
        with self._lock:
            self._rows.clear()

    def forget(self, family: tuple[object, ...]) -> None:
        """The rows were not what was remembered."""
        with self._lock:
            self._rows.pop(family, None)


class Ingestor:
    """What all sessions of a process share."""

    def __init__(
        self,
        *,
        pool: SegmentPool,
        writer: IndexWriter,
        codes: UidCodes,
        duplicates: DuplicateKeeper,
        index_timeout_s: float,
    ) -> None:
        self.pool = pool
        self.writer = writer
        self.codes = codes
        self.duplicates = duplicates
        self.families = Families()
        self.under_way: set[object] = set()
        self.index_timeout_s = index_timeout_s

    def payload(self, record: Record, *, data_set_offset: int, full: bool) -> dict[str, Any]:
        """The record as ``archive_ingest`` takes it, its place in a segment still missing.

        Args:
            data_set_offset: From the start of the Part 10 file.
            full: With patient, study and series even when their rows are known.

        Raises: DatabaseUnavailable: a new SOP class or transfer syntax could not be interned.
        """
        payload: dict[str, Any] = {
            "sop": record.sop_instance_uid,
            "cls": self.codes.code(record.sop_class_uid),
            **record.instance,
        }
        payload["dso"] = data_set_offset
        if "po" in payload:
            payload["po"] += data_set_offset
        if payload.get("fi") is not None:
            packed = pack_frame_index(payload["fi"], data_set_offset=data_set_offset)
            payload["fi"] = base64.b64encode(packed).decode()
        rows = None if full else self.families.get(record.family)
        if rows is not None:
            payload["study_fk"], payload["series_fk"] = rows
        else:
            payload["study_uid"] = record.study_instance_uid
            payload["series_uid"] = record.series_instance_uid
            payload["cls_uid"] = record.sop_class_uid
            payload.update(record.attributes())
        return payload
