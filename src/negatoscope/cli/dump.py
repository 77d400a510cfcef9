"""``negatoscope dump``: a DICOM file for people to read."""

import mmap
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import unpack_from
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from negatoscope.protocols.dicom.dataset.walk import Entry

_KEYWORD_WIDTH: Final = 30
_INFLATE_BYTES: Final = 256 << 20
_TRANSFER_SYNTAX_UID: Final = 0x00020010


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The DICOM JSON model (PS3.18 Annex F).")
@click.option(
    "--max-length",
    type=click.IntRange(min=0),
    default=64,
    show_default=True,
    help="Longest value shown, in characters; with --json the longest binary one, in bytes. 0: all.",
)
def dump(file: Path, as_json: bool, max_length: int) -> int:
    """Show what a DICOM file holds: tag, VR, length, keyword, value of every element.

    Takes Part 10 files and bare data sets. Exit code 1 when the file cannot be read to its end:
    what could be read is shown, then why it ends.
    """
    from negatoscope.protocols.dicom.dataset import DataSetError
    from negatoscope.protocols.dicom.part10 import Part10Error

    try:
        with file.open("rb") as opened:
            if not opened.read(1):
                raise click.ClickException(f"{file} is empty")
            mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        show = _json if as_json else _text
        for line in show(memoryview(mapped), max_length or sys.maxsize):
            click.echo(line)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"cannot read {file}: {error.strerror}") from error
    except (DataSetError, Part10Error) as error:
        raise click.ClickException(
            f"{file} cannot be read: {error.reason}\n"
            "HINT: what stands above could be read; the rest is damaged or not DICOM."
        ) from error
    return 0


@dataclass(frozen=True, slots=True)
class _Head:
    """Where a data set begins, and how it is written."""

    transfer_syntax_uid: str
    data_set_offset: int


def _head(data: memoryview) -> _Head:
    """Like the archive's reader, but group 0002 need not be as it should be to be shown."""
    from negatoscope.protocols.dicom.part10 import Part10Error, guess_file_meta, read_file_meta

    head = bytes(data[: 1 << 20])
    if head[128:132] != b"DICM":
        guessed = guess_file_meta(head)
        return _Head(guessed.transfer_syntax_uid, guessed.data_set_offset)
    try:
        meta = read_file_meta(head)
    except Part10Error:
        pos, uid = 132, ""
        for tag, _vr, start, length in _meta_elements(memoryview(head), 132):
            if tag == _TRANSFER_SYNTAX_UID:
                uid = head[start : start + length].decode("ascii", "replace").strip("\0 ")
            pos = start + length
        if not uid or pos > len(head):
            raise
        return _Head(uid, pos)
    return _Head(meta.transfer_syntax_uid, meta.data_set_offset)


def _meta_elements(data: memoryview, pos: int) -> Iterator[tuple[int, str, int, int]]:
    """Tag, VR, offset and length of the values of group 0002: explicit VR little endian."""
    from negatoscope.protocols.dicom.dataset.vr import LONG_VRS

    while pos + 8 <= len(data):
        group, number, letters, length = unpack_from("<HH2sH", data, pos)
        if group != 0x0002:
            return
        vr = letters.decode("ascii", "replace")
        start = pos + 8
        if vr in LONG_VRS and pos + 12 <= len(data):
            (length,) = unpack_from("<I", data, start)
            start += 4
        yield group << 16 | number, vr, start, length
        pos = start + length


def _data_set(data: memoryview, meta: _Head) -> memoryview:
    from negatoscope.protocols.dicom.dataset import inflate
    from negatoscope.protocols.dicom.dataset.limits import DECODE_LIMITS
    from negatoscope.standard.transfer_syntaxes import transfer_syntax

    rest = data[meta.data_set_offset :]
    if not transfer_syntax(meta.transfer_syntax_uid).is_deflated:
        return rest
    return memoryview(inflate(bytes(rest[:_INFLATE_BYTES]), limits=DECODE_LIMITS))


