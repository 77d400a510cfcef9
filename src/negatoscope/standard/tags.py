"""Attributes of PS3.6: `PATIENT_ID` and its five thousand siblings as ints, and look-ups.

The look-up tables load on first use; importing the constants alone stays cheap.
"""

from functools import lru_cache

from negatoscope.standard._generated.tag_constants import *  # noqa: F403

#: Encapsulation markers of PS3.5 §7.5.
ITEM = 0xFFFEE000
ITEM_DELIMITATION_ITEM = 0xFFFEE00D
SEQUENCE_DELIMITATION_ITEM = 0xFFFEE0DD

#: Attributes whose value representation depends on Pixel Representation or Bits Allocated; the
#: one that implicit VR data sets are read with (PS3.5 §A.1) when nothing else is known.
_DEFAULT_VRS = {
    "US or SS": "US",
    "US or OW": "OW",
    "US or SS or OW": "OW",
    "OB or OW": "OW",
    "NONE": "UN",
}

_PRIVATE_GROUP_BIT = 0x00010000


def group_of(tag: int) -> int:
    """Group number of a tag."""
    return tag >> 16


def is_private(tag: int) -> bool:
    """Odd group (PS3.5 §7.8)."""
    return bool(tag & _PRIVATE_GROUP_BIT)


@lru_cache(maxsize=4096)
def _repeater(tag: int) -> tuple[int, int, str, str, str, str, bool] | None:
    from negatoscope.standard._generated.tag_repeaters import TAG_REPEATERS

    if is_private(tag):
        return None
    return next((entry for entry in TAG_REPEATERS if tag & entry[0] == entry[1]), None)


def dictionary_vr(tag: int) -> str | None:
    """The registry's words, which may be a choice such as `US or SS`; None when unknown."""
    from negatoscope.standard._generated.tag_vrs import TAG_VRS

    vr = TAG_VRS.get(tag)
    if vr is None and (entry := _repeater(tag)) is not None:
        vr = entry[2]
    return vr


def vr_for(tag: int) -> str:
    """Value representation to read an implicit VR element with.

    Group lengths are UL, private creators LO, other private and unknown attributes UN
    (PS3.5 §6.2.2, §7.8.1); a choice gives its unsigned or word alternative.
    """
    vr = dictionary_vr(tag)
    if vr is not None:
        return _DEFAULT_VRS.get(vr, vr)
    element = tag & 0xFFFF
    if element == 0:
        return "UL"
    if is_private(tag) and 0x0010 <= element <= 0x00FF:
        return "LO"
    return "UN"


def keyword_for(tag: int) -> str | None:
    """Keyword of PS3.6, such as `PatientID`; None when unknown or private."""
    from negatoscope.standard._generated.tag_keywords import TAG_KEYWORDS

    keyword = TAG_KEYWORDS.get(tag)
    if keyword is None and (entry := _repeater(tag)) is not None:
        keyword = entry[5]
    return keyword


@lru_cache(maxsize=1)
def _tags_by_keyword() -> dict[str, int]:
    from negatoscope.standard._generated.tag_keywords import TAG_KEYWORDS
    from negatoscope.standard._generated.tag_repeaters import TAG_REPEATERS

    tags = {keyword: tag for tag, keyword in TAG_KEYWORDS.items()}
    for _mask, value, _vr, _vm, _name, keyword, _retired in TAG_REPEATERS:
        tags.setdefault(keyword, value)
    return tags


def tag_for_keyword(keyword: str) -> int | None:
    """Tag of a keyword; of a repeating group, its first (`OverlayRows` is (6000,0010))."""
    return _tags_by_keyword().get(keyword)


def name_for(tag: int) -> str | None:
    """Name of PS3.6, such as `Patient's Name`."""
    from negatoscope.standard._generated.tag_names import TAG_NAMES

    if (entry := TAG_NAMES.get(tag)) is not None:
        return entry[0]
    repeater = _repeater(tag)
    return repeater[4] if repeater is not None else None


def vm_for(tag: int) -> str | None:
    """Value multiplicity of PS3.6, such as `1-n`."""
    from negatoscope.standard._generated.tag_names import TAG_NAMES

    if (entry := TAG_NAMES.get(tag)) is not None:
        return entry[1]
    repeater = _repeater(tag)
    return repeater[3] if repeater is not None else None


def is_retired(tag: int) -> bool:
    """Marked RET in PS3.6."""
    from negatoscope.standard._generated.tag_names import TAG_NAMES

    if (entry := TAG_NAMES.get(tag)) is not None:
        return entry[2]
    repeater = _repeater(tag)
    return repeater is not None and repeater[6]


def parse_tag(text: str) -> int | None:
    """Tag of `0020000D`, `(0020,000D)` or `StudyInstanceUID` (PS3.18 §8.3.4.1); None otherwise."""
    if len(text) == 11 and text[0] == "(" and text[5] == "," and text[-1] == ")":
        text = text[1:5] + text[6:10]
    if len(text) == 8 and text.isascii() and text.isalnum():
        try:
            return int(text, 16)
        except ValueError:
            pass
    return tag_for_keyword(text)


def format_tag(tag: int) -> str:
    """`(0020,000D)`, for people."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
