"""What ``npm run build`` left in ``dist``: names, sizes, pre-compressed forms.

Paths of requests are looked up here and never joined to a folder, so that none leads out of it.
"""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from negatoscope.entrypoints.web.content_coding import SUFFIXES

DIST: Final = Path(__file__).parent / "dist"
INDEX: Final = "index.html"
_HASHED: Final = "assets/"
"""Names below carry a sum of their content: what is fetched once stays true for ever."""
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_UNSERVED: Final = frozenset({"manifest.json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of the build.

    Attributes:
        path: Where it lies.
        content_type: Its media type.
        codings: Content codings that lie beside it, best first.
        is_hashed: Whether its name changes with its content.
    """

    path: Path
    content_type: str
    codings: tuple[str, ...]
    is_hashed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build.

    Attributes:
        made_ns: When its document was written; another time is another build.
        files: By path below the site's root, without a leading slash.
    """

    made_ns: int
    files: Mapping[str, File]


class Builds:
    """The build that is there now; noticed when it is replaced.

    Args:
        dist: The folder; that of the package without it.
    """

    def __init__(self, dist: Path | None = None) -> None:
        self._dist = dist or DIST
        self._current: Build | None = None

    def current(self) -> Build | None:
        """The build; None when there is none. Reads the folder when its document changed."""
        try:
            made_ns = (self._dist / INDEX).stat().st_mtime_ns
        except FileNotFoundError:
            return None
        if self._current is None or self._current.made_ns != made_ns:
            self._current = Build(made_ns=made_ns, files=_read(self._dist))
        return self._current


def _read(dist: Path) -> dict[str, File]:
    found = {
        path.relative_to(dist).as_posix(): path
        for path in dist.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    files: dict[str, File] = {}
    for name, path in found.items():
        if name in _UNSERVED or name.startswith(".") or path.suffix in SUFFIXES.values():
            continue
        files[name] = File(
            path=path,
            content_type=_TYPES.get(path.suffix)
            or mimetypes.guess_type(name)[0]
            or "application/octet-stream",
            codings=tuple(coding for coding, suffix in SUFFIXES.items() if name + suffix in found),
            is_hashed=name.startswith(_HASHED),
        )
    return files
