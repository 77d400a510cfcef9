"""``negatoscope user``: accounts."""

import sys

import click

from negatoscope.cli.common import CommandContext, pass_context, table

ROLES = (
    "administrator",
    "radiologist",
    "technologist",
    "secretary",
    "clinician",
    "physicist",
    "partner",
    "patient",
)


@click.group()
def user() -> None:
    """Accounts."""


@user.command()
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(ROLES),
    help="May be repeated.",
)
@click.option("--password", metavar="P", help="Other accounts of this machine can see it.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password's line from standard input."
)
@click.option("--display-name", default="", metavar="TEXT", help="For people.")
@pass_context
def add(
    context: CommandContext,
    *,
    name: str,
    roles: tuple[str, ...],
    password: str | None,
    password_stdin: bool,
    display_name: str,
) -> None:
    """Make the account NAME.

    Without a password, and without a terminal to ask for one, it signs in with tokens only.
    """
    from negatoscope.domain.identity import Actor, users
    from negatoscope.subscribers import audit

    secret = _password(name, password, from_stdin=password_stdin, required=False)
    with context.database() as database:
        made = users.create(
            database, name=name, roles=roles, password=secret, display_name=display_name
        )
        audit.record(
            database,
            actor=Actor.system("command line"),
            action="administer",
            detail={"account added": made.name, "roles": sorted(made.roles)},
        )
    click.echo(f"{made.name} is {', '.join(sorted(made.roles))}")


@user.command("list")
@pass_context
def list_users(context: CommandContext) -> None:
    """Show every account."""
    from negatoscope.domain.identity import users

    with context.database() as database:
        accounts = users.list_users(database)
    table(
        ("NAME", "ROLES", "ACTIVE", "PASSWORD", "LAST SIGN-IN"),
        [
            (
                account.name,
                ",".join(sorted(account.roles)),
                "yes" if account.is_active else "no",
                "yes" if account.has_password else "no",
                account.last_sign_in_at.isoformat(" ", "seconds")
                if account.last_sign_in_at
                else "",
            )
            for account in accounts
        ],
    )


@user.command()
@click.argument("name")
@click.option("--password", metavar="P", help="Other accounts of this machine can see it.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password's line from standard input."
)
@pass_context
def passwd(
    context: CommandContext,
    *,
    name: str,
    password: str | None,
    password_stdin: bool,
) -> None:
    """Give the account NAME a new password."""
    from negatoscope.domain.identity import Actor, users
    from negatoscope.subscribers import audit

    secret = _password(name, password, from_stdin=password_stdin, required=True)
    assert secret is not None  # noqa: S101 - required
    with context.database() as database:
        users.set_password(database, name=name, password=secret)
        audit.record(
            database,
            actor=Actor.system("command line"),
            action="administer",
            detail={"password changed": name},
        )
    click.echo(f"{name} has a new password")


def _password(name: str, given: str | None, *, from_stdin: bool, required: bool) -> str | None:
    """The password from wherever it comes; a weak one is an administrator's choice, and is told."""
    from negatoscope.domain.identity import users
    from negatoscope.domain.identity.errors import WeakPassword

    if given is not None and from_stdin:
        raise click.UsageError("give --password or --password-stdin, not both")
    if from_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    elif given is None and sys.stdin.isatty():
        given = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if given is None:
        if required:
            raise click.UsageError("a password is needed: --password-stdin")
        return None
    if not given:
        raise click.UsageError("the password is empty")
    try:
        users.check_password(name, given)
    except WeakPassword as weak:
        click.echo(f"warning: {weak.message}", err=True)
    return given
