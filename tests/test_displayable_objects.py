"""docs/displayable-objects.md knows every image of the corpus; nothing is decoded here."""

import importlib.util
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "displayable-objects.md"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """tools/compare_renditions.py."""
    path = ROOT / "tools" / "compare_renditions.py"
    spec = importlib.util.spec_from_file_location("compare_renditions", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows() -> list[list[str]]:
    """The cells of both tables."""
    found = [line.strip("| \n").split(" | ") for line in PAGE.read_text("utf-8").splitlines()]
    return [one for one in found if len(one) == 6 and one[4].isdigit()]


def test_the_page_lists_every_kind_of_image(tool, shared_data) -> None:
    """As many objects of each SOP class, syntax, photometric interpretation and depth as there are.

    When it fails: python tools/compare_renditions.py FOLDER, with the folder of the corpus.
    """
    listed: Counter[tuple[str, ...]] = Counter()
    for *kind, count, _ in rows():
        listed[tuple(kind)] += int(count)
    assert listed == Counter(tuple(kind) for _, kind in tool.kinds(shared_data))


def test_what_has_no_reference_says_why() -> None:
    """Colours of segments are ours to choose; everything else was compared."""
    drawn = PAGE.read_text("utf-8").partition("## Not drawn")[0]
    without = [line for line in drawn.splitlines() if line.startswith("|") and line.endswith("e |")]
    assert without
    for line in without:
        if not re.match(r"\| SOP class", line):
            assert line.endswith("colours of segments are a choice |"), line
