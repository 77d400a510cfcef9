"""Brings OHIF's published build, checks that it is the one we know, and makes it live at ``/ohif``.

The build is made for the root of a host. Its public path is baked in, so some texts of it are
replaced; each replacement must be met exactly as often as it was in the version we know. Another
version differs somewhere and is refused, rather than served half patched.
"""

import base64
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import brotli

from negatoscope.entrypoints.web.ohif.installation import (
    BASE_PATH,
    ENCODINGS,
    FOLDER,
    MANIFEST,
    Asset,
    Installation,
)
from negatoscope.infra.errors import InfraError

PACKAGE: Final = "@ohif/app"
VERSION: Final = "3.13.2"
INTEGRITY: Final = "sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
"""Subresource-integrity digest of the package's tarball, as its registry publishes it."""
MICROSCOPY: Final = "dicom-microscopy-viewer/"

_DIST: Final = "package/dist/"
_MEMBER_BYTES: Final = 64 << 20
_TOTAL_BYTES: Final = 400 << 20
_FETCH_TIMEOUT_S: Final = 900
_LEFT_OUT: Final = (
    "ort/*", "*.map", "_headers", "_redirects", "app-config.js", "silent-refresh.html",
    "customizations/*", "google.js", "es6-shim.min.js", "oidc-client.min.js",
)  # fmt: skip
"""Neural networks for segmentation (two thirds of the package), source maps, hosting of others,
examples, sign-in at another place."""
_COMPRESSED: Final = (".js", ".css", ".html", ".json", ".svg", ".wasm", ".ico", ".xml", ".webapp")
_HASHED: Final = re.compile(r"(?:.*\.)?[0-9a-f]{16}\.(?:js|css|wasm|woff2)")
_INLINE_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_PREFIX: Final = BASE_PATH.encode("ascii")


class OhifError(InfraError):
    """OHIF cannot be fetched, or is not the build we know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A text to be replaced.

    Attributes:
        files: Pattern of the paths looked at.
        found: What is replaced.
        replacement: By what, groups of ``found`` included.
        hits: How often it stands in the build, all files together.
    """

    files: str
    found: bytes
    replacement: bytes
    hits: int


PATCHES: Final = (
    Patch(
        files="index.html",
        found=rb'(window\.PUBLIC_URL|src|href|content)="/',
        replacement=rb'\1="' + _PREFIX,
        hits=35,
    ),
    Patch(
        files="*.js",
        found=rb'__webpack_require__\.p = "/";',
        replacement=b'__webpack_require__.p = "' + _PREFIX + b'";',
        hits=8,
    ),
    Patch(
        files="app.bundle.*.js",
        found=rb"browserImportFunction\('/dicom-microscopy-viewer/",
        replacement=b"browserImportFunction('" + _PREFIX + b"dicom-microscopy-viewer/",
        hits=1,
    ),
    Patch(files="*.css", found=rb"url\(/", replacement=b"url(" + _PREFIX, hits=5),
    Patch(
        files="manifest.json",
        found=rb'"/assets/',
        replacement=b'"' + _PREFIX + b"assets/",
        hits=9,
    ),
    Patch(
        files="app.bundle.*.js",
        found=rb"i < ModalitiesInStudy\.Value\.length",
        replacement=b"i < (ModalitiesInStudy.Value || []).length",
        hits=1,
    ),
)
"""Public path of documents, of loaded chunks, of the microscopy viewer, of fonts, of icons. Last, one
study whose objects have no Modality would leave the whole list empty: an attribute without values
has no Value (PS3.18 §F.2.5)."""

REVISION: Final = hashlib.sha256(repr(PATCHES).encode()).hexdigest()[:8]
"""Of the patches: part of the address of the main bundle, whose name stays when they change."""
_MAIN_BUNDLE: Final = re.compile(rb'(app\.bundle\.[0-9a-f]{16}\.js)"')


