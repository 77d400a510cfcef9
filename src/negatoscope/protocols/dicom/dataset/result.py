"""What a scan keeps of a data set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from negatoscope.protocols.dicom.dataset.charset import TextDecoder, parse_terms
from negatoscope.protocols.dicom.dataset.layout import FrameIndex, PixelDataLayout
from negatoscope.protocols.dicom.dataset.vr import NUMBERS, SINGLE_TEXT_VRS
from negatoscope.standard import tags
from negatoscope.standard.transfer_syntaxes import TransferSyntax

#: `int` by another name, since a method below is called so.
_Int: TypeAlias = int


class RawValue(NamedTuple):
    """A value as sent; of a sequence, its items."""

    vr: str
    value: bytes


@dataclass(slots=True, kw_only=True)
class ScanResult:
    """Wanted values, measures and pixel data layout of one data set.

    Attributes:
        transfer_syntax: Of the bytes.
        raw: By tag, the VR's two letters as the number read (0 under implicit VR) and the value.
        length: Bytes fed, as they are stored.
        inflated_length: The same, inflated when the syntax is deflated; `header_length` and the
            pixel data's offsets count in these.
        element_count: Elements, those of items included.
        item_count: Sequence items.
        header_length: Offset of the first element of group 7FE0, or of the end.
        pixel_data: None without.
        warnings: What is not as the standard wants it and was let pass.
    """

    transfer_syntax: TransferSyntax
    raw: dict[_Int, tuple[_Int, bytes]]
    length: _Int
    inflated_length: _Int
    element_count: _Int
    item_count: _Int
    header_length: _Int
    pixel_data: PixelDataLayout | None
    warnings: list[str]
    _decoder: TextDecoder | None = field(default=None, repr=False)

    def __contains__(self, tag: _Int) -> bool:
        return tag in self.raw

    @property
    def values(self) -> Mapping[_Int, RawValue]:
        """Every wanted value that the data set has."""
        return {tag: RawValue(self._vr(tag, vr), value) for tag, (vr, value) in self.raw.items()}

    def _vr(self, tag: _Int, vr: _Int) -> str:
        if vr == 0:
            return tags.vr_for(tag)
        order = "little" if self.transfer_syntax.is_little_endian else "big"
        return vr.to_bytes(2, order).decode("ascii")  # type: ignore[arg-type]

    def value(self, tag: _Int) -> RawValue | None:
        """A wanted value as sent; None when absent."""
        found = self.raw.get(tag)
        return RawValue(self._vr(tag, found[0]), found[1]) if found is not None else None

    def _text_vr(self, tag: _Int, vr: str) -> str:
        return tags.vr_for(tag) if vr == "UN" else vr

    def _decode(self, tag: _Int) -> str | None:
        """The whole value as text, backslashes and all; None when absent."""
        found = self.raw.get(tag)
        if found is None:
            return None
        value = found[1]
        if value.isascii() and b"\x1b" not in value:
            return value.decode("ascii")
        if self._decoder is None:
            declared = self.raw.get(tags.SPECIFIC_CHARACTER_SET)
            self._decoder = TextDecoder(parse_terms(declared[1]) if declared is not None else ())
            if self._decoder.is_unknown:
                self.warnings.append("Specific Character Set is not of the standard")
        is_lossy = self._decoder.is_lossy
        vr = self._text_vr(tag, self._vr(tag, found[0]))
        text = self._decoder.decode(value, is_person_name=vr == "PN")
        if self._decoder.is_lossy and not is_lossy:
            self.warnings.append("text does not fit the declared Specific Character Set")
        return text

    def text(self, tag: _Int) -> str | None:
        """Text of a value without its padding; None when absent or empty.

        Several values stay joined by backslashes. Bytes that do not fit the character set become
        U+FFFD and a warning; control characters become spaces, so that text is safe in a
        database and in a log.
        """
        text = self._decode(tag)
        if text is None:
            return None
        if not text.isprintable():
            text = "".join(c if c.isprintable() else " " for c in text.rstrip("\x00"))
        return text.strip() or None

    def texts(self, tag: _Int) -> list[str]:
        """Each value of a multi-valued text, stripped; empty ones left out."""
        text = self.text(tag)
        if text is None:
            return []
        found = self.raw[tag]
        if self._text_vr(tag, self._vr(tag, found[0])) in SINGLE_TEXT_VRS:
            return [text]
        return [part for value in text.split("\\") if (part := value.strip())]

    def int(self, tag: _Int) -> _Int | None:
        """First value as an integer; None when absent, empty or no number."""
        found = self.raw.get(tag)
        if found is None:
            return None
        vr = self._text_vr(tag, self._vr(tag, found[0]))
        number = NUMBERS.get(vr)
        if number is not None:
            size, letter = number
            if letter in "df" or len(found[1]) < size:
                return None
            order = "little" if self.transfer_syntax.is_little_endian else "big"
            return int.from_bytes(found[1][:size], order, signed=letter.islower())  # type: ignore[arg-type]
        values = self.texts(tag)
        try:
            return int(values[0]) if values else None
        except ValueError:
            return None

    def json(self, tag: _Int) -> dict[str, Any] | None:
        """The attribute in DICOM JSON (PS3.18 §F.2.2), sequences with their items; None if absent.

        Raises:
            DataSetError: the items of a sequence cannot be decoded.
        """
        from negatoscope.protocols.dicom.dataset.decode import decode_value

        found = self.raw.get(tag)
        if found is None:
            return None
        declared = self.raw.get(tags.SPECIFIC_CHARACTER_SET)
        return decode_value(
            tag,
            self._vr(tag, found[0]),
            found[1],
            self.transfer_syntax,
            terms=parse_terms(declared[1]) if declared is not None else (),
        )

    def frame_locations(
        self,
        number_of_frames: _Int | None = None,
        rows: _Int | None = None,
        columns: _Int | None = None,
        samples_per_pixel: _Int | None = None,
        bits_allocated: _Int | None = None,
    ) -> FrameIndex | None:
        """Ranges of the frames; what is not given is taken from the data set.

        None when there is no pixel data, or when the data set does not tell where its frames are.
        """
        if self.pixel_data is None:
            return None
        return self.pixel_data.frame_locations(
            number_of_frames=number_of_frames or self.int(tags.NUMBER_OF_FRAMES) or 1,
            rows=rows or self.int(tags.ROWS),
            columns=columns or self.int(tags.COLUMNS),
            samples_per_pixel=samples_per_pixel or self.int(tags.SAMPLES_PER_PIXEL),
            bits_allocated=bits_allocated or self.int(tags.BITS_ALLOCATED),
        )
