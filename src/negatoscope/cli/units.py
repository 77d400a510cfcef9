"""``negatoscope units``: the hospital's structure."""

from pathlib import Path

import click

from negatoscope.cli.common import CommandContext, pass_context, table


@click.group()
def units() -> None:
    """Units of the hospital (UF), which admission messages name by their codes."""


@units.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_context
def import_file(context: CommandContext, *, path: Path) -> int:
    """Take in the CSV file PATH, all of it or nothing; it replaces what was known of its codes."""
    from negatoscope.cli import EXIT_FAILED, complain
    from negatoscope.domain.identity import Actor
    from negatoscope.domain.patients.units import Units, UnitsRefused, read_csv
    from negatoscope.subscribers import audit

    with context.database() as database:
        try:
            found = read_csv(path.read_bytes())
            with database.connection() as connection:
                count = Units(connection).replace(found, source="user:command line")
        except UnitsRefused as error:
            table(("LINE", "REASON"), [(str(line), why) for line, why in error.problems])
            complain("the file cannot be taken, nothing changed", hint="correct the lines.")
            return EXIT_FAILED
        audit.record(
            database,
            actor=Actor.system("command line"),
            action="import hospital units",
            detail={"count": count},
        )
    click.echo(f"{count} units taken in")
    return 0
