"""What an HTTP process works with, opened once and closed at its end."""

import shutil
import time
from dataclasses import dataclass
from typing import Self

from negatoscope.domain.archive import Archive, ArchiveSettings
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.versions import Versions
from negatoscope.domain.viewing.cache import DerivedCache
from negatoscope.domain.viewing.htj2k import Htj2kRenditions
from negatoscope.domain.viewing.pixels import PixelService
from negatoscope.domain.viewing.rendering import Renderer
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.sessions import SessionSigner, load_key
from negatoscope.infra.db import Database
from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.settings import Settings
from negatoscope.infra.storage.contract import Volume


@dataclass(slots=True, kw_only=True)
class Services:
    """The public faces that the wires call."""

    settings: Settings
    database: Database
    archive: Archive
    retrieval: Retrieval
    versions: Versions
    access: Access
    pixels: PixelService
    renderer: Renderer
    derived: DerivedCache
    htj2k: Htj2kRenditions
    started_at_s: float
    """Monotonic."""

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Connect, look after what a dead process left, be ready.

        Raises:
            ConfigurationError: the settings name no database.
            DatabaseUnavailable: it does not answer.
        """
        if settings.database_url is None:
            raise ConfigurationError(
                "no database is named", hint="`negatoscope serve` starts one and names it."
            )
        volumes = _volumes(settings)
        database = Database(settings.database_url)
        try:
            archive = Archive(
                database=database,
                volumes=volumes,
                settings=ArchiveSettings(
                    segment_max_bytes=settings.segment_max_bytes,
                    segment_idle_s=settings.segment_idle_s,
                    settle_idle_s=settings.settle_idle_s,
                ),
            )
            secure = (settings.public_url or "").startswith("https:")
            retrieval = Retrieval(database, volumes)
            pixels = PixelService.open(settings.codecs)
            derived = DerivedCache(
                settings.data_dir / "derived", max_bytes=settings.derived_max_bytes
            )
            return cls(
                settings=settings,
                database=database,
                archive=archive,
                retrieval=retrieval,
                versions=Versions(archive),
                access=Access(database, SessionSigner(load_key(settings.data_dir), secure=secure)),
                pixels=pixels,
                renderer=Renderer(retrieval, pixels, derived),
                derived=derived,
                htj2k=Htj2kRenditions(pixels, retrieval, derived),
                started_at_s=time.monotonic(),
            )
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Write what is counted, seal what is open, disconnect."""
        self.htj2k.close()
        self.pixels.close()
        self.access.close()
        self.archive.close()
        self.retrieval.close()
        self.database.close()


def _volumes(settings: Settings) -> tuple[Volume, ...]:
    made = []
    for volume in settings.volumes:
        volume.path.mkdir(parents=True, exist_ok=True)
        total_bytes = shutil.disk_usage(volume.path).total
        watermark = volume.watermark_bytes(total_bytes)
        made.append(Volume(name=volume.name, path=volume.path, low_watermark_bytes=watermark))
    return tuple(made)
