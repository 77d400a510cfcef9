"""What an HTTP process works with, opened once and closed at its end."""

import time
from dataclasses import dataclass
from typing import Self

from negatoscope.domain.archive import Archive
from negatoscope.domain.archive.configured import open_archive, volumes
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.versions import Versions
from negatoscope.domain.viewing.cache import DerivedCache
from negatoscope.domain.viewing.htj2k import Htj2kRenditions
from negatoscope.domain.viewing.pixels import PixelService
from negatoscope.domain.viewing.rendering import Renderer
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.sessions import load_key
from negatoscope.infra.db import Database
from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.settings import Settings


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
        database = Database(settings.database_url)
        try:
            archive = open_archive(settings, database)
            retrieval = Retrieval(database, volumes(settings))
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
                access=Access(database, settings, load_key(settings.data_dir)),
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
