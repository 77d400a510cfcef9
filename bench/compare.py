"""``make bench``: this program, Orthanc and the machine itself under the same load in one run.

The servers take turns: never do both run at once, and each keeps its data from turn to turn. Every
figure is the median of the rounds. Writes ``bench/results/compare.json`` and ``compare.md``, prints
the table, and with ``--write-docs`` puts it into ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.servers import MemoryWatch, Negatoscope, Orthanc, Server, free_port
from bench.table import END_MARK, MARK, Row, as_markdown, as_text

from bench import department, machine, people
from negatoscope.bench.ingest import ingest
from negatoscope.bench.large import fetch_large, store_large
from negatoscope.bench.query import query
from negatoscope.bench.retrieve import retrieve
from negatoscope.bench.sample import KnownStudy, sample_studies, series_instances
from negatoscope.bench.web import frame_paths, frames, frames_with_wrk, metadata, renditions
from negatoscope.infra import logging

if TYPE_CHECKING:
    from collections.abc import Callable

    from negatoscope.bench.results import Measurement

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
PERFORMANCE_PAGE = ROOT / "docs" / "performance.md"

INGEST_GOALS = {("512k", 1): 3.0, ("512k", 4): 2.5, ("512k", 16): 2.5, ("10k", 4): 5.0}
SERIES_INSTANCES = 2000
SETTLE_IDLE_S = 3
#: Each server is left alone for so long when it has started, as one is between two examinations.
REST_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much to do.

    Attributes:
        rounds: turns of each server.
        ingest_objects: objects of one ingest load, by shape.
        index_studies: studies in the index while it is queried.
        large_bytes: of the object that is larger than memory should be.
        readers: who look at images at the same time.
        listed_studies: in the index while the list of studies is searched.
        messages: HL7 messages of one load.
        worklist_steps: scheduled while worklists are asked for.
        worklist_questions: asked.
    """

    rounds: int
    ingest_objects: dict[str, int]
    index_studies: int
    queries: int
    frame_seconds: int
    retrieve_studies: int
    large_bytes: int
    readers: int
    listed_studies: int
    messages: int
    worklist_steps: int
    worklist_questions: int


FULL = Plan(
    rounds=3,
    ingest_objects={"512k": 1000, "10k": 4000},
    index_studies=100_000,
    queries=1000,
    frame_seconds=5,
    retrieve_studies=5,
    large_bytes=4_000_000_000,
    readers=200,
    listed_studies=1_000_000,
    messages=5000,
    worklist_steps=10_000,
    worklist_questions=300,
)
SMALL = Plan(
    rounds=1,
    ingest_objects={"512k": 120, "10k": 400},
    index_studies=500,
    queries=100,
    frame_seconds=1,
    retrieve_studies=1,
    large_bytes=64_000_000,
    readers=8,
    listed_studies=500,
    messages=500,
    worklist_steps=500,
    worklist_questions=30,
)


