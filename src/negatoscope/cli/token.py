"""``negatoscope token``: bearer tokens."""

import re
from datetime import timedelta

import click

from negatoscope.cli.common import CommandContext, pass_context

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@click.group()
def token() -> None:
    """Bearer tokens of accounts."""


@token.command()
@click.option("--user", "name", required=True, metavar="NAME", help="Whose token.")
@click.option(
    "--expires",
    default="30d",
    show_default=True,
    metavar="TIME",
    help="How long it is good: 30m, 12h, 30d, 4w.",
)
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
@pass_context
def create(
    context: CommandContext,
    *,
    name: str,
    expires: str,
    description: str,
) -> None:
    """Make a token; the last line printed is it, and it cannot be shown again."""
    from negatoscope.domain.identity import Actor, tokens
    from negatoscope.infra.clock import utc_now
    from negatoscope.subscribers import audit

    good_for = _duration(expires)
    with context.database() as database:
        made = tokens.create(database, user_name=name, expires_in=good_for, description=description)
        audit.record(
            database,
            actor=Actor.system("command line"),
            action="administer",
            detail={"token made for": name, "expires": expires},
        )
    until = (utc_now() + good_for).isoformat(" ", "minutes")
    click.echo(f"for {name}, until {until}; send it as `Authorization: Bearer …`", err=True)
    click.echo(made)


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,5})([mhdw])", text.strip())
    if match is None or int(match[1]) == 0:
        raise click.BadParameter(
            f"{text!r} is not a time like 30m, 12h, 30d or 4w", param_hint="--expires"
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
