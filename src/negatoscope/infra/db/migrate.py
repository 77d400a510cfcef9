"""Bring a database to the schema of this version, or back.

The revisions under ``migrations/versions`` form one line. Several processes may start at once:
one migrates, the others wait on an advisory lock. Alembic is imported only when there is
something to do.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg

from negatoscope.infra.db.database import connect
from negatoscope.infra.errors import MigrationError

_LOCK = 0x4E45_4741_544F_0001  # "NEGATO", 1
_REVISION = re.compile(r"^revision(?:: str)? = \"([^\"]+)\"$", re.MULTILINE)
_DOWN_REVISION = re.compile(r"^down_revision(?:: [^=]+)? = (?:\"([^\"]+)\"|None)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaState:
    """Where a database stands.

    Attributes:
        current: Its revision; ``None`` when it is empty.
        head: The revision this version needs.
        known: Whether ``current`` is one of this version's revisions.
    """

    current: str | None
    head: str
    known: bool

    @property
    def is_at_head(self) -> bool:
        """Whether nothing is to be done."""
        return self.current == self.head


def upgrade(url: str, revision: str = "head") -> str:
    """Migrate forward.

    Returns: The revision reached.
    Raises:
        MigrationError: the database is newer than this program, or a step failed.
        DatabaseUnavailable: nobody answers.
    """
    before = state(url)
    if revision == "head" and before.is_at_head:
        return before.head
    if not before.known:
        raise MigrationError(
            f"the database is at revision {before.current}, which this version does not know",
            hint="run the version of negatoscope that wrote it, or a newer one.",
        )
    _run(url, "upgrade", revision)
    return state(url).current or ""


def downgrade(url: str, revision: str) -> None:
    """Migrate back to a revision, or to nothing with ``base``."""
    _run(url, "downgrade", revision)


def state(url: str) -> SchemaState:
    """Where the database stands."""
    with connect(url, autocommit=True) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            row = None
    line = revisions()
    current = str(row[0]) if row else None
    return SchemaState(current=current, head=line[-1], known=current is None or current in line)


@cache
def revisions() -> tuple[str, ...]:
    """The revisions of this version, oldest first.

    Raises:
        MigrationError: they do not form one line.
    """
    successor: dict[str | None, str] = {}
    count = 0
    for path in sorted(_script_location().joinpath("versions").glob("[0-9]*.py")):
        text = path.read_text(encoding="utf-8")
        revision, down = _REVISION.search(text), _DOWN_REVISION.search(text)
        if revision is None or down is None or down[1] in successor:
            raise MigrationError(f"{path.name} does not continue the line of revisions")
        successor[down[1]] = revision[1]
        count += 1
    line: list[str] = []
    at: str | None = None
    while at in successor:
        at = successor[at]
        line.append(at)
    if len(line) != count or not line:
        raise MigrationError("the revisions do not form one line")
    return tuple(line)


def _script_location() -> Path:
    return Path(str(resources.files("negatoscope.infra.db.migrations")))


def _run(url: str, direction: str, revision: str) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(_script_location()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")

    def creator() -> psycopg.Connection[tuple[Any, ...]]:
        return connect(url)

    engine = create_engine("postgresql+psycopg://", creator=creator, poolclass=NullPool)
    with connect(url, autocommit=True) as lock:
        lock.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        try:
            with engine.connect() as connection:
                config.attributes["connection"] = connection
                if direction == "upgrade":
                    command.upgrade(config, revision)
                else:
                    command.downgrade(config, revision)
        except MigrationError:
            raise
        except Exception as error:
            raise MigrationError(
                f"migration to {revision} failed and was rolled back: {error}",
                hint="the schema is as it was before the failing step; `negatoscope doctor` looks.",
            ) from error
        finally:
            engine.dispose()
