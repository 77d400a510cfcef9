"""The map from the standard's terms to the modules is true: every entry can be opened."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WHERE = ROOT / "docs" / "where.md"
ENTRY = re.compile(r"`(negatoscope(?:\.\w+)+)`")


def entries() -> list[str]:
    """Every dotted name of the page."""
    return sorted(set(ENTRY.findall(WHERE.read_text(encoding="utf-8"))))


def resolve(name: str) -> object:
    """Import the longest module of a dotted name, then take its attributes."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("name", entries())
def test_entry_opens(name: str) -> None:
    """The module imports and has the attribute."""
    assert resolve(name) is not None


def test_every_wire_is_on_the_map() -> None:
    """Each module below entrypoints/ that serves a service is named."""
    text = WHERE.read_text(encoding="utf-8")
    services = [
        path
        for pattern in ("*_scp.py", "*_scu.py", "*_rs.py")
        for path in (ROOT / "src" / "negatoscope" / "entrypoints").rglob(pattern)
    ]
    missing = [
        path.stem
        for path in services
        if ".".join(path.relative_to(ROOT / "src").with_suffix("").parts) not in text
    ]
    assert missing == []
