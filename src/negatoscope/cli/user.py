"""``negatoscope user``: accounts."""

import sys
from typing import TYPE_CHECKING

import click

from negatoscope.cli.common import CommandContext, pass_context, table

if TYPE_CHECKING:
    from negatoscope.domain.identity.grants import Grant

ROLES = (
    "administrator",
    "radiologist",
    "technologist",
    "secretary",
    "identity-manager",
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


@user.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, type=click.Choice(ROLES), help="All it has then.")
@click.option("--display-name", metavar="TEXT", help="For people.")
@click.option("--active/--inactive", "is_active", default=None, help="Inactive ends its sessions.")
@click.option(
    "--emergency/--no-emergency",
    "is_emergency",
    default=None,
    help="Signs in here when everybody else does at a provider.",
)
@click.option("--remove-totp", is_flag=True, help="Of somebody who lost the second factor.")
@pass_context
def change(
    context: CommandContext,
    *,
    name: str,
    roles: tuple[str, ...],
    display_name: str | None,
    is_active: bool | None,
    is_emergency: bool | None,
    remove_totp: bool,
) -> None:
    """Change the account NAME: what is given, nothing else."""
    from negatoscope.domain.identity import Actor, totp, users
    from negatoscope.subscribers import audit

    with context.database() as database:
        changed = users.change(
            database,
            name=name,
            roles=roles or None,
            display_name=display_name,
            is_active=is_active,
            is_emergency=is_emergency,
        )
        if remove_totp:
            totp.remove(database, changed.id)
        audit.record(
            database,
            actor=Actor.system("command line"),
            action="change user",
            door="command line",
            detail={
                "user": changed.name,
                "roles": sorted(changed.roles),
                "active": changed.is_active,
                "emergency": changed.is_emergency,
                "second factor removed": remove_totp,
            },
        )
    state = "active" if changed.is_active else "inactive"
    click.echo(f"{changed.name} is {state}, {', '.join(sorted(changed.roles))}")


@user.command()
@click.argument("name")
@click.option("--issuer", required=True, metavar="URL", help="Of the provider.")
@click.option("--subject", required=True, metavar="SUB", help="Its name of the person.")
@pass_context
def link(context: CommandContext, *, name: str, issuer: str, subject: str) -> None:
    """Say that the account NAME is a provider's SUB."""
    from negatoscope.domain.identity import Actor, federation
    from negatoscope.subscribers import audit

    with context.database() as database:
        federation.link(database, name=name, issuer=issuer, subject=subject)
        audit.record(
            database,
            actor=Actor.system("command line"),
            action="link user",
            door="command line",
            detail={"user": name, "issuer": issuer, "subject": subject},
        )
    click.echo(f"{name} signs in at {issuer}")


@user.command()
@click.argument("name")
@click.option(
    "--grant",
    "wanted",
    multiple=True,
    metavar="KIND=VALUE",
    help="institution, department, issuer, physician, study, patient=ID^ISSUER, everything.",
)
@click.option("--clear", is_flag=True, help="What its roles see.")
@pass_context
def scope(context: CommandContext, *, name: str, wanted: tuple[str, ...], clear: bool) -> None:
    """Show or set which studies the account NAME sees."""
    from negatoscope.domain.identity import Actor, grants, users
    from negatoscope.subscribers import audit

    if clear and wanted:
        raise click.UsageError("give --grant or --clear, not both")
    with context.database() as database:
        holder = grants.Holder(user_id=users.get(database, name).id)
        if clear or wanted:
            given = [read_grant(text) for text in wanted]
            grants.replace_all(database, holder, given, granted_by="command line")
            audit.record(
                database,
                actor=Actor.system("command line"),
                action="set data scope",
                door="command line",
                detail={"user": name, "grants": list(wanted)},
            )
        held = grants.of(database, holder)
    table(
        ("KIND", "VALUE", "ISSUER", "UNTIL"),
        [
            (
                one.kind,
                one.value,
                one.issuer,
                one.expires_at.isoformat(" ", "minutes") if one.expires_at else "",
            )
            for one in held
        ],
    )


def read_grant(text: str) -> "Grant":
    """``KIND=VALUE``."""
    from negatoscope.domain.identity.grants import Grant, GrantKind

    kind, _, value = text.partition("=")
    if kind not in set(GrantKind):
        raise click.BadParameter(
            f"{kind!r} is not one of {', '.join(GrantKind)}", param_hint="--grant"
        )
    issuer = ""
    if kind == GrantKind.PATIENT:
        value, _, issuer = value.partition("^")
    return Grant(kind=GrantKind(kind), value=value, issuer=issuer)


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
