"""ULIDs: sortable 128-bit names (github.com/ulid/spec), Crockford base 32."""

import os
import random
import time

# Names must differ, not be unforeseeable; a generator of our own, so that a seeded one elsewhere cannot repeat them.
_random = random.Random()
os.register_at_fork(after_in_child=_random.seed)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def new_ulid(*, at_s: float | None = None) -> str:
    """A new name of 26 characters that sorts by its time.

    Args:
        at_s: Seconds since 1970; now when absent.
    """
    milliseconds = int((time.time() if at_s is None else at_s) * 1000)
    value = (milliseconds & ((1 << 48) - 1)) << 80 | _random.getrandbits(80)
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(120, -10, -10)])
