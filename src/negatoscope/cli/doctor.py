"""``negatoscope doctor``."""

import click

from negatoscope.cli.common import CommandContext, pass_context


@click.command()
@click.option("--settings", "only_settings", is_flag=True, help="Only the settings in force.")
@pass_context
def doctor(context: CommandContext, only_settings: bool) -> int:
    """Look whether everything is as it must be, and say which settings are in force.

    Starts nothing and changes nothing. Exit code 1 when a check fails.
    """
    from negatoscope.infra.db.embedded import EmbeddedPostgres
    from negatoscope.infra.health import clear_of_secrets, thorough
    from negatoscope.infra.settings import Settings

    settings = context.settings
    click.echo("Settings in force")
    width = max(len(name) for name in Settings.model_fields)
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if name == "volumes":
            value = ", ".join(f"{volume.name} {volume.path}" for volume in value)
        shown = "" if value is None else clear_of_secrets(name, value)
        click.echo(f"  {name.ljust(width)}  {shown}  ({settings.source(name)})")
    if only_settings:
        return 0
    url = settings.database_url
    if url is None:
        embedded = EmbeddedPostgres(settings.data_dir)
        url = embedded.url if embedded.pid is not None else None
    click.echo("Checks")
    failed = 0
    for check in thorough(settings.model_copy(update={"database_url": url})):
        failed += not check.ok
        click.echo(f"  {'ok   ' if check.ok else 'FAIL '} {check.name}: {check.detail}")
        if check.hint:
            click.echo(f"        HINT: {check.hint}")
    click.echo(f"{failed} of the checks failed" if failed else "everything is as it must be")
    return 1 if failed else 0
