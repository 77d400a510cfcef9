"""The query parameters of rendered resources (PS3.18 §8.3.5)."""

import math
import re
from collections.abc import Sequence
from typing import Final

from negatoscope.domain.viewing.rendering import THUMBNAIL, Wish
from negatoscope.entrypoints.web.asgi import Request
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.protocols.dicom.pixel.display import (
    IccChoice,
    InvalidViewport,
    InvalidWindow,
    Viewport,
    VoiFunction,
    Window,
)

PARAMETERS: Final = (
    "accept",
    "annotation",
    "charset",
    "iccprofile",
    "quality",
    "viewport",
    "window",
)
_ANNOTATIONS: Final = ("patient", "technique")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{0,12})?(?:[eE][+-]?[0-9]{1,2})?")
_INTEGER: Final = re.compile(r"[0-9]{1,6}")
_LARGEST: Final = 1e12


def read_wish(request: Request, *, is_thumbnail: bool) -> tuple[Wish, list[str]]:
    """The wish of a request, its media type still to be chosen, and warnings.

    Raises:
        Problem: 400, a parameter cannot be used.
    """
    given: dict[str, str] = {}
    for name, value in request.query():
        if name == "accept" or name not in PARAMETERS:
            continue
        if name in given:
            raise _bad(name, "may be given once")
        given[name] = value.strip()
    viewport = _viewport(given.get("viewport"), is_thumbnail=is_thumbnail)
    if is_thumbnail:
        return Wish(viewport=viewport or THUMBNAIL), []
    annotations, unknown = _annotations(given.get("annotation"))
    warnings = []
    if unknown:
        warnings.append("The following annotation values are not supported: " + ", ".join(unknown))
    wish = Wish(
        window=_window(given.get("window")),
        viewport=viewport,
        quality=_quality(given.get("quality")),
        annotations=annotations,
        icc=_icc(given.get("iccprofile")),
    )
    return wish, warnings


def _bad(name: str, reason: str) -> Problem:
    return Problem("bad-query", detail=f"{name} {reason}.")


def _numbers(name: str, parts: Sequence[str]) -> list[float | None]:
    found: list[float | None] = []
    for part in parts:
        if not part.strip():
            found.append(None)
            continue
        if _NUMBER.fullmatch(part.strip()) is None:
            raise _bad(name, "is made of decimal numbers")
        number = float(part)
        if not math.isfinite(number) or abs(number) > _LARGEST:
            raise _bad(name, "has a number that is too large")
        found.append(number)
    return found


def _viewport(given: str | None, *, is_thumbnail: bool) -> Viewport | None:
    """``vw,vh`` or ``vw,vh,sx,sy,sw,sh``; the last four may be empty (§8.3.5.1.3)."""
    if not given:
        return None
    parts = given.split(",")
    if len(parts) not in ((2,) if is_thumbnail else (2, 4, 6)):
        raise _bad("viewport", "is vw,vh" if is_thumbnail else "is vw,vh[,sx,sy,sw,sh]")
    if any(_INTEGER.fullmatch(part.strip()) is None for part in parts[:2]):
        raise _bad("viewport", "begins with two numbers of pixels")
    x, y, width, height = (*_numbers("viewport", parts[2:]), None, None, None, None)[:4]
    try:
        return Viewport(
            width=int(parts[0]),
            height=int(parts[1]),
            x=x or 0.0,
            y=y or 0.0,
            source_width=width,
            source_height=height,
        )
    except InvalidViewport as error:
        raise _bad("viewport", f"cannot be used: {error}") from error


def _window(given: str | None) -> Window | None:
    """``center,width,function`` (§8.3.5.1.4); the function may be left out: linear."""
    if not given:
        return None
    parts = given.split(",")
    if len(parts) not in (2, 3):
        raise _bad("window", "is center,width,function")
    center, width = _numbers("window", parts[:2])
    if center is None or width is None:
        raise _bad("window", "is center,width,function")
    named = parts[2].strip().upper().replace("-", "_") if len(parts) == 3 else "LINEAR"
    try:
        return Window(center=center, width=width, function=VoiFunction(named))
    except InvalidWindow as error:
        raise _bad("window", f"cannot be used: {error}") from error
    except ValueError as error:
        raise _bad("window", "has a function: linear, linear-exact or sigmoid") from error


def _quality(given: str | None) -> int | None:
    if not given:
        return None
    if _INTEGER.fullmatch(given) is None or not 1 <= int(given) <= 100:
        raise _bad("quality", "is a number from 1 to 100")
    return int(given)


def _annotations(given: str | None) -> tuple[tuple[str, ...], list[str]]:
    if not given:
        return (), []
    words = [word.strip().lower() for word in given.split(",") if word.strip()]
    unknown = [word for word in words if word not in _ANNOTATIONS]
    known = tuple(word for word in _ANNOTATIONS if word in words)
    return known, ["".join(c for c in word if c.isalnum())[:16] for word in unknown[:8]]


def _icc(given: str | None) -> IccChoice:
    if not given:
        return IccChoice.NO
    try:
        return IccChoice(given.lower())
    except ValueError as error:
        names = ", ".join(IccChoice)
        raise _bad("iccprofile", f"is one of {names}") from error
