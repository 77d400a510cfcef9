"""Reading a data set in the DICOM JSON model, as the display pipeline needs it.

Values come from strangers: every reader here gives ``None`` or an empty list for what is absent
or is not of the kind asked for, and never raises.
"""

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from negatoscope.standard import tags

DataSet = Mapping[str, Any]
Array = np.ndarray[Any, np.dtype[Any]]

MAX_VALUE_BYTES: Final = 64 << 20
"""Longest binary value looked at."""


def values(data_set: DataSet, tag: int) -> list[Any]:
    """The values of an attribute; nulls and non-lists are nothing."""
    element = data_set.get(f"{tag:08X}")
    if not isinstance(element, Mapping):
        return []
    found = element.get("Value")
    return [one for one in found if one is not None] if isinstance(found, list) else []


def text(data_set: DataSet, tag: int) -> str | None:
    """The first value of a text attribute, stripped; ``None`` when empty."""
    for value in values(data_set, tag)[:1]:
        if isinstance(value, str):
            return value.strip() or None
        if isinstance(value, int | float):
            return str(value)
    return None


def texts(data_set: DataSet, tag: int) -> list[str]:
    """All values of a text attribute."""
    return [str(value).strip() for value in values(data_set, tag) if isinstance(value, str)]


def number(data_set: DataSet, tag: int) -> float | None:
    """The first value as a finite number."""
    found = numbers(data_set, tag)
    return found[0] if found else None


def numbers(data_set: DataSet, tag: int) -> list[float]:
    """All values that are finite numbers; empty when one of them is not."""
    out: list[float] = []
    for value in values(data_set, tag):
        try:
            one = float(value)
        except (TypeError, ValueError):
            return []
        if not math.isfinite(one):
            return []
        out.append(one)
    return out


def integer(data_set: DataSet, tag: int) -> int | None:
    """The first value as an integer."""
    found = number(data_set, tag)
    return None if found is None else int(found)


def integers(data_set: DataSet, tag: int) -> list[int]:
    """All values as integers."""
    return [int(one) for one in numbers(data_set, tag)]


def items(data_set: DataSet, tag: int) -> list[DataSet]:
    """The items of a sequence."""
    return [item for item in values(data_set, tag) if isinstance(item, Mapping)]


def first_item(data_set: DataSet, tag: int) -> DataSet | None:
    """The first item of a sequence."""
    found = items(data_set, tag)
    return found[0] if found else None


def binary(data_set: DataSet, tag: int) -> bytes:
    """A value given inline as bytes (little endian words); empty when there is none."""
    element = data_set.get(f"{tag:08X}")
    if not isinstance(element, Mapping):
        return b""
    inline = element.get("InlineBinary")
    if not isinstance(inline, str) or len(inline) > MAX_VALUE_BYTES:
        return b""
    try:
        return base64.b64decode(inline)
    except (ValueError, binascii.Error):
        return b""


def words(data_set: DataSet, tag: int) -> Array:
    """Sixteen-bit words of an OW, US or SS value, as ``uint16``."""
    raw = binary(data_set, tag)
    if raw:
        return np.frombuffer(raw[: len(raw) & ~1], dtype="<u2")
    given = integers(data_set, tag)
    return (np.asarray(given, dtype=np.int64) & 0xFFFF).astype(np.uint16)


def code_meaning(data_set: DataSet | None) -> str | None:
    """Code Meaning, or the code itself, of a code sequence item."""
    if data_set is None:
        return None
    return text(data_set, tags.CODE_MEANING) or text(data_set, tags.CODE_VALUE)


class FrameAttributes:
    """The attributes that hold for one frame.

    An enhanced object says some of them in functional groups, for all frames or for each (PS3.3
    §C.7.6.16.1.1); others, and all of a classic object, stand at the top.

    Args:
        data_set: The object's attributes.
        frame: Its number, from 1.
    """

    __slots__ = ("_groups", "data_set", "frame")

    def __init__(self, data_set: DataSet, frame: int = 1) -> None:
        self.data_set = data_set
        self.frame = frame
        per_frame = items(data_set, tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)
        shared = first_item(data_set, tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE)
        groups: list[DataSet] = []
        if len(per_frame) == 1:  # the one of this frame, where others were left out
            groups.append(per_frame[0])
        elif 0 < frame <= len(per_frame):
            groups.append(per_frame[frame - 1])
        if shared is not None:
            groups.append(shared)
        self._groups: Sequence[DataSet] = groups

    def macro(self, tag: int) -> DataSet | None:
        """The item of a functional group: of this frame, else of all."""
        for group in self._groups:
            found = first_item(group, tag)
            if found is not None:
                return found
        return None

    def macro_items(self, tag: int) -> list[DataSet]:
        """All items of a functional group: of this frame, else of all."""
        for group in self._groups:
            found = items(group, tag)
            if found:
                return found
        return []
