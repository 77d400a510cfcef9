"""``negatoscope verify``, ``reindex`` and ``task``: looking after what is stored."""

import datetime
import re
from typing import Any

import click

from negatoscope.cli.audit import verify_audit
from negatoscope.cli.common import CommandContext, data_options, pass_context

_AGE = re.compile(r"^([0-9]+)([dh])$")


def _age(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> datetime.datetime | None:
    return None if value is None else age(value)


def age(value: str) -> datetime.datetime:
    """The instant so long ago: ``30d``, ``12h``.

    Raises:
        BadParameter: it is not written so.
    """
    match = _AGE.match(value)
    if match is None:
        raise click.BadParameter("write for instance 30d or 12h")
    unit = datetime.timedelta(days=1) if match[2] == "d" else datetime.timedelta(hours=1)
    return datetime.datetime.now(datetime.UTC) - int(match[1]) * unit


def _bar(label: str) -> Any:
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn(label), BarColumn(), TaskProgressColumn(), TextColumn("{task.completed} of {task.total}"),
        TimeRemainingColumn(), transient=True,
    )  # fmt: skip


@click.group(invoke_without_command=True)
@click.option("--study", help="Only this Study Instance UID.")
@click.option(
    "--older-than", callback=_age, help="Only what was not verified for so long: 30d, 12h."
)
@data_options
@click.pass_context
def verify(
    click_context: click.Context,
    /,
    study: str | None,
    older_than: datetime.datetime | None,
    **given: str | None,
) -> None:
    """Re-read stored objects and compare their digests. Exit code 1 when one differs."""
    from negatoscope.domain.archive.verify import verify as run

    if click_context.invoked_subcommand is not None:
        return
    context = CommandContext(**given)
    with context.database() as database, _bar("verifying") as bar:
        task = bar.add_task("verify", total=None)
        result = run(
            database, {v.name: v for v in context.volumes()}, study_instance_uid=study, older_than=older_than,
            progress=lambda done, _bytes: bar.update(task, completed=done),
        )  # fmt: skip
    for uid in result.failed:
        click.echo(f"damaged\t{uid}")
    click.echo(
        f"{result.verified} verified, {len(result.failed)} damaged, {result.bytes_read} bytes read"
    )
    if result.failed:
        raise SystemExit(1)


verify.add_command(verify_audit)


@click.command()
@click.option("--verify", "check", is_flag=True, help="Compare every digest on the way.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def reindex(context: CommandContext, check: bool, yes: bool) -> None:
    """Rebuild the index from the segments alone. Stop the server first."""
    from negatoscope.domain.archive import Archive
    from negatoscope.domain.archive.reindex import SegmentInUse
    from negatoscope.domain.archive.reindex import reindex as run

    if not yes:
        click.confirm("The index is emptied and built again from the segments. Go on?", abort=True)
    with context.database() as database, _bar("reindexing") as bar:
        archive = Archive(database=database, volumes=context.volumes(), recover=False)
        task = bar.add_task("reindex", total=None)
        try:
            result = run(
                archive,
                verify=check,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        except SegmentInUse as error:
            raise click.ClickException(
                f"{error}\nHINT: `negatoscope serve` is running on this data directory; stop it first."
            ) from error
        finally:
            archive.close()
    click.echo(
        f"{result.segments} segments, {result.objects} objects indexed, {result.aside} kept aside, "
        f"{result.duplicates} second copies, {result.unreadable} unreadable"
    )
    if result.unreadable:
        raise SystemExit(1)


@click.group()
def task() -> None:
    """What needs an administrator: conflicts, quarantined objects, damage."""


@task.command("list")
@pass_context
def task_list(context: CommandContext) -> None:
    """Open tasks and objects kept aside."""
    from negatoscope.domain.archive import Archive
    from negatoscope.domain.archive.versions import Versions

    with context.database() as database:
        archive = Archive(database=database, volumes=context.volumes(), recover=False)
        try:
            versions = Versions(archive)
            for item in versions.tasks():
                click.echo(
                    f"task {item.id}\t{item.created_at:%Y-%m-%d %H:%M}\t{item.kind}\t{item.subject}"
                )
            for aside in versions.pending():
                click.echo(
                    f"aside {aside.id}\t{aside.received_at:%Y-%m-%d %H:%M}\t{aside.reason}\t"
                    f"{aside.sop_instance_uid}\tfrom {aside.calling_ae_title or '-'}"
                )
        finally:
            archive.close()


@task.command("close")
@click.argument("number", type=int)
@pass_context
def task_close(context: CommandContext, number: int) -> None:
    """Mark a task done."""
    _with_versions(context, lambda versions: versions.close_task(number, by="command line"))


@task.command("accept")
@click.argument("number", type=int)
@pass_context
def task_accept(context: CommandContext, number: int) -> None:
    """Make the object kept aside under NUMBER the current version."""
    _with_versions(context, lambda versions: versions.accept(number, by="command line"))


@task.command("dismiss")
@click.argument("number", type=int)
@pass_context
def task_dismiss(context: CommandContext, number: int) -> None:
    """Keep the first version; the object kept aside under NUMBER stays aside."""
    _with_versions(context, lambda versions: versions.dismiss(number, by="command line"))


def _with_versions(context: CommandContext, act: Any) -> None:
    from negatoscope.domain.archive import Archive
    from negatoscope.domain.archive.versions import NoSuchDecision, Versions

    with context.database() as database:
        archive = Archive(database=database, volumes=context.volumes(), recover=False)
        try:
            if act(Versions(archive)) is False:
                raise click.ClickException("no open task has this number")
        except NoSuchDecision as error:
            raise click.ClickException(
                f"{error}\nHINT: `negatoscope task list` shows the numbers."
            ) from error
        finally:
            archive.close()
