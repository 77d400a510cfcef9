"""Objects are read one after the other, compared, and handed on in order."""

from typing import Any

from negatoscope.entrypoints.dimse.loading import load_each


def test_order_and_bytes_hold_whatever_the_sizes(node: Any) -> None:
    """One buffer serves all; the longest are left to be read while they are sent."""
    sizes = [8, 300, 8, 8, 300, 2200, 300, 8]
    uids = node.store(
        *(
            node.ct("1.1", "1.1.1", f"1.1.1.{number}", number=number, size=size)
            for number, size in enumerate(sizes, 1)
        )
    )
    seen = []
    instances = node.retrieval.instances(study="1.1")
    for loaded in load_each(node.retrieval, instances, wanted=lambda stored: True):
        uid = loaded.stored.sop_instance_uid
        seen.append(uid)
        if sizes[len(seen) - 1] == 2200:
            assert loaded.data_set is None
        else:
            assert bytes(loaded.data_set) == node.data_set_bytes(node.sent[uid])
    assert seen == uids


def test_what_nobody_wants_is_not_read_and_what_is_corrupt_says_so(node: Any) -> None:
    """A refused or damaged object costs its own sub-operation only."""
    node.study("1.1", 3)
    node.damage("1.1.1.2")
    loaded = list(
        load_each(
            node.retrieval,
            node.retrieval.instances(study="1.1"),
            wanted=lambda stored: stored.instance_number != 3,
        )
    )
    assert [one.data_set is None for one in loaded] == [False, True, True]
    assert [one.error is None for one in loaded] == [True, False, True]
