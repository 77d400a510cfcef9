"""Finding stored objects and opening them, for every door that gives images back.

C-MOVE, C-GET, WADO-RS, storage commitment and the series metadata all come here. A study of 5,000
images costs a handful of queries: one for its series, then one per page of instances.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from psycopg.types.json import Jsonb

from negatoscope.domain.archive.coercion import PatientIdentity, identity_of
from negatoscope.domain.archive.errors import ObjectCorrupt, ObjectMissing, ObjectUnreadable
from negatoscope.domain.archive.frames import (
    FrameRange,
    find_fragments,
    frame_ranges,
    unpack_frame_index,
)
from negatoscope.domain.archive.reading import Member, SegmentFiles
from negatoscope.domain.archive.stored import Kind, StoredInstance
from negatoscope.domain.archive.visibility import visible_among
from negatoscope.domain.identity import EVERYTHING, DataScope
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.infra.storage.contract import Volume

if TYPE_CHECKING:
    from array import array

_SQL = load_queries("negatoscope.domain.archive.sql", "retrieve.sql")
_log = structlog.get_logger(__name__)
_FIRST_NUMBER = -(1 << 31)
_REMEMBERED_S = 5.0
_REMEMBERED_COUNT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which instances: every key given must match; a list matches any of its values.

    Attributes:
        patient: Patient ID (0010,0020).
        issuer: Issuer of Patient ID (0010,0021); ``None`` when not given.
        study: Study Instance UID.
        series: Series Instance UID.
        sop: SOP Instance UID.
        scope: What the asker may see.
    """

    patient: tuple[str, ...] = ()
    issuer: str | None = None
    study: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    sop: tuple[str, ...] = ()
    scope: DataScope = EVERYTHING

    @property
    def is_empty(self) -> bool:
        """Whether no key was given; that selects nothing, never everything."""
        return not (self.patient or self.study or self.series or self.sop)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesKey:
    """A series of a selection.

    Attributes:
        metadata: Segment, offset and length of its metadata; ``None`` when it changed since they
            were written.
        identity: Who the patient is now; ``None``: who its objects say.
    """

    id: int
    study_instance_uid: str
    series_instance_uid: str
    instance_count: int
    metadata: tuple[int, int, int] | None
    identity: PatientIdentity | None = None


