"""Jobs on the same database: done after the transaction that asked for them, once it is committed.

A module of the domain declares its tasks on a ``Tasks`` collection of its own; the worker process
gathers the collections, and hands every task the services it needs through the job's context.
"""

from negatoscope.infra.jobs.queue import JobContext, Tasks, new_app, service
from negatoscope.infra.jobs.submit import submit

__all__ = ["JobContext", "Tasks", "new_app", "service", "submit"]
