"""``negatoscope token``: bearer tokens."""

import re
from datetime import timedelta

import click

from negatoscope.cli.common import CommandContext, pass_context, table
from negatoscope.cli.user import read_grant

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
@click.option(
    "--action", "actions", multiple=True, metavar="ACTION", help="Only this; may be repeated."
)
@click.option("--grant", "wanted", multiple=True, metavar="KIND=VALUE", help="Sees only this.")
@click.option("--service", is_flag=True, help="Of a program, not of a person.")
@pass_context
def create(
    context: CommandContext,
    *,
    name: str,
    expires: str,
    description: str,
    actions: tuple[str, ...],
    wanted: tuple[str, ...],
    service: bool,
) -> None:
    """Make a token; the last line printed is it, and it cannot be shown again."""
    from negatoscope.domain.identity import Actor, tokens
    from negatoscope.infra.clock import utc_now
    from negatoscope.subscribers import audit

    good_for = _duration(expires)
    with context.database() as database:
        made = tokens.create(
            database,
            user_name=name,
            expires_in=good_for,
            description=description,
            kind="service" if service else "personal",
            actions=actions or None,
            granted=[read_grant(text) for text in wanted],
            created_by="command line",
        )
        audit.record(
            database,
            actor=Actor.system("command line"),
            action="administer",
            detail={"token made for": name, "expires": expires},
        )
    until = (utc_now() + good_for).isoformat(" ", "minutes")
    click.echo(f"for {name}, until {until}; send it as `Authorization: Bearer …`", err=True)
    click.echo(made)


@token.command("list")
@click.option("--user", "name", metavar="NAME", help="Only this account's.")
@pass_context
def list_tokens(context: CommandContext, *, name: str | None) -> None:
    """Show tokens that are good; never the tokens themselves."""
    from negatoscope.domain.identity import tokens, users

    with context.database() as database:
        user_id = None if name is None else users.get(database, name).id
        rows = tokens.list_tokens(database, user_id=user_id)
    table(
        ("NUMBER", "USER", "KIND", "ACTIONS", "EXPIRES", "LAST USE", "DESCRIPTION"),
        [
            (
                str(row.id),
                row.user_name,
                row.kind,
                "all" if row.actions is None else ",".join(row.actions),
                row.expires_at.isoformat(" ", "minutes"),
                row.last_used_at.isoformat(" ", "minutes") if row.last_used_at else "",
                row.description,
            )
            for row in rows
        ],
    )


@token.command()
@click.argument("number", type=int)
@pass_context
def revoke(context: CommandContext, *, number: int) -> None:
    """End the token NUMBER (`negatoscope token list`)."""
    from negatoscope.domain.identity import Actor, tokens
    from negatoscope.subscribers import audit

    with context.database() as database:
        if not tokens.revoke_by_id(database, number):
            raise click.ClickException(f"there is no token {number} that is good")
        audit.record(
            database,
            actor=Actor.system("command line"),
            action="revoke token",
            door="command line",
            detail={"token": number},
        )
    click.echo(f"token {number} has ended")


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,5})([mhdw])", text.strip())
    if match is None or int(match[1]) == 0:
        raise click.BadParameter(
            f"{text!r} is not a time like 30m, 12h, 30d or 4w", param_hint="--expires"
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
