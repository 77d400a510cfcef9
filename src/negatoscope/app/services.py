"""The archive as the settings describe it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from negatoscope.domain.archive import Archive, ArchiveSettings
from negatoscope.infra.db import Database
from negatoscope.infra.settings import Settings
from negatoscope.infra.storage.contract import Volume


def volumes(settings: Settings) -> tuple[Volume, ...]:
    """The configured volumes; their directories are made."""
    made = []
    for volume in settings.volumes:
        volume.path.mkdir(parents=True, exist_ok=True)
        total = shutil.disk_usage(volume.path).total
        made.append(
            Volume(
                name=volume.name,
                path=volume.path,
                low_watermark_bytes=volume.watermark_bytes(total),
            )
        )
    return tuple(made)


@contextmanager
def opened_archive(settings: Settings, database: Database) -> Iterator[Archive]:
    """The archive of this process; what a dead process left is looked after first."""
    archive = Archive(
        database=database,
        volumes=volumes(settings),
        settings=ArchiveSettings(
            segment_max_bytes=settings.segment_max_bytes,
            segment_idle_s=settings.segment_idle_s,
            settle_idle_s=settings.settle_idle_s,
        ),
    )
    try:
        yield archive
    finally:
        archive.close()