class Comparison:
    """One run: collects a figure per load, server and round."""

    def __init__(self, plan: Plan, folder: Path, *, with_orthanc: bool) -> None:
        sink_port = free_port()
        self.plan = plan
        self.folder = folder
        self.sink = ("127.0.0.1", sink_port)
        self.ours = Negatoscope(folder / "negatoscope", sink_port, settle_idle_s=str(SETTLE_IDLE_S))
        self.theirs = Orthanc(folder / "orthanc", sink_port) if with_orthanc else None
        self.figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.measurements: list[dict[str, object]] = []
        self.memory_bytes: dict[str, int] = {}
        self._studies: dict[str, list[str]] = {}
        self._long_series: dict[str, tuple[str, str]] = {}

    @property
    def servers(self) -> list[Server]:
        """Both, or ours alone."""
        return [self.ours] if self.theirs is None else [self.ours, self.theirs]

    @staticmethod
    def measure(server: Server, run: Callable[[], Measurement]) -> Measurement:
        """Run one load and add what it cost the server's processes."""
        before_s = server.cpu_s()
        measured = run()
        spent_s = round(server.cpu_s() - before_s, 3)
        each_ms = round(spent_s * 1000 / measured.operations, 3) if measured.operations else None
        costs = {"server_cpu_s": spent_s, "server_cpu_ms_per_operation": each_ms}
        return replace(measured, detail={**measured.detail, **costs})

    def note(self, load: str, server: Server, measurement: Measurement, figure: float) -> None:
        """Keep one figure."""
        cpu_ms = measurement.detail.get("server_cpu_ms_per_operation")
        cost = f", server CPU {cpu_ms} ms each" if cpu_ms is not None else ""
        say(f"  {server.name:12} {load:34} {figure:10.1f}   {measurement.line()}{cost}")
        self.figures[load][server.name].append(figure)
        self.measurements.append({"server": server.name, "load": load, **measurement.as_dict()})

    def run(self, parts: set[str]) -> None:
        """The parts, in turn."""
        for number in range(self.plan.rounds):
            say(f"round {number + 1} of {self.plan.rounds}")
            for name, rate in machine.durable_rate(self.folder).items():
                self.figures[f"dd {name}"]["machine"].append(rate)
                say(f"  machine      dd {name}: {rate:.0f} MB/s")
            servers = self.servers if number % 2 == 0 else list(reversed(self.servers))
            for server in servers:
                with server:
                    time.sleep(REST_S)
                    if "ingest" in parts:
                        self.ingest(server)
                    if "read" in parts:
                        self.read(server, first=number == 0)
                        if number == 0 and isinstance(server, Negatoscope):
                            self.renditions(server)
        if "query" in parts:
            for server in self.servers:
                with server:
                    self.query(server)
        if "list" in parts or "readers" in parts:
            people.run(self, parts)
        if "hl7" in parts or "worklist" in parts:
            department.run(self, parts)
        if "large" in parts:
            with self.ours:
                self.large(self.ours)

    def ingest(self, server: Server) -> None:
        """C-STORE of both shapes over 1, 4 and 16 associations, STOW-RS over 4 connections."""
        for shape, objects in self.plan.ingest_objects.items():
            for clients in (1, 4, 16):
                count = objects // 2 if clients == 1 else objects
                measured = self.measure(
                    server,
                    partial(ingest, server.dicom, shape=shape, objects=count, clients=clients),
                )
                self.note(f"C-STORE {shape}, {clients}", server, measured, measured.per_second)
        count = self.plan.ingest_objects["512k"]
        measured = self.measure(
            server, partial(ingest, server.web, shape="512k", objects=count, clients=4)
        )
        self.note("STOW-RS 512k, 4", server, measured, measured.per_second)

    def read(self, server: Server, *, first: bool) -> None:
        """Metadata, frames, C-MOVE, C-GET and WADO-RS of what was stored."""
        if first:
            self._store_for_reading(server)
        studies = self._studies[server.name]
        for how, load in (("move", "C-MOVE"), ("get", "C-GET"), ("wado", "WADO-RS study")):
            target = server.web if how == "wado" else server.dicom
            fetch = partial(
                retrieve, target, how=how, studies=studies, sink=self.sink, destination="BENCH"
            )
            measured = self.measure(server, fetch)
            self.note(load, server, measured, measured.megabytes_per_second)
        study, series = self._long_series[server.name]
        again = partial(metadata, server.web, study=study, series=series, repeats=10)
        measured = self.measure(server, again)
        self.note("metadata of 2,000", server, measured, measured.latencies.p95_ms)
        paths = frame_paths(studies[0], series_instances(server.web, studies[0]))
        seconds = self.plan.frame_seconds
        one = partial(frames, server.web, paths=paths, clients=1, seconds=seconds)
        measured = self.measure(server, one)
        self.note("one frame, p95", server, measured, measured.latencies.p95_ms)
        with_wrk = frames_with_wrk(server.web, paths=paths, clients=8, seconds=seconds)
        measured = with_wrk or frames(server.web, paths=paths, clients=8, seconds=seconds)
        self.note("frames 512k, 8", server, measured, measured.per_second)
        self.note("frames 512k, 8, p99", server, measured, measured.latencies.p99_ms)
        if isinstance(server, Orthanc):
            target, paths = server.native_frames(studies[0])
            with_wrk = frames_with_wrk(
                target, paths=paths, clients=8, seconds=seconds, accept="*/*"
            )
            measured = with_wrk or frames(
                target, paths=paths, clients=8, seconds=seconds, accept="*/*"
            )
        self.note("frames 512k, 8, native", server, measured, measured.per_second)

    def renditions(self, server: Server) -> None:
        """500 images of 512 KB that nobody asked for yet, as HTJ2K and as JPEG."""
        studies = self._studies[server.name][-3:]
        paths = [
            path
            for study in studies
            for path in frame_paths(study, series_instances(server.web, study))
        ][-500:]
        for kind, load in (("htj2k", "500 as HTJ2K"), ("jpeg", "500 as JPEG")):
            measured = self.measure(
                server, partial(renditions, server.web, paths=paths, kind=kind, clients=2)
            )
            if measured.failures:
                say(f"  {load}: {measured.failures} of {len(paths)} failed; no figure")
                continue
            self.note(load, server, measured, measured.duration_s)
            if kind == "jpeg":
                self.note("one as JPEG, p95", server, measured, measured.latencies.p95_ms)

    def _store_for_reading(self, server: Server) -> None:
        """Studies of 200 images of 512 KB, and one series of 2,000 small images."""
        marked = {study.study_instance_uid for study in sample_studies(server.web, 10_000)}
        count = self.plan.retrieve_studies * 200
        ingest(server.dicom, shape="512k", objects=count, clients=1)
        ingest(
            server.dicom,
            shape="10k",
            objects=SERIES_INSTANCES,
            clients=1,
            instances_per_study=SERIES_INSTANCES,
        )
        new = [
            study
            for study in sample_studies(server.web, 10_000)
            if study.study_instance_uid not in marked
        ]
        long_study = max(new, key=lambda study: study.instances).study_instance_uid
        self._studies[server.name] = [
            study.study_instance_uid for study in new if study.study_instance_uid != long_study
        ]
        series = series_instances(server.web, long_study)[0][0]
        self._long_series[server.name] = (long_study, series)
        time.sleep(SETTLE_IDLE_S + 5)

    def query(self, server: Server) -> None:
        """C-FIND and QIDO-RS on an index of many studies."""
        say(f"filling the index of {server.name} with {self.plan.index_studies} studies")
        if isinstance(server, Negatoscope):
            fill(server, self.plan.index_studies)
        else:
            count = self.plan.index_studies
            ingest(server.dicom, shape="1k", objects=count, clients=4, instances_per_study=1)
        known: list[KnownStudy] = sample_studies(
            server.web, 500, spread_over=self.plan.index_studies
        )
        for _ in range(self.plan.rounds):
            for target, load in ((server.dicom, "C-FIND study"), (server.web, "QIDO-RS study")):
                ask = partial(query, target, operations=self.plan.queries, studies=known)
                measured = self.measure(server, partial(ask, clients=1))
                self.note(f"{load}, p95", server, measured, measured.latencies.p95_ms)
                measured = self.measure(server, partial(ask, clients=4))
                self.note(f"{load}, 4 clients", server, measured, measured.per_second)

    def large(self, server: Server) -> None:
        """One object larger than memory should be, in and out, with an eye on every process."""
        with MemoryWatch(server) as watch:
            stored = store_large(server.dicom, self.plan.large_bytes)
            measurement = stored.measurement
            self.note("large in", server, measurement, measurement.megabytes_per_second)
            for target, load in ((server.dicom, "large C-GET"), (server.web, "large WADO-RS")):
                measured = fetch_large(target, stored)
                self.note(load, server, measured, measured.megabytes_per_second)
        self.memory_bytes = dict(watch.largest_bytes)

    def rows(self) -> list[Row]:
        """The table."""
        made = []
        for shape in self.plan.ingest_objects:
            for clients in (1, 4, 16):
                goal = INGEST_GOALS.get((shape, clients))
                made.append(
                    self.row(
                        f"C-STORE {shape}, {clients}",
                        "/s",
                        f"C-STORE {shape}, durable, {clients} association{'s' if clients > 1 else ''}",
                        f"≥ {goal:g} ×" if goal else "",
                    )
                )
        small, latency = {"smaller_is_better": True}, "ms"
        made += [
            self.row("STOW-RS 512k, 4", "/s", "STOW-RS 512k, 4 connections", ""),
            self.row("C-MOVE", "MB/s", "C-MOVE of studies of 200 × 512k", "≥ 2 ×"),
            self.row("C-GET", "MB/s", "C-GET of the same", "≥ 2 ×"),
            self.row("WADO-RS study", "MB/s", "WADO-RS study of the same", "≥ 4 ×"),
            self.row(
                "metadata of 2,000",
                latency,
                "WADO-RS metadata, 2,000 images, p95",
                "≤ 100 ms",
                **small,
            ),
            self.row("one frame, p95", latency, "WADO-RS frame of 512k, p95", "≤ 5 ms", **small),
            self.row("frames 512k, 8", "/s", "WADO-RS frames of 512k, 8 connections", ""),
            self.row("frames 512k, 8, native", "/s", "the same, Orthanc by its own REST", "≥ 4 ×"),
            self.row("frames 512k, 8, p99", latency, "the same, p99", "≤ 5 ms", **small),
        ]
        made += [
            self.row(
                "500 as HTJ2K", "s", "500 images of 512k as HTJ2K, 2 connections", "≤ 3 s", **small
            ),
            self.row("500 as JPEG", "s", "the same as JPEG", "", **small),
            self.row("one as JPEG, p95", latency, "one of them, p95", "≤ 15 ms", **small),
        ]
        for load in ("C-FIND study", "QIDO-RS study"):
            text = f"{load} level, {self.plan.index_studies:,} studies"
            made.append(self.row(f"{load}, p95", latency, f"{text}, p95", "≤ 20 ms", **small))
            made.append(self.row(f"{load}, 4 clients", "/s", f"{text}, 4 clients", ""))
        made += people.rows(self)
        made += department.rows(self)
        size = f"{self.plan.large_bytes / 1e9:.1f} GB object"
        made += [
            self.row("large in", "MB/s", f"{size}, C-STORE", ""),
            self.row("large C-GET", "MB/s", f"{size}, C-GET", ""),
            self.row("large WADO-RS", "MB/s", f"{size}, WADO-RS", ""),
        ]
        made += [
            Row(
                load=f"memory of process “{name}” meanwhile",
                unit="MB",
                ours=(round(size_bytes / 1e6, 1),),
                goal="< 200 MB",
                smaller_is_better=True,
            )
            for name, size_bytes in sorted(self.memory_bytes.items())
            if name in {"dicom", "http", "worker", "supervisor"}
        ]
        return [row for row in made if row.ours or row.theirs]

    def row(
        self, key: str, unit: str, load: str, goal: str, *, smaller_is_better: bool = False
    ) -> Row:
        figures = self.figures.get(key, {})
        return Row(
            load=load,
            unit=unit,
            ours=tuple(figures.get("Negatoscope", ())),
            theirs=tuple(figures.get("Orthanc", ())),
            goal=goal,
            smaller_is_better=smaller_is_better,
        )