def install(
    data_dir: Path,
    *,
    tarball: Path | None = None,
    with_microscopy: bool = False,
    say: Callable[[str], None] = lambda _text: None,
) -> Installation:
    """Make OHIF live in a data directory; what was there before is served until the end.

    Args:
        data_dir: Of the archive.
        tarball: The package, fetched elsewhere; None fetches it with npm.
        with_microscopy: Take the viewer of whole slide images too (8 MB more).
        say: Told what is going on.

    Raises:
        OhifError: npm is not there or fails, or the package is not the one we know.
        OSError: the data directory cannot be written.
    """
    folder = data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as scratch:
        if tarball is None:
            say(f"fetching {PACKAGE} {VERSION} with npm")
            tarball = fetch(Path(scratch))
        check_integrity(tarball)
        say("unpacking")
        root = Path(scratch) / "dist"
        names = _unpack(tarball, root, with_microscopy=with_microscopy)
        _patch(root, names)
        say("compressing")
        installation = _finish(root, names, with_microscopy=with_microscopy)
        home = folder / f"{VERSION}-{os.urandom(4).hex()}"
        root.rename(home)
    installation = Installation(
        version=installation.version,
        revision=installation.revision,
        root=home,
        script_hashes=installation.script_hashes,
        has_microscopy=with_microscopy,
        assets=installation.assets,
    )
    draft = folder / f".{MANIFEST}.{os.getpid()}"
    draft.write_bytes(installation.document())
    draft.replace(folder / MANIFEST)
    _remove_others(folder, keep=home.name)
    return installation


