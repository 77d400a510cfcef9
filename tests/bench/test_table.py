"""The table of a comparison."""

from pathlib import Path

from bench.table import Row, as_markdown, as_text

from bench import machine


def test_ratios_say_how_many_times_better() -> None:
    """Medians; larger is better for rates, smaller for latencies."""
    rate = Row(load="a", unit="/s", ours=(10, 900, 600), theirs=(200,))
    assert rate.ratio == 3
    assert Row(load="b", unit="ms", ours=(2,), theirs=(8,), smaller_is_better=True).ratio == 4
    assert Row(load="c", unit="ms", ours=(2,)).ratio is None


def test_both_forms_have_every_row() -> None:
    """Text and Markdown."""
    rows = [Row(load="a", unit="/s", ours=(1234,), theirs=(200,), goal="≥ 3 ×")]
    assert "1,234/s" in as_text(rows)
    text = as_markdown(rows, {"kernel": "6"}, "Measured:")
    assert "| a | 1,234/s | 200/s | 6.17 × | ≥ 3 × |" in text
    assert "- kernel: 6" in text


def test_the_machine_describes_itself(tmp_path: Path) -> None:
    """And measures its disk."""
    assert machine.describe(tmp_path)["processor"]
    assert machine.durable_rate(tmp_path, megabytes=4)["fdatasync"] > 0
    assert list(tmp_path.iterdir()) == []