class Retrieval:
    """The archive's reading side. One per process; safe for many threads.

    Args:
        database: The index.
        volumes: Where segments may lie.
        page_size: Instances per query.
        open_files: Segments kept open.
    """

    def __init__(
        self,
        database: Database,
        volumes: Sequence[Volume],
        *,
        page_size: int = 1000,
        open_files: int = 256,
    ) -> None:
        self.database = database
        self._volumes = {volume.name: volume for volume in volumes}
        self._page_size = page_size
        self._files = SegmentFiles(limit=open_files)
        self._lock = Lock()
        self._uids: dict[int, str] = {}
        self._paths: dict[int, Path] = {}
        self._remembered: OrderedDict[str, tuple[float, StoredInstance]] = OrderedDict()
        self._frame_indexes: OrderedDict[bytes, array[int]] = OrderedDict()

    def series(self, selection: Selection) -> list[SeriesKey]:
        """The series a selection touches, by study date, series number."""
        if selection.is_empty:
            return []
        name = "series_of_patient" if selection.patient else "series_of"
        with self.database.connection() as connection:
            rows = connection.execute(_SQL[name], _keys(selection)).fetchall()
            identities = _identities(connection, (row[7:9] for row in rows))
        seen = visible_among(self.database, selection.scope, (row[1] for row in rows))
        return [_series_key(row, identities) for row in rows if row[1] in seen]

    def series_by_id(self, series_id: int) -> SeriesKey | None:
        """One series by our key."""
        with self.database.connection() as connection:
            row = connection.execute(_SQL["series_by_id"], {"series": series_id}).fetchone()
            if row is None:
                return None
            return _series_key(row, _identities(connection, [row[7:9]]))

    def kinds(self, selection: Selection) -> list[Kind]:
        """SOP classes and transfer syntaxes of the selected instances, with counts."""
        if selection.is_empty:
            return []
        if selection.sop and not selection.scope.is_everything:
            return _kinds_of(self._by_uid(selection, frame_index=False))
        series = [] if selection.sop else [key.id for key in self.series(selection)]
        with self.database.connection() as connection:
            if selection.sop:
                rows = connection.execute(_SQL["kinds_by_uid"], _keys(selection)).fetchall()
            else:
                rows = connection.execute(_SQL["kinds_of_series"], {"series": series}).fetchall()
            uids = self._uid_codes(connection, {code for row in rows for code in row[:2]})
        return [
            Kind(
                sop_class_uid=uids[row[0]],
                transfer_syntax_uid=uids[row[1]],
                instance_count=row[2],
                byte_count=row[3],
            )
            for row in rows
        ]

    def instances(
        self,
        *,
        patient: str | Sequence[str] | None = None,
        issuer: str | None = None,
        study: str | Sequence[str] | None = None,
        series: str | Sequence[str] | None = None,
        sop: str | Sequence[str] | None = None,
        frame_index: bool = False,
    ) -> Iterator[StoredInstance]:
        """The instances that match every key given, in order.

        Args:
            patient: Patient ID or several; the keys below likewise.
            issuer: Issuer of Patient ID.
            study: Study Instance UID.
            series: Series Instance UID.
            sop: SOP Instance UID.
            frame_index: Whether ``StoredInstance.frame_index`` is wanted.
        """
        selection = Selection(
            patient=_tuple(patient),
            issuer=issuer,
            study=_tuple(study),
            series=_tuple(series),
            sop=_tuple(sop),
        )
        return self.select(selection, frame_index=frame_index)

    def select(
        self, selection: Selection, *, frame_index: bool = False
    ) -> Iterator[StoredInstance]:
        """``instances`` for a selection."""
        if selection.sop:
            return self._by_uid(selection, frame_index)
        return self.of_series(self.series(selection), frame_index=frame_index)

    def of_series(
        self, keys: Sequence[SeriesKey], *, frame_index: bool = False
    ) -> Iterator[StoredInstance]:
        """The instances of some series, in the order given."""
        batch: list[SeriesKey] = []
        count = 0
        for key in keys:
            if batch and count + key.instance_count > self._page_size:
                yield from self._several_series(batch, frame_index)
                batch, count = [], 0
            if key.instance_count > self._page_size:
                yield from self._long_series(key, frame_index)
            else:
                batch.append(key)
                count += key.instance_count
        if batch:
            yield from self._several_series(batch, frame_index)

    def find(
        self,
        sop: str,
        *,
        study: str | None = None,
        series: str | None = None,
        is_fresh: bool = False,
    ) -> StoredInstance | None:
        """One instance with its frame index, remembered for some seconds.

        Args:
            sop: SOP Instance UID.
            study: When given, the instance must belong to this study.
            series: When given, the instance must belong to this series.
            is_fresh: Look again: for who gives out whose it is.
        """
        now = time.monotonic()
        with self._lock:
            entry = self._remembered.get(sop)
        if is_fresh or entry is None or now - entry[0] > _REMEMBERED_S:
            stored = next(self._by_uid(Selection(sop=(sop,)), True), None)
            if stored is None:
                return None
            self._remember(stored, now)
        else:
            stored = entry[1]
        if study not in (None, stored.study_instance_uid):
            return None
        return None if series not in (None, stored.series_instance_uid) else stored

    def open(self, stored: StoredInstance) -> Member:
        """Open an object. Look its place up once more when compaction has moved it meanwhile.

        Raises:
            ObjectMissing: no segment holds it, or it is not in the index any more.
            ObjectCorrupt: what lies at its place is no Part 10 file.
            ObjectUnreadable: the disk fails.
        """
        try:
            return self._open(stored)
        except (ObjectMissing, ObjectCorrupt):
            moved = self._locate(stored)
            if moved is None:
                raise
            with self._lock:
                self._remembered.pop(stored.sop_instance_uid, None)
        try:
            return self._open(moved)
        except (ObjectMissing, ObjectCorrupt) as error:
            self._note_damage(moved, error)
            raise

    def verify(self, stored: StoredInstance) -> None:
        """Read an object again, compare its digest, note the time.

        Raises:
            ObjectMissing, ObjectCorrupt, ObjectUnreadable: it can not be given back.
        """
        with self.open(stored) as member:
            member.verify()
        self.note_verified([stored.id])

    def note_verified(self, instance_ids: Sequence[int]) -> None:
        """Record that these digests were just compared."""
        with self.database.connection() as connection:
            connection.execute(_SQL["set_verified"], {"ids": list(instance_ids)})

    def frames(self, stored: StoredInstance, numbers: Sequence[int]) -> list[FrameRange]:
        """Where frames lie in an object found with its frame index.

        Args:
            stored: From ``find``, or listed with ``frame_index=True``.
            numbers: Frame numbers, from 1.
        Raises:
            FrameNotFound: a number outside 1 … number of frames.
            FramesUnavailable: no pixel data, or none that can be cut into frames.
            ObjectMissing, ObjectCorrupt, ObjectUnreadable: fragments cannot be looked up.
        """
        index: array[int] | None = None
        if stored.frame_index is not None:
            with self._lock:
                index = self._frame_indexes.get(stored.sha256)
            if index is None:
                index = unpack_frame_index(stored.sop_instance_uid, stored.frame_index)
                with self._lock:
                    self._frame_indexes[stored.sha256] = index
                    while len(self._frame_indexes) > 64:
                        self._frame_indexes.popitem(last=False)

        def fragments(offset: int, length: int) -> tuple[tuple[int, int], ...]:
            with self.open(stored) as member:
                return find_fragments(member, offset, length)

        return frame_ranges(stored, numbers, index, fragments=fragments)

    def close(self) -> None:
        """Close every segment."""
        self._files.close()

    def _several_series(
        self, keys: Sequence[SeriesKey], frame_index: bool
    ) -> Iterator[StoredInstance]:
        by_id = {key.id: key for key in keys}
        parameters = {"series": list(by_id), "frame_index": frame_index}
        yield from self._page("several_series", parameters, by_id)

    def _long_series(self, key: SeriesKey, frame_index: bool) -> Iterator[StoredInstance]:
        parameters: dict[str, Any] = {
            "series": key.id,
            "number": _FIRST_NUMBER,
            "id": 0,
            "limit": self._page_size,
            "frame_index": frame_index,
        }
        for name in ("numbered_page", "unnumbered_page"):
            parameters["id"] = 0
            while page := self._page(name, parameters, {key.id: key}):
                yield from page
                if len(page) < self._page_size:
                    break
                parameters["number"] = page[-1].instance_number
                parameters["id"] = page[-1].id

    def _by_uid(self, selection: Selection, frame_index: bool) -> Iterator[StoredInstance]:
        parameters = _keys(selection) | {"frame_index": frame_index}
        for at in range(0, len(selection.sop), self._page_size):
            parameters["sop"] = list(selection.sop[at : at + self._page_size])
            page = self._page("instances_by_uid", parameters, None)
            studies = (stored.study_instance_uid for stored in page)
            seen = visible_among(self.database, selection.scope, studies)
            yield from (stored for stored in page if stored.study_instance_uid in seen)

    def _page(
        self,
        name: str,
        parameters: Mapping[str, Any],
        series: Mapping[int, SeriesKey] | None,
    ) -> list[StoredInstance]:
        with self.database.connection() as connection:
            rows = connection.execute(_SQL[name], parameters).fetchall()
            uids = self._uid_codes(connection, {code for row in rows for code in row[7:9]})
            paths = self._segment_paths(connection, {row[2] for row in rows})
            identities = (
                _identities(connection, (row[21:23] for row in rows)) if series is None else {}
            )
        page = []
        for row in rows:
            if series is None:
                study_uid, series_uid = row[19], row[20]
                identity = identities.get(row[21:23])
            else:
                key = series[row[1]]
                study_uid, series_uid = key.study_instance_uid, key.series_instance_uid
                identity = key.identity
            page.append(
                StoredInstance(
                    id=row[0],
                    series_id=row[1],
                    segment_id=row[2],
                    path=paths[row[2]],
                    offset=row[3],
                    size=row[4],
                    pixel_offset=row[5],
                    data_set_offset=row[6],
                    sop_class_uid=uids[row[7]],
                    transfer_syntax_uid=uids[row[8]],
                    instance_number=row[9],
                    number_of_frames=row[10],
                    frame_length=row[11],
                    rows=row[12],
                    columns=row[13],
                    bits_allocated=row[14],
                    crc32=row[15],
                    sop_instance_uid=row[16],
                    sha256=row[17],
                    frame_index=row[18],
                    study_instance_uid=study_uid,
                    series_instance_uid=series_uid,
                    identity=identity,
                )
            )
        return page

    def _locate(self, stored: StoredInstance) -> StoredInstance | None:
        with self.database.connection() as connection:
            row = connection.execute(_SQL["location"], {"id": stored.id}).fetchone()
            if row is None:
                return None
            self._paths.pop(row[0], None)
            path = self._segment_paths(connection, {row[0]})[row[0]]
        return replace(
            stored,
            segment_id=row[0],
            path=path,
            offset=row[1],
            size=row[2],
            pixel_offset=row[3],
            data_set_offset=row[4],
            frame_index=None if stored.frame_index is None else row[5],
        )

    def segment_path(self, segment_id: int) -> Path:
        """The file of a segment."""
        with self.database.connection() as connection:
            return self._segment_paths(connection, {segment_id})[segment_id]

    def read_segment(self, segment_id: int, offset: int, length: int) -> bytes:
        """Bytes of a member that is no instance (series metadata).

        Raises:
            OSError: the segment cannot be read.
        """
        segment = self._files.acquire(self.segment_path(segment_id))
        try:
            return segment.read(offset, length)
        finally:
            self._files.release(segment)

    def _open(self, stored: StoredInstance) -> Member:
        where = f"segment {stored.segment_id}"
        try:
            segment = self._files.acquire(stored.path)
        except FileNotFoundError as error:
            raise ObjectMissing(stored.sop_instance_uid, f"{where} is not there") from error
        except OSError as error:
            raise ObjectUnreadable(stored.sop_instance_uid, f"{where}: {error.strerror}") from error
        member = Member(stored, segment, self._files, on_damage=self._note_damage)
        try:
            found = member.is_part10()
        except ObjectUnreadable:
            member.close()
            raise
        if not found:
            member.close()
            raise ObjectCorrupt(
                stored.sop_instance_uid, f"no Part 10 file in {where} at {stored.offset}"
            )
        return member

    def _note_damage(self, stored: StoredInstance, error: ObjectMissing | ObjectCorrupt) -> None:
        """Whoever met it gets an error; the administrator gets a task; the place is looked up anew next time."""
        with self._lock:
            self._remembered.pop(stored.sop_instance_uid, None)
        _log.error(
            "retrieve.object_damaged",
            sop_instance_uid=stored.sop_instance_uid,
            study_instance_uid=stored.study_instance_uid,
            reason=str(error),
        )
        detail = {
            "segment": stored.path.stem,
            "offset": stored.offset,
            "study_instance_uid": stored.study_instance_uid,
            "reason": str(error),
        }
        parameters = {"subject": stored.sop_instance_uid, "detail": Jsonb(detail)}
        try:
            with self.database.connection() as connection:
                connection.execute(_SQL["add_damage_task"], parameters)
        except DatabaseUnavailable as unavailable:
            _log.warning("retrieve.no_task_made", reason=unavailable.message)

    def _remember(self, stored: StoredInstance, now: float) -> None:
        with self._lock:
            self._remembered[stored.sop_instance_uid] = (now, stored)
            self._remembered.move_to_end(stored.sop_instance_uid)
            while len(self._remembered) > _REMEMBERED_COUNT:
                self._remembered.popitem(last=False)

    def _uid_codes(self, connection: psycopg.Connection[Any], codes: set[int]) -> Mapping[int, str]:
        missing = [code for code in codes if code not in self._uids]
        if missing:
            self._uids.update(connection.execute(_SQL["uid_codes"], {"ids": missing}).fetchall())
        return self._uids

    def _segment_paths(
        self, connection: psycopg.Connection[Any], ids: set[int]
    ) -> Mapping[int, Path]:
        missing = [segment for segment in ids if segment not in self._paths]
        if missing:
            for segment, name, volume in connection.execute(_SQL["segments"], {"ids": missing}):
                known = self._volumes.get(volume)
                self._paths[segment] = known.segment_path(name) if known else Path(volume, name)
        return self._paths