def remove(data_dir: Path) -> bool:
    """Take OHIF out of a data directory.

    Returns: Whether one was there.
    """
    folder = data_dir / FOLDER
    was_there = (folder / MANIFEST).exists()
    (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return was_there


def fetch(directory: Path) -> Path:
    """Have npm bring the package, from wherever this machine's npm takes packages.

    Raises: OhifError: no npm, or it fails; its own words are in the message.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise OhifError(
            "npm is not on this machine, so OHIF cannot be fetched",
            hint="install it (apt-get install npm), or fetch the package on another machine with "
            f"`npm pack {PACKAGE}@{VERSION}` and give it with --from.",
        )
    try:
        done = subprocess.run(
            [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--ignore-scripts",
             "--pack-destination", str(directory)],
            cwd=directory, capture_output=True, text=True, errors="replace", check=False,
            timeout=_FETCH_TIMEOUT_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        reason = f"no package after {_FETCH_TIMEOUT_S} s"
    else:
        found = list(directory.glob("*.tgz"))
        if done.returncode == 0 and len(found) == 1:
            return found[0]
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reason = " ".join(lines[-3:])[:300] or f"exit code {done.returncode}"
    raise OhifError(
        f"npm did not bring {PACKAGE} {VERSION}: {reason}",
        hint=f"look whether `npm view {PACKAGE}@{VERSION} version` works here, or bring the "
        "package from another machine and give it with --from.",
    )


def check_integrity(tarball: Path) -> None:
    """Compare a package with the digest we know.

    Raises: OhifError: it is not that package, or cannot be read.
    """
    try:
        with tarball.open("rb") as file:
            digest = hashlib.file_digest(file, "sha512").digest()
    except OSError as error:
        raise OhifError(
            f"cannot read {tarball}: {error.strerror}", hint="name the package's .tgz file."
        ) from error
    found = "sha512-" + base64.b64encode(digest).decode("ascii")
    if found != INTEGRITY:
        raise OhifError(
            f"{tarball.name} is not {PACKAGE} {VERSION}: its digest is {found}, not {INTEGRITY}",
            hint=f"fetch it again with `npm pack {PACKAGE}@{VERSION}`; no other version is taken.",
        )


def _unpack(tarball: Path, root: Path, *, with_microscopy: bool) -> list[str]:
    """Regular files of the build that are wanted, below ``root``; their paths."""
    left_out = _LEFT_OUT if with_microscopy else (*_LEFT_OUT, MICROSCOPY + "*")
    names: list[str] = []
    total = 0
    with tarfile.open(tarball, "r:gz") as archive:
        for member in archive:
            name = member.name.removeprefix(_DIST)
            if not member.isfile() or name == member.name:
                continue
            parts = name.split("/")
            if any(part in ("", ".", "..") for part in parts) or "\\" in name:
                raise OhifError(f"the package holds a file named {name!r}")
            if any(fnmatch(name, pattern) for pattern in left_out):
                continue
            total += member.size
            if member.size > _MEMBER_BYTES or total > _TOTAL_BYTES:
                raise OhifError("the package is larger than the build we know")
            source = archive.extractfile(member)
            if source is None:  # of a regular file there always is one
                continue
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with source, path.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            names.append(name)
    return sorted(names)


def _patch(root: Path, names: Sequence[str]) -> None:
    """Replace what is bound to the root of a host.

    Raises: OhifError: a text is not met as often as it should be.
    """
    for patch in PATCHES:
        hits = 0
        for name in names:
            if "/" in name or not fnmatch(name, patch.files):
                continue
            before = (root / name).read_bytes()
            after, count = re.subn(patch.found, patch.replacement, before)
            if count:
                hits += count
                (root / name).write_bytes(after)
        if hits != patch.hits:
            raise OhifError(
                f"{patch.found.decode()} stands {hits} times in {patch.files}, not {patch.hits}",
                hint="this is not the build we know; nothing was installed.",
            )
    index = root / "index.html"
    addressed, count = _MAIN_BUNDLE.subn(rb'\1?%b"' % REVISION.encode(), index.read_bytes())
    if count != 1:
        raise OhifError(f"index.html names the main bundle {count} times")
    index.write_bytes(addressed)


def is_current(installation: Installation, *, with_microscopy: bool = False) -> bool:
    """Whether an installation is the one that ``install`` would make."""
    return (
        installation.version == VERSION
        and installation.revision == REVISION
        and installation.has_microscopy >= with_microscopy
    )


def _finish(root: Path, names: Sequence[str], *, with_microscopy: bool) -> Installation:
    """Compress every file that shrinks, and describe them all."""
    index = (root / "index.html").read_bytes()
    hashes = tuple(
        "sha256-" + base64.b64encode(hashlib.sha256(script).digest()).decode("ascii")
        for script in _INLINE_SCRIPT.findall(index)
    )
    largest_first = sorted(names, key=lambda name: (root / name).stat().st_size, reverse=True)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as executor:
        assets = dict(
            zip(
                largest_first,
                executor.map(lambda name: _describe(root, name), largest_first),
                strict=True,
            )
        )
    return Installation(
        version=VERSION,
        revision=REVISION,
        root=root,
        script_hashes=hashes,
        has_microscopy=with_microscopy,
        assets={name: assets[name] for name in names},
    )


def _describe(root: Path, name: str) -> Asset:
    path = root / name
    data = path.read_bytes()
    encodings = []
    if name.endswith(_COMPRESSED) and len(data) > 256:
        for encoding, suffix in ENCODINGS.items():
            small = brotli.compress(data, quality=9) if encoding == "br" else gzip.compress(data, 6)
            if len(small) < len(data):
                path.with_name(path.name + suffix).write_bytes(small)
                encodings.append(encoding)
    return Asset(
        digest=hashlib.sha256(data).hexdigest()[:20],
        size=len(data),
        encodings=tuple(encodings),
        is_immutable=_HASHED.fullmatch(name) is not None,
    )


def _remove_others(folder: Path, *, keep: str) -> None:
    for other in folder.iterdir():
        if other.is_dir() and other.name != keep:
            shutil.rmtree(other, ignore_errors=True)
