"""How much one data set may cost."""

from dataclasses import dataclass

UNDEFINED_LENGTH = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanLimits:
    """Bounds of one data set. Reached, the matching `LimitExceeded` is raised.

    Attributes:
        depth: Sequences within sequences.
        elements: Elements, those of items included.
        items: Sequence items, at all levels together.
        fragments: Fragments of encapsulated pixel data.
        value_bytes: Longest wanted value kept; a longer one is left out with a warning.
        sequence_bytes: Longest wanted sequence kept; likewise.
        inflated_bytes: Longest inflated form of a deflated data set.
        inflate_ratio: Largest growth of a deflated data set, once beyond `inflate_free_bytes`
            (a third of a second of work; masks of zeros deflate a thousand times and are real).
    """

    depth: int = 32
    elements: int = 1_000_000
    items: int = 200_000
    fragments: int = 1_000_000
    value_bytes: int = 64 << 10
    sequence_bytes: int = 1 << 20
    inflated_bytes: int = 2 << 30
    inflate_ratio: int = 200
    inflate_free_bytes: int = 128 << 20


DEFAULT_LIMITS = ScanLimits()

#: What turning a data set into JSON may cost: every element becomes some half kilobyte.
DECODE_LIMITS = ScanLimits(elements=400_000, inflated_bytes=256 << 20, inflate_free_bytes=64 << 20)
