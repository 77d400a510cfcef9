"""The table of a comparison, as text for people and as Markdown for the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MARK = "<!-- bench table -->"
END_MARK = "<!-- end of bench table -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One load on both servers.

    Attributes:
        unit: of the figures: ``/s``, ``ms``, ``MB``.
        ours, theirs: one figure per round.
        goal: in words.
        smaller_is_better: latencies and memory.
    """

    load: str
    unit: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...] = ()
    goal: str = ""
    smaller_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times better ours is, medians; None without the other."""
        if not self.ours or not self.theirs:
            return None
        ours, theirs = median(self.ours), median(self.theirs)
        if self.smaller_is_better:
            return theirs / ours if ours else None
        return ours / theirs if theirs else None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "load": self.load,
            "unit": self.unit,
            "negatoscope": list(self.ours),
            "orthanc": list(self.theirs),
            "negatoscope_median": median(self.ours) if self.ours else None,
            "orthanc_median": median(self.theirs) if self.theirs else None,
            "ratio": round(self.ratio, 2) if self.ratio is not None else None,
            "goal": self.goal,
        }

    def cells(self) -> tuple[str, str, str, str, str]:
        """Text of the columns."""
        ratio = f"{self.ratio:.2f} ×" if self.ratio is not None else ""
        return (
            self.load,
            _figure(self.ours, self.unit),
            _figure(self.theirs, self.unit),
            ratio,
            self.goal,
        )


HEADINGS = ("Load", "Negatoscope", "Orthanc", "Ratio", "Goal")


def _figure(values: tuple[float, ...], unit: str) -> str:
    if not values:
        return "–"
    middle = median(values)
    text = f"{middle:,.0f}" if middle >= 100 else f"{middle:.1f}"
    return f"{text}{unit if unit.startswith('/') else ' ' + unit}"


def as_text(rows: Iterable[Row]) -> str:
    """Aligned columns."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def as_markdown(rows: Iterable[Row], machine: dict[str, str], note: str) -> str:
    """A Markdown table with the machine above it."""
    lines = [note, ""]
    lines += [f"- {name}: {value}" for name, value in machine.items() if value]
    lines += ["", "| " + " | ".join(HEADINGS) + " |", "|---|---:|---:|---:|---|"]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    return "\n".join(lines) + "\n"
