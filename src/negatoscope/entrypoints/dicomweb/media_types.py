"""Accept and Content-Type as DICOMweb uses them (PS3.18 §8.7, RFC 9110 §12.5.1).

``multipart/related; type="image/jls"; transfer-syntax=1.2.840.10008.1.2.4.80; q=0.5`` is read
into a ``MediaRange``; ``negotiate`` walks what the client accepts, best first, and asks what of
it can be given.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from negatoscope.standard.transfer_syntaxes import transfer_syntax

DICOM = "application/dicom"
DICOM_JSON = "application/dicom+json"
DICOM_XML = "application/dicom+xml"
ZIP = "application/zip"
JSON = "application/json"
OCTET_STREAM = "application/octet-stream"
MULTIPART = "multipart/related"
HEADER_BYTES = 4096
"""Longest Accept or Content-Type read."""

FRAME_MEDIA_TYPES: Mapping[str, str] = {
    # PS3.18 §8.7.3.3 tables 8.7.3-2 (image), 8.7.3-3 (video), 8.7.3-5 (transfer syntaxes)
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.92": "image/jpx",
    "1.2.840.10008.1.2.4.93": "image/jpx",
    "1.2.840.10008.1.2.4.110": "image/jxl",
    "1.2.840.10008.1.2.4.111": "image/jxl",
    "1.2.840.10008.1.2.4.112": "image/jxl",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
    "1.2.840.10008.1.2.4.100": "video/mpeg",
    "1.2.840.10008.1.2.4.100.1": "video/mpeg",
    "1.2.840.10008.1.2.4.101": "video/mpeg",
    "1.2.840.10008.1.2.4.101.1": "video/mpeg",
    "1.2.840.10008.1.2.4.102": "video/mp4",
    "1.2.840.10008.1.2.4.102.1": "video/mp4",
    "1.2.840.10008.1.2.4.103": "video/mp4",
    "1.2.840.10008.1.2.4.103.1": "video/mp4",
    "1.2.840.10008.1.2.4.104": "video/mp4",
    "1.2.840.10008.1.2.4.104.1": "video/mp4",
    "1.2.840.10008.1.2.4.105": "video/mp4",
    "1.2.840.10008.1.2.4.105.1": "video/mp4",
    "1.2.840.10008.1.2.4.106": "video/mp4",
    "1.2.840.10008.1.2.4.106.1": "video/mp4",
    "1.2.840.10008.1.2.4.107": "video/mp4",
    "1.2.840.10008.1.2.4.108": "video/mp4",
}
"""The media type of one frame (or of the whole video) of an encapsulated transfer syntax.

Anything else encapsulated is given as ``application/octet-stream`` with its transfer syntax.
"""

_FORMER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "image/x-jls": "image/jls",
        "image/x-dicom-rle": "image/dicom-rle",
        "image/jhc": "image/jphc",
    }
)
"""Names of earlier editions and drafts that clients still ask by, and today's."""
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


