"""DICOMDIR (PS3.10 §8, PS3.3 Annex F): which files a medium says it holds.

Records are read in the order they lie in. The offsets that chain them are not followed, so a
directory cannot loop; file names are followed only to what lies, links resolved, under the
medium's own folder.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from negatoscope.protocols.dicom.dataset.charset import TextDecoder
from negatoscope.protocols.dicom.dataset.decode import Decoder
from negatoscope.protocols.dicom.dataset.errors import DataSetError
from negatoscope.protocols.dicom.dataset.limits import ScanLimits
from negatoscope.protocols.dicom.dataset.locate import read_value
from negatoscope.protocols.dicom.dataset.reader import ITEM_TAG
from negatoscope.protocols.dicom.part10.errors import DicomdirError, Part10Error
from negatoscope.protocols.dicom.part10.file_meta import read_file_meta
from negatoscope.standard.tags import (
    DIRECTORY_RECORD_TYPE,
    RECORD_IN_USE_FLAG,
    REFERENCED_FILE_ID,
    REFERENCED_SOP_CLASS_UID_IN_FILE,
    REFERENCED_SOP_INSTANCE_UID_IN_FILE,
    REFERENCED_TRANSFER_SYNTAX_UID_IN_FILE,
)
from negatoscope.standard.transfer_syntaxes import transfer_syntax

__all__ = ["Dicomdir", "DicomdirError", "DicomdirFile", "read_dicomdir"]

#: Longest directory read: a medium of a hundred thousand objects needs a third of it.
MAX_DICOMDIR_BYTES: Final = 64 << 20
#: PS3.10 §8.2 allows eight components; deeper ones are met.
MAX_COMPONENTS: Final = 32
_MAX_COMPONENT_CHARACTERS: Final = 255
_LIMITS: Final = ScanLimits(elements=10_000_000, items=1_000_000)
_UNDEFINED_LENGTH: Final = 0xFFFFFFFF
_MAX_REMEMBERED: Final = 10_000
_INACTIVE: Final = 0x0000


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomdirFile:
    """A record that names a file.

    Attributes:
        record_type: `IMAGE`, `SR DOCUMENT`, …
        components: Referenced File ID as written.
        path: The file's, under the medium's folder; it may not exist. None when refused.
        refusal: Why `path` is None.
    """

    record_type: str
    components: tuple[str, ...]
    path: Path | None
    refusal: str | None
    sop_class_uid: str | None
    sop_instance_uid: str | None
    transfer_syntax_uid: str | None


class Dicomdir:
    """A directory that has been read; records are decoded as they are asked for."""

    def __init__(self, root: Path, data: bytes, transfer_syntax_uid: str) -> None:
        self._root = root
        self._data = data
        self._syntax = transfer_syntax(transfer_syntax_uid)
        self._names: dict[Path, dict[str, str]] = {}
        self._folders: dict[tuple[str, ...], Path | None] = {}
        try:
            self._start, length = read_value(data, transfer_syntax_uid, "00041220", limits=_LIMITS)
        except DataSetError as error:
            raise DicomdirError(f"no readable Directory Record Sequence: {error.reason}") from error
        self._end = self._start + length

    def records(self) -> Iterator[dict[str, Any]]:
        """Every directory record as DICOM JSON, in the order of the file.

        Raises:
            DicomdirError: a record cannot be read.
        """
        decoder = Decoder(
            self._data,
            self._syntax,
            stop_before_pixels=False,
            bulk_threshold=0,
            bulk_uri=None,
            limits=_LIMITS,
        )
        pos = self._start
        try:
            while pos < self._end:
                tag, length = decoder.item_header(pos, self._end)
                if tag != ITEM_TAG:
                    break
                decoder.count_item(pos)
                open_ended = length == _UNDEFINED_LENGTH
                end = self._end if open_ended else pos + 8 + length
                if end > self._end:
                    raise DicomdirError("a directory record runs beyond the directory")
                record, pos = decoder.data_set(
                    pos + 8,
                    end,
                    implicit=self._syntax.is_implicit_vr,
                    text=TextDecoder(),
                    signed=False,
                    depth=1,
                    delimited=open_ended,
                )
                yield record
        except DataSetError as error:
            raise DicomdirError(f"a directory record cannot be read: {error.reason}") from error

    def entries(self) -> Iterator[DicomdirFile]:
        """Records in use that name a file, those refused included.

        Raises:
            DicomdirError: a record cannot be read.
        """
        for record in self.records():
            components = _texts(record, REFERENCED_FILE_ID)
            if not components or _texts(record, RECORD_IN_USE_FLAG) == (str(_INACTIVE),):
                continue
            path, refusal = self._resolve(components)
            yield DicomdirFile(
                record_type=_text(record, DIRECTORY_RECORD_TYPE) or "",
                components=components,
                path=path,
                refusal=refusal,
                sop_class_uid=_text(record, REFERENCED_SOP_CLASS_UID_IN_FILE),
                sop_instance_uid=_text(record, REFERENCED_SOP_INSTANCE_UID_IN_FILE),
                transfer_syntax_uid=_text(record, REFERENCED_TRANSFER_SYNTAX_UID_IN_FILE),
            )

    def files(self) -> Iterator[Path]:
        """Paths of the files named, each once, present or not.

        Raises:
            DicomdirError: at the end, when a name was refused; at once, when a record cannot be
                read.
        """
        seen: set[Path] = set()
        refusals = 0
        for entry in self.entries():
            if entry.path is None:
                refusals += 1
            elif entry.path not in seen:
                seen.add(entry.path)
                yield entry.path
        if refusals:
            raise DicomdirError(f"{refusals} file names lead out of the medium")

    def _resolve(self, components: tuple[str, ...]) -> tuple[Path | None, str | None]:
        """The file under the root; case and version suffixes of ISO 9660 are forgiven."""
        if len(components) > MAX_COMPONENTS:
            return None, "the file name has too many components"
        for component in components:
            if (
                component in {"", ".", ".."}
                or len(component) > _MAX_COMPONENT_CHARACTERS
                or not component.isprintable()
                or any(c in component for c in "/\\:")
            ):
                return None, "the file name has a component that no medium may have"
        folder = self._folder(components[:-1])
        if folder is None:
            return None, "the file name leads out of the medium"
        path = folder / self._name_in(folder, components[-1])
        if path.is_symlink():
            path = _followed(path) or path
            if path.is_symlink() or not path.is_relative_to(self._root):
                return None, "the file name leads out of the medium"
        return path, None

    def _folder(self, components: tuple[str, ...]) -> Path | None:
        """The folder, its links followed; None outside the medium."""
        if components in self._folders:
            return self._folders[components]
        path: Path | None = self._root
        for component in components:
            if path is not None:
                path = _followed(path / self._name_in(path, component))
        if path is not None and not path.is_relative_to(self._root):
            path = None
        if len(self._folders) < _MAX_REMEMBERED:
            self._folders[components] = path
        return path

    def _name_in(self, folder: Path, component: str) -> str:
        """The component as the folder spells it."""
        names = self._names.get(folder)
        if names is None:
            try:
                found = os.listdir(folder)
            except OSError:
                found = []
            names = {name.partition(";")[0].rstrip(".").casefold(): name for name in found}
            names.update({name: name for name in found})
            if len(self._names) < _MAX_REMEMBERED:
                self._names[folder] = names
        return names.get(component) or names.get(component.casefold()) or component


def _followed(path: Path) -> Path | None:
    """The path with its links followed; None when they loop."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return None


def _texts(record: dict[str, Any], tag: int) -> tuple[str, ...]:
    values = record.get(f"{tag:08X}", {}).get("Value", ())
    return tuple("" if value is None else str(value) for value in values)


def _text(record: dict[str, Any], tag: int) -> str | None:
    texts = _texts(record, tag)
    return texts[0] if texts else None


def read_dicomdir(path: Path) -> Dicomdir:
    """The DICOMDIR at `path`; its folder is the root of the medium.

    Raises:
        DicomdirError: it is not a DICOMDIR, or is too long.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MAX_DICOMDIR_BYTES + 1)
    if len(data) > MAX_DICOMDIR_BYTES:
        raise DicomdirError(f"the directory is longer than {MAX_DICOMDIR_BYTES} bytes")
    try:
        meta = read_file_meta(data)
    except Part10Error as error:
        raise DicomdirError(f"not a DICOMDIR: {error.reason}") from error
    return Dicomdir(path.parent.resolve(), data[meta.data_set_offset :], meta.transfer_syntax_uid)
