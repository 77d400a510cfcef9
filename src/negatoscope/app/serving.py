"""``serve``: one process alone, or all of them under the supervisor."""

import fcntl
import json
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

import psycopg
import structlog

from negatoscope.app import process, roles
from negatoscope.app.database import database_url
from negatoscope.app.supervisor import Child, Supervisor, child_environment
from negatoscope.domain.identity import Actor, Role, setup, users
from negatoscope.infra import data_dir, metrics
from negatoscope.infra.db import Database, check_durability, migrate
from negatoscope.infra.db.embedded import EmbeddedPostgres
from negatoscope.infra.errors import ConfigurationError, DatabaseUnavailable
from negatoscope.infra.settings import Settings
from negatoscope.subscribers import audit

_LOG = structlog.get_logger(__name__)

_DEMO_ACCOUNTS = {
    "admin": Role.ADMINISTRATOR,
    "radiologist": Role.RADIOLOGIST,
    "technologist": Role.TECHNOLOGIST,
    "identity": Role.IDENTITY_MANAGER,
    "clinician": Role.CLINICIAN,
}
_RUN = {
    "http": roles.run_http,
    "http-plain": roles.run_http_plain,
    "dicom": roles.run_dicom,
    "hl7": roles.run_hl7,
    "worker": roles.run_worker,
    "demo": roles.run_demo,
}


def serve_role(settings: Settings, role: str) -> None:
    """Run one process; alone, it sees to its database itself."""
    if process.supervised():
        process.die_with_parent()
        _RUN[role](settings)
        return
    with database_url(settings) as url:
        _prepare(settings, url)
        environment = child_environment(settings, url)
        figures = metrics.prepare(settings.data_dir / role, environment)
        os.environ.update(environment)
        _note_life(settings, url, "start", role)
        try:
            _RUN[role](settings.model_copy(update={"database_url": url}))
        finally:
            _note_life(settings, url, "stop", role)
            metrics.discard(figures)


def serve_all(settings: Settings, *, demo: bool, ohif: bool = False) -> int:
    """Run everything until told to stop.

    Args:
        settings: In force.
        demo: Make accounts and load a demonstration department.
        ohif: Install OHIF beside, unless it is there or cannot be had.
    Returns: The exit code.
    Raises:
        InfraError: the database, the schema or a setting is not as it must be.
    """
    with _alone(settings):
        _check_ports(settings)
        embedded = None
        if settings.database_url is None:
            embedded = EmbeddedPostgres(
                settings.data_dir, durable=not settings.allow_unsafe_database
            )
            url = embedded.start()
        else:
            url = settings.database_url
        try:
            _prepare(settings, url)
            accounts = _demo_accounts(settings, url) if demo else {}
            if demo and not settings.documents.hospital:
                _name_hospital()
            _note_life(settings, url, "start")
            supervisor = Supervisor(
                settings=settings,
                url=url,
                embedded=embedded,
                children=_children(settings, demo=demo, ohif=ohif),
                on_ready=lambda: _announce(settings, url, accounts),
            )
            return supervisor.run()
        finally:
            _note_life(settings, url, "stop")
            if embedded is not None:
                embedded.stop()


def _name_hospital() -> None:
    """Let the letters of the demonstration come from its hospital; the children take it from the environment."""
    from negatoscope.demo.people import INSTITUTION_ADDRESS, INSTITUTION_NAME

    os.environ["NEGATOSCOPE_DOCUMENTS__HOSPITAL"] = INSTITUTION_NAME
    os.environ["NEGATOSCOPE_DOCUMENTS__ADDRESS"] = INSTITUTION_ADDRESS.replace(", ", "\n")


def _note_life(settings: Settings, url: str, action: str, role: str = "all") -> None:
    """Write into the trail that the program starts or stops; a stop may find no database."""
    try:
        with Database(url, max_size=1) as database:
            audit.record(
                database,
                actor=Actor.system("negatoscope"),
                action=action,
                door="worker",
                detail={
                    "version": metadata.version("negatoscope"),
                    "role": role,
                    "host": socket.gethostname(),
                    "ae_title": settings.ae_title,
                },
            )
    except (DatabaseUnavailable, psycopg.Error) as error:
        _LOG.warning("audit.not_recorded", action=action, reason=str(error).split("\n")[0])


