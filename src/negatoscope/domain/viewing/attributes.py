"""What the pictures of an object depend on, read once for many requests."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from negatoscope.domain.archive.metadata import HEADER_MAX_BYTES
from negatoscope.domain.archive.reading import Member
from negatoscope.protocols.dicom.dataset import decode
from negatoscope.standard import tags

_KEPT: Final = 512
_KEPT_BYTES: Final = 64 << 20
_GROUPS: Final = frozenset({0x0008, 0x0010, 0x0018, 0x0020, 0x0028, 0x0040, 0x0062, 0x0070, 0x2050})
_SEQUENCES: Final = frozenset(
    f"{tag:08X}"
    for tag in (
        tags.MODALITY_LUT_SEQUENCE,
        tags.VOILUT_SEQUENCE,
        tags.PRESENTATION_LUT_SEQUENCE,
        tags.SEGMENT_SEQUENCE,
        tags.OPTICAL_PATH_SEQUENCE,
    )
)
_MACROS: Final = frozenset(
    f"{tag:08X}"
    for tag in (
        tags.PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
        tags.FRAME_VOILUT_SEQUENCE,
        tags.PIXEL_MEASURES_SEQUENCE,
        tags.PLANE_POSITION_SEQUENCE,
        tags.PLANE_ORIENTATION_SEQUENCE,
        tags.FRAME_DISPLAY_SHUTTER_SEQUENCE,
        tags.SEGMENT_IDENTIFICATION_SEQUENCE,
        tags.MR_IMAGE_FRAME_TYPE_SEQUENCE,
        tags.CT_IMAGE_FRAME_TYPE_SEQUENCE,
    )
)
_SHARED: Final = f"{tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE:08X}"
_PER_FRAME: Final = f"{tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE:08X}"
_PIXEL_KEYS: Final = frozenset({"7FE00008", "7FE00009", "7FE00010"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Of one object.

    Attributes:
        shown: What its pictures depend on, without the functional groups of each frame.
        per_frame: Those, by frame, pruned.
        data_set: Everything; ``None`` for an object with pixels, where ``shown`` is enough.
    """

    shown: Mapping[str, Any]
    per_frame: tuple[Mapping[str, Any], ...]
    data_set: Mapping[str, Any] | None

    def of_frame(self, number: int) -> dict[str, Any]:
        """What the picture of one frame depends on."""
        if 0 < number <= len(self.per_frame):
            return {**self.shown, **self.groups_of(number)}
        return dict(self.shown)

    def groups_of(self, number: int) -> dict[str, Any]:
        """The functional groups of one frame, as the only item of their sequence."""
        if not 0 < number <= len(self.per_frame):
            return {}
        return {_PER_FRAME: {"vr": "SQ", "Value": [self.per_frame[number - 1]]}}


class Headers:
    """Headers used a moment ago. One per process; safe for many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[bytes, tuple[Header, int]] = OrderedDict()
        self._bytes = 0

    def read(self, member: Member) -> Header:
        """The header of an open object.

        Raises:
            RetrieveError: it cannot be read.
            DataSetError: it cannot be parsed.
        """
        stored = member.stored
        with self._lock:
            found = self._kept.get(stored.sha256)
            if found is not None:
                self._kept.move_to_end(stored.sha256)
                return found[0]
        end = stored.size if stored.pixel_offset is None else stored.pixel_offset
        length = min(end - stored.data_set_offset, HEADER_MAX_BYTES)
        data = member.read(stored.data_set_offset, length)
        whole: dict[str, Any] = decode(
            data,
            stored.transfer_syntax_uid,
            bulk_threshold=HEADER_MAX_BYTES,
            bulk_uri=lambda path: path,
        )
        header = make_header(whole)
        with self._lock:
            self._kept[stored.sha256] = (header, length)
            self._bytes += length
            while len(self._kept) > 1 and (len(self._kept) > _KEPT or self._bytes > _KEPT_BYTES):
                self._bytes -= self._kept.popitem(last=False)[1][1]
        return header


def make_header(data_set: Mapping[str, Any]) -> Header:
    """The parts of a data set that pictures depend on."""
    shown: dict[str, Any] = {}
    for key, element in data_set.items():
        group = int(key[:4], 16)
        if key in (_SHARED, _PER_FRAME):
            continue
        if group in _GROUPS or (0x6000 <= group < 0x6020 and not group & 1):
            if element.get("vr") != "SQ" or key in _SEQUENCES:
                shown[key] = element
        elif key in _PIXEL_KEYS or key in _SEQUENCES:
            shown[key] = {"vr": element.get("vr")} if key in _PIXEL_KEYS else element
    shared = _items(data_set, _SHARED)[:1]
    if shared:
        shown[_SHARED] = {"vr": "SQ", "Value": [_pruned(shared[0])]}
    per_frame = tuple(_pruned(item) for item in _items(data_set, _PER_FRAME))
    has_pixels = f"{tags.ROWS:08X}" in data_set
    return Header(shown=shown, per_frame=per_frame, data_set=None if has_pixels else dict(data_set))


def _items(data_set: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = (data_set.get(key) or {}).get("Value")
    return [item for item in found or () if isinstance(item, Mapping)]


def _pruned(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key in _MACROS}
