"""The conformance statement is what the code does."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from negatoscope.domain.archive.errors import CannotUnderstandCode

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "conformance" / "statement.md"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """``tools/generate_conformance.py`` as a module."""
    path = ROOT / "tools" / "generate_conformance.py"
    specification = importlib.util.spec_from_file_location("generate_conformance", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(path.parent))  # where it is run, its sections are beside it
        specification.loader.exec_module(module)
    return module


def test_committed_page_is_what_the_code_says(generator: ModuleType) -> None:
    """``make docs`` would change nothing."""
    assert generator.statement() == PAGE.read_text(encoding="utf-8")


def test_every_code_of_our_own_is_published() -> None:
    """STORAGE Cxxx are in the statement, with their meaning."""
    text = PAGE.read_text(encoding="utf-8")
    assert [f"{code:04X}" for code in CannotUnderstandCode if f"| {code:04X} |" not in text] == []


def test_sections_that_are_referred_to_are_there() -> None:
    """``§7.3`` is a heading of the page, and one alone."""
    text = PAGE.read_text(encoding="utf-8")
    heads = re.findall(r"^#+ ([1-7](?:\.[0-9]+)*) ", text, re.MULTILINE)
    assert len(set(heads)) == len(heads) > 20
    referred = re.findall(r"(?:\(|[a-z], |\b(?:of|as|in|see) )§([1-7](?:\.[0-9]+)*)", text)
    assert len(referred) > 10
    assert set(referred) - set(heads) == set()


def test_routes_are_those_that_options_tells(generator: ModuleType) -> None:
    """The table of DICOMweb resources has the transactions of PS3.18."""
    rows = list(generator.routes())
    assert ("POST", "`/dicom-web/studies/{study}`", "Store") in rows
    assert ("GET, HEAD", "`/dicom-web/studies/{study}/series/{series}/instances`", "Search") in rows
    assert {name for _, _, name in rows} >= {"Store", "Search", "Retrieve"}
