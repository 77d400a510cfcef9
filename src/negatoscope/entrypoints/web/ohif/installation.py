"""What an installed OHIF consists of, as its manifest says.

::

    <data_dir>/ohif/
      installation.json       written last: what is not named in it is not served
      3.13.2-1f0c9a/          files of the build, patched
        index.html  index.html.br  index.html.gz  …
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import orjson

FOLDER: Final = "ohif"
MANIFEST: Final = "installation.json"
BASE_PATH: Final = "/ohif/"
ENCODINGS: Final = {"br": ".br", "gzip": ".gz"}
"""Content codings made beforehand, the better one first, and what their files end with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file of the build.

    Attributes:
        digest: First 20 hexadecimal digits of its sha256, as served.
        size: Bytes without content coding.
        encodings: Content codings of which a file lies beside it.
        is_immutable: Whether its name changes with its content.
    """

    digest: str
    size: int
    encodings: tuple[str, ...] = ()
    is_immutable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An OHIF that can be served.

    Attributes:
        version: Of the package.
        revision: Of what is replaced in it.
        root: Where its files lie.
        script_hashes: CSP sources of the scripts written into ``index.html``.
        has_microscopy: Whether the viewer of whole slide images is there.
        assets: By path below ``/ohif/``.
    """

    version: str
    revision: str
    root: Path
    script_hashes: tuple[str, ...]
    has_microscopy: bool
    assets: Mapping[str, Asset] = field(repr=False)

    def document(self) -> bytes:
        """The manifest."""
        return orjson.dumps(
            {
                "version": self.version,
                "revision": self.revision,
                "directory": self.root.name,
                "script_hashes": self.script_hashes,
                "has_microscopy": self.has_microscopy,
                "assets": {
                    path: [asset.digest, asset.size, asset.encodings, asset.is_immutable]
                    for path, asset in self.assets.items()
                },
            },
            option=orjson.OPT_INDENT_2,
        )

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """What ``folder`` holds; None when nothing is installed or its manifest is unusable."""
        try:
            said: Any = orjson.loads((folder / MANIFEST).read_bytes())
            return cls(
                version=said["version"],
                revision=said["revision"],
                root=folder / Path(said["directory"]).name,
                script_hashes=tuple(said["script_hashes"]),
                has_microscopy=said["has_microscopy"],
                assets={
                    path: Asset(
                        digest=digest,
                        size=size,
                        encodings=tuple(encodings),
                        is_immutable=is_immutable,
                    )
                    for path, (digest, size, encodings, is_immutable) in said["assets"].items()
                },
            )
        except (OSError, ValueError, TypeError, KeyError):
            return None


class Installed:
    """The installation of a data directory, looked at again when its manifest changes.

    Args:
        data_dir: Of the archive.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER
        self._seen: tuple[int, int, int] | None = None
        self._current: Installation | None = None

    def current(self) -> Installation | None:
        """What is installed now; one ``stat`` when nothing changed."""
        try:
            status = os.stat(self._folder / MANIFEST)
        except OSError:
            self._seen = self._current = None
            return None
        seen = (status.st_mtime_ns, status.st_ino, status.st_size)
        if seen != self._seen:
            self._current = Installation.read(self._folder)
            self._seen = seen
        return self._current
