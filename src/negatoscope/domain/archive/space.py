"""How full the volumes are, how fast they fill, and when they will be full."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import Database
from negatoscope.infra.storage.contract import Volume

SAMPLE_EVERY: Final = timedelta(hours=1)
KEPT_FOR: Final = timedelta(days=400)
RATE_OVER: Final = timedelta(days=30)
_LEAST_SPAN: Final = timedelta(hours=24)

_STORED = """
SELECT volume, sum(length)::bigint, count(*), coalesce(sum(member_count), 0)::bigint, coalesce(sum(dead_bytes), 0)::bigint,
       coalesce(sum(length) FILTER (WHERE created_at > now() - %(over)s), 0)::bigint, min(created_at)
FROM segment WHERE state <> 'DELETED' GROUP BY volume
"""
_SAMPLE = """
INSERT INTO volume_sample (volume, total_bytes, free_bytes, stored_bytes)
SELECT %(volume)s, %(total)s, %(free)s, %(stored)s
WHERE NOT EXISTS (SELECT 1 FROM volume_sample WHERE volume = %(volume)s AND taken_at > now() - %(every)s)
"""
_SINCE = """
SELECT DISTINCT ON (volume) volume, taken_at, stored_bytes FROM volume_sample
WHERE taken_at > now() - %s ORDER BY volume, taken_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeSpace:
    """One volume.

    Attributes:
        total_bytes: Of its file system; ``None`` when it cannot be asked.
        free_bytes: What we may still take of it.
        stored_bytes: Of our segments.
        dead_bytes: Of those, what compaction will give back.
        growth_bytes_per_day: Over the last 30 days, or over as long as is known; ``None``: not yet.
        full_at: When it refuses new objects at that rate; ``None``: not known, or not within ten years.
    """

    name: str
    path: str
    total_bytes: int | None
    free_bytes: int | None
    low_watermark_bytes: int
    takes_objects: bool
    stored_bytes: int
    dead_bytes: int
    segment_count: int
    object_count: int
    growth_bytes_per_day: float | None
    full_at: datetime | None


def sample(database: Database, volumes: Sequence[Volume]) -> None:
    """Remember how full each volume is, at most once in ``SAMPLE_EVERY``."""
    with database.connection() as connection:
        rows = connection.execute(_STORED, {"over": RATE_OVER}).fetchall()
        stored = {row[0]: int(row[1] or 0) for row in rows}
        for volume in volumes:
            try:
                usage = shutil.disk_usage(volume.path)
            except OSError:
                continue
            connection.execute(
                _SAMPLE,
                {
                    "volume": volume.name,
                    "total": usage.total,
                    "free": usage.free,
                    "stored": stored.get(volume.name, 0),
                    "every": SAMPLE_EVERY,
                },
            )
        connection.execute("DELETE FROM volume_sample WHERE taken_at < now() - %s", (KEPT_FOR,))


def volume_spaces(
    database: Database, volumes: Sequence[Volume], *, now: datetime | None = None
) -> list[VolumeSpace]:
    """Every volume with its figures."""
    at = now or utc_now()
    with database.connection() as connection:
        rows = connection.execute(_STORED, {"over": RATE_OVER}).fetchall()
        first = connection.execute(_SINCE, (RATE_OVER,)).fetchall()
    stored = {row[0]: row[1:] for row in rows}
    samples = {row[0]: (row[1], int(row[2])) for row in first}
    found = []
    for volume in volumes:
        length, count, members, dead, recent, oldest = stored.get(
            volume.name, (0, 0, 0, 0, 0, None)
        )
        length = int(length or 0)
        rate = _rate(length, int(recent), oldest, samples.get(volume.name), at)
        try:
            total: int | None = shutil.disk_usage(volume.path).total
            free: int | None = max(0, volume.free_bytes())
            takes = volume.has_room()
        except OSError:
            total = free = None
            takes = False
        found.append(
            VolumeSpace(
                name=volume.name,
                path=str(volume.path),
                total_bytes=total,
                free_bytes=free,
                low_watermark_bytes=volume.low_watermark_bytes,
                takes_objects=takes,
                stored_bytes=length,
                dead_bytes=int(dead),
                segment_count=int(count),
                object_count=int(members),
                growth_bytes_per_day=rate,
                full_at=full_at(free, volume.low_watermark_bytes, rate, at),
            )
        )
    return found


def full_at(
    free_bytes: int | None, watermark_bytes: int, bytes_per_day: float | None, now: datetime
) -> datetime | None:
    """When the free space will have sunk to the watermark."""
    if free_bytes is None or bytes_per_day is None or bytes_per_day <= 0:
        return None
    days = max(0.0, free_bytes - watermark_bytes) / bytes_per_day
    return now + timedelta(days=days) if days < 3650 else None


def _rate(
    stored: int,
    recent: int,
    oldest: datetime | None,
    sample_then: tuple[datetime, int] | None,
    now: datetime,
) -> float | None:
    """Bytes a day: between the oldest sample of the time looked at and now, or what was written since."""
    if sample_then is not None and now - sample_then[0] >= _LEAST_SPAN:
        days = (now - sample_then[0]) / timedelta(days=1)
        return max(0.0, (stored - sample_then[1]) / days)
    if oldest is None or now - oldest < timedelta(hours=1):
        return None
    days = min(RATE_OVER, now - oldest) / timedelta(days=1)
    return recent / max(days, 1.0)
