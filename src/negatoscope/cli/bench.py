"""``negatoscope bench``: one generated load for any server, by DIMSE or DICOMweb."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from negatoscope.bench.results import Measurement
    from negatoscope.bench.targets import DicomTarget, WebTarget

DEFAULT_RESULTS = Path("bench/results")


def _target_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--results",
            type=click.Path(file_okay=False, path_type=Path),
            default=DEFAULT_RESULTS,
            show_default=True,
            help="Folder of the JSON file.",
        ),
        click.option("--token", help="Bearer token for --url.", envvar="NEGATOSCOPE_TOKEN"),
        click.option("--url", metavar="URL", help="DICOMweb service: http://host:port/dicom-web."),
        click.option("--calling-ae", default="BENCH", show_default=True, help="Our AE title."),
        click.option("--called-ae", default="NEGATOSCOPE", show_default=True, help="Its AE title."),
        click.option("--dicom", metavar="HOST:PORT", help="DIMSE peer."),
    ):
        function = option(function)
    return function


def _clients(default: int) -> Callable[..., Any]:
    return click.option(
        "--clients",
        type=click.IntRange(1, 256),
        default=default,
        show_default=True,
        help="Associations or connections at the same time.",
    )


def _target(options: dict[str, Any], *, web_only: bool = False) -> DicomTarget | WebTarget:
    """The server the options name.

    Raises: click.UsageError: none, or two.
    """
    from negatoscope.bench.targets import DicomTarget, WebTarget

    dicom, url = options["dicom"], options["url"]
    if url and not dicom:
        try:
            return WebTarget.parse(url, options["token"])
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    if dicom and not url and not web_only:
        host, _, port = dicom.rpartition(":")
        if not port.isdigit():
            raise click.UsageError(f"{dicom!r} is not HOST:PORT")
        return DicomTarget(
            host=host or "127.0.0.1",
            port=int(port),
            called_ae_title=options["called_ae"],
            calling_ae_title=options["calling_ae"],
        )
    raise click.UsageError("give --url" if web_only else "give either --dicom or --url")


def _web_target(options: dict[str, Any]) -> WebTarget:
    from negatoscope.bench.targets import WebTarget

    target = _target(options, web_only=True)
    assert isinstance(target, WebTarget)  # noqa: S101 - narrowed for the type checker
    return target


def _finish(options: dict[str, Any], measurements: list[Measurement]) -> None:
    """Print, write, and fail when an operation failed."""
    from negatoscope.bench.results import write_results

    for measurement in measurements:
        click.echo(measurement.line())
    name = f"{measurements[0].name}-{time.strftime('%Y%m%d-%H%M%S')}"
    click.echo(f"results: {write_results(options['results'], name, measurements)}")
    if any(measurement.failures for measurement in measurements):
        sys.exit(1)


def _measured(run: Callable[[], list[Measurement]]) -> list[Measurement]:
    """Run a benchmark; a server that does not answer is one line, not a traceback.

    Raises: click.ClickException.
    """
    from negatoscope.bench.http import HttpError
    from negatoscope.bench.wire import WireError
    from negatoscope.protocols.dicom.dimse.errors import DimseError

    try:
        return run()
    except (DimseError, WireError, HttpError) as error:
        raise click.ClickException(str(error)) from error


@click.group()
def bench() -> None:
    """Load any server and measure it; the same load for ours and for others'.

    Every command prints a line and writes bench/results/NAME-TIME.json. Exit code 1 when an
    operation failed. What is sent stays in the server: use one made for it.
    """
    from negatoscope.infra import logging

    logging.configure(level="warning", format="auto")


@bench.command()
@_target_options
@_clients(4)
@click.option(
    "--shape", type=click.Choice(["512k", "10k", "1k"]), default="512k", show_default=True
)
@click.option("--objects", type=click.IntRange(min=1), default=2000, show_default=True)
@click.option("--per-study", type=click.IntRange(min=1), default=200, show_default=True)
def ingest(clients: int, shape: str, objects: int, per_study: int, **options: Any) -> None:
    """Store generated CT images: C-STORE, or STOW-RS with --url."""
    from negatoscope.bench.ingest import ingest as run

    target = _target(options)
    measurements = _measured(
        lambda: [
            run(
                target,
                shape=shape,
                objects=objects,
                clients=clients,
                instances_per_study=per_study,
            )
        ]
    )
    _finish(options, measurements)


@bench.command()
@click.option("--mllp", metavar="HOST:PORT", default="127.0.0.1:2575", show_default=True)
@_clients(4)
@click.option("--operations", type=click.IntRange(min=1), default=5000, show_default=True)
@click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_RESULTS,
    show_default=True,
    help="Folder of the JSON file.",
)
def hl7(mllp: str, clients: int, operations: int, results: Path) -> None:
    """Send admission messages over MLLP, each acknowledged before the next of its connection."""
    from negatoscope.bench.hl7 import hl7 as run

    host, _, port = mllp.rpartition(":")
    if not port.isdigit():
        raise click.UsageError(f"{mllp!r} is not HOST:PORT")
    address = host or "127.0.0.1", int(port)
    _finish(
        {"results": results},
        _measured(lambda: [run(*address, clients=clients, operations=operations)]),
    )


@bench.command()
@_target_options
@_clients(1)
@click.option("--operations", type=click.IntRange(min=1), default=500, show_default=True)
@click.option("--sample", type=click.IntRange(min=1), default=500, show_default=True)
def query(clients: int, operations: int, sample: int, **options: Any) -> None:
    """Ask study level questions about what the server holds: C-FIND, or QIDO-RS with --url."""
    from negatoscope.bench.query import query as run

    target = _target(options)
    _finish(
        options,
        _measured(lambda: [run(target, clients=clients, operations=operations, sample=sample)]),
    )


@bench.command()
@_target_options
@_clients(1)
@click.option("--operations", type=click.IntRange(min=1), default=300, show_default=True)
@click.option(
    "--per-s",
    type=click.FloatRange(min=0.1),
    default=15.0,
    show_default=True,
    help="Questions a second, all clients together: servers hold back who asks too often.",
)
@click.option("--fill", type=click.IntRange(2, 1_000_000), help="First write so many steps.")
@click.option("--database", metavar="URL", help="Where --fill writes: orders of nobody.")
def worklist(
    clients: int,
    operations: int,
    per_s: float,
    fill: int | None,
    database: str | None,
    **options: Any,
) -> None:
    """Ask for modality worklists as devices do: C-FIND of PS3.4 Annex K."""
    from negatoscope.bench.targets import DicomTarget
    from negatoscope.bench.worklist import worklist as run

    if (fill is None) != (database is None):
        raise click.UsageError("--fill needs --database, and the other way round")
    target = _target(options)
    if not isinstance(target, DicomTarget):
        raise click.UsageError("give --dicom")
    if fill is not None and database is not None:
        from negatoscope.domain.scheduling.synthetic import fill_worklist
        from negatoscope.infra.db import Database

        with Database(database) as opened, opened.connection() as connection:
            fill_worklist(connection, steps=fill)
    _finish(
        options,
        _measured(lambda: [run(target, clients=clients, operations=operations, per_s=per_s)]),
    )


@bench.command()
@_target_options
@_clients(1)
@click.option("--how", type=click.Choice(["move", "get", "wado"]), help="Default: get, or wado.")
@click.option("--study", "studies", multiple=True, metavar="UID", help="Default: some it holds.")
@click.option("--count", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--sink", metavar="HOST:PORT", default="127.0.0.1:11113", show_default=True)
@click.option("--destination", default="BENCH", show_default=True, help="The sink's AE title.")
def retrieve(
    *,
    clients: int,
    how: str | None,
    studies: tuple[str, ...],
    count: int,
    sink: str,
    destination: str,
    **options: Any,
) -> None:
    """Fetch whole studies: C-MOVE to a sink of ours, C-GET, or WADO-RS with --url."""
    from negatoscope.bench.retrieve import retrieve as run
    from negatoscope.bench.sample import sample_studies
    from negatoscope.bench.targets import WebTarget

    target = _target(options)
    how = how or ("wado" if isinstance(target, WebTarget) else "get")
    if (how == "wado") != isinstance(target, WebTarget):
        raise click.UsageError("--how wado needs --url, move and get need --dicom")
    host, _, port = sink.rpartition(":")
    if not port.isdigit():
        raise click.UsageError(f"{sink!r} is not HOST:PORT")

    def measure() -> list[Measurement]:
        known = studies or tuple(
            study.study_instance_uid for study in sample_studies(target, count)
        )
        return [
            run(
                target,
                how=how,
                studies=known,
                clients=clients,
                sink=(host or "127.0.0.1", int(port)),
                destination=destination,
            )
        ]

    _finish(options, _measured(measure))


@bench.command()
@_target_options
@_clients(1)
@click.option("--study", required=True, metavar="UID")
@click.option("--series", required=True, metavar="UID")
@click.option("--repeats", type=click.IntRange(min=1), default=20, show_default=True)
def metadata(clients: int, study: str, series: str, repeats: int, **options: Any) -> None:
    """Fetch the WADO-RS metadata of one series again and again."""
    from negatoscope.bench.web import metadata as run

    target = _web_target(options)
    _finish(
        options,
        _measured(
            lambda: [run(target, study=study, series=series, repeats=repeats, clients=clients)]
        ),
    )


@bench.command()
@_target_options
@_clients(200)
@click.option("--frames", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--think", type=click.FloatRange(min=0), default=1.0, show_default=True, help="s")
def readers(clients: int, frames: int, rounds: int, think: float, **options: Any) -> None:
    """Many readers at once: the list, a study, its metadata and frames, with time to think."""
    from negatoscope.bench.readers import readers as run
    from negatoscope.bench.sample import sample_studies

    target = _web_target(options)

    def measure() -> list[Measurement]:
        studies = [one.study_instance_uid for one in sample_studies(target, 50)]
        return [
            run(
                target,
                studies=studies,
                clients=clients,
                frames=frames,
                think_s=think,
                rounds=rounds,
            )
        ]

    _finish(options, _measured(measure))


@bench.command("list")
@_target_options
@_clients(1)
@click.option("--operations", type=click.IntRange(min=1), default=500, show_default=True)
def list_(clients: int, operations: int, **options: Any) -> None:
    """Search the list of studies as people type; of a server of ours."""
    from negatoscope.bench.readers import listing as run

    target = _web_target(options)
    _finish(options, _measured(lambda: [run(target, operations=operations, clients=clients)]))


@bench.command()
@_target_options
@_clients(8)
@click.option("--study", required=True, metavar="UID")
@click.option("--seconds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--wrk/--no-wrk", default=True, show_default=True, help="Use wrk too, if installed.")
def frames(clients: int, study: str, seconds: int, wrk: bool, **options: Any) -> None:
    """Fetch single frames of one study in random order over kept-alive connections."""
    from negatoscope.bench.sample import series_instances
    from negatoscope.bench.web import frame_paths, frames_with_wrk
    from negatoscope.bench.web import frames as run

    target = _web_target(options)

    def measure() -> list[Measurement]:
        paths = frame_paths(study, series_instances(target, study))
        measurements = [run(target, paths=paths, clients=clients, seconds=seconds)]
        with_wrk = (
            frames_with_wrk(target, paths=paths, clients=clients, seconds=seconds) if wrk else None
        )
        return measurements + ([with_wrk] if with_wrk is not None else [])

    _finish(options, _measured(measure))


@bench.command()
@_target_options
@_clients(2)
@click.option("--study", required=True, metavar="UID")
@click.option(
    "--as", "kind", type=click.Choice(["htj2k", "jpeg"]), default="htj2k", show_default=True
)
def renditions(clients: int, study: str, kind: str, **options: Any) -> None:
    """Have every image of one study rendered, twice: made, then kept."""
    from negatoscope.bench.sample import series_instances
    from negatoscope.bench.web import frame_paths
    from negatoscope.bench.web import renditions as run

    target = _web_target(options)

    def measure() -> list[Measurement]:
        paths = frame_paths(study, series_instances(target, study))
        return [run(target, paths=paths, kind=kind, clients=clients) for _ in range(2)]

    _finish(options, _measured(measure))