def _json(data: memoryview, max_length: int) -> Iterator[str]:
    import orjson

    from negatoscope.protocols.dicom.dataset import decode
    from negatoscope.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, transfer_syntax

    meta = _head(data)
    uid = meta.transfer_syntax_uid
    if transfer_syntax(uid).is_deflated:
        uid = EXPLICIT_VR_LITTLE_ENDIAN
    model = decode(
        bytes(_data_set(data, meta)),
        uid,
        bulk_threshold=max_length,
        bulk_uri=lambda path: f"#/{path}",
        stop_before_pixels=False,
    )
    yield orjson.dumps(model, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode("utf-8")


def _text(data: memoryview, max_length: int) -> Iterator[str]:
    from negatoscope.protocols.dicom.dataset.walk import walk
    from negatoscope.standard.transfer_syntaxes import transfer_syntax

    meta = _head(data)
    syntax = transfer_syntax(meta.transfer_syntax_uid)
    is_part10 = bytes(data[128:132]) == b"DICM"
    yield (
        f"# {'Part 10 file' if is_part10 else 'data set without preamble'}, {len(data)} bytes, "
        f"{_clean(syntax.name)}, data set from byte {meta.data_set_offset}"
    )
    start = 132 if is_part10 else 0
    yield from _file_meta(data[start : meta.data_set_offset], max_length)
    for entry in walk(_data_set(data, meta), syntax):
        yield _line(entry, max_length, little_endian=syntax.is_little_endian)


def _file_meta(data: memoryview, max_length: int) -> Iterator[str]:
    """Group 0002, which is explicit VR little endian in every file (PS3.10 §7.1)."""
    from negatoscope.protocols.dicom.dataset.charset import TextDecoder
    from negatoscope.protocols.dicom.dataset.walk import Entry, Kind

    for tag, vr, start, length in _meta_elements(data, 0):
        entry = Entry(
            kind=Kind.ELEMENT, depth=0, tag=tag, vr=vr, length=length, offset=start,
            value=data[start : start + length], text=TextDecoder(),
        )  # fmt: skip
        yield _line(entry, max_length, little_endian=True)


def _line(entry: "Entry", max_length: int, *, little_endian: bool) -> str:
    from negatoscope.protocols.dicom.dataset.walk import Kind
    from negatoscope.standard.tags import format_tag

    length = "undef" if entry.length is None else str(entry.length)
    depth = 2 * entry.depth
    if entry.kind is Kind.ITEM:
        return f"{'  ' * (depth - 1)}item {entry.number} ({length})"
    value = _value(entry, max_length, little_endian=little_endian)
    if entry.kind is Kind.FRAGMENT:
        name = "offset table" if entry.number == 1 else f"fragment {entry.number - 1}"
        return f"{'  ' * (depth - 1)}{name} ({length})  {value}".rstrip()
    return (
        f"{'  ' * depth}{format_tag(entry.tag)} {_clean(entry.vr)} {length:>6}  "
        f"{_clean(_name(entry)):<{_KEYWORD_WIDTH}}  {value}"
    ).rstrip()


def _name(entry: "Entry") -> str:
    from negatoscope.standard.tags import is_private, keyword_for

    if not entry.tag & 0xFFFF:
        return "GroupLength"
    if is_private(entry.tag):
        if 0x10 <= entry.tag & 0xFFFF <= 0xFF:
            return "PrivateCreator"
        return f"[{entry.creator}]" if entry.creator else "[no private creator]"
    return keyword_for(entry.tag) or "?"


def _value(entry: "Entry", max_length: int, *, little_endian: bool) -> str:
    """The value as a line of text, shortened to ``max_length`` characters."""
    from negatoscope.protocols.dicom.dataset.showing import value_text

    text, is_cut = value_text(entry, max_length, little_endian=little_endian)
    return f"{text}…" if is_cut else text


def _clean(text: str) -> str:
    from negatoscope.protocols.dicom.dataset.showing import printable

    return printable(text)
