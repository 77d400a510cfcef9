"""``negatoscope catalogue``: procedures, resources and opening hours as files."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from negatoscope.cli.common import CommandContext, pass_context, table

if TYPE_CHECKING:
    from negatoscope.domain.scheduling.transfer import FileKind

_KINDS = ("procedures", "resources", "opening-hours")
_MAX_SHOWN = 50


@click.group()
def catalogue() -> None:
    """Procedures, rooms, devices, people and opening hours as CSV."""


@catalogue.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--what", type=click.Choice(_KINDS), default="procedures", show_default=True)
@click.option(
    "--ccam", is_flag=True, help="The file is the CCAM table: its imaging acts come in, inactive."
)
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@pass_context
def import_file(
    context: CommandContext, *, path: Path, what: str, ccam: bool, dry_run: bool
) -> int:
    """Take in the CSV file PATH: all of it or, when a line has an error, nothing."""
    from negatoscope.cli import EXIT_FAILED, complain
    from negatoscope.domain.identity import Actor
    from negatoscope.domain.scheduling import transfer
    from negatoscope.domain.scheduling.transfer import Effect
    from negatoscope.subscribers import audit

    kind = transfer.FileKind.CCAM if ccam else _kind(what)
    text = transfer.decode(path.read_bytes())
    with context.database() as database:
        with database.connection() as connection:
            plan = transfer.load(connection, kind, text, apply=not dry_run)
        if plan.is_applied:
            audit.record(
                database,
                actor=Actor.system("command line"),
                action="import catalogue",
                detail={"kind": str(kind), "new": plan.count(Effect.NEW)},
            )
    telling = [one for one in plan.lines if one.effect is not Effect.SAME]
    telling.sort(key=lambda one: one.effect is not Effect.ERROR)
    table(
        ("LINE", "WHAT", "EFFECT", "CHANGES"),
        [
            (str(one.line), one.key, str(one.effect), one.error or ", ".join(one.changes))
            for one in telling[:_MAX_SHOWN]
        ],
    )
    if len(telling) > _MAX_SHOWN:
        click.echo(f"... and {len(telling) - _MAX_SHOWN} more")
    counts = ", ".join(f"{plan.count(effect)} {effect.lower()}" for effect in Effect)
    click.echo(f"{counts}: {'done' if plan.is_applied else 'nothing changed'}")
    if plan.count(Effect.ERROR):
        complain("lines have errors, nothing is taken in", hint="correct them and import again.")
        return EXIT_FAILED
    return 0


@catalogue.command("export")
@click.option("--what", type=click.Choice(_KINDS), default="procedures", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: print.")
@pass_context
def export_file(context: CommandContext, *, what: str, output: Path | None) -> None:
    """Write a CSV file, which `import` takes in again."""
    from negatoscope.domain.scheduling import transfer

    with context.database() as database, database.connection() as connection:
        text = transfer.export(connection, _kind(what))
    if output is None:
        click.echo(text.removeprefix("\ufeff"), nl=False)
    else:
        output.write_bytes(text.encode())


def _kind(what: str) -> "FileKind":
    from negatoscope.domain.scheduling.transfer import FileKind

    return FileKind(what.upper().replace("-", "_"))
