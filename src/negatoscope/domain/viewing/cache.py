"""What was made of stored objects and can be made again: bounded, on disk, shared by processes.

::

    <directory>/<first two digits of the name>/<name>

A name is the sha256 of the key, so that nothing of a patient is in it; a key begins with the
digest of the object, which never changes, so that nothing here is ever out of date. Files are
whole or not there (written beside, then renamed). Every process counts what it writes and, when
the directory passes its bound, removes what was not used for longest until nine tenths remain.
The newest are kept in memory too. Losing the directory costs time, nothing else; it never fills a
disk that the archive writes to, since below ``min_free_bytes`` nothing is kept.
"""

import fcntl
import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_TOUCH_S: Final = 3600.0
"""A file used after so long gets a new time of last use."""
_SCAN_S: Final = 300.0
"""How often the directory is counted again: other processes write to it."""
_LOW_WATER: Final = 0.9
MIN_FREE_BYTES: Final = 1 << 30


class DerivedCache:
    """Bytes by key. One per process; safe for many threads.

    Args:
        directory: Of the cache alone; made when first written to.
        max_bytes: On disk, all processes together; 0 keeps nothing there.
        memory_bytes: In this process.
        min_free_bytes: Left free on its file system.
    """

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int,
        memory_bytes: int = 64 << 20,
        min_free_bytes: int = MIN_FREE_BYTES,
    ) -> None:
        self._directory = directory
        self.max_bytes = max_bytes
        self._memory_bytes = memory_bytes
        self._min_free_bytes = min_free_bytes
        self._lock = threading.Lock()
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._in_memory = 0
        self._on_disk: int | None = None
        self._scanned_at_s = 0.0
        self._making: dict[str, _Making] = {}

    def get(self, key: str) -> bytes | None:
        """What is kept under a key; None when nothing is."""
        with self._lock:
            found = self._memory.get(key)
            if found is not None:
                self._memory.move_to_end(key)
                return found
        path = self._path(key)
        try:
            with path.open("rb") as file:
                data = file.read()
                if time.time() - os.fstat(file.fileno()).st_mtime > _TOUCH_S:
                    os.utime(file.fileno())
        except OSError:
            return None
        self._remember(key, data)
        return data

    def has(self, key: str) -> bool:
        """Whether something is kept under a key."""
        with self._lock:
            if key in self._memory:
                return True
        return self._path(key).exists()

    @contextmanager
    def claim(self, name: str) -> Iterator[bool]:
        """Give work to one process: True to the first that claims a name, until it leaves.

        Without a directory to lock in, everybody may.
        """
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        path = self._directory / "claims" / digest
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError:
            yield True
            return
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True
                path.unlink(missing_ok=True)
        finally:
            os.close(fd)

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes under a key; what cannot be kept is not, without a word."""
        self._remember(key, data)
        if len(data) > self.max_bytes // 4:
            return
        with suppress(OSError):
            self._write(self._path(key), data)

    def make(self, key: str, maker: Callable[[], bytes]) -> bytes:
        """What is kept under a key, else what ``maker`` gives; one thread makes, others wait.

        Raises: Whatever ``maker`` raises, to all who waited.
        """
        found = self.get(key)
        if found is not None:
            return found
        with self._lock:
            making = self._making.get(key)
            is_ours = making is None
            if making is None:
                making = self._making[key] = _Making()
        if not is_ours:
            making.done.wait()
            if making.error is not None:
                raise making.error
            return making.data
        try:
            making.data = maker()
        except BaseException as error:
            making.error = error
            raise
        finally:
            with self._lock:
                del self._making[key]
            making.done.set()
        self.put(key, making.data)
        return making.data

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._directory / name[:2] / name

    def _remember(self, key: str, data: bytes) -> None:
        if len(data) > self._memory_bytes // 4:
            return
        with self._lock:
            self._in_memory += len(data) - len(self._memory.pop(key, b""))
            self._memory[key] = data
            while self._in_memory > self._memory_bytes:
                self._in_memory -= len(self._memory.popitem(last=False)[1])

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        status = os.statvfs(path.parent)
        if status.f_bavail * status.f_frsize < self._min_free_bytes + len(data):
            return
        draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            draft.write_bytes(data)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        with self._lock:
            now = time.monotonic()
            is_due = self._on_disk is None or now - self._scanned_at_s > _SCAN_S
            if self._on_disk is not None:
                self._on_disk += len(data)
                is_due = is_due or self._on_disk > self.max_bytes
            if not is_due:
                return
            self._scanned_at_s = now
            self._on_disk = self._sweep()

    def _sweep(self) -> int:
        """Remove the least recently used until the bound is kept; bytes that remain."""
        files: list[tuple[float, int, str]] = []
        for folder, _, names in os.walk(self._directory):
            for name in names:
                path = os.path.join(folder, name)
                with suppress(OSError):
                    status = os.stat(path)
                    files.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        if total <= self.max_bytes:
            return total
        for _, size, path in sorted(files):
            if total <= self.max_bytes * _LOW_WATER:
                break
            with suppress(OSError):
                os.unlink(path)
            total -= size
        return total


class _Making:
    """What one thread makes and others wait for."""

    __slots__ = ("data", "done", "error")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.data = b""
        self.error: BaseException | None = None
