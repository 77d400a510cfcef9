"""``negatoscope ae``: application entities."""

import click

from negatoscope.cli import scu
from negatoscope.cli.common import CommandContext, pass_context, table
from negatoscope.infra.settings import HostPort

DEFAULT_ROLES = "store,query,retrieve"


@click.group()
def ae() -> None:
    """Application entities that may call, and are called."""


@ae.command()
@click.argument("aet")
@click.argument("address", metavar="HOST:PORT")
@click.option(
    "--roles",
    default=DEFAULT_ROLES,
    show_default=True,
    metavar="LIST",
    help="What it may ask: store,query,retrieve,worklist,mpps,commitment,print,ups; or none.",
)
@click.option("--tls", is_flag=True, help="Call it over TLS.")
@click.option("--description", default="", metavar="TEXT", help="For people.")
@click.option("--tls-required", is_flag=True, help="Refuse it when it calls in clear.")
@click.option(
    "--certificate",
    "certificates",
    multiple=True,
    metavar="ID",
    help="Certificate it must show: sha256:HEX or subject:DN; may be repeated.",
)
@click.option("--check-host", is_flag=True, help="Refuse it from another host than this one.")
@click.option("--max-associations", type=click.IntRange(1, 10_000), help="At once, per process.")
@click.option(
    "--character-set",
    metavar="TERM",
    help="Of its worklists when it names none: ISO_IR 100 (default: ISO_IR 192).",
)
@click.option("--replace", is_flag=True, help="Change an entry that exists.")
@pass_context
def add(
    context: CommandContext,
    *,
    aet: str,
    address: str,
    roles: str,
    tls: bool,
    description: str,
    tls_required: bool,
    certificates: tuple[str, ...],
    check_host: bool,
    max_associations: int | None,
    character_set: str | None,
    replace: bool,
) -> None:
    """Register AET, which listens at HOST:PORT."""
    from negatoscope.domain.devices import ae as registry
    from negatoscope.domain.identity import Actor
    from negatoscope.subscribers import audit

    try:
        place = HostPort.parse(address)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="HOST:PORT") from error
    if address.startswith(":"):
        raise click.BadParameter("the host is missing", param_hint="HOST:PORT")
    wanted = [role.strip() for role in roles.split(",") if role.strip() not in {"", "none"}]
    with context.database() as database:
        entry = registry.add(
            database,
            ae_title=aet,
            host=place.host,
            port=place.port,
            roles=wanted,
            tls=tls,
            description=description,
            tls_required=tls_required,
            certificates=certificates,
            check_host=check_host,
            max_associations=max_associations,
            character_set=character_set,
            replace=replace,
            by="command line",
        )
        audit.record(
            database,
            actor=Actor.system("command line"),
            action="administer",
            detail={"added": entry.ae_title, "roles": wanted},
        )
    click.echo(f"{entry.ae_title} at {place} may {', '.join(sorted(entry.roles)) or 'only echo'}")


@ae.command("list")
@pass_context
def list_entities(context: CommandContext) -> None:
    """Show every application entity."""
    from negatoscope.domain.devices import ae as registry

    with context.database() as database:
        entries = registry.list_entities(database)
    table(
        ("AE TITLE", "ADDRESS", "TLS", "ROLES", "DESCRIPTION"),
        [
            (
                entry.ae_title,
                str(HostPort(entry.host, entry.port)),
                "yes" if entry.tls else "no",
                ",".join(sorted(entry.roles)),
                entry.description,
            )
            for entry in entries
        ],
    )


@ae.command()
@click.argument("aet")
@pass_context
def remove(context: CommandContext, aet: str) -> None:
    """Take AET out of the registry."""
    from negatoscope.domain.devices import ae as registry
    from negatoscope.domain.identity import Actor
    from negatoscope.subscribers import audit

    with context.database() as database:
        registry.remove(database, aet)
        audit.record(
            database,
            actor=Actor.system("command line"),
            action="administer",
            detail={"removed": aet},
        )
    click.echo(f"{aet} is removed")


@ae.command()
@click.argument("aet")
@pass_context
def echo(context: CommandContext, aet: str) -> int:
    """Call AET and ask for an answer (C-ECHO)."""
    from negatoscope.cli import EXIT_UNAVAILABLE, complain
    from negatoscope.domain.devices import ae as registry
    from negatoscope.domain.devices.errors import UnknownApplicationEntity
    from negatoscope.entrypoints.web.echo import echo as call

    with context.database() as database:
        entry = registry.find(database, aet)
    if entry is None:
        raise UnknownApplicationEntity(
            f"{aet} is not registered", hint="`negatoscope ae list` names them."
        )
    result = call(context.settings, entry)
    if not result.answers:
        ours = f" Our AE title is {context.settings.ae_title}."
        complain(
            f"{entry.ae_title} at {HostPort(entry.host, entry.port)}: {result.reason}"
            f" ({result.code})",
            hint=result.hint + (ours if "AE title" in result.hint else ""),
        )
        return EXIT_UNAVAILABLE
    session = f" over {result.tls}" if result.tls else ""
    click.echo(f"{entry.ae_title} answers after {result.milliseconds} ms{session}")
    return 0


for command in (scu.find, scu.send, scu.fetch, scu.commit):
    ae.add_command(command)
