"""``negatoscope migrate``."""

import click

from negatoscope.cli.common import CommandContext, pass_context


@click.command()
@pass_context
def migrate(context: CommandContext) -> None:
    """Bring the database to this version's schema.

    `negatoscope serve` does so when it starts; this is for a database that several nodes share.
    """
    from negatoscope.app.database import database_url as located
    from negatoscope.infra.db import migrate as migrations

    with located(context.settings) as url:
        before = migrations.state(url)
        reached = migrations.upgrade(url)
    if before.current == reached:
        click.echo(f"the schema is at revision {reached} already")
    else:
        click.echo(f"the schema went from revision {before.current or 'none'} to {reached}")
