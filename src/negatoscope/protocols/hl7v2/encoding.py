"""Delimiters, escape sequences, values of fields (HL7 v2.5.1 §2.5, §2.7).

A value to be written is nested the way a field is: a list holds repetitions, a tuple holds
components, a tuple inside it subcomponents::

    "text"                                   one component
    ("123", None, None, ("CHU", "750", "N"), "PI")      123^^^CHU&750&N^PI
    [("1",), ("2",)]                         1~2
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from negatoscope.protocols.hl7v2.errors import MalformedMessage

NULL: Final = '""'
"""The value that deletes what the receiver has (§2.5.3); an absent one leaves it alone."""

Scalar = str | int | None
Component = Scalar | tuple[Scalar, ...]
Repetition = Scalar | tuple[Component, ...]
FieldValue = Repetition | list[Repetition]


class Delimiters(NamedTuple):
    """The characters that MSH-1 and MSH-2 declare."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def encoding_characters(self) -> str:
        """MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent

    @classmethod
    def of_header(cls, header: str) -> "Delimiters":
        """What a message header declares.

        Args:
            header: From ``MSH`` on.

        Raises:
            MalformedMessage: there is none, or they are no five different characters.
        """
        if header[:3] not in {"MSH", "FHS", "BHS"} or len(header) < 5:
            raise MalformedMessage("the message does not begin with a header", segment="MSH")
        field = header[3]
        declared = header[4:].split(field, 1)[0]
        # A fifth character (truncation, v2.7) is tolerated; missing ones have their usual value.
        usual = cls().encoding_characters
        characters = declared[:4] + usual[len(declared[:4]) :]
        made = cls(field, characters[0], characters[1], characters[2], characters[3])
        if len(set(made)) != 5 or any(one.isalnum() or one.isspace() for one in made):
            raise MalformedMessage("MSH-2 has no four different characters", segment="MSH", field=2)
        return made


DEFAULT_DELIMITERS: Final = Delimiters()


@dataclass(frozen=True, slots=True)
class _Escapes:
    """Ready-made tables of one set of delimiters."""

    pattern: re.Pattern[str]
    plain: dict[str, str]
    special: re.Pattern[str]
    written: dict[str, str]


_TABLES: dict[Delimiters, _Escapes] = {}
_MAX_TABLES: Final = 64


def _tables(delimiters: Delimiters) -> _Escapes:
    known = _TABLES.get(delimiters)
    if known is not None:
        return known
    escape = delimiters.escape
    names = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": escape,
    }
    written = {value: f"{escape}{name}{escape}" for name, value in names.items()}
    written |= {"\0": "", "\r": f"{escape}X0D{escape}", "\n": f"{escape}.br{escape}"}
    quoted = re.escape(escape)
    made = _Escapes(
        pattern=re.compile(f"{quoted}([^{quoted}\r\n]{{0,4096}}){quoted}"),
        plain=names,
        special=re.compile("[" + "".join(map(re.escape, written)) + "]"),
        written=written,
    )
    if len(_TABLES) >= _MAX_TABLES:
        _TABLES.clear()
    _TABLES[delimiters] = made
    return made


def unescape(
    text: str, delimiters: Delimiters = DEFAULT_DELIMITERS, *, codec: str = "utf-8"
) -> str:
    r"""Text as a person reads it (§2.7).

    Line breaks and skips (``\.br\``, ``\.sp\``) become line feeds, bytes (``\X..\``) are read in
    the message's character set; highlighting, indents, changes of character set (``\C..\``,
    ``\M..\``) and local sequences have no meaning in plain text and go.

    Args:
        text: As in the message.
        delimiters: The message's.
        codec: Python's name of its character set.
    """
    if delimiters.escape not in text:
        return text
    tables = _tables(delimiters)

    def meaning(match: re.Match[str]) -> str:
        inside = match.group(1)
        plain = tables.plain.get(inside)
        if plain is not None:
            return plain
        if inside[:1] == "X":
            try:
                return bytes.fromhex(inside[1:]).decode(codec, "replace").replace("\0", "")
            except ValueError:
                return match.group(0)
        if inside in {".br", ".ce"}:
            return "\n"
        if inside[:3] == ".sp":
            count = inside[3:].strip().lstrip("+")
            return "\n" * (min(int(count), 100) if count.isdecimal() else 1)
        if inside in {"H", "N"} or inside[:1] in {"C", "M", "Z", "."}:
            return ""
        return match.group(0)

    return tables.pattern.sub(meaning, text)


def escape(text: str, delimiters: Delimiters = DEFAULT_DELIMITERS) -> str:
    r"""Text as it is written: delimiters as their sequences, a line feed as ``\.br\``.

    Carriage returns would end the segment; with a line feed after them they are one line break.
    NUL is no character of a message and goes, here and in `unescape`.
    """
    tables = _tables(delimiters)
    if tables.special.search(text) is None:
        return text
    text = text.replace("\r\n", "\n")
    return tables.special.sub(lambda match: tables.written[match.group(0)], text)


def write_field(value: FieldValue, delimiters: Delimiters = DEFAULT_DELIMITERS) -> str:
    """A field as it is written; empty parts at the end of each level are left out."""
    if isinstance(value, list):
        written = [_write_repetition(one, delimiters) for one in value]
        return delimiters.repetition.join(written)
    return _write_repetition(value, delimiters)


def _write_repetition(value: Repetition, delimiters: Delimiters) -> str:
    if not isinstance(value, tuple):
        return _write_scalar(value, delimiters)
    components = [
        delimiters.subcomponent.join(_write_scalar(one, delimiters) for one in component).rstrip(
            delimiters.subcomponent
        )
        if isinstance(component, tuple)
        else _write_scalar(component, delimiters)
        for component in value
    ]
    return delimiters.component.join(components).rstrip(delimiters.component)


def _write_scalar(value: Scalar, delimiters: Delimiters) -> str:
    return "" if value is None else escape(str(value), delimiters)
