"""Stored objects kept open between requests: what makes a frame cost one read.

A viewer asks for the frames of one object again and again, and 200 viewers for the same studies.
An entry holds the object's row and its open segment for ``REMEMBERED_S``; after that the index is
asked again, so what is deleted or moved elsewhere is not served for longer. Compaction may move
an object earlier: its old place then either still holds the same bytes or, once its space is
given back, no longer starts with ``DICM``, which every use looks at before it reads.

The digest of an object up to ``WHOLE_BYTES`` is compared each time it is opened: 0.3 ms for 512 KB, and what is read for it
is what the frames are then sent from. Of a longer one a frame is what lies on the disk; it is compared when the object is
retrieved whole, and by the scrub.

Everything here runs on the event loop; what may wait for a disk goes through ``run_blocking``.
"""

import asyncio
import os
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from negatoscope.domain.archive.reading import WHOLE_BYTES, Member
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.kit.aio import run_blocking

if TYPE_CHECKING:
    from negatoscope.domain.archive.stored import StoredInstance

REMEMBERED_S = 5.0
REMEMBERED_COUNT = 4096
_MAGIC_OFFSET = 128
_MAGIC = b"DICM"
_PROBE_STEP = 256 * 1024


class ObjectKey(NamedTuple):
    """Where DICOMweb says an instance is."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str


class OpenObject:
    """An object that stays open while somebody uses it."""

    __slots__ = ("expires_at_s", "forgotten", "member", "stored", "users")

    def __init__(self, member: Member, expires_at_s: float) -> None:
        self.member = member
        self.stored: StoredInstance = member.stored
        self.expires_at_s = expires_at_s
        self.users = 0
        self.forgotten = False

    def is_in_memory(self, offset: int, length: int) -> bool:
        """Whether a range of the Part 10 file can be read without waiting for a disk.

        Looks at one byte every 256 KiB (RWF_NOWAIT, preadv2(2)): read-ahead brings neighbours
        in together, and a wrong guess costs one wait.
        """
        start = self.stored.offset + offset
        fd = self.member.fileno()
        byte = bytearray(1)
        try:
            for at in (*range(start, start + length - 1, _PROBE_STEP), start + length - 1):
                if os.preadv(fd, (byte,), at, os.RWF_NOWAIT) != 1:
                    return False
        except OSError:  # EAGAIN: on the disk; EOPNOTSUPP: this file system cannot tell
            return False
        return True

    def still_there(self) -> bool:
        """Whether the place still holds a Part 10 file; False too when that would need a wait."""
        magic = bytearray(len(_MAGIC))
        try:
            os.preadv(
                self.member.fileno(), (magic,), self.stored.offset + _MAGIC_OFFSET, os.RWF_NOWAIT
            )
        except OSError:
            return False
        return magic == _MAGIC


class OpenObjects:
    """The objects of one process that were used a moment ago."""

    def __init__(self, retrieval: Retrieval) -> None:
        self._retrieval = retrieval
        self._entries: OrderedDict[ObjectKey, OpenObject] = OrderedDict()
        self._sweeper: asyncio.TimerHandle | None = None

    async def acquire(self, key: ObjectKey) -> OpenObject | None:
        """An object to be given back with ``release``; None when the index has no such.

        Raises:
            RetrieveError: it cannot be opened, or its bytes are not those that were received.
            DatabaseUnavailable: the index does not answer.
        """
        entry = self._entries.get(key)
        if entry is not None:
            if entry.expires_at_s > time.monotonic() and entry.still_there():
                entry.users += 1
                return entry
            del self._entries[key]
            self._forget(entry)
        member = await run_blocking(self._open, key)
        if member is None:
            return None
        entry = OpenObject(member, time.monotonic() + REMEMBERED_S)
        entry.users = 1
        replaced = self._entries.pop(key, None)
        if replaced is not None:
            self._forget(replaced)
        self._entries[key] = entry
        while len(self._entries) > REMEMBERED_COUNT:
            self._forget(self._entries.popitem(last=False)[1])
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(REMEMBERED_S, self._sweep)
        return entry

    def release(self, entry: OpenObject) -> None:
        """Give an object back."""
        entry.users -= 1
        if entry.forgotten and not entry.users:
            entry.member.close()

    def close(self) -> None:
        """Close what nobody uses; the rest is closed when given back."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        while self._entries:
            self._forget(self._entries.popitem()[1])

    def _open(self, key: ObjectKey) -> Member | None:
        stored = self._retrieval.find(
            key.sop_instance_uid, study=key.study_instance_uid, series=key.series_instance_uid
        )
        if stored is None:
            return None
        member = self._retrieval.open(stored)
        if stored.size <= WHOLE_BYTES:
            try:
                member.look()
            except BaseException:
                member.close()
                raise
        return member

    def _forget(self, entry: OpenObject) -> None:
        entry.forgotten = True
        if not entry.users:
            entry.member.close()

    def _sweep(self) -> None:
        now = time.monotonic()
        while self._entries:
            key, entry = next(iter(self._entries.items()))
            if entry.expires_at_s > now:
                break
            del self._entries[key]
            self._forget(entry)
        self._sweeper = (
            asyncio.get_running_loop().call_later(REMEMBERED_S, self._sweep)
            if self._entries
            else None
        )
