"""``negatoscope audit`` and ``verify audit``: the trail from the command line."""

from pathlib import Path
from typing import Literal

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


@audit.command("resend")
@click.argument("repository")
@click.option("--since", required=True, metavar="AGE", help="30d, 12h.")
@pass_context
def resend(context: CommandContext, *, repository: str, since: str) -> None:
    """Have REPOSITORY told again of what was recorded since AGE ago, by the running server."""
    from negatoscope.cli.archive import age
    from negatoscope.subscribers.audit.atna.forwarding import set_back

    at = age(since)
    with context.database() as database:
        count = set_back(database, repository, since=at)
    if count < 0:
        raise click.ClickException(
            f"no repository is named {repository}\nHINT: the setting audit.sinks names them; a worker must have run since."
        )
    click.echo(f"{repository} will be told of {count} records")


@audit.command("patient")
@click.argument("patient_id")
@click.option("--issuer", help="Whose identifier; any unless given.")
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True)
@click.option(
    "--format", "form", type=click.Choice(["html", "csv"]), default="html", show_default=True
)
@click.option("--names", is_flag=True, help="With the names of staff, not only their functions.")
@pass_context
def patient(
    context: CommandContext,
    *,
    patient_id: str,
    issuer: str | None,
    language: Literal["fr", "en"],
    form: str,
    names: bool,
) -> None:
    """Write, for the patient, who had access to the data of PATIENT_ID."""
    from negatoscope.domain.identity import Actor
    from negatoscope.subscribers import audit as trail
    from negatoscope.subscribers.audit.exports import patient_csv, patient_html
    from negatoscope.subscribers.audit.patients import who_saw

    with context.database() as database:
        trail.record(
            database,
            actor=Actor.system("command line"),
            action="audit export",
            patient_id=patient_id,
            issuer_of_patient_id=issuer,
            detail={"format": form, "names": names},
        )
        report = who_saw(database, patient_id, issuer_of_patient_id=issuer)
    write = patient_html if form == "html" else patient_csv
    click.echo(write(report, language=language, names=names), nl=False)
