"""Cells of CSV files: no formula gets out, and what went out comes in unchanged."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negatoscope.kit.cells import guarded, unguarded

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_texts = st.one_of(st.text(), st.text(alphabet="'=+-@\t\r\n;\"x", max_size=8))


@pytest.mark.parametrize(
    ("cell", "out"),
    [
        ("=1+1", "'=1+1"),
        ("+33 1", "'+33 1"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("'=1", "''=1"),
        ("'80s", "'80s"),
        ("1=1", "1=1"),
        ("", ""),
    ],
)
def test_a_formula_gets_an_apostrophe(cell, out):
    """Nothing else is changed."""
    assert guarded(cell) == out


@given(_texts)
def test_what_was_guarded_comes_back(cell):
    """An apostrophe that guarding did not add stays."""
    assert unguarded(guarded(cell)) == cell


@given(_texts)
def test_no_guarded_cell_is_a_formula(cell):
    """Also as a spreadsheet reads the file."""
    output = io.StringIO()
    csv.writer(output).writerow([guarded(cell), "end"])
    read = next(csv.reader(io.StringIO(output.getvalue(), newline="")))
    assert read[0] == guarded(cell)
    assert not read[0].startswith(_FORMULA)
