"""The loads of the department: admission messages, and worklists as devices ask for them.

They are measured on this program alone: Orthanc has neither.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from negatoscope.bench.hl7 import hl7
from negatoscope.bench.worklist import worklist

if TYPE_CHECKING:
    from bench.compare import Comparison
    from bench.servers import Negatoscope
    from bench.table import Row

CONNECTIONS = (1, 4, 16)
PER_S = 15.0
"""Questions a second: a server holds back who asks too often."""


def run(comparison: Comparison, parts: set[str]) -> None:
    """Messages over MLLP, then the worklist of a department with many steps."""
    plan = comparison.plan
    with comparison.ours as server:
        if "hl7" in parts:
            for clients in CONNECTIONS:
                send = partial(hl7, "127.0.0.1", server.hl7_port)
                measured = comparison.measure(
                    server, partial(send, clients=clients, operations=plan.messages)
                )
                comparison.note(f"ADT, {clients}", server, measured, measured.per_second)
        if "worklist" in parts:
            _fill(server, plan.worklist_steps)
            ask = partial(worklist, server.dicom, clients=1, per_s=PER_S)
            measured = comparison.measure(server, partial(ask, operations=plan.worklist_questions))
            kinds = measured.detail["by_kind"]
            device = kinds.get("device", {}).get("p95_ms", 0.0)
            comparison.note("worklist of a device, p95", server, measured, device)
            comparison.note("worklist, p95", server, measured, measured.latencies.p95_ms)


def rows(comparison: Comparison) -> list[Row]:
    """Their lines in the table."""
    small = {"smaller_is_better": True}
    asked = f"worklist of {comparison.plan.worklist_steps:,} steps"
    return [
        *(
            comparison.row(
                f"ADT, {clients}",
                "/s",
                f"ADT kept and acknowledged, {clients} connection{'s' if clients > 1 else ''}",
                "≥ 1,000/s",
            )
            for clients in CONNECTIONS
        ),
        comparison.row(
            "worklist of a device, p95", "ms", f"{asked}: a device's day, p95", "≤ 20 ms", **small
        ),
        comparison.row("worklist, p95", "ms", "the same: every kind of question, p95", "", **small),
    ]


def _fill(server: Negatoscope, steps: int) -> None:
    """Orders of nobody, with a day and a device each."""
    from negatoscope.app.database import database_url
    from negatoscope.domain.scheduling.synthetic import fill_worklist
    from negatoscope.infra.db import Database
    from negatoscope.infra.settings import Settings

    settings = Settings.load(data_dir=server.data_dir)
    with (
        database_url(settings) as url,
        Database(url) as database,
        database.connection() as connection,
    ):
        fill_worklist(connection, steps=steps)
