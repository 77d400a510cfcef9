"""Messages and segments (HL7 v2.5.1 §2.5, §2.6).

A segment keeps its fields as they were written and looks into one only when asked: a message that
is only filed and acknowledged costs one split. Fields, components and subcomponents count from 1;
MSH-1 is the delimiter itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from negatoscope.protocols.hl7v2.charsets import decode, encode
from negatoscope.protocols.hl7v2.encoding import (
    DEFAULT_DELIMITERS,
    Delimiters,
    FieldValue,
    unescape,
    write_field,
)
from negatoscope.protocols.hl7v2.errors import MalformedMessage

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_SEGMENTS: Final = 20_000
_HEADERS: Final = frozenset({"MSH", "FHS", "BHS"})


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment.

    Attributes:
        fields: As written: the identifier first, so that ``fields[3]`` is the third field; of a
            header ``fields[1]`` is the delimiter.
        delimiters: The message's.
        codec: Python's name of the character set, for bytes given in hexadecimal.
    """

    fields: tuple[str, ...]
    delimiters: Delimiters = DEFAULT_DELIMITERS
    codec: str = "utf-8"

    @property
    def id(self) -> str:
        """Three characters: ``PID``."""
        return self.fields[0]

    def raw(self, number: int) -> str:
        """A field as written; empty when absent."""
        return self.fields[number] if number < len(self.fields) else ""

    def repetitions(self, number: int) -> tuple[str, ...]:
        """The repetitions of a field as written; none when it is empty."""
        raw = self.raw(number)
        if not raw:
            return ()
        if self.id in _HEADERS and number <= 2:
            return (raw,)
        return tuple(raw.split(self.delimiters.repetition))

    def get(
        self, number: int, component: int = 1, subcomponent: int = 1, *, repetition: int = 1
    ) -> str:
        """Text at a place, escapes resolved; empty when there is nothing.

        A value with fewer levels than asked is its own first part (§2.10, rules for receivers).
        """
        repetitions = self.repetitions(number)
        if repetition > len(repetitions):
            return ""
        return self.part(repetitions[repetition - 1], component, subcomponent)

    def part(self, repetition: str, component: int = 1, subcomponent: int = 1) -> str:
        """The same inside a repetition that was got from `repetitions`."""
        if self.id in _HEADERS and repetition == self.delimiters.encoding_characters:
            return repetition
        pieces = repetition.split(self.delimiters.component)
        if component > len(pieces):
            return ""
        parts = pieces[component - 1].split(self.delimiters.subcomponent)
        if subcomponent > len(parts):
            return ""
        return unescape(parts[subcomponent - 1], self.delimiters, codec=self.codec)

    def text(self, number: int) -> str:
        """All of a field as one text: repetitions on their own lines (fields of type FT, TX)."""
        return "\n".join(
            unescape(one, self.delimiters, codec=self.codec) for one in self.repetitions(number)
        )

    def tree(self, number: int) -> list[list[list[str]]]:
        """Repetitions of components of subcomponents, escapes resolved."""
        return [
            [
                [
                    unescape(part, self.delimiters, codec=self.codec)
                    for part in piece.split(self.delimiters.subcomponent)
                ]
                for piece in one.split(self.delimiters.component)
            ]
            for one in self.repetitions(number)
        ]

    def written(self) -> str:
        """The segment as it is sent, without its end."""
        separator = self.delimiters.field
        if self.id in _HEADERS:
            return self.fields[0] + separator + separator.join(self.fields[2:])
        return separator.join(self.fields)

    @classmethod
    def build(
        cls,
        identifier: str,
        values: Mapping[int, FieldValue],
        delimiters: Delimiters = DEFAULT_DELIMITERS,
    ) -> "Segment":
        """A segment of values.

        Args:
            identifier: ``PID``.
            values: Field number to value; MSH-1 and MSH-2 come by themselves.
            delimiters: To write with.
        """
        if identifier in _HEADERS:
            values = {**values, 1: None, 2: None}
        fields = [""] * (max(values, default=0) + 1)
        fields[0] = identifier
        for number, value in values.items():
            if number < 1:
                raise ValueError("fields count from 1")
            fields[number] = write_field(value, delimiters)
        if identifier in _HEADERS:
            fields[1:3] = delimiters.field, delimiters.encoding_characters
        while len(fields) > 1 and not fields[-1]:
            fields.pop()
        return cls(tuple(fields), delimiters)


