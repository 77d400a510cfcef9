"""``negatoscope audit`` and ``verify audit``: the trail from the command line."""

from pathlib import Path

import click

from negatoscope.cli.common import CommandContext, pass_context


@click.command("audit")
@click.option(
    "--anchors",
    "more",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A copy of the anchors kept elsewhere; may be repeated.",
)
@pass_context
def verify_audit(context: CommandContext, *, more: tuple[Path, ...]) -> None:
    """Follow the audit trail's chains from their beginning. Exit code 1 when something differs."""
    from negatoscope.app.auditing import anchor_files
    from negatoscope.subscribers.audit import verification
    from negatoscope.subscribers.audit.chain import Sealer

    with context.database() as database:
        Sealer(database).seal()
        report = verification.verify(database, files=(*anchor_files(context.settings), *more))
    for finding in report.findings:
        place = f"{finding.chain} {finding.seq}" if finding.seq is not None else finding.chain
        click.echo(f"{finding.kind}\t{place or '-'}\t{finding.text}")
    heads = ", ".join(f"{name} {seq}" for name, seq in report.heads.items())
    click.echo(
        f"{report.records} records ({heads}), {report.anchors} anchors, {report.waiting} not sealed yet: "
        + ("sound" if report.is_sound else "NOT AS WRITTEN")
    )
    if not report.is_sound:
        raise SystemExit(1)


@click.group()
def audit() -> None:
    """Who did what."""


@audit.command("anchors")
@click.option("--make", is_flag=True, help="Write one now, before listing.")
@pass_context
def list_anchors(context: CommandContext, *, make: bool) -> None:
    """Print the anchors, a line each: for paper, or for a file on another machine."""
    from negatoscope.app.auditing import anchor_files
    from negatoscope.subscribers.audit import anchors
    from negatoscope.subscribers.audit.chain import Sealer

    with context.database() as database:
        if make:
            Sealer(database).seal()
            anchors.make(database, anchor_files(context.settings))
        for anchor in anchors.stored(database):
            click.echo(anchor.line())
