"""``negatoscope bind``: which order the studies that were stored before were made for."""

import datetime
from collections import Counter

import click

from negatoscope.cli.archive import age
from negatoscope.cli.common import CommandContext, pass_context, table


def _age(_context: click.Context, _parameter: click.Parameter, value: str) -> datetime.datetime:
    return age(value)


@click.command()
@click.option(
    "--since", callback=_age, default="30d", show_default=True, help="Stored since: 30d, 12h."
)
@click.option("--all", "is_all", is_flag=True, help="Put what no order fits on the work list, too.")
@pass_context
def bind(context: CommandContext, *, since: datetime.datetime, is_all: bool) -> int:
    """Bind studies stored before to the procedures they were made for.

    What is bound or was looked at already stays as it is. Nothing is bound on a guess: what fits an
    order and names another patient goes on the work list.
    """
    from negatoscope.domain.identity import Actor
    from negatoscope.domain.performed import binding
    from negatoscope.subscribers import audit

    counts: Counter[tuple[str, str]] = Counter()
    with context.database() as database:
        for one in binding.decide_stored(database, since=since, only_fitting=not is_all):
            counts[str(one.state), one.reason] += 1
        audit.record(
            database,
            actor=Actor.system("command line"),
            action="bind studies",
            detail={"since": since.isoformat(), "decided": counts.total()},
        )
    table(
        ("STATE", "REASON", "STUDIES"),
        [(state, reason, str(count)) for (state, reason), count in sorted(counts.items())],
    )
    return 0