@dataclass(frozen=True)
class Message:
    """A message: its segments in order, the header first.

    Attributes:
        segments: At least the header.
        notes: What had to be forgiven to read it, in words for a work list.
    """

    segments: tuple[Segment, ...]
    notes: tuple[str, ...] = field(default=())

    def __iter__(self) -> Iterator[Segment]:
        """Its segments."""
        return iter(self.segments)

    @property
    def header(self) -> Segment:
        """MSH."""
        return self.segments[0]

    def first(self, identifier: str) -> Segment | None:
        """The first segment of a kind."""
        return next((one for one in self.segments if one.id == identifier), None)

    def all(self, identifier: str) -> tuple[Segment, ...]:
        """Every segment of a kind."""
        return tuple(one for one in self.segments if one.id == identifier)

    def get(self, identifier: str, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """Text in the first segment of a kind; empty when there is none."""
        found = self.first(identifier)
        return "" if found is None else found.get(number, component, subcomponent)

    def groups(self, *starts: str) -> list[tuple[Segment, ...]]:
        """Runs of segments, each beginning with one of `starts`; what precedes the first is left out.

        Enough for order groups (``ORC``) and visits: the grammar of chapter 2 is not applied, since
        senders do not either.
        """
        runs: list[list[Segment]] = []
        for one in self.segments:
            if one.id in starts:
                runs.append([])
            if runs:
                runs[-1].append(one)
        return [tuple(run) for run in runs]

    # -- the header (§2.15.9) -----------------------------------------------------------------

    @cached_property
    def message_code(self) -> str:
        """MSH-9.1: ``ADT``."""
        return self.header.get(9, 1)

    @cached_property
    def trigger_event(self) -> str:
        """MSH-9.2: ``A01``."""
        return self.header.get(9, 2)

    @cached_property
    def message_structure(self) -> str:
        """MSH-9.3: ``ADT_A01``; empty in old messages."""
        return self.header.get(9, 3)

    @property
    def type(self) -> str:
        """``ADT^A01``."""
        return (
            f"{self.message_code}^{self.trigger_event}" if self.trigger_event else self.message_code
        )

    @cached_property
    def control_id(self) -> str:
        """MSH-10."""
        return self.header.get(10)

    @cached_property
    def sender(self) -> tuple[str, str]:
        """MSH-3.1 and MSH-4.1: application and facility."""
        return self.header.get(3), self.header.get(4)

    @property
    def version_id(self) -> str:
        """MSH-12.1: ``2.5``."""
        return self.header.get(12)

    # -- out ----------------------------------------------------------------------------------

    def written(self) -> str:
        """The message's text, each segment ended with CR."""
        return "".join(f"{one.written()}\r" for one in self.segments)

    def to_bytes(self) -> bytes:
        """As it is sent: in the character set of its own MSH-18.

        Raises:
            UnknownCharacterSet: that set is not written.
            UnencodableText: a character has no code there.
        """
        return encode(self.written(), self.header.get(18))

    @classmethod
    def build(cls, segments: Iterable[Segment]) -> "Message":
        """A message of segments that were built; the header comes first."""
        return cls(tuple(segments))


def parse(data: bytes) -> Message:
    """Read a message.

    Args:
        data: From ``MSH`` on; segments ended by CR, LF or both.

    Raises:
        MalformedMessage: no header, header fields missing (MSH-9, MSH-10), or beyond `MAX_BYTES`,
            `MAX_SEGMENTS`.
    """
    if len(data) > MAX_BYTES:
        raise MalformedMessage(f"the message has more than {MAX_BYTES} bytes", code="207")
    read = decode(data.lstrip(b"\r\n \t"))
    notes: list[str] = []
    if not read.is_as_declared:
        notes.append(f"MSH-18 does not say the truth: the text is {read.codec}")
    if read.is_damaged:
        notes.append("some bytes fit no character set")
    text = read.text
    if "\0" in text:
        notes.append("the message contains NUL characters, which were left out")
        text = text.replace("\0", "")
    if "\n" in text:
        notes.append("segments end with a line feed")
        text = text.replace("\r\n", "\r").replace("\n", "\r")
    delimiters = Delimiters.of_header(text)
    segments: list[Segment] = []
    separator = delimiters.field
    for line in text.split("\r"):
        if not line or line.isspace():
            continue
        if len(segments) >= MAX_SEGMENTS:
            raise MalformedMessage(f"more than {MAX_SEGMENTS} segments", code="207")
        pieces = line.split(separator)
        identifier = pieces[0]
        if len(identifier) != 3 or not (identifier.isascii() and identifier.isalnum()):
            if not segments:
                raise MalformedMessage("the message does not begin with a header", segment="MSH")
            notes.append(f"line {len(segments) + 1} has no segment identifier and was joined")
            # A line break inside a text field: it belongs to the field before.
            before = segments[-1]
            last = f"{before.fields[-1]}{delimiters.escape}.br{delimiters.escape}{pieces[0]}"
            segments[-1] = Segment((*before.fields[:-1], last, *pieces[1:]), delimiters, read.codec)
            continue
        if identifier in _HEADERS:
            pieces.insert(1, separator)
        segments.append(Segment(tuple(pieces), delimiters, read.codec))
    message = Message(tuple(segments), tuple(notes))
    if message.header.id != "MSH":
        raise MalformedMessage("batches are not taken", segment=message.header.id, code="200")
    for number, name, code in ((9, "type", "101"), (10, "control identifier", "101")):
        if not message.header.get(number):
            raise MalformedMessage(
                f"the message has no {name}", segment="MSH", field=number, code=code
            )
    return message