def _kinds_of(instances: Iterator[StoredInstance]) -> list[Kind]:
    counts: dict[tuple[str, str], list[int]] = {}
    for stored in instances:
        kind = counts.setdefault((stored.sop_class_uid, stored.transfer_syntax_uid), [0, 0])
        kind[0] += 1
        kind[1] += stored.size
    return [
        Kind(sop_class_uid=sop, transfer_syntax_uid=syntax, instance_count=count, byte_count=size)
        for (sop, syntax), (count, size) in counts.items()
    ]


def _keys(selection: Selection) -> dict[str, Any]:
    return {
        "patient": list(selection.patient) or None,
        "issuer": selection.issuer,
        "study": list(selection.study) or None,
        "series": list(selection.series) or None,
        "sop": list(selection.sop) or None,
    }


def _tuple(value: str | Sequence[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _identities(
    connection: psycopg.Connection[Any], asked: Iterable[tuple[Any, ...]]
) -> dict[tuple[Any, ...], PatientIdentity]:
    """Of studies that are shown under another patient than their objects say: mostly none."""
    wanted = {(patient, is_moved) for patient, is_moved in asked if patient is not None}
    if not wanted:
        return {}
    ids = sorted({patient for patient, _ in wanted})
    rows = {row[0]: row for row in connection.execute(_SQL["identities"], {"ids": ids})}
    return {
        (patient, is_moved): identity_of(rows[patient], is_moved=is_moved)
        for patient, is_moved in wanted
        if patient in rows
    }


def _series_key(
    row: tuple[Any, ...], identities: Mapping[tuple[Any, ...], PatientIdentity]
) -> SeriesKey:
    return SeriesKey(
        id=row[0],
        study_instance_uid=row[1],
        series_instance_uid=row[2],
        instance_count=row[3],
        metadata=None if row[4] is None else (row[4], row[5], row[6]),
        identity=identities.get(row[7:9]),
    )
