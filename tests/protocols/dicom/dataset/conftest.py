"""Objects of the corpus as (name, transfer syntax, data set)."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from negatoscope.protocols.dicom.part10 import Part10Error, read_file_meta

SHARED_DATA = Path(__file__).resolve().parents[5] / "shared" / "data"


class CorpusObject(NamedTuple):
    """A real object, its head cut off."""

    name: str
    transfer_syntax_uid: str
    data_set: bytes


def corpus_objects(folder: Path, *, malformed: bool = False) -> Iterator[CorpusObject]:
    """Every Part 10 file below a folder."""
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if not path.is_file() or (not malformed and name.startswith(("malformed/", "hl7/"))):
            continue
        with path.open("rb") as file:
            if file.read(132)[128:] != b"DICM":
                continue
        raw = path.read_bytes()
        try:
            meta = read_file_meta(raw)
        except Part10Error:
            continue
        yield CorpusObject(name, meta.transfer_syntax_uid, raw[meta.data_set_offset :])


@pytest.fixture(scope="session")
def corpus(shared_data: Path) -> list[CorpusObject]:
    """Every well-formed object of the shared data."""
    return list(corpus_objects(shared_data))