class BadMediaType(ValueError):
    """A header that is not a media type or a list of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRange:
    """One member of Accept, or a Content-Type."""

    type: str
    """``type/subtype`` in lower case; ``*`` allowed in Accept."""
    parameters: Mapping[str, str]
    quality: float = 1.0

    @property
    def is_multipart(self) -> bool:
        """``multipart/related``, whose ``type`` parameter names what is in the parts."""
        return self.type == MULTIPART

    @property
    def content_type(self) -> str:
        """The type of the representation itself, inside the multipart if there is one."""
        found = self.parameters.get("type", "*/*").lower() if self.is_multipart else self.type
        return _FORMER_NAMES.get(found, found)

    @property
    def transfer_syntax(self) -> str | None:
        """The ``transfer-syntax`` parameter."""
        return self.parameters.get("transfer-syntax")

    def covers(self, media_type: str) -> bool:
        """Whether the content type range includes a type."""
        wanted = self.content_type
        if wanted in ("*/*", media_type):
            return True
        return wanted.endswith("/*") and media_type.startswith(wanted[:-1])


def frame_media_type(transfer_syntax_uid: str) -> str:
    """The media type in which frames of this transfer syntax are given (PS3.18 §8.7.3.3)."""
    if not transfer_syntax(transfer_syntax_uid).is_encapsulated:
        return OCTET_STREAM
    return FRAME_MEDIA_TYPES.get(transfer_syntax_uid, OCTET_STREAM)


def parse_accept(header: str | None) -> tuple[MediaRange, ...]:
    """The accepted ranges, best first; ``*/*`` when the header is absent or empty.

    Order: by quality, then as written. A quality of zero leaves the range out.

    Raises:
        BadMediaType: unreadable.
    """
    return tuple(one for one in parse_ranges(header) if one.quality > 0)


@lru_cache(maxsize=512)
def parse_ranges(header: str | None) -> tuple[MediaRange, ...]:
    """As ``parse_accept``, with what is refused by a quality of zero at the end."""
    if header is None or not header.strip():
        return (MediaRange(type="*/*", parameters={}),)
    if len(header) > HEADER_BYTES:
        raise BadMediaType(f"the Accept header passes {HEADER_BYTES} bytes")
    ranges: list[MediaRange] = []
    position = 0
    while position < len(header):
        if header[position] in " \t,":
            position += 1
            continue
        media_range, position = _parse_one(header, position)
        ranges.append(media_range)
    return tuple(sorted(ranges, key=lambda one: -one.quality))


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be given: a media type, alone or as the parts of a multipart."""

    media_type: str
    is_multipart: bool = False

    def __str__(self) -> str:
        """As it would stand in Accept."""
        return f'{MULTIPART}; type="{self.media_type}"' if self.is_multipart else self.media_type


def best_offer(ranges: Sequence[MediaRange], offers: Sequence[Offer]) -> Offer | None:
    """The offer that a client likes best (RFC 9110 §12.5.1).

    The most specific range that covers an offer says its quality; of equal ones the first of the
    client's ranges, then of ours, wins.

    Args:
        ranges: From ``parse_ranges``.
        offers: Ours, best first.
    """
    best: tuple[float, int] | None = None
    found = None
    for offer in offers:
        matching = [
            (level, -place, one.quality)
            for place, one in enumerate(ranges)
            if (level := _specificity(one, offer)) is not None
        ]
        if not matching:
            continue
        _, place, quality = max(matching)
        if quality > 0 and (best is None or (quality, place) > best):
            best, found = (quality, place), offer
    return found


def _specificity(one: MediaRange, offer: Offer) -> int | None:
    """How closely a range names an offer; None when it does not cover it."""
    if one.type == "*/*":
        return 0
    if one.is_multipart is not offer.is_multipart:
        return 1 if one.type == "multipart/*" and offer.is_multipart else None
    if not one.covers(offer.media_type):
        return None
    inner = one.content_type
    return 2 if inner == "*/*" else 3 if inner.endswith("/*") else 4


def parse_content_type(header: str) -> MediaRange:
    """A Content-Type.

    Raises:
        BadMediaType: unreadable.
    """
    if len(header) > HEADER_BYTES:
        raise BadMediaType(f"the Content-Type passes {HEADER_BYTES} bytes")
    media_range, position = _parse_one(header.strip(), 0)
    if position < len(header.strip()):
        raise BadMediaType("more than one media type")
    return media_range


def _parse_one(text: str, position: int) -> tuple[MediaRange, int]:
    main, position = _token(text, position)
    if text[position : position + 1] != "/":
        raise BadMediaType(f"no subtype after {main!r}")
    sub, position = _token(text, position + 1)
    parameters: dict[str, str] = {}
    quality = 1.0
    while True:
        position = _skip_space(text, position)
        if position >= len(text) or text[position] == ",":
            break
        if text[position] != ";":
            raise BadMediaType(f"unexpected {text[position]!r}")
        position = _skip_space(text, position + 1)
        if position >= len(text) or text[position] in ";,":
            continue
        name, position = _token(text, position)
        position = _skip_space(text, position)
        if text[position : position + 1] != "=":
            raise BadMediaType(f"parameter {name!r} has no value")
        value, position = _value(text, _skip_space(text, position + 1))
        if name.lower() == "q":
            quality = _quality(value)
        else:
            parameters.setdefault(name.lower(), value)
    return (
        MediaRange(type=f"{main}/{sub}".lower(), parameters=parameters, quality=quality),
        position,
    )


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t":
        position += 1
    return position


def _token(text: str, position: int) -> tuple[str, int]:
    match = _TOKEN.match(text, position)
    if match is None:
        raise BadMediaType("a token is missing")
    return match.group(), match.end()


def _value(text: str, position: int) -> tuple[str, int]:
    """A token or quoted string; ``type=application/dicom`` unquoted is met and taken."""
    quoted = _QUOTED.match(text, position)
    if quoted is not None:
        return re.sub(r"\\(.)", r"\1", quoted.group(1)), quoted.end()
    value, position = _token(text, position)
    while position < len(text) and text[position] in "/:=?()@":
        more = _TOKEN.match(text, position + 1)
        end = more.end() if more is not None else position + 1
        value += text[position:end]
        position = end
    return value, position


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError as error:
        raise BadMediaType(f"quality {text!r} is not a number") from error
    if not 0 <= quality <= 1:
        raise BadMediaType(f"quality {text!r} is not between 0 and 1")
    return quality
