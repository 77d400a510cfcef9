"""Objects are read ahead in order, within bounds, by one thread that ends with its reader."""

import threading
from typing import Any

from negatoscope.entrypoints.dimse.read_ahead import AHEAD_COUNT, SMALL_BYTES, read_ahead


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "read-ahead" in thread.name]


def test_order_and_bytes_hold_whatever_the_sizes(node: Any) -> None:
    """Small ones are read in place, long ones by the second thread, the longest not at all."""
    sizes = [8, 300, 8, 8, 300, 2200, 300, 8] * 3
    assert 8 * 8 * 2 < SMALL_BYTES < 300 * 300 * 2
    uids = node.store(
        *(
            node.ct("1.1", "1.1.1", f"1.1.1.{number}", number=number, size=size)
            for number, size in enumerate(sizes, 1)
        )
    )
    seen = []
    instances = node.retrieval.instances(study="1.1")
    for loaded in read_ahead(node.retrieval, instances, wanted=lambda stored: True):
        uid = loaded.stored.sop_instance_uid
        seen.append(uid)
        if sizes[len(seen) - 1] == 2200:
            assert loaded.data_set is None
        else:
            assert bytes(loaded.data_set) == node.data_set_bytes(node.sent[uid])
    assert seen == uids
    assert not threads()


def test_what_nobody_wants_is_not_read_and_what_is_corrupt_says_so(node: Any) -> None:
    node.study("1.1", 3)
    node.damage("1.1.1.2")
    loaded = list(
        read_ahead(
            node.retrieval,
            node.retrieval.instances(study="1.1"),
            wanted=lambda stored: stored.instance_number != 3,
        )
    )
    assert [one.data_set is None for one in loaded] == [False, True, True]
    assert [one.error is None for one in loaded] == [True, False, True]


def test_a_reader_that_leaves_ends_it(node: Any) -> None:
    node.study("1.1", 2 * AHEAD_COUNT)
    pulled = []

    def instances() -> Any:
        for stored in node.retrieval.instances(study="1.1"):
            pulled.append(stored)
            yield stored

    reading = read_ahead(node.retrieval, instances(), wanted=lambda stored: True)
    next(reading)
    assert len(pulled) <= AHEAD_COUNT + 1
    reading.close()
    assert not threads()
