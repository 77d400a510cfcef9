"""Which pre-compressed form of a file a client is given (RFC 9110 §12.5.3)."""

from collections.abc import Mapping
from typing import Final

SUFFIXES: Final[Mapping[str, str]] = {"br": ".br", "gzip": ".gz"}
"""Content codings we keep beside a file, best first, and what its name gets."""


def best_coding(accept_encoding: str | None, available: tuple[str, ...]) -> str | None:
    """The first of the available codings that the client takes; None for the file as it is.

    Args:
        accept_encoding: The request's header.
        available: Best first.
    """
    weights: dict[str, float] = {}
    for piece in (accept_encoding or "").lower().split(","):
        coding, _, parameters = piece.partition(";")
        name, _, value = parameters.strip().partition("=")
        try:
            weights[coding.strip()] = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            weights[coding.strip()] = 0.0
    for coding in available:
        if weights.get(coding, weights.get("*", 0.0)) > 0:
            return coding
    return None