def _prepare(settings: Settings, url: str) -> None:
    """Refuse a server that may lose data, and bring the schema to this version."""
    if not settings.allow_unsafe_database:
        check_durability(url)
    before = migrate.state(url)
    reached = migrate.upgrade(url)
    if before.current != reached:
        _LOG.info("schema migrated", before=before.current, now=reached)


def _children(settings: Settings, *, demo: bool, ohif: bool) -> list[Child]:
    children = [
        Child(name=role if number == 1 else f"{role}-{number}", arguments=["serve", "--role", role])
        for role, count in (("dicom", settings.dimse_processes), ("http", settings.http_workers))
        for number in range(1, count + 1)
    ]
    children.append(Child(name="hl7", arguments=["serve", "--role", "hl7"]))
    if settings.https is not None:
        children.append(Child(name="http-plain", arguments=["serve", "--role", "http-plain"]))
    children.append(Child(name="worker", arguments=["serve", "--role", "worker"]))
    if demo:
        children.append(Child(name="demo", arguments=["serve", "--role", "demo"], once=True))
    if ohif:
        arguments = ["ohif", "install", "--optional"]
        children.append(Child(name="ohif", arguments=arguments, once=True))
    return children


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the data directory: two supervisors on one would share segments and ports.

    Raises:
        ConfigurationError: another one runs.
    """
    try:
        data_dir.make(settings.data_dir)
        fd = os.open(settings.data_dir / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"cannot use the data directory {settings.data_dir}: {error.strerror}",
            hint="choose another --data-dir, or give it to this account.",
        ) from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(
                f"another negatoscope serve runs on {settings.data_dir}",
                hint="stop it first, or choose another --data-dir.",
            ) from error
        yield
    finally:
        os.close(fd)


def _check_ports(settings: Settings) -> None:
    """Refuse to start where another program listens.

    The processes share their ports among themselves, so that the kernel would let a second
    archive of the same account share them too: each would get some of the other's callers.

    Raises:
        ConfigurationError: an address cannot be had.
    """
    for name in ("http", "https", "dicom", "dicom_tls", "hl7", "hl7_tls"):
        address = getattr(settings, name)
        if address is None:
            continue
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
                probe.listen(1)
            except OSError as error:
                raise ConfigurationError(
                    f"cannot listen on {address} ({name}): {error.strerror or error}",
                    hint=f"is another program there? choose another with --{name.replace('_', '-')}.",
                ) from error


def _demo_accounts(settings: Settings, url: str) -> dict[str, str]:
    """Names and passwords of the demonstration accounts: made once, kept in a file of our own."""
    path = settings.data_dir / "demo-accounts.json"
    with Database(url, max_size=2) as database:
        known = {user.name for user in users.list_users(database)}
        if path.exists():
            accounts: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
            return {name: password for name, password in accounts.items() if name in known}
        if known:
            return {}  # a real archive: no accounts that nobody asked for
        accounts = {name: secrets.token_urlsafe(12) for name in _DEMO_ACCOUNTS}
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            json.dump(accounts, file)
        for name, password in accounts.items():
            users.create(database, name=name, roles=[_DEMO_ACCOUNTS[name]], password=password)
    return accounts


def _announce(settings: Settings, url: str, accounts: dict[str, str]) -> None:
    """Say on standard output that everything answers, and how to come in."""
    base = roles.base_url(settings)
    lines = [
        f"Negatoscope {metadata.version('negatoscope')} is ready",
        f"  web    {base}/",
        f"  DICOM  {settings.dicom} AE title {settings.ae_title}",
        f"  HL7    {settings.hl7} MLLP",
        f"  data   {settings.data_dir}",
    ]
    with Database(url, max_size=2) as database:
        secret = setup.create(database)
    if secret is not None:
        hours = int(setup.VALID_FOR.total_seconds() // 3600)
        lines += [
            f"  first account (this link works once, within {hours} h):",
            f"    {base}/setup/{secret}",
        ]
    if accounts:
        lines.append("  accounts of the demonstration:")
        width = max(map(len, accounts))
        lines += [f"    {name.ljust(width)}  {password}" for name, password in accounts.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    _LOG.info("ready", http=str(settings.http), dicom=str(settings.dicom))