def fill(server: Negatoscope, studies: int) -> None:
    """Rows of studies that do not exist, by COPY."""
    from negatoscope.app.database import database_url
    from negatoscope.domain.archive.synthetic import fill_index
    from negatoscope.infra.db import Database
    from negatoscope.infra.settings import Settings

    settings = Settings.load(data_dir=server.data_dir)
    with database_url(settings) as url, Database(url) as database:
        fill_index(database, studies=studies)


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def write(comparison: Comparison, described: dict[str, str], *, write_docs: bool) -> None:
    """The files of a run."""
    rows = comparison.rows()
    RESULTS.mkdir(parents=True, exist_ok=True)
    document = {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": described,
        "disk_megabytes_per_second": {
            name.removeprefix("dd "): figures["machine"]
            for name, figures in comparison.figures.items()
            if name.startswith("dd ")
        },
        "rows": [row.as_dict() for row in rows],
        "memory_bytes": comparison.memory_bytes,
        "measurements": comparison.measurements,
    }
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (RESULTS / "compare.json").write_text(text, encoding="utf-8")
    note = (
        f"Measured {time.strftime('%Y-%m-%d', time.gmtime())}, medians of "
        f"{comparison.plan.rounds} rounds, both servers in turn on the same machine:"
    )
    markdown = as_markdown(rows, described, note)
    (RESULTS / "compare.md").write_text(markdown, encoding="utf-8")
    if write_docs:
        page = PERFORMANCE_PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(MARK)
        after = rest.partition(END_MARK)[2]
        PERFORMANCE_PAGE.write_text(
            f"{before}{MARK}\n\n{markdown}\n{END_MARK}{after}", encoding="utf-8"
        )
    print(as_text(rows))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, help="turns of each server (default: 3)")
    parser.add_argument("--large-bytes", type=int, help="size of the large object")
    parser.add_argument("--small", action="store_true", help="a tiny load: does it work at all?")
    parser.add_argument(
        "--parts",
        default="ingest,read,query,readers,list,hl7,worklist,large",
        help="comma list (default: %(default)s)",
    )
    parser.add_argument("--no-orthanc", action="store_true", help="this program alone")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp"), help="folder for the data")  # noqa: S108
    parser.add_argument("--keep", action="store_true", help="leave data and logs in the folder")
    parser.add_argument("--write-docs", action="store_true", help="update docs/performance.md")
    arguments = parser.parse_args()
    logging.configure(level="warning", format="auto")
    plan = SMALL if arguments.small else FULL
    if arguments.large_bytes:
        plan = replace(plan, large_bytes=arguments.large_bytes)
    if arguments.rounds:
        plan = replace(plan, rounds=arguments.rounds)
    with_orthanc = not arguments.no_orthanc and Orthanc.program() is not None
    if not with_orthanc:
        say("Orthanc is not installed or not wanted: this program alone")
    folder = Path(tempfile.mkdtemp(prefix="negatoscope-bench-", dir=arguments.work))
    try:
        described = machine.describe(folder)
        comparison = Comparison(plan, folder, with_orthanc=with_orthanc)
        try:
            comparison.run(set(arguments.parts.split(",")))
        finally:
            disk = {
                name: f"{sorted(figures['machine'])[len(figures['machine']) // 2]:.0f} MB/s"
                for name, figures in comparison.figures.items()
                if name.startswith("dd ")
            }
            write(comparison, {**described, **disk}, write_docs=arguments.write_docs)
    finally:
        if arguments.keep:
            say(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
