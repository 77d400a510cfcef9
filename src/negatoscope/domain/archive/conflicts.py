"""Two versions of one object side by side, and taking a decision back."""

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from negatoscope.domain.archive.retrieve import Retrieval, Selection
from negatoscope.infra.db import load_queries
from negatoscope.protocols.dicom.dataset import DataSetError, decode
from negatoscope.protocols.dicom.part10 import Part10Error, read_file_meta
from negatoscope.standard.tags import keyword_for

_SQL = load_queries("negatoscope.domain.archive.sql", "conflicts.sql")
_HEADER_BYTES: Final = 16 << 20
_PIXEL_BYTES: Final = 256 << 20
_BLOCK_BYTES: Final = 4 << 20
_VALUE_CHARACTERS: Final = 400
_MAX_DIFFERENCES: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An attribute that is not the same in both; ``None`` where it is absent."""

    tag: str
    keyword: str
    vr: str
    current: str | None
    aside: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One of the two.

    Attributes:
        transfer_syntax_uid: Of its bytes; empty when it cannot be read.
        size: Of its Part 10 file.
        sha256: Of its data set.
        pixels_sha256: Of what begins with the first pixel byte; ``None`` without pixels or beyond
            what is read for a comparison.
    """

    transfer_syntax_uid: str
    size: int
    sha256: str
    pixels_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was set aside beside what is current.

    Attributes:
        current: ``None`` when there is no current version any more.
        equal_count: Attributes that are the same in both.
        problem: Why one of them could not be read; empty when both were.
    """

    id: int
    reason: str
    state: str
    sop_instance_uid: str
    study_instance_uid: str
    current_study_instance_uid: str
    calling_ae_title: str | None
    received_at: datetime.datetime
    resolved_at: datetime.datetime | None
    resolved_by: str | None
    current: Version | None
    aside: Version
    differences: list[Difference]
    equal_count: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """An object about which somebody decided; it lies aside still."""

    id: int
    reason: str
    state: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    calling_ae_title: str | None
    received_at: datetime.datetime
    resolved_at: datetime.datetime | None
    resolved_by: str | None
    sha256: str
    size: int


class Conflicts:
    """Shows what was set aside to who decides.

    Args:
        retrieval: Reads both versions.
    """

    def __init__(self, retrieval: Retrieval) -> None:
        self._retrieval = retrieval
        self._database = retrieval.database

    def compare(self, set_aside_id: int) -> Comparison | None:
        """Both versions attribute by attribute; None when nothing has that number."""
        with self._database.connection() as connection:
            row = connection.execute(_SQL["aside"], {"id": set_aside_id}).fetchone()
        if row is None:
            return None
        segment, offset, size, data_set_offset, pixel_offset = row[12:17]
        problem = ""
        theirs: dict[str, Any] = {}
        ours: dict[str, Any] = {}
        aside = Version(transfer_syntax_uid="", size=size, sha256=row[11], pixels_sha256=None)
        try:
            theirs, aside = self._read(
                segment, offset, size, data_set_offset, pixel_offset, sha256=row[11]
            )
        except (OSError, DataSetError, Part10Error, KeyError) as error:
            problem = f"the object set aside cannot be read: {type(error).__name__}"
        stored = next(iter(self._retrieval.select(Selection(sop=(row[3],)))), None)
        current: Version | None = None
        if stored is not None:
            digest = stored.sha256.hex()
            current = Version(
                transfer_syntax_uid=stored.transfer_syntax_uid,
                size=stored.size,
                sha256=digest,
                pixels_sha256=None,
            )
            try:
                ours, current = self._read(
                    stored.segment_id, stored.offset, stored.size, stored.data_set_offset,
                    stored.pixel_offset, sha256=digest,
                )  # fmt: skip
            except (OSError, DataSetError, Part10Error, KeyError) as error:
                problem = f"the current object cannot be read: {type(error).__name__}"
        differences, equal = ([], 0) if problem or stored is None else compare(ours, theirs)
        return Comparison(
            id=row[0],
            reason=row[1],
            state=row[2],
            sop_instance_uid=row[3],
            study_instance_uid=row[4],
            current_study_instance_uid="" if stored is None else stored.study_instance_uid,
            calling_ae_title=row[7],
            received_at=row[8],
            resolved_at=row[9],
            resolved_by=row[10],
            current=current,
            aside=aside,
            differences=differences,
            equal_count=equal,
            problem=problem,
        )

    def decided(self, *, limit: int = 200) -> list[Decided]:
        """What was decided, the latest first."""
        with self._database.connection() as connection:
            rows = connection.execute(_SQL["decided"], {"limit": limit}).fetchall()
        return [
            Decided(
                id=r[0], reason=r[1], state=r[2], sop_instance_uid=r[3], study_instance_uid=r[4],
                series_instance_uid=r[5], calling_ae_title=r[6], received_at=r[7], resolved_at=r[8],
                resolved_by=r[9], sha256=r[10], size=r[11],
            )
            for r in rows
        ]  # fmt: skip

    def reopen(self, set_aside_id: int, *, by: str) -> bool:
        """Ask again about an object that was dismissed, also about one that another replaced.

        Accepting it then brings it back: this is how a decision is taken back.

        Returns: False when nothing with this number was dismissed.
        """
        with self._database.connection() as connection:
            row = connection.execute(_SQL["reopen"], {"id": set_aside_id}).fetchone()
            if row is None:
                return False
            connection.execute(_SQL["reopened_task"], {"subject": row[0], "by": by})
        return True

    def _read(
        self,
        segment: int,
        offset: int,
        size: int,
        data_set_offset: int,
        pixel_offset: int | None,
        *,
        sha256: str,
    ) -> tuple[dict[str, Any], Version]:
        length = min(size, pixel_offset or size, _HEADER_BYTES)
        head = self._retrieval.read_segment(segment, offset, length)
        uid = read_file_meta(head).transfer_syntax_uid
        found = decode(head[data_set_offset:], uid, stop_before_pixels=True)
        pixels = None
        if pixel_offset is not None and size - pixel_offset <= _PIXEL_BYTES:
            digest = hashlib.sha256()
            for at in range(pixel_offset, size, _BLOCK_BYTES):
                block = min(_BLOCK_BYTES, size - at)
                digest.update(self._retrieval.read_segment(segment, offset + at, block))
            pixels = digest.hexdigest()
        version = Version(transfer_syntax_uid=uid, size=size, sha256=sha256, pixels_sha256=pixels)
        return dict(found), version


def compare(current: Mapping[str, Any], aside: Mapping[str, Any]) -> tuple[list[Difference], int]:
    """What differs between two data sets (DICOM JSON), by tag, and how many attributes do not."""
    differences: list[Difference] = []
    equal = 0
    for tag in sorted({*current, *aside}):
        one, other = current.get(tag), aside.get(tag)
        if one == other:
            equal += 1
            continue
        if len(differences) < _MAX_DIFFERENCES:
            differences.append(
                Difference(
                    tag=tag,
                    keyword=keyword_for(int(tag, 16)) or "",
                    vr=str((one or other or {}).get("vr", "")),
                    current=_shown(one),
                    aside=_shown(other),
                )
            )
    return differences, equal


def _shown(attribute: Mapping[str, Any] | None) -> str | None:
    if attribute is None:
        return None
    values = attribute.get("Value")
    if values is None:
        rest = attribute.get("InlineBinary") or attribute.get("BulkDataURI")
        return "" if rest is None else _short(str(rest))
    shown = []
    for value in values:
        if isinstance(value, Mapping) and {"Alphabetic", "Ideographic", "Phonetic"} & set(value):
            shown.append("=".join(str(part) for part in value.values()))
        elif isinstance(value, Mapping | list):
            shown.append(orjson.dumps(value).decode("utf-8"))
        else:
            shown.append("" if value is None else str(value))
    return _short("\\".join(shown))


def _short(text: str) -> str:
    return text if len(text) <= _VALUE_CHARACTERS else text[:_VALUE_CHARACTERS] + "…"
