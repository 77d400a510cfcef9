"""``negatoscope tls``: certificates for a start, until the hospital's own are there."""

import re
import socket

import click

from negatoscope.cli.common import CommandContext, pass_context


@click.group()
def tls() -> None:
    """Certificates of a small authority of one's own."""


@tls.command()
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="HOST",
    help="Name or address under which we are reached; may be repeated. Default: this machine's name.",
)
@pass_context
def init(context: CommandContext, *, names: tuple[str, ...]) -> None:
    """Make an authority and a certificate for this server in <data-dir>/tls.

    Prints the settings that use them. Nothing that exists is overwritten.
    """
    from negatoscope.infra.certificates import Authority

    wanted = [_checked(one) for one in names or (socket.getfqdn(), "localhost", "127.0.0.1")]
    authority = Authority(context.settings.data_dir / "tls")
    authority.make()
    issued = authority.issue("server", common_name=wanted[0], names=list(dict.fromkeys(wanted)))
    click.echo(f"authority    {authority.certificate_path} (give it to browsers and devices)")
    click.echo(f"certificate  {issued.certificate}, until {issued.not_after:%Y-%m-%d}")
    click.echo(f"key          {issued.key}")
    click.echo("\nsettings for negatoscope.toml:\n")
    click.echo('https = "0.0.0.0:8443"')
    click.echo('dicom_tls = "0.0.0.0:2762"')
    click.echo(f'tls_certificate = "{issued.certificate}"')
    click.echo(f'tls_key = "{issued.key}"')
    click.echo(
        "\nand, when every device that speaks TLS has a certificate (`negatoscope tls issue`):\n"
    )
    click.echo(f'tls_ca = "{authority.certificate_path}"')


@tls.command()
@click.argument("name")
@click.option(
    "--host", "hosts", multiple=True, metavar="HOST", help="Good for listening under this name too."
)
@click.option("--days", default=397, show_default=True, type=click.IntRange(1, 3650))
@click.option("--replace", is_flag=True, help="Renew: overwrite the files of that name.")
@pass_context
def issue(
    context: CommandContext, *, name: str, hosts: tuple[str, ...], days: int, replace: bool
) -> None:
    """Make a certificate for NAME: a device's AE title, or `server` to renew ours.

    A running server takes a renewed certificate by itself within seconds.
    """
    from cryptography import x509

    from negatoscope.infra.certificates import Authority

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise click.BadParameter("letters, digits, _ . -", param_hint="NAME")
    if name == "ca":
        raise click.BadParameter("that is the authority's own", param_hint="NAME")
    authority = Authority(context.settings.data_dir / "tls")
    wanted = [_checked(one) for one in hosts]
    common_name = name
    path = authority.directory / "server.pem"
    if name == "server" and replace and not wanted and path.exists():
        before = x509.load_pem_x509_certificate(path.read_bytes())
        found = before.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        wanted = [str(one.value) for one in found]
        common_name = wanted[0]
    issued = authority.issue(
        name,
        common_name=common_name,
        names=wanted,
        is_server=bool(wanted),
        days=days,
        replace=replace,
    )
    click.echo(f"certificate  {issued.certificate}, until {issued.not_after:%Y-%m-%d}")
    click.echo(f"key          {issued.key} (give it to the device, keep no other copy)")
    click.echo(f"fingerprint  sha256:{issued.sha256}")


def _checked(host: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._:-]{0,251}[A-Za-z0-9])?", host):
        raise click.BadParameter(f"{host!r} is no host name and no address")
    return host
