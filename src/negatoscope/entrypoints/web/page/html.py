"""HTML from templates in which every value is escaped unless it is HTML already."""

import html as _html
from collections.abc import Iterable
from string import Formatter
from typing import Any


class Html(str):
    """Text that is HTML; anything else is escaped where it is put in."""

    __slots__ = ()


class _Escaping(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec:
            value = format(value, format_spec)
        return escaped(value)


_FORMATTER = _Escaping()


def escaped(value: object) -> str:
    """A value as HTML text, safe between tags and inside a quoted attribute."""
    if value is None:
        return ""
    if isinstance(value, Html):
        return value
    if isinstance(value, list | tuple):
        return "".join(escaped(one) for one in value)
    return _html.escape(str(value), quote=True)


def html(template: str, /, **values: object) -> Html:
    """Fill ``{name}`` fields of a template; lists are put one after the other."""
    return Html(_FORMATTER.vformat(template, (), values))


def join(pieces: Iterable[object], separator: str = "") -> Html:
    """Pieces one after the other, each escaped unless it is HTML."""
    return Html(separator.join(escaped(piece) for piece in pieces))
