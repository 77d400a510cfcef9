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


SHARED = {"app", "common", "scheduling_common", "order_schemas", "events", "system"}
"""Of `entrypoints/api`: what serves no term of anybody's."""


def test_every_area_is_on_the_map() -> None:
    """Each folder of the business, each reaction, each file of our own JSON."""
    text = WHERE.read_text(encoding="utf-8")
    source = ROOT / "src" / "negatoscope"
    folders = [
        path.parent
        for layer in ("domain", "subscribers", "entrypoints", "protocols")
        for path in (source / layer).glob("*/__init__.py")
    ]
    files = [
        path.with_suffix("")
        for path in (source / "entrypoints" / "api").glob("*.py")
        if path.stem not in SHARED | {"__init__"}
    ]
    names = [".".join(path.relative_to(ROOT / "src").parts) for path in (*folders, *files)]
    assert len(names) > 50
    assert [name for name in names if f"`{name}" not in text] == []


def test_the_tree_is_drawn_as_it_is() -> None:
    """docs/architecture.md names every folder of the layers, and no other."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = text.split("```")[1]
    source = ROOT / "src" / "negatoscope"
    named = set(re.findall(r"\b([a-z][a-z0-9_]*)/", tree.split("web/              ")[0]))
    layers = {path.parent.name for path in source.glob("*/__init__.py")}
    folders = {
        path.parent.name
        for layer in ("domain", "subscribers", "entrypoints", "protocols")
        for path in (source / layer).glob("*/__init__.py")
    }
    assert named - {"src", "negatoscope"} == layers | folders
