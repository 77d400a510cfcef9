"""The archive as the settings describe it: its volumes, its sizes and times."""

import shutil

from negatoscope.domain.archive.archive import Archive
from negatoscope.domain.archive.model import ArchiveSettings
from negatoscope.infra.db import Database
from negatoscope.infra.settings import Settings
from negatoscope.infra.storage.contract import Volume


def volumes(settings: Settings) -> tuple[Volume, ...]:
    """The configured volumes; their directories are made."""
    made = []
    for volume in settings.volumes:
        volume.path.mkdir(parents=True, exist_ok=True)
        total_bytes = shutil.disk_usage(volume.path).total
        watermark = volume.watermark_bytes(total_bytes)
        made.append(Volume(name=volume.name, path=volume.path, low_watermark_bytes=watermark))
    return tuple(made)


def open_archive(settings: Settings, database: Database, *, receives: bool = False) -> Archive:
    """The archive of this process; what a dead process left is looked after first.

    Args:
        receives: Senders come to this process: it keeps segments ready for them.
    Raises:
        DatabaseUnavailable: the index cannot be asked.
    """
    return Archive(
        database=database,
        volumes=volumes(settings),
        settings=archive_settings(settings, receives=receives),
    )


def archive_settings(settings: Settings, *, receives: bool = False) -> ArchiveSettings:
    """The archive's part of the settings.

    Args:
        receives: Senders come to this process.
    """
    return ArchiveSettings(
        segment_max_bytes=settings.segment_max_bytes,
        segment_idle_s=settings.segment_idle_s,
        settle_idle_s=settings.settle_idle_s,
        prepared_segments=settings.prepared_segments if receives else 0,
        prepared_bytes=settings.prepared_bytes,
    )
