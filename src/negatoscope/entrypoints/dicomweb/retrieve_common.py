"""What the Retrieve transactions of PS3.18 §10.4 share: paths, negotiation, validators."""

import re
from collections.abc import Collection, Iterable, Sequence

from negatoscope.domain.archive.errors import (
    FrameNotFound,
    FramesUnavailable,
    ObjectMissing,
    ObjectUnreadable,
    RetrieveError,
)
from negatoscope.entrypoints.dicomweb.media_types import (
    BadMediaType,
    MediaRange,
    Offer,
    best_offer,
    parse_ranges,
)
from negatoscope.entrypoints.web.asgi import Header, Request
from negatoscope.entrypoints.web.problems import Problem

ROOT = "/dicom-web"
_UID = re.compile(r"[0-9.]{1,64}")
_IMMUTABLE = (b"cache-control", b"private, no-cache")
"""Objects never change; a cache asks again all the same, since rights do."""


def check_uids(*uids: str) -> None:
    """Refuse path segments that cannot be UIDs.

    Stored objects may carry UIDs with leading zeros; digits and dots are all that is asked here.

    Raises:
        Problem: one is none.
    """
    for uid in uids:
        if _UID.fullmatch(uid) is None:
            raise Problem("bad-uid", detail="A UID has 1 to 64 digits and dots.")


def accepted(request: Request) -> tuple[MediaRange, ...]:
    """The accepted media types: the ``accept`` query parameter (PS3.18 §8.3.3.1) or the header.

    Raises:
        Problem: unreadable.
    """
    return tuple(one for one in all_ranges(request) if one.quality > 0)


def all_ranges(request: Request) -> tuple[MediaRange, ...]:
    """As ``accepted``, with what is refused by a quality of zero.

    Raises:
        Problem: unreadable.
    """
    header = request.header(b"accept")
    if request.scope["query_string"]:
        values = [value for name, value in request.query() if name.lower() == "accept"]
        if values:
            header = ",".join(values)
    try:
        return parse_ranges(header)
    except BadMediaType as error:
        raise Problem("bad-request", detail=f"Accept: {error}.") from error


def choose_offer(request: Request, offers: Sequence[Offer]) -> Offer:
    """The offer that a request accepts best.

    Raises:
        Problem: none.
    """
    found = best_offer(all_ranges(request), offers)
    if found is None:
        raise not_acceptable([str(offer) for offer in offers])
    return found


def check_charset(request: Request) -> None:
    """Text is given in UTF-8; refuse who takes only other sets (PS3.18 §8.8.2).

    Raises:
        Problem: ``charset`` or Accept-Charset leaves UTF-8 out.
    """
    listed = request.header(b"accept-charset")
    values = [value for name, value in request.query() if name.lower() == "charset"]
    if values:
        listed = ",".join(values)
    if not listed:
        return
    names = {
        name.strip().strip('"').lower(): "".join(parameters.split()).lower()
        for name, _, parameters in (piece.partition(";") for piece in listed.split(","))
    }
    for name in ("utf-8", "utf8", "iso_ir 192", "*"):
        if name in names:
            if names[name] in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
                break
            return
    raise Problem(
        "not-acceptable", detail="Text is given in UTF-8.", extra={"available": ["utf-8"]}
    )


def not_acceptable(available: Collection[str]) -> Problem:
    """406 that names what could be had."""
    return Problem(
        "not-acceptable",
        detail="Available: " + ", ".join(available) + ".",
        extra={"available": list(available)},
    )


def wrong_transfer_syntax(stored: Iterable[str]) -> Problem:
    """406 that names how the selected instances are stored."""
    names = sorted(stored)
    return Problem(
        "transfer-syntax-not-available",
        detail="Stored as " + ", ".join(names) + "; ask for one of these or for transfer-syntax=*.",
        extra={"available": names},
    )


def is_unchanged(request: Request, etag: str) -> bool:
    """Whether If-None-Match names the current representation (RFC 9110 §13.1.2)."""
    given = request.header(b"if-none-match")
    if given is None:
        return False
    if given.strip() == "*":
        return True
    return any(_weak(tag) == _weak(etag) for tag in given.split(","))


def _weak(tag: str) -> str:
    return tag.strip().removeprefix("W/")


def validators(etag: str) -> list[Header]:
    """ETag and caching of an immutable representation."""
    return [(b"etag", etag.encode("ascii")), _IMMUTABLE, (b"vary", b"accept, authorization")]


def problem_of(error: RetrieveError) -> Problem:
    """What the archive's refusal is on this wire."""
    match error:
        case FrameNotFound():
            return Problem("frame-not-found", detail=str(error))
        case FramesUnavailable():
            return Problem("frame-not-found", detail=str(error))
        case ObjectUnreadable():
            return Problem("object-unreadable", detail="The disk fails; the log says which.")
        case ObjectMissing():
            return Problem("object-unreadable", detail="Its segment is not there.")
        case _:
            return Problem("object-unreadable", detail="Its bytes are not those received.")
