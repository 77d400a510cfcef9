"""The command line.

A module per group, imported when its command is called: ``negatoscope ae list`` does not load the
archive. Exit codes: 0 done; 1 not done, the message says why; 2 the command line or a setting is
wrong; 3 the database, or the server asked, does not answer; 130 interrupted;
143 terminated.
"""

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final, NoReturn

import click

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNAVAILABLE: Final = 3
EXIT_INTERRUPTED: Final = 130
EXIT_TERMINATED: Final = 143
UMASK: Final = 0o027
"""Images and logs are for this account, and for its group to read."""

_COMMANDS: Final = {
    "serve": ("negatoscope.cli.serve:serve", "Start the archive and keep it running."),
    "import": ("negatoscope.cli.importing:import_command", "Take in files, folders, zips, media."),
    "ae": ("negatoscope.cli.ae:ae", "Application entities that may call, and are called."),
    "user": ("negatoscope.cli.user:user", "Accounts."),
    "token": ("negatoscope.cli.token:token", "Bearer tokens of accounts."),
    "bind": ("negatoscope.cli.binding:bind", "Bind stored studies to the orders they are for."),
    "catalogue": (
        "negatoscope.cli.catalogue:catalogue",
        "Procedures, rooms, devices, people and opening hours as CSV.",
    ),
    "units": ("negatoscope.cli.units:units", "The hospital's structure: units as CSV."),
    "transcode": (
        "negatoscope.cli.transcode:transcode",
        "Write a DICOM file in another transfer syntax.",
    ),
    "dump": ("negatoscope.cli.dump:dump", "Show what a DICOM file holds."),
    "render": ("negatoscope.cli.render:render", "Draw a DICOM file."),
    "verify": ("negatoscope.cli.archive:verify", "Read everything again and compare digests."),
    "audit": ("negatoscope.cli.audit:audit", "The audit trail: search, anchors, repositories."),
    "reindex": ("negatoscope.cli.archive:reindex", "Rebuild the index from the segments."),
    "task": ("negatoscope.cli.archive:task", "What an administrator must look at."),
    "migrate": ("negatoscope.cli.migrate:migrate", "Bring the database to this version's schema."),
    "doctor": ("negatoscope.cli.doctor:doctor", "Look whether everything is as it must be."),
    "tls": ("negatoscope.cli.tls:tls", "Certificates for a start."),
    "ohif": ("negatoscope.cli.ohif:ohif", "A second viewer, of another project."),
    "bench": ("negatoscope.cli.bench:bench", "Load any server and measure it."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command; None when there is no such name."""
        if cmd_name not in _COMMANDS:
            return None
        module_name, attribute = _COMMANDS[cmd_name][0].split(":")
        command = getattr(import_module(module_name), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module_name}:{attribute} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list for ``--help``, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="negatoscope", prog_name="negatoscope")
def cli() -> None:
    """Negatoscope: the open imaging department.

    Every command takes --data-dir and --database-url and works beside a running `negatoscope
    serve` on the same data directory. Settings come from negatoscope.toml and NEGATOSCOPE_* too;
    `negatoscope doctor` says which are in force.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    signal.signal(signal.SIGTERM, _terminate)
    os.umask(UMASK)
    try:
        result: Any = cli.main(
            args=None if arguments is None else list(arguments),
            prog_name="negatoscope",
            standalone_mode=False,
        )
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(EXIT_INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(EXIT_USAGE)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "negatoscope"
        message, _, hint = error.format_message().partition("\nHINT: ")
        message = message.rstrip(".")
        hint = hint or f"`{command} --help` shows what it takes."
        complain(message[:1].lower() + message[1:], hint=hint)
        sys.exit(EXIT_USAGE if isinstance(error, click.UsageError) else EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.exit(EXIT_FAILED)
    except Exception as error:
        refusal_hint = getattr(error, "hint", None)
        if refusal_hint is None:
            raise  # not a refusal but a defect: its traceback is what helps
        complain(str(getattr(error, "message", error)), hint=str(refusal_hint))
        sys.exit(_exit_code(error))
    sys.exit(result if isinstance(result, int) else 0)


def _terminate(_number: int, _frame: object) -> NoReturn:
    """End as by an exception, so that a server started for this command is stopped."""
    sys.exit(EXIT_TERMINATED)


def complain(message: str, *, hint: str = "") -> None:
    """Say on standard error, on one line, what went wrong, and on the next what to try."""
    click.echo(f"error: {' '.join(message.split())}", err=True)
    if hint:
        click.echo(f"HINT: {hint}", err=True)


def _exit_code(error: Exception) -> int:
    from negatoscope.infra import errors

    if isinstance(error, errors.ConfigurationError):
        return EXIT_USAGE
    if isinstance(error, errors.DatabaseUnavailable | errors.EmbeddedPostgresError):
        return EXIT_UNAVAILABLE
    return EXIT_FAILED
