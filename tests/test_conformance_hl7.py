"""The page on HL7 is what the code does."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """``tools/generate_hl7_conformance.py`` as a module."""
    path = ROOT / "tools" / "generate_hl7_conformance.py"
    specification = importlib.util.spec_from_file_location("generate_hl7_conformance", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_committed_page_is_what_the_code_says(generator: ModuleType) -> None:
    """``make docs`` would change nothing."""
    committed = (ROOT / "docs" / "conformance-hl7.md").read_text(encoding="utf-8")
    assert generator.page() == committed


def test_fields_that_must_be_among_those_read(generator: ModuleType) -> None:
    read = generator._read()
    assert {("PID", 3), ("PID", 32), ("MRG", 1), ("PV1", 19), ("ZBE", 9)} <= read
    assert {("IPC", 9), ("ZDS", 1), ("OBR", 31), ("TQ1", 7), ("ORC", 5), ("SCH", 2)} <= read
    assert ("PID", 2) not in read  # forbidden by IHE PAM France, and nobody asks for it
