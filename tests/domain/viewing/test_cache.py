"""The bounded cache of derived bytes."""

import os
import threading
import time
from pathlib import Path

import pytest

from negatoscope.domain.viewing.cache import DerivedCache


def opened(path: Path, **more: int) -> DerivedCache:
    """With bounds that tests can reach."""
    given = {"max_bytes": 1 << 20, "memory_bytes": 0, "min_free_bytes": 0} | more
    return DerivedCache(path / "derived", **given)


def test_kept_and_shared(tmp_path):
    """What one process keeps, another one finds; names tell nothing."""
    opened(tmp_path).put("a1b2/1/htj2k", b"frame")
    assert opened(tmp_path).get("a1b2/1/htj2k") == b"frame"
    assert opened(tmp_path).get("a1b2/2/htj2k") is None
    names = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert len(names) == 1
    assert "a1b2" not in names[0]


def test_bounded_on_disk(tmp_path):
    """The least recently used go first."""
    cache = opened(tmp_path, max_bytes=10_000)
    for number in range(30):
        cache.put(str(number), bytes([number]) * 1000)
        path = cache._path(str(number))
        os.utime(path, (time.time() - 1000 + number,) * 2) if path.exists() else None
    total = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert total <= 10_000
    assert cache.get("29") == bytes([29]) * 1000
    assert cache.get("0") is None


def test_bounded_in_memory(tmp_path):
    """And what is larger than a quarter of it is not kept there."""
    cache = opened(tmp_path, max_bytes=0, memory_bytes=4000)
    for number in range(10):
        cache.put(str(number), bytes(1000))
    cache.put("large", bytes(1001))
    assert [n for n in range(10) if cache.get(str(n))] == [6, 7, 8, 9]
    assert cache.get("large") is None
    assert not (tmp_path / "derived").exists()


def test_nothing_is_kept_on_a_full_disk(tmp_path):
    """The archive's room is not for caches."""
    cache = opened(tmp_path, min_free_bytes=1 << 60)
    cache.put("a", b"x")
    assert cache.get("a") is None


def test_made_once(tmp_path):
    """Several who want the same wait for one; an error reaches all and is not kept."""
    cache = opened(tmp_path, memory_bytes=1 << 16)
    made: list[int] = []
    gate = threading.Event()

    def maker() -> bytes:
        made.append(1)
        gate.wait(5)
        return b"made"

    results: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: results.append(cache.make("k", maker))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    gate.set()
    for thread in threads:
        thread.join()
    assert results == [b"made"] * 5
    assert made == [1]
    with pytest.raises(ZeroDivisionError):
        cache.make("bad", lambda: bytes(1 // 0))
    assert cache.make("bad", lambda: b"good") == b"good"
