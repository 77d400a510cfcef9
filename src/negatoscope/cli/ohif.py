"""``negatoscope ohif``: the optional second viewer."""

from pathlib import Path

import click

from negatoscope.cli.common import CommandContext, pass_context


@click.group()
def ohif() -> None:
    """OHIF, a viewer of another project, served at /ohif when it is installed."""


@ohif.command("install")
@click.option(
    "--from",
    "tarball",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="TARBALL",
    help="The package, fetched elsewhere, instead of asking npm for it.",
)
@click.option("--microscopy", is_flag=True, help="With the viewer of whole slide images.")
@click.option("--again", is_flag=True, help="Even when this version is installed already.")
@click.option("--optional", is_flag=True, help="Say why it cannot be done, and exit with 0.")
@pass_context
def install(
    context: CommandContext, tarball: Path | None, microscopy: bool, again: bool, optional: bool
) -> None:
    """Fetch the one version of OHIF that we know, check it, and make it ready to be served.

    A running server serves it from then on; nothing has to be restarted.
    """
    from negatoscope.app import process
    from negatoscope.entrypoints.web.ohif import installer
    from negatoscope.entrypoints.web.ohif.installation import FOLDER, Installation

    if process.supervised():
        process.die_with_parent()
        process.tell_ready()
    data_dir = context.settings.data_dir
    found = Installation.read(data_dir / FOLDER)
    if found is not None and not again and installer.is_current(found, with_microscopy=microscopy):
        click.echo(f"OHIF {found.version} is installed already, at /ohif/", err=optional)
        return
    try:
        done = installer.install(
            data_dir,
            tarball=tarball,
            with_microscopy=microscopy,
            say=lambda text: click.echo(f"OHIF: {text}", err=True),
        )
    except installer.OhifError as error:
        if not optional:
            raise
        click.echo(f"ATTENTION: without OHIF: {error.message}. HINT: {error.hint}", err=True)
        return
    megabytes = sum(asset.size for asset in done.assets.values()) / 1e6
    click.echo(
        f"OHIF {done.version} is installed at /ohif/ ({len(done.assets)} files, {megabytes:.0f} MB)",
        err=optional,
    )


@ohif.command("status")
@pass_context
def status(context: CommandContext) -> int:
    """Say which version is installed. Exit code 1 when there is none."""
    from negatoscope.entrypoints.web.ohif.installation import FOLDER, Installation
    from negatoscope.entrypoints.web.ohif.installer import VERSION, is_current

    found = Installation.read(context.settings.data_dir / FOLDER)
    if found is None:
        click.echo("OHIF is not installed")
        return 1
    more = " with microscopy" if found.has_microscopy else ""
    note = "" if is_current(found) else f"; `negatoscope ohif install` brings {VERSION} up to date"
    click.echo(f"OHIF {found.version}{more}, at /ohif/{note}")
    return 0


@ohif.command("remove")
@pass_context
def remove(context: CommandContext) -> None:
    """Take OHIF out again."""
    from negatoscope.entrypoints.web.ohif.installer import remove as run

    was_there = run(context.settings.data_dir)
    click.echo("OHIF is removed" if was_there else "OHIF is not installed")
