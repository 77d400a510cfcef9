"""Folding: one form per name, however it was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negatoscope.kit.text import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Émilie   DE LA  Tour ", "emilie de la tour"),
        ("Cœur Æsop Straße", "coeur aesop strasse"),
        ("MÜLLER^Jörg", "muller^jorg"),
        ("ŁÓDŹ Søren", "lodz soren"),
        ("İstanbul ısı", "istanbul isi"),
        ("ＡＢＣ１２", "abc12"),
        ("김희중", "김희중"),
        ("がぎ", "がぎ"),
        ("O’Neil", "o'neil"),
        ("", ""),
    ],
)
def test_case_accents_ligatures_and_width_fold(text, folded):
    """Queries meet values whatever their accents, case or width."""
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text):
    """Values folded at ingest equal queries folded later."""
    assert fold(fold(text)) == fold(text)
