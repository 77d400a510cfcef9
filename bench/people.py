"""The loads of people: many readers at once, and the list of studies searched as one types.

They are measured on this program alone: nobody else has the same list.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from negatoscope.bench.ingest import ingest
from negatoscope.bench.readers import FRAMES, listing, readers
from negatoscope.bench.sample import sample_studies

if TYPE_CHECKING:
    from bench.compare import Comparison
    from bench.table import Row

STUDIES = 10
SETTLE_S = 8
SEARCHES = 600


def run(comparison: Comparison, parts: set[str]) -> None:
    """Readers on studies that exist, then the list on an index filled with rows."""
    from bench.compare import fill

    with comparison.ours as server:
        if "readers" in parts:
            ingest(
                server.dicom, shape="512k", objects=STUDIES * 60, clients=1, instances_per_study=60
            )
            time.sleep(SETTLE_S)
            studies = [
                one.study_instance_uid
                for one in sample_studies(server.web, 10_000)
                if one.instances == 60
            ]
            measured = comparison.measure(
                server,
                partial(
                    readers, server.web, studies=studies, clients=comparison.plan.readers, rounds=2
                ),
            )
            for kind in ("list", "metadata", "frame"):
                figure = measured.detail["by_kind"].get(kind, {}).get("p95_ms", 0.0)
                comparison.note(f"readers {kind}, p95", server, measured, figure)
            comparison.note("readers failed", server, measured, float(measured.failures))
        if "list" in parts:
            fill(server, comparison.plan.listed_studies)
            measured = comparison.measure(server, partial(listing, server.web, operations=SEARCHES))
            comparison.note("list, p95", server, measured, measured.latencies.p95_ms)
            worst = max((one["p95_ms"] for one in measured.detail["by_kind"].values()), default=0.0)
            comparison.note("list, slowest kind, p95", server, measured, worst)


def rows(comparison: Comparison) -> list[Row]:
    """Their lines in the table."""
    count = comparison.plan.readers
    said = f"{count} readers (list, metadata, {FRAMES} frames of 512k, 1 s to think)"
    studies = f"list of {comparison.plan.listed_studies:,} studies, searched as one types"
    small = {"smaller_is_better": True}
    return [
        comparison.row("readers list, p95", "ms", f"{said}: list, p95", "≤ 500 ms", **small),
        comparison.row("readers metadata, p95", "ms", "the same: metadata, p95", "", **small),
        comparison.row("readers frame, p95", "ms", "the same: frame, p95", "≤ 300 ms", **small),
        comparison.row("readers failed", "", "the same: failed", "0", **small),
        comparison.row("list, p95", "ms", f"{studies}, p95", "≤ 100 ms", **small),
        comparison.row(
            "list, slowest kind, p95",
            "ms",
            "the slowest kind of question, p95",
            "≤ 100 ms",
            **small,
        ),
    ]
