"""The worker's side of the queue: procrastinate, with the names the rest of the program uses.

Nobody else imports procrastinate, so that its place could be taken by another queue.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from procrastinate import App, Blueprint, JobContext, PsycopgConnector

from negatoscope.infra.db.database import connection_parameters

T = TypeVar("T")

Tasks = Blueprint
"""Tasks of one module: ``tasks = Tasks()``, ``@tasks.task(name="x", pass_context=True)``."""

__all__ = ["JobContext", "Tasks", "new_app", "service"]


def new_app(url: str, collections: Mapping[str, Tasks]) -> App:
    """The queue on a database.

    Args:
        url: The database; its schema is at head.
        collections: Tasks by the name of their collection: ``archive`` makes ``archive:x``.
    """
    connector = PsycopgConnector(
        conninfo=url,
        min_size=1,
        max_size=4,
        kwargs=connection_parameters(url),
    )
    app = App(connector=connector)
    for name, tasks in collections.items():
        app.add_tasks_from(tasks, namespace=name)
    return app


def service(context: JobContext, name: str, kind: type[T]) -> T:
    """What the worker gave to its tasks under a name: ``database``, ``archive``, ``settings``.

    Raises:
        LookupError: it gave nothing of that kind.
    """
    given: Mapping[str, Any] = context.additional_context
    found = given.get(name)
    if not isinstance(found, kind):
        raise LookupError(f"the worker has no {name} for its tasks")  # noqa: TRY004
    return found
