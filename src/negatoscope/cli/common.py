"""What commands share: where the data is, and a database that is ready."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import click

from negatoscope.app.database import database_url
from negatoscope.infra import logging
from negatoscope.infra.db import Database, migrate
from negatoscope.infra.errors import MigrationError
from negatoscope.infra.settings import Settings

if TYPE_CHECKING:
    from negatoscope.domain.archive import Volume

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


class CommandContext:
    """What a command works with: the settings in force, and what they lead to.

    Args:
        given: Settings of the command line; ``None`` means not given.
    """

    def __init__(self, **given: object) -> None:
        self._given = given

    @cached_property
    def settings(self) -> Settings:
        """The settings in force.

        Raises:
            ConfigurationError: one cannot be used.
        """
        settings = Settings.load(**self._given)
        logging.configure(level="warning", format=settings.log_format)
        return settings

    @contextmanager
    def database(self) -> Iterator[Database]:
        """An open database at this version's schema.

        The embedded server is joined when it runs, and otherwise started for the length of the
        block.

        Raises:
            InfraError: a setting, the server or the schema is not as it must be.
        """
        with database_url(self.settings) as url:
            state = migrate.state(url)
            if self.settings.database_url is None or state.current is None:
                migrate.upgrade(url)
            elif not state.is_at_head:
                raise MigrationError(
                    f"the database is at revision {state.current}, this version needs {state.head}",
                    hint="run `negatoscope migrate`, or start `negatoscope serve`, which does.",
                )
            with Database(url, max_size=8) as database:
                _note_command(database)
                yield database

    def volumes(self) -> tuple["Volume", ...]:
        """The configured volumes."""
        from negatoscope.domain.archive.configured import volumes

        return volumes(self.settings)


def _note_command(database: Database) -> None:
    """Write into the trail which command an operator runs; its arguments may hold secrets."""
    import getpass
    import os

    from negatoscope.domain.identity import Actor
    from negatoscope.subscribers import audit

    running = click.get_current_context(silent=True)
    if running is None:
        return
    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = str(os.getuid())
    behind = os.environ.get("SUDO_USER")
    audit.record(
        database,
        actor=Actor.system("command line"),
        action="command",
        door="command line",
        detail={"command": running.command_path, "account": account}
        | ({"sudo": behind} if behind else {}),
    )


def data_options(function: F) -> F:
    """Give a command ``--data-dir`` and ``--database-url``."""
    function = click.option(
        "--database-url",
        metavar="URL",
        help="A PostgreSQL of your own instead of the embedded one.",
    )(function)
    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False),
        metavar="D",
        help="Where everything is kept (default: ./negatoscope-data).",
    )(function)


def pass_context(
    function: Callable[Concatenate[CommandContext, P], R],
) -> Callable[P, R]:
    """Give a command ``--data-dir`` and ``--database-url``, and itself a ``CommandContext``."""

    def call(data_dir: str | None, database_url: str | None, *args: Any, **kwargs: Any) -> R:
        return function(
            CommandContext(data_dir=data_dir, database_url=database_url), *args, **kwargs
        )

    update_wrapper(call, function)
    return data_options(cast("Callable[P, R]", call))


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print rows in columns as wide as their widest cell."""
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings))]
    for row in [headings, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
